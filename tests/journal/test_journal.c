/* The journal: every record once, in order, with the same outcome wherever and however often it is
 * applied. */
#include "node/journal/journal.h"
#include "proto/hex.h"
#include "proto/wire.h"
#include "storage/leaf.h"
#include "tests/lib/ledger.h"
#include "tests/lib/test.h"

#include <stdio.h>

enum { DAY = 20261123, PAGE = 501, LESSON = 601, PUPIL = 701, WHOLE = 1000 };

struct fixture {
    struct ledger ledger;
    struct journal journal;
};

static int set_up(void **state)
{
    static struct fixture f;
    ledger_open(&f.ledger);
    (void)ledger_open_journal(&f.ledger, &f.journal, "views");
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    journal_close(&f->journal, false);
    ledger_close(&f->ledger);
    return 0;
}

static void apply_all(struct fixture *f)
{
    assert_int_equal(ledger_apply(&f->ledger, &f->journal, f->ledger.last, WHOLE), STATUS_OK);
}

static struct school_draft *begin_mark(struct fixture *f, uint32_t number)
{
    struct school_draft *draft = ledger_begin(&f->ledger, DAY);
    Zhurnal__V1__MarkSet *set = DRAFT_ADD(draft, mark_set, MARK_SET);
    set->pupil = PUPIL;
    set->given_for_case = ZHURNAL__V1__MARK_SET__GIVEN_FOR_LESSON;
    set->lesson = LESSON;
    set->slot = 1;
    set->mark = draft_message(draft, &zhurnal__v1__mark__descriptor);
    set->mark->mark_kind = ZHURNAL__V1__MARK_KIND__MARK_KIND_NUMBER;
    set->mark->number = number;
    return draft;
}

static uint64_t append_mark(struct fixture *f, uint32_t number)
{
    begin_mark(f, number);
    return ledger_end(&f->ledger);
}

static struct bytes encoded(struct fixture *f, struct school_entry *entry)
{
    draft_end(f->ledger.draft, entry);
    return entry->request;
}

static struct verdict verdict_of(struct fixture *f, uint64_t index)
{
    return ledger_verdict(&f->journal, index);
}

/* One record of each sort that a log has. */
static void append_some_of_everything(struct fixture *f)
{
    struct school_entry entry = {0};
    ledger_append_record(&f->ledger, RECORD_MEMBERSHIP, bytes_of("members", 7));
    ledger_append_record(&f->ledger, RECORD_BARRIER, bytes_of("", 0));
    struct school_draft *draft = ledger_begin(&f->ledger, DAY);
    Zhurnal__V1__PageOpened *opened = DRAFT_ADD(draft, page_opened, PAGE_OPENED);
    opened->page = PAGE;
    Zhurnal__V1__LessonHeld *held = DRAFT_ADD(draft, lesson_held, LESSON_HELD);
    held->page = PAGE;
    held->lesson = LESSON;
    ledger_end(&f->ledger);
    append_mark(f, 4);
    begin_mark(f, 5);
    struct bytes request = encoded(f, &entry);
    ledger_append(&f->ledger, request, &ledger_front_end);
    ledger_append(&f->ledger, request, &ledger_front_end);
    ledger_append(&f->ledger, request, &ledger_operator);
    ledger_append_record(&f->ledger, RECORD_COMMAND, bytes_of("\xff\xff", 2));
    append_mark(f, 3);
}

/* Computed apart from this code, with Python's hashlib. */
static void the_running_digest_is_fixed_for_ever(void **state)
{
    struct fixture *f = *state;
    ledger_append_record(&f->ledger, RECORD_MEMBERSHIP, bytes_of("members", 7));
    ledger_append_record(&f->ledger, RECORD_BARRIER, bytes_of("", 0));
    apply_all(f);
    struct journal_state now = ledger_state(&f->journal);
    char hex[2 * SHA256_SIZE + 1];
    assert_string_equal(hex_encode(now.digest, SHA256_SIZE, hex),
        "177b4a4840f64730880c8b5e771c58276a2f02abbfae3243e2e05faa803759c1");
    assert_int_equal(now.index, 2);
    assert_int_equal(now.level, 1);
}

static void a_school_counts_its_commands_and_chains_their_leaves(void **state)
{
    struct fixture *f = *state;
    static const uint8_t zeros[SHA256_SIZE];
    uint64_t first = append_mark(f, 4);
    ledger_append_record(&f->ledger, RECORD_BARRIER, bytes_of("", 0));
    uint64_t second = append_mark(f, 5);
    apply_all(f);
    struct verdict a = verdict_of(f, first);
    struct verdict b = verdict_of(f, second);
    assert_int_equal(a.school, LEDGER_SCHOOL);
    assert_int_equal(a.school_index, 1);
    assert_memory_equal(a.school_chain, zeros, SHA256_SIZE);
    assert_int_equal(b.school_index, 2);
    assert_memory_not_equal(b.school_chain, zeros, SHA256_SIZE);
}

static void leaf_at(struct fixture *f, uint64_t index, uint8_t leaf[SHA256_SIZE])
{
    struct arena arena;
    struct txn log_txn;
    struct txn txn;
    struct record record;
    struct verdict verdict;
    uint8_t hash[SHA256_SIZE];
    arena_init(&arena, 1 << 20);
    txn_begin_read(&log_txn, &f->ledger.env);
    txn_begin_read(&txn, &f->journal.views.env);
    assert_true(log_read(&log_txn, &f->ledger.log, index, &record));
    assert_true(journal_verdict(&txn, &f->journal, index, &arena, &verdict));
    verdict_hash(&verdict, hash);
    leaf_hash(LEDGER_GROUP, &record, hash, leaf);
    txn_abort(&txn);
    txn_abort(&log_txn);
    arena_reset(&arena);
}

static void the_chain_names_the_leaf_of_the_entry_before(void **state)
{
    struct fixture *f = *state;
    uint8_t leaf[SHA256_SIZE];
    struct school_entry entry = {0};
    append_mark(f, 4);
    begin_mark(f, 5);
    ledger_append(&f->ledger, encoded(f, &entry), &ledger_operator); /* Refused: counted too. */
    append_mark(f, 3);
    apply_all(f);
    for (uint64_t i = 1; i <= 2; i++) {
        leaf_at(f, i, leaf);
        assert_memory_equal(verdict_of(f, i + 1).school_chain, leaf, SHA256_SIZE);
        assert_int_equal(verdict_of(f, i + 1).school_index, i + 1);
    }
}

static void the_same_entry_twice_is_a_duplicate(void **state)
{
    struct fixture *f = *state;
    struct school_entry entry = {0};
    begin_mark(f, 4);
    struct bytes request = encoded(f, &entry);
    uint64_t first = ledger_append(&f->ledger, request, &ledger_front_end);
    uint64_t second = ledger_append(&f->ledger, request, &ledger_front_end);
    apply_all(f);
    assert_int_equal(verdict_of(f, first).outcome, VERDICT_ACCEPTED);
    struct verdict again = verdict_of(f, second);
    assert_int_equal(again.outcome, VERDICT_DUPLICATE);
    assert_int_equal(again.first_index, first);
    assert_int_equal(again.school_index, 2);
}

static void other_bytes_under_the_same_id_are_refused(void **state)
{
    struct fixture *f = *state;
    struct school_entry entry = {0};
    struct school_draft *draft = begin_mark(f, 4);
    ledger_append(&f->ledger, encoded(f, &entry), &ledger_front_end);
    draft->events[0]->mark_set->mark->number = 5;
    ledger_append(&f->ledger, encoded(f, &entry), &ledger_front_end);
    apply_all(f);
    struct verdict verdict = verdict_of(f, 2);
    assert_int_equal(verdict.outcome, VERDICT_REFUSED);
    assert_int_equal(verdict.rule, RULE_ENTRY_ID_TAKEN);
    assert_int_equal(verdict.first_index, 1);
}

static void the_same_id_in_another_school_is_another_entry(void **state)
{
    struct fixture *f = *state;
    struct school_entry entry = {0};
    struct school_draft *draft = begin_mark(f, 4);
    ledger_append(&f->ledger, encoded(f, &entry), &ledger_founder);
    draft->draft.school = LEDGER_SCHOOL + 1;
    ledger_append(&f->ledger, encoded(f, &entry), &ledger_founder);
    apply_all(f);
    assert_int_equal(verdict_of(f, 2).outcome, VERDICT_ACCEPTED);
    assert_int_equal(verdict_of(f, 2).school_index, 1);
}

static void a_refused_entry_keeps_its_id(void **state)
{
    struct fixture *f = *state;
    struct school_entry entry = {0};
    begin_mark(f, 4);
    struct bytes request = encoded(f, &entry);
    ledger_append(&f->ledger, request, &ledger_operator);
    ledger_append(&f->ledger, request, &ledger_front_end);
    apply_all(f);
    assert_int_equal(verdict_of(f, 1).rule, RULE_OPERATOR_IN_SCHOOL);
    assert_int_equal(verdict_of(f, 2).outcome, VERDICT_DUPLICATE);
    assert_int_equal(verdict_of(f, 2).first_index, 1);
}

static void an_entry_is_found_by_its_id(void **state)
{
    struct fixture *f = *state;
    append_mark(f, 4);
    apply_all(f);
    struct txn txn;
    uint64_t index;
    uint8_t hash[SHA256_SIZE];
    txn_begin_read(&txn, &f->journal.views.env);
    const uint8_t *id = f->ledger.draft->entry_id;
    assert_true(journal_find(&txn, &f->journal, LEDGER_SCHOOL, id, &index, hash));
    assert_int_equal(index, 1);
    assert_false(journal_find(&txn, &f->journal, LEDGER_SCHOOL + 1, id, &index, hash));
    txn_abort(&txn);
}

static void a_payload_that_does_not_decode_is_refused_and_names_no_school(void **state)
{
    struct fixture *f = *state;
    ledger_append_record(&f->ledger, RECORD_COMMAND, bytes_of("", 0));
    ledger_append_record(&f->ledger, RECORD_COMMAND, bytes_of("\x0a\x02\x0a\xff\x2a\x00", 6));
    append_mark(f, 4);
    apply_all(f);
    for (uint64_t i = 1; i <= 2; i++) {
        assert_int_equal(verdict_of(f, i).outcome, VERDICT_REFUSED);
        assert_int_equal(verdict_of(f, i).rule, RULE_UNDECODABLE);
        assert_int_equal(verdict_of(f, i).school_index, 0);
    }
    assert_int_equal(verdict_of(f, 3).outcome, VERDICT_ACCEPTED);
    assert_int_equal(verdict_of(f, 3).school_index, 1);
}

static void a_kind_nobody_knows_is_recorded_byte_for_byte_and_refused(void **state)
{
    struct fixture *f = *state;
    /* entry id, school 77, an event of field 1000 with three bytes. */
    static const uint8_t request[] = {0x0a, 34, 0x0a, 16, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
        14, 15, 16, 0x11, 77, 0, 0, 0, 0, 0, 0, 0, 0x22, 5, 0xc2, 0x3e, 2, 'h', 'i'};
    ledger_append(&f->ledger, bytes_of(request, sizeof request), &ledger_front_end);
    apply_all(f);
    assert_int_equal(verdict_of(f, 1).rule, RULE_KIND_UNKNOWN);
    assert_int_equal(verdict_of(f, 1).event, 1);
    assert_int_equal(verdict_of(f, 1).school, LEDGER_SCHOOL);
    struct txn txn;
    struct record record;
    txn_begin_read(&txn, &f->ledger.env);
    assert_true(log_read(&txn, &f->ledger.log, 1, &record));
    assert_memory_equal(record.payload.data, request, sizeof request);
    txn_abort(&txn);
}

static Zhurnal__V1__FeatureLevelRaised *begin_raise(struct fixture *f)
{
    struct school_draft *draft = ledger_begin(&f->ledger, DAY);
    draft->draft.school = 0;
    return DRAFT_ADD(draft, feature_level_raised, FEATURE_LEVEL_RAISED);
}

static void a_level_this_software_does_not_know_stops_it_behind_the_raise(void **state)
{
    struct fixture *f = *state;
    struct school_entry entry = {0};
    append_mark(f, 4);
    begin_raise(f)->level = 2;
    ledger_append(&f->ledger, encoded(f, &entry), &ledger_operator);
    append_mark(f, 5);
    assert_int_equal(
        ledger_apply(&f->ledger, &f->journal, f->ledger.last, WHOLE), STATUS_UNIMPLEMENTED);
    assert_int_equal(ledger_state(&f->journal).index, 2);
    assert_int_equal(ledger_state(&f->journal).level, 2);
    assert_int_equal(verdict_of(f, 2).outcome, VERDICT_ACCEPTED);
}

static void a_record_of_an_unknown_kind_stops_it(void **state)
{
    struct fixture *f = *state;
    append_mark(f, 4);
    ledger_append_record(&f->ledger, RECORD_ERASED, bytes_of("x", 1));
    assert_int_equal(
        ledger_apply(&f->ledger, &f->journal, f->ledger.last, WHOLE), STATUS_UNIMPLEMENTED);
    assert_int_equal(ledger_state(&f->journal).index, 1);
}

static void a_clock_reset_opens_the_next_epoch_and_moves_the_last_stamp(void **state)
{
    struct fixture *f = *state;
    struct school_entry entry = {0};
    append_mark(f, 4);
    apply_all(f);
    assert_int_equal(ledger_state(&f->journal).last_stamp_ms, f->ledger.clock_ms);
    struct school_draft *draft = ledger_begin(&f->ledger, DAY);
    draft->draft.school = 0;
    Zhurnal__V1__ClockReset *reset = DRAFT_ADD(draft, clock_reset, CLOCK_RESET);
    reset->time_ms = 1000;
    ledger_append(&f->ledger, encoded(f, &entry), &ledger_operator);
    apply_all(f);
    assert_int_equal(ledger_state(&f->journal).clock_epoch, 1);
    assert_int_equal(ledger_state(&f->journal).last_stamp_ms, 1000);
}

/* What is taken must be judged: memory that runs out there would stop every node. */
static void the_heaviest_draft_is_judged(void **state)
{
    struct fixture *f = *state;
    static uint8_t request[SUBMISSION_DRAFT_MAX + 16];
    static const uint8_t unknown[] = {15 << 3, 0}; /* Decoders keep each in memory of its own. */
    struct school_entry entry = {0};
    begin_mark(f, 4);
    struct bytes small = encoded(f, &entry);
    struct bytes draft;
    assert_int_equal(wire_slice(small, 1, &draft), STATUS_OK);
    size_t size = SUBMISSION_DRAFT_MAX - SUBMISSION_DRAFT_MAX % 2 + draft.size % 2;
    size -= size > SUBMISSION_DRAFT_MAX ? 2 : 0;
    uint8_t *at = request;
    *at++ = 1 << 3 | 2;
    for (size_t left = size; left > 0; left >>= 7) {
        *at++ = (uint8_t)((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
    }
    memcpy(at, draft.data, draft.size);
    for (size_t i = draft.size; i < size; i += sizeof unknown) {
        memcpy(at + i, unknown, sizeof unknown);
    }
    uint64_t index = ledger_append(
        &f->ledger, bytes_of(request, (size_t)(at - request) + size), &ledger_front_end);
    apply_all(f);
    assert_int_equal(verdict_of(f, index).outcome, VERDICT_ACCEPTED);
}

static void a_check_gives_the_verdict_and_writes_nothing(void **state)
{
    struct fixture *f = *state;
    struct school_entry entry = {0};
    struct arena arena;
    struct txn txn;
    struct submission submission;
    struct verdict verdict;
    begin_mark(f, 4);
    struct bytes request = encoded(f, &entry);
    arena_init(&arena, SUBMISSION_ARENA_LIMIT);
    assert_int_equal(submission_parse(request, &arena, &submission, NULL), STATUS_OK);
    txn_begin_read(&txn, &f->journal.views.env);
    assert_int_equal(
        journal_check(&txn, &f->journal, &submission, &ledger_front_end, &arena, &verdict),
        STATUS_OK);
    assert_int_equal(verdict.outcome, VERDICT_ACCEPTED);
    assert_int_equal(verdict.school_index, 0);
    assert_int_equal(
        journal_check(&txn, &f->journal, &submission, &ledger_operator, &arena, &verdict),
        STATUS_OK);
    assert_int_equal(verdict.rule, RULE_OPERATOR_IN_SCHOOL);
    txn_abort(&txn);
    arena_reset(&arena);
    assert_int_equal(ledger_state(&f->journal).index, 0);
}

/* ---- the same log, the same journal ---- */

static void assert_same_verdict(struct fixture *f, struct journal *other, uint64_t index)
{
    struct arena arena;
    arena_init(&arena, 1 << 20);
    uint8_t hashes[2][SHA256_SIZE];
    struct journal *journals[2] = {&f->journal, other};
    bool found[2];
    for (size_t i = 0; i < 2; i++) {
        struct verdict verdict = {0};
        struct txn txn;
        txn_begin_read(&txn, &journals[i]->views.env);
        found[i] = journal_verdict(&txn, journals[i], index, &arena, &verdict);
        verdict_hash(&verdict, hashes[i]);
        txn_abort(&txn);
    }
    assert_int_equal(found[0], found[1]);
    assert_memory_equal(hashes[0], hashes[1], SHA256_SIZE);
    arena_reset(&arena);
}

static void assert_same_journal(struct fixture *f, struct journal *other)
{
    struct journal_state a = ledger_state(&f->journal);
    struct journal_state b = ledger_state(other);
    assert_int_equal(a.index, b.index);
    assert_int_equal(a.last_stamp_ms, b.last_stamp_ms);
    assert_memory_equal(a.digest, b.digest, SHA256_SIZE);
    for (uint64_t i = 1; i <= a.index; i++) {
        assert_same_verdict(f, other, i);
    }
}

/* Every row of every table. */
static void assert_same_rows(struct fixture *f, struct journal *other)
{
    struct table *mine[] = {&f->journal.state, &f->journal.verdicts, &f->journal.entries,
        &f->journal.schools, &f->journal.roster, &f->journal.facts, &f->journal.effects};
    struct table *theirs[] = {&other->state, &other->verdicts, &other->entries, &other->schools,
        &other->roster, &other->facts, &other->effects};
    struct txn a;
    struct txn b;
    txn_begin_read(&a, &f->journal.views.env);
    txn_begin_read(&b, &other->views.env);
    for (size_t i = 0; i < sizeof mine / sizeof *mine; i++) {
        struct cursor left;
        struct cursor right;
        struct bytes key[2];
        struct bytes value[2];
        cursor_open(&left, &a, *mine[i]);
        cursor_open(&right, &b, *theirs[i]);
        bool more = cursor_seek(&left, bytes_of("\0", 1), &key[0], &value[0]);
        assert_int_equal(more, cursor_seek(&right, bytes_of("\0", 1), &key[1], &value[1]));
        while (more) {
            assert_true(bytes_equal(key[0], key[1]) && bytes_equal(value[0], value[1]));
            more = cursor_next(&left, &key[0], &value[0]);
            assert_int_equal(more, cursor_next(&right, &key[1], &value[1]));
        }
        cursor_close(&left);
        cursor_close(&right);
    }
    txn_abort(&a);
    txn_abort(&b);
}

static void a_log_replayed_into_fresh_views_gives_the_same(void **state)
{
    struct fixture *f = *state;
    append_some_of_everything(f);
    apply_all(f);
    struct journal other;
    assert_int_equal(ledger_open_journal(&f->ledger, &other, "again"), 0);
    assert_int_equal(ledger_apply(&f->ledger, &other, f->ledger.last, 1), STATUS_OK);
    assert_same_journal(f, &other);
    assert_same_rows(f, &other);
    journal_close(&other, false);
}

static void it_goes_on_after_a_stop_between_any_two_records(void **state)
{
    struct fixture *f = *state;
    append_some_of_everything(f);
    apply_all(f);
    for (uint64_t stop = 0; stop <= f->ledger.last; stop++) {
        char name[32];
        (void)snprintf(name, sizeof name, "stop%u", (unsigned)stop);
        struct journal other;
        assert_int_equal(ledger_open_journal(&f->ledger, &other, name), 0);
        assert_int_equal(ledger_apply(&f->ledger, &other, stop, WHOLE), STATUS_OK);
        journal_close(&other, false);
        assert_int_equal(ledger_open_journal(&f->ledger, &other, name), stop);
        assert_int_equal(ledger_apply(&f->ledger, &other, f->ledger.last, WHOLE), STATUS_OK);
        assert_same_journal(f, &other);
        assert_same_rows(f, &other);
        journal_close(&other, false);
    }
}

static void views_that_broke_are_built_anew(void **state)
{
    struct fixture *f = *state;
    append_some_of_everything(f);
    struct journal other;
    (void)ledger_open_journal(&f->ledger, &other, "broken");
    assert_int_equal(ledger_apply(&f->ledger, &other, 3, WHOLE), STATUS_OK);
    journal_close(&other, true);
    assert_int_equal(ledger_open_journal(&f->ledger, &other, "broken"), 0);
    journal_close(&other, false);
}

static void append_node(struct fixture *f, uint64_t school, uint8_t directory)
{
    char name[] = "00000000000000a1";
    Zhurnal__V1__Principal node = ZHURNAL__V1__PRINCIPAL__INIT;
    node.kind = ZHURNAL__V1__PRINCIPAL_KIND__PRINCIPAL_KIND_NODE;
    node.name = name;
    uint8_t id[UUID_SIZE];
    struct school_entry entry = {0};
    memset(id, directory, sizeof id);
    struct school_draft *draft = ledger_begin(&f->ledger, DAY);
    draft->draft.school = school;
    draft->draft.actor = NULL;
    Zhurnal__V1__NodeAdded *added = DRAFT_ADD(draft, node_added, NODE_ADDED);
    added->node = 0xa1;
    added->directory = (ProtobufCBinaryData){.len = sizeof id, .data = id};
    ledger_append(&f->ledger, encoded(f, &entry), school == 0 ? &node : &ledger_front_end);
}

static bool directory_is(struct fixture *f, uint8_t directory)
{
    struct txn txn;
    uint8_t found[UUID_SIZE] = {0};
    txn_begin_read(&txn, &f->journal.views.env);
    bool known = journal_node(&txn, &f->journal, 0xa1, found);
    txn_abort(&txn);
    return known && found[0] == directory && found[UUID_SIZE - 1] == directory;
}

static void a_node_is_known_by_the_directory_it_was_first_added_with(void **state)
{
    struct fixture *f = *state;
    append_node(f, LEDGER_SCHOOL, 7);
    apply_all(f);
    assert_false(directory_is(f, 7));
    append_node(f, 0, 8);
    append_node(f, 0, 9);
    apply_all(f);
    assert_true(directory_is(f, 8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_WITH_FIXTURE(the_running_digest_is_fixed_for_ever),
        TEST_WITH_FIXTURE(a_school_counts_its_commands_and_chains_their_leaves),
        TEST_WITH_FIXTURE(the_chain_names_the_leaf_of_the_entry_before),
        TEST_WITH_FIXTURE(the_same_entry_twice_is_a_duplicate),
        TEST_WITH_FIXTURE(other_bytes_under_the_same_id_are_refused),
        TEST_WITH_FIXTURE(the_same_id_in_another_school_is_another_entry),
        TEST_WITH_FIXTURE(a_refused_entry_keeps_its_id),
        TEST_WITH_FIXTURE(an_entry_is_found_by_its_id),
        TEST_WITH_FIXTURE(a_payload_that_does_not_decode_is_refused_and_names_no_school),
        TEST_WITH_FIXTURE(a_kind_nobody_knows_is_recorded_byte_for_byte_and_refused),
        TEST_WITH_FIXTURE(a_level_this_software_does_not_know_stops_it_behind_the_raise),
        TEST_WITH_FIXTURE(a_record_of_an_unknown_kind_stops_it),
        TEST_WITH_FIXTURE(a_clock_reset_opens_the_next_epoch_and_moves_the_last_stamp),
        TEST_WITH_FIXTURE(the_heaviest_draft_is_judged),
        TEST_WITH_FIXTURE(a_check_gives_the_verdict_and_writes_nothing),
        TEST_WITH_FIXTURE(a_log_replayed_into_fresh_views_gives_the_same),
        TEST_WITH_FIXTURE(it_goes_on_after_a_stop_between_any_two_records),
        TEST_WITH_FIXTURE(views_that_broke_are_built_anew),
        TEST_WITH_FIXTURE(a_node_is_known_by_the_directory_it_was_first_added_with),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
