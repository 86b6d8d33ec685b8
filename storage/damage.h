/* What to do where stored data does not verify, or is lost: the same everywhere, for it is the same
 * thing. Nothing mends it in place, and nothing is fetched anew from the others. */
#ifndef STORAGE_DAMAGE_H
#define STORAGE_DAMAGE_H

#define DAMAGE_ADVICE                                                                             \
    "This node stays stopped; any others go on. Keep its data directory, or a copy, for whoever " \
    "examines it"

#endif
