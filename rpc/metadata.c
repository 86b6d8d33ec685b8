#include "rpc/metadata.h"

#include <nghttp2/nghttp2.h>

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

enum { TIMEOUT_DIGITS_MAX = 8, NS_PER_MS = 1000000 };

/* In nanoseconds; 0 for what is no unit. */
static uint64_t timeout_unit(uint8_t unit)
{
    switch (unit) {
    case 'H':
        return UINT64_C(3600000000000);
    case 'M':
        return UINT64_C(60000000000);
    case 'S':
        return UINT64_C(1000000000);
    case 'm':
        return NS_PER_MS;
    case 'u':
        return 1000;
    case 'n':
        return 1;
    default:
        return 0;
    }
}

bool metadata_timeout_decode(struct bytes text, uint64_t *ms)
{
    if (text.size < 2 || text.size > TIMEOUT_DIGITS_MAX + 1) {
        return false;
    }
    uint64_t value = 0;
    for (size_t i = 0; i + 1 < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
        value = value * 10 + (uint64_t)(text.data[i] - '0');
    }
    uint64_t unit = timeout_unit(text.data[text.size - 1]);
    if (unit == 0) {
        return false;
    }
    /* Eight digits of hours are less than 2^69 ns: check before multiplying. */
    uint64_t most = (uint64_t)METADATA_TIMEOUT_MAX_MS * NS_PER_MS;
    uint64_t ns = value > most / unit ? most : value * unit;
    *ms = (ns + NS_PER_MS - 1) / NS_PER_MS;
    return true;
}

size_t metadata_timeout_encode(uint64_t ms, char out[METADATA_TIMEOUT_SIZE])
{
    assert(ms >= 1 && ms <= METADATA_TIMEOUT_MAX_MS);
    int size = snprintf(out, METADATA_TIMEOUT_SIZE, "%" PRIu64 "m", ms);
    assert(size >= 2 && size <= TIMEOUT_DIGITS_MAX + 1);
    return (size_t)size;
}

size_t metadata_percent_encode(const char *text, char *out, size_t capacity)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t size = 0;
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        bool plain = c >= 0x20 && c <= 0x7E && c != '%';
        size_t needed = plain ? 1 : 3;
        if (capacity - size < needed) {
            break;
        }
        if (plain) {
            out[size] = (char)c;
        } else {
            out[size] = '%';
            out[size + 1] = hex[c >> 4];
            out[size + 2] = hex[c & 15];
        }
        size += needed;
    }
    return size;
}

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void metadata_percent_decode(struct bytes text, char *out, size_t capacity)
{
    assert(capacity > 0);
    size_t size = 0;
    for (size_t i = 0; i < text.size && size + 1 < capacity; i++) {
        int high = -1;
        int low = -1;
        if (text.data[i] == '%' && text.size - i > 2) {
            high = hex_value(text.data[i + 1]);
            low = hex_value(text.data[i + 2]);
        }
        if (high >= 0 && low >= 0) {
            out[size++] = (char)(high << 4 | low);
            i += 2;
        } else {
            out[size++] = (char)text.data[i];
        }
    }
    out[size] = '\0';
}

size_t metadata_base64_encode(struct bytes data, char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t size = 0;
    for (size_t i = 0; i < data.size; i += 3) {
        size_t left = data.size - i;
        uint32_t value = (uint32_t)data.data[i] << 16;
        value |= left > 1 ? (uint32_t)data.data[i + 1] << 8 : 0;
        value |= left > 2 ? (uint32_t)data.data[i + 2] : 0;
        out[size++] = digits[value >> 18];
        out[size++] = digits[value >> 12 & 63];
        if (left > 1) {
            out[size++] = digits[value >> 6 & 63];
        }
        if (left > 2) {
            out[size++] = digits[value & 63];
        }
    }
    return size;
}

static int base64_value(uint8_t c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    /* The URL-safe alphabet too: some clients use it. */
    if (c == '+' || c == '-') {
        return 62;
    }
    return c == '/' || c == '_' ? 63 : -1;
}

bool metadata_base64_decode(struct bytes text, uint8_t *out, size_t *size)
{
    size_t end = text.size;
    while (end > 0 && text.size - end < 2 && text.data[end - 1] == '=') {
        end--;
    }
    uint32_t bits = 0;
    unsigned have = 0;
    size_t n = 0;
    for (size_t i = 0; i < end; i++) {
        int value = base64_value(text.data[i]);
        if (value < 0) {
            return false;
        }
        bits = (bits << 6 | (uint32_t)value) & 0xFFFFFF;
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[n++] = (uint8_t)(bits >> have);
        }
    }
    *size = n;
    return end % 4 != 1;
}

enum grpc_code metadata_code_decode(struct bytes text)
{
    unsigned value = 0;
    if (text.size == 0 || text.size > 2) {
        return GRPC_UNKNOWN;
    }
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return GRPC_UNKNOWN;
        }
        value = value * 10 + (unsigned)(text.data[i] - '0');
    }
    return value <= GRPC_UNAUTHENTICATED ? (enum grpc_code)value : GRPC_UNKNOWN;
}

enum grpc_code metadata_code_of_http(int http_status)
{
    switch (http_status) {
    case 400:
        return GRPC_INTERNAL;
    case 401:
        return GRPC_UNAUTHENTICATED;
    case 403:
        return GRPC_PERMISSION_DENIED;
    case 404:
        return GRPC_UNIMPLEMENTED;
    case 429:
    case 502:
    case 503:
    case 504:
        return GRPC_UNAVAILABLE;
    default:
        return GRPC_UNKNOWN;
    }
}

enum grpc_code metadata_code_of_http2(uint32_t http2_error)
{
    switch (http2_error) {
    case NGHTTP2_REFUSED_STREAM:
        return GRPC_UNAVAILABLE;
    case NGHTTP2_CANCEL:
        return GRPC_CANCELLED;
    case NGHTTP2_ENHANCE_YOUR_CALM:
        return GRPC_RESOURCE_EXHAUSTED;
    case NGHTTP2_INADEQUATE_SECURITY:
        return GRPC_PERMISSION_DENIED;
    default:
        return GRPC_INTERNAL;
    }
}
