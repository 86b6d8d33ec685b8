#include "node/descriptors.h"

#include <sys/resource.h>

static rlim_t raise_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return RLIM_INFINITY; /* A sandbox keeps it secret. */
    }
    const struct rlimit most = {.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
    bool raised = limit.rlim_cur < limit.rlim_max && setrlimit(RLIMIT_NOFILE, &most) == 0;
    return raised ? most.rlim_cur : limit.rlim_cur;
}

unsigned descriptors_for_clients(unsigned wanted)
{
    const rlim_t reserve = DESCRIPTORS_RESERVE;
    rlim_t limit = raise_limit();
    rlim_t left = limit > 2 * reserve ? limit - reserve : limit / 2;
    return left < wanted ? (unsigned)left : wanted;
}
