/* Messages as JSON: every message of the contract there and back, and what is refused. */
#include "cli/json.h"
#include "tests/lib/test.h"
#include <zhurnal/peer/v1/peer.pb-c.h>
#include <zhurnal/v1/cluster.pb-c.h>
#include <zhurnal/v1/journal.pb-c.h>
#include <zhurnal/v1/log.pb-c.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TYPES_MAX = 256, ELEMENTS = 2, VARIANTS = 40, ARENA_LIMIT = 16 << 20 };

static struct arena arena;
static struct error err;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, ARENA_LIMIT);
    err = (struct error){0};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_reset(&arena);
    return 0;
}

/* ---- every message ---- */

struct types {
    const ProtobufCMessageDescriptor *list[TYPES_MAX];
    size_t count;
};

/* type, and what its fields are made of. */
static void collect(struct types *types, const ProtobufCMessageDescriptor *type)
{
    for (size_t i = 0; i < types->count; i++) {
        if (types->list[i] == type) {
            return;
        }
    }
    assert_true(types->count < TYPES_MAX);
    types->list[types->count++] = type;
    for (unsigned i = 0; i < type->n_fields; i++) {
        if (type->fields[i].type == PROTOBUF_C_TYPE_MESSAGE) {
            collect(types, type->fields[i].descriptor);
        }
    }
}

static void collect_service(struct types *types, const ProtobufCServiceDescriptor *service)
{
    for (unsigned i = 0; i < service->n_methods; i++) {
        collect(types, service->methods[i].input);
        collect(types, service->methods[i].output);
    }
}

static const ProtobufCMessage *fill(const ProtobufCMessageDescriptor *type, unsigned variant);

static void fill_number(ProtobufCType type, unsigned variant, void *at)
{
    static const uint64_t wide[] = {UINT64_MAX, 1, (uint64_t)INT64_MAX, (uint64_t)INT64_MIN};
    static const uint32_t narrow[] = {UINT32_MAX, 1, INT32_MAX, (uint32_t)INT32_MIN};
    bool is_wide = type == PROTOBUF_C_TYPE_INT64 || type == PROTOBUF_C_TYPE_SINT64 ||
        type == PROTOBUF_C_TYPE_SFIXED64 || type == PROTOBUF_C_TYPE_UINT64 ||
        type == PROTOBUF_C_TYPE_FIXED64;
    if (is_wide) {
        memcpy(at, &wide[variant % 4], sizeof *wide);
    } else {
        memcpy(at, &narrow[variant % 4], sizeof *narrow);
    }
}

static void fill_value(const ProtobufCFieldDescriptor *field, unsigned variant, void *at)
{
    static char text[] = "«5А» \"ё\"\\\n\t\x01 \xf0\x9f\x98\x80";
    static uint8_t bytes[] = {0, 0xff, 0x80, '"', 0xfb, 0xef};
    const ProtobufCEnumDescriptor *names = field->descriptor;
    switch ((int)field->type) {
    case PROTOBUF_C_TYPE_BOOL:
        *(protobuf_c_boolean *)at = 1;
        break;
    case PROTOBUF_C_TYPE_ENUM:
        /* The one behind the last has no name here. */
        *(int *)at = variant % (names->n_values + 1) < names->n_values
            ? names->values[variant % (names->n_values + 1)].value
            : 9999;
        break;
    case PROTOBUF_C_TYPE_STRING:
        *(char **)at = text;
        break;
    case PROTOBUF_C_TYPE_BYTES:
        *(ProtobufCBinaryData *)at =
            (ProtobufCBinaryData){.data = bytes, .len = 1 + variant % sizeof bytes};
        break;
    case PROTOBUF_C_TYPE_MESSAGE:
        *(const ProtobufCMessage **)at = fill(field->descriptor, variant);
        break;
    default:
        fill_number(field->type, variant, at);
        break;
    }
}

static size_t size_of(ProtobufCType type)
{
    switch ((int)type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_BOOL:
    case PROTOBUF_C_TYPE_ENUM:
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        return sizeof(uint32_t);
    default:
        return sizeof(uint64_t);
    }
}

/* Of the fields that exclude each other, as many times as there are variants, another one. */
static bool is_chosen(
    const ProtobufCMessageDescriptor *type, const ProtobufCFieldDescriptor *field, unsigned variant)
{
    unsigned rivals = 0;
    unsigned place = 0;
    for (unsigned i = 0; i < type->n_fields; i++) {
        if (type->fields[i].quantifier_offset == field->quantifier_offset) {
            place = &type->fields[i] == field ? rivals : place;
            rivals++;
        }
    }
    return variant % rivals == place;
}

static void fill_field(
    ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, unsigned variant)
{
    uint8_t *base = (uint8_t *)message;
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        size_t size = size_of(field->type);
        uint8_t *elements = arena_alloc(&arena, ELEMENTS * size);
        assert_non_null(elements);
        for (unsigned i = 0; i < ELEMENTS; i++) {
            fill_value(field, variant + i, elements + i * size);
        }
        memcpy(base + field->offset, &elements, sizeof elements);
        *(size_t *)(void *)(base + field->quantifier_offset) = ELEMENTS;
        return;
    }
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0) {
        if (!is_chosen(message->descriptor, field, variant)) {
            return;
        }
        *(uint32_t *)(void *)(base + field->quantifier_offset) = field->id;
    }
    fill_value(field, variant, base + field->offset);
}

/* Every field of it, in the arena. */
static const ProtobufCMessage *fill(const ProtobufCMessageDescriptor *type, unsigned variant)
{
    ProtobufCMessage *message = arena_alloc(&arena, type->sizeof_message);
    assert_non_null(message);
    protobuf_c_message_init(type, message);
    for (unsigned i = 0; i < type->n_fields; i++) {
        fill_field(message, &type->fields[i], variant);
    }
    return message;
}

static void assert_equal(const ProtobufCMessage *a, const ProtobufCMessage *b, const char *text)
{
    size_t size = protobuf_c_message_get_packed_size(a);
    uint8_t *packed[2] = {arena_alloc(&arena, size + 1), arena_alloc(&arena, size + 1)};
    assert_non_null(packed[0]);
    assert_non_null(packed[1]);
    if (protobuf_c_message_get_packed_size(b) != size) {
        fail_msg("%s: came back otherwise: %s", a->descriptor->name, text);
    }
    (void)protobuf_c_message_pack(a, packed[0]);
    (void)protobuf_c_message_pack(b, packed[1]);
    if (memcmp(packed[0], packed[1], size) != 0) {
        fail_msg("%s: came back otherwise: %s", a->descriptor->name, text);
    }
}

static void go_there_and_back(const ProtobufCMessage *message)
{
    char *text;
    ProtobufCMessage *back;
    assert_int_equal(json_encode(message, &text, &err), STATUS_OK);
    assert_null(strchr(text, '\n'));
    if (json_decode(message->descriptor, text, strlen(text), &arena, &back, &err) != STATUS_OK) {
        fail_msg("%s: %s: %s", message->descriptor->name, err.text, text);
    }
    assert_equal(message, back, text);
    free(text);
}

static void every_message_comes_back_as_it_was(void **state)
{
    (void)state;
    struct types types = {0};
    collect_service(&types, &zhurnal__v1__journal_service__descriptor);
    collect_service(&types, &zhurnal__v1__log_service__descriptor);
    collect_service(&types, &zhurnal__v1__cluster_service__descriptor);
    collect_service(&types, &zhurnal__peer__v1__peer_service__descriptor);
    collect(&types, &zhurnal__v1__entry__descriptor);
    collect(&types, &zhurnal__peer__v1__membership__descriptor);
    assert_true(types.count > 60);
    for (size_t i = 0; i < types.count; i++) {
        for (unsigned variant = 0; variant < VARIANTS; variant++) {
            go_there_and_back(fill(types.list[i], variant));
            arena_reset(&arena);
        }
    }
}

static void an_empty_message_is_an_empty_object(void **state)
{
    (void)state;
    const Zhurnal__V1__AppendRequest request = ZHURNAL__V1__APPEND_REQUEST__INIT;
    char *text;
    assert_int_equal(json_encode(&request.base, &text, &err), STATUS_OK);
    assert_string_equal(text, "{}");
    free(text);
}

/* ---- as proto3 JSON has it ---- */

static Zhurnal__V1__AppendRequest *decode(const char *text)
{
    ProtobufCMessage *message = NULL;
    if (json_decode(&zhurnal__v1__append_request__descriptor, text, strlen(text), &arena, &message,
            &err) != STATUS_OK) {
        return NULL;
    }
    return (Zhurnal__V1__AppendRequest *)message;
}

static void it_is_written_as_proto3_json_says(void **state)
{
    (void)state;
    static const char wanted[] =
        "{\"draft\":{\"entryId\":\"AP+A\",\"school\":\"9007199254740991\","
        "\"actor\":{\"person\":\"7\",\"role\":\"ROLE_HEAD\",\"onBehalfOf\":\"8\"},"
        "\"events\":[{\"day\":20261123,\"occurredAtMs\":\"-5\","
        "\"entryVoided\":{\"ref\":{\"entryId\":\"AQ==\",\"event\":1}}},{}]},"
        "\"checkOnly\":true}";
    char *text;
    const Zhurnal__V1__AppendRequest *request = decode(wanted);
    assert_non_null(request);
    assert_int_equal(request->draft->school, 9007199254740991);
    assert_int_equal(request->draft->events[0]->occurred_at_ms, -5);
    assert_int_equal(request->draft->events[0]->kind_case, ZHURNAL__V1__EVENT__KIND_ENTRY_VOIDED);
    assert_int_equal(json_encode(&request->base, &text, &err), STATUS_OK);
    assert_string_equal(text, wanted);
    free(text);
}

static void other_ways_to_write_it_are_read(void **state)
{
    (void)state;
    const Zhurnal__V1__AppendRequest *request =
        decode(" {\"check_only\": true, \"signature\": null, \"draft\": {\"entry_id\": \"-_8\","
               "\"school\": 77, \"actor\": {\"role\": 3, \"session\": \"\\u044f\"},"
               "\"events\": [{\"day\": \"20261123\", \"occurred_at_ms\": 5}]}} \n");
    assert_non_null(request);
    assert_true(request->check_only);
    assert_int_equal(request->draft->entry_id.len, 2);
    assert_memory_equal(request->draft->entry_id.data, "\xfb\xff", 2);
    assert_int_equal(request->draft->school, 77);
    assert_int_equal(request->draft->actor->role, ZHURNAL__V1__ROLE__ROLE_SUBJECT_TEACHER);
    assert_string_equal(request->draft->actor->session, "я");
    assert_int_equal(request->draft->events[0]->day, 20261123);
}

static void an_entry_id_is_read_as_it_is_shown(void **state)
{
    (void)state;
    static const char *const ids[] = {"AZpwAAAAcACAAAAAAAAAAQ==", "AZpwAAAAcACAAAAAAAAAAQ",
        "019a7000000070008000000000000001", "019A7000-0000-7000-8000-000000000001"};
    static const uint8_t wanted[] = {0x01, 0x9a, 0x70, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 1};
    char text[128];
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        (void)snprintf(text, sizeof text,
            "{\"draft\": {\"events\": [{\"entryVoided\": {\"ref\": {\"entryId\": \"%s\"}}}]}}",
            ids[i]);
        const Zhurnal__V1__AppendRequest *request = decode(text);
        assert_non_null(request);
        const Zhurnal__V1__EventRef *ref = request->draft->events[0]->entry_voided->ref;
        assert_int_equal(ref->entry_id.len, sizeof wanted);
        assert_memory_equal(ref->entry_id.data, wanted, sizeof wanted);
    }
    /* Other bytes are base64, whatever they look like. */
    const Zhurnal__V1__AppendRequest *request =
        decode("{\"signature\": \"019a7000000070008000000000000001\"}");
    assert_non_null(request);
    assert_int_equal(request->signature.len, 24);
}

static void what_is_wrong_is_named_by_its_path(void **state)
{
    (void)state;
    static const struct {
        const char *text, *sentence;
    } wrong[] = {
        {"{\"draft\": {\"events\": [{}, {\"dya\": 1}]}}", "draft.events[1].dya: there is no such"},
        {"{\"Draft\": {}}", "Draft: there is no such field: is it draft?"},
        {"{\"draft\": {\"events\": [{\"MarkSte\": {}}]}}", "is it markSet?"},
        {"{\"draft\": {\"entryid\": \"\"}}", "is it entryId?"},
        {"{\"somethingElse\": {}}", "somethingElse: there is no such field"},
        {"{\"draft\": {\"events\": {}}}", "draft.events: a list was expected"},
        {"{\"draft\": [1]}", "draft: an object was expected"},
        {"[]", "the object: an object was expected"},
        {"{\"draft\": {\"events\": [null]}}", "draft.events[0]: an object was expected"},
        {"{\"draft\": {\"events\": [{\"day\": -1}]}}", "draft.events[0].day: a whole number"},
        {"{\"draft\": {\"events\": [{\"day\": 1.5}]}}", "draft.events[0].day: a whole number"},
        {"{\"draft\": {\"events\": [{\"day\": 4294967296}]}}", "day: the number is too large"},
        {"{\"draft\": {\"events\": [{\"occurredAtMs\": \"9223372036854775808\"}]}}",
            "occurredAtMs: a whole number"},
        {"{\"draft\": {\"school\": \"18446744073709551616\"}}", "draft.school: a whole number"},
        {"{\"draft\": {\"school\": \"-1\"}}", "draft.school: a whole number"},
        {"{\"draft\": {\"school\": \" 1\"}}", "draft.school: a whole number"},
        {"{\"draft\": {\"school\": \"1x\"}}", "draft.school: a whole number"},
        {"{\"draft\": {\"school\": true}}", "draft.school: a whole number"},
        {"{\"draft\": {\"school\": {}}}", "draft.school: a whole number"},
        {"{\"draft\": {\"entryId\": \"A\"}}", "draft.entryId: this is not base64"},
        {"{\"draft\": {\"entryId\": \"A*==\"}}", "draft.entryId: this is not base64"},
        {"{\"draft\": {\"entryId\": 5}}", "draft.entryId: bytes in base64"},
        {"{\"draft\": {\"entryId\": \"019a7000-000070008000000000000001ab12\"}}",
            "draft.entryId: this is not base64"},
        {"{\"draft\": {\"actor\": {\"role\": \"HEAD\"}}}",
            "actor.role: there is no Role HEAD: ROLE_HEAD, ROLE_DEPUTY, ROLE_SUBJECT_TEACHER, "
            "ROLE_CLASS_TEACHER, ROLE_SUBSTITUTE, ROLE_SECRETARY, ROLE_TECH, ROLE_PUPIL, "
            "ROLE_GUARDIAN, ROLE_AUDITOR, ROLE_SYSTEM"},
        {"{\"draft\": {\"actor\": {\"role\": 1.5}}}", "actor.role: the name of a Role"},
        {"{\"draft\": {\"actor\": {\"role\": 4294967297}}}", "actor.role: the name of a Role"},
        {"{\"draft\": {\"actor\": {\"session\": 5}}}", "actor.session: a string was expected"},
        {"{\"checkOnly\": 1}", "checkOnly: true or false"},
        {"{\"draft\": {\"events\": [{\"markSet\": {}, \"lessonHeld\": {}}]}}",
            "only one of these may be set"},
        {"{\"checkOnly\": true, \"check_only\": false}", "it is there twice"},
        {"{\"checkOnly\": true, \"checkOnly\": true}", "this is not JSON: line 1"},
        {"{\"draft\": {\"actor\": {\"session\": \"\\u0000\"}}}", "this is not JSON"},
        {"{\"draft\": \xff}", "this is not JSON"},
        {"{\"draft\": {}", "this is not JSON"},
        {"{\"draft\": {}} {}", "this is not JSON"},
        {"", "this is not JSON"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (decode(wrong[i].text) != NULL) {
            fail_msg("'%s' was taken", wrong[i].text);
        }
        if (err.status != STATUS_INVALID || strstr(err.text, wrong[i].sentence) == NULL) {
            fail_msg("'%s': '%s'", wrong[i].text, err.text);
        }
    }
}

static void nesting_has_a_limit(void **state)
{
    (void)state;
    enum { DEEP = 10000 };
    static char text[2 * DEEP + 32] = "{\"draft\": {\"events\": ";
    size_t size = strlen(text);
    memset(text + size, '[', DEEP);
    assert_null(decode(text));
    assert_non_null(strstr(err.text, "depth"));
}

static void a_message_that_is_too_large_for_the_arena_is_refused(void **state)
{
    (void)state;
    arena.limit = 600;
    assert_null(decode("{\"draft\": {\"events\": [{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}]}}"));
    assert_int_equal(err.status, STATUS_NO_MEMORY);
}

static void a_stream_ends_between_two_objects(void **state)
{
    (void)state;
    static char text[] = " {\"checkOnly\": true}{} \n\n{\"checkOnly\": true} \n {";
    ProtobufCMessage *message;
    struct json_source source = {.file = fmemopen(text, sizeof text - 1, "r")};
    const ProtobufCMessageDescriptor *type = &zhurnal__v1__append_request__descriptor;
    assert_non_null(source.file);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(json_decode_next(type, &source, &arena, &message, &err), STATUS_OK);
        assert_int_equal(((Zhurnal__V1__AppendRequest *)message)->check_only, i % 2 == 0);
    }
    assert_int_equal(json_decode_next(type, &source, &arena, &message, &err), STATUS_INVALID);
    assert_int_equal(json_decode_next(type, &source, &arena, &message, &err), STATUS_NOT_FOUND);
    assert_int_equal(fclose(source.file), 0);
}

/* What is said of the last of these objects. */
static const char *wrong_in_stream(const char *text)
{
    ProtobufCMessage *message;
    int status = STATUS_OK;
    struct json_source source = {.file = fmemopen((char *)text, strlen(text), "r")};
    assert_non_null(source.file);
    while (status == STATUS_OK) {
        status = json_decode_next(
            &zhurnal__v1__append_request__descriptor, &source, &arena, &message, &err);
    }
    assert_int_equal(status, STATUS_INVALID);
    assert_int_equal(fclose(source.file), 0);
    return err.text;
}

static void what_is_wrong_in_a_stream_is_named_by_its_place(void **state)
{
    (void)state;
    assert_non_null(strstr(wrong_in_stream("{}\n\n  {\n\"draft\":,}"), "line 4, column 9: "));
    assert_non_null(strstr(wrong_in_stream("{} {\"draft\":,}"), "line 1, column 13: "));
    assert_non_null(
        strstr(wrong_in_stream("{\"signature\": null}\n {\"ё\": ]"), "line 2, column 8: "));
    assert_non_null(strstr(wrong_in_stream("{}\n[{}, {}]"), "without [ ]"));
    assert_non_null(strstr(wrong_in_stream("{},\n{}"), "without [ ] and commas"));
}

static void a_byte_order_mark_is_no_object(void **state)
{
    (void)state;
    static char text[] = "\xEF\xBB\xBF{\"checkOnly\": true}\n\xEF\xBB\xBF{}";
    struct json_source source = {.file = fmemopen(text, sizeof text - 1, "r")};
    const ProtobufCMessageDescriptor *type = &zhurnal__v1__append_request__descriptor;
    ProtobufCMessage *message;
    assert_non_null(source.file);
    assert_int_equal(json_decode_next(type, &source, &arena, &message, &err), STATUS_OK);
    assert_true(((Zhurnal__V1__AppendRequest *)message)->check_only);
    assert_int_equal(json_decode_next(type, &source, &arena, &message, &err), STATUS_OK);
    assert_int_equal(json_decode_next(type, &source, &arena, &message, &err), STATUS_NOT_FOUND);
    assert_int_equal(fclose(source.file), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_WITH_FIXTURE(every_message_comes_back_as_it_was),
        TEST_WITH_FIXTURE(an_empty_message_is_an_empty_object),
        TEST_WITH_FIXTURE(it_is_written_as_proto3_json_says),
        TEST_WITH_FIXTURE(other_ways_to_write_it_are_read),
        TEST_WITH_FIXTURE(an_entry_id_is_read_as_it_is_shown),
        TEST_WITH_FIXTURE(what_is_wrong_is_named_by_its_path),
        TEST_WITH_FIXTURE(nesting_has_a_limit),
        TEST_WITH_FIXTURE(a_message_that_is_too_large_for_the_arena_is_refused),
        TEST_WITH_FIXTURE(a_stream_ends_between_two_objects),
        TEST_WITH_FIXTURE(what_is_wrong_in_a_stream_is_named_by_its_place),
        TEST_WITH_FIXTURE(a_byte_order_mark_is_no_object),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
