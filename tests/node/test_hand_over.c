/* Handing leadership over: what clients write meanwhile waits for how it ends. */
#include "tests/lib/sim_fixture.h"
#include "tests/lib/sim_group.h"
#include "tests/lib/test.h"

enum { WRITES = 5 };

struct cluster {
    struct fixture *f;
    struct sim_group groups;
};

static struct sim_node *begin(struct cluster *c, void **state)
{
    const struct sim_options options = {
        .nodes = 3, .seed = 3, .fifo = true, .delay_max_ms = 5, .disk_max_ms = 20};
    c->f = *state;
    sim_group_open(&c->groups, tmpdir_path(&c->f->dir, ""));
    sim_group_reset(&c->groups, options.seed);
    sim_begin(&c->f->sim, &options, &c->groups.app);
    sim_run(&c->f->sim, 10 * (uint64_t)SIM_ELECTION_MS);
    struct sim_node *leader = sim_leader(&c->f->sim);
    assert_non_null(leader);
    return leader;
}

static void end(struct cluster *c)
{
    assert_true(ends_well(&c->f->sim));
    sim_group_close(&c->groups);
}

static void expect_all(struct cluster *c, unsigned answers, int status)
{
    assert_int_equal(c->groups.call_count, WRITES);
    for (size_t i = 0; i < WRITES; i++) {
        assert_int_equal(c->groups.calls[i].answers, answers);
        assert_int_equal(c->groups.calls[i].status, status);
    }
}

static void writes_wait_and_are_recorded_here_where_no_successor_is_found(void **state)
{
    static struct cluster c;
    struct sim_node *leader = begin(&c, state);
    unsigned from = (unsigned)leader->id - 1;
    unsigned to = (from + 1) % 3;
    sim_net_cut(&c.f->sim, from, to, true);
    sim_transfer(leader, to + 1);
    sim_submit(leader, WRITES);
    sim_run(&c.f->sim, SIM_ELECTION_MS / 2);
    expect_all(&c, 0, STATUS_OK);
    sim_run(&c.f->sim, 3 * (uint64_t)SIM_ELECTION_MS);
    expect_all(&c, 1, STATUS_OK);
    assert_ptr_equal(sim_leader(&c.f->sim), leader);
    end(&c);
}

static void writes_wait_and_are_to_be_passed_on_to_the_successor(void **state)
{
    static struct cluster c;
    struct sim_node *leader = begin(&c, state);
    sim_transfer(leader, 0);
    sim_submit(leader, WRITES);
    expect_all(&c, 0, STATUS_OK);
    sim_run(&c.f->sim, 2 * (uint64_t)SIM_HEARTBEAT_MS);
    expect_all(&c, 1, STATUS_NOT_LEADER);
    assert_ptr_not_equal(sim_leader(&c.f->sim), leader);
    end(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_WITH_FIXTURE(writes_wait_and_are_recorded_here_where_no_successor_is_found),
        TEST_WITH_FIXTURE(writes_wait_and_are_to_be_passed_on_to_the_successor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
