/* The log of one group: the Raft log and the journal's ground truth in one LMDB table, index →
 * record.
 *
 * Invariants: the indexes held are exactly 1 … bounds.last_index; what is <= bounds.committed is
 * never changed or removed, and committed never goes back. Every transaction that touches the log
 * writes its bounds too, so what is committed is known after a power cut, and at open the table
 * must end where the bounds say.
 *
 *     table log.<group>  key index u64 BE → record (storage/record.h)
 *     table bounds       key group u32 BE → bounds, integers little-endian:
 *
 *     offset  size  field
 *          0     4  format, 1
 *          4     8  last_index
 *         12     8  last_term
 *         20     8  committed
 *         28     8  membership_index
 *         36     8  last_stamp_ms
 *         44     4  CRC-32C over group u32 and all before it
 *
 * This interface is all that others know of how entries are kept: write a batch, read a range, term
 * of an index, bounds.
 *
 * Threads: log_write() on the writer thread; reads in any read transaction, on any thread. */
#ifndef STORAGE_LOG_H
#define STORAGE_LOG_H

#include "storage/env.h"
#include "storage/record.h"

struct log_bounds {
    uint64_t last_index; /* 0: empty. */
    uint64_t last_term;
    uint64_t committed;
    uint64_t membership_index; /* The newest membership record <= committed; 0: none. */
    int64_t last_stamp_ms;     /* The greatest recorded_at ever in the log. */
};

struct log {
    struct env *env;
    uint32_t group;
    struct table records;
    struct table bounds;
};

/* One change of the log. Truncation comes first, then the records, which follow on what is left
 * without a gap, then the bounds. */
struct log_write {
    uint64_t truncate_from; /* Drop this index and all above it; 0: none. Must be > committed. */
    const struct record *records;
    size_t count;
    uint64_t committed; /* New value, if greater than the old; never beyond the new last index. */
    uint64_t membership_index; /* As committed: only ever grows. */
    int64_t last_stamp_ms;     /* The same. */
};

/* The environment's options for a log. map_size 0: 256 GiB. */
struct env_options log_env_options(size_t map_size);

/* Makes an empty log where there is none. STATUS_CORRUPT where the table does not end where the
 * bounds say, with a sentence that says what to do; STATUS_UNIMPLEMENTED where a newer version
 * wrote it. */
int log_open(struct log *log, struct env *env, uint32_t group, struct error *err);

/* Sets the sentence for a log that does not read at index (0: not at any one), and returns status,
 * which says why. */
int log_explain(const struct log *log, uint64_t index, int status, struct error *err);

/* What a change did to the log is seen when txn commits. Terms never fall from record to record,
 * and kinds are known: the caller has checked what came from the wire. */
void log_write(struct txn *txn, struct log *log, const struct log_write *write);

struct log_bounds log_bounds(struct txn *txn, struct log *log);

/* True if there is a record at index. It is verified: one that is not as it was written, or that
 * only a newer version knows, fails txn as record_decode() says. record->payload is borrowed until
 * txn ends or next writes. */
bool log_read(struct txn *txn, struct log *log, uint64_t index, struct record *record);

/* 0 where there is no record. */
uint64_t log_term(struct txn *txn, struct log *log, uint64_t index);

/* True if all up to `to` stands here as whoever asks knows it to be committed: it is committed here
 * too, or its entry has that term (0: not said), and then all before it is the same and stays,
 * though nobody may be left to tell this node that it is committed. */
bool log_holds(struct txn *txn, struct log *log, uint64_t to, uint64_t to_term);

/* Records from first on: at most count, at most bytes_max of payload (but always one), copied into
 * one malloc'ed block: *records is its start and the owner frees it. Returns how many; 0 where
 * first is not there or txn failed. */
size_t log_read_range(struct txn *txn, struct log *log, uint64_t first, size_t count,
    size_t bytes_max, struct record **records);

/* The same in a transaction of its own, for whoever must name the index that does not read: where
 * one does not, the record at first alone is given, and it fails only for that one. *found 0 with
 * STATUS_OK: first is not there. */
int log_read_from(struct log *log, uint64_t first, size_t count, size_t bytes_max,
    struct record **records, size_t *found);

#endif
