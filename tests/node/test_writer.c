/* The writer's thread: batches in order, a full disk held, any other failure final. */
#include "node/writer.h"
#include "tests/lib/test.h"
#include "tests/lib/tmpdir.h"

#include <stdlib.h>
#include <string.h>

enum { MAP = 128 << 20, GROUP = 1, WRITES = 200 };

struct fixture {
    struct tmpdir dir;
    struct env env;
    struct log log;
    uv_loop_t loop;
    uv_timer_t timer; /* Ends a test that waits in vain. */
    struct writer *writer;
    struct driver_write writes[WRITES];
    struct record records[WRITES];
    uint64_t written;
    unsigned fulls, rooms;
    int full, failed;
    int fault; /* What commits fail with. */
    bool late, closed;
};

static int fault(void *arg, enum env_op op)
{
    struct fixture *f = arg;
    return op == ENV_OP_COMMIT ? f->fault : STATUS_OK;
}

static void on_done(void *arg, struct driver_write *write)
{
    struct fixture *f = arg;
    f->written += write == &f->writes[f->written];
}

static void on_full(void *arg, int status)
{
    struct fixture *f = arg;
    f->full = status;
    f->fulls += status != STATUS_OK;
    f->rooms += status == STATUS_OK;
}

static void on_failed(void *arg, int status)
{
    ((struct fixture *)arg)->failed = status;
}

static const struct writer_hooks hooks = {.done = on_done, .full = on_full, .failed = on_failed};

static void on_timer(uv_timer_t *timer)
{
    ((struct fixture *)timer->data)->late = true;
}

static int set_up(void **state)
{
    static struct fixture f;
    struct error err;
    f = (struct fixture){0};
    tmpdir_make(&f.dir);
    struct env_options options = log_env_options(MAP);
    options.sync = false;
    options.fault = fault;
    options.fault_arg = &f;
    assert_int_equal(env_open(&f.env, tmpdir_path(&f.dir, "log"), &options, &err), STATUS_OK);
    assert_int_equal(log_open(&f.log, &f.env, GROUP, &err), STATUS_OK);
    assert_int_equal(uv_loop_init(&f.loop), 0);
    uv_timer_init(&f.loop, &f.timer);
    f.timer.data = &f;
    uv_timer_start(&f.timer, on_timer, 20000, 0);
    *state = &f;
    return 0;
}

static void on_closed(void *arg)
{
    ((struct fixture *)arg)->closed = true;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    writer_stop(f->writer, on_closed, f);
    uv_close((uv_handle_t *)&f->timer, NULL);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_true(f->closed);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    env_close(&f->env);
    tmpdir_remove(&f->dir);
    return 0;
}

static void give(struct fixture *f, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        f->records[i] = (struct record){
            .index = i + 1, .term = 1, .kind = RECORD_BARRIER, .payload = bytes_of("12345678", 8)};
        f->writes[i] = (struct driver_write){
            .change = {.records = &f->records[i], .count = 1}, .first = i + 1, .last = i + 1};
        writer_give(f->writer, &f->writes[i]);
    }
}

static void run_until(struct fixture *f, const uint64_t *counter, uint64_t value)
{
    while (*counter < value && !f->late && f->failed == STATUS_OK) {
        uv_run(&f->loop, UV_RUN_ONCE);
    }
    assert_false(f->late);
}

static uint64_t last_index(struct fixture *f)
{
    struct txn txn;
    txn_begin_read(&txn, &f->env);
    uint64_t last = log_bounds(&txn, &f->log).last_index;
    txn_abort(&txn);
    return last;
}

static void what_is_given_is_written_in_order(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(writer_start(&f->writer, &f->loop, &f->log, NULL, &hooks, f), STATUS_OK);
    give(f, 0, WRITES / 2);
    assert_false(writer_is_idle(f->writer));
    run_until(f, &f->written, WRITES / 2);
    give(f, WRITES / 2, WRITES);
    run_until(f, &f->written, WRITES);
    assert_true(writer_is_idle(f->writer));
    assert_int_equal(last_index(f), WRITES);
    assert_int_equal(f->fulls, 0);
}

static void assert_final(struct fixture *f)
{
    assert_int_equal(writer_start(&f->writer, &f->loop, &f->log, NULL, &hooks, f), STATUS_OK);
    give(f, 0, 1);
    uint64_t never = 0;
    run_until(f, &never, 1);
    assert_int_equal(f->failed, STATUS_IO);
    assert_int_equal(f->written, 0);
    assert_int_equal(f->fulls, 0);
}

static void any_other_failure_is_final(void **state)
{
    struct fixture *f = *state;
    f->fault = STATUS_IO;
    assert_final(f);
}

/* What a failed flush has lost, a second one would not miss. */
static void a_disk_that_is_full_in_the_middle_of_a_commit_is_final(void **state)
{
    struct fixture *f = *state;
    f->fault = STATUS_FULL;
    assert_final(f);
}

/* Nothing of it was written, and a larger map takes it. */
static void a_full_map_holds_what_it_was_given_and_says_so(void **state)
{
    enum { SMALL = 1 << 20 };
    struct fixture *f = *state;
    static const uint8_t payload[SMALL];
    struct env_options options = log_env_options(SMALL);
    struct error err;
    options.sync = false;
    env_close(&f->env);
    assert_int_equal(env_open(&f->env, tmpdir_path(&f->dir, "log"), &options, &err), STATUS_OK);
    assert_int_equal(log_open(&f->log, &f->env, GROUP, &err), STATUS_OK);
    assert_int_equal(writer_start(&f->writer, &f->loop, &f->log, NULL, &hooks, f), STATUS_OK);
    give(f, 0, 1);
    run_until(f, &f->written, 1);
    f->records[1] = (struct record){.index = 2,
        .term = 1,
        .kind = RECORD_COMMAND,
        .payload = bytes_of(payload, sizeof payload)};
    f->writes[1] = (struct driver_write){
        .change = {.records = &f->records[1], .count = 1}, .first = 2, .last = 2};
    writer_give(f->writer, &f->writes[1]);
    while (f->fulls == 0 && !f->late && f->failed == STATUS_OK) {
        uv_run(&f->loop, UV_RUN_ONCE);
    }
    assert_int_equal(f->full, STATUS_MAP_FULL);
    assert_int_equal(f->failed, STATUS_OK);
    assert_int_equal(last_index(f), 1);
}

static void stopping_with_work_left_gives_it_to_nobody(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(writer_start(&f->writer, &f->loop, &f->log, NULL, &hooks, f), STATUS_OK);
    give(f, 0, WRITES);
}

/* The reserve keeps half of itself ahead of a transaction; a record of 2,100 bytes takes a page. */
static void one_transaction_needs_no_more_room_than_is_kept(void **state)
{
    enum { COUNT = 20000, SIZE = 2100 };
    struct fixture *f = *state;
    static const uint8_t payload[SIZE];
    struct record *records = calloc(COUNT, sizeof *records);
    struct driver_write *writes = calloc(COUNT, sizeof *writes);
    assert_true(records != NULL && writes != NULL);
    for (size_t i = 0; i < COUNT; i++) {
        records[i] = (struct record){.index = i + 1,
            .term = 1,
            .kind = RECORD_BARRIER,
            .payload = bytes_of(payload, sizeof payload)};
        writes[i].change = (struct log_write){.records = &records[i], .count = 1};
        writes[i].next = i + 1 < COUNT ? &writes[i + 1] : NULL;
    }
    struct driver_write *rest = writes;
    unsigned transactions = 0;
    while (rest != NULL) {
        uint64_t used = env_used(&f->env);
        assert_int_equal(writer_execute(&f->log, NULL, rest, &rest), STATUS_OK);
        assert_true(env_used(&f->env) - used <= RESERVE_AHEAD / 2);
        transactions++;
    }
    assert_true(transactions > 1);
    assert_int_equal(last_index(f), COUNT);
    free(records);
    free(writes);
    assert_int_equal(writer_start(&f->writer, &f->loop, &f->log, NULL, &hooks, f), STATUS_OK);
}

static void a_full_disk_holds_what_it_was_given_and_goes_on_when_there_is_room(void **state)
{
    static const uint64_t more_than_any_disk = (uint64_t)1 << 60;
    struct fixture *f = *state;
    struct reserve reserve;
    assert_int_equal(
        reserve_open(&reserve, tmpdir_path(&f->dir, "log/data.mdb"), more_than_any_disk, NULL),
        STATUS_OK);
    assert_int_equal(writer_start(&f->writer, &f->loop, &f->log, &reserve, &hooks, f), STATUS_OK);
    give(f, 0, WRITES / 2);
    while (f->fulls == 0 && !f->late) {
        uv_run(&f->loop, UV_RUN_ONCE);
    }
    assert_false(f->late);
    assert_int_equal(f->written, 0);
    reserve.ahead = 1 << 20;
    give(f, WRITES / 2, WRITES);
    run_until(f, &f->written, WRITES);
    assert_int_equal(f->failed, STATUS_OK);
    assert_int_equal(last_index(f), WRITES);
    while (f->rooms == 0 && !f->late) {
        uv_run(&f->loop, UV_RUN_ONCE);
    }
    assert_int_equal(f->fulls, 1);
    reserve_close(&reserve);
}

static void one_transaction_takes_no_more_than_it_may(void **state)
{
    struct fixture *f = *state;
    static const uint8_t big[WRITER_TRANSACTION_MAX / 2 + 1];
    struct record records[2];
    struct driver_write writes[2];
    memset(writes, 0, sizeof writes);
    struct driver_write *rest;
    for (unsigned i = 0; i < 2; i++) {
        records[i] = (struct record){.index = i + 1,
            .term = 1,
            .kind = RECORD_COMMAND,
            .payload = bytes_of(big, sizeof big)};
        writes[i].change = (struct log_write){.records = &records[i], .count = 1};
    }
    writes[0].next = &writes[1];
    assert_int_equal(writer_execute(&f->log, NULL, writes, &rest), STATUS_OK);
    assert_ptr_equal(rest, &writes[1]);
    assert_int_equal(last_index(f), 1);
    assert_int_equal(writer_execute(&f->log, NULL, rest, &rest), STATUS_OK);
    assert_null(rest);
    assert_int_equal(last_index(f), 2);
    assert_int_equal(writer_start(&f->writer, &f->loop, &f->log, NULL, &hooks, f), STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_WITH_FIXTURE(what_is_given_is_written_in_order),
        TEST_WITH_FIXTURE(any_other_failure_is_final),
        TEST_WITH_FIXTURE(a_disk_that_is_full_in_the_middle_of_a_commit_is_final),
        TEST_WITH_FIXTURE(a_full_map_holds_what_it_was_given_and_says_so),
        TEST_WITH_FIXTURE(stopping_with_work_left_gives_it_to_nobody),
        TEST_WITH_FIXTURE(one_transaction_takes_no_more_than_it_may),
        TEST_WITH_FIXTURE(one_transaction_needs_no_more_room_than_is_kept),
        TEST_WITH_FIXTURE(a_full_disk_holds_what_it_was_given_and_goes_on_when_there_is_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
