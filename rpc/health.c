#include "rpc/health.h"

#include <grpc/health/v1/health.pb-c.h>

#include <stdlib.h>
#include <string.h>

struct service {
    char name[RPC_HEALTH_NAME_SIZE];
    bool serving;
};

struct watcher {
    struct rpc_call *call; /* Referenced; NULL: free. */
    struct rpc_health *health;
    char name[RPC_HEALTH_NAME_SIZE];
    int told; /* The status sent last. */
};

struct rpc_health {
    struct service services[RPC_HEALTH_SERVICES_MAX];
    size_t service_count;
    struct watcher watchers[RPC_HEALTH_WATCHERS_MAX];
};

enum {
    UNKNOWN = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVICE_UNKNOWN,
    SERVING = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING,
    NOT_SERVING = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING,
    NOTHING_TOLD = -1,
};

enum { REQUEST_MAX = 4 << 10 }; /* A name, and what a later version may add. */

static struct service *find(struct rpc_health *health, const char *name)
{
    for (size_t i = 0; i < health->service_count; i++) {
        if (strcmp(health->services[i].name, name) == 0) {
            return &health->services[i];
        }
    }
    return NULL;
}

static int status_of(struct rpc_health *health, const char *name)
{
    const struct service *service = find(health, name);
    return service == NULL ? UNKNOWN : service->serving ? SERVING : NOT_SERVING;
}

static Grpc__Health__V1__HealthCheckResponse response_of(int status)
{
    Grpc__Health__V1__HealthCheckResponse response = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
    response.status = (Grpc__Health__V1__HealthCheckResponse__ServingStatus)status;
    return response;
}

static void on_check(struct rpc_call *call, const ProtobufCMessage *message, struct bytes encoded)
{
    (void)encoded;
    const Grpc__Health__V1__HealthCheckRequest *request = (const void *)message;
    int status = status_of(rpc_call_context(call), request->service);
    if (status == UNKNOWN) {
        rpc_call_finish(call, GRPC_NOT_FOUND, "no such service on this server", bytes_of(NULL, 0));
        return;
    }
    Grpc__Health__V1__HealthCheckResponse response = response_of(status);
    rpc_call_reply(call, &response.base);
}

static void tell(struct watcher *watcher)
{
    if (watcher->call == NULL || !rpc_call_writable(watcher->call)) {
        return;
    }
    int status = status_of(watcher->health, watcher->name);
    if (status == watcher->told) {
        return;
    }
    watcher->told = status;
    Grpc__Health__V1__HealthCheckResponse response = response_of(status);
    (void)rpc_call_send(watcher->call, &response.base);
}

static struct watcher *free_watcher(struct rpc_health *health)
{
    for (size_t i = 0; i < RPC_HEALTH_WATCHERS_MAX; i++) {
        if (health->watchers[i].call == NULL) {
            return &health->watchers[i];
        }
    }
    return NULL;
}

static void on_watch(struct rpc_call *call, const ProtobufCMessage *message, struct bytes encoded)
{
    (void)encoded;
    const Grpc__Health__V1__HealthCheckRequest *request = (const void *)message;
    struct rpc_health *health = rpc_call_context(call);
    size_t size = strlen(request->service);
    if (size >= RPC_HEALTH_NAME_SIZE) {
        rpc_call_finish(
            call, GRPC_INVALID_ARGUMENT, "no service has a name so long", bytes_of(NULL, 0));
        return;
    }
    struct watcher *watcher = free_watcher(health);
    if (watcher == NULL) {
        rpc_call_finish(call, GRPC_RESOURCE_EXHAUSTED, "too many are watching already: use Check",
            bytes_of(NULL, 0));
        return;
    }
    *watcher = (struct watcher){.call = call, .health = health, .told = NOTHING_TOLD};
    memcpy(watcher->name, request->service, size);
    rpc_call_ref(call);
    rpc_call_set_user(call, watcher);
    tell(watcher);
}

static void on_watch_writable(struct rpc_call *call)
{
    if (rpc_call_user(call) != NULL) {
        tell(rpc_call_user(call));
    }
}

static void on_watch_done(struct rpc_call *call)
{
    struct watcher *watcher = rpc_call_user(call);
    if (watcher != NULL) {
        watcher->call = NULL;
        rpc_call_unref(call);
    }
}

static const struct rpc_method methods[] = {
    {.path = "/grpc.health.v1.Health/Check",
        .kind = RPC_UNARY,
        .request_max = REQUEST_MAX,
        .request = &grpc__health__v1__health_check_request__descriptor,
        .on_message = on_check},
    {.path = "/grpc.health.v1.Health/Watch",
        .kind = RPC_SERVER_STREAM,
        .request_max = REQUEST_MAX,
        .request = &grpc__health__v1__health_check_request__descriptor,
        .on_message = on_watch,
        .on_writable = on_watch_writable,
        .on_done = on_watch_done},
};

struct rpc_health *rpc_health_create(struct rpc_server *server)
{
    struct rpc_health *health = calloc(1, sizeof *health);
    if (health == NULL) {
        return NULL;
    }
    if (rpc_health_set(health, "", false) != STATUS_OK ||
        rpc_server_register(server, methods, sizeof methods / sizeof methods[0], health) !=
            STATUS_OK) {
        free(health);
        return NULL;
    }
    return health;
}

int rpc_health_set(struct rpc_health *health, const char *service, bool serving)
{
    size_t size = strlen(service);
    struct service *known = find(health, service);
    if (size >= RPC_HEALTH_NAME_SIZE) {
        return STATUS_INVALID;
    }
    if (known == NULL) {
        if (health->service_count == RPC_HEALTH_SERVICES_MAX) {
            return STATUS_FULL;
        }
        known = &health->services[health->service_count++];
        memcpy(known->name, service, size + 1);
    }
    known->serving = serving;
    for (size_t i = 0; i < RPC_HEALTH_WATCHERS_MAX; i++) {
        tell(&health->watchers[i]);
    }
    return STATUS_OK;
}

void rpc_health_destroy(struct rpc_health *health)
{
    free(health);
}
