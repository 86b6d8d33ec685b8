/* SHA-256 (FIPS 180-4), by mbedTLS. Cannot fail. Any thread. */
#ifndef PROTO_SHA256_H
#define PROTO_SHA256_H

#include "proto/bytes.h"

#include <mbedtls/sha256.h>

enum { SHA256_SIZE = 32 };

struct sha256 {
    mbedtls_sha256_context context; /* Private. */
};

void sha256_init(struct sha256 *sha);
void sha256_update(struct sha256 *sha, const void *data, size_t size);
void sha256_update_u8(struct sha256 *sha, uint8_t value);
/* Big-endian. */
void sha256_update_u32(struct sha256 *sha, uint32_t value);
void sha256_update_u64(struct sha256 *sha, uint64_t value);
/* Ends the hash; sha needs a new sha256_init() before it is used again. */
void sha256_final(struct sha256 *sha, uint8_t out[SHA256_SIZE]);

void sha256_of(struct bytes data, uint8_t out[SHA256_SIZE]);

#endif
