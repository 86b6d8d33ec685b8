/* The lifelike school against the figures of a real one, over a whole school year.
 *
 * A real one's 80 to 110 bytes of an event are of a format in which each event bears its own id,
 * actor, school and times. Ours bear them together, once for an entry; alone an event has less than
 * 60. What the figure is for is the size of the log, so it is compared with the payload that the
 * log keeps for an entry, in equal parts on its events. */
#include "tests/lib/school_statistics.h"
#include "tests/lib/test.h"

static void check(const struct school_options *options)
{
    struct school_figure figures[STATISTICS_FIGURES];
    assert_true(statistics_of_year(options, figures));
    for (size_t i = 0; i < STATISTICS_FIGURES; i++) {
        const struct school_figure *f = &figures[i];
        if (f->value < f->low || f->value > f->high) {
            fail_msg("%s: %u hundredths, not %u to %u", f->name, f->value, f->low, f->high);
        }
    }
}

static void a_large_school_is_like_a_real_one(void **state)
{
    (void)state;
    const struct school_options options = {
        .seed = 1, .parallels = 4, .fill = 24, .day = 20261123, .utc_offset_minutes = 180};
    check(&options);
}

static void the_school_of_the_demo_is_like_a_real_one(void **state)
{
    (void)state;
    const struct school_options options = {
        .seed = 7, .parallels = 2, .fill = 24, .day = 20261123, .utc_offset_minutes = 180};
    check(&options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_large_school_is_like_a_real_one),
        cmocka_unit_test(the_school_of_the_demo_is_like_a_real_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
