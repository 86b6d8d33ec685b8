#include "proto/guard.h"
#include "rpc/client_private.h"
#include "rpc/metadata.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NV(NAME, VALUE)                      \
    ((nghttp2_nv){.name = (uint8_t *)(NAME), \
        .value = (uint8_t *)(VALUE),         \
        .namelen = sizeof(NAME) - 1,         \
        .valuelen = strlen(VALUE)})

/* ---- beginning ---- */

static uint64_t left_ms(const struct rpc_stream *stream)
{
    uint64_t now = uv_now(stream->channel->loop);
    uint64_t left = stream->deadline.at_ms > now ? stream->deadline.at_ms - now : 1;
    return left > METADATA_TIMEOUT_MAX_MS ? METADATA_TIMEOUT_MAX_MS : left;
}

void stream_open(struct rpc_stream *stream)
{
    struct rpc_channel *channel = stream->channel;
    char timeout[METADATA_TIMEOUT_SIZE];
    nghttp2_nv headers[] = {
        NV(":method", "POST"),
        NV(":scheme", channel->options.tls != NULL ? "https" : "http"),
        NV(":path", stream->path),
        NV(":authority", channel->authority),
        NV("te", "trailers"),
        NV("content-type", "application/grpc"),
        NV("user-agent", "zhurnal"),
        NV("grpc-timeout", ""),
    };
    size_t count = sizeof headers / sizeof headers[0] - 1;
    if (stream->options.timeout_ms > 0) {
        headers[count].value = (uint8_t *)timeout;
        headers[count].valuelen = metadata_timeout_encode(left_ms(stream), timeout);
        count++;
    }
    if (stream->waits) {
        stream->waits = false;
        channel->waiting_count--;
        TAILQ_REMOVE(&channel->waiting, stream, queue_link);
    }
    if (http2_stream_open(stream->http2, channel->current->http2, headers, count) == STATUS_OK) {
        stream->opened = true;
    } else {
        stream_end(stream, GRPC_UNAVAILABLE, "the connection is going away: try again", true);
    }
}

static void begin(struct rpc_stream *stream)
{
    struct rpc_channel *channel = stream->channel;
    if (channel->state == RPC_CHANNEL_READY) {
        stream_open(stream);
    } else if (channel->state == RPC_CHANNEL_WAITING && !stream->options.wait_for_ready) {
        channel_fail(channel, stream);
    } else if (channel->closing || channel->waiting_count >= channel->options.waiting_max) {
        stream_end(stream, GRPC_UNAVAILABLE,
            channel->closing ? "the channel was closed"
                             : "too many calls wait for the connection: try again later",
            true);
    } else {
        stream->waits = true;
        channel->waiting_count++;
        TAILQ_INSERT_TAIL(&channel->waiting, stream, queue_link);
    }
}

static void free_stream(struct rpc_stream *stream)
{
    framing_deinit(&stream->framing);
    free(stream->details);
    free(stream->path);
    free(stream);
}

struct rpc_stream *rpc_stream_start(
    struct rpc_channel *channel, const struct rpc_stream_options *options)
{
    struct rpc_stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL) {
        return NULL;
    }
    stream->channel = channel;
    stream->options = *options;
    stream->code = GRPC_UNKNOWN;
    stream->heard_ms = uv_now(channel->loop);
    framing_init(&stream->framing, channel->options.reply_max);
    stream->path = strdup(options->path);
    stream->http2 = stream->path != NULL ? http2_stream_create(stream) : NULL;
    bool timed = stream->http2 != NULL &&
        (options->timeout_ms == 0 ||
            deadlines_add(&channel->deadlines, &stream->deadline,
                uv_now(channel->loop) + options->timeout_ms));
    if (!timed) {
        http2_stream_destroy(stream->http2);
        free_stream(stream);
        return NULL;
    }
    LIST_INSERT_HEAD(&channel->streams, stream, link);
    begin(stream);
    return stream;
}

struct rpc_stream *rpc_unary_start(struct rpc_channel *channel,
    const struct rpc_stream_options *options, const ProtobufCMessage *request)
{
    struct rpc_stream *stream = rpc_stream_start(channel, options);
    if (stream != NULL && rpc_stream_send(stream, request) == STATUS_OK) {
        rpc_stream_half_close(stream);
    }
    return stream;
}

struct rpc_stream *rpc_unary_start_encoded(
    struct rpc_channel *channel, const struct rpc_stream_options *options, struct bytes request)
{
    struct rpc_stream *stream = rpc_stream_start(channel, options);
    if (stream != NULL && rpc_stream_send_encoded(stream, request) == STATUS_OK) {
        rpc_stream_half_close(stream);
    }
    return stream;
}

/* ---- sending ---- */

static uint8_t *make_room(struct rpc_stream *stream, size_t size, int *status)
{
    *status = STATUS_CANCELLED;
    if (stream->ended || stream->http2 == NULL || stream->half_closed) {
        return NULL;
    }
    uint8_t *room = http2_stream_reserve(stream->http2, FRAMING_PREFIX_SIZE + size);
    if (room == NULL) {
        *status = STATUS_NO_MEMORY;
        stream_end(stream, GRPC_RESOURCE_EXHAUSTED, "out of memory", !stream->opened);
        return NULL;
    }
    *status = STATUS_OK;
    framing_prefix(room, size);
    return room + FRAMING_PREFIX_SIZE;
}

int rpc_stream_send(struct rpc_stream *stream, const ProtobufCMessage *message)
{
    int status;
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *room = make_room(stream, size, &status);
    if (room != NULL) {
        (void)protobuf_c_message_pack(message, room);
        http2_stream_commit(stream->http2, FRAMING_PREFIX_SIZE + size);
    }
    return status;
}

int rpc_stream_send_encoded(struct rpc_stream *stream, struct bytes message)
{
    int status;
    uint8_t *room = make_room(stream, message.size, &status);
    if (room != NULL) {
        if (message.size > 0) {
            memcpy(room, message.data, message.size);
        }
        http2_stream_commit(stream->http2, FRAMING_PREFIX_SIZE + message.size);
    }
    return status;
}

bool rpc_stream_writable(const struct rpc_stream *stream)
{
    return !stream->ended && stream->http2 != NULL && http2_stream_writable(stream->http2);
}

size_t rpc_stream_unsent(const struct rpc_stream *stream)
{
    return stream->http2 == NULL ? 0 : http2_stream_unsent(stream->http2);
}

void rpc_stream_half_close(struct rpc_stream *stream)
{
    if (!stream->half_closed && stream->http2 != NULL && !stream->ended) {
        stream->half_closed = true;
        (void)http2_stream_finish(stream->http2, NULL, 0);
    }
}

static void on_writable(void *user)
{
    struct rpc_stream *stream = user;
    if (!stream->ended && stream->options.on_writable != NULL) {
        stream->options.on_writable(stream);
    }
}

/* ---- the answer ---- */

static bool is(struct bytes text, const char *word)
{
    return bytes_equal(text, bytes_of(word, strlen(word)));
}

static void keep_details(struct rpc_stream *stream, struct bytes value)
{
    free(stream->details);
    stream->details = malloc(value.size + 1);
    stream->details_size = 0;
    if (stream->details != NULL &&
        !metadata_base64_decode(value, stream->details, &stream->details_size)) {
        stream->details_size = 0;
    }
}

static void on_header(void *user, struct bytes name, struct bytes value)
{
    struct rpc_stream *stream = user;
    if (stream->ended) {
        return;
    }
    if (is(name, ":status")) {
        stream->http_status =
            (value.data[0] - '0') * 100 + (value.data[1] - '0') * 10 + (value.data[2] - '0');
    } else if (is(name, "content-type")) {
        stream->is_grpc = value.size >= 16 && memcmp(value.data, "application/grpc", 16) == 0;
    } else if (is(name, "grpc-status")) {
        stream->has_status = true;
        stream->code = metadata_code_decode(value);
    } else if (is(name, "grpc-message")) {
        metadata_percent_decode(value, stream->sentence, sizeof stream->sentence);
    } else if (is(name, "grpc-status-details-bin")) {
        keep_details(stream, value);
    }
}

static void on_headers_end(void *user)
{
    struct rpc_stream *stream = user;
    bool taken_up = !stream->has_status && stream->http_status == 200 && stream->is_grpc;
    if (taken_up && !stream->ended && stream->options.on_taken_up != NULL) {
        stream->options.on_taken_up(stream);
    }
}

/* All that came was handed over: what the server said at last. */
static void conclude(struct rpc_stream *stream)
{
    char sentence[96];
    if (stream->has_status && stream->code == GRPC_OK && framing_held(&stream->framing) > 0) {
        stream_end(stream, GRPC_INTERNAL, "the server's last message is cut short", false);
    } else if (stream->has_status) {
        stream->answered = stream->answered || !stream->ended;
        stream_end(stream, stream->code, NULL, false);
    } else if (stream->http_status != 200 || !stream->is_grpc) {
        snprintf(sentence, sizeof sentence, "the server answers HTTP status %d, and no gRPC",
            stream->http_status);
        stream_end(stream, metadata_code_of_http(stream->http_status), sentence, false);
    } else {
        stream_end(stream, GRPC_UNKNOWN, "the server ended the call without a status", false);
    }
}

static void refuse_frame(struct rpc_stream *stream, int status)
{
    char sentence[96];
    if (status == STATUS_TOO_LARGE) {
        snprintf(sentence, sizeof sentence, "the server's message is larger than %zu bytes",
            stream->framing.message_max);
        stream_end(stream, GRPC_RESOURCE_EXHAUSTED, sentence, false);
    } else {
        stream_end(stream, GRPC_INTERNAL, "the server's message does not decode", false);
    }
}

static void hand_over(struct rpc_stream *stream, struct bytes encoded)
{
    struct arena arena;
    struct error err;
    ProtobufCMessage *message = NULL;
    arena_init(&arena, guard_arena_limit(stream->framing.message_max));
    if (stream->options.response != NULL) {
        message = guard_decode(stream->options.response, encoded, &arena, &err);
    }
    if (stream->options.response != NULL && message == NULL) {
        refuse_frame(stream, STATUS_MALFORMED);
    } else if (stream->options.on_message != NULL) {
        stream->delivering = true;
        stream->options.on_message(stream, message, encoded);
        stream->delivering = false;
    }
    arena_reset(&arena);
}

/* False: nothing more for now. */
static bool deliver_next(struct rpc_stream *stream)
{
    struct bytes message;
    int status = framing_take(&stream->framing, &message);
    if (status == STATUS_OK) {
        hand_over(stream, message);
        return true;
    }
    if (status != STATUS_NOT_FOUND) {
        refuse_frame(stream, status);
    } else if (stream->remote_end) {
        conclude(stream);
    }
    return false;
}

static void deliver(struct rpc_stream *stream)
{
    if (stream->delivering) {
        return;
    }
    while (!stream->held && !stream->ended && deliver_next(stream)) {
    }
    if (!stream->held && stream->http2 != NULL && stream->unconsumed > 0) {
        http2_stream_consume(stream->http2, stream->unconsumed);
        stream->unconsumed = 0;
    }
}

static void on_data(void *user, struct bytes data)
{
    struct rpc_stream *stream = user;
    stream->unconsumed += data.size;
    stream->heard_ms = uv_now(stream->channel->loop);
    if (!stream->ended && framing_push(&stream->framing, data) != STATUS_OK) {
        stream_end(stream, GRPC_RESOURCE_EXHAUSTED, "out of memory", false);
    }
    deliver(stream);
}

static void on_remote_end(void *user)
{
    struct rpc_stream *stream = user;
    stream->remote_end = true;
    deliver(stream);
}

static void on_closed(void *user, uint32_t error)
{
    struct rpc_stream *stream = user;
    bool not_sent = !http2_stream_was_sent(stream->http2) || error == NGHTTP2_REFUSED_STREAM;
    stream->http2 = NULL;
    if (stream->remote_end) {
        return; /* What is held is still to be handed over. */
    }
    if (stream->has_status) {
        conclude(stream);
    } else if (error == HTTP2_CONNECTION_LOST) {
        stream_end(stream, GRPC_UNAVAILABLE,
            not_sent ? "the connection was lost before the call was sent"
                     : "the connection was lost; the outcome is unknown",
            not_sent);
    } else {
        stream_end(
            stream, metadata_code_of_http2(error), "the server broke the call off", not_sent);
    }
}

const struct http2_events client_events = {
    .on_ready = channel_on_ready,
    .on_goaway = channel_on_goaway,
    .on_header = on_header,
    .on_headers_end = on_headers_end,
    .on_data = on_data,
    .on_remote_end = on_remote_end,
    .on_writable = on_writable,
    .on_closed = on_closed,
    .on_ended = channel_on_ended,
};

/* ---- the end ---- */

static void let_go(struct rpc_stream *stream)
{
    if (stream->http2 == NULL) {
        return;
    }
    if (stream->opened) {
        http2_stream_abandon(stream->http2, NGHTTP2_CANCEL);
    } else {
        http2_stream_destroy(stream->http2);
    }
    stream->http2 = NULL;
}

void stream_tell(struct rpc_stream *stream)
{
    assert(stream->ended);
    TAILQ_REMOVE(&stream->channel->ended, stream, queue_link);
    LIST_REMOVE(stream, link);
    let_go(stream);
    const struct rpc_result result = {.code = stream->code,
        .sentence = stream->sentence,
        .details = bytes_of(stream->details, stream->details_size),
        .answered = stream->answered,
        .not_sent = stream->not_sent};
    stream->options.on_status(stream, &result);
    free_stream(stream);
}

void rpc_stream_cancel(struct rpc_stream *stream)
{
    stream_end(stream, GRPC_CANCELLED, "cancelled", !stream->opened);
}

void rpc_stream_hold(struct rpc_stream *stream)
{
    stream->held = true;
}

void rpc_stream_release(struct rpc_stream *stream)
{
    if (stream->held) {
        stream->held = false;
        deliver(stream);
    }
}

uint64_t rpc_stream_heard_ms(const struct rpc_stream *stream)
{
    return stream->heard_ms;
}

void *rpc_stream_user(const struct rpc_stream *stream)
{
    return stream->options.user;
}

struct rpc_channel *rpc_stream_channel(const struct rpc_stream *stream)
{
    return stream->channel;
}
