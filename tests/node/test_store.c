/* The data directory: one process at a time, whole or refused. */
#include "node/store.h"
#include "storage/founding.h"
#include "tests/lib/test.h"
#include "tests/lib/tmpdir.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NODE = 0xa1, MAP = 8 << 20 };

static struct tmpdir dir;
static const struct store_options options = {.log_map = MAP, .views_map = MAP};

static int set_up(void **state)
{
    (void)state;
    tmpdir_make(&dir);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tmpdir_remove(&dir);
    return 0;
}

/* A founded directory, as zhurnalctl init leaves it. */
static const char *founded(const char *name, uint8_t cluster)
{
    struct founding founding = {.epoch = 1};
    struct error err = {0};
    memset(founding.cluster, cluster, sizeof founding.cluster);
    assert_int_equal(founding_add(&founding, NODE, "127.0.0.1:7400", &err), STATUS_OK);
    assert_int_equal(
        founding_install(&founding, tmpdir_path(&dir, name), NODE, MAP, &err), STATUS_OK);
    return tmpdir_path(&dir, name);
}

static int open_in(struct store *store, const char *path, struct error *err)
{
    *err = (struct error){0};
    int status = store_lock(store, path, err);
    return status == STATUS_OK ? store_open(store, &options, err) : status;
}

static void what_was_founded_opens(void **state)
{
    (void)state;
    struct store store;
    struct error err;
    assert_int_equal(open_in(&store, founded("node", 1), &err), STATUS_OK);
    assert_int_equal(store.state.identity.node, NODE);
    assert_int_equal(store.state.term, FOUNDING_TERM);
    assert_int_equal(store.applied, 0);
    assert_int_equal(store.rebuild_to, 1);
    store_close(&store, false);
    assert_int_equal(open_in(&store, tmpdir_path(&dir, "node"), &err), STATUS_OK);
    store_close(&store, false);
}

static void a_directory_has_one_process_which_is_named(void **state)
{
    (void)state;
    struct store first;
    struct store second;
    struct error err;
    char process[32];
    assert_int_equal(open_in(&first, founded("node", 1), &err), STATUS_OK);
    assert_int_equal(open_in(&second, tmpdir_path(&dir, "node"), &err), STATUS_LOCKED);
    snprintf(process, sizeof process, "process %ld", (long)getpid());
    assert_non_null(strstr(err.text, process));
    store_close(&second, false);
    store_close(&first, false);
    assert_int_equal(open_in(&second, tmpdir_path(&dir, "node"), &err), STATUS_OK);
    store_close(&second, false);
}

static void without_a_founding_the_command_is_named(void **state)
{
    (void)state;
    struct store store;
    struct error err;
    const char *path = tmpdir_path(&dir, "node");
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(mkdir(tmpdir_path(&dir, "node/tls"), 0700), 0);
    assert_int_equal(open_in(&store, tmpdir_path(&dir, "node"), &err), STATUS_PRECONDITION);
    assert_non_null(strstr(err.text, "zhurnalctl init --data "));
    assert_non_null(strstr(err.text, "--founding FILE --node ID"));
    store_close(&store, false);
}

static void a_state_without_its_log_is_refused(void **state)
{
    (void)state;
    struct store store;
    struct error err;
    (void)founded("node", 1);
    assert_int_equal(unlink(tmpdir_path(&dir, "node/log/data.mdb")), 0);
    assert_int_equal(open_in(&store, tmpdir_path(&dir, "node"), &err), STATUS_PRECONDITION);
    assert_non_null(strstr(err.text, "no log"));
    assert_non_null(strstr(err.text, "stays stopped"));
    store_close(&store, false);
}

static void a_log_without_its_state_is_refused(void **state)
{
    (void)state;
    struct store store;
    struct error err;
    (void)founded("node", 1);
    assert_int_equal(unlink(tmpdir_path(&dir, "node/state")), 0);
    assert_int_equal(open_in(&store, tmpdir_path(&dir, "node"), &err), STATUS_PRECONDITION);
    assert_non_null(strstr(err.text, "no state"));
    assert_non_null(strstr(err.text, "stays stopped"));
    store_close(&store, false);
}

static void a_log_of_another_cluster_is_refused(void **state)
{
    (void)state;
    struct store store;
    struct error err;
    char other[512];
    (void)founded("node", 1);
    snprintf(other, sizeof other, "%s/log/data.mdb", founded("other", 2));
    assert_int_equal(rename(other, tmpdir_path(&dir, "node/log/data.mdb")), 0);
    assert_int_equal(open_in(&store, tmpdir_path(&dir, "node"), &err), STATUS_CORRUPT);
    assert_non_null(strstr(err.text, "different clusters"));
    store_close(&store, false);
}

static void a_log_that_is_no_database_is_refused(void **state)
{
    (void)state;
    struct store store;
    struct error err;
    char junk[8192];
    (void)founded("node", 1);
    memset(junk, 0x5a, sizeof junk);
    int fd = open(tmpdir_path(&dir, "node/log/data.mdb"), O_WRONLY);
    assert_int_equal(write(fd, junk, sizeof junk), sizeof junk);
    assert_int_equal(close(fd), 0);
    assert_int_equal(open_in(&store, tmpdir_path(&dir, "node"), &err), STATUS_CORRUPT);
    assert_non_null(strstr(err.text, "cannot open the database"));
    assert_non_null(strstr(err.text, "stays stopped"));
    store_close(&store, false);
}

static void append_barrier(struct store *store, uint64_t index, uint64_t term)
{
    struct txn txn;
    const struct record record = {
        .index = index, .term = term, .kind = RECORD_BARRIER, .payload = bytes_of("", 0)};
    const struct log_write write = {.records = &record, .count = 1};
    txn_begin_write(&txn, &store->log_env);
    log_write(&txn, &store->log, &write);
    assert_int_equal(txn_commit(&txn), STATUS_OK);
}

/* Term and vote are flushed before anything of that term is written. */
static void a_state_that_is_older_than_its_log_is_refused(void **state)
{
    (void)state;
    struct store store;
    struct error err;
    assert_int_equal(open_in(&store, founded("node", 1), &err), STATUS_OK);
    append_barrier(&store, 2, FOUNDING_TERM);
    store_close(&store, false);
    assert_int_equal(open_in(&store, tmpdir_path(&dir, "node"), &err), STATUS_OK);
    append_barrier(&store, 3, FOUNDING_TERM + 1);
    store_close(&store, false);
    assert_int_equal(open_in(&store, tmpdir_path(&dir, "node"), &err), STATUS_PRECONDITION);
    assert_non_null(strstr(err.text, "copied or restored"));
    assert_non_null(strstr(err.text, "stays stopped"));
    store_close(&store, false);
}

static void views_that_are_ahead_of_the_log_are_dropped(void **state)
{
    (void)state;
    struct store store;
    struct error err;
    struct txn txn;
    assert_int_equal(open_in(&store, founded("node", 1), &err), STATUS_OK);
    txn_begin_write(&txn, &store.journal.views.env);
    views_stamp(&txn, &store.journal.views, 7);
    assert_int_equal(txn_commit(&txn), STATUS_OK);
    store_close(&store, false);
    assert_int_equal(open_in(&store, tmpdir_path(&dir, "node"), &err), STATUS_OK);
    assert_int_equal(store.applied, 0);
    store_close(&store, false);
}

/* The log learns what is committed with its next write, which a kill may forestall. */
static void views_that_are_ahead_of_what_is_known_to_be_committed_are_kept(void **state)
{
    (void)state;
    struct store store;
    struct error err;
    struct txn txn;
    assert_int_equal(open_in(&store, founded("node", 1), &err), STATUS_OK);
    append_barrier(&store, 2, FOUNDING_TERM);
    txn_begin_write(&txn, &store.journal.views.env);
    views_stamp(&txn, &store.journal.views, 2);
    assert_int_equal(txn_commit(&txn), STATUS_OK);
    store_close(&store, false);
    assert_int_equal(open_in(&store, tmpdir_path(&dir, "node"), &err), STATUS_OK);
    assert_int_equal(store.rebuild_to, 1);
    assert_int_equal(store.applied, 2);
    store_close(&store, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_WITH_FIXTURE(what_was_founded_opens),
        TEST_WITH_FIXTURE(a_directory_has_one_process_which_is_named),
        TEST_WITH_FIXTURE(without_a_founding_the_command_is_named),
        TEST_WITH_FIXTURE(a_state_without_its_log_is_refused),
        TEST_WITH_FIXTURE(a_log_without_its_state_is_refused),
        TEST_WITH_FIXTURE(a_log_of_another_cluster_is_refused),
        TEST_WITH_FIXTURE(a_log_that_is_no_database_is_refused),
        TEST_WITH_FIXTURE(a_state_that_is_older_than_its_log_is_refused),
        TEST_WITH_FIXTURE(views_that_are_ahead_of_the_log_are_dropped),
        TEST_WITH_FIXTURE(views_that_are_ahead_of_what_is_known_to_be_committed_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
