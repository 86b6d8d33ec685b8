/* Hexadecimal, and the ids that people read. */
#include "proto/hex.h"
#include "tests/lib/test.h"

static void bytes_are_written_in_lower_case_and_read_in_either(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0x00, 0xFF, 0xA0, 0x0B};
    char text[2 * sizeof bytes + 1];
    uint8_t back[sizeof bytes];
    assert_string_equal(hex_encode(bytes, sizeof bytes, text), "00ffa00b");
    assert_true(hex_decode("00FFa00B", back, sizeof back));
    assert_memory_equal(back, bytes, sizeof bytes);
    assert_true(hex_decode("", back, 0));
    assert_string_equal(hex_encode(bytes, 0, text), "");
}

static void text_of_another_length_or_alphabet_is_not_read(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "0", "000", "00000", "00 0", "0g00", "-100", "0x00"};
    uint8_t out[2];
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_false(hex_decode(wrong[i], out, sizeof out));
    }
}

static void an_id_is_written_with_sixteen_digits(void **state)
{
    (void)state;
    char text[HEX_ID_SIZE];
    assert_string_equal(hex_id(0xA1, text), "00000000000000a1");
    assert_string_equal(hex_id(UINT64_MAX, text), "ffffffffffffffff");
}

static void an_id_is_read_with_one_to_sixteen_digits(void **state)
{
    (void)state;
    uint64_t id;
    assert_true(hex_parse_id("a1", &id));
    assert_int_equal(id, 0xA1);
    assert_true(hex_parse_id("FEDCBA9876543210", &id));
    assert_int_equal(id, 0xFEDCBA9876543210);
    static const char *const wrong[] = {
        "", "0", "0000000000000000", "00000000000000001", " 1", "1 ", "0x1", "g"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_false(hex_parse_id(wrong[i], &id));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_written_in_lower_case_and_read_in_either),
        cmocka_unit_test(text_of_another_length_or_alphabet_is_not_read),
        cmocka_unit_test(an_id_is_written_with_sixteen_digits),
        cmocka_unit_test(an_id_is_read_with_one_to_sixteen_digits),
    };
    return cmocka_run_group_tests_name("proto/hex", tests, NULL, NULL);
}
