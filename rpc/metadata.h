/* Values of gRPC's own headers (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md).
 * Pure; trusts nothing; any thread. */
#ifndef RPC_METADATA_H
#define RPC_METADATA_H

#include "proto/bytes.h"
#include "rpc/code.h"

enum {
    METADATA_TIMEOUT_SIZE = 12,                    /* With the NUL. */
    METADATA_TIMEOUT_MAX_MS = 1000 * 60 * 60 * 24, /* A day; nobody means longer ones. */
};

/* grpc-timeout, "100m". Rounded up to milliseconds, at most METADATA_TIMEOUT_MAX_MS. False for what
 * is none. */
bool metadata_timeout_decode(struct bytes text, uint64_t *ms);
/* Returns the length. ms is at least 1 and at most METADATA_TIMEOUT_MAX_MS. */
size_t metadata_timeout_encode(uint64_t ms, char out[METADATA_TIMEOUT_SIZE]);

/* grpc-message: everything but printable ASCII becomes %XX. Stops before out is full, never within
 * an escape. Returns the length; there is no NUL. */
size_t metadata_percent_encode(const char *text, char *out, size_t capacity);
/* What is not a valid escape stays as it is. Stops before out is full; ends it with a NUL. */
void metadata_percent_decode(struct bytes text, char *out, size_t capacity);

/* "-bin" values. out holds METADATA_BASE64_SIZE(size) bytes; without padding. Returns the length.
 */
#define METADATA_BASE64_SIZE(size) (((size) + 2) / 3 * 4)
size_t metadata_base64_encode(struct bytes data, char *out);
/* Padding or not; out holds text.size bytes. False for what is no base64. */
bool metadata_base64_decode(struct bytes text, uint8_t *out, size_t *size);

/* grpc-status: decimal; GRPC_UNKNOWN for what is none. */
enum grpc_code metadata_code_decode(struct bytes text);

/* What a call failed with that ended without a grpc-status. */
enum grpc_code metadata_code_of_http(int http_status);
enum grpc_code metadata_code_of_http2(uint32_t http2_error);

#endif
