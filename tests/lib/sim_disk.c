/* Disks: the state file's, which loses and tears what was not flushed, and the log's, which takes
 * its time. */
#include "node/writer.h"
#include "storage/founding.h"
#include "tests/lib/sim.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { SECTOR = 512, QUIET_DISK_MS = 3 };

/* ---- the state file ---- */

static int file_read(void *arg, uint64_t offset, void *data, size_t size)
{
    const struct sim_file *file = arg;
    memcpy(data, file->written + offset, size);
    return STATUS_OK;
}

static int file_write(void *arg, uint64_t offset, const void *data, size_t size)
{
    struct sim_file *file = arg;
    if (file->broken) {
        return STATUS_IO;
    }
    memcpy(file->written + offset, data, size);
    return STATUS_OK;
}

/* Where it does not work, some sectors are on disk and others are not. */
static int file_flush(void *arg)
{
    struct sim_file *file = arg;
    if (file->broken) {
        return STATUS_IO;
    }
    if (file->tear_permille > 0 && random_below(file->random, 1000) < file->tear_permille) {
        file->broken = true;
        return STATUS_IO;
    }
    memcpy(file->flushed, file->written, sizeof file->flushed);
    return STATUS_OK;
}

struct state_io sim_file_io(struct sim_file *file)
{
    return (struct state_io){
        .read = file_read, .write = file_write, .flush = file_flush, .arg = file};
}

void sim_file_crash(struct sim_file *file)
{
    for (size_t at = 0; at < sizeof file->flushed; at += SECTOR) {
        if (memcmp(file->flushed + at, file->written + at, SECTOR) != 0 &&
            random_below(file->random, 2) == 0) {
            memcpy(file->flushed + at, file->written + at, SECTOR);
        }
    }
    memcpy(file->written, file->flushed, sizeof file->written);
    file->broken = false;
}

/* ---- what the checker knows of a log ---- */

void sim_log_set(struct sim_log *log, uint64_t index, struct sim_entry entry)
{
    assert(index > 0 && index <= log->last + 1);

    if (index > log->capacity) {
        log->capacity = log->capacity > 0 ? 2 * log->capacity : 1024;
        log->entries = realloc(log->entries, log->capacity * sizeof *log->entries);
        assert(log->entries != NULL);
    }
    log->entries[index - 1] = entry;
    log->last = index;
}

struct sim_entry sim_log_at(const struct sim_log *log, uint64_t index)
{
    assert(index > 0 && index <= log->last);
    return log->entries[index - 1];
}

/* ---- the log ---- */

static void commit(struct txn *txn)
{
    int status = txn_commit(txn);
    assert(status == STATUS_OK);
}

void sim_disk_format(struct sim_node *node)
{
    struct sim *sim = node->sim;
    struct founding founding = {.epoch = 1};
    for (unsigned i = 0; i < sim->options.nodes; i++) {
        char address[FOUNDING_ADDRESS_SIZE];
        (void)snprintf(address, sizeof address, "node%u:1", i + 1);
        int status = founding_add(&founding, i + 1, address, NULL);
        assert(status == STATUS_OK);
    }
    uint8_t *payload;
    size_t size;
    int status = founding_membership(&founding, &payload, &size);
    assert(status == STATUS_OK);
    const struct record record = {.index = 1,
        .term = FOUNDING_TERM,
        .kind = RECORD_MEMBERSHIP,
        .payload = bytes_of(payload, size)};
    struct txn txn;
    txn_begin_write(&txn, &node->env);
    txn_clear(&txn, node->log.records);
    txn_clear(&txn, node->log.bounds);
    commit(&txn);
    status = log_open(&node->log, &node->env, SIM_GROUP, NULL);
    assert(status == STATUS_OK);
    const struct log_write write = {
        .records = &record, .count = 1, .committed = 1, .membership_index = 1};
    txn_begin_write(&txn, &node->env);
    log_write(&txn, &node->log, &write);
    commit(&txn);
    node->disk.last = 0;
    sim_log_set(&node->disk, 1, sim_entry_of(&record));
    free(payload);
}

void sim_disk_append(struct sim_node *node, uint64_t term, size_t count)
{
    struct txn txn;
    assert(!node->up);

    txn_begin_write(&txn, &node->env);
    for (size_t i = 0; i < count; i++) {
        /* One entry an index and a term, as it must be. */
        const uint64_t place[] = {term, node->disk.last + 1};
        const struct record record = {.index = node->disk.last + 1,
            .term = term,
            .kind = RECORD_COMMAND,
            .payload = bytes_of(place, sizeof place)};
        const struct log_write write = {.records = &record, .count = 1};
        log_write(&txn, &node->log, &write);
        sim_log_set(&node->disk, record.index, sim_entry_of(&record));
    }
    commit(&txn);
}

void sim_disk_promise(struct sim_node *node, uint64_t term)
{
    assert(!node->up);
    int status = state_save(&node->state, term, 0);
    assert(status == STATUS_OK);
    node->promised_term = term;
    node->promised_vote = 0;
}

static void begin_batch(struct sim_node *node)
{
    struct sim *sim = node->sim;
    if (node->batch > 0 || node->queue_head == NULL || node->full || sim->options.scripted) {
        return;
    }
    node->batch = sim_disk_queued(node);
    unsigned slow = sim->quiet ? QUIET_DISK_MS : sim->options.disk_max_ms;
    const struct sim_event event = {.type = SIM_EVENT_DISK,
        .at_ms = sim->now_ms + random_below(&sim->random, slow + 1),
        .to = (unsigned)(node->id - 1),
        .stamp = node->life};
    sim_schedule(sim, &event);
}

void sim_disk_queue(struct sim_node *node, struct driver_write *write)
{
    write->next = NULL;
    if (node->queue_tail != NULL) {
        node->queue_tail->next = write;
    } else {
        node->queue_head = write;
    }
    node->queue_tail = write;
    begin_batch(node);
}

void sim_disk_set_full(struct sim_node *node, bool full)
{
    node->full = full;
    begin_batch(node);
}

size_t sim_disk_queued(const struct sim_node *node)
{
    size_t n = 0;
    for (const struct driver_write *w = node->queue_head; w != NULL; w = w->next) {
        n++;
    }
    return n;
}

static void note_stored(struct sim_node *node, const struct driver_write *write)
{
    sim_check_write(node, write);
    if (write->change.truncate_from > 0 && write->change.truncate_from <= node->disk.last) {
        node->disk.last = write->change.truncate_from - 1;
    }
    for (size_t k = 0; k < write->change.count; k++) {
        const struct record *record = &write->change.records[k];
        sim_log_set(&node->disk, record->index, sim_entry_of(record));
    }
}

/* The first `count` writes, as the writer does it. */
static void store(struct sim_node *node, size_t count)
{
    struct driver_write *last = NULL;
    struct driver_write *write = node->queue_head;
    for (size_t i = 0; i < count; i++, write = write->next) {
        note_stored(node, write);
        last = write;
    }
    if (last != NULL) {
        struct driver_write *left = node->queue_head;
        last->next = NULL;
        while (left != NULL) {
            int status = writer_execute(&node->log, NULL, left, &left);
            assert(status == STATUS_OK);
            (void)status;
        }
        last->next = write;
    }
    struct txn txn;
    txn_begin_read(&txn, &node->env);
    node->bounds = log_bounds(&txn, &node->log);
    txn_abort(&txn);
}

void sim_disk_flush(struct sim_node *node, size_t count)
{
    unsigned life = node->life;
    store(node, count);
    for (size_t i = 0; i < count && node->up && node->life == life; i++) {
        struct driver_write *write = node->queue_head;
        node->durable = count - i - 1;
        node->queue_head = write->next;
        if (node->queue_head == NULL) {
            node->queue_tail = NULL;
        }
        driver_written(node->driver, write);
        sim_settle(node);
    }
}

void sim_disk_done(struct sim_node *node)
{
    unsigned life = node->life;
    sim_disk_flush(node, node->batch);
    if (node->life == life && node->up) {
        node->batch = 0;
        begin_batch(node);
    }
}

static void lie(struct sim_node *node)
{
    if (node->disk.last <= node->bounds.committed) {
        return;
    }
    struct txn txn;
    const struct log_write write = {.truncate_from = node->disk.last};
    txn_begin_write(&txn, &node->env);
    log_write(&txn, &node->log, &write);
    commit(&txn);
    node->disk.last--;
}

void sim_disk_crash(struct sim_node *node, size_t kept)
{
    assert(kept <= sim_disk_queued(node));

    if (kept > 0 && node->durable == 0) {
        store(node, kept);
    }
    if (random_below(&node->sim->random, 1000) < node->sim->options.lie_permille) {
        lie(node);
    }
    node->queue_head = node->queue_tail = NULL; /* The driver frees them. */
    node->batch = 0;
    node->durable = 0;
}
