#include "rpc/tls_context.h"

#include "rpc/mbed.h"
#include "rpc/pem_file.h"

#include <mbedtls/aes.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/ssl_ciphersuites.h>

#include <assert.h>
#include <stdlib.h>

/* Ephemeral keys and AEAD: everything else is on HTTP/2's black list (RFC 9113, appendix A). Our
 * keys are ECDSA, so there is no RSA (nor CVE-2024-23170). */
static const int SUITES[] = {
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    0,
};

/* mbedTLS keeps the pointer, and takes it without const. */
static const char *PROTOCOLS[] = {"h2", NULL};

#if MBED_IS_3
static const uint16_t CURVES[] = {
    MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1,
    MBEDTLS_SSL_IANA_TLS_GROUP_X25519,
    MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1,
    MBEDTLS_SSL_IANA_TLS_GROUP_NONE,
};
static const uint16_t SIGNATURES[] = {
    MBEDTLS_TLS1_3_SIG_ECDSA_SECP256R1_SHA256,
    MBEDTLS_TLS1_3_SIG_ECDSA_SECP384R1_SHA384,
    MBEDTLS_TLS1_3_SIG_NONE,
};
#else
static const mbedtls_ecp_group_id CURVES[] = {
    MBEDTLS_ECP_DP_SECP256R1,
    MBEDTLS_ECP_DP_CURVE25519,
    MBEDTLS_ECP_DP_SECP384R1,
    MBEDTLS_ECP_DP_NONE,
};
static const int SIGNATURES[] = {
    MBEDTLS_MD_SHA256,
    MBEDTLS_MD_SHA384,
    MBEDTLS_MD_SHA512,
    MBEDTLS_MD_NONE,
};
#endif

void tls_library_init(void)
{
    static const unsigned char KEY[16];
    const unsigned char in[16] = {0};
    unsigned char out[16];
    mbedtls_aes_context aes;
    mbedtls_aes_init(&aes);
    int code = mbedtls_aes_setkey_enc(&aes, KEY, 8 * sizeof KEY);
    assert(code == 0);
    code = mbedtls_aes_crypt_ecb(&aes, MBEDTLS_AES_ENCRYPT, in, out);
    assert(code == 0);
    (void)code;
    mbedtls_aes_free(&aes);
}

static int parse(
    struct tls_context *context, const struct tls_credentials *credentials, struct error *err)
{
    int status = mbed_parse_certificates(&context->authority, credentials->authority, err);
    if (status != STATUS_OK) {
        return error_wrap(err, status, "the authority");
    }
    status = mbed_parse_certificates(&context->certificate, credentials->certificate, err);
    if (status != STATUS_OK) {
        return error_wrap(err, status, "our certificate");
    }
    status = mbed_parse_key(&context->key, credentials->key, err);
    return status == STATUS_OK ? STATUS_OK : error_wrap(err, status, "our key");
}

static int check_self(struct tls_context *context, struct error *err)
{
    mbedtls_x509_crt *own = &context->certificate;
    if (!mbed_is_pair(&own->pk, &context->key)) {
        return error_set(err, STATUS_INVALID, "our key is not that of our certificate");
    }
    if (identity_from_der(&context->self, bytes_of(own->raw.p, own->raw.len), err) != STATUS_OK) {
        return error_wrap(err, STATUS_INVALID, "our certificate");
    }
    if (context->role == TLS_SERVER && context->self.kind != IDENTITY_NODE) {
        return error_set(err, STATUS_INVALID, "our certificate is %s %s's: a server needs a node's",
            identity_kind_text(context->self.kind), context->self.name);
    }
    uint32_t flags = 0;
    int code = mbedtls_x509_crt_verify(own, &context->authority, NULL, NULL, &flags, NULL, NULL);
    uint32_t dates = MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE;
    if (code != 0 && (flags & ~dates) != 0) {
        return error_set(err, STATUS_INVALID, "our certificate is not signed by our authority");
    }
    return STATUS_OK;
}

static void set_version(mbedtls_ssl_config *config)
{
#if MBED_IS_3
    mbedtls_ssl_conf_min_tls_version(config, MBEDTLS_SSL_VERSION_TLS1_2);
    mbedtls_ssl_conf_max_tls_version(config, MBEDTLS_SSL_VERSION_TLS1_2);
    mbedtls_ssl_conf_groups(config, CURVES);
    mbedtls_ssl_conf_sig_algs(config, SIGNATURES);
#else
    mbedtls_ssl_conf_min_version(config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
    mbedtls_ssl_conf_max_version(config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
    mbedtls_ssl_conf_curves(config, CURVES);
    mbedtls_ssl_conf_sig_hashes(config, SIGNATURES);
#endif
}

static int configure(struct tls_context *context, struct error *err)
{
    mbedtls_ssl_config *config = &context->config;
    int endpoint = context->role == TLS_SERVER ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT;
    int code = mbedtls_ssl_config_defaults(
        config, endpoint, MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
    if (code == 0) {
        code = mbedtls_ssl_conf_alpn_protocols(config, PROTOCOLS);
    }
    if (code == 0) {
        code = mbedtls_ssl_conf_own_cert(config, &context->certificate, &context->key);
    }
    if (code != 0) {
        return mbed_error(err, STATUS_INTERNAL, code, "TLS configuration");
    }
    set_version(config);
    mbedtls_ssl_conf_ciphersuites(config, SUITES);
    mbedtls_ssl_conf_cert_profile(config, &mbedtls_x509_crt_profile_next);
    mbedtls_ssl_conf_authmode(config, MBEDTLS_SSL_VERIFY_REQUIRED);
    mbedtls_ssl_conf_ca_chain(config, &context->authority, NULL);
    mbedtls_ssl_conf_rng(config, mbed_random, NULL);
#if defined(MBEDTLS_SSL_RENEGOTIATION)
    mbedtls_ssl_conf_renegotiation(config, MBEDTLS_SSL_RENEGOTIATION_DISABLED);
#endif
#if defined(MBEDTLS_SSL_SESSION_TICKETS)
    mbedtls_ssl_conf_session_tickets(config, MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
#endif
    return STATUS_OK;
}

int tls_context_create(struct tls_context **context, enum tls_role role,
    const struct tls_credentials *credentials, struct error *err)
{
    *context = NULL;
    struct tls_context *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "TLS: out of memory");
    }
    atomic_init(&made->holders, 1);
    made->role = role;
    mbedtls_ssl_config_init(&made->config);
    mbedtls_x509_crt_init(&made->authority);
    mbedtls_x509_crt_init(&made->certificate);
    mbedtls_pk_init(&made->key);

    int status = parse(made, credentials, err);
    if (status == STATUS_OK) {
        status = check_self(made, err);
    }
    if (status == STATUS_OK) {
        status = configure(made, err);
    }
    if (status != STATUS_OK) {
        tls_context_release(made);
        return status;
    }
    *context = made;
    return STATUS_OK;
}

static void wipe(struct buffer *buffer)
{
    if (buffer->bytes != NULL) {
        mbedtls_platform_zeroize(buffer->bytes, buffer->capacity);
    }
    buffer_deinit(buffer);
}

int tls_context_load(struct tls_context **context, enum tls_role role,
    const struct tls_files *files, struct error *err)
{
    *context = NULL;
    struct buffer authority = {0};
    struct buffer certificate = {0};
    struct buffer key = {0};
    int status = pem_file_read(files->authority, &authority, err);
    if (status == STATUS_OK) {
        status = pem_file_read(files->certificate, &certificate, err);
    }
    if (status == STATUS_OK) {
        status = pem_file_read(files->key, &key, err);
    }
    if (status == STATUS_OK) {
        struct tls_credentials credentials = {
            .authority = buffer_bytes(&authority),
            .certificate = buffer_bytes(&certificate),
            .key = buffer_bytes(&key),
        };
        status = tls_context_create(context, role, &credentials, err);
        if (status != STATUS_OK) {
            status = error_wrap(err, status, "%s", files->certificate);
        }
    }
    buffer_deinit(&authority);
    buffer_deinit(&certificate);
    wipe(&key);
    return status;
}

void tls_context_hold(struct tls_context *context)
{
    unsigned before = atomic_fetch_add(&context->holders, 1);
    assert(before > 0);
    (void)before;
}

void tls_context_release(struct tls_context *context)
{
    unsigned before = atomic_fetch_sub(&context->holders, 1);
    assert(before > 0);
    if (before > 1) {
        return;
    }
    mbedtls_ssl_config_free(&context->config);
    mbedtls_pk_free(&context->key);
    mbedtls_x509_crt_free(&context->certificate);
    mbedtls_x509_crt_free(&context->authority);
    free(context);
}

void tls_context_destroy(struct tls_context *context)
{
    if (context != NULL) {
        tls_context_release(context);
    }
}

const struct identity *tls_context_identity(const struct tls_context *context)
{
    return &context->self;
}
