/* What a replay brought, counted: records by kind, commands by verdict, and effects, which are the
 * accepted entries. An entry that took effect twice would be a fault of the cluster. */
#ifndef CLI_REPLAY_COUNT_H
#define CLI_REPLAY_COUNT_H

#include "proto/status.h"
#include <zhurnal/v1/log.pb-c.h>

#include <stdbool.h>
#include <stdio.h>

enum { REPLAY_COUNT_KINDS = 5, REPLAY_COUNT_OUTCOMES = 4 };

struct replay_effect {
    uint64_t school;
    uint8_t entry_id[16];
};

struct replay_count {
    uint64_t kinds[REPLAY_COUNT_KINDS];       /* By number; what is unknown stands at 0. */
    uint64_t outcomes[REPLAY_COUNT_OUTCOMES]; /* The same. */
    uint64_t hidden;                          /* Accepted, and the caller may not see its id. */
    struct replay_effect *effects;
    size_t effect_count, effect_capacity;
    int status; /* The first failure. */
};

void replay_count_add(struct replay_count *count, const Zhurnal__V1__ReplayResponse *record);
/* STATUS_OK, STATUS_NO_MEMORY or STATUS_IO. */
int replay_count_write(struct replay_count *count, bool json, FILE *out);
void replay_count_deinit(struct replay_count *count);

#endif
