/* What teachers of the lifelike school write: topics, homework, titles of works, comments,
 * messages. */
#ifndef TESTS_LIB_SCHOOL_TEXTS_H
#define TESTS_LIB_SCHOOL_TEXTS_H

#include "tests/lib/school_curriculum.h"
#include "tests/lib/school_random.h"

#include <stdbool.h>

/* Of the longest homework: 2,000 letters of two bytes, and the final zero. */
enum { TEXT_SIZE = 4001 };

/* A lesson in the plan of its year, which has total lessons. */
struct text_lesson {
    enum school_subject subject;
    unsigned grade;
    unsigned number, total; /* number is from 1 on, and may pass total. */
    bool work, work_next;   /* A written work is done, or will be in the next lesson. */
};

/* Into out, of TEXT_SIZE bytes. */
void text_topic(const struct text_lesson *lesson, char *out);
void text_homework(struct random_stream *stream, const struct text_lesson *lesson, char *out);

/* Of the lesson's work, the number-th on its page. */
void text_work_title(const struct text_lesson *lesson, unsigned number, char *out);

/* The longest that a front end lets through, filled to the last byte. */
void text_homework_longest(char *out);

/* Static. */
const char *text_comment(struct random_stream *stream);
void text_message(struct random_stream *stream, char *out);

#endif
