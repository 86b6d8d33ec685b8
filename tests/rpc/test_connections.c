/* Connections under TLS between our server and our channels: who is let in and heard, and what it
 * costs. */
#include "rpc/client_private.h"
#include "rpc/server.h"
#include "tests/lib/certificates.h"
#include "tests/lib/test.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>

enum {
    LATE_MS = 60000,
    CLUSTER = 0x5A,
    NODE = 0xA1,
    PEER = 0xA2,
    PLACES = 24,
    CLIENTS_MAX = PLACES - PLACES / 8 - 1,
    HELD_MAX = 4 << 10,
};

struct fixture {
    uv_loop_t loop;
    uv_timer_t timer;
    struct authority *authority;
    struct tls_context *server_tls, *client_tls;
    struct rpc_server *server;
    int port;
    bool late, stopped;
    unsigned closing; /* Channels. */
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

/* ---- the fixture ---- */

static void on_timer(uv_timer_t *timer)
{
    ((struct fixture *)timer->data)->late = true;
}

static struct tls_context *context_of(
    struct fixture *f, enum tls_role role, struct certificate_request request)
{
    return certificates_context(f->authority, f->authority, role, &request);
}

static struct tls_context *new_client(struct fixture *f)
{
    return context_of(f, TLS_CLIENT, certificates_client(IDENTITY_FRONTEND, "portal"));
}

static int set_up(void **state)
{
    static struct fixture f;
    f = (struct fixture){.authority = certificates_authority(CLUSTER)};
    assert_int_equal(uv_loop_init(&f.loop), 0);
    uv_timer_init(&f.loop, &f.timer);
    f.timer.data = &f;
    uv_timer_start(&f.timer, on_timer, LATE_MS, 0);
    f.server_tls = context_of(&f, TLS_SERVER, certificates_node(NODE));
    f.client_tls = new_client(&f);
    const struct rpc_server_options options = {
        .tls = f.server_tls, .connections_max = PLACES, .held_max = HELD_MAX};
    struct error err;
    f.server = rpc_server_create(&f.loop, &options);
    assert_non_null(f.server);
    assert_int_equal(rpc_server_register(f.server, methods, 1, NULL), STATUS_OK);
    assert_int_equal(rpc_server_listen(f.server, "127.0.0.1", &f.port, &err), STATUS_OK);
    *state = &f;
    return 0;
}

static void turn(struct fixture *f)
{
    uv_run(&f->loop, UV_RUN_ONCE);
    assert_false(f->late);
}

static enum rpc_channel_state settle(struct fixture *f, const struct rpc_channel *channel)
{
    while (rpc_channel_state(channel) == RPC_CHANNEL_CONNECTING) {
        turn(f);
    }
    return rpc_channel_state(channel);
}

static struct rpc_channel *open_channel(struct fixture *f, struct tls_context *tls)
{
    const struct rpc_channel_options options = {
        .host = "127.0.0.1", .port = f->port, .tls = tls, .expect_node = NODE};
    struct rpc_channel *channel;
    struct error err;
    assert_int_equal(rpc_channel_open(&channel, &f->loop, &options, &err), STATUS_OK);
    return channel;
}

static void on_closed(void *arg)
{
    ((struct fixture *)arg)->closing--;
}

static void close_channel(struct fixture *f, struct rpc_channel *channel)
{
    f->closing++;
    rpc_channel_close(channel, on_closed, f);
    while (f->closing > 0) {
        turn(f);
    }
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
        turn(f);
    }
    rpc_server_destroy(f->server);
    uv_close((uv_handle_t *)&f->timer, NULL);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    tls_context_destroy(f->server_tls);
    tls_context_destroy(f->client_tls);
    authority_destroy(f->authority);
    return 0;
}

/* ---- the tests ---- */

static void certificates_may_be_renewed_while_a_connection_is_made(void **state)
{
    struct fixture *f = *state;
    struct rpc_channel *channel = open_channel(f, f->client_tls);
    while (channel->current == NULL) {
        turn(f);
    }
    struct tls_context *renewed = new_client(f);
    rpc_channel_set_tls(channel, renewed);
    tls_context_destroy(f->client_tls);
    f->client_tls = renewed;
    assert_int_equal(settle(f, channel), RPC_CHANNEL_READY);
    close_channel(f, channel);
}

static uint64_t cpu_us(clockid_t clock)
{
    struct timespec spent;
    assert_int_equal(clock_gettime(clock, &spent), 0);
    return (uint64_t)spent.tv_sec * 1000000 + (uint64_t)spent.tv_nsec / 1000;
}

static void handshakes_leave_the_loop_its_time(void **state)
{
    enum { CHANNELS = CLIENTS_MAX };
    struct fixture *f = *state;
    struct rpc_channel *channels[CHANNELS];
    uint64_t loop = cpu_us(CLOCK_THREAD_CPUTIME_ID);
    uint64_t all = cpu_us(CLOCK_PROCESS_CPUTIME_ID);
    for (int i = 0; i < CHANNELS; i++) {
        channels[i] = open_channel(f, f->client_tls);
    }
    for (int i = 0; i < CHANNELS; i++) {
        assert_int_equal(settle(f, channels[i]), RPC_CHANNEL_READY);
    }
    loop = cpu_us(CLOCK_THREAD_CPUTIME_ID) - loop;
    all = cpu_us(CLOCK_PROCESS_CPUTIME_ID) - all;
    print_message("%d handshakes: loop %u us of %u us\n", CHANNELS, (unsigned)loop, (unsigned)all);
    for (int i = 0; i < CHANNELS; i++) {
        close_channel(f, channels[i]);
    }
    assert_true(loop < all / 2);
}

static void a_connection_may_end_in_the_midst_of_its_handshake(void **state)
{
    enum { CHANNELS = 3, TURNS_MAX = 24 };
    struct fixture *f = *state;
    for (int turns = 0; turns < TURNS_MAX; turns += 2) {
        struct rpc_channel *channels[CHANNELS];
        for (int i = 0; i < CHANNELS; i++) {
            channels[i] = open_channel(f, f->client_tls);
        }
        for (int i = 0; i < turns; i++) {
            turn(f);
        }
        for (int i = 0; i < CHANNELS; i++) {
            close_channel(f, channels[i]);
        }
    }
    /* Some are under way still when the server stops. */
}

static bool is_there(struct fixture *f, const struct rpc_channel *channel)
{
    uint64_t until = uv_now(&f->loop) + 50;
    while (uv_now(&f->loop) < until) {
        uv_run(&f->loop, UV_RUN_NOWAIT);
    }
    return rpc_channel_state(channel) == RPC_CHANNEL_READY;
}

static void clients_leave_a_place_to_nodes(void **state)
{
    struct fixture *f = *state;
    struct rpc_channel *clients[CLIENTS_MAX];
    struct tls_context *peer = context_of(f, TLS_CLIENT, certificates_node(PEER));
    for (int i = 0; i < CLIENTS_MAX; i++) {
        clients[i] = open_channel(f, f->client_tls);
        assert_int_equal(settle(f, clients[i]), RPC_CHANNEL_READY);
    }
    struct rpc_channel *late = open_channel(f, f->client_tls);
    (void)settle(f, late);
    bool late_is_there = is_there(f, late);
    struct rpc_channel *node = open_channel(f, peer);
    (void)settle(f, node);
    bool node_is_there = is_there(f, node);
    for (int i = 0; i < CLIENTS_MAX; i++) {
        assert_int_equal(rpc_channel_state(clients[i]), RPC_CHANNEL_READY);
        close_channel(f, clients[i]);
    }
    close_channel(f, late);
    close_channel(f, node);
    tls_context_destroy(peer);
    assert_false(late_is_there);
    assert_true(node_is_there);
}

static void on_status(struct rpc_stream *stream, const struct rpc_result *result)
{
    *(int *)rpc_stream_user(stream) = (int)result->code;
}

static int echo(struct fixture *f, struct tls_context *tls)
{
    static const uint8_t message[HELD_MAX + 1];
    int code = -1;
    struct rpc_channel *channel = open_channel(f, tls);
    const struct rpc_stream_options options = {
        .path = "/t/Echo", .wait_for_ready = true, .on_status = on_status, .user = &code};
    assert_non_null(rpc_unary_start_encoded(channel, &options, bytes_of(message, sizeof message)));
    while (code < 0) {
        turn(f);
    }
    close_channel(f, channel);
    return code;
}

static void nodes_are_heard_whatever_clients_hold(void **state)
{
    struct fixture *f = *state;
    struct tls_context *peer = context_of(f, TLS_CLIENT, certificates_node(PEER));
    assert_int_equal(echo(f, f->client_tls), GRPC_RESOURCE_EXHAUSTED);
    assert_int_equal(echo(f, peer), GRPC_OK);
    tls_context_destroy(peer);
}

int main(void)
{
    /* As every program that has sockets of libuv must. */
    (void)signal(SIGPIPE, SIG_IGN);
    tls_library_init();
    const struct CMUnitTest tests[] = {
        TEST_WITH_FIXTURE(certificates_may_be_renewed_while_a_connection_is_made),
        TEST_WITH_FIXTURE(handshakes_leave_the_loop_its_time),
        TEST_WITH_FIXTURE(a_connection_may_end_in_the_midst_of_its_handshake),
        TEST_WITH_FIXTURE(clients_leave_a_place_to_nodes),
        TEST_WITH_FIXTURE(nodes_are_heard_whatever_clients_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
