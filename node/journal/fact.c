#include "node/journal/fact.h"

#include "node/journal/row.h"

#include <assert.h>

enum { ROW_VERSION = 1 };

static_assert(sizeof(struct fact_key) == 34, "keys are a format");
static_assert(FACT_HEAD_SIZE == 33, "rows are a format");
static_assert(FACT_EXCEPTION_SIZE == 16, "rows are a format");

struct fact_key fact_key(
    uint64_t school, enum fact_owner owner_kind, uint64_t owner, enum fact_kind kind)
{
    struct fact_key key = {{0}};
    uint8_t *at = row_put_u64(key.bytes, school);
    at = row_put_u8(at, (uint8_t)owner_kind);
    at = row_put_u64(at, owner);
    assert(at == key.bytes + FACT_PREFIX_SIZE);
    row_put_u8(at, (uint8_t)kind);
    return key;
}

void fact_key_set(struct fact_key *key, uint64_t a, uint64_t b)
{
    row_put_u64(row_put_u64(key->bytes + FACT_PREFIX_SIZE + 1, a), b);
}

struct bytes fact_key_bytes(const struct fact_key *key)
{
    return bytes_of(key->bytes, FACT_KEY_SIZE);
}

/* ---- encoding ---- */

static size_t body_size(const struct fact *fact)
{
    switch (fact->kind) {
    case FACT_LESSON:
        return 4 + fact->lesson.topic.size;
    case FACT_ATTENDANCE:
        return fact->attendance.exceptions.size;
    case FACT_HOMEWORK:
        return 4 + 4 + fact->homework.pupils.size + fact->homework.text.size;
    case FACT_WORK:
        return 4 + 4 + fact->work.title.size;
    case FACT_MARK:
        return 4 + 4 + 4;
    case FACT_COMMENT:
        return 8 + 8 + 4;
    }
    return 0;
}

static uint8_t *put_head(uint8_t *at, const struct fact_head *head)
{
    at = row_put_u8(at, ROW_VERSION);
    at = row_put_u64(at, head->root_index);
    at = row_put_u16(at, head->root_event);
    at = row_put(at, head->entry_id, ENTRY_ID_SIZE);
    at = row_put_u16(at, head->event);
    return row_put_u32(at, head->corrections);
}

static uint8_t *put_body(uint8_t *at, const struct fact *fact)
{
    switch (fact->kind) {
    case FACT_LESSON:
        at = row_put_u32(at, fact->lesson.number);
        return row_put(at, fact->lesson.topic.data, fact->lesson.topic.size);
    case FACT_ATTENDANCE:
        return row_put(at, fact->attendance.exceptions.data, fact->attendance.exceptions.size);
    case FACT_HOMEWORK:
        at = row_put_u32(at, fact->homework.due_day);
        at = row_put_u32(at, (uint32_t)fact->homework.count);
        at = row_put(at, fact->homework.pupils.data, fact->homework.pupils.size);
        return row_put(at, fact->homework.text.data, fact->homework.text.size);
    case FACT_WORK:
        at = row_put_u32(at, fact->work.kind);
        at = row_put_u32(at, fact->work.weight);
        return row_put(at, fact->work.title.data, fact->work.title.size);
    case FACT_MARK:
        at = row_put_u32(at, fact->mark.kind);
        at = row_put_u32(at, fact->mark.number);
        return row_put_u32(at, fact->mark.weight);
    case FACT_COMMENT:
        at = row_put_u64(at, fact->comment.pupil);
        at = row_put_u64(at, fact->comment.text.index);
        return row_put_u32(at, fact->comment.text.part);
    }
    return at;
}

uint8_t *fact_encode(const struct fact *fact, struct arena *arena, size_t *size)
{
    assert(fact->kind >= FACT_LESSON && fact->kind <= FACT_COMMENT);

    *size = FACT_HEAD_SIZE + body_size(fact);
    uint8_t *row = arena_alloc(arena, *size);
    if (row == NULL) {
        return NULL;
    }
    uint8_t *end = put_body(put_head(row, &fact->head), fact);
    assert(end == row + *size);
    (void)end;
    return row;
}

/* ---- decoding ---- */

static struct bytes take(struct row_reader *reader, size_t size)
{
    if (reader->rest.size < size) {
        reader->malformed = true;
        size = 0;
    }
    struct bytes taken = bytes_of(reader->rest.data, size);
    reader->rest.data += size;
    reader->rest.size -= size;
    return taken;
}

static void get_body(struct row_reader *row, struct fact *fact)
{
    switch (fact->kind) {
    case FACT_LESSON:
        fact->lesson.number = row_get_u32(row);
        fact->lesson.topic = row_get_rest(row);
        break;
    case FACT_ATTENDANCE:
        fact->attendance.exceptions = row_get_rest(row);
        fact->attendance.count = fact->attendance.exceptions.size / FACT_EXCEPTION_SIZE;
        break;
    case FACT_HOMEWORK:
        fact->homework.due_day = row_get_u32(row);
        fact->homework.count = row_get_u32(row);
        fact->homework.pupils = take(row, fact->homework.count * sizeof(uint64_t));
        fact->homework.text = row_get_rest(row);
        break;
    case FACT_WORK:
        fact->work.kind = row_get_u32(row);
        fact->work.weight = row_get_u32(row);
        fact->work.title = row_get_rest(row);
        break;
    case FACT_MARK:
        fact->mark.kind = row_get_u32(row);
        fact->mark.number = row_get_u32(row);
        fact->mark.weight = row_get_u32(row);
        break;
    case FACT_COMMENT:
        fact->comment.pupil = row_get_u64(row);
        fact->comment.text.index = row_get_u64(row);
        fact->comment.text.part = row_get_u32(row);
        break;
    default:
        row->malformed = true;
    }
}

int fact_decode(struct bytes key, struct bytes row, struct fact *fact)
{
    if (key.size != FACT_KEY_SIZE) {
        return STATUS_CORRUPT;
    }
    struct row_reader reader = row_reader_of(bytes_of(key.data + 9, FACT_KEY_SIZE - 9));
    fact->owner = row_get_u64(&reader);
    fact->kind = (enum fact_kind)row_get_u8(&reader);
    fact->a = row_get_u64(&reader);
    fact->b = row_get_u64(&reader);

    reader = row_reader_of(row);
    if (row_get_u8(&reader) != ROW_VERSION) {
        return STATUS_CORRUPT;
    }
    fact->head.root_index = row_get_u64(&reader);
    fact->head.root_event = row_get_u16(&reader);
    row_get_bytes(&reader, fact->head.entry_id, ENTRY_ID_SIZE);
    fact->head.event = row_get_u16(&reader);
    fact->head.corrections = row_get_u32(&reader);
    get_body(&reader, fact);
    return reader.malformed ? STATUS_CORRUPT : STATUS_OK;
}

struct fact_exception fact_exception(const struct fact *fact, size_t i)
{
    assert(fact->kind == FACT_ATTENDANCE && i < fact->attendance.count);

    struct row_reader reader = row_reader_of(
        bytes_of(fact->attendance.exceptions.data + i * FACT_EXCEPTION_SIZE, FACT_EXCEPTION_SIZE));
    struct fact_exception exception = {.pupil = row_get_u64(&reader)};
    exception.code = row_get_u32(&reader);
    exception.late_minutes = row_get_u32(&reader);
    return exception;
}

void fact_put_exception(uint8_t *at, struct fact_exception exception)
{
    at = row_put_u64(at, exception.pupil);
    at = row_put_u32(at, exception.code);
    row_put_u32(at, exception.late_minutes);
}

uint64_t fact_homework_pupil(const struct fact *fact, size_t i)
{
    assert(fact->kind == FACT_HOMEWORK && i < fact->homework.count);

    return get_u64_be(fact->homework.pupils.data + i * sizeof(uint64_t));
}
