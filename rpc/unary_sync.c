/* One call after another, for programs that have nothing else to do. */
#include "proto/guard.h"
#include "rpc/client.h"

#include <stdio.h>
#include <stdlib.h>

struct sync {
    struct rpc_answer *answer;
    const ProtobufCMessageDescriptor *response;
    bool over;
};

static void on_message(
    struct rpc_stream *stream, const ProtobufCMessage *message, struct bytes encoded)
{
    (void)message;
    struct sync *sync = rpc_stream_user(stream);
    struct rpc_answer *answer = sync->answer;
    struct error err;
    char *copy = arena_copy(&answer->arena, encoded.data, encoded.size);
    if (copy == NULL) {
        return;
    }
    answer->encoded = bytes_of(copy, encoded.size);
    if (sync->response != NULL) {
        answer->message = guard_decode(sync->response, answer->encoded, &answer->arena, &err);
    }
}

static void on_status(struct rpc_stream *stream, const struct rpc_result *result)
{
    struct sync *sync = rpc_stream_user(stream);
    struct rpc_answer *answer = sync->answer;
    answer->code = result->code;
    answer->not_sent = result->not_sent;
    snprintf(answer->sentence, sizeof answer->sentence, "%s", result->sentence);
    char *details = arena_copy(&answer->arena, result->details.data, result->details.size);
    if (details != NULL) {
        answer->details = bytes_of(details, result->details.size);
    }
    bool missing = sync->response != NULL ? answer->message == NULL : answer->encoded.data == NULL;
    if (answer->code == GRPC_OK && missing) {
        answer->code = GRPC_INTERNAL;
        snprintf(answer->sentence, sizeof answer->sentence, "the server's answer is missing");
    }
    sync->over = true;
}

enum grpc_code rpc_unary_sync(struct rpc_channel *channel, const struct rpc_stream_options *options,
    const ProtobufCMessage *request, struct rpc_answer *answer)
{
    enum { ARENA_LIMIT = 64 << 20 };
    struct sync sync = {.answer = answer, .response = options->response};
    struct rpc_stream_options own = *options;
    *answer = (struct rpc_answer){.code = GRPC_RESOURCE_EXHAUSTED};
    arena_init(&answer->arena, ARENA_LIMIT);
    own.response = NULL;
    own.on_message = on_message;
    own.on_writable = NULL;
    own.on_status = on_status;
    own.user = &sync;
    if (rpc_unary_start(channel, &own, request) == NULL) {
        snprintf(answer->sentence, sizeof answer->sentence, "out of memory");
        return answer->code;
    }
    while (!sync.over) {
        uv_run(rpc_channel_loop(channel), UV_RUN_ONCE);
    }
    return answer->code;
}

void rpc_answer_deinit(struct rpc_answer *answer)
{
    arena_reset(&answer->arena);
}
