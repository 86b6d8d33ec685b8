/* The insides of the lifelike school, shared by the files school_*.c alone: who there is, which
 * pages, what is planned, and what every page must show. */
#ifndef TESTS_LIB_SCHOOL_MODEL_H
#define TESTS_LIB_SCHOOL_MODEL_H

#include "tests/lib/school.h"
#include "tests/lib/school_calendar.h"
#include "tests/lib/school_curriculum.h"
#include "tests/lib/school_draft.h"
#include "tests/lib/school_names.h"
#include "tests/lib/school_queue.h"

enum {
    CLASS_PUPILS_MAX = 40, /* Fits the masks of absence. */
    CLASSES_MAX = SCHOOL_GRADE_MAX * SCHOOL_PARALLELS_MAX,
    PUPILS_MAX = CLASSES_MAX * CLASS_PUPILS_MAX,
    /* Classes have up to 20 subjects; one pupil in a hundred has a page alone. */
    PAGES_MAX = CLASSES_MAX * 20 + PUPILS_MAX / 50,
    TEACHERS_MAX = 256,
    KEPT_DAYS = 16,
    NOBODY = -1,
};

/* Purposes of streams. Those of a day are drawn anew each day; STREAM_IDS is the set-up's. */
enum {
    STREAM_PEOPLE = 1,
    STREAM_SET_UP,
    STREAM_ILLNESS,
    STREAM_DAY,
    STREAM_IDS,
    STREAM_DAY_IDS,
    STREAM_MOVES,
    STREAM_EDGES,
};

/* Slots of CALENDAR_SLOTS, by weekday, as bits. */
struct school_teacher {
    uint64_t id;
    struct school_name name;
    enum school_department department;
    unsigned hours;
    unsigned busy[CALENDAR_WEEK_DAYS_MAX];
};

struct school_pupil {
    uint64_t id;
    struct school_name name;
    int64_t skill_milli;
    int32_t ill_until; /* Ordinal of the last day of the illness. */
    uint32_t born;
    int class_number; /* NOBODY: left the school. */
    unsigned number;  /* In the class's list. */
};

struct school_class {
    uint64_t id;
    unsigned grade;
    unsigned letter;
    /* Who ever was in it: a number stays its pupil's, for the masks of what waits to be entered. */
    unsigned pupils;
    unsigned short list[CLASS_PUPILS_MAX];
    uint64_t gone; /* Mask. */
    int teacher;   /* The class teacher. */
    /* Page number + 1, 0: free. */
    unsigned short timetable[CALENDAR_WEEK_DAYS_MAX][CALENDAR_SLOTS];
};

struct school_page {
    uint64_t id;
    unsigned class_number;
    enum school_subject subject;
    int teacher;
    int pupil;        /* Of a page for one pupil; NOBODY. */
    unsigned weekday; /* Of such a page: it has one lesson a week, in the last slot. */
    unsigned hours;
    unsigned lessons;    /* Held so far this year. */
    unsigned work_phase; /* So that not all pages write their works in one week. */
};

struct kept_day {
    uint32_t day;
    struct school_expectation pages[PAGES_MAX];
};

struct school {
    struct school_options options;
    uint64_t id;
    char name[64];
    uint64_t head, deputy, secretary;
    unsigned years_begun;
    unsigned year; /* In which the school year begins. */
    uint64_t year_id;
    uint64_t subject_ids[SUBJECT_COUNT];

    struct random_stream people, set_up, illness, ids;
    unsigned people_drawn;

    struct school_teacher teachers[TEACHERS_MAX];
    int teacher_count;
    struct school_class classes[CLASSES_MAX];
    unsigned class_count;
    struct school_pupil pupils[PUPILS_MAX];
    unsigned pupil_count;
    struct school_page pages[PAGES_MAX];
    unsigned page_count;

    unsigned step, step_at; /* Where the set-up stands. */
    int64_t set_up_ms;

    uint32_t today;
    bool longest_written;
    struct school_queue queue;
    struct kept_day kept[KEPT_DAYS];
    unsigned days_begun;

    struct school_draft draft;
};

/* school_form.c, school_timetable.c: the people, classes and pages of a school year. */
void school_form_year(struct school *school);
void school_form_timetable(struct school *school);
struct school_name school_draw_person(struct school *school);
/* For the set-up: a day has a stream of its own. */
uint64_t school_draw_id(struct school *school);
/* «7Б». */
void school_class_name(const struct school_class *class, char out[8]);
/* Who belongs to it now: a mask, how many; and a pupil by number. */
uint64_t school_page_members(const struct school *school, const struct school_page *page);
unsigned school_page_pupils(const struct school *school, const struct school_page *page);
const struct school_pupil *school_page_pupil(
    const struct school *school, const struct school_page *page, unsigned number);
/* The class has room. */
void school_join_class(struct school *school, unsigned number, unsigned pupil);

/* school_set_up.c */
void school_set_up_begin(struct school *school);

/* school_move.c: plans who moves to another class or leaves today, and writes it. */
void school_move_pupils(struct school *school, struct random_stream *stream);
void school_write_move(struct school *school, const struct school_action *action, char *label);

/* school_writing.c: writes the entry of an action, and queues what follows from it. */
void school_act(
    struct school *school, const struct school_action *action, struct school_entry *entry);

/* school_day.c */
int64_t school_local_ms(const struct school *school, uint32_t day, unsigned minutes);
/* Fills in local_ms. */
void school_entry_time(const struct school *school, struct school_entry *entry);
/* Later by delay; where all of a day is entered on it, before its midnight. */
int64_t school_later(const struct school *school, int64_t at_ms, int64_t delay_ms);

/* Of the day that an entry tells of; NULL where it is too long ago. */
struct school_expectation *school_expectation_of(
    struct school *school, unsigned page, uint32_t day);

#endif
