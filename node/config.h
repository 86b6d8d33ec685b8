/* What a node is told at its start: a file in INI form, or nothing but a directory.
 *
 *     [node]
 *     data = /var/lib/zhurnal        ; required
 *     listen = 0.0.0.0:7400          ; several lines, several listeners
 *     log = info                     ; debug, info, warn, error
 *     [tls]
 *     authority = …  certificate = …  key = …    ; otherwise in <data>/tls
 *     [limits]
 *     connections = 1024
 *     log_gib = 256                  ; address space, not disk
 *     views_gib = 64
 *
 * Relative paths are relative to where the program was started. The command line's --data and
 * --listen stand above the file's.
 *
 * Threads: any. Errors: STATUS_INVALID or STATUS_NOT_FOUND, with file, line and cure. */
#ifndef NODE_CONFIG_H
#define NODE_CONFIG_H

#include "node/logline.h"
#include "proto/status.h"
#include "storage/directory.h"

#include <stddef.h>

enum {
    CONFIG_LISTEN_MAX = 8,
    CONFIG_HOST_SIZE = 46, /* The longest IPv6 address, with its NUL. */
    CONFIG_DEFAULT_PORT = 7400,
};

struct config_listen {
    char host[CONFIG_HOST_SIZE]; /* An address, without brackets. */
    int port;                    /* 0: any. */
};

struct config {
    bool from_file; /* Then this node belongs to a cluster, and founds none by itself. */
    char data[DIRECTORY_PATH_SIZE];
    struct config_listen listen[CONFIG_LISTEN_MAX];
    unsigned listen_count;
    char authority[DIRECTORY_PATH_SIZE];
    char certificate[DIRECTORY_PATH_SIZE];
    char key[DIRECTORY_PATH_SIZE];
    enum logline_level level;
    unsigned connections_max;  /* 0: the server's own default. */
    size_t log_map, views_map; /* 0: the storage's own defaults. */
};

/* The defaults: nothing said yet. */
void config_init(struct config *config);

int config_read(struct config *config, const char *path, struct error *err);

/* "127.0.0.1:7400", "[::1]:7400". STATUS_INVALID or STATUS_FULL. */
int config_add_listen(struct config *config, const char *text, struct error *err);

/* Fills in what nobody said. STATUS_INVALID where data is not said. */
int config_complete(struct config *config, struct error *err);

#endif
