#include "cli/json_hint.h"

#include "cli/json_field.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* How many letters to change, to leave out or to put in, to make one of the other. */
static size_t distance(const char *a, const char *b)
{
    size_t row[JSON_NAME_SIZE];
    size_t size = strlen(b);
    for (size_t j = 0; j <= size; j++) {
        row[j] = j;
    }
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t before = row[0]++;
        for (size_t j = 0; j < size; j++) {
            size_t best = before + (tolower((unsigned char)a[i]) != tolower((unsigned char)b[j]));
            best = row[j] + 1 < best ? row[j] + 1 : best;
            before = row[j + 1];
            row[j + 1] = before + 1 < best ? before + 1 : best;
        }
    }
    return row[size];
}

const char *json_hint_field(
    const ProtobufCMessageDescriptor *type, const char *name, char out[JSON_HINT_SIZE])
{
    char camel[JSON_NAME_SIZE] = "";
    size_t least = strlen(name) / 2 + 2; /* Whatever is farther is another word. */
    snprintf(out, JSON_HINT_SIZE, "there is no such field");
    for (unsigned i = 0; i < type->n_fields; i++) {
        size_t far = distance(name, json_name(type->fields[i].name, camel));
        if (far < least) {
            least = far;
            snprintf(out, JSON_HINT_SIZE, "there is no such field: is it %s?", camel);
        }
    }
    return out;
}

const char *json_hint_value(
    const ProtobufCEnumDescriptor *type, const char *name, char out[JSON_HINT_SIZE])
{
    int used = snprintf(out, JSON_HINT_SIZE, "there is no %s %.60s", type->short_name, name);
    const char *before = ": ";
    for (unsigned i = 0; i < type->n_values && used < JSON_HINT_SIZE; i++) {
        if (type->values[i].value != 0) {
            used += snprintf(
                out + used, JSON_HINT_SIZE - (size_t)used, "%s%s", before, type->values[i].name);
            before = ", ";
        }
    }
    return out;
}
