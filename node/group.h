/* A group: one Raft group on this node, from a client's bytes to its answer.
 *
 *   group_submit()  parse; answered already? → its first result; leader? → stamp, encode, queue
 *   group_turn()    once a turn of the loop: all that is queued goes to the driver in one batch;
 *                   what may be applied goes to apply
 *   group_applied() apply has judged: whoever waits for these entries is answered
 *
 * An answer that says "recorded" is given after the entry is flushed on a majority, and judged
 * here. When leadership is lost under a write the answer is STATUS_OUTCOME_UNKNOWN: the same bytes
 * may be sent again, to any node, at any time, and are recorded once.
 *
 * The world is a table of functions, as the driver's is: real in the daemon, simulated in tests.
 *
 * Threads: the loop. Answers may come from inside group_submit() and group_turn(), and may call
 * everything here but group_destroy(). */
#ifndef NODE_GROUP_H
#define NODE_GROUP_H

#include "node/apply.h"
#include "node/clock.h"
#include "node/driver.h"

struct group;

enum {
    GROUP_UNCOMMITTED_MAX = 64 << 20, /* Bytes that wait for a majority; then STATUS_BUSY. */
    GROUP_BATCH_BYTES = 4 << 20,      /* Of one driver_submit(). */
    GROUP_BATCH_ENTRIES = 1024,
};

/* What surrounds a group. All but the driver's own hooks are below. */
struct group_world {
    const struct driver_hooks *disk; /* save, write, ready, read, pull, now_ms, fatal are used. */
    struct clock_reading (*clock)(void *arg);
    void (*random)(void *arg, void *out, size_t size);
    /* Ask for group_turn() soon; more than once is harmless. */
    void (*wake)(void *arg);
    /* Apply from … to, or a first piece of it, and call group_applied(). One at a time. */
    void (*apply)(void *arg, uint64_t from, uint64_t to);
    /* This node is leader now, or is no more. Optional. */
    void (*led)(void *arg, bool leader);
    void *arg; /* Given to all of these and to the driver's hooks. */
};

struct group_options {
    struct driver_options driver;
    struct log *log;
    struct journal *journal;
    uint64_t applied; /* Where journal_open() stands. */
    uint64_t term, vote;
};

int group_create(struct group **group, const struct group_options *options,
    const struct group_world *world, struct error *err);
/* Whoever still waits is answered STATUS_OUTCOME_UNKNOWN, or STATUS_NOT_LEADER where nothing had
 * gone to the log. NULL is fine. */
void group_destroy(struct group *group);

/* For what is the driver's alone: receive, frames, pulls, written, members. */
struct driver *group_driver(struct group *group);
struct log *group_log(struct group *group);
struct journal *group_journal(struct group *group);

/* ---- writes ---- */

struct group_answer {
    int status;           /* STATUS_OK: recorded (or only checked) and judged as verdict says. */
    const char *sentence; /* Where status is not STATUS_OK. */
    uint64_t index;       /* 0: not recorded. */
    uint64_t taken_index; /* STATUS_ENTRY_ID_TAKEN: where the other bytes stand. */
    int64_t recorded_at_ms;
    const struct verdict *verdict; /* Borrowed until the callback returns. */
};

struct group_request {
    struct bytes raw; /* An AppendRequest as its bytes came. */
    const Zhurnal__V1__Principal *principal;
    uint64_t received_by;
    /* Once. STATUS_NOT_LEADER: nothing was recorded, pass it on. */
    void (*answer)(void *arg, const struct group_answer *answer);
    void *arg;
};

/* Nothing of the request is kept but answer and arg. */
void group_submit(struct group *group, const struct group_request *request);

/* ---- the loop's part ---- */

void group_turn(struct group *group);
/* When group_tick() is due, on the driver's clock. */
uint64_t group_deadline(const struct group *group);
void group_tick(struct group *group);
void group_applied(struct group *group, const struct apply_piece *piece, int status);
/* The log has no room (why: STATUS_FULL, STATUS_MAP_FULL), or has again (STATUS_OK). A leader
 * without room hands over. */
void group_set_full(struct group *group, int why);
/* The highest feature level that every member is known to know; at first our own. Raising the level
 * in force beyond it would stop whoever does not: it is refused before the log
 * (STATUS_PRECONDITION). */
void group_set_level_max(struct group *group, uint32_t level);
/* Orderly stop: takes no more writes, and hands leadership over. */
void group_retire(struct group *group);
/* All that was submitted is answered, and leadership is elsewhere or cannot be. */
bool group_is_quiet(const struct group *group);

/* ---- waiting for apply ---- */

/* The caller's, until it fires or group_unwatch(). */
struct group_watch {
    uint64_t index;
    void (*reached)(struct group_watch *watch, bool stopped); /* stopped: the group is going. */
    struct group_watch *prev, *next;                          /* Private; next NULL: not waiting. */
};
/* Fires once, when index is applied, never from inside. */
void group_watch(struct group *group, struct group_watch *watch);
void group_unwatch(struct group *group, struct group_watch *watch);

/* ---- how it stands ---- */

struct group_status {
    struct driver_status driver;
    struct journal_state applied;
    int parked; /* STATUS_OK, or why apply does not go on. */
    bool full;  /* The log or the views have no room. */
    bool clock_untrusted;
    bool clock_behind; /* A sole voter whose wall clock is behind its log: takes no writes. */
    size_t waiting;    /* Writes without an answer yet. */
    size_t waiting_bytes;
};
struct group_status group_status(struct group *group);

#endif
