/* The journal of one group: what its log says, judged and turned into views.
 *
 *     views_env:  state      how far, the running digest, feature level, clock epoch
 *                 verdicts   index → Verdict
 *                 entries    school ‖ entry id → index, draft's hash: exactly once, never trimmed
 *                 schools    school → how many entries, leaf of the last
 *                 roster     who and what there is
 *                 facts      lessons, marks, absences …: what pages show
 *                 effects    index → where each event's fact stands, for corrections
 *
 * Everything is derived from the log; all nodes that applied the same index hold the same state.
 * No clock, no random, no environment, no floating point, no iteration over unordered things.
 *
 * Threads: journal_apply() on the apply thread, in the one write transaction; all that takes a read
 * transaction on any thread. */
#ifndef NODE_JOURNAL_JOURNAL_H
#define NODE_JOURNAL_JOURNAL_H

#include "node/journal/decide.h"
#include "proto/uuid.h"
#include "storage/log.h"
#include "storage/views.h"

enum {
    JOURNAL_SCHEMA = 2, /* Another: views are dropped and rebuilt. */
    /* What an arena for journal_apply() must have, alike on every node: the judge must not depend
     * on memory. */
    JOURNAL_ARENA_LIMIT = 64 << 20,
};

struct journal_options {
    size_t map_size;     /* 0: 64 GiB. */
    const char *boot_id; /* NULL: the machine's. */
};

struct journal {
    struct views views; /* Begin transactions on views.env. */
    uint32_t group;
    struct table state, verdicts, entries, schools, roster, facts, effects;
};

/* As of an index. */
struct journal_state {
    uint64_t index;
    uint8_t digest[SHA256_SIZE];
    uint32_t level;
    uint32_t clock_epoch;
    /* The last command's recorded_at, or the time that a ClockReset set. Before it no command is
     * stamped in this clock epoch. */
    int64_t last_stamp_ms;
};

/* path is the group's own directory. *index: apply goes on behind it. */
int journal_open(struct journal *journal, const char *path, uint32_t group,
    const struct journal_options *options, uint64_t *index, struct error *err);

/* The next to open it rebuilds it; whoever reads it meanwhile goes on. */
void journal_distrust(struct journal *journal);

/* broken: the contents are not to be trusted, and rebuilt at the next open. */
void journal_close(struct journal *journal, bool broken);

/* Applies the record that follows on the journal's index, and stamps the views with it; any number
 * in one transaction. *verdict is the command's (in the arena), zeros for other kinds. The arena
 * has JOURNAL_ARENA_LIMIT and is empty; the caller resets it after each record.
 *
 * STATUS_UNIMPLEMENTED, with txn as it was and fit to be committed: the feature level, or the kind
 * of record, is beyond this software. It stops applying and says so. Any other failure is txn's:
 * the caller aborts; STATUS_FULL and STATUS_MAP_FULL park, the rest ends the process. */
int journal_apply(struct txn *txn, struct journal *journal, const struct record *record,
    struct arena *arena, struct verdict *verdict);

struct journal_state journal_state(struct txn *txn, struct journal *journal);

/* Is the entry id recorded? Then where, and the hash of its draft's bytes. */
bool journal_find(struct txn *txn, struct journal *journal, uint64_t school,
    const uint8_t entry_id[ENTRY_ID_SIZE], uint64_t *index, uint8_t draft_hash[SHA256_SIZE]);

/* The verdict of the command at index. False where there is none, or txn failed. */
bool journal_verdict(struct txn *txn, struct journal *journal, uint64_t index, struct arena *arena,
    struct verdict *verdict);

/* The data directory that the log knows a node by (its first NodeAdded); another directory under
 * that node's id is another node. False: none is recorded. */
bool journal_node(
    struct txn *txn, struct journal *journal, uint64_t node, uint8_t directory[UUID_SIZE]);

/* The verdict a submission would get now: check_only. Nothing is written; school_index is 0.
 * STATUS_OK, STATUS_UNIMPLEMENTED, STATUS_NO_MEMORY or txn's. */
int journal_check(struct txn *txn, struct journal *journal, const struct submission *submission,
    const Zhurnal__V1__Principal *principal, struct arena *arena, struct verdict *verdict);

#endif
