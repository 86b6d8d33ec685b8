/* Leaves and the running digest, against hashes computed by hand elsewhere. */
#include "proto/hex.h"
#include "storage/leaf.h"
#include "tests/lib/test.h"

static void assert_hash(const uint8_t hash[SHA256_SIZE], const char *expected)
{
    char text[2 * SHA256_SIZE + 1];
    assert_string_equal(hex_encode(hash, SHA256_SIZE, text), expected);
}

static struct record command(void)
{
    return (struct record){
        .index = 0x0102030405060708,
        .term = 9,
        .kind = RECORD_COMMAND,
        .payload = bytes_of("payload", 7),
    };
}

static void a_leaf_is_what_it_was_in_the_first_release(void **state)
{
    (void)state;
    uint8_t verdict[SHA256_SIZE];
    uint8_t leaf[SHA256_SIZE];
    struct record record = command();
    sha256_of(bytes_of("verdict", 7), verdict);
    leaf_hash(0x0A0B0C0D, &record, verdict, leaf);
    assert_hash(leaf, "25c37117ef849be69d224dd8c3fa46525ce93e051c529b000a13651570816ff6");
}

static void the_digest_chains_leaves_from_zeros(void **state)
{
    (void)state;
    uint8_t digest[SHA256_SIZE] = {0};
    uint8_t leaf[SHA256_SIZE];
    sha256_of(bytes_of("1", 1), leaf);
    digest_extend(digest, leaf);
    sha256_of(bytes_of("2", 1), leaf);
    digest_extend(digest, leaf);
    assert_hash(digest, "6e642f24819a7678099e01389f832ab23c52ad3fc2e632b90ba501dc146aa5e6");
}

static void the_term_stays_out_and_all_else_is_in(void **state)
{
    (void)state;
    static const uint8_t verdict[SHA256_SIZE];
    static const uint8_t other_verdict[SHA256_SIZE] = {1};
    uint8_t leaf[SHA256_SIZE];
    uint8_t other[SHA256_SIZE];
    struct record record = command();
    leaf_hash(1, &record, verdict, leaf);
    record.term++;
    leaf_hash(1, &record, verdict, other);
    assert_memory_equal(leaf, other, SHA256_SIZE);
    leaf_hash(2, &record, verdict, other);
    assert_memory_not_equal(leaf, other, SHA256_SIZE);
    leaf_hash(1, &record, other_verdict, other);
    assert_memory_not_equal(leaf, other, SHA256_SIZE);
    record.index++;
    leaf_hash(1, &record, verdict, other);
    assert_memory_not_equal(leaf, other, SHA256_SIZE);
    record = command();
    record.kind = RECORD_BARRIER;
    leaf_hash(1, &record, verdict, other);
    assert_memory_not_equal(leaf, other, SHA256_SIZE);
    record = command();
    record.payload.size--;
    leaf_hash(1, &record, verdict, other);
    assert_memory_not_equal(leaf, other, SHA256_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_leaf_is_what_it_was_in_the_first_release),
        cmocka_unit_test(the_digest_chains_leaves_from_zeros),
        cmocka_unit_test(the_term_stays_out_and_all_else_is_in),
    };
    return cmocka_run_group_tests_name("storage/leaf", tests, NULL, NULL);
}
