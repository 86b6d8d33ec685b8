/* A page of the journal as people read it. */
#include "cli/json.h"
#include "cli/page_table.h"
#include "tests/lib/test.h"

#include <stdlib.h>
#include <string.h>

enum { ARENA_LIMIT = 1 << 20 };

static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, ARENA_LIMIT);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_reset(&arena);
    return 0;
}

static void assert_shown_within(size_t width, const char *json, const char *wanted)
{
    struct error err = {0};
    ProtobufCMessage *page;
    char *text;
    size_t size;
    if (json_decode(&zhurnal__v1__get_page_response__descriptor, json, strlen(json), &arena, &page,
            &err) != STATUS_OK) {
        fail_msg("%s", err.text);
    }
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    assert_int_equal(
        page_table_write((const Zhurnal__V1__GetPageResponse *)page, width, out), STATUS_OK);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text, wanted);
    free(text);
}

static void assert_shown(const char *json, const char *wanted)
{
    assert_shown_within(80, json, wanted);
}

#define HEAD                                                                                                  \
    "\"schoolName\": \"Школа №1\", \"className\": \"5А\", \"subjectName\": \"Математика\"," \
    "\"yearLabel\": \"2026/27\","
#define PUPILS                                                                                                   \
    "\"pupils\": [{\"person\": 1, \"name\": \"Белова Анна\"}, {\"person\": 2, \"name\": \"Ёлкин " \
    "Пётр\"}],"

static void pupils_stand_down_and_lessons_across(void **state)
{
    (void)state;
    assert_shown(
        "{" HEAD PUPILS "\"teachers\": [{\"name\": \"Громова О. П.\"}, {\"name\": \"Зуев И. И.\"}],"
        "\"lessons\": [{\"day\": 20261123, \"number\": 7, \"topic\": \"Дроби\","
        "  \"attendanceTaken\": true, \"attendance\": ["
        "    {\"pupil\": 1, \"code\": \"ATTENDANCE_CODE_LATE\"},"
        "    {\"pupil\": 2, \"code\": \"ATTENDANCE_CODE_ABSENT\"}],"
        "  \"marks\": ["
        "    {\"pupil\": 1, \"mark\": {\"markKind\": \"MARK_KIND_NUMBER\", \"number\": 5}},"
        "    {\"pupil\": 1, \"mark\": {\"markKind\": \"MARK_KIND_NUMBER\", \"number\": 4}}],"
        "  \"works\": [{\"workKind\": \"WORK_KIND_TEST\", \"title\": \"Дроби\", \"weight\": 2}],"
        "  \"homework\": [{\"text\": \"№ 12\", \"dueDay\": 20261124},"
        "    {\"text\": \"повторить\", \"pupils\": [2]}],"
        "  \"comments\": [{\"pupil\": 1, \"text\": \"молодец\"}]},"
        " {\"day\": 20261201, \"number\": 8, \"topic\": \"Проценты\", \"marks\": ["
        "    {\"pupil\": 1, \"mark\": {\"markKind\": \"MARK_KIND_PASSED\"}},"
        "    {\"pupil\": 2, \"mark\": {\"markKind\": \"MARK_KIND_DEBT\"}}]}]}",
        "Школа №1, 5А, Математика, 2026/27\n"
        "Учитель: Громова О. П., Зуев И. И.\n"
        "\n"
        "Ученик       23.11   01.12\n"
        "Белова Анна  5/4 ОП  зач\n"
        "Ёлкин Пётр   Н       .\n"
        "\n"
        "Н — отсутствие; ОП — опоздание; . — долг; / — между отметками одного урока\n"
        "\n"
        "Уроки:\n"
        "  23.11  урок 7. Дроби\n"
        "         Работа: контрольная «Дроби», вес 2\n"
        "         Домашнее задание на 24.11: № 12\n"
        "         Домашнее задание (Ёлкин Пётр): повторить\n"
        "         Белова Анна: молодец\n"
        "  01.12  урок 8. Проценты  (посещаемость не отмечена)\n");
}

static void a_page_without_lessons_says_so(void **state)
{
    (void)state;
    assert_shown("{" HEAD PUPILS "\"index\": 5}",
        "Школа №1, 5А, Математика, 2026/27\n"
        "\n"
        "Ученик\n"
        "Белова Анна\n"
        "Ёлкин Пётр\n"
        "Уроков нет.\n");
}

static void what_is_written_in_it_breaks_neither_table_nor_terminal(void **state)
{
    (void)state;
    assert_shown(
        "{\"schoolName\": \"\\u001b[2J\", \"pupils\": [{\"person\": 1, \"name\": "
        "\"a\\tb\\nc\\u001b[31m\"}], \"lessons\": [{\"day\": 20261123, \"number\": 1, "
        "\"topic\": \"x\\u001b]0;y\\u0007\", \"attendanceTaken\": true, \"marks\": "
        "[{\"pupil\": 1, \"mark\": {\"markKind\": 1, \"number\": 3}}], \"homework\": "
        "[{\"text\": \"p\\nq\\u009b\"}], \"comments\": [{\"pupil\": 1, \"text\": \"\\r\"}]}]}",
        " [2J, , , \n"
        "\n"
        "Ученик      23.11\n"
        "a b c [31m  3\n"
        "\n"
        "Уроки:\n"
        "  23.11  урок 1. x ]0;y \n"
        "         Домашнее задание: p q \n"
        "         a b c [31m:  \n");
}

static void more_than_ten_lessons_come_in_several_tables(void **state)
{
    (void)state;
    char json[4096] = "{\"pupils\": [{\"person\": 1, \"name\": \"a\"}], \"lessons\": [";
    char *text;
    size_t size;
    ProtobufCMessage *page;
    for (unsigned i = 0; i < 11; i++) {
        size_t used = strlen(json);
        (void)snprintf(json + used, sizeof json - used,
            "%s{\"day\": %u, \"marks\": [{\"pupil\": 1, "
            "\"mark\": {\"markKind\": 1, \"number\": 5}}]}",
            i > 0 ? "," : "", 20261101 + i);
    }
    (void)snprintf(json + strlen(json), sizeof json - strlen(json), "]}");
    assert_int_equal(json_decode(&zhurnal__v1__get_page_response__descriptor, json, strlen(json),
                         &arena, &page, NULL),
        STATUS_OK);
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    assert_int_equal(
        page_table_write((const Zhurnal__V1__GetPageResponse *)page, 80, out), STATUS_OK);
    assert_int_equal(fclose(out), 0);
    assert_non_null(strstr(text,
        "Ученик  01.11  02.11  03.11  04.11  05.11  06.11  07.11  08.11  09.11  10.11\n"
        "a       5      5      5      5      5      5      5      5      5      5\n"));
    assert_non_null(strstr(text, "Ученик  11.11\na       5\n"));
    free(text);
}

static void a_page_is_as_wide_as_the_terminal(void **state)
{
    (void)state;
    assert_shown_within(32,
        "{\"schoolName\": \"Средняя школа №1 города Энска\", \"className\": \"5А\", \"pupils\": "
        "[{\"person\": 1, \"name\": \"Ёлкин Пётр\"}], \"teachers\": [{\"name\": \"Громова О. "
        "П.\"}, "
        "{\"name\": \"Зуев И. И.\"}], \"lessons\": ["
        "{\"day\": 20261123, \"number\": 7, \"attendanceTaken\": true, \"topic\": \"Дроби\"},"
        "{\"day\": 20261124, \"number\": 8, \"attendanceTaken\": true, \"topic\": \"Проценты\","
        " \"marks\": [{\"pupil\": 1, \"mark\": {\"markKind\": \"MARK_KIND_FAILED\"}},"
        "  {\"pupil\": 1, \"mark\": {\"markKind\": \"MARK_KIND_FAILED\"}}]},"
        "{\"day\": 20261125, \"number\": 9, \"attendanceTaken\": true, \"topic\":"
        " \"Ещё раз дроби и проценты\", \"homework\": [{\"text\": \"№ 12, 13 и повторить\"}]}]}",
        "Средняя школа №1 города Энска,\n"
        "  5А, , \n"
        "Учитель: Громова О. П., Зуев И.\n"
        "  И.\n"
        "\n"
        "Ученик      23.11  24.11\n"
        "Ёлкин Пётр         незач/незач\n"
        "\n"
        "Ученик      25.11\n"
        "Ёлкин Пётр\n"
        "\n"
        "/ — между отметками одного урока\n"
        "\n"
        "Уроки:\n"
        "  23.11  урок 7. Дроби\n"
        "  24.11  урок 8. Проценты\n"
        "  25.11  урок 9. Ещё раз дроби и\n"
        "           проценты\n"
        "         Домашнее задание: № 12,\n"
        "           13 и повторить\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_WITH_FIXTURE(pupils_stand_down_and_lessons_across),
        TEST_WITH_FIXTURE(a_page_without_lessons_says_so),
        TEST_WITH_FIXTURE(what_is_written_in_it_breaks_neither_table_nor_terminal),
        TEST_WITH_FIXTURE(more_than_ten_lessons_come_in_several_tables),
        TEST_WITH_FIXTURE(a_page_is_as_wide_as_the_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
