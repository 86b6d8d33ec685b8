/* The log alone, over a real LMDB file. */
#include "proto/integer.h"
#include "storage/crc32c.h"
#include "storage/log.h"
#include "tests/lib/fault.h"
#include "tests/lib/random.h"
#include "tests/lib/test.h"
#include "tests/lib/tmpdir.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { GROUP = 3, MAP_SIZE = 32 << 20 };

struct fixture {
    struct tmpdir dir;
    struct fault fault;
    struct env env;
    struct log log;
};

static void open_env(struct fixture *f)
{
    struct env_options options = log_env_options(MAP_SIZE);
    options.sync = false;
    options.fault = fault_on_env_op;
    options.fault_arg = &f->fault;
    assert_int_equal(env_open(&f->env, f->dir.path, &options, NULL), STATUS_OK);
}

static int set_up(void **state)
{
    static struct fixture f;
    f = (struct fixture){0};
    tmpdir_make(&f.dir);
    open_env(&f);
    assert_int_equal(log_open(&f.log, &f.env, GROUP, NULL), STATUS_OK);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    env_close(&f->env);
    tmpdir_remove(&f->dir);
    return 0;
}

static int reopen(struct fixture *f, struct error *err)
{
    env_close(&f->env);
    open_env(f);
    return log_open(&f->log, &f->env, GROUP, err);
}

static int write_log(struct fixture *f, const struct log_write *write)
{
    struct txn txn;
    txn_begin_write(&txn, &f->env);
    log_write(&txn, &f->log, write);
    return txn_commit(&txn);
}

static struct log_bounds bounds_of(struct fixture *f)
{
    struct txn txn;
    txn_begin_read(&txn, &f->env);
    struct log_bounds bounds = log_bounds(&txn, &f->log);
    assert_int_equal(txn.status, STATUS_OK);
    txn_abort(&txn);
    return bounds;
}

/* A record whose payload says its index and term. */
struct filler {
    struct record record;
    char text[32];
};

static struct record *fill(struct filler *filler, uint64_t index, uint64_t term)
{
    int n =
        snprintf(filler->text, sizeof filler->text, "%u of %u", (unsigned)index, (unsigned)term);
    filler->record = (struct record){
        .index = index,
        .term = term,
        .kind = RECORD_COMMAND,
        .payload = bytes_of(filler->text, (size_t)n),
    };
    return &filler->record;
}

/* Appends indexes first … last, one transaction each. */
static void append_range(struct fixture *f, uint64_t first, uint64_t last, uint64_t term)
{
    for (uint64_t i = first; i <= last; i++) {
        struct filler filler;
        struct log_write write = {.records = fill(&filler, i, term), .count = 1};
        assert_int_equal(write_log(f, &write), STATUS_OK);
    }
}

static bool holds(struct fixture *f, uint64_t index, uint64_t term)
{
    struct txn txn;
    struct record record;
    struct filler expected;
    fill(&expected, index, term);
    txn_begin_read(&txn, &f->env);
    bool same = log_read(&txn, &f->log, index, &record) && record.term == term &&
        record.index == index && bytes_equal(record.payload, expected.record.payload);
    txn_abort(&txn);
    return same;
}

static void a_new_log_is_empty(void **state)
{
    struct fixture *f = *state;
    struct log_bounds bounds = bounds_of(f);
    assert_int_equal(bounds.last_index, 0);
    assert_int_equal(bounds.committed, 0);
    assert_int_equal(reopen(f, NULL), STATUS_OK);
    assert_false(holds(f, 1, 1));
}

static void bounds_follow_what_is_written_and_survive(void **state)
{
    struct fixture *f = *state;
    append_range(f, 1, 3, 1);
    append_range(f, 4, 5, 2);
    struct log_write write = {.committed = 4, .membership_index = 1, .last_stamp_ms = 1234};
    assert_int_equal(write_log(f, &write), STATUS_OK);
    assert_int_equal(reopen(f, NULL), STATUS_OK);
    struct log_bounds bounds = bounds_of(f);
    assert_int_equal(bounds.last_index, 5);
    assert_int_equal(bounds.last_term, 2);
    assert_int_equal(bounds.committed, 4);
    assert_int_equal(bounds.membership_index, 1);
    assert_int_equal(bounds.last_stamp_ms, 1234);
    assert_true(holds(f, 3, 1));
    assert_true(holds(f, 5, 2));
}

static void what_is_committed_never_goes_back(void **state)
{
    struct fixture *f = *state;
    append_range(f, 1, 3, 1);
    struct log_write forth = {.committed = 3, .membership_index = 2, .last_stamp_ms = 9};
    struct log_write back = {.committed = 1, .membership_index = 1, .last_stamp_ms = 8};
    assert_int_equal(write_log(f, &forth), STATUS_OK);
    assert_int_equal(write_log(f, &back), STATUS_OK);
    struct log_bounds bounds = bounds_of(f);
    assert_int_equal(bounds.committed, 3);
    assert_int_equal(bounds.membership_index, 2);
    assert_int_equal(bounds.last_stamp_ms, 9);
}

static void a_tail_is_replaced_in_one_change(void **state)
{
    struct fixture *f = *state;
    append_range(f, 1, 300, 1);
    struct filler filler;
    struct log_write write = {
        .truncate_from = 101, .records = fill(&filler, 101, 2), .count = 1, .committed = 100};
    assert_int_equal(write_log(f, &write), STATUS_OK);
    assert_int_equal(reopen(f, NULL), STATUS_OK);
    struct log_bounds bounds = bounds_of(f);
    assert_int_equal(bounds.last_index, 101);
    assert_int_equal(bounds.last_term, 2);
    assert_true(holds(f, 100, 1));
    assert_true(holds(f, 101, 2));
    assert_false(holds(f, 102, 1));
}

static void a_truncation_alone_takes_the_term_of_what_is_left(void **state)
{
    struct fixture *f = *state;
    append_range(f, 1, 2, 1);
    append_range(f, 3, 4, 5);
    assert_int_equal(write_log(f, &(struct log_write){.truncate_from = 3}), STATUS_OK);
    assert_int_equal(bounds_of(f).last_term, 1);
    assert_int_equal(write_log(f, &(struct log_write){.truncate_from = 1}), STATUS_OK);
    assert_int_equal(bounds_of(f).last_index, 0);
    assert_int_equal(bounds_of(f).last_term, 0);
    assert_int_equal(write_log(f, &(struct log_write){.truncate_from = 7}), STATUS_OK);
    assert_int_equal(reopen(f, NULL), STATUS_OK);
}

/* In a child, where cmocka's assertions have nowhere to jump; with an environment of its own, for
 * one may not be taken through a fork. */
static void write_and_exit(struct fixture *f, const struct log_write *write)
{
    enum { FAILED_OTHERWISE = 1 };
    struct rlimit none = {0};
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)signal(SIGABRT, SIG_DFL);
    if (freopen("/dev/null", "w", stderr) == NULL) {
        _exit(FAILED_OTHERWISE);
    }
    struct env_options options = log_env_options(MAP_SIZE);
    struct env env;
    struct log log;
    if (env_open(&env, f->dir.path, &options, NULL) != STATUS_OK ||
        log_open(&log, &env, GROUP, NULL) != STATUS_OK) {
        _exit(FAILED_OTHERWISE);
    }
    struct txn txn;
    txn_begin_write(&txn, &env);
    log_write(&txn, &log, write);
    int status = txn.status;
    txn_abort(&txn);
    _exit(status == STATUS_OK ? 0 : FAILED_OTHERWISE);
}

/* True if an assertion ends the process, false if the write goes through. */
static bool dies(struct fixture *f, const struct log_write *write)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        write_and_exit(f, write);
    }
    int how;
    assert_int_equal(waitpid(child, &how, 0), child);
    if (WIFSIGNALED(how)) {
        assert_int_equal(WTERMSIG(how), SIGABRT);
        return true;
    }
    assert_int_equal(WEXITSTATUS(how), 0);
    return false;
}

static void whoever_breaks_the_order_dies_before_it_is_written(void **state)
{
    struct fixture *f = *state;
    append_range(f, 1, 5, 2);
    assert_int_equal(write_log(f, &(struct log_write){.committed = 3}), STATUS_OK);
    struct filler filler;
    assert_true(dies(f, &(struct log_write){.truncate_from = 3}));
    assert_true(dies(f, &(struct log_write){.truncate_from = 1}));
    struct filler fillers[2];
    struct record committed_anew[] = {*fill(&fillers[0], 3, 2), *fill(&fillers[1], 4, 2)};
    assert_true(
        dies(f, &(struct log_write){.truncate_from = 3, .records = committed_anew, .count = 2}));
    assert_true(dies(f, &(struct log_write){.committed = 6}));
    assert_true(dies(f, &(struct log_write){.membership_index = 4}));
    assert_true(dies(f, &(struct log_write){.records = fill(&filler, 7, 2), .count = 1}));
    assert_true(dies(f, &(struct log_write){.records = fill(&filler, 5, 2), .count = 1}));
    assert_true(dies(f, &(struct log_write){.records = fill(&filler, 6, 1), .count = 1}));
    assert_false(dies(f, &(struct log_write){.truncate_from = 4}));
    assert_false(dies(f, &(struct log_write){.records = fill(&filler, 6, 2), .count = 1}));
}

/* Fails the first operation, then the second …: what was committed before is intact each time. */
static void any_single_fault_leaves_the_log_as_it_was(void **state)
{
    struct fixture *f = *state;
    append_range(f, 1, 6, 1);
    assert_int_equal(write_log(f, &(struct log_write){.committed = 4}), STATUS_OK);
    struct filler fillers[2];
    struct record records[] = {*fill(&fillers[0], 5, 2), *fill(&fillers[1], 6, 2)};
    struct log_write write = {.truncate_from = 5, .records = records, .count = 2, .committed = 6};
    int status = STATUS_IO;
    int delay = 0;
    for (; status != STATUS_OK; delay++) {
        assert_in_range(delay, 0, 20);
        f->fault = (struct fault){.delay = delay, .repeat = 1};
        status = write_log(f, &write);
        bool failed = f->fault.hits > 0;
        f->fault = (struct fault){0};
        assert_int_equal(status, failed ? STATUS_IO : STATUS_OK);
        assert_int_equal(bounds_of(f).committed, failed ? 4 : 6);
        assert_int_equal(bounds_of(f).last_term, failed ? 1 : 2);
        assert_true(holds(f, 4, 1));
        assert_true(holds(f, 5, failed ? 1 : 2));
        assert_true(holds(f, 6, failed ? 1 : 2));
    }
    /* begin, two deletions, two records, bounds, commit, and the run without a fault */
    assert_int_equal(delay, 8);
    assert_int_equal(reopen(f, NULL), STATUS_OK);
}

static void a_log_that_cannot_be_opened_for_a_fault_opens_later(void **state)
{
    struct fixture *f = *state;
    append_range(f, 1, 2, 1);
    int status = STATUS_IO;
    for (int delay = 0; status != STATUS_OK; delay++) {
        assert_in_range(delay, 0, 20);
        f->fault = (struct fault){.delay = delay, .repeat = 1};
        status = log_open(&f->log, &f->env, GROUP, NULL);
        f->fault = (struct fault){0};
    }
    assert_true(holds(f, 2, 1));
}

/* ---- damage ---- */

static struct bytes key_of(uint64_t index, uint8_t key[8])
{
    for (int i = 0; i < 8; i++) {
        key[i] = (uint8_t)(index >> (8 * (7 - i)));
    }
    return bytes_of(key, 8);
}

/* The value's bytes, changed by hand behind the log's back. */
static void overwrite(struct fixture *f, struct table table, struct bytes key, struct bytes value)
{
    struct txn txn;
    txn_begin_write(&txn, &f->env);
    txn_put(&txn, table, key, value);
    assert_int_equal(txn_commit(&txn), STATUS_OK);
}

static size_t stored_bytes(
    struct fixture *f, struct table table, struct bytes key, uint8_t *out, size_t room)
{
    struct txn txn;
    struct bytes value;
    txn_begin_read(&txn, &f->env);
    assert_true(txn_get(&txn, table, key, &value));
    assert_true(value.size <= room);
    memcpy(out, value.data, value.size);
    txn_abort(&txn);
    return value.size;
}

static int read_status(struct fixture *f, uint64_t index)
{
    struct txn txn;
    struct record record;
    txn_begin_read(&txn, &f->env);
    assert_false(log_read(&txn, &f->log, index, &record));
    int status = txn.status;
    txn_abort(&txn);
    return status;
}

static void every_flipped_bit_of_a_stored_record_is_caught(void **state)
{
    struct fixture *f = *state;
    append_range(f, 1, 3, 1);
    uint8_t key[8];
    uint8_t bytes[64];
    size_t size = stored_bytes(f, f->log.records, key_of(2, key), bytes, sizeof bytes);
    for (size_t bit = 0; bit < size * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1U << (bit % 8));
        overwrite(f, f->log.records, key_of(2, key), bytes_of(bytes, size));
        assert_int_equal(read_status(f, 2), STATUS_CORRUPT);
        bytes[bit / 8] ^= (uint8_t)(1U << (bit % 8));
    }
    struct txn txn;
    struct record *records;
    bytes[0] ^= 1;
    overwrite(f, f->log.records, key_of(2, key), bytes_of(bytes, size));
    txn_begin_read(&txn, &f->env);
    assert_int_equal(log_read_range(&txn, &f->log, 1, 3, 1000, &records), 0);
    assert_null(records);
    assert_int_equal(txn.status, STATUS_CORRUPT);
    txn_abort(&txn);
}

static void every_flipped_bit_of_the_bounds_is_caught(void **state)
{
    struct fixture *f = *state;
    append_range(f, 1, 3, 1);
    static const uint8_t key_bytes[] = {0, 0, 0, GROUP};
    struct bytes key = bytes_of(key_bytes, sizeof key_bytes);
    uint8_t bytes[64];
    size_t size = stored_bytes(f, f->log.bounds, key, bytes, sizeof bytes);
    for (size_t bit = 0; bit < size * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1U << (bit % 8));
        overwrite(f, f->log.bounds, key, bytes_of(bytes, size));
        struct error err;
        assert_int_equal(log_open(&f->log, &f->env, GROUP, &err), STATUS_CORRUPT);
        bytes[bit / 8] ^= (uint8_t)(1U << (bit % 8));
    }
}

static void assert_newer(struct fixture *f)
{
    struct error err = {0};
    assert_int_equal(reopen(f, &err), STATUS_UNIMPLEMENTED);
    assert_non_null(strstr(err.text, "newer zhurnald"));
}

static void bounds_that_a_newer_version_wrote_are_not_called_damage(void **state)
{
    struct fixture *f = *state;
    append_range(f, 1, 3, 1);
    static const uint8_t key_bytes[] = {0, 0, 0, GROUP};
    struct bytes key = bytes_of(key_bytes, sizeof key_bytes);
    static const size_t more[] = {0, 8};
    for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
        uint8_t bytes[64];
        uint8_t place[4];
        size_t size = stored_bytes(f, f->log.bounds, key, bytes, sizeof bytes) + more[i];
        put_u32_le(bytes, 2);
        put_u32_le(place, GROUP);
        put_u32_le(bytes + size - 4, crc32c(crc32c(0, place, sizeof place), bytes, size - 4));
        overwrite(f, f->log.bounds, key, bytes_of(bytes, size));
        assert_newer(f);
    }
}

static void a_record_in_anothers_place_is_caught(void **state)
{
    struct fixture *f = *state;
    append_range(f, 1, 3, 1);
    struct log other;
    assert_int_equal(log_open(&other, &f->env, GROUP + 1, NULL), STATUS_OK);
    uint8_t key[8];
    uint8_t bytes[64];
    size_t size = stored_bytes(f, f->log.records, key_of(1, key), bytes, sizeof bytes);
    overwrite(f, other.records, key_of(1, key), bytes_of(bytes, size));
    overwrite(f, f->log.records, key_of(2, key), bytes_of(bytes, size));
    assert_int_equal(read_status(f, 2), STATUS_CORRUPT);
    struct txn txn;
    struct record record;
    txn_begin_read(&txn, &f->env);
    assert_false(log_read(&txn, &other, 1, &record));
    assert_int_equal(txn.status, STATUS_CORRUPT);
    txn_abort(&txn);
}

static void drop_row(struct fixture *f, struct table table, struct bytes key)
{
    struct txn txn;
    txn_begin_write(&txn, &f->env);
    txn_delete(&txn, table, key);
    assert_int_equal(txn_commit(&txn), STATUS_OK);
}

static void assert_refused(struct fixture *f)
{
    struct error err = {0};
    assert_int_equal(reopen(f, &err), STATUS_CORRUPT);
    assert_non_null(strstr(err.text, "stays stopped"));
    assert_non_null(strstr(err.text, "Keep its data directory"));
}

static void a_table_shorter_than_its_bounds_is_refused(void **state)
{
    struct fixture *f = *state;
    uint8_t key[8];
    append_range(f, 1, 3, 1);
    drop_row(f, f->log.records, key_of(3, key));
    assert_refused(f);
}

static void a_table_with_a_hole_is_refused(void **state)
{
    struct fixture *f = *state;
    uint8_t key[8];
    append_range(f, 1, 3, 1);
    drop_row(f, f->log.records, key_of(2, key));
    assert_refused(f);
}

static void a_table_longer_than_its_bounds_is_refused(void **state)
{
    struct fixture *f = *state;
    append_range(f, 1, 3, 1);
    struct filler filler;
    uint8_t key[8];
    uint8_t bytes[64];
    struct record *record = fill(&filler, 4, 1);
    record_encode_header(record, GROUP, bytes);
    memcpy(bytes + RECORD_HEADER_SIZE, record->payload.data, record->payload.size);
    overwrite(f, f->log.records, key_of(4, key),
        bytes_of(bytes, RECORD_HEADER_SIZE + record->payload.size));
    assert_refused(f);
}

static void a_table_without_bounds_is_refused(void **state)
{
    struct fixture *f = *state;
    static const uint8_t key[] = {0, 0, 0, GROUP};
    append_range(f, 1, 3, 1);
    drop_row(f, f->log.bounds, bytes_of(key, sizeof key));
    assert_refused(f);
}

static void bounds_without_a_table_are_refused(void **state)
{
    struct fixture *f = *state;
    append_range(f, 1, 3, 1);
    struct txn txn;
    txn_begin_write(&txn, &f->env);
    txn_clear(&txn, f->log.records);
    assert_int_equal(txn_commit(&txn), STATUS_OK);
    assert_refused(f);
}

static void a_last_record_that_does_not_verify_is_refused(void **state)
{
    struct fixture *f = *state;
    append_range(f, 1, 3, 1);
    uint8_t key[8];
    uint8_t bytes[64];
    size_t size = stored_bytes(f, f->log.records, key_of(3, key), bytes, sizeof bytes);
    bytes[size - 1] ^= 1;
    overwrite(f, f->log.records, key_of(3, key), bytes_of(bytes, size));
    assert_refused(f);
    struct error err = {0};
    assert_int_equal(reopen(f, &err), STATUS_CORRUPT);
    assert_non_null(strstr(err.text, "log 3 does not verify at index 3"));
}

/* ---- reading ---- */

static void a_range_ends_at_its_count_its_bytes_or_the_log(void **state)
{
    struct fixture *f = *state;
    append_range(f, 1, 9, 1); /* Payloads of six bytes: "1 of 1" … */
    static const struct {
        uint64_t first;
        size_t count, bytes_max, expected;
    } cases[] = {
        {1, 9, 1000, 9},
        {1, 3, 1000, 3},
        {8, 9, 1000, 2},
        {10, 9, 1000, 0},
        {1, 0, 1000, 0},
        {1, 9, 0, 1},
        {1, 9, 11, 1},
        {1, 9, 12, 2},
        {1, 9, 17, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct txn txn;
        struct record *records;
        txn_begin_read(&txn, &f->env);
        size_t n = log_read_range(
            &txn, &f->log, cases[i].first, cases[i].count, cases[i].bytes_max, &records);
        txn_abort(&txn);
        assert_int_equal(n, cases[i].expected);
        for (size_t k = 0; k < n; k++) {
            struct filler expected;
            fill(&expected, cases[i].first + k, 1);
            assert_int_equal(records[k].index, expected.record.index);
            assert_true(bytes_equal(records[k].payload, expected.record.payload));
        }
        free(records);
    }
}

static void the_term_of_what_is_not_there_is_zero(void **state)
{
    struct fixture *f = *state;
    append_range(f, 1, 1, 4);
    struct txn txn;
    txn_begin_read(&txn, &f->env);
    assert_int_equal(log_term(&txn, &f->log, 0), 0);
    assert_int_equal(log_term(&txn, &f->log, 1), 4);
    assert_int_equal(log_term(&txn, &f->log, 2), 0);
    assert_int_equal(txn.status, STATUS_OK);
    txn_abort(&txn);
}

static bool log_has(struct fixture *f, uint64_t to, uint64_t to_term)
{
    struct txn txn;
    txn_begin_read(&txn, &f->env);
    bool has = log_holds(&txn, &f->log, to, to_term);
    assert_int_equal(txn.status, STATUS_OK);
    txn_abort(&txn);
    return has;
}

static void what_is_committed_is_held_and_what_has_the_term_that_is_asked_for(void **state)
{
    struct fixture *f = *state;
    append_range(f, 1, 3, 1);
    append_range(f, 4, 5, 2);
    struct log_write write = {.committed = 3};
    assert_int_equal(write_log(f, &write), STATUS_OK);
    assert_true(log_has(f, 3, 0));
    assert_false(log_has(f, 4, 0));
    assert_false(log_has(f, 4, 1));
    assert_true(log_has(f, 4, 2));
    assert_true(log_has(f, 5, 2));
    assert_false(log_has(f, 6, 2));
}

static void groups_do_not_see_each_other(void **state)
{
    struct fixture *f = *state;
    append_range(f, 1, 3, 1);
    struct log other;
    assert_int_equal(log_open(&other, &f->env, UINT32_MAX, NULL), STATUS_OK);
    struct txn txn;
    txn_begin_read(&txn, &f->env);
    assert_int_equal(log_bounds(&txn, &other).last_index, 0);
    assert_int_equal(log_bounds(&txn, &f->log).last_index, 3);
    txn_abort(&txn);
}

/* A log of arrays, changed alike. */
struct model {
    uint64_t terms[400];
    uint64_t last, committed, term;
};

static void change_both(struct fixture *f, struct model *model, struct random_stream *random)
{
    enum { BATCH = 20 };
    struct filler fillers[BATCH];
    struct record records[BATCH];
    struct log_write write = {.records = records};
    if (model->last > model->committed && random_below(random, 3) == 0) {
        unsigned open = (unsigned)(model->last - model->committed);
        write.truncate_from = model->committed + 1 + random_below(random, open);
        model->last = write.truncate_from - 1;
    }
    model->term += random_below(random, 2);
    write.count = random_below(random, BATCH + 1);
    for (size_t i = 0; i < write.count; i++) {
        model->terms[++model->last] = model->term;
        records[i] = *fill(&fillers[i], model->last, model->term);
    }
    model->committed += random_below(random, (unsigned)(model->last - model->committed) + 1) / 2;
    write.committed = model->committed;
    assert_int_equal(write_log(f, &write), STATUS_OK);
}

static void any_sequence_of_changes_leaves_what_it_should(void **state)
{
    struct fixture *f = *state;
    struct random_stream random = {.state = 20};
    struct model model = {.term = 1};
    for (int step = 0; step < 200 && model.last < 370; step++) {
        change_both(f, &model, &random);
        if (random_below(&random, 10) == 0) {
            assert_int_equal(reopen(f, NULL), STATUS_OK);
        }
        struct log_bounds bounds = bounds_of(f);
        assert_int_equal(bounds.last_index, model.last);
        assert_int_equal(bounds.committed, model.committed);
        assert_int_equal(bounds.last_term, model.terms[model.last]);
        for (uint64_t i = 1; i <= model.last; i++) {
            assert_true(holds(f, i, model.terms[i]));
        }
        assert_false(holds(f, model.last + 1, model.term));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_WITH_FIXTURE(a_new_log_is_empty),
        TEST_WITH_FIXTURE(bounds_follow_what_is_written_and_survive),
        TEST_WITH_FIXTURE(what_is_committed_never_goes_back),
        TEST_WITH_FIXTURE(a_tail_is_replaced_in_one_change),
        TEST_WITH_FIXTURE(a_truncation_alone_takes_the_term_of_what_is_left),
        TEST_WITH_FIXTURE(whoever_breaks_the_order_dies_before_it_is_written),
        TEST_WITH_FIXTURE(any_single_fault_leaves_the_log_as_it_was),
        TEST_WITH_FIXTURE(a_log_that_cannot_be_opened_for_a_fault_opens_later),
        TEST_WITH_FIXTURE(every_flipped_bit_of_a_stored_record_is_caught),
        TEST_WITH_FIXTURE(every_flipped_bit_of_the_bounds_is_caught),
        TEST_WITH_FIXTURE(bounds_that_a_newer_version_wrote_are_not_called_damage),
        TEST_WITH_FIXTURE(a_record_in_anothers_place_is_caught),
        TEST_WITH_FIXTURE(a_table_shorter_than_its_bounds_is_refused),
        TEST_WITH_FIXTURE(a_table_with_a_hole_is_refused),
        TEST_WITH_FIXTURE(a_table_longer_than_its_bounds_is_refused),
        TEST_WITH_FIXTURE(a_table_without_bounds_is_refused),
        TEST_WITH_FIXTURE(bounds_without_a_table_are_refused),
        TEST_WITH_FIXTURE(a_last_record_that_does_not_verify_is_refused),
        TEST_WITH_FIXTURE(a_range_ends_at_its_count_its_bytes_or_the_log),
        TEST_WITH_FIXTURE(the_term_of_what_is_not_there_is_zero),
        TEST_WITH_FIXTURE(what_is_committed_is_held_and_what_has_the_term_that_is_asked_for),
        TEST_WITH_FIXTURE(groups_do_not_see_each_other),
        TEST_WITH_FIXTURE(any_sequence_of_changes_leaves_what_it_should),
    };
    return cmocka_run_group_tests_name("storage/log", tests, NULL, NULL);
}
