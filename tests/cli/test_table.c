/* Columns and control characters. */
#include "cli/table.h"
#include "cli/text.h"
#include "tests/lib/test.h"

#include <stdlib.h>
#include <string.h>

static char *written;
static size_t written_size;
static FILE *out;

static int set_up(void **state)
{
    (void)state;
    out = open_memstream(&written, &written_size);
    return out != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    (void)fclose(out);
    free(written);
    return 0;
}

static void assert_written(const char *wanted)
{
    assert_int_equal(fflush(out), 0);
    assert_string_equal(written, wanted);
}

static void columns_stand_under_each_other(void **state)
{
    (void)state;
    struct table table;
    table_init(&table, "имя\t>n\tend");
    table_add(&table, "%s\t%d\t%s", "Ёжиков Й.", 5, "x");
    table_add(&table, "a\t1234\ty");
    assert_int_equal(table_write(&table, out), STATUS_OK);
    table_deinit(&table);
    assert_written("имя           n  end\n"
                   "Ёжиков Й.     5  x\n"
                   "a          1234  y\n");
}

static void no_spaces_stand_behind_the_last_cell(void **state)
{
    (void)state;
    struct table table;
    table_init(&table, "a\tbbbb\tc");
    table_add(&table, "x\t\t");
    table_add(&table, "x");
    table_add(&table, "\t\ty");
    assert_int_equal(table_write(&table, out), STATUS_OK);
    table_deinit(&table);
    assert_written("a  bbbb  c\nx\nx\n         y\n");
}

static void a_letter_takes_one_column_and_an_accent_none(void **state)
{
    (void)state;
    static const char accented[] = "и\xcc\x86е\xcc\x81"; /* й, е́ of two code points each. */
    assert_int_equal(text_width("Ёж №5", strlen("Ёж №5")), 5);
    assert_int_equal(text_width(accented, sizeof accented - 1), 2);
    assert_int_equal(text_width("", 0), 0);
}

static void nothing_written_steers_the_terminal(void **state)
{
    (void)state;
    static const char hostile[] = "a\x1b[2Jb\nc\rd\x7f"
                                  "e\xc2\x9b"
                                  "f\x07 «ё»";
    text_write(hostile, sizeof hostile - 1, out);
    assert_written("a [2Jb c d e f  «ё»");
    assert_int_equal(text_width(hostile, sizeof hostile - 1), text_width(written, written_size));
}

static void a_table_writes_its_cells_so_too(void **state)
{
    (void)state;
    struct table table;
    table_init(&table, "a");
    table_add(&table, "%s", "x\x1b[31m");
    assert_int_equal(table_write(&table, out), STATUS_OK);
    table_deinit(&table);
    assert_written("a\nx [31m\n");
}

static void wrap(const char *line, size_t hang, size_t width)
{
    text_wrap(line, strlen(line), hang, width, out);
}

static void a_long_line_goes_on_below(void **state)
{
    (void)state;
    wrap("  Задание: № 12, выучить правило", 4, 20);
    wrap("короткая", 4, 20);
    wrap("", 4, 20);
    wrap("слово, длиннее строки: достопримечательность", 2, 12);
    wrap("ровно двадцать букв!", 4, 20);
    wrap("и пробелы в конце    ", 4, 20);
    assert_written("  Задание: № 12,\n    выучить правило\n"
                   "короткая\n"
                   "\n"
                   "слово,\n  длиннее\n  строки:\n  достопримечательность\n"
                   "ровно двадцать букв!\n"
                   "и пробелы в конце    \n");
}

static void what_is_no_terminal_has_80_columns(void **state)
{
    (void)state;
    assert_int_equal(text_columns(out), 80);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_WITH_FIXTURE(columns_stand_under_each_other),
        TEST_WITH_FIXTURE(no_spaces_stand_behind_the_last_cell),
        TEST_WITH_FIXTURE(a_letter_takes_one_column_and_an_accent_none),
        TEST_WITH_FIXTURE(nothing_written_steers_the_terminal),
        TEST_WITH_FIXTURE(a_table_writes_its_cells_so_too),
        TEST_WITH_FIXTURE(a_long_line_goes_on_below),
        TEST_WITH_FIXTURE(what_is_no_terminal_has_80_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
