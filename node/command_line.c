#include "node/command_line.h"

#include <getopt.h>
#include <stdio.h>

enum { OPTION_CONFIG = 'c', OPTION_DATA = 'd', OPTION_LISTEN = 'l', OPTION_HELP = 'h' };
enum { OPTION_VERSION = 'V' };

static const struct option options[] = {
    {"config", required_argument, NULL, OPTION_CONFIG},
    {"data", required_argument, NULL, OPTION_DATA},
    {"listen", required_argument, NULL, OPTION_LISTEN},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {0},
};

const char *command_line_help(void)
{
    return "zhurnald, a node of the school journal\n"
           "\n"
           "  zhurnald --config FILE\n"
           "      A node of a cluster, as FILE says (deploy/zhurnald.conf is an example). Its "
           "data\n"
           "      directory was made by zhurnalctl init.\n"
           "  zhurnald --data DIR [--listen ADDRESS:PORT]\n"
           "      One node by itself on loopback. In an empty DIR it founds a cluster of one, "
           "with\n"
           "      certificates in DIR/tls, and says how to call it.\n"
           "\n"
           "  --listen ADDRESS:PORT   instead of 127.0.0.1:7400; port 0 takes any; may be "
           "repeated\n"
           "  --help, --version\n"
           "\n"
           "SIGTERM and SIGINT stop it in order, SIGHUP reads the certificates anew.\n";
}

/* What the options said, before the file is read: they stand above it. */
struct said {
    const char *config, *data;
    struct config listeners;
};

static int take_option(
    int option, enum command *command, struct said *said, char **argv, struct error *err)
{
    switch (option) {
    case OPTION_CONFIG:
        said->config = optarg;
        return STATUS_OK;
    case OPTION_DATA:
        said->data = optarg;
        return STATUS_OK;
    case OPTION_LISTEN:
        return config_add_listen(&said->listeners, optarg, err);
    case OPTION_HELP:
        *command = COMMAND_HELP;
        return STATUS_OK;
    case OPTION_VERSION:
        *command = COMMAND_VERSION;
        return STATUS_OK;
    case ':':
        return error_set(err, STATUS_INVALID, "%s takes a value: see --help", argv[optind - 1]);
    default:
        return error_set(
            err, STATUS_INVALID, "there is no option %s: see --help", argv[optind - 1]);
    }
}

static int combine(const struct said *said, struct config *config, struct error *err)
{
    if (said->config == NULL && said->data == NULL) {
        return error_set(err, STATUS_INVALID, "say --config FILE or --data DIR: see --help");
    }
    int status = said->config == NULL ? STATUS_OK : config_read(config, said->config, err);
    if (status != STATUS_OK) {
        return status;
    }
    if (said->data != NULL) {
        int n = snprintf(config->data, sizeof config->data, "%s", said->data);
        if (n <= 0 || (size_t)n >= sizeof config->data) {
            return error_set(err, STATUS_INVALID, "--data is no path");
        }
    }
    if (said->listeners.listen_count > 0) {
        config->listen_count = said->listeners.listen_count;
        for (unsigned i = 0; i < config->listen_count; i++) {
            config->listen[i] = said->listeners.listen[i];
        }
    }
    return config_complete(config, err);
}

int command_line_parse(
    int argc, char **argv, enum command *command, struct config *config, struct error *err)
{
    struct said said = {0};
    int status = STATUS_OK;
    int option;
    *command = COMMAND_RUN;
    config_init(config);
    optind = 0;
    opterr = 0;
    /* Called before any thread is started. */
    while (status == STATUS_OK &&
        (option = getopt_long(argc, argv, ":", options, NULL)) != -1) { /* NOLINT */
        status = take_option(option, command, &said, argv, err);
    }
    if (status != STATUS_OK || *command != COMMAND_RUN) {
        return status;
    }
    if (optind < argc) {
        return error_set(err, STATUS_INVALID, "'%.80s' is no option: see --help", argv[optind]);
    }
    return combine(&said, config, err);
}
