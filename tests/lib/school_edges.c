#include "tests/lib/school_edges.h"

#include "tests/lib/school_model.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum {
    WEEK_DAYS = 6,
    GRADE = 5,
    FIRST_NUMBER = 5,
    BOUNDARY_MARKS = 4, /* Of the class of 40; the others are entered with the lesson. */
};

static const unsigned class_sizes[] = {EDGES_CROWD, 1};

/* ---- when and where ---- */

static uint32_t school_day_before(uint32_t day)
{
    return school_day_on_or_before(calendar_day(calendar_ordinal(day) - 1), WEEK_DAYS);
}

/* Holidays between quarters, and no others, last longer than a week. */
static uint32_t quarter_end_by(uint32_t day)
{
    uint32_t end = school_day_on_or_before(day, WEEK_DAYS);
    while (calendar_ordinal(school_day_after(end, WEEK_DAYS)) - calendar_ordinal(end) <= 7) {
        end = school_day_before(end);
    }
    return end;
}

static uint32_t saturday_by(uint32_t day)
{
    while (calendar_weekday(day) != 5) {
        day = school_day_before(day);
    }
    return day;
}

/* Of a class: its teacher's own page. */
static size_t find_page(const struct school *school, unsigned class_number)
{
    size_t p = 0;
    while (school->pages[p].class_number != class_number || school->pages[p].pupil != NOBODY ||
        school->pages[p].teacher != school->classes[class_number].teacher) {
        p++;
        assert(p < school->page_count);
    }
    return p;
}

bool edges_init(struct school_edges *edges, uint64_t seed, uint32_t day, int utc_offset_minutes)
{
    *edges = (struct school_edges){.quarter_end = quarter_end_by(day)};
    edges->saturday = saturday_by(edges->quarter_end);
    const struct school_options options = {
        .seed = ~seed, /* Not the lifelike school of this seed. */
        .grade_from = GRADE,
        .grade_to = GRADE,
        .parallels = 2,
        .class_sizes = class_sizes,
        .week_days = WEEK_DAYS,
        .day = edges->quarter_end,
        .utc_offset_minutes = utc_offset_minutes,
    };
    edges->school = school_create(&options);
    if (edges->school == NULL) {
        return false;
    }
    edges->crowd = find_page(edges->school, 0);
    edges->alone = find_page(edges->school, 1);
    edges->stream = draw_stream(seed, STREAM_EDGES);
    edges->crowd_lesson = draw_id(&edges->stream);
    edges->alone_lesson = draw_id(&edges->stream);
    return true;
}

void edges_deinit(struct school_edges *edges)
{
    school_destroy(edges->school);
    edges->school = NULL;
}

/* ---- what entries are made of ---- */

/* Days are those of the facts; the time is what the client claims. */
static struct school_draft *begin(struct school_edges *e, uint32_t day, int64_t at_ms)
{
    struct school_draft *draft = &e->school->draft;
    draft->day = day;
    draft_begin(draft, e->school->id, at_ms, random_next(&e->stream));
    return draft;
}

/* After the quarter's last lesson, in the school's time. */
static struct school_draft *begin_afterwards(struct school_edges *e, unsigned minutes)
{
    const unsigned next_noon = 36 * 60;
    int64_t at_ms = school_local_ms(e->school, e->quarter_end, next_noon + minutes);
    return begin(e, e->quarter_end, at_ms);
}

static void act_as_teacher(struct school_edges *e, size_t page)
{
    const struct school *school = e->school;
    uint64_t teacher = school->teachers[school->pages[page].teacher].id;
    draft_set_actor(&e->school->draft, teacher, ZHURNAL__V1__ROLE__ROLE_SUBJECT_TEACHER);
}

static uint64_t pupil_id(const struct school_edges *e, size_t page, unsigned number)
{
    return school_page_pupil(e->school, &e->school->pages[page], number)->id;
}

static Zhurnal__V1__AttendanceTaken *add_lesson(
    struct school_edges *e, size_t page, uint64_t lesson, unsigned slot)
{
    struct school_draft *draft = &e->school->draft;
    Zhurnal__V1__LessonHeld *held = DRAFT_ADD(draft, lesson_held, LESSON_HELD);
    held->lesson = lesson;
    held->page = e->school->pages[page].id;
    held->number = 1;
    held->slot = slot;
    held->topic = draft_text(draft, "Повторение");
    Zhurnal__V1__AttendanceTaken *taken = DRAFT_ADD(draft, attendance_taken, ATTENDANCE_TAKEN);
    taken->lesson = lesson;
    return taken;
}

static Zhurnal__V1__Mark *make_mark(struct school_draft *draft, unsigned number)
{
    Zhurnal__V1__Mark *mark = draft_message(draft, &zhurnal__v1__mark__descriptor);
    mark->mark_kind = ZHURNAL__V1__MARK_KIND__MARK_KIND_NUMBER;
    mark->number = number;
    return mark;
}

static void add_mark(struct school_draft *draft, uint64_t pupil, uint64_t lesson)
{
    Zhurnal__V1__MarkSet *e = DRAFT_ADD(draft, mark_set, MARK_SET);
    e->pupil = pupil;
    e->given_for_case = ZHURNAL__V1__MARK_SET__GIVEN_FOR_LESSON;
    e->lesson = lesson;
    e->slot = 1;
    e->mark = make_mark(draft, FIRST_NUMBER);
    e->weight = 1;
}

/* The event added last is corrected next. */
static void note_corrected(struct school_edges *e)
{
    const struct school_draft *draft = &e->school->draft;
    memcpy(e->corrected_entry, draft->entry_id, sizeof(e->corrected_entry));
    e->corrected_event = draft_last_event(draft);
}

/* ---- the entries ---- */

static void add_guardian(struct school_edges *e, const char *given_name, bool restricted)
{
    struct school_draft *draft = &e->school->draft;
    uint64_t id = draw_id(&e->stream);
    Zhurnal__V1__PersonRegistered *person = DRAFT_ADD(draft, person_registered, PERSON_REGISTERED);
    person->person = id;
    person->given_name_part = draft_part(draft, id, ZHURNAL__V1__BASIS__BASIS_LAW, given_name);
    Zhurnal__V1__GuardianLinked *linked = DRAFT_ADD(draft, guardian_linked, GUARDIAN_LINKED);
    linked->guardian = id;
    linked->pupil = pupil_id(e, e->alone, 0);
    linked->guardian_kind = ZHURNAL__V1__GUARDIAN_KIND__GUARDIAN_KIND_PARENT;
    linked->restricted = restricted;
}

static void link_two_guardians(struct school_edges *e, unsigned number)
{
    (void)number;
    struct school_draft *draft =
        begin(e, e->saturday, school_local_ms(e->school, e->saturday, 8 * 60));
    draft_set_actor(draft, e->school->secretary, ZHURNAL__V1__ROLE__ROLE_SECRETARY);
    add_guardian(e, "Марьям", false);
    add_guardian(e, "Ислам", true);
}

/* The one pupil comes late. */
static void hold_saturday_lesson(struct school_edges *e, unsigned number)
{
    (void)number;
    struct school_draft *draft =
        begin(e, e->saturday, school_local_ms(e->school, e->saturday, calendar_bell_end(5, 1)));
    act_as_teacher(e, e->alone);
    Zhurnal__V1__AttendanceTaken *taken = add_lesson(e, e->alone, e->alone_lesson, 1);
    Zhurnal__V1__AttendanceException *late =
        draft_message(draft, &zhurnal__v1__attendance_exception__descriptor);
    late->pupil = pupil_id(e, e->alone, 0);
    late->code = ZHURNAL__V1__ATTENDANCE_CODE__ATTENDANCE_CODE_LATE;
    late->late_minutes = 1;
    taken->exceptions = draft_alloc(draft, sizeof(*taken->exceptions));
    taken->exceptions[0] = late;
    taken->n_exceptions = 1;
    add_mark(draft, late->pupil, e->alone_lesson);
    note_corrected(e);
}

/* All 40 are there, and most are marked. */
static void hold_last_lesson(struct school_edges *e, unsigned number)
{
    (void)number;
    unsigned end = calendar_bell_end(calendar_weekday(e->quarter_end), 2);
    struct school_draft *draft =
        begin(e, e->quarter_end, school_local_ms(e->school, e->quarter_end, end));
    act_as_teacher(e, e->crowd);
    (void)add_lesson(e, e->crowd, e->crowd_lesson, 2);
    for (unsigned i = BOUNDARY_MARKS; i < EDGES_CROWD; i++) {
        add_mark(draft, pupil_id(e, e->crowd, i), e->crowd_lesson);
    }
}

/* 23:59:59.999, 00:00:00.000, 11:59:59.999, 12:00:00.000 */
static void mark_at_boundary(struct school_edges *e, unsigned number)
{
    unsigned boundary = (number < 2 ? 24 : 36) * 60;
    int64_t at_ms = school_local_ms(e->school, e->quarter_end, boundary) - (number % 2 == 0);
    struct school_draft *draft = begin(e, e->quarter_end, at_ms);
    act_as_teacher(e, e->crowd);
    add_mark(draft, pupil_id(e, e->crowd, number), e->crowd_lesson);
}

/* Each corrects the one before: 4, 5, 4 … */
static void correct_again(struct school_edges *e, unsigned number)
{
    struct school_draft *draft = begin_afterwards(e, 1 + number);
    act_as_teacher(e, e->alone);
    Zhurnal__V1__EntryCorrected *corrected = DRAFT_ADD(draft, entry_corrected, ENTRY_CORRECTED);
    corrected->ref = draft_message(draft, &zhurnal__v1__event_ref__descriptor);
    corrected->ref->entry_id.data = draft_alloc(draft, SCHOOL_ENTRY_ID_SIZE);
    corrected->ref->entry_id.len = SCHOOL_ENTRY_ID_SIZE;
    memcpy(corrected->ref->entry_id.data, e->corrected_entry, SCHOOL_ENTRY_ID_SIZE);
    corrected->ref->event = e->corrected_event;
    corrected->reason = ZHURNAL__V1__CORRECTION_REASON__CORRECTION_REASON_SLIP;
    corrected->value_case = ZHURNAL__V1__ENTRY_CORRECTED__VALUE_MARK;
    corrected->mark = make_mark(draft, number % 2 == 0 ? FIRST_NUMBER - 1 : FIRST_NUMBER);
    note_corrected(e);
}

static void rename_pupil(struct school_edges *e, unsigned number)
{
    (void)number;
    struct school_draft *draft = begin_afterwards(e, 30);
    uint64_t pupil = pupil_id(e, e->alone, 0);
    draft_set_actor(draft, e->school->secretary, ZHURNAL__V1__ROLE__ROLE_SECRETARY);
    Zhurnal__V1__PersonUpdated *updated = DRAFT_ADD(draft, person_updated, PERSON_UPDATED);
    updated->person = pupil;
    updated->surname_part = draft_part(draft, pupil, ZHURNAL__V1__BASIS__BASIS_LAW, EDGES_SURNAME);
}

/* From the day after the quarter on. */
static void hand_page_over(struct school_edges *e, unsigned number)
{
    (void)number;
    struct school_draft *draft = begin_afterwards(e, 31);
    const struct school *school = e->school;
    const struct school_page *page = &school->pages[e->alone];
    int other = page->teacher == 0 ? 1 : 0;
    draft_set_actor(draft, school->deputy, ZHURNAL__V1__ROLE__ROLE_DEPUTY);
    Zhurnal__V1__TeachingEnded *ended = DRAFT_ADD(draft, teaching_ended, TEACHING_ENDED);
    ended->teacher = school->teachers[page->teacher].id;
    ended->page = page->id;
    ended->last_day = e->quarter_end;
    Zhurnal__V1__TeachingAssigned *assigned =
        DRAFT_ADD(draft, teaching_assigned, TEACHING_ASSIGNED);
    assigned->teacher = school->teachers[other].id;
    assigned->page = page->id;
    assigned->from_day = calendar_day(calendar_ordinal(e->quarter_end) + 1);
}

/* From midnight on, an hour to the east. */
static void set_utc_offset(struct school_edges *e, unsigned number)
{
    (void)number;
    struct school_draft *draft = begin_afterwards(e, 32);
    draft_set_actor(draft, e->school->head, ZHURNAL__V1__ROLE__ROLE_HEAD);
    Zhurnal__V1__UtcOffsetSet *set = DRAFT_ADD(draft, utc_offset_set, UTC_OFFSET_SET);
    set->from_ms = school_local_ms(e->school, e->quarter_end, 48 * 60);
    set->minutes = e->school->options.utc_offset_minutes + 60;
}

/* As a later version's: a field that no catalogue has yet, with a message in it. */
static void write_unknown_kind(struct school_edges *e, unsigned number)
{
    (void)number;
    static uint8_t message[] = {2, 0x08, 0x01};
    static ProtobufCMessageUnknownField kind = {
        .tag = 999,
        .wire_type = PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED,
        .len = sizeof(message),
        .data = message,
    };
    struct school_draft *draft = begin_afterwards(e, 33);
    act_as_teacher(e, e->crowd);
    Zhurnal__V1__Event *event = draft_message(draft, &zhurnal__v1__event__descriptor);
    event->day = draft->day;
    event->occurred_at_ms = draft->at_ms;
    event->base.unknown_fields = &kind;
    event->base.n_unknown_fields = 1;
    draft->events[draft->draft.n_events++] = event;
}

static const struct edge {
    const char *label;
    unsigned entries;
    enum edges_answer answer;
    void (*write)(struct school_edges *e, unsigned number); /* NULL: the last once more. */
} edges_in_order[] = {
    {"два родителя, одному читать нельзя", 1, EDGES_ACCEPTED, link_two_guardians},
    {"урок в субботу, один ученик", 1, EDGES_ACCEPTED, hold_saturday_lesson},
    {"последний урок четверти, 40 учеников", 1, EDGES_ACCEPTED, hold_last_lesson},
    {"ещё раз то же самое", 1, EDGES_DUPLICATE, NULL},
    {"отметка на границе суток и полудня", BOUNDARY_MARKS, EDGES_ACCEPTED, mark_at_boundary},
    {"исправление исправления", EDGES_CORRECTIONS, EDGES_ACCEPTED, correct_again},
    {"новая фамилия ученика", 1, EDGES_ACCEPTED, rename_pupil},
    {"страница передана другому учителю", 1, EDGES_ACCEPTED, hand_page_over},
    {"другой часовой пояс", 1, EDGES_ACCEPTED, set_utc_offset},
    {"событие неизвестного вида", 1, EDGES_REFUSED, write_unknown_kind},
};

bool edges_next(struct school_edges *edges, struct school_entry *entry, enum edges_answer *answer)
{
    if (edges->step == sizeof(edges_in_order) / sizeof(edges_in_order[0])) {
        return false;
    }
    const struct edge *edge = &edges_in_order[edges->step];
    if (edge->write != NULL) {
        edges->last = (struct school_entry){0};
        edge->write(edges, edges->step_at);
        draft_end(&edges->school->draft, &edges->last);
        school_entry_time(edges->school, &edges->last);
        (void)snprintf(edges->last.label, SCHOOL_LABEL_SIZE, "%s", edge->label);
    }
    *entry = edges->last;
    *answer = edge->answer;
    if (++edges->step_at == edge->entries) {
        edges->step++;
        edges->step_at = 0;
    }
    return true;
}
