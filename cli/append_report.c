#include "cli/append_report.h"

#include "cli/json.h"
#include "proto/hex.h"
#include "rpc/client.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PROGRESS_US = 200000, ID_TEXT_SIZE = 33, NS_IN_US = 1000, LINES_MAX = 20 };

static const double US_IN_MS = 1000.0;
static const double US_IN_S = 1000000.0;

static uint64_t now_us(void)
{
    return uv_hrtime() / NS_IN_US;
}

int append_report_begin(
    struct append_report *report, const char *acknowledged, bool json, struct error *err)
{
    report->json = json;
    report->begun_us = report->last_us = report->shown_us = now_us();
    if (acknowledged == NULL) {
        return STATUS_OK;
    }
    report->acknowledged = fopen(acknowledged, "ae");
    return report->acknowledged != NULL ? STATUS_OK
                                        : error_set(err, STATUS_IO, "%s cannot be written: %s",
                                              acknowledged, strerrordesc_np(errno));
}

bool append_report_deinit(struct append_report *report)
{
    free(report->latencies_us);
    if (report->acknowledged == NULL) {
        return true;
    }
    bool failed = ferror(report->acknowledged);
    failed = fclose(report->acknowledged) != 0 || failed;
    if (failed) {
        say("the list of acknowledged entries is not whole, for it cannot be written: is the disk "
            "full? What was recorded stays recorded");
    }
    return !failed;
}

/* ---- as it goes ---- */

static uint64_t done(const struct append_report *report)
{
    return report->accepted + report->refused + report->unanswered;
}

static void show_progress(struct append_report *report, bool last)
{
    uint64_t now = now_us();
    bool wanted = report->progress || (done(report) > 1 && isatty(STDERR_FILENO));
    if (!wanted || (!last && now - report->shown_us < PROGRESS_US)) {
        return;
    }
    report->shown_us = now;
    double seconds = (double)(now - report->begun_us) / US_IN_S;
    (void)fprintf(stderr, "\r%" PRIu64 " entries, %.0f a second, %" PRIu64 " sent again ",
        done(report), seconds > 0 ? (double)done(report) / seconds : 0, report->retries);
    if (last) {
        (void)fputc('\n', stderr);
    }
}

static void note_latency(struct append_report *report, uint64_t latency_us)
{
    if (report->latency_count == report->latency_capacity) {
        size_t capacity = report->latency_capacity == 0 ? 1024 : 2 * report->latency_capacity;
        uint32_t *grown = realloc(report->latencies_us, capacity * sizeof *grown);
        if (grown == NULL) {
            return;
        }
        report->latencies_us = grown;
        report->latency_capacity = capacity;
    }
    report->latencies_us[report->latency_count++] =
        latency_us < UINT32_MAX ? (uint32_t)latency_us : UINT32_MAX;
}

static void note_gap(struct append_report *report)
{
    uint64_t now = now_us();
    uint64_t gap = now - report->last_us;
    report->longest_gap_us = gap > report->longest_gap_us ? gap : report->longest_gap_us;
    report->last_us = now;
}

static void note_acknowledged(
    struct append_report *report, const struct append_item *item, uint64_t index)
{
    char id[ID_TEXT_SIZE];
    if (report->acknowledged != NULL && index > 0) {
        (void)fprintf(report->acknowledged, "%" PRIu64 " %s %" PRIu64 "\n", item->school,
            hex_encode(item->entry_id, sizeof item->entry_id, id), index);
        (void)fflush(report->acknowledged);
    }
}

static void list(struct append_report *report, const struct append_item *item, uint64_t index)
{
    char id[ID_TEXT_SIZE];
    if (report->listed == LINES_MAX) {
        return;
    }
    report->listed++;
    hex_encode(item->entry_id, sizeof item->entry_id, id);
    if (index > 0) {
        printf("%s  index %" PRIu64 "  recorded\n", id, index);
    } else {
        printf("%s  would be recorded\n", id);
    }
}

static void show_answer(struct append_report *report, const struct append_item *item,
    const Zhurnal__V1__AppendResponse *response)
{
    char *text;
    if (!report->json) {
        list(report, item, response->index);
    } else if (json_encode(&response->base, &text, NULL) == STATUS_OK) {
        puts(text);
        free(text);
    }
}

void append_report_answer(struct append_report *report, const struct append_item *item,
    const Zhurnal__V1__AppendResponse *response, uint64_t latency_us)
{
    report->accepted++;
    note_latency(report, latency_us);
    note_gap(report);
    note_acknowledged(report, item, response->index);
    show_answer(report, item, response);
    show_progress(report, false);
}

void append_report_refusal(struct append_report *report, const struct append_item *item,
    enum grpc_code code, const char *sentence, const struct verdict *verdict)
{
    bool unanswered = code == GRPC_UNAVAILABLE || code == GRPC_DEADLINE_EXCEEDED;
    report->unanswered += unanswered;
    report->refused += !unanswered;
    if (verdict != NULL) {
        say("entry %" PRIu64 " is refused by rule %u, event %u: %s", item->number, verdict->rule,
            verdict->event, sentence);
    } else {
        say("entry %" PRIu64 ": %s (%s)", item->number, sentence, grpc_code_name((int)code));
    }
    show_progress(report, false);
}

void append_report_retry(struct append_report *report)
{
    report->retries++;
    show_progress(report, false);
}

/* ---- at the end ---- */

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static double percentile_ms(const struct append_report *report, unsigned percent)
{
    if (report->latency_count == 0) {
        return 0;
    }
    size_t rank = (report->latency_count - 1) * percent / 100;
    return (double)report->latencies_us[rank] / US_IN_MS;
}

static void show_speed(struct append_report *report, FILE *out)
{
    double seconds = (double)(now_us() - report->begun_us) / US_IN_S;
    if (report->latency_count == 0) {
        return;
    }
    qsort(report->latencies_us, report->latency_count, sizeof *report->latencies_us, compare);
    (void)fprintf(out,
        "%.1f s, %.0f entries/s; longest pause between two answers %.0f ms\n"
        "latency p50 %.2f ms, p99 %.2f ms, max %.2f ms\n",
        seconds, seconds > 0 ? (double)report->accepted / seconds : 0,
        (double)report->longest_gap_us / US_IN_MS, percentile_ms(report, 50),
        percentile_ms(report, 99), percentile_ms(report, 100));
}

static void summarize(struct append_report *report)
{
    FILE *out = report->json ? stderr : stdout;
    if (!report->json && report->accepted > report->listed) {
        (void)fprintf(out, "… and %" PRIu64 " more%s\n", report->accepted - report->listed,
            report->acknowledged == NULL ? "; all: --acknowledged FILE" : "");
    }
    (void)fprintf(out,
        "%" PRIu64 " %s, %" PRIu64 " refused, %" PRIu64 " without an answer; sent again %" PRIu64
        " times\n",
        report->accepted, report->check_only ? "would be recorded" : "recorded", report->refused,
        report->unanswered, report->retries);
    show_speed(report, out);
}

int append_report_end(struct append_report *report, bool stopped)
{
    show_progress(report, true);
    /* One that is all there was has said what became of it. */
    if (done(report) > 1 || report->unanswered > 0 || (done(report) == 1) == stopped) {
        summarize(report);
    }
    if (report->unanswered > 0) {
        return EXIT_UNREACHABLE;
    }
    return report->refused > 0 ? EXIT_REFUSED : EXIT_OK;
}
