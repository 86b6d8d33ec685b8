#include "node/journal/unseal.h"

#include "node/journal/entry.h"

struct unsealer unsealer_of(struct txn *txn, struct log *log)
{
    return (struct unsealer){.txn = txn, .log = log};
}

bool unseal(struct unsealer *unsealer, struct part_ref ref, struct bytes *text)
{
    if (ref.part == 0) {
        return false;
    }
    if (unsealer->index != ref.index) {
        struct record record;
        if (!log_read(unsealer->txn, unsealer->log, ref.index, &record)) {
            return false;
        }
        unsealer->index = ref.index;
        unsealer->payload =
            record.kind == RECORD_COMMAND ? record.payload : bytes_of(record.payload.data, 0);
    }
    return entry_part(unsealer->payload, ref.part, text);
}
