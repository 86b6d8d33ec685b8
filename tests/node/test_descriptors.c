#include "node/descriptors.h"
#include "tests/lib/test.h"

#include <sys/resource.h>

/* In this order: what is lowered for good stays low. */
static void the_limit_is_raised_as_far_as_it_goes(void **state)
{
    struct rlimit limit = {.rlim_cur = 200, .rlim_max = 2000};
    (void)state;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(descriptors_for_clients(1024), 1024);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(limit.rlim_cur, 2000);
    assert_int_equal(descriptors_for_clients(60000), 2000 - DESCRIPTORS_RESERVE);
}

static void clients_get_half_of_a_few(void **state)
{
    const struct rlimit limit = {.rlim_cur = 100, .rlim_max = 100};
    (void)state;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(descriptors_for_clients(1024), 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_limit_is_raised_as_far_as_it_goes),
        cmocka_unit_test(clients_get_half_of_a_few),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
