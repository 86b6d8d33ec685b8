/* Directories whose making survives a power cut: a new name is on stable storage only when the
 * directory that holds it has been flushed. Any thread. */
#ifndef STORAGE_DIRECTORY_H
#define STORAGE_DIRECTORY_H

#include "proto/status.h"

#include <stddef.h>

/* Longest path that we build. */
enum { DIRECTORY_PATH_SIZE = 4096 };

/* Makes path (0700) and what is missing above it, each flushed into the one that holds it, as is
 * what was there: it may have been made a moment before a kill. */
int directory_make(const char *path, struct error *err);

/* Flushes the names in it. */
int directory_sync(const char *path);

/* The same for the directory that holds path. */
int directory_sync_parent(const char *path);

/* path/name into out; STATUS_TOO_LARGE where that is too long. */
int directory_join(char out[DIRECTORY_PATH_SIZE], const char *path, const char *name);

#endif
