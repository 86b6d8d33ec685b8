/* Submissions: what is taken from an AppendRequest's bytes, and what is refused before the log. */
#include "node/journal/submission.h"
#include "proto/hex.h"
#include "tests/lib/school_draft.h"
#include "tests/lib/test.h"

#include <stdlib.h>

enum { SCHOOL = 77, REQUEST_MAX = SUBMISSION_REQUEST_MAX + 1024 };

struct fixture {
    struct school_draft draft;
    struct arena arena;
    struct submission submission;
    struct error err;
    size_t size;
    uint8_t request[REQUEST_MAX];
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    arena_init(&f->arena, SUBMISSION_ARENA_LIMIT);
    draft_begin(&f->draft, SCHOOL, 1795467600000, 1);
    f->draft.day = 20261123;
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    arena_reset(&f->arena);
    free(f);
    return 0;
}

/* A person with one name, as a client that signs would send it: bound, with its salt. */
static Zhurnal__V1__Personal *add_person(struct fixture *f, const char *surname)
{
    Zhurnal__V1__PersonRegistered *person =
        DRAFT_ADD(&f->draft, person_registered, PERSON_REGISTERED);
    person->person = 5;
    person->surname_part = draft_part(&f->draft, 5, ZHURNAL__V1__BASIS__BASIS_SERVICE, surname);
    Zhurnal__V1__Personal *part = f->draft.parts[person->surname_part - 1];
    uint8_t *salt = draft_alloc(&f->draft, SALT_SIZE);
    for (size_t i = 0; i < SALT_SIZE; i++) {
        salt[i] = (uint8_t)i;
    }
    part->salt = (ProtobufCBinaryData){.data = salt, .len = SALT_SIZE};
    return part;
}

static void bind_part(struct fixture *f, const char *hex)
{
    ProtobufCBinaryData *hash = draft_alloc(&f->draft, sizeof *hash);
    hash->data = draft_alloc(&f->draft, SHA256_SIZE);
    hash->len = SHA256_SIZE;
    assert_true(hex_decode(hex, hash->data, SHA256_SIZE));
    f->draft.draft.parts = hash;
    f->draft.draft.n_parts = 1;
}

static void encode(struct fixture *f)
{
    struct school_entry entry = {0};
    draft_end(&f->draft, &entry);
    memcpy(f->request, entry.request.data, entry.request.size);
    f->size = entry.request.size;
}

static void add_bytes(struct fixture *f, const void *data, size_t size)
{
    assert_true(size <= sizeof f->request - f->size);
    memcpy(f->request + f->size, data, size);
    f->size += size;
}

static int parse(struct fixture *f)
{
    return submission_parse(bytes_of(f->request, f->size), &f->arena, &f->submission, &f->err);
}

static void assert_refused(struct fixture *f, int status, const char *word)
{
    assert_int_equal(parse(f), status);
    assert_int_equal(f->err.status, status);
    if (strstr(f->err.text, word) == NULL) {
        fail_msg("«%s» does not say «%s»", f->err.text, word);
    }
}

static void the_draft_is_the_slice_as_it_came(void **state)
{
    struct fixture *f = *state;
    DRAFT_ADD(&f->draft, class_closed, CLASS_CLOSED);
    encode(f);
    /* Field 1 of two bytes' length at most here: tag, length, and the slice. */
    assert_int_equal(f->request[0], 0x0a);
    assert_int_equal(parse(f), STATUS_OK);
    assert_ptr_equal(f->submission.slice.data, f->request + 2);
    assert_int_equal(f->submission.slice.size, f->size - 2);
    assert_int_equal(f->submission.draft->school, SCHOOL);
    assert_memory_equal(f->submission.entry_id, f->draft.entry_id, ENTRY_ID_SIZE);
    uint8_t hash[SHA256_SIZE];
    sha256_of(f->submission.slice, hash);
    assert_memory_equal(f->submission.draft_hash, hash, sizeof hash);
}

static void fields_that_nobody_knows_stay_in_the_slice(void **state)
{
    struct fixture *f = *state;
    static const uint8_t slice_tail[] = {0xf8, 0x3f, 0x01}; /* Field 1023, varint 1. */
    DRAFT_ADD(&f->draft, class_closed, CLASS_CLOSED);
    encode(f);
    add_bytes(f, slice_tail, sizeof slice_tail);
    f->request[1] = (uint8_t)(f->request[1] + sizeof slice_tail);
    assert_true(f->request[1] < 0x80);
    assert_int_equal(parse(f), STATUS_OK);
    assert_memory_equal(f->submission.slice.data + f->submission.slice.size - sizeof slice_tail,
        slice_tail, sizeof slice_tail);
}

static void ids_are_exact_in_javascript(void **state)
{
    struct fixture *f = *state;
    Zhurnal__V1__AttendanceTaken *taken = DRAFT_ADD(&f->draft, attendance_taken, ATTENDANCE_TAKEN);
    Zhurnal__V1__AttendanceException *exception =
        draft_message(&f->draft, &zhurnal__v1__attendance_exception__descriptor);
    taken->lesson = SUBMISSION_ID_MAX;
    taken->n_exceptions = 1;
    taken->exceptions = draft_alloc(&f->draft, sizeof(void *));
    taken->exceptions[0] = exception;
    exception->pupil = SUBMISSION_ID_MAX;
    encode(f);
    assert_int_equal(parse(f), STATUS_OK);
    exception->pupil++;
    encode(f);
    assert_refused(f, STATUS_INVALID, "AttendanceException.pupil is 9007199254740992");
}

static void each_of_a_list_of_ids_is_looked_at(void **state)
{
    struct fixture *f = *state;
    uint64_t pupils[] = {1, SUBMISSION_ID_MAX + 1, 2};
    Zhurnal__V1__HomeworkSet *set = DRAFT_ADD(&f->draft, homework_set, HOMEWORK_SET);
    set->pupils = pupils;
    set->n_pupils = sizeof pupils / sizeof *pupils;
    encode(f);
    assert_refused(f, STATUS_INVALID, "HomeworkSet.pupils");
}

static void a_part_is_about_somebody_with_such_an_id(void **state)
{
    struct fixture *f = *state;
    add_person(f, "Абдулаев")->subject = UINT64_MAX;
    encode(f);
    assert_refused(f, STATUS_INVALID, "Personal.subject");
}

static void a_part_about_nobody_is_refused(void **state)
{
    struct fixture *f = *state;
    add_person(f, "Абдулаев")->subject = 0;
    encode(f);
    assert_refused(f, STATUS_INVALID, "about nobody");
}

static void a_day_stands_in_the_calendar(void **state)
{
    struct fixture *f = *state;
    Zhurnal__V1__HomeworkSet *set = DRAFT_ADD(&f->draft, homework_set, HOMEWORK_SET);
    set->due_day = 20280229;
    encode(f);
    assert_int_equal(parse(f), STATUS_OK);
    set->due_day = 20261332;
    encode(f);
    assert_refused(f, STATUS_INVALID, "HomeworkSet.due_day is 20261332, which is no day");
}

static void a_roll_call_has_an_end(void **state)
{
    struct fixture *f = *state;
    Zhurnal__V1__AttendanceTaken *taken = DRAFT_ADD(&f->draft, attendance_taken, ATTENDANCE_TAKEN);
    Zhurnal__V1__AttendanceException none = ZHURNAL__V1__ATTENDANCE_EXCEPTION__INIT;
    Zhurnal__V1__AttendanceException *exceptions[SUBMISSION_LESSON_PUPILS_MAX + 1];
    for (size_t i = 0; i <= SUBMISSION_LESSON_PUPILS_MAX; i++) {
        exceptions[i] = &none;
    }
    taken->exceptions = exceptions;
    taken->n_exceptions = SUBMISSION_LESSON_PUPILS_MAX;
    encode(f);
    assert_int_equal(parse(f), STATUS_OK);
    taken->n_exceptions++;
    encode(f);
    assert_refused(f, STATUS_INVALID, "lists 1001 pupils");
}

static void nodes_have_ids_of_their_own(void **state)
{
    struct fixture *f = *state;
    Zhurnal__V1__NodeRemoved *removed = DRAFT_ADD(&f->draft, node_removed, NODE_REMOVED);
    removed->node = UINT64_MAX;
    encode(f);
    assert_int_equal(parse(f), STATUS_OK);
}

static void signature_and_check_only_are_read(void **state)
{
    struct fixture *f = *state;
    DRAFT_ADD(&f->draft, class_closed, CLASS_CLOSED);
    f->draft.request.check_only = 1;
    f->draft.request.signature = (ProtobufCBinaryData){.data = (uint8_t *)"sig", .len = 3};
    encode(f);
    assert_int_equal(parse(f), STATUS_OK);
    assert_true(f->submission.check_only);
    assert_true(bytes_equal(f->submission.signature, bytes_of("sig", 3)));
}

static void a_draft_that_comes_twice_is_refused(void **state)
{
    struct fixture *f = *state;
    DRAFT_ADD(&f->draft, class_closed, CLASS_CLOSED);
    encode(f);
    uint8_t again[512];
    size_t size = f->size;
    assert_true(size <= sizeof again);
    memcpy(again, f->request, size);
    add_bytes(f, again, size);
    assert_refused(f, STATUS_MALFORMED, "exactly once");
}

static void a_request_without_a_draft_is_refused(void **state)
{
    struct fixture *f = *state;
    assert_refused(f, STATUS_INVALID, "no draft");
}

static void a_request_of_more_than_2_mib_is_refused(void **state)
{
    struct fixture *f = *state;
    f->size = SUBMISSION_REQUEST_MAX + 1;
    assert_refused(f, STATUS_TOO_LARGE, "2097152");
}

/* An unknown field of this many bytes within field 1. */
static void a_draft_of_more_than_1_mib_is_refused(void **state)
{
    struct fixture *f = *state;
    static const uint8_t head[] = {0x0a, 0x81, 0x80, 0x40}; /* 1 MiB + 1. */
    add_bytes(f, head, sizeof head);
    f->size += SUBMISSION_DRAFT_MAX + 1;
    assert_refused(f, STATUS_TOO_LARGE, "1048576");
}

static void an_entry_id_has_16_bytes(void **state)
{
    struct fixture *f = *state;
    DRAFT_ADD(&f->draft, class_closed, CLASS_CLOSED);
    f->draft.draft.entry_id.len = 15;
    encode(f);
    assert_refused(f, STATUS_INVALID, "16 bytes");
}

/* Draft: the entry id, then so many empty events. */
static void encode_empty_events(struct fixture *f, size_t events)
{
    size_t draft = 2 + ENTRY_ID_SIZE + 2 * events;
    uint8_t head[] = {0x0a, (uint8_t)(0x80 | (draft & 0x7f)), (uint8_t)(draft >> 7), 0x0a, 16};
    static const uint8_t id[ENTRY_ID_SIZE] = {1};
    f->size = 0;
    add_bytes(f, head, sizeof head);
    add_bytes(f, id, sizeof id);
    for (size_t i = 0; i < events; i++) {
        add_bytes(f, "\x22\x00", 2);
    }
}

static void an_entry_has_1_to_1000_events(void **state)
{
    struct fixture *f = *state;
    encode_empty_events(f, 1000);
    assert_int_equal(parse(f), STATUS_OK);
    encode_empty_events(f, 1001);
    assert_refused(f, STATUS_INVALID, "1 to 1000");
}

static void an_entry_without_events_is_refused(void **state)
{
    struct fixture *f = *state;
    static const uint8_t empty[] = {
        0x0a, 18, 0x0a, 16, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    add_bytes(f, empty, sizeof empty);
    assert_refused(f, STATUS_INVALID, "0 events");
}

static void bytes_that_do_not_decode_are_refused(void **state)
{
    struct fixture *f = *state;
    DRAFT_ADD(&f->draft, class_closed, CLASS_CLOSED);
    encode(f);
    add_bytes(f, "\x12\x05x", 3);
    assert_refused(f, STATUS_MALFORMED, "does not decode");
}

/* The hash was computed apart from this code, with Python's hashlib. */
static const char islam[] = "fd11da076fe80e99ff6cf64e8432a03928f258634916dbab38ac642c606eee23";

static void a_part_that_matches_its_hash_is_taken(void **state)
{
    struct fixture *f = *state;
    add_person(f, "Ислам");
    bind_part(f, islam);
    encode(f);
    assert_int_equal(parse(f), STATUS_OK);
    assert_int_equal(f->submission.personal_count, 1);
    assert_string_equal(f->submission.personal[0]->text, "Ислам");
}

static void a_part_that_does_not_match_its_hash_is_refused(void **state)
{
    struct fixture *f = *state;
    add_person(f, "Ислам")->subject = 6;
    bind_part(f, islam);
    encode(f);
    assert_refused(f, STATUS_INVALID, "does not match");
}

static void a_bound_part_needs_its_salt(void **state)
{
    struct fixture *f = *state;
    add_person(f, "Ислам")->salt.len = 0;
    bind_part(f, islam);
    encode(f);
    assert_refused(f, STATUS_INVALID, "no salt");
}

static void all_parts_are_bound_or_none(void **state)
{
    struct fixture *f = *state;
    add_person(f, "Ислам");
    add_person(f, "Аслан");
    bind_part(f, islam);
    encode(f);
    assert_refused(f, STATUS_INVALID, "one for each, or none");
}

static void a_salt_has_16_bytes_or_none(void **state)
{
    struct fixture *f = *state;
    add_person(f, "Ислам")->salt.len = 8;
    encode(f);
    assert_refused(f, STATUS_INVALID, "8 bytes");
}

static void a_part_says_why_it_is_held(void **state)
{
    struct fixture *f = *state;
    add_person(f, "Ислам")->basis = ZHURNAL__V1__BASIS__BASIS_UNSPECIFIED;
    encode(f);
    assert_refused(f, STATUS_INVALID, "basis");
}

static void an_event_names_only_parts_that_are_there(void **state)
{
    struct fixture *f = *state;
    Zhurnal__V1__CommentAdded *comment = DRAFT_ADD(&f->draft, comment_added, COMMENT_ADDED);
    comment->text_part = 1;
    encode(f);
    assert_refused(f, STATUS_INVALID, "text_part");
}

static void a_correction_names_only_parts_that_are_there(void **state)
{
    struct fixture *f = *state;
    Zhurnal__V1__EntryCorrected *corrected = DRAFT_ADD(&f->draft, entry_corrected, ENTRY_CORRECTED);
    corrected->value_case = ZHURNAL__V1__ENTRY_CORRECTED__VALUE_TEXT_PART;
    corrected->text_part = 2;
    encode(f);
    assert_refused(f, STATUS_INVALID, "text_part");
}

/* The union's bytes must not be taken for a part's number. */
static void another_value_of_a_correction_is_no_part(void **state)
{
    struct fixture *f = *state;
    Zhurnal__V1__EntryCorrected *corrected = DRAFT_ADD(&f->draft, entry_corrected, ENTRY_CORRECTED);
    corrected->value_case = ZHURNAL__V1__ENTRY_CORRECTED__VALUE_TOPIC;
    corrected->topic = draft_text(&f->draft, "Сила трения");
    encode(f);
    assert_int_equal(parse(f), STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_WITH_FIXTURE(the_draft_is_the_slice_as_it_came),
        TEST_WITH_FIXTURE(fields_that_nobody_knows_stay_in_the_slice),
        TEST_WITH_FIXTURE(ids_are_exact_in_javascript),
        TEST_WITH_FIXTURE(each_of_a_list_of_ids_is_looked_at),
        TEST_WITH_FIXTURE(a_part_is_about_somebody_with_such_an_id),
        TEST_WITH_FIXTURE(a_part_about_nobody_is_refused),
        TEST_WITH_FIXTURE(a_day_stands_in_the_calendar),
        TEST_WITH_FIXTURE(a_roll_call_has_an_end),
        TEST_WITH_FIXTURE(nodes_have_ids_of_their_own),
        TEST_WITH_FIXTURE(signature_and_check_only_are_read),
        TEST_WITH_FIXTURE(a_draft_that_comes_twice_is_refused),
        TEST_WITH_FIXTURE(a_request_without_a_draft_is_refused),
        TEST_WITH_FIXTURE(a_request_of_more_than_2_mib_is_refused),
        TEST_WITH_FIXTURE(a_draft_of_more_than_1_mib_is_refused),
        TEST_WITH_FIXTURE(an_entry_id_has_16_bytes),
        TEST_WITH_FIXTURE(an_entry_has_1_to_1000_events),
        TEST_WITH_FIXTURE(an_entry_without_events_is_refused),
        TEST_WITH_FIXTURE(bytes_that_do_not_decode_are_refused),
        TEST_WITH_FIXTURE(a_part_that_matches_its_hash_is_taken),
        TEST_WITH_FIXTURE(a_part_that_does_not_match_its_hash_is_refused),
        TEST_WITH_FIXTURE(a_bound_part_needs_its_salt),
        TEST_WITH_FIXTURE(all_parts_are_bound_or_none),
        TEST_WITH_FIXTURE(a_salt_has_16_bytes_or_none),
        TEST_WITH_FIXTURE(a_part_says_why_it_is_held),
        TEST_WITH_FIXTURE(an_event_names_only_parts_that_are_there),
        TEST_WITH_FIXTURE(a_correction_names_only_parts_that_are_there),
        TEST_WITH_FIXTURE(another_value_of_a_correction_is_no_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
