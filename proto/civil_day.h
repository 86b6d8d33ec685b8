/* A school day: a date of the Gregorian calendar as a number, 20261123. Pure; any thread. */
#ifndef PROTO_CIVIL_DAY_H
#define PROTO_CIVIL_DAY_H

#include <stdbool.h>
#include <stdint.h>

/* False for 0, and for 20261332. */
bool civil_day_exists(uint32_t day);

#endif
