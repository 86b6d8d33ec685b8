#include "rpc/framing.h"

#include "proto/status.h"

#include <assert.h>

void framing_init(struct framing *framing, size_t message_max)
{
    *framing = (struct framing){.message_max = message_max};
}

void framing_deinit(struct framing *framing)
{
    buffer_deinit(&framing->buffer);
    framing->taken = 0;
}

size_t framing_held(const struct framing *framing)
{
    assert(framing->taken <= framing->buffer.size);
    return framing->buffer.size - framing->taken;
}

int framing_push(struct framing *framing, struct bytes data)
{
    buffer_consume(&framing->buffer, framing->taken);
    framing->taken = 0;
    return buffer_append(&framing->buffer, data.data, data.size);
}

int framing_peek(const struct framing *framing, struct bytes *message)
{
    struct bytes held = buffer_bytes(&framing->buffer);
    if (held.size - framing->taken < FRAMING_PREFIX_SIZE) {
        return STATUS_NOT_FOUND;
    }
    const uint8_t *p = held.data + framing->taken;
    size_t size = (size_t)p[1] << 24 | (size_t)p[2] << 16 | (size_t)p[3] << 8 | p[4];
    if (p[0] > 1) {
        return STATUS_MALFORMED;
    }
    if (p[0] == 1) {
        return STATUS_UNIMPLEMENTED;
    }
    if (size > framing->message_max) {
        return STATUS_TOO_LARGE;
    }
    if (held.size - framing->taken - FRAMING_PREFIX_SIZE < size) {
        return STATUS_NOT_FOUND;
    }
    *message = bytes_of(p + FRAMING_PREFIX_SIZE, size);
    return STATUS_OK;
}

int framing_take(struct framing *framing, struct bytes *message)
{
    int status = framing_peek(framing, message);
    if (status == STATUS_OK) {
        framing->taken += FRAMING_PREFIX_SIZE + message->size;
    }
    return status;
}

void framing_prefix(uint8_t out[FRAMING_PREFIX_SIZE], size_t message_size)
{
    assert(message_size <= UINT32_MAX);
    out[0] = 0;
    out[1] = (uint8_t)(message_size >> 24);
    out[2] = (uint8_t)(message_size >> 16);
    out[3] = (uint8_t)(message_size >> 8);
    out[4] = (uint8_t)message_size;
}
