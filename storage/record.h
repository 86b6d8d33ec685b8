/* One record of the log as it lies on disk: a fixed little-endian header, then the payload as it
 * was given.
 *
 *     offset  size  field
 *          0     1  format, 1
 *          1     1  kind
 *          2     2  zero
 *          4     4  payload length
 *          8     8  term
 *         16     4  CRC-32C over group u32 LE, index u64 LE, header up to here, payload
 *         20     …  payload
 *
 * Group and index stand in the checksum, not in the bytes: a record that turns up in another's
 * place is found out. Pure; any thread. */
#ifndef STORAGE_RECORD_H
#define STORAGE_RECORD_H

#include "proto/bytes.h"

/* The numbers are those of zhurnal.v1.RecordKind. */
enum record_kind {
    RECORD_COMMAND = 1,
    RECORD_BARRIER = 2,
    RECORD_MEMBERSHIP = 3,
    RECORD_ERASED = 4,
};

enum { RECORD_HEADER_SIZE = 20, RECORD_FORMAT = 1 };

struct record {
    uint64_t index;
    uint64_t term;
    enum record_kind kind;
    struct bytes payload; /* Borrowed. */
};

/* Writes RECORD_HEADER_SIZE bytes; the payload, at most UINT32_MAX bytes, goes behind them. */
void record_encode_header(const struct record *record, uint32_t group, uint8_t *out);

/* Checks the checksum and every field. STATUS_OK, STATUS_CORRUPT, or STATUS_UNIMPLEMENTED: it is
 * whole, but of a format or kind that only a newer version knows. record->payload is borrowed from
 * stored. */
int record_decode(struct bytes stored, uint32_t group, uint64_t index, struct record *record);

#endif
