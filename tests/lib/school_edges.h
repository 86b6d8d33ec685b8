/* What stands at the edge of the rules and must always be tried, whatever the seed: in a school of
 * its own, so that the lifelike one stays lifelike.
 *
 * 5А has 40 pupils, 5Б has one. A lesson on a Saturday, and one on the last day of a quarter by the
 * class's own teacher, saved twice with the same entry id; marks in the last millisecond before the
 * midnight and the noon after it, where deadlines end, and in the first behind each; a mark
 * corrected 20 times over; two guardians, one of whom may not read; a pupil who takes another name;
 * a page handed over to another teacher; a new UTC offset; a kind of event that nobody knows.
 *
 * Not here, as the journal has no rules for it yet: deadlines and what extends them, sign-offs and
 * unlocks, rights by role, substitutes, two corrections of one mark at once, names that were
 * erased.
 *
 * One thread. */
#ifndef TESTS_LIB_SCHOOL_EDGES_H
#define TESTS_LIB_SCHOOL_EDGES_H

#include "tests/lib/school.h"
#include "tests/lib/school_random.h"

enum { EDGES_CROWD = 40, EDGES_CORRECTIONS = 20 };

/* The pupil's new surname. */
#define EDGES_SURNAME "Солтаханов-Закриев"

struct school_edges {
    struct school *school; /* Its set-up comes before the edges: school_set_up_next(). */
    uint32_t saturday;
    uint32_t quarter_end; /* Not before it. */
    size_t crowd, alone;  /* Pages, by number: of 5А and of 5Б. */

    /* Private. */
    struct random_stream stream;
    unsigned step, step_at; /* Where it stands. */
    uint64_t crowd_lesson, alone_lesson;
    uint8_t corrected_entry[SCHOOL_ENTRY_ID_SIZE];
    unsigned corrected_event;
    struct school_entry last;
};

/* What the journal must answer. */
enum edges_answer { EDGES_ACCEPTED, EDGES_DUPLICATE, EDGES_REFUSED };

/* At the end of the last quarter that ended by this day. False: no memory. */
bool edges_init(struct school_edges *edges, uint64_t seed, uint32_t day, int utc_offset_minutes);
void edges_deinit(struct school_edges *edges);

/* The next entry, and what is to be answered; false when it was the last. The refused come last. */
bool edges_next(struct school_edges *edges, struct school_entry *entry, enum edges_answer *answer);

#endif
