/* Our side of a connection: the channel, the stream of our frames on it, and the hello before them.
 */
#include "node/peers_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char raft_path[] = "/zhurnal.peer.v1.PeerService/Raft";

/* ---- noting ---- */

/* why is NULL: it is reachable. */
static void note(struct link *link, const char *why)
{
    struct peers *peers = link->peers;
    const char *known = why == NULL ? "" : why;
    bool news =
        link->reachable != (why == NULL) || strncmp(link->why, known, PEERS_WHY_SIZE - 1) != 0;
    if (link->leaving || !news) {
        return;
    }
    link->reachable = why == NULL;
    snprintf(link->why, sizeof link->why, "%s", known);
    if (peers->hooks->note != NULL) {
        peers->hooks->note(peers->arg, link->node, why == NULL ? "reachable" : why);
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
    while (link->accepted_ms > 0 && rpc_stream_writable(link->stream)) {
        if (!peers->hooks->next_frame(peers->arg, link->node, emit, link)) {
            link->ready = false;
            return;
        }
    }
    if (link->accepted_ms == 0) {
        link->ready = false;
    }
}

static void on_writable(struct rpc_stream *stream)
{
    link_pump(rpc_stream_user(stream));
}

static void on_accepted(struct rpc_stream *stream)
{
    struct link *link = rpc_stream_user(stream);
    struct peers *peers = link->peers;
    link->accepted_ms = uv_now(peers->loop);
    peers->hooks->connected(peers->arg, link->node, true);
    link->ready = true;
    peers_wake(peers);
}

static void on_status(struct rpc_stream *stream, const struct rpc_result *result)
{
    struct link *link = rpc_stream_user(stream);
    struct peers *peers = link->peers;
    bool accepted = link->accepted_ms > 0;
    char why[PEERS_WHY_SIZE];
    link->stream = NULL;
    link->accepted_ms = 0;
    link->retry_ms = uv_now(peers->loop) + ((uint64_t)PEERS_RETRY_MS << link->refusals);
    link->refusals += result->answered && link->refusals < PEERS_RETRY_DOUBLINGS;
    /* Of a connection that was lost the channel says why. */
    if (rpc_channel_state(link->raft) == RPC_CHANNEL_READY) {
        snprintf(why, sizeof why, "%s: %s", grpc_code_name(result->code), result->sentence);
        note(link, why);
    }
    if (accepted) {
        peers->hooks->connected(peers->arg, link->node, false);
    }
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
    const struct rpc_stream_options options = {.path = raft_path,
        .on_taken_up = on_accepted,
        .on_writable = on_writable,
        .on_status = on_status,
        .user = link};
    link->stream = rpc_stream_start(link->raft, &options);
    if (link->stream != NULL) {
        (void)send_hello(link); /* A stream that cannot be sent on ends by itself. */
    }
}

/* ---- the channels ---- */

static void on_state(struct rpc_channel *channel, enum rpc_channel_state state, const char *why)
{
    struct link *link = rpc_channel_user(channel);
    if (state == RPC_CHANNEL_READY && link->stream == NULL && !link->leaving) {
        start_stream(link);
    } else if (state == RPC_CHANNEL_WAITING) {
        note(link, why);
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
    uint64_t now_ms = uv_now(link->peers->loop);
    if (rpc_channel_state(link->raft) != RPC_CHANNEL_READY) {
        return;
    }
    if (link->stream == NULL && now_ms >= link->retry_ms) {
        start_stream(link);
    } else if (link->accepted_ms > 0 && now_ms - link->accepted_ms >= PEERS_STEADY_MS) {
        link->refusals = 0;
        note(link, NULL);
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
