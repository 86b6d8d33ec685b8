/* Certificates and keys in files, and the directories they are put in. */
#include "rpc/pem_file.h"
#include "tests/lib/flushes.h"
#include "tests/lib/test.h"
#include "tests/lib/tmpdir.h"

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

static void a_file_is_flushed_with_its_name(void **state)
{
    (void)state;
    const char *path = tmpdir_path(&dir, "key");
    struct stat st;
    assert_int_equal(pem_file_create(path, bytes_of("pem", 3), NULL), STATUS_OK);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_true(flushes_have(path));
    assert_true(flushes_have(dir.path));
    assert_int_equal(pem_file_create(path, bytes_of("pem", 3), NULL), STATUS_EXISTS);
}

static void a_directory_is_flushed_into_what_holds_it_made_or_found(void **state)
{
    (void)state;
    const char *path = tmpdir_path(&dir, "tls/");
    struct stat st;
    assert_int_equal(pem_file_make_dir(path, NULL), STATUS_OK);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_true(flushes_have(dir.path));
    flushes_forget();
    assert_int_equal(pem_file_make_dir(path, NULL), STATUS_OK);
    assert_true(flushes_have(dir.path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_WITH_FIXTURE(a_file_is_flushed_with_its_name),
        TEST_WITH_FIXTURE(a_directory_is_flushed_into_what_holds_it_made_or_found),
    };
    return cmocka_run_group_tests_name("rpc/pem_file", tests, NULL, NULL);
}
