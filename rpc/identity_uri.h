/* The URIs of identity.h one at a time, for those who read and write certificates.
 * Pure; trusts nothing; any thread. */
#ifndef RPC_IDENTITY_URI_H
#define RPC_IDENTITY_URI_H

#include "rpc/identity.h"

/* Adds what one URI says to an identity that began as zeros. STATUS_UNAUTHENTICATED, with a
 * sentence, where it says nothing or contradicts what is there. */
int identity_add_uri(struct identity *identity, struct bytes uri, struct error *err);

/* "zhurnal://<cluster>/school/<id>"; returns out. */
char *identity_school_uri(
    const uint8_t cluster[UUID_SIZE], uint64_t school, char out[IDENTITY_URI_SIZE]);

/* "zhurnal://<cluster>/authority", which only an authority's own certificate has. */
char *identity_authority_uri(const uint8_t cluster[UUID_SIZE], char out[IDENTITY_URI_SIZE]);
/* The cluster of an authority's certificate; STATUS_UNAUTHENTICATED, with a sentence, for any
 * other. */
int identity_authority_from_der(struct bytes der, uint8_t cluster[UUID_SIZE], struct error *err);

/* True where it is such a URI. */
bool identity_read_authority_uri(struct bytes uri, uint8_t cluster[UUID_SIZE]);

#endif
