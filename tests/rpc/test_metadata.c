/* gRPC's own headers: deadlines, sentences, details, codes. */
#include "rpc/metadata.h"
#include "tests/lib/random.h"
#include "tests/lib/test.h"

#include <nghttp2/nghttp2.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static struct bytes text_of(const char *text)
{
    return bytes_of(text, strlen(text));
}

/* ---- grpc-timeout ---- */

static void each_unit_of_time_is_read(void **state)
{
    static const struct {
        const char *text;
        uint64_t ms;
    } cases[] = {
        {"1H", 3600000},
        {"2M", 120000},
        {"3S", 3000},
        {"100m", 100},
        {"99999999m", METADATA_TIMEOUT_MAX_MS},
        {"86400000m", METADATA_TIMEOUT_MAX_MS},
        {"86399999m", 86399999},
        {"5000u", 5},
        {"5001u", 6}, /* Rather late than early. */
        {"1u", 1},
        {"1000000n", 1},
        {"1000001n", 2},
        {"1n", 1},
        {"0n", 0},
        {"00000001S", 1000},
        {"99999999H", METADATA_TIMEOUT_MAX_MS},
        {"99999999M", METADATA_TIMEOUT_MAX_MS},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t ms = UINT64_MAX;
        assert_true(metadata_timeout_decode(text_of(cases[i].text), &ms));
        assert_int_equal(ms, cases[i].ms);
    }
}

static void what_is_no_time_is_none(void **state)
{
    static const char *const cases[] = {"", "1", "m", "1s", "1h", "-1S", "+1S", " 1S", "1 S", "1S ",
        "1.5S", "0x1S", "999999999m", "1mm"};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t ms;
        if (metadata_timeout_decode(text_of(cases[i]), &ms)) {
            fail_msg("\"%s\" is taken for a time", cases[i]);
        }
    }
}

static void a_time_that_is_written_is_read_as_it_was(void **state)
{
    (void)state;
    for (uint64_t ms = 1; ms <= METADATA_TIMEOUT_MAX_MS; ms = ms * 3 + 1) {
        char text[METADATA_TIMEOUT_SIZE];
        uint64_t read = 0;
        size_t size = metadata_timeout_encode(ms, text);
        assert_true(metadata_timeout_decode(bytes_of(text, size), &read));
        assert_int_equal(read, ms);
    }
}

/* ---- grpc-message ---- */

static void expect_percent(const char *plain, const char *encoded)
{
    char out[128];
    size_t size = metadata_percent_encode(plain, out, sizeof out);
    assert_true(bytes_equal(bytes_of(out, size), text_of(encoded)));
    metadata_percent_decode(text_of(encoded), out, sizeof out);
    assert_string_equal(out, plain);
}

static void a_sentence_goes_as_printable_text(void **state)
{
    (void)state;
    expect_percent("", "");
    expect_percent("send again with the same id~", "send again with the same id~");
    expect_percent("100%", "100%25");
    expect_percent("\t\r\n\x7f", "%09%0D%0A%7F");
    expect_percent("дé😈", "%D0%B4%C3%A9%F0%9F%98%88");
}

static void a_full_sentence_ends_before_an_escape(void **state)
{
    char out[8];
    (void)state;
    assert_int_equal(metadata_percent_encode("abcdefghij", out, sizeof out), 8);
    assert_int_equal(metadata_percent_encode("abcdef\n", out, sizeof out), 6);
    assert_int_equal(metadata_percent_encode("abcde\n", out, sizeof out), 8);
    metadata_percent_decode(text_of("abcdefghij"), out, sizeof out);
    assert_string_equal(out, "abcdefg");
    metadata_percent_decode(text_of("abcdefghij"), out, 1);
    assert_string_equal(out, "");
}

static void what_is_no_escape_stays_as_it_is(void **state)
{
    static const char *const cases[][2] = {{"%", "%"}, {"%4", "%4"}, {"100%", "100%"},
        {"%zz", "%zz"}, {"%4g", "%4g"}, {"%41", "A"}, {"%e2%82%ac", "€"}, {"%%41", "%A"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[16];
        metadata_percent_decode(text_of(cases[i][0]), out, sizeof out);
        assert_string_equal(out, cases[i][1]);
    }
}

/* ---- -bin ---- */

/* RFC 4648 §10, without padding. */
static void details_are_base64(void **state)
{
    static const char *const cases[][2] = {{"", ""}, {"f", "Zg"}, {"fo", "Zm8"}, {"foo", "Zm9v"},
        {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff", "+/8"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[METADATA_BASE64_SIZE(8)];
        uint8_t decoded[16];
        size_t size = metadata_base64_encode(text_of(cases[i][0]), out);
        assert_true(bytes_equal(bytes_of(out, size), text_of(cases[i][1])));
        assert_true(metadata_base64_decode(text_of(cases[i][1]), decoded, &size));
        assert_true(bytes_equal(bytes_of(decoded, size), text_of(cases[i][0])));
    }
}

static void other_clients_base64_is_read_too(void **state)
{
    static const struct {
        const char *text;
        bool good;
        const char *plain;
    } cases[] = {
        {"Zg==", true, "f"},
        {"Zm8=", true, "fo"},
        {"-_8", true, "\xfb\xff"}, /* RFC 4648 §5 */
        {"Z", false, NULL},
        {"Zm9vY", false, NULL},
        {"Zm 8", false, NULL},
        {"Zg=x", false, NULL},
        {"Z===", false, NULL},
        {"Zm8\n", false, NULL},
        {"=", true, ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t decoded[16];
        size_t size = 0;
        bool good = metadata_base64_decode(text_of(cases[i].text), decoded, &size);
        if (good != cases[i].good) {
            fail_msg("\"%s\" is %s", cases[i].text, good ? "taken" : "refused");
        }
        assert_true(!good || bytes_equal(bytes_of(decoded, size), text_of(cases[i].plain)));
    }
}

static void all_bytes_of_any_length_come_back(void **state)
{
    enum { SIZE_MAX_HERE = 300 };
    struct random_stream random = {.state = 3};
    (void)state;
    for (size_t size = 0; size <= SIZE_MAX_HERE; size++) {
        uint8_t data[SIZE_MAX_HERE];
        uint8_t decoded[METADATA_BASE64_SIZE(SIZE_MAX_HERE)];
        char out[METADATA_BASE64_SIZE(SIZE_MAX_HERE)];
        size_t back = 0;
        for (size_t i = 0; i < size; i++) {
            data[i] = (uint8_t)random_next(&random);
        }
        size_t encoded = metadata_base64_encode(bytes_of(data, size), out);
        assert_true(encoded <= METADATA_BASE64_SIZE(size));
        assert_true(metadata_base64_decode(bytes_of(out, encoded), decoded, &back));
        assert_true(bytes_equal(bytes_of(decoded, back), bytes_of(data, size)));
    }
}

/* ---- codes ---- */

static void a_code_is_a_small_number(void **state)
{
    static const char *const bad[] = {"", "17", "99", "100", "-1", " 1", "1 ", "x", "0x1"};
    (void)state;
    for (int code = GRPC_OK; code <= GRPC_UNAUTHENTICATED; code++) {
        char text[4];
        (void)snprintf(text, sizeof text, "%d", code);
        assert_int_equal(metadata_code_decode(text_of(text)), code);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(metadata_code_decode(text_of(bad[i])), GRPC_UNKNOWN);
    }
}

/* https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md, and PROTOCOL-HTTP2.md
 */
static void a_call_without_a_code_has_that_of_http(void **state)
{
    (void)state;
    assert_int_equal(metadata_code_of_http(400), GRPC_INTERNAL);
    assert_int_equal(metadata_code_of_http(401), GRPC_UNAUTHENTICATED);
    assert_int_equal(metadata_code_of_http(403), GRPC_PERMISSION_DENIED);
    assert_int_equal(metadata_code_of_http(404), GRPC_UNIMPLEMENTED);
    for (int status = 502; status <= 504; status++) {
        assert_int_equal(metadata_code_of_http(status), GRPC_UNAVAILABLE);
    }
    assert_int_equal(metadata_code_of_http(429), GRPC_UNAVAILABLE);
    assert_int_equal(metadata_code_of_http(500), GRPC_UNKNOWN);
    assert_int_equal(metadata_code_of_http(200), GRPC_UNKNOWN);
    assert_int_equal(metadata_code_of_http2(NGHTTP2_REFUSED_STREAM), GRPC_UNAVAILABLE);
    assert_int_equal(metadata_code_of_http2(NGHTTP2_CANCEL), GRPC_CANCELLED);
    assert_int_equal(metadata_code_of_http2(NGHTTP2_ENHANCE_YOUR_CALM), GRPC_RESOURCE_EXHAUSTED);
    assert_int_equal(metadata_code_of_http2(NGHTTP2_INADEQUATE_SECURITY), GRPC_PERMISSION_DENIED);
    assert_int_equal(metadata_code_of_http2(NGHTTP2_NO_ERROR), GRPC_INTERNAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_unit_of_time_is_read),
        cmocka_unit_test(what_is_no_time_is_none),
        cmocka_unit_test(a_time_that_is_written_is_read_as_it_was),
        cmocka_unit_test(a_sentence_goes_as_printable_text),
        cmocka_unit_test(a_full_sentence_ends_before_an_escape),
        cmocka_unit_test(what_is_no_escape_stays_as_it_is),
        cmocka_unit_test(details_are_base64),
        cmocka_unit_test(other_clients_base64_is_read_too),
        cmocka_unit_test(all_bytes_of_any_length_come_back),
        cmocka_unit_test(a_code_is_a_small_number),
        cmocka_unit_test(a_call_without_a_code_has_that_of_http),
    };
    return cmocka_run_group_tests_name("rpc/metadata", tests, NULL, NULL);
}
