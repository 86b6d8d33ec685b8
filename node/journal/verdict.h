/* A verdict: the journal's answer to one command, computed alike on every node from the log alone.
 *
 * A refusal names its rule by number. The number is in the log's leaves, so it is never used again
 * for something else; the sentence may be bettered at any time. Pure; any thread. */
#ifndef NODE_JOURNAL_VERDICT_H
#define NODE_JOURNAL_VERDICT_H

#include "proto/arena.h"
#include "proto/bytes.h"
#include "proto/sha256.h"
#include <zhurnal/v1/entry.pb-c.h>

/* name, number, gRPC code (https://grpc.github.io/grpc/core/md_doc_statuscodes.html), what to do.
 * docs/API.md carries the same table. */
#define RULE_TABLE(X)                                                                              \
    X(NONE, 0, 0, "recorded")                                                                      \
    X(UNDECODABLE, 1, 3,                                                                           \
        "the entry does not decode: send a Draft with a 16-byte entry id and 1 to 1,000 events")   \
    X(KIND_UNKNOWN, 2, 9,                                                                          \
        "the event has no kind, or several, or one beyond the cluster's feature level: send one "  \
        "kind of docs/EVENTS.md, or have the operator raise the level")                            \
    X(ENTRY_ID_TAKEN, 3, 6,                                                                        \
        "the entry id was used before, with other bytes: send a new entry under a new id")         \
    X(OUTSIDE_SCHOOLS, 4, 7,                                                                       \
        "the certificate does not name this school: use the front end of the school, or have its " \
        "certificate issued for it")                                                               \
    X(CLUSTER_ONLY, 5, 7,                                                                          \
        "school 0 is the cluster itself: only founder and operator write there; name a school")    \
    X(OPERATOR_IN_SCHOOL, 6, 7,                                                                    \
        "an operator writes nothing in a school's journal: use a front end's certificate")         \
    X(MAY_NOT_WRITE, 7, 7,                                                                         \
        "this kind of certificate may not record this: use a front end's, or the founder's")       \
    X(OPERATOR_ONLY, 8, 7, "only an operator may record this: use an operator's certificate")      \
    X(WRONG_SCHOOL, 9, 3, "this event belongs to the cluster: send it with school 0")              \
    X(LEVEL_NOT_NEXT, 10, 9,                                                                       \
        "the feature level is raised by one at a time: raise it to the level in force plus one")   \
    X(STANDS_ALONE, 11, 3, "this event must be the only one of its entry: send it by itself")      \
    X(FOUNDER_ONLY, 12, 7, "only the founder may record this: use the founder's certificate")

enum rule {
#define X(name, number, grpc, sentence) RULE_##name = (number),
    RULE_TABLE(X)
#undef X
};

/* The numbers are those of zhurnal.v1.Outcome. */
enum verdict_outcome {
    VERDICT_ACCEPTED = 1,
    VERDICT_REFUSED = 2,
    VERDICT_DUPLICATE = 3,
};

struct event_verdict {
    uint8_t timeliness; /* A zhurnal.v1.Timeliness. */
    int64_t due_at_ms;
    uint32_t warnings;
};

struct verdict {
    enum verdict_outcome outcome;
    uint32_t rule;         /* An enum rule; another where a newer version judged. */
    uint32_t event;        /* The one at fault, from 1; 0: none. */
    uint64_t school;       /* 0: the cluster, or a payload that names nothing we can read. */
    uint64_t school_index; /* From 1; 0 where the payload does not decode, and in a check. */
    uint8_t school_chain[SHA256_SIZE];  /* The leaf of the school's entry before; zeros at first. */
    uint64_t first_index;               /* Where the entry id stands, if it stood before. */
    const struct event_verdict *events; /* Borrowed from an arena; of accepted ones only. */
    size_t count;
};

/* What the leaf binds: outcome u8 ‖ rule u32 ‖ event u32 ‖ school u64 ‖ school_index u64 ‖
 * school_chain ‖ first_index u64 ‖ n u32 ‖ n × (timeliness u8 ‖ due_at i64 ‖ warnings u32). */
void verdict_hash(const struct verdict *verdict, uint8_t out[SHA256_SIZE]);

/* For replies. NULL: no memory. Borrowed from the arena, and from verdict. */
Zhurnal__V1__Verdict *verdict_to_message(const struct verdict *verdict, struct arena *arena);

/* As a zhurnal.v1.Verdict, for storing and for google.rpc.Status. STATUS_OK or STATUS_NO_MEMORY.
 * *out is borrowed from the arena. */
int verdict_encode(const struct verdict *verdict, struct arena *arena, struct bytes *out);

/* Of what verdict_encode() wrote. STATUS_OK, STATUS_CORRUPT, STATUS_NO_MEMORY. */
int verdict_decode(struct bytes encoded, struct arena *arena, struct verdict *verdict);

/* For the call that is answered with it: 0 unless refused. */
int verdict_grpc_code(const struct verdict *verdict);

/* Static text, never NULL: what to do about it. */
const char *verdict_sentence(const struct verdict *verdict);

#endif
