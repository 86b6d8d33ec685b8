/* What goes to peers: the core's messages put into ours, and the entries that AppendEntries only
 * number. */
#include "node/driver_private.h"
#include "node/peer_records.h"

#include <assert.h>
#include <stdlib.h>

static uint64_t outbox_term_of(void *arg, uint64_t index)
{
    return driver_term_of(arg, index);
}

static uint8_t *pack(const Zhurnal__Peer__V1__Frame *frame, size_t *size)
{
    Zhurnal__Peer__V1__RaftRequest request = ZHURNAL__PEER__V1__RAFT_REQUEST__INIT;
    request.message_case = ZHURNAL__PEER__V1__RAFT_REQUEST__MESSAGE_FRAME;
    request.frame = (Zhurnal__Peer__V1__Frame *)frame;
    *size = zhurnal__peer__v1__raft_request__get_packed_size(&request);
    uint8_t *packed = malloc(*size > 0 ? *size : 1);
    if (packed != NULL) {
        zhurnal__peer__v1__raft_request__pack(&request, packed);
    }
    return packed;
}

static void put_frame(
    struct driver *d, struct driver_peer *peer, const Zhurnal__Peer__V1__Frame *frame)
{
    size_t size;
    uint8_t *packed = pack(frame, &size);
    if (packed != NULL) { /* Without memory it is a message lost, which Raft allows. */
        outbox_put(&peer->outbox, packed, size);
        d->hooks->ready(d->arg, peer->node);
    }
}

static Zhurnal__Peer__V1__Frame new_frame(const struct driver *d)
{
    Zhurnal__Peer__V1__Frame frame = ZHURNAL__PEER__V1__FRAME__INIT;
    frame.group = d->options.group;
    frame.clock_ms = d->hooks->wall_clock_ms(d->arg);
    return frame;
}

static void send_append(
    struct driver *d, struct driver_peer *peer, const struct raft_append_entries *append)
{
    const struct outbox_range range = {.version = append->version,
        .term = append->term,
        .prev_index = append->prev_log_index,
        .prev_term = append->prev_log_term,
        .count = append->n_entries};
    outbox_append(&peer->outbox, range, d->hooks->now_ms(d->arg), outbox_term_of, d);
    d->hooks->ready(d->arg, peer->node);
}

/* Where a leader whose entry before `refused` is another one may go on: the core would have it try
 * one index less, and so on through all of a long tail that nobody else has. All of the term that
 * stands here is passed over, but nothing that is committed. Terms never fall, so halving finds
 * where it begins. */
static uint64_t last_that_may_match(struct driver *d, uint64_t refused, uint64_t as_is)
{
    uint64_t below = d->raft.commit_index;
    uint64_t at = refused;
    if (d->install.active || refused > tail_last(&d->tail) || below >= refused) {
        return as_is;
    }
    uint64_t term = driver_term_of(d, refused);
    while (at - below > 1) {
        uint64_t middle = below + (at - below) / 2;
        if (driver_term_of(d, middle) < term) {
            below = middle;
        } else {
            at = middle;
        }
    }
    return below;
}

static void send_append_result(struct driver *d, struct driver_peer *peer,
    const struct raft_append_entries_result *result, const struct driver_offer *offer)
{
    Zhurnal__Peer__V1__AppendEntriesResult message = ZHURNAL__PEER__V1__APPEND_ENTRIES_RESULT__INIT;
    message.version = result->version;
    message.term = result->term;
    message.features = result->features;
    message.capacity = result->capacity;
    message.rejected = result->rejected;
    message.last_log_index = result->rejected > 0
        ? last_that_may_match(d, result->rejected, result->last_log_index)
        : result->last_log_index;
    if (!(d->options.guards_off & GUARD_STALE) &&
        guards_stale_answer(result->term, offer->answered)) {
        message.stale = true;
        message.rejected = 0;
        message.last_log_index = 0;
    }
    Zhurnal__Peer__V1__Frame frame = new_frame(d);
    frame.message_case = ZHURNAL__PEER__V1__FRAME__MESSAGE_APPEND_ENTRIES_RESULT;
    frame.append_entries_result = &message;
    put_frame(d, peer, &frame);
}

static void send_request_vote(struct driver *d, struct driver_peer *peer,
    const struct raft_request_vote *request, const struct driver_offer *offer)
{
    Zhurnal__Peer__V1__RequestVote message = ZHURNAL__PEER__V1__REQUEST_VOTE__INIT;
    message.version = request->version;
    message.term = request->term;
    message.candidate = request->candidate_id;
    message.last_log_index = request->last_log_index;
    message.last_log_term = request->last_log_term;
    message.disrupt_leader = request->disrupt_leader;
    if (!(d->options.guards_off & GUARD_STAND)) {
        message.disrupt_leader = guards_stand_disrupts(request, offer->told_to_stand);
    }
    message.pre_vote = request->pre_vote;
    Zhurnal__Peer__V1__Frame frame = new_frame(d);
    frame.message_case = ZHURNAL__PEER__V1__FRAME__MESSAGE_REQUEST_VOTE;
    frame.request_vote = &message;
    put_frame(d, peer, &frame);
}

static void send_vote(struct driver *d, struct driver_peer *peer,
    const struct raft_request_vote_result *result, const struct driver_offer *offer)
{
    Zhurnal__Peer__V1__RequestVoteResult message = ZHURNAL__PEER__V1__REQUEST_VOTE_RESULT__INIT;
    message.version = result->version;
    message.term = result->term;
    if (!(d->options.guards_off & GUARD_PREV)) {
        message.term = guards_prev_term(&d->raft, offer->requested, result);
    }
    message.vote_granted = result->vote_granted;
    message.pre_vote = result->pre_vote;
    message.features = result->features;
    message.capacity = result->capacity;
    Zhurnal__Peer__V1__Frame frame = new_frame(d);
    frame.message_case = ZHURNAL__PEER__V1__FRAME__MESSAGE_REQUEST_VOTE_RESULT;
    frame.request_vote_result = &message;
    put_frame(d, peer, &frame);
}

/* The core gives index and term; which membership holds there is ours to say. */
static void send_install(
    struct driver *d, struct driver_peer *peer, const struct raft_install_snapshot *install)
{
    Zhurnal__Peer__V1__InstallSnapshot message = ZHURNAL__PEER__V1__INSTALL_SNAPSHOT__INIT;
    message.version = install->version;
    message.term = install->term;
    message.last_index = install->last_index;
    message.last_term = install->last_term;
    message.membership_index = install->conf_index;
    struct txn txn;
    struct record record;
    txn_begin_read(&txn, d->log->env);
    if (log_read(&txn, d->log, install->conf_index, &record) && record.kind == RECORD_MEMBERSHIP) {
        message.membership.data = (uint8_t *)record.payload.data;
        message.membership.len = record.payload.size;
        Zhurnal__Peer__V1__Frame frame = new_frame(d);
        frame.message_case = ZHURNAL__PEER__V1__FRAME__MESSAGE_INSTALL_SNAPSHOT;
        frame.install_snapshot = &message;
        put_frame(d, peer, &frame);
    }
    txn_abort(&txn);
    if (txn.status != STATUS_OK) {
        driver_fail_log(d, install->conf_index, txn.status);
    }
    /* Entries that were under way are ignored by a peer that installs. */
    outbox_refused(&peer->outbox, 0);
}

static void send_timeout_now(
    struct driver *d, struct driver_peer *peer, const struct raft_timeout_now *now)
{
    Zhurnal__Peer__V1__TimeoutNow message = ZHURNAL__PEER__V1__TIMEOUT_NOW__INIT;
    message.version = now->version;
    message.term = now->term;
    message.last_log_index = now->last_log_index;
    message.last_log_term = now->last_log_term;
    Zhurnal__Peer__V1__Frame frame = new_frame(d);
    frame.message_case = ZHURNAL__PEER__V1__FRAME__MESSAGE_TIMEOUT_NOW;
    frame.timeout_now = &message;
    put_frame(d, peer, &frame);
}

void driver_send_message(
    struct driver *d, const struct raft_message *message, const struct driver_offer *offer)
{
    struct driver_peer *peer = driver_find_peer(d, message->server_id);
    if (peer == NULL) {
        return;
    }
    switch (message->type) {
    case RAFT_APPEND_ENTRIES:
        send_append(d, peer, &message->append_entries);
        break;
    case RAFT_APPEND_ENTRIES_RESULT:
        send_append_result(d, peer, &message->append_entries_result, offer);
        break;
    case RAFT_REQUEST_VOTE:
        send_request_vote(d, peer, &message->request_vote, offer);
        break;
    case RAFT_REQUEST_VOTE_RESULT:
        send_vote(d, peer, &message->request_vote_result, offer);
        break;
    case RAFT_INSTALL_SNAPSHOT:
        send_install(d, peer, &message->install_snapshot);
        break;
    case RAFT_TIMEOUT_NOW:
        send_timeout_now(d, peer, &message->timeout_now);
        break;
    }
}

/* ---- what goes to peers ---- */

void driver_connected(struct driver *d, uint64_t node, bool connected)
{
    struct driver_peer *peer = driver_find_peer(d, node);
    if (peer != NULL) {
        outbox_reset(&peer->outbox, connected);
    }
}

/* Records first … for a peer, at most a chunk, borrowed. 0: they are neither in memory nor read
 * yet. */
static size_t gather(struct driver *d, struct driver_peer *peer, uint64_t first, uint64_t count,
    struct record *records, size_t records_max)
{
    size_t n = 0;
    size_t bytes = 0;
    while (n < count && n < records_max && (n == 0 || bytes < OUTBOX_CHUNK_BYTES)) {
        uint64_t index = first + n;
        bool cold = peer->cold_count > 0 && index >= peer->cold[0].index &&
            index - peer->cold[0].index < peer->cold_count;
        if (cold) {
            records[n] = peer->cold[index - peer->cold[0].index];
        } else if (!driver_entry_in_memory(d, index, &records[n])) {
            break;
        }
        bytes += records[n].payload.size;
        n++;
    }
    return n;
}

static void emit_append(struct driver *d, const struct outbox_range *range,
    const struct record *records, size_t count, void (*emit)(void *arg, struct bytes request),
    void *arg)
{
    Zhurnal__Peer__V1__Record **messages = peer_records(records, count);
    if (messages == NULL) {
        return; /* A message lost, which Raft allows. */
    }
    Zhurnal__Peer__V1__AppendEntries append = ZHURNAL__PEER__V1__APPEND_ENTRIES__INIT;
    append.version = range->version;
    append.term = range->term;
    append.prev_log_index = range->prev_index;
    append.prev_log_term = range->prev_term;
    append.leader_commit = d->raft.commit_index; /* It may have waited. */
    append.records = messages;
    append.n_records = count;
    Zhurnal__Peer__V1__Frame frame = new_frame(d);
    frame.message_case = ZHURNAL__PEER__V1__FRAME__MESSAGE_APPEND_ENTRIES;
    frame.append_entries = &append;
    size_t size;
    uint8_t *packed = pack(&frame, &size);
    if (packed != NULL) {
        emit(arg, bytes_of(packed, size));
    }
    free(packed);
    free((void *)messages);
}

static void read_cold(struct driver *d, struct driver_peer *peer, const struct outbox_range *range)
{
    if (!peer->reading) {
        peer->reading = true;
        peer->reading_term = range->term;
        d->hooks->read(d->arg, peer->node, range->prev_index + 1, (size_t)range->count,
            4 * (size_t)OUTBOX_CHUNK_BYTES);
    }
}

/* Entries, or a heartbeat: also while entries are being read, or held up. */
static bool next_range(struct driver *d, struct driver_peer *peer, const struct outbox_range *range,
    void (*emit)(void *arg, struct bytes request), void *arg)
{
    enum { RECORDS_MAX = 512 };
    struct record records[RECORDS_MAX];
    size_t n = 0;
    size_t bytes = 0;
    if (range->count > 0) {
        n = gather(d, peer, range->prev_index + 1, range->count, records, RECORDS_MAX);
        if (n == 0) {
            read_cold(d, peer, range);
            if (!peer->outbox.heartbeat) {
                return false;
            }
        }
    }
    for (size_t i = 0; i < n; i++) {
        bytes += records[i].payload.size;
    }
    emit_append(d, range, records, n, emit, arg);
    outbox_sent_range(&peer->outbox, n, n > 0 ? records[n - 1].term : range->prev_term, bytes,
        d->hooks->now_ms(d->arg));
    return true;
}

bool driver_next_frame(
    struct driver *d, uint64_t node, void (*emit)(void *arg, struct bytes request), void *arg)
{
    struct driver_peer *peer = driver_find_peer(d, node);
    struct outbox_item item;
    uint64_t term = d->raft.state == RAFT_LEADER ? d->raft.current_term : 0;
    if (peer == NULL || !outbox_next(&peer->outbox, term, &item)) {
        return false;
    }
    if (item.message == NULL) {
        return next_range(d, peer, &item.range, emit, arg);
    }
    emit(arg, bytes_of(item.message, item.size));
    outbox_sent_message(&peer->outbox);
    return true;
}

void driver_forget_cold(struct driver *d)
{
    for (unsigned i = 0; i < d->peer_count; i++) {
        free(d->peers[i].cold);
        d->peers[i].cold = NULL;
        d->peers[i].cold_count = 0;
    }
}

void driver_read_done(struct driver *d, uint64_t node, struct record *records, size_t count)
{
    struct driver_peer *peer = driver_find_peer(d, node);
    if (peer != NULL) {
        peer->reading = false;
    }
    if (peer == NULL || peer->reading_term != d->raft.current_term) {
        free(records);
        return;
    }
    free(peer->cold);
    peer->cold = records;
    peer->cold_count = count;
    if (count > 0) {
        d->hooks->ready(d->arg, node);
    }
}
