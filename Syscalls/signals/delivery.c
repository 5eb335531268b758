// Delivery, masks, queues, alternate stacks, restart: sigaction(2), sigaltstack(2), rt_sigqueueinfo(2), signal(7).
#include "conformance.h"
#include <setjmp.h>
#include <signal.h>
#include <time.h>
#include <ucontext.h>

static volatile sig_atomic_t count;
static volatile siginfo_t last;
static volatile int order[16], ordered;

static void note(int signal, siginfo_t *info, void *context) {
    (void)context;
    count++;
    memcpy((void *)&last, info, sizeof last);
    if (ordered < 16) order[ordered++] = info->si_value.sival_int;
    (void)signal;
}

static void install(int signal, int flags, void (*handler)(int, siginfo_t *, void *)) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
    sigemptyset(&action.sa_mask);
    sigaction(signal, &action, NULL);
}

static void block(int signal, int how) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal);
    sigprocmask(how, &set, NULL);
}

static sigjmp_buf escape;
static void *volatile fault_address;
static volatile int fault_code, on_alternate;
static char alternate[65536];

static void on_fault(int signal, siginfo_t *info, void *context) {
    (void)signal;
    (void)context;
    char here;
    fault_address = info->si_addr;
    fault_code = info->si_code;
    on_alternate = &here >= alternate && &here < alternate + sizeof alternate;
    siglongjmp(escape, 1);
}

static void skip_instruction(int signal, siginfo_t *info, void *context) {
    (void)signal;
    (void)info;
    ucontext_t *u = context;
    u->uc_mcontext.gregs[REG_RIP] += 2;  // mov (%rax),%eax is 8b 00
    u->uc_mcontext.gregs[REG_RAX] = 1234;
}

static int overflow(int n) {
    volatile char frame[4096];
    frame[0] = (char)n;
    return overflow(n + 1) + frame[0];
}

int main(void) {
    COVERS(kill, rt_sigaction);
    CASE(kill_self_delivers_before_return) {
        install(SIGUSR1, 0, note);
        count = 0;
        CHECK_EQ(kill(getpid(), SIGUSR1), 0);
        CHECK_EQ(count, 1);
        CHECK_EQ(last.si_code, SI_USER);
        CHECK_EQ(last.si_pid, getpid());
    }
    COVERS(rt_sigprocmask, rt_sigpending);
    CASE(blocked_standard_signal_is_queued_once) {
        block(SIGUSR1, SIG_BLOCK);
        count = 0;
        raise(SIGUSR1);
        raise(SIGUSR1);
        sigset_t pending;
        sigpending(&pending);
        CHECK(sigismember(&pending, SIGUSR1));
        CHECK_EQ(count, 0);
        block(SIGUSR1, SIG_UNBLOCK);
        CHECK_EQ(count, 1);
    }
    COVERS(rt_sigqueueinfo);
    CASE(real_time_signals_queue_in_order) {
        install(SIGRTMIN + 1, 0, note);
        block(SIGRTMIN + 1, SIG_BLOCK);
        count = ordered = 0;
        for (int i = 0; i < 5; i++) CHECK_EQ(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = i}), 0);
        block(SIGRTMIN + 1, SIG_UNBLOCK);
        CHECK_EQ(count, 5);
        for (int i = 0; i < 5; i++) CHECK_EQ(order[i], i);
        CHECK_EQ(last.si_code, SI_QUEUE);
    }
    COVERS(sigaltstack);
    CASE(fault_on_alternate_stack) {
        stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
        CHECK_EQ(sigaltstack(&stack, NULL), 0);
        install(SIGSEGV, SA_ONSTACK, on_fault);
        if (!sigsetjmp(escape, 1)) *(volatile char *)0x123456 = 1;
        CHECK_EQ((long)fault_address, 0x123456);
        CHECK_EQ(fault_code, SEGV_MAPERR);
        CHECK(on_alternate);
    }
    COVERS(rt_sigaction);
    CASE(write_to_read_only_page_is_accerr) {
        char *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (!sigsetjmp(escape, 1)) *(volatile char *)(p + 5) = 1;
        CHECK(fault_address == p + 5);
        CHECK_EQ(fault_code, SEGV_ACCERR);
        munmap(p, 4096);
    }
    COVERS(sigaltstack);
    CASE(stack_overflow_is_caught) {
        pid_t child = fork();
        if (child == 0) {
            if (!sigsetjmp(escape, 1)) overflow(0);
            _exit(on_alternate ? 0 : 1);
        }
        int status;
        waitpid(child, &status, 0);
        CHECK_EQ(status, 0);
    }
    COVERS(rt_sigaction, mmap);
    CASE(sigbus_past_end_of_file) {
        install(SIGBUS, SA_ONSTACK, on_fault);
        int fd = memfd_create("x", 0);
        ftruncate(fd, 100);
        char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        p[200] = 1;
        if (!sigsetjmp(escape, 1)) p[4096] = 1;
        CHECK(fault_address == p + 4096);
        CHECK_EQ(fault_code, BUS_ADRERR);
        munmap(p, 8192);
        close(fd);
    }
    COVERS(rt_sigreturn);
    CASE(handler_changes_registers) {
        install(SIGSEGV, SA_ONSTACK, skip_instruction);
        unsigned value;
        __asm__ volatile("mov $8, %%eax\n\tmov (%%rax), %%eax" : "=a"(value)::"memory");
        CHECK_EQ(value, 1234);
        signal(SIGSEGV, SIG_DFL);
    }
    COVERS(rt_sigaction);
    CASE(division_by_zero_is_sigfpe) {
        install(SIGFPE, 0, on_fault);
        volatile int zero = 0;
        if (!sigsetjmp(escape, 1)) zero = 1 / zero;
        CHECK(fault_code == FPE_INTDIV || fault_code == FPE_INTOVF);
    }
    CASE(illegal_instruction_is_sigill) {
        install(SIGILL, 0, on_fault);
        fault_code = 0;
        if (!sigsetjmp(escape, 1)) __asm__ volatile("ud2");
        CHECK_EQ(fault_code, ILL_ILLOPN);
    }
    COVERS(rt_sigaction, read);
    CASE(read_restarts_with_sa_restart) {
        int p[2];
        pipe(p);
        install(SIGALRM, SA_RESTART, note);
        count = 0;
        pid_t child = fork();
        if (child == 0) {
            usleep(50000);
            kill(getppid(), SIGALRM);
            usleep(50000);
            write(p[1], "x", 1);
            _exit(0);
        }
        char c;
        CHECK_EQ(read(p[0], &c, 1), 1);
        CHECK_EQ(count, 1);
        waitpid(child, NULL, 0);
        close(p[0]);
        close(p[1]);
    }
    CASE(read_fails_with_eintr_without_sa_restart) {
        int p[2];
        pipe(p);
        install(SIGALRM, 0, note);
        ualarm(20000, 0);
        char c;
        CHECK_ERRNO(read(p[0], &c, 1), EINTR);
        close(p[0]);
        close(p[1]);
    }
    COVERS(nanosleep);
    CASE(nanosleep_reports_remaining_time) {
        install(SIGALRM, SA_RESTART, note);
        ualarm(20000, 0);
        struct timespec request = {1, 0}, remaining = {0, 0};
        CHECK_ERRNO(nanosleep(&request, &remaining), EINTR);
        CHECK(remaining.tv_sec == 0 && remaining.tv_nsec > 500000000);
    }
    COVERS(rt_sigsuspend);
    CASE(sigsuspend_swaps_the_mask) {
        block(SIGUSR1, SIG_BLOCK);
        count = 0;
        raise(SIGUSR1);
        sigset_t none;
        sigemptyset(&none);
        CHECK_ERRNO(sigsuspend(&none), EINTR);
        CHECK_EQ(count, 1);
        sigset_t now;
        sigprocmask(SIG_SETMASK, NULL, &now);
        CHECK(sigismember(&now, SIGUSR1));
        block(SIGUSR1, SIG_UNBLOCK);
    }
    COVERS(rt_sigtimedwait);
    CASE(sigtimedwait_takes_a_signal) {
        block(SIGUSR2, SIG_BLOCK);
        kill(getpid(), SIGUSR2);
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGUSR2);
        siginfo_t info;
        struct timespec none = {0, 0};
        CHECK_EQ(sigtimedwait(&set, &info, &none), SIGUSR2);
        CHECK_ERRNO(sigtimedwait(&set, &info, &none), EAGAIN);
    }
    COVERS(rt_sigaction);
    CASE(kill_and_stop_cannot_be_caught) {
        struct sigaction action = {.sa_handler = SIG_IGN};
        CHECK_ERRNO(sigaction(SIGKILL, &action, NULL), EINVAL);
        CHECK_ERRNO(sigaction(SIGSTOP, &action, NULL), EINVAL);
    }
    COVERS(kill, wait4);
    CASE(stop_and_continue_are_reported) {
        pid_t child = fork();
        if (child == 0)
            for (;;) pause();
        int status;
        kill(child, SIGSTOP);
        CHECK_EQ(waitpid(child, &status, WUNTRACED), child);
        CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
        kill(child, SIGCONT);
        CHECK_EQ(waitpid(child, &status, WCONTINUED), child);
        CHECK(WIFCONTINUED(status));
        kill(child, SIGKILL);
        CHECK_EQ(waitpid(child, &status, 0), child);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    }
    CASE(sigchld_carries_status) {
        install(SIGCHLD, 0, note);
        pid_t child = fork();
        if (child == 0) _exit(5);
        while (last.si_signo != SIGCHLD) usleep(1000);
        CHECK_EQ(last.si_pid, child);
        CHECK_EQ(last.si_status, 5);
        CHECK_EQ(last.si_code, CLD_EXITED);
        waitpid(child, NULL, 0);
    }
    COVERS(rt_sigaction, wait4);
    CASE(ignored_sigchld_reaps) {
        signal(SIGCHLD, SIG_IGN);
        if (fork() == 0) _exit(0);
        CHECK_ERRNO(wait(NULL), ECHILD);
        signal(SIGCHLD, SIG_DFL);
    }
    COVERS(kill);
    CASE(no_signal_65) CHECK_ERRNO(kill(getpid(), 65), EINVAL);
    return conformance_end();
}
