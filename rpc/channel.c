#include "rpc/client_private.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    REPLY_MAX = (4 << 20) - 1,
    WAITING_MAX = 256,
    CONNECT_TIMEOUT_MS = 5000,
    KEEPALIVE_MS = 30000,
    KEEPALIVE_TIMEOUT_MS = 10000,
    PAUSE_MIN_MS = 100,
    PAUSE_MAX_MS = 5000,
    PORT_TEXT_SIZE = 8,
};

static void start_attempt(struct rpc_channel *channel);
static void part(struct rpc_channel *channel);

static void set_state(struct rpc_channel *channel, enum rpc_channel_state state, const char *why)
{
    if (why != NULL) {
        snprintf(channel->why, sizeof channel->why, "%s", why);
    }
    bool changed = channel->state != state;
    channel->state = state;
    if (changed && channel->options.on_state != NULL) {
        channel->options.on_state(channel, state, why != NULL ? channel->why : NULL);
    }
}

/* ---- between attempts ---- */

static void on_timer(uv_timer_t *timer)
{
    struct rpc_channel *channel = timer->data;
    if (channel->current != NULL) {
        http2_connection_close(channel->current->http2, "no connection in time");
    } else if (channel->looking) {
        (void)uv_cancel((uv_req_t *)&channel->lookup);
    } else {
        start_attempt(channel);
    }
}

/* Twice as long each time, give or take a fifth, so that a cluster's clients do not come at once.
 */
static uint64_t pause_of(struct rpc_channel *channel)
{
    uint64_t pause = PAUSE_MIN_MS;
    for (unsigned i = 0; i < channel->failures && pause < PAUSE_MAX_MS; i++) {
        pause *= 2;
    }
    pause = pause > PAUSE_MAX_MS ? PAUSE_MAX_MS : pause;
    uint64_t fifth = pause / 5;
    return pause - fifth + uv_hrtime() / 1000 % (2 * fifth + 1);
}

static void rest(struct rpc_channel *channel, const char *why)
{
    uint64_t ms = pause_of(channel);
    channel->failures++;
    uv_timer_start(&channel->timer, on_timer, ms, 0);
    set_state(channel, RPC_CHANNEL_WAITING, why);
}

void channel_fail(const struct rpc_channel *channel, struct rpc_stream *stream)
{
    char sentence[RPC_SENTENCE_MAX];
    snprintf(sentence, sizeof sentence, "cannot reach %s: %s", channel->authority, channel->why);
    stream_end(stream, GRPC_UNAVAILABLE, sentence, true);
}

/* Whoever does not wait through failures hears of this one. */
static void fail_waiting(struct rpc_channel *channel)
{
    struct rpc_stream *stream = TAILQ_FIRST(&channel->waiting);
    while (stream != NULL) {
        struct rpc_stream *next = TAILQ_NEXT(stream, queue_link);
        if (!stream->options.wait_for_ready) {
            channel_fail(channel, stream);
        }
        stream = next;
    }
}

/* ---- an attempt ---- */

static void forget_addresses(struct rpc_channel *channel)
{
    uv_freeaddrinfo(channel->addresses);
    channel->addresses = channel->next_address = NULL;
}

static void attempt_failed(struct rpc_channel *channel, const char *why)
{
    forget_addresses(channel);
    rest(channel, why);
    fail_waiting(channel);
}

static int connect_to(
    struct rpc_channel *channel, const struct sockaddr *address, struct error *err)
{
    const struct http2_options options = {.events = &client_events,
        .tls = channel->options.tls,
        .expect_node = channel->options.expect_node,
        .keepalive_ms = channel->options.keepalive_ms,
        .keepalive_timeout_ms = channel->options.keepalive_timeout_ms,
        .handshake_timeout_ms = channel->options.connect_timeout_ms};
    struct channel_connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    }
    connection->channel = channel;
    connection->http2 = http2_connect(channel->loop, address, &options, connection, err);
    if (connection->http2 == NULL) {
        free(connection);
        return STATUS_UNAVAILABLE;
    }
    LIST_INSERT_HEAD(&channel->connections, connection, link);
    channel->current = connection;
    return STATUS_OK;
}

/* The next of the addresses that the name has. */
static void try_next(struct rpc_channel *channel, const char *why)
{
    struct error err;
    snprintf(err.text, sizeof err.text, "%s", why);
    while (channel->next_address != NULL) {
        struct addrinfo *address = channel->next_address;
        channel->next_address = address->ai_next;
        if (connect_to(channel, address->ai_addr, &err) == STATUS_OK) {
            return;
        }
    }
    attempt_failed(channel, err.text);
}

static void on_looked_up(uv_getaddrinfo_t *lookup, int status, struct addrinfo *addresses)
{
    struct rpc_channel *channel = lookup->data;
    channel->looking = false;
    channel->addresses = channel->next_address = addresses;
    if (channel->closing) {
        forget_addresses(channel);
        part(channel);
    } else if (status != 0) {
        attempt_failed(channel,
            status == UV_ECANCELED ? "its name is not looked up in time" : uv_strerror(status));
    } else {
        try_next(channel, "the name has no address");
    }
}

static void start_attempt(struct rpc_channel *channel)
{
    char port[PORT_TEXT_SIZE];
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    snprintf(port, sizeof port, "%d", channel->options.port);
    uv_timer_start(&channel->timer, on_timer, channel->options.connect_timeout_ms, 0);
    set_state(channel, RPC_CHANNEL_CONNECTING, NULL);
    if (channel->closing) {
        return;
    }
    channel->lookup.data = channel;
    channel->looking = true;
    int error =
        uv_getaddrinfo(channel->loop, &channel->lookup, on_looked_up, channel->host, port, &hints);
    if (error != 0) {
        channel->looking = false;
        attempt_failed(channel, uv_strerror(error));
    }
}

/* ---- what becomes of it ---- */

void channel_on_ready(struct http2_connection *http2)
{
    struct channel_connection *connection = http2_connection_user(http2);
    struct rpc_channel *channel = connection->channel;
    if (channel->current != connection || channel->closing) {
        return;
    }
    uv_timer_stop(&channel->timer);
    forget_addresses(channel);
    channel->failures = 0;
    channel->untrusted = false;
    set_state(channel, RPC_CHANNEL_READY, NULL);
    struct rpc_stream *stream;
    while (
        channel->state == RPC_CHANNEL_READY && (stream = TAILQ_FIRST(&channel->waiting)) != NULL) {
        stream_open(stream);
    }
}

/* The server is leaving: its calls go on, new ones need another connection. */
void channel_on_goaway(struct http2_connection *http2)
{
    struct channel_connection *connection = http2_connection_user(http2);
    struct rpc_channel *channel = connection->channel;
    if (channel->current == connection && !channel->closing) {
        channel->current = NULL;
        rest(channel, "the server is shutting down");
    }
}

void channel_on_ended(struct http2_connection *http2, const char *why)
{
    struct channel_connection *connection = http2_connection_user(http2);
    struct rpc_channel *channel = connection->channel;
    bool current = channel->current == connection;
    LIST_REMOVE(connection, link);
    free(connection);
    if (current) {
        channel->current = NULL;
        channel->untrusted = http2_connection_untrusted(http2);
    }
    if (channel->closing) {
        part(channel);
    } else if (current && channel->state == RPC_CHANNEL_CONNECTING) {
        try_next(channel, why);
    } else if (current) {
        rest(channel, why);
    }
}

/* ---- opening and closing ---- */

static void on_teller(uv_timer_t *timer)
{
    struct rpc_channel *channel = timer->data;
    struct rpc_stream *stream;
    while ((stream = TAILQ_FIRST(&channel->ended)) != NULL) {
        stream_tell(stream);
    }
    if (channel->closing) {
        part(channel);
    }
}

static_assert(offsetof(struct rpc_stream, deadline) == 0, "a deadline is its stream's");

static void on_deadline(struct deadlines *deadlines, struct deadline *deadline)
{
    (void)deadlines;
    struct rpc_stream *stream = (struct rpc_stream *)deadline;
    bool not_sent = stream->http2 != NULL && !http2_stream_was_sent(stream->http2);
    stream_end(stream, GRPC_DEADLINE_EXCEEDED,
        not_sent ? "the deadline passed before the call could be sent"
                 : "the deadline passed; the outcome is unknown",
        not_sent);
}

static unsigned or_else(unsigned value, unsigned otherwise)
{
    return value > 0 ? value : otherwise;
}

static void set_defaults(struct rpc_channel_options *o)
{
    o->reply_max = o->reply_max > 0 ? o->reply_max : REPLY_MAX;
    o->waiting_max = or_else(o->waiting_max, WAITING_MAX);
    o->connect_timeout_ms = or_else(o->connect_timeout_ms, CONNECT_TIMEOUT_MS);
    o->keepalive_ms = or_else(o->keepalive_ms, KEEPALIVE_MS);
    o->keepalive_timeout_ms = or_else(o->keepalive_timeout_ms, KEEPALIVE_TIMEOUT_MS);
}

static struct rpc_channel *create(uv_loop_t *loop, const struct rpc_channel_options *options)
{
    struct rpc_channel *channel = calloc(1, sizeof *channel);
    if (channel == NULL) {
        return NULL;
    }
    channel->host = strdup(options->host);
    if (channel->host == NULL) {
        free(channel);
        return NULL;
    }
    channel->loop = loop;
    channel->options = *options;
    channel->options.host = channel->host;
    channel->state = RPC_CHANNEL_CONNECTING;
    set_defaults(&channel->options);
    TAILQ_INIT(&channel->waiting);
    TAILQ_INIT(&channel->ended);
    LIST_INIT(&channel->streams);
    LIST_INIT(&channel->connections);
    snprintf(channel->authority, sizeof channel->authority,
        strchr(options->host, ':') != NULL ? "[%s]:%d" : "%s:%d", options->host, options->port);
    return channel;
}

int rpc_channel_open(struct rpc_channel **channel, uv_loop_t *loop,
    const struct rpc_channel_options *options, struct error *err)
{
    *channel = NULL;
    if (options->host == NULL || options->host[0] == '\0' || options->port < 1 ||
        options->port > UINT16_MAX) {
        return error_set(err, STATUS_INVALID, "an address is HOST:PORT");
    }
    struct rpc_channel *c = create(loop, options);
    if (c == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    }
    /* These cannot fail on a loop that works. */
    (void)uv_timer_init(loop, &c->timer);
    (void)uv_timer_init(loop, &c->teller);
    c->timer.data = c->teller.data = c;
    deadlines_start(&c->deadlines, loop, on_deadline, c);
    c->handles = 3;
    *channel = c;
    /* The first attempt begins in the loop: no callback before this returns. */
    uv_timer_start(&c->timer, on_timer, 0, 0);
    return STATUS_OK;
}

static void handle_closed(struct rpc_channel *channel)
{
    if (--channel->handles > 0) {
        return;
    }
    void (*closed)(void *arg) = channel->closed;
    void *arg = channel->closed_arg;
    free(channel->host);
    free(channel);
    if (closed != NULL) {
        closed(arg);
    }
}

static void on_handle_closed(uv_handle_t *handle)
{
    handle_closed(handle->data);
}

static void on_deadlines_closed(struct deadlines *deadlines)
{
    handle_closed(deadlines->user);
}

/* When nothing of it is under way any more, the handles go, and then the memory. */
static void part(struct rpc_channel *channel)
{
    if (channel->parting || channel->looking || !LIST_EMPTY(&channel->connections) ||
        !TAILQ_EMPTY(&channel->ended)) {
        return;
    }
    assert(LIST_EMPTY(&channel->streams));
    channel->parting = true;
    uv_close((uv_handle_t *)&channel->timer, on_handle_closed);
    uv_close((uv_handle_t *)&channel->teller, on_handle_closed);
    deadlines_stop(&channel->deadlines, on_deadlines_closed);
}

void rpc_channel_close(struct rpc_channel *channel, void (*closed)(void *arg), void *arg)
{
    assert(!channel->closing);
    channel->closing = true;
    channel->state = RPC_CHANNEL_CLOSED;
    channel->closed = closed;
    channel->closed_arg = arg;
    uv_timer_stop(&channel->timer);
    forget_addresses(channel);
    if (channel->looking) {
        (void)uv_cancel((uv_req_t *)&channel->lookup);
    }
    struct rpc_stream *stream;
    LIST_FOREACH(stream, &channel->streams, link)
    {
        stream_end(stream, GRPC_CANCELLED, "the channel was closed", false);
    }
    struct channel_connection *connection;
    LIST_FOREACH(connection, &channel->connections, link)
    {
        http2_connection_close(connection->http2, "closed");
    }
    /* Never from inside: the teller looks once more. */
    uv_timer_start(&channel->teller, on_teller, 0, 0);
}

/* ---- how it stands ---- */

enum rpc_channel_state rpc_channel_state(const struct rpc_channel *channel)
{
    return channel->state;
}

uv_loop_t *rpc_channel_loop(const struct rpc_channel *channel)
{
    return channel->loop;
}

void *rpc_channel_user(const struct rpc_channel *channel)
{
    return channel->options.user;
}

const char *rpc_channel_why(const struct rpc_channel *channel)
{
    return channel->why;
}

bool rpc_channel_untrusted(const struct rpc_channel *channel)
{
    return channel->untrusted;
}

static bool is_ready(const struct rpc_channel *channel)
{
    return channel->state == RPC_CHANNEL_READY && channel->current != NULL;
}

const struct identity *rpc_channel_identity(const struct rpc_channel *channel)
{
    return is_ready(channel) ? http2_connection_identity(channel->current->http2) : NULL;
}

uint64_t rpc_channel_heard_ms(const struct rpc_channel *channel)
{
    return is_ready(channel) ? http2_connection_heard_ms(channel->current->http2) : 0;
}

void rpc_channel_set_tls(struct rpc_channel *channel, struct tls_context *tls)
{
    channel->options.tls = tls;
}

void rpc_channel_hurry(struct rpc_channel *channel)
{
    if (channel->state == RPC_CHANNEL_WAITING) {
        uv_timer_start(&channel->timer, on_timer, 0, 0);
    }
}

void stream_end(struct rpc_stream *stream, enum grpc_code code, const char *sentence, bool not_sent)
{
    struct rpc_channel *channel = stream->channel;
    if (stream->ended) {
        return;
    }
    stream->ended = true;
    stream->code = code;
    stream->not_sent = not_sent;
    if (sentence != NULL) {
        snprintf(stream->sentence, sizeof stream->sentence, "%s", sentence);
    }
    deadlines_remove(&channel->deadlines, &stream->deadline);
    if (stream->waits) {
        stream->waits = false;
        channel->waiting_count--;
        TAILQ_REMOVE(&channel->waiting, stream, queue_link);
    }
    TAILQ_INSERT_TAIL(&channel->ended, stream, queue_link);
    uv_timer_start(&channel->teller, on_teller, 0, 0);
}
