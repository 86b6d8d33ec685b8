/* The clock that the leader stamps with. It is wall time, and one bad clock must not poison every
 * later deadline: so wall time is believed only while it agrees, within two seconds, with how much
 * time has really passed (CLOCK_BOOTTIME, which nobody sets) since it was last believed. When it
 * jumps, time goes on from the last trusted moment, and what is stamped meanwhile is marked
 * clock_untrusted; when it comes back, it is believed again.
 *
 * Pure: readings are given, none is taken. Threads: one. */
#ifndef NODE_CLOCK_H
#define NODE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

enum {
    CLOCK_TOLERANCE_MS = 2000,
    CLOCK_TRUST_EACH_MS = 60000, /* Slow corrections (NTP slews) are followed at this pace. */
};

struct clock_reading {
    int64_t wall_ms; /* CLOCK_REALTIME, since 1970 UTC. */
    int64_t boot_ms; /* CLOCK_BOOTTIME. */
};

struct clock {
    struct clock_reading trusted; /* The last moment at which both agreed. */
};

struct clock_time {
    int64_t ms;
    bool untrusted;
};

/* At the start there is nothing to compare with: the wall is believed. */
void clock_start(struct clock *clock, struct clock_reading now);

struct clock_time clock_now(struct clock *clock, struct clock_reading now);

#endif
