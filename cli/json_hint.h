/* What may have been meant by a name in JSON that is none of ours. Pure. */
#ifndef CLI_JSON_HINT_H
#define CLI_JSON_HINT_H

#include <protobuf-c/protobuf-c.h>

enum { JSON_HINT_SIZE = 240 };

/* Part of a sentence. Returns out. */
const char *json_hint_field(
    const ProtobufCMessageDescriptor *type, const char *name, char out[JSON_HINT_SIZE]);
const char *json_hint_value(
    const ProtobufCEnumDescriptor *type, const char *name, char out[JSON_HINT_SIZE]);

#endif
