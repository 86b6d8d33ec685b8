/* Who may read what. */
#include "node/access.h"
#include "tests/lib/test.h"

#include <string.h>

static const struct identity frontend = {
    .kind = IDENTITY_FRONTEND, .name = "portal", .schools = {77, 78}, .school_count = 2};
static const uint64_t ours[] = {78, 77};
static const uint64_t not_all_ours[] = {77, 79};

static int read_as(
    const struct identity *identity, uint64_t person, const uint64_t *schools, size_t count)
{
    struct error err = {0};
    Zhurnal__V1__Actor actor = ZHURNAL__V1__ACTOR__INIT;
    actor.person = person;
    int status = access_read_schools(identity, person > 0 ? &actor : NULL, schools, count, &err);
    assert_int_equal(err.status, status);
    assert_true((err.text[0] != 0) == (status != STATUS_OK));
    return status;
}

static void an_auditor_reads_everything_for_nobody(void **state)
{
    (void)state;
    const struct identity auditor = {.kind = IDENTITY_AUDITOR, .name = "a"};
    assert_int_equal(read_as(&auditor, 0, NULL, 0), STATUS_OK);
    assert_int_equal(read_as(&auditor, 0, not_all_ours, 2), STATUS_OK);
}

static void a_front_end_reads_its_schools_for_a_person(void **state)
{
    (void)state;
    assert_int_equal(read_as(&frontend, 7, ours, 2), STATUS_OK);
    assert_int_equal(read_as(&frontend, 7, ours, 1), STATUS_OK);
}

static void a_front_end_reads_no_other_school_and_not_all(void **state)
{
    (void)state;
    assert_int_equal(read_as(&frontend, 7, not_all_ours, 2), STATUS_DENIED);
    assert_int_equal(read_as(&frontend, 7, NULL, 0), STATUS_DENIED);
}

static void a_front_end_says_for_whom_it_reads(void **state)
{
    (void)state;
    Zhurnal__V1__Actor nobody = ZHURNAL__V1__ACTOR__INIT;
    struct error err = {0};
    assert_int_equal(read_as(&frontend, 0, ours, 1), STATUS_INVALID);
    assert_int_equal(access_read_schools(&frontend, &nobody, ours, 1, &err), STATUS_INVALID);
}

static void nobody_else_reads_personal_data(void **state)
{
    (void)state;
    static const enum identity_kind kinds[] = {IDENTITY_NODE, IDENTITY_OPERATOR, IDENTITY_FOUNDER};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        /* Schools in a certificate that should have none change nothing. */
        const struct identity other = {
            .kind = kinds[i], .name = "x", .schools = {77}, .school_count = 1};
        assert_int_equal(read_as(&other, 7, ours + 1, 1), STATUS_DENIED);
    }
    assert_int_equal(read_as(NULL, 7, ours, 1), STATUS_UNAUTHENTICATED);
}

static void a_write_is_recorded_as_its_certificate_says(void **state)
{
    (void)state;
    struct identity identity = frontend;
    memset(identity.certificate_sha256, 0x5c, sizeof identity.certificate_sha256);
    const Zhurnal__V1__Principal principal = access_principal(&identity);
    assert_int_equal(principal.kind, ZHURNAL__V1__PRINCIPAL_KIND__PRINCIPAL_KIND_FRONTEND);
    assert_string_equal(principal.name, "portal");
    assert_int_equal(principal.n_schools, 2);
    assert_int_equal(principal.schools[1], 78);
    assert_int_equal(principal.certificate_sha256.len, SHA256_SIZE);
    assert_memory_equal(
        principal.certificate_sha256.data, identity.certificate_sha256, SHA256_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_auditor_reads_everything_for_nobody),
        cmocka_unit_test(a_front_end_reads_its_schools_for_a_person),
        cmocka_unit_test(a_front_end_reads_no_other_school_and_not_all),
        cmocka_unit_test(a_front_end_says_for_whom_it_reads),
        cmocka_unit_test(nobody_else_reads_personal_data),
        cmocka_unit_test(a_write_is_recorded_as_its_certificate_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
