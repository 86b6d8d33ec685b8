/* zhurnalctl append: entries into the journal, each recorded once, whatever breaks in between. */
#include "cli/append_report.h"
#include "cli/append_source.h"
#include "cli/session.h"
#include "node/journal/verdict.h"
#include "proto/guard.h"
#include "rpc/status_details.h"
#include <zhurnal/v1/journal.pb-c.h>

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static int run(struct context *context, int argc, char **argv);

const struct command append_command = {
    .name = "append",
    .summary = "records entries",
    .help = "zhurnalctl append [FILE] [--delimited] [--in-flight N] [--rate N]\n"
            "                  [--check-only] [--acknowledged FILE] [--progress]\n"
            "                  [--retry SECONDS]\n"
            "    Reads AppendRequests from FILE; from standard input where it is - or left\n"
            "    out: proto3 JSON, one object after another, or with --delimited protobuf,\n"
            "    each message after its length as a varint.\n"
            "    {\"draft\": {\"school\": \"77\", \"actor\": {…}, \"events\": [{\"day\": 20261123, "
            "…}]}}\n"
            "    In JSON an entry id is base64, 32 hexadecimal digits or a UUID; one that is\n"
            "    left out is made. What gets no answer is sent again, the same bytes, to the\n"
            "    next endpoint, for --retry seconds (60): it is recorded once. An entry that\n"
            "    was recorded before is answered as it was then, with that index: it counts\n"
            "    as recorded, and nothing tells it from a new one.\n"
            "  --in-flight N          so many at a time; with 1, the default, in their order\n"
            "  --rate N               no more than so many a second\n"
            "  --check-only           only judge: nothing is recorded\n"
            "  --acknowledged FILE    a line for each recorded: school, entry id, index\n"
            "  --progress             even where standard error is no terminal\n"
            "    Ends with a summary. Exit 1 where one was refused, 3 where one got no\n"
            "    answer. A source that is wrong ends it: it says behind which entry. Ctrl-C\n"
            "    takes no more and waits for what was sent; the second one ends at once.\n",
    .run = run,
};

enum {
    OPTION_DELIMITED = OPTION_OWN,
    OPTION_IN_FLIGHT,
    OPTION_CHECK,
    OPTION_ACKNOWLEDGED,
    OPTION_PROGRESS,
    OPTION_RETRY,
    OPTION_RATE,
};
enum { IN_FLIGHT_MAX = 1024, RETRY_S = 60, PAUSE_MS = 50, ATTEMPT_MS = 10000 };
enum { NS_IN_US = 1000, US_IN_MS = 1000, US_IN_S = 1000000, RATE_MAX = 1000000 };

struct append;

/* A request on its way. */
struct flight {
    struct append *append;
    struct append_item item;
    unsigned endpoint; /* That it was sent to. */
    /* The last failure that a node knows of; of none the first. */
    enum grpc_code code;
    char sentence[RPC_SENTENCE_MAX];
    uint64_t begun_us;
    uv_timer_t timer; /* Between two attempts. */
    bool busy;
};

struct append {
    struct session session;
    struct append_source source;
    struct append_report report;
    struct flight *flights;
    unsigned in_flight; /* How many there may be. */
    unsigned busy;
    uint64_t retry_s;
    uint64_t rate; /* A second; 0: as fast as it goes. */
    uint64_t taken, begun_us;
    uv_timer_t pacer;
    const char *acknowledged; /* A file; NULL: none. */
    bool exhausted;           /* The source has no more. */
    bool filling;
    int stopped; /* What to exit with where it may have more, said already. */
};

/* Ctrl-C. The handler may touch nothing else. */
static volatile sig_atomic_t interrupted;
static uv_async_t waker;

static uint64_t now_us(void)
{
    return uv_hrtime() / NS_IN_US;
}

static void fill(struct append *append);

/* ---- one request ---- */

static void finish(struct flight *flight)
{
    free(flight->item.request);
    flight->item.request = NULL;
    flight->busy = false;
    flight->append->busy--;
    fill(flight->append);
}

static void send_again(uv_timer_t *timer);

/* Sending the same bytes again cannot record them twice. RESOURCE_EXHAUSTED is a queue or a disk
 * that is full just now, or a request that will never fit. */
static bool may_help(const struct append_item *item, enum grpc_code code)
{
    return code == GRPC_UNAVAILABLE || code == GRPC_DEADLINE_EXCEEDED || code == GRPC_CANCELLED ||
        (code == GRPC_RESOURCE_EXHAUSTED && !item->too_large);
}

static bool decode_verdict(struct bytes details, struct arena *arena, struct verdict *verdict)
{
    struct bytes encoded;
    return details.size > 0 &&
        status_details_find(details, STATUS_DETAILS_VERDICT, &encoded) == STATUS_OK &&
        verdict_decode(encoded, arena, verdict) == STATUS_OK;
}

static void keep_failure(struct flight *flight, const struct rpc_result *result)
{
    if (!result->not_sent || flight->code == GRPC_OK) {
        flight->code = result->code;
        snprintf(flight->sentence, sizeof flight->sentence, "%s", result->sentence);
    }
}

static void give_up(struct flight *flight, struct bytes details)
{
    struct verdict verdict = {0};
    struct arena arena;
    arena_init(&arena, guard_arena_limit(details.size));
    bool judged = decode_verdict(details, &arena, &verdict);
    append_report_refusal(&flight->append->report, &flight->item, flight->code, flight->sentence,
        judged ? &verdict : NULL);
    arena_reset(&arena);
    finish(flight);
}

static void on_status(struct rpc_stream *stream, const struct rpc_result *result)
{
    struct flight *flight = rpc_stream_user(stream);
    struct append *append = flight->append;
    if (result->code == GRPC_OK) {
        finish(flight);
        return;
    }
    keep_failure(flight, result);
    uint64_t waited_us = now_us() - flight->begun_us;
    bool untrusted = session_is_untrusted(&append->session);
    bool again = !interrupted && !untrusted && waited_us < append->retry_s * US_IN_S;
    if (untrusted) { /* So will the next ones be. */
        append->exhausted = true;
        append->stopped = EXIT_UNREACHABLE;
    }
    if (again && may_help(&flight->item, result->code)) {
        if (flight->endpoint == append->session.current) {
            session_next(&append->session);
        }
        append_report_retry(&append->report);
        uv_timer_start(&flight->timer, send_again, PAUSE_MS, 0);
        return;
    }
    give_up(flight, result->details);
}

static void on_message(
    struct rpc_stream *stream, const ProtobufCMessage *message, struct bytes encoded)
{
    (void)encoded;
    struct flight *flight = rpc_stream_user(stream);
    append_report_answer(
        &flight->append->report, &flight->item, (const void *)message, now_us() - flight->begun_us);
}

static void send_one(struct flight *flight)
{
    struct append *append = flight->append;
    const struct rpc_stream_options options = {.path = "/zhurnal.v1.JournalService/Append",
        .response = &zhurnal__v1__append_response__descriptor,
        .timeout_ms = ATTEMPT_MS,
        .on_message = on_message,
        .on_status = on_status,
        .user = flight};
    flight->endpoint = append->session.current;
    struct rpc_channel *channel = session_channel(&append->session, flight->endpoint);
    const struct bytes request = bytes_of(flight->item.request, flight->item.size);
    if (channel == NULL || rpc_unary_start_encoded(channel, &options, request) == NULL) {
        append_report_refusal(&append->report, &flight->item, GRPC_UNAVAILABLE,
            "the call cannot be made: out of memory, or no such address", NULL);
        finish(flight);
    }
}

static void send_again(uv_timer_t *timer)
{
    send_one(timer->data);
}

/* ---- all of them ---- */

static bool take_next(struct append *append, struct flight *flight)
{
    struct error err;
    int status = append_source_next(&append->source, &flight->item, &err);
    if (status == STATUS_OK) {
        return true;
    }
    append->exhausted = true;
    if (status != STATUS_NOT_FOUND && !interrupted) { /* Which also breaks off a read. */
        append->stopped = say_error(&err);
    }
    return false;
}

static void on_pacer(uv_timer_t *timer)
{
    fill(timer->data);
}

/* False: the next one is not due yet; the pacer comes back for it. */
static bool is_due(struct append *append)
{
    if (append->rate == 0) {
        return true;
    }
    uint64_t due_us = append->begun_us + append->taken * US_IN_S / append->rate;
    uint64_t now = now_us();
    if (now >= due_us) {
        return true;
    }
    uv_timer_start(&append->pacer, on_pacer, (due_us - now) / US_IN_MS + 1, 0);
    return false;
}

static bool may_take(struct append *append, const struct flight *flight)
{
    return !flight->busy && !append->exhausted && !interrupted && is_due(append);
}

/* A request that fails at once is followed by the next, here and not from inside finish(): the
 * stack does not grow with the source. */
static void fill(struct append *append)
{
    if (append->filling) {
        return;
    }
    append->filling = true;
    for (unsigned i = 0; i < append->in_flight; i++) {
        struct flight *flight = &append->flights[i];
        while (may_take(append, flight) && take_next(append, flight)) {
            append->taken++;
            flight->busy = true;
            append->busy++;
            flight->begun_us = now_us();
            flight->code = GRPC_OK;
            send_one(flight);
        }
    }
    append->filling = false;
}

static void on_interrupt(int signal)
{
    (void)signal;
    interrupted = 1;
    (void)uv_async_send(&waker);
}

/* A read is broken off by it too; the second one ends the process. */
static void catch_interrupt(struct append *append)
{
    const struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND};
    (void)uv_async_init(&append->session.loop, &waker, NULL);
    (void)sigaction(SIGINT, &action, NULL);
}

static int finish_all(struct append *append)
{
    int stopped = interrupted ? EXIT_REFUSED : append->stopped;
    int code = append_report_end(&append->report, stopped != EXIT_OK);
    if (stopped != EXIT_OK && append->taken == 0) {
        say("stopped: nothing of %s was sent", append->source.name);
    } else if (stopped != EXIT_OK) {
        say("stopped: nothing of %s behind entry %" PRIu64 " was sent", append->source.name,
            append->taken);
    }
    return code != EXIT_OK ? code : stopped;
}

static int append_all(struct append *append)
{
    append->flights = calloc(append->in_flight, sizeof *append->flights);
    if (append->flights == NULL) {
        say("out of memory");
        return EXIT_REFUSED;
    }
    for (unsigned i = 0; i < append->in_flight; i++) {
        append->flights[i].append = append;
        uv_timer_init(&append->session.loop, &append->flights[i].timer);
        append->flights[i].timer.data = &append->flights[i];
    }
    uv_timer_init(&append->session.loop, &append->pacer);
    append->pacer.data = append;
    catch_interrupt(append);
    append->begun_us = now_us();
    fill(append);
    while (append->busy > 0 || !(append->exhausted || interrupted)) {
        uv_run(&append->session.loop, UV_RUN_ONCE);
    }
    uv_close((uv_handle_t *)&append->pacer, NULL);
    uv_close((uv_handle_t *)&waker, NULL);
    for (unsigned i = 0; i < append->in_flight; i++) {
        uv_close((uv_handle_t *)&append->flights[i].timer, NULL);
    }
    return finish_all(append);
}

/* ---- options ---- */

static bool take_number(const char *name, uint64_t high, uint64_t *out)
{
    return options_number(name, optarg, 1, high, out);
}

static int take(void *arg, int option)
{
    struct append *append = arg;
    uint64_t number;
    switch (option) {
    case OPTION_DELIMITED:
        append->source.delimited = true;
        return 1;
    case OPTION_CHECK:
        append->source.check_only = append->report.check_only = true;
        return 1;
    case OPTION_PROGRESS:
        append->report.progress = true;
        return 1;
    case OPTION_ACKNOWLEDGED:
        append->acknowledged = optarg;
        return 1;
    case OPTION_IN_FLIGHT:
        if (!take_number("in-flight", IN_FLIGHT_MAX, &number)) {
            return -1;
        }
        append->in_flight = (unsigned)number;
        return 1;
    case OPTION_RATE:
        return take_number("rate", RATE_MAX, &append->rate) ? 1 : -1;
    case OPTION_RETRY:
        return take_number("retry", 86400, &append->retry_s) ? 1 : -1;
    default:
        return 0;
    }
}

static int append_from(struct append *append, const struct context *context, const char *name)
{
    struct error err;
    if (append_source_open(&append->source, name, &err) != STATUS_OK) {
        return say_error(&err);
    }
    if (append_report_begin(&append->report, append->acknowledged, context->json, &err) !=
        STATUS_OK) {
        append_source_close(&append->source);
        return say_error(&err);
    }
    int code = session_open(&append->session, context);
    if (code == EXIT_OK) {
        code = append_all(append);
        session_close(&append->session);
        free(append->flights);
    }
    append_source_close(&append->source);
    return append_report_deinit(&append->report) || code != EXIT_OK ? code : EXIT_REFUSED;
}

static int run(struct context *context, int argc, char **argv)
{
    static const struct option options[] = {{"delimited", no_argument, NULL, OPTION_DELIMITED},
        {"in-flight", required_argument, NULL, OPTION_IN_FLIGHT},
        {"check-only", no_argument, NULL, OPTION_CHECK},
        {"acknowledged", required_argument, NULL, OPTION_ACKNOWLEDGED},
        {"progress", no_argument, NULL, OPTION_PROGRESS},
        {"rate", required_argument, NULL, OPTION_RATE},
        {"retry", required_argument, NULL, OPTION_RETRY}, COMMON_OPTIONS, {0}};
    static struct append append = {.in_flight = 1, .retry_s = RETRY_S};
    const struct options_own own = {.options = options, .take = take, .arg = &append};
    int code;
    if (!options_read(context, &append_command, &own, argc, argv, &code)) {
        return code;
    }
    const char *name = optind < argc ? argv[optind++] : "-";
    return options_end(&append_command, argc, argv) ? append_from(&append, context, name)
                                                    : EXIT_WRONG_USE;
}
