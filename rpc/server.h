/* A gRPC server: listeners, their connections, and the table of methods that answers them. All
 * services share every port.
 *
 * Everything a stranger can make it hold is bounded: connections, streams a connection, bytes a
 * message, headers, bytes of all calls' requests and of answers that are not read, seconds a
 * handshake and a request may take, resets a second. A connection over its bounds is closed; the
 * others do not notice. Where all calls together hold too much, new messages of clients are
 * refused; nodes are no strangers, and are heard all the same.
 *
 * A server ends in two steps: rpc_server_stop() lets running calls finish, and tells when the last
 * connection is gone; then rpc_server_destroy().
 *
 * Threads: the loop's. Errors: listen gives a sentence; nothing else can fail but for memory. */
#ifndef RPC_SERVER_H
#define RPC_SERVER_H

#include "proto/status.h"
#include "rpc/call.h"

#include <uv.h>

struct rpc_server;
struct tls_context;

enum {
    RPC_REQUEST_MAX = 2 << 20,
    RPC_REPLY_MAX = (4 << 20) - 1, /* Stock clients take less than 4 MiB. */
    RPC_HELD_MAX = 256 << 20,      /* A hundred of the largest requests at a time. */
    RPC_CONNECTIONS_MAX = 1024,
    RPC_NODES_MAX = 64,    /* Connections: of fifteen peers two, and what they replace. */
    RPC_STREAMS_MAX = 128, /* A connection. */
    RPC_METHODS_MAX = 128,
    RPC_LISTENERS_MAX = 8,
};

/* 0 stands for the default in brackets. */
struct rpc_server_options {
    struct tls_context *tls; /* Borrowed until the server is destroyed; NULL: plain text. */
    size_t request_max;      /* Bytes of one message from a client [RPC_REQUEST_MAX]. */
    size_t reply_max;        /* Bytes of one message to a client [RPC_REPLY_MAX]. */
    size_t held_max;         /* Bytes of messages of all calls, both ways [RPC_HELD_MAX]. */
    /* Of clients, and of strangers who have yet to show who they are, to whom an eighth is left
     * [RPC_CONNECTIONS_MAX]. Nodes come beside them, up to RPC_NODES_MAX. */
    unsigned connections_max;
    unsigned streams_max; /* Concurrent calls on one connection [RPC_STREAMS_MAX]. */
    /* A client that has been silent for so long is asked for a sign of life [30 s], and has so long
     * to give it [10 s]. */
    unsigned keepalive_ms;
    unsigned keepalive_timeout_ms;
    unsigned handshake_timeout_ms; /* Until TLS and HTTP/2 are up [10 s]. */
    unsigned receive_ms;           /* Until a call's one request is there [60 s]. */
    unsigned call_max_ms;          /* Deadline of a call that brings none or a later one [none]. */

    /* Optional: a connection came up (why is NULL) or ended. identity is NULL on plain text and
     * where the handshake failed. For the log. */
    void (*on_connection)(
        void *context, const char *peer, const struct identity *identity, const char *why);
    void *context;
};

struct rpc_server_stats {
    size_t connections;
    size_t calls; /* Open streams. */
    size_t held;  /* Bytes, as of rpc_server_options.held_max. */
};

/* NULL when out of memory. loop must outlive the server. */
struct rpc_server *rpc_server_create(uv_loop_t *loop, const struct rpc_server_options *options);

/* Adds count methods; the table is borrowed until rpc_server_destroy(). context is what
 * rpc_call_context() answers. Before listening. STATUS_FULL above RPC_METHODS_MAX; a path that is
 * there already is STATUS_EXISTS. */
int rpc_server_register(
    struct rpc_server *server, const struct rpc_method *methods, size_t count, void *context);

/* address is an IPv4 or IPv6 address. *port 0 picks one; it is then what was picked. May be called
 * several times. */
int rpc_server_listen(struct rpc_server *server, const char *address, int *port, struct error *err);

/* Connections from now on use this context (a renewed certificate). Those that are there keep
 * theirs. */
void rpc_server_set_tls(struct rpc_server *server, struct tls_context *tls);

void rpc_server_stats(const struct rpc_server *server, struct rpc_server_stats *stats);

typedef void (*rpc_server_stopped_cb)(void *arg);

/* Closes the listeners, tells clients to go elsewhere (GOAWAY), lets running calls finish for at
 * most grace_ms (0: cuts them off), then calls stopped, once, never from inside. Once only. */
void rpc_server_stop(
    struct rpc_server *server, unsigned grace_ms, rpc_server_stopped_cb stopped, void *arg);

/* After stopped was called. References to calls may outlive it. NULL is a no-op. */
void rpc_server_destroy(struct rpc_server *server);

#endif
