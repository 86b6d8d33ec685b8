#include "cli/command.h"
#include "proto/bytes.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DECIMAL = 10, HEXADECIMAL = 16, PORT_DIGITS_MAX = 5 };
enum { SENTENCE_SIZE = 2048, WORD_MAX = 32 };

void say(const char *format, ...)
{
    va_list arguments;
    (void)fputs("zhurnalctl: ", stderr);
    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
    (void)fputc('\n', stderr);
}

/* What a field of the API is called here; NULL: none begins at text. */
static const char *const *word_at(const char *text)
{
    static const char *const words[][2] = {{"in actor.person", "by --person and --role"},
        {"min_index", "--min-index"}, {"from_day", "--from-day"}, {"to_day", "--to-day"}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strncmp(text, words[i][0], strlen(words[i][0])) == 0) {
            return words[i];
        }
    }
    return NULL;
}

static const char *in_our_words(const char *sentence, char out[SENTENCE_SIZE])
{
    size_t used = 0;
    while (*sentence != '\0' && used + WORD_MAX < SENTENCE_SIZE) {
        const char *const *word = word_at(sentence);
        const char *ours = word != NULL ? word[1] : sentence;
        size_t size = word != NULL ? strlen(word[1]) : 1;
        memcpy(out + used, ours, size);
        used += size;
        sentence += word != NULL ? strlen(word[0]) : 1;
    }
    out[used] = '\0';
    return out;
}

int say_failure(enum grpc_code code, const char *sentence)
{
    char ours[SENTENCE_SIZE];
    say("%s (%s)", sentence[0] != '\0' ? in_our_words(sentence, ours) : "the call failed",
        grpc_code_name((int)code));
    return code == GRPC_UNAVAILABLE || code == GRPC_DEADLINE_EXCEEDED ? EXIT_UNREACHABLE
                                                                      : EXIT_REFUSED;
}

int say_error(const struct error *err)
{
    say("%s", err->text);
    return EXIT_REFUSED;
}

/* ---- where to call ---- */

/* A host, a colon, a port from 1 to 65535; an IPv6 address stands in brackets. */
static bool is_endpoint(const char *text)
{
    const char *colon = strrchr(text, ':');
    if (colon == NULL || colon == text || strlen(colon + 1) > PORT_DIGITS_MAX ||
        strspn(colon + 1, "0123456789") != strlen(colon + 1)) {
        return false;
    }
    long port = strtol(colon + 1, NULL, 10);
    bool host = text[0] == '[' ? colon - text > 2 && colon[-1] == ']' : strchr(text, ':') == colon;
    return host && port > 0 && port <= UINT16_MAX;
}

static bool add_endpoint(struct context *context, const char *text, size_t size)
{
    if (context->endpoint_count == ENDPOINTS_MAX) {
        say("there are at most %d endpoints: leave out '%.*s'", ENDPOINTS_MAX, (int)size, text);
        return false;
    }
    char *endpoint = context->endpoints[context->endpoint_count];
    size_t kept = size < ENDPOINT_SIZE ? size : ENDPOINT_SIZE - 1;
    memcpy(endpoint, text, kept);
    endpoint[kept] = '\0';
    if (kept < size || !is_endpoint(endpoint)) {
        say("an endpoint is HOST:PORT, as in 127.0.0.1:7400 or [::1]:7400, not '%.*s'", (int)size,
            text);
        return false;
    }
    context->endpoint_count++;
    return true;
}

static bool add_endpoints(struct context *context, const char *list)
{
    while (*list != '\0') {
        size_t size = strcspn(list, ",");
        if (!add_endpoint(context, list, size)) {
            return false;
        }
        list += size + (list[size] == ',');
    }
    return true;
}

bool options_from_environment(struct context *context)
{
    /* Nothing sets the environment here. NOLINTBEGIN(concurrency-mt-unsafe) */
    const char *endpoints = getenv("ZHURNAL_ENDPOINTS");
    context->tls = getenv("ZHURNAL_TLS");
    context->as = getenv("ZHURNAL_AS");
    /* NOLINTEND(concurrency-mt-unsafe) */
    if (endpoints == NULL || add_endpoints(context, endpoints)) {
        return true;
    }
    return false;
}

/* ---- options ---- */

bool options_number(const char *name, const char *text, uint64_t low, uint64_t high, uint64_t *out)
{
    char *end;
    errno = 0;
    int base = strncasecmp(text, "0x", 2) == 0 ? HEXADECIMAL : DECIMAL;
    unsigned long long value = strtoull(text, &end, base);
    *out = value;
    if (text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && value >= low &&
        value <= high) {
        return true;
    }
    say("--%s is a number from %" PRIu64 " to %" PRIu64 ", not '%s'", name, low, high, text);
    return false;
}

/* "head" for ROLE_HEAD. */
static bool parse_role(const char *text, Zhurnal__V1__Role *role)
{
    char name[64] = "ROLE_";
    size_t size = strlen(name);
    for (; *text != '\0' && size + 1 < sizeof name; text++) {
        name[size++] = (char)toupper((unsigned char)*text);
    }
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value_by_name(&zhurnal__v1__role__descriptor, name);
    *role = value != NULL ? (Zhurnal__V1__Role)value->value : 0;
    return *text == '\0' && value != NULL && value->value != 0;
}

bool options_actor(bool role, Zhurnal__V1__Actor *actor)
{
    if (!role) {
        return options_number("person", optarg, 1, UINT64_MAX, &actor->person);
    }
    if (parse_role(optarg, &actor->role)) {
        return true;
    }
    say("--role is head, deputy, subject_teacher, class_teacher, substitute, secretary, tech, "
        "pupil, guardian, auditor or system, not '%s'",
        optarg);
    return false;
}

bool options_end(const struct command *command, int argc, char **argv)
{
    if (optind < argc) {
        say("'%s' is not expected here: see 'zhurnalctl %s --help'", argv[optind], command->name);
        return false;
    }
    return true;
}

static bool keep_path(char out[CLI_PATH_SIZE], const char *path)
{
    size_t size = strlen(path);
    if (size >= CLI_PATH_SIZE) {
        say("the path is too long: %.60s…", path);
        return false;
    }
    memcpy(out, path, size + 1);
    return true;
}

static bool take_output(struct context *context)
{
    context->json = strcmp(optarg, "json") == 0;
    if (context->json || strcmp(optarg, "table") == 0) {
        return true;
    }
    say("-o is table or json, not '%s'", optarg);
    return false;
}

static bool take_timeout(struct context *context)
{
    uint64_t seconds;
    if (!options_number("timeout", optarg, 1, 86400, &seconds)) {
        return false;
    }
    context->timeout_s = (unsigned)seconds;
    return true;
}

int options_take(
    struct context *context, const struct command *command, int option, bool *help_shown)
{
    *help_shown = false;
    switch (option) {
    case OPTION_ENDPOINT:
        context->endpoint_count = context->own_endpoints ? context->endpoint_count : 0;
        context->own_endpoints = true;
        return add_endpoints(context, optarg) ? EXIT_OK : EXIT_WRONG_USE;
    case OPTION_TLS:
        context->tls = optarg;
        return EXIT_OK;
    case OPTION_AS:
        context->as = optarg;
        return EXIT_OK;
    case OPTION_CA:
        return keep_path(context->ca, optarg) ? EXIT_OK : EXIT_WRONG_USE;
    case OPTION_CERT:
        return keep_path(context->cert, optarg) ? EXIT_OK : EXIT_WRONG_USE;
    case OPTION_KEY:
        return keep_path(context->key, optarg) ? EXIT_OK : EXIT_WRONG_USE;
    case OPTION_OUTPUT:
    case 'o':
        return take_output(context) ? EXIT_OK : EXIT_WRONG_USE;
    case OPTION_TIMEOUT:
        return take_timeout(context) ? EXIT_OK : EXIT_WRONG_USE;
    case OPTION_HELP:
    case 'h':
        *help_shown = true;
        (void)fputs(command->help, stdout);
        return EXIT_OK;
    default:
        say("see 'zhurnalctl%s%s --help'", command->name[0] != '\0' ? " " : "", command->name);
        return EXIT_WRONG_USE;
    }
}

bool options_read(struct context *context, const struct command *command,
    const struct options_own *own, int argc, char **argv, int *code)
{
    int option;
    /* One thread. NOLINTNEXTLINE(concurrency-mt-unsafe) */
    while ((option = getopt_long(argc, argv, "o:h", own->options, NULL)) != -1) {
        bool help = false;
        int taken = own->take(own->arg, option);
        *code = taken < 0 ? EXIT_WRONG_USE : EXIT_OK;
        if (taken == 0) {
            *code = options_take(context, command, option, &help);
        }
        if (*code != EXIT_OK || help) {
            return false;
        }
    }
    return true;
}
