#include "tests/lib/fault.h"

bool fault_next(struct fault *fault)
{
    if (fault->delay > 0) {
        fault->delay--;
        return false;
    }
    if (fault->repeat > 0) {
        fault->repeat--;
        fault->hits++;
        return true;
    }
    return false;
}

int fault_on_env_op(void *arg, enum env_op op)
{
    (void)op;
    return fault_next(arg) ? STATUS_IO : STATUS_OK;
}
