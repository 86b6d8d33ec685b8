/* What the files of http2 share: a connection and a stream from within. */
#ifndef RPC_HTTP2_PRIVATE_H
#define RPC_HTTP2_PRIVATE_H

#include "rpc/buffer.h"
#include "rpc/http2.h"
#include "rpc/tls.h"

#include <sys/queue.h>

enum http2_state {
    HTTP2_CONNECTING,
    HTTP2_SHAKING,   /* TLS handshake. */
    HTTP2_OPEN,      /* There is a session. */
    HTTP2_LINGERING, /* All is said; waiting for the peer to hang up. */
    HTTP2_ENDED,     /* Handles are closing. */
};

enum http2_drain { HTTP2_NOT_DRAINING, HTTP2_DRAIN_NOTICED, HTTP2_DRAIN_FINAL };

struct http2_stream {
    struct http2_connection *connection; /* NULL before it is opened. */
    int32_t id;
    void *user; /* NULL once abandoned. */
    struct buffer queue;
    nghttp2_nv trailers[HTTP2_TRAILERS_MAX];
    size_t trailer_count;
    char *trailer_memory;
    size_t header_bytes;
    bool deferred;      /* nghttp2 waits for http2_wake(). */
    bool finished;      /* No more is written to the queue. */
    bool full;          /* The queue reached its high mark and not yet its low one. */
    bool drained;       /* On connection->drained. */
    bool headers_done;  /* The peer's, trailers apart. */
    bool informational; /* A client's: the last headers were a 1xx. */
    bool remote_end;
    bool sent;
    LIST_ENTRY(http2_stream) link;
    TAILQ_ENTRY(http2_stream) drained_link;
};

struct http2_connection {
    uv_tcp_t tcp;
    uv_timer_t timer;
    uv_idle_t flusher;
    uv_connect_t connect;
    uv_write_t write;
    uv_shutdown_t shutdown;
    int handles; /* Still to be closed before the memory goes. */

    struct http2_options options;
    void *user;
    enum http2_state state;
    bool silent;  /* No on_ended: http2_accept() or http2_connect() fails. */
    bool ready;   /* on_ready was called. */
    bool writing; /* A write is with libuv; in_flight is its memory. */
    bool doomed;  /* To be ended as soon as nothing of nghttp2 is on the stack. */
    bool pinged;
    bool untrusted; /* TLS ended for somebody's certificate. */
    bool waits;     /* On handshakes->waiting. */
    bool off_loop;  /* A pool's thread has tls, plain and shake. */

    nghttp2_session *session;
    struct tls_connection *tls;
    struct buffer plain;     /* Received and decrypted. */
    struct buffer output;    /* Frames, to be encrypted or written. */
    struct buffer in_flight; /* With libuv. */
    LIST_HEAD(, http2_stream) streams;
    TAILQ_HEAD(, http2_stream) drained; /* To be told on_writable. */

    struct {
        uv_work_t work;
        struct buffer input; /* Received, to be fed to tls. */
        struct error result;
        LIST_ENTRY(http2_connection) link;
    } shake;

    enum http2_drain drain;
    uint64_t drain_at_ms; /* When the next step is due. */
    unsigned grace_ms;
    uint64_t began_ms, heard_ms, pinged_ms, lingered_ms;
    uint64_t handed; /* Bytes given to libuv or the kernel so far, */
    uint64_t ahead;  /* those among them that the last ping stands behind, */
    uint64_t taken;  /* and those that the peer's host had taken when it was last looked at. */
    uint64_t provoked_since_ms; /* Resets that the peer made us send, this second. */
    unsigned provoked;

    char peer[HTTP2_PEER_SIZE];
    char why[HTTP2_WHY_SIZE];
};

/* http2_session.c */
int http2_session_start(struct http2_connection *c);
/* Takes received plaintext. May mark the connection as doomed. */
void http2_session_feed(struct http2_connection *c, struct bytes data);

/* http2_io.c */
void http2_io_start(struct http2_connection *c);
/* There is something to send. */
void http2_wake(struct http2_connection *c);
void http2_doom(struct http2_connection *c, const char *why);
/* Bytes of what was handed over that the peer's host has acknowledged. */
uint64_t http2_taken(const struct http2_connection *c);
/* tls was fed, with this result: sends its answer, and passes on what was decrypted. */
void http2_fed(struct http2_connection *c, int status, const char *why);

/* http2_shake.c */
/* Feeds tls, which is in the midst of its handshake, off the loop; http2_fed() follows. Nothing is
 * read meanwhile. */
void http2_shake(struct http2_connection *c, struct bytes received);
/* It does not wait for its turn any more. */
void http2_shake_forget(struct http2_connection *c);

/* http2.c */
/* Ends now, or when the pool is done with it. Never with nghttp2 on the stack. */
void http2_end(struct http2_connection *c, const char *why);
/* TCP, and TLS if any, are up. */
void http2_established(struct http2_connection *c);
/* The last word has been sent. */
void http2_linger(struct http2_connection *c);

/* http2_stream.c */
struct http2_stream *http2_stream_attach(struct http2_connection *c, int32_t id);
void http2_stream_free(struct http2_stream *stream);

#endif
