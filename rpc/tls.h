/* TLS between memory and memory: ciphertext in, plaintext out, and back. No socket, no loop, no
 * log.
 *
 * Both sides always show a certificate and check the other's: that our authority signed it, that it
 * is valid today, and that it names somebody of our own cluster (identity.h). Our cluster is what
 * our own certificate says. A client accepts nobody but a node, and where it knows which one, only
 * that; it knows it by <id>.zhurnal, never by address. Whoever is turned away is so within the
 * handshake, before a byte of plaintext goes either way. What a kind of caller may do is decided
 * above, by tls_peer().
 *
 * TLS 1.2 and no other; ECDHE with AEAD, as HTTP/2 asks (RFC 9113 §9.2); ALPN "h2" or nothing; no
 * renegotiation, no resumption, so that every connection has been checked whole. ChaCha20 comes
 * before AES and P-256 before X25519: mbedTLS 2.28 is half as fast again that way.
 *
 * This is the only module that sees mbedTLS's TLS. CVE-2025-52496 (AES detection is a race) is why
 * tls_library_init() comes before threads; CVE-2025-27809 why a client always says whom it expects.
 *
 * Threads: a connection belongs to one thread at a time. A context is not changed after it is made
 * and may be shared: mbedTLS works on copies of its keys. A handshake takes up to 5 ms of
 * processor, and more than one of them is not for the loop. */
#ifndef RPC_TLS_H
#define RPC_TLS_H

#include "proto/bytes.h"
#include "proto/status.h"
#include "rpc/buffer.h"
#include "rpc/identity.h"

enum tls_role { TLS_CLIENT, TLS_SERVER };

struct tls_context;
struct tls_connection;

/* PEM text: who may sign, who we are, and the proof of it. */
struct tls_credentials {
    struct bytes authority;
    struct bytes certificate;
    struct bytes key;
};

/* The same as paths of PEM files. */
struct tls_files {
    const char *authority;
    const char *certificate;
    const char *key;
};

/* Once, before threads start and before anything else here. */
void tls_library_init(void);

/* *context is the caller's, NULL on failure. Nothing of the credentials is kept. STATUS_INVALID,
 * with a sentence, for what does not parse or fit together, or for a server whose certificate is no
 * node's. That the own certificate has expired is no failure here: peers say so. */
int tls_context_create(struct tls_context **context, enum tls_role role,
    const struct tls_credentials *credentials, struct error *err);
int tls_context_load(struct tls_context **context, enum tls_role role,
    const struct tls_files *files, struct error *err);

/* Connections made of it live on, so that a new certificate is: load another context, use it from
 * now on, destroy the old one. NULL is a no-op. */
void tls_context_destroy(struct tls_context *context);

/* Who we are; borrowed as long as the context. */
const struct identity *tls_context_identity(const struct tls_context *context);

/* A client says which node it expects, 0 for any of the cluster; a server says 0. A client's first
 * words are in tls_output() at once. *connection is the caller's, NULL on failure. */
int tls_connection_create(struct tls_connection **connection, struct tls_context *context,
    uint64_t node, struct error *err);
void tls_connection_destroy(struct tls_connection *connection);

/* Takes all of the ciphertext, in pieces of any size, and appends what it says to plain (never more
 * bytes than came in). On failure the connection is over: every later call gives the same answer,
 * and tls_output() may hold a last alert worth sending before closing.
 *
 * STATUS_UNAUTHENTICATED: we refuse the peer, or it refuses us. STATUS_MALFORMED: this is not
 * TLS 1.2 with "h2", or it was tampered with. STATUS_NO_MEMORY. Each with a sentence for a person.
 */
int tls_feed(struct tls_connection *connection, struct bytes ciphertext, struct buffer *plain,
    struct error *err);

/* Appends plain, as ciphertext, to tls_output(). Only once established, and before tls_close(). All
 * or failure, as of tls_feed(). */
int tls_write(struct tls_connection *connection, struct bytes plain, struct error *err);

/* Says goodbye, once; a no-op before the handshake is done or after a failure. */
void tls_close(struct tls_connection *connection);

/* Ciphertext to be sent; the caller consumes what it has sent. */
struct buffer *tls_output(struct tls_connection *connection);

/* The handshake was done and the peer is whom we accept. A later failure does not change it. */
bool tls_established(const struct tls_connection *connection);

/* The peer said goodbye. An end of the stream without it may be a truncation. */
bool tls_ended(const struct tls_connection *connection);

/* Whom the peer's certificate names; only once established, borrowed as long as the connection. */
const struct identity *tls_peer(const struct tls_connection *connection);

/* The name of the cipher suite; static. Only once established. */
const char *tls_cipher(const struct tls_connection *connection);

#endif
