#include "tests/lib/school_curriculum.h"

#include "tests/lib/school.h"

#include <assert.h>

// clang-format off
static const struct school_subject_info subjects[SUBJECT_COUNT] = {
    [SUBJECT_RUSSIAN] = {"Русский язык", DEPARTMENT_RUSSIAN, false, true, true, false},
    [SUBJECT_READING] = {"Литературное чтение", DEPARTMENT_RUSSIAN, false, true, false, false},
    [SUBJECT_LITERATURE] = {"Литература", DEPARTMENT_RUSSIAN, false, true, true, false},
    [SUBJECT_NATIVE] = {"Родной (чеченский) язык", DEPARTMENT_NATIVE, false, true, true, false},
    [SUBJECT_NATIVE_READING] =
        {"Литературное чтение на родном языке", DEPARTMENT_NATIVE, false, true, false, false},
    [SUBJECT_NATIVE_LITERATURE] =
        {"Родная литература", DEPARTMENT_NATIVE, false, true, false, false},
    [SUBJECT_ENGLISH] = {"Английский язык", DEPARTMENT_ENGLISH, false, true, true, false},
    [SUBJECT_MATHEMATICS] = {"Математика", DEPARTMENT_MATHEMATICS, false, true, true, false},
    [SUBJECT_ALGEBRA] = {"Алгебра", DEPARTMENT_MATHEMATICS, false, true, true, false},
    [SUBJECT_GEOMETRY] = {"Геометрия", DEPARTMENT_MATHEMATICS, false, true, true, false},
    [SUBJECT_STATISTICS] =
        {"Вероятность и статистика", DEPARTMENT_MATHEMATICS, false, true, false, false},
    [SUBJECT_INFORMATICS] = {"Информатика", DEPARTMENT_PHYSICS, false, true, false, false},
    [SUBJECT_WORLD] = {"Окружающий мир", DEPARTMENT_NATURE, false, true, false, false},
    [SUBJECT_HISTORY] = {"История", DEPARTMENT_SOCIETY, false, true, false, false},
    [SUBJECT_SOCIETY] = {"Обществознание", DEPARTMENT_SOCIETY, false, true, false, false},
    [SUBJECT_GEOGRAPHY] = {"География", DEPARTMENT_NATURE, false, true, false, false},
    [SUBJECT_BIOLOGY] = {"Биология", DEPARTMENT_NATURE, false, true, false, false},
    [SUBJECT_PHYSICS] = {"Физика", DEPARTMENT_PHYSICS, false, true, true, false},
    [SUBJECT_CHEMISTRY] = {"Химия", DEPARTMENT_NATURE, false, true, true, false},
    [SUBJECT_RELIGIONS] = {"ОРКСЭ", DEPARTMENT_SOCIETY, true, false, false, false},
    [SUBJECT_CULTURES] = {"ОДНКНР", DEPARTMENT_SOCIETY, true, true, false, false},
    [SUBJECT_ART] = {"ИЗО", DEPARTMENT_ARTS, true, false, false, false},
    [SUBJECT_MUSIC] = {"Музыка", DEPARTMENT_ARTS, true, false, false, false},
    [SUBJECT_CRAFT] = {"Труд (технология)", DEPARTMENT_CRAFT, true, false, false, false},
    [SUBJECT_SPORT] = {"Физкультура", DEPARTMENT_SPORT, true, false, false, false},
    [SUBJECT_SAFETY] = {"ОБЗР", DEPARTMENT_SPORT, true, true, false, false},
    [SUBJECT_PROJECT] = {"Индивидуальный проект", DEPARTMENT_SOCIETY, true, true, false, true},
    [SUBJECT_ELECTIVE] = {"Элективный курс", DEPARTMENT_MATHEMATICS, true, false, false, true},
};

#define HOURS_NATIVE [SUBJECT_NATIVE] = 1
#define HOURS_PRIMARY                                                                              \
    [SUBJECT_RUSSIAN] = 5, HOURS_NATIVE, [SUBJECT_NATIVE_READING] = 1, [SUBJECT_MATHEMATICS] = 4,  \
    [SUBJECT_WORLD] = 2, [SUBJECT_ART] = 1, [SUBJECT_MUSIC] = 1, [SUBJECT_CRAFT] = 1,              \
    [SUBJECT_SPORT] = 2
#define HOURS_5_AND_6                                                                              \
    [SUBJECT_LITERATURE] = 3, HOURS_NATIVE, [SUBJECT_NATIVE_LITERATURE] = 1,                       \
    [SUBJECT_ENGLISH] = 3, [SUBJECT_MATHEMATICS] = 5, [SUBJECT_HISTORY] = 2,                       \
    [SUBJECT_GEOGRAPHY] = 1, [SUBJECT_BIOLOGY] = 1, [SUBJECT_ART] = 1, [SUBJECT_MUSIC] = 1,        \
    [SUBJECT_CRAFT] = 2, [SUBJECT_SPORT] = 2
#define HOURS_7_TO_9                                                                               \
    HOURS_NATIVE, [SUBJECT_ENGLISH] = 3, [SUBJECT_ALGEBRA] = 3, [SUBJECT_GEOMETRY] = 2,            \
    [SUBJECT_STATISTICS] = 1, [SUBJECT_INFORMATICS] = 1, [SUBJECT_HISTORY] = 2,                    \
    [SUBJECT_SOCIETY] = 1, [SUBJECT_GEOGRAPHY] = 2, [SUBJECT_SPORT] = 2
#define HOURS_10_AND_11                                                                            \
    [SUBJECT_RUSSIAN] = 2, [SUBJECT_LITERATURE] = 3, HOURS_NATIVE, [SUBJECT_ENGLISH] = 3,          \
    [SUBJECT_ALGEBRA] = 4, [SUBJECT_GEOMETRY] = 2, [SUBJECT_STATISTICS] = 1,                       \
    [SUBJECT_INFORMATICS] = 1, [SUBJECT_HISTORY] = 2, [SUBJECT_SOCIETY] = 2,                       \
    [SUBJECT_GEOGRAPHY] = 1, [SUBJECT_BIOLOGY] = 1, [SUBJECT_PHYSICS] = 2,                         \
    [SUBJECT_CHEMISTRY] = 1, [SUBJECT_SAFETY] = 1, [SUBJECT_SPORT] = 2

static const unsigned char hours[SCHOOL_GRADE_MAX + 1][SUBJECT_COUNT] = {
    [1] = {HOURS_PRIMARY, [SUBJECT_READING] = 3},
    [2] = {HOURS_PRIMARY, [SUBJECT_READING] = 3, [SUBJECT_ENGLISH] = 2},
    [3] = {HOURS_PRIMARY, [SUBJECT_READING] = 3, [SUBJECT_ENGLISH] = 2},
    [4] = {HOURS_PRIMARY, [SUBJECT_READING] = 2, [SUBJECT_ENGLISH] = 2, [SUBJECT_RELIGIONS] = 1},
    [5] = {HOURS_5_AND_6, [SUBJECT_RUSSIAN] = 5, [SUBJECT_CULTURES] = 1},
    [6] = {HOURS_5_AND_6, [SUBJECT_RUSSIAN] = 6, [SUBJECT_SOCIETY] = 1},
    [7] = {HOURS_7_TO_9, [SUBJECT_RUSSIAN] = 4, [SUBJECT_LITERATURE] = 2,
           [SUBJECT_NATIVE_LITERATURE] = 1, [SUBJECT_BIOLOGY] = 1, [SUBJECT_PHYSICS] = 2,
           [SUBJECT_ART] = 1, [SUBJECT_MUSIC] = 1, [SUBJECT_CRAFT] = 2},
    [8] = {HOURS_7_TO_9, [SUBJECT_RUSSIAN] = 3, [SUBJECT_LITERATURE] = 2,
           [SUBJECT_NATIVE_LITERATURE] = 1, [SUBJECT_BIOLOGY] = 2, [SUBJECT_PHYSICS] = 2,
           [SUBJECT_CHEMISTRY] = 2, [SUBJECT_MUSIC] = 1, [SUBJECT_CRAFT] = 1, [SUBJECT_SAFETY] = 1},
    [9] = {HOURS_7_TO_9, [SUBJECT_RUSSIAN] = 3, [SUBJECT_LITERATURE] = 3, [SUBJECT_BIOLOGY] = 2,
           [SUBJECT_PHYSICS] = 3, [SUBJECT_CHEMISTRY] = 2, [SUBJECT_CRAFT] = 1,
           [SUBJECT_SAFETY] = 1},
    [10] = {HOURS_10_AND_11, [SUBJECT_PROJECT] = 1, [SUBJECT_ELECTIVE] = 4},
    [11] = {HOURS_10_AND_11, [SUBJECT_ELECTIVE] = 5},
};
// clang-format on

const struct school_subject_info *curriculum_subject(enum school_subject subject)
{
    assert((unsigned)subject < SUBJECT_COUNT);
    return &subjects[subject];
}

unsigned curriculum_hours(unsigned grade, enum school_subject subject)
{
    assert(grade >= 1 && grade <= SCHOOL_GRADE_MAX && (unsigned)subject < SUBJECT_COUNT);
    return hours[grade][subject];
}

enum school_department curriculum_department(unsigned grade, enum school_subject subject)
{
    bool own = subject == SUBJECT_RUSSIAN || subject == SUBJECT_READING ||
        subject == SUBJECT_MATHEMATICS || subject == SUBJECT_WORLD || subject == SUBJECT_ART ||
        subject == SUBJECT_CRAFT;
    return grade <= 4 && own ? DEPARTMENT_PRIMARY : curriculum_subject(subject)->department;
}
