// What cases about ptrace(2) share: a tracee, its stops, and their status words.
#ifndef STOCKADE_TRACEE_H
#define STOCKADE_TRACEE_H

#include "conformance.h"
#include <linux/ptrace.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/user.h>

static inline long trace(long request, pid_t pid, unsigned long address, unsigned long data) {
    return syscall(SYS_ptrace, request, (long)pid, address, data);
}
#define ADDRESS(p) ((unsigned long)(p))
#define STOP(signal) ((signal) << 8 | 0x7f)
#define EVENT(event) ((event) << 16 | SIGTRAP << 8 | 0x7f)
/// With PTRACE_O_TRACESYSGOOD.
#define SYSCALL_STOP STOP(SIGTRAP | 0x80)

/// A child that asks to be traced, stops, and goes on with `body`. Returned in its first stop.
static inline pid_t traced(void (*body)(void)) {
    pid_t child = conformance_fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (trace(PTRACE_TRACEME, 0, 0, 0)) _exit(99);
        raise(SIGSTOP);
        if (body) body();
        _exit(0);
    }
    int status = 0;
    if (waitpid(child, &status, 0) != child || status != STOP(SIGSTOP)) FAIL_("first stop has status %#x", status);
    return child;
}

/// A child that nobody traces. After `body`, if there is one, it sleeps until it is killed.
static inline pid_t running(void (*body)(void)) {
    pid_t child = conformance_fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (body) body();
        while (1) pause();
    }
    conformance_nap(30);
    return child;
}

/// Kills a child and waits for its end.
static inline void finish(pid_t child) {
    int status;
    kill(child, SIGKILL);
    while (waitpid(child, &status, __WALL) == child && WIFSTOPPED(status)) trace(PTRACE_CONT, child, 0, 0);
}

/// The next status of a child; -1 where there is none.
static inline int next(pid_t child) {
    int status = -1;
    if (waitpid(child, &status, __WALL) != child) return -1;
    return status;
}

/// Runs the tracee to the entry of a call; TRACESYSGOOD is set.
static inline void until_call(pid_t child, unsigned long number, struct user_regs_struct *r) {
    do {
        trace(PTRACE_SYSCALL, child, 0, 0);
        CHECK_EQ(next(child), SYSCALL_STOP);
        CHECK_EQ(trace(PTRACE_GETREGS, child, 0, ADDRESS(r)), 0);
    } while (r->orig_rax != number && r->orig_rax != SYS_exit_group);
}

/// What tracees do.
static inline void calls_getppid(void) { syscall(SYS_getppid, 1, 2, 3, 4, 5, 6); }

#endif
