/* The founding file: read by libinih, which tells neither of empty sections nor of line numbers, so
 * that we count both. */
#include "proto/hex.h"
#include "storage/founding.h"

#include <ini.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char member_prefix[] = "member ";

struct reading {
    FILE *file;
    const char *path;
    struct founding *founding;
    struct error *err;
    int line;
    unsigned sections;
    bool has_id, has_epoch;
};

static char *read_line(char *out, int size, void *arg)
{
    struct reading *reading = arg;
    char *line = fgets(out, size, reading->file);
    if (line != NULL) {
        reading->line++;
        reading->sections += line[strspn(line, " \t")] == '[';
    }
    return line;
}

/* Keeps the first reason. Returns 0, which tells libinih. */
static int refuse(struct reading *reading, const char *reason, const char *what)
{
    if (reading->err->status == STATUS_OK) {
        error_set(reading->err, STATUS_INVALID, "%s:%d: %s '%s'", reading->path, reading->line,
            reason, what);
    }
    return 0;
}

static int on_cluster(struct reading *reading, const char *name, const char *value)
{
    if (strcmp(name, "id") == 0) {
        if (reading->has_id || !hex_decode(value, reading->founding->cluster, UUID_SIZE)) {
            return refuse(reading, "the cluster's id must be 32 hexadecimal digits, once:", value);
        }
        reading->has_id = true;
        return 1;
    }
    if (strcmp(name, "epoch") == 0) {
        enum { DIGITS_MAX = 18 };
        size_t digits = strspn(value, "0123456789");
        if (reading->has_epoch || digits == 0 || digits > DIGITS_MAX || value[digits] != 0 ||
            strtoull(value, NULL, 10) == 0) {
            return refuse(reading, "the epoch must be a number from 1, once:", value);
        }
        reading->founding->epoch = strtoull(value, NULL, 10);
        reading->has_epoch = true;
        return 1;
    }
    return refuse(reading, "[cluster] has no", name);
}

static int on_member(struct reading *reading, const char *id, const char *name, const char *value)
{
    uint64_t node;
    if (!hex_parse_id(id, &node)) {
        return refuse(reading, "not a node's id:", id);
    }
    if (strcmp(name, "address") != 0) {
        return refuse(reading, "[member] has no", name);
    }
    struct error why = {0};
    if (founding_add(reading->founding, node, value, &why) != STATUS_OK) {
        return refuse(reading, why.text, value);
    }
    return 1;
}

static int on_line(void *arg, const char *section, const char *name, const char *value)
{
    struct reading *reading = arg;
    if (strcmp(section, "cluster") == 0) {
        return on_cluster(reading, name, value);
    }
    if (strncmp(section, member_prefix, sizeof member_prefix - 1) == 0) {
        return on_member(reading, section + sizeof member_prefix - 1, name, value);
    }
    return refuse(reading, "no such section:", section);
}

static int check_complete(struct reading *reading)
{
    const struct founding *founding = reading->founding;
    const char *missing = !reading->has_id         ? "the cluster's id"
        : !reading->has_epoch                      ? "the epoch"
        : founding->count == 0                     ? "a member"
        : reading->sections != founding->count + 1 ? "a member's address, or one is split in two"
                                                   : NULL;
    if (missing != NULL) {
        return error_set(reading->err, STATUS_INVALID, "%s lacks %s", reading->path, missing);
    }
    return STATUS_OK;
}

int founding_read(struct founding *founding, const char *path, struct error *err)
{
    *founding = (struct founding){0};
    struct error why = {0};
    struct reading reading = {.path = path, .founding = founding, .err = &why};
    reading.file = fopen(path, "re");
    if (reading.file == NULL) {
        int status = errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO;
        return error_set(err, status, "cannot open %s: %s", path, strerrordesc_np(errno));
    }
    int line = ini_parse_stream(read_line, &reading, on_line, &reading);
    bool unreadable = ferror(reading.file) != 0;
    (void)fclose(reading.file);
    if (unreadable) {
        error_set(&why, STATUS_IO, "cannot read %s", path);
    } else if (line != 0 && why.status == STATUS_OK) {
        error_set(
            &why, STATUS_INVALID, "%s:%d: neither a [section] nor a name = value", path, line);
    } else if (why.status == STATUS_OK) {
        (void)check_complete(&reading);
    }
    return why.status == STATUS_OK ? STATUS_OK : error_set(err, why.status, "%s", why.text);
}

static void print(const struct founding *founding, FILE *file)
{
    char cluster[2 * UUID_SIZE + 1];
    char id[HEX_ID_SIZE];
    (void)fprintf(file, "; The founding of a cluster: its id and its first members.\n");
    (void)fprintf(file, "[cluster]\nid = %s\nepoch = %" PRIu64 "\n",
        hex_encode(founding->cluster, UUID_SIZE, cluster), founding->epoch);
    for (unsigned i = 0; i < founding->count; i++) {
        const struct founding_member *member = &founding->members[i];
        (void)fprintf(file, "\n[%s%s]\naddress = %s\n", member_prefix, hex_id(member->node, id),
            member->address);
    }
}

int founding_write(const struct founding *founding, const char *path, struct error *err)
{
    FILE *file = fopen(path, "wxe");
    if (file == NULL) {
        int status = errno == EEXIST ? STATUS_EXISTS : STATUS_IO;
        return error_set(err, status, "cannot make %s: %s", path, strerrordesc_np(errno));
    }
    print(founding, file);
    bool failed = fflush(file) != 0 || ferror(file) != 0 || fsync(fileno(file)) != 0;
    if (fclose(file) != 0 || failed) {
        (void)unlink(path);
        return error_set(err, STATUS_IO, "cannot write %s: %s", path, strerrordesc_np(errno));
    }
    return STATUS_OK;
}
