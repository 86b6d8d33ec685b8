#include "proto/arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_SIZE = 16 << 10 };

struct arena_block {
    struct arena_block *next;
    size_t used, size;
    alignas(max_align_t) uint8_t data[];
};

static void *allocator_alloc(void *data, size_t size)
{
    return arena_alloc(data, size);
}

static void allocator_free(void *data, void *pointer)
{
    /* Everything goes at once, in arena_reset(). */
    (void)data;
    (void)pointer;
}

void arena_init(struct arena *arena, size_t limit)
{
    *arena = (struct arena){.limit = limit};
    arena->allocator = (ProtobufCAllocator){
        .alloc = allocator_alloc, .free = allocator_free, .allocator_data = arena};
}

void arena_reset(struct arena *arena)
{
    while (arena->blocks != NULL) {
        struct arena_block *next = arena->blocks->next;
        free(arena->blocks);
        arena->blocks = next;
    }
    arena->used = arena->held = 0;
}

static struct arena_block *add_block(struct arena *arena, size_t size)
{
    size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;
    struct arena_block *block = malloc(sizeof *block + room);
    if (block == NULL) {
        return NULL;
    }
    *block = (struct arena_block){.next = arena->blocks, .size = room};
    arena->blocks = block;
    arena->held += sizeof *block + room;
    return block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    assert(arena->allocator.allocator_data == arena);

    size_t align = alignof(max_align_t);
    if (size > arena->limit || arena->limit - size < arena->used) {
        return NULL;
    }
    size_t taken = (size + align - 1) / align * align;
    struct arena_block *block = arena->blocks;
    if (block == NULL || block->size - block->used < taken) {
        block = add_block(arena, taken);
        if (block == NULL) {
            return NULL;
        }
    }
    void *result = block->data + block->used;
    block->used += taken;
    arena->used += taken;
    memset(result, 0, taken);
    return result;
}

char *arena_copy(struct arena *arena, const void *data, size_t size)
{
    char *copy = arena_alloc(arena, size + 1);
    if (copy != NULL && size > 0) {
        memcpy(copy, data, size);
    }
    return copy;
}
