/* What the connections of one role share; private to tls.
 *
 * Invariant: not changed after it is made, but for the count of its holders (its maker and every
 * connection), of whom the last one frees it. */
#ifndef RPC_TLS_CONTEXT_H
#define RPC_TLS_CONTEXT_H

#include "rpc/tls.h"

#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#include <stdatomic.h>

struct tls_context {
    atomic_uint holders;
    enum tls_role role;
    struct identity self;
    mbedtls_ssl_config config;
    mbedtls_x509_crt authority;
    mbedtls_x509_crt certificate;
    mbedtls_pk_context key;
};

void tls_context_hold(struct tls_context *context);
void tls_context_release(struct tls_context *context);

#endif
