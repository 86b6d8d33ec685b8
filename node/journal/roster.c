#include "node/journal/roster.h"

#include "node/journal/row.h"

#include <assert.h>

enum {
    ROW_VERSION = 1,
    CLASS_HEAD_SIZE = 1 + 4,
    PAGE_ROW_SIZE = 1 + 1 + 8 + 8 + 8,
    INTERVAL_SIZE = 4 + 4,
    PERSON_ROW_SIZE = 1 + ROSTER_NAME_PARTS * (8 + 4),
    NODE_ROW_SIZE = 1 + UUID_SIZE,
};

struct roster_key {
    uint8_t bytes[ROSTER_KEY_SIZE];
};

static_assert(sizeof(struct roster_key) == 25, "keys are a format");
static_assert(PAGE_ROW_SIZE == 26 && PERSON_ROW_SIZE == 37, "rows are a format");

static struct roster_key key_of(uint64_t school, enum roster_kind kind, uint64_t a, uint64_t b)
{
    struct roster_key key = {{0}};
    uint8_t *at = row_put_u64(key.bytes, school);
    at = row_put_u8(at, (uint8_t)kind);
    at = row_put_u64(at, a);
    at = row_put_u64(at, b);
    assert(at == key.bytes + ROSTER_KEY_SIZE);
    return key;
}

static struct bytes key_bytes(const struct roster_key *key)
{
    return bytes_of(key->bytes, ROSTER_KEY_SIZE);
}

/* ---- reading ---- */

/* The row behind its version. A version that this schema does not write is corruption. */
static bool find(
    struct txn *txn, struct table roster, const struct roster_key *key, struct row_reader *row)
{
    struct bytes value;
    if (!txn_get(txn, roster, key_bytes(key), &value)) {
        return false;
    }
    *row = row_reader_of(value);
    if (row_get_u8(row) != ROW_VERSION) {
        txn_fail(txn, STATUS_CORRUPT);
        return false;
    }
    return true;
}

static bool whole(struct txn *txn, const struct row_reader *row)
{
    if (row->malformed) {
        txn_fail(txn, STATUS_CORRUPT);
    }
    return !row->malformed;
}

bool roster_text(struct txn *txn, struct table roster, uint64_t school, enum roster_kind kind,
    uint64_t id, struct bytes *text)
{
    assert(kind == ROSTER_SCHOOL || kind == ROSTER_YEAR || kind == ROSTER_SUBJECT);

    struct roster_key key = key_of(school, kind, id, 0);
    struct row_reader row;
    if (!find(txn, roster, &key, &row)) {
        return false;
    }
    *text = row_get_rest(&row);
    return true;
}

bool roster_get_page(
    struct txn *txn, struct table roster, uint64_t school, uint64_t id, struct roster_page *page)
{
    struct roster_key key = key_of(school, ROSTER_PAGE, id, 0);
    struct row_reader row;
    if (!find(txn, roster, &key, &row)) {
        return false;
    }
    page->owner_kind = row_get_u8(&row);
    page->owner = row_get_u64(&row);
    page->subject = row_get_u64(&row);
    page->year = row_get_u64(&row);
    return whole(txn, &row);
}

bool roster_get_class(
    struct txn *txn, struct table roster, uint64_t school, uint64_t id, struct roster_class *class)
{
    struct roster_key key = key_of(school, ROSTER_CLASS, id, 0);
    struct row_reader row;
    if (!find(txn, roster, &key, &row)) {
        return false;
    }
    class->grade = row_get_u32(&row);
    class->letter = row_get_rest(&row);
    return whole(txn, &row);
}

bool roster_get_person(struct txn *txn, struct table roster, uint64_t school, uint64_t id,
    struct roster_person *person)
{
    struct roster_key key = key_of(school, ROSTER_PERSON, id, 0);
    struct row_reader row;
    if (!find(txn, roster, &key, &row)) {
        return false;
    }
    for (size_t i = 0; i < ROSTER_NAME_PARTS; i++) {
        person->name[i].index = row_get_u64(&row);
        person->name[i].part = row_get_u32(&row);
    }
    return whole(txn, &row);
}

bool roster_get_node(
    struct txn *txn, struct table roster, uint64_t node, uint8_t directory[UUID_SIZE])
{
    struct roster_key key = key_of(0, ROSTER_NODE, node, 0);
    struct row_reader row;
    if (!find(txn, roster, &key, &row)) {
        return false;
    }
    row_get_bytes(&row, directory, UUID_SIZE);
    return whole(txn, &row);
}

void roster_walk_open(struct roster_walk *walk, struct txn *txn, struct table roster,
    uint64_t school, enum roster_kind kind, uint64_t id)
{
    assert(kind == ROSTER_TEACHING || kind == ROSTER_ENROLMENT);

    struct roster_key from = key_of(school, kind, id, 0);
    memcpy(walk->prefix, from.bytes, sizeof walk->prefix);
    cursor_open(&walk->cursor, txn, roster);
    walk->more = cursor_seek(&walk->cursor, key_bytes(&from), &walk->key, &walk->value);
}

static void get_intervals(struct row_reader *row, struct roster_intervals *intervals)
{
    intervals->count = 0;
    while (row->rest.size > 0 && intervals->count < ROSTER_INTERVALS_MAX) {
        struct roster_interval *interval = &intervals->list[intervals->count++];
        interval->from_day = row_get_u32(row);
        interval->to_day = row_get_u32(row);
    }
}

bool roster_walk_next(
    struct roster_walk *walk, uint64_t *member, struct roster_intervals *intervals)
{
    if (!walk->more || walk->key.size != ROSTER_KEY_SIZE ||
        memcmp(walk->key.data, walk->prefix, sizeof walk->prefix) != 0) {
        return false;
    }
    *member = get_u64_be(walk->key.data + sizeof walk->prefix);
    struct row_reader row = row_reader_of(walk->value);
    (void)row_get_u8(&row);
    get_intervals(&row, intervals);
    walk->more = cursor_next(&walk->cursor, &walk->key, &walk->value);
    return whole(walk->cursor.txn, &row);
}

void roster_walk_close(struct roster_walk *walk)
{
    cursor_close(&walk->cursor);
}

/* ---- writing ---- */

static void put(
    const struct roster_change *c, const struct roster_key *key, const uint8_t *row, size_t size)
{
    txn_put(c->txn, c->roster, key_bytes(key), bytes_of(row, size));
}

/* head is the row up to its text. */
static void put_text(const struct roster_change *c, const struct roster_key *key, struct bytes head,
    const char *text)
{
    size_t size = strlen(text);
    uint8_t *row = arena_alloc(c->arena, head.size + size);
    if (row == NULL) {
        txn_fail(c->txn, STATUS_NO_MEMORY);
        return;
    }
    row_put(row_put(row, head.data, head.size), text, size);
    put(c, key, row, head.size + size);
}

static void put_name(const struct roster_change *c, uint64_t school, enum roster_kind kind,
    uint64_t id, const char *s)
{
    static const uint8_t version = ROW_VERSION;
    struct roster_key key = key_of(school, kind, id, 0);
    put_text(c, &key, bytes_of(&version, sizeof version), s);
}

/* ---- writing when somebody belonged ---- */

static struct roster_intervals find_intervals(
    const struct roster_change *c, const struct roster_key *key)
{
    struct roster_intervals intervals = {.count = 0};
    struct row_reader row;
    if (find(c->txn, c->roster, key, &row)) {
        get_intervals(&row, &intervals);
        (void)whole(c->txn, &row);
    }
    return intervals;
}

static void put_intervals(const struct roster_change *c, const struct roster_key *key,
    const struct roster_intervals *intervals)
{
    uint8_t row[1 + ROSTER_INTERVALS_MAX * INTERVAL_SIZE];
    uint8_t *at = row_put_u8(row, ROW_VERSION);
    for (size_t i = 0; i < intervals->count; i++) {
        at = row_put_u32(at, intervals->list[i].from_day);
        at = row_put_u32(at, intervals->list[i].to_day);
    }
    put(c, key, row, (size_t)(at - row));
}

static void drop(struct roster_intervals *intervals, size_t i)
{
    intervals->count--;
    memmove(&intervals->list[i], &intervals->list[i + 1],
        (intervals->count - i) * sizeof intervals->list[0]);
}

static bool overlap(struct roster_interval a, struct roster_interval b)
{
    return (b.to_day == 0 || a.from_day <= b.to_day) && (a.to_day == 0 || b.from_day <= a.to_day);
}

static void begin_interval(
    const struct roster_change *c, const struct roster_key *key, struct roster_interval interval)
{
    struct roster_intervals intervals = find_intervals(c, key);
    if (interval.to_day != 0 && interval.to_day < interval.from_day) {
        return; /* Not a day of it. */
    }
    for (size_t i = intervals.count; i > 0; i--) {
        if (overlap(intervals.list[i - 1], interval)) {
            drop(&intervals, i - 1);
        }
    }
    if (intervals.count == ROSTER_INTERVALS_MAX) {
        drop(&intervals, 0);
    }
    intervals.list[intervals.count++] = interval;
    put_intervals(c, key, &intervals);
}

/* The one that is open; otherwise the last that had begun by that day; otherwise count. */
static size_t interval_to_end(const struct roster_intervals *intervals, uint32_t day)
{
    size_t found = intervals->count;
    for (size_t i = 0; i < intervals->count; i++) {
        const struct roster_interval *interval = &intervals->list[i];
        if (interval->to_day == 0) {
            return i;
        }
        if (interval->from_day <= day &&
            (found == intervals->count || interval->from_day > intervals->list[found].from_day)) {
            found = i;
        }
    }
    return found;
}

/* Where nothing began, nothing ends; what ends before it began never was. */
static void end_interval(const struct roster_change *c, const struct roster_key *key, uint32_t day)
{
    struct roster_intervals intervals = find_intervals(c, key);
    size_t i = interval_to_end(&intervals, day);
    if (i == intervals.count) {
        return;
    }
    if (intervals.list[i].from_day > day) {
        drop(&intervals, i);
    } else {
        intervals.list[i].to_day = day;
    }
    put_intervals(c, key, &intervals);
}

/* ---- writing, event by event ---- */

/* Schools are registered in school 0: none names another. */
static void on_class_formed(const struct roster_change *c, const Zhurnal__V1__ClassFormed *e)
{
    uint8_t head[CLASS_HEAD_SIZE];
    row_put_u32(row_put_u8(head, ROW_VERSION), e->grade);
    struct roster_key key = key_of(c->school, ROSTER_CLASS, e->class_id, 0);
    put_text(c, &key, bytes_of(head, sizeof head), e->letter);
}

static uint64_t owner_of(const Zhurnal__V1__PageOpened *e)
{
    switch ((int)e->owner_case) {
    case ZHURNAL__V1__PAGE_OPENED__OWNER_CLASS_ID:
        return e->class_id;
    case ZHURNAL__V1__PAGE_OPENED__OWNER_GROUP:
        return e->group;
    case ZHURNAL__V1__PAGE_OPENED__OWNER_PUPIL:
        return e->pupil;
    default:
        return 0;
    }
}

static void on_page_opened(const struct roster_change *c, const Zhurnal__V1__PageOpened *e)
{
    uint8_t row[PAGE_ROW_SIZE];
    uint8_t *at = row_put_u8(row, ROW_VERSION);
    at = row_put_u8(at, (uint8_t)e->owner_case);
    at = row_put_u64(at, owner_of(e));
    at = row_put_u64(at, e->subject);
    at = row_put_u64(at, e->year);
    assert(at == row + sizeof row);
    struct roster_key key = key_of(c->school, ROSTER_PAGE, e->page, 0);
    put(c, &key, row, sizeof row);
}

/* Parts left at 0 stay as they were. */
static void put_person(
    const struct roster_change *c, uint64_t id, const uint32_t parts[ROSTER_NAME_PARTS])
{
    struct roster_person person = {0};
    (void)roster_get_person(c->txn, c->roster, c->school, id, &person);
    uint8_t row[PERSON_ROW_SIZE];
    uint8_t *at = row_put_u8(row, ROW_VERSION);
    for (size_t i = 0; i < ROSTER_NAME_PARTS; i++) {
        if (parts[i] != 0) {
            person.name[i] = (struct part_ref){.index = c->index, .part = parts[i]};
        }
        at = row_put_u64(at, person.name[i].index);
        at = row_put_u32(at, person.name[i].part);
    }
    assert(at == row + sizeof row);
    struct roster_key key = key_of(c->school, ROSTER_PERSON, id, 0);
    put(c, &key, row, sizeof row);
}

static void on_person_registered(
    const struct roster_change *c, const Zhurnal__V1__PersonRegistered *e)
{
    put_person(c, e->person,
        (uint32_t[ROSTER_NAME_PARTS]){e->surname_part, e->given_name_part, e->patronymic_part});
}

static void on_person_updated(const struct roster_change *c, const Zhurnal__V1__PersonUpdated *e)
{
    put_person(c, e->person,
        (uint32_t[ROSTER_NAME_PARTS]){e->surname_part, e->given_name_part, e->patronymic_part});
}

static void on_teaching(const struct roster_change *c, const Zhurnal__V1__Event *event)
{
    if (event->kind_case == ZHURNAL__V1__EVENT__KIND_TEACHING_ASSIGNED) {
        const Zhurnal__V1__TeachingAssigned *e = event->teaching_assigned;
        struct roster_key key = key_of(c->school, ROSTER_TEACHING, e->page, e->teacher);
        begin_interval(
            c, &key, (struct roster_interval){.from_day = e->from_day, .to_day = e->to_day});
    } else {
        const Zhurnal__V1__TeachingEnded *e = event->teaching_ended;
        struct roster_key key = key_of(c->school, ROSTER_TEACHING, e->page, e->teacher);
        end_interval(c, &key, e->last_day);
    }
}

static void on_enrolment(const struct roster_change *c, const Zhurnal__V1__Event *event)
{
    if (event->kind_case == ZHURNAL__V1__EVENT__KIND_PUPIL_ENROLLED) {
        const Zhurnal__V1__PupilEnrolled *e = event->pupil_enrolled;
        struct roster_key key = key_of(c->school, ROSTER_ENROLMENT, e->class_id, e->pupil);
        begin_interval(c, &key, (struct roster_interval){.from_day = event->day});
    } else {
        const Zhurnal__V1__PupilLeft *e = event->pupil_left;
        struct roster_key key = key_of(c->school, ROSTER_ENROLMENT, e->class_id, e->pupil);
        end_interval(c, &key, event->day);
    }
}

static void on_node_added(const struct roster_change *c, const Zhurnal__V1__NodeAdded *e)
{
    uint8_t known[UUID_SIZE];
    if (c->school != 0 || e->directory.len != UUID_SIZE ||
        roster_get_node(c->txn, c->roster, e->node, known)) {
        return;
    }
    uint8_t row[NODE_ROW_SIZE];
    uint8_t *at = row_put_u8(row, ROW_VERSION);
    at = row_put(at, e->directory.data, UUID_SIZE);
    assert(at == row + sizeof row);
    struct roster_key key = key_of(0, ROSTER_NODE, e->node, 0);
    put(c, &key, row, sizeof row);
}

void roster_evolve(const struct roster_change *c, const Zhurnal__V1__Event *event)
{
    switch ((int)event->kind_case) {
    case ZHURNAL__V1__EVENT__KIND_SCHOOL_REGISTERED:
        put_name(
            c, event->school_registered->school, ROSTER_SCHOOL, 0, event->school_registered->name);
        break;
    case ZHURNAL__V1__EVENT__KIND_SCHOOL_YEAR_OPENED:
        put_name(c, c->school, ROSTER_YEAR, event->school_year_opened->year,
            event->school_year_opened->label);
        break;
    case ZHURNAL__V1__EVENT__KIND_CLASS_FORMED:
        on_class_formed(c, event->class_formed);
        break;
    case ZHURNAL__V1__EVENT__KIND_SUBJECT_DEFINED:
        put_name(c, c->school, ROSTER_SUBJECT, event->subject_defined->subject,
            event->subject_defined->name);
        break;
    case ZHURNAL__V1__EVENT__KIND_PAGE_OPENED:
        on_page_opened(c, event->page_opened);
        break;
    case ZHURNAL__V1__EVENT__KIND_PERSON_REGISTERED:
        on_person_registered(c, event->person_registered);
        break;
    case ZHURNAL__V1__EVENT__KIND_PERSON_UPDATED:
        on_person_updated(c, event->person_updated);
        break;
    case ZHURNAL__V1__EVENT__KIND_TEACHING_ASSIGNED:
    case ZHURNAL__V1__EVENT__KIND_TEACHING_ENDED:
        on_teaching(c, event);
        break;
    case ZHURNAL__V1__EVENT__KIND_PUPIL_ENROLLED:
    case ZHURNAL__V1__EVENT__KIND_PUPIL_LEFT:
        on_enrolment(c, event);
        break;
    case ZHURNAL__V1__EVENT__KIND_NODE_ADDED:
        on_node_added(c, event->node_added);
        break;
    default:
        break; /* Not of the roster. */
    }
}
