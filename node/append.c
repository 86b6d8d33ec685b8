#include "node/append.h"

#include "node/access.h"
#include "rpc/status_details.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

enum { REPLY_ARENA = 1 << 20 }; /* A verdict of 1,000 events needs a tenth of it. */

/* One write under way; holds a reference to its call. */
struct append {
    struct service *service;
    struct rpc_call *call;
    struct bytes raw;
    bool forwarded; /* To us. */
};

static void end(struct append *append)
{
    rpc_call_unref(append->call);
    free(append);
}

static struct append *begin(struct service *service, struct rpc_call *call, struct bytes raw)
{
    struct append *append = malloc(sizeof *append);
    if (append == NULL) {
        const struct error err = {.status = STATUS_NO_MEMORY, .text = "out of memory"};
        rpc_call_fail(call, &err);
        return NULL;
    }
    *append = (struct append){.service = service, .call = call, .raw = raw};
    rpc_call_ref(call);
    return append;
}

static void fail(struct rpc_call *call, int status, const char *sentence)
{
    struct error err;
    error_set(&err, status, "%s", sentence);
    rpc_call_fail(call, &err);
}

/* ---- answers ---- */

/* Without memory for the verdict the status and its sentence must do. */
static void refuse(struct rpc_call *call, const struct verdict *verdict, const char *sentence)
{
    struct arena arena;
    struct buffer details;
    struct bytes encoded;
    enum grpc_code code = (enum grpc_code)verdict_grpc_code(verdict);
    arena_init(&arena, REPLY_ARENA);
    buffer_init(&details);
    if (verdict_encode(verdict, &arena, &encoded) == STATUS_OK) {
        (void)status_details_encode(&details, code, sentence, STATUS_DETAILS_VERDICT, encoded);
    }
    rpc_call_finish(call, code, sentence, buffer_bytes(&details));
    buffer_deinit(&details);
    arena_reset(&arena);
}

/* Nothing was judged, but the client is told in the same words where the first bytes stand. */
static void refuse_taken(struct rpc_call *call, const struct group_answer *answer)
{
    const struct verdict verdict = {.outcome = VERDICT_REFUSED,
        .rule = RULE_ENTRY_ID_TAKEN,
        .first_index = answer->taken_index};
    refuse(call, &verdict, answer->sentence);
}

static void reply(const struct append *append, const struct group_answer *answer)
{
    struct arena arena;
    Zhurnal__V1__AppendResponse response = ZHURNAL__V1__APPEND_RESPONSE__INIT;
    Zhurnal__Peer__V1__ForwardResponse wrapped = ZHURNAL__PEER__V1__FORWARD_RESPONSE__INIT;
    arena_init(&arena, REPLY_ARENA);
    response.index = answer->index;
    response.recorded_at_ms = answer->recorded_at_ms;
    response.verdict = verdict_to_message(answer->verdict, &arena);
    wrapped.response = &response;
    if (response.verdict == NULL) {
        fail(append->call, STATUS_OUTCOME_UNKNOWN, status_text(STATUS_OUTCOME_UNKNOWN));
    } else {
        rpc_call_reply(append->call, append->forwarded ? &wrapped.base : &response.base);
    }
    arena_reset(&arena);
}

/* ---- on to the leader ---- */

static void on_forwarded(
    void *arg, const struct rpc_result *result, const Zhurnal__V1__AppendResponse *response)
{
    struct append *append = arg;
    append->service->forwards--;
    if (result->code == GRPC_OK) {
        rpc_call_reply(append->call, &response->base);
    } else if (result->not_sent) {
        fail(append->call, STATUS_UNAVAILABLE,
            "the leader cannot be reached just now: nothing was recorded, send again");
    } else if (rpc_call_deadline_ms(append->call) <= uv_now(append->service->loop)) {
        fail(append->call, STATUS_DEADLINE, status_text(STATUS_DEADLINE));
    } else {
        rpc_call_finish(append->call, result->code, result->sentence, result->details);
    }
    end(append);
}

static uint64_t time_left(const struct append *append)
{
    uint64_t deadline = rpc_call_deadline_ms(append->call);
    uint64_t now = uv_now(append->service->loop);
    uint64_t left = deadline > now ? deadline - now : 1;
    return left < APPEND_FORWARD_MS ? left : APPEND_FORWARD_MS;
}

/* False where there is nobody to pass it on to. */
static bool forward(struct append *append)
{
    struct service *service = append->service;
    uint64_t leader = group_status(service->group).driver.leader;
    const struct identity *identity = rpc_call_identity(append->call);
    if (append->forwarded || service->peers == NULL || leader == 0 ||
        leader == service->store->state.identity.node || identity == NULL) {
        return false;
    }
    Zhurnal__Peer__V1__ForwardRequest request = ZHURNAL__PEER__V1__FORWARD_REQUEST__INIT;
    Zhurnal__V1__Principal principal = access_principal(identity);
    request.group = service->store->state.identity.group;
    request.request.data = (uint8_t *)append->raw.data;
    request.request.len = append->raw.size;
    request.principal = &principal;
    bool taken = peers_forward(service->peers, leader, &request, time_left(append), on_forwarded,
                     append) == STATUS_OK;
    service->forwards += taken;
    return taken;
}

/* ---- to the group ---- */

static void on_answer(void *arg, const struct group_answer *answer)
{
    struct append *append = arg;
    if (answer->status == STATUS_NOT_LEADER && forward(append)) {
        return;
    }
    if (answer->status == STATUS_ENTRY_ID_TAKEN) {
        refuse_taken(append->call, answer);
    } else if (answer->status != STATUS_OK) {
        fail(append->call, answer->status, answer->sentence);
    } else if (verdict_grpc_code(answer->verdict) != GRPC_OK) {
        refuse(append->call, answer->verdict, verdict_sentence(answer->verdict));
    } else {
        reply(append, answer);
    }
    end(append);
}

static void submit(
    struct append *append, const Zhurnal__V1__Principal *principal, uint64_t received_by)
{
    const struct group_request request = {.raw = append->raw,
        .principal = principal,
        .received_by = received_by,
        .answer = on_answer,
        .arg = append};
    group_submit(append->service->group, &request);
}

void append_take(struct service *service, struct rpc_call *call, struct bytes raw)
{
    const struct identity *identity = rpc_call_identity(call);
    if (identity == NULL) {
        fail(call, STATUS_UNAUTHENTICATED, "the call names nobody: use a certificate");
        return;
    }
    struct append *append = begin(service, call, raw);
    if (append != NULL) {
        const Zhurnal__V1__Principal principal = access_principal(identity);
        submit(append, &principal, service->store->state.identity.node);
    }
}

static int check_forwarded(const struct service *service,
    const Zhurnal__Peer__V1__ForwardRequest *request, struct error *err)
{
    if (request->group != service->store->state.identity.group) {
        return error_set(err, STATUS_NOT_FOUND, "this node has no group %" PRIu32, request->group);
    }
    if (request->principal == NULL ||
        request->principal->kind == ZHURNAL__V1__PRINCIPAL_KIND__PRINCIPAL_KIND_UNSPECIFIED) {
        return error_set(err, STATUS_INVALID, "a write that is passed on names its principal");
    }
    return STATUS_OK;
}

void append_take_forwarded(struct service *service, struct rpc_call *call,
    const Zhurnal__Peer__V1__ForwardRequest *request)
{
    struct error err;
    const struct identity *identity = rpc_call_identity(call);
    if (identity == NULL || identity->kind != IDENTITY_NODE) {
        fail(call, STATUS_DENIED, "only nodes pass on writes: send it to JournalService.Append");
        return;
    }
    if (check_forwarded(service, request, &err) != STATUS_OK) {
        rpc_call_fail(call, &err);
        return;
    }
    struct append *append =
        begin(service, call, bytes_of(request->request.data, request->request.len));
    if (append != NULL) {
        append->forwarded = true;
        submit(append, request->principal, identity->node);
    }
}
