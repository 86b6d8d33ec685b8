/* A process that is killed at a step of its work. What it had done by then is done, and what it was
 * about to do is not. A power cut takes more, but what was flushed in time it leaves as well. */
#ifndef TESTS_LIB_KILLED_H
#define TESTS_LIB_KILLED_H

enum killed {
    KILLED,
    KILLED_NOT,    /* It came to its end before that step. */
    KILLED_CANNOT, /* No process may trace another here. */
};

/* Does the work in a process of its own, which is killed as it enters its nth system call. */
enum killed killed_at(unsigned n, void (*work)(void *arg), void *arg);

#endif
