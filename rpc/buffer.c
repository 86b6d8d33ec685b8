#include "rpc/buffer.h"

#include "proto/status.h"

#include <assert.h>
#include <stdlib.h>

enum { CAPACITY_MIN = 1024 };

static void check(const struct buffer *buffer)
{
    assert(buffer->begin <= buffer->capacity);
    assert(buffer->size <= buffer->capacity - buffer->begin);
    assert((buffer->bytes == NULL) == (buffer->capacity == 0));
}

void buffer_init(struct buffer *buffer)
{
    *buffer = (struct buffer){0};
}

void buffer_deinit(struct buffer *buffer)
{
    check(buffer);
    free(buffer->bytes);
    *buffer = (struct buffer){0};
}

struct bytes buffer_bytes(const struct buffer *buffer)
{
    check(buffer);
    /* An offset from NULL, even 0, is not defined. */
    return bytes_of(buffer->bytes == NULL ? NULL : buffer->bytes + buffer->begin, buffer->size);
}

/* Doubling, so that appending byte by byte stays linear. */
static bool grow(struct buffer *buffer, size_t needed)
{
    size_t capacity = buffer->capacity < CAPACITY_MIN ? CAPACITY_MIN : buffer->capacity;
    while (capacity < needed) {
        capacity *= 2;
    }
    uint8_t *bytes = malloc(capacity);
    if (bytes == NULL) {
        return false;
    }
    if (buffer->size > 0) {
        memcpy(bytes, buffer->bytes + buffer->begin, buffer->size);
    }
    free(buffer->bytes);
    buffer->bytes = bytes;
    buffer->begin = 0;
    buffer->capacity = capacity;
    return true;
}

uint8_t *buffer_reserve(struct buffer *buffer, size_t size)
{
    check(buffer);
    if (size > BUFFER_SIZE_MAX - buffer->size) {
        return NULL;
    }
    size_t needed = buffer->size + size;
    /* Moving what is held is worth it only where it is the smaller part: else each small append to
     * a full buffer would move all of it. */
    bool roomy = needed <= buffer->capacity && buffer->size <= buffer->capacity / 2;
    if (needed > buffer->capacity - buffer->begin) {
        if (roomy) {
            memmove(buffer->bytes, buffer->bytes + buffer->begin, buffer->size);
            buffer->begin = 0;
        } else if (!grow(buffer, needed)) {
            return NULL;
        }
    } else if (buffer->bytes == NULL && !grow(buffer, needed)) {
        return NULL;
    }
    check(buffer);
    assert(buffer->capacity - buffer->begin - buffer->size >= size);
    return buffer->bytes + buffer->begin + buffer->size;
}

void buffer_commit(struct buffer *buffer, size_t size)
{
    check(buffer);
    assert(size <= buffer->capacity - buffer->begin - buffer->size);
    buffer->size += size;
}

int buffer_append(struct buffer *buffer, const void *data, size_t size)
{
    if (size == 0) {
        return STATUS_OK;
    }
    uint8_t *room = buffer_reserve(buffer, size);
    if (room == NULL) {
        return STATUS_NO_MEMORY;
    }
    memcpy(room, data, size);
    buffer_commit(buffer, size);
    return STATUS_OK;
}

void buffer_consume(struct buffer *buffer, size_t size)
{
    check(buffer);
    assert(size <= buffer->size);
    buffer->size -= size;
    buffer->begin = buffer->size == 0 ? 0 : buffer->begin + size;
}

void buffer_clear(struct buffer *buffer)
{
    buffer_consume(buffer, buffer->size);
}
