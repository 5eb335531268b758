// What cases about ptrace(2) share: tracees, what they do, their stops and status words, and what a tracer reads of them.
#ifndef STOCKADE_TRACEE_H
#define STOCKADE_TRACEE_H

#include "conformance.h"
#include <linux/ptrace.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/user.h>

static inline long trace(long request, pid_t pid, unsigned long address, unsigned long data) {
    return syscall(SYS_ptrace, request, (long)pid, address, data);
}
#define ADDRESS(p) ((unsigned long)(p))
#define STOP(signal) ((signal) << 8 | 0x7f)
#define EVENT(event) ((event) << 16 | STOP(SIGTRAP))
/// A seized task's stop with its group. The stop that PTRACE_INTERRUPT makes is EVENT(PTRACE_EVENT_STOP).
#define GROUP_STOP(signal) (PTRACE_EVENT_STOP << 16 | STOP(signal))
/// With PTRACE_O_TRACESYSGOOD.
#define SYSCALL_STOP STOP(SIGTRAP | 0x80)

// MARK: tracees

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

/// The same, with options set.
static inline pid_t traced_with(void (*body)(void), unsigned long options) {
    pid_t child = traced(body);
    if (trace(PTRACE_SETOPTIONS, child, 0, options)) FAIL_("options %#lx: errno %d", options, errno);
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

/// A child that kills another while the caller goes on.
static inline pid_t killer_of(pid_t child) {
    pid_t killer = conformance_fork();
    if (killer == 0) {
        kill(child, SIGKILL);
        _exit(0);
    }
    return killer;
}

// MARK: stops

/// The next status of a child; -1 where there is none.
static inline int next(pid_t child) {
    int status = -1;
    if (waitpid(child, &status, __WALL) != child) return -1;
    return status;
}

/// Resumes a stopped tracee and returns its next status; -2 where it cannot be resumed.
static inline int resume(pid_t child, long request, int signal) {
    if (trace(request, child, 0, signal)) return -2;
    return next(child);
}
static inline int go(pid_t child, int signal) { return resume(child, PTRACE_CONT, signal); }
static inline int step(pid_t child, int signal) { return resume(child, PTRACE_SINGLESTEP, signal); }
/// To the next entry or exit of a system call.
static inline int go_to_call(pid_t child) { return resume(child, PTRACE_SYSCALL, 0); }

static inline struct user_regs_struct registers_of(pid_t child) {
    struct user_regs_struct r = {0};
    if (trace(PTRACE_GETREGS, child, 0, ADDRESS(&r))) FAIL_("no registers: errno %d", errno);
    return r;
}

/// Of the signal that a tracee stopped for.
static inline siginfo_t information_of(pid_t child) {
    siginfo_t info = {0};
    if (trace(PTRACE_GETSIGINFO, child, 0, ADDRESS(&info))) FAIL_("no signal information: errno %d", errno);
    return info;
}

/// Of the event that a tracee stopped for.
static inline long message_of(pid_t child) {
    long message = -1;
    trace(PTRACE_GETEVENTMSG, child, 0, ADDRESS(&message));
    return message;
}

/// The state in /proc/PID/stat.
static inline char letter_of(pid_t pid) {
    char path[64], line[512] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    int fd = open(path, O_RDONLY);
    read(fd, line, sizeof line - 1);
    close(fd);
    char *end = strrchr(line, ')');
    return end ? end[2] : '?';
}

/// A former tracee that waits for ever goes on without its tracer; it is ended.
static inline void must_be_free(pid_t child) {
    conformance_nap(30);
    CHECK_EQ(letter_of(child), 'S');
    CHECK_ERRNO(trace(PTRACE_CONT, child, 0, 0), ESRCH);
    finish(child);
}

/// Runs the tracee to the entry of a call; TRACESYSGOOD is set.
static inline void until_call(pid_t child, unsigned long number) {
    unsigned long call;
    do {
        int status = go_to_call(child);
        if (status != SYSCALL_STOP) {
            FAIL_("status %#x on the way to call %lu", status, number);
            return;
        }
        call = registers_of(child).orig_rax;
    } while (call != number && call != SYS_exit_group);
}

/// A tracee at the entry of a call, with PTRACE_O_TRACESYSGOOD.
static inline pid_t traced_at_call(void (*body)(void), unsigned long number) {
    pid_t child = traced_with(body, PTRACE_O_TRACESYSGOOD);
    until_call(child, number);
    return child;
}

/// Runs the tracee to the event of a new task, and returns that task in its first stop.
static inline pid_t new_task(pid_t child, int event) {
    int status = go(child, 0);
    if (status != EVENT(event)) FAIL_("status %#x instead of event %d", status, event);
    pid_t task = (pid_t)message_of(child);
    status = next(task);
    if (status != STOP(SIGSTOP)) FAIL_("the new task's first stop has status %#x", status);
    return task;
}

// MARK: what tracees do

static inline void calls_getppid(void) { syscall(SYS_getppid, 1, 2, 3, 4, 5, 6); }
static inline void exits_nine(void) { _exit(9); }
static inline void forks(void) {
    pid_t child = fork();
    if (child == 0) _exit(1);
    int status;
    waitpid(child, &status, 0);
    _exit(WEXITSTATUS(status) + 1);
}
static inline void *ends_at_once(void *argument) { return argument; }
static inline void makes_thread(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, ends_at_once, NULL);
    pthread_join(thread, NULL);
    _exit(4);
}
static inline void *waits_forever(void *argument) {
    while (1) pause();
    return argument;
}
static inline void makes_waiting_thread(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, waits_forever, NULL);
    waits_forever(NULL);
}

#endif
