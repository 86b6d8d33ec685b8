/* The newest entries of the log in memory: what is not flushed yet, and what was a moment ago, so
 * that sending and applying need not go to disk. Entries stand at consecutive indexes; an entry's
 * payload is counted, for a queued write and the tail may hold the same one.
 *
 * Threads: the loop only, the counts too. The writer reads payloads while a write that holds them
 * is under way. */
#ifndef NODE_TAIL_H
#define NODE_TAIL_H

#include "storage/record.h"

struct payload {
    unsigned refs;
    size_t size;
    uint8_t data[];
};

/* With one reference, the caller's. NULL: out of memory. data may be NULL: zeroed. */
struct payload *payload_create(const void *data, size_t size);
struct payload *payload_ref(struct payload *payload);
/* NULL is fine. */
void payload_unref(struct payload *payload);
struct bytes payload_bytes(const struct payload *payload);

struct tail_entry {
    uint64_t term;
    enum record_kind kind;
    struct payload *payload;
};

struct tail {
    uint64_t first; /* Index of the oldest one here; with count 0, of the next. */
    size_t count;
    size_t bytes; /* Of the payloads. */
    size_t start, capacity;
    struct tail_entry *ring;
};

/* Empty, the next entry being `next`. */
void tail_init(struct tail *tail, uint64_t next);
void tail_deinit(struct tail *tail);
/* Forgets all: empty again, the next entry being `next`. */
void tail_restart(struct tail *tail, uint64_t next);

/* The newest index, here or (where the tail is empty) before it. */
uint64_t tail_last(const struct tail *tail);

/* Borrowed until the tail changes; NULL where index is not here. */
const struct tail_entry *tail_find(const struct tail *tail, uint64_t index);

/* Takes over the reference. STATUS_NO_MEMORY: it stays the caller's. */
int tail_append(struct tail *tail, const struct tail_entry *entry);

/* Forgets index and all above it; index may lie below the oldest. */
void tail_truncate(struct tail *tail, uint64_t index);

/* Forgets the oldest while there are more than bytes_max, but none above index. */
void tail_trim(struct tail *tail, uint64_t index, size_t bytes_max);

#endif
