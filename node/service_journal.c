#include "node/access.h"
#include "node/append.h"
#include "node/journal/page.h"
#include "node/service.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

static void on_append(struct rpc_call *call, const ProtobufCMessage *message, struct bytes encoded)
{
    (void)message;
    append_take(rpc_call_context(call), call, encoded);
}

/* ---- GetPage ---- */

/* One page being read. Lives until the call is over and no thread reads. */
struct page_read {
    struct pool_job job;
    struct group_watch watch;
    struct service *service;
    struct rpc_call *call; /* Referenced. */
    const Zhurnal__V1__GetPageRequest *request;
    bool reading, over;
    /* Of the job. */
    struct arena arena;
    Zhurnal__V1__GetPageResponse *page;
    int status;
    struct error err;
};

static void free_if_done(struct page_read *read)
{
    if (read->over && !read->reading) {
        arena_reset(&read->arena);
        rpc_call_unref(read->call);
        free(read);
    }
}

/* The views first: the log then holds all that they refer to. */
static void run_page(struct pool_job *job)
{
    struct page_read *read = (struct page_read *)job;
    struct group *group = read->service->group;
    struct journal *journal = group_journal(group);
    struct log *log = group_log(group);
    struct txn views;
    struct txn log_txn;
    txn_begin_read(&views, &journal->views.env);
    txn_begin_read(&log_txn, log->env);
    const struct journal_reader reader = {
        .views = &views, .journal = journal, .log_txn = &log_txn, .log = log};
    read->status = journal_page(&reader, read->request, &read->arena, &read->page, &read->err);
    txn_abort(&log_txn);
    txn_abort(&views);
}

static void page_done(struct pool_job *job)
{
    struct page_read *read = (struct page_read *)job;
    if (read->status == STATUS_OK) {
        rpc_call_reply(read->call, &read->page->base);
    } else {
        if (read->err.status != read->status) {
            error_set(
                &read->err, read->status, "the page does not read: %s", status_text(read->status));
        }
        rpc_call_fail(read->call, &read->err);
    }
    read->reading = false;
    free_if_done(read);
}

static void start_page(struct page_read *read)
{
    assert(!read->reading && !read->over);
    read->reading = true;
    pool_give(read->service->pool, &read->job);
}

static void on_reached(struct group_watch *watch, bool stopped)
{
    struct page_read *read = (void *)((char *)watch - offsetof(struct page_read, watch));
    if (stopped) {
        const struct error err = {
            .status = STATUS_UNAVAILABLE, .text = "this node is stopping: ask another"};
        rpc_call_fail(read->call, &err);
        return;
    }
    start_page(read);
}

static void on_get_page(
    struct rpc_call *call, const ProtobufCMessage *message, struct bytes encoded)
{
    (void)encoded;
    struct service *service = rpc_call_context(call);
    const Zhurnal__V1__GetPageRequest *request = (const Zhurnal__V1__GetPageRequest *)message;
    struct error err = {0};
    struct page_read *read = NULL;
    if (access_read_schools(rpc_call_identity(call), request->actor, &request->school, 1, &err) ==
        STATUS_OK) {
        read = calloc(1, sizeof *read);
        err = (struct error){.status = STATUS_NO_MEMORY, .text = "out of memory"};
    }
    if (read == NULL) {
        rpc_call_fail(call, &err);
        return;
    }
    read->service = service;
    read->call = call;
    read->request = request;
    read->job.run = run_page;
    read->job.done = page_done;
    read->watch.index = request->min_index;
    read->watch.reached = on_reached;
    arena_init(&read->arena, PAGE_ARENA_LIMIT);
    rpc_call_ref(call);
    rpc_call_set_user(call, read);
    if (request->min_index <= group_status(service->group).applied.index) {
        start_page(read);
    } else {
        group_watch(service->group, &read->watch);
    }
}

static void on_page_over(struct rpc_call *call)
{
    struct page_read *read = rpc_call_user(call);
    if (read != NULL) {
        read->over = true;
        group_unwatch(read->service->group, &read->watch);
        free_if_done(read);
    }
}

static const struct rpc_method methods[] = {
    /* The draft is kept as it came, so nothing is decoded before submission.h has looked. */
    {.path = "/zhurnal.v1.JournalService/Append",
        .kind = RPC_UNARY,
        .request_max = SUBMISSION_REQUEST_MAX,
        .on_message = on_append},
    {.path = "/zhurnal.v1.JournalService/GetPage",
        .kind = RPC_UNARY,
        .request_max = SERVICE_QUERY_MAX,
        .request = &zhurnal__v1__get_page_request__descriptor,
        .on_message = on_get_page,
        .on_done = on_page_over},
};

int service_journal_register(struct service *service, struct rpc_server *server)
{
    return rpc_server_register(server, methods, sizeof methods / sizeof *methods, service);
}
