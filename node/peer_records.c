#include "node/peer_records.h"

#include <stdlib.h>

Zhurnal__Peer__V1__Record **peer_records(const struct record *records, size_t count)
{
    Zhurnal__Peer__V1__Record **pointers =
        calloc(count + 1, sizeof(Zhurnal__Peer__V1__Record *) + sizeof(Zhurnal__Peer__V1__Record));
    if (pointers == NULL) {
        return NULL;
    }
    Zhurnal__Peer__V1__Record *messages =
        (Zhurnal__Peer__V1__Record *)(void *)(pointers + count + 1);
    for (size_t i = 0; i < count; i++) {
        messages[i] = (Zhurnal__Peer__V1__Record)ZHURNAL__PEER__V1__RECORD__INIT;
        messages[i].kind = (uint32_t)records[i].kind;
        messages[i].term = records[i].term;
        messages[i].payload.data = (uint8_t *)records[i].payload.data;
        messages[i].payload.len = records[i].payload.size;
        pointers[i] = &messages[i];
    }
    return pointers;
}
