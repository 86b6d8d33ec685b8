/* The journal on top of the simulated cluster: what nodes apply is judged by the real judge into
 * real views, one set a node, and their digests (which hold every verdict) are compared at each
 * index. Clients send new entries, the same again, and other bytes under a used id; an entry has
 * its effect once, whatever reaches the log twice. Views survive a crash, lag behind it, or are
 * gone.
 *
 * Threads: one. */
#ifndef TESTS_LIB_SIM_JOURNAL_H
#define TESTS_LIB_SIM_JOURNAL_H

#include "node/journal/journal.h"
#include "tests/lib/school_draft.h"
#include "tests/lib/sim.h"

enum { SIM_JOURNAL_ENTRIES_MAX = 20000 };

/* What the first node that applied an index found. */
struct sim_judged {
    uint8_t digest[SHA256_SIZE];
};

struct sim_views {
    struct journal journal;
    struct txn txn;
    bool writing;   /* txn is open. */
    uint64_t index; /* Of the views, with txn. */
};

struct sim_journal {
    struct sim_app app; /* To be given to sim_begin() and sim_live(). */
    struct random_stream random;
    struct sim_views views[SIM_NODES_MAX];
    struct sim_judged *judged; /* By index. */
    size_t judged_count, judged_capacity;
    uint64_t *accepted_at; /* By the number of an entry: the index of its effect. */
    uint64_t entries;      /* Numbers given out. */
    uint64_t stamps;       /* So that no two payloads are equal. */
    struct school_draft draft;
    struct {
        uint64_t accepted, refused, duplicates, applied;
    } count;
};

/* Opens views for each node in a directory. */
void sim_journal_open(struct sim_journal *journal, const char *directory);
void sim_journal_close(struct sim_journal *journal);
/* Before each life. */
void sim_journal_reset(struct sim_journal *journal, uint64_t seed);

#endif
