/* What happens, line by line, for whoever looks into a life. */
#include "tests/lib/sim.h"

#include <inttypes.h>
#include <stdio.h>

void sim_trace_node(struct sim_node *node, const char *what)
{
    if (node->sim->trace) {
        printf("%8" PRIu64 " %" PRIu64 " %s\n", node->sim->now_ms, node->id, what);
    }
}

static void trace_append(const Zhurnal__Peer__V1__AppendEntries *append)
{
    printf("entries of term %" PRIu64 ": %zu after %" PRIu64 " of term %" PRIu64
           ", committed %" PRIu64 "\n",
        append->term, append->n_records, append->prev_log_index, append->prev_log_term,
        append->leader_commit);
}

void sim_trace_frame(
    struct sim *sim, uint64_t from, uint64_t to, const Zhurnal__Peer__V1__Frame *frame)
{
    if (!sim->trace) {
        return;
    }
    printf("%8" PRIu64 " %" PRIu64 " -> %" PRIu64 " ", sim->now_ms, from, to);
    switch (frame->message_case) {
    case ZHURNAL__PEER__V1__FRAME__MESSAGE_APPEND_ENTRIES:
        trace_append(frame->append_entries);
        break;
    case ZHURNAL__PEER__V1__FRAME__MESSAGE_APPEND_ENTRIES_RESULT: {
        const Zhurnal__Peer__V1__AppendEntriesResult *result = frame->append_entries_result;
        printf("answer of term %" PRIu64 ": rejected %" PRIu64 ", last %" PRIu64 "%s\n",
            result->term, result->rejected, result->last_log_index, result->stale ? ", stale" : "");
        break;
    }
    case ZHURNAL__PEER__V1__FRAME__MESSAGE_REQUEST_VOTE:
        printf("asks for a %svote in term %" PRIu64 ", last %" PRIu64 " of term %" PRIu64 "\n",
            frame->request_vote->pre_vote ? "pre-" : "", frame->request_vote->term,
            frame->request_vote->last_log_index, frame->request_vote->last_log_term);
        break;
    case ZHURNAL__PEER__V1__FRAME__MESSAGE_REQUEST_VOTE_RESULT:
        printf("%ss a %svote in term %" PRIu64 "\n",
            frame->request_vote_result->vote_granted ? "give" : "refuse",
            frame->request_vote_result->pre_vote ? "pre-" : "", frame->request_vote_result->term);
        break;
    case ZHURNAL__PEER__V1__FRAME__MESSAGE_INSTALL_SNAPSHOT:
        printf("install up to %" PRIu64 " of term %" PRIu64 "\n",
            frame->install_snapshot->last_index, frame->install_snapshot->last_term);
        break;
    case ZHURNAL__PEER__V1__FRAME__MESSAGE_TIMEOUT_NOW:
        printf("stand now\n");
        break;
    case ZHURNAL__PEER__V1__FRAME__MESSAGE__NOT_SET:
    case _ZHURNAL__PEER__V1__FRAME__MESSAGE__CASE_IS_INT_SIZE:
        break;
    }
}
