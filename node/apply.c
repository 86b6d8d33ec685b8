#include "node/apply.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

enum { RESULTS_ARENA_LIMIT = 64 << 20, PIECES = 2 };

/* ---- one piece ---- */

static int copy_verdict(
    struct apply_piece *piece, const struct verdict *verdict, struct apply_result *result)
{
    result->verdict = *verdict;
    if (verdict->count == 0) {
        return STATUS_OK;
    }
    size_t size = verdict->count * sizeof *verdict->events;
    struct event_verdict *events = arena_alloc(&piece->arena, size);
    if (events == NULL) {
        return STATUS_NO_MEMORY;
    }
    memcpy(events, verdict->events, size);
    result->verdict.events = events;
    return STATUS_OK;
}

/* Who asked for this record is known by its school and entry id. */
static int note_result(struct apply_piece *piece, const struct record *record,
    const struct verdict *verdict, struct arena *arena)
{
    struct apply_result *result = &piece->results[piece->count];
    *result = (struct apply_result){.index = record->index, .school = verdict->school};
    int status = copy_verdict(piece, verdict, result);
    if (status != STATUS_OK) {
        return status;
    }
    struct entry entry;
    arena_reset(arena);
    status = entry_decode(record->payload, arena, &entry);
    if (status == STATUS_NO_MEMORY) {
        return status;
    }
    if (status == STATUS_OK) {
        result->recorded_at_ms = entry.recorded_at_ms;
        if (entry.draft->entry_id.len == ENTRY_ID_SIZE) {
            memcpy(result->entry_id, entry.draft->entry_id.data, ENTRY_ID_SIZE);
        }
    }
    piece->count++;
    return STATUS_OK;
}

static int apply_record(struct txn *txn, struct journal *journal, const struct record *record,
    struct arena *arena, struct apply_piece *piece)
{
    struct verdict verdict;
    int status = journal_apply(txn, journal, record, arena, &verdict);
    if (status != STATUS_OK) {
        return status;
    }
    piece->upto = record->index;
    return record->kind == RECORD_COMMAND ? note_result(piece, record, &verdict, arena) : STATUS_OK;
}

static int apply_records(
    struct journal *journal, const struct record *records, size_t count, struct apply_piece *piece)
{
    struct txn txn;
    struct arena arena;
    int status = STATUS_OK;
    uint64_t before = piece->upto;
    arena_init(&arena, JOURNAL_ARENA_LIMIT);
    txn_begin_write(&txn, &journal->views.env);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        status = apply_record(&txn, journal, &records[i], &arena, piece);
        arena_reset(&arena);
    }
    if (status == STATUS_OK || status == STATUS_UNIMPLEMENTED) {
        piece->state = journal_state(&txn, journal);
        int committed = txn_commit(&txn);
        status = committed == STATUS_OK ? status : committed;
    } else {
        txn_abort(&txn);
    }
    if (status != STATUS_OK && status != STATUS_UNIMPLEMENTED) {
        piece->upto = before;
        piece->count = 0;
    }
    return status;
}

static size_t read_piece(
    struct log *log, uint64_t from, uint64_t to, struct record **records, int *status)
{
    struct txn txn;
    uint64_t wanted = to - from + 1;
    size_t most = wanted < APPLY_PIECE_RECORDS ? (size_t)wanted : APPLY_PIECE_RECORDS;
    txn_begin_read(&txn, log->env);
    size_t count = log_read_range(&txn, log, from, most, APPLY_PIECE_BYTES, records);
    *status = txn.status != STATUS_OK ? txn.status : count == 0 ? STATUS_CORRUPT : STATUS_OK;
    txn_abort(&txn);
    return count;
}

int apply_run(
    struct journal *journal, struct log *log, uint64_t from, uint64_t to, struct apply_piece *piece)
{
    assert(from >= 1 && from <= to);

    struct record *records = NULL;
    *piece = (struct apply_piece){.upto = from - 1};
    arena_init(&piece->arena, RESULTS_ARENA_LIMIT);
    size_t count = read_piece(log, from, to, &records, &piece->status);
    if (piece->status == STATUS_OK) {
        piece->results = arena_alloc(&piece->arena, count * sizeof *piece->results);
        piece->status = piece->results == NULL ? STATUS_NO_MEMORY
                                               : apply_records(journal, records, count, piece);
    }
    free(records);
    return piece->status;
}

void apply_piece_deinit(struct apply_piece *piece)
{
    arena_reset(&piece->arena);
}

/* ---- the thread ---- */

struct applier {
    struct journal *journal;
    struct log *log;
    applier_done_cb done;
    void *arg;
    uv_async_t async;
    pthread_t thread;
    void (*closed)(void *arg);
    void *closed_arg;
    /* Shared. */
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    uint64_t from, to; /* from 0: nothing to do. */
    bool finished;
    bool stopping;
    /* Filled in turn: `done` may look at one while the next is being filled. */
    struct apply_piece pieces[PIECES];
    unsigned turn;
};

static void *run(void *arg)
{
    struct applier *a = arg;
    pthread_mutex_lock(&a->mutex);
    while (!a->stopping) {
        if (a->from == 0) {
            pthread_cond_wait(&a->wake, &a->mutex);
            continue;
        }
        uint64_t from = a->from;
        uint64_t to = a->to;
        struct apply_piece *piece = &a->pieces[a->turn];
        a->from = 0;
        pthread_mutex_unlock(&a->mutex);
        apply_run(a->journal, a->log, from, to, piece);
        pthread_mutex_lock(&a->mutex);
        a->finished = true;
        uv_async_send(&a->async);
    }
    pthread_mutex_unlock(&a->mutex);
    return NULL;
}

static void on_async(uv_async_t *async)
{
    struct applier *a = async->data;
    pthread_mutex_lock(&a->mutex);
    bool finished = a->finished;
    struct apply_piece *piece = &a->pieces[a->turn];
    a->finished = false;
    a->turn = finished ? (a->turn + 1) % PIECES : a->turn;
    pthread_mutex_unlock(&a->mutex);
    if (finished) {
        a->done(a->arg, piece, piece->status);
        apply_piece_deinit(piece);
    }
}

static int start_thread(struct applier *a)
{
    pthread_cond_init(&a->wake, NULL);
    pthread_mutex_init(&a->mutex, NULL);
    return pthread_create(&a->thread, NULL, run, a) == 0 ? STATUS_OK : STATUS_INTERNAL;
}

static void free_applier(struct applier *a)
{
    pthread_cond_destroy(&a->wake);
    pthread_mutex_destroy(&a->mutex);
    for (size_t i = 0; i < PIECES; i++) {
        apply_piece_deinit(&a->pieces[i]);
    }
    free(a);
}

static void on_failed_start(uv_handle_t *handle)
{
    free_applier(handle->data);
}

int applier_start(struct applier **applier, uv_loop_t *loop, struct journal *journal,
    struct log *log, applier_done_cb done, void *arg)
{
    *applier = NULL;
    struct applier *a = calloc(1, sizeof *a);
    if (a == NULL) {
        return STATUS_NO_MEMORY;
    }
    a->journal = journal;
    a->log = log;
    a->done = done;
    a->arg = arg;
    a->async.data = a;
    if (uv_async_init(loop, &a->async, on_async) != 0) {
        free(a);
        return STATUS_INTERNAL;
    }
    int status = start_thread(a);
    if (status != STATUS_OK) {
        uv_close((uv_handle_t *)&a->async, on_failed_start);
        return status;
    }
    *applier = a;
    return STATUS_OK;
}

void applier_give(struct applier *a, uint64_t from, uint64_t to)
{
    pthread_mutex_lock(&a->mutex);
    assert(a->from == 0 && !a->finished && from >= 1);
    a->from = from;
    a->to = to;
    pthread_cond_signal(&a->wake);
    pthread_mutex_unlock(&a->mutex);
}

static void on_closed(uv_handle_t *handle)
{
    struct applier *a = handle->data;
    void (*closed)(void *arg) = a->closed;
    void *arg = a->closed_arg;
    free_applier(a);
    if (closed != NULL) {
        closed(arg);
    }
}

void applier_stop(struct applier *a, void (*closed)(void *arg), void *arg)
{
    pthread_mutex_lock(&a->mutex);
    a->stopping = true;
    pthread_cond_signal(&a->wake);
    pthread_mutex_unlock(&a->mutex);
    pthread_join(a->thread, NULL);
    a->closed = closed;
    a->closed_arg = arg;
    uv_close((uv_handle_t *)&a->async, on_closed);
}
