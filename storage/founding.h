/* Founding: how a cluster begins. A founding file names the cluster and its first members; from it alone every founder writes its
 * data directory: `state` (term 1, a fresh directory id) and index 1 of the log, byte-equal on all. A directory that holds
 * anything is refused: a wiped node never comes up as a fresh member by accident.
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

enum { FOUNDING_MEMBERS_MAX = 9, FOUNDING_ADDRESS_SIZE = 262 };

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

/* Adds in order. STATUS_INVALID for a node named twice, an address without a port, too many. */
int founding_add(struct founding *founding, uint64_t node, const char *address, struct error *err);

int founding_read(struct founding *founding, const char *path, struct error *err);
int founding_write(const struct founding *founding, const char *path, struct error *err);

/* Writes <dir>/state and <dir>/log. STATUS_EXISTS, with a sentence, where dir holds either; STATUS_INVALID where node is not a
 * member. Flushed when it returns. map_size as of log_env_options(). */
int founding_install(const struct founding *founding, const char *dir, uint64_t node, size_t map_size, struct error *err);

/* The payload of index 1: a zhurnal.peer.v1.Membership. *payload is malloc'ed and the caller's. */
int founding_membership(const struct founding *founding, uint8_t **payload, size_t *size);

#endif
