/* What a peer may say of itself, and over which connection. */
#include "tests/node/wild_peer.h"

/* ---- hellos that are refused ---- */

static void run_for(struct fixture *f, unsigned ms)
{
    for (uint64_t until = uv_hrtime() + UINT64_C(1000000) * ms; uv_hrtime() < until;) {
        turn(f);
    }
}

static void who_is_refused_says_so_once_and_asks_less_and_less(void **state)
{
    struct fixture *f = *state;
    f->refusal = "another directory";
    introduce(f);
    run_for(f, 2200); /* More than four times what is waited after the first. */
    assert_in_range(f->heard, 2, 3);
    assert_int_equal(f->notes, 1);
    assert_string_equal(f->note[0], "PERMISSION_DENIED: another directory");
    assert_int_equal(f->connects, 0);
    assert_int_equal(f->disconnects, 0);
}

static void another_reason_is_told_and_so_is_the_end_of_it(void **state)
{
    struct fixture *f = *state;
    f->refusal = "not a member";
    introduce(f);
    run_until_reached(f, &f->notes, 1);
    f->refusal = "another directory";
    run_until_reached(f, &f->notes, 2);
    assert_string_equal(f->note[1], "PERMISSION_DENIED: another directory");
    assert_int_equal(f->connects, 0);
    f->refusal = NULL;
    run_until_reached(f, &f->notes, 3);
    assert_string_equal(f->note[2], "reachable");
    assert_int_equal(f->connects, 1);
    assert_int_equal(f->disconnects, 0);
}

static void a_lost_node_is_told_by_what_became_of_its_connection(void **state)
{
    struct fixture *f = *state;
    introduce(f);
    run_until_reached(f, &f->notes, 1);
    assert_string_equal(f->note[0], "reachable");
    f->silent = true;
    run_until_reached(f, &f->notes, 2);
    assert_string_equal(f->note[1], "the peer gives no sign of life");
    assert_int_equal(f->disconnects, 1);
}

/* ---- what it says of itself ---- */

static void on_accepted(struct rpc_stream *stream)
{
    struct greeting *g = rpc_stream_user(stream);
    g->accepted = g->settled = true;
}

static void on_refused(struct rpc_stream *stream, const struct rpc_result *result)
{
    struct greeting *g = rpc_stream_user(stream);
    g->over = g->settled = true;
    g->code = result->code;
    (void)snprintf(g->sentence, NOTE_SIZE, "%s", result->sentence);
}

static Zhurnal__Peer__V1__Hello hello_of(struct fixture *f, uint64_t session)
{
    Zhurnal__Peer__V1__Hello hello = ZHURNAL__PEER__V1__HELLO__INIT;
    hello.cluster = (ProtobufCBinaryData){.data = f->identity.cluster, .len = UUID_SIZE};
    hello.epoch = EPOCH;
    hello.node = THEIRS;
    hello.directory = (ProtobufCBinaryData){.data = f->identity.directory, .len = UUID_SIZE};
    hello.level_max = 1;
    hello.session = session;
    return hello;
}

static int say_hello(struct greeting *g, Zhurnal__Peer__V1__Hello *hello)
{
    Zhurnal__Peer__V1__RaftRequest request = ZHURNAL__PEER__V1__RAFT_REQUEST__INIT;
    request.message_case = ZHURNAL__PEER__V1__RAFT_REQUEST__MESSAGE_HELLO;
    request.hello = hello;
    return rpc_stream_send(g->stream, &request.base);
}

static void open_stream(struct fixture *f, struct greeting *g)
{
    if (f->channel == NULL) {
        const struct rpc_channel_options channel = {
            .host = "127.0.0.1", .port = f->port, .tls = f->wild_client_tls, .expect_node = OURS};
        assert_int_equal(rpc_channel_open(&f->channel, &f->there, &channel, NULL), STATUS_OK);
    }
    const struct rpc_stream_options options = {.path = "/zhurnal.peer.v1.PeerService/Raft",
        .on_taken_up = on_accepted,
        .on_status = on_refused,
        .user = g};
    *g = (struct greeting){.stream = rpc_stream_start(f->channel, &options)};
    assert_non_null(g->stream);
}

/* Until our node has made up its mind. */
static void greet(struct fixture *f, struct greeting *g, Zhurnal__Peer__V1__Hello hello)
{
    open_stream(f, g);
    assert_int_equal(say_hello(g, &hello), STATUS_OK);
    run_until(f, &g->settled);
}

static void expect_refused(const struct greeting *g, enum grpc_code code, const char *why)
{
    assert_false(g->accepted);
    assert_int_equal(g->code, code);
    if (strstr(g->sentence, why) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", g->sentence, why);
    }
}

static void a_hello_says_who_its_certificate_says(void **state)
{
    struct fixture *f = *state;
    introduce(f);
    Zhurnal__Peer__V1__Hello hello = hello_of(f, 1);
    hello.node = OTHER;
    greet(f, &f->one, hello);
    expect_refused(&f->one, GRPC_PERMISSION_DENIED, "the certificate is node 00000000000000a2's");
    assert_int_equal(f->hellos, 0);
}

static void a_hello_is_of_our_cluster_and_of_its_present_life(void **state)
{
    struct fixture *f = *state;
    uint8_t other[UUID_SIZE] = {CLUSTER};
    introduce(f);
    Zhurnal__Peer__V1__Hello hello = hello_of(f, 1);
    hello.cluster.data = other;
    greet(f, &f->one, hello);
    expect_refused(&f->one, GRPC_PERMISSION_DENIED, "another cluster");
    hello = hello_of(f, 2);
    uint8_t longer[UUID_SIZE + 1];
    memset(longer, CLUSTER, sizeof longer);
    hello.cluster = (ProtobufCBinaryData){.data = longer, .len = sizeof longer};
    greet(f, &f->one, hello);
    expect_refused(&f->one, GRPC_PERMISSION_DENIED, "another cluster");
    hello = hello_of(f, 3);
    hello.epoch++;
    greet(f, &f->one, hello);
    expect_refused(&f->one, GRPC_PERMISSION_DENIED, "epoch 2");
    hello = hello_of(f, 4);
    hello.directory.len--;
    greet(f, &f->one, hello);
    expect_refused(&f->one, GRPC_INVALID_ARGUMENT, "data directory");
    assert_int_equal(f->hellos, 0);
}

static void a_hello_is_a_members(void **state)
{
    struct fixture *f = *state;
    struct certificate_request request = certificates_node(STRANGER);
    introduce(f);
    tls_context_destroy(f->wild_client_tls);
    f->wild_client_tls = certificates_context(f->authority, f->authority, TLS_CLIENT, &request);
    Zhurnal__Peer__V1__Hello hello = hello_of(f, 1);
    hello.node = STRANGER;
    greet(f, &f->one, hello);
    expect_refused(&f->one, GRPC_PERMISSION_DENIED, "not a member");
    assert_int_equal(f->hellos, 0);
}

static void a_refused_hello_is_told_once_for_each_reason(void **state)
{
    struct fixture *f = *state;
    Zhurnal__Peer__V1__Hello hello = hello_of(f, 1);
    introduce(f);
    run_until_reached(f, &f->notes, 1);
    hello.epoch = 2;
    greet(f, &f->one, hello);
    greet(f, &f->one, hello);
    assert_int_equal(f->notes, 2);
    hello.epoch = 3;
    greet(f, &f->one, hello);
    assert_int_equal(f->notes, 3);
    hello.epoch = EPOCH;
    greet(f, &f->one, hello);
    assert_true(f->one.accepted);
    assert_int_equal(f->notes, 3);
}

static void a_stream_begins_with_its_only_hello(void **state)
{
    struct fixture *f = *state;
    Zhurnal__Peer__V1__RaftRequest request = ZHURNAL__PEER__V1__RAFT_REQUEST__INIT;
    Zhurnal__Peer__V1__Frame frame = ZHURNAL__PEER__V1__FRAME__INIT;
    Zhurnal__Peer__V1__Hello hello = hello_of(f, 2);
    introduce(f);
    request.message_case = ZHURNAL__PEER__V1__RAFT_REQUEST__MESSAGE_FRAME;
    request.frame = &frame;
    open_stream(f, &f->one);
    assert_int_equal(rpc_stream_send(f->one.stream, &request.base), STATUS_OK);
    run_until(f, &f->one.settled);
    expect_refused(&f->one, GRPC_INVALID_ARGUMENT, "one hello, and then frames");
    greet(f, &f->one, hello_of(f, 1));
    assert_true(f->one.accepted);
    assert_int_equal(say_hello(&f->one, &hello), STATUS_OK);
    run_until(f, &f->one.over);
    assert_int_equal(f->one.code, GRPC_INVALID_ARGUMENT);
    assert_int_equal(f->hellos, 1);
}

/* ---- streams of one node, one after the other ---- */

enum { PROCESS = 1 << PEERS_SESSION_BITS };

static void a_newer_stream_ends_the_older(void **state)
{
    struct fixture *f = *state;
    introduce(f);
    greet(f, &f->one, hello_of(f, PROCESS + 1));
    assert_true(f->one.accepted);
    greet(f, &f->two, hello_of(f, PROCESS + 2));
    assert_true(f->two.accepted);
    run_until(f, &f->one.over);
    assert_int_equal(f->one.code, GRPC_CANCELLED);
    assert_false(f->two.over);
}

static void an_older_stream_that_comes_late_is_refused(void **state)
{
    struct fixture *f = *state;
    introduce(f);
    greet(f, &f->one, hello_of(f, PROCESS + 2));
    greet(f, &f->two, hello_of(f, PROCESS + 1));
    expect_refused(&f->two, GRPC_FAILED_PRECONDITION, "a newer stream of this node is open");
    greet(f, &f->two, hello_of(f, PROCESS + 2));
    expect_refused(&f->two, GRPC_FAILED_PRECONDITION, "a newer stream of this node is open");
    assert_false(f->one.over);
    rpc_stream_cancel(f->one.stream);
    run_until(f, &f->one.over);
    while (peers_find(f->peers, THEIRS)->incoming.call != NULL) {
        turn(f);
    }
    greet(f, &f->two, hello_of(f, PROCESS + 1));
    expect_refused(&f->two, GRPC_FAILED_PRECONDITION, "was here already");
    greet(f, &f->two, hello_of(f, PROCESS + 3));
    assert_true(f->two.accepted);
}

/* A process that began when the clock was behind is not told from a dead one's stream, for a while.
 */
static void a_clock_that_was_set_back_keeps_nobody_out_for_ever(void **state)
{
    struct fixture *f = *state;
    introduce(f);
    greet(f, &f->one, hello_of(f, 2 * PROCESS + 1));
    rpc_stream_cancel(f->one.stream);
    run_until(f, &f->one.over);
    struct incoming *incoming = &peers_find(f->peers, THEIRS)->incoming;
    while (incoming->call != NULL) {
        turn(f);
    }
    greet(f, &f->two, hello_of(f, PROCESS + 1));
    expect_refused(&f->two, GRPC_FAILED_PRECONDITION, "was here already");
    incoming->ended_ms -= PEERS_LATE_MS;
    greet(f, &f->two, hello_of(f, PROCESS + 1));
    assert_true(f->two.accepted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_WITH_FIXTURE(who_is_refused_says_so_once_and_asks_less_and_less),
        TEST_WITH_FIXTURE(another_reason_is_told_and_so_is_the_end_of_it),
        TEST_WITH_FIXTURE(a_lost_node_is_told_by_what_became_of_its_connection),
        TEST_WITH_FIXTURE(a_hello_says_who_its_certificate_says),
        TEST_WITH_FIXTURE(a_hello_is_of_our_cluster_and_of_its_present_life),
        TEST_WITH_FIXTURE(a_hello_is_a_members),
        TEST_WITH_FIXTURE(a_refused_hello_is_told_once_for_each_reason),
        TEST_WITH_FIXTURE(a_stream_begins_with_its_only_hello),
        TEST_WITH_FIXTURE(a_newer_stream_ends_the_older),
        TEST_WITH_FIXTURE(an_older_stream_that_comes_late_is_refused),
        TEST_WITH_FIXTURE(a_clock_that_was_set_back_keeps_nobody_out_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
