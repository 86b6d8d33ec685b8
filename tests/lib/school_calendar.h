/* Days and bells of the lifelike school. A day is a yyyymmdd; an ordinal is the number of days
 * since 1970-01-01. Pure. */
#ifndef TESTS_LIB_SCHOOL_CALENDAR_H
#define TESTS_LIB_SCHOOL_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

enum { CALENDAR_SLOTS = 8, CALENDAR_WEEK_DAYS_MAX = 6, CALENDAR_DAY_MS = 24 * 60 * 60 * 1000 };

int32_t calendar_ordinal(uint32_t day);
uint32_t calendar_day(int32_t ordinal);

/* 0 is Monday. */
unsigned calendar_weekday(uint32_t day);

bool calendar_is_school_day(uint32_t day, unsigned week_days);

/* The year in which the school year of this day began; June to August belong to the year that
 * ended. */
unsigned calendar_school_year(uint32_t day);
/* The first and the last school day of the school year that begins in this year. */
uint32_t calendar_first_day(unsigned year, unsigned week_days);
uint32_t calendar_last_day(unsigned year, unsigned week_days);

/* The weeks of influenza: 26 January to 20 February. */
bool calendar_is_influenza(uint32_t day);

/* Minutes from midnight; slots count from 1. On Mondays the first lesson is shorter. */
unsigned calendar_bell_end(unsigned weekday, unsigned slot);

#endif
