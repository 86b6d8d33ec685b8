/* What once went wrong with others, and what is promised for certain situations: each by script. */
#include "tests/lib/sim.h"
#include "tests/lib/test.h"
#include "tests/lib/tmpdir.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#define APPEND ZHURNAL__PEER__V1__FRAME__MESSAGE_APPEND_ENTRIES
#define ANSWER ZHURNAL__PEER__V1__FRAME__MESSAGE_APPEND_ENTRIES_RESULT

struct fixture {
    struct tmpdir dir;
    struct sim sim;
};

static int set_up(void **state)
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

static int tear_down(void **state)
{
    struct fixture *f = *state;
    sim_close(&f->sim);
    tmpdir_remove(&f->dir);
    return 0;
}

static struct driver_status status_of(struct sim *sim, uint64_t id)
{
    return driver_status(sim_node(sim, id)->driver);
}

/* The cluster is well, and everything that was ever committed is everywhere. */
static void expect_well(struct sim *sim)
{
    sim_heal(sim);
    sim_await_progress(sim);
    sim_check_logs(sim);
    assert_string_equal(sim->violation, "");
    sim_end(sim);
}

static struct sim_node *begin_with_leader(struct sim *sim, const struct sim_options *options)
{
    sim_begin(sim, options, NULL);
    for (int i = 0; i < 100 && sim_leader(sim) == NULL; i++) {
        sim_run(sim, SIM_ELECTION_MS);
    }
    struct sim_node *leader = sim_leader(sim);
    assert_non_null(leader);
    sim_run(sim, SIM_ELECTION_MS);
    return leader;
}

/* ---- the ordinary ---- */

static void three_nodes_elect_commit_and_restart(void **state)
{
    struct fixture *f = *state;
    const struct sim_options options = {.nodes = 3, .seed = 1};
    struct sim_node *leader = begin_with_leader(&f->sim, &options);
    assert_true(sim_submit(leader, 5));
    sim_run(&f->sim, 1000);
    assert_int_equal(f->sim.ack_count, 5);
    for (unsigned i = 0; i < 3; i++) {
        sim_crash(&f->sim.nodes[i]);
    }
    expect_well(&f->sim);
    assert_true(f->sim.committed.last >= 7);
}

static void a_sole_voter_leads_at_once_in_a_term_it_never_had(void **state)
{
    struct fixture *f = *state;
    const struct sim_options options = {.nodes = 1, .seed = 1};
    sim_begin(&f->sim, &options, NULL);
    uint64_t term = 1;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(status_of(&f->sim, 1).role, DRIVER_LEADER);
        assert_true(status_of(&f->sim, 1).term > term);
        term = status_of(&f->sim, 1).term;
        assert_true(sim_submit(sim_node(&f->sim, 1), 3));
        sim_run(&f->sim, 100);
        assert_int_equal(f->sim.ack_count, 3 * (i + 1));
        sim_crash(sim_node(&f->sim, 1));
        sim_start(sim_node(&f->sim, 1));
    }
    expect_well(&f->sim);
}

/* The leader's newest write is on its own disk alone, or nowhere: both are forgotten or kept by
 * all, and what was acknowledged is there. */
static void a_power_cut_that_drops_all_that_was_not_flushed_loses_nothing_acknowledged(void **state)
{
    struct fixture *f = *state;
    const struct sim_options options = {.nodes = 3, .seed = 7, .disk_max_ms = 50};
    struct sim_node *leader = begin_with_leader(&f->sim, &options);
    size_t answered = 0;
    for (int i = 0; i < 20; i++) {
        for (int k = 0; k < 10 && leader != NULL; k++) {
            assert_true(sim_submit(leader, 3));
            sim_run(&f->sim, 10);
        }
        for (unsigned n = 0; n < 3; n++) {
            sim_crash_keeping(&f->sim.nodes[n], 0);
        }
        for (unsigned n = 0; n < 3; n++) {
            sim_start(&f->sim.nodes[n]);
        }
        sim_run(&f->sim, 5 * (uint64_t)SIM_ELECTION_MS);
        leader = sim_leader(&f->sim);
        assert_string_equal(f->sim.violation, "");
    }
    answered = f->sim.ack_count;
    assert_true(answered > 100);
    expect_well(&f->sim);
}

static void leadership_is_handed_over_in_order_and_quickly(void **state)
{
    struct fixture *f = *state;
    const struct sim_options options = {
        .nodes = 3, .seed = 3, .fifo = true, .delay_max_ms = 5, .disk_max_ms = 20};
    struct sim_node *leader = begin_with_leader(&f->sim, &options);
    for (int i = 0; i < 20; i++) {
        uint64_t to = leader->id % 3 + 1;
        uint64_t began_ms = f->sim.now_ms;
        uint64_t term = status_of(&f->sim, leader->id).term;
        assert_true(sim_submit(leader, 8));
        sim_transfer(leader, to);
        assert_false(sim_submit(leader, 1));
        while (status_of(&f->sim, to).role != DRIVER_LEADER &&
            f->sim.now_ms < began_ms + SIM_ELECTION_MS) {
            (void)sim_step(&f->sim, began_ms + SIM_ELECTION_MS);
        }
        assert_int_equal(status_of(&f->sim, to).role, DRIVER_LEADER);
        assert_int_equal(status_of(&f->sim, to).term, term + 1);
        assert_true(f->sim.now_ms - began_ms < 100);
        assert_int_equal(f->sim.ack_count, 8 * (i + 1));
        leader = sim_node(&f->sim, to);
        sim_run(&f->sim, 2 * (uint64_t)SIM_HEARTBEAT_MS);
    }
    expect_well(&f->sim);
}

/* ---- what went wrong with others ---- */

/* Hands the leader's next message over, but of several entries only the first. */
static void bring_one_entry(struct sim *sim, uint64_t from, uint64_t to)
{
    struct sim_message *message = sim_take(sim, from, to, APPEND);
    if (message == NULL) {
        return;
    }
    Zhurnal__Peer__V1__RaftRequest *request =
        zhurnal__peer__v1__raft_request__unpack(NULL, message->size, message->data);
    assert_non_null(request);
    Zhurnal__Peer__V1__AppendEntries *append = request->frame->append_entries;
    size_t all = append->n_records;
    append->n_records = all > 1 ? 1 : all;
    sim_hand_frame(sim, from, to, request->frame);
    append->n_records = all;
    zhurnal__peer__v1__raft_request__free_unpacked(request, NULL);
    free(message);
}

/* Raft's figure 8: an entry of an older term on a majority is not yet committed. */
static void a_majority_of_copies_commits_nothing_of_an_older_term(void **state)
{
    struct fixture *f = *state;
    struct sim *sim = &f->sim;
    const struct sim_options options = {.nodes = 3, .seed = 8, .scripted = true};
    sim_begin(sim, &options, NULL);
    /* Node 1 writes A, and node 2 writes B, at the same index: each for itself. */
    sim_elect(sim, 1, 3);
    assert_true(sim_submit(sim_node(sim, 1), 1));
    sim_flush(sim_node(sim, 1));
    sim_lose_all(sim);
    sim_depose(sim_node(sim, 1));
    sim_elect(sim, 2, 3);
    assert_true(sim_submit(sim_node(sim, 2), 1));
    sim_flush(sim_node(sim, 2));
    sim_lose_all(sim);
    sim_depose(sim_node(sim, 2));
    /* Node 1 leads again, and brings A to node 3, but nothing of its new term. */
    sim_elect(sim, 1, 3);
    sim_flush(sim_node(sim, 1));
    sim_lose_all(sim);
    for (int i = 0; i < 10 && status_of(sim, 3).last_index == 1; i++) {
        sim_timeout(sim_node(sim, 1));
        bring_one_entry(sim, 1, 3);
        sim_pass(sim, 3, 1, ANSWER);
    }
    sim_flush(sim_node(sim, 3));
    sim_pass(sim, 3, 1, ANSWER);
    assert_int_equal(status_of(sim, 3).stored_index, 2);
    assert_int_equal(
        sim_node(sim, 3)->disk.entries[1].digest, sim_node(sim, 1)->disk.entries[1].digest);
    assert_int_equal(status_of(sim, 1).commit_index, 1);
    /* So node 2 may still win, and B replace A. */
    sim_lose_all(sim);
    sim_depose(sim_node(sim, 1));
    sim_elect(sim, 2, 3);
    sim_flush(sim_node(sim, 2));
    for (int i = 0; i < 4; i++) {
        sim_timeout(sim_node(sim, 2));
        sim_pass(sim, 2, 3, APPEND);
        sim_flush(sim_node(sim, 3));
        sim_pass(sim, 3, 2, ANSWER);
    }
    assert_true(status_of(sim, 2).commit_index >= 2);
    assert_int_equal(sim->committed.entries[1].digest, sim_node(sim, 2)->disk.entries[1].digest);
    assert_string_equal(sim->violation, "");
    sim_end(sim);
}

/* A heartbeat says nothing of what lies behind its own index. */
static void a_heartbeat_does_not_commit_a_stale_tail(void **state)
{
    struct fixture *f = *state;
    struct sim *sim = &f->sim;
    const struct sim_options options = {.nodes = 3, .seed = 8, .asleep = true, .scripted = true};
    sim_begin(sim, &options, NULL);
    sim_disk_append(sim_node(sim, 3), 2, 3);
    sim_disk_append(sim_node(sim, 1), 3, 3);
    sim_disk_append(sim_node(sim, 2), 3, 3);
    for (uint64_t id = 1; id <= 3; id++) {
        sim_disk_promise(sim_node(sim, id), 3);
        sim_start(sim_node(sim, id));
    }
    Zhurnal__Peer__V1__Frame frame = ZHURNAL__PEER__V1__FRAME__INIT;
    Zhurnal__Peer__V1__AppendEntries heartbeat = ZHURNAL__PEER__V1__APPEND_ENTRIES__INIT;
    frame.group = SIM_GROUP;
    frame.message_case = APPEND;
    frame.append_entries = &heartbeat;
    heartbeat.version = 1;
    heartbeat.term = 3;
    heartbeat.prev_log_index = heartbeat.prev_log_term = 1;
    heartbeat.leader_commit = 4;
    sim_hand_frame(sim, 1, 3, &frame);
    assert_int_equal(status_of(sim, 3).last_index, 4);
    assert_int_equal(status_of(sim, 3).commit_index, 1);
    assert_string_equal(sim->violation, "");
    sim_end(sim);
}

/* New entries come faster than the round trip: something is always unacknowledged. */
static void a_stream_faster_than_the_round_trip_does_not_starve(void **state)
{
    struct fixture *f = *state;
    const struct sim_options options = {
        .nodes = 3, .seed = 5, .fifo = true, .delay_max_ms = 30, .disk_max_ms = 5};
    struct sim_node *leader = begin_with_leader(&f->sim, &options);
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
    expect_well(&f->sim);
}

/* ---- a node that is far behind, or silent ---- */

static void one_that_was_off_comes_back_by_a_bulk_pull(void **state)
{
    enum { ENTRIES = 100000, AT_ONCE = 64 };
    struct fixture *f = *state;
    struct sim *sim = &f->sim;
    const struct sim_options options = {.nodes = 3, .seed = 4, .fifo = true};
    struct sim_node *leader = begin_with_leader(sim, &options);
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
    expect_well(sim);
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
    expect_well(sim);
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
    expect_well(sim);
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
    expect_well(sim);
}

/* A loop asks for the deadline after each thing that happens. */
static void who_asks_for_the_deadline_each_millisecond_is_woken_all_the_same(void **state)
{
    struct fixture *f = *state;
    const struct sim_options options = {.nodes = 3, .seed = 2, .fifo = true};
    (void)begin_with_leader(&f->sim, &options);
    uint64_t messages = f->sim.count.messages;
    for (int ms = 0; ms < 60 * SIM_HEARTBEAT_MS; ms++) {
        sim_run(&f->sim, 1);
    }
    /* To two followers, and from them. */
    assert_true(f->sim.count.messages - messages > 4 * 50);
    expect_well(&f->sim);
}

/* A follower hears all that is new and answers nothing. */
static void one_whose_answers_are_lost_holds_up_nobody_and_comes_back(void **state)
{
    struct fixture *f = *state;
    struct sim *sim = &f->sim;
    const struct sim_options options = {.nodes = 3, .seed = 2, .fifo = true, .delay_max_ms = 3};
    struct sim_node *leader = begin_with_leader(sim, &options);
    struct sim_node *mute = sim_node(sim, leader->id % 3 + 1);
    uint64_t elections = sim->count.elections;
    sim_net_cut(sim, (unsigned)mute->id - 1, (unsigned)leader->id - 1, true);
    for (int i = 0; i < 2000; i++) {
        assert_true(sim_submit(leader, 1));
        sim_run(sim, 1);
    }
    assert_int_equal(status_of(sim, mute->id).leader, leader->id);
    assert_int_equal(sim->count.elections, elections);
    expect_well(sim);
}

/* ---- the checker is no yes-man ---- */

static unsigned lives_found_out(struct sim *sim, void (*spoil)(struct sim_options *options))
{
    enum { LIVES = 300, STEPS = 500 };
    unsigned found = 0;
    for (uint64_t seed = 1; seed <= LIVES; seed++) {
        struct sim_options options = sim_chaos(seed, 3);
        spoil(&options);
        found += !sim_live(sim, &options, NULL, STEPS);
    }
    return found;
}

static void spoil_by_lies(struct sim_options *options)
{
    options->lie_permille = 300;
}

static void spoil_by_forgetting(struct sim_options *options)
{
    options->forget_permille = 200;
}

static void a_disk_that_loses_what_it_said_is_safe_is_found_out(void **state)
{
    struct fixture *f = *state;
    unsigned found = lives_found_out(&f->sim, spoil_by_lies);
    print_message("a disk that lies: found out in %u lives of 300\n", found);
    assert_true(found > 0);
}

static void a_node_that_forgets_its_votes_is_found_out(void **state)
{
    struct fixture *f = *state;
    unsigned found = lives_found_out(&f->sim, spoil_by_forgetting);
    print_message("forgotten promises: found out in %u lives of 300\n", found);
    assert_true(found > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_WITH_FIXTURE(three_nodes_elect_commit_and_restart),
        TEST_WITH_FIXTURE(a_sole_voter_leads_at_once_in_a_term_it_never_had),
        TEST_WITH_FIXTURE(
            a_power_cut_that_drops_all_that_was_not_flushed_loses_nothing_acknowledged),
        TEST_WITH_FIXTURE(leadership_is_handed_over_in_order_and_quickly),
        TEST_WITH_FIXTURE(a_majority_of_copies_commits_nothing_of_an_older_term),
        TEST_WITH_FIXTURE(a_heartbeat_does_not_commit_a_stale_tail),
        TEST_WITH_FIXTURE(a_stream_faster_than_the_round_trip_does_not_starve),
        TEST_WITH_FIXTURE(one_that_was_off_comes_back_by_a_bulk_pull),
        TEST_WITH_FIXTURE(a_silent_peer_is_not_buried),
        TEST_WITH_FIXTURE(a_lone_write_after_an_idle_minute_does_not_wait_for_a_heartbeat),
        TEST_WITH_FIXTURE(heartbeats_go_out_while_entries_are_read_from_disk),
        TEST_WITH_FIXTURE(who_asks_for_the_deadline_each_millisecond_is_woken_all_the_same),
        TEST_WITH_FIXTURE(one_whose_answers_are_lost_holds_up_nobody_and_comes_back),
        TEST_WITH_FIXTURE(a_disk_that_loses_what_it_said_is_safe_is_found_out),
        TEST_WITH_FIXTURE(a_node_that_forgets_its_votes_is_found_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
