/* The roster: who belonged to a page, and when. */
#include "node/journal/page.h"
#include "tests/lib/ledger.h"
#include "tests/lib/test.h"

enum {
    DAY = 20261123,
    CLASS = 2,
    PAGE = 4,
    TEACHER = 50,
    ZHUKOV = 63,
    WHOLE = 1000,
};

struct fixture {
    struct ledger ledger;
    struct journal journal;
    struct arena arena;
    Zhurnal__V1__GetPageResponse *page;
};

static void apply(struct fixture *f, uint64_t index)
{
    assert_int_equal(ledger_apply(&f->ledger, &f->journal, index, WHOLE), STATUS_OK);
    assert_int_equal(ledger_verdict(&f->journal, index).outcome, VERDICT_ACCEPTED);
}

static void end(struct fixture *f)
{
    apply(f, ledger_end(&f->ledger));
}

static void name_school(
    struct fixture *f, uint64_t in, const char *name, const Zhurnal__V1__Principal *principal)
{
    struct school_entry entry = {0};
    struct school_draft *draft = ledger_begin(&f->ledger, DAY);
    draft->draft.school = in;
    Zhurnal__V1__SchoolRegistered *school = DRAFT_ADD(draft, school_registered, SCHOOL_REGISTERED);
    school->school = LEDGER_SCHOOL;
    school->name = draft_text(draft, name);
    draft_end(draft, &entry);
    apply(f, ledger_append(&f->ledger, entry.request, principal));
}

static void enrol(struct fixture *f, uint64_t pupil, uint32_t day)
{
    struct school_draft *draft = ledger_begin(&f->ledger, day);
    Zhurnal__V1__PupilEnrolled *enrolled = DRAFT_ADD(draft, pupil_enrolled, PUPIL_ENROLLED);
    enrolled->pupil = pupil;
    enrolled->class_id = CLASS;
    end(f);
}

static void assign(struct fixture *f, uint64_t teacher, uint32_t from_day, uint32_t to_day)
{
    struct school_draft *draft = ledger_begin(&f->ledger, DAY);
    Zhurnal__V1__TeachingAssigned *teaching =
        DRAFT_ADD(draft, teaching_assigned, TEACHING_ASSIGNED);
    teaching->teacher = teacher;
    teaching->page = PAGE;
    teaching->from_day = from_day;
    teaching->to_day = to_day;
    end(f);
}

static void open_page(struct fixture *f)
{
    struct school_draft *draft = ledger_begin(&f->ledger, DAY);
    Zhurnal__V1__PageOpened *page = DRAFT_ADD(draft, page_opened, PAGE_OPENED);
    page->page = PAGE;
    page->owner_case = ZHURNAL__V1__PAGE_OPENED__OWNER_CLASS_ID;
    page->class_id = CLASS;
    end(f);
}

static int set_up(void **state)
{
    static struct fixture f;
    ledger_open(&f.ledger);
    (void)ledger_open_journal(&f.ledger, &f.journal, "views");
    arena_init(&f.arena, PAGE_ARENA_LIMIT);
    name_school(&f, 0, "Школа № 2", &ledger_founder);
    open_page(&f);
    assign(&f, TEACHER, 20260901, 0);
    enrol(&f, ZHUKOV - 1, DAY);
    enrol(&f, ZHUKOV, DAY);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    arena_reset(&f->arena);
    journal_close(&f->journal, false);
    ledger_close(&f->ledger);
    return 0;
}

static void read_days(struct fixture *f, uint32_t from_day, uint32_t to_day)
{
    Zhurnal__V1__GetPageRequest request = ZHURNAL__V1__GET_PAGE_REQUEST__INIT;
    request.school = LEDGER_SCHOOL;
    request.page = PAGE;
    request.from_day = from_day;
    request.to_day = to_day;
    arena_reset(&f->arena);
    assert_int_equal(
        ledger_page(&f->ledger, &f->journal, &request, &f->arena, &f->page), STATUS_OK);
}

static void leave(struct fixture *f, uint64_t pupil, uint32_t day)
{
    struct school_draft *draft = ledger_begin(&f->ledger, day);
    Zhurnal__V1__PupilLeft *left = DRAFT_ADD(draft, pupil_left, PUPIL_LEFT);
    left->pupil = pupil;
    left->class_id = CLASS;
    end(f);
}

static size_t pupils_on(struct fixture *f, uint32_t from_day, uint32_t to_day)
{
    read_days(f, from_day, to_day);
    return f->page->n_pupils;
}

static void a_pupil_who_came_back_stands_on_the_days_before_too(void **state)
{
    struct fixture *f = *state;
    leave(f, ZHUKOV, 20261130);
    enrol(f, ZHUKOV, 20270111);
    assert_int_equal(pupils_on(f, DAY, 20261130), 2);
    assert_int_equal(pupils_on(f, 20261201, 20270110), 1);
    assert_int_equal(pupils_on(f, 20270111, 20270111), 2);
    assert_int_equal(pupils_on(f, 0, 0), 2);
    leave(f, ZHUKOV, 20270301);
    assert_int_equal(pupils_on(f, 20270302, 0), 1);
    assert_int_equal(pupils_on(f, DAY, DAY), 2);
}

static void an_enrolment_said_again_replaces_the_one_before(void **state)
{
    struct fixture *f = *state;
    enrol(f, ZHUKOV, 20261201);
    assert_int_equal(pupils_on(f, DAY, 20261130), 1);
    assert_int_equal(pupils_on(f, 20261201, 0), 2);
}

static void who_left_before_he_came_was_never_there(void **state)
{
    struct fixture *f = *state;
    leave(f, ZHUKOV, DAY - 1);
    assert_int_equal(pupils_on(f, 0, 0), 1);
}

static size_t teachers_on(struct fixture *f, uint32_t day)
{
    read_days(f, day, day);
    return f->page->n_teachers;
}

static void a_substitute_stands_on_each_of_his_days(void **state)
{
    struct fixture *f = *state;
    assign(f, TEACHER + 1, 20261201, 20261205);
    assign(f, TEACHER + 1, 20260914, 20260918); /* Said late. */
    assert_int_equal(teachers_on(f, 20261205), 2);
    assert_int_equal(teachers_on(f, 20260914), 2);
    assert_int_equal(teachers_on(f, 20261101), 1);
    for (uint32_t i = 0; i < 200; i++) {
        uint32_t month = (2027 + i / 12) * 10000 + (i % 12 + 1) * 100;
        assign(f, TEACHER + 1, month + 1, month + 5);
    }
    assert_int_equal(teachers_on(f, 20430801), 2);
    read_days(f, 0, 0);
    assert_int_equal(f->page->n_teachers, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_WITH_FIXTURE(a_pupil_who_came_back_stands_on_the_days_before_too),
        TEST_WITH_FIXTURE(an_enrolment_said_again_replaces_the_one_before),
        TEST_WITH_FIXTURE(who_left_before_he_came_was_never_there),
        TEST_WITH_FIXTURE(a_substitute_stands_on_each_of_his_days),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
