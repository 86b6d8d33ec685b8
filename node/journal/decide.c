#include "node/journal/decide.h"

#include "proto/wire.h"

#include <assert.h>

enum {
    DRAFT_EVENTS = 4,
    EVENT_KINDS = 100, /* Fields from here on are kinds: the contract says so. */
};

struct judge {
    const struct decide_state *state;
    const Zhurnal__V1__Draft *draft;
    const Zhurnal__V1__Principal *principal;
    struct verdict *verdict;
};

static bool refuse(struct judge *judge, enum rule rule, size_t event)
{
    judge->verdict->outcome = VERDICT_REFUSED;
    judge->verdict->rule = rule;
    judge->verdict->event = (uint32_t)event;
    return false;
}

/* The kinds of level 1, for ever: kinds that the schema gets later belong to later levels. */
static bool level_1_knows(uint32_t kind)
{
    switch (kind) {
    case 101: /* SchoolRegistered */
    case 103: /* SchoolYearOpened */
    case 107: /* ClassFormed */
    case 207: /* ClassClosed */
    case 108: /* SubjectDefined */
    case 110: /* PageOpened */
    case 111: /* TeachingAssigned */
    case 211: /* TeachingEnded */
    case 112: /* ClassTeacherAssigned */
    case 212: /* ClassTeacherEnded */
    case 115: /* PersonRegistered */
    case 215: /* PersonUpdated */
    case 116: /* RoleGranted */
    case 216: /* RoleRevoked */
    case 118: /* PupilEnrolled */
    case 218: /* PupilLeft */
    case 121: /* GuardianLinked */
    case 221: /* GuardianUnlinked */
    case 123: /* LessonHeld */
    case 126: /* AttendanceTaken */
    case 129: /* HomeworkSet */
    case 130: /* WorkSet */
    case 132: /* MarkSet */
    case 133: /* CommentAdded */
    case 135: /* MessageSent */
    case 137: /* EntryCorrected */
    case 138: /* EntryVoided */
    case 159: /* NodeAdded */
    case 259: /* NodeRemoved */
    case 359: /* ClockSkewSeen */
    case 161: /* UtcOffsetSet */
    case 162: /* FeatureLevelRaised */
    case 262: /* ClockReset */
        return true;
    default:
        return false;
    }
}

/* The one kind that stands in the event's bytes; 0 where there is none, or several. A newer schema
 * would decode a kind that this one skips, and of several each keeps the last it knows: so the
 * bytes are asked, not the message. */
static uint32_t kind_of(struct bytes event)
{
    uint32_t kind = 0;
    size_t kinds = 0;
    struct wire_reader reader = wire_reader_of(event);
    struct wire_field field;
    while (wire_next(&reader, &field)) {
        if (field.number >= EVENT_KINDS) {
            kind = field.number;
            kinds++;
        }
    }
    return kinds == 1 ? kind : 0;
}

static bool kinds_are_known(struct judge *judge, struct bytes slice)
{
    size_t k = 0;
    struct wire_reader reader = wire_reader_of(slice);
    struct wire_field field;
    while (wire_next(&reader, &field)) {
        if (field.number == DRAFT_EVENTS) {
            k++;
            if (!level_1_knows(kind_of(field.bytes))) {
                return refuse(judge, RULE_KIND_UNKNOWN, k);
            }
        }
    }
    assert(k == judge->draft->n_events);
    return true;
}

static bool front_end_may(struct judge *judge)
{
    uint64_t school = judge->draft->school;
    if (school == 0) {
        return refuse(judge, RULE_CLUSTER_ONLY, 0);
    }
    for (size_t i = 0; i < judge->principal->n_schools; i++) {
        if (judge->principal->schools[i] == school) {
            return true;
        }
    }
    return refuse(judge, RULE_OUTSIDE_SCHOOLS, 0);
}

/* A node records what it alone knows of the cluster, and nothing else. */
static bool node_may(struct judge *judge)
{
    if (judge->draft->school != 0) {
        return refuse(judge, RULE_MAY_NOT_WRITE, 0);
    }
    for (size_t i = 0; i < judge->draft->n_events; i++) {
        int kind = (int)judge->draft->events[i]->kind_case;
        if (kind != ZHURNAL__V1__EVENT__KIND_NODE_ADDED &&
            kind != ZHURNAL__V1__EVENT__KIND_CLOCK_SKEW_SEEN) {
            return refuse(judge, RULE_MAY_NOT_WRITE, i + 1);
        }
    }
    return true;
}

static bool principal_may(struct judge *judge)
{
    switch ((int)judge->principal->kind) {
    case ZHURNAL__V1__PRINCIPAL_KIND__PRINCIPAL_KIND_FRONTEND:
        return front_end_may(judge);
    case ZHURNAL__V1__PRINCIPAL_KIND__PRINCIPAL_KIND_OPERATOR:
        return judge->draft->school == 0 || refuse(judge, RULE_OPERATOR_IN_SCHOOL, 0);
    case ZHURNAL__V1__PRINCIPAL_KIND__PRINCIPAL_KIND_FOUNDER:
        return true;
    case ZHURNAL__V1__PRINCIPAL_KIND__PRINCIPAL_KIND_NODE:
        return node_may(judge);
    default:
        return refuse(judge, RULE_MAY_NOT_WRITE, 0);
    }
}

bool decide_may_write(const Zhurnal__V1__Draft *draft, const Zhurnal__V1__Principal *principal,
    struct verdict *verdict)
{
    struct judge judge = {.draft = draft, .principal = principal, .verdict = verdict};
    return principal_may(&judge);
}

/* FeatureLevelRaised and ClockReset change how everything after them is judged. */
static bool turning_point_may(struct judge *judge, size_t k)
{
    const Zhurnal__V1__Event *event = judge->draft->events[k - 1];
    if ((int)judge->principal->kind != ZHURNAL__V1__PRINCIPAL_KIND__PRINCIPAL_KIND_OPERATOR) {
        return refuse(judge, RULE_OPERATOR_ONLY, k);
    }
    if (judge->draft->school != 0) {
        return refuse(judge, RULE_WRONG_SCHOOL, k);
    }
    if (judge->draft->n_events != 1) {
        return refuse(judge, RULE_STANDS_ALONE, k);
    }
    if (event->kind_case == ZHURNAL__V1__EVENT__KIND_FEATURE_LEVEL_RAISED &&
        event->feature_level_raised->level != judge->state->level + 1) {
        return refuse(judge, RULE_LEVEL_NOT_NEXT, k);
    }
    return true;
}

static bool school_may(struct judge *judge, size_t k)
{
    if ((int)judge->principal->kind != ZHURNAL__V1__PRINCIPAL_KIND__PRINCIPAL_KIND_FOUNDER) {
        return refuse(judge, RULE_FOUNDER_ONLY, k);
    }
    return judge->draft->school == 0 || refuse(judge, RULE_WRONG_SCHOOL, k);
}

static bool event_may(struct judge *judge, size_t k)
{
    switch ((int)judge->draft->events[k - 1]->kind_case) {
    case ZHURNAL__V1__EVENT__KIND_SCHOOL_REGISTERED:
        return school_may(judge, k);
    case ZHURNAL__V1__EVENT__KIND_FEATURE_LEVEL_RAISED:
    case ZHURNAL__V1__EVENT__KIND_CLOCK_RESET:
        return turning_point_may(judge, k);
    default:
        return true;
    }
}

static bool events_may(struct judge *judge)
{
    for (size_t k = 1; k <= judge->draft->n_events; k++) {
        if (!event_may(judge, k)) {
            return false;
        }
    }
    return true;
}

/* False where the entry id was recorded before. */
static bool is_first(struct judge *judge)
{
    if (judge->state->first_index == 0) {
        return true;
    }
    judge->verdict->first_index = judge->state->first_index;
    if (!judge->state->same_draft) {
        return refuse(judge, RULE_ENTRY_ID_TAKEN, 0);
    }
    judge->verdict->outcome = VERDICT_DUPLICATE;
    return false;
}

static int accept(struct judge *judge, struct arena *arena)
{
    size_t count = judge->draft->n_events;
    struct event_verdict *events = arena_alloc(arena, count * sizeof *events);
    if (events == NULL) {
        return STATUS_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        events[i].timeliness = ZHURNAL__V1__TIMELINESS__TIMELINESS_NA;
    }
    judge->verdict->outcome = VERDICT_ACCEPTED;
    judge->verdict->events = events;
    judge->verdict->count = count;
    return STATUS_OK;
}

int decide(const struct decide_state *state, struct bytes slice, const Zhurnal__V1__Draft *draft,
    const Zhurnal__V1__Principal *principal, struct arena *arena, struct verdict *verdict)
{
    assert(state->level >= 1 && state->level <= JOURNAL_LEVEL_MAX);
    assert(draft->n_events >= 1);

    struct judge judge = {
        .state = state, .draft = draft, .principal = principal, .verdict = verdict};
    /* Whoever may not write here is not told what was written. */
    if (!principal_may(&judge) || !is_first(&judge) || !kinds_are_known(&judge, slice) ||
        !events_may(&judge)) {
        return STATUS_OK;
    }
    return accept(&judge, arena);
}
