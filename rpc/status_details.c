#include "rpc/status_details.h"

#include "proto/status.h"
#include "proto/wire.h"

#include <string.h>

enum {
    STATUS_CODE = 1,
    STATUS_MESSAGE = 2,
    STATUS_DETAILS = 3,
    ANY_TYPE_URL = 1,
    ANY_VALUE = 2,
    VARINT_MAX = 10,
};

static size_t varint(uint64_t value, uint8_t out[VARINT_MAX])
{
    size_t size = 0;
    while (value >= 0x80) {
        out[size++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    out[size++] = (uint8_t)value;
    return size;
}

static int put_varint(struct buffer *out, uint64_t value)
{
    uint8_t bytes[VARINT_MAX];
    return buffer_append(out, bytes, varint(value, bytes));
}

static int put_header(struct buffer *out, uint32_t number, enum wire_type type)
{
    return put_varint(out, number << 3 | (uint32_t)type);
}

static int put_bytes(struct buffer *out, uint32_t number, struct bytes bytes)
{
    int status = put_header(out, number, WIRE_BYTES);
    if (status == STATUS_OK) {
        status = put_varint(out, bytes.size);
    }
    return status == STATUS_OK ? buffer_append(out, bytes.data, bytes.size) : status;
}

static size_t bytes_field_size(size_t size)
{
    uint8_t bytes[VARINT_MAX];
    return 1 + varint(size, bytes) + size;
}

static int put_any(struct buffer *out, const char *type_url, struct bytes value)
{
    struct bytes url = bytes_of(type_url, strlen(type_url));
    int status = put_header(out, STATUS_DETAILS, WIRE_BYTES);
    if (status == STATUS_OK) {
        status = put_varint(out, bytes_field_size(url.size) + bytes_field_size(value.size));
    }
    if (status == STATUS_OK) {
        status = put_bytes(out, ANY_TYPE_URL, url);
    }
    return status == STATUS_OK ? put_bytes(out, ANY_VALUE, value) : status;
}

int status_details_encode(struct buffer *out, enum grpc_code code, const char *sentence,
    const char *type_url, struct bytes value)
{
    int status = put_header(out, STATUS_CODE, WIRE_VARINT);
    if (status == STATUS_OK) {
        status = put_varint(out, (uint64_t)code);
    }
    if (status == STATUS_OK && sentence != NULL) {
        status = put_bytes(out, STATUS_MESSAGE, bytes_of(sentence, strlen(sentence)));
    }
    return status == STATUS_OK ? put_any(out, type_url, value) : status;
}

static bool any_is(struct bytes any, struct bytes type_url, bool *malformed)
{
    struct bytes url;
    int status = wire_slice(any, ANY_TYPE_URL, &url);
    *malformed = status == STATUS_MALFORMED;
    return status == STATUS_OK && bytes_equal(url, type_url);
}

int status_details_find(struct bytes details, const char *type_url, struct bytes *value)
{
    struct bytes url = bytes_of(type_url, strlen(type_url));
    struct wire_reader reader = wire_reader_of(details);
    struct wire_field field;
    bool malformed = false;
    while (!malformed && wire_next(&reader, &field)) {
        if (field.number != STATUS_DETAILS || field.type != WIRE_BYTES ||
            !any_is(field.bytes, url, &malformed)) {
            continue;
        }
        int status = wire_slice(field.bytes, ANY_VALUE, value);
        if (status == STATUS_NOT_FOUND) { /* proto3 leaves out what is empty. */
            *value = bytes_of(NULL, 0);
            return STATUS_OK;
        }
        return status;
    }
    return malformed || reader.malformed ? STATUS_MALFORMED : STATUS_NOT_FOUND;
}
