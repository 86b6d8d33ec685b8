#include "cli/append_source.h"

#include "node/journal/submission.h"
#include "proto/uuid.h"
#include <zhurnal/v1/journal.pb-c.h>

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ARENA_LIMIT = 64 << 20, MS_IN_S = 1000, NS_IN_MS = 1000000, VARINT_BITS = 7 };

int append_source_open(struct append_source *source, const char *name, struct error *err)
{
    source->name = strcmp(name, "-") == 0 ? "standard input" : name;
    source->json.file = strcmp(name, "-") == 0 ? stdin : fopen(name, "rbe");
    return source->json.file != NULL
        ? STATUS_OK
        : error_set(err, STATUS_NOT_FOUND, "%s cannot be read: %s", name, strerrordesc_np(errno));
}

void append_source_close(struct append_source *source)
{
    if (source->json.file != NULL && source->json.file != stdin) {
        (void)fclose(source->json.file);
    }
    source->json.file = NULL;
}

/* ---- JSON ---- */

static int encode(const Zhurnal__V1__AppendRequest *request, struct append_item *item)
{
    item->size = protobuf_c_message_get_packed_size(&request->base);
    item->request = malloc(item->size + 1);
    if (item->request == NULL) {
        return STATUS_NO_MEMORY;
    }
    (void)protobuf_c_message_pack(&request->base, item->request);
    return STATUS_OK;
}

static void give_id(Zhurnal__V1__Draft *draft, uint8_t id[UUID_SIZE])
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uuid7((int64_t)now.tv_sec * MS_IN_S + now.tv_nsec / NS_IN_MS, id);
    draft->entry_id = (ProtobufCBinaryData){.data = id, .len = UUID_SIZE};
}

static int next_json(struct append_source *source, struct append_item *item, struct error *err)
{
    struct arena arena;
    ProtobufCMessage *message;
    uint8_t id[UUID_SIZE];
    arena_init(&arena, ARENA_LIMIT);
    int status = json_decode_next(
        &zhurnal__v1__append_request__descriptor, &source->json, &arena, &message, err);
    if (status == STATUS_OK) {
        Zhurnal__V1__AppendRequest *request = (Zhurnal__V1__AppendRequest *)message;
        request->check_only = request->check_only || source->check_only;
        if (request->draft != NULL && request->draft->entry_id.len == 0) {
            give_id(request->draft, id);
        }
        status = encode(request, item);
    }
    arena_reset(&arena);
    return status;
}

/* ---- length-delimited ---- */

/* AppendRequest.check_only = true. Of a field that stands twice the last one holds, so it is put
 * behind a request whose bytes stay as they came. */
static const uint8_t check_only[] = {4 << 3, 1};

static int read_length(struct append_source *source, size_t *length, struct error *err)
{
    *length = 0;
    for (unsigned shift = 0; shift < 4 * VARINT_BITS; shift += VARINT_BITS) {
        int byte = getc(source->json.file);
        if (byte == EOF) {
            return shift == 0 ? STATUS_NOT_FOUND
                              : error_set(err, STATUS_MALFORMED, "it ends within a length");
        }
        *length |= (size_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) {
            return STATUS_OK;
        }
    }
    return error_set(err, STATUS_MALFORMED, "a length is too long: is this length-delimited?");
}

static int next_delimited(struct append_source *source, struct append_item *item, struct error *err)
{
    int status = read_length(source, &item->size, err);
    if (status != STATUS_OK) {
        return status;
    }
    if (item->size > SUBMISSION_REQUEST_MAX) {
        return error_set(err, STATUS_TOO_LARGE, "it has %zu bytes, %d are allowed", item->size,
            SUBMISSION_REQUEST_MAX);
    }
    item->request = malloc(item->size + sizeof check_only);
    if (item->request == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    }
    if (fread(item->request, 1, item->size, source->json.file) != item->size) {
        free(item->request);
        item->request = NULL;
        return error_set(err, STATUS_MALFORMED, "it is cut short");
    }
    if (source->check_only) {
        memcpy(item->request + item->size, check_only, sizeof check_only);
        item->size += sizeof check_only;
    }
    return STATUS_OK;
}

/* ---- either ---- */

/* School and entry id, to tell the entries apart by. What does not parse is for the server to say.
 */
static void describe(struct append_item *item)
{
    struct arena arena;
    struct submission submission;
    arena_init(&arena, SUBMISSION_ARENA_LIMIT);
    int status = submission_parse(bytes_of(item->request, item->size), &arena, &submission, NULL);
    item->too_large = status == STATUS_TOO_LARGE;
    if (status == STATUS_OK) {
        item->school = submission.draft->school;
        memcpy(item->entry_id, submission.entry_id, sizeof item->entry_id);
    }
    arena_reset(&arena);
}

int append_source_next(struct append_source *source, struct append_item *item, struct error *err)
{
    struct error why = {0};
    *item = (struct append_item){.number = source->count + 1};
    int status =
        source->delimited ? next_delimited(source, item, &why) : next_json(source, item, &why);
    if (status == STATUS_OK) {
        source->count++;
        describe(item);
        return STATUS_OK;
    }
    if (ferror(source->json.file)) {
        return error_set(
            err, STATUS_IO, "%s cannot be read: %s", source->name, strerrordesc_np(errno));
    }
    return status == STATUS_NOT_FOUND
        ? status
        : error_set(err, status, "%s, entry %" PRIu64 ": %s", source->name, item->number, why.text);
}
