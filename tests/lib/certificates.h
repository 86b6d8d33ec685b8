/* Certificates for tests, made on the spot. Each function gives what it says or fails by assert().
 */
#ifndef TESTS_LIB_CERTIFICATES_H
#define TESTS_LIB_CERTIFICATES_H

#include "rpc/authority.h"
#include "rpc/tls.h"

/* Of a cluster whose id is 16 times this byte. */
struct authority *certificates_authority(uint8_t cluster);

struct certificate_request certificates_node(uint64_t node);
struct certificate_request certificates_client(enum identity_kind kind, const char *name);

/* age_days: how long ago it was issued. To be given to issued_deinit(). */
struct issued certificates_issue(
    const struct authority *authority, const struct certificate_request *request, int age_days);

/* authority is whom the context trusts; the request is granted by issuer. */
struct tls_context *certificates_context(const struct authority *authority,
    const struct authority *issuer, enum tls_role role, const struct certificate_request *request);

/* The DER of a PEM certificate; *out holds IDENTITY_DER_MAX bytes. */
struct bytes certificates_der(const struct issued *issued, uint8_t *out);

#endif
