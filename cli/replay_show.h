/* One record of the log, shown. */
#ifndef CLI_REPLAY_SHOW_H
#define CLI_REPLAY_SHOW_H

#include "proto/bytes.h"
#include "proto/status.h"
#include <zhurnal/v1/log.pb-c.h>

#include <stdio.h>

/* For people: index, time, who, what, verdict. */
void replay_show_line(const Zhurnal__V1__ReplayResponse *record, FILE *out);
/* "school entry-id index outcome", of commands alone. */
void replay_show_id(const Zhurnal__V1__ReplayResponse *record, FILE *out);
/* One line of JSON: the response, and what its bytes say. */
int replay_show_json(const Zhurnal__V1__ReplayResponse *record, FILE *out, struct error *err);
/* index u64, kind u8, length u32, all big-endian, and the bytes: equal on all nodes. */
void replay_show_raw(const Zhurnal__V1__ReplayResponse *record, FILE *out);

#endif
