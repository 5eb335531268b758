// ptrace(2): how a trace of a running task begins and ends: attach, seize, interrupt, detach.
#include "tracee.h"
#include <dirent.h>

static void spins(void) {
    for (volatile unsigned long i = 0;; i++) {
    }
}

static void attaching(void) {
    CASE(attach_stops) {
        pid_t child = running(NULL);
        CHECK_EQ(trace(PTRACE_ATTACH, child, 0, 0), 0);
        CHECK_EQ(next(child), STOP(SIGSTOP));
        CHECK_EQ(letter_of(child), 't');
        CHECK_EQ(trace(PTRACE_DETACH, child, 0, 0), 0);
        must_be_free(child);
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
            pid_t killer = killer_of(child);
            if (trace(PTRACE_ATTACH, child, 0, 0)) CHECK_EQ(errno, EPERM);
            waitpid(killer, NULL, 0);
            do status = next(child);
            while (WIFSTOPPED(status));
            CHECK_EQ(status, SIGKILL);
        }
    }
    CASE(detach_with_a_signal) {
        pid_t child = running(NULL);
        trace(PTRACE_ATTACH, child, 0, 0);
        CHECK_EQ(next(child), STOP(SIGSTOP));
        CHECK_EQ(trace(PTRACE_DETACH, child, 0, SIGTERM), 0);
        CHECK_EQ(next(child), SIGTERM);
    }
}

static void seizing(void) {
    CASE(seize_does_not_stop) {
        pid_t child = running(NULL);
        CHECK_EQ(trace(PTRACE_SEIZE, child, 0, 0), 0);
        int status;
        CHECK_EQ(waitpid(child, &status, WNOHANG), 0);
        CHECK_EQ(letter_of(child), 'S');
        CHECK_EQ(trace(PTRACE_INTERRUPT, child, 0, 0), 0);
        CHECK_EQ(next(child), EVENT(PTRACE_EVENT_STOP));
        CHECK_EQ(information_of(child).si_code, PTRACE_EVENT_STOP << 8 | SIGTRAP);
        trace(PTRACE_CONT, child, 0, 0);
        finish(child);
    }
    CASE(seize_a_busy_process) {
        pid_t child = running(spins);
        for (int i = 0; i < 20; i++) {
            CHECK_EQ(trace(PTRACE_SEIZE, child, 0, 0), 0);
            CHECK_EQ(trace(PTRACE_INTERRUPT, child, 0, 0), 0);
            CHECK_EQ(next(child), EVENT(PTRACE_EVENT_STOP));
            CHECK_EQ((long)registers_of(child).orig_rax, -1);
            CHECK_EQ(trace(PTRACE_DETACH, child, 0, 0), 0);
        }
        finish(child);
    }
}

/// The thread beside the leader of a process that makes one; 0 when there is none for long.
static pid_t thread_of(pid_t process) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", process);
    pid_t thread = 0;
    for (int i = 0; i < 500 && !thread; i++) {
        DIR *directory = opendir(path);
        for (struct dirent *entry; (entry = readdir(directory));)
            if (atoi(entry->d_name) && atoi(entry->d_name) != process) thread = atoi(entry->d_name);
        closedir(directory);
        if (!thread) conformance_nap(10);
    }
    return thread;
}

static void threads(void) {
    CASE(attach_to_a_sibling_thread_group) {
        // Each of two threads is a tracee of its own.
        pid_t child = running(makes_waiting_thread), thread = thread_of(child);
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
}

int main(void) {
    conformance_enter();
    COVERS(ptrace, wait4);
    attaching();
    seizing();
    threads();
    return conformance_end();
}
