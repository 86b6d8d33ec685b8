/* Room kept ahead, on a disk that is really full: a small tmpfs, where one may be mounted. */
#include "storage/log.h"
#include "storage/reserve.h"
#include "tests/lib/test.h"
#include "tests/lib/tmpdir.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DISK_SIZE = 8 << 20, BALLAST_SIZE = 3 << 20, AHEAD = 1 << 20, RECORD_SIZE = 64 << 10 };

static void room_is_allocated_without_growing_the_file(void **state)
{
    (void)state;
    struct tmpdir dir;
    struct reserve reserve;
    struct stat st;
    tmpdir_make(&dir);
    const char *path = tmpdir_path(&dir, "file");
    assert_int_equal(reserve_open(&reserve, path, AHEAD, NULL), STATUS_IO);
    reserve_close(&reserve);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, "data", 4), 4);
    assert_int_equal(close(fd), 0);

    assert_int_equal(reserve_open(&reserve, path, AHEAD, NULL), STATUS_OK);
    assert_int_equal(reserve_extend(&reserve, 4), STATUS_OK);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 4);
    if (reserve.reserved > 0) { /* The filesystem can. */
        assert_true(st.st_blocks * 512 >= AHEAD);
        assert_int_equal(reserve.reserved, 4 + AHEAD);
        assert_int_equal(reserve_extend(&reserve, 4 + AHEAD / 2), STATUS_OK);
        assert_int_equal(reserve.reserved, 4 + AHEAD);
        assert_int_equal(reserve_extend(&reserve, 5 + AHEAD / 2), STATUS_OK);
        assert_int_equal(reserve.reserved, 5 + AHEAD / 2 + AHEAD);
    }
    reserve_close(&reserve);
    reserve_close(&reserve);
    tmpdir_remove(&dir);
}

struct disk {
    struct tmpdir dir;
    struct env env;
    struct log log;
    struct reserve reserve;
    uint64_t last;
};

static void make_ballast(struct disk *disk)
{
    int fd = open(tmpdir_path(&disk->dir, "ballast"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(posix_fallocate(fd, 0, BALLAST_SIZE), 0);
    assert_int_equal(close(fd), 0);
}

static void open_log(struct disk *disk)
{
    struct env_options options = log_env_options((size_t)4 * DISK_SIZE);
    assert_int_equal(
        env_open(&disk->env, tmpdir_path(&disk->dir, "log"), &options, NULL), STATUS_OK);
    assert_int_equal(log_open(&disk->log, &disk->env, 1, NULL), STATUS_OK);
    const char *path = tmpdir_path(&disk->dir, "log/data.mdb");
    assert_int_equal(reserve_open(&disk->reserve, path, AHEAD, NULL), STATUS_OK);
}

/* Writes until the reserve says full; no write before that may fail. */
static void fill(struct disk *disk)
{
    static uint8_t payload[RECORD_SIZE];
    int status = STATUS_OK;
    for (int i = 0; i < DISK_SIZE / RECORD_SIZE; i++) {
        status = reserve_extend(&disk->reserve, env_used(&disk->env));
        if (status != STATUS_OK) {
            break;
        }
        struct record record = {
            .index = disk->last + 1,
            .term = 1,
            .kind = RECORD_COMMAND,
            .payload = bytes_of(payload, sizeof payload),
        };
        struct txn txn;
        txn_begin_write(&txn, &disk->env);
        log_write(&txn, &disk->log, &(struct log_write){.records = &record, .count = 1});
        assert_int_equal(txn_commit(&txn), STATUS_OK);
        disk->last++;
    }
    assert_int_equal(status, STATUS_FULL);
}

static void a_full_disk_is_seen_before_a_write_fails_and_recovered_from(void **state)
{
    (void)state;
    static struct disk disk;
    char options[32];
    tmpdir_make(&disk.dir);
    (void)snprintf(options, sizeof options, "size=%d", DISK_SIZE);
    if (mount("zhurnal-test", disk.dir.path, "tmpfs", 0, options) != 0) {
        tmpdir_remove(&disk.dir);
        print_message("skipped: may not mount a tmpfs here\n");
        skip();
    }
    make_ballast(&disk);
    open_log(&disk);
    fill(&disk);
    uint64_t before = disk.last;
    assert_true(before > 0);
    assert_int_equal(
        reserve_extend(&disk.reserve, env_used(&disk.env)), STATUS_FULL); /* It stays so. */
    assert_int_equal(unlink(tmpdir_path(&disk.dir, "ballast")), 0);
    fill(&disk);
    assert_true(disk.last > before + BALLAST_SIZE / RECORD_SIZE / 2);

    reserve_close(&disk.reserve);
    env_close(&disk.env);
    assert_int_equal(umount(disk.dir.path), 0);
    tmpdir_remove(&disk.dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(room_is_allocated_without_growing_the_file),
        cmocka_unit_test(a_full_disk_is_seen_before_a_write_fails_and_recovered_from),
    };
    return cmocka_run_group_tests_name("storage/reserve", tests, NULL, NULL);
}
