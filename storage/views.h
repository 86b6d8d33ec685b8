/* The environment of a group's views: read models derived from the log, disposable. It is opened without flushes, and carries
 * a stamp that says whether what is found there may be trusted: the index it reached, the schema's version, the machine's boot
 * id, device and inode of the file. After kill -9 LMDB's writes are still in the page cache, so all is as stamped; after a
 * power cut the boot id differs; a copied file has another inode. A clean stop flushes and leaves a mark, which stands in for
 * the boot id; it is removed, flushed, before the first write.
 *
 * Threads: written by the apply thread only, read in read transactions by anybody. */
#ifndef STORAGE_VIEWS_H
#define STORAGE_VIEWS_H

#include "storage/env.h"

struct views {
    struct env env;
    struct table stamp;
    char path[4096];
    uint32_t schema;
    bool marked; /* The clean mark stands: remove it before writing. */
};

struct views_options {
    size_t map_size;  /* 0: 64 GiB. */
    uint32_t schema;  /* Another version than stamped: dropped. */
    unsigned tables_max;
    const char *boot_id; /* NULL: the machine's; tests give their own. */
};

/* Opens what is there, or drops it and starts anew. *index: how far it had come, 0 for an empty one. */
int views_open(struct views *views, const char *path, const struct views_options *options, uint64_t *index,
    struct error *err);

/* Before each transaction's commit: how far the views are with it. Removes the clean mark first. */
void views_stamp(struct txn *txn, struct views *views, uint64_t index);

/* Flushes and leaves the clean mark, unless broken says that the contents are not to be trusted. */
void views_close(struct views *views, bool broken);

#endif
