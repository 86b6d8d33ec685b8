/* The judge of feature level 1, "The journal runs": what is well-formed, comes from a principal in
 * its scope and has not been recorded before is accepted, timeliness NA.
 *
 * Pure: the same state and the same entry give the same verdict on every node, in every later
 * version too. What is judged here of the draft's bytes is read from the bytes, not from the
 * decoded message, wherever a newer schema would decode them differently. */
#ifndef NODE_JOURNAL_DECIDE_H
#define NODE_JOURNAL_DECIDE_H

#include "node/journal/entry.h"
#include "node/journal/verdict.h"

/* The highest feature level this software knows. */
enum { JOURNAL_LEVEL_MAX = 1 };

/* What the judge sees of the state. */
struct decide_state {
    uint32_t level;
    uint64_t first_index; /* Where the entry id of this school stands; 0: nowhere. */
    bool same_draft;      /* … with the same draft's bytes. */
};

/* Whether this principal may write this draft at all; false: verdict says by which rule not. */
bool decide_may_write(const Zhurnal__V1__Draft *draft, const Zhurnal__V1__Principal *principal,
    struct verdict *verdict);

/* Fills outcome, rule, event, first_index, events, count; not the school's fields. STATUS_OK or
 * STATUS_NO_MEMORY. verdict->events is in the arena. */
int decide(const struct decide_state *state, struct bytes slice, const Zhurnal__V1__Draft *draft,
    const Zhurnal__V1__Principal *principal, struct arena *arena, struct verdict *verdict);

#endif
