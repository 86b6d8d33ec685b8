/* The LMDB environment: transactions that remember their first failure. */
#include "storage/env.h"
#include "tests/lib/fault.h"
#include "tests/lib/test.h"
#include "tests/lib/tmpdir.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
    struct tmpdir dir;
    struct fault fault;
    struct env env;
    struct table table;
    struct table other;
};

static struct env_options options_of(struct fixture *f)
{
    return (struct env_options){
        .map_size = 1 << 20,
        .tables_max = 2,
        .fault = fault_on_env_op,
        .fault_arg = &f->fault,
    };
}

static int set_up(void **state)
{
    static struct fixture f;
    f = (struct fixture){0};
    tmpdir_make(&f.dir);
    struct env_options options = options_of(&f);
    assert_int_equal(env_open(&f.env, f.dir.path, &options, NULL), STATUS_OK);
    assert_int_equal(env_table(&f.env, "table", &f.table, NULL), STATUS_OK);
    assert_int_equal(env_table(&f.env, "other", &f.other, NULL), STATUS_OK);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    env_close(&f->env);
    env_close(&f->env);
    tmpdir_remove(&f->dir);
    return 0;
}

static struct bytes text(const char *s)
{
    return bytes_of(s, strlen(s));
}

static void put(struct fixture *f, const char *key, const char *value)
{
    struct txn txn;
    txn_begin_write(&txn, &f->env);
    txn_put(&txn, f->table, text(key), text(value));
    assert_int_equal(txn_commit(&txn), STATUS_OK);
}

static bool holds(struct fixture *f, const char *key, const char *expected)
{
    struct txn txn;
    struct bytes value;
    txn_begin_read(&txn, &f->env);
    bool found = txn_get(&txn, f->table, text(key), &value) && bytes_equal(value, text(expected));
    txn_abort(&txn);
    return found;
}

static void what_is_committed_is_read_and_what_is_aborted_is_not(void **state)
{
    struct fixture *f = *state;
    struct txn txn;
    put(f, "a", "1");
    txn_begin_write(&txn, &f->env);
    txn_put(&txn, f->table, text("a"), text("2"));
    txn_insert(&txn, f->table, text("b"), text("2"));
    txn_abort(&txn);
    assert_true(holds(f, "a", "1"));
    assert_false(holds(f, "b", "2"));
    put(f, "a", "3");
    assert_true(holds(f, "a", "3"));
}

static void a_reader_keeps_what_it_began_with(void **state)
{
    struct fixture *f = *state;
    struct txn reader;
    struct bytes value;
    put(f, "a", "1");
    txn_begin_read(&reader, &f->env);
    put(f, "a", "2");
    assert_true(txn_get(&reader, f->table, text("a"), &value));
    assert_true(bytes_equal(value, text("1")));
    txn_abort(&reader);
}

static void after_the_first_failure_nothing_more_is_done(void **state)
{
    struct fixture *f = *state;
    struct txn txn;
    struct bytes value;
    put(f, "a", "1");
    txn_begin_write(&txn, &f->env);
    txn_fail(&txn, STATUS_CORRUPT);
    txn_fail(&txn, STATUS_IO);
    f->fault = (struct fault){.repeat = 9};
    txn_put(&txn, f->table, text("a"), text("2"));
    txn_delete(&txn, f->table, text("a"));
    txn_clear(&txn, f->table);
    assert_null(txn_append_room(&txn, f->table, text("z"), 1));
    assert_false(txn_get(&txn, f->table, text("a"), &value));
    assert_int_equal(txn_count(&txn, f->table), 0);
    assert_int_equal(txn_commit(&txn), STATUS_CORRUPT);
    assert_int_equal(f->fault.hits, 0);
    f->fault = (struct fault){0};
    assert_true(holds(f, "a", "1"));
}

static void a_taken_key_is_not_inserted_again(void **state)
{
    struct fixture *f = *state;
    struct txn txn;
    put(f, "a", "1");
    txn_begin_write(&txn, &f->env);
    txn_insert(&txn, f->table, text("a"), text("2"));
    assert_int_equal(txn_commit(&txn), STATUS_EXISTS);
    assert_true(holds(f, "a", "1"));
}

static void appending_out_of_order_is_refused(void **state)
{
    struct fixture *f = *state;
    struct txn txn;
    put(f, "b", "1");
    txn_begin_write(&txn, &f->env);
    txn_append(&txn, f->table, text("a"), text("2"));
    assert_int_equal(txn_commit(&txn), STATUS_EXISTS);
    txn_begin_write(&txn, &f->env);
    uint8_t *room = txn_append_room(&txn, f->table, text("c"), 1);
    assert_non_null(room);
    *room = '3';
    assert_int_equal(txn_commit(&txn), STATUS_OK);
    assert_true(holds(f, "c", "3"));
}

static void deleting_what_is_not_there_is_no_failure(void **state)
{
    struct fixture *f = *state;
    struct txn txn;
    put(f, "a", "1");
    txn_begin_write(&txn, &f->env);
    txn_delete(&txn, f->table, text("x"));
    txn_delete(&txn, f->table, text("a"));
    assert_int_equal(txn_commit(&txn), STATUS_OK);
    assert_false(holds(f, "a", "1"));
}

static void clearing_a_table_leaves_the_others(void **state)
{
    struct fixture *f = *state;
    struct txn txn;
    put(f, "a", "1");
    txn_begin_write(&txn, &f->env);
    txn_put(&txn, f->other, text("a"), text("1"));
    txn_clear(&txn, f->table);
    assert_int_equal(txn_count(&txn, f->table), 0);
    assert_int_equal(txn_count(&txn, f->other), 1);
    assert_int_equal(txn_commit(&txn), STATUS_OK);
    assert_false(holds(f, "a", "1"));
}

static void a_cursor_walks_in_key_order_and_deletes_on_its_way(void **state)
{
    struct fixture *f = *state;
    struct txn txn;
    struct cursor cursor;
    struct bytes key;
    struct bytes value;
    static const char *const keys[] = {"d", "a", "c", "b"};
    for (int i = 0; i < 4; i++) {
        put(f, keys[i], keys[i]);
    }
    txn_begin_write(&txn, &f->env);
    cursor_open(&cursor, &txn, f->table);
    assert_true(cursor_last(&cursor, &key, &value));
    assert_true(bytes_equal(key, text("d")));
    assert_true(cursor_seek(&cursor, text("aa"), &key, &value));
    assert_true(bytes_equal(key, text("b")));
    cursor_delete(&cursor);
    assert_true(cursor_next(&cursor, &key, &value));
    assert_true(bytes_equal(key, text("c")));
    assert_true(bytes_equal(value, text("c")));
    assert_true(cursor_next(&cursor, &key, &value));
    assert_false(cursor_next(&cursor, &key, &value));
    assert_false(cursor_seek(&cursor, text("e"), &key, &value));
    cursor_close(&cursor);
    cursor_close(&cursor);
    assert_int_equal(txn_commit(&txn), STATUS_OK);
    assert_false(holds(f, "b", "b"));
    assert_true(holds(f, "c", "c"));
}

static void a_full_map_says_so_and_keeps_what_it_had(void **state)
{
    struct fixture *f = *state;
    static const uint8_t page[4096];
    int status = STATUS_OK;
    uint64_t kept = 0;
    while (status == STATUS_OK) {
        struct txn txn;
        uint8_t key[] = {(uint8_t)(kept >> 8), (uint8_t)kept};
        txn_begin_write(&txn, &f->env);
        txn_append(&txn, f->table, bytes_of(key, sizeof key), bytes_of(page, sizeof page));
        status = txn_commit(&txn);
        kept += status == STATUS_OK;
    }
    assert_int_equal(status, STATUS_MAP_FULL);
    struct txn txn;
    txn_begin_read(&txn, &f->env);
    assert_int_equal(txn_count(&txn, f->table), kept);
    txn_abort(&txn);
    assert_true(env_used(&f->env) <= 1 << 20);
}

/* Fails the first operation, then the second, and so on until none is left to fail. */
static void any_single_fault_leaves_what_was_committed(void **state)
{
    struct fixture *f = *state;
    int status = STATUS_IO;
    put(f, "a", "1");
    for (int delay = 0; status != STATUS_OK; delay++) {
        assert_in_range(delay, 0, 6);
        f->fault = (struct fault){.delay = delay, .repeat = 1};
        struct txn txn;
        txn_begin_write(&txn, &f->env);
        txn_put(&txn, f->table, text("a"), text("2"));
        txn_insert(&txn, f->table, text("b"), text("2"));
        txn_delete(&txn, f->table, text("c"));
        txn_clear(&txn, f->other);
        status = txn_commit(&txn);
        bool failed = f->fault.hits > 0;
        f->fault = (struct fault){0};
        assert_int_equal(status, failed ? STATUS_IO : STATUS_OK);
        assert_true(holds(f, "a", failed ? "1" : "2"));
        assert_int_equal(holds(f, "b", "2"), !failed);
    }
}

static void what_was_written_is_there_when_opened_again(void **state)
{
    struct fixture *f = *state;
    put(f, "a", "1");
    env_close(&f->env);
    struct env_options options = options_of(f);
    options.read_only = true;
    assert_int_equal(env_open(&f->env, f->dir.path, &options, NULL), STATUS_OK);
    struct table missing;
    struct error err;
    assert_int_equal(env_table(&f->env, "table", &f->table, NULL), STATUS_OK);
    assert_int_equal(env_table(&f->env, "missing", &missing, &err), STATUS_NOT_FOUND);
    assert_true(holds(f, "a", "1"));
}

static void what_is_no_database_is_called_corrupt(void **state)
{
    struct fixture *f = *state;
    env_close(&f->env);
    int fd = open(tmpdir_path(&f->dir, "data.mdb"), O_WRONLY | O_CLOEXEC);
    static const uint8_t zeros[8192];
    assert_int_equal(pwrite(fd, zeros, sizeof zeros, 0), sizeof zeros);
    assert_int_equal(close(fd), 0);
    struct env_options options = options_of(f);
    struct error err;
    assert_int_equal(env_open(&f->env, f->dir.path, &options, &err), STATUS_CORRUPT);
    assert_null(f->env.mdb);
}

static off_t size_of_file(struct fixture *f)
{
    struct stat st;
    assert_int_equal(stat(tmpdir_path(&f->dir, "data.mdb"), &st), 0);
    return st.st_size;
}

static int reopen(struct fixture *f, struct error *err)
{
    struct env_options options = options_of(f);
    env_close(&f->env);
    return env_open(&f->env, f->dir.path, &options, err);
}

/* Reading what is missing would be death by SIGBUS. */
static void a_file_that_is_cut_short_anywhere_is_called_corrupt_and_left_as_it_is(void **state)
{
    static const off_t page = 4096;
    static const uint8_t rows = 100;
    struct fixture *f = *state;
    struct txn txn;
    static const uint8_t value[1024];
    txn_begin_write(&txn, &f->env);
    for (uint8_t i = 0; i < rows; i++) {
        txn_append(&txn, f->table, bytes_of(&i, 1), bytes_of(value, sizeof value));
    }
    assert_int_equal(txn_commit(&txn), STATUS_OK);
    off_t whole = size_of_file(f);
    assert_true(whole > rows / 4 * page);
    for (off_t cut = whole - 1; cut > 2 * page; cut -= page - 1) {
        struct error err;
        assert_int_equal(truncate(tmpdir_path(&f->dir, "data.mdb"), cut), 0);
        assert_int_equal(reopen(f, &err), STATUS_CORRUPT);
        assert_non_null(strstr(err.text, "cut short"));
        assert_int_equal(size_of_file(f), cut);
    }
}

/* LMDB does not write a page that was taken and freed in one transaction, though it be the last. */
static void pages_that_were_never_written_are_not_missing(void **state)
{
    static const uint8_t rows = 10;
    struct fixture *f = *state;
    static const uint8_t value[4 * 4096];
    for (int round = 0; round < 2; round++) {
        struct txn txn;
        txn_begin_write(&txn, &f->env);
        for (uint8_t i = 1; i < rows; i++) {
            txn_put(&txn, f->table, bytes_of(&i, 1), bytes_of(value, sizeof value / (1U + i % 2)));
        }
        for (uint8_t i = 1; i < rows; i++) {
            txn_delete(&txn, f->table, bytes_of(&i, 1));
        }
        assert_int_equal(txn_commit(&txn), STATUS_OK);
    }
    assert_true((uint64_t)size_of_file(f) < env_used(&f->env));
    assert_int_equal(reopen(f, NULL), STATUS_OK);
    assert_int_equal(env_table(&f->env, "table", &f->table, NULL), STATUS_OK);
    put(f, "a", "1");
    assert_int_equal(reopen(f, NULL), STATUS_OK);
    assert_int_equal(env_table(&f->env, "table", &f->table, NULL), STATUS_OK);
    assert_true(holds(f, "a", "1"));
}

static void a_flush_that_fails_is_reported(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(env_sync(&f->env), STATUS_OK);
    f->fault = (struct fault){.repeat = 1};
    assert_int_equal(env_sync(&f->env), STATUS_IO);
}

static void directories_on_the_way_are_made(void **state)
{
    struct fixture *f = *state;
    struct env deep;
    struct env_options options = options_of(f);
    options.sync = true;
    assert_int_equal(env_open(&deep, tmpdir_path(&f->dir, "x/y/z/"), &options, NULL), STATUS_OK);
    env_close(&deep);
    assert_int_equal(access(tmpdir_path(&f->dir, "x/y/z/data.mdb"), F_OK), 0);
    struct error err;
    assert_int_equal(
        env_open(&deep, tmpdir_path(&f->dir, "data.mdb/x"), &options, &err), STATUS_IO);
    assert_non_null(strstr(err.text, "data.mdb"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_WITH_FIXTURE(what_is_committed_is_read_and_what_is_aborted_is_not),
        TEST_WITH_FIXTURE(a_reader_keeps_what_it_began_with),
        TEST_WITH_FIXTURE(after_the_first_failure_nothing_more_is_done),
        TEST_WITH_FIXTURE(a_taken_key_is_not_inserted_again),
        TEST_WITH_FIXTURE(appending_out_of_order_is_refused),
        TEST_WITH_FIXTURE(deleting_what_is_not_there_is_no_failure),
        TEST_WITH_FIXTURE(clearing_a_table_leaves_the_others),
        TEST_WITH_FIXTURE(a_cursor_walks_in_key_order_and_deletes_on_its_way),
        TEST_WITH_FIXTURE(a_full_map_says_so_and_keeps_what_it_had),
        TEST_WITH_FIXTURE(any_single_fault_leaves_what_was_committed),
        TEST_WITH_FIXTURE(what_was_written_is_there_when_opened_again),
        TEST_WITH_FIXTURE(what_is_no_database_is_called_corrupt),
        TEST_WITH_FIXTURE(a_file_that_is_cut_short_anywhere_is_called_corrupt_and_left_as_it_is),
        TEST_WITH_FIXTURE(pages_that_were_never_written_are_not_missing),
        TEST_WITH_FIXTURE(a_flush_that_fails_is_reported),
        TEST_WITH_FIXTURE(directories_on_the_way_are_made),
    };
    return cmocka_run_group_tests_name("storage/env", tests, NULL, NULL);
}
