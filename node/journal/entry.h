/* An entry: the payload of a command record. The draft's bytes stand in it as they came; beside
 * them what the leader adds when it takes the command. Pure; any thread. */
#ifndef NODE_JOURNAL_ENTRY_H
#define NODE_JOURNAL_ENTRY_H

#include "node/journal/submission.h"

enum { ENTRY_SALT_KEY_SIZE = 32 };

/* What the leader adds. */
struct entry_stamp {
    int64_t recorded_at_ms;
    const Zhurnal__V1__Principal *principal;
    uint64_t received_by; /* The node that took the call. */
    uint64_t leader;
    uint32_t level;
    uint32_t clock_epoch;
    bool clock_untrusted;
    /* Fresh random bytes, of this entry alone: salts for parts that came without. */
    uint8_t salt_key[ENTRY_SALT_KEY_SIZE];
};

/* Payload, malloc'ed and the caller's. STATUS_OK or STATUS_NO_MEMORY. */
int entry_encode(const struct submission *submission, const struct entry_stamp *stamp,
    uint8_t **payload, size_t *size);

/* Without decoding the rest. 0 where it is missing. */
int64_t entry_recorded_at(struct bytes payload);

/* A decoded entry: draft and principal in the arena, slice in the payload. */
struct entry {
    struct bytes slice; /* The draft as received. */
    const Zhurnal__V1__Draft *draft;
    const Zhurnal__V1__Principal *principal;
    int64_t recorded_at_ms;
};

/* What the judge reads; sealed parts are left as they are. STATUS_OK, STATUS_MALFORMED,
 * STATUS_NO_MEMORY (also when the arena's limit is reached). The draft's own limits (events, sizes)
 * are not checked. */
int entry_decode(struct bytes payload, struct arena *arena, struct entry *entry);

/* True if the submission says what the payload recorded: the draft's bytes and the parts are equal,
 * salts too where the client chose them. */
bool entry_same(const struct submission *submission, struct bytes payload);
/* The same of two payloads, but for salts: a leader may have chosen them. */
bool entry_repeats(struct bytes payload, struct bytes first);

/* True if personal text travels in it, under a key or not. */
bool entry_has_parts(struct bytes payload);
/* The text of part number (from 1) of the entry, borrowed from payload. False where there is none,
 * or it is sealed under a key. */
bool entry_part(struct bytes payload, uint32_t number, struct bytes *text);

#endif
