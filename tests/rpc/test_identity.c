/* Whom a certificate names: its URIs one by one, and the certificate as a whole, written for each
 * case as no authority of ours would. Nobody asks here who signed it. */
#include "rpc/certificate_writer.h"
#include "rpc/identity.h"
#include "rpc/identity_uri.h"
#include "tests/lib/certificates.h"
#include "tests/lib/test.h"

#include <mbedtls/oid.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define CLUSTER "000102030405060708090a0b0c0d0e0f"
#define OTHER   "ff0102030405060708090a0b0c0d0e0f"
#define URI     "zhurnal://" CLUSTER "/"
#define NODE    "00000000000000a1"
#define NAME_63 "abcdefghijklmnopqrstuvwxyz.ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123-6789"

enum { NAMES_MAX = 4 };

/* ---- URIs ---- */

static int add(struct identity *identity, const char *uri)
{
    return identity_add_uri(identity, bytes_of(uri, strlen(uri)), NULL);
}

static void a_uri_names_a_kind_and_who_of_it(void **state)
{
    static const struct {
        const char *uri;
        enum identity_kind kind;
        uint64_t node;
        const char *name;
    } cases[] = {
        {URI "node/" NODE, IDENTITY_NODE, 0xa1, NODE},
        {URI "node/ffffffffffffffff", IDENTITY_NODE, UINT64_MAX, "ffffffffffffffff"},
        {URI "frontend/web", IDENTITY_FRONTEND, 0, "web"},
        {URI "operator/o", IDENTITY_OPERATOR, 0, "o"},
        {URI "auditor/a.b_c-D9", IDENTITY_AUDITOR, 0, "a.b_c-D9"},
        {URI "founder/" NAME_63, IDENTITY_FOUNDER, 0, NAME_63},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct identity identity = {0};
        char uri[IDENTITY_URI_SIZE];
        assert_int_equal(add(&identity, cases[i].uri), STATUS_OK);
        assert_int_equal(identity.kind, cases[i].kind);
        assert_int_equal(identity.node, cases[i].node);
        assert_string_equal(identity.name, cases[i].name);
        assert_int_equal(identity.cluster[15], 15);
        assert_string_equal(identity_uri(&identity, uri), cases[i].uri);
    }
}

static void a_uri_that_names_nobody_is_refused(void **state)
{
    static const char *const cases[] = {
        "",
        "zhurnal://",
        "https://" CLUSTER "/node/" NODE,
        "ZHURNAL://" CLUSTER "/node/" NODE,
        "zhurnal://" CLUSTER,
        URI,
        "zhurnal://00010203/node/" NODE,
        "zhurnal://" CLUSTER "00/node/" NODE,
        "zhurnal://000102030405060708090A0B0C0D0E0F/node/" NODE,
        URI "node",
        URI "node/",
        URI "node/a1",
        URI "node/0000000000000000a1",
        URI "node/00000000000000A1",
        URI "node/" NODE "/",
        URI "node/ 0000000000000a1",
        URI "Node/" NODE,
        URI "teacher/olga",
        URI "authority",
        URI "authority/a",
        URI "operator/",
        URI "operator/olga petrovna",
        URI "operator/olga/petrovna",
        URI "operator/ольга",
        URI "operator/" NAME_63 "x",
        URI "school/0",
        URI "school/01",
        URI "school/-1",
        URI "school/9007199254740992",
        URI "school/18446744073709551617",
        URI "school/",
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct identity identity = {0};
        if (add(&identity, cases[i]) != STATUS_UNAUTHENTICATED) {
            fail_msg("%s names somebody", cases[i]);
        }
        assert_int_equal(identity.kind, 0);
        assert_int_equal(identity.school_count, 0);
    }
    struct identity identity = {0};
    static const char hidden[] = URI "operator/olga\0.founder";
    assert_int_equal(identity_add_uri(&identity, bytes_of(hidden, sizeof hidden - 1), NULL),
        STATUS_UNAUTHENTICATED);
}

static void a_certificate_has_one_principal_in_one_cluster(void **state)
{
    struct identity identity = {0};
    (void)state;
    assert_int_equal(add(&identity, URI "frontend/web"), STATUS_OK);
    assert_int_equal(add(&identity, URI "operator/olga"), STATUS_UNAUTHENTICATED);
    assert_int_equal(add(&identity, URI "frontend/web"), STATUS_UNAUTHENTICATED);
    assert_int_equal(add(&identity, "zhurnal://" OTHER "/school/1"), STATUS_UNAUTHENTICATED);
    assert_string_equal(identity.name, "web");
}

static void schools_are_kept_in_order_and_each_once(void **state)
{
    struct identity identity = {0};
    (void)state;
    assert_int_equal(add(&identity, URI "school/9007199254740991"), STATUS_OK);
    assert_int_equal(add(&identity, URI "school/7"), STATUS_OK);
    assert_int_equal(add(&identity, URI "school/77"), STATUS_OK);
    assert_int_equal(add(&identity, URI "school/7"), STATUS_UNAUTHENTICATED);
    assert_int_equal(identity.school_count, 3);
    assert_int_equal(identity.schools[0], 7);
    assert_int_equal(identity.schools[1], 77);
    assert_int_equal(identity.schools[2], IDENTITY_SCHOOL_MAX);
    assert_true(identity_serves(&identity, 77));
    assert_false(identity_serves(&identity, 8));
    for (uint64_t school = 100; identity.school_count < IDENTITY_SCHOOLS_MAX; school++) {
        char uri[IDENTITY_URI_SIZE];
        assert_int_equal(add(&identity, identity_school_uri(identity.cluster, school, uri)), 0);
    }
    assert_int_equal(add(&identity, URI "school/1"), STATUS_UNAUTHENTICATED);
}

static void an_authority_is_nobody_else(void **state)
{
    uint8_t cluster[UUID_SIZE];
    char uri[IDENTITY_URI_SIZE];
    static const char node[] = URI "node/" NODE;
    static const char longer[] = URI "authority/x";
    (void)state;
    memset(cluster, 0xab, sizeof cluster);
    (void)identity_authority_uri(cluster, uri);
    memset(cluster, 0, sizeof cluster);
    assert_true(identity_read_authority_uri(bytes_of(uri, strlen(uri)), cluster));
    assert_int_equal(cluster[15], 0xab);
    assert_false(identity_read_authority_uri(bytes_of(node, sizeof node - 1), cluster));
    assert_false(identity_read_authority_uri(bytes_of(longer, sizeof longer - 1), cluster));
}

/* ---- certificates ---- */

struct name {
    enum certificate_name kind;
    const char *value;
    size_t size; /* 0: up to its NUL. */
};

enum usages { NO_USAGES, SERVER = 1, CLIENT = 2, SIGNER = 4 /* Of code. */ };

struct draft {
    struct name names[NAMES_MAX];
    unsigned usages;
    bool authority;
};

/* Puts one object identifier in place of another of its size. */
static void replace(struct bytes der, uint8_t *at, const char *old, const char *new)
{
    size_t size = strlen(old);
    assert_int_equal(strlen(new), size);
    for (size_t i = 0; i + size <= der.size; i++) {
        if (memcmp(at + i, old, size) == 0) {
            memcpy(at + i, new, size);
            return;
        }
    }
    fail_msg("there is nothing to replace");
}

static struct bytes write_certificate(const struct draft *d, uint8_t out[IDENTITY_DER_MAX])
{
    struct certificate_names names;
    struct issued issued = {0};
    mbedtls_pk_context key;
    mbedtls_pk_init(&key);
    assert_int_equal(certificate_key_generate(&key, NULL), STATUS_OK);
    certificate_names_init(&names);
    for (size_t i = 0; i < NAMES_MAX && d->names[i].value != NULL; i++) {
        const struct name *n = &d->names[i];
        certificate_names_add(
            &names, n->kind, bytes_of(n->value, n->size > 0 ? n->size : strlen(n->value)));
    }
    const struct certificate_draft draft = {.subject = "O=zhurnal,CN=x",
        .issuer = "O=zhurnal,CN=x",
        .subject_key = &key,
        .issuer_key = &key,
        .not_after_s = INT64_C(1) << 31,
        .names = &names,
        .authority = d->authority,
        .server = !d->authority && (d->usages & (SERVER | SIGNER)) != 0,
        .client = !d->authority && ((d->usages & CLIENT) != 0 || d->usages == NO_USAGES)};
    assert_int_equal(certificate_write(&draft, &issued.certificate, NULL), STATUS_OK);
    struct bytes der = certificates_der(&issued, out);
    issued_deinit(&issued);
    mbedtls_pk_free(&key);
    if ((d->usages & SIGNER) != 0) {
        replace(der, out, MBEDTLS_OID_SERVER_AUTH, MBEDTLS_OID_CODE_SIGNING);
    } else if (d->usages == NO_USAGES && !d->authority) {
        replace(der, out, MBEDTLS_OID_EXTENDED_KEY_USAGE, MBEDTLS_OID_AT "\x7f");
    }
    return der;
}

static int read_certificate(const struct draft *draft, struct identity *identity, struct error *err)
{
    uint8_t der[IDENTITY_DER_MAX];
    return identity_from_der(identity, write_certificate(draft, der), err);
}

#define DNS_OF(text)             \
    {                            \
        CERTIFICATE_DNS, text, 0 \
    }
#define URI_OF(text)             \
    {                            \
        CERTIFICATE_URI, text, 0 \
    }
#define NODE_URI  URI_OF(URI "node/" NODE)
#define NODE_HOST DNS_OF(NODE ".zhurnal")
#define WEB_URI   URI_OF(URI "frontend/web")

static void certificates_as_ours_are_read(void **state)
{
    static const struct draft node = {
        .names = {NODE_URI, NODE_HOST, DNS_OF("school.example"), {CERTIFICATE_IP, "\x7f\0\0\1", 4}},
        .usages = SERVER | CLIENT};
    static const struct draft frontend = {
        .names = {URI_OF(URI "school/77"), WEB_URI, URI_OF(URI "school/7")}, .usages = CLIENT};
    struct identity identity;
    (void)state;
    assert_int_equal(read_certificate(&node, &identity, NULL), STATUS_OK);
    assert_int_equal(identity.kind, IDENTITY_NODE);
    assert_int_equal(identity.node, 0xa1);
    assert_int_equal(read_certificate(&frontend, &identity, NULL), STATUS_OK);
    assert_int_equal(identity.kind, IDENTITY_FRONTEND);
    assert_int_equal(identity.school_count, 2);
}

static void a_certificate_that_fits_nobody_is_refused(void **state)
{
    static const struct {
        struct draft draft;
        const char *why;
    } cases[] = {
        /* Usages. */
        {{{NODE_URI, NODE_HOST}, CLIENT, false}, "for servers and clients"},
        {{{NODE_URI, NODE_HOST}, SERVER, false}, "for servers and clients"},
        {{{NODE_URI, NODE_HOST}, NO_USAGES, false}, "for servers and clients"},
        {{{NODE_URI, NODE_HOST}, CLIENT | SIGNER, false}, "for servers and clients"},
        {{{WEB_URI}, SERVER | CLIENT, false}, "must be for clients"},
        {{{WEB_URI}, SERVER, false}, "must be for clients"},
        {{{WEB_URI}, NO_USAGES, false}, "must be for clients"},
        {{{WEB_URI}, CLIENT | SIGNER, false}, "must be for clients"},
        /* Hosts. */
        {{{NODE_URI}, SERVER | CLIENT, false}, "does not name its host " NODE ".zhurnal"},
        {{{NODE_URI, DNS_OF("school.example")}, SERVER | CLIENT, false}, "does not name its host"},
        {{{NODE_URI, NODE_HOST, DNS_OF("00000000000000a2.zhurnal")}, SERVER | CLIENT, false},
            "another node's host name"},
        {{{NODE_URI, NODE_HOST, DNS_OF("00000000000000A2.ZHURNAL")}, SERVER | CLIENT, false},
            "another node's host name"},
        {{{NODE_URI, NODE_HOST, DNS_OF("*.zhurnal")}, SERVER | CLIENT, false},
            "another node's host name"},
        {{{NODE_URI, {CERTIFICATE_DNS, NODE ".zhurnal\0.example", 32}}, SERVER | CLIENT, false},
            "hides part of a name"},
        {{{WEB_URI, DNS_OF("school.example")}, CLIENT, false}, "names a host"},
        {{{WEB_URI, NODE_HOST}, CLIENT, false}, "names a host"},
        {{{WEB_URI, {CERTIFICATE_IP, "\x7f\0\0\1", 4}}, CLIENT, false}, "names a host"},
        /* Names. */
        {{{NODE_HOST}, SERVER | CLIENT, false}, "names nobody"},
        {{{URI_OF(URI "school/7")}, CLIENT, false}, "names nobody"},
        {{{NODE_URI, NODE_HOST, WEB_URI}, SERVER | CLIENT, false}, "two principals"},
        {{{WEB_URI, URI_OF("https://school.example")}, CLIENT, false}, "not zhurnal://"},
        {{{WEB_URI, URI_OF("zhurnal://" OTHER "/school/7")}, CLIENT, false}, "two clusters"},
        {{{URI_OF(URI "operator/olga"), URI_OF(URI "school/7")}, CLIENT, false}, "names schools"},
        {{{WEB_URI, {(enum certificate_name)0x81, "web@school.example", 0}}, CLIENT, false},
            "no URI, DNS name or address"},
        {{{NODE_URI, NODE_HOST}, NO_USAGES, true}, "an authority's certificate"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct identity identity;
        struct error err = {0};
        if (read_certificate(&cases[i].draft, &identity, &err) != STATUS_UNAUTHENTICATED ||
            strstr(err.text, cases[i].why) == NULL) {
            fail_msg("%zu: \"%s\" does not say \"%s\"", i, err.text, cases[i].why);
        }
        assert_int_equal(identity.kind, 0);
    }
}

static void what_is_no_certificate_is_refused(void **state)
{
    static const struct draft web = {.names = {WEB_URI}, .usages = CLIENT};
    static uint8_t der[IDENTITY_DER_MAX + 1];
    struct identity identity;
    (void)state;
    struct bytes whole = write_certificate(&web, der);
    der[whole.size] = 0;
    assert_int_equal(identity_from_der(&identity, whole, NULL), STATUS_OK);
    const struct bytes cases[] = {bytes_of(NULL, 0), bytes_of(der, whole.size - 1),
        bytes_of(der, whole.size + 1), bytes_of(der, IDENTITY_DER_MAX + 1)};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(identity_from_der(&identity, cases[i], NULL), STATUS_UNAUTHENTICATED);
        assert_int_equal(identity.kind, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_uri_names_a_kind_and_who_of_it),
        cmocka_unit_test(a_uri_that_names_nobody_is_refused),
        cmocka_unit_test(a_certificate_has_one_principal_in_one_cluster),
        cmocka_unit_test(schools_are_kept_in_order_and_each_once),
        cmocka_unit_test(an_authority_is_nobody_else),
        cmocka_unit_test(certificates_as_ours_are_read),
        cmocka_unit_test(a_certificate_that_fits_nobody_is_refused),
        cmocka_unit_test(what_is_no_certificate_is_refused),
    };
    return cmocka_run_group_tests_name("rpc/identity", tests, NULL, NULL);
}
