#include "rpc/http2_private.h"

#include <assert.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <sys/ioctl.h>

enum {
    READ_SIZE = 64 << 10,
    BATCH_SIZE = 64 << 10,
    /* What a peer that does not read may make us hold for it, beside the bodies of its streams:
     * frames (each reset it provokes is one), and bytes of TLS (each alert). */
    UNREAD_FRAMES_MAX = 10000,
    UNREAD_TLS_MAX = 64 << 10,
};

/* libuv reads into it and calls on_read() at once: one is enough for all connections of a loop. */
static _Thread_local uint8_t read_buffer[READ_SIZE];

static void flush(struct http2_connection *c);

static void on_flusher(uv_idle_t *idle)
{
    uv_idle_stop(idle);
    flush(idle->data);
}

void http2_wake(struct http2_connection *c)
{
    if (c->state != HTTP2_ENDED) {
        uv_idle_start(&c->flusher, on_flusher);
    }
}

void http2_doom(struct http2_connection *c, const char *why)
{
    if (!c->doomed && c->state != HTTP2_ENDED) {
        c->doomed = true;
        if (why != c->why) {
            snprintf(c->why, sizeof c->why, "%s", why);
        }
        http2_wake(c);
    }
}

static void on_written(uv_write_t *request, int status)
{
    struct http2_connection *c = request->data;
    c->writing = false;
    buffer_clear(&c->in_flight);
    if (c->state == HTTP2_ENDED) {
        return;
    }
    if (status < 0) {
        http2_end(c, uv_strerror(status));
        return;
    }
    http2_wake(c);
}

uint64_t http2_taken(const struct http2_connection *c)
{
    uv_os_fd_t fd;
    int outstanding; /* Sent and not acknowledged, or not sent yet. */
    if (uv_fileno((const uv_handle_t *)&c->tcp, &fd) != 0 ||
        ioctl(fd, SIOCOUTQ, &outstanding) != 0) {
        return 0;
    }
    uint64_t left =
        (uint64_t)outstanding + uv_stream_get_write_queue_size((const uv_stream_t *)&c->tcp);
    return c->handed > left ? c->handed - left : 0;
}

/* What is ready to go on the wire: all of it, or what the kernel takes now while libuv keeps the
 * rest. False: the connection has ended. */
static bool ship(struct http2_connection *c)
{
    struct buffer *from = c->tls == NULL ? &c->output : tls_output(c->tls);
    struct bytes bytes = buffer_bytes(from);
    if (bytes.size == 0 || c->writing) {
        return true;
    }
    uv_buf_t piece = uv_buf_init((char *)(uintptr_t)bytes.data, (unsigned)bytes.size);
    int taken = uv_try_write((uv_stream_t *)&c->tcp, &piece, 1);
    if (taken < 0 && taken != UV_EAGAIN) {
        http2_end(c, uv_strerror(taken));
        return false;
    }
    if (taken > 0) {
        c->handed += (uint64_t)taken;
        buffer_consume(from, (size_t)taken);
    }
    if (from->size == 0) {
        return true;
    }
    struct buffer rest = *from;
    *from = c->in_flight;
    c->in_flight = rest;
    bytes = buffer_bytes(&c->in_flight);
    c->handed += bytes.size;
    piece = uv_buf_init((char *)(uintptr_t)bytes.data, (unsigned)bytes.size);
    c->write.data = c;
    int error = uv_write(&c->write, (uv_stream_t *)&c->tcp, &piece, 1, on_written);
    if (error != 0) {
        http2_end(c, uv_strerror(error));
        return false;
    }
    c->writing = true;
    return true;
}

/* Takes about BATCH_SIZE bytes of frames from nghttp2. False: none there, or doomed. */
static bool collect(struct http2_connection *c)
{
    assert(c->output.size == 0);
    while (c->output.size < BATCH_SIZE) {
        const uint8_t *data;
        ssize_t size = nghttp2_session_mem_send(c->session, &data);
        if (size < 0) {
            http2_doom(c, nghttp2_strerror((int)size));
            return false;
        }
        if (size == 0) {
            break;
        }
        if (buffer_append(&c->output, data, (size_t)size) != STATUS_OK) {
            http2_doom(c, "out of memory");
            return false;
        }
    }
    if (c->tls != NULL && c->output.size > 0) {
        struct error err;
        if (tls_write(c->tls, buffer_bytes(&c->output), &err) != STATUS_OK) {
            http2_doom(c, err.text);
            return false;
        }
        buffer_clear(&c->output);
        return true;
    }
    return c->output.size > 0;
}

static void tell_writable(struct http2_connection *c)
{
    struct http2_stream *stream;
    while ((stream = TAILQ_FIRST(&c->drained)) != NULL) {
        TAILQ_REMOVE(&c->drained, stream, drained_link);
        stream->drained = false;
        stream->full = stream->queue.size >= HTTP2_QUEUE_HIGH;
        if (stream->user != NULL && !stream->full && !stream->finished) {
            c->options.events->on_writable(stream->user);
        }
    }
}

static bool session_is_over(const struct http2_connection *c)
{
    return c->session != NULL && !c->writing && nghttp2_session_want_read(c->session) == 0 &&
        nghttp2_session_want_write(c->session) == 0;
}

static void say_goodbye(struct http2_connection *c)
{
    if (c->tls != NULL) {
        tls_close(c->tls);
    }
    if (ship(c)) {
        http2_linger(c);
    }
}

static void flush(struct http2_connection *c)
{
    if (c->off_loop) {
        return; /* It is looked at when it is back. */
    }
    if (c->doomed) {
        http2_end(c, c->why);
        return;
    }
    if (!ship(c) || c->state != HTTP2_OPEN) {
        return;
    }
    while (!c->writing && collect(c)) {
        if (!ship(c)) {
            return;
        }
        tell_writable(c);
    }
    if (c->doomed) {
        http2_end(c, c->why);
    } else if (session_is_over(c)) {
        say_goodbye(c);
    }
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)handle;
    (void)suggested;
    *buffer = uv_buf_init((char *)read_buffer, READ_SIZE);
}

void http2_fed(struct http2_connection *c, int status, const char *why)
{
    if (!ship(c)) { /* An answer of the handshake, or a last alert. */
        return;
    }
    if (status != STATUS_OK) {
        c->untrusted = status == STATUS_UNAUTHENTICATED;
        http2_end(c, why);
        return;
    }
    if (c->state == HTTP2_SHAKING && tls_established(c->tls)) {
        http2_established(c);
    }
    if (c->state == HTTP2_OPEN && !c->doomed && c->plain.size > 0) {
        http2_session_feed(c, buffer_bytes(&c->plain));
    }
    buffer_clear(&c->plain);
    if (tls_ended(c->tls)) {
        http2_doom(c, "the peer closed the connection");
    }
}

/* Ciphertext in, plaintext to the session. */
static void feed_tls(struct http2_connection *c, struct bytes ciphertext)
{
    struct error err = {.text = ""};
    if (c->state == HTTP2_SHAKING) {
        http2_shake(c, ciphertext);
        return;
    }
    int status = tls_feed(c->tls, ciphertext, &c->plain, &err);
    http2_fed(c, status, err.text);
}

/* A client's own requests are frames that wait too: their number is its user's. */
static bool is_unread(const struct http2_connection *c)
{
    size_t frames = c->options.server ? nghttp2_session_get_outbound_queue_size(c->session) : 0;
    size_t bytes = c->tls == NULL ? 0 : tls_output(c->tls)->size;
    return c->writing && (frames > UNREAD_FRAMES_MAX || bytes > UNREAD_TLS_MAX);
}

static void on_read(uv_stream_t *tcp, ssize_t size, const uv_buf_t *buffer)
{
    struct http2_connection *c = tcp->data;
    if (size == 0 || c->state == HTTP2_ENDED) {
        return;
    }
    if (size < 0) {
        bool over = c->state == HTTP2_LINGERING;
        http2_end(c,
            over                 ? c->why
                : size == UV_EOF ? "the peer closed the connection"
                                 : uv_strerror((int)size));
        return;
    }
    if (c->doomed || c->state == HTTP2_LINGERING) {
        return;
    }
    c->heard_ms = uv_now(tcp->loop);
    c->pinged = false; /* Whatever came: its answer may be behind much else. */
    struct bytes received = bytes_of(buffer->base, (size_t)size);
    if (c->tls != NULL) {
        feed_tls(c, received);
    } else {
        http2_session_feed(c, received);
    }
    if (c->state == HTTP2_OPEN && is_unread(c)) {
        http2_doom(c, "the peer makes us answer and does not read");
    }
}

void http2_io_start(struct http2_connection *c)
{
    if (c->state == HTTP2_ENDED) {
        return;
    }
    int error = uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
    if (error != 0) {
        http2_doom(c, uv_strerror(error));
    }
    http2_wake(c);
}
