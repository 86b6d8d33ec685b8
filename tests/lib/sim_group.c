#include "tests/lib/sim_group.h"

#include "proto/integer.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    MAP = 64 << 20,
    SCHOOL = 77,
    INDEXES_MAX = 1 << 16,
    PERCENT = 100,
    AGAIN_PERCENT = 30,
    OTHER_BYTES_PERCENT = 5,
    VIEWS_LOST_PERCENT = 20,
    SKEW_MAX_MS = 4000,
    QUIET_LAG_MS = 4,
    TURNS_MAX = 16,
    MARK = 5,
    OTHER_MARK = 2,
};

static const int64_t BEGUN_MS = 1790000000000;

static bool strikes(struct sim_group *g, unsigned percent)
{
    return random_below(&g->random, PERCENT) < percent;
}

static struct sim_member *member_of(struct sim_node *node)
{
    struct sim_group *g = node->sim->app->arg;
    return &g->members[node->id - 1];
}

/* ---- the world ---- */

static struct clock_reading on_clock(void *arg)
{
    struct sim_node *node = arg;
    const struct sim_member *m = member_of(node);
    int64_t now_ms = (int64_t)node->sim->now_ms;
    return (struct clock_reading){
        .wall_ms = BEGUN_MS + now_ms + m->skew_ms + m->jump_ms, .boot_ms = now_ms};
}

static void on_set_clock(void *arg, struct sim_node *node)
{
    /* None is within what is tolerated of another. */
    static const int64_t jumps_ms[] = {0, 0, -5000, 60000, -3600000, 86400000};
    struct sim_group *g = arg;
    member_of(node)->jump_ms =
        jumps_ms[random_below(&g->random, sizeof jumps_ms / sizeof *jumps_ms)];
}

/* Whoever starts with a clock that is wrong cannot know. */
static bool clock_has_jumped(const struct sim_member *m)
{
    return m->skew_ms + m->jump_ms != m->believed_ms;
}

static void on_random(void *arg, void *out, size_t size)
{
    struct sim_group *g = member_of(arg)->groups;
    uint8_t *bytes = out;
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)random_next(&g->random);
    }
}

static void on_wake(void *arg)
{
    member_of(arg)->woken = true;
}

static void on_apply(void *arg, uint64_t from, uint64_t to)
{
    struct sim_node *node = arg;
    struct sim_member *m = member_of(node);
    unsigned lag = node->sim->quiet ? QUIET_LAG_MS : m->groups->lag_max_ms;
    assert(m->apply_from == 0);
    m->apply_from = from;
    m->apply_to = to;
    m->apply_ms = node->sim->now_ms + random_below(&m->groups->random, lag + 1);
}

/* ---- apply ---- */

static void check_effect(struct sim_node *node, const struct apply_result *result)
{
    struct sim_group *g = member_of(node)->groups;
    uint64_t number = get_u64_be(result->entry_id);
    assert(number < g->entry_count);
    struct sim_client_entry *entry = &g->entries[number];
    if (entry->calls == 0 && !entry->maybe) {
        sim_violation(node->sim,
            "entry %" PRIu64 " is recorded at %" PRIu64 ", and its clients were told it is not",
            number, result->index);
    }
    if (result->verdict.outcome != VERDICT_ACCEPTED) {
        return;
    }
    if (entry->effect_at != 0 && entry->effect_at != result->index) {
        sim_violation(node->sim,
            "entry %" PRIu64 " has its effect at %" PRIu64 " and again at %" PRIu64, number,
            entry->effect_at, result->index);
    }
    entry->effect_at = result->index;
}

static void check_stamp(struct sim_node *node, const struct apply_result *result)
{
    struct sim_member *m = member_of(node);
    if (result->index > m->stamp_index && result->recorded_at_ms < m->stamp_ms) {
        sim_violation(node->sim, "the stamp falls at index %" PRIu64, result->index);
    }
    m->stamp_index = result->index;
    m->stamp_ms = result->recorded_at_ms;
}

static void check_judged(struct sim_node *node, const struct apply_piece *piece)
{
    static const uint8_t not_yet[SHA256_SIZE];
    struct sim_group *g = member_of(node)->groups;
    assert(piece->upto < INDEXES_MAX);
    uint8_t *judged = g->judged[piece->upto];
    if (memcmp(judged, not_yet, SHA256_SIZE) != 0 &&
        memcmp(judged, piece->state.digest, SHA256_SIZE) != 0) {
        sim_violation(node->sim, "node %" PRIu64 " judges differently, at %" PRIu64 " or before",
            node->id, piece->upto);
    }
    memcpy(judged, piece->state.digest, SHA256_SIZE);
}

static void apply(struct sim_node *node)
{
    struct sim_member *m = member_of(node);
    struct apply_piece piece;
    uint64_t from = m->apply_from;
    m->apply_from = 0;
    int status = apply_run(&m->journal, &node->log, from, m->apply_to, &piece);
    if (status == STATUS_OK) {
        for (size_t i = 0; i < piece.count; i++) {
            check_effect(node, &piece.results[i]);
            check_stamp(node, &piece.results[i]);
        }
        check_judged(node, &piece);
    }
    group_applied(m->group, &piece, status);
    apply_piece_deinit(&piece);
}

/* ---- a node ---- */

static int on_create(void *arg, struct sim_node *node, const struct driver_options *options,
    const struct driver_world *world, struct error *err)
{
    struct sim_group *g = arg;
    struct sim_member *m = member_of(node);
    const struct group_options group = {.driver = *options,
        .log = world->log,
        .journal = &m->journal,
        .term = world->term,
        .vote = world->vote};
    const struct group_world group_world = {.disk = world->hooks,
        .clock = on_clock,
        .random = on_random,
        .wake = on_wake,
        .apply = on_apply,
        .arg = node};
    m->apply_from = 0;
    m->woken = true;
    m->skew_ms = (int64_t)random_below(&g->random, SKEW_MAX_MS) - SKEW_MAX_MS / 2;
    m->believed_ms = m->skew_ms + m->jump_ms;
    m->stamp_index = 0;
    m->stamp_ms = 0;
    int status = group_create(&m->group, &group, &group_world, err);
    node->driver = status == STATUS_OK ? group_driver(m->group) : NULL;
    node->pending_count = 0;
    if (status == STATUS_OK && node->full && !node->hung) {
        group_set_full(m->group, STATUS_FULL);
    }
    return status;
}

static void clear_views(struct journal *journal)
{
    const struct table tables[] = {journal->state, journal->verdicts, journal->entries,
        journal->schools, journal->roster, journal->facts, journal->effects, journal->views.stamp};
    struct txn txn;
    txn_begin_write(&txn, &journal->views.env);
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        txn_clear(&txn, tables[i]);
    }
    int status = txn_commit(&txn);
    assert(status == STATUS_OK);
    (void)status;
}

static void on_destroy(void *arg, struct sim_node *node)
{
    struct sim_group *g = arg;
    struct sim_member *m = member_of(node);
    group_destroy(m->group);
    m->group = NULL;
    if (strikes(g, VIEWS_LOST_PERCENT)) {
        clear_views(&m->journal);
    }
}

static void on_settled(void *arg, struct sim_node *node)
{
    (void)arg;
    struct sim_member *m = member_of(node);
    bool busy = true;
    for (unsigned i = 0; i < TURNS_MAX && busy && node->fatal[0] == '\0'; i++) {
        m->woken = false;
        group_turn(m->group);
        if (m->apply_from > 0 && node->sim->now_ms >= m->apply_ms) {
            apply(node);
        }
        busy = m->woken;
    }
}

static void on_tick(void *arg, struct sim_node *node)
{
    (void)arg;
    group_tick(member_of(node)->group);
}

static void on_full(void *arg, struct sim_node *node, bool full)
{
    (void)arg;
    group_set_full(member_of(node)->group, full ? STATUS_FULL : STATUS_OK);
}

/* ---- clients ---- */

static struct bytes request_of(struct sim_group *g, uint64_t number, uint32_t mark)
{
    struct school_entry entry = {0};
    struct school_draft *draft = &g->draft;
    draft_begin(draft, SCHOOL, BEGUN_MS, 1);
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

/* The first answer says where it stands and since when; all others must say the same. */
static void check_recorded(const struct sim_call *call, const struct group_answer *answer)
{
    struct sim *sim = call->node->sim;
    struct sim_client_entry *entry = &call->groups->entries[call->number];
    bool taken =
        answer->verdict->outcome == VERDICT_REFUSED && answer->verdict->rule == RULE_ENTRY_ID_TAKEN;
    entry->maybe = true;
    sim_acknowledge(call->node, answer->index);
    if (answer->verdict->outcome == VERDICT_DUPLICATE) {
        sim_violation(sim, "a client is told of a duplicate at %" PRIu64, answer->index);
    }
    if (taken) {
        return; /* Other bytes, recorded as refused. */
    }
    if (entry->effect_at != answer->index) {
        sim_violation(sim,
            "entry %" PRIu64 " is said to be recorded at %" PRIu64 ", its effect is at %" PRIu64,
            call->number, answer->index, entry->effect_at);
    }
    bool again = entry->index != 0;
    if (again &&
        (entry->index != answer->index || entry->mark != call->mark ||
            entry->recorded_at_ms != answer->recorded_at_ms)) {
        sim_violation(sim,
            "entry %" PRIu64 " was recorded at %" PRIu64 " with mark %u, and now at %" PRIu64
            " with mark %u",
            call->number, entry->index, entry->mark, answer->index, call->mark);
    }
    call->groups->count.again += again;
    entry->index = answer->index;
    entry->mark = call->mark;
    entry->recorded_at_ms = answer->recorded_at_ms;
}

static void check_taken(const struct sim_call *call, const struct group_answer *answer)
{
    const struct sim_client_entry *entry = &call->groups->entries[call->number];
    bool known = entry->index != 0;
    if (known && (answer->taken_index != entry->index || call->mark == entry->mark)) {
        sim_violation(call->node->sim,
            "entry %" PRIu64 " is said to be taken at %" PRIu64 ", it stands at %" PRIu64,
            call->number, answer->taken_index, entry->index);
    }
}

static void on_answer(void *arg, const struct group_answer *answer)
{
    struct sim_call *call = arg;
    struct sim_group *g = call->groups;
    struct sim_client_entry *entry = &g->entries[call->number];
    if (++call->answers > 1) {
        sim_violation(call->node->sim, "a call is answered twice");
        return;
    }
    entry->calls--;
    call->status = answer->status;
    call->node->pending_count--;
    switch (answer->status) {
    case STATUS_OK:
        call->index = answer->index;
        g->count.recorded++;
        check_recorded(call, answer);
        break;
    case STATUS_ENTRY_ID_TAKEN:
        call->index = answer->taken_index;
        g->count.taken++;
        check_taken(call, answer);
        break;
    case STATUS_OUTCOME_UNKNOWN:
        g->count.unknown++;
        entry->maybe = true;
        break;
    case STATUS_NOT_LEADER:
    case STATUS_UNAVAILABLE:
    case STATUS_FULL:
    case STATUS_BUSY:
        g->count.not_recorded++;
        break;
    default:
        sim_violation(call->node->sim, "a call is answered: %s", answer->sentence);
        break;
    }
}

static bool on_write(void *arg, struct sim_node *node)
{
    struct sim_group *g = arg;
    static uint64_t schools[] = {SCHOOL};
    char name[] = "portal";
    Zhurnal__V1__Principal principal = ZHURNAL__V1__PRINCIPAL__INIT;
    principal.kind = ZHURNAL__V1__PRINCIPAL_KIND__PRINCIPAL_KIND_FRONTEND;
    principal.name = name;
    principal.schools = schools;
    principal.n_schools = 1;
    if (g->call_count == SIM_CALLS_MAX) {
        return false;
    }
    bool again = !node->sim->quiet && g->entry_count > 0 && strikes(g, AGAIN_PERCENT);
    uint64_t number = again ? random_next(&g->random) % g->entry_count : g->entry_count++;
    struct sim_call *call = &g->calls[g->call_count++];
    *call = (struct sim_call){.groups = g,
        .node = node,
        .number = number,
        .mark = again && strikes(g, OTHER_BYTES_PERCENT) ? OTHER_MARK : MARK,
        .status = STATUS_OK};
    const struct group_request request = {.raw = request_of(g, number, call->mark),
        .principal = &principal,
        .received_by = node->id,
        .answer = on_answer,
        .arg = call};
    g->count.calls++;
    g->entries[number].calls++;
    g->entries[number].stamped[clock_has_jumped(member_of(node))] |= 1U << (node->id - 1);
    node->pending_count++;
    group_submit(member_of(node)->group, &request);
    return call->answers == 0 || call->status == STATUS_OK;
}

/* ---- at the end ---- */

/* The record says who stamped it, and by which clock: one of those who were asked to. */
static void check_clock(
    struct sim *sim, const struct sim_client_entry *known, const struct record *record)
{
    Zhurnal__V1__Entry *entry =
        zhurnal__v1__entry__unpack(NULL, record->payload.size, record->payload.data);
    if (entry == NULL ||
        (known->stamped[entry->clock_untrusted != 0] & 1U << (entry->leader - 1)) == 0) {
        sim_violation(
            sim, "the clock that stamped %" PRIu64 " is not as the entry says", record->index);
    }
    zhurnal__v1__entry__free_unpacked(entry, NULL);
}

/* It is the entry, and with these bytes where it was said to be recorded. */
static void check_told(struct sim *sim, const struct sim_call *call, struct txn *txn)
{
    struct arena arena;
    struct record record;
    struct entry entry;
    arena_init(&arena, JOURNAL_ARENA_LIMIT);
    bool reads = log_read(txn, &sim->nodes[0].log, call->index, &record) &&
        record.kind == RECORD_COMMAND && entry_decode(record.payload, &arena, &entry) == STATUS_OK;
    if (!reads || get_u64_be(entry.draft->entry_id.data) != call->number ||
        (entry.draft->events[0]->mark_set->mark->number == call->mark) !=
            (call->status == STATUS_OK)) {
        sim_violation(sim, "entry %" PRIu64 " does not stand at %" PRIu64 ", as a client was told",
            call->number, call->index);
    } else {
        check_clock(sim, &call->groups->entries[call->number], &record);
    }
    arena_reset(&arena);
}

/* A node that does not lead any more has told its clients so, though it may be up for long. */
static void on_check(void *arg, struct sim *sim)
{
    struct sim_group *g = arg;
    struct txn txn;
    txn_begin_read(&txn, &sim->nodes[0].env);
    for (size_t i = 0; i < g->call_count; i++) {
        const struct sim_call *call = &g->calls[i];
        if (call->answers == 0) {
            sim_violation(sim, "node %" PRIu64 " does not answer a call", call->node->id);
        } else if (call->index != 0) {
            check_told(sim, call, &txn);
        }
    }
    txn_abort(&txn);
}

/* ---- lives ---- */

void sim_group_open(struct sim_group *g, const char *directory)
{
    *g = (struct sim_group){.app = {.create = on_create,
                                .destroy = on_destroy,
                                .write = on_write,
                                .settled = on_settled,
                                .tick = on_tick,
                                .full = on_full,
                                .set_clock = on_set_clock,
                                .check = on_check}};
    g->app.arg = g;
    g->calls = calloc(SIM_CALLS_MAX, sizeof *g->calls);
    g->entries = calloc(SIM_CALLS_MAX, sizeof *g->entries);
    g->judged = calloc(INDEXES_MAX, sizeof *g->judged);
    assert(g->calls != NULL && g->entries != NULL && g->judged != NULL);
    for (unsigned i = 0; i < SIM_NODES_MAX; i++) {
        char path[512];
        uint64_t index;
        struct error err;
        const struct journal_options options = {.map_size = MAP};
        snprintf(path, sizeof path, "%s/group%u", directory, i + 1);
        g->members[i].groups = g;
        int status = journal_open(&g->members[i].journal, path, SIM_GROUP, &options, &index, &err);
        assert(status == STATUS_OK);
        (void)status;
    }
}

void sim_group_close(struct sim_group *g)
{
    for (unsigned i = 0; i < SIM_NODES_MAX; i++) {
        journal_close(&g->members[i].journal, true);
    }
    free(g->calls);
    free(g->entries);
    free(g->judged);
}

void sim_group_reset(struct sim_group *g, uint64_t seed)
{
    static const unsigned lags[] = {0, 5, 100, 1000};
    for (unsigned i = 0; i < SIM_NODES_MAX; i++) {
        clear_views(&g->members[i].journal);
        g->members[i].jump_ms = 0;
    }
    g->random.state = seed ^ 0x67726f7570U;
    g->lag_max_ms = lags[random_below(&g->random, sizeof lags / sizeof *lags)];
    g->call_count = 0;
    g->entry_count = 0;
    memset(g->entries, 0, SIM_CALLS_MAX * sizeof *g->entries);
    memset(g->judged, 0, INDEXES_MAX * sizeof *g->judged);
}
