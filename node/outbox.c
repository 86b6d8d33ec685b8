#include "node/outbox.h"

#include <assert.h>
#include <stdlib.h>

void outbox_init(struct outbox *outbox, const struct outbox_options *options)
{
    *outbox = (struct outbox){.options = *options};
    if (options->items_max == 0) {
        outbox->options.items_max = OUTBOX_ITEMS_MAX;
    }
    if (options->flight_bytes == 0) {
        outbox->options.flight_bytes = OUTBOX_FLIGHT_BYTES;
    }
    assert(outbox->options.items_max <= OUTBOX_ITEMS_MAX);
}

static struct outbox_item *item_at(struct outbox *outbox, size_t i)
{
    assert(i < outbox->count);
    return &outbox->items[(outbox->head + i) % OUTBOX_ITEMS_MAX];
}

static void pop(struct outbox *outbox)
{
    struct outbox_item *item = item_at(outbox, 0);
    free(item->message);
    item->message = NULL;
    outbox->head = (outbox->head + 1) % OUTBOX_ITEMS_MAX;
    outbox->count--;
}

static void forget_flight(struct outbox *outbox)
{
    outbox->flight_term = 0;
    outbox->flight_first = 0;
    outbox->flight_last = 0;
    outbox->chunk_count = 0;
    outbox->chunk_bytes = 0;
}

void outbox_reset(struct outbox *outbox, bool connected)
{
    while (outbox->count > 0) {
        pop(outbox);
    }
    forget_flight(outbox);
    outbox->heartbeat = false;
    outbox->connected = connected;
}

void outbox_deinit(struct outbox *outbox)
{
    outbox_reset(outbox, false);
}

static bool is_full(const struct outbox *outbox)
{
    return outbox->count == outbox->options.items_max;
}

static struct outbox_item *push(struct outbox *outbox)
{
    assert(!is_full(outbox));
    outbox->count++;
    struct outbox_item *item = item_at(outbox, outbox->count - 1);
    *item = (struct outbox_item){0};
    return item;
}

void outbox_put(struct outbox *outbox, uint8_t *message, size_t size)
{
    if (!outbox->connected || is_full(outbox)) {
        free(message);
        return;
    }
    struct outbox_item *item = push(outbox);
    item->message = message;
    item->size = size;
}

static bool flight_is_trusted(const struct outbox *outbox, uint64_t term, uint64_t now_ms)
{
    if (outbox->flight_last == 0 || outbox->flight_term != term) {
        return false;
    }
    return outbox->options.flight_timeout_ms == 0 ||
        now_ms - outbox->flight_moved_ms <= outbox->options.flight_timeout_ms;
}

static bool entries_wait(struct outbox *outbox)
{
    for (size_t i = 0; i < outbox->count; i++) {
        if (item_at(outbox, i)->range.count > 0) {
            return true;
        }
    }
    return false;
}

static struct outbox_item *newest(struct outbox *outbox)
{
    return outbox->count > 0 ? item_at(outbox, outbox->count - 1) : NULL;
}

/* One is enough, the newest. Where entries wait it goes before them. */
static void queue_heartbeat(struct outbox *outbox, const struct outbox_range *range)
{
    if (entries_wait(outbox)) {
        outbox->heartbeat = true;
        return;
    }
    struct outbox_item *last = newest(outbox);
    if (last == NULL || last->message != NULL) {
        if (is_full(outbox)) {
            return;
        }
        last = push(outbox);
    }
    last->range = *range;
}

/* False: there is no room. */
static bool queue_entries(struct outbox *outbox, const struct outbox_range *range)
{
    struct outbox_item *last = newest(outbox);
    if (last != NULL && last->range.count > 0 && last->range.term == range->term &&
        last->range.prev_index + last->range.count == range->prev_index) {
        last->range.count += range->count;
        return true;
    }
    if (is_full(outbox)) {
        return false;
    }
    push(outbox)->range = *range;
    return true;
}

void outbox_append(struct outbox *outbox, struct outbox_range range, uint64_t now_ms,
    uint64_t (*term_of)(void *arg, uint64_t index), void *arg)
{
    if (!outbox->connected) {
        return;
    }
    if (!flight_is_trusted(outbox, range.term, now_ms)) {
        forget_flight(outbox);
    }
    if (entries_wait(outbox) && now_ms - outbox->sent_ms >= OUTBOX_HEARTBEAT_MS) {
        outbox->heartbeat = true;
    }
    uint64_t last = range.prev_index + range.count;
    bool joins = outbox->flight_last > 0 && range.prev_index + 1 >= outbox->flight_first &&
        range.prev_index <= outbox->flight_last;
    if (range.count > 0 && joins && range.prev_index < outbox->flight_last) {
        /* A heartbeat behind all that was sent: its answer says whether that has arrived, which an
         * earlier answer, lost with the peer's own connection, may have said before. */
        range.prev_index = outbox->flight_last;
        range.prev_term = term_of(arg, range.prev_index);
        range.count = last > range.prev_index ? last - range.prev_index : 0;
        assert(range.prev_term > 0);
    }
    if (range.count == 0) {
        queue_heartbeat(outbox, &range);
        return;
    }
    if (!queue_entries(outbox, &range)) {
        return;
    }
    if (!joins) {
        forget_flight(outbox);
        outbox->flight_term = range.term;
        outbox->flight_first = range.prev_index + 1;
        outbox->flight_moved_ms = now_ms;
    }
    outbox->flight_last = last;
}

void outbox_acknowledged(struct outbox *outbox, uint64_t match, uint64_t now_ms)
{
    while (outbox->chunk_count > 0 && outbox->chunks[outbox->chunk_head].last <= match) {
        outbox->chunk_bytes -= outbox->chunks[outbox->chunk_head].bytes;
        outbox->chunk_head = (outbox->chunk_head + 1) % OUTBOX_CHUNKS_MAX;
        outbox->chunk_count--;
        outbox->flight_moved_ms = now_ms;
    }
}

/* What was refused, and so will be what follows on it. What begins before it stays: a late answer
 * to an older message must not take the entries that answer the newer one. */
void outbox_refused(struct outbox *outbox, uint64_t prev_index)
{
    forget_flight(outbox);
    for (size_t i = 0; i < outbox->count; i++) {
        struct outbox_item *item = item_at(outbox, i);
        struct outbox_range *range = &item->range;
        if (item->message != NULL || range->count == 0) {
            continue;
        }
        if (range->prev_index >= prev_index) {
            range->term = 0;
        } else {
            outbox->flight_term = range->term;
            outbox->flight_first = range->prev_index + 1;
            outbox->flight_last = range->prev_index + range->count;
        }
    }
}

static bool held_up(const struct outbox *outbox)
{
    return outbox->chunk_count == OUTBOX_CHUNKS_MAX ||
        outbox->chunk_bytes >= outbox->options.flight_bytes;
}

bool outbox_next(struct outbox *outbox, uint64_t term, struct outbox_item *item)
{
    while (outbox->count > 0) {
        struct outbox_item *head = item_at(outbox, 0);
        bool void_now = term == 0 || head->range.term != term; /* 0: leads none; refused. */
        if (head->message == NULL && void_now) {
            pop(outbox);
            continue;
        }
        *item = *head;
        if (head->message == NULL && head->range.count > 0 && held_up(outbox)) {
            item->range.count = 0;
            return outbox->heartbeat;
        }
        return true;
    }
    return false;
}

void outbox_sent_message(struct outbox *outbox)
{
    assert(item_at(outbox, 0)->message != NULL);
    pop(outbox);
}

void outbox_sent_range(
    struct outbox *outbox, uint64_t count, uint64_t last_term, size_t bytes, uint64_t now_ms)
{
    struct outbox_item *head = item_at(outbox, 0);
    assert(head->message == NULL && count <= head->range.count);

    outbox->heartbeat = false;
    outbox->sent_ms = now_ms;
    if (count == 0) {
        if (head->range.count == 0) {
            pop(outbox);
        }
        return;
    }
    head->range.prev_index += count;
    head->range.prev_term = last_term;
    head->range.count -= count;
    /* A range that is no longer of the flight (it was refused meanwhile) is sent all the same,
     * uncounted. */
    if (head->range.term == outbox->flight_term && head->range.prev_index <= outbox->flight_last &&
        !held_up(outbox)) {
        size_t at = (outbox->chunk_head + outbox->chunk_count) % OUTBOX_CHUNKS_MAX;
        outbox->chunks[at].last = head->range.prev_index;
        outbox->chunks[at].bytes = bytes;
        outbox->chunk_count++;
        outbox->chunk_bytes += bytes;
        outbox->flight_moved_ms = now_ms;
    }
    if (head->range.count == 0) {
        pop(outbox);
    }
}
