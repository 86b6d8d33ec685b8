/* A node, and a peer of the test's own making that does what ours would not: it answers as it is
 * told, falls silent with its connections open, and greets as others or out of turn. */
#include "node/peers_private.h"
#include "rpc/client.h"
#include "rpc/tls.h"
#include "tests/lib/certificates.h"
#include "tests/lib/test.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    OURS = 0xa1,
    THEIRS = 0xa2,
    OTHER = 0xa3, /* A member that is not there. */
    STRANGER = 0xa4,
    GROUP = 1,
    EPOCH = 1,
    CLUSTER = 0xc1,
    LATE_MS = 20000,
    DEAD_MS = 6000, /* Long enough to see that a peer is silent, on a busy machine too. */
    NOTES_MAX = 8,
    NOTE_SIZE = 128,
    PEER_SIZE = 64,
};

/* A stream of the wild one's to our node. */
struct greeting {
    struct rpc_stream *stream;
    bool accepted, over, settled;
    enum grpc_code code;
    char sentence[NOTE_SIZE];
};

struct fixture {
    struct authority *authority;
    uint64_t late_ns;
    /* Our node, on its loop. */
    uv_loop_t here;
    struct log log;
    struct state_identity identity;
    struct tls_context *server_tls, *client_tls;
    struct rpc_server *server;
    int port;
    struct peers *peers;
    bool server_stopped, peers_closed;
    unsigned connects, disconnects, hellos, notes;
    char note[NOTES_MAX][NOTE_SIZE];
    /* The wild one, on another loop, so that it can be left to itself. */
    uv_loop_t there;
    bool silent;
    struct tls_context *wild_server_tls, *wild_client_tls;
    struct rpc_server *wild;
    int wild_port;
    bool wild_stopped;
    unsigned calls;                                 /* Of those that are kept. */
    char caller[PEER_SIZE], raft_caller[PEER_SIZE]; /* Of the last call. */
    struct rpc_call *kept;                          /* Referenced. */
    const char *refusal;                            /* Of hellos; NULL: they are accepted. */
    unsigned heard;                                 /* Refused ones too. */
    struct rpc_channel *channel;                    /* To our node; NULL: none. */
    bool channel_closed;
    struct greeting one, two; /* They outlive the test's function. */
};

/* ---- turning ---- */

static void turn(struct fixture *f)
{
    uv_run(&f->here, UV_RUN_NOWAIT);
    if (!f->silent) {
        uv_run(&f->there, UV_RUN_NOWAIT);
    }
    usleep(200);
    assert_true(uv_hrtime() < f->late_ns);
}

static void run_until(struct fixture *f, const bool *flag)
{
    while (!*flag) {
        turn(f);
    }
}

static void run_until_reached(struct fixture *f, const unsigned *counter, unsigned value)
{
    while (*counter < value) {
        turn(f);
    }
}

/* ---- our node ---- */

static void on_connected(void *arg, uint64_t node, bool connected)
{
    struct fixture *f = arg;
    assert(node == THEIRS);
    f->connects += connected;
    f->disconnects += !connected;
}

static bool on_next_frame(
    void *arg, uint64_t node, void (*emit)(void *arg, struct bytes request), void *emit_arg)
{
    (void)arg;
    (void)node;
    (void)emit;
    (void)emit_arg;
    return false;
}

static int on_hello(void *arg, const Zhurnal__Peer__V1__Hello *hello, struct error *err)
{
    struct fixture *f = arg;
    (void)hello;
    (void)err;
    f->hellos++;
    return STATUS_OK;
}

static int on_receive(
    void *arg, uint64_t from, const Zhurnal__Peer__V1__Frame *frame, struct error *err)
{
    (void)arg;
    (void)from;
    (void)frame;
    (void)err;
    return STATUS_OK;
}

static int on_pulled(void *arg, const struct record *records, size_t count)
{
    (void)arg;
    (void)records;
    (void)count;
    return STATUS_MALFORMED;
}

static uint64_t on_wants_pull(void *arg)
{
    (void)arg;
    return 1;
}

static void on_pull_failed(void *arg)
{
    (void)arg;
}

static void on_forwarded(
    void *arg, struct rpc_call *call, const Zhurnal__Peer__V1__ForwardRequest *request)
{
    (void)arg;
    (void)request;
    rpc_call_finish(call, GRPC_UNAVAILABLE, "not here", bytes_of(NULL, 0));
}

static void on_note(void *arg, uint64_t node, const char *what)
{
    struct fixture *f = arg;
    if (node == THEIRS && f->notes < NOTES_MAX) {
        (void)snprintf(f->note[f->notes++], NOTE_SIZE, "%s", what);
    }
}

static const struct peers_hooks hooks = {.connected = on_connected,
    .next_frame = on_next_frame,
    .hello = on_hello,
    .receive = on_receive,
    .pulled = on_pulled,
    .wants_pull = on_wants_pull,
    .pull_failed = on_pull_failed,
    .forwarded = on_forwarded,
    .note = on_note};

static void start_ours(struct fixture *f)
{
    struct certificate_request request = certificates_node(OURS);
    memset(f->identity.cluster, CLUSTER, UUID_SIZE);
    memset(f->identity.directory, OURS, UUID_SIZE);
    f->identity.epoch = EPOCH;
    f->identity.node = OURS;
    f->identity.group = f->log.group = GROUP;
    f->server_tls = certificates_context(f->authority, f->authority, TLS_SERVER, &request);
    f->client_tls = certificates_context(f->authority, f->authority, TLS_CLIENT, &request);
    const struct rpc_server_options server = {.tls = f->server_tls};
    f->server = rpc_server_create(&f->here, &server);
    const struct peers_options options = {.tls = f->client_tls,
        .identity = f->identity,
        .level_max = 1,
        .version = "test",
        .log = &f->log};
    f->peers = peers_create(&f->here, f->server, &options, &hooks, f);
    assert_non_null(f->peers);
    assert_int_equal(rpc_server_listen(f->server, "127.0.0.1", &f->port, NULL), STATUS_OK);
}

/* ---- the wild one ---- */

static void keep(struct rpc_call *call, const ProtobufCMessage *message, struct bytes encoded)
{
    struct fixture *f = rpc_call_context(call);
    (void)message;
    (void)encoded;
    f->calls++;
    (void)snprintf(f->caller, PEER_SIZE, "%s", rpc_call_peer(call));
    if (f->kept == NULL) {
        rpc_call_ref(call);
        f->kept = call;
    }
}

static void on_raft(struct rpc_call *call, const ProtobufCMessage *message, struct bytes encoded)
{
    struct fixture *f = rpc_call_context(call);
    (void)message;
    (void)encoded;
    f->heard++;
    (void)snprintf(f->raft_caller, PEER_SIZE, "%s", rpc_call_peer(call));
    if (f->refusal != NULL) {
        rpc_call_finish(call, GRPC_PERMISSION_DENIED, f->refusal, bytes_of(NULL, 0));
    } else {
        rpc_call_take_up(call);
    }
}

static const struct rpc_method methods[] = {
    {.path = "/zhurnal.peer.v1.PeerService/Raft", .kind = RPC_CLIENT_STREAM, .on_message = on_raft},
    {.path = "/zhurnal.peer.v1.PeerService/Forward", .kind = RPC_UNARY, .on_message = keep},
    {.path = "/zhurnal.peer.v1.PeerService/Pull", .kind = RPC_SERVER_STREAM, .on_message = keep},
};

static void start_theirs(struct fixture *f)
{
    struct certificate_request request = certificates_node(THEIRS);
    f->wild_server_tls = certificates_context(f->authority, f->authority, TLS_SERVER, &request);
    f->wild_client_tls = certificates_context(f->authority, f->authority, TLS_CLIENT, &request);
    const struct rpc_server_options server = {.tls = f->wild_server_tls};
    f->wild = rpc_server_create(&f->there, &server);
    assert_non_null(f->wild);
    assert_int_equal(
        rpc_server_register(f->wild, methods, sizeof methods / sizeof methods[0], f), STATUS_OK);
    assert_int_equal(rpc_server_listen(f->wild, "127.0.0.1", &f->wild_port, NULL), STATUS_OK);
}

/* ---- the fixture ---- */

static int set_up(void **state)
{
    static struct fixture f;
    f = (struct fixture){.late_ns = uv_hrtime() + UINT64_C(1000000) * LATE_MS};
    tls_library_init();
    assert_int_equal(uv_loop_init(&f.here), 0);
    assert_int_equal(uv_loop_init(&f.there), 0);
    f.authority = certificates_authority(CLUSTER);
    start_ours(&f);
    start_theirs(&f);
    *state = &f;
    return 0;
}

static void introduce(struct fixture *f)
{
    char address[32];
    (void)snprintf(address, sizeof address, "127.0.0.1:%d", f->wild_port);
    const struct peers_member members[] = {
        {.node = THEIRS, .address = address}, {.node = OTHER, .address = "127.0.0.1:1"}};
    peers_set_members(f->peers, members, 2);
}

static void raise_flag(void *arg)
{
    *(bool *)arg = true;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    f->silent = false;
    if (f->kept != NULL) {
        rpc_call_unref(f->kept);
    }
    if (f->channel != NULL) {
        rpc_channel_close(f->channel, raise_flag, &f->channel_closed);
        run_until(f, &f->channel_closed);
    }
    rpc_server_stop(f->server, 0, raise_flag, &f->server_stopped);
    run_until(f, &f->server_stopped);
    peers_stop(f->peers, raise_flag, &f->peers_closed);
    run_until(f, &f->peers_closed);
    rpc_server_stop(f->wild, 0, raise_flag, &f->wild_stopped);
    run_until(f, &f->wild_stopped);
    rpc_server_destroy(f->server);
    rpc_server_destroy(f->wild);
    uv_run(&f->here, UV_RUN_DEFAULT);
    uv_run(&f->there, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->here), 0);
    assert_int_equal(uv_loop_close(&f->there), 0);
    tls_context_destroy(f->server_tls);
    tls_context_destroy(f->client_tls);
    tls_context_destroy(f->wild_server_tls);
    tls_context_destroy(f->wild_client_tls);
    authority_destroy(f->authority);
    return 0;
}

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

/* ---- writes that are passed on ---- */

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
