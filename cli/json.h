/* Messages as proto3 JSON (https://protobuf.dev/programming-guides/json/), by their descriptors.
 * Written: names in lowerCamelCase, enums by name, 64-bit numbers as strings, bytes in base64,
 * defaults left out. Read: names in either form, numbers as numbers or strings, an entry id also as
 * it is shown (32 hexadecimal digits, or a UUID with its hyphens); what is not known is an error
 * that names its path. Pure. */
#ifndef CLI_JSON_H
#define CLI_JSON_H

#include "proto/arena.h"
#include "proto/status.h"

#include <stdio.h>

enum { JSON_NESTING_MAX = 16 };

struct json_t; /* jansson's. */

/* The caller's, who gives it up by json_decref(). NULL: out of memory. */
struct json_t *json_of(const ProtobufCMessage *message);

/* One line, malloc'ed and the caller's. err may be NULL. */
int json_encode(const ProtobufCMessage *message, char **text, struct error *err);

/* All of text. *message is in the arena. STATUS_INVALID, with the path, or STATUS_NO_MEMORY. */
int json_decode(const ProtobufCMessageDescriptor *type, const char *text, size_t size,
    struct arena *arena, ProtobufCMessage **message, struct error *err);

/* One object after another. */
struct json_source {
    FILE *file;
    int line, column; /* Of what was read last; 0 before the first. */
};

/* The next of them. STATUS_NOT_FOUND: there is none, or the file does not read. What is not JSON is
 * named by its place in the file. */
int json_decode_next(const ProtobufCMessageDescriptor *type, struct json_source *source,
    struct arena *arena, ProtobufCMessage **message, struct error *err);

#endif
