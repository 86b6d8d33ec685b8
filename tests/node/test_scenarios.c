/* What once went wrong with others, and what is promised for certain situations: each by script. */
#include "tests/lib/sim_fixture.h"
#include "tests/lib/test.h"

#include <stdlib.h>

#define APPEND ZHURNAL__PEER__V1__FRAME__MESSAGE_APPEND_ENTRIES
#define ANSWER ZHURNAL__PEER__V1__FRAME__MESSAGE_APPEND_ENTRIES_RESULT

/* ---- the ordinary ---- */

static void three_nodes_elect_commit_and_restart(void **state)
{
    struct fixture *f = *state;
    const struct sim_options options = {.nodes = 3, .seed = 1};
    struct sim_node *leader = begin_with_leader(&f->sim, &options);
    assert_non_null(leader);
    assert_true(sim_submit(leader, 5));
    sim_run(&f->sim, 1000);
    assert_int_equal(f->sim.ack_count, 5);
    for (unsigned i = 0; i < 3; i++) {
        sim_crash(&f->sim.nodes[i]);
    }
    assert_true(ends_well(&f->sim));
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
    assert_true(ends_well(&f->sim));
}

/* The leader's newest write is on its own disk alone, or nowhere: both are forgotten or kept by
 * all, and what was acknowledged is there. */
static void a_power_cut_that_drops_all_that_was_not_flushed_loses_nothing_acknowledged(void **state)
{
    struct fixture *f = *state;
    const struct sim_options options = {.nodes = 3, .seed = 7, .disk_max_ms = 50};
    struct sim_node *leader = begin_with_leader(&f->sim, &options);
    assert_non_null(leader);
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
    assert_true(f->sim.ack_count > 100);
    assert_true(ends_well(&f->sim));
}

static void leadership_is_handed_over_in_order_and_quickly(void **state)
{
    struct fixture *f = *state;
    const struct sim_options options = {
        .nodes = 3, .seed = 3, .fifo = true, .delay_max_ms = 5, .disk_max_ms = 20};
    struct sim_node *leader = begin_with_leader(&f->sim, &options);
    assert_non_null(leader);
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
    assert_true(ends_well(&f->sim));
}

struct counting {
    uint64_t applied[SIM_NODES_MAX];
    uint64_t starts, stops, payloads;
};

static void count_start(void *arg, struct sim_node *node)
{
    struct counting *counting = arg;
    counting->starts++;
    counting->applied[node->id - 1] = 0;
}

static void count_stop(void *arg, struct sim_node *node)
{
    (void)node;
    struct counting *counting = arg;
    counting->stops++;
}

static struct payload *count_submit(void *arg, struct sim_node *node)
{
    (void)node;
    struct counting *counting = arg;
    counting->payloads++;
    return payload_create(&counting->payloads, sizeof counting->payloads);
}

static void count_applied(void *arg, struct sim_node *node, const struct record *record)
{
    struct counting *counting = arg;
    uint64_t *applied = &counting->applied[node->id - 1];
    if (record->index != *applied + 1) {
        sim_violation(node->sim, "an entry is applied out of order");
    }
    *applied = record->index;
}

static void what_stands_on_the_log_gets_each_entry_once_and_in_order(void **state)
{
    struct fixture *f = *state;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct counting counting = {0};
        const struct sim_app app = {.arg = &counting,
            .start = count_start,
            .stop = count_stop,
            .submit = count_submit,
            .applied = count_applied};
        const struct sim_options options = sim_chaos(seed, 3);
        assert_true(sim_live(&f->sim, &options, &app, 300));
        assert_true(counting.payloads > 0);
        assert_int_equal(counting.starts, counting.stops);
        for (unsigned i = 0; i < 3; i++) {
            assert_int_equal(counting.applied[i], f->sim.committed.last);
        }
    }
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

/* Node 3 says where the leader may go on, and reads the terms of its own tail for that. */
static void a_damaged_entry_is_not_taken_for_one_of_no_term(void **state)
{
    struct fixture *f = *state;
    struct sim *sim = &f->sim;
    const struct sim_options options = {.nodes = 3, .seed = 8, .asleep = true, .scripted = true};
    sim_begin(sim, &options, NULL);
    sim_disk_append(sim_node(sim, 3), 2, 3);
    sim_disk_promise(sim_node(sim, 3), 3);
    sim_start(sim_node(sim, 3));
    struct txn txn;
    static const uint8_t second[8] = {0, 0, 0, 0, 0, 0, 0, 2};
    txn_begin_write(&txn, &sim_node(sim, 3)->env);
    txn_put(&txn, sim_node(sim, 3)->log.records, bytes_of(second, sizeof second),
        bytes_of("damaged", 7));
    assert_int_equal(txn_commit(&txn), STATUS_OK);
    Zhurnal__Peer__V1__Frame frame = ZHURNAL__PEER__V1__FRAME__INIT;
    Zhurnal__Peer__V1__AppendEntries heartbeat = ZHURNAL__PEER__V1__APPEND_ENTRIES__INIT;
    frame.group = SIM_GROUP;
    frame.message_case = APPEND;
    frame.append_entries = &heartbeat;
    heartbeat.version = 1;
    heartbeat.term = heartbeat.prev_log_term = 3;
    heartbeat.prev_log_index = 4;
    heartbeat.leader_commit = 1;
    sim_hand_frame(sim, 1, 3, &frame);
    assert_non_null(strstr(sim->violation, "does not verify at index 2"));
    sim_end(sim);
}

enum { APPENDED_MAX = 4 };

/* To node 3, `count` entries of the sender's term. */
static void append_by_hand(
    struct sim *sim, uint64_t from, uint64_t term, uint64_t prev_index, size_t count)
{
    Zhurnal__Peer__V1__Frame frame = ZHURNAL__PEER__V1__FRAME__INIT;
    Zhurnal__Peer__V1__AppendEntries append = ZHURNAL__PEER__V1__APPEND_ENTRIES__INIT;
    Zhurnal__Peer__V1__Record records[APPENDED_MAX];
    Zhurnal__Peer__V1__Record *pointers[APPENDED_MAX];
    uint8_t payload[] = {(uint8_t)term};
    assert_true(count <= APPENDED_MAX);
    for (size_t i = 0; i < count; i++) {
        zhurnal__peer__v1__record__init(&records[i]);
        records[i].kind = RECORD_COMMAND;
        records[i].term = term;
        records[i].payload.data = payload;
        records[i].payload.len = sizeof payload;
        pointers[i] = &records[i];
    }
    frame.group = SIM_GROUP;
    frame.message_case = APPEND;
    frame.append_entries = &append;
    append.version = 1;
    append.term = term;
    append.prev_log_index = prev_index;
    append.prev_log_term = prev_index > 1 ? 2 : 1;
    append.leader_commit = 1;
    append.records = pointers;
    append.n_records = count;
    sim_hand_frame(sim, from, 3, &frame);
}

/* What node 3 last acknowledged to a node; 0: nothing. */
static uint64_t acknowledged_to(struct sim *sim, uint64_t to)
{
    uint64_t last = 0;
    struct sim_message *message;
    while ((message = sim_take(sim, 3, to, ANSWER)) != NULL) {
        Zhurnal__Peer__V1__RaftRequest *request =
            zhurnal__peer__v1__raft_request__unpack(NULL, message->size, message->data);
        assert_non_null(request);
        const Zhurnal__Peer__V1__AppendEntriesResult *result =
            request->frame->append_entries_result;
        last = result->rejected == 0 ? result->last_log_index : last;
        zhurnal__peer__v1__raft_request__free_unpacked(request, NULL);
        free(message);
    }
    return last;
}

/* The write of what was replaced comes back while the write of what replaces it is under way. */
static void a_late_write_acknowledges_nothing_of_what_has_replaced_it(void **state)
{
    struct fixture *f = *state;
    struct sim *sim = &f->sim;
    const struct sim_options options = {.nodes = 3, .seed = 8, .scripted = true};
    sim_begin(sim, &options, NULL);
    append_by_hand(sim, 1, 2, 1, 3);
    append_by_hand(sim, 2, 3, 2, 2);
    assert_int_equal(sim_disk_queued(sim_node(sim, 3)), 2);
    assert_int_equal(acknowledged_to(sim, 2), 0);
    sim_disk_flush(sim_node(sim, 3), 1);
    assert_int_equal(acknowledged_to(sim, 2), 2);
    assert_int_equal(status_of(sim, 3).stored_index, 2);
    sim_disk_flush(sim_node(sim, 3), 1);
    assert_int_equal(acknowledged_to(sim, 2), 4);
    assert_int_equal(acknowledged_to(sim, 1), 0);
    assert_string_equal(sim->violation, "");
    sim_end(sim);
}

/* The read that a node has under way for a peer, as it is now. */
static struct sim_event take_read(struct sim *sim, struct sim_node *node)
{
    struct sim_event event = {0};
    while (event.type != SIM_EVENT_READ || event.to + 1 != node->id) {
        assert_true(sim_next_event(sim, UINT64_MAX, &event));
    }
    if (event.records == NULL) {
        sim_read(node, &event);
    }
    return event;
}

/* The leader brings its log over. */
static void bring_all(struct sim *sim, uint64_t from, uint64_t to)
{
    for (int i = 0; i < 10; i++) {
        sim_timeout(sim_node(sim, from));
        sim_pass(sim, from, to, APPEND);
        sim_flush(sim_node(sim, to));
        sim_pass(sim, to, from, ANSWER);
    }
}

/* What is read for a peer is sent in the term in which it was asked for, or not at all. */
static void a_read_that_outlasts_its_term_is_not_sent(void **state)
{
    struct fixture *f = *state;
    struct sim *sim = &f->sim;
    const struct sim_options options = {.nodes = 3, .seed = 8, .scripted = true, .tail_bytes = 1};
    sim_begin(sim, &options, NULL);
    sim_elect(sim, 1, 3);
    assert_true(sim_submit(sim_node(sim, 1), 5));
    sim_flush(sim_node(sim, 1));
    sim_lose_all(sim);
    /* Node 1 has to read for node 3 what it wrote, and is deposed meanwhile. */
    for (int i = 0; i < 3; i++) {
        sim_timeout(sim_node(sim, 1));
        sim_pass(sim, 1, 3, APPEND);
        sim_pass(sim, 3, 1, ANSWER);
    }
    struct sim_event read = take_read(sim, sim_node(sim, 1));
    assert_int_equal(read.found, 5);
    sim_lose_all(sim);
    sim_depose(sim_node(sim, 1));
    sim_elect(sim, 2, 3);
    assert_true(sim_submit(sim_node(sim, 2), 4));
    bring_all(sim, 2, 1);
    assert_int_equal(status_of(sim, 1).last_index, status_of(sim, 2).last_index);
    sim_lose_all(sim);
    sim_depose(sim_node(sim, 2));
    sim_elect(sim, 1, 3);
    sim_flush(sim_node(sim, 1));
    /* Leading again, with other entries there, it hears of the old ones. */
    sim_node_read(sim_node(sim, 1), &read);
    bring_all(sim, 1, 3);
    assert_string_equal(sim->violation, "");
    sim_end(sim);
}

static void ask_for_vote(struct sim *sim, uint64_t candidate, uint64_t last_index)
{
    Zhurnal__Peer__V1__Frame frame = ZHURNAL__PEER__V1__FRAME__INIT;
    Zhurnal__Peer__V1__RequestVote request = ZHURNAL__PEER__V1__REQUEST_VOTE__INIT;
    frame.group = SIM_GROUP;
    frame.message_case = ZHURNAL__PEER__V1__FRAME__MESSAGE_REQUEST_VOTE;
    frame.request_vote = &request;
    request.version = 1;
    request.term = 9;
    request.candidate = candidate;
    request.last_log_index = last_index;
    request.last_log_term = last_index > 1 ? 2 : 1;
    sim_hand_frame(sim, candidate, 3, &frame);
}

/* The term is known from one whose log is too old; the vote is then all that is new. */
static void a_vote_in_a_term_already_known_is_kept_over_a_restart(void **state)
{
    struct fixture *f = *state;
    struct sim *sim = &f->sim;
    const struct sim_options options = {.nodes = 3, .seed = 8, .asleep = true, .scripted = true};
    sim_begin(sim, &options, NULL);
    sim_disk_append(sim_node(sim, 3), 2, 1);
    sim_disk_promise(sim_node(sim, 3), 2);
    sim_start(sim_node(sim, 3));
    ask_for_vote(sim, 2, 1);
    assert_int_equal(sim_node(sim, 3)->state.term, 9);
    assert_int_equal(sim_node(sim, 3)->state.vote, 0);
    ask_for_vote(sim, 1, 2);
    assert_string_equal(sim->violation, "");
    sim_crash_keeping(sim_node(sim, 3), 0);
    sim_start(sim_node(sim, 3));
    assert_int_equal(sim_node(sim, 3)->state.term, 9);
    assert_int_equal(sim_node(sim, 3)->state.vote, 1);
    assert_string_equal(sim->violation, "");
    sim_end(sim);
}

/* ---- the checker is no yes-man ---- */

static void a_seed_gives_the_same_life_twice(void **state)
{
    struct fixture *f = *state;
    struct sim *sim = &f->sim;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        const struct sim_options options = sim_chaos(seed, 5);
        uint64_t ends[2];
        uint64_t bytes[2];
        for (int i = 0; i < 2; i++) {
            uint64_t before = sim->count.bytes;
            assert_true(sim_live(sim, &options, NULL, 300));
            ends[i] = sim->random.state;
            bytes[i] = sim->count.bytes - before;
        }
        assert_int_equal(ends[0], ends[1]);
        assert_int_equal(bytes[0], bytes[1]);
    }
}

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
        TEST_WITH_FIXTURE(what_stands_on_the_log_gets_each_entry_once_and_in_order),
        TEST_WITH_FIXTURE(a_majority_of_copies_commits_nothing_of_an_older_term),
        TEST_WITH_FIXTURE(a_heartbeat_does_not_commit_a_stale_tail),
        TEST_WITH_FIXTURE(a_damaged_entry_is_not_taken_for_one_of_no_term),
        TEST_WITH_FIXTURE(a_late_write_acknowledges_nothing_of_what_has_replaced_it),
        TEST_WITH_FIXTURE(a_read_that_outlasts_its_term_is_not_sent),
        TEST_WITH_FIXTURE(a_vote_in_a_term_already_known_is_kept_over_a_restart),
        TEST_WITH_FIXTURE(a_seed_gives_the_same_life_twice),
        TEST_WITH_FIXTURE(a_disk_that_loses_what_it_said_is_safe_is_found_out),
        TEST_WITH_FIXTURE(a_node_that_forgets_its_votes_is_found_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
