#include "cli/text.h"

#include <stdbool.h>

/* Continuation bytes take none, nor do combining accents (U+0300 … U+036F: CC 80 … CD AF). */
size_t text_width(const char *text, size_t size)
{
    size_t width = 0;
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        bool continues = (c & 0xC0) == 0x80;
        unsigned char next = i + 1 < size ? (unsigned char)text[i + 1] : 0;
        bool combines = c == 0xCC || (c == 0xCD && next < 0xB0);
        width += !continues && !combines;
    }
    return width;
}

/* Bytes of the control character at text: C0 and DEL, and C1 (U+0080 … U+009F: C2 80 … C2 9F);
 * 0: there is none. */
static size_t control_size(const char *text, size_t size)
{
    unsigned char c = (unsigned char)text[0];
    unsigned char next = size > 1 ? (unsigned char)text[1] : 0;
    if (c < 0x20 || c == 0x7F) {
        return 1;
    }
    return c == 0xC2 && next >= 0x80 && next < 0xA0 ? 2 : 0;
}

void text_write(const char *text, size_t size, FILE *out)
{
    for (size_t i = 0; i < size;) {
        size_t control = control_size(text + i, size - i);
        (void)fputc(control > 0 ? ' ' : text[i], out);
        i += control > 0 ? control : 1;
    }
}
