/* The roster: who and what there is in a school, as pages need it.
 *
 * Table `roster`, key: school u64 ‖ kind u8 ‖ a u64 ‖ b u64; value: version u8, then by kind:
 *
 *     kind         a      b        value
 *     SCHOOL       –      –        name
 *     YEAR         year   –        label
 *     CLASS        class  –        grade u32 ‖ letter
 *     SUBJECT      subject –       name
 *     PAGE         page   –        owner's kind u8 ‖ owner u64 ‖ subject u64 ‖ year u64
 *     TEACHING     page   teacher  n × (from_day u32 ‖ to_day u32)
 *     PERSON       person –        3 × (index u64 ‖ part u32): surname, given name, patronymic
 *     ENROLMENT    class  pupil    n × (from_day u32 ‖ last_day u32)
 *     NODE         node   –        directory 16 bytes; in school 0; the first one said stays
 *
 * Names of people are references into the log, never text. Threads: roster_evolve() in the apply
 * transaction, the rest in any. */
#ifndef NODE_JOURNAL_ROSTER_H
#define NODE_JOURNAL_ROSTER_H

#include "proto/arena.h"
#include "proto/uuid.h"
#include "storage/env.h"
#include <zhurnal/v1/entry.pb-c.h>

enum roster_kind {
    ROSTER_SCHOOL = 1,
    ROSTER_YEAR = 2,
    ROSTER_CLASS = 3,
    ROSTER_SUBJECT = 4,
    ROSTER_PAGE = 5,
    ROSTER_TEACHING = 6,
    ROSTER_PERSON = 7,
    ROSTER_ENROLMENT = 8,
    ROSTER_NODE = 9,
};

enum { ROSTER_KEY_SIZE = 8 + 1 + 8 + 8, ROSTER_NAME_PARTS = 3, ROSTER_INTERVALS_MAX = 100 };

/* A part of an entry: text that stands in the log. */
struct part_ref {
    uint64_t index;
    uint32_t part; /* 0: none. */
};

struct roster_page {
    uint8_t owner_kind; /* A Zhurnal__V1__PageOpened__OwnerCase. */
    uint64_t owner, subject, year;
};

struct roster_class {
    uint32_t grade;
    struct bytes letter; /* Borrowed from the transaction. */
};

struct roster_person {
    struct part_ref name[ROSTER_NAME_PARTS]; /* Surname, given name, patronymic. */
};

/* Where an event stands, and what it may write to. */
struct roster_change {
    struct txn *txn;
    struct table roster;
    struct arena *arena; /* For rows while they are made; without memory txn fails. */
    uint64_t school;
    uint64_t index; /* Of the entry. */
};

/* Of teachings and enrolments: both days inclusive, 0 is open. */
struct roster_interval {
    uint32_t from_day, to_day;
};

/* Who left and came back was there twice. No two of them overlap: a later one replaces those that
 * it overlaps, and the oldest where there are too many. */
struct roster_intervals {
    struct roster_interval list[ROSTER_INTERVALS_MAX];
    size_t count;
};

/* What an accepted event changes. Not of the roster: no-op. */
void roster_evolve(const struct roster_change *change, const Zhurnal__V1__Event *event);

/* False where there is no such thing. Texts are borrowed from the transaction. */
bool roster_text(struct txn *txn, struct table roster, uint64_t school, enum roster_kind kind,
    uint64_t id, struct bytes *text);
bool roster_get_page(
    struct txn *txn, struct table roster, uint64_t school, uint64_t id, struct roster_page *page);
bool roster_get_class(
    struct txn *txn, struct table roster, uint64_t school, uint64_t id, struct roster_class *class);
bool roster_get_person(struct txn *txn, struct table roster, uint64_t school, uint64_t id,
    struct roster_person *person);

/* The data directory that the log knows a node by. */
bool roster_get_node(
    struct txn *txn, struct table roster, uint64_t node, uint8_t directory[UUID_SIZE]);

/* A walk over the members of a page (ROSTER_TEACHING) or class (ROSTER_ENROLMENT), by id. */
struct roster_walk {
    struct cursor cursor;
    struct bytes key, value;
    uint8_t prefix[8 + 1 + 8];
    bool more;
};
void roster_walk_open(struct roster_walk *walk, struct txn *txn, struct table roster,
    uint64_t school, enum roster_kind kind, uint64_t id);
bool roster_walk_next(
    struct roster_walk *walk, uint64_t *member, struct roster_intervals *intervals);
void roster_walk_close(struct roster_walk *walk);

#endif
