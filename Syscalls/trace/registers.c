// ptrace(2): the registers of a stopped tracee: all of them, one by one, and by set.
#include "tracee.h"
#include <elf.h>
#include <sys/uio.h>

static volatile double floating;
static void computes(void) {
    floating = 1.5;
    raise(SIGUSR1);
    _exit(floating == 2.5 ? 7 : 8);
}
/// As much of a register set as there is in `length` bytes; how many there were, or -1.
static long transfer(long request, pid_t child, unsigned long set, void *bytes, size_t length) {
    struct iovec vector = {bytes, length};
    return trace(request, child, set, ADDRESS(&vector)) ? -1 : (long)vector.iov_len;
}
static long get_set(pid_t child, unsigned long set, void *bytes, size_t length) {
    return transfer(PTRACE_GETREGSET, child, set, bytes, length);
}
static long set_set(pid_t child, unsigned long set, void *bytes, size_t length) {
    return transfer(PTRACE_SETREGSET, child, set, bytes, length);
}

static void at_system_calls(void) {
    CASE(registers_at_a_system_call) {
        pid_t child = traced_at_call(calls_getppid, SYS_getppid);
        struct user_regs_struct r = registers_of(child);
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
        CHECK_EQ(go_to_call(child), SYSCALL_STOP);
        r = registers_of(child);
        CHECK_EQ(r.orig_rax, SYS_getppid);
        CHECK_EQ(r.rax, getpid());
        finish(child);
    }
    CASE(result_is_changed) {
        // The exit status is the first argument of exit_group.
        pid_t child = traced_at_call(exits_nine, SYS_exit_group);
        CHECK_EQ(trace(PTRACE_POKEUSR, child, offsetof(struct user, regs.rdi), 77), 0);
        CHECK_EQ(go(child, 0), 77 << 8);
    }
}

static void one_by_one(void) {
    CASE(peek_user) {
        pid_t child = traced(NULL);
        struct user_regs_struct r = registers_of(child);
        long seen = 0;
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
    CASE(arch_prctl_of_a_tracee) {
        pid_t child = traced(NULL);
        unsigned long base = 0;
        CHECK_EQ(trace(PTRACE_ARCH_PRCTL, child, ADDRESS(&base), 0x1003), 0);
        CHECK_EQ(base, registers_of(child).fs_base);
        CHECK_EQ(trace(PTRACE_ARCH_PRCTL, child, 0x1000, 0x1001), 0);
        CHECK_EQ(registers_of(child).gs_base, 0x1000);
        CHECK_ERRNO(trace(PTRACE_ARCH_PRCTL, child, 0, 0x99), EINVAL);
        finish(child);
    }
}

static void sets(void) {
    CASE(register_sets) {
        pid_t child = traced(NULL);
        struct user_regs_struct r, whole = registers_of(child);
        CHECK_EQ(get_set(child, NT_PRSTATUS, &r, sizeof r + 64), sizeof r);
        CHECK(!memcmp(&r, &whole, sizeof r));
        long two[2] = {0};
        CHECK_EQ(get_set(child, NT_PRSTATUS, two, 16), 16);
        CHECK_EQ(two[1], whole.r14);
        two[0] = 0xabcd;
        CHECK_EQ(set_set(child, NT_PRSTATUS, two, 8), 8);
        CHECK_EQ(registers_of(child).r15, 0xabcd);
        CHECK_ERRNO(get_set(child, NT_PRSTATUS, two, 7), EINVAL);
        CHECK_ERRNO(get_set(child, 0x999, two, 7), EINVAL);
        CHECK_ERRNO(trace(PTRACE_GETREGSET, child, NT_PRSTATUS, 0x10), EFAULT);
        CHECK_ERRNO(get_set(child, NT_PRSTATUS, BAD_POINTER, 16), EFAULT);
        finish(child);
    }
    CASE(floating_point_registers) {
        pid_t child = traced(computes);
        struct user_fpregs_struct fp, again;
        CHECK_EQ(go(child, 0), STOP(SIGUSR1));
        CHECK_EQ(trace(PTRACE_GETFPREGS, child, 0, ADDRESS(&fp)), 0);
        CHECK_EQ(fp.mxcsr, 0x1f80);
        CHECK_EQ(fp.cwd, 0x37f);
        fp.xmm_space[0] = 0x1234;
        CHECK_EQ(trace(PTRACE_SETFPREGS, child, 0, ADDRESS(&fp)), 0);
        CHECK_EQ(trace(PTRACE_GETFPREGS, child, 0, ADDRESS(&again)), 0);
        CHECK_EQ(again.xmm_space[0], 0x1234);
        CHECK_EQ(get_set(child, NT_PRFPREG, &again, sizeof again), 512);
        CHECK_EQ(again.xmm_space[0], 0x1234);
        CHECK_ERRNO(trace(PTRACE_GETFPREGS, child, 0, 0x10), EFAULT);
        finish(child);
    }
    CASE(extended_state) {
        pid_t child = traced(NULL);
        static char image[32768];
        long length = get_set(child, NT_X86_XSTATE, image, sizeof image);
        CHECK(length > 0);
        OBSERVE("%s", length >= 576 && length % 8 == 0 ? "a whole image" : "something else");
        CHECK_EQ(*(long *)(image + 464) & 3, 3);
        *(long *)(image + 160) = 0x77;
        image[512] |= 2;
        CHECK_EQ(set_set(child, NT_X86_XSTATE, image, length), length);
        struct user_fpregs_struct fp;
        trace(PTRACE_GETFPREGS, child, 0, ADDRESS(&fp));
        CHECK_EQ(fp.xmm_space[0], 0x77);
        CHECK_ERRNO(set_set(child, NT_X86_XSTATE, image, 512), EFAULT);
        finish(child);
    }
    CASE(extended_state_of_a_tracee_that_is_killed) {
        static char image[32768];
        for (int round = 0; round < 50; round++) {
            pid_t child = traced(NULL), killer = killer_of(child);
            // Every request is answered, with the tracee's end if with nothing else.
            while (get_set(child, NT_X86_XSTATE, image, sizeof image) >= 0) {
            }
            CHECK_EQ(errno, ESRCH);
            CHECK_EQ(next(child), SIGKILL);
            waitpid(killer, NULL, 0);
        }
    }
}

int main(void) {
    conformance_enter();
    COVERS(ptrace);
    at_system_calls();
    one_by_one();
    sets();
    return conformance_end();
}
