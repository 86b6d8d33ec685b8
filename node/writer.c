#include "node/writer.h"

#include "node/journal/entry.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

/* ---- one transaction ---- */

enum { PAGE = 4096, NODE_MAX = PAGE / 2 - 16, NODE_OVERHEAD = 32 };

/* As LMDB stores it: with others on a leaf, or on pages of its own where it is large. */
static size_t room_of(const struct record *record)
{
    size_t size = RECORD_HEADER_SIZE + record->payload.size + NODE_OVERHEAD;
    return size < NODE_MAX ? size : (size + PAGE - 1) / PAGE * PAGE + NODE_OVERHEAD;
}

static size_t write_size(const struct driver_write *write)
{
    size_t size = 0;
    for (size_t i = 0; i < write->change.count; i++) {
        size += room_of(&write->change.records[i]);
    }
    return size;
}

/* Followers learn the stamps here too: whoever leads next must not stamp below them. */
static int64_t newest_stamp(const struct log_write *change)
{
    int64_t newest = 0;
    for (size_t i = 0; i < change->count; i++) {
        const struct record *record = &change->records[i];
        int64_t stamp = record->kind == RECORD_COMMAND ? entry_recorded_at(record->payload) : 0;
        newest = stamp > newest ? stamp : newest;
    }
    return newest;
}

int writer_execute(struct log *log, struct reserve *reserve, struct driver_write *writes,
    struct driver_write **rest)
{
    *rest = writes;
    if (reserve != NULL) {
        int status = reserve_extend(reserve, env_used(log->env));
        if (status != STATUS_OK) {
            return status;
        }
    }
    struct txn txn;
    size_t size = 0;
    struct driver_write *write = writes;
    txn_begin_write(&txn, log->env);
    while (
        write != NULL && (write == writes || size + write_size(write) <= WRITER_TRANSACTION_MAX)) {
        struct log_write change = write->change;
        change.last_stamp_ms = newest_stamp(&change);
        log_write(&txn, log, &change);
        size += write_size(write);
        write = write->next;
    }
    int status = txn_commit(&txn);
    if (status == STATUS_OK) {
        *rest = write;
    }
    return status == STATUS_FULL ? STATUS_IO : status;
}

/* ---- the thread ---- */

struct queue {
    struct driver_write *head, *tail;
};

struct writer {
    struct log *log;
    struct reserve *reserve;
    const struct writer_hooks *hooks;
    void *arg;
    uv_async_t async;
    pthread_t thread;
    /* The loop's. */
    size_t under_way;
    int told_full;
    void (*closed)(void *arg);
    void *closed_arg;
    /* Shared. */
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    struct queue waiting, written;
    bool stopping;
    int full, failed; /* Why, or STATUS_OK. */
};

static void push(struct queue *queue, struct driver_write *write)
{
    write->next = NULL;
    if (queue->tail != NULL) {
        queue->tail->next = write;
    } else {
        queue->head = write;
    }
    queue->tail = write;
}

static struct driver_write *take_all(struct queue *queue)
{
    struct driver_write *writes = queue->head;
    *queue = (struct queue){0};
    return writes;
}

static void wait_to_retry(struct writer *w)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += WRITER_RETRY_MS / 1000;
    while (!w->stopping && pthread_cond_timedwait(&w->wake, &w->mutex, &until) == 0) {
    }
}

/* Called with the mutex held, as it returns. */
static void report(struct writer *w, struct driver_write *writes, struct driver_write *rest)
{
    while (writes != rest) {
        struct driver_write *next = writes->next;
        push(&w->written, writes);
        writes = next;
    }
    uv_async_send(&w->async);
}

static void set_full(struct writer *w, int status)
{
    if (w->full != status) {
        w->full = status;
        uv_async_send(&w->async);
    }
}

static void *run(void *arg)
{
    struct writer *w = arg;
    struct driver_write *writes = NULL;
    pthread_mutex_lock(&w->mutex);
    while (!w->stopping && w->failed == STATUS_OK) {
        if (writes == NULL) {
            writes = take_all(&w->waiting);
        }
        if (writes == NULL) {
            pthread_cond_wait(&w->wake, &w->mutex);
            continue;
        }
        struct driver_write *rest;
        pthread_mutex_unlock(&w->mutex);
        int status = writer_execute(w->log, w->reserve, writes, &rest);
        pthread_mutex_lock(&w->mutex);
        if (status == STATUS_OK) {
            report(w, writes, rest);
            writes = rest;
            set_full(w, STATUS_OK);
        } else if (status == STATUS_FULL || status == STATUS_MAP_FULL) {
            set_full(w, status);
            wait_to_retry(w);
        } else {
            w->failed = status;
            uv_async_send(&w->async);
        }
    }
    pthread_mutex_unlock(&w->mutex);
    return NULL;
}

/* ---- the loop's side ---- */

static void on_async(uv_async_t *async)
{
    struct writer *w = async->data;
    pthread_mutex_lock(&w->mutex);
    struct driver_write *written = take_all(&w->written);
    int full = w->full;
    int failed = w->failed;
    pthread_mutex_unlock(&w->mutex);
    while (written != NULL) {
        struct driver_write *next = written->next;
        w->under_way--;
        w->hooks->done(w->arg, written);
        written = next;
    }
    if (failed != STATUS_OK) {
        w->hooks->failed(w->arg, failed);
    } else if (full != w->told_full) {
        w->told_full = full;
        w->hooks->full(w->arg, full);
    }
}

static int start_thread(struct writer *w)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&w->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&w->mutex, NULL);
    return pthread_create(&w->thread, NULL, run, w) == 0 ? STATUS_OK : STATUS_INTERNAL;
}

static void free_writer(struct writer *w)
{
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->mutex);
    free(w);
}

static void on_failed_start(uv_handle_t *handle)
{
    free_writer(handle->data);
}

int writer_start(struct writer **writer, uv_loop_t *loop, struct log *log, struct reserve *reserve,
    const struct writer_hooks *hooks, void *arg)
{
    *writer = NULL;
    struct writer *w = calloc(1, sizeof *w);
    if (w == NULL) {
        return STATUS_NO_MEMORY;
    }
    w->log = log;
    w->reserve = reserve;
    w->hooks = hooks;
    w->arg = arg;
    w->async.data = w;
    if (uv_async_init(loop, &w->async, on_async) != 0) {
        free(w);
        return STATUS_INTERNAL;
    }
    int status = start_thread(w);
    if (status != STATUS_OK) {
        uv_close((uv_handle_t *)&w->async, on_failed_start);
        return status;
    }
    *writer = w;
    return STATUS_OK;
}

void writer_give(struct writer *w, struct driver_write *write)
{
    w->under_way++;
    pthread_mutex_lock(&w->mutex);
    push(&w->waiting, write);
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->mutex);
}

bool writer_is_idle(const struct writer *w)
{
    return w->under_way == 0;
}

static void on_closed(uv_handle_t *handle)
{
    struct writer *w = handle->data;
    void (*closed)(void *arg) = w->closed;
    void *arg = w->closed_arg;
    free_writer(w);
    if (closed != NULL) {
        closed(arg);
    }
}

void writer_stop(struct writer *w, void (*closed)(void *arg), void *arg)
{
    pthread_mutex_lock(&w->mutex);
    w->stopping = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->mutex);
    pthread_join(w->thread, NULL);
    w->closed = closed;
    w->closed_arg = arg;
    uv_close((uv_handle_t *)&w->async, on_closed);
}
