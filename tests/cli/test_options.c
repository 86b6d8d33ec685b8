/* Where to call, and the numbers of the command line. */
#include "cli/command.h"
#include "tests/lib/test.h"

#include <stdlib.h>
#include <string.h>

static struct context context;

/* NULL: not there. */
static void environment(const char *name, const char *value)
{
    /* One thread. NOLINTNEXTLINE(concurrency-mt-unsafe) */
    assert_int_equal(value != NULL ? setenv(name, value, 1) : unsetenv(name), 0);
}

static int set_up(void **state)
{
    (void)state;
    context = (struct context){.timeout_s = 30};
    environment("ZHURNAL_ENDPOINTS", NULL);
    environment("ZHURNAL_TLS", NULL);
    environment("ZHURNAL_AS", NULL);
    return 0;
}

static int tear_down(void **state)
{
    return set_up(state);
}

static int take(int option, const char *value)
{
    bool help = false;
    optarg = (char *)value;
    return options_take(&context, &status_command, option, &help);
}

static void endpoints_come_one_by_one_and_in_lists(void **state)
{
    (void)state;
    assert_int_equal(take(OPTION_ENDPOINT, "a.example:1,[::1]:65535"), EXIT_OK);
    assert_int_equal(take(OPTION_ENDPOINT, "127.0.0.1:7400"), EXIT_OK);
    assert_int_equal(context.endpoint_count, 3);
    assert_string_equal(context.endpoints[0], "a.example:1");
    assert_string_equal(context.endpoints[1], "[::1]:65535");
    assert_string_equal(context.endpoints[2], "127.0.0.1:7400");
}

static void what_is_no_endpoint_is_wrong_use(void **state)
{
    (void)state;
    static const char *const wrong[] = {"a", ":1", "a:", "a:0", "a:65536", "a:x", "a:1x", "a:-1",
        "a:+1", "a: 1", "::1:7400", "[]:1", "a:1,b", "a:1,,b:1", "a:000001"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (take(OPTION_ENDPOINT, wrong[i]) != EXIT_WRONG_USE) {
            fail_msg("'%s' was taken", wrong[i]);
        }
    }
    char longest[ENDPOINT_SIZE + 1];
    memset(longest, 'x', sizeof longest);
    memcpy(longest + sizeof longest - 3, ":1", 3);
    assert_int_equal(take(OPTION_ENDPOINT, longest), EXIT_WRONG_USE);
    context.endpoint_count = 0;
    assert_int_equal(take(OPTION_ENDPOINT, longest + 1), EXIT_OK);
}

static void there_is_an_end_to_endpoints(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ENDPOINTS_MAX; i++) {
        assert_int_equal(take(OPTION_ENDPOINT, "a:1"), EXIT_OK);
    }
    assert_int_equal(take(OPTION_ENDPOINT, "a:1"), EXIT_WRONG_USE);
    assert_int_equal(context.endpoint_count, ENDPOINTS_MAX);
}

static void the_command_line_stands_above_the_environment(void **state)
{
    (void)state;
    environment("ZHURNAL_ENDPOINTS", "e:1,e:2");
    environment("ZHURNAL_TLS", "/env");
    environment("ZHURNAL_AS", "auditor");
    assert_true(options_from_environment(&context));
    assert_int_equal(context.endpoint_count, 2);
    assert_string_equal(context.as, "auditor");
    assert_int_equal(take(OPTION_ENDPOINT, "c:1"), EXIT_OK);
    assert_int_equal(take(OPTION_ENDPOINT, "c:2"), EXIT_OK);
    assert_int_equal(take(OPTION_TLS, "/line"), EXIT_OK);
    assert_int_equal(context.endpoint_count, 2);
    assert_string_equal(context.endpoints[0], "c:1");
    assert_string_equal(context.endpoints[1], "c:2");
    assert_string_equal(context.tls, "/line");
}

static void an_environment_that_makes_no_sense_is_refused(void **state)
{
    (void)state;
    environment("ZHURNAL_ENDPOINTS", "nowhere");
    assert_false(options_from_environment(&context));
}

static void numbers_are_decimal_unless_they_say_hexadecimal(void **state)
{
    (void)state;
    uint64_t number;
    assert_true(options_number("n", "077", 0, UINT64_MAX, &number));
    assert_int_equal(number, 77);
    assert_true(options_number("n", "0x1F", 0, UINT64_MAX, &number));
    assert_int_equal(number, 31);
    assert_true(options_number("n", "18446744073709551615", 0, UINT64_MAX, &number));
    assert_true(number == UINT64_MAX);
    static const char *const wrong[] = {
        "", "-1", "+1", " 1", "1 ", "1x", "0x", "ff", "18446744073709551616"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (options_number("n", wrong[i], 0, UINT64_MAX, &number)) {
            fail_msg("'%s' was taken", wrong[i]);
        }
    }
    assert_false(options_number("n", "4", 5, 6, &number));
    assert_false(options_number("n", "7", 5, 6, &number));
}

static void output_is_a_table_or_json(void **state)
{
    (void)state;
    assert_int_equal(take('o', "json"), EXIT_OK);
    assert_true(context.json);
    assert_int_equal(take(OPTION_OUTPUT, "table"), EXIT_OK);
    assert_false(context.json);
    assert_int_equal(take('o', "xml"), EXIT_WRONG_USE);
}

static void a_timeout_is_a_number_of_seconds(void **state)
{
    (void)state;
    assert_int_equal(take(OPTION_TIMEOUT, "5"), EXIT_OK);
    assert_int_equal(context.timeout_s, 5);
    assert_int_equal(take(OPTION_TIMEOUT, "0"), EXIT_WRONG_USE);
    assert_int_equal(take(OPTION_TIMEOUT, "soon"), EXIT_WRONG_USE);
}

static void a_role_is_named_in_small_letters(void **state)
{
    (void)state;
    Zhurnal__V1__Actor actor = ZHURNAL__V1__ACTOR__INIT;
    optarg = (char *)"class_teacher";
    assert_true(options_actor(true, &actor));
    assert_int_equal(actor.role, ZHURNAL__V1__ROLE__ROLE_CLASS_TEACHER);
    optarg = (char *)"unspecified";
    assert_false(options_actor(true, &actor));
    optarg = (char *)"king";
    assert_false(options_actor(true, &actor));
}

static void a_call_without_an_answer_has_its_own_exit_code(void **state)
{
    (void)state;
    assert_int_equal(say_failure(GRPC_UNAVAILABLE, "no leader"), EXIT_UNREACHABLE);
    assert_int_equal(say_failure(GRPC_DEADLINE_EXCEEDED, ""), EXIT_UNREACHABLE);
    assert_int_equal(say_failure(GRPC_PERMISSION_DENIED, "no"), EXIT_REFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_WITH_FIXTURE(endpoints_come_one_by_one_and_in_lists),
        TEST_WITH_FIXTURE(what_is_no_endpoint_is_wrong_use),
        TEST_WITH_FIXTURE(there_is_an_end_to_endpoints),
        TEST_WITH_FIXTURE(the_command_line_stands_above_the_environment),
        TEST_WITH_FIXTURE(an_environment_that_makes_no_sense_is_refused),
        TEST_WITH_FIXTURE(numbers_are_decimal_unless_they_say_hexadecimal),
        TEST_WITH_FIXTURE(output_is_a_table_or_json),
        TEST_WITH_FIXTURE(a_timeout_is_a_number_of_seconds),
        TEST_WITH_FIXTURE(a_role_is_named_in_small_letters),
        TEST_WITH_FIXTURE(a_call_without_an_answer_has_its_own_exit_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
