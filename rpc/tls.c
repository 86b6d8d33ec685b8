#include "rpc/tls.h"

#include "rpc/mbed.h"
#include "rpc/tls_context.h"
#include "rpc/tls_reason.h"

#include <assert.h>
#include <stdlib.h>

enum { RECORD_MAX = 16 * 1024 }; /* Plaintext in one record (RFC 5246 §6.2.1). */

struct tls_connection {
    struct tls_context *context;
    uint64_t node; /* The one we expect, or 0. */
    mbedtls_ssl_context ssl;
    struct bytes input; /* Borrowed for the length of tls_feed(). */
    struct buffer output;
    struct identity peer;
    struct error refusal; /* What we have against the peer's identity. */
    struct error failure; /* Sticky. */
    bool established;
    bool closed;
    bool ended;
};

/* ---- mbedTLS's side: never blocks, so a write is never partial ---- */

static int take_output(void *arg, const unsigned char *data, size_t size)
{
    struct tls_connection *connection = arg;
    if (buffer_append(&connection->output, data, size) != STATUS_OK) {
        return MBEDTLS_ERR_SSL_ALLOC_FAILED;
    }
    return (int)size;
}

static int give_input(void *arg, unsigned char *out, size_t size)
{
    struct tls_connection *connection = arg;
    struct bytes *input = &connection->input;
    if (input->size == 0) {
        return MBEDTLS_ERR_SSL_WANT_READ;
    }
    size_t n = size < input->size ? size : input->size;
    memcpy(out, input->data, n);
    input->data += n;
    input->size -= n;
    return (int)n;
}

static int check_peer(struct tls_connection *connection, struct bytes der, struct error *err)
{
    struct tls_context *context = connection->context;
    int status = identity_from_der(&connection->peer, der, err);
    if (status == STATUS_OK) {
        status = identity_check_cluster(&connection->peer, context->self.cluster, err);
    }
    if (status == STATUS_OK && context->role == TLS_CLIENT) {
        status = identity_check_node(&connection->peer, connection->node, err);
    }
    return status;
}

/* Called within the handshake for each certificate of the peer's chain; 0 is its own. What we
 * refuse here the peer learns by an alert. */
static int verify(void *arg, mbedtls_x509_crt *crt, int depth, uint32_t *flags)
{
    struct tls_connection *connection = arg;
    if (depth == 0) {
        struct bytes der = bytes_of(crt->raw.p, crt->raw.len);
        if (check_peer(connection, der, &connection->refusal) != STATUS_OK) {
            *flags |= MBEDTLS_X509_BADCERT_OTHER;
        }
    }
    return 0;
}

/* ---- life ---- */

static int set_up(struct tls_connection *connection, struct error *err)
{
    mbedtls_ssl_context *ssl = &connection->ssl;
    int code = mbedtls_ssl_setup(ssl, &connection->context->config);
    if (code == 0 && connection->context->role == TLS_CLIENT) {
        char host[IDENTITY_HOST_SIZE];
        /* NULL is a decision too: any node's certificate will do, if it is of this cluster. */
        code = mbedtls_ssl_set_hostname(
            ssl, connection->node == 0 ? NULL : identity_host(connection->node, host));
    }
    if (code != 0) {
        return tls_reason(ssl, code, &connection->refusal, err);
    }
    mbedtls_ssl_set_bio(ssl, connection, take_output, give_input, NULL);
    mbedtls_ssl_set_verify(ssl, verify, connection);
    return STATUS_OK;
}

int tls_connection_create(struct tls_connection **connection, struct tls_context *context,
    uint64_t node, struct error *err)
{
    assert(context->role == TLS_CLIENT || node == 0);
    *connection = NULL;
    struct tls_connection *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "TLS: out of memory");
    }
    made->context = context;
    made->node = node;
    tls_context_hold(context);
    mbedtls_ssl_init(&made->ssl);
    buffer_init(&made->output);
    int status = set_up(made, err);
    if (status == STATUS_OK && context->role == TLS_CLIENT) {
        /* The client speaks first. */
        struct buffer none = {0};
        status = tls_feed(made, bytes_of(NULL, 0), &none, err);
        assert(none.size == 0);
        buffer_deinit(&none);
    }
    if (status != STATUS_OK) {
        tls_connection_destroy(made);
        return status;
    }
    *connection = made;
    return STATUS_OK;
}

void tls_connection_destroy(struct tls_connection *connection)
{
    if (connection == NULL) {
        return;
    }
    mbedtls_ssl_free(&connection->ssl);
    buffer_deinit(&connection->output);
    tls_context_release(connection->context);
    free(connection);
}

/* ---- bytes ---- */

static bool wants_more(int code)
{
    assert(code != MBEDTLS_ERR_SSL_WANT_WRITE);
    return code == MBEDTLS_ERR_SSL_WANT_READ;
}

static int fail(struct tls_connection *connection, int code)
{
    if (code == MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE) {
        /* RFC 5246 §7.4.6; mbedTLS hangs up without a word. */
        (void)mbedtls_ssl_send_alert_message(&connection->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL,
            MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE);
    }
    return tls_reason(&connection->ssl, code, &connection->refusal, &connection->failure);
}

/* Without ALPN a peer may be anything; with it, it meant to speak HTTP/2 (RFC 9113 §3.2). */
static int finish_handshake(struct tls_connection *connection)
{
    const char *protocol = mbedtls_ssl_get_alpn_protocol(&connection->ssl);
    if (protocol == NULL || strcmp(protocol, "h2") != 0) {
        (void)mbedtls_ssl_send_alert_message(&connection->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL,
            MBEDTLS_SSL_ALERT_MSG_NO_APPLICATION_PROTOCOL);
        return error_set(&connection->failure, STATUS_MALFORMED,
            "the peer did not ask for HTTP/2 (ALPN \"h2\")");
    }
    /* verify() has seen it: authentication is required. */
    assert(connection->peer.kind != 0 && connection->refusal.status == STATUS_OK);
    connection->established = true;
    return STATUS_OK;
}

static int shake_hands(struct tls_connection *connection)
{
    int code = mbedtls_ssl_handshake(&connection->ssl);
    if (code == 0) {
        return finish_handshake(connection);
    }
    return wants_more(code) ? STATUS_OK : fail(connection, code);
}

static int read_record(struct tls_connection *connection, struct buffer *plain)
{
    uint8_t *room = buffer_reserve(plain, RECORD_MAX);
    if (room == NULL) {
        return fail(connection, MBEDTLS_ERR_SSL_ALLOC_FAILED);
    }
    int code = mbedtls_ssl_read(&connection->ssl, room, RECORD_MAX);
    if (code > 0) {
        buffer_commit(plain, (size_t)code);
        return STATUS_OK;
    }
    if (code == 0 || code == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) {
        connection->ended = true;
        return STATUS_OK;
    }
    return wants_more(code) ? STATUS_OK : fail(connection, code);
}

static int answer(const struct tls_connection *connection, struct error *err)
{
    const struct error *failure = &connection->failure;
    if (failure->status != STATUS_OK) {
        return error_set(err, failure->status, "%s", failure->text);
    }
    return STATUS_OK;
}

int tls_feed(struct tls_connection *connection, struct bytes ciphertext, struct buffer *plain,
    struct error *err)
{
    connection->input = ciphertext;
    /* Each turn takes a record, whole or what there is of it, so this ends with the input. One turn
     * happens even without: a client's first words. */
    bool more = connection->failure.status == STATUS_OK && !connection->ended;
    while (more) {
        size_t before = connection->input.size;
        int status =
            connection->established ? read_record(connection, plain) : shake_hands(connection);
        assert(status == connection->failure.status);
        more = status == STATUS_OK && !connection->ended && connection->input.size > 0 &&
            connection->input.size < before;
    }
    connection->input = bytes_of(NULL, 0);
    return answer(connection, err);
}

int tls_write(struct tls_connection *connection, struct bytes plain, struct error *err)
{
    assert(connection->established && !connection->closed);
    while (plain.size > 0 && connection->failure.status == STATUS_OK) {
        int code = mbedtls_ssl_write(&connection->ssl, plain.data, plain.size);
        if (code <= 0) {
            (void)fail(connection, code);
        } else {
            plain.data += code;
            plain.size -= (size_t)code;
        }
    }
    return answer(connection, err);
}

void tls_close(struct tls_connection *connection)
{
    bool speaking = connection->established && connection->failure.status == STATUS_OK;
    if (speaking && !connection->closed) {
        connection->closed = true;
        /* It fails only without memory, and then the peer sees the stream end instead. */
        (void)mbedtls_ssl_close_notify(&connection->ssl);
    }
}

struct buffer *tls_output(struct tls_connection *connection)
{
    return &connection->output;
}

bool tls_established(const struct tls_connection *connection)
{
    return connection->established;
}

bool tls_ended(const struct tls_connection *connection)
{
    return connection->ended;
}

const struct identity *tls_peer(const struct tls_connection *connection)
{
    assert(connection->established);
    return &connection->peer;
}

const char *tls_cipher(const struct tls_connection *connection)
{
    assert(connection->established);
    return mbedtls_ssl_get_ciphersuite(&connection->ssl);
}
