/* A cluster moved by hand, message by message. */
#include "tests/lib/sim.h"

#include <assert.h>
#include <stdlib.h>

enum { ROUNDS_MAX = 100 };

static Zhurnal__Peer__V1__Frame__MessageCase type_of(const struct sim_message *message)
{
    Zhurnal__Peer__V1__RaftRequest *request =
        zhurnal__peer__v1__raft_request__unpack(NULL, message->size, message->data);
    assert(request != NULL && request->frame != NULL);
    Zhurnal__Peer__V1__Frame__MessageCase type = request->frame->message_case;
    zhurnal__peer__v1__raft_request__free_unpacked(request, NULL);
    return type;
}

static struct sim_message *take_at(struct sim *sim, size_t i)
{
    struct sim_message *message = sim->box[i].message;
    sim->box_count--;
    memmove(&sim->box[i], &sim->box[i + 1], (sim->box_count - i) * sizeof *sim->box);
    return message;
}

struct sim_message *sim_take(
    struct sim *sim, uint64_t from, uint64_t to, Zhurnal__Peer__V1__Frame__MessageCase type)
{
    for (size_t i = 0; i < sim->box_count; i++) {
        const struct sim_event *event = &sim->box[i];
        if (event->from + 1 == from && event->to + 1 == to && type_of(event->message) == type) {
            return take_at(sim, i);
        }
    }
    return NULL;
}

void sim_lose(struct sim *sim, uint64_t from, uint64_t to)
{
    for (size_t i = 0; i < sim->box_count;) {
        if (sim->box[i].from + 1 == from && sim->box[i].to + 1 == to) {
            free(take_at(sim, i));
        } else {
            i++;
        }
    }
}

void sim_hand(struct sim *sim, uint64_t from, uint64_t to, const struct sim_message *message)
{
    sim_net_receive(sim, (unsigned)from - 1, (unsigned)to - 1, message);
}

void sim_hand_frame(
    struct sim *sim, uint64_t from, uint64_t to, const Zhurnal__Peer__V1__Frame *frame)
{
    struct sim_node *node = sim_node(sim, to);
    (void)driver_receive(node->driver, from, frame, NULL);
    sim_settle(node);
}

void sim_pass(
    struct sim *sim, uint64_t from, uint64_t to, Zhurnal__Peer__V1__Frame__MessageCase type)
{
    struct sim_message *message = sim_take(sim, from, to, type);
    for (int i = 0; message != NULL && i < ROUNDS_MAX; i++) {
        sim_hand(sim, from, to, message);
        free(message);
        message = sim_take(sim, from, to, type);
    }
}

void sim_lose_all(struct sim *sim)
{
    while (sim->box_count > 0) {
        free(take_at(sim, sim->box_count - 1));
    }
}

void sim_flush(struct sim_node *node)
{
    for (int i = 0; node->queue_head != NULL && i < ROUNDS_MAX; i++) {
        sim_disk_flush(node, sim_disk_queued(node));
    }
}

void sim_timeout(struct sim_node *node)
{
    uint64_t due_ms = driver_deadline(node->driver);
    node->sim->now_ms = due_ms > node->sim->now_ms ? due_ms : node->sim->now_ms;
    sim_tick(node);
}

static bool leads(const struct sim_node *node)
{
    return driver_status(node->driver).role == DRIVER_LEADER;
}

void sim_elect(struct sim *sim, uint64_t candidate, uint64_t voter)
{
    struct sim_node *node = sim_node(sim, candidate);
    for (int i = 0; !leads(node) && i < ROUNDS_MAX; i++) {
        /* A voter that remembers a leader has to forget it first. */
        sim_timeout(sim_node(sim, voter));
        sim_lose_all(sim);
        sim_timeout(node);
        for (int round = 0; round < 2; round++) {
            sim_pass(sim, candidate, voter, ZHURNAL__PEER__V1__FRAME__MESSAGE_REQUEST_VOTE);
            sim_pass(sim, voter, candidate, ZHURNAL__PEER__V1__FRAME__MESSAGE_REQUEST_VOTE_RESULT);
        }
    }
    assert(leads(node));
}

void sim_depose(struct sim_node *node)
{
    for (int i = 0; leads(node) && i < ROUNDS_MAX; i++) {
        sim_timeout(node);
        sim_lose_all(node->sim);
    }
    assert(!leads(node));
}
