#include "node/config.h"

#include <ini.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void config_init(struct config *config)
{
    *config = (struct config){.level = LOGLINE_INFO};
}

/* ---- values ---- */

static bool parse_number(
    const char *text, unsigned long least, unsigned long most, unsigned long *number)
{
    enum { DIGITS_MAX = 9 };
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > DIGITS_MAX || text[digits] != 0) {
        return false;
    }
    *number = strtoul(text, NULL, 10);
    return *number >= least && *number <= most;
}

static bool is_address(const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

/* The host of "host:port" or "[host]:port", without brackets. */
static bool parse_host(const char *text, size_t size, char host[CONFIG_HOST_SIZE])
{
    if (size >= 2 && text[0] == '[' && text[size - 1] == ']') {
        text++;
        size -= 2;
    } else if (memchr(text, ':', size) != NULL) {
        return false;
    }
    if (size == 0 || size >= CONFIG_HOST_SIZE) {
        return false;
    }
    memcpy(host, text, size);
    host[size] = 0;
    return is_address(host);
}

int config_add_listen(struct config *config, const char *text, struct error *err)
{
    enum { PORT_MAX = 65535 };
    unsigned long port;
    struct config_listen listen = {.port = 0};
    const char *colon = strrchr(text, ':');
    if (colon == NULL || !parse_number(colon + 1, 0, PORT_MAX, &port) ||
        !parse_host(text, (size_t)(colon - text), listen.host)) {
        return error_set(err, STATUS_INVALID,
            "listen takes an address and a port, such as 0.0.0.0:%d or [::]:%d, not '%.100s'",
            CONFIG_DEFAULT_PORT, CONFIG_DEFAULT_PORT, text);
    }
    if (config->listen_count == CONFIG_LISTEN_MAX) {
        return error_set(
            err, STATUS_FULL, "at most %d addresses to listen on", (int)CONFIG_LISTEN_MAX);
    }
    listen.port = (int)port;
    config->listen[config->listen_count++] = listen;
    return STATUS_OK;
}

/* ---- the file ---- */

struct reading {
    FILE *file;
    const char *path;
    struct config *config;
    struct error *err;
    int line;
};

static void skip_line(FILE *file)
{
    int c;
    do {
        c = getc(file);
    } while (c != '\n' && c != EOF);
}

/* libinih does not tell lines' numbers. What does not fit, older ones take for a line of its own,
 * and newer ones leave out up to the next end of a line: so a comment ends where it is cut. */
static char *read_line(char *out, int size, void *arg)
{
    struct reading *reading = arg;
    char *line = fgets(out, size, reading->file);
    reading->line += line != NULL;
    if (line == NULL || strchr(line, '\n') != NULL || feof(reading->file)) {
        return line;
    }
    char first = line[strspn(line, " \t")];
    if (first != '#' && first != ';') {
        error_set(reading->err, STATUS_INVALID, "%s:%d: a line is longer than %d bytes: shorten it",
            reading->path, reading->line, size - 2);
        return NULL;
    }
    skip_line(reading->file);
    line[strlen(line) - 1] = '\n';
    return line;
}

/* Keeps the first reason. Returns 0, which tells libinih. */
static int refuse(struct reading *reading, const char *why, const char *what)
{
    if (reading->err->status == STATUS_OK) {
        error_set(reading->err, STATUS_INVALID, "%s:%d: %s '%.80s'", reading->path, reading->line,
            why, what);
    }
    return 0;
}

static int set_path(struct reading *reading, char path[DIRECTORY_PATH_SIZE], const char *value)
{
    if (path[0] != 0 || value[0] == 0) {
        return refuse(reading, "a path, said once, must stand here, not", value);
    }
    (void)snprintf(path, DIRECTORY_PATH_SIZE, "%s", value);
    return 1;
}

static int set_count(
    struct reading *reading, const char *value, unsigned long most, unsigned long *number)
{
    if (!parse_number(value, 1, most, number)) {
        char why[64];
        snprintf(why, sizeof why, "a number from 1 to %lu must stand here, not", most);
        return refuse(reading, why, value);
    }
    return 1;
}

static int on_node(struct reading *reading, const char *name, const char *value)
{
    struct config *config = reading->config;
    struct error why = {0};
    if (strcmp(name, "data") == 0) {
        return set_path(reading, config->data, value);
    }
    if (strcmp(name, "listen") == 0) {
        return config_add_listen(config, value, &why) == STATUS_OK
            ? 1
            : refuse(reading, why.text, value);
    }
    if (strcmp(name, "log") == 0) {
        return logline_parse_level(value, &config->level)
            ? 1
            : refuse(reading, "log takes debug, info, warn or error, not", value);
    }
    return refuse(reading, "[node] has data, listen and log, but no", name);
}

static int on_tls(struct reading *reading, const char *name, const char *value)
{
    struct config *config = reading->config;
    if (strcmp(name, "authority") == 0) {
        return set_path(reading, config->authority, value);
    }
    if (strcmp(name, "certificate") == 0) {
        return set_path(reading, config->certificate, value);
    }
    if (strcmp(name, "key") == 0) {
        return set_path(reading, config->key, value);
    }
    return refuse(reading, "[tls] has authority, certificate and key, but no", name);
}

static int on_limits(struct reading *reading, const char *name, const char *value)
{
    enum { CONNECTIONS_MAX = 60000, GIB_MAX = 4096, GIB_SHIFT = 30 };
    struct config *config = reading->config;
    unsigned long number = 0;
    if (strcmp(name, "connections") == 0) {
        int taken = set_count(reading, value, CONNECTIONS_MAX, &number);
        config->connections_max = (unsigned)number;
        return taken;
    }
    if (strcmp(name, "log_gib") == 0) {
        int taken = set_count(reading, value, GIB_MAX, &number);
        config->log_map = number << GIB_SHIFT;
        return taken;
    }
    if (strcmp(name, "views_gib") == 0) {
        int taken = set_count(reading, value, GIB_MAX, &number);
        config->views_map = number << GIB_SHIFT;
        return taken;
    }
    return refuse(reading, "[limits] has connections, log_gib and views_gib, but no", name);
}

static int on_line(void *arg, const char *section, const char *name, const char *value)
{
    struct reading *reading = arg;
    if (strcmp(section, "node") == 0) {
        return on_node(reading, name, value);
    }
    if (strcmp(section, "tls") == 0) {
        return on_tls(reading, name, value);
    }
    if (strcmp(section, "limits") == 0) {
        return on_limits(reading, name, value);
    }
    return refuse(reading, "the sections are [node], [tls] and [limits]; there is no", section);
}

int config_read(struct config *config, const char *path, struct error *err)
{
    struct error why = {0};
    struct reading reading = {.path = path, .config = config, .err = &why};
    reading.file = fopen(path, "re");
    if (reading.file == NULL) {
        int status = errno == ENOENT ? STATUS_NOT_FOUND : STATUS_INVALID;
        return error_set(
            err, status, "cannot open the configuration %s: %s", path, strerrordesc_np(errno));
    }
    int line = ini_parse_stream(read_line, &reading, on_line, &reading);
    bool unreadable = ferror(reading.file) != 0;
    (void)fclose(reading.file);
    config->from_file = true;
    if (unreadable) {
        error_set(&why, STATUS_IO, "cannot read the configuration %s", path);
    } else if (line != 0 && why.status == STATUS_OK) {
        error_set(&why, STATUS_INVALID,
            "%s:%d: this line is neither a [section] nor a name = value", path, line);
    }
    return why.status == STATUS_OK ? STATUS_OK : error_set(err, why.status, "%s", why.text);
}

/* ---- what nobody said ---- */

static int default_path(const struct config *config, char path[DIRECTORY_PATH_SIZE],
    const char *name, struct error *err)
{
    if (path[0] == 0 && directory_join(path, config->data, name) != STATUS_OK) {
        return error_set(err, STATUS_INVALID, "the path of the data directory is too long");
    }
    return STATUS_OK;
}

int config_complete(struct config *config, struct error *err)
{
    if (config->data[0] == 0) {
        return error_set(err, STATUS_INVALID,
            "where is the data directory? Say data = … under [node], or --data DIR");
    }
    int status = default_path(config, config->authority, "tls/ca.pem", err);
    if (status == STATUS_OK) {
        status = default_path(config, config->certificate, "tls/node.pem", err);
    }
    if (status == STATUS_OK) {
        status = default_path(config, config->key, "tls/node.key", err);
    }
    if (config->listen_count == 0) {
        config->listen[config->listen_count++] =
            (struct config_listen){.host = "127.0.0.1", .port = CONFIG_DEFAULT_PORT};
    }
    return status;
}
