/* What a year of the lifelike school comes to: shares, rates and sizes, counted from the bytes of
 * its entries, each with the bounds within which a school is like a real one. */
#ifndef TESTS_LIB_SCHOOL_STATISTICS_H
#define TESTS_LIB_SCHOOL_STATISTICS_H

#include "tests/lib/school.h"

enum { STATISTICS_FIGURES = 18 };

/* In hundredths, so that no machine rounds another way. */
struct school_figure {
    const char *name;          /* Static. */
    unsigned value, low, high; /* Bounds are inclusive. */
};

/* Of the whole school year that the options' day is in, entered as teachers do: whole_day is left
 * aside. False: no memory. */
bool statistics_of_year(
    const struct school_options *options, struct school_figure figures[STATISTICS_FIGURES]);

#endif
