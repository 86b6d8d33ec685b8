/* Writes what the front ends of some lifelike schools would send: AppendRequests on standard
 * output, each after its length as a varint, as protobuf's delimited streams are. The same
 * arguments give the same bytes.
 *
 *     school_day --part founding|setup|day|show|statistics [--seed N] [--date YYYYMMDD]
 *                [--schools N] [--grades A-B] [--parallels N] [--fill N] [--days N] [--edges]
 *
 * founding is for the founder's certificate, setup and day are for a front end's; sent in this
 * order. A day is the school day on or before the date, with all that is entered for it; more days
 * follow it with --days. show writes text instead, a line for each school: the school, the page
 * that has most to show of the last day, that day, class and subject. statistics writes what the
 * whole school year of the date comes to, and between which bounds a real school's figures are.
 *
 * With --edges it is another school, that of tests/lib/school_edges.h, and its day ends with an
 * entry that is refused.
 *
 * Exit: 0, 1 where writing failed or memory is short, 2 for wrong arguments. */
#include "tests/lib/school.h"
#include "tests/lib/school_edges.h"
#include "tests/lib/school_statistics.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { WEEK_DAYS = 5, MOSCOW_MINUTES = 180, VARINT_MAX = 10 };
enum { EXIT_USAGE = 2, SCHOOLS_MAX = 1000, DAYS_MAX = 100 };

enum part { PART_NONE, PART_FOUNDING, PART_SETUP, PART_DAY, PART_SHOW, PART_STATISTICS };

struct arguments {
    enum part part;
    uint64_t schools;
    uint64_t days;
    bool edges;
    struct school_options options;
};

static void usage(void)
{
    (void)fputs("usage: school_day --part founding|setup|day|show|statistics [--seed N]\n"
                "                  [--date YYYYMMDD] [--schools N] [--grades A-B] [--parallels N]\n"
                "                  [--fill N] [--days N] [--edges]\n",
        stderr);
}

static bool parse_number(const char *text, uint64_t low, uint64_t high, uint64_t *number)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    *number = value;
    return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0 && value >= low &&
        value <= high;
}

static bool parse_small(const char *text, unsigned high, unsigned *number)
{
    uint64_t value;
    bool good = parse_number(text, 1, high, &value);
    *number = good ? (unsigned)value : 0;
    return good;
}

static bool parse_part(const char *text, enum part *part)
{
    static const char *const names[] = {
        [PART_FOUNDING] = "founding",
        [PART_SETUP] = "setup",
        [PART_DAY] = "day",
        [PART_SHOW] = "show",
        [PART_STATISTICS] = "statistics",
    };
    for (unsigned i = PART_FOUNDING; i <= PART_STATISTICS; i++) {
        if (strcmp(text, names[i]) == 0) {
            *part = (enum part)i;
            return true;
        }
    }
    return false;
}

/* «5-7», or «5» for one grade. */
static bool parse_grades(const char *text, struct school_options *options)
{
    char *end;
    unsigned long from = strtoul(text, &end, 10);
    unsigned long to = *end == '-' ? strtoul(end + 1, &end, 10) : from;
    if (*end != '\0' || from < 1 || from > to || to > SCHOOL_GRADE_MAX) {
        return false;
    }
    options->grade_from = (unsigned)from;
    options->grade_to = (unsigned)to;
    return true;
}

static bool parse_date(const char *text, uint32_t *day)
{
    uint64_t date;
    if (!parse_number(text, 20000101, 20991231, &date) || date / 100 % 100 < 1 ||
        date / 100 % 100 > 12 || date % 100 < 1 || date % 100 > 31) {
        return false;
    }
    *day = school_day_on_or_before((uint32_t)date, WEEK_DAYS);
    return true;
}

static bool parse_option(int option, const char *text, struct arguments *arguments)
{
    struct school_options *options = &arguments->options;
    switch (option) {
    case 'p':
        return parse_part(text, &arguments->part);
    case 's':
        return parse_number(text, 0, UINT64_MAX - SCHOOLS_MAX, &options->seed);
    case 'd':
        return parse_date(text, &options->day);
    case 'n':
        return parse_number(text, 1, SCHOOLS_MAX, &arguments->schools);
    case 'g':
        return parse_grades(text, options);
    case 'c':
        return parse_small(text, SCHOOL_PARALLELS_MAX, &options->parallels);
    case 'f':
        return parse_small(text, SCHOOL_FILL_MAX, &options->fill);
    case 'D':
        return parse_number(text, 1, DAYS_MAX, &arguments->days);
    case 'e':
        arguments->edges = true;
        return true;
    default:
        return false;
    }
}

static bool parse_arguments(int argc, char **argv, struct arguments *arguments)
{
    static const struct option options[] = {
        {"part", required_argument, NULL, 'p'},
        {"seed", required_argument, NULL, 's'},
        {"date", required_argument, NULL, 'd'},
        {"schools", required_argument, NULL, 'n'},
        {"grades", required_argument, NULL, 'g'},
        {"parallels", required_argument, NULL, 'c'},
        {"fill", required_argument, NULL, 'f'},
        {"days", required_argument, NULL, 'D'},
        {"edges", no_argument, NULL, 'e'},
        {0},
    };
    for (int i = 0; i < argc; i++) {
        /* NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread. */
        int option = getopt_long(argc, argv, "", options, NULL);
        if (option == -1) {
            break;
        }
        if (!parse_option(option, optarg, arguments)) {
            return false;
        }
    }
    return optind == argc && arguments->part != PART_NONE;
}

static void write_request(struct bytes request)
{
    uint8_t prefix[VARINT_MAX];
    size_t used = 0;
    for (size_t rest = request.size; used == 0 || rest > 0; rest >>= 7) {
        prefix[used++] = (uint8_t)((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    }
    (void)fwrite(prefix, 1, used, stdout);
    (void)fwrite(request.data, 1, request.size, stdout);
}

static void write_set_up(struct school *school, enum part part)
{
    struct school_entry entry;
    while (school_set_up_next(school, &entry)) {
        bool is_founding = entry.sender == SCHOOL_SENDER_FOUNDER;
        if (part == (is_founding ? PART_FOUNDING : PART_SETUP)) {
            write_request(entry.request);
        }
    }
}

/* So many days as asked, or to the end of the school year. */
static void write_days(struct school *school, const struct arguments *arguments)
{
    struct school_entry entry;
    uint32_t day = arguments->options.day;
    for (uint64_t i = 0; i < arguments->days; i++) {
        school_day_begin(school, day);
        while (school_day_next(school, &entry)) {
            if (arguments->part == PART_DAY) {
                write_request(entry.request);
            }
        }
        uint32_t next = school_day_after(day, WEEK_DAYS);
        if (next % 10000 >= 901 && day % 10000 < 901) {
            break;
        }
        day = next;
    }
}

static void show(const struct school *school, size_t number, uint32_t day)
{
    struct school_page_info page = school_page(school, number);
    (void)printf("%" PRIu64 " %" PRIu64 " %" PRIu32 " %s %s\n", school_id(school), page.page, day,
        page.class_name, page.subject);
}

static bool show_statistics(const struct school_options *options)
{
    struct school_figure figures[STATISTICS_FIGURES];
    if (!statistics_of_year(options, figures)) {
        return false;
    }
    for (size_t i = 0; i < STATISTICS_FIGURES; i++) {
        const struct school_figure *f = &figures[i];
        (void)printf("%-34s %6u.%02u   %u.%02u to %u.%02u\n", f->name, f->value / 100,
            f->value % 100, f->low / 100, f->low % 100, f->high / 100, f->high % 100);
    }
    return true;
}

static bool write_edges(const struct school_options *options, enum part part)
{
    struct school_edges edges;
    struct school_entry entry;
    enum edges_answer answer;
    if (!edges_init(&edges, options->seed, options->day, options->utc_offset_minutes)) {
        return false;
    }
    write_set_up(edges.school, part);
    while (part == PART_DAY && edges_next(&edges, &entry, &answer)) {
        write_request(entry.request);
    }
    if (part == PART_SHOW) {
        show(edges.school, edges.crowd, edges.quarter_end);
    }
    edges_deinit(&edges);
    return true;
}

/* False: no memory. */
static bool write_school(const struct arguments *arguments, uint64_t number)
{
    struct school_options options = arguments->options;
    options.seed += number;
    if (arguments->part == PART_STATISTICS) {
        return show_statistics(&options);
    }
    if (arguments->edges) {
        return write_edges(&options, arguments->part);
    }
    struct school *school = school_create(&options);
    if (school == NULL) {
        return false;
    }
    write_set_up(school, arguments->part);
    if (arguments->part >= PART_DAY) {
        write_days(school, arguments);
    }
    if (arguments->part == PART_SHOW) {
        uint32_t day = school_today(school);
        show(school, school_page_to_show(school, day), day);
    }
    school_destroy(school);
    return true;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {
        .schools = 1,
        .days = 1,
        .options = {.seed = 1,
            .day = 20261123,
            .utc_offset_minutes = MOSCOW_MINUTES,
            .whole_day = true},
    };
    if (!parse_arguments(argc, argv, &arguments)) {
        usage();
        return EXIT_USAGE;
    }
    for (uint64_t i = 0; i < arguments.schools; i++) {
        if (!write_school(&arguments, i)) {
            (void)fputs("school_day: out of memory\n", stderr);
            return EXIT_FAILURE;
        }
    }
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("school_day: standard output");
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
