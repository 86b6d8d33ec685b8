/* gRPC's messages within a body that comes in pieces. */
#include "proto/status.h"
#include "rpc/framing.h"
#include "tests/lib/test.h"

#include <string.h>

enum { LARGEST = 1000 };

static int set_up(void **state)
{
    static struct framing framing;
    framing_init(&framing, LARGEST);
    *state = &framing;
    return 0;
}

static int tear_down(void **state)
{
    framing_deinit(*state);
    return 0;
}

static void push(struct framing *framing, const char *data, size_t size)
{
    assert_int_equal(framing_push(framing, bytes_of(data, size)), STATUS_OK);
}

static void expect(struct framing *framing, const char *text)
{
    struct bytes message;
    assert_int_equal(framing_take(framing, &message), STATUS_OK);
    assert_true(bytes_equal(message, bytes_of(text, strlen(text))));
}

static void expect_status(struct framing *framing, int status)
{
    struct bytes message;
    assert_int_equal(framing_peek(framing, &message), status);
    assert_int_equal(framing_take(framing, &message), status);
}

static void messages_come_out_as_they_went_in(void **state)
{
    struct framing *framing = *state;
    push(framing, "\0\0\0\0\3abc\0\0\0\0\0\0\0\0\0\2de\0\0", 22);
    expect(framing, "abc");
    expect(framing, "");
    expect(framing, "de");
    assert_int_equal(framing_held(framing), 2);
    expect_status(framing, STATUS_NOT_FOUND);
    push(framing, "\0\0\1f", 4);
    expect(framing, "f");
    assert_int_equal(framing_held(framing), 0);
}

static void a_message_may_come_byte_by_byte(void **state)
{
    static const char body[] = "\0\0\0\0\5hello\0\0\0\0\0";
    struct framing *framing = *state;
    for (size_t i = 0; i < sizeof body - 1; i++) {
        bool whole = i == 9 || i == 14;
        push(framing, &body[i], 1);
        if (whole) {
            expect(framing, i == 9 ? "hello" : "");
        } else {
            expect_status(framing, STATUS_NOT_FOUND);
        }
    }
    assert_int_equal(framing_held(framing), 0);
}

static void a_look_leaves_the_message_there(void **state)
{
    struct framing *framing = *state;
    struct bytes message;
    push(framing, "\0\0\0\0\1a\0\0\0\0\1b", 12);
    assert_int_equal(framing_peek(framing, &message), STATUS_OK);
    assert_int_equal(framing_held(framing), 12);
    expect(framing, "a");
    expect(framing, "b");
}

static void what_is_too_large_is_known_by_its_first_bytes(void **state)
{
    struct framing *framing = *state;
    uint8_t prefix[FRAMING_PREFIX_SIZE];
    static char text[LARGEST];
    framing_prefix(prefix, LARGEST);
    push(framing, (const char *)prefix, sizeof prefix);
    expect_status(framing, STATUS_NOT_FOUND);
    push(framing, text, sizeof text);
    struct bytes message;
    assert_int_equal(framing_take(framing, &message), STATUS_OK);
    assert_int_equal(message.size, LARGEST);
    framing_prefix(prefix, LARGEST + 1);
    push(framing, (const char *)prefix, sizeof prefix);
    expect_status(framing, STATUS_TOO_LARGE);
    push(framing, text, sizeof text);
    expect_status(framing, STATUS_TOO_LARGE);
}

static void all_four_bytes_of_a_length_count(void **state)
{
    struct framing *framing = *state;
    uint8_t prefix[FRAMING_PREFIX_SIZE];
    framing_prefix(prefix, 0x01020304);
    assert_memory_equal(prefix, "\0\1\2\3\4", sizeof prefix);
    push(framing, "\0\xff\0\0\0", 5);
    expect_status(framing, STATUS_TOO_LARGE);
}

static void what_is_compressed_is_told_from_what_is_nothing(void **state)
{
    struct framing *framing = *state;
    push(framing, "\1\0\0\0\1a", 6);
    expect_status(framing, STATUS_UNIMPLEMENTED);
    framing_deinit(framing);
    framing_init(framing, LARGEST);
    push(framing, "\2\0\0\0\1a", 6);
    expect_status(framing, STATUS_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_WITH_FIXTURE(messages_come_out_as_they_went_in),
        TEST_WITH_FIXTURE(a_message_may_come_byte_by_byte),
        TEST_WITH_FIXTURE(a_look_leaves_the_message_there),
        TEST_WITH_FIXTURE(what_is_too_large_is_known_by_its_first_bytes),
        TEST_WITH_FIXTURE(all_four_bytes_of_a_length_count),
        TEST_WITH_FIXTURE(what_is_compressed_is_told_from_what_is_nothing),
    };
    return cmocka_run_group_tests_name("rpc/framing", tests, NULL, NULL);
}
