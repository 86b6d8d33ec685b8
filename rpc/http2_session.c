#include "rpc/http2_private.h"

#include <assert.h>
#include <stdio.h>

enum {
    STREAM_WINDOW = 256 << 10,
    CONNECTION_WINDOW = 4 << 20,
    SETTINGS_ENTRIES_MAX = 32,
    /* nghttp2's own limit of 33 a second punishes honest clients that cancel many calls at once. */
    RESET_BURST = 10000,
    RESET_RATE = 1000,
    PROVOKED_RESETS_PER_SECOND = 200,
};

static const struct bytes status_name = {.data = (const uint8_t *)":status", .size = 7};

static struct http2_stream *find(nghttp2_session *session, int32_t id)
{
    return nghttp2_session_get_stream_user_data(session, id);
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct http2_connection *c = user;
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
        return 0;
    }
    struct http2_stream *stream = http2_stream_attach(c, frame->hd.stream_id);
    if (stream == NULL) {
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    nghttp2_session_set_stream_user_data(session, stream->id, stream);
    stream->user = c->options.events->on_stream(c, stream);
    return stream->user == NULL ? NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE : 0;
}

/* The signature is nghttp2's. */
/* NOLINTNEXTLINE(readability-function-size) */
static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
    size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags, void *user)
{
    (void)flags;
    struct http2_connection *c = user;
    struct http2_stream *stream = find(session, frame->hd.stream_id);
    if (stream == NULL || stream->user == NULL) {
        return 0;
    }
    /* SETTINGS_MAX_HEADER_LIST_SIZE is only advice. */
    stream->header_bytes += name_size + value_size;
    if (stream->header_bytes > HTTP2_HEADERS_MAX) {
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    /* nghttp2 has checked it: three digits. */
    if (!c->options.server && bytes_equal(bytes_of(name, name_size), status_name)) {
        stream->informational = value[0] == '1';
    }
    bool request_trailer = c->options.server && stream->headers_done;
    if (!request_trailer && !stream->informational) {
        c->options.events->on_header(
            stream->user, bytes_of(name, name_size), bytes_of(value, value_size));
    }
    return 0;
}

/* A header block is over: of a request, a response, a 1xx before it, or trailers. */
static void headers_end(struct http2_connection *c, struct http2_stream *stream)
{
    if (stream->headers_done || stream->informational) {
        return;
    }
    stream->headers_done = true;
    if (stream->user != NULL) {
        c->options.events->on_headers_end(stream->user);
    }
}

static void settings_received(struct http2_connection *c)
{
    if (!c->ready) {
        c->ready = true;
        c->options.events->on_ready(c);
    }
}

static void on_stream_frame(struct http2_connection *c, const nghttp2_frame *frame)
{
    struct http2_stream *stream = find(c->session, frame->hd.stream_id);
    if (stream == NULL) {
        return;
    }
    bool end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (frame->hd.type == NGHTTP2_HEADERS) {
        headers_end(c, stream);
    }
    if (end && !stream->remote_end) {
        stream->remote_end = true;
        if (stream->user != NULL) {
            c->options.events->on_remote_end(stream->user);
        }
    }
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    (void)session;
    struct http2_connection *c = user;
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_DATA:
        on_stream_frame(c, frame);
        break;
    case NGHTTP2_SETTINGS:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) == 0) {
            settings_received(c);
        }
        break;
    case NGHTTP2_GOAWAY:
        if (c->options.events->on_goaway != NULL) {
            c->options.events->on_goaway(c);
        }
        break;
    default:
        break;
    }
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
    size_t size, void *user)
{
    (void)flags;
    struct http2_connection *c = user;
    struct http2_stream *stream = find(session, id);
    /* One slow call must not stall its siblings: memory is bounded by the streams' windows. */
    (void)nghttp2_session_consume_connection(session, size);
    if (stream == NULL || stream->user == NULL) {
        (void)nghttp2_session_consume_stream(session, id, size);
        return 0;
    }
    c->options.events->on_data(stream->user, bytes_of(data, size));
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t error, void *user)
{
    struct http2_connection *c = user;
    struct http2_stream *stream = find(session, id);
    if (stream == NULL) {
        return 0;
    }
    nghttp2_session_set_stream_user_data(session, id, NULL);
    if (stream->user != NULL) {
        c->options.events->on_closed(stream->user, error);
    }
    http2_stream_free(stream);
    return 0;
}

/* A client can make a server send resets without sending one itself. */
static void count_provoked_reset(struct http2_connection *c, uint32_t error)
{
    if (error == NGHTTP2_NO_ERROR || error == NGHTTP2_CANCEL) {
        return;
    }
    uint64_t now = uv_now(c->tcp.loop);
    if (now - c->provoked_since_ms >= 1000) {
        c->provoked_since_ms = now;
        c->provoked = 0;
    }
    if (++c->provoked > PROVOKED_RESETS_PER_SECOND) {
        (void)nghttp2_session_terminate_session(c->session, NGHTTP2_ENHANCE_YOUR_CALM);
    }
}

static int on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct http2_connection *c = user;
    if (frame->hd.type == NGHTTP2_RST_STREAM && c->options.server) {
        count_provoked_reset(c, frame->rst_stream.error_code);
        return 0;
    }
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) {
        return 0;
    }
    struct http2_stream *stream = find(session, frame->hd.stream_id);
    if (stream == NULL) {
        return 0;
    }
    stream->sent = true;
    /* The answer is complete while the client still sends: RFC 9113 §8.1. */
    bool end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (c->options.server && end && !stream->remote_end) {
        (void)nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_NO_ERROR);
    }
    return 0;
}

static int create_session(struct http2_connection *c, nghttp2_session_callbacks *callbacks)
{
    nghttp2_option *option;
    if (nghttp2_option_new(&option) != 0) {
        return NGHTTP2_ERR_NOMEM;
    }
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_peer_max_concurrent_streams(option, 100);
    nghttp2_option_set_max_settings(option, SETTINGS_ENTRIES_MAX);
    nghttp2_option_set_stream_reset_rate_limit(option, RESET_BURST, RESET_RATE);
    int error = c->options.server ? nghttp2_session_server_new2(&c->session, callbacks, c, option)
                                  : nghttp2_session_client_new2(&c->session, callbacks, c, option);
    nghttp2_option_del(option);
    return error;
}

static int submit_settings(struct http2_connection *c)
{
    nghttp2_settings_entry own = c->options.server
        ? (nghttp2_settings_entry){NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, c->options.streams_max}
        : (nghttp2_settings_entry){NGHTTP2_SETTINGS_ENABLE_PUSH, 0};
    nghttp2_settings_entry settings[] = {
        own,
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, HTTP2_HEADERS_MAX},
    };
    int error = nghttp2_submit_settings(
        c->session, NGHTTP2_FLAG_NONE, settings, sizeof settings / sizeof settings[0]);
    if (error != 0) {
        return error;
    }
    return nghttp2_session_set_local_window_size(
        c->session, NGHTTP2_FLAG_NONE, 0, CONNECTION_WINDOW);
}

int http2_session_start(struct http2_connection *c)
{
    nghttp2_session_callbacks *callbacks;
    if (nghttp2_session_callbacks_new(&callbacks) != 0) {
        return STATUS_NO_MEMORY;
    }
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_recv);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_send);
    int error = create_session(c, callbacks);
    nghttp2_session_callbacks_del(callbacks);
    if (error == 0) {
        error = submit_settings(c);
    }
    return error == 0 ? STATUS_OK : STATUS_NO_MEMORY;
}

void http2_session_feed(struct http2_connection *c, struct bytes data)
{
    ssize_t taken = nghttp2_session_mem_recv(c->session, data.data, data.size);
    if (taken < 0) {
        http2_doom(c,
            taken == NGHTTP2_ERR_BAD_CLIENT_MAGIC ? "the peer does not speak HTTP/2"
                                                  : nghttp2_strerror((int)taken));
        return;
    }
    http2_wake(c);
}
