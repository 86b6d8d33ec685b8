/* What happens when, and the network. */
#include "tests/lib/sim.h"

#include <assert.h>
#include <stdlib.h>

enum { EVENTS_FIRST = 256, RECONNECT_MAX_MS = 100, QUIET_DELAY_MS = 5, STALLED_MS = 10 };

/* ---- a heap, the earliest first; of equals the one that was scheduled first ---- */

static bool earlier(const struct sim_event *a, const struct sim_event *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

static void *grow(void *items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity) {
        return items;
    }
    *capacity = *capacity > 0 ? 2 * *capacity : EVENTS_FIRST;
    void *grown = realloc(items, *capacity * size);
    assert(grown != NULL);
    return grown;
}

void sim_schedule(struct sim *sim, const struct sim_event *event)
{
    assert(event->at_ms >= sim->now_ms);

    sim->events = grow(sim->events, sim->event_count, &sim->event_capacity, sizeof *sim->events);
    size_t at = sim->event_count++;
    struct sim_event added = *event;
    added.order = ++sim->order;
    while (at > 0 && earlier(&added, &sim->events[(at - 1) / 2])) {
        sim->events[at] = sim->events[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    sim->events[at] = added;
}

bool sim_next_event(struct sim *sim, uint64_t until_ms, struct sim_event *event)
{
    if (sim->event_count == 0 || sim->events[0].at_ms > until_ms) {
        return false;
    }
    *event = sim->events[0];
    struct sim_event last = sim->events[--sim->event_count];
    size_t at = 0;
    for (size_t child = 1; child < sim->event_count; child = 2 * at + 1) {
        if (child + 1 < sim->event_count && earlier(&sim->events[child + 1], &sim->events[child])) {
            child++;
        }
        if (earlier(&last, &sim->events[child])) {
            break;
        }
        sim->events[at] = sim->events[child];
        at = child;
    }
    sim->events[at] = last;
    return true;
}

void sim_net_reset(struct sim *sim)
{
    for (size_t i = 0; i < sim->event_count; i++) {
        free(sim->events[i].message);
        free(sim->events[i].records);
    }
    for (size_t i = 0; i < sim->box_count; i++) {
        free(sim->box[i].message);
    }
    sim->event_count = 0;
    sim->box_count = 0;
    memset(sim->links, 0, sizeof sim->links);
}

/* ---- links ---- */

static struct sim_link *link_of(struct sim *sim, unsigned from, unsigned to)
{
    return &sim->links[from][to];
}

static unsigned place_of(const struct sim_node *node)
{
    return (unsigned)(node->id - 1);
}

static void connect(struct sim *sim, unsigned from, unsigned to)
{
    struct sim_link *link = link_of(sim, from, to);
    sim_trace_node(&sim->nodes[from], "connects");
    link->connected = true;
    link->in_flight = 0;
    driver_connected(sim->nodes[from].driver, to + 1, true);
}

/* Tries again until both ends are up and nothing is cut. */
static void connect_later(struct sim *sim, unsigned from, unsigned to)
{
    const struct sim_event event = {.type = SIM_EVENT_CONNECT,
        .at_ms = sim->now_ms + 1 +
            random_below(&sim->random, sim->quiet ? QUIET_DELAY_MS : RECONNECT_MAX_MS),
        .from = from,
        .to = to,
        .stamp = link_of(sim, from, to)->epoch};
    sim_schedule(sim, &event);
}

static void break_link(struct sim *sim, unsigned from, unsigned to)
{
    struct sim_link *link = link_of(sim, from, to);
    link->epoch++;
    link->in_flight = 0;
    if (!sim->options.fifo) {
        return;
    }
    if (link->connected && sim->nodes[from].up) {
        driver_connected(sim->nodes[from].driver, to + 1, false);
    }
    link->connected = false;
    if (sim->nodes[from].up) {
        connect_later(sim, from, to);
    }
}

void sim_net_connect(struct sim *sim, const struct sim_event *event)
{
    struct sim_link *link = link_of(sim, event->from, event->to);
    if (link->epoch != event->stamp || link->connected || !sim->nodes[event->from].up) {
        return;
    }
    if (link->cut || !sim->nodes[event->to].up) {
        connect_later(sim, event->from, event->to);
        return;
    }
    connect(sim, event->from, event->to);
    sim_settle(&sim->nodes[event->from]);
}

void sim_net_node_up(struct sim_node *node)
{
    struct sim *sim = node->sim;
    for (unsigned i = 0; i < sim->options.nodes; i++) {
        if (i == place_of(node)) {
            continue;
        }
        if (sim->options.fifo) {
            connect_later(sim, place_of(node), i);
        } else {
            connect(sim, place_of(node), i);
        }
    }
}

void sim_net_node_down(struct sim_node *node)
{
    struct sim *sim = node->sim;
    for (unsigned i = 0; i < sim->options.nodes; i++) {
        if (i != place_of(node)) {
            break_link(sim, place_of(node), i);
            break_link(sim, i, place_of(node));
        }
    }
}

void sim_net_cut(struct sim *sim, unsigned from, unsigned to, bool cut)
{
    struct sim_link *link = link_of(sim, from, to);
    if (from != to && cut && !link->cut && sim->options.fifo) {
        break_link(sim, from, to);
    }
    link->cut = cut;
}

void sim_net_mend(struct sim *sim)
{
    for (unsigned from = 0; from < sim->options.nodes; from++) {
        for (unsigned to = 0; to < sim->options.nodes; to++) {
            sim_net_cut(sim, from, to, false);
        }
    }
}

/* ---- sending ---- */

struct sending {
    struct sim_node *node;
    unsigned to;
};

static struct sim_message *message_of(struct bytes request)
{
    struct sim_message *message = malloc(sizeof *message + request.size);
    assert(message != NULL);
    message->size = request.size;
    memcpy(message->data, request.data, request.size);
    return message;
}

static void post(struct sim *sim, unsigned from, unsigned to, struct sim_message *message)
{
    struct sim_link *link = link_of(sim, from, to);
    struct sim_event event = {.type = SIM_EVENT_DELIVER,
        .from = from,
        .to = to,
        .stamp = link->epoch,
        .message = message};
    if (sim->options.scripted) {
        sim->box = grow(sim->box, sim->box_count, &sim->box_capacity, sizeof *sim->box);
        sim->box[sim->box_count++] = event;
        return;
    }
    unsigned delay = sim->quiet ? QUIET_DELAY_MS : sim->options.delay_max_ms;
    event.at_ms = sim->now_ms + 1 + random_below(&sim->random, delay > 0 ? delay : 1);
    if (sim->options.fifo) {
        event.at_ms = event.at_ms > link->last_ms ? event.at_ms : link->last_ms;
        link->last_ms = event.at_ms;
        link->in_flight++;
    }
    sim_schedule(sim, &event);
}

static void look_at(const struct sending *sending, struct bytes encoded)
{
    struct sim *sim = sending->node->sim;
    Zhurnal__Peer__V1__RaftRequest *request =
        zhurnal__peer__v1__raft_request__unpack(NULL, encoded.size, encoded.data);
    assert(request != NULL && request->frame != NULL);
    sim->count.messages++;
    sim->count.bytes += encoded.size;
    if (request->frame->message_case == ZHURNAL__PEER__V1__FRAME__MESSAGE_APPEND_ENTRIES) {
        sim->count.entries_sent += request->frame->append_entries->n_records;
    }
    sim_check_sent(sending->node, sending->to + 1, request->frame);
    zhurnal__peer__v1__raft_request__free_unpacked(request, NULL);
}

static void emit(void *arg, struct bytes request)
{
    const struct sending *sending = arg;
    struct sim *sim = sending->node->sim;
    unsigned from = place_of(sending->node);
    look_at(sending, request);
    link_of(sim, from, sending->to)->bytes += request.size;
    if (!sim->options.fifo && link_of(sim, from, sending->to)->cut) {
        return;
    }
    if (sim_strikes(sim, sim->options.drop_permille)) {
        if (sim->options.fifo) {
            /* Noticed by the sender only after this call. */
            link_of(sim, from, sending->to)->epoch++;
        }
        return;
    }
    post(sim, from, sending->to, message_of(request));
    if (!sim->options.fifo && sim_strikes(sim, sim->options.duplicate_permille)) {
        post(sim, from, sending->to, message_of(request));
    }
}

static void pump(struct sim_node *node, unsigned to)
{
    struct sim *sim = node->sim;
    struct sim_link *link = link_of(sim, place_of(node), to);
    struct sending sending = {.node = node, .to = to};
    unsigned epoch = link->epoch;
    bool more = link->connected;
    while (more && link->epoch == epoch) {
        if (sim->options.window > 0 && link->in_flight >= sim->options.window) {
            return;
        }
        more = driver_next_frame(node->driver, to + 1, emit, &sending);
    }
    if (link->epoch != epoch) {
        break_link(sim, place_of(node), to);
    }
}

void sim_net_pump(struct sim_node *node)
{
    for (unsigned to = 0; to < node->sim->options.nodes && node->up; to++) {
        if (node->ready & (1U << to)) {
            node->ready &= ~(1U << to);
            pump(node, to);
        }
    }
}

/* ---- receiving ---- */

void sim_net_receive(struct sim *sim, unsigned from, unsigned to, const struct sim_message *message)
{
    struct sim_node *node = &sim->nodes[to];
    Zhurnal__Peer__V1__RaftRequest *request =
        zhurnal__peer__v1__raft_request__unpack(NULL, message->size, message->data);
    assert(request != NULL && request->frame != NULL);
    sim_trace_frame(sim, from + 1, to + 1, request->frame);
    struct error err = {0};
    int status = driver_receive(node->driver, from + 1, request->frame, &err);
    if (status != STATUS_OK && node->fatal[0] == '\0') {
        sim_violation(sim, "node %u does not believe node %u: %s", to + 1, from + 1, err.text);
    }
    zhurnal__peer__v1__raft_request__free_unpacked(request, NULL);
    sim_settle(node);
}

void sim_net_deliver(struct sim *sim, const struct sim_event *event)
{
    struct sim_link *link = link_of(sim, event->from, event->to);
    if (link->stalled && link->epoch == event->stamp) {
        struct sim_event later = *event;
        later.at_ms = sim->now_ms + STALLED_MS;
        sim_schedule(sim, &later);
        return;
    }
    bool arrives = sim->nodes[event->to].up && !link->cut &&
        (!sim->options.fifo || link->epoch == event->stamp);
    if (link->epoch == event->stamp && link->in_flight > 0) {
        link->in_flight--;
        if (sim->nodes[event->from].up) {
            sim->nodes[event->from].ready |= 1U << event->to;
            sim_net_pump(&sim->nodes[event->from]);
        }
    }
    if (arrives) {
        sim_net_receive(sim, event->from, event->to, event->message);
    }
    free(event->message);
}
