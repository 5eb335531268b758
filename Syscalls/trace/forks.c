// ptrace(2): the events of fork, vfork and clone, and how the new task stops.
#include "tracee.h"
#include <sched.h>

static void forks_by_call(void) {
    pid_t child = (pid_t)syscall(SYS_fork);
    if (child == 0) _exit(1);
    int status;
    waitpid(child, &status, 0);
    _exit(2);
}
static void vforks(void) {
    pid_t child = vfork();
    if (child == 0) _exit(1);
    waitpid(child, NULL, 0);
    _exit(3);
}
static void clones(int flags) {
    pid_t child = (pid_t)syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
    if (child == 0) _exit(0);
    waitpid(child, NULL, 0);
    _exit(12);
}
static void clones_untraced(void) { clones(CLONE_UNTRACED); }
static void clones_traced(void) { clones(CLONE_PTRACE); }

static void events(void) {
    CASE(fork_event) {
        pid_t child = traced_with(forks_by_call, PTRACE_O_TRACEFORK);
        CHECK_EQ(go(child, 0), EVENT(PTRACE_EVENT_FORK));
        pid_t grandchild = (pid_t)message_of(child);
        CHECK(grandchild > 0);
        struct user_regs_struct r = registers_of(child);
        CHECK_EQ((long)r.rax, -ENOSYS);
        CHECK_EQ(r.orig_rax, SYS_fork);
        CHECK_EQ(next(grandchild), STOP(SIGSTOP));
        r = registers_of(grandchild);
        CHECK_EQ(r.rax, 0);
        CHECK_EQ(r.orig_rax, SYS_fork);
        CHECK_EQ(information_of(grandchild).si_code, SI_USER);
        trace(PTRACE_CONT, child, 0, 0);
        CHECK_EQ(go(grandchild, 0), 1 << 8);
        CHECK_EQ(next(child), STOP(SIGCHLD));
        CHECK_EQ(go(child, SIGCHLD), 2 << 8);
    }
    CASE(vfork_events) {
        pid_t child = traced_with(vforks, PTRACE_O_TRACEVFORK | PTRACE_O_TRACEVFORKDONE);
        pid_t grandchild = new_task(child, PTRACE_EVENT_VFORK);
        trace(PTRACE_CONT, child, 0, 0);
        CHECK_EQ(go(grandchild, 0), 1 << 8);
        CHECK_EQ(next(child), EVENT(PTRACE_EVENT_VFORK_DONE));
        CHECK_EQ(message_of(child), grandchild);
        CHECK_EQ(go(child, 0), STOP(SIGCHLD));
        CHECK_EQ(go(child, 0), 3 << 8);
    }
    CASE(clone_event) {
        pid_t child = traced_with(makes_thread, PTRACE_O_TRACECLONE);
        pid_t thread = new_task(child, PTRACE_EVENT_CLONE);
        trace(PTRACE_CONT, child, 0, 0);
        // The thread's end is for its tracer to see; when the process has ended by then, it is the process's.
        CHECK_ONE_OF(go(thread, 0), 0, 4 << 8);
        CHECK_EQ(next(child), 4 << 8);
    }
    CASE(seized_child_of_a_fork) {
        pid_t child = conformance_fork();
        if (child == 0) {
            conformance_nap(100);
            forks_by_call();
        }
        CHECK_EQ(trace(PTRACE_SEIZE, child, 0, PTRACE_O_TRACEFORK), 0);
        CHECK_EQ(next(child), EVENT(PTRACE_EVENT_FORK));
        pid_t grandchild = (pid_t)message_of(child);
        CHECK_EQ(next(grandchild), EVENT(PTRACE_EVENT_STOP));
        trace(PTRACE_CONT, child, 0, 0);
        CHECK_EQ(go(grandchild, 0), 1 << 8);
        CHECK_EQ(next(child), STOP(SIGCHLD));
        CHECK_EQ(go(child, 0), 2 << 8);
    }
}

static void without_events(void) {
    CASE(fork_without_option) {
        pid_t child = traced(forks);
        CHECK_EQ(go(child, 0), STOP(SIGCHLD));
        CHECK_EQ(go(child, 0), 2 << 8);
    }
    CASE(clone_untraced) {
        pid_t child = traced_with(clones_untraced, PTRACE_O_TRACEFORK | PTRACE_O_TRACECLONE);
        CHECK_EQ(go(child, 0), STOP(SIGCHLD));
        CHECK_EQ(go(child, 0), 12 << 8);
    }
    CASE(clone_ptrace) {
        pid_t child = traced(clones_traced);
        trace(PTRACE_CONT, child, 0, 0);
        int status;
        pid_t grandchild = waitpid(-1, &status, __WALL);
        CHECK(grandchild != child);
        CHECK_EQ(status, STOP(SIGSTOP));
        CHECK_EQ(go(grandchild, 0), 0);
        CHECK_EQ(next(child), STOP(SIGCHLD));
        CHECK_EQ(go(child, 0), 12 << 8);
    }
}

int main(void) {
    conformance_enter();
    COVERS(ptrace, wait4);
    events();
    without_events();
    return conformance_end();
}
