#include "proto/uuid.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

void random_bytes(void *out, size_t size)
{
    uint8_t *at = out;
    while (size > 0) {
        ssize_t n = getrandom(at, size, 0);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            abort();
        }
        at += n;
        size -= (size_t)n;
    }
}

uint64_t random_id(void)
{
    uint64_t id = 0;
    while (id == 0) {
        random_bytes(&id, sizeof id);
    }
    return id;
}

void uuid7(int64_t unix_ms, uint8_t out[UUID_SIZE])
{
    enum { TIME_SIZE = 6 };
    assert(unix_ms >= 0 && unix_ms >> (8 * TIME_SIZE) == 0);

    random_bytes(out, UUID_SIZE);
    for (int i = 0; i < TIME_SIZE; i++) {
        out[i] = (uint8_t)(unix_ms >> (8 * (TIME_SIZE - 1 - i)));
    }
    out[6] = (uint8_t)(0x70 | (out[6] & 0x0F)); /* Version 7. */
    out[8] = (uint8_t)(0x80 | (out[8] & 0x3F)); /* Variant of RFC 9562. */
}
