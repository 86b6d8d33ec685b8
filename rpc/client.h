/* A client of one gRPC server: a channel, and calls on it.
 *
 * A channel keeps one connection, makes it anew when it is lost (after 100 ms, then twice as long
 * each time up to 5 s, give or take a fifth), and says how it stands. A call ("stream", to tell it
 * from the server's) sends messages, gets messages, and ends exactly once, by on_status, which is
 * never called from inside rpc_stream_start(). The stream's memory is the channel's and goes after
 * on_status returns: on_status is the last moment to use the pointer.
 *
 * Threads: the loop's. Errors: every failure of a call is its status. */
#ifndef RPC_CLIENT_H
#define RPC_CLIENT_H

#include "proto/arena.h"
#include "proto/bytes.h"
#include "proto/status.h"
#include "rpc/call.h"
#include "rpc/code.h"

#include <protobuf-c/protobuf-c.h>
#include <uv.h>

struct identity;
struct rpc_channel;
struct rpc_stream;
struct tls_context;

/* ---- Channels ---- */

enum rpc_channel_state {
    RPC_CHANNEL_CONNECTING,
    RPC_CHANNEL_READY,
    RPC_CHANNEL_WAITING, /* The last attempt or connection failed; the next comes in a while. */
    RPC_CHANNEL_CLOSED,
};

/* 0 stands for the default in brackets. */
struct rpc_channel_options {
    const char *host; /* Name or address, copied; looked up anew for every attempt. */
    int port;
    struct tls_context
        *tls;             /* A client's; borrowed until the channel is closed. NULL: plain text. */
    uint64_t expect_node; /* The node that must answer there; 0: any of the cluster. */
    size_t reply_max;     /* Bytes of one message from the server [4 MiB - 1]. */
    unsigned waiting_max; /* Calls that may wait for the connection [256]. */
    unsigned connect_timeout_ms;   /* Until TLS and HTTP/2 are up [5 s]. */
    unsigned keepalive_ms;         /* Silence after which a sign of life is asked for [30 s]. */
    unsigned keepalive_timeout_ms; /* Time to give it [10 s]. */
    /* Optional: every change of state, but for the first. why is a sentence where it got worse,
     * otherwise NULL. */
    void (*on_state)(struct rpc_channel *channel, enum rpc_channel_state state, const char *why);
    void *user;
};

/* Starts to connect. *channel is NULL on failure: STATUS_NO_MEMORY, or STATUS_INVALID for options
 * that make no sense. */
int rpc_channel_open(struct rpc_channel **channel, uv_loop_t *loop,
    const struct rpc_channel_options *options, struct error *err);

/* Ends every call with GRPC_CANCELLED, closes, frees the channel, then calls closed (which may be
 * NULL), never from inside. channel is not used after this but in those calls' on_status. */
void rpc_channel_close(struct rpc_channel *channel, void (*closed)(void *arg), void *arg);

enum rpc_channel_state rpc_channel_state(const struct rpc_channel *channel);
uv_loop_t *rpc_channel_loop(const struct rpc_channel *channel);
void *rpc_channel_user(const struct rpc_channel *channel);
/* Why the last attempt or connection failed; "" when none has. */
const char *rpc_channel_why(const struct rpc_channel *channel);
/* The last attempt failed for a certificate, the server's or ours: another one will fail so too
 * until one of them is replaced. */
bool rpc_channel_untrusted(const struct rpc_channel *channel);
/* Who answers; NULL on plain text and while not ready. Borrowed until the state changes. */
const struct identity *rpc_channel_identity(const struct rpc_channel *channel);
/* uv_now() when anything last came, an answered ping too; 0 while not ready. */
uint64_t rpc_channel_heard_ms(const struct rpc_channel *channel);
/* From the next connection on. */
void rpc_channel_set_tls(struct rpc_channel *channel, struct tls_context *tls);
/* Does not wait for the pause between attempts to end. */
void rpc_channel_hurry(struct rpc_channel *channel);

/* ---- Calls ---- */

struct rpc_result {
    enum grpc_code code;
    const char *sentence; /* UTF-8, never NULL. */
    struct bytes details; /* An encoded google.rpc.Status (rpc/status_details.h), or empty. */
    /* The server said so; otherwise it is what came of the call without its word. */
    bool answered;
    /* The request certainly reached no handler: sending it again cannot do anything twice. */
    bool not_sent;
};

struct rpc_stream_options {
    const char *path;                           /* "/package.Service/Method", copied. */
    const ProtobufCMessageDescriptor *response; /* NULL: messages come encoded only. */
    uint64_t timeout_ms;                        /* 0: none. */
    /* Waits through failed attempts until its deadline; otherwise a failed attempt to connect, and
     * the pause after it, end the call with UNAVAILABLE at once. */
    bool wait_for_ready;
    /* Optional. The server has taken the call up (rpc_call_take_up(), or its first message). Not
     * called where it refuses it at once. */
    void (*on_taken_up)(struct rpc_stream *stream);
    /* Optional. encoded is as it came; message is decoded, NULL where response is. Both live until
     * this returns. */
    void (*on_message)(
        struct rpc_stream *stream, const ProtobufCMessage *message, struct bytes encoded);
    /* Optional. rpc_stream_writable() is true again. */
    void (*on_writable)(struct rpc_stream *stream);
    /* Once, last. result lives until this returns. */
    void (*on_status)(struct rpc_stream *stream, const struct rpc_result *result);
    void *user;
};

/* NULL when out of memory; on_status is then not called. */
struct rpc_stream *rpc_stream_start(
    struct rpc_channel *channel, const struct rpc_stream_options *options);

/* Starts, sends the one request and says that this is all. */
struct rpc_stream *rpc_unary_start(struct rpc_channel *channel,
    const struct rpc_stream_options *options, const ProtobufCMessage *request);
struct rpc_stream *rpc_unary_start_encoded(
    struct rpc_channel *channel, const struct rpc_stream_options *options, struct bytes request);

/* Queues one message, which is not kept. STATUS_OK; STATUS_CANCELLED: the call is ending, on_status
 * will say why; STATUS_NO_MEMORY: the call is cancelled. */
int rpc_stream_send(struct rpc_stream *stream, const ProtobufCMessage *message);
int rpc_stream_send_encoded(struct rpc_stream *stream, struct bytes message);

/* False while the queue is above its high mark; on_writable tells when to go on. */
bool rpc_stream_writable(const struct rpc_stream *stream);
/* Bytes queued for this call and not yet framed for its connection. */
size_t rpc_stream_unsent(const struct rpc_stream *stream);

/* That was all. Once; nothing is sent after it. */
void rpc_stream_half_close(struct rpc_stream *stream);

/* on_status follows, with GRPC_CANCELLED, never from inside. */
void rpc_stream_cancel(struct rpc_stream *stream);

/* No more on_message until released; the server is slowed down by its window. */
void rpc_stream_hold(struct rpc_stream *stream);
void rpc_stream_release(struct rpc_stream *stream);

/* uv_now() when anything of the answer last came; before that, when the call began. */
uint64_t rpc_stream_heard_ms(const struct rpc_stream *stream);

void *rpc_stream_user(const struct rpc_stream *stream);
struct rpc_channel *rpc_stream_channel(const struct rpc_stream *stream);

/* ---- One call after another, for programs that have nothing else to do ---- */

enum { RPC_SENTENCE_MAX = 1024 };

struct rpc_answer {
    enum grpc_code code;
    char sentence[RPC_SENTENCE_MAX];
    bool not_sent;
    struct bytes details;            /* As in struct rpc_result. */
    struct bytes encoded;            /* The reply as it came, when code is GRPC_OK, */
    const ProtobufCMessage *message; /* and decoded, unless response was NULL. */
    struct arena arena;              /* Private: holds all of the above. */
};

/* Runs the loop until the call has ended; never from inside a callback. Of options on_message,
 * on_writable, on_status and user are not looked at. Returns answer->code; rpc_answer_deinit() in
 * any case. */
enum grpc_code rpc_unary_sync(struct rpc_channel *channel, const struct rpc_stream_options *options,
    const ProtobufCMessage *request, struct rpc_answer *answer);
void rpc_answer_deinit(struct rpc_answer *answer);

#endif
