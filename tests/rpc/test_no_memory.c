/* A server whose memory ends while a stranger connects. */
#include "rpc/client.h"
#include "rpc/server.h"
#include "tests/lib/test.h"
#include "tests/rpc/wild.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>

enum { LATE_MS = 15000, ALLOCATIONS_MAX = 100 };

/* The program's, libraries included: passes so many calls, then fails so many. */
static struct {
    unsigned pass, fail;
} shortage;

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): the names are glibc's. */
void *calloc(size_t count, size_t size)
{
    static void *(*real)(size_t count, size_t size);
    if (real == NULL) {
        *(void **)&real = dlsym(RTLD_NEXT, "calloc");
    }
    if (shortage.fail > 0 && shortage.pass-- == 0) {
        shortage.pass = 0;
        shortage.fail--;
        return NULL;
    }
    return real(count, size);
}

struct fixture {
    uv_loop_t loop;
    struct rpc_server *server;
    int port;
    struct wild wild;
    bool stopped;
};

static int set_up(void **state)
{
    static struct fixture f;
    const struct rpc_server_options options = {0};
    struct error err;
    f = (struct fixture){
        .wild = {.loop = &f.loop, .fd = -1, .late_ns = uv_hrtime() + UINT64_C(1000000) * LATE_MS}};
    assert_int_equal(uv_loop_init(&f.loop), 0);
    f.server = rpc_server_create(&f.loop, &options);
    assert_non_null(f.server);
    assert_int_equal(rpc_server_listen(f.server, "127.0.0.1", &f.port, &err), STATUS_OK);
    *state = &f;
    return 0;
}

static void on_stopped(void *arg)
{
    *(bool *)arg = true;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    shortage.fail = 0;
    rpc_server_stop(f->server, 0, on_stopped, &f->stopped);
    while (!f->stopped) {
        turn(&f->wild);
    }
    rpc_server_destroy(f->server);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    return 0;
}

static void who_finds_no_memory_keeps_nobody_else_out(void **state)
{
    struct fixture *f = *state;
    struct frame frame;
    bool failed = true;
    for (unsigned i = 0; failed; i++) {
        assert_true(i < ALLOCATIONS_MAX);
        shortage.pass = i;
        shortage.fail = 2;
        const int strangers[] = {dial(f->port), dial(f->port)};
        run_for(&f->wild, 5);
        failed = shortage.fail < 2;
        shortage.fail = 0;
        close(strangers[0]);
        close(strangers[1]);
        f->wild.size = 0;
        greet(&f->wild, f->port, 0);
        assert_true(hear(&f->wild, SETTINGS, &frame));
        close(f->wild.fd);
    }
}

int main(void)
{
    /* As every program that has sockets of libuv must. */
    (void)signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        TEST_WITH_FIXTURE(who_finds_no_memory_keeps_nobody_else_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
