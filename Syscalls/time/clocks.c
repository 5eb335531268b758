// clock_gettime(2) and its family, gettimeofday(2), time(2), settimeofday(2), adjtimex(2): arguments, errors, what is monotonic.
#include "conformance.h"
#include <sys/time.h>
#include <sys/times.h>
#include <sys/timex.h>
#include <signal.h>

static long get(int clock, void *t) { return syscall(SYS_clock_gettime, clock, t); }
static long long ns(int clock) {
    struct timespec t = {0, 0};
    get(clock, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}
static void note(int n) { (void)n; }

int main(void) {
    COVERS(clock_gettime);
    CASE(every_clock_reads) {
        static const int clocks[] = {0, 1, 2, 3, 4, 5, 6, 7, 11};
        struct timespec t;
        for (unsigned i = 0; i < sizeof clocks / sizeof *clocks; i++) {
            t.tv_nsec = -1;
            CHECK_EQ(get(clocks[i], &t), 0);
            CHECK(t.tv_nsec >= 0 && t.tv_nsec < 1000000000);
        }
    }
    COVERS(clock_getres);
    CASE(unknown_clocks) {
        struct timespec t;
        CHECK_ERRNO(get(10, &t), EINVAL);
        CHECK_ERRNO(get(12, &t), EINVAL);
        CHECK_ERRNO(get(999, &t), EINVAL);
        CHECK_ERRNO(get(INT32_MIN, &t), EINVAL);
        CHECK_ERRNO(syscall(SYS_clock_getres, 999, &t), EINVAL);
    }
    COVERS(clock_getres, gettimeofday, time, times);
    CASE(addresses) {
        CHECK_ERRNO(get(CLOCK_MONOTONIC, BAD_POINTER), EFAULT);
        CHECK_ERRNO(get(CLOCK_MONOTONIC, NULL), EFAULT);
        CHECK_ERRNO(get(CLOCK_PROCESS_CPUTIME_ID, conformance_readable_page()), EFAULT);
        CHECK_ERRNO(get(CLOCK_MONOTONIC, conformance_straddling(NULL, 16)), EFAULT);
        CHECK_EQ(syscall(SYS_clock_getres, CLOCK_MONOTONIC, NULL), 0);
        CHECK_ERRNO(syscall(SYS_clock_getres, CLOCK_MONOTONIC, BAD_POINTER), EFAULT);
        CHECK_ERRNO(syscall(SYS_gettimeofday, BAD_POINTER, NULL), EFAULT);
        CHECK_ERRNO(syscall(SYS_gettimeofday, NULL, BAD_POINTER), EFAULT);
        CHECK_EQ(syscall(SYS_gettimeofday, NULL, NULL), 0);
        CHECK_ERRNO(syscall(SYS_time, BAD_POINTER), EFAULT);
        CHECK_ERRNO(syscall(SYS_times, BAD_POINTER), EFAULT);
    }
    COVERS(clock_getres);
    CASE(resolution) {
        struct timespec t;
        syscall(SYS_clock_getres, CLOCK_MONOTONIC, &t);
        CHECK_EQ(t.tv_nsec, 1);
        syscall(SYS_clock_getres, CLOCK_PROCESS_CPUTIME_ID, &t);
        CHECK_EQ(t.tv_nsec, 1);
        syscall(SYS_clock_getres, CLOCK_MONOTONIC_COARSE, &t);
        CHECK(t.tv_nsec >= 1000000);
    }
    COVERS(clock_gettime);
    CASE(monotonic_clocks_do_not_go_back) {
        for (int i = 0; i < 1000; i++) {
            long long a = ns(CLOCK_MONOTONIC), b = ns(CLOCK_BOOTTIME), c = ns(CLOCK_MONOTONIC_RAW), d = ns(CLOCK_THREAD_CPUTIME_ID);
            CHECK(ns(CLOCK_MONOTONIC) >= a && ns(CLOCK_BOOTTIME) >= b && ns(CLOCK_MONOTONIC_RAW) >= c);
            CHECK(ns(CLOCK_THREAD_CPUTIME_ID) >= d);
        }
    }
    COVERS(clock_gettime, gettimeofday, time);
    CASE(library_and_kernel_agree) {
        struct timespec a;
        clock_gettime(CLOCK_REALTIME, &a);
        long long kernel = ns(CLOCK_REALTIME), library = a.tv_sec * 1000000000LL + a.tv_nsec;
        CHECK(kernel >= library && kernel - library < 100000000);
        struct timeval v;
        gettimeofday(&v, NULL);
        CHECK(llabs(v.tv_sec * 1000000LL + v.tv_usec - ns(CLOCK_REALTIME) / 1000) < 100000);
        CHECK(llabs(syscall(SYS_time, NULL) - ns(CLOCK_REALTIME) / 1000000000) <= 1);
    }
    COVERS(clock_gettime);
    CASE(coarse_lags_little) {
        CHECK(ns(CLOCK_MONOTONIC) - ns(CLOCK_MONOTONIC_COARSE) < 50000000);
        CHECK(ns(CLOCK_REALTIME_COARSE) <= ns(CLOCK_REALTIME));
    }
    CASE(cpu_clock_counts_work_not_sleep) {
        long long before = ns(CLOCK_PROCESS_CPUTIME_ID);
        conformance_nap(60);
        CHECK(ns(CLOCK_PROCESS_CPUTIME_ID) - before < 30000000);
        long long until = ns(CLOCK_THREAD_CPUTIME_ID) + 20000000;
        while (ns(CLOCK_THREAD_CPUTIME_ID) < until) {
        }
        CHECK(ns(CLOCK_PROCESS_CPUTIME_ID) - before >= 19000000);
    }
    COVERS(clock_gettime, pause);
    CASE(cpu_clocks_of_others) {
        clockid_t clock;
        pid_t child = fork();
        if (child == 0)
            for (;;) pause();
        CHECK_EQ(clock_getcpuclockid(child, &clock), 0);
        struct timespec t;
        CHECK_EQ(get(clock, &t), 0);
        CHECK(t.tv_sec == 0);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        CHECK_ERRNO(get(clock, &t), EINVAL);
    }
    COVERS(clock_settime, settimeofday);
    CASE(setting_needs_privilege) AS_USER({
        struct timespec t;
        get(CLOCK_REALTIME, &t);
        CHECK_ERRNO(syscall(SYS_clock_settime, CLOCK_REALTIME, &t), EPERM);
        struct timeval v = {t.tv_sec, 0};
        CHECK_ERRNO(syscall(SYS_settimeofday, &v, NULL), EPERM);
    });
    CASE(setting_errors) {
        struct timespec t = {1, 0}, bad = {1, 1000000000};
        CHECK_ERRNO(syscall(SYS_clock_settime, CLOCK_MONOTONIC, &t), EINVAL);
        CHECK_ERRNO(syscall(SYS_clock_settime, CLOCK_BOOTTIME, &t), EINVAL);
        CHECK_ERRNO(syscall(SYS_clock_settime, 999, &t), EINVAL);
        CHECK_ERRNO2(syscall(SYS_clock_settime, CLOCK_PROCESS_CPUTIME_ID, &t), EINVAL, EPERM);
        CHECK_ERRNO(syscall(SYS_clock_settime, CLOCK_REALTIME, BAD_POINTER), EFAULT);
        CHECK_ERRNO2(syscall(SYS_clock_settime, CLOCK_REALTIME, &bad), EINVAL, EPERM);
        struct timeval v = {1, 1000000};
        CHECK_ERRNO(syscall(SYS_settimeofday, &v, NULL), EINVAL);
        CHECK_ERRNO(syscall(SYS_settimeofday, BAD_POINTER, NULL), EFAULT);
    }
    COVERS(adjtimex, clock_adjtime);
    CASE(adjustment_is_read_by_anybody) {
        struct timex x = {0};
        CHECK(syscall(SYS_adjtimex, &x) >= 0);
        CHECK(x.tick >= 9000 && x.tick <= 11000);
        struct timex y = {0};
        CHECK(syscall(SYS_clock_adjtime, CLOCK_REALTIME, &y) >= 0);
        CHECK_ERRNO(syscall(SYS_adjtimex, BAD_POINTER), EFAULT);
        CHECK_ERRNO(syscall(SYS_clock_adjtime, CLOCK_REALTIME, BAD_POINTER), EFAULT);
        CHECK_ERRNO(syscall(SYS_clock_adjtime, CLOCK_MONOTONIC, &y), EOPNOTSUPP);
        CHECK_ERRNO(syscall(SYS_clock_adjtime, 999, &y), EINVAL);
    }
    COVERS(adjtimex);
    CASE(adjustment_needs_privilege) AS_USER({
        struct timex x = {.modes = ADJ_FREQUENCY};
        CHECK_ERRNO(syscall(SYS_adjtimex, &x), EPERM);
        x.modes = ADJ_TICK;
        x.tick = 10000;
        CHECK_ERRNO(syscall(SYS_adjtimex, &x), EPERM);
    });
    COVERS(nanosleep);
    CASE(sleep_arguments) {
        struct timespec bad = {0, 1000000000}, negative = {-1, 0}, t = {0, 1};
        CHECK_ERRNO(syscall(SYS_nanosleep, &bad, NULL), EINVAL);
        CHECK_ERRNO(syscall(SYS_nanosleep, &negative, NULL), EINVAL);
        CHECK_ERRNO(syscall(SYS_nanosleep, BAD_POINTER, NULL), EFAULT);
        CHECK_ERRNO(syscall(SYS_clock_nanosleep, 999, 0, &t, NULL), EINVAL);
        CHECK_ERRNO(syscall(SYS_clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &t, NULL), EOPNOTSUPP);
        CHECK_ERRNO(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC_RAW, 0, &t, NULL), EOPNOTSUPP);
        CHECK_ERRNO(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC_COARSE, 0, &t, NULL), EOPNOTSUPP);
        CHECK_ERRNO(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &bad, NULL), EINVAL);
        CHECK_EQ(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &t, BAD_POINTER), 0);
        CHECK_EQ(syscall(SYS_clock_nanosleep, CLOCK_TAI, 0, &t, NULL), 0);
        CHECK_EQ(syscall(SYS_clock_nanosleep, CLOCK_BOOTTIME, 0, &t, NULL), 0);
    }
    COVERS(clock_nanosleep);
    CASE(absolute_sleep_into_the_past_returns) {
        struct timespec past = {1, 0};
        CHECK_EQ(syscall(SYS_clock_nanosleep, CLOCK_REALTIME, TIMER_ABSTIME, &past, NULL), 0);
        CHECK_EQ(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &past, NULL), 0);
    }
    COVERS(nanosleep, clock_gettime);
    CASE(remaining_time_goes_to_a_bad_address) {
        struct sigaction a = {.sa_handler = note};
        sigaction(SIGALRM, &a, NULL);
        struct timespec t = {2, 0};
        ualarm(20000, 0);
        CHECK_ERRNO(syscall(SYS_nanosleep, &t, BAD_POINTER), EFAULT);
        ualarm(20000, 0);
        struct timespec left = {9, 9}, until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += 2;
        CHECK_ERRNO(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &until, &left), EINTR);
        CHECK(left.tv_sec == 9 && left.tv_nsec == 9);
    }
    COVERS(rt_sigaction, clock_nanosleep);
    CASE(process_cpu_sleep) {
        struct timespec t = {0, 30000000};
        struct sigaction a = {.sa_handler = note};
        sigaction(SIGALRM, &a, NULL);
        ualarm(60000, 0);
        CHECK_ERRNO(syscall(SYS_clock_nanosleep, CLOCK_PROCESS_CPUTIME_ID, 0, &t, NULL), EINTR);
    }
    COVERS(restart_syscall);
    CASE(restart_without_anything_to_restart) CHECK_ERRNO(syscall(SYS_restart_syscall), EINTR);
    return conformance_end();
}
