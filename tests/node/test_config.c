/* The configuration: what is taken, and what is said of the rest. */
#include "node/command_line.h"
#include "tests/lib/test.h"
#include "tests/lib/tmpdir.h"

#include <stdio.h>
#include <string.h>

static struct tmpdir dir;

static int set_up(void **state)
{
    (void)state;
    tmpdir_make(&dir);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tmpdir_remove(&dir);
    return 0;
}

static const char *file_of(const char *text)
{
    const char *path = tmpdir_path(&dir, "zhurnald.conf");
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    return path;
}

static void a_whole_file_is_taken(void **state)
{
    (void)state;
    struct config config;
    struct error err = {0};
    config_init(&config);
    const char *path = file_of("[node]\ndata = /srv/zh ; here\nlisten = 0.0.0.0:7400\n"
                               "listen = [::1]:7401\nlog = debug\n"
                               "[tls]\nauthority = a.pem\ncertificate = c.pem\nkey = k.pem\n"
                               "[limits]\nconnections = 32\nlog_gib = 2\nviews_gib = 1\n");
    assert_int_equal(config_read(&config, path, &err), STATUS_OK);
    assert_int_equal(config_complete(&config, &err), STATUS_OK);
    assert_true(config.from_file);
    assert_string_equal(config.data, "/srv/zh");
    assert_int_equal(config.listen_count, 2);
    assert_string_equal(config.listen[0].host, "0.0.0.0");
    assert_int_equal(config.listen[0].port, 7400);
    assert_string_equal(config.listen[1].host, "::1");
    assert_int_equal(config.listen[1].port, 7401);
    assert_string_equal(config.authority, "a.pem");
    assert_string_equal(config.certificate, "c.pem");
    assert_string_equal(config.key, "k.pem");
    assert_int_equal(config.level, LOGLINE_DEBUG);
    assert_int_equal(config.connections_max, 32);
    assert_int_equal(config.log_map, (size_t)2 << 30);
    assert_int_equal(config.views_map, (size_t)1 << 30);
}

static void what_is_not_said_has_defaults(void **state)
{
    (void)state;
    struct config config;
    struct error err = {0};
    config_init(&config);
    assert_int_equal(config_read(&config, file_of("[node]\ndata = d\n"), &err), STATUS_OK);
    assert_int_equal(config_complete(&config, &err), STATUS_OK);
    assert_int_equal(config.listen_count, 1);
    assert_string_equal(config.listen[0].host, "127.0.0.1");
    assert_int_equal(config.listen[0].port, CONFIG_DEFAULT_PORT);
    assert_string_equal(config.authority, "d/tls/ca.pem");
    assert_string_equal(config.certificate, "d/tls/node.pem");
    assert_string_equal(config.key, "d/tls/node.key");
    assert_int_equal(config.level, LOGLINE_INFO);
}

static void the_example_is_a_configuration(void **state)
{
    (void)state;
    struct config config;
    struct error err = {0};
    config_init(&config);
    if (config_read(&config, "deploy/zhurnald.conf", &err) == STATUS_NOT_FOUND) {
        skip(); /* Not run from the tree's root. */
    }
    assert_string_equal(err.text, "");
    assert_int_equal(config_complete(&config, &err), STATUS_OK);
}

static void a_mistake_is_named_with_file_line_and_cure(void **state)
{
    (void)state;
    static const struct {
        const char *text, *line, *cure;
    } mistakes[] = {
        {"[node]\ndata = d\nlisten = here:1\n", ":3:", "such as 0.0.0.0:7400"},
        {"[node]\nlisten = 127.0.0.1\n", ":2:", "an address and a port"},
        {"[node]\nlisten = 127.0.0.1:70000\n", ":2:", "an address and a port"},
        {"[node]\nlisten = ::1:7400\n", ":2:", "an address and a port"},
        {"[node]\nlog = loud\n", ":2:", "debug, info, warn or error"},
        {"[node]\ndate = d\n", ":2:", "[node] has data"},
        {"[node]\ndata = d\ndata = e\n", ":3:", "once"},
        {"\n[tls]\nca = x\n", ":3:", "[tls] has authority"},
        {"[limits]\nconnections = 0\n", ":2:", "from 1 to"},
        {"[limits]\nlog_gib = many\n", ":2:", "from 1 to 4096"},
        {"[nodes]\ndata = d\n", ":2:", "the sections are"},
        {"[node]\njust words\n", ":2:", "name = value"},
        {"data = d\n", ":1:", "the sections are"},
    };
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        struct config config;
        struct error err = {0};
        config_init(&config);
        const char *path = file_of(mistakes[i].text);
        print_message("%s", mistakes[i].text);
        assert_int_equal(config_read(&config, path, &err), STATUS_INVALID);
        assert_ptr_equal(strstr(err.text, path), err.text);
        assert_non_null(strstr(err.text, mistakes[i].line));
        assert_non_null(strstr(err.text, mistakes[i].cure));
    }
}

/* libinih takes 200 bytes at a time; a comment in Russian is soon longer. */
static void a_long_comment_is_a_comment_and_a_long_line_a_mistake(void **state)
{
    (void)state;
    enum { LONG = 100 };
    static const char LETTER[] = "Ж"; /* Of two bytes. */
    char comment[LONG * (sizeof LETTER - 1) + 1];
    char text[sizeof comment + 64];
    for (size_t i = 0; i < LONG; i++) {
        (void)snprintf(comment + i * (sizeof LETTER - 1), sizeof LETTER, "%s", LETTER);
    }
    (void)snprintf(text, sizeof text, "[node]\n  # %s\nlog = loud\n", comment);
    struct config config;
    struct error err = {0};
    config_init(&config);
    assert_int_equal(config_read(&config, file_of(text), &err), STATUS_INVALID);
    assert_non_null(strstr(err.text, ":3: log takes"));
    text[strcspn(text, "#")] = 'd';
    assert_int_equal(config_read(&config, file_of(text), &err), STATUS_INVALID);
    assert_non_null(strstr(err.text, ":2: "));
    assert_non_null(strstr(err.text, "longer than"));
}

static void a_file_that_is_not_there_is_named(void **state)
{
    (void)state;
    struct config config;
    struct error err = {0};
    config_init(&config);
    const char *path = tmpdir_path(&dir, "none.conf");
    assert_int_equal(config_read(&config, path, &err), STATUS_NOT_FOUND);
    assert_non_null(strstr(err.text, path));
}

/* ---- the command line ---- */

enum { WORDS_MAX = 16 };

static int parse(
    const char *const *words, enum command *command, struct config *config, struct error *err)
{
    static char texts[WORDS_MAX][256];
    char *argv[WORDS_MAX + 1] = {0};
    int argc = 0;
    for (; words[argc] != NULL; argc++) {
        snprintf(texts[argc], sizeof texts[argc], "%s", words[argc]);
        argv[argc] = texts[argc];
    }
    *err = (struct error){0};
    return command_line_parse(argc, argv, command, config, err);
}

static void a_directory_is_enough(void **state)
{
    (void)state;
    struct config config;
    struct error err;
    enum command command;
    const char *const words[] = {"zhurnald", "--data", "d", "--listen", "127.0.0.1:0", NULL};
    assert_int_equal(parse(words, &command, &config, &err), STATUS_OK);
    assert_int_equal(command, COMMAND_RUN);
    assert_false(config.from_file);
    assert_string_equal(config.data, "d");
    assert_int_equal(config.listen_count, 1);
    assert_int_equal(config.listen[0].port, 0);
}

static void the_command_line_stands_above_the_file(void **state)
{
    (void)state;
    struct config config;
    struct error err;
    enum command command;
    const char *path = file_of("[node]\ndata = d\nlisten = 0.0.0.0:1\nlisten = 0.0.0.0:2\n");
    const char *const words[] = {
        "zhurnald", "--config", path, "--listen", "127.0.0.1:3", "--data", "e", NULL};
    assert_int_equal(parse(words, &command, &config, &err), STATUS_OK);
    assert_true(config.from_file);
    assert_string_equal(config.data, "e");
    assert_int_equal(config.listen_count, 1);
    assert_int_equal(config.listen[0].port, 3);
    assert_string_equal(config.key, "e/tls/node.key");
}

static void a_command_line_that_says_nothing_or_too_much_is_refused(void **state)
{
    (void)state;
    static const char *const lines[][5] = {
        {"zhurnald", NULL},
        {"zhurnald", "--data", NULL},
        {"zhurnald", "--data", "", NULL},
        {"zhurnald", "--dada", "x", NULL},
        {"zhurnald", "--data", "x", "y", NULL},
        {"zhurnald", "--listen", "all", NULL},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct config config;
        struct error err;
        enum command command;
        assert_int_equal(parse(lines[i], &command, &config, &err), STATUS_INVALID);
        assert_true(err.text[0] != 0);
    }
}

static void help_and_version_are_asked_for(void **state)
{
    (void)state;
    struct config config;
    struct error err;
    enum command command;
    const char *const help[] = {"zhurnald", "--help", NULL};
    const char *const version[] = {"zhurnald", "--version", NULL};
    assert_int_equal(parse(help, &command, &config, &err), STATUS_OK);
    assert_int_equal(command, COMMAND_HELP);
    assert_int_equal(parse(version, &command, &config, &err), STATUS_OK);
    assert_int_equal(command, COMMAND_VERSION);
    assert_non_null(strstr(command_line_help(), "--data"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_WITH_FIXTURE(a_whole_file_is_taken),
        TEST_WITH_FIXTURE(what_is_not_said_has_defaults),
        cmocka_unit_test(the_example_is_a_configuration),
        TEST_WITH_FIXTURE(a_mistake_is_named_with_file_line_and_cure),
        TEST_WITH_FIXTURE(a_long_comment_is_a_comment_and_a_long_line_a_mistake),
        TEST_WITH_FIXTURE(a_file_that_is_not_there_is_named),
        cmocka_unit_test(a_directory_is_enough),
        TEST_WITH_FIXTURE(the_command_line_stands_above_the_file),
        cmocka_unit_test(a_command_line_that_says_nothing_or_too_much_is_refused),
        cmocka_unit_test(help_and_version_are_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
