/* Between the peers and the group. */
#include "node/append.h"
#include "node/daemon_private.h"

#include <stdio.h>
#include <string.h>

static struct driver *driver_of(struct daemon *d)
{
    return d->group == NULL ? NULL : group_driver(d->group);
}

static void on_connected(void *arg, uint64_t node, bool connected)
{
    struct daemon *d = arg;
    if (driver_of(d) != NULL) {
        driver_connected(driver_of(d), node, connected);
        d->woken = true;
    }
}

static bool on_next_frame(
    void *arg, uint64_t node, void (*emit)(void *arg, struct bytes request), void *emit_arg)
{
    struct daemon *d = arg;
    return driver_of(d) != NULL && driver_next_frame(driver_of(d), node, emit, emit_arg);
}

static int on_hello(void *arg, const Zhurnal__Peer__V1__Hello *hello, struct error *err)
{
    struct daemon *d = arg;
    if (hello->directory.len != UUID_SIZE) {
        return error_set(err, STATUS_MALFORMED, "a hello names its data directory by 16 bytes");
    }
    d->woken = true;
    return directories_hello(&d->directories, hello->node, hello->directory.data, err);
}

static int on_receive(
    void *arg, uint64_t from, const Zhurnal__Peer__V1__Frame *frame, struct error *err)
{
    struct daemon *d = arg;
    d->woken = true;
    return driver_receive(driver_of(d), from, frame, err);
}

static int on_pulled(void *arg, const struct record *records, size_t count)
{
    struct daemon *d = arg;
    return driver_pulled(driver_of(d), records, count);
}

static uint64_t on_wants_pull(void *arg)
{
    struct daemon *d = arg;
    return driver_of(d) == NULL ? 0 : driver_wants_pull(driver_of(d));
}

static void on_pull_failed(void *arg)
{
    struct daemon *d = arg;
    driver_pull_failed(driver_of(d));
    d->woken = true;
}

static void on_forwarded(
    void *arg, struct rpc_call *call, const Zhurnal__Peer__V1__ForwardRequest *request)
{
    struct daemon *d = arg;
    append_take_forwarded(&d->service, call, request);
}

static void on_note(void *arg, uint64_t node, const char *what)
{
    char id[HEX_ID_SIZE];
    (void)arg;
    log_info("%s: node=%s", what, hex_id(node, id));
}

void daemon_denied(void *arg, uint64_t node, const char *why)
{
    struct daemon *d = arg;
    char id[HEX_ID_SIZE];
    log_error("a node takes part that should not: node=%s why=\"%s\"", hex_id(node, id), why);
    if (node != d->store.state.identity.node) {
        peers_expel(d->peers, node, why);
    } else if (d->stage == DAEMON_RUNNING) {
        d->denied = true;
        daemon_stop(d);
    }
}

const struct peers_hooks daemon_peers_hooks = {
    .connected = on_connected,
    .next_frame = on_next_frame,
    .hello = on_hello,
    .receive = on_receive,
    .pulled = on_pulled,
    .wants_pull = on_wants_pull,
    .pull_failed = on_pull_failed,
    .forwarded = on_forwarded,
    .note = on_note,
};

/* ---- members ---- */

static bool is_told(const struct daemon *d, const struct driver_member *members, unsigned count)
{
    if (count != d->member_count) {
        return false;
    }
    for (unsigned i = 0; i < count; i++) {
        if (members[i].node != d->members[i].node ||
            strcmp(members[i].address, d->members[i].address) != 0) {
            return false;
        }
    }
    return true;
}

void daemon_follow_members(struct daemon *d)
{
    struct driver_member members[DRIVER_MEMBERS_MAX];
    struct peers_member others[DRIVER_MEMBERS_MAX];
    size_t other_count = 0;
    unsigned count = driver_members(driver_of(d), members);
    if (d->peers == NULL || d->parted || is_told(d, members, count)) {
        return;
    }
    d->member_count = count;
    for (unsigned i = 0; i < count; i++) {
        struct daemon_member *told = &d->members[i];
        told->node = members[i].node;
        (void)snprintf(told->address, sizeof told->address, "%s", members[i].address);
        if (told->node != d->store.state.identity.node) {
            others[other_count++] =
                (struct peers_member){.node = told->node, .address = told->address};
        }
    }
    peers_set_members(d->peers, others, other_count);
}
