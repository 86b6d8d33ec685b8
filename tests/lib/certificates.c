#include "tests/lib/certificates.h"

#include "rpc/mbed.h"

#include <assert.h>
#include <time.h>

struct authority *certificates_authority(uint8_t cluster)
{
    uint8_t id[UUID_SIZE];
    memset(id, cluster, sizeof id);
    struct authority *authority;
    int status = authority_create(&authority, id, (int64_t)time(NULL) - 1000LL * 86400, NULL);
    assert(status == STATUS_OK);
    (void)status;
    return authority;
}

struct certificate_request certificates_node(uint64_t node)
{
    return (struct certificate_request){.kind = IDENTITY_NODE, .node = node};
}

struct certificate_request certificates_client(enum identity_kind kind, const char *name)
{
    return (struct certificate_request){.kind = kind, .name = name};
}

struct issued certificates_issue(
    const struct authority *authority, const struct certificate_request *request, int age_days)
{
    struct issued issued;
    int64_t then = (int64_t)time(NULL) - (int64_t)age_days * 86400;
    int status = authority_issue(authority, request, then, &issued, NULL);
    assert(status == STATUS_OK);
    (void)status;
    return issued;
}

struct tls_context *certificates_context(const struct authority *authority,
    const struct authority *issuer, enum tls_role role, const struct certificate_request *request)
{
    struct issued issued = certificates_issue(issuer, request, 0);
    struct buffer trusted = {0};
    struct bytes own = authority_certificate(authority);
    struct bytes other = authority_certificate(issuer);
    int status = buffer_append(&trusted, own.data, own.size);
    assert(status == STATUS_OK);
    if (authority != issuer) {
        status = buffer_append(&trusted, other.data, other.size);
        assert(status == STATUS_OK);
    }
    struct tls_credentials credentials = {
        .authority = buffer_bytes(&trusted),
        .certificate = buffer_bytes(&issued.certificate),
        .key = buffer_bytes(&issued.key),
    };
    struct tls_context *context;
    status = tls_context_create(&context, role, &credentials, NULL);
    assert(status == STATUS_OK);
    (void)status;
    buffer_deinit(&trusted);
    issued_deinit(&issued);
    return context;
}

struct bytes certificates_der(const struct issued *issued, uint8_t *out)
{
    mbedtls_x509_crt crt;
    mbedtls_x509_crt_init(&crt);
    int status = mbed_parse_certificates(&crt, buffer_bytes(&issued->certificate), NULL);
    assert(status == STATUS_OK && crt.raw.len <= IDENTITY_DER_MAX);
    (void)status;
    memcpy(out, crt.raw.p, crt.raw.len);
    struct bytes der = bytes_of(out, crt.raw.len);
    mbedtls_x509_crt_free(&crt);
    return der;
}
