/* The reader of protobuf's wire format, on bytes written by hand. */
#include "proto/status.h"
#include "proto/wire.h"
#include "tests/lib/random.h"
#include "tests/lib/test.h"

#define MESSAGE(...) \
    bytes_of((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static bool is_malformed(struct bytes message)
{
    struct wire_reader r = wire_reader_of(message);
    struct wire_field field;
    while (wire_next(&r, &field)) {
    }
    assert_false(wire_next(&r, &field));
    return r.malformed;
}

static void each_type_is_read(void **state)
{
    (void)state;
    static const uint8_t message[] = {
        0x08, 0x96, 0x01,                   /* 1: varint 150 */
        0x11, 1, 0, 0, 0, 0, 0, 0, 0x80,    /* 2: fixed64 */
        0x1A, 0x02, 'h', 'i',               /* 3: bytes */
        0x25, 0x04, 0x03, 0x02, 0x01,       /* 4: fixed32 */
        0xF8, 0xFF, 0xFF, 0xFF, 0x0F, 0x00, /* 536870911: varint 0 */
    };
    struct wire_reader r = wire_reader_of(bytes_of(message, sizeof message));
    struct wire_field f;
    assert_true(wire_next(&r, &f));
    assert_int_equal(f.number, 1);
    assert_int_equal(f.value, 150);
    assert_ptr_equal(f.whole.data, message);
    assert_int_equal(f.whole.size, 3);
    assert_true(wire_next(&r, &f));
    assert_int_equal(f.type, WIRE_FIXED64);
    assert_int_equal(f.value, 0x8000000000000001);
    assert_true(wire_next(&r, &f));
    assert_int_equal(f.type, WIRE_BYTES);
    assert_true(bytes_equal(f.bytes, bytes_of("hi", 2)));
    assert_int_equal(f.whole.size, 4);
    assert_true(wire_next(&r, &f));
    assert_int_equal(f.type, WIRE_FIXED32);
    assert_int_equal(f.value, 0x01020304);
    assert_true(wire_next(&r, &f));
    assert_int_equal(f.number, 536870911);
    assert_false(wire_next(&r, &f));
    assert_false(r.malformed);
}

static void what_cannot_be_is_malformed(void **state)
{
    (void)state;
    assert_false(is_malformed(bytes_of(NULL, 0)));
    assert_true(is_malformed(MESSAGE(0x08)));                /* no value */
    assert_true(is_malformed(MESSAGE(0x80)));                /* half a tag */
    assert_true(is_malformed(MESSAGE(0x00, 0x00)));          /* field 0 */
    assert_true(is_malformed(MESSAGE(0x0B)));                /* group */
    assert_true(is_malformed(MESSAGE(0x0C)));                /* end of group */
    assert_true(is_malformed(MESSAGE(0x0E)));                /* type 6 */
    assert_true(is_malformed(MESSAGE(0x0F)));                /* type 7 */
    assert_true(is_malformed(MESSAGE(0x0A, 0x02, 'x')));     /* longer than the message */
    assert_true(is_malformed(MESSAGE(0x0D, 1, 2, 3)));       /* short fixed32 */
    assert_true(is_malformed(MESSAGE(0x09, 1, 2, 3, 4, 5))); /* short fixed64 */
    assert_true(is_malformed(MESSAGE(0xF8, 0xFF, 0xFF, 0xFF, 0x1F, 0x00))); /* number > 2^29 − 1 */
    assert_true(is_malformed(MESSAGE(0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF)));
}

static void a_varint_holds_64_bits_and_no_more(void **state)
{
    (void)state;
    uint8_t message[] = {0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01, 0x00};
    struct bytes ten = bytes_of(message, 11);
    assert_int_equal(wire_scalar(ten, 1, 0), UINT64_MAX);
    message[10] = 0x02;
    assert_true(is_malformed(ten));
    message[10] = 0x81;
    assert_true(is_malformed(bytes_of(message, 12)));
}

static void a_slice_is_there_once_or_not_at_all(void **state)
{
    (void)state;
    struct bytes slice;
    assert_int_equal(wire_slice(MESSAGE(0x10, 1, 0x0A, 1, 'x'), 1, &slice), STATUS_OK);
    assert_true(bytes_equal(slice, bytes_of("x", 1)));
    assert_int_equal(wire_slice(MESSAGE(0x0A, 0), 1, &slice), STATUS_OK);
    assert_int_equal(slice.size, 0);
    assert_int_equal(wire_slice(MESSAGE(0x10, 1), 1, &slice), STATUS_NOT_FOUND);
    assert_int_equal(wire_slice(MESSAGE(0x0A, 0, 0x0A, 0), 1, &slice), STATUS_MALFORMED);
    assert_int_equal(wire_slice(MESSAGE(0x08, 1), 1, &slice), STATUS_MALFORMED);
    assert_int_equal(wire_slice(MESSAGE(0x0A, 0, 0x10), 1, &slice), STATUS_MALFORMED);
}

static void the_last_of_a_scalar_counts(void **state)
{
    (void)state;
    assert_int_equal(wire_scalar(MESSAGE(0x08, 1, 0x08, 2, 0x10, 3), 1, 9), 2);
    assert_int_equal(wire_scalar(MESSAGE(0x10, 3), 1, 9), 9);
}

/* Whatever comes, it ends, and every slice lies inside the message (ASan sees to that). */
static void noise_is_read_to_an_end(void **state)
{
    (void)state;
    struct random_stream random = {.state = 1};
    for (int i = 0; i < 20000; i++) {
        uint8_t message[24];
        size_t size = random_below(&random, sizeof message + 1);
        for (size_t k = 0; k < size; k++) {
            message[k] = (uint8_t)random_next(&random);
        }
        struct wire_reader r = wire_reader_of(bytes_of(message, size));
        struct wire_field f;
        size_t covered = 0;
        while (wire_next(&r, &f)) {
            assert_ptr_equal(f.whole.data, message + covered);
            covered += f.whole.size;
        }
        assert_true(r.malformed || covered == size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_type_is_read),
        cmocka_unit_test(what_cannot_be_is_malformed),
        cmocka_unit_test(a_varint_holds_64_bits_and_no_more),
        cmocka_unit_test(a_slice_is_there_once_or_not_at_all),
        cmocka_unit_test(the_last_of_a_scalar_counts),
        cmocka_unit_test(noise_is_read_to_an_end),
    };
    return cmocka_run_group_tests_name("proto/wire", tests, NULL, NULL);
}
