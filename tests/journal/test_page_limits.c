/* Pages at their limits: long lists, long texts, many lessons. */
#include "tests/lib/class_fixture.h"
#include "tests/lib/test.h"

#include <stdlib.h>

static int set_up(void **state)
{
    return class_set_up(state);
}

static int tear_down(void **state)
{
    return class_tear_down(state);
}

enum { ROLL = SUBMISSION_LESSON_PUPILS_MAX, CORRECTIONS = 200 };

/* A roll call as long as may be, which school_draft cannot hold. Returns its entry id. */
static void take_long_roll(struct class_fixture *f, uint8_t id[ENTRY_ID_SIZE])
{
    Zhurnal__V1__AttendanceException *list = calloc(ROLL, sizeof *list);
    Zhurnal__V1__AttendanceException **exceptions = calloc(ROLL, sizeof(void *));
    uint8_t *request = malloc(SUBMISSION_REQUEST_MAX);
    assert_true(list != NULL && exceptions != NULL && request != NULL);
    struct school_draft *draft = class_begin(f);
    Zhurnal__V1__AttendanceTaken *taken = DRAFT_ADD(draft, attendance_taken, ATTENDANCE_TAKEN);
    taken->lesson = LESSON;
    taken->n_exceptions = ROLL;
    taken->exceptions = exceptions;
    for (size_t i = 0; i < ROLL; i++) {
        zhurnal__v1__attendance_exception__init(&list[i]);
        list[i].pupil = i + 1;
        exceptions[i] = &list[i];
    }
    assert_true(
        zhurnal__v1__append_request__get_packed_size(&draft->request) < SUBMISSION_REQUEST_MAX);
    size_t size = zhurnal__v1__append_request__pack(&draft->request, request);
    uint64_t index = ledger_append(&f->ledger, bytes_of(request, size), &ledger_front_end);
    assert_int_equal(ledger_apply(&f->ledger, &f->journal, index, WHOLE), STATUS_OK);
    assert_int_equal(ledger_verdict(&f->journal, index).outcome, VERDICT_ACCEPTED);
    memcpy(id, draft->entry_id, ENTRY_ID_SIZE);
    free(list);
    free(exceptions);
    free(request);
}

static void a_long_roll_call_is_corrected_many_times_in_one_entry(void **state)
{
    struct class_fixture *f = *state;
    uint8_t id[ENTRY_ID_SIZE];
    take_long_roll(f, id);
    struct school_draft *draft = class_begin(f);
    for (unsigned i = 0; i < CORRECTIONS; i++) {
        Zhurnal__V1__EntryCorrected *corrected = class_add_correction(draft, id, 1);
        corrected->value_case = ZHURNAL__V1__ENTRY_CORRECTED__VALUE_ATTENDANCE;
        corrected->attendance = class_exception(
            draft, i + 1, ZHURNAL__V1__ATTENDANCE_CODE__ATTENDANCE_CODE_UNSPECIFIED);
    }
    class_end(f);
    class_add_lesson(class_begin(f), LESSON, 1, "Проценты");
    class_end(f);
    assert_int_equal(class_read_lesson(f)->n_attendance, ROLL - CORRECTIONS);
}

enum { LONG_TEXT = 60000, LONG_LESSONS = 90, LESSONS_A_DAY = 3 };

static uint32_t long_day(unsigned lesson)
{
    return 20261101 + lesson / LESSONS_A_DAY;
}

static void write_long_lesson(struct class_fixture *f, unsigned number, uint32_t day)
{
    struct school_draft *draft = ledger_begin(&f->ledger, day);
    char *text = draft_alloc(draft, LONG_TEXT + 1);
    memset(text, 'x', LONG_TEXT);
    class_add_lesson(draft, LESSON + number, number % LESSONS_A_DAY + 1, text);
    class_end(f);
}

static void a_page_that_is_too_large_is_cut_between_days(void **state)
{
    struct class_fixture *f = *state;
    for (unsigned i = 0; i < LONG_LESSONS; i++) {
        write_long_lesson(f, i, long_day(i));
    }
    unsigned seen = 0;
    unsigned calls = 0;
    uint32_t from_day = 0;
    do {
        assert_int_equal(class_read_days(f, from_day, 0), STATUS_OK);
        assert_true(zhurnal__v1__get_page_response__get_packed_size(f->page) < 4U << 20);
        for (size_t i = 0; i < f->page->n_lessons; i++) {
            assert_int_equal(f->page->lessons[i]->lesson, LESSON + seen++);
        }
        from_day = f->page->next_day;
        assert_true(from_day == 0 || from_day == long_day(seen));
        assert_true(++calls < 10);
    } while (from_day != 0);
    assert_int_equal(seen, LONG_LESSONS);
    assert_int_equal(calls, 2);
}

static void a_single_day_that_is_too_large_is_an_error(void **state)
{
    struct class_fixture *f = *state;
    for (unsigned i = 0; i < LONG_LESSONS; i++) {
        write_long_lesson(f, i, DAY);
    }
    assert_int_equal(class_read_days(f, 0, 0), STATUS_TOO_LARGE);
}

/* No choice of days helps, so none is proposed. */
static void names_that_fill_a_message_are_an_error(void **state)
{
    struct class_fixture *f = *state;
    enum { NAME = 60000, PUPILS = 60 };
    for (unsigned i = 0; i < PUPILS; i++) {
        struct school_draft *draft = class_begin(f);
        char *name = draft_alloc(draft, NAME + 1);
        memset(name, 'x', NAME);
        class_enrol(draft, 2000 + i, "Жуков", name);
        class_end(f);
    }
    class_add_lesson(class_begin(f), LESSON, 1, "Проценты");
    class_end(f);
    assert_int_equal(class_read_days(f, 0, 0), STATUS_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_WITH_FIXTURE(a_long_roll_call_is_corrected_many_times_in_one_entry),
        TEST_WITH_FIXTURE(a_page_that_is_too_large_is_cut_between_days),
        TEST_WITH_FIXTURE(a_single_day_that_is_too_large_is_an_error),
        TEST_WITH_FIXTURE(names_that_fill_a_message_are_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
