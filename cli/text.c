#include "cli/text.h"

#include <stdbool.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { COLUMNS = 80 };

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

size_t text_columns(FILE *out)
{
    struct winsize size;
    bool known = ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col : COLUMNS;
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

/* Bytes from text on that are spaces, or that are none. */
static size_t run_of(bool spaces, const char *text, size_t size)
{
    size_t count = 0;
    while (count < size && (text[count] == ' ') == spaces) {
        count++;
    }
    return count;
}

void text_wrap(const char *line, size_t size, size_t hang, size_t width, FILE *out)
{
    size_t column = 0;
    for (size_t at = 0; at < size;) {
        size_t gap = run_of(true, line + at, size - at);
        size_t word = run_of(false, line + at + gap, size - at - gap);
        size_t columns = text_width(line + at + gap, word);
        if (column > 0 && word > 0 && column + gap + columns > width) {
            (void)fprintf(out, "\n%*s", (int)hang, "");
            column = hang;
        } else {
            (void)fprintf(out, "%*s", (int)gap, "");
            column += gap;
        }
        text_write(line + at + gap, word, out);
        column += columns;
        at += gap + word;
    }
    (void)fputc('\n', out);
}
