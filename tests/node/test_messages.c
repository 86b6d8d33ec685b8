/* What a peer may not send: the first such message ends its stream, and changes nothing. */
#include "node/guards.h"
#include "tests/lib/handmade.h"
#include "tests/lib/sim_fixture.h"
#include "tests/lib/test.h"

#include <stdlib.h>
#include <string.h>

static void begin(struct sim *sim)
{
    const struct sim_options options = {.nodes = 3, .seed = 1, .scripted = true};
    sim_begin(sim, &options, NULL);
}

static void expect_no_violation(struct sim *sim)
{
    assert_string_equal(sim->violation, "");
    sim_end(sim);
}

static int check(struct sim *sim, uint64_t from, const Zhurnal__Peer__V1__Frame *frame)
{
    struct error err = {0};
    int status = driver_receive(sim_node(sim, 1)->driver, from, frame, &err);
    assert_true(status == STATUS_OK || err.text[0] != '\0');
    sim_settle(sim_node(sim, 1));
    return status;
}

static void entries_that_cannot_be_end_the_stream(void **state)
{
    struct fixture *f = *state;
    struct handmade made;
    begin(&f->sim);
    assert_int_equal(check(&f->sim, 2, &make_append(&made, 0, 0, 0)->frame), STATUS_MALFORMED);
    assert_int_equal(check(&f->sim, 2, &make_append(&made, 2, 1, 0)->frame), STATUS_MALFORMED);
    assert_int_equal(check(&f->sim, 2, &make_append(&made, 2, 0, 1)->frame), STATUS_MALFORMED);
    assert_int_equal(check(&f->sim, 2, &make_append(&made, 2, 1, 3)->frame), STATUS_MALFORMED);
    assert_int_equal(check(&f->sim, 1, &make_append(&made, 2, 1, 1)->frame), STATUS_MALFORMED);
    assert_int_equal(check(&f->sim, 0, &make_append(&made, 2, 1, 1)->frame), STATUS_MALFORMED);
    assert_int_equal(check(&f->sim, 9, &make_append(&made, 2, 1, 1)->frame), STATUS_DENIED);

    static const struct {
        enum record_kind kind;
        uint64_t term;
    } wrong[] = {{RECORD_COMMAND, 0}, {RECORD_COMMAND, 3}, {RECORD_MEMBERSHIP, 2}, {9, 2}, {0, 2}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        make_append(&made, 2, 1, 1);
        add_record(&made, wrong[i].kind, wrong[i].term, bytes_of("\xff", 1));
        assert_int_equal(check(&f->sim, 2, &made.frame), STATUS_MALFORMED);
    }
    make_append(&made, 3, 1, 1);
    add_record(&made, RECORD_COMMAND, 2, bytes_of("a", 1));
    add_record(&made, RECORD_COMMAND, 1, bytes_of("b", 1));
    assert_int_equal(check(&f->sim, 2, &made.frame), STATUS_MALFORMED);
    assert_int_equal(status_of(&f->sim, 1).last_index, 1);
    expect_no_violation(&f->sim);
}

static void other_messages_that_cannot_be_end_the_stream(void **state)
{
    struct fixture *f = *state;
    Zhurnal__Peer__V1__Frame frame = ZHURNAL__PEER__V1__FRAME__INIT;
    Zhurnal__Peer__V1__RequestVote vote = ZHURNAL__PEER__V1__REQUEST_VOTE__INIT;
    Zhurnal__Peer__V1__TimeoutNow now = ZHURNAL__PEER__V1__TIMEOUT_NOW__INIT;
    Zhurnal__Peer__V1__InstallSnapshot install = ZHURNAL__PEER__V1__INSTALL_SNAPSHOT__INIT;
    Zhurnal__Peer__V1__RequestVoteResult result = ZHURNAL__PEER__V1__REQUEST_VOTE_RESULT__INIT;
    struct handmade answer;
    begin(&f->sim);
    assert_int_equal(check(&f->sim, 2, &frame), STATUS_MALFORMED);
    assert_int_equal(check(&f->sim, 2, &make_answer(&answer, 0, 0, 1)->frame), STATUS_MALFORMED);

    frame.message_case = ZHURNAL__PEER__V1__FRAME__MESSAGE_REQUEST_VOTE;
    frame.request_vote = &vote;
    vote.term = 5;
    vote.candidate = 3; /* In another's name. */
    vote.last_log_index = vote.last_log_term = 1;
    assert_int_equal(check(&f->sim, 2, &frame), STATUS_MALFORMED);
    vote.candidate = 2;
    vote.last_log_term = 6;
    assert_int_equal(check(&f->sim, 2, &frame), STATUS_MALFORMED);

    frame.message_case = ZHURNAL__PEER__V1__FRAME__MESSAGE_REQUEST_VOTE_RESULT;
    frame.request_vote_result = &result;
    assert_int_equal(check(&f->sim, 2, &frame), STATUS_MALFORMED);
    result.term = 2;
    result.version = 256;
    assert_int_equal(check(&f->sim, 2, &frame), STATUS_MALFORMED);

    frame.message_case = ZHURNAL__PEER__V1__FRAME__MESSAGE_TIMEOUT_NOW;
    frame.timeout_now = &now;
    now.term = 2;
    assert_int_equal(check(&f->sim, 2, &frame), STATUS_MALFORMED);

    frame.message_case = ZHURNAL__PEER__V1__FRAME__MESSAGE_INSTALL_SNAPSHOT;
    frame.install_snapshot = &install;
    install.term = 2;
    install.last_index = 5;
    install.last_term = 2;
    install.membership_index = 1; /* And no membership. */
    assert_int_equal(check(&f->sim, 2, &frame), STATUS_MALFORMED);
    expect_no_violation(&f->sim);
}

/* ---- numbers ---- */

static void make_frame(Zhurnal__Peer__V1__Frame *frame, Zhurnal__Peer__V1__Frame__MessageCase type)
{
    zhurnal__peer__v1__frame__init(frame);
    frame->group = SIM_GROUP;
    frame->message_case = type;
}

static void expect_malformed(struct sim *sim, const Zhurnal__Peer__V1__Frame *frame)
{
    struct driver_status before = status_of(sim, 1);
    assert_int_equal(check(sim, 2, frame), STATUS_MALFORMED);
    assert_int_equal(status_of(sim, 1).term, before.term);
    assert_int_equal(status_of(sim, 1).last_index, before.last_index);
}

static void entries_beyond_what_can_be_numbered_end_the_stream(void **state)
{
    struct fixture *f = *state;
    struct handmade made;
    uint8_t *four;
    size_t size = encode_members(4, &four);
    begin(&f->sim);
    make_append(&made, 2, UINT64_MAX, 1);
    add_record(&made, RECORD_COMMAND, 2, bytes_of("a", 1));
    add_record(&made, RECORD_MEMBERSHIP, 2, bytes_of(four, size));
    expect_malformed(&f->sim, &made.frame);
    free(four);
    make_append(&made, 2, 1, 1);
    made.append.leader_commit = UINT64_MAX;
    expect_malformed(&f->sim, &made.frame);
    expect_malformed(&f->sim, &make_answer(&made, 2, UINT64_MAX, 1)->frame);
    expect_malformed(&f->sim, &make_answer(&made, 2, 0, UINT64_MAX)->frame);
    expect_no_violation(&f->sim);
}

static void make_install(
    Zhurnal__Peer__V1__InstallSnapshot *install, uint64_t term, const uint8_t *members, size_t size)
{
    zhurnal__peer__v1__install_snapshot__init(install);
    install->version = 1;
    install->term = term;
    install->last_index = 5;
    install->last_term = 2;
    install->membership_index = 1;
    install->membership.data = (uint8_t *)members;
    install->membership.len = size;
}

static void a_snapshot_beyond_what_can_be_numbered_ends_the_stream(void **state)
{
    struct fixture *f = *state;
    Zhurnal__Peer__V1__Frame frame;
    Zhurnal__Peer__V1__InstallSnapshot install;
    uint8_t *three;
    size_t size = encode_members(3, &three);
    begin(&f->sim);
    make_frame(&frame, ZHURNAL__PEER__V1__FRAME__MESSAGE_INSTALL_SNAPSHOT);
    frame.install_snapshot = &install;
    make_install(&install, 2, three, size);
    install.last_index = UINT64_MAX;
    expect_malformed(&f->sim, &frame);
    make_install(&install, UINT64_MAX, three, size);
    expect_malformed(&f->sim, &frame);
    assert_int_equal(status_of(&f->sim, 1).install_to, 0);
    free(three);
    expect_no_violation(&f->sim);
}

static void ask_from_the_future(struct sim *sim, uint64_t term)
{
    Zhurnal__Peer__V1__Frame frame;
    Zhurnal__Peer__V1__RequestVote vote = ZHURNAL__PEER__V1__REQUEST_VOTE__INIT;
    Zhurnal__Peer__V1__RequestVoteResult result = ZHURNAL__PEER__V1__REQUEST_VOTE_RESULT__INIT;
    Zhurnal__Peer__V1__TimeoutNow now = ZHURNAL__PEER__V1__TIMEOUT_NOW__INIT;
    make_frame(&frame, ZHURNAL__PEER__V1__FRAME__MESSAGE_REQUEST_VOTE);
    frame.request_vote = &vote;
    vote.term = term;
    vote.candidate = 2;
    vote.last_log_index = vote.last_log_term = 1;
    expect_malformed(sim, &frame);
    make_frame(&frame, ZHURNAL__PEER__V1__FRAME__MESSAGE_REQUEST_VOTE_RESULT);
    frame.request_vote_result = &result;
    result.term = term;
    expect_malformed(sim, &frame);
    make_frame(&frame, ZHURNAL__PEER__V1__FRAME__MESSAGE_TIMEOUT_NOW);
    frame.timeout_now = &now;
    now.term = term;
    now.last_log_index = now.last_log_term = 1;
    expect_malformed(sim, &frame);
}

static const uint64_t TERMS_TOO_FAR = (uint64_t)1 << 32;

/* Whoever believed it would take the term for its own, and nobody could be elected after it. */
static void a_term_that_no_election_can_have_reached_ends_the_stream(void **state)
{
    struct fixture *f = *state;
    struct handmade made;
    begin(&f->sim);
    uint64_t beyond = status_of(&f->sim, 1).term + TERMS_TOO_FAR;
    const uint64_t terms[] = {beyond, INT64_MAX, (uint64_t)INT64_MAX + 1, UINT64_MAX};
    for (size_t i = 0; i < sizeof terms / sizeof *terms; i++) {
        expect_malformed(&f->sim, &make_append(&made, terms[i], 1, 1)->frame);
        expect_malformed(&f->sim, &make_answer(&made, terms[i], 0, 1)->frame);
        ask_from_the_future(&f->sim, terms[i]);
    }
    expect_no_violation(&f->sim);
}

/* One that was led to the last term that is believed does not reach the others by its own requests,
 * which are of the next; but they learn its term as they ask for its vote. */
static void who_was_led_far_ahead_is_caught_up_with(void **state)
{
    struct fixture *f = *state;
    struct sim *sim = &f->sim;
    struct handmade made;
    begin(sim);
    uint64_t far = status_of(sim, 1).term + TERMS_TOO_FAR - 1;
    assert_int_equal(check(sim, 2, &make_append(&made, far, 1, 1)->frame), STATUS_OK);
    assert_int_equal(status_of(sim, 1).term, far);
    for (int i = 0; i < 10 && status_of(sim, 2).term < far; i++) {
        sim_lose_all(sim);
        sim_timeout(sim_node(sim, 2));
        sim_pass(sim, 2, 1, ZHURNAL__PEER__V1__FRAME__MESSAGE_REQUEST_VOTE);
        sim_pass(sim, 1, 2, ZHURNAL__PEER__V1__FRAME__MESSAGE_REQUEST_VOTE_RESULT);
    }
    assert_int_equal(status_of(sim, 2).term, far);
    expect_no_violation(sim);
}

/* ---- memberships that the core does not take ---- */

static size_t encode_pair(uint64_t a, uint64_t b, uint8_t packed[64])
{
    Zhurnal__Peer__V1__Membership membership = ZHURNAL__PEER__V1__MEMBERSHIP__INIT;
    Zhurnal__Peer__V1__Member members[2];
    Zhurnal__Peer__V1__Member *pointers[2];
    char addresses[2][4] = {"a:1", "b:1"};
    for (unsigned i = 0; i < 2; i++) {
        zhurnal__peer__v1__member__init(&members[i]);
        members[i].node = i == 0 ? a : b;
        members[i].address = addresses[i];
        members[i].role = ZHURNAL__PEER__V1__MEMBER_ROLE__MEMBER_ROLE_VOTER;
        pointers[i] = &members[i];
    }
    membership.members = pointers;
    membership.n_members = 2;
    return zhurnal__peer__v1__membership__pack(&membership, packed);
}

static void a_membership_that_cannot_be_ends_the_stream(void **state)
{
    struct fixture *f = *state;
    static const uint64_t pairs[][2] = {{7, 7}, {7, 0}};
    struct handmade made;
    Zhurnal__Peer__V1__Frame frame;
    Zhurnal__Peer__V1__InstallSnapshot install;
    begin(&f->sim);
    make_frame(&frame, ZHURNAL__PEER__V1__FRAME__MESSAGE_INSTALL_SNAPSHOT);
    frame.install_snapshot = &install;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        uint8_t pair[64];
        size_t size = encode_pair(pairs[i][0], pairs[i][1], pair);
        make_append(&made, 2, 1, 1);
        add_record(&made, RECORD_COMMAND, 2, bytes_of("a", 1));
        add_record(&made, RECORD_MEMBERSHIP, 2, bytes_of(pair, size));
        expect_malformed(&f->sim, &made.frame);
        make_install(&install, 2, pair, size);
        expect_malformed(&f->sim, &frame);
    }
    expect_no_violation(&f->sim);
}

/* ---- memory ---- */

static void *no_memory(void *data, size_t size)
{
    (void)data;
    (void)size;
    return NULL;
}

static void give_back(void *data, void *memory)
{
    (void)data;
    free(memory);
}

/* Whoever sent them trusts that a connection which stands loses nothing. */
static void entries_that_find_no_memory_end_the_stream(void **state)
{
    struct fixture *f = *state;
    struct raft_heap none = {.malloc = no_memory, .free = give_back};
    struct handmade made;
    begin(&f->sim);
    make_append(&made, 2, 1, 1);
    add_record(&made, RECORD_COMMAND, 2, bytes_of("a", 1));
    raft_heap_set(&none);
    int status = check(&f->sim, 2, &made.frame);
    raft_heap_set_default();
    assert_int_equal(status, STATUS_NO_MEMORY);
    assert_int_equal(check(&f->sim, 2, &made.frame), STATUS_OK);
    assert_int_equal(status_of(&f->sim, 1).last_index, 2);
    expect_no_violation(&f->sim);
}

/* A sanitizer ends the process where there is no memory. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
enum { SANITIZED = true };
#else
enum { SANITIZED = false };
#endif

static struct record pulled_record(
    uint64_t index, uint64_t term, enum record_kind kind, struct bytes payload)
{
    return (struct record){.index = index, .term = term, .kind = kind, .payload = payload};
}

/* Nothing of what was not taken counts: another peer may bring something else. */
static void a_pull_that_finds_no_memory_leaves_nothing_behind(void **state)
{
    struct fixture *f = *state;
    if (SANITIZED) {
        skip();
    }
    struct sim_node *node = &f->sim.nodes[0];
    Zhurnal__Peer__V1__Frame frame;
    Zhurnal__Peer__V1__InstallSnapshot install;
    uint8_t *three;
    uint8_t *four;
    size_t size = encode_members(3, &three);
    size_t size_four = encode_members(4, &four);
    begin(&f->sim);
    make_frame(&frame, ZHURNAL__PEER__V1__FRAME__MESSAGE_INSTALL_SNAPSHOT);
    frame.install_snapshot = &install;
    make_install(&install, 2, three, size);
    install.last_index = 3;
    assert_int_equal(check(&f->sim, 2, &frame), STATUS_OK);
    assert_int_equal(driver_wants_pull(node->driver), 2);

    const struct record too_large[] = {
        pulled_record(2, 2, RECORD_MEMBERSHIP, bytes_of(four, size_four)),
        pulled_record(3, 2, RECORD_COMMAND, bytes_of("a", PTRDIFF_MAX - 1000))};
    assert_int_equal(driver_pulled(node->driver, too_large, 2), STATUS_NO_MEMORY);
    const struct record right[] = {pulled_record(2, 2, RECORD_COMMAND, bytes_of("a", 1)),
        pulled_record(3, 2, RECORD_COMMAND, bytes_of("b", 1))};
    assert_int_equal(driver_pulled(node->driver, right, 2), STATUS_OK);
    sim_flush(node);
    assert_int_equal(node->bounds.committed, 3);
    assert_int_equal(node->bounds.membership_index, 1);
    free(three);
    free(four);
    sim_end(&f->sim);
}

static void a_second_leader_of_our_term_ends_the_process(void **state)
{
    struct fixture *f = *state;
    struct handmade made;
    begin(&f->sim);
    sim_elect(&f->sim, 1, 2);
    make_append(&made, status_of(&f->sim, 1).term, 1, 1);
    assert_int_equal(check(&f->sim, 3, &made.frame), STATUS_CORRUPT);
    assert_non_null(strstr(f->sim.violation, "two leaders in one term"));
    assert_false(sim_node(&f->sim, 1)->up);
    sim_end(&f->sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_WITH_FIXTURE(entries_that_cannot_be_end_the_stream),
        TEST_WITH_FIXTURE(other_messages_that_cannot_be_end_the_stream),
        TEST_WITH_FIXTURE(entries_beyond_what_can_be_numbered_end_the_stream),
        TEST_WITH_FIXTURE(a_snapshot_beyond_what_can_be_numbered_ends_the_stream),
        TEST_WITH_FIXTURE(a_term_that_no_election_can_have_reached_ends_the_stream),
        TEST_WITH_FIXTURE(who_was_led_far_ahead_is_caught_up_with),
        TEST_WITH_FIXTURE(a_membership_that_cannot_be_ends_the_stream),
        TEST_WITH_FIXTURE(entries_that_find_no_memory_end_the_stream),
        TEST_WITH_FIXTURE(a_pull_that_finds_no_memory_leaves_nothing_behind),
        TEST_WITH_FIXTURE(a_second_leader_of_our_term_ends_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
