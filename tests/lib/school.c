#include "tests/lib/school.h"

#include "tests/lib/school_model.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/* Of actions that wait: a class has at most eight lessons a day, each with few consequences, of
 * which the last come after six days. */
enum { WAITING_PER_CLASS = 512, WAITING_AT_LEAST = 1024 };

static struct school_options with_defaults(const struct school_options *given)
{
    struct school_options options = *given;
    options.grade_from = options.grade_from == 0 ? 1 : options.grade_from;
    options.grade_to = options.grade_to == 0 ? SCHOOL_GRADE_MAX : options.grade_to;
    options.parallels = options.parallels == 0 ? 1 : options.parallels;
    options.fill = options.fill == 0 ? 25 : options.fill;
    options.week_days = options.week_days == 0 ? 5 : options.week_days;
    assert(options.grade_from <= options.grade_to && options.grade_to <= SCHOOL_GRADE_MAX);
    assert(options.parallels <= SCHOOL_PARALLELS_MAX && options.fill <= SCHOOL_FILL_MAX);
    assert(calendar_is_school_day(options.day, options.week_days));
    return options;
}

static void begin_streams(struct school *school)
{
    uint64_t seed = school->options.seed;
    school->people = draw_stream(seed, STREAM_PEOPLE);
    school->set_up = draw_stream(seed, STREAM_SET_UP);
    school->illness = draw_stream(seed, STREAM_ILLNESS);
    school->ids = draw_stream(seed, STREAM_IDS);
}

static void found(struct school *school)
{
    uint64_t id = school_draw_id(school);
    school->id = school->options.school == 0 ? id : school->options.school;
    (void)snprintf(school->name, sizeof(school->name), "МБОУ «СОШ № %u»",
        draw_between(&school->set_up, 1, 99));
    school->head = school_draw_id(school);
    school->deputy = school_draw_id(school);
    school->secretary = school_draw_id(school);
    for (unsigned s = 0; s < SUBJECT_COUNT; s++) {
        school->subject_ids[s] = school_draw_id(school);
    }
}

struct school *school_create(const struct school_options *options)
{
    struct school *school = calloc(1, sizeof(*school));
    if (school == NULL) {
        return NULL;
    }
    school->options = with_defaults(options);
    begin_streams(school);
    found(school);
    school->year = calendar_school_year(school->options.day);
    school_form_year(school);
    size_t waiting = (size_t)WAITING_PER_CLASS * school->class_count + WAITING_AT_LEAST;
    if (!queue_init(&school->queue, waiting)) {
        free(school);
        return NULL;
    }
    school_set_up_begin(school);
    return school;
}

void school_destroy(struct school *school)
{
    if (school != NULL) {
        queue_deinit(&school->queue);
        free(school);
    }
}

/* All classes end; the next year is formed anew. */
static void close_year(struct school *school, struct school_entry *entry)
{
    struct school_draft *draft = &school->draft;
    *entry = (struct school_entry){0};
    draft->day = (school->year + 1) * 10000 + 825;
    int64_t at_ms = school_local_ms(school, draft->day, 10 * 60);
    draft_begin(draft, school->id, at_ms, random_next(&school->set_up));
    draft_set_actor(draft, school->deputy, ZHURNAL__V1__ROLE__ROLE_DEPUTY);
    for (unsigned c = 0; c < school->class_count; c++) {
        Zhurnal__V1__ClassClosed *e = DRAFT_ADD(draft, class_closed, CLASS_CLOSED);
        e->class_id = school->classes[c].id;
    }
    (void)snprintf(entry->label, SCHOOL_LABEL_SIZE, "конец учебного года: закрыто классов: %u",
        school->class_count);
    draft_end(draft, entry);
    school_entry_time(school, entry);
}

static void open_next_year(struct school *school)
{
    assert(queue_first(&school->queue) == NULL);
    school->year++;
    school->today = 0;
    school->days_begun = 0;
    for (unsigned i = 0; i < KEPT_DAYS; i++) {
        school->kept[i].day = 0;
    }
    school_form_year(school);
    school_set_up_begin(school);
}

static uint32_t next_day(const struct school *school)
{
    if (school->today != 0) {
        return school_day_after(school->today, school->options.week_days);
    }
    return school->years_begun == 1 ? school->options.day
                                    : calendar_first_day(school->year, school->options.week_days);
}

/* A school day has lessons, so this gives an entry in at most three steps. */
void school_next(struct school *school, struct school_entry *entry)
{
    if (school_set_up_next(school, entry)) {
        return;
    }
    while (!school_day_next(school, entry)) {
        uint32_t day = next_day(school);
        if (calendar_school_year(day) != school->year) {
            close_year(school, entry);
            open_next_year(school);
            return;
        }
        school_day_begin(school, day);
    }
}

uint64_t school_id(const struct school *school)
{
    return school->id;
}

const char *school_name(const struct school *school)
{
    return school->name;
}

uint64_t school_head(const struct school *school)
{
    return school->head;
}

uint32_t school_today(const struct school *school)
{
    return school->today;
}

size_t school_page_count(const struct school *school)
{
    return school->page_count;
}

struct school_page_info school_page(const struct school *school, size_t number)
{
    assert(number < school->page_count);
    const struct school_page *page = &school->pages[number];
    struct school_page_info info = {
        .page = page->id,
        .subject = curriculum_subject(page->subject)->name,
        .teacher = school->teachers[page->teacher].id,
        .pupils = school_page_pupils(school, page),
    };
    school_class_name(&school->classes[page->class_number], info.class_name);
    return info;
}

bool school_expect(const struct school *school, size_t number, uint32_t day,
    struct school_expectation *expectation)
{
    assert(number < school->page_count);
    for (unsigned i = 0; i < KEPT_DAYS; i++) {
        if (day != 0 && school->kept[i].day == day) {
            *expectation = school->kept[i].pages[number];
            return true;
        }
    }
    return false;
}

static unsigned capped(unsigned value, unsigned cap)
{
    return value < cap ? value : cap;
}

/* All three kinds count before any number does. */
size_t school_page_to_show(const struct school *school, uint32_t day)
{
    size_t best = 0;
    unsigned best_worth = 0;
    for (size_t p = 0; p < school->page_count; p++) {
        struct school_expectation e;
        if (!school_expect(school, p, day, &e)) {
            break;
        }
        unsigned kinds = capped(e.marks, 1) + capped(e.absent, 1) + capped(e.homework, 1);
        unsigned worth = kinds * 100 + capped(e.marks, 30) + capped(e.absent, 5) +
            capped(e.comments, 5) + capped(e.corrections, 5);
        if (worth > best_worth) {
            best = p;
            best_worth = worth;
        }
    }
    return best;
}
