/* What clients may make a server hold: of requests that do not end, of messages that are larger
 * decoded. */
#include "rpc/client.h"
#include "rpc/health.h"
#include "rpc/server.h"
#include "tests/lib/test.h"
#include <grpc/health/v1/health.pb-c.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LATE_MS = 20000,
    HELD_MAX = 1 << 20,
    PIECE = 60000, /* Held in 64 KiB. */
    MESSAGE_ROOM = 64 << 10,
    CALLS = 40,
    RECEIVE_MS = 50,
};

struct outcome {
    struct rpc_stream *stream; /* NULL: over. */
    enum grpc_code code;
    char sentence[128];
};

struct fixture {
    uv_loop_t loop;
    uv_timer_t timer;
    struct rpc_server *server;
    struct rpc_health *health;
    struct rpc_channel *channel;
    struct rpc_call *kept; /* The last, referenced. */
    bool late, stopped, closed;
    struct outcome outcomes[CALLS];
};

/* ---- the server ---- */

static void on_echo(struct rpc_call *call, const ProtobufCMessage *message, struct bytes encoded)
{
    (void)message;
    if (rpc_call_send_encoded(call, encoded) == STATUS_OK) {
        rpc_call_finish(call, GRPC_OK, NULL, bytes_of(NULL, 0));
    }
}

static void on_keep(struct rpc_call *call, const ProtobufCMessage *message, struct bytes encoded)
{
    (void)message;
    (void)encoded;
    struct fixture *f = rpc_call_context(call);
    rpc_call_ref(call);
    f->kept = call;
}

static const struct rpc_method methods[] = {
    {.path = "/t/Echo", .kind = RPC_UNARY, .on_message = on_echo},
    {.path = "/t/Keep", .kind = RPC_UNARY, .on_message = on_keep},
    {.path = "/t/Small", .kind = RPC_UNARY, .request_max = 10, .on_message = on_echo},
};

static void on_timer(uv_timer_t *timer)
{
    ((struct fixture *)timer->data)->late = true;
}

static void turn(struct fixture *f)
{
    uv_run(&f->loop, UV_RUN_ONCE);
    assert_false(f->late);
}

static void start(struct fixture *f, const struct rpc_server_options *options)
{
    struct rpc_channel_options client = {.host = "127.0.0.1"};
    struct error err;
    f->server = rpc_server_create(&f->loop, options);
    assert_non_null(f->server);
    f->health = rpc_health_create(f->server);
    assert_non_null(f->health);
    assert_int_equal(
        rpc_server_register(f->server, methods, sizeof methods / sizeof methods[0], f), STATUS_OK);
    assert_int_equal(rpc_server_listen(f->server, "127.0.0.1", &client.port, &err), STATUS_OK);
    assert_int_equal(rpc_channel_open(&f->channel, &f->loop, &client, &err), STATUS_OK);
}

static int set_up(void **state)
{
    static struct fixture f;
    f = (struct fixture){0};
    assert_int_equal(uv_loop_init(&f.loop), 0);
    uv_timer_init(&f.loop, &f.timer);
    f.timer.data = &f;
    uv_timer_start(&f.timer, on_timer, LATE_MS, 0);
    *state = &f;
    return 0;
}

static void raise_flag(void *arg)
{
    *(bool *)arg = true;
}

static void stop(struct fixture *f)
{
    rpc_channel_close(f->channel, raise_flag, &f->closed);
    while (!f->closed) {
        turn(f);
    }
    rpc_server_stop(f->server, 0, raise_flag, &f->stopped);
    while (!f->stopped) {
        turn(f);
    }
    rpc_server_destroy(f->server);
    rpc_health_destroy(f->health);
    f->server = NULL;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    if (f->server != NULL) {
        stop(f);
    }
    if (f->kept != NULL) {
        rpc_call_unref(f->kept);
    }
    uv_close((uv_handle_t *)&f->timer, NULL);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    return 0;
}

static size_t held(struct fixture *f)
{
    struct rpc_server_stats stats;
    rpc_server_stats(f->server, &stats);
    return stats.held;
}

/* ---- the clients ---- */

static void on_status(struct rpc_stream *stream, const struct rpc_result *result)
{
    struct outcome *o = rpc_stream_user(stream);
    o->stream = NULL;
    o->code = result->code;
    snprintf(o->sentence, sizeof o->sentence, "%s", result->sentence);
}

static struct outcome *call(
    struct fixture *f, unsigned i, const char *path, struct bytes message, bool ended)
{
    struct outcome *o = &f->outcomes[i];
    const struct rpc_stream_options options = {.path = path, .on_status = on_status, .user = o};
    *o = (struct outcome){.stream = rpc_stream_start(f->channel, &options)};
    assert_non_null(o->stream);
    assert_int_equal(rpc_stream_send_encoded(o->stream, message), STATUS_OK);
    if (ended) {
        rpc_stream_half_close(o->stream);
    }
    return o;
}

static const struct outcome *wait_for(struct fixture *f, const struct outcome *o)
{
    while (o->stream != NULL) {
        turn(f);
    }
    return o;
}

/* Until all that the clients have said was heard. */
static void settle(struct fixture *f)
{
    static const uint8_t nothing[1];
    for (int i = 0; i < CALLS; i++) {
        while (f->outcomes[i].stream != NULL && rpc_stream_unsent(f->outcomes[i].stream) > 0) {
            turn(f);
        }
    }
    (void)call(f, CALLS - 1, "/t/None", bytes_of(nothing, 0), true);
    assert_int_equal(wait_for(f, &f->outcomes[CALLS - 1])->code, GRPC_UNIMPLEMENTED);
}

static void requests_that_do_not_end_are_held_up_to_a_limit(void **state)
{
    static const uint8_t piece[PIECE];
    struct fixture *f = *state;
    const struct rpc_server_options options = {.held_max = HELD_MAX};
    unsigned refused = 0;
    start(f, &options);
    for (unsigned i = 0; i + 1 < CALLS; i++) {
        (void)call(f, i, "/t/Echo", bytes_of(piece, sizeof piece), false);
    }
    settle(f);
    assert_true(held(f) > HELD_MAX / 2);
    assert_true(held(f) <= HELD_MAX + MESSAGE_ROOM);
    for (unsigned i = 0; i + 1 < CALLS; i++) {
        refused += f->outcomes[i].stream == NULL;
    }
    assert_true(refused >= CALLS - 1 - HELD_MAX / MESSAGE_ROOM);
    const struct outcome *one = call(f, CALLS - 1, "/t/Echo", bytes_of(piece, sizeof piece), true);
    assert_int_equal(wait_for(f, one)->code, GRPC_RESOURCE_EXHAUSTED);
    assert_non_null(strstr(one->sentence, "try again"));
    /* And when they have gone all is as before. */
    for (unsigned i = 0; i + 1 < CALLS; i++) {
        if (f->outcomes[i].stream != NULL) {
            rpc_stream_cancel(f->outcomes[i].stream);
        }
    }
    settle(f);
    assert_int_equal(held(f), 0);
    one = call(f, 0, "/t/Echo", bytes_of(piece, sizeof piece), true);
    assert_int_equal(wait_for(f, one)->code, GRPC_OK);
}

static void a_request_must_come_in_time(void **state)
{
    static const uint8_t piece[PIECE];
    struct fixture *f = *state;
    const struct rpc_server_options options = {.receive_ms = RECEIVE_MS};
    start(f, &options);
    const struct outcome *one = call(f, 0, "/t/Echo", bytes_of(piece, sizeof piece), false);
    assert_int_equal(wait_for(f, one)->code, GRPC_DEADLINE_EXCEEDED);
    assert_non_null(strstr(one->sentence, "nothing was done"));
    settle(f);
    assert_int_equal(held(f), 0);
    /* Its answer has all the time that the client gives it. */
    one = call(f, 0, "/t/Keep", bytes_of(piece, sizeof piece), true);
    while (f->kept == NULL) {
        turn(f);
    }
    assert_true(rpc_call_deadline_ms(f->kept) == UINT64_MAX);
    uint64_t until = uv_now(&f->loop) + UINT64_C(3) * RECEIVE_MS;
    while (uv_now(&f->loop) < until) {
        uv_run(&f->loop, UV_RUN_NOWAIT);
    }
    assert_true(rpc_call_is_open(f->kept));
    rpc_call_finish(f->kept, GRPC_OK, NULL, bytes_of(NULL, 0));
    assert_int_equal(wait_for(f, one)->code, GRPC_OK);
}

static void a_method_may_take_less_than_others(void **state)
{
    static const uint8_t piece[11];
    struct fixture *f = *state;
    const struct rpc_server_options options = {0};
    start(f, &options);
    const struct outcome *one = call(f, 0, "/t/Small", bytes_of(piece, 10), true);
    assert_int_equal(wait_for(f, one)->code, GRPC_OK);
    one = call(f, 0, "/t/Small", bytes_of(piece, 11), true);
    assert_int_equal(wait_for(f, one)->code, GRPC_RESOURCE_EXHAUSTED);
    assert_non_null(strstr(one->sentence, "larger than 10 bytes"));
}

static void who_watches_has_little_held(void **state)
{
    enum { UNKNOWN_FIELD = 0x78, SMALL = 1000, LARGE = 400000, HELD = 512 << 10 };
    static uint8_t fields[LARGE];
    struct fixture *f = *state;
    const struct rpc_server_options options = {0};
    start(f, &options);
    for (size_t i = 0; i < sizeof fields; i += 2) {
        fields[i] = UNKNOWN_FIELD;
    }
    (void)call(f, 0, "/grpc.health.v1.Health/Watch", bytes_of(fields, SMALL), true);
    (void)call(f, 1, "/grpc.health.v1.Health/Watch", bytes_of(fields, LARGE), true);
    assert_int_equal(wait_for(f, &f->outcomes[1])->code, GRPC_RESOURCE_EXHAUSTED);
    settle(f);
    assert_true(held(f) > 0 && held(f) < HELD);
}

static void a_call_may_outlive_its_server(void **state)
{
    static const uint8_t piece[PIECE];
    struct fixture *f = *state;
    const struct rpc_server_options options = {0};
    start(f, &options);
    (void)call(f, 0, "/t/Keep", bytes_of(piece, sizeof piece), true);
    while (f->kept == NULL) {
        turn(f);
    }
    /* What its client has left is held all the same. */
    rpc_stream_cancel(f->outcomes[0].stream);
    settle(f);
    assert_false(rpc_call_is_open(f->kept));
    assert_true(held(f) >= PIECE);
    stop(f);
}

int main(void)
{
    /* As every program that has sockets of libuv must. */
    (void)signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        TEST_WITH_FIXTURE(requests_that_do_not_end_are_held_up_to_a_limit),
        TEST_WITH_FIXTURE(a_request_must_come_in_time),
        TEST_WITH_FIXTURE(a_method_may_take_less_than_others),
        TEST_WITH_FIXTURE(who_watches_has_little_held),
        TEST_WITH_FIXTURE(a_call_may_outlive_its_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
