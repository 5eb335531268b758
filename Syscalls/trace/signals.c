// ptrace(2): signals on their way to a tracee, and the stops of its whole group.
#include "tracee.h"

static volatile int handled;
static void count(int n) {
    (void)n;
    handled++;
}
static void handles_usr1(void) {
    signal(SIGUSR1, count);
    raise(SIGUSR1);
    _exit(handled);
}
static void handles_usr2(void) {
    signal(SIGUSR2, count);
    raise(SIGUSR1);
    _exit(handled + 10);
}
static void ignores(void) {
    signal(SIGUSR1, SIG_IGN);
    raise(SIGUSR1);
    _exit(5);
}
static void stops_itself(void) {
    raise(SIGSTOP);
    _exit(6);
}
static void segfaults(void) { *(volatile int *)0x10 = 1; }
static void aborts(void) { abort(); }

static void delivery(void) {
    CASE(signal_passes) {
        pid_t child = traced(handles_usr1);
        CHECK_EQ(go(child, 0), STOP(SIGUSR1));
        CHECK_EQ(go(child, SIGUSR1), 1 << 8);
    }
    CASE(signal_is_dropped) {
        pid_t child = traced(handles_usr1);
        CHECK_EQ(go(child, 0), STOP(SIGUSR1));
        CHECK_EQ(go(child, 0), 0);
    }
    CASE(signal_is_replaced) {
        pid_t child = traced(handles_usr2);
        CHECK_EQ(go(child, 0), STOP(SIGUSR1));
        CHECK_EQ(go(child, SIGUSR2), 11 << 8);
    }
    CASE(ignored_signal_is_seen) {
        pid_t child = traced(ignores);
        CHECK_EQ(go(child, 0), STOP(SIGUSR1));
        CHECK_EQ(go(child, SIGUSR1), 5 << 8);
    }
    CASE(signal_from_a_system_call_stop) {
        pid_t child = traced_with(handles_usr1, PTRACE_O_TRACESYSGOOD);
        CHECK_EQ(go_to_call(child), SYSCALL_STOP);
        CHECK_EQ(go(child, SIGWINCH), STOP(SIGWINCH));
        CHECK_EQ(information_of(child).si_code, SI_KERNEL);
        finish(child);
    }
    CASE(step_into_a_handler) {
        pid_t child = traced(handles_usr1);
        CHECK_EQ(go(child, 0), STOP(SIGUSR1));
        CHECK_EQ(step(child, SIGUSR1), STOP(SIGTRAP));
        struct user_regs_struct r = registers_of(child);
        CHECK_EQ(r.rip, ADDRESS(count));
        CHECK_EQ(r.rdi, SIGUSR1);
        CHECK_EQ(go(child, 0), 1 << 8);
    }
}

static void deadly_signals(void) {
    CASE(fatal_signal_is_seen_first) {
        pid_t child = traced(NULL);
        kill(child, SIGTERM);
        CHECK_EQ(go(child, 0), STOP(SIGTERM));
        CHECK_EQ(go(child, SIGTERM), SIGTERM);
    }
    CASE(kill_is_not_stopped) {
        pid_t child = traced(NULL);
        kill(child, SIGKILL);
        CHECK_EQ(next(child), SIGKILL);
        CHECK_ERRNO(trace(PTRACE_CONT, child, 0, 0), ESRCH);
    }
    CASE(request_kill) {
        pid_t child = traced(NULL);
        CHECK_EQ(trace(PTRACE_KILL, child, 0, 0), 0);
        CHECK_EQ(next(child), SIGKILL);
    }
    CASE(fault_is_seen) {
        pid_t child = traced(segfaults);
        CHECK_EQ(go(child, 0), STOP(SIGSEGV));
        siginfo_t info = information_of(child);
        CHECK_EQ(info.si_code, SEGV_MAPERR);
        CHECK_EQ(ADDRESS(info.si_addr), 0x10);
        CHECK_EQ(go(child, SIGSEGV) & 0x7f, SIGSEGV);
    }
    CASE(abort_is_seen) {
        pid_t child = traced(aborts);
        CHECK_EQ(go(child, 0), STOP(SIGABRT));
        CHECK_EQ(go(child, SIGABRT) & 0x7f, SIGABRT);
    }
}

/// A seized task that listens in a group stop.
static pid_t listening(void) {
    pid_t child = running(NULL);
    trace(PTRACE_SEIZE, child, 0, 0);
    kill(child, SIGSTOP);
    CHECK_EQ(next(child), STOP(SIGSTOP));
    CHECK_EQ(go(child, SIGSTOP), GROUP_STOP(SIGSTOP));
    CHECK_EQ(trace(PTRACE_LISTEN, child, 0, 0), 0);
    return child;
}

static void group_stops(void) {
    CASE(group_stop_of_an_attached_task) {
        pid_t child = traced(stops_itself);
        CHECK_EQ(go(child, 0), STOP(SIGSTOP));
        siginfo_t info;
        CHECK_EQ(trace(PTRACE_GETSIGINFO, child, 0, ADDRESS(&info)), 0);
        CHECK_EQ(go(child, SIGSTOP), STOP(SIGSTOP));
        CHECK_ERRNO(trace(PTRACE_GETSIGINFO, child, 0, ADDRESS(&info)), EINVAL);
        CHECK_EQ(go(child, 0), 6 << 8);
    }
    CASE(group_stop_of_a_seized_task) {
        pid_t child = listening();
        int status;
        CHECK_EQ(waitpid(child, &status, WNOHANG), 0);
        CHECK_ERRNO(trace(PTRACE_CONT, child, 0, 0), ESRCH);
        kill(child, SIGCONT);
        CHECK_EQ(next(child), EVENT(PTRACE_EVENT_STOP));
        CHECK_EQ(go(child, 0), STOP(SIGCONT));
        trace(PTRACE_CONT, child, 0, SIGCONT);
        finish(child);
    }
    CASE(interrupt_while_listening) {
        pid_t child = listening();
        CHECK_EQ(trace(PTRACE_INTERRUPT, child, 0, 0), 0);
        CHECK_EQ(next(child), GROUP_STOP(SIGSTOP));
        finish(child);
    }
    CASE(orphaned_terminal_stop_does_nothing) {
        // A new session's process group is orphaned: SIGTSTP has no effect.
        pid_t child = conformance_fork();
        if (child == 0) {
            setsid();
            trace(PTRACE_TRACEME, 0, 0, 0);
            raise(SIGTSTP);
            _exit(6);
        }
        CHECK_EQ(next(child), STOP(SIGTSTP));
        CHECK_EQ(go(child, SIGTSTP), 6 << 8);
    }
    CASE(all_threads_stop) {
        pid_t child = traced_with(makes_waiting_thread, PTRACE_O_TRACECLONE);
        pid_t thread = new_task(child, PTRACE_EVENT_CLONE);
        trace(PTRACE_CONT, thread, 0, 0);
        trace(PTRACE_CONT, child, 0, 0);
        kill(child, SIGSTOP);
        int status;
        pid_t first = waitpid(-1, &status, __WALL);
        CHECK_EQ(status, STOP(SIGSTOP));
        trace(PTRACE_CONT, first, 0, SIGSTOP);
        // Both stop with the group.
        int stopped = 0;
        for (int i = 0; i < 2; i++) {
            pid_t other = waitpid(-1, &status, __WALL);
            siginfo_t info;
            if (status == STOP(SIGSTOP) && trace(PTRACE_GETSIGINFO, other, 0, ADDRESS(&info)) && errno == EINVAL) stopped++;
        }
        CHECK_EQ(stopped, 2);
        // A leader is waited for after its threads.
        kill(child, SIGKILL);
        CHECK_EQ(next(thread), SIGKILL);
        CHECK_EQ(next(child), SIGKILL);
    }
}

int main(void) {
    conformance_enter();
    COVERS(ptrace, wait4);
    delivery();
    deadly_signals();
    group_stops();
    return conformance_end();
}
