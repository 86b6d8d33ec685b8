/* What the files of zhurnalctl share: a command each, and the options that all take. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "proto/status.h"
#include "rpc/code.h"
#include <zhurnal/v1/entry.pb-c.h>

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    EXIT_OK = 0,
    EXIT_REFUSED = 1, /* It was answered with no, or something failed here. */
    EXIT_WRONG_USE = 2,
    EXIT_UNREACHABLE = 3, /* No node answers, or the outcome is not known. */
    ENDPOINTS_MAX = 16,
    ENDPOINT_SIZE = 256,
    CLI_PATH_SIZE = 4096,
};

/* As of the command line and the environment. */
struct context {
    char endpoints[ENDPOINTS_MAX][ENDPOINT_SIZE]; /* host:port */
    unsigned endpoint_count;
    bool own_endpoints; /* Not the environment's. */
    char ca[CLI_PATH_SIZE], cert[CLI_PATH_SIZE], key[CLI_PATH_SIZE];
    const char *tls, *as;
    bool json;
    unsigned timeout_s;
};

struct command {
    const char *name;
    const char *summary; /* One line. */
    const char *help;    /* Its usage and options. */
    int (*run)(struct context *context, int argc, char **argv);
};

extern const struct command append_command, cert_command, init_command, page_command,
    replay_command, status_command;

/* ---- options.c ---- */

/* Long options of every command: to stand at the end of its own. */
enum {
    OPTION_ENDPOINT = 1000,
    OPTION_TLS,
    OPTION_AS,
    OPTION_CA,
    OPTION_CERT,
    OPTION_KEY,
    OPTION_OUTPUT,
    OPTION_TIMEOUT,
    OPTION_HELP,
    OPTION_VERSION,
    OPTION_OWN
};
#define COMMON_OPTIONS                                                                            \
    {"endpoint", required_argument, NULL, OPTION_ENDPOINT},                                       \
        {"tls", required_argument, NULL, OPTION_TLS}, {"as", required_argument, NULL, OPTION_AS}, \
        {"ca", required_argument, NULL, OPTION_CA},                                               \
        {"cert", required_argument, NULL, OPTION_CERT},                                           \
        {"key", required_argument, NULL, OPTION_KEY},                                             \
        {"output", required_argument, NULL, OPTION_OUTPUT},                                       \
        {"timeout", required_argument, NULL, OPTION_TIMEOUT},                                     \
    {                                                                                             \
        "help", no_argument, NULL, OPTION_HELP                                                    \
    }

/* ZHURNAL_ENDPOINTS, ZHURNAL_TLS, ZHURNAL_AS. False, with a sentence said, where they make no
 * sense. */
bool options_from_environment(struct context *context);

/* What a command has of its own. */
struct options_own {
    const struct option *options; /* COMMON_OPTIONS and {0} at the end. */
    /* One of them, from optarg. 1: taken; 0: it is none of them; -1: wrong, said already. */
    int (*take)(void *arg, int option);
    void *arg;
};

/* All options, up to what stands behind them at optind. False: the command ends with *code, and why
 * is said already. */
bool options_read(struct context *context, const struct command *command,
    const struct options_own *own, int argc, char **argv, int *code);

/* One option that is not the command's own. EXIT_OK: taken. Otherwise what to exit with, said
 * already; help_shown tells whether it was --help. */
int options_take(
    struct context *context, const struct command *command, int option, bool *help_shown);

/* Decimal, or with 0x. False, with a sentence said. */
bool options_number(const char *name, const char *text, uint64_t low, uint64_t high, uint64_t *out);

/* --person or --role of whoever is read for, from optarg. */
bool options_actor(bool role, Zhurnal__V1__Actor *actor);

/* Nothing may stand behind the options. */
bool options_end(const struct command *command, int argc, char **argv);

/* ---- saying ---- */

/* "zhurnalctl: …" on standard error. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The sentence of a failed call, and what to exit with. */
int say_failure(enum grpc_code code, const char *sentence);
int say_error(const struct error *err);

#endif
