#include "tests/lib/school_writing.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* Corrections: what was entered stays, and a later entry names it and says what holds. */

static Zhurnal__V1__EventRef *make_ref(struct writing *w)
{
    Zhurnal__V1__EventRef *ref = draft_message(w->draft, &zhurnal__v1__event_ref__descriptor);
    ref->entry_id.data = draft_alloc(w->draft, SCHOOL_ENTRY_ID_SIZE);
    ref->entry_id.len = SCHOOL_ENTRY_ID_SIZE;
    memcpy(ref->entry_id.data, w->action->ref_entry, SCHOOL_ENTRY_ID_SIZE);
    ref->event = w->action->ref_event;
    return ref;
}

static Zhurnal__V1__EntryCorrected *add_correction(
    struct writing *w, Zhurnal__V1__CorrectionReason reason)
{
    Zhurnal__V1__EntryCorrected *e = DRAFT_ADD(w->draft, entry_corrected, ENTRY_CORRECTED);
    e->ref = make_ref(w);
    e->reason = reason;
    return e;
}

static const char *mark_text(unsigned number, char out[8])
{
    (void)snprintf(out, 8, "%.0u%s", number % 10, number == 0 ? "«.»" : "");
    return out;
}

/* To another number; a chain goes on with one in twenty. */
void writing_correct_mark(struct writing *w, char *label)
{
    const struct school_action *action = w->action;
    const struct school_pupil *pupil = writing_pupil(w, action->pupil);
    Zhurnal__V1__EntryCorrected *e =
        add_correction(w, ZHURNAL__V1__CORRECTION_REASON__CORRECTION_REASON_SLIP);
    if (draw_chance(&w->stream, 300)) {
        e->reason = ZHURNAL__V1__CORRECTION_REASON__CORRECTION_REASON_REASSESSED;
        e->reason_part = draft_part(
            w->draft, pupil->id, ZHURNAL__V1__BASIS__BASIS_SERVICE, "Пересдача темы после урока");
    }
    e->value_case = ZHURNAL__V1__ENTRY_CORRECTED__VALUE_MARK;
    e->mark = writing_draw_mark(w, pupil);
    if (e->mark->number == action->mark_number) {
        e->mark->mark_kind = ZHURNAL__V1__MARK_KIND__MARK_KIND_NUMBER;
        e->mark->number = action->mark_number >= 4 ? action->mark_number - 1 : 4;
    }
    w->expected->corrections++;
    w->expected->mark_sum += e->mark->number;
    w->expected->mark_sum -= action->mark_number;
    if (draw_chance(&w->stream, 50)) {
        struct school_action next =
            writing_follow_up(w, ACTION_CORRECT_MARK, writing_correction_delay(&w->stream));
        next.mark_number = e->mark->number;
        next.corrections = action->corrections + 1;
        queue_add(&w->school->queue, &next);
    }
    char old[8];
    char new[8];
    (void)snprintf(label, SCHOOL_LABEL_SIZE, "исправление, %s, %s: отметка %s → %s", w->class_name,
        w->subject->name, mark_text(action->mark_number, old), mark_text(e->mark->number, new));
}

void writing_void_mark(struct writing *w, char *label)
{
    Zhurnal__V1__EntryVoided *e = DRAFT_ADD(w->draft, entry_voided, ENTRY_VOIDED);
    e->ref = make_ref(w);
    e->reason = ZHURNAL__V1__CORRECTION_REASON__CORRECTION_REASON_SLIP;
    w->expected->marks--;
    w->expected->mark_sum -= w->action->mark_number;
    (void)snprintf(
        label, SCHOOL_LABEL_SIZE, "отмена, %s, %s: отметка", w->class_name, w->subject->name);
}

void writing_correct_homework(struct writing *w, char *label)
{
    const struct text_lesson lesson = writing_text_lesson(w);
    char text[TEXT_SIZE];
    Zhurnal__V1__EntryCorrected *e =
        add_correction(w, ZHURNAL__V1__CORRECTION_REASON__CORRECTION_REASON_OTHER);
    text_homework(&w->stream, &lesson, text);
    e->value_case = ZHURNAL__V1__ENTRY_CORRECTED__VALUE_HOMEWORK;
    e->homework = draft_text(w->draft, text);
    (void)snprintf(label, SCHOOL_LABEL_SIZE, "исправление, %s, %s: домашнее задание", w->class_name,
        w->subject->name);
}

void writing_correct_attendance(struct writing *w, char *label)
{
    Zhurnal__V1__EntryCorrected *e =
        add_correction(w, ZHURNAL__V1__CORRECTION_REASON__CORRECTION_REASON_CAME_LATER);
    e->value_case = ZHURNAL__V1__ENTRY_CORRECTED__VALUE_ATTENDANCE;
    e->attendance = writing_attendance(w, w->action->pupil, true);
    w->expected->absent--;
    w->expected->late++;
    (void)snprintf(label, SCHOOL_LABEL_SIZE, "исправление, %s, %s: опоздал, а не отсутствовал",
        w->class_name, w->subject->name);
}
