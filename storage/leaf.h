/* The leaf of a record: what proofs and the running digest are made of. Sources: RFC 6962 §2.1 for
 * the leading 0x00; the fields are ours (docs/FORMATS.md). Integers big-endian. The term stays out:
 * it belongs to consensus. Pure. */
#ifndef STORAGE_LEAF_H
#define STORAGE_LEAF_H

#include "proto/sha256.h"
#include "storage/record.h"

/* SHA-256(0x00 ‖ group u32 ‖ index u64 ‖ kind u8 ‖ SHA-256(payload) ‖ verdict_hash); verdict_hash
 * is SHA-256 of nothing for barriers and membership. Not for an erased record: its leaf is made of
 * the kind and payload hash that it keeps. */
void leaf_hash(uint32_t group, const struct record *record, const uint8_t verdict_hash[SHA256_SIZE],
    uint8_t leaf[SHA256_SIZE]);

/* d_i = SHA-256(d_{i-1} ‖ leaf_i), d_0 zeros. In place. */
void digest_extend(uint8_t digest[SHA256_SIZE], const uint8_t leaf[SHA256_SIZE]);

#endif
