/* One piece of apply: how much it takes at most, and where it stops. */
#include "node/apply.h"
#include "proto/integer.h"
#include "storage/crc32c.h"
#include "tests/lib/ledger.h"
#include "tests/lib/test.h"

#include <string.h>

enum { MARKS = 200, AT_KIND = 1, AT_CRC = 16 };

struct fixture {
    struct ledger ledger;
    struct journal journal;
    struct apply_piece piece;
    uint64_t marks; /* So far. */
};

static int set_up(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof f);
    ledger_open(&f.ledger);
    assert_int_equal(ledger_open_journal(&f.ledger, &f.journal, "views"), 0);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    apply_piece_deinit(&f->piece);
    journal_close(&f->journal, false);
    ledger_close(&f->ledger);
    return 0;
}

/* An entry of so many marks, each in another lesson. */
static uint64_t add_marks(struct fixture *f, unsigned count)
{
    static const uint64_t scatter = 0x9E3779B97F4A7C15;
    struct school_draft *draft = ledger_begin(&f->ledger, 20261123);
    for (unsigned i = 0; i < count; i++) {
        Zhurnal__V1__MarkSet *set = DRAFT_ADD(draft, mark_set, MARK_SET);
        set->pupil = 1;
        set->given_for_case = ZHURNAL__V1__MARK_SET__GIVEN_FOR_LESSON;
        set->lesson = (++f->marks * scatter >> 12) + 1;
        set->slot = 1;
        set->mark = draft_message(draft, &zhurnal__v1__mark__descriptor);
        set->mark->mark_kind = ZHURNAL__V1__MARK_KIND__MARK_KIND_NUMBER;
        set->mark->number = 5;
    }
    return ledger_end(&f->ledger);
}

static int run(struct fixture *f)
{
    uint64_t from = ledger_state(&f->journal).index + 1;
    apply_piece_deinit(&f->piece);
    return apply_run(&f->journal, &f->ledger.log, from, f->ledger.last, &f->piece);
}

/* Each event may dirty a page of its own, and only so many have room. */
static void a_piece_ends_before_it_changes_too_much(void **state)
{
    struct fixture *f = *state;
    const unsigned fit = APPLY_PIECE_CHANGES / (MARKS + 1);
    for (unsigned i = 0; i < 2 * fit; i++) {
        (void)add_marks(f, MARKS);
    }
    assert_int_equal(run(f), STATUS_OK);
    assert_int_equal(f->piece.upto, fit);
    assert_int_equal(f->piece.count, fit);
    assert_int_equal(f->piece.state.index, fit);
    assert_int_equal(run(f), STATUS_OK);
    assert_int_equal(f->piece.upto, 2 * fit);
}

static size_t stored(struct fixture *f, uint64_t index, uint8_t *bytes, size_t room)
{
    struct txn txn;
    struct bytes value;
    uint8_t key[8];
    put_u64_be(key, index);
    txn_begin_read(&txn, &f->ledger.env);
    assert_true(txn_get(&txn, f->ledger.log.records, bytes_of(key, sizeof key), &value));
    assert_true(value.size <= room);
    memcpy(bytes, value.data, value.size);
    txn_abort(&txn);
    return value.size;
}

static void store(struct fixture *f, uint64_t index, struct bytes value)
{
    struct txn txn;
    uint8_t key[8];
    put_u64_be(key, index);
    txn_begin_write(&txn, &f->ledger.env);
    txn_put(&txn, f->ledger.log.records, bytes_of(key, sizeof key), value);
    assert_int_equal(txn_commit(&txn), STATUS_OK);
}

static void a_record_that_does_not_verify_is_named_and_no_fault_of_the_views(void **state)
{
    struct fixture *f = *state;
    uint8_t bytes[4096];
    for (unsigned i = 0; i < 9; i++) {
        (void)add_marks(f, 1);
    }
    size_t size = stored(f, 5, bytes, sizeof bytes);
    bytes[size - 1] ^= 1;
    store(f, 5, bytes_of(bytes, size));
    for (uint64_t upto = 1; upto < 5; upto++) {
        assert_int_equal(run(f), STATUS_OK);
        assert_false(f->piece.log_failed);
        assert_int_equal(f->piece.upto, upto);
    }
    assert_int_equal(run(f), STATUS_CORRUPT);
    assert_true(f->piece.log_failed);
    assert_int_equal(f->piece.upto, 4);
    bytes[size - 1] ^= 1;
    store(f, 5, bytes_of(bytes, size));
    assert_int_equal(run(f), STATUS_OK);
    assert_int_equal(f->piece.upto, 9);
}

static void views_that_do_not_read_are_told_from_the_log(void **state)
{
    struct fixture *f = *state;
    struct txn txn;
    (void)add_marks(f, 1);
    txn_begin_write(&txn, &f->journal.views.env);
    txn_put(&txn, f->journal.state, bytes_of("", 1), bytes_of("damaged", 7));
    assert_int_equal(txn_commit(&txn), STATUS_OK);
    assert_int_equal(
        apply_run(&f->journal, &f->ledger.log, 1, f->ledger.last, &f->piece), STATUS_CORRUPT);
    assert_false(f->piece.log_failed);
}

/* Of a kind that only a newer version knows. */
static void an_unknown_kind_of_record_parks(void **state)
{
    struct fixture *f = *state;
    uint8_t bytes[4096];
    uint8_t place[12];
    (void)add_marks(f, 1);
    uint64_t index = add_marks(f, 1);
    size_t size = stored(f, index, bytes, sizeof bytes);
    bytes[AT_KIND] = RECORD_ERASED + 1;
    put_u32_le(place, LEDGER_GROUP);
    put_u64_le(place + 4, index);
    uint32_t crc = crc32c(crc32c(0, place, sizeof place), bytes, AT_CRC);
    put_u32_le(bytes + AT_CRC, crc32c(crc, bytes + RECORD_HEADER_SIZE, size - RECORD_HEADER_SIZE));
    store(f, index, bytes_of(bytes, size));
    assert_int_equal(run(f), STATUS_OK);
    assert_int_equal(f->piece.upto, index - 1);
    assert_int_equal(run(f), STATUS_UNIMPLEMENTED);
    assert_int_equal(f->piece.upto, index - 1);
}

static void what_is_erased_parks_until_its_rules_are_known(void **state)
{
    struct fixture *f = *state;
    (void)add_marks(f, 1);
    uint64_t index = ledger_append_record(&f->ledger, RECORD_ERASED, bytes_of("", 0));
    assert_int_equal(run(f), STATUS_UNIMPLEMENTED);
    assert_int_equal(f->piece.upto, index - 1);
    assert_int_equal(f->piece.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_WITH_FIXTURE(a_piece_ends_before_it_changes_too_much),
        TEST_WITH_FIXTURE(a_record_that_does_not_verify_is_named_and_no_fault_of_the_views),
        TEST_WITH_FIXTURE(views_that_do_not_read_are_told_from_the_log),
        TEST_WITH_FIXTURE(an_unknown_kind_of_record_parks),
        TEST_WITH_FIXTURE(what_is_erased_parks_until_its_rules_are_known),
    };
    return cmocka_run_group_tests_name("node/apply", tests, NULL, NULL);
}
