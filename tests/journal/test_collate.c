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

static void names_follow_the_russian_alphabet(void **state)
{
    (void)state;
    enum { COUNT = sizeof ordered / sizeof *ordered };
    for (size_t i = 0; i < COUNT; i++) {
        for (size_t j = 0; j < COUNT; j++) {
            int order = collate(ordered[i], ordered[j]);
            if ((order < 0) != (i < j) || (order > 0) != (i > j)) {
                fail_msg("«%s» and «%s» are %d", ordered[i], ordered[j], order);
            }
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
