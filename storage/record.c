#include "storage/record.h"

#include "proto/integer.h"
#include "proto/status.h"
#include "storage/crc32c.h"

#include <assert.h>

enum {
    AT_FORMAT = 0,
    AT_KIND = 1,
    AT_ZERO = 2,
    AT_LENGTH = 4,
    AT_TERM = 8,
    AT_CRC = 16,
};
static_assert(AT_CRC + sizeof(uint32_t) == RECORD_HEADER_SIZE, "the checksum ends the header");

static bool kind_is_known(unsigned kind)
{
    return kind >= RECORD_COMMAND && kind <= RECORD_ERASED;
}

static uint32_t checksum(
    uint32_t group, uint64_t index, const uint8_t *header, struct bytes payload)
{
    uint8_t place[sizeof group + sizeof index];
    put_u32_le(place, group);
    put_u64_le(place + sizeof group, index);
    uint32_t crc = crc32c(0, place, sizeof place);
    crc = crc32c(crc, header, AT_CRC);
    return crc32c(crc, payload.data, payload.size);
}

void record_encode_header(const struct record *record, uint32_t group, uint8_t *out)
{
    assert(record->index > 0);
    assert(kind_is_known(record->kind));
    assert(record->payload.size <= UINT32_MAX);

    out[AT_FORMAT] = RECORD_FORMAT;
    out[AT_KIND] = (uint8_t)record->kind;
    out[AT_ZERO] = 0;
    out[AT_ZERO + 1] = 0;
    put_u32_le(out + AT_LENGTH, (uint32_t)record->payload.size);
    put_u64_le(out + AT_TERM, record->term);
    put_u32_le(out + AT_CRC, checksum(group, record->index, out, record->payload));
}

int record_decode(struct bytes stored, uint32_t group, uint64_t index, struct record *record)
{
    if (stored.size < RECORD_HEADER_SIZE) {
        return STATUS_CORRUPT;
    }
    const uint8_t *at = stored.data;
    struct bytes payload = bytes_of(at + RECORD_HEADER_SIZE, stored.size - RECORD_HEADER_SIZE);
    if (get_u32_le(at + AT_CRC) != checksum(group, index, at, payload)) {
        return STATUS_CORRUPT;
    }
    if (at[AT_FORMAT] != RECORD_FORMAT || !kind_is_known(at[AT_KIND]) || at[AT_ZERO] != 0 ||
        at[AT_ZERO + 1] != 0) {
        return STATUS_UNIMPLEMENTED;
    }
    if (get_u32_le(at + AT_LENGTH) != payload.size) {
        return STATUS_CORRUPT;
    }
    *record = (struct record){
        .index = index,
        .term = get_u64_le(at + AT_TERM),
        .kind = (enum record_kind)at[AT_KIND],
        .payload = payload,
    };
    return STATUS_OK;
}
