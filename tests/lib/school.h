/* A lifelike school: a seeded source of what a school's front end would send in a year. The demo,
 * the tests and the benchmark use it. The same options give the same bytes, on every machine; the
 * texts, names, hours, bells and habits are those of a Chechen village school, with invented
 * people.
 *
 * Three streams, in this order: the set-up (founding, people, classes, pages), the entries of a
 * school day that the caller names, and school_next(), which gives set-up and then day after day
 * without end. Entries come in the order of their intended time; whatever an entry refers to stands
 * in an earlier one.
 *
 * What is left out, as the log has no kinds for it yet: study groups (a page is a class or one
 * pupil), substitutions, final marks, excuses, exemptions, consents, subscriptions and printouts,
 * inspections. What the log has kinds for, and only school_edges.h writes: new names, a page handed
 * over, a new UTC offset. Nobody loses a role, a class teacher or a guardian.
 *
 * Memory is bounded by the school's size and given at create. One thread. */
#ifndef TESTS_LIB_SCHOOL_H
#define TESTS_LIB_SCHOOL_H

#include "proto/bytes.h"

enum {
    SCHOOL_GRADE_MAX = 11,
    SCHOOL_PARALLELS_MAX = 6,
    SCHOOL_FILL_MAX = 32,
    SCHOOL_LABEL_SIZE = 256,
    SCHOOL_ENTRY_ID_SIZE = 16,
};

struct school_options {
    uint64_t seed;
    uint64_t school;     /* 0: chosen from the seed. */
    unsigned grade_from; /* 0: 1 */
    unsigned grade_to;   /* 0: 11 */
    unsigned parallels;  /* Classes of each grade, 1–6; 0: 1 */
    unsigned fill;       /* Mean number of pupils in a class; 0: 25 */
    /* Pupils of each class in turn, up to 40; NULL: drawn. Outlives the school. */
    const unsigned *class_sizes;
    unsigned week_days;     /* 5 or 6; 0: 5 */
    uint32_t day;           /* The first day of lessons, a school day: 20261123. */
    int utc_offset_minutes; /* 180 is Moscow. */
    /* Everything about a day is entered on that day, and nobody moves: a day is complete, and fits
     * to any other that is made from the same options. */
    bool whole_day;
};

/* Who sends it: as which principal the call must be made. */
enum school_sender { SCHOOL_SENDER_FOUNDER, SCHOOL_SENDER_FRONTEND };

struct school_entry {
    struct bytes request; /* An encoded AppendRequest. Borrowed until the school is next asked for
                             an entry. */
    enum school_sender sender;
    uint64_t school; /* The draft's: 0 where it is the cluster's. */
    uint8_t entry_id[SCHOOL_ENTRY_ID_SIZE];
    int64_t at_ms;     /* When it is meant to be sent, milliseconds since 1970 UTC. */
    uint32_t local_ms; /* The same as time of day in the school, from 0. */
    uint32_t day;      /* The school day it tells of. */
    unsigned events;
    char label[SCHOOL_LABEL_SIZE]; /* For people; it names nobody. */
};

/* What a page must show of one day after all that was yielded so far. */
struct school_expectation {
    unsigned pupils;
    unsigned lessons;
    unsigned attendance_taken;
    unsigned absent;
    unsigned late;
    unsigned homework;
    unsigned works;
    unsigned marks;    /* In force: set, and not voided. */
    unsigned mark_sum; /* Of the numbers in force. */
    unsigned comments;
    unsigned corrections; /* Of marks in force. */
};

struct school_page_info {
    uint64_t page;
    char class_name[8];
    const char *subject; /* Static. */
    uint64_t teacher;
    unsigned pupils;
};

struct school;

/* NULL where there is no memory. Options out of their range are the caller's mistake (assert). */
struct school *school_create(const struct school_options *options);
void school_destroy(struct school *school);

/* The next entry of the set-up; false when it is done. Call until then, before the first day. */
bool school_set_up_next(struct school *school, struct school_entry *entry);

/* Plans the lessons of a school day, which is later than the last one begun and in the same school
 * year. */
void school_day_begin(struct school *school, uint32_t day);
/* The next entry sent before that day's midnight, those left over from days before among them;
 * false: none is left. */
bool school_day_next(struct school *school, struct school_entry *entry);

/* What is left of the set-up, then of the day begun, then one school day after the other for ever.
 * When a school year ends its classes are closed and the next year begins with new classes and new
 * pupils. */
void school_next(struct school *school, struct school_entry *entry);

/* Lookups. Page numbers run from 0; they, and the names, change only when school_next() opens
 * another year. */
uint64_t school_id(const struct school *school);
const char *school_name(const struct school *school);
uint64_t school_head(const struct school *school);
/* The school day begun last; 0: none. */
uint32_t school_today(const struct school *school);
size_t school_page_count(const struct school *school);
struct school_page_info school_page(const struct school *school, size_t number);
/* False where that day is not one of the last 16 begun. */
bool school_expect(const struct school *school, size_t number, uint32_t day,
    struct school_expectation *expectation);
/* The page that has most to show of that day: marks, absences and homework. */
size_t school_page_to_show(const struct school *school, uint32_t day);

/* The calendar of every year: quarters 01.09–24.10, 05.11–30.12, 12.01–27.03, 06.04–26.05, without
 * Sundays (Saturdays too where the week has 5 days) and public holidays. Both give a yyyymmdd. */
uint32_t school_day_on_or_before(uint32_t day, unsigned week_days);
uint32_t school_day_after(uint32_t day, unsigned week_days);

#endif
