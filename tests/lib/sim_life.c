/* A cluster's life: it is made, things go wrong, they stop going wrong, and it is looked at. */
#include "storage/founding.h"
#include "tests/lib/sim.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    MAP_SIZE = 256 << 20,
    PATH_SIZE = 512,
    START_MS = 1000,
    ACTION_MAX_MS = 60,
    PROGRESS_ELECTIONS = 10,
    SUBMIT_MAX = 8,
};

/* ---- the place ---- */

void sim_open(struct sim *sim, const char *directory)
{
    *sim = (struct sim){0};
    // NOLINTNEXTLINE(concurrency-mt-unsafe): one thread
    sim->trace = getenv("SIM_TRACE") != NULL;
    for (unsigned i = 0; i < SIM_NODES_MAX; i++) {
        struct sim_node *node = &sim->nodes[i];
        char path[PATH_SIZE];
        (void)snprintf(path, sizeof path, "%s/%u", directory, i + 1);
        struct env_options options = log_env_options(MAP_SIZE);
        options.sync = false;
        node->sim = sim;
        node->id = i + 1;
        node->file.random = &sim->random;
        int status = env_open(&node->env, path, &options, NULL);
        assert(status == STATUS_OK);
        status = log_open(&node->log, &node->env, SIM_GROUP, NULL);
        assert(status == STATUS_OK);
        node->pending = calloc(SIM_PENDING_MAX, sizeof *node->pending);
        assert(node->pending != NULL);
    }
}

void sim_close(struct sim *sim)
{
    sim_end(sim);
    for (unsigned i = 0; i < SIM_NODES_MAX; i++) {
        env_close(&sim->nodes[i].env);
        free(sim->nodes[i].disk.entries);
        free(sim->nodes[i].pending);
    }
    free(sim->events);
    free(sim->box);
    free(sim->committed.entries);
    free(sim->leaders);
    free(sim->acks);
}

/* ---- a cluster ---- */

static void found(struct sim_node *node)
{
    const struct state_identity identity = {.epoch = 1, .node = node->id, .group = SIM_GROUP};
    const struct state_io io = sim_file_io(&node->file);
    memset(node->file.written, 0, sizeof node->file.written);
    node->file.broken = false;
    node->file.tear_permille = 0;
    int status = state_format(&node->state, &io, &identity, FOUNDING_TERM);
    assert(status == STATUS_OK);
    node->promised_term = FOUNDING_TERM;
    node->promised_vote = 0;
    sim_disk_format(node);
}

void sim_begin(struct sim *sim, const struct sim_options *options, const struct sim_app *app)
{
    static const struct sim_app none;
    assert(options->nodes > 0 && options->nodes <= SIM_NODES_MAX);

    sim_end(sim);
    sim->options = *options;
    sim->options.election_ms = options->election_ms > 0 ? options->election_ms : SIM_ELECTION_MS;
    sim->options.heartbeat_ms =
        options->heartbeat_ms > 0 ? options->heartbeat_ms : SIM_HEARTBEAT_MS;
    sim->app = app != NULL ? app : &none;
    sim->random.state = options->seed;
    sim->now_ms = START_MS;
    sim->order = 0;
    sim->quiet = false;
    sim->absent = 0;
    sim_check_reset(sim);
    for (unsigned i = 0; i < options->nodes; i++) {
        found(&sim->nodes[i]);
    }
    for (unsigned i = 0; i < options->nodes && !options->asleep; i++) {
        sim_start(&sim->nodes[i]);
    }
}

void sim_end(struct sim *sim)
{
    for (unsigned i = 0; i < SIM_NODES_MAX; i++) {
        struct sim_node *node = &sim->nodes[i];
        if (node->up && sim->app->stop != NULL) {
            sim->app->stop(sim->app->arg, node);
        }
        sim_destroy(node);
        node->up = false;
        node->full = node->hung = false;
        node->queue_head = node->queue_tail = NULL;
        node->batch = node->durable = 0;
    }
    sim_net_reset(sim);
}

/* ---- time ---- */

static void happen(struct sim *sim, struct sim_event *event)
{
    struct sim_node *node = &sim->nodes[event->to];
    bool alive = node->up && node->life == event->stamp;
    switch (event->type) {
    case SIM_EVENT_DELIVER:
        sim_net_deliver(sim, event);
        break;
    case SIM_EVENT_CONNECT:
        sim_net_connect(sim, event);
        break;
    case SIM_EVENT_DISK:
        if (alive) {
            sim_disk_done(node);
        }
        break;
    case SIM_EVENT_READ:
        if (alive) {
            sim_node_read(node, event);
        } else {
            free(event->records);
        }
        break;
    case SIM_EVENT_PULL:
        if (alive) {
            sim_node_pull(node);
        }
        break;
    case SIM_EVENT_RESTART:
        if (!node->up && node->life == event->stamp) {
            sim_start(node);
        }
        break;
    }
}

static struct sim_node *next_timer(struct sim *sim, uint64_t *at_ms)
{
    struct sim_node *first = NULL;
    for (unsigned i = 0; i < sim->options.nodes; i++) {
        if (sim->nodes[i].up) {
            uint64_t due = driver_deadline(sim->nodes[i].driver);
            if (due < *at_ms || (first == NULL && due == *at_ms)) {
                first = &sim->nodes[i];
                *at_ms = due;
            }
        }
    }
    return first;
}

bool sim_step(struct sim *sim, uint64_t until_ms)
{
    uint64_t timer_ms = until_ms;
    struct sim_node *timer = next_timer(sim, &timer_ms);
    struct sim_event event;
    if (sim_next_event(sim, timer != NULL ? timer_ms : until_ms, &event)) {
        sim->now_ms = event.at_ms;
        sim->count.steps++;
        happen(sim, &event);
        return true;
    }
    if (timer == NULL) {
        sim->now_ms = until_ms;
        return false;
    }
    sim->now_ms = timer_ms > sim->now_ms ? timer_ms : sim->now_ms;
    sim->count.steps++;
    sim_tick(timer);
    return true;
}

void sim_run(struct sim *sim, uint64_t for_ms)
{
    uint64_t until_ms = sim->now_ms + for_ms;
    while (sim->violation[0] == '\0' && sim_step(sim, until_ms)) {
    }
}

/* ---- chaos ---- */

bool sim_strikes(struct sim *sim, unsigned permille)
{
    return !sim->quiet && permille > 0 && random_below(&sim->random, 1000) < permille;
}

static unsigned one_of(struct random_stream *random, const unsigned *choices, unsigned count)
{
    return choices[random_below(random, count)];
}

#define ONE_OF(random, ...)                           \
    one_of((random), (const unsigned[]){__VA_ARGS__}, \
        sizeof(const unsigned[]){__VA_ARGS__} / sizeof(unsigned))

struct sim_options sim_chaos(uint64_t seed, unsigned nodes)
{
    struct random_stream random = {.state = seed ^ 0x5eed};
    struct sim_options options = {.nodes = nodes, .seed = seed};
    options.fifo = random_below(&random, 2) == 0;
    options.drop_permille = ONE_OF(&random, 0, 20, 100, 300);
    options.duplicate_permille = ONE_OF(&random, 0, 30, 200);
    options.delay_max_ms = ONE_OF(&random, 5, 50, 200, 800);
    options.window = ONE_OF(&random, 0, 1, 4, 32);
    options.disk_max_ms = ONE_OF(&random, 2, 20, 200, 1500); /* Longer than an election takes. */
    options.read_ms = ONE_OF(&random, 0, 0, 0, 900);         /* Longer than leadership lasts. */
    options.pull_records = ONE_OF(&random, 4, 16);
    options.fail_permille = ONE_OF(&random, 0, 100, 500);
    options.tear_permille = ONE_OF(&random, 0, 0, 10, 100);
    options.inflight_entries = ONE_OF(&random, 16, 64, 4096);
    options.snapshot_each = ONE_OF(&random, 4, 20, 60, 20000);
    options.tail_bytes = ONE_OF(&random, 1, 400, 1 << 20);
    options.outbox_items = ONE_OF(&random, 0, 0, 4);
    options.flight_bytes = ONE_OF(&random, 0, 0, 100);
    options.change = nodes > 3 && random_below(&random, 2) == 0;
    options.lose_some = !options.change;
    if (options.fifo) {
        options.drop_permille /= 4; /* A drop costs a whole link here. */
    } else {
        options.window = 0;
    }
    return options;
}

static void submit_somewhere(struct sim *sim)
{
    for (unsigned i = 0; i < sim->options.nodes; i++) {
        struct sim_node *node = &sim->nodes[i];
        if (node->up && driver_status(node->driver).role == DRIVER_LEADER &&
            random_below(&sim->random, 5) > 0) {
            (void)sim_submit(node, 1 + random_below(&sim->random, SUBMIT_MAX));
        }
    }
}

static void crash_all(struct sim *sim)
{
    for (unsigned i = 0; i < sim->options.nodes; i++) {
        if (sim->nodes[i].up) {
            sim_crash(&sim->nodes[i]);
        }
    }
}

static void cut_one_link(struct sim *sim)
{
    unsigned a = random_below(&sim->random, sim->options.nodes);
    unsigned b = random_below(&sim->random, sim->options.nodes);
    sim_net_cut(sim, a, b, true);
    if (random_below(&sim->random, 10) < 7) {
        sim_net_cut(sim, b, a, true);
    }
}

static void cut_off(struct sim *sim)
{
    unsigned a = random_below(&sim->random, sim->options.nodes);
    for (unsigned b = 0; b < sim->options.nodes; b++) {
        sim_net_cut(sim, a, b, true);
        sim_net_cut(sim, b, a, true);
    }
}

static void set_full(struct sim_node *node, bool full)
{
    const struct sim_app *app = node->sim->app;
    if (node->up && node->full != full && app->full != NULL) {
        node->hung = full && random_below(&node->sim->random, 2) == 0;
        sim_disk_set_full(node, full);
        if (!node->hung) {
            app->full(app->arg, node, full);
        }
        sim_settle(node);
    }
}

/* Where it hurts: with something on its way to the disk, if there is such a node. */
static void crash_some(struct sim *sim)
{
    struct sim_node *some = NULL;
    unsigned first = random_below(&sim->random, sim->options.nodes);
    for (unsigned i = 0; i < sim->options.nodes; i++) {
        struct sim_node *node = &sim->nodes[(first + i) % sim->options.nodes];
        if (node->up && (some == NULL || sim_disk_queued(some) == 0)) {
            some = node;
        }
    }
    if (some != NULL) {
        sim_crash(some);
    }
}

/* Of a thousand. */
enum {
    UPTO_CHANGE = 150,
    UPTO_CLOCK = 160,
    UPTO_SUBMIT = 850,
    UPTO_CRASH = 865,
    UPTO_CRASH_ALL = 870,
    UPTO_CUT_LINK = 905,
    UPTO_CUT_OFF = 935,
    UPTO_MEND = 970,
    UPTO_FULL = 980,
    UPTO_ALL = 1000,
};

static void act(struct sim *sim)
{
    unsigned dice = random_below(&sim->random, UPTO_ALL);
    struct sim_node *node = &sim->nodes[random_below(&sim->random, sim->options.nodes)];
    if (dice < UPTO_CHANGE && sim->options.change) {
        struct sim_node *leader = sim_leader(sim);
        if (leader != NULL) {
            (void)sim_change_some(leader);
        }
    } else if (dice < UPTO_CLOCK && sim->app->set_clock != NULL) {
        sim->app->set_clock(sim->app->arg, node);
    } else if (dice < UPTO_SUBMIT) {
        submit_somewhere(sim);
    } else if (dice < UPTO_CRASH) {
        crash_some(sim);
    } else if (dice < UPTO_CRASH_ALL) {
        crash_all(sim);
    } else if (dice < UPTO_CUT_LINK) {
        cut_one_link(sim);
    } else if (dice < UPTO_CUT_OFF) {
        cut_off(sim);
    } else if (dice < UPTO_MEND) {
        sim_net_mend(sim);
    } else if (dice < UPTO_FULL && sim->options.fill_some) {
        set_full(node, !node->full);
    } else {
        struct sim_node *leader = sim_leader(sim);
        if (leader != NULL) {
            sim_transfer(leader, random_below(&sim->random, 2) == 0 ? 0 : node->id);
        }
    }
}

/* ---- and after it ---- */

/* They are gone, or have no room. */
static void heal_all_but(struct sim *sim, unsigned absent, bool gone)
{
    sim->quiet = true;
    sim->absent = absent;
    sim_net_mend(sim);
    for (unsigned i = 0; i < sim->options.nodes; i++) {
        struct sim_node *node = &sim->nodes[i];
        bool is_absent = absent & (1U << i);
        if (is_absent && gone) {
            if (node->up) {
                sim_crash(node);
            }
            node->life++; /* It stays off. */
        } else if (!node->up) {
            sim_start(node);
        }
        set_full(node, is_absent && !gone);
    }
}

void sim_heal(struct sim *sim)
{
    heal_all_but(sim, 0, true);
}

/* Fewer than half, whichever they are. */
static unsigned some_minority(struct sim *sim)
{
    unsigned absent = 0;
    for (unsigned i = 0; i < (sim->options.nodes - 1) / 2; i++) {
        absent |= 1U << random_below(&sim->random, sim->options.nodes);
    }
    return absent;
}

static bool all_applied(struct sim *sim)
{
    for (unsigned i = 0; i < sim->options.nodes; i++) {
        bool is_absent = sim->absent & (1U << i);
        if (!is_absent && (!sim->nodes[i].up || sim->nodes[i].applied < sim->committed.last)) {
            return false;
        }
    }
    return true;
}

static void describe(struct sim *sim, char *text, size_t size)
{
    static const char *const roles[] = {"unavailable", "follower", "candidate", "leader"};
    size_t used = 0;
    text[0] = '\0';
    for (unsigned i = 0; i < sim->options.nodes && used < size; i++) {
        if (!sim->nodes[i].up) {
            continue;
        }
        const struct driver_status status = driver_status(sim->nodes[i].driver);
        int n = snprintf(text + used, size - used,
            " [%u %s of term %" PRIu64 ": last %" PRIu64 ", stored %" PRIu64 ", committed %" PRIu64
            ", applied %" PRIu64 ", installs to %" PRIu64 "]",
            i + 1, roles[status.role], status.term, status.last_index, status.stored_index,
            status.commit_index, sim->nodes[i].applied, status.install_to);
        used += n > 0 ? (size_t)n : 0;
    }
}

void sim_await_progress(struct sim *sim)
{
    /* A leader without room gets rid of its office, at times at the second attempt. */
    bool some_full = sim->absent != 0 && sim->options.fill_some;
    uint64_t elections = (uint64_t)(some_full ? 6 : 1) * PROGRESS_ELECTIONS;
    uint64_t end_ms = sim->now_ms + elections * sim->options.election_ms;
    size_t answered = sim->ack_count;
    bool asked = false;
    while (sim->violation[0] == '\0' && sim->now_ms < end_ms) {
        struct sim_node *leader = sim_leader(sim);
        bool unanswered = leader != NULL && leader->pending_count == 0;
        if (unanswered && (!asked || sim->ack_count == answered)) {
            answered = sim->ack_count;
            asked = sim_submit(leader, 1);
        }
        if (asked && sim->ack_count > answered && all_applied(sim)) {
            return;
        }
        (void)sim_step(sim, end_ms);
    }
    char nodes[sizeof sim->violation - 64];
    describe(sim, nodes, sizeof nodes);
    sim_violation(sim, "no progress without faults:%s", nodes);
}

static void await_change(struct sim *sim)
{
    uint64_t end_ms = sim->now_ms + PROGRESS_ELECTIONS * (uint64_t)sim->options.election_ms;
    bool changed = false;
    while (sim->violation[0] == '\0' && !changed && sim->now_ms < end_ms) {
        struct sim_node *leader = sim_leader(sim);
        changed = leader != NULL && sim_change_some(leader) == STATUS_OK;
        if (leader != NULL && !changed && leader->pending_count == 0) {
            (void)sim_submit(leader, 1); /* It needs to commit something of its own. */
        }
        (void)sim_step(sim, end_ms);
    }
    if (!changed) {
        sim_violation(sim, "the membership does not change without faults");
    }
    sim_await_progress(sim);
}

bool sim_live(
    struct sim *sim, const struct sim_options *options, const struct sim_app *app, unsigned steps)
{
    sim_begin(sim, options, app);
    uint64_t end = sim->count.steps + steps;
    uint64_t act_ms = sim->now_ms;
    while (sim->count.steps < end && sim->violation[0] == '\0') {
        if (!sim_step(sim, act_ms)) {
            act(sim);
            act_ms = sim->now_ms + 1 + random_below(&sim->random, ACTION_MAX_MS);
        }
    }
    if (sim->violation[0] == '\0' && sim->options.lose_some) {
        heal_all_but(sim, some_minority(sim), true);
        sim_await_progress(sim);
    }
    if (sim->violation[0] == '\0' && sim->options.fill_some) {
        heal_all_but(sim, some_minority(sim), false);
        sim_await_progress(sim);
    }
    if (sim->violation[0] == '\0') {
        sim_heal(sim);
        sim_await_progress(sim);
    }
    if (sim->violation[0] == '\0' && sim->options.change) {
        await_change(sim);
    }
    if (sim->violation[0] == '\0') {
        sim_check_end(sim);
    }
    sim_end(sim);
    return sim->violation[0] == '\0';
}
