/* One HTTP/2 connection (RFC 9113, by nghttp2), server or client, over TCP, inside TLS or not.
 * Knows nothing of gRPC: it moves headers, bodies and trailers of streams.
 *
 * Sending: whatever happens in one turn of the loop goes out in one piece, from an idle handle that
 * is active only while there is something to send (it also keeps the loop from sleeping then). A
 * stream's body is written into the stream's own queue, from which nghttp2 takes it as windows
 * allow; at most one batch of about 64 KiB is with the kernel, so that a slow socket cannot make
 * memory grow. Receiving: the connection's window is opened again at once, a stream's only when its
 * bytes were consumed, so that one slow call slows its own peer and nobody else.
 *
 * Every event is called from the loop, never from inside a function of this header, so functions
 * may be called from events freely. A stream's memory goes after its on_closed, a connection's
 * after its on_ended.
 *
 * Strangers are bounded: concurrent streams, header bytes, resets they send (nghttp2,
 * CVE-2023-44487) and resets they provoke (CVE-2025-8671), silence, time to say hello.
 *
 * Threads: the loop's; handshakes of TLS are done on libuv's pool, in between. */
#ifndef RPC_HTTP2_H
#define RPC_HTTP2_H

#include "proto/bytes.h"
#include "proto/status.h"

#include <nghttp2/nghttp2.h>
#include <uv.h>

#include <sys/queue.h>

struct http2_connection;
struct http2_stream;
struct identity;
struct tls_context;

enum {
    HTTP2_QUEUE_HIGH = 128 << 10, /* A stream's queue: not writable from here on, */
    HTTP2_QUEUE_LOW = 64 << 10,   /* writable again below this. */
    HTTP2_HEADERS_MAX = 16 << 10, /* Bytes of all headers of a stream. */
    HTTP2_TRAILERS_MAX = 4,
    HTTP2_PEER_SIZE = 64,
    HTTP2_WHY_SIZE = 256,
};

/* Beside the codes of RFC 9113 §7: the connection went away under the stream. */
#define HTTP2_CONNECTION_LOST UINT32_MAX

struct http2_events {
    /* TLS is up and the peer has sent its SETTINGS. */
    void (*on_ready)(struct http2_connection *connection);
    /* The peer sent GOAWAY: no more streams on this one; those that are open go on. Optional. */
    void (*on_goaway)(struct http2_connection *connection);
    /* A server's new stream; its headers follow. NULL user refuses it. */
    void *(*on_stream)(struct http2_connection *connection, struct http2_stream *stream);
    void (*on_header)(void *user, struct bytes name, struct bytes value);
    /* Of the request, or of the response: 1xx aside. Not of trailers. */
    void (*on_headers_end)(void *user);
    /* To be followed by http2_stream_consume(), then or later. */
    void (*on_data)(void *user, struct bytes data);
    /* The peer has said all. */
    void (*on_remote_end)(void *user);
    void (*on_writable)(void *user);
    /* The last event of a stream. error is of RFC 9113 §7, 0 for an orderly end. */
    void (*on_closed)(void *user, uint32_t error);
    /* The last event of a connection. */
    void (*on_ended)(struct http2_connection *connection, const char *why);
};

/* The handshakes of a server's connections. Zeros at first; private. */
struct http2_handshakes {
    unsigned running; /* On the pool. */
    LIST_HEAD(http2_shaking, http2_connection) waiting;
};

struct http2_options {
    bool server;
    const struct http2_events *events;
    struct tls_context *tls; /* NULL: plain text. Not used after the connection was made. */
    uint64_t expect_node;    /* Of a client: whom TLS must find there. */
    struct http2_handshakes *handshakes; /* Of a server: that of all its connections. */
    uint32_t streams_max;                /* Of a server: a client may have open at a time. */
    unsigned keepalive_ms, keepalive_timeout_ms, handshake_timeout_ms; /* Not 0. */
    /* Optional, of a server: counts the bytes held by the queues of all streams that share it. */
    size_t *held;
};

/* ---- Connections ---- */

/* NULL with a sentence where it could not even begin; there is then no on_ended. */
struct http2_connection *http2_accept(
    uv_stream_t *listener, const struct http2_options *options, void *user, struct error *err);
struct http2_connection *http2_connect(uv_loop_t *loop, const struct sockaddr *address,
    const struct http2_options *options, void *user, struct error *err);

void *http2_connection_user(const struct http2_connection *connection);
const char *http2_connection_peer(const struct http2_connection *connection);
/* NULL on plain text and before TLS is up. */
const struct identity *http2_connection_identity(const struct http2_connection *connection);
/* It ended because one side does not trust the other's certificate. */
bool http2_connection_untrusted(const struct http2_connection *connection);

/* uv_now() when it last received anything, or began. */
uint64_t http2_connection_heard_ms(const struct http2_connection *connection);

/* Lets open streams finish for at most grace_ms, then ends. A server sends GOAWAY twice, so that
 * streams that are on their way are not lost. */
void http2_connection_drain(struct http2_connection *connection, unsigned grace_ms);

/* Ends it in the loop's next turn, without asking. */
void http2_connection_close(struct http2_connection *connection, const char *why);

/* ---- Streams ---- */

/* A client's stream, which can be written to before it is opened. NULL when out of memory. */
struct http2_stream *http2_stream_create(void *user);
/* One that was never opened. NULL is a no-op. */
void http2_stream_destroy(struct http2_stream *stream);
/* Sends the headers. On failure the stream is as it was: STATUS_UNAVAILABLE. */
int http2_stream_open(struct http2_stream *stream, struct http2_connection *connection,
    const nghttp2_nv *headers, size_t count);
/* The request's headers were framed for the connection. */
bool http2_stream_was_sent(const struct http2_stream *stream);

/* A server's headers; end: there is no body. */
int http2_stream_respond(
    struct http2_stream *stream, const nghttp2_nv *headers, size_t count, bool end);

/* Room for size bytes at the end of the body, NULL when out of memory; then as many are sent. */
uint8_t *http2_stream_reserve(struct http2_stream *stream, size_t size);
void http2_stream_commit(struct http2_stream *stream, size_t size);
bool http2_stream_writable(const struct http2_stream *stream);
size_t http2_stream_unsent(const struct http2_stream *stream);

/* The end of the body, with up to HTTP2_TRAILERS_MAX trailers. */
int http2_stream_finish(struct http2_stream *stream, const nghttp2_nv *trailers, size_t count);

/* Resets the stream and forgets its user: it has no more events. */
void http2_stream_abandon(struct http2_stream *stream, uint32_t error);

/* Opens the peer's window by so many bytes of on_data. */
void http2_stream_consume(struct http2_stream *stream, size_t size);

#endif
