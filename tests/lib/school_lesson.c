#include "tests/lib/school_writing.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* A lesson: its topic and attendance, and with them or later its homework and marks. */

enum { ATTENDANCE_EVENT = 2 };

static void hold_lesson(struct writing *w)
{
    const struct text_lesson lesson = writing_text_lesson(w);
    char topic[TEXT_SIZE];
    text_topic(&lesson, topic);
    Zhurnal__V1__LessonHeld *e = DRAFT_ADD(w->draft, lesson_held, LESSON_HELD);
    e->lesson = w->action->lesson;
    e->page = w->page->id;
    e->number = w->action->number;
    e->slot = w->action->slot;
    e->topic = draft_text(w->draft, topic);
    e->plan_number = w->action->number;
    w->expected->lessons++;
}

static void maybe_amend_attendance(struct writing *w, unsigned last_absent)
{
    if (!draw_chance(&w->stream, 20)) {
        return;
    }
    int64_t delay = (int64_t)draw_between(&w->stream, 5, 30) * MINUTE;
    struct school_action next = writing_follow_up(w, ACTION_CORRECT_ATTENDANCE, delay);
    next.pupil = last_absent;
    queue_add(&w->school->queue, &next);
}

static void take_attendance(struct writing *w)
{
    uint64_t absent = w->action->absent;
    uint64_t late = w->action->late;
    unsigned last_absent = 0;
    Zhurnal__V1__AttendanceTaken *e = DRAFT_ADD(w->draft, attendance_taken, ATTENDANCE_TAKEN);
    assert(draft_last_event(w->draft) == ATTENDANCE_EVENT);
    e->lesson = w->action->lesson;
    e->exceptions = draft_alloc(w->draft, CLASS_PUPILS_MAX * sizeof(*e->exceptions));
    for (unsigned i = 0; i < CLASS_PUPILS_MAX; i++) {
        if ((absent | late) >> i & 1) {
            e->exceptions[e->n_exceptions++] = writing_attendance(w, i, late >> i & 1);
        }
        if (absent >> i & 1) {
            w->expected->absent++;
            last_absent = i;
        }
        w->expected->late += (late >> i & 1) != 0;
    }
    w->expected->attendance_taken++;
    if (absent != 0) {
        maybe_amend_attendance(w, last_absent);
    }
}

static void set_homework(struct writing *w)
{
    const struct text_lesson lesson = writing_text_lesson(w);
    char text[TEXT_SIZE];
    if (w->school->longest_written) {
        text_homework(&w->stream, &lesson, text);
    } else {
        text_homework_longest(text);
        w->school->longest_written = true;
    }
    Zhurnal__V1__HomeworkSet *e = DRAFT_ADD(w->draft, homework_set, HOMEWORK_SET);
    e->lesson = w->action->lesson;
    e->due_day = school_day_after(w->action->day, w->school->options.week_days);
    e->text = draft_text(w->draft, text);
    w->homework = true;
    w->expected->homework++;
    if (draw_chance(&w->stream, 5)) {
        int64_t delay = (int64_t)draw_between(&w->stream, 2, 60) * MINUTE;
        struct school_action next = writing_follow_up(w, ACTION_CORRECT_HOMEWORK, delay);
        queue_add(&w->school->queue, &next);
    }
}

static bool gives_homework(const struct writing *w)
{
    return w->grade > 1 && w->subject->homework;
}

static void write_entries(struct writing *w)
{
    bool is_rest = w->action->kind == ACTION_LESSON_REST;
    if (gives_homework(w) && (is_rest || draw_chance(&w->stream, 880))) {
        set_homework(w);
    }
    if (writing_has_work(w)) {
        writing_set_work(w);
    } else if (writing_has_marks(w)) {
        writing_set_lesson_marks(w);
    }
}

static void label_lesson(const struct writing *w, const char *what, bool has_works, char *label)
{
    int used = snprintf(label, SCHOOL_LABEL_SIZE, "урок %u, %s, %s: %s", w->action->slot,
        w->class_name, w->subject->name, what);
    assert(used > 0 && used < SCHOOL_LABEL_SIZE - 128);
    if (w->homework) {
        used += snprintf(label + used, SCHOOL_LABEL_SIZE - (size_t)used, "%sдомашнее задание",
            *what ? ", " : "");
    }
    const char *comma = *what || w->homework ? ", " : "";
    if (has_works) {
        (void)snprintf(
            label + used, SCHOOL_LABEL_SIZE - (size_t)used, "%sписьменная работа", comma);
    } else if (w->marks > 0) {
        (void)snprintf(label + used, SCHOOL_LABEL_SIZE - (size_t)used, "%s%u %s", comma, w->marks,
            writing_marks_word(w->marks));
    }
}

void writing_lesson(struct writing *w, char *label)
{
    hold_lesson(w);
    take_attendance(w);
    bool split = w->action->split && gives_homework(w);
    if (split) {
        int64_t delay = (int64_t)draw_between(&w->stream, 5, 150) * MINUTE;
        struct school_action next = writing_follow_up(w, ACTION_LESSON_REST, delay);
        queue_add(&w->school->queue, &next);
    } else {
        write_entries(w);
    }
    label_lesson(w, "тема, отсутствующие", !split && writing_has_work(w), label);
}

void writing_lesson_rest(struct writing *w, char *label)
{
    write_entries(w);
    label_lesson(w, "", writing_has_work(w), label);
}
