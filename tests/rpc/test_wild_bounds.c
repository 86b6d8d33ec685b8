/* What a stranger on a bare socket may make us do: how much in headers, how many streams that it
 * breaks off or has broken off, and how long it may take to say who it is. */
#include "rpc/http2.h"
#include "rpc/server.h"
#include "tests/lib/test.h"
#include "tests/rpc/wild.h"

#include <signal.h>

enum { LATE_MS = 20000, HANDSHAKE_MS = 500, FLOW_CONTROL_ERROR = 3, ENHANCE_YOUR_CALM = 11 };

struct fixture {
    uv_loop_t loop;
    struct rpc_server *server;
    int port;
    struct wild wild;
    unsigned started;
    bool stopped;
};

static void on_start(struct rpc_call *call)
{
    ((struct fixture *)rpc_call_context(call))->started++;
}

static void on_nothing(struct rpc_call *call, const ProtobufCMessage *message, struct bytes encoded)
{
    (void)call;
    (void)message;
    (void)encoded;
}

static const struct rpc_method methods[] = {
    {.path = "/t/Nothing", .kind = RPC_UNARY, .on_start = on_start, .on_message = on_nothing},
};

/* handshake_ms 0: the default. */
static int start(void **state, unsigned handshake_ms)
{
    static struct fixture f;
    const struct rpc_server_options options = {.handshake_timeout_ms = handshake_ms};
    f = (struct fixture){
        .wild = {.loop = &f.loop, .fd = -1, .late_ns = uv_hrtime() + UINT64_C(1000000) * LATE_MS}};
    assert_int_equal(uv_loop_init(&f.loop), 0);
    f.server = rpc_server_create(&f.loop, &options);
    assert_non_null(f.server);
    assert_int_equal(rpc_server_register(f.server, methods, 1, &f), STATUS_OK);
    assert_int_equal(rpc_server_listen(f.server, "127.0.0.1", &f.port, NULL), STATUS_OK);
    *state = &f;
    return 0;
}

static int set_up(void **state)
{
    return start(state, 0);
}

/* For tests of time alone: a busy machine may need more for what is in order. */
static int set_up_impatient(void **state)
{
    return start(state, HANDSHAKE_MS);
}

static void on_stopped(void *arg)
{
    *(bool *)arg = true;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    rpc_server_stop(f->server, 0, on_stopped, &f->stopped);
    while (!f->stopped) {
        turn(&f->wild);
    }
    rpc_server_destroy(f->server);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    close(f->wild.fd);
    return 0;
}

static struct rpc_server_stats stats_of(const struct fixture *f)
{
    struct rpc_server_stats stats;
    rpc_server_stats(f->server, &stats);
    return stats;
}

/* ---- headers ---- */

/* A header that is said once and then pointed to, a byte each time (RFC 7541 §6.2.1, §6.1). */
static void headers_are_counted_as_they_are_meant(void **state)
{
    enum { INDEXED = 0x40, LATEST = 0x80 | 62, TIMES = HTTP2_HEADERS_MAX / TEXT_MAX + 1 };
    struct fixture *f = *state;
    char value[TEXT_MAX + 1] = "";
    memset(value, 'x', TEXT_MAX);
    struct frame frame = {.type = HEADERS, .stream = 1};
    greet(&f->wild, f->port, 0);
    put_header(&frame, ":method", "POST");
    put_header(&frame, ":scheme", "http");
    put_header(&frame, ":path", "/t/Nothing");
    put_header(&frame, ":authority", "t");
    put_header(&frame, "content-type", "application/grpc");
    frame.payload[frame.size++] = INDEXED;
    put_text(&frame, "x");
    put_text(&frame, value);
    memset(frame.payload + frame.size, LATEST, TIMES);
    frame.size += TIMES;
    assert_true(frame.size < 2 * HTTP2_HEADERS_MAX / TEXT_MAX + 4 * TEXT_MAX);
    assert_true(say_frame(&f->wild, &frame, END_HEADERS));
    assert_true(hear(&f->wild, RST_STREAM, &frame));
    assert_int_equal(frame.stream, 1);
    assert_int_equal(f->started, 0);
    /* The connection goes on. */
    assert_true(request(&f->wild, 3, "/t/Nothing", NULL));
    while (f->started == 0) {
        turn(&f->wild);
    }
    assert_int_equal(stats_of(f).calls, 1);
}

/* ---- streams that are broken off ---- */

static bool break_off(struct fixture *f, uint32_t stream)
{
    enum { CANCEL = 8 };
    struct frame reset = {.type = RST_STREAM, .stream = stream};
    put_u32(&reset, CANCEL);
    return request(&f->wild, stream, "/t/Nothing", NULL) && say_frame(&f->wild, &reset, NO_FLAGS);
}

/* CVE-2023-44487. */
static void who_breaks_calls_off_may_do_so_often_but_not_for_ever(void **state)
{
    enum { HONEST = 3000, FLOOD = 40000 };
    struct fixture *f = *state;
    uint32_t calls = 0;
    greet(&f->wild, f->port, 0);
    for (; calls < HONEST; calls++) {
        assert_true(break_off(f, 2 * calls + 1));
    }
    while (f->started < HONEST || stats_of(f).calls > 0) {
        turn(&f->wild);
    }
    assert_int_equal(stats_of(f).connections, 1);
    while (calls < FLOOD && break_off(f, 2 * calls + 1)) {
        calls++;
    }
    run_for(&f->wild, 20);
    assert_true(f->started < FLOOD);
}

/* Opens a window beyond what there is: RFC 9113 §6.9.1. */
static bool provoke(struct fixture *f, uint32_t stream)
{
    struct frame update = {.type = WINDOW_UPDATE, .stream = stream};
    put_u32(&update, INT32_MAX);
    return request(&f->wild, stream, "/t/Nothing", NULL) && say_frame(&f->wild, &update, NO_FLAGS);
}

static uint32_t error_of(const struct frame *frame, size_t at)
{
    assert_true(frame->size >= at + 4);
    return (uint32_t)frame->payload[at + 2] << 8 | frame->payload[at + 3];
}

/* CVE-2025-8671. */
static void who_has_calls_broken_off_may_not_do_so_without_end(void **state)
{
    enum { SOME = 100, FLOOD = 3000, AFTER_LAST_STREAM = 4 };
    struct fixture *f = *state;
    struct frame frame;
    uint32_t calls = 0;
    greet(&f->wild, f->port, 1);
    for (; calls < SOME; calls++) {
        assert_true(provoke(f, 2 * calls + 1));
        assert_true(hear(&f->wild, RST_STREAM, &frame));
        assert_int_equal(frame.stream, 2 * calls + 1);
        assert_int_equal(error_of(&frame, 0), FLOW_CONTROL_ERROR);
    }
    while (calls < FLOOD && provoke(f, 2 * calls + 1)) {
        calls++;
    }
    assert_true(hear(&f->wild, GOAWAY, &frame));
    assert_int_equal(error_of(&frame, AFTER_LAST_STREAM), ENHANCE_YOUR_CALM);
}

/* RFC 9113 §8.1: whoever is answered before the end need not go on, and the stream is not kept. */
static void an_early_answer_ends_the_request(void **state)
{
    struct fixture *f = *state;
    struct frame frame;
    greet(&f->wild, f->port, INT32_MAX);
    assert_true(request(&f->wild, 1, "/t/None", NULL));
    assert_true(hear(&f->wild, RST_STREAM, &frame));
    assert_int_equal(frame.stream, 1);
    assert_int_equal(error_of(&frame, 0), 0);
    assert_int_equal(stats_of(f).calls, 0);
}

/* ---- time ---- */

static void expect_hung_up(struct fixture *f, uint64_t since_ns)
{
    uint8_t bytes[64];
    ssize_t n;
    do {
        turn(&f->wild);
        n = recv(f->wild.fd, bytes, sizeof bytes, 0);
    } while (n > 0 || (n < 0 && errno == EAGAIN));
    assert_int_equal(stats_of(f).connections, 0);
    assert_true(uv_hrtime() - since_ns >= UINT64_C(1000000) * HANDSHAKE_MS / 2);
}

static void who_says_nothing_is_not_waited_for(void **state)
{
    struct fixture *f = *state;
    uint64_t since = uv_hrtime();
    f->wild.fd = dial(f->port);
    expect_hung_up(f, since);
}

static void who_says_a_letter_at_a_time_is_not_waited_for_either(void **state)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    struct fixture *f = *state;
    uint64_t since = uv_hrtime();
    f->wild.fd = dial(f->port);
    for (size_t i = 0; i < sizeof preface - 1; i++) {
        if (!say(&f->wild, &preface[i], 1)) {
            break;
        }
        run_for(&f->wild, HANDSHAKE_MS / 8);
    }
    assert_int_equal(stats_of(f).connections, 0);
    assert_true(uv_hrtime() - since >= UINT64_C(1000000) * HANDSHAKE_MS / 2);
}

int main(void)
{
    /* As every program that has sockets of libuv must. */
    (void)signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        TEST_WITH_FIXTURE(headers_are_counted_as_they_are_meant),
        TEST_WITH_FIXTURE(who_breaks_calls_off_may_do_so_often_but_not_for_ever),
        TEST_WITH_FIXTURE(who_has_calls_broken_off_may_not_do_so_without_end),
        TEST_WITH_FIXTURE(an_early_answer_ends_the_request),
        cmocka_unit_test_setup_teardown(
            who_says_nothing_is_not_waited_for, set_up_impatient, tear_down),
        cmocka_unit_test_setup_teardown(
            who_says_a_letter_at_a_time_is_not_waited_for_either, set_up_impatient, tear_down),
    };
    return cmocka_run_group_tests_name("rpc/wild_bounds", tests, NULL, NULL);
}
