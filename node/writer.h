/* Group commit: whatever waits for the log is written in one transaction and flushed once.
 *
 * writer_execute() is that one write, for anybody to call; struct writer is the thread that calls
 * it for the daemon. Nobody waits for the thread: driver_writes go in from the loop, and come back
 * to it through `done`, in order, when they are on stable storage.
 *
 * A full disk is seen before a write (storage/reserve.h), a full map before anything is written:
 * then the thread holds what it was given, tries again each second, and hooks.full has said so
 * meanwhile. Any other failure is final, a disk that fills in the middle of a commit too, for the
 * flush may be what failed: nothing is known of the file then, and the process must end and start
 * from what is really there.
 *
 * Threads: writer_execute() on whichever thread owns writing; the rest on the loop. */
#ifndef NODE_WRITER_H
#define NODE_WRITER_H

#include "node/driver.h"
#include "storage/reserve.h"

#include <uv.h>

/* Of one transaction, as it lies on disk: half of what the reserve is sure to have, for leaves are
 * not full, and the tree above them takes room too. */
enum { WRITER_TRANSACTION_MAX = RESERVE_AHEAD / 4, WRITER_RETRY_MS = 1000 };

/* Writes as many of the list as one transaction takes, at least one. *rest: those not written.
 * reserve NULL: room is not looked after. STATUS_FULL or STATUS_MAP_FULL: nothing was written, and
 * it may be tried again. All others than STATUS_OK are final. */
int writer_execute(struct log *log, struct reserve *reserve, struct driver_write *writes,
    struct driver_write **rest);

struct writer;

struct writer_hooks {
    void (*done)(void *arg, struct driver_write *write); /* For each, in order, on the loop. */
    void (*full)(void *arg, int status);   /* It changed: STATUS_OK, or why nothing is written. */
    void (*failed)(void *arg, int status); /* Final; nothing else is called. */
};

/* The thread starts. log, reserve and hooks are borrowed. STATUS_NO_MEMORY, or INTERNAL where the
 * system gives no thread. */
int writer_start(struct writer **writer, uv_loop_t *loop, struct log *log, struct reserve *reserve,
    const struct writer_hooks *hooks, void *arg);

/* Borrowed until `done`. */
void writer_give(struct writer *writer, struct driver_write *write);
/* Nothing is under way. */
bool writer_is_idle(const struct writer *writer);

/* Ends the thread after the transaction under way; what was not written is given to nobody. Frees
 * writer when the loop has run on, and then calls closed. */
void writer_stop(struct writer *writer, void (*closed)(void *arg), void *arg);

#endif
