/* Field names in JSON: "entry_id" is "entryId". Pure. */
#ifndef CLI_JSON_NAME_H
#define CLI_JSON_NAME_H

enum { JSON_NAME_SIZE = 64 };

static inline const char *json_name(const char *name, char out[JSON_NAME_SIZE])
{
    unsigned size = 0;
    for (; *name != '\0' && size + 1 < JSON_NAME_SIZE; name++) {
        if (*name == '_' && name[1] >= 'a' && name[1] <= 'z') {
            name++;
            out[size++] = (char)(*name - 'a' + 'A');
        } else {
            out[size++] = *name;
        }
    }
    out[size] = '\0';
    return out;
}

#endif
