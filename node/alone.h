/* A start by oneself: an empty directory becomes a cluster of one node on loopback, where it stays,
 * with its own authority in DIR/tls and a certificate for each kind of caller:
 *
 *     ca.pem, ca.key         the authority
 *     node.pem, node.key     the node
 *     founder, operator, auditor, frontend     .pem and .key each; the front end is of one school,
 *                                              chosen at random
 *
 * They are made in DIR/tls.new, before the node is founded, and are put in place afterwards: a
 * first start that is cut short at any step is made good by the next (storage/founding.h).
 *
 * Threads: one, before the loop runs. */
#ifndef NODE_ALONE_H
#define NODE_ALONE_H

#include "node/config.h"
#include "node/store.h"

/* Takes the directory for a start, as store_lock() does, after founding a cluster in it where
 * there is no node's data yet and no configuration was read. Refuses, with a sentence and without a
 * trace: what is not empty, a certificate without a node, a node by itself beyond loopback. */
int alone_take(struct store *store, const struct config *config, struct error *err);

/* Whether the directory was founded so: its authority's key is in tls/. */
bool alone_is(const struct store *store);

/* Tells on standard output how to call this node, which listens on host and port. */
void alone_greet(const struct store *store, const char *host, int port);

#endif
