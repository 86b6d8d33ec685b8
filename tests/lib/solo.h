/* One node's group in a world that moves only when told: disk, apply and clocks wait for the test.
 * Failures of the fixture itself are assert()s. */
#ifndef TESTS_LIB_SOLO_H
#define TESTS_LIB_SOLO_H

#include "node/group.h"
#include "storage/state.h"
#include "tests/lib/school_draft.h"
#include "tests/lib/tmpdir.h"

enum { SOLO_NODE = 0xa1, SOLO_SCHOOL = 77 }; /* The school of ledger_front_end. */

struct solo {
    struct tmpdir dir;
    struct env env;
    struct log log;
    struct state state;
    struct journal journal;
    uint64_t journal_index;
    struct group *group;
    /* The world. */
    uint64_t now_ms;
    struct clock_reading clock;
    struct driver_write *writes; /* Not written yet, oldest first. */
    uint64_t apply_from, apply_to;
    int apply_fails; /* What comes of applying; STATUS_OK: what should. */
    bool woken;
    int fatal;     /* STATUS_OK: all is well. */
    char why[256]; /* Of fatal. */
    uint64_t entropy;
    struct school_draft *draft;
    const Zhurnal__V1__Principal *caller; /* The school's front end at first. */
};

/* The last answer of a call, copied. */
struct solo_answer {
    unsigned count;
    int status;
    char sentence[256];
    uint64_t index, taken_index;
    int64_t recorded_at_ms;
    struct verdict verdict; /* Without events. */
};

/* A cluster of so many voters, of which this is one. */
void solo_open(struct solo *solo, unsigned voters);
void solo_close(struct solo *solo);
/* As kill -9: what was not written is lost. */
void solo_restart(struct solo *solo);

/* Lets so much time pass, then everything run until nothing more happens. */
void solo_run(struct solo *solo, uint64_t ms);
/* One turn, and neither disk nor apply. */
void solo_turn(struct solo *solo);
/* All that waits is on disk. */
void solo_flush(struct solo *solo);

/* An AppendRequest with one mark; borrowed until the next. Its entry id is `id` repeated. */
struct bytes solo_mark(struct solo *solo, uint8_t id, uint32_t number);
void solo_submit(struct solo *solo, struct bytes request, struct solo_answer *answer);
/* Submits and runs. */
struct solo_answer solo_append(struct solo *solo, struct bytes request);

#endif
