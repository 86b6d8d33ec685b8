/* Bytes and ids as people read them: lower-case hexadecimal. Pure. */
#ifndef PROTO_HEX_H
#define PROTO_HEX_H

#include "proto/bytes.h"

enum { HEX_ID_SIZE = 17 }; /* A 64-bit id, 16 digits, and the NUL. */

/* out holds 2 * size + 1 bytes. Returns out. */
char *hex_encode(const void *data, size_t size, char *out);

/* Exactly 2 * size digits, else false. Either case is read. */
bool hex_decode(const char *text, void *out, size_t size);

/* A node's id: always 16 digits when written, 1 to 16 when read, never 0. */
char *hex_id(uint64_t id, char out[HEX_ID_SIZE]);
bool hex_parse_id(const char *text, uint64_t *id);

#endif
