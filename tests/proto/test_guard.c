/* Decoding of what strangers send, on bytes written by hand. */
#include "proto/guard.h"
#include "tests/lib/random.h"
#include "tests/lib/test.h"
#include <grpc/health/v1/health.pb-c.h>
#include <zhurnal/peer/v1/peer.pb-c.h>

#include <stdlib.h>
#include <string.h>

#define MESSAGE(...) \
    bytes_of((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

/* A message of one text. */
static const ProtobufCMessageDescriptor *const text_type =
    &grpc__health__v1__health_check_request__descriptor;

static bool is_text(const char *text, size_t size)
{
    uint8_t encoded[64] = {0x0A, (uint8_t)size};
    assert_true(size < sizeof encoded - 2);
    memcpy(encoded + 2, text, size);
    struct error err = {0};
    int status = guard_check(text_type, bytes_of(encoded, size + 2), &err);
    assert_true(status == STATUS_OK || status == STATUS_MALFORMED);
    assert_true(status == STATUS_OK || strstr(err.text, "UTF-8") != NULL);
    return status == STATUS_OK;
}

/* RFC 3629 §4, Unicode 15 table 3-7. */
static void text_is_utf8(void **state)
{
    static const char *const good[] = {"", "a", "\x7f", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80",
        "\xED\x9F\xBF", "\xEE\x80\x80", "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF",
        "мама", "5 баллов: «отлично» 🎓"};
    static const char *const bad[] = {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2 ",
        "\xC2\xC0", "\xE0\x9F\xBF", "\xE0\xA0", "\xED\xA0\x80", "\xED\xBF\xBF", "\xF0\x8F\xBF\xBF",
        "\xF0\x90\x80", "\xF0\x90\x80 ", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFE", "\xFF"};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(is_text(good[i], strlen(good[i])));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(is_text(bad[i], strlen(bad[i])));
    }
}

/* protobuf-c would cut it there. */
static void text_hides_nothing_behind_a_nul(void **state)
{
    (void)state;
    assert_false(is_text("ab\0cd", 5));
    assert_false(is_text("\0", 1));
}

static void bytes_may_be_anything(void **state)
{
    (void)state;
    assert_int_equal(
        guard_check(&zhurnal__peer__v1__record__descriptor, MESSAGE(0x1A, 3, 0xff, 0, 0xC0), NULL),
        STATUS_OK);
}

static void a_field_has_the_type_of_its_schema(void **state)
{
    const ProtobufCMessageDescriptor *record = &zhurnal__peer__v1__record__descriptor;
    const ProtobufCMessageDescriptor *hello = &zhurnal__peer__v1__hello__descriptor;
    struct error err = {0};
    (void)state;
    assert_int_equal(guard_check(record, MESSAGE(0x08, 1, 0x10, 2, 0x1A, 0), NULL), STATUS_OK);
    assert_int_equal(guard_check(record, MESSAGE(0x0A, 0), &err), STATUS_MALFORMED);
    assert_string_equal(err.text, "Record.kind has the wrong type on the wire");
    assert_int_equal(guard_check(record, MESSAGE(0x18, 1), NULL), STATUS_MALFORMED);
    assert_int_equal(guard_check(record, MESSAGE(0x0D, 1, 0, 0, 0), NULL), STATUS_MALFORMED);
    assert_int_equal(
        guard_check(hello, MESSAGE(0x19, 1, 2, 3, 4, 5, 6, 7, 8), NULL), STATUS_OK); /* fixed64 */
    assert_int_equal(guard_check(hello, MESSAGE(0x18, 1), NULL), STATUS_MALFORMED);
}

static void what_a_newer_schema_added_is_passed_over(void **state)
{
    struct arena arena;
    struct bytes encoded = MESSAGE(0x08, 7, 0xF8, 0x7F, 1, 0xFA, 0x7F, 2, 0x80, 0xFF, 0x10, 9);
    (void)state;
    arena_init(&arena, guard_arena_limit(encoded.size));
    const Zhurnal__Peer__V1__Record *record =
        (const void *)guard_decode(&zhurnal__peer__v1__record__descriptor, encoded, &arena, NULL);
    assert_non_null(record);
    assert_int_equal(record->kind, 7);
    assert_int_equal(record->term, 9);
    arena_reset(&arena);
}

static void a_message_within_is_looked_at_too(void **state)
{
    const ProtobufCMessageDescriptor *type = &zhurnal__peer__v1__pull_response__descriptor;
    struct error err = {0};
    (void)state;
    assert_int_equal(guard_check(type, MESSAGE(0x12, 2, 0x08, 1), NULL), STATUS_OK);
    assert_int_equal(guard_check(type, MESSAGE(0x12, 2, 0x0A, 0), &err), STATUS_MALFORMED);
    assert_non_null(strstr(err.text, "Record.kind"));
    assert_int_equal(guard_check(type, MESSAGE(0x12, 1, 0x08), &err), STATUS_MALFORMED);
    assert_string_equal(err.text, "Record does not decode");
    assert_int_equal(guard_check(type, MESSAGE(0x12, 3, 0x08, 1), NULL), STATUS_MALFORMED);
}

/* ---- what may not be without end ---- */

/* Our own schemas have no message within itself; nobody says that they never will. */
static const ProtobufCMessageDescriptor nest;
static const ProtobufCFieldDescriptor nest_fields[] = {{.name = "nest",
    .id = 1,
    .label = PROTOBUF_C_LABEL_OPTIONAL,
    .type = PROTOBUF_C_TYPE_MESSAGE,
    .descriptor = &nest}};
static const ProtobufCIntRange nest_ranges[] = {{1, 0}, {0, 1}};
static const ProtobufCMessageDescriptor nest = {.magic = PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC,
    .short_name = "Nest",
    .n_fields = 1,
    .fields = nest_fields,
    .n_field_ranges = 1,
    .field_ranges = nest_ranges};

/* Written from its end: each is around what is there. */
static struct bytes nested(unsigned depth, uint8_t *room, size_t size)
{
    size_t at = size;
    for (unsigned i = 0; i < depth; i++) {
        size_t within = size - at;
        assert_true(within < 0x80 && at >= 2);
        room[--at] = (uint8_t)within;
        room[--at] = 0x0A;
    }
    return bytes_of(room + at, size - at);
}

static void messages_are_not_nested_without_end(void **state)
{
    uint8_t room[128];
    struct error err = {0};
    (void)state;
    assert_int_equal(
        guard_check(&nest, nested(GUARD_DEPTH_MAX, room, sizeof room), NULL), STATUS_OK);
    assert_int_equal(
        guard_check(&nest, nested(GUARD_DEPTH_MAX + 1, room, sizeof room), &err), STATUS_MALFORMED);
    assert_string_equal(err.text, "Nest is nested too deeply");
}

static void messages_are_not_without_number(void **state)
{
    enum { EMPTY = 2 };
    const ProtobufCMessageDescriptor *type = &zhurnal__peer__v1__pull_response__descriptor;
    static uint8_t encoded[GUARD_MESSAGES_MAX * EMPTY];
    struct error err = {0};
    (void)state;
    for (size_t i = 0; i < sizeof encoded; i += EMPTY) {
        encoded[i] = 0x12;
    }
    /* The one around them counts too. */
    assert_int_equal(guard_check(type, bytes_of(encoded, sizeof encoded - EMPTY), NULL), STATUS_OK);
    assert_int_equal(guard_check(type, bytes_of(encoded, sizeof encoded), &err), STATUS_MALFORMED);
    assert_string_equal(err.text, "more than 65536 messages in one");
}

static void what_decodes_to_too_much_is_refused(void **state)
{
    enum { RECORDS = 4000, EMPTY = 2 };
    const ProtobufCMessageDescriptor *type = &zhurnal__peer__v1__pull_response__descriptor;
    static uint8_t encoded[RECORDS * EMPTY];
    struct arena arena;
    struct error err = {0};
    (void)state;
    for (size_t i = 0; i < sizeof encoded; i += EMPTY) {
        encoded[i] = 0x12;
    }
    struct bytes all = bytes_of(encoded, sizeof encoded);
    arena_init(&arena, guard_arena_limit(0));
    assert_null(guard_decode(type, all, &arena, &err));
    assert_int_equal(err.status, STATUS_MALFORMED);
    assert_non_null(strstr(err.text, "too much"));
    assert_true(arena.used <= arena.limit);
    arena_reset(&arena);
    /* With the limit of the largest that may come there is room for it. */
    arena_init(&arena, guard_arena_limit(1 << 20));
    const Zhurnal__Peer__V1__PullResponse *response =
        (const void *)guard_decode(type, all, &arena, &err);
    assert_non_null(response);
    assert_int_equal(response->n_records, RECORDS);
    arena_reset(&arena);
}

/* Whatever comes, what is let through protobuf-c decodes, within the arena (ASan sees to that). */
static void noise_is_refused_or_decoded(void **state)
{
    struct random_stream random = {.state = 7};
    unsigned decoded = 0;
    (void)state;
    for (int i = 0; i < 20000; i++) {
        uint8_t message[24];
        struct arena arena;
        size_t size = random_below(&random, sizeof message + 1);
        for (size_t k = 0; k < size; k++) {
            /* Mostly small numbers: more of it makes sense. */
            uint64_t n = random_next(&random);
            message[k] = (uint8_t)((n & 0x300) == 0 ? n : n & 0x1F);
        }
        struct bytes encoded = bytes_of(message, size);
        const ProtobufCMessageDescriptor *type = &zhurnal__peer__v1__raft_request__descriptor;
        arena_init(&arena, guard_arena_limit(size));
        bool good = guard_check(type, encoded, NULL) == STATUS_OK;
        assert_true(good == (guard_decode(type, encoded, &arena, NULL) != NULL));
        decoded += good;
        arena_reset(&arena);
    }
    assert_true(decoded > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_utf8),
        cmocka_unit_test(text_hides_nothing_behind_a_nul),
        cmocka_unit_test(bytes_may_be_anything),
        cmocka_unit_test(a_field_has_the_type_of_its_schema),
        cmocka_unit_test(what_a_newer_schema_added_is_passed_over),
        cmocka_unit_test(a_message_within_is_looked_at_too),
        cmocka_unit_test(messages_are_not_nested_without_end),
        cmocka_unit_test(messages_are_not_without_number),
        cmocka_unit_test(what_decodes_to_too_much_is_refused),
        cmocka_unit_test(noise_is_refused_or_decoded),
    };
    return cmocka_run_group_tests_name("proto/guard", tests, NULL, NULL);
}
