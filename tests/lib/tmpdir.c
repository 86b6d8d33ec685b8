#include "tests/lib/tmpdir.h"

#include <assert.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void tmpdir_make(struct tmpdir *dir)
{
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing sets the environment while tests run
    const char *base = getenv("TMPDIR");
    int n = snprintf(dir->path, sizeof dir->path, "%s/zhurnal-XXXXXX", base ? base : "/tmp");
    assert(n > 0 && (size_t)n < sizeof dir->path);
    char *made = mkdtemp(dir->path);
    assert(made != NULL);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void tmpdir_remove(struct tmpdir *dir)
{
    enum { OPEN_FILES = 8 };
    // NOLINTNEXTLINE(concurrency-mt-unsafe): the walk does not change the working directory
    int rc = nftw(dir->path, remove_one, OPEN_FILES, FTW_DEPTH | FTW_PHYS);
    assert(rc == 0);
}

const char *tmpdir_path(struct tmpdir *dir, const char *name)
{
    int n = snprintf(dir->joined, sizeof dir->joined, "%s/%s", dir->path, name);
    assert(n > 0 && (size_t)n < sizeof dir->joined);
    return dir->joined;
}
