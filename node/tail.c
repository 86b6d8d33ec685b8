#include "node/tail.h"

#include "proto/status.h"

#include <assert.h>
#include <stdlib.h>

struct payload *payload_create(const void *data, size_t size)
{
    struct payload *payload = calloc(1, sizeof *payload + size);
    if (payload != NULL) {
        payload->refs = 1;
        payload->size = size;
        if (data != NULL && size > 0) {
            memcpy(payload->data, data, size);
        }
    }
    return payload;
}

struct payload *payload_ref(struct payload *payload)
{
    assert(payload->refs > 0);
    payload->refs++;
    return payload;
}

void payload_unref(struct payload *payload)
{
    if (payload == NULL) {
        return;
    }
    assert(payload->refs > 0);
    if (--payload->refs == 0) {
        free(payload);
    }
}

struct bytes payload_bytes(const struct payload *payload)
{
    return bytes_of(payload->data, payload->size);
}

void tail_init(struct tail *tail, uint64_t next)
{
    assert(next > 0);
    *tail = (struct tail){.first = next};
}

void tail_deinit(struct tail *tail)
{
    tail_truncate(tail, tail->first);
    free(tail->ring);
    tail->ring = NULL;
    tail->capacity = 0;
}

void tail_restart(struct tail *tail, uint64_t next)
{
    tail_deinit(tail);
    tail_init(tail, next);
}

uint64_t tail_last(const struct tail *tail)
{
    return tail->first + tail->count - 1;
}

static struct tail_entry *slot(const struct tail *tail, uint64_t index)
{
    assert(index >= tail->first && index - tail->first < tail->count);
    return &tail->ring[(tail->start + (index - tail->first)) % tail->capacity];
}

const struct tail_entry *tail_find(const struct tail *tail, uint64_t index)
{
    if (index < tail->first || index - tail->first >= tail->count) {
        return NULL;
    }
    return slot(tail, index);
}

static int grow(struct tail *tail)
{
    size_t capacity = tail->capacity > 0 ? tail->capacity * 2 : 64;
    struct tail_entry *ring = calloc(capacity, sizeof *ring);
    if (ring == NULL) {
        return STATUS_NO_MEMORY;
    }
    for (size_t i = 0; i < tail->count; i++) {
        ring[i] = *slot(tail, tail->first + i);
    }
    free(tail->ring);
    tail->ring = ring;
    tail->capacity = capacity;
    tail->start = 0;
    return STATUS_OK;
}

int tail_append(struct tail *tail, const struct tail_entry *entry)
{
    assert(entry->term > 0 && entry->payload != NULL);

    if (tail->count == tail->capacity && grow(tail) != STATUS_OK) {
        return STATUS_NO_MEMORY;
    }
    tail->count++;
    *slot(tail, tail_last(tail)) = *entry;
    tail->bytes += entry->payload->size;
    return STATUS_OK;
}

static void forget(struct tail *tail, struct tail_entry *entry)
{
    assert(tail->bytes >= entry->payload->size);
    tail->bytes -= entry->payload->size;
    payload_unref(entry->payload);
    entry->payload = NULL;
}

void tail_truncate(struct tail *tail, uint64_t index)
{
    while (tail->count > 0 && tail_last(tail) >= index) {
        forget(tail, slot(tail, tail_last(tail)));
        tail->count--;
    }
    if (index < tail->first) {
        tail->first = index;
    }
}

void tail_trim(struct tail *tail, uint64_t index, size_t bytes_max)
{
    while (tail->count > 0 && tail->first <= index && tail->bytes > bytes_max) {
        forget(tail, slot(tail, tail->first));
        tail->first++;
        tail->start = (tail->start + 1) % tail->capacity;
        tail->count--;
    }
}
