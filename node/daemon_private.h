/* The daemon's inside, shared by its own files alone. */
#ifndef NODE_DAEMON_PRIVATE_H
#define NODE_DAEMON_PRIVATE_H

#include "node/daemon.h"
#include "node/directories.h"
#include "node/service.h"
#include "node/writer.h"
#include "rpc/health.h"
#include "rpc/tls.h"

enum {
    DAEMON_ADDRESS_SIZE = 256,
    DAEMON_RETIRE_MS = 2500, /* For handing leadership over: two election time-outs and a little. */
    DAEMON_GRACE_MS = 3000,  /* For calls under way. */
    DAEMON_DRAIN_MS = 5000,  /* For reads and the write under way. */
    DAEMON_STOP_MAX_S = 20,  /* For all of it, a disk that hangs included. */
    DAEMON_STOP_TICK_MS = 20,
};

/* What the peers were told last. */
struct daemon_member {
    uint64_t node;
    char address[DAEMON_ADDRESS_SIZE];
};

/* What the log was told last. */
struct daemon_told {
    enum driver_role role;
    uint64_t term, leader;
    int parked;
    bool clock_behind, clock_untrusted, rebuilt;
};

/* What is to be applied when the views have room for it. */
struct daemon_room {
    struct pool_job job;
    struct daemon *daemon;
    uint64_t from, to;
    int status;
};

enum daemon_stage {
    DAEMON_RUNNING,
    DAEMON_RETIRING, /* Hands over. */
    DAEMON_CLOSING,  /* The server lets calls finish, then peers close. */
    DAEMON_DRAINING, /* Reads and writes under way come back. */
    DAEMON_ENDING,   /* Threads end. */
    DAEMON_ENDED,
};

struct daemon {
    const struct config *config;
    uv_loop_t loop;
    bool loop_open;
    struct store store;
    struct tls_context *server_tls, *client_tls;
    struct rpc_server *server;
    struct rpc_health *health;
    struct peers *peers;
    struct writer *writer;
    struct applier *applier;
    struct group *group;
    struct pool pool;
    struct service service;
    int port; /* Of the first address. */
    struct directories directories;
    uv_prepare_t turn;
    uv_timer_t timer, stop_timer;
    uv_signal_t terminate, interrupt, hangup;
    bool woken;
    struct daemon_room room;
    struct daemon_member members[DRIVER_MEMBERS_MAX];
    unsigned member_count;
    struct daemon_told told;
    bool serving;
    enum daemon_stage stage;
    bool parted; /* From the peers, at the end. */
    uint64_t stage_end_ms;
    bool denied; /* Ended because its data directory is not the one the log knows. */
};

/* daemon_world.c: what the group needs of the world. */
extern const struct driver_hooks daemon_disk;
struct group_world daemon_world(struct daemon *daemon);
extern const struct writer_hooks daemon_writer_hooks;
void daemon_applied(void *arg, const struct apply_piece *piece, int status);
/* Ends the process; driver_hooks says what status is for. */
void daemon_fatal(void *arg, int status, const char *why) __attribute__((noreturn));

/* daemon_turn.c: once a turn of the loop. */
void daemon_on_turn(uv_prepare_t *prepare);
void daemon_on_timer(uv_timer_t *timer);

/* daemon_peers.c */
extern const struct peers_hooks daemon_peers_hooks;
/* Tells the peers, where the members have changed. */
void daemon_follow_members(struct daemon *daemon);

/* The log knows the node by another data directory; ours: the daemon ends. */
void daemon_denied(void *arg, uint64_t node, const char *why);

/* daemon_stop.c */
void daemon_stop(struct daemon *daemon);

#endif
