/* Catching up: committed records from one peer, and from the next where it fails. What came is
 * handed over a message at a time; the stream is held until it is written. */
#include "node/peers_private.h"

#include <stdlib.h>

static void end(struct peers *peers)
{
    peers->pull.wanted = false;
    peers->pull.link = NULL;
    peers->pull.stream = NULL;
}

static void give_up(struct peers *peers)
{
    end(peers);
    peers->hooks->pull_failed(peers->arg);
}

static bool is_record(const Zhurnal__Peer__V1__Record *record)
{
    return record->kind >= RECORD_COMMAND && record->kind <= RECORD_ERASED && record->term > 0;
}

static struct record *to_records(const Zhurnal__Peer__V1__PullResponse *response)
{
    struct record *records = calloc(response->n_records + 1, sizeof *records);
    for (size_t i = 0; records != NULL && i < response->n_records; i++) {
        const Zhurnal__Peer__V1__Record *record = response->records[i];
        if (!is_record(record)) {
            free(records);
            return NULL;
        }
        records[i] = (struct record){.index = response->first_index + i,
            .term = record->term,
            .kind = (enum record_kind)record->kind,
            .payload = bytes_of(record->payload.data, record->payload.len)};
    }
    return records;
}

static void on_message(
    struct rpc_stream *stream, const ProtobufCMessage *message, struct bytes encoded)
{
    (void)encoded;
    struct peers *peers = rpc_stream_user(stream);
    const Zhurnal__Peer__V1__PullResponse *response = (const void *)message;
    if (peers->pull.stream != stream) {
        return;
    }
    struct record *records = to_records(response);
    bool fits = records != NULL && response->n_records > 0 &&
        response->first_index == peers->hooks->wants_pull(peers->arg);
    if (!fits || peers->hooks->pulled(peers->arg, records, response->n_records) != STATUS_OK) {
        rpc_stream_cancel(stream);
    } else {
        peers->pull.got = response->first_index + response->n_records - 1;
        if (peers->pull.got < peers->pull.to) {
            rpc_stream_hold(stream);
        }
    }
    free(records);
}

static void on_status(struct rpc_stream *stream, const struct rpc_result *result)
{
    struct peers *peers = rpc_stream_user(stream);
    if (peers->pull.stream != stream) {
        return;
    }
    peers->pull.link = NULL;
    peers->pull.stream = NULL;
    if (result->code == GRPC_OK && peers->pull.got == peers->pull.to) {
        end(peers);
    } else {
        peers_wake(peers); /* The next member is asked. */
    }
}

static void ask(struct peers *peers, struct link *link)
{
    struct pull *pull = &peers->pull;
    Zhurnal__Peer__V1__PullRequest request = ZHURNAL__PEER__V1__PULL_REQUEST__INIT;
    const struct rpc_stream_options options = {.path = "/zhurnal.peer.v1.PeerService/Pull",
        .response = &zhurnal__peer__v1__pull_response__descriptor,
        .on_message = on_message,
        .on_status = on_status,
        .user = peers};
    request.group = peers->options.log->group;
    request.from_index = peers->hooks->wants_pull(peers->arg);
    request.to_index = pull->to;
    request.to_term = pull->to_term;
    struct rpc_channel *channel = link_bulk(link);
    if (channel != NULL && request.from_index > 0) {
        pull->link = link;
        pull->stream = rpc_unary_start(channel, &options, &request.base);
    }
    if (pull->stream == NULL) {
        give_up(peers);
    }
}

void pull_turn(struct peers *peers)
{
    struct pull *pull = &peers->pull;
    if (!pull->wanted || pull->stream != NULL || peers->stopping) {
        return;
    }
    if (pull->tried >= peers->count) {
        give_up(peers);
        return;
    }
    pull->tried++;
    ask(peers, peers->links[pull->next++ % peers->count]);
}

void peers_pull(struct peers *peers, uint64_t from, uint64_t to, uint64_t to_term)
{
    if (peers->pull.stream != NULL) {
        rpc_stream_cancel(peers->pull.stream);
    }
    peers->pull = (struct pull){
        .wanted = true, .to = to, .to_term = to_term, .got = from - 1, .next = peers->pull.next};
    peers_wake(peers);
}

void peers_pull_on(struct peers *peers)
{
    if (peers->pull.stream != NULL && peers->hooks->wants_pull(peers->arg) > 0) {
        rpc_stream_release(peers->pull.stream);
    }
}

/* A peer whose disk hangs answers pings, and would keep us from all others. */
void pull_tick(struct peers *peers)
{
    struct pull *pull = &peers->pull;
    uint64_t now = uv_now(peers->loop);
    if (pull->stream == NULL || peers->hooks->wants_pull(peers->arg) == 0) {
        pull->held_ms = now; /* What came is being written, which takes its time. */
        return;
    }
    uint64_t heard_ms = rpc_stream_heard_ms(pull->stream);
    uint64_t since_ms = heard_ms > pull->held_ms ? heard_ms : pull->held_ms;
    if (now - since_ms >= peers->options.pull_silence_ms) {
        rpc_stream_cancel(pull->stream);
    }
}

void pull_forget(struct peers *peers, const struct link *link)
{
    if (peers->pull.link == link) {
        peers->pull.link = NULL;
        peers->pull.stream = NULL; /* Its channel closes, and ends it. */
        peers_wake(peers);
    }
}
