/* zhurnald's command line. Threads: one. */
#ifndef NODE_COMMAND_LINE_H
#define NODE_COMMAND_LINE_H

#include "node/config.h"

enum command { COMMAND_RUN, COMMAND_HELP, COMMAND_VERSION };

/* config is complete where *command is COMMAND_RUN. STATUS_INVALID, with a sentence, or what
 * config_read() says. */
int command_line_parse(
    int argc, char **argv, enum command *command, struct config *config, struct error *err);

/* What --help prints; static. */
const char *command_line_help(void);

#endif
