#include "tests/lib/sim_journal.h"

#include "proto/integer.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    MAP = 64 << 20,
    SCHOOL = 77,
    STRANGE_SCHOOL = 78,
    COMMIT_EACH = 40,
    AGAIN_PERCENT = 15,
    OTHER_BYTES_PERCENT = 5,
    STRANGE_PERCENT = 5,
    VIEWS_LOST_PERCENT = 20,
    VIEWS_LAG_PERCENT = 40,
    PERCENT = 100,
};

static const int64_t BEGUN_MS = 1790000000000;

static bool strikes(struct sim_journal *j, unsigned percent)
{
    return random_below(&j->random, PERCENT) < percent;
}

/* ---- views ---- */

static void commit(struct sim_views *views)
{
    if (views->writing) {
        int status = txn_commit(&views->txn);
        assert(status == STATUS_OK);
        (void)status;
        views->writing = false;
    }
}

static void begin(struct sim_views *views)
{
    if (!views->writing) {
        txn_begin_write(&views->txn, &views->journal.views.env);
        views->writing = true;
    }
}

static void clear(struct sim_views *views)
{
    struct journal *journal = &views->journal;
    const struct table tables[] = {journal->state, journal->verdicts, journal->entries,
        journal->schools, journal->roster, journal->facts, journal->effects, journal->views.stamp};
    begin(views);
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        txn_clear(&views->txn, tables[i]);
    }
    commit(views);
    views->index = 0;
}

static void learn_index(struct sim_views *views)
{
    struct txn txn;
    txn_begin_read(&txn, &views->journal.views.env);
    views->index = journal_state(&txn, &views->journal).index;
    txn_abort(&txn);
}

static void on_start(void *arg, struct sim_node *node)
{
    struct sim_journal *j = arg;
    learn_index(&j->views[node->id - 1]);
}

/* kill -9: what was committed is there, the transaction under way is not; or all is gone. */
static void on_stop(void *arg, struct sim_node *node)
{
    struct sim_journal *j = arg;
    struct sim_views *views = &j->views[node->id - 1];
    if (views->writing && strikes(j, VIEWS_LAG_PERCENT)) {
        txn_abort(&views->txn);
        views->writing = false;
    }
    commit(views);
    if (strikes(j, VIEWS_LOST_PERCENT)) {
        clear(views);
    }
}

/* ---- clients ---- */

/* Entry `number`, the same bytes each time. */
static struct bytes request_of(struct sim_journal *j, uint64_t number, uint32_t mark)
{
    struct school_entry entry = {0};
    struct school_draft *draft = &j->draft;
    bool strange = number % PERCENT < STRANGE_PERCENT;
    draft_begin(draft, strange ? STRANGE_SCHOOL : SCHOOL, BEGUN_MS, 1);
    put_u64_be(draft->entry_id, number);
    put_u64_be(draft->entry_id + 8, number);
    draft->day = 20261123;
    Zhurnal__V1__MarkSet *set = DRAFT_ADD(draft, mark_set, MARK_SET);
    set->pupil = number % 25 + 1;
    set->given_for_case = ZHURNAL__V1__MARK_SET__GIVEN_FOR_LESSON;
    set->lesson = 601;
    set->slot = 1;
    set->mark = draft_message(draft, &zhurnal__v1__mark__descriptor);
    set->mark->mark_kind = ZHURNAL__V1__MARK_KIND__MARK_KIND_NUMBER;
    set->mark->number = mark;
    draft_end(draft, &entry);
    return entry.request;
}

static struct payload *stamp(
    struct sim_journal *j, const struct sim_node *node, struct bytes request)
{
    static uint64_t schools[] = {SCHOOL};
    char name[] = "portal";
    Zhurnal__V1__Principal principal = ZHURNAL__V1__PRINCIPAL__INIT;
    principal.kind = ZHURNAL__V1__PRINCIPAL_KIND__PRINCIPAL_KIND_FRONTEND;
    principal.name = name;
    principal.schools = schools;
    principal.n_schools = 1;
    const struct entry_stamp stamp = {.recorded_at_ms = BEGUN_MS + (int64_t)node->sim->now_ms,
        .principal = &principal,
        .received_by = ++j->stamps,
        .leader = node->id,
        .level = 1};
    struct submission submission;
    struct arena arena;
    uint8_t *encoded = NULL;
    size_t size = 0;
    arena_init(&arena, SUBMISSION_ARENA_LIMIT);
    int status = submission_parse(request, &arena, &submission, NULL);
    assert(status == STATUS_OK);
    status = entry_encode(&submission, &stamp, &encoded, &size);
    assert(status == STATUS_OK);
    (void)status;
    arena_reset(&arena);
    struct payload *payload = payload_create(encoded, size);
    free(encoded);
    assert(payload != NULL);
    return payload;
}

static struct payload *on_submit(void *arg, struct sim_node *node)
{
    struct sim_journal *j = arg;
    bool again = j->entries > 0 && strikes(j, AGAIN_PERCENT);
    bool other = again && strikes(j, OTHER_BYTES_PERCENT);
    uint64_t number = j->entries;
    if (again) {
        number = random_next(&j->random) % j->entries;
    } else {
        assert(j->entries < SIM_JOURNAL_ENTRIES_MAX);
        j->entries++;
    }
    return stamp(j, node, request_of(j, number, other ? 2 : 5));
}

/* ---- apply ---- */

/* The first node to apply an index says what it means; the others must say the same. */
static void compare(struct sim_journal *j, struct sim_node *node, uint64_t index)
{
    struct sim_views *views = &j->views[node->id - 1];
    const struct journal_state state = journal_state(&views->txn, &views->journal);
    if (index < j->judged_count) {
        if (memcmp(j->judged[index].digest, state.digest, SHA256_SIZE) != 0) {
            sim_violation(node->sim,
                "node %" PRIu64 " judges differently, at index %" PRIu64 " or before it", node->id,
                index);
        }
        return;
    }
    assert(index == j->judged_count);
    if (j->judged_count == j->judged_capacity) {
        j->judged_capacity = j->judged_capacity == 0 ? 1024 : 2 * j->judged_capacity;
        j->judged = realloc(j->judged, j->judged_capacity * sizeof *j->judged);
        assert(j->judged != NULL);
    }
    memcpy(j->judged[j->judged_count++].digest, state.digest, SHA256_SIZE);
}

static void check_once(
    struct sim_journal *j, struct sim_node *node, const struct record *record, struct arena *arena)
{
    struct entry entry;
    arena_reset(arena);
    int status = entry_decode(record->payload, arena, &entry);
    assert(status == STATUS_OK);
    (void)status;
    uint64_t number = get_u64_be(entry.draft->entry_id.data);
    assert(number < j->entries);
    if (j->accepted_at[number] != 0 && j->accepted_at[number] != record->index) {
        sim_violation(node->sim,
            "entry %" PRIu64 " has its effect at index %" PRIu64 " and again at %" PRIu64, number,
            j->accepted_at[number], record->index);
    }
    j->accepted_at[number] = record->index;
}

static void count(struct sim_journal *j, const struct verdict *verdict)
{
    j->count.accepted += verdict->outcome == VERDICT_ACCEPTED;
    j->count.refused += verdict->outcome == VERDICT_REFUSED;
    j->count.duplicates += verdict->outcome == VERDICT_DUPLICATE;
}

static void on_applied(void *arg, struct sim_node *node, const struct record *record)
{
    struct sim_journal *j = arg;
    struct sim_views *views = &j->views[node->id - 1];
    struct verdict verdict;
    struct arena arena;
    if (record->index <= views->index) {
        return; /* The views have it from before the restart. */
    }
    arena_init(&arena, JOURNAL_ARENA_LIMIT);
    begin(views);
    int status = journal_apply(&views->txn, &views->journal, record, &arena, &verdict);
    if (status != STATUS_OK) {
        sim_violation(
            node->sim, "index %" PRIu64 " does not apply: %s", record->index, status_text(status));
    } else {
        views->index = record->index;
        j->count.applied++;
        if (record->index >= j->judged_count) {
            count(j, &verdict);
        }
        compare(j, node, record->index);
        if (verdict.outcome == VERDICT_ACCEPTED) {
            check_once(j, node, record, &arena);
        }
    }
    arena_reset(&arena);
    if (record->index % COMMIT_EACH == 0) {
        commit(views);
    }
}

/* ---- lives ---- */

void sim_journal_open(struct sim_journal *j, const char *directory)
{
    *j = (struct sim_journal){
        .app = {.start = on_start, .stop = on_stop, .submit = on_submit, .applied = on_applied}};
    j->app.arg = j;
    j->accepted_at = calloc(SIM_JOURNAL_ENTRIES_MAX, sizeof *j->accepted_at);
    assert(j->accepted_at != NULL);
    for (unsigned i = 0; i < SIM_NODES_MAX; i++) {
        char path[512];
        uint64_t index;
        struct error err;
        const struct journal_options options = {.map_size = MAP};
        snprintf(path, sizeof path, "%s/views%u", directory, i + 1);
        int status = journal_open(&j->views[i].journal, path, SIM_GROUP, &options, &index, &err);
        assert(status == STATUS_OK);
        (void)status;
    }
}

void sim_journal_close(struct sim_journal *j)
{
    for (unsigned i = 0; i < SIM_NODES_MAX; i++) {
        commit(&j->views[i]);
        journal_close(&j->views[i].journal, true);
    }
    free(j->judged);
    free(j->accepted_at);
}

void sim_journal_reset(struct sim_journal *j, uint64_t seed)
{
    for (unsigned i = 0; i < SIM_NODES_MAX; i++) {
        clear(&j->views[i]);
    }
    j->random.state = seed ^ 0x6a6f75726e616cU;
    memset(j->accepted_at, 0, (size_t)j->entries * sizeof *j->accepted_at);
    j->entries = 0;
    /* Index 0 is before the log. */
    j->judged_count = 0;
    if (j->judged_capacity == 0) {
        j->judged_capacity = 1024;
        j->judged = calloc(j->judged_capacity, sizeof *j->judged);
        assert(j->judged != NULL);
    }
    j->judged_count = 1;
}
