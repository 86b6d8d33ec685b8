/* Strangers within TLS, on bare sockets: what they may make us hold, and how long they may take. */
#include "rpc/server.h"
#include "rpc/tls.h"
#include "tests/lib/certificates.h"
#include "tests/lib/test.h"
#include "tests/rpc/stranger.h"
#include "tests/rpc/wild.h"

#include <signal.h>

enum { LATE_MS = 20000, HANDSHAKE_MS = 1000, CLUSTER = 0xC1, NODE = 0xA1, REPLY = 1 << 20 };

struct fixture {
    uv_loop_t loop;
    struct authority *authority;
    struct tls_context *tls;
    struct issued issued;
    struct stranger stranger;
    struct rpc_server *server;
    int port;
    struct wild wild;
    unsigned messages;
    bool stopped;
};

static void on_big(struct rpc_call *call, const ProtobufCMessage *message, struct bytes encoded)
{
    static uint8_t reply[REPLY];
    (void)message;
    (void)encoded;
    ((struct fixture *)rpc_call_context(call))->messages++;
    (void)rpc_call_send_encoded(call, bytes_of(reply, sizeof reply));
}

static const struct rpc_method methods[] = {
    {.path = "/t/Big", .kind = RPC_SERVER_STREAM, .on_message = on_big},
};

/* handshake_ms 0: the default. */
static int start(void **state, unsigned handshake_ms)
{
    static struct fixture f;
    static const char *protocols[] = {"h2", NULL};
    const struct certificate_request node = certificates_node(NODE);
    const struct certificate_request web = certificates_client(IDENTITY_FRONTEND, "web");
    f = (struct fixture){
        .wild = {.loop = &f.loop, .fd = -1, .late_ns = uv_hrtime() + UINT64_C(1000000) * LATE_MS}};
    tls_library_init();
    f.authority = certificates_authority(CLUSTER);
    f.tls = certificates_context(f.authority, f.authority, TLS_SERVER, &node);
    f.issued = certificates_issue(f.authority, &web, 0);
    const struct stranger_options stranger = {.protocols = protocols, .issued = &f.issued};
    stranger_init(&f.stranger, &stranger);
    assert_int_equal(uv_loop_init(&f.loop), 0);
    const struct rpc_server_options options = {.tls = f.tls, .handshake_timeout_ms = handshake_ms};
    f.server = rpc_server_create(&f.loop, &options);
    assert_non_null(f.server);
    assert_int_equal(rpc_server_register(f.server, methods, 1, &f), STATUS_OK);
    assert_int_equal(rpc_server_listen(f.server, "127.0.0.1", &f.port, NULL), STATUS_OK);
    f.wild.fd = dial(f.port);
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
    stranger_deinit(&f->stranger);
    issued_deinit(&f->issued);
    tls_context_destroy(f->tls);
    authority_destroy(f->authority);
    return 0;
}

static size_t connections(const struct fixture *f)
{
    struct rpc_server_stats stats;
    rpc_server_stats(f->server, &stats);
    return stats.connections;
}

/* ---- its side ---- */

/* False: the other side has hung up. */
static bool say_out(struct fixture *f)
{
    struct bytes out = buffer_bytes(&f->stranger.out);
    bool there = say(&f->wild, out.data, out.size);
    buffer_clear(&f->stranger.out);
    return there;
}

static void shake_hands(struct fixture *f)
{
    while (mbedtls_ssl_handshake(&f->stranger.ssl) != 0) {
        uint8_t bytes[FRAME_MAX];
        assert_true(say_out(f));
        turn(&f->wild);
        ssize_t n = recv(f->wild.fd, bytes, sizeof bytes, 0);
        assert_true(n > 0 || (n < 0 && errno == EAGAIN));
        if (n > 0) {
            assert_int_equal(buffer_append(&f->stranger.in, bytes, (size_t)n), STATUS_OK);
        }
    }
    assert_true(say_out(f));
}

static void write_plain(struct fixture *f, const void *data, size_t size)
{
    assert_int_equal(mbedtls_ssl_write(&f->stranger.ssl, data, size), size);
}

static void write_frame(struct fixture *f, const struct frame *frame, uint8_t flags)
{
    uint8_t bytes[FRAME_HEAD + FRAME_MAX];
    write_plain(f, bytes, put_frame(frame, flags, bytes));
}

static void ask_for_much(struct fixture *f, unsigned calls)
{
    enum { INITIAL_WINDOW_SIZE = 4, PREFIX = 5 };
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    struct frame settings = {.type = SETTINGS};
    struct frame update = {.type = WINDOW_UPDATE};
    put_setting(&settings, INITIAL_WINDOW_SIZE, INT32_MAX);
    put_u32(&update, 1 << 30);
    write_plain(f, preface, sizeof preface - 1);
    write_frame(f, &settings, NO_FLAGS);
    write_frame(f, &update, NO_FLAGS);
    for (unsigned i = 0; i < calls; i++) {
        struct frame headers = {.type = HEADERS, .stream = 2 * i + 1};
        const struct frame empty = {.type = DATA, .stream = 2 * i + 1, .size = PREFIX};
        put_header(&headers, ":method", "POST");
        put_header(&headers, ":scheme", "https");
        put_header(&headers, ":path", "/t/Big");
        put_header(&headers, ":authority", "t");
        put_header(&headers, "content-type", "application/grpc");
        write_frame(f, &headers, END_HEADERS);
        write_frame(f, &empty, END_STREAM);
    }
    assert_true(say_out(f));
    while (f->messages < calls) {
        turn(&f->wild);
    }
}

/* ---- the tests ---- */

#if defined(MBEDTLS_SSL_RENEGOTIATION)
/* Each wish to shake hands anew is refused by an alert, which waits behind what it does not read.
 */
static void who_provokes_alerts_and_does_not_read_is_cut_off(void **state)
{
    enum { CALLS = 8, FLOOD = 20000 };
    struct fixture *f = *state;
    mbedtls_ssl_context *ssl = &f->stranger.ssl;
    mbedtls_ssl_conf_renegotiation(&f->stranger.config, MBEDTLS_SSL_RENEGOTIATION_ENABLED);
    shake_hands(f);
    ask_for_much(f, CALLS);
    unsigned wishes = 0;
    bool there = true;
    for (; there && wishes < FLOOD; wishes++) {
        ssl->MBEDTLS_PRIVATE(state) = MBEDTLS_SSL_HANDSHAKE_OVER;
        ssl->MBEDTLS_PRIVATE(renego_status) = 0; /* Not under way. */
        assert_int_not_equal(mbedtls_ssl_renegotiate(ssl), 0);
        assert_true(f->stranger.out.size > 0);
        there = say_out(f) && connections(f) == 1;
    }
    assert_true(wishes < FLOOD);
    assert_int_equal(connections(f), 0);
}
#endif

static void expect_hung_up(struct fixture *f, uint64_t since_ns)
{
    uint8_t bytes[64];
    ssize_t n;
    do {
        turn(&f->wild);
        n = recv(f->wild.fd, bytes, sizeof bytes, 0);
    } while (n > 0 || (n < 0 && errno == EAGAIN));
    assert_int_equal(connections(f), 0);
    assert_true(uv_hrtime() - since_ns >= UINT64_C(1000000) * HANDSHAKE_MS / 2);
}

static void who_leaves_its_handshake_half_done_is_not_waited_for(void **state)
{
    struct fixture *f = *state;
    uint64_t since = uv_hrtime();
    assert_int_equal(mbedtls_ssl_handshake(&f->stranger.ssl), MBEDTLS_ERR_SSL_WANT_READ);
    f->stranger.out.size /= 2;
    assert_true(say_out(f));
    expect_hung_up(f, since);
}

static void who_says_nothing_after_its_handshake_is_not_waited_for(void **state)
{
    struct fixture *f = *state;
    uint64_t since = uv_hrtime();
    shake_hands(f);
    expect_hung_up(f, since);
}

int main(void)
{
    /* As every program that has sockets of libuv must. */
    (void)signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
#if defined(MBEDTLS_SSL_RENEGOTIATION)
        TEST_WITH_FIXTURE(who_provokes_alerts_and_does_not_read_is_cut_off),
#endif
        cmocka_unit_test_setup_teardown(
            who_leaves_its_handshake_half_done_is_not_waited_for, set_up_impatient, tear_down),
        cmocka_unit_test_setup_teardown(
            who_says_nothing_after_its_handshake_is_not_waited_for, set_up_impatient, tear_down),
    };
    return cmocka_run_group_tests_name("rpc/wild_tls", tests, NULL, NULL);
}
