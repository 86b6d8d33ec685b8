#include "tests/lib/school_statistics.h"

#include "node/journal/entry.h"
#include "tests/lib/school_model.h"

#include <assert.h>
#include <stdlib.h>

enum { HOUR_MS = 60 * 60 * 1000 };

/* When a lesson was entered. */
enum entered {
    ENTERED_IN_LESSON,
    ENTERED_IN_EVENING,
    ENTERED_NEXT_MORNING,
    ENTERED_LATE,
    ENTERED_COUNT,
};

struct counts {
    const struct school *school;
    uint64_t pupils; /* Enrolled by the set-up. */
    uint64_t guardians;
    uint64_t pupil_days;
    uint64_t marked_pupil_days; /* Grade 1 has no marks. */
    uint64_t events;
    uint64_t events_of_set_up;
    uint64_t stored;
    uint64_t lessons;
    uint64_t entered[ENTERED_COUNT];
    uint64_t pupil_lessons;
    uint64_t absent;
    uint64_t late;
    uint64_t marks;
    uint64_t numbers[6]; /* Marks by number, 2 … 5; 0: those that are none. */
    uint64_t comments;
    uint64_t corrections;
    uint64_t moved;
    uint64_t left;
};

/* ---- counting ---- */

static enum entered entered_when(const struct counts *c, const struct school_entry *entry)
{
    int64_t hour = (entry->at_ms - school_local_ms(c->school, entry->day, 0)) / HOUR_MS;
    return hour < 16 ? ENTERED_IN_LESSON
        : hour < 24  ? ENTERED_IN_EVENING
        : hour < 36  ? ENTERED_NEXT_MORNING
                     : ENTERED_LATE;
}

static void count_lesson(
    struct counts *c, const struct school_entry *entry, const Zhurnal__V1__LessonHeld *held)
{
    const struct school_page *page = c->school->pages;
    while (page->id != held->page) {
        page++;
    }
    c->pupil_lessons += school_page_pupils(c->school, page);
    c->lessons++;
    c->entered[entered_when(c, entry)]++;
}

static void count_attendance(struct counts *c, const Zhurnal__V1__AttendanceTaken *taken)
{
    for (size_t i = 0; i < taken->n_exceptions; i++) {
        bool late =
            taken->exceptions[i]->code == ZHURNAL__V1__ATTENDANCE_CODE__ATTENDANCE_CODE_LATE;
        c->late += late ? 1 : 0;
        c->absent += late ? 0 : 1;
    }
}

static void count_event(
    struct counts *c, const struct school_entry *entry, const Zhurnal__V1__Event *event)
{
    switch ((int)event->kind_case) {
    case ZHURNAL__V1__EVENT__KIND_GUARDIAN_LINKED:
        c->guardians++;
        break;
    case ZHURNAL__V1__EVENT__KIND_LESSON_HELD:
        count_lesson(c, entry, event->lesson_held);
        break;
    case ZHURNAL__V1__EVENT__KIND_ATTENDANCE_TAKEN:
        count_attendance(c, event->attendance_taken);
        break;
    case ZHURNAL__V1__EVENT__KIND_MARK_SET:
        c->marks++;
        c->numbers[event->mark_set->mark->number]++;
        break;
    case ZHURNAL__V1__EVENT__KIND_COMMENT_ADDED:
        c->comments++;
        break;
    case ZHURNAL__V1__EVENT__KIND_ENTRY_CORRECTED:
        c->corrections +=
            event->entry_corrected->value_case == ZHURNAL__V1__ENTRY_CORRECTED__VALUE_MARK ? 1 : 0;
        break;
    case ZHURNAL__V1__EVENT__KIND_PUPIL_LEFT:
        c->left++;
        break;
    default:
        break;
    }
}

/* What the log keeps of it: the draft, the texts beside it and what the leader adds. */
static size_t stored_size(const struct counts *c, const struct submission *submission)
{
    static char name[] = "portal";
    static uint8_t certificate[SHA256_SIZE];
    uint64_t school = c->school->id;
    Zhurnal__V1__Principal principal = ZHURNAL__V1__PRINCIPAL__INIT;
    principal.kind = ZHURNAL__V1__PRINCIPAL_KIND__PRINCIPAL_KIND_FRONTEND;
    principal.name = name;
    principal.schools = &school;
    principal.n_schools = 1;
    principal.certificate_sha256 =
        (ProtobufCBinaryData){.data = certificate, .len = sizeof(certificate)};
    struct entry_stamp stamp = {
        .recorded_at_ms = c->school->draft.at_ms,
        .principal = &principal,
        .received_by = 1,
        .leader = 2,
        .level = 1,
    };
    uint8_t *payload;
    size_t size;
    int status = entry_encode(submission, &stamp, &payload, &size);
    assert(status == STATUS_OK);
    (void)status;
    free(payload);
    return size;
}

static void count_entry(struct counts *c, const struct school_entry *entry)
{
    struct arena arena;
    struct submission submission;
    struct error err;
    arena_init(&arena, SUBMISSION_ARENA_LIMIT);
    int status = submission_parse(entry->request, &arena, &submission, &err);
    assert(status == STATUS_OK);
    (void)status;
    const Zhurnal__V1__Draft *draft = submission.draft;
    for (size_t i = 0; i < draft->n_events; i++) {
        count_event(c, entry, draft->events[i]);
    }
    /* Who leaves one class for another does both in one entry. */
    bool moves =
        draft->n_events == 2 && draft->events[0]->kind_case == ZHURNAL__V1__EVENT__KIND_PUPIL_LEFT;
    c->moved += moves ? 1 : 0;
    c->events += draft->n_events;
    c->stored += stored_size(c, &submission);
    arena_reset(&arena);
}

static void count_pupils(struct counts *c)
{
    for (unsigned p = 0; p < c->school->pupil_count; p++) {
        int number = c->school->pupils[p].class_number;
        if (number != NOBODY) {
            c->pupil_days++;
            c->marked_pupil_days += c->school->classes[number].grade > 1 ? 1 : 0;
        }
    }
}

static void count_year(struct counts *c, struct school *school)
{
    unsigned week_days = school->options.week_days;
    struct school_entry entry;
    while (school_set_up_next(school, &entry)) {
        count_entry(c, &entry);
    }
    c->pupils = school->pupil_count;
    c->events_of_set_up = c->events;
    uint32_t last = calendar_last_day(school->year, week_days);
    for (uint32_t day = school->options.day; day <= last; day = school_day_after(day, week_days)) {
        school_day_begin(school, day);
        count_pupils(c);
        while (school_day_next(school, &entry)) {
            count_entry(c, &entry);
        }
    }
}

/* ---- figures ---- */

static struct school_figure rate(
    const char *name, uint64_t part, uint64_t whole, unsigned low, unsigned high)
{
    assert(whole > 0);
    return (struct school_figure){
        .name = name, .value = (unsigned)(part * 100 / whole), .low = low, .high = high};
}

static struct school_figure percent(
    const char *name, uint64_t part, uint64_t whole, unsigned low, unsigned high)
{
    return rate(name, part * 100, whole, low, high);
}

/* A sixth of a real school's events are of kinds that the log does not have yet, final marks above
 * all: ours has few events a day, and with classes of 27 too few. */
static void figure_out(const struct counts *c, struct school_figure figures[STATISTICS_FIGURES])
{
    uint64_t numbers = c->numbers[2] + c->numbers[3] + c->numbers[4] + c->numbers[5];
    uint64_t of_days = c->events - c->events_of_set_up;
    unsigned week = c->school->options.week_days;
    const struct school_figure list[] = {
        percent("marks that are 5, %", c->numbers[5], numbers, 2700, 3100),
        percent("marks that are 4, %", c->numbers[4], numbers, 4300, 4700),
        percent("marks that are 3, %", c->numbers[3], numbers, 2100, 2500),
        percent("marks that are 2, %", c->numbers[2], numbers, 100, 500),
        rate("marks a pupil a week", c->marks * week, c->marked_pupil_days, 660, 690),
        percent("marks with a comment, %", c->comments, c->marks, 550, 650),
        percent("marks corrected, %", c->corrections, c->marks, 130, 170),
        percent("pupils absent from a lesson, %", c->absent, c->pupil_lessons, 400, 600),
        percent("pupils late for a lesson, %", c->late, c->pupil_lessons, 70, 90),
        percent(
            "lessons entered at once, %", c->entered[ENTERED_IN_LESSON], c->lessons, 6000, 6400),
        percent("lessons entered in the evening, %", c->entered[ENTERED_IN_EVENING], c->lessons,
            2500, 2900),
        percent("lessons entered next morning, %", c->entered[ENTERED_NEXT_MORNING], c->lessons,
            600, 800),
        percent("lessons entered later, %", c->entered[ENTERED_LATE], c->lessons, 300, 500),
        rate("guardians of a pupil", c->guardians, c->pupils, 155, 165),
        percent("pupils who change class, % a year", c->moved, c->pupils, 30, 200),
        percent("pupils who leave, % a year", c->left - c->moved, c->pupils, 30, 200),
        rate("events a pupil a day", of_days, c->pupil_days, 200, 270),
        rate("bytes of an event in the log", c->stored, c->events, 8000, 11000),
    };
    static_assert(sizeof(list) == STATISTICS_FIGURES * sizeof(figures[0]), "all of them");
    for (size_t i = 0; i < STATISTICS_FIGURES; i++) {
        figures[i] = list[i];
    }
}

bool statistics_of_year(
    const struct school_options *options, struct school_figure figures[STATISTICS_FIGURES])
{
    struct school_options all = *options;
    unsigned week_days = all.week_days == 0 ? 5 : all.week_days;
    all.day = calendar_first_day(calendar_school_year(all.day), week_days);
    all.whole_day = false;
    struct school *school = school_create(&all);
    if (school == NULL) {
        return false;
    }
    struct counts counts = {.school = school};
    count_year(&counts, school);
    figure_out(&counts, figures);
    school_destroy(school);
    return true;
}
