#include "cli/page_table.h"

#include "cli/table.h"

#include <inttypes.h>
#include <string.h>

enum { LESSONS_ACROSS = 10, CELL_SIZE = 96, ROW_SIZE = 2048, DAY_SIZE = 12 };

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

static int write_block(const Zhurnal__V1__GetPageResponse *page, size_t from, size_t to, FILE *out)
{
    char text[ROW_SIZE] = "";
    struct table table;
    struct line line = {.text = text, .size = sizeof text};
    put(&line, "Ученик");
    for (size_t i = from; i < to; i++) {
        put(&line, "\t");
        put_day(&line, page->lessons[i]->day);
    }
    table_init(&table, text);
    for (size_t p = 0; p < page->n_pupils; p++) {
        line.used = 0;
        put(&line, page->pupils[p]->name);
        for (size_t i = from; i < to; i++) {
            put_cell(&line, page->lessons[i], page->pupils[p]->person);
        }
        table_add(&table, "%s", text);
    }
    int status = table_write(&table, out);
    table_deinit(&table);
    return status;
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

static void write_homework(const Zhurnal__V1__PageLesson *lesson, FILE *out)
{
    for (size_t i = 0; i < lesson->n_homework; i++) {
        char text[DAY_SIZE] = "";
        struct line due = {.text = text, .size = sizeof text};
        put_day(&due, lesson->homework[i]->due_day);
        (void)fprintf(
            out, "         Домашнее задание на %s: %s\n", text, lesson->homework[i]->text);
    }
}

static void write_lesson(
    const Zhurnal__V1__GetPageResponse *page, const Zhurnal__V1__PageLesson *lesson, FILE *out)
{
    char text[DAY_SIZE] = "";
    struct line day = {.text = text, .size = sizeof text};
    put_day(&day, lesson->day);
    (void)fprintf(out, "  %s  №%u %s%s\n", text, lesson->number, lesson->topic,
        lesson->attendance_taken ? "" : "  (посещаемость не отмечена)");
    for (size_t i = 0; i < lesson->n_works; i++) {
        (void)fprintf(out, "         Работа: %s «%s», вес %u\n",
            work_text(lesson->works[i]->work_kind), lesson->works[i]->title,
            lesson->works[i]->weight);
    }
    write_homework(lesson, out);
    for (size_t i = 0; i < lesson->n_comments; i++) {
        (void)fprintf(out, "         %s: %s\n", name_of(page, lesson->comments[i]->pupil),
            lesson->comments[i]->text);
    }
}

static void write_heading(const Zhurnal__V1__GetPageResponse *page, FILE *out)
{
    (void)fprintf(out, "%s, %s, %s, %s\n", page->school_name, page->class_name, page->subject_name,
        page->year_label);
    for (size_t i = 0; i < page->n_teachers; i++) {
        (void)fprintf(out, i == 0 ? "Учитель: %s" : ", %s", page->teachers[i]->name);
    }
    (void)fputs(page->n_teachers > 0 ? "\n\n" : "\n", out);
}

int page_table_write(const Zhurnal__V1__GetPageResponse *page, FILE *out)
{
    int status = STATUS_OK;
    write_heading(page, out);
    if (page->n_lessons == 0) {
        status = write_block(page, 0, 0, out);
    }
    for (size_t from = 0; from < page->n_lessons && status == STATUS_OK; from += LESSONS_ACROSS) {
        size_t to = from + LESSONS_ACROSS;
        status = write_block(page, from, to < page->n_lessons ? to : page->n_lessons, out);
        (void)fputc('\n', out);
    }
    (void)fputs(page->n_lessons > 0 ? "Уроки:\n" : "Уроков нет.\n", out);
    for (size_t i = 0; i < page->n_lessons; i++) {
        write_lesson(page, page->lessons[i], out);
    }
    if (status == STATUS_OK && ferror(out)) {
        status = STATUS_IO;
    }
    return status;
}
