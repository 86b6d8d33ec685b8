/* Peers that do not do what ours would: what they may cost us, and what we make of what they say.
 */
#include "rpc/client.h"
#include "rpc/server.h"
#include "tests/lib/test.h"
#include "tests/rpc/wild.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    LATE_MS = 15000,
    REPLY = 1 << 20,
    CONNECTIONS_MAX = 4,
    HELD_MAX = 11 * REPLY, /* Five replies, each in 2 MiB, and not a sixth. */
    KEEPALIVE_MS = 60,
};

struct fixture {
    uv_loop_t loop;
    uv_timer_t timer;
    struct rpc_server *server;
    struct rpc_channel *channel;
    int listener; /* Where a wild server listens, or -1. */
    int port;
    struct wild wild;
    bool late, stopped, closed;
    unsigned messages, dones;
    enum grpc_code code;
    bool open_after_abort;
};

/* ---- our server's methods ---- */

static void on_big(struct rpc_call *call, const ProtobufCMessage *message, struct bytes encoded)
{
    static uint8_t reply[REPLY];
    (void)message;
    (void)encoded;
    ((struct fixture *)rpc_call_context(call))->messages++;
    if (rpc_call_send_encoded(call, bytes_of(reply, sizeof reply)) == STATUS_OK) {
        rpc_call_finish(call, GRPC_OK, NULL, bytes_of(NULL, 0));
    }
}

/* A stream that is never finished. */
static void on_flow(struct rpc_call *call, const ProtobufCMessage *message, struct bytes encoded)
{
    static uint8_t reply[REPLY];
    (void)message;
    (void)encoded;
    (void)rpc_call_send_encoded(call, bytes_of(reply, sizeof reply));
}

static void on_nothing(struct rpc_call *call, const ProtobufCMessage *message, struct bytes encoded)
{
    (void)call;
    (void)message;
    (void)encoded;
}

static void abort_it(struct rpc_call *call)
{
    struct fixture *f = rpc_call_context(call);
    rpc_call_abort(call);
    f->open_after_abort = rpc_call_is_open(call);
}

static void on_done(struct rpc_call *call)
{
    struct fixture *f = rpc_call_context(call);
    f->dones++;
    f->code = rpc_call_code(call);
}

static const struct rpc_method methods[] = {
    {.path = "/t/Big", .kind = RPC_UNARY, .on_message = on_big, .on_done = on_done},
    {.path = "/t/Flow", .kind = RPC_SERVER_STREAM, .on_message = on_flow, .on_done = on_done},
    {.path = "/t/Aborted",
        .kind = RPC_BIDI_STREAM,
        .on_start = abort_it,
        .on_message = on_nothing,
        .on_done = on_done},
    {.path = "/t/AbortedLater",
        .kind = RPC_SERVER_STREAM,
        .on_message = on_flow,
        .on_writable = abort_it,
        .on_done = on_done},
};

/* ---- the fixture ---- */

static void on_timer(uv_timer_t *timer)
{
    ((struct fixture *)timer->data)->late = true;
}

static int set_up(void **state)
{
    static struct fixture f;
    f = (struct fixture){.listener = -1,
        .wild = {.loop = &f.loop, .fd = -1, .late_ns = uv_hrtime() + UINT64_C(1000000) * LATE_MS}};
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

static int tear_down(void **state)
{
    struct fixture *f = *state;
    if (f->channel != NULL) {
        rpc_channel_close(f->channel, raise_flag, &f->closed);
        while (!f->closed) {
            turn(&f->wild);
        }
    }
    if (f->server != NULL) {
        rpc_server_stop(f->server, 0, raise_flag, &f->stopped);
        while (!f->stopped) {
            turn(&f->wild);
        }
        rpc_server_destroy(f->server);
    }
    uv_close((uv_handle_t *)&f->timer, NULL);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    if (f->wild.fd >= 0) {
        close(f->wild.fd);
    }
    if (f->listener >= 0) {
        close(f->listener);
    }
    return 0;
}

/* Ours, on f->port. keepalive_ms 0: the default. */
static void start_server(struct fixture *f, unsigned keepalive_ms)
{
    const struct rpc_server_options options = {.connections_max = CONNECTIONS_MAX,
        .held_max = HELD_MAX,
        .keepalive_ms = keepalive_ms,
        .keepalive_timeout_ms = keepalive_ms};
    struct error err;
    f->server = rpc_server_create(&f->loop, &options);
    assert_non_null(f->server);
    assert_int_equal(
        rpc_server_register(f->server, methods, sizeof methods / sizeof methods[0], f), STATUS_OK);
    assert_int_equal(rpc_server_listen(f->server, "127.0.0.1", &f->port, &err), STATUS_OK);
}

/* Ours, to f->port. keepalive_ms 0: the default. */
static void open_channel(struct fixture *f, unsigned keepalive_ms)
{
    const struct rpc_channel_options options = {.host = "127.0.0.1",
        .port = f->port,
        .keepalive_ms = keepalive_ms,
        .keepalive_timeout_ms = 2 * keepalive_ms};
    struct error err;
    assert_int_equal(rpc_channel_open(&f->channel, &f->loop, &options, &err), STATUS_OK);
}

/* ---- what they may cost us ---- */

static struct rpc_server_stats stats_of(struct fixture *f)
{
    struct rpc_server_stats stats;
    rpc_server_stats(f->server, &stats);
    return stats;
}

struct outcome {
    bool over;
    enum grpc_code code;
    bool not_sent;
    char sentence[256];
    unsigned messages;
};

static void on_message(
    struct rpc_stream *stream, const ProtobufCMessage *message_of, struct bytes encoded)
{
    (void)message_of;
    (void)encoded;
    ((struct outcome *)rpc_stream_user(stream))->messages++;
}

static void on_status(struct rpc_stream *stream, const struct rpc_result *result)
{
    struct outcome *o = rpc_stream_user(stream);
    o->over = true;
    o->code = result->code;
    o->not_sent = result->not_sent;
    snprintf(o->sentence, sizeof o->sentence, "%s", result->sentence);
}

static void start(struct fixture *f, struct outcome *o, bool wait_for_ready, uint64_t timeout_ms)
{
    const struct rpc_stream_options options = {.path = "/t/Big",
        .wait_for_ready = wait_for_ready,
        .timeout_ms = timeout_ms,
        .on_message = on_message,
        .on_status = on_status,
        .user = o};
    *o = (struct outcome){0};
    assert_non_null(rpc_unary_start_encoded(f->channel, &options, bytes_of(NULL, 0)));
}

static void run_until_over(struct fixture *f, const struct outcome *o)
{
    while (!o->over) {
        uv_run(&f->loop, UV_RUN_ONCE);
        assert_false(f->late);
    }
}

static void run_until_connections(struct fixture *f, size_t count)
{
    while (stats_of(f).connections != count) {
        turn(&f->wild);
    }
}

static void silent_strangers_do_not_keep_the_others_out(void **state)
{
    struct fixture *f = *state;
    struct outcome o;
    int silent[2 * CONNECTIONS_MAX];
    start_server(f, 0);
    for (int i = 0; i < 2 * CONNECTIONS_MAX; i++) {
        silent[i] = dial(f->port);
    }
    run_until_connections(f, CONNECTIONS_MAX);
    open_channel(f, 0);
    start(f, &o, false, 0);
    run_until_over(f, &o);
    assert_int_equal(o.code, GRPC_OK);
    run_until_connections(f, CONNECTIONS_MAX);
    for (int i = 0; i < 2 * CONNECTIONS_MAX; i++) {
        close(silent[i]);
    }
}

static void who_is_there_stays_when_a_newcomer_finds_no_place(void **state)
{
    enum { CLIENTS = CONNECTIONS_MAX - 1 };
    struct fixture *f = *state;
    struct frame frame;
    int known[CLIENTS];
    start_server(f, 0);
    for (int i = 0; i < CLIENTS; i++) {
        greet(&f->wild, f->port, 0);
        known[i] = f->wild.fd;
    }
    run_for(&f->wild, 10);
    greet(&f->wild, f->port, 0);
    assert_false(hear(&f->wild, PING, &frame));
    assert_int_equal(stats_of(f).connections, CLIENTS);
    for (int i = 0; i < CLIENTS; i++) {
        close(known[i]);
    }
}

static void who_makes_us_answer_and_does_not_read_is_cut_off(void **state)
{
    enum { FLOOD = 40000, BIG_ONES = 6, STREAM_WINDOW = INT32_MAX };
    struct fixture *f = *state;
    uint32_t stream = 1;
    start_server(f, 0);
    greet(&f->wild, f->port, STREAM_WINDOW);
    /* The socket is full from here on. */
    for (; stream < 2 * BIG_ONES; stream += 2) {
        assert_true(request(&f->wild, stream, "/t/Big", NULL) && message(&f->wild, stream));
    }
    run_for(&f->wild, 10);
    assert_int_equal(f->messages, BIG_ONES);
    bool there = true;
    unsigned sent = 0;
    for (; there && sent < FLOOD; sent++, stream += 2) {
        there = request(&f->wild, stream, "/t/Big", NULL);
    }
    run_for(&f->wild, 10);
    assert_true(sent < FLOOD);
    assert_int_equal(stats_of(f).connections, 0);
}

static void a_deadline_frees_what_the_client_does_not_read(void **state)
{
    struct fixture *f = *state;
    struct frame frame;
    start_server(f, 0);
    greet(&f->wild, f->port, 0);
    assert_true(request(&f->wild, 1, "/t/Big", "300m") && message(&f->wild, 1));
    assert_true(request(&f->wild, 3, "/t/Flow", "300m") && message(&f->wild, 3));
    run_for(&f->wild, 20);
    assert_int_equal(stats_of(f).calls, 2);
    assert_true(stats_of(f).held > REPLY);
    assert_true(hear(&f->wild, RST_STREAM, &frame) && hear(&f->wild, RST_STREAM, &frame));
    assert_int_equal(f->dones, 2);
    assert_int_equal(f->code, GRPC_DEADLINE_EXCEEDED);
    assert_int_equal(stats_of(f).calls, 0);
    assert_int_equal(stats_of(f).held, 0);
}

static void answers_that_are_not_read_are_held_up_to_a_limit(void **state)
{
    enum { CALLS = 20 };
    struct fixture *f = *state;
    uint32_t stream = 1;
    start_server(f, 0);
    greet(&f->wild, f->port, 0);
    for (int i = 0; i < CALLS; i++, stream += 2) {
        assert_true(request(&f->wild, stream, "/t/Big", NULL) && message(&f->wild, stream));
    }
    run_for(&f->wild, 20);
    assert_int_equal(f->messages, CALLS);
    assert_true(stats_of(f).held > HELD_MAX / 2 && stats_of(f).held <= HELD_MAX + REPLY);
    /* What was done was done: its client is not to believe anything else. */
    assert_int_equal(f->dones, CALLS);
    assert_int_equal(f->code, GRPC_UNAVAILABLE);
}

static void whatever_comes_is_a_sign_of_life(void **state)
{
    struct fixture *f = *state;
    struct frame frame;
    start_server(f, KEEPALIVE_MS);
    greet(&f->wild, f->port, 0);
    assert_true(hear(&f->wild, PING, &frame));
    /* The answer is on its way behind other things. */
    struct frame update = {.type = WINDOW_UPDATE};
    put_u32(&update, 1);
    for (int i = 0; i < 6; i++) {
        run_for(&f->wild, KEEPALIVE_MS / 3);
        assert_true(say_frame(&f->wild, &update, NO_FLAGS));
    }
    assert_int_equal(stats_of(f).connections, 1);
    /* And without anything it is taken for dead. */
    run_for(&f->wild, 3 * KEEPALIVE_MS);
    assert_int_equal(stats_of(f).connections, 0);
}

static void a_handler_may_abort_wherever_it_is_called(void **state)
{
    struct fixture *f = *state;
    struct frame frame;
    start_server(f, 0);
    greet(&f->wild, f->port, 2 * REPLY);
    f->open_after_abort = true;
    assert_true(request(&f->wild, 1, "/t/Aborted", NULL));
    assert_true(hear(&f->wild, RST_STREAM, &frame));
    assert_false(f->open_after_abort);
    f->open_after_abort = true;
    assert_true(request(&f->wild, 3, "/t/AbortedLater", NULL) && message(&f->wild, 3));
    assert_true(hear(&f->wild, RST_STREAM, &frame));
    assert_false(f->open_after_abort);
    assert_int_equal(f->dones, 2);
}

/* ---- what we make of what they say ---- */

static void start_listening(struct fixture *f, unsigned keepalive_ms)
{
    int small = 4096;
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    f->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(f->listener >= 0);
    assert_int_equal(setsockopt(f->listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
    assert_int_equal(bind(f->listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(f->listener, 1), 0);
    assert_int_equal(getsockname(f->listener, (struct sockaddr *)&address, &size), 0);
    f->port = ntohs(address.sin_port);
    open_channel(f, keepalive_ms);
}

/* Takes our channel's connection, as a server of so many calls at a time. */
static void serve(struct fixture *f, uint32_t streams_max)
{
    enum { MAX_CONCURRENT_STREAMS = 3, PREFACE = 24 };
    uint8_t preface[PREFACE];
    struct frame settings = {.type = SETTINGS};
    struct frame acknowledgement = {.type = SETTINGS};
    put_setting(&settings, MAX_CONCURRENT_STREAMS, streams_max);
    while (f->wild.fd < 0) {
        turn(&f->wild);
        f->wild.fd = accept4(f->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    }
    ssize_t n = -1;
    while (n < 0) {
        turn(&f->wild);
        n = recv(f->wild.fd, preface, sizeof preface, 0);
    }
    assert_int_equal(n, sizeof preface);
    assert_true(
        say_frame(&f->wild, &settings, NO_FLAGS) && say_frame(&f->wild, &acknowledgement, ACK));
}

static void respond(struct fixture *f, uint32_t stream)
{
    struct frame frame = {.type = HEADERS, .stream = stream};
    put_header(&frame, ":status", "200");
    put_header(&frame, "content-type", "application/grpc");
    assert_true(say_frame(&f->wild, &frame, END_HEADERS));
}

static void end_with(struct fixture *f, uint32_t stream, const char *grpc_status)
{
    struct frame frame = {.type = HEADERS, .stream = stream};
    put_header(&frame, "grpc-status", grpc_status);
    assert_true(say_frame(&f->wild, &frame, END_HEADERS | END_STREAM));
}

static void what_was_not_sent_before_a_goodbye_may_be_sent_again(void **state)
{
    struct fixture *f = *state;
    struct frame frame;
    struct outcome first;
    struct outcome second;
    start_listening(f, 0);
    start(f, &first, false, 0);
    serve(f, 1);
    assert_true(hear(&f->wild, DATA, &frame));
    start(f, &second, false, 0);
    run_for(&f->wild, 10);
    struct frame goodbye = {.type = GOAWAY};
    put_u32(&goodbye, 1);
    put_u32(&goodbye, 0);
    assert_true(say_frame(&f->wild, &goodbye, NO_FLAGS));
    respond(f, 1);
    end_with(f, 1, "0");
    run_until_over(f, &first);
    run_until_over(f, &second);
    assert_int_equal(first.code, GRPC_OK);
    assert_int_equal(second.code, GRPC_UNAVAILABLE);
    assert_true(second.not_sent);
}

static void a_message_cut_short_is_no_success(void **state)
{
    struct fixture *f = *state;
    struct frame frame;
    struct outcome o;
    start_listening(f, 0);
    start(f, &o, false, 0);
    serve(f, 1);
    assert_true(hear(&f->wild, DATA, &frame));
    struct frame part = {.type = DATA, .stream = 1, .payload = {0, 0, 0, 0, 9, 'x'}, .size = 6};
    respond(f, 1);
    assert_true(say_frame(&f->wild, &part, NO_FLAGS));
    end_with(f, 1, "0");
    run_until_over(f, &o);
    assert_int_equal(o.messages, 0);
    assert_int_equal(o.code, GRPC_INTERNAL);
    assert_non_null(strstr(o.sentence, "cut short"));
}

static void a_call_that_was_never_sent_has_a_known_outcome(void **state)
{
    struct fixture *f = *state;
    struct outcome o;
    start_listening(f, 0); /* And takes nobody in. */
    start(f, &o, true, 50);
    run_until_over(f, &o);
    assert_int_equal(o.code, GRPC_DEADLINE_EXCEEDED);
    assert_true(o.not_sent);
    assert_null(strstr(o.sentence, "unknown"));
}

static void a_slow_line_is_not_taken_for_a_dead_one(void **state)
{
    enum { SIZE = 1 << 20, PIECE = 2048, HALF = SIZE / 2, INITIAL_WINDOW_SIZE = 4 };
    static uint8_t text[SIZE];
    struct fixture *f = *state;
    struct outcome o = {0};
    start_listening(f, KEEPALIVE_MS);
    const struct rpc_stream_options options = {
        .path = "/t/Big", .on_status = on_status, .user = &o};
    assert_non_null(rpc_unary_start_encoded(f->channel, &options, bytes_of(text, SIZE)));
    serve(f, 1);
    struct frame settings = {.type = SETTINGS};
    struct frame update = {.type = WINDOW_UPDATE};
    put_setting(&settings, INITIAL_WINDOW_SIZE, INT32_MAX);
    put_u32(&update, SIZE);
    assert_true(say_frame(&f->wild, &settings, NO_FLAGS) && say_frame(&f->wild, &update, NO_FLAGS));
    /* It reads, and says nothing for longer than anybody may be silent. */
    uint64_t since = uv_hrtime();
    for (size_t size = 0; size < HALF;) {
        uint8_t piece[PIECE];
        ssize_t n = recv(f->wild.fd, piece, sizeof piece, 0);
        assert_true(n > 0 || (n < 0 && errno == EAGAIN));
        size += n > 0 ? (size_t)n : 0;
        run_for(&f->wild, 1);
    }
    assert_true(uv_hrtime() - since > UINT64_C(4000000) * KEEPALIVE_MS);
    assert_false(o.over);
    /* And once it does not read either it is dead. */
    run_until_over(f, &o);
    assert_int_equal(o.code, GRPC_UNAVAILABLE);
    assert_false(o.not_sent);
}

int main(void)
{
    /* As every program that has sockets of libuv must. */
    (void)signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        TEST_WITH_FIXTURE(silent_strangers_do_not_keep_the_others_out),
        TEST_WITH_FIXTURE(who_is_there_stays_when_a_newcomer_finds_no_place),
        TEST_WITH_FIXTURE(who_makes_us_answer_and_does_not_read_is_cut_off),
        TEST_WITH_FIXTURE(a_deadline_frees_what_the_client_does_not_read),
        TEST_WITH_FIXTURE(answers_that_are_not_read_are_held_up_to_a_limit),
        TEST_WITH_FIXTURE(whatever_comes_is_a_sign_of_life),
        TEST_WITH_FIXTURE(a_handler_may_abort_wherever_it_is_called),
        TEST_WITH_FIXTURE(what_was_not_sent_before_a_goodbye_may_be_sent_again),
        TEST_WITH_FIXTURE(a_message_cut_short_is_no_success),
        TEST_WITH_FIXTURE(a_call_that_was_never_sent_has_a_known_outcome),
        TEST_WITH_FIXTURE(a_slow_line_is_not_taken_for_a_dead_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
