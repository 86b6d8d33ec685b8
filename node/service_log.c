/* Replay: the log in pieces. A piece is read on the pool, sent as fast as the client reads, and
 * given back before the next is read, so that a replay holds one piece at most, and one that
 * follows at the end holds none. */
#include "node/access.h"
#include "node/service.h"
#include <zhurnal/v1/log.pb-c.h>

#include <assert.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>

/* Verdicts of many small events are larger than their entries: a piece ends where they fill it. */
enum { PIECE_BYTES = 1 << 20, PIECE_RECORDS = 2000, PIECE_VERDICTS = 2 << 20 };
enum { PIECE_ARENA = 2 * PIECE_VERDICTS };
enum { SCHOOLS_MAX = 64, KINDS_MAX = 16 }; /* In one request: each record is compared with all. */

struct replay {
    struct pool_job job;
    struct group_watch watch;
    LIST_ENTRY(replay) open;
    struct service *service;
    struct rpc_call *call; /* Referenced. */
    const Zhurnal__V1__ReplayRequest *request;
    bool hides_schools; /* The caller may not see what is in schools' entries. */
    uint64_t next;      /* To be read. */
    uint64_t end;       /* Inclusive; UINT64_MAX: never. */
    uint64_t left;      /* Of the limit. */
    /* Lives until it is over and neither reads nor runs. */
    bool reading, running, over;
    /* The piece. */
    uint64_t upto; /* What is applied. */
    struct record *records;
    struct arena arena;
    Zhurnal__V1__ReplayResponse *responses;
    size_t count, sent;
    int status;
    uint64_t failed_at;
};

static void drop_piece(struct replay *replay)
{
    free(replay->records);
    arena_reset(&replay->arena);
    replay->records = NULL;
    replay->responses = NULL;
    replay->count = replay->sent = 0;
}

static void free_if_done(struct replay *replay)
{
    if (replay->over && !replay->reading && !replay->running) {
        drop_piece(replay);
        LIST_REMOVE(replay, open);
        replay->service->replay_count--;
        rpc_call_unref(replay->call);
        free(replay);
    }
}

/* ---- reading, on the pool ---- */

static bool wants_kind(const Zhurnal__V1__ReplayRequest *request, enum record_kind kind)
{
    for (size_t i = 0; i < request->n_kinds; i++) {
        if ((int)request->kinds[i] == (int)kind) {
            return true;
        }
    }
    return request->n_kinds == 0 && kind == RECORD_COMMAND;
}

/* What is not a command belongs to no school. */
static bool wants_school(
    const Zhurnal__V1__ReplayRequest *request, bool is_command, const struct verdict *verdict)
{
    for (size_t i = 0; i < request->n_schools && is_command; i++) {
        if (request->schools[i] == verdict->school) {
            return true;
        }
    }
    return request->n_schools == 0;
}

/* What was accepted in school 0, and says nothing of a person. A refused command may be anybody's:
 * of a front end that left out the school, with all that it meant for it. */
static bool is_of_cluster(const struct verdict *verdict, const struct record *record)
{
    return verdict->school == 0 && verdict->outcome == VERDICT_ACCEPTED &&
        !entry_has_parts(record->payload);
}

static int read_record(struct replay *replay, struct txn *views, const struct record *record)
{
    struct journal *journal = group_journal(replay->service->group);
    struct verdict verdict = {0};
    if (!wants_kind(replay->request, record->kind)) {
        return STATUS_OK;
    }
    bool is_command = record->kind == RECORD_COMMAND || record->kind == RECORD_ERASED;
    if (is_command && !journal_verdict(views, journal, record->index, &replay->arena, &verdict)) {
        replay->failed_at = record->index;
        return views->status != STATUS_OK ? views->status : STATUS_CORRUPT;
    }
    if (!wants_school(replay->request, is_command, &verdict)) {
        return STATUS_OK;
    }
    Zhurnal__V1__ReplayResponse *response = &replay->responses[replay->count];
    zhurnal__v1__replay_response__init(response);
    response->index = record->index;
    response->kind = (Zhurnal__V1__RecordKind)record->kind;
    if (!replay->hides_schools || !is_command || is_of_cluster(&verdict, record)) {
        response->entry.data = (uint8_t *)record->payload.data;
        response->entry.len = record->payload.size;
    }
    if (is_command) {
        response->verdict = verdict_to_message(&verdict, &replay->arena);
        if (response->verdict == NULL) {
            return STATUS_NO_MEMORY;
        }
    }
    replay->count++;
    return STATUS_OK;
}

/* Moves on behind what it has read: count records, or fewer. */
static int read_verdicts(struct replay *replay, size_t count)
{
    struct txn views;
    int status = STATUS_OK;
    size_t done = 0;
    replay->responses = arena_alloc(&replay->arena, count * sizeof *replay->responses);
    if (replay->responses == NULL) {
        return STATUS_NO_MEMORY;
    }
    txn_begin_read(&views, &group_journal(replay->service->group)->views.env);
    while (done < count && status == STATUS_OK && replay->arena.used < PIECE_VERDICTS) {
        status = read_record(replay, &views, &replay->records[done++]);
    }
    txn_abort(&views);
    replay->next += done;
    return status;
}

static void run_piece(struct pool_job *job)
{
    struct replay *replay = (struct replay *)job;
    struct log *log = group_log(replay->service->group);
    size_t count;
    uint64_t wanted = replay->upto - replay->next + 1;
    size_t most = wanted < PIECE_RECORDS ? (size_t)wanted : PIECE_RECORDS;
    replay->failed_at = replay->next;
    replay->status = log_read_from(log, replay->next, most, PIECE_BYTES, &replay->records, &count);
    if (replay->status == STATUS_OK && count == 0) {
        replay->status = STATUS_CORRUPT;
    }
    if (replay->status == STATUS_OK) {
        replay->status = read_verdicts(replay, count);
    }
}

/* ---- sending, on the loop ---- */

static void run(struct replay *replay);

static void piece_done(struct pool_job *job)
{
    struct replay *replay = (struct replay *)job;
    replay->reading = false;
    run(replay);
}

static void fail(struct replay *replay, int status, const char *what)
{
    struct error err;
    error_set(
        &err, status, "%s index %" PRIu64 ": %s", what, replay->failed_at, status_text(status));
    rpc_call_fail(replay->call, &err);
}

static void send_piece(struct replay *replay)
{
    while (replay->sent < replay->count && replay->left > 0 && !replay->over &&
        rpc_call_writable(replay->call)) {
        if (rpc_call_send(replay->call, &replay->responses[replay->sent].base) != STATUS_OK) {
            return;
        }
        replay->sent++;
        replay->left--;
    }
}

static void read_on(struct replay *replay)
{
    struct group *group = replay->service->group;
    const struct group_status status = group_status(group);
    drop_piece(replay);
    if (replay->next <= status.applied.index) {
        replay->upto = status.applied.index < replay->end ? status.applied.index : replay->end;
        replay->reading = true;
        pool_give(replay->service->pool, &replay->job);
    } else if (status.parked != STATUS_OK) {
        replay->failed_at = replay->next;
        fail(replay, status.parked, "this node has stopped applying before");
    } else if (replay->watch.next == NULL) {
        replay->watch.index = replay->next;
        group_watch(group, &replay->watch);
    }
}

static void go_on(struct replay *replay)
{
    if (replay->status != STATUS_OK) {
        fail(replay, replay->status, "the log does not read at");
        return;
    }
    send_piece(replay);
    if (replay->over || (replay->sent < replay->count && replay->left > 0)) {
        return; /* on_writable goes on. */
    }
    if (replay->left == 0 || replay->next > replay->end) {
        rpc_call_finish(replay->call, GRPC_OK, NULL, bytes_of(NULL, 0));
        return;
    }
    read_on(replay);
}

/* The call may end in the midst of it, and then waits here to be forgotten. */
static void run(struct replay *replay)
{
    if (replay->reading || replay->running) {
        return;
    }
    replay->running = true;
    if (!replay->over) {
        go_on(replay);
    }
    replay->running = false;
    free_if_done(replay);
}

static void send_elsewhere(struct replay *replay)
{
    const struct error err = {
        .status = STATUS_UNAVAILABLE, .text = "this node is stopping: go on at another"};
    rpc_call_fail(replay->call, &err);
}

static void on_reached(struct group_watch *watch, bool stopped)
{
    struct replay *replay = (void *)((char *)watch - offsetof(struct replay, watch));
    if (stopped) {
        send_elsewhere(replay);
    } else {
        run(replay);
    }
}

void service_log_stop(struct service *service)
{
    struct replay *next;
    for (struct replay *replay = LIST_FIRST(&service->replays); replay != NULL; replay = next) {
        next = LIST_NEXT(replay, open);
        if (replay->request->follow) {
            send_elsewhere(replay);
        }
    }
}

/* ---- the call ---- */

static int check(const struct service *service, struct rpc_call *call,
    const Zhurnal__V1__ReplayRequest *request, uint64_t end, struct error *err)
{
    const struct identity *identity = rpc_call_identity(call);
    bool is_operator = identity != NULL && identity->kind == IDENTITY_OPERATOR;
    int status = is_operator
        ? STATUS_OK
        : access_read_schools(identity, request->actor, request->schools, request->n_schools, err);
    if (status != STATUS_OK) {
        return status;
    }
    if (request->n_schools > SCHOOLS_MAX || request->n_kinds > KINDS_MAX) {
        return error_set(err, STATUS_INVALID, "at most %d schools and %d kinds in one replay",
            (int)SCHOOLS_MAX, (int)KINDS_MAX);
    }
    if (!request->follow && request->from_index > end + 1) {
        return error_set(err, STATUS_OUT_OF_RANGE,
            "the log ends at index %" PRIu64 " here: ask from there, or follow", end);
    }
    if (service->replay_count >= SERVICE_REPLAYS_MAX) {
        return error_set(err, STATUS_BUSY, "%d replays are under way here: try another node",
            (int)SERVICE_REPLAYS_MAX);
    }
    return STATUS_OK;
}

static struct replay *create(struct service *service, struct rpc_call *call,
    const Zhurnal__V1__ReplayRequest *request, uint64_t end)
{
    struct replay *replay = calloc(1, sizeof *replay);
    if (replay == NULL) {
        return NULL;
    }
    replay->job.run = run_piece;
    replay->job.done = piece_done;
    replay->watch.reached = on_reached;
    replay->service = service;
    replay->call = call;
    replay->request = request;
    replay->hides_schools = rpc_call_identity(call)->kind == IDENTITY_OPERATOR;
    replay->next = request->from_index > 0 ? request->from_index : 1;
    replay->end = request->follow ? UINT64_MAX : end;
    replay->left = request->limit > 0 ? request->limit : UINT64_MAX;
    arena_init(&replay->arena, PIECE_ARENA);
    rpc_call_ref(call);
    rpc_call_set_user(call, replay);
    LIST_INSERT_HEAD(&service->replays, replay, open);
    service->replay_count++;
    return replay;
}

static void on_replay(struct rpc_call *call, const ProtobufCMessage *message, struct bytes encoded)
{
    (void)encoded;
    struct service *service = rpc_call_context(call);
    const Zhurnal__V1__ReplayRequest *request = (const Zhurnal__V1__ReplayRequest *)message;
    struct error err = {.status = STATUS_NO_MEMORY, .text = "out of memory"};
    struct replay *replay = NULL;
    const struct group_status status = group_status(service->group);
    /* What is committed now belongs to the answer, though it may still have to be applied. */
    uint64_t end = status.driver.commit_index > status.applied.index ? status.driver.commit_index
                                                                     : status.applied.index;
    if (check(service, call, request, end, &err) == STATUS_OK) {
        replay = create(service, call, request, end);
    }
    if (replay == NULL) {
        rpc_call_fail(call, &err);
        return;
    }
    run(replay);
}

static void on_writable(struct rpc_call *call)
{
    struct replay *replay = rpc_call_user(call);
    if (replay != NULL) {
        run(replay);
    }
}

static void on_over(struct rpc_call *call)
{
    struct replay *replay = rpc_call_user(call);
    if (replay != NULL) {
        replay->over = true;
        group_unwatch(replay->service->group, &replay->watch);
        free_if_done(replay);
    }
}

static const struct rpc_method methods[] = {
    {.path = "/zhurnal.v1.LogService/Replay",
        .kind = RPC_SERVER_STREAM,
        .request_max = SERVICE_QUERY_MAX,
        .request = &zhurnal__v1__replay_request__descriptor,
        .on_message = on_replay,
        .on_writable = on_writable,
        .on_done = on_over},
};

int service_log_register(struct service *service, struct rpc_server *server)
{
    return rpc_server_register(server, methods, sizeof methods / sizeof *methods, service);
}
