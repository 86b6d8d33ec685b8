/* The cluster goes on, and nobody is left behind or buried: slow, silent and absent peers, and
 * time.
 */
#include "tests/lib/sim_fixture.h"
#include "tests/lib/test.h"

#include <inttypes.h>

/* New entries come faster than the round trip: something is always unacknowledged. */
static void a_stream_faster_than_the_round_trip_does_not_starve(void **state)
{
    struct fixture *f = *state;
    const struct sim_options options = {
        .nodes = 3, .seed = 5, .fifo = true, .delay_max_ms = 30, .disk_max_ms = 5};
    struct sim_node *leader = begin_with_leader(&f->sim, &options);
    assert_non_null(leader);
    for (int i = 0; i < 1000; i++) {
        assert_true(sim_submit(leader, 1));
        sim_run(&f->sim, 5);
        uint64_t behind =
            status_of(&f->sim, leader->id).last_index - status_of(&f->sim, leader->id).commit_index;
        assert_true(behind < 40);
    }
    assert_true(f->sim.ack_count > 960);
    for (uint64_t id = 1; id <= 3; id++) {
        assert_true(status_of(&f->sim, id).applicable > 940);
    }
    assert_true(ends_well(&f->sim));
}

/* A leader that was cut off has gone on writing for itself, from an index on that the others know
 * by another term. Asked index by index, it would take as many round trips, each with a window. */
static void a_long_tail_that_nobody_else_has_is_replaced_in_a_few_steps(void **state)
{
    enum { ENTRIES = 5000 };
    struct fixture *f = *state;
    struct sim *sim = &f->sim;
    const struct sim_options options = {
        .nodes = 3, .seed = 6, .asleep = true, .fifo = true, .delay_max_ms = 2};
    sim_begin(sim, &options, NULL);
    sim_disk_append(sim_node(sim, 3), 2, ENTRIES);
    for (uint64_t id = 1; id <= 2; id++) {
        sim_disk_append(sim_node(sim, id), 3, ENTRIES);
    }
    for (uint64_t id = 1; id <= 3; id++) {
        sim_disk_promise(sim_node(sim, id), 3);
        sim_start(sim_node(sim, id));
    }
    uint64_t sent = sim->count.entries_sent;
    uint64_t began_ms = sim->now_ms;
    while (sim_node(sim, 3)->applied <= ENTRIES && sim->now_ms < began_ms + 10000) {
        (void)sim_step(sim, began_ms + 10000);
    }
    print_message("%d entries replaced: %" PRIu64 " ms, %" PRIu64 " entries sent\n", ENTRIES,
        sim->now_ms - began_ms, sim->count.entries_sent - sent);
    assert_true(sim_node(sim, 3)->applied > ENTRIES);
    assert_true(sim->count.entries_sent - sent < (uint64_t)4 * ENTRIES);
    assert_true(ends_well(sim));
}

/* ---- a node that is far behind, or silent ---- */

static void one_that_was_off_comes_back_by_a_bulk_pull(void **state)
{
    enum { ENTRIES = 100000, AT_ONCE = 64 };
    struct fixture *f = *state;
    struct sim *sim = &f->sim;
    const struct sim_options options = {.nodes = 3, .seed = 4, .fifo = true};
    struct sim_node *leader = begin_with_leader(sim, &options);
    assert_non_null(leader);
    struct sim_node *off = sim_node(sim, leader->id % 3 + 1);
    sim_crash(off);
    off->life++; /* It stays off. */
    for (int i = 0; i < ENTRIES / AT_ONCE; i++) {
        assert_true(sim_submit(leader, AT_ONCE));
        sim_run(sim, 4);
    }
    sim_run(sim, 1000);
    assert_int_equal(status_of(sim, leader->id).marker, sim->committed.last);
    uint64_t installs = sim->count.installs;
    uint64_t sent = sim->count.entries_sent;
    uint64_t began_ms = sim->now_ms;
    sim_start(off);
    while (off->applied < sim->committed.last && sim->now_ms < began_ms + 10000) {
        (void)sim_step(sim, began_ms + 10000);
    }
    print_message("%d entries behind: %" PRIu64 " installs, %" PRIu64
                  " entries by AppendEntries, %" PRIu64 " ms\n",
        ENTRIES, sim->count.installs - installs, sim->count.entries_sent - sent,
        sim->now_ms - began_ms);
    assert_int_equal(off->applied, sim->committed.last);
    assert_true(sim->count.installs > installs);
    assert_true(sim->count.entries_sent - sent <= DRIVER_SNAPSHOT_EACH);
    assert_true(ends_well(sim));
}

/* Its connection is whole, and takes a few messages, but it says nothing for a minute, while the
 * others go on. */
static void a_silent_peer_is_not_buried(void **state)
{
    enum { SECONDS = 60, WRITES_A_SECOND = 100, SIZE = 1000, BYTES_MAX = 1 << 20 };
    struct fixture *f = *state;
    struct sim *sim = &f->sim;
    const struct sim_options options = {.nodes = 3,
        .seed = 4,
        .fifo = true,
        .window = 64,
        .election_ms = 1000,
        .heartbeat_ms = 100};
    struct sim_node *leader = begin_with_leader(sim, &options);
    assert_non_null(leader);
    struct sim_node *silent = sim_node(sim, leader->id % 3 + 1);
    struct sim_link *to = &sim->links[leader->id - 1][silent->id - 1];
    to->stalled = sim->links[silent->id - 1][leader->id - 1].stalled = true;
    uint64_t bytes = to->bytes;
    uint64_t sent = sim->count.entries_sent;
    for (uint64_t i = 0; i < (uint64_t)SECONDS * WRITES_A_SECOND; i++) {
        struct payload *payload = payload_create(NULL, SIZE);
        assert_non_null(payload);
        memcpy(payload->data, &i, sizeof i);
        assert_true(sim_submit_payload(leader, payload));
        sim_run(sim, 1000 / WRITES_A_SECOND);
    }
    print_message("a minute of silence under %d kB/s: %" PRIu64 " bytes were sent to it\n",
        WRITES_A_SECOND * SIZE / 1000, to->bytes - bytes);
    assert_int_equal(sim_leader(sim)->id, leader->id);
    assert_true(to->bytes - bytes < BYTES_MAX);
    /* The other had each entry once; this one has each once when it is back. */
    to->stalled = sim->links[silent->id - 1][leader->id - 1].stalled = false;
    uint64_t began_ms = sim->now_ms;
    while (silent->applied < sim->committed.last && sim->now_ms < began_ms + 5000) {
        (void)sim_step(sim, began_ms + 5000);
    }
    assert_int_equal(silent->applied, sim->committed.last);
    uint64_t entries = (uint64_t)SECONDS * WRITES_A_SECOND;
    print_message("and back in %" PRIu64 " ms, %" PRIu64 " entries sent to two, %" PRIu64
                  " written\n",
        sim->now_ms - began_ms, sim->count.entries_sent - sent, entries);
    assert_true(sim->count.entries_sent - sent <= 2 * entries + entries / 10);
    assert_true(ends_well(sim));
}

/* ---- time ---- */

/* A message lost now and then leaves the core unsure of an idle follower. */
static void a_lone_write_after_an_idle_minute_does_not_wait_for_a_heartbeat(void **state)
{
    enum { WRITES = 200, AT_MOST_MS = 25, MEAN_MS = 12 };
    struct fixture *f = *state;
    struct sim *sim = &f->sim;
    const struct sim_options options = {.nodes = 3,
        .seed = 6,
        .drop_permille = 5,
        .delay_max_ms = 5,
        .disk_max_ms = 3,
        .election_ms = 1000,
        .heartbeat_ms = 100};
    struct sim_node *leader = begin_with_leader(sim, &options);
    assert_non_null(leader);
    uint64_t sum_ms = 0;
    uint64_t most_ms = 0;
    for (int i = 0; i < WRITES; i++) {
        sim_run(sim, 60000 / 4 + random_below(&sim->random, 100));
        leader = sim_leader(sim);
        assert_non_null(leader);
        sim->quiet = true; /* The write's own messages arrive. */
        size_t answered = sim->ack_count;
        uint64_t began_ms = sim->now_ms;
        assert_true(sim_submit(leader, 1));
        while (sim->ack_count == answered && sim->now_ms < began_ms + 1000) {
            (void)sim_step(sim, began_ms + 1000);
        }
        uint64_t took_ms = sim->now_ms - began_ms;
        sum_ms += took_ms;
        most_ms = took_ms > most_ms ? took_ms : most_ms;
        sim->quiet = false;
    }
    print_message(
        "a lone write: %.1f ms, at most %" PRIu64 " ms\n", (double)sum_ms / WRITES, most_ms);
    assert_true(most_ms <= AT_MOST_MS);
    assert_true(sum_ms <= (uint64_t)WRITES * MEAN_MS);
    assert_true(ends_well(sim));
}

/* The follower needs entries that are no longer in memory, and the disk is slow: it must not take
 * the leader for dead. */
static void heartbeats_go_out_while_entries_are_read_from_disk(void **state)
{
    struct fixture *f = *state;
    struct sim *sim = &f->sim;
    const struct sim_options options = {
        .nodes = 3, .seed = 9, .fifo = true, .tail_bytes = 1, .read_ms = 2000};
    struct sim_node *leader = begin_with_leader(sim, &options);
    assert_non_null(leader);
    uint64_t term = status_of(sim, leader->id).term;
    struct sim_node *off = sim_node(sim, leader->id % 3 + 1);
    sim_crash(off);
    off->life++;
    for (int i = 0; i < 50; i++) {
        assert_true(sim_submit(leader, 8));
        sim_run(sim, 10);
    }
    sim_start(off);
    sim_run(sim, 2 * (uint64_t)SIM_HEARTBEAT_MS + 100);
    for (int i = 0; i < 100; i++) {
        sim_run(sim, SIM_HEARTBEAT_MS);
        assert_int_equal(status_of(sim, off->id).leader, leader->id);
    }
    assert_true(sim->count.cold_reads > 0);
    assert_int_equal(status_of(sim, leader->id).term, term);
    assert_true(ends_well(sim));
}

/* A loop asks for the deadline after each thing that happens. */
static void who_asks_for_the_deadline_each_millisecond_is_woken_all_the_same(void **state)
{
    enum { ENOUGH = 200 }; /* To two followers and from them, sixty times. */
    struct fixture *f = *state;
    const struct sim_options options = {.nodes = 3, .seed = 2, .fifo = true};
    assert_non_null(begin_with_leader(&f->sim, &options));
    uint64_t messages = f->sim.count.messages;
    for (int ms = 0; ms < 60 * SIM_HEARTBEAT_MS; ms++) {
        sim_run(&f->sim, 1);
    }
    assert_true(f->sim.count.messages - messages > ENOUGH);
    assert_true(ends_well(&f->sim));
}

/* A follower hears all that is new and answers nothing. */
static void one_whose_answers_are_lost_holds_up_nobody_and_comes_back(void **state)
{
    struct fixture *f = *state;
    struct sim *sim = &f->sim;
    const struct sim_options options = {.nodes = 3, .seed = 2, .fifo = true, .delay_max_ms = 3};
    struct sim_node *leader = begin_with_leader(sim, &options);
    assert_non_null(leader);
    struct sim_node *mute = sim_node(sim, leader->id % 3 + 1);
    uint64_t elections = sim->count.elections;
    sim_net_cut(sim, (unsigned)mute->id - 1, (unsigned)leader->id - 1, true);
    for (int i = 0; i < 2000; i++) {
        assert_true(sim_submit(leader, 1));
        sim_run(sim, 1);
    }
    assert_int_equal(status_of(sim, mute->id).leader, leader->id);
    assert_int_equal(sim->count.elections, elections);
    assert_true(ends_well(sim));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_WITH_FIXTURE(a_stream_faster_than_the_round_trip_does_not_starve),
        TEST_WITH_FIXTURE(a_long_tail_that_nobody_else_has_is_replaced_in_a_few_steps),
        TEST_WITH_FIXTURE(one_that_was_off_comes_back_by_a_bulk_pull),
        TEST_WITH_FIXTURE(a_silent_peer_is_not_buried),
        TEST_WITH_FIXTURE(a_lone_write_after_an_idle_minute_does_not_wait_for_a_heartbeat),
        TEST_WITH_FIXTURE(heartbeats_go_out_while_entries_are_read_from_disk),
        TEST_WITH_FIXTURE(who_asks_for_the_deadline_each_millisecond_is_woken_all_the_same),
        TEST_WITH_FIXTURE(one_whose_answers_are_lost_holds_up_nobody_and_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
