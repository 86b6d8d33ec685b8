/* A small class with one page, for a test each: school, teacher and three pupils, written as a
 * front end would, applied and read. What goes wrong here fails the test. */
#ifndef TESTS_LIB_CLASS_FIXTURE_H
#define TESTS_LIB_CLASS_FIXTURE_H

#include "tests/lib/ledger.h"

enum {
    DAY = 20261123,
    NEXT_DAY = 20261124,
    YEAR = 1,
    CLASS = 2,
    SUBJECT = 3,
    PAGE = 4,
    TEACHER = 50,
    ELKINA = 61,
    EGOROV = 62,
    ZHUKOV = 63,
    LESSON = 100,
    WORK = 200,
    WHOLE = 1000,
};

struct class_fixture {
    struct ledger ledger;
    struct journal journal;
    struct arena arena;
    Zhurnal__V1__GetPageResponse *page; /* As read last; in the arena. */
};

/* cmocka's: *state is a struct class_fixture. */
int class_set_up(void **state);
int class_tear_down(void **state);

/* ---- writing ---- */

/* A draft of DAY. */
struct school_draft *class_begin(struct class_fixture *f);
/* It is recorded, and accepted. Returns its index. */
uint64_t class_end(struct class_fixture *f);

void class_add_person(
    struct school_draft *draft, uint64_t id, const char *surname, const char *given_name);
void class_enrol(
    struct school_draft *draft, uint64_t id, const char *surname, const char *given_name);
void class_add_lesson(struct school_draft *draft, uint64_t id, uint32_t slot, const char *topic);
Zhurnal__V1__AttendanceException *class_exception(
    struct school_draft *draft, uint64_t pupil, Zhurnal__V1__AttendanceCode code);
Zhurnal__V1__EventRef *class_ref(
    struct school_draft *draft, const uint8_t id[ENTRY_ID_SIZE], uint32_t event);
/* Of event number `event` of the entry; its value is the caller's to set. */
Zhurnal__V1__EntryCorrected *class_add_correction(
    struct school_draft *draft, const uint8_t id[ENTRY_ID_SIZE], uint32_t event);

/* ---- reading ---- */

/* 0: from the first, to the last. Returns journal_page()'s status. */
int class_read_days(struct class_fixture *f, uint32_t from_day, uint32_t to_day);
void class_read(struct class_fixture *f);
/* The page's only lesson. */
Zhurnal__V1__PageLesson *class_read_lesson(struct class_fixture *f);

#endif
