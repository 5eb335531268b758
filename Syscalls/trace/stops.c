// ptrace(2): when a tracee stops and what its tracer and its parent hear of it: signals, group stops, events, exec, exit.
#include "tracee.h"
#include <dirent.h>
#include <poll.h>
#include <pthread.h>

static int go(pid_t child, int signal) {
    if (trace(PTRACE_CONT, child, 0, signal)) return -2;
    return next(child);
}
static char letter_of(pid_t pid) {
    char path[64], line[512] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    int fd = open(path, O_RDONLY);
    read(fd, line, sizeof line - 1);
    close(fd);
    char *end = strrchr(line, ')');
    return end ? end[2] : '?';
}
static long message_of(pid_t child) {
    long message = -1;
    trace(PTRACE_GETEVENTMSG, child, 0, ADDRESS(&message));
    return message;
}

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
static void terminal_stop(void) {
    raise(SIGTSTP);
    _exit(6);
}
static void forks(void) {
    pid_t child = fork();
    if (child == 0) _exit(1);
    int status;
    waitpid(child, &status, 0);
    _exit(WEXITSTATUS(status) + 1);
}
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
static void *thread_body(void *argument) { return argument; }
static void *waits_forever(void *argument) {
    while (1) pause();
    return argument;
}
static void makes_thread(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, thread_body, NULL);
    pthread_join(thread, NULL);
    _exit(4);
}
static void makes_waiting_thread(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, waits_forever, NULL);
    waits_forever(NULL);
}
static void makes_waiting_thread_only(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, waits_forever, NULL);
}
static void *ends_later(void *argument) {
    conformance_nap(200);
    syscall(SYS_exit, 3);
    return argument;
}
static void leader_ends_first(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, ends_later, NULL);
    syscall(SYS_exit, 5);
}
static void *executes_here(void *argument) {
    execl("/proc/self/exe", "self", "child", NULL);
    return argument;
}
static void executes_in_thread(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, executes_here, NULL);
    while (1) pause();
}
static void executes(void) {
    execl("/proc/self/exe", "self", "child", NULL);
    _exit(98);
}
static void exits_nine(void) { _exit(9); }
static void sleeps_long(void) {
    struct timespec t = {0, 700000000};
    int failed = nanosleep(&t, NULL);
    _exit(failed ? errno : 11);
}
static void segfaults(void) { *(volatile int *)0x10 = 1; }
static void aborts(void) { abort(); }

static void breaks_at_once(void) { __asm__ volatile("int3\n\tnop"); }
static void *asks_for(void *argument) {
    pid_t child = *(pid_t *)argument;
    errno = 0;
    trace(PTRACE_CONT, child, 0, 0);
    return (void *)(long)errno;
}
static void *waits_for(void *argument) {
    pid_t child = *(pid_t *)argument;
    int status = -1;
    if (waitpid(child, &status, __WNOTHREAD | WNOHANG) != -1 || errno != ECHILD) return (void *)-1L;
    return (void *)(long)next(child);
}
static void *attach_from_thread(void *argument) {
    static long outcome;
    pid_t child = *(pid_t *)argument;
    outcome = trace(PTRACE_SEIZE, child, 0, 0);
    trace(PTRACE_INTERRUPT, child, 0, 0);
    if (next(child) != (PTRACE_EVENT_STOP << 16 | STOP(SIGTRAP))) outcome = -77;
    return &outcome;
}

int main(int count_of_arguments, char **arguments) {
    if (count_of_arguments > 1 && !strcmp(arguments[1], "child")) return 33;
    if (count_of_arguments > 1 && !strcmp(arguments[1], "user")) return geteuid() == 0 ? 1 : 2;
    conformance_enter();
    COVERS(ptrace, wait4);

    // MARK: signals
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
        siginfo_t info;
        trace(PTRACE_GETSIGINFO, child, 0, ADDRESS(&info));
        CHECK_EQ(info.si_code, SEGV_MAPERR);
        CHECK_EQ(ADDRESS(info.si_addr), 0x10);
        CHECK_EQ(go(child, SIGSEGV) & 0x7f, SIGSEGV);
    }
    CASE(abort_is_seen) {
        pid_t child = traced(aborts);
        CHECK_EQ(go(child, 0), STOP(SIGABRT));
        CHECK_EQ(go(child, SIGABRT) & 0x7f, SIGABRT);
    }
    CASE(child_signal_of_a_stop) {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGCHLD);
        sigprocmask(SIG_BLOCK, &set, NULL);
        pid_t child = traced(handles_usr1);
        siginfo_t info;
        struct timespec patience = {5, 0};
        CHECK_EQ(sigtimedwait(&set, &info, &patience), SIGCHLD);
        CHECK_EQ(info.si_code, CLD_TRAPPED);
        CHECK_EQ(info.si_status, SIGSTOP);
        CHECK_EQ(info.si_pid, child);
        sigprocmask(SIG_UNBLOCK, &set, NULL);
        finish(child);
    }
    CASE(waitid_of_a_stop) {
        pid_t child = conformance_fork();
        if (child == 0) {
            trace(PTRACE_TRACEME, 0, 0, 0);
            raise(SIGUSR1);
            _exit(0);
        }
        siginfo_t info;
        CHECK_EQ(waitid(P_PID, child, &info, WSTOPPED | WNOWAIT), 0);
        CHECK_EQ(info.si_code, CLD_TRAPPED);
        CHECK_EQ(info.si_status, SIGUSR1);
        CHECK_EQ(waitid(P_PID, child, &info, WSTOPPED), 0);
        memset(&info, 0, sizeof info);
        CHECK_EQ(waitid(P_PID, child, &info, WSTOPPED | WNOHANG), 0);
        CHECK_EQ(info.si_pid, 0);
        finish(child);
    }
    CASE(sleep_goes_on_after_a_stop) {
        pid_t child = traced(sleeps_long);
        trace(PTRACE_CONT, child, 0, 0);
        conformance_nap(80);
        kill(child, SIGWINCH);
        CHECK_EQ(next(child), STOP(SIGWINCH));
        struct user_regs_struct r;
        trace(PTRACE_GETREGS, child, 0, ADDRESS(&r));
        CHECK_EQ((long)r.rax, -516);
        CHECK(r.orig_rax == SYS_nanosleep || r.orig_rax == SYS_clock_nanosleep);
        CHECK_EQ(go(child, SIGWINCH), 11 << 8);
    }
    CASE(restart_is_forbidden) {
        pid_t child = traced(sleeps_long);
        trace(PTRACE_CONT, child, 0, 0);
        conformance_nap(80);
        kill(child, SIGWINCH);
        CHECK_EQ(next(child), STOP(SIGWINCH));
        trace(PTRACE_POKEUSR, child, offsetof(struct user, regs.orig_rax), -1);
        trace(PTRACE_POKEUSR, child, offsetof(struct user, regs.rax), -EAGAIN);
        CHECK_EQ(go(child, 0), EAGAIN << 8);
    }
    CASE(restart_code_at_the_exit_stop) {
        pid_t child = traced(sleeps_long);
        trace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD);
        struct user_regs_struct r;
        do {
            trace(PTRACE_SYSCALL, child, 0, 0);
            CHECK_EQ(next(child), SYSCALL_STOP);
            trace(PTRACE_GETREGS, child, 0, ADDRESS(&r));
        } while (r.orig_rax != SYS_nanosleep && r.orig_rax != SYS_clock_nanosleep);
        trace(PTRACE_SYSCALL, child, 0, 0);
        conformance_nap(80);
        kill(child, SIGWINCH);
        CHECK_EQ(next(child), SYSCALL_STOP);
        trace(PTRACE_GETREGS, child, 0, ADDRESS(&r));
        CHECK_EQ((long)r.rax, -516);
        trace(PTRACE_SYSCALL, child, 0, 0);
        CHECK_EQ(next(child), STOP(SIGWINCH));
        trace(PTRACE_SYSCALL, child, 0, 0);
        CHECK_EQ(next(child), SYSCALL_STOP);
        trace(PTRACE_GETREGS, child, 0, ADDRESS(&r));
        CHECK_EQ(r.orig_rax, SYS_restart_syscall);
        CHECK_EQ(go(child, 0), 11 << 8);
    }
    CASE(step_into_a_handler) {
        pid_t child = traced(handles_usr1);
        CHECK_EQ(go(child, 0), STOP(SIGUSR1));
        trace(PTRACE_SINGLESTEP, child, 0, SIGUSR1);
        CHECK_EQ(next(child), STOP(SIGTRAP));
        struct user_regs_struct r;
        trace(PTRACE_GETREGS, child, 0, ADDRESS(&r));
        CHECK_EQ(r.rip, ADDRESS(count));
        CHECK_EQ(r.rdi, SIGUSR1);
        CHECK_EQ(go(child, 0), 1 << 8);
    }

    // MARK: attaching
    CASE(attach_stops) {
        pid_t child = running(NULL);
        CHECK_EQ(trace(PTRACE_ATTACH, child, 0, 0), 0);
        CHECK_EQ(next(child), STOP(SIGSTOP));
        CHECK_EQ(letter_of(child), 't');
        CHECK_EQ(trace(PTRACE_DETACH, child, 0, 0), 0);
        conformance_nap(30);
        CHECK_EQ(letter_of(child), 'S');
        CHECK_ERRNO(trace(PTRACE_CONT, child, 0, 0), ESRCH);
        finish(child);
    }
    CASE(attach_to_a_stopped_process) {
        pid_t child = running(NULL);
        kill(child, SIGSTOP);
        int status = 0;
        CHECK_EQ(waitpid(child, &status, WUNTRACED), child);
        CHECK_EQ(trace(PTRACE_ATTACH, child, 0, 0), 0);
        CHECK_EQ(letter_of(child), 't');
        CHECK_EQ(next(child), STOP(SIGSTOP));
        trace(PTRACE_DETACH, child, 0, 0);
        conformance_nap(30);
        CHECK_EQ(letter_of(child), 'T');
        kill(child, SIGCONT);
        finish(child);
    }
    CASE(attach_to_a_stopped_process_that_is_killed) {
        for (int round = 0; round < 50; round++) {
            pid_t child = conformance_fork();
            if (child == 0) {
                raise(SIGSTOP);
                _exit(0);
            }
            int status = 0;
            CHECK_EQ(waitpid(child, &status, WUNTRACED), child);
            pid_t killer = conformance_fork();
            if (killer == 0) {
                kill(child, SIGKILL);
                _exit(0);
            }
            if (trace(PTRACE_ATTACH, child, 0, 0)) CHECK_EQ(errno, EPERM);
            waitpid(killer, NULL, 0);
            do status = next(child);
            while (WIFSTOPPED(status));
            CHECK_EQ(status, SIGKILL);
        }
    }
    CASE(seize_does_not_stop) {
        pid_t child = running(NULL);
        CHECK_EQ(trace(PTRACE_SEIZE, child, 0, 0), 0);
        int status;
        CHECK_EQ(waitpid(child, &status, WNOHANG), 0);
        CHECK_EQ(letter_of(child), 'S');
        CHECK_EQ(trace(PTRACE_INTERRUPT, child, 0, 0), 0);
        CHECK_EQ(next(child), PTRACE_EVENT_STOP << 16 | STOP(SIGTRAP));
        siginfo_t info;
        CHECK_EQ(trace(PTRACE_GETSIGINFO, child, 0, ADDRESS(&info)), 0);
        CHECK_EQ(info.si_code, PTRACE_EVENT_STOP << 8 | SIGTRAP);
        trace(PTRACE_CONT, child, 0, 0);
        finish(child);
    }
    CASE(detach_with_a_signal) {
        pid_t child = running(NULL);
        trace(PTRACE_ATTACH, child, 0, 0);
        CHECK_EQ(next(child), STOP(SIGSTOP));
        CHECK_EQ(trace(PTRACE_DETACH, child, 0, SIGTERM), 0);
        CHECK_EQ(next(child), SIGTERM);
    }
    CASE(seize_a_busy_process) {
        pid_t child = conformance_fork();
        if (child == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            for (volatile unsigned long i = 0;; i++) {
            }
        }
        conformance_nap(20);
        for (int i = 0; i < 20; i++) {
            CHECK_EQ(trace(PTRACE_SEIZE, child, 0, 0), 0);
            CHECK_EQ(trace(PTRACE_INTERRUPT, child, 0, 0), 0);
            CHECK_EQ(next(child), PTRACE_EVENT_STOP << 16 | STOP(SIGTRAP));
            struct user_regs_struct r;
            trace(PTRACE_GETREGS, child, 0, ADDRESS(&r));
            CHECK_EQ((long)r.orig_rax, -1);
            CHECK_EQ(trace(PTRACE_DETACH, child, 0, 0), 0);
        }
        finish(child);
    }
    CASE(wait_by_another_thread) {
        pid_t child = running(NULL);
        pthread_t thread;
        pthread_create(&thread, NULL, attach_from_thread, &child);
        void *outcome;
        pthread_join(thread, &outcome);
        CHECK_EQ(*(long *)outcome, 0);
        // The tracing thread has ended: its tracee goes on.
        conformance_nap(30);
        CHECK_EQ(letter_of(child), 'S');
        CHECK_ERRNO(trace(PTRACE_CONT, child, 0, 0), ESRCH);
        finish(child);
    }

    // MARK: group stops
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
        pid_t child = running(NULL);
        trace(PTRACE_SEIZE, child, 0, 0);
        kill(child, SIGSTOP);
        CHECK_EQ(next(child), STOP(SIGSTOP));
        CHECK_EQ(go(child, SIGSTOP), PTRACE_EVENT_STOP << 16 | STOP(SIGSTOP));
        CHECK_EQ(trace(PTRACE_LISTEN, child, 0, 0), 0);
        int status;
        CHECK_EQ(waitpid(child, &status, WNOHANG), 0);
        CHECK_ERRNO(trace(PTRACE_CONT, child, 0, 0), ESRCH);
        kill(child, SIGCONT);
        CHECK_EQ(next(child), PTRACE_EVENT_STOP << 16 | STOP(SIGTRAP));
        CHECK_EQ(go(child, 0), STOP(SIGCONT));
        trace(PTRACE_CONT, child, 0, SIGCONT);
        finish(child);
    }
    CASE(interrupt_while_listening) {
        pid_t child = running(NULL);
        trace(PTRACE_SEIZE, child, 0, 0);
        kill(child, SIGSTOP);
        CHECK_EQ(next(child), STOP(SIGSTOP));
        CHECK_EQ(go(child, SIGSTOP), PTRACE_EVENT_STOP << 16 | STOP(SIGSTOP));
        trace(PTRACE_LISTEN, child, 0, 0);
        CHECK_EQ(trace(PTRACE_INTERRUPT, child, 0, 0), 0);
        CHECK_EQ(next(child), PTRACE_EVENT_STOP << 16 | STOP(SIGSTOP));
        finish(child);
    }
    CASE(orphaned_terminal_stop_does_nothing) {
        // A new session's process group is orphaned: SIGTSTP has no effect.
        pid_t child = conformance_fork();
        if (child == 0) {
            setsid();
            trace(PTRACE_TRACEME, 0, 0, 0);
            terminal_stop();
        }
        CHECK_EQ(next(child), STOP(SIGTSTP));
        CHECK_EQ(go(child, SIGTSTP), 6 << 8);
    }
    CASE(all_threads_stop) {
        pid_t child = traced(makes_waiting_thread);
        trace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACECLONE);
        CHECK_EQ(go(child, 0), EVENT(PTRACE_EVENT_CLONE));
        pid_t thread = (pid_t)message_of(child);
        CHECK_EQ(next(thread), STOP(SIGSTOP));
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

    // MARK: events
    CASE(fork_event) {
        pid_t child = traced(forks_by_call);
        trace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACEFORK);
        int status = go(child, 0);
        CHECK_EQ(status, EVENT(PTRACE_EVENT_FORK));
        pid_t grandchild = (pid_t)message_of(child);
        CHECK(grandchild > 0);
        struct user_regs_struct r;
        trace(PTRACE_GETREGS, child, 0, ADDRESS(&r));
        CHECK_EQ((long)r.rax, -ENOSYS);
        CHECK_EQ(r.orig_rax, SYS_fork);
        CHECK_EQ(next(grandchild), STOP(SIGSTOP));
        trace(PTRACE_GETREGS, grandchild, 0, ADDRESS(&r));
        CHECK_EQ(r.rax, 0);
        CHECK_EQ(r.orig_rax, SYS_fork);
        siginfo_t info;
        trace(PTRACE_GETSIGINFO, grandchild, 0, ADDRESS(&info));
        CHECK_EQ(info.si_code, SI_USER);
        trace(PTRACE_CONT, child, 0, 0);
        CHECK_EQ(go(grandchild, 0), 1 << 8);
        CHECK_EQ(next(child), STOP(SIGCHLD));
        CHECK_EQ(go(child, SIGCHLD), 2 << 8);
    }
    CASE(fork_without_option) {
        pid_t child = traced(forks);
        CHECK_EQ(go(child, 0), STOP(SIGCHLD));
        CHECK_EQ(go(child, 0), 2 << 8);
    }
    CASE(vfork_events) {
        pid_t child = traced(vforks);
        trace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACEVFORK | PTRACE_O_TRACEVFORKDONE);
        CHECK_EQ(go(child, 0), EVENT(PTRACE_EVENT_VFORK));
        pid_t grandchild = (pid_t)message_of(child);
        CHECK_EQ(next(grandchild), STOP(SIGSTOP));
        trace(PTRACE_CONT, child, 0, 0);
        CHECK_EQ(go(grandchild, 0), 1 << 8);
        CHECK_EQ(next(child), EVENT(PTRACE_EVENT_VFORK_DONE));
        CHECK_EQ(message_of(child), grandchild);
        CHECK_EQ(go(child, 0), STOP(SIGCHLD));
        CHECK_EQ(go(child, 0), 3 << 8);
    }
    CASE(clone_event) {
        pid_t child = traced(makes_thread);
        trace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACECLONE);
        CHECK_EQ(go(child, 0), EVENT(PTRACE_EVENT_CLONE));
        pid_t thread = (pid_t)message_of(child);
        CHECK_EQ(next(thread), STOP(SIGSTOP));
        trace(PTRACE_CONT, child, 0, 0);
        // The thread's end is for its tracer to see; when the process has ended by then, it is the process's.
        CHECK_ONE_OF(go(thread, 0), 0, 4 << 8);
        CHECK_EQ(next(child), 4 << 8);
    }
    CASE(seized_child_of_a_fork) {
        pid_t child = running(NULL);
        finish(child);
        child = conformance_fork();
        if (child == 0) {
            conformance_nap(100);
            forks_by_call();
        }
        CHECK_EQ(trace(PTRACE_SEIZE, child, 0, PTRACE_O_TRACEFORK), 0);
        CHECK_EQ(next(child), EVENT(PTRACE_EVENT_FORK));
        pid_t grandchild = (pid_t)message_of(child);
        CHECK_EQ(next(grandchild), PTRACE_EVENT_STOP << 16 | STOP(SIGTRAP));
        trace(PTRACE_CONT, child, 0, 0);
        CHECK_EQ(go(grandchild, 0), 1 << 8);
        CHECK_EQ(next(child), STOP(SIGCHLD));
        CHECK_EQ(go(child, 0), 2 << 8);
    }
    CASE(exec_trap) {
        pid_t child = traced(executes);
        CHECK_EQ(go(child, 0), STOP(SIGTRAP));
        siginfo_t info;
        trace(PTRACE_GETSIGINFO, child, 0, ADDRESS(&info));
        CHECK_EQ(info.si_code, SI_USER);
        CHECK_EQ(info.si_pid, child);
        CHECK_EQ(go(child, 0), 33 << 8);
    }
    CASE(exec_event) {
        pid_t child = traced(executes);
        trace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACEEXEC);
        CHECK_EQ(go(child, 0), EVENT(PTRACE_EVENT_EXEC));
        CHECK_EQ(message_of(child), child);
        struct user_regs_struct r;
        trace(PTRACE_GETREGS, child, 0, ADDRESS(&r));
        CHECK_EQ(r.orig_rax, SYS_execve);
        CHECK_EQ((long)r.rax, -ENOSYS);
        CHECK_EQ(r.rbx, 0);
        CHECK_EQ(go(child, 0), 33 << 8);
    }
    CASE(exec_exit_stop) {
        pid_t child = traced(executes);
        trace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD);
        CHECK_EQ(go(child, 0), EVENT(PTRACE_EVENT_EXEC));
        trace(PTRACE_SYSCALL, child, 0, 0);
        CHECK_EQ(next(child), SYSCALL_STOP);
        struct user_regs_struct r;
        trace(PTRACE_GETREGS, child, 0, ADDRESS(&r));
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
    CASE(exec_by_a_thread) {
        pid_t child = traced(executes_in_thread);
        trace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACEEXEC | PTRACE_O_TRACECLONE);
        CHECK_EQ(go(child, 0), EVENT(PTRACE_EVENT_CLONE));
        pid_t thread = (pid_t)message_of(child);
        CHECK_EQ(next(thread), STOP(SIGSTOP));
        trace(PTRACE_CONT, child, 0, 0);
        trace(PTRACE_CONT, thread, 0, 0);
        // The thread has become the leader.
        CHECK_EQ(next(child), EVENT(PTRACE_EVENT_EXEC));
        CHECK_EQ(message_of(child), thread);
        CHECK_ERRNO(trace(PTRACE_CONT, thread, 0, 0), ESRCH);
        CHECK_EQ(go(child, 0), 33 << 8);
    }
    CASE(exit_event) {
        pid_t child = traced(exits_nine);
        trace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACEEXIT);
        CHECK_EQ(go(child, 0), EVENT(PTRACE_EVENT_EXIT));
        CHECK_EQ(message_of(child), 9 << 8);
        struct user_regs_struct r;
        CHECK_EQ(trace(PTRACE_GETREGS, child, 0, ADDRESS(&r)), 0);
        CHECK_EQ(r.orig_rax, SYS_exit_group);
        CHECK_EQ(r.rdi, 9);
        CHECK_EQ(go(child, 0), 9 << 8);
    }
    CASE(exit_event_of_a_killed_task) {
        pid_t child = traced(NULL);
        trace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACEEXIT);
        kill(child, SIGKILL);
        CHECK_EQ(next(child), EVENT(PTRACE_EVENT_EXIT));
        CHECK_EQ(message_of(child), SIGKILL);
        CHECK_EQ(go(child, 0), SIGKILL);
    }
    CASE(system_call_stops_alternate) {
        pid_t child = traced(exits_nine);
        trace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD);
        int stops = 0, status;
        do {
            trace(PTRACE_SYSCALL, child, 0, 0);
            status = next(child);
            stops++;
        } while (status == SYSCALL_STOP && stops < 50);
        CHECK_EQ(status, 9 << 8);
        // Pairs, the entry of exit_group, which has no exit, and the end.
        CHECK(stops % 2 == 0);
    }
    CASE(system_call_stop_without_option) {
        pid_t child = traced(exits_nine);
        trace(PTRACE_SYSCALL, child, 0, 0);
        CHECK_EQ(next(child), STOP(SIGTRAP));
        siginfo_t info;
        trace(PTRACE_GETSIGINFO, child, 0, ADDRESS(&info));
        CHECK_EQ(info.si_code, SIGTRAP);
        finish(child);
    }
    CASE(signal_from_a_system_call_stop) {
        pid_t child = traced(handles_usr1);
        trace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD);
        trace(PTRACE_SYSCALL, child, 0, 0);
        CHECK_EQ(next(child), SYSCALL_STOP);
        CHECK_EQ(go(child, SIGWINCH), STOP(SIGWINCH));
        siginfo_t info;
        trace(PTRACE_GETSIGINFO, child, 0, ADDRESS(&info));
        CHECK_EQ(info.si_code, SI_KERNEL);
        finish(child);
    }

    // MARK: tracer and parent
    CASE(tracer_sees_the_end_before_the_parent) {
        int to_parent[2], to_tracer[2];
        pipe(to_parent);
        pipe(to_tracer);
        pid_t child = running(NULL);
        pid_t tracer = conformance_fork();
        char c;
        if (tracer == 0) {
            if (trace(PTRACE_ATTACH, child, 0, 0)) _exit(1);
            if (next(child) != STOP(SIGSTOP)) _exit(2);
            write(to_parent[1], "x", 1);
            read(to_tracer[0], &c, 1);
            kill(child, SIGKILL);
            write(to_parent[1], "x", 1);
            read(to_tracer[0], &c, 1);
            _exit(next(child) == SIGKILL ? 0 : 3);
        }
        read(to_parent[0], &c, 1);
        int status;
        // A stop for another is nothing for the parent, and the end only after the tracer.
        CHECK_EQ(waitpid(child, &status, WNOHANG | WUNTRACED), 0);
        write(to_tracer[1], "x", 1);
        read(to_parent[0], &c, 1);
        conformance_nap(50);
        CHECK_EQ(waitpid(child, &status, WNOHANG), 0);
        write(to_tracer[1], "x", 1);
        CHECK_EQ(waitpid(child, &status, 0), child);
        CHECK_EQ(status, SIGKILL);
        CHECK_EQ(next(tracer), 0);
        close(to_parent[0]);
        close(to_parent[1]);
        close(to_tracer[0]);
        close(to_tracer[1]);
    }
    CASE(tracers_end_detaches) {
        pid_t child = running(NULL);
        IN_FORK({
            CHECK_EQ(trace(PTRACE_ATTACH, child, 0, 0), 0);
            CHECK_EQ(next(child), STOP(SIGSTOP));
        });
        conformance_nap(30);
        CHECK_EQ(letter_of(child), 'S');
        finish(child);
    }
    CASE(tracers_end_kills) {
        pid_t child = running(NULL);
        IN_FORK({ CHECK_EQ(trace(PTRACE_SEIZE, child, 0, PTRACE_O_EXITKILL), 0); });
        CHECK_EQ(next(child), SIGKILL);
    }
    CASE(tracer_of_a_stranger_waits) {
        pid_t child = running(NULL);
        IN_FORK({
            int status;
            CHECK_ERRNO(waitpid(child, &status, WNOHANG), ECHILD);
            CHECK_EQ(trace(PTRACE_SEIZE, child, 0, 0), 0);
            CHECK_EQ(waitpid(child, &status, WNOHANG), 0);
            trace(PTRACE_INTERRUPT, child, 0, 0);
            CHECK_EQ(waitpid(-1, &status, 0), child);
        });
        finish(child);
    }
    CASE(other_threads_wait_but_do_not_trace) {
        pid_t child = traced(exits_nine);
        pthread_t thread;
        pthread_create(&thread, NULL, asks_for, &child);
        void *outcome;
        pthread_join(thread, &outcome);
        CHECK_EQ((long)outcome, ESRCH);
        trace(PTRACE_CONT, child, 0, 0);
        pthread_create(&thread, NULL, waits_for, &child);
        pthread_join(thread, &outcome);
        CHECK_EQ((long)outcome, 9 << 8);
    }
    CASE(function_call_in_an_interrupted_call) {
        // What a debugger does to call a function: registers away, other ones, and back.
        pid_t child = traced(sleeps_long);
        trace(PTRACE_CONT, child, 0, 0);
        conformance_nap(80);
        kill(child, SIGWINCH);
        CHECK_EQ(next(child), STOP(SIGWINCH));
        struct user_regs_struct saved, r;
        trace(PTRACE_GETREGS, child, 0, ADDRESS(&saved));
        CHECK_EQ((long)saved.rax, -516);
        r = saved;
        r.orig_rax = -1;
        r.rip = ADDRESS(breaks_at_once);
        r.rsp -= 1024;
        trace(PTRACE_SETREGS, child, 0, ADDRESS(&r));
        CHECK_EQ(go(child, 0), STOP(SIGTRAP));
        trace(PTRACE_SETREGS, child, 0, ADDRESS(&saved));
        CHECK_EQ(go(child, 0), 11 << 8);
    }
    CASE(no_thread_wait) {
        pid_t child = traced(NULL);
        int status;
        trace(PTRACE_CONT, child, 0, 0);
        CHECK_EQ(waitpid(child, &status, __WNOTHREAD | __WALL), child);
        CHECK_EQ(status, 0);
    }
    CASE(clone_untraced) {
        pid_t child = conformance_fork();
        if (child == 0) {
            trace(PTRACE_TRACEME, 0, 0, 0);
            raise(SIGSTOP);
            pid_t grandchild = (pid_t)syscall(SYS_clone, 0x800000 | SIGCHLD, 0, 0, 0, 0);
            if (grandchild == 0) _exit(0);
            waitpid(grandchild, NULL, 0);
            _exit(12);
        }
        CHECK_EQ(next(child), STOP(SIGSTOP));
        trace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACEFORK | PTRACE_O_TRACECLONE);
        CHECK_EQ(go(child, 0), STOP(SIGCHLD));
        CHECK_EQ(go(child, 0), 12 << 8);
    }
    CASE(clone_ptrace) {
        pid_t child = conformance_fork();
        if (child == 0) {
            trace(PTRACE_TRACEME, 0, 0, 0);
            raise(SIGSTOP);
            pid_t grandchild = (pid_t)syscall(SYS_clone, 0x2000 | SIGCHLD, 0, 0, 0, 0);
            if (grandchild == 0) _exit(0);
            waitpid(grandchild, NULL, 0);
            _exit(12);
        }
        CHECK_EQ(next(child), STOP(SIGSTOP));
        trace(PTRACE_CONT, child, 0, 0);
        int status;
        pid_t grandchild = waitpid(-1, &status, __WALL);
        CHECK(grandchild != child);
        CHECK_EQ(status, STOP(SIGSTOP));
        CHECK_EQ(go(grandchild, 0), 0);
        CHECK_EQ(next(child), STOP(SIGCHLD));
        CHECK_EQ(go(child, 0), 12 << 8);
    }
    CASE(traced_thread_zombie) {
        pid_t child = traced(makes_thread);
        trace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACECLONE);
        CHECK_EQ(go(child, 0), EVENT(PTRACE_EVENT_CLONE));
        pid_t thread = (pid_t)message_of(child);
        CHECK_EQ(next(thread), STOP(SIGSTOP));
        trace(PTRACE_CONT, thread, 0, 0);
        trace(PTRACE_CONT, child, 0, 0);
        conformance_nap(80);
        // The leader has ended, but its thread is not waited for yet.
        int status;
        CHECK_EQ(waitpid(child, &status, WNOHANG), 0);
        CHECK_EQ(next(thread), 4 << 8);
        CHECK_EQ(next(child), 4 << 8);
    }
    CASE(zombie_leader) {
        pid_t child = traced(leader_ends_first);
        trace(PTRACE_CONT, child, 0, 0);
        conformance_nap(80);
        int status;
        CHECK_EQ(letter_of(child), 'Z');
        CHECK_EQ(waitpid(child, &status, WNOHANG), 0);
        CHECK_ERRNO(trace(PTRACE_CONT, child, 0, 0), ESRCH);
        OBSERVE("the end of a process whose leader ended first: %#x", next(child));
    }
    CASE(attach_to_a_sibling_thread_group) {
        // Each of two threads is a tracee of its own.
        pid_t child = running(makes_waiting_thread_only);
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/task", child);
        pid_t thread = 0;
        for (int i = 0; i < 500 && !thread; i++) {
            DIR *directory = opendir(path);
            for (struct dirent *entry; (entry = readdir(directory));)
                if (atoi(entry->d_name) && atoi(entry->d_name) != child) thread = atoi(entry->d_name);
            closedir(directory);
            if (!thread) conformance_nap(10);
        }
        CHECK(thread > 0);
        CHECK_EQ(trace(PTRACE_ATTACH, thread, 0, 0), 0);
        CHECK_EQ(next(thread), STOP(SIGSTOP));
        CHECK_EQ(letter_of(child), 'S');
        int status;
        CHECK_EQ(waitpid(child, &status, WNOHANG), 0);
        CHECK_EQ(trace(PTRACE_ATTACH, child, 0, 0), 0);
        CHECK_EQ(next(child), STOP(SIGSTOP));
        CHECK_EQ(trace(PTRACE_DETACH, thread, 0, 0), 0);
        CHECK_EQ(trace(PTRACE_DETACH, child, 0, 0), 0);
        finish(child);
    }
    CASE(dying_tracees_leave_no_trace) {
        for (int i = 0; i < 30; i++) {
            pid_t child = traced(i % 2 ? forks : exits_nine);
            trace(PTRACE_SYSCALL, child, 0, 0);
            if (i % 3 == 0) next(child);
            finish(child);
        }
        CHECK_ERRNO(waitpid(-1, NULL, __WALL | WNOHANG), ECHILD);
    }
    return conformance_end();
}
