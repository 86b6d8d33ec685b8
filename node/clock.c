#include "node/clock.h"

void clock_start(struct clock *clock, struct clock_reading now)
{
    clock->trusted = now;
}

struct clock_time clock_now(struct clock *clock, struct clock_reading now)
{
    int64_t passed = now.boot_ms - clock->trusted.boot_ms;
    int64_t expected = clock->trusted.wall_ms + passed;
    int64_t off = now.wall_ms - expected;
    if (off > CLOCK_TOLERANCE_MS || off < -CLOCK_TOLERANCE_MS) {
        return (struct clock_time){.ms = expected, .untrusted = true};
    }
    if (passed >= CLOCK_TRUST_EACH_MS) {
        clock->trusted = now;
    }
    return (struct clock_time){.ms = now.wall_ms};
}
