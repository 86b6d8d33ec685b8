#include "rpc/call_private.h"
#include "rpc/identity.h"
#include "rpc/metadata.h"
#include "rpc/status_details.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { SENTENCE_SIZE = 1536, DETAILS_MAX = 6 << 10 };

#define NV(NAME, VALUE, SIZE)                \
    ((nghttp2_nv){.name = (uint8_t *)(NAME), \
        .value = (uint8_t *)(VALUE),         \
        .namelen = sizeof(NAME) - 1,         \
        .valuelen = (SIZE)})

/* ---- memory ---- */

struct rpc_call *call_create(
    struct rpc_server *server, struct http2_connection *connection, struct http2_stream *stream)
{
    struct rpc_call *call = calloc(1, sizeof *call);
    if (call == NULL) {
        return NULL;
    }
    call->refs = 1;
    call->server = server;
    call->connection = connection;
    call->stream = stream;
    call->timeout_ms = UINT64_MAX;
    call->deadline_ms = UINT64_MAX;
    snprintf(call->peer, sizeof call->peer, "%s", http2_connection_peer(connection));
    server->call_count++;
    server->refs++;
    return call;
}

bool call_has_room(const struct rpc_call *call, size_t size)
{
    const struct identity *caller = rpc_call_identity(call);
    return call->server->held + size <= call->server->options.held_max ||
        (caller != NULL && caller->kind == IDENTITY_NODE);
}

void rpc_call_ref(struct rpc_call *call)
{
    assert(call->refs > 0);
    call->refs++;
}

void rpc_call_unref(struct rpc_call *call)
{
    assert(call->refs > 0);
    if (--call->refs > 0) {
        return;
    }
    framing_deinit(&call->framing);
    arena_reset(&call->arena);
    call->server->held -= call->counted;
    server_unref(call->server);
    free(call);
}

/* The stream is no more, and with it its reference: what follows does not look at call. */
static void detach(struct rpc_call *call)
{
    /* Kept so far: an answer that the client does not read must not outlive it. */
    deadlines_remove(&call->server->deadlines, &call->deadline);
    call->stream = NULL;
    call->connection = NULL;
    call->server->call_count--;
    rpc_call_unref(call);
}

/* ---- the end ---- */

static void end(struct rpc_call *call, enum grpc_code code)
{
    assert(call->state != CALL_OVER);
    call->state = CALL_OVER;
    call->code = code;
    if (call->begun && call->method->on_done != NULL) {
        call->method->on_done(call);
    }
}

void call_on_closed(void *user, uint32_t error)
{
    (void)error;
    struct rpc_call *call = user;
    call->stream = NULL;
    if (call->state != CALL_OVER) {
        end(call, GRPC_CANCELLED);
    }
    detach(call);
}

/* Without another word. */
static void break_off(struct rpc_call *call, uint32_t error, enum grpc_code code)
{
    http2_stream_abandon(call->stream, error);
    call->stream = NULL;
    if (call->state != CALL_OVER) {
        end(call, code);
    }
    detach(call);
}

void rpc_call_abort(struct rpc_call *call)
{
    if (call->stream != NULL) {
        break_off(call, NGHTTP2_CANCEL, GRPC_CANCELLED);
    }
}

/* ---- the answer ---- */

static int respond(struct rpc_call *call, const nghttp2_nv *trailers, size_t count, bool last)
{
    enum { OWN = 3 };
    nghttp2_nv headers[OWN + HTTP2_TRAILERS_MAX] = {
        NV(":status", "200", 3),
        NV("content-type", "application/grpc", 16),
        NV("grpc-accept-encoding", "identity", 8),
    };
    for (size_t i = 0; i < count; i++) {
        headers[OWN + i] = trailers[i];
    }
    call->responding = true;
    return http2_stream_respond(call->stream, headers, OWN + count, last);
}

static int send_end(struct rpc_call *call, const nghttp2_nv *trailers, size_t count)
{
    return call->responding ? http2_stream_finish(call->stream, trailers, count)
                            : respond(call, trailers, count, true);
}

void rpc_call_finish(
    struct rpc_call *call, enum grpc_code code, const char *sentence, struct bytes details)
{
    if (call->state == CALL_OVER) {
        return;
    }
    char number[4];
    char text[SENTENCE_SIZE];
    char base64[METADATA_BASE64_SIZE(DETAILS_MAX)];
    nghttp2_nv trailers[3];
    size_t count = 0;
    size_t size = (size_t)snprintf(number, sizeof number, "%d", (int)code);
    trailers[count++] = NV("grpc-status", number, size);
    if (sentence != NULL && sentence[0] != '\0') {
        size = metadata_percent_encode(sentence, text, sizeof text);
        trailers[count++] = NV("grpc-message", text, size);
    }
    if (details.size > 0 && details.size <= DETAILS_MAX) {
        size = metadata_base64_encode(details, base64);
        trailers[count++] = NV("grpc-status-details-bin", base64, size);
    }
    if (send_end(call, trailers, count) == STATUS_OK) {
        end(call, code);
    } else { /* There is no memory to say it properly. */
        break_off(call, NGHTTP2_INTERNAL_ERROR, code);
    }
}

void rpc_call_fail(struct rpc_call *call, const struct error *err)
{
    rpc_call_finish(
        call, (enum grpc_code)status_to_grpc(err->status), err->text, bytes_of(NULL, 0));
}

/* ---- messages ---- */

/* The headers, once. STATUS_OK, or the call is broken off. */
static int begin_answer(struct rpc_call *call)
{
    if (!call->responding && respond(call, NULL, 0, false) != STATUS_OK) {
        break_off(call, NGHTTP2_INTERNAL_ERROR, GRPC_UNAVAILABLE);
        return STATUS_NO_MEMORY;
    }
    return STATUS_OK;
}

void rpc_call_take_up(struct rpc_call *call)
{
    if (call->state == CALL_OPEN) {
        (void)begin_answer(call);
    }
}

static int lack_room(struct rpc_call *call)
{
    rpc_call_finish(call, GRPC_UNAVAILABLE,
        "this node holds too much for others to answer now: send the same again",
        bytes_of(NULL, 0));
    return STATUS_NO_MEMORY;
}

/* *room: where the message goes, behind its prefix. On failure the call is finished with the
 * reason. */
static int make_room(struct rpc_call *call, size_t size, uint8_t **room)
{
    if (call->state != CALL_OPEN) {
        return STATUS_CANCELLED;
    }
    if (size > call->server->options.reply_max) {
        rpc_call_finish(call, GRPC_RESOURCE_EXHAUSTED,
            "the reply would be larger than a message may be: ask for less", bytes_of(NULL, 0));
        return STATUS_TOO_LARGE;
    }
    if (!call_has_room(call, size)) {
        return lack_room(call);
    }
    if (begin_answer(call) != STATUS_OK) {
        return STATUS_NO_MEMORY;
    }
    *room = http2_stream_reserve(call->stream, FRAMING_PREFIX_SIZE + size);
    if (*room == NULL) {
        return lack_room(call);
    }
    framing_prefix(*room, size);
    *room += FRAMING_PREFIX_SIZE;
    return STATUS_OK;
}

int rpc_call_send(struct rpc_call *call, const ProtobufCMessage *message)
{
    uint8_t *room;
    size_t size = protobuf_c_message_get_packed_size(message);
    int status = make_room(call, size, &room);
    if (status != STATUS_OK) {
        return status;
    }
    (void)protobuf_c_message_pack(message, room);
    http2_stream_commit(call->stream, FRAMING_PREFIX_SIZE + size);
    return STATUS_OK;
}

int rpc_call_send_encoded(struct rpc_call *call, struct bytes message)
{
    uint8_t *room;
    int status = make_room(call, message.size, &room);
    if (status != STATUS_OK) {
        return status;
    }
    if (message.size > 0) {
        memcpy(room, message.data, message.size);
    }
    http2_stream_commit(call->stream, FRAMING_PREFIX_SIZE + message.size);
    return STATUS_OK;
}

void rpc_call_reply(struct rpc_call *call, const ProtobufCMessage *message)
{
    if (rpc_call_send(call, message) == STATUS_OK) {
        rpc_call_finish(call, GRPC_OK, NULL, bytes_of(NULL, 0));
    }
}

bool rpc_call_writable(const struct rpc_call *call)
{
    return call->state == CALL_OPEN && http2_stream_writable(call->stream);
}

size_t rpc_call_unsent(const struct rpc_call *call)
{
    return call->stream == NULL ? 0 : http2_stream_unsent(call->stream);
}

void call_on_writable(void *user)
{
    struct rpc_call *call = user;
    if (call->state == CALL_OPEN && call->method->on_writable != NULL) {
        rpc_call_ref(call); /* The handler may abort it, and look at it still. */
        call->method->on_writable(call);
        rpc_call_unref(call);
    }
}

/* ---- deadlines ---- */

void call_expire(struct rpc_call *call)
{
    if (call->state == CALL_OPEN && http2_stream_unsent(call->stream) == 0) {
        rpc_call_finish(call, GRPC_DEADLINE_EXCEEDED,
            call->receiving
                ? "the request did not come in time: nothing was done"
                : "the deadline passed before the answer was known; the outcome is unknown",
            bytes_of(NULL, 0));
    } else { /* The last word would wait behind what the client does not read. */
        break_off(call, NGHTTP2_CANCEL, GRPC_DEADLINE_EXCEEDED);
    }
}

uint64_t rpc_call_deadline_ms(const struct rpc_call *call)
{
    return call->deadline_ms;
}

/* ---- who and what ---- */

void *rpc_call_context(const struct rpc_call *call)
{
    return call->context;
}

const struct rpc_method *rpc_call_method(const struct rpc_call *call)
{
    return call->method;
}

void rpc_call_set_user(struct rpc_call *call, void *user)
{
    call->user = user;
}

void *rpc_call_user(const struct rpc_call *call)
{
    return call->user;
}

bool rpc_call_is_open(const struct rpc_call *call)
{
    return call->state == CALL_OPEN;
}

enum grpc_code rpc_call_code(const struct rpc_call *call)
{
    return call->state == CALL_OVER ? call->code : GRPC_OK;
}

const struct identity *rpc_call_identity(const struct rpc_call *call)
{
    return call->connection == NULL ? NULL : http2_connection_identity(call->connection);
}

const char *rpc_call_peer(const struct rpc_call *call)
{
    return call->peer;
}
