/* From the disk to a running core, and its end. */
#include "node/driver_private.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { LIBRAFT_VERSION = 2201, ADDRESS_SIZE = 32, INSTALL_ELECTIONS = 3 };

/* ---- start and end ---- */

static void set_defaults(struct driver_options *options)
{
    options->election_timeout_ms = options->election_timeout_ms > 0 ? options->election_timeout_ms
                                                                    : DRIVER_ELECTION_TIMEOUT_MS;
    options->heartbeat_ms = options->heartbeat_ms > 0 ? options->heartbeat_ms : DRIVER_HEARTBEAT_MS;
    options->inflight_entries =
        options->inflight_entries > 0 ? options->inflight_entries : DRIVER_INFLIGHT_ENTRIES;
    options->snapshot_each =
        options->snapshot_each > 0 ? options->snapshot_each : DRIVER_SNAPSHOT_EACH;
    options->tail_bytes = options->tail_bytes > 0 ? options->tail_bytes : DRIVER_TAIL_BYTES;
}

static int init_core(struct driver *d, struct error *err)
{
    char address[ADDRESS_SIZE];
    snprintf(address, sizeof address, "%016" PRIx64, d->options.node);
    if (raft_version_number() != LIBRAFT_VERSION) {
        return error_set(err, STATUS_INTERNAL, "built with libraft %d, but %d is required",
            raft_version_number(), LIBRAFT_VERSION);
    }
    if (raft_init(&d->raft, NULL, NULL, d->options.node, address) != 0) {
        return error_set(err, STATUS_NO_MEMORY, "consensus does not start: out of memory");
    }
    raft_seed(&d->raft, d->options.seed);
    raft_set_election_timeout(&d->raft, d->options.election_timeout_ms);
    raft_set_heartbeat_timeout(&d->raft, d->options.heartbeat_ms);
    /* Where the answer to a snapshot is lost, the core may wait for it as long as this. Who
     * installs ignores a second one. */
    raft_set_install_snapshot_timeout(&d->raft, INSTALL_ELECTIONS * d->options.election_timeout_ms);
    raft_set_pre_vote(&d->raft, true);
    raft_set_max_inflight_entries(&d->raft, d->options.inflight_entries);
    return STATUS_OK;
}

/* The log's newest part as the core wants it: terms and types, and the memberships encoded. */
struct loaded {
    struct raft_entry *entries;
    size_t count;
    uint64_t start_index;
};

static void unload(struct loaded *loaded)
{
    for (size_t i = 0; i < loaded->count; i++) {
        raft_free(loaded->entries[i].buf.base);
    }
    free(loaded->entries);
}

static int load_entry(struct driver *d, const struct record *record, struct raft_entry *entry)
{
    *entry = (struct raft_entry){.term = record->term, .type = driver_type_of(record->kind)};
    if (record->kind != RECORD_MEMBERSHIP) {
        return STATUS_OK;
    }
    struct raft_configuration configuration;
    int status = driver_decode_membership(record->payload, &configuration);
    if (status != STATUS_OK) {
        return status;
    }
    int rv = raft_configuration_encode(&configuration, &entry->buf);
    raft_configuration_close(&configuration);
    if (rv != 0 || d->change_count == DRIVER_CHANGES_MAX) {
        return STATUS_NO_MEMORY;
    }
    if (record->index > d->membership_index) {
        d->changes[d->change_count++] = record->index;
    }
    return STATUS_OK;
}

static int load(
    struct driver *d, struct txn *txn, uint64_t last, struct loaded *loaded, struct error *err)
{
    size_t count = (size_t)(last + 1 - loaded->start_index);
    loaded->entries = calloc(count > 0 ? count : 1, sizeof *loaded->entries);
    if (loaded->entries == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "out of memory for the newest part of the log");
    }
    for (size_t i = 0; i < count; i++) {
        struct record record;
        uint64_t index = loaded->start_index + i;
        if (!log_read(txn, d->log, index, &record)) {
            txn_fail(txn, STATUS_CORRUPT); /* No index is ever missing. */
            return log_explain(d->log, index, txn->status, err);
        }
        int status = load_entry(d, &record, &loaded->entries[i]);
        loaded->count = i + 1;
        if (status != STATUS_OK) {
            return log_explain(d->log, index, status, err);
        }
    }
    return STATUS_OK;
}

static int find_membership(
    struct driver *d, uint64_t index, struct raft_configuration *configuration, struct error *err)
{
    int status = driver_membership_at(d, index, configuration);
    return status == STATUS_OK ? STATUS_OK : log_explain(d->log, index, status, err);
}

/* A sole voter is leader without asking anybody, and the core elects it in the term it had: twice
 * in one term, after a restart. So the term is raised here. */
static int promote_sole_voter(struct driver *d, const struct raft_configuration *newest,
    uint64_t *term, uint64_t *vote, struct error *err)
{
    bool sole = newest->n == 1 && newest->servers[0].id == d->options.node &&
        newest->servers[0].role == RAFT_VOTER;
    if (!sole) {
        return STATUS_OK;
    }
    *term += 1;
    *vote = d->options.node;
    int status = d->hooks->save(d->arg, *term, *vote);
    return status == STATUS_OK
        ? STATUS_OK
        : error_set(err, status, "term and vote cannot be written: %s", status_text(status));
}

static int start_core(
    struct driver *d, struct txn *txn, uint64_t term, uint64_t vote, struct error *err)
{
    const struct log_bounds bounds = log_bounds(txn, d->log);
    struct raft_event event = {.type = RAFT_START};
    struct raft_snapshot_metadata metadata = {0};
    struct raft_configuration newest = {0};
    struct loaded loaded = {.start_index = 1};

    if (txn->status != STATUS_OK) {
        return log_explain(d->log, 0, txn->status, err);
    }
    d->marker = d->marker_given = bounds.committed;
    d->membership_index = bounds.membership_index;
    tail_init(&d->tail, bounds.last_index + 1);
    if (bounds.committed >= 2) { /* Metadata at index 1 leaves an empty follower stuck. */
        metadata.index = bounds.committed;
        metadata.configuration_index = bounds.membership_index;
        uint64_t trailing = d->options.snapshot_each;
        loaded.start_index = metadata.index + 1 > trailing ? metadata.index + 1 - trailing : 1;
    } else {
        d->membership_index = 0; /* The core takes index 1 for committed once it has started. */
    }
    int status = load(d, txn, bounds.last_index, &loaded, err);
    uint64_t newest_index =
        d->change_count > 0 ? d->changes[d->change_count - 1] : bounds.membership_index;
    if (status == STATUS_OK) {
        status = find_membership(d, newest_index, &newest, err);
    }
    if (status == STATUS_OK) {
        status = promote_sole_voter(d, &newest, &term, &vote, err);
        raft_configuration_close(&newest);
    }
    if (status == STATUS_OK && metadata.index > 0) {
        metadata.term = loaded.entries[metadata.index - loaded.start_index].term;
        status = find_membership(d, bounds.membership_index, &metadata.configuration, err);
        event.start.metadata = &metadata;
    }
    if (status == STATUS_OK) {
        event.start.term = term;
        event.start.voted_for = vote;
        event.start.start_index = loaded.start_index;
        event.start.entries = loaded.count > 0 ? loaded.entries : NULL;
        event.start.n_entries = (unsigned)loaded.count;

        status = driver_step(d, &event, &(struct driver_offer){0});
        if (status != STATUS_OK) {
            error_set(err, status, "%s", status_text(status));
        }
    }
    unload(&loaded);
    return status;
}

int driver_create(struct driver **driver, const struct driver_options *options,
    const struct driver_world *world, struct error *err)
{
    assert(options->node > 0 && options->group == world->log->group);

    *driver = NULL;
    struct driver *d = calloc(1, sizeof *d);
    if (d == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "consensus does not start: out of memory");
    }
    d->options = *options;
    d->log = world->log;
    d->hooks = world->hooks;
    d->arg = world->arg;
    set_defaults(&d->options);
    tail_init(&d->tail, 1);
    int status = init_core(d, err);
    if (status != STATUS_OK) {
        free(d);
        return status;
    }
    struct txn txn;
    txn_begin_read(&txn, d->log->env);
    status = start_core(d, &txn, world->term, world->vote, err);
    txn_abort(&txn);
    if (status != STATUS_OK) {
        driver_destroy(d);
        return error_wrap(err, status, "consensus does not start");
    }
    *driver = d;
    return STATUS_OK;
}

void driver_destroy(struct driver *d)
{
    if (d == NULL) {
        return;
    }
    while (d->queue_head != NULL) {
        struct driver_write *write = d->queue_head;
        d->queue_head = write->queued;
        driver_free_write(write);
    }
    for (unsigned i = 0; i < d->peer_count; i++) {
        outbox_deinit(&d->peers[i].outbox);
        free(d->peers[i].cold);
    }
    if (d->install.active) {
        raft_configuration_close(&d->install.metadata.configuration);
    }
    tail_deinit(&d->tail);
    raft_close(&d->raft, NULL);
    free(d);
}
