#ifndef PROTO_BANNED_H
#define PROTO_BANNED_H

/*
 * What no file of ours may use. The Makefile includes this header in front of every file.
 *
 * The functions below write or keep more than they were given room for, or need hidden state:
 * use memcpy with a checked length, snprintf, or a cursor. The headers that declare them come
 * first, for a poisoned name may not even be declared. Every file still includes what it uses:
 * `make lint` compiles without this header.
 */
#include <alloca.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Assertions guard acknowledged writes; a node without them must not exist. */
#ifdef NDEBUG
#error "zhurnal is never built without its assertions: take NDEBUG out of CFLAGS"
#endif

/* Some of the names are macros, depending on the compiler and its options. */
#undef alloca
#undef sprintf
#undef strcat
#undef strcpy
#undef strncat
#undef strncpy
#undef strtok
#undef vsprintf
#pragma GCC poison alloca gets sprintf strcat strcpy strncat strncpy strtok vsprintf

#endif
