/* The file `state`: who this node is, and the term and vote it has promised, which must be on stable storage before any
 * message of that term leaves (Raft, figure 3.1 of Ongaro's thesis).
 *
 * Two slots of 4 KiB, written in turn, each with a sequence and a CRC-32C: a torn write spoils the slot that is being written,
 * and the other still holds the last promise. The file is preallocated: writing it needs no room.
 *
 * One group a file for now; further groups get slots behind the first two.
 *
 * Threads: the loop only. */
#ifndef STORAGE_STATE_H
#define STORAGE_STATE_H

#include "proto/bytes.h"
#include "proto/status.h"
#include "proto/uuid.h"

enum { STATE_SLOT_SIZE = 4096, STATE_SLOTS = 2 };

struct state_identity {
    uint8_t cluster[UUID_SIZE];
    uint64_t epoch;
    uint8_t directory[UUID_SIZE]; /* Random, of this data directory: a wiped node is another one. */
    uint64_t node;
    uint32_t group;
};

/* The seam to the disk: the simulation's loses what was not flushed, and tears it. Both return 0 or a STATUS_*. */
struct state_io {
    int (*read)(void *arg, uint64_t offset, void *data, size_t size);
    int (*write)(void *arg, uint64_t offset, const void *data, size_t size);
    int (*flush)(void *arg);
    void *arg;
};

struct state {
    struct state_io io;
    int fd; /* Of state_open(); -1 over another io. */
    struct state_identity identity;
    uint64_t term;
    uint64_t vote; /* 0: none. */
    uint64_t sequence;
};

/* Makes the file; STATUS_EXISTS where there is one. Flushed, with its directory, when it returns. */
int state_create(
    const char *path, const struct state_identity *identity, uint64_t term, struct error *err);
/* STATUS_NOT_FOUND, STATUS_CORRUPT (neither slot is whole). */
int state_open(struct state *state, const char *path, struct error *err);
void state_close(struct state *state);

/* The same over any io; format writes the first slot. */
int state_format(struct state *state, const struct state_io *io, const struct state_identity *identity, uint64_t term);
int state_load(struct state *state, const struct state_io *io);

/* On stable storage when it returns STATUS_OK. After any failure nothing is known of the file: the process must end. */
int state_save(struct state *state, uint64_t term, uint64_t vote);

#endif
