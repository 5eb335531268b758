// Clocks, sleeps, interval timers, POSIX timers, timerfd.
#include "conformance.h"
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <time.h>

static volatile int alarms, profs, vtalarms;
static void on_alarm(int n) {
    if (n == SIGALRM) alarms++;
    if (n == SIGPROF) profs++;
    if (n == SIGVTALRM) vtalarms++;
}
static volatile int timer_signals, timer_value, timer_overruns, timer_code;
static void on_timer(int n, siginfo_t *info, void *context) {
    (void)n, (void)context;
    timer_signals++;
    timer_value = info->si_value.sival_int;
    timer_overruns += info->si_overrun;
    timer_code = info->si_code;
}
static long now_ms(int clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}
static void burn(long ms) {
    long end = now_ms(CLOCK_PROCESS_CPUTIME_ID) + ms;
    while (now_ms(CLOCK_PROCESS_CPUTIME_ID) < end)
        for (volatile int i = 0; i < 100000; i++) {
        }
}

int main(void) {
    COVERS(clock_gettime, clock_getres, clock_settime);
    CASE(clock_numbers) {
        struct timespec t;
        for (int c = 0; c <= 7; c++) CHECK_EQ(syscall(SYS_clock_gettime, c, &t), 0);
        CHECK_EQ(syscall(SYS_clock_gettime, CLOCK_TAI, &t), 0);
        CHECK_ERRNO(syscall(SYS_clock_gettime, 10, &t), EINVAL);
        CHECK_ERRNO(syscall(SYS_clock_gettime, 99, &t), EINVAL);
        CHECK_ERRNO(syscall(SYS_clock_gettime, 0, BAD_POINTER), EFAULT);
        CHECK_ERRNO(syscall(SYS_clock_getres, 99, &t), EINVAL);
        CHECK_EQ(syscall(SYS_clock_getres, CLOCK_MONOTONIC, NULL), 0);
        CHECK_EQ(syscall(SYS_clock_getres, CLOCK_MONOTONIC, &t), 0);
        CHECK(t.tv_sec == 0 && t.tv_nsec == 1);
        CHECK_ERRNO(syscall(SYS_clock_settime, CLOCK_MONOTONIC, &t), EINVAL);
        CHECK_ERRNO(syscall(SYS_clock_settime, CLOCK_REALTIME, BAD_POINTER), EFAULT);
    }
    COVERS(clock_gettime, gettimeofday, time);
    CASE(clocks_agree) {
        struct timespec a, b;
        clock_gettime(CLOCK_MONOTONIC, &a);
        syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &b);
        long d = (b.tv_sec - a.tv_sec) * 1000000000L + b.tv_nsec - a.tv_nsec;
        CHECK(d >= 0 && d < 1000000000);
        struct timeval v;
        CHECK_EQ(syscall(SYS_gettimeofday, &v, NULL), 0);
        time_t t = syscall(SYS_time, NULL);
        CHECK(t - v.tv_sec >= -1 && t - v.tv_sec <= 1);
    }
    COVERS(clock_gettime, times);
    CASE(cpu_clocks) {
        clockid_t process, thread;
        struct timespec t;
        CHECK_EQ(clock_getcpuclockid(getpid(), &process), 0);
        CHECK_EQ(pthread_getcpuclockid(pthread_self(), &thread), 0);
        CHECK_EQ(clock_gettime(process, &t), 0);
        CHECK_EQ(clock_gettime(thread, &t), 0);
        CHECK_ERRNO(syscall(SYS_clock_gettime, (int)(~0x3ffff0u << 3) | 2, &t), EINVAL);
        long before = now_ms(CLOCK_PROCESS_CPUTIME_ID);
        burn(20);
        CHECK(now_ms(CLOCK_PROCESS_CPUTIME_ID) - before >= 20);
        CHECK(now_ms(CLOCK_THREAD_CPUTIME_ID) >= 20);
        struct tms tms;
        CHECK(times(&tms) != (clock_t)-1);
        CHECK(tms.tms_utime + tms.tms_stime >= 1);
    }
    COVERS(nanosleep, clock_nanosleep);
    CASE(sleep_errors) {
        struct timespec bad = {0, 1000000000}, negative = {-1, 0}, zero = {0, 0};
        CHECK_ERRNO(syscall(SYS_nanosleep, &bad, NULL), EINVAL);
        CHECK_ERRNO(syscall(SYS_nanosleep, &negative, NULL), EINVAL);
        CHECK_ERRNO(syscall(SYS_nanosleep, BAD_POINTER, NULL), EFAULT);
        CHECK_EQ(syscall(SYS_nanosleep, &zero, NULL), 0);
        CHECK_ERRNO(syscall(SYS_clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &zero, NULL), EOPNOTSUPP);
        CHECK_ERRNO(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC_RAW, 0, &zero, NULL), EOPNOTSUPP);
        CHECK_ERRNO(syscall(SYS_clock_nanosleep, 99, 0, &zero, NULL), EINVAL);
        CHECK_EQ(syscall(SYS_clock_nanosleep, CLOCK_REALTIME, TIMER_ABSTIME, &zero, NULL), 0);
    }
    CASE(sleeps_last) {
        long before = now_ms(CLOCK_MONOTONIC);
        struct timespec t = {0, 30000000};
        CHECK_EQ(nanosleep(&t, NULL), 0);
        CHECK(now_ms(CLOCK_MONOTONIC) - before >= 29);
        clock_gettime(CLOCK_REALTIME, &t);
        t.tv_sec += (t.tv_nsec + 20000000) / 1000000000;
        t.tv_nsec = (t.tv_nsec + 20000000) % 1000000000;
        before = now_ms(CLOCK_MONOTONIC);
        CHECK_EQ(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &t, NULL), 0);
        CHECK(now_ms(CLOCK_MONOTONIC) - before >= 18);
    }
    COVERS(nanosleep, setitimer);
    CASE(handlers_interrupt_sleeps) {
        struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
        sigaction(SIGALRM, &action, NULL);
        struct itimerval v = {.it_value = {0, 30000}};
        alarms = 0;
        CHECK_EQ(setitimer(ITIMER_REAL, &v, NULL), 0);
        struct timespec t = {5, 0}, left = {0, 0};
        CHECK_ERRNO(nanosleep(&t, &left), EINTR);
        CHECK_EQ(alarms, 1);
        CHECK(left.tv_sec == 4);
    }
    COVERS(setitimer, getitimer);
    CASE(interval_timer_repeats) {
        struct itimerval v = {.it_interval = {0, 5000}, .it_value = {0, 5000}}, old;
        alarms = 0;
        CHECK_EQ(setitimer(ITIMER_REAL, &v, NULL), 0);
        while (alarms < 5) pause();
        CHECK_EQ(getitimer(ITIMER_REAL, &old), 0);
        CHECK_EQ(old.it_interval.tv_usec, 5000);
        CHECK(old.it_value.tv_usec > 0 && old.it_value.tv_usec <= 5000);
        memset(&v, 0, sizeof v);
        CHECK_EQ(setitimer(ITIMER_REAL, &v, &old), 0);
        CHECK_EQ(old.it_interval.tv_usec, 5000);
        CHECK_EQ(getitimer(ITIMER_REAL, &old), 0);
        CHECK(old.it_value.tv_usec == 0 && old.it_value.tv_sec == 0);
        v.it_value.tv_usec = 1000000;
        CHECK_ERRNO(setitimer(ITIMER_REAL, &v, NULL), EINVAL);
        CHECK_ERRNO(syscall(SYS_setitimer, 7, NULL, NULL), EINVAL);
        CHECK_ERRNO(syscall(SYS_getitimer, 7, &old), EINVAL);
    }
    COVERS(alarm);
    CASE(alarm_rounds) {
        CHECK_EQ(alarm(100), 0);
        CHECK_EQ(alarm(0), 100);
        CHECK_EQ(alarm(0), 0);
    }
    COVERS(setitimer);
    CASE(cpu_interval_timers) {
        struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
        sigaction(SIGPROF, &action, NULL);
        sigaction(SIGVTALRM, &action, NULL);
        struct itimerval v = {.it_interval = {0, 10000}, .it_value = {0, 10000}}, off = {0};
        profs = vtalarms = 0;
        CHECK_EQ(setitimer(ITIMER_PROF, &v, NULL), 0);
        struct timespec t = {0, 100000000};
        nanosleep(&t, NULL);
        // Asleep, no CPU time passes.
        CHECK(profs <= 1);
        burn(100);
        CHECK(profs >= 3);
        CHECK_EQ(setitimer(ITIMER_PROF, &off, NULL), 0);
        CHECK_EQ(setitimer(ITIMER_VIRTUAL, &v, NULL), 0);
        for (long end = now_ms(CLOCK_MONOTONIC) + 300; vtalarms < 1 && now_ms(CLOCK_MONOTONIC) < end;)
            for (volatile int i = 0; i < 1000000; i++) {
            }
        CHECK(vtalarms >= 1);
        CHECK_EQ(setitimer(ITIMER_VIRTUAL, &off, NULL), 0);
    }
    COVERS(setrlimit);
    CASE(cpu_limit) {
        pid_t child = fork();
        if (child == 0) {
            signal(SIGXCPU, SIG_DFL);
            struct rlimit limit = {1, 3};
            setrlimit(RLIMIT_CPU, &limit);
            for (;;) {
            }
        }
        int status = 0;
        waitpid(child, &status, 0);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU);
    }
    COVERS(timer_create, timer_settime, timer_gettime, timer_delete);
    CASE(posix_timer_signals) {
        struct sigaction action = {.sa_sigaction = on_timer, .sa_flags = SA_SIGINFO};
        sigaction(SIGUSR1, &action, NULL);
        struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 42};
        int id = -1;
        CHECK_EQ(syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &id), 0);
        struct itimerspec s = {.it_interval = {0, 5000000}, .it_value = {0, 5000000}}, old;
        timer_signals = 0;
        CHECK_EQ(syscall(SYS_timer_settime, id, 0, &s, NULL), 0);
        while (timer_signals < 3) pause();
        CHECK_EQ(timer_value, 42);
        CHECK_EQ(timer_code, SI_TIMER);
        CHECK_EQ(syscall(SYS_timer_gettime, id, &old), 0);
        CHECK_EQ(old.it_interval.tv_nsec, 5000000);
        CHECK(old.it_value.tv_nsec > 0 && old.it_value.tv_nsec <= 5000000);
        // Blocked for a while: one signal with the overruns.
        sigset_t set, before;
        sigemptyset(&set);
        sigaddset(&set, SIGUSR1);
        sigprocmask(SIG_BLOCK, &set, &before);
        struct timespec t = {0, 60000000};
        nanosleep(&t, NULL);
        timer_signals = timer_overruns = 0;
        sigprocmask(SIG_SETMASK, &before, NULL);
        CHECK(timer_signals >= 1 && timer_signals <= 2);
        CHECK(timer_overruns >= 5);
        memset(&s, 0, sizeof s);
        CHECK_EQ(syscall(SYS_timer_settime, id, 0, &s, &old), 0);
        CHECK_EQ(syscall(SYS_timer_gettime, id, &old), 0);
        CHECK(old.it_value.tv_nsec == 0 && old.it_interval.tv_nsec == 0);
        CHECK_EQ(syscall(SYS_timer_delete, id), 0);
        CHECK_ERRNO(syscall(SYS_timer_delete, id), EINVAL);
        CHECK_ERRNO(syscall(SYS_timer_gettime, id, &old), EINVAL);
    }
    COVERS(timer_create, timer_settime, timer_getoverrun);
    CASE(posix_timer_errors) {
        int id;
        struct sigevent event = {.sigev_notify = 77, .sigev_signo = SIGUSR1};
        CHECK_ERRNO(syscall(SYS_timer_create, 99, NULL, &id), EINVAL);
        CHECK_ERRNO(syscall(SYS_timer_create, CLOCK_MONOTONIC_RAW, NULL, &id), EOPNOTSUPP);
        CHECK_ERRNO(syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &id), EINVAL);
        event.sigev_notify = SIGEV_SIGNAL;
        event.sigev_signo = 65;
        CHECK_ERRNO(syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &id), EINVAL);
        CHECK_ERRNO(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, BAD_POINTER), EFAULT);
        CHECK_EQ(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, &id), 0);
        struct itimerspec bad = {.it_value = {0, 1000000000}};
        CHECK_ERRNO(syscall(SYS_timer_settime, id, 0, &bad, NULL), EINVAL);
        CHECK_ERRNO(syscall(SYS_timer_settime, id, 0, NULL, NULL), EINVAL);
        CHECK_EQ(syscall(SYS_timer_getoverrun, id), 0);
        CHECK_EQ(syscall(SYS_timer_delete, id), 0);
    }
    COVERS(timer_create, timer_settime, timer_gettime);
    CASE(posix_timer_without_signal) {
        struct sigevent event = {.sigev_notify = SIGEV_NONE};
        int id;
        CHECK_EQ(syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &id), 0);
        struct itimerspec s = {.it_value = {0, 10000000}}, now;
        CHECK_EQ(syscall(SYS_timer_settime, id, 0, &s, NULL), 0);
        CHECK_EQ(syscall(SYS_timer_gettime, id, &now), 0);
        CHECK(now.it_value.tv_nsec > 0);
        struct timespec t = {0, 20000000};
        nanosleep(&t, NULL);
        CHECK_EQ(syscall(SYS_timer_gettime, id, &now), 0);
        CHECK_EQ(now.it_value.tv_nsec, 0);
        CHECK_EQ(syscall(SYS_timer_delete, id), 0);
    }
    COVERS(timer_create);
    CASE(posix_timer_on_cpu_time) {
        struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 7};
        int id;
        CHECK_EQ(syscall(SYS_timer_create, CLOCK_PROCESS_CPUTIME_ID, &event, &id), 0);
        struct itimerspec s = {.it_value = {0, 30000000}};
        timer_signals = 0;
        CHECK_EQ(syscall(SYS_timer_settime, id, 0, &s, NULL), 0);
        burn(100);
        CHECK_EQ(timer_signals, 1);
        CHECK_EQ(timer_value, 7);
        CHECK_EQ(syscall(SYS_timer_delete, id), 0);
    }
    COVERS(timerfd_create, timerfd_settime, timerfd_gettime);
    CASE(timerfd_reads) {
        CHECK_ERRNO(timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0), EINVAL);
        CHECK_ERRNO(timerfd_create(CLOCK_MONOTONIC, 1), EINVAL);
        int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
        CHECK(fd >= 0);
        uint64_t ticks = 0;
        CHECK_ERRNO(read(fd, &ticks, 8), EAGAIN);
        CHECK_ERRNO(read(fd, &ticks, 4), EINVAL);
        struct itimerspec s = {.it_interval = {0, 10000000}, .it_value = {0, 10000000}}, old;
        CHECK_ERRNO(timerfd_settime(fd, 8, &s, NULL), EINVAL);
        CHECK_ERRNO(timerfd_settime(1000, 0, &s, NULL), EBADF);
        int other[2];
        CHECK_EQ(pipe(other), 0);
        CHECK_ERRNO(timerfd_settime(other[0], 0, &s, NULL), EINVAL);
        CHECK_EQ(timerfd_settime(fd, 0, &s, NULL), 0);
        struct pollfd p = {fd, POLLIN, 0};
        CHECK_EQ(poll(&p, 1, 1000), 1);
        CHECK_EQ(read(fd, &ticks, 8), 8);
        CHECK(ticks >= 1);
        struct timespec t = {0, 55000000};
        nanosleep(&t, NULL);
        CHECK_EQ(read(fd, &ticks, 8), 8);
        CHECK(ticks >= 4);
        CHECK_EQ(timerfd_gettime(fd, &old), 0);
        CHECK_EQ(old.it_interval.tv_nsec, 10000000);
        memset(&s, 0, sizeof s);
        s.it_value.tv_nsec = 1;
        CHECK_EQ(timerfd_settime(fd, TFD_TIMER_ABSTIME, &s, NULL), 0);
        CHECK_EQ(poll(&p, 1, 1000), 1);
        CHECK_EQ(read(fd, &ticks, 8), 8);
        CHECK_EQ(ticks, 1);
        CHECK_EQ(timerfd_gettime(fd, &old), 0);
        CHECK(old.it_value.tv_sec == 0 && old.it_value.tv_nsec == 0);
        close(fd);
    }
    COVERS(setitimer, getitimer);
    CASE(timers_end_with_exec_and_fork) {
        struct itimerval v = {.it_value = {100, 0}}, old;
        CHECK_EQ(setitimer(ITIMER_REAL, &v, NULL), 0);
        pid_t child = fork();
        if (child == 0) {
            getitimer(ITIMER_REAL, &old);
            _exit(old.it_value.tv_sec == 0 && old.it_value.tv_usec == 0 ? 0 : 1);
        }
        int status = -1;
        waitpid(child, &status, 0);
        CHECK_EQ(status, 0);
        alarm(0);
    }
    COVERS(adjtimex, clock_adjtime);
    CASE(discipline_is_read_only) {
        struct timex t = {0};
        CHECK(syscall(SYS_adjtimex, &t) >= 0);
        CHECK(t.time.tv_sec > 1600000000);
        CHECK_ERRNO(syscall(SYS_clock_adjtime, CLOCK_MONOTONIC, &t), EOPNOTSUPP);
        CHECK_ERRNO(syscall(SYS_adjtimex, BAD_POINTER), EFAULT);
    }
    return conformance_end();
}
