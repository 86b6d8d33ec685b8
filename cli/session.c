#include "cli/session.h"

#include "rpc/tls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MS_IN_S = 1000, CONNECT_TIMEOUT_MS = 3000, STATUS_TIMEOUT_MS = 3000 };

static bool file_of(
    const struct context *context, const char *given, const char *name, char out[CLI_PATH_SIZE])
{
    int size = given[0] != '\0' ? snprintf(out, CLI_PATH_SIZE, "%s", given)
                                : snprintf(out, CLI_PATH_SIZE, "%s/%s", context->tls, name);
    return size > 0 && size < CLI_PATH_SIZE;
}

static int load_tls(struct session *session)
{
    const struct context *context = session->context;
    const char *as = context->as != NULL ? context->as : "operator";
    static char ca[CLI_PATH_SIZE], cert[CLI_PATH_SIZE], key[CLI_PATH_SIZE];
    char name[256];
    struct error err;
    bool given = context->ca[0] != '\0' && context->cert[0] != '\0' && context->key[0] != '\0';
    if (!given && context->tls == NULL) {
        say("who calls? give --ca, --cert and --key, or --tls DIR and --as NAME; zhurnalctl cert "
            "issues certificates");
        return EXIT_WRONG_USE;
    }
    bool fits = file_of(context, context->ca, "ca.pem", ca);
    snprintf(name, sizeof name, "%s.pem", as);
    fits = fits && file_of(context, context->cert, name, cert);
    snprintf(name, sizeof name, "%s.key", as);
    fits = fits && file_of(context, context->key, name, key);
    if (!fits) {
        say("the paths of the certificates are too long");
        return EXIT_WRONG_USE;
    }
    const struct tls_files files = {.authority = ca, .certificate = cert, .key = key};
    if (tls_context_load(&session->tls, TLS_CLIENT, &files, &err) != STATUS_OK) {
        say("%s: name another certificate by --as NAME, or by --ca, --cert and --key; zhurnalctl "
            "cert issues them",
            err.text);
        return EXIT_REFUSED;
    }
    return EXIT_OK;
}

int session_open(struct session *session, const struct context *context)
{
    *session = (struct session){.context = context};
    if (context->endpoint_count == 0) {
        say("which node? give --endpoint HOST:PORT, or set ZHURNAL_ENDPOINTS");
        return EXIT_WRONG_USE;
    }
    int code = load_tls(session);
    if (code == EXIT_OK && uv_loop_init(&session->loop) != 0) {
        tls_context_destroy(session->tls);
        say("out of memory");
        return EXIT_REFUSED;
    }
    return code;
}

static void on_closed(void *arg)
{
    ((struct session *)arg)->closing--;
}

void session_close(struct session *session)
{
    for (unsigned i = 0; i < ENDPOINTS_MAX; i++) {
        if (session->channels[i] != NULL) {
            session->closing++;
            rpc_channel_close(session->channels[i], on_closed, session);
        }
    }
    while (session->closing > 0) {
        uv_run(&session->loop, UV_RUN_ONCE);
    }
    uv_run(&session->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&session->loop);
    tls_context_destroy(session->tls);
}

struct rpc_channel *session_channel(struct session *session, unsigned endpoint)
{
    if (session->channels[endpoint] != NULL) {
        return session->channels[endpoint];
    }
    char host[ENDPOINT_SIZE];
    struct error err;
    const char *text = session->context->endpoints[endpoint];
    const char *colon = strrchr(text, ':');
    size_t size = (size_t)(colon - text);
    bool bracketed = size >= 2 && text[0] == '[' && text[size - 1] == ']';
    snprintf(host, sizeof host, "%.*s", (int)(bracketed ? size - 2 : size), text + bracketed);
    const struct rpc_channel_options options = {.host = host,
        .port = (int)strtol(colon + 1, NULL, 10),
        .tls = session->tls,
        .connect_timeout_ms = CONNECT_TIMEOUT_MS};
    if (rpc_channel_open(&session->channels[endpoint], &session->loop, &options, &err) !=
        STATUS_OK) {
        say("%s: %s", text, err.text);
    }
    return session->channels[endpoint];
}

void session_next(struct session *session)
{
    session->current = (session->current + 1) % session->context->endpoint_count;
}

bool session_is_untrusted(const struct session *session)
{
    for (unsigned i = 0; i < session->context->endpoint_count; i++) {
        if (session->channels[i] == NULL || !rpc_channel_untrusted(session->channels[i])) {
            return false;
        }
    }
    return true;
}

enum grpc_code session_call_at(struct session *session, unsigned endpoint,
    const struct rpc_stream_options *call, const ProtobufCMessage *request,
    struct rpc_answer *answer)
{
    struct rpc_channel *channel = session_channel(session, endpoint);
    struct rpc_stream_options options = *call;
    if (channel == NULL) {
        *answer = (struct rpc_answer){.code = GRPC_UNAVAILABLE};
        arena_init(&answer->arena, 0);
        return answer->code;
    }
    if (options.timeout_ms == 0) {
        options.timeout_ms = (uint64_t)session->context->timeout_s * MS_IN_S;
    }
    return rpc_unary_sync(channel, &options, request, answer);
}

const Zhurnal__V1__StatusResponse *session_status(
    struct session *session, unsigned endpoint, struct rpc_answer *answer)
{
    const Zhurnal__V1__StatusRequest request = ZHURNAL__V1__STATUS_REQUEST__INIT;
    const struct rpc_stream_options call = {.path = "/zhurnal.v1.ClusterService/Status",
        .response = &zhurnal__v1__status_response__descriptor,
        .timeout_ms = STATUS_TIMEOUT_MS};
    enum grpc_code code = session_call_at(session, endpoint, &call, &request.base, answer);
    return code == GRPC_OK ? (const void *)answer->message : NULL;
}

enum grpc_code session_call(struct session *session, const struct rpc_stream_options *call,
    const ProtobufCMessage *request, struct rpc_answer *answer)
{
    char said[RPC_SENTENCE_MAX] = ""; /* By a node that was reached. */
    for (unsigned tries = 1;; tries++) {
        enum grpc_code code = session_call_at(session, session->current, call, request, answer);
        if (code != GRPC_UNAVAILABLE) {
            return code;
        }
        if (!answer->not_sent) {
            snprintf(said, sizeof said, "%s", answer->sentence);
        }
        if (tries == session->context->endpoint_count) {
            break;
        }
        rpc_answer_deinit(answer);
        session_next(session);
    }
    if (said[0] != '\0') {
        snprintf(answer->sentence, sizeof answer->sentence, "%s", said);
    }
    return answer->code;
}
