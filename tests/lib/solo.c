#include "tests/lib/solo.h"

#include "node/writer.h"
#include "storage/founding.h"
#include "tests/lib/ledger.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAP = 64 << 20, TURNS_MAX = 10000, STEP_MS = 5 };

static const int64_t MARK_AT_MS = 1795467600000;

/* ---- the world ---- */

static uint64_t on_now(void *arg)
{
    return ((struct solo *)arg)->now_ms;
}

static int64_t on_wall_clock(void *arg)
{
    return ((struct solo *)arg)->clock.wall_ms;
}

static struct clock_reading on_clock(void *arg)
{
    return ((struct solo *)arg)->clock;
}

static void on_random(void *arg, void *out, size_t size)
{
    struct solo *solo = arg;
    for (size_t i = 0; i < size; i++) {
        ((uint8_t *)out)[i] = (uint8_t)(++solo->entropy * 151);
    }
}

static int on_save(void *arg, uint64_t term, uint64_t vote)
{
    struct solo *solo = arg;
    return state_save(&solo->state, term, vote);
}

static void on_write(void *arg, struct driver_write *write)
{
    struct solo *solo = arg;
    struct driver_write **end = &solo->writes;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    write->next = NULL;
    *end = write;
}

static void on_ready(void *arg, uint64_t node)
{
    (void)arg;
    (void)node;
}

static void on_read(void *arg, uint64_t node, uint64_t first, size_t count, size_t bytes_max)
{
    (void)arg;
    (void)node;
    (void)first;
    (void)count;
    (void)bytes_max;
}

static void on_pull(void *arg, uint64_t from, uint64_t to, uint64_t to_term)
{
    (void)arg;
    (void)from;
    (void)to;
    (void)to_term;
}

static void on_wake(void *arg)
{
    ((struct solo *)arg)->woken = true;
}

static void on_fatal(void *arg, int status, const char *why)
{
    struct solo *solo = arg;
    solo->fatal = status;
    snprintf(solo->why, sizeof solo->why, "%s", why);
}

static void on_apply(void *arg, uint64_t from, uint64_t to)
{
    struct solo *solo = arg;
    solo->apply_from = from;
    solo->apply_to = to;
}

static const struct driver_hooks disk = {
    .now_ms = on_now,
    .wall_clock_ms = on_wall_clock,
    .save = on_save,
    .write = on_write,
    .ready = on_ready,
    .read = on_read,
    .pull = on_pull,
    .moved = on_wake,
    .fatal = on_fatal,
};

/* ---- opening ---- */

static void found(struct solo *solo, unsigned voters)
{
    struct founding founding = {.epoch = 1};
    struct error err;
    memset(founding.cluster, 0xc1, sizeof founding.cluster);
    int status = STATUS_OK;
    for (unsigned i = 0; i < voters && status == STATUS_OK; i++) {
        char address[32];
        snprintf(address, sizeof address, "127.0.0.1:%u", 7400 + i);
        status = founding_add(&founding, SOLO_NODE + i, address, &err);
    }
    assert(status == STATUS_OK);
    status = founding_install(&founding, tmpdir_path(&solo->dir, "node"), SOLO_NODE, MAP, &err);
    assert(status == STATUS_OK);
    (void)status;
}

static void start(struct solo *solo)
{
    struct error err = {0};
    struct env_options options = log_env_options(MAP);
    options.sync = false;
    int status = state_open(&solo->state, tmpdir_path(&solo->dir, "node/state"), &err);
    assert(status == STATUS_OK);
    status = env_open(&solo->env, tmpdir_path(&solo->dir, "node/log"), &options, &err);
    assert(status == STATUS_OK);
    status = log_open(&solo->log, &solo->env, FOUNDING_GROUP, &err);
    assert(status == STATUS_OK);
    const struct journal_options views = {.map_size = MAP};
    status = journal_open(&solo->journal, tmpdir_path(&solo->dir, "views"), FOUNDING_GROUP, &views,
        &solo->journal_index, &err);
    assert(status == STATUS_OK);
    const struct group_options group = {
        .driver = {.node = SOLO_NODE, .group = FOUNDING_GROUP, .seed = 7},
        .log = &solo->log,
        .journal = &solo->journal,
        .term = solo->state.term,
        .vote = solo->state.vote};
    const struct group_world world = {.disk = &disk,
        .clock = on_clock,
        .random = on_random,
        .wake = on_wake,
        .apply = on_apply,
        .arg = solo};
    status = group_create(&solo->group, &group, &world, &err);
    if (status != STATUS_OK) {
        fprintf(stderr, "%s\n", err.text);
    }
    assert(status == STATUS_OK);
}

static void stop(struct solo *solo)
{
    group_destroy(solo->group);
    solo->writes = NULL;
    solo->apply_from = 0;
    journal_close(&solo->journal, false);
    env_close(&solo->env);
    state_close(&solo->state);
}

void solo_open(struct solo *solo, unsigned voters)
{
    *solo = (struct solo){.now_ms = 1000,
        .clock = {.wall_ms = 1795467600000, .boot_ms = 50000},
        .draft = calloc(1, sizeof *solo->draft),
        .caller = &ledger_front_end};
    assert(solo->draft != NULL);
    tmpdir_make(&solo->dir);
    found(solo, voters);
    start(solo);
}

void solo_close(struct solo *solo)
{
    stop(solo);
    tmpdir_remove(&solo->dir);
    free(solo->draft);
}

void solo_restart(struct solo *solo)
{
    stop(solo);
    start(solo);
}

/* ---- running ---- */

static bool write_all(struct solo *solo)
{
    struct driver_write *writes = solo->writes;
    struct driver_write *rest;
    if (writes == NULL) {
        return false;
    }
    int status = writer_execute(&solo->log, NULL, writes, &rest);
    assert(status == STATUS_OK);
    (void)status;
    solo->writes = rest;
    while (writes != rest) {
        struct driver_write *next = writes->next;
        driver_written(group_driver(solo->group), writes);
        writes = next;
    }
    return true;
}

static bool apply_all(struct solo *solo)
{
    struct apply_piece piece;
    if (solo->apply_from == 0) {
        return false;
    }
    uint64_t from = solo->apply_from;
    solo->apply_from = 0;
    if (solo->apply_fails != STATUS_OK) {
        piece = (struct apply_piece){.upto = from - 1, .status = solo->apply_fails};
        group_applied(solo->group, &piece, piece.status);
        return true;
    }
    int status = apply_run(&solo->journal, &solo->log, from, solo->apply_to, &piece);
    group_applied(solo->group, &piece, status);
    apply_piece_deinit(&piece);
    return true;
}

void solo_flush(struct solo *solo)
{
    while (write_all(solo)) {
    }
}

void solo_turn(struct solo *solo)
{
    solo->woken = false;
    if (solo->now_ms >= group_deadline(solo->group)) {
        group_tick(solo->group);
    }
    group_turn(solo->group);
}

void solo_run(struct solo *solo, uint64_t ms)
{
    for (uint64_t passed = 0; passed <= ms && solo->fatal == STATUS_OK; passed += STEP_MS) {
        solo->now_ms += STEP_MS;
        solo->clock.wall_ms += STEP_MS;
        solo->clock.boot_ms += STEP_MS;
        unsigned turns = 0;
        bool busy = true;
        while (busy && solo->fatal == STATUS_OK) {
            assert(++turns < TURNS_MAX);
            solo_turn(solo);
            busy = write_all(solo);
            busy |= apply_all(solo);
            busy |= solo->woken;
        }
    }
}

/* ---- writes ---- */

struct bytes solo_mark(struct solo *solo, uint8_t id, uint32_t number)
{
    struct school_entry entry = {0};
    struct school_draft *draft = solo->draft;
    draft_begin(draft, SOLO_SCHOOL, MARK_AT_MS, 1);
    memset(draft->entry_id, id, sizeof draft->entry_id);
    draft->day = 20261123;
    Zhurnal__V1__MarkSet *set = DRAFT_ADD(draft, mark_set, MARK_SET);
    set->pupil = 701;
    set->given_for_case = ZHURNAL__V1__MARK_SET__GIVEN_FOR_LESSON;
    set->lesson = 601;
    set->slot = 1;
    set->mark = draft_message(draft, &zhurnal__v1__mark__descriptor);
    set->mark->mark_kind = ZHURNAL__V1__MARK_KIND__MARK_KIND_NUMBER;
    set->mark->number = number;
    draft_end(draft, &entry);
    return entry.request;
}

static void on_answer(void *arg, const struct group_answer *answer)
{
    struct solo_answer *copy = arg;
    copy->count++;
    copy->status = answer->status;
    snprintf(copy->sentence, sizeof copy->sentence, "%s",
        answer->status == STATUS_OK ? "" : answer->sentence);
    copy->index = answer->index;
    copy->taken_index = answer->taken_index;
    copy->recorded_at_ms = answer->recorded_at_ms;
    if (answer->status == STATUS_OK) {
        copy->verdict = *answer->verdict;
        copy->verdict.events = NULL;
    }
}

void solo_submit(struct solo *solo, struct bytes request, struct solo_answer *answer)
{
    const struct group_request submitted = {.raw = request,
        .principal = solo->caller,
        .received_by = SOLO_NODE,
        .answer = on_answer,
        .arg = answer};
    group_submit(solo->group, &submitted);
}

struct solo_answer solo_append(struct solo *solo, struct bytes request)
{
    struct solo_answer answer = {0};
    solo_submit(solo, request, &answer);
    solo_run(solo, 50);
    return answer;
}
