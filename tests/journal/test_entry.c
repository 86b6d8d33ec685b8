/* Entries: what the leader stores beside the draft's bytes, and when a retry is the same. */
#include "node/journal/entry.h"
#include "proto/hex.h"
#include "tests/lib/school_draft.h"
#include "tests/lib/test.h"

#include <stdlib.h>

static char portal_name[] = "portal";

static const Zhurnal__V1__Principal portal = {
    PROTOBUF_C_MESSAGE_INIT(&zhurnal__v1__principal__descriptor),
    ZHURNAL__V1__PRINCIPAL_KIND__PRINCIPAL_KIND_FRONTEND, portal_name, 0, NULL, {0, NULL}};

struct fixture {
    struct school_draft draft;
    struct arena arena;
    struct submission submission;
    uint8_t *payload;
    size_t size;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    arena_init(&f->arena, 16 << 20);
    draft_begin(&f->draft, 77, 1795467600000, 1);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    arena_reset(&f->arena);
    free(f->payload);
    free(f);
    return 0;
}

static Zhurnal__V1__Personal *add_comment(struct fixture *f, const char *text)
{
    Zhurnal__V1__CommentAdded *comment = DRAFT_ADD(&f->draft, comment_added, COMMENT_ADDED);
    comment->text_part = draft_part(&f->draft, 5, ZHURNAL__V1__BASIS__BASIS_SERVICE, text);
    return f->draft.parts[comment->text_part - 1];
}

static void submit(struct fixture *f)
{
    struct school_entry entry = {0};
    draft_end(&f->draft, &entry);
    assert_int_equal(submission_parse(entry.request, &f->arena, &f->submission, NULL), STATUS_OK);
}

static void record(struct fixture *f)
{
    struct entry_stamp stamp = {.recorded_at_ms = 1795467601234,
        .principal = &portal,
        .received_by = 0xa2,
        .leader = 0xa1,
        .level = 1,
        .clock_epoch = 4,
        .clock_untrusted = true};
    for (size_t i = 0; i < ENTRY_SALT_KEY_SIZE; i++) {
        stamp.salt_key[i] = (uint8_t)i;
    }
    submit(f);
    assert_int_equal(entry_encode(&f->submission, &stamp, &f->payload, &f->size), STATUS_OK);
}

static struct bytes payload_of(const struct fixture *f)
{
    return bytes_of(f->payload, f->size);
}

static void the_drafts_bytes_are_stored_as_they_came(void **state)
{
    struct fixture *f = *state;
    add_comment(f, "Внимательнее");
    record(f);
    Zhurnal__V1__Entry *stored = zhurnal__v1__entry__unpack(NULL, f->size, f->payload);
    assert_non_null(stored);
    assert_true(bytes_equal(bytes_of(stored->draft.data, stored->draft.len), f->submission.slice));
    zhurnal__v1__entry__free_unpacked(stored, NULL);
}

static void the_stamp_stands_beside_the_draft(void **state)
{
    struct fixture *f = *state;
    add_comment(f, "Внимательнее");
    record(f);
    assert_int_equal(entry_recorded_at(payload_of(f)), 1795467601234);
    Zhurnal__V1__Entry *stored = zhurnal__v1__entry__unpack(NULL, f->size, f->payload);
    assert_non_null(stored);
    assert_int_equal(stored->received_by, 0xa2);
    assert_int_equal(stored->leader, 0xa1);
    assert_int_equal(stored->level, 1);
    assert_int_equal(stored->clock_epoch, 4);
    assert_true(stored->clock_untrusted);
    assert_string_equal(stored->principal->name, "portal");
    zhurnal__v1__entry__free_unpacked(stored, NULL);
}

static void what_the_judge_reads_is_decoded(void **state)
{
    struct fixture *f = *state;
    add_comment(f, "Внимательнее");
    record(f);
    struct entry entry;
    assert_int_equal(entry_decode(payload_of(f), &f->arena, &entry), STATUS_OK);
    assert_true(bytes_equal(entry.slice, f->submission.slice));
    assert_int_equal(entry.draft->n_events, 1);
    assert_string_equal(entry.principal->name, "portal");
    assert_int_equal(entry.recorded_at_ms, 1795467601234);
}

static void used_up_memory_is_told_from_bytes_that_do_not_decode(void **state)
{
    struct fixture *f = *state;
    add_comment(f, "Внимательнее");
    record(f);
    struct arena tiny;
    struct entry entry;
    arena_init(&tiny, 64);
    assert_int_equal(entry_decode(payload_of(f), &tiny, &entry), STATUS_NO_MEMORY);
    arena_reset(&tiny);
    assert_int_equal(
        entry_decode(bytes_of("\x0a\x01\x0a\x2a\x00", 5), &f->arena, &entry), STATUS_MALFORMED);
}

/* Computed apart from this code, with Python's hashlib: the key is 00 01 … 1f. */
static void a_part_without_a_salt_gets_one_from_the_leader(void **state)
{
    struct fixture *f = *state;
    static const char *const salts[] = {
        "04a6950a06d3e3308ad7d3606ef810eb", "0f8d842ac9cb62349779a7537a78327d"};
    add_comment(f, "Внимательнее");
    add_comment(f, "Молодец");
    record(f);
    Zhurnal__V1__Entry *stored = zhurnal__v1__entry__unpack(NULL, f->size, f->payload);
    assert_non_null(stored);
    assert_int_equal(stored->n_sealed, 2);
    for (size_t i = 0; i < 2; i++) {
        char hex[2 * SALT_SIZE + 1];
        assert_string_equal(hex_encode(stored->sealed[i]->sealed.data, SALT_SIZE, hex), salts[i]);
        assert_int_equal(stored->sealed[i]->alg, 0);
        assert_int_equal(stored->sealed[i]->subject, 5);
    }
    zhurnal__v1__entry__free_unpacked(stored, NULL);
}

static void the_clients_own_salt_is_kept(void **state)
{
    struct fixture *f = *state;
    static uint8_t salt[SALT_SIZE] = "0123456789abcdef";
    add_comment(f, "Внимательнее")->salt = (ProtobufCBinaryData){.data = salt, .len = SALT_SIZE};
    record(f);
    Zhurnal__V1__Entry *stored = zhurnal__v1__entry__unpack(NULL, f->size, f->payload);
    assert_non_null(stored);
    assert_memory_equal(stored->sealed[0]->sealed.data, salt, SALT_SIZE);
    zhurnal__v1__entry__free_unpacked(stored, NULL);
}

static void a_part_is_read_back_by_its_number(void **state)
{
    struct fixture *f = *state;
    add_comment(f, "Внимательнее");
    add_comment(f, "Молодец");
    record(f);
    struct bytes text;
    assert_true(entry_part(payload_of(f), 2, &text));
    assert_true(bytes_equal(text, bytes_of("Молодец", strlen("Молодец"))));
    assert_false(entry_part(payload_of(f), 0, &text));
    assert_false(entry_part(payload_of(f), 3, &text));
}

static void a_part_under_a_key_is_not_read(void **state)
{
    (void)state;
    uint8_t sealed[SALT_SIZE + 1] = {0};
    Zhurnal__V1__Sealed part = ZHURNAL__V1__SEALED__INIT;
    part.alg = 1;
    part.sealed = (ProtobufCBinaryData){.data = sealed, .len = sizeof sealed};
    Zhurnal__V1__Sealed *parts[] = {&part};
    Zhurnal__V1__Entry entry = ZHURNAL__V1__ENTRY__INIT;
    entry.n_sealed = 1;
    entry.sealed = parts;
    uint8_t payload[128];
    size_t size = zhurnal__v1__entry__pack(&entry, payload);
    struct bytes text;
    assert_false(entry_part(bytes_of(payload, size), 1, &text));
}

static void a_retry_is_the_same_whatever_salt_the_leader_chose(void **state)
{
    struct fixture *f = *state;
    add_comment(f, "Внимательнее");
    record(f);
    submit(f);
    assert_true(entry_same(&f->submission, payload_of(f)));
}

static void another_text_under_the_same_draft_is_not_the_same(void **state)
{
    struct fixture *f = *state;
    Zhurnal__V1__Personal *part = add_comment(f, "Внимательнее");
    record(f);
    part->text = draft_text(&f->draft, "Молодец");
    submit(f);
    assert_false(entry_same(&f->submission, payload_of(f)));
}

static void another_salt_of_the_client_is_not_the_same(void **state)
{
    struct fixture *f = *state;
    static uint8_t salt[SALT_SIZE] = "0123456789abcdef";
    static uint8_t other[SALT_SIZE] = "0123456789abcdeF";
    Zhurnal__V1__Personal *part = add_comment(f, "Внимательнее");
    part->salt = (ProtobufCBinaryData){.data = salt, .len = SALT_SIZE};
    record(f);
    submit(f);
    assert_true(entry_same(&f->submission, payload_of(f)));
    part->salt.data = other;
    submit(f);
    assert_false(entry_same(&f->submission, payload_of(f)));
}

static void more_or_fewer_parts_are_not_the_same(void **state)
{
    struct fixture *f = *state;
    add_comment(f, "Внимательнее");
    draft_part(&f->draft, 5, ZHURNAL__V1__BASIS__BASIS_LAW, "ещё");
    record(f);
    f->draft.request.n_personal = 1;
    submit(f);
    assert_false(entry_same(&f->submission, payload_of(f)));
    f->draft.request.n_personal = 2;
    draft_part(&f->draft, 5, ZHURNAL__V1__BASIS__BASIS_LAW, "и ещё");
    submit(f);
    assert_false(entry_same(&f->submission, payload_of(f)));
}

static void another_draft_is_not_the_same(void **state)
{
    struct fixture *f = *state;
    add_comment(f, "Внимательнее");
    record(f);
    f->draft.draft.school++;
    submit(f);
    assert_false(entry_same(&f->submission, payload_of(f)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_WITH_FIXTURE(the_drafts_bytes_are_stored_as_they_came),
        TEST_WITH_FIXTURE(the_stamp_stands_beside_the_draft),
        TEST_WITH_FIXTURE(what_the_judge_reads_is_decoded),
        TEST_WITH_FIXTURE(used_up_memory_is_told_from_bytes_that_do_not_decode),
        TEST_WITH_FIXTURE(a_part_without_a_salt_gets_one_from_the_leader),
        TEST_WITH_FIXTURE(the_clients_own_salt_is_kept),
        TEST_WITH_FIXTURE(a_part_is_read_back_by_its_number),
        TEST_WITH_FIXTURE(a_part_under_a_key_is_not_read),
        TEST_WITH_FIXTURE(a_retry_is_the_same_whatever_salt_the_leader_chose),
        TEST_WITH_FIXTURE(another_text_under_the_same_draft_is_not_the_same),
        TEST_WITH_FIXTURE(another_salt_of_the_client_is_not_the_same),
        TEST_WITH_FIXTURE(more_or_fewer_parts_are_not_the_same),
        TEST_WITH_FIXTURE(another_draft_is_not_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
