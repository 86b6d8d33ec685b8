/* What went wrong, in the words the whole cluster shares: functions return one of these (0 or
 * negative), the daemon logs its text, and the wire carries its gRPC code. */
#ifndef PROTO_STATUS_H
#define PROTO_STATUS_H

/* name, value, gRPC code (https://grpc.github.io/grpc/core/md_doc_statuscodes.html), text.
 * A value, once released, is never reused. */
#define STATUS_TABLE(X)                                                             \
    X(OK, 0, 0, "ok")                                                               \
    X(NO_MEMORY, -1, 8, "out of memory")                                            \
    X(NOT_LEADER, -2, 14, "this node is not the leader, and knows none: try again") \
    X(OUTCOME_UNKNOWN, -3, 14, "outcome unknown, send again with the same id")      \
    X(NOT_FOUND, -4, 5, "no such thing")                                            \
    X(CORRUPT, -5, 15, "stored data does not match its checksum")                   \
    X(FULL, -6, 8, "no room left: free some disk space; nothing was recorded")      \
    X(IO, -7, 13, "input/output error")                                             \
    X(MALFORMED, -8, 3, "the message does not decode")                              \
    X(TOO_LARGE, -9, 8, "larger than the limit")                                    \
    X(ENTRY_ID_TAKEN, -10, 6, "the entry id was used before, with other bytes")     \
    X(UNAUTHENTICATED, -11, 16, "the call names nobody")                            \
    X(DENIED, -12, 7, "the caller may not do this")                                 \
    X(PRECONDITION, -13, 9, "something that must stand first is missing")           \
    X(UNIMPLEMENTED, -14, 12, "this needs a newer zhurnald: install it")            \
    X(DEADLINE, -15, 4, "the deadline passed; the outcome is unknown")              \
    X(CANCELLED, -16, 1, "cancelled")                                               \
    X(UNAVAILABLE, -17, 14, "not now: try again")                                   \
    X(BUSY, -18, 8, "too much is waiting: try again; nothing was recorded")         \
    X(OUT_OF_RANGE, -19, 11, "past the end")                                        \
    X(INVALID, -20, 3, "the request is not valid")                                  \
    X(EXISTS, -21, 6, "it is there already")                                        \
    X(LOCKED, -22, 9, "another process holds it")                                   \
    X(INTERNAL, -23, 13, "internal error")                                          \
    X(MAP_FULL, -24, 8,                                                             \
        "a database is as large as it may be: raise log_gib or views_gib of "       \
        "[limits] and restart; nothing was recorded")

enum status {
#define X(name, value, grpc, text) STATUS_##name = (value),
    STATUS_TABLE(X)
#undef X
};

/* Why, for a person to read. Passed as last parameter where somebody will read it. */
struct error {
    int status;
    char text[256];
};

/* Static text, never NULL. */
const char *status_text(int status);

/* The gRPC status code to put on the wire. */
int status_to_grpc(int status);

/* Sets the sentence and returns status. err may be NULL. */
int error_set(struct error *err, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts a prefix and ": " before what is there, and returns its status. err may be NULL. */
int error_wrap(struct error *err, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
