/* The corners of mbedTLS where 2.28 (Debian 12) and 3.x (Debian 13) differ, and our randomness for
 * it. Any thread. */
#ifndef RPC_MBED_H
#define RPC_MBED_H

#include "proto/bytes.h"
#include "proto/status.h"

#include <mbedtls/pk.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>

#define MBED_IS_3 (MBEDTLS_VERSION_NUMBER >= 0x03000000)

/* 3.x hides fields which it gives no function for. */
#ifndef MBEDTLS_PRIVATE
#define MBEDTLS_PRIVATE(member) member
#endif

/* The kernel's randomness in the shape mbedTLS asks for; cannot fail. */
int mbed_random(void *unused, unsigned char *out, size_t size);

/* STATUS_NO_MEMORY, or status with mbedTLS's words behind `what`. */
int mbed_error(struct error *err, int status, int code, const char *what);

/* PEM text, which need not end in NUL. The objects were initialized and are the caller's to free.
 */
int mbed_parse_certificates(mbedtls_x509_crt *chain, struct bytes pem, struct error *err);
int mbed_parse_key(mbedtls_pk_context *key, struct bytes pem, struct error *err);

/* Whether key is the private half of public. */
bool mbed_is_pair(const mbedtls_pk_context *public, const mbedtls_pk_context *key);

/* Since 1970 UTC. */
int64_t mbed_seconds(const mbedtls_x509_time *time);

#endif
