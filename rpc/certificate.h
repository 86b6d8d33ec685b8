/* What a certificate file says, for people and for the daemon's warning before it expires.
 * Pure but for reading the file; any thread. */
#ifndef RPC_CERTIFICATE_H
#define RPC_CERTIFICATE_H

#include "rpc/identity.h"

struct certificate {
    bool authority; /* Of an authority only identity.cluster is set. */
    struct identity identity;
    int64_t not_before_s; /* Seconds since 1970 UTC. */
    int64_t not_after_s;
};

/* The first certificate of a PEM file. STATUS_UNAUTHENTICATED where it names nobody. */
int certificate_describe(const char *path, struct certificate *certificate, struct error *err);

/* The same of PEM text. */
int certificate_parse(struct bytes pem, struct certificate *certificate, struct error *err);

#endif
