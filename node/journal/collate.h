/* The order of names in a class list: the Russian alphabet, ё after е, the Chechen Ӏ after я; a
 * space before a hyphen before any letter, so that «Абдулаев-Гиреев» follows «Абдулаев» and comes
 * before «Абдулаева». Case counts only between names that are otherwise equal. Pure. */
#ifndef NODE_JOURNAL_COLLATE_H
#define NODE_JOURNAL_COLLATE_H

/* As strcmp(). Both are UTF-8. */
int collate(const char *a, const char *b);

#endif
