/* A node, and a peer of the test's own making that does what ours would not: it answers as it is
 * told, falls silent with its connections open, and greets as others or out of turn. */
#ifndef TESTS_NODE_WILD_PEER_H
#define TESTS_NODE_WILD_PEER_H

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

#endif
