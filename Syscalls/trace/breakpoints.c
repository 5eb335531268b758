// ptrace(2): debug registers: watchpoints and breakpoints of the hardware.
#include "tracee.h"

static volatile long variable;
static void writes_variable(void) {
    variable = 5;
    variable = 6;
    _exit(variable == 6 ? 7 : 8);
}
static long set_debug_register(pid_t child, int number, unsigned long value) {
    return trace(PTRACE_POKEUSR, child, offsetof(struct user, u_debugreg) + number * 8, value);
}
static unsigned long debug_register(pid_t child, int number) {
    unsigned long value = 0;
    trace(PTRACE_PEEKUSR, child, offsetof(struct user, u_debugreg) + number * 8, ADDRESS(&value));
    return value;
}
static __attribute__((noinline)) void target_function(void) { __asm__ volatile("nop\n\tnop\n\tnop\n\tnop\n\tnop\n\tnop\n\tnop\n\tnop"); }
static void calls_target(void) { target_function(); }

int main(void) {
    conformance_enter();
    COVERS(ptrace);

    CASE(debug_registers_are_clear) {
        pid_t child = traced(NULL);
        for (int i = 0; i < 8; i++) {
            long seen = -1;
            CHECK_EQ(trace(PTRACE_PEEKUSR, child, offsetof(struct user, u_debugreg) + i * 8, ADDRESS(&seen)), 0);
            CHECK_EQ(seen, i == 6 ? 0xffff0ff0 : 0);
        }
        CHECK_EQ(trace(PTRACE_POKEUSR, child, offsetof(struct user, u_debugreg) + 7 * 8, 0), 0);
        CHECK_ERRNO(trace(PTRACE_POKEUSR, child, offsetof(struct user, u_debugreg) + 4 * 8, 0), EIO);
        finish(child);
    }
    CASE(watchpoint) {
        pid_t child = traced(writes_variable);
        CHECK_EQ(set_debug_register(child, 0, ADDRESS(&variable)), 0);
        CHECK_EQ(set_debug_register(child, 7, 1 | 1 << 16 | 2 << 18), 0);
        CHECK_EQ(debug_register(child, 0), ADDRESS(&variable));
        CHECK_EQ(go(child, 0), STOP(SIGTRAP));
        CHECK_EQ(information_of(child).si_code, TRAP_HWBKPT);
        CHECK_EQ(debug_register(child, 6) & 15, 1);
        long seen = 0;
        trace(PTRACE_PEEKDATA, child, ADDRESS(&variable), ADDRESS(&seen));
        CHECK_EQ(seen, 5);
        // The next store.
        CHECK_EQ(set_debug_register(child, 6, 0), 0);
        CHECK_EQ(go(child, 0), STOP(SIGTRAP));
        trace(PTRACE_PEEKDATA, child, ADDRESS(&variable), ADDRESS(&seen));
        CHECK_EQ(seen, 6);
        CHECK_EQ(set_debug_register(child, 7, 0), 0);
        CHECK_EQ(go(child, 0), 7 << 8);
    }
    CASE(hardware_breakpoint) {
        pid_t child = traced(calls_target);
        CHECK_EQ(set_debug_register(child, 1, ADDRESS(target_function)), 0);
        CHECK_EQ(set_debug_register(child, 7, 1 << 2), 0);
        CHECK_EQ(go(child, 0), STOP(SIGTRAP));
        CHECK_EQ(registers_of(child).rip, ADDRESS(target_function));
        CHECK_EQ(debug_register(child, 6) & 15, 2);
        // It goes on from there.
        CHECK_EQ(go(child, 0), 0);
    }
    CASE(debug_registers_end_with_the_trace) {
        pid_t child = traced(calls_target);
        CHECK_EQ(set_debug_register(child, 0, ADDRESS(target_function)), 0);
        CHECK_EQ(set_debug_register(child, 7, 1), 0);
        CHECK_EQ(set_debug_register(child, 7, 0), 0);
        CHECK_EQ(trace(PTRACE_DETACH, child, 0, 0), 0);
        CHECK_EQ(next(child), 0);
    }
    CASE(bad_debug_registers) {
        pid_t child = traced(NULL);
        CHECK_EQ(set_debug_register(child, 0, ADDRESS(&variable)), 0);
        // I/O, and an instruction of more than one byte.
        CHECK_ERRNO(set_debug_register(child, 7, 1 | 2 << 16), EINVAL);
        CHECK_ERRNO(set_debug_register(child, 7, 1 | 3 << 18), EINVAL);
        CHECK_EQ(debug_register(child, 7), 0);
        CHECK_EQ(set_debug_register(child, 0, ADDRESS(&variable) + 1), 0);
        CHECK_ERRNO(set_debug_register(child, 7, 1 | 1 << 16 | 2 << 18), EINVAL);
        CHECK_ERRNO(set_debug_register(child, 5, 0), EIO);
        finish(child);
    }
    return conformance_end();
}
