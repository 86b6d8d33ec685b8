/* Random ids. */
#include "proto/uuid.h"
#include "tests/lib/test.h"

#include <string.h>

static void a_uuid_carries_its_time_version_and_variant(void **state)
{
    (void)state;
    uint8_t id[UUID_SIZE];
    uuid7(0x0123456789AB, id);
    static const uint8_t time[] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xAB};
    assert_memory_equal(id, time, sizeof time);
    assert_int_equal(id[6] >> 4, 7);
    assert_int_equal(id[8] >> 6, 2);
}

static void ids_differ(void **state)
{
    (void)state;
    uint8_t a[UUID_SIZE];
    uint8_t b[UUID_SIZE];
    uuid7(1, a);
    uuid7(1, b);
    assert_memory_not_equal(a, b, UUID_SIZE);
    assert_int_not_equal(random_id(), random_id());
}

static void random_bytes_fill_all_that_was_asked_for(void **state)
{
    (void)state;
    /* More than getrandom(2) gives in one call when it is interrupted. */
    static uint8_t bytes[4096];
    random_bytes(bytes, sizeof bytes);
    static const uint8_t zeros[32];
    for (size_t i = 0; i < sizeof bytes; i += sizeof zeros) {
        assert_memory_not_equal(bytes + i, zeros, sizeof zeros);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_uuid_carries_its_time_version_and_variant),
        cmocka_unit_test(ids_differ),
        cmocka_unit_test(random_bytes_fill_all_that_was_asked_for),
    };
    return cmocka_run_group_tests_name("proto/uuid", tests, NULL, NULL);
}
