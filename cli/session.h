/* Calls of a command to the nodes it was given: a channel to each, made when it is first needed.
 *
 * Threads: one. */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include "cli/command.h"
#include "rpc/client.h"
#include <zhurnal/v1/cluster.pb-c.h>

struct session {
    const struct context *context;
    uv_loop_t loop;
    struct tls_context *tls;
    struct rpc_channel *channels[ENDPOINTS_MAX]; /* NULL: not made yet. */
    unsigned current;                            /* The endpoint that answered last. */
    unsigned closing;
};

/* EXIT_OK, or what to exit with, said already. */
int session_open(struct session *session, const struct context *context);
void session_close(struct session *session);

/* NULL, with a sentence said. */
struct rpc_channel *session_channel(struct session *session, unsigned endpoint);
/* The current endpoint does not answer: the next one is the current now. */
void session_next(struct session *session);
/* Every endpoint was tried, and each time one side did not trust the other's certificate. */
bool session_is_untrusted(const struct session *session);

/* One call to one endpoint. rpc_answer_deinit() in any case. */
enum grpc_code session_call_at(struct session *session, unsigned endpoint,
    const struct rpc_stream_options *call, const ProtobufCMessage *request,
    struct rpc_answer *answer);
/* How the node there stands, borrowed from answer; NULL where answer says why not.
 * rpc_answer_deinit() in any case. */
const Zhurnal__V1__StatusResponse *session_status(
    struct session *session, unsigned endpoint, struct rpc_answer *answer);
/* To the current one, then to the others until one answers. Of failures the word of a node that was
 * reached counts for more than that another one was not. */
enum grpc_code session_call(struct session *session, const struct rpc_stream_options *call,
    const ProtobufCMessage *request, struct rpc_answer *answer);

#endif
