#include "tests/lib/school_writing.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* What every entry of a page needs, and the entry of each kind of action. */

struct school_expectation *school_expectation_of(struct school *school, unsigned page, uint32_t day)
{
    for (unsigned i = 0; i < KEPT_DAYS; i++) {
        if (school->kept[i].day == day) {
            return &school->kept[i].pages[page];
        }
    }
    return NULL;
}

const struct school_pupil *writing_pupil(const struct writing *w, unsigned number)
{
    return school_page_pupil(w->school, w->page, number);
}

unsigned writing_present(const struct writing *w, unsigned *present)
{
    unsigned count = 0;
    for (unsigned i = 0; i < CLASS_PUPILS_MAX; i++) {
        if (w->action->present >> i & 1) {
            present[count++] = i;
        }
    }
    return count;
}

/* Lessons follow the year's plan, of 34 weeks. */
struct text_lesson writing_text_lesson(const struct writing *w)
{
    return (struct text_lesson){
        .subject = w->page->subject,
        .grade = w->grade,
        .number = w->action->number,
        .total = 34 * w->page->hours,
        .work = writing_has_work(w),
        .work_next = writing_is_work_due(w, w->action->number + 1),
    };
}

/* An action on the event added last. */
struct school_action writing_follow_up(struct writing *w, enum action_kind kind, int64_t delay_ms)
{
    struct school_action next = *w->action;
    next.kind = kind;
    next.at_ms = school_later(w->school, w->action->at_ms, delay_ms);
    next.seed = random_next(&w->stream);
    next.ref_event = draft_last_event(w->draft);
    memcpy(next.ref_entry, w->draft->entry_id, sizeof(next.ref_entry));
    return next;
}

/* Half of the corrections come within an hour. */
int64_t writing_correction_delay(struct random_stream *stream)
{
    return draw_chance(stream, 500) ? (int64_t)draw_between(stream, 1, 59) * MINUTE
                                    : (int64_t)draw_between(stream, 60, 30 * 60) * MINUTE;
}

Zhurnal__V1__AttendanceException *writing_attendance(struct writing *w, unsigned number, bool late)
{
    Zhurnal__V1__AttendanceException *exception =
        draft_message(w->draft, &zhurnal__v1__attendance_exception__descriptor);
    exception->pupil = writing_pupil(w, number)->id;
    exception->code = late ? ZHURNAL__V1__ATTENDANCE_CODE__ATTENDANCE_CODE_LATE
                           : ZHURNAL__V1__ATTENDANCE_CODE__ATTENDANCE_CODE_ABSENT;
    exception->late_minutes = late ? draw_between(&w->stream, 1, 20) : 0;
    return exception;
}

const char *writing_marks_word(unsigned n)
{
    if (n % 10 == 1 && n % 100 != 11) {
        return "отметка";
    }
    bool few = n % 10 >= 2 && n % 10 <= 4 && !(n % 100 >= 12 && n % 100 <= 14);
    return few ? "отметки" : "отметок";
}

/* One who is still in it. */
static const struct school_pupil *draw_classmate(
    const struct school *school, const struct school_class *class, struct random_stream *stream)
{
    unsigned number = draw_below(stream, class->pupils);
    for (unsigned i = 0; i < class->pupils && class->gone >> number & 1; i++) {
        number = (number + 1) % class->pupils;
    }
    return &school->pupils[class->list[number]];
}

/* To the class, or, one in ten, to the guardians of one pupil. */
static void write_message(struct school *school, const struct school_action *action, char *label)
{
    struct school_draft *draft = &school->draft;
    const struct school_class *class = &school->classes[action->page];
    struct random_stream stream = {.state = action->seed};
    uint64_t teacher = school->teachers[class->teacher].id;
    uint64_t subject = teacher;
    char text[TEXT_SIZE];
    char name[8];
    draft_set_actor(draft, teacher, ZHURNAL__V1__ROLE__ROLE_CLASS_TEACHER);
    Zhurnal__V1__MessageSent *e = DRAFT_ADD(draft, message_sent, MESSAGE_SENT);
    if (draw_chance(&stream, 100)) {
        subject = draw_classmate(school, class, &stream)->id;
        e->pupils = draft_alloc(draft, sizeof(*e->pupils));
        e->pupils[0] = subject;
        e->n_pupils = 1;
    } else {
        e->class_id = class->id;
    }
    text_message(&stream, text);
    e->text_part = draft_part(draft, subject, ZHURNAL__V1__BASIS__BASIS_SERVICE, text);
    school_class_name(class, name);
    (void)snprintf(label, SCHOOL_LABEL_SIZE, "%s: сообщение родителям", name);
}

static void write_on_page(struct school *school, const struct school_action *action, char *label)
{
    static void (*const writers[])(struct writing * w, char *label) = {
        [ACTION_LESSON] = writing_lesson,
        [ACTION_LESSON_REST] = writing_lesson_rest,
        [ACTION_WORK_MARKS] = writing_work_marks,
        [ACTION_CORRECT_MARK] = writing_correct_mark,
        [ACTION_VOID_MARK] = writing_void_mark,
        [ACTION_CORRECT_HOMEWORK] = writing_correct_homework,
        [ACTION_CORRECT_ATTENDANCE] = writing_correct_attendance,
    };
    const struct school_page *page = &school->pages[action->page];
    struct writing w = {
        .school = school,
        .draft = &school->draft,
        .action = action,
        .page = page,
        .subject = curriculum_subject(page->subject),
        .grade = school->classes[page->class_number].grade,
        .stream = {.state = action->seed},
        .expected = school_expectation_of(school, action->page, action->day),
    };
    if (w.expected == NULL) {
        w.expected = &w.nobody_looks;
    }
    school_class_name(&school->classes[page->class_number], w.class_name);
    draft_set_actor(&school->draft, school->teachers[page->teacher].id,
        ZHURNAL__V1__ROLE__ROLE_SUBJECT_TEACHER);
    writers[action->kind](&w, label);
}

void school_act(
    struct school *school, const struct school_action *action, struct school_entry *entry)
{
    school->draft.day = action->day;
    draft_begin(&school->draft, school->id, action->at_ms, action->seed ^ action->lesson);
    if (action->kind == ACTION_MESSAGE) {
        write_message(school, action, entry->label);
    } else if (action->kind == ACTION_MOVE) {
        school_write_move(school, action, entry->label);
    } else {
        write_on_page(school, action, entry->label);
    }
    draft_end(&school->draft, entry);
    school_entry_time(school, entry);
}
