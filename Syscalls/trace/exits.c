// ptrace(2): the ends of tracees, of their threads and of their leaders.
#include "tracee.h"

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

static void events(void) {
    CASE(exit_event) {
        pid_t child = traced_with(exits_nine, PTRACE_O_TRACEEXIT);
        CHECK_EQ(go(child, 0), EVENT(PTRACE_EVENT_EXIT));
        CHECK_EQ(message_of(child), 9 << 8);
        struct user_regs_struct r = registers_of(child);
        CHECK_EQ(r.orig_rax, SYS_exit_group);
        CHECK_EQ(r.rdi, 9);
        CHECK_EQ(go(child, 0), 9 << 8);
    }
    CASE(exit_event_of_a_killed_task) {
        pid_t child = traced_with(NULL, PTRACE_O_TRACEEXIT);
        kill(child, SIGKILL);
        CHECK_EQ(next(child), EVENT(PTRACE_EVENT_EXIT));
        CHECK_EQ(message_of(child), SIGKILL);
        CHECK_EQ(go(child, 0), SIGKILL);
    }
}

static void zombies(void) {
    CASE(traced_thread_zombie) {
        pid_t child = traced_with(makes_thread, PTRACE_O_TRACECLONE);
        pid_t thread = new_task(child, PTRACE_EVENT_CLONE);
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
    CASE(dying_tracees_leave_no_trace) {
        for (int i = 0; i < 30; i++) {
            pid_t child = traced(i % 2 ? forks : exits_nine);
            trace(PTRACE_SYSCALL, child, 0, 0);
            if (i % 3 == 0) next(child);
            finish(child);
        }
        CHECK_ERRNO(waitpid(-1, NULL, __WALL | WNOHANG), ECHILD);
    }
}

int main(void) {
    conformance_enter();
    COVERS(ptrace, wait4);
    events();
    zombies();
    return conformance_end();
}
