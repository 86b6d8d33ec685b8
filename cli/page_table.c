#include "cli/page_table.h"

#include "cli/table.h"
#include "cli/text.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { LESSONS_ACROSS = 10, ROW_SIZE = 2048, DAY_SIZE = 12, DAY_WIDTH = 5 };
enum { HEAD_HANG = 2, LESSON_HANG = 11 };

static const char PUPIL[] = "Ученик";

/* A text that ends early rather than late. */
struct line {
    char *text;
    size_t size, used;
};

static void put(struct line *line, const char *text)
{
    size_t size = strlen(text);
    if (line->used + size + 1 <= line->size) {
        memcpy(line->text + line->used, text, size + 1);
        line->used += size;
    }
}

/* A name, which is one cell whatever is in it. */
static void put_name(struct line *line, const char *name)
{
    size_t begin = line->used;
    put(line, name);
    for (size_t i = begin; i < line->used; i++) {
        if (line->text[i] == '\t') {
            line->text[i] = ' ';
        }
    }
}

static void put_day(struct line *line, uint32_t day)
{
    char text[DAY_SIZE];
    snprintf(text, sizeof text, "%02u.%02u", day % 100, day / 100 % 100);
    put(line, text);
}

/* ---- a pupil at a lesson ---- */

static void put_mark(struct line *line, const Zhurnal__V1__Mark *mark)
{
    char text[DAY_SIZE];
    switch (mark == NULL ? 0 : (int)mark->mark_kind) {
    case ZHURNAL__V1__MARK_KIND__MARK_KIND_NUMBER:
        snprintf(text, sizeof text, "%u", mark->number);
        put(line, text);
        break;
    case ZHURNAL__V1__MARK_KIND__MARK_KIND_PASSED:
        put(line, "зач");
        break;
    case ZHURNAL__V1__MARK_KIND__MARK_KIND_FAILED:
        put(line, "незач");
        break;
    case ZHURNAL__V1__MARK_KIND__MARK_KIND_DEBT:
        put(line, ".");
        break;
    default:
        put(line, "?");
        break;
    }
}

static void put_attendance(struct line *line, const Zhurnal__V1__PageLesson *lesson, uint64_t pupil)
{
    for (size_t i = 0; i < lesson->n_attendance; i++) {
        const Zhurnal__V1__AttendanceException *exception = lesson->attendance[i];
        if (exception->pupil == pupil) {
            put(line, line->text[line->used - 1] != '\t' ? " " : "");
            put(line,
                exception->code == ZHURNAL__V1__ATTENDANCE_CODE__ATTENDANCE_CODE_LATE ? "ОП" : "Н");
        }
    }
}

static void put_cell(struct line *line, const Zhurnal__V1__PageLesson *lesson, uint64_t pupil)
{
    put(line, "\t");
    for (size_t i = 0; i < lesson->n_marks; i++) {
        if (lesson->marks[i]->pupil == pupil) {
            put(line, line->text[line->used - 1] != '\t' ? "/" : "");
            put_mark(line, lesson->marks[i]->mark);
        }
    }
    put_attendance(line, lesson, pupil);
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t width_of_names(const Zhurnal__V1__GetPageResponse *page)
{
    size_t width = text_width(PUPIL, sizeof PUPIL - 1);
    for (size_t i = 0; i < page->n_pupils; i++) {
        const char *name = page->pupils[i]->name;
        width = larger(width, text_width(name, strlen(name)));
    }
    return width;
}

static size_t width_of_lesson(const Zhurnal__V1__GetPageResponse *page, size_t lesson)
{
    char text[ROW_SIZE];
    size_t width = DAY_WIDTH;
    for (size_t i = 0; i < page->n_pupils; i++) {
        struct line line = {.text = text, .size = sizeof text};
        put_cell(&line, page->lessons[lesson], page->pupils[i]->person);
        width = larger(width, text_width(text + 1, line.used - 1)); /* Without its tab. */
    }
    return width;
}

/* The lesson behind the last that fits beside those from there on; one does always. */
static size_t end_of_block(const Zhurnal__V1__GetPageResponse *page, size_t from, size_t width)
{
    size_t used = width_of_names(page);
    size_t to = from;
    while (to < page->n_lessons && to - from < LESSONS_ACROSS) {
        used += TABLE_GAP + width_of_lesson(page, to);
        if (to > from && used > width) {
            break;
        }
        to++;
    }
    return to;
}

static int write_block(const Zhurnal__V1__GetPageResponse *page, size_t from, size_t to, FILE *out)
{
    char text[ROW_SIZE] = "";
    struct table table;
    struct line line = {.text = text, .size = sizeof text};
    put(&line, PUPIL);
    for (size_t i = from; i < to; i++) {
        put(&line, "\t");
        put_day(&line, page->lessons[i]->day);
    }
    table_init(&table, text);
    for (size_t p = 0; p < page->n_pupils; p++) {
        line.used = 0;
        text[0] = '\0';
        put_name(&line, page->pupils[p]->name);
        for (size_t i = from; i < to; i++) {
            put_cell(&line, page->lessons[i], page->pupils[p]->person);
        }
        table_add(&table, "%s", text);
    }
    int status = table_write(&table, out);
    table_deinit(&table);
    return status;
}

/* ---- what the signs mean ---- */

enum sign { SIGN_ABSENT, SIGN_LATE, SIGN_DEBT, SIGN_SEVERAL, SIGNS };

static unsigned marks_of(const Zhurnal__V1__PageLesson *lesson, uint64_t pupil)
{
    unsigned count = 0;
    for (size_t i = 0; i < lesson->n_marks; i++) {
        count += lesson->marks[i]->pupil == pupil;
    }
    return count;
}

static void look_at_lesson(const Zhurnal__V1__PageLesson *lesson, bool seen[SIGNS])
{
    for (size_t i = 0; i < lesson->n_attendance; i++) {
        bool late =
            lesson->attendance[i]->code == ZHURNAL__V1__ATTENDANCE_CODE__ATTENDANCE_CODE_LATE;
        seen[late ? SIGN_LATE : SIGN_ABSENT] = true;
    }
    for (size_t i = 0; i < lesson->n_marks; i++) {
        const Zhurnal__V1__Mark *mark = lesson->marks[i]->mark;
        bool debt = mark != NULL && mark->mark_kind == ZHURNAL__V1__MARK_KIND__MARK_KIND_DEBT;
        seen[SIGN_DEBT] = seen[SIGN_DEBT] || debt;
        seen[SIGN_SEVERAL] = seen[SIGN_SEVERAL] || marks_of(lesson, lesson->marks[i]->pupil) > 1;
    }
}

/* Only of those that are there. */
static void write_legend(const Zhurnal__V1__GetPageResponse *page, FILE *out)
{
    static const char *const meanings[SIGNS] = {[SIGN_ABSENT] = "Н — отсутствие",
        [SIGN_LATE] = "ОП — опоздание",
        [SIGN_DEBT] = ". — долг",
        [SIGN_SEVERAL] = "/ — между отметками одного урока"};
    bool seen[SIGNS] = {false};
    bool any = false;
    for (size_t i = 0; i < page->n_lessons; i++) {
        look_at_lesson(page->lessons[i], seen);
    }
    for (size_t i = 0; i < SIGNS; i++) {
        if (seen[i]) {
            (void)fprintf(out, "%s%s", any ? "; " : "", meanings[i]);
            any = true;
        }
    }
    (void)fputs(any ? "\n\n" : "", out);
}

/* ---- what a lesson brought ---- */

static const char *name_of(const Zhurnal__V1__GetPageResponse *page, uint64_t pupil)
{
    for (size_t i = 0; i < page->n_pupils; i++) {
        if (page->pupils[i]->person == pupil) {
            return page->pupils[i]->name;
        }
    }
    return "?";
}

static const char *work_text(Zhurnal__V1__WorkKind kind)
{
    static const char *const names[] = {"работа", "ответ", "контрольная", "диктант", "изложение",
        "сочинение", "лабораторная", "самостоятельная"};
    size_t i = (size_t)kind;
    return i < sizeof names / sizeof *names ? names[i] : names[0];
}

static void write_text(const char *text, FILE *out)
{
    text_write(text, strlen(text), out);
}

static void write_day(uint32_t day, FILE *out)
{
    char text[DAY_SIZE] = "";
    struct line line = {.text = text, .size = sizeof text};
    put_day(&line, day);
    (void)fputs(text, out);
}

static void write_homework(
    const Zhurnal__V1__GetPageResponse *page, const Zhurnal__V1__PageHomework *homework, FILE *out)
{
    (void)fputs("         Домашнее задание", out);
    if (homework->due_day != 0) {
        (void)fputs(" на ", out);
        write_day(homework->due_day, out);
    }
    for (size_t i = 0; i < homework->n_pupils; i++) {
        (void)fputs(i == 0 ? " (" : ", ", out);
        write_text(name_of(page, homework->pupils[i]), out);
    }
    (void)fputs(homework->n_pupils > 0 ? "): " : ": ", out);
    write_text(homework->text, out);
    (void)fputc('\n', out);
}

static void write_work(const Zhurnal__V1__PageWork *work, FILE *out)
{
    (void)fprintf(out, "         Работа: %s «", work_text(work->work_kind));
    write_text(work->title, out);
    (void)fprintf(out, "», вес %u\n", work->weight);
}

static void write_comment(
    const Zhurnal__V1__GetPageResponse *page, const Zhurnal__V1__PageComment *comment, FILE *out)
{
    (void)fputs("         ", out);
    write_text(name_of(page, comment->pupil), out);
    (void)fputs(": ", out);
    write_text(comment->text, out);
    (void)fputc('\n', out);
}

static void write_lesson(
    const Zhurnal__V1__GetPageResponse *page, const Zhurnal__V1__PageLesson *lesson, FILE *out)
{
    (void)fputs("  ", out);
    write_day(lesson->day, out);
    (void)fprintf(out, "  урок %u. ", lesson->number);
    write_text(lesson->topic, out);
    (void)fputs(lesson->attendance_taken ? "\n" : "  (посещаемость не отмечена)\n", out);
    for (size_t i = 0; i < lesson->n_works; i++) {
        write_work(lesson->works[i], out);
    }
    for (size_t i = 0; i < lesson->n_homework; i++) {
        write_homework(page, lesson->homework[i], out);
    }
    for (size_t i = 0; i < lesson->n_comments; i++) {
        write_comment(page, lesson->comments[i], out);
    }
}

static void write_lessons(const Zhurnal__V1__GetPageResponse *page, FILE *out)
{
    (void)fputs(page->n_lessons > 0 ? "Уроки:\n" : "Уроков нет.\n", out);
    for (size_t i = 0; i < page->n_lessons; i++) {
        write_lesson(page, page->lessons[i], out);
    }
}

static void write_heading(const Zhurnal__V1__GetPageResponse *page, FILE *out)
{
    const char *const parts[] = {
        page->school_name, page->class_name, page->subject_name, page->year_label};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        (void)fputs(i == 0 ? "" : ", ", out);
        write_text(parts[i], out);
    }
    (void)fputc('\n', out);
    for (size_t i = 0; i < page->n_teachers; i++) {
        (void)fputs(i == 0 ? "Учитель: " : ", ", out);
        write_text(page->teachers[i]->name, out);
    }
    (void)fputs(page->n_teachers > 0 ? "\n\n" : "\n", out);
}

static int write_wrapped(const Zhurnal__V1__GetPageResponse *page,
    void (*write)(const Zhurnal__V1__GetPageResponse *page, FILE *out), size_t hang, size_t width,
    FILE *out)
{
    char *text = NULL;
    size_t size;
    FILE *lines = open_memstream(&text, &size);
    if (lines == NULL) {
        return STATUS_NO_MEMORY;
    }
    write(page, lines);
    bool whole = !ferror(lines);
    whole = fclose(lines) == 0 && whole;
    for (const char *at = text; whole && *at != '\0';) {
        size_t length = strcspn(at, "\n");
        text_wrap(at, length, hang, width, out);
        at += length + 1;
    }
    free(text);
    return whole ? STATUS_OK : STATUS_NO_MEMORY;
}

int page_table_write(const Zhurnal__V1__GetPageResponse *page, size_t width, FILE *out)
{
    int status = write_wrapped(page, write_heading, HEAD_HANG, width, out);
    if (status == STATUS_OK && page->n_lessons == 0) {
        status = write_block(page, 0, 0, out);
    }
    for (size_t from = 0, to; from < page->n_lessons && status == STATUS_OK; from = to) {
        to = end_of_block(page, from, width);
        status = write_block(page, from, to, out);
        (void)fputc('\n', out);
    }
    if (status == STATUS_OK) {
        status = write_wrapped(page, write_legend, HEAD_HANG, width, out);
    }
    if (status == STATUS_OK) {
        status = write_wrapped(page, write_lessons, LESSON_HANG, width, out);
    }
    return status == STATUS_OK && ferror(out) ? STATUS_IO : status;
}
