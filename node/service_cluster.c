#include "node/service.h"
#include "proto/version.h"
#include <zhurnal/v1/cluster.pb-c.h>

static Zhurnal__V1__NodeRole role_of(enum driver_role role)
{
    switch (role) {
    case DRIVER_FOLLOWER:
        return ZHURNAL__V1__NODE_ROLE__NODE_ROLE_FOLLOWER;
    case DRIVER_CANDIDATE:
        return ZHURNAL__V1__NODE_ROLE__NODE_ROLE_CANDIDATE;
    case DRIVER_LEADER:
        return ZHURNAL__V1__NODE_ROLE__NODE_ROLE_LEADER;
    case DRIVER_UNAVAILABLE:
        break;
    }
    return ZHURNAL__V1__NODE_ROLE__NODE_ROLE_UNAVAILABLE;
}

static void fill_member(const struct service *service, const struct driver_member *member,
    Zhurnal__V1__MemberStatus *out)
{
    zhurnal__v1__member_status__init(out);
    bool self = member->node == service->store->state.identity.node;
    out->node = member->node;
    out->address = (char *)member->address;
    out->match_index = member->match_index;
    out->heard_ms_ago = self ? 0 : peers_heard_ms_ago(service->peers, member->node);
}

static void fill_group(
    const struct service *service, struct group_status *status, Zhurnal__V1__GroupStatus *out)
{
    zhurnal__v1__group_status__init(out);
    out->group = service->store->state.identity.group;
    out->role = role_of(status->driver.role);
    out->term = status->driver.term;
    out->leader = status->driver.leader;
    out->last_index = status->driver.last_index;
    out->stored_index = status->driver.stored_index;
    out->committed_index = status->driver.commit_index;
    out->applied_index = status->applied.index;
    out->digest.data = status->applied.digest;
    out->digest.len = sizeof status->applied.digest;
    out->level = status->applied.level;
    out->clock_epoch = status->applied.clock_epoch;
    out->clock_untrusted = status->clock_untrusted || status->clock_behind;
    out->rebuilding = status->applied.index < service->store->rebuild_to;
    out->pulling_to_index = status->driver.install_to;
}

static void fill_node(const struct service *service, Zhurnal__V1__StatusResponse *out)
{
    static char version[] = ZHURNAL_VERSION;
    const struct state_identity *identity = &service->store->state.identity;
    out->cluster.data = (uint8_t *)identity->cluster;
    out->cluster.len = sizeof identity->cluster;
    out->epoch = identity->epoch;
    out->node = identity->node;
    out->directory.data = (uint8_t *)identity->directory;
    out->directory.len = sizeof identity->directory;
    out->version = version;
    out->uptime_ms = (int64_t)(uv_now(service->loop) - service->started_ms);
    out->level_max = JOURNAL_LEVEL_MAX;
}

static void on_status(struct rpc_call *call, const ProtobufCMessage *message, struct bytes encoded)
{
    (void)message;
    (void)encoded;
    const struct service *service = rpc_call_context(call);
    struct group_status status = group_status(service->group);
    struct driver_member members[DRIVER_MEMBERS_MAX];
    Zhurnal__V1__MemberStatus told[DRIVER_MEMBERS_MAX];
    Zhurnal__V1__MemberStatus *told_list[DRIVER_MEMBERS_MAX];
    Zhurnal__V1__GroupStatus group;
    Zhurnal__V1__GroupStatus *groups[] = {&group};
    Zhurnal__V1__StatusResponse response = ZHURNAL__V1__STATUS_RESPONSE__INIT;
    unsigned count = driver_members(group_driver(service->group), members);
    for (unsigned i = 0; i < count; i++) {
        fill_member(service, &members[i], &told[i]);
        told_list[i] = &told[i];
    }
    fill_group(service, &status, &group);
    group.n_members = count;
    group.members = told_list;
    fill_node(service, &response);
    response.disk_full = status.full;
    response.n_groups = 1;
    response.groups = groups;
    rpc_call_reply(call, &response.base);
}

static const struct rpc_method methods[] = {
    {.path = "/zhurnal.v1.ClusterService/Status",
        .kind = RPC_UNARY,
        .request_max = SERVICE_QUERY_MAX,
        .request = &zhurnal__v1__status_request__descriptor,
        .on_message = on_status},
};

int service_cluster_register(struct service *service, struct rpc_server *server)
{
    return rpc_server_register(server, methods, sizeof methods / sizeof *methods, service);
}
