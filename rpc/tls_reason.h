/* Why a connection failed, as a sentence for the person who has to mend it. Private to tls. */
#ifndef RPC_TLS_REASON_H
#define RPC_TLS_REASON_H

#include "proto/status.h"

#include <mbedtls/ssl.h>

/* From mbedTLS's code, and where it refused a certificate from its flags; identity is what we had
 * against the peer's identity ourselves, if anything. Returns the status. */
int tls_reason(mbedtls_ssl_context *ssl, int code, const struct error *identity, struct error *err);

#endif
