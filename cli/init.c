/* zhurnalctl init: how a cluster begins. */
#include "cli/command.h"
#include "proto/bytes.h"
#include "proto/hex.h"
#include "rpc/authority.h"
#include "storage/directory.h"
#include "storage/founding.h"
#include "storage/lock.h"

#include <stdio.h>
#include <string.h>

static int run(struct context *context, int argc, char **argv);

const struct command init_command = {
    .name = "init",
    .summary = "founds a cluster",
    .help = "zhurnalctl init --tls DIR --found ID=HOST:PORT... -o FILE\n"
            "    Writes the founding file: the authority's cluster, and its first members.\n"
            "    Every founder gets a copy.\n"
            "zhurnalctl init --data DIR --founding FILE --node ID\n"
            "    Makes the data directory of one founder. Then: zhurnald --config FILE\n"
            "    A directory that holds a journal is left as it is.\n",
    .run = run,
};

enum { OPTION_FOUND = OPTION_OWN, OPTION_DATA, OPTION_FOUNDING, OPTION_NODE };

struct init {
    struct founding founding;
    const char *file, *data, *from;
    uint64_t node;
};

static bool take_member(struct init *init)
{
    char id[HEX_ID_SIZE] = "";
    uint64_t node;
    struct error err;
    const char *address = strchr(optarg, '=');
    if (address != NULL && (size_t)(address - optarg) < sizeof id) {
        memcpy(id, optarg, (size_t)(address - optarg));
    }
    if (!hex_parse_id(id, &node)) {
        say("--found is ID=HOST:PORT with an id of 1 to 16 hexadecimal digits, not '%s'", optarg);
        return false;
    }
    if (founding_add(&init->founding, node, address + 1, &err) != STATUS_OK) {
        say("%s", err.text);
        return false;
    }
    return true;
}

static int take(void *arg, int option)
{
    struct init *init = arg;
    switch (option) {
    case OPTION_FOUND:
        return take_member(init) ? 1 : -1;
    case 'o': /* Here a file, everywhere else how to show. */
        init->file = optarg;
        return 1;
    case OPTION_DATA:
        init->data = optarg;
        return 1;
    case OPTION_FOUNDING:
        init->from = optarg;
        return 1;
    case OPTION_NODE:
        if (hex_parse_id(optarg, &init->node)) {
            return 1;
        }
        say("a node's id is 1 to 16 hexadecimal digits, not '%s'", optarg);
        return -1;
    default:
        return 0;
    }
}

static int write_founding(const struct context *context, struct init *init)
{
    struct authority *authority;
    struct error err;
    if (context->tls == NULL || init->file == NULL || init->founding.count == 0) {
        say("a founding file needs --tls DIR, --found for each member, and -o FILE");
        return EXIT_WRONG_USE;
    }
    if (authority_load(&authority, context->tls, &err) != STATUS_OK) {
        say("%s: --tls names the directory that zhurnalctl cert init made", err.text);
        return EXIT_REFUSED;
    }
    memcpy(init->founding.cluster, authority_cluster(authority), UUID_SIZE);
    init->founding.epoch = 1;
    authority_destroy(authority);
    if (founding_write(&init->founding, init->file, &err) != STATUS_OK) {
        return say_error(&err);
    }
    printf("%s: %u members. On each: zhurnalctl init --data DIR --founding %s --node ID\n",
        init->file, init->founding.count, init->file);
    if (init->founding.count == 2) {
        say("a cluster of 2 survives the loss of neither: found 3, and it survives one");
    }
    return EXIT_OK;
}

/* Looks before it locks: a directory that is refused is left as it was. */
static int install(const struct init *init, struct error *err)
{
    struct lock lock;
    int status = founding_check(init->data, NULL, err);
    if (status == STATUS_OK) {
        status = directory_make(init->data, err);
    }
    if (status == STATUS_OK) {
        status = lock_take(&lock, init->data, err);
    }
    if (status != STATUS_OK) {
        return status;
    }
    status = founding_install(&init->founding, init->data, init->node, 0, err);
    lock_release(&lock);
    return status;
}

/* Asked before anything is made. */
static bool is_founder(const struct init *init)
{
    for (unsigned i = 0; i < init->founding.count; i++) {
        if (init->founding.members[i].node == init->node) {
            return true;
        }
    }
    return false;
}

static int make_directory(struct init *init)
{
    char id[HEX_ID_SIZE];
    struct error err;
    if (init->from == NULL || init->node == 0) {
        say("a founder's directory needs --data DIR, --founding FILE and --node ID");
        return EXIT_WRONG_USE;
    }
    if (founding_read(&init->founding, init->from, &err) != STATUS_OK) {
        return say_error(&err);
    }
    if (!is_founder(init)) {
        say("node %s is not among the founding members of %s: give one of them",
            hex_id(init->node, id), init->from);
        return EXIT_REFUSED;
    }
    if (install(init, &err) != STATUS_OK) {
        return say_error(&err);
    }
    printf("%s: node %s is ready to start: zhurnald --config FILE\n", init->data,
        hex_id(init->node, id));
    return EXIT_OK;
}

static int run(struct context *context, int argc, char **argv)
{
    static const struct option options[] = {{"found", required_argument, NULL, OPTION_FOUND},
        {"data", required_argument, NULL, OPTION_DATA},
        {"founding", required_argument, NULL, OPTION_FOUNDING},
        {"node", required_argument, NULL, OPTION_NODE}, COMMON_OPTIONS, {0}};
    struct init init = {0};
    const struct options_own own = {.options = options, .take = take, .arg = &init};
    int code;
    if (!options_read(context, &init_command, &own, argc, argv, &code)) {
        return code;
    }
    if (!options_end(&init_command, argc, argv)) {
        return EXIT_WRONG_USE;
    }
    return init.data != NULL ? make_directory(&init) : write_founding(context, &init);
}
