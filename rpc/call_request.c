/* What a client sends: headers, then messages, handed to the method's handler. */
#include "proto/guard.h"
#include "rpc/call_private.h"
#include "rpc/metadata.h"

#include <assert.h>
#include <stdio.h>

static void refuse(struct rpc_call *call, enum grpc_code code, const char *sentence)
{
    rpc_call_finish(call, code, sentence, bytes_of(NULL, 0));
}

/* ---- headers ---- */

static bool is(struct bytes text, const char *word)
{
    return bytes_equal(text, bytes_of(word, strlen(word)));
}

/* application/grpc, application/grpc+proto, application/grpc; … */
static bool is_grpc_type(struct bytes value)
{
    static const char type[] = "application/grpc";
    size_t size = sizeof type - 1;
    if (value.size < size || memcmp(value.data, type, size) != 0) {
        return false;
    }
    struct bytes rest = bytes_of(value.data + size, value.size - size);
    bool proto = rest.size >= 6 && memcmp(rest.data, "+proto", 6) == 0 &&
        (rest.size == 6 || rest.data[6] == ';');
    return rest.size == 0 || rest.data[0] == ';' || proto;
}

void call_on_header(void *user, struct bytes name, struct bytes value)
{
    struct rpc_call *call = user;
    if (is(name, ":path")) {
        const struct registry_entry *entry = registry_find(&call->server->registry, value);
        call->method = entry != NULL ? entry->method : NULL;
        call->context = entry != NULL ? entry->context : NULL;
    } else if (is(name, ":method")) {
        call->is_post = is(value, "POST");
    } else if (is(name, "content-type")) {
        call->is_grpc = is_grpc_type(value);
    } else if (is(name, "grpc-timeout")) {
        call->bad_timeout = !metadata_timeout_decode(value, &call->timeout_ms);
    }
}

/* Not gRPC: an answer of HTTP's own, as the specification asks. */
static void refuse_http(struct rpc_call *call)
{
    const char *status = call->is_post ? "415" : "405";
    nghttp2_nv header = {.name = (uint8_t *)":status",
        .namelen = 7,
        .value = (uint8_t *)status,
        .valuelen = strlen(status)};
    call->state = CALL_OVER;
    call->code = GRPC_UNIMPLEMENTED;
    if (http2_stream_respond(call->stream, &header, 1, true) != STATUS_OK) {
        rpc_call_abort(call);
    }
}

static bool takes_one(const struct rpc_call *call)
{
    return call->method->kind == RPC_UNARY || call->method->kind == RPC_SERVER_STREAM;
}

static uint64_t sooner(uint64_t ms, uint64_t other_ms)
{
    return ms < other_ms ? ms : other_ms;
}

static bool set_deadline(struct rpc_call *call)
{
    const struct rpc_server_options *options = &call->server->options;
    uint64_t now = uv_now(call->server->loop);
    uint64_t most = options->call_max_ms > 0 ? options->call_max_ms : UINT64_MAX;
    uint64_t ms = sooner(call->timeout_ms, most);
    call->deadline_ms = ms == UINT64_MAX ? UINT64_MAX : now + ms;
    uint64_t at_ms =
        call->receiving ? sooner(call->deadline_ms, now + options->receive_ms) : call->deadline_ms;
    return at_ms == UINT64_MAX || deadlines_add(&call->server->deadlines, &call->deadline, at_ms);
}

/* The request is there: from here on its client's deadline counts. */
static void received(struct rpc_call *call)
{
    struct deadlines *deadlines = &call->server->deadlines;
    call->receiving = false;
    if (call->deadline.at_ms == call->deadline_ms) {
        return;
    }
    deadlines_remove(deadlines, &call->deadline);
    if (call->deadline_ms != UINT64_MAX) {
        bool added = deadlines_add(deadlines, &call->deadline, call->deadline_ms);
        assert(added); /* To the place that was given up. */
        (void)added;
    }
}

void call_on_headers_end(void *user)
{
    struct rpc_call *call = user;
    if (!call->is_post || !call->is_grpc) { /* Answered at its end: before, the two would race. */
        call->receiving = true;
        if (!set_deadline(call)) {
            rpc_call_abort(call);
        }
        return;
    }
    call->state = CALL_OPEN;
    if (call->method == NULL) {
        refuse(call, GRPC_UNIMPLEMENTED,
            "no such method on this server: its services are those of proto/zhurnal/v1");
        return;
    }
    size_t most = call->method->request_max;
    most = most > 0 ? most : call->server->options.request_max;
    framing_init(&call->framing, most);
    arena_init(&call->arena, guard_arena_limit(most));
    call->receiving = takes_one(call);
    if (call->bad_timeout) {
        refuse(call, GRPC_INVALID_ARGUMENT,
            "grpc-timeout is not a number of at most eight digits and a unit");
    } else if (!set_deadline(call)) {
        refuse(call, GRPC_RESOURCE_EXHAUSTED, "out of memory");
    } else if (call->method->on_start != NULL) {
        call->begun = true;
        rpc_call_ref(call);
        call->method->on_start(call);
        rpc_call_unref(call);
    }
}

/* ---- messages ---- */

static void refuse_frame(struct rpc_call *call, int status)
{
    char sentence[128];
    switch (status) {
    case STATUS_TOO_LARGE:
        snprintf(sentence, sizeof sentence,
            "the message is larger than %zu bytes: send less at a time", call->framing.message_max);
        refuse(call, GRPC_RESOURCE_EXHAUSTED, sentence);
        break;
    case STATUS_UNIMPLEMENTED:
        refuse(call, GRPC_UNIMPLEMENTED, "the message is compressed: send it uncompressed");
        break;
    default:
        refuse(call, GRPC_INTERNAL, "the message's frame does not begin with 0 or 1");
        break;
    }
}

static void hand_over(struct rpc_call *call, struct bytes encoded)
{
    ProtobufCMessage *message = NULL;
    struct error err;
    if (call->method->request != NULL) {
        message = guard_decode(call->method->request, encoded, &call->arena, &err);
        if (message == NULL) {
            rpc_call_fail(call, &err);
            return;
        }
    }
    call->begun = true;
    call->delivering = true;
    call->method->on_message(call, message, encoded);
    call->delivering = false;
}

/* All has come: exactly one message, which lives as long as the call. */
static void deliver_one(struct rpc_call *call)
{
    struct bytes message;
    int status = framing_take(&call->framing, &message);
    received(call);
    if (status == STATUS_NOT_FOUND) {
        refuse(call, GRPC_INVALID_ARGUMENT,
            framing_held(&call->framing) == 0 ? "the call has no message: send exactly one"
                                              : "the message is cut short");
    } else if (framing_held(&call->framing) > 0) {
        refuse(call, GRPC_INVALID_ARGUMENT, "the call has several messages: send exactly one");
    } else {
        hand_over(call, message);
    }
}

/* False: there is nothing more to hand over for now. */
static bool deliver_next(struct rpc_call *call)
{
    struct bytes message;
    int status = framing_take(&call->framing, &message);
    if (status == STATUS_OK) {
        hand_over(call, message);
        arena_reset(&call->arena);
        return true;
    }
    if (status != STATUS_NOT_FOUND) {
        refuse_frame(call, status);
    } else if (call->remote_end && framing_held(&call->framing) > 0) {
        refuse(call, GRPC_INVALID_ARGUMENT, "the last message is cut short");
    } else if (call->remote_end && !call->half_closed) {
        call->half_closed = true;
        call->begun = true;
        if (call->method->on_half_close != NULL) {
            call->method->on_half_close(call);
        }
    }
    return false;
}

/* Of a call that takes one message: too much of it is refused before it is held. */
static void look_ahead(struct rpc_call *call)
{
    struct bytes message;
    int status = framing_peek(&call->framing, &message);
    if (status == STATUS_OK && framing_held(&call->framing) > FRAMING_PREFIX_SIZE + message.size) {
        refuse(call, GRPC_INVALID_ARGUMENT, "the call has several messages: send exactly one");
    } else if (status != STATUS_OK && status != STATUS_NOT_FOUND) {
        refuse_frame(call, status);
    }
}

static void open_window(struct rpc_call *call)
{
    if (call->stream != NULL && !call->held && call->unconsumed > 0) {
        http2_stream_consume(call->stream, call->unconsumed);
        call->unconsumed = 0;
    }
}

/* What its messages take by now. */
static void account(struct rpc_call *call)
{
    size_t held = call->framing.buffer.capacity + call->arena.held;
    call->server->held += held - call->counted;
    call->counted = held;
}

void call_deliver(struct rpc_call *call)
{
    if (call->delivering) {
        return;
    }
    rpc_call_ref(call);
    if (call->state == CALL_OPEN && takes_one(call)) {
        if (call->receiving) {
            look_ahead(call);
        }
        if (call->state == CALL_OPEN && call->remote_end && call->receiving) {
            deliver_one(call);
        }
    } else {
        while (call->state == CALL_OPEN && !call->held && deliver_next(call)) {
        }
    }
    account(call);
    open_window(call);
    rpc_call_unref(call);
}

void call_on_data(void *user, struct bytes data)
{
    struct rpc_call *call = user;
    call->unconsumed += data.size;
    if (call->state != CALL_OPEN) {
        call->held = false;
        open_window(call);
        return;
    }
    if (!call_has_room(call, data.size)) {
        framing_deinit(&call->framing); /* Already now, so that others have room. */
        account(call);
        refuse(call, GRPC_RESOURCE_EXHAUSTED,
            "this node holds too much for others: nothing was done, try again in a while");
    } else if (framing_push(&call->framing, data) != STATUS_OK) {
        refuse(call, GRPC_RESOURCE_EXHAUSTED, "out of memory");
    } else {
        call_deliver(call);
    }
}

void call_on_remote_end(void *user)
{
    struct rpc_call *call = user;
    call->remote_end = true;
    if (call->state == CALL_HEADERS) {
        refuse_http(call);
    } else {
        call_deliver(call);
    }
}

void rpc_call_hold(struct rpc_call *call)
{
    call->held = true;
}

void rpc_call_release(struct rpc_call *call)
{
    if (call->held) {
        call->held = false;
        call_deliver(call);
    }
}
