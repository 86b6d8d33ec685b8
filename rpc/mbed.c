#include "rpc/mbed.h"

#include "proto/uuid.h"

#include <mbedtls/error.h>
#include <mbedtls/platform_util.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int mbed_random(void *unused, unsigned char *out, size_t size)
{
    (void)unused;
    random_bytes(out, size);
    return 0;
}

/* A code is the sum of a module's and, in the low seven bits, what stopped it. */
static bool is_out_of_memory(int code)
{
    enum { LOW = 0x7F };
    return (-code & LOW) == -MBEDTLS_ERR_ASN1_ALLOC_FAILED ||
        code == MBEDTLS_ERR_X509_ALLOC_FAILED || code == MBEDTLS_ERR_PK_ALLOC_FAILED ||
        code == MBEDTLS_ERR_MPI_ALLOC_FAILED;
}

int mbed_error(struct error *err, int status, int code, const char *what)
{
    if (is_out_of_memory(code)) {
        return error_set(err, STATUS_NO_MEMORY, "%s: out of memory", what);
    }
    char text[128] = "";
    mbedtls_strerror(code, text, sizeof text);
    return error_set(err, status, "%s: %s", what, text);
}

/* mbedTLS takes PEM only with its NUL, counted. NULL when out of memory. */
static unsigned char *copy_with_nul(struct bytes pem)
{
    unsigned char *text = malloc(pem.size + 1);
    if (text != NULL) {
        if (pem.size > 0) {
            memcpy(text, pem.data, pem.size);
        }
        text[pem.size] = '\0';
    }
    return text;
}

static void wipe(unsigned char *text, size_t size)
{
    mbedtls_platform_zeroize(text, size);
    free(text);
}

int mbed_parse_certificates(mbedtls_x509_crt *chain, struct bytes pem, struct error *err)
{
    unsigned char *text = copy_with_nul(pem);
    if (text == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "certificate: out of memory");
    }
    int code = mbedtls_x509_crt_parse(chain, text, pem.size + 1);
    free(text);
    if (code > 0) {
        return error_set(err, STATUS_INVALID, "%d of the certificates cannot be read", code);
    }
    return code == 0 ? STATUS_OK : mbed_error(err, STATUS_INVALID, code, "no PEM certificate");
}

int mbed_parse_key(mbedtls_pk_context *key, struct bytes pem, struct error *err)
{
    unsigned char *text = copy_with_nul(pem);
    if (text == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "key: out of memory");
    }
#if MBED_IS_3
    int code = mbedtls_pk_parse_key(key, text, pem.size + 1, NULL, 0, mbed_random, NULL);
#else
    int code = mbedtls_pk_parse_key(key, text, pem.size + 1, NULL, 0);
#endif
    wipe(text, pem.size + 1);
    if (code != 0) {
        return mbed_error(err, STATUS_INVALID, code, "no PEM key");
    }
    if (!mbedtls_pk_can_do(key, MBEDTLS_PK_ECDSA)) {
        return error_set(err, STATUS_INVALID, "the key is not an ECDSA key");
    }
    return STATUS_OK;
}

bool mbed_is_pair(const mbedtls_pk_context *public, const mbedtls_pk_context *key)
{
#if MBED_IS_3
    return mbedtls_pk_check_pair(public, key, mbed_random, NULL) == 0;
#else
    return mbedtls_pk_check_pair(public, key) == 0;
#endif
}

int64_t mbed_seconds(const mbedtls_x509_time *time)
{
    struct tm tm = {
        .tm_year = time->year - 1900,
        .tm_mon = time->mon - 1,
        .tm_mday = time->day,
        .tm_hour = time->hour,
        .tm_min = time->min,
        .tm_sec = time->sec,
    };
    return (int64_t)timegm(&tm);
}
