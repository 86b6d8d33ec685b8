/* Writes that are passed on to a leader, and what becomes of them. */
#include "tests/node/wild_peer.h"

struct forwarded {
    bool over;
    enum grpc_code code;
    bool not_sent;
    size_t events;
    char sentence[NOTE_SIZE];
};

static void on_forward_done(
    void *arg, const struct rpc_result *result, const Zhurnal__V1__AppendResponse *response)
{
    struct forwarded *forwarded = arg;
    forwarded->over = true;
    forwarded->events = response != NULL ? response->verdict->n_events : 0;
    forwarded->code = result->code;
    forwarded->not_sent = result->not_sent;
    (void)snprintf(forwarded->sentence, NOTE_SIZE, "%s", result->sentence);
}

static void pass_on(struct fixture *f, struct forwarded *forwarded, uint64_t timeout_ms)
{
    Zhurnal__Peer__V1__ForwardRequest request = ZHURNAL__PEER__V1__FORWARD_REQUEST__INIT;
    *forwarded = (struct forwarded){0};
    assert_int_equal(
        peers_forward(f->peers, THEIRS, &request, timeout_ms, on_forward_done, forwarded),
        STATUS_OK);
}

static void expect_unknown(const struct forwarded *forwarded)
{
    assert_int_equal(forwarded->code, GRPC_UNAVAILABLE);
    assert_false(forwarded->not_sent);
    assert_string_equal(forwarded->sentence, "outcome unknown, send again with the same id");
}

static void a_leader_that_falls_silent_is_not_waited_for(void **state)
{
    struct fixture *f = *state;
    struct forwarded forwarded;
    introduce(f);
    pass_on(f, &forwarded, UINT64_C(10) * LATE_MS);
    run_until_reached(f, &f->calls, 1);
    f->silent = true;
    f->late_ns = uv_hrtime() + UINT64_C(1000000) * DEAD_MS;
    run_until(f, &forwarded.over);
    expect_unknown(&forwarded);
    f->late_ns += UINT64_C(1000000) * LATE_MS;
}

static void a_leader_that_takes_its_time_leaves_the_outcome_unknown(void **state)
{
    struct fixture *f = *state;
    struct forwarded forwarded;
    introduce(f);
    pass_on(f, &forwarded, LATE_MS);
    run_until_reached(f, &f->calls, 1);
    rpc_call_finish(f->kept, GRPC_UNAVAILABLE, "not yet", bytes_of(NULL, 0));
    run_until(f, &forwarded.over);
    pass_on(f, &forwarded, 300);
    run_until(f, &forwarded.over);
    expect_unknown(&forwarded);
}

static void what_the_leader_says_is_passed_on(void **state)
{
    struct fixture *f = *state;
    struct forwarded forwarded;
    introduce(f);
    pass_on(f, &forwarded, LATE_MS);
    run_until_reached(f, &f->calls, 1);
    rpc_call_finish(f->kept, GRPC_UNAVAILABLE, "there is an election", bytes_of(NULL, 0));
    run_until(f, &forwarded.over);
    assert_int_equal(forwarded.code, GRPC_UNAVAILABLE);
    assert_string_equal(forwarded.sentence, "there is an election");
}

/* It was given as much time as our client has left, or a minute. */
static void a_leaders_deadline_is_not_the_clients(void **state)
{
    struct fixture *f = *state;
    struct forwarded forwarded;
    introduce(f);
    pass_on(f, &forwarded, LATE_MS);
    run_until_reached(f, &f->calls, 1);
    rpc_call_finish(f->kept, GRPC_DEADLINE_EXCEEDED, "too late", bytes_of(NULL, 0));
    run_until(f, &forwarded.over);
    expect_unknown(&forwarded);
}

static void bulk_has_a_connection_of_its_own(void **state)
{
    struct fixture *f = *state;
    struct forwarded forwarded;
    char forwarder[PEER_SIZE];
    introduce(f);
    run_until_reached(f, &f->heard, 1);
    pass_on(f, &forwarded, LATE_MS);
    run_until_reached(f, &f->calls, 1);
    memcpy(forwarder, f->caller, PEER_SIZE);
    assert_string_not_equal(forwarder, f->raft_caller);
    peers_pull(f->peers, 1, 2, 0);
    run_until_reached(f, &f->calls, 2);
    assert_string_equal(f->caller, forwarder);
    rpc_call_abort(f->kept);
    run_until(f, &forwarded.over);
}

/* Each is two bytes, and a hundred in memory. */
static void a_verdict_on_a_thousand_events_comes_through(void **state)
{
    enum { EVENTS = 1000 };
    static Zhurnal__V1__EventVerdict event = ZHURNAL__V1__EVENT_VERDICT__INIT;
    static Zhurnal__V1__EventVerdict *events[EVENTS];
    struct fixture *f = *state;
    struct forwarded forwarded;
    Zhurnal__V1__Verdict verdict = ZHURNAL__V1__VERDICT__INIT;
    Zhurnal__V1__AppendResponse append = ZHURNAL__V1__APPEND_RESPONSE__INIT;
    Zhurnal__Peer__V1__ForwardResponse response = ZHURNAL__PEER__V1__FORWARD_RESPONSE__INIT;
    for (size_t i = 0; i < EVENTS; i++) {
        events[i] = &event;
    }
    verdict.n_events = EVENTS;
    verdict.events = events;
    append.verdict = &verdict;
    response.response = &append;
    introduce(f);
    pass_on(f, &forwarded, LATE_MS);
    run_until_reached(f, &f->calls, 1);
    rpc_call_reply(f->kept, &response.base);
    run_until(f, &forwarded.over);
    assert_int_equal(forwarded.code, GRPC_OK);
    assert_int_equal(forwarded.events, EVENTS);
}

static void a_write_that_did_not_go_out_is_known_not_to_have(void **state)
{
    struct fixture *f = *state;
    struct forwarded forwarded;
    f->silent = true;
    introduce(f);
    pass_on(f, &forwarded, LATE_MS);
    run_until(f, &forwarded.over);
    assert_int_equal(forwarded.code, GRPC_UNAVAILABLE);
    assert_true(forwarded.not_sent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_WITH_FIXTURE(a_leader_that_falls_silent_is_not_waited_for),
        TEST_WITH_FIXTURE(a_leader_that_takes_its_time_leaves_the_outcome_unknown),
        TEST_WITH_FIXTURE(what_the_leader_says_is_passed_on),
        TEST_WITH_FIXTURE(a_leaders_deadline_is_not_the_clients),
        TEST_WITH_FIXTURE(bulk_has_a_connection_of_its_own),
        TEST_WITH_FIXTURE(a_verdict_on_a_thousand_events_comes_through),
        TEST_WITH_FIXTURE(a_write_that_did_not_go_out_is_known_not_to_have),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
