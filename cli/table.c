#include "cli/table.h"

#include "cli/text.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static void add(struct table *table, char *row)
{
    if (row != NULL && table->count == table->capacity) {
        size_t capacity = table->capacity == 0 ? 16 : 2 * table->capacity;
        char **rows = realloc((void *)table->rows, capacity * sizeof(char *));
        if (rows == NULL) {
            free(row);
            row = NULL;
        } else {
            table->rows = rows;
            table->capacity = capacity;
        }
    }
    if (row == NULL) {
        table->status = STATUS_NO_MEMORY;
        return;
    }
    table->rows[table->count++] = row;
}

void table_init(struct table *table, const char *head)
{
    *table = (struct table){0};
    add(table, strdup(head));
}

void table_add(struct table *table, const char *format, ...)
{
    char *row = NULL;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&row, format, arguments) < 0) {
        row = NULL;
    }
    va_end(arguments);
    add(table, row);
}

struct layout {
    size_t widths[TABLE_COLUMNS_MAX];
    bool right[TABLE_COLUMNS_MAX];
    size_t columns;
};

/* The next cell of a row; false at its end. */
static bool next_cell(const char **at, const char **cell, size_t *size)
{
    if (*at == NULL) {
        return false;
    }
    *cell = *at;
    *size = strcspn(*at, "\t");
    *at = (*at)[*size] == '\t' ? *at + *size + 1 : NULL;
    return true;
}

static void measure(const struct table *table, struct layout *layout)
{
    for (size_t r = 0; r < table->count; r++) {
        const char *at = table->rows[r];
        const char *cell;
        size_t size;
        for (size_t c = 0; c < TABLE_COLUMNS_MAX && next_cell(&at, &cell, &size); c++) {
            if (r == 0 && cell[0] == '>') {
                layout->right[c] = true;
                cell++;
                size--;
            }
            size_t width = text_width(cell, size);
            layout->widths[c] = width > layout->widths[c] ? width : layout->widths[c];
            layout->columns = c + 1 > layout->columns ? c + 1 : layout->columns;
        }
    }
}

static void pad(FILE *out, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        (void)fputc(' ', out);
    }
}

static void write_row(const struct layout *layout, const char *row, bool head, FILE *out)
{
    const char *at = row;
    const char *cell;
    size_t size;
    size_t owed = 0; /* Spaces that are written only if something follows. */
    for (size_t c = 0; c < layout->columns && next_cell(&at, &cell, &size); c++) {
        if (head && layout->right[c]) {
            cell++;
            size--;
        }
        size_t missing = layout->widths[c] - text_width(cell, size);
        if (size > 0) {
            pad(out, owed + (layout->right[c] ? missing : 0));
            text_write(cell, size, out);
            owed = TABLE_GAP + (layout->right[c] ? 0 : missing);
        } else {
            owed += TABLE_GAP + missing;
        }
    }
    (void)fputc('\n', out);
}

int table_write(const struct table *table, FILE *out)
{
    struct layout layout = {0};
    if (table->status != STATUS_OK) {
        return table->status;
    }
    measure(table, &layout);
    for (size_t r = 0; r < table->count; r++) {
        write_row(&layout, table->rows[r], r == 0, out);
    }
    return ferror(out) ? STATUS_IO : STATUS_OK;
}

void table_deinit(struct table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        free(table->rows[i]);
    }
    free((void *)table->rows);
}
