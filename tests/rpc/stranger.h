/* A client of TLS played by mbedTLS without our tls: it speaks into one buffer, hears from another,
 * and offers what it is told to. */
#ifndef TESTS_RPC_STRANGER_H
#define TESTS_RPC_STRANGER_H

#include "rpc/authority.h"
#include "rpc/buffer.h"
#include "rpc/mbed.h"
#include "tests/lib/test.h"

#include <mbedtls/ssl.h>

struct stranger {
    mbedtls_ssl_context ssl;
    mbedtls_ssl_config config;
    mbedtls_x509_crt certificate;
    mbedtls_pk_context key;
    struct buffer in;
    struct buffer out;
};

static inline int stranger_send(void *arg, const unsigned char *data, size_t size)
{
    struct stranger *stranger = arg;
    return buffer_append(&stranger->out, data, size) == STATUS_OK ? (int)size
                                                                  : MBEDTLS_ERR_SSL_ALLOC_FAILED;
}

static inline int stranger_receive(void *arg, unsigned char *out, size_t size)
{
    struct stranger *stranger = arg;
    struct bytes held = buffer_bytes(&stranger->in);
    size_t n = size < held.size ? size : held.size;
    if (n == 0) {
        return MBEDTLS_ERR_SSL_WANT_READ;
    }
    memcpy(out, held.data, n);
    buffer_consume(&stranger->in, n);
    return (int)n;
}

struct stranger_options {
    const char **protocols;
    const int *suites; /* NULL: all. */
    const struct issued *issued;
};

static inline void stranger_init(struct stranger *s, const struct stranger_options *options)
{
    *s = (struct stranger){0};
    mbedtls_ssl_init(&s->ssl);
    mbedtls_ssl_config_init(&s->config);
    mbedtls_x509_crt_init(&s->certificate);
    mbedtls_pk_init(&s->key);
    assert_int_equal(mbedtls_ssl_config_defaults(&s->config, MBEDTLS_SSL_IS_CLIENT,
                         MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT),
        0);
    mbedtls_ssl_conf_rng(&s->config, mbed_random, NULL);
    mbedtls_ssl_conf_authmode(&s->config, MBEDTLS_SSL_VERIFY_NONE);
    if (options->protocols != NULL) {
        assert_int_equal(mbedtls_ssl_conf_alpn_protocols(&s->config, options->protocols), 0);
    }
    if (options->suites != NULL) {
        mbedtls_ssl_conf_ciphersuites(&s->config, options->suites);
    }
    if (options->issued != NULL) {
        assert_int_equal(mbed_parse_certificates(
                             &s->certificate, buffer_bytes(&options->issued->certificate), NULL),
            STATUS_OK);
        assert_int_equal(
            mbed_parse_key(&s->key, buffer_bytes(&options->issued->key), NULL), STATUS_OK);
        assert_int_equal(mbedtls_ssl_conf_own_cert(&s->config, &s->certificate, &s->key), 0);
    }
    assert_int_equal(mbedtls_ssl_setup(&s->ssl, &s->config), 0);
    assert_int_equal(mbedtls_ssl_set_hostname(&s->ssl, NULL), 0);
    mbedtls_ssl_set_bio(&s->ssl, s, stranger_send, stranger_receive, NULL);
}

static inline void stranger_deinit(struct stranger *s)
{
    mbedtls_ssl_free(&s->ssl);
    mbedtls_ssl_config_free(&s->config);
    mbedtls_x509_crt_free(&s->certificate);
    mbedtls_pk_free(&s->key);
    buffer_deinit(&s->in);
    buffer_deinit(&s->out);
}

#endif
