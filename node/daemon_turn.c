/* Once a turn of the loop, before it waits: the group does all that has come together meanwhile,
 * and whatever follows from it is told to the peers, to health and to the log. */
#include "node/daemon_private.h"

#include <inttypes.h>

enum { ROUNDS_MAX = 16, NS_IN_MS = 1000000 };

/* ---- health ---- */

static void follow_health(struct daemon *d, const struct group_status *status)
{
    static const char *const services[] = {
        "", "zhurnal.v1.JournalService", "zhurnal.v1.LogService", "zhurnal.v1.ClusterService"};
    bool serving =
        status->driver.leader != 0 && status->parked == STATUS_OK && d->stage == DAEMON_RUNNING;
    if (serving == d->serving) {
        return;
    }
    d->serving = serving;
    for (size_t i = 0; i < sizeof services / sizeof *services; i++) {
        (void)rpc_health_set(d->health, services[i], serving);
    }
}

/* ---- the log ---- */

static void tell_leader(struct daemon *d, const struct driver_status *driver)
{
    static const char *const roles[] = {
        [DRIVER_UNAVAILABLE] = "unavailable",
        [DRIVER_FOLLOWER] = "follower",
        [DRIVER_CANDIDATE] = "candidate",
        [DRIVER_LEADER] = "leader",
    };
    struct daemon_told *told = &d->told;
    char id[HEX_ID_SIZE];
    if (told->leader != driver->leader || told->term != driver->term ||
        told->role != driver->role) {
        log_info("the group has moved: role=%s term=%" PRIu64 " leader=%s last_index=%" PRIu64,
            roles[driver->role], driver->term,
            driver->leader == 0 ? "none" : hex_id(driver->leader, id), driver->last_index);
        told->leader = driver->leader;
        told->term = driver->term;
        told->role = driver->role;
    }
}

static void tell_apply(struct daemon *d, const struct group_status *status)
{
    struct daemon_told *told = &d->told;
    if (told->parked != status->parked) {
        told->parked = status->parked;
        if (status->parked == STATUS_OK) {
            log_info("apply goes on: index=%" PRIu64, status->applied.index);
        } else {
            log_error("apply stands still, writes are refused: index=%" PRIu64 " why=\"%s\"",
                status->applied.index, status_text(status->parked));
        }
    }
    if (!told->rebuilt && status->applied.index >= d->store.rebuild_to) {
        told->rebuilt = true;
        if (d->store.applied + APPLY_PIECE_RECORDS < d->store.rebuild_to) {
            log_info("the views are rebuilt: index=%" PRIu64, status->applied.index);
        }
    }
}

static void tell_clock(struct daemon *d, const struct group_status *status)
{
    struct daemon_told *told = &d->told;
    if (told->clock_untrusted != status->clock_untrusted) {
        told->clock_untrusted = status->clock_untrusted;
        if (status->clock_untrusted) {
            log_warn("the clock has jumped and is not trusted: what is recorded now is marked so");
        } else {
            log_info("the clock is trusted again");
        }
    }
    if (told->clock_behind != status->clock_behind) {
        told->clock_behind = status->clock_behind;
        if (status->clock_behind) {
            log_error("the clock is behind the log, writes are refused: set it "
                      "(timedatectl set-ntp true)");
        } else {
            log_info("the clock has caught up with the log: writes are taken");
        }
    }
}

/* ---- the turn ---- */

static void arm_timer(struct daemon *d)
{
    uint64_t now = uv_hrtime() / NS_IN_MS;
    uint64_t deadline = group_deadline(d->group);
    uint64_t wait = d->woken || deadline <= now ? 0 : deadline - now;
    uv_update_time(&d->loop);
    (void)uv_timer_start(&d->timer, daemon_on_timer, wait, 0);
}

static void follow(struct daemon *d)
{
    const struct group_status status = group_status(d->group);
    daemon_follow_members(d);
    if (d->peers != NULL) {
        group_set_level_max(d->group, peers_level_max(d->peers));
    }
    follow_health(d, &status);
    tell_leader(d, &status.driver);
    tell_apply(d, &status);
    tell_clock(d, &status);
    if (d->stage == DAEMON_RUNNING) {
        directories_turn(&d->directories, daemon_disk.now_ms(d));
    }
}

void daemon_on_turn(uv_prepare_t *prepare)
{
    struct daemon *d = prepare->data;
    bool turned = d->woken;
    for (unsigned i = 0; i < ROUNDS_MAX && d->woken; i++) {
        d->woken = false;
        group_turn(d->group);
    }
    if (turned) {
        follow(d);
    }
    arm_timer(d);
}

void daemon_on_timer(uv_timer_t *timer)
{
    struct daemon *d = timer->data;
    if (daemon_disk.now_ms(d) >= group_deadline(d->group)) {
        group_tick(d->group);
    }
    d->woken = true;
}
