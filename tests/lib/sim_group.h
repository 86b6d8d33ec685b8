/* Whole groups on the simulated cluster: a client's bytes go in at one end, and its answer comes
 * out at the other. Real group, pending, apply and views; apply lags, disks are full, and a crash
 * leaves the views as they were or takes them.
 *
 * What is checked: each call is answered, once, and while its node is up. An entry that a client
 * was told is recorded has its effect where it was told, and stands there at the end, with these
 * bytes; told again, it is told the same. No entry has its effect twice. Whoever was told that
 * nothing was recorded finds nothing recorded. Stamps never fall, though wall clocks are set, and
 * say which of them come from a clock that has jumped. Two nodes judge alike.
 *
 * Threads: one. */
#ifndef TESTS_LIB_SIM_GROUP_H
#define TESTS_LIB_SIM_GROUP_H

#include "node/group.h"
#include "tests/lib/school_draft.h"
#include "tests/lib/sim.h"

enum { SIM_CALLS_MAX = 20000 };

struct sim_group;

struct sim_call {
    struct sim_group *groups;
    struct sim_node *node;
    uint64_t number; /* Of the entry, and with mark its bytes. */
    uint32_t mark;
    unsigned answers;
    int status;
    uint64_t index; /* Where it was told that this, or what took its id, stands; 0: nowhere. */
};

/* An entry, by its number: what clients know of it. */
struct sim_client_entry {
    unsigned calls;      /* Not answered yet. */
    bool maybe;          /* Somebody was told that it is recorded, or may be. */
    unsigned stamped[2]; /* Bits: nodes that may have, by a clock that was to be trusted; or not. */
    uint64_t effect_at;
    /* Where and how it was acknowledged; 0: not yet. */
    uint64_t index;
    uint32_t mark;
    int64_t recorded_at_ms;
};

struct sim_member {
    struct sim_group *groups;
    struct group *group;
    struct journal journal;
    bool woken;
    uint64_t apply_from, apply_to, apply_ms; /* from 0: none is due. */
    int64_t skew_ms, jump_ms;                /* The wall clock's: for good, and since it was set. */
    int64_t believed_ms;                     /* Both, as they were at the start. */
    uint64_t stamp_index;
    int64_t stamp_ms;
};

struct sim_group {
    struct sim_app app; /* To be given to sim_begin() and sim_live(). */
    struct random_stream random;
    unsigned lag_max_ms; /* Of apply. */
    struct sim_member members[SIM_NODES_MAX];
    struct sim_call *calls;
    size_t call_count;
    struct sim_client_entry *entries;
    uint64_t entry_count;
    uint8_t (*judged)[SHA256_SIZE]; /* By index; zeros: not yet. */
    struct school_draft draft;
    struct {
        uint64_t calls, recorded, again, taken, unknown, not_recorded;
    } count;
};

/* Opens views for each node in a directory. */
void sim_group_open(struct sim_group *groups, const char *directory);
void sim_group_close(struct sim_group *groups);
/* Before each life. */
void sim_group_reset(struct sim_group *groups, uint64_t seed);

#endif
