/* The driver's inside, shared by its own files alone. */
#ifndef NODE_DRIVER_PRIVATE_H
#define NODE_DRIVER_PRIVATE_H

#include "node/driver.h"
#include "node/guards.h"

enum {
    DRIVER_TIMER_MIN_MS = 5, /* The core's deadline may lie in the past for ever. */
    DRIVER_MARKER_DELAY_MS =
        500,                 /* How long a quiet node waits until it notes what is committed. */
    DRIVER_CHANGES_MAX = 16, /* Memberships not yet committed; the core allows one. */
};

struct driver_peer {
    uint64_t node;
    struct outbox outbox;
    /* Entries from the log that are not in the tail. */
    bool reading;
    uint64_t reading_term;
    struct record *cold;
    size_t cold_count;
};

struct driver {
    struct raft raft;
    struct driver_options options;
    const struct driver_hooks *hooks;
    void *arg;
    struct log *log;
    struct tail tail;
    struct driver_peer peers[DRIVER_MEMBERS_MAX];
    unsigned peer_count;
    /* Writes under way, oldest first. */
    struct driver_write *queue_head, *queue_tail;
    uint64_t marker;       /* Durable. */
    uint64_t marker_given; /* In a write under way, or durable. */
    uint64_t marker_due_ms;
    /* The newest membership record <= marker, and those above it: the first of them the core knows
     * to be committed, which a leader may prove before our commit index says so. */
    uint64_t membership_index;
    uint64_t changes[DRIVER_CHANGES_MAX];
    unsigned change_count, confirmed_count;
    /* The snapshot that is being installed. */
    struct {
        bool active;
        struct raft_snapshot_metadata metadata;
        uint64_t position; /* Written up to here. */
        bool asked;        /* hooks.pull is at work. */
        bool writing;
        uint64_t retry_ms;
    } install;
    uint64_t ticked_ms;
    uint64_t transfer_until_ms; /* 0: none. */
    uint64_t transfer_to;
    uint64_t transfer_tried; /* Whom it was handed to last; 0: nobody yet. */
    bool failed;
};

/* What a step was given, for its update to refer to. */
struct driver_offer {
    const struct raft_entry *entries;
    const struct driver_entry *sources; /* Of the entries, in the same order. */
    size_t count;
    raft_term answered;  /* Term of the AppendEntries or InstallSnapshot that was received. */
    raft_term requested; /* Of the vote request. */
    bool told_to_stand;  /* By what was received: a TimeoutNow. */
};

/* driver.c */
/* One raft_step(), and all that follows from it, in the order that the core demands. */
int driver_step(struct driver *d, struct raft_event *event, const struct driver_offer *offer);
void driver_fail(struct driver *d, int status, const char *why);
/* Tells the core that the next membership is committed: d->changes[d->confirmed_count]. */
int driver_confirm_change(struct driver *d);
struct driver_peer *driver_find_peer(struct driver *d, uint64_t node);
/* The one block that the core wants for a batch, and frees or gives back. It needs no payload but a
 * membership's, of which there is at most one. */
int driver_make_batch(struct raft_entry *entries, const struct driver_entry *sources, size_t count);
void driver_pursue_transfer(struct driver *d);

/* driver_log.c */
/* The log does not read at index. */
void driver_fail_log(struct driver *d, uint64_t index, int status);
/* 0 where there is nothing at index, and where the driver has failed over it. */
uint64_t driver_term_of(struct driver *d, uint64_t index);
enum raft_entry_type driver_type_of(enum record_kind kind);
/* The core's configuration of a Membership. */
int driver_decode_membership(struct bytes payload, struct raft_configuration *configuration);
int driver_membership_at(
    const struct driver *d, uint64_t index, struct raft_configuration *configuration);
/* The newest membership record <= index; that is no less than the marker. */
uint64_t driver_membership_upto(const struct driver *d, uint64_t index);
struct driver_write *driver_make_write(size_t count);
void driver_free_write(struct driver_write *write);
void driver_give_write(struct driver *d, struct driver_write *write);
/* A write of the bounds alone. */
int driver_write_marker(struct driver *d);
/* Committed, as the core knows, and in the log. */
uint64_t driver_committed_in_log(const struct driver *d);
/* Committed and in the log as it will be when all writes under way are done. */
uint64_t driver_present_commit(const struct driver *d);
/* The newest entry that no write under way may touch. */
uint64_t driver_flushed_upto(const struct driver *d);
/* What a completed write has stored for good: later writes under way may replace some of it. */
uint64_t driver_written_top(const struct driver *d, const struct driver_write *write);
/* The confirmed ones up to there are what the marker says from now on. */
void driver_fold_changes(struct driver *d, uint64_t upto);
/* Forgets memberships from index on. */
void driver_drop_changes(struct driver *d, uint64_t index);
/* New entries of an update: what stood at their first index and above is replaced. */
int driver_take_entries(
    struct driver *d, const struct raft_update *update, const struct driver_offer *offer);

/* driver_send.c */
/* Forgets entries read for sending: another term may have others. */
void driver_forget_cold(struct driver *d);
void driver_send_message(
    struct driver *d, const struct raft_message *message, const struct driver_offer *offer);

/* driver_install.c */
void driver_take_snapshot(struct driver *d);
void driver_begin_install(struct driver *d, const struct raft_update *update);
void driver_pursue_install(struct driver *d);
void driver_pulled_piece_written(struct driver *d, const struct driver_write *write);

#endif
