#include "tests/lib/ledger.h"

#include <assert.h>
#include <stdlib.h>

enum { LOG_MAP = 256 << 20, TERM = 3, NODE = 0xa1 };

static uint64_t front_end_schools[] = {LEDGER_SCHOOL};
static char front_end_name[] = "portal";
static char founder_name[] = "district";
static char operator_name[] = "duty";

#define PRINCIPAL(KIND, NAME, COUNT, SCHOOLS)                                         \
    {                                                                                 \
        PROTOBUF_C_MESSAGE_INIT(&zhurnal__v1__principal__descriptor),                 \
            ZHURNAL__V1__PRINCIPAL_KIND__PRINCIPAL_KIND_##KIND, NAME, COUNT, SCHOOLS, \
        {                                                                             \
            0, NULL                                                                   \
        }                                                                             \
    }

const Zhurnal__V1__Principal ledger_front_end =
    PRINCIPAL(FRONTEND, front_end_name, 1, front_end_schools);
const Zhurnal__V1__Principal ledger_founder = PRINCIPAL(FOUNDER, founder_name, 0, NULL);
const Zhurnal__V1__Principal ledger_operator = PRINCIPAL(OPERATOR, operator_name, 0, NULL);

void ledger_open(struct ledger *ledger)
{
    *ledger = (struct ledger){.clock_ms = 1795467600000};
    tmpdir_make(&ledger->dir);
    struct env_options options = log_env_options(LOG_MAP);
    options.sync = false;
    struct error err;
    int status = env_open(&ledger->env, tmpdir_path(&ledger->dir, "log"), &options, &err);
    assert(status == STATUS_OK);
    status = log_open(&ledger->log, &ledger->env, LEDGER_GROUP, &err);
    assert(status == STATUS_OK);
    (void)status;
    ledger->draft = calloc(1, sizeof *ledger->draft);
    assert(ledger->draft != NULL);
}

void ledger_close(struct ledger *ledger)
{
    env_close(&ledger->env);
    tmpdir_remove(&ledger->dir);
    free(ledger->draft);
}

struct school_draft *ledger_begin(struct ledger *ledger, uint32_t day)
{
    draft_begin(ledger->draft, LEDGER_SCHOOL, ledger->clock_ms, ++ledger->entropy);
    ledger->draft->day = day;
    return ledger->draft;
}

uint64_t ledger_end(struct ledger *ledger)
{
    struct school_entry entry = {0};
    draft_end(ledger->draft, &entry);
    return ledger_append(ledger, entry.request, &ledger_front_end);
}

uint64_t ledger_append(
    struct ledger *ledger, struct bytes request, const Zhurnal__V1__Principal *principal)
{
    struct arena arena;
    arena_init(&arena, SUBMISSION_ARENA_LIMIT);
    struct submission submission;
    struct error err;
    int status = submission_parse(request, &arena, &submission, &err);
    assert(status == STATUS_OK);
    ledger->clock_ms += 1000;
    struct entry_stamp stamp = {.recorded_at_ms = ledger->clock_ms,
        .principal = principal,
        .received_by = NODE,
        .leader = NODE,
        .level = 1};
    uint8_t *payload;
    size_t size;
    status = entry_encode(&submission, &stamp, &payload, &size);
    assert(status == STATUS_OK);
    (void)status;
    arena_reset(&arena);
    uint64_t index = ledger_append_record(ledger, RECORD_COMMAND, bytes_of(payload, size));
    free(payload);
    return index;
}

uint64_t ledger_append_record(struct ledger *ledger, enum record_kind kind, struct bytes payload)
{
    struct record record = {
        .index = ledger->last + 1, .term = TERM, .kind = kind, .payload = payload};
    struct log_write write = {.records = &record,
        .count = 1,
        .committed = record.index,
        .last_stamp_ms = ledger->clock_ms};
    struct txn txn;
    txn_begin_write(&txn, &ledger->env);
    log_write(&txn, &ledger->log, &write);
    int status = txn_commit(&txn);
    assert(status == STATUS_OK);
    (void)status;
    return ++ledger->last;
}

uint64_t ledger_open_journal(struct ledger *ledger, struct journal *journal, const char *name)
{
    const struct journal_options options = {.map_size = LOG_MAP, .boot_id = "one boot"};
    struct error err;
    uint64_t index;
    int status = journal_open(
        journal, tmpdir_path(&ledger->dir, name), LEDGER_GROUP, &options, &index, &err);
    assert(status == STATUS_OK);
    (void)status;
    return index;
}

static int apply_batch(
    struct ledger *ledger, struct journal *journal, uint64_t from, uint64_t count)
{
    struct txn log_txn;
    struct txn txn;
    struct arena arena;
    int status = STATUS_OK;
    arena_init(&arena, JOURNAL_ARENA_LIMIT);
    txn_begin_read(&log_txn, &ledger->env);
    txn_begin_write(&txn, &journal->views.env);
    for (uint64_t i = from; status == STATUS_OK && i < from + count; i++) {
        struct record record;
        struct verdict verdict;
        bool found = log_read(&log_txn, &ledger->log, i, &record);
        assert(found);
        (void)found;
        status = journal_apply(&txn, journal, &record, &arena, &verdict);
        arena_reset(&arena);
    }
    int committed = txn_commit(&txn);
    txn_abort(&log_txn);
    return status != STATUS_OK ? status : committed;
}

int ledger_apply(struct ledger *ledger, struct journal *journal, uint64_t to, uint64_t batch)
{
    int status = STATUS_OK;
    uint64_t next = ledger_state(journal).index + 1;
    while (status == STATUS_OK && next <= to) {
        uint64_t count = to - next + 1 < batch ? to - next + 1 : batch;
        status = apply_batch(ledger, journal, next, count);
        next += count;
    }
    return status;
}

struct verdict ledger_verdict(struct journal *journal, uint64_t index)
{
    struct arena arena;
    struct txn txn;
    struct verdict verdict = {0};
    arena_init(&arena, JOURNAL_ARENA_LIMIT);
    txn_begin_read(&txn, &journal->views.env);
    bool found = journal_verdict(&txn, journal, index, &arena, &verdict);
    assert(found);
    (void)found;
    txn_abort(&txn);
    arena_reset(&arena);
    verdict.events = NULL;
    return verdict;
}

struct journal_state ledger_state(struct journal *journal)
{
    struct txn txn;
    txn_begin_read(&txn, &journal->views.env);
    struct journal_state state = journal_state(&txn, journal);
    assert(txn.status == STATUS_OK);
    txn_abort(&txn);
    return state;
}

int ledger_page(struct ledger *ledger, struct journal *journal,
    const Zhurnal__V1__GetPageRequest *request, struct arena *arena,
    Zhurnal__V1__GetPageResponse **page)
{
    struct txn views;
    struct txn log_txn;
    struct error err;
    txn_begin_read(&views, &journal->views.env);
    txn_begin_read(&log_txn, &ledger->env);
    const struct journal_reader reader = {
        .views = &views, .journal = journal, .log_txn = &log_txn, .log = &ledger->log};
    int status = journal_page(&reader, request, arena, page, &err);
    txn_abort(&log_txn);
    txn_abort(&views);
    return status;
}
