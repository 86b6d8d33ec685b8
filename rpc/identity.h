/* Who a certificate says its holder is: the one place where a role comes from.
 *
 * Every certificate of a cluster names exactly one identity, as a URI among its alternative names:
 *
 *     zhurnal://<cluster>/node/<id>
 *     zhurnal://<cluster>/<kind>/<name>
 *     zhurnal://<cluster>/school/<id>
 *
 * - cluster: 32 lower-case hexadecimal digits, a node's id 16;
 * - kind: frontend, operator, auditor, founder; name: [A-Za-z0-9._-]{1,63};
 * - schools stand besides, on a frontend alone, any number up to IDENTITY_SCHOOLS_MAX: the id is
 *   decimal, 1 ... 2^53 - 1.
 *
 * A node's certificate is for servers and clients (extended key usage), and names <id>.zhurnal, by
 * which peers know it, beside whatever it is dialled by. Every other is for clients alone and names
 * no host, so that no client's key can pose as a node. An identity that was parsed satisfies all of
 * this: kind is proof enough. Whether the certificate is signed by the right authority is tls's
 * question, not asked here.
 *
 * Pure; trusts nothing; any thread. */
#ifndef RPC_IDENTITY_H
#define RPC_IDENTITY_H

#include "proto/bytes.h"
#include "proto/hex.h"
#include "proto/sha256.h"
#include "proto/status.h"
#include "proto/uuid.h"

enum {
    IDENTITY_NAME_SIZE = 64, /* With the NUL. */
    IDENTITY_SCHOOLS_MAX = 64,
    IDENTITY_HOST_SIZE = HEX_ID_SIZE + sizeof ".zhurnal" - 1,
    IDENTITY_URI_SIZE = 10 + 2 * UUID_SIZE + 1 + 8 + 1 + IDENTITY_NAME_SIZE,
    IDENTITY_DER_MAX = 16 * 1024, /* As much as one TLS record carries. */
};

#define IDENTITY_SCHOOL_MAX ((UINT64_C(1) << 53) - 1)

/* The numbers are those of zhurnal.v1.PrincipalKind. */
enum identity_kind {
    IDENTITY_NODE = 1,
    IDENTITY_FRONTEND = 2,
    IDENTITY_OPERATOR = 3,
    IDENTITY_AUDITOR = 4,
    IDENTITY_FOUNDER = 5,
};

struct identity {
    enum identity_kind kind;
    uint8_t cluster[UUID_SIZE];
    uint64_t node;                          /* Of a node; otherwise 0. */
    char name[IDENTITY_NAME_SIZE];          /* Of a node: its id, 16 digits. */
    uint64_t schools[IDENTITY_SCHOOLS_MAX]; /* Ascending. A frontend's scope, which may be empty. */
    size_t school_count;
    uint8_t certificate_sha256[SHA256_SIZE]; /* Of the whole DER. */
};

/* Reads one DER certificate. STATUS_UNAUTHENTICATED, with a sentence, for one that names nobody,
 * two, or somebody its usages and hosts do not fit; identity then says nothing. */
int identity_from_der(struct identity *identity, struct bytes der, struct error *err);

/* STATUS_UNAUTHENTICATED, with a sentence, where identity is of another cluster. */
int identity_check_cluster(
    const struct identity *identity, const uint8_t cluster[UUID_SIZE], struct error *err);

/* As a server we dialled: a node, and that one (0: any node). */
int identity_check_node(const struct identity *identity, uint64_t node, struct error *err);

/* Whether a frontend's scope holds the school; false for every other kind. */
bool identity_serves(const struct identity *identity, uint64_t school);

/* "node", "frontend", …; static. */
const char *identity_kind_text(enum identity_kind kind);
/* False for a word that is no kind. */
bool identity_kind_parse(const char *text, enum identity_kind *kind);

/* Whether a kind other than a node's may bear this name. */
bool identity_name_is_valid(const char *name);

/* The URI that names it; returns out. */
char *identity_uri(const struct identity *identity, char out[IDENTITY_URI_SIZE]);
/* "<16 digits>.zhurnal", by which peers know a node; returns out. */
char *identity_host(uint64_t node, char out[IDENTITY_HOST_SIZE]);

#endif
