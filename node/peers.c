#include "node/peers_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- members ---- */

struct link *peers_find(const struct peers *peers, uint64_t node)
{
    for (unsigned i = 0; i < peers->count; i++) {
        if (peers->links[i]->node == node) {
            return peers->links[i];
        }
    }
    return NULL;
}

/* host:port, or [host]:port. */
static bool split_address(const char *address, struct link *link)
{
    const char *colon = strrchr(address, ':');
    if (colon == NULL || strlen(address) >= sizeof link->address) {
        return false;
    }
    const char *host = address;
    size_t size = (size_t)(colon - address);
    if (size >= 2 && host[0] == '[' && host[size - 1] == ']') {
        host++;
        size -= 2;
    }
    if (size == 0 || size >= sizeof link->host) {
        return false;
    }
    memcpy(link->host, host, size);
    link->port = (int)strtol(colon + 1, NULL, 10);
    memcpy(link->address, address, strlen(address) + 1);
    return true;
}

static void add(struct peers *peers, const struct peers_member *member)
{
    struct link *link = calloc(1, sizeof *link);
    if (link == NULL || peers->count == DRIVER_MEMBERS_MAX) {
        free(link);
        return; /* The next change of members tries again. */
    }
    link->peers = peers;
    link->node = member->node;
    if (!split_address(member->address, link)) {
        free(link);
        return;
    }
    peers->links[peers->count++] = link;
    link_open(link);
}

static void remove_at(struct peers *peers, unsigned i)
{
    struct link *link = peers->links[i];
    peers->links[i] = peers->links[--peers->count];
    pull_forget(peers, link);
    link_leave(link);
}

static bool is_named(const struct link *link, const struct peers_member *members, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (members[i].node == link->node && strcmp(members[i].address, link->address) == 0) {
            return true;
        }
    }
    return false;
}

void peers_set_members(struct peers *peers, const struct peers_member *members, size_t count)
{
    for (unsigned i = peers->count; i > 0; i--) {
        if (!is_named(peers->links[i - 1], members, count)) {
            remove_at(peers, i - 1);
        }
    }
    for (size_t i = 0; i < count; i++) {
        bool self = members[i].node == peers->options.identity.node;
        if (!self && peers_find(peers, members[i].node) == NULL) {
            add(peers, &members[i]);
        }
    }
}

/* ---- turns ---- */

static void on_idle(uv_idle_t *idle)
{
    struct peers *peers = idle->data;
    uv_idle_stop(idle);
    for (unsigned i = 0; i < peers->count; i++) {
        if (peers->links[i]->ready) {
            link_pump(peers->links[i]);
        }
    }
    pull_turn(peers);
    peers_end_if_idle(peers);
}

void peers_wake(struct peers *peers)
{
    if (!peers->ending) {
        uv_idle_start(&peers->idle, on_idle);
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct peers *peers = timer->data;
    for (unsigned i = 0; i < peers->count; i++) {
        link_tick(peers->links[i]);
    }
    pull_tick(peers);
}

void peers_ready(struct peers *peers, uint64_t node)
{
    struct link *link = peers_find(peers, node);
    if (link != NULL && !link->ready) {
        link->ready = true;
        peers_wake(peers);
    }
}

int64_t peers_heard_ms_ago(const struct peers *peers, uint64_t node)
{
    const struct link *link = peers_find(peers, node);
    if (link == NULL || link->heard_ms == 0) {
        return -1;
    }
    return (int64_t)(uv_now(peers->loop) - link->heard_ms);
}

uint32_t peers_level_max(const struct peers *peers)
{
    uint32_t level = peers->options.level_max;
    for (unsigned i = 0; i < peers->count; i++) {
        uint32_t its = peers->links[i]->level_max;
        level = its < level ? its : level;
    }
    return level;
}

void peers_set_tls(struct peers *peers, struct tls_context *tls)
{
    peers->options.tls = tls;
    for (unsigned i = 0; i < peers->count; i++) {
        link_set_tls(peers->links[i], tls);
    }
}

/* ---- beginning and end ---- */

/* Sessions grow across restarts as long as the clock does. Where it was set back a new process is
 * refused for as long as something of the old one might still arrive. */
static uint64_t first_session(void)
{
    enum { MS_IN_S = 1000, NS_IN_MS = 1000000 };
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t ms = (uint64_t)now.tv_sec * MS_IN_S + (uint64_t)now.tv_nsec / NS_IN_MS;
    return ms << PEERS_SESSION_BITS;
}

struct peers *peers_create(uv_loop_t *loop, struct rpc_server *server,
    const struct peers_options *options, const struct peers_hooks *hooks, void *arg)
{
    struct peers *peers = calloc(1, sizeof *peers);
    if (peers == NULL) {
        return NULL;
    }
    peers->loop = loop;
    peers->options = *options;
    if (peers->options.pull_silence_ms == 0) {
        peers->options.pull_silence_ms = PEERS_PULL_SILENCE_MS;
    }
    peers->hooks = hooks;
    peers->arg = arg;
    peers->session = first_session();
    if (rpc_server_register(server, peers_methods, peers_method_count, peers) != STATUS_OK) {
        free(peers);
        return NULL;
    }
    /* These cannot fail on a loop that works. */
    (void)uv_idle_init(loop, &peers->idle);
    (void)uv_timer_init(loop, &peers->timer);
    peers->idle.data = peers->timer.data = peers;
    peers->handles = 2;
    uv_timer_start(&peers->timer, on_timer, PEERS_TICK_MS, PEERS_TICK_MS);
    return peers;
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct peers *peers = handle->data;
    if (--peers->handles > 0) {
        return;
    }
    void (*closed)(void *arg) = peers->closed;
    void *arg = peers->closed_arg;
    free(peers);
    if (closed != NULL) {
        closed(arg);
    }
}

void peers_end_if_idle(struct peers *peers)
{
    if (!peers->stopping || peers->ending || peers->parting > 0 || peers->works > 0) {
        return;
    }
    peers->ending = true;
    uv_close((uv_handle_t *)&peers->idle, on_handle_closed);
    uv_close((uv_handle_t *)&peers->timer, on_handle_closed);
}

void peers_stop(struct peers *peers, void (*closed)(void *arg), void *arg)
{
    assert(!peers->stopping);

    peers->stopping = true;
    peers->closed = closed;
    peers->closed_arg = arg;
    while (peers->count > 0) {
        remove_at(peers, peers->count - 1);
    }
    peers_wake(peers); /* It ends from the loop, never from inside. */
}
