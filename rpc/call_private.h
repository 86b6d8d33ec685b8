/* What server and call share: a call from within. */
#ifndef RPC_CALL_PRIVATE_H
#define RPC_CALL_PRIVATE_H

#include "proto/arena.h"
#include "rpc/call.h"
#include "rpc/deadlines.h"
#include "rpc/framing.h"
#include "rpc/http2.h"
#include "rpc/registry.h"
#include "rpc/server.h"

#include <sys/queue.h>

struct rpc_server {
    unsigned refs; /* Of its maker and of every call. */
    uv_loop_t *loop;
    struct rpc_server_options options;
    struct registry registry;
    struct deadlines deadlines;
    struct listener *listeners[RPC_LISTENERS_MAX];
    size_t listener_count;
    size_t open_listeners; /* Their handles are not closed yet. */
    struct http2_handshakes handshakes;
    LIST_HEAD(, server_connection) connections;
    size_t connection_count; /* Of which are */
    size_t client_count, node_count;
    size_t call_count;
    size_t held; /* Bytes of calls' messages, both ways; http2 keeps those of answers. */
    bool stopping, stopped;
    rpc_server_stopped_cb on_stopped;
    void *on_stopped_arg;
};

enum call_state {
    CALL_HEADERS, /* The request's headers are coming; or they are of no call, and it is to end. */
    CALL_OPEN,
    CALL_OVER, /* Finished, cancelled or gone: nothing more is told, and on_done was. */
};

struct rpc_call {
    /* First: on_deadline() finds the call by it. While it is receiving, no later than a request has
     * to be there. */
    struct deadline deadline;
    uint64_t deadline_ms; /* Its client's, or ours for any call. */
    unsigned refs;
    struct rpc_server *server;
    struct http2_connection *connection;
    struct http2_stream *stream; /* NULL once it is closed. It holds one reference. */
    const struct rpc_method *method;
    void *context;
    void *user;
    enum call_state state;
    enum grpc_code code;
    bool begun;      /* The handler knows of it, and is told on_done. */
    bool responding; /* Headers were sent. */
    bool remote_end;
    bool receiving;   /* The one request that it is to have is not there yet. */
    bool half_closed; /* on_half_close was told. */
    bool held;
    bool delivering; /* on_message is on the stack. */
    /* Of the request's headers. */
    bool is_post, is_grpc, bad_timeout;
    uint64_t timeout_ms; /* UINT64_MAX: none. */
    struct framing framing;
    size_t unconsumed; /* Bytes received for which the window was not opened again. */
    struct arena arena;
    size_t counted; /* Bytes of it in server->held. */
    char peer[HTTP2_PEER_SIZE];
};

/* server.c: the last one frees it. */
void server_unref(struct rpc_server *server);

/* NULL when out of memory. */
struct rpc_call *call_create(
    struct rpc_server *server, struct http2_connection *connection, struct http2_stream *stream);

/* http2's events of a stream. */
void call_on_header(void *user, struct bytes name, struct bytes value);
void call_on_headers_end(void *user);
void call_on_data(void *user, struct bytes data);
void call_on_remote_end(void *user);
void call_on_writable(void *user);
void call_on_closed(void *user, uint32_t error);

/* Whether so many bytes more may be held for it. */
bool call_has_room(const struct rpc_call *call, size_t size);

/* Its deadline has passed; it may be over and not yet read by the client. */
void call_expire(struct rpc_call *call);

/* call_request.c: what the client sends. */
/* Hands over what has come, as far as the handler wants it. */
void call_deliver(struct rpc_call *call);

#endif
