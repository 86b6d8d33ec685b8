#include "rpc/authority.h"

#include "rpc/certificate_writer.h"
#include "rpc/identity_uri.h"
#include "rpc/mbed.h"
#include "rpc/pem_file.h"

#include <mbedtls/platform_util.h>

#include <arpa/inet.h>
#include <assert.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

enum { SUBJECT_SIZE = 128, DAY_S = 24 * 60 * 60, EARLY_S = 60 * 60, DAYS_MAX = 36500 };

struct authority {
    uint8_t cluster[UUID_SIZE];
    mbedtls_x509_crt certificate;
    mbedtls_pk_context key;
    struct issued pem;
};

/* ---- making and loading ---- */

static void wipe(struct buffer *buffer)
{
    if (buffer->bytes != NULL) {
        mbedtls_platform_zeroize(buffer->bytes, buffer->capacity);
    }
    buffer_deinit(buffer);
}

void issued_deinit(struct issued *issued)
{
    buffer_deinit(&issued->certificate);
    wipe(&issued->key);
}

void authority_destroy(struct authority *authority)
{
    if (authority == NULL) {
        return;
    }
    mbedtls_x509_crt_free(&authority->certificate);
    mbedtls_pk_free(&authority->key);
    issued_deinit(&authority->pem);
    free(authority);
}

static struct authority *authority_new(void)
{
    struct authority *authority = calloc(1, sizeof *authority);
    if (authority != NULL) {
        mbedtls_x509_crt_init(&authority->certificate);
        mbedtls_pk_init(&authority->key);
    }
    return authority;
}

static char *authority_subject(const uint8_t cluster[UUID_SIZE], char out[SUBJECT_SIZE])
{
    char digits[2 * UUID_SIZE + 1];
    (void)snprintf(out, SUBJECT_SIZE, "O=zhurnal,CN=%s", hex_encode(cluster, UUID_SIZE, digits));
    return out;
}

/* What is issued names its issuer by the text above: an authority called otherwise would make
 * certificates that nobody can trace to it. */
static bool is_called_so(const struct authority *authority)
{
    char expected[SUBJECT_SIZE];
    char digits[2 * UUID_SIZE + 1];
    (void)snprintf(expected, sizeof expected, "O=zhurnal, CN=%s",
        hex_encode(authority->cluster, UUID_SIZE, digits));
    char subject[SUBJECT_SIZE];
    int n = mbedtls_x509_dn_gets(subject, sizeof subject, &authority->certificate.subject);
    return n > 0 && strcmp(subject, expected) == 0;
}

/* Reads what stands in authority->pem. */
static int parse(struct authority *authority, struct error *err)
{
    mbedtls_x509_crt *crt = &authority->certificate;
    int status = mbed_parse_certificates(crt, buffer_bytes(&authority->pem.certificate), err);
    if (status == STATUS_OK) {
        status = mbed_parse_key(&authority->key, buffer_bytes(&authority->pem.key), err);
    }
    if (status != STATUS_OK) {
        return status;
    }
    struct bytes der = bytes_of(crt->raw.p, crt->raw.len);
    if (identity_authority_from_der(der, authority->cluster, err) != STATUS_OK) {
        return error_wrap(err, STATUS_INVALID, "the authority");
    }
    if (!mbed_is_pair(&crt->pk, &authority->key)) {
        return error_set(err, STATUS_INVALID, "ca.key is not the key of ca.pem");
    }
    if (!is_called_so(authority)) {
        return error_set(err, STATUS_INVALID, "ca.pem was not made by zhurnalctl");
    }
    return STATUS_OK;
}

static int write_self(
    struct issued *pem, const uint8_t cluster[UUID_SIZE], int64_t now_s, struct error *err)
{
    char subject[SUBJECT_SIZE];
    char uri[IDENTITY_URI_SIZE];
    struct certificate_names names;
    certificate_names_init(&names);
    certificate_names_add_text(&names, CERTIFICATE_URI, identity_authority_uri(cluster, uri));
    mbedtls_pk_context key;
    mbedtls_pk_init(&key);
    struct certificate_draft draft = {
        .subject = authority_subject(cluster, subject),
        .issuer = subject,
        .subject_key = &key,
        .issuer_key = &key,
        .not_before_s = now_s - EARLY_S,
        .not_after_s = now_s + (int64_t)AUTHORITY_DAYS * DAY_S,
        .names = &names,
        .authority = true,
    };
    int status = certificate_key_generate(&key, err);
    if (status == STATUS_OK) {
        status = certificate_key_write(&key, &pem->key, err);
    }
    if (status == STATUS_OK) {
        status = certificate_write(&draft, &pem->certificate, err);
    }
    mbedtls_pk_free(&key);
    return status;
}

int authority_create(struct authority **authority, const uint8_t cluster[UUID_SIZE], int64_t now_s,
    struct error *err)
{
    *authority = NULL;
    struct authority *made = authority_new();
    if (made == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "authority: out of memory");
    }
    int status = write_self(&made->pem, cluster, now_s, err);
    if (status == STATUS_OK) {
        status = parse(made, err);
    }
    if (status != STATUS_OK) {
        authority_destroy(made);
        return status;
    }
    assert(memcmp(made->cluster, cluster, UUID_SIZE) == 0);
    *authority = made;
    return STATUS_OK;
}

static int path_in(char path[PATH_MAX], const char *dir, const char *file, struct error *err)
{
    int n = snprintf(path, PATH_MAX, "%s/%s", dir, file);
    return n > 0 && n < PATH_MAX ? STATUS_OK
                                 : error_set(err, STATUS_INVALID, "%s: the path is too long", dir);
}

static int paths_in(
    char certificate[PATH_MAX], char key[PATH_MAX], const char *dir, struct error *err)
{
    int status = path_in(certificate, dir, "ca.pem", err);
    return status == STATUS_OK ? path_in(key, dir, "ca.key", err) : status;
}

int authority_save(const struct authority *authority, const char *dir, struct error *err)
{
    char certificate[PATH_MAX];
    char key[PATH_MAX];
    int status = paths_in(certificate, key, dir, err);
    if (status == STATUS_OK) {
        status = pem_file_make_dir(dir, err);
    }
    return status == STATUS_OK ? issued_save(&authority->pem, certificate, key, err) : status;
}

int authority_load(struct authority **authority, const char *dir, struct error *err)
{
    *authority = NULL;
    char certificate[PATH_MAX];
    char key[PATH_MAX];
    int status = paths_in(certificate, key, dir, err);
    if (status != STATUS_OK) {
        return status;
    }
    struct authority *made = authority_new();
    if (made == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "authority: out of memory");
    }
    status = pem_file_read(certificate, &made->pem.certificate, err);
    if (status == STATUS_OK) {
        status = pem_file_read(key, &made->pem.key, err);
    }
    if (status == STATUS_OK) {
        status = parse(made, err);
        status = status == STATUS_OK ? STATUS_OK : error_wrap(err, status, "%s", dir);
    }
    if (status != STATUS_OK) {
        authority_destroy(made);
        return status;
    }
    *authority = made;
    return STATUS_OK;
}

const uint8_t *authority_cluster(const struct authority *authority)
{
    return authority->cluster;
}

struct bytes authority_certificate(const struct authority *authority)
{
    return buffer_bytes(&authority->pem.certificate);
}

/* ---- issuing ---- */

static int set_identity(struct identity *identity, const struct authority *authority,
    const struct certificate_request *request, struct error *err)
{
    *identity = (struct identity){.kind = request->kind};
    memcpy(identity->cluster, authority->cluster, UUID_SIZE);
    if (request->kind == IDENTITY_NODE) {
        if (request->node == 0) {
            return error_set(err, STATUS_INVALID, "a node's id is not 0");
        }
        identity->node = request->node;
        (void)hex_id(request->node, identity->name);
        return STATUS_OK;
    }
    if (request->kind < IDENTITY_NODE || request->kind > IDENTITY_FOUNDER) {
        return error_set(err, STATUS_INVALID, "no such kind of certificate");
    }
    if (request->name == NULL || !identity_name_is_valid(request->name)) {
        return error_set(err, STATUS_INVALID,
            "a name is 1 to %d of the characters A-Z a-z 0-9 . _ -", IDENTITY_NAME_SIZE - 1);
    }
    memcpy(identity->name, request->name, strlen(request->name) + 1);
    return STATUS_OK;
}

static bool is_host_name(const char *host)
{
    static const char CHARACTERS[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-";
    enum { HOST_MAX = 253, SUFFIX = sizeof ".zhurnal" - 1 };
    size_t size = strlen(host);
    return size > 0 && size <= HOST_MAX && strspn(host, CHARACTERS) == size && host[0] != '.' &&
        (size < SUFFIX || strcasecmp(host + size - SUFFIX, ".zhurnal") != 0);
}

static int add_host(struct certificate_names *names, const char *host, struct error *err)
{
    unsigned char address[sizeof(struct in6_addr)];
    if (inet_pton(AF_INET, host, address) == 1) {
        certificate_names_add(names, CERTIFICATE_IP, bytes_of(address, sizeof(struct in_addr)));
    } else if (inet_pton(AF_INET6, host, address) == 1) {
        certificate_names_add(names, CERTIFICATE_IP, bytes_of(address, sizeof(struct in6_addr)));
    } else if (is_host_name(host)) {
        certificate_names_add_text(names, CERTIFICATE_DNS, host);
    } else {
        return error_set(err, STATUS_INVALID,
            "\"%.64s\" is no host name or address that a node may be dialled by", host);
    }
    return STATUS_OK;
}

static int add_hosts(
    struct certificate_names *names, const struct certificate_request *request, struct error *err)
{
    if (request->kind != IDENTITY_NODE) {
        return request->host_count == 0
            ? STATUS_OK
            : error_set(err, STATUS_INVALID, "only a node's certificate names hosts");
    }
    if (request->host_count > CERTIFICATE_HOSTS_MAX) {
        return error_set(err, STATUS_INVALID, "at most %d hosts", CERTIFICATE_HOSTS_MAX);
    }
    for (size_t i = 0; i < request->host_count; i++) {
        int status = add_host(names, request->hosts[i], err);
        if (status != STATUS_OK) {
            return status;
        }
    }
    char host[IDENTITY_HOST_SIZE];
    certificate_names_add_text(names, CERTIFICATE_DNS, identity_host(request->node, host));
    return STATUS_OK;
}

static int add_schools(struct certificate_names *names, const struct identity *identity,
    const struct certificate_request *request, struct error *err)
{
    if (request->kind != IDENTITY_FRONTEND && request->school_count > 0) {
        return error_set(err, STATUS_INVALID, "only a front end's certificate names schools");
    }
    if (request->school_count > IDENTITY_SCHOOLS_MAX) {
        return error_set(err, STATUS_INVALID, "at most %d schools", IDENTITY_SCHOOLS_MAX);
    }
    for (size_t i = 0; i < request->school_count; i++) {
        uint64_t school = request->schools[i];
        if (school < 1 || school > IDENTITY_SCHOOL_MAX) {
            return error_set(err, STATUS_INVALID, "a school's id is 1 ... 2^53 - 1");
        }
        char uri[IDENTITY_URI_SIZE];
        certificate_names_add_text(
            names, CERTIFICATE_URI, identity_school_uri(identity->cluster, school, uri));
    }
    return STATUS_OK;
}

static int set_names(struct certificate_names *names, const struct identity *identity,
    const struct certificate_request *request, struct error *err)
{
    certificate_names_init(names);
    int status = add_hosts(names, request, err);
    if (status == STATUS_OK) {
        status = add_schools(names, identity, request, err);
    }
    char uri[IDENTITY_URI_SIZE];
    certificate_names_add_text(names, CERTIFICATE_URI, identity_uri(identity, uri));
    return status;
}

static int set_validity(struct certificate_draft *draft, const struct authority *authority,
    int days, int64_t now_s, struct error *err)
{
    if (days < 0 || days > DAYS_MAX) {
        return error_set(err, STATUS_INVALID, "a certificate lasts 1 to %d days", DAYS_MAX);
    }
    int64_t from = mbed_seconds(&authority->certificate.valid_from);
    int64_t to = mbed_seconds(&authority->certificate.valid_to);
    if (now_s < from || now_s >= to) {
        return error_set(
            err, STATUS_PRECONDITION, "the authority itself has expired, or the clock is wrong");
    }
    int64_t wanted = now_s + (int64_t)(days == 0 ? CERTIFICATE_DAYS : days) * DAY_S;
    draft->not_before_s = now_s - EARLY_S;
    draft->not_after_s = wanted < to ? wanted : to;
    return STATUS_OK;
}

/* Our own promise: what was issued says what was asked. */
static int check_issued(
    const struct issued *issued, const struct identity *identity, struct error *err)
{
    mbedtls_x509_crt crt;
    mbedtls_x509_crt_init(&crt);
    struct identity read;
    int status = mbed_parse_certificates(&crt, buffer_bytes(&issued->certificate), err);
    if (status == STATUS_OK &&
        identity_from_der(&read, bytes_of(crt.raw.p, crt.raw.len), err) != STATUS_OK) {
        status = error_wrap(err, STATUS_INVALID, "such a certificate would not be accepted");
    }
    mbedtls_x509_crt_free(&crt);
    assert(status != STATUS_OK || read.kind == identity->kind);
    assert(status != STATUS_OK || strcmp(read.name, identity->name) == 0);
    return status;
}

int authority_issue(const struct authority *authority, const struct certificate_request *request,
    int64_t now_s, struct issued *issued, struct error *err)
{
    *issued = (struct issued){0};
    struct identity identity;
    struct certificate_names names;
    struct certificate_draft draft = {0};
    int status = set_identity(&identity, authority, request, err);
    if (status == STATUS_OK) {
        status = set_names(&names, &identity, request, err);
    }
    if (status == STATUS_OK) {
        status = set_validity(&draft, authority, request->days, now_s, err);
    }
    if (status != STATUS_OK) {
        return status;
    }

    char subject[SUBJECT_SIZE];
    char issuer[SUBJECT_SIZE];
    (void)snprintf(subject, sizeof subject, "O=zhurnal,OU=%s,CN=%s",
        identity_kind_text(identity.kind), identity.name);
    mbedtls_pk_context key;
    mbedtls_pk_init(&key);
    /* mbedTLS asks for a key that is not const, and leaves it as it is. */
    draft.issuer_key = (mbedtls_pk_context *)&authority->key;
    draft.subject_key = &key;
    draft.subject = subject;
    draft.issuer = authority_subject(authority->cluster, issuer);
    draft.names = &names;
    draft.server = identity.kind == IDENTITY_NODE;
    draft.client = true;
    status = certificate_key_generate(&key, err);
    if (status == STATUS_OK) {
        status = certificate_key_write(&key, &issued->key, err);
    }
    if (status == STATUS_OK) {
        status = certificate_write(&draft, &issued->certificate, err);
    }
    mbedtls_pk_free(&key);
    return status == STATUS_OK ? check_issued(issued, &identity, err) : status;
}

int issued_save(
    const struct issued *issued, const char *certificate, const char *key, struct error *err)
{
    if (access(certificate, F_OK) == 0) {
        return error_set(
            err, STATUS_EXISTS, "%s is there already and is not overwritten", certificate);
    }
    int status = pem_file_create(key, buffer_bytes(&issued->key), err);
    if (status != STATUS_OK) {
        return status;
    }
    status = pem_file_create(certificate, buffer_bytes(&issued->certificate), err);
    if (status != STATUS_OK) {
        unlink(key); /* A key without its certificate is of no use. */
    }
    return status;
}
