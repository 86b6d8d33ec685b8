/* One call, of each kind: what each side sees of its messages and of its end. */
#include "tests/rpc/calls.h"

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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
