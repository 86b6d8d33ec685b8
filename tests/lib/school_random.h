/* What the lifelike school draws from a seeded stream. Every machine draws the same: whole numbers
 * only, and never two draws of one stream in one expression or initializer, whose order C leaves to
 * the compiler. */
#ifndef TESTS_LIB_SCHOOL_RANDOM_H
#define TESTS_LIB_SCHOOL_RANDOM_H

#include "tests/lib/random.h"

#include <stdbool.h>

/* A stream of its own for a purpose, so that more draws for one leave the others as they are. */
static inline struct random_stream draw_stream(uint64_t seed, uint64_t purpose)
{
    struct random_stream mixer = {.state = seed ^ (purpose * 0xd6e8feb86659fd93U)};
    return (struct random_stream){.state = random_next(&mixer)};
}

/* In [0, bound), bound >= 1. */
static inline unsigned draw_below(struct random_stream *stream, unsigned bound)
{
    return (unsigned)(((random_next(stream) >> 32) * bound) >> 32);
}

/* In [low, high]. */
static inline unsigned draw_between(struct random_stream *stream, unsigned low, unsigned high)
{
    return low + draw_below(stream, high - low + 1);
}

static inline bool draw_chance(struct random_stream *stream, unsigned per_mille)
{
    return draw_below(stream, 1000) < per_mille;
}

/* About normal, mean and deviation in the same unit: four uniform numbers have a deviation of
 * 37,837. */
static inline int64_t draw_normal(struct random_stream *stream, int64_t mean, int64_t deviation)
{
    uint64_t r = random_next(stream);
    int64_t sum = (int64_t)(r & 0xffff) + (int64_t)(r >> 16 & 0xffff) +
        (int64_t)(r >> 32 & 0xffff) + (int64_t)(r >> 48);
    return mean + (sum - 131070) * deviation / 37837;
}

/* An id as clients choose them: 1 … 2^53 − 1. */
static inline uint64_t draw_id(struct random_stream *stream)
{
    uint64_t id;
    do {
        id = random_next(stream) >> 11;
    } while (id == 0);
    return id;
}

#endif
