/* What an accepted entry changes: the roster, the facts on pages, the corrections of facts.
 *
 * Table `effects`: index u64 → for each event of the entry 36 bytes, {fact's key without its school
 * (26) ‖ root index u64 ‖ root event u16}, zeros where the event is no fact. So a reference to an
 * event, or to a correction of it, finds the row it means, and a fact set anew under the same key
 * is not mistaken for the one that was voided. Entries without facts have no row.
 *
 * At level 1 every well-formed reference is accepted: one that leads nowhere, to a fact that is
 * void or to one of another kind changes nothing. */
#ifndef NODE_JOURNAL_EVOLVE_H
#define NODE_JOURNAL_EVOLVE_H

#include "node/journal/journal.h"

enum { EFFECT_SIZE = 26 + 8 + 2 };

/* state carries what the entry changes in it: level, clock epoch, last stamp. */
void evolve(struct txn *txn, struct journal *journal, uint64_t index, const struct entry *entry,
    struct arena *arena, struct journal_state *state);

#endif
