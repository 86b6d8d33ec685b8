#include "storage/leaf.h"

/* Keeps leaves apart from inner nodes, whose hashes begin with 0x01. */
static const uint8_t leaf_prefix = 0x00;

void leaf_hash(uint32_t group, const struct record *record, const uint8_t verdict_hash[SHA256_SIZE],
    uint8_t leaf[SHA256_SIZE])
{
    uint8_t payload_hash[SHA256_SIZE];
    sha256_of(record->payload, payload_hash);

    struct sha256 sha;
    sha256_init(&sha);
    sha256_update_u8(&sha, leaf_prefix);
    sha256_update_u32(&sha, group);
    sha256_update_u64(&sha, record->index);
    sha256_update_u8(&sha, (uint8_t)record->kind);
    sha256_update(&sha, payload_hash, SHA256_SIZE);
    sha256_update(&sha, verdict_hash, SHA256_SIZE);
    sha256_final(&sha, leaf);
}

void digest_extend(uint8_t digest[SHA256_SIZE], const uint8_t leaf[SHA256_SIZE])
{
    struct sha256 sha;
    sha256_init(&sha);
    sha256_update(&sha, digest, SHA256_SIZE);
    sha256_update(&sha, leaf, SHA256_SIZE);
    sha256_final(&sha, digest);
}
