#include "rpc/pem_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(struct error *err, const char *doing, const char *path)
{
    int status = errno == ENOENT ? STATUS_NOT_FOUND : errno == EEXIST ? STATUS_EXISTS : STATUS_IO;
    char why[64] = "";
    /* The GNU strerror_r may answer with text of its own. */
    return error_set(err, status, "%s %s: %s", doing, path, strerror_r(errno, why, sizeof why));
}

/* Into one piece of memory from the start, so that no copy of a key is left behind by growing. */
static int read_all(int fd, const char *path, struct buffer *out, struct error *err)
{
    enum { ROOM = PEM_FILE_MAX + 1 };
    uint8_t *room = buffer_reserve(out, ROOM);
    if (room == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "%s: out of memory", path);
    }
    size_t total = 0;
    while (total < ROOM) {
        ssize_t n = read(fd, room + total, ROOM - total);
        if (n == 0) {
            buffer_commit(out, total);
            return STATUS_OK;
        }
        if (n < 0 && errno != EINTR) {
            return fail(err, "cannot read", path);
        }
        total += n > 0 ? (size_t)n : 0;
    }
    return error_set(err, STATUS_TOO_LARGE, "%s: more than %d bytes", path, PEM_FILE_MAX);
}

int pem_file_read(const char *path, struct buffer *out, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return fail(err, "cannot open", path);
    }
    int status = read_all(fd, path, out, err);
    close(fd);
    return status;
}

static bool write_all(int fd, struct bytes data)
{
    size_t done = 0;
    while (done < data.size) {
        errno = EIO; /* Should it write nothing and not say why. */
        ssize_t n = write(fd, data.data + done, data.size - done);
        if (n <= 0 && errno != EINTR) {
            return false;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return fsync(fd) == 0;
}

static bool flush_directory(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    bool flushed = fsync(fd) == 0;
    close(fd);
    return flushed;
}

/* Without this a power cut may take the name of a file whose bytes are safe. */
static bool flush_directory_of(const char *path)
{
    char directory[PATH_MAX] = ".";
    const char *slash = strrchr(path, '/');
    size_t size = slash == NULL ? 0 : (size_t)(slash - path) + 1;
    if (size >= sizeof directory) {
        errno = ENAMETOOLONG;
        return false;
    }
    if (size > 0) {
        memcpy(directory, path, size);
        directory[size] = '\0';
    }
    return flush_directory(directory);
}

int pem_file_create(const char *path, struct bytes pem, struct error *err)
{
    assert(pem.size > 0);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 && errno == EEXIST) {
        return error_set(err, STATUS_EXISTS, "%s is there already and is not overwritten", path);
    }
    if (fd < 0) {
        return fail(err, "cannot create", path);
    }
    bool written = write_all(fd, pem) && flush_directory_of(path);
    int status = written ? STATUS_OK : fail(err, "cannot write", path);
    close(fd);
    if (status != STATUS_OK) {
        unlink(path);
    }
    return status;
}

int pem_file_make_dir(const char *dir, struct error *err)
{
    char above[PATH_MAX];
    bool made = mkdir(dir, 0700) == 0;
    if (!made && errno != EEXIST) {
        return fail(err, "cannot make", dir);
    }
    int n = snprintf(above, sizeof above, "%s/..", dir);
    if (n < 0 || (size_t)n >= sizeof above) {
        return error_set(err, STATUS_TOO_LARGE, "the path is too long: %s", dir);
    }
    /* Whoever made it before may have been killed before this, but that was not us where we may not
     * read. */
    bool flushed = flush_directory(above) || (!made && errno == EACCES);
    return flushed ? STATUS_OK : fail(err, "cannot flush the directory above", dir);
}
