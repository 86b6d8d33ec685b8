#include "tests/lib/killed.h"

#include <assert.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CANNOT = 99, SYSTEM_CALL = SIGTRAP | 0x80 };

static void be_killed(void (*work)(void *arg), void *arg)
{
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) {
        _exit(CANNOT);
    }
    (void)raise(SIGSTOP);
    work(arg);
    _exit(0);
}

/* Goes on to the next stop; false when there is none any more. */
static bool step(pid_t child, int *status)
{
    int signal =
        WSTOPSIG(*status) == SYSTEM_CALL || WSTOPSIG(*status) == SIGSTOP ? 0 : WSTOPSIG(*status);
    long rc = ptrace(PTRACE_SYSCALL, child, NULL, signal);
    assert(rc == 0);
    (void)rc;
    return waitpid(child, status, 0) == child && WIFSTOPPED(*status);
}

enum killed killed_at(unsigned n, void (*work)(void *arg), void *arg)
{
    int status;
    bool inside = false;
    pid_t child = fork();
    assert(child >= 0);
    if (child == 0) {
        be_killed(work, arg);
    }
    if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) {
        return KILLED_CANNOT;
    }
    long rc = ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
    assert(rc == 0);
    (void)rc;
    while (step(child, &status)) {
        if (WSTOPSIG(status) == SYSTEM_CALL) {
            inside = !inside;
            n -= inside;
        }
        if (n == 0) {
            (void)kill(child, SIGKILL);
            (void)waitpid(child, &status, 0);
            return KILLED;
        }
    }
    return KILLED_NOT;
}
