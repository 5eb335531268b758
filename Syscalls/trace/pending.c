// ptrace(2): the signals of a stopped tracee: what it stopped for, its mask, and what is pending.
#include "tracee.h"

static void raises(void) { raise(SIGUSR1); }

int main(void) {
    conformance_enter();
    COVERS(ptrace);

    CASE(signal_information) {
        pid_t child = traced(raises);
        siginfo_t info;
        CHECK_EQ(go(child, 0), STOP(SIGUSR1));
        CHECK_EQ(trace(PTRACE_GETSIGINFO, child, 0, ADDRESS(&info)), 0);
        CHECK_EQ(info.si_signo, SIGUSR1);
        CHECK_EQ(info.si_code, SI_TKILL);
        CHECK_EQ(info.si_pid, child);
        info.si_code = SI_USER;
        CHECK_EQ(trace(PTRACE_SETSIGINFO, child, 0, ADDRESS(&info)), 0);
        trace(PTRACE_GETSIGINFO, child, 0, ADDRESS(&info));
        CHECK_EQ(info.si_code, SI_USER);
        CHECK_ERRNO(trace(PTRACE_GETSIGINFO, child, 0, 0x10), EFAULT);
        CHECK_ERRNO(trace(PTRACE_SETSIGINFO, child, 0, 0x10), EFAULT);
        finish(child);
    }
    CASE(signal_mask) {
        pid_t child = traced(NULL);
        unsigned long mask = 0;
        CHECK_EQ(trace(PTRACE_GETSIGMASK, child, 8, ADDRESS(&mask)), 0);
        CHECK_EQ(mask, 0);
        mask = ~0UL;
        CHECK_EQ(trace(PTRACE_SETSIGMASK, child, 8, ADDRESS(&mask)), 0);
        trace(PTRACE_GETSIGMASK, child, 8, ADDRESS(&mask));
        CHECK_EQ(mask, ~(1UL << (SIGKILL - 1) | 1UL << (SIGSTOP - 1)));
        CHECK_ERRNO(trace(PTRACE_GETSIGMASK, child, 4, ADDRESS(&mask)), EINVAL);
        CHECK_ERRNO(trace(PTRACE_SETSIGMASK, child, 16, ADDRESS(&mask)), EINVAL);
        CHECK_ERRNO(trace(PTRACE_GETSIGMASK, child, 8, 0x10), EFAULT);
        finish(child);
    }
    CASE(pending_signals_are_peeked) {
        pid_t child = traced(NULL);
        unsigned long mask = 1UL << (SIGUSR1 - 1) | 1UL << (SIGUSR2 - 1);
        trace(PTRACE_SETSIGMASK, child, 8, ADDRESS(&mask));
        kill(child, SIGUSR1);
        syscall(SYS_tgkill, child, child, SIGUSR2);
        siginfo_t list[4];
        struct ptrace_peeksiginfo_args a = {0, 1, 4};
        CHECK_EQ(trace(PTRACE_PEEKSIGINFO, child, ADDRESS(&a), ADDRESS(list)), 1);
        CHECK_EQ(list[0].si_signo, SIGUSR1);
        a.flags = 0;
        CHECK_EQ(trace(PTRACE_PEEKSIGINFO, child, ADDRESS(&a), ADDRESS(list)), 1);
        CHECK_EQ(list[0].si_signo, SIGUSR2);
        CHECK_EQ(list[0].si_code, SI_TKILL);
        a.off = 1;
        CHECK_EQ(trace(PTRACE_PEEKSIGINFO, child, ADDRESS(&a), ADDRESS(list)), 0);
        a.flags = 2;
        CHECK_ERRNO(trace(PTRACE_PEEKSIGINFO, child, ADDRESS(&a), ADDRESS(list)), EINVAL);
        a = (struct ptrace_peeksiginfo_args){0, 0, -1};
        CHECK_ERRNO(trace(PTRACE_PEEKSIGINFO, child, ADDRESS(&a), ADDRESS(list)), EINVAL);
        a = (struct ptrace_peeksiginfo_args){0, 0, 1};
        CHECK_ERRNO(trace(PTRACE_PEEKSIGINFO, child, ADDRESS(&a), 0x10), EFAULT);
        CHECK_ERRNO(trace(PTRACE_PEEKSIGINFO, child, 0x10, ADDRESS(list)), EFAULT);
        finish(child);
    }
    return conformance_end();
}
