/* Subjects of the lifelike school and their hours a week, which keep to the limits of load by
 * grade. Static tables. */
#ifndef TESTS_LIB_SCHOOL_CURRICULUM_H
#define TESTS_LIB_SCHOOL_CURRICULUM_H

#include <stdbool.h>

enum school_subject {
    SUBJECT_RUSSIAN,
    SUBJECT_READING,
    SUBJECT_LITERATURE,
    SUBJECT_NATIVE,
    SUBJECT_NATIVE_READING,
    SUBJECT_NATIVE_LITERATURE,
    SUBJECT_ENGLISH,
    SUBJECT_MATHEMATICS,
    SUBJECT_ALGEBRA,
    SUBJECT_GEOMETRY,
    SUBJECT_STATISTICS,
    SUBJECT_INFORMATICS,
    SUBJECT_WORLD,
    SUBJECT_HISTORY,
    SUBJECT_SOCIETY,
    SUBJECT_GEOGRAPHY,
    SUBJECT_BIOLOGY,
    SUBJECT_PHYSICS,
    SUBJECT_CHEMISTRY,
    SUBJECT_RELIGIONS,
    SUBJECT_CULTURES,
    SUBJECT_ART,
    SUBJECT_MUSIC,
    SUBJECT_CRAFT,
    SUBJECT_SPORT,
    SUBJECT_SAFETY,
    SUBJECT_PROJECT,
    SUBJECT_ELECTIVE,
    SUBJECT_COUNT,
};

/* Who teaches what. */
enum school_department {
    DEPARTMENT_RUSSIAN,
    DEPARTMENT_NATIVE,
    DEPARTMENT_ENGLISH,
    DEPARTMENT_MATHEMATICS,
    DEPARTMENT_SOCIETY,
    DEPARTMENT_NATURE,
    DEPARTMENT_PHYSICS,
    DEPARTMENT_ARTS,
    DEPARTMENT_CRAFT,
    DEPARTMENT_SPORT,
    DEPARTMENT_PRIMARY, /* A class's own teacher in grades 1–4. */
};

struct school_subject_info {
    const char *name;
    enum school_department department;
    bool easy; /* Marks are higher. */
    bool homework;
    bool written; /* Has written works. */
    bool passed;  /* зачёт, незачёт */
};

const struct school_subject_info *curriculum_subject(enum school_subject subject);

/* Hours a week, 0: not taught in this grade. */
unsigned curriculum_hours(unsigned grade, enum school_subject subject);

/* The department that teaches it in this grade. */
enum school_department curriculum_department(unsigned grade, enum school_subject subject);

#endif
