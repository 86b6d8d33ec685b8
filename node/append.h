/* A write on its call: to the group, or on to the leader, and back with its answer.
 *
 * What the group refuses is a status with a Verdict in google.rpc.Status; where this node is not
 * the leader the bytes go on as they came, once, and the leader's answer comes back as it is.
 *
 * Threads: the loop. */
#ifndef NODE_APPEND_H
#define NODE_APPEND_H

#include "node/service.h"

enum { APPEND_FORWARD_MS = 60000 }; /* At most, where the client's deadline is later. */

/* raw is the AppendRequest as it came and lives as long as the call's memory. */
void append_take(struct service *service, struct rpc_call *call, struct bytes raw);

/* The same for what another node passes on: recorded as its principal says, or refused with
 * UNAVAILABLE where this node is not the leader. */
void append_take_forwarded(struct service *service, struct rpc_call *call,
    const Zhurnal__Peer__V1__ForwardRequest *request);

#endif
