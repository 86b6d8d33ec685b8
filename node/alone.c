#include "node/alone.h"

#include "proto/uuid.h"
#include "rpc/authority.h"
#include "rpc/certificate.h"
#include "storage/founding.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const enum identity_kind clients[] = {
    IDENTITY_FOUNDER, IDENTITY_OPERATOR, IDENTITY_AUDITOR, IDENTITY_FRONTEND};

/* What one founding needs. */
struct founder {
    const struct authority *authority;
    const char *tls;
    int64_t now_s;
    uint64_t node, school;
};

static bool is_loopback(const char *host)
{
    return strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0;
}

static int check_loopback(const struct config *config, struct error *err)
{
    for (unsigned i = 0; i < config->listen_count; i++) {
        if (!is_loopback(config->listen[i].host)) {
            return error_set(err, STATUS_INVALID,
                "a node by itself, as in %s, listens on loopback, not on %s. For a cluster: "
                "zhurnalctl init --data DIR --founding FILE --node ID, and zhurnald --config FILE",
                config->data, config->listen[i].host);
        }
    }
    return STATUS_OK;
}

/* ---- certificates ---- */

static int locate(char certificate[DIRECTORY_PATH_SIZE], char key[DIRECTORY_PATH_SIZE],
    const char *tls, const char *name, struct error *err)
{
    char file[64];
    snprintf(file, sizeof file, "%s.pem", name);
    int status = directory_join(certificate, tls, file);
    snprintf(file, sizeof file, "%s.key", name);
    return status == STATUS_OK && directory_join(key, tls, file) == STATUS_OK
        ? STATUS_OK
        : error_set(err, STATUS_TOO_LARGE, "the path is too long: %s", tls);
}

static int issue(const struct founder *founder, const struct certificate_request *request,
    const char *name, struct error *err)
{
    char certificate[DIRECTORY_PATH_SIZE];
    char key[DIRECTORY_PATH_SIZE];
    struct issued issued;
    int status = locate(certificate, key, founder->tls, name, err);
    if (status != STATUS_OK) {
        return status;
    }
    status = authority_issue(founder->authority, request, founder->now_s, &issued, err);
    if (status == STATUS_OK) {
        status = issued_save(&issued, certificate, key, err);
    }
    issued_deinit(&issued);
    return status;
}

static int issue_all(const struct founder *founder, struct error *err)
{
    static const char *const hosts[] = {"localhost", "127.0.0.1", "::1"};
    const struct certificate_request node = {.kind = IDENTITY_NODE,
        .node = founder->node,
        .hosts = hosts,
        .host_count = sizeof hosts / sizeof *hosts};
    int status = issue(founder, &node, "node", err);
    for (size_t i = 0; i < sizeof clients / sizeof *clients && status == STATUS_OK; i++) {
        const char *name = identity_kind_text(clients[i]);
        const struct certificate_request client = {.kind = clients[i],
            .name = name,
            .schools = &founder->school,
            .school_count = clients[i] == IDENTITY_FRONTEND ? 1 : 0};
        status = issue(founder, &client, name, err);
    }
    return status;
}

static void remove_pair(const char *tls, const char *name)
{
    char certificate[DIRECTORY_PATH_SIZE];
    char key[DIRECTORY_PATH_SIZE];
    if (locate(certificate, key, tls, name, NULL) == STATUS_OK) {
        (void)unlink(certificate);
        (void)unlink(key);
    }
}

/* What a first start that was cut short, or failed, has made. */
static int clear_tls(const char *tls, struct error *err)
{
    remove_pair(tls, "ca");
    remove_pair(tls, "node");
    for (size_t i = 0; i < sizeof clients / sizeof *clients; i++) {
        remove_pair(tls, identity_kind_text(clients[i]));
    }
    return rmdir(tls) == 0 || errno == ENOENT
        ? STATUS_OK
        : error_set(err, STATUS_IO, "cannot remove %s: %s", tls, strerrordesc_np(errno));
}

/* ---- founding ---- */

/* The address is for people: nobody dials a cluster of one. */
static int install(const struct founder *founder, const struct founding *from,
    const struct config *config, struct error *err)
{
    struct founding founding = *from;
    char address[CONFIG_HOST_SIZE + 16];
    const struct config_listen *listen = &config->listen[0];
    bool v6 = strchr(listen->host, ':') != NULL;
    snprintf(address, sizeof address, "%s%s%s:%d", v6 ? "[" : "", listen->host, v6 ? "]" : "",
        listen->port != 0 ? listen->port : CONFIG_DEFAULT_PORT);
    int status = founding_add(&founding, founder->node, address, err);
    return status == STATUS_OK
        ? founding_install(&founding, config->data, founder->node, config->log_map, err)
        : status;
}

static int found(const char *tls, const struct config *config, struct error *err)
{
    struct founding founding = {.epoch = 1};
    struct authority *authority;
    struct founder founder = {.tls = tls,
        .now_s = (int64_t)time(NULL),
        .node = random_id(),
        .school = random_id() % IDENTITY_SCHOOL_MAX + 1};
    random_bytes(founding.cluster, sizeof founding.cluster);
    int status = authority_create(&authority, founding.cluster, founder.now_s, err);
    if (status != STATUS_OK) {
        return status;
    }
    founder.authority = authority;
    status = authority_save(authority, tls, err);
    if (status == STATUS_OK) {
        status = issue_all(&founder, err);
    }
    if (status == STATUS_OK) {
        status = install(&founder, &founding, config, err);
    }
    authority_destroy(authority);
    return status;
}

static int found_anew(const struct config *config, struct error *err)
{
    char tls[DIRECTORY_PATH_SIZE];
    int status = directory_join(tls, config->data, "tls.new");
    if (status != STATUS_OK) {
        return error_set(err, status, "the path is too long: %s", config->data);
    }
    status = clear_tls(tls, err);
    if (status == STATUS_OK) {
        status = found(tls, config, err);
    }
    if (status != STATUS_OK && !founding_stands(config->data)) {
        (void)clear_tls(tls, NULL);
    }
    return status;
}

/* ---- taking a directory ---- */

static bool has(const char *dir, const char *name)
{
    char path[DIRECTORY_PATH_SIZE];
    struct stat st;
    return directory_join(path, dir, name) == STATUS_OK && stat(path, &st) == 0;
}

/* Looks before it makes anything: a directory that is refused is left as it was. */
static int take_vacant(struct store *store, const struct config *config, struct error *err)
{
    if (config->from_file || has(config->data, "tls")) {
        return store_refuse_empty(config->data, err);
    }
    int status = check_loopback(config, err);
    if (status == STATUS_OK) {
        status = founding_check(config->data, "tls.new", err);
    }
    if (status == STATUS_OK) {
        status = directory_make(config->data, err);
    }
    if (status == STATUS_OK) {
        status = store_lock(store, config->data, err);
    }
    /* Another first start may have been quicker. */
    return status == STATUS_OK && !founding_stands(config->data) ? found_anew(config, err) : status;
}

/* The last step of a first start. */
static int put_in_place(const struct store *store, struct error *err)
{
    char fresh[DIRECTORY_PATH_SIZE];
    char tls[DIRECTORY_PATH_SIZE];
    if (directory_join(fresh, store->path, "tls.new") != STATUS_OK ||
        directory_join(tls, store->path, "tls") != STATUS_OK) {
        return error_set(err, STATUS_TOO_LARGE, "the path is too long: %s", store->path);
    }
    bool placed = rename(fresh, tls) == 0;
    if (!placed && (errno == ENOENT || errno == ENOTEMPTY || errno == EEXIST)) {
        return STATUS_OK; /* It was done before. */
    }
    return placed && directory_sync(store->path) == STATUS_OK
        ? STATUS_OK
        : error_set(err, STATUS_IO, "cannot make %s: %s", tls, strerrordesc_np(errno));
}

bool alone_is(const struct store *store)
{
    return has(store->path, "tls/ca.key");
}

int alone_take(struct store *store, const struct config *config, struct error *err)
{
    int status = founding_stands(config->data) ? store_lock(store, config->data, err)
                                               : take_vacant(store, config, err);
    if (status != STATUS_OK || config->from_file) {
        return status;
    }
    status = put_in_place(store, err);
    return status == STATUS_OK && alone_is(store) ? check_loopback(config, err) : status;
}

/* ---- how to call it ---- */

static uint64_t school_of(const char *path)
{
    struct certificate certificate;
    bool read = certificate_describe(path, &certificate, NULL) == STATUS_OK;
    return read && certificate.identity.school_count > 0 ? certificate.identity.schools[0] : 0;
}

void alone_greet(const struct store *store, const char *host, int port)
{
    char joined[DIRECTORY_PATH_SIZE];
    char tls[PATH_MAX];
    char endpoint[CONFIG_HOST_SIZE + 16];
    bool v6 = strchr(host, ':') != NULL;
    if (directory_join(joined, store->path, "tls") != STATUS_OK || realpath(joined, tls) == NULL ||
        directory_join(joined, tls, "frontend.pem") != STATUS_OK) {
        return;
    }
    snprintf(endpoint, sizeof endpoint, "%s%s%s:%d", v6 ? "[" : "", host, v6 ? "]" : "", port);
    printf("zhurnald runs by itself. Certificates of each kind of caller are in %s. Try:\n", tls);
    printf("  zhurnalctl --endpoint %s --tls %s status\n", endpoint, tls);
    printf("  (--as auditor replay, --as frontend append; that front end is of school %" PRIu64
           ")\n",
        school_of(joined));
    (void)fflush(stdout);
}
