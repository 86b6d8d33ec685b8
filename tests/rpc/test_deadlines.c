/* Many points in time on one timer. */
#include "rpc/deadlines.h"
#include "tests/lib/random.h"
#include "tests/lib/test.h"

#include <assert.h>
#include <string.h>

enum { COUNT = 500, SPAN_MS = 60 };

struct fixture {
    uv_loop_t loop;
    struct deadlines deadlines;
    struct deadline all[COUNT];
    unsigned passed;
    uint64_t last_ms;
    bool early, unordered, closed;
    struct deadline *again; /* To be set anew as it passes. */
};

static void on_passed(struct deadlines *deadlines, struct deadline *deadline)
{
    struct fixture *f = deadlines->user;
    uint64_t now = uv_now(&f->loop);
    f->passed++;
    f->early = f->early || now < deadline->at_ms;
    f->unordered = f->unordered || deadline->at_ms < f->last_ms;
    f->last_ms = deadline->at_ms;
    assert(deadline->place == 0);
    if (deadline == f->again) {
        f->again = NULL;
        assert(deadlines_add(deadlines, deadline, now + 1));
    }
}

static int set_up(void **state)
{
    static struct fixture f;
    f = (struct fixture){0};
    assert_int_equal(uv_loop_init(&f.loop), 0);
    deadlines_start(&f.deadlines, &f.loop, on_passed, &f);
    *state = &f;
    return 0;
}

static void on_closed(struct deadlines *deadlines)
{
    ((struct fixture *)deadlines->user)->closed = true;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    deadlines_stop(&f->deadlines, on_closed);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_true(f->closed);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    return 0;
}

/* Until none is left: the timer then keeps the loop no more. */
static void run(struct fixture *f)
{
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(f->deadlines.count, 0);
    assert_false(f->early);
}

static void add_all(struct fixture *f, struct random_stream *random)
{
    uint64_t now = uv_now(&f->loop);
    for (size_t i = 0; i < COUNT; i++) {
        assert_true(deadlines_add(&f->deadlines, &f->all[i], now + random_below(random, SPAN_MS)));
    }
}

static void each_passes_once_and_in_order(void **state)
{
    struct fixture *f = *state;
    struct random_stream random = {.state = 1};
    add_all(f, &random);
    run(f);
    assert_int_equal(f->passed, COUNT);
    assert_false(f->unordered);
}

static void what_was_taken_out_does_not_pass(void **state)
{
    struct fixture *f = *state;
    struct random_stream random = {.state = 2};
    add_all(f, &random);
    unsigned left = COUNT;
    for (size_t i = 0; i < COUNT; i++) {
        if (random_below(&random, 3) > 0) {
            deadlines_remove(&f->deadlines, &f->all[i]);
            deadlines_remove(&f->deadlines, &f->all[i]);
            left--;
        }
    }
    assert_int_equal(f->deadlines.count, left);
    run(f);
    assert_int_equal(f->passed, left);
    assert_false(f->unordered);
}

static void an_earlier_one_does_not_wait_for_a_later(void **state)
{
    struct fixture *f = *state;
    uint64_t now = uv_now(&f->loop);
    assert_true(deadlines_add(&f->deadlines, &f->all[0], now + 1000000));
    assert_true(deadlines_add(&f->deadlines, &f->all[1], now + 2));
    while (f->passed == 0) {
        uv_run(&f->loop, UV_RUN_ONCE);
    }
    assert_int_equal(f->all[1].place, 0);
    assert_int_equal(f->all[0].place, 1);
    deadlines_remove(&f->deadlines, &f->all[0]);
    run(f);
    assert_int_equal(f->passed, 1);
}

static void one_may_be_set_anew_as_it_passes(void **state)
{
    struct fixture *f = *state;
    f->again = &f->all[0];
    assert_true(deadlines_add(&f->deadlines, &f->all[0], uv_now(&f->loop)));
    run(f);
    assert_int_equal(f->passed, 2);
}

static void who_stops_forgets_them(void **state)
{
    struct fixture *f = *state;
    struct random_stream random = {.state = 3};
    add_all(f, &random);
    deadlines_stop(&f->deadlines, on_closed);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(f->passed, 0);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(f->all[i].place, 0);
    }
    deadlines_start(&f->deadlines, &f->loop, on_passed, f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_WITH_FIXTURE(each_passes_once_and_in_order),
        TEST_WITH_FIXTURE(what_was_taken_out_does_not_pass),
        TEST_WITH_FIXTURE(an_earlier_one_does_not_wait_for_a_later),
        TEST_WITH_FIXTURE(one_may_be_set_anew_as_it_passes),
        TEST_WITH_FIXTURE(who_stops_forgets_them),
    };
    return cmocka_run_group_tests_name("rpc/deadlines", tests, NULL, NULL);
}
