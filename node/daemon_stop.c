/* The orderly end, one stage after the other; each waits for the one before, and none for ever. The
 * same way leads out of a start that failed in the middle: what is not there is passed over. */
#include "node/daemon_private.h"

#include <assert.h>
#include <signal.h>
#include <unistd.h>

static void on_server_stopped(void *arg);
static void on_peers_stopped(void *arg);
static void on_writer_closed(void *arg);
static void on_applier_closed(void *arg);

static void enter(struct daemon *d, enum daemon_stage stage, uint64_t most_ms)
{
    assert(stage > d->stage);
    d->stage = stage;
    d->stage_end_ms = uv_now(&d->loop) + most_ms;
}

static void close_calls(struct daemon *d)
{
    enter(d, DAEMON_CLOSING, 0);
    service_log_stop(&d->service);
    if (d->server != NULL) {
        rpc_server_stop(d->server, DAEMON_GRACE_MS, on_server_stopped, d);
    } else {
        on_server_stopped(d);
    }
}

static void on_server_stopped(void *arg)
{
    struct daemon *d = arg;
    struct peers *peers = d->peers;
    d->peers = NULL;
    d->service.peers = NULL;
    if (peers != NULL) {
        peers_stop(peers, on_peers_stopped, d);
    } else {
        on_peers_stopped(d);
    }
}

static void on_peers_stopped(void *arg)
{
    struct daemon *d = arg;
    enter(d, DAEMON_DRAINING, DAEMON_DRAIN_MS);
}

/* From here on the group does nothing more: a commit marker that falls due would find no writer. */
static void end_threads(struct daemon *d)
{
    enter(d, DAEMON_ENDING, 0);
    (void)uv_prepare_stop(&d->turn);
    (void)uv_timer_stop(&d->timer);
    if (d->writer != NULL) {
        writer_stop(d->writer, on_writer_closed, d);
    } else {
        on_writer_closed(d);
    }
}

static void on_writer_closed(void *arg)
{
    struct daemon *d = arg;
    if (d->applier != NULL) {
        applier_stop(d->applier, on_applier_closed, d);
    } else {
        on_applier_closed(d);
    }
}

static void on_applier_closed(void *arg)
{
    struct daemon *d = arg;
    enter(d, DAEMON_ENDED, 0);
    group_destroy(d->group);
    d->group = NULL;
    rpc_server_destroy(d->server);
    rpc_health_destroy(d->health);
    uv_handle_t *const handles[] = {(uv_handle_t *)&d->turn, (uv_handle_t *)&d->timer,
        (uv_handle_t *)&d->stop_timer, (uv_handle_t *)&d->terminate, (uv_handle_t *)&d->interrupt,
        (uv_handle_t *)&d->hangup};
    for (size_t i = 0; i < sizeof handles / sizeof *handles; i++) {
        uv_close(handles[i], NULL);
    }
}

/* The peers' streams are calls too, which would not end by themselves. */
static void part(struct daemon *d)
{
    bool done = d->service.forwards == 0 && (d->group == NULL || group_is_quiet(d->group));
    if (d->peers != NULL && !d->parted && done) {
        d->parted = true;
        peers_set_members(d->peers, NULL, 0);
    }
}

static void on_stop_tick(uv_timer_t *timer)
{
    struct daemon *d = timer->data;
    bool late = uv_now(&d->loop) >= d->stage_end_ms;
    if (d->stage == DAEMON_RETIRING && (late || group_is_quiet(d->group))) {
        close_calls(d);
    } else if (d->stage == DAEMON_CLOSING) {
        part(d);
    } else if (d->stage == DAEMON_DRAINING) {
        bool idle = d->pool.running == 0;
        bool flushed = d->writer == NULL || writer_is_idle(d->writer) || late;
        if (late && !idle) {
            daemon_fatal(d, STATUS_INTERNAL, "a read did not end in time");
        }
        if (idle && flushed) {
            end_threads(d);
        }
    }
}

/* Wherever we are, and whichever thread is asked: nothing but this may be called from here. */
static void on_too_late(int number)
{
    static const char line[] = "error the node ends, to start again from what is on disk: "
                               "why=\"a disk did not answer in time\"\n";
    (void)number;
    ssize_t written = write(STDERR_FILENO, line, sizeof line - 1);
    (void)written;
    _exit(DAEMON_FATAL);
}

/* A disk that hangs holds the loop too, as soon as it saves a vote, waits for a thread or closes a
 * file; so no stage can see to it that the end comes. What is full is no such disk. */
static void limit_the_end(void)
{
    const struct sigaction action = {.sa_handler = on_too_late};
    (void)sigaction(SIGALRM, &action, NULL);
    (void)alarm(DAEMON_STOP_MAX_S);
}

void daemon_stop(struct daemon *d)
{
    assert(d->stage == DAEMON_RUNNING);

    limit_the_end();
    (void)uv_timer_start(&d->stop_timer, on_stop_tick, 0, DAEMON_STOP_TICK_MS);
    enter(d, DAEMON_RETIRING, DAEMON_RETIRE_MS);
    if (d->group == NULL) {
        close_calls(d);
        return;
    }
    group_retire(d->group);
    d->woken = true;
}
