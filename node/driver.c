/* The happy path, one write of a client on a leader:
 *
 *   - driver_submit() gives the core the new terms and types; the payloads wait beside it, the core
 * needs none;
 *   - driver_step() gets an update: the entries go to the tail and as one driver_write to the disk,
 * and the AppendEntries to the outboxes, before the disk has answered: both flushes run at once;
 *   - driver_written() reports PERSISTED_ENTRIES, answers of peers arrive through driver_receive(),
 * the core moves the commit index;
 *   - the commit index passes membership records: each is confirmed to the core, in order, before
 * it hears anything else.
 *
 * What goes wrong, and where it is met: entries are replaced (driver_take_entries), a write
 * completes for entries that were replaced meanwhile (driver_written_top), the follower is too far
 * behind (driver_install.c), a peer lies or errs (guards.c), leadership is lost (whoever submitted
 * sees the term change). */
#include "node/driver_private.h"

#include <assert.h>
#include <stdlib.h>

void driver_fail(struct driver *d, int status, const char *why)
{
    d->failed = true;
    d->hooks->fatal(d->arg, status, why);
}

static void follow_members(struct driver *d)
{
    const struct raft_configuration *c = &d->raft.configuration;
    for (unsigned i = 0; i < c->n && d->peer_count < DRIVER_MEMBERS_MAX; i++) {
        bool known = c->servers[i].id == d->options.node;
        for (unsigned k = 0; k < d->peer_count; k++) {
            known |= d->peers[k].node == c->servers[i].id;
        }
        if (!known) {
            struct driver_peer *peer = &d->peers[d->peer_count++];
            *peer = (struct driver_peer){.node = c->servers[i].id};
            outbox_init(&peer->outbox, &d->options.outbox);
        }
    }
}

struct driver_peer *driver_find_peer(struct driver *d, uint64_t node)
{
    for (unsigned i = 0; i < d->peer_count; i++) {
        if (d->peers[i].node == node) {
            return &d->peers[i];
        }
    }
    return NULL;
}

/* Confirms one committed membership to the core. */
int driver_confirm_change(struct driver *d)
{
    assert(d->confirmed_count < d->change_count);

    uint64_t index = d->changes[d->confirmed_count++];
    struct raft_event event = {.type = RAFT_CONFIGURATION};
    event.configuration.index = index;
    int status = driver_membership_at(d, index, &event.configuration.conf);
    if (status != STATUS_OK) {
        driver_fail_log(d, index, status);
        return status;
    }
    return driver_step(d, &event, &(struct driver_offer){0});
}

static void confirm_changes(struct driver *d)
{
    while (d->confirmed_count < d->change_count &&
        d->changes[d->confirmed_count] <= driver_present_commit(d) && !d->failed) {
        driver_confirm_change(d);
    }
}

/* What the core has handed over and nobody will take. */
static void drop_update(const struct raft_update *update)
{
    if (update->flags & RAFT_UPDATE_ENTRIES) {
        raft_free(update->entries.batch[0].batch);
    }
    if (update->flags & RAFT_UPDATE_SNAPSHOT) {
        struct raft_configuration configuration = update->snapshot.metadata.configuration;
        raft_configuration_close(&configuration);
    }
}

static int apply_update(
    struct driver *d, const struct raft_update *update, const struct driver_offer *offer)
{
    bool promised =
        (update->flags & RAFT_UPDATE_CURRENT_TERM) || (update->flags & RAFT_UPDATE_VOTED_FOR);
    if (promised && d->hooks->save(d->arg, d->raft.current_term, d->raft.voted_for) != STATUS_OK) {
        drop_update(update);
        driver_fail(d, STATUS_IO, "term and vote cannot be written");
        return STATUS_IO;
    }
    if ((update->flags & RAFT_UPDATE_ENTRIES) &&
        driver_take_entries(d, update, offer) != STATUS_OK) {
        driver_fail(d, STATUS_NO_MEMORY, "out of memory for entries");
        return STATUS_NO_MEMORY;
    }
    if (update->flags & RAFT_UPDATE_SNAPSHOT) {
        driver_begin_install(d, update);
    }
    if (update->flags & RAFT_UPDATE_MESSAGES) {
        for (unsigned i = 0; i < update->messages.n; i++) {
            driver_send_message(d, &update->messages.batch[i], offer);
        }
    }
    return STATUS_OK;
}

static int from_raft(int rv)
{
    switch (rv) {
    case 0:
        return STATUS_OK;
    case RAFT_NOMEM:
        return STATUS_NO_MEMORY;
    case RAFT_NOTLEADER:
        return STATUS_NOT_LEADER;
    case RAFT_SHUTDOWN:
        return STATUS_CORRUPT;
    default:
        return STATUS_INTERNAL;
    }
}

int driver_step(struct driver *d, struct raft_event *event, const struct driver_offer *offer)
{
    struct raft_update update = {0};
    if (d->failed) {
        return STATUS_INTERNAL;
    }
    event->time = d->hooks->now_ms(d->arg);
    enum driver_role role = (enum driver_role)d->raft.state;
    uint64_t term = d->raft.current_term;
    uint64_t commit = d->raft.commit_index;

    int status = from_raft(raft_step(&d->raft, event, &update));
    if (status == STATUS_CORRUPT) {
        driver_fail(d, STATUS_INTERNAL, "a peer's log contradicts what is committed here");
    } else if (status == STATUS_NO_MEMORY && event->type != RAFT_SUBMIT) {
        driver_fail(d, STATUS_NO_MEMORY, "out of memory in consensus");
    }
    if (status == STATUS_OK) {
        status = apply_update(d, &update, offer);
    }
    if (status != STATUS_OK) {
        return status;
    }
    bool outermost = event->type != RAFT_CONFIGURATION;
    if (outermost) {
        confirm_changes(d);
        follow_members(d);
    }
    if (d->raft.commit_index != commit && d->marker_due_ms == 0) {
        d->marker_due_ms = event->time + DRIVER_MARKER_DELAY_MS;
    }
    if (role != (enum driver_role)d->raft.state || term != d->raft.current_term) {
        d->transfer_until_ms = 0;
        driver_forget_cold(d);
    }
    if (outermost) {
        d->hooks->moved(d->arg);
    }
    return d->failed ? STATUS_INTERNAL : STATUS_OK;
}

/* ---- time ---- */

static uint64_t sooner(uint64_t deadline, uint64_t due_ms)
{
    return due_ms > 0 && due_ms < deadline ? due_ms : deadline;
}

uint64_t driver_deadline(const struct driver *d)
{
    uint64_t deadline = sooner(raft_timeout(&d->raft), d->marker_due_ms);
    if (d->transfer_until_ms > 0 && raft_transferee(&d->raft) == 0) {
        deadline = sooner(deadline, d->transfer_until_ms - d->options.election_timeout_ms);
    }
    if (d->install.active && !d->install.asked) {
        deadline = sooner(deadline, d->install.retry_ms);
    }
    /* From the last tick, not from now: who asks after each call must not put it off for ever. */
    uint64_t soonest = d->ticked_ms + DRIVER_TIMER_MIN_MS;
    return deadline < soonest ? soonest : deadline;
}

void driver_tick(struct driver *d)
{
    uint64_t now = d->hooks->now_ms(d->arg);
    d->ticked_ms = now;
    if (d->marker_due_ms > 0 && now >= d->marker_due_ms) {
        d->marker_due_ms = 0;
        if (driver_present_commit(d) > d->marker_given && driver_write_marker(d) != STATUS_OK) {
            driver_fail(d, STATUS_NO_MEMORY, "out of memory for the commit marker");
        }
    }
    if (now >= raft_timeout(&d->raft)) {
        struct raft_event event = {.type = RAFT_TIMEOUT};
        driver_step(d, &event, &(struct driver_offer){0});
    }
    driver_pursue_install(d);
    driver_pursue_transfer(d);
}

/* ---- a client's writes ---- */

static int encode_membership(const struct driver_entry *source, struct raft_buffer *encoded)
{
    struct raft_configuration configuration;
    if (driver_decode_membership(payload_bytes(source->payload), &configuration) != STATUS_OK) {
        return STATUS_MALFORMED;
    }
    int rv = raft_configuration_encode(&configuration, encoded);
    raft_configuration_close(&configuration);
    return rv == 0 ? STATUS_OK : STATUS_NO_MEMORY;
}

int driver_make_batch(struct raft_entry *entries, const struct driver_entry *sources, size_t count)
{
    struct raft_buffer encoded = {0};
    size_t membership = 0;
    while (membership < count && sources[membership].kind != RECORD_MEMBERSHIP) {
        membership++;
    }
    if (membership < count) {
        int status = encode_membership(&sources[membership], &encoded);
        if (status != STATUS_OK) {
            return status;
        }
    }
    void *batch = encoded.base != NULL ? encoded.base : raft_malloc(sizeof(uint64_t));
    if (batch == NULL) {
        return STATUS_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        assert(i <= membership || sources[i].kind != RECORD_MEMBERSHIP);
        entries[i].type = driver_type_of(sources[i].kind);
        entries[i].batch = batch;
        entries[i].buf.base = batch;
        entries[i].buf.len = i == membership ? encoded.len : 0;
    }
    return STATUS_OK;
}

/* A membership travels alone, and only when it may. */
static int check_change(struct driver *d, const struct driver_entry *entries, size_t count)
{
    size_t memberships = 0;
    for (size_t i = 0; i < count; i++) {
        memberships += entries[i].kind == RECORD_MEMBERSHIP;
    }
    if (memberships == 0 || (d->options.guards_off & GUARD_CHANGE)) {
        return STATUS_OK;
    }
    struct raft_configuration next;
    if (count > 1 ||
        driver_decode_membership(payload_bytes(entries[0].payload), &next) != STATUS_OK) {
        return STATUS_INVALID;
    }
    uint64_t committed_term = driver_term_of(d, d->raft.commit_index);
    int status = guards_change(&d->raft, &next, committed_term, NULL);
    raft_configuration_close(&next);
    return status;
}

int driver_submit(
    struct driver *d, const struct driver_entry *entries, size_t count, uint64_t *first)
{
    assert(count > 0);

    if (!driver_status(d).accepts) {
        return STATUS_NOT_LEADER;
    }
    int status = check_change(d, entries, count);
    if (status != STATUS_OK) {
        return status;
    }
    struct raft_entry *batch = calloc(count, sizeof *batch);
    if (batch == NULL) {
        return STATUS_NO_MEMORY;
    }
    status = driver_make_batch(batch, entries, count);
    if (status == STATUS_OK) {
        for (size_t i = 0; i < count; i++) {
            batch[i].term = d->raft.current_term;
        }
        struct raft_event event = {.type = RAFT_SUBMIT};
        event.submit.entries = batch;
        event.submit.n = (unsigned)count;
        *first = tail_last(&d->tail) + 1;
        const struct driver_offer offer = {.entries = batch, .sources = entries, .count = count};
        void *block = batch[0].batch;
        /* To an idle follower that the core is not sure of it sends only with the next heartbeat:
         * one is due now. */
        raft_set_heartbeat_timeout(&d->raft, 0);
        status = driver_step(d, &event, &offer);
        raft_set_heartbeat_timeout(&d->raft, d->options.heartbeat_ms);
        if (status != STATUS_OK && !d->failed) {
            raft_free(block);
        }
    }
    free(batch);
    return status;
}

static void report_persisted(struct driver *d, const struct driver_write *write)
{
    uint64_t top = driver_written_top(d, write);
    if (d->install.active || write->first > top || top <= d->raft.last_stored) {
        return;
    }
    struct raft_event event = {.type = RAFT_PERSISTED_ENTRIES};
    event.persisted_entries.index = top;
    driver_step(d, &event, &(struct driver_offer){0});
}

void driver_written(struct driver *d, struct driver_write *write)
{
    assert(write == d->queue_head);

    d->queue_head = write->queued;
    if (d->queue_head == NULL) {
        d->queue_tail = NULL;
    }
    if (write->change.committed > d->marker) {
        d->marker = write->change.committed;
        driver_fold_changes(d, d->marker);
    }
    if (write->pulled) {
        driver_pulled_piece_written(d, write);
    } else {
        report_persisted(d, write);
    }
    driver_free_write(write);
    tail_trim(&d->tail, driver_flushed_upto(d), d->options.tail_bytes);
    if (!d->failed) {
        driver_take_snapshot(d);
        driver_pursue_install(d);
        driver_pursue_transfer(d);
    }
}

/* ---- handing leadership over ---- */

void driver_transfer(struct driver *d, uint64_t node)
{
    if (d->raft.state != RAFT_LEADER || d->transfer_until_ms > 0) {
        return;
    }
    d->transfer_to = node;
    d->transfer_until_ms = d->hooks->now_ms(d->arg) + 2 * (uint64_t)d->options.election_timeout_ms;
    driver_pursue_transfer(d);
}

/* Who was asked last to take over, or ourselves. */
static unsigned place_of_tried(const struct driver *d)
{
    const struct raft_configuration *c = &d->raft.configuration;
    uint64_t tried = d->transfer_tried > 0 ? d->transfer_tried : d->options.node;
    unsigned place = 0;
    while (place < c->n && c->servers[place].id != tried) {
        place++;
    }
    return place;
}

/* Of equals the next one in the membership. One that has more than this leader's log ignores the
 * call, and one that can record nothing hands over what was handed to it: the next attempt is to
 * come to another. */
static uint64_t most_advanced(const struct driver *d, uint64_t wanted, uint64_t *match)
{
    const struct raft_configuration *c = &d->raft.configuration;
    unsigned tried = place_of_tried(d);
    uint64_t best = 0;
    *match = 0;
    for (unsigned i = 1; i <= c->n; i++) {
        const struct raft_server *server = &c->servers[(tried + i) % c->n];
        raft_index index;
        bool may = server->role == RAFT_VOTER && server->id != d->options.node &&
            (wanted == 0 || wanted == server->id);
        if (may && raft_match_index(&d->raft, server->id, &index) == 0 &&
            (best == 0 || index > *match)) {
            best = server->id;
            *match = index;
        }
    }
    return best;
}

/* Everything that was submitted may be applied here. A disk that does not answer is waited for no
 * longer than an election time-out: it may be why leadership is handed over. */
static bool clients_are_answered(const struct driver *d)
{
    bool late = d->hooks->now_ms(d->arg) + d->options.election_timeout_ms >= d->transfer_until_ms;
    return late || driver_status(d).applicable == tail_last(&d->tail);
}

/* The core tells the successor once, and one that lags ignores it: so everything is first drained
 * to it. */
void driver_pursue_transfer(struct driver *d)
{
    if (d->transfer_until_ms == 0 || d->raft.state != RAFT_LEADER || raft_transferee(&d->raft)) {
        return;
    }
    uint64_t match;
    uint64_t successor = most_advanced(d, d->transfer_to, &match);
    if (d->hooks->now_ms(d->arg) >= d->transfer_until_ms || successor == 0) {
        d->transfer_until_ms = 0;
        d->hooks->moved(d->arg);
        return;
    }
    if (match == tail_last(&d->tail) && clients_are_answered(d)) {
        struct raft_event event = {.type = RAFT_TRANSFER};
        event.transfer.server_id = successor;
        d->transfer_tried = successor;
        driver_step(d, &event, &(struct driver_offer){0});
    }
}

/* ---- how things stand ---- */

struct driver_status driver_status(const struct driver *d)
{
    struct driver_status status = {
        .role = (enum driver_role)d->raft.state,
        .term = d->raft.current_term,
        .last_index = tail_last(&d->tail),
        .commit_index = d->raft.commit_index,
        .marker = d->marker,
        .install_to = d->install.active ? d->install.metadata.index : 0,
    };
    raft_id leader = 0;
    const char *address = NULL;
    raft_leader((struct raft *)&d->raft, &leader, &address);
    status.leader = leader;
    status.stored_index = d->install.active ? d->install.position : d->raft.last_stored;
    status.applicable = status.stored_index < driver_present_commit(d) ? status.stored_index
                                                                       : driver_present_commit(d);
    status.accepts = d->raft.state == RAFT_LEADER && d->transfer_until_ms == 0 &&
        raft_transferee(&d->raft) == 0 && !d->failed;
    return status;
}

unsigned driver_members(const struct driver *d, struct driver_member *members)
{
    const struct raft_configuration *c = &d->raft.configuration;
    unsigned n = c->n < DRIVER_MEMBERS_MAX ? c->n : DRIVER_MEMBERS_MAX;
    for (unsigned i = 0; i < n; i++) {
        raft_index match = 0;
        if (d->raft.state == RAFT_LEADER) {
            raft_match_index(&d->raft, c->servers[i].id, &match);
        }
        members[i] = (struct driver_member){.node = c->servers[i].id,
            .address = c->servers[i].address,
            .voter = c->servers[i].role == RAFT_VOTER,
            .match_index = match};
    }
    return n;
}
