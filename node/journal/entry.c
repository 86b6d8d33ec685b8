#include "node/journal/entry.h"

#include "proto/guard.h"
#include "proto/wire.h"

#include <assert.h>
#include <stdlib.h>

enum {
    FIELD_DRAFT = 1,
    FIELD_SEALED = 3,
    FIELD_RECORDED_AT = 4,
    FIELD_PRINCIPAL = 5,

    SEALED_SUBJECT = 1,
    SEALED_BASIS = 2,
    SEALED_ALG = 3,
    SEALED_BYTES = 5,

    ALG_CLEAR = 0,
};

/* ---- encoding ---- */

/* First 16 bytes of SHA-256(key ‖ k u32): one secret draw of the leader salts all its parts. */
static void choose_salt(const uint8_t key[ENTRY_SALT_KEY_SIZE], uint32_t k, uint8_t salt[SALT_SIZE])
{
    uint8_t hash[SHA256_SIZE];
    struct sha256 sha;
    sha256_init(&sha);
    sha256_update(&sha, key, ENTRY_SALT_KEY_SIZE);
    sha256_update_u32(&sha, k);
    sha256_final(&sha, hash);
    memcpy(salt, hash, SALT_SIZE);
}

static Zhurnal__V1__Sealed *seal(const Zhurnal__V1__Personal *part, uint32_t k,
    const uint8_t key[ENTRY_SALT_KEY_SIZE], struct arena *arena)
{
    size_t text = strlen(part->text);
    Zhurnal__V1__Sealed *sealed = arena_alloc(arena, sizeof *sealed);
    uint8_t *data = arena_alloc(arena, SALT_SIZE + text);
    if (sealed == NULL || data == NULL) {
        return NULL;
    }
    if (part->salt.len == SALT_SIZE) {
        memcpy(data, part->salt.data, SALT_SIZE);
    } else {
        choose_salt(key, k, data);
    }
    memcpy(data + SALT_SIZE, part->text, text);
    zhurnal__v1__sealed__init(sealed);
    sealed->subject = part->subject;
    sealed->basis = part->basis;
    sealed->alg = ALG_CLEAR;
    sealed->sealed = (ProtobufCBinaryData){.data = data, .len = SALT_SIZE + text};
    return sealed;
}

static bool seal_all(const struct submission *submission, const uint8_t key[ENTRY_SALT_KEY_SIZE],
    struct arena *arena, Zhurnal__V1__Entry *message)
{
    message->n_sealed = submission->personal_count;
    message->sealed = arena_alloc(arena, message->n_sealed * sizeof(struct Zhurnal__V1__Sealed *));
    if (message->sealed == NULL) {
        return false;
    }
    for (size_t i = 0; i < message->n_sealed; i++) {
        message->sealed[i] = seal(submission->personal[i], (uint32_t)i + 1, key, arena);
        if (message->sealed[i] == NULL) {
            return false;
        }
    }
    return true;
}

/* protobuf-c's structs want writable pointers, and do not write through them when packing. */
static ProtobufCBinaryData binary(struct bytes bytes)
{
    return (ProtobufCBinaryData){.data = (uint8_t *)(uintptr_t)bytes.data, .len = bytes.size};
}

int entry_encode(const struct submission *submission, const struct entry_stamp *stamp,
    uint8_t **payload, size_t *size)
{
    assert(stamp->principal != NULL && stamp->level > 0);

    struct arena arena;
    arena_init(&arena, guard_arena_limit(SUBMISSION_REQUEST_MAX));
    Zhurnal__V1__Entry message = ZHURNAL__V1__ENTRY__INIT;
    message.draft = binary(submission->slice);
    message.signature = binary(submission->signature);
    message.recorded_at_ms = stamp->recorded_at_ms;
    message.principal = (Zhurnal__V1__Principal *)(uintptr_t)stamp->principal;
    message.received_by = stamp->received_by;
    message.leader = stamp->leader;
    message.level = stamp->level;
    message.clock_epoch = stamp->clock_epoch;
    message.clock_untrusted = stamp->clock_untrusted;

    int status = STATUS_NO_MEMORY;
    *payload = NULL;
    *size = 0;
    if (seal_all(submission, stamp->salt_key, &arena, &message)) {
        *size = zhurnal__v1__entry__get_packed_size(&message);
        *payload = malloc(*size);
    }
    if (*payload != NULL) {
        size_t packed = zhurnal__v1__entry__pack(&message, *payload);
        assert(packed == *size);
        status = STATUS_OK;
    }
    arena_reset(&arena);
    return status;
}

/* ---- decoding ---- */

int64_t entry_recorded_at(struct bytes payload)
{
    return (int64_t)wire_scalar(payload, FIELD_RECORDED_AT, 0);
}

/* Tells a message that cannot be from memory that is used up: the first is the same on every node,
 * the second is not. */
struct watched_arena {
    struct arena *arena;
    bool exhausted;
};

static void *watched_alloc(void *data, size_t size)
{
    struct watched_arena *watched = data;
    void *result = arena_alloc(watched->arena, size);
    watched->exhausted = watched->exhausted || result == NULL;
    return result;
}

static void watched_free(void *data, void *pointer)
{
    /* Everything goes with the arena. */
    (void)data;
    (void)pointer;
}

static int decode(const ProtobufCMessageDescriptor *type, struct bytes encoded, struct arena *arena,
    ProtobufCMessage **message)
{
    if (guard_check(type, encoded, NULL) != STATUS_OK) {
        return STATUS_MALFORMED;
    }
    struct watched_arena watched = {.arena = arena};
    ProtobufCAllocator allocator = {
        .alloc = watched_alloc, .free = watched_free, .allocator_data = &watched};
    *message = protobuf_c_message_unpack(type, &allocator, encoded.size, encoded.data);
    if (*message != NULL) {
        return STATUS_OK;
    }
    return watched.exhausted ? STATUS_NO_MEMORY : STATUS_MALFORMED;
}

int entry_decode(struct bytes payload, struct arena *arena, struct entry *entry)
{
    *entry = (struct entry){.recorded_at_ms = entry_recorded_at(payload)};
    struct bytes principal;
    if (wire_slice(payload, FIELD_DRAFT, &entry->slice) != STATUS_OK ||
        wire_slice(payload, FIELD_PRINCIPAL, &principal) != STATUS_OK) {
        return STATUS_MALFORMED;
    }
    ProtobufCMessage *draft = NULL;
    ProtobufCMessage *who = NULL;
    int status = decode(&zhurnal__v1__draft__descriptor, entry->slice, arena, &draft);
    if (status == STATUS_OK) {
        status = decode(&zhurnal__v1__principal__descriptor, principal, arena, &who);
    }
    entry->draft = (const Zhurnal__V1__Draft *)draft;
    entry->principal = (const Zhurnal__V1__Principal *)who;
    return status;
}

/* ---- parts ---- */

struct sealed_part {
    uint64_t subject;
    uint64_t basis;
    struct bytes salt;
    struct bytes text;
};

/* The next sealed part; false at the end. One that is under a key, or no part at all, is empty. */
static bool next_part(struct wire_reader *reader, struct sealed_part *part)
{
    struct wire_field field;
    while (wire_next(reader, &field)) {
        if (field.number != FIELD_SEALED || field.type != WIRE_BYTES) {
            continue;
        }
        *part = (struct sealed_part){
            .subject = wire_scalar(field.bytes, SEALED_SUBJECT, 0),
            .basis = wire_scalar(field.bytes, SEALED_BASIS, 0),
        };
        struct bytes sealed;
        if (wire_scalar(field.bytes, SEALED_ALG, ALG_CLEAR) == ALG_CLEAR &&
            wire_slice(field.bytes, SEALED_BYTES, &sealed) == STATUS_OK &&
            sealed.size >= SALT_SIZE) {
            part->salt = bytes_of(sealed.data, SALT_SIZE);
            part->text = bytes_of(sealed.data + SALT_SIZE, sealed.size - SALT_SIZE);
        }
        return true;
    }
    return false;
}

static bool same_part(const Zhurnal__V1__Personal *sent, const struct sealed_part *stored)
{
    return stored->subject == sent->subject && stored->basis == (uint64_t)sent->basis &&
        bytes_equal(stored->text, bytes_of(sent->text, strlen(sent->text))) &&
        (sent->salt.len == 0 ||
            bytes_equal(stored->salt, bytes_of(sent->salt.data, sent->salt.len)));
}

bool entry_same(const struct submission *submission, struct bytes payload)
{
    struct bytes slice;
    if (wire_slice(payload, FIELD_DRAFT, &slice) != STATUS_OK ||
        !bytes_equal(slice, submission->slice)) {
        return false;
    }
    struct wire_reader reader = wire_reader_of(payload);
    struct sealed_part stored;
    for (size_t i = 0; i < submission->personal_count; i++) {
        if (!next_part(&reader, &stored) || !same_part(submission->personal[i], &stored)) {
            return false;
        }
    }
    return !next_part(&reader, &stored);
}

bool entry_repeats(struct bytes payload, struct bytes first)
{
    struct bytes slice;
    struct bytes first_slice;
    if (wire_slice(payload, FIELD_DRAFT, &slice) != STATUS_OK ||
        wire_slice(first, FIELD_DRAFT, &first_slice) != STATUS_OK ||
        !bytes_equal(slice, first_slice)) {
        return false;
    }
    struct wire_reader reader = wire_reader_of(payload);
    struct wire_reader first_reader = wire_reader_of(first);
    struct sealed_part part;
    struct sealed_part first_part;
    while (next_part(&reader, &part)) {
        if (!next_part(&first_reader, &first_part) || part.subject != first_part.subject ||
            part.basis != first_part.basis || !bytes_equal(part.text, first_part.text)) {
            return false;
        }
    }
    return !next_part(&first_reader, &first_part);
}

bool entry_has_parts(struct bytes payload)
{
    struct wire_reader reader = wire_reader_of(payload);
    struct sealed_part part;
    return next_part(&reader, &part);
}

bool entry_part(struct bytes payload, uint32_t number, struct bytes *text)
{
    struct wire_reader reader = wire_reader_of(payload);
    struct sealed_part part = {0};
    for (uint32_t i = 0; i < number; i++) {
        if (!next_part(&reader, &part)) {
            return false;
        }
    }
    *text = part.text;
    return number > 0 && part.salt.size == SALT_SIZE;
}
