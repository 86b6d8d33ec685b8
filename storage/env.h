/* An LMDB environment, and transactions over it.
 *
 * A transaction remembers its first failure. After it every call on that transaction is a no-op,
 * and txn_commit() aborts and returns that failure, so a sequence of puts reads as one straight
 * line with one check at its end.
 *
 * The map is fixed at open and never resized: a live reader would make that a crash. A read
 * transaction never spans a wait or a send: whoever reads much copies at most 1 MiB, ends it and
 * goes on by key, for one pinned reader makes the file grow without bound. A process opens an
 * environment once.
 *
 * Threads: one write transaction at a time, begun and ended on the one thread that owns writing to
 * this environment. A read transaction may be used from any one thread at a time (MDB_NOTLS). */
#ifndef STORAGE_ENV_H
#define STORAGE_ENV_H

#include "proto/bytes.h"
#include "proto/status.h"

#include <lmdb.h>

enum env_op { ENV_OP_BEGIN, ENV_OP_PUT, ENV_OP_COMMIT, ENV_OP_SYNC };

enum { ENV_KEY_MAX = 511 }; /* Bytes of a key; at least one. */

struct env_options {
    size_t map_size;     /* Address space, not disk: the file grows as it is written. */
    unsigned tables_max; /* Named tables. */
    bool sync;           /* False: a power cut may lose everything (views, tests). */
    bool read_only;
    /* Asked before each operation, which fails with its answer. NULL outside tests. */
    int (*fault)(void *arg, enum env_op op);
    void *fault_arg;
};

struct env {
    MDB_env *mdb;
    struct env_options options;
};

/* A named table of an environment. */
struct table {
    MDB_dbi dbi;
};

struct txn {
    struct env *env;
    MDB_txn *mdb;
    int status; /* First failure, or STATUS_OK. */
};

/* The directory is made (0700) unless read_only; it and its file are flushed into place. On failure
 * env is left closed. STATUS_CORRUPT: what is there is no environment, or has lost its end (not
 * looked for if read_only). STATUS_FULL: there is no room to make one. */
int env_open(
    struct env *env, const char *path, const struct env_options *options, struct error *err);

/* Closing a closed environment is a no-op. No transaction may be open. */
void env_close(struct env *env);

/* Makes the table if it is not there (STATUS_NOT_FOUND if read_only). Not while any transaction of
 * this environment is open. */
int env_table(struct env *env, const char *name, struct table *table, struct error *err);

/* Flushes what MDB_NOSYNC left in the page cache. */
int env_sync(struct env *env);

/* Bytes of the file in use. */
uint64_t env_used(struct env *env);

void txn_begin_read(struct txn *txn, struct env *env);
void txn_begin_write(struct txn *txn, struct env *env);

/* The key must be new: otherwise txn fails with STATUS_EXISTS. */
void txn_insert(struct txn *txn, struct table table, struct bytes key, struct bytes value);
/* The key must be greater than all others, or txn fails with STATUS_EXISTS: fills pages to the brim
 * (MDB_APPEND). */
void txn_append(struct txn *txn, struct table table, struct bytes key, struct bytes value);
/* The same with a value of so many bytes that the caller writes in place, before the next call on
 * txn. NULL where txn failed. */
uint8_t *txn_append_room(struct txn *txn, struct table table, struct bytes key, size_t size);
/* Replaces any earlier value. */
void txn_put(struct txn *txn, struct table table, struct bytes key, struct bytes value);
/* No-op where the key is not there. */
void txn_delete(struct txn *txn, struct table table, struct bytes key);
/* Drops every row of the table. */
void txn_clear(struct txn *txn, struct table table);

/* True if found. *value is borrowed from the map until the transaction ends or next writes. */
bool txn_get(struct txn *txn, struct table table, struct bytes key, struct bytes *value);

/* Rows in the table. */
uint64_t txn_count(struct txn *txn, struct table table);

/* Fails txn with status unless it failed before. */
void txn_fail(struct txn *txn, int status);

/* Both end the transaction, whatever they return. */
int txn_commit(struct txn *txn);
void txn_abort(struct txn *txn);

/* A walk over a table in key order. *key and *value are borrowed as by txn_get(). cursor_close() is
 * due before the transaction ends, and harmless twice. */
struct cursor {
    struct txn *txn;
    MDB_cursor *mdb;
};
void cursor_open(struct cursor *cursor, struct txn *txn, struct table table);
/* The first key >= from; false where there is none. */
bool cursor_seek(struct cursor *cursor, struct bytes from, struct bytes *key, struct bytes *value);
bool cursor_next(struct cursor *cursor, struct bytes *key, struct bytes *value);
bool cursor_last(struct cursor *cursor, struct bytes *key, struct bytes *value);
/* Deletes the row the cursor stands on; cursor_next() then gives the one after it. */
void cursor_delete(struct cursor *cursor);
void cursor_close(struct cursor *cursor);

#endif
