#include "tests/lib/school_writing.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* Marks: of a lesson, and of a written work, which is set in a lesson and checked days later. */

bool writing_has_marks(const struct writing *w)
{
    bool is_talk = calendar_weekday(w->action->day) == 0 && w->action->slot == 1;
    return w->grade > 1 && !is_talk;
}

bool writing_is_work_due(const struct writing *w, unsigned lesson)
{
    return w->grade > 1 && w->subject->written && (lesson + w->page->work_phase) % WORK_EVERY == 0;
}

bool writing_has_work(const struct writing *w)
{
    return writing_has_marks(w) && writing_is_work_due(w, w->action->number);
}

static unsigned draw_number(struct writing *w, const struct school_pupil *pupil)
{
    int64_t mean = (w->subject->easy ? 4450 : 3950) + pupil->skill_milli * 55 / 100;
    int64_t drawn = (draw_normal(&w->stream, mean, 750) + 500) / 1000;
    return drawn < 2 ? 2 : drawn > 5 ? 5 : (unsigned)drawn;
}

Zhurnal__V1__Mark *writing_draw_mark(struct writing *w, const struct school_pupil *pupil)
{
    Zhurnal__V1__Mark *mark = draft_message(w->draft, &zhurnal__v1__mark__descriptor);
    if (draw_chance(&w->stream, 10)) {
        mark->mark_kind = ZHURNAL__V1__MARK_KIND__MARK_KIND_DEBT;
    } else if (w->subject->passed) {
        mark->mark_kind = draw_chance(&w->stream, 920) ? ZHURNAL__V1__MARK_KIND__MARK_KIND_PASSED
                                                       : ZHURNAL__V1__MARK_KIND__MARK_KIND_FAILED;
    } else {
        mark->mark_kind = ZHURNAL__V1__MARK_KIND__MARK_KIND_NUMBER;
        mark->number = draw_number(w, pupil);
    }
    return mark;
}

static void maybe_amend_mark(struct writing *w, unsigned pupil, unsigned number)
{
    unsigned chance = draw_below(&w->stream, 1000);
    if (chance >= 16 || w->subject->passed) {
        return;
    }
    enum action_kind kind = chance == 15 ? ACTION_VOID_MARK : ACTION_CORRECT_MARK;
    struct school_action next = writing_follow_up(w, kind, writing_correction_delay(&w->stream));
    next.pupil = pupil;
    next.mark_number = number;
    next.corrections = 0;
    queue_add(&w->school->queue, &next);
}

static void add_comment(struct writing *w, const struct school_pupil *pupil)
{
    Zhurnal__V1__CommentAdded *e = DRAFT_ADD(w->draft, comment_added, COMMENT_ADDED);
    e->pupil = pupil->id;
    e->lesson = w->action->lesson;
    e->text_part = draft_part(
        w->draft, pupil->id, ZHURNAL__V1__BASIS__BASIS_SERVICE, text_comment(&w->stream));
    w->expected->comments++;
}

/* For the lesson, or for the action's work where slot says which of its marks. */
static void set_mark(struct writing *w, unsigned number, unsigned slot)
{
    const struct school_pupil *pupil = writing_pupil(w, number);
    bool is_work = w->action->kind == ACTION_WORK_MARKS;
    Zhurnal__V1__MarkSet *e = DRAFT_ADD(w->draft, mark_set, MARK_SET);
    e->pupil = pupil->id;
    if (is_work) {
        e->given_for_case = ZHURNAL__V1__MARK_SET__GIVEN_FOR_WORK;
        e->work = w->action->work;
    } else {
        e->given_for_case = ZHURNAL__V1__MARK_SET__GIVEN_FOR_LESSON;
        e->lesson = w->action->lesson;
    }
    e->slot = slot;
    e->weight = is_work ? 2 : 1;
    e->mark = writing_draw_mark(w, pupil);
    w->marks++;
    w->expected->marks++;
    w->expected->mark_sum += e->mark->number;
    maybe_amend_mark(w, number, e->mark->number);
    if (draw_chance(&w->stream, 60)) {
        add_comment(w, pupil);
    }
}

/* About five of a full class are asked, of a small one fewer: everybody gets 6.6–6.9 marks a week,
 * those for works among them. */
void writing_set_lesson_marks(struct writing *w)
{
    unsigned present[CLASS_PUPILS_MAX];
    unsigned here = writing_present(w, present);
    int64_t drawn = (draw_normal(&w->stream, (int64_t)here * 190, 2000) + 500) / 1000;
    unsigned wanted = drawn < 0 ? 0 : (unsigned)drawn;
    for (unsigned i = 0; i < wanted && i < here; i++) {
        unsigned chosen = i + draw_below(&w->stream, here - i);
        unsigned number = present[chosen];
        present[chosen] = present[i];
        present[i] = number;
        set_mark(w, number, 1);
    }
}

static const struct {
    const char *title;
    Zhurnal__V1__WorkKind kind;
} works[] = {
    {"Контрольная работа", ZHURNAL__V1__WORK_KIND__WORK_KIND_TEST},
    {"Диктант", ZHURNAL__V1__WORK_KIND__WORK_KIND_DICTATION},
    {"Сочинение", ZHURNAL__V1__WORK_KIND__WORK_KIND_COMPOSITION},
    {"Лабораторная работа", ZHURNAL__V1__WORK_KIND__WORK_KIND_LABORATORY},
    {"Самостоятельная работа", ZHURNAL__V1__WORK_KIND__WORK_KIND_INDEPENDENT},
};

enum { WORK_TEST, WORK_DICTATION, WORK_COMPOSITION, WORK_LABORATORY, WORK_INDEPENDENT };

static unsigned choose_work(struct writing *w)
{
    if (draw_chance(&w->stream, 500)) {
        return draw_chance(&w->stream, 500) ? WORK_TEST : WORK_INDEPENDENT;
    }
    switch (w->subject->department) {
    case DEPARTMENT_RUSSIAN:
    case DEPARTMENT_NATIVE:
        return w->page->subject == SUBJECT_LITERATURE ? WORK_COMPOSITION : WORK_DICTATION;
    case DEPARTMENT_PHYSICS:
    case DEPARTMENT_NATURE:
        return WORK_LABORATORY;
    case DEPARTMENT_ENGLISH:
    case DEPARTMENT_MATHEMATICS:
    case DEPARTMENT_SOCIETY:
    case DEPARTMENT_ARTS:
    case DEPARTMENT_CRAFT:
    case DEPARTMENT_SPORT:
    case DEPARTMENT_PRIMARY:
        break;
    }
    return WORK_TEST;
}

/* Checked after one to six days, in the evening. */
static int64_t draw_checked_at(struct writing *w)
{
    static const unsigned days[] = {1, 1, 2, 3, 6};
    const struct school *school = w->school;
    unsigned wait = school->options.whole_day ? 0 : days[draw_below(&w->stream, 5)];
    unsigned minutes = (wait * 24 + 19) * 60;
    return school_local_ms(school, w->action->day, minutes) + draw_below(&w->stream, 120 * MINUTE);
}

void writing_set_work(struct writing *w)
{
    unsigned kind = choose_work(w);
    const struct text_lesson lesson = writing_text_lesson(w);
    char title[TEXT_SIZE];
    text_work_title(&lesson, w->action->number / WORK_EVERY + 1, title);
    int64_t delay = draw_checked_at(w) - w->action->at_ms;
    Zhurnal__V1__WorkSet *e = DRAFT_ADD(w->draft, work_set, WORK_SET);
    e->work = draw_id(&w->stream);
    e->lesson = w->action->lesson;
    e->work_kind = works[kind].kind;
    e->weight = 2;
    e->title = draft_text(w->draft, title);
    e->marks = kind == WORK_DICTATION || kind == WORK_COMPOSITION ? 2 : 1;
    w->expected->works++;
    unsigned present[CLASS_PUPILS_MAX];
    if (writing_present(w, present) == 0) {
        return;
    }
    struct school_action next = writing_follow_up(w, ACTION_WORK_MARKS, delay);
    next.work = e->work;
    next.work_kind = kind;
    queue_add(&w->school->queue, &next);
}

void writing_work_marks(struct writing *w, char *label)
{
    unsigned present[CLASS_PUPILS_MAX];
    unsigned here = writing_present(w, present);
    unsigned kind = w->action->work_kind;
    bool two = kind == WORK_DICTATION || kind == WORK_COMPOSITION;
    for (unsigned i = 0; i < here; i++) {
        set_mark(w, present[i], 1);
        if (two) {
            set_mark(w, present[i], 2);
        }
    }
    (void)snprintf(label, SCHOOL_LABEL_SIZE, "%s, %s, %s: %u %s", w->class_name, w->subject->name,
        works[kind].title, w->marks, writing_marks_word(w->marks));
}
