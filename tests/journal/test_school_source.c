/* The lifelike school as a source: the same bytes for a seed, and no entry id twice. */
#include "tests/lib/school.h"
#include "tests/lib/test.h"

#include <stdlib.h>

enum { ENTRIES = 20000 };

static struct school *make(uint64_t seed, unsigned parallels, unsigned fill, uint32_t day)
{
    const struct school_options options = {
        .seed = seed, .parallels = parallels, .fill = fill, .day = day, .utc_offset_minutes = 180};
    struct school *school = school_create(&options);
    assert_non_null(school);
    return school;
}

static bool same_bytes(uint64_t seed_a, uint64_t seed_b)
{
    struct school *a = make(seed_a, 1, 12, 20261123);
    struct school *b = make(seed_b, 1, 12, 20261123);
    struct school_entry of_a;
    struct school_entry of_b;
    bool same = true;
    for (unsigned i = 0; i < ENTRIES && same; i++) {
        school_next(a, &of_a);
        school_next(b, &of_b);
        same = bytes_equal(of_a.request, of_b.request);
    }
    school_destroy(a);
    school_destroy(b);
    return same;
}

static void the_same_seed_gives_the_same_bytes(void **state)
{
    (void)state;
    assert_true(same_bytes(11, 11));
}

static void another_seed_gives_other_bytes(void **state)
{
    (void)state;
    assert_false(same_bytes(11, 12));
}

static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, SCHOOL_ENTRY_ID_SIZE);
}

/* From May on, so that the next school year begins on the way. */
static void the_largest_school_goes_on_for_ever_with_no_id_twice(void **state)
{
    (void)state;
    static uint8_t ids[ENTRIES][SCHOOL_ENTRY_ID_SIZE];
    struct school *school = make(3, SCHOOL_PARALLELS_MAX, SCHOOL_FILL_MAX, 20270512);
    struct school_entry entry;
    for (unsigned i = 0; i < ENTRIES; i++) {
        school_next(school, &entry);
        assert_true(entry.events > 0);
        memcpy(ids[i], entry.entry_id, SCHOOL_ENTRY_ID_SIZE);
    }
    assert_true(school_today(school) >= 20270901);
    qsort(ids, ENTRIES, SCHOOL_ENTRY_ID_SIZE, compare_ids);
    for (unsigned i = 1; i < ENTRIES; i++) {
        assert_memory_not_equal(ids[i - 1], ids[i], SCHOOL_ENTRY_ID_SIZE);
    }
    school_destroy(school);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_gives_the_same_bytes),
        cmocka_unit_test(another_seed_gives_other_bytes),
        cmocka_unit_test(the_largest_school_goes_on_for_ever_with_no_id_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
