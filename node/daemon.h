/* The daemon: a node from its start to its orderly end.
 *
 *     data directory → certificates → server, services, peers → writer, apply → group → listening
 *
 * One loop thread runs all but the writer, apply and libuv's pool. SIGTERM or SIGINT: leadership is
 * handed over, calls get three seconds to finish, what is under way is flushed, the views are
 * closed with their mark; a second one ends at once, which is safe too, and so does a disk that
 * hangs, after twenty seconds. SIGHUP reads the certificates anew.
 *
 * Threads: the one that calls it. */
#ifndef NODE_DAEMON_H
#define NODE_DAEMON_H

#include "node/config.h"

enum {
    DAEMON_OK = 0,
    DAEMON_REFUSED = 1, /* It cannot start, or go on, without help; the sentence is in the log. */
    DAEMON_FATAL = 3,   /* Going on could break a promise, or there is no room: start it again. */
};

/* Runs until it is told to stop. Returns the process's exit code. */
int daemon_run(const struct config *config);

#endif
