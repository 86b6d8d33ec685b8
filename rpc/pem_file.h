/* Certificates and keys in files. Keys are for their owner alone and are never overwritten. */
#ifndef RPC_PEM_FILE_H
#define RPC_PEM_FILE_H

#include "proto/status.h"
#include "rpc/buffer.h"

enum { PEM_FILE_MAX = 64 * 1024 }; /* Some dozen certificates; anything larger is a mistake. */

/* Appends the file's bytes to out. STATUS_NOT_FOUND, STATUS_TOO_LARGE, STATUS_IO. */
int pem_file_read(const char *path, struct buffer *out, struct error *err);

/* A new file, 0600, flushed with its directory. STATUS_EXISTS where there is one; a file half
 * written is removed. */
int pem_file_create(const char *path, struct bytes pem, struct error *err);

/* dir itself, 0700, where it is not there yet. Flushed into the one that holds it. */
int pem_file_make_dir(const char *dir, struct error *err);

#endif
