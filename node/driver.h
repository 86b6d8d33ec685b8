/* The driver of the consensus core. libraft's core does no I/O: events go in, updates come out. The
 * driver is everything between the core and the world, and with guards the only code that sees
 * <raft.h>. Its own world is a table of functions: a disk, peers and a clock in the daemon;
 * simulated ones, from one seed, in the tests.
 *
 * The path of an entry:
 *   driver_submit() → the core → hooks.write (the disk) and, at the same time, hooks.ready (the
 * peers) → driver_written() here, driver_receive() of the peers' answers → the core commits →
 * hooks.moved → whoever applies asks driver_applicable().
 *
 * What holds (the numbers are those of docs/CONSENSUS.md):
 *  - term and vote are on stable storage before any message of theirs leaves (2);
 *  - a follower acknowledges only what driver_written() reported (5);
 *  - what is committed is never truncated, and the durable commit marker never runs ahead of the
 * entries it covers (7);
 *  - nothing is applied that is not committed, present and flushed here (6);
 *  - a peer's message is checked field by field before the core sees it (13).
 *
 * The log's snapshots are metadata: a follower told to install one pulls the missing entries from a
 * peer, and only then reports it persisted.
 *
 * Threads: the loop only. Hooks are called from within driver functions; they note and queue, and
 * call back nothing but driver_next_frame() and the accessors. */
#ifndef NODE_DRIVER_H
#define NODE_DRIVER_H

#include "node/outbox.h"
#include "node/tail.h"
#include "storage/log.h"
#include <zhurnal/peer/v1/peer.pb-c.h>

enum {
    DRIVER_ELECTION_TIMEOUT_MS = 1000,
    DRIVER_HEARTBEAT_MS = 100,
    DRIVER_INFLIGHT_ENTRIES = 4096,
    DRIVER_SNAPSHOT_EACH = 20000,
    DRIVER_TAIL_BYTES = 32 << 20,
    DRIVER_MEMBERS_MAX = 16,
};

struct driver;

struct driver_options {
    uint64_t node;
    uint32_t group;
    unsigned seed;
    unsigned election_timeout_ms; /* 0: the constants above. */
    unsigned heartbeat_ms;
    unsigned inflight_entries;
    unsigned snapshot_each;
    size_t tail_bytes;
    struct outbox_options outbox;
    unsigned guards_off; /* enum guard; 0 but in tests of the guards. */
};

/* A change of the log on its way to the disk. Owned by the driver; lent to hooks.write until
 * driver_written(). */
struct driver_write {
    struct log_write change;
    uint64_t first, last;      /* What it stores; last < first: bounds only. */
    struct driver_write *next; /* For the holder's queue. */
    /* Private to the driver. */
    struct driver_write *queued;
    bool pulled;
    struct payload **payloads;
};

struct driver_hooks {
    uint64_t (*now_ms)(void *arg);       /* Monotonic. */
    int64_t (*wall_clock_ms)(void *arg); /* Told to peers with each message. */
    /* Term and vote to stable storage before it returns. Any failure is fatal. */
    int (*save)(void *arg, uint64_t term, uint64_t vote);
    /* Executes in order; driver_written() for each, in order. */
    void (*write)(void *arg, struct driver_write *write);
    /* driver_next_frame() has something for this peer. */
    void (*ready)(void *arg, uint64_t node);
    /* Entries for this peer that are not in memory: read them and call driver_read_done(). One at a
     * time a peer. */
    void (*read)(void *arg, uint64_t node, uint64_t first, size_t count, size_t bytes_max);
    /* Get entries from … to, which are committed, from any peer that holds `to` at this term: all
     * before it is then the same too, also where the peer has not heard that it is committed. Hand
     * them to driver_pulled() in order, at most a MiB at a time. Asked again if
     * driver_pull_failed(). */
    void (*pull)(void *arg, uint64_t from, uint64_t to, uint64_t to_term);
    /* Role, term, leader, or what may be applied, changed. */
    void (*moved)(void *arg);
    /* The process must end: going on could break a promise. STATUS_CORRUPT, STATUS_UNIMPLEMENTED:
     * its log does not read, and would not at the next start either. why is borrowed until it
     * returns. */
    void (*fatal)(void *arg, int status, const char *why);
};

/* What a driver is put into: all borrowed until driver_destroy(). */
struct driver_world {
    struct log *log; /* Holds index 1 at least (founding). */
    uint64_t term;   /* As the state file has them. */
    uint64_t vote;
    const struct driver_hooks *hooks;
    void *arg; /* Given to each hook. */
};

/* Starts the core from what is on disk. *driver is the caller's, to be destroyed. Hooks may be
 * called before it returns. */
int driver_create(struct driver **driver, const struct driver_options *options,
    const struct driver_world *world, struct error *err);
/* Writes under way must have come back first. NULL is fine. */
void driver_destroy(struct driver *driver);

/* When driver_tick() is due, on hooks.now_ms's clock. */
uint64_t driver_deadline(const struct driver *driver);
void driver_tick(struct driver *driver);

struct driver_entry {
    enum record_kind kind;
    struct payload *payload; /* Referenced by the driver as it needs. */
};

/* Appends as leader, all at consecutive indexes from *first on. STATUS_NOT_LEADER (also while
 * leadership is being handed over), STATUS_NO_MEMORY. A membership goes alone: STATUS_INVALID if
 * not, or if it is none; STATUS_PRECONDITION when it may not be now (guards_change()). */
int driver_submit(
    struct driver *driver, const struct driver_entry *entries, size_t count, uint64_t *first);

/* A peer's message, decoded but not trusted. STATUS_MALFORMED: it cannot be; STATUS_NO_MEMORY: it
 * is lost. Any failure ends its stream, whose sender trusts that what was sent on it arrives. */
int driver_receive(
    struct driver *driver, uint64_t from, const Zhurnal__Peer__V1__Frame *frame, struct error *err);

/* The write is on stable storage. */
void driver_written(struct driver *driver, struct driver_write *write);

/* The connection to a peer was made or lost. Nothing goes to a peer before it was made; of one that
 * becomes a member later it is to be told again. */
void driver_connected(struct driver *driver, uint64_t node, bool connected);

/* Gives the next message for a peer, an encoded RaftRequest, to emit, which copies it. False:
 * nothing now, hooks.ready will tell. */
bool driver_next_frame(
    struct driver *driver, uint64_t node, void (*emit)(void *arg, struct bytes request), void *arg);

/* What hooks.read asked for: a block of log_read_range(), taken over; count 0 where the log has
 * moved on. */
void driver_read_done(struct driver *driver, uint64_t node, struct record *records, size_t count);

/* Entries that hooks.pull brought. STATUS_OK: they are being written; more only when
 * driver_wants_pull() says so. STATUS_MALFORMED: they cannot be, try another peer. */
int driver_pulled(struct driver *driver, const struct record *records, size_t count);
void driver_pull_failed(struct driver *driver);
/* The next index wanted, 0: none now. */
uint64_t driver_wants_pull(const struct driver *driver);

/* Hands leadership to a voter, the most advanced if node is 0. While it goes on driver_submit()
 * refuses; it ends when the role changes or after two election time-outs. */
void driver_transfer(struct driver *driver, uint64_t node);

/* ---- how things stand ---- */
enum driver_role { DRIVER_UNAVAILABLE, DRIVER_FOLLOWER, DRIVER_CANDIDATE, DRIVER_LEADER };

struct driver_status {
    enum driver_role role;
    uint64_t term;
    uint64_t leader; /* 0: none known. */
    uint64_t last_index;
    uint64_t stored_index;
    uint64_t commit_index;
    uint64_t applicable; /* Committed, present and flushed here: may be applied. */
    uint64_t marker;     /* Durably known to be committed. */
    uint64_t install_to; /* Installing up to here; 0: not. */
    bool accepts;        /* driver_submit() would be taken. */
};
struct driver_status driver_status(const struct driver *driver);

struct driver_member {
    uint64_t node;
    const char *address; /* Borrowed until the membership changes. */
    bool voter;
    uint64_t match_index; /* As leader; else 0. */
};
/* The members of the newest membership, at most DRIVER_MEMBERS_MAX. Returns how many. */
unsigned driver_members(const struct driver *driver, struct driver_member *members);

/* An entry that is still in memory; false: read the log. payload is borrowed. */
bool driver_entry_in_memory(const struct driver *driver, uint64_t index, struct record *record);

#endif
