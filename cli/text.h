/* Text of the journal on a terminal. */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include <stddef.h>
#include <stdio.h>

/* How many columns of a terminal a text takes: Cyrillic one a letter, accents that join none. */
size_t text_width(const char *text, size_t size);

/* Of the terminal that out is, or else 80. */
size_t text_columns(FILE *out);

/* Writes it with a space for each control character, as wide as text_width() says: no name and no
 * comment may steer the terminal of who reads it. */
void text_write(const char *text, size_t size, FILE *out);

/* Writes a line. What is beyond width goes on below, between two words and behind hang spaces. */
void text_wrap(const char *line, size_t size, size_t hang, size_t width, FILE *out);

#endif
