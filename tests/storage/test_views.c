/* Which views are trusted after which end. */
#include "storage/views.h"
#include "tests/lib/test.h"
#include "tests/lib/tmpdir.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct fixture {
    struct tmpdir dir;
    struct views views;
    struct table table;
};

static const char first_boot[] = "11111111-1111-1111-1111-111111111111";
static const char second_boot[] = "22222222-2222-2222-2222-222222222222";

static int set_up(void **state)
{
    static struct fixture f;
    f = (struct fixture){0};
    tmpdir_make(&f.dir);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    views_close(&f->views, false);
    tmpdir_remove(&f->dir);
    return 0;
}

static uint64_t open_schema(struct fixture *f, const char *boot_id, uint32_t schema)
{
    struct views_options options = {
        .map_size = 1 << 20, .schema = schema, .tables_max = 1, .boot_id = boot_id};
    uint64_t index = 99;
    const char *path = tmpdir_path(&f->dir, "views/1");
    assert_int_equal(views_open(&f->views, path, &options, &index, NULL), STATUS_OK);
    assert_int_equal(env_table(&f->views.env, "table", &f->table, NULL), STATUS_OK);
    return index;
}

static uint64_t open_views(struct fixture *f, const char *boot_id)
{
    return open_schema(f, boot_id, 1);
}

static void write_index(struct fixture *f, uint64_t index)
{
    struct txn txn;
    txn_begin_write(&txn, &f->views.env);
    txn_put(&txn, f->table, bytes_of("key", 3), bytes_of(&index, sizeof index));
    views_stamp(&txn, &f->views, index);
    assert_int_equal(txn_commit(&txn), STATUS_OK);
}

/* True if the table holds what write_index(index) put there. */
static bool holds(struct fixture *f, uint64_t index)
{
    struct txn txn;
    struct bytes value;
    txn_begin_read(&txn, &f->views.env);
    bool same = txn_get(&txn, f->table, bytes_of("key", 3), &value) &&
        bytes_equal(value, bytes_of(&index, sizeof index));
    txn_abort(&txn);
    return same;
}

/* Runs in a child that is killed in the middle of its next transaction. */
static void write_in_a_process_that_is_killed(
    struct fixture *f, const char *boot_id, uint64_t index)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)open_views(f, boot_id);
        write_index(f, index);
        struct txn txn;
        txn_begin_write(&txn, &f->views.env);
        txn_put(&txn, f->table, bytes_of("key", 3), bytes_of("half", 4));
        views_stamp(&txn, &f->views, index + 1);
        (void)raise(SIGKILL);
    }
    int how;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL);
}

static void new_views_begin_at_nothing(void **state)
{
    assert_int_equal(open_views(*state, first_boot), 0);
}

static void views_of_a_killed_process_are_trusted(void **state)
{
    struct fixture *f = *state;
    write_in_a_process_that_is_killed(f, first_boot, 7);
    assert_int_equal(open_views(f, first_boot), 7);
    assert_true(holds(f, 7));
}

static void views_of_another_boot_are_dropped(void **state)
{
    struct fixture *f = *state;
    write_in_a_process_that_is_killed(f, first_boot, 7);
    assert_int_equal(open_views(f, second_boot), 0);
    assert_false(holds(f, 7));
}

static void views_closed_cleanly_are_trusted_under_another_boot(void **state)
{
    struct fixture *f = *state;
    (void)open_views(f, first_boot);
    write_index(f, 7);
    views_close(&f->views, false);
    assert_int_equal(open_views(f, second_boot), 7);
    assert_true(holds(f, 7));
    /* Unwritten, the mark goes on standing. */
    views_close(&f->views, false);
    assert_int_equal(open_views(f, first_boot), 7);
}

static void the_mark_is_gone_with_the_first_write(void **state)
{
    struct fixture *f = *state;
    (void)open_views(f, first_boot);
    write_index(f, 7);
    views_close(&f->views, false);
    write_in_a_process_that_is_killed(f, second_boot, 8);
    assert_int_equal(open_views(f, first_boot), 0);
    assert_false(holds(f, 8));
}

static void the_mark_is_gone_before_the_first_write_commits(void **state)
{
    struct fixture *f = *state;
    (void)open_views(f, first_boot);
    write_index(f, 7);
    views_close(&f->views, false);
    (void)open_views(f, second_boot);
    assert_true(f->views.marked);
    struct txn txn;
    txn_begin_write(&txn, &f->views.env);
    views_stamp(&txn, &f->views, 8);
    txn_abort(&txn);
    env_close(&f->views.env); /* As a process that dies. */
    assert_int_equal(open_views(f, first_boot), 0);
}

static void a_copied_file_is_dropped(void **state)
{
    struct fixture *f = *state;
    (void)open_views(f, first_boot);
    write_index(f, 7);
    views_close(&f->views, false);
    char from[sizeof f->dir.joined];
    memcpy(from, tmpdir_path(&f->dir, "views/1/data.mdb"), sizeof from);
    const char *to = tmpdir_path(&f->dir, "copy");
    static uint8_t bytes[1 << 20];
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ssize_t n = read(in, bytes, sizeof bytes);
    assert_true(n > 0);
    assert_int_equal(write(out, bytes, (size_t)n), n);
    assert_int_equal(close(in), 0);
    assert_int_equal(close(out), 0);
    assert_int_equal(rename(to, from), 0);
    assert_int_equal(open_views(f, first_boot), 0);
    assert_false(holds(f, 7));
}

static void another_schema_is_dropped(void **state)
{
    struct fixture *f = *state;
    (void)open_schema(f, first_boot, 1);
    write_index(f, 7);
    views_close(&f->views, false);
    assert_int_equal(open_schema(f, first_boot, 2), 0);
    assert_false(holds(f, 7));
}

static void broken_views_are_dropped(void **state)
{
    struct fixture *f = *state;
    (void)open_views(f, first_boot);
    write_index(f, 7);
    views_close(&f->views, true);
    assert_int_equal(open_views(f, first_boot), 0);
}

static void views_that_are_distrusted_are_read_on_and_dropped_by_the_next(void **state)
{
    struct fixture *f = *state;
    (void)open_views(f, first_boot);
    write_index(f, 7);
    views_distrust(&f->views);
    assert_true(holds(f, 7));
    env_close(&f->views.env); /* As a process that dies. */
    assert_int_equal(open_views(f, first_boot), 0);
}

/* The root of table `stamp` becomes a page that no table can have, of which LMDB dies. */
static void bend_the_root(struct fixture *f)
{
    enum { PAGE = 4096, ROOT = 5 + 40 };
    static uint8_t page[PAGE];
    int fd = open(tmpdir_path(&f->dir, "views/1/data.mdb"), O_RDWR | O_CLOEXEC);
    for (off_t at = 0; pread(fd, page, PAGE, at) == PAGE; at += PAGE) {
        uint8_t *name = memmem(page, PAGE, "stamp", 5);
        if (name != NULL) {
            memset(name + ROOT, 0, 8);
            assert_int_equal(pwrite(fd, page, PAGE, at), PAGE);
        }
    }
    assert_int_equal(close(fd), 0);
}

static void views_that_kill_who_opens_them_do_so_once(void **state)
{
    struct fixture *f = *state;
    (void)open_views(f, first_boot);
    write_index(f, 7);
    views_close(&f->views, false);
    bend_the_root(f);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (freopen("/dev/null", "w", stderr) != NULL) {
            (void)signal(SIGABRT, SIG_DFL);
            (void)open_views(f, first_boot);
        }
        _exit(0);
    }
    int how;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFSIGNALED(how));
    assert_int_equal(open_views(f, first_boot), 0);
}

static void looking_into_views_leaves_their_mark(void **state)
{
    struct fixture *f = *state;
    (void)open_views(f, first_boot);
    write_index(f, 7);
    views_close(&f->views, false);
    assert_int_equal(open_views(f, second_boot), 7);
    assert_true(f->views.marked);
    env_close(&f->views.env); /* As a process that dies. */
    assert_int_equal(open_views(f, first_boot), 7);
}

static void views_that_are_cut_short_are_dropped(void **state)
{
    struct fixture *f = *state;
    (void)open_views(f, first_boot);
    write_index(f, 7);
    views_close(&f->views, false);
    assert_int_equal(truncate(tmpdir_path(&f->dir, "views/1/data.mdb"), 8192), 0);
    assert_int_equal(open_views(f, first_boot), 0);
}

static void every_flipped_bit_of_the_stamp_drops_the_views(void **state)
{
    struct fixture *f = *state;
    (void)open_views(f, first_boot);
    write_index(f, 7);
    views_close(&f->views, false);
    struct stat st;
    assert_int_equal(stat(tmpdir_path(&f->dir, "views/1/stamp"), &st), 0);
    for (off_t at = 0; at < st.st_size; at++) {
        int fd = open(tmpdir_path(&f->dir, "views/1/stamp"), O_RDWR | O_CLOEXEC);
        uint8_t byte;
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        byte ^= (uint8_t)(1U << (at % 8));
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        assert_int_equal(close(fd), 0);
        assert_int_equal(open_views(f, first_boot), 0);
        write_index(f, 7);
        views_close(&f->views, false);
    }
    assert_int_equal(open_views(f, first_boot), 7);
}

static void a_database_that_is_none_is_dropped(void **state)
{
    struct fixture *f = *state;
    (void)open_views(f, first_boot);
    write_index(f, 7);
    views_close(&f->views, false);
    int fd = open(tmpdir_path(&f->dir, "views/1/data.mdb"), O_WRONLY | O_CLOEXEC);
    static const uint8_t zeros[8192];
    assert_int_equal(pwrite(fd, zeros, sizeof zeros, 0), sizeof zeros);
    assert_int_equal(close(fd), 0);
    assert_int_equal(open_views(f, first_boot), 0);
}

static void the_machines_boot_id_is_known(void **state)
{
    struct fixture *f = *state;
    (void)open_views(f, NULL);
    assert_int_equal(strlen(f->views.boot_id), 36);
    write_index(f, 7);
    env_close(&f->views.env); /* As a process that dies. */
    assert_int_equal(open_views(f, NULL), 7);
}

static void without_a_boot_id_only_the_mark_is_trusted(void **state)
{
    struct fixture *f = *state;
    write_in_a_process_that_is_killed(f, "", 7);
    assert_int_equal(open_views(f, ""), 0);
    write_index(f, 8);
    views_close(&f->views, false);
    assert_int_equal(open_views(f, ""), 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_WITH_FIXTURE(new_views_begin_at_nothing),
        TEST_WITH_FIXTURE(views_of_a_killed_process_are_trusted),
        TEST_WITH_FIXTURE(views_of_another_boot_are_dropped),
        TEST_WITH_FIXTURE(views_closed_cleanly_are_trusted_under_another_boot),
        TEST_WITH_FIXTURE(the_mark_is_gone_with_the_first_write),
        TEST_WITH_FIXTURE(the_mark_is_gone_before_the_first_write_commits),
        TEST_WITH_FIXTURE(a_copied_file_is_dropped),
        TEST_WITH_FIXTURE(another_schema_is_dropped),
        TEST_WITH_FIXTURE(broken_views_are_dropped),
        TEST_WITH_FIXTURE(views_that_are_distrusted_are_read_on_and_dropped_by_the_next),
        TEST_WITH_FIXTURE(views_that_kill_who_opens_them_do_so_once),
        TEST_WITH_FIXTURE(looking_into_views_leaves_their_mark),
        TEST_WITH_FIXTURE(views_that_are_cut_short_are_dropped),
        TEST_WITH_FIXTURE(every_flipped_bit_of_the_stamp_drops_the_views),
        TEST_WITH_FIXTURE(a_database_that_is_none_is_dropped),
        TEST_WITH_FIXTURE(the_machines_boot_id_is_known),
        TEST_WITH_FIXTURE(without_a_boot_id_only_the_mark_is_trusted),
    };
    return cmocka_run_group_tests_name("storage/views", tests, NULL, NULL);
}
