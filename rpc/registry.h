/* Which method answers a path: an open hash table, filled before the first connection.
 *
 * Threads: the server's loop. */
#ifndef RPC_REGISTRY_H
#define RPC_REGISTRY_H

#include "proto/bytes.h"
#include "rpc/call.h"

enum { REGISTRY_SLOTS = 256, REGISTRY_METHODS_MAX = REGISTRY_SLOTS / 2 };

struct registry_entry {
    const struct rpc_method *method; /* Borrowed; NULL: free. */
    void *context;
};

struct registry {
    struct registry_entry slots[REGISTRY_SLOTS];
    size_t count;
};

/* STATUS_OK, STATUS_EXISTS, STATUS_FULL. */
int registry_add(struct registry *registry, const struct rpc_method *method, void *context);

/* NULL: none. */
const struct registry_entry *registry_find(const struct registry *registry, struct bytes path);

#endif
