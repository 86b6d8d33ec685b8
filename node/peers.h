/* The other nodes: what connects this one to them.
 *
 * To each member two connections are kept: one for Raft's frames, one stream a direction
 * (PeerService.Raft, the hello first), and one, made when it is first needed, for what is bulky:
 * Pull and Forward. So bulk never delays a heartbeat. Their certificates must name the node that is
 * dialled, or the one the hello says. Nothing is sent on a stream before its hello is accepted.
 *
 * A stream that breaks loses what it still held; a newer hello of a node kills its older stream
 * (sessions grow with each, across restarts), so that nothing late arrives out of a dead one.
 *
 * Threads: the loop's. The log is read for Pull on libuv's pool. */
#ifndef NODE_PEERS_H
#define NODE_PEERS_H

#include "node/driver.h"
#include "rpc/client.h"
#include "rpc/server.h"
#include "storage/state.h"
#include <zhurnal/v1/journal.pb-c.h>

struct peers;

struct peers_options {
    struct tls_context *tls;        /* A client's; borrowed. */
    struct state_identity identity; /* Ours, for the hello. */
    uint32_t level_max;
    const char *version;
    struct log *log;          /* Pull is answered from it. */
    unsigned pull_silence_ms; /* After it another member is asked; 0: five seconds. */
};

/* What peers need, and bring. */
struct peers_hooks {
    /* A stream to the node is up (it has accepted our hello), or that one is lost. */
    void (*connected)(void *arg, uint64_t node, bool connected);
    /* The next frame for it; as driver_next_frame(). */
    bool (*next_frame)(
        void *arg, uint64_t node, void (*emit)(void *arg, struct bytes request), void *emit_arg);
    /* Its hello: cluster, epoch and certificate have been checked. A failure refuses the stream,
     * and its sentence goes to the log of both. */
    int (*hello)(void *arg, const Zhurnal__Peer__V1__Hello *hello, struct error *err);
    /* A failure ends the stream. */
    int (*receive)(
        void *arg, uint64_t from, const Zhurnal__Peer__V1__Frame *frame, struct error *err);
    /* As driver_pulled(), driver_wants_pull(), driver_pull_failed(). */
    int (*pulled)(void *arg, const struct record *records, size_t count);
    uint64_t (*wants_pull)(void *arg);
    void (*pull_failed)(void *arg);
    /* A write that another node passes on: to be answered on the call (a ForwardResponse). */
    void (*forwarded)(
        void *arg, struct rpc_call *call, const Zhurnal__Peer__V1__ForwardRequest *request);
    /* For the log: "reachable", once a stream has lived a while, or why not. Each change once, of
     * the reason too. */
    void (*note)(void *arg, uint64_t node, const char *what);
};

/* Registers PeerService with the server, before it listens. NULL when out of memory. */
struct peers *peers_create(uv_loop_t *loop, struct rpc_server *server,
    const struct peers_options *options, const struct peers_hooks *hooks, void *arg);

struct peers_member {
    uint64_t node;
    const char *address; /* host:port, copied. */
};
/* All but ourselves. Connections to those not named are closed. */
void peers_set_members(struct peers *peers, const struct peers_member *members, size_t count);

/* Ends what the node sends, with why; its next hello is asked about anew. */
void peers_expel(struct peers *peers, uint64_t node, const char *why);

/* next_frame has something for the node. */
void peers_ready(struct peers *peers, uint64_t node);

/* Pull from … to, from whichever member holds `to` at this term (0: knows it to be committed);
 * hooks.pulled follow, or, where nobody goes on to the end, hooks.pull_failed. */
void peers_pull(struct peers *peers, uint64_t from, uint64_t to, uint64_t to_term);
/* What hooks.pulled took is written: go on as hooks.wants_pull says. */
void peers_pull_on(struct peers *peers);

/* Passes a client's write to a node. result->details and response are borrowed until done returns;
 * response is NULL unless result->code is GRPC_OK. A node that falls silent, is lost, or does not
 * answer within timeout_ms is GRPC_UNAVAILABLE: the outcome is unknown unless result->not_sent. */
typedef void (*peers_forwarded_cb)(
    void *arg, const struct rpc_result *result, const Zhurnal__V1__AppendResponse *response);
int peers_forward(struct peers *peers, uint64_t node,
    const Zhurnal__Peer__V1__ForwardRequest *request, uint64_t timeout_ms, peers_forwarded_cb done,
    void *arg);

/* Milliseconds since the node was last heard; negative: never. */
int64_t peers_heard_ms_ago(const struct peers *peers, uint64_t node);

/* The highest feature level that this node and all members know, as their hellos said; 0 where one
 * has not been heard. */
uint32_t peers_level_max(const struct peers *peers);

/* Certificates were renewed: from the next connection on. */
void peers_set_tls(struct peers *peers, struct tls_context *tls);

/* Closes all; calls closed when the last handle is gone, and frees peers. */
void peers_stop(struct peers *peers, void (*closed)(void *arg), void *arg);

#endif
