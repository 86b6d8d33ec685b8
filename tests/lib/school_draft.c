#include "tests/lib/school_draft.h"

#include "tests/lib/school_random.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* UUIDv7 (RFC 9562 §5.7): 48 bits of time, the rest of entropy. */
static void make_entry_id(uint8_t *id, int64_t at_ms, uint64_t entropy)
{
    struct random_stream stream = {.state = entropy};
    uint64_t high = random_next(&stream);
    uint64_t low = random_next(&stream);
    for (int i = 0; i < 6; i++) {
        id[i] = (uint8_t)((uint64_t)at_ms >> (40 - 8 * i));
    }
    id[6] = (uint8_t)(0x70 | (high & 0x0f));
    id[7] = (uint8_t)(high >> 8);
    for (int i = 8; i < SCHOOL_ENTRY_ID_SIZE; i++) {
        id[i] = (uint8_t)(low >> (8 * (i - 8)));
    }
    id[8] = (uint8_t)(0x80 | (id[8] & 0x3f));
}

void draft_begin(struct school_draft *draft, uint64_t school, int64_t at_ms, uint64_t entropy)
{
    draft->arena_used = 0;
    draft->at_ms = at_ms;
    make_entry_id(draft->entry_id, at_ms, entropy);
    draft->request = (Zhurnal__V1__AppendRequest)ZHURNAL__V1__APPEND_REQUEST__INIT;
    draft->draft = (Zhurnal__V1__Draft)ZHURNAL__V1__DRAFT__INIT;
    draft->request.draft = &draft->draft;
    draft->request.personal = draft->parts;
    draft->draft.events = draft->events;
    draft->draft.school = school;
    draft->draft.entry_id.data = draft->entry_id;
    draft->draft.entry_id.len = SCHOOL_ENTRY_ID_SIZE;
}

void draft_set_actor(struct school_draft *draft, uint64_t person, Zhurnal__V1__Role role)
{
    draft->actor = (Zhurnal__V1__Actor)ZHURNAL__V1__ACTOR__INIT;
    draft->actor.person = person;
    draft->actor.role = role;
    draft->actor.session = draft_alloc(draft, 16);
    (void)snprintf(draft->actor.session, 16, "%08x", (unsigned)(person * 31 + draft->day));
    draft->draft.actor = &draft->actor;
}

void *draft_alloc(struct school_draft *draft, size_t size)
{
    size_t rounded = (size + 15) & ~(size_t)15;
    assert(rounded <= DRAFT_ARENA_SIZE - draft->arena_used);
    void *memory = draft->arena + draft->arena_used;
    draft->arena_used += rounded;
    memset(memory, 0, rounded);
    return memory;
}

char *draft_text(struct school_draft *draft, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = draft_alloc(draft, size);
    memcpy(copy, text, size);
    return copy;
}

void *draft_message(struct school_draft *draft, const ProtobufCMessageDescriptor *descriptor)
{
    ProtobufCMessage *message = draft_alloc(draft, descriptor->sizeof_message);
    protobuf_c_message_init(descriptor, message);
    return message;
}

void *draft_add(struct school_draft *draft, const ProtobufCMessageDescriptor *descriptor,
    Zhurnal__V1__Event__KindCase kind)
{
    assert(draft->draft.n_events < DRAFT_EVENTS_MAX);
    Zhurnal__V1__Event *event = draft_message(draft, &zhurnal__v1__event__descriptor);
    void *fact = draft_message(draft, descriptor);
    event->day = draft->day;
    event->occurred_at_ms = draft->at_ms;
    event->kind_case = kind;
    /* All members of the union are pointers to messages, and the kind says which. */
    event->mark_set = fact;
    draft->events[draft->draft.n_events++] = event;
    return fact;
}

unsigned draft_last_event(const struct school_draft *draft)
{
    return (unsigned)draft->draft.n_events;
}

uint32_t draft_part(
    struct school_draft *draft, uint64_t subject, Zhurnal__V1__Basis basis, const char *text)
{
    if (text[0] == '\0') {
        return 0;
    }
    assert(draft->request.n_personal < DRAFT_PARTS_MAX);
    Zhurnal__V1__Personal *part = draft_message(draft, &zhurnal__v1__personal__descriptor);
    part->subject = subject;
    part->basis = basis;
    part->text = draft_text(draft, text);
    draft->parts[draft->request.n_personal++] = part;
    return (uint32_t)draft->request.n_personal;
}

void draft_end(struct school_draft *draft, struct school_entry *entry)
{
    assert(draft->draft.n_events > 0);
    size_t size = zhurnal__v1__append_request__get_packed_size(&draft->request);
    assert(size <= DRAFT_REQUEST_SIZE);
    zhurnal__v1__append_request__pack(&draft->request, draft->encoded);
    entry->request = bytes_of(draft->encoded, size);
    entry->sender = draft->draft.actor == NULL ? SCHOOL_SENDER_FOUNDER : SCHOOL_SENDER_FRONTEND;
    entry->school = draft->draft.school;
    memcpy(entry->entry_id, draft->entry_id, sizeof(entry->entry_id));
    entry->at_ms = draft->at_ms;
    entry->day = draft->day;
    entry->events = (unsigned)draft->draft.n_events;
}
