#include "rpc/certificate_writer.h"

#include "proto/uuid.h"
#include "rpc/mbed.h"

#include <mbedtls/asn1write.h>
#include <mbedtls/ecp.h>
#include <mbedtls/md.h>
#include <mbedtls/oid.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/x509_crt.h>

#include <assert.h>
#include <time.h>

enum { PEM_MAX = 32 * 1024, SERIAL_SIZE = 16 };

#define SEQUENCE (MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE)

/* ---- extensions ---- */

void certificate_names_init(struct certificate_names *names)
{
    names->begin = sizeof names->bytes;
    names->full = false;
}

/* mbedTLS writes ASN.1 backwards: contents, their length, the tag. Returns the size, or negative.
 */
static int write_element(uint8_t **at, uint8_t *start, unsigned char tag, struct bytes value)
{
    int ret;
    int size = 0;
    MBEDTLS_ASN1_CHK_ADD(size, mbedtls_asn1_write_raw_buffer(at, start, value.data, value.size));
    MBEDTLS_ASN1_CHK_ADD(size, mbedtls_asn1_write_len(at, start, value.size));
    MBEDTLS_ASN1_CHK_ADD(size, mbedtls_asn1_write_tag(at, start, tag));
    return size;
}

void certificate_names_add(
    struct certificate_names *names, enum certificate_name kind, struct bytes value)
{
    assert(names->begin <= sizeof names->bytes);
    uint8_t *at = names->bytes + names->begin;
    int size = write_element(&at, names->bytes, (unsigned char)kind, value);
    if (size < 0) {
        names->full = true;
        return;
    }
    names->begin -= (size_t)size;
    assert(at == names->bytes + names->begin);
}

void certificate_names_add_text(
    struct certificate_names *names, enum certificate_name kind, const char *value)
{
    certificate_names_add(names, kind, bytes_of(value, strlen(value)));
}

static int set_names(mbedtls_x509write_cert *crt, const struct certificate_names *names)
{
    enum { HEADER_MAX = 8 };
    uint8_t bytes[CERTIFICATE_NAMES_SIZE + HEADER_MAX];
    uint8_t *at = bytes + sizeof bytes;
    if (names->full) {
        return MBEDTLS_ERR_ASN1_BUF_TOO_SMALL;
    }
    int size = write_element(&at, bytes, SEQUENCE,
        bytes_of(names->bytes + names->begin, sizeof names->bytes - names->begin));
    if (size < 0) {
        return size;
    }
    return mbedtls_x509write_crt_set_extension(crt, MBEDTLS_OID_SUBJECT_ALT_NAME,
        MBEDTLS_OID_SIZE(MBEDTLS_OID_SUBJECT_ALT_NAME), 0, at, (size_t)size);
}

static int set_extended_usages(mbedtls_x509write_cert *crt, const struct certificate_draft *draft)
{
    static const char SERVER[] = MBEDTLS_OID_SERVER_AUTH;
    static const char CLIENT[] = MBEDTLS_OID_CLIENT_AUTH;
    uint8_t bytes[64];
    uint8_t *at = bytes + sizeof bytes;
    int ret;
    int size = 0;
    if (draft->client) {
        MBEDTLS_ASN1_CHK_ADD(
            size, write_element(&at, bytes, MBEDTLS_ASN1_OID, bytes_of(CLIENT, sizeof CLIENT - 1)));
    }
    if (draft->server) {
        MBEDTLS_ASN1_CHK_ADD(
            size, write_element(&at, bytes, MBEDTLS_ASN1_OID, bytes_of(SERVER, sizeof SERVER - 1)));
    }
    MBEDTLS_ASN1_CHK_ADD(size, mbedtls_asn1_write_len(&at, bytes, (size_t)size));
    MBEDTLS_ASN1_CHK_ADD(size, mbedtls_asn1_write_tag(&at, bytes, SEQUENCE));
    return mbedtls_x509write_crt_set_extension(crt, MBEDTLS_OID_EXTENDED_KEY_USAGE,
        MBEDTLS_OID_SIZE(MBEDTLS_OID_EXTENDED_KEY_USAGE), 0, at, (size_t)size);
}

static int set_extensions(mbedtls_x509write_cert *crt, const struct certificate_draft *draft)
{
    /* An authority signs no other authority: path length 0. */
    int code = mbedtls_x509write_crt_set_basic_constraints(
        crt, draft->authority, draft->authority ? 0 : -1);
    if (code == 0) {
        code = mbedtls_x509write_crt_set_key_usage(crt,
            draft->authority ? MBEDTLS_X509_KU_KEY_CERT_SIGN | MBEDTLS_X509_KU_CRL_SIGN
                             : MBEDTLS_X509_KU_DIGITAL_SIGNATURE);
    }
    if (code == 0) {
        code = mbedtls_x509write_crt_set_subject_key_identifier(crt);
    }
    if (code == 0) {
        code = mbedtls_x509write_crt_set_authority_key_identifier(crt);
    }
    if (code == 0) {
        code = set_names(crt, draft->names);
    }
    if (code == 0 && !draft->authority) {
        code = set_extended_usages(crt, draft);
    }
    return code;
}

/* ---- the certificate ---- */

static int set_validity(mbedtls_x509write_cert *crt, const struct certificate_draft *draft)
{
    enum { SIZE = sizeof "YYYYMMDDhhmmss" };
    char from[SIZE];
    char to[SIZE];
    time_t from_s = (time_t)draft->not_before_s;
    time_t to_s = (time_t)draft->not_after_s;
    struct tm tm;
    if (gmtime_r(&from_s, &tm) == NULL || strftime(from, SIZE, "%Y%m%d%H%M%S", &tm) == 0) {
        return MBEDTLS_ERR_X509_INVALID_DATE;
    }
    if (gmtime_r(&to_s, &tm) == NULL || strftime(to, SIZE, "%Y%m%d%H%M%S", &tm) == 0) {
        return MBEDTLS_ERR_X509_INVALID_DATE;
    }
    return mbedtls_x509write_crt_set_validity(crt, from, to);
}

/* Random, positive, of full length (RFC 5280 §4.1.2.2). */
static int set_serial(mbedtls_x509write_cert *crt)
{
    unsigned char serial[SERIAL_SIZE];
    random_bytes(serial, sizeof serial);
    serial[0] = (unsigned char)((serial[0] & 0x3F) | 0x40);
#if MBED_IS_3
    return mbedtls_x509write_crt_set_serial_raw(crt, serial, sizeof serial);
#else
    mbedtls_mpi number;
    mbedtls_mpi_init(&number);
    int code = mbedtls_mpi_read_binary(&number, serial, sizeof serial);
    if (code == 0) {
        code = mbedtls_x509write_crt_set_serial(crt, &number);
    }
    mbedtls_mpi_free(&number);
    return code;
#endif
}

static int set_all(mbedtls_x509write_cert *crt, const struct certificate_draft *draft)
{
    mbedtls_x509write_crt_set_md_alg(crt, MBEDTLS_MD_SHA256);
    mbedtls_x509write_crt_set_subject_key(crt, draft->subject_key);
    mbedtls_x509write_crt_set_issuer_key(crt, draft->issuer_key);
    int code = mbedtls_x509write_crt_set_subject_name(crt, draft->subject);
    if (code == 0) {
        code = mbedtls_x509write_crt_set_issuer_name(crt, draft->issuer);
    }
    if (code == 0) {
        code = set_serial(crt);
    }
    if (code == 0) {
        code = set_validity(crt, draft);
    }
    return code == 0 ? set_extensions(crt, draft) : code;
}

int certificate_write(const struct certificate_draft *draft, struct buffer *out, struct error *err)
{
    assert(draft->authority != (draft->server || draft->client));
    uint8_t *room = buffer_reserve(out, PEM_MAX);
    if (room == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "certificate: out of memory");
    }
    mbedtls_x509write_cert crt;
    mbedtls_x509write_crt_init(&crt);
    int code = set_all(&crt, draft);
    if (code == 0) {
        code = mbedtls_x509write_crt_pem(&crt, room, PEM_MAX, mbed_random, NULL);
    }
    mbedtls_x509write_crt_free(&crt);
    if (code != 0) {
        return mbed_error(err, STATUS_INVALID, code, "the certificate cannot be written");
    }
    buffer_commit(out, strlen((const char *)room));
    return STATUS_OK;
}

/* ---- keys ---- */

int certificate_key_generate(mbedtls_pk_context *key, struct error *err)
{
    int code = mbedtls_pk_setup(key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));
    if (code == 0) {
        code =
            mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(*key), mbed_random, NULL);
    }
    return code == 0 ? STATUS_OK : mbed_error(err, STATUS_INTERNAL, code, "no key can be made");
}

int certificate_key_write(mbedtls_pk_context *key, struct buffer *out, struct error *err)
{
    enum { KEY_MAX = 1024 };
    unsigned char pem[KEY_MAX];
    int code = mbedtls_pk_write_key_pem(key, pem, sizeof pem);
    int status = code == 0 ? buffer_append(out, pem, strlen((const char *)pem))
                           : mbed_error(err, STATUS_INTERNAL, code, "the key cannot be written");
    mbedtls_platform_zeroize(pem, sizeof pem);
    if (status == STATUS_NO_MEMORY) {
        return error_set(err, status, "key: out of memory");
    }
    return status;
}
