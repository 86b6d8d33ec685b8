/* zhurnalctl cert: the cluster's authority, and the certificates it signs. */
#include "cli/command.h"
#include "proto/bytes.h"
#include "proto/hex.h"
#include "proto/uuid.h"
#include "rpc/authority.h"
#include "rpc/pem_file.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static int run(struct context *context, int argc, char **argv);

const struct command cert_command = {
    .name = "cert",
    .summary = "makes the cluster's authority, and certificates",
    .help = "zhurnalctl cert init --tls DIR\n"
            "    Mints the cluster's id and its authority: DIR/ca.pem for everybody,\n"
            "    DIR/ca.key for nobody else. Keep the key offline.\n"
            "zhurnalctl cert issue --tls DIR WHO [--out DIR] [--name FILE] [--days N]\n"
            "    Signs a certificate: FILE.pem and FILE.key, with ca.pem beside them.\n"
            "    WHO is one of\n"
            "      --node ID --address HOST...     a node, and what it is called by\n"
            "      --frontend NAME --school ID...  a front end of these schools\n"
            "      --operator NAME, --auditor NAME, --founder NAME\n"
            "    ID of a node is 1 to 16 hexadecimal digits, of a school a decimal number.\n"
            "    FILE is node, frontend, operator, auditor or founder unless --name says\n"
            "    otherwise. To renew a certificate, issue it into another --out, and move\n"
            "    both files in its place.\n",
    .run = run,
};

enum {
    OPTION_NODE = OPTION_OWN,
    OPTION_ADDRESS,
    OPTION_FRONTEND,
    OPTION_SCHOOL,
    OPTION_OPERATOR,
    OPTION_AUDITOR,
    OPTION_FOUNDER,
    OPTION_OUT,
    OPTION_NAME,
    OPTION_DAYS
};
enum { DAYS_MAX = 3650 };

struct issue {
    struct certificate_request request;
    const char *hosts[CERTIFICATE_HOSTS_MAX];
    uint64_t schools[IDENTITY_SCHOOLS_MAX];
    const char *out, *name;
};

static int init(const struct context *context)
{
    uint8_t cluster[UUID_SIZE];
    char hex[2 * UUID_SIZE + 1];
    struct authority *authority;
    struct error err;
    random_bytes(cluster, sizeof cluster);
    int status = authority_create(&authority, cluster, (int64_t)time(NULL), &err);
    if (status == STATUS_OK) {
        status = authority_save(authority, context->tls, &err);
    }
    authority_destroy(authority);
    if (status != STATUS_OK) {
        return say_error(&err);
    }
    printf("cluster %s: its authority is in %s\n", hex_encode(cluster, sizeof cluster, hex),
        context->tls);
    return EXIT_OK;
}

static bool take_who(struct issue *issue, enum identity_kind kind)
{
    if (issue->request.kind != 0) {
        say("a certificate names one: give --node, --frontend, --operator, --auditor or --founder "
            "once");
        return false;
    }
    issue->request.kind = kind;
    issue->request.name = kind == IDENTITY_NODE ? NULL : optarg;
    if (kind == IDENTITY_NODE && !hex_parse_id(optarg, &issue->request.node)) {
        say("a node's id is 1 to 16 hexadecimal digits, not '%s'", optarg);
        return false;
    }
    return true;
}

static bool take_list(struct issue *issue, int option)
{
    struct certificate_request *request = &issue->request;
    if (option == OPTION_ADDRESS && request->host_count < CERTIFICATE_HOSTS_MAX) {
        issue->hosts[request->host_count++] = optarg;
        return true;
    }
    if (option == OPTION_SCHOOL && request->school_count < IDENTITY_SCHOOLS_MAX) {
        return options_number(
            "school", optarg, 1, IDENTITY_SCHOOL_MAX, &issue->schools[request->school_count++]);
    }
    say("a certificate names at most %d addresses and %d schools", CERTIFICATE_HOSTS_MAX,
        IDENTITY_SCHOOLS_MAX);
    return false;
}

static bool take_days(struct issue *issue)
{
    uint64_t days;
    bool is = options_number("days", optarg, 1, DAYS_MAX, &days);
    issue->request.days = is ? (int)days : 0;
    return is;
}

static int take(void *arg, int option)
{
    struct issue *issue = arg;
    static const struct {
        int option;
        enum identity_kind kind;
    } kinds[] = {{OPTION_NODE, IDENTITY_NODE}, {OPTION_FRONTEND, IDENTITY_FRONTEND},
        {OPTION_OPERATOR, IDENTITY_OPERATOR}, {OPTION_AUDITOR, IDENTITY_AUDITOR},
        {OPTION_FOUNDER, IDENTITY_FOUNDER}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (kinds[i].option == option) {
            return take_who(issue, kinds[i].kind) ? 1 : -1;
        }
    }
    switch (option) {
    case OPTION_ADDRESS:
    case OPTION_SCHOOL:
        return take_list(issue, option) ? 1 : -1;
    case OPTION_DAYS:
        return take_days(issue) ? 1 : -1;
    case OPTION_OUT:
        issue->out = optarg;
        return 1;
    case OPTION_NAME:
        issue->name = optarg;
        return 1;
    default:
        return 0;
    }
}

/* Where an issue goes. */
struct files {
    char authority[CLI_PATH_SIZE], certificate[CLI_PATH_SIZE], key[CLI_PATH_SIZE];
};

static bool name_files(const struct issue *issue, const char *out, struct files *files)
{
    const char *name = issue->name != NULL ? issue->name : identity_kind_text(issue->request.kind);
    int sizes[] = {snprintf(files->authority, CLI_PATH_SIZE, "%s/ca.pem", out),
        snprintf(files->certificate, CLI_PATH_SIZE, "%s/%s.pem", out, name),
        snprintf(files->key, CLI_PATH_SIZE, "%s/%s.key", out, name)};
    if (sizes[0] < CLI_PATH_SIZE && sizes[1] < CLI_PATH_SIZE && sizes[2] < CLI_PATH_SIZE) {
        return true;
    }
    say("the path is too long: %.60s…", out);
    return false;
}

/* Beside what is issued: who is given that directory needs nothing else. */
static int put_authority(const struct authority *authority, const char *path, struct error *err)
{
    const struct bytes wanted = authority_certificate(authority);
    struct buffer there;
    int status = pem_file_create(path, wanted, err);
    if (status != STATUS_EXISTS) {
        return status;
    }
    buffer_init(&there);
    status = pem_file_read(path, &there, err);
    if (status == STATUS_OK && !bytes_equal(buffer_bytes(&there), wanted)) {
        status =
            error_set(err, STATUS_INVALID, "%s is another authority's: give another --out", path);
    }
    buffer_deinit(&there);
    return status;
}

static int save(const struct authority *authority, const struct issued *issued,
    const struct files *files, struct error *err)
{
    int status = put_authority(authority, files->authority, err);
    if (status == STATUS_OK) {
        status = issued_save(issued, files->certificate, files->key, err);
    }
    return status;
}

static int sign(const struct issue *issue, const struct authority *authority, const char *out)
{
    struct files files = {0};
    struct issued issued;
    struct error err;
    if (!name_files(issue, out, &files)) {
        return EXIT_WRONG_USE;
    }
    int status = authority_issue(authority, &issue->request, (int64_t)time(NULL), &issued, &err);
    if (status == STATUS_OK) {
        status = pem_file_make_dir(out, &err);
    }
    if (status == STATUS_OK) {
        status = save(authority, &issued, &files, &err);
    }
    issued_deinit(&issued);
    if (status == STATUS_EXISTS) {
        say("%s: to renew it give --out or --name, then move both files in its place", err.text);
        return EXIT_REFUSED;
    }
    if (status != STATUS_OK) {
        return say_error(&err);
    }
    printf("%s, %s\n", files.certificate, files.key);
    return EXIT_OK;
}

static int issue_one(const struct context *context, struct issue *issue)
{
    struct authority *authority;
    struct error err;
    if (issue->request.kind == 0) {
        say("for whom? give --node, --frontend, --operator, --auditor or --founder");
        return EXIT_WRONG_USE;
    }
    if (issue->request.kind == IDENTITY_NODE && issue->request.host_count == 0) {
        say("by what is the node called? give --address HOST for each name or address, or its "
            "clients will not know it");
        return EXIT_WRONG_USE;
    }
    if (issue->request.kind == IDENTITY_FRONTEND && issue->request.school_count == 0) {
        say("which schools does the front end serve? give --school ID for each");
        return EXIT_WRONG_USE;
    }
    issue->request.hosts = issue->hosts;
    issue->request.schools = issue->schools;
    if (authority_load(&authority, context->tls, &err) != STATUS_OK) {
        say("%s: --tls names the directory that zhurnalctl cert init made", err.text);
        return EXIT_REFUSED;
    }
    int code = sign(issue, authority, issue->out != NULL ? issue->out : context->tls);
    authority_destroy(authority);
    return code;
}

static int run(struct context *context, int argc, char **argv)
{
    static const struct option options[] = {{"node", required_argument, NULL, OPTION_NODE},
        {"address", required_argument, NULL, OPTION_ADDRESS},
        {"frontend", required_argument, NULL, OPTION_FRONTEND},
        {"school", required_argument, NULL, OPTION_SCHOOL},
        {"operator", required_argument, NULL, OPTION_OPERATOR},
        {"auditor", required_argument, NULL, OPTION_AUDITOR},
        {"founder", required_argument, NULL, OPTION_FOUNDER},
        {"out", required_argument, NULL, OPTION_OUT},
        {"name", required_argument, NULL, OPTION_NAME},
        {"days", required_argument, NULL, OPTION_DAYS}, COMMON_OPTIONS, {0}};
    struct issue issue = {0};
    const struct options_own own = {.options = options, .take = take, .arg = &issue};
    int code;
    if (!options_read(context, &cert_command, &own, argc, argv, &code)) {
        return code;
    }
    const char *what = optind < argc ? argv[optind++] : "";
    bool is_init = strcmp(what, "init") == 0;
    if (!is_init && strcmp(what, "issue") != 0) {
        say("cert init or cert issue? see 'zhurnalctl cert --help'");
        return EXIT_WRONG_USE;
    }
    if (!options_end(&cert_command, argc, argv)) {
        return EXIT_WRONG_USE;
    }
    if (context->tls == NULL) {
        say("where is the authority? give --tls DIR");
        return EXIT_WRONG_USE;
    }
    return is_init ? init(context) : issue_one(context, &issue);
}
