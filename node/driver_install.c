/* Snapshots are metadata here. Every core takes one now and then, so that a follower far behind is
 * told to install it, and pulls the missing entries from any peer: in order, compared with what is
 * on disk, written, and only at the end reported persisted. There is no way to call an installation
 * off; a restart begins anew from what is on disk. */
#include "node/driver_private.h"

#include <assert.h>
#include <stdlib.h>

void driver_begin_install(struct driver *d, const struct raft_update *update)
{
    assert(!d->install.active);

    d->install.active = true;
    d->install.metadata = update->snapshot.metadata;
    d->install.position = d->marker;
    d->install.asked = false;
    d->install.writing = false;
    d->install.retry_ms = d->hooks->now_ms(d->arg);
    d->change_count = d->confirmed_count;
    raft_free(update->snapshot.chunk.base);
}

/* ---- the disk has answered ---- */

void driver_take_snapshot(struct driver *d)
{
    if (d->install.active || d->marker < d->raft.trail.snapshot.index + d->options.snapshot_each ||
        d->marker <= d->raft.trail.offset) {
        return;
    }
    struct raft_event event = {.type = RAFT_SNAPSHOT};
    uint64_t membership = driver_membership_upto(d, d->marker);
    event.snapshot.metadata.index = d->marker;
    event.snapshot.metadata.term = driver_term_of(d, d->marker);
    event.snapshot.metadata.configuration_index = membership;
    event.snapshot.trailing = d->options.snapshot_each;
    if (d->failed) {
        return;
    }
    int status = driver_membership_at(d, membership, &event.snapshot.metadata.configuration);
    if (status != STATUS_OK) {
        driver_fail_log(d, membership, status);
        return;
    }
    driver_step(d, &event, &(struct driver_offer){0});
}

static void finish_install(struct driver *d)
{
    struct raft_event event = {.type = RAFT_PERSISTED_SNAPSHOT};
    event.persisted_snapshot.metadata = d->install.metadata;
    event.persisted_snapshot.last = true;
    d->membership_index = d->install.metadata.configuration_index;
    d->change_count = d->confirmed_count = 0;
    d->install.active = false;
    driver_step(d, &event, &(struct driver_offer){0});
}

void driver_pulled_piece_written(struct driver *d, const struct driver_write *write)
{
    d->install.writing = false;
    d->install.position = write->last;
    if (d->install.position == d->install.metadata.index) {
        finish_install(d);
        return;
    }
    d->hooks->moved(d->arg);
}

/* ---- catching up ---- */

void driver_pursue_install(struct driver *d)
{
    if (!d->install.active || d->install.asked || d->queue_head != NULL ||
        d->hooks->now_ms(d->arg) < d->install.retry_ms) {
        return;
    }
    /* All that was queued is on disk: from here on the disk alone is looked at. */
    if (d->install.position < d->marker) {
        d->install.position = d->marker;
    }
    tail_restart(&d->tail, tail_last(&d->tail) + 1);
    d->install.asked = true;
    d->hooks->pull(
        d->arg, d->install.position + 1, d->install.metadata.index, d->install.metadata.term);
}

uint64_t driver_wants_pull(const struct driver *d)
{
    bool wants = d->install.active && d->install.asked && !d->install.writing;
    return wants ? d->install.position + 1 : 0;
}

void driver_pull_failed(struct driver *d)
{
    if (d->install.active) {
        d->install.asked = false;
        d->install.retry_ms = d->hooks->now_ms(d->arg) + d->options.heartbeat_ms;
    }
}

static bool is_whole(const struct record *record)
{
    if (record->kind != RECORD_MEMBERSHIP) {
        return record->kind >= RECORD_COMMAND && record->kind <= RECORD_ERASED;
    }
    struct raft_configuration configuration;
    if (driver_decode_membership(record->payload, &configuration) != STATUS_OK) {
        return false;
    }
    raft_configuration_close(&configuration);
    return true;
}

static bool pulled_is_sane(struct driver *d, const struct record *records, size_t count)
{
    uint64_t index = d->install.position + 1;
    uint64_t term = driver_term_of(d, d->install.position);
    for (size_t i = 0; i < count; i++, index++) {
        bool sane = records[i].index == index && records[i].term >= term &&
            records[i].term <= d->install.metadata.term && is_whole(&records[i]);
        if (!sane || index > d->install.metadata.index) {
            return false;
        }
        term = records[i].term;
    }
    return index <= d->install.metadata.index || term == d->install.metadata.term;
}

/* How many of the first are on disk already: equal terms at equal indexes are equal entries. What
 * is here may be part of an older majority, so nothing is truncated before the first difference. */
static size_t pulled_known(struct driver *d, const struct record *records, size_t count)
{
    size_t n = 0;
    while (n < count && records[n].index <= tail_last(&d->tail) &&
        driver_term_of(d, records[n].index) == records[n].term) {
        n++;
    }
    return n;
}

static struct driver_write *make_pulled_write(const struct record *records, size_t count)
{
    struct driver_write *write = driver_make_write(count);
    for (size_t i = 0; write != NULL && i < count; i++) {
        struct record *record = &((struct record *)write->change.records)[i];
        *record = records[i];
        write->payloads[i] = payload_create(records[i].payload.data, records[i].payload.size);
        if (write->payloads[i] == NULL) {
            driver_free_write(write);
            return NULL;
        }
        record->payload = payload_bytes(write->payloads[i]);
    }
    return write;
}

/* All of these are committed, and the write of the piece says so. */
static void note_memberships(struct driver *d, const struct record *records, size_t count)
{
    driver_fold_changes(d, records[count - 1].index);
    for (size_t i = 0; i < count; i++) {
        if (records[i].kind == RECORD_MEMBERSHIP) {
            d->membership_index = records[i].index;
        }
    }
}

int driver_pulled(struct driver *d, const struct record *records, size_t count)
{
    if (driver_wants_pull(d) == 0 || count == 0) {
        return STATUS_OK;
    }
    if (!pulled_is_sane(d, records, count)) {
        return STATUS_MALFORMED;
    }
    size_t known = pulled_known(d, records, count);
    if (d->failed) {
        return STATUS_INTERNAL;
    }
    uint64_t last = records[count - 1].index;
    uint64_t log_last = tail_last(&d->tail);
    struct driver_write *write = make_pulled_write(records + known, count - known);
    if (write == NULL) {
        return STATUS_NO_MEMORY;
    }
    note_memberships(d, records, count);
    write->pulled = true;
    write->first = last - (count - known) + 1;
    write->last = last;
    bool differs = known < count && write->first <= log_last;
    bool beyond = last == d->install.metadata.index && last < log_last;
    if (differs || beyond) {
        write->change.truncate_from = differs ? write->first : last + 1;
        log_last = write->change.truncate_from - 1;
        driver_drop_changes(d, write->change.truncate_from);
    }
    tail_restart(&d->tail, (last > log_last ? last : log_last) + 1);
    d->install.writing = true;
    if (last > d->marker_given) {
        write->change.committed = last;
        write->change.membership_index = d->membership_index;
        d->marker_given = last;
    }
    driver_give_write(d, write);
    return STATUS_OK;
}
