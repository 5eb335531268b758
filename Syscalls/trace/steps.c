// ptrace(2): single steps, and breakpoints that nobody handles.
#include "tracee.h"

static void breaks(void) { __asm__ volatile("int3"); }
static void steps(void) { __asm__ volatile("int3\n\tnop\n\tnop\n\tnop"); }

int main(void) {
    conformance_enter();
    COVERS(ptrace);

    CASE(single_steps) {
        pid_t child = traced(steps);
        CHECK_EQ(go(child, 0), STOP(SIGTRAP));
        CHECK_EQ(information_of(child).si_code, SI_KERNEL);
        struct user_regs_struct r = registers_of(child);
        unsigned long place = r.rip;
        for (int i = 1; i <= 3; i++) {
            CHECK_EQ(step(child, 0), STOP(SIGTRAP));
            r = registers_of(child);
            CHECK_EQ(r.rip, place + i);
            CHECK_EQ(r.eflags & 0x100, 0);
            CHECK_EQ((long)r.orig_rax, -1);
        }
        siginfo_t info = information_of(child);
        CHECK_EQ(info.si_code, TRAP_TRACE);
        CHECK_EQ(ADDRESS(info.si_addr), r.rip);
        CHECK_EQ(go(child, 0), 0);
    }
    CASE(step_over_a_system_call) {
        pid_t child = traced_at_call(calls_getppid, SYS_getppid);
        unsigned long place = registers_of(child).rip;
        CHECK_EQ(step(child, 0), STOP(SIGTRAP));
        struct user_regs_struct r = registers_of(child);
        CHECK_EQ(r.rip, place);
        CHECK_EQ(r.rax, getpid());
        CHECK_EQ(information_of(child).si_code, TRAP_BRKPT);
        CHECK_EQ(step(child, 0), STOP(SIGTRAP));
        CHECK(registers_of(child).rip != place);
        finish(child);
    }
    CASE(many_steps) {
        pid_t child = traced(calls_getppid);
        int count = 0, status;
        // Through the C library, system calls and all, to the end.
        while ((status = step(child, 0)) == STOP(SIGTRAP) && count < 20000) count++;
        CHECK_EQ(status, 0);
        CHECK(count > 20);
    }
    CASE(breakpoint_without_handler_kills) {
        pid_t child = traced(breaks);
        CHECK_EQ(go(child, 0), STOP(SIGTRAP));
        CHECK_EQ(go(child, SIGTRAP) & 0x7f, SIGTRAP);
    }
    return conformance_end();
}
