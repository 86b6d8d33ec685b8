/* Verdicts: what the leaf binds, byte for byte, and what callers are told. */
#include "node/journal/verdict.h"
#include "proto/hex.h"
#include "proto/status.h"
#include "tests/lib/test.h"

#include <stdio.h>

static const struct event_verdict on_record[] = {{.timeliness = 1}};
static const struct event_verdict judged[] = {
    {.timeliness = 4, .due_at_ms = 1795467600000, .warnings = 6},
    {.timeliness = 2, .due_at_ms = -1},
};

static struct verdict accepted(void)
{
    return (struct verdict){.outcome = VERDICT_ACCEPTED,
        .school = 7,
        .school_index = 1,
        .events = on_record,
        .count = 1};
}

static void assert_hash(const struct verdict *verdict, const char *expected)
{
    uint8_t hash[SHA256_SIZE];
    char hex[2 * SHA256_SIZE + 1];
    verdict_hash(verdict, hash);
    assert_string_equal(hex_encode(hash, sizeof hash, hex), expected);
}

/* The expected values were computed apart from this code, with Python's hashlib and struct. */
static void the_hash_of_a_verdict_is_fixed_for_ever(void **state)
{
    (void)state;
    struct verdict verdict = accepted();
    assert_hash(&verdict, "b1829c3690b311d77e0c9a5f7d7a2849402937f70dce051d7309a1e2893fc86d");

    verdict = (struct verdict){.outcome = VERDICT_REFUSED,
        .rule = RULE_OUTSIDE_SCHOOLS,
        .school = 9007199254740991,
        .school_index = 300};
    for (size_t i = 0; i < SHA256_SIZE; i++) {
        verdict.school_chain[i] = (uint8_t)i;
    }
    assert_hash(&verdict, "965acbc4e1b164e167da54312135f09c5c0282329eedb0e0e84504c4eb67361a");

    verdict = (struct verdict){
        .outcome = VERDICT_DUPLICATE, .school = 7, .school_index = 2, .first_index = 41};
    memset(verdict.school_chain, 0xab, SHA256_SIZE);
    assert_hash(&verdict, "54d91ed69371232b2102e8290d8680f92a3a3d16e265bb4b13b2ed10ec1728b3");

    verdict = accepted();
    verdict.school_index = 3;
    verdict.events = judged;
    verdict.count = 2;
    assert_hash(&verdict, "3e22208e113777b99821ed022abaa73cbb4e99337c3a5db2775182b8ebb7c03a");
}

static void a_verdict_is_read_as_it_was_stored(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct verdict written = accepted();
    written.events = judged;
    written.count = 2;
    memset(written.school_chain, 0x5a, SHA256_SIZE);
    struct bytes encoded;
    struct verdict read;
    assert_int_equal(verdict_encode(&written, &arena, &encoded), STATUS_OK);
    assert_int_equal(verdict_decode(encoded, &arena, &read), STATUS_OK);

    uint8_t a[SHA256_SIZE];
    uint8_t b[SHA256_SIZE];
    verdict_hash(&written, a);
    verdict_hash(&read, b);
    assert_memory_equal(a, b, sizeof a);
    arena_reset(&arena);
}

static void bytes_that_are_no_verdict_are_corrupt(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct verdict verdict;
    assert_int_equal(verdict_decode(bytes_of("\xff\xff\xff", 3), &arena, &verdict), STATUS_CORRUPT);
    assert_int_equal(verdict_decode(bytes_of("", 0), &arena, &verdict), STATUS_CORRUPT);
    arena_reset(&arena);
}

static void every_rule_has_its_own_number_a_code_and_a_sentence(void **state)
{
    (void)state;
    static const uint32_t numbers[] = {
#define X(name, number, grpc, sentence) (number),
        RULE_TABLE(X)
#undef X
    };
    for (size_t i = 1; i < sizeof numbers / sizeof *numbers; i++) {
        struct verdict verdict = {.outcome = VERDICT_REFUSED, .rule = numbers[i]};
        assert_true(numbers[i] > numbers[i - 1]);
        assert_in_range(verdict_grpc_code(&verdict), 1, 16);
        assert_true(strlen(verdict_sentence(&verdict)) > 20);
    }
}

static void a_rule_of_a_newer_version_is_still_a_refusal(void **state)
{
    (void)state;
    struct verdict verdict = {.outcome = VERDICT_REFUSED, .rule = 60000};
    assert_int_equal(verdict_grpc_code(&verdict), 9);
    assert_non_null(strstr(verdict_sentence(&verdict), "upgrade"));
}

static void what_is_accepted_or_a_duplicate_is_no_error(void **state)
{
    (void)state;
    struct verdict verdict = accepted();
    assert_int_equal(verdict_grpc_code(&verdict), 0);
    verdict.outcome = VERDICT_DUPLICATE;
    assert_int_equal(verdict_grpc_code(&verdict), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hash_of_a_verdict_is_fixed_for_ever),
        cmocka_unit_test(a_verdict_is_read_as_it_was_stored),
        cmocka_unit_test(bytes_that_are_no_verdict_are_corrupt),
        cmocka_unit_test(every_rule_has_its_own_number_a_code_and_a_sentence),
        cmocka_unit_test(a_rule_of_a_newer_version_is_still_a_refusal),
        cmocka_unit_test(what_is_accepted_or_a_duplicate_is_no_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
