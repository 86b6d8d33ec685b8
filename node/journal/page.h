/* One page of the journal, read: its pupils, lessons, marks, absences and homework as they stand,
 * corrections applied. Names and comments are not in the views: they are unsealed from the log at
 * each read, so that an erasure in the log is an erasure everywhere.
 *
 * Threads: any, over read transactions. */
#ifndef NODE_JOURNAL_PAGE_H
#define NODE_JOURNAL_PAGE_H

#include "node/journal/journal.h"
#include <zhurnal/v1/journal.pb-c.h>

enum {
    PAGE_REPLY_MAX = 3 << 20,    /* Encoded; below what stock clients take, 4 MiB. */
    PAGE_ARENA_LIMIT = 64 << 20, /* What an arena for one page must have. */
};

struct journal_reader {
    struct txn *views; /* Begun first. */
    struct journal *journal;
    struct txn *log_txn; /* Begun after views, so that it holds all that views refer to. */
    struct log *log;
};

/* *page is in the arena. STATUS_NOT_FOUND, STATUS_INVALID, STATUS_TOO_LARGE (a single day that does
 * not fit), STATUS_NO_MEMORY or a transaction's. Who may read is the caller's to check. */
int journal_page(const struct journal_reader *reader, const Zhurnal__V1__GetPageRequest *request,
    struct arena *arena, Zhurnal__V1__GetPageResponse **page, struct error *err);

#endif
