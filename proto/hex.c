#include "proto/hex.h"

static const char digits[] = "0123456789abcdef";

char *hex_encode(const void *data, size_t size, char *out)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 0xF];
    }
    out[2 * size] = 0;
    return out;
}

/* -1 for what is no digit, the NUL included. */
static int digit_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

bool hex_decode(const char *text, void *out, size_t size)
{
    uint8_t *bytes = out;
    for (size_t i = 0; i < size; i++) {
        int high = digit_value(text[2 * i]);
        int low = high < 0 ? -1 : digit_value(text[2 * i + 1]);
        if (low < 0) {
            return false;
        }
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return text[2 * size] == 0;
}

char *hex_id(uint64_t id, char out[HEX_ID_SIZE])
{
    for (int i = 0; i < HEX_ID_SIZE - 1; i++) {
        out[HEX_ID_SIZE - 2 - i] = digits[id >> (4 * i) & 0xF];
    }
    out[HEX_ID_SIZE - 1] = 0;
    return out;
}

bool hex_parse_id(const char *text, uint64_t *id)
{
    uint64_t value = 0;
    int i = 0;
    for (; text[i] != 0; i++) {
        int digit = digit_value(text[i]);
        if (digit < 0 || i == HEX_ID_SIZE - 1) {
            return false;
        }
        value = value << 4 | (uint64_t)digit;
    }
    if (value == 0) {
        return false;
    }
    *id = value;
    return true;
}
