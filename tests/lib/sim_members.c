/* Changes of membership. */
#include "tests/lib/sim.h"

#include <assert.h>

enum { VOTERS_MIN = 3 };

static struct payload *encode(
    const struct driver_member *members, unsigned count, uint64_t changed, bool voter)
{
    Zhurnal__Peer__V1__Membership membership = ZHURNAL__PEER__V1__MEMBERSHIP__INIT;
    Zhurnal__Peer__V1__Member member[DRIVER_MEMBERS_MAX];
    Zhurnal__Peer__V1__Member *pointers[DRIVER_MEMBERS_MAX];
    for (unsigned i = 0; i < count; i++) {
        bool votes = members[i].node == changed ? voter : members[i].voter;
        zhurnal__peer__v1__member__init(&member[i]);
        member[i].node = members[i].node;
        member[i].address = (char *)members[i].address;
        member[i].role = votes ? ZHURNAL__PEER__V1__MEMBER_ROLE__MEMBER_ROLE_VOTER
                               : ZHURNAL__PEER__V1__MEMBER_ROLE__MEMBER_ROLE_STANDBY;
        pointers[i] = &member[i];
    }
    membership.members = pointers;
    membership.n_members = count;
    struct payload *payload =
        payload_create(NULL, zhurnal__peer__v1__membership__get_packed_size(&membership));
    assert(payload != NULL);
    zhurnal__peer__v1__membership__pack(&membership, payload->data);
    return payload;
}

int sim_change(struct sim_node *node, uint64_t member, bool voter)
{
    struct driver_member members[DRIVER_MEMBERS_MAX];
    unsigned count = driver_members(node->driver, members);
    const struct driver_entry entry = {
        .kind = RECORD_MEMBERSHIP, .payload = encode(members, count, member, voter)};
    uint64_t index;
    int status = driver_submit(node->driver, &entry, 1, &index);
    payload_unref(entry.payload);
    node->sim->count.changes += status == STATUS_OK;
    sim_trace_node(node, status == STATUS_OK ? "changes the membership" : "may not change it");
    sim_settle(node);
    return status;
}

int sim_change_some(struct sim_node *node)
{
    struct driver_member members[DRIVER_MEMBERS_MAX];
    unsigned count = driver_members(node->driver, members);
    unsigned voters = 0;
    for (unsigned i = 0; i < count; i++) {
        voters += members[i].voter;
    }
    unsigned at = random_below(&node->sim->random, count);
    while (voters <= VOTERS_MIN && members[at].voter) {
        at = (at + 1) % count; /* There are more members than that. */
    }
    return sim_change(node, members[at].node, !members[at].voter);
}
