/* The real driver and the real log, thousands of lives under every kind of fault, each from its
 * seed: SIM_SEED=n lives one again (SIM_NODES=3 or 5), ZHURNAL_SIM_LIVES=n as many as wanted. */
#include "tests/lib/sim_fixture.h"
#include "tests/lib/test.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { LIVES = 2000, STEPS = 500, VIOLATIONS_SHOWN = 10 };

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
    // NOLINTNEXTLINE(concurrency-mt-unsafe): one thread
    const char *text = getenv(name);
    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

static unsigned live_all(struct sim *sim, unsigned nodes)
{
    uint64_t from = from_environment("SIM_SEED", 1);
    uint64_t lives = from_environment("ZHURNAL_SIM_LIVES", LIVES);
    // NOLINTNEXTLINE(concurrency-mt-unsafe): one thread
    uint64_t to = getenv("SIM_SEED") != NULL ? from : lives;
    unsigned violations = 0;
    struct timespec began;
    struct timespec ended;
    (void)clock_gettime(CLOCK_MONOTONIC, &began);
    for (uint64_t seed = from; seed <= to && violations < VIOLATIONS_SHOWN; seed++) {
        const struct sim_options options = sim_chaos(seed, nodes);
        if (!sim_live(sim, &options, NULL, STEPS)) {
            print_message("SIM_SEED=%" PRIu64 " nodes=%u: %s\n", seed, nodes, sim->violation);
            violations++;
        }
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &ended);
    print_message("%" PRIu64 " lives of %u nodes: %" PRIu64 " steps, %" PRIu64
                  " acknowledged, %" PRIu64 " elections, %" PRIu64 " crashes, %" PRIu64
                  " installs, %" PRIu64 " changes, %" PRIu64 " cold reads, %" PRIu64
                  " messages, %.1f s\n",
        to - from + 1, nodes, sim->count.steps, sim->count.acknowledged, sim->count.elections,
        sim->count.crashes, sim->count.installs, sim->count.changes, sim->count.cold_reads,
        sim->count.messages,
        (double)(ended.tv_sec - began.tv_sec) + (double)(ended.tv_nsec - began.tv_nsec) / 1e9);
    return violations;
}

static void three_nodes_keep_every_promise_under_every_fault(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(live_all(&f->sim, 3), 0);
}

static void five_nodes_keep_every_promise_under_every_fault(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(live_all(&f->sim, 5), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_WITH_FIXTURE(three_nodes_keep_every_promise_under_every_fault),
        TEST_WITH_FIXTURE(five_nodes_keep_every_promise_under_every_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
