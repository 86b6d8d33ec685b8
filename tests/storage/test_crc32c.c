/* CRC-32C, by the processor and without it. */
#include "storage/crc32c.h"
#include "tests/lib/random.h"
#include "tests/lib/test.h"

static void assert_crc(const void *data, size_t size, uint32_t expected)
{
    assert_int_equal(crc32c(0, data, size), expected);
    assert_int_equal(crc32c_portable(0, data, size), expected);
}

/* RFC 3720, appendix B.4; the first is the check value of the CRC catalogue. */
static void published_vectors_match(void **state)
{
    (void)state;
    uint8_t bytes[32];
    assert_crc("123456789", 9, 0xE3069283);
    assert_crc("", 0, 0);
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = 0;
    }
    assert_crc(bytes, sizeof bytes, 0x8A9136AA);
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = 0xFF;
    }
    assert_crc(bytes, sizeof bytes, 0x62A8AB43);
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)i;
    }
    assert_crc(bytes, sizeof bytes, 0x46DD794E);
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(31 - i);
    }
    assert_crc(bytes, sizeof bytes, 0x113FDB5C);
    static const uint8_t read_command[48] = {[0] = 0x01,
        [1] = 0xC0,
        [16] = 0x14,
        [22] = 0x04,
        [27] = 0x14,
        [31] = 0x18,
        [32] = 0x28,
        [40] = 0x02};
    assert_crc(read_command, sizeof read_command, 0xD9963A56);
}

static void both_agree_at_every_length_and_alignment(void **state)
{
    (void)state;
    struct random_stream random = {.state = 1};
    uint8_t bytes[96];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)random_next(&random);
    }
    for (size_t from = 0; from < 16; from++) {
        for (size_t size = 0; from + size <= sizeof bytes; size++) {
            uint32_t seed = (uint32_t)random_next(&random);
            assert_int_equal(
                crc32c(seed, bytes + from, size), crc32c_portable(seed, bytes + from, size));
        }
    }
}

static void pieces_give_what_the_whole_gives(void **state)
{
    (void)state;
    const char text[] = "the quick brown fox jumps over the lazy dog";
    for (size_t cut = 0; cut < sizeof text; cut++) {
        uint32_t first = crc32c(0, text, cut);
        assert_int_equal(
            crc32c(first, text + cut, sizeof text - cut), crc32c(0, text, sizeof text));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_vectors_match),
        cmocka_unit_test(both_agree_at_every_length_and_alignment),
        cmocka_unit_test(pieces_give_what_the_whole_gives),
    };
    return cmocka_run_group_tests_name("storage/crc32c", tests, NULL, NULL);
}
