#include "rpc/deadlines.h"

#include <assert.h>
#include <stdlib.h>

enum { CAPACITY_MIN = 64 };

static void put(struct deadlines *d, size_t place, struct deadline *deadline)
{
    d->heap[place] = deadline;
    deadline->place = place;
}

static void sift_up(struct deadlines *d, struct deadline *deadline)
{
    size_t place = deadline->place;
    while (place > 1 && d->heap[place / 2]->at_ms > deadline->at_ms) {
        put(d, place, d->heap[place / 2]);
        place /= 2;
    }
    put(d, place, deadline);
}

static void sift_down(struct deadlines *d, struct deadline *deadline)
{
    size_t place = deadline->place;
    for (size_t child = place * 2; child <= d->count; child = place * 2) {
        if (child < d->count && d->heap[child + 1]->at_ms < d->heap[child]->at_ms) {
            child++;
        }
        if (d->heap[child]->at_ms >= deadline->at_ms) {
            break;
        }
        put(d, place, d->heap[child]);
        place = child;
    }
    put(d, place, deadline);
}

static void on_timer(uv_timer_t *timer);

static void arm(struct deadlines *d)
{
    if (d->count == 0) {
        uv_timer_stop(&d->timer);
        return;
    }
    uint64_t now = uv_now(d->timer.loop);
    uint64_t at = d->heap[1]->at_ms;
    uv_timer_start(&d->timer, on_timer, at > now ? at - now : 0, 0);
}

static void on_timer(uv_timer_t *timer)
{
    struct deadlines *d = timer->data;
    uint64_t now = uv_now(timer->loop);
    while (d->count > 0 && d->heap[1]->at_ms <= now) {
        struct deadline *first = d->heap[1];
        deadlines_remove(d, first);
        d->passed(d, first);
    }
    arm(d);
}

void deadlines_start(struct deadlines *deadlines, uv_loop_t *loop,
    void (*passed)(struct deadlines *deadlines, struct deadline *deadline), void *user)
{
    *deadlines = (struct deadlines){.passed = passed, .user = user};
    (void)uv_timer_init(loop, &deadlines->timer); /* Always 0. */
    deadlines->timer.data = deadlines;
}

static void on_closed(uv_handle_t *handle)
{
    struct deadlines *d = handle->data;
    d->closed(d);
}

void deadlines_stop(struct deadlines *deadlines, void (*closed)(struct deadlines *deadlines))
{
    while (deadlines->count > 0) {
        deadlines->heap[deadlines->count--]->place = 0;
    }
    free(deadlines->heap);
    deadlines->heap = NULL;
    deadlines->capacity = 0;
    deadlines->closed = closed;
    uv_close((uv_handle_t *)&deadlines->timer, on_closed);
}

static bool make_room(struct deadlines *d)
{
    if (d->count + 2 <= d->capacity) {
        return true;
    }
    size_t capacity = d->capacity == 0 ? CAPACITY_MIN : d->capacity * 2;
    struct deadline **heap = realloc(d->heap, capacity * sizeof *heap);
    if (heap == NULL) {
        return false;
    }
    d->heap = heap;
    d->capacity = capacity;
    return true;
}

bool deadlines_add(struct deadlines *deadlines, struct deadline *deadline, uint64_t at_ms)
{
    assert(deadline->place == 0);
    if (!make_room(deadlines)) {
        return false;
    }
    deadline->at_ms = at_ms;
    put(deadlines, ++deadlines->count, deadline);
    sift_up(deadlines, deadline);
    if (deadline->place == 1) {
        arm(deadlines);
    }
    return true;
}

void deadlines_remove(struct deadlines *deadlines, struct deadline *deadline)
{
    size_t place = deadline->place;
    if (place == 0) {
        return;
    }
    assert(deadlines->heap[place] == deadline);
    struct deadline *last = deadlines->heap[deadlines->count--];
    deadline->place = 0;
    if (last != deadline) {
        put(deadlines, place, last);
        sift_up(deadlines, last);
        sift_down(deadlines, last);
    }
    /* The timer may wake for nothing: cheaper than arming it for every call that ends in time. */
    if (deadlines->count == 0) {
        uv_timer_stop(&deadlines->timer);
    }
}
