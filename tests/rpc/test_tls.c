/* Two ends of TLS in one process, joined by memory. */
#include "rpc/mbed.h"
#include "rpc/tls.h"
#include "tests/lib/certificates.h"
#include "tests/lib/test.h"
#include "tests/rpc/stranger.h"

#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ciphersuites.h>

#include <stdlib.h>

enum { CLUSTER = 0xC1, NODE = 0xA1, OTHER_NODE = 0xA2, WHOLE = 1 << 20, TURNS_MAX = 64 };

struct fixture {
    struct authority *authority;
    struct tls_context *server_context;
    struct tls_context *client_context;
    struct tls_connection *server;
    struct tls_connection *client;
    struct buffer to_server; /* Plaintext that arrived. */
    struct buffer to_client;
    struct error server_error;
    struct error client_error;
};

static void use_client(struct fixture *f, struct tls_context *context)
{
    tls_context_destroy(f->client_context);
    f->client_context = context;
}

static void use_server(struct fixture *f, struct tls_context *context)
{
    tls_context_destroy(f->server_context);
    f->server_context = context;
}

static int set_up(void **state)
{
    static struct fixture f;
    f = (struct fixture){0};
    tls_library_init();
    f.authority = certificates_authority(CLUSTER);
    struct certificate_request node = certificates_node(NODE);
    struct certificate_request frontend = certificates_client(IDENTITY_FRONTEND, "web");
    f.server_context = certificates_context(f.authority, f.authority, TLS_SERVER, &node);
    f.client_context = certificates_context(f.authority, f.authority, TLS_CLIENT, &frontend);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    tls_connection_destroy(f->server);
    tls_connection_destroy(f->client);
    tls_context_destroy(f->server_context);
    tls_context_destroy(f->client_context);
    authority_destroy(f->authority);
    buffer_deinit(&f->to_server);
    buffer_deinit(&f->to_client);
    return 0;
}

static void connect_to(struct fixture *f, uint64_t node)
{
    assert_int_equal(
        tls_connection_create(&f->client, f->client_context, node, &f->client_error), STATUS_OK);
    assert_int_equal(
        tls_connection_create(&f->server, f->server_context, 0, &f->server_error), STATUS_OK);
}

/* Hands over what from has to say, in pieces; returns whether there was anything. */
static bool carry(struct tls_connection *from, struct tls_connection *to, size_t piece,
    struct buffer *plain, struct error *err)
{
    struct buffer *output = tls_output(from);
    bool any = output->size > 0;
    while (output->size > 0) {
        struct bytes rest = buffer_bytes(output);
        size_t n = rest.size < piece ? rest.size : piece;
        (void)tls_feed(to, bytes_of(rest.data, n), plain, err);
        buffer_consume(output, n);
    }
    return any;
}

static void converse(struct fixture *f, size_t piece)
{
    bool more = true;
    for (int turn = 0; more; turn++) {
        assert_true(turn < TURNS_MAX);
        bool there = carry(f->client, f->server, piece, &f->to_server, &f->server_error);
        bool back = carry(f->server, f->client, piece, &f->to_client, &f->client_error);
        more = there || back;
    }
}

static void expect_text(const struct buffer *buffer, const char *text)
{
    struct bytes expected = bytes_of(text, strlen(text));
    assert_true(bytes_equal(buffer_bytes(buffer), expected));
}

static void say(struct tls_connection *connection, const char *text)
{
    assert_int_equal(tls_write(connection, bytes_of(text, strlen(text)), NULL), STATUS_OK);
}

static void expect_conversation(struct fixture *f, size_t piece)
{
    connect_to(f, NODE);
    converse(f, piece);
    assert_true(tls_established(f->client));
    assert_true(tls_established(f->server));
    say(f->client, "who is first?");
    say(f->server, "whoever asks");
    converse(f, piece);
    expect_text(&f->to_server, "who is first?");
    expect_text(&f->to_client, "whoever asks");
}

static void both_sides_talk(void **state)
{
    struct fixture *f = *state;
    expect_conversation(f, WHOLE);
    assert_string_equal(tls_cipher(f->client), "TLS-ECDHE-ECDSA-WITH-CHACHA20-POLY1305-SHA256");
}

static void bytes_may_come_one_at_a_time(void **state)
{
    expect_conversation(*state, 1);
}

static void both_sides_know_who_the_other_is(void **state)
{
    struct fixture *f = *state;
    connect_to(f, 0);
    converse(f, WHOLE);
    assert_int_equal(tls_peer(f->client)->kind, IDENTITY_NODE);
    assert_int_equal(tls_peer(f->client)->node, NODE);
    assert_int_equal(tls_peer(f->server)->kind, IDENTITY_FRONTEND);
    assert_string_equal(tls_peer(f->server)->name, "web");
    assert_memory_equal(tls_peer(f->server)->certificate_sha256,
        tls_context_identity(f->client_context)->certificate_sha256, SHA256_SIZE);
}

static void nodes_talk_to_nodes(void **state)
{
    struct fixture *f = *state;
    struct certificate_request node = certificates_node(OTHER_NODE);
    use_client(f, certificates_context(f->authority, f->authority, TLS_CLIENT, &node));
    expect_conversation(f, WHOLE);
    assert_int_equal(tls_peer(f->server)->node, OTHER_NODE);
}

static void a_megabyte_arrives_as_it_was_sent(void **state)
{
    struct fixture *f = *state;
    enum { SIZE = 1 << 20, PIECE = 7001 };
    uint8_t *sent = malloc(SIZE);
    assert_non_null(sent);
    for (size_t i = 0; i < SIZE; i++) {
        sent[i] = (uint8_t)(i * 31 + (i >> 8));
    }
    connect_to(f, NODE);
    converse(f, WHOLE);
    assert_int_equal(tls_write(f->server, bytes_of(sent, SIZE), NULL), STATUS_OK);
    converse(f, PIECE);
    assert_true(bytes_equal(buffer_bytes(&f->to_client), bytes_of(sent, SIZE)));
    free(sent);
}

static void a_goodbye_is_told_from_a_cut(void **state)
{
    struct fixture *f = *state;
    connect_to(f, NODE);
    converse(f, WHOLE);
    say(f->client, "last words");
    tls_close(f->client);
    tls_close(f->client);
    assert_false(tls_ended(f->server));
    converse(f, WHOLE);
    assert_true(tls_ended(f->server));
    expect_text(&f->to_server, "last words");
    assert_false(tls_ended(f->client));
    /* What comes after it is not looked at. */
    assert_int_equal(tls_feed(f->server, bytes_of("noise", 5), &f->to_server, NULL), STATUS_OK);
    expect_text(&f->to_server, "last words");
}

static void a_connection_outlives_its_context(void **state)
{
    struct fixture *f = *state;
    connect_to(f, NODE);
    use_client(f, NULL);
    use_server(f, NULL);
    converse(f, WHOLE);
    say(f->client, "still here");
    converse(f, WHOLE);
    expect_text(&f->to_server, "still here");
}

/* ---- refusals ---- */

static void expect_text_in(const struct error *err, const char *part)
{
    if (strstr(err->text, part) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", err->text, part);
    }
}

static void expect_client_refuses(struct fixture *f, const char *why)
{
    converse(f, WHOLE);
    assert_false(tls_established(f->client));
    assert_false(tls_established(f->server));
    assert_int_equal(f->client_error.status, STATUS_UNAUTHENTICATED);
    expect_text_in(&f->client_error, why);
    assert_int_equal(f->server_error.status, STATUS_UNAUTHENTICATED);
    expect_text_in(&f->server_error, "the peer refuses");
    assert_int_equal(f->to_server.size, 0);
}

static void expect_server_refuses(struct fixture *f, const char *why, const char *told)
{
    converse(f, WHOLE);
    assert_false(tls_established(f->server));
    assert_false(tls_established(f->client));
    assert_int_equal(f->server_error.status, STATUS_UNAUTHENTICATED);
    expect_text_in(&f->server_error, why);
    assert_int_equal(f->client_error.status, STATUS_UNAUTHENTICATED);
    expect_text_in(&f->client_error, told);
    assert_int_equal(f->to_client.size, 0);
}

static void a_server_of_an_unknown_authority_is_refused(void **state)
{
    struct fixture *f = *state;
    struct authority *other = certificates_authority(CLUSTER);
    struct certificate_request node = certificates_node(NODE);
    use_server(f, certificates_context(other, other, TLS_SERVER, &node));
    authority_destroy(other);
    connect_to(f, NODE);
    expect_client_refuses(f, "unknown authority");
}

static void a_client_of_an_unknown_authority_is_refused(void **state)
{
    struct fixture *f = *state;
    struct authority *other = certificates_authority(CLUSTER);
    struct certificate_request frontend = certificates_client(IDENTITY_FRONTEND, "web");
    struct issued issued = certificates_issue(other, &frontend, 0);
    /* It trusts our authority, as an impostor would. */
    struct tls_context *impostor = certificates_context(f->authority, other, TLS_CLIENT, &frontend);
    issued_deinit(&issued);
    use_client(f, impostor);
    authority_destroy(other);
    connect_to(f, NODE);
    expect_server_refuses(f, "unknown authority", "an authority that the peer does not know");
}

static void the_wrong_node_is_refused(void **state)
{
    struct fixture *f = *state;
    connect_to(f, OTHER_NODE);
    expect_client_refuses(f, "node 00000000000000a2 was expected, this is node 00000000000000a1");
}

/* In its first words (RFC 6066 §3): what mbedTLS then looks for in the certificate as well. */
static void a_client_says_which_node_it_expects(void **state)
{
    static const char name[] = "00000000000000a2.zhurnal";
    struct fixture *f = *state;
    connect_to(f, OTHER_NODE);
    struct bytes words = buffer_bytes(tls_output(f->client));
    assert_non_null(memmem(words.data, words.size, name, sizeof name - 1));
}

static struct tls_context *context_of(
    struct fixture *f, enum tls_role role, const struct certificate_request *request, int age_days)
{
    struct issued issued = certificates_issue(f->authority, request, age_days);
    struct tls_credentials credentials = {
        .authority = authority_certificate(f->authority),
        .certificate = buffer_bytes(&issued.certificate),
        .key = buffer_bytes(&issued.key),
    };
    struct tls_context *context;
    assert_int_equal(tls_context_create(&context, role, &credentials, NULL), STATUS_OK);
    issued_deinit(&issued);
    return context;
}

static void an_expired_server_is_refused(void **state)
{
    struct fixture *f = *state;
    struct certificate_request node = certificates_node(NODE);
    use_server(f, context_of(f, TLS_SERVER, &node, CERTIFICATE_DAYS + 1));
    connect_to(f, NODE);
    expect_client_refuses(f, "expired");
}

static void an_expired_client_is_refused_and_told_so(void **state)
{
    struct fixture *f = *state;
    struct certificate_request frontend = certificates_client(IDENTITY_FRONTEND, "web");
    use_client(f, context_of(f, TLS_CLIENT, &frontend, CERTIFICATE_DAYS + 1));
    connect_to(f, NODE);
    expect_server_refuses(f, "expired", "our certificate: it has expired");
}

static void a_certificate_of_tomorrow_is_refused(void **state)
{
    struct fixture *f = *state;
    struct certificate_request frontend = certificates_client(IDENTITY_FRONTEND, "web");
    use_client(f, context_of(f, TLS_CLIENT, &frontend, -1));
    connect_to(f, NODE);
    expect_server_refuses(f, "not valid yet", "the peer refuses our certificate");
}

static void another_clusters_client_is_refused_though_its_authority_is_known(void **state)
{
    struct fixture *f = *state;
    struct authority *other = certificates_authority(CLUSTER + 1);
    struct certificate_request node = certificates_node(NODE);
    struct certificate_request frontend = certificates_client(IDENTITY_FRONTEND, "web");
    use_server(f, certificates_context(f->authority, other, TLS_SERVER, &node));
    /* The server is of the other cluster and trusts both authorities; the client likewise. */
    use_client(f, certificates_context(other, f->authority, TLS_CLIENT, &frontend));
    authority_destroy(other);
    connect_to(f, NODE);
    expect_client_refuses(f, "of another cluster");
}

static void a_server_needs_a_nodes_certificate(void **state)
{
    struct fixture *f = *state;
    struct certificate_request olga = certificates_client(IDENTITY_OPERATOR, "olga");
    struct issued issued = certificates_issue(f->authority, &olga, 0);
    struct tls_credentials credentials = {
        .authority = authority_certificate(f->authority),
        .certificate = buffer_bytes(&issued.certificate),
        .key = buffer_bytes(&issued.key),
    };
    struct tls_context *context;
    struct error err;
    assert_int_equal(tls_context_create(&context, TLS_SERVER, &credentials, &err), STATUS_INVALID);
    assert_null(context);
    expect_text_in(&err, "a server needs a node's");
    issued_deinit(&issued);
}

static void a_key_of_another_certificate_is_refused(void **state)
{
    struct fixture *f = *state;
    struct certificate_request node = certificates_node(NODE);
    struct issued issued = certificates_issue(f->authority, &node, 0);
    struct issued other = certificates_issue(f->authority, &node, 0);
    struct tls_credentials credentials = {
        .authority = authority_certificate(f->authority),
        .certificate = buffer_bytes(&issued.certificate),
        .key = buffer_bytes(&other.key),
    };
    struct tls_context *context;
    struct error err;
    assert_int_equal(tls_context_create(&context, TLS_SERVER, &credentials, &err), STATUS_INVALID);
    expect_text_in(&err, "not that of our certificate");
    credentials.key = bytes_of("no key", 6);
    assert_int_equal(tls_context_create(&context, TLS_SERVER, &credentials, &err), STATUS_INVALID);
    expect_text_in(&err, "our key");
    issued_deinit(&issued);
    issued_deinit(&other);
}

/* ---- strangers ---- */

/* Lets the stranger and our side talk until one of them gives up or the handshake is done. */
static void meet(struct stranger *s, struct tls_connection *ours, struct error *err)
{
    struct buffer plain = {0};
    for (int turn = 0; turn < TURNS_MAX && err->status == STATUS_OK; turn++) {
        (void)mbedtls_ssl_handshake(&s->ssl);
        struct bytes said = buffer_bytes(&s->out);
        (void)tls_feed(ours, said, &plain, err);
        buffer_clear(&s->out);
        struct bytes reply = buffer_bytes(tls_output(ours));
        assert_int_equal(buffer_append(&s->in, reply.data, reply.size), STATUS_OK);
        buffer_clear(tls_output(ours));
    }
    assert_int_equal(plain.size, 0);
    buffer_deinit(&plain);
}

static void expect_stranger_refused(
    struct fixture *f, const struct stranger_options *options, int status, const char *why)
{
    struct stranger stranger;
    stranger_init(&stranger, options);
    assert_int_equal(tls_connection_create(&f->server, f->server_context, 0, NULL), STATUS_OK);
    struct error err = {0};
    meet(&stranger, f->server, &err);
    stranger_deinit(&stranger);
    assert_false(tls_established(f->server));
    assert_int_equal(err.status, status);
    expect_text_in(&err, why);
    /* And it stays so. */
    struct error again = {0};
    struct buffer none = {0};
    assert_int_equal(tls_feed(f->server, bytes_of("more", 4), &none, &again), status);
    assert_string_equal(again.text, err.text);
}

static const char *H2[] = {"h2", NULL};
static const char *HTTP1[] = {"http/1.1", NULL};

static void a_client_without_a_certificate_is_refused(void **state)
{
    struct stranger_options options = {.protocols = H2};
    expect_stranger_refused(*state, &options, STATUS_UNAUTHENTICATED, "sent no certificate");
}

static void a_client_that_does_not_ask_for_http2_is_refused(void **state)
{
    struct fixture *f = *state;
    struct certificate_request frontend = certificates_client(IDENTITY_FRONTEND, "web");
    struct issued issued = certificates_issue(f->authority, &frontend, 0);
    struct stranger_options options = {.issued = &issued};
    expect_stranger_refused(f, &options, STATUS_MALFORMED, "HTTP/2");
    tls_connection_destroy(f->server);
    options.protocols = HTTP1;
    expect_stranger_refused(f, &options, STATUS_MALFORMED, "TLS");
    issued_deinit(&issued);
}

/* RFC 9113, appendix A: each of these is TLS 1.2, and what HTTP/2 must not be spoken over. */
static void a_cipher_of_the_black_list_is_refused(void **state)
{
    static const int cbc[] = {MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256, 0};
    static const int fixed[] = {MBEDTLS_TLS_ECDH_ECDSA_WITH_AES_128_GCM_SHA256, 0};
    const int *const suites[] = {cbc, fixed};
    struct fixture *f = *state;
    struct certificate_request frontend = certificates_client(IDENTITY_FRONTEND, "web");
    struct issued issued = certificates_issue(f->authority, &frontend, 0);
    for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++) {
        const struct stranger_options options = {
            .issued = &issued, .protocols = H2, .suites = suites[i]};
        tls_connection_destroy(f->server);
        expect_stranger_refused(f, &options, STATUS_MALFORMED, "TLS");
    }
    issued_deinit(&issued);
}

/* By hand: mbedTLS 3 cannot speak it. RFC 4346 §7.4.1.2, RFC 8422 §5.1. But for the version it is
 * what a server with our key could go on with. */
static void an_older_tls_is_refused(void **state)
{
    enum { MINOR = 10, ALERT = 21, FATAL = 2, PROTOCOL_VERSION = 70 };
    struct fixture *f = *state;
    uint8_t hello[] = {22, 3, 1, 0, 63, 1, 0, 0, 59, 3, 0, /* and 32 random bytes */
        [43] = 0, 0, 4, 0xc0, 0x09, 0xc0, 0x0a,            /* ECDHE-ECDSA with AES-CBC and SHA-1 */
        1, 0, 0, 14, 0, 10, 0, 4, 0, 2, 0, 23,             /* secp256r1 */
        0, 11, 0, 2, 1, 0};
    for (uint8_t minor = 2; minor >= 1; minor--) { /* 1.1, and 1.0 */
        struct error err = {0};
        hello[MINOR] = minor;
        tls_connection_destroy(f->server);
        assert_int_equal(tls_connection_create(&f->server, f->server_context, 0, &err), STATUS_OK);
        assert_int_equal(tls_feed(f->server, bytes_of(hello, sizeof hello), &f->to_server, &err),
            STATUS_MALFORMED);
        expect_text_in(&err, "TLS 1.2");
        struct bytes alert = buffer_bytes(tls_output(f->server));
        assert_int_equal(alert.size, 7);
        assert_int_equal(alert.data[0], ALERT);
        assert_int_equal(alert.data[5], FATAL);
        assert_int_equal(alert.data[6], PROTOCOL_VERSION);
    }
}

#if defined(MBEDTLS_SSL_RENEGOTIATION)
/* RFC 9113 §9.2.1: a renegotiation could make another of whom we have accepted. */
static void whoever_wants_to_shake_hands_again_is_refused(void **state)
{
    struct fixture *f = *state;
    struct certificate_request frontend = certificates_client(IDENTITY_FRONTEND, "web");
    struct issued issued = certificates_issue(f->authority, &frontend, 0);
    const struct stranger_options options = {.issued = &issued, .protocols = H2};
    struct stranger stranger;
    struct error err = {0};
    stranger_init(&stranger, &options);
    mbedtls_ssl_conf_renegotiation(&stranger.config, MBEDTLS_SSL_RENEGOTIATION_ENABLED);
    assert_int_equal(tls_connection_create(&f->server, f->server_context, 0, NULL), STATUS_OK);
    meet(&stranger, f->server, &err);
    assert_true(tls_established(f->server));
    assert_int_equal(mbedtls_ssl_renegotiate(&stranger.ssl), MBEDTLS_ERR_SSL_WANT_READ);
    meet(&stranger, f->server, &err);
    assert_int_equal(err.status, STATUS_OK);
    assert_int_not_equal(mbedtls_ssl_handshake(&stranger.ssl), 0);
    stranger_deinit(&stranger);
    issued_deinit(&issued);
}
#endif

static void plain_text_is_no_tls(void **state)
{
    struct fixture *f = *state;
    static const char PREFACE[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    connect_to(f, NODE);
    struct error err = {0};
    assert_int_equal(
        tls_feed(f->server, bytes_of(PREFACE, sizeof PREFACE - 1), &f->to_server, &err),
        STATUS_MALFORMED);
    expect_text_in(&err, "does not speak TLS");
}

static void a_changed_byte_ends_the_connection(void **state)
{
    struct fixture *f = *state;
    connect_to(f, NODE);
    converse(f, WHOLE);
    say(f->client, "give her a five");
    struct buffer *output = tls_output(f->client);
    output->bytes[output->begin + output->size - 1] ^= 1;
    converse(f, WHOLE);
    assert_int_equal(f->server_error.status, STATUS_MALFORMED);
    expect_text_in(&f->server_error, "tampered");
    assert_int_equal(f->to_server.size, 0);
    assert_int_not_equal(tls_write(f->server, bytes_of("x", 1), NULL), STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_WITH_FIXTURE(both_sides_talk),
        TEST_WITH_FIXTURE(bytes_may_come_one_at_a_time),
        TEST_WITH_FIXTURE(both_sides_know_who_the_other_is),
        TEST_WITH_FIXTURE(nodes_talk_to_nodes),
        TEST_WITH_FIXTURE(a_megabyte_arrives_as_it_was_sent),
        TEST_WITH_FIXTURE(a_goodbye_is_told_from_a_cut),
        TEST_WITH_FIXTURE(a_connection_outlives_its_context),
        TEST_WITH_FIXTURE(a_server_of_an_unknown_authority_is_refused),
        TEST_WITH_FIXTURE(a_client_of_an_unknown_authority_is_refused),
        TEST_WITH_FIXTURE(the_wrong_node_is_refused),
        TEST_WITH_FIXTURE(a_client_says_which_node_it_expects),
        TEST_WITH_FIXTURE(an_expired_server_is_refused),
        TEST_WITH_FIXTURE(an_expired_client_is_refused_and_told_so),
        TEST_WITH_FIXTURE(a_certificate_of_tomorrow_is_refused),
        TEST_WITH_FIXTURE(another_clusters_client_is_refused_though_its_authority_is_known),
        TEST_WITH_FIXTURE(a_server_needs_a_nodes_certificate),
        TEST_WITH_FIXTURE(a_key_of_another_certificate_is_refused),
        TEST_WITH_FIXTURE(a_client_without_a_certificate_is_refused),
        TEST_WITH_FIXTURE(a_client_that_does_not_ask_for_http2_is_refused),
        TEST_WITH_FIXTURE(a_cipher_of_the_black_list_is_refused),
        TEST_WITH_FIXTURE(an_older_tls_is_refused),
#if defined(MBEDTLS_SSL_RENEGOTIATION)
        TEST_WITH_FIXTURE(whoever_wants_to_shake_hands_again_is_refused),
#endif
        TEST_WITH_FIXTURE(plain_text_is_no_tls),
        TEST_WITH_FIXTURE(a_changed_byte_ends_the_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
