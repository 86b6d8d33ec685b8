/* Text about persons, taken from the log where it is read. Threads: those of its transaction. */
#ifndef NODE_JOURNAL_UNSEAL_H
#define NODE_JOURNAL_UNSEAL_H

#include "node/journal/roster.h"
#include "storage/log.h"

struct unsealer {
    struct txn *txn; /* Of the log. */
    struct log *log;
    uint64_t index; /* The entry read last: names of a class mostly stand in one. 0: none. */
    struct bytes payload;
};

struct unsealer unsealer_of(struct txn *txn, struct log *log);

/* False where there is no such part, or it was erased. *text is borrowed from the transaction. */
bool unseal(struct unsealer *unsealer, struct part_ref ref, struct bytes *text);

#endif
