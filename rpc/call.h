/* A call as its handler sees it: one request, or a stream of them, being answered.
 *
 * A handler is a row of a table (struct rpc_method); its functions are called on the loop's thread,
 * and so is everything here. In order: on_start, on_message, on_half_close, on_writable as need be,
 * and on_done last. A handler may answer at once or later: it takes a reference, keeps the call,
 * and calls rpc_call_finish() when it knows. By then the call may be over (cancelled, past its
 * deadline, its connection gone): then sends say so and rpc_call_finish() does nothing, so that no
 * handler needs to look first. Only the reference keeps the memory, never the client.
 *
 * on_done comes exactly once for every call whose on_start or on_message was called, and may come
 * from inside rpc_call_send(), rpc_call_finish() or rpc_call_abort(). After it nothing else is
 * called.
 *
 * What a client gets wrong is answered here and reaches no handler: an oversized message is
 * RESOURCE_EXHAUSTED before it is buffered, a malformed one INVALID_ARGUMENT.
 *
 * Threads: the server's loop. */
#ifndef RPC_CALL_H
#define RPC_CALL_H

#include "proto/bytes.h"
#include "proto/status.h"
#include "rpc/code.h"

#include <protobuf-c/protobuf-c.h>

struct identity;
struct rpc_call;

enum rpc_kind { RPC_UNARY, RPC_SERVER_STREAM, RPC_CLIENT_STREAM, RPC_BIDI_STREAM };

struct rpc_method {
    const char *path; /* "/zhurnal.v1.JournalService/Append" */
    enum rpc_kind kind;

    size_t request_max; /* Bytes of one message; 0: as many as of any. */

    /* NULL: messages are handed over as they came, neither checked nor decoded. */
    const ProtobufCMessageDescriptor *request;

    /* Optional. A call begins; nothing of its body has been read. May refuse by rpc_call_finish().
     */
    void (*on_start)(struct rpc_call *call);

    /* One message: as it came, and decoded, or NULL where request is. Of RPC_UNARY and
     * RPC_SERVER_STREAM there is exactly one, after the client has said all, and both live as long
     * as the call's memory; of the others they live until this returns. */
    void (*on_message)(
        struct rpc_call *call, const ProtobufCMessage *message, struct bytes encoded);

    /* RPC_CLIENT_STREAM and RPC_BIDI_STREAM: the client has said all. Optional; without it the call
     * stays open until finished. */
    void (*on_half_close)(struct rpc_call *call);

    /* Optional. rpc_call_writable() is true again. */
    void (*on_writable)(struct rpc_call *call);

    /* Optional. The call is over; rpc_call_code() says how. */
    void (*on_done)(struct rpc_call *call);
};

/* What rpc_server_register() was given with the table. */
void *rpc_call_context(const struct rpc_call *call);
const struct rpc_method *rpc_call_method(const struct rpc_call *call);

/* The handler's own; NULL at first. */
void rpc_call_set_user(struct rpc_call *call, void *user);
void *rpc_call_user(const struct rpc_call *call);

void rpc_call_ref(struct rpc_call *call);
void rpc_call_unref(struct rpc_call *call);

/* False once it is finished, cancelled, past its deadline, or its connection is gone. */
bool rpc_call_is_open(const struct rpc_call *call);

/* How it ended: what rpc_call_finish() was given, GRPC_DEADLINE_EXCEEDED, or GRPC_CANCELLED where
 * client or connection went away. GRPC_OK while it is open. */
enum grpc_code rpc_call_code(const struct rpc_call *call);

/* Who calls; NULL on plain text. Borrowed for as long as the call is open. */
const struct identity *rpc_call_identity(const struct rpc_call *call);

/* "127.0.0.1:4000"; borrowed for as long as the call's memory. */
const char *rpc_call_peer(const struct rpc_call *call);

/* The loop's uv_now() at which the deadline passes; UINT64_MAX: never. */
uint64_t rpc_call_deadline_ms(const struct rpc_call *call);

/* Tells the client that the call was taken up, by the headers of the answer, before there is
 * anything else to say. No-op when they were sent, or the call is over. */
void rpc_call_take_up(struct rpc_call *call);

/* Queues one message. STATUS_OK: it is queued, whatever rpc_call_writable() says afterwards.
 * STATUS_CANCELLED: the call is over. STATUS_TOO_LARGE: the call is finished with
 * RESOURCE_EXHAUSTED. STATUS_NO_MEMORY, of this machine or within rpc_server_options.held_max: it
 * is finished with UNAVAILABLE, for what it was to answer may have been done. The message is not
 * kept. */
int rpc_call_send(struct rpc_call *call, const ProtobufCMessage *message);
/* The same for a message that is encoded already. */
int rpc_call_send_encoded(struct rpc_call *call, struct bytes message);

/* False while the queue is above its high mark: who sends on all the same uses memory that the
 * client's reading pace decides about. on_writable tells when to go on. */
bool rpc_call_writable(const struct rpc_call *call);
/* Bytes queued for this call and not yet framed for its connection. */
size_t rpc_call_unsent(const struct rpc_call *call);

/* Ends the call after what was sent. sentence is for a person and may be NULL; details is an
 * encoded google.rpc.Status (rpc/status_details.h) or empty. Neither is kept. No-op when over. */
void rpc_call_finish(
    struct rpc_call *call, enum grpc_code code, const char *sentence, struct bytes details);

/* rpc_call_finish() in our own words: the code and the sentence of err. */
void rpc_call_fail(struct rpc_call *call, const struct error *err);

/* The one answer, and GRPC_OK. */
void rpc_call_reply(struct rpc_call *call, const ProtobufCMessage *message);

/* Ends the call now: what is queued is dropped and the stream is reset. The client sees CANCELLED.
 */
void rpc_call_abort(struct rpc_call *call);

/* No more on_message until released; the client is slowed down by its window. Both may be called
 * from on_message, and when over. */
void rpc_call_hold(struct rpc_call *call);
void rpc_call_release(struct rpc_call *call);

#endif
