#include "node/logline.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const names[] = {
    [LOGLINE_DEBUG] = "debug",
    [LOGLINE_INFO] = "info",
    [LOGLINE_WARN] = "warn",
    [LOGLINE_ERROR] = "error",
};

static enum logline_level threshold = LOGLINE_INFO;

/* The second under way. */
static struct {
    time_t second;
    unsigned written, left_out;
} burst;

void logline_set_level(enum logline_level level)
{
    threshold = level;
}

bool logline_parse_level(const char *text, enum logline_level *level)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(text, names[i]) == 0) {
            *level = (enum logline_level)i;
            return true;
        }
    }
    return false;
}

static void defuse(char *line, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char)line[i] < ' ' || line[i] == '\x7f') {
            line[i] = '?';
        }
    }
}

/* A standard error that takes nothing is no reason to stop. */
static void put_line(enum logline_level level, const struct timespec *now, const char *sentence)
{
    char line[LOGLINE_SIZE + 64];
    struct tm utc;
    (void)gmtime_r(&now->tv_sec, &utc);
    size_t size = strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%S", &utc);
    int n = snprintf(line + size, sizeof line - size - 1, ".%03ldZ %-5s %s", now->tv_nsec / 1000000,
        names[level], sentence);
    size_t room = sizeof line - size - 2;
    size += n < 0 ? 0 : (size_t)n > room ? room : (size_t)n;
    defuse(line, size);
    line[size++] = '\n';
    ssize_t written = write(STDERR_FILENO, line, size);
    (void)written;
}

static bool may_write(enum logline_level level, const struct timespec *now)
{
    if (now->tv_sec != burst.second) {
        char sentence[64];
        if (burst.left_out > 0) {
            snprintf(sentence, sizeof sentence, "lines were left out: count=%u", burst.left_out);
            put_line(LOGLINE_WARN, now, sentence);
        }
        burst.second = now->tv_sec;
        burst.written = burst.left_out = 0;
    }
    if (level < LOGLINE_ERROR && burst.written >= LOGLINE_BURST) {
        burst.left_out++;
        return false;
    }
    burst.written++;
    return true;
}

static void say(enum logline_level level, const char *format, va_list arguments)
{
    struct timespec now;
    char sentence[LOGLINE_SIZE];
    if (level < threshold) {
        return;
    }
    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (may_write(level, &now)) {
        (void)vsnprintf(sentence, sizeof sentence, format, arguments);
        put_line(level, &now, sentence);
    }
}

#define LOGLINE_FUNCTION(name, level)  \
    void name(const char *format, ...) \
    {                                  \
        va_list arguments;             \
        va_start(arguments, format);   \
        say(level, format, arguments); \
        va_end(arguments);             \
    }

LOGLINE_FUNCTION(log_debug, LOGLINE_DEBUG)
LOGLINE_FUNCTION(log_info, LOGLINE_INFO)
LOGLINE_FUNCTION(log_warn, LOGLINE_WARN)
LOGLINE_FUNCTION(log_error, LOGLINE_ERROR)
