/* Fields as protobuf-c lays them out and JSON names them. Pure. */
#ifndef CLI_JSON_FIELD_H
#define CLI_JSON_FIELD_H

#include <protobuf-c/protobuf-c.h>

enum { JSON_NAME_SIZE = 64 };

/* "entry_id" is "entryId". */
static inline const char *json_name(const char *name, char out[JSON_NAME_SIZE])
{
    unsigned size = 0;
    for (; *name != '\0' && size + 1 < JSON_NAME_SIZE; name++) {
        if (*name == '_' && name[1] >= 'a' && name[1] <= 'z') {
            name++;
            out[size++] = (char)(*name - 'a' + 'A');
        } else {
            out[size++] = *name;
        }
    }
    out[size] = '\0';
    return out;
}

/* Bytes of one value in a message, or in a list of them. */
static inline size_t json_value_size(ProtobufCType type)
{
    switch ((int)type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return sizeof(uint64_t);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    default:
        return sizeof(uint32_t);
    }
}

#endif
