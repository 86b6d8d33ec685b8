/* Calls from our client to our server, over loopback: what each side sees, and what neither may
 * make the other hold. Messages are those of the health service: one string. */
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

/* ---- the tests ---- */

static void a_unary_call_is_answered(void **state)
{
    struct fixture *f = *state;
    struct outcome o = call(f, "/test.Test/Echo", hello);
    assert_int_equal(o.code, GRPC_OK);
    assert_int_equal(o.messages, 1);
    assert_string_equal(o.text, hello);
    assert_int_equal(f->dones, 1);
    assert_int_equal(f->code, GRPC_OK);
}

static void an_error_brings_its_sentence_and_details(void **state)
{
    struct fixture *f = *state;
    char refuse[] = "refuse";
    struct outcome o = call(f, "/test.Test/Echo", refuse);
    assert_int_equal(o.code, GRPC_FAILED_PRECONDITION);
    assert_string_equal(o.sentence, "ещё не сейчас: 100%");
    assert_int_equal(o.details_size, 2);
    assert_int_equal(o.details[1], 9);
    assert_int_equal(o.messages, 0);
}

static void an_unknown_method_is_said_to_be_unknown(void **state)
{
    struct fixture *f = *state;
    struct outcome o = call(f, "/test.Test/Nothing", hello);
    assert_int_equal(o.code, GRPC_UNIMPLEMENTED);
    assert_true(strlen(o.sentence) > 10);
}

static void a_message_larger_than_allowed_reaches_no_handler(void **state)
{
    struct fixture *f = *state;
    static char big[REQUEST_MAX + 2];
    memset(big, 'x', sizeof big - 1);
    struct outcome o = call(f, "/test.Test/Echo", big);
    assert_int_equal(o.code, GRPC_RESOURCE_EXHAUSTED);
    assert_int_equal(f->messages, 0);
    o = call(f, "/test.Test/Echo", hello);
    assert_int_equal(o.code, GRPC_OK);
}

static void a_malformed_message_reaches_no_handler(void **state)
{
    struct fixture *f = *state;
    static const uint8_t wrong[] = {10, 5, 'h'};
    struct outcome o = {.f = f};
    const struct rpc_stream_options options = options_of("/test.Test/Echo", &o);
    assert_non_null(rpc_unary_start_encoded(f->channel, &options, bytes_of(wrong, sizeof wrong)));
    run_until(f, &o.over);
    assert_int_equal(o.code, GRPC_INVALID_ARGUMENT);
    assert_int_equal(f->messages, 0);
}

static void a_call_without_a_message_or_with_two_is_refused(void **state)
{
    struct fixture *f = *state;
    for (unsigned count = 0; count <= 2; count += 2) {
        struct outcome o = {.f = f};
        const struct rpc_stream_options options = options_of("/test.Test/Echo", &o);
        struct rpc_stream *stream = rpc_stream_start(f->channel, &options);
        for (unsigned i = 0; i < count; i++) {
            assert_int_equal(rpc_stream_send_encoded(stream, bytes_of("", 0)), STATUS_OK);
        }
        rpc_stream_half_close(stream);
        run_until(f, &o.over);
        assert_int_equal(o.code, GRPC_INVALID_ARGUMENT);
        assert_int_equal(f->messages, 0);
    }
}

static void a_stream_of_answers_comes_whole(void **state)
{
    struct fixture *f = *state;
    struct outcome o = call(f, "/test.Test/Stream", hello);
    assert_int_equal(o.code, GRPC_OK);
    assert_int_equal(o.messages, MANY);
}

static void a_reader_that_holds_slows_the_server_down(void **state)
{
    struct fixture *f = *state;
    struct outcome o;
    struct rpc_stream *stream = start(f, "/test.Test/Stream", hello, &o);
    o.hold_after = 1;
    while (o.messages == 0 && !f->late) {
        uv_run(&f->loop, UV_RUN_ONCE);
    }
    for (unsigned i = 0; i < 300; i++) {
        uv_run(&f->loop, UV_RUN_NOWAIT);
    }
    assert_int_equal(o.messages, 1);
    struct rpc_server_stats stats;
    rpc_server_stats(f->server, &stats);
    assert_true(stats.held < 300000);
    assert_true(f->streamed < 20);
    rpc_stream_release(stream);
    run_until(f, &o.over);
    assert_int_equal(o.code, GRPC_OK);
    assert_int_equal(o.messages, MANY);
}

static struct rpc_stream *start_collecting(struct fixture *f, struct outcome *o)
{
    static struct rpc_stream_options options;
    *o = (struct outcome){.f = f};
    options = options_of("/test.Test/Collect", o);
    return rpc_stream_start(f->channel, &options);
}

static void send_big(struct rpc_stream *stream)
{
    Grpc__Health__V1__HealthCheckRequest message = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
    static char text[BIG];
    memset(text, 'x', sizeof text - 1);
    message.service = text;
    assert_int_equal(rpc_stream_send(stream, &message.base), STATUS_OK);
}

static void a_stream_of_requests_is_collected(void **state)
{
    struct fixture *f = *state;
    struct outcome o;
    struct rpc_stream *stream = start_collecting(f, &o);
    for (unsigned i = 0; i < 5; i++) {
        send_big(stream);
    }
    rpc_stream_half_close(stream);
    run_until(f, &o.over);
    assert_int_equal(o.code, GRPC_OK);
    assert_string_equal(o.text, "5");
    assert_int_equal(f->started, 1);
    assert_int_equal(f->half_closes, 1);
}

static void a_handler_that_holds_slows_the_client_down(void **state)
{
    struct fixture *f = *state;
    struct outcome o;
    f->hold = true;
    struct rpc_stream *stream = start_collecting(f, &o);
    send_big(stream);
    unsigned sent = 1;
    while (f->messages == 0 && !f->late) {
        uv_run(&f->loop, UV_RUN_ONCE);
    }
    for (unsigned i = 0; i < 400; i++) {
        if (sent < MANY && rpc_stream_writable(stream)) {
            send_big(stream);
            sent++;
        }
        uv_run(&f->loop, UV_RUN_NOWAIT);
    }
    assert_true(sent < 20);
    assert_int_equal(f->messages, 1);
    f->hold = false;
    rpc_call_release(f->call);
    rpc_stream_half_close(stream);
    run_until(f, &o.over);
    assert_int_equal(o.code, GRPC_OK);
    assert_int_equal(f->messages, sent);
}

static void a_deadline_ends_both_sides(void **state)
{
    struct fixture *f = *state;
    Grpc__Health__V1__HealthCheckRequest request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
    struct outcome o = {.f = f};
    struct rpc_stream_options options = options_of("/test.Test/Keep", &o);
    options.timeout_ms = 60;
    assert_non_null(rpc_unary_start(f->channel, &options, &request.base));
    run_until(f, &o.over);
    assert_int_equal(o.code, GRPC_DEADLINE_EXCEEDED);
    bool done = false;
    while (!done && !f->late) {
        uv_run(&f->loop, UV_RUN_ONCE);
        done = f->dones == 1;
    }
    assert_true(f->code == GRPC_DEADLINE_EXCEEDED || f->code == GRPC_CANCELLED);
    assert_false(rpc_call_is_open(f->call));
    rpc_call_finish(f->call, GRPC_OK, NULL, bytes_of(NULL, 0));
    assert_int_equal(f->dones, 1);
}

static void a_cancelled_call_is_over_for_the_handler(void **state)
{
    struct fixture *f = *state;
    struct outcome o;
    struct rpc_stream *stream = start(f, "/test.Test/Keep", hello, &o);
    while (f->call == NULL && !f->late) {
        uv_run(&f->loop, UV_RUN_ONCE);
    }
    rpc_stream_cancel(stream);
    run_until(f, &o.over);
    assert_int_equal(o.code, GRPC_CANCELLED);
    while (f->dones == 0 && !f->late) {
        uv_run(&f->loop, UV_RUN_ONCE);
    }
    assert_int_equal(f->code, GRPC_CANCELLED);
}

static void a_late_answer_reaches_the_client(void **state)
{
    struct fixture *f = *state;
    struct outcome o;
    start(f, "/test.Test/Keep", hello, &o);
    while (f->call == NULL && !f->late) {
        uv_run(&f->loop, UV_RUN_ONCE);
    }
    Grpc__Health__V1__HealthCheckRequest message = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
    message.service = hello;
    rpc_call_reply(f->call, &message.base);
    run_until(f, &o.over);
    assert_int_equal(o.code, GRPC_OK);
    assert_string_equal(o.text, hello);
}

static void a_call_is_taken_up_before_it_is_answered(void **state)
{
    struct fixture *f = *state;
    struct outcome o;
    char refuse[] = "refuse";
    start(f, "/test.Test/Keep", hello, &o);
    while (f->call == NULL && !f->late) {
        uv_run(&f->loop, UV_RUN_ONCE);
    }
    assert_false(o.taken_up);
    rpc_call_take_up(f->call);
    rpc_call_take_up(f->call);
    run_until(f, &o.taken_up);
    assert_false(o.over);
    rpc_call_finish(f->call, GRPC_ABORTED, "after all", bytes_of(NULL, 0));
    run_until(f, &o.over);
    assert_int_equal(o.code, GRPC_ABORTED);
    assert_true(o.answered);
    rpc_call_take_up(f->call);
    assert_true(call(f, "/test.Test/Echo", hello).taken_up);
    assert_false(call(f, "/test.Test/Echo", refuse).taken_up);
}

static void a_lost_server_is_unavailable_and_found_again(void **state)
{
    struct fixture *f = *state;
    struct outcome o;
    start(f, "/test.Test/Keep", hello, &o);
    while (f->call == NULL && !f->late) {
        uv_run(&f->loop, UV_RUN_ONCE);
    }
    stop_server(f, 0);
    run_until(f, &o.over);
    assert_int_equal(o.code, GRPC_UNAVAILABLE);
    assert_false(o.answered);
    assert_false(o.not_sent);
    o = call(f, "/test.Test/Echo", hello);
    assert_int_equal(o.code, GRPC_UNAVAILABLE);
    assert_true(o.not_sent);
    assert_non_null(strstr(o.sentence, "127.0.0.1"));
    start_server(f);
    Grpc__Health__V1__HealthCheckRequest request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
    struct rpc_stream_options options = options_of("/test.Test/Echo", &o);
    o = (struct outcome){.f = f};
    options.wait_for_ready = true;
    options.timeout_ms = LATE_MS / 2;
    assert_non_null(rpc_unary_start(f->channel, &options, &request.base));
    run_until(f, &o.over);
    assert_int_equal(o.code, GRPC_OK);
}

static void a_server_that_stops_lets_calls_finish(void **state)
{
    struct fixture *f = *state;
    struct outcome o;
    start(f, "/test.Test/Keep", hello, &o);
    while (f->call == NULL && !f->late) {
        uv_run(&f->loop, UV_RUN_ONCE);
    }
    rpc_server_stop(f->server, 5000, on_stopped, f);
    for (unsigned i = 0; i < 20; i++) {
        uv_run(&f->loop, UV_RUN_NOWAIT);
    }
    assert_false(o.over);
    rpc_call_finish(f->call, GRPC_ABORTED, "as it was", bytes_of(NULL, 0));
    run_until(f, &o.over);
    assert_int_equal(o.code, GRPC_ABORTED);
    run_until(f, &f->stopped);
    rpc_server_destroy(f->server);
    rpc_health_destroy(f->health);
    f->server = NULL;
}

static void one_call_after_another_needs_no_callbacks(void **state)
{
    struct fixture *f = *state;
    Grpc__Health__V1__HealthCheckRequest request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
    const struct rpc_stream_options options = {.path = "/grpc.health.v1.Health/Check",
        .response = &grpc__health__v1__health_check_response__descriptor};
    struct rpc_answer answer;
    for (int serving = 0; serving <= 1; serving++) {
        (void)rpc_health_set(f->health, "", serving != 0);
        assert_int_equal(rpc_unary_sync(f->channel, &options, &request.base, &answer), GRPC_OK);
        const Grpc__Health__V1__HealthCheckResponse *response = (const void *)answer.message;
        assert_int_equal(response->status,
            serving ? GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING
                    : GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING);
        rpc_answer_deinit(&answer);
    }
    request.service = hello;
    assert_int_equal(rpc_unary_sync(f->channel, &options, &request.base, &answer), GRPC_NOT_FOUND);
    rpc_answer_deinit(&answer);
}

static void closing_a_channel_ends_its_calls(void **state)
{
    struct fixture *f = *state;
    struct outcome o;
    start(f, "/test.Test/Keep", hello, &o);
    while (f->call == NULL && !f->late) {
        uv_run(&f->loop, UV_RUN_ONCE);
    }
    rpc_channel_close(f->channel, on_closed, f);
    assert_false(o.over);
    run_until(f, &f->closed);
    assert_true(o.over);
    assert_int_equal(o.code, GRPC_CANCELLED);
    f->closed = false;
    struct error err;
    const struct rpc_channel_options options = {.host = "127.0.0.1", .port = f->port};
    assert_int_equal(rpc_channel_open(&f->channel, &f->loop, &options, &err), STATUS_OK);
}

static void a_connection_without_numbers_left_makes_place_for_another(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(call(f, "/test.Test/Echo", hello).code, GRPC_OK);
    assert_int_equal(
        nghttp2_session_set_next_stream_id(f->channel->current->http2->session, INT32_MAX), 0);
    assert_int_equal(call(f, "/test.Test/Echo", hello).code, GRPC_OK);
    struct outcome o = call(f, "/test.Test/Echo", hello);
    assert_int_equal(o.code, GRPC_UNAVAILABLE);
    assert_true(o.not_sent);
    while (rpc_channel_state(f->channel) != RPC_CHANNEL_READY ||
        call(f, "/test.Test/Echo", hello).code != GRPC_OK) {
        uv_run(&f->loop, UV_RUN_ONCE);
        assert_false(f->late);
    }
}

static void close_at_the_second_attempt(
    struct rpc_channel *channel, enum rpc_channel_state state, const char *why)
{
    struct fixture *f = rpc_channel_user(channel);
    (void)why;
    f->states++;
    if (state == RPC_CHANNEL_CONNECTING) {
        f->states = 0;
        rpc_channel_close(channel, on_closed, f);
    }
}

static void a_channel_that_is_closed_says_no_more(void **state)
{
    enum { LONGER_THAN_A_NAME = 300 };
    struct fixture *f = *state;
    struct error err;
    struct rpc_channel *channel;
    char host[LONGER_THAN_A_NAME + 1] = "";
    memset(host, 'a', LONGER_THAN_A_NAME);
    const struct rpc_channel_options options = {
        .host = host, .port = 1, .on_state = close_at_the_second_attempt, .user = f};
    assert_int_equal(rpc_channel_open(&channel, &f->loop, &options, &err), STATUS_OK);
    run_until(f, &f->closed);
    assert_int_equal(f->states, 0);
    f->closed = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_WITH_FIXTURE(a_unary_call_is_answered),
        TEST_WITH_FIXTURE(an_error_brings_its_sentence_and_details),
        TEST_WITH_FIXTURE(an_unknown_method_is_said_to_be_unknown),
        TEST_WITH_FIXTURE(a_message_larger_than_allowed_reaches_no_handler),
        TEST_WITH_FIXTURE(a_malformed_message_reaches_no_handler),
        TEST_WITH_FIXTURE(a_call_without_a_message_or_with_two_is_refused),
        TEST_WITH_FIXTURE(a_stream_of_answers_comes_whole),
        TEST_WITH_FIXTURE(a_reader_that_holds_slows_the_server_down),
        TEST_WITH_FIXTURE(a_stream_of_requests_is_collected),
        TEST_WITH_FIXTURE(a_handler_that_holds_slows_the_client_down),
        TEST_WITH_FIXTURE(a_deadline_ends_both_sides),
        TEST_WITH_FIXTURE(a_cancelled_call_is_over_for_the_handler),
        TEST_WITH_FIXTURE(a_late_answer_reaches_the_client),
        TEST_WITH_FIXTURE(a_call_is_taken_up_before_it_is_answered),
        TEST_WITH_FIXTURE(a_lost_server_is_unavailable_and_found_again),
        TEST_WITH_FIXTURE(a_server_that_stops_lets_calls_finish),
        TEST_WITH_FIXTURE(one_call_after_another_needs_no_callbacks),
        TEST_WITH_FIXTURE(closing_a_channel_ends_its_calls),
        TEST_WITH_FIXTURE(a_connection_without_numbers_left_makes_place_for_another),
        TEST_WITH_FIXTURE(a_channel_that_is_closed_says_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
