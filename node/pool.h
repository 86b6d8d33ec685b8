/* Reads on libuv's pool: whatever may wait for the disk, off the loop. Jobs are counted, so that
 * what they read is not closed under them.
 *
 * A job works in read transactions of its own, on at most a few MiB, and ends.
 *
 * Threads: the loop's, but for run. */
#ifndef NODE_POOL_H
#define NODE_POOL_H

#include <uv.h>

struct pool {
    uv_loop_t *loop;
    size_t running;
};

/* The caller's, until done. */
struct pool_job {
    void (*run)(struct pool_job *job);  /* On a thread of the pool. */
    void (*done)(struct pool_job *job); /* On the loop; may free the job. */
    struct pool *pool;                  /* Private, */
    uv_work_t work;                     /* as this. */
};

void pool_give(struct pool *pool, struct pool_job *job);

#endif
