/* Keys and values of the journal's tables: integers big-endian, so that keys sort as numbers do.
 *
 * A reader trusts nothing: past the end it gives zeros and says so. Pure. */
#ifndef NODE_JOURNAL_ROW_H
#define NODE_JOURNAL_ROW_H

#include "proto/bytes.h"
#include "proto/integer.h"

static inline uint8_t *row_put_u8(uint8_t *at, uint8_t value)
{
    *at = value;
    return at + 1;
}

static inline uint8_t *row_put_u16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
    return at + 2;
}

static inline uint8_t *row_put_u32(uint8_t *at, uint32_t value)
{
    put_u32_be(at, value);
    return at + 4;
}

static inline uint8_t *row_put_u64(uint8_t *at, uint64_t value)
{
    put_u64_be(at, value);
    return at + 8;
}

static inline uint8_t *row_put(uint8_t *at, const void *data, size_t size)
{
    if (size > 0) {
        memcpy(at, data, size);
    }
    return at + size;
}

struct row_reader {
    struct bytes rest;
    bool malformed;
};

static inline struct row_reader row_reader_of(struct bytes row)
{
    return (struct row_reader){.rest = row};
}

static inline uint64_t row_get(struct row_reader *reader, size_t size)
{
    if (reader->rest.size < size) {
        reader->malformed = true;
        reader->rest.size = 0;
        return 0;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++) {
        value = value << 8 | reader->rest.data[i];
    }
    reader->rest.data += size;
    reader->rest.size -= size;
    return value;
}

static inline uint8_t row_get_u8(struct row_reader *reader)
{
    return (uint8_t)row_get(reader, 1);
}

static inline uint16_t row_get_u16(struct row_reader *reader)
{
    return (uint16_t)row_get(reader, 2);
}

static inline uint32_t row_get_u32(struct row_reader *reader)
{
    return (uint32_t)row_get(reader, 4);
}

static inline uint64_t row_get_u64(struct row_reader *reader)
{
    return row_get(reader, 8);
}

/* Copies out; zeros where the row is too short. */
static inline void row_get_bytes(struct row_reader *reader, void *out, size_t size)
{
    if (reader->rest.size < size) {
        reader->malformed = true;
        reader->rest.size = 0;
        memset(out, 0, size);
        return;
    }
    memcpy(out, reader->rest.data, size);
    reader->rest.data += size;
    reader->rest.size -= size;
}

/* All that is left. Borrowed from the row. */
static inline struct bytes row_get_rest(struct row_reader *reader)
{
    struct bytes rest = reader->rest;
    reader->rest.size = 0;
    return rest;
}

#endif
