/* A client's write on its way to the leader. */
#include "node/peers_private.h"
#include "proto/guard.h"

#include <stdlib.h>
#include <string.h>

struct forward {
    peers_forwarded_cb done;
    void *arg;
    uint8_t *response; /* As it came; NULL: none yet. */
    size_t size;
};

static void on_message(
    struct rpc_stream *stream, const ProtobufCMessage *message, struct bytes encoded)
{
    (void)message;
    struct forward *forward = rpc_stream_user(stream);
    free(forward->response);
    forward->response = malloc(encoded.size + 1);
    if (forward->response != NULL && encoded.size > 0) {
        memcpy(forward->response, encoded.data, encoded.size);
    }
    forward->size = encoded.size;
}

static const Zhurnal__V1__AppendResponse *decode(const struct forward *forward, struct arena *arena)
{
    if (forward->response == NULL) {
        return NULL;
    }
    const Zhurnal__Peer__V1__ForwardResponse *response =
        (const void *)guard_decode(&zhurnal__peer__v1__forward_response__descriptor,
            bytes_of(forward->response, forward->size), arena, NULL);
    return response == NULL ? NULL : response->response;
}

/* The write went out and no answer came. The leader counts the time that it is given too, and may
 * be the first to say that it passed. */
static bool is_unknown(const struct rpc_result *result)
{
    return !result->not_sent &&
        (!result->answered || result->code == GRPC_CANCELLED ||
            result->code == GRPC_DEADLINE_EXCEEDED);
}

static void on_status(struct rpc_stream *stream, const struct rpc_result *result)
{
    struct forward *forward = rpc_stream_user(stream);
    struct rpc_result final = *result;
    const Zhurnal__V1__AppendResponse *response = NULL;
    struct arena arena;
    arena_init(&arena, guard_arena_limit(RPC_REPLY_MAX));
    if (final.code == GRPC_OK) {
        response = decode(forward, &arena);
    }
    if (final.code == GRPC_OK && response == NULL) {
        final.code = GRPC_UNAVAILABLE;
        final.sentence = "the leader's answer does not decode: send again with the same id";
    } else if (is_unknown(&final)) {
        final.code = GRPC_UNAVAILABLE;
        final.sentence = status_text(STATUS_OUTCOME_UNKNOWN);
    }
    forward->done(forward->arg, &final, response);
    arena_reset(&arena);
    free(forward->response);
    free(forward);
}

int peers_forward(struct peers *peers, uint64_t node,
    const Zhurnal__Peer__V1__ForwardRequest *request, uint64_t timeout_ms, peers_forwarded_cb done,
    void *arg)
{
    struct link *link = peers_find(peers, node);
    if (link == NULL || peers->stopping) {
        return STATUS_UNAVAILABLE;
    }
    struct forward *forward = calloc(1, sizeof *forward);
    struct rpc_channel *channel = link_bulk(link);
    if (forward == NULL || channel == NULL) {
        free(forward);
        return STATUS_NO_MEMORY;
    }
    forward->done = done;
    forward->arg = arg;
    const struct rpc_stream_options options = {.path = "/zhurnal.peer.v1.PeerService/Forward",
        .timeout_ms = timeout_ms,
        .on_message = on_message,
        .on_status = on_status,
        .user = forward};
    if (rpc_unary_start(channel, &options, &request->base) == NULL) {
        free(forward);
        return STATUS_NO_MEMORY;
    }
    return STATUS_OK;
}
