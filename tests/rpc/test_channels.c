/* Calls when a connection or a server comes to its end. */
#include "tests/rpc/calls.h"

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
        TEST_WITH_FIXTURE(a_lost_server_is_unavailable_and_found_again),
        TEST_WITH_FIXTURE(a_server_that_stops_lets_calls_finish),
        TEST_WITH_FIXTURE(one_call_after_another_needs_no_callbacks),
        TEST_WITH_FIXTURE(closing_a_channel_ends_its_calls),
        TEST_WITH_FIXTURE(a_connection_without_numbers_left_makes_place_for_another),
        TEST_WITH_FIXTURE(a_channel_that_is_closed_says_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
