/* The data directory, opened: who this node is, its promises, its log and its views.
 *
 *     DIR/lock               held while the node runs; says which process holds it
 *     DIR/state              identity, term, vote (storage/state.h)
 *     DIR/log/               the log's environment, flushed
 *     DIR/views/<group>/     the views, disposable
 *     DIR/tls/               certificates and keys
 *
 * A directory is founded, empty, or something else, which is refused with a sentence: a node that
 * lost its promises, or its log, must not come back as if nothing had happened.
 *
 * Threads: opened, closed and owned by the loop; log and journal are used as their headers say. */
#ifndef NODE_STORE_H
#define NODE_STORE_H

#include "node/journal/journal.h"
#include "storage/lock.h"
#include "storage/reserve.h"
#include "storage/state.h"

/* Room kept ahead of the views: more than twice what one piece of apply dirties. */
enum { STORE_VIEWS_AHEAD = 32 << 20 };

struct store {
    char path[DIRECTORY_PATH_SIZE];
    struct lock lock;
    struct state state;
    struct env log_env;
    struct log log;
    struct reserve log_reserve;
    struct journal journal;
    struct reserve views_reserve;
    uint64_t applied;    /* Where the views stood when they were opened. */
    uint64_t rebuild_to; /* Views behind this index are being rebuilt. */
    bool open;
};

struct store_options {
    size_t log_map, views_map; /* 0: the defaults. */
};

/* Sets the sentence for a directory without a node's data, where none may be founded. */
int store_refuse_empty(const char *path, struct error *err);

/* Takes the directory, which must exist. STATUS_LOCKED, with the process that has it. */
int store_lock(struct store *store, const char *path, struct error *err);

/* Opens what was founded, under the lock. Refuses, with a sentence that says what to do, what was
 * not, or what has lost a part. On failure only the lock is still held. */
int store_open(struct store *store, const struct store_options *options, struct error *err);

/* Closes all and gives up the lock. broken: the views are not to be trusted. Takes a store of which
 * only the lock is held, too. */
void store_close(struct store *store, bool broken);

#endif
