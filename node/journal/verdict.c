#include "node/journal/verdict.h"

#include "proto/guard.h"

#include <assert.h>

static_assert((int)VERDICT_ACCEPTED == (int)ZHURNAL__V1__OUTCOME__OUTCOME_ACCEPTED, "wire");
static_assert((int)VERDICT_REFUSED == (int)ZHURNAL__V1__OUTCOME__OUTCOME_REFUSED, "wire");
static_assert((int)VERDICT_DUPLICATE == (int)ZHURNAL__V1__OUTCOME__OUTCOME_DUPLICATE, "wire");

void verdict_hash(const struct verdict *verdict, uint8_t out[SHA256_SIZE])
{
    assert(verdict->count <= UINT32_MAX);

    struct sha256 sha;
    sha256_init(&sha);
    sha256_update_u8(&sha, (uint8_t)verdict->outcome);
    sha256_update_u32(&sha, verdict->rule);
    sha256_update_u32(&sha, verdict->event);
    sha256_update_u64(&sha, verdict->school);
    sha256_update_u64(&sha, verdict->school_index);
    sha256_update(&sha, verdict->school_chain, SHA256_SIZE);
    sha256_update_u64(&sha, verdict->first_index);
    sha256_update_u32(&sha, (uint32_t)verdict->count);
    for (size_t i = 0; i < verdict->count; i++) {
        sha256_update_u8(&sha, verdict->events[i].timeliness);
        sha256_update_u64(&sha, (uint64_t)verdict->events[i].due_at_ms);
        sha256_update_u32(&sha, verdict->events[i].warnings);
    }
    sha256_final(&sha, out);
}

static bool events_to_messages(
    const struct verdict *verdict, struct arena *arena, Zhurnal__V1__Verdict *message)
{
    Zhurnal__V1__EventVerdict *events = arena_alloc(arena, verdict->count * sizeof *events);
    message->events =
        arena_alloc(arena, verdict->count * sizeof(struct Zhurnal__V1__EventVerdict *));
    if (events == NULL || message->events == NULL) {
        return false;
    }
    for (size_t i = 0; i < verdict->count; i++) {
        zhurnal__v1__event_verdict__init(&events[i]);
        events[i].timeliness = (Zhurnal__V1__Timeliness)verdict->events[i].timeliness;
        events[i].due_at_ms = verdict->events[i].due_at_ms;
        events[i].warnings = verdict->events[i].warnings;
        message->events[i] = &events[i];
    }
    message->n_events = verdict->count;
    return true;
}

Zhurnal__V1__Verdict *verdict_to_message(const struct verdict *verdict, struct arena *arena)
{
    Zhurnal__V1__Verdict *message = arena_alloc(arena, sizeof *message);
    if (message == NULL) {
        return NULL;
    }
    zhurnal__v1__verdict__init(message);
    message->outcome = (Zhurnal__V1__Outcome)verdict->outcome;
    message->rule = verdict->rule;
    message->event = verdict->event;
    message->school = verdict->school;
    message->school_index = verdict->school_index;
    message->school_chain.data = arena_alloc(arena, SHA256_SIZE);
    if (message->school_chain.data == NULL) {
        return NULL;
    }
    memcpy(message->school_chain.data, verdict->school_chain, SHA256_SIZE);
    message->school_chain.len = SHA256_SIZE;
    message->first_index = verdict->first_index;
    if (verdict->count > 0 && !events_to_messages(verdict, arena, message)) {
        return NULL;
    }
    return message;
}

int verdict_encode(const struct verdict *verdict, struct arena *arena, struct bytes *out)
{
    Zhurnal__V1__Verdict *message = verdict_to_message(verdict, arena);
    if (message == NULL) {
        return STATUS_NO_MEMORY;
    }
    size_t size = zhurnal__v1__verdict__get_packed_size(message);
    uint8_t *data = arena_alloc(arena, size);
    if (data == NULL) {
        return STATUS_NO_MEMORY;
    }
    *out = bytes_of(data, zhurnal__v1__verdict__pack(message, data));
    assert(out->size == size);
    return STATUS_OK;
}

static int copy_events(
    const Zhurnal__V1__Verdict *message, struct arena *arena, struct verdict *verdict)
{
    struct event_verdict *events = arena_alloc(arena, message->n_events * sizeof *events);
    if (events == NULL) {
        return STATUS_NO_MEMORY;
    }
    for (size_t i = 0; i < message->n_events; i++) {
        if (message->events[i]->timeliness < 0 || (int)message->events[i]->timeliness > UINT8_MAX) {
            return STATUS_CORRUPT;
        }
        events[i] = (struct event_verdict){
            .timeliness = (uint8_t)message->events[i]->timeliness,
            .due_at_ms = message->events[i]->due_at_ms,
            .warnings = message->events[i]->warnings,
        };
    }
    verdict->events = events;
    verdict->count = message->n_events;
    return STATUS_OK;
}

int verdict_decode(struct bytes encoded, struct arena *arena, struct verdict *verdict)
{
    if (guard_check(&zhurnal__v1__verdict__descriptor, encoded, NULL) != STATUS_OK) {
        return STATUS_CORRUPT;
    }
    Zhurnal__V1__Verdict *message =
        zhurnal__v1__verdict__unpack(&arena->allocator, encoded.size, encoded.data);
    if (message == NULL) {
        return STATUS_NO_MEMORY;
    }
    if ((int)message->outcome < VERDICT_ACCEPTED || (int)message->outcome > VERDICT_DUPLICATE ||
        message->school_chain.len != SHA256_SIZE) {
        return STATUS_CORRUPT;
    }
    *verdict = (struct verdict){
        .outcome = (enum verdict_outcome)message->outcome,
        .rule = message->rule,
        .event = message->event,
        .school = message->school,
        .school_index = message->school_index,
        .first_index = message->first_index,
    };
    memcpy(verdict->school_chain, message->school_chain.data, SHA256_SIZE);
    return message->n_events > 0 ? copy_events(message, arena, verdict) : STATUS_OK;
}

static const struct {
    uint32_t number;
    int grpc;
    const char *sentence;
} rules[] = {
#define X(name, number, grpc, sentence) {(number), (grpc), sentence},
    RULE_TABLE(X)
#undef X
};

enum { RULES = sizeof rules / sizeof *rules };

/* Its place in the table; RULES for a rule of a newer version. */
static size_t find_rule(uint32_t number)
{
    size_t i = 0;
    while (i < RULES && rules[i].number != number) {
        i++;
    }
    return i;
}

int verdict_grpc_code(const struct verdict *verdict)
{
    enum { GRPC_OK = 0, GRPC_FAILED_PRECONDITION = 9 };
    if (verdict->outcome != VERDICT_REFUSED) {
        return GRPC_OK;
    }
    size_t i = find_rule(verdict->rule);
    return i < RULES ? rules[i].grpc : GRPC_FAILED_PRECONDITION;
}

const char *verdict_sentence(const struct verdict *verdict)
{
    if (verdict->outcome == VERDICT_DUPLICATE) {
        return "recorded before, under the same entry id: nothing changes";
    }
    size_t i = find_rule(verdict->rule);
    return i < RULES
        ? rules[i].sentence
        : "refused by a rule that this version does not know: upgrade this node to read it";
}
