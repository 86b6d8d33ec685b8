/* What the documents say is what the code does: every rule and every event has its row. Run from
 * the project's root, as make does. */
#include "node/journal/verdict.h"
#include "tests/lib/test.h"

#include <stdio.h>
#include <string.h>

enum { FILE_MAX = 64 << 10, ROW_MAX = 128, KINDS_FROM = 100 };

static char text[FILE_MAX];

static void read_document(const char *path)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t size = fread(text, 1, sizeof text - 1, file);
    text[size] = '\0';
    fclose(file);
    assert_true(size < sizeof text - 1);
}

static void assert_row(uint32_t number, const char *name)
{
    char row[ROW_MAX];
    (void)snprintf(row, sizeof row, "\n| %u | %s |", (unsigned)number, name);
    if (strstr(text, row) == NULL) {
        fail_msg("no row for %u %s", (unsigned)number, name);
    }
}

static void every_rule_is_in_the_api(void **state)
{
    (void)state;
    read_document("docs/API.md");
#define X(name, number, grpc, sentence) \
    if ((number) != RULE_NONE) {        \
        assert_row((number), #name);    \
    }
    RULE_TABLE(X)
#undef X
}

/* school_registered → SchoolRegistered: the message's own name. */
static void every_event_is_in_the_catalogue(void **state)
{
    (void)state;
    read_document("docs/EVENTS.md");
    const ProtobufCMessageDescriptor *event = &zhurnal__v1__event__descriptor;
    for (unsigned i = 0; i < event->n_fields; i++) {
        if (event->fields[i].id > KINDS_FROM) {
            const ProtobufCMessageDescriptor *kind = event->fields[i].descriptor;
            assert_row(event->fields[i].id, kind->short_name);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rule_is_in_the_api),
        cmocka_unit_test(every_event_is_in_the_catalogue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
