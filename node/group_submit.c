/* A write, from its bytes to its place in the queue, and back to its answer. */
#include "node/group_private.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { SENTENCE_SIZE = 160 };

/* One call of group_submit(). */
struct call {
    struct group *group;
    const struct group_request *request;
    struct submission submission;
    struct arena arena;
};

static void answer_error(const struct call *call, int status, const char *sentence)
{
    const struct group_answer answer = {.status = status, .sentence = sentence};
    call->request->answer(call->request->arg, &answer);
}

/* ---- what is recorded already ---- */

struct found {
    uint64_t index;
    bool same;
    int64_t recorded_at_ms;
    struct verdict verdict; /* In the arena. */
};

/* What is compared with the record: a submission, or one that was on its way. */
struct compared {
    const struct submission *submission; /* NULL: the payload. */
    struct bytes payload;
};

static bool same_as(const struct compared *compared, struct bytes recorded)
{
    return compared->submission != NULL ? entry_same(compared->submission, recorded)
                                        : entry_repeats(compared->payload, recorded);
}

/* The record and verdict of an applied command. */
static int read_recorded(struct group *g, struct txn *views, const struct compared *compared,
    struct arena *arena, struct found *found)
{
    struct txn txn;
    struct record record;
    int status = STATUS_CORRUPT;
    if (!journal_verdict(views, g->options.journal, found->index, arena, &found->verdict)) {
        return views->status != STATUS_OK ? views->status : STATUS_CORRUPT;
    }
    txn_begin_read(&txn, g->options.log->env);
    if (log_read(&txn, g->options.log, found->index, &record)) {
        found->same = record.kind != RECORD_COMMAND || same_as(compared, record.payload);
        found->recorded_at_ms = entry_recorded_at(record.payload);
        status = STATUS_OK;
    } else if (txn.status != STATUS_OK) {
        status = txn.status;
    }
    txn_abort(&txn);
    return status;
}

/* STATUS_NOT_FOUND: the id is free as far as this node has applied. */
static int find_recorded(struct call *call, struct found *found)
{
    struct group *g = call->group;
    const struct submission *submission = &call->submission;
    struct txn views;
    uint8_t hash[SHA256_SIZE];
    txn_begin_read(&views, &g->options.journal->views.env);
    bool is = journal_find(&views, g->options.journal, submission->draft->school,
        submission->entry_id, &found->index, hash);
    int status = is ? STATUS_OK : views.status != STATUS_OK ? views.status : STATUS_NOT_FOUND;
    if (is && memcmp(hash, submission->draft_hash, SHA256_SIZE) != 0) {
        found->same = false;
    } else if (is) {
        const struct compared compared = {.submission = submission};
        status = read_recorded(g, &views, &compared, &call->arena, found);
    }
    txn_abort(&views);
    return status;
}

/* sentence is where it says what it says. */
static struct group_answer answer_of(const struct found *found, char sentence[SENTENCE_SIZE])
{
    if (found->same) {
        return (struct group_answer){.index = found->index,
            .recorded_at_ms = found->recorded_at_ms,
            .verdict = &found->verdict};
    }
    snprintf(sentence, SENTENCE_SIZE,
        "the entry id was used at index %" PRIu64
        ", with other bytes: send a new entry under a new id",
        found->index);
    return (struct group_answer){
        .status = STATUS_ENTRY_ID_TAKEN, .sentence = sentence, .taken_index = found->index};
}

/* Whoever may not write here is told so, and not what stands here. True if that was the answer. */
static bool turn_away(const struct call *call)
{
    struct verdict verdict = {0};
    if (decide_may_write(call->submission.draft, call->request->principal, &verdict)) {
        return false;
    }
    const struct group_answer answer = {.verdict = &verdict};
    call->request->answer(call->request->arg, &answer);
    return true;
}

/* An attempt that was refused is told so again, whoever made it. */
static bool may_know(const struct found *found)
{
    return found->same && found->verdict.outcome == VERDICT_REFUSED;
}

/* True if that was the answer. */
static bool answer_from_journal(struct call *call)
{
    struct found found = {0};
    int status = find_recorded(call, &found);
    if (status == STATUS_NOT_FOUND) {
        return false;
    }
    if (status != STATUS_OK) {
        answer_error(call, status, status_text(status));
        return true;
    }
    if (!may_know(&found) && turn_away(call)) {
        return true;
    }
    char sentence[SENTENCE_SIZE];
    struct group_answer answer = answer_of(&found, sentence);
    if (call->submission.check_only) {
        answer.index = 0;
        answer.recorded_at_ms = 0;
    }
    call->request->answer(call->request->arg, &answer);
    return true;
}

void group_answer_recorded(struct group *g, struct pending *pending, uint64_t index)
{
    struct arena arena;
    struct txn views;
    struct found found = {.index = index};
    arena_init(&arena, JOURNAL_ARENA_LIMIT);
    txn_begin_read(&views, &g->options.journal->views.env);
    const struct compared compared = {.payload = payload_bytes(pending->payload)};
    int status = read_recorded(g, &views, &compared, &arena, &found);
    txn_abort(&views);
    struct group_answer answer = {.status = status, .sentence = status_text(status)};
    char sentence[SENTENCE_SIZE];
    if (status == STATUS_OK) {
        answer = answer_of(&found, sentence);
    }
    pending_answer(&g->pending, pending, &answer);
    arena_reset(&arena);
}

static void answer_check(struct call *call)
{
    struct group *g = call->group;
    struct verdict verdict;
    struct txn views;
    txn_begin_read(&views, &g->options.journal->views.env);
    int status = journal_check(&views, g->options.journal, &call->submission,
        call->request->principal, &call->arena, &verdict);
    txn_abort(&views);
    const struct group_answer answer = {
        .status = status, .sentence = status_text(status), .verdict = &verdict};
    call->request->answer(call->request->arg, &answer);
}

/* ---- a new entry ---- */

/* What changes how all that follows is stamped or judged is asked for before the log: not every
 * member may know how. */
static bool admit_turning_points(const struct call *call)
{
    const Zhurnal__V1__Draft *draft = call->submission.draft;
    for (size_t i = 0; i < draft->n_events; i++) {
        const Zhurnal__V1__Event *event = draft->events[i];
        if (event->kind_case == ZHURNAL__V1__EVENT__KIND_CLOCK_RESET) {
            answer_error(call, STATUS_UNIMPLEMENTED,
                "this version stamps on from its log and cannot be reset: correct the nodes' "
                "clocks "
                "instead");
            return false;
        }
        if (event->kind_case == ZHURNAL__V1__EVENT__KIND_FEATURE_LEVEL_RAISED &&
            event->feature_level_raised->level > call->group->level_max) {
            answer_error(call, STATUS_PRECONDITION,
                "a member's software does not know this feature level, or has not been heard: "
                "bring every node up, with software that knows it, and send again");
            return false;
        }
    }
    return true;
}

/* Nothing more goes to the log, but this node leads still: writes wait. Where a successor is found
 * they are passed on to it, and where none is they go to the log here. */
static bool is_handing_over(struct group *g)
{
    return g->led_term != 0 && !driver_status(g->driver).accepts;
}

/* True if this node takes the write; otherwise it has answered. */
static bool admit(const struct call *call)
{
    struct group *g = call->group;
    if (g->led_term == 0 || (g->retiring && !is_handing_over(g))) {
        answer_error(call, STATUS_NOT_LEADER, status_text(STATUS_NOT_LEADER));
        return false;
    }
    int why = g->parked != STATUS_OK ? g->parked : g->full;
    if (why != STATUS_OK) {
        answer_error(call, why, status_text(why));
        return false;
    }
    if (g->pending.bytes + call->request->raw.size > GROUP_UNCOMMITTED_MAX) {
        answer_error(call, STATUS_BUSY, status_text(STATUS_BUSY));
        return false;
    }
    if (!admit_turning_points(call)) {
        return false;
    }
    int64_t lag = group_clock_lag(g);
    if (lag > 0) {
        char sentence[200];
        snprintf(sentence, sizeof sentence,
            "this node's clock is %" PRId64
            " s behind its log, so nothing was recorded: set the clock (timedatectl set-ntp true) "
            "and send again",
            lag / 1000);
        answer_error(call, STATUS_PRECONDITION, sentence);
        return false;
    }
    return true;
}

/* True if the same entry is on its way: the call waits with it, or was told why it cannot. */
static bool join(struct call *call)
{
    struct group *g = call->group;
    struct pending *pending =
        pending_find(&g->pending, call->submission.draft->school, call->submission.entry_id);
    if (pending == NULL) {
        return false;
    }
    if (turn_away(call)) {
        return true;
    }
    if (!entry_same(&call->submission, payload_bytes(pending->payload))) {
        answer_error(call, STATUS_UNAVAILABLE,
            "another entry with this id is being recorded: send again to hear where it stands, or "
            "send this one under a new id");
    } else if (pending_join(pending, call->request->answer, call->request->arg) != STATUS_OK) {
        answer_error(call, STATUS_NO_MEMORY, status_text(STATUS_NO_MEMORY));
    }
    return true;
}

static struct payload *stamp(struct call *call)
{
    struct group *g = call->group;
    const struct clock_time now = group_now(g);
    struct entry_stamp stamp = {
        .recorded_at_ms = now.ms > g->last_stamp_ms ? now.ms : g->last_stamp_ms,
        .principal = call->request->principal,
        .received_by = call->request->received_by,
        .leader = g->options.driver.node,
        .level = g->applied.level,
        .clock_epoch = g->applied.clock_epoch,
        .clock_untrusted = now.untrusted};
    g->world.random(g->world.arg, stamp.salt_key, sizeof stamp.salt_key);
    uint8_t *encoded;
    size_t size;
    if (entry_encode(&call->submission, &stamp, &encoded, &size) != STATUS_OK) {
        return NULL;
    }
    struct payload *payload = payload_create(encoded, size);
    free(encoded);
    if (payload != NULL) {
        g->last_stamp_ms = stamp.recorded_at_ms;
    }
    return payload;
}

static void queue(struct call *call)
{
    struct group *g = call->group;
    struct payload *payload = stamp(call);
    struct pending *pending = NULL;
    if (payload != NULL) {
        pending = pending_add(
            &g->pending, call->submission.draft->school, call->submission.entry_id, payload);
    }
    if (pending == NULL) {
        payload_unref(payload);
        answer_error(call, STATUS_NO_MEMORY, status_text(STATUS_NO_MEMORY));
        return;
    }
    /* An entry that nobody waits for is recorded all the same, and found by its retry. */
    if (pending_join(pending, call->request->answer, call->request->arg) != STATUS_OK) {
        answer_error(call, STATUS_OUTCOME_UNKNOWN, status_text(STATUS_OUTCOME_UNKNOWN));
    }
    g->world.wake(g->world.arg);
}

static void take(struct call *call)
{
    if (answer_from_journal(call)) {
        return;
    }
    if (call->submission.check_only) {
        answer_check(call);
    } else if (!join(call) && admit(call)) {
        queue(call);
    }
}

void group_submit(struct group *g, const struct group_request *request)
{
    struct error err = {0};
    struct call call = {.group = g, .request = request};
    /* It is parsed, and then judged, or what stands already is read. */
    arena_init(&call.arena, SUBMISSION_ARENA_LIMIT + JOURNAL_ARENA_LIMIT);
    int status = submission_parse(request->raw, &call.arena, &call.submission, &err);
    if (status == STATUS_OK) {
        take(&call);
    } else {
        answer_error(&call, status, err.text);
    }
    arena_reset(&call.arena);
}

/* ---- to the log, or not ---- */

static size_t gather(const struct group *g, struct driver_entry *entries)
{
    size_t count = 0;
    size_t bytes = 0;
    const struct pending *pending = g->pending.unsent;
    while (pending != NULL && count < GROUP_BATCH_ENTRIES && bytes < GROUP_BATCH_BYTES) {
        entries[count++] =
            (struct driver_entry){.kind = RECORD_COMMAND, .payload = pending->payload};
        bytes += pending->payload->size;
        pending = TAILQ_NEXT(pending, order);
    }
    return count;
}

static void answer_unsent(struct group *g, int status)
{
    const struct group_answer answer = {.status = status, .sentence = status_text(status)};
    while (g->pending.unsent != NULL) {
        pending_answer(&g->pending, g->pending.unsent, &answer);
    }
}

void group_flush(struct group *g)
{
    struct driver_entry entries[GROUP_BATCH_ENTRIES];
    while (g->pending.unsent != NULL && !is_handing_over(g)) {
        uint64_t first;
        size_t count = gather(g, entries);
        int status = driver_submit(g->driver, entries, count, &first);
        if (status != STATUS_OK) {
            answer_unsent(g, status);
            return;
        }
        for (size_t i = 0; i < count; i++) {
            pending_sent(&g->pending, first + i);
        }
    }
}

void group_give_up(struct group *g)
{
    answer_unsent(g, STATUS_NOT_LEADER);
    const struct group_answer answer = {
        .status = STATUS_OUTCOME_UNKNOWN, .sentence = status_text(STATUS_OUTCOME_UNKNOWN)};
    while (!TAILQ_EMPTY(&g->pending.order)) {
        pending_answer(&g->pending, TAILQ_FIRST(&g->pending.order), &answer);
    }
}
