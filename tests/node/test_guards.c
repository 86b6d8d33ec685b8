/* Each guard, message by message: what must hold does with it, and does not without it. */
#include "node/guards.h"
#include "storage/founding.h"
#include "tests/lib/handmade.h"
#include "tests/lib/sim_fixture.h"
#include "tests/lib/test.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define APPEND ZHURNAL__PEER__V1__FRAME__MESSAGE_APPEND_ENTRIES
#define ANSWER ZHURNAL__PEER__V1__FRAME__MESSAGE_APPEND_ENTRIES_RESULT

enum { POISON = 1 << 20, STAND_SEED = 4 };

static void begin(struct sim *sim, bool scripted, unsigned guards_off)
{
    const struct sim_options options = {
        .nodes = 3, .seed = 1, .scripted = scripted, .asleep = !scripted, .guards_off = guards_off};
    sim_begin(sim, &options, NULL);
}

static void expect_no_violation(struct sim *sim)
{
    assert_string_equal(sim->violation, "");
    sim_end(sim);
}

/* ---- STALE ---- */

/* Node 1 led a term; a message of it is late. It leads a later term by the vote of node 3, has
 * written entries nobody else holds, and now node 3 answers the late message. What the core leaves
 * uninitialised in the answer is given the value that does harm. */
static bool late_message_is_taken_for_an_acknowledgement(struct sim *sim, unsigned guards_off)
{
    begin(sim, true, guards_off);
    struct sim_node *leader = sim_node(sim, 1);
    sim_elect(sim, 1, 2);
    struct handmade late;
    make_append(&late, status_of(sim, 1).term, 0, 0);
    sim_depose(leader);
    sim_elect(sim, 1, 3);
    assert_true(sim_submit(leader, 3));
    sim_flush(leader);
    sim_lose_all(sim);

    sim_hand_frame(sim, 1, 3, &late.frame);
    struct sim_message *answer = sim_take(sim, 3, 1, ANSWER);
    assert_non_null(answer);
    Zhurnal__Peer__V1__RaftRequest *request =
        zhurnal__peer__v1__raft_request__unpack(NULL, answer->size, answer->data);
    assert_non_null(request);
    Zhurnal__Peer__V1__AppendEntriesResult *result = request->frame->append_entries_result;
    assert_int_equal(result->stale, guards_off == 0);
    assert_int_equal(result->rejected, 0);
    result->last_log_index = POISON;
    sim_hand_frame(sim, 3, 1, request->frame);
    zhurnal__peer__v1__raft_request__free_unpacked(request, NULL);
    free(answer);
    return status_of(sim, 1).commit_index > 1;
}

static void without_stale_a_late_message_commits_what_one_node_has(void **state)
{
    struct fixture *f = *state;
    assert_false(late_message_is_taken_for_an_acknowledgement(&f->sim, 0));
    expect_no_violation(&f->sim);
    assert_true(late_message_is_taken_for_an_acknowledgement(&f->sim, GUARD_STALE));
    assert_string_not_equal(f->sim.violation, "");
    sim_end(&f->sim);
}

/* ---- PREV ---- */

/* The best log has seen the lowest term, and each of the others needs the vote of one that has seen
 * a higher one. */
static bool a_leader_is_found(struct sim *sim, unsigned guards_off)
{
    begin(sim, false, guards_off);
    for (uint64_t id = 1; id <= 3; id++) {
        sim_disk_append(sim_node(sim, id), 2, 4 - (size_t)id);
        sim_disk_promise(sim_node(sim, id), 8 + 2 * id);
        sim_start(sim_node(sim, id));
    }
    sim_run(sim, 20 * (uint64_t)SIM_ELECTION_MS);
    return sim_leader(sim) != NULL;
}

static void without_prev_the_best_log_never_learns_the_term_it_needs(void **state)
{
    struct fixture *f = *state;
    assert_true(a_leader_is_found(&f->sim, 0));
    expect_no_violation(&f->sim);
    assert_false(a_leader_is_found(&f->sim, GUARD_PREV));
    sim_end(&f->sim);
}

/* ---- REJ ---- */

/* Heartbeats and what they bring, between the leader and one follower. */
static void exchange(struct sim *sim, uint64_t leader, uint64_t follower, int rounds)
{
    for (int i = 0; i < rounds; i++) {
        sim_pass(sim, leader, follower, APPEND);
        sim_flush(sim_node(sim, follower));
        sim_pass(sim, follower, leader, ANSWER);
        sim_timeout(sim_node(sim, leader));
    }
}

/* Node 3 has been silent, so that the leader is not sure of it; then its refusal of long ago comes
 * a second time. */
static bool the_follower_still_gets_entries(struct sim *sim, unsigned guards_off)
{
    begin(sim, true, guards_off);
    struct sim_node *leader = sim_node(sim, 1);
    sim_elect(sim, 1, 2);
    assert_true(sim_submit(leader, 3));
    sim_flush(leader);
    exchange(sim, 1, 3, 1); /* It does not learn that they are committed. */
    uint64_t match = status_of(sim, 1).last_index;
    assert_int_equal(status_of(sim, 3).stored_index, match);
    for (int i = 0; i < 20; i++) {
        sim_lose(sim, 1, 3);
        exchange(sim, 1, 2, 1);
    }
    sim_lose_all(sim);
    struct handmade refusal;
    make_answer(&refusal, status_of(sim, 1).term, match, match - 1);
    sim_hand_frame(sim, 3, 1, &refusal.frame);
    assert_true(sim_submit(leader, 1));
    sim_flush(leader);
    for (int i = 0; i < 20; i++) {
        exchange(sim, 1, 2, 1);
        exchange(sim, 1, 3, 1);
    }
    return status_of(sim, 3).stored_index == status_of(sim, 1).last_index;
}

static void without_rej_a_refusal_that_comes_twice_starves_a_follower(void **state)
{
    struct fixture *f = *state;
    assert_true(the_follower_still_gets_entries(&f->sim, 0));
    expect_no_violation(&f->sim);
    assert_false(the_follower_still_gets_entries(&f->sim, GUARD_REJ));
    sim_end(&f->sim);
}

/* ---- BELOW ---- */

/* Node 3 has committed entries and was restarted: its core knows nothing below them. */
static void restart_with_committed_entries(struct sim *sim, unsigned guards_off)
{
    const struct sim_options options = {
        .nodes = 3, .seed = 1, .scripted = true, .snapshot_each = 2, .guards_off = guards_off};
    sim_begin(sim, &options, NULL);
    sim_elect(sim, 1, 3);
    for (int i = 0; i < 10; i++) {
        assert_true(sim_submit(sim_node(sim, 1), 1));
        sim_flush(sim_node(sim, 1));
        exchange(sim, 1, 3, 2);
    }
    assert_true(status_of(sim, 3).marker >= 8);
    sim_crash_keeping(sim_node(sim, 3), 0);
    sim_lose_all(sim);
    sim_start(sim_node(sim, 3));
}

static uint64_t refused(struct sim *sim, uint64_t prev_index)
{
    struct handmade append;
    make_append(
        &append, status_of(sim, 1).term, prev_index, sim_log_at(&sim->committed, prev_index).term);
    sim_hand_frame(sim, 1, 3, &append.frame);
    struct sim_message *answer = sim_take(sim, 3, 1, ANSWER);
    assert_non_null(answer);
    Zhurnal__Peer__V1__RaftRequest *request =
        zhurnal__peer__v1__raft_request__unpack(NULL, answer->size, answer->data);
    assert_non_null(request);
    uint64_t rejected = request->frame->append_entries_result->rejected;
    zhurnal__peer__v1__raft_request__free_unpacked(request, NULL);
    free(answer);
    return rejected;
}

static void without_below_a_message_from_below_what_is_committed_is_refused(void **state)
{
    struct fixture *f = *state;
    restart_with_committed_entries(&f->sim, 0);
    assert_int_equal(refused(&f->sim, 3), 0);
    expect_no_violation(&f->sim);
    restart_with_committed_entries(&f->sim, GUARD_BELOW);
    assert_int_equal(refused(&f->sim, 3), 3);
    sim_end(&f->sim);
}

/* The leader has forgotten that node 3 ever answered, and sends all from the start. */
static void resend_from_the_start(struct sim *sim)
{
    struct handmade append;
    uint8_t *membership;
    size_t size;
    struct txn txn;
    struct record record;
    make_append(&append, status_of(sim, 1).term, 0, 0);
    txn_begin_read(&txn, &sim_node(sim, 1)->env);
    assert_true(log_read(&txn, &sim_node(sim, 1)->log, 1, &record));
    size = record.payload.size;
    membership = malloc(size);
    assert_non_null(membership);
    memcpy(membership, record.payload.data, size);
    txn_abort(&txn);
    add_record(&append, RECORD_MEMBERSHIP, FOUNDING_TERM, bytes_of(membership, size));
    sim_hand_frame(sim, 1, 3, &append.frame);
    free(membership);
}

static bool dies(struct sim *sim, void (*act)(struct sim *sim))
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const struct rlimit no_core = {0};
        (void)setrlimit(RLIMIT_CORE, &no_core);
        (void)signal(SIGABRT, SIG_DFL);
        if (freopen("/dev/null", "w", stderr) == NULL) {
            _exit(1);
        }
        act(sim);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status);
}

static void without_below_old_entries_are_put_at_the_end_and_the_process_stops(void **state)
{
    struct fixture *f = *state;
    restart_with_committed_entries(&f->sim, 0);
    assert_false(dies(&f->sim, resend_from_the_start));
    resend_from_the_start(&f->sim);
    assert_int_equal(status_of(&f->sim, 3).last_index, status_of(&f->sim, 1).last_index);
    expect_no_violation(&f->sim);
    restart_with_committed_entries(&f->sim, GUARD_BELOW);
    assert_true(dies(&f->sim, resend_from_the_start));
    sim_end(&f->sim);
}

/* ---- SPLIT ---- */

/* A leader's batch ends with a membership of four, which a later leader replaces by a write: the
 * membership of three is in force again. */
static unsigned members_after_the_replacement(struct sim *sim, unsigned guards_off)
{
    uint8_t *four;
    size_t size = encode_members(4, &four);
    begin(sim, true, guards_off);
    struct handmade batch;
    make_append(&batch, 2, 1, FOUNDING_TERM);
    add_record(&batch, RECORD_COMMAND, 2, bytes_of("a", 1));
    add_record(&batch, RECORD_MEMBERSHIP, 2, bytes_of(four, size));
    sim_hand_frame(sim, 1, 3, &batch.frame);
    free(four);
    struct driver_member members[DRIVER_MEMBERS_MAX];
    assert_int_equal(driver_members(sim_node(sim, 3)->driver, members), 4);

    struct handmade replacement;
    make_append(&replacement, 3, 2, 2);
    add_record(&replacement, RECORD_COMMAND, 3, bytes_of("b", 1));
    sim_hand_frame(sim, 2, 3, &replacement.frame);
    sim_flush(sim_node(sim, 3));
    assert_int_equal(status_of(sim, 3).stored_index, 3);
    unsigned count = driver_members(sim_node(sim, 3)->driver, members);
    sim_end(sim);
    return count;
}

/* A second membership comes while the first is not known to be committed; it proves that it is. */
static unsigned members_after_the_second_is_replaced(struct sim *sim, unsigned guards_off)
{
    uint8_t *four;
    uint8_t *five;
    size_t size_four = encode_members(4, &four);
    size_t size_five = encode_members(5, &five);
    begin(sim, true, guards_off);
    struct handmade batch;
    make_append(&batch, 2, 1, FOUNDING_TERM);
    add_record(&batch, RECORD_MEMBERSHIP, 2, bytes_of(four, size_four));
    sim_hand_frame(sim, 1, 3, &batch.frame);
    make_append(&batch, 2, 2, 2)->append.n_records = 0;
    add_record(&batch, RECORD_MEMBERSHIP, 2, bytes_of(five, size_five));
    sim_hand_frame(sim, 1, 3, &batch.frame);
    free(four);
    free(five);
    struct handmade replacement;
    make_append(&replacement, 3, 2, 2);
    add_record(&replacement, RECORD_COMMAND, 3, bytes_of("b", 1));
    sim_hand_frame(sim, 2, 3, &replacement.frame);
    struct driver_member members[DRIVER_MEMBERS_MAX];
    unsigned count = driver_members(sim_node(sim, 3)->driver, members);
    sim_end(sim);
    return count;
}

static void without_split_a_membership_that_is_gone_stays_in_force(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(members_after_the_replacement(&f->sim, 0), 3);
    assert_int_equal(members_after_the_replacement(&f->sim, GUARD_SPLIT), 4);
}

static void without_split_an_older_membership_than_the_committed_one_comes_back(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(members_after_the_second_is_replaced(&f->sim, 0), 4);
    assert_int_not_equal(members_after_the_second_is_replaced(&f->sim, GUARD_SPLIT), 4);
}

/* What follows on entries that we do not have proves nothing about those that we have. */
static void a_second_membership_confirms_no_tail_that_is_not_its_leaders(void **state)
{
    struct fixture *f = *state;
    struct sim *sim = &f->sim;
    uint8_t *four;
    uint8_t *five;
    size_t size_four = encode_members(4, &four);
    size_t size_five = encode_members(5, &five);
    begin(sim, true, 0);
    struct handmade batch;
    make_append(&batch, 2, 1, FOUNDING_TERM);
    add_record(&batch, RECORD_MEMBERSHIP, 2, bytes_of(four, size_four));
    sim_hand_frame(sim, 1, 3, &batch.frame);
    make_append(&batch, 3, 2, 3)->append.n_records = 0;
    add_record(&batch, RECORD_MEMBERSHIP, 3, bytes_of(five, size_five));
    sim_hand_frame(sim, 2, 3, &batch.frame);
    assert_int_equal(status_of(sim, 3).last_index, 2);
    make_append(&batch, 3, 1, FOUNDING_TERM)->append.n_records = 0;
    add_record(&batch, RECORD_COMMAND, 3, bytes_of("b", 1));
    sim_hand_frame(sim, 2, 3, &batch.frame);
    free(four);
    free(five);
    struct driver_member members[DRIVER_MEMBERS_MAX];
    assert_int_equal(driver_members(sim_node(sim, 3)->driver, members), 3);
    expect_no_violation(sim);
}

/* ---- VOTE ---- */

static bool a_leader_stays_when_a_pre_vote_is_answered_late(struct sim *sim, unsigned guards_off)
{
    begin(sim, true, guards_off);
    sim_elect(sim, 1, 2);
    Zhurnal__Peer__V1__Frame frame = ZHURNAL__PEER__V1__FRAME__INIT;
    Zhurnal__Peer__V1__RequestVoteResult result = ZHURNAL__PEER__V1__REQUEST_VOTE_RESULT__INIT;
    frame.group = SIM_GROUP;
    frame.message_case = ZHURNAL__PEER__V1__FRAME__MESSAGE_REQUEST_VOTE_RESULT;
    frame.request_vote_result = &result;
    result.version = 2;
    result.pre_vote = true;
    result.term = status_of(sim, 1).term + 1;
    sim_hand_frame(sim, 3, 1, &frame);
    return status_of(sim, 1).role == DRIVER_LEADER;
}

static void without_vote_a_late_answer_to_a_pre_vote_deposes_a_leader(void **state)
{
    struct fixture *f = *state;
    assert_true(a_leader_stays_when_a_pre_vote_is_answered_late(&f->sim, 0));
    expect_no_violation(&f->sim);
    assert_false(a_leader_stays_when_a_pre_vote_is_answered_late(&f->sim, GUARD_VOTE));
    sim_end(&f->sim);
}

/* ---- STAND ---- */

/* By both votes; whatever else was on its way is lost. */
static void elect(struct sim *sim, uint64_t candidate, const uint64_t voters[2])
{
    enum { ROUNDS_MAX = 100 };
    for (int i = 0; status_of(sim, candidate).role != DRIVER_LEADER && i < ROUNDS_MAX; i++) {
        sim_timeout(sim_node(sim, voters[0]));
        sim_timeout(sim_node(sim, voters[1]));
        sim_lose_all(sim);
        sim_timeout(sim_node(sim, candidate));
        for (int vote = 0; vote < 4; vote++) {
            uint64_t voter = voters[vote % 2];
            sim_pass(sim, candidate, voter, ZHURNAL__PEER__V1__FRAME__MESSAGE_REQUEST_VOTE);
            sim_pass(sim, voter, candidate, ZHURNAL__PEER__V1__FRAME__MESSAGE_REQUEST_VOTE_RESULT);
        }
    }
    assert_int_equal(status_of(sim, candidate).role, DRIVER_LEADER);
}

/* Of the three, between whom nothing is lost. */
static void stand(struct sim *sim, uint64_t candidate)
{
    for (int i = 0; i < 4; i++) {
        uint64_t voter = (candidate + (uint64_t)i % 2) % 3 + 1;
        sim_pass(sim, candidate, voter, ZHURNAL__PEER__V1__FRAME__MESSAGE_REQUEST_VOTE);
        sim_pass(sim, voter, candidate, ZHURNAL__PEER__V1__FRAME__MESSAGE_REQUEST_VOTE_RESULT);
    }
}

static uint64_t next_due(struct sim *sim)
{
    uint64_t next = 1;
    for (uint64_t id = 2; id <= 3; id++) {
        if (driver_deadline(sim_node(sim, id)->driver) <
            driver_deadline(sim_node(sim, next)->driver)) {
            next = id;
        }
    }
    return next;
}

static void tell_to_stand(struct sim *sim, uint64_t from, uint64_t to)
{
    Zhurnal__Peer__V1__Frame frame = ZHURNAL__PEER__V1__FRAME__INIT;
    Zhurnal__Peer__V1__TimeoutNow now = ZHURNAL__PEER__V1__TIMEOUT_NOW__INIT;
    frame.group = SIM_GROUP;
    frame.message_case = ZHURNAL__PEER__V1__FRAME__MESSAGE_TIMEOUT_NOW;
    frame.timeout_now = &now;
    now.version = 1;
    now.term = status_of(sim, from).term;
    now.last_log_index = status_of(sim, to).last_index;
    now.last_log_term = now.last_log_index > 1 ? now.term : FOUNDING_TERM;
    sim_hand_frame(sim, from, to, &frame);
}

/* Of four voters one is off, so that each other is needed. Node 1 led and has more than node 2,
 * which is told to stand so late that it cannot be elected any more; node 3 waits longer than node
 * 2 does before it stands itself. */
static bool who_can_be_elected_is(struct sim *sim, unsigned guards_off)
{
    enum { WAIT_ELECTIONS = 10 };
    const struct sim_options options = {
        .nodes = 4, .seed = STAND_SEED, .scripted = true, .guards_off = guards_off};
    sim_begin(sim, &options, NULL);
    elect(sim, 1, (const uint64_t[]){2, 3});
    exchange(sim, 1, 2, 2);
    exchange(sim, 1, 3, 2);
    assert_true(sim_submit(sim_node(sim, 1), 1));
    sim_flush(sim_node(sim, 1));
    sim_lose_all(sim);
    tell_to_stand(sim, 1, 2);
    stand(sim, 2);
    assert_int_equal(status_of(sim, 1).role, DRIVER_FOLLOWER);
    uint64_t began_ms = sim->now_ms;
    while (sim_leader(sim) == NULL &&
        sim->now_ms < began_ms + (uint64_t)WAIT_ELECTIONS * SIM_ELECTION_MS) {
        uint64_t id = next_due(sim);
        sim_timeout(sim_node(sim, id));
        stand(sim, id);
    }
    return status_of(sim, 1).role == DRIVER_LEADER;
}

static void without_stand_who_cannot_be_elected_keeps_others_from_it(void **state)
{
    struct fixture *f = *state;
    assert_true(who_can_be_elected_is(&f->sim, 0));
    expect_no_violation(&f->sim);
    assert_false(who_can_be_elected_is(&f->sim, GUARD_STAND));
    sim_end(&f->sim);
}

/* ---- CHANGE ---- */

/* Node 1, of four voters, makes node 4 a standby, and is cut off with that. Node 2 is elected by
 * those who have not heard of it, and makes node 1 a standby: that is committed by nodes 2 and 4,
 * of what are now three voters. Node 1 needs one of nodes 2 and 3 to lead again, and finds node 3.
 */
static bool what_is_committed_stays_when_two_leaders_change(struct sim *sim, unsigned guards_off)
{
    const struct sim_options options = {
        .nodes = 4, .seed = 1, .scripted = true, .guards_off = guards_off};
    int expected = guards_off == 0 ? STATUS_PRECONDITION : STATUS_OK;
    sim_begin(sim, &options, NULL);
    elect(sim, 1, (const uint64_t[]){2, 3});
    assert_int_equal(sim_change(sim_node(sim, 1), 4, false), expected);
    sim_flush(sim_node(sim, 1));
    sim_lose_all(sim);
    sim_depose(sim_node(sim, 1));

    elect(sim, 2, (const uint64_t[]){3, 4});
    assert_int_equal(sim_change(sim_node(sim, 2), 1, false), expected);
    sim_flush(sim_node(sim, 2));
    exchange(sim, 2, 4, 2);
    assert_int_equal(status_of(sim, 2).commit_index, guards_off == 0 ? 1 : 2);
    assert_string_equal(sim->violation, "");
    sim_lose_all(sim);
    sim_depose(sim_node(sim, 2));

    elect(sim, 1, (const uint64_t[]){3, 4});
    sim_flush(sim_node(sim, 1));
    exchange(sim, 1, 3, 3);
    return sim->violation[0] == '\0';
}

static void without_change_a_leader_overwrites_what_another_has_committed(void **state)
{
    struct fixture *f = *state;
    assert_true(what_is_committed_stays_when_two_leaders_change(&f->sim, 0));
    expect_no_violation(&f->sim);
    assert_false(what_is_committed_stays_when_two_leaders_change(&f->sim, GUARD_CHANGE));
    assert_non_null(strstr(f->sim.violation, "another was committed there"));
    sim_end(&f->sim);
}

static int submit_with_a_command(struct sim_node *node, struct payload *membership)
{
    const struct driver_entry entries[] = {{.kind = RECORD_COMMAND, .payload = membership},
        {.kind = RECORD_MEMBERSHIP, .payload = membership}};
    uint64_t first;
    return driver_submit(node->driver, entries, 2, &first);
}

static void a_membership_changes_alone_by_one_and_with_three_voters_left(void **state)
{
    struct fixture *f = *state;
    struct sim *sim = &f->sim;
    const struct sim_options options = {.nodes = 5, .seed = 3};
    struct sim_node *leader = begin_with_leader(sim, &options);
    assert_non_null(leader);
    uint64_t a = leader->id % 5 + 1;
    uint64_t b = a % 5 + 1;
    uint64_t c = b % 5 + 1;
    assert_int_equal(sim_change(leader, a, false), STATUS_PRECONDITION); /* Nothing of this term. */
    assert_true(sim_submit(leader, 1));
    sim_run(sim, SIM_ELECTION_MS);
    assert_int_equal(sim_change(leader, a, false), STATUS_OK);
    assert_int_equal(sim_change(leader, b, false), STATUS_PRECONDITION); /* Not yet committed. */
    sim_run(sim, SIM_ELECTION_MS);
    sim_crash(sim_node(sim, b));
    sim_node(sim, b)->life++; /* It stays off, and does not learn of the next one. */
    assert_int_equal(sim_change(leader, a, true), STATUS_OK);
    sim_run(sim, SIM_ELECTION_MS);
    assert_int_equal(sim_change(leader, a, false), STATUS_PRECONDITION);
    sim_start(sim_node(sim, b));
    sim_run(sim, SIM_ELECTION_MS);
    assert_int_equal(sim_change(leader, a, false), STATUS_OK);
    sim_run(sim, SIM_ELECTION_MS);
    assert_int_equal(sim_change(leader, b, false), STATUS_OK);
    sim_run(sim, SIM_ELECTION_MS);
    assert_int_equal(sim_change(leader, c, false), STATUS_PRECONDITION); /* Two would be left. */

    struct payload *payload = payload_create("x", 1);
    assert_non_null(payload);
    assert_int_equal(submit_with_a_command(leader, payload), STATUS_INVALID);
    payload_unref(payload);
    assert_true(ends_well(sim));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_WITH_FIXTURE(without_stale_a_late_message_commits_what_one_node_has),
        TEST_WITH_FIXTURE(without_prev_the_best_log_never_learns_the_term_it_needs),
        TEST_WITH_FIXTURE(without_rej_a_refusal_that_comes_twice_starves_a_follower),
        TEST_WITH_FIXTURE(without_below_a_message_from_below_what_is_committed_is_refused),
        TEST_WITH_FIXTURE(without_below_old_entries_are_put_at_the_end_and_the_process_stops),
        TEST_WITH_FIXTURE(without_split_a_membership_that_is_gone_stays_in_force),
        TEST_WITH_FIXTURE(without_split_an_older_membership_than_the_committed_one_comes_back),
        TEST_WITH_FIXTURE(a_second_membership_confirms_no_tail_that_is_not_its_leaders),
        TEST_WITH_FIXTURE(without_vote_a_late_answer_to_a_pre_vote_deposes_a_leader),
        TEST_WITH_FIXTURE(without_stand_who_cannot_be_elected_keeps_others_from_it),
        TEST_WITH_FIXTURE(without_change_a_leader_overwrites_what_another_has_committed),
        TEST_WITH_FIXTURE(a_membership_changes_alone_by_one_and_with_three_voters_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
