/* The judge of level 1: who may record what. */
#include "node/journal/decide.h"
#include "tests/lib/school_draft.h"
#include "tests/lib/test.h"

#include <stdlib.h>

enum { SCHOOL = 77, LEVEL = 1 };

struct fixture {
    struct school_draft draft;
    struct arena arena;
    struct decide_state known;
    Zhurnal__V1__Principal principal;
    uint64_t schools[2];
    size_t size;
    uint8_t slice[4096];
    struct verdict verdict;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    arena_init(&f->arena, 16 << 20);
    f->known.level = LEVEL;
    f->schools[0] = 70;
    f->schools[1] = SCHOOL;
    f->principal = (Zhurnal__V1__Principal)ZHURNAL__V1__PRINCIPAL__INIT;
    f->principal.kind = ZHURNAL__V1__PRINCIPAL_KIND__PRINCIPAL_KIND_FRONTEND;
    f->principal.schools = f->schools;
    f->principal.n_schools = 2;
    draft_begin(&f->draft, SCHOOL, 1795467600000, 1);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    arena_reset(&f->arena);
    free(f);
    return 0;
}

static void be(struct fixture *f, Zhurnal__V1__PrincipalKind kind)
{
    f->principal.kind = kind;
    f->principal.n_schools = 0;
}

static void judge_slice(struct fixture *f)
{
    Zhurnal__V1__Draft *draft = zhurnal__v1__draft__unpack(&f->arena.allocator, f->size, f->slice);
    assert_non_null(draft);
    f->verdict = (struct verdict){0};
    assert_int_equal(decide(&f->known, bytes_of(f->slice, f->size), draft, &f->principal, &f->arena,
                         &f->verdict),
        STATUS_OK);
}

static void judge(struct fixture *f)
{
    f->size = zhurnal__v1__draft__get_packed_size(&f->draft.draft);
    assert_true(f->size <= sizeof f->slice);
    zhurnal__v1__draft__pack(&f->draft.draft, f->slice);
    judge_slice(f);
}

static void assert_accepted(struct fixture *f, size_t events)
{
    assert_int_equal(f->verdict.outcome, VERDICT_ACCEPTED);
    assert_int_equal(f->verdict.rule, RULE_NONE);
    assert_int_equal(f->verdict.count, events);
    const struct event_verdict *verdicts = f->verdict.events;
    assert_non_null(verdicts);
    for (size_t i = 0; verdicts != NULL && i < events; i++) {
        assert_int_equal(verdicts[i].timeliness, ZHURNAL__V1__TIMELINESS__TIMELINESS_NA);
    }
}

static void assert_refused(struct fixture *f, enum rule rule, uint32_t event)
{
    assert_int_equal(f->verdict.outcome, VERDICT_REFUSED);
    assert_int_equal(f->verdict.rule, rule);
    assert_int_equal(f->verdict.event, event);
    assert_int_equal(f->verdict.count, 0);
}

static void what_is_well_formed_is_accepted(void **state)
{
    struct fixture *f = *state;
    DRAFT_ADD(&f->draft, lesson_held, LESSON_HELD);
    DRAFT_ADD(&f->draft, mark_set, MARK_SET);
    judge(f);
    assert_accepted(f, 2);
}

/* Adds an event of these bytes behind what is there. */
static void judge_with_event(struct fixture *f, const char *event, size_t size)
{
    f->size = zhurnal__v1__draft__get_packed_size(&f->draft.draft);
    zhurnal__v1__draft__pack(&f->draft.draft, f->slice);
    f->slice[f->size++] = 0x22; /* Draft.events */
    f->slice[f->size++] = (uint8_t)size;
    memcpy(f->slice + f->size, event, size);
    f->size += size;
    judge_slice(f);
}

static void an_event_without_a_kind_is_refused(void **state)
{
    struct fixture *f = *state;
    DRAFT_ADD(&f->draft, lesson_held, LESSON_HELD);
    judge_with_event(f, "", 0);
    assert_refused(f, RULE_KIND_UNKNOWN, 2);
}

static void a_kind_beyond_the_level_is_refused(void **state)
{
    struct fixture *f = *state;
    DRAFT_ADD(&f->draft, lesson_held, LESSON_HELD);
    judge_with_event(f, "\xba\x06\x00", 3); /* Field 103 is SchoolYearOpened, */
    assert_accepted(f, 2);
    judge_with_event(f, "\xb2\x06\x00", 3); /* field 102 PolicyAdopted, of a later level. */
    assert_refused(f, RULE_KIND_UNKNOWN, 2);
}

/* Decoders keep the last kind they know, and versions know different ones. */
static void an_event_of_two_kinds_is_refused(void **state)
{
    struct fixture *f = *state;
    judge_with_event(f, "\xb2\x06\x00\xba\x06\x00", 6);
    assert_refused(f, RULE_KIND_UNKNOWN, 1);
    judge_with_event(f, "\xba\x06\x00\xba\x06\x00", 6);
    assert_refused(f, RULE_KIND_UNKNOWN, 1);
}

static void a_front_end_writes_in_its_certificates_schools_only(void **state)
{
    struct fixture *f = *state;
    DRAFT_ADD(&f->draft, lesson_held, LESSON_HELD);
    judge(f);
    assert_accepted(f, 1);
    f->draft.draft.school = 78;
    judge(f);
    assert_refused(f, RULE_OUTSIDE_SCHOOLS, 0);
    f->draft.draft.school = 0;
    judge(f);
    assert_refused(f, RULE_CLUSTER_ONLY, 0);
}

static void an_operator_writes_in_no_school(void **state)
{
    struct fixture *f = *state;
    be(f, ZHURNAL__V1__PRINCIPAL_KIND__PRINCIPAL_KIND_OPERATOR);
    DRAFT_ADD(&f->draft, mark_set, MARK_SET);
    judge(f);
    assert_refused(f, RULE_OPERATOR_IN_SCHOOL, 0);
    f->draft.draft.school = 0;
    judge(f);
    assert_accepted(f, 1);
}

static void the_founder_writes_anywhere(void **state)
{
    struct fixture *f = *state;
    be(f, ZHURNAL__V1__PRINCIPAL_KIND__PRINCIPAL_KIND_FOUNDER);
    DRAFT_ADD(&f->draft, role_granted, ROLE_GRANTED);
    judge(f);
    assert_accepted(f, 1);
    f->draft.draft.school = 0;
    judge(f);
    assert_accepted(f, 1);
}

static void auditors_and_strangers_write_nothing(void **state)
{
    struct fixture *f = *state;
    DRAFT_ADD(&f->draft, lesson_held, LESSON_HELD);
    be(f, ZHURNAL__V1__PRINCIPAL_KIND__PRINCIPAL_KIND_AUDITOR);
    judge(f);
    assert_refused(f, RULE_MAY_NOT_WRITE, 0);
    be(f, ZHURNAL__V1__PRINCIPAL_KIND__PRINCIPAL_KIND_UNSPECIFIED);
    judge(f);
    assert_refused(f, RULE_MAY_NOT_WRITE, 0);
    be(f, (Zhurnal__V1__PrincipalKind)99);
    judge(f);
    assert_refused(f, RULE_MAY_NOT_WRITE, 0);
}

static void a_node_records_what_it_alone_knows_of_the_cluster(void **state)
{
    struct fixture *f = *state;
    be(f, ZHURNAL__V1__PRINCIPAL_KIND__PRINCIPAL_KIND_NODE);
    DRAFT_ADD(&f->draft, node_added, NODE_ADDED);
    judge(f);
    assert_refused(f, RULE_MAY_NOT_WRITE, 0);
    f->draft.draft.school = 0;
    judge(f);
    assert_accepted(f, 1);
    DRAFT_ADD(&f->draft, role_granted, ROLE_GRANTED);
    judge(f);
    assert_refused(f, RULE_MAY_NOT_WRITE, 2);
}

static Zhurnal__V1__FeatureLevelRaised *raise_as_operator(struct fixture *f)
{
    be(f, ZHURNAL__V1__PRINCIPAL_KIND__PRINCIPAL_KIND_OPERATOR);
    f->draft.draft.school = 0;
    Zhurnal__V1__FeatureLevelRaised *raised =
        DRAFT_ADD(&f->draft, feature_level_raised, FEATURE_LEVEL_RAISED);
    raised->level = LEVEL + 1;
    return raised;
}

static void an_operator_raises_the_level_by_one(void **state)
{
    struct fixture *f = *state;
    Zhurnal__V1__FeatureLevelRaised *raised = raise_as_operator(f);
    judge(f);
    assert_accepted(f, 1);
    raised->level = LEVEL + 2;
    judge(f);
    assert_refused(f, RULE_LEVEL_NOT_NEXT, 1);
    raised->level = LEVEL;
    judge(f);
    assert_refused(f, RULE_LEVEL_NOT_NEXT, 1);
}

static void nobody_else_raises_the_level(void **state)
{
    struct fixture *f = *state;
    raise_as_operator(f);
    be(f, ZHURNAL__V1__PRINCIPAL_KIND__PRINCIPAL_KIND_FOUNDER);
    judge(f);
    assert_refused(f, RULE_OPERATOR_ONLY, 1);
}

static void the_level_is_raised_by_an_entry_of_its_own(void **state)
{
    struct fixture *f = *state;
    raise_as_operator(f);
    raise_as_operator(f)->level = LEVEL + 2;
    judge(f);
    assert_refused(f, RULE_STANDS_ALONE, 1);
}

static void a_clock_is_reset_by_an_operator_in_school_0(void **state)
{
    struct fixture *f = *state;
    DRAFT_ADD(&f->draft, clock_reset, CLOCK_RESET);
    judge(f);
    assert_refused(f, RULE_OPERATOR_ONLY, 1);
    be(f, ZHURNAL__V1__PRINCIPAL_KIND__PRINCIPAL_KIND_OPERATOR);
    f->draft.draft.school = 0;
    judge(f);
    assert_accepted(f, 1);
}

static void an_entry_id_seen_before_is_a_duplicate_or_taken(void **state)
{
    struct fixture *f = *state;
    DRAFT_ADD(&f->draft, lesson_held, LESSON_HELD);
    f->known.first_index = 12;
    f->known.same_draft = true;
    judge(f);
    assert_int_equal(f->verdict.outcome, VERDICT_DUPLICATE);
    assert_int_equal(f->verdict.first_index, 12);
    assert_int_equal(f->verdict.count, 0);
    f->known.same_draft = false;
    judge(f);
    assert_refused(f, RULE_ENTRY_ID_TAKEN, 0);
    assert_int_equal(f->verdict.first_index, 12);
}

static void a_school_is_registered_in_school_0_by_the_founder_alone(void **state)
{
    struct fixture *f = *state;
    DRAFT_ADD(&f->draft, school_year_opened, SCHOOL_YEAR_OPENED);
    DRAFT_ADD(&f->draft, school_registered, SCHOOL_REGISTERED);
    judge(f);
    assert_refused(f, RULE_FOUNDER_ONLY, 2);
    f->draft.draft.school = 0;
    be(f, ZHURNAL__V1__PRINCIPAL_KIND__PRINCIPAL_KIND_OPERATOR);
    judge(f);
    assert_refused(f, RULE_FOUNDER_ONLY, 2);
    be(f, ZHURNAL__V1__PRINCIPAL_KIND__PRINCIPAL_KIND_FOUNDER);
    judge(f);
    assert_accepted(f, 2);
    f->draft.draft.school = SCHOOL;
    judge(f);
    assert_refused(f, RULE_WRONG_SCHOOL, 2);
}

static void who_may_not_write_is_not_told_what_stands_there(void **state)
{
    struct fixture *f = *state;
    DRAFT_ADD(&f->draft, lesson_held, LESSON_HELD);
    f->draft.draft.school = 78;
    f->known.first_index = 12;
    f->known.same_draft = true;
    judge(f);
    assert_refused(f, RULE_OUTSIDE_SCHOOLS, 0);
    assert_int_equal(f->verdict.first_index, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_WITH_FIXTURE(what_is_well_formed_is_accepted),
        TEST_WITH_FIXTURE(an_event_without_a_kind_is_refused),
        TEST_WITH_FIXTURE(a_kind_beyond_the_level_is_refused),
        TEST_WITH_FIXTURE(an_event_of_two_kinds_is_refused),
        TEST_WITH_FIXTURE(a_front_end_writes_in_its_certificates_schools_only),
        TEST_WITH_FIXTURE(an_operator_writes_in_no_school),
        TEST_WITH_FIXTURE(the_founder_writes_anywhere),
        TEST_WITH_FIXTURE(auditors_and_strangers_write_nothing),
        TEST_WITH_FIXTURE(a_node_records_what_it_alone_knows_of_the_cluster),
        TEST_WITH_FIXTURE(an_operator_raises_the_level_by_one),
        TEST_WITH_FIXTURE(nobody_else_raises_the_level),
        TEST_WITH_FIXTURE(the_level_is_raised_by_an_entry_of_its_own),
        TEST_WITH_FIXTURE(a_clock_is_reset_by_an_operator_in_school_0),
        TEST_WITH_FIXTURE(an_entry_id_seen_before_is_a_duplicate_or_taken),
        TEST_WITH_FIXTURE(a_school_is_registered_in_school_0_by_the_founder_alone),
        TEST_WITH_FIXTURE(who_may_not_write_is_not_told_what_stands_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
