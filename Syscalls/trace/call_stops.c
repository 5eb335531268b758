// ptrace(2): stops at a tracee's system calls, and in the middle of those that a signal interrupts.
#include "tracee.h"

static void sleeps(void) {
    struct timespec t = {0, 700000000};
    int failed = nanosleep(&t, NULL);
    _exit(failed ? errno : 11);
}
static int is_sleep(unsigned long number) { return number == SYS_nanosleep || number == SYS_clock_nanosleep; }
static void breaks_at_once(void) { __asm__ volatile("int3\n\tnop"); }

static void entries_and_exits(void) {
    CASE(system_call_stops_alternate) {
        pid_t child = traced_with(exits_nine, PTRACE_O_TRACESYSGOOD);
        int stops = 0, status;
        do {
            status = go_to_call(child);
            stops++;
        } while (status == SYSCALL_STOP && stops < 50);
        CHECK_EQ(status, 9 << 8);
        // Pairs, the entry of exit_group, which has no exit, and the end.
        CHECK(stops % 2 == 0);
    }
    CASE(system_call_stop_without_option) {
        pid_t child = traced(exits_nine);
        CHECK_EQ(go_to_call(child), STOP(SIGTRAP));
        CHECK_EQ(information_of(child).si_code, SIGTRAP);
        finish(child);
    }
}

/// A tracee that a signal has stopped in the middle of its sleep.
static pid_t stopped_sleeper(void) {
    pid_t child = traced(sleeps);
    trace(PTRACE_CONT, child, 0, 0);
    conformance_nap(80);
    kill(child, SIGWINCH);
    CHECK_EQ(next(child), STOP(SIGWINCH));
    return child;
}

static void interrupted_calls(void) {
    CASE(sleep_goes_on_after_a_stop) {
        pid_t child = stopped_sleeper();
        struct user_regs_struct r = registers_of(child);
        CHECK_EQ((long)r.rax, -516);
        CHECK(is_sleep(r.orig_rax));
        CHECK_EQ(go(child, SIGWINCH), 11 << 8);
    }
    CASE(restart_is_forbidden) {
        pid_t child = stopped_sleeper();
        trace(PTRACE_POKEUSR, child, offsetof(struct user, regs.orig_rax), -1);
        trace(PTRACE_POKEUSR, child, offsetof(struct user, regs.rax), -EAGAIN);
        CHECK_EQ(go(child, 0), EAGAIN << 8);
    }
    CASE(restart_code_at_the_exit_stop) {
        pid_t child = traced_with(sleeps, PTRACE_O_TRACESYSGOOD);
        int status;
        do status = go_to_call(child);
        while (status == SYSCALL_STOP && !is_sleep(registers_of(child).orig_rax));
        CHECK_EQ(status, SYSCALL_STOP);
        trace(PTRACE_SYSCALL, child, 0, 0);
        conformance_nap(80);
        kill(child, SIGWINCH);
        CHECK_EQ(next(child), SYSCALL_STOP);
        CHECK_EQ((long)registers_of(child).rax, -516);
        CHECK_EQ(go_to_call(child), STOP(SIGWINCH));
        CHECK_EQ(go_to_call(child), SYSCALL_STOP);
        CHECK_EQ(registers_of(child).orig_rax, SYS_restart_syscall);
        CHECK_EQ(go(child, 0), 11 << 8);
    }
    CASE(function_call_in_an_interrupted_call) {
        // What a debugger does to call a function: registers away, other ones, and back.
        pid_t child = stopped_sleeper();
        struct user_regs_struct saved = registers_of(child), r = saved;
        CHECK_EQ((long)saved.rax, -516);
        r.orig_rax = -1;
        r.rip = ADDRESS(breaks_at_once);
        r.rsp -= 1024;
        trace(PTRACE_SETREGS, child, 0, ADDRESS(&r));
        CHECK_EQ(go(child, 0), STOP(SIGTRAP));
        trace(PTRACE_SETREGS, child, 0, ADDRESS(&saved));
        CHECK_EQ(go(child, 0), 11 << 8);
    }
}

int main(void) {
    conformance_enter();
    COVERS(ptrace, wait4);
    entries_and_exits();
    interrupted_calls();
    return conformance_end();
}
