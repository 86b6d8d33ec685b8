#include "rpc/certificate.h"

#include "rpc/buffer.h"
#include "rpc/identity_uri.h"
#include "rpc/mbed.h"
#include "rpc/pem_file.h"

int certificate_parse(struct bytes pem, struct certificate *certificate, struct error *err)
{
    *certificate = (struct certificate){0};
    mbedtls_x509_crt crt;
    mbedtls_x509_crt_init(&crt);
    int status = mbed_parse_certificates(&crt, pem, err);
    if (status == STATUS_OK) {
        struct bytes der = bytes_of(crt.raw.p, crt.raw.len);
        uint8_t *cluster = certificate->identity.cluster;
        certificate->not_before_s = mbed_seconds(&crt.valid_from);
        certificate->not_after_s = mbed_seconds(&crt.valid_to);
        certificate->authority = identity_authority_from_der(der, cluster, NULL) == STATUS_OK;
        if (!certificate->authority) {
            status = identity_from_der(&certificate->identity, der, err);
        }
    }
    mbedtls_x509_crt_free(&crt);
    return status;
}

int certificate_describe(const char *path, struct certificate *certificate, struct error *err)
{
    *certificate = (struct certificate){0};
    struct buffer pem = {0};
    int status = pem_file_read(path, &pem, err);
    if (status == STATUS_OK) {
        status = certificate_parse(buffer_bytes(&pem), certificate, err);
        status = status == STATUS_OK ? STATUS_OK : error_wrap(err, status, "%s", path);
    }
    buffer_deinit(&pem);
    return status;
}
