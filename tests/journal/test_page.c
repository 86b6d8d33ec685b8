/* A page of a small class: what was recorded is what is read. */
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

/* ---- writing ---- */

static Zhurnal__V1__Mark *make_mark(struct school_draft *draft, uint32_t number)
{
    Zhurnal__V1__Mark *mark = draft_message(draft, &zhurnal__v1__mark__descriptor);
    mark->mark_kind = ZHURNAL__V1__MARK_KIND__MARK_KIND_NUMBER;
    mark->number = number;
    return mark;
}

static Zhurnal__V1__MarkSet *add_mark(struct school_draft *draft, uint64_t pupil, uint32_t number)
{
    Zhurnal__V1__MarkSet *set = DRAFT_ADD(draft, mark_set, MARK_SET);
    set->pupil = pupil;
    set->given_for_case = ZHURNAL__V1__MARK_SET__GIVEN_FOR_LESSON;
    set->lesson = LESSON;
    set->slot = 1;
    set->mark = make_mark(draft, number);
    set->weight = 1;
    return set;
}

static void add_attendance(struct school_draft *draft)
{
    Zhurnal__V1__AttendanceTaken *taken = DRAFT_ADD(draft, attendance_taken, ATTENDANCE_TAKEN);
    taken->lesson = LESSON;
    taken->n_exceptions = 2;
    taken->exceptions = draft_alloc(draft, 2 * sizeof(void *));
    taken->exceptions[0] =
        class_exception(draft, EGOROV, ZHURNAL__V1__ATTENDANCE_CODE__ATTENDANCE_CODE_ABSENT);
    taken->exceptions[1] =
        class_exception(draft, ZHUKOV, ZHURNAL__V1__ATTENDANCE_CODE__ATTENDANCE_CODE_LATE);
}

static void add_homework(struct school_draft *draft, const char *text)
{
    Zhurnal__V1__HomeworkSet *set = DRAFT_ADD(draft, homework_set, HOMEWORK_SET);
    set->lesson = LESSON;
    set->due_day = NEXT_DAY;
    set->text = draft_text(draft, text);
}

static void add_comment(struct school_draft *draft, const char *text)
{
    Zhurnal__V1__CommentAdded *comment = DRAFT_ADD(draft, comment_added, COMMENT_ADDED);
    comment->pupil = ELKINA;
    comment->lesson = LESSON;
    comment->text_part = draft_part(draft, ELKINA, ZHURNAL__V1__BASIS__BASIS_SERVICE, text);
}

/* Events of write_lesson(). */
enum { HELD = 1, TAKEN = 2, HOMEWORK = 3, MARK = 4, COMMENT = 5 };

/* A saved page; returns the id it was saved under. */
static void write_lesson(struct class_fixture *f, uint8_t id[ENTRY_ID_SIZE])
{
    struct school_draft *draft = class_begin(f);
    class_add_lesson(draft, LESSON, 3, "Проценты");
    add_attendance(draft);
    add_homework(draft, "№ 314, № 315");
    add_mark(draft, ELKINA, 3);
    add_comment(draft, "Внимательнее");
    memcpy(id, draft->entry_id, ENTRY_ID_SIZE);
    class_end(f);
}

/* The correction's own id comes back in id, its event is 1. */
static void correct_mark(
    struct class_fixture *f, uint8_t id[ENTRY_ID_SIZE], uint32_t event, uint32_t to)
{
    struct school_draft *draft = class_begin(f);
    Zhurnal__V1__EntryCorrected *corrected = class_add_correction(draft, id, event);
    corrected->value_case = ZHURNAL__V1__ENTRY_CORRECTED__VALUE_MARK;
    corrected->mark = make_mark(draft, to);
    memcpy(id, draft->entry_id, ENTRY_ID_SIZE);
    class_end(f);
}

static void void_event(struct class_fixture *f, const uint8_t id[ENTRY_ID_SIZE], uint32_t event)
{
    struct school_draft *draft = class_begin(f);
    Zhurnal__V1__EntryVoided *voided = DRAFT_ADD(draft, entry_voided, ENTRY_VOIDED);
    voided->ref = class_ref(draft, id, event);
    class_end(f);
}

static Zhurnal__V1__PageMark *read_mark(struct class_fixture *f)
{
    Zhurnal__V1__PageLesson *lesson = class_read_lesson(f);
    assert_int_equal(lesson->n_marks, 1);
    return lesson->marks[0];
}

/* ---- tests ---- */

static void a_page_says_whose_it_is(void **state)
{
    struct class_fixture *f = *state;
    class_read(f);
    assert_string_equal(f->page->school_name, "Школа № 2");
    assert_string_equal(f->page->class_name, "5А");
    assert_string_equal(f->page->subject_name, "Математика");
    assert_string_equal(f->page->year_label, "2026/27");
    assert_int_equal(f->page->n_teachers, 1);
    assert_string_equal(f->page->teachers[0]->name, "Хасанова Марьям");
    assert_int_equal(f->page->index, f->ledger.last);
    assert_int_equal(f->page->next_day, 0);
}

static void pupils_stand_in_the_order_of_the_alphabet(void **state)
{
    struct class_fixture *f = *state;
    class_read(f);
    assert_int_equal(f->page->n_pupils, 3);
    assert_string_equal(f->page->pupils[0]->name, "Егоров Иван");
    assert_string_equal(f->page->pupils[1]->name, "Ёлкина Анна");
    assert_string_equal(f->page->pupils[2]->name, "Жуков Пётр");
    assert_int_equal(f->page->pupils[1]->person, ELKINA);
}

static void a_saved_lesson_is_shown_whole(void **state)
{
    struct class_fixture *f = *state;
    uint8_t id[ENTRY_ID_SIZE];
    write_lesson(f, id);
    Zhurnal__V1__PageLesson *lesson = class_read_lesson(f);
    assert_int_equal(lesson->lesson, LESSON);
    assert_int_equal(lesson->day, DAY);
    assert_int_equal(lesson->slot, 3);
    assert_int_equal(lesson->number, 1);
    assert_string_equal(lesson->topic, "Проценты");
    assert_int_equal(lesson->index, f->ledger.last);
    assert_int_equal(lesson->n_homework, 1);
    assert_string_equal(lesson->homework[0]->text, "№ 314, № 315");
    assert_int_equal(lesson->homework[0]->due_day, NEXT_DAY);
    assert_int_equal(lesson->n_marks, 1);
    assert_int_equal(lesson->marks[0]->pupil, ELKINA);
    assert_int_equal(lesson->marks[0]->mark->number, 3);
    assert_int_equal(lesson->marks[0]->corrections, 0);
    assert_int_equal(lesson->n_comments, 1);
    assert_string_equal(lesson->comments[0]->text, "Внимательнее");
}

static void assert_ref(const Zhurnal__V1__EventRef *ref, const uint8_t *id, uint32_t event)
{
    assert_int_equal(ref->event, event);
    assert_memory_equal(ref->entry_id.data, id, ENTRY_ID_SIZE);
}

static void each_thing_on_a_page_names_the_event_to_correct_it_by(void **state)
{
    struct class_fixture *f = *state;
    uint8_t id[ENTRY_ID_SIZE];
    write_lesson(f, id);
    struct school_draft *draft = class_begin(f);
    Zhurnal__V1__WorkSet *work = DRAFT_ADD(draft, work_set, WORK_SET);
    work->work = WORK;
    work->lesson = LESSON;
    Zhurnal__V1__EntryCorrected *corrected = class_add_correction(draft, id, HELD);
    corrected->value_case = ZHURNAL__V1__ENTRY_CORRECTED__VALUE_TOPIC;
    corrected->topic = draft_text(draft, "Доли");
    uint8_t next[ENTRY_ID_SIZE];
    memcpy(next, draft->entry_id, sizeof next);
    class_end(f);
    Zhurnal__V1__PageLesson *lesson = class_read_lesson(f);
    assert_ref(lesson->ref, next, 2);
    assert_ref(lesson->works[0]->ref, next, 1);
    assert_ref(lesson->attendance_ref, id, TAKEN);
    assert_ref(lesson->homework[0]->ref, id, HOMEWORK);
    assert_ref(lesson->marks[0]->ref, id, MARK);
    assert_ref(lesson->comments[0]->ref, id, COMMENT);
}

static void absences_are_shown_where_attendance_was_taken(void **state)
{
    struct class_fixture *f = *state;
    uint8_t id[ENTRY_ID_SIZE];
    write_lesson(f, id);
    Zhurnal__V1__PageLesson *lesson = class_read_lesson(f);
    assert_true(lesson->attendance_taken);
    assert_int_equal(lesson->n_attendance, 2);
    assert_int_equal(lesson->attendance[0]->pupil, EGOROV);
    assert_int_equal(
        lesson->attendance[1]->code, ZHURNAL__V1__ATTENDANCE_CODE__ATTENDANCE_CODE_LATE);
    assert_int_equal(lesson->attendance[1]->late_minutes, 10);
    void_event(f, id, TAKEN);
    lesson = class_read_lesson(f);
    assert_false(lesson->attendance_taken);
    assert_int_equal(lesson->n_attendance, 0);
}

static void a_corrected_mark_is_shown_as_it_is_now(void **state)
{
    struct class_fixture *f = *state;
    uint8_t id[ENTRY_ID_SIZE];
    write_lesson(f, id);
    correct_mark(f, id, MARK, 4);
    correct_mark(f, id, 1, 5);
    Zhurnal__V1__PageMark *mark = read_mark(f);
    assert_int_equal(mark->mark->number, 5);
    assert_int_equal(mark->weight, 1);
    assert_int_equal(mark->corrections, 2);
    assert_int_equal(mark->ref->event, 1);
    assert_memory_equal(mark->ref->entry_id.data, id, ENTRY_ID_SIZE);
}

static void a_voided_mark_is_gone_and_may_be_set_anew(void **state)
{
    struct class_fixture *f = *state;
    uint8_t first[ENTRY_ID_SIZE];
    uint8_t id[ENTRY_ID_SIZE];
    write_lesson(f, first);
    memcpy(id, first, sizeof id);
    correct_mark(f, id, MARK, 4);
    void_event(f, id, 1);
    assert_int_equal(class_read_lesson(f)->n_marks, 0);
    add_mark(class_begin(f), ELKINA, 2);
    class_end(f);
    assert_int_equal(read_mark(f)->mark->number, 2);
    /* What refers to the voided mark does not touch the new one. */
    memcpy(id, first, sizeof id);
    correct_mark(f, id, MARK, 5);
    void_event(f, first, MARK);
    assert_int_equal(read_mark(f)->mark->number, 2);
    assert_int_equal(read_mark(f)->corrections, 0);
}

static void topic_homework_comment_and_absence_are_corrected(void **state)
{
    struct class_fixture *f = *state;
    uint8_t id[ENTRY_ID_SIZE];
    write_lesson(f, id);
    struct school_draft *draft = class_begin(f);
    Zhurnal__V1__EntryCorrected *corrected = class_add_correction(draft, id, HELD);
    corrected->value_case = ZHURNAL__V1__ENTRY_CORRECTED__VALUE_TOPIC;
    corrected->topic = draft_text(draft, "Доли");
    corrected = class_add_correction(draft, id, HOMEWORK);
    corrected->value_case = ZHURNAL__V1__ENTRY_CORRECTED__VALUE_HOMEWORK;
    corrected->homework = draft_text(draft, "№ 316");
    corrected = class_add_correction(draft, id, COMMENT);
    corrected->value_case = ZHURNAL__V1__ENTRY_CORRECTED__VALUE_TEXT_PART;
    corrected->text_part = draft_part(draft, ELKINA, ZHURNAL__V1__BASIS__BASIS_SERVICE, "Молодец");
    corrected = class_add_correction(draft, id, TAKEN);
    corrected->value_case = ZHURNAL__V1__ENTRY_CORRECTED__VALUE_ATTENDANCE;
    corrected->attendance =
        class_exception(draft, EGOROV, ZHURNAL__V1__ATTENDANCE_CODE__ATTENDANCE_CODE_UNSPECIFIED);
    class_end(f);
    Zhurnal__V1__PageLesson *lesson = class_read_lesson(f);
    assert_string_equal(lesson->topic, "Доли");
    assert_string_equal(lesson->homework[0]->text, "№ 316");
    assert_string_equal(lesson->comments[0]->text, "Молодец");
    assert_int_equal(lesson->n_attendance, 1);
    assert_int_equal(lesson->attendance[0]->pupil, ZHUKOV);
}

static void an_event_may_correct_another_of_its_own_entry(void **state)
{
    struct class_fixture *f = *state;
    struct school_draft *draft = class_begin(f);
    class_add_lesson(draft, LESSON, 1, "Проценты");
    Zhurnal__V1__EntryCorrected *corrected = class_add_correction(draft, draft->entry_id, 1);
    corrected->value_case = ZHURNAL__V1__ENTRY_CORRECTED__VALUE_TOPIC;
    corrected->topic = draft_text(draft, "Доли");
    class_end(f);
    assert_string_equal(class_read_lesson(f)->topic, "Доли");
}

static void references_that_lead_nowhere_change_nothing(void **state)
{
    struct class_fixture *f = *state;
    uint8_t id[ENTRY_ID_SIZE];
    uint8_t unknown[ENTRY_ID_SIZE] = {9};
    write_lesson(f, id);
    uint8_t copy[ENTRY_ID_SIZE];
    memcpy(copy, id, sizeof copy);
    correct_mark(f, copy, HELD, 5);
    memcpy(copy, id, sizeof copy);
    correct_mark(f, copy, 99, 5);
    correct_mark(f, unknown, 1, 5);
    void_event(f, id, 0);
    assert_int_equal(read_mark(f)->mark->number, 3);
    assert_string_equal(f->page->lessons[0]->topic, "Проценты");
}

static void marks_for_a_work_stand_at_its_lesson(void **state)
{
    struct class_fixture *f = *state;
    uint8_t id[ENTRY_ID_SIZE];
    write_lesson(f, id);
    struct school_draft *draft = class_begin(f);
    Zhurnal__V1__MarkSet *early = add_mark(draft, ZHUKOV, 4); /* Before the work is set. */
    early->given_for_case = ZHURNAL__V1__MARK_SET__GIVEN_FOR_WORK;
    early->work = WORK;
    Zhurnal__V1__WorkSet *work = DRAFT_ADD(draft, work_set, WORK_SET);
    work->work = WORK;
    work->lesson = LESSON;
    work->work_kind = ZHURNAL__V1__WORK_KIND__WORK_KIND_TEST;
    work->weight = 2;
    work->title = draft_text(draft, "Проценты, тест");
    class_end(f);
    Zhurnal__V1__PageLesson *lesson = class_read_lesson(f);
    assert_int_equal(lesson->n_works, 1);
    assert_string_equal(lesson->works[0]->title, "Проценты, тест");
    assert_int_equal(lesson->works[0]->weight, 2);
    assert_int_equal(lesson->n_marks, 2);
    assert_int_equal(lesson->marks[0]->work, 0);
    assert_int_equal(lesson->marks[1]->work, WORK);
    assert_int_equal(lesson->marks[1]->pupil, ZHUKOV);
}

static void a_duplicate_shows_once(void **state)
{
    struct class_fixture *f = *state;
    struct school_entry entry = {0};
    struct school_draft *draft = class_begin(f);
    class_add_lesson(draft, LESSON, 1, "Проценты");
    add_homework(draft, "№ 314");
    draft_end(draft, &entry);
    for (int i = 0; i < 2; i++) {
        uint64_t index = ledger_append(&f->ledger, entry.request, &ledger_front_end);
        assert_int_equal(ledger_apply(&f->ledger, &f->journal, index, WHOLE), STATUS_OK);
    }
    assert_int_equal(class_read_lesson(f)->n_homework, 1);
}

static void lessons_come_by_day_and_bell_and_only_those_asked_for(void **state)
{
    struct class_fixture *f = *state;
    struct school_draft *draft = ledger_begin(&f->ledger, NEXT_DAY);
    class_add_lesson(draft, LESSON, 1, "третий");
    class_end(f);
    draft = class_begin(f);
    class_add_lesson(draft, LESSON + 1, 5, "второй");
    class_add_lesson(draft, LESSON + 2, 2, "первый");
    class_end(f);
    class_read(f);
    assert_int_equal(f->page->n_lessons, 3);
    assert_string_equal(f->page->lessons[0]->topic, "первый");
    assert_string_equal(f->page->lessons[1]->topic, "второй");
    assert_string_equal(f->page->lessons[2]->topic, "третий");
    assert_int_equal(class_read_days(f, DAY, DAY), STATUS_OK);
    assert_int_equal(f->page->n_lessons, 2);
    assert_int_equal(class_read_days(f, NEXT_DAY, 0), STATUS_OK);
    assert_int_equal(f->page->n_lessons, 1);
    assert_int_equal(class_read_days(f, NEXT_DAY, DAY), STATUS_INVALID);
    assert_int_equal(class_read_days(f, 20261301, 0), STATUS_INVALID);
}

static void a_pupil_who_left_stands_on_the_days_he_was_there(void **state)
{
    struct class_fixture *f = *state;
    Zhurnal__V1__PupilLeft *left = DRAFT_ADD(class_begin(f), pupil_left, PUPIL_LEFT);
    left->pupil = ZHUKOV;
    left->class_id = CLASS;
    class_end(f);
    assert_int_equal(class_read_days(f, DAY, 0), STATUS_OK);
    assert_int_equal(f->page->n_pupils, 3);
    assert_int_equal(class_read_days(f, NEXT_DAY, 0), STATUS_OK);
    assert_int_equal(f->page->n_pupils, 2);
}

static void a_changed_name_keeps_what_was_not_changed(void **state)
{
    struct class_fixture *f = *state;
    struct school_draft *draft = class_begin(f);
    Zhurnal__V1__PersonUpdated *updated = DRAFT_ADD(draft, person_updated, PERSON_UPDATED);
    updated->person = ELKINA;
    updated->surname_part =
        draft_part(draft, ELKINA, ZHURNAL__V1__BASIS__BASIS_SERVICE, "Абдулаева");
    class_end(f);
    class_read(f);
    assert_string_equal(f->page->pupils[0]->name, "Абдулаева Анна");
}

static void a_page_nobody_opened_is_not_found(void **state)
{
    struct class_fixture *f = *state;
    Zhurnal__V1__GetPageRequest request = ZHURNAL__V1__GET_PAGE_REQUEST__INIT;
    request.school = LEDGER_SCHOOL + 1;
    request.page = PAGE;
    assert_int_equal(
        ledger_page(&f->ledger, &f->journal, &request, &f->arena, &f->page), STATUS_NOT_FOUND);
}

static void fresh_views_of_the_same_log_give_the_same_page(void **state)
{
    struct class_fixture *f = *state;
    uint8_t id[ENTRY_ID_SIZE];
    write_lesson(f, id);
    correct_mark(f, id, MARK, 4);
    class_read(f);
    size_t size = zhurnal__v1__get_page_response__get_packed_size(f->page);
    uint8_t *first = malloc(size);
    assert_non_null(first);
    zhurnal__v1__get_page_response__pack(f->page, first);

    journal_close(&f->journal, false);
    assert_int_equal(ledger_open_journal(&f->ledger, &f->journal, "again"), 0);
    assert_int_equal(ledger_apply(&f->ledger, &f->journal, f->ledger.last, 1), STATUS_OK);
    class_read(f);
    assert_int_equal(zhurnal__v1__get_page_response__get_packed_size(f->page), size);
    uint8_t *second = malloc(size);
    assert_non_null(second);
    zhurnal__v1__get_page_response__pack(f->page, second);
    assert_memory_equal(first, second, size);
    free(first);
    free(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_WITH_FIXTURE(a_page_says_whose_it_is),
        TEST_WITH_FIXTURE(pupils_stand_in_the_order_of_the_alphabet),
        TEST_WITH_FIXTURE(a_saved_lesson_is_shown_whole),
        TEST_WITH_FIXTURE(each_thing_on_a_page_names_the_event_to_correct_it_by),
        TEST_WITH_FIXTURE(absences_are_shown_where_attendance_was_taken),
        TEST_WITH_FIXTURE(a_corrected_mark_is_shown_as_it_is_now),
        TEST_WITH_FIXTURE(a_voided_mark_is_gone_and_may_be_set_anew),
        TEST_WITH_FIXTURE(topic_homework_comment_and_absence_are_corrected),
        TEST_WITH_FIXTURE(an_event_may_correct_another_of_its_own_entry),
        TEST_WITH_FIXTURE(references_that_lead_nowhere_change_nothing),
        TEST_WITH_FIXTURE(marks_for_a_work_stand_at_its_lesson),
        TEST_WITH_FIXTURE(a_duplicate_shows_once),
        TEST_WITH_FIXTURE(lessons_come_by_day_and_bell_and_only_those_asked_for),
        TEST_WITH_FIXTURE(a_pupil_who_left_stands_on_the_days_he_was_there),
        TEST_WITH_FIXTURE(a_changed_name_keeps_what_was_not_changed),
        TEST_WITH_FIXTURE(a_page_nobody_opened_is_not_found),
        TEST_WITH_FIXTURE(fresh_views_of_the_same_log_give_the_same_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
