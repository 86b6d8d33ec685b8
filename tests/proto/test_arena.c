/* Memory of one call. */
#include "proto/arena.h"
#include "tests/lib/test.h"

#include <stdalign.h>
#include <string.h>

enum { LIMIT = 100000, BIG = 40000 };

static void what_it_gives_is_zeroed_aligned_and_apart(void **state)
{
    struct arena arena;
    uint8_t *before = NULL;
    (void)state;
    arena_init(&arena, LIMIT);
    for (size_t size = 1; size < 200; size++) {
        uint8_t *p = arena_alloc(&arena, size);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++) {
            assert_int_equal(p[i], 0);
        }
        memset(p, 0xff, size);
        assert_true(before == NULL || before[0] == 0xff);
        before = p;
    }
    arena_reset(&arena);
}

static void its_limit_is_not_passed_whatever_the_sizes(void **state)
{
    struct arena arena;
    (void)state;
    arena_init(&arena, LIMIT);
    assert_null(arena_alloc(&arena, LIMIT + 1));
    assert_null(arena_alloc(&arena, SIZE_MAX));
    assert_non_null(arena_alloc(&arena, LIMIT));
    assert_null(arena_alloc(&arena, 1));
    arena_reset(&arena);
    size_t taken = 0;
    while (arena_alloc(&arena, 1000) != NULL) {
        taken += 1000;
    }
    assert_true(taken <= LIMIT && taken > LIMIT - 2000);
    arena_reset(&arena);
}

static void more_than_a_block_has_one_of_its_own(void **state)
{
    struct arena arena;
    (void)state;
    arena_init(&arena, LIMIT);
    uint8_t *small = arena_alloc(&arena, 10);
    uint8_t *large = arena_alloc(&arena, BIG);
    assert_non_null(small);
    assert_non_null(large);
    memset(large, 1, BIG);
    assert_int_equal(small[0], 0);
    arena_reset(&arena);
}

static void after_a_reset_there_is_all_of_it_again(void **state)
{
    struct arena arena;
    (void)state;
    arena_init(&arena, LIMIT);
    for (int i = 0; i < 3; i++) {
        uint8_t *p = arena_alloc(&arena, LIMIT);
        assert_non_null(p);
        assert_int_equal(p[LIMIT - 1], 0);
        memset(p, 0xff, LIMIT);
        assert_int_equal(arena.used, LIMIT);
        arena_reset(&arena);
        assert_int_equal(arena.used, 0);
    }
}

static void a_copy_ends_with_a_nul(void **state)
{
    struct arena arena;
    (void)state;
    arena_init(&arena, LIMIT);
    assert_string_equal(arena_copy(&arena, "journal", 4), "jour");
    assert_string_equal(arena_copy(&arena, NULL, 0), "");
    arena_reset(&arena);
}

static void protobuf_takes_from_it_and_gives_nothing_back(void **state)
{
    struct arena arena;
    (void)state;
    arena_init(&arena, LIMIT);
    void *p = arena.allocator.alloc(arena.allocator.allocator_data, 64);
    assert_non_null(p);
    arena.allocator.free(arena.allocator.allocator_data, p);
    assert_int_equal(arena.used, 64);
    arena_reset(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_gives_is_zeroed_aligned_and_apart),
        cmocka_unit_test(its_limit_is_not_passed_whatever_the_sizes),
        cmocka_unit_test(more_than_a_block_has_one_of_its_own),
        cmocka_unit_test(after_a_reset_there_is_all_of_it_again),
        cmocka_unit_test(a_copy_ends_with_a_nul),
        cmocka_unit_test(protobuf_takes_from_it_and_gives_nothing_back),
    };
    return cmocka_run_group_tests_name("proto/arena", tests, NULL, NULL);
}
