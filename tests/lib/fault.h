/* A counted failure: passes `delay` calls, then fails `repeat` of them. */
#ifndef TESTS_LIB_FAULT_H
#define TESTS_LIB_FAULT_H

#include "storage/env.h"

struct fault {
    int delay;
    int repeat;
    int hits;
};

/* True when it is this call's turn to fail; for seams of any kind. */
bool fault_next(struct fault *fault);

/* The env_options.fault seam; arg is a struct fault. */
int fault_on_env_op(void *arg, enum env_op op);

#endif
