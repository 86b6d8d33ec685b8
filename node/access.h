/* Who may read what, and as whom a write is recorded: decided by the caller's certificate alone.
 * Writes are not judged here, but by the journal, which records the refusal too. Pure. */
#ifndef NODE_ACCESS_H
#define NODE_ACCESS_H

#include "proto/status.h"
#include "rpc/identity.h"
#include <zhurnal/v1/entry.pb-c.h>

/* Borrowed from identity. */
Zhurnal__V1__Principal access_principal(const struct identity *identity);

/* Reading personal data of these schools: an auditor, or a front end of all of them that says for
 * whom (actor may be NULL). No schools means all of them, which a front end may not. STATUS_DENIED,
 * STATUS_INVALID or STATUS_UNAUTHENTICATED, with what to do. */
int access_read_schools(const struct identity *identity, const Zhurnal__V1__Actor *actor,
    const uint64_t *schools, size_t count, struct error *err);

#endif
