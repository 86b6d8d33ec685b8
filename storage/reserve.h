/* Keeps room allocated ahead of a growing file (fallocate(2), size kept), so that a full disk is
 * seen before a write, not in the middle of one: to LMDB it looks like any I/O error. One write may
 * therefore take at most half of the reserve. Where the filesystem cannot allocate ahead, that much
 * must be free. Threads: the owner's. */
#ifndef STORAGE_RESERVE_H
#define STORAGE_RESERVE_H

#include "proto/status.h"

#include <stdint.h>

enum { RESERVE_AHEAD = 64 << 20 };

struct reserve {
    int fd;
    uint64_t ahead;    /* How much to keep. */
    uint64_t reserved; /* Allocated up to here. */
};

/* The file must exist. ahead 0: RESERVE_AHEAD. Allocates nothing yet. */
int reserve_open(struct reserve *reserve, const char *path, uint64_t ahead, struct error *err);
void reserve_close(struct reserve *reserve);

/* Before each write: makes sure that at least half of the reserve lies ahead of used. STATUS_OK,
 * STATUS_FULL, STATUS_IO. After STATUS_FULL it may be asked again: it recovers when there is room.
 */
int reserve_extend(struct reserve *reserve, uint64_t used);

#endif
