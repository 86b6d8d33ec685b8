/* The public services, answered from a group: what they share.
 *
 *     JournalService   service_journal.c   Append (by append.h) and GetPage
 *     LogService       service_log.c       Replay
 *     ClusterService   service_cluster.c   Status
 *
 * Threads: the loop; what reads the disk runs on the pool, in read transactions. */
#ifndef NODE_SERVICE_H
#define NODE_SERVICE_H

#include "node/group.h"
#include "node/outbox.h"
#include "node/peers.h"
#include "node/pool.h"
#include "node/store.h"
#include "rpc/server.h"

#include <assert.h>
#include <sys/queue.h>

enum {
    SERVICE_REPLAYS_MAX = 256,
    /* Of one message. Clients' writes are held to less (submission.h), but among nodes an entry is
     * larger than its request was, by what it is stamped and salted with, and has company. */
    SERVICE_MESSAGE_MAX = 3 << 20,
    SERVICE_QUERY_MAX = 64 << 10, /* Of a read's request: ids, numbers and short lists of them. */
    SERVICE_PART_OVERHEAD = 64,
    SERVICE_STAMP_OVERHEAD = 64 << 10,
};
static_assert(SUBMISSION_REQUEST_MAX + SUBMISSION_PARTS_MAX * SERVICE_PART_OVERHEAD +
            SERVICE_STAMP_OVERHEAD + OUTBOX_CHUNK_BYTES <=
        SERVICE_MESSAGE_MAX,
    "any entry must fit into a message between nodes");

/* All borrowed; complete before the server listens. */
struct service {
    uv_loop_t *loop;
    struct pool *pool;
    const struct store *store;
    struct group *group;
    struct peers *peers; /* NULL once they are stopping. */
    uint64_t started_ms; /* Of uv_now(). */
    size_t forwards;     /* Writes that the leader has from us. */
    LIST_HEAD(replay_list, replay) replays;
    size_t replay_count;
};

/* STATUS_OK, or what rpc_server_register() says. */
int service_journal_register(struct service *service, struct rpc_server *server);
int service_log_register(struct service *service, struct rpc_server *server);
int service_cluster_register(struct service *service, struct rpc_server *server);

/* The node stops: who follows the log is told to go on at another node. */
void service_log_stop(struct service *service);

#endif
