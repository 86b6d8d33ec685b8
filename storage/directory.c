#include "storage/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int directory_join(char out[DIRECTORY_PATH_SIZE], const char *path, const char *name)
{
    int n = snprintf(out, DIRECTORY_PATH_SIZE, "%s/%s", path, name);
    return n >= 0 && n < DIRECTORY_PATH_SIZE ? STATUS_OK : STATUS_TOO_LARGE;
}

int directory_sync(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return STATUS_IO;
    }
    /* Some filesystems have nothing to flush here, and say so by EINVAL. */
    int status = fsync(fd) == 0 || errno == EINVAL ? STATUS_OK : STATUS_IO;
    (void)close(fd);
    return status;
}

int directory_sync_parent(const char *path)
{
    char parent[DIRECTORY_PATH_SIZE];
    const char *slash = strrchr(path, '/');
    if (slash == NULL) {
        return directory_sync(".");
    }
    size_t size = slash == path ? 1 : (size_t)(slash - path);
    if (size >= sizeof parent) {
        return STATUS_TOO_LARGE;
    }
    memcpy(parent, path, size);
    parent[size] = 0;
    return directory_sync(parent);
}

static bool is_directory(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int make_one(const char *path, struct error *err)
{
    bool made = mkdir(path, 0700) == 0;
    if (!made && (errno != EEXIST || !is_directory(path))) {
        int status = errno == ENOSPC || errno == EDQUOT ? STATUS_FULL : STATUS_IO;
        return error_set(err, status, "cannot make directory %s: %s", path, strerrordesc_np(errno));
    }
    /* Whoever made it before may have been killed before its flush, but that was not us where we
     * may not read. */
    return directory_sync_parent(path) == STATUS_OK || (!made && errno == EACCES)
        ? STATUS_OK
        : error_set(err, STATUS_IO, "cannot flush the directory above %s: %s", path,
              strerrordesc_np(errno));
}

int directory_make(const char *path, struct error *err)
{
    char upto[DIRECTORY_PATH_SIZE];
    size_t size = strlen(path);
    while (size > 1 && path[size - 1] == '/') {
        size--;
    }
    if (size == 0 || size >= sizeof upto) {
        return error_set(err, STATUS_TOO_LARGE, "not a usable directory name: '%s'", path);
    }
    memcpy(upto, path, size);
    upto[size] = 0;
    for (char *at = upto + 1; *at != 0; at++) {
        if (*at != '/') {
            continue;
        }
        *at = 0;
        int status = make_one(upto, err);
        *at = '/';
        if (status != STATUS_OK) {
            return status;
        }
    }
    return make_one(upto, err);
}
