/* What the driver has for one peer, on its way to the connection.
 *
 * The core repeats itself: to a follower it is not sure of it sends its whole window again each
 * heartbeat. A slow or silent peer would be buried. So AppendEntries are queued as ranges of
 * indexes, turned into bytes only when the connection takes them, 256 KiB at a time; and what is
 * already queued or unacknowledged on this connection is not sent again: it goes out empty, as the
 * heartbeat it then is. A connection keeps order and loses nothing but by breaking, which resets
 * the outbox; where one does lose messages in silence (the simulation's), flight_timeout_ms ends
 * the trust.
 *
 * No more than 16 MiB are unacknowledged on a connection. While that holds up the entries, or they
 * are being read from disk, heartbeats still go out; entries that wait are one range, however many
 * times they were asked for.
 *
 * Pure: no I/O, no clock. Threads: the loop only. */
#ifndef NODE_OUTBOX_H
#define NODE_OUTBOX_H

#include "proto/bytes.h"

enum {
    OUTBOX_ITEMS_MAX = 128,
    OUTBOX_CHUNK_BYTES = 256 << 10,
    OUTBOX_CHUNKS_MAX = 128,
    OUTBOX_FLIGHT_BYTES = 16 << 20,
    OUTBOX_HEARTBEAT_MS = 50, /* While entries wait, no oftener than this. */
};

/* An AppendEntries, without its entries. */
struct outbox_range {
    unsigned char version;
    uint64_t term; /* The leader's. */
    uint64_t prev_index;
    uint64_t prev_term;
    uint64_t count; /* Entries after prev_index; 0: a heartbeat. */
};

struct outbox_item {
    uint8_t *message; /* Encoded, owned; NULL: a range. */
    size_t size;
    struct outbox_range range;
};

struct outbox_options {
    uint64_t flight_timeout_ms;     /* 0: the connection never loses in silence. */
    size_t items_max, flight_bytes; /* 0: the constants above; smaller in tests. */
};

struct outbox {
    bool connected;
    struct outbox_options options;
    size_t head, count;
    struct outbox_item items[OUTBOX_ITEMS_MAX]; /* A ring. */
    bool heartbeat;                             /* One is due while entries wait. */
    uint64_t sent_ms;                           /* When the last range went. */
    /* Queued or sent on this connection without a gap, in one term: flight_first … flight_last. */
    uint64_t flight_term, flight_first, flight_last;
    uint64_t flight_moved_ms;
    /* What of it was sent and is not acknowledged: a ring. */
    struct {
        uint64_t last;
        size_t bytes;
    } chunks[OUTBOX_CHUNKS_MAX];
    size_t chunk_head, chunk_count, chunk_bytes;
};

void outbox_init(struct outbox *outbox, const struct outbox_options *options);
void outbox_deinit(struct outbox *outbox);

/* A connection was made, or lost: nothing of the old one counts. */
void outbox_reset(struct outbox *outbox, bool connected);

/* Queues a message that carries no entries; takes over the malloc'ed bytes. Dropped (the network
 * may lose anything) where there is no connection or no room. */
void outbox_put(struct outbox *outbox, uint8_t *message, size_t size);

/* Queues a range, cut by what is under way. term_of gives the term of an index of the leader's log.
 */
void outbox_append(struct outbox *outbox, struct outbox_range range, uint64_t now_ms,
    uint64_t (*term_of)(void *arg, uint64_t index), void *arg);

/* The peer holds everything up to match. */
void outbox_acknowledged(struct outbox *outbox, uint64_t match, uint64_t now_ms);

/* The peer lacks the entry at prev_index: what was sent is to be sent again as the core says, and
 * what is queued from there on is not sent at all. 0: it will take nothing of what is queued. */
void outbox_refused(struct outbox *outbox, uint64_t prev_index);

/* What to send next, in *item (borrowed until the next call): a message, or a range of which at
 * most OUTBOX_CHUNK_BYTES may be sent, at least one entry; a heartbeat has count 0. Ranges of
 * another term than this are dropped. False: nothing now. */
bool outbox_next(struct outbox *outbox, uint64_t term, struct outbox_item *item);

/* What outbox_next() gave was sent: of a range so many entries, the last of them of this term. */
void outbox_sent_message(struct outbox *outbox);
void outbox_sent_range(
    struct outbox *outbox, uint64_t count, uint64_t last_term, size_t bytes, uint64_t now_ms);

#endif
