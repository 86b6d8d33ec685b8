/* Which numbers are days. */
#include "proto/civil_day.h"
#include "tests/lib/test.h"

static void days_of_the_calendar_are_days(void **state)
{
    (void)state;
    static const uint32_t days[] = {20261123, 20260101, 20261231, 20280229, 20000229, 10101};
    for (size_t i = 0; i < sizeof days / sizeof *days; i++) {
        assert_true(civil_day_exists(days[i]));
    }
}

static void other_numbers_are_none(void **state)
{
    (void)state;
    static const uint32_t numbers[] = {
        0, 20261332, 20261301, 20260001, 20261100, 20261131, 20260229, 21000229, 1123, 4294967295};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        assert_false(civil_day_exists(numbers[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_of_the_calendar_are_days),
        cmocka_unit_test(other_numbers_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
