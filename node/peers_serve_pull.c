/* Answers a node that is behind: committed records in bulk, read on libuv's pool a piece at a time,
 * and never faster than the connection takes them. */
#include "node/peer_records.h"
#include "node/peers_private.h"

#include <stdlib.h>

struct serving {
    uv_work_t work;
    struct peers *peers;
    struct rpc_call *call; /* Referenced. */
    uint64_t next, to;
    uint64_t to_term; /* 0: not said. */
    bool reading;
    /* What a read brought. */
    struct record *records;
    size_t count;
    int status;
};

static void read_piece(uv_work_t *work)
{
    struct serving *s = work->data;
    struct log *log = s->peers->options.log;
    struct txn txn;
    uint64_t wanted = s->to - s->next + 1;
    size_t most = wanted < PEERS_PIECE_RECORDS ? (size_t)wanted : PEERS_PIECE_RECORDS;
    txn_begin_read(&txn, log->env);
    s->status = STATUS_OUT_OF_RANGE;
    if (log_holds(&txn, log, s->to, s->to_term)) {
        s->count = log_read_range(&txn, log, s->next, most, PEERS_PIECE_BYTES, &s->records);
        s->status = s->count > 0 ? STATUS_OK : STATUS_CORRUPT;
    }
    if (txn.status != STATUS_OK) {
        s->status = txn.status;
    }
    txn_abort(&txn);
}

static void free_serving(struct serving *s)
{
    rpc_call_unref(s->call);
    free(s);
}

/* Where it fails the call is over. */
static int send_piece(struct serving *s, const struct record *records)
{
    Zhurnal__Peer__V1__Record **messages = peer_records(records, s->count);
    if (messages == NULL) {
        rpc_call_abort(s->call);
        return STATUS_NO_MEMORY;
    }
    Zhurnal__Peer__V1__PullResponse response = ZHURNAL__PEER__V1__PULL_RESPONSE__INIT;
    response.first_index = s->next;
    response.n_records = s->count;
    response.records = messages;
    int status = rpc_call_send(s->call, &response.base);
    free((void *)messages);
    return status;
}

static void read_on(struct serving *s);

/* What ends the call frees s, unless a read is under way. */
static void take_piece(struct serving *s)
{
    struct record *records = s->records;
    size_t count = s->count;
    s->records = NULL;
    if (!rpc_call_is_open(s->call)) {
        free_serving(s);
    } else if (s->status != STATUS_OK) {
        struct error err;
        error_set(&err, s->status, "%s",
            s->status == STATUS_OUT_OF_RANGE ? "this node does not hold so much"
                                             : status_text(s->status));
        rpc_call_fail(s->call, &err);
    } else if (send_piece(s, records) == STATUS_OK) {
        s->next += count;
        read_on(s);
    }
    free(records);
}

static void on_read(uv_work_t *work, int status)
{
    struct serving *s = work->data;
    struct peers *peers = s->peers;
    (void)status;
    peers->works--;
    s->reading = false;
    take_piece(s);
    peers_end_if_idle(peers);
}

static void read_on(struct serving *s)
{
    struct peers *peers = s->peers;
    if (s->reading || !rpc_call_is_open(s->call)) {
        return;
    }
    if (s->next > s->to) {
        rpc_call_finish(s->call, GRPC_OK, NULL, bytes_of(NULL, 0));
    } else if (peers->stopping) {
        rpc_call_abort(s->call);
    } else if (rpc_call_writable(s->call)) {
        s->reading = true;
        peers->works++;
        uv_queue_work(peers->loop, &s->work, read_piece, on_read);
    }
}

void peers_serve_pull_on(struct rpc_call *call)
{
    struct serving *s = rpc_call_user(call);
    if (s != NULL) {
        read_on(s);
    }
}

void peers_serve_pull_done(struct rpc_call *call)
{
    struct serving *s = rpc_call_user(call);
    if (s != NULL && !s->reading) {
        free_serving(s);
    }
}

void peers_serve_pull(struct rpc_call *call, const ProtobufCMessage *message, struct bytes encoded)
{
    (void)encoded;
    struct peers *peers = rpc_call_context(call);
    const Zhurnal__Peer__V1__PullRequest *request = (const void *)message;
    if (peers_caller(call) == NULL) {
        return;
    }
    if (request->group != peers->options.log->group || request->from_index == 0 ||
        request->to_index < request->from_index) {
        rpc_call_finish(call, GRPC_INVALID_ARGUMENT, "there is no such range", bytes_of(NULL, 0));
        return;
    }
    struct serving *s = calloc(1, sizeof *s);
    if (s == NULL) {
        rpc_call_finish(call, GRPC_RESOURCE_EXHAUSTED, "out of memory", bytes_of(NULL, 0));
        return;
    }
    s->work.data = s;
    s->peers = peers;
    s->call = call;
    s->next = request->from_index;
    s->to = request->to_index;
    s->to_term = request->to_term;
    rpc_call_ref(call);
    rpc_call_set_user(call, s);
    read_on(s);
}
