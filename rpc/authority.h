/* A cluster's certificate authority: one key that says who is who. Made and used by zhurnalctl and
 * by a first start on loopback; a running node needs its certificate alone.
 *
 * The cluster's id stands in the authority's own certificate (CN and
 * zhurnal://<cluster>/authority), so issuing needs no other input. Keys are ECDSA on P-256. What
 * identity.h asks of a certificate is ensured here.
 *
 * The clock is the caller's (seconds since 1970 UTC). Certificates begin an hour early, for clocks
 * that disagree, and never outlive the authority.
 *
 * Threads: one at a time. Errors: STATUS_INVALID for a request that nobody could grant,
 * STATUS_EXISTS for a file that would be overwritten, STATUS_IO; each with a sentence. */
#ifndef RPC_AUTHORITY_H
#define RPC_AUTHORITY_H

#include "rpc/buffer.h"
#include "rpc/identity.h"

enum {
    AUTHORITY_DAYS = 3650,
    CERTIFICATE_DAYS = 730,
    CERTIFICATE_HOSTS_MAX = 16,
};

struct authority;

struct certificate_request {
    enum identity_kind kind;
    uint64_t node;            /* For a node. */
    const char *name;         /* For any other kind. */
    const char *const *hosts; /* For a node: DNS names and IP addresses it is dialled by. */
    size_t host_count;
    const uint64_t *schools; /* For a frontend. */
    size_t school_count;
    int days; /* 0: CERTIFICATE_DAYS. */
};

/* A certificate and its key, as PEM text. */
struct issued {
    struct buffer certificate;
    struct buffer key;
};

/* A new one, in memory. *authority is the caller's, NULL on failure. */
int authority_create(struct authority **authority, const uint8_t cluster[UUID_SIZE], int64_t now_s,
    struct error *err);

/* <dir>/ca.pem and <dir>/ca.key; dir is made (0700) where it is not. */
int authority_save(const struct authority *authority, const char *dir, struct error *err);
int authority_load(struct authority **authority, const char *dir, struct error *err);

/* NULL is a no-op. */
void authority_destroy(struct authority *authority);

/* Both borrowed as long as the authority. */
const uint8_t *authority_cluster(const struct authority *authority);
struct bytes authority_certificate(const struct authority *authority); /* PEM */

/* *issued is the caller's, to be given to issued_deinit() whatever this returns. */
int authority_issue(const struct authority *authority, const struct certificate_request *request,
    int64_t now_s, struct issued *issued, struct error *err);

/* Flushed, 0600. An existing key is never overwritten, and where one of the two files is there,
 * neither is written. */
int issued_save(
    const struct issued *issued, const char *certificate, const char *key, struct error *err);

/* Wipes the key. */
void issued_deinit(struct issued *issued);

#endif
