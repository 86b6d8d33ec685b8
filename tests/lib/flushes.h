/* What was flushed: stands in for fsync(), and remembers. */
#ifndef TESTS_LIB_FLUSHES_H
#define TESTS_LIB_FLUSHES_H

#include <stdbool.h>

void flushes_forget(void);

/* Whether the file or directory was flushed since. */
bool flushes_have(const char *path);

#endif
