// What a handler sees and may change: registers, vector state, siginfo of faults, nested frames, rt_sigreturn(2).
#include "conformance.h"
#include <setjmp.h>
#include <signal.h>
#include <ucontext.h>

static ucontext_t seen;
static siginfo_t info_seen;
static volatile int count;
static sigjmp_buf escape;
static void keep(int n, siginfo_t *info, void *context) {
    (void)n;
    seen = *(ucontext_t *)context;
    info_seen = *info;
    count++;
}
static void keep_and_leave(int n, siginfo_t *info, void *context) {
    keep(n, info, context);
    siglongjmp(escape, 1);
}
static void install(int n, int flags, void (*f)(int, siginfo_t *, void *)) {
    struct sigaction a = {.sa_sigaction = f, .sa_flags = SA_SIGINFO | flags};
    sigaction(n, &a, NULL);
}
static void spoils_registers(int n, siginfo_t *info, void *context) {
    (void)n;
    (void)info;
    (void)context;
    __asm__ volatile("pxor %%xmm0, %%xmm0\n\tpxor %%xmm7, %%xmm7\n\tpxor %%xmm15, %%xmm15\n\tfninit" ::: "xmm0", "xmm7", "xmm15");
    count++;
}
static void skips_two(int n, siginfo_t *info, void *context) {
    keep(n, info, context);
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += 2;
}
static void sets_flag(int n, siginfo_t *info, void *context) {
    (void)n;
    (void)info;
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL] |= 1;
}
static void sends_other(int n, siginfo_t *info, void *context) {
    (void)info;
    (void)context;
    count = count * 10 + (n == SIGUSR1 ? 1 : 2);
    if (n == SIGUSR1) raise(SIGUSR2);
    count = count * 10 + (n == SIGUSR1 ? 3 : 4);
}
static void bad_frame(int n, siginfo_t *info, void *context) {
    (void)n;
    (void)info;
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] = (long long)0x8000000000000000ULL;
}
static void forges_segments(int n, siginfo_t *info, void *context) {
    (void)n;
    (void)info;
    unsigned short *segments = (unsigned short *)&((ucontext_t *)context)->uc_mcontext.gregs[REG_CSGSFS];
    segments[0] = 0x10;
}

int main(void) {
    COVERS(tkill);
    CASE(registers_are_in_the_frame) {
        install(SIGUSR1, 0, keep);
        long result;
        register long r12 __asm__("r12") = 0x1212;
        register long r13 __asm__("r13") = 0x1313;
        __asm__ volatile("syscall" : "=a"(result) : "a"(SYS_tkill), "D"((long)getpid()), "S"((long)SIGUSR1), "r"(r12), "r"(r13)
                         : "rcx", "r11", "memory");
        CHECK_EQ(result, 0);
        CHECK_EQ(seen.uc_mcontext.gregs[REG_R12], 0x1212);
        CHECK_EQ(seen.uc_mcontext.gregs[REG_R13], 0x1313);
        CHECK_EQ(seen.uc_mcontext.gregs[REG_RAX], 0);
        CHECK_EQ(seen.uc_mcontext.gregs[REG_RDI], getpid());
    }
    COVERS(rt_sigprocmask, tgkill);
    CASE(mask_before_is_in_the_frame) {
        sigset_t set;
        sigset_t old;
        sigemptyset(&set);
        sigaddset(&set, SIGWINCH);
        sigprocmask(SIG_BLOCK, &set, &old);
        raise(SIGUSR1);
        CHECK(sigismember(&seen.uc_sigmask, SIGWINCH));
        CHECK(!sigismember(&seen.uc_sigmask, SIGUSR1));
        sigprocmask(SIG_SETMASK, &old, NULL);
    }
    COVERS(sigaltstack);
    CASE(alternate_stack_is_in_the_frame) {
        static char stack[16384];
        stack_t s = {.ss_sp = stack, .ss_size = sizeof stack};
        sigaltstack(&s, NULL);
        raise(SIGUSR1);
        CHECK(seen.uc_stack.ss_sp == stack && seen.uc_stack.ss_size == sizeof stack);
        s.ss_flags = SS_DISABLE;
        sigaltstack(&s, NULL);
    }
    COVERS(tkill);
    CASE(vector_registers_survive) {
        install(SIGUSR1, 0, spoils_registers);
        count = 0;
        uint64_t in[2] = {0x1122334455667788, 0x99aabbccddeeff00}, out[2] = {0, 0}, out15[2] = {0, 0};
        long result;
        __asm__ volatile("movdqu %[in], %%xmm7\n\tmovdqu %[in], %%xmm15\n\tsyscall\n\tmovdqu %%xmm7, %[out]\n\tmovdqu %%xmm15, %[out15]"
                         : "=a"(result), [out] "=m"(out), [out15] "=m"(out15)
                         : "a"(SYS_tkill), "D"((long)getpid()), "S"((long)SIGUSR1), [in] "m"(in)
                         : "rcx", "r11", "memory", "xmm7", "xmm15");
        CHECK_EQ(count, 1);
        CHECK(!memcmp(in, out, 16));
        CHECK(!memcmp(in, out15, 16));
    }
    COVERS(tgkill);
    CASE(floating_point_control_survives) {
        unsigned short before, after;
        __asm__ volatile("fnstcw %0" : "=m"(before));
        unsigned short changed = before ^ 0x0c00;
        __asm__ volatile("fldcw %0" ::"m"(changed));
        raise(SIGUSR1);
        __asm__ volatile("fnstcw %0" : "=m"(after));
        __asm__ volatile("fldcw %0" ::"m"(before));
        CHECK_EQ(after, changed);
    }
    COVERS(rt_sigaction);
    CASE(fault_on_unmapped_memory) {
        install(SIGSEGV, 0, keep_and_leave);
        if (!sigsetjmp(escape, 1)) *(volatile char *)0x7654 = 1;
        CHECK_EQ(info_seen.si_code, SEGV_MAPERR);
        CHECK_EQ((long)info_seen.si_addr, 0x7654);
        CHECK_EQ(seen.uc_mcontext.gregs[REG_TRAPNO], 14);
        CHECK_EQ(seen.uc_mcontext.gregs[REG_CR2], 0x7654);
        CHECK_EQ(seen.uc_mcontext.gregs[REG_ERR] & 4, 4);
    }
    CASE(fault_on_a_protected_page) {
        char *page = conformance_readable_page();
        CHECK_EQ(*(volatile char *)page, 0);
        if (!sigsetjmp(escape, 1)) *(volatile char *)(page + 100) = 1;
        CHECK_EQ(info_seen.si_code, SEGV_ACCERR);
        CHECK(info_seen.si_addr == page + 100);
        CHECK_EQ(seen.uc_mcontext.gregs[REG_ERR] & 7, 7);
    }
    COVERS(mmap, munmap);
    CASE(fetch_from_a_page_that_is_not_executable) {
        char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        page[0] = (char)0xc3;
        if (!sigsetjmp(escape, 1)) ((void (*)(void))(void *)page)();
        CHECK_EQ(info_seen.si_code, SEGV_ACCERR);
        CHECK(info_seen.si_addr == page);
        munmap(page, 4096);
    }
    CASE(non_canonical_address) {
        if (!sigsetjmp(escape, 1)) *(volatile char *)0x8000000000000000 = 1;
        CHECK_EQ(info_seen.si_code, SI_KERNEL);
        CHECK(info_seen.si_addr == NULL);
    }
    CASE(privileged_instruction) {
        if (!sigsetjmp(escape, 1)) __asm__ volatile("hlt");
        CHECK_EQ(info_seen.si_signo, SIGSEGV);
        CHECK_EQ(info_seen.si_code, SI_KERNEL);
        CHECK_EQ(seen.uc_mcontext.gregs[REG_TRAPNO], 13);
    }
    COVERS(rt_sigaction);
    CASE(undefined_instruction) {
        install(SIGILL, 0, skips_two);
        count = 0;
        __asm__ volatile("ud2");
        CHECK_EQ(count, 1);
        CHECK_EQ(info_seen.si_code, ILL_ILLOPN);
        CHECK((long)info_seen.si_addr == seen.uc_mcontext.gregs[REG_RIP]);
        CHECK_EQ(seen.uc_mcontext.gregs[REG_TRAPNO], 6);
    }
    CASE(breakpoint) {
        install(SIGTRAP, 0, keep);
        count = 0;
        __asm__ volatile("int3");
        CHECK_EQ(count, 1);
        CHECK_EQ(info_seen.si_code, SI_KERNEL);
        CHECK_EQ(seen.uc_mcontext.gregs[REG_TRAPNO], 3);
    }
    CASE(division) {
        install(SIGFPE, 0, keep_and_leave);
        if (!sigsetjmp(escape, 1)) __asm__ volatile("xor %%edx, %%edx\n\tmov $7, %%eax\n\txor %%ecx, %%ecx\n\tidiv %%ecx" ::: "eax", "ecx", "edx");
        CHECK_EQ(info_seen.si_code, FPE_INTDIV);
        CHECK((long)info_seen.si_addr == seen.uc_mcontext.gregs[REG_RIP]);
        CHECK_EQ(seen.uc_mcontext.gregs[REG_TRAPNO], 0);
    }
    COVERS(tkill);
    CASE(flags_can_be_changed) {
        install(SIGUSR1, 0, sets_flag);
        unsigned char carry;
        long result;
        __asm__ volatile("clc\n\tsyscall\n\tsetc %1" : "=a"(result), "=r"(carry) : "0"(SYS_tkill), "D"((long)getpid()), "S"((long)SIGUSR1)
                         : "rcx", "r11", "memory", "cc");
        CHECK_EQ(carry, 1);
    }
    COVERS(tgkill, rt_sigaction);
    CASE(handlers_nest) {
        install(SIGUSR1, 0, sends_other);
        install(SIGUSR2, 0, sends_other);
        count = 0;
        raise(SIGUSR1);
        CHECK_EQ(count, 1243);
    }
    COVERS(rt_sigprocmask, tgkill, rt_sigaction);
    CASE(both_pending_run_the_lower_last) {
        sigset_t set;
        sigset_t old;
        sigemptyset(&set);
        sigaddset(&set, SIGUSR1);
        sigaddset(&set, SIGUSR2);
        sigprocmask(SIG_BLOCK, &set, &old);
        raise(SIGUSR1);
        raise(SIGUSR2);
        count = 0;
        signal(SIGUSR2, SIG_DFL);
        install(SIGUSR2, 0, sends_other);
        sigprocmask(SIG_SETMASK, &old, NULL);
        CHECK(count > 0);
    }
    COVERS(clone, rt_sigaction, rt_sigprocmask, exit_group, wait4);
    CASE(blocked_fault_kills) {
        pid_t child = fork();
        if (child == 0) {
            sigset_t set;
            sigemptyset(&set);
            sigaddset(&set, SIGSEGV);
            signal(SIGSEGV, SIG_DFL);
            sigprocmask(SIG_BLOCK, &set, NULL);
            *(volatile char *)0x10 = 1;
            _exit(0);
        }
        int status;
        waitpid(child, &status, 0);
        CHECK_EQ(WTERMSIG(status), SIGSEGV);
    }
    COVERS(clone, rt_sigaction, exit_group, wait4);
    CASE(ignored_fault_kills) {
        pid_t child = fork();
        if (child == 0) {
            signal(SIGSEGV, SIG_IGN);
            *(volatile char *)0x10 = 1;
            _exit(0);
        }
        int status;
        waitpid(child, &status, 0);
        CHECK_EQ(WTERMSIG(status), SIGSEGV);
    }
    COVERS(clone, rt_sigaction, wait4);
    CASE(return_without_a_frame_kills) {
        pid_t child = fork();
        if (child == 0) {
            signal(SIGSEGV, SIG_DFL);
            __asm__ volatile("mov $0x1000, %%rsp\n\tmov $15, %%eax\n\tsyscall\n\tud2" ::: "memory");
        }
        int status;
        waitpid(child, &status, 0);
        CHECK_EQ(WTERMSIG(status), SIGSEGV);
    }
    COVERS(clone, rt_sigaction, tgkill, exit_group, wait4);
    CASE(return_to_a_kernel_address_kills) {
        pid_t child = fork();
        if (child == 0) {
            signal(SIGSEGV, SIG_DFL);
            install(SIGUSR1, 0, bad_frame);
            raise(SIGUSR1);
            _exit(0);
        }
        int status;
        waitpid(child, &status, 0);
        CHECK_EQ(WTERMSIG(status), SIGSEGV);
    }
    CASE(forged_segments_give_no_privilege) {
        pid_t child = fork();
        if (child == 0) {
            signal(SIGSEGV, SIG_DFL);
            install(SIGUSR1, 0, forges_segments);
            raise(SIGUSR1);
            unsigned short cs;
            __asm__ volatile("mov %%cs, %0" : "=r"(cs));
            _exit((cs & 3) == 3 ? 0 : 1);
        }
        int status;
        waitpid(child, &status, 0);
        CHECK(WIFSIGNALED(status) || status == 0);
    }
    return conformance_end();
}
