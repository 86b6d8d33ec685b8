#include "cli/replay_count.h"

#include "proto/bytes.h"
#include "proto/wire.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { ENTRY_DRAFT = 1, DRAFT_ENTRY_ID = 1, DRAFT_SCHOOL = 2, FIRST_CAPACITY = 1024 };

static bool read_effect(struct bytes entry, struct replay_effect *effect)
{
    struct bytes draft;
    struct bytes id;
    *effect = (struct replay_effect){0};
    if (wire_slice(entry, ENTRY_DRAFT, &draft) != STATUS_OK ||
        wire_slice(draft, DRAFT_ENTRY_ID, &id) != STATUS_OK || id.size != sizeof effect->entry_id) {
        return false;
    }
    effect->school = wire_scalar(draft, DRAFT_SCHOOL, 0);
    memcpy(effect->entry_id, id.data, id.size);
    return true;
}

static bool make_room(struct replay_count *count)
{
    if (count->effect_count < count->effect_capacity) {
        return true;
    }
    size_t capacity = count->effect_capacity == 0 ? FIRST_CAPACITY : 2 * count->effect_capacity;
    struct replay_effect *grown = realloc(count->effects, capacity * sizeof *grown);
    if (grown == NULL) {
        count->status = STATUS_NO_MEMORY;
        return false;
    }
    count->effects = grown;
    count->effect_capacity = capacity;
    return true;
}

void replay_count_add(struct replay_count *count, const Zhurnal__V1__ReplayResponse *record)
{
    struct replay_effect effect;
    size_t kind = (size_t)record->kind;
    size_t outcome = record->verdict != NULL ? (size_t)record->verdict->outcome : 0;
    kind = kind < REPLAY_COUNT_KINDS ? kind : 0;
    outcome = outcome < REPLAY_COUNT_OUTCOMES ? outcome : 0;
    count->kinds[kind]++;
    if (kind != ZHURNAL__V1__RECORD_KIND__RECORD_KIND_COMMAND) {
        return;
    }
    count->outcomes[outcome]++;
    if (outcome != ZHURNAL__V1__OUTCOME__OUTCOME_ACCEPTED) {
        return;
    }
    if (!read_effect(bytes_of(record->entry.data, record->entry.len), &effect)) {
        count->hidden++;
    } else if (make_room(count)) {
        count->effects[count->effect_count++] = effect;
    }
}

static int compare(const void *a, const void *b)
{
    const struct replay_effect *x = a;
    const struct replay_effect *y = b;
    if (x->school != y->school) {
        return x->school < y->school ? -1 : 1;
    }
    return memcmp(x->entry_id, y->entry_id, sizeof x->entry_id);
}

static size_t count_distinct(struct replay_count *count)
{
    size_t distinct = 0;
    if (count->effect_count > 0) {
        qsort(count->effects, count->effect_count, sizeof *count->effects, compare);
    }
    for (size_t i = 0; i < count->effect_count; i++) {
        distinct += i == 0 || compare(&count->effects[i - 1], &count->effects[i]) != 0;
    }
    return distinct;
}

int replay_count_write(struct replay_count *count, bool json, FILE *out)
{
    static const char text[] = "%" PRIu64 " records: %" PRIu64 " commands, %" PRIu64
                               " barriers, %" PRIu64 " memberships, %" PRIu64 " erased\n"
                               "%" PRIu64 " accepted, %" PRIu64 " refused, %" PRIu64 " duplicates\n"
                               "%zu distinct effects, %zu recorded twice, %" PRIu64 " hidden\n";
    static const char object[] =
        "{\"records\":%" PRIu64 ",\"commands\":%" PRIu64 ",\"barriers\":%" PRIu64
        ",\"memberships\":%" PRIu64 ",\"erased\":%" PRIu64 ",\"accepted\":%" PRIu64
        ",\"refused\":%" PRIu64 ",\"duplicates\":%" PRIu64
        ",\"effects\":%zu,\"doubled\":%zu,\"hidden\":%" PRIu64 "}\n";
    uint64_t records = 0;
    if (count->status != STATUS_OK) {
        return count->status;
    }
    for (size_t i = 0; i < REPLAY_COUNT_KINDS; i++) {
        records += count->kinds[i];
    }
    size_t distinct = count_distinct(count);
    (void)fprintf(out, json ? object : text, records, count->kinds[1], count->kinds[2],
        count->kinds[3], count->kinds[4], count->outcomes[1], count->outcomes[2],
        count->outcomes[3], distinct, count->effect_count - distinct, count->hidden);
    return ferror(out) ? STATUS_IO : STATUS_OK;
}

void replay_count_deinit(struct replay_count *count)
{
    free(count->effects);
    count->effects = NULL;
}
