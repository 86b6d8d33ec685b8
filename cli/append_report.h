/* What append tells: a line for each entry or progress, and a summary at the end. */
#ifndef CLI_APPEND_REPORT_H
#define CLI_APPEND_REPORT_H

#include "cli/append_source.h"
#include "cli/command.h"
#include "node/journal/verdict.h"
#include <zhurnal/v1/journal.pb-c.h>

struct append_report {
    bool json, progress, check_only;
    FILE *acknowledged; /* NULL: not asked for. */
    uint64_t accepted, refused, unanswered, retries;
    uint64_t listed;        /* Of those accepted, a line each. */
    uint32_t *latencies_us; /* Of those recorded. */
    size_t latency_count, latency_capacity;
    uint64_t begun_us, last_us, longest_gap_us;
    uint64_t shown_us;
};

int append_report_begin(
    struct append_report *report, const char *acknowledged, bool json, struct error *err);
/* False where the list of acknowledged entries is not whole, said already. */
bool append_report_deinit(struct append_report *report);

void append_report_answer(struct append_report *report, const struct append_item *item,
    const Zhurnal__V1__AppendResponse *response, uint64_t latency_us);
/* verdict NULL: it was not judged. */
void append_report_refusal(struct append_report *report, const struct append_item *item,
    enum grpc_code code, const char *sentence, const struct verdict *verdict);
void append_report_retry(struct append_report *report);

/* The summary. stopped: there may be more in the source. What to exit with. */
int append_report_end(struct append_report *report, bool stopped);

#endif
