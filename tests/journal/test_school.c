/* Days of a lifelike school: every page shows what was entered, no more and no less. */
#include "node/journal/page.h"
#include "tests/lib/ledger.h"
#include "tests/lib/test.h"

#include <stdlib.h>

enum { DAYS = 3, BATCH = 64, ENTRIES_MAX = 100000, WEEK_DAYS = 5 };

struct fixture {
    struct ledger ledger;
    struct journal journal;
    struct school *school;
    Zhurnal__V1__Principal portal;
    uint64_t schools[1];
    struct arena arena;
};

static void make_school(struct fixture *f, const struct school_options *options)
{
    school_destroy(f->school);
    f->school = school_create(options);
    assert_non_null(f->school);
    f->schools[0] = school_id(f->school);
}

static int set_up(void **state)
{
    static struct fixture f;
    const struct school_options options = {.seed = 7,
        .grade_from = 4,
        .grade_to = 7,
        .fill = 12,
        .day = 20261123,
        .utc_offset_minutes = 180,
        .whole_day = true};
    ledger_open(&f.ledger);
    (void)ledger_open_journal(&f.ledger, &f.journal, "views");
    f.school = NULL;
    f.portal = ledger_front_end;
    f.portal.schools = f.schools;
    make_school(&f, &options);
    arena_init(&f.arena, PAGE_ARENA_LIMIT);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    arena_reset(&f->arena);
    school_destroy(f->school);
    journal_close(&f->journal, false);
    ledger_close(&f->ledger);
    return 0;
}

static void append(struct fixture *f, const struct school_entry *entry)
{
    bool founder = entry->sender == SCHOOL_SENDER_FOUNDER;
    ledger_append(&f->ledger, entry->request, founder ? &ledger_founder : &f->portal);
}

static void apply(struct fixture *f)
{
    uint64_t from = ledger_state(&f->journal).index + 1;
    assert_int_equal(ledger_apply(&f->ledger, &f->journal, f->ledger.last, BATCH), STATUS_OK);
    for (uint64_t i = from; i <= f->ledger.last; i++) {
        assert_int_equal(ledger_verdict(&f->journal, i).outcome, VERDICT_ACCEPTED);
    }
}

static void write_set_up(struct fixture *f)
{
    struct school_entry entry;
    while (school_set_up_next(f->school, &entry)) {
        append(f, &entry);
        assert_true(f->ledger.last < ENTRIES_MAX);
    }
    apply(f);
}

static void write_day(struct fixture *f, uint32_t day)
{
    struct school_entry entry;
    school_day_begin(f->school, day);
    while (school_day_next(f->school, &entry)) {
        append(f, &entry);
        assert_true(f->ledger.last < ENTRIES_MAX);
    }
    apply(f);
}

static void count_lesson(struct school_expectation *seen, const Zhurnal__V1__PageLesson *lesson)
{
    seen->lessons++;
    seen->attendance_taken += lesson->attendance_taken ? 1 : 0;
    for (size_t i = 0; i < lesson->n_attendance; i++) {
        bool late =
            lesson->attendance[i]->code == ZHURNAL__V1__ATTENDANCE_CODE__ATTENDANCE_CODE_LATE;
        seen->late += late ? 1 : 0;
        seen->absent += late ? 0 : 1;
    }
    for (size_t i = 0; i < lesson->n_marks; i++) {
        seen->marks++;
        seen->mark_sum += lesson->marks[i]->mark->number;
        seen->corrections += lesson->marks[i]->corrections;
    }
    seen->homework += (unsigned)lesson->n_homework;
    seen->works += (unsigned)lesson->n_works;
    seen->comments += (unsigned)lesson->n_comments;
}

/* Cyrillic letters begin with these bytes in UTF-8. */
static void check_is_russian(const char *text)
{
    unsigned char first = (unsigned char)text[0];
    assert_true(first >= 0xd0 && first <= 0xd3);
}

static void check_page(struct fixture *f, size_t number, uint32_t day)
{
    struct school_page_info info = school_page(f->school, number);
    Zhurnal__V1__GetPageRequest request = ZHURNAL__V1__GET_PAGE_REQUEST__INIT;
    Zhurnal__V1__GetPageResponse *page;
    request.school = school_id(f->school);
    request.page = info.page;
    request.from_day = day;
    request.to_day = day;
    assert_int_equal(ledger_page(&f->ledger, &f->journal, &request, &f->arena, &page), STATUS_OK);
    assert_string_equal(page->subject_name, info.subject);
    assert_int_equal(page->n_teachers, 1);
    assert_int_equal(page->teachers[0]->person, info.teacher);
    for (size_t i = 0; i < page->n_pupils; i++) {
        check_is_russian(page->pupils[i]->name);
    }
    struct school_expectation seen = {.pupils = (unsigned)page->n_pupils};
    struct school_expectation expected;
    assert_true(school_expect(f->school, number, day, &expected));
    for (size_t i = 0; i < page->n_lessons; i++) {
        assert_true(page->lessons[i]->topic[0] != '\0');
        count_lesson(&seen, page->lessons[i]);
    }
    assert_memory_equal(&seen, &expected, sizeof seen);
    arena_reset(&f->arena);
}

static void three_days_are_shown_as_they_were_entered(void **state)
{
    struct fixture *f = *state;
    uint32_t day = 20261123;
    uint32_t days[DAYS];
    write_set_up(f);
    for (size_t i = 0; i < DAYS; i++) {
        days[i] = day;
        write_day(f, day);
        day = school_day_after(day, 5);
    }
    for (size_t i = 0; i < DAYS; i++) {
        for (size_t p = 0; p < school_page_count(f->school); p++) {
            check_page(f, p, days[i]);
        }
    }
}

/* ---- pupils who move ---- */

struct moves {
    unsigned to_class;
    unsigned out_of_school;
};

static void count_moves(const struct school_entry *entry, struct moves *moves)
{
    Zhurnal__V1__AppendRequest *request =
        zhurnal__v1__append_request__unpack(NULL, entry->request.size, entry->request.data);
    assert_non_null(request);
    if ((int)request->draft->events[0]->kind_case == ZHURNAL__V1__EVENT__KIND_PUPIL_LEFT) {
        moves->to_class += request->draft->n_events == 2 ? 1 : 0;
        moves->out_of_school += request->draft->n_events == 1 ? 1 : 0;
    }
    zhurnal__v1__append_request__free_unpacked(request, NULL);
}

/* From a day on until somebody has moved and somebody left. */
static void write_until_moved(struct fixture *f, uint32_t day)
{
    struct moves moves = {0};
    struct school_entry entry;
    for (; moves.to_class == 0 || moves.out_of_school == 0;
         day = school_day_after(day, WEEK_DAYS)) {
        school_day_begin(f->school, day);
        while (school_day_next(f->school, &entry)) {
            append(f, &entry);
            count_moves(&entry, &moves);
        }
    }
    apply(f);
}

/* Here teachers enter when they do; what they have not entered yet is not expected. The last days
 * are kept, those before the moves among them. */
static void who_moves_is_on_the_pages_of_his_days(void **state)
{
    struct fixture *f = *state;
    const struct school_options options = {.seed = 37,
        .grade_from = 7,
        .grade_to = 7,
        .parallels = 3,
        .day = 20260901,
        .utc_offset_minutes = 180};
    struct school_expectation expected;
    make_school(f, &options);
    write_set_up(f);
    write_until_moved(f, options.day);
    unsigned checked = 0;
    uint32_t day = options.day;
    for (; day <= school_today(f->school); day = school_day_after(day, WEEK_DAYS)) {
        bool kept = school_expect(f->school, 0, day, &expected);
        for (size_t p = 0; kept && p < school_page_count(f->school); p++) {
            check_page(f, p, day);
            checked++;
        }
    }
    assert_true(checked > 2 * school_page_count(f->school));
}

static void the_page_to_show_has_marks_absences_and_homework(void **state)
{
    struct fixture *f = *state;
    struct school_expectation expected;
    write_set_up(f);
    write_day(f, 20261123);
    size_t number = school_page_to_show(f->school, 20261123);
    assert_true(school_expect(f->school, number, 20261123, &expected));
    assert_true(expected.marks > 0 && expected.absent > 0 && expected.homework > 0);
    check_page(f, number, 20261123);
}

static void the_same_days_replayed_give_the_same_digest(void **state)
{
    struct fixture *f = *state;
    write_set_up(f);
    write_day(f, 20261123);
    struct journal other;
    assert_int_equal(ledger_open_journal(&f->ledger, &other, "again"), 0);
    assert_int_equal(ledger_apply(&f->ledger, &other, f->ledger.last, 1000), STATUS_OK);
    struct journal_state a = ledger_state(&f->journal);
    struct journal_state b = ledger_state(&other);
    assert_int_equal(a.index, b.index);
    assert_memory_equal(a.digest, b.digest, SHA256_SIZE);
    journal_close(&other, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_WITH_FIXTURE(three_days_are_shown_as_they_were_entered),
        TEST_WITH_FIXTURE(who_moves_is_on_the_pages_of_his_days),
        TEST_WITH_FIXTURE(the_page_to_show_has_marks_absences_and_homework),
        TEST_WITH_FIXTURE(the_same_days_replayed_give_the_same_digest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
