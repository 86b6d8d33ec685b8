/* The driver's side of the log: entries on their way to the disk, the commit marker that goes with
 * them, and the memberships among them. */
#include "node/driver_private.h"

#include <assert.h>
#include <stdlib.h>

/* ---- the log, wherever it is ---- */

void driver_fail_log(struct driver *d, uint64_t index, int status)
{
    struct error err;
    log_explain(d->log, index, status, &err);
    driver_fail(d, status, err.text);
}

uint64_t driver_term_of(struct driver *d, uint64_t index)
{
    const struct tail_entry *entry = tail_find(&d->tail, index);
    if (entry != NULL) {
        return entry->term;
    }
    struct txn txn;
    txn_begin_read(&txn, d->log->env);
    uint64_t term = log_term(&txn, d->log, index);
    txn_abort(&txn);
    if (txn.status != STATUS_OK) {
        driver_fail_log(d, index, txn.status);
    }
    return term;
}

enum raft_entry_type driver_type_of(enum record_kind kind)
{
    switch (kind) {
    case RECORD_BARRIER:
        return RAFT_BARRIER;
    case RECORD_MEMBERSHIP:
        return RAFT_CHANGE;
    case RECORD_COMMAND:
    case RECORD_ERASED:
        break;
    }
    return RAFT_COMMAND;
}

/* ---- memberships ---- */

/* The core's configuration of a Membership. The addresses are not the core's business: it gets the
 * ids. What the core would take, and be undone by: no members, and no id. */
int driver_decode_membership(struct bytes payload, struct raft_configuration *configuration)
{
    raft_configuration_init(configuration);
    Zhurnal__Peer__V1__Membership *membership =
        zhurnal__peer__v1__membership__unpack(NULL, payload.size, payload.data);
    if (membership == NULL) {
        return STATUS_CORRUPT;
    }
    int rv = membership->n_members > 0 ? 0 : RAFT_MALFORMED;
    for (size_t i = 0; i < membership->n_members && rv == 0; i++) {
        const Zhurnal__Peer__V1__Member *member = membership->members[i];
        int role = member->role == ZHURNAL__PEER__V1__MEMBER_ROLE__MEMBER_ROLE_VOTER ? RAFT_VOTER
            : member->role == ZHURNAL__PEER__V1__MEMBER_ROLE__MEMBER_ROLE_STANDBY    ? RAFT_STANDBY
                                                                                     : RAFT_SPARE;
        rv = member->node > 0
            ? raft_configuration_add(configuration, member->node, member->address, role)
            : RAFT_BADID;
    }
    zhurnal__peer__v1__membership__free_unpacked(membership, NULL);
    if (rv != 0) {
        raft_configuration_close(configuration);
        return rv == RAFT_NOMEM ? STATUS_NO_MEMORY : STATUS_CORRUPT;
    }
    return STATUS_OK;
}

int driver_membership_at(const struct driver *d, uint64_t index, struct raft_configuration *c)
{
    const struct tail_entry *entry = tail_find(&d->tail, index);
    if (entry != NULL) {
        return driver_decode_membership(payload_bytes(entry->payload), c);
    }
    struct txn txn;
    struct record record;
    int status = STATUS_CORRUPT;
    txn_begin_read(&txn, d->log->env);
    if (log_read(&txn, d->log, index, &record) && record.kind == RECORD_MEMBERSHIP) {
        status = driver_decode_membership(record.payload, c);
    } else if (txn.status != STATUS_OK) {
        status = txn.status;
    }
    txn_abort(&txn);
    return status;
}

uint64_t driver_membership_upto(const struct driver *d, uint64_t index)
{
    assert(index >= d->membership_index);

    uint64_t newest = d->membership_index;
    for (unsigned i = 0; i < d->change_count && d->changes[i] <= index; i++) {
        newest = d->changes[i];
    }
    return newest;
}

/* ---- the disk ---- */

struct driver_write *driver_make_write(size_t count)
{
    struct driver_write *write = calloc(1, sizeof *write);
    struct record *records = calloc(count > 0 ? count : 1, sizeof *records);
    struct payload **payloads = calloc(count > 0 ? count : 1, sizeof(struct payload *));
    if (write == NULL || records == NULL || payloads == NULL) {
        free(write);
        free(records);
        free((void *)payloads);
        return NULL;
    }
    write->change.records = records;
    write->change.count = count;
    write->payloads = payloads;
    return write;
}

void driver_free_write(struct driver_write *write)
{
    for (size_t i = 0; i < write->change.count; i++) {
        payload_unref(write->payloads[i]);
    }
    free((void *)write->payloads);
    free((void *)write->change.records);
    free(write);
}

/* Everything that is committed by the time the write is on disk, and in the log then. */
static void mark_committed(struct driver *d, struct driver_write *write, uint64_t committed)
{
    if (committed > d->marker_given) {
        write->change.committed = committed;
        write->change.membership_index = driver_membership_upto(d, committed);
        d->marker_given = committed;
    }
    d->marker_due_ms = 0;
}

void driver_give_write(struct driver *d, struct driver_write *write)
{
    if (d->queue_tail != NULL) {
        d->queue_tail->queued = write;
    } else {
        d->queue_head = write;
    }
    d->queue_tail = write;
    d->hooks->write(d->arg, write);
}

uint64_t driver_committed_in_log(const struct driver *d)
{
    uint64_t last = tail_last(&d->tail);
    return d->raft.commit_index < last ? d->raft.commit_index : last;
}

uint64_t driver_present_commit(const struct driver *d)
{
    return d->install.active ? d->install.position : driver_committed_in_log(d);
}

int driver_write_marker(struct driver *d)
{
    struct driver_write *write = driver_make_write(0);
    if (write == NULL) {
        return STATUS_NO_MEMORY;
    }
    write->first = tail_last(&d->tail) + 1;
    write->last = tail_last(&d->tail);
    mark_committed(d, write, driver_present_commit(d));
    driver_give_write(d, write);
    return STATUS_OK;
}

/* Index of the newest entry that every write so far has stored. */
uint64_t driver_flushed_upto(const struct driver *d)
{
    uint64_t upto = tail_last(&d->tail);
    for (const struct driver_write *w = d->queue_head; w != NULL; w = w->queued) {
        if (w->first - 1 < upto) {
            upto = w->first - 1;
        }
    }
    return upto;
}

/* What a completed write has stored for good: later writes under way may replace some of it. */
uint64_t driver_written_top(const struct driver *d, const struct driver_write *write)
{
    uint64_t top = write->last;
    for (const struct driver_write *later = d->queue_head; later != NULL; later = later->queued) {
        bool stores = later->last >= later->first;
        if (stores && later->first <= top) {
            top = later->first - 1;
        }
    }
    return top;
}

/* ---- the update of a step ---- */

/* index is where the new entries begin: what stood there and above is replaced. */
void driver_drop_changes(struct driver *d, uint64_t index)
{
    while (d->change_count > 0 && d->changes[d->change_count - 1] >= index) {
        d->change_count--;
    }
    assert(d->confirmed_count <= d->change_count); /* What is committed stays. */
}

void driver_fold_changes(struct driver *d, uint64_t upto)
{
    unsigned n = 0;
    while (n < d->confirmed_count && d->changes[n] <= upto) {
        d->membership_index = d->changes[n++];
    }
    d->change_count -= n;
    d->confirmed_count -= n;
    memmove(d->changes, d->changes + n, d->change_count * sizeof d->changes[0]);
}

static int append_entry(struct driver *d, const struct driver_entry *source, uint64_t term,
    struct driver_write *write, size_t i)
{
    struct payload *payload =
        source != NULL ? payload_ref(source->payload) : payload_create(NULL, 0);
    if (payload == NULL) {
        return STATUS_NO_MEMORY;
    }
    enum record_kind kind = source != NULL ? source->kind : RECORD_BARRIER;
    const struct tail_entry entry = {.term = term, .kind = kind, .payload = payload};
    if (tail_append(&d->tail, &entry) != STATUS_OK) {
        payload_unref(payload);
        return STATUS_NO_MEMORY;
    }
    uint64_t index = tail_last(&d->tail);
    write->payloads[i] = payload_ref(payload);
    ((struct record *)write->change.records)[i] = (struct record){
        .index = index, .term = term, .kind = kind, .payload = payload_bytes(payload)};
    if (kind == RECORD_MEMBERSHIP) {
        if (d->change_count == DRIVER_CHANGES_MAX) {
            return STATUS_NO_MEMORY;
        }
        d->changes[d->change_count++] = index;
    }
    return STATUS_OK;
}

int driver_take_entries(
    struct driver *d, const struct raft_update *update, const struct driver_offer *offer)
{
    uint64_t first = update->entries.index;
    const struct raft_entry *entries = update->entries.batch;
    size_t count = update->entries.n;
    assert(count > 0 && first <= tail_last(&d->tail) + 1 && first > d->marker_given);

    struct driver_write *write = driver_make_write(count);
    if (write == NULL) {
        return STATUS_NO_MEMORY;
    }
    if (first <= tail_last(&d->tail)) {
        write->change.truncate_from = first;
        tail_truncate(&d->tail, first);
        driver_drop_changes(d, first);
    }
    /* The core points into the array that it was offered; its own barrier it makes itself. */
    const struct driver_entry *sources = NULL;
    if (offer->count > 0 && entries >= offer->entries && entries < offer->entries + offer->count) {
        sources = offer->sources + (entries - offer->entries);
    }
    int status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        status = append_entry(d, sources != NULL ? &sources[i] : NULL, entries[i].term, write, i);
    }
    raft_free(entries[0].batch);
    if (status != STATUS_OK) {
        driver_free_write(write);
        return status;
    }
    write->first = first;
    write->last = first + count - 1;
    mark_committed(d, write, driver_present_commit(d));
    driver_give_write(d, write);
    return STATUS_OK;
}

bool driver_entry_in_memory(const struct driver *d, uint64_t index, struct record *record)
{
    const struct tail_entry *entry = tail_find(&d->tail, index);
    if (entry == NULL) {
        return false;
    }
    *record = (struct record){.index = index,
        .term = entry->term,
        .kind = entry->kind,
        .payload = payload_bytes(entry->payload)};
    return true;
}
