#include "storage/log.h"

#include "proto/integer.h"
#include "storage/crc32c.h"
#include "storage/damage.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    KEY_SIZE = 8,
    BOUNDS_FORMAT = 1,
    AT_FORMAT = 0,
    AT_LAST_INDEX = 4,
    AT_LAST_TERM = 12,
    AT_COMMITTED = 20,
    AT_MEMBERSHIP = 28,
    AT_STAMP = 36,
    AT_CRC = 44,
    CRC_SIZE = 4,
    BOUNDS_SIZE = AT_CRC + CRC_SIZE,
    GROUPS_MAX = 64,
};

struct env_options log_env_options(size_t map_size)
{
    static const size_t map_size_default = (size_t)256 << 30;
    return (struct env_options){
        .map_size = map_size > 0 ? map_size : map_size_default,
        .tables_max = GROUPS_MAX + 1,
        .sync = true,
    };
}

/* ---- bounds ---- */

struct bounds_key {
    uint8_t data[sizeof(uint32_t)];
};

static struct bytes bounds_key(const struct log *log, struct bounds_key *key)
{
    put_u32_be(key->data, log->group);
    return bytes_of(key->data, sizeof key->data);
}

/* Of the group and what comes before the checksum, which ends the value. */
static uint32_t bounds_checksum(uint32_t group, struct bytes value)
{
    uint8_t place[sizeof group];
    put_u32_le(place, group);
    return crc32c(crc32c(0, place, sizeof place), value.data, value.size - CRC_SIZE);
}

static bool bounds_are_sound(const struct log_bounds *bounds)
{
    return bounds->membership_index <= bounds->committed && bounds->committed <= bounds->last_index;
}

static void write_bounds(struct txn *txn, struct log *log, const struct log_bounds *bounds)
{
    assert(bounds_are_sound(bounds));

    uint8_t value[BOUNDS_SIZE];
    put_u32_le(value + AT_FORMAT, BOUNDS_FORMAT);
    put_u64_le(value + AT_LAST_INDEX, bounds->last_index);
    put_u64_le(value + AT_LAST_TERM, bounds->last_term);
    put_u64_le(value + AT_COMMITTED, bounds->committed);
    put_u64_le(value + AT_MEMBERSHIP, bounds->membership_index);
    put_u64_le(value + AT_STAMP, (uint64_t)bounds->last_stamp_ms);
    put_u32_le(value + AT_CRC, bounds_checksum(log->group, bytes_of(value, sizeof value)));
    struct bounds_key key;
    txn_put(txn, log->bounds, bounds_key(log, &key), bytes_of(value, sizeof value));
}

static int decode_bounds(const struct log *log, struct bytes value, struct log_bounds *bounds)
{
    const uint8_t *at = value.data;
    if (value.size < AT_LAST_INDEX + CRC_SIZE ||
        get_u32_le(at + value.size - CRC_SIZE) != bounds_checksum(log->group, value)) {
        return STATUS_CORRUPT;
    }
    if (get_u32_le(at + AT_FORMAT) != BOUNDS_FORMAT) {
        return STATUS_UNIMPLEMENTED;
    }
    if (value.size != BOUNDS_SIZE) {
        return STATUS_CORRUPT;
    }
    *bounds = (struct log_bounds){
        .last_index = get_u64_le(at + AT_LAST_INDEX),
        .last_term = get_u64_le(at + AT_LAST_TERM),
        .committed = get_u64_le(at + AT_COMMITTED),
        .membership_index = get_u64_le(at + AT_MEMBERSHIP),
        .last_stamp_ms = (int64_t)get_u64_le(at + AT_STAMP),
    };
    return bounds_are_sound(bounds) ? STATUS_OK : STATUS_CORRUPT;
}

/* False where there are none, or txn failed. */
static bool find_bounds(struct txn *txn, struct log *log, struct log_bounds *bounds)
{
    struct bounds_key key;
    struct bytes value;
    if (!txn_get(txn, log->bounds, bounds_key(log, &key), &value)) {
        return false;
    }
    txn_fail(txn, decode_bounds(log, value, bounds));
    return txn->status == STATUS_OK;
}

struct log_bounds log_bounds(struct txn *txn, struct log *log)
{
    struct log_bounds bounds = {0};
    if (!find_bounds(txn, log, &bounds)) {
        txn_fail(txn, STATUS_CORRUPT); /* log_open() saw to it that they are there. */
        return (struct log_bounds){0};
    }
    return bounds;
}

/* ---- what to say of it ---- */

int log_explain(const struct log *log, uint64_t index, int status, struct error *err)
{
    char where[sizeof " at index 18446744073709551615"] = "";
    if (index > 0) {
        (void)snprintf(where, sizeof where, " at index %" PRIu64, index);
    }
    switch (status) {
    case STATUS_CORRUPT:
        return error_set(
            err, status, "log %" PRIu32 " does not verify%s. %s", log->group, where, DAMAGE_ADVICE);
    case STATUS_UNIMPLEMENTED:
        return error_set(err, status,
            "log %" PRIu32 " was written by a newer zhurnald%s: install that", log->group, where);
    default:
        return error_set(err, status, "log %" PRIu32 " cannot be read%s: %s", log->group, where,
            status_text(status));
    }
}

/* ---- opening ---- */

/* The index of the last row, 0 where there is none, and its record. */
static uint64_t last_record(struct txn *txn, struct log *log, struct record *last)
{
    struct cursor cursor;
    struct bytes key;
    struct bytes value;
    uint64_t index = 0;
    cursor_open(&cursor, txn, log->records);
    if (cursor_last(&cursor, &key, &value)) {
        index = key.size == KEY_SIZE ? get_u64_be(key.data) : 0;
        txn_fail(txn, record_decode(value, log->group, index, last));
    }
    cursor_close(&cursor);
    return index;
}

/* The table must end where the bounds say: damaged pages can make it look shorter. */
static int check_end(struct txn *txn, struct log *log, struct error *err)
{
    struct log_bounds bounds = {0};
    bool found = find_bounds(txn, log, &bounds);
    if (txn->status != STATUS_OK) {
        return log_explain(log, 0, txn->status, err);
    }
    uint64_t count = txn_count(txn, log->records);
    if (!found && count == 0 && txn->status == STATUS_OK) {
        return STATUS_NOT_FOUND;
    }
    struct record last = {0};
    uint64_t index = last_record(txn, log, &last);
    if (txn->status != STATUS_OK) {
        return log_explain(log, index, txn->status, err);
    }
    if (!found || index != bounds.last_index || count != index || last.term != bounds.last_term) {
        return error_set(err, STATUS_CORRUPT,
            "log %" PRIu32 " should end at index %" PRIu64 ", but holds %" PRIu64
            " records up to %" PRIu64 ". %s",
            log->group, bounds.last_index, count, index, DAMAGE_ADVICE);
    }
    return STATUS_OK;
}

static int create(struct log *log, struct error *err)
{
    if (log->env->options.read_only) {
        return error_set(err, STATUS_NOT_FOUND, "there is no log %" PRIu32 " here", log->group);
    }
    struct txn txn;
    txn_begin_write(&txn, log->env);
    write_bounds(&txn, log, &(struct log_bounds){0});
    int status = txn_commit(&txn);
    return status == STATUS_OK ? STATUS_OK
                               : error_set(err, status, "cannot make log %" PRIu32 ": %s",
                                     log->group, status_text(status));
}

int log_open(struct log *log, struct env *env, uint32_t group, struct error *err)
{
    *log = (struct log){.env = env, .group = group};
    char name[sizeof "log.4294967295"];
    (void)snprintf(name, sizeof name, "log.%" PRIu32, group);
    int status = env_table(env, name, &log->records, err);
    if (status == STATUS_OK) {
        status = env_table(env, "bounds", &log->bounds, err);
    }
    if (status != STATUS_OK) {
        return status;
    }
    struct txn txn;
    txn_begin_read(&txn, env);
    status = check_end(&txn, log, err);
    txn_abort(&txn);
    return status == STATUS_NOT_FOUND ? create(log, err) : status;
}

/* ---- writing ---- */

struct index_key {
    uint8_t data[KEY_SIZE];
};

static struct bytes index_key(uint64_t index, struct index_key *key)
{
    put_u64_be(key->data, index);
    return bytes_of(key->data, sizeof key->data);
}

static void truncate(struct txn *txn, struct log *log, uint64_t from, struct log_bounds *bounds)
{
    assert(from > bounds->committed);

    if (from > bounds->last_index) {
        return;
    }
    struct cursor cursor;
    struct index_key at;
    struct bytes key;
    struct bytes value;
    cursor_open(&cursor, txn, log->records);
    bool more = cursor_seek(&cursor, index_key(from, &at), &key, &value);
    while (more) {
        cursor_delete(&cursor);
        more = cursor_next(&cursor, &key, &value);
    }
    cursor_close(&cursor);
    bounds->last_index = from - 1;
    bounds->last_term = log_term(txn, log, from - 1);
}

static void append(struct txn *txn, struct log *log, const struct record *record)
{
    struct index_key key;
    struct bytes payload = record->payload;
    uint8_t *room = txn_append_room(
        txn, log->records, index_key(record->index, &key), RECORD_HEADER_SIZE + payload.size);
    if (room == NULL) {
        return;
    }
    record_encode_header(record, log->group, room);
    if (payload.size > 0) {
        memcpy(room + RECORD_HEADER_SIZE, payload.data, payload.size);
    }
}

void log_write(struct txn *txn, struct log *log, const struct log_write *write)
{
    struct log_bounds bounds = log_bounds(txn, log);
    if (txn->status != STATUS_OK) {
        return;
    }
    if (write->truncate_from > 0) {
        truncate(txn, log, write->truncate_from, &bounds);
    }
    for (size_t i = 0; i < write->count && txn->status == STATUS_OK; i++) {
        const struct record *record = &write->records[i];
        assert(record->index == bounds.last_index + 1);
        assert(record->term >= bounds.last_term);
        append(txn, log, record);
        bounds.last_index = record->index;
        bounds.last_term = record->term;
    }
    if (txn->status != STATUS_OK) {
        return;
    }
    if (write->committed > bounds.committed) {
        bounds.committed = write->committed;
    }
    if (write->membership_index > bounds.membership_index) {
        bounds.membership_index = write->membership_index;
    }
    if (write->last_stamp_ms > bounds.last_stamp_ms) {
        bounds.last_stamp_ms = write->last_stamp_ms;
    }
    write_bounds(txn, log, &bounds);
}

/* ---- reading ---- */

bool log_read(struct txn *txn, struct log *log, uint64_t index, struct record *record)
{
    struct index_key key;
    struct bytes value;
    if (!txn_get(txn, log->records, index_key(index, &key), &value)) {
        return false;
    }
    txn_fail(txn, record_decode(value, log->group, index, record));
    return txn->status == STATUS_OK;
}

uint64_t log_term(struct txn *txn, struct log *log, uint64_t index)
{
    struct record record;
    return log_read(txn, log, index, &record) ? record.term : 0;
}

bool log_holds(struct txn *txn, struct log *log, uint64_t to, uint64_t to_term)
{
    return log_bounds(txn, log).committed >= to ||
        (to_term > 0 && log_term(txn, log, to) == to_term);
}

/* How many records from first on fit, and the bytes of their payloads. */
static size_t measure(
    struct cursor *cursor, uint64_t first, size_t count, size_t bytes_max, size_t *bytes)
{
    struct index_key at;
    struct bytes key;
    struct bytes value;
    size_t n = 0;
    *bytes = 0;
    bool more = cursor_seek(cursor, index_key(first, &at), &key, &value);
    while (more && n < count) {
        if (key.size != KEY_SIZE || get_u64_be(key.data) != first + n ||
            value.size < RECORD_HEADER_SIZE) {
            txn_fail(cursor->txn, STATUS_CORRUPT); /* No index is ever missing. */
            return 0;
        }
        size_t size = value.size - RECORD_HEADER_SIZE;
        if (n > 0 && (*bytes > bytes_max || size > bytes_max - *bytes)) {
            break;
        }
        *bytes += size;
        n++;
        more = cursor_next(cursor, &key, &value);
    }
    return n;
}

/* Verifies and copies count records; payloads go to `out`, which has room for all. */
static void copy(struct cursor *cursor, const struct log *log, uint64_t first, size_t count,
    struct record *records)
{
    struct index_key at;
    struct bytes key;
    struct bytes value;
    uint8_t *out = (uint8_t *)(records + count);
    bool more = cursor_seek(cursor, index_key(first, &at), &key, &value);
    for (size_t i = 0; i < count && more; i++) {
        struct record *record = &records[i];
        txn_fail(cursor->txn, record_decode(value, log->group, first + i, record));
        if (cursor->txn->status != STATUS_OK) {
            return;
        }
        if (record->payload.size > 0) {
            memcpy(out, record->payload.data, record->payload.size);
        }
        record->payload.data = out;
        out += record->payload.size;
        more = i + 1 < count && cursor_next(cursor, &key, &value);
    }
}

size_t log_read_range(struct txn *txn, struct log *log, uint64_t first, size_t count,
    size_t bytes_max, struct record **records)
{
    assert(first > 0);

    *records = NULL;
    struct cursor cursor;
    size_t bytes;
    cursor_open(&cursor, txn, log->records);
    size_t n = measure(&cursor, first, count, bytes_max, &bytes);
    struct record *block = NULL;
    if (n > 0 && txn->status == STATUS_OK) {
        block = malloc(n * sizeof *block + bytes);
        if (block == NULL) {
            txn_fail(txn, STATUS_NO_MEMORY);
        } else {
            copy(&cursor, log, first, n, block);
        }
    }
    cursor_close(&cursor);
    if (txn->status != STATUS_OK) {
        free(block);
        return 0;
    }
    *records = block;
    return n;
}

static int read_once(struct log *log, uint64_t first, size_t count, size_t bytes_max,
    struct record **records, size_t *found)
{
    struct txn txn;
    txn_begin_read(&txn, log->env);
    *found = log_read_range(&txn, log, first, count, bytes_max, records);
    txn_abort(&txn);
    return txn.status;
}

int log_read_from(struct log *log, uint64_t first, size_t count, size_t bytes_max,
    struct record **records, size_t *found)
{
    int status = read_once(log, first, count, bytes_max, records, found);
    return status == STATUS_OK ? status : read_once(log, first, 1, bytes_max, records, found);
}
