// ptrace(2): the registers of a stopped tracee: all of them, one by one, and by set.
#include "tracee.h"
#include <elf.h>
#include <sys/uio.h>

static void exits(void) { _exit(4); }
static volatile double floating;
static void computes(void) {
    floating = 1.5;
    raise(SIGUSR1);
    _exit(floating == 2.5 ? 7 : 8);
}

int main(void) {
    conformance_enter();
    COVERS(ptrace);

    CASE(registers_at_a_system_call) {
        pid_t child = traced(calls_getppid);
        trace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD);
        struct user_regs_struct r;
        until_call(child, SYS_getppid, &r);
        CHECK_EQ(r.orig_rax, SYS_getppid);
        CHECK_EQ((long)r.rax, -ENOSYS);
        CHECK_EQ(r.rdi, 1);
        CHECK_EQ(r.rsi, 2);
        CHECK_EQ(r.rdx, 3);
        CHECK_EQ(r.r10, 4);
        CHECK_EQ(r.r8, 5);
        CHECK_EQ(r.r9, 6);
        CHECK_EQ(r.cs, 0x33);
        CHECK_EQ(r.ss, 0x2b);
        CHECK_EQ(r.rcx, r.rip);
        trace(PTRACE_SYSCALL, child, 0, 0);
        CHECK_EQ(next(child), SYSCALL_STOP);
        trace(PTRACE_GETREGS, child, 0, ADDRESS(&r));
        CHECK_EQ(r.orig_rax, SYS_getppid);
        CHECK_EQ(r.rax, getpid());
        finish(child);
    }
    CASE(result_is_changed) {
        pid_t child = traced(exits);
        trace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD);
        struct user_regs_struct r;
        // The exit status is the first argument of exit_group.
        until_call(child, SYS_exit_group, &r);
        CHECK_EQ(trace(PTRACE_POKEUSR, child, offsetof(struct user, regs.rdi), 77), 0);
        trace(PTRACE_CONT, child, 0, 0);
        CHECK_EQ(next(child), 77 << 8);
    }
    CASE(peek_user) {
        pid_t child = traced(NULL);
        struct user_regs_struct r;
        long seen = 0;
        trace(PTRACE_GETREGS, child, 0, ADDRESS(&r));
        CHECK_EQ(trace(PTRACE_PEEKUSR, child, offsetof(struct user, regs.rip), ADDRESS(&seen)), 0);
        CHECK_EQ(seen, r.rip);
        CHECK_EQ(trace(PTRACE_PEEKUSR, child, offsetof(struct user, regs.gs), ADDRESS(&seen)), 0);
        CHECK_EQ(seen, r.gs);
        CHECK_EQ(trace(PTRACE_PEEKUSR, child, offsetof(struct user, start_code), ADDRESS(&seen)), 0);
        CHECK_EQ(seen, 0);
        CHECK_ERRNO(trace(PTRACE_PEEKUSR, child, 4, ADDRESS(&seen)), EIO);
        // The kernel has two more words than the C library.
        CHECK_ERRNO(trace(PTRACE_PEEKUSR, child, sizeof(struct user) + 16, ADDRESS(&seen)), EIO);
        CHECK_ERRNO(trace(PTRACE_PEEKUSR, child, 0, 0x10), EFAULT);
        finish(child);
    }
    CASE(poke_user_is_checked) {
        pid_t child = traced(NULL);
        CHECK_ERRNO(trace(PTRACE_POKEUSR, child, offsetof(struct user, regs.cs), 0), EIO);
        CHECK_ERRNO(trace(PTRACE_POKEUSR, child, offsetof(struct user, regs.cs), 0x10), EIO);
        CHECK_ERRNO(trace(PTRACE_POKEUSR, child, offsetof(struct user, regs.fs_base), 0x8000000000000000), EIO);
        CHECK_ERRNO(trace(PTRACE_POKEUSR, child, offsetof(struct user, start_code), 0), EIO);
        CHECK_ERRNO(trace(PTRACE_POKEUSR, child, 3, 0), EIO);
        CHECK_EQ(trace(PTRACE_POKEUSR, child, offsetof(struct user, regs.eflags), ~0UL), 0);
        long flags = 0;
        trace(PTRACE_PEEKUSR, child, offsetof(struct user, regs.eflags), ADDRESS(&flags));
        CHECK_EQ(flags & ~0x54dd5UL & ~2UL, 0x200);
        finish(child);
    }
    CASE(register_sets) {
        pid_t child = traced(NULL);
        struct user_regs_struct r, whole;
        struct iovec vector = {&r, sizeof r + 64};
        CHECK_EQ(trace(PTRACE_GETREGSET, child, NT_PRSTATUS, ADDRESS(&vector)), 0);
        CHECK_EQ(vector.iov_len, sizeof r);
        trace(PTRACE_GETREGS, child, 0, ADDRESS(&whole));
        CHECK(!memcmp(&r, &whole, sizeof r));
        long two[2] = {0};
        vector = (struct iovec){two, 16};
        CHECK_EQ(trace(PTRACE_GETREGSET, child, NT_PRSTATUS, ADDRESS(&vector)), 0);
        CHECK_EQ(two[1], whole.r14);
        two[0] = 0xabcd;
        vector = (struct iovec){two, 8};
        CHECK_EQ(trace(PTRACE_SETREGSET, child, NT_PRSTATUS, ADDRESS(&vector)), 0);
        trace(PTRACE_GETREGS, child, 0, ADDRESS(&whole));
        CHECK_EQ(whole.r15, 0xabcd);
        vector = (struct iovec){two, 7};
        CHECK_ERRNO(trace(PTRACE_GETREGSET, child, NT_PRSTATUS, ADDRESS(&vector)), EINVAL);
        CHECK_ERRNO(trace(PTRACE_GETREGSET, child, 0x999, ADDRESS(&vector)), EINVAL);
        CHECK_ERRNO(trace(PTRACE_GETREGSET, child, NT_PRSTATUS, 0x10), EFAULT);
        vector = (struct iovec){(void *)0x10, 16};
        CHECK_ERRNO(trace(PTRACE_GETREGSET, child, NT_PRSTATUS, ADDRESS(&vector)), EFAULT);
        finish(child);
    }
    CASE(floating_point_registers) {
        pid_t child = traced(computes);
        struct user_fpregs_struct fp;
        trace(PTRACE_CONT, child, 0, 0);
        CHECK_EQ(next(child), STOP(SIGUSR1));
        CHECK_EQ(trace(PTRACE_GETFPREGS, child, 0, ADDRESS(&fp)), 0);
        CHECK_EQ(fp.mxcsr, 0x1f80);
        CHECK_EQ(fp.cwd, 0x37f);
        fp.xmm_space[0] = 0x1234;
        CHECK_EQ(trace(PTRACE_SETFPREGS, child, 0, ADDRESS(&fp)), 0);
        struct user_fpregs_struct again;
        CHECK_EQ(trace(PTRACE_GETFPREGS, child, 0, ADDRESS(&again)), 0);
        CHECK_EQ(again.xmm_space[0], 0x1234);
        struct iovec vector = {&again, sizeof again};
        CHECK_EQ(trace(PTRACE_GETREGSET, child, NT_PRFPREG, ADDRESS(&vector)), 0);
        CHECK_EQ(vector.iov_len, 512);
        CHECK_EQ(again.xmm_space[0], 0x1234);
        CHECK_ERRNO(trace(PTRACE_GETFPREGS, child, 0, 0x10), EFAULT);
        finish(child);
    }
    CASE(extended_state) {
        pid_t child = traced(NULL);
        static char image[32768];
        struct iovec vector = {image, sizeof image};
        CHECK_EQ(trace(PTRACE_GETREGSET, child, NT_X86_XSTATE, ADDRESS(&vector)), 0);
        OBSERVE("%s", vector.iov_len >= 576 && vector.iov_len % 8 == 0 ? "a whole image" : "something else");
        CHECK_EQ(*(long *)(image + 464) & 3, 3);
        *(long *)(image + 160) = 0x77;
        image[512] |= 2;
        CHECK_EQ(trace(PTRACE_SETREGSET, child, NT_X86_XSTATE, ADDRESS(&vector)), 0);
        struct user_fpregs_struct fp;
        trace(PTRACE_GETFPREGS, child, 0, ADDRESS(&fp));
        CHECK_EQ(fp.xmm_space[0], 0x77);
        vector.iov_len = 512;
        CHECK_ERRNO(trace(PTRACE_SETREGSET, child, NT_X86_XSTATE, ADDRESS(&vector)), EFAULT);
        finish(child);
    }
    CASE(extended_state_of_a_tracee_that_is_killed) {
        static char image[32768];
        for (int round = 0; round < 50; round++) {
            pid_t child = traced(NULL);
            pid_t killer = conformance_fork();
            if (killer == 0) {
                kill(child, SIGKILL);
                _exit(0);
            }
            struct iovec vector;
            // Every request is answered, with the tracee's end if with nothing else.
            do vector = (struct iovec){image, sizeof image};
            while (trace(PTRACE_GETREGSET, child, NT_X86_XSTATE, ADDRESS(&vector)) == 0);
            CHECK_EQ(errno, ESRCH);
            CHECK_EQ(next(child), SIGKILL);
            waitpid(killer, NULL, 0);
        }
    }
    CASE(arch_prctl_of_a_tracee) {
        pid_t child = traced(NULL);
        unsigned long base = 0;
        struct user_regs_struct r;
        trace(PTRACE_GETREGS, child, 0, ADDRESS(&r));
        CHECK_EQ(trace(PTRACE_ARCH_PRCTL, child, ADDRESS(&base), 0x1003), 0);
        CHECK_EQ(base, r.fs_base);
        CHECK_EQ(trace(PTRACE_ARCH_PRCTL, child, 0x1000, 0x1001), 0);
        trace(PTRACE_GETREGS, child, 0, ADDRESS(&r));
        CHECK_EQ(r.gs_base, 0x1000);
        CHECK_ERRNO(trace(PTRACE_ARCH_PRCTL, child, 0, 0x99), EINVAL);
        finish(child);
    }
    return conformance_end();
}
