#include "node/apply.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

enum { RESULTS_ARENA_LIMIT = 64 << 20, PIECES = 2 };

/* ---- one piece ---- */

struct application {
    struct journal *journal;
    struct apply_piece *piece;
    struct txn txn;
    struct arena arena; /* Of one record. */
    size_t changes;
    bool enough; /* The next would be too many. */
};

/* Who asked for this record is known by its school and entry id. */
static int read_command(struct application *a, const struct record *record,
    struct apply_result *result, size_t *changes)
{
    struct entry entry;
    int status = entry_decode(record->payload, &a->arena, &entry);
    if (status == STATUS_OK) {
        result->recorded_at_ms = entry.recorded_at_ms;
        *changes += entry.draft->n_events;
        if (entry.draft->entry_id.len == ENTRY_ID_SIZE) {
            memcpy(result->entry_id, entry.draft->entry_id.data, ENTRY_ID_SIZE);
        }
    }
    arena_reset(&a->arena);
    return status == STATUS_NO_MEMORY ? status : STATUS_OK;
}

static int note_result(
    struct apply_piece *piece, const struct apply_result *result, const struct verdict *verdict)
{
    struct apply_result *noted = &piece->results[piece->count];
    *noted = *result;
    noted->school = verdict->school;
    noted->verdict = *verdict;
    if (verdict->count > 0) {
        size_t size = verdict->count * sizeof *verdict->events;
        struct event_verdict *events = arena_alloc(&piece->arena, size);
        if (events == NULL) {
            return STATUS_NO_MEMORY;
        }
        memcpy(events, verdict->events, size);
        noted->verdict.events = events;
    }
    piece->count++;
    return STATUS_OK;
}

static int apply_record(struct application *a, const struct record *record)
{
    struct apply_result result = {.index = record->index};
    struct verdict verdict;
    size_t changes = 1;
    bool is_command = record->kind == RECORD_COMMAND;
    int status = is_command ? read_command(a, record, &result, &changes) : STATUS_OK;
    if (status != STATUS_OK) {
        return status;
    }
    if (a->changes > 0 && a->changes + changes > APPLY_PIECE_CHANGES) {
        a->enough = true;
        return STATUS_OK;
    }
    a->changes += changes;
    status = journal_apply(&a->txn, a->journal, record, &a->arena, &verdict);
    if (status == STATUS_OK) {
        a->piece->upto = record->index;
        status = is_command ? note_result(a->piece, &result, &verdict) : STATUS_OK;
    }
    arena_reset(&a->arena);
    return status;
}

static int apply_records(
    struct journal *journal, const struct record *records, size_t count, struct apply_piece *piece)
{
    struct application a = {.journal = journal, .piece = piece};
    int status = STATUS_OK;
    uint64_t before = piece->upto;
    arena_init(&a.arena, JOURNAL_ARENA_LIMIT);
    txn_begin_write(&a.txn, &journal->views.env);
    for (size_t i = 0; i < count && status == STATUS_OK && !a.enough; i++) {
        status = apply_record(&a, &records[i]);
    }
    if (status == STATUS_OK || status == STATUS_UNIMPLEMENTED) {
        piece->state = journal_state(&a.txn, journal);
        int committed = txn_commit(&a.txn);
        status = committed == STATUS_OK ? status : committed;
    } else {
        txn_abort(&a.txn);
    }
    if (status != STATUS_OK && status != STATUS_UNIMPLEMENTED) {
        piece->upto = before;
        piece->count = 0;
    }
    return status;
}

/* No index that is to be applied is missing. */
static int read_piece(
    struct log *log, uint64_t from, uint64_t to, struct record **records, size_t *count)
{
    uint64_t wanted = to - from + 1;
    size_t most = wanted < APPLY_PIECE_RECORDS ? (size_t)wanted : APPLY_PIECE_RECORDS;
    int status = log_read_from(log, from, most, APPLY_PIECE_BYTES, records, count);
    return status == STATUS_OK && *count == 0 ? STATUS_CORRUPT : status;
}

int apply_run(
    struct journal *journal, struct log *log, uint64_t from, uint64_t to, struct apply_piece *piece)
{
    assert(from >= 1 && from <= to);

    struct record *records = NULL;
    size_t count;
    *piece = (struct apply_piece){.upto = from - 1};
    arena_init(&piece->arena, RESULTS_ARENA_LIMIT);
    piece->status = read_piece(log, from, to, &records, &count);
    piece->log_failed = piece->status != STATUS_OK;
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
