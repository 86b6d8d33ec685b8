/* A log fed as a leader would feed it, and journals read from it: what tests of the journal need of
 * a node, without one. Failures of the fixture itself are assert()s. */
#ifndef TESTS_LIB_LEDGER_H
#define TESTS_LIB_LEDGER_H

#include "node/journal/page.h"
#include "tests/lib/school_draft.h"
#include "tests/lib/tmpdir.h"

enum { LEDGER_SCHOOL = 77, LEDGER_GROUP = 1 };

struct ledger {
    struct tmpdir dir;
    struct env env;
    struct log log;
    uint64_t last;    /* Index in the log. */
    int64_t clock_ms; /* One second more for each entry. */
    uint64_t entropy; /* For entry ids. */
    struct school_draft *draft;
};

void ledger_open(struct ledger *ledger);
void ledger_close(struct ledger *ledger);

/* Of LEDGER_SCHOOL, and others. */
extern const Zhurnal__V1__Principal ledger_front_end;
extern const Zhurnal__V1__Principal ledger_founder;
extern const Zhurnal__V1__Principal ledger_operator;

/* A new draft of LEDGER_SCHOOL, to be filled by DRAFT_ADD(). */
struct school_draft *ledger_begin(struct ledger *ledger, uint32_t day);
/* Encodes it, and appends it as the front end's. Returns its index. */
uint64_t ledger_end(struct ledger *ledger);

/* An AppendRequest, as a leader records it. Returns its index. */
uint64_t ledger_append(
    struct ledger *ledger, struct bytes request, const Zhurnal__V1__Principal *principal);
uint64_t ledger_append_record(struct ledger *ledger, enum record_kind kind, struct bytes payload);

/* A journal in a directory of its own under the ledger's. Returns how far it had come. */
uint64_t ledger_open_journal(struct ledger *ledger, struct journal *journal, const char *name);

/* Applies up to an index, so many records a transaction. Returns journal_apply()'s last status. */
int ledger_apply(struct ledger *ledger, struct journal *journal, uint64_t to, uint64_t batch);

/* As of now; events are not kept. */
struct verdict ledger_verdict(struct journal *journal, uint64_t index);
struct journal_state ledger_state(struct journal *journal);

/* *page is in the arena, which the caller has set up. */
int ledger_page(struct ledger *ledger, struct journal *journal,
    const Zhurnal__V1__GetPageRequest *request, struct arena *arena,
    Zhurnal__V1__GetPageResponse **page);

#endif
