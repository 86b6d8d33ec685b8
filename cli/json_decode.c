#include "cli/json.h"
#include "cli/json_field.h"
#include "cli/json_hint.h"
#include "proto/bytes.h"
#include "proto/hex.h"
#include "proto/uuid.h"
#include "rpc/metadata.h"

#include <jansson.h>

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_SIZE = 160, UUID_TEXT_SIZE = 36 };

struct decoder {
    struct arena *arena;
    struct error *err;
    char path[PATH_SIZE];
    size_t path_size;
    unsigned depth;
};

static int fail(struct decoder *d, const char *what)
{
    return error_set(
        d->err, STATUS_INVALID, "%s: %s", d->path_size > 0 ? d->path : "the object", what);
}

static int no_memory(struct decoder *d)
{
    return error_set(d->err, STATUS_NO_MEMORY, "it is too large");
}

/* Returns what to give to leave(). */
static size_t enter(struct decoder *d, const char *name)
{
    size_t before = d->path_size;
    int n = snprintf(d->path + before, PATH_SIZE - before, before > 0 ? ".%s" : "%s", name);
    d->path_size = n < 0 || (size_t)n >= PATH_SIZE - before ? PATH_SIZE - 1 : before + (size_t)n;
    return before;
}

static size_t enter_element(struct decoder *d, size_t i)
{
    size_t before = d->path_size;
    int n = snprintf(d->path + before, PATH_SIZE - before, "[%zu]", i);
    d->path_size = n < 0 || (size_t)n >= PATH_SIZE - before ? PATH_SIZE - 1 : before + (size_t)n;
    return before;
}

static void leave(struct decoder *d, size_t before)
{
    d->path_size = before;
    d->path[before] = '\0';
}

/* ---- values ---- */

static bool is_64_bit(ProtobufCType type)
{
    return type == PROTOBUF_C_TYPE_INT64 || type == PROTOBUF_C_TYPE_SINT64 ||
        type == PROTOBUF_C_TYPE_SFIXED64 || type == PROTOBUF_C_TYPE_UINT64 ||
        type == PROTOBUF_C_TYPE_FIXED64;
}

static bool is_signed(ProtobufCType type)
{
    return type == PROTOBUF_C_TYPE_INT64 || type == PROTOBUF_C_TYPE_SINT64 ||
        type == PROTOBUF_C_TYPE_SFIXED64 || type == PROTOBUF_C_TYPE_INT32 ||
        type == PROTOBUF_C_TYPE_SINT32 || type == PROTOBUF_C_TYPE_SFIXED32;
}

static bool parse_signed(const json_t *json, int64_t *out)
{
    char *end;
    if (json_is_integer(json)) {
        *out = json_integer_value(json);
        return true;
    }
    const char *text = json_string_value(json);
    if (text == NULL || (text[0] != '-' && !isdigit((unsigned char)text[0]))) {
        return false;
    }
    errno = 0;
    *out = strtoll(text, &end, 10);
    return errno == 0 && *end == '\0';
}

static bool parse_unsigned(const json_t *json, uint64_t *out)
{
    char *end;
    if (json_is_integer(json)) {
        *out = (uint64_t)json_integer_value(json);
        return json_integer_value(json) >= 0;
    }
    const char *text = json_string_value(json);
    if (text == NULL || !isdigit((unsigned char)text[0])) {
        return false;
    }
    errno = 0;
    *out = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0';
}

static int read_number(struct decoder *d, ProtobufCType type, const json_t *json, void *out)
{
    int64_t number = 0;
    uint64_t natural = 0;
    bool whole = is_signed(type) ? parse_signed(json, &number) : parse_unsigned(json, &natural);
    if (!whole) {
        return fail(d,
            is_signed(type) ? "a whole number was expected"
                            : "a whole number, not below 0, was expected");
    }
    if (is_64_bit(type)) {
        memcpy(out, is_signed(type) ? (const void *)&number : (const void *)&natural,
            sizeof(uint64_t));
        return STATUS_OK;
    }
    if (number < INT32_MIN || number > INT32_MAX || natural > UINT32_MAX) {
        return fail(d, "the number is too large");
    }
    uint32_t bits = is_signed(type) ? (uint32_t)(int32_t)number : (uint32_t)natural;
    memcpy(out, &bits, sizeof bits);
    return STATUS_OK;
}

static int read_enum(
    struct decoder *d, const ProtobufCEnumDescriptor *type, const json_t *json, void *out)
{
    char what[JSON_HINT_SIZE];
    int number = (int)json_integer_value(json);
    if (json_is_string(json)) {
        const ProtobufCEnumValue *value =
            protobuf_c_enum_descriptor_get_value_by_name(type, json_string_value(json));
        if (value == NULL) {
            return fail(d, json_hint_value(type, json_string_value(json), what));
        }
        number = value->value;
    } else if (!json_is_integer(json) || json_integer_value(json) != number) {
        snprintf(what, sizeof what, "the name of a %s was expected", type->short_name);
        return fail(d, what);
    }
    memcpy(out, &number, sizeof number);
    return STATUS_OK;
}

static int read_string(struct decoder *d, const json_t *json, void *out)
{
    if (!json_is_string(json)) {
        return fail(d, "a string was expected");
    }
    char *copy = arena_copy(d->arena, json_string_value(json), json_string_length(json));
    memcpy(out, &copy, sizeof copy);
    return copy != NULL ? STATUS_OK : no_memory(d);
}

/* As people read and copy it, with hyphens or without. In base64 so many digits would be 24 bytes,
 * and no entry id. */
static bool read_id(const char *text, uint8_t id[UUID_SIZE])
{
    char digits[2 * UUID_SIZE + 1] = "";
    (void)sscanf(text, "%8[^-]-%4[^-]-%4[^-]-%4[^-]-%12s", digits, digits + 8, digits + 12,
        digits + 16, digits + 20);
    return hex_decode(text, id, UUID_SIZE) ||
        (strlen(text) == UUID_TEXT_SIZE && hex_decode(digits, id, UUID_SIZE));
}

static int read_bytes(
    struct decoder *d, const ProtobufCFieldDescriptor *field, const json_t *json, void *out)
{
    ProtobufCBinaryData data = {0};
    if (!json_is_string(json)) {
        return fail(d, "bytes in base64 were expected");
    }
    size_t size = json_string_length(json);
    const char *text = json_string_value(json);
    data.data = arena_alloc(d->arena, size + UUID_SIZE);
    if (data.data == NULL) {
        return no_memory(d);
    }
    if (strcmp(field->name, "entry_id") == 0 && read_id(text, data.data)) {
        data.len = UUID_SIZE;
    } else if (!metadata_base64_decode(bytes_of(text, size), data.data, &data.len)) {
        return fail(d, "this is not base64");
    }
    memcpy(out, &data, sizeof data);
    return STATUS_OK;
}

static int read_message(struct decoder *d, const ProtobufCMessageDescriptor *type,
    const json_t *json, ProtobufCMessage **message);

static int read_real(
    struct decoder *d, const ProtobufCFieldDescriptor *field, const json_t *json, void *out)
{
    double real = json_number_value(json);
    float narrow = (float)real;
    if (!json_is_number(json)) {
        return fail(d, "a number was expected");
    }
    bool wide = field->type == PROTOBUF_C_TYPE_DOUBLE;
    memcpy(out, wide ? (const void *)&real : (const void *)&narrow,
        wide ? sizeof real : sizeof narrow);
    return STATUS_OK;
}

static int read_bool(struct decoder *d, const json_t *json, void *out)
{
    protobuf_c_boolean value = json_is_true(json);
    memcpy(out, &value, sizeof value);
    return json_is_boolean(json) ? STATUS_OK : fail(d, "true or false was expected");
}

static int read_value(
    struct decoder *d, const ProtobufCFieldDescriptor *field, const json_t *json, void *out)
{
    switch ((int)field->type) {
    case PROTOBUF_C_TYPE_BOOL:
        return read_bool(d, json, out);
    case PROTOBUF_C_TYPE_ENUM:
        return read_enum(d, field->descriptor, json, out);
    case PROTOBUF_C_TYPE_STRING:
        return read_string(d, json, out);
    case PROTOBUF_C_TYPE_BYTES:
        return read_bytes(d, field, json, out);
    case PROTOBUF_C_TYPE_MESSAGE:
        return read_message(d, field->descriptor, json, out);
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_DOUBLE:
        return read_real(d, field, json, out);
    default:
        return read_number(d, field->type, json, out);
    }
}

/* ---- fields ---- */

static int read_list(struct decoder *d, const ProtobufCFieldDescriptor *field, const json_t *json,
    ProtobufCMessage *message)
{
    uint8_t *base = (uint8_t *)message;
    size_t count = json_array_size(json);
    size_t size = json_value_size(field->type);
    if (!json_is_array(json)) {
        return fail(d, "a list was expected");
    }
    uint8_t *elements = arena_alloc(d->arena, count * size + 1);
    if (elements == NULL) {
        return no_memory(d);
    }
    for (size_t i = 0; i < count; i++) {
        size_t before = enter_element(d, i);
        int status = read_value(d, field, json_array_get(json, i), elements + i * size);
        if (status != STATUS_OK) {
            return status;
        }
        leave(d, before);
    }
    memcpy(base + field->offset, &elements, sizeof elements);
    memcpy(base + field->quantifier_offset, &count, sizeof count);
    return STATUS_OK;
}

static int read_field(struct decoder *d, const ProtobufCFieldDescriptor *field, const json_t *json,
    ProtobufCMessage *message)
{
    uint8_t *base = (uint8_t *)message;
    if (json_is_null(json)) {
        return STATUS_OK;
    }
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        return read_list(d, field, json, message);
    }
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0) {
        uint32_t *chosen = (uint32_t *)(void *)(base + field->quantifier_offset);
        if (*chosen != 0) {
            return fail(d, "only one of these may be set, and another one is");
        }
        *chosen = field->id;
    }
    return read_value(d, field, json, base + field->offset);
}

static const ProtobufCFieldDescriptor *find_field(
    const ProtobufCMessageDescriptor *type, const char *name)
{
    char camel[JSON_NAME_SIZE];
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        if (strcmp(json_name(field->name, camel), name) == 0 || strcmp(field->name, name) == 0) {
            return field;
        }
    }
    return NULL;
}

/* Under both its names; under one of them jansson has refused it. */
static bool is_there_twice(const json_t *json, const ProtobufCFieldDescriptor *field)
{
    char camel[JSON_NAME_SIZE];
    return strcmp(json_name(field->name, camel), field->name) != 0 &&
        json_object_get(json, camel) != NULL && json_object_get(json, field->name) != NULL;
}

static int read_fields(struct decoder *d, const json_t *json, ProtobufCMessage *message)
{
    char what[JSON_HINT_SIZE];
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)json, name, value)
    {
        size_t before = enter(d, name);
        const ProtobufCFieldDescriptor *field = find_field(message->descriptor, name);
        if (field == NULL) {
            return fail(d, json_hint_field(message->descriptor, name, what));
        }
        if (is_there_twice(json, field)) {
            return fail(d, "it is there twice, under both its names");
        }
        int status = read_field(d, field, value, message);
        if (status != STATUS_OK) {
            return status;
        }
        leave(d, before);
    }
    return STATUS_OK;
}

static int read_message(struct decoder *d, const ProtobufCMessageDescriptor *type,
    const json_t *json, ProtobufCMessage **message)
{
    if (!json_is_object(json)) {
        return fail(d, "an object was expected");
    }
    if (d->depth == JSON_NESTING_MAX) {
        return fail(d, "it is nested too deeply");
    }
    *message = arena_alloc(d->arena, type->sizeof_message);
    if (*message == NULL) {
        return no_memory(d);
    }
    protobuf_c_message_init(type, *message);
    d->depth++;
    int status = read_fields(d, json, *message);
    d->depth--;
    return status;
}

/* ---- texts ---- */

/* json's reference is taken. NULL: source, where there is one, stands where *why says. */
static int decode(struct decoder *d, const ProtobufCMessageDescriptor *type, json_t *json,
    const json_error_t *why, ProtobufCMessage **message)
{
    if (json == NULL) {
        return error_set(d->err, STATUS_INVALID, "this is not JSON: line %d, column %d: %s",
            why->line, why->column, why->text);
    }
    int status = read_message(d, type, json, message);
    json_decref(json);
    return status;
}

int json_decode(const ProtobufCMessageDescriptor *type, const char *text, size_t size,
    struct arena *arena, ProtobufCMessage **message, struct error *err)
{
    json_error_t why;
    struct decoder d = {.arena = arena, .err = err};
    json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why);
    return decode(&d, type, json, &why, message);
}

static int take(struct json_source *source)
{
    int c = getc(source->file);
    source->column += c != EOF && (c & 0xC0) != 0x80; /* Letters, not bytes. */
    if (c == '\n') {
        source->line++;
        source->column = 0;
    }
    return c;
}

/* One at a time: what stands behind the object is the next one's. */
static size_t take_one(void *buffer, size_t size, void *data)
{
    int c = take(data);
    assert(size > 0);
    *(uint8_t *)buffer = (uint8_t)c;
    return c != EOF;
}

/* What the next object begins with, or EOF. A byte order mark is skipped as spaces are. */
static int peek(struct json_source *source)
{
    int c = getc(source->file);
    while (c > 0 && strchr(" \t\r\n\v\f\xEF\xBB\xBF", c) != NULL) {
        (void)ungetc(c, source->file);
        (void)take(source);
        c = getc(source->file);
    }
    return c == EOF ? EOF : ungetc(c, source->file);
}

int json_decode_next(const ProtobufCMessageDescriptor *type, struct json_source *source,
    struct arena *arena, ProtobufCMessage **message, struct error *err)
{
    json_error_t why;
    struct decoder d = {.arena = arena, .err = err};
    int first = peek(source);
    const struct json_source begin = *source;
    if (first == EOF) {
        return STATUS_NOT_FOUND;
    }
    if (strchr("[,]", first) != NULL) {
        return fail(&d, "one object after another was expected, without [ ] and commas");
    }
    json_t *json =
        json_load_callback(take_one, source, JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK, &why);
    why.column += why.line == 1 ? begin.column : 0;
    why.line += begin.line;
    return decode(&d, type, json, &why, message);
}
