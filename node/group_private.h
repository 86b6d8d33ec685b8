/* A group's inside, shared by its own files alone. */
#ifndef NODE_GROUP_PRIVATE_H
#define NODE_GROUP_PRIVATE_H

#include "node/group.h"
#include "node/pending.h"

struct group {
    struct group_options options;
    struct group_world world;
    struct driver_hooks hooks;
    struct driver *driver;
    struct pending_table pending;
    struct clock clock;
    int64_t last_stamp_ms; /* As leader: of the newest entry in the log or on its way there. */
    uint64_t led_term;     /* The term that this node leads; 0: it does not. */
    /* Apply. */
    struct journal_state applied;
    bool applying;
    int parked;
    uint64_t retry_ms;          /* When a parked apply is tried again. */
    uint64_t pass_on_ms;        /* When leadership may be handed over again. */
    uint64_t stalled_index;     /* How far the disk was when it last moved, or had nothing to do, */
    uint64_t stalled_ms;        /* and when that was. */
    struct group_watch watches; /* The head of a ring. */
    uint32_t level_max;
    int full; /* Why the log takes nothing; STATUS_OK: it does. */
    bool retiring;
};

/* group.c */
/* The stamp for an entry now. */
struct clock_time group_now(struct group *group);
/* A sole voter whose clock stands behind its log, by so many milliseconds; 0: it does not. */
int64_t group_clock_lag(struct group *group);

/* group_submit.c */
/* Answers a write whose id is recorded at index, which is applied: with what stands there, or that
 * other bytes do. */
void group_answer_recorded(struct group *group, struct pending *pending, uint64_t index);
/* All that waits goes to the driver. */
void group_flush(struct group *group);
/* Leadership is lost: of what was sent the outcome is unknown, the rest was never recorded. */
void group_give_up(struct group *group);

#endif
