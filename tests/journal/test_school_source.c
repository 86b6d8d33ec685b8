/* The lifelike school as a source: the same bytes for a seed, and no id twice. */
#include "proto/hex.h"
#include "proto/sha256.h"
#include "tests/lib/school.h"
#include "tests/lib/test.h"
#include <zhurnal/v1/journal.pb-c.h>

#include <stdlib.h>
#include <string.h>

enum { ENTRIES = 20000, IDS_MAX = 2 * ENTRIES };

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

/* Of a set-up and some days. Whoever changes the school changes it, on purpose; a compiler or a
 * machine must not. */
static void the_bytes_are_the_same_everywhere(void **state)
{
    (void)state;
    struct school *school = make(11, 1, 12, 20261123);
    struct school_entry entry;
    struct sha256 sha;
    uint8_t digest[SHA256_SIZE];
    char text[2 * SHA256_SIZE + 1];
    sha256_init(&sha);
    for (unsigned i = 0; i < 2000; i++) {
        school_next(school, &entry);
        sha256_update(&sha, entry.request.data, entry.request.size);
    }
    sha256_final(&sha, digest);
    assert_string_equal(hex_encode(digest, sizeof digest, text),
        "ce462d43bedfcaa7fe91b6d1cd9358ee7ebf45d7647145a909424a2e8e2e3c64");
    school_destroy(school);
}

static void another_seed_gives_other_bytes(void **state)
{
    (void)state;
    assert_false(same_bytes(11, 12));
}

/* ---- ids: those of entries, and those of things, which are shorter ---- */

struct ids {
    uint8_t list[IDS_MAX][SCHOOL_ENTRY_ID_SIZE];
    size_t count;
};

static void add_id(struct ids *ids, const void *id, size_t size)
{
    assert_true(ids->count < IDS_MAX && size <= SCHOOL_ENTRY_ID_SIZE);
    memcpy(ids->list[ids->count++], id, size);
}

/* Of what an entry brings into the world. */
static void add_things(struct ids *ids, const struct school_entry *entry)
{
    Zhurnal__V1__AppendRequest *request =
        zhurnal__v1__append_request__unpack(NULL, entry->request.size, entry->request.data);
    assert_non_null(request);
    for (size_t i = 0; i < request->draft->n_events; i++) {
        const Zhurnal__V1__Event *event = request->draft->events[i];
        if (event->kind_case == ZHURNAL__V1__EVENT__KIND_LESSON_HELD) {
            add_id(ids, &event->lesson_held->lesson, sizeof event->lesson_held->lesson);
        } else if (event->kind_case == ZHURNAL__V1__EVENT__KIND_WORK_SET) {
            add_id(ids, &event->work_set->work, sizeof event->work_set->work);
        }
    }
    zhurnal__v1__append_request__free_unpacked(request, NULL);
}

static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, SCHOOL_ENTRY_ID_SIZE);
}

static void check_no_id_twice(struct ids *ids)
{
    qsort(ids->list, ids->count, SCHOOL_ENTRY_ID_SIZE, compare_ids);
    for (size_t i = 1; i < ids->count; i++) {
        assert_memory_not_equal(ids->list[i - 1], ids->list[i], SCHOOL_ENTRY_ID_SIZE);
    }
}

/* From May on, so that the next school year begins on the way. */
static void the_largest_school_goes_on_for_ever_with_no_id_twice(void **state)
{
    (void)state;
    static struct ids ids;
    struct school *school = make(3, SCHOOL_PARALLELS_MAX, SCHOOL_FILL_MAX, 20270512);
    struct school_entry entry;
    for (unsigned i = 0; i < ENTRIES; i++) {
        school_next(school, &entry);
        assert_true(entry.events > 0);
        add_id(&ids, entry.entry_id, sizeof entry.entry_id);
    }
    assert_true(school_today(school) >= 20270901);
    check_no_id_twice(&ids);
    school_destroy(school);
}

/* ---- a day by itself, as the demo writes it ---- */

static void add_day(struct ids *ids, uint32_t day)
{
    struct school *school = make(7, 2, 24, day);
    struct school_entry entry;
    while (school_set_up_next(school, &entry)) {
    }
    school_day_begin(school, day);
    while (school_day_next(school, &entry)) {
        add_id(ids, entry.entry_id, sizeof entry.entry_id);
        add_things(ids, &entry);
    }
    school_destroy(school);
}

static void two_days_of_one_seed_share_no_id(void **state)
{
    (void)state;
    static struct ids ids;
    add_day(&ids, 20261123);
    add_day(&ids, 20261124);
    assert_true(ids.count > 500);
    check_no_id_twice(&ids);
}

static void the_set_up_is_the_same_all_year(void **state)
{
    (void)state;
    struct school *a = make(7, 2, 24, 20260901);
    struct school *b = make(7, 2, 24, 20270526);
    struct school_entry of_a;
    struct school_entry of_b;
    while (school_set_up_next(a, &of_a)) {
        assert_true(school_set_up_next(b, &of_b));
        assert_true(bytes_equal(of_a.request, of_b.request));
    }
    assert_false(school_set_up_next(b, &of_b));
    school_destroy(a);
    school_destroy(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_gives_the_same_bytes),
        cmocka_unit_test(the_bytes_are_the_same_everywhere),
        cmocka_unit_test(another_seed_gives_other_bytes),
        cmocka_unit_test(the_largest_school_goes_on_for_ever_with_no_id_twice),
        cmocka_unit_test(two_days_of_one_seed_share_no_id),
        cmocka_unit_test(the_set_up_is_the_same_all_year),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
