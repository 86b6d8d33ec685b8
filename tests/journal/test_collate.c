/* The order of names in a class list. */
#include "node/journal/collate.h"
#include "tests/lib/test.h"

#include <stddef.h>

/* Each comes before the next. */
static const char *const ordered[] = {
    "",
    "Smith Ann",
    "Абдулаев Аслан",
    "абдулаев Аслан",
    "Абдулаев Ислам",
    "Абдулаев-Гиреев Ислам",
    "Абдулаева Амина",
    "Гайрбеков Ахмед",
    "Гӏайрбеков Ахмед",
    "Егорова Анна",
    "Еёв Пётр",
    "Ёлкина Анна",
    "Жуков Пётр",
    "Хасанов Али",
    "Хёров Али",
    "Хжанов Али",
    "Эльмурзаев Али",
    "Яхъяев Умар",
    "Ӏумаров Али",
};

static int sign(int order)
{
    return (order > 0) - (order < 0);
}

static void assert_order(const char *a, const char *b, int expected)
{
    int order = sign(collate(a, b));
    if (order != expected) {
        fail_msg("«%s» and «%s» are %d", a, b, order);
    }
}

static void names_follow_the_russian_alphabet(void **state)
{
    (void)state;
    enum { COUNT = sizeof ordered / sizeof *ordered };
    for (int i = 0; i < COUNT; i++) {
        for (int j = 0; j < COUNT; j++) {
            assert_order(ordered[i], ordered[j], sign(i - j));
        }
    }
}

static void bytes_that_are_no_text_are_compared_within_bounds(void **state)
{
    (void)state;
    assert_true(collate("\xd0", "\xd0") == 0);
    assert_true(collate("\xf0\x9f", "\xff") != 0);
    assert_true(collate("а\xd0", "а") > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_follow_the_russian_alphabet),
        cmocka_unit_test(bytes_that_are_no_text_are_compared_within_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
