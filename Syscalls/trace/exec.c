// ptrace(2): what a tracer sees of an execve, and what the new program is not given under trace.
#include "tracee.h"

/// This program again: main returns 33 to the argument "child", and 1 or 2 to "user".
static void executes(void) {
    execl("/proc/self/exe", "self", "child", NULL);
    _exit(98);
}
static void *executes_here(void *argument) {
    execl("/proc/self/exe", "self", "child", NULL);
    return argument;
}
static void executes_in_thread(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, executes_here, NULL);
    waits_forever(NULL);
}

static void stops(void) {
    CASE(exec_trap) {
        pid_t child = traced(executes);
        CHECK_EQ(go(child, 0), STOP(SIGTRAP));
        siginfo_t info = information_of(child);
        CHECK_EQ(info.si_code, SI_USER);
        CHECK_EQ(info.si_pid, child);
        CHECK_EQ(go(child, 0), 33 << 8);
    }
    CASE(exec_event) {
        pid_t child = traced_with(executes, PTRACE_O_TRACEEXEC);
        CHECK_EQ(go(child, 0), EVENT(PTRACE_EVENT_EXEC));
        CHECK_EQ(message_of(child), child);
        struct user_regs_struct r = registers_of(child);
        CHECK_EQ(r.orig_rax, SYS_execve);
        CHECK_EQ((long)r.rax, -ENOSYS);
        CHECK_EQ(r.rbx, 0);
        CHECK_EQ(go(child, 0), 33 << 8);
    }
    CASE(exec_exit_stop) {
        pid_t child = traced_with(executes, PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD);
        CHECK_EQ(go(child, 0), EVENT(PTRACE_EVENT_EXEC));
        CHECK_EQ(go_to_call(child), SYSCALL_STOP);
        struct user_regs_struct r = registers_of(child);
        CHECK_EQ(r.orig_rax, SYS_execve);
        CHECK_EQ(r.rax, 0);
        CHECK_EQ(go(child, 0), 33 << 8);
    }
    CASE(exec_of_a_seized_task) {
        pid_t child = conformance_fork();
        if (child == 0) {
            conformance_nap(100);
            executes();
        }
        CHECK_EQ(trace(PTRACE_SEIZE, child, 0, 0), 0);
        CHECK_EQ(next(child), 33 << 8);
    }
    CASE(exec_by_a_thread) {
        pid_t child = traced_with(executes_in_thread, PTRACE_O_TRACEEXEC | PTRACE_O_TRACECLONE);
        pid_t thread = new_task(child, PTRACE_EVENT_CLONE);
        trace(PTRACE_CONT, child, 0, 0);
        trace(PTRACE_CONT, thread, 0, 0);
        // The thread has become the leader.
        CHECK_EQ(next(child), EVENT(PTRACE_EVENT_EXEC));
        CHECK_EQ(message_of(child), thread);
        CHECK_ERRNO(trace(PTRACE_CONT, thread, 0, 0), ESRCH);
        CHECK_EQ(go(child, 0), 33 << 8);
    }
}

static void privileges(void) {
    CASE(exec_gains_nothing_under_trace) {
        if (conformance_is_root()) {
            char command[512], self[256] = "";
            readlink("/proc/self/exe", self, sizeof self - 1);
            snprintf(command, sizeof command, "cp %s privileged && chmod 4755 privileged", self);
            CHECK_EQ(system(command), 0);
            AS_USER({
                prctl(PR_SET_DUMPABLE, 1);
                pid_t child = conformance_fork();
                if (child == 0) {
                    trace(PTRACE_TRACEME, 0, 0, 0);
                    execl("./privileged", "privileged", "user", NULL);
                    _exit(99);
                }
                CHECK_EQ(next(child), STOP(SIGTRAP));
                CHECK_EQ(go(child, 0), 2 << 8);
            });
        }
    }
}

int main(int count, char **arguments) {
    if (count > 1 && !strcmp(arguments[1], "child")) return 33;
    if (count > 1 && !strcmp(arguments[1], "user")) return geteuid() == 0 ? 1 : 2;
    conformance_enter();
    COVERS(ptrace, wait4);
    stops();
    privileges();
    return conformance_end();
}
