#include "rpc/tls_reason.h"

#include "rpc/mbed.h"

#include <stddef.h>

struct reason {
    int key;
    int status;
    const char *text;
};

/* A certificate may be wrong in several ways: the first row that fits is what matters most. */
static const struct reason FLAGS[] = {
    {MBEDTLS_X509_BADCERT_MISSING, STATUS_UNAUTHENTICATED, "the peer sent no certificate"},
    {MBEDTLS_X509_BADCERT_NOT_TRUSTED, STATUS_UNAUTHENTICATED,
        "the peer's certificate is signed by an unknown authority"},
    {MBEDTLS_X509_BADCERT_EXPIRED, STATUS_UNAUTHENTICATED,
        "the peer's certificate, or its authority's, has expired"},
    {MBEDTLS_X509_BADCERT_FUTURE, STATUS_UNAUTHENTICATED,
        "the peer's certificate is not valid yet: compare the clocks"},
};

static const struct reason FLAGS_AFTER_IDENTITY[] = {
    {MBEDTLS_X509_BADCERT_CN_MISMATCH, STATUS_UNAUTHENTICATED,
        "the peer's certificate is another host's"},
    {MBEDTLS_X509_BADCERT_EXT_KEY_USAGE, STATUS_UNAUTHENTICATED,
        "the peer's certificate is not meant for this side of a connection"},
};

static const struct reason CODES[] = {
    {MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE, STATUS_UNAUTHENTICATED, "the peer sent no certificate"},
    {MBEDTLS_ERR_SSL_ALLOC_FAILED, STATUS_NO_MEMORY, "TLS: out of memory"},
    {MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY, STATUS_UNAVAILABLE, "the peer hung up in the handshake"},
    {MBEDTLS_ERR_SSL_INVALID_RECORD, STATUS_MALFORMED, "the peer does not speak TLS 1.2"},
#ifdef MBEDTLS_ERR_SSL_BAD_HS_CLIENT_HELLO /* Version 2. */
    {MBEDTLS_ERR_SSL_BAD_HS_CLIENT_HELLO, STATUS_MALFORMED, "the peer does not speak TLS 1.2"},
    {MBEDTLS_ERR_SSL_BAD_HS_PROTOCOL_VERSION, STATUS_MALFORMED, "the peer does not speak TLS 1.2"},
#else
    {MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION, STATUS_MALFORMED, "the peer does not speak TLS 1.2"},
#endif
    {MBEDTLS_ERR_SSL_INVALID_MAC, STATUS_MALFORMED, "the connection was tampered with"},
};

/* RFC 5246 §7.2, RFC 7301 §3.2: what those say who refuse us. */
static const struct reason ALERTS[] = {
    {MBEDTLS_SSL_ALERT_MSG_UNKNOWN_CA, STATUS_UNAUTHENTICATED,
        "the peer refuses our certificate: it is signed by an authority that the peer does not "
        "know"},
    {MBEDTLS_SSL_ALERT_MSG_CERT_EXPIRED, STATUS_UNAUTHENTICATED,
        "the peer refuses our certificate: it has expired, or is not valid yet"},
    {MBEDTLS_SSL_ALERT_MSG_CERT_REVOKED, STATUS_UNAUTHENTICATED,
        "the peer refuses our certificate: it is revoked"},
    {MBEDTLS_SSL_ALERT_MSG_BAD_CERT, STATUS_UNAUTHENTICATED, "the peer refuses our certificate"},
    {MBEDTLS_SSL_ALERT_MSG_UNSUPPORTED_CERT, STATUS_UNAUTHENTICATED,
        "the peer refuses our certificate: it is not meant for this side of a connection"},
    {MBEDTLS_SSL_ALERT_MSG_CERT_UNKNOWN, STATUS_UNAUTHENTICATED,
        "the peer refuses our certificate: it may not be valid yet by the peer's clock"},
    {MBEDTLS_SSL_ALERT_MSG_ACCESS_DENIED, STATUS_UNAUTHENTICATED,
        "the peer refuses whom our certificate names"},
    {MBEDTLS_SSL_ALERT_MSG_NO_APPLICATION_PROTOCOL, STATUS_MALFORMED,
        "the peer does not speak HTTP/2"},
    {MBEDTLS_SSL_ALERT_MSG_PROTOCOL_VERSION, STATUS_MALFORMED, "the peer does not speak TLS 1.2"},
    {MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE, STATUS_UNAUTHENTICATED,
        "the peer ended the handshake: no cipher in common, or it wants a certificate"},
};

#define ROWS(table) (sizeof(table) / sizeof(table)[0])

static int set(struct error *err, const struct reason *reason)
{
    return error_set(err, reason->status, "%s", reason->text);
}

static const struct reason *find(const struct reason *rows, size_t count, int key)
{
    for (size_t i = 0; i < count; i++) {
        if (rows[i].key == key) {
            return &rows[i];
        }
    }
    return NULL;
}

static const struct reason *find_flag(const struct reason *rows, size_t count, uint32_t flags)
{
    for (size_t i = 0; i < count; i++) {
        if ((flags & (uint32_t)rows[i].key) != 0) {
            return &rows[i];
        }
    }
    return NULL;
}

static int refusal(uint32_t flags, const struct error *identity, struct error *err)
{
    const struct reason *row = find_flag(FLAGS, ROWS(FLAGS), flags);
    if (row != NULL) {
        return set(err, row);
    }
    if (identity->status != STATUS_OK) {
        return error_set(err, identity->status, "%s", identity->text);
    }
    row = find_flag(FLAGS_AFTER_IDENTITY, ROWS(FLAGS_AFTER_IDENTITY), flags);
    if (row != NULL) {
        return set(err, row);
    }
    return error_set(err, STATUS_UNAUTHENTICATED,
        "the peer's certificate is refused: its key or signature is too weak (flags 0x%x)", flags);
}

int tls_reason(mbedtls_ssl_context *ssl, int code, const struct error *identity, struct error *err)
{
    if (code == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED) {
        return refusal(mbedtls_ssl_get_verify_result(ssl), identity, err);
    }
    if (code == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE) {
        int alert = ssl->MBEDTLS_PRIVATE(in_msg)[1];
        const struct reason *row = find(ALERTS, ROWS(ALERTS), alert);
        return row != NULL ? set(err, row)
                           : error_set(err, STATUS_UNAVAILABLE,
                                 "the peer ended the connection with TLS alert %d", alert);
    }
    const struct reason *row = find(CODES, ROWS(CODES), code);
    return row != NULL ? set(err, row) : mbed_error(err, STATUS_MALFORMED, code, "TLS");
}
