#include "node/group_private.h"

#include <assert.h>
#include <stdlib.h>

enum { PARKED_RETRY_MS = 1000, PASS_ON_EACH_MS = 5000, STALLED_MS = 5000 };

/* ---- beginning and end ---- */

static int read_state(struct group *group)
{
    struct txn txn;
    txn_begin_read(&txn, &group->options.journal->views.env);
    group->applied = journal_state(&txn, group->options.journal);
    int status = txn.status;
    txn_abort(&txn);
    return status;
}

int group_create(struct group **group, const struct group_options *options,
    const struct group_world *world, struct error *err)
{
    *group = NULL;
    struct group *g = calloc(1, sizeof *g);
    if (g == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "out of memory for a group");
    }
    g->options = *options;
    g->world = *world;
    g->hooks = *world->disk;
    g->hooks.moved = world->wake;
    g->watches.next = g->watches.prev = &g->watches;
    g->level_max = JOURNAL_LEVEL_MAX;
    pending_init(&g->pending);
    clock_start(&g->clock, world->clock(world->arg));
    int status = read_state(g);
    if (status != STATUS_OK) {
        free(g);
        return error_set(err, status, "the views do not read: %s", status_text(status));
    }
    const struct driver_world ground = {.log = options->log,
        .term = options->term,
        .vote = options->vote,
        .hooks = &g->hooks,
        .arg = world->arg};
    status = driver_create(&g->driver, &options->driver, &ground, err);
    if (status != STATUS_OK) {
        free(g);
        return status;
    }
    *group = g;
    return STATUS_OK;
}

void group_destroy(struct group *g)
{
    if (g == NULL) {
        return;
    }
    group_give_up(g);
    while (g->watches.next != &g->watches) {
        struct group_watch *watch = g->watches.next;
        group_unwatch(g, watch);
        watch->reached(watch, true);
    }
    driver_destroy(g->driver);
    free(g);
}

struct driver *group_driver(struct group *g)
{
    return g->driver;
}

struct log *group_log(struct group *g)
{
    return g->options.log;
}

struct journal *group_journal(struct group *g)
{
    return g->options.journal;
}

/* ---- time ---- */

struct clock_time group_now(struct group *g)
{
    return clock_now(&g->clock, g->world.clock(g->world.arg));
}

static bool is_sole_voter(struct group *g)
{
    struct driver_member members[DRIVER_MEMBERS_MAX];
    unsigned count = driver_members(g->driver, members);
    unsigned voters = 0;
    bool self = false;
    for (unsigned i = 0; i < count; i++) {
        voters += members[i].voter;
        self |= members[i].voter && members[i].node == g->options.driver.node;
    }
    return self && voters == 1;
}

static int64_t lag_behind_log(struct group *g)
{
    int64_t lag = g->last_stamp_ms - group_now(g).ms;
    return lag > CLOCK_TOLERANCE_MS ? lag : 0;
}

int64_t group_clock_lag(struct group *g)
{
    if (g->led_term == 0 || !is_sole_voter(g)) {
        return 0;
    }
    if (lag_behind_log(g) > 0) {
        /* Nothing was stamped by it yet, so whoever sets it right now is believed. */
        clock_start(&g->clock, g->world.clock(g->world.arg));
    }
    return lag_behind_log(g);
}

/* ---- leading ---- */

static void fail_log(struct group *g, uint64_t index, int status)
{
    struct error err;
    log_explain(g->options.log, index, status, &err);
    g->world.disk->fatal(g->world.arg, status, err.text);
}

static void become_leader(struct group *g, uint64_t term)
{
    struct txn txn;
    txn_begin_read(&txn, g->options.log->env);
    g->last_stamp_ms = log_bounds(&txn, g->options.log).last_stamp_ms;
    txn_abort(&txn);
    if (txn.status != STATUS_OK) {
        fail_log(g, 0, txn.status);
    }
    g->led_term = term;
}

/* A node is elected only when all it has is flushed, so that the log's bounds tell the last stamp.
 */
static void follow_leadership(struct group *g)
{
    const struct driver_status status = driver_status(g->driver);
    uint64_t leads = status.role == DRIVER_LEADER ? status.term : 0;
    if (leads == g->led_term) {
        return;
    }
    bool led = g->led_term != 0;
    if (led) {
        g->led_term = 0;
        group_give_up(g);
    }
    if (leads != 0) {
        become_leader(g, leads);
    }
    if (g->world.led != NULL && (led || leads != 0)) {
        g->world.led(g->world.arg, leads != 0);
    }
}

/* The others have flushed what this disk has not, and nothing has come from it for long. */
static bool is_stalled(struct group *g, uint64_t now)
{
    const struct driver_status status = driver_status(g->driver);
    bool moves = status.stored_index != g->stalled_index;
    if (moves || status.stored_index >= status.commit_index) {
        g->stalled_index = status.stored_index;
        g->stalled_ms = now;
    }
    return now - g->stalled_ms >= STALLED_MS;
}

/* A leader that can record nothing, or answer nobody, hands over, and again where that came to
 * nothing: the successor may have been out of reach, or lagging; or it was elected as it is. */
static void pass_leadership_on(struct group *g)
{
    uint64_t now = g->world.disk->now_ms(g->world.arg);
    bool stalled = is_stalled(g, now);
    bool unfit = g->full != STATUS_OK || stalled || g->parked != STATUS_OK;
    if (unfit && g->led_term != 0 && now >= g->pass_on_ms) {
        g->pass_on_ms = now + PASS_ON_EACH_MS;
        driver_transfer(g->driver, 0);
    }
}

/* ---- apply ---- */

static void start_applying(struct group *g)
{
    uint64_t to = driver_status(g->driver).applicable;
    bool waits = g->parked != STATUS_OK && g->world.disk->now_ms(g->world.arg) < g->retry_ms;
    if (g->applying || waits || to <= g->applied.index || g->parked == STATUS_UNIMPLEMENTED) {
        return;
    }
    g->applying = true;
    g->world.apply(g->world.arg, g->applied.index + 1, to);
}

static bool wants_room(int status)
{
    return status == STATUS_FULL || status == STATUS_MAP_FULL;
}

static void answer_result(struct group *g, const struct apply_result *result)
{
    struct pending *pending = pending_find(&g->pending, result->school, result->entry_id);
    if (pending == NULL || pending->index != result->index) {
        return;
    }
    if (result->verdict.first_index != 0) {
        group_answer_recorded(g, pending, result->verdict.first_index);
        return;
    }
    const struct group_answer answer = {.index = result->index,
        .recorded_at_ms = result->recorded_at_ms,
        .verdict = &result->verdict};
    pending_answer(&g->pending, pending, &answer);
}

void group_applied(struct group *g, const struct apply_piece *piece, int status)
{
    assert(g->applying);

    g->applying = false;
    bool parks = status == STATUS_UNIMPLEMENTED || wants_room(status);
    if (status != STATUS_OK && !parks && piece->log_failed) {
        fail_log(g, piece->upto + 1, status);
        return;
    }
    if (status != STATUS_OK && !parks) {
        g->world.disk->fatal(g->world.arg, STATUS_INTERNAL, "what is committed cannot be applied");
        return;
    }
    if (parks && g->parked == STATUS_OK) {
        g->pass_on_ms = 0;
    }
    g->parked = status;
    g->retry_ms = parks ? g->world.disk->now_ms(g->world.arg) + PARKED_RETRY_MS : 0;
    if (piece->upto > g->applied.index) {
        g->applied = piece->state;
    }
    for (size_t i = 0; i < piece->count; i++) {
        answer_result(g, &piece->results[i]);
    }
    if (status == STATUS_UNIMPLEMENTED) {
        /* Whoever waits would wait for new software; another node may have it. */
        group_give_up(g);
    }
    if (parks) {
        pass_leadership_on(g);
    }
    g->world.wake(g->world.arg);
}

/* ---- watches ---- */

void group_watch(struct group *g, struct group_watch *watch)
{
    assert(watch->next == NULL);

    watch->next = &g->watches;
    watch->prev = g->watches.prev;
    watch->prev->next = watch;
    g->watches.prev = watch;
    if (watch->index <= g->applied.index) {
        g->world.wake(g->world.arg);
    }
}

void group_unwatch(struct group *g, struct group_watch *watch)
{
    (void)g;
    if (watch->next != NULL) {
        watch->prev->next = watch->next;
        watch->next->prev = watch->prev;
        watch->next = watch->prev = NULL;
    }
}

/* A watcher that is told may watch anew, and stands at the end then: one round suffices. */
static void tell_watchers(struct group *g)
{
    struct group_watch round = {.prev = g->watches.prev, .next = g->watches.next};
    if (g->watches.next == &g->watches) {
        return;
    }
    round.next->prev = round.prev->next = &round;
    g->watches.next = g->watches.prev = &g->watches;
    while (round.next != &round) {
        struct group_watch *watch = round.next;
        group_unwatch(g, watch);
        if (watch->index <= g->applied.index) {
            watch->reached(watch, false);
        } else {
            group_watch(g, watch);
        }
    }
}

/* ---- the loop's part ---- */

void group_turn(struct group *g)
{
    follow_leadership(g);
    group_flush(g);
    follow_leadership(g);
    start_applying(g);
    tell_watchers(g);
}

uint64_t group_deadline(const struct group *g)
{
    uint64_t deadline = driver_deadline(g->driver);
    bool retries = wants_room(g->parked) && !g->applying;
    return retries && g->retry_ms < deadline ? g->retry_ms : deadline;
}

void group_tick(struct group *g)
{
    driver_tick(g->driver);
    pass_leadership_on(g);
    g->world.wake(g->world.arg);
}

void group_set_full(struct group *g, int why)
{
    g->full = why;
    g->pass_on_ms = 0;
    pass_leadership_on(g);
}

void group_set_level_max(struct group *g, uint32_t level)
{
    g->level_max = level;
}

void group_retire(struct group *g)
{
    g->retiring = true;
    driver_transfer(g->driver, 0);
}

bool group_is_quiet(const struct group *g)
{
    const struct driver_status status = driver_status(g->driver);
    bool hands_over = status.role == DRIVER_LEADER && !status.accepts;
    return g->pending.count == 0 && !hands_over;
}

/* ---- how it stands ---- */

struct group_status group_status(struct group *g)
{
    bool behind = group_clock_lag(g) > 0; /* First: it may be what makes the clock believed. */
    return (struct group_status){.driver = driver_status(g->driver),
        .applied = g->applied,
        .parked = g->parked,
        .full = g->full != STATUS_OK || wants_room(g->parked),
        .clock_untrusted = group_now(g).untrusted,
        .clock_behind = behind,
        .waiting = g->pending.count,
        .waiting_bytes = g->pending.bytes};
}
