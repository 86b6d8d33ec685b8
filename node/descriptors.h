/* File descriptors: how many this process may have, and what of them is left for clients.
 *
 * Threads: any. */
#ifndef NODE_DESCRIPTORS_H
#define NODE_DESCRIPTORS_H

#include "rpc/server.h"

enum {
    /* Not for clients: peers' connections to us; and the storage's files, listeners, what the loop
     * needs, and ours to peers. */
    DESCRIPTORS_RESERVE = RPC_NODES_MAX + 96,
};

/* Asks the system for as many as may be had. Returns how many connections of clients that allows,
 * at most wanted. */
unsigned descriptors_for_clients(unsigned wanted);

#endif
