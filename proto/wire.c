#include "proto/wire.h"

#include "proto/integer.h"
#include "proto/status.h"

enum {
    VARINT_MAX = 10, /* Bytes of a 64-bit number. */
    TAG_MAX = 5,     /* Bytes of a tag or a length: 32 bits. */
    FIELD_NUMBER_MAX = (1 << 29) - 1,
};

struct wire_reader wire_reader_of(struct bytes message)
{
    return (struct wire_reader){.rest = message};
}

static void skip(struct wire_reader *r, size_t size)
{
    r->rest = bytes_of(r->rest.data + size, r->rest.size - size);
}

/* A number of at most so many bytes; what does not fit into 64 bits is malformed, not cut. */
static bool read_varint(struct wire_reader *r, size_t size_max, uint64_t *value)
{
    uint64_t result = 0;
    for (size_t i = 0; i < size_max && i < r->rest.size; i++) {
        uint8_t byte = r->rest.data[i];
        if (i == VARINT_MAX - 1 && byte > 1) {
            return false;
        }
        result |= (uint64_t)(byte & 0x7F) << (7 * i);
        if (byte < 0x80) {
            skip(r, i + 1);
            *value = result;
            return true;
        }
    }
    return false;
}

static bool read_tag(struct wire_reader *r, struct wire_field *field)
{
    uint64_t tag;
    if (!read_varint(r, TAG_MAX, &tag)) {
        return false;
    }
    uint64_t number = tag >> 3;
    if (number == 0 || number > FIELD_NUMBER_MAX) {
        return false;
    }
    field->number = (uint32_t)number;
    field->type = (enum wire_type)(tag & 7);
    return true;
}

static bool read_value(struct wire_reader *r, struct wire_field *field)
{
    uint64_t size;
    switch (field->type) {
    case WIRE_VARINT:
        return read_varint(r, VARINT_MAX, &field->value);
    case WIRE_FIXED64:
        if (r->rest.size < sizeof(uint64_t)) {
            return false;
        }
        field->value = get_u64_le(r->rest.data);
        skip(r, sizeof(uint64_t));
        return true;
    case WIRE_FIXED32:
        if (r->rest.size < sizeof(uint32_t)) {
            return false;
        }
        field->value = get_u32_le(r->rest.data);
        skip(r, sizeof(uint32_t));
        return true;
    case WIRE_BYTES:
        if (!read_varint(r, TAG_MAX, &size) || size > r->rest.size) {
            return false;
        }
        field->bytes = bytes_of(r->rest.data, (size_t)size);
        skip(r, (size_t)size);
        return true;
    default:
        return false; /* Groups, and two numbers that mean nothing. */
    }
}

bool wire_next(struct wire_reader *r, struct wire_field *field)
{
    if (r->malformed || r->rest.size == 0) {
        return false;
    }
    const uint8_t *start = r->rest.data;
    *field = (struct wire_field){0};
    if (!read_tag(r, field) || !read_value(r, field)) {
        r->malformed = true;
        return false;
    }
    field->whole = bytes_of(start, (size_t)(r->rest.data - start));
    return true;
}

int wire_slice(struct bytes message, uint32_t number, struct bytes *slice)
{
    bool found = false;
    struct wire_reader r = wire_reader_of(message);
    struct wire_field field;
    while (wire_next(&r, &field)) {
        if (field.number != number) {
            continue;
        }
        if (found || field.type != WIRE_BYTES) {
            return STATUS_MALFORMED;
        }
        found = true;
        *slice = field.bytes;
    }
    if (r.malformed) {
        return STATUS_MALFORMED;
    }
    return found ? STATUS_OK : STATUS_NOT_FOUND;
}

uint64_t wire_scalar(struct bytes message, uint32_t number, uint64_t otherwise)
{
    uint64_t value = otherwise;
    struct wire_reader r = wire_reader_of(message);
    struct wire_field field;
    while (wire_next(&r, &field)) {
        if (field.number == number && field.type != WIRE_BYTES) {
            value = field.value;
        }
    }
    return value;
}
