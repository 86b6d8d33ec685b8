/* Which data directory stands behind a node's id. */
#include "node/directories.h"
#include "node/writer.h"
#include "tests/lib/solo.h"
#include "tests/lib/test.h"

#include <string.h>

enum { STRANGER = 0xee };

static const struct identity self = {
    .kind = IDENTITY_NODE, .node = SOLO_NODE, .name = "00000000000000a1"};
static const uint8_t other_directory[UUID_SIZE] = {9, 9, 9};

static int begin(void **state, unsigned voters)
{
    static struct solo solo;
    solo_open(&solo, voters);
    solo_run(&solo, 10);
    *state = &solo;
    return 0;
}

static int set_up(void **state)
{
    return begin(state, 1);
}

static int set_up_without_a_leader(void **state)
{
    return begin(state, 3);
}

static int tear_down(void **state)
{
    solo_close(*state);
    return 0;
}

static uint64_t denied_node;

static void deny(void *arg, uint64_t node, const char *why)
{
    (void)arg;
    assert_non_null(strstr(why, "a new one, under a new id"));
    denied_node = node;
}

static void start(struct directories *directories, struct solo *solo)
{
    denied_node = 0;
    directories_init(directories, &solo->state.identity, &self, deny, NULL);
    directories->group = solo->group;
}

static uint64_t last_index(struct solo *solo)
{
    return group_status(solo->group).driver.last_index;
}

static void turn(struct directories *directories, struct solo *solo)
{
    directories_turn(directories, solo->now_ms);
    solo_run(solo, 20);
}

static void a_leader_records_its_own_directory_once(void **state)
{
    struct solo *solo = *state;
    static struct directories directories;
    const uint8_t *own = solo->state.identity.directory;
    start(&directories, solo);
    assert_int_equal(directories_check(&solo->journal, SOLO_NODE, own, NULL), STATUS_NOT_FOUND);
    uint64_t before = last_index(solo);
    turn(&directories, solo);
    assert_int_equal(last_index(solo), before + 1);
    assert_int_equal(directories_check(&solo->journal, SOLO_NODE, own, NULL), STATUS_OK);
    turn(&directories, solo);
    assert_int_equal(last_index(solo), before + 1);
}

static void what_is_recorded_is_not_recorded_again_after_a_restart(void **state)
{
    struct solo *solo = *state;
    static struct directories directories;
    start(&directories, solo);
    turn(&directories, solo);
    solo_restart(solo);
    solo_run(solo, 10);
    uint64_t before = last_index(solo);
    start(&directories, solo);
    turn(&directories, solo);
    assert_int_equal(last_index(solo), before);
}

/* The disk works, apply does not come to it. */
static void write_without_applying(struct solo *solo)
{
    for (int i = 0; i < 10; i++) {
        struct driver_write *write = solo->writes;
        struct driver_write *rest = NULL;
        if (write != NULL) {
            assert_int_equal(writer_execute(&solo->log, NULL, write, &rest), STATUS_OK);
            solo->writes = rest;
        }
        while (write != rest) {
            struct driver_write *next = write->next;
            driver_written(group_driver(solo->group), write);
            write = next;
        }
        solo_turn(solo);
    }
}

static void nothing_is_recorded_twice_while_apply_is_behind(void **state)
{
    struct solo *solo = *state;
    static struct directories directories;
    start(&directories, solo);
    directories_turn(&directories, solo->now_ms);
    write_without_applying(solo);
    uint64_t before = last_index(solo);
    solo_restart(solo);
    start(&directories, solo);
    write_without_applying(solo);
    assert_true(driver_status(group_driver(solo->group)).accepts);
    assert_true(group_status(solo->group).applied.index < before);
    directories_turn(&directories, solo->now_ms);
    assert_false(directories.seen[0].asked);
    solo_run(solo, 20);
    turn(&directories, solo);
    assert_true(directories.seen[0].settled);
    assert_int_equal(last_index(solo), before);
}

static void another_directory_under_the_same_id_is_refused(void **state)
{
    struct solo *solo = *state;
    static struct directories directories;
    struct error err = {0};
    start(&directories, solo);
    turn(&directories, solo);
    assert_int_equal(
        directories_hello(&directories, SOLO_NODE, other_directory, &err), STATUS_DENIED);
    assert_non_null(strstr(err.text, "a new one, under a new id"));
    assert_int_equal(
        directories_hello(&directories, SOLO_NODE, solo->state.identity.directory, &err),
        STATUS_OK);
}

static void who_was_let_in_before_the_views_knew_is_denied_when_they_do(void **state)
{
    struct solo *solo = *state;
    static struct directories directories;
    start(&directories, solo);
    directories_turn(&directories, solo->now_ms);
    write_without_applying(solo);
    start(&directories, solo);
    assert_int_equal(directories_hello(&directories, SOLO_NODE, other_directory, NULL), STATUS_OK);
    directories_turn(&directories, solo->now_ms);
    assert_int_equal(denied_node, 0);
    solo_run(solo, 20);
    directories_turn(&directories, solo->now_ms);
    assert_int_equal(denied_node, SOLO_NODE);
}

static void who_is_no_member_is_not_recorded(void **state)
{
    struct solo *solo = *state;
    static struct directories directories;
    struct error err = {0};
    start(&directories, solo);
    turn(&directories, solo);
    uint64_t before = last_index(solo);
    assert_int_equal(directories_hello(&directories, STRANGER, other_directory, &err), STATUS_OK);
    turn(&directories, solo);
    assert_int_equal(last_index(solo), before);
}

static void only_a_leader_records(void **state)
{
    struct solo *solo = *state;
    static struct directories directories;
    start(&directories, solo);
    uint64_t before = last_index(solo);
    turn(&directories, solo);
    assert_int_equal(last_index(solo), before);
    assert_false(directories.seen[0].asked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_WITH_FIXTURE(a_leader_records_its_own_directory_once),
        TEST_WITH_FIXTURE(what_is_recorded_is_not_recorded_again_after_a_restart),
        TEST_WITH_FIXTURE(nothing_is_recorded_twice_while_apply_is_behind),
        TEST_WITH_FIXTURE(another_directory_under_the_same_id_is_refused),
        TEST_WITH_FIXTURE(who_was_let_in_before_the_views_knew_is_denied_when_they_do),
        TEST_WITH_FIXTURE(who_is_no_member_is_not_recorded),
        cmocka_unit_test_setup_teardown(only_a_leader_records, set_up_without_a_leader, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
