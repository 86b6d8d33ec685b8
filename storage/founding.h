/* Founding: how a cluster begins. A founding file names the cluster and its first members; from it
 * alone every founder writes its data directory: index 1 of the log, byte-equal on all, and
 * `state` (term 1, a fresh directory id). A directory that holds either is refused: a wiped node
 * never comes up as a fresh member by accident.
 *
 * A founding may be cut short at any step, and tried again: `state.new` is flushed before there is
 * a log, and becomes `state`, in one step, when the log is flushed. So a log beside a `state.new`
 * is a founding's that did not end, which no node ever ran on: the next removes it. A log with
 * neither may be a node's that lost its promises, and is left alone. What fails cleans up.
 *
 * The file is INI:
 *
 *     [cluster]
 *     id = 0123…       ; 32 hexadecimal digits
 *     epoch = 1
 *     [member 00000000000000a1]
 *     address = host:port
 */
#ifndef STORAGE_FOUNDING_H
#define STORAGE_FOUNDING_H

#include "proto/status.h"
#include "proto/uuid.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    FOUNDING_MEMBERS_MAX = 9,
    FOUNDING_ADDRESS_SIZE = 180, /* libinih reads lines of up to 198 characters. */
    FOUNDING_GROUP = 1,          /* The group that a new cluster has; 0 is none. */
    FOUNDING_TERM = 1,
};

struct founding_member {
    uint64_t node;
    char address[FOUNDING_ADDRESS_SIZE]; /* host:port */
};

struct founding {
    uint8_t cluster[UUID_SIZE];
    uint64_t epoch;
    struct founding_member members[FOUNDING_MEMBERS_MAX]; /* By node id, ascending. */
    unsigned count;
};

/* Adds in order. STATUS_INVALID for a node or an address named twice, an address without a port,
 * too many. */
int founding_add(struct founding *founding, uint64_t node, const char *address, struct error *err);

/* STATUS_NOT_FOUND; STATUS_INVALID, with file and line, for anything that is not as above. */
int founding_read(struct founding *founding, const char *path, struct error *err);

/* STATUS_EXISTS where there is a file. */
int founding_write(const struct founding *founding, const char *path, struct error *err);

/* Whether dir is a node's data, whole or not. */
bool founding_stands(const char *dir);

/* Whether a node may be founded in dir: it is not there, or holds at most a lock, certificates and
 * a founding that was cut short, and what is called `also`, which may be NULL. STATUS_EXISTS, with
 * a sentence that says what it is instead, or what stands there. Only looks. */
int founding_check(const char *dir, const char *also, struct error *err);

/* Writes <dir>/log and <dir>/state, and dir where it is missing. STATUS_EXISTS, with a sentence,
 * where dir holds either; STATUS_INVALID where node is not a member. Flushed when it returns.
 * map_size as of log_env_options(). The caller holds the directory's lock. */
int founding_install(const struct founding *founding, const char *dir, uint64_t node,
    size_t map_size, struct error *err);

/* The payload of index 1: a zhurnal.peer.v1.Membership. *payload is malloc'ed and the caller's. */
int founding_membership(const struct founding *founding, uint8_t **payload, size_t *size);

#endif
