/* What append reads is what it sends, byte for byte. */
#include "cli/append_source.h"
#include "node/journal/submission.h"
#include "tests/lib/test.h"
#include "tests/lib/tmpdir.h"
#include <zhurnal/v1/journal.pb-c.h>

#include <stdlib.h>
#include <string.h>

static struct tmpdir dir;
static struct append_source source;
static struct append_item item;
static struct error err;

static int set_up(void **state)
{
    (void)state;
    tmpdir_make(&dir);
    source = (struct append_source){0};
    item = (struct append_item){0};
    err = (struct error){0};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    append_source_close(&source);
    free(item.request);
    tmpdir_remove(&dir);
    return 0;
}

static void give(const void *data, size_t size)
{
    FILE *file = fopen(tmpdir_path(&dir, "source"), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(append_source_open(&source, tmpdir_path(&dir, "source"), &err), STATUS_OK);
}

static int next(void)
{
    free(item.request);
    item.request = NULL;
    return append_source_next(&source, &item, &err);
}

/* A request as some client encodes it: its draft holds a field that we do not know, and the draft
 * stands behind the signature, as we would not put it. */
static const uint8_t strange[] = {0x1a, 1, 's', 0x0a, 38, 0x0a, 16, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
    10, 11, 12, 13, 14, 15, 0x11, 77, 0, 0, 0, 0, 0, 0, 0, 0x22, 5, 0x08, 0x83, 0xd2, 0xd4, 9, 0xfa,
    0x3e, 1, 'u'};

static void give_strange(void)
{
    uint8_t bytes[1 + sizeof strange];
    bytes[0] = sizeof strange;
    memcpy(bytes + 1, strange, sizeof strange);
    source.delimited = true;
    give(bytes, sizeof bytes);
}

static void delimited_bytes_stay_as_they_are(void **state)
{
    (void)state;
    give_strange();
    assert_int_equal(next(), STATUS_OK);
    assert_int_equal(item.size, sizeof strange);
    assert_memory_equal(item.request, strange, sizeof strange);
    assert_int_equal(item.number, 1);
    assert_int_equal(item.school, 77);
    assert_int_equal(item.entry_id[15], 15);
    assert_int_equal(next(), STATUS_NOT_FOUND);
}

static void check_only_reaches_delimited_requests_too(void **state)
{
    (void)state;
    source.check_only = true;
    give_strange();
    assert_int_equal(next(), STATUS_OK);
    assert_memory_equal(item.request, strange, sizeof strange);
    Zhurnal__V1__AppendRequest *request =
        zhurnal__v1__append_request__unpack(NULL, item.size, item.request);
    assert_non_null(request);
    assert_true(request->check_only);
    zhurnal__v1__append_request__free_unpacked(request, NULL);
}

static void what_is_not_delimited_is_refused(void **state)
{
    (void)state;
    source.delimited = true;
    give("\x05\x0a", 2);
    assert_int_equal(next(), STATUS_MALFORMED);
    assert_non_null(strstr(err.text, "entry 1: it is cut short"));
    append_source_close(&source);

    give("\xff\xff\xff\xff\xff", 5);
    assert_int_equal(next(), STATUS_MALFORMED);
    assert_non_null(strstr(err.text, "is this length-delimited?"));
    append_source_close(&source);

    give("\x80", 1);
    assert_int_equal(next(), STATUS_MALFORMED);
    append_source_close(&source);

    give("\x81\x80\x80\x01", 4); /* 2 MiB and a byte. */
    assert_int_equal(next(), STATUS_TOO_LARGE);
}

#define EVENT "\"events\": [{\"day\": 20261123}]"

static void json_objects_follow_each_other(void **state)
{
    (void)state;
    static const char text[] = "{\"draft\": {\"entryId\": \"AAECAwQFBgcICQoLDA0ODw==\",\n"
                               "  \"school\": \"77\", " EVENT "}}\n\n"
                               "{\"draft\": {\"entryId\": \"AAECAwQFBgcICQoLDA0OEA==\", "
                               "\"school\": 78, " EVENT "}}{\"draft\": {}}\n";
    give(text, sizeof text - 1);
    assert_int_equal(next(), STATUS_OK);
    assert_int_equal(item.school, 77);
    assert_int_equal(item.entry_id[15], 15);
    assert_int_equal(next(), STATUS_OK);
    assert_int_equal(item.school, 78);
    assert_int_equal(item.entry_id[15], 16);
    assert_int_equal(next(), STATUS_OK);
    assert_int_equal(item.number, 3);
    assert_int_equal(next(), STATUS_NOT_FOUND);
}

static void an_entry_id_that_is_left_out_is_made(void **state)
{
    (void)state;
    static const char text[] = "{\"draft\": {" EVENT "}} {\"draft\": {" EVENT "}}";
    uint8_t first[16];
    give(text, sizeof text - 1);
    assert_int_equal(next(), STATUS_OK);
    assert_int_equal(item.entry_id[6] >> 4, 7); /* RFC 9562: the version. */
    memcpy(first, item.entry_id, sizeof first);
    assert_int_equal(next(), STATUS_OK);
    assert_memory_not_equal(item.entry_id, first, sizeof first);
}

static void wrong_json_is_named_by_source_entry_and_path(void **state)
{
    (void)state;
    static const char text[] = "{\"draft\": {" EVENT "}} {\"draft\": {\"events\": [{\"dya\": 1}]}}";
    give(text, sizeof text - 1);
    assert_int_equal(next(), STATUS_OK);
    assert_int_equal(next(), STATUS_INVALID);
    assert_non_null(strstr(err.text, "source, entry 2: draft.events[0].dya: "));
}

/* A topic of a megabyte: the draft is larger than any may be. */
static void what_never_fits_is_known_to(void **state)
{
    (void)state;
    static const char head[] = "{\"draft\": {\"events\": [{\"lessonHeld\": {\"topic\": \"";
    static const char tail[] = "\"}}]}}";
    char *text = malloc(SUBMISSION_DRAFT_MAX + sizeof head + sizeof tail);
    assert_non_null(text);
    memcpy(text, head, sizeof head - 1);
    memset(text + sizeof head - 1, 'x', SUBMISSION_DRAFT_MAX);
    memcpy(text + sizeof head - 1 + SUBMISSION_DRAFT_MAX, tail, sizeof tail);
    give(text, strlen(text));
    free(text);
    assert_int_equal(next(), STATUS_OK);
    assert_true(item.too_large);
}

static void a_file_that_is_not_there_is_said(void **state)
{
    (void)state;
    assert_int_equal(append_source_open(&source, "/nowhere/x", &err), STATUS_NOT_FOUND);
    assert_non_null(strstr(err.text, "/nowhere/x"));
}

/* Opening a directory is no failure; reading it is. */
static void what_cannot_be_read_is_not_the_end(void **state)
{
    (void)state;
    for (int delimited = 0; delimited < 2; delimited++) {
        source.delimited = delimited == 1;
        assert_int_equal(append_source_open(&source, dir.path, &err), STATUS_OK);
        assert_int_equal(next(), STATUS_IO);
        assert_non_null(strstr(err.text, dir.path));
        assert_non_null(strstr(err.text, "cannot be read: Is a directory"));
        append_source_close(&source);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_WITH_FIXTURE(delimited_bytes_stay_as_they_are),
        TEST_WITH_FIXTURE(check_only_reaches_delimited_requests_too),
        TEST_WITH_FIXTURE(what_is_not_delimited_is_refused),
        TEST_WITH_FIXTURE(json_objects_follow_each_other),
        TEST_WITH_FIXTURE(an_entry_id_that_is_left_out_is_made),
        TEST_WITH_FIXTURE(wrong_json_is_named_by_source_entry_and_path),
        TEST_WITH_FIXTURE(what_never_fits_is_known_to),
        TEST_WITH_FIXTURE(a_file_that_is_not_there_is_said),
        TEST_WITH_FIXTURE(what_cannot_be_read_is_not_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
