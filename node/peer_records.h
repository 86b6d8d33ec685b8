/* Records of the log as messages between nodes. Pure; any thread. */
#ifndef NODE_PEER_RECORDS_H
#define NODE_PEER_RECORDS_H

#include "storage/record.h"
#include <zhurnal/peer/v1/peer.pb-c.h>

/* One block, to be freed by the owner; payloads are borrowed. NULL: out of memory. */
Zhurnal__Peer__V1__Record **peer_records(const struct record *records, size_t count);

#endif
