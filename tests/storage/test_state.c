/* The file of promises: on a disk that tears and forgets, and on a real one. */
#include "proto/integer.h"
#include "storage/crc32c.h"
#include "storage/state.h"
#include "tests/lib/fault.h"
#include "tests/lib/test.h"
#include "tests/lib/tmpdir.h"

#include <fcntl.h>
#include <unistd.h>

enum { FILE_SIZE = STATE_SLOTS * STATE_SLOT_SIZE };

static const struct state_identity identity = {
    .cluster = {1, 2, 3},
    .epoch = 1,
    .directory = {4, 5, 6},
    .node = 0xA1,
    .group = 1,
};

/* ---- the simulated disk ---- */

struct disk {
    uint8_t flushed[FILE_SIZE];
    uint8_t cached[FILE_SIZE];
    struct fault fault;
};

static int disk_read(void *arg, uint64_t offset, void *data, size_t size)
{
    struct disk *disk = arg;
    assert_true(offset + size <= FILE_SIZE);
    memcpy(data, disk->cached + offset, size);
    return STATUS_OK;
}

static int disk_write(void *arg, uint64_t offset, const void *data, size_t size)
{
    struct disk *disk = arg;
    assert_true(offset + size <= FILE_SIZE);
    memcpy(disk->cached + offset, data, size);
    return fault_next(&disk->fault) ? STATUS_IO : STATUS_OK;
}

static int disk_flush(void *arg)
{
    struct disk *disk = arg;
    if (fault_next(&disk->fault)) {
        return STATUS_IO;
    }
    memcpy(disk->flushed, disk->cached, FILE_SIZE);
    return STATUS_OK;
}

static void power_cut(struct disk *disk)
{
    memcpy(disk->cached, disk->flushed, FILE_SIZE);
    disk->fault = (struct fault){0};
}

static struct state_io io_of(struct disk *disk)
{
    return (struct state_io){
        .read = disk_read, .write = disk_write, .flush = disk_flush, .arg = disk};
}

static struct state format(struct disk *disk)
{
    memset(disk, 0, sizeof *disk);
    struct state_io io = io_of(disk);
    struct state state;
    assert_int_equal(state_format(&state, &io, &identity, 1), STATUS_OK);
    return state;
}

static struct state load(struct disk *disk)
{
    struct state_io io = io_of(disk);
    struct state state;
    assert_int_equal(state_load(&state, &io), STATUS_OK);
    assert_memory_equal(state.identity.cluster, identity.cluster, UUID_SIZE);
    assert_memory_equal(state.identity.directory, identity.directory, UUID_SIZE);
    assert_int_equal(state.identity.epoch, identity.epoch);
    assert_int_equal(state.identity.node, identity.node);
    assert_int_equal(state.identity.group, identity.group);
    return state;
}

static void the_last_promise_is_loaded(void **state)
{
    (void)state;
    static struct disk disk;
    struct state s = format(&disk);
    assert_int_equal(load(&disk).term, 1);
    s = load(&disk);
    for (uint64_t term = 2; term < 9; term++) {
        assert_int_equal(state_save(&s, term, 0), STATUS_OK);
        assert_int_equal(state_save(&s, term, term * 10), STATUS_OK);
        power_cut(&disk);
        struct state loaded = load(&disk);
        assert_int_equal(loaded.term, term);
        assert_int_equal(loaded.vote, term * 10);
        s = loaded;
    }
}

/* The first n bytes of the write reached the disk, or the last n: the old promise or the new. */
static void assert_torn_write_is_survived(struct disk *torn, const struct state *was)
{
    struct state loaded = load(torn);
    bool old = loaded.term == was->term && loaded.vote == was->vote;
    bool new = loaded.term == was->term + 1 && loaded.vote == 77;
    assert_true(old || new);
    assert_int_equal(state_save(&loaded, loaded.term + 1, 5), STATUS_OK);
    power_cut(torn);
    assert_int_equal(load(torn).vote, 5);
}

/* In either slot: what an older version finds beside it is an older promise. */
static void a_promise_that_a_newer_version_wrote_is_not_passed_over(void **state)
{
    (void)state;
    enum { AT_FORMAT = 8, AT_CRC = STATE_SLOT_SIZE - 4 };
    static struct disk disk;
    for (size_t slot = 0; slot < STATE_SLOTS; slot++) {
        struct state s = format(&disk);
        struct state_io io = io_of(&disk);
        assert_int_equal(state_save(&s, 2, 9), STATUS_OK);
        uint8_t *at = disk.cached + slot * STATE_SLOT_SIZE;
        put_u32_le(at + AT_FORMAT, 2);
        put_u32_le(at + AT_CRC, crc32c(0, at, AT_CRC));
        assert_int_equal(state_load(&s, &io), STATUS_UNIMPLEMENTED);
        at[STATE_SLOT_SIZE / 2] ^= 1; /* Torn, it is passed over as ever. */
        assert_int_equal(state_load(&s, &io), STATUS_OK);
    }
}

static void a_write_torn_anywhere_gives_the_old_promise_or_the_new(void **state)
{
    (void)state;
    static struct disk before;
    static struct disk after;
    static struct disk torn;
    struct state s = format(&before);
    for (int round = 0; round < STATE_SLOTS; round++) {
        assert_int_equal(state_save(&s, s.term + 1, 9), STATUS_OK);
        struct state was = s;
        after = before;
        s.io = io_of(&after);
        assert_int_equal(state_save(&s, s.term + 1, 77), STATUS_OK);
        for (size_t cut = 0; cut <= FILE_SIZE; cut++) {
            torn = before;
            memcpy(torn.flushed, after.flushed, cut);
            power_cut(&torn);
            assert_torn_write_is_survived(&torn, &was);
            torn = after;
            memcpy(torn.flushed, before.flushed, cut);
            power_cut(&torn);
            assert_torn_write_is_survived(&torn, &was);
        }
        before = after;
        s.io = io_of(&before);
    }
}

static void what_was_not_flushed_may_be_lost_but_not_what_was_promised_before(void **state)
{
    (void)state;
    static struct disk disk;
    struct state s = format(&disk);
    assert_int_equal(state_save(&s, 2, 9), STATUS_OK);
    disk.fault = (struct fault){.delay = 1, .repeat = 1};
    assert_int_equal(state_save(&s, 3, 8), STATUS_IO);
    power_cut(&disk);
    struct state loaded = load(&disk);
    assert_int_equal(loaded.term, 2);
    assert_int_equal(loaded.vote, 9);
}

/* The process restarts after a failed flush and finds its write in the page cache. */
static void what_is_loaded_survives_a_power_cut_even_after_a_failed_flush(void **state)
{
    (void)state;
    static struct disk disk;
    struct state s = format(&disk);
    disk.fault = (struct fault){.delay = 1, .repeat = 1};
    assert_int_equal(state_save(&s, 2, 9), STATUS_IO);
    struct state first = load(&disk);
    power_cut(&disk);
    struct state second = load(&disk);
    assert_int_equal(second.term, first.term);
    assert_int_equal(second.vote, first.vote);
}

static void a_load_that_cannot_flush_fails(void **state)
{
    (void)state;
    static struct disk disk;
    (void)format(&disk);
    struct state_io io = io_of(&disk);
    struct state loaded;
    disk.fault = (struct fault){.delay = 1, .repeat = 1};
    assert_int_equal(state_load(&loaded, &io), STATUS_IO);
}

static void every_flipped_bit_is_caught(void **state)
{
    (void)state;
    static struct disk disk;
    (void)format(&disk);
    for (size_t bit = 0; bit < (size_t)STATE_SLOT_SIZE * 8; bit++) {
        disk.cached[bit / 8] ^= (uint8_t)(1U << (bit % 8));
        struct state_io io = io_of(&disk);
        struct state loaded;
        assert_int_equal(state_load(&loaded, &io), STATUS_CORRUPT);
        power_cut(&disk);
    }
}

static void a_slot_in_the_others_place_is_not_believed(void **state)
{
    (void)state;
    static struct disk disk;
    (void)format(&disk);
    memcpy(disk.cached + STATE_SLOT_SIZE, disk.cached, STATE_SLOT_SIZE);
    memset(disk.cached, 0, STATE_SLOT_SIZE);
    struct state_io io = io_of(&disk);
    struct state loaded;
    assert_int_equal(state_load(&loaded, &io), STATUS_CORRUPT);
}

/* Bytes on disk outlive every release. */
static void the_format_is_the_one_first_released(void **state)
{
    (void)state;
    static struct disk disk;
    struct state s = format(&disk);
    assert_int_equal(state_save(&s, 0x0102, 0xB2), STATUS_OK);
    static const uint8_t expected[] = {'z', 'h', 'u', 'r', 'n', 'a', 'l', 0, 1, 0, 0, 0, 1, 0, 0, 0,
        2, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0,
        0, 4, 5, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xA1, 0, 0, 0, 0, 0, 0, 0, 2, 1, 0, 0, 0,
        0, 0, 0, 0xB2, 0, 0, 0, 0, 0, 0, 0};
    assert_memory_equal(disk.flushed + STATE_SLOT_SIZE, expected, sizeof expected);
}

/* ---- the file ---- */

static int create(const char *path)
{
    int status = state_prepare(path, &identity, 1, NULL);
    return status == STATUS_OK ? state_install(path, NULL) : status;
}

static void a_file_keeps_its_promises(void **state)
{
    (void)state;
    struct tmpdir dir;
    tmpdir_make(&dir);
    const char *path = tmpdir_path(&dir, "state");
    struct state s;
    assert_int_equal(state_open(&s, path, NULL), STATUS_NOT_FOUND);
    state_close(&s);
    assert_int_equal(create(path), STATUS_OK);
    assert_int_equal(create(path), STATUS_EXISTS);
    assert_int_equal(state_open(&s, path, NULL), STATUS_OK);
    assert_int_equal(s.term, 1);
    assert_int_equal(s.identity.node, identity.node);
    assert_int_equal(fcntl(s.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_int_equal(state_save(&s, 7, 8), STATUS_OK);
    assert_int_equal(lseek(s.fd, 0, SEEK_END), FILE_SIZE);
    state_close(&s);
    state_close(&s);
    assert_int_equal(state_open(&s, path, NULL), STATUS_OK);
    assert_int_equal(s.term, 7);
    assert_int_equal(s.vote, 8);
    state_close(&s);
    tmpdir_remove(&dir);
}

static void who_it_is_of_is_told_without_a_write(void **state)
{
    (void)state;
    struct tmpdir dir;
    tmpdir_make(&dir);
    const char *path = tmpdir_path(&dir, "state");
    struct state_identity told;
    struct state s;
    assert_int_equal(state_identify(path, &told), STATUS_NOT_FOUND);
    assert_int_equal(create(path), STATUS_OK);
    assert_int_equal(state_open(&s, path, NULL), STATUS_OK);
    uint64_t sequence = s.sequence;
    state_close(&s);
    assert_int_equal(state_identify(path, &told), STATUS_OK);
    assert_memory_equal(told.cluster, identity.cluster, UUID_SIZE);
    assert_int_equal(told.node, identity.node);
    assert_int_equal(state_open(&s, path, NULL), STATUS_OK);
    assert_int_equal(s.sequence, sequence + 1); /* Of this opening. */
    state_close(&s);
    assert_int_equal(truncate(path, 0), 0);
    assert_int_equal(state_identify(path, &told), STATUS_CORRUPT);
    tmpdir_remove(&dir);
}

static void a_file_cut_short_or_emptied_is_refused(void **state)
{
    (void)state;
    struct tmpdir dir;
    tmpdir_make(&dir);
    const char *path = tmpdir_path(&dir, "state");
    struct state s;
    struct error err;
    assert_int_equal(create(path), STATUS_OK);
    assert_int_equal(truncate(path, FILE_SIZE - 1), 0);
    assert_int_equal(state_open(&s, path, &err), STATUS_CORRUPT);
    assert_int_equal(s.fd, -1);
    assert_int_equal(truncate(path, 0), 0);
    assert_int_equal(truncate(path, FILE_SIZE), 0);
    assert_int_equal(state_open(&s, path, &err), STATUS_CORRUPT);
    assert_non_null(strstr(err.text, "stays stopped"));
    tmpdir_remove(&dir);
}

static void what_a_cut_short_creation_left_is_made_anew(void **state)
{
    (void)state;
    struct tmpdir dir;
    tmpdir_make(&dir);
    int fd = open(tmpdir_path(&dir, "state.new"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, "half", 4), 4);
    assert_int_equal(close(fd), 0);
    const char *path = tmpdir_path(&dir, "state");
    struct state s;
    assert_int_equal(create(path), STATUS_OK);
    assert_int_equal(state_open(&s, path, NULL), STATUS_OK);
    state_close(&s);
    tmpdir_remove(&dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_promise_is_loaded),
        cmocka_unit_test(a_promise_that_a_newer_version_wrote_is_not_passed_over),
        cmocka_unit_test(a_write_torn_anywhere_gives_the_old_promise_or_the_new),
        cmocka_unit_test(what_was_not_flushed_may_be_lost_but_not_what_was_promised_before),
        cmocka_unit_test(what_is_loaded_survives_a_power_cut_even_after_a_failed_flush),
        cmocka_unit_test(a_load_that_cannot_flush_fails),
        cmocka_unit_test(every_flipped_bit_is_caught),
        cmocka_unit_test(a_slot_in_the_others_place_is_not_believed),
        cmocka_unit_test(the_format_is_the_one_first_released),
        cmocka_unit_test(a_file_keeps_its_promises),
        cmocka_unit_test(who_it_is_of_is_told_without_a_write),
        cmocka_unit_test(a_file_cut_short_or_emptied_is_refused),
        cmocka_unit_test(what_a_cut_short_creation_left_is_made_anew),
    };
    return cmocka_run_group_tests_name("storage/state", tests, NULL, NULL);
}
