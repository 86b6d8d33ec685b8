/* The record as it lies on disk. */
#include "proto/integer.h"
#include "proto/status.h"
#include "storage/crc32c.h"
#include "storage/record.h"
#include "tests/lib/test.h"

enum { GROUP = 7, INDEX = 42, PAYLOAD = 33, STORED = RECORD_HEADER_SIZE + PAYLOAD };

static void store(uint8_t stored[STORED])
{
    for (int i = 0; i < PAYLOAD; i++) {
        stored[RECORD_HEADER_SIZE + i] = (uint8_t)(i * 37);
    }
    struct record record = {
        .index = INDEX,
        .term = 0x1122334455667788,
        .kind = RECORD_COMMAND,
        .payload = bytes_of(stored + RECORD_HEADER_SIZE, PAYLOAD),
    };
    record_encode_header(&record, GROUP, stored);
}

static int decode(const uint8_t *stored, size_t size, uint32_t group, uint64_t index)
{
    struct record record;
    return record_decode(bytes_of(stored, size), group, index, &record);
}

static void what_was_encoded_is_decoded(void **state)
{
    (void)state;
    uint8_t stored[STORED];
    struct record record;
    store(stored);
    assert_int_equal(
        record_decode(bytes_of(stored, sizeof stored), GROUP, INDEX, &record), STATUS_OK);
    assert_int_equal(record.index, INDEX);
    assert_int_equal(record.term, 0x1122334455667788);
    assert_int_equal(record.kind, RECORD_COMMAND);
    assert_ptr_equal(record.payload.data, stored + RECORD_HEADER_SIZE);
    assert_int_equal(record.payload.size, PAYLOAD);
}

/* Bytes on disk outlive every release: these were written by the first. */
static void the_format_is_the_one_first_released(void **state)
{
    (void)state;
    static const uint8_t first[] = {
        1, 2, 0, 0, 3, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0xDC, 0xE0, 0x5D, 0x5A, 'a', 'b', 'c'};
    uint8_t stored[RECORD_HEADER_SIZE];
    struct record record = {
        .index = 9, .term = 5, .kind = RECORD_BARRIER, .payload = bytes_of("abc", 3)};
    record_encode_header(&record, 1, stored);
    assert_memory_equal(stored, first, sizeof stored);
    assert_int_equal(record_decode(bytes_of(first, sizeof first), 1, 9, &record), STATUS_OK);
}

static void every_flipped_bit_is_caught(void **state)
{
    (void)state;
    uint8_t stored[STORED];
    store(stored);
    for (size_t bit = 0; bit < sizeof stored * 8; bit++) {
        stored[bit / 8] ^= (uint8_t)(1U << (bit % 8));
        assert_int_equal(decode(stored, sizeof stored, GROUP, INDEX), STATUS_CORRUPT);
        stored[bit / 8] ^= (uint8_t)(1U << (bit % 8));
    }
    assert_int_equal(decode(stored, sizeof stored, GROUP, INDEX), STATUS_OK);
}

static void a_record_in_anothers_place_is_caught(void **state)
{
    (void)state;
    uint8_t stored[STORED];
    store(stored);
    assert_int_equal(decode(stored, sizeof stored, GROUP, INDEX + 1), STATUS_CORRUPT);
    assert_int_equal(decode(stored, sizeof stored, GROUP + 1, INDEX), STATUS_CORRUPT);
}

static void a_record_cut_anywhere_is_caught(void **state)
{
    (void)state;
    uint8_t stored[STORED];
    store(stored);
    for (size_t size = 0; size < sizeof stored; size++) {
        assert_int_equal(decode(stored, size, GROUP, INDEX), STATUS_CORRUPT);
    }
}

/* As another version would write it. */
static void store_as(uint8_t stored[STORED], size_t at, uint8_t value)
{
    uint8_t place[12];
    store(stored);
    stored[at] = value;
    put_u32_le(place, GROUP);
    put_u64_le(place + 4, INDEX);
    uint32_t crc = crc32c(0, place, sizeof place);
    crc = crc32c(crc, stored, RECORD_HEADER_SIZE - 4);
    crc = crc32c(crc, stored + RECORD_HEADER_SIZE, PAYLOAD);
    put_u32_le(stored + RECORD_HEADER_SIZE - 4, crc);
}

static void what_a_newer_version_wrote_is_not_called_damage(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint8_t value;
        int status;
    } cases[] = {
        {0, RECORD_FORMAT, STATUS_OK},
        {0, RECORD_FORMAT + 1, STATUS_UNIMPLEMENTED},
        {1, RECORD_ERASED, STATUS_OK},
        {1, RECORD_ERASED + 1, STATUS_UNIMPLEMENTED},
        {2, 1, STATUS_UNIMPLEMENTED},
        {4, PAYLOAD + 1, STATUS_CORRUPT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t stored[STORED];
        store_as(stored, cases[i].at, cases[i].value);
        assert_int_equal(decode(stored, sizeof stored, GROUP, INDEX), cases[i].status);
        stored[STORED - 1] ^= 1;
        assert_int_equal(decode(stored, sizeof stored, GROUP, INDEX), STATUS_CORRUPT);
    }
}

static void an_empty_payload_is_a_payload(void **state)
{
    (void)state;
    uint8_t stored[RECORD_HEADER_SIZE];
    struct record record = {.index = 1, .term = 1, .kind = RECORD_BARRIER};
    record_encode_header(&record, GROUP, stored);
    assert_int_equal(record_decode(bytes_of(stored, sizeof stored), GROUP, 1, &record), STATUS_OK);
    assert_int_equal(record.payload.size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_encoded_is_decoded),
        cmocka_unit_test(the_format_is_the_one_first_released),
        cmocka_unit_test(every_flipped_bit_is_caught),
        cmocka_unit_test(a_record_in_anothers_place_is_caught),
        cmocka_unit_test(a_record_cut_anywhere_is_caught),
        cmocka_unit_test(what_a_newer_version_wrote_is_not_called_damage),
        cmocka_unit_test(an_empty_payload_is_a_payload),
    };
    return cmocka_run_group_tests_name("storage/record", tests, NULL, NULL);
}
