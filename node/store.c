#include "node/store.h"

#include "storage/damage.h"
#include <zhurnal/peer/v1/peer.pb-c.h>

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

int store_lock(struct store *store, const char *path, struct error *err)
{
    *store = (struct store){.state.fd = -1};
    (void)snprintf(store->path, sizeof store->path, "%s", path);
    return lock_take(&store->lock, path, err);
}

/* ---- is it whole? ---- */

int store_refuse_empty(const char *path, struct error *err)
{
    return error_set(err, STATUS_PRECONDITION,
        "%s holds no node's data. To make a founding member's: zhurnalctl init --data %s "
        "--founding FILE --node ID",
        path, path);
}

static bool has(const struct store *store, const char *name)
{
    char path[DIRECTORY_PATH_SIZE];
    struct stat st;
    return directory_join(path, store->path, name) == STATUS_OK && stat(path, &st) == 0;
}

static int check_whole(const struct store *store, struct error *err)
{
    bool state = has(store, "state");
    bool log = has(store, "log/data.mdb");
    if (!state && !log) {
        return store_refuse_empty(store->path, err);
    }
    if (!state) {
        return error_set(err, STATUS_PRECONDITION,
            "%s has a log but no state: what this node promised in elections is lost, and it may "
            "not take part. %s",
            store->path, DAMAGE_ADVICE);
    }
    if (!log) {
        return error_set(err, STATUS_PRECONDITION,
            "%s has a state but no log: what this node acknowledged is lost, and it may not take "
            "part. %s",
            store->path, DAMAGE_ADVICE);
    }
    return STATUS_OK;
}

/* ---- opening ---- */

static int open_state(struct store *store, struct error *err)
{
    char path[DIRECTORY_PATH_SIZE];
    int status = directory_join(path, store->path, "state");
    assert(status == STATUS_OK); /* "lock" is no shorter by more than the path has room for. */
    status = state_open(&store->state, path, err);
    if (status == STATUS_OK && store->state.identity.group == 0) {
        state_close(&store->state);
        return error_set(err, STATUS_CORRUPT, "%s names no group", path);
    }
    return status;
}

/* Index 1 names the cluster that the log belongs to. */
static int check_founding(struct store *store, struct txn *txn, struct error *err)
{
    struct record record;
    bool found = log_read(txn, &store->log, 1, &record);
    if (txn->status != STATUS_OK) {
        return log_explain(&store->log, 1, txn->status, err);
    }
    if (!found || record.kind != RECORD_MEMBERSHIP) {
        return error_set(err, STATUS_CORRUPT,
            "the log in %s does not begin with its members: it is damaged. %s", store->path,
            DAMAGE_ADVICE);
    }
    Zhurnal__Peer__V1__Membership *membership =
        zhurnal__peer__v1__membership__unpack(NULL, record.payload.size, record.payload.data);
    bool ours = membership != NULL && membership->cluster.len == UUID_SIZE &&
        memcmp(membership->cluster.data, store->state.identity.cluster, UUID_SIZE) == 0;
    zhurnal__peer__v1__membership__free_unpacked(membership, NULL);
    return ours ? STATUS_OK
                : error_set(err, STATUS_CORRUPT,
                      "log and state in %s are of different clusters: one of them was copied "
                      "there. Put the node's own back",
                      store->path);
}

/* Term and vote are on disk before anything of that term is. */
static int check_promises(
    const struct store *store, const struct log_bounds *bounds, struct error *err)
{
    if (bounds->last_term <= store->state.term) {
        return STATUS_OK;
    }
    return error_set(err, STATUS_PRECONDITION,
        "the state in %s is older than its log: one of them was copied or restored. Put the node's "
        "own back. Otherwise: %s",
        store->path, DAMAGE_ADVICE);
}

static int read_bounds(struct store *store, struct log_bounds *bounds, struct error *err)
{
    struct txn txn;
    txn_begin_read(&txn, &store->log_env);
    *bounds = log_bounds(&txn, &store->log);
    int status = txn.status;
    if (status == STATUS_OK) {
        status = check_founding(store, &txn, err);
    } else {
        log_explain(&store->log, 0, status, err);
    }
    txn_abort(&txn);
    return status == STATUS_OK ? check_promises(store, bounds, err) : status;
}

static int open_log(
    struct store *store, size_t map_size, struct log_bounds *bounds, struct error *err)
{
    char path[DIRECTORY_PATH_SIZE];
    char file[DIRECTORY_PATH_SIZE];
    const struct env_options options = log_env_options(map_size);
    if (directory_join(path, store->path, "log") != STATUS_OK ||
        directory_join(file, path, "data.mdb") != STATUS_OK) {
        return error_set(err, STATUS_TOO_LARGE, "the path is too long: %s", store->path);
    }
    int status = env_open(&store->log_env, path, &options, err);
    if (status == STATUS_CORRUPT) {
        const struct error why = *err;
        error_set(err, status, "%s. %s", why.text, DAMAGE_ADVICE);
    }
    if (status != STATUS_OK) {
        return status;
    }
    status = log_open(&store->log, &store->log_env, store->state.identity.group, err);
    if (status == STATUS_OK) {
        status = read_bounds(store, bounds, err);
    }
    if (status == STATUS_OK) {
        status = reserve_open(&store->log_reserve, file, 0, err);
    }
    if (status != STATUS_OK) {
        env_close(&store->log_env);
    }
    return status;
}

static int open_views(
    struct store *store, size_t map_size, const struct log_bounds *bounds, struct error *err)
{
    char name[32];
    char path[DIRECTORY_PATH_SIZE];
    char file[DIRECTORY_PATH_SIZE];
    uint32_t group = store->state.identity.group;
    const struct journal_options options = {.map_size = map_size};
    snprintf(name, sizeof name, "views/%" PRIu32, group);
    if (directory_join(path, store->path, name) != STATUS_OK) {
        return error_set(err, STATUS_TOO_LARGE, "the path is too long: %s", store->path);
    }
    int status = directory_make(path, err);
    if (status == STATUS_OK) {
        status = journal_open(&store->journal, path, group, &options, &store->applied, err);
    }
    /* What was applied is flushed in the log, though the log may not know yet that it is committed.
     * Views that went further are another log's. */
    if (status == STATUS_OK && store->applied > bounds->last_index) {
        journal_close(&store->journal, true);
        status = journal_open(&store->journal, path, group, &options, &store->applied, err);
        assert(status != STATUS_OK || store->applied == 0);
    }
    if (status != STATUS_OK) {
        return status;
    }
    status = directory_join(file, path, "data.mdb") == STATUS_OK
        ? reserve_open(&store->views_reserve, file, STORE_VIEWS_AHEAD, err)
        : error_set(err, STATUS_TOO_LARGE, "the path is too long: %s", store->path);
    if (status != STATUS_OK) {
        journal_close(&store->journal, false);
    }
    return status;
}

int store_open(struct store *store, const struct store_options *options, struct error *err)
{
    assert(store->lock.held && !store->open);

    struct log_bounds bounds = {0};
    int status = check_whole(store, err);
    if (status != STATUS_OK) {
        return status;
    }
    status = open_state(store, err);
    if (status != STATUS_OK) {
        return status;
    }
    status = open_log(store, options->log_map, &bounds, err);
    if (status == STATUS_OK) {
        status = open_views(store, options->views_map, &bounds, err);
        if (status != STATUS_OK) {
            reserve_close(&store->log_reserve);
            env_close(&store->log_env);
        }
    }
    if (status != STATUS_OK) {
        state_close(&store->state);
        return status;
    }
    store->rebuild_to = bounds.committed;
    store->open = true;
    return STATUS_OK;
}

void store_close(struct store *store, bool broken)
{
    if (store->open) {
        reserve_close(&store->views_reserve);
        journal_close(&store->journal, broken);
        reserve_close(&store->log_reserve);
        env_close(&store->log_env);
        state_close(&store->state);
        store->open = false;
    }
    lock_release(&store->lock);
}
