#include "cli/json.h"
#include "cli/json_field.h"
#include "rpc/metadata.h"

#include <jansson.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_SIZE = 24 };

static json_t *message_to_json(const ProtobufCMessage *message, unsigned depth);

static json_t *bytes_to_json(const ProtobufCBinaryData *data)
{
    char *text = malloc(METADATA_BASE64_SIZE(data->len) + 1);
    if (text == NULL) {
        return NULL;
    }
    size_t size = metadata_base64_encode(bytes_of(data->data, data->len), text);
    while (size % 4 != 0) {
        text[size++] = '=';
    }
    json_t *json = json_stringn(text, size);
    free(text);
    return json;
}

static json_t *enum_to_json(const ProtobufCEnumDescriptor *type, int number)
{
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(type, number);
    return value != NULL ? json_string(value->name) : json_integer(number);
}

static json_t *number_to_json(ProtobufCType type, const void *at)
{
    char text[NUMBER_SIZE];
    switch ((int)type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        return json_integer(*(const int32_t *)at);
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        return json_integer(*(const uint32_t *)at);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        snprintf(text, sizeof text, "%" PRId64, *(const int64_t *)at);
        return json_string(text);
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        snprintf(text, sizeof text, "%" PRIu64, *(const uint64_t *)at);
        return json_string(text);
    case PROTOBUF_C_TYPE_FLOAT:
        return json_real((double)*(const float *)at);
    case PROTOBUF_C_TYPE_DOUBLE:
        return json_real(*(const double *)at);
    default:
        return NULL;
    }
}

static json_t *value_to_json(const ProtobufCFieldDescriptor *field, const void *at, unsigned depth)
{
    switch ((int)field->type) {
    case PROTOBUF_C_TYPE_BOOL:
        return json_boolean(*(const protobuf_c_boolean *)at);
    case PROTOBUF_C_TYPE_ENUM:
        return enum_to_json(field->descriptor, *(const int *)at);
    case PROTOBUF_C_TYPE_STRING:
        return json_string(*(char *const *)at);
    case PROTOBUF_C_TYPE_BYTES:
        return bytes_to_json(at);
    case PROTOBUF_C_TYPE_MESSAGE:
        return message_to_json(*(ProtobufCMessage *const *)at, depth + 1);
    default:
        return number_to_json(field->type, at);
    }
}

static json_t *list_to_json(
    const ProtobufCFieldDescriptor *field, const uint8_t *elements, size_t count, unsigned depth)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *value = value_to_json(field, elements + i * json_value_size(field->type), depth);
        if (json_array_append_new(list, value) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

/* Whether a lone field has anything to say. */
static bool is_set(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    static const uint8_t zeros[sizeof(uint64_t)];
    const uint8_t *base = (const uint8_t *)message;
    const void *at = base + field->offset;
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0) {
        return *(const uint32_t *)(const void *)(base + field->quantifier_offset) == field->id;
    }
    switch ((int)field->type) {
    case PROTOBUF_C_TYPE_MESSAGE:
        return *(ProtobufCMessage *const *)at != NULL;
    case PROTOBUF_C_TYPE_STRING:
        return *(char *const *)at != NULL && **(char *const *)at != '\0';
    case PROTOBUF_C_TYPE_BYTES:
        return ((const ProtobufCBinaryData *)at)->len > 0;
    default:
        return memcmp(at, zeros, json_value_size(field->type)) != 0;
    }
}

/* True also where there was nothing to put. */
static bool put_field(json_t *object, const ProtobufCMessage *message,
    const ProtobufCFieldDescriptor *field, unsigned depth)
{
    char name[JSON_NAME_SIZE];
    const uint8_t *base = (const uint8_t *)message;
    json_t *value;
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        size_t count = *(const size_t *)(const void *)(base + field->quantifier_offset);
        if (count == 0) {
            return true;
        }
        const uint8_t *elements = *(uint8_t *const *)(const void *)(base + field->offset);
        value = list_to_json(field, elements, count, depth);
    } else if (is_set(message, field)) {
        value = value_to_json(field, base + field->offset, depth);
    } else {
        return true;
    }
    return json_object_set_new(object, json_name(field->name, name), value) == 0;
}

static json_t *message_to_json(const ProtobufCMessage *message, unsigned depth)
{
    json_t *object = depth < JSON_NESTING_MAX ? json_object() : NULL;
    const ProtobufCMessageDescriptor *type = message->descriptor;
    for (unsigned i = 0; object != NULL && i < type->n_fields; i++) {
        if (!put_field(object, message, &type->fields[i], depth)) {
            json_decref(object);
            object = NULL;
        }
    }
    return object;
}

json_t *json_of(const ProtobufCMessage *message)
{
    return message_to_json(message, 0);
}

int json_encode(const ProtobufCMessage *message, char **text, struct error *err)
{
    json_t *object = json_of(message);
    *text = object != NULL ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    return *text != NULL ? STATUS_OK
                         : error_set(err, STATUS_NO_MEMORY, "the answer cannot be shown as JSON");
}
