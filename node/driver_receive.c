/* What peers send: checked field by field, guarded, and put into the core's terms. */
#include "node/driver_private.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

/* ---- what peers send ---- */

/* A batch of a peer's records, and where it belongs. */
struct append {
    uint64_t from;
    const Zhurnal__Peer__V1__AppendEntries *message;
    uint64_t prev_index, prev_term;
    Zhurnal__Peer__V1__Record *const *records;
    size_t count;
};

static struct raft_message from_peer(enum raft_message_type type, uint64_t from)
{
    /* The core copies the address and shows it to nobody but us. */
    return (struct raft_message){.type = type, .server_id = from, .server_address = "peer"};
}

static int receive(struct driver *d, struct raft_message *message, const struct driver_offer *offer)
{
    struct raft_event event = {.type = RAFT_RECEIVE};
    event.receive.message = message;
    return driver_step(d, &event, offer);
}

static int make_sources(const struct append *append, struct driver_entry *sources)
{
    for (size_t i = 0; i < append->count; i++) {
        const Zhurnal__Peer__V1__Record *record = append->records[i];
        sources[i].kind = (enum record_kind)record->kind;
        sources[i].payload = payload_create(record->payload.data, record->payload.len);
        if (sources[i].payload == NULL) {
            return STATUS_NO_MEMORY;
        }
    }
    return STATUS_OK;
}

static int receive_entries(struct driver *d, const struct append *append,
    struct raft_entry *entries, const struct driver_entry *sources)
{
    const struct driver_offer offer = {.entries = entries,
        .sources = sources,
        .count = append->count,
        .answered = append->message->term};
    if (append->count > 0) {
        int status = driver_make_batch(entries, sources, append->count);
        if (status != STATUS_OK) {
            return status;
        }
        for (size_t i = 0; i < append->count; i++) {
            entries[i].term = append->records[i]->term;
        }
    }
    struct raft_message message = from_peer(RAFT_APPEND_ENTRIES, append->from);
    message.append_entries.version = (unsigned char)append->message->version;
    message.append_entries.term = append->message->term;
    message.append_entries.prev_log_index = append->prev_index;
    message.append_entries.prev_log_term = append->prev_term;
    message.append_entries.leader_commit = append->message->leader_commit;
    message.append_entries.entries = append->count > 0 ? entries : NULL;
    message.append_entries.n_entries = (unsigned)append->count;
    return receive(d, &message, &offer);
}

/* One piece, which the core takes as it is. */
static int receive_piece(struct driver *d, const struct append *append)
{
    struct raft_entry *entries = calloc(append->count + 1, sizeof *entries);
    struct driver_entry *sources = calloc(append->count + 1, sizeof *sources);
    int status = STATUS_NO_MEMORY;
    if (entries != NULL && sources != NULL) {
        status = make_sources(append, sources);
        if (status == STATUS_OK) {
            status = receive_entries(d, append, entries, sources);
        }
        for (size_t i = 0; i < append->count; i++) {
            payload_unref(sources[i].payload);
        }
    }
    free(entries);
    free(sources);
    return status;
}

static void cut_below(struct driver *d, struct append *append)
{
    bool below;
    size_t known =
        guards_below(&d->raft, append->message->term, append->prev_index, append->count, &below);
    if (below && !(d->options.guards_off & GUARD_BELOW)) {
        append->prev_index = d->raft.commit_index;
        append->prev_term = driver_term_of(d, append->prev_index);
        append->records += known;
        append->count -= known;
        assert(append->prev_term > 0 || d->failed);
    }
}

/* A leader sends a second membership only when the first is committed. It is the first of this
 * leader's log only where all that comes before is: a tail of another leader's proves nothing. */
static void confirm_older_change(struct driver *d, const struct append *append)
{
    uint64_t proven = guards_split_commit(&d->raft, append->message->term, append->prev_index + 1);
    bool ours = proven > 0 && driver_term_of(d, append->prev_index) == append->prev_term;
    if (ours && d->confirmed_count < d->change_count && d->changes[d->confirmed_count] == proven) {
        driver_confirm_change(d);
    }
}

static int receive_append(
    struct driver *d, uint64_t from, const Zhurnal__Peer__V1__AppendEntries *message)
{
    struct append append = {.from = from,
        .message = message,
        .prev_index = message->prev_log_index,
        .prev_term = message->prev_log_term,
        .records = message->records,
        .count = message->n_records};
    cut_below(d, &append);
    bool split = !(d->options.guards_off & GUARD_SPLIT);
    size_t left = append.count;
    do {
        append.count = split ? guards_split(append.records, left) : left;
        if (split && append.count > 0 && append.records[0]->kind == RECORD_MEMBERSHIP) {
            confirm_older_change(d, &append);
        }
        int status = d->failed ? STATUS_INTERNAL : receive_piece(d, &append);
        if (status != STATUS_OK) {
            return status;
        }
        if (append.count > 0) {
            append.prev_index += append.count;
            append.prev_term = append.records[append.count - 1]->term;
            append.records += append.count;
            left -= append.count;
        }
    } while (left > 0 && !d->failed);
    return STATUS_OK;
}

static int receive_append_result(
    struct driver *d, uint64_t from, const Zhurnal__Peer__V1__AppendEntriesResult *result)
{
    bool drop = (!(d->options.guards_off & GUARD_STALE) && guards_stale_drop(&d->raft, result)) ||
        (!(d->options.guards_off & GUARD_REJ) && guards_rej_drop(&d->raft, from, result));
    if (drop) {
        return STATUS_OK;
    }
    struct driver_peer *peer = driver_find_peer(d, from);
    bool ours = d->raft.state == RAFT_LEADER && result->term == d->raft.current_term;
    if (peer != NULL && ours && result->rejected > 0) {
        outbox_refused(&peer->outbox, result->rejected);
    }
    struct raft_message message = from_peer(RAFT_APPEND_ENTRIES_RESULT, from);
    message.append_entries_result.version = (unsigned char)result->version;
    message.append_entries_result.term = result->term;
    message.append_entries_result.rejected = result->rejected;
    message.append_entries_result.last_log_index = result->last_log_index;
    message.append_entries_result.features = (unsigned short)result->features;
    message.append_entries_result.capacity = (unsigned short)result->capacity;
    int status = receive(d, &message, &(struct driver_offer){0});
    raft_index match;
    if (status == STATUS_OK && peer != NULL && ours && d->raft.state == RAFT_LEADER &&
        raft_match_index(&d->raft, from, &match) == 0) {
        outbox_acknowledged(&peer->outbox, match, d->hooks->now_ms(d->arg));
        d->hooks->ready(d->arg, from);
    }
    return status;
}

static int receive_request_vote(
    struct driver *d, uint64_t from, const Zhurnal__Peer__V1__RequestVote *request)
{
    struct raft_message message = from_peer(RAFT_REQUEST_VOTE, from);
    message.request_vote.version = (unsigned char)request->version;
    message.request_vote.term = request->term;
    message.request_vote.candidate_id = request->candidate;
    message.request_vote.last_log_index = request->last_log_index;
    message.request_vote.last_log_term = request->last_log_term;
    message.request_vote.disrupt_leader = request->disrupt_leader;
    message.request_vote.pre_vote = request->pre_vote;
    return receive(d, &message, &(struct driver_offer){.requested = request->term});
}

static int receive_vote(
    struct driver *d, uint64_t from, const Zhurnal__Peer__V1__RequestVoteResult *result)
{
    if (!(d->options.guards_off & GUARD_VOTE) && guards_vote_drop(&d->raft)) {
        return STATUS_OK;
    }
    struct raft_message message = from_peer(RAFT_REQUEST_VOTE_RESULT, from);
    message.request_vote_result.version = (unsigned char)result->version;
    message.request_vote_result.term = result->term;
    message.request_vote_result.vote_granted = result->vote_granted;
    message.request_vote_result.pre_vote = result->pre_vote;
    message.request_vote_result.features = (unsigned short)result->features;
    message.request_vote_result.capacity = (unsigned short)result->capacity;
    return receive(d, &message, &(struct driver_offer){0});
}

static int receive_install(
    struct driver *d, uint64_t from, const Zhurnal__Peer__V1__InstallSnapshot *install)
{
    struct raft_message message = from_peer(RAFT_INSTALL_SNAPSHOT, from);
    message.install_snapshot.version = (unsigned char)install->version;
    message.install_snapshot.term = install->term;
    message.install_snapshot.last_index = install->last_index;
    message.install_snapshot.last_term = install->last_term;
    message.install_snapshot.conf_index = install->membership_index;
    const struct bytes membership = bytes_of(install->membership.data, install->membership.len);
    int status = driver_decode_membership(membership, &message.install_snapshot.conf);
    if (status != STATUS_OK) {
        return status;
    }
    /* The core forgets to free it when it is installing already. */
    bool ours = d->raft.snapshot.installing && install->term >= d->raft.current_term;
    status = receive(d, &message, &(struct driver_offer){.answered = install->term});
    if (ours) {
        raft_configuration_close(&message.install_snapshot.conf);
    }
    driver_pursue_install(d);
    return status;
}

static int receive_timeout_now(
    struct driver *d, uint64_t from, const Zhurnal__Peer__V1__TimeoutNow *now)
{
    struct raft_message message = from_peer(RAFT_TIMEOUT_NOW, from);
    message.timeout_now.version = (unsigned char)now->version;
    message.timeout_now.term = now->term;
    message.timeout_now.last_log_index = now->last_log_index;
    message.timeout_now.last_log_term = now->last_log_term;
    return receive(d, &message, &(struct driver_offer){.told_to_stand = true});
}

static int receive_checked(struct driver *d, uint64_t from, const Zhurnal__Peer__V1__Frame *frame)
{
    switch (frame->message_case) {
    case ZHURNAL__PEER__V1__FRAME__MESSAGE_APPEND_ENTRIES:
        return receive_append(d, from, frame->append_entries);
    case ZHURNAL__PEER__V1__FRAME__MESSAGE_APPEND_ENTRIES_RESULT:
        return receive_append_result(d, from, frame->append_entries_result);
    case ZHURNAL__PEER__V1__FRAME__MESSAGE_REQUEST_VOTE:
        return receive_request_vote(d, from, frame->request_vote);
    case ZHURNAL__PEER__V1__FRAME__MESSAGE_REQUEST_VOTE_RESULT:
        return receive_vote(d, from, frame->request_vote_result);
    case ZHURNAL__PEER__V1__FRAME__MESSAGE_INSTALL_SNAPSHOT:
        return receive_install(d, from, frame->install_snapshot);
    case ZHURNAL__PEER__V1__FRAME__MESSAGE_TIMEOUT_NOW:
        return receive_timeout_now(d, from, frame->timeout_now);
    case ZHURNAL__PEER__V1__FRAME__MESSAGE__NOT_SET:
    case _ZHURNAL__PEER__V1__FRAME__MESSAGE__CASE_IS_INT_SIZE:
        break;
    }
    return STATUS_MALFORMED;
}

int driver_receive(
    struct driver *d, uint64_t from, const Zhurnal__Peer__V1__Frame *frame, struct error *err)
{
    struct error reason = {0};
    int status = guards_check(&d->raft, from, frame, &reason);
    if (status == STATUS_CORRUPT) {
        driver_fail(d, STATUS_INTERNAL, reason.text);
    }
    if (status != STATUS_OK) {
        return error_set(err, status, "%s", reason.text);
    }
    if (driver_find_peer(d, from) == NULL) {
        return error_set(err, STATUS_DENIED, "node %016" PRIx64 " is not a member", from);
    }
    status = receive_checked(d, from, frame);
    if (status == STATUS_OK) {
        driver_pursue_transfer(d);
    }
    if (d->failed) {
        return error_set(err, STATUS_INTERNAL, "this node is stopping");
    }
    return status == STATUS_OK
        ? STATUS_OK
        : error_set(err, status, "a message of node %016" PRIx64 ": %s", from, status_text(status));
}
