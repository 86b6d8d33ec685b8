/* A node, and a peer of the test's own making that does what ours would not: it answers as it is
 * told, falls silent with its connections open, and greets as others or out of turn. */
#include "node/peers.h"
#include "rpc/client.h"
#include "rpc/tls.h"
#include "tests/lib/certificates.h"
#include "tests/lib/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    OURS = 0xa1,
    THEIRS = 0xa2,
    GROUP = 1,
    EPOCH = 1,
    CLUSTER = 0xc1,
    LATE_MS = 20000,
    DEAD_MS = 6000, /* Long enough to see that a peer is silent, on a busy machine too. */
    NOTES_MAX = 8,
    NOTE_SIZE = 128,
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
    unsigned calls;        /* Of those that are kept. */
    struct rpc_call *kept; /* Referenced. */
    const char *refusal;   /* Of hellos; NULL: they are accepted. */
    unsigned greetings;    /* Refused ones too. */
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
    (void)node;
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
    assert_int_equal(node, THEIRS);
    assert_true(f->notes < NOTES_MAX);
    (void)snprintf(f->note[f->notes++], NOTE_SIZE, "%s", what);
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
    f->greetings++;
    if (f->refusal != NULL) {
        rpc_call_finish(call, GRPC_PERMISSION_DENIED, f->refusal, bytes_of(NULL, 0));
    } else {
        rpc_call_take_up(call);
    }
}

static const struct rpc_method methods[] = {
    {.path = "/zhurnal.peer.v1.PeerService/Raft", .kind = RPC_CLIENT_STREAM, .on_message = on_raft},
    {.path = "/zhurnal.peer.v1.PeerService/Forward", .kind = RPC_UNARY, .on_message = keep},
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
    const struct peers_member member = {.node = THEIRS, .address = address};
    peers_set_members(f->peers, &member, 1);
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
    assert_in_range(f->greetings, 2, 3);
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
    pass_on(f, &forwarded, 300);
    run_until(f, &forwarded.over);
    assert_int_equal(f->calls, 1);
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
        TEST_WITH_FIXTURE(a_leader_that_falls_silent_is_not_waited_for),
        TEST_WITH_FIXTURE(a_leader_that_takes_its_time_leaves_the_outcome_unknown),
        TEST_WITH_FIXTURE(what_the_leader_says_is_passed_on),
        TEST_WITH_FIXTURE(a_verdict_on_a_thousand_events_comes_through),
        TEST_WITH_FIXTURE(a_write_that_did_not_go_out_is_known_not_to_have),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
