/* What the daemon says of itself: one line an event on standard error.
 *
 *     2026-11-24T08:15:00.123Z info  this node leads: term=3 node=00000000000000a1
 *
 * A line is a sentence, then key=value. Never in it: names, texts or anything else about a person,
 * payloads, keys. What a stranger sent (an address, a reason) has its control characters replaced.
 * More than LOGLINE_BURST lines a second below error are counted instead of written: strangers must
 * not fill a disk.
 *
 * Threads: the loop's. */
#ifndef NODE_LOGLINE_H
#define NODE_LOGLINE_H

#include <stdbool.h>

enum logline_level { LOGLINE_DEBUG, LOGLINE_INFO, LOGLINE_WARN, LOGLINE_ERROR };

enum { LOGLINE_SIZE = 1024, LOGLINE_BURST = 100 };

/* Lines below it are not written; LOGLINE_INFO at first. */
void logline_set_level(enum logline_level level);
/* "debug", "info", "warn", "error"; false for anything else. */
bool logline_parse_level(const char *text, enum logline_level *level);

void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
