/* zhurnalctl replay: the log, as it is stored. */
#include "cli/replay_count.h"
#include "cli/replay_show.h"
#include "cli/session.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int run(struct context *context, int argc, char **argv);

const struct command replay_command = {
    .name = "replay",
    .summary = "shows the log, from an index on, and what comes next",
    .help = "zhurnalctl replay [--from INDEX] [--follow] [--limit N] [--school ID...]\n"
            "                  [--kind command|barrier|membership|erased|all]\n"
            "                  [--ids | --raw FILE | --summary]\n"
            "                  [--person ID --role ROLE]\n"
            "    For auditors and operators, and front ends for their schools (who name the\n"
            "    person they read for). With --follow it waits for what comes next, until\n"
            "    Ctrl-C, and goes on at another endpoint where one is lost.\n"
            "  -o json     a line of JSON each: the record as it came, and what it says\n"
            "  --ids       a line each: school, entry id, index, outcome\n"
            "  --raw FILE  index u64, kind u8, length u32 (big-endian) and the stored bytes,\n"
            "              record after record: byte-equal on all nodes\n"
            "  --summary   only how many there are, by kind and verdict, and of effects\n"
            "              (accepted entries) how many distinct ones\n",
    .run = run,
};

enum {
    OPTION_FROM = OPTION_OWN,
    OPTION_FOLLOW,
    OPTION_LIMIT,
    OPTION_SCHOOL,
    OPTION_KIND,
    OPTION_IDS,
    OPTION_RAW,
    OPTION_SUMMARY,
    OPTION_PERSON,
    OPTION_ROLE,
};
enum { SCHOOLS_MAX = 64, KINDS_MAX = 8, PAUSE_MS = 200, MS_IN_S = 1000, NS_IN_MS = 1000000 };
enum { STOOD_MS = 5000 }; /* Longer than any node takes to say no. */

struct replay {
    struct session session;
    bool json, ids, follow, summary;
    struct replay_count count;
    const char *raw_name;
    FILE *raw;
    uint64_t from, limit, shown;
    uint64_t schools[SCHOOLS_MAX];
    size_t school_count;
    Zhurnal__V1__RecordKind kinds[KINDS_MAX];
    size_t kind_count;
    Zhurnal__V1__Actor actor;
    bool has_actor;
    /* Of the last call. */
    enum grpc_code code;
    bool not_sent;
    char sentence[RPC_SENTENCE_MAX];
    int failed; /* An exit code: showing went wrong. */
};

/* EXIT_OK, or what to exit with, said already. */
static int show(struct replay *replay, const Zhurnal__V1__ReplayResponse *record)
{
    struct error err;
    if (replay->summary) {
        replay_count_add(&replay->count, record);
    } else if (replay->raw != NULL) {
        replay_show_raw(record, replay->raw);
    } else if (replay->ids) {
        replay_show_id(record, stdout);
    } else if (!replay->json) {
        replay_show_line(record, stdout);
    } else if (replay_show_json(record, stdout, &err) != STATUS_OK) {
        return say_error(&err);
    }
    return EXIT_OK;
}

static void on_message(
    struct rpc_stream *stream, const ProtobufCMessage *message, struct bytes encoded)
{
    (void)encoded;
    struct replay *replay = rpc_stream_user(stream);
    const Zhurnal__V1__ReplayResponse *record = (const void *)message;
    if (replay->failed != EXIT_OK) {
        return; /* The call is being cancelled. */
    }
    replay->from = record->index + 1;
    replay->shown++;
    replay->failed = show(replay, record);
    if (replay->failed != EXIT_OK) {
        rpc_stream_cancel(stream);
    }
    if (replay->follow) {
        (void)fflush(stdout);
    }
}

static void on_status(struct rpc_stream *stream, const struct rpc_result *result)
{
    struct replay *replay = rpc_stream_user(stream);
    replay->code = result->code;
    replay->not_sent = result->not_sent;
    snprintf(replay->sentence, sizeof replay->sentence, "%s", result->sentence);
    uv_stop(&replay->session.loop);
}

static bool start(struct replay *replay)
{
    Zhurnal__V1__ReplayRequest request = ZHURNAL__V1__REPLAY_REQUEST__INIT;
    struct rpc_channel *channel = session_channel(&replay->session, replay->session.current);
    const struct rpc_stream_options options = {.path = "/zhurnal.v1.LogService/Replay",
        .response = &zhurnal__v1__replay_response__descriptor,
        .on_message = on_message,
        .on_status = on_status,
        .user = replay};
    request.actor = replay->has_actor ? &replay->actor : NULL;
    request.from_index = replay->from;
    request.follow = replay->follow;
    request.limit = replay->limit > 0 ? replay->limit - replay->shown : 0;
    request.schools = replay->schools;
    request.n_schools = replay->school_count;
    request.kinds = replay->kinds;
    request.n_kinds = replay->kind_count;
    if (channel == NULL || rpc_unary_start(channel, &options, &request.base) == NULL) {
        say("the call cannot be made");
        return false;
    }
    return true;
}

static uint64_t now_ms(void)
{
    return uv_hrtime() / NS_IN_MS;
}

static bool is_complete(const struct replay *replay)
{
    return replay->code == GRPC_OK || (replay->limit > 0 && replay->shown == replay->limit);
}

/* Another attempt may help. */
static bool may_go_on(const struct replay *replay, uint64_t lost_ms)
{
    return replay->code == GRPC_UNAVAILABLE &&
        lost_ms <= (uint64_t)replay->session.context->timeout_s * MS_IN_S &&
        (replay->shown > 0 || !session_is_untrusted(&replay->session));
}

/* What was shown is not asked for again: a lost connection costs nothing but time. A call that
 * brought something, or that a node kept for a while, had found its node: only then the time-out
 * begins anew. */
static int replay_all(struct replay *replay)
{
    uint64_t found_at_ms = now_ms();
    for (;;) {
        uint64_t shown = replay->shown;
        uint64_t begun_at_ms = now_ms();
        if (!start(replay)) {
            return EXIT_REFUSED;
        }
        (void)uv_run(&replay->session.loop, UV_RUN_DEFAULT); /* Until on_status() stops it. */
        if (replay->failed != EXIT_OK || is_complete(replay)) {
            return replay->failed;
        }
        uint64_t now = now_ms();
        bool kept = !replay->not_sent && now - begun_at_ms > STOOD_MS;
        found_at_ms = kept || replay->shown > shown ? now : found_at_ms;
        if (!may_go_on(replay, now - found_at_ms)) {
            return say_failure(replay->code, replay->sentence);
        }
        session_next(&replay->session);
        uv_sleep(PAUSE_MS);
    }
}

/* ---- options ---- */

static bool take_kind(struct replay *replay)
{
    static const char *const names[] = {"command", "barrier", "membership", "erased"};
    bool all = strcmp(optarg, "all") == 0;
    bool known = all;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if ((all || strcmp(optarg, names[i]) == 0) && replay->kind_count < KINDS_MAX) {
            replay->kinds[replay->kind_count++] = (Zhurnal__V1__RecordKind)(i + 1);
            known = true;
        }
    }
    if (!known) {
        say("--kind is command, barrier, membership, erased or all, not '%s'", optarg);
    }
    return known;
}

static bool take_school(struct replay *replay)
{
    if (replay->school_count == SCHOOLS_MAX) {
        say("at most %d schools at a time", SCHOOLS_MAX);
        return false;
    }
    return options_number(
        "school", optarg, 0, UINT64_MAX, &replay->schools[replay->school_count++]);
}

static int take(void *arg, int option)
{
    struct replay *replay = arg;
    bool right = true;
    switch (option) {
    case OPTION_FROM:
        right = options_number("from", optarg, 1, UINT64_MAX, &replay->from);
        break;
    case OPTION_LIMIT:
        right = options_number("limit", optarg, 1, UINT64_MAX, &replay->limit);
        break;
    case OPTION_FOLLOW:
        replay->follow = true;
        break;
    case OPTION_SCHOOL:
        right = take_school(replay);
        break;
    case OPTION_KIND:
        right = take_kind(replay);
        break;
    case OPTION_IDS:
        replay->ids = true;
        break;
    case OPTION_SUMMARY:
        replay->summary = true;
        break;
    case OPTION_RAW:
        replay->raw_name = optarg;
        break;
    case OPTION_PERSON:
    case OPTION_ROLE:
        replay->has_actor = true;
        right = options_actor(option == OPTION_ROLE, &replay->actor);
        break;
    default:
        return 0;
    }
    return right ? 1 : -1;
}

static int summarize(struct replay *replay)
{
    int status = replay_count_write(&replay->count, replay->json, stdout);
    if (status == STATUS_NO_MEMORY) {
        say("out of memory: count less at a time, by --from and --limit");
    }
    return status == STATUS_OK ? EXIT_OK : EXIT_REFUSED;
}

static bool close_raw(struct replay *replay)
{
    if (replay->raw == NULL) {
        return true;
    }
    bool failed = ferror(replay->raw);
    failed = fclose(replay->raw) != 0 || failed;
    if (failed) {
        say("%s cannot be written whole: is the disk full?", replay->raw_name);
    }
    return !failed;
}

/* Each shows the records its own way. */
static bool check_ways(const struct replay *replay)
{
    if (replay->ids + replay->summary + (replay->raw_name != NULL) > 1) {
        say("--ids, --raw and --summary exclude each other: give one of them");
        return false;
    }
    if (replay->json && (replay->ids || replay->raw_name != NULL)) {
        say("--ids and --raw have a form of their own: leave out -o json");
        return false;
    }
    if (replay->summary && replay->follow && replay->limit == 0) {
        say("--summary comes at the end: leave out --follow, or give --limit");
        return false;
    }
    return true;
}

static int replay_with(struct replay *replay, const struct context *context)
{
    if (replay->raw_name != NULL) {
        replay->raw = fopen(replay->raw_name, "wbe");
        if (replay->raw == NULL) {
            say("%s cannot be written: %s", replay->raw_name, strerrordesc_np(errno));
            return EXIT_REFUSED;
        }
    }
    int code = session_open(&replay->session, context);
    if (code == EXIT_OK) {
        code = replay_all(replay);
        session_close(&replay->session);
    }
    if (code == EXIT_OK && replay->summary) {
        code = summarize(replay);
    }
    replay_count_deinit(&replay->count);
    return close_raw(replay) || code != EXIT_OK ? code : EXIT_REFUSED;
}

static int run(struct context *context, int argc, char **argv)
{
    static const struct option options[] = {{"from", required_argument, NULL, OPTION_FROM},
        {"follow", no_argument, NULL, OPTION_FOLLOW},
        {"limit", required_argument, NULL, OPTION_LIMIT},
        {"school", required_argument, NULL, OPTION_SCHOOL},
        {"kind", required_argument, NULL, OPTION_KIND}, {"ids", no_argument, NULL, OPTION_IDS},
        {"raw", required_argument, NULL, OPTION_RAW},
        {"summary", no_argument, NULL, OPTION_SUMMARY},
        {"person", required_argument, NULL, OPTION_PERSON},
        {"role", required_argument, NULL, OPTION_ROLE}, COMMON_OPTIONS, {0}};
    static struct replay replay = {.from = 1, .actor = ZHURNAL__V1__ACTOR__INIT};
    const struct options_own own = {.options = options, .take = take, .arg = &replay};
    int code;
    if (!options_read(context, &replay_command, &own, argc, argv, &code)) {
        return code;
    }
    replay.json = context->json;
    return options_end(&replay_command, argc, argv) && check_ways(&replay)
        ? replay_with(&replay, context)
        : EXIT_WRONG_USE;
}
