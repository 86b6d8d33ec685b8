/* What the people of the lifelike school are going to enter, in order of time: a heap. */
#ifndef TESTS_LIB_SCHOOL_QUEUE_H
#define TESTS_LIB_SCHOOL_QUEUE_H

#include "tests/lib/school.h"

enum action_kind {
    ACTION_LESSON,      /* Topic and attendance, and mostly all the rest. */
    ACTION_LESSON_REST, /* Homework and marks, where they come apart. */
    ACTION_WORK_MARKS,  /* A written work has been checked. */
    ACTION_CORRECT_MARK,
    ACTION_VOID_MARK,
    ACTION_CORRECT_HOMEWORK,
    ACTION_CORRECT_ATTENDANCE, /* He came after all. */
    ACTION_MESSAGE,
    ACTION_MOVE, /* To another class, or out of the school. */
};

struct school_action {
    int64_t at_ms;
    uint64_t order; /* Of those at the same time; set by queue_add. */
    enum action_kind kind;
    uint32_t day;
    unsigned page; /* Of ACTION_MESSAGE and ACTION_MOVE: the class. */
    int to_class;  /* Of ACTION_MOVE; -1: none. */
    unsigned slot;
    unsigned number; /* The lesson's on its page. */
    uint64_t lesson;
    uint64_t work;
    unsigned work_kind;
    uint64_t present, absent, late; /* Masks of the page's pupils; the late are present. */
    uint64_t seed;
    bool split;
    /* Corrections: what they replace. */
    uint8_t ref_entry[SCHOOL_ENTRY_ID_SIZE];
    unsigned ref_event;
    unsigned pupil;       /* By number on the page; of ACTION_MOVE: of the school's. */
    unsigned mark_number; /* 0: none is in force. */
    unsigned corrections;
};

struct school_queue {
    struct school_action *actions;
    size_t count;
    size_t capacity;
    uint64_t added;
};

/* False where there is no memory. */
bool queue_init(struct school_queue *queue, size_t capacity);
void queue_deinit(struct school_queue *queue);

/* The caller has chosen a capacity that cannot be outgrown (assert). */
void queue_add(struct school_queue *queue, const struct school_action *action);

/* The earliest; NULL where there is none. Borrowed until the queue changes. */
const struct school_action *queue_first(const struct school_queue *queue);
struct school_action queue_take(struct school_queue *queue);

#endif
