#include "node/journal/collate.h"

#include <stdint.h>
#include <string.h>

enum {
    /* Signs, digits, Latin, Cyrillic, all else. */
    WEIGHT_SPACE = 1,
    WEIGHT_HYPHEN = 2,
    WEIGHT_SIGN = 3,
    WEIGHT_LATIN = 200,
    WEIGHT_CYRILLIC = 300,
    WEIGHT_OTHER = 1000,
};

/* The next character, or 0 at the end. Bytes that cannot be count for themselves. */
static uint32_t next_character(const uint8_t **at)
{
    const uint8_t *s = *at;
    size_t length = s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : s[0] >= 0xC0 ? 2 : 1;
    static const uint8_t lead_bits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    uint32_t c = s[0] & (length == 1 ? 0xFFU : lead_bits[length]);
    for (size_t i = 1; i < length; i++) {
        if ((s[i] & 0xC0) != 0x80) {
            *at = s + 1;
            return s[0];
        }
        c = c << 6 | (s[i] & 0x3FU);
    }
    *at = s[0] == 0 ? s : s + length;
    return c;
}

static uint32_t lower_case(uint32_t c)
{
    if ((c >= 'A' && c <= 'Z') || (c >= 0x410 && c <= 0x42F)) {
        return c + 0x20;
    }
    if (c == 0x401) {
        return 0x451; /* ё */
    }
    return c == 0x4C0 ? 0x4CF : c; /* Ӏ */
}

static uint32_t weight(uint32_t character)
{
    uint32_t c = lower_case(character);
    if (c == 0 || c == ' ') {
        return c == 0 ? 0 : WEIGHT_SPACE;
    }
    if (c == '-' || c == 0x2010 || c == 0x2011) {
        return WEIGHT_HYPHEN;
    }
    if (c >= 'a' && c <= 'z') {
        return WEIGHT_LATIN + (c - 'a');
    }
    if (c < 0x80) {
        return WEIGHT_SIGN + c;
    }
    if (c >= 0x430 && c <= 0x44F) {
        return WEIGHT_CYRILLIC + (c - 0x430) + (c > 0x435); /* Room for ё. */
    }
    if (c == 0x451) {
        return WEIGHT_CYRILLIC + (0x435 - 0x430) + 1;
    }
    return c == 0x4CF ? WEIGHT_CYRILLIC + (0x44F - 0x430) + 2 : WEIGHT_OTHER + c;
}

int collate(const char *a, const char *b)
{
    const uint8_t *left = (const uint8_t *)a;
    const uint8_t *right = (const uint8_t *)b;
    uint32_t x;
    uint32_t y;
    do {
        x = weight(next_character(&left));
        y = weight(next_character(&right));
    } while (x == y && x != 0);
    return x != y ? (x < y ? -1 : 1) : strcmp(a, b);
}
