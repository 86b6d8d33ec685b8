/* Decoding of what strangers send. protobuf-c 1.4 accepts invalid UTF-8, cuts strings at a NUL,
 * recurses without limit, keeps unknown fields at many times their size and lets an empty
 * submessage of two bytes cost a hundred; so every message is walked over first, and then unpacked
 * into an arena. Pure; any thread. */
#ifndef PROTO_GUARD_H
#define PROTO_GUARD_H

#include "proto/arena.h"
#include "proto/bytes.h"
#include "proto/status.h"

enum {
    GUARD_DEPTH_MAX = 16,
    GUARD_MESSAGES_MAX = 65536, /* Submessages in one message. */
    GUARD_ARENA_FACTOR = 8,     /* Decoded size against encoded, and */
    GUARD_ARENA_BASE = 64 << 10,
};

/* What an arena may take for a message of at most so many encoded bytes: of the most that may come,
 * not of the one at hand. A small one of many submessages decodes to more than its share. */
static inline size_t guard_arena_limit(size_t encoded)
{
    return encoded * GUARD_ARENA_FACTOR + GUARD_ARENA_BASE;
}

/* STATUS_OK, or STATUS_MALFORMED with a sentence. err may be NULL. */
int guard_check(const ProtobufCMessageDescriptor *type, struct bytes encoded, struct error *err);

/* Checks and unpacks. The message lives as long as the arena; nothing of it needs freeing. NULL:
 * err says why. */
ProtobufCMessage *guard_decode(const ProtobufCMessageDescriptor *type, struct bytes encoded,
    struct arena *arena, struct error *err);

#endif
