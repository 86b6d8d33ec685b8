/* A simulation for each test of a file, in a directory in memory: the simulation's disk is what may
 * lose, not the machine's. */
#ifndef TESTS_LIB_SIM_FIXTURE_H
#define TESTS_LIB_SIM_FIXTURE_H

#include "tests/lib/sim.h"
#include "tests/lib/tmpdir.h"

struct fixture {
    struct tmpdir dir;
    struct sim sim;
};

/* cmocka's: *state is a struct fixture. */
int set_up(void **state);
int tear_down(void **state);

struct driver_status status_of(struct sim *sim, uint64_t id);
/* A cluster that has found its leader, and is at rest. NULL: it finds none. */
struct sim_node *begin_with_leader(struct sim *sim, const struct sim_options *options);
/* Without faults from here on: true if the cluster is well, and everything that was ever committed
 * is everywhere; ends it. */
bool ends_well(struct sim *sim);

#endif
