/* One lesson of a page with all that was recorded at it. Of page.c; any thread. */
#ifndef NODE_JOURNAL_PAGE_LESSON_H
#define NODE_JOURNAL_PAGE_LESSON_H

#include "node/journal/fact.h"
#include "node/journal/page.h"
#include "node/journal/unseal.h"

struct page_source {
    struct txn *views;
    struct journal *journal;
    struct unsealer unsealer;
    struct arena *arena;
    uint64_t school;
};

/* Room for one more in a list of pointers in the arena: items, or a larger copy of it. NULL: no
 * memory. */
void *page_grow(struct arena *arena, void *items, size_t count);

/* NULL: no memory, or the transaction failed. */
Zhurnal__V1__PageLesson *page_lesson(struct page_source *source, const struct fact *held);

#endif
