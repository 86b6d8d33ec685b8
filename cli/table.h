/* Columns that stand under each other, of UTF-8 text (cli/text.h). Pure but for writing. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include "proto/status.h"

#include <stddef.h>
#include <stdio.h>

enum { TABLE_COLUMNS_MAX = 40, TABLE_GAP = 2 };

struct table {
    char **rows; /* Cells separated by tabs; the first row is the head. */
    size_t count, capacity;
    int status; /* The first failure. */
};

/* Names of columns, separated by tabs; one that begins with > stands to the right. */
void table_init(struct table *table, const char *head);
void table_add(struct table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* STATUS_OK, STATUS_NO_MEMORY or STATUS_IO. */
int table_write(const struct table *table, FILE *out);
void table_deinit(struct table *table);

#endif
