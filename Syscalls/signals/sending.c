// kill(2), tkill(2), tgkill(2), rt_sigqueueinfo(2), rt_tgsigqueueinfo(2): whom they reach, what they carry, what they refuse.
#include "conformance.h"
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

static volatile int count, last_signal;
static volatile siginfo_t last;
static volatile pid_t taker;
static void note(int n, siginfo_t *info, void *context) {
    (void)context;
    last_signal = n;
    memcpy((void *)&last, info, sizeof last);
    taker = syscall(SYS_gettid);
    count++;
}
static void install(int n) {
    struct sigaction a = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};
    sigaction(n, &a, NULL);
}
static int tgkill_(pid_t group, pid_t thread, int n) { return syscall(SYS_tgkill, group, thread, n); }
static int queue(pid_t pid, int n, siginfo_t *info) { return syscall(SYS_rt_sigqueueinfo, pid, n, info); }
static int queue_thread(pid_t group, pid_t thread, int n, siginfo_t *info) {
    return syscall(SYS_rt_tgsigqueueinfo, group, thread, n, info);
}
static volatile pid_t thread_number;
static volatile int thread_quits;
static void *runs(void *argument) {
    thread_number = syscall(SYS_gettid);
    while (!thread_quits) usleep(1000);
    return argument;
}

int main(void) {
    install(SIGUSR1);
    install(SIGRTMIN);
    COVERS(kill, getpid);
    CASE(numbers_out_of_range) {
        CHECK_ERRNO(kill(getpid(), -1), EINVAL);
        CHECK_ERRNO(kill(getpid(), 65), EINVAL);
        CHECK_ERRNO(kill(getpid(), INT32_MAX), EINVAL);
        CHECK_EQ(kill(getpid(), 0), 0);
    }
    COVERS(kill);
    CASE(no_such_process) {
        CHECK_ERRNO(kill(1 << 22, 0), ESRCH);
        CHECK_ERRNO(kill(1 << 22, SIGTERM), ESRCH);
        CHECK_ERRNO(kill(-(1 << 22), SIGTERM), ESRCH);
        CHECK_ERRNO(kill(INT32_MIN, SIGTERM), ESRCH);
    }
    COVERS(waitid);
    CASE(null_signal_finds_zombies) {
        pid_t child = fork();
        if (child == 0) _exit(0);
        siginfo_t info;
        waitid(P_PID, child, &info, WEXITED | WNOWAIT);
        CHECK_EQ(kill(child, 0), 0);
        CHECK_EQ(kill(child, SIGKILL), 0);
        waitpid(child, NULL, 0);
        CHECK_ERRNO(kill(child, 0), ESRCH);
    }
    COVERS(tkill, pause);
    CASE(others_processes) {
        pid_t child = conformance_pausing_child();
        if (geteuid() == 0) AS_USER({
            CHECK_ERRNO(kill(child, 0), EPERM);
            CHECK_ERRNO(kill(child, SIGKILL), EPERM);
            CHECK_ERRNO(syscall(SYS_tkill, child, 0), EPERM);
            CHECK_ERRNO(tgkill_(child, child, SIGKILL), EPERM);
        });
        conformance_end_child(child);
    }
    COVERS(pause);
    CASE(continue_within_the_session) {
        pid_t child = conformance_pausing_child();
        if (geteuid() == 0) AS_USER(CHECK_EQ(kill(child, SIGCONT), 0));
        conformance_end_child(child);
    }
    COVERS(setpgid, pause);
    CASE(own_group) IN_FORK({
        setpgid(0, 0);
        pid_t one = conformance_pausing_child();
        count = 0;
        CHECK_EQ(kill(0, SIGUSR1), 0);
        CHECK_EQ(count, 1);
        int status;
        conformance_end_child(one);
        (void)status;
        CHECK_EQ(kill(-getpid(), SIGUSR1), 0);
        CHECK_EQ(count, 2);
    });
    COVERS(kill, getpid, getuid);
    CASE(information_of_kill) {
        kill(getpid(), SIGUSR1);
        CHECK_EQ(last.si_signo, SIGUSR1);
        CHECK_EQ(last.si_code, SI_USER);
        CHECK_EQ(last.si_pid, getpid());
        CHECK_EQ(last.si_uid, getuid());
        CHECK_EQ(last.si_errno, 0);
    }
    COVERS(tkill);
    CASE(information_of_tkill) {
        syscall(SYS_tkill, getpid(), SIGUSR1);
        CHECK_EQ(last.si_code, SI_TKILL);
        CHECK_EQ(last.si_pid, getpid());
    }
    CASE(tkill_errors) {
        CHECK_ERRNO(syscall(SYS_tkill, 0, SIGUSR1), EINVAL);
        CHECK_ERRNO(syscall(SYS_tkill, -1, SIGUSR1), EINVAL);
        CHECK_ERRNO(syscall(SYS_tkill, 1 << 22, SIGUSR1), ESRCH);
        CHECK_ERRNO(syscall(SYS_tkill, getpid(), 65), EINVAL);
        CHECK_EQ(syscall(SYS_tkill, getpid(), 0), 0);
    }
    COVERS(pause);
    CASE(tgkill_errors) {
        CHECK_ERRNO(tgkill_(0, getpid(), SIGUSR1), EINVAL);
        CHECK_ERRNO(tgkill_(getpid(), 0, SIGUSR1), EINVAL);
        CHECK_ERRNO(tgkill_(-1, getpid(), SIGUSR1), EINVAL);
        pid_t child = conformance_pausing_child();
        CHECK_ERRNO(tgkill_(getpid(), child, 0), ESRCH);
        conformance_end_child(child);
        CHECK_ERRNO(tgkill_(getpid(), 1 << 22, 0), ESRCH);
        CHECK_ERRNO(tgkill_(getpid(), getpid(), 65), EINVAL);
        CHECK_EQ(tgkill_(getpid(), getpid(), 0), 0);
    }
    COVERS(clone3, clock_nanosleep, getpid);
    CASE(the_named_thread_takes_it) {
        pthread_t t;
        thread_quits = 0;
        thread_number = 0;
        pthread_create(&t, NULL, runs, NULL);
        while (!thread_number) usleep(100);
        count = 0;
        CHECK_EQ(tgkill_(getpid(), thread_number, SIGUSR1), 0);
        for (int i = 0; i < 2000 && !count; i++) usleep(1000);
        CHECK_EQ(taker, thread_number);
        thread_quits = 1;
        pthread_join(t, NULL);
        // The join may be over before the number is free.
        for (int i = 0; i < 2000 && tgkill_(getpid(), thread_number, 0) == 0; i++) usleep(1000);
        CHECK_ERRNO(tgkill_(getpid(), thread_number, 0), ESRCH);
    }
    COVERS(clone3, clock_nanosleep, kill);
    CASE(kill_by_thread_number_reaches_the_process) {
        pthread_t t;
        thread_quits = 0;
        thread_number = 0;
        pthread_create(&t, NULL, runs, NULL);
        while (!thread_number) usleep(100);
        count = 0;
        CHECK_EQ(kill(thread_number, SIGUSR1), 0);
        for (int i = 0; i < 2000 && !count; i++) usleep(1000);
        CHECK_EQ(count, 1);
        CHECK_ERRNO(kill(-thread_number, 0), ESRCH);
        thread_quits = 1;
        pthread_join(t, NULL);
    }
    COVERS(getpid);
    CASE(queue_carries_a_value) {
        siginfo_t info = {.si_code = SI_QUEUE};
        info.si_pid = 77;
        info.si_uid = 88;
        info.si_value.sival_ptr = (void *)0x1122334455667788;
        CHECK_EQ(queue(getpid(), SIGUSR1, &info), 0);
        CHECK_EQ(last.si_signo, SIGUSR1);
        CHECK_EQ(last.si_code, SI_QUEUE);
        CHECK_EQ(last.si_pid, 77);
        CHECK_EQ(last.si_uid, 88);
        CHECK_EQ((long)last.si_value.sival_ptr, 0x1122334455667788);
    }
    COVERS(rt_tgsigqueueinfo, pause);
    CASE(queue_errors) {
        siginfo_t info = {.si_code = SI_QUEUE};
        CHECK_ERRNO(queue(getpid(), SIGUSR1, BAD_POINTER), EFAULT);
        CHECK_ERRNO(queue(getpid(), SIGUSR1, conformance_straddling(&info, 40)), EFAULT);
        CHECK_ERRNO(queue(1 << 22, SIGUSR1, &info), ESRCH);
        CHECK_ERRNO(queue(getpid(), 65, &info), EINVAL);
        CHECK_EQ(queue(getpid(), 0, &info), 0);
        CHECK_ERRNO(queue_thread(0, getpid(), SIGUSR1, &info), EINVAL);
        CHECK_ERRNO(queue_thread(getpid(), 0, SIGUSR1, &info), EINVAL);
        pid_t child = conformance_pausing_child();
        CHECK_ERRNO(queue_thread(getpid(), child, SIGUSR1, &info), ESRCH);
        conformance_end_child(child);
        CHECK_ERRNO(queue_thread(getpid(), getpid(), SIGUSR1, BAD_POINTER), EFAULT);
        CHECK_ERRNO(queue_thread(getpid(), getpid(), -1, &info), EINVAL);
    }
    CASE(kernel_codes_towards_others) {
        pid_t child = conformance_pausing_child();
        siginfo_t info = {.si_code = SI_USER};
        CHECK_ERRNO(queue(child, SIGUSR1, &info), EPERM);
        info.si_code = SI_KERNEL;
        CHECK_ERRNO(queue(child, SIGUSR1, &info), EPERM);
        info.si_code = SI_TKILL;
        CHECK_ERRNO(queue(child, SIGUSR1, &info), EPERM);
        CHECK_ERRNO(queue_thread(child, child, SIGUSR1, &info), EPERM);
        info.si_code = SI_ASYNCIO;
        CHECK_EQ(queue(child, SIGCONT, &info), 0);
        conformance_end_child(child);
    }
    COVERS(rt_tgsigqueueinfo);
    CASE(kernel_codes_towards_oneself) {
        siginfo_t info = {.si_code = SI_KERNEL};
        CHECK_EQ(queue(getpid(), SIGUSR1, &info), 0);
        CHECK_EQ(last.si_code, SI_KERNEL);
        info.si_code = SI_TKILL;
        CHECK_EQ(queue_thread(getpid(), getpid(), SIGUSR1, &info), 0);
        CHECK_EQ(last.si_code, SI_TKILL);
    }
    COVERS(prlimit64);
    CASE(queue_is_limited) IN_FORK({
        struct rlimit limit = {3, 3};
        if (geteuid() == 0) conformance_drop();
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGRTMIN);
        sigaddset(&set, SIGUSR1);
        sigprocmask(SIG_BLOCK, &set, NULL);
        setrlimit(RLIMIT_SIGPENDING, &limit);
        siginfo_t info = {.si_code = SI_QUEUE};
        int sent = 0;
        while (sent < 100 && queue(getpid(), SIGRTMIN, &info) == 0) sent++;
        CHECK(sent <= 3);
        CHECK_EQ(errno, EAGAIN);
        CHECK_EQ(kill(getpid(), SIGRTMIN), 0);
        CHECK_EQ(kill(getpid(), SIGUSR1), 0);
    });
    COVERS(rt_sigtimedwait);
    CASE(lowest_number_first_and_standard_before_real_time) {
        sigset_t set;
        sigset_t old;
        sigfillset(&set);
        sigprocmask(SIG_BLOCK, &set, &old);
        siginfo_t info;
        kill(getpid(), SIGRTMIN + 2);
        kill(getpid(), SIGRTMIN + 1);
        kill(getpid(), SIGUSR2);
        kill(getpid(), SIGUSR1);
        CHECK_EQ(sigwaitinfo(&set, &info), SIGUSR1);
        CHECK_EQ(sigwaitinfo(&set, &info), SIGUSR2);
        CHECK_EQ(sigwaitinfo(&set, &info), SIGRTMIN + 1);
        CHECK_EQ(sigwaitinfo(&set, &info), SIGRTMIN + 2);
        sigprocmask(SIG_SETMASK, &old, NULL);
    }
    CASE(thread_queue_before_process_queue) {
        sigset_t set;
        sigset_t old;
        sigfillset(&set);
        sigprocmask(SIG_BLOCK, &set, &old);
        siginfo_t info;
        kill(getpid(), SIGUSR1);
        tgkill_(getpid(), getpid(), SIGUSR2);
        CHECK_EQ(sigwaitinfo(&set, &info), SIGUSR2);
        CHECK_EQ(sigwaitinfo(&set, &info), SIGUSR1);
        sigprocmask(SIG_SETMASK, &old, NULL);
    }
    COVERS(rt_sigpending);
    CASE(ignored_signals_are_dropped_when_sent) {
        sigset_t pending;
        signal(SIGUSR2, SIG_IGN);
        CHECK_EQ(kill(getpid(), SIGUSR2), 0);
        sigpending(&pending);
        CHECK(!sigismember(&pending, SIGUSR2));
        signal(SIGUSR2, SIG_DFL);
    }
    COVERS(pause);
    CASE(default_actions) {
        static const int fatal[] = {SIGHUP, SIGINT, SIGPIPE, SIGALRM, SIGTERM, SIGUSR2, SIGPROF, SIGVTALRM, SIGSTKFLT, SIGIO, SIGPWR, 40, 64};
        for (unsigned i = 0; i < sizeof fatal / sizeof *fatal; i++) {
            pid_t child = conformance_pausing_child();
            kill(child, fatal[i]);
            int status;
            waitpid(child, &status, 0);
            CHECK_EQ(status, fatal[i]);
        }
        static const int harmless[] = {SIGCHLD, SIGURG, SIGWINCH, SIGCONT};
        for (unsigned i = 0; i < sizeof harmless / sizeof *harmless; i++) CHECK_EQ(kill(getpid(), harmless[i]), 0);
    }
    COVERS(prlimit64, pause);
    CASE(signals_with_core) {
        struct rlimit none = {0, 0};
        static const int core[] = {SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGXCPU, SIGXFSZ, SIGSYS};
        for (unsigned i = 0; i < sizeof core / sizeof *core; i++) {
            pid_t child = fork();
            if (child == 0) {
                setrlimit(RLIMIT_CORE, &none);
                for (;;) pause();
            }
            kill(child, core[i]);
            int status;
            waitpid(child, &status, 0);
            CHECK_EQ(WTERMSIG(status), core[i]);
        }
    }
    return conformance_end();
}
