#include "tests/lib/school_queue.h"

#include <assert.h>
#include <stdlib.h>

bool queue_init(struct school_queue *queue, size_t capacity)
{
    *queue = (struct school_queue){.capacity = capacity};
    queue->actions = calloc(capacity, sizeof(*queue->actions));
    return queue->actions != NULL;
}

void queue_deinit(struct school_queue *queue)
{
    free(queue->actions);
    *queue = (struct school_queue){0};
}

static bool is_before(const struct school_action *a, const struct school_action *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

void queue_add(struct school_queue *queue, const struct school_action *action)
{
    assert(queue->count < queue->capacity);
    struct school_action added = *action;
    added.order = ++queue->added;
    size_t at = queue->count++;
    while (at > 0 && is_before(&added, &queue->actions[(at - 1) / 2])) {
        queue->actions[at] = queue->actions[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    queue->actions[at] = added;
}

const struct school_action *queue_first(const struct school_queue *queue)
{
    return queue->count == 0 ? NULL : &queue->actions[0];
}

struct school_action queue_take(struct school_queue *queue)
{
    assert(queue->count > 0);
    struct school_action first = queue->actions[0];
    struct school_action last = queue->actions[--queue->count];
    size_t at = 0;
    for (size_t child = 1; child < queue->count; child = 2 * at + 1) {
        if (child + 1 < queue->count &&
            is_before(&queue->actions[child + 1], &queue->actions[child])) {
            child++;
        }
        if (!is_before(&queue->actions[child], &last)) {
            break;
        }
        queue->actions[at] = queue->actions[child];
        at = child;
    }
    queue->actions[at] = last;
    return first;
}
