#include "rpc/registry.h"

#include <assert.h>

/* FNV-1a. */
static uint32_t hash(struct bytes path)
{
    uint32_t h = 2166136261U;
    for (size_t i = 0; i < path.size; i++) {
        h = (h ^ path.data[i]) * 16777619U;
    }
    return h;
}

/* The slot that holds the path, or the free one where it belongs. At most half of them are taken,
 * so the search ends. */
static size_t slot_of(const struct registry *registry, struct bytes path)
{
    size_t slot = hash(path) % REGISTRY_SLOTS;
    while (registry->slots[slot].method != NULL) {
        const char *other = registry->slots[slot].method->path;
        if (bytes_equal(path, bytes_of(other, strlen(other)))) {
            break;
        }
        slot = (slot + 1) % REGISTRY_SLOTS;
    }
    return slot;
}

int registry_add(struct registry *registry, const struct rpc_method *method, void *context)
{
    assert(method->path != NULL && method->path[0] == '/' && method->on_message != NULL);
    size_t slot = slot_of(registry, bytes_of(method->path, strlen(method->path)));
    if (registry->slots[slot].method != NULL) {
        return STATUS_EXISTS;
    }
    if (registry->count == REGISTRY_METHODS_MAX) {
        return STATUS_FULL;
    }
    registry->slots[slot] = (struct registry_entry){.method = method, .context = context};
    registry->count++;
    return STATUS_OK;
}

const struct registry_entry *registry_find(const struct registry *registry, struct bytes path)
{
    const struct registry_entry *entry = &registry->slots[slot_of(registry, path)];
    return entry->method == NULL ? NULL : entry;
}
