/* A reader of protobuf's wire format (https://protobuf.dev/programming-guides/encoding), for the
 * places that must see bytes as they came, not as decoders merge them. Trusts nothing; allocates
 * nothing; pure.
 *
 *     struct wire_reader r = wire_reader_of(message);
 *     struct wire_field f;
 *     while (wire_next(&r, &f)) { … }
 *     if (r.malformed) …
 */
#ifndef PROTO_WIRE_H
#define PROTO_WIRE_H

#include "proto/bytes.h"

struct wire_reader {
    struct bytes rest;
    bool malformed;
};

enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

struct wire_field {
    uint32_t number;
    enum wire_type type;
    uint64_t value;     /* Of WIRE_VARINT, WIRE_FIXED64, WIRE_FIXED32. */
    struct bytes bytes; /* Of WIRE_BYTES: borrowed from the message. */
    struct bytes whole; /* Tag and value, as they stand in the message. */
};

struct wire_reader wire_reader_of(struct bytes message);

/* False at the end, and at the first byte that cannot be; then r->malformed says which. Groups
 * (wire types 3 and 4) are malformed: proto3 has none. */
bool wire_next(struct wire_reader *r, struct wire_field *field);

/* The one occurrence of a length-delimited field. STATUS_NOT_FOUND, STATUS_MALFORMED (also where
 * the field is there twice, or is of another type). */
int wire_slice(struct bytes message, uint32_t number, struct bytes *slice);

/* The last occurrence of a scalar field, or otherwise. */
uint64_t wire_scalar(struct bytes message, uint32_t number, uint64_t otherwise);

#endif
