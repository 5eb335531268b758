// ptrace(2): a tracee's system calls: what a tracer is told of them, and what it makes of them.
#include "tracee.h"
#include <linux/audit.h>

#ifndef PTRACE_SET_SYSCALL_INFO
#define PTRACE_SET_SYSCALL_INFO 0x4212
#endif
/// With the words that newer kernels have.
struct call_info {
    uint8_t op, reserved;
    uint16_t flags;
    uint32_t arch;
    uint64_t ip, sp, words[8];
};
static long set_information(pid_t child, struct call_info *info) {
    return trace(PTRACE_SET_SYSCALL_INFO, child, sizeof *info, ADDRESS(info));
}

static void information(void) {
    CASE(system_call_information) {
        pid_t child = traced_with(calls_getppid, PTRACE_O_TRACESYSGOOD);
        struct ptrace_syscall_info info;
        memset(&info, 0x55, sizeof info);
        CHECK_EQ(trace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, ADDRESS(&info)), 24);
        CHECK_EQ(info.op, 0);
        CHECK_EQ(info.arch, AUDIT_ARCH_X86_64);
        until_call(child, SYS_getppid);
        CHECK_EQ(trace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, ADDRESS(&info)), 80);
        CHECK_EQ(info.op, 1);
        CHECK_EQ(info.entry.nr, SYS_getppid);
        for (int i = 0; i < 6; i++) CHECK_EQ(info.entry.args[i], i + 1);
        struct user_regs_struct r = registers_of(child);
        CHECK_EQ(info.instruction_pointer, r.rip);
        CHECK_EQ(info.stack_pointer, r.rsp);
        CHECK_EQ(message_of(child), 1);
        CHECK_EQ(go_to_call(child), SYSCALL_STOP);
        CHECK_EQ(trace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, ADDRESS(&info)), 33);
        CHECK_EQ(info.op, 2);
        CHECK_EQ(info.exit.rval, getpid());
        CHECK_EQ(info.exit.is_error, 0);
        CHECK_EQ(trace(PTRACE_GET_SYSCALL_INFO, child, 4, ADDRESS(&info)), 33);
        CHECK_ERRNO(trace(PTRACE_GET_SYSCALL_INFO, child, 80, 0x10), EFAULT);
        finish(child);
    }
    CASE(system_call_information_is_set) {
        pid_t child = traced_at_call(calls_getppid, SYS_getppid);
        struct call_info info = {0};
        trace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, ADDRESS(&info));
        CHECK_EQ(info.op, 1);
        // Linux knows the request since 6.16.
        errno = 0;
        if (set_information(child, &info) == 0 || errno != EIO) {
            CHECK_ERRNO(trace(PTRACE_SET_SYSCALL_INFO, child, 24, ADDRESS(&info)), EINVAL);
            CHECK_ERRNO(trace(PTRACE_SET_SYSCALL_INFO, child, sizeof info, 0x10), EFAULT);
            info.flags = 1;
            CHECK_ERRNO(set_information(child, &info), EINVAL);
            info.flags = 0;
            info.op = 2;
            CHECK_ERRNO(set_information(child, &info), EINVAL);
            info.op = 1;
            info.words[0] = 1UL << 40;
            CHECK_ERRNO(set_information(child, &info), ERANGE);
            info.words[0] = SYS_getpgid;
            info.words[1] = 0;
            CHECK_EQ(set_information(child, &info), 0);
            struct user_regs_struct r = registers_of(child);
            CHECK_EQ(r.orig_rax, SYS_getpgid);
            CHECK_EQ(r.rdi, 0);
            CHECK_EQ(go_to_call(child), SYSCALL_STOP);
            trace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, ADDRESS(&info));
            CHECK_EQ(info.op, 2);
            CHECK_EQ(info.words[0], getpgrp());
            info.words[0] = -EDOM;
            info.words[1] = 1;
            CHECK_EQ(set_information(child, &info), 0);
            CHECK_EQ((long)registers_of(child).rax, -EDOM);
            // An error is an int.
            info.words[0] = 1UL << 40 | 5;
            info.words[1] = 2;
            CHECK_EQ(set_information(child, &info), 0);
            CHECK_EQ(registers_of(child).rax, 5);
        }
        finish(child);
    }
}

static void replacement(void) {
    CASE(system_call_is_replaced) {
        pid_t child = traced_at_call(calls_getppid, SYS_getppid);
        CHECK_EQ(trace(PTRACE_POKEUSR, child, offsetof(struct user, regs.orig_rax), SYS_getpid), 0);
        CHECK_EQ(go_to_call(child), SYSCALL_STOP);
        struct user_regs_struct r = registers_of(child);
        CHECK_EQ(r.rax, child);
        CHECK_EQ(r.orig_rax, SYS_getpid);
        finish(child);
    }
    CASE(system_call_is_skipped) {
        pid_t child = traced_at_call(calls_getppid, SYS_getppid);
        trace(PTRACE_POKEUSR, child, offsetof(struct user, regs.orig_rax), -1);
        trace(PTRACE_POKEUSR, child, offsetof(struct user, regs.rax), 1234);
        CHECK_EQ(go_to_call(child), SYSCALL_STOP);
        CHECK_EQ(registers_of(child).rax, 1234);
        finish(child);
    }
    CASE(sysemu) {
        pid_t child = traced_with(calls_getppid, PTRACE_O_TRACESYSGOOD);
        struct user_regs_struct r;
        int calls = 0;
        do {
            CHECK_EQ(resume(child, PTRACE_SYSEMU, 0), SYSCALL_STOP);
            r = registers_of(child);
            CHECK_EQ((long)r.rax, -ENOSYS);
            calls++;
            if (r.orig_rax == SYS_getppid) {
                r.rax = 4242;
                trace(PTRACE_SETREGS, child, 0, ADDRESS(&r));
            }
        } while (r.orig_rax != SYS_exit_group && calls < 20);
        CHECK_EQ(r.orig_rax, SYS_exit_group);
        trace(PTRACE_CONT, child, 0, 0);
        finish(child);
    }
}

int main(void) {
    conformance_enter();
    COVERS(ptrace);
    information();
    replacement();
    return conformance_end();
}
