/* The environment of a group's views: read models derived from the log, disposable. It is opened
 * without flushes, and a stamp beside it says whether what is found there may be trusted: the
 * schema's version, the machine's boot id, device and inode of the file. After kill -9 LMDB's
 * writes are still in the page cache, so all is as stamped; after a power cut the boot id differs;
 * a copied file has another inode. A clean stop flushes and leaves a mark in the stamp, which
 * stands in for the boot id; it is removed, flushed, before the first write. While the environment
 * is first looked into the stamp stands aside: damage that kills the process does so once.
 *
 * The stamp is a file of its own: pages that are not to be trusted must not be walked to learn that
 * they are not. How far the views had come stands among them, in table `stamp`.
 *
 *     data.mdb, lock.mdb   the environment
 *     stamp                "zhviews" and a NUL, then little-endian: format u32 = 1, schema u32,
 *                          device u64, inode u64, clean u32, boot id 40 bytes, CRC-32C u32
 *
 * Threads: written by the apply thread only, read in read transactions by anybody. */
#ifndef STORAGE_VIEWS_H
#define STORAGE_VIEWS_H

#include "storage/directory.h"
#include "storage/env.h"

enum { VIEWS_BOOT_ID_SIZE = 40 };

struct views {
    struct env env;
    struct table stamp;
    char path[DIRECTORY_PATH_SIZE];
    uint32_t schema;
    char boot_id[VIEWS_BOOT_ID_SIZE]; /* Empty where the machine has none. */
    bool marked;                      /* The clean mark stands: remove it before writing. */
};

struct views_options {
    size_t map_size;     /* 0: 64 GiB. */
    uint32_t schema;     /* Another version than stamped: dropped. Another set of tables is one. */
    unsigned tables_max; /* Without the stamp's own. */
    const char *boot_id; /* NULL: the machine's; tests give their own. */
};

/* Opens what is there, or drops it and starts anew. *index: how far it had come, 0 for an empty
 * one. */
int views_open(struct views *views, const char *path, const struct views_options *options,
    uint64_t *index, struct error *err);

/* Last in each transaction: how far the views are with it. Removes the clean mark first. */
void views_stamp(struct txn *txn, struct views *views, uint64_t index);

/* The next to open them drops them; whoever reads them meanwhile goes on. */
void views_distrust(struct views *views);

/* Flushes and leaves the clean mark, unless broken says that the contents are not to be trusted. */
void views_close(struct views *views, bool broken);

#endif
