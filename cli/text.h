/* Text of the journal on a terminal. */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include <stddef.h>
#include <stdio.h>

/* How many columns of a terminal a text takes: Cyrillic one a letter, accents that join none. */
size_t text_width(const char *text, size_t size);

/* Writes it with a space for each control character, as wide as text_width() says: no name and no
 * comment may steer the terminal of who reads it. */
void text_write(const char *text, size_t size, FILE *out);

#endif
