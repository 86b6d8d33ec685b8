#include "storage/founding.h"

#include "proto/hex.h"
#include "storage/directory.h"
#include "storage/log.h"
#include "storage/state.h"
#include <zhurnal/peer/v1/peer.pb-c.h>

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- members ---- */

static bool port_is_valid(const char *text)
{
    enum { DIGITS_MAX = 5, PORT_MAX = 65535 };
    unsigned port = 0;
    size_t n = 0;
    for (; text[n] >= '0' && text[n] <= '9' && n <= DIGITS_MAX; n++) {
        port = port * 10 + (unsigned)(text[n] - '0');
    }
    return n > 0 && text[n] == 0 && text[0] != '0' && port <= PORT_MAX;
}

/* A name or an IPv4 address, or an IPv6 address in brackets: then the last colon is the port's. */
static bool host_is_valid(const char *host, size_t size)
{
    static const char name_characters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    static const char ipv6_characters[] = "0123456789abcdefABCDEF:.";
    if (size > 2 && host[0] == '[') {
        return strspn(host + 1, ipv6_characters) == size - 2 && host[size - 1] == ']';
    }
    return size > 0 && strspn(host, name_characters) == size;
}

static bool address_is_valid(const char *address)
{
    const char *colon = strrchr(address, ':');
    return colon != NULL && strlen(address) < FOUNDING_ADDRESS_SIZE &&
        host_is_valid(address, (size_t)(colon - address)) && port_is_valid(colon + 1);
}

static const struct founding_member *holder_of(const struct founding *founding, const char *address)
{
    for (unsigned i = 0; i < founding->count; i++) {
        if (strcmp(founding->members[i].address, address) == 0) {
            return &founding->members[i];
        }
    }
    return NULL;
}

int founding_add(struct founding *founding, uint64_t node, const char *address, struct error *err)
{
    char id[HEX_ID_SIZE];
    if (node == 0) {
        return error_set(err, STATUS_INVALID, "a node's id cannot be 0");
    }
    if (!address_is_valid(address)) {
        return error_set(err, STATUS_INVALID,
            "member %s: '%s' is not HOST:PORT, of at most %d characters", hex_id(node, id), address,
            FOUNDING_ADDRESS_SIZE - 1);
    }
    unsigned at = founding->count;
    while (at > 0 && founding->members[at - 1].node >= node) {
        at--;
    }
    if (at < founding->count && founding->members[at].node == node) {
        return error_set(err, STATUS_INVALID, "member %s is named twice", hex_id(node, id));
    }
    if (holder_of(founding, address) != NULL) {
        return error_set(err, STATUS_INVALID,
            "member %s: '%s' is another member's address too: give each its own", hex_id(node, id),
            address);
    }
    if (founding->count == FOUNDING_MEMBERS_MAX) {
        return error_set(
            err, STATUS_INVALID, "a cluster begins with at most %d members", FOUNDING_MEMBERS_MAX);
    }
    memmove(&founding->members[at + 1], &founding->members[at],
        (founding->count - at) * sizeof founding->members[0]);
    struct founding_member *member = &founding->members[at];
    *member = (struct founding_member){.node = node};
    memcpy(member->address, address, strlen(address) + 1);
    founding->count++;
    return STATUS_OK;
}

static bool is_member(const struct founding *founding, uint64_t node)
{
    for (unsigned i = 0; i < founding->count; i++) {
        if (founding->members[i].node == node) {
            return true;
        }
    }
    return false;
}

/* ---- index 1 ---- */

int founding_membership(const struct founding *founding, uint8_t **payload, size_t *size)
{
    Zhurnal__Peer__V1__Member members[FOUNDING_MEMBERS_MAX];
    Zhurnal__Peer__V1__Member *pointers[FOUNDING_MEMBERS_MAX];
    for (unsigned i = 0; i < founding->count; i++) {
        assert(i == 0 || founding->members[i - 1].node < founding->members[i].node);
        zhurnal__peer__v1__member__init(&members[i]);
        members[i].node = founding->members[i].node;
        members[i].address = (char *)founding->members[i].address;
        members[i].role = ZHURNAL__PEER__V1__MEMBER_ROLE__MEMBER_ROLE_VOTER;
        pointers[i] = &members[i];
    }
    Zhurnal__Peer__V1__Membership message;
    zhurnal__peer__v1__membership__init(&message);
    message.cluster.data = (uint8_t *)founding->cluster;
    message.cluster.len = UUID_SIZE;
    message.epoch = founding->epoch;
    message.n_members = founding->count;
    message.members = pointers;
    message.who = (char *)"founding";
    message.why = (char *)"";

    *size = zhurnal__peer__v1__membership__get_packed_size(&message);
    *payload = malloc(*size);
    if (*payload == NULL) {
        return STATUS_NO_MEMORY;
    }
    size_t packed = zhurnal__peer__v1__membership__pack(&message, *payload);
    assert(packed == *size);
    return STATUS_OK;
}

/* ---- a data directory ---- */

/* What we cannot look for counts as there: nothing is founded over it. */
static bool holds(const char *dir, const char *name)
{
    char path[DIRECTORY_PATH_SIZE];
    struct stat st;
    return directory_join(path, dir, name) != STATUS_OK || lstat(path, &st) == 0 ||
        (errno != ENOENT && errno != ENOTDIR);
}

bool founding_stands(const char *dir)
{
    return holds(dir, "state") || (holds(dir, "log/data.mdb") && !holds(dir, "state.new"));
}

static int refuse_founded(const char *dir, struct error *err)
{
    char path[DIRECTORY_PATH_SIZE];
    char node[HEX_ID_SIZE];
    char cluster[2 * UUID_SIZE + 1];
    struct state_identity own;
    int status = directory_join(path, dir, "state");
    if (status == STATUS_OK) {
        status = state_identify(path, &own);
    }
    if (status != STATUS_OK) {
        return error_set(err, STATUS_EXISTS,
            "%s has a state that does not read (%s): it may be a node's data. Give an empty "
            "directory",
            dir, status_text(status));
    }
    return error_set(err, STATUS_EXISTS,
        "%s is the data of node %s of cluster %s already: start it with zhurnald --config FILE",
        dir, hex_id(own.node, node), hex_encode(own.cluster, UUID_SIZE, cluster));
}

static int check_vacant(const char *dir, struct error *err)
{
    if (holds(dir, "state")) {
        return refuse_founded(dir, err);
    }
    if (founding_stands(dir)) {
        return error_set(err, STATUS_EXISTS,
            "%s has a log but no state: what its node promised in elections is lost, and it is "
            "never founded anew. Keep it, and give an empty directory",
            dir);
    }
    return STATUS_OK;
}

static bool is_expected(const char *name, const char *also)
{
    static const char *const expected[] = {
        ".", "..", "lock", "lost+found", "tls", "state.new", "log"};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        if (strcmp(name, expected[i]) == 0) {
            return true;
        }
    }
    return also != NULL && strcmp(name, also) == 0;
}

/* The first by name; stranger stays "" where there is none, or no directory. */
static int find_stranger(
    const char *dir, const char *also, char stranger[NAME_MAX + 1], struct error *err)
{
    DIR *stream = opendir(dir);
    if (stream == NULL) {
        return errno == ENOENT
            ? STATUS_OK
            : error_set(err, STATUS_IO, "cannot look into %s: %s", dir, strerrordesc_np(errno));
    }
    struct dirent *entry;
    while ((entry = readdir(stream)) != NULL) { // NOLINT(concurrency-mt-unsafe): it is ours alone
        bool first = stranger[0] == 0 || strcmp(entry->d_name, stranger) < 0;
        if (first && !is_expected(entry->d_name, also)) {
            (void)snprintf(stranger, NAME_MAX + 1, "%s", entry->d_name);
        }
    }
    (void)closedir(stream);
    return STATUS_OK;
}

int founding_check(const char *dir, const char *also, struct error *err)
{
    char stranger[NAME_MAX + 1] = "";
    int status = check_vacant(dir, err);
    if (status == STATUS_OK) {
        status = find_stranger(dir, also, stranger, err);
    }
    if (status != STATUS_OK || stranger[0] == 0) {
        return status;
    }
    return error_set(err, STATUS_EXISTS,
        "%s is not empty: %s stands there. Give an empty directory", dir, stranger);
}

static int write_first_record(struct env *env, struct bytes payload, struct error *err)
{
    struct log log;
    int status = log_open(&log, env, FOUNDING_GROUP, err);
    if (status != STATUS_OK) {
        return status;
    }
    struct record record = {
        .index = 1, .term = FOUNDING_TERM, .kind = RECORD_MEMBERSHIP, .payload = payload};
    struct log_write write = {
        .records = &record, .count = 1, .committed = 1, .membership_index = 1};
    struct txn txn;
    txn_begin_write(&txn, env);
    log_write(&txn, &log, &write);
    status = txn_commit(&txn);
    return status == STATUS_OK
        ? STATUS_OK
        : error_set(err, status, "cannot write the first record: %s", status_text(status));
}

static int make_log(
    const struct founding *founding, const char *path, size_t map_size, struct error *err)
{
    uint8_t *payload;
    size_t size;
    int status = founding_membership(founding, &payload, &size);
    if (status != STATUS_OK) {
        return error_set(err, status, "%s", status_text(status));
    }
    struct env env;
    struct env_options options = log_env_options(map_size);
    status = env_open(&env, path, &options, err);
    if (status == STATUS_OK) {
        status = write_first_record(&env, bytes_of(payload, size), err);
        env_close(&env);
    }
    free(payload);
    return status;
}

static int clear_log(const char *path, struct error *err)
{
    static const char *const names[] = {"data.mdb", "lock.mdb"};
    char file[DIRECTORY_PATH_SIZE];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (directory_join(file, path, names[i]) != STATUS_OK) {
            return error_set(err, STATUS_TOO_LARGE, "the path is too long: %s", path);
        }
        if (unlink(file) != 0 && errno != ENOENT) {
            return error_set(err, STATUS_IO, "cannot remove %s: %s", file, strerrordesc_np(errno));
        }
    }
    (void)rmdir(path);
    return STATUS_OK;
}

/* After a failure. The mark that the log is nobody's goes when the log is certainly gone. */
static void clear(const char *dir, const char *log_path)
{
    char fresh[DIRECTORY_PATH_SIZE];
    if (holds(dir, "state")) {
        return;
    }
    (void)clear_log(log_path, NULL);
    if (!holds(dir, "log") && directory_sync(dir) == STATUS_OK &&
        directory_join(fresh, dir, "state.new") == STATUS_OK) {
        (void)unlink(fresh);
    }
}

/* In the order that founding.h tells of. */
static int write_all(const struct founding *founding, const struct state_identity *identity,
    const char *state_path, const char *log_path, size_t map_size, struct error *err)
{
    int status = state_prepare(state_path, identity, FOUNDING_TERM, err);
    if (status == STATUS_OK) {
        status = clear_log(log_path, err);
    }
    if (status == STATUS_OK) {
        status = make_log(founding, log_path, map_size, err);
    }
    return status == STATUS_OK ? state_install(state_path, err) : status;
}

int founding_install(const struct founding *founding, const char *dir, uint64_t node,
    size_t map_size, struct error *err)
{
    char id[HEX_ID_SIZE];
    char log_path[DIRECTORY_PATH_SIZE];
    char state_path[DIRECTORY_PATH_SIZE];
    if (!is_member(founding, node)) {
        return error_set(
            err, STATUS_INVALID, "node %s is not among the founding members", hex_id(node, id));
    }
    if (directory_join(log_path, dir, "log") != STATUS_OK ||
        directory_join(state_path, dir, "state") != STATUS_OK) {
        return error_set(err, STATUS_TOO_LARGE, "the path is too long: %s", dir);
    }
    int status = check_vacant(dir, err);
    if (status == STATUS_OK) {
        status = directory_make(dir, err);
    }
    if (status != STATUS_OK) {
        return status;
    }
    struct state_identity identity = {
        .epoch = founding->epoch, .node = node, .group = FOUNDING_GROUP};
    memcpy(identity.cluster, founding->cluster, UUID_SIZE);
    random_bytes(identity.directory, UUID_SIZE);
    status = write_all(founding, &identity, state_path, log_path, map_size, err);
    if (status != STATUS_OK) {
        clear(dir, log_path);
    }
    return status;
}
