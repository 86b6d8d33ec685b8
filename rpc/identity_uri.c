#include "rpc/identity_uri.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#define SCHEME     "zhurnal://"
#define HEX_DIGITS "0123456789abcdef"

char *identity_uri(const struct identity *identity, char out[IDENTITY_URI_SIZE])
{
    char cluster[2 * UUID_SIZE + 1];
    int n = snprintf(out, IDENTITY_URI_SIZE, SCHEME "%s/%s/%s",
        hex_encode(identity->cluster, UUID_SIZE, cluster), identity_kind_text(identity->kind),
        identity->name);
    assert(n > 0 && n < IDENTITY_URI_SIZE);
    (void)n;
    return out;
}

char *identity_school_uri(
    const uint8_t cluster[UUID_SIZE], uint64_t school, char out[IDENTITY_URI_SIZE])
{
    assert(school >= 1 && school <= IDENTITY_SCHOOL_MAX);
    char digits[2 * UUID_SIZE + 1];
    int n = snprintf(out, IDENTITY_URI_SIZE, SCHEME "%s/school/%" PRIu64,
        hex_encode(cluster, UUID_SIZE, digits), school);
    assert(n > 0 && n < IDENTITY_URI_SIZE);
    (void)n;
    return out;
}

char *identity_authority_uri(const uint8_t cluster[UUID_SIZE], char out[IDENTITY_URI_SIZE])
{
    char digits[2 * UUID_SIZE + 1];
    int n = snprintf(
        out, IDENTITY_URI_SIZE, SCHEME "%s/authority", hex_encode(cluster, UUID_SIZE, digits));
    assert(n > 0 && n < IDENTITY_URI_SIZE);
    (void)n;
    return out;
}

/* "zhurnal://<cluster>/"; returns what follows, or NULL. */
static const char *read_cluster(const char *uri, uint8_t cluster[UUID_SIZE])
{
    enum { SCHEME_SIZE = sizeof SCHEME - 1, DIGITS = 2 * UUID_SIZE };
    if (strncmp(uri, SCHEME, SCHEME_SIZE) != 0) {
        return NULL;
    }
    const char *at = uri + SCHEME_SIZE;
    char digits[DIGITS + 1] = "";
    if (strspn(at, HEX_DIGITS) != DIGITS || at[DIGITS] != '/') {
        return NULL;
    }
    memcpy(digits, at, DIGITS);
    return hex_decode(digits, cluster, UUID_SIZE) ? at + DIGITS + 1 : NULL;
}

/* Decimal without leading zeros, so that a school has one spelling. */
static bool read_school(const char *text, uint64_t *school)
{
    enum { DIGITS_MAX = 16 }; /* Of 2^53 - 1. */
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > DIGITS_MAX || text[digits] != '\0' || text[0] == '0') {
        return false;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < digits; i++) {
        value = value * 10 + (uint64_t)(text[i] - '0');
    }
    *school = value;
    return value <= IDENTITY_SCHOOL_MAX;
}

static bool read_node(const char *text, uint64_t *node)
{
    enum { DIGITS = HEX_ID_SIZE - 1 };
    return strspn(text, HEX_DIGITS) == DIGITS && text[DIGITS] == '\0' && hex_parse_id(text, node);
}

static int add_school(struct identity *identity, uint64_t school, struct error *err)
{
    if (identity->school_count == IDENTITY_SCHOOLS_MAX) {
        return error_set(err, STATUS_UNAUTHENTICATED, "the certificate names more than %d schools",
            IDENTITY_SCHOOLS_MAX);
    }
    size_t i = identity->school_count;
    for (; i > 0 && identity->schools[i - 1] >= school; i--) {
        if (identity->schools[i - 1] == school) {
            return error_set(err, STATUS_UNAUTHENTICATED,
                "the certificate names school %" PRIu64 " twice", school);
        }
    }
    memmove(&identity->schools[i + 1], &identity->schools[i],
        (identity->school_count - i) * sizeof identity->schools[0]);
    identity->schools[i] = school;
    identity->school_count++;
    return STATUS_OK;
}

static int add_principal(
    struct identity *identity, enum identity_kind kind, const char *name, struct error *err)
{
    if (identity->kind != 0) {
        return error_set(err, STATUS_UNAUTHENTICATED, "the certificate names two principals");
    }
    bool valid =
        kind == IDENTITY_NODE ? read_node(name, &identity->node) : identity_name_is_valid(name);
    if (!valid) {
        return error_set(err, STATUS_UNAUTHENTICATED, "the certificate's name is not a %s's",
            identity_kind_text(kind));
    }
    identity->kind = kind;
    memcpy(identity->name, name, strlen(name) + 1);
    return STATUS_OK;
}

/* "<kind>/<name>" or "school/<id>". */
static int add_path(struct identity *identity, const char *path, struct error *err)
{
    enum { WORD_SIZE = 16 };
    char word[WORD_SIZE] = "";
    size_t size = strcspn(path, "/");
    if (size >= WORD_SIZE || path[size] != '/') {
        return error_set(err, STATUS_UNAUTHENTICATED, "the certificate's URI names nobody");
    }
    memcpy(word, path, size);
    const char *name = path + size + 1;
    enum identity_kind kind;
    if (identity_kind_parse(word, &kind)) {
        return add_principal(identity, kind, name, err);
    }
    uint64_t school;
    if (strcmp(word, "school") == 0 && read_school(name, &school)) {
        return add_school(identity, school, err);
    }
    return error_set(err, STATUS_UNAUTHENTICATED, "the certificate names no kind that we know");
}

static bool copy_text(struct bytes bytes, char *out, size_t size)
{
    /* A NUL within would hide what follows it from everyone who reads text. */
    if (bytes.size == 0 || bytes.size >= size || memchr(bytes.data, '\0', bytes.size) != NULL) {
        return false;
    }
    memcpy(out, bytes.data, bytes.size);
    out[bytes.size] = '\0';
    return true;
}

int identity_add_uri(struct identity *identity, struct bytes uri, struct error *err)
{
    char text[IDENTITY_URI_SIZE];
    uint8_t cluster[UUID_SIZE];
    const char *path = copy_text(uri, text, sizeof text) ? read_cluster(text, cluster) : NULL;
    if (path == NULL) {
        return error_set(err, STATUS_UNAUTHENTICATED,
            "the certificate has a URI that is not zhurnal://<cluster>/...");
    }
    bool first = identity->kind == 0 && identity->school_count == 0;
    if (first) {
        memcpy(identity->cluster, cluster, UUID_SIZE);
    } else if (memcmp(identity->cluster, cluster, UUID_SIZE) != 0) {
        return error_set(err, STATUS_UNAUTHENTICATED, "the certificate names two clusters");
    }
    return add_path(identity, path, err);
}

bool identity_read_authority_uri(struct bytes uri, uint8_t cluster[UUID_SIZE])
{
    char text[IDENTITY_URI_SIZE];
    const char *path = copy_text(uri, text, sizeof text) ? read_cluster(text, cluster) : NULL;
    return path != NULL && strcmp(path, "authority") == 0;
}
