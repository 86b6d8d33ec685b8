/* zhurnalctl: administers a cluster, writes to it and audits it. */
#include "cli/command.h"
#include "proto/bytes.h"
#include "proto/version.h"
#include "rpc/tls.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static const struct command *const commands[] = {
    &cert_command,
    &init_command,
    &status_command,
    &append_command,
    &page_command,
    &replay_command,
};
enum { COMMANDS = sizeof commands / sizeof *commands };

static const char head[] = "zhurnalctl, the tool of the school journal's operators and auditors\n"
                           "\n"
                           "  zhurnalctl [OPTIONS] COMMAND [OPTIONS]\n"
                           "\n";

static const char tail[] =
    "\n"
    "Options of every command:\n"
    "  --endpoint HOST:PORT   a node to call; again, or with commas, for more: the\n"
    "                         next is tried where one does not answer\n"
    "                         (ZHURNAL_ENDPOINTS)\n"
    "  --ca FILE --cert FILE --key FILE\n"
    "                         the authority's certificate, and one's own with its key\n"
    "  --tls DIR --as NAME    the same as DIR/ca.pem, DIR/NAME.pem, DIR/NAME.key;\n"
    "                         NAME is operator unless said (ZHURNAL_TLS, ZHURNAL_AS)\n"
    "  -o, --output table|json\n"
    "                         how to show what comes\n"
    "  --timeout SECONDS      how long to wait for an answer, 30 unless said\n"
    "  --help, --version\n"
    "\n"
    "Exit: 0 done; 1 refused or failed; 2 wrong use; 3 no node answers,\n"
    "      or the outcome is not known.\n";

static const struct command self = {.name = "", .help = ""};
static char program[] = "zhurnalctl"; /* Whatever it was called as: getopt begins with it. */

static void help(void)
{
    (void)fputs(head, stdout);
    for (size_t i = 0; i < COMMANDS; i++) {
        printf("  %-8s %s\n", commands[i]->name, commands[i]->summary);
    }
    (void)fputs(tail, stdout);
}

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i]->name, name) == 0) {
            return commands[i];
        }
    }
    return NULL;
}

static int run(struct context *context, int argc, char **argv)
{
    if (optind >= argc) {
        help();
        return EXIT_WRONG_USE;
    }
    const struct command *command = find(argv[optind]);
    if (command == NULL) {
        say("there is no command '%s': see zhurnalctl --help", argv[optind]);
        return EXIT_WRONG_USE;
    }
    argc -= optind;
    argv += optind;
    argv[0] = program;
    optind = 0; /* getopt begins anew. */
    int code = command->run(context, argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        say("standard output cannot be written");
        return EXIT_REFUSED;
    }
    return code;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"version", no_argument, NULL, OPTION_VERSION}, COMMON_OPTIONS, {0}};
    static struct context context = {.timeout_s = 30};
    bool help_shown;
    int option;
    argv[0] = program;
    (void)signal(SIGPIPE, SIG_IGN);
    tls_library_init();
    if (!options_from_environment(&context)) {
        return EXIT_WRONG_USE;
    }
    /* One thread. NOLINTNEXTLINE(concurrency-mt-unsafe) */
    while ((option = getopt_long(argc, argv, "+o:h", options, NULL)) != -1) {
        if (option == OPTION_HELP || option == 'h') {
            help();
            return EXIT_OK;
        }
        if (option == OPTION_VERSION) {
            printf("zhurnalctl %s\n", ZHURNAL_VERSION);
            return EXIT_OK;
        }
        int code = options_take(&context, &self, option, &help_shown);
        if (code != EXIT_OK) {
            return code;
        }
    }
    return run(&context, argc, argv);
}
