/* A submission: an AppendRequest as its bytes came, checked for all that can be checked without the
 * log. The draft is kept as the slice of the request that it is; only that slice is decoded.
 *
 * What fails here is not recorded, and leaves the entry id free. Pure; any thread. */
#ifndef NODE_JOURNAL_SUBMISSION_H
#define NODE_JOURNAL_SUBMISSION_H

#include "proto/arena.h"
#include "proto/sha256.h"
#include "proto/status.h"
#include <zhurnal/v1/entry.pb-c.h>

enum {
    SUBMISSION_REQUEST_MAX = 2 << 20,
    SUBMISSION_DRAFT_MAX = 1 << 20,
    SUBMISSION_EVENTS_MAX = 1000,
    SUBMISSION_PARTS_MAX = 4000,         /* As many as 1,000 registered persons have. */
    SUBMISSION_LESSON_PUPILS_MAX = 1000, /* In one list. The largest class has 40. */
    /* An arena for submission_parse() needs no more: the heaviest draft, a MiB of unknown fields of
     * two bytes each, takes 52 MiB. */
    SUBMISSION_ARENA_LIMIT = 64 << 20,
    ENTRY_ID_SIZE = 16,
    SALT_SIZE = 16,
};

/* Of what clients name: exact in JavaScript's numbers. */
#define SUBMISSION_ID_MAX ((UINT64_C(1) << 53) - 1)

struct submission {
    struct bytes slice;              /* The draft as received; borrowed from the request. */
    const Zhurnal__V1__Draft *draft; /* Decoded; in the arena. */
    uint8_t draft_hash[SHA256_SIZE]; /* Of the slice. */
    const uint8_t *entry_id;         /* ENTRY_ID_SIZE bytes, of the draft. */
    Zhurnal__V1__Personal **personal;
    size_t personal_count;
    struct bytes signature;
    bool check_only;
};

/* raw and arena must outlive the submission. STATUS_MALFORMED or STATUS_INVALID (both
 * INVALID_ARGUMENT), STATUS_TOO_LARGE, STATUS_NO_MEMORY; err says which part, and what to do. */
int submission_parse(
    struct bytes raw, struct arena *arena, struct submission *submission, struct error *err);

/* SHA-256(salt ‖ subject u64 BE ‖ basis u8 ‖ text): what a client that signs puts in Draft.parts.
 */
void submission_part_hash(
    const Zhurnal__V1__Personal *part, struct bytes salt, uint8_t out[SHA256_SIZE]);

/* What holds of every draft: 16-byte entry id, 1..1000 events, no endless list. STATUS_OK, or
 * STATUS_INVALID with the sentence in err. */
int submission_check_draft(const Zhurnal__V1__Draft *draft, struct error *err);

#endif
