/* SHA-256 against the vectors of FIPS 180-4. */
#include "proto/hex.h"
#include "proto/sha256.h"
#include "tests/lib/test.h"

static void assert_hash(const void *data, size_t size, const char *expected)
{
    uint8_t hash[SHA256_SIZE];
    char text[2 * SHA256_SIZE + 1];
    sha256_of(bytes_of(data, size), hash);
    assert_string_equal(hex_encode(hash, sizeof hash, text), expected);
}

static void published_vectors_match(void **state)
{
    (void)state;
    assert_hash(NULL, 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_hash("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    const char *two_blocks = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    assert_hash(two_blocks, strlen(two_blocks),
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void integers_are_hashed_big_endian(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0xAB, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    uint8_t expected[SHA256_SIZE];
    uint8_t got[SHA256_SIZE];
    sha256_of(bytes_of(bytes, sizeof bytes), expected);

    struct sha256 sha;
    sha256_init(&sha);
    sha256_update_u8(&sha, 0xAB);
    sha256_update_u32(&sha, 0x01020304);
    sha256_update_u64(&sha, 0x05060708090A0B0C);
    sha256_update(&sha, NULL, 0);
    sha256_final(&sha, got);
    assert_memory_equal(got, expected, SHA256_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_vectors_match),
        cmocka_unit_test(integers_are_hashed_big_endian),
    };
    return cmocka_run_group_tests_name("proto/sha256", tests, NULL, NULL);
}
