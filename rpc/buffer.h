/* Bytes on their way: appended at the end, consumed from the front.
 *
 * What is held is the size bytes from bytes + begin. The space before them is used again when the
 * end is reached; it is given back by buffer_deinit() alone. A buffer of zeros is an empty one.
 * The buffer does not bound itself: whoever fills it stops in time (BUFFER_SIZE_MAX is only against
 * arithmetic).
 *
 * Threads: one at a time. */
#ifndef RPC_BUFFER_H
#define RPC_BUFFER_H

#include "proto/bytes.h"

enum { BUFFER_SIZE_MAX = 1 << 30 };

struct buffer {
    uint8_t *bytes;
    size_t begin;
    size_t size;
    size_t capacity;
};

void buffer_init(struct buffer *buffer);
/* Leaves an empty buffer, which may be used again. */
void buffer_deinit(struct buffer *buffer);

/* What is held; borrowed until the buffer next changes. */
struct bytes buffer_bytes(const struct buffer *buffer);

/* Room for size more bytes: the caller writes them there and buffer_commit()s as many as it wrote,
 * before anything else is done with the buffer. NULL when out of memory; what is held stays. */
uint8_t *buffer_reserve(struct buffer *buffer, size_t size);
void buffer_commit(struct buffer *buffer, size_t size);

/* STATUS_OK or STATUS_NO_MEMORY, which leaves what was held. data is not of this buffer. */
int buffer_append(struct buffer *buffer, const void *data, size_t size);

/* Drops the first size bytes; there are that many. */
void buffer_consume(struct buffer *buffer, size_t size);
void buffer_clear(struct buffer *buffer);

#endif
