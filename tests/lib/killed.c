#include "tests/lib/killed.h"

#include <assert.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
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

/* Whether the child enters a call that may change what is on disk. */
static bool enters_change(pid_t child)
{
    struct __ptrace_syscall_info info = {0};
    (void)ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, &info);
    if (info.op != PTRACE_SYSCALL_INFO_ENTRY) {
        return false;
    }
    switch (info.entry.nr) {
    case SYS_openat:
        return (info.entry.args[2] & O_CREAT) != 0;
#ifdef SYS_mkdir /* Newer machines have the -at calls alone. */
    case SYS_mkdir:
    case SYS_rename:
    case SYS_rmdir:
    case SYS_unlink:
#endif
    case SYS_mkdirat:
    case SYS_renameat:
    case SYS_renameat2:
    case SYS_unlinkat:
    case SYS_write:
    case SYS_pwrite64:
    case SYS_writev:
    case SYS_pwritev:
    case SYS_ftruncate:
    case SYS_fallocate:
    case SYS_fsync:
    case SYS_fdatasync:
    case SYS_msync:
        return true;
    default:
        return false;
    }
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
        if (WSTOPSIG(status) == SYSTEM_CALL && enters_change(child) && --n == 0) {
            (void)kill(child, SIGKILL);
            (void)waitpid(child, &status, 0);
            return KILLED;
        }
    }
    return KILLED_NOT;
}
