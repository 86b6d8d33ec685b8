/* zhurnalctl status: how each node stands. */
#include "cli/json.h"
#include "cli/session.h"
#include "cli/table.h"
#include "proto/bytes.h"
#include "proto/hex.h"

#include <jansson.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int run(struct context *context, int argc, char **argv);

const struct command status_command = {
    .name = "status",
    .summary = "shows how each node stands",
    .help = "zhurnalctl status [--wait-leader SECONDS]\n"
            "    Asks every endpoint. With --wait-leader it asks again until all that answer\n"
            "    know one leader. Exit 1 where they do not, 3 where no node answers.\n"
            "  -o json  a line each: endpoint, node and leader, their ids in hexadecimal, and\n"
            "           status, the message as it came; or endpoint and error\n",
    .run = run,
};

enum {
    OPTION_WAIT = OPTION_OWN,
    WAIT_MAX_S = 3600,
    PAUSE_MS = 100,
    DIGEST_SHOWN = 4,
    ID_SHOWN = 8
};
enum { MS_IN_S = 1000 };

struct row {
    struct rpc_answer answer;
    const Zhurnal__V1__StatusResponse *status; /* NULL: no answer. */
};

static const char *role_text(Zhurnal__V1__NodeRole role)
{
    switch ((int)role) {
    case ZHURNAL__V1__NODE_ROLE__NODE_ROLE_LEADER:
        return "leader";
    case ZHURNAL__V1__NODE_ROLE__NODE_ROLE_FOLLOWER:
        return "follower";
    case ZHURNAL__V1__NODE_ROLE__NODE_ROLE_CANDIDATE:
        return "candidate";
    default:
        return "unavailable";
    }
}

/* 0: none that it knows. */
static uint64_t leader_of(const Zhurnal__V1__StatusResponse *status)
{
    return status->n_groups > 0 ? status->groups[0]->leader : 0;
}

static const char *id_text(uint64_t id, char out[HEX_ID_SIZE])
{
    snprintf(out, HEX_ID_SIZE, "%" PRIx64, id);
    return out;
}

/* For the eye alone: of a long one the beginning. */
static const char *id_shown(uint64_t id, char out[HEX_ID_SIZE])
{
    char text[HEX_ID_SIZE];
    bool cut = strlen(id_text(id, text)) > ID_SHOWN;
    snprintf(out, HEX_ID_SIZE, "%.*s%s", ID_SHOWN, text, cut ? "…" : "");
    return id != 0 ? out : "-";
}

/* The one leader that all who answer know; 0: there is none. */
static uint64_t common_leader(const struct row *rows, unsigned count)
{
    uint64_t leader = 0;
    for (unsigned i = 0; i < count; i++) {
        const Zhurnal__V1__StatusResponse *status = rows[i].status;
        if (status == NULL) {
            continue;
        }
        uint64_t its = leader_of(status);
        if (its == 0 || (leader != 0 && leader != its)) {
            return 0;
        }
        leader = its;
    }
    return leader;
}

static void add_row(struct table *table, const char *endpoint, const struct row *row)
{
    char node[HEX_ID_SIZE];
    char leader[HEX_ID_SIZE];
    char digest[2 * DIGEST_SHOWN + 1] = "";
    if (row->status == NULL || row->status->n_groups == 0) {
        table_add(table, "%s\t-\tno answer", endpoint);
        return;
    }
    const Zhurnal__V1__GroupStatus *group = row->status->groups[0];
    if (group->digest.len >= DIGEST_SHOWN) {
        hex_encode(group->digest.data, DIGEST_SHOWN, digest);
    }
    table_add(table, "%s\t%s\t%s\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%s\t%s", endpoint,
        id_shown(row->status->node, node), role_text(group->role), group->term, group->last_index,
        group->applied_index, id_shown(group->leader, leader), digest);
}

static void remark(const char *endpoint, const struct row *row)
{
    const Zhurnal__V1__StatusResponse *status = row->status;
    if (status == NULL) {
        printf("%s: %s\n", endpoint, row->answer.sentence);
        return;
    }
    if (status->disk_full) {
        printf(
            "%s: no room for its log or its views: writes are refused until there is\n", endpoint);
    }
    for (size_t i = 0; i < status->n_groups; i++) {
        const Zhurnal__V1__GroupStatus *group = status->groups[i];
        if (group->clock_untrusted) {
            printf("%s: its clock is not trusted: look at NTP\n", endpoint);
        }
        if (group->pulling_to_index > 0) {
            printf("%s: catching up to index %" PRIu64 "\n", endpoint, group->pulling_to_index);
        }
        if (group->rebuilding) {
            printf("%s: its views are being rebuilt\n", endpoint);
        }
    }
}

static int show_table(const struct context *context, const struct row *rows)
{
    struct table table;
    table_init(&table, "endpoint\tnode\trole\t>term\t>last\t>applied\tleader\tdigest");
    for (unsigned i = 0; i < context->endpoint_count; i++) {
        add_row(&table, context->endpoints[i], &rows[i]);
    }
    int status = table_write(&table, stdout);
    table_deinit(&table);
    for (unsigned i = 0; i < context->endpoint_count; i++) {
        remark(context->endpoints[i], &rows[i]);
    }
    return status == STATUS_OK ? EXIT_OK : EXIT_REFUSED;
}

/* Ids as they are shown everywhere, beside those of the message. */
static json_t *row_to_json(const char *endpoint, const struct row *row)
{
    char node[HEX_ID_SIZE];
    char leader[HEX_ID_SIZE];
    const Zhurnal__V1__StatusResponse *status = row->status;
    if (status == NULL) {
        return json_pack("{ss ss}", "endpoint", endpoint, "error", row->answer.sentence);
    }
    return json_pack("{ss ss ss? so}", "endpoint", endpoint, "node", id_text(status->node, node),
        "leader", leader_of(status) != 0 ? id_text(leader_of(status), leader) : NULL, "status",
        json_of(&status->base));
}

static int show_json(const struct context *context, const struct row *rows)
{
    for (unsigned i = 0; i < context->endpoint_count; i++) {
        json_t *line = row_to_json(context->endpoints[i], &rows[i]);
        if (line == NULL) {
            say("%s: its answer cannot be shown as JSON", context->endpoints[i]);
            return EXIT_REFUSED;
        }
        (void)json_dumpf(line, stdout, JSON_COMPACT);
        (void)putchar('\n');
        json_decref(line);
    }
    return EXIT_OK;
}

static int ask_all(struct session *session, struct row *rows, uint64_t wait_s)
{
    unsigned count = session->context->endpoint_count;
    uint64_t until = uv_hrtime() / 1000000 + wait_s * MS_IN_S;
    for (;;) {
        unsigned answers = 0;
        for (unsigned i = 0; i < count; i++) {
            rows[i].status = session_status(session, i, &rows[i].answer);
            answers += rows[i].status != NULL;
        }
        if (common_leader(rows, count) != 0) {
            return EXIT_OK;
        }
        if (uv_hrtime() / 1000000 >= until) {
            return answers > 0 ? EXIT_REFUSED : EXIT_UNREACHABLE;
        }
        for (unsigned i = 0; i < count; i++) {
            rpc_answer_deinit(&rows[i].answer);
        }
        uv_sleep(PAUSE_MS);
    }
}

static int show(struct session *session, uint64_t wait_s)
{
    static struct row rows[ENDPOINTS_MAX];
    const struct context *context = session->context;
    int code = ask_all(session, rows, wait_s);
    int shown = context->json ? show_json(context, rows) : show_table(context, rows);
    if (code == EXIT_REFUSED) {
        say("nobody leads whom all that answer know: are most of the members up?");
    }
    for (unsigned i = 0; i < context->endpoint_count; i++) {
        rpc_answer_deinit(&rows[i].answer);
    }
    return code != EXIT_OK ? code : shown;
}

static int take(void *arg, int option)
{
    if (option != OPTION_WAIT) {
        return 0;
    }
    return options_number("wait-leader", optarg, 1, WAIT_MAX_S, arg) ? 1 : -1;
}

static int run(struct context *context, int argc, char **argv)
{
    static const struct option options[] = {
        {"wait-leader", required_argument, NULL, OPTION_WAIT}, COMMON_OPTIONS, {0}};
    static struct session session;
    uint64_t wait_s = 0;
    const struct options_own own = {.options = options, .take = take, .arg = &wait_s};
    int code;
    if (!options_read(context, &status_command, &own, argc, argv, &code)) {
        return code;
    }
    if (!options_end(&status_command, argc, argv)) {
        return EXIT_WRONG_USE;
    }
    code = session_open(&session, context);
    if (code == EXIT_OK) {
        code = show(&session, wait_s);
        session_close(&session);
    }
    return code;
}
