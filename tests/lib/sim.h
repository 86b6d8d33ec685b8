/* A cluster in one thread, from one seed: the driver and the log as they are in the daemon, each
 * node with its own LMDB environment and state file, over a simulated disk, network and clock. What
 * a life does is its seed's doing alone, so a failure is reproduced by its number.
 *
 * What may go wrong: writes of the log are late, and at a crash a prefix of those under way is on
 * disk; of the state file, what was not flushed is lost, or torn. Messages are dropped, delayed,
 * doubled and reordered; or the links are as TCP is: in order, and when one breaks all that was in
 * flight on it is lost. Nodes are cut off, crash one by one and all at once, and come back.
 *
 * What is checked after each call of a driver (sim_check.c): one leader a term; logs equal up to
 * what is committed, which is never truncated; what a leader commits is on disk at a majority at
 * that moment, an acknowledged write at its index for ever, once; no message leaves ahead of the
 * disk that it speaks of; no bound runs ahead of what it bounds; the term never goes back. The
 * first violation stands in sim->violation, and ends the life.
 *
 * A further layer over the log plugs in as a struct sim_app.
 *
 * Threads: one. */
#ifndef TESTS_LIB_SIM_H
#define TESTS_LIB_SIM_H

#include "node/driver.h"
#include "storage/state.h"
#include "tests/lib/random.h"

enum {
    SIM_NODES_MAX = 5,
    SIM_GROUP = 1,
    SIM_ELECTION_MS = 300,
    SIM_HEARTBEAT_MS = 60,
    SIM_STATE_SIZE = STATE_SLOTS * STATE_SLOT_SIZE,
    SIM_PENDING_MAX = 8192, /* Writes of a node's clients without an answer; more are forgotten. */
};

struct sim;
struct sim_node;

/* Zeros are a cluster without faults, and the constants above. */
struct sim_options {
    unsigned nodes;
    uint64_t seed;
    /* The network. */
    bool fifo;     /* Links as TCP is; else messages are each on their own. */
    bool scripted; /* Nothing happens but by the hand of the test. */
    bool asleep;   /* Nodes begin down. */
    unsigned drop_permille, duplicate_permille; /* fifo: a drop breaks the link. */
    unsigned delay_max_ms;
    unsigned window; /* fifo: messages in flight on a link; 0: any number. */
    /* The disk. */
    unsigned disk_max_ms;
    unsigned read_ms;         /* 0: a few, as at the end. */
    unsigned pull_records;    /* At a time; 0: as many as wanted. */
    unsigned fail_permille;   /* Reads and pulls. */
    unsigned tear_permille;   /* Saves of the state that end in a crash. */
    unsigned lie_permille;    /* Crashes after which the newest flushed write is gone. */
    unsigned forget_permille; /* Saves of the state that are reported, and not done. */
    bool change;              /* Voters become standbys, and voters again. */
    bool lose_some;           /* When faults end, a minority is gone at first. */
    bool fill_some;           /* The same, but its disks are full or hang; and some do before. */
    /* The driver's. */
    unsigned election_ms, heartbeat_ms;
    unsigned inflight_entries, snapshot_each;
    size_t tail_bytes, outbox_items, flight_bytes;
    unsigned guards_off;
};

/* What stands on the log. NULL members are fine. */
struct sim_app {
    void *arg;
    /* The node has come up, and nothing is applied; it is about to go. */
    void (*start)(void *arg, struct sim_node *node);
    void (*stop)(void *arg, struct sim_node *node);
    /* A client's next write, unlike all others. */
    struct payload *(*submit)(void *arg, struct sim_node *node);
    /* Each entry, in order, as soon as it may be applied: since start(). */
    void (*applied)(void *arg, struct sim_node *node, const struct record *record);
    /* Who brings a driver of his own, in a group: makes node->driver, and takes it down. */
    int (*create)(void *arg, struct sim_node *node, const struct driver_options *options,
        const struct driver_world *world, struct error *err);
    void (*destroy)(void *arg, struct sim_node *node);
    /* A client's write, in place of sim_submit()'s; false: it was not taken. The app answers, and
     * tells sim_acknowledge(). */
    bool (*write)(void *arg, struct sim_node *node);
    /* After each call of the driver; and when its timer is due, in place of driver_tick(). */
    void (*settled)(void *arg, struct sim_node *node);
    void (*tick)(void *arg, struct sim_node *node);
    /* The node's disk has no room, or has again: what is written waits meanwhile. */
    void (*full)(void *arg, struct sim_node *node, bool full);
    /* The node's wall clock is set, to right or wrong. */
    void (*set_clock)(void *arg, struct sim_node *node);
    /* Faults are over, and all nodes up and at rest: what must hold now? */
    void (*check)(void *arg, struct sim *sim);
};

/* An entry as the checker knows it: equal where term, kind and payload are. */
struct sim_entry {
    uint64_t term;
    uint64_t digest;
    bool command;
};

struct sim_log {
    struct sim_entry *entries; /* Index 1 is the first. */
    uint64_t last;
    size_t capacity;
};

/* A client's write that its leader took. */
struct sim_pending {
    uint64_t index, term, digest;
};

/* The state file: what was written, and what of it was flushed. */
struct sim_file {
    uint8_t written[SIM_STATE_SIZE];
    uint8_t flushed[SIM_STATE_SIZE];
    unsigned tear_permille;
    bool broken; /* Nothing works until the node has crashed. */
    struct random_stream *random;
};

struct sim_node {
    struct sim *sim;
    uint64_t id;
    bool up;
    unsigned life; /* Counts starts, so that what belonged to an earlier one is known. */
    struct driver *driver;
    char fatal[256]; /* The driver wants to end. */

    struct sim_file file;
    struct state state;
    uint64_t promised_term, promised_vote; /* As the driver was told they are saved. */

    struct env env;
    struct log log;
    struct driver_write *queue_head, *queue_tail;
    size_t batch;   /* So many of them are under way. */
    size_t durable; /* So many of them are on disk, and not yet reported. */
    bool full;      /* Nothing is written for now. */
    bool hung;      /* Because the disk does not answer at all, and nobody is told. */
    struct sim_log disk;
    struct log_bounds bounds;

    unsigned ready; /* Bits: peers for which the driver has something. */
    bool pulling, pull_due;
    bool pull_unanswered; /* By the peer that was asked, for as long as is waited for one. */
    uint64_t pull_to, pull_to_term;
    unsigned pull_next; /* Whom to ask first. */
    uint64_t led_term;  /* The last that it was seen to lead. */
    uint64_t checked;   /* Committed and compared up to here, since start. */
    uint64_t applied;   /* The same, of what may be applied. */
    struct sim_pending *pending;
    size_t pending_count;
};

/* From node to node. */
struct sim_link {
    unsigned epoch; /* Grows when it breaks: what was sent before is lost. */
    bool connected;
    bool cut;
    bool stalled; /* Whole, but nothing arrives. */
    unsigned in_flight;
    uint64_t bytes;   /* Sent in this life. */
    uint64_t last_ms; /* fifo: nothing arrives before this. */
};

enum sim_event_type {
    SIM_EVENT_DELIVER,
    SIM_EVENT_CONNECT,
    SIM_EVENT_DISK,
    SIM_EVENT_READ,
    SIM_EVENT_PULL,
    SIM_EVENT_RESTART,
};

struct sim_message {
    size_t size;
    uint8_t data[];
};

struct sim_event {
    uint64_t at_ms, order;
    enum sim_event_type type;
    unsigned to, from; /* Nodes' places. */
    unsigned stamp;    /* Of the link's epoch or the node's life: another one, and it is void. */
    struct sim_message *message;
    uint64_t first; /* Of a read. */
    size_t count, bytes_max;
    struct record *records; /* What it found, if that is known. */
    size_t found;
};

struct sim_ack {
    uint64_t index, digest;
};

struct sim {
    struct sim_options options;
    const struct sim_app *app;
    struct random_stream random;
    uint64_t now_ms;
    uint64_t order;
    bool quiet;      /* Faults are off. */
    unsigned absent; /* Bits: nodes that do not come back. */
    bool trace;      /* Tell what happens, on standard output: SIM_TRACE is set. */
    struct sim_node nodes[SIM_NODES_MAX];
    struct sim_link links[SIM_NODES_MAX][SIM_NODES_MAX]; /* [from][to] */

    struct sim_event *events; /* A heap. */
    size_t event_count, event_capacity;
    struct sim_event *box; /* scripted: what was sent, oldest first. */
    size_t box_count, box_capacity;

    /* The checker's. */
    struct sim_log committed;
    uint64_t *leaders; /* By term. */
    size_t leaders_capacity;
    struct sim_ack *acks;
    size_t ack_count, ack_capacity;
    uint64_t written; /* Payloads given out in this life. */
    char violation[1024];

    /* Over all lives, for reports. */
    struct {
        uint64_t steps, acknowledged, crashes, installs, messages, bytes, elections, changes;
        uint64_t entries_sent; /* In AppendEntries. */
        uint64_t cold_reads;
    } count;
};

/* ---- sim_life.c ---- */
/* Makes the environments, which lives share, in a directory. */
void sim_open(struct sim *sim, const char *directory);
void sim_close(struct sim *sim);

/* A new cluster, all nodes up. sim_end() takes it down; harmless twice. */
void sim_begin(struct sim *sim, const struct sim_options *options, const struct sim_app *app);
void sim_end(struct sim *sim);

/* The next thing that happens, if it does before this time; false: nothing did, and it is now that
 * time. */
bool sim_step(struct sim *sim, uint64_t until_ms);
void sim_run(struct sim *sim, uint64_t for_ms);

/* True so many times in a thousand, while there are faults. */
bool sim_strikes(struct sim *sim, unsigned permille);

/* Options of a life under every kind of fault, from its seed. */
struct sim_options sim_chaos(uint64_t seed, unsigned nodes);
/* Lives it, for so many steps, then without faults until the cluster is found to be well. False:
 * sim->violation says why. */
bool sim_live(
    struct sim *sim, const struct sim_options *options, const struct sim_app *app, unsigned steps);
/* Faults off: all nodes up, all links whole. A new write is committed everywhere within ten
 * election time-outs, or it is a violation. */
void sim_heal(struct sim *sim);
void sim_await_progress(struct sim *sim);

/* ---- sim_node.c ---- */
struct sim_node *sim_node(struct sim *sim, uint64_t id);
void sim_start(struct sim_node *node);
/* Its driver goes, and what stands on it. */
void sim_destroy(struct sim_node *node);
/* Loses what is in memory, and of what is on its way to the disk all but a prefix; 0 … all of it by
 * the seed. */
void sim_crash(struct sim_node *node);
/* The same, but the first `kept` writes under way reach the disk. */
void sim_crash_keeping(struct sim_node *node, size_t kept);
/* The one that leads the highest term; NULL: none. */
struct sim_node *sim_leader(struct sim *sim);
/* A client's writes in one submission; false: the node does not take them. */
bool sim_submit(struct sim_node *node, unsigned count);
/* The same, as it is. The payload is taken over. */
bool sim_submit_payload(struct sim_node *node, struct payload *payload);
void sim_transfer(struct sim_node *node, uint64_t to);
/* As leader: the member becomes a voter or a standby. STATUS_* of driver_submit(). */
int sim_change(struct sim_node *node, uint64_t member, bool voter);
/* The same for one or another, so that there remain three voters. */
int sim_change_some(struct sim_node *node);
/* Due after each call of a node's driver: sends, checks, applies. */
void sim_settle(struct sim_node *node);
void sim_tick(struct sim_node *node);
/* The entry, wherever it is; false: nowhere. *txn is to be aborted after use. */
bool sim_entry_at(struct sim_node *node, uint64_t index, struct txn *txn, struct record *record);

/* ---- sim_pull.c ---- */
/* For event, at this moment. */
void sim_read(struct sim_node *node, struct sim_event *event);
void sim_node_read(struct sim_node *node, struct sim_event *event);
void sim_node_pull(struct sim_node *node);
/* Once, in so many milliseconds. */
void sim_schedule_pull(struct sim_node *node, uint64_t in_ms);

/* ---- sim_disk.c ---- */
struct state_io sim_file_io(struct sim_file *file);
void sim_file_crash(struct sim_file *file);
/* Empties the log and founds the cluster in it. */
void sim_disk_format(struct sim_node *node);
/* Of a node that is down: what it has had on disk all along. */
void sim_disk_append(struct sim_node *node, uint64_t term, size_t count);
void sim_disk_promise(struct sim_node *node, uint64_t term);
void sim_disk_queue(struct sim_node *node, struct driver_write *write);
/* Without room what is queued waits. */
void sim_disk_set_full(struct sim_node *node, bool full);
/* The batch under way is on disk. */
void sim_disk_done(struct sim_node *node);
/* scripted: the first `count` writes are on disk. */
void sim_disk_flush(struct sim_node *node, size_t count);
/* Of the writes under way this many are on disk; the others are gone. */
void sim_disk_crash(struct sim_node *node, size_t kept);
size_t sim_disk_queued(const struct sim_node *node);
void sim_log_set(struct sim_log *log, uint64_t index, struct sim_entry entry);
struct sim_entry sim_log_at(const struct sim_log *log, uint64_t index);

/* ---- sim_net.c ---- */
void sim_schedule(struct sim *sim, const struct sim_event *event);
/* False: nothing up to then. */
bool sim_next_event(struct sim *sim, uint64_t until_ms, struct sim_event *event);
void sim_net_reset(struct sim *sim);
/* Sends what the driver has for its ready peers. */
void sim_net_pump(struct sim_node *node);
void sim_net_deliver(struct sim *sim, const struct sim_event *event);
void sim_net_connect(struct sim *sim, const struct sim_event *event);
/* The node came up, or went. */
void sim_net_node_up(struct sim_node *node);
void sim_net_node_down(struct sim_node *node);
/* Nothing passes from one to the other. */
void sim_net_cut(struct sim *sim, unsigned from, unsigned to, bool cut);
void sim_net_mend(struct sim *sim);
void sim_net_receive(
    struct sim *sim, unsigned from, unsigned to, const struct sim_message *message);

/* ---- sim_script.c: options.scripted ---- */
/* The oldest message of this type on its way, taken out; NULL: none. Freed by the owner. */
struct sim_message *sim_take(
    struct sim *sim, uint64_t from, uint64_t to, Zhurnal__Peer__V1__Frame__MessageCase type);
/* Hands it over. */
void sim_hand(struct sim *sim, uint64_t from, uint64_t to, const struct sim_message *message);
void sim_hand_frame(
    struct sim *sim, uint64_t from, uint64_t to, const Zhurnal__Peer__V1__Frame *frame);
/* All of this type that are on their way, or come on the way. */
void sim_pass(
    struct sim *sim, uint64_t from, uint64_t to, Zhurnal__Peer__V1__Frame__MessageCase type);
/* What is on its way between the two, or at all, is lost. */
void sim_lose(struct sim *sim, uint64_t from, uint64_t to);
void sim_lose_all(struct sim *sim);
/* All that is queued is on disk. */
void sim_flush(struct sim_node *node);
/* It is time for the node's timer. */
void sim_timeout(struct sim_node *node);
/* The voter's vote alone makes it leader; whatever else was on its way is lost. */
void sim_elect(struct sim *sim, uint64_t candidate, uint64_t voter);
/* It hears from nobody until it gives up. */
void sim_depose(struct sim_node *node);

/* ---- sim_trace.c ---- */
void sim_trace_frame(
    struct sim *sim, uint64_t from, uint64_t to, const Zhurnal__Peer__V1__Frame *frame);
void sim_trace_node(struct sim_node *node, const char *what);

/* ---- sim_check.c ---- */
void sim_violation(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));
void sim_check_reset(struct sim *sim);
struct sim_entry sim_entry_of(const struct record *record);
/* Before the write goes to disk. */
void sim_check_write(struct sim_node *node, const struct driver_write *write);
/* As it leaves. */
void sim_check_sent(struct sim_node *node, uint64_t to, const Zhurnal__Peer__V1__Frame *frame);
void sim_check_saved(struct sim_node *node, uint64_t term, uint64_t vote);
void sim_check_started(struct sim_node *node);
void sim_check_node(struct sim_node *node);
void sim_check_acknowledged(struct sim_node *node, const struct sim_pending *pending);
/* The node says that what was committed at index is recorded. */
void sim_acknowledge(struct sim_node *node, uint64_t index);
/* All logs, to the last byte, against what was committed; and what the app knows. */
void sim_check_end(struct sim *sim);

#endif
