/* What must hold, whatever happens. */
#include "tests/lib/sim.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void sim_violation(struct sim *sim, const char *format, ...)
{
    if (sim->violation[0] != '\0') {
        return;
    }
    va_list args;
    va_start(args, format);
    (void)vsnprintf(sim->violation, sizeof sim->violation, format, args);
    va_end(args);
}

void sim_check_reset(struct sim *sim)
{
    sim->committed.last = 0;
    if (sim->leaders != NULL) {
        memset(sim->leaders, 0, sim->leaders_capacity * sizeof *sim->leaders);
    }
    sim->ack_count = 0;
    sim->written = 0;
    sim->violation[0] = '\0';
}

static uint64_t fnv(uint64_t hash, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ data[i]) * 0x100000001b3U;
    }
    return hash;
}

struct sim_entry sim_entry_of(const struct record *record)
{
    const uint8_t kind = (uint8_t)record->kind;
    uint64_t digest = fnv(0xcbf29ce484222325U, &kind, sizeof kind);
    return (struct sim_entry){.term = record->term,
        .digest = fnv(digest, record->payload.data, record->payload.size),
        .command = record->kind == RECORD_COMMAND};
}

static bool equal(struct sim_entry a, struct sim_entry b)
{
    return a.term == b.term && a.digest == b.digest;
}

static bool holds(const struct sim_log *log, uint64_t index, struct sim_entry entry)
{
    return index <= log->last && equal(sim_log_at(log, index), entry);
}

/* ---- the disk ---- */

void sim_check_write(struct sim_node *node, const struct driver_write *write)
{
    struct sim *sim = node->sim;
    uint64_t from = write->change.truncate_from;
    if (from > 0 && from <= node->disk.last && from <= sim->committed.last &&
        equal(sim_log_at(&node->disk, from), sim_log_at(&sim->committed, from))) {
        sim_violation(
            sim, "node %" PRIu64 " truncates %" PRIu64 ", which is committed", node->id, from);
    }
    if (write->change.count > 0 && write->change.records[0].index != write->first) {
        sim_violation(sim, "node %" PRIu64 " writes from %" PRIu64 " and says %" PRIu64, node->id,
            write->change.records[0].index, write->first);
    }
    if (write->change.committed > sim->committed.last) {
        sim_violation(sim, "node %" PRIu64 " notes %" PRIu64 " as committed, and it is not",
            node->id, write->change.committed);
    }
}

void sim_check_saved(struct sim_node *node, uint64_t term, uint64_t vote)
{
    if (term < node->promised_term ||
        (term == node->promised_term && node->promised_vote != 0 && vote != node->promised_vote)) {
        sim_violation(node->sim, "node %" PRIu64 " breaks its promise of term %" PRIu64, node->id,
            node->promised_term);
    }
    node->promised_term = term;
    node->promised_vote = vote;
}

/* What a restart finds on disk: the newest promise (or one that was being made), and every entry
 * that was flushed. */
void sim_check_started(struct sim_node *node)
{
    struct sim *sim = node->sim;
    const struct state *state = &node->state;
    if (state->term < node->promised_term ||
        (state->term == node->promised_term && node->promised_vote != 0 &&
            state->vote != node->promised_vote)) {
        sim_violation(sim, "node %" PRIu64 " has lost its promise of term %" PRIu64, node->id,
            node->promised_term);
    }
    node->promised_term = state->term;
    node->promised_vote = state->vote;

    struct txn txn;
    txn_begin_read(&txn, &node->env);
    node->bounds = log_bounds(&txn, &node->log);
    struct record last;
    bool found = log_read(&txn, &node->log, node->disk.last, &last);
    if (!found || node->bounds.last_index != node->disk.last ||
        !equal(sim_entry_of(&last), sim_log_at(&node->disk, node->disk.last))) {
        sim_violation(
            sim, "the log of node %" PRIu64 " does not end at %" PRIu64, node->id, node->disk.last);
    }
    txn_abort(&txn);
    uint64_t committed = node->bounds.committed;
    if (sim->committed.last > 0 &&
        (committed > sim->committed.last || committed > node->disk.last ||
            !equal(sim_log_at(&node->disk, committed), sim_log_at(&sim->committed, committed)))) {
        sim_violation(
            sim, "the bounds of node %" PRIu64 " run ahead: %" PRIu64, node->id, committed);
    }
    node->checked = 0;
    node->led_term = 0;
}

/* ---- messages ---- */

static void check_promised(struct sim_node *node, uint64_t term)
{
    if (term > node->promised_term) {
        sim_violation(node->sim, "node %" PRIu64 " speaks of term %" PRIu64 " before it is on disk",
            node->id, term);
    }
}

/* What is acknowledged is on disk, and is what the leader has there. */
static void check_answer(
    struct sim_node *node, uint64_t to, const Zhurnal__Peer__V1__AppendEntriesResult *result)
{
    struct sim_node *leader = sim_node(node->sim, to);
    uint64_t index = result->last_log_index;
    bool says = !result->stale && result->rejected == 0 && result->term == node->promised_term;
    if (!says || index == 0) {
        return;
    }
    if (index > node->disk.last) {
        sim_violation(node->sim,
            "node %" PRIu64 " acknowledges %" PRIu64 " with %" PRIu64 " on disk", node->id, index,
            node->disk.last);
        return;
    }
    if (!leader->up || driver_status(leader->driver).role != DRIVER_LEADER ||
        driver_status(leader->driver).term != result->term) {
        return;
    }
    struct txn txn = {0};
    struct record record;
    if (!sim_entry_at(leader, index, &txn, &record) ||
        !holds(&node->disk, index, sim_entry_of(&record))) {
        sim_violation(node->sim,
            "node %" PRIu64 " acknowledges %" PRIu64 ", and has another one on disk", node->id,
            index);
    }
    if (txn.env != NULL) {
        txn_abort(&txn);
    }
}

/* What a leader sends is what stands in its log. */
static void check_append(struct sim_node *node, const Zhurnal__Peer__V1__AppendEntries *append)
{
    struct txn txn = {0};
    for (size_t i = 0; i < append->n_records; i++) {
        const Zhurnal__Peer__V1__Record *sent = append->records[i];
        const struct record record = {.index = append->prev_log_index + 1 + i,
            .term = sent->term,
            .kind = (enum record_kind)sent->kind,
            .payload = bytes_of(sent->payload.data, sent->payload.len)};
        struct record own;
        if (!sim_entry_at(node, record.index, &txn, &own) ||
            !equal(sim_entry_of(&record), sim_entry_of(&own))) {
            sim_violation(node->sim, "node %" PRIu64 " sends %" PRIu64 ", and has another one",
                node->id, record.index);
        }
    }
    if (txn.env != NULL) {
        txn_abort(&txn);
    }
}

static void check_vote(struct sim_node *node, uint64_t term, uint64_t candidate)
{
    check_promised(node, term);
    if (term == node->promised_term && node->promised_vote != candidate) {
        sim_violation(node->sim, "node %" PRIu64 " gives a vote that is not on disk", node->id);
    }
}

void sim_check_sent(struct sim_node *node, uint64_t to, const Zhurnal__Peer__V1__Frame *frame)
{
    switch (frame->message_case) {
    case ZHURNAL__PEER__V1__FRAME__MESSAGE_APPEND_ENTRIES:
        check_promised(node, frame->append_entries->term);
        check_append(node, frame->append_entries);
        break;
    case ZHURNAL__PEER__V1__FRAME__MESSAGE_APPEND_ENTRIES_RESULT:
        check_promised(node, frame->append_entries_result->term);
        check_answer(node, to, frame->append_entries_result);
        break;
    case ZHURNAL__PEER__V1__FRAME__MESSAGE_REQUEST_VOTE:
        if (!frame->request_vote->pre_vote) {
            check_vote(node, frame->request_vote->term, node->id);
        }
        break;
    case ZHURNAL__PEER__V1__FRAME__MESSAGE_REQUEST_VOTE_RESULT:
        if (!frame->request_vote_result->pre_vote && frame->request_vote_result->vote_granted) {
            check_vote(node, frame->request_vote_result->term, to);
        }
        break;
    case ZHURNAL__PEER__V1__FRAME__MESSAGE_INSTALL_SNAPSHOT:
        check_promised(node, frame->install_snapshot->term);
        break;
    case ZHURNAL__PEER__V1__FRAME__MESSAGE_TIMEOUT_NOW:
        check_promised(node, frame->timeout_now->term);
        break;
    case ZHURNAL__PEER__V1__FRAME__MESSAGE__NOT_SET:
    case _ZHURNAL__PEER__V1__FRAME__MESSAGE__CASE_IS_INT_SIZE:
        break;
    }
}

/* ---- leaders and what they commit ---- */

static void check_leader(struct sim_node *node, const struct driver_status *status)
{
    struct sim *sim = node->sim;
    if (status->role != DRIVER_LEADER) {
        return;
    }
    if (status->term >= sim->leaders_capacity) {
        size_t capacity = 2 * (size_t)status->term + 1024;
        sim->leaders = realloc(sim->leaders, capacity * sizeof *sim->leaders);
        assert(sim->leaders != NULL);
        memset(sim->leaders + sim->leaders_capacity, 0,
            (capacity - sim->leaders_capacity) * sizeof *sim->leaders);
        sim->leaders_capacity = capacity;
    }
    uint64_t *leader = &sim->leaders[status->term];
    sim->count.elections += *leader == 0;
    if (*leader != 0 && *leader != node->id) {
        sim_violation(sim, "nodes %" PRIu64 " and %" PRIu64 " lead term %" PRIu64, *leader,
            node->id, status->term);
    }
    *leader = node->id;
    node->led_term = status->term;
}

/* By the membership that the leader goes by. */
static bool majority_holds(const struct sim_node *leader, uint64_t index, struct sim_entry entry)
{
    struct driver_member members[DRIVER_MEMBERS_MAX];
    unsigned count = driver_members(leader->driver, members);
    unsigned voters = 0;
    unsigned copies = 0;
    for (unsigned i = 0; i < count; i++) {
        const struct sim_node *node = &leader->sim->nodes[members[i].node - 1];
        voters += members[i].voter;
        copies += members[i].voter && holds(&node->disk, index, entry);
    }
    return copies > voters / 2;
}

static void check_commit(struct sim_node *node, const struct driver_status *status, uint64_t index,
    struct sim_entry entry)
{
    struct sim *sim = node->sim;
    if (index <= sim->committed.last) {
        if (!holds(&sim->committed, index, entry)) {
            sim_violation(sim,
                "node %" PRIu64 " commits %" PRIu64 " of term %" PRIu64
                ", another was committed there, of term %" PRIu64,
                node->id, index, entry.term, sim_log_at(&sim->committed, index).term);
        }
        return;
    }
    /* One that is no voter any more steps down as it commits that. */
    bool leads = status->role == DRIVER_LEADER || node->led_term == status->term;
    if (index > 1 && !leads) {
        sim_violation(
            sim, "node %" PRIu64 " commits %" PRIu64 " before any leader", node->id, index);
    } else if (!majority_holds(node, index, entry)) {
        sim_violation(sim, "node %" PRIu64 " commits %" PRIu64 ", which no majority has on disk",
            node->id, index);
    }
    sim_log_set(&sim->committed, index, entry);
}

static void check_committed(struct sim_node *node, const struct driver_status *status)
{
    /* What is pulled is committed, whatever the core knows yet, and nothing else is present. */
    uint64_t present = status->install_to > 0 ? status->stored_index : status->commit_index;
    if (present > status->last_index) {
        sim_violation(node->sim, "node %" PRIu64 " commits %" PRIu64 ", its log ends at %" PRIu64,
            node->id, present, status->last_index);
        return;
    }
    struct txn txn = {0};
    while (node->checked < present) {
        struct record record;
        uint64_t index = node->checked + 1;
        if (!sim_entry_at(node, index, &txn, &record)) {
            sim_violation(
                node->sim, "node %" PRIu64 " commits %" PRIu64 ", and has it not", node->id, index);
            break;
        }
        check_commit(node, status, index, sim_entry_of(&record));
        node->checked = index;
    }
    if (txn.env != NULL) {
        txn_abort(&txn);
    }
}

void sim_check_node(struct sim_node *node)
{
    const struct driver_status status = driver_status(node->driver);
    check_leader(node, &status);
    check_committed(node, &status);
    if (status.term > node->promised_term) {
        sim_violation(node->sim, "node %" PRIu64 " is in term %" PRIu64 " before it is on disk",
            node->id, status.term);
    }
    if (status.applicable > node->disk.last || status.marker > node->bounds.committed ||
        status.applicable > node->checked) {
        sim_violation(node->sim,
            "node %" PRIu64 ": applicable %" PRIu64 ", marker %" PRIu64 "; on disk %" PRIu64
            ", marker %" PRIu64,
            node->id, status.applicable, status.marker, node->disk.last, node->bounds.committed);
    }
}

/* ---- clients ---- */

void sim_check_acknowledged(struct sim_node *node, const struct sim_pending *pending)
{
    struct sim *sim = node->sim;
    const struct sim_entry entry = {.term = pending->term, .digest = pending->digest};
    if (!holds(&sim->committed, pending->index, entry)) {
        sim_violation(sim, "node %" PRIu64 " acknowledges %" PRIu64 ", and another one is there",
            node->id, pending->index);
    } else if (!majority_holds(node, pending->index, entry)) {
        sim_violation(sim, "node %" PRIu64 " acknowledges %" PRIu64 " without a majority", node->id,
            pending->index);
    }
    if (sim->ack_count == sim->ack_capacity) {
        sim->ack_capacity = sim->ack_capacity > 0 ? 2 * sim->ack_capacity : 1024;
        sim->acks = realloc(sim->acks, sim->ack_capacity * sizeof *sim->acks);
        assert(sim->acks != NULL);
    }
    sim->acks[sim->ack_count++] =
        (struct sim_ack){.index = pending->index, .digest = pending->digest};
    sim->count.acknowledged++;
}

void sim_acknowledge(struct sim_node *node, uint64_t index)
{
    struct sim *sim = node->sim;
    if (index == 0 || index > sim->committed.last) {
        sim_violation(sim, "node %" PRIu64 " acknowledges %" PRIu64 ", which is not committed",
            node->id, index);
        return;
    }
    const struct sim_entry entry = sim_log_at(&sim->committed, index);
    sim_check_acknowledged(
        node, &(struct sim_pending){.index = index, .term = entry.term, .digest = entry.digest});
}

/* ---- at the end ---- */

static int by_digest(const void *a, const void *b)
{
    const uint64_t *x = a;
    const uint64_t *y = b;
    return (*x > *y) - (*x < *y);
}

/* Clients' payloads are all different: one that stands twice was written twice. */
static void check_once(struct sim *sim)
{
    const struct sim_log *log = &sim->committed;
    uint64_t *digests = malloc((log->last + 1) * sizeof *digests);
    assert(digests != NULL);
    size_t n = 0;
    for (uint64_t i = 1; i <= log->last; i++) {
        if (sim_log_at(log, i).command) {
            digests[n++] = sim_log_at(log, i).digest;
        }
    }
    qsort(digests, n, sizeof *digests, by_digest);
    for (size_t i = 1; i < n; i++) {
        if (digests[i] == digests[i - 1]) {
            sim_violation(sim, "a write stands in the log twice");
        }
    }
    free(digests);
}

static void check_disk(struct sim_node *node)
{
    struct sim *sim = node->sim;
    struct txn txn;
    txn_begin_read(&txn, &node->env);
    for (uint64_t i = 1; i <= sim->committed.last; i++) {
        struct record record;
        if (!log_read(&txn, &node->log, i, &record) ||
            !holds(&sim->committed, i, sim_entry_of(&record))) {
            sim_violation(
                sim, "node %" PRIu64 " does not hold %" PRIu64 " at the end", node->id, i);
            break;
        }
    }
    txn_abort(&txn);
}

void sim_check_end(struct sim *sim)
{
    for (unsigned i = 0; i < sim->options.nodes; i++) {
        check_disk(&sim->nodes[i]);
    }
    for (size_t i = 0; i < sim->ack_count; i++) {
        const struct sim_ack *ack = &sim->acks[i];
        if (ack->index > sim->committed.last ||
            sim_log_at(&sim->committed, ack->index).digest != ack->digest) {
            sim_violation(sim, "an acknowledged write is lost at %" PRIu64, ack->index);
        }
    }
    if (sim->app->write == NULL) {
        check_once(sim); /* Clients of groups may send the same again. */
    }
    if (sim->app->check != NULL) {
        sim->app->check(sim->app->arg, sim);
    }
}
