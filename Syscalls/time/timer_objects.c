// timer_create(2) and its family, timerfd_create(2) and its family, setitimer(2): arguments, settings, overruns.
#include "conformance.h"
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/timerfd.h>

static volatile int count, value, overrun, code;
static void note(int n, siginfo_t *info, void *context) {
    (void)n;
    (void)context;
    count++;
    value = info->si_value.sival_int;
    overrun = info->si_overrun;
    code = info->si_code;
}
static long create(int clock, struct sigevent *event, int *id) { return syscall(SYS_timer_create, clock, event, id); }
static long settime(int id, int flags, const void *new, void *old) { return syscall(SYS_timer_settime, id, flags, new, old); }
static long gettime_(int id, void *now) { return syscall(SYS_timer_gettime, id, now); }
static struct itimerspec every(long first_ms, long interval_ms) {
    return (struct itimerspec){{interval_ms / 1000, interval_ms % 1000 * 1000000}, {first_ms / 1000, first_ms % 1000 * 1000000}};
}

int main(void) {
    struct sigaction a = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};
    sigaction(SIGUSR1, &a, NULL);
    sigaction(SIGALRM, &a, NULL);
    int id = -1;
    COVERS(timer_create);
    CASE(creation_errors) {
        struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
        CHECK_ERRNO(create(999, &e, &id), EINVAL);
        CHECK_ERRNO(create(CLOCK_MONOTONIC_RAW, &e, &id), EOPNOTSUPP);
        CHECK_ERRNO(create(CLOCK_REALTIME_COARSE, &e, &id), EOPNOTSUPP);
        CHECK_ERRNO(create(CLOCK_MONOTONIC, BAD_POINTER, &id), EFAULT);
        CHECK_ERRNO(create(CLOCK_MONOTONIC, &e, BAD_POINTER), EFAULT);
        e.sigev_notify = 77;
        CHECK_ERRNO(create(CLOCK_MONOTONIC, &e, &id), EINVAL);
        e.sigev_notify = SIGEV_SIGNAL;
        e.sigev_signo = 65;
        CHECK_ERRNO(create(CLOCK_MONOTONIC, &e, &id), EINVAL);
        e.sigev_signo = 0;
        CHECK_ERRNO(create(CLOCK_MONOTONIC, &e, &id), EINVAL);
        e.sigev_signo = SIGUSR1;
        e.sigev_notify = SIGEV_THREAD_ID;
        e._sigev_un._tid = 1 << 22;
        CHECK_ERRNO(create(CLOCK_MONOTONIC, &e, &id), EINVAL);
    }
    COVERS(timer_create);
    CASE(alarm_clocks_need_privilege) AS_USER(CHECK_ERRNO2(create(CLOCK_REALTIME_ALARM, NULL, &id), EPERM, EOPNOTSUPP));
    COVERS(timer_getoverrun, timer_delete);
    CASE(unknown_timers) {
        struct itimerspec t = every(10, 0);
        CHECK_ERRNO(settime(12345, 0, &t, NULL), EINVAL);
        CHECK_ERRNO(gettime_(12345, &t), EINVAL);
        CHECK_ERRNO(syscall(SYS_timer_getoverrun, 12345), EINVAL);
        CHECK_ERRNO(syscall(SYS_timer_delete, 12345), EINVAL);
        CHECK_ERRNO(syscall(SYS_timer_delete, -1), EINVAL);
    }
    COVERS(timer_delete);
    CASE(setting_errors) {
        CHECK_EQ(create(CLOCK_MONOTONIC, NULL, &id), 0);
        struct itimerspec bad = {{0, 0}, {0, 1000000000}}, negative = {{0, 0}, {-1, 0}}, interval = {{0, -1}, {1, 0}};
        CHECK_ERRNO(settime(id, 0, &bad, NULL), EINVAL);
        CHECK_ERRNO(settime(id, 0, &negative, NULL), EINVAL);
        CHECK_ERRNO(settime(id, 0, &interval, NULL), EINVAL);
        CHECK_ERRNO(settime(id, 0, NULL, NULL), EINVAL);
        CHECK_ERRNO(settime(id, 0, BAD_POINTER, NULL), EFAULT);
        struct itimerspec off = {0};
        CHECK_ERRNO(settime(id, 0, &off, BAD_POINTER), EFAULT);
        CHECK_ERRNO(gettime_(id, BAD_POINTER), EFAULT);
        CHECK_EQ(syscall(SYS_timer_delete, id), 0);
        CHECK_ERRNO(syscall(SYS_timer_delete, id), EINVAL);
    }
    CASE(default_event_is_sigalrm_with_the_number) {
        CHECK_EQ(create(CLOCK_MONOTONIC, NULL, &id), 0);
        struct itimerspec t = every(20, 0);
        count = 0;
        CHECK_EQ(settime(id, 0, &t, NULL), 0);
        for (int i = 0; i < 200 && !count; i++) conformance_nap(5);
        CHECK_EQ(count, 1);
        CHECK_EQ(value, id);
        CHECK_EQ(code, SI_TIMER);
        syscall(SYS_timer_delete, id);
    }
    CASE(old_setting_and_remaining_time) {
        CHECK_EQ(create(CLOCK_MONOTONIC, NULL, &id), 0);
        struct itimerspec t = every(10000, 3000), old, now;
        CHECK_EQ(settime(id, 0, &t, &old), 0);
        CHECK(old.it_value.tv_sec == 0 && old.it_interval.tv_sec == 0);
        CHECK_EQ(gettime_(id, &now), 0);
        CHECK(now.it_value.tv_sec == 9 && now.it_interval.tv_sec == 3);
        struct itimerspec off = {0};
        CHECK_EQ(settime(id, 0, &off, &old), 0);
        CHECK_EQ(old.it_value.tv_sec, 9);
        CHECK_EQ(gettime_(id, &now), 0);
        CHECK(now.it_value.tv_sec == 0 && now.it_value.tv_nsec == 0);
        syscall(SYS_timer_delete, id);
    }
    CASE(absolute_time_in_the_past_fires_at_once) {
        struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 4711};
        CHECK_EQ(create(CLOCK_MONOTONIC, &e, &id), 0);
        struct itimerspec t = {{0, 0}, {0, 1}};
        count = 0;
        CHECK_EQ(settime(id, TIMER_ABSTIME, &t, NULL), 0);
        for (int i = 0; i < 200 && !count; i++) conformance_nap(5);
        CHECK_EQ(count, 1);
        CHECK_EQ(value, 4711);
        syscall(SYS_timer_delete, id);
    }
    COVERS(timer_getoverrun, timer_delete);
    CASE(overruns_are_counted) {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGUSR1);
        sigprocmask(SIG_BLOCK, &set, NULL);
        struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
        create(CLOCK_MONOTONIC, &e, &id);
        struct itimerspec t = every(5, 5);
        settime(id, 0, &t, NULL);
        conformance_nap(80);
        count = 0;
        sigprocmask(SIG_UNBLOCK, &set, NULL);
        CHECK(count >= 1);
        CHECK(overrun >= 5);
        CHECK(syscall(SYS_timer_getoverrun, id) >= 0);
        syscall(SYS_timer_delete, id);
    }
    COVERS(timer_delete, rt_sigpending);
    CASE(deleted_timer_leaves_no_signal) {
        sigset_t set;
        sigset_t pending;
        sigemptyset(&set);
        sigaddset(&set, SIGUSR1);
        sigprocmask(SIG_BLOCK, &set, NULL);
        struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
        create(CLOCK_MONOTONIC, &e, &id);
        struct itimerspec t = every(5, 0);
        settime(id, 0, &t, NULL);
        conformance_nap(30);
        syscall(SYS_timer_delete, id);
        count = 0;
        sigprocmask(SIG_UNBLOCK, &set, NULL);
        sigpending(&pending);
        CHECK_EQ(count, 0);
    }
    COVERS(timer_delete);
    CASE(children_inherit_none) {
        create(CLOCK_MONOTONIC, NULL, &id);
        struct itimerspec now;
        IN_FORK(CHECK_ERRNO(gettime_(id, &now), EINVAL));
        CHECK_EQ(gettime_(id, &now), 0);
        syscall(SYS_timer_delete, id);
    }
    COVERS(prlimit64);
    CASE(signal_queue_limit) AS_USER({
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_SIGPENDING, &none);
        CHECK_ERRNO(create(CLOCK_MONOTONIC, NULL, &id), EAGAIN);
    });
    COVERS(timerfd_create, fcntl);
    CASE(file_creation) {
        CHECK_ERRNO(timerfd_create(999, 0), EINVAL);
        CHECK_ERRNO(timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0), EINVAL);
        CHECK_ERRNO(timerfd_create(CLOCK_MONOTONIC, 1), EINVAL);
        int fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
        CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
        CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
        close(fd);
        AS_USER(CHECK_ERRNO(timerfd_create(CLOCK_BOOTTIME_ALARM, 0), EPERM));
    }
    COVERS(timerfd_create, timerfd_settime, timerfd_gettime);
    CASE(file_settings) {
        int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
        struct itimerspec t = every(10, 0), bad = {{0, 0}, {0, 1000000000}};
        CHECK_ERRNO(timerfd_settime(fd, 8, &t, NULL), EINVAL);
        CHECK_ERRNO(timerfd_settime(fd, 0, &bad, NULL), EINVAL);
        CHECK_ERRNO(timerfd_settime(9999, 0, &t, NULL), EBADF);
        CHECK_ERRNO(timerfd_settime(0x7fffffff, 0, &t, NULL), EBADF);
        CHECK_ERRNO(syscall(SYS_timerfd_settime, fd, 0, BAD_POINTER, NULL), EFAULT);
        CHECK_ERRNO(syscall(SYS_timerfd_settime, fd, 0, &t, BAD_POINTER), EFAULT);
        CHECK_ERRNO(syscall(SYS_timerfd_gettime, fd, BAD_POINTER), EFAULT);
        int null = open("/dev/null", O_RDONLY);
        CHECK_ERRNO(timerfd_settime(null, 0, &t, NULL), EINVAL);
        CHECK_ERRNO(timerfd_gettime(null, &t), EINVAL);
        close(null);
        close(fd);
    }
    COVERS(timerfd_create, timerfd_settime, fcntl);
    CASE(file_reads) {
        int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
        uint64_t n = 0;
        CHECK_ERRNO(read(fd, &n, 8), EAGAIN);
        CHECK_ERRNO(read(fd, &n, 7), EINVAL);
        CHECK_ERRNO(write(fd, &n, 8), EINVAL);
        struct itimerspec t = every(5, 5);
        timerfd_settime(fd, 0, &t, NULL);
        conformance_nap(60);
        struct pollfd p = {.fd = fd, .events = POLLIN};
        CHECK_EQ(poll(&p, 1, 0), 1);
        CHECK_EQ(read(fd, &n, 8), 8);
        CHECK(n >= 5);
        fcntl(fd, F_SETFL, 0);
        CHECK_EQ(read(fd, &n, 8), 8);
        CHECK(n >= 1);
        timerfd_settime(fd, 0, &(struct itimerspec){0}, NULL);
        fcntl(fd, F_SETFL, O_NONBLOCK);
        CHECK_ERRNO(read(fd, &n, 8), EAGAIN);
        close(fd);
    }
    COVERS(timerfd_create, timerfd_settime);
    CASE(file_survives_fork) {
        int fd = timerfd_create(CLOCK_MONOTONIC, 0);
        struct itimerspec t = every(30, 0);
        timerfd_settime(fd, 0, &t, NULL);
        uint64_t n;
        IN_FORK(CHECK_EQ(read(fd, &n, 8), 8));
        close(fd);
    }
    COVERS(setitimer, getitimer);
    CASE(interval_timer_errors) {
        struct itimerval t = {{0, 0}, {0, 1000000}}, fine = {{0, 0}, {0, 0}};
        CHECK_ERRNO(setitimer(ITIMER_REAL, &t, NULL), EINVAL);
        CHECK_ERRNO(syscall(SYS_setitimer, 3, &fine, NULL), EINVAL);
        CHECK_ERRNO(syscall(SYS_getitimer, 3, &fine), EINVAL);
        CHECK_ERRNO(syscall(SYS_getitimer, -1, &fine), EINVAL);
        CHECK_ERRNO(syscall(SYS_getitimer, ITIMER_REAL, BAD_POINTER), EFAULT);
        CHECK_ERRNO(syscall(SYS_setitimer, ITIMER_REAL, BAD_POINTER, NULL), EFAULT);
        CHECK_ERRNO(syscall(SYS_setitimer, ITIMER_REAL, &fine, BAD_POINTER), EFAULT);
    }
    CASE(interval_timer_values) {
        struct itimerval t = {{3, 0}, {100, 0}}, now;
        CHECK_EQ(setitimer(ITIMER_REAL, &t, NULL), 0);
        CHECK_EQ(getitimer(ITIMER_REAL, &now), 0);
        CHECK(now.it_value.tv_sec >= 99 && now.it_interval.tv_sec == 3);
        IN_FORK({
            getitimer(ITIMER_REAL, &now);
            CHECK_EQ(now.it_value.tv_sec, 0);
        });
        struct itimerval off = {0};
        CHECK_EQ(setitimer(ITIMER_REAL, &off, &now), 0);
        CHECK(now.it_value.tv_sec >= 99);
    }
    CASE(null_new_value_disarms) {
        struct itimerval t = {{0, 0}, {100, 0}}, now;
        setitimer(ITIMER_REAL, &t, NULL);
        CHECK_EQ(syscall(SYS_setitimer, ITIMER_REAL, NULL, &now), 0);
        getitimer(ITIMER_REAL, &now);
        CHECK_EQ(now.it_value.tv_sec, 0);
    }
    return conformance_end();
}
