#include "rpc/server.h"

#include "rpc/call_private.h"
#include "rpc/identity.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    BACKLOG = 128,
    KEEPALIVE_MS = 30000,
    KEEPALIVE_TIMEOUT_MS = 10000,
    HANDSHAKE_TIMEOUT_MS = 10000,
    RECEIVE_MS = 60000,
    STRANGERS_SHARE = 8,
};

struct listener {
    uv_tcp_t tcp;
    uv_tcp_t refused; /* Takes in, and closes, a connection that there is no memory for. */
    bool refusing;    /* Just now. */
    unsigned handles; /* Still to be closed. */
    struct rpc_server *server;
};

enum place {
    PLACE_STRANGER, /* Has not shown yet who it is. */
    PLACE_CLIENT,
    PLACE_NODE,
};

struct server_connection {
    struct rpc_server *server;
    struct http2_connection *http2;
    enum place place;
    bool leaving;                       /* To make room. */
    LIST_ENTRY(server_connection) link; /* The latest first. */
};

/* ---- connections ---- */

static void finish_stop(struct rpc_server *server);

static void tell(struct rpc_server *server, struct http2_connection *http2, const char *why)
{
    if (server->options.on_connection != NULL) {
        server->options.on_connection(server->options.context, http2_connection_peer(http2),
            http2_connection_identity(http2), why);
    }
}

static void leave(struct server_connection *connection)
{
    connection->leaving = true;
    http2_connection_close(connection->http2, "too many connections");
}

/* Clients leave an eighth of the places, and one, to strangers: there may be nodes among these. */
static size_t clients_max(const struct rpc_server *server)
{
    size_t places = server->options.connections_max;
    size_t left = places / STRANGERS_SHARE + 1;
    return places > left ? places - left : 1;
}

/* False: there is none for it. */
static bool take_place(struct server_connection *connection)
{
    struct rpc_server *server = connection->server;
    const struct identity *identity = http2_connection_identity(connection->http2);
    if (identity != NULL && identity->kind == IDENTITY_NODE && server->node_count < RPC_NODES_MAX) {
        connection->place = PLACE_NODE;
        server->node_count++;
        return true;
    }
    if (server->client_count >= clients_max(server)) {
        return false;
    }
    connection->place = PLACE_CLIENT;
    server->client_count++;
    return true;
}

static void on_ready(struct http2_connection *http2)
{
    struct server_connection *connection = http2_connection_user(http2);
    if (take_place(connection)) {
        tell(connection->server, http2, NULL);
    } else {
        leave(connection);
    }
}

static void *on_stream(struct http2_connection *http2, struct http2_stream *stream)
{
    struct server_connection *connection = http2_connection_user(http2);
    return call_create(connection->server, http2, stream);
}

static void on_ended(struct http2_connection *http2, const char *why)
{
    struct server_connection *connection = http2_connection_user(http2);
    struct rpc_server *server = connection->server;
    tell(server, http2, why);
    LIST_REMOVE(connection, link);
    server->connection_count--;
    server->client_count -= connection->place == PLACE_CLIENT;
    server->node_count -= connection->place == PLACE_NODE;
    free(connection);
    finish_stop(server);
}

static const struct http2_events events = {
    .on_ready = on_ready,
    .on_stream = on_stream,
    .on_header = call_on_header,
    .on_headers_end = call_on_headers_end,
    .on_data = call_on_data,
    .on_remote_end = call_on_remote_end,
    .on_writable = call_on_writable,
    .on_closed = call_on_closed,
    .on_ended = on_ended,
};

/* All places are taken: of those who have not shown yet who they are, the one who has had the
 * longest time to. Silent strangers thus keep nobody out who is quicker than all of them. It may be
 * the newcomer itself. */
static void make_room(struct rpc_server *server)
{
    struct server_connection *slowest = NULL;
    struct server_connection *connection;
    LIST_FOREACH(connection, &server->connections, link)
    {
        if (connection->place == PLACE_STRANGER && !connection->leaving) {
            slowest = connection;
        }
    }
    assert(slowest != NULL);
    leave(slowest);
}

/* False: it waits still, or there was none. */
static bool accept_one(struct rpc_server *server, uv_stream_t *stream)
{
    struct error err;
    const struct http2_options options = {.server = true,
        .events = &events,
        .tls = server->options.tls,
        .handshakes = &server->handshakes,
        .streams_max = server->options.streams_max,
        .keepalive_ms = server->options.keepalive_ms,
        .keepalive_timeout_ms = server->options.keepalive_timeout_ms,
        .handshake_timeout_ms = server->options.handshake_timeout_ms,
        .held = &server->held};
    struct server_connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL) {
        return false;
    }
    connection->server = server;
    connection->http2 = http2_accept(stream, &options, connection, &err);
    if (connection->http2 == NULL) {
        free(connection);
        return false;
    }
    LIST_INSERT_HEAD(&server->connections, connection, link);
    server->connection_count++;
    if (server->connection_count - server->node_count > server->options.connections_max) {
        make_room(server);
    }
    return true;
}

static void on_refused_closed(uv_handle_t *handle);

/* libuv tells of no other connection before this one is accepted. */
static void take(struct listener *listener)
{
    if (listener->refusing || accept_one(listener->server, (uv_stream_t *)&listener->tcp)) {
        return;
    }
    if (uv_accept((uv_stream_t *)&listener->tcp, (uv_stream_t *)&listener->refused) == 0) {
        listener->refusing = true;
        uv_close((uv_handle_t *)&listener->refused, on_refused_closed);
    }
}

static void on_connection(uv_stream_t *stream, int status)
{
    if (status == 0) {
        take(stream->data);
    }
}

static void on_listener_closed(uv_handle_t *handle)
{
    struct listener *listener = handle->data;
    struct rpc_server *server = listener->server;
    if (--listener->handles > 0) {
        return;
    }
    free(listener);
    server->open_listeners--;
    finish_stop(server);
}

static void on_refused_closed(uv_handle_t *handle)
{
    struct listener *listener = handle->data;
    listener->refusing = false;
    if (uv_is_closing((uv_handle_t *)&listener->tcp)) {
        on_listener_closed(handle);
        return;
    }
    (void)uv_tcp_init(listener->server->loop, &listener->refused);
    take(listener);
}

static void close_listener(struct listener *listener)
{
    uv_close((uv_handle_t *)&listener->tcp, on_listener_closed);
    if (!listener->refusing) {
        uv_close((uv_handle_t *)&listener->refused, on_listener_closed);
    }
}

/* ---- beginning ---- */

static_assert(offsetof(struct rpc_call, deadline) == 0, "a deadline is its call's");

static void on_deadline(struct deadlines *deadlines, struct deadline *deadline)
{
    (void)deadlines;
    call_expire((struct rpc_call *)deadline);
}

static unsigned or_else(unsigned value, unsigned otherwise)
{
    return value > 0 ? value : otherwise;
}

static void set_defaults(struct rpc_server_options *o)
{
    o->request_max = o->request_max > 0 ? o->request_max : RPC_REQUEST_MAX;
    o->reply_max = o->reply_max > 0 ? o->reply_max : RPC_REPLY_MAX;
    o->held_max = o->held_max > 0 ? o->held_max : RPC_HELD_MAX;
    o->connections_max = or_else(o->connections_max, RPC_CONNECTIONS_MAX);
    o->streams_max = or_else(o->streams_max, RPC_STREAMS_MAX);
    o->keepalive_ms = or_else(o->keepalive_ms, KEEPALIVE_MS);
    o->keepalive_timeout_ms = or_else(o->keepalive_timeout_ms, KEEPALIVE_TIMEOUT_MS);
    o->handshake_timeout_ms = or_else(o->handshake_timeout_ms, HANDSHAKE_TIMEOUT_MS);
    o->receive_ms = or_else(o->receive_ms, RECEIVE_MS);
}

struct rpc_server *rpc_server_create(uv_loop_t *loop, const struct rpc_server_options *options)
{
    struct rpc_server *server = calloc(1, sizeof *server);
    if (server == NULL) {
        return NULL;
    }
    server->refs = 1;
    server->loop = loop;
    server->options = *options;
    set_defaults(&server->options);
    LIST_INIT(&server->connections);
    deadlines_start(&server->deadlines, loop, on_deadline, server);
    return server;
}

int rpc_server_register(
    struct rpc_server *server, const struct rpc_method *methods, size_t count, void *context)
{
    assert(server->listener_count == 0);
    for (size_t i = 0; i < count; i++) {
        int status = registry_add(&server->registry, &methods[i], context);
        if (status != STATUS_OK) {
            return status;
        }
    }
    return STATUS_OK;
}

/* ---- listening ---- */

static int parse_address(const char *address, int port, struct sockaddr_storage *out)
{
    if (uv_ip4_addr(address, port, (struct sockaddr_in *)out) == 0) {
        return 0;
    }
    return uv_ip6_addr(address, port, (struct sockaddr_in6 *)out);
}

static int bind_and_listen(struct listener *listener, const struct sockaddr_storage *address)
{
    int error = uv_tcp_bind(&listener->tcp, (const struct sockaddr *)address, 0);
    return error != 0 ? error : uv_listen((uv_stream_t *)&listener->tcp, BACKLOG, on_connection);
}

static int port_of(const uv_tcp_t *tcp)
{
    struct sockaddr_storage bound;
    int size = sizeof bound;
    if (uv_tcp_getsockname(tcp, (struct sockaddr *)&bound, &size) != 0) {
        return 0;
    }
    /* The port stands at the same place in both families. */
    return ntohs(((struct sockaddr_in *)&bound)->sin_port);
}

int rpc_server_listen(struct rpc_server *server, const char *address, int *port, struct error *err)
{
    struct sockaddr_storage parsed;
    if (parse_address(address, *port, &parsed) != 0) {
        return error_set(err, STATUS_INVALID, "'%s' is not an IPv4 or IPv6 address", address);
    }
    struct listener *listener = NULL;
    if (server->listener_count < RPC_LISTENERS_MAX) {
        listener = calloc(1, sizeof *listener);
    }
    if (listener == NULL) {
        return error_set(err, STATUS_FULL, "no room for another address to listen on");
    }
    listener->server = server;
    /* These cannot fail on a loop that works. */
    (void)uv_tcp_init(server->loop, &listener->tcp);
    (void)uv_tcp_init(server->loop, &listener->refused);
    listener->tcp.data = listener->refused.data = listener;
    listener->handles = 2;
    server->open_listeners++;
    int error = bind_and_listen(listener, &parsed);
    if (error != 0) {
        close_listener(listener);
        return error_set(
            err, STATUS_IO, "cannot listen on %s:%d: %s", address, *port, uv_strerror(error));
    }
    server->listeners[server->listener_count++] = listener;
    *port = port_of(&listener->tcp);
    return STATUS_OK;
}

void rpc_server_set_tls(struct rpc_server *server, struct tls_context *tls)
{
    server->options.tls = tls;
}

void rpc_server_stats(const struct rpc_server *server, struct rpc_server_stats *stats)
{
    *stats = (struct rpc_server_stats){
        .connections = server->connection_count, .calls = server->call_count, .held = server->held};
}

/* ---- end ---- */

static void on_deadlines_closed(struct deadlines *deadlines)
{
    struct rpc_server *server = deadlines->user;
    if (server->on_stopped != NULL) {
        server->on_stopped(server->on_stopped_arg);
    }
}

static void finish_stop(struct rpc_server *server)
{
    bool gone = server->connection_count == 0 && server->open_listeners == 0;
    if (server->stopping && !server->stopped && gone) {
        server->stopped = true;
        deadlines_stop(&server->deadlines, on_deadlines_closed);
    }
}

void rpc_server_stop(
    struct rpc_server *server, unsigned grace_ms, rpc_server_stopped_cb stopped, void *arg)
{
    assert(!server->stopping);
    server->stopping = true;
    server->on_stopped = stopped;
    server->on_stopped_arg = arg;
    for (size_t i = 0; i < server->listener_count; i++) {
        close_listener(server->listeners[i]);
    }
    struct server_connection *connection;
    LIST_FOREACH(connection, &server->connections, link)
    {
        http2_connection_drain(connection->http2, grace_ms);
    }
    finish_stop(server);
}

void server_unref(struct rpc_server *server)
{
    assert(server->refs > 0);
    if (--server->refs == 0) {
        free(server);
    }
}

void rpc_server_destroy(struct rpc_server *server)
{
    if (server != NULL) {
        assert(server->stopped);
        server_unref(server);
    }
}
