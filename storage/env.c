#include "storage/env.h"

#include "storage/directory.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { ROOM_MIN = 1 << 20 }; /* A disk with less is full. */

static int status_from_mdb(int rc)
{
    switch (rc) {
    case MDB_SUCCESS:
        return STATUS_OK;
    case MDB_NOTFOUND:
        return STATUS_NOT_FOUND;
    case MDB_KEYEXIST:
        return STATUS_EXISTS;
    case MDB_MAP_FULL:
        return STATUS_MAP_FULL;
    case ENOSPC:
    case EDQUOT:
        return STATUS_FULL;
    case MDB_TXN_FULL:
        return STATUS_TOO_LARGE;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
    case MDB_INCOMPATIBLE:
        return STATUS_CORRUPT;
    case ENOMEM:
        return STATUS_NO_MEMORY;
    default:
        return STATUS_IO;
    }
}

static int ask_fault(const struct env *env, enum env_op op)
{
    return env->options.fault != NULL ? env->options.fault(env->options.fault_arg, op) : STATUS_OK;
}

static MDB_val val_of(struct bytes bytes)
{
    return (MDB_val){.mv_size = bytes.size, .mv_data = (void *)bytes.data};
}

static struct bytes bytes_of_val(MDB_val val)
{
    return bytes_of(val.mv_data, val.mv_size);
}

/* ---- the environment ---- */

static bool has_no_room(const struct statvfs *fs)
{
    return fs->f_blocks > 0 && (uint64_t)fs->f_bavail * fs->f_frsize < ROOM_MIN;
}

/* LMDB writes a new lock file through a map: without room for it that is death (SIGBUS). */
static int check_room(const char *path, struct error *err)
{
    char file[DIRECTORY_PATH_SIZE];
    struct stat st;
    struct statvfs fs;
    if (directory_join(file, path, "lock.mdb") != STATUS_OK || stat(file, &st) == 0 ||
        statvfs(path, &fs) != 0 || !has_no_room(&fs)) {
        return STATUS_OK;
    }
    return error_set(
        err, STATUS_FULL, "cannot open the database %s: %s", path, status_text(STATUS_FULL));
}

static int open_mdb(struct env *env, const char *path)
{
    const struct env_options *options = &env->options;
    unsigned flags =
        MDB_NOTLS | (options->sync ? 0U : MDB_NOSYNC) | (options->read_only ? MDB_RDONLY : 0U);
    int rc = mdb_env_create(&env->mdb);
    if (rc == MDB_SUCCESS) {
        rc = mdb_env_set_mapsize(env->mdb, options->map_size);
    }
    if (rc == MDB_SUCCESS) {
        rc = mdb_env_set_maxdbs(env->mdb, options->tables_max);
    }
    if (rc == MDB_SUCCESS) {
        rc = mdb_env_open(env->mdb, path, flags, 0600);
    }
    if (rc == MDB_SUCCESS) {
        /* Readers that died in another process would pin old pages for ever. */
        int dead;
        rc = mdb_reader_check(env->mdb, &dead);
    }
    return rc;
}

/* ---- is the file whole? ---- */

/* LMDB's list of free pages is their number, then theirs. How many are `first` or above. */
static uint64_t count_from(struct bytes list, uint64_t first)
{
    const size_t *numbers = (const void *)list.data;
    size_t room = list.size / sizeof *numbers;
    uint64_t count = 0;
    for (size_t i = 1; i < room && i <= numbers[0]; i++) {
        count += numbers[i] >= first;
    }
    return count;
}

/* Pages from `first` on that are in no use. */
static int count_free(struct env *env, uint64_t first, uint64_t *count)
{
    static const struct table free_pages = {.dbi = 0};
    struct txn txn;
    struct cursor cursor;
    struct bytes key;
    struct bytes list;
    *count = 0;
    txn_begin_read(&txn, env);
    cursor_open(&cursor, &txn, free_pages);
    while (cursor_next(&cursor, &key, &list)) {
        *count += count_from(list, first);
    }
    cursor_close(&cursor);
    txn_abort(&txn);
    return txn.status;
}

/* LMDB trusts its own word on how long the file is, and reading past its end is death (SIGBUS). Of
 * the last pages it leaves unwritten those that were taken and freed in one transaction, so that
 * pages in use must be missing before a file is called cut short. To look for them, and for whoever
 * takes the free ones next, a hole is put in their place. */
static int check_length(struct env *env)
{
    mdb_filehandle_t fd;
    MDB_stat stat;
    struct stat st;
    uint64_t free_pages;
    if (mdb_env_get_fd(env->mdb, &fd) != MDB_SUCCESS || fstat(fd, &st) != 0 ||
        mdb_env_stat(env->mdb, &stat) != MDB_SUCCESS) {
        return STATUS_IO;
    }
    uint64_t length = (uint64_t)st.st_size;
    uint64_t used = env_used(env);
    if (length >= used) {
        return STATUS_OK;
    }
    uint64_t present = length / stat.ms_psize;
    if (ftruncate(fd, (off_t)used) == 0 && count_free(env, present, &free_pages) == STATUS_OK &&
        free_pages == used / stat.ms_psize - present) {
        return STATUS_OK;
    }
    return ftruncate(fd, st.st_size) == 0 ? STATUS_CORRUPT : STATUS_IO;
}

int env_open(
    struct env *env, const char *path, const struct env_options *options, struct error *err)
{
    assert(options->map_size > 0);
    assert(options->tables_max > 0);

    *env = (struct env){.options = *options};
    if (!options->read_only) {
        int status = directory_make(path, err);
        if (status == STATUS_OK) {
            status = check_room(path, err);
        }
        if (status != STATUS_OK) {
            return status;
        }
    }
    int rc = open_mdb(env, path);
    if (rc != MDB_SUCCESS) {
        env_close(env);
        return error_set(
            err, status_from_mdb(rc), "cannot open the database %s: %s", path, mdb_strerror(rc));
    }
    int status = options->read_only ? STATUS_OK : check_length(env);
    if (status != STATUS_OK) {
        env_close(env);
        return error_set(err, status, "the database %s %s", path,
            status == STATUS_CORRUPT ? "is cut short: it lacks pages that it uses"
                                     : "cannot be examined");
    }
    if (options->sync && !options->read_only && directory_sync(path) != STATUS_OK) {
        env_close(env);
        return error_set(
            err, STATUS_IO, "cannot flush the directory %s: %s", path, strerrordesc_np(errno));
    }
    return STATUS_OK;
}

void env_close(struct env *env)
{
    if (env->mdb != NULL) {
        mdb_env_close(env->mdb);
        env->mdb = NULL;
    }
}

int env_table(struct env *env, const char *name, struct table *table, struct error *err)
{
    bool read_only = env->options.read_only;
    struct txn txn;
    if (read_only) {
        txn_begin_read(&txn, env);
    } else {
        txn_begin_write(&txn, env);
    }
    if (txn.status == STATUS_OK) {
        unsigned flags = read_only ? 0U : MDB_CREATE;
        txn_fail(&txn, status_from_mdb(mdb_dbi_open(txn.mdb, name, flags, &table->dbi)));
    }
    /* A handle opened in a transaction is everybody's only once that has committed. */
    int status = txn_commit(&txn);
    return status == STATUS_OK
        ? STATUS_OK
        : error_set(err, status, "cannot open table %s: %s", name, status_text(status));
}

int env_sync(struct env *env)
{
    assert(env->mdb != NULL);

    int status = ask_fault(env, ENV_OP_SYNC);
    return status == STATUS_OK ? status_from_mdb(mdb_env_sync(env->mdb, 1)) : status;
}

uint64_t env_used(struct env *env)
{
    assert(env->mdb != NULL);

    MDB_envinfo info;
    MDB_stat stat;
    int rc = mdb_env_info(env->mdb, &info);
    assert(rc == MDB_SUCCESS);
    rc = mdb_env_stat(env->mdb, &stat);
    assert(rc == MDB_SUCCESS);
    return ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize;
}

/* ---- transactions ---- */

static void txn_begin(struct txn *txn, struct env *env, unsigned flags)
{
    assert(env->mdb != NULL);

    *txn = (struct txn){.env = env, .status = ask_fault(env, ENV_OP_BEGIN)};
    if (txn->status == STATUS_OK) {
        txn->status = status_from_mdb(mdb_txn_begin(env->mdb, NULL, flags, &txn->mdb));
    }
}

void txn_begin_read(struct txn *txn, struct env *env)
{
    txn_begin(txn, env, MDB_RDONLY);
}

void txn_begin_write(struct txn *txn, struct env *env)
{
    assert(!env->options.read_only);

    txn_begin(txn, env, 0);
}

/* True if txn may still change something; asks the fault seam on the way. */
static bool may_write(struct txn *txn)
{
    if (txn->status == STATUS_OK) {
        txn->status = ask_fault(txn->env, ENV_OP_PUT);
    }
    return txn->status == STATUS_OK;
}

/* Leaves in *value where it now lies. */
static void put(
    struct txn *txn, struct table table, struct bytes key, MDB_val *value, unsigned flags)
{
    assert(key.size > 0 && key.size <= ENV_KEY_MAX);

    if (may_write(txn)) {
        MDB_val k = val_of(key);
        txn->status = status_from_mdb(mdb_put(txn->mdb, table.dbi, &k, value, flags));
    }
}

void txn_insert(struct txn *txn, struct table table, struct bytes key, struct bytes value)
{
    MDB_val v = val_of(value);
    put(txn, table, key, &v, MDB_NOOVERWRITE);
}

void txn_append(struct txn *txn, struct table table, struct bytes key, struct bytes value)
{
    MDB_val v = val_of(value);
    put(txn, table, key, &v, MDB_APPEND);
}

uint8_t *txn_append_room(struct txn *txn, struct table table, struct bytes key, size_t size)
{
    MDB_val v = {.mv_size = size};
    put(txn, table, key, &v, MDB_APPEND | MDB_RESERVE);
    return txn->status == STATUS_OK ? v.mv_data : NULL;
}

void txn_put(struct txn *txn, struct table table, struct bytes key, struct bytes value)
{
    MDB_val v = val_of(value);
    put(txn, table, key, &v, 0);
}

void txn_delete(struct txn *txn, struct table table, struct bytes key)
{
    assert(key.size > 0 && key.size <= ENV_KEY_MAX);

    if (may_write(txn)) {
        MDB_val k = val_of(key);
        int rc = mdb_del(txn->mdb, table.dbi, &k, NULL);
        txn->status = rc == MDB_NOTFOUND ? STATUS_OK : status_from_mdb(rc);
    }
}

void txn_clear(struct txn *txn, struct table table)
{
    if (may_write(txn)) {
        txn->status = status_from_mdb(mdb_drop(txn->mdb, table.dbi, 0));
    }
}

bool txn_get(struct txn *txn, struct table table, struct bytes key, struct bytes *value)
{
    assert(key.size > 0 && key.size <= ENV_KEY_MAX);

    if (txn->status != STATUS_OK) {
        return false;
    }
    MDB_val k = val_of(key);
    MDB_val v;
    int rc = mdb_get(txn->mdb, table.dbi, &k, &v);
    if (rc == MDB_SUCCESS) {
        *value = bytes_of_val(v);
        return true;
    }
    if (rc != MDB_NOTFOUND) {
        txn->status = status_from_mdb(rc);
    }
    return false;
}

uint64_t txn_count(struct txn *txn, struct table table)
{
    if (txn->status != STATUS_OK) {
        return 0;
    }
    MDB_stat stat = {0};
    txn->status = status_from_mdb(mdb_stat(txn->mdb, table.dbi, &stat));
    return stat.ms_entries;
}

void txn_fail(struct txn *txn, int status)
{
    if (txn->status == STATUS_OK) {
        txn->status = status;
    }
}

/* LMDB calls it an input/output error where the disk took a part of what it was given, as one does
 * that fills meanwhile. */
static int status_of_commit(const struct env *env, int rc)
{
    mdb_filehandle_t fd;
    struct statvfs fs;
    bool full = rc == EIO && mdb_env_get_fd(env->mdb, &fd) == MDB_SUCCESS &&
        fstatvfs(fd, &fs) == 0 && has_no_room(&fs);
    return full ? STATUS_FULL : status_from_mdb(rc);
}

int txn_commit(struct txn *txn)
{
    if (txn->status == STATUS_OK) {
        txn->status = ask_fault(txn->env, ENV_OP_COMMIT);
    }
    if (txn->status != STATUS_OK) {
        txn_abort(txn);
        return txn->status;
    }
    assert(txn->mdb != NULL);
    txn->status = status_of_commit(txn->env, mdb_txn_commit(txn->mdb));
    txn->mdb = NULL;
    return txn->status;
}

void txn_abort(struct txn *txn)
{
    if (txn->mdb != NULL) {
        mdb_txn_abort(txn->mdb);
        txn->mdb = NULL;
    }
}

/* ---- cursors ---- */

void cursor_open(struct cursor *cursor, struct txn *txn, struct table table)
{
    *cursor = (struct cursor){.txn = txn};
    if (txn->status == STATUS_OK) {
        txn->status = status_from_mdb(mdb_cursor_open(txn->mdb, table.dbi, &cursor->mdb));
    }
}

static bool cursor_get(
    struct cursor *cursor, MDB_cursor_op op, MDB_val *k, struct bytes *key, struct bytes *value)
{
    struct txn *txn = cursor->txn;
    if (txn->status != STATUS_OK) {
        return false;
    }
    MDB_val v;
    int rc = mdb_cursor_get(cursor->mdb, k, &v, op);
    if (rc == MDB_SUCCESS) {
        *key = bytes_of_val(*k);
        *value = bytes_of_val(v);
        return true;
    }
    if (rc != MDB_NOTFOUND) {
        txn->status = status_from_mdb(rc);
    }
    return false;
}

bool cursor_seek(struct cursor *cursor, struct bytes from, struct bytes *key, struct bytes *value)
{
    assert(from.size > 0 && from.size <= ENV_KEY_MAX);

    MDB_val k = val_of(from);
    return cursor_get(cursor, MDB_SET_RANGE, &k, key, value);
}

bool cursor_next(struct cursor *cursor, struct bytes *key, struct bytes *value)
{
    MDB_val k;
    return cursor_get(cursor, MDB_NEXT, &k, key, value);
}

bool cursor_last(struct cursor *cursor, struct bytes *key, struct bytes *value)
{
    MDB_val k;
    return cursor_get(cursor, MDB_LAST, &k, key, value);
}

void cursor_delete(struct cursor *cursor)
{
    if (may_write(cursor->txn)) {
        cursor->txn->status = status_from_mdb(mdb_cursor_del(cursor->mdb, 0));
    }
}

void cursor_close(struct cursor *cursor)
{
    if (cursor->mdb != NULL) {
        mdb_cursor_close(cursor->mdb);
        cursor->mdb = NULL;
    }
}
