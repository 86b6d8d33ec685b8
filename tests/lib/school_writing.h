/* One entry of a page being written: what the files that write lessons, marks and corrections
 * share. What is added is counted in the expectation of the page. */
#ifndef TESTS_LIB_SCHOOL_WRITING_H
#define TESTS_LIB_SCHOOL_WRITING_H

#include "tests/lib/school_model.h"
#include "tests/lib/school_texts.h"

enum { MINUTE = 60 * 1000, WORK_EVERY = 9 /* Lessons of a page. */ };

struct writing {
    struct school *school;
    struct school_draft *draft;
    const struct school_action *action;
    const struct school_page *page;
    const struct school_subject_info *subject;
    unsigned grade;
    struct random_stream stream;
    struct school_expectation *expected;
    struct school_expectation nobody_looks; /* Where that day is not kept any more. */
    char class_name[8];
    unsigned marks; /* In this entry. */
    bool homework;
};

/* school_writing.c: what all need. */
const struct school_pupil *writing_pupil(const struct writing *w, unsigned number);
/* Fills in who is there, of CLASS_PUPILS_MAX, and returns how many. */
unsigned writing_present(const struct writing *w, unsigned *present);
/* What the lesson's texts depend on. */
struct text_lesson writing_text_lesson(const struct writing *w);
/* An action on the event added last. */
struct school_action writing_follow_up(struct writing *w, enum action_kind kind, int64_t delay_ms);
int64_t writing_correction_delay(struct random_stream *stream);
Zhurnal__V1__AttendanceException *writing_attendance(struct writing *w, unsigned number, bool late);
/* отметка, отметки, отметок */
const char *writing_marks_word(unsigned n);

/* school_marks.c */
bool writing_has_marks(const struct writing *w);
/* By the page's plan; on a day without marks none is done all the same. */
bool writing_is_work_due(const struct writing *w, unsigned lesson);
bool writing_has_work(const struct writing *w);
Zhurnal__V1__Mark *writing_draw_mark(struct writing *w, const struct school_pupil *pupil);
void writing_set_lesson_marks(struct writing *w);
void writing_set_work(struct writing *w);
void writing_work_marks(struct writing *w, char *label);

/* school_lesson.c */
void writing_lesson(struct writing *w, char *label);
void writing_lesson_rest(struct writing *w, char *label);

/* school_correction.c */
void writing_correct_mark(struct writing *w, char *label);
void writing_void_mark(struct writing *w, char *label);
void writing_correct_homework(struct writing *w, char *label);
void writing_correct_attendance(struct writing *w, char *label);

#endif
