/* What the lifelike school's teachers write: it fits the grade, and the lesson. */
#include "tests/lib/school.h"
#include "tests/lib/school_texts.h"
#include "tests/lib/school_topics.h"
#include "tests/lib/test.h"

#include <string.h>

enum { WEEKS = 34, DRAWS = 200 };

static const char check[] = ". Контроль знаний";

static void every_subject_has_topics_in_each_grade_that_it_is_taught_in(void **state)
{
    (void)state;
    for (unsigned grade = 1; grade <= SCHOOL_GRADE_MAX; grade++) {
        for (unsigned subject = 0; subject < SUBJECT_COUNT; subject++) {
            for (unsigned i = 0; curriculum_hours(grade, subject) > 0 && i < SCHOOL_TOPICS; i++) {
                assert_true(strlen(school_topic(subject, grade, i)) > 0);
            }
        }
    }
}

/* The subjects that nobody takes for the same in two grades. */
static void what_is_taught_in_one_grade_is_not_taught_in_another(void **state)
{
    (void)state;
    static const enum school_subject subjects[] = {
        SUBJECT_RUSSIAN, SUBJECT_LITERATURE, SUBJECT_MATHEMATICS, SUBJECT_ALGEBRA, SUBJECT_HISTORY};
    for (size_t s = 0; s < sizeof subjects / sizeof *subjects; s++) {
        const char *seen[SCHOOL_GRADE_MAX * SCHOOL_TOPICS];
        size_t count = 0;
        for (unsigned grade = 1; grade <= SCHOOL_GRADE_MAX; grade++) {
            for (unsigned i = 0; curriculum_hours(grade, subjects[s]) > 0 && i < SCHOOL_TOPICS;
                 i++) {
                seen[count++] = school_topic(subjects[s], grade, i);
            }
        }
        for (size_t i = 1; i < count; i++) {
            for (size_t j = 0; j < i; j++) {
                assert_string_not_equal(seen[i], seen[j]);
            }
        }
    }
}

/* A work, the lesson before it and the one after it. */
static void one_prepares_for_a_work_before_it_and_not_after(void **state)
{
    (void)state;
    struct random_stream stream = {.state = 5};
    struct text_lesson lesson = {.subject = SUBJECT_RUSSIAN,
        .grade = 4,
        .total = WEEKS * curriculum_hours(4, SUBJECT_RUSSIAN)};
    char topic[TEXT_SIZE];
    char text[TEXT_SIZE];
    for (unsigned i = 0; i < DRAWS; i++) {
        lesson.number = i % lesson.total + 1;
        lesson.work = i % 3 == 1;
        lesson.work_next = i % 3 == 0;
        text_topic(&lesson, topic);
        text_homework(&stream, &lesson, text);
        assert_int_equal(strstr(topic, check) != NULL, lesson.work);
        assert_int_equal(strstr(text, "Подготовиться") != NULL, lesson.work_next);
        assert_null(strstr(text, check));
    }
}

/* On the first day of a topic nothing of it was taught. */
static void a_work_is_on_what_was_taught(void **state)
{
    (void)state;
    struct text_lesson lesson = {.subject = SUBJECT_ALGEBRA, .grade = 8, .total = 60, .number = 11};
    char topic[TEXT_SIZE];
    text_topic(&lesson, topic);
    assert_string_equal(topic, "Квадратные корни");
    lesson.work = true;
    text_topic(&lesson, topic);
    assert_string_equal(topic, "Алгебраические дроби. Контроль знаний");
    text_work_title(&lesson, 2, topic);
    assert_string_equal(topic, "№ 2. Алгебраические дроби");
}

static void what_stands_in_quotes_has_others_inside(void **state)
{
    (void)state;
    const struct text_lesson lesson = {
        .subject = SUBJECT_LITERATURE, .grade = 8, .total = 60, .number = 30, .work = true};
    char title[TEXT_SIZE];
    text_work_title(&lesson, 3, title);
    assert_string_equal(title, "№ 3. А. С. Пушкин. „Капитанская дочка“");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_subject_has_topics_in_each_grade_that_it_is_taught_in),
        cmocka_unit_test(what_is_taught_in_one_grade_is_not_taught_in_another),
        cmocka_unit_test(one_prepares_for_a_work_before_it_and_not_after),
        cmocka_unit_test(a_work_is_on_what_was_taught),
        cmocka_unit_test(what_stands_in_quotes_has_others_inside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
