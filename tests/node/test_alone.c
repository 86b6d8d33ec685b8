/* A start by oneself: in an empty directory, in one that another start has left, and in any other.
 */
#include "node/alone.h"
#include "rpc/certificate.h"
#include "storage/founding.h"
#include "tests/lib/killed.h"
#include "tests/lib/test.h"
#include "tests/lib/tmpdir.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAP = 8 << 20 };

static struct tmpdir dir;
static struct config config;

static void configure(const char *name)
{
    struct error err = {0};
    config_init(&config);
    snprintf(config.data, sizeof config.data, "%s", tmpdir_path(&dir, name));
    config.log_map = MAP;
    assert_int_equal(config_complete(&config, &err), STATUS_OK);
}

static int set_up(void **state)
{
    (void)state;
    tmpdir_make(&dir);
    configure("alone");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tmpdir_remove(&dir);
    return 0;
}

/* As the daemon starts; closed again. */
static int start(struct state_identity *identity, struct error *err)
{
    const struct store_options options = {.log_map = MAP, .views_map = MAP};
    struct store store = {0};
    *err = (struct error){0};
    int status = alone_take(&store, &config, err);
    if (status == STATUS_OK) {
        status = store_open(&store, &options, err);
    }
    if (status == STATUS_OK) {
        *identity = store.state.identity;
    }
    store_close(&store, false);
    return status;
}

static void assert_starts(void)
{
    struct state_identity identity;
    struct certificate certificate;
    struct error err;
    if (start(&identity, &err) != STATUS_OK ||
        certificate_describe(config.certificate, &certificate, &err) != STATUS_OK) {
        fail_msg("%s: %s", config.data, err.text);
    }
    assert_int_equal(certificate.identity.kind, IDENTITY_NODE);
    assert_int_equal(certificate.identity.node, identity.node);
    assert_memory_equal(certificate.identity.cluster, identity.cluster, UUID_SIZE);
}

static int refuse(struct error *err)
{
    struct state_identity identity;
    return start(&identity, err);
}

static void touch(const char *name)
{
    FILE *file = fopen(tmpdir_path(&dir, name), "we");
    assert_non_null(file);
    assert_int_equal(fclose(file), 0);
}

static unsigned count(const char *path)
{
    unsigned names = 0;
    DIR *stream = opendir(path);
    assert_non_null(stream);
    while (readdir(stream) != NULL) { // NOLINT(concurrency-mt-unsafe): it is ours alone
        names++;
    }
    (void)closedir(stream);
    return names - 2;
}

/* ---- a first start, and the next ---- */

static void an_empty_directory_founds_a_cluster_of_one(void **state)
{
    (void)state;
    assert_starts();
    assert_starts();
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
    assert_starts();
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
}

/* ---- refused ---- */

static void nobody_is_by_himself_beyond_loopback(void **state)
{
    (void)state;
    struct config narrow = config;
    struct error err = {0};
    config.listen_count = 0;
    assert_int_equal(config_add_listen(&config, "0.0.0.0:7400", &err), STATUS_OK);
    struct config wide = config;
    assert_int_equal(refuse(&err), STATUS_INVALID);
    assert_non_null(strstr(err.text, "zhurnalctl init"));
    assert_int_equal(access(config.data, F_OK), -1);
    config = narrow;
    assert_starts();
    config = wide;
    assert_int_equal(refuse(&err), STATUS_INVALID);
    assert_non_null(strstr(err.text, "zhurnalctl init"));
    config.from_file = true;
    assert_starts();
}

static void what_is_not_empty_is_left_as_it_is(void **state)
{
    (void)state;
    struct error err;
    assert_int_equal(mkdir(config.data, 0700), 0);
    touch("alone/notes.txt");
    assert_int_equal(refuse(&err), STATUS_EXISTS);
    assert_non_null(strstr(err.text, "not empty: notes.txt"));
    assert_int_equal(count(config.data), 1);
}

static void a_certificate_without_a_node_waits_for_its_founding(void **state)
{
    (void)state;
    struct error err;
    assert_int_equal(mkdir(config.data, 0700), 0);
    assert_int_equal(mkdir(tmpdir_path(&dir, "alone/tls"), 0700), 0);
    assert_int_equal(refuse(&err), STATUS_PRECONDITION);
    assert_non_null(strstr(err.text, "zhurnalctl init --data"));
    assert_int_equal(count(config.data), 1);
}

static void a_member_founds_nothing_by_himself(void **state)
{
    (void)state;
    struct error err;
    config.from_file = true;
    assert_int_equal(refuse(&err), STATUS_PRECONDITION);
    assert_non_null(strstr(err.text, "zhurnalctl init --data"));
    assert_int_equal(access(config.data, F_OK), -1);
}

/* ---- cut short ---- */

static void take_in_vain(void *arg)
{
    struct store store;
    struct error err;
    (void)arg;
    (void)alone_take(&store, &config, &err);
}

static void a_first_start_killed_at_any_step_is_made_good_by_the_next(void **state)
{
    (void)state;
    enum killed killed = KILLED;
    unsigned n = 0;
    while (killed == KILLED) {
        tear_down(state);
        set_up(state); /* Each has room kept ahead of its files. */
        killed = killed_at(++n, take_in_vain, NULL);
        if (killed == KILLED_CANNOT) {
            skip();
        }
        assert_starts();
    }
    assert_true(n > 50);
}

/* Files may grow to `limit` bytes, then it is as if the disk were full. */
static bool starts_with_files_of(rlim_t limit)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        const struct rlimit file_size = {.rlim_cur = limit, .rlim_max = limit};
        struct state_identity identity;
        struct error err;
        (void)signal(SIGXFSZ, SIG_IGN);
        (void)setrlimit(RLIMIT_FSIZE, &file_size);
        _exit(start(&identity, &err) == STATUS_OK ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status) == 0;
}

static void a_first_start_that_fails_leaves_nothing_but_its_lock(void **state)
{
    (void)state;
    unsigned failed = 0;
    for (rlim_t limit = 128; !founding_stands(config.data); limit += limit / 8) {
        if (!starts_with_files_of(limit) && !founding_stands(config.data)) {
            failed++;
            assert_int_equal(count(config.data), 1);
        }
    }
    assert_true(failed > 10);
    assert_starts();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_WITH_FIXTURE(an_empty_directory_founds_a_cluster_of_one),
        TEST_WITH_FIXTURE(each_kind_of_caller_has_a_certificate_for_its_owner_alone),
        TEST_WITH_FIXTURE(nobody_is_by_himself_beyond_loopback),
        TEST_WITH_FIXTURE(what_is_not_empty_is_left_as_it_is),
        TEST_WITH_FIXTURE(a_certificate_without_a_node_waits_for_its_founding),
        TEST_WITH_FIXTURE(a_member_founds_nothing_by_himself),
        TEST_WITH_FIXTURE(a_first_start_killed_at_any_step_is_made_good_by_the_next),
        TEST_WITH_FIXTURE(a_first_start_that_fails_leaves_nothing_but_its_lock),
    };
    return cmocka_run_group_tests_name("node/alone", tests, NULL, NULL);
}
