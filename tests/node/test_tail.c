/* The newest entries in memory. */
#include "node/tail.h"
#include "proto/status.h"
#include "tests/lib/test.h"

static void append(struct tail *tail, uint64_t term, size_t size)
{
    const struct tail_entry entry = {
        .term = term, .kind = RECORD_COMMAND, .payload = payload_create(NULL, size)};
    assert_non_null(entry.payload);
    assert_int_equal(tail_append(tail, &entry), STATUS_OK);
}

static void an_empty_tail_ends_before_its_next_entry(void **state)
{
    (void)state;
    struct tail tail;
    tail_init(&tail, 7);
    assert_int_equal(tail_last(&tail), 6);
    assert_null(tail_find(&tail, 6));
    assert_null(tail_find(&tail, 7));
    tail_deinit(&tail);
}

static void entries_are_found_at_their_index_and_nowhere_else(void **state)
{
    (void)state;
    enum { COUNT = 1000 };
    struct tail tail;
    tail_init(&tail, 10);
    for (uint64_t i = 0; i < COUNT; i++) {
        append(&tail, 1 + i / 100, i);
    }
    assert_int_equal(tail_last(&tail), 10 + COUNT - 1);
    for (uint64_t i = 0; i < COUNT; i++) {
        const struct tail_entry *entry = tail_find(&tail, 10 + i);
        assert_non_null(entry);
        assert_int_equal(entry->term, 1 + i / 100);
        assert_int_equal(entry->payload->size, i);
    }
    assert_null(tail_find(&tail, 9));
    assert_null(tail_find(&tail, 10 + COUNT));
    tail_deinit(&tail);
}

static void truncation_drops_the_index_and_all_above_it(void **state)
{
    (void)state;
    struct tail tail;
    tail_init(&tail, 1);
    for (int i = 0; i < 5; i++) {
        append(&tail, 1, 10);
    }
    tail_truncate(&tail, 3);
    assert_int_equal(tail_last(&tail), 2);
    assert_int_equal(tail.bytes, 20);
    assert_null(tail_find(&tail, 3));
    append(&tail, 2, 1);
    assert_int_equal(tail_find(&tail, 3)->term, 2);
    tail_truncate(&tail, 9);
    assert_int_equal(tail_last(&tail), 3);
    tail_deinit(&tail);
}

static void truncation_below_the_oldest_moves_the_tail_down(void **state)
{
    (void)state;
    struct tail tail;
    tail_init(&tail, 100);
    append(&tail, 1, 1);
    tail_truncate(&tail, 40);
    assert_int_equal(tail_last(&tail), 39);
    append(&tail, 2, 1);
    assert_int_equal(tail_find(&tail, 40)->term, 2);
    tail_deinit(&tail);
}

static void trimming_keeps_within_bytes_but_never_passes_the_index(void **state)
{
    (void)state;
    struct tail tail;
    tail_init(&tail, 1);
    for (int i = 0; i < 100; i++) {
        append(&tail, 1, 10);
    }
    tail_trim(&tail, 100, 500);
    assert_int_equal(tail.bytes, 500);
    assert_null(tail_find(&tail, 50));
    assert_non_null(tail_find(&tail, 51));
    tail_trim(&tail, 60, 0);
    assert_null(tail_find(&tail, 60));
    assert_non_null(tail_find(&tail, 61));
    tail_trim(&tail, 100, 0);
    assert_int_equal(tail.count, 0);
    assert_int_equal(tail_last(&tail), 100);
    tail_deinit(&tail);
}

static void the_ring_goes_round(void **state)
{
    (void)state;
    struct tail tail;
    tail_init(&tail, 1);
    for (uint64_t i = 1; i <= 10000; i++) {
        append(&tail, i, 8);
        tail_trim(&tail, i, 64);
        assert_int_equal(tail_find(&tail, i)->term, i);
        assert_int_equal(tail_last(&tail), i);
        assert_true(tail.bytes <= 64);
    }
    assert_int_equal(tail_find(&tail, 9993)->term, 9993);
    assert_null(tail_find(&tail, 9992));
    assert_true(tail.capacity <= 64);
    tail_deinit(&tail);
}

static void a_payload_lives_as_long_as_anybody_holds_it(void **state)
{
    (void)state;
    struct tail tail;
    tail_init(&tail, 1);
    struct payload *payload = payload_create("abc", 3);
    const struct tail_entry entry = {
        .term = 1, .kind = RECORD_COMMAND, .payload = payload_ref(payload)};
    assert_int_equal(tail_append(&tail, &entry), STATUS_OK);
    tail_restart(&tail, 50);
    assert_int_equal(tail_last(&tail), 49);
    assert_int_equal(payload->refs, 1);
    assert_memory_equal(payload_bytes(payload).data, "abc", 3);
    payload_unref(payload);
    payload_unref(NULL);
    tail_deinit(&tail);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_tail_ends_before_its_next_entry),
        cmocka_unit_test(entries_are_found_at_their_index_and_nowhere_else),
        cmocka_unit_test(truncation_drops_the_index_and_all_above_it),
        cmocka_unit_test(truncation_below_the_oldest_moves_the_tail_down),
        cmocka_unit_test(trimming_keeps_within_bytes_but_never_passes_the_index),
        cmocka_unit_test(the_ring_goes_round),
        cmocka_unit_test(a_payload_lives_as_long_as_anybody_holds_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
