/* The data directory: one process at a time, whole or refused. */
#include "node/alone.h"
#include "node/store.h"
#include "rpc/certificate.h"
#include "storage/founding.h"
#include "tests/lib/test.h"
#include "tests/lib/tmpdir.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NODE = 0xa1, MAP = 8 << 20 };

static struct tmpdir dir;
static const struct store_options options = {.log_map = MAP, .views_map = MAP};

static int set_up(void **state)
{
    (void)state;
    tmpdir_make(&dir);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tmpdir_remove(&dir);
    return 0;
}

/* A founded directory, as zhurnalctl init leaves it. */
static const char *founded(const char *name, uint8_t cluster)
{
    struct founding founding = {.epoch = 1};
    struct error err = {0};
    memset(founding.cluster, cluster, sizeof founding.cluster);
    assert_int_equal(founding_add(&founding, NODE, "127.0.0.1:7400", &err), STATUS_OK);
    assert_int_equal(
        founding_install(&founding, tmpdir_path(&dir, name), NODE, MAP, &err), STATUS_OK);
    return tmpdir_path(&dir, name);
}

static int open_in(struct store *store, const char *path, struct error *err)
{
    *err = (struct error){0};
    int status = store_lock(store, path, err);
    return status == STATUS_OK ? store_open(store, &options, err) : status;
}

static void what_was_founded_opens(void **state)
{
    (void)state;
    struct store store;
    struct error err;
    assert_int_equal(open_in(&store, founded("node", 1), &err), STATUS_OK);
    assert_int_equal(store.state.identity.node, NODE);
    assert_int_equal(store.state.term, FOUNDING_TERM);
    assert_int_equal(store.applied, 0);
    assert_int_equal(store.rebuild_to, 1);
    store_close(&store, false);
    assert_int_equal(open_in(&store, tmpdir_path(&dir, "node"), &err), STATUS_OK);
    store_close(&store, false);
}

static void a_directory_has_one_process_which_is_named(void **state)
{
    (void)state;
    struct store first;
    struct store second;
    struct error err;
    char process[32];
    assert_int_equal(open_in(&first, founded("node", 1), &err), STATUS_OK);
    assert_int_equal(open_in(&second, tmpdir_path(&dir, "node"), &err), STATUS_LOCKED);
    snprintf(process, sizeof process, "process %ld", (long)getpid());
    assert_non_null(strstr(err.text, process));
    store_close(&second, false);
    store_close(&first, false);
    assert_int_equal(open_in(&second, tmpdir_path(&dir, "node"), &err), STATUS_OK);
    store_close(&second, false);
}

static void without_a_founding_the_command_is_named(void **state)
{
    (void)state;
    struct store store;
    struct error err;
    const char *path = tmpdir_path(&dir, "node");
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(mkdir(tmpdir_path(&dir, "node/tls"), 0700), 0);
    assert_int_equal(open_in(&store, tmpdir_path(&dir, "node"), &err), STATUS_PRECONDITION);
    assert_non_null(strstr(err.text, "zhurnalctl init --data "));
    assert_non_null(strstr(err.text, "--founding FILE --node ID"));
    store_close(&store, false);
}

static void a_state_without_its_log_is_refused(void **state)
{
    (void)state;
    struct store store;
    struct error err;
    (void)founded("node", 1);
    assert_int_equal(unlink(tmpdir_path(&dir, "node/log/data.mdb")), 0);
    assert_int_equal(open_in(&store, tmpdir_path(&dir, "node"), &err), STATUS_PRECONDITION);
    assert_non_null(strstr(err.text, "no log"));
    assert_non_null(strstr(err.text, "new node"));
    store_close(&store, false);
}

static void a_log_without_its_state_is_refused(void **state)
{
    (void)state;
    struct store store;
    struct error err;
    (void)founded("node", 1);
    assert_int_equal(unlink(tmpdir_path(&dir, "node/state")), 0);
    assert_int_equal(open_in(&store, tmpdir_path(&dir, "node"), &err), STATUS_PRECONDITION);
    assert_non_null(strstr(err.text, "no state"));
    store_close(&store, false);
}

static void a_log_of_another_cluster_is_refused(void **state)
{
    (void)state;
    struct store store;
    struct error err;
    char other[512];
    (void)founded("node", 1);
    snprintf(other, sizeof other, "%s/log/data.mdb", founded("other", 2));
    assert_int_equal(rename(other, tmpdir_path(&dir, "node/log/data.mdb")), 0);
    assert_int_equal(open_in(&store, tmpdir_path(&dir, "node"), &err), STATUS_CORRUPT);
    assert_non_null(strstr(err.text, "different clusters"));
    store_close(&store, false);
}

static void a_log_that_is_no_database_is_refused(void **state)
{
    (void)state;
    struct store store;
    struct error err;
    char junk[8192];
    (void)founded("node", 1);
    memset(junk, 0x5a, sizeof junk);
    int fd = open(tmpdir_path(&dir, "node/log/data.mdb"), O_WRONLY);
    assert_int_equal(write(fd, junk, sizeof junk), sizeof junk);
    assert_int_equal(close(fd), 0);
    assert_int_equal(open_in(&store, tmpdir_path(&dir, "node"), &err), STATUS_CORRUPT);
    assert_true(err.text[0] != 0);
    store_close(&store, false);
}

static void views_that_are_ahead_of_the_log_are_dropped(void **state)
{
    (void)state;
    struct store store;
    struct error err;
    struct txn txn;
    assert_int_equal(open_in(&store, founded("node", 1), &err), STATUS_OK);
    txn_begin_write(&txn, &store.journal.views.env);
    views_stamp(&txn, &store.journal.views, 7);
    assert_int_equal(txn_commit(&txn), STATUS_OK);
    store_close(&store, false);
    assert_int_equal(open_in(&store, tmpdir_path(&dir, "node"), &err), STATUS_OK);
    assert_int_equal(store.applied, 0);
    store_close(&store, false);
}

/* The log learns what is committed with its next write, which a kill may forestall. */
static void views_that_are_ahead_of_what_is_known_to_be_committed_are_kept(void **state)
{
    (void)state;
    struct store store;
    struct error err;
    struct txn txn;
    const struct record record = {
        .index = 2, .term = 1, .kind = RECORD_BARRIER, .payload = bytes_of("", 0)};
    const struct log_write write = {.records = &record, .count = 1};
    assert_int_equal(open_in(&store, founded("node", 1), &err), STATUS_OK);
    txn_begin_write(&txn, &store.log_env);
    log_write(&txn, &store.log, &write);
    assert_int_equal(txn_commit(&txn), STATUS_OK);
    txn_begin_write(&txn, &store.journal.views.env);
    views_stamp(&txn, &store.journal.views, 2);
    assert_int_equal(txn_commit(&txn), STATUS_OK);
    store_close(&store, false);
    assert_int_equal(open_in(&store, tmpdir_path(&dir, "node"), &err), STATUS_OK);
    assert_int_equal(store.rebuild_to, 1);
    assert_int_equal(store.applied, 2);
    store_close(&store, false);
}

static void a_directory_is_empty_but_for_its_lock(void **state)
{
    (void)state;
    bool empty;
    struct error err;
    struct store store;
    assert_int_equal(store_is_empty(tmpdir_path(&dir, "none"), &empty, &err), STATUS_OK);
    assert_true(empty);
    assert_int_equal(mkdir(tmpdir_path(&dir, "node"), 0700), 0);
    assert_int_equal(store_lock(&store, tmpdir_path(&dir, "node"), &err), STATUS_OK);
    assert_int_equal(store_is_empty(tmpdir_path(&dir, "node"), &empty, &err), STATUS_OK);
    assert_true(empty);
    store_close(&store, false);
    assert_int_equal(mkdir(tmpdir_path(&dir, "node/tls"), 0700), 0);
    assert_int_equal(store_is_empty(tmpdir_path(&dir, "node"), &empty, &err), STATUS_OK);
    assert_false(empty);
}

/* ---- alone ---- */

static void found_alone(struct store *store, struct config *config)
{
    struct error err = {0};
    config_init(config);
    snprintf(config->data, sizeof config->data, "%s", tmpdir_path(&dir, "alone"));
    config->log_map = MAP;
    assert_int_equal(config_complete(config, &err), STATUS_OK);
    assert_int_equal(mkdir(config->data, 0700), 0);
    assert_int_equal(store_lock(store, config->data, &err), STATUS_OK);
    assert_int_equal(alone_found(store, config, &err), STATUS_OK);
}

static void an_empty_directory_founds_a_cluster_of_one(void **state)
{
    (void)state;
    static struct config config;
    struct store store;
    struct error err = {0};
    struct certificate certificate;
    found_alone(&store, &config);
    assert_int_equal(store_open(&store, &options, &err), STATUS_OK);
    assert_int_equal(certificate_describe(config.certificate, &certificate, &err), STATUS_OK);
    assert_int_equal(certificate.identity.kind, IDENTITY_NODE);
    assert_int_equal(certificate.identity.node, store.state.identity.node);
    assert_memory_equal(certificate.identity.cluster, store.state.identity.cluster, UUID_SIZE);
    assert_true(alone_is(&store));
    store_close(&store, false);
}

static void each_kind_of_caller_has_a_certificate_for_its_owner_alone(void **state)
{
    (void)state;
    static const struct {
        const char *certificate, *key;
        enum identity_kind kind;
        size_t schools;
    } files[] = {
        {"alone/tls/founder.pem", "alone/tls/founder.key", IDENTITY_FOUNDER, 0},
        {"alone/tls/operator.pem", "alone/tls/operator.key", IDENTITY_OPERATOR, 0},
        {"alone/tls/auditor.pem", "alone/tls/auditor.key", IDENTITY_AUDITOR, 0},
        {"alone/tls/frontend.pem", "alone/tls/frontend.key", IDENTITY_FRONTEND, 1},
    };
    static struct config config;
    struct store store;
    found_alone(&store, &config);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct certificate certificate;
        struct error err = {0};
        struct stat st;
        assert_int_equal(
            certificate_describe(tmpdir_path(&dir, files[i].certificate), &certificate, &err),
            STATUS_OK);
        assert_int_equal(certificate.identity.kind, files[i].kind);
        assert_int_equal(certificate.identity.school_count, files[i].schools);
        assert_int_equal(stat(tmpdir_path(&dir, files[i].key), &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
    store_close(&store, false);
}

static void nobody_founds_by_himself_beyond_loopback(void **state)
{
    (void)state;
    static struct config config;
    struct store store;
    struct error err = {0};
    bool empty;
    config_init(&config);
    snprintf(config.data, sizeof config.data, "%s", tmpdir_path(&dir, "alone"));
    assert_int_equal(config_add_listen(&config, "0.0.0.0:7400", &err), STATUS_OK);
    assert_int_equal(config_complete(&config, &err), STATUS_OK);
    assert_int_equal(mkdir(config.data, 0700), 0);
    assert_int_equal(store_lock(&store, config.data, &err), STATUS_OK);
    assert_int_equal(alone_found(&store, &config, &err), STATUS_INVALID);
    assert_non_null(strstr(err.text, "zhurnalctl init"));
    assert_int_equal(store_is_empty(config.data, &empty, &err), STATUS_OK);
    assert_true(empty);
    store_close(&store, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_WITH_FIXTURE(what_was_founded_opens),
        TEST_WITH_FIXTURE(a_directory_has_one_process_which_is_named),
        TEST_WITH_FIXTURE(without_a_founding_the_command_is_named),
        TEST_WITH_FIXTURE(a_state_without_its_log_is_refused),
        TEST_WITH_FIXTURE(a_log_without_its_state_is_refused),
        TEST_WITH_FIXTURE(a_log_of_another_cluster_is_refused),
        TEST_WITH_FIXTURE(a_log_that_is_no_database_is_refused),
        TEST_WITH_FIXTURE(views_that_are_ahead_of_the_log_are_dropped),
        TEST_WITH_FIXTURE(views_that_are_ahead_of_what_is_known_to_be_committed_are_kept),
        TEST_WITH_FIXTURE(a_directory_is_empty_but_for_its_lock),
        TEST_WITH_FIXTURE(an_empty_directory_founds_a_cluster_of_one),
        TEST_WITH_FIXTURE(each_kind_of_caller_has_a_certificate_for_its_owner_alone),
        TEST_WITH_FIXTURE(nobody_founds_by_himself_beyond_loopback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
