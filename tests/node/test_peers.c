/* Nodes that talk: each with a server and peers of its own, in one loop, over mutual TLS. */
#include "node/peers.h"
#include "rpc/tls.h"
#include "tests/lib/certificates.h"
#include "tests/lib/test.h"
#include "tests/lib/tmpdir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NODES = 2,
    FIRST = 0xa1,
    GROUP = 1,
    EPOCH = 1,
    CLUSTER = 0xc1,
    LATE_MS = 20000,
    QUIET_MS = 1500, /* Longer than a connection waits before it asks for a sign of life. */
    MAP = 64 << 20,
    RECORDS = 3000,
    BARRIERS = 5000, /* More than one piece holds. */
    PAYLOAD = 1000,
    SILENCE_MS = 1500, /* After which a pull is tried elsewhere. */
};

struct fixture;

struct node {
    struct fixture *f;
    uint64_t id;
    struct state_identity identity;
    struct tls_context *server_tls, *client_tls;
    struct rpc_server *server;
    struct peers *peers;
    int port;
    char address[32];
    bool server_stopped, peers_closed;
    /* What happened. */
    unsigned connects, disconnects, hellos, received, refusals, notes;
    uint64_t last_commit;
    /* Frames to send: empty AppendEntries with these commits. */
    uint64_t next_commit, commit_max;
    bool refuse_hello, refuse_frames;
    /* Pulling. */
    uint64_t wants, pulled_to, pulls_failed;
    unsigned pieces;
};

struct fixture {
    struct tmpdir dir;
    struct env env;
    struct log log;
    uv_loop_t loop;
    uv_timer_t timer;
    bool late;
    struct authority *authority;
    struct node nodes[NODES];
};

/* ---- hooks ---- */

static void on_connected(void *arg, uint64_t node, bool connected)
{
    struct node *n = arg;
    (void)node;
    n->connects += connected;
    n->disconnects += !connected;
}

static bool on_next_frame(
    void *arg, uint64_t node, void (*emit)(void *arg, struct bytes request), void *emit_arg)
{
    struct node *n = arg;
    uint8_t packed[128];
    (void)node;
    if (n->next_commit >= n->commit_max) {
        return false;
    }
    Zhurnal__Peer__V1__RaftRequest request = ZHURNAL__PEER__V1__RAFT_REQUEST__INIT;
    Zhurnal__Peer__V1__Frame frame = ZHURNAL__PEER__V1__FRAME__INIT;
    Zhurnal__Peer__V1__AppendEntries append = ZHURNAL__PEER__V1__APPEND_ENTRIES__INIT;
    append.leader_commit = ++n->next_commit;
    frame.message_case = ZHURNAL__PEER__V1__FRAME__MESSAGE_APPEND_ENTRIES;
    frame.append_entries = &append;
    request.message_case = ZHURNAL__PEER__V1__RAFT_REQUEST__MESSAGE_FRAME;
    request.frame = &frame;
    size_t size = zhurnal__peer__v1__raft_request__pack(&request, packed);
    emit(emit_arg, bytes_of(packed, size));
    return true;
}

static int on_hello(void *arg, const Zhurnal__Peer__V1__Hello *hello, struct error *err)
{
    struct node *n = arg;
    (void)hello;
    n->hellos++;
    if (n->refuse_hello) {
        n->refusals++;
        return error_set(err, STATUS_DENIED, "another directory");
    }
    return STATUS_OK;
}

static int on_receive(
    void *arg, uint64_t from, const Zhurnal__Peer__V1__Frame *frame, struct error *err)
{
    struct node *n = arg;
    if (from == n->id || n->refuse_frames) {
        n->refusals++;
        return error_set(err, STATUS_MALFORMED, "not this");
    }
    n->received += frame->append_entries->leader_commit == n->last_commit + 1;
    n->last_commit = frame->append_entries->leader_commit;
    return STATUS_OK;
}

static int on_pulled(void *arg, const struct record *records, size_t count)
{
    struct node *n = arg;
    for (size_t i = 0; i < count; i++) {
        size_t payload = records[i].kind == RECORD_BARRIER ? 0 : PAYLOAD;
        if (records[i].index != n->pulled_to + 1 || records[i].payload.size != payload) {
            return STATUS_MALFORMED;
        }
        n->pulled_to++;
    }
    n->pieces++;
    n->wants = n->pulled_to + 1;
    return STATUS_OK;
}

static uint64_t on_wants_pull(void *arg)
{
    return ((struct node *)arg)->wants;
}

static void on_pull_failed(void *arg)
{
    ((struct node *)arg)->pulls_failed++;
}

static void on_forwarded(
    void *arg, struct rpc_call *call, const Zhurnal__Peer__V1__ForwardRequest *request)
{
    (void)arg;
    if (request->request.len == 0) {
        rpc_call_finish(call, GRPC_ALREADY_EXISTS, "taken", bytes_of("\x08\x06", 2));
        return;
    }
    Zhurnal__Peer__V1__ForwardResponse response = ZHURNAL__PEER__V1__FORWARD_RESPONSE__INIT;
    Zhurnal__V1__AppendResponse append = ZHURNAL__V1__APPEND_RESPONSE__INIT;
    append.index = request->request.len;
    response.response = &append;
    rpc_call_reply(call, &response.base);
}

static void on_note(void *arg, uint64_t node, const char *what)
{
    (void)node;
    (void)what;
    ((struct node *)arg)->notes++;
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

/* ---- the fixture ---- */

static void on_timer(uv_timer_t *timer)
{
    ((struct fixture *)timer->data)->late = true;
}

static void fill_log(struct fixture *f)
{
    static struct record records[RECORDS];
    static uint8_t payload[PAYLOAD];
    struct env_options options = log_env_options(MAP);
    struct txn txn;
    options.sync = false;
    assert_int_equal(env_open(&f->env, tmpdir_path(&f->dir, "log"), &options, NULL), STATUS_OK);
    assert_int_equal(log_open(&f->log, &f->env, GROUP, NULL), STATUS_OK);
    for (size_t i = 0; i < RECORDS; i++) {
        records[i] = (struct record){.index = i + 1,
            .term = 1,
            .kind = RECORD_COMMAND,
            .payload = bytes_of(payload, sizeof payload)};
    }
    const struct log_write write = {
        .records = records, .count = RECORDS, .committed = RECORDS - 10};
    txn_begin_write(&txn, &f->env);
    log_write(&txn, &f->log, &write);
    assert_int_equal(txn_commit(&txn), STATUS_OK);
}

static void start_node(struct fixture *f, struct node *n, uint64_t id, uint64_t epoch)
{
    struct certificate_request request = certificates_node(id);
    *n = (struct node){.f = f, .id = id, .wants = 1};
    memset(n->identity.cluster, CLUSTER, UUID_SIZE);
    memset(n->identity.directory, (int)id, UUID_SIZE);
    n->identity.epoch = epoch;
    n->identity.node = id;
    n->identity.group = GROUP;
    n->server_tls = certificates_context(f->authority, f->authority, TLS_SERVER, &request);
    n->client_tls = certificates_context(f->authority, f->authority, TLS_CLIENT, &request);
    const struct rpc_server_options server = {.tls = n->server_tls};
    n->server = rpc_server_create(&f->loop, &server);
    const struct peers_options options = {.tls = n->client_tls,
        .identity = n->identity,
        .level_max = 1,
        .version = "test",
        .log = &f->log,
        .pull_silence_ms = SILENCE_MS};
    n->peers = peers_create(&f->loop, n->server, &options, &hooks, n);
    assert_non_null(n->peers);
    assert_int_equal(rpc_server_listen(n->server, "127.0.0.1", &n->port, NULL), STATUS_OK);
    snprintf(n->address, sizeof n->address, "127.0.0.1:%d", n->port);
}

static int set_up(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof f);
    tls_library_init();
    tmpdir_make(&f.dir);
    fill_log(&f);
    assert_int_equal(uv_loop_init(&f.loop), 0);
    uv_timer_init(&f.loop, &f.timer);
    f.timer.data = &f;
    uv_timer_start(&f.timer, on_timer, LATE_MS, 0);
    f.authority = certificates_authority(CLUSTER);
    for (unsigned i = 0; i < NODES; i++) {
        start_node(&f, &f.nodes[i], FIRST + i, EPOCH);
    }
    *state = &f;
    return 0;
}

static void introduce(struct fixture *f)
{
    struct peers_member members[NODES];
    for (unsigned i = 0; i < NODES; i++) {
        members[i] = (struct peers_member){.node = f->nodes[i].id, .address = f->nodes[i].address};
    }
    for (unsigned i = 0; i < NODES; i++) {
        peers_set_members(f->nodes[i].peers, members, NODES);
    }
}

static void on_stopped(void *arg)
{
    ((struct node *)arg)->server_stopped = true;
}

static void on_closed(void *arg)
{
    ((struct node *)arg)->peers_closed = true;
}

static void run_until(struct fixture *f, const bool *flag)
{
    while (!*flag && !f->late) {
        uv_run(&f->loop, UV_RUN_ONCE);
    }
    assert_false(f->late);
}

static void run_until_reached(struct fixture *f, const unsigned *counter, unsigned value)
{
    while (*counter < value && !f->late) {
        uv_run(&f->loop, UV_RUN_ONCE);
    }
    assert_false(f->late);
}

static void stop_node(struct fixture *f, struct node *n)
{
    if (n->server == NULL) {
        return;
    }
    rpc_server_stop(n->server, 0, on_stopped, n);
    run_until(f, &n->server_stopped);
    peers_stop(n->peers, on_closed, n);
    run_until(f, &n->peers_closed);
    rpc_server_destroy(n->server);
    tls_context_destroy(n->server_tls);
    tls_context_destroy(n->client_tls);
    n->server = NULL;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < NODES; i++) {
        stop_node(f, &f->nodes[i]);
    }
    uv_close((uv_handle_t *)&f->timer, NULL);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    authority_destroy(f->authority);
    env_close(&f->env);
    tmpdir_remove(&f->dir);
    return 0;
}

/* ---- the tests ---- */

static void frames_go_both_ways_in_order(void **state)
{
    struct fixture *f = *state;
    f->nodes[0].commit_max = 5000;
    f->nodes[1].commit_max = 5000;
    introduce(f);
    run_until_reached(f, &f->nodes[0].received, 5000);
    run_until_reached(f, &f->nodes[1].received, 5000);
    assert_int_equal(f->nodes[0].hellos, 1);
    assert_int_equal(f->nodes[0].connects, 1);
    assert_in_range(peers_heard_ms_ago(f->nodes[0].peers, f->nodes[1].id), 0, LATE_MS);
    f->nodes[0].commit_max++;
    peers_ready(f->nodes[0].peers, f->nodes[1].id);
    run_until_reached(f, &f->nodes[1].received, 5001);
}

static void a_node_that_has_nothing_to_say_is_heard_all_the_same(void **state)
{
    struct fixture *f = *state;
    struct node *n = &f->nodes[0];
    introduce(f);
    run_until_reached(f, &n->hellos, 1);
    int64_t since = (int64_t)uv_now(&f->loop) - peers_heard_ms_ago(n->peers, FIRST + 1);
    int64_t heard = since;
    while (heard <= since + QUIET_MS && !f->late) {
        uv_run(&f->loop, UV_RUN_ONCE);
        heard = (int64_t)uv_now(&f->loop) - peers_heard_ms_ago(n->peers, FIRST + 1);
    }
    assert_false(f->late);
}

static void a_node_that_comes_back_is_greeted_anew(void **state)
{
    struct fixture *f = *state;
    introduce(f);
    run_until_reached(f, &f->nodes[0].hellos, 1);
    run_until_reached(f, &f->nodes[0].connects, 1);
    stop_node(f, &f->nodes[1]);
    run_until_reached(f, &f->nodes[0].disconnects, 1);
    start_node(f, &f->nodes[1], FIRST + 1, EPOCH);
    introduce(f);
    run_until_reached(f, &f->nodes[0].hellos, 2);
    run_until_reached(f, &f->nodes[0].connects, 2);
}

static void a_directory_that_is_refused_sends_no_frames(void **state)
{
    struct fixture *f = *state;
    f->nodes[0].refuse_hello = true;
    f->nodes[1].commit_max = 10;
    introduce(f);
    run_until_reached(f, &f->nodes[0].refusals, 2);
    assert_int_equal(f->nodes[0].received, 0);
}

static void a_node_that_is_expelled_sends_no_more_frames(void **state)
{
    struct fixture *f = *state;
    f->nodes[1].commit_max = 10;
    introduce(f);
    run_until_reached(f, &f->nodes[0].received, 10);
    f->nodes[0].refuse_hello = true;
    peers_expel(f->nodes[0].peers, FIRST + 1, "another directory");
    f->nodes[1].commit_max = 20;
    peers_ready(f->nodes[1].peers, FIRST);
    run_until_reached(f, &f->nodes[0].refusals, 2);
    assert_int_equal(f->nodes[0].received, 10);
}

static void a_frame_that_cannot_be_ends_its_stream(void **state)
{
    struct fixture *f = *state;
    f->nodes[0].refuse_frames = true;
    f->nodes[1].commit_max = 1;
    introduce(f);
    run_until_reached(f, &f->nodes[1].disconnects, 1);
    assert_int_equal(f->nodes[0].refusals, 1);
    run_until_reached(f, &f->nodes[1].connects, 2);
}

static void another_epoch_is_refused(void **state)
{
    struct fixture *f = *state;
    stop_node(f, &f->nodes[1]);
    start_node(f, &f->nodes[1], FIRST + 1, EPOCH + 1);
    introduce(f);
    /* Its hello by the other, and the other's by it. */
    run_until_reached(f, &f->nodes[1].notes, 2);
    assert_int_equal(f->nodes[0].hellos, 0);
    assert_int_equal(f->nodes[1].hellos, 0);
    assert_int_equal(f->nodes[1].connects, 0);
}

static void the_log_is_pulled_whole_and_in_pieces(void **state)
{
    struct fixture *f = *state;
    struct node *n = &f->nodes[1];
    introduce(f);
    peers_pull(n->peers, 1, RECORDS - 10, 0);
    unsigned seen = 0;
    while (n->pulled_to < RECORDS - 10 && !f->late) {
        uv_run(&f->loop, UV_RUN_ONCE);
        if (n->pieces > seen) { /* Written: go on. */
            assert_int_equal(n->pieces, seen + 1);
            seen = n->pieces;
            peers_pull_on(n->peers);
        }
    }
    assert_false(f->late);
    assert_true(n->pieces >= 3);
    assert_int_equal(n->pulls_failed, 0);
}

/* A log that nothing was written to for a summer of elections. */
static void append_barriers(struct fixture *f)
{
    static struct record records[BARRIERS];
    struct txn txn;
    for (size_t i = 0; i < BARRIERS; i++) {
        records[i] =
            (struct record){.index = RECORDS + i + 1, .term = i + 2, .kind = RECORD_BARRIER};
    }
    const struct log_write write = {
        .records = records, .count = BARRIERS, .committed = RECORDS + BARRIERS};
    txn_begin_write(&txn, &f->env);
    log_write(&txn, &f->log, &write);
    assert_int_equal(txn_commit(&txn), STATUS_OK);
}

static void barriers_without_end_are_pulled_too(void **state)
{
    struct fixture *f = *state;
    struct node *n = &f->nodes[1];
    append_barriers(f);
    introduce(f);
    n->pulled_to = RECORDS;
    n->wants = RECORDS + 1;
    peers_pull(n->peers, n->wants, RECORDS + BARRIERS, 0);
    while (n->pulled_to < RECORDS + BARRIERS && n->pulls_failed == 0 && !f->late) {
        uv_run(&f->loop, UV_RUN_ONCE);
        peers_pull_on(n->peers);
    }
    assert_false(f->late);
    assert_int_equal(n->pulled_to, RECORDS + BARRIERS);
}

static void what_is_not_committed_is_not_given(void **state)
{
    struct fixture *f = *state;
    struct node *n = &f->nodes[1];
    introduce(f);
    peers_pull(n->peers, 1, RECORDS, 0);
    while (n->pulls_failed == 0 && !f->late) {
        uv_run(&f->loop, UV_RUN_ONCE);
    }
    assert_false(f->late);
    assert_int_equal(n->pulled_to, 0);
    /* Not either to who knows that another entry is committed there. */
    peers_pull(n->peers, 1, RECORDS, 2);
    while (n->pulls_failed == 1 && !f->late) {
        uv_run(&f->loop, UV_RUN_ONCE);
    }
    assert_false(f->late);
    assert_int_equal(n->pulled_to, 0);
}

static void who_knows_that_it_is_committed_is_given_it(void **state)
{
    struct fixture *f = *state;
    struct node *n = &f->nodes[1];
    introduce(f);
    peers_pull(n->peers, 1, RECORDS, 1);
    for (unsigned seen = 0; n->pulled_to < RECORDS && !f->late && n->pulls_failed == 0;) {
        uv_run(&f->loop, UV_RUN_ONCE);
        if (n->pieces > seen) {
            seen = n->pieces;
            peers_pull_on(n->peers);
        }
    }
    assert_false(f->late);
    assert_int_equal(n->pulled_to, RECORDS);
}

/* ---- one whose disk hangs ---- */

/* It answers pings, and of a pull a first record or nothing. */
struct mute {
    struct node node; /* Without peers. */
    bool begins;
    unsigned asked;
};

static void on_mute_pull(
    struct rpc_call *call, const ProtobufCMessage *message, struct bytes encoded)
{
    struct mute *mute = rpc_call_context(call);
    const Zhurnal__Peer__V1__PullRequest *request = (const void *)message;
    static uint8_t payload[PAYLOAD];
    (void)encoded;
    mute->asked++;
    if (!mute->begins) {
        return;
    }
    Zhurnal__Peer__V1__PullResponse response = ZHURNAL__PEER__V1__PULL_RESPONSE__INIT;
    Zhurnal__Peer__V1__Record record = ZHURNAL__PEER__V1__RECORD__INIT;
    Zhurnal__Peer__V1__Record *records[] = {&record};
    record.kind = RECORD_COMMAND;
    record.term = 1;
    record.payload = (ProtobufCBinaryData){.data = payload, .len = sizeof payload};
    response.first_index = request->from_index;
    response.records = records;
    response.n_records = 1;
    (void)rpc_call_send(call, &response.base);
}

static void start_mute(struct fixture *f, struct mute *mute, uint64_t id)
{
    static const struct rpc_method pull = {.path = "/zhurnal.peer.v1.PeerService/Pull",
        .kind = RPC_SERVER_STREAM,
        .request = &zhurnal__peer__v1__pull_request__descriptor,
        .on_message = on_mute_pull};
    struct certificate_request request = certificates_node(id);
    struct node *n = &mute->node;
    n->id = id;
    n->server_tls = certificates_context(f->authority, f->authority, TLS_SERVER, &request);
    const struct rpc_server_options server = {.tls = n->server_tls};
    n->server = rpc_server_create(&f->loop, &server);
    assert_int_equal(rpc_server_register(n->server, &pull, 1, mute), STATUS_OK);
    assert_int_equal(rpc_server_listen(n->server, "127.0.0.1", &n->port, NULL), STATUS_OK);
    snprintf(n->address, sizeof n->address, "127.0.0.1:%d", n->port);
}

static void stop_mute(struct fixture *f, struct mute *mute)
{
    rpc_server_stop(mute->node.server, 0, on_stopped, &mute->node);
    run_until(f, &mute->node.server_stopped);
    rpc_server_destroy(mute->node.server);
    tls_context_destroy(mute->node.server_tls);
}

/* Takes its time with the first piece, which is no silence of the peer's. */
static void pull_all_slowly(struct fixture *f, struct node *n)
{
    unsigned seen = 0;
    uint64_t written_ms = 0;
    while (n->pulled_to < RECORDS && !f->late) {
        uv_run(&f->loop, UV_RUN_ONCE);
        if (n->pieces > seen && n->wants > 0) {
            n->wants = 0; /* It is being written. */
            written_ms = uv_now(&f->loop) + (seen == 0 ? 2 * SILENCE_MS : 0);
        }
        if (n->pieces > seen && uv_now(&f->loop) >= written_ms) {
            seen = n->pieces;
            n->wants = n->pulled_to + 1;
            peers_pull_on(n->peers);
        }
    }
}

static void a_peer_that_brings_nothing_is_passed_over(void **state)
{
    struct fixture *f = *state;
    struct node *n = &f->nodes[1];
    static struct mute mutes[2];
    memset(mutes, 0, sizeof mutes);
    mutes[1].begins = true;
    start_mute(f, &mutes[0], FIRST + NODES);
    start_mute(f, &mutes[1], FIRST + NODES + 1);
    const struct peers_member members[] = {{mutes[0].node.id, mutes[0].node.address},
        {mutes[1].node.id, mutes[1].node.address}, {f->nodes[0].id, f->nodes[0].address}};
    peers_set_members(n->peers, members, sizeof members / sizeof *members);
    peers_pull(n->peers, 1, RECORDS, 1);
    pull_all_slowly(f, n);
    assert_int_equal(n->pulled_to, RECORDS);
    assert_int_equal(mutes[0].asked, 1);
    assert_int_equal(mutes[1].asked, 1);
    assert_int_equal(n->pulls_failed, 0);
    peers_set_members(n->peers, NULL, 0);
    stop_mute(f, &mutes[0]);
    stop_mute(f, &mutes[1]);
}

struct forwarded {
    bool over;
    enum grpc_code code;
    uint64_t index;
    size_t details;
};

static void on_forward_done(
    void *arg, const struct rpc_result *result, const Zhurnal__V1__AppendResponse *response)
{
    struct forwarded *forwarded = arg;
    forwarded->over = true;
    forwarded->code = result->code;
    forwarded->details = result->details.size;
    forwarded->index = response != NULL ? response->index : 0;
}

static void a_write_is_passed_on_and_answered(void **state)
{
    struct fixture *f = *state;
    uint8_t bytes[42] = {0};
    introduce(f);
    for (size_t size = 0; size <= sizeof bytes; size += sizeof bytes) {
        struct forwarded forwarded = {0};
        Zhurnal__Peer__V1__ForwardRequest request = ZHURNAL__PEER__V1__FORWARD_REQUEST__INIT;
        request.group = GROUP;
        request.request = (ProtobufCBinaryData){.data = bytes, .len = size};
        assert_int_equal(peers_forward(f->nodes[0].peers, f->nodes[1].id, &request, LATE_MS / 2,
                             on_forward_done, &forwarded),
            STATUS_OK);
        run_until(f, &forwarded.over);
        assert_int_equal(forwarded.code, size == 0 ? GRPC_ALREADY_EXISTS : GRPC_OK);
        assert_int_equal(forwarded.index, size);
        assert_int_equal(forwarded.details, size == 0 ? 2 : 0);
    }
}

static void a_clients_certificate_is_no_nodes(void **state)
{
    struct fixture *f = *state;
    struct certificate_request request = certificates_client(IDENTITY_FOUNDER, "district");
    struct tls_context *tls =
        certificates_context(f->authority, f->authority, TLS_CLIENT, &request);
    static const char *const paths[] = {"/zhurnal.peer.v1.PeerService/Raft",
        "/zhurnal.peer.v1.PeerService/Pull", "/zhurnal.peer.v1.PeerService/Forward"};
    const struct rpc_channel_options options = {
        .host = "127.0.0.1", .port = f->nodes[0].port, .tls = tls};
    struct rpc_channel *channel;
    assert_int_equal(rpc_channel_open(&channel, &f->loop, &options, NULL), STATUS_OK);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct rpc_answer answer;
        Zhurnal__Peer__V1__PullRequest empty = ZHURNAL__PEER__V1__PULL_REQUEST__INIT;
        const struct rpc_stream_options call = {.path = paths[i], .timeout_ms = LATE_MS / 2};
        assert_int_equal(
            rpc_unary_sync(channel, &call, &empty.base, &answer), GRPC_PERMISSION_DENIED);
        assert_non_null(strstr(answer.sentence, "between nodes"));
        rpc_answer_deinit(&answer);
    }
    assert_int_equal(f->nodes[0].hellos, 0);
    struct node n = {0};
    rpc_channel_close(channel, on_closed, &n);
    run_until(f, &n.peers_closed);
    tls_context_destroy(tls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_WITH_FIXTURE(frames_go_both_ways_in_order),
        TEST_WITH_FIXTURE(a_node_that_has_nothing_to_say_is_heard_all_the_same),
        TEST_WITH_FIXTURE(a_node_that_comes_back_is_greeted_anew),
        TEST_WITH_FIXTURE(a_directory_that_is_refused_sends_no_frames),
        TEST_WITH_FIXTURE(a_node_that_is_expelled_sends_no_more_frames),
        TEST_WITH_FIXTURE(a_frame_that_cannot_be_ends_its_stream),
        TEST_WITH_FIXTURE(another_epoch_is_refused),
        TEST_WITH_FIXTURE(the_log_is_pulled_whole_and_in_pieces),
        TEST_WITH_FIXTURE(barriers_without_end_are_pulled_too),
        TEST_WITH_FIXTURE(what_is_not_committed_is_not_given),
        TEST_WITH_FIXTURE(who_knows_that_it_is_committed_is_given_it),
        TEST_WITH_FIXTURE(a_peer_that_brings_nothing_is_passed_over),
        TEST_WITH_FIXTURE(a_write_is_passed_on_and_answered),
        TEST_WITH_FIXTURE(a_clients_certificate_is_no_nodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
