/* grpc.health.v1.Health, as load balancers and probes ask it
 * (https://github.com/grpc/grpc/blob/master/doc/health-checking.md): Check answers once, Watch
 * tells every change. The service "" is the whole server.
 *
 * Threads: the server's loop. */
#ifndef RPC_HEALTH_H
#define RPC_HEALTH_H

#include "rpc/server.h"

struct rpc_health;

enum {
    RPC_HEALTH_SERVICES_MAX = 16,
    RPC_HEALTH_WATCHERS_MAX = 64, /* Then Watch is RESOURCE_EXHAUSTED. */
    RPC_HEALTH_NAME_SIZE = 128,   /* With the NUL. */
};

/* Registers itself. NULL when out of memory or the server has no room. Knows "" as not serving. */
struct rpc_health *rpc_health_create(struct rpc_server *server);

/* Makes the service known, or changes it; watchers are told. STATUS_FULL, STATUS_INVALID for a
 * name too long. */
int rpc_health_set(struct rpc_health *health, const char *service, bool serving);

/* After the server was destroyed. NULL is a no-op. */
void rpc_health_destroy(struct rpc_health *health);

#endif
