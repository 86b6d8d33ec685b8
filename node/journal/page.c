#include "node/journal/page.h"

#include "node/journal/collate.h"
#include "node/journal/page_lesson.h"
#include "proto/civil_day.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* A page while it is read. */
struct reading {
    struct page_source source;
    struct roster_page row;
    uint64_t id;
    uint32_t from_day, to_day; /* Both inclusive. */
    Zhurnal__V1__GetPageResponse *page;
    struct error *err;
};

static int no_memory(struct error *err)
{
    return error_set(err, STATUS_NO_MEMORY, "%s", status_text(STATUS_NO_MEMORY));
}

/* ---- people ---- */

/* «Абдулаев Ислам Русланович»: what is not erased of it. */
static char *person_name(struct reading *r, uint64_t id)
{
    struct page_source *s = &r->source;
    struct roster_person person = {0};
    (void)roster_get_person(s->views, s->journal->roster, s->school, id, &person);
    struct bytes parts[ROSTER_NAME_PARTS];
    size_t size = 0;
    for (size_t i = 0; i < ROSTER_NAME_PARTS; i++) {
        parts[i] = bytes_of("", 0);
        (void)unseal(&s->unsealer, person.name[i], &parts[i]);
        size += parts[i].size + 1;
    }
    char *name = arena_alloc(s->arena, size + 1);
    char *at = name;
    for (size_t i = 0; name != NULL && i < ROSTER_NAME_PARTS; i++) {
        if (parts[i].size > 0) {
            if (at != name) {
                *at++ = ' ';
            }
            memcpy(at, parts[i].data, parts[i].size);
            at += parts[i].size;
        }
    }
    return name;
}

static bool add_pupil(struct reading *r, uint64_t id)
{
    struct arena *arena = r->source.arena;
    Zhurnal__V1__GetPageResponse *page = r->page;
    Zhurnal__V1__PagePupil *pupil = arena_alloc(arena, sizeof *pupil);
    page->pupils = page_grow(arena, page->pupils, page->n_pupils);
    if (pupil == NULL || page->pupils == NULL) {
        return false;
    }
    zhurnal__v1__page_pupil__init(pupil);
    pupil->person = id;
    pupil->name = person_name(r, id);
    page->pupils[page->n_pupils++] = pupil;
    return pupil->name != NULL;
}

static bool add_teacher(struct reading *r, uint64_t id)
{
    struct arena *arena = r->source.arena;
    Zhurnal__V1__GetPageResponse *page = r->page;
    Zhurnal__V1__PageTeacher *teacher = arena_alloc(arena, sizeof *teacher);
    page->teachers = page_grow(arena, page->teachers, page->n_teachers);
    if (teacher == NULL || page->teachers == NULL) {
        return false;
    }
    zhurnal__v1__page_teacher__init(teacher);
    teacher->person = id;
    teacher->name = person_name(r, id);
    page->teachers[page->n_teachers++] = teacher;
    return teacher->name != NULL;
}

static bool belonged(const struct reading *r, const struct roster_intervals *intervals)
{
    for (size_t i = 0; i < intervals->count; i++) {
        const struct roster_interval *interval = &intervals->list[i];
        if (interval->from_day <= r->to_day &&
            (interval->to_day == 0 || interval->to_day >= r->from_day)) {
            return true;
        }
    }
    return false;
}

/* Whoever belonged to it on one of the days asked for. */
static bool add_members(struct reading *r, enum roster_kind kind, uint64_t id,
    bool (*add)(struct reading *r, uint64_t member))
{
    struct page_source *s = &r->source;
    struct roster_walk walk;
    struct roster_intervals intervals;
    uint64_t member;
    bool ok = true;
    roster_walk_open(&walk, s->views, s->journal->roster, s->school, kind, id);
    while (ok && roster_walk_next(&walk, &member, &intervals)) {
        ok = !belonged(r, &intervals) || add(r, member);
    }
    roster_walk_close(&walk);
    return ok;
}

static int by_name(const void *left, const void *right)
{
    const Zhurnal__V1__PagePupil *a = *(Zhurnal__V1__PagePupil *const *)left;
    const Zhurnal__V1__PagePupil *b = *(Zhurnal__V1__PagePupil *const *)right;
    int order = collate(a->name, b->name);
    return order != 0 ? order : (a->person > b->person) - (a->person < b->person);
}

static int read_people(struct reading *r)
{
    bool ok = add_members(r, ROSTER_TEACHING, r->id, add_teacher);
    if (ok && r->row.owner_kind == ZHURNAL__V1__PAGE_OPENED__OWNER_CLASS_ID) {
        ok = add_members(r, ROSTER_ENROLMENT, r->row.owner, add_pupil);
    } else if (ok && r->row.owner_kind == ZHURNAL__V1__PAGE_OPENED__OWNER_PUPIL) {
        ok = add_pupil(r, r->row.owner);
    }
    if (!ok) {
        return no_memory(r->err);
    }
    if (r->page->n_pupils > 1) {
        qsort(r->page->pupils, r->page->n_pupils, sizeof(struct Zhurnal__V1__PagePupil *), by_name);
    }
    return STATUS_OK;
}

/* ---- the page's own names ---- */

/* Empty where the thing was never named. */
static char *roster_name(struct reading *r, enum roster_kind kind, uint64_t id)
{
    struct page_source *s = &r->source;
    struct bytes text = bytes_of("", 0);
    (void)roster_text(s->views, s->journal->roster, s->school, kind, id, &text);
    return arena_copy(s->arena, text.data, text.size);
}

/* «5А» */
static char *class_name(struct reading *r)
{
    struct page_source *s = &r->source;
    struct roster_class class;
    if (r->row.owner_kind != ZHURNAL__V1__PAGE_OPENED__OWNER_CLASS_ID ||
        !roster_get_class(s->views, s->journal->roster, s->school, r->row.owner, &class)) {
        return arena_copy(s->arena, "", 0);
    }
    enum { GRADE_DIGITS = 10 };
    char grade[GRADE_DIGITS + 1];
    int digits = snprintf(grade, sizeof grade, "%" PRIu32, class.grade);
    assert(digits > 0 && (size_t)digits < sizeof grade);
    char *name = arena_alloc(s->arena, (size_t)digits + class.letter.size + 1);
    if (name != NULL) {
        memcpy(name, grade, (size_t)digits);
        memcpy(name + digits, class.letter.data, class.letter.size);
    }
    return name;
}

static int read_head(struct reading *r)
{
    Zhurnal__V1__GetPageResponse *page = r->page;
    page->index = journal_state(r->source.views, r->source.journal).index;
    page->school = r->source.school;
    page->page = r->id;
    page->school_name = roster_name(r, ROSTER_SCHOOL, 0);
    page->class_name = class_name(r);
    page->subject_name = roster_name(r, ROSTER_SUBJECT, r->row.subject);
    page->year_label = roster_name(r, ROSTER_YEAR, r->row.year);
    return page->school_name != NULL && page->class_name != NULL && page->subject_name != NULL &&
            page->year_label != NULL
        ? STATUS_OK
        : no_memory(r->err);
}

/* ---- lessons, by whole days, up to what a message may hold ---- */

struct lessons {
    size_t size;      /* Of the reply so far, encoded. */
    size_t day_start; /* How many lessons stood before the day that is being read. */
    uint32_t day;
};

/* Bytes of a repeated message's tag and length. */
enum { MESSAGE_OVERHEAD = 1 + 5 };

static int add_lesson(struct reading *r, struct lessons *lessons, const struct fact *held)
{
    Zhurnal__V1__GetPageResponse *page = r->page;
    uint32_t day = (uint32_t)(held->a >> 32);
    if (day != lessons->day) {
        lessons->day = day;
        lessons->day_start = page->n_lessons;
    }
    Zhurnal__V1__PageLesson *lesson = page_lesson(&r->source, held);
    page->lessons = page_grow(r->source.arena, page->lessons, page->n_lessons);
    if (lesson == NULL || page->lessons == NULL) {
        return no_memory(r->err);
    }
    lessons->size += zhurnal__v1__page_lesson__get_packed_size(lesson) + MESSAGE_OVERHEAD;
    if (lessons->size <= PAGE_REPLY_MAX) {
        page->lessons[page->n_lessons++] = lesson;
        return STATUS_OK;
    }
    if (lessons->day_start == 0) {
        return error_set(r->err, STATUS_TOO_LARGE,
            "day %" PRIu32 " of page %" PRIu64
            " holds more than a message may: ask for the days before it, and for those after it",
            day, r->id);
    }
    page->n_lessons = lessons->day_start;
    page->next_day = day;
    return STATUS_OK;
}

static int read_lessons(struct reading *r)
{
    struct page_source *s = &r->source;
    struct lessons lessons = {.size = zhurnal__v1__get_page_response__get_packed_size(r->page)};
    if (lessons.size > PAGE_REPLY_MAX) {
        return error_set(r->err, STATUS_TOO_LARGE,
            "the names on page %" PRIu64 " alone hold more than a message may: ask for fewer days, "
            "or have the longest corrected",
            r->id);
    }
    struct fact_key from = fact_key(s->school, FACT_OF_PAGE, r->id, FACT_LESSON);
    fact_key_set(&from, (uint64_t)r->from_day << 32, 0);
    struct cursor cursor;
    struct bytes key;
    struct bytes row;
    cursor_open(&cursor, s->views, s->journal->facts);
    bool more = cursor_seek(&cursor, fact_key_bytes(&from), &key, &row);
    int status = STATUS_OK;
    while (status == STATUS_OK && more && r->page->next_day == 0 && key.size == FACT_KEY_SIZE &&
        memcmp(key.data, from.bytes, FACT_PREFIX_SIZE) == 0) {
        struct fact held;
        status = fact_decode(key, row, &held);
        if (status == STATUS_OK && held.a >> 32 > r->to_day) {
            break;
        }
        if (status == STATUS_OK) {
            status = add_lesson(r, &lessons, &held);
        }
        more = cursor_next(&cursor, &key, &row);
    }
    cursor_close(&cursor);
    return status;
}

/* ---- the call ---- */

static int find_page(struct reading *r)
{
    struct page_source *s = &r->source;
    if (roster_get_page(s->views, s->journal->roster, s->school, r->id, &r->row)) {
        return STATUS_OK;
    }
    return error_set(r->err, STATUS_NOT_FOUND,
        "no page %" PRIu64 " in school %" PRIu64
        ": check both ids, or ask again with min_index if it was opened just now",
        r->id, s->school);
}

static int read_page(struct reading *r)
{
    int status = find_page(r);
    if (status == STATUS_OK) {
        status = read_head(r);
    }
    if (status == STATUS_OK) {
        status = read_people(r);
    }
    return status == STATUS_OK ? read_lessons(r) : status;
}

static bool is_bound(uint32_t day)
{
    return day == 0 || civil_day_exists(day);
}

int journal_page(const struct journal_reader *reader, const Zhurnal__V1__GetPageRequest *request,
    struct arena *arena, Zhurnal__V1__GetPageResponse **page, struct error *err)
{
    struct reading r = {.id = request->page,
        .from_day = request->from_day,
        .to_day = request->to_day != 0 ? request->to_day : UINT32_MAX,
        .err = err};
    r.source = (struct page_source){.views = reader->views,
        .journal = reader->journal,
        .unsealer = unsealer_of(reader->log_txn, reader->log),
        .arena = arena,
        .school = request->school};
    if (!is_bound(request->from_day) || !is_bound(request->to_day)) {
        return error_set(err, STATUS_INVALID,
            "from_day %" PRIu32 ", to_day %" PRIu32 ": days are written as 20261123, or left out",
            request->from_day, request->to_day);
    }
    if (r.from_day > r.to_day) {
        return error_set(err, STATUS_INVALID, "from_day %" PRIu32 " is after to_day %" PRIu32,
            r.from_day, r.to_day);
    }
    r.page = arena_alloc(arena, sizeof *r.page);
    if (r.page == NULL) {
        return no_memory(err);
    }
    zhurnal__v1__get_page_response__init(r.page);
    int status = read_page(&r);
    *page = r.page;
    /* What a transaction met explains everything else. */
    int failed =
        reader->views->status != STATUS_OK ? reader->views->status : reader->log_txn->status;
    return failed != STATUS_OK ? error_set(err, failed, "%s", status_text(failed)) : status;
}
