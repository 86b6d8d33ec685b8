/* Names of invented people, in the Russian order and forms. A name is kept as numbers of tables and
 * written out when asked. Pairs of surname and given name that are a public figure's are never
 * drawn. One person in a hundred has a name that trips careless programs: a hyphen, ё, the
 * palochka, a double given name, no patronymic. */
#ifndef TESTS_LIB_SCHOOL_NAMES_H
#define TESTS_LIB_SCHOOL_NAMES_H

#include "tests/lib/school_random.h"

#include <stddef.h>

enum { NAME_TEXT_SIZE = 96 };

enum name_edge {
    NAME_PLAIN,
    NAME_HYPHEN,
    NAME_YO,
    NAME_PALOCHKA,
    NAME_DOUBLE,
    NAME_NO_PATRONYMIC,
    NAME_EDGE_COUNT,
};

struct school_name {
    unsigned char surname;
    unsigned char given;
    unsigned char father; /* Of the tables of men's given names. */
    unsigned char edge;   /* enum name_edge */
    bool female;
    bool russian;
};

struct school_name name_draw(struct random_stream *stream, enum name_edge edge);

/* A father or a mother of that pupil: his patronymic is not known, the surname is shared. */
struct school_name name_draw_parent(
    struct random_stream *stream, const struct school_name *child, bool mother);

/* Into out, of NAME_TEXT_SIZE bytes. The patronymic may be empty. */
void name_surname(const struct school_name *name, char *out);
void name_given(const struct school_name *name, char *out);
void name_patronymic(const struct school_name *name, char *out);

#endif
