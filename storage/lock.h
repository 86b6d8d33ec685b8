/* The lock of a data directory: DIR/lock, held by one process at a time and given up by the kernel
 * when that ends. The file says which process it is; it stays when the lock is given up.
 *
 * Threads: any, one at a time. */
#ifndef STORAGE_LOCK_H
#define STORAGE_LOCK_H

#include "proto/status.h"

#include <stdbool.h>

struct lock {
    bool held;
    int fd;
};

/* dir must exist. STATUS_LOCKED, with the process that has it. */
int lock_take(struct lock *lock, const char *dir, struct error *err);

/* A lock that is not held is left alone. */
void lock_release(struct lock *lock);

#endif
