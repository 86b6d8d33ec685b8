/* Points in time to be reminded of, any number of them on one timer: a binary heap. Times are those
 * of the loop's uv_now().
 *
 * Threads: the loop's. */
#ifndef RPC_DEADLINES_H
#define RPC_DEADLINES_H

#include <uv.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Embedded in what has a deadline. Zeros: none set. */
struct deadline {
    uint64_t at_ms;
    size_t place; /* In the heap, from 1; 0: not there. */
};

struct deadlines {
    uv_timer_t timer;
    struct deadline **heap; /* From [1]. */
    size_t count, capacity;
    void (*passed)(struct deadlines *deadlines, struct deadline *deadline);
    void (*closed)(struct deadlines *deadlines);
    void *user;
};

/* passed is called once for each that passes, after it was taken out. */
void deadlines_start(struct deadlines *deadlines, uv_loop_t *loop,
    void (*passed)(struct deadlines *deadlines, struct deadline *deadline), void *user);

/* Forgets all; deadlines may go once closed was called. */
void deadlines_stop(struct deadlines *deadlines, void (*closed)(struct deadlines *deadlines));

/* False when out of memory. */
bool deadlines_add(struct deadlines *deadlines, struct deadline *deadline, uint64_t at_ms);

/* No-op for one that is not there. */
void deadlines_remove(struct deadlines *deadlines, struct deadline *deadline);

#endif
