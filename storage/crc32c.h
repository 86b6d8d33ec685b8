/* CRC-32C (Castagnoli; RFC 3720 appendix B.4), by the processor's own instruction where it has one.
 * Pure; any thread. */
#ifndef STORAGE_CRC32C_H
#define STORAGE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Start with 0; feed the result back to go on. */
uint32_t crc32c(uint32_t crc, const void *data, size_t size);

/* The same on any processor, slower: what crc32c() falls back to. */
uint32_t crc32c_portable(uint32_t crc, const void *data, size_t size);

#endif
