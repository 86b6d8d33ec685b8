#include "tests/lib/school_model.h"

#include <assert.h>

/* The plan of a school day: who is ill, and when each teacher enters what. The habits of teachers,
 * by day: 62 % enter in the lesson, 27 % in the evening, 7 % the next morning, 4 % later. */

enum { MINUTE_MS = 60 * 1000 };

enum habit { HABIT_IN_LESSON, HABIT_EVENING, HABIT_NEXT_MORNING, HABIT_LATE };

int64_t school_local_ms(const struct school *school, uint32_t day, unsigned minutes)
{
    return (int64_t)calendar_ordinal(day) * CALENDAR_DAY_MS +
        ((int64_t)minutes - school->options.utc_offset_minutes) * MINUTE_MS;
}

void school_entry_time(const struct school *school, struct school_entry *entry)
{
    int64_t local = entry->at_ms + (int64_t)school->options.utc_offset_minutes * MINUTE_MS;
    assert(local >= 0);
    entry->local_ms = (uint32_t)(local % CALENDAR_DAY_MS);
}

int64_t school_later(const struct school *school, int64_t at_ms, int64_t delay_ms)
{
    int64_t later = at_ms + delay_ms;
    int64_t end = school_local_ms(school, school->today, 24 * 60) - MINUTE_MS;
    if (school->options.whole_day && later > end) {
        later = end;
    }
    return later > at_ms ? later : at_ms + 1;
}

static enum habit draw_habit(struct random_stream *stream)
{
    unsigned n = draw_below(stream, 100);
    return n < 62 ? HABIT_IN_LESSON
        : n < 89  ? HABIT_EVENING
        : n < 96  ? HABIT_NEXT_MORNING
                  : HABIT_LATE;
}

static int64_t draw_time(const struct school *school, struct random_stream *stream,
    enum habit habit, unsigned lesson_end)
{
    const unsigned hour = 60;
    if (school->options.whole_day && habit >= HABIT_NEXT_MORNING) {
        return school_local_ms(school, school->today, 21 * hour) +
            draw_below(stream, 2 * hour * MINUTE_MS);
    }
    switch (habit) {
    case HABIT_IN_LESSON:
        return school_local_ms(school, school->today, lesson_end) +
            draw_normal(stream, -MINUTE_MS, 4L * MINUTE_MS);
    case HABIT_EVENING:
        return school_local_ms(school, school->today, 16 * hour) +
            draw_below(stream, 5 * hour * MINUTE_MS);
    case HABIT_NEXT_MORNING:
        return school_local_ms(school, school->today, 32 * hour) +
            draw_below(stream, 4 * hour * MINUTE_MS);
    case HABIT_LATE:
        break;
    }
    return school_local_ms(school, school->today, 36 * hour) +
        draw_below(stream, 48 * hour * MINUTE_MS);
}

/* 0.9 % of the well fall ill on a day, for two to nine days. */
static void spread_illness(struct school *school, uint32_t day)
{
    static const int lengths[] = {2, 3, 4, 6, 9};
    int32_t ordinal = calendar_ordinal(day);
    unsigned per_10000 = calendar_is_influenza(day) ? 198 : 90;
    for (unsigned i = 0; i < school->pupil_count; i++) {
        struct school_pupil *pupil = &school->pupils[i];
        if (pupil->ill_until < ordinal && draw_below(&school->illness, 10000) < per_10000) {
            pupil->ill_until = ordinal + lengths[draw_below(&school->illness, 5)];
        }
    }
}

/* Of a page for one pupil, which no timetable has. */
static bool is_taught_alone_on(const struct school_page *page, uint32_t day)
{
    return page->pupil != NOBODY && page->weekday == calendar_weekday(day);
}

static void count_lessons(struct school *school, uint32_t day)
{
    unsigned weekday = calendar_weekday(day);
    for (unsigned c = 0; c < school->class_count; c++) {
        for (unsigned slot = 0; slot < CALENDAR_SLOTS; slot++) {
            unsigned page = school->classes[c].timetable[weekday][slot];
            if (page != 0) {
                school->pages[page - 1].lessons++;
            }
        }
    }
    for (unsigned p = 0; p < school->page_count; p++) {
        school->pages[p].lessons += is_taught_alone_on(&school->pages[p], day) ? 1 : 0;
    }
}

/* The school year so far, of which nothing is entered: some are ill by now, and lessons have the
 * numbers that they would have, had all been entered since the first day. */
static void live_until(struct school *school, uint32_t day)
{
    unsigned week_days = school->options.week_days;
    uint32_t before = calendar_first_day(school->year, week_days);
    for (; before < day; before = school_day_after(before, week_days)) {
        spread_illness(school, before);
        count_lessons(school, before);
    }
}

/* Of one lesson: the ill, 1.2 % who are missing otherwise, 0.8 % late. */
static void draw_absence(const struct school *school, struct random_stream *stream,
    const struct school_page *page, struct school_action *action)
{
    int32_t ordinal = calendar_ordinal(school->today);
    uint64_t members = school_page_members(school, page);
    for (unsigned i = 0; members >> i != 0; i++) {
        uint64_t bit = (uint64_t)1 << i;
        unsigned chance = draw_below(stream, 1000);
        if (!(members & bit)) {
            continue;
        }
        if (school_page_pupil(school, page, i)->ill_until >= ordinal || chance < 12) {
            action->absent |= bit;
        } else if (chance < 20) {
            action->late |= bit;
        }
    }
    action->present = members & ~action->absent;
}

struct plan {
    struct school *school;
    struct random_stream stream;
    struct random_stream ids;
    enum habit habits[TEACHERS_MAX];
};

static void plan_lesson(struct plan *plan, unsigned number, unsigned slot)
{
    struct school *school = plan->school;
    struct school_page *page = &school->pages[number];
    unsigned end = calendar_bell_end(calendar_weekday(school->today), slot);
    int64_t at_ms = draw_time(school, &plan->stream, plan->habits[page->teacher], end);
    uint64_t seed = random_next(&plan->stream);
    struct school_action lesson = {
        .kind = ACTION_LESSON,
        .at_ms = at_ms,
        .day = school->today,
        .page = number,
        .slot = slot,
        .number = ++page->lessons,
        .lesson = draw_id(&plan->ids),
        .seed = seed,
        .split = draw_chance(&plan->stream, 100),
    };
    draw_absence(school, &plan->stream, page, &lesson);
    queue_add(&school->queue, &lesson);
}

static void plan_message(struct plan *plan, unsigned number)
{
    struct school *school = plan->school;
    int64_t after_ms = draw_below(&plan->stream, 120 * MINUTE_MS);
    struct school_action message = {
        .kind = ACTION_MESSAGE,
        .at_ms = school_local_ms(school, school->today, 17 * 60) + after_ms,
        .day = school->today,
        .page = number,
        .seed = random_next(&plan->stream),
    };
    queue_add(&school->queue, &message);
}

static void plan_class(struct plan *plan, unsigned number)
{
    struct school *school = plan->school;
    const struct school_class *class = &school->classes[number];
    unsigned weekday = calendar_weekday(school->today);
    for (unsigned slot = 0; slot < CALENDAR_SLOTS; slot++) {
        if (class->timetable[weekday][slot] != 0) {
            plan_lesson(plan, class->timetable[weekday][slot] - 1U, slot + 1);
        }
    }
    if (draw_chance(&plan->stream, 300)) {
        plan_message(plan, number);
    }
}

static void plan_individual_pages(struct plan *plan)
{
    const struct school *school = plan->school;
    for (unsigned p = 0; p < school->page_count; p++) {
        if (is_taught_alone_on(&school->pages[p], school->today)) {
            plan_lesson(plan, p, CALENDAR_SLOTS);
        }
    }
}

static void keep_expectations(struct school *school)
{
    struct kept_day *kept = &school->kept[school->days_begun++ % KEPT_DAYS];
    *kept = (struct kept_day){.day = school->today};
    for (unsigned p = 0; p < school->page_count; p++) {
        kept->pages[p].pupils = school_page_pupils(school, &school->pages[p]);
    }
}

/* Another on every day, so that no two days of a seed share an id. */
static struct random_stream draw_day_stream(const struct school *school, unsigned purpose)
{
    return draw_stream(school->options.seed, ((uint64_t)purpose << 32) + school->today);
}

static void plan_day(struct school *school)
{
    struct plan plan = {
        .school = school,
        .stream = draw_day_stream(school, STREAM_DAY),
        .ids = draw_day_stream(school, STREAM_DAY_IDS),
    };
    for (int i = 0; i < school->teacher_count; i++) {
        plan.habits[i] = draw_habit(&plan.stream);
    }
    for (unsigned c = 0; c < school->class_count; c++) {
        plan_class(&plan, c);
    }
    plan_individual_pages(&plan);
}

void school_day_begin(struct school *school, uint32_t day)
{
    assert(school->today < day && calendar_is_school_day(day, school->options.week_days));
    assert(calendar_school_year(day) == school->year);
    bool is_first = school->today == 0;
    school->today = day;
    if (is_first) {
        live_until(school, day);
    } else if (!school->options.whole_day) {
        struct random_stream moves = draw_day_stream(school, STREAM_MOVES);
        school_move_pupils(school, &moves);
    }
    keep_expectations(school);
    spread_illness(school, day);
    plan_day(school);
}

/* The last day of a school year takes with it all that is still to come. */
bool school_day_next(struct school *school, struct school_entry *entry)
{
    const struct school_action *first = queue_first(&school->queue);
    if (first == NULL) {
        return false;
    }
    bool is_last = school->today == calendar_last_day(school->year, school->options.week_days);
    if (!is_last && first->at_ms >= school_local_ms(school, school->today, 24 * 60)) {
        return false;
    }
    struct school_action action = queue_take(&school->queue);
    *entry = (struct school_entry){0};
    school_act(school, &action, entry);
    return true;
}
