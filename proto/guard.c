#include "proto/guard.h"

#include "proto/wire.h"

struct walk {
    unsigned messages;
    struct error *err;
};

/* Unicode 15, table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF. */
static size_t utf8_length(const uint8_t *s, size_t left)
{
    size_t n;
    uint8_t low = 0x80;
    uint8_t high = 0xBF;
    if (s[0] < 0x80) {
        return 1;
    }
    if (s[0] >= 0xC2 && s[0] <= 0xDF) {
        n = 2;
    } else if (s[0] >= 0xE0 && s[0] <= 0xEF) {
        n = 3;
        low = s[0] == 0xE0 ? 0xA0 : low;
        high = s[0] == 0xED ? 0x9F : high;
    } else if (s[0] >= 0xF0 && s[0] <= 0xF4) {
        n = 4;
        low = s[0] == 0xF0 ? 0x90 : low;
        high = s[0] == 0xF4 ? 0x8F : high;
    } else {
        return 0;
    }
    if (left < n || s[1] < low || s[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < n; i++) {
        if ((s[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return n;
}

static bool text_is_valid(struct bytes text)
{
    for (size_t i = 0; i < text.size;) {
        size_t n = utf8_length(text.data + i, text.size - i);
        if (n == 0 || text.data[i] == 0) {
            return false;
        }
        i += n;
    }
    return true;
}

/* What the schema expects on the wire; repeated scalars may also come packed, in a WIRE_BYTES. */
static enum wire_type expected_wire_type(const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
        return WIRE_FIXED32;
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return WIRE_FIXED64;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        return WIRE_BYTES;
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_BOOL:
    case PROTOBUF_C_TYPE_ENUM:
        return WIRE_VARINT;
    }
    return WIRE_VARINT;
}

static int check_message(struct walk *walk, const ProtobufCMessageDescriptor *type,
    struct bytes encoded, unsigned depth);

static int check_field(struct walk *walk, const ProtobufCMessageDescriptor *type,
    const struct wire_field *wire, unsigned depth)
{
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field(type, wire->number);
    if (field == NULL) {
        return STATUS_OK; /* From a newer schema. */
    }
    enum wire_type expected = expected_wire_type(field);
    bool packed = field->label == PROTOBUF_C_LABEL_REPEATED && expected != WIRE_BYTES &&
        wire->type == WIRE_BYTES;
    if (wire->type != expected && !packed) {
        return error_set(walk->err, STATUS_MALFORMED, "%s.%s has the wrong type on the wire",
            type->short_name, field->name);
    }
    if (field->type == PROTOBUF_C_TYPE_STRING && !text_is_valid(wire->bytes)) {
        return error_set(walk->err, STATUS_MALFORMED,
            "%s.%s is not UTF-8 text without NUL characters", type->short_name, field->name);
    }
    if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        return check_message(walk, field->descriptor, wire->bytes, depth + 1);
    }
    return STATUS_OK;
}

static int check_message(
    struct walk *walk, const ProtobufCMessageDescriptor *type, struct bytes encoded, unsigned depth)
{
    if (depth > GUARD_DEPTH_MAX) {
        return error_set(walk->err, STATUS_MALFORMED, "%s is nested too deeply", type->short_name);
    }
    if (++walk->messages > GUARD_MESSAGES_MAX) {
        return error_set(
            walk->err, STATUS_MALFORMED, "more than %d messages in one", GUARD_MESSAGES_MAX);
    }
    struct wire_reader reader = wire_reader_of(encoded);
    struct wire_field wire;
    while (wire_next(&reader, &wire)) {
        int status = check_field(walk, type, &wire, depth);
        if (status != STATUS_OK) {
            return status;
        }
    }
    return reader.malformed
        ? error_set(walk->err, STATUS_MALFORMED, "%s does not decode", type->short_name)
        : STATUS_OK;
}

int guard_check(const ProtobufCMessageDescriptor *type, struct bytes encoded, struct error *err)
{
    struct walk walk = {.err = err};
    return check_message(&walk, type, encoded, 0);
}

ProtobufCMessage *guard_decode(const ProtobufCMessageDescriptor *type, struct bytes encoded,
    struct arena *arena, struct error *err)
{
    if (guard_check(type, encoded, err) != STATUS_OK) {
        return NULL;
    }
    ProtobufCMessage *message =
        protobuf_c_message_unpack(type, &arena->allocator, encoded.size, encoded.data);
    if (message == NULL) {
        error_set(
            err, STATUS_MALFORMED, "%s does not decode, or decodes to too much", type->short_name);
    }
    return message;
}
