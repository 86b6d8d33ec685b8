/* gRPC's messages within a body: a byte that says whether it is compressed, four bytes of length,
 * the message. Bytes go in as they come, messages come out.
 *
 * A message larger than the limit is known by its first five bytes, before it is buffered. Pure but
 * for memory; one thread at a time. */
#ifndef RPC_FRAMING_H
#define RPC_FRAMING_H

#include "rpc/buffer.h"

enum { FRAMING_PREFIX_SIZE = 5 };

struct framing {
    struct buffer buffer;
    size_t message_max;
    size_t taken; /* Bytes at the buffer's front that were handed out. */
};

void framing_init(struct framing *framing, size_t message_max);
void framing_deinit(struct framing *framing);

/* Bytes held that were not handed out. */
size_t framing_held(const struct framing *framing);

/* STATUS_OK or STATUS_NO_MEMORY. Ends the borrowing of the last message. */
int framing_push(struct framing *framing, struct bytes data);

/* Looks at what comes next and leaves it there. STATUS_OK: a message, borrowed until the next push
 * or take. STATUS_NOT_FOUND: more bytes are needed. STATUS_TOO_LARGE. STATUS_MALFORMED: the first
 * byte is neither 0 nor 1. STATUS_UNIMPLEMENTED: it is compressed. */
int framing_peek(const struct framing *framing, struct bytes *message);
/* The same, and goes past it. */
int framing_take(struct framing *framing, struct bytes *message);

void framing_prefix(uint8_t out[FRAMING_PREFIX_SIZE], size_t message_size);

#endif
