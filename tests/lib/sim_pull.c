/* What a node reads: of its own log for a peer, and of its peers' logs while it installs. */
#include "tests/lib/sim.h"

#include <assert.h>
#include <stdlib.h>

enum { PULL_BYTES_MAX = 1 << 20, PULL_SILENCE_MS = 1000 };

void sim_read(struct sim_node *node, struct sim_event *event)
{
    struct txn txn;
    txn_begin_read(&txn, &node->env);
    event->found = log_read_range(
        &txn, &node->log, event->first, event->count, event->bytes_max, &event->records);
    txn_abort(&txn);
}

void sim_node_read(struct sim_node *node, struct sim_event *event)
{
    if (event->records == NULL) {
        sim_read(node, event);
    }
    if (sim_strikes(node->sim, node->sim->options.fail_permille)) {
        free(event->records);
        event->records = NULL;
        event->found = 0;
    }
    driver_read_done(node->driver, event->from + 1, event->records, event->found);
    sim_settle(node);
}

/* What PeerService asks itself before each piece. */
static bool holds_all(struct sim_node *source, const struct sim_node *node)
{
    struct txn txn;
    txn_begin_read(&txn, &source->env);
    bool holds = log_holds(&txn, &source->log, node->pull_to, node->pull_to_term);
    txn_abort(&txn);
    return holds;
}

static bool is_reached(struct sim_node *source, const struct sim_node *node)
{
    struct sim *sim = node->sim;
    unsigned from = (unsigned)(source->id - 1);
    unsigned to = (unsigned)(node->id - 1);
    return source->up && !sim->links[from][to].cut && !sim->links[to][from].cut &&
        !sim_strikes(sim, sim->options.fail_permille);
}

/* Of the peers, one after the other, the first that can be reached and has on disk all that is
 * wanted. */
static struct sim_node *pull_source(struct sim_node *node)
{
    struct sim *sim = node->sim;
    for (unsigned i = 0; i < sim->options.nodes; i++) {
        struct sim_node *source = &sim->nodes[node->pull_next++ % sim->options.nodes];
        if (source != node && is_reached(source, node) && holds_all(source, node)) {
            return source;
        }
    }
    return NULL;
}

/* Records that are not what was asked for. */
static void spoil(struct sim *sim, struct record *records, size_t count)
{
    static const uint8_t garbage = 0xff;
    switch (random_below(&sim->random, 5)) {
    case 0:
        records[0].index++;
        break;
    case 1:
        records[count - 1].index++;
        break;
    case 2:
        records[count - 1].term += 1000;
        break;
    case 3:
        records[count - 1].kind = (enum record_kind)(RECORD_ERASED + 1);
        break;
    default:
        records[count - 1].kind = RECORD_MEMBERSHIP;
        records[count - 1].payload = bytes_of(&garbage, 1);
        break;
    }
}

static int pull_from(struct sim_node *node, struct sim_node *source, uint64_t from)
{
    struct sim *sim = node->sim;
    struct txn txn;
    struct record *records = NULL;
    size_t wanted = (size_t)(node->pull_to + 1 - from);
    unsigned limit = sim->options.pull_records;
    size_t at_most = limit > 0 && !sim->quiet ? 1 + random_below(&sim->random, limit) : wanted;
    txn_begin_read(&txn, &source->env);
    size_t count = log_read_range(
        &txn, &source->log, from, wanted < at_most ? wanted : at_most, PULL_BYTES_MAX, &records);
    txn_abort(&txn);
    bool spoilt = count > 0 && sim_strikes(sim, sim->options.fail_permille);
    if (spoilt) {
        spoil(sim, records, count);
    }
    int status = count > 0 ? driver_pulled(node->driver, records, count) : STATUS_UNAVAILABLE;
    if (spoilt && status == STATUS_OK) {
        sim_violation(sim, "node %u believes what cannot be", (unsigned)node->id);
    }
    free(records);
    return status;
}

void sim_schedule_pull(struct sim_node *node, uint64_t in_ms)
{
    assert(!node->pull_due);

    node->pull_due = true;
    const struct sim_event event = {.type = SIM_EVENT_PULL,
        .at_ms = node->sim->now_ms + in_ms,
        .to = (unsigned)(node->id - 1),
        .stamp = node->life};
    sim_schedule(node->sim, &event);
}

/* It takes the question, and that is the last that is heard of it. */
static bool stays_silent(const struct sim_node *source)
{
    return source->hung || sim_strikes(source->sim, source->sim->options.fail_permille);
}

void sim_node_pull(struct sim_node *node)
{
    uint64_t from = driver_wants_pull(node->driver);
    node->pull_due = false;
    struct sim_node *source = node->pull_unanswered ? NULL : pull_source(node);
    node->pull_unanswered = source != NULL && stays_silent(source);
    if (node->pull_unanswered) {
        sim_schedule_pull(node, PULL_SILENCE_MS);
        return;
    }
    int status = STATUS_UNAVAILABLE;
    if (from > 0 && source != NULL) {
        status = pull_from(node, source, from);
    }
    if (status != STATUS_OK) {
        node->pulling = false;
        driver_pull_failed(node->driver);
    }
    sim_settle(node);
}
