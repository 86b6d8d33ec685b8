#include "node/journal/submission.h"

#include "proto/civil_day.h"
#include "proto/guard.h"
#include "proto/integer.h"
#include "proto/wire.h"

#include <assert.h>
#include <inttypes.h>

enum {
    FIELD_DRAFT = 1,
    FIELD_PERSONAL = 2,
    FIELD_SIGNATURE = 3,
    FIELD_CHECK_ONLY = 4,
};

void submission_part_hash(
    const Zhurnal__V1__Personal *part, struct bytes salt, uint8_t out[SHA256_SIZE])
{
    assert(part->text != NULL);

    struct sha256 sha;
    sha256_init(&sha);
    sha256_update(&sha, salt.data, salt.size);
    sha256_update_u64(&sha, part->subject);
    sha256_update_u8(&sha, (uint8_t)part->basis);
    sha256_update(&sha, part->text, strlen(part->text));
    sha256_final(&sha, out);
}

/* ---- ids and days ---- */

/* Nodes' ids are no client's: 64 random bits. */
static bool names_a_node(const ProtobufCMessageDescriptor *type)
{
    return type == &zhurnal__v1__node_added__descriptor ||
        type == &zhurnal__v1__node_removed__descriptor ||
        type == &zhurnal__v1__clock_skew_seen__descriptor;
}

/* A number, or several, packed. */
static uint64_t largest(const struct wire_field *wire)
{
    uint64_t most = wire->value;
    for (size_t i = 0; i + sizeof most <= wire->bytes.size; i += sizeof most) {
        uint64_t value = get_u64_le(wire->bytes.data + i);
        most = value > most ? value : most;
    }
    return most;
}

/* In the contract a day is called so. */
static bool is_day(const ProtobufCFieldDescriptor *field)
{
    static const char SUFFIX[] = "_day";
    size_t length = strlen(field->name);
    size_t tail = sizeof SUFFIX - 1;
    return field->type == PROTOBUF_C_TYPE_UINT32 &&
        (strcmp(field->name, "day") == 0 ||
            (length > tail && strcmp(field->name + length - tail, SUFFIX) == 0));
}

/* In the contract fixed64 is an id. */
static int check_value(const ProtobufCMessageDescriptor *type,
    const ProtobufCFieldDescriptor *field, const struct wire_field *wire, struct error *err)
{
    if (field->type == PROTOBUF_C_TYPE_FIXED64 && largest(wire) > SUBMISSION_ID_MAX) {
        return error_set(err, STATUS_INVALID, "%s.%s is %" PRIu64 ": ids lie in 1 … 2^53 - 1",
            type->short_name, field->name, largest(wire));
    }
    if (is_day(field) && wire->value != 0 && !civil_day_exists((uint32_t)wire->value)) {
        return error_set(err, STATUS_INVALID,
            "%s.%s is %" PRIu64 ", which is no day: write the 23rd of November 2026 as 20261123",
            type->short_name, field->name, wire->value);
    }
    return STATUS_OK;
}

/* What was decoded has no more levels than that allows. */
static int check_values(
    const ProtobufCMessageDescriptor *type, struct bytes encoded, struct error *err)
{
    int status = STATUS_OK;
    struct wire_reader reader = wire_reader_of(encoded);
    struct wire_field wire;
    while (status == STATUS_OK && wire_next(&reader, &wire)) {
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field(type, wire.number);
        if (field == NULL) {
            continue; /* From a newer schema. */
        }
        if (field->type != PROTOBUF_C_TYPE_MESSAGE) {
            status = check_value(type, field, &wire, err);
        } else if (!names_a_node(field->descriptor)) {
            status = check_values(field->descriptor, wire.bytes, err);
        }
    }
    return status;
}

/* ---- the request's fields ---- */

/* How many it lists, where a correction copies the list. */
static size_t pupils_of(const Zhurnal__V1__Event *event)
{
    switch ((int)event->kind_case) {
    case ZHURNAL__V1__EVENT__KIND_ATTENDANCE_TAKEN:
        return event->attendance_taken->n_exceptions;
    case ZHURNAL__V1__EVENT__KIND_HOMEWORK_SET:
        return event->homework_set->n_pupils;
    default:
        return 0;
    }
}

int submission_check_draft(const Zhurnal__V1__Draft *draft, struct error *err)
{
    if (draft->entry_id.len != ENTRY_ID_SIZE) {
        return error_set(err, STATUS_INVALID,
            "Draft.entry_id has %zu bytes: make it the 16 bytes of a UUIDv7", draft->entry_id.len);
    }
    if (draft->n_events < 1 || draft->n_events > SUBMISSION_EVENTS_MAX) {
        return error_set(err, STATUS_INVALID, "the draft has %zu events: send 1 to %d in one entry",
            draft->n_events, SUBMISSION_EVENTS_MAX);
    }
    for (size_t i = 0; i < draft->n_events; i++) {
        size_t pupils = pupils_of(draft->events[i]);
        if (pupils > SUBMISSION_LESSON_PUPILS_MAX) {
            return error_set(err, STATUS_INVALID,
                "event %zu lists %zu pupils: at most %d belong to one lesson", i + 1, pupils,
                SUBMISSION_LESSON_PUPILS_MAX);
        }
    }
    return STATUS_OK;
}

static int take_draft(
    struct bytes raw, struct arena *arena, struct submission *submission, struct error *err)
{
    int status = wire_slice(raw, FIELD_DRAFT, &submission->slice);
    if (status == STATUS_NOT_FOUND) {
        return error_set(err, STATUS_INVALID, "the request has no draft: send AppendRequest.draft");
    }
    if (status != STATUS_OK) {
        return error_set(err, STATUS_MALFORMED,
            "the request does not decode, or has its draft (field 1) more than once: it is kept "
            "byte for byte, so send it exactly once");
    }
    if (submission->slice.size > SUBMISSION_DRAFT_MAX) {
        return error_set(err, STATUS_TOO_LARGE,
            "the draft has %zu bytes, %d are allowed: send its events in several entries",
            submission->slice.size, SUBMISSION_DRAFT_MAX);
    }
    submission->draft = (const Zhurnal__V1__Draft *)guard_decode(
        &zhurnal__v1__draft__descriptor, submission->slice, arena, err);
    if (submission->draft == NULL) {
        return STATUS_MALFORMED;
    }
    status = submission_check_draft(submission->draft, err);
    submission->entry_id = submission->draft->entry_id.data;
    return status == STATUS_OK
        ? check_values(&zhurnal__v1__draft__descriptor, submission->slice, err)
        : status;
}

static int add_personal(
    struct bytes encoded, struct arena *arena, struct submission *submission, struct error *err)
{
    Zhurnal__V1__Personal *part = (Zhurnal__V1__Personal *)guard_decode(
        &zhurnal__v1__personal__descriptor, encoded, arena, err);
    if (part == NULL) {
        return STATUS_MALFORMED;
    }
    size_t number = submission->personal_count + 1;
    if (part->salt.len != 0 && part->salt.len != SALT_SIZE) {
        return error_set(err, STATUS_INVALID,
            "the salt of part %zu has %zu bytes: make it %d random bytes, or leave it out", number,
            part->salt.len, SALT_SIZE);
    }
    if (part->subject == 0) {
        return error_set(err, STATUS_INVALID,
            "part %zu is about nobody: its subject is the id of the person it speaks of", number);
    }
    if (part->basis < ZHURNAL__V1__BASIS__BASIS_LAW ||
        part->basis > ZHURNAL__V1__BASIS__BASIS_CONSENT) {
        return error_set(err, STATUS_INVALID,
            "part %zu names no basis: say by which right its text is held", number);
    }
    submission->personal[submission->personal_count++] = part;
    return check_values(&zhurnal__v1__personal__descriptor, encoded, err);
}

static int take_field(const struct wire_field *field, struct arena *arena,
    struct submission *submission, struct error *err)
{
    switch (field->number) {
    case FIELD_PERSONAL:
        return field->type == WIRE_BYTES
            ? add_personal(field->bytes, arena, submission, err)
            : error_set(err, STATUS_MALFORMED, "AppendRequest.personal has the wrong type");
    case FIELD_SIGNATURE:
        submission->signature = field->bytes;
        return field->type == WIRE_BYTES
            ? STATUS_OK
            : error_set(err, STATUS_MALFORMED, "AppendRequest.signature has the wrong type");
    case FIELD_CHECK_ONLY:
        submission->check_only = field->value != 0;
        return field->type == WIRE_VARINT
            ? STATUS_OK
            : error_set(err, STATUS_MALFORMED, "AppendRequest.check_only has the wrong type");
    default:
        return STATUS_OK; /* The draft, or from a newer schema. */
    }
}

static size_t count_personal(struct bytes raw)
{
    size_t count = 0;
    struct wire_reader reader = wire_reader_of(raw);
    struct wire_field field;
    while (wire_next(&reader, &field)) {
        count += field.number == FIELD_PERSONAL;
    }
    return count;
}

static int take_rest(
    struct bytes raw, struct arena *arena, struct submission *submission, struct error *err)
{
    size_t count = count_personal(raw);
    if (count > SUBMISSION_PARTS_MAX) {
        return error_set(err, STATUS_INVALID, "%zu personal parts, %d are allowed in one entry",
            count, SUBMISSION_PARTS_MAX);
    }
    submission->personal = arena_alloc(arena, count * sizeof(struct Zhurnal__V1__Personal *));
    if (submission->personal == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "%s", status_text(STATUS_NO_MEMORY));
    }
    struct wire_reader reader = wire_reader_of(raw);
    struct wire_field field;
    while (wire_next(&reader, &field)) {
        int status = take_field(&field, arena, submission, err);
        if (status != STATUS_OK) {
            return status;
        }
    }
    assert(!reader.malformed && submission->personal_count == count);
    return STATUS_OK;
}

/* A client that signs binds each part by its hash, all of them or none. */
static int check_bound_parts(const struct submission *submission, struct error *err)
{
    const Zhurnal__V1__Draft *draft = submission->draft;
    if (draft->n_parts == 0) {
        return STATUS_OK;
    }
    if (draft->n_parts != submission->personal_count) {
        return error_set(err, STATUS_INVALID,
            "Draft.parts has %zu hashes for %zu personal parts: one for each, or none",
            draft->n_parts, submission->personal_count);
    }
    for (size_t i = 0; i < draft->n_parts; i++) {
        const Zhurnal__V1__Personal *part = submission->personal[i];
        if (part->salt.len != SALT_SIZE) {
            return error_set(err, STATUS_INVALID,
                "part %zu is bound by Draft.parts but has no salt: send its %d bytes", i + 1,
                SALT_SIZE);
        }
        uint8_t hash[SHA256_SIZE];
        submission_part_hash(part, bytes_of(part->salt.data, part->salt.len), hash);
        if (!bytes_equal(
                bytes_of(hash, sizeof hash), bytes_of(draft->parts[i].data, draft->parts[i].len))) {
            return error_set(err, STATUS_INVALID,
                "part %zu does not match its hash in Draft.parts: it is SHA-256(salt, subject as 8 "
                "bytes big-endian, basis as 1 byte, text)",
                i + 1);
        }
    }
    return STATUS_OK;
}

/* The value at a field of a decoded message, 0 where another of its oneof is set. */
static uint32_t part_number(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    const uint8_t *base = (const uint8_t *)message;
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0) {
        uint32_t chosen;
        memcpy(&chosen, base + field->quantifier_offset, sizeof chosen);
        if (chosen != field->id) {
            return 0;
        }
    }
    uint32_t number;
    memcpy(&number, base + field->offset, sizeof number);
    return number;
}

static bool names_a_part(const ProtobufCFieldDescriptor *field)
{
    static const char suffix[] = "_part";
    size_t length = strlen(field->name);
    size_t tail = sizeof suffix - 1;
    return field->type == PROTOBUF_C_TYPE_UINT32 && length > tail &&
        strcmp(field->name + length - tail, suffix) == 0;
}

/* The contract says it: a field named *_part holds the number of a part. So every kind is checked
 * here, later ones too. */
static int check_part_numbers(
    const Zhurnal__V1__Event *event, size_t k, size_t parts, struct error *err)
{
    if (event->kind_case == ZHURNAL__V1__EVENT__KIND__NOT_SET) {
        return STATUS_OK; /* The judge's to refuse, on the record. */
    }
    const ProtobufCMessage *kind = &event->school_registered->base; /* Any: a union of pointers. */
    for (unsigned i = 0; i < kind->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &kind->descriptor->fields[i];
        if (names_a_part(field) && part_number(kind, field) > parts) {
            return error_set(err, STATUS_INVALID,
                "event %zu: %s names part %u of %zu: parts count from 1, 0 is none", k, field->name,
                part_number(kind, field), parts);
        }
    }
    return STATUS_OK;
}

int submission_parse(
    struct bytes raw, struct arena *arena, struct submission *submission, struct error *err)
{
    *submission = (struct submission){0};
    if (raw.size > SUBMISSION_REQUEST_MAX) {
        return error_set(err, STATUS_TOO_LARGE,
            "the request has %zu bytes, %d are allowed: send its events in several entries",
            raw.size, SUBMISSION_REQUEST_MAX);
    }
    int status = take_draft(raw, arena, submission, err);
    if (status == STATUS_OK) {
        status = take_rest(raw, arena, submission, err);
    }
    if (status == STATUS_OK) {
        status = check_bound_parts(submission, err);
    }
    for (size_t i = 0; status == STATUS_OK && i < submission->draft->n_events; i++) {
        status = check_part_numbers(
            submission->draft->events[i], i + 1, submission->personal_count, err);
    }
    sha256_of(submission->slice, submission->draft_hash);
    return status;
}
