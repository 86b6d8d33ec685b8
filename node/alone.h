/* A first start by oneself: an empty directory becomes a cluster of one node on loopback, with its
 * own authority in DIR/tls and a certificate for each kind of caller:
 *
 *     ca.pem, ca.key         the authority
 *     node.pem, node.key     the node
 *     founder, operator, auditor, frontend     .pem and .key each; the front end is of one school,
 *                                              chosen at random
 *
 * Threads: one, before the loop runs. */
#ifndef NODE_ALONE_H
#define NODE_ALONE_H

#include "node/config.h"
#include "node/store.h"

/* The directory exists, is empty, and is locked. STATUS_INVALID where config listens beyond
 * loopback. */
int alone_found(const struct store *store, const struct config *config, struct error *err);

/* Whether the directory was founded so: its authority's key is in tls/. */
bool alone_is(const struct store *store);

/* Tells on standard output how to call this node, which listens on host and port. */
void alone_greet(const struct store *store, const char *host, int port);

#endif
