/* X.509 certificates and their keys, written. mbedTLS 2.28 writes neither alternative names nor
 * extended usages; those are encoded here. What a certificate should say is authority's matter.
 * Any thread. */
#ifndef RPC_CERTIFICATE_WRITER_H
#define RPC_CERTIFICATE_WRITER_H

#include "proto/bytes.h"
#include "proto/status.h"
#include "rpc/buffer.h"

#include <mbedtls/pk.h>

/* GeneralName's tags (RFC 5280 §4.2.1.6). */
enum certificate_name { CERTIFICATE_DNS = 0x82, CERTIFICATE_URI = 0x86, CERTIFICATE_IP = 0x87 };

/* More than an identity's schools or a node's hosts can fill. */
enum { CERTIFICATE_NAMES_SIZE = 12 * 1024 };

/* Alternative names, encoded as they come, from the end of bytes to its front. */
struct certificate_names {
    uint8_t bytes[CERTIFICATE_NAMES_SIZE];
    size_t begin;
    bool full; /* Sticky; certificate_write() then fails. */
};

void certificate_names_init(struct certificate_names *names);
/* For an IP the value is its 4 or 16 bytes. */
void certificate_names_add(
    struct certificate_names *names, enum certificate_name kind, struct bytes value);
void certificate_names_add_text(
    struct certificate_names *names, enum certificate_name kind, const char *value);

/* All borrowed until certificate_write() returns. */
struct certificate_draft {
    const char *subject; /* "O=…,CN=…"; nothing in it needs escaping. */
    const char *issuer;
    mbedtls_pk_context *subject_key;
    mbedtls_pk_context *issuer_key;
    int64_t not_before_s;
    int64_t not_after_s;
    const struct certificate_names *names;
    bool authority; /* May sign others, and is used for nothing else. */
    bool server;    /* Extended usages of the others. */
    bool client;
};

/* Appends PEM to out. */
int certificate_write(const struct certificate_draft *draft, struct buffer *out, struct error *err);

/* A new P-256 key. key was initialized and is the caller's to free, also on failure. */
int certificate_key_generate(mbedtls_pk_context *key, struct error *err);
/* Appends PEM to out. */
int certificate_key_write(mbedtls_pk_context *key, struct buffer *out, struct error *err);

#endif
