/* Where append's requests come from: proto3 JSON, one object after another, or length-delimited
 * protobuf (each message after its length as a varint), from a file or standard input. */
#ifndef CLI_APPEND_SOURCE_H
#define CLI_APPEND_SOURCE_H

#include "cli/json.h"
#include "proto/bytes.h"
#include "proto/status.h"

struct append_source {
    struct json_source json; /* Its file is that of the other form too. */
    const char *name;
    bool delimited;
    bool check_only; /* Of every request. */
    uint64_t count;
};

/* One request, encoded. */
struct append_item {
    uint8_t *request; /* malloc'ed, the receiver's. */
    size_t size;
    bool too_large;  /* For any node, at any time. */
    uint64_t number; /* In the source, from 1. */
    uint64_t school;
    uint8_t entry_id[16];
};

/* "-" is standard input. */
int append_source_open(struct append_source *source, const char *name, struct error *err);
void append_source_close(struct append_source *source);

/* STATUS_NOT_FOUND: that was all. STATUS_IO: the source does not read. Otherwise STATUS_OK, or a
 * sentence that names the request. In JSON an entry id may be left out, and is made. */
int append_source_next(struct append_source *source, struct append_item *item, struct error *err);

#endif
