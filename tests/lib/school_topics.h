/* The plans of the lifelike school: the topics of each subject, grade by grade, in the order of the
 * year. */
#ifndef TESTS_LIB_SCHOOL_TOPICS_H
#define TESTS_LIB_SCHOOL_TOPICS_H

#include "tests/lib/school_curriculum.h"

enum { SCHOOL_TOPICS = 6 };

/* number is less than SCHOOL_TOPICS. Static. */
const char *school_topic(enum school_subject subject, unsigned grade, unsigned number);

#endif
