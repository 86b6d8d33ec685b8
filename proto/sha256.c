#include "proto/sha256.h"

#include "proto/integer.h"

#include <mbedtls/version.h>

#include <assert.h>

/* mbedTLS 2 kept the plain names for variants that return nothing. */
#if MBEDTLS_VERSION_MAJOR < 3
#define mbedtls_sha256_starts mbedtls_sha256_starts_ret
#define mbedtls_sha256_update mbedtls_sha256_update_ret
#define mbedtls_sha256_finish mbedtls_sha256_finish_ret
#endif

/* The status these calls return is for hardware engines; software has nothing to fail. */
static void must(int rc)
{
    assert(rc == 0);
}

void sha256_init(struct sha256 *sha)
{
    mbedtls_sha256_init(&sha->context);
    must(mbedtls_sha256_starts(&sha->context, 0));
}

void sha256_update(struct sha256 *sha, const void *data, size_t size)
{
    if (size > 0) {
        must(mbedtls_sha256_update(&sha->context, data, size));
    }
}

void sha256_update_u8(struct sha256 *sha, uint8_t value)
{
    sha256_update(sha, &value, sizeof value);
}

void sha256_update_u32(struct sha256 *sha, uint32_t value)
{
    uint8_t out[sizeof value];
    put_u32_be(out, value);
    sha256_update(sha, out, sizeof out);
}

void sha256_update_u64(struct sha256 *sha, uint64_t value)
{
    uint8_t out[sizeof value];
    put_u64_be(out, value);
    sha256_update(sha, out, sizeof out);
}

void sha256_final(struct sha256 *sha, uint8_t out[SHA256_SIZE])
{
    must(mbedtls_sha256_finish(&sha->context, out));
    mbedtls_sha256_free(&sha->context);
}

void sha256_of(struct bytes data, uint8_t out[SHA256_SIZE])
{
    struct sha256 sha;
    sha256_init(&sha);
    sha256_update(&sha, data.data, data.size);
    sha256_final(&sha, out);
}
