/* Random bytes from the kernel (getrandom(2)), and ids made of them. Aborts where the kernel has
 * none: there is no safe way on. */
#ifndef PROTO_UUID_H
#define PROTO_UUID_H

#include <stddef.h>
#include <stdint.h>

enum { UUID_SIZE = 16 };

void random_bytes(void *out, size_t size);

/* Never 0. */
uint64_t random_id(void);

/* UUIDv7 (RFC 9562 §5.7) of this time; within one millisecond random, not ordered. */
void uuid7(int64_t unix_ms, uint8_t out[UUID_SIZE]);

#endif
