// rt_sigaction(2), rt_sigprocmask(2), rt_sigpending(2), sigaltstack(2), rt_sigreturn(2).
#include "conformance.h"
#include <pthread.h>
#include <signal.h>
#include <ucontext.h>

struct kernel_action {
    void *handler;
    unsigned long flags;
    void *restorer;
    unsigned long mask;
};
static long action(int n, const void *new, void *old, size_t size) { return syscall(SYS_rt_sigaction, n, new, old, size); }
static long mask(int how, const void *new, void *old, size_t size) { return syscall(SYS_rt_sigprocmask, how, new, old, size); }

static volatile int count, depth, deepest, blocked_inside, on_stack;
static char alternate[65536];
static void note(int n, siginfo_t *info, void *context) {
    (void)info;
    (void)context;
    sigset_t now;
    sigprocmask(SIG_SETMASK, NULL, &now);
    blocked_inside = sigismember(&now, n) | sigismember(&now, SIGUSR2) << 1;
    count++;
    if (++depth > deepest) deepest = depth;
    char here;
    on_stack = &here >= alternate && &here < alternate + sizeof alternate;
    if (n == SIGUSR1 && depth < 3 && count < 3) raise(SIGUSR1);
    depth--;
}
static void changes_mask(int n, siginfo_t *info, void *context) {
    (void)n;
    (void)info;
    sigaddset(&((ucontext_t *)context)->uc_sigmask, SIGUSR2);
}
static volatile int stack_result, stack_errno, inside_flags;
static void changes_stack(int n) {
    (void)n;
    stack_t other = {.ss_sp = alternate, .ss_size = 8192}, now;
    sigaltstack(NULL, &now);
    inside_flags = now.ss_flags;
    stack_result = sigaltstack(&other, NULL);
    stack_errno = errno;
}
static void install(int n, int flags, int extra) {
    struct sigaction a = {.sa_sigaction = note, .sa_flags = SA_SIGINFO | flags};
    sigemptyset(&a.sa_mask);
    if (extra) sigaddset(&a.sa_mask, extra);
    sigaction(n, &a, NULL);
}
static stack_t thread_stack;
static void *reads_stack(void *argument) {
    sigaltstack(NULL, &thread_stack);
    return argument;
}

int main(void) {
    COVERS(rt_sigaction);
    CASE(numbers) {
        struct kernel_action a = {.handler = SIG_IGN};
        CHECK_ERRNO(action(0, NULL, NULL, 8), EINVAL);
        CHECK_ERRNO(action(65, NULL, NULL, 8), EINVAL);
        CHECK_ERRNO(action(-1, NULL, NULL, 8), EINVAL);
        CHECK_ERRNO(action(SIGKILL, &a, NULL, 8), EINVAL);
        CHECK_ERRNO(action(SIGSTOP, &a, NULL, 8), EINVAL);
        CHECK_EQ(action(SIGKILL, NULL, &a, 8), 0);
        CHECK_EQ(action(64, NULL, &a, 8), 0);
    }
    COVERS(rt_sigaction);
    CASE(default_for_kill_is_refused_too) {
        struct kernel_action a = {.handler = SIG_DFL};
        CHECK_ERRNO(action(SIGKILL, &a, NULL, 8), EINVAL);
    }
    COVERS(rt_sigpending, rt_sigsuspend, rt_sigtimedwait);
    CASE(set_size) {
        struct kernel_action a = {.handler = SIG_IGN};
        CHECK_ERRNO(action(SIGUSR1, &a, NULL, 4), EINVAL);
        CHECK_ERRNO(action(SIGUSR1, &a, NULL, 16), EINVAL);
        unsigned long set = 0;
        CHECK_ERRNO(mask(SIG_BLOCK, &set, NULL, 4), EINVAL);
        CHECK_ERRNO(mask(SIG_BLOCK, &set, NULL, 128), EINVAL);
        CHECK_ERRNO(syscall(SYS_rt_sigpending, &set, 16), EINVAL);
        CHECK_ERRNO(syscall(SYS_rt_sigsuspend, &set, 4), EINVAL);
        CHECK_ERRNO(syscall(SYS_rt_sigtimedwait, &set, NULL, NULL, 4), EINVAL);
    }
    COVERS(rt_sigpending);
    CASE(small_pending_set) {
        unsigned long set = ~0UL;
        CHECK_EQ(syscall(SYS_rt_sigpending, &set, 4), 0);
        CHECK_EQ(set >> 32, 0xffffffff);
        CHECK_EQ(set & 0xffffffff, 0);
    }
    COVERS(rt_sigaction);
    CASE(action_addresses) {
        struct kernel_action a = {.handler = SIG_IGN};
        CHECK_ERRNO(action(SIGUSR1, BAD_POINTER, NULL, 8), EFAULT);
        CHECK_ERRNO(action(SIGUSR1, NULL, BAD_POINTER, 8), EFAULT);
        CHECK_ERRNO(action(SIGUSR1, conformance_straddling(&a, sizeof a), NULL, 8), EFAULT);
        CHECK_ERRNO(action(SIGUSR1, NULL, conformance_readable_page(), 8), EFAULT);
        CHECK_ERRNO(action(SIGUSR1, &a, conformance_readable_page(), 8), EFAULT);
        struct kernel_action now;
        CHECK_EQ(action(SIGUSR1, NULL, &now, 8), 0);
        CHECK(now.handler == SIG_IGN);
        signal(SIGUSR1, SIG_DFL);
    }
    CASE(action_is_returned_as_set) {
        struct kernel_action a = {.handler = (void *)note, .flags = SA_SIGINFO | 0x04000000 | SA_NODEFER, .restorer = (void *)main, .mask = 0x40};
        struct kernel_action old;
        CHECK_EQ(action(SIGUSR1, &a, NULL, 8), 0);
        CHECK_EQ(action(SIGUSR1, NULL, &old, 8), 0);
        CHECK(!memcmp(&a, &old, sizeof a));
        signal(SIGUSR1, SIG_DFL);
    }
    CASE(kill_and_stop_leave_the_mask) {
        struct kernel_action a = {.handler = (void *)note, .flags = 0x04000000, .mask = ~0UL}, old;
        action(SIGUSR1, &a, NULL, 8);
        action(SIGUSR1, NULL, &old, 8);
        CHECK_EQ(old.mask, ~(1UL << 8 | 1UL << 18));
        signal(SIGUSR1, SIG_DFL);
    }
    CASE(unknown_flags_are_cleared) {
        struct kernel_action a = {.handler = SIG_IGN, .flags = 0x400 | 0x800 | 0x100 | SA_RESTART}, old;
        action(SIGUSR1, &a, NULL, 8);
        action(SIGUSR1, NULL, &old, 8);
        CHECK_EQ(old.flags & (0x400 | 0x100), 0);
        CHECK_EQ(old.flags & SA_RESTART, SA_RESTART);
        signal(SIGUSR1, SIG_DFL);
    }
    COVERS(tgkill, rt_sigaction);
    CASE(blocked_while_handled) {
        install(SIGHUP, 0, SIGUSR2);
        count = 0;
        raise(SIGHUP);
        CHECK_EQ(count, 1);
        CHECK_EQ(blocked_inside, 3);
    }
    CASE(nodefer_nests) {
        install(SIGUSR1, SA_NODEFER, 0);
        count = deepest = depth = 0;
        raise(SIGUSR1);
        CHECK_EQ(deepest, 3);
        install(SIGUSR1, 0, 0);
        count = deepest = depth = 0;
        raise(SIGUSR1);
        CHECK_EQ(deepest, 1);
        CHECK(count > 1);
        signal(SIGUSR1, SIG_DFL);
    }
    CASE(reset_hand) {
        install(SIGHUP, SA_RESETHAND, 0);
        raise(SIGHUP);
        struct sigaction now;
        sigaction(SIGHUP, NULL, &now);
        CHECK(now.sa_handler == SIG_DFL);
    }
    COVERS(rt_sigpending);
    CASE(ignoring_discards_pending) {
        unsigned long set = 1UL << (SIGUSR1 - 1), pending;
        mask(SIG_BLOCK, &set, NULL, 8);
        raise(SIGUSR1);
        signal(SIGUSR1, SIG_IGN);
        syscall(SYS_rt_sigpending, &pending, 8);
        CHECK_EQ(pending, 0);
        signal(SIGUSR1, SIG_DFL);
        mask(SIG_UNBLOCK, &set, NULL, 8);
    }
    CASE(default_ignore_discards_pending) {
        unsigned long set = 1UL << (SIGWINCH - 1), pending;
        install(SIGWINCH, 0, 0);
        mask(SIG_BLOCK, &set, NULL, 8);
        raise(SIGWINCH);
        signal(SIGWINCH, SIG_DFL);
        syscall(SYS_rt_sigpending, &pending, 8);
        CHECK_EQ(pending, 0);
        mask(SIG_UNBLOCK, &set, NULL, 8);
    }
    CASE(blocked_and_ignored_signal_is_kept) {
        unsigned long set = 1UL << (SIGUSR1 - 1), pending;
        signal(SIGUSR1, SIG_IGN);
        mask(SIG_BLOCK, &set, NULL, 8);
        raise(SIGUSR1);
        syscall(SYS_rt_sigpending, &pending, 8);
        CHECK_EQ(pending, set);
        signal(SIGUSR1, SIG_DFL);
        signal(SIGUSR1, SIG_IGN);
        mask(SIG_UNBLOCK, &set, NULL, 8);
        signal(SIGUSR1, SIG_DFL);
    }
    CASE(mask_operations) {
        unsigned long old, a = 1UL << (SIGUSR1 - 1), b = 1UL << (SIGUSR2 - 1), before;
        mask(0, NULL, &before, 8);
        CHECK_EQ(mask(SIG_BLOCK, &a, NULL, 8), 0);
        CHECK_EQ(mask(SIG_BLOCK, &b, &old, 8), 0);
        CHECK_EQ(old, before | a);
        CHECK_EQ(mask(SIG_UNBLOCK, &a, &old, 8), 0);
        CHECK_EQ(old, before | a | b);
        CHECK_EQ(mask(SIG_SETMASK, &a, &old, 8), 0);
        CHECK_EQ(old, before | b);
        CHECK_EQ(mask(SIG_SETMASK, &before, NULL, 8), 0);
    }
    CASE(mask_errors) {
        unsigned long set = 0;
        CHECK_ERRNO(mask(3, &set, NULL, 8), EINVAL);
        CHECK_ERRNO(mask(-1, &set, NULL, 8), EINVAL);
        CHECK_EQ(mask(77, NULL, &set, 8), 0);
        CHECK_ERRNO(mask(SIG_BLOCK, BAD_POINTER, NULL, 8), EFAULT);
        CHECK_ERRNO(mask(SIG_BLOCK, NULL, BAD_POINTER, 8), EFAULT);
        CHECK_ERRNO(mask(SIG_BLOCK, NULL, conformance_readable_page(), 8), EFAULT);
        CHECK_ERRNO(mask(SIG_BLOCK, conformance_straddling(NULL, 8), NULL, 8), EFAULT);
        CHECK_ERRNO(syscall(SYS_rt_sigpending, BAD_POINTER, 8), EFAULT);
    }
    CASE(kill_and_stop_cannot_be_blocked) {
        unsigned long all = ~0UL, old;
        mask(SIG_SETMASK, &all, &old, 8);
        mask(SIG_SETMASK, &old, &all, 8);
        CHECK_EQ(all, ~(1UL << 8 | 1UL << 18));
    }
    COVERS(rt_sigaction, tgkill);
    CASE(handler_changes_the_mask) {
        struct sigaction a = {.sa_sigaction = changes_mask, .sa_flags = SA_SIGINFO};
        sigaction(SIGHUP, &a, NULL);
        raise(SIGHUP);
        unsigned long now, b = 1UL << (SIGUSR2 - 1);
        mask(0, NULL, &now, 8);
        CHECK(now & b);
        mask(SIG_UNBLOCK, &b, NULL, 8);
    }
    COVERS(tkill, rt_sigpending);
    CASE(pending_unites_both_queues) {
        unsigned long set = 1UL << (SIGUSR1 - 1) | 1UL << (SIGUSR2 - 1), pending;
        mask(SIG_BLOCK, &set, NULL, 8);
        kill(getpid(), SIGUSR1);
        syscall(SYS_tkill, getpid(), SIGUSR2);
        syscall(SYS_rt_sigpending, &pending, 8);
        CHECK_EQ(pending, set);
        signal(SIGUSR1, SIG_IGN);
        signal(SIGUSR2, SIG_IGN);
        mask(SIG_UNBLOCK, &set, NULL, 8);
        signal(SIGUSR1, SIG_DFL);
        signal(SIGUSR2, SIG_DFL);
    }
    COVERS(rt_sigpending);
    CASE(child_has_no_pending_signals) {
        unsigned long set = 1UL << (SIGUSR1 - 1), pending;
        mask(SIG_BLOCK, &set, NULL, 8);
        raise(SIGUSR1);
        IN_FORK({
            syscall(SYS_rt_sigpending, &pending, 8);
            CHECK_EQ(pending, 0);
        });
        signal(SIGUSR1, SIG_IGN);
        mask(SIG_UNBLOCK, &set, NULL, 8);
        signal(SIGUSR1, SIG_DFL);
    }
    COVERS(sigaltstack);
    CASE(stack_errors) {
        stack_t s = {.ss_sp = alternate, .ss_size = 2047};
        CHECK_ERRNO(sigaltstack(&s, NULL), ENOMEM);
        s.ss_size = 65536;
        s.ss_flags = 4;
        CHECK_ERRNO(sigaltstack(&s, NULL), EINVAL);
        CHECK_ERRNO(sigaltstack(BAD_POINTER, NULL), EFAULT);
        CHECK_ERRNO(sigaltstack(NULL, BAD_POINTER), EFAULT);
        CHECK_ERRNO(sigaltstack(NULL, conformance_readable_page()), EFAULT);
        CHECK_ERRNO(sigaltstack(conformance_straddling(&s, sizeof s), NULL), EFAULT);
    }
    CASE(stack_is_returned_as_set) {
        stack_t s = {.ss_sp = alternate, .ss_size = sizeof alternate}, old;
        CHECK_EQ(sigaltstack(&s, NULL), 0);
        CHECK_EQ(sigaltstack(NULL, &old), 0);
        CHECK(old.ss_sp == s.ss_sp && old.ss_size == s.ss_size && old.ss_flags == 0);
        s.ss_flags = SS_DISABLE;
        CHECK_EQ(sigaltstack(&s, &old), 0);
        CHECK_EQ(old.ss_flags, 0);
        CHECK_EQ(sigaltstack(NULL, &old), 0);
        CHECK_EQ(old.ss_flags, SS_DISABLE);
        CHECK_EQ(old.ss_size, 0);
    }
    CASE(onstack_flag_may_be_given) {
        stack_t s = {.ss_sp = alternate, .ss_size = sizeof alternate, .ss_flags = SS_ONSTACK};
        CHECK_EQ(sigaltstack(&s, NULL), 0);
    }
    CASE(handler_runs_on_the_stack_only_when_asked) {
        stack_t s = {.ss_sp = alternate, .ss_size = sizeof alternate};
        sigaltstack(&s, NULL);
        install(SIGHUP, SA_ONSTACK, 0);
        raise(SIGHUP);
        CHECK_EQ(on_stack, 1);
        install(SIGHUP, 0, 0);
        raise(SIGHUP);
        CHECK_EQ(on_stack, 0);
    }
    CASE(stack_in_use_cannot_be_changed) {
        stack_t s = {.ss_sp = alternate, .ss_size = sizeof alternate};
        sigaltstack(&s, NULL);
        struct sigaction a = {.sa_handler = changes_stack, .sa_flags = SA_ONSTACK};
        sigaction(SIGHUP, &a, NULL);
        raise(SIGHUP);
        CHECK_EQ(stack_result, -1);
        CHECK_EQ(stack_errno, EPERM);
        CHECK_EQ(inside_flags, SS_ONSTACK);
    }
    CASE(autodisarm) {
        stack_t s = {.ss_sp = alternate, .ss_size = sizeof alternate, .ss_flags = (int)(1u << 31)}, now;
        CHECK_EQ(sigaltstack(&s, NULL), 0);
        struct sigaction a = {.sa_handler = changes_stack, .sa_flags = SA_ONSTACK};
        sigaction(SIGHUP, &a, NULL);
        raise(SIGHUP);
        CHECK_EQ(stack_result, 0);
        CHECK_EQ(inside_flags, SS_DISABLE);
        sigaltstack(NULL, &now);
        CHECK_EQ(now.ss_flags, (int)(1u << 31));
        CHECK_EQ(now.ss_size, sizeof alternate);
        s.ss_flags = SS_DISABLE;
        sigaltstack(&s, NULL);
    }
    CASE(threads_have_no_stack_at_first) {
        stack_t s = {.ss_sp = alternate, .ss_size = sizeof alternate};
        sigaltstack(&s, NULL);
        pthread_t t;
        pthread_create(&t, NULL, reads_stack, NULL);
        pthread_join(t, NULL);
        CHECK_EQ(thread_stack.ss_flags, SS_DISABLE);
        IN_FORK({
            sigaltstack(NULL, &thread_stack);
            CHECK(thread_stack.ss_sp == alternate);
        });
    }
    CASE(unusable_handler_stack_kills) {
        pid_t child = fork();
        if (child == 0) {
            stack_t s = {.ss_sp = conformance_no_access(), .ss_size = 4096};
            sigaltstack(&s, NULL);
            struct sigaction a = {.sa_handler = changes_stack, .sa_flags = SA_ONSTACK};
            sigaction(SIGHUP, &a, NULL);
            raise(SIGHUP);
            _exit(0);
        }
        int status;
        waitpid(child, &status, 0);
        CHECK_EQ(WTERMSIG(status), SIGSEGV);
    }
    return conformance_end();
}
