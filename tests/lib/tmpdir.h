/* A directory that exists for one test, under $TMPDIR or /tmp. */
#ifndef TESTS_LIB_TMPDIR_H
#define TESTS_LIB_TMPDIR_H

enum { TMPDIR_SIZE = 256 };

struct tmpdir {
    char path[TMPDIR_SIZE];
    char joined[TMPDIR_SIZE + 256]; /* Of tmpdir_path(). */
};

void tmpdir_make(struct tmpdir *dir);

/* Removes it with all that is in it. */
void tmpdir_remove(struct tmpdir *dir);

/* The path of name in the directory, valid until the next call. */
const char *tmpdir_path(struct tmpdir *dir, const char *name);

#endif
