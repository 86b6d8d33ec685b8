/* The file `state`: who this node is, and the term and vote it has promised, which must be on
 * stable storage before any message of that term leaves (Raft, figure 3.1 of Ongaro's thesis).
 *
 * Two slots of 4 KiB, written in turn: a torn write spoils the slot that is being written, and the
 * other still holds the last promise. Both are written in full when the file is made: writing it
 * later needs no room. The slot of sequence s is (s - 1) mod 2; all is little-endian:
 *
 *     offset  size  field
 *          0     8  "zhurnal" and a NUL
 *          8     4  format, 1
 *         12     4  group
 *         16     8  sequence, from 1
 *         24    16  cluster
 *         40     8  epoch
 *         48    16  directory
 *         64     8  node
 *         72     8  term
 *         80     8  vote
 *         88        zeros
 *       4092     4  CRC-32C over all before it
 *
 * What is loaded is first written again and flushed: after a flush that failed, it may stand in the
 * page cache alone, and would be believed, acted on and then lost.
 *
 * <path>.new is a state that nobody has acted on yet (storage/founding.h).
 *
 * One group a file for now; further groups get slots behind the first two. Whoever opens the file
 * holds the data directory's lock.
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

/* The seam to the disk: the simulation's loses what was not flushed, and tears it. Both return 0 or
 * a STATUS_*. */
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

/* Makes <path>.new, over what may have been left there. Flushed, with its directory, when it
 * returns; what a failure leaves is the caller's to remove. */
int state_prepare(
    const char *path, const struct state_identity *identity, uint64_t term, struct error *err);

/* Puts what was prepared in its place, in one step. STATUS_EXISTS where there is a state. Flushed
 * when it returns; after a failure it is prepared as before. */
int state_install(const char *path, struct error *err);

/* STATUS_NOT_FOUND, STATUS_CORRUPT (neither slot is whole), STATUS_UNIMPLEMENTED (a newer version
 * wrote one). state may not move until it is closed. */
int state_open(struct state *state, const char *path, struct error *err);
void state_close(struct state *state);

/* Whose it is, and nothing is written: a node may be running on it. Fails as state_open() does. */
int state_identify(const char *path, struct state_identity *identity);

/* The same over any io; format wipes both slots and writes the first. */
int state_format(struct state *state, const struct state_io *io,
    const struct state_identity *identity, uint64_t term);
int state_load(struct state *state, const struct state_io *io);

/* On stable storage when it returns STATUS_OK. After any failure nothing is known of the file: the
 * process must end. */
int state_save(struct state *state, uint64_t term, uint64_t vote);

#endif
