#include "tests/lib/sim_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ELECTIONS_MAX = 100 };

int set_up(void **state)
{
    static struct fixture fixture;
    if (access("/dev/shm", W_OK) == 0) {
        // NOLINTNEXTLINE(concurrency-mt-unsafe): one thread
        (void)setenv("TMPDIR", "/dev/shm", 0);
    }
    tmpdir_make(&fixture.dir);
    sim_open(&fixture.sim, fixture.dir.path);
    *state = &fixture;
    return 0;
}

int tear_down(void **state)
{
    struct fixture *f = *state;
    sim_close(&f->sim);
    tmpdir_remove(&f->dir);
    return 0;
}

struct driver_status status_of(struct sim *sim, uint64_t id)
{
    return driver_status(sim_node(sim, id)->driver);
}

struct sim_node *begin_with_leader(struct sim *sim, const struct sim_options *options)
{
    sim_begin(sim, options, NULL);
    for (int i = 0; i < ELECTIONS_MAX && sim_leader(sim) == NULL; i++) {
        sim_run(sim, sim->options.election_ms);
    }
    sim_run(sim, sim->options.election_ms);
    return sim_leader(sim);
}

bool ends_well(struct sim *sim)
{
    sim_heal(sim);
    sim_await_progress(sim);
    if (sim->violation[0] == '\0') {
        sim_check_end(sim);
    }
    sim_end(sim);
    (void)fputs(sim->violation, stderr);
    return sim->violation[0] == '\0';
}
