/* An identity out of a certificate's DER. mbedTLS 2.28 parses host names only, but keeps every
 * alternative name with its tag (RFC 5280 §4.2.1.6), which is all that is needed. */
#include "rpc/identity_uri.h"
#include "rpc/mbed.h"

#include <mbedtls/oid.h>

#include <assert.h>
#include <strings.h>

enum { TAG_DNS = 0x82, TAG_URI = 0x86, TAG_IP = 0x87 };

#define HOST_SUFFIX ".zhurnal"

/* ---- usages ---- */

struct usages {
    bool server;
    bool client;
    bool other;
};

/* mbedTLS's own check takes a certificate without usages for one that may do anything. */
static struct usages usages_of(const mbedtls_x509_crt *crt)
{
    struct usages usages = {0};
    const mbedtls_x509_sequence *oid = &crt->ext_key_usage;
    for (; oid != NULL && oid->buf.p != NULL; oid = oid->next) {
        if (MBEDTLS_OID_CMP(MBEDTLS_OID_SERVER_AUTH, &oid->buf) == 0) {
            usages.server = true;
        } else if (MBEDTLS_OID_CMP(MBEDTLS_OID_CLIENT_AUTH, &oid->buf) == 0) {
            usages.client = true;
        } else {
            usages.other = true;
        }
    }
    return usages;
}

static int check_usages(
    const struct identity *identity, const mbedtls_x509_crt *crt, struct error *err)
{
    struct usages usages = usages_of(crt);
    bool node = identity->kind == IDENTITY_NODE;
    if (usages.client && !usages.other && usages.server == node) {
        return STATUS_OK;
    }
    return error_set(err, STATUS_UNAUTHENTICATED,
        node ? "a node's certificate must be for servers and clients, and nothing else"
             : "the certificate of a client must be for clients, and nothing else");
}

/* ---- hosts ---- */

static bool is_ours(struct bytes host)
{
    enum { SIZE = sizeof HOST_SUFFIX - 1 };
    return host.size >= SIZE &&
        strncasecmp((const char *)host.data + host.size - SIZE, HOST_SUFFIX, SIZE) == 0;
}

/* Under .zhurnal a node has its own name only: another's would let it answer for that one. */
static int check_node_hosts(
    const struct identity *identity, const mbedtls_x509_crt *crt, struct error *err)
{
    char text[IDENTITY_HOST_SIZE];
    struct bytes own = bytes_of(identity_host(identity->node, text), IDENTITY_HOST_SIZE - 1);
    bool found = false;
    const mbedtls_x509_sequence *name = &crt->subject_alt_names;
    for (; name != NULL && name->buf.p != NULL; name = name->next) {
        struct bytes host = bytes_of(name->buf.p, name->buf.len);
        if (name->buf.tag != TAG_DNS) {
            continue;
        }
        if (bytes_equal(host, own)) {
            found = true;
        } else if (is_ours(host)) {
            return error_set(err, STATUS_UNAUTHENTICATED,
                "the certificate of node %s has another node's host name", identity->name);
        }
    }
    return found
        ? STATUS_OK
        : error_set(err, STATUS_UNAUTHENTICATED,
              "the certificate of node %s does not name its host %s", identity->name, text);
}

static int check_hosts(
    const struct identity *identity, const mbedtls_x509_crt *crt, struct error *err)
{
    if (identity->kind == IDENTITY_NODE) {
        return check_node_hosts(identity, crt, err);
    }
    const mbedtls_x509_sequence *name = &crt->subject_alt_names;
    for (; name != NULL && name->buf.p != NULL; name = name->next) {
        if (name->buf.tag != TAG_URI) {
            return error_set(err, STATUS_UNAUTHENTICATED,
                "the certificate of %s %s names a host: only a node's may",
                identity_kind_text(identity->kind), identity->name);
        }
    }
    return STATUS_OK;
}

/* ---- the whole ---- */

static int read_names(struct identity *identity, const mbedtls_x509_crt *crt, struct error *err)
{
    const mbedtls_x509_sequence *name = &crt->subject_alt_names;
    for (; name != NULL && name->buf.p != NULL; name = name->next) {
        struct bytes value = bytes_of(name->buf.p, name->buf.len);
        if (name->buf.tag == TAG_URI) {
            int status = identity_add_uri(identity, value, err);
            if (status != STATUS_OK) {
                return status;
            }
        } else if (name->buf.tag != TAG_DNS && name->buf.tag != TAG_IP) {
            return error_set(err, STATUS_UNAUTHENTICATED,
                "the certificate has a name that is no URI, DNS name or address");
        } else if (name->buf.tag == TAG_DNS && memchr(value.data, '\0', value.size) != NULL) {
            return error_set(err, STATUS_UNAUTHENTICATED, "the certificate hides part of a name");
        }
    }
    return STATUS_OK;
}

static int read_identity(struct identity *identity, const mbedtls_x509_crt *crt, struct error *err)
{
    if (crt->MBEDTLS_PRIVATE(ca_istrue) != 0) {
        return error_set(err, STATUS_UNAUTHENTICATED, "an authority's certificate names nobody");
    }
    int status = read_names(identity, crt, err);
    if (status != STATUS_OK) {
        return status;
    }
    if (identity->kind == 0) {
        return error_set(
            err, STATUS_UNAUTHENTICATED, "the certificate names nobody (no zhurnal:// URI)");
    }
    if (identity->kind != IDENTITY_FRONTEND && identity->school_count > 0) {
        return error_set(err, STATUS_UNAUTHENTICATED,
            "the certificate of %s %s names schools: only a frontend's may",
            identity_kind_text(identity->kind), identity->name);
    }
    status = check_usages(identity, crt, err);
    return status == STATUS_OK ? check_hosts(identity, crt, err) : status;
}

static int parse(mbedtls_x509_crt *crt, struct bytes der, struct error *err)
{
    if (der.size == 0 || der.size > IDENTITY_DER_MAX) {
        return error_set(err, STATUS_UNAUTHENTICATED, "the certificate is empty or too large");
    }
    int code = mbedtls_x509_crt_parse_der(crt, der.data, der.size);
    if (code != 0) {
        return mbed_error(err, STATUS_UNAUTHENTICATED, code, "the certificate does not parse");
    }
    if (crt->raw.len != der.size) {
        return error_set(err, STATUS_UNAUTHENTICATED, "something stands behind the certificate");
    }
    return STATUS_OK;
}

int identity_from_der(struct identity *identity, struct bytes der, struct error *err)
{
    struct identity read = {0};
    mbedtls_x509_crt crt;
    mbedtls_x509_crt_init(&crt);
    int status = parse(&crt, der, err);
    if (status == STATUS_OK) {
        status = read_identity(&read, &crt, err);
    }
    mbedtls_x509_crt_free(&crt);
    if (status == STATUS_OK) {
        sha256_of(der, read.certificate_sha256);
    } else {
        read = (struct identity){0};
    }
    *identity = read;
    return status;
}

static bool find_authority(const mbedtls_x509_crt *crt, uint8_t cluster[UUID_SIZE])
{
    const mbedtls_x509_sequence *name = &crt->subject_alt_names;
    for (; name != NULL && name->buf.p != NULL; name = name->next) {
        struct bytes value = bytes_of(name->buf.p, name->buf.len);
        if (name->buf.tag == TAG_URI && identity_read_authority_uri(value, cluster)) {
            return true;
        }
    }
    return false;
}

int identity_authority_from_der(struct bytes der, uint8_t cluster[UUID_SIZE], struct error *err)
{
    mbedtls_x509_crt crt;
    mbedtls_x509_crt_init(&crt);
    int status = parse(&crt, der, err);
    if (status == STATUS_OK &&
        (crt.MBEDTLS_PRIVATE(ca_istrue) == 0 || !find_authority(&crt, cluster))) {
        status = error_set(err, STATUS_UNAUTHENTICATED,
            "the certificate is no cluster's authority (no zhurnal://<cluster>/authority)");
    }
    mbedtls_x509_crt_free(&crt);
    return status;
}
