#include "tests/lib/handmade.h"

#include "storage/founding.h"
#include "tests/lib/sim.h"

#include <assert.h>

struct handmade *make_append(
    struct handmade *made, uint64_t term, uint64_t prev_index, uint64_t prev_term)
{
    zhurnal__peer__v1__frame__init(&made->frame);
    zhurnal__peer__v1__append_entries__init(&made->append);
    made->frame.group = SIM_GROUP;
    made->frame.message_case = ZHURNAL__PEER__V1__FRAME__MESSAGE_APPEND_ENTRIES;
    made->frame.append_entries = &made->append;
    made->append.version = 1;
    made->append.term = term;
    made->append.prev_log_index = prev_index;
    made->append.prev_log_term = prev_term;
    made->append.records = made->pointers;
    return made;
}

void add_record(struct handmade *made, enum record_kind kind, uint64_t term, struct bytes payload)
{
    assert(made->append.n_records < HANDMADE_RECORDS_MAX);
    size_t n = made->append.n_records++;
    zhurnal__peer__v1__record__init(&made->records[n]);
    made->records[n].kind = kind;
    made->records[n].term = term;
    made->records[n].payload.data = (uint8_t *)payload.data;
    made->records[n].payload.len = payload.size;
    made->pointers[n] = &made->records[n];
}

struct handmade *make_answer(
    struct handmade *made, uint64_t term, uint64_t rejected, uint64_t last_index)
{
    zhurnal__peer__v1__frame__init(&made->frame);
    zhurnal__peer__v1__append_entries_result__init(&made->result);
    made->frame.group = SIM_GROUP;
    made->frame.message_case = ZHURNAL__PEER__V1__FRAME__MESSAGE_APPEND_ENTRIES_RESULT;
    made->frame.append_entries_result = &made->result;
    made->result.term = term;
    made->result.rejected = rejected;
    made->result.last_log_index = last_index;
    return made;
}

size_t encode_members(unsigned count, uint8_t **payload)
{
    struct founding founding = {.epoch = 1};
    size_t size;
    for (unsigned i = 0; i < count; i++) {
        char address[] = "node0:1";
        address[4] = (char)('1' + i);
        int status = founding_add(&founding, i + 1, address, NULL);
        assert(status == STATUS_OK);
    }
    int status = founding_membership(&founding, payload, &size);
    assert(status == STATUS_OK);
    return size;
}
