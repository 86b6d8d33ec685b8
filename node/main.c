/* zhurnald. */
#include "node/command_line.h"
#include "node/daemon.h"
#include "proto/version.h"

#include <stdio.h>

enum { EXIT_USAGE = 2 };

int main(int argc, char **argv)
{
    static struct config config;
    struct error err;
    enum command command;
    if (command_line_parse(argc, argv, &command, &config, &err) != STATUS_OK) {
        (void)fprintf(stderr, "zhurnald: %s\n", err.text);
        return EXIT_USAGE;
    }
    switch (command) {
    case COMMAND_HELP:
        return fputs(command_line_help(), stdout) < 0;
    case COMMAND_VERSION:
        return puts("zhurnald " ZHURNAL_VERSION) < 0;
    case COMMAND_RUN:
        break;
    }
    return daemon_run(&config);
}
