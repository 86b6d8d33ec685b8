#include "node/journal/evolve.h"

#include "node/journal/fact.h"
#include "node/journal/row.h"

#include <assert.h>

static_assert(EFFECT_SIZE == FACT_KEY_SIZE - 8 + 8 + 2, "effects are a format");

enum {
    /* Rows of one event while they are made: the longest hold what a draft may. A correction of one
     * word copies such a row, and an entry has a thousand of them, so the memory is given back
     * between events. */
    SCRATCH_LIMIT = 32 << 20,
    SCRATCH_KEPT = 1 << 20,
};

/* One entry on its way into the views. */
struct evolution {
    struct txn *txn;
    struct journal *journal;
    struct arena *arena; /* Given back between events. */
    uint64_t index;
    const Zhurnal__V1__Draft *draft;
    uint8_t *effects; /* draft->n_events × EFFECT_SIZE. */
    bool has_effects;
};

/* Where an event's fact stands, and which event set it. */
struct effect {
    struct fact_key key;
    uint64_t root_index;
    uint16_t root_event;
};

/* ---- effects ---- */

static void note_effect(struct evolution *e, uint16_t k, const struct effect *effect)
{
    uint8_t *at = e->effects + (size_t)(k - 1) * EFFECT_SIZE;
    at = row_put(at, effect->key.bytes + 8, FACT_KEY_SIZE - 8);
    at = row_put_u64(at, effect->root_index);
    row_put_u16(at, effect->root_event);
    e->has_effects = true;
}

/* False for an event that is no fact, or none at all. */
static bool read_effect(struct bytes row, uint64_t school, uint32_t k, struct effect *effect)
{
    if (k < 1 || k > row.size / EFFECT_SIZE) {
        return false;
    }
    struct row_reader reader =
        row_reader_of(bytes_of(row.data + (size_t)(k - 1) * EFFECT_SIZE, EFFECT_SIZE));
    row_put_u64(effect->key.bytes, school);
    row_get_bytes(&reader, effect->key.bytes + 8, FACT_KEY_SIZE - 8);
    effect->root_index = row_get_u64(&reader);
    effect->root_event = row_get_u16(&reader);
    return effect->root_index != 0;
}

static bool find_effect(
    struct evolution *e, const Zhurnal__V1__EventRef *ref, struct effect *effect)
{
    uint64_t index;
    uint8_t hash[SHA256_SIZE];
    uint64_t school = e->draft->school;
    if (ref == NULL || ref->entry_id.len != ENTRY_ID_SIZE ||
        !journal_find(e->txn, e->journal, school, ref->entry_id.data, &index, hash)) {
        return false;
    }
    if (index == e->index) {
        return read_effect(
            bytes_of(e->effects, e->draft->n_events * EFFECT_SIZE), school, ref->event, effect);
    }
    uint8_t key[8];
    struct bytes row;
    put_u64_be(key, index);
    return txn_get(e->txn, e->journal->effects, bytes_of(key, sizeof key), &row) &&
        read_effect(row, school, ref->event, effect);
}

static void store_effects(struct evolution *e)
{
    if (e->has_effects) {
        uint8_t key[8];
        put_u64_be(key, e->index);
        txn_append(e->txn, e->journal->effects, bytes_of(key, sizeof key),
            bytes_of(e->effects, e->draft->n_events * EFFECT_SIZE));
    }
}

/* ---- setting facts ---- */

static void put_fact(struct evolution *e, const struct fact_key *key, const struct fact *fact)
{
    size_t size;
    uint8_t *row = fact_encode(fact, e->arena, &size);
    if (row == NULL) {
        txn_fail(e->txn, STATUS_NO_MEMORY);
        return;
    }
    txn_put(e->txn, e->journal->facts, fact_key_bytes(key), bytes_of(row, size));
}

/* A fact that event k sets; kind and body are filled in. */
static void set_fact(struct evolution *e, uint16_t k, const struct fact_key *key, struct fact *fact)
{
    fact->head = (struct fact_head){.root_index = e->index, .root_event = k, .event = k};
    memcpy(fact->head.entry_id, e->draft->entry_id.data, ENTRY_ID_SIZE);
    put_fact(e, key, fact);
    note_effect(e, k, &(struct effect){.key = *key, .root_index = e->index, .root_event = k});
}

static struct bytes text_of(const char *text)
{
    return bytes_of(text, strlen(text));
}

static void on_lesson(struct evolution *e, uint16_t k, const Zhurnal__V1__Event *event)
{
    const Zhurnal__V1__LessonHeld *held = event->lesson_held;
    struct fact_key key = fact_key(e->draft->school, FACT_OF_PAGE, held->page, FACT_LESSON);
    fact_key_set(&key, (uint64_t)event->day << 32 | held->slot, held->lesson);
    struct fact fact = {.kind = FACT_LESSON};
    fact.lesson.number = held->number;
    fact.lesson.topic = text_of(held->topic);
    set_fact(e, k, &key, &fact);
}

static void on_attendance(
    struct evolution *e, uint16_t k, const Zhurnal__V1__AttendanceTaken *taken)
{
    size_t size = taken->n_exceptions * FACT_EXCEPTION_SIZE;
    uint8_t *list = arena_alloc(e->arena, size);
    if (list == NULL) {
        txn_fail(e->txn, STATUS_NO_MEMORY);
        return;
    }
    for (size_t i = 0; i < taken->n_exceptions; i++) {
        const Zhurnal__V1__AttendanceException *x = taken->exceptions[i];
        fact_put_exception(list + i * FACT_EXCEPTION_SIZE,
            (struct fact_exception){
                .pupil = x->pupil, .code = (uint32_t)x->code, .late_minutes = x->late_minutes});
    }
    struct fact_key key =
        fact_key(e->draft->school, FACT_OF_LESSON, taken->lesson, FACT_ATTENDANCE);
    struct fact fact = {.kind = FACT_ATTENDANCE};
    fact.attendance.exceptions = bytes_of(list, size);
    set_fact(e, k, &key, &fact);
}

static void on_homework(struct evolution *e, uint16_t k, const Zhurnal__V1__HomeworkSet *set)
{
    size_t size = set->n_pupils * sizeof(uint64_t);
    uint8_t *pupils = arena_alloc(e->arena, size);
    if (pupils == NULL) {
        txn_fail(e->txn, STATUS_NO_MEMORY);
        return;
    }
    for (size_t i = 0; i < set->n_pupils; i++) {
        put_u64_be(pupils + i * sizeof(uint64_t), set->pupils[i]);
    }
    struct fact_key key = fact_key(e->draft->school, FACT_OF_LESSON, set->lesson, FACT_HOMEWORK);
    fact_key_set(&key, e->index, k);
    struct fact fact = {.kind = FACT_HOMEWORK};
    fact.homework.due_day = set->due_day;
    fact.homework.pupils = bytes_of(pupils, size);
    fact.homework.count = set->n_pupils;
    fact.homework.text = text_of(set->text);
    set_fact(e, k, &key, &fact);
}

static void on_work(struct evolution *e, uint16_t k, const Zhurnal__V1__WorkSet *set)
{
    struct fact_key key = fact_key(e->draft->school, FACT_OF_LESSON, set->lesson, FACT_WORK);
    fact_key_set(&key, set->work, 0);
    struct fact fact = {.kind = FACT_WORK};
    fact.work.kind = (uint32_t)set->work_kind;
    fact.work.weight = set->weight;
    fact.work.title = text_of(set->title);
    set_fact(e, k, &key, &fact);
}

static void put_mark_value(struct fact *fact, const Zhurnal__V1__Mark *mark)
{
    fact->mark.kind = mark != NULL ? (uint32_t)mark->mark_kind : 0;
    fact->mark.number = mark != NULL ? mark->number : 0;
}

static void on_mark(struct evolution *e, uint16_t k, const Zhurnal__V1__MarkSet *set)
{
    bool for_work = set->given_for_case == ZHURNAL__V1__MARK_SET__GIVEN_FOR_WORK;
    bool for_lesson = set->given_for_case == ZHURNAL__V1__MARK_SET__GIVEN_FOR_LESSON;
    uint64_t owner = for_work ? set->work : for_lesson ? set->lesson : 0;
    struct fact_key key =
        fact_key(e->draft->school, for_work ? FACT_OF_WORK : FACT_OF_LESSON, owner, FACT_MARK);
    fact_key_set(&key, set->pupil, set->slot);
    struct fact fact = {.kind = FACT_MARK};
    put_mark_value(&fact, set->mark);
    fact.mark.weight = set->weight;
    set_fact(e, k, &key, &fact);
}

static void on_comment(struct evolution *e, uint16_t k, const Zhurnal__V1__CommentAdded *added)
{
    struct fact_key key = fact_key(e->draft->school, FACT_OF_LESSON, added->lesson, FACT_COMMENT);
    fact_key_set(&key, e->index, k);
    struct fact fact = {.kind = FACT_COMMENT};
    fact.comment.pupil = added->pupil;
    fact.comment.text = (struct part_ref){.index = e->index, .part = added->text_part};
    set_fact(e, k, &key, &fact);
}

/* ---- correcting them ---- */

/* The fact that a reference means, if it is still in force. Its texts are copied into the arena: a
 * row is borrowed only until the next write. */
static bool find_fact(
    struct evolution *e, const Zhurnal__V1__EventRef *ref, struct effect *effect, struct fact *fact)
{
    struct bytes row;
    if (!find_effect(e, ref, effect) ||
        !txn_get(e->txn, e->journal->facts, fact_key_bytes(&effect->key), &row)) {
        return false;
    }
    const char *copy = arena_copy(e->arena, row.data, row.size);
    if (copy == NULL) {
        txn_fail(e->txn, STATUS_NO_MEMORY);
        return false;
    }
    if (fact_decode(fact_key_bytes(&effect->key), bytes_of(copy, row.size), fact) != STATUS_OK) {
        txn_fail(e->txn, STATUS_CORRUPT);
        return false;
    }
    return fact->head.root_index == effect->root_index &&
        fact->head.root_event == effect->root_event;
}

/* The list with this pupil's exception replaced, added, or taken out where he was there after all.
 */
static bool correct_attendance(
    struct evolution *e, struct fact *fact, const Zhurnal__V1__AttendanceException *x)
{
    uint8_t *list = arena_alloc(e->arena, (fact->attendance.count + 1) * FACT_EXCEPTION_SIZE);
    if (list == NULL) {
        txn_fail(e->txn, STATUS_NO_MEMORY);
        return false;
    }
    size_t count = 0;
    for (size_t i = 0; i < fact->attendance.count; i++) {
        struct fact_exception old = fact_exception(fact, i);
        if (old.pupil != x->pupil) {
            fact_put_exception(list + count++ * FACT_EXCEPTION_SIZE, old);
        }
    }
    if (x->code != ZHURNAL__V1__ATTENDANCE_CODE__ATTENDANCE_CODE_UNSPECIFIED &&
        count < SUBMISSION_LESSON_PUPILS_MAX) {
        fact_put_exception(list + count++ * FACT_EXCEPTION_SIZE,
            (struct fact_exception){
                .pupil = x->pupil, .code = (uint32_t)x->code, .late_minutes = x->late_minutes});
    }
    fact->attendance.exceptions = bytes_of(list, count * FACT_EXCEPTION_SIZE);
    fact->attendance.count = count;
    return true;
}

/* False where the value is not of the fact's kind. */
static bool correct_value(
    struct evolution *e, struct fact *fact, const Zhurnal__V1__EntryCorrected *corrected)
{
    int value = (int)corrected->value_case;
    if (fact->kind == FACT_MARK && value == ZHURNAL__V1__ENTRY_CORRECTED__VALUE_MARK) {
        put_mark_value(fact, corrected->mark);
    } else if (fact->kind == FACT_LESSON && value == ZHURNAL__V1__ENTRY_CORRECTED__VALUE_TOPIC) {
        fact->lesson.topic = text_of(corrected->topic);
    } else if (fact->kind == FACT_HOMEWORK &&
        value == ZHURNAL__V1__ENTRY_CORRECTED__VALUE_HOMEWORK) {
        fact->homework.text = text_of(corrected->homework);
    } else if (fact->kind == FACT_COMMENT &&
        value == ZHURNAL__V1__ENTRY_CORRECTED__VALUE_TEXT_PART) {
        fact->comment.text = (struct part_ref){.index = e->index, .part = corrected->text_part};
    } else if (fact->kind == FACT_ATTENDANCE &&
        value == ZHURNAL__V1__ENTRY_CORRECTED__VALUE_ATTENDANCE) {
        return correct_attendance(e, fact, corrected->attendance);
    } else {
        return false;
    }
    return true;
}

static void on_corrected(
    struct evolution *e, uint16_t k, const Zhurnal__V1__EntryCorrected *corrected)
{
    struct effect effect;
    struct fact fact;
    if (!find_fact(e, corrected->ref, &effect, &fact) || !correct_value(e, &fact, corrected)) {
        return;
    }
    memcpy(fact.head.entry_id, e->draft->entry_id.data, ENTRY_ID_SIZE);
    fact.head.event = k;
    fact.head.corrections++;
    put_fact(e, &effect.key, &fact);
    note_effect(e, k, &effect);
}

static void on_voided(struct evolution *e, const Zhurnal__V1__EntryVoided *voided)
{
    struct effect effect;
    struct fact fact;
    if (find_fact(e, voided->ref, &effect, &fact)) {
        txn_delete(e->txn, e->journal->facts, fact_key_bytes(&effect.key));
    }
}

/* ---- dispatch ---- */

static void on_fact(struct evolution *e, uint16_t k, const Zhurnal__V1__Event *event)
{
    switch ((int)event->kind_case) {
    case ZHURNAL__V1__EVENT__KIND_LESSON_HELD:
        on_lesson(e, k, event);
        break;
    case ZHURNAL__V1__EVENT__KIND_ATTENDANCE_TAKEN:
        on_attendance(e, k, event->attendance_taken);
        break;
    case ZHURNAL__V1__EVENT__KIND_HOMEWORK_SET:
        on_homework(e, k, event->homework_set);
        break;
    case ZHURNAL__V1__EVENT__KIND_WORK_SET:
        on_work(e, k, event->work_set);
        break;
    case ZHURNAL__V1__EVENT__KIND_MARK_SET:
        on_mark(e, k, event->mark_set);
        break;
    case ZHURNAL__V1__EVENT__KIND_COMMENT_ADDED:
        on_comment(e, k, event->comment_added);
        break;
    case ZHURNAL__V1__EVENT__KIND_ENTRY_CORRECTED:
        on_corrected(e, k, event->entry_corrected);
        break;
    case ZHURNAL__V1__EVENT__KIND_ENTRY_VOIDED:
        on_voided(e, event->entry_voided);
        break;
    default:
        break; /* No fact on a page. */
    }
}

static void on_cluster(struct journal_state *state, const Zhurnal__V1__Event *event)
{
    if (event->kind_case == ZHURNAL__V1__EVENT__KIND_FEATURE_LEVEL_RAISED) {
        assert(event->feature_level_raised->level == state->level + 1);
        state->level++;
    } else if (event->kind_case == ZHURNAL__V1__EVENT__KIND_CLOCK_RESET) {
        state->clock_epoch++;
        state->last_stamp_ms = event->clock_reset->time_ms;
    }
}

static void evolve_events(struct evolution *e, struct journal_state *state)
{
    const struct roster_change change = {.txn = e->txn,
        .roster = e->journal->roster,
        .arena = e->arena,
        .school = e->draft->school,
        .index = e->index};
    for (size_t i = 0; i < e->draft->n_events; i++) {
        roster_evolve(&change, e->draft->events[i]);
        on_fact(e, (uint16_t)(i + 1), e->draft->events[i]);
        on_cluster(state, e->draft->events[i]);
        if (e->arena->used > SCRATCH_KEPT) {
            arena_reset(e->arena);
        }
    }
}

void evolve(struct txn *txn, struct journal *journal, uint64_t index, const struct entry *entry,
    struct arena *arena, struct journal_state *state)
{
    struct arena scratch;
    arena_init(&scratch, SCRATCH_LIMIT);
    struct evolution e = {
        .txn = txn, .journal = journal, .arena = &scratch, .index = index, .draft = entry->draft};
    assert(e.draft->n_events >= 1 && e.draft->n_events <= SUBMISSION_EVENTS_MAX);
    e.effects = arena_alloc(arena, e.draft->n_events * EFFECT_SIZE);
    if (e.effects == NULL) {
        txn_fail(txn, STATUS_NO_MEMORY);
        return;
    }
    evolve_events(&e, state);
    store_effects(&e);
    arena_reset(&scratch);
}
