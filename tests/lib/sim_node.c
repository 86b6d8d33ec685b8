/* A node: a driver with its hooks tied to the simulation, a client, and whoever applies. */
#include "storage/founding.h"
#include "tests/lib/sim.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    RESTART_MAX_MS = 1500,
    READ_MAX_MS = 30,
    PULL_MAX_MS = 40,
    FLIGHT_HEARTBEATS = 5,
    PAYLOAD_MAX = 48,
};

static const int64_t wall_clock_start_ms = 1790000000000;

struct sim_node *sim_node(struct sim *sim, uint64_t id)
{
    assert(id > 0 && id <= sim->options.nodes);
    return &sim->nodes[id - 1];
}

static bool ends(const struct sim_node *node)
{
    return node->fatal[0] != '\0';
}

/* ---- hooks ---- */

static uint64_t hook_now_ms(void *arg)
{
    const struct sim_node *node = arg;
    return node->sim->now_ms;
}

static int64_t hook_wall_clock_ms(void *arg)
{
    const struct sim_node *node = arg;
    return wall_clock_start_ms + (int64_t)node->sim->now_ms;
}

static int hook_save(void *arg, uint64_t term, uint64_t vote)
{
    struct sim_node *node = arg;
    struct sim *sim = node->sim;
    int status = STATUS_OK;
    if (!sim_strikes(sim, sim->options.forget_permille)) {
        node->file.tear_permille = sim->quiet ? 0 : sim->options.tear_permille;
        status = state_save(&node->state, term, vote);
        node->file.tear_permille = 0;
    }
    if (status == STATUS_OK) {
        sim_check_saved(node, term, vote);
    }
    return status;
}

static void hook_write(void *arg, struct driver_write *write)
{
    sim_disk_queue(arg, write);
}

static void hook_ready(void *arg, uint64_t peer)
{
    struct sim_node *node = arg;
    node->ready |= 1U << (peer - 1);
}

static void hook_read(void *arg, uint64_t peer, uint64_t first, size_t count, size_t bytes_max)
{
    struct sim_node *node = arg;
    struct sim *sim = node->sim;
    unsigned slow = sim->quiet ? 0 : sim->options.read_ms;
    struct sim_event event = {.type = SIM_EVENT_READ,
        .at_ms = sim->now_ms + (slow > 0 ? slow : random_below(&sim->random, READ_MAX_MS)),
        .to = (unsigned)(node->id - 1),
        .from = (unsigned)(peer - 1),
        .stamp = node->life,
        .first = first,
        .count = count,
        .bytes_max = bytes_max};
    if (random_below(&sim->random, 2) == 0) {
        sim_read(node, &event); /* The log may have moved on when the loop hears of it. */
    }
    sim->count.cold_reads++;
    sim_schedule(sim, &event);
}

static void hook_pull(void *arg, uint64_t from, uint64_t to, uint64_t to_term)
{
    struct sim_node *node = arg;
    assert(!node->pulling && from <= to);
    node->pulling = true;
    node->pull_to = to;
    node->pull_to_term = to_term;
    node->sim->count.installs++;
    sim_schedule_pull(node, random_below(&node->sim->random, PULL_MAX_MS));
}

static void hook_moved(void *arg)
{
    (void)arg; /* The simulation looks after each call. */
}

static void hook_fatal(void *arg, int status, const char *why)
{
    struct sim_node *node = arg;
    (void)status;
    if (!ends(node)) {
        (void)snprintf(node->fatal, sizeof node->fatal, "%s", why);
    }
}

static const struct driver_hooks hooks = {
    .now_ms = hook_now_ms,
    .wall_clock_ms = hook_wall_clock_ms,
    .save = hook_save,
    .write = hook_write,
    .ready = hook_ready,
    .read = hook_read,
    .pull = hook_pull,
    .moved = hook_moved,
    .fatal = hook_fatal,
};

/* ---- up and down ---- */

static void load_promise(struct sim_node *node)
{
    const struct state_io io = sim_file_io(&node->file);
    int status = state_load(&node->state, &io);
    if (status != STATUS_OK) {
        sim_violation(node->sim, "node %u cannot load its promises", (unsigned)node->id);
    }
}

void sim_start(struct sim_node *node)
{
    struct sim *sim = node->sim;
    assert(!node->up);

    node->life++;
    node->ready = 0;
    node->pulling = node->pull_due = node->pull_unanswered = false;
    node->pull_next = (unsigned)node->id;
    node->fatal[0] = '\0';
    node->pending_count = 0;
    node->applied = 0;
    load_promise(node);
    int status = log_open(&node->log, &node->env, SIM_GROUP, NULL);
    assert(status == STATUS_OK);
    sim_check_started(node);
    const struct driver_options options = {.node = node->id,
        .group = SIM_GROUP,
        .seed = (unsigned)random_next(&sim->random),
        .election_timeout_ms = sim->options.election_ms,
        .heartbeat_ms = sim->options.heartbeat_ms,
        .inflight_entries = sim->options.inflight_entries,
        .snapshot_each = sim->options.snapshot_each,
        .tail_bytes = sim->options.tail_bytes,
        .outbox = {.flight_timeout_ms = sim->options.fifo
                ? 0
                : FLIGHT_HEARTBEATS * (uint64_t)sim->options.heartbeat_ms,
            .items_max = sim->options.outbox_items,
            .flight_bytes = sim->options.flight_bytes},
        .guards_off = sim->options.guards_off};
    const struct driver_world world = {.log = &node->log,
        .term = node->state.term,
        .vote = node->state.vote,
        .hooks = &hooks,
        .arg = node};
    struct error err = {0};
    status = sim->app->create != NULL
        ? sim->app->create(sim->app->arg, node, &options, &world, &err)
        : driver_create(&node->driver, &options, &world, &err);
    if (status != STATUS_OK) {
        if (!ends(node) || !node->file.broken) {
            sim_violation(sim, "node %u does not start: %s", (unsigned)node->id, err.text);
        }
        node->up = true; /* For the crash to take it down. */
        node->queue_head = node->queue_tail = NULL;
        sim_crash(node);
        return;
    }
    node->up = true;
    sim_trace_node(node, "is up");
    if (sim->app->start != NULL) {
        sim->app->start(sim->app->arg, node);
    }
    sim_net_node_up(node);
    sim_settle(node);
}

void sim_destroy(struct sim_node *node)
{
    const struct sim_app *app = node->sim->app;
    if (node->driver != NULL && app->destroy != NULL) {
        app->destroy(app->arg, node);
    } else {
        driver_destroy(node->driver);
    }
    node->driver = NULL;
}

void sim_crash_keeping(struct sim_node *node, size_t kept)
{
    struct sim *sim = node->sim;
    assert(node->up);

    sim_trace_node(node, "crashes");
    sim->count.crashes++;
    sim_disk_crash(node, kept);
    sim_file_crash(&node->file);
    node->up = false;
    if (node->driver != NULL && sim->app->stop != NULL) {
        sim->app->stop(sim->app->arg, node);
    }
    sim_destroy(node);
    sim_net_node_down(node);
    if (sim->options.scripted) {
        return;
    }
    const struct sim_event event = {.type = SIM_EVENT_RESTART,
        .at_ms = sim->now_ms + 1 + random_below(&sim->random, RESTART_MAX_MS),
        .to = (unsigned)(node->id - 1),
        .stamp = node->life};
    sim_schedule(sim, &event);
}

void sim_crash(struct sim_node *node)
{
    size_t queued = sim_disk_queued(node);
    sim_crash_keeping(node, random_below(&node->sim->random, (unsigned)queued + 1));
}

struct sim_node *sim_leader(struct sim *sim)
{
    struct sim_node *leader = NULL;
    uint64_t term = 0;
    for (unsigned i = 0; i < sim->options.nodes; i++) {
        if (!sim->nodes[i].up) {
            continue;
        }
        const struct driver_status status = driver_status(sim->nodes[i].driver);
        if (status.role == DRIVER_LEADER && status.term > term) {
            leader = &sim->nodes[i];
            term = status.term;
        }
    }
    return leader;
}

/* ---- clients ---- */

static struct payload *next_payload(struct sim_node *node)
{
    struct sim *sim = node->sim;
    if (sim->app->submit != NULL) {
        return sim->app->submit(sim->app->arg, node);
    }
    uint64_t id = ++sim->written;
    size_t size = sizeof id + random_below(&sim->random, PAYLOAD_MAX);
    struct payload *payload = payload_create(NULL, size);
    assert(payload != NULL);
    memcpy(payload->data, &id, sizeof id);
    return payload;
}

static bool submit(struct sim_node *node, const struct driver_entry *entries, unsigned count)
{
    uint64_t first = 0;
    const uint64_t term = driver_status(node->driver).term;
    if (driver_submit(node->driver, entries, count, &first) != STATUS_OK) {
        return false;
    }
    for (unsigned i = 0; i < count && node->pending_count < SIM_PENDING_MAX; i++) {
        const struct record record = {.index = first + i,
            .term = term,
            .kind = entries[i].kind,
            .payload = payload_bytes(entries[i].payload)};
        node->pending[node->pending_count++] = (struct sim_pending){
            .index = record.index, .term = term, .digest = sim_entry_of(&record).digest};
    }
    return true;
}

bool sim_submit(struct sim_node *node, unsigned count)
{
    enum { AT_MOST = 64 };
    struct driver_entry entries[AT_MOST];
    assert(count > 0 && count <= AT_MOST);

    const struct sim_app *app = node->sim->app;
    if (app->write != NULL) {
        bool taken = false;
        for (unsigned i = 0; i < count; i++) {
            taken |= app->write(app->arg, node);
        }
        sim_settle(node);
        return taken;
    }
    for (unsigned i = 0; i < count; i++) {
        entries[i] = (struct driver_entry){.kind = RECORD_COMMAND, .payload = next_payload(node)};
    }
    bool taken = submit(node, entries, count);
    for (unsigned i = 0; i < count; i++) {
        payload_unref(entries[i].payload);
    }
    sim_settle(node);
    return taken;
}

bool sim_submit_payload(struct sim_node *node, struct payload *payload)
{
    const struct driver_entry entry = {.kind = RECORD_COMMAND, .payload = payload};
    bool taken = submit(node, &entry, 1);
    payload_unref(payload);
    sim_settle(node);
    return taken;
}

void sim_transfer(struct sim_node *node, uint64_t to)
{
    driver_transfer(node->driver, to);
    sim_settle(node);
}

void sim_tick(struct sim_node *node)
{
    const struct sim_app *app = node->sim->app;
    if (app->tick != NULL) {
        app->tick(app->arg, node);
    } else {
        driver_tick(node->driver);
    }
    sim_settle(node);
}

/* ---- after each call ---- */

bool sim_entry_at(struct sim_node *node, uint64_t index, struct txn *txn, struct record *record)
{
    if (driver_entry_in_memory(node->driver, index, record)) {
        return true;
    }
    if (txn->env == NULL) {
        txn_begin_read(txn, &node->env);
    }
    return log_read(txn, &node->log, index, record);
}

/* A leader that is deposed tells its clients that the outcome is unknown. */
static void answer_clients(struct sim_node *node)
{
    const struct driver_status status = driver_status(node->driver);
    size_t left = 0;
    for (size_t i = 0; i < node->pending_count; i++) {
        const struct sim_pending *pending = &node->pending[i];
        bool leads = status.role == DRIVER_LEADER && status.term == pending->term;
        if (leads && pending->index <= node->applied) {
            sim_check_acknowledged(node, pending);
        } else if (leads) {
            node->pending[left++] = *pending;
        }
    }
    node->pending_count = left;
}

static void apply(struct sim_node *node)
{
    struct sim *sim = node->sim;
    const uint64_t applicable = driver_status(node->driver).applicable;
    struct txn txn = {0};
    while (node->applied < applicable) {
        struct record record;
        if (!sim_entry_at(node, node->applied + 1, &txn, &record)) {
            sim_violation(sim, "node %u may apply %u, and has it not", (unsigned)node->id,
                (unsigned)node->applied + 1);
            break;
        }
        node->applied++;
        if (sim->app->applied != NULL) {
            sim->app->applied(sim->app->arg, node, &record);
        }
    }
    if (txn.env != NULL) {
        txn_abort(&txn);
    }
}

void sim_settle(struct sim_node *node)
{
    struct sim *sim = node->sim;
    if (node->up && !ends(node)) {
        sim_check_node(node);
        if (sim->app->settled != NULL) {
            sim->app->settled(sim->app->arg, node);
            sim_check_node(node);
        }
        apply(node);
        if (sim->app->write == NULL) {
            answer_clients(node);
        }
        node->pulling &= driver_status(node->driver).install_to > 0;
        if (node->pulling && !node->pull_due && driver_wants_pull(node->driver) > 0) {
            sim_schedule_pull(node, random_below(&sim->random, PULL_MAX_MS));
        }
        sim_net_pump(node);
    }
    if (node->up && ends(node)) {
        if (!node->file.broken) {
            sim_violation(sim, "node %u stops: %s", (unsigned)node->id, node->fatal);
        }
        sim_crash(node);
    }
}
