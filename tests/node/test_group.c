/* The group: what a client's write goes through, and what it is told. */
#include "proto/integer.h"
#include "tests/lib/ledger.h"
#include "tests/lib/solo.h"
#include "tests/lib/test.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { HOUR_MS = 3600000 };

static int set_up(void **state)
{
    static struct solo solo;
    solo_open(&solo, 1);
    solo_run(&solo, 10);
    *state = &solo;
    return 0;
}

static int tear_down(void **state)
{
    struct solo *solo = *state;
    assert_int_equal(solo->fatal, STATUS_OK);
    solo_close(solo);
    return 0;
}

static uint64_t last_index(struct solo *solo)
{
    return group_status(solo->group).driver.last_index;
}

static void a_write_is_answered_after_it_is_flushed_and_judged(void **state)
{
    struct solo *solo = *state;
    struct solo_answer answer = {0};
    solo_submit(solo, solo_mark(solo, 1, 5), &answer);
    for (int i = 0; i < 20; i++) {
        solo_turn(solo);
    }
    assert_int_equal(answer.count, 0);
    assert_non_null(solo->writes);
    solo_run(solo, 10);
    assert_int_equal(answer.count, 1);
    assert_int_equal(answer.status, STATUS_OK);
    assert_int_equal(answer.index, last_index(solo));
    assert_int_equal(answer.verdict.outcome, VERDICT_ACCEPTED);
    assert_int_equal(answer.recorded_at_ms, group_status(solo->group).applied.last_stamp_ms);
}

static void the_same_bytes_are_recorded_once_and_answered_alike(void **state)
{
    struct solo *solo = *state;
    struct solo_answer first = solo_append(solo, solo_mark(solo, 1, 5));
    uint64_t last = last_index(solo);
    struct solo_answer again = solo_append(solo, solo_mark(solo, 1, 5));
    assert_int_equal(again.status, STATUS_OK);
    assert_int_equal(again.index, first.index);
    assert_int_equal(again.recorded_at_ms, first.recorded_at_ms);
    assert_int_equal(again.verdict.outcome, VERDICT_ACCEPTED);
    assert_int_equal(last_index(solo), last);
}

static void other_bytes_under_a_used_id_are_refused_and_the_index_named(void **state)
{
    struct solo *solo = *state;
    struct solo_answer first = solo_append(solo, solo_mark(solo, 1, 5));
    uint64_t last = last_index(solo);
    struct solo_answer other = solo_append(solo, solo_mark(solo, 1, 4));
    assert_int_equal(other.status, STATUS_ENTRY_ID_TAKEN);
    assert_int_equal(other.taken_index, first.index);
    assert_non_null(strstr(other.sentence, "index"));
    assert_int_equal(last_index(solo), last);
}

static void the_same_write_twice_at_once_is_one_entry(void **state)
{
    struct solo *solo = *state;
    struct solo_answer a = {0};
    struct solo_answer b = {0};
    uint64_t last = last_index(solo);
    solo_submit(solo, solo_mark(solo, 1, 5), &a);
    solo_submit(solo, solo_mark(solo, 1, 5), &b);
    solo_run(solo, 10);
    assert_int_equal(a.status, STATUS_OK);
    assert_int_equal(b.status, STATUS_OK);
    assert_int_equal(a.index, b.index);
    assert_int_equal(last_index(solo), last + 1);
}

static void other_bytes_while_the_first_are_on_their_way_are_not_recorded(void **state)
{
    struct solo *solo = *state;
    struct solo_answer a = {0};
    struct solo_answer b = {0};
    uint64_t last = last_index(solo);
    solo_submit(solo, solo_mark(solo, 1, 5), &a);
    solo_submit(solo, solo_mark(solo, 1, 4), &b);
    solo_run(solo, 10);
    assert_int_equal(a.status, STATUS_OK);
    assert_int_equal(b.status, STATUS_UNAVAILABLE);
    assert_int_equal(last_index(solo), last + 1);
}

static struct bytes with_text(struct solo *solo, uint8_t id, const char *text)
{
    struct school_entry entry = {0};
    draft_begin(solo->draft, SOLO_SCHOOL, 1795467600000, 1);
    memset(solo->draft->entry_id, id, sizeof solo->draft->entry_id);
    Zhurnal__V1__MessageSent *sent = DRAFT_ADD(solo->draft, message_sent, MESSAGE_SENT);
    sent->text_part = draft_part(solo->draft, 701, ZHURNAL__V1__BASIS__BASIS_LAW, text);
    draft_end(solo->draft, &entry);
    return entry.request;
}

/* The first is in the log, and not applied when the second comes: to a leader that lags. */
static struct solo_answer behind_the_first(
    struct solo *solo, uint8_t id, const char *first, const char *second)
{
    struct solo_answer answers[2] = {{0}};
    solo_submit(solo, with_text(solo, id, first), &answers[0]);
    solo_turn(solo);
    solo_flush(solo);
    solo_restart(solo);
    assert_int_equal(answers[0].status, STATUS_OUTCOME_UNKNOWN);
    solo_turn(solo);
    uint64_t last = last_index(solo);
    solo_submit(solo, with_text(solo, id, second), &answers[1]);
    assert_int_equal(answers[1].count, 0);
    solo_run(solo, 10);
    assert_int_equal(last_index(solo), last + 1);
    assert_int_equal(answers[1].count, 1);
    return answers[1];
}

/* Texts are not in the draft. */
static void another_text_under_a_used_id_is_not_taken_for_a_retry(void **state)
{
    struct solo *solo = *state;
    struct solo_answer again = behind_the_first(solo, 1, "as it was", "as it was");
    assert_int_equal(again.status, STATUS_OK);
    assert_true(again.index < last_index(solo));
    struct solo_answer other = behind_the_first(solo, 2, "as it was", "as it was not");
    assert_int_equal(other.status, STATUS_ENTRY_ID_TAKEN);
    assert_int_equal(other.taken_index, last_index(solo) - 1);
}

static void many_at_once_go_in_one_batch(void **state)
{
    struct solo *solo = *state;
    struct solo_answer answers[50] = {{0}};
    for (uint8_t i = 0; i < 50; i++) {
        solo_submit(solo, solo_mark(solo, (uint8_t)(i + 1), 5), &answers[i]);
    }
    solo_turn(solo);
    assert_non_null(solo->writes);
    assert_null(solo->writes->next);
    assert_int_equal(solo->writes->change.count, 50);
    solo_run(solo, 10);
    for (size_t i = 1; i < 50; i++) {
        assert_int_equal(answers[i].index, answers[i - 1].index + 1);
    }
}

static void what_was_answered_is_there_after_a_kill(void **state)
{
    struct solo *solo = *state;
    struct solo_answer first = solo_append(solo, solo_mark(solo, 1, 5));
    struct solo_answer lost = {0};
    uint64_t term = group_status(solo->group).driver.term;
    solo_submit(solo, solo_mark(solo, 2, 5), &lost);
    solo_turn(solo);
    solo_restart(solo);
    assert_int_equal(lost.status, STATUS_OUTCOME_UNKNOWN);
    solo_run(solo, 10);
    assert_true(group_status(solo->group).driver.term > term);
    struct solo_answer again = solo_append(solo, solo_mark(solo, 1, 5));
    assert_int_equal(again.index, first.index);
    assert_int_equal(again.recorded_at_ms, first.recorded_at_ms);
    struct solo_answer retried = solo_append(solo, solo_mark(solo, 2, 5));
    assert_int_equal(retried.status, STATUS_OK);
    assert_true(retried.index > first.index);
}

static void what_has_not_left_the_queue_is_certainly_not_recorded(void **state)
{
    struct solo *solo = *state;
    struct solo_answer answer = {0};
    uint64_t last = last_index(solo);
    solo_submit(solo, solo_mark(solo, 1, 5), &answer);
    assert_int_equal(answer.count, 0);
    solo_restart(solo);
    assert_int_equal(answer.count, 1);
    assert_int_equal(answer.status, STATUS_NOT_LEADER);
    solo_run(solo, 10);
    assert_int_equal(last_index(solo), last);
}

static void a_check_judges_and_records_nothing(void **state)
{
    struct solo *solo = *state;
    uint64_t last = last_index(solo);
    (void)solo_mark(solo, 1, 5);
    uint8_t request[SCHOOL_ENTRY_ID_SIZE + 4096];
    struct bytes mark = solo_mark(solo, 1, 5);
    assert_true(mark.size + 2 < sizeof request);
    memcpy(request, mark.data, mark.size);
    request[mark.size] = 4 << 3; /* check_only = true */
    request[mark.size + 1] = 1;
    struct solo_answer answer = solo_append(solo, bytes_of(request, mark.size + 2));
    assert_int_equal(answer.status, STATUS_OK);
    assert_int_equal(answer.index, 0);
    assert_int_equal(answer.verdict.outcome, VERDICT_ACCEPTED);
    assert_int_equal(last_index(solo), last);
}

static void half_an_entry_is_refused_before_the_log(void **state)
{
    struct solo *solo = *state;
    uint64_t last = last_index(solo);
    struct bytes mark = solo_mark(solo, 1, 5);
    struct solo_answer answer = solo_append(solo, bytes_of(mark.data, mark.size / 2));
    assert_int_equal(answer.status, STATUS_MALFORMED);
    assert_true(strlen(answer.sentence) > 10);
    assert_int_equal(last_index(solo), last);
}

static void a_full_disk_takes_nothing_until_there_is_room(void **state)
{
    struct solo *solo = *state;
    group_set_full(solo->group, STATUS_FULL);
    solo_run(solo, 10);
    struct solo_answer answer = solo_append(solo, solo_mark(solo, 1, 5));
    assert_int_equal(answer.status, STATUS_FULL);
    group_set_full(solo->group, STATUS_OK);
    answer = solo_append(solo, solo_mark(solo, 1, 5));
    assert_int_equal(answer.status, STATUS_OK);
}

/* Nobody could be answered. */
static void views_without_room_take_nothing_until_something_is_applied(void **state)
{
    struct solo *solo = *state;
    static const struct {
        int status;
        const char *cure;
    } cases[] = {{STATUS_FULL, "disk space"}, {STATUS_MAP_FULL, "views_gib"}};
    for (uint8_t i = 0; i < 2; i++) {
        struct solo_answer waits = {0};
        solo->apply_fails = cases[i].status;
        solo_submit(solo, solo_mark(solo, 10 + i, 5), &waits);
        solo_run(solo, 50);
        uint64_t last = last_index(solo);
        struct solo_answer refused = solo_append(solo, solo_mark(solo, 20 + i, 5));
        assert_int_equal(refused.status, cases[i].status);
        assert_non_null(strstr(refused.sentence, cases[i].cure));
        assert_int_equal(last_index(solo), last);
        assert_true(group_status(solo->group).full);
        assert_int_equal(waits.count, 0);
        solo->apply_fails = STATUS_OK;
        assert_int_equal(solo_append(solo, solo_mark(solo, 20 + i, 5)).status, cases[i].status);
        solo_run(solo, 2000);
        assert_int_equal(waits.status, STATUS_OK);
        assert_false(group_status(solo->group).full);
        assert_int_equal(solo_append(solo, solo_mark(solo, 20 + i, 5)).status, STATUS_OK);
    }
}

static void one_of_three_alone_leads_nobody(void **state)
{
    (void)state;
    static struct solo solo;
    solo_open(&solo, 3);
    solo_run(&solo, 5000);
    struct solo_answer answer = solo_append(&solo, solo_mark(&solo, 1, 5));
    assert_int_equal(answer.status, STATUS_NOT_LEADER);
    assert_int_equal(last_index(&solo), 1);
    solo_close(&solo);
}

static void a_clock_that_jumps_ahead_is_not_followed(void **state)
{
    struct solo *solo = *state;
    struct solo_answer before = solo_append(solo, solo_mark(solo, 1, 5));
    solo->clock.wall_ms += HOUR_MS;
    struct solo_answer after = solo_append(solo, solo_mark(solo, 2, 5));
    assert_true(group_status(solo->group).clock_untrusted);
    assert_in_range(after.recorded_at_ms - before.recorded_at_ms, 0, 1000);
    solo->clock.wall_ms -= HOUR_MS;
    (void)solo_append(solo, solo_mark(solo, 3, 5));
    assert_false(group_status(solo->group).clock_untrusted);
}

static void a_sole_voter_whose_clock_is_behind_its_log_takes_nothing_and_names_the_cure(
    void **state)
{
    struct solo *solo = *state;
    (void)solo_append(solo, solo_mark(solo, 1, 5));
    solo->clock.wall_ms -= HOUR_MS;
    solo_restart(solo);
    solo_run(solo, 10);
    uint64_t last = last_index(solo);
    struct solo_answer answer = solo_append(solo, solo_mark(solo, 2, 5));
    assert_int_equal(answer.status, STATUS_PRECONDITION);
    assert_non_null(strstr(answer.sentence, "timedatectl"));
    assert_true(group_status(solo->group).clock_behind);
    assert_int_equal(last_index(solo), last);
}

static void the_cure_of_a_clock_that_is_behind_needs_no_restart(void **state)
{
    struct solo *solo = *state;
    (void)solo_append(solo, solo_mark(solo, 1, 5));
    solo->clock.wall_ms -= HOUR_MS;
    solo_restart(solo);
    solo_run(solo, 10);
    assert_int_equal(solo_append(solo, solo_mark(solo, 2, 5)).status, STATUS_PRECONDITION);
    solo->clock.wall_ms += HOUR_MS;
    assert_false(group_status(solo->group).clock_untrusted);
    assert_false(group_status(solo->group).clock_behind);
    assert_int_equal(solo_append(solo, solo_mark(solo, 2, 5)).status, STATUS_OK);
}

static void stamps_never_fall(void **state)
{
    struct solo *solo = *state;
    struct solo_answer before = solo_append(solo, solo_mark(solo, 1, 5));
    solo->clock.wall_ms -= 1500;
    struct solo_answer after = solo_append(solo, solo_mark(solo, 2, 5));
    assert_int_equal(after.status, STATUS_OK);
    assert_true(after.recorded_at_ms >= before.recorded_at_ms);
}

static void too_much_at_once_is_refused_not_queued(void **state)
{
    struct solo *solo = *state;
    static struct solo_answer answers[20000];
    struct bytes mark = solo_mark(solo, 1, 5);
    static uint8_t request[1 << 20];
    size_t padding = sizeof request - mark.size - 8;
    /* Field 3, the signature, as long as the request may be. */
    memcpy(request, mark.data, mark.size);
    uint8_t *at = request + mark.size;
    *at++ = 3 << 3 | 2;
    for (size_t left = padding; left > 0; left >>= 7) {
        *at++ = (uint8_t)((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
    }
    size_t size = (size_t)(at - request) + padding;
    unsigned busy = 0;
    for (unsigned i = 0; i < 100 && busy == 0; i++) {
        for (size_t k = 0; k + 16 < mark.size; k++) { /* The entry id stands first in the draft. */
            static const uint8_t id[16] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
            if (i == 0 && memcmp(request + k, id, sizeof id) == 0) {
                at = request + k;
                break;
            }
        }
        at[0] = (uint8_t)i;
        solo_submit(solo, bytes_of(request, size), &answers[i]);
        busy = answers[i].status == STATUS_BUSY;
        if (busy != 0) {
            assert_in_range(i, 60, 64);
        }
    }
    assert_int_equal(busy, 1);
    assert_in_range(group_status(solo->group).waiting_bytes, 60 << 20, 64 << 20);
}

struct watched {
    struct group_watch watch;
    unsigned reached, stopped;
};

static void on_reached(struct group_watch *watch, bool stopped)
{
    struct watched *watched = (struct watched *)watch;
    watched->reached += !stopped;
    watched->stopped += stopped;
}

/* Between its flush and its being applied. */
static void a_damaged_entry_ends_the_node_by_its_index(void **state)
{
    (void)state;
    static struct solo solo;
    struct solo_answer answer = {0};
    struct txn txn;
    uint8_t key[8];
    solo_open(&solo, 1);
    solo_run(&solo, 10);
    solo_submit(&solo, solo_mark(&solo, 1, 5), &answer);
    solo_turn(&solo);
    solo_flush(&solo);
    uint64_t index = last_index(&solo);
    put_u64_be(key, index);
    txn_begin_write(&txn, &solo.env);
    txn_put(&txn, solo.log.records, bytes_of(key, sizeof key), bytes_of("damaged", 7));
    assert_int_equal(txn_commit(&txn), STATUS_OK);
    solo_run(&solo, 10);
    char where[64];
    snprintf(where, sizeof where, "does not verify at index %" PRIu64 ".", index);
    assert_int_equal(solo.fatal, STATUS_CORRUPT);
    assert_non_null(strstr(solo.why, where));
    assert_int_equal(answer.count, 0);
    solo_close(&solo);
}

static void a_watch_fires_once_when_its_index_is_applied(void **state)
{
    struct solo *solo = *state;
    uint64_t next = last_index(solo) + 1;
    struct watched now = {.watch = {.index = 1, .reached = on_reached}};
    struct watched soon = {.watch = {.index = next, .reached = on_reached}};
    struct watched later = {.watch = {.index = next + 1, .reached = on_reached}};
    group_watch(solo->group, &now.watch);
    group_watch(solo->group, &soon.watch);
    group_watch(solo->group, &later.watch);
    assert_int_equal(now.reached, 0);
    solo_run(solo, 10);
    assert_int_equal(now.reached, 1);
    assert_int_equal(soon.reached, 0);
    (void)solo_append(solo, solo_mark(solo, 1, 5));
    assert_int_equal(now.reached, 1);
    assert_int_equal(soon.reached, 1);
    assert_int_equal(later.reached, 0);
    solo_restart(solo);
    assert_int_equal(later.stopped, 1);
}

static struct solo_answer append_to_cluster(struct solo *solo)
{
    struct school_entry entry = {0};
    draft_end(solo->draft, &entry);
    solo->caller = &ledger_operator;
    struct solo_answer answer = solo_append(solo, entry.request);
    solo->caller = &ledger_front_end;
    return answer;
}

static int raise_level(struct solo *solo, uint32_t level)
{
    draft_begin(solo->draft, 0, solo->clock.wall_ms, level);
    Zhurnal__V1__FeatureLevelRaised *raised =
        DRAFT_ADD(solo->draft, feature_level_raised, FEATURE_LEVEL_RAISED);
    raised->level = level;
    return append_to_cluster(solo).status;
}

static void the_level_is_not_raised_beyond_what_every_member_knows(void **state)
{
    struct solo *solo = *state;
    uint64_t last = last_index(solo);
    assert_int_equal(raise_level(solo, JOURNAL_LEVEL_MAX + 1), STATUS_PRECONDITION);
    assert_int_equal(last_index(solo), last);
    group_set_level_max(solo->group, JOURNAL_LEVEL_MAX + 1);
    assert_int_equal(raise_level(solo, JOURNAL_LEVEL_MAX + 1), STATUS_OK);
    /* Whoever raised it knows the new level: this software does not, stops, and says so. */
    assert_int_equal(solo_append(solo, solo_mark(solo, 1, 5)).status, STATUS_OUTCOME_UNKNOWN);
    assert_int_equal(group_status(solo->group).parked, STATUS_UNIMPLEMENTED);
    assert_int_equal(solo_append(solo, solo_mark(solo, 2, 5)).status, STATUS_UNIMPLEMENTED);
}

static void a_clock_that_cannot_be_reset_is_not(void **state)
{
    struct solo *solo = *state;
    uint64_t last = last_index(solo);
    draft_begin(solo->draft, 0, solo->clock.wall_ms, 1);
    Zhurnal__V1__ClockReset *reset = DRAFT_ADD(solo->draft, clock_reset, CLOCK_RESET);
    reset->time_ms = solo->clock.wall_ms + HOUR_MS;
    assert_int_equal(append_to_cluster(solo).status, STATUS_UNIMPLEMENTED);
    assert_int_equal(last_index(solo), last);
}

static void assert_turned_away(struct solo *solo, const struct solo_answer *answer, uint64_t last)
{
    assert_int_equal(answer->count, 1);
    assert_int_equal(answer->status, STATUS_OK);
    assert_int_equal(answer->index, 0);
    assert_int_equal(answer->verdict.outcome, VERDICT_REFUSED);
    assert_int_equal(answer->verdict.rule, RULE_OUTSIDE_SCHOOLS);
    assert_int_equal(answer->verdict.first_index, 0);
    assert_int_equal(answer->verdict.school_index, 0);
    assert_int_equal(last_index(solo), last);
}

static Zhurnal__V1__Principal stranger(void)
{
    static uint64_t other = SOLO_SCHOOL + 1;
    Zhurnal__V1__Principal principal = ledger_front_end;
    principal.schools = &other;
    return principal;
}

static void a_stranger_is_not_told_what_a_school_recorded_under_an_id(void **state)
{
    struct solo *solo = *state;
    const Zhurnal__V1__Principal other = stranger();
    struct solo_answer answers[2] = {{0}};
    solo_submit(solo, solo_mark(solo, 1, 5), &answers[0]);
    solo->caller = &other;
    solo_submit(solo, solo_mark(solo, 1, 5), &answers[1]); /* While the first is on its way. */
    solo_run(solo, 10);
    assert_int_equal(answers[0].status, STATUS_OK);
    uint64_t last = answers[0].index;
    assert_turned_away(solo, &answers[1], last);
    struct solo_answer same = solo_append(solo, solo_mark(solo, 1, 5));
    assert_turned_away(solo, &same, last);
    struct solo_answer different = solo_append(solo, solo_mark(solo, 1, 4));
    assert_turned_away(solo, &different, last);
}

static void an_attempt_that_was_refused_is_recorded_once(void **state)
{
    struct solo *solo = *state;
    const Zhurnal__V1__Principal other = stranger();
    solo->caller = &other;
    struct solo_answer first = solo_append(solo, solo_mark(solo, 1, 5));
    assert_int_equal(first.verdict.rule, RULE_OUTSIDE_SCHOOLS);
    assert_int_equal(first.index, last_index(solo));
    struct solo_answer again = solo_append(solo, solo_mark(solo, 1, 5));
    assert_int_equal(again.index, first.index);
    assert_int_equal(again.verdict.rule, RULE_OUTSIDE_SCHOOLS);
    assert_int_equal(again.verdict.school_index, first.verdict.school_index);
    assert_int_equal(last_index(solo), first.index);
}

static struct solo_answer check(struct solo *solo, struct bytes request)
{
    static uint8_t checked[4096];
    static const uint8_t check_only[] = {4 << 3, 1};
    assert_true(request.size + sizeof check_only <= sizeof checked);
    memcpy(checked, request.data, request.size);
    memcpy(checked + request.size, check_only, sizeof check_only);
    return solo_append(solo, bytes_of(checked, request.size + sizeof check_only));
}

static void a_check_says_of_a_used_id_what_a_write_would_be_told(void **state)
{
    struct solo *solo = *state;
    struct solo_answer first = solo_append(solo, with_text(solo, 1, "один"));
    struct solo_answer same = check(solo, with_text(solo, 1, "один"));
    assert_int_equal(same.status, STATUS_OK);
    assert_int_equal(same.index, 0);
    assert_int_equal(same.verdict.outcome, VERDICT_ACCEPTED);
    struct solo_answer other = check(solo, with_text(solo, 1, "два"));
    assert_int_equal(other.status, STATUS_ENTRY_ID_TAKEN);
    assert_int_equal(other.taken_index, first.index);
    const Zhurnal__V1__Principal outside = stranger();
    solo->caller = &outside;
    struct solo_answer turned_away = check(solo, with_text(solo, 1, "один"));
    assert_turned_away(solo, &turned_away, first.index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_WITH_FIXTURE(a_write_is_answered_after_it_is_flushed_and_judged),
        TEST_WITH_FIXTURE(the_same_bytes_are_recorded_once_and_answered_alike),
        TEST_WITH_FIXTURE(other_bytes_under_a_used_id_are_refused_and_the_index_named),
        TEST_WITH_FIXTURE(the_same_write_twice_at_once_is_one_entry),
        TEST_WITH_FIXTURE(other_bytes_while_the_first_are_on_their_way_are_not_recorded),
        TEST_WITH_FIXTURE(another_text_under_a_used_id_is_not_taken_for_a_retry),
        TEST_WITH_FIXTURE(many_at_once_go_in_one_batch),
        TEST_WITH_FIXTURE(what_was_answered_is_there_after_a_kill),
        TEST_WITH_FIXTURE(what_has_not_left_the_queue_is_certainly_not_recorded),
        TEST_WITH_FIXTURE(a_check_judges_and_records_nothing),
        TEST_WITH_FIXTURE(half_an_entry_is_refused_before_the_log),
        TEST_WITH_FIXTURE(a_full_disk_takes_nothing_until_there_is_room),
        TEST_WITH_FIXTURE(views_without_room_take_nothing_until_something_is_applied),
        cmocka_unit_test(one_of_three_alone_leads_nobody),
        TEST_WITH_FIXTURE(a_clock_that_jumps_ahead_is_not_followed),
        TEST_WITH_FIXTURE(
            a_sole_voter_whose_clock_is_behind_its_log_takes_nothing_and_names_the_cure),
        TEST_WITH_FIXTURE(the_cure_of_a_clock_that_is_behind_needs_no_restart),
        TEST_WITH_FIXTURE(stamps_never_fall),
        TEST_WITH_FIXTURE(too_much_at_once_is_refused_not_queued),
        cmocka_unit_test(a_damaged_entry_ends_the_node_by_its_index),
        TEST_WITH_FIXTURE(a_watch_fires_once_when_its_index_is_applied),
        TEST_WITH_FIXTURE(the_level_is_not_raised_beyond_what_every_member_knows),
        TEST_WITH_FIXTURE(a_clock_that_cannot_be_reset_is_not),
        TEST_WITH_FIXTURE(a_stranger_is_not_told_what_a_school_recorded_under_an_id),
        TEST_WITH_FIXTURE(an_attempt_that_was_refused_is_recorded_once),
        TEST_WITH_FIXTURE(a_check_says_of_a_used_id_what_a_write_would_be_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
