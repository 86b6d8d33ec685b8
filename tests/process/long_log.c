/* Makes the log of a stopped node long, without the weeks that it would take to write: appends so
 * many committed entries of so many marks each (1), as a leader would have recorded them.
 *
 *     long_log LOG_DIRECTORY SCHOOL COUNT [MARKS [STRIDE LESSONS]]
 *
 * The n-th mark is of lesson n * STRIDE mod LESSONS. Unless told otherwise lessons are scattered as
 * clients scatter them, whose ids are random: no two marks need stand together in the views.
 */
#include "node/journal/entry.h"
#include "proto/integer.h"
#include "storage/founding.h"
#include "storage/log.h"
#include "tests/lib/school_draft.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 1000, NODE = 0xa1 };

static const int64_t BEGUN_MS = 1756684800000;
static const uint64_t SCATTERED = 0x9E3779B97F4A7C15;
static const uint64_t LESSONS_MAX = (uint64_t)1 << 52;

struct maker {
    struct school_draft draft;
    struct log log;
    uint64_t school;
    uint64_t marks; /* Of an entry. */
    uint64_t stride, lessons;
    struct record records[BATCH];
    uint8_t *payloads[BATCH];
};

static void add_mark(struct maker *maker, uint64_t number)
{
    struct school_draft *draft = &maker->draft;
    Zhurnal__V1__MarkSet *set = DRAFT_ADD(draft, mark_set, MARK_SET);
    set->given_for_case = ZHURNAL__V1__MARK_SET__GIVEN_FOR_LESSON;
    set->lesson = number * maker->stride % maker->lessons + 1;
    set->pupil = set->lesson % 1000 + 1;
    set->slot = 1;
    set->mark = draft_message(draft, &zhurnal__v1__mark__descriptor);
    set->mark->mark_kind = ZHURNAL__V1__MARK_KIND__MARK_KIND_NUMBER;
    set->mark->number = (uint32_t)(number % 4) + 2;
}

static struct bytes request_of(struct maker *maker, uint64_t number)
{
    struct school_entry entry = {0};
    struct school_draft *draft = &maker->draft;
    draft_begin(draft, maker->school, BEGUN_MS + (int64_t)number, number);
    draft->day = 20250901;
    put_u64_be(draft->entry_id, number);
    for (uint64_t i = 0; i < maker->marks; i++) {
        add_mark(maker, number * maker->marks + i);
    }
    draft_end(draft, &entry);
    return entry.request;
}

static int record(struct maker *maker, uint64_t index, struct record *record, uint8_t **payload)
{
    char name[] = "long_log";
    Zhurnal__V1__Principal principal = ZHURNAL__V1__PRINCIPAL__INIT;
    principal.kind = ZHURNAL__V1__PRINCIPAL_KIND__PRINCIPAL_KIND_FRONTEND;
    principal.name = name;
    principal.schools = &maker->school;
    principal.n_schools = 1;
    const struct entry_stamp stamp = {.recorded_at_ms = BEGUN_MS + (int64_t)index,
        .principal = &principal,
        .received_by = NODE,
        .leader = NODE,
        .level = 1};
    struct bytes request = request_of(maker, index);
    struct submission submission;
    struct arena arena;
    size_t size = 0;
    arena_init(&arena, SUBMISSION_ARENA_LIMIT);
    int status = submission_parse(request, &arena, &submission, NULL);
    if (status == STATUS_OK) {
        status = entry_encode(&submission, &stamp, payload, &size);
    }
    arena_reset(&arena);
    record->kind = RECORD_COMMAND;
    record->index = index;
    record->payload = bytes_of(*payload, size);
    return status;
}

static int write_batch(struct maker *maker, struct log_bounds bounds, size_t count)
{
    struct txn txn;
    int status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        status = record(maker, bounds.last_index + 1 + i, &maker->records[i], &maker->payloads[i]);
        maker->records[i].term = bounds.last_term;
    }
    if (status == STATUS_OK) {
        uint64_t last = bounds.last_index + count;
        const struct log_write write = {.records = maker->records,
            .count = count,
            .committed = last,
            .last_stamp_ms = BEGUN_MS + (int64_t)last};
        txn_begin_write(&txn, maker->log.env);
        log_write(&txn, &maker->log, &write);
        status = txn_commit(&txn);
    }
    for (size_t i = 0; i < count; i++) {
        free(maker->payloads[i]);
        maker->payloads[i] = NULL;
    }
    return status;
}

static int write_all(struct maker *maker, uint64_t count)
{
    int status = STATUS_OK;
    while (count > 0 && status == STATUS_OK) {
        struct txn txn;
        txn_begin_read(&txn, maker->log.env);
        struct log_bounds bounds = log_bounds(&txn, &maker->log);
        txn_abort(&txn);
        size_t batch = count < BATCH ? (size_t)count : BATCH;
        status = write_batch(maker, bounds, batch);
        count -= batch;
    }
    return status;
}

int main(int argc, char **argv)
{
    if (argc < 4 || argc == 6 || argc > 7) {
        (void)fputs(
            "usage: long_log LOG_DIRECTORY SCHOOL COUNT [MARKS [STRIDE LESSONS]]\n", stderr);
        return 2;
    }
    struct env env;
    struct error err;
    struct maker *maker = calloc(1, sizeof *maker);
    const struct env_options options = log_env_options(0);
    if (maker == NULL || env_open(&env, argv[1], &options, &err) != STATUS_OK) {
        (void)fprintf(stderr, "long_log: %s\n", maker == NULL ? "out of memory" : err.text);
        return 1;
    }
    maker->school = strtoull(argv[2], NULL, 10);
    maker->marks = argc > 4 ? strtoull(argv[4], NULL, 10) : 1;
    maker->stride = argc > 5 ? strtoull(argv[5], NULL, 10) : SCATTERED;
    maker->lessons = argc > 5 ? strtoull(argv[6], NULL, 10) : LESSONS_MAX;
    int status = log_open(&maker->log, &env, FOUNDING_GROUP, &err);
    if (status == STATUS_OK) {
        status = write_all(maker, strtoull(argv[3], NULL, 10));
    }
    if (status != STATUS_OK) {
        (void)fprintf(stderr, "long_log: %s\n", status_text(status));
    }
    env_close(&env);
    free(maker);
    return status != STATUS_OK;
}
