#include "rpc/http2.h"

#include "rpc/http2_private.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    TICK_MIN_MS = 5,
    TICK_MAX_MS = 500,
    DRAIN_TICK_MS = 20,
    /* Between the two GOAWAYs: about a round trip, for streams that are on their way. */
    DRAIN_NOTICE_MS = 100,
    LINGER_MS = 1000,
};

static uint64_t now_ms(const struct http2_connection *c)
{
    return uv_now(c->tcp.loop);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct http2_connection *c = handle->data;
    assert(c->handles > 0);
    if (--c->handles > 0) {
        return;
    }
    nghttp2_session_del(c->session);
    tls_connection_destroy(c->tls);
    buffer_deinit(&c->shake.input);
    buffer_deinit(&c->plain);
    buffer_deinit(&c->output);
    buffer_deinit(&c->in_flight);
    free(c);
}

static void close_streams(struct http2_connection *c)
{
    struct http2_stream *stream;
    while ((stream = LIST_FIRST(&c->streams)) != NULL) {
        nghttp2_session_set_stream_user_data(c->session, stream->id, NULL);
        if (stream->user != NULL) {
            c->options.events->on_closed(stream->user, HTTP2_CONNECTION_LOST);
        }
        http2_stream_free(stream);
    }
}

void http2_end(struct http2_connection *c, const char *why)
{
    if (c->state == HTTP2_ENDED) {
        return;
    }
    if (c->off_loop) {
        http2_doom(c, why);
        return;
    }
    http2_shake_forget(c);
    c->state = HTTP2_ENDED;
    if (why != c->why) {
        snprintf(c->why, sizeof c->why, "%s", why);
    }
    close_streams(c);
    if (!c->silent) {
        c->options.events->on_ended(c, c->why);
    }
    uv_close((uv_handle_t *)&c->flusher, on_handle_closed);
    uv_close((uv_handle_t *)&c->timer, on_handle_closed);
    uv_close((uv_handle_t *)&c->tcp, on_handle_closed);
}

static void on_shutdown(uv_shutdown_t *request, int status)
{
    /* The peer's end of the stream, or the timer, ends the connection. */
    (void)request;
    (void)status;
}

void http2_linger(struct http2_connection *c)
{
    assert(c->state == HTTP2_OPEN);
    /* A server that closes with bytes unread makes the kernel reset the connection, and the client
     * may lose the last words. */
    c->state = HTTP2_LINGERING;
    snprintf(c->why, sizeof c->why, "%s",
        c->drain != HTTP2_NOT_DRAINING ? "drained" : "the HTTP/2 session is over");
    c->lingered_ms = now_ms(c);
    if (!c->options.server || uv_shutdown(&c->shutdown, (uv_stream_t *)&c->tcp, on_shutdown) != 0) {
        http2_doom(c, c->why);
    }
}

static void tick_drain(struct http2_connection *c)
{
    if (now_ms(c) < c->drain_at_ms) {
        return;
    }
    if (c->drain == HTTP2_DRAIN_FINAL) {
        http2_end(c, "streams did not finish in time");
        return;
    }
    c->drain = HTTP2_DRAIN_FINAL;
    c->drain_at_ms = now_ms(c) + c->grace_ms;
    (void)nghttp2_submit_goaway(c->session, NGHTTP2_FLAG_NONE,
        nghttp2_session_get_last_proc_stream_id(c->session), NGHTTP2_NO_ERROR, NULL, 0);
    http2_wake(c);
}

/* On a slow line the ping may stand behind megabytes: as long as they move its time begins anew.
 * Not so for what was sent after it, which the host of a process that hangs takes all the same. */
static void follow_ping(struct http2_connection *c)
{
    if (!c->pinged || c->taken >= c->ahead) {
        return;
    }
    uint64_t taken = http2_taken(c);
    if (taken > c->taken) {
        c->taken = taken;
        c->pinged_ms = now_ms(c);
    }
}

static void tick_keepalive(struct http2_connection *c)
{
    static const uint8_t opaque[8] = {'z', 'h', 'u', 'r', 'n', 'a', 'l', 0};
    uint64_t now = now_ms(c);
    follow_ping(c);
    if (c->pinged && now - c->pinged_ms >= c->options.keepalive_timeout_ms) {
        http2_end(c, "the peer gives no sign of life");
    } else if (!c->pinged && now - c->heard_ms >= c->options.keepalive_ms) {
        c->pinged = true;
        c->pinged_ms = now;
        c->ahead = c->handed;
        c->taken = http2_taken(c);
        (void)nghttp2_submit_ping(c->session, NGHTTP2_FLAG_NONE, opaque);
        http2_wake(c);
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct http2_connection *c = timer->data;
    if (c->state == HTTP2_LINGERING) {
        if (now_ms(c) - c->lingered_ms >= LINGER_MS) {
            http2_end(c, c->why);
        }
        return;
    }
    if (!c->ready) {
        if (now_ms(c) - c->began_ms >= c->options.handshake_timeout_ms) {
            http2_end(
                c, c->state == HTTP2_CONNECTING ? "no connection in time" : "no handshake in time");
        }
        return;
    }
    if (c->drain != HTTP2_NOT_DRAINING) {
        tick_drain(c);
    }
    if (c->state == HTTP2_OPEN) {
        tick_keepalive(c);
    }
}

/* Fine enough for the shortest of the times to keep. */
static unsigned tick_ms(const struct http2_options *options)
{
    unsigned shortest = options->handshake_timeout_ms;
    if (options->keepalive_ms < shortest) {
        shortest = options->keepalive_ms;
    }
    if (options->keepalive_timeout_ms < shortest) {
        shortest = options->keepalive_timeout_ms;
    }
    unsigned tick = shortest / 4;
    return tick < TICK_MIN_MS ? TICK_MIN_MS : tick > TICK_MAX_MS ? TICK_MAX_MS : tick;
}

static struct http2_connection *create(
    uv_loop_t *loop, const struct http2_options *options, void *user, struct error *err)
{
    assert(options->keepalive_ms > 0 && options->keepalive_timeout_ms > 0);
    assert(options->handshake_timeout_ms > 0);
    struct http2_connection *c = calloc(1, sizeof *c);
    if (c == NULL) {
        error_set(err, STATUS_NO_MEMORY, "out of memory");
        return NULL;
    }
    /* The context may go before TCP is up. */
    uint64_t node = options->server ? 0 : options->expect_node;
    if (options->tls != NULL &&
        tls_connection_create(&c->tls, options->tls, node, err) != STATUS_OK) {
        free(c);
        return NULL;
    }
    c->options = *options;
    c->options.tls = NULL;
    c->user = user;
    c->silent = true;
    LIST_INIT(&c->streams);
    TAILQ_INIT(&c->drained);
    /* These three cannot fail on a loop that works. */
    (void)uv_tcp_init(loop, &c->tcp);
    (void)uv_timer_init(loop, &c->timer);
    (void)uv_idle_init(loop, &c->flusher);
    c->tcp.data = c->timer.data = c->flusher.data = c;
    c->handles = 3;
    uv_unref((uv_handle_t *)&c->flusher);
    c->began_ms = c->heard_ms = uv_now(loop);
    uv_timer_start(&c->timer, on_timer, tick_ms(options), tick_ms(options));
    uv_unref((uv_handle_t *)&c->timer);
    return c;
}

static void name_peer(struct http2_connection *c)
{
    struct sockaddr_storage address;
    int size = sizeof address;
    char ip[INET6_ADDRSTRLEN] = "?";
    if (uv_tcp_getpeername(&c->tcp, (struct sockaddr *)&address, &size) == 0) {
        uv_ip_name((struct sockaddr *)&address, ip, sizeof ip);
        /* The port stands at the same place in both families. */
        unsigned port = ntohs(((struct sockaddr_in *)&address)->sin_port);
        snprintf(
            c->peer, sizeof c->peer, address.ss_family == AF_INET6 ? "[%s]:%u" : "%s:%u", ip, port);
    }
}

void http2_established(struct http2_connection *c)
{
    c->state = HTTP2_OPEN;
    if (http2_session_start(c) != STATUS_OK) {
        http2_doom(c, "out of memory");
        return;
    }
    http2_wake(c);
}

/* TCP is up. */
static void begin(struct http2_connection *c)
{
    (void)uv_tcp_nodelay(&c->tcp, 1);
    name_peer(c);
    if (c->tls == NULL) {
        http2_established(c);
    } else {
        c->state = HTTP2_SHAKING;
    }
    http2_io_start(c);
}

struct http2_connection *http2_accept(
    uv_stream_t *listener, const struct http2_options *options, void *user, struct error *err)
{
    struct http2_connection *c = create(listener->loop, options, user, err);
    if (c == NULL) {
        return NULL;
    }
    int error = uv_accept(listener, (uv_stream_t *)&c->tcp);
    if (error != 0) {
        error_set(err, STATUS_IO, "%s", uv_strerror(error));
        http2_end(c, "");
        return NULL;
    }
    begin(c);
    c->silent = false;
    return c;
}

static void on_connected(uv_connect_t *request, int status)
{
    struct http2_connection *c = request->data;
    if (c->state == HTTP2_ENDED) {
        return;
    }
    if (status < 0) {
        http2_end(c, uv_strerror(status));
    } else {
        begin(c);
    }
}

struct http2_connection *http2_connect(uv_loop_t *loop, const struct sockaddr *address,
    const struct http2_options *options, void *user, struct error *err)
{
    struct http2_connection *c = create(loop, options, user, err);
    if (c == NULL) {
        return NULL;
    }
    c->connect.data = c;
    int error = uv_tcp_connect(&c->connect, &c->tcp, address, on_connected);
    if (error != 0) {
        error_set(err, STATUS_IO, "%s", uv_strerror(error));
        http2_end(c, "");
        return NULL;
    }
    c->silent = false;
    return c;
}

void *http2_connection_user(const struct http2_connection *connection)
{
    return connection->user;
}

const char *http2_connection_peer(const struct http2_connection *connection)
{
    return connection->peer;
}

uint64_t http2_connection_heard_ms(const struct http2_connection *connection)
{
    return connection->heard_ms;
}

const struct identity *http2_connection_identity(const struct http2_connection *connection)
{
    assert(!connection->off_loop);
    bool known = connection->tls != NULL && tls_established(connection->tls);
    return known ? tls_peer(connection->tls) : NULL;
}

bool http2_connection_untrusted(const struct http2_connection *connection)
{
    return connection->untrusted;
}

void http2_connection_drain(struct http2_connection *connection, unsigned grace_ms)
{
    struct http2_connection *c = connection;
    if (c->state == HTTP2_ENDED || c->state == HTTP2_LINGERING || c->drain != HTTP2_NOT_DRAINING) {
        return;
    }
    if (!c->ready || grace_ms == 0) {
        http2_connection_close(c, "shutting down");
        return;
    }
    c->grace_ms = grace_ms;
    if (c->options.server) {
        c->drain = HTTP2_DRAIN_NOTICED;
        c->drain_at_ms = now_ms(c) + DRAIN_NOTICE_MS;
        (void)nghttp2_submit_shutdown_notice(c->session);
    } else {
        c->drain = HTTP2_DRAIN_FINAL;
        c->drain_at_ms = now_ms(c) + grace_ms;
        (void)nghttp2_submit_goaway(c->session, NGHTTP2_FLAG_NONE, 0, NGHTTP2_NO_ERROR, NULL, 0);
    }
    uv_timer_start(&c->timer, on_timer, DRAIN_TICK_MS, DRAIN_TICK_MS);
    http2_wake(c);
}

void http2_connection_close(struct http2_connection *connection, const char *why)
{
    http2_doom(connection, why);
}
