#include "node/pending.h"

#include "proto/integer.h"

#include <assert.h>
#include <stdlib.h>

void pending_init(struct pending_table *table)
{
    *table = (struct pending_table){0};
    TAILQ_INIT(&table->order);
}

/* The low half of a UUIDv7 is random. */
static size_t bucket_of(uint64_t school, const uint8_t entry_id[ENTRY_ID_SIZE])
{
    return (size_t)((get_u64_be(entry_id + 8) ^ school) % PENDING_BUCKETS);
}

struct pending *pending_find(
    const struct pending_table *table, uint64_t school, const uint8_t entry_id[ENTRY_ID_SIZE])
{
    struct pending *pending;
    LIST_FOREACH(pending, &table->buckets[bucket_of(school, entry_id)], bucket)
    {
        if (pending->school == school && memcmp(pending->entry_id, entry_id, ENTRY_ID_SIZE) == 0) {
            return pending;
        }
    }
    return NULL;
}

struct pending *pending_add(struct pending_table *table, uint64_t school,
    const uint8_t entry_id[ENTRY_ID_SIZE], struct payload *payload)
{
    struct pending *pending = calloc(1, sizeof *pending);
    if (pending == NULL) {
        return NULL;
    }
    pending->school = school;
    memcpy(pending->entry_id, entry_id, ENTRY_ID_SIZE);
    pending->payload = payload;
    STAILQ_INIT(&pending->waiters);
    TAILQ_INSERT_TAIL(&table->order, pending, order);
    LIST_INSERT_HEAD(&table->buckets[bucket_of(school, entry_id)], pending, bucket);
    if (table->unsent == NULL) {
        table->unsent = pending;
    }
    table->count++;
    table->bytes += payload->size;
    return pending;
}

int pending_join(struct pending *pending,
    void (*answer)(void *arg, const struct group_answer *answer), void *arg)
{
    struct waiter *waiter = malloc(sizeof *waiter);
    if (waiter == NULL) {
        return STATUS_NO_MEMORY;
    }
    waiter->answer = answer;
    waiter->arg = arg;
    STAILQ_INSERT_TAIL(&pending->waiters, waiter, link);
    return STATUS_OK;
}

void pending_sent(struct pending_table *table, uint64_t index)
{
    assert(table->unsent != NULL && table->unsent->index == 0);

    table->unsent->index = index;
    table->unsent = TAILQ_NEXT(table->unsent, order);
}

void pending_answer(
    struct pending_table *table, struct pending *pending, const struct group_answer *answer)
{
    if (table->unsent == pending) {
        table->unsent = TAILQ_NEXT(pending, order);
    }
    TAILQ_REMOVE(&table->order, pending, order);
    LIST_REMOVE(pending, bucket);
    table->count--;
    table->bytes -= pending->payload->size;
    while (!STAILQ_EMPTY(&pending->waiters)) {
        struct waiter *waiter = STAILQ_FIRST(&pending->waiters);
        STAILQ_REMOVE_HEAD(&pending->waiters, link);
        waiter->answer(waiter->arg, answer);
        free(waiter);
    }
    payload_unref(pending->payload);
    free(pending);
}
