/* A fact on a page: a lesson, a mark, an absence … Each stands in one row, where the page's reader
 * finds it by range: lessons under their page by day and bell, all else under its lesson, marks for
 * a work under the work. Writing one is one put, and needs nothing else to be there first.
 *
 * Table `facts`, key: school u64 ‖ owner's kind u8 ‖ owner u64 ‖ kind u8 ‖ a u64 ‖ b u64
 *
 *     kind         owner         a                  b
 *     LESSON       page          day << 32 | slot   lesson
 *     ATTENDANCE   lesson        0                  0
 *     HOMEWORK     lesson        index              event
 *     WORK         lesson        work               0
 *     MARK         lesson, work  pupil              slot
 *     COMMENT      lesson        index              event
 *
 * Value: version u8 ‖ root index u64 ‖ root event u16 ‖ entry id (16) ‖ event u16 ‖
 * corrections u32, then by kind:
 *
 *     LESSON       number u32 ‖ topic
 *     ATTENDANCE   n × (pupil u64 ‖ code u32 ‖ late_minutes u32), as they were taken
 *     HOMEWORK     due_day u32 ‖ n u32 ‖ n × pupil u64 ‖ text
 *     WORK         kind u32 ‖ weight u32 ‖ title
 *     MARK         kind u32 ‖ number u32 ‖ weight u32
 *     COMMENT      pupil u64 ‖ index u64 ‖ part u32
 *
 * The root is the event that set the fact, the entry id and event what is in force now. Pure. */
#ifndef NODE_JOURNAL_FACT_H
#define NODE_JOURNAL_FACT_H

#include "node/journal/roster.h"
#include "node/journal/submission.h"

enum fact_owner { FACT_OF_PAGE = 1, FACT_OF_LESSON = 2, FACT_OF_WORK = 3 };

enum fact_kind {
    FACT_LESSON = 1,
    FACT_ATTENDANCE = 2,
    FACT_HOMEWORK = 3,
    FACT_WORK = 4,
    FACT_MARK = 5,
    FACT_COMMENT = 6,
};

enum {
    FACT_KEY_SIZE = 8 + 1 + 8 + 1 + 8 + 8,
    FACT_PREFIX_SIZE = 8 + 1 + 8,
    FACT_HEAD_SIZE = 1 + 8 + 2 + ENTRY_ID_SIZE + 2 + 4,
};

struct fact_key {
    uint8_t bytes[FACT_KEY_SIZE];
};

/* What a row of any kind begins with. */
struct fact_head {
    uint64_t root_index;
    uint16_t root_event;
    uint8_t entry_id[ENTRY_ID_SIZE];
    uint16_t event;
    uint32_t corrections;
};

/* A row, decoded; texts and lists are borrowed from it. */
struct fact {
    enum fact_kind kind; /* From the key, like owner, a and b. */
    uint64_t owner, a, b;
    struct fact_head head;
    union {
        struct {
            uint32_t number;
            struct bytes topic;
        } lesson;
        struct {
            struct bytes exceptions;
            size_t count;
        } attendance;
        struct {
            uint32_t due_day;
            struct bytes pupils;
            size_t count;
            struct bytes text;
        } homework;
        struct {
            uint32_t kind, weight;
            struct bytes title;
        } work;
        struct {
            uint32_t kind, number, weight;
        } mark;
        struct {
            uint64_t pupil;
            struct part_ref text;
        } comment;
    };
};

struct fact_exception {
    uint64_t pupil;
    uint32_t code, late_minutes;
};

enum { FACT_EXCEPTION_SIZE = 8 + 4 + 4 };

struct fact_key fact_key(
    uint64_t school, enum fact_owner owner_kind, uint64_t owner, enum fact_kind kind);
void fact_key_set(struct fact_key *key, uint64_t a, uint64_t b);
struct bytes fact_key_bytes(const struct fact_key *key);

/* NULL: no memory. The size of the row is in *size. */
uint8_t *fact_encode(const struct fact *fact, struct arena *arena, size_t *size);

/* STATUS_OK or STATUS_CORRUPT. */
int fact_decode(struct bytes key, struct bytes row, struct fact *fact);

/* i < count. */
struct fact_exception fact_exception(const struct fact *fact, size_t i);
void fact_put_exception(uint8_t *at, struct fact_exception exception);
uint64_t fact_homework_pupil(const struct fact *fact, size_t i);

#endif
