#include "node/journal/journal.h"

#include "node/journal/evolve.h"
#include "node/journal/roster.h"
#include "node/journal/row.h"
#include "storage/leaf.h"

#include <assert.h>

enum {
    ROW_VERSION = 1,
    STATE_ROW_SIZE = 1 + 8 + SHA256_SIZE + 4 + 4 + 8,
    SCHOOL_ROW_SIZE = 1 + 8 + SHA256_SIZE,
    ENTRY_ROW_SIZE = 8 + SHA256_SIZE,
    ENTRY_KEY_SIZE = 8 + ENTRY_ID_SIZE,
    TABLES = 7,
};

static_assert(STATE_ROW_SIZE == 57, "rows are a format");
static_assert(SCHOOL_ROW_SIZE == 41, "rows are a format");
static_assert(ENTRY_ROW_SIZE == 40 && ENTRY_KEY_SIZE == 24, "rows are a format");

/* ---- opening ---- */

int journal_open(struct journal *journal, const char *path, uint32_t group,
    const struct journal_options *options, uint64_t *index, struct error *err)
{
    *journal = (struct journal){.group = group};
    const struct views_options views = {.map_size = options->map_size,
        .schema = JOURNAL_SCHEMA,
        .tables_max = TABLES,
        .boot_id = options->boot_id};
    int status = views_open(&journal->views, path, &views, index, err);
    if (status != STATUS_OK) {
        return status;
    }
    const struct {
        const char *name;
        struct table *table;
    } tables[] = {
        {"state", &journal->state},
        {"verdicts", &journal->verdicts},
        {"entries", &journal->entries},
        {"schools", &journal->schools},
        {"roster", &journal->roster},
        {"facts", &journal->facts},
        {"effects", &journal->effects},
    };
    for (size_t i = 0; status == STATUS_OK && i < sizeof tables / sizeof *tables; i++) {
        status = env_table(&journal->views.env, tables[i].name, tables[i].table, err);
    }
    if (status != STATUS_OK) {
        views_close(&journal->views, true);
    }
    return status;
}

void journal_distrust(struct journal *journal)
{
    views_distrust(&journal->views);
}

void journal_close(struct journal *journal, bool broken)
{
    views_close(&journal->views, broken);
}

/* ---- state ---- */

static const uint8_t state_key[1] = {0};

struct journal_state journal_state(struct txn *txn, struct journal *journal)
{
    struct journal_state state = {.level = 1};
    struct bytes value;
    if (!txn_get(txn, journal->state, bytes_of(state_key, sizeof state_key), &value)) {
        return state;
    }
    struct row_reader row = row_reader_of(value);
    uint8_t version = row_get_u8(&row);
    state.index = row_get_u64(&row);
    row_get_bytes(&row, state.digest, SHA256_SIZE);
    state.level = row_get_u32(&row);
    state.clock_epoch = row_get_u32(&row);
    state.last_stamp_ms = (int64_t)row_get_u64(&row);
    if (row.malformed || version != ROW_VERSION || state.level < 1) {
        txn_fail(txn, STATUS_CORRUPT);
    }
    return state;
}

static void put_state(struct txn *txn, struct journal *journal, const struct journal_state *state)
{
    uint8_t row[STATE_ROW_SIZE];
    uint8_t *at = row_put_u8(row, ROW_VERSION);
    at = row_put_u64(at, state->index);
    at = row_put(at, state->digest, SHA256_SIZE);
    at = row_put_u32(at, state->level);
    at = row_put_u32(at, state->clock_epoch);
    at = row_put_u64(at, (uint64_t)state->last_stamp_ms);
    assert(at == row + sizeof row);
    txn_put(txn, journal->state, bytes_of(state_key, sizeof state_key), bytes_of(row, sizeof row));
}

/* ---- schools: each counts its own commands, and chains their leaves ---- */

struct school_chain {
    uint64_t count;
    uint8_t leaf[SHA256_SIZE]; /* Of the last; zeros at first. */
};

static void get_chain(
    struct txn *txn, struct journal *journal, uint64_t school, struct school_chain *chain)
{
    memset(chain, 0, sizeof *chain);
    uint8_t key[8];
    struct bytes value;
    put_u64_be(key, school);
    if (txn_get(txn, journal->schools, bytes_of(key, sizeof key), &value)) {
        struct row_reader row = row_reader_of(value);
        uint8_t version = row_get_u8(&row);
        chain->count = row_get_u64(&row);
        row_get_bytes(&row, chain->leaf, SHA256_SIZE);
        if (row.malformed || version != ROW_VERSION) {
            txn_fail(txn, STATUS_CORRUPT);
        }
    }
}

static void put_chain(struct txn *txn, struct journal *journal, const struct verdict *verdict,
    const uint8_t leaf[SHA256_SIZE])
{
    uint8_t key[8];
    uint8_t row[SCHOOL_ROW_SIZE];
    put_u64_be(key, verdict->school);
    uint8_t *at = row_put_u8(row, ROW_VERSION);
    at = row_put_u64(at, verdict->school_index);
    at = row_put(at, leaf, SHA256_SIZE);
    assert(at == row + sizeof row);
    txn_put(txn, journal->schools, bytes_of(key, sizeof key), bytes_of(row, sizeof row));
}

/* ---- entries: exactly once ---- */

static void entry_key(
    uint64_t school, const uint8_t entry_id[ENTRY_ID_SIZE], uint8_t key[ENTRY_KEY_SIZE])
{
    row_put(row_put_u64(key, school), entry_id, ENTRY_ID_SIZE);
}

bool journal_find(struct txn *txn, struct journal *journal, uint64_t school,
    const uint8_t entry_id[ENTRY_ID_SIZE], uint64_t *index, uint8_t draft_hash[SHA256_SIZE])
{
    uint8_t key[ENTRY_KEY_SIZE];
    struct bytes value;
    entry_key(school, entry_id, key);
    if (!txn_get(txn, journal->entries, bytes_of(key, sizeof key), &value)) {
        return false;
    }
    struct row_reader row = row_reader_of(value);
    *index = row_get_u64(&row);
    row_get_bytes(&row, draft_hash, SHA256_SIZE);
    if (row.malformed) {
        txn_fail(txn, STATUS_CORRUPT);
    }
    return !row.malformed;
}

static void put_entry(struct txn *txn, struct journal *journal, uint64_t index,
    const Zhurnal__V1__Draft *draft, const uint8_t draft_hash[SHA256_SIZE])
{
    uint8_t key[ENTRY_KEY_SIZE];
    uint8_t row[ENTRY_ROW_SIZE];
    entry_key(draft->school, draft->entry_id.data, key);
    row_put(row_put_u64(row, index), draft_hash, SHA256_SIZE);
    txn_insert(txn, journal->entries, bytes_of(key, sizeof key), bytes_of(row, sizeof row));
}

static struct decide_state state_for(struct txn *txn, struct journal *journal, uint32_t level,
    const Zhurnal__V1__Draft *draft, const uint8_t draft_hash[SHA256_SIZE])
{
    struct decide_state state = {.level = level};
    uint8_t first_hash[SHA256_SIZE];
    if (journal_find(
            txn, journal, draft->school, draft->entry_id.data, &state.first_index, first_hash)) {
        state.same_draft = memcmp(first_hash, draft_hash, SHA256_SIZE) == 0;
    }
    return state;
}

/* ---- applying ---- */

struct application {
    struct txn *txn;
    struct journal *journal;
    const struct record *record;
    struct arena *arena;
    struct journal_state state;
};

static int judge(struct application *a, const struct entry *entry, struct verdict *verdict)
{
    const Zhurnal__V1__Draft *draft = entry->draft;
    uint8_t hash[SHA256_SIZE];
    sha256_of(entry->slice, hash);

    struct school_chain chain;
    get_chain(a->txn, a->journal, draft->school, &chain);
    verdict->school = draft->school;
    verdict->school_index = chain.count + 1;
    memcpy(verdict->school_chain, chain.leaf, SHA256_SIZE);

    struct decide_state state = state_for(a->txn, a->journal, a->state.level, draft, hash);
    int status = decide(&state, entry->slice, draft, entry->principal, a->arena, verdict);
    if (status != STATUS_OK || a->txn->status != STATUS_OK) {
        return status;
    }
    if (state.first_index == 0) {
        put_entry(a->txn, a->journal, a->record->index, draft, hash);
    }
    a->state.last_stamp_ms = entry->recorded_at_ms;
    if (verdict->outcome == VERDICT_ACCEPTED) {
        evolve(a->txn, a->journal, a->record->index, entry, a->arena, &a->state);
    }
    return STATUS_OK;
}

static void store_verdict(struct application *a, const struct verdict *verdict)
{
    uint8_t key[8];
    struct bytes encoded;
    put_u64_be(key, a->record->index);
    if (verdict_encode(verdict, a->arena, &encoded) != STATUS_OK) {
        txn_fail(a->txn, STATUS_NO_MEMORY);
        return;
    }
    txn_append(a->txn, a->journal->verdicts, bytes_of(key, sizeof key), encoded);
}

/* A payload that does not decode names no school: it counts in none, and its id is not taken. */
static void apply_command(struct application *a, struct verdict *verdict)
{
    struct entry entry;
    int status = entry_decode(a->record->payload, a->arena, &entry);
    if (status == STATUS_MALFORMED ||
        (status == STATUS_OK && submission_check_draft(entry.draft, NULL) != STATUS_OK)) {
        verdict->outcome = VERDICT_REFUSED;
        verdict->rule = RULE_UNDECODABLE;
    } else if (status == STATUS_OK) {
        status = judge(a, &entry, verdict);
    }
    if (status == STATUS_NO_MEMORY) {
        txn_fail(a->txn, STATUS_NO_MEMORY);
    } else {
        store_verdict(a, verdict);
    }
}

static bool is_known(const struct journal_state *state, const struct record *record)
{
    return state->level <= JOURNAL_LEVEL_MAX && record->kind >= RECORD_COMMAND &&
        record->kind <= RECORD_MEMBERSHIP;
}

int journal_apply(struct txn *txn, struct journal *journal, const struct record *record,
    struct arena *arena, struct verdict *verdict)
{
    assert(arena->limit == JOURNAL_ARENA_LIMIT && arena->used == 0);

    *verdict = (struct verdict){0};
    struct application a = {.txn = txn, .journal = journal, .record = record, .arena = arena};
    a.state = journal_state(txn, journal);
    if (txn->status != STATUS_OK) {
        return txn->status;
    }
    assert(record->index == a.state.index + 1);
    if (!is_known(&a.state, record)) {
        return STATUS_UNIMPLEMENTED;
    }
    uint8_t hash[SHA256_SIZE];
    uint8_t leaf[SHA256_SIZE];
    if (record->kind == RECORD_COMMAND) {
        apply_command(&a, verdict);
        verdict_hash(verdict, hash);
    } else {
        sha256_of(bytes_of("", 0), hash);
    }
    leaf_hash(journal->group, record, hash, leaf);
    digest_extend(a.state.digest, leaf);
    if (verdict->school_index != 0) {
        put_chain(txn, journal, verdict, leaf);
    }
    a.state.index = record->index;
    put_state(txn, journal, &a.state);
    views_stamp(txn, &journal->views, record->index);
    return txn->status;
}

/* ---- asking ---- */

bool journal_verdict(struct txn *txn, struct journal *journal, uint64_t index, struct arena *arena,
    struct verdict *verdict)
{
    uint8_t key[8];
    struct bytes value;
    put_u64_be(key, index);
    if (!txn_get(txn, journal->verdicts, bytes_of(key, sizeof key), &value)) {
        return false;
    }
    int status = verdict_decode(value, arena, verdict);
    if (status != STATUS_OK) {
        txn_fail(txn, status);
    }
    return status == STATUS_OK;
}

bool journal_node(
    struct txn *txn, struct journal *journal, uint64_t node, uint8_t directory[UUID_SIZE])
{
    return roster_get_node(txn, journal->roster, node, directory);
}

int journal_check(struct txn *txn, struct journal *journal, const struct submission *submission,
    const Zhurnal__V1__Principal *principal, struct arena *arena, struct verdict *verdict)
{
    *verdict = (struct verdict){.school = submission->draft->school};
    uint32_t level = journal_state(txn, journal).level;
    if (txn->status == STATUS_OK && level > JOURNAL_LEVEL_MAX) {
        return STATUS_UNIMPLEMENTED;
    }
    struct decide_state state =
        state_for(txn, journal, level, submission->draft, submission->draft_hash);
    if (txn->status != STATUS_OK) {
        return txn->status;
    }
    return decide(&state, submission->slice, submission->draft, principal, arena, verdict);
}
