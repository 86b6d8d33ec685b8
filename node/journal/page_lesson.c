#include "node/journal/page_lesson.h"

#include <assert.h>

void *page_grow(struct arena *arena, void *items, size_t count)
{
    enum { LIST_FIRST = 4 };
    bool is_full = count == 0 || (count >= LIST_FIRST && (count & (count - 1)) == 0);
    if (!is_full) {
        return items;
    }
    size_t room = count == 0 ? LIST_FIRST : 2 * count;
    void *grown = arena_alloc(arena, room * sizeof(void *));
    if (grown != NULL && count > 0) {
        memcpy(grown, items, count * sizeof(void *));
    }
    return grown;
}

static char *text_copy(struct page_source *source, struct bytes text)
{
    return arena_copy(source->arena, text.data, text.size);
}

static Zhurnal__V1__EventRef *make_ref(struct page_source *source, const struct fact_head *head)
{
    Zhurnal__V1__EventRef *ref = arena_alloc(source->arena, sizeof *ref);
    uint8_t *id = arena_alloc(source->arena, ENTRY_ID_SIZE);
    if (ref == NULL || id == NULL) {
        return NULL;
    }
    memcpy(id, head->entry_id, ENTRY_ID_SIZE);
    zhurnal__v1__event_ref__init(ref);
    ref->entry_id = (ProtobufCBinaryData){.data = id, .len = ENTRY_ID_SIZE};
    ref->event = head->event;
    return ref;
}

/* ---- each of these adds one fact to the lesson; false: no memory ---- */

static bool add_attendance(
    struct page_source *source, Zhurnal__V1__PageLesson *lesson, const struct fact *fact)
{
    size_t count = fact->attendance.count;
    Zhurnal__V1__AttendanceException *list = arena_alloc(source->arena, count * sizeof *list);
    lesson->attendance =
        arena_alloc(source->arena, count * sizeof(struct Zhurnal__V1__AttendanceException *));
    if (list == NULL || lesson->attendance == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        struct fact_exception exception = fact_exception(fact, i);
        zhurnal__v1__attendance_exception__init(&list[i]);
        list[i].pupil = exception.pupil;
        list[i].code = (Zhurnal__V1__AttendanceCode)exception.code;
        list[i].late_minutes = exception.late_minutes;
        lesson->attendance[i] = &list[i];
    }
    lesson->n_attendance = count;
    lesson->attendance_taken = true;
    lesson->attendance_ref = make_ref(source, &fact->head);
    return lesson->attendance_ref != NULL;
}

static bool add_homework(
    struct page_source *source, Zhurnal__V1__PageLesson *lesson, const struct fact *fact)
{
    Zhurnal__V1__PageHomework *homework = arena_alloc(source->arena, sizeof *homework);
    lesson->homework = page_grow(source->arena, lesson->homework, lesson->n_homework);
    if (homework == NULL || lesson->homework == NULL) {
        return false;
    }
    zhurnal__v1__page_homework__init(homework);
    homework->due_day = fact->homework.due_day;
    homework->text = text_copy(source, fact->homework.text);
    homework->ref = make_ref(source, &fact->head);
    homework->pupils = arena_alloc(source->arena, fact->homework.count * sizeof(uint64_t));
    if (homework->text == NULL || homework->ref == NULL || homework->pupils == NULL) {
        return false;
    }
    for (size_t i = 0; i < fact->homework.count; i++) {
        homework->pupils[i] = fact_homework_pupil(fact, i);
    }
    homework->n_pupils = fact->homework.count;
    lesson->homework[lesson->n_homework++] = homework;
    return true;
}

static bool add_work(
    struct page_source *source, Zhurnal__V1__PageLesson *lesson, const struct fact *fact)
{
    Zhurnal__V1__PageWork *work = arena_alloc(source->arena, sizeof *work);
    lesson->works = page_grow(source->arena, lesson->works, lesson->n_works);
    if (work == NULL || lesson->works == NULL) {
        return false;
    }
    zhurnal__v1__page_work__init(work);
    work->work = fact->a;
    work->work_kind = (Zhurnal__V1__WorkKind)fact->work.kind;
    work->weight = fact->work.weight;
    work->title = text_copy(source, fact->work.title);
    work->ref = make_ref(source, &fact->head);
    lesson->works[lesson->n_works++] = work;
    return work->title != NULL && work->ref != NULL;
}

static Zhurnal__V1__Mark *make_mark_value(struct page_source *source, const struct fact *fact)
{
    Zhurnal__V1__Mark *value = arena_alloc(source->arena, sizeof *value);
    if (value != NULL) {
        zhurnal__v1__mark__init(value);
        value->mark_kind = (Zhurnal__V1__MarkKind)fact->mark.kind;
        value->number = fact->mark.number;
    }
    return value;
}

/* work: 0 for the lesson itself. */
static bool add_mark(struct page_source *source, Zhurnal__V1__PageLesson *lesson,
    const struct fact *fact, uint64_t work)
{
    Zhurnal__V1__PageMark *mark = arena_alloc(source->arena, sizeof *mark);
    lesson->marks = page_grow(source->arena, lesson->marks, lesson->n_marks);
    if (mark == NULL || lesson->marks == NULL) {
        return false;
    }
    zhurnal__v1__page_mark__init(mark);
    mark->pupil = fact->a;
    mark->work = work;
    mark->slot = (uint32_t)fact->b;
    mark->mark = make_mark_value(source, fact);
    mark->weight = fact->mark.weight;
    mark->ref = make_ref(source, &fact->head);
    mark->corrections = fact->head.corrections;
    lesson->marks[lesson->n_marks++] = mark;
    return mark->mark != NULL && mark->ref != NULL;
}

static bool add_comment(
    struct page_source *source, Zhurnal__V1__PageLesson *lesson, const struct fact *fact)
{
    Zhurnal__V1__PageComment *comment = arena_alloc(source->arena, sizeof *comment);
    lesson->comments = page_grow(source->arena, lesson->comments, lesson->n_comments);
    if (comment == NULL || lesson->comments == NULL) {
        return false;
    }
    struct bytes text = bytes_of("", 0); /* Erased. */
    (void)unseal(&source->unsealer, fact->comment.text, &text);
    zhurnal__v1__page_comment__init(comment);
    comment->pupil = fact->comment.pupil;
    comment->text = text_copy(source, text);
    comment->ref = make_ref(source, &fact->head);
    lesson->comments[lesson->n_comments++] = comment;
    return comment->text != NULL && comment->ref != NULL;
}

static bool add_fact(
    struct page_source *source, Zhurnal__V1__PageLesson *lesson, const struct fact *fact)
{
    switch (fact->kind) {
    case FACT_ATTENDANCE:
        return add_attendance(source, lesson, fact);
    case FACT_HOMEWORK:
        return add_homework(source, lesson, fact);
    case FACT_WORK:
        return add_work(source, lesson, fact);
    case FACT_MARK:
        return add_mark(source, lesson, fact, 0);
    case FACT_COMMENT:
        return add_comment(source, lesson, fact);
    case FACT_LESSON:
        break; /* Stands under its page. */
    }
    txn_fail(source->views, STATUS_CORRUPT);
    return false;
}

/* Everything under one owner: a lesson's own facts, or a work's marks. */
static bool add_owned(struct page_source *source, Zhurnal__V1__PageLesson *lesson,
    enum fact_owner owner_kind, uint64_t owner)
{
    struct fact_key from = fact_key(source->school, owner_kind, owner, (enum fact_kind)0);
    struct cursor cursor;
    struct bytes key;
    struct bytes row;
    cursor_open(&cursor, source->views, source->journal->facts);
    bool more = cursor_seek(&cursor, fact_key_bytes(&from), &key, &row);
    bool ok = true;
    while (ok && more && key.size == FACT_KEY_SIZE &&
        memcmp(key.data, from.bytes, FACT_PREFIX_SIZE) == 0) {
        struct fact fact;
        if (fact_decode(key, row, &fact) != STATUS_OK) {
            txn_fail(source->views, STATUS_CORRUPT);
            ok = false;
        } else if (owner_kind == FACT_OF_WORK) {
            ok = add_mark(source, lesson, &fact, owner);
        } else {
            ok = add_fact(source, lesson, &fact);
        }
        more = ok && cursor_next(&cursor, &key, &row);
    }
    cursor_close(&cursor);
    return ok && source->views->status == STATUS_OK;
}

Zhurnal__V1__PageLesson *page_lesson(struct page_source *source, const struct fact *held)
{
    assert(held->kind == FACT_LESSON);

    Zhurnal__V1__PageLesson *lesson = arena_alloc(source->arena, sizeof *lesson);
    if (lesson == NULL) {
        return NULL;
    }
    zhurnal__v1__page_lesson__init(lesson);
    lesson->lesson = held->b;
    lesson->day = (uint32_t)(held->a >> 32);
    lesson->slot = (uint32_t)held->a;
    lesson->number = held->lesson.number;
    lesson->index = held->head.root_index;
    lesson->topic = text_copy(source, held->lesson.topic);
    lesson->ref = make_ref(source, &held->head);
    bool ok = lesson->topic != NULL && lesson->ref != NULL &&
        add_owned(source, lesson, FACT_OF_LESSON, lesson->lesson);
    for (size_t i = 0; ok && i < lesson->n_works; i++) {
        ok = add_owned(source, lesson, FACT_OF_WORK, lesson->works[i]->work);
    }
    return ok ? lesson : NULL;
}
