/* Messages between nodes, made by hand: what a node would send, or could not. Payloads are
 * borrowed. */
#ifndef TESTS_LIB_HANDMADE_H
#define TESTS_LIB_HANDMADE_H

#include "storage/record.h"
#include <zhurnal/peer/v1/peer.pb-c.h>

enum { HANDMADE_RECORDS_MAX = 8 };

struct handmade {
    Zhurnal__Peer__V1__Frame frame;
    Zhurnal__Peer__V1__AppendEntries append;
    Zhurnal__Peer__V1__AppendEntriesResult result;
    Zhurnal__Peer__V1__Record records[HANDMADE_RECORDS_MAX];
    Zhurnal__Peer__V1__Record *pointers[HANDMADE_RECORDS_MAX];
};

struct handmade *make_append(
    struct handmade *made, uint64_t term, uint64_t prev_index, uint64_t prev_term);
void add_record(struct handmade *made, enum record_kind kind, uint64_t term, struct bytes payload);

struct handmade *make_answer(
    struct handmade *made, uint64_t term, uint64_t rejected, uint64_t last_index);

/* A Membership of nodes 1 … count, all voters: malloc'ed. */
size_t encode_members(unsigned count, uint8_t **payload);

#endif
