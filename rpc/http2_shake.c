/* Handshakes of TLS. A step of one takes up to 5 ms of processor, and hundreds may be asked for at
 * once, so they are done on libuv's pool while the loop goes on.
 *
 * A connection that is there has nothing else done to it: it is not read from, sends nothing, and
 * ends, where it has to, when it is back. Of a server's connections only a few are there at a time,
 * which leaves the pool's other threads to readers of the disk and to our own connections to peers;
 * who waits is served the latest first, so that where more come than can be served, some are served
 * in time. */
#include "rpc/http2_private.h"

#include <assert.h>

enum { RUNNING_MAX = 2 };

static void on_run(uv_work_t *work)
{
    struct http2_connection *c = work->data;
    (void)tls_feed(c->tls, buffer_bytes(&c->shake.input), &c->plain, &c->shake.result);
}

static void on_done(uv_work_t *work, int rc);

static void run(struct http2_connection *c)
{
    c->off_loop = true;
    c->shake.result = (struct error){0};
    c->shake.work.data = c;
    int rc = uv_queue_work(c->tcp.loop, &c->shake.work, on_run, on_done);
    assert(rc == 0); /* It knows no failure but a missing function. */
    (void)rc;
}

static void run_waiting(struct http2_handshakes *handshakes)
{
    struct http2_connection *c;
    while (handshakes->running < RUNNING_MAX && (c = LIST_FIRST(&handshakes->waiting)) != NULL) {
        http2_shake_forget(c);
        handshakes->running++;
        run(c);
    }
}

static void on_done(uv_work_t *work, int rc)
{
    struct http2_connection *c = work->data;
    struct http2_handshakes *handshakes = c->options.handshakes;
    assert(rc == 0); /* Nothing cancels. */
    (void)rc;
    c->off_loop = false;
    buffer_deinit(&c->shake.input);
    if (handshakes != NULL) {
        handshakes->running--;
        run_waiting(handshakes);
    }
    if (c->doomed) {
        http2_end(c, c->why);
    } else {
        http2_fed(c, c->shake.result.status, c->shake.result.text);
        http2_io_start(c);
    }
}

void http2_shake(struct http2_connection *c, struct bytes received)
{
    struct http2_handshakes *handshakes = c->options.handshakes;
    assert(c->state == HTTP2_SHAKING && !c->waits && !c->off_loop);
    if (buffer_append(&c->shake.input, received.data, received.size) != STATUS_OK) {
        http2_doom(c, "out of memory");
        return;
    }
    (void)uv_read_stop((uv_stream_t *)&c->tcp);
    if (handshakes == NULL) {
        run(c);
    } else {
        c->waits = true;
        LIST_INSERT_HEAD(&handshakes->waiting, c, shake.link);
        run_waiting(handshakes);
    }
}

void http2_shake_forget(struct http2_connection *c)
{
    if (c->waits) {
        c->waits = false;
        LIST_REMOVE(c, shake.link);
    }
}
