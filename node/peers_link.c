/* Our side of a connection: the channel, the stream of our frames on it, and the hello before them.
 */
#include "node/peers_private.h"

#include <stdio.h>
#include <stdlib.h>

static const char raft_path[] = "/zhurnal.peer.v1.PeerService/Raft";

/* ---- noting ---- */

static void note(struct link *link, bool reachable, const char *why)
{
    struct peers *peers = link->peers;
    if ((link->told && link->reachable == reachable) || link->leaving) {
        return;
    }
    link->told = true;
    link->reachable = reachable;
    if (peers->hooks->note != NULL) {
        peers->hooks->note(peers->arg, link->node, reachable ? "reachable" : why);
    }
}

/* ---- the stream ---- */

static void emit(void *arg, struct bytes request)
{
    struct link *link = arg;
    (void)rpc_stream_send_encoded(link->stream, request);
}

void link_pump(struct link *link)
{
    struct peers *peers = link->peers;
    while (link->stream != NULL && rpc_stream_writable(link->stream)) {
        if (!peers->hooks->next_frame(peers->arg, link->node, emit, link)) {
            link->ready = false;
            return;
        }
    }
    if (link->stream == NULL) {
        link->ready = false;
    }
}

static void on_writable(struct rpc_stream *stream)
{
    link_pump(rpc_stream_user(stream));
}

static void on_status(struct rpc_stream *stream, const struct rpc_result *result)
{
    struct link *link = rpc_stream_user(stream);
    char why[320];
    link->stream = NULL;
    link->retry_ms = uv_now(link->peers->loop) + PEERS_RETRY_MS;
    snprintf(why, sizeof why, "%s: %s", grpc_code_name(result->code), result->sentence);
    note(link, false, why);
    link->peers->hooks->connected(link->peers->arg, link->node, false);
}

static int send_hello(struct link *link)
{
    struct peers *peers = link->peers;
    const struct state_identity *own = &peers->options.identity;
    Zhurnal__Peer__V1__Hello hello = ZHURNAL__PEER__V1__HELLO__INIT;
    hello.cluster =
        (ProtobufCBinaryData){.data = (uint8_t *)own->cluster, .len = sizeof own->cluster};
    hello.epoch = own->epoch;
    hello.node = own->node;
    hello.directory =
        (ProtobufCBinaryData){.data = (uint8_t *)own->directory, .len = sizeof own->directory};
    hello.level_max = peers->options.level_max;
    hello.session = ++peers->session;
    hello.version = (char *)peers->options.version;
    Zhurnal__Peer__V1__RaftRequest request = ZHURNAL__PEER__V1__RAFT_REQUEST__INIT;
    request.message_case = ZHURNAL__PEER__V1__RAFT_REQUEST__MESSAGE_HELLO;
    request.hello = &hello;
    return rpc_stream_send(link->stream, &request.base);
}

static void start_stream(struct link *link)
{
    const struct rpc_stream_options options = {
        .path = raft_path, .on_writable = on_writable, .on_status = on_status, .user = link};
    link->stream = rpc_stream_start(link->raft, &options);
    if (link->stream == NULL || send_hello(link) != STATUS_OK) {
        return; /* A stream that cannot be sent on ends by itself. */
    }
    note(link, true, NULL);
    link->peers->hooks->connected(link->peers->arg, link->node, true);
    link->ready = true;
    peers_wake(link->peers);
}

/* ---- the channels ---- */

static void on_state(struct rpc_channel *channel, enum rpc_channel_state state, const char *why)
{
    struct link *link = rpc_channel_user(channel);
    if (state == RPC_CHANNEL_READY && link->stream == NULL && !link->leaving) {
        start_stream(link);
    } else if (state == RPC_CHANNEL_WAITING) {
        note(link, false, why);
    }
}

static struct rpc_channel *open_channel(struct link *link, bool raft)
{
    struct rpc_channel *channel;
    struct rpc_channel_options options = {.host = link->host,
        .port = link->port,
        .tls = link->peers->options.tls,
        .expect_node = link->node,
        .connect_timeout_ms = PEERS_CONNECT_TIMEOUT_MS,
        .keepalive_ms = PEERS_KEEPALIVE_MS,
        .keepalive_timeout_ms = PEERS_KEEPALIVE_TIMEOUT_MS,
        .on_state = raft ? on_state : NULL,
        .user = link};
    (void)rpc_channel_open(&channel, link->peers->loop, &options, NULL);
    return channel;
}

void link_open(struct link *link)
{
    link->raft = open_channel(link, true);
}

struct rpc_channel *link_bulk(struct link *link)
{
    if (link->bulk == NULL) {
        link->bulk = open_channel(link, false);
    }
    return link->bulk;
}

void link_tick(struct link *link)
{
    if (link->raft == NULL) {
        link_open(link);
        return;
    }
    uint64_t heard_ms = rpc_channel_heard_ms(link->raft);
    link->heard_ms = heard_ms > link->heard_ms ? heard_ms : link->heard_ms;
    bool idle = link->stream == NULL && rpc_channel_state(link->raft) == RPC_CHANNEL_READY;
    if (idle && uv_now(link->peers->loop) >= link->retry_ms) {
        start_stream(link);
    }
}

void link_set_tls(struct link *link, struct tls_context *tls)
{
    if (link->raft != NULL) {
        rpc_channel_set_tls(link->raft, tls);
    }
    if (link->bulk != NULL) {
        rpc_channel_set_tls(link->bulk, tls);
    }
}

/* ---- leaving ---- */

static void free_if_closed(struct link *link)
{
    if (link->leaving && link->raft == NULL && link->bulk == NULL) {
        free(link);
    }
}

static void part(struct link *link)
{
    struct peers *peers = link->peers;
    peers->parting--;
    free_if_closed(link);
    peers_end_if_idle(peers);
}

static void on_raft_closed(void *arg)
{
    struct link *link = arg;
    link->raft = NULL;
    part(link);
}

static void on_bulk_closed(void *arg)
{
    struct link *link = arg;
    link->bulk = NULL;
    part(link);
}

void link_leave(struct link *link)
{
    link->leaving = true;
    if (link->incoming.call != NULL) {
        rpc_call_abort(link->incoming.call);
    }
    if (link->raft != NULL) {
        link->peers->parting++;
        rpc_channel_close(link->raft, on_raft_closed, link);
    }
    if (link->bulk != NULL) {
        link->peers->parting++;
        rpc_channel_close(link->bulk, on_bulk_closed, link);
    }
    free_if_closed(link);
}
