/* What teachers of the lifelike school write: topics, homework, titles of works, comments,
 * messages. */
#ifndef TESTS_LIB_SCHOOL_TEXTS_H
#define TESTS_LIB_SCHOOL_TEXTS_H

#include "tests/lib/school_curriculum.h"
#include "tests/lib/school_random.h"

#include <stddef.h>

/* Of the longest homework: 2,000 letters of two bytes, and the final zero. */
enum { TEXT_SIZE = 4001 };

/* The topic of the lesson with this number in the year's plan of total lessons. Into out, of
 * TEXT_SIZE bytes. */
void text_topic(enum school_subject subject, unsigned number, unsigned total, char *out);

/* topic is the lesson's. */
void text_homework(
    struct random_stream *stream, enum school_subject subject, const char *topic, char *out);

/* The longest that a front end lets through, filled to the last byte. */
void text_homework_longest(char *out);

/* Static. */
const char *text_comment(struct random_stream *stream);
void text_message(struct random_stream *stream, char *out);

#endif
