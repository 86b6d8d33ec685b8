/* What channel and stream share. */
#ifndef RPC_CLIENT_PRIVATE_H
#define RPC_CLIENT_PRIVATE_H

#include "rpc/client.h"
#include "rpc/deadlines.h"
#include "rpc/framing.h"
#include "rpc/http2.h"

#include <sys/queue.h>

enum { CHANNEL_WHY_SIZE = 320, CHANNEL_AUTHORITY_SIZE = 280 };

/* One of the channel's connections: the current one, or one that the server is leaving, whose calls
 * still go on. */
struct channel_connection {
    struct rpc_channel *channel;
    struct http2_connection *http2;
    LIST_ENTRY(channel_connection) link;
};

struct rpc_channel {
    uv_loop_t *loop;
    struct rpc_channel_options options;
    char *host;
    char authority[CHANNEL_AUTHORITY_SIZE]; /* host:port */
    enum rpc_channel_state state;
    char why[CHANNEL_WHY_SIZE];
    bool untrusted; /* That is why. */
    /* Looking up and connecting. */
    uv_getaddrinfo_t lookup;
    bool looking;
    struct addrinfo *addresses, *next_address;
    uv_timer_t timer; /* Ends an attempt, or the pause between two. */
    unsigned failures;
    struct channel_connection *current; /* NULL: none. */
    LIST_HEAD(, channel_connection) connections;
    /* Calls. */
    TAILQ_HEAD(, rpc_stream) waiting; /* For the connection. */
    unsigned waiting_count;
    LIST_HEAD(, rpc_stream) streams;
    TAILQ_HEAD(, rpc_stream) ended; /* To be told so, by the teller. */
    uv_timer_t teller;
    struct deadlines deadlines;
    unsigned handles; /* Still to be closed. */
    bool closing, parting;
    void (*closed)(void *arg);
    void *closed_arg;
};

struct rpc_stream {
    struct deadline deadline; /* First: the channel finds the stream by it. */
    struct rpc_channel *channel;
    struct http2_stream *http2; /* NULL once it is closed. */
    struct rpc_stream_options options;
    char *path;
    bool waits; /* On channel->waiting. */
    bool ended; /* On channel->ended, result is known. */
    bool opened;
    bool half_closed;
    bool remote_end;
    bool held;
    bool delivering;
    struct framing framing;
    size_t unconsumed;
    uint64_t heard_ms;
    /* Of the answer. */
    bool is_grpc, has_status, answered;
    int http_status;
    enum grpc_code code;
    bool not_sent;
    char sentence[RPC_SENTENCE_MAX];
    uint8_t *details;
    size_t details_size;
    TAILQ_ENTRY(rpc_stream) queue_link; /* Of waiting or ended. */
    LIST_ENTRY(rpc_stream) link;
};

extern const struct http2_events client_events;

/* channel.c */
void channel_on_ready(struct http2_connection *http2);
void channel_on_goaway(struct http2_connection *http2);
void channel_on_ended(struct http2_connection *http2, const char *why);
/* Ends a stream that does not wait through failures: the last attempt was one. */
void channel_fail(const struct rpc_channel *channel, struct rpc_stream *stream);

/* stream.c */
/* Sends it over the channel's connection, which is ready. */
void stream_open(struct rpc_stream *stream);
/* Its result is known; the first one counts. */
void stream_end(
    struct rpc_stream *stream, enum grpc_code code, const char *sentence, bool not_sent);
/* Tells on_status, and frees it. */
void stream_tell(struct rpc_stream *stream);

#endif
