/* Directories whose making survives a power cut. */
#include "storage/directory.h"
#include "tests/lib/flushes.h"
#include "tests/lib/test.h"
#include "tests/lib/tmpdir.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct tmpdir dir;

static int set_up(void **state)
{
    (void)state;
    tmpdir_make(&dir);
    flushes_forget();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tmpdir_remove(&dir);
    return 0;
}

static void what_is_made_is_flushed_into_what_holds_it(void **state)
{
    (void)state;
    struct stat st;
    assert_int_equal(directory_make(tmpdir_path(&dir, "one/two//"), NULL), STATUS_OK);
    assert_int_equal(stat(tmpdir_path(&dir, "one/two"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_true(flushes_have(dir.path));
    assert_true(flushes_have(tmpdir_path(&dir, "one")));
}

/* Whoever made it may have been killed before the flush. */
static void so_is_what_was_there(void **state)
{
    (void)state;
    assert_int_equal(mkdir(tmpdir_path(&dir, "one"), 0700), 0);
    assert_int_equal(mkdir(tmpdir_path(&dir, "one/two"), 0700), 0);
    assert_int_equal(directory_make(tmpdir_path(&dir, "one/two"), NULL), STATUS_OK);
    assert_true(flushes_have(dir.path));
    assert_true(flushes_have(tmpdir_path(&dir, "one")));
}

static void what_others_made_and_let_nobody_read_does_not_stop_us(void **state)
{
    (void)state;
    enum { NOBODY = 65534 };
    bool root = geteuid() == 0;
    assert_int_equal(mkdir(tmpdir_path(&dir, "one"), 0700), 0);
    assert_int_equal(mkdir(tmpdir_path(&dir, "one/two"), 0700), 0);
    assert_int_equal(chdir(dir.path), 0); /* Whoever may not pass above it is in it. */
    assert_int_equal(chmod(".", 0711), 0);
    assert_int_equal(chmod("one", root ? 0711 : 0311), 0);
    assert_int_equal(root ? seteuid(NOBODY) : 0, 0);
    int there = directory_make("one/two", NULL);
    int missing = directory_make("one/three", NULL);
    assert_int_equal(root ? seteuid(0) : 0, 0);
    assert_int_equal(chmod("one", 0700), 0);
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(there, STATUS_OK);
    assert_int_equal(missing, STATUS_IO);
}

static void what_is_no_directory_is_refused(void **state)
{
    (void)state;
    struct error err;
    FILE *file = fopen(tmpdir_path(&dir, "file"), "we");
    assert_non_null(file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(directory_make(tmpdir_path(&dir, "file"), &err), STATUS_IO);
    assert_non_null(strstr(err.text, "file"));
    assert_int_equal(directory_make(tmpdir_path(&dir, "file/one"), &err), STATUS_IO);
    assert_int_equal(directory_make("", &err), STATUS_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_WITH_FIXTURE(what_is_made_is_flushed_into_what_holds_it),
        TEST_WITH_FIXTURE(so_is_what_was_there),
        TEST_WITH_FIXTURE(what_others_made_and_let_nobody_read_does_not_stop_us),
        TEST_WITH_FIXTURE(what_is_no_directory_is_refused),
    };
    return cmocka_run_group_tests_name("storage/directory", tests, NULL, NULL);
}
