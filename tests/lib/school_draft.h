/* Builds one AppendRequest: events into a draft, texts about people into parts beside it. Its
 * memory is one fixed arena, so a request is borrowed until the next begins. */
#ifndef TESTS_LIB_SCHOOL_DRAFT_H
#define TESTS_LIB_SCHOOL_DRAFT_H

#include "tests/lib/school.h"
#include <zhurnal/v1/journal.pb-c.h>

enum {
    DRAFT_EVENTS_MAX = 256,
    DRAFT_PARTS_MAX = 512,
    DRAFT_ARENA_SIZE = 192 << 10,
    DRAFT_REQUEST_SIZE = 128 << 10,
};

struct school_draft {
    uint32_t day; /* Of the events that follow. */
    int64_t at_ms;
    uint8_t entry_id[SCHOOL_ENTRY_ID_SIZE];
    Zhurnal__V1__AppendRequest request;
    Zhurnal__V1__Draft draft;
    Zhurnal__V1__Actor actor;
    Zhurnal__V1__Event *events[DRAFT_EVENTS_MAX];
    Zhurnal__V1__Personal *parts[DRAFT_PARTS_MAX];
    size_t arena_used;
    _Alignas(16) uint8_t arena[DRAFT_ARENA_SIZE];
    uint8_t encoded[DRAFT_REQUEST_SIZE];
};

/* Begins an entry meant for at_ms; entropy makes its id. */
void draft_begin(struct school_draft *draft, uint64_t school, int64_t at_ms, uint64_t entropy);

/* Left out by founders. */
void draft_set_actor(struct school_draft *draft, uint64_t person, Zhurnal__V1__Role role);

/* A new event; the caller fills what is returned: DRAFT_ADD(draft, mark_set, MARK_SET). */
#define DRAFT_ADD(draft, name, NAME) \
    draft_add(draft, &zhurnal__v1__##name##__descriptor, ZHURNAL__V1__EVENT__KIND_##NAME)
void *draft_add(struct school_draft *draft, const ProtobufCMessageDescriptor *descriptor,
    Zhurnal__V1__Event__KindCase kind);
/* The number of the event added last. */
unsigned draft_last_event(const struct school_draft *draft);

/* The part's number; 0 for an empty text. */
uint32_t draft_part(
    struct school_draft *draft, uint64_t subject, Zhurnal__V1__Basis basis, const char *text);

/* A message within an event. */
void *draft_message(struct school_draft *draft, const ProtobufCMessageDescriptor *descriptor);
/* Zeroed. */
void *draft_alloc(struct school_draft *draft, size_t size);
/* A copy of the text. */
char *draft_text(struct school_draft *draft, const char *text);

/* Encodes it; fills all of the entry but local_ms and the label. */
void draft_end(struct school_draft *draft, struct school_entry *entry);

#endif
