/* zhurnalctl page: one page of the journal, as people read it. */
#include "cli/json.h"
#include "cli/page_table.h"
#include "cli/session.h"
#include "cli/text.h"
#include <zhurnal/v1/journal.pb-c.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static int run(struct context *context, int argc, char **argv);

const struct command page_command = {
    .name = "page",
    .summary = "shows a page: pupils, lessons, marks, absences, homework",
    .help = "zhurnalctl page --school ID --page ID [--from-day YYYYMMDD] [--to-day YYYYMMDD]\n"
            "                [--min-index INDEX] [--person ID --role ROLE]\n"
            "    For front ends, which name the person they read for, and auditors. ROLE is\n"
            "    head, deputy, subject_teacher, class_teacher, pupil, guardian …\n"
            "    --min-index waits until the node has applied what was recorded there.\n",
    .run = run,
};

enum {
    OPTION_SCHOOL = OPTION_OWN,
    OPTION_PAGE,
    OPTION_FROM_DAY,
    OPTION_TO_DAY,
    OPTION_MIN_INDEX,
    OPTION_PERSON,
    OPTION_ROLE,
};

struct page {
    struct session session;
    Zhurnal__V1__GetPageRequest request;
    Zhurnal__V1__Actor actor;
};

static int show(const struct page *page, const Zhurnal__V1__GetPageResponse *response)
{
    char *text;
    struct error err;
    if (!page->session.context->json) {
        int status = page_table_write(response, text_columns(stdout), stdout);
        return status == STATUS_OK ? EXIT_OK : EXIT_REFUSED;
    }
    if (json_encode(&response->base, &text, &err) != STATUS_OK) {
        return say_error(&err);
    }
    puts(text);
    free(text);
    return EXIT_OK;
}

/* A read has no outcome that is unknown; what it waits for may be on its way. */
static int say_late(struct page *page)
{
    struct session *session = &page->session;
    struct rpc_answer answer;
    const Zhurnal__V1__StatusResponse *status = session_status(session, session->current, &answer);
    uint64_t applied =
        status != NULL && status->n_groups > 0 ? status->groups[0]->applied_index : UINT64_MAX;
    int code = EXIT_UNREACHABLE;
    if (applied < page->request.min_index) {
        say("%s has applied index %" PRIu64 ", not yet %" PRIu64
            ": wait longer by --timeout, or call another --endpoint",
            session->context->endpoints[session->current], applied, page->request.min_index);
        code = EXIT_REFUSED;
    } else {
        say("no page came within %u s: wait longer by --timeout, or call another --endpoint",
            session->context->timeout_s);
    }
    rpc_answer_deinit(&answer);
    return code;
}

/* Asks for the days from next_day on, which must be later ones; 0: there are none. */
static int go_on(struct page *page, uint32_t next_day)
{
    if (next_day != 0 && next_day <= page->request.from_day) {
        say("the node cuts the page at day %u again and again: ask another one", next_day);
        return EXIT_REFUSED;
    }
    page->request.from_day = next_day;
    return EXIT_OK;
}

/* A page that is too long for one answer comes in several, each from the next day on. */
static int show_all(struct page *page)
{
    const struct rpc_stream_options call = {.path = "/zhurnal.v1.JournalService/GetPage",
        .response = &zhurnal__v1__get_page_response__descriptor};
    int code = EXIT_OK;
    do {
        struct rpc_answer answer;
        enum grpc_code status = session_call(&page->session, &call, &page->request.base, &answer);
        const Zhurnal__V1__GetPageResponse *response = (const void *)answer.message;
        if (status == GRPC_OK) {
            code = show(page, response);
            code = code == EXIT_OK ? go_on(page, response->next_day) : code;
        } else if (status == GRPC_DEADLINE_EXCEEDED) {
            code = say_late(page);
        } else {
            code = say_failure(status, answer.sentence);
        }
        rpc_answer_deinit(&answer);
    } while (code == EXIT_OK && page->request.from_day != 0);
    return code;
}

static bool take_day(const char *name, uint32_t *day)
{
    uint64_t number;
    bool is = options_number(name, optarg, 19000101, 99991231, &number);
    *day = is ? (uint32_t)number : 0;
    return is;
}

static int take(void *arg, int option)
{
    struct page *page = arg;
    bool right;
    switch (option) {
    case OPTION_SCHOOL:
        right = options_number("school", optarg, 1, UINT64_MAX, &page->request.school);
        break;
    case OPTION_PAGE:
        right = options_number("page", optarg, 1, UINT64_MAX, &page->request.page);
        break;
    case OPTION_FROM_DAY:
        right = take_day("from-day", &page->request.from_day);
        break;
    case OPTION_TO_DAY:
        right = take_day("to-day", &page->request.to_day);
        break;
    case OPTION_MIN_INDEX:
        right = options_number("min-index", optarg, 1, UINT64_MAX, &page->request.min_index);
        break;
    case OPTION_PERSON:
    case OPTION_ROLE:
        page->request.actor = &page->actor;
        right = options_actor(option == OPTION_ROLE, &page->actor);
        break;
    default:
        return 0;
    }
    return right ? 1 : -1;
}

static int run(struct context *context, int argc, char **argv)
{
    static const struct option options[] = {{"school", required_argument, NULL, OPTION_SCHOOL},
        {"page", required_argument, NULL, OPTION_PAGE},
        {"from-day", required_argument, NULL, OPTION_FROM_DAY},
        {"to-day", required_argument, NULL, OPTION_TO_DAY},
        {"min-index", required_argument, NULL, OPTION_MIN_INDEX},
        {"person", required_argument, NULL, OPTION_PERSON},
        {"role", required_argument, NULL, OPTION_ROLE}, COMMON_OPTIONS, {0}};
    static struct page page = {
        .request = ZHURNAL__V1__GET_PAGE_REQUEST__INIT, .actor = ZHURNAL__V1__ACTOR__INIT};
    const struct options_own own = {.options = options, .take = take, .arg = &page};
    int code;
    if (!options_read(context, &page_command, &own, argc, argv, &code)) {
        return code;
    }
    if (!options_end(&page_command, argc, argv)) {
        return EXIT_WRONG_USE;
    }
    if (page.request.school == 0 || page.request.page == 0) {
        say("which page? give --school ID and --page ID");
        return EXIT_WRONG_USE;
    }
    code = session_open(&page.session, context);
    if (code == EXIT_OK) {
        code = show_all(&page);
        session_close(&page.session);
    }
    return code;
}
