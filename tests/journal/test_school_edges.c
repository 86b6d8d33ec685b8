/* The edges of the rules, through the journal: what must be accepted is, and the pages of the
 * largest class and of the smallest are read right. */
#include "node/journal/page.h"
#include "tests/lib/ledger.h"
#include "tests/lib/school_edges.h"
#include "tests/lib/test.h"

enum { BATCH = 64, UTC_OFFSET_MINUTES = 180 };

struct fixture {
    struct ledger ledger;
    struct journal journal;
    struct school_edges edges;
    Zhurnal__V1__Principal portal;
    uint64_t schools[1];
    struct arena arena;
};

static int set_up(void **state)
{
    static struct fixture f;
    ledger_open(&f.ledger);
    (void)ledger_open_journal(&f.ledger, &f.journal, "views");
    assert_true(edges_init(&f.edges, 1, 20261123, UTC_OFFSET_MINUTES));
    f.portal = ledger_front_end;
    f.schools[0] = school_id(f.edges.school);
    f.portal.schools = f.schools;
    arena_init(&f.arena, PAGE_ARENA_LIMIT);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    arena_reset(&f->arena);
    edges_deinit(&f->edges);
    journal_close(&f->journal, false);
    ledger_close(&f->ledger);
    return 0;
}

static enum verdict_outcome append(struct fixture *f, const struct school_entry *entry)
{
    bool founder = entry->sender == SCHOOL_SENDER_FOUNDER;
    uint64_t index =
        ledger_append(&f->ledger, entry->request, founder ? &ledger_founder : &f->portal);
    assert_int_equal(ledger_apply(&f->ledger, &f->journal, index, BATCH), STATUS_OK);
    return ledger_verdict(&f->journal, index).outcome;
}

/* All of it; returns how many edges there were. */
static unsigned write_all(struct fixture *f)
{
    static const enum verdict_outcome outcomes[] = {
        [EDGES_ACCEPTED] = VERDICT_ACCEPTED,
        [EDGES_DUPLICATE] = VERDICT_DUPLICATE,
        [EDGES_REFUSED] = VERDICT_REFUSED,
    };
    struct school_entry entry;
    enum edges_answer answer;
    unsigned count = 0;
    while (school_set_up_next(f->edges.school, &entry)) {
        assert_int_equal(append(f, &entry), VERDICT_ACCEPTED);
    }
    for (; edges_next(&f->edges, &entry, &answer); count++) {
        assert_int_equal(append(f, &entry), outcomes[answer]);
    }
    return count;
}

static Zhurnal__V1__GetPageResponse *read_page(struct fixture *f, size_t number, uint32_t to_day)
{
    Zhurnal__V1__GetPageRequest request = ZHURNAL__V1__GET_PAGE_REQUEST__INIT;
    Zhurnal__V1__GetPageResponse *page;
    request.school = school_id(f->edges.school);
    request.page = school_page(f->edges.school, number).page;
    request.to_day = to_day;
    assert_int_equal(ledger_page(&f->ledger, &f->journal, &request, &f->arena, &page), STATUS_OK);
    assert_int_equal(page->n_lessons, 1);
    return page;
}

static void each_edge_is_answered_as_it_must_be(void **state)
{
    struct fixture *f = *state;
    assert_true(write_all(f) > EDGES_CORRECTIONS);
}

/* To the millisecond, in the school's time. */
static void each_deadline_has_a_last_and_a_late_entry(void **state)
{
    struct fixture *f = *state;
    const uint32_t noon_ms = 12 * 60 * 60 * 1000;
    unsigned seen = 0;
    struct school_entry entry;
    enum edges_answer answer;
    while (edges_next(&f->edges, &entry, &answer)) {
        uint32_t since_noon_ms = entry.local_ms % noon_ms;
        seen += since_noon_ms == 0 || since_noon_ms == noon_ms - 1 ? 1 : 0;
    }
    assert_int_equal(seen, 4);
}

/* The marks of the boundaries among them, and none twice. */
static void a_class_of_forty_is_read_whole(void **state)
{
    struct fixture *f = *state;
    (void)write_all(f);
    const Zhurnal__V1__GetPageResponse *page = read_page(f, f->edges.crowd, 0);
    const Zhurnal__V1__PageLesson *lesson = page->lessons[0];
    assert_string_equal(page->class_name, "5А");
    assert_int_equal(page->n_pupils, EDGES_CROWD);
    assert_int_equal(lesson->day, f->edges.quarter_end);
    assert_true(lesson->attendance_taken);
    assert_int_equal(lesson->n_attendance, 0);
    assert_int_equal(lesson->n_marks, EDGES_CROWD);
}

static void a_class_of_one_is_read_as_it_stands_now(void **state)
{
    struct fixture *f = *state;
    (void)write_all(f);
    const Zhurnal__V1__GetPageResponse *page = read_page(f, f->edges.alone, 0);
    const Zhurnal__V1__PageLesson *lesson = page->lessons[0];
    assert_string_equal(page->class_name, "5Б");
    assert_int_equal(page->n_pupils, 1);
    assert_memory_equal(page->pupils[0]->name, EDGES_SURNAME " ", sizeof EDGES_SURNAME);
    assert_int_equal(lesson->day, f->edges.saturday);
    assert_int_equal(lesson->n_attendance, 1);
    assert_int_equal(lesson->n_marks, 1);
    assert_int_equal(lesson->marks[0]->corrections, EDGES_CORRECTIONS);
    assert_int_equal(lesson->marks[0]->mark->number, 5);
}

static void a_page_handed_over_has_the_teacher_of_the_days_asked_for(void **state)
{
    struct fixture *f = *state;
    (void)write_all(f);
    assert_int_equal(read_page(f, f->edges.alone, f->edges.quarter_end)->n_teachers, 1);
    assert_int_equal(read_page(f, f->edges.alone, 0)->n_teachers, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_WITH_FIXTURE(each_edge_is_answered_as_it_must_be),
        TEST_WITH_FIXTURE(each_deadline_has_a_last_and_a_late_entry),
        TEST_WITH_FIXTURE(a_class_of_forty_is_read_whole),
        TEST_WITH_FIXTURE(a_class_of_one_is_read_as_it_stands_now),
        TEST_WITH_FIXTURE(a_page_handed_over_has_the_teacher_of_the_days_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
