#include "tests/lib/school_calendar.h"

#include "tests/lib/school.h"

#include <assert.h>

/* Between civil dates and ordinals as in https://howardhinnant.github.io/date_algorithms.html. */
int32_t calendar_ordinal(uint32_t day)
{
    int32_t month = (int32_t)(day / 100 % 100);
    int32_t year = (int32_t)(day / 10000) - (month <= 2);
    int32_t era = year / 400;
    int32_t year_of_era = year - era * 400;
    int32_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + (int32_t)(day % 100) - 1;
    int32_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

uint32_t calendar_day(int32_t ordinal)
{
    int32_t z = ordinal + 719468;
    int32_t era = z / 146097;
    int32_t day_of_era = z - era * 146097;
    int32_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int32_t shifted = (5 * day_of_year + 2) / 153;
    int32_t month = shifted < 10 ? shifted + 3 : shifted - 9;
    int32_t year = year_of_era + era * 400 + (month <= 2);
    return (uint32_t)(year * 10000 + month * 100 + day_of_year - (153 * shifted + 2) / 5 + 1);
}

/* 1970-01-01 was a Thursday. */
unsigned calendar_weekday(uint32_t day)
{
    int32_t ordinal = calendar_ordinal(day);
    assert(ordinal >= 0);
    return (unsigned)(ordinal + 3) % 7;
}

/* A holiday on a Saturday or Sunday is made up for on the next Monday. */
static bool is_holiday(uint32_t day)
{
    static const uint32_t holidays[] = {223, 308, 501, 509, 1104};
    int32_t ordinal = calendar_ordinal(day);
    for (size_t i = 0; i < sizeof(holidays) / sizeof(holidays[0]); i++) {
        uint32_t holiday = day / 10000 * 10000 + holidays[i];
        unsigned weekday = calendar_weekday(holiday);
        int32_t moved = calendar_ordinal(holiday) + (weekday == 5 ? 2 : weekday == 6 ? 1 : 0);
        if (day == holiday || ordinal == moved) {
            return true;
        }
    }
    return false;
}

bool calendar_is_school_day(uint32_t day, unsigned week_days)
{
    uint32_t date = day % 10000;
    bool in_quarter = (date >= 901 && date <= 1024) || (date >= 1105 && date <= 1230) ||
        (date >= 112 && date <= 327) || (date >= 406 && date <= 526);
    return in_quarter && calendar_weekday(day) < week_days && !is_holiday(day);
}

unsigned calendar_school_year(uint32_t day)
{
    return day / 10000 - (day % 10000 < 901);
}

uint32_t calendar_first_day(unsigned year, unsigned week_days)
{
    return school_day_after(year * 10000 + 831, week_days);
}

uint32_t calendar_last_day(unsigned year, unsigned week_days)
{
    return school_day_on_or_before((year + 1) * 10000 + 526, week_days);
}

bool calendar_is_influenza(uint32_t day)
{
    return day % 10000 >= 126 && day % 10000 <= 220;
}

unsigned calendar_bell_end(unsigned weekday, unsigned slot)
{
    static const unsigned ends[CALENDAR_SLOTS] = {
        9 * 60 + 10,
        9 * 60 + 55,
        10 * 60 + 45,
        11 * 60 + 30,
        12 * 60 + 20,
        13 * 60 + 30,
        14 * 60 + 15,
        14 * 60 + 50,
    };
    assert(slot >= 1 && slot <= CALENDAR_SLOTS);
    return weekday == 0 && slot == 1 ? 9 * 60 : ends[slot - 1];
}

/* Holidays are never longer than the summer. */
uint32_t school_day_on_or_before(uint32_t day, unsigned week_days)
{
    assert(week_days == 5 || week_days == 6);
    int32_t ordinal = calendar_ordinal(day);
    for (int32_t back = 0; back < 120; back++) {
        if (calendar_is_school_day(calendar_day(ordinal - back), week_days)) {
            return calendar_day(ordinal - back);
        }
    }
    assert(false);
    return 0;
}

uint32_t school_day_after(uint32_t day, unsigned week_days)
{
    assert(week_days == 5 || week_days == 6);
    int32_t ordinal = calendar_ordinal(day);
    for (int32_t on = 1; on < 120; on++) {
        if (calendar_is_school_day(calendar_day(ordinal + on), week_days)) {
            return calendar_day(ordinal + on);
        }
    }
    assert(false);
    return 0;
}
