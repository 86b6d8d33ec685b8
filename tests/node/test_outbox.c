/* What goes to a peer, and what does not go twice. */
#include "node/outbox.h"
#include "tests/lib/test.h"

#include <stdlib.h>

enum { TERM = 4, FLIGHT_TIMEOUT_MS = 500, MANY = 10 * OUTBOX_ITEMS_MAX };

static uint64_t term_of(void *arg, uint64_t index)
{
    (void)arg;
    return index < 100 ? 2 : TERM;
}

static struct outbox_range range_of(uint64_t prev_index, uint64_t count)
{
    return (struct outbox_range){.version = 1,
        .term = TERM,
        .prev_index = prev_index,
        .prev_term = term_of(NULL, prev_index),
        .count = count};
}

static void append(struct outbox *outbox, uint64_t prev_index, uint64_t count, uint64_t now_ms)
{
    outbox_append(outbox, range_of(prev_index, count), now_ms, term_of, NULL);
}

/* The next range; then all of it is sent. */
static void expect_range(struct outbox *outbox, uint64_t prev_index, uint64_t count)
{
    struct outbox_item item;
    assert_true(outbox_next(outbox, TERM, &item));
    assert_null(item.message);
    assert_int_equal(item.range.prev_index, prev_index);
    assert_int_equal(item.range.prev_term, term_of(NULL, prev_index));
    assert_int_equal(item.range.count, count);
    outbox_sent_range(outbox, count, TERM, 10 * count, 0);
}

static void expect_nothing(struct outbox *outbox)
{
    struct outbox_item item;
    assert_false(outbox_next(outbox, TERM, &item));
}

static int set_up(void **state)
{
    struct outbox *outbox = calloc(1, sizeof *outbox);
    assert_non_null(outbox);
    outbox_init(outbox, &(struct outbox_options){0});
    outbox_reset(outbox, true);
    *state = outbox;
    return 0;
}

static int tear_down(void **state)
{
    outbox_deinit(*state);
    free(*state);
    return 0;
}

static uint8_t *message(void)
{
    uint8_t *bytes = malloc(1);
    assert_non_null(bytes);
    return bytes;
}

static void without_a_connection_nothing_is_kept(void **state)
{
    struct outbox *outbox = *state;
    outbox_reset(outbox, false);
    outbox_put(outbox, message(), 1);
    append(outbox, 10, 5, 0);
    outbox_reset(outbox, true);
    expect_nothing(outbox);
}

static void messages_and_ranges_leave_in_order(void **state)
{
    struct outbox *outbox = *state;
    outbox_put(outbox, message(), 1);
    append(outbox, 10, 5, 0);
    struct outbox_item item;
    assert_true(outbox_next(outbox, TERM, &item));
    assert_non_null(item.message);
    outbox_sent_message(outbox);
    expect_range(outbox, 10, 5);
    expect_nothing(outbox);
}

static void a_range_under_way_goes_out_empty_behind_what_was_sent(void **state)
{
    struct outbox *outbox = *state;
    append(outbox, 10, 5, 0);
    expect_range(outbox, 10, 5);
    append(outbox, 10, 5, 100);
    expect_range(outbox, 15, 0);
    append(outbox, 12, 3, 200);
    expect_range(outbox, 15, 0);
    expect_nothing(outbox);
}

static void of_a_range_partly_under_way_the_new_part_goes_out(void **state)
{
    struct outbox *outbox = *state;
    append(outbox, 90, 5, 0);
    expect_range(outbox, 90, 5);
    append(outbox, 90, 12, 100);
    expect_range(outbox, 95, 7);
    append(outbox, 102, 3, 100);
    expect_range(outbox, 102, 3);
}

static void while_a_range_waits_its_repetition_adds_nothing(void **state)
{
    struct outbox *outbox = *state;
    append(outbox, 10, 5, 0);
    for (int i = 0; i < 1000; i++) {
        append(outbox, 10, 5, 100);
    }
    assert_int_equal(outbox->count, 1);
    expect_range(outbox, 10, 5);
    expect_nothing(outbox);
}

static void heartbeats_that_wait_are_one(void **state)
{
    struct outbox *outbox = *state;
    for (uint64_t i = 0; i < 1000; i++) {
        append(outbox, 10 + i, 0, i);
    }
    expect_range(outbox, 1009, 0);
    expect_nothing(outbox);
}

static void what_was_refused_is_sent_again(void **state)
{
    struct outbox *outbox = *state;
    append(outbox, 10, 5, 0);
    expect_range(outbox, 10, 5);
    append(outbox, 15, 5, 0); /* Waits, and would be refused too. */
    outbox_refused(outbox, 10);
    append(outbox, 8, 12, 0);
    expect_range(outbox, 8, 12);
    expect_nothing(outbox);
}

static void a_late_refusal_does_not_take_what_answers_a_newer_one(void **state)
{
    struct outbox *outbox = *state;
    append(outbox, 20, 5, 0);
    expect_range(outbox, 20, 5);
    append(outbox, 20, 5, 0);
    expect_range(outbox, 25, 0); /* A heartbeat, refused too, but later. */
    outbox_refused(outbox, 20);
    append(outbox, 19, 6, 0);
    outbox_refused(outbox, 25);
    expect_range(outbox, 19, 6);
    expect_nothing(outbox);
}

static void a_new_connection_starts_anew(void **state)
{
    struct outbox *outbox = *state;
    append(outbox, 10, 5, 0);
    expect_range(outbox, 10, 5);
    append(outbox, 15, 5, 0);
    outbox_reset(outbox, false);
    outbox_reset(outbox, true);
    expect_nothing(outbox);
    append(outbox, 10, 10, 0);
    expect_range(outbox, 10, 10);
}

static void ranges_of_another_term_are_dropped(void **state)
{
    struct outbox *outbox = *state;
    struct outbox_item item;
    append(outbox, 10, 5, 0);
    assert_false(outbox_next(outbox, TERM + 1, &item));
    assert_int_equal(outbox->count, 0);

    struct outbox_range range = range_of(10, 5);
    range.term = TERM + 1;
    outbox_append(outbox, range, 0, term_of, NULL);
    assert_true(outbox_next(outbox, TERM + 1, &item));
    assert_int_equal(item.range.count, 5);
}

static void who_leads_no_term_sends_no_range_not_even_a_refused_one(void **state)
{
    struct outbox *outbox = *state;
    struct outbox_item item;
    append(outbox, 10, 5, 0);
    outbox_refused(outbox, 10);
    assert_false(outbox_next(outbox, 0, &item));
}

static void a_connection_that_loses_in_silence_is_not_trusted_for_long(void **state)
{
    struct outbox *outbox = *state;
    outbox->options.flight_timeout_ms = FLIGHT_TIMEOUT_MS;
    append(outbox, 10, 5, 0);
    expect_range(outbox, 10, 5);
    append(outbox, 10, 5, FLIGHT_TIMEOUT_MS);
    expect_range(outbox, 15, 0);
    append(outbox, 10, 5, FLIGHT_TIMEOUT_MS + 1);
    expect_range(outbox, 10, 5);
}

static void send_chunk(struct outbox *outbox, uint64_t entries, size_t bytes)
{
    struct outbox_item item;
    assert_true(outbox_next(outbox, TERM, &item));
    assert_true(item.range.count >= entries);
    outbox_sent_range(outbox, entries, TERM, bytes, 0);
}

static void a_range_goes_out_in_chunks_that_follow_on_each_other(void **state)
{
    struct outbox *outbox = *state;
    append(outbox, 200, 10, 0);
    send_chunk(outbox, 4, OUTBOX_CHUNK_BYTES);
    send_chunk(outbox, 4, OUTBOX_CHUNK_BYTES);
    expect_range(outbox, 208, 2);
    assert_int_equal(outbox->chunk_count, 3);
    outbox_acknowledged(outbox, 207, 1);
    assert_int_equal(outbox->chunk_count, 2);
    outbox_acknowledged(outbox, 210, 2);
    assert_int_equal(outbox->chunk_bytes, 0);
}

static void entries_are_held_up_by_a_full_flight_and_heartbeats_are_not(void **state)
{
    struct outbox *outbox = *state;
    const uint64_t chunks = OUTBOX_FLIGHT_BYTES / OUTBOX_CHUNK_BYTES;
    append(outbox, 200, 1000, 0);
    for (uint64_t i = 0; i < chunks; i++) {
        send_chunk(outbox, 1, OUTBOX_CHUNK_BYTES);
    }
    expect_nothing(outbox);
    append(outbox, 200, 1000, 100);
    expect_range(outbox, 200 + chunks, 0);
    expect_nothing(outbox);
    outbox_acknowledged(outbox, 201, 200);
    send_chunk(outbox, 1, OUTBOX_CHUNK_BYTES);
    expect_nothing(outbox);
}

static void entries_that_wait_are_one_range(void **state)
{
    struct outbox *outbox = *state;
    for (uint64_t i = 0; i < MANY; i++) {
        append(outbox, 200 + i, 1, 0);
    }
    assert_int_equal(outbox->count, 1);
    expect_range(outbox, 200, MANY);
}

/* New entries all the time, and no answer: the peer still hears that there is a leader. */
static void a_stream_that_is_held_up_beats_its_heart_now_and_then(void **state)
{
    struct outbox *outbox = *state;
    struct outbox_item item;
    append(outbox, 200, OUTBOX_CHUNKS_MAX, 0);
    for (int i = 0; i < OUTBOX_CHUNKS_MAX; i++) {
        send_chunk(outbox, 1, 1);
    }
    unsigned heartbeats = 0;
    for (uint64_t ms = 1; ms <= 1000; ms++) {
        append(outbox, 200 + OUTBOX_CHUNKS_MAX + ms - 1, 1, ms);
        if (outbox_next(outbox, TERM, &item)) {
            assert_int_equal(item.range.count, 0);
            assert_int_equal(item.range.prev_index, 200 + OUTBOX_CHUNKS_MAX);
            outbox_sent_range(outbox, 0, TERM, 0, ms);
            heartbeats++;
        }
    }
    assert_int_equal(heartbeats, 1000 / OUTBOX_HEARTBEAT_MS);
    outbox_acknowledged(outbox, 200 + OUTBOX_CHUNKS_MAX, 1001);
    expect_range(outbox, 200 + OUTBOX_CHUNKS_MAX, 1000);
}

static void many_small_chunks_are_held_up_as_well(void **state)
{
    struct outbox *outbox = *state;
    append(outbox, 200, 1000, 0);
    for (int i = 0; i < OUTBOX_CHUNKS_MAX; i++) {
        send_chunk(outbox, 1, 1);
    }
    expect_nothing(outbox);
    outbox_acknowledged(outbox, 200 + OUTBOX_CHUNKS_MAX, 1);
    send_chunk(outbox, 1, 1);
}

static void a_peer_that_takes_nothing_is_owed_a_bounded_number_of_messages(void **state)
{
    struct outbox *outbox = *state;
    for (int i = 0; i < MANY; i++) {
        outbox_put(outbox, message(), 1);
    }
    assert_int_equal(outbox->count, OUTBOX_ITEMS_MAX);
    append(outbox, 10, 5, 0);
    append(outbox, 10, 0, 0);
    outbox_reset(outbox, true);
    append(outbox, 10, 5, 0); /* What found no room is not taken for sent. */
    expect_range(outbox, 10, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_WITH_FIXTURE(without_a_connection_nothing_is_kept),
        TEST_WITH_FIXTURE(messages_and_ranges_leave_in_order),
        TEST_WITH_FIXTURE(a_range_under_way_goes_out_empty_behind_what_was_sent),
        TEST_WITH_FIXTURE(of_a_range_partly_under_way_the_new_part_goes_out),
        TEST_WITH_FIXTURE(while_a_range_waits_its_repetition_adds_nothing),
        TEST_WITH_FIXTURE(heartbeats_that_wait_are_one),
        TEST_WITH_FIXTURE(what_was_refused_is_sent_again),
        TEST_WITH_FIXTURE(a_late_refusal_does_not_take_what_answers_a_newer_one),
        TEST_WITH_FIXTURE(a_new_connection_starts_anew),
        TEST_WITH_FIXTURE(ranges_of_another_term_are_dropped),
        TEST_WITH_FIXTURE(who_leads_no_term_sends_no_range_not_even_a_refused_one),
        TEST_WITH_FIXTURE(a_connection_that_loses_in_silence_is_not_trusted_for_long),
        TEST_WITH_FIXTURE(a_range_goes_out_in_chunks_that_follow_on_each_other),
        TEST_WITH_FIXTURE(entries_are_held_up_by_a_full_flight_and_heartbeats_are_not),
        TEST_WITH_FIXTURE(entries_that_wait_are_one_range),
        TEST_WITH_FIXTURE(a_stream_that_is_held_up_beats_its_heart_now_and_then),
        TEST_WITH_FIXTURE(many_small_chunks_are_held_up_as_well),
        TEST_WITH_FIXTURE(a_peer_that_takes_nothing_is_owed_a_bounded_number_of_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
