#include "tests/lib/school_model.h"

#include <stdio.h>

/* Pupils who move to the other class of their grade, or leave the school: 1 % a year of each. The
 * secretary enters it before the day's first lesson is. */

enum { MOVE_PER_100000 = 6 /* On each of some 166 days. */, MINUTE_MS = 60 * 1000 };

/* Their pages would have to move with them, and need kinds for it. */
static bool has_own_page(const struct school *school, unsigned pupil)
{
    for (unsigned p = 0; p < school->page_count; p++) {
        if (school->pages[p].pupil == (int)pupil) {
            return true;
        }
    }
    return false;
}

/* Another of the same grade; NOBODY where there is none, or it is full. */
static int draw_other_class(
    const struct school *school, unsigned number, struct random_stream *stream)
{
    unsigned parallels = school->options.parallels;
    unsigned letter = school->classes[number].letter;
    if (parallels == 1) {
        return NOBODY;
    }
    unsigned other = (letter + 1 + draw_below(stream, parallels - 1)) % parallels;
    unsigned found = number - letter + other;
    return school->classes[found].pupils < CLASS_PUPILS_MAX ? (int)found : NOBODY;
}

static void move(struct school *school, unsigned pupil, int to_class, struct random_stream *stream)
{
    struct school_pupil *moved = &school->pupils[pupil];
    unsigned from = (unsigned)moved->class_number;
    int64_t after_ms = draw_below(stream, 30 * MINUTE_MS);
    struct school_action action = {
        .kind = ACTION_MOVE,
        .at_ms = school_local_ms(school, school->today, 8 * 60) + after_ms,
        .day = school->today,
        .page = from,
        .to_class = to_class,
        .pupil = pupil,
        .seed = random_next(stream),
    };
    school->classes[from].gone |= (uint64_t)1 << moved->number;
    moved->class_number = NOBODY;
    if (to_class != NOBODY) {
        school_join_class(school, (unsigned)to_class, pupil);
    }
    queue_add(&school->queue, &action);
}

void school_move_pupils(struct school *school, struct random_stream *stream)
{
    for (unsigned p = 0; p < school->pupil_count; p++) {
        unsigned chance = draw_below(stream, 100000);
        int number = school->pupils[p].class_number;
        if (chance >= 2 * MOVE_PER_100000 || number == NOBODY || has_own_page(school, p)) {
            continue;
        }
        bool leaves = chance < MOVE_PER_100000;
        int to_class = leaves ? NOBODY : draw_other_class(school, (unsigned)number, stream);
        if (leaves || to_class != NOBODY) {
            move(school, p, to_class, stream);
        }
    }
}

static void add_left(struct school *school, const struct school_action *action, const char *order)
{
    struct school_draft *draft = &school->draft;
    int32_t yesterday = calendar_ordinal(action->day) - 1;
    draft->day = school_day_on_or_before(calendar_day(yesterday), school->options.week_days);
    Zhurnal__V1__PupilLeft *e = DRAFT_ADD(draft, pupil_left, PUPIL_LEFT);
    e->pupil = school->pupils[action->pupil].id;
    e->class_id = school->classes[action->page].id;
    e->order_number = draft_text(draft, order);
    draft->day = action->day;
}

static void add_enrolled(
    struct school *school, const struct school_action *action, const char *order)
{
    struct school_draft *draft = &school->draft;
    Zhurnal__V1__PupilEnrolled *e = DRAFT_ADD(draft, pupil_enrolled, PUPIL_ENROLLED);
    e->pupil = school->pupils[action->pupil].id;
    e->class_id = school->classes[action->to_class].id;
    e->order_number = draft_text(draft, order);
}

/* He belongs to the old class until the last school day, and to the new one from today. */
void school_write_move(struct school *school, const struct school_action *action, char *label)
{
    struct random_stream stream = {.state = action->seed};
    char order[32];
    char from[8];
    char to[8];
    (void)snprintf(order, sizeof(order), "Приказ № %u-уч", draw_between(&stream, 120, 400));
    draft_set_actor(&school->draft, school->secretary, ZHURNAL__V1__ROLE__ROLE_SECRETARY);
    add_left(school, action, order);
    school_class_name(&school->classes[action->page], from);
    if (action->to_class == NOBODY) {
        (void)snprintf(label, SCHOOL_LABEL_SIZE, "%s: выбыл ученик", from);
        return;
    }
    add_enrolled(school, action, order);
    school_class_name(&school->classes[action->to_class], to);
    (void)snprintf(label, SCHOOL_LABEL_SIZE, "%s: переведён ученик из %s", to, from);
}
