/* Apply: committed records become verdicts and views, in order, once.
 *
 * apply_run() does one piece, for anybody to call; struct applier is the thread that does so for
 * the daemon. A piece is one transaction of the views, at most a MiB of log, and no more changes
 * than have room in what is kept ahead of the views.
 *
 * Where the log asks for more than this software knows (a feature level, a kind of record), or the
 * views have no room, apply parks: it stands where it is, and says why.
 *
 * Threads: apply_run() on whichever thread owns the views' writing; the rest on the loop. */
#ifndef NODE_APPLY_H
#define NODE_APPLY_H

#include "node/journal/journal.h"

#include <uv.h>

enum {
    APPLY_PIECE_BYTES = 1 << 20,
    APPLY_PIECE_RECORDS = 2000,
    /* Entries and events together. Ids are random, so each may dirty a leaf of its own and the page
     * above it: 12 MiB, where 16 are sure (STORE_VIEWS_AHEAD / 2); among five million marks it was
     * 10. The rest is for pages further up, and for long rows. An entry has at most 1,000 events.
     */
    APPLY_PIECE_CHANGES = 1500,
};

/* Of one command. */
struct apply_result {
    uint64_t index;
    uint64_t school;
    uint8_t entry_id[ENTRY_ID_SIZE]; /* Zeros where the payload does not decode. */
    int64_t recorded_at_ms;
    struct verdict verdict;
};

struct apply_piece {
    uint64_t upto; /* The views stand here now. */
    /* STATUS_OK; STATUS_UNIMPLEMENTED, STATUS_FULL or STATUS_MAP_FULL: parked. */
    int status;
    bool log_failed; /* It is of the log, which does not read at upto + 1. */
    struct apply_result *results;
    size_t count;
    struct journal_state state; /* As of upto. */
    struct arena arena;         /* Private: holds the results. */
};

/* Applies records from … to, or the first piece of them; all are in the log and committed. Returns
 * piece->status; one that does not park is final: unless it is the log's, the views are not to be
 * trusted. piece is filled in any case, may not move, and is given back with
 * apply_piece_deinit(). */
int apply_run(struct journal *journal, struct log *log, uint64_t from, uint64_t to,
    struct apply_piece *piece);
void apply_piece_deinit(struct apply_piece *piece);

struct applier;

/* On the loop; piece is borrowed until it returns. status is apply_run()'s. */
typedef void (*applier_done_cb)(void *arg, const struct apply_piece *piece, int status);

int applier_start(struct applier **applier, uv_loop_t *loop, struct journal *journal,
    struct log *log, applier_done_cb done, void *arg);
/* One at a time. */
void applier_give(struct applier *applier, uint64_t from, uint64_t to);
/* After the piece under way, whose `done` is then not called. Frees it when the loop has run on,
 * and then calls closed. */
void applier_stop(struct applier *applier, void (*closed)(void *arg), void *arg);

#endif
