/* Log lines: what is written of what is said. */
#include "node/logline.h"
#include "tests/lib/test.h"
#include "tests/lib/tmpdir.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_SIZE = 1 << 20 };

static struct tmpdir dir;
static char text[TEXT_SIZE];
static int standard_error;

/* Standard error goes to a file until written(). */
static void begin(void)
{
    int fd = open(tmpdir_path(&dir, "stderr"), O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    (void)fflush(stderr);
    standard_error = dup(STDERR_FILENO);
    assert_true(dup2(fd, STDERR_FILENO) >= 0);
    (void)close(fd);
}

static const char *written(void)
{
    ssize_t size = pread(STDERR_FILENO, text, sizeof text - 1, 0);
    (void)dup2(standard_error, STDERR_FILENO);
    (void)close(standard_error);
    assert_true(size >= 0);
    text[size] = 0;
    return text;
}

static size_t count_lines(const char *lines)
{
    size_t count = 0;
    for (; *lines != 0; lines++) {
        count += *lines == '\n';
    }
    return count;
}

static int set_up(void **state)
{
    (void)state;
    tmpdir_make(&dir);
    logline_set_level(LOGLINE_INFO);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tmpdir_remove(&dir);
    return 0;
}

static void a_line_has_time_level_and_sentence(void **state)
{
    (void)state;
    begin();
    log_error("the node stops: signal=%d", 15);
    const char *line = written();
    assert_int_equal(line[10], 'T');
    assert_int_equal(line[23], 'Z');
    assert_string_equal(line + 24, " error the node stops: signal=15\n");
}

static void lines_below_the_level_are_not_written(void **state)
{
    (void)state;
    begin();
    log_debug("a");
    log_info("b");
    logline_set_level(LOGLINE_ERROR);
    log_warn("c");
    const char *lines = written();
    assert_int_equal(count_lines(lines), 1);
    assert_non_null(strstr(lines, "info  b\n"));
}

static void a_stranger_cannot_write_lines_of_his_own(void **state)
{
    (void)state;
    begin();
    log_error("why=\"%s\"", "x\"\n2026-01-01T00:00:00.000Z info  all is well\x1b[2J\x7f");
    const char *lines = written();
    assert_int_equal(count_lines(lines), 1);
    assert_null(strchr(lines, '\x1b'));
    assert_null(strchr(lines, '\x7f'));
}

static void a_long_sentence_is_cut_and_stays_a_line(void **state)
{
    (void)state;
    char sentence[2 * LOGLINE_SIZE];
    memset(sentence, 'x', sizeof sentence - 1);
    sentence[sizeof sentence - 1] = 0;
    begin();
    log_error("%s", sentence);
    const char *lines = written();
    assert_int_equal(count_lines(lines), 1);
    assert_true(strlen(lines) > LOGLINE_SIZE);
    assert_true(strlen(lines) < LOGLINE_SIZE + 64);
}

/* The second may end meanwhile: then each of two may hold a burst. */
static void a_flood_is_counted_not_written_but_errors_are(void **state)
{
    (void)state;
    enum { FLOOD = 5000 };
    begin();
    for (int i = 0; i < FLOOD; i++) {
        log_warn("a connection was refused");
    }
    log_error("the disk has no room");
    const char *lines = written();
    assert_true(count_lines(lines) <= 2 * (LOGLINE_BURST + 1) + 1);
    assert_non_null(strstr(lines, "the disk has no room"));
}

static void levels_have_names(void **state)
{
    (void)state;
    enum logline_level level;
    assert_true(logline_parse_level("warn", &level));
    assert_int_equal(level, LOGLINE_WARN);
    assert_false(logline_parse_level("WARN", &level));
    assert_false(logline_parse_level("", &level));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_WITH_FIXTURE(a_line_has_time_level_and_sentence),
        TEST_WITH_FIXTURE(lines_below_the_level_are_not_written),
        TEST_WITH_FIXTURE(a_stranger_cannot_write_lines_of_his_own),
        TEST_WITH_FIXTURE(a_long_sentence_is_cut_and_stays_a_line),
        TEST_WITH_FIXTURE(a_flood_is_counted_not_written_but_errors_are),
        cmocka_unit_test(levels_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
