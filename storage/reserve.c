#include "storage/reserve.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

int reserve_open(struct reserve *reserve, const char *path, uint64_t ahead, struct error *err)
{
    *reserve = (struct reserve){.ahead = ahead > 0 ? ahead : RESERVE_AHEAD};
    reserve->fd = open(path, O_WRONLY | O_CLOEXEC);
    return reserve->fd >= 0
        ? STATUS_OK
        : error_set(err, STATUS_IO, "cannot open %s: %s", path, strerrordesc_np(errno));
}

void reserve_close(struct reserve *reserve)
{
    if (reserve->fd >= 0) {
        (void)close(reserve->fd);
        reserve->fd = -1;
    }
}

/* For filesystems that cannot allocate ahead: at least there is room now. */
static int check_free(const struct reserve *reserve)
{
    struct statvfs fs;
    if (fstatvfs(reserve->fd, &fs) != 0) {
        return STATUS_IO;
    }
    return (uint64_t)fs.f_bavail * fs.f_frsize >= reserve->ahead ? STATUS_OK : STATUS_FULL;
}

static int allocate(struct reserve *reserve, uint64_t from, uint64_t to)
{
    int rc;
    do {
        rc = fallocate(reserve->fd, FALLOC_FL_KEEP_SIZE, (off_t)from, (off_t)(to - from));
    } while (rc != 0 && errno == EINTR);
    if (rc == 0) {
        reserve->reserved = to;
        return STATUS_OK;
    }
    switch (errno) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return STATUS_FULL;
    case EOPNOTSUPP:
    case ENOSYS:
        return check_free(reserve);
    default:
        return STATUS_IO;
    }
}

int reserve_extend(struct reserve *reserve, uint64_t used)
{
    assert(reserve->fd >= 0);

    if (reserve->reserved >= used + reserve->ahead / 2) {
        return STATUS_OK;
    }
    uint64_t from = reserve->reserved > used ? reserve->reserved : used;
    return allocate(reserve, from, used + reserve->ahead);
}
