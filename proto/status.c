#include "proto/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *status_text(int status)
{
    switch (status) {
#define X(name, value, grpc, text) \
    case (value):                  \
        return text;
        STATUS_TABLE(X)
#undef X
    default:
        return "unknown status";
    }
}

int status_to_grpc(int status)
{
    enum { GRPC_UNKNOWN = 2 };
    switch (status) {
#define X(name, value, grpc, text) \
    case (value):                  \
        return (grpc);
        STATUS_TABLE(X)
#undef X
    default:
        return GRPC_UNKNOWN;
    }
}

int error_set(struct error *err, int status, const char *format, ...)
{
    if (err != NULL) {
        va_list args;
        va_start(args, format);
        err->status = status;
        vsnprintf(err->text, sizeof err->text, format, args);
        va_end(args);
    }
    return status;
}

int error_wrap(struct error *err, int status, const char *format, ...)
{
    if (err != NULL) {
        char was[sizeof err->text];
        memcpy(was, err->text, sizeof was);
        va_list args;
        va_start(args, format);
        int n = vsnprintf(err->text, sizeof err->text, format, args);
        va_end(args);
        if (n >= 0 && (size_t)n < sizeof err->text) {
            snprintf(err->text + n, sizeof err->text - (size_t)n, ": %s", was);
        }
        err->status = status;
    }
    return status;
}
