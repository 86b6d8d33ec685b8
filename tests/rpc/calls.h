/* Calls from our client to our server, over loopback: what each side sees, and what neither may
 * make the other hold. Messages are those of the health service: one string. */
#ifndef TESTS_RPC_CALLS_H
#define TESTS_RPC_CALLS_H

#include "rpc/client_private.h"
#include "rpc/health.h"
#include "rpc/http2_private.h"
#include "rpc/server.h"
#include "tests/lib/test.h"
#include <grpc/health/v1/health.pb-c.h>

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LATE_MS = 20000, REQUEST_MAX = 100000, BIG = 60000, MANY = 200 };

struct fixture {
    uv_loop_t loop;
    uv_timer_t timer;
    struct rpc_server *server;
    struct rpc_health *health;
    struct rpc_channel *channel;
    int port;
    bool late, stopped, closed;
    /* What handlers saw. */
    struct rpc_call *call; /* The last, referenced. */
    unsigned started, messages, half_closes, dones;
    size_t bytes;
    enum grpc_code code;
    unsigned streamed;
    bool hold;
    unsigned states; /* Told of a channel. */
};

/* ---- handlers ---- */

static const char *text_of(const ProtobufCMessage *message)
{
    return ((const Grpc__Health__V1__HealthCheckRequest *)message)->service;
}

static struct fixture *begin(struct rpc_call *call)
{
    struct fixture *f = rpc_call_context(call);
    f->messages++;
    return f;
}

static void on_echo(struct rpc_call *call, const ProtobufCMessage *message, struct bytes encoded)
{
    struct fixture *f = begin(call);
    f->bytes += encoded.size;
    if (strcmp(text_of(message), "refuse") == 0) {
        static const uint8_t details[] = {8, 9};
        rpc_call_finish(call, GRPC_FAILED_PRECONDITION, "ещё не сейчас: 100%",
            bytes_of(details, sizeof details));
        return;
    }
    rpc_call_reply(call, message);
}

static void on_keep(struct rpc_call *call, const ProtobufCMessage *message, struct bytes encoded)
{
    (void)message;
    (void)encoded;
    struct fixture *f = begin(call);
    rpc_call_ref(call);
    f->call = call;
}

static void stream_on(struct rpc_call *call)
{
    struct fixture *f = rpc_call_context(call);
    Grpc__Health__V1__HealthCheckRequest message = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
    static char text[BIG];
    memset(text, 'x', sizeof text - 1);
    message.service = text;
    while (f->streamed < MANY && rpc_call_writable(call)) {
        f->streamed++;
        if (rpc_call_send(call, &message.base) != STATUS_OK) {
            return;
        }
    }
    if (f->streamed == MANY) {
        rpc_call_finish(call, GRPC_OK, NULL, bytes_of(NULL, 0));
    }
}

static void on_stream(struct rpc_call *call, const ProtobufCMessage *message, struct bytes encoded)
{
    (void)message;
    (void)encoded;
    begin(call);
    stream_on(call);
}

static void on_start(struct rpc_call *call)
{
    struct fixture *f = rpc_call_context(call);
    f->started++;
}

static void on_collect(struct rpc_call *call, const ProtobufCMessage *message, struct bytes encoded)
{
    (void)message;
    struct fixture *f = begin(call);
    f->bytes += encoded.size;
    if (f->hold) {
        rpc_call_hold(call);
        if (f->call == NULL) {
            rpc_call_ref(call);
            f->call = call;
        }
    }
}

static void on_collected(struct rpc_call *call)
{
    struct fixture *f = rpc_call_context(call);
    Grpc__Health__V1__HealthCheckRequest message = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
    char text[16];
    f->half_closes++;
    snprintf(text, sizeof text, "%u", f->messages);
    message.service = text;
    rpc_call_reply(call, &message.base);
}

static void on_done(struct rpc_call *call)
{
    struct fixture *f = rpc_call_context(call);
    f->dones++;
    f->code = rpc_call_code(call);
}

static const struct rpc_method methods[] = {
    {.path = "/test.Test/Echo",
        .kind = RPC_UNARY,
        .request = &grpc__health__v1__health_check_request__descriptor,
        .on_message = on_echo,
        .on_done = on_done},
    {.path = "/test.Test/Keep",
        .kind = RPC_UNARY,
        .request = &grpc__health__v1__health_check_request__descriptor,
        .on_message = on_keep,
        .on_done = on_done},
    {.path = "/test.Test/Stream",
        .kind = RPC_SERVER_STREAM,
        .on_message = on_stream,
        .on_writable = stream_on,
        .on_done = on_done},
    {.path = "/test.Test/Collect",
        .kind = RPC_CLIENT_STREAM,
        .request = &grpc__health__v1__health_check_request__descriptor,
        .on_start = on_start,
        .on_message = on_collect,
        .on_half_close = on_collected,
        .on_done = on_done},
};

/* ---- the fixture ---- */

static void on_timer(uv_timer_t *timer)
{
    ((struct fixture *)timer->data)->late = true;
}

static void start_server(struct fixture *f)
{
    const struct rpc_server_options options = {.request_max = REQUEST_MAX};
    struct error err;
    f->stopped = false;
    f->server = rpc_server_create(&f->loop, &options);
    assert_non_null(f->server);
    f->health = rpc_health_create(f->server);
    assert_non_null(f->health);
    assert_int_equal(
        rpc_server_register(f->server, methods, sizeof methods / sizeof methods[0], f), STATUS_OK);
    assert_int_equal(rpc_server_listen(f->server, "127.0.0.1", &f->port, &err), STATUS_OK);
}

static int set_up(void **state)
{
    static struct fixture f;
    struct error err;
    f = (struct fixture){0};
    assert_int_equal(uv_loop_init(&f.loop), 0);
    uv_timer_init(&f.loop, &f.timer);
    f.timer.data = &f;
    uv_timer_start(&f.timer, on_timer, LATE_MS, 0);
    start_server(&f);
    const struct rpc_channel_options options = {.host = "127.0.0.1", .port = f.port};
    assert_int_equal(rpc_channel_open(&f.channel, &f.loop, &options, &err), STATUS_OK);
    *state = &f;
    return 0;
}

static void on_stopped(void *arg)
{
    ((struct fixture *)arg)->stopped = true;
}

static void on_closed(void *arg)
{
    ((struct fixture *)arg)->closed = true;
}

static void run_until(struct fixture *f, const bool *flag)
{
    while (!*flag && !f->late) {
        uv_run(&f->loop, UV_RUN_ONCE);
    }
    assert_false(f->late);
}

static void stop_server(struct fixture *f, unsigned grace_ms)
{
    rpc_server_stop(f->server, grace_ms, on_stopped, f);
    run_until(f, &f->stopped);
    rpc_server_destroy(f->server);
    rpc_health_destroy(f->health);
    f->server = NULL;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    rpc_channel_close(f->channel, on_closed, f);
    run_until(f, &f->closed);
    if (f->call != NULL) {
        rpc_call_unref(f->call);
    }
    if (f->server != NULL) {
        stop_server(f, 0);
    }
    uv_close((uv_handle_t *)&f->timer, NULL);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    return 0;
}

/* ---- the client's side ---- */

struct outcome {
    struct fixture *f;
    unsigned messages;
    size_t bytes;
    bool over;
    enum grpc_code code;
    char sentence[256];
    uint8_t details[64];
    size_t details_size;
    bool answered, not_sent;
    unsigned hold_after; /* 0: never. */
    bool taken_up;
    char text[64];
};

static void on_message(
    struct rpc_stream *stream, const ProtobufCMessage *message, struct bytes encoded)
{
    struct outcome *o = rpc_stream_user(stream);
    o->messages++;
    o->bytes += encoded.size;
    snprintf(o->text, sizeof o->text, "%.60s", text_of(message));
    if (o->messages == o->hold_after) {
        rpc_stream_hold(stream);
    }
}

static void on_taken_up(struct rpc_stream *stream)
{
    struct outcome *o = rpc_stream_user(stream);
    assert(!o->taken_up && !o->over);
    o->taken_up = true;
}

static void on_status(struct rpc_stream *stream, const struct rpc_result *result)
{
    struct outcome *o = rpc_stream_user(stream);
    o->over = true;
    o->code = result->code;
    o->answered = result->answered;
    o->not_sent = result->not_sent;
    snprintf(o->sentence, sizeof o->sentence, "%s", result->sentence);
    o->details_size = result->details.size < sizeof o->details ? result->details.size : 0;
    if (o->details_size > 0) {
        memcpy(o->details, result->details.data, o->details_size);
    }
}

static struct rpc_stream_options options_of(const char *path, struct outcome *o)
{
    return (struct rpc_stream_options){.path = path,
        .response = &grpc__health__v1__health_check_request__descriptor,
        .on_taken_up = on_taken_up,
        .on_message = on_message,
        .on_status = on_status,
        .user = o};
}

static struct rpc_stream *start(struct fixture *f, const char *path, char *text, struct outcome *o)
{
    Grpc__Health__V1__HealthCheckRequest request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
    const struct rpc_stream_options options = options_of(path, o);
    request.service = text;
    *o = (struct outcome){.f = f};
    struct rpc_stream *stream = rpc_unary_start(f->channel, &options, &request.base);
    assert_non_null(stream);
    assert_false(o->over);
    return stream;
}

static struct outcome call(struct fixture *f, const char *path, char *text)
{
    struct outcome o;
    start(f, path, text, &o);
    run_until(f, &o.over);
    return o;
}

static char hello[] = "привет";

#endif
