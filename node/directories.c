#include "node/directories.h"

#include "node/access.h"
#include "node/logline.h"
#include <zhurnal/v1/journal.pb-c.h>

#include <assert.h>
#include <stdlib.h>
#include <time.h>

void directories_init(struct directories *directories, const struct state_identity *own,
    const struct identity *self, void (*denied)(void *arg, uint64_t node, const char *why),
    void *arg)
{
    *directories = (struct directories){.self = self, .denied = denied, .arg = arg};
    for (size_t i = 0; i < DRIVER_MEMBERS_MAX; i++) {
        directories->seen[i].owner = directories;
    }
    directories->seen[0].node = own->node;
    memcpy(directories->seen[0].directory, own->directory, UUID_SIZE);
}

int directories_check(
    struct journal *journal, uint64_t node, const uint8_t directory[UUID_SIZE], struct error *err)
{
    struct txn txn;
    uint8_t known[UUID_SIZE];
    txn_begin_read(&txn, &journal->views.env);
    bool recorded = journal_node(&txn, journal, node, known);
    int status = txn.status;
    txn_abort(&txn);
    if (status != STATUS_OK) {
        return error_set(err, status, "the views do not read: %s", status_text(status));
    }
    if (recorded && memcmp(known, directory, UUID_SIZE) != 0) {
        char id[HEX_ID_SIZE];
        return error_set(err, STATUS_DENIED,
            "the log knows node %s by another data directory: a node that lost its own joins as a "
            "new one, under a new id",
            hex_id(node, id));
    }
    return recorded ? STATUS_OK : STATUS_NOT_FOUND;
}

/* NULL: more nodes than there can be members. */
static struct directory_seen *place_of(struct directories *directories, uint64_t node)
{
    struct directory_seen *free_place = NULL;
    for (size_t i = 0; i < DRIVER_MEMBERS_MAX; i++) {
        struct directory_seen *seen = &directories->seen[i];
        if (seen->node == node) {
            return seen;
        }
        if (seen->node == 0 && free_place == NULL) {
            free_place = seen;
        }
    }
    return free_place;
}

int directories_hello(struct directories *directories, uint64_t node,
    const uint8_t directory[UUID_SIZE], struct error *err)
{
    int status = directories_check(group_journal(directories->group), node, directory, err);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND) {
        return status;
    }
    struct directory_seen *seen = place_of(directories, node);
    if (seen != NULL && (seen->node == 0 || memcmp(seen->directory, directory, UUID_SIZE) != 0)) {
        seen->node = node;
        seen->settled = false;
        memcpy(seen->directory, directory, UUID_SIZE);
    }
    return STATUS_OK;
}

/* ---- looking ---- */

/* What the log says of it by now. */
static int look_at(struct directory_seen *seen)
{
    struct directories *directories = seen->owner;
    struct error err = {0};
    int status =
        directories_check(group_journal(directories->group), seen->node, seen->directory, &err);
    seen->settled = status == STATUS_OK || status == STATUS_DENIED;
    if (status == STATUS_DENIED) {
        directories->denied(directories->arg, seen->node, err.text);
    }
    return status;
}

static void look(struct directories *directories)
{
    uint64_t applied = group_status(directories->group).applied.index;
    if (directories->looked_at == applied) {
        return;
    }
    directories->looked_at = applied;
    for (size_t i = 0; i < DRIVER_MEMBERS_MAX; i++) {
        struct directory_seen *seen = &directories->seen[i];
        if (seen->node != 0 && !seen->settled) {
            (void)look_at(seen);
        }
    }
}

/* ---- recording ---- */

static void on_recorded(void *arg, const struct group_answer *answer)
{
    struct directory_seen *seen = arg;
    char id[HEX_ID_SIZE];
    seen->asked = false;
    seen->retry_ms = seen->owner->now_ms + DIRECTORIES_RETRY_MS;
    if (answer->status != STATUS_OK) {
        return; /* Tried again, by whoever leads then. */
    }
    if (look_at(seen) == STATUS_OK) {
        log_info("the node's data directory is recorded: node=%s", hex_id(seen->node, id));
    } else if (answer->verdict->outcome != VERDICT_ACCEPTED) {
        seen->settled = true;
        log_warn("the node's data directory was not recorded: node=%s why=\"%s\"",
            hex_id(seen->node, id), verdict_sentence(answer->verdict));
    }
}

static int64_t wall_ms(void)
{
    enum { MS = 1000, NS_IN_MS = 1000000 };
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * MS + now.tv_nsec / NS_IN_MS;
}

static void submit(struct directory_seen *seen, const Zhurnal__V1__AppendRequest *request)
{
    size_t size = zhurnal__v1__append_request__get_packed_size(request);
    uint8_t *raw = malloc(size);
    if (raw == NULL) {
        seen->retry_ms = seen->owner->now_ms + DIRECTORIES_RETRY_MS;
        return;
    }
    zhurnal__v1__append_request__pack(request, raw);
    const Zhurnal__V1__Principal principal = access_principal(seen->owner->self);
    const struct group_request submitted = {.raw = bytes_of(raw, size),
        .principal = &principal,
        .received_by = seen->owner->self->node,
        .answer = on_recorded,
        .arg = seen};
    seen->asked = true;
    group_submit(seen->owner->group, &submitted);
    free(raw);
}

static void record(struct directory_seen *seen)
{
    uint8_t entry_id[ENTRY_ID_SIZE];
    Zhurnal__V1__NodeAdded added = ZHURNAL__V1__NODE_ADDED__INIT;
    Zhurnal__V1__Event event = ZHURNAL__V1__EVENT__INIT;
    Zhurnal__V1__Event *events[] = {&event};
    Zhurnal__V1__Draft draft = ZHURNAL__V1__DRAFT__INIT;
    Zhurnal__V1__AppendRequest request = ZHURNAL__V1__APPEND_REQUEST__INIT;
    added.node = seen->node;
    added.directory.data = seen->directory;
    added.directory.len = sizeof seen->directory;
    event.occurred_at_ms = wall_ms();
    event.kind_case = ZHURNAL__V1__EVENT__KIND_NODE_ADDED;
    event.node_added = &added;
    uuid7(event.occurred_at_ms, entry_id);
    draft.entry_id.data = entry_id;
    draft.entry_id.len = sizeof entry_id;
    draft.n_events = 1;
    draft.events = events;
    request.draft = &draft;
    submit(seen, &request);
}

static bool is_member(struct group *group, uint64_t node)
{
    struct driver_member members[DRIVER_MEMBERS_MAX];
    unsigned count = driver_members(group_driver(group), members);
    for (unsigned i = 0; i < count; i++) {
        if (members[i].node == node) {
            return true;
        }
    }
    return false;
}

static bool is_due(const struct directory_seen *seen, uint64_t now_ms)
{
    return seen->node != 0 && !seen->settled && !seen->asked && now_ms >= seen->retry_ms;
}

/* A leader, and it knows what the leaders before it have recorded. */
static bool may_record(struct directories *directories)
{
    const struct group_status status = group_status(directories->group);
    if (!status.driver.accepts) {
        return false;
    }
    if (directories->term != status.driver.term) {
        directories->term = status.driver.term;
        directories->known_from = status.driver.last_index;
    }
    return status.applied.index >= directories->known_from;
}

void directories_turn(struct directories *directories, uint64_t now_ms)
{
    directories->now_ms = now_ms;
    look(directories);
    for (size_t i = 0; i < DRIVER_MEMBERS_MAX; i++) {
        struct directory_seen *seen = &directories->seen[i];
        if (is_due(seen, now_ms) && may_record(directories) &&
            is_member(directories->group, seen->node) && look_at(seen) == STATUS_NOT_FOUND) {
            record(seen);
        }
    }
}
