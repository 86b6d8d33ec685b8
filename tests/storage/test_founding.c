/* How a cluster begins. */
#include "storage/founding.h"
#include "storage/log.h"
#include "storage/state.h"
#include "tests/lib/killed.h"
#include "tests/lib/test.h"
#include "tests/lib/tmpdir.h"
#include <zhurnal/peer/v1/peer.pb-c.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAP_SIZE = 1 << 20 };

static int set_up(void **state)
{
    static struct tmpdir dir;
    tmpdir_make(&dir);
    *state = &dir;
    return 0;
}

static int tear_down(void **state)
{
    tmpdir_remove(*state);
    return 0;
}

static struct founding three_founders(void)
{
    struct founding founding = {.cluster = {0xC1, 0xC2}, .epoch = 1};
    assert_int_equal(founding_add(&founding, 0xA3, "gamma.example:7003", NULL), STATUS_OK);
    assert_int_equal(founding_add(&founding, 0xA1, "127.0.0.1:7001", NULL), STATUS_OK);
    assert_int_equal(founding_add(&founding, 0xA2, "[::1]:7002", NULL), STATUS_OK);
    return founding;
}

static void assert_founding_equal(const struct founding *a, const struct founding *b)
{
    assert_memory_equal(a->cluster, b->cluster, UUID_SIZE);
    assert_int_equal(a->epoch, b->epoch);
    assert_int_equal(a->count, b->count);
    for (unsigned i = 0; i < a->count; i++) {
        assert_int_equal(a->members[i].node, b->members[i].node);
        assert_string_equal(a->members[i].address, b->members[i].address);
    }
}

static void members_stand_in_the_order_of_their_ids(void **state)
{
    (void)state;
    struct founding founding = three_founders();
    assert_int_equal(founding.members[0].node, 0xA1);
    assert_int_equal(founding.members[1].node, 0xA2);
    assert_int_equal(founding.members[2].node, 0xA3);
}

static void a_member_that_cannot_be_is_refused(void **state)
{
    (void)state;
    struct founding founding = three_founders();
    struct error err;
    assert_int_equal(founding_add(&founding, 0xA2, "x:1", &err), STATUS_INVALID);
    assert_non_null(strstr(err.text, "named twice"));
    assert_int_equal(founding_add(&founding, 0, "x:1", &err), STATUS_INVALID);
    assert_int_equal(founding_add(&founding, 0xB0, "127.0.0.1:7001", &err), STATUS_INVALID);
    assert_non_null(strstr(err.text, "another member's address"));
    static const char *const wrong[] = {"", "x", ":1", "x:", "x:0", "x:65536", "x:01", "x:1 ",
        "x:-1", "::1:7000", "[::1]", "[]:1", "[x]:1", "a b:1", "x;y:1", "x:1:2", "x:123456"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(founding_add(&founding, 0xB0, wrong[i], &err), STATUS_INVALID);
    }
    char longest[FOUNDING_ADDRESS_SIZE + 1];
    memset(longest, 'x', sizeof longest);
    memcpy(longest + sizeof longest - 3, ":1", 3);
    assert_int_equal(founding_add(&founding, 0xB0, longest, &err), STATUS_INVALID);
    assert_int_equal(founding_add(&founding, 0xB0, longest + 1, &err), STATUS_OK);
    for (uint64_t node = 0xB1; founding.count < FOUNDING_MEMBERS_MAX; node++) {
        char address[16];
        snprintf(address, sizeof address, "x%u:65535", (unsigned)node);
        assert_int_equal(founding_add(&founding, node, address, &err), STATUS_OK);
    }
    assert_int_equal(founding_add(&founding, 1, "x:1", &err), STATUS_INVALID);
    assert_int_equal(founding.count, FOUNDING_MEMBERS_MAX);
}

static void what_is_written_is_read(void **state)
{
    struct tmpdir *dir = *state;
    struct founding founding = three_founders();
    struct founding back;
    char address[FOUNDING_ADDRESS_SIZE];
    memset(address, 'x', sizeof address);
    memcpy(address + sizeof address - 7, ":65535", 7);
    assert_int_equal(founding_add(&founding, UINT64_MAX, address, NULL), STATUS_OK);
    founding.epoch = 42;
    const char *path = tmpdir_path(dir, "founding.ini");
    struct error err;
    assert_int_equal(founding_read(&back, path, &err), STATUS_NOT_FOUND);
    assert_int_equal(founding_write(&founding, path, &err), STATUS_OK);
    assert_int_equal(founding_write(&founding, path, &err), STATUS_EXISTS);
    assert_int_equal(founding_read(&back, path, &err), STATUS_OK);
    assert_founding_equal(&founding, &back);
}

static int read_text(
    struct tmpdir *dir, const char *text, struct founding *founding, struct error *err)
{
    const char *path = tmpdir_path(dir, "text.ini");
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    return founding_read(founding, path, err);
}

#define CLUSTER "[cluster]\nid = 000102030405060708090a0b0c0d0e0f\nepoch = 1\n"
#define MEMBER  "[member a1]\naddress = x:1\n"

static void a_file_written_by_hand_is_read(void **state)
{
    struct founding founding;
    struct error err;
    assert_int_equal(read_text(*state,
                         "# by hand\n\n" MEMBER "\n" CLUSTER
                         "[member 00000000000000A0] ; the other\naddress: y:2 ; here\n",
                         &founding, &err),
        STATUS_OK);
    assert_int_equal(founding.cluster[15], 15);
    assert_int_equal(founding.count, 2);
    assert_int_equal(founding.members[0].node, 0xA0);
    assert_string_equal(founding.members[0].address, "y:2");
}

static void a_file_that_says_less_or_else_is_refused(void **state)
{
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {"", "the cluster's id"},
        {CLUSTER, "a member"},
        {MEMBER, "the cluster's id"},
        {"[cluster]\nid = 000102030405060708090a0b0c0d0e0f\n" MEMBER, "the epoch"},
        {"[cluster]\nid = 0001\n", ":2:"},
        {"[cluster]\nepoch = 0\n", ":2:"},
        {"[cluster]\nepoch = -1\n", ":2:"},
        {"[cluster]\nepoch = 1x\n", ":2:"},
        {"[cluster]\nepoch = 9999999999999999999\n", ":2:"},
        {"[cluster]\nname = x\n", "name"},
        {CLUSTER "epoch = 2\n" MEMBER, ":4:"},
        {CLUSTER MEMBER "address = y:1\n", "named twice"},
        {CLUSTER MEMBER "  y:2\n", "named twice"},
        {CLUSTER MEMBER "weight = 2\n", "weight"},
        {CLUSTER MEMBER "[member a2]\n", "a member's address"},
        {CLUSTER MEMBER "[member 0]\naddress = x:1\n", "'0'"},
        {CLUSTER MEMBER "[other]\nx = 1\n", "other"},
        {CLUSTER MEMBER "nonsense\n", ":6:"},
        {"x = 1\n" CLUSTER MEMBER, "no such section"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct founding founding;
        struct error err = {0};
        assert_int_equal(read_text(*state, cases[i].text, &founding, &err), STATUS_INVALID);
        if (strstr(err.text, cases[i].reason) == NULL) {
            fail_msg("case %zu: '%s' does not say '%s'", i, err.text, cases[i].reason);
        }
    }
}

static void the_membership_is_what_the_file_says_and_no_more(void **state)
{
    (void)state;
    struct founding founding = three_founders();
    uint8_t *payload;
    size_t size;
    assert_int_equal(founding_membership(&founding, &payload, &size), STATUS_OK);
    Zhurnal__Peer__V1__Membership *m = zhurnal__peer__v1__membership__unpack(NULL, size, payload);
    assert_non_null(m);
    assert_int_equal(m->cluster.len, UUID_SIZE);
    assert_memory_equal(m->cluster.data, founding.cluster, UUID_SIZE);
    assert_int_equal(m->epoch, 1);
    assert_int_equal(m->n_members, 3);
    assert_int_equal(m->members[1]->node, 0xA2);
    assert_string_equal(m->members[1]->address, "[::1]:7002");
    assert_int_equal(m->members[1]->role, ZHURNAL__PEER__V1__MEMBER_ROLE__MEMBER_ROLE_VOTER);
    assert_string_equal(m->who, "founding");
    assert_string_equal(m->why, "");
    zhurnal__peer__v1__membership__free_unpacked(m, NULL);
    free(payload);
}

/* The stored bytes of index 1, malloc'ed. */
static uint8_t *first_record(struct tmpdir *dir, const char *name, size_t *size)
{
    struct env env;
    struct log log;
    struct env_options options = log_env_options(MAP_SIZE);
    assert_int_equal(env_open(&env, tmpdir_path(dir, name), &options, NULL), STATUS_OK);
    assert_int_equal(log_open(&log, &env, FOUNDING_GROUP, NULL), STATUS_OK);
    struct txn txn;
    txn_begin_read(&txn, &env);
    struct log_bounds bounds = log_bounds(&txn, &log);
    assert_int_equal(bounds.last_index, 1);
    assert_int_equal(bounds.last_term, 1);
    assert_int_equal(bounds.committed, 1);
    assert_int_equal(bounds.membership_index, 1);
    assert_int_equal(bounds.last_stamp_ms, 0);
    struct record record;
    assert_true(log_read(&txn, &log, 1, &record));
    assert_int_equal(record.kind, RECORD_MEMBERSHIP);
    struct bytes stored;
    static const uint8_t key[] = {0, 0, 0, 0, 0, 0, 0, 1};
    assert_true(txn_get(&txn, log.records, bytes_of(key, sizeof key), &stored));
    uint8_t *copy = malloc(stored.size);
    assert_non_null(copy);
    memcpy(copy, stored.data, stored.size);
    *size = stored.size;
    txn_abort(&txn);
    env_close(&env);
    return copy;
}

static void every_founder_writes_the_same_first_record(void **state)
{
    struct tmpdir *dir = *state;
    struct founding founding = three_founders();
    struct founding read;
    assert_int_equal(founding_write(&founding, tmpdir_path(dir, "f.ini"), NULL), STATUS_OK);
    assert_int_equal(founding_read(&read, tmpdir_path(dir, "f.ini"), NULL), STATUS_OK);
    assert_int_equal(
        founding_install(&founding, tmpdir_path(dir, "one"), 0xA1, MAP_SIZE, NULL), STATUS_OK);
    assert_int_equal(
        founding_install(&read, tmpdir_path(dir, "two/deep"), 0xA2, MAP_SIZE, NULL), STATUS_OK);
    size_t size_one;
    size_t size_two;
    uint8_t *one = first_record(dir, "one/log", &size_one);
    uint8_t *two = first_record(dir, "two/deep/log", &size_two);
    assert_int_equal(size_one, size_two);
    assert_memory_equal(one, two, size_one);
    free(one);
    free(two);
}

static void the_state_names_the_node_and_a_directory_of_its_own(void **state)
{
    struct tmpdir *dir = *state;
    struct founding founding = three_founders();
    struct state one;
    struct state two;
    assert_int_equal(
        founding_install(&founding, tmpdir_path(dir, "one"), 0xA1, MAP_SIZE, NULL), STATUS_OK);
    assert_int_equal(
        founding_install(&founding, tmpdir_path(dir, "two"), 0xA2, MAP_SIZE, NULL), STATUS_OK);
    assert_int_equal(state_open(&one, tmpdir_path(dir, "one/state"), NULL), STATUS_OK);
    assert_int_equal(state_open(&two, tmpdir_path(dir, "two/state"), NULL), STATUS_OK);
    assert_int_equal(one.identity.node, 0xA1);
    assert_int_equal(one.identity.epoch, 1);
    assert_int_equal(one.identity.group, FOUNDING_GROUP);
    assert_int_equal(one.term, 1);
    assert_int_equal(one.vote, 0);
    assert_memory_equal(one.identity.cluster, founding.cluster, UUID_SIZE);
    assert_memory_not_equal(one.identity.directory, two.identity.directory, UUID_SIZE);
    state_close(&one);
    state_close(&two);
}

static void a_directory_that_holds_anything_is_refused(void **state)
{
    struct tmpdir *dir = *state;
    struct founding founding = three_founders();
    struct error err;
    const char *path = tmpdir_path(dir, "one");
    assert_int_equal(founding_install(&founding, path, 0xA9, MAP_SIZE, &err), STATUS_INVALID);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(founding_install(&founding, path, 0xA1, MAP_SIZE, &err), STATUS_OK);
    assert_int_equal(founding_install(&founding, path, 0xA1, MAP_SIZE, &err), STATUS_EXISTS);
    assert_non_null(strstr(err.text, "node 00000000000000a1 of cluster c1c20000"));
    assert_int_equal(truncate(tmpdir_path(dir, "one/state"), 0), 0);
    path = tmpdir_path(dir, "one");
    assert_int_equal(founding_install(&founding, path, 0xA1, MAP_SIZE, &err), STATUS_EXISTS);
    assert_non_null(strstr(err.text, "does not read"));
    assert_int_equal(unlink(tmpdir_path(dir, "one/state")), 0);
    path = tmpdir_path(dir, "one");
    assert_int_equal(founding_install(&founding, path, 0xA1, MAP_SIZE, &err), STATUS_EXISTS);
    assert_non_null(strstr(err.text, "no state"));
}

static void touch(struct tmpdir *dir, const char *name)
{
    FILE *file = fopen(tmpdir_path(dir, name), "we");
    assert_non_null(file);
    assert_int_equal(fclose(file), 0);
}

static void what_stands_in_the_way_is_named(void **state)
{
    struct tmpdir *dir = *state;
    struct error err;
    assert_int_equal(founding_check(tmpdir_path(dir, "one"), NULL, &err), STATUS_OK);
    assert_int_equal(mkdir(tmpdir_path(dir, "one"), 0700), 0);
    assert_int_equal(mkdir(tmpdir_path(dir, "one/tls"), 0700), 0);
    touch(dir, "one/lock");
    assert_int_equal(founding_check(tmpdir_path(dir, "one"), NULL, &err), STATUS_OK);
    touch(dir, "one/zoo");
    touch(dir, "one/notes.txt");
    assert_int_equal(founding_check(tmpdir_path(dir, "one"), NULL, &err), STATUS_EXISTS);
    assert_non_null(strstr(err.text, "one is not empty: notes.txt stands there"));
    assert_int_equal(founding_check(tmpdir_path(dir, "one"), "notes.txt", &err), STATUS_EXISTS);
    assert_non_null(strstr(err.text, "one is not empty: zoo stands there"));
    assert_int_equal(founding_check(tmpdir_path(dir, "one/zoo"), NULL, &err), STATUS_IO);
}

static void a_founding_that_fails_may_be_tried_again(void **state)
{
    struct tmpdir *dir = *state;
    struct founding founding = three_founders();
    struct error err;
    assert_int_equal(mkdir(tmpdir_path(dir, "one"), 0700), 0);
    assert_int_equal(mkdir(tmpdir_path(dir, "one/state.new"), 0700), 0);
    const char *path = tmpdir_path(dir, "one");
    assert_int_equal(founding_install(&founding, path, 0xA1, MAP_SIZE, &err), STATUS_IO);
    assert_int_equal(access(tmpdir_path(dir, "one/log"), F_OK), -1);
    assert_int_equal(rmdir(tmpdir_path(dir, "one/state.new")), 0);
    path = tmpdir_path(dir, "one");
    assert_int_equal(founding_install(&founding, path, 0xA1, MAP_SIZE, &err), STATUS_OK);
}

/* ---- cut short ---- */

struct cut {
    struct founding founding;
    char path[TMPDIR_SIZE + 16];
};

static int found(const struct cut *cut, struct error *err)
{
    return founding_install(&cut->founding, cut->path, 0xA1, MAP_SIZE, err);
}

static void found_in_vain(void *arg)
{
    (void)found(arg, NULL);
}

/* It may have been cut short twice, and it may have been at its end. */
static void assert_made_good(struct tmpdir *dir, const struct cut *cut, const char *name)
{
    char log[64];
    size_t size;
    struct state s;
    struct error err = {0};
    snprintf(log, sizeof log, "%s/log", name);
    int status = founding_check(cut->path, NULL, &err);
    status = status == STATUS_OK ? found(cut, &err) : status;
    if (status != STATUS_OK && strstr(err.text, "is the data of node") == NULL) {
        fail_msg("%s: %s", name, err.text);
    }
    free(first_record(dir, log, &size));
    snprintf(log, sizeof log, "%s/state", name);
    assert_int_equal(state_open(&s, tmpdir_path(dir, log), &err), STATUS_OK);
    state_close(&s);
    assert_int_equal(founding_check(cut->path, NULL, &err), STATUS_EXISTS);
}

static void a_founding_killed_at_any_step_is_made_good_by_the_next(void **state)
{
    struct tmpdir *dir = *state;
    struct cut cut = {.founding = three_founders()};
    enum killed killed = KILLED;
    unsigned n = 0;
    while (killed == KILLED) {
        char name[16];
        snprintf(name, sizeof name, "n%u", ++n);
        snprintf(cut.path, sizeof cut.path, "%s", tmpdir_path(dir, name));
        killed = killed_at(n, found_in_vain, &cut);
        if (killed == KILLED_CANNOT) {
            skip();
        }
        (void)killed_at(n, found_in_vain, &cut);
        assert_made_good(dir, &cut, name);
    }
    assert_true(n > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_WITH_FIXTURE(members_stand_in_the_order_of_their_ids),
        TEST_WITH_FIXTURE(a_member_that_cannot_be_is_refused),
        TEST_WITH_FIXTURE(what_is_written_is_read),
        TEST_WITH_FIXTURE(a_file_written_by_hand_is_read),
        TEST_WITH_FIXTURE(a_file_that_says_less_or_else_is_refused),
        TEST_WITH_FIXTURE(the_membership_is_what_the_file_says_and_no_more),
        TEST_WITH_FIXTURE(every_founder_writes_the_same_first_record),
        TEST_WITH_FIXTURE(the_state_names_the_node_and_a_directory_of_its_own),
        TEST_WITH_FIXTURE(a_directory_that_holds_anything_is_refused),
        TEST_WITH_FIXTURE(what_stands_in_the_way_is_named),
        TEST_WITH_FIXTURE(a_founding_that_fails_may_be_tried_again),
        TEST_WITH_FIXTURE(a_founding_killed_at_any_step_is_made_good_by_the_next),
    };
    return cmocka_run_group_tests_name("storage/founding", tests, NULL, NULL);
}
