/* A page of the journal, in Russian, as it looks on paper: pupils down, lessons across, and below
 * them topics, works, homework and comments. */
#ifndef CLI_PAGE_TABLE_H
#define CLI_PAGE_TABLE_H

#include "proto/status.h"
#include <zhurnal/v1/journal.pb-c.h>

#include <stdio.h>

/* Within width where words and cells allow it. STATUS_OK, STATUS_NO_MEMORY or STATUS_IO. */
int page_table_write(const Zhurnal__V1__GetPageResponse *page, size_t width, FILE *out);

#endif
