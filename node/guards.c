#include "node/guards.h"

#include "node/driver_private.h"

#include <inttypes.h>
#include <limits.h>

static int malformed(struct error *err, uint64_t from, const char *what)
{
    return error_set(err, STATUS_MALFORMED, "node %016" PRIx64 " sent %s", from, what);
}

static bool leads_term(const struct raft *raft, uint64_t term)
{
    return raft->state == RAFT_LEADER && raft->current_term == term;
}

static int second_leader(struct error *err, uint64_t from, uint64_t term)
{
    return error_set(err, STATUS_CORRUPT,
        "node %016" PRIx64 " leads term %" PRIu64 " too: there are two leaders in one term", from,
        term);
}

static bool record_is_known(const Zhurnal__Peer__V1__Record *record)
{
    return record->kind >= RECORD_COMMAND && record->kind <= RECORD_ERASED;
}

static bool membership_decodes(ProtobufCBinaryData payload)
{
    struct raft_configuration configuration;
    if (driver_decode_membership(bytes_of(payload.data, payload.len), &configuration) !=
        STATUS_OK) {
        return false;
    }
    raft_configuration_close(&configuration);
    return true;
}

static int check_records(
    uint64_t from, const Zhurnal__Peer__V1__AppendEntries *append, struct error *err)
{
    uint64_t last_term = append->prev_log_term;
    for (size_t i = 0; i < append->n_records; i++) {
        const Zhurnal__Peer__V1__Record *record = append->records[i];
        if (!record_is_known(record)) {
            return malformed(err, from, "an entry of a kind that cannot be");
        }
        if (record->term == 0 || record->term < last_term || record->term > append->term) {
            return malformed(err, from, "an entry whose term cannot be");
        }
        if (record->kind == RECORD_MEMBERSHIP && !membership_decodes(record->payload)) {
            return malformed(err, from, "a membership that does not decode");
        }
        last_term = record->term;
    }
    return STATUS_OK;
}

/* Far beyond what a log holds, and what is added to it does not wrap. */
static bool index_can_be(uint64_t index)
{
    return index <= INT64_MAX;
}

/* One that is believed becomes ours, so no single frame may take us to where terms end. A term
 * grows by one an election, and an election lasts a time-out: after a century of nothing but
 * elections a node that was away is not that far behind. It is not either where one of a term's
 * bits was wrong in the meantime: those below the 32nd add up to less, and no other is believed. */
static bool term_can_be(const struct raft *raft, uint64_t term)
{
    static const uint64_t too_far = (uint64_t)1 << 32;
    return term > 0 && term <= INT64_MAX &&
        (term <= raft->current_term || term - raft->current_term < too_far);
}

static int check_append(const struct raft *raft, uint64_t from,
    const Zhurnal__Peer__V1__AppendEntries *append, struct error *err)
{
    if (!term_can_be(raft, append->term) || append->version > UCHAR_MAX) {
        return malformed(err, from, "entries of a term or a version that cannot be");
    }
    if (!index_can_be(append->prev_log_index) || !index_can_be(append->leader_commit) ||
        (append->prev_log_index == 0) != (append->prev_log_term == 0) ||
        append->prev_log_term > append->term) {
        return malformed(err, from, "entries that follow on nothing that can be");
    }
    if (leads_term(raft, append->term)) {
        return second_leader(err, from, append->term);
    }
    return check_records(from, append, err);
}

static int check_install(const struct raft *raft, uint64_t from,
    const Zhurnal__Peer__V1__InstallSnapshot *install, struct error *err)
{
    if (!term_can_be(raft, install->term) || install->last_index < 2 ||
        !index_can_be(install->last_index) || install->last_term == 0 ||
        install->last_term > install->term || install->membership_index == 0 ||
        install->membership_index > install->last_index || install->version > UCHAR_MAX ||
        !membership_decodes(install->membership)) {
        return malformed(err, from, "snapshot metadata that cannot be");
    }
    return leads_term(raft, install->term) ? second_leader(err, from, install->term) : STATUS_OK;
}

static bool fits(uint32_t version, uint32_t features, uint32_t capacity)
{
    return version <= UCHAR_MAX && features <= USHRT_MAX && capacity <= USHRT_MAX;
}

static int check_append_result(const struct raft *raft, uint64_t from,
    const Zhurnal__Peer__V1__AppendEntriesResult *result, struct error *err)
{
    bool sane = term_can_be(raft, result->term) && index_can_be(result->rejected) &&
        index_can_be(result->last_log_index) &&
        fits(result->version, result->features, result->capacity);
    return sane ? STATUS_OK : malformed(err, from, "an answer that cannot be");
}

static int check_vote_request(const struct raft *raft, uint64_t from,
    const Zhurnal__Peer__V1__RequestVote *request, struct error *err)
{
    bool sane = term_can_be(raft, request->term) && request->candidate == from &&
        fits(request->version, 0, 0) && index_can_be(request->last_log_index) &&
        (request->last_log_index == 0) == (request->last_log_term == 0) &&
        request->last_log_term <= request->term;
    return sane ? STATUS_OK : malformed(err, from, "a vote request that cannot be");
}

static int check_vote(const struct raft *raft, uint64_t from,
    const Zhurnal__Peer__V1__RequestVoteResult *result, struct error *err)
{
    bool sane = term_can_be(raft, result->term) &&
        fits(result->version, result->features, result->capacity);
    return sane ? STATUS_OK : malformed(err, from, "a vote that cannot be");
}

static int check_timeout_now(const struct raft *raft, uint64_t from,
    const Zhurnal__Peer__V1__TimeoutNow *now, struct error *err)
{
    bool sane = term_can_be(raft, now->term) && now->last_log_index > 0 &&
        index_can_be(now->last_log_index) && now->last_log_term > 0 &&
        now->last_log_term <= now->term && fits(now->version, 0, 0);
    return sane ? STATUS_OK : malformed(err, from, "a call to stand that cannot be");
}

int guards_check(const struct raft *raft, uint64_t from, const Zhurnal__Peer__V1__Frame *frame,
    struct error *err)
{
    if (from == 0 || from == raft->id) {
        return malformed(err, from, "a message in our own name");
    }
    switch (frame->message_case) {
    case ZHURNAL__PEER__V1__FRAME__MESSAGE_APPEND_ENTRIES:
        return check_append(raft, from, frame->append_entries, err);
    case ZHURNAL__PEER__V1__FRAME__MESSAGE_APPEND_ENTRIES_RESULT:
        return check_append_result(raft, from, frame->append_entries_result, err);
    case ZHURNAL__PEER__V1__FRAME__MESSAGE_REQUEST_VOTE:
        return check_vote_request(raft, from, frame->request_vote, err);
    case ZHURNAL__PEER__V1__FRAME__MESSAGE_REQUEST_VOTE_RESULT:
        return check_vote(raft, from, frame->request_vote_result, err);
    case ZHURNAL__PEER__V1__FRAME__MESSAGE_INSTALL_SNAPSHOT:
        return check_install(raft, from, frame->install_snapshot, err);
    case ZHURNAL__PEER__V1__FRAME__MESSAGE_TIMEOUT_NOW:
        return check_timeout_now(raft, from, frame->timeout_now, err);
    case ZHURNAL__PEER__V1__FRAME__MESSAGE__NOT_SET:
    case _ZHURNAL__PEER__V1__FRAME__MESSAGE__CASE_IS_INT_SIZE:
        break;
    }
    return malformed(err, from, "a message of a kind that this version does not know");
}

bool guards_stale_answer(raft_term current, raft_term answered)
{
    return answered != 0 && answered < current;
}

bool guards_stale_drop(
    const struct raft *raft, const Zhurnal__Peer__V1__AppendEntriesResult *result)
{
    return result->stale && result->term <= raft->current_term;
}

size_t guards_below(
    const struct raft *raft, raft_term term, raft_index prev_index, size_t count, bool *below)
{
    *below =
        term >= raft->current_term && !raft->snapshot.installing && prev_index < raft->commit_index;
    if (!*below) {
        return 0;
    }
    raft_index known = raft->commit_index - prev_index;
    return known < count ? (size_t)known : count;
}

bool guards_rej_drop(
    const struct raft *raft, uint64_t from, const Zhurnal__Peer__V1__AppendEntriesResult *result)
{
    raft_index match;
    return result->rejected > 0 && leads_term(raft, result->term) &&
        raft_match_index((struct raft *)raft, from, &match) == 0 && result->rejected <= match;
}

size_t guards_split(Zhurnal__Peer__V1__Record *const *records, size_t count)
{
    size_t n = count > 0 ? 1 : 0;
    while (n < count && records[n]->kind != RECORD_MEMBERSHIP) {
        n++;
    }
    return n;
}

raft_index guards_split_commit(const struct raft *raft, raft_term term, raft_index index)
{
    raft_index uncommitted = raft->configuration_uncommitted_index;
    bool proven = uncommitted > 0 && uncommitted < index && term >= raft->current_term;
    return proven ? uncommitted : 0;
}

bool guards_vote_drop(const struct raft *raft)
{
    return raft->state != RAFT_CANDIDATE;
}

bool guards_stand_disrupts(const struct raft_request_vote *request, bool told)
{
    return request->disrupt_leader && told;
}

static const struct raft_server *find_server(const struct raft_configuration *c, raft_id id)
{
    for (unsigned i = 0; i < c->n; i++) {
        if (c->servers[i].id == id) {
            return &c->servers[i];
        }
    }
    return NULL;
}

/* How many servers are not in b, or there with another role. */
static unsigned differing(const struct raft_configuration *a, const struct raft_configuration *b)
{
    unsigned n = 0;
    for (unsigned i = 0; i < a->n; i++) {
        const struct raft_server *other = find_server(b, a->servers[i].id);
        n += other == NULL || other->role != a->servers[i].role;
    }
    return n;
}

/* The core keeps progress by place. */
static bool keeps_order(const struct raft_configuration *now, const struct raft_configuration *next)
{
    unsigned k = 0;
    for (unsigned i = 0; i < next->n; i++) {
        if (find_server(now, next->servers[i].id) == NULL) {
            continue;
        }
        while (k < now->n && now->servers[k].id != next->servers[i].id) {
            k++;
        }
        if (k == now->n) {
            return false;
        }
    }
    return true;
}

static int not_now(struct error *err, const char *why)
{
    return error_set(err, STATUS_PRECONDITION, "the membership cannot change now: %s", why);
}

int guards_change(const struct raft *raft, const struct raft_configuration *next,
    raft_term committed_term, struct error *err)
{
    enum { VOTERS_MIN = 3 };
    const struct raft_configuration *now = &raft->configuration;
    if (raft->configuration_uncommitted_index != 0) {
        return not_now(err, "the last change is not committed yet");
    }
    if (committed_term != raft->current_term) {
        return not_now(err, "the new leader has not committed anything yet");
    }
    if (differing(now, next) > 1 || differing(next, now) > 1 || !keeps_order(now, next)) {
        return not_now(err, "one node at a time is added, removed, or given another role");
    }
    unsigned voters = 0;
    for (unsigned i = 0; i < next->n; i++) {
        if (next->servers[i].role != RAFT_VOTER) {
            continue;
        }
        raft_index match;
        voters++;
        if (raft_match_index((struct raft *)raft, next->servers[i].id, &match) != 0 ||
            match < raft->configuration_committed_index) {
            return not_now(err, "a voter does not hold the last change yet");
        }
    }
    return voters >= VOTERS_MIN ? STATUS_OK
                                : not_now(err, "there would be fewer than three voters");
}

raft_term guards_prev_term(
    const struct raft *raft, raft_term requested, const struct raft_request_vote_result *result)
{
    bool masked = result->pre_vote && !result->vote_granted && requested < raft->current_term;
    return masked ? raft->current_term : result->term;
}
