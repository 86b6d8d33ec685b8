/* The group's world, for real: the state file, the writer, apply, the peers and the clocks. */
#include "node/daemon_private.h"
#include "proto/uuid.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { MS_IN_S = 1000, NS_IN_MS = 1000000 };

void daemon_fatal(void *arg, int status, const char *why)
{
    (void)arg;
    if (status == STATUS_CORRUPT || status == STATUS_UNIMPLEMENTED) {
        log_error("the node ends, and would again: why=\"%s\"", why);
        _exit(DAEMON_REFUSED);
    }
    log_error("the node ends, to start again from what is on disk: why=\"%s\"", why);
    _exit(DAEMON_FATAL);
}

static void fail_log(struct daemon *d, uint64_t index, int status)
{
    struct error err;
    log_explain(&d->store.log, index, status, &err);
    daemon_fatal(d, status, err.text);
}

/* ---- time and chance ---- */

static int64_t read_clock(clockid_t id)
{
    struct timespec now;
    if (clock_gettime(id, &now) != 0) {
        daemon_fatal(NULL, STATUS_INTERNAL, "the machine has no clock");
    }
    return (int64_t)now.tv_sec * MS_IN_S + now.tv_nsec / NS_IN_MS;
}

static struct clock_reading on_clock(void *arg)
{
    (void)arg;
    return (struct clock_reading){
        .wall_ms = read_clock(CLOCK_REALTIME), .boot_ms = read_clock(CLOCK_BOOTTIME)};
}

static uint64_t on_now(void *arg)
{
    (void)arg;
    return uv_hrtime() / NS_IN_MS;
}

static int64_t on_wall_clock(void *arg)
{
    (void)arg;
    return read_clock(CLOCK_REALTIME);
}

static void on_random(void *arg, void *out, size_t size)
{
    (void)arg;
    random_bytes(out, size);
}

/* ---- the disk ---- */

static int on_save(void *arg, uint64_t term, uint64_t vote)
{
    struct daemon *d = arg;
    return state_save(&d->store.state, term, vote);
}

static void on_write(void *arg, struct driver_write *write)
{
    struct daemon *d = arg;
    writer_give(d->writer, write);
}

static void on_written(void *arg, struct driver_write *write)
{
    struct daemon *d = arg;
    driver_written(group_driver(d->group), write);
    if (d->peers != NULL && driver_wants_pull(group_driver(d->group)) > 0) {
        peers_pull_on(d->peers);
    }
    d->woken = true;
}

static void on_full(void *arg, int status)
{
    struct daemon *d = arg;
    if (status != STATUS_OK) {
        log_error("the log stands still, writes are refused: data=%s why=\"%s\"", d->store.path,
            status_text(status));
    } else {
        log_info("the log has room again: writes are taken");
    }
    group_set_full(d->group, status);
    d->woken = true;
}

static void on_failed(void *arg, int status)
{
    if (status == STATUS_CORRUPT || status == STATUS_UNIMPLEMENTED) {
        fail_log(arg, 0, status);
    }
    daemon_fatal(arg, status, "a write of the log, or its flush, failed");
}

const struct writer_hooks daemon_writer_hooks = {
    .done = on_written, .full = on_full, .failed = on_failed};

/* ---- reads for a peer that is behind what memory holds ---- */

struct cold_read {
    struct pool_job job;
    struct daemon *daemon;
    uint64_t node, first;
    size_t count, bytes_max;
    struct record *records;
    size_t found;
    int status;
};

static void run_cold_read(struct pool_job *job)
{
    struct cold_read *read = (struct cold_read *)job;
    read->status = log_read_from(&read->daemon->store.log, read->first, read->count,
        read->bytes_max, &read->records, &read->found);
}

static void cold_read_done(struct pool_job *job)
{
    struct cold_read *read = (struct cold_read *)job;
    if (read->status != STATUS_OK) {
        fail_log(read->daemon, read->first, read->status);
    }
    driver_read_done(group_driver(read->daemon->group), read->node, read->records, read->found);
    read->daemon->woken = true;
    free(read);
}

static void on_read(void *arg, uint64_t node, uint64_t first, size_t count, size_t bytes_max)
{
    struct daemon *d = arg;
    struct cold_read *read = malloc(sizeof *read);
    if (read == NULL) {
        daemon_fatal(d, STATUS_NO_MEMORY, "out of memory");
    }
    *read = (struct cold_read){.job.run = run_cold_read,
        .job.done = cold_read_done,
        .daemon = d,
        .node = node,
        .first = first,
        .count = count,
        .bytes_max = bytes_max};
    pool_give(&d->pool, &read->job);
}

/* ---- the peers ---- */

static void on_ready(void *arg, uint64_t node)
{
    struct daemon *d = arg;
    if (d->peers != NULL) {
        peers_ready(d->peers, node);
    }
}

static void on_pull(void *arg, uint64_t from, uint64_t to, uint64_t to_term)
{
    struct daemon *d = arg;
    if (d->peers != NULL) {
        log_info("this node is behind and fetches what is missing: from=%llu to=%llu",
            (unsigned long long)from, (unsigned long long)to);
        peers_pull(d->peers, from, to, to_term);
    }
}

/* ---- the group ---- */

static void on_wake(void *arg)
{
    struct daemon *d = arg;
    d->woken = true;
}

/* A full disk is seen before apply begins, for in its midst it looks like any failed write. Room is
 * made on the pool, as the disk may take its time. */
static void apply_with_room(struct daemon *d, int status)
{
    if (status == STATUS_OK) {
        applier_give(d->applier, d->room.from, d->room.to);
        return;
    }
    const struct apply_piece nothing = {.upto = d->room.from - 1, .status = status};
    daemon_applied(d, &nothing, status);
}

static uint64_t views_used(struct daemon *d)
{
    return env_used(&d->store.journal.views.env);
}

static void run_make_room(struct pool_job *job)
{
    struct daemon_room *room = (struct daemon_room *)job;
    room->status = reserve_extend(&room->daemon->store.views_reserve, views_used(room->daemon));
}

static void make_room_done(struct pool_job *job)
{
    struct daemon_room *room = (struct daemon_room *)job;
    apply_with_room(room->daemon, room->status);
}

static void on_apply(void *arg, uint64_t from, uint64_t to)
{
    struct daemon *d = arg;
    const struct reserve *reserve = &d->store.views_reserve;
    d->room.daemon = d;
    d->room.from = from;
    d->room.to = to;
    if (reserve->reserved >= views_used(d) + reserve->ahead / 2) {
        apply_with_room(d, STATUS_OK);
        return;
    }
    d->room.job.run = run_make_room;
    d->room.job.done = make_room_done;
    pool_give(&d->pool, &d->room.job);
}

/* Views that apply stumbled over are dropped by the next start, and made anew from the log; readers
 * may be in them yet. Where it was the log they are kept. */
void daemon_applied(void *arg, const struct apply_piece *piece, int status)
{
    struct daemon *d = arg;
    switch (status) {
    case STATUS_OK:
    case STATUS_UNIMPLEMENTED:
    case STATUS_FULL:
    case STATUS_MAP_FULL:
    case STATUS_NO_MEMORY:
        break;
    default:
        if (!piece->log_failed) {
            log_error("the views are dropped: index=%llu why=\"%s\"",
                (unsigned long long)piece->upto + 1, status_text(status));
            journal_distrust(&d->store.journal);
        }
    }
    group_applied(d->group, piece, status);
}

static void on_led(void *arg, bool leader)
{
    (void)arg;
    log_info(leader ? "this node leads" : "this node leads no more");
}

const struct driver_hooks daemon_disk = {
    .now_ms = on_now,
    .wall_clock_ms = on_wall_clock,
    .save = on_save,
    .write = on_write,
    .ready = on_ready,
    .read = on_read,
    .pull = on_pull,
    .moved = on_wake,
    .fatal = daemon_fatal,
};

struct group_world daemon_world(struct daemon *d)
{
    return (struct group_world){.disk = &daemon_disk,
        .clock = on_clock,
        .random = on_random,
        .wake = on_wake,
        .apply = on_apply,
        .led = on_led,
        .arg = d};
}
