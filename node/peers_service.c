/* The other side of the connections: PeerService, which nodes alone may call. */
#include "node/peers_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void refuse(struct rpc_call *call, enum grpc_code code, const char *sentence)
{
    rpc_call_finish(call, code, sentence, bytes_of(NULL, 0));
}

const struct identity *peers_caller(struct rpc_call *call)
{
    const struct identity *caller = rpc_call_identity(call);
    if (caller == NULL || caller->kind != IDENTITY_NODE) {
        refuse(call, GRPC_PERMISSION_DENIED,
            "this service is between nodes: call zhurnal.v1 with this certificate");
        return NULL;
    }
    return caller;
}

/* ---- Raft's frames ---- */

static void on_start(struct rpc_call *call)
{
    (void)peers_caller(call);
}

static int check_hello(const struct peers *peers, const struct identity *caller,
    const Zhurnal__Peer__V1__Hello *hello, struct error *err)
{
    const struct state_identity *own = &peers->options.identity;
    if (caller->node != hello->node) {
        return error_set(err, STATUS_DENIED,
            "the certificate is node %016" PRIx64 "'s and the hello node %016" PRIx64 "'s",
            caller->node, hello->node);
    }
    if (hello->cluster.len != UUID_SIZE ||
        memcmp(hello->cluster.data, own->cluster, UUID_SIZE) != 0) {
        return error_set(
            err, STATUS_DENIED, "node %016" PRIx64 " is of another cluster", hello->node);
    }
    if (hello->epoch != own->epoch) {
        return error_set(err, STATUS_DENIED,
            "node %016" PRIx64 " is of epoch %" PRIu64 ", this one of %" PRIu64
            ": one of them belongs to a cluster that was restored elsewhere",
            hello->node, hello->epoch, own->epoch);
    }
    if (hello->directory.len != UUID_SIZE) {
        return error_set(err, STATUS_MALFORMED, "the hello names no data directory");
    }
    return peers_find(peers, hello->node) != NULL
        ? STATUS_OK
        : error_set(err, STATUS_DENIED, "node %016" PRIx64 " is not a member", hello->node);
}

/* It lay somewhere while a later one came, and perhaps went. Of one process that is certain;
 * another may have begun with a clock that was set back, and is late only while it could be. */
static int check_late(
    const struct peers *peers, const struct incoming *last, uint64_t session, struct error *err)
{
    bool same_process = session >> PEERS_SESSION_BITS == last->session >> PEERS_SESSION_BITS;
    bool recent = last->call != NULL || uv_now(peers->loop) - last->ended_ms < PEERS_LATE_MS;
    if (session > last->session || (!same_process && !recent)) {
        return STATUS_OK;
    }
    return error_set(err, STATUS_PRECONDITION, "a newer stream of this node %s",
        last->call != NULL ? "is open" : "was here already");
}

/* Once for each reason. */
static void note_refusal(struct peers *peers, struct link *link, const struct error *err)
{
    struct incoming *incoming = &link->incoming;
    if (err->status == STATUS_DENIED && strcmp(incoming->refusal, err->text) != 0) {
        snprintf(incoming->refusal, sizeof incoming->refusal, "%s", err->text);
        if (peers->hooks->note != NULL) {
            peers->hooks->note(peers->arg, link->node, err->text);
        }
    }
}

static void take_hello(
    struct peers *peers, struct rpc_call *call, const Zhurnal__Peer__V1__Hello *hello)
{
    struct error err = {0};
    int status = check_hello(peers, rpc_call_identity(call), hello, &err);
    struct link *link = peers_find(peers, hello->node);
    if (status == STATUS_OK) {
        status = check_late(peers, &link->incoming, hello->session, &err);
    }
    if (status == STATUS_OK) {
        status = peers->hooks->hello(peers->arg, hello, &err);
    }
    if (status != STATUS_OK) {
        if (link != NULL) {
            note_refusal(peers, link, &err);
        }
        rpc_call_fail(call, &err);
        return;
    }
    if (link->incoming.call != NULL) {
        rpc_call_abort(link->incoming.call); /* What the old stream still holds must not arrive. */
    }
    link->incoming = (struct incoming){.call = call, .session = hello->session};
    link->heard_ms = uv_now(peers->loop);
    link->level_max = hello->level_max;
    rpc_call_set_user(call, link);
    rpc_call_take_up(call);
    link->retry_ms = 0; /* It may think better of our own stream now. */
    if (link->raft != NULL) {
        rpc_channel_hurry(link->raft);
    }
}

void peers_expel(struct peers *peers, uint64_t node, const char *why)
{
    struct link *link = peers_find(peers, node);
    struct error err = {0};
    if (link != NULL && link->incoming.call != NULL) {
        (void)error_set(&err, STATUS_DENIED, "%s", why);
        rpc_call_fail(link->incoming.call, &err);
    }
}

static void take_frame(
    struct peers *peers, struct rpc_call *call, const Zhurnal__Peer__V1__Frame *frame)
{
    struct error err = {0};
    struct link *link = rpc_call_user(call);
    link->heard_ms = uv_now(peers->loop);
    if (peers->hooks->receive(peers->arg, link->node, frame, &err) != STATUS_OK) {
        rpc_call_fail(call, &err);
    }
}

static void on_raft(struct rpc_call *call, const ProtobufCMessage *message, struct bytes encoded)
{
    (void)encoded;
    struct peers *peers = rpc_call_context(call);
    const Zhurnal__Peer__V1__RaftRequest *request = (const void *)message;
    bool greeted = rpc_call_user(call) != NULL;
    switch ((int)request->message_case) {
    case ZHURNAL__PEER__V1__RAFT_REQUEST__MESSAGE_HELLO:
        if (!greeted) {
            take_hello(peers, call, request->hello);
            return;
        }
        break;
    case ZHURNAL__PEER__V1__RAFT_REQUEST__MESSAGE_FRAME:
        if (greeted) {
            take_frame(peers, call, request->frame);
            return;
        }
        break;
    default:
        break;
    }
    refuse(call, GRPC_INVALID_ARGUMENT, "a stream of Raft is one hello, and then frames");
}

static void on_raft_closing(struct rpc_call *call)
{
    Zhurnal__Peer__V1__RaftResponse response = ZHURNAL__PEER__V1__RAFT_RESPONSE__INIT;
    rpc_call_reply(call, &response.base);
}

static void on_raft_done(struct rpc_call *call)
{
    struct link *link = rpc_call_user(call);
    if (link != NULL && link->incoming.call == call) {
        link->incoming.call = NULL;
        link->incoming.ended_ms = uv_now(link->peers->loop);
    }
}

/* ---- writes that are passed on ---- */

static void on_forward(struct rpc_call *call, const ProtobufCMessage *message, struct bytes encoded)
{
    (void)encoded;
    struct peers *peers = rpc_call_context(call);
    if (peers_caller(call) != NULL) {
        peers->hooks->forwarded(peers->arg, call, (const void *)message);
    }
}

const struct rpc_method peers_methods[] = {
    {.path = "/zhurnal.peer.v1.PeerService/Raft",
        .kind = RPC_CLIENT_STREAM,
        .request = &zhurnal__peer__v1__raft_request__descriptor,
        .on_start = on_start,
        .on_message = on_raft,
        .on_half_close = on_raft_closing,
        .on_done = on_raft_done},
    {.path = "/zhurnal.peer.v1.PeerService/Pull",
        .kind = RPC_SERVER_STREAM,
        .request = &zhurnal__peer__v1__pull_request__descriptor,
        .on_message = peers_serve_pull,
        .on_writable = peers_serve_pull_on,
        .on_done = peers_serve_pull_done},
    {.path = "/zhurnal.peer.v1.PeerService/Forward",
        .kind = RPC_UNARY,
        .request = &zhurnal__peer__v1__forward_request__descriptor,
        .on_message = on_forward},
};
const size_t peers_method_count = sizeof peers_methods / sizeof peers_methods[0];
