#include "node/alone.h"
#include "node/daemon_private.h"
#include "node/descriptors.h"
#include "proto/version.h"

#include <assert.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { NS_IN_MS = 1000000 };

/* ---- the data directory ---- */

static int open_store(struct daemon *d, struct error *err)
{
    const struct config *config = d->config;
    const struct store_options options = {
        .log_map = config->log_map, .views_map = config->views_map};
    int status = alone_take(&d->store, config, err);
    if (status == STATUS_OK) {
        status = store_open(&d->store, &options, err);
    }
    const struct state_identity *own = &d->store.state.identity;
    if (status == STATUS_OK) {
        status = directories_check(&d->store.journal, own->node, own->directory, err);
        status = status == STATUS_NOT_FOUND ? STATUS_OK : status;
    }
    return status;
}

/* ---- certificates ---- */

static int check_certificate(
    const struct daemon *d, const struct tls_context *context, struct error *err)
{
    const struct state_identity *own = &d->store.state.identity;
    const struct identity *identity = tls_context_identity(context);
    char id[HEX_ID_SIZE];
    int status = identity_check_cluster(identity, own->cluster, err);
    if (status != STATUS_OK) {
        return error_wrap(err, status, "%s", d->config->certificate);
    }
    if (identity->kind != IDENTITY_NODE || identity->node != own->node) {
        return error_set(err, STATUS_INVALID,
            "%s is of %s %s, but %s is the data of node %s: use the certificate of that node",
            d->config->certificate, identity_kind_text(identity->kind), identity->name,
            d->store.path, hex_id(own->node, id));
    }
    return STATUS_OK;
}

static int load_tls(
    struct daemon *d, struct tls_context **server, struct tls_context **client, struct error *err)
{
    const struct tls_files files = {.authority = d->config->authority,
        .certificate = d->config->certificate,
        .key = d->config->key};
    *client = NULL;
    int status = tls_context_load(server, TLS_SERVER, &files, err);
    if (status == STATUS_OK) {
        status = tls_context_load(client, TLS_CLIENT, &files, err);
    }
    if (status == STATUS_OK) {
        status = check_certificate(d, *server, err);
    }
    if (status != STATUS_OK) {
        tls_context_destroy(*server);
        tls_context_destroy(*client);
        *server = *client = NULL;
    }
    return status;
}

/* ---- signals ---- */

static void on_end(uv_signal_t *handle, int number)
{
    struct daemon *d = handle->data;
    if (d->stage != DAEMON_RUNNING) {
        log_warn("told to end at once: signal=%d", number);
        _exit(DAEMON_REFUSED);
    }
    log_info("the node stops: signal=%d", number);
    daemon_stop(d);
}

static void on_hangup(uv_signal_t *handle, int number)
{
    struct daemon *d = handle->data;
    struct tls_context *server;
    struct tls_context *client;
    struct error err;
    (void)number;
    if (d->stage != DAEMON_RUNNING) {
        return;
    }
    if (load_tls(d, &server, &client, &err) != STATUS_OK) {
        log_error("the certificates stay as they were: why=\"%s\"", err.text);
        return;
    }
    rpc_server_set_tls(d->server, server);
    peers_set_tls(d->peers, client);
    d->directories.self = tls_context_identity(server);
    tls_context_destroy(d->server_tls);
    tls_context_destroy(d->client_tls);
    d->server_tls = server;
    d->client_tls = client;
    log_info("the certificates are read anew");
}

/* ---- the loop's handles ---- */

static int open_loop(struct daemon *d, struct error *err)
{
    if (uv_loop_init(&d->loop) != 0) {
        return error_set(err, STATUS_NO_MEMORY, "the system gives no event loop");
    }
    (void)uv_prepare_init(&d->loop, &d->turn);
    (void)uv_timer_init(&d->loop, &d->timer);
    (void)uv_timer_init(&d->loop, &d->stop_timer);
    d->turn.data = d->timer.data = d->stop_timer.data = d;
    d->terminate.data = d->interrupt.data = d->hangup.data = d;
    bool failed = uv_signal_init(&d->loop, &d->terminate) != 0 ||
        uv_signal_init(&d->loop, &d->interrupt) != 0 || uv_signal_init(&d->loop, &d->hangup) != 0 ||
        uv_signal_start(&d->terminate, on_end, SIGTERM) != 0 ||
        uv_signal_start(&d->interrupt, on_end, SIGINT) != 0 ||
        uv_signal_start(&d->hangup, on_hangup, SIGHUP) != 0;
    d->loop_open = !failed;
    return failed ? error_set(err, STATUS_INTERNAL, "the system gives no signals") : STATUS_OK;
}

/* ---- server, services, peers ---- */

static void on_connection(
    void *context, const char *peer, const struct identity *identity, const char *why)
{
    (void)context;
    if (identity == NULL && why != NULL) {
        log_warn("a connection was refused: peer=%s why=\"%s\"", peer, why);
    } else if (identity != NULL) {
        log_debug("a connection %s: peer=%s kind=%s why=\"%s\"", why == NULL ? "came" : "ended",
            peer, identity_kind_text(identity->kind), why == NULL ? "" : why);
    }
}

static unsigned connections_max(const struct config *config)
{
    unsigned wanted = config->connections_max > 0 ? config->connections_max : RPC_CONNECTIONS_MAX;
    unsigned most = descriptors_for_clients(wanted);
    if (most < wanted) {
        log_warn("there are too few file descriptors for so many connections (ulimit -n, "
                 "LimitNOFILE): connections=%u wanted=%u",
            most, wanted);
    }
    return most;
}

static int create_server(struct daemon *d, struct error *err)
{
    const struct rpc_server_options options = {.tls = d->server_tls,
        .request_max = SERVICE_MESSAGE_MAX,
        .connections_max = connections_max(d->config),
        .on_connection = on_connection,
        .context = d};
    const struct peers_options peers = {.tls = d->client_tls,
        .identity = d->store.state.identity,
        .level_max = JOURNAL_LEVEL_MAX,
        .version = ZHURNAL_VERSION,
        .log = &d->store.log};
    d->server = rpc_server_create(&d->loop, &options);
    d->health = d->server == NULL ? NULL : rpc_health_create(d->server);
    d->peers = d->health == NULL
        ? NULL
        : peers_create(&d->loop, d->server, &peers, &daemon_peers_hooks, d);
    d->pool.loop = &d->loop;
    d->service = (struct service){.loop = &d->loop,
        .pool = &d->pool,
        .store = &d->store,
        .peers = d->peers,
        .started_ms = uv_now(&d->loop)};
    bool failed = d->peers == NULL ||
        service_journal_register(&d->service, d->server) != STATUS_OK ||
        service_log_register(&d->service, d->server) != STATUS_OK ||
        service_cluster_register(&d->service, d->server) != STATUS_OK;
    return failed ? error_set(err, STATUS_NO_MEMORY, "out of memory for the server") : STATUS_OK;
}

/* What to do where an address is not to be had. */
static int refuse_listen(const struct daemon *d, struct error *err)
{
    const struct error why = *err;
    return error_set(err, why.status, "%s. %s", why.text,
        d->config->from_file
            ? "Is a zhurnald running already? Another address goes to listen under [node]"
            : "Another port will do: --listen 127.0.0.1:0 takes one that is free");
}

static int listen_all(struct daemon *d, struct error *err)
{
    for (unsigned i = 0; i < d->config->listen_count; i++) {
        const struct config_listen *listen = &d->config->listen[i];
        int port = listen->port;
        int status = rpc_server_listen(d->server, listen->host, &port, err);
        if (status != STATUS_OK) {
            return refuse_listen(d, err);
        }
        log_info("listening: address=%s port=%d", listen->host, port);
        d->port = i == 0 ? port : d->port;
    }
    return STATUS_OK;
}

/* ---- the group ---- */

static int create_group(struct daemon *d, struct error *err)
{
    struct store *store = &d->store;
    const struct group_world world = daemon_world(d);
    const struct group_options options = {.driver = {.node = store->state.identity.node,
                                              .group = store->state.identity.group,
                                              .seed = (unsigned)random_id()},
        .log = &store->log,
        .journal = &store->journal,
        .applied = store->applied,
        .term = store->state.term,
        .vote = store->state.vote};
    int status = writer_start(
        &d->writer, &d->loop, &store->log, &store->log_reserve, &daemon_writer_hooks, d);
    if (status == STATUS_OK) {
        status =
            applier_start(&d->applier, &d->loop, &store->journal, &store->log, daemon_applied, d);
    }
    if (status != STATUS_OK) {
        return error_set(err, status, "the system gives no thread");
    }
    directories_init(&d->directories, &store->state.identity, tls_context_identity(d->server_tls),
        daemon_denied, d);
    status = group_create(&d->group, &options, &world, err);
    if (status == STATUS_OK) {
        d->service.group = d->group;
        d->directories.group = d->group;
        d->woken = true;
        (void)uv_prepare_start(&d->turn, daemon_on_turn);
    }
    return status;
}

/* ---- start and end ---- */

static int start(struct daemon *d, struct error *err)
{
    char id[HEX_ID_SIZE];
    int status = load_tls(d, &d->server_tls, &d->client_tls, err);
    if (status == STATUS_OK) {
        status = open_loop(d, err);
    }
    if (status == STATUS_OK) {
        status = create_server(d, err);
    }
    if (status == STATUS_OK) {
        status = listen_all(d, err);
    }
    if (status == STATUS_OK) {
        status = create_group(d, err);
    }
    if (status != STATUS_OK) {
        return status;
    }
    log_info("the node starts: version=%s node=%s data=%s applied=%" PRIu64 " committed=%" PRIu64,
        ZHURNAL_VERSION, hex_id(d->store.state.identity.node, id), d->store.path, d->store.applied,
        d->store.rebuild_to);
    if (!d->config->from_file && alone_is(&d->store)) {
        alone_greet(&d->store, d->config->listen[0].host, d->port);
    }
    return STATUS_OK;
}

static void run_loop(struct daemon *d)
{
    (void)uv_run(&d->loop, UV_RUN_DEFAULT);
    int rc = uv_loop_close(&d->loop);
    assert(rc == 0);
    (void)rc;
}

/* A full disk is nobody's mistake: there may be room at the next start. */
static int exit_code(int status)
{
    switch (status) {
    case STATUS_OK:
        return DAEMON_OK;
    case STATUS_FULL:
        return DAEMON_FATAL;
    default:
        return DAEMON_REFUSED;
    }
}

int daemon_run(const struct config *config)
{
    struct error err;
    struct daemon *d = calloc(1, sizeof *d);
    if (d == NULL) {
        log_error("out of memory");
        return DAEMON_REFUSED;
    }
    d->config = config;
    (void)signal(SIGPIPE, SIG_IGN);
    logline_set_level(config->level);
    tls_library_init();
    int status = open_store(d, &err);
    if (status == STATUS_OK) {
        status = start(d, &err);
    }
    if (status != STATUS_OK) {
        log_error("the node does not start: why=\"%s\"", err.text);
    }
    if (d->loop_open) {
        if (status != STATUS_OK) {
            daemon_stop(d);
        }
        run_loop(d);
    }
    tls_context_destroy(d->server_tls);
    tls_context_destroy(d->client_tls);
    store_close(&d->store, false);
    status = d->denied ? STATUS_DENIED : status;
    free(d);
    if (status == STATUS_OK) {
        log_info("the node has stopped");
    }
    return exit_code(status);
}
