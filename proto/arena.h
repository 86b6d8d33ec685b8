/* Memory of one call: taken in small pieces, given back all at once, and never more than its limit,
 * so that no message can make us allocate without bound. Serves protobuf-c as its allocator; a NULL
 * from it unwinds an unpack cleanly.
 *
 * Threads: one at a time. */
#ifndef PROTO_ARENA_H
#define PROTO_ARENA_H

#include <protobuf-c/protobuf-c.h>

#include <stddef.h>

struct arena_block;

struct arena {
    size_t limit;
    size_t used; /* Bytes handed out. */
    size_t held; /* Bytes of the blocks they are of. */
    struct arena_block *blocks;
    ProtobufCAllocator allocator; /* Of this arena, for protobuf-c: arena must not move. */
};

/* limit in bytes. Takes no memory yet. */
void arena_init(struct arena *arena, size_t limit);

/* Gives everything back; the arena may be used again. */
void arena_reset(struct arena *arena);

/* Zeroed and aligned for anything; NULL when the limit or the memory is used up. Lives until
 * arena_reset(). */
void *arena_alloc(struct arena *arena, size_t size);

/* A copy with a NUL behind it. */
char *arena_copy(struct arena *arena, const void *data, size_t size);

#endif
