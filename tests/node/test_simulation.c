/* The real driver, log and apply, thousands of lives under every kind of fault, each from its
 * seed: SIM_SEED=n lives one again, ZHURNAL_SIM_LIVES=n as many as wanted. Lives are lived in a
 * process of their own, so that an assertion too is known by its seed. */
#include "tests/lib/sim_group.h"
#include "tests/lib/sim_journal.h"
#include "tests/lib/test.h"
#include "tests/lib/tmpdir.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LIVES = 2000, STEPS = 500, VIOLATIONS_SHOWN = 10 };

/* Seen by both processes. */
struct lives {
    unsigned nodes;
    void (*live)(struct lives *lives, const char *directory);
    uint64_t from, to;
    uint64_t seed; /* Of the life that is lived. */
    unsigned violations;
};

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
    // NOLINTNEXTLINE(concurrency-mt-unsafe): one thread
    const char *text = getenv(name);
    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

static void report(const struct sim *sim, const struct lives *lives, double seconds)
{
    printf("%" PRIu64 " lives of %u nodes: %" PRIu64 " steps, %" PRIu64 " acknowledged, %" PRIu64
           " elections, %" PRIu64 " crashes, %" PRIu64 " installs, %" PRIu64 " changes, %" PRIu64
           " cold reads, %" PRIu64 " messages, %.1f s\n",
        lives->seed + 1 - lives->from, lives->nodes, sim->count.steps, sim->count.acknowledged,
        sim->count.elections, sim->count.crashes, sim->count.installs, sim->count.changes,
        sim->count.cold_reads, sim->count.messages, seconds);
}

static double now_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void live(struct lives *lives, const char *directory)
{
    static struct sim sim;
    static struct sim_journal journal;
    double began_s = now_s();
    sim_open(&sim, directory);
    sim_journal_open(&journal, directory);
    for (uint64_t seed = lives->from; seed <= lives->to; seed++) {
        const struct sim_options options = sim_chaos(seed, lives->nodes);
        lives->seed = seed;
        sim_journal_reset(&journal, seed);
        if (!sim_live(&sim, &options, &journal.app, STEPS)) {
            printf("SIM_SEED=%" PRIu64 " nodes=%u: %s\n", seed, lives->nodes, sim.violation);
            lives->violations++;
        }
        if (lives->violations == VIOLATIONS_SHOWN) {
            break;
        }
    }
    report(&sim, lives, now_s() - began_s);
    printf("judged: %" PRIu64 " accepted, %" PRIu64 " refused, %" PRIu64 " duplicates; %" PRIu64
           " times applied\n",
        journal.count.accepted, journal.count.refused, journal.count.duplicates,
        journal.count.applied);
    sim_journal_close(&journal);
    sim_close(&sim);
}

/* The same with clients that go through whole groups. */
static void live_with_groups(struct lives *lives, const char *directory)
{
    static struct sim sim;
    static struct sim_group groups;
    double began_s = now_s();
    sim_open(&sim, directory);
    sim_group_open(&groups, directory);
    for (uint64_t seed = lives->from; seed <= lives->to; seed++) {
        struct sim_options options = sim_chaos(seed, lives->nodes);
        lives->seed = seed;
        options.fill_some = seed % 2 == 0;
        options.lose_some = !options.fill_some;
        options.change = false;
        sim_group_reset(&groups, seed);
        if (!sim_live(&sim, &options, &groups.app, STEPS)) {
            printf(
                "SIM_SEED=%" PRIu64 " nodes=%u, groups: %s\n", seed, lives->nodes, sim.violation);
            lives->violations++;
        }
        if (lives->violations == VIOLATIONS_SHOWN) {
            break;
        }
    }
    report(&sim, lives, now_s() - began_s);
    printf("%" PRIu64 " calls: %" PRIu64 " recorded, %" PRIu64 " of them again, %" PRIu64
           " ids taken, %" PRIu64 " unknown, %" PRIu64 " not recorded\n",
        groups.count.calls, groups.count.recorded, groups.count.again, groups.count.taken,
        groups.count.unknown, groups.count.not_recorded);
    sim_group_close(&groups);
    sim_close(&sim);
}

static void live_apart(struct lives *lives, const char *directory)
{
    (void)fflush(stdout);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        lives->live(lives, directory);
        exit(0); // NOLINT(concurrency-mt-unsafe): the leak checker is to have its say
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (status != 0) {
        print_message("SIM_SEED=%" PRIu64 " nodes=%u: the process ended with %d\n", lives->seed,
            lives->nodes, status);
        lives->violations++;
    }
}

static unsigned violations_of(
    unsigned nodes, void (*each)(struct lives *lives, const char *directory))
{
    struct tmpdir dir;
    struct lives *lives =
        mmap(NULL, sizeof *lives, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(lives != MAP_FAILED);
    uint64_t one = from_environment("SIM_SEED", 0);
    *lives = (struct lives){.nodes = nodes,
        .live = each,
        .from = one > 0 ? one : 1,
        .to = one > 0 ? one : from_environment("ZHURNAL_SIM_LIVES", LIVES)};
    if (access("/dev/shm", W_OK) == 0) {
        /* In memory: the simulation's disk is what may lose, not the machine's. */
        // NOLINTNEXTLINE(concurrency-mt-unsafe): one thread
        (void)setenv("TMPDIR", "/dev/shm", 0);
    }
    tmpdir_make(&dir);
    if (one > 0) {
        lives->live(lives, dir.path); /* For a debugger. */
    } else {
        live_apart(lives, dir.path);
    }
    tmpdir_remove(&dir);
    unsigned violations = lives->violations;
    (void)munmap(lives, sizeof *lives);
    return violations;
}

static void three_nodes_keep_every_promise_under_every_fault(void **state)
{
    (void)state;
    assert_int_equal(violations_of(3, live), 0);
}

static void five_nodes_keep_every_promise_under_every_fault(void **state)
{
    (void)state;
    assert_int_equal(violations_of(5, live), 0);
}

static void clients_of_three_nodes_are_answered_once_and_truly(void **state)
{
    (void)state;
    assert_int_equal(violations_of(3, live_with_groups), 0);
}

static void clients_of_five_nodes_are_answered_once_and_truly(void **state)
{
    (void)state;
    assert_int_equal(violations_of(5, live_with_groups), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_nodes_keep_every_promise_under_every_fault),
        cmocka_unit_test(five_nodes_keep_every_promise_under_every_fault),
        cmocka_unit_test(clients_of_three_nodes_are_answered_once_and_truly),
        cmocka_unit_test(clients_of_five_nodes_are_answered_once_and_truly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
