/* What a server answers to requests byte by byte, right and wrong ones. */
#include "rpc/server.h"
#include "tests/lib/test.h"
#include "tests/rpc/wild.h"

#include <nghttp2/nghttp2.h>

#include <signal.h>
#include <stdlib.h>

enum { LATE_MS = 15000 };

struct fixture {
    uv_loop_t loop;
    struct rpc_server *server;
    int port;
    struct wild wild;
    bool stopped;
};

static void on_echo(struct rpc_call *call, const ProtobufCMessage *message, struct bytes encoded)
{
    (void)message;
    if (rpc_call_send_encoded(call, encoded) == STATUS_OK) {
        rpc_call_finish(call, GRPC_OK, NULL, bytes_of(NULL, 0));
    }
}

static const struct rpc_method methods[] = {
    {.path = "/t/Echo", .kind = RPC_UNARY, .on_message = on_echo},
};

static int set_up(void **state)
{
    static struct fixture f;
    const struct rpc_server_options options = {0};
    struct error err;
    f = (struct fixture){
        .wild = {.loop = &f.loop, .fd = -1, .late_ns = uv_hrtime() + UINT64_C(1000000) * LATE_MS}};
    assert_int_equal(uv_loop_init(&f.loop), 0);
    f.server = rpc_server_create(&f.loop, &options);
    assert_non_null(f.server);
    assert_int_equal(rpc_server_register(f.server, methods, 1, NULL), STATUS_OK);
    assert_int_equal(rpc_server_listen(f.server, "127.0.0.1", &f.port, &err), STATUS_OK);
    *state = &f;
    return 0;
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

struct answer {
    int http;
    int grpc; /* -1: none. */
};

static void read_headers(
    nghttp2_hd_inflater *inflater, const struct frame *frame, struct answer *answer, bool *plain)
{
    const uint8_t *at = frame->payload;
    size_t left = frame->size;
    int flags = 0;
    while ((flags & NGHTTP2_HD_INFLATE_FINAL) == 0) {
        nghttp2_nv nv;
        ssize_t n = nghttp2_hd_inflate_hd2(inflater, &nv, &flags, at, left, 1);
        assert_true(n >= 0);
        at += n;
        left -= (size_t)n;
        if ((flags & NGHTTP2_HD_INFLATE_EMIT) == 0) {
            continue;
        }
        if (strcmp((const char *)nv.name, ":status") == 0) {
            answer->http = (int)strtol((const char *)nv.value, NULL, 10);
        } else if (strcmp((const char *)nv.name, "grpc-status") == 0) {
            answer->grpc = (int)strtol((const char *)nv.value, NULL, 10);
        } else if (strcmp((const char *)nv.name, "grpc-accept-encoding") == 0) {
            *plain = strcmp((const char *)nv.value, "identity") == 0;
        }
    }
    assert_int_equal(nghttp2_hd_inflate_end_headers(inflater), 0);
}

/* *plain: it says that nothing compressed is taken. */
static struct answer hear_answer(struct fixture *f, nghttp2_hd_inflater *inflater, bool *plain)
{
    struct answer answer = {.grpc = -1};
    *plain = false;
    struct frame frame;
    while (answer.http == 0 || (answer.http == 200 && answer.grpc < 0)) {
        assert_true(hear(&f->wild, HEADERS, &frame));
        read_headers(inflater, &frame, &answer, plain);
    }
    return answer;
}

static void each_request_has_its_answer(void **state)
{
    static const struct {
        struct request request;
        const char *body; /* NULL: none; not ended by its NUL. */
        size_t size;
        struct answer answer;
    } cases[] = {
        {{.path = "/t/Echo"}, "\0\0\0\0\2ab", 7, {200, GRPC_OK}},
        {{.path = "/t/Echo"}, "\0\0\0\0", 5, {200, GRPC_OK}},
        {{.path = "/t/Echo", .type = "application/grpc+proto"}, "\0\0\0\0", 5, {200, GRPC_OK}},
        {{.path = "/t/Echo", .end = true}, NULL, 0, {200, GRPC_INVALID_ARGUMENT}},
        {{.path = "/t/Echo"}, "", 0, {200, GRPC_INVALID_ARGUMENT}},
        {{.path = "/t/Echo"}, "\0\0\0\0\2a", 6, {200, GRPC_INVALID_ARGUMENT}},
        {{.path = "/t/Echo"}, "\0\0\0\0\1ab", 7, {200, GRPC_INVALID_ARGUMENT}},
        {{.path = "/t/Echo"}, "\1\0\0\0\1a", 6, {200, GRPC_UNIMPLEMENTED}},
        {{.path = "/t/Echo"}, "\2\0\0\0\1a", 6, {200, GRPC_INTERNAL}},
        {{.path = "/t/Echo"}, "\0\377\0\0\1a", 6, {200, GRPC_RESOURCE_EXHAUSTED}},
        {{.path = "/t/Echo", .timeout = "soon"}, "", 0, {200, GRPC_INVALID_ARGUMENT}},
        {{.path = "/t/Echo", .type = "text/plain"}, "", 0, {415, -1}},
        {{.path = "/t/Echo", .type = "application/grpc+json"}, "", 0, {415, -1}},
        {{.path = "/t/Echo", .method = "PUT"}, "", 0, {405, -1}},
        {{.path = "/t/None"}, "", 0, {200, GRPC_UNIMPLEMENTED}},
    };
    struct fixture *f = *state;
    nghttp2_hd_inflater *inflater;
    assert_int_equal(nghttp2_hd_inflate_new(&inflater), 0);
    greet(&f->wild, f->port, INT32_MAX);
    for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t stream = 2 * i + 1;
        assert_true(say_request(&f->wild, stream, &cases[i].request));
        struct frame byte = {.type = DATA, .stream = stream, .size = 1};
        for (size_t k = 0; k < cases[i].size; k++) {
            byte.payload[0] = (uint8_t)cases[i].body[k];
            assert_true(say_frame(&f->wild, &byte, NO_FLAGS));
        }
        byte.size = 0;
        assert_true(cases[i].request.end || say_frame(&f->wild, &byte, END_STREAM));
        bool plain;
        struct answer answer = hear_answer(f, inflater, &plain);
        assert_int_equal(answer.http, cases[i].answer.http);
        assert_int_equal(answer.grpc, cases[i].answer.grpc);
        assert_true(plain || answer.http != 200);
    }
    nghttp2_hd_inflate_del(inflater);
}

static void what_is_no_grpc_is_answered_at_its_end(void **state)
{
    static const struct request requests[] = {
        {.path = "/t/Echo", .method = "PUT"}, {.path = "/t/Echo", .type = "text/plain"}};
    struct fixture *f = *state;
    struct frame frame;
    greet(&f->wild, f->port, INT32_MAX);
    for (uint32_t stream = 1; stream < 5; stream += 2) {
        struct frame body = {.type = DATA, .stream = stream, .size = FRAME_MAX};
        assert_true(say_request(&f->wild, stream, &requests[stream / 2]));
        assert_true(say_frame(&f->wild, &body, NO_FLAGS));
        /* What it answers meanwhile comes before the answer to a ping. */
        struct frame ping = {.type = PING, .size = 8};
        assert_true(say_frame(&f->wild, &ping, NO_FLAGS) && hear_next(&f->wild, &frame));
        while (frame.type != PING) {
            assert_int_not_equal(frame.type, HEADERS);
            assert_true(hear_next(&f->wild, &frame));
        }
        assert_true(say_frame(&f->wild, &body, END_STREAM) && hear(&f->wild, HEADERS, &frame));
    }
}

int main(void)
{
    /* As every program that has sockets of libuv must. */
    (void)signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        TEST_WITH_FIXTURE(each_request_has_its_answer),
        TEST_WITH_FIXTURE(what_is_no_grpc_is_answered_at_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
