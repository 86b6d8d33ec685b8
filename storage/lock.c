#include "storage/lock.h"

#include "storage/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static int refuse(int fd, const char *dir, struct error *err)
{
    char holder[32] = "";
    ssize_t n = pread(fd, holder, sizeof holder - 1, 0);
    size_t digits = n > 0 ? strspn(holder, "0123456789") : 0;
    holder[digits] = 0;
    return error_set(err, STATUS_LOCKED, "%s%s uses %s: stop it first, or give another --data",
        digits > 0 ? "process " : "another process", holder, dir);
}

int lock_take(struct lock *lock, const char *dir, struct error *err)
{
    char path[DIRECTORY_PATH_SIZE];
    *lock = (struct lock){0};
    if (directory_join(path, dir, "lock") != STATUS_OK) {
        return error_set(err, STATUS_TOO_LARGE, "the path is too long: %s", dir);
    }
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        return error_set(err, STATUS_IO, "cannot open %s: %s", path, strerrordesc_np(errno));
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        int status = refuse(fd, dir, err);
        (void)close(fd);
        return status;
    }
    /* For the sentence above alone: nothing depends on it. */
    if (ftruncate(fd, 0) == 0) {
        (void)dprintf(fd, "%ld\n", (long)getpid());
    }
    *lock = (struct lock){.held = true, .fd = fd};
    return STATUS_OK;
}

void lock_release(struct lock *lock)
{
    if (lock->held) {
        (void)close(lock->fd);
        lock->held = false;
    }
}
