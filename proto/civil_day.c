#include "proto/civil_day.h"

enum { DAY = 100, YEAR = 10000, FEBRUARY = 2, MONTHS = 12, YEAR_MAX = 9999 };

static bool is_leap(uint32_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

bool civil_day_exists(uint32_t day)
{
    static const uint8_t days[MONTHS] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    uint32_t year = day / YEAR;
    uint32_t month = day / DAY % DAY;
    uint32_t of_month = day % DAY;
    if (year < 1 || year > YEAR_MAX || month < 1 || month > MONTHS) {
        return false;
    }
    uint32_t last = days[month - 1];
    last += month == FEBRUARY && is_leap(year);
    return of_month >= 1 && of_month <= last;
}
