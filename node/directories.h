/* Which data directory stands behind a node's id. A node's identity is bound to a random id in its
 * directory: the leader records it in the log (NodeAdded) when the node first says hello, and
 * another directory under that node's id is refused from then on, so that a wiped node cannot come
 * back as its old self. Views that are being rebuilt learn late who a node is: whoever was let in
 * meanwhile is looked at again as they learn, and denied.
 *
 * Threads: the loop. */
#ifndef NODE_DIRECTORIES_H
#define NODE_DIRECTORIES_H

#include "node/group.h"
#include "rpc/identity.h"
#include "storage/state.h"

enum { DIRECTORIES_RETRY_MS = 1000 };

struct directories;

struct directory_seen {
    struct directories *owner;
    uint64_t node; /* 0: a free place. */
    uint8_t directory[UUID_SIZE];
    bool settled, asked; /* Settled: nothing is to be done for it any more. */
    uint64_t retry_ms;
};

/* May not move. */
struct directories {
    struct group *group;
    const struct identity *self; /* Whose word the records are. */
    /* A node that was let in, or this one, stands in the log with another directory. */
    void (*denied)(void *arg, uint64_t node, const char *why);
    void *arg;
    struct directory_seen seen[DRIVER_MEMBERS_MAX];
    uint64_t now_ms;
    uint64_t looked_at; /* What was applied when the log was last asked about them. */
    /* As leader of term, what stood in the log before may hold records that are not applied yet. */
    uint64_t term, known_from;
};

/* Knows its own directory at once. group is set before anything else is called; self is borrowed.
 */
void directories_init(struct directories *directories, const struct state_identity *own,
    const struct identity *self, void (*denied)(void *arg, uint64_t node, const char *why),
    void *arg);

/* Whether the log knows this node by another directory: STATUS_DENIED, with what to do. */
int directories_check(
    struct journal *journal, uint64_t node, const uint8_t directory[UUID_SIZE], struct error *err);

/* A node says hello: checked, and remembered. */
int directories_hello(struct directories *directories, uint64_t node,
    const uint8_t directory[UUID_SIZE], struct error *err);

/* Denies who should not have been let in; as leader, records those that were seen and are members.
 */
void directories_turn(struct directories *directories, uint64_t now_ms);

#endif
