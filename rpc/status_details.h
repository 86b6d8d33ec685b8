/* What grpc-status-details-bin carries: a google.rpc.Status {int32 code = 1; string message = 2;
 * repeated google.protobuf.Any details = 3}, with one Any {string type_url = 1; bytes value = 2}
 * (https://github.com/googleapis/googleapis/blob/master/google/rpc/status.proto). Written and read
 * by hand, as the three fields are all there is. Pure. */
#ifndef RPC_STATUS_DETAILS_H
#define RPC_STATUS_DETAILS_H

#include "proto/bytes.h"
#include "rpc/buffer.h"
#include "rpc/code.h"

#define STATUS_DETAILS_VERDICT "type.googleapis.com/zhurnal.v1.Verdict"

/* Appends the encoded Status to out. STATUS_OK or STATUS_NO_MEMORY. sentence may be NULL. */
int status_details_encode(struct buffer *out, enum grpc_code code, const char *sentence,
    const char *type_url, struct bytes value);

/* The value of the first detail of that type; borrowed from details. STATUS_NOT_FOUND,
 * STATUS_MALFORMED. */
int status_details_find(struct bytes details, const char *type_url, struct bytes *value);

#endif
