#include "rpc/identity.h"

#include <assert.h>
#include <stdio.h>

#define HOST_SUFFIX     ".zhurnal"
#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

static const char *const KINDS[] = {
    [IDENTITY_NODE] = "node",
    [IDENTITY_FRONTEND] = "frontend",
    [IDENTITY_OPERATOR] = "operator",
    [IDENTITY_AUDITOR] = "auditor",
    [IDENTITY_FOUNDER] = "founder",
};

const char *identity_kind_text(enum identity_kind kind)
{
    assert(kind >= IDENTITY_NODE && kind <= IDENTITY_FOUNDER);
    return KINDS[kind];
}

bool identity_kind_parse(const char *text, enum identity_kind *kind)
{
    for (enum identity_kind k = IDENTITY_NODE; k <= IDENTITY_FOUNDER; k++) {
        if (strcmp(text, KINDS[k]) == 0) {
            *kind = k;
            return true;
        }
    }
    return false;
}

bool identity_name_is_valid(const char *name)
{
    size_t size = strlen(name);
    return size > 0 && size < IDENTITY_NAME_SIZE && strspn(name, NAME_CHARACTERS) == size;
}

char *identity_host(uint64_t node, char out[IDENTITY_HOST_SIZE])
{
    char digits[HEX_ID_SIZE];
    int n = snprintf(out, IDENTITY_HOST_SIZE, "%s" HOST_SUFFIX, hex_id(node, digits));
    assert(n == IDENTITY_HOST_SIZE - 1);
    (void)n;
    return out;
}

int identity_check_cluster(
    const struct identity *identity, const uint8_t cluster[UUID_SIZE], struct error *err)
{
    if (memcmp(identity->cluster, cluster, UUID_SIZE) == 0) {
        return STATUS_OK;
    }
    char theirs[2 * UUID_SIZE + 1];
    char ours[2 * UUID_SIZE + 1];
    return error_set(err, STATUS_UNAUTHENTICATED,
        "the certificate is of another cluster: %s, where ours is %s",
        hex_encode(identity->cluster, UUID_SIZE, theirs), hex_encode(cluster, UUID_SIZE, ours));
}

int identity_check_node(const struct identity *identity, uint64_t node, struct error *err)
{
    if (identity->kind != IDENTITY_NODE) {
        return error_set(err, STATUS_UNAUTHENTICATED, "a node was expected, this is %s %s",
            identity_kind_text(identity->kind), identity->name);
    }
    if (node != 0 && identity->node != node) {
        char expected[HEX_ID_SIZE];
        return error_set(err, STATUS_UNAUTHENTICATED, "node %s was expected, this is node %s",
            hex_id(node, expected), identity->name);
    }
    return STATUS_OK;
}

bool identity_serves(const struct identity *identity, uint64_t school)
{
    assert(identity->school_count <= IDENTITY_SCHOOLS_MAX);
    for (size_t i = 0; i < identity->school_count; i++) {
        if (identity->schools[i] == school) {
            return true;
        }
    }
    return false;
}
