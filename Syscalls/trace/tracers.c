// ptrace(2): who hears of a tracee: its tracer, the tracer's other threads, and its parent; and what the tracer's end means for it.
#include "tracee.h"

static void tell(int pipe[2]) { write(pipe[1], "x", 1); }
static void hear(int pipe[2]) {
    char c;
    read(pipe[0], &c, 1);
}

static void parents(void) {
    CASE(child_signal_of_a_stop) {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGCHLD);
        sigprocmask(SIG_BLOCK, &set, NULL);
        pid_t child = traced(NULL);
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
    CASE(tracer_sees_the_end_before_the_parent) {
        int to_parent[2], to_tracer[2];
        pipe(to_parent);
        pipe(to_tracer);
        pid_t child = running(NULL);
        pid_t tracer = conformance_fork();
        if (tracer == 0) {
            if (trace(PTRACE_ATTACH, child, 0, 0)) _exit(1);
            if (next(child) != STOP(SIGSTOP)) _exit(2);
            tell(to_parent);
            hear(to_tracer);
            kill(child, SIGKILL);
            tell(to_parent);
            hear(to_tracer);
            _exit(next(child) == SIGKILL ? 0 : 3);
        }
        hear(to_parent);
        int status;
        // A stop for another is nothing for the parent, and the end only after the tracer.
        CHECK_EQ(waitpid(child, &status, WNOHANG | WUNTRACED), 0);
        tell(to_tracer);
        hear(to_parent);
        conformance_nap(50);
        CHECK_EQ(waitpid(child, &status, WNOHANG), 0);
        tell(to_tracer);
        CHECK_EQ(waitpid(child, &status, 0), child);
        CHECK_EQ(status, SIGKILL);
        CHECK_EQ(next(tracer), 0);
        for (int end = 0; end < 2; end++) close(to_parent[end]), close(to_tracer[end]);
    }
}

static void other_processes(void) {
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
}

/// What `body` makes of the child, run by a thread of its own, which has ended then.
static long in_thread(void *(*body)(void *), pid_t child) {
    pthread_t thread;
    void *outcome;
    pthread_create(&thread, NULL, body, &child);
    pthread_join(thread, &outcome);
    return (long)outcome;
}
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
static void *seizes(void *argument) {
    pid_t child = *(pid_t *)argument;
    long outcome = trace(PTRACE_SEIZE, child, 0, 0);
    trace(PTRACE_INTERRUPT, child, 0, 0);
    return (void *)(next(child) == EVENT(PTRACE_EVENT_STOP) ? outcome : -77);
}

static void other_threads(void) {
    CASE(wait_by_another_thread) {
        pid_t child = running(NULL);
        CHECK_EQ(in_thread(seizes, child), 0);
        // The tracing thread has ended.
        must_be_free(child);
    }
    CASE(other_threads_wait_but_do_not_trace) {
        pid_t child = traced(exits_nine);
        CHECK_EQ(in_thread(asks_for, child), ESRCH);
        trace(PTRACE_CONT, child, 0, 0);
        CHECK_EQ(in_thread(waits_for, child), 9 << 8);
    }
    CASE(no_thread_wait) {
        pid_t child = traced(NULL);
        int status;
        trace(PTRACE_CONT, child, 0, 0);
        CHECK_EQ(waitpid(child, &status, __WNOTHREAD | __WALL), child);
        CHECK_EQ(status, 0);
    }
}

int main(void) {
    conformance_enter();
    COVERS(ptrace, wait4);
    parents();
    other_processes();
    other_threads();
    return conformance_end();
}
