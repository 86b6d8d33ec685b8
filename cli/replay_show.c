#include "cli/replay_show.h"

#include "cli/json.h"
#include "proto/guard.h"
#include "proto/hex.h"
#include "proto/integer.h"
#include <zhurnal/peer/v1/peer.pb-c.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TIME_SIZE = 32, ID_TEXT_SIZE = 33, MS_IN_S = 1000, ARENA_LIMIT = 64 << 20 };
enum { RAW_HEADER_SIZE = 8 + 1 + 4 };

/* NULL: it is not there, or does not decode. */
struct decoded {
    struct arena arena;
    const Zhurnal__V1__Entry *entry;
    const Zhurnal__V1__Draft *draft;
    const Zhurnal__Peer__V1__Membership *membership;
};

/* To be given back by arena_reset(&decoded->arena). */
static void decode(const Zhurnal__V1__ReplayResponse *record, struct decoded *decoded)
{
    struct bytes payload = bytes_of(record->entry.data, record->entry.len);
    *decoded = (struct decoded){0};
    arena_init(&decoded->arena, ARENA_LIMIT);
    if (record->kind == ZHURNAL__V1__RECORD_KIND__RECORD_KIND_MEMBERSHIP) {
        decoded->membership = (const void *)guard_decode(
            &zhurnal__peer__v1__membership__descriptor, payload, &decoded->arena, NULL);
    }
    if (record->kind == ZHURNAL__V1__RECORD_KIND__RECORD_KIND_COMMAND && payload.size > 0) {
        decoded->entry = (const void *)guard_decode(
            &zhurnal__v1__entry__descriptor, payload, &decoded->arena, NULL);
    }
    if (decoded->entry != NULL) {
        decoded->draft = (const void *)guard_decode(&zhurnal__v1__draft__descriptor,
            bytes_of(decoded->entry->draft.data, decoded->entry->draft.len), &decoded->arena, NULL);
    }
}

static const char *time_text(int64_t ms, char out[TIME_SIZE])
{
    time_t seconds = (time_t)(ms / MS_IN_S);
    struct tm tm;
    char text[TIME_SIZE - 8];
    if (gmtime_r(&seconds, &tm) == NULL ||
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm) == 0) {
        return "?";
    }
    snprintf(out, TIME_SIZE, "%s.%03dZ", text, (int)(ms % MS_IN_S));
    return out;
}

static const char *outcome_text(const Zhurnal__V1__Verdict *verdict)
{
    switch (verdict == NULL ? 0 : (int)verdict->outcome) {
    case ZHURNAL__V1__OUTCOME__OUTCOME_ACCEPTED:
        return "accepted";
    case ZHURNAL__V1__OUTCOME__OUTCOME_REFUSED:
        return "refused";
    case ZHURNAL__V1__OUTCOME__OUTCOME_DUPLICATE:
        return "duplicate";
    default:
        return "-";
    }
}

static const char *kind_text(Zhurnal__V1__RecordKind kind)
{
    switch ((int)kind) {
    case ZHURNAL__V1__RECORD_KIND__RECORD_KIND_COMMAND:
        return "command";
    case ZHURNAL__V1__RECORD_KIND__RECORD_KIND_BARRIER:
        return "barrier";
    case ZHURNAL__V1__RECORD_KIND__RECORD_KIND_MEMBERSHIP:
        return "membership";
    case ZHURNAL__V1__RECORD_KIND__RECORD_KIND_ERASED:
        return "erased";
    default:
        return "unknown kind";
    }
}

static const char *event_text(const Zhurnal__V1__Event *event)
{
    if ((int)event->kind_case == 0) {
        return "unknown_event";
    }
    const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(
        &zhurnal__v1__event__descriptor, (unsigned)event->kind_case);
    return field != NULL ? field->name : "unknown_event";
}

/* Equal ones in a row are counted. */
static void show_events(const Zhurnal__V1__Draft *draft, FILE *out)
{
    for (size_t i = 0; i < draft->n_events;) {
        const char *name = event_text(draft->events[i]);
        size_t same = 1;
        while (i + same < draft->n_events && event_text(draft->events[i + same]) == name) {
            same++;
        }
        (void)fprintf(out, i > 0 ? ", %s" : "  %s", name);
        if (same > 1) {
            (void)fprintf(out, " ×%zu", same);
        }
        i += same;
    }
}

static void show_outcome(const Zhurnal__V1__Verdict *verdict, FILE *out)
{
    (void)fprintf(out, "  %s", outcome_text(verdict));
    if (verdict != NULL && verdict->rule != 0) {
        (void)fprintf(out, " by rule %u", verdict->rule);
    }
}

/* Of the cluster itself "-". */
static void show_school(uint64_t school, FILE *out)
{
    if (school != 0) {
        (void)fprintf(out, "  school %" PRIu64, school);
    } else {
        (void)fputs("  -", out);
    }
}

static void show_command(
    const Zhurnal__V1__ReplayResponse *record, const struct decoded *decoded, FILE *out)
{
    char time[TIME_SIZE];
    if (decoded->draft != NULL) {
        const Zhurnal__V1__Principal *who = decoded->entry->principal;
        (void)fputs(time_text(decoded->entry->recorded_at_ms, time), out);
        show_school(decoded->draft->school, out);
        (void)fprintf(out, "  %s", who != NULL ? who->name : "-");
        show_outcome(record->verdict, out);
        show_events(decoded->draft, out);
    } else if (record->entry.len == 0 && record->verdict != NULL) {
        (void)fputs("command, not shown to this caller", out);
        show_school(record->verdict->school, out);
        show_outcome(record->verdict, out);
    } else {
        (void)fputs("command that does not decode", out);
    }
}

static void show_members(const Zhurnal__Peer__V1__Membership *membership, FILE *out)
{
    for (size_t i = 0; i < membership->n_members; i++) {
        const Zhurnal__Peer__V1__Member *member = membership->members[i];
        (void)fprintf(out, "  %" PRIx64 "=%s", member->node, member->address);
    }
    (void)fprintf(out, "  by %s", membership->who);
}

void replay_show_line(const Zhurnal__V1__ReplayResponse *record, FILE *out)
{
    struct decoded decoded;
    decode(record, &decoded);
    (void)fprintf(out, "%" PRIu64 "  ", record->index);
    if (record->kind == ZHURNAL__V1__RECORD_KIND__RECORD_KIND_COMMAND) {
        show_command(record, &decoded, out);
    } else {
        (void)fputs(kind_text(record->kind), out);
    }
    if (decoded.membership != NULL) {
        show_members(decoded.membership, out);
    }
    (void)fputc('\n', out);
    arena_reset(&decoded.arena);
}

void replay_show_id(const Zhurnal__V1__ReplayResponse *record, FILE *out)
{
    struct decoded decoded;
    char id[ID_TEXT_SIZE];
    decode(record, &decoded);
    if (decoded.draft != NULL && decoded.draft->entry_id.len == 16) {
        (void)fprintf(out, "%" PRIu64 " %s %" PRIu64 " %s\n", decoded.draft->school,
            hex_encode(decoded.draft->entry_id.data, 16, id), record->index,
            outcome_text(record->verdict));
    }
    arena_reset(&decoded.arena);
}

/* One member of the line's object; null for a message that is not there. */
static int write_member(
    const char *name, const ProtobufCMessage *message, FILE *out, struct error *err)
{
    char *text = NULL;
    int status = message != NULL ? json_encode(message, &text, err) : STATUS_OK;
    if (status == STATUS_OK) {
        (void)fprintf(out, "\"%s\":%s", name, text != NULL ? text : "null");
    }
    free(text);
    return status;
}

int replay_show_json(const Zhurnal__V1__ReplayResponse *record, FILE *out, struct error *err)
{
    struct decoded decoded;
    decode(record, &decoded);
    const struct {
        const char *name;
        const void *message;
    } members[] = {{"record", record}, {"entry", decoded.entry}, {"draft", decoded.draft},
        {"membership", decoded.membership}};
    int status = STATUS_OK;
    for (size_t i = 0; i < sizeof members / sizeof *members && status == STATUS_OK; i++) {
        (void)fputc(i == 0 ? '{' : ',', out);
        status = write_member(members[i].name, members[i].message, out, err);
    }
    (void)fputs("}\n", out);
    arena_reset(&decoded.arena);
    return status;
}

void replay_show_raw(const Zhurnal__V1__ReplayResponse *record, FILE *out)
{
    uint8_t header[RAW_HEADER_SIZE];
    put_u64_be(header, record->index);
    header[8] = (uint8_t)record->kind;
    put_u32_be(header + 9, (uint32_t)record->entry.len);
    (void)fwrite(header, 1, sizeof header, out);
    if (record->entry.len > 0) {
        (void)fwrite(record->entry.data, 1, record->entry.len, out);
    }
}
