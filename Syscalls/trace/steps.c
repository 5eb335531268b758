// ptrace(2): single steps, and breakpoints that nobody handles.
#include "tracee.h"

static void breaks(void) { __asm__ volatile("int3"); }
static void steps(void) { __asm__ volatile("int3\n\tnop\n\tnop\n\tnop"); }

int main(void) {
    conformance_enter();
    COVERS(ptrace);

    CASE(single_steps) {
        pid_t child = traced(steps);
        trace(PTRACE_CONT, child, 0, 0);
        CHECK_EQ(next(child), STOP(SIGTRAP));
        siginfo_t info;
        trace(PTRACE_GETSIGINFO, child, 0, ADDRESS(&info));
        CHECK_EQ(info.si_code, SI_KERNEL);
        struct user_regs_struct r;
        trace(PTRACE_GETREGS, child, 0, ADDRESS(&r));
        unsigned long place = r.rip;
        for (int i = 1; i <= 3; i++) {
            CHECK_EQ(trace(PTRACE_SINGLESTEP, child, 0, 0), 0);
            CHECK_EQ(next(child), STOP(SIGTRAP));
            trace(PTRACE_GETREGS, child, 0, ADDRESS(&r));
            CHECK_EQ(r.rip, place + i);
            CHECK_EQ(r.eflags & 0x100, 0);
            CHECK_EQ((long)r.orig_rax, -1);
        }
        trace(PTRACE_GETSIGINFO, child, 0, ADDRESS(&info));
        CHECK_EQ(info.si_code, TRAP_TRACE);
        CHECK_EQ((unsigned long)info.si_addr, r.rip);
        trace(PTRACE_CONT, child, 0, 0);
        CHECK_EQ(next(child), 0);
    }
    CASE(step_over_a_system_call) {
        pid_t child = traced(calls_getppid);
        trace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD);
        struct user_regs_struct r;
        until_call(child, SYS_getppid, &r);
        unsigned long place = r.rip;
        trace(PTRACE_SINGLESTEP, child, 0, 0);
        CHECK_EQ(next(child), STOP(SIGTRAP));
        trace(PTRACE_GETREGS, child, 0, ADDRESS(&r));
        CHECK_EQ(r.rip, place);
        CHECK_EQ(r.rax, getpid());
        siginfo_t info;
        trace(PTRACE_GETSIGINFO, child, 0, ADDRESS(&info));
        CHECK_EQ(info.si_code, TRAP_BRKPT);
        trace(PTRACE_SINGLESTEP, child, 0, 0);
        CHECK_EQ(next(child), STOP(SIGTRAP));
        trace(PTRACE_GETREGS, child, 0, ADDRESS(&r));
        CHECK(r.rip != place);
        finish(child);
    }
    CASE(many_steps) {
        pid_t child = traced(calls_getppid);
        int count = 0, status;
        // Through the C library, system calls and all, to the end.
        while (trace(PTRACE_SINGLESTEP, child, 0, 0) == 0 && (status = next(child)) == STOP(SIGTRAP) && count < 20000) count++;
        CHECK_EQ(status, 0);
        CHECK(count > 20);
    }
    CASE(breakpoint_without_handler_kills) {
        pid_t child = traced(breaks);
        trace(PTRACE_CONT, child, 0, 0);
        CHECK_EQ(next(child), STOP(SIGTRAP));
        trace(PTRACE_CONT, child, 0, SIGTRAP);
        CHECK_EQ(next(child) & 0x7f, SIGTRAP);
    }
    return conformance_end();
}
