/* Writes that wait for their answer: from the moment they are stamped until they are judged, found
 * by school and entry id, and held in the order in which they go to the log. A second call with the
 * same bytes joins the first.
 *
 * Pure. Threads: the loop. */
#ifndef NODE_PENDING_H
#define NODE_PENDING_H

#include "node/journal/submission.h"
#include "node/tail.h"

#include <sys/queue.h>

struct group_answer;

struct waiter {
    void (*answer)(void *arg, const struct group_answer *answer);
    void *arg;
    STAILQ_ENTRY(waiter) link;
};

struct pending {
    uint64_t school;
    uint8_t entry_id[ENTRY_ID_SIZE];
    uint64_t index; /* 0: not given to consensus yet. */
    struct payload *payload;
    STAILQ_HEAD(, waiter) waiters;
    TAILQ_ENTRY(pending) order;
    LIST_ENTRY(pending) bucket;
};

enum { PENDING_BUCKETS = 4096 };

struct pending_table {
    TAILQ_HEAD(pending_order, pending) order;
    LIST_HEAD(, pending) buckets[PENDING_BUCKETS];
    struct pending *unsent; /* The first without an index. */
    size_t count;
    size_t bytes; /* Of their payloads. */
};

void pending_init(struct pending_table *table);

struct pending *pending_find(
    const struct pending_table *table, uint64_t school, const uint8_t entry_id[ENTRY_ID_SIZE]);

/* Takes over the reference to payload. NULL: out of memory, the reference stays the caller's. */
struct pending *pending_add(struct pending_table *table, uint64_t school,
    const uint8_t entry_id[ENTRY_ID_SIZE], struct payload *payload);

/* STATUS_OK or STATUS_NO_MEMORY. */
int pending_join(struct pending *pending,
    void (*answer)(void *arg, const struct group_answer *answer), void *arg);

/* The oldest unsent one was given to consensus at index. */
void pending_sent(struct pending_table *table, uint64_t index);

/* Takes it out of the table, answers everyone, frees it. */
void pending_answer(
    struct pending_table *table, struct pending *pending, const struct group_answer *answer);

#endif
