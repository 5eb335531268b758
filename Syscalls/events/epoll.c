// epoll(7): epoll_create(2), epoll_ctl(2), epoll_wait(2), epoll_pwait(2), epoll_pwait2(2).
#include "conformance.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>

static struct epoll_event got[8];
static int set(int epoll, int op, int fd, uint32_t events) {
    struct epoll_event e = {events, {.u64 = 0x1234567800000000ull | (unsigned)fd}};
    return epoll_ctl(epoll, op, fd, &e);
}
static int ready(int epoll) { return epoll_wait(epoll, got, 8, 0); }
static long now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void control(void) {
    COVERS(epoll_create, epoll_create1);
    CASE(epoll_create_arguments) {
        CHECK_ERRNO(syscall(SYS_epoll_create, 0), EINVAL);
        CHECK_ERRNO(syscall(SYS_epoll_create, -1), EINVAL);
        int fd = syscall(SYS_epoll_create, 1);
        CHECK(fd >= 0);
        CHECK_EQ(fcntl(fd, F_GETFD), 0);
        close(fd);
        fd = epoll_create1(EPOLL_CLOEXEC);
        CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
        close(fd);
        CHECK_ERRNO(epoll_create1(1), EINVAL);
    }
    COVERS(epoll_ctl);
    CASE(epoll_ctl_errors) {
        int e = epoll_create1(0), ev = eventfd(0, 0), f = conformance_file("f", ""), d = open(".", O_RDONLY);
        CHECK_ERRNO(set(1000, EPOLL_CTL_ADD, ev, EPOLLIN), EBADF);
        CHECK_ERRNO(set(e, EPOLL_CTL_ADD, 1000, EPOLLIN), EBADF);
        CHECK_ERRNO(set(e, EPOLL_CTL_ADD, f, EPOLLIN), EPERM);
        CHECK_ERRNO(set(e, EPOLL_CTL_ADD, d, EPOLLIN), EPERM);
        CHECK_ERRNO(set(e, EPOLL_CTL_ADD, e, EPOLLIN), EINVAL);
        CHECK_ERRNO(set(ev, EPOLL_CTL_ADD, e, EPOLLIN), EINVAL);
        CHECK_ERRNO(set(e, 9, ev, EPOLLIN), EINVAL);
        CHECK_ERRNO(set(e, EPOLL_CTL_MOD, ev, EPOLLIN), ENOENT);
        CHECK_ERRNO(set(e, EPOLL_CTL_DEL, ev, EPOLLIN), ENOENT);
        CHECK_EQ(set(e, EPOLL_CTL_ADD, ev, EPOLLIN), 0);
        CHECK_ERRNO(set(e, EPOLL_CTL_ADD, ev, EPOLLIN), EEXIST);
        CHECK_ERRNO(syscall(SYS_epoll_ctl, e, EPOLL_CTL_MOD, ev, BAD_POINTER), EFAULT);
        CHECK_ERRNO(syscall(SYS_epoll_ctl, e, EPOLL_CTL_ADD, ev, NULL), EFAULT);
        CHECK_EQ(syscall(SYS_epoll_ctl, e, EPOLL_CTL_DEL, ev, NULL), 0);
        close(e), close(ev), close(f), close(d);
    }
    CASE(epoll_loop_is_refused) {
        int a = epoll_create1(0), b = epoll_create1(0);
        CHECK_EQ(set(a, EPOLL_CTL_ADD, b, EPOLLIN), 0);
        CHECK_ERRNO(set(b, EPOLL_CTL_ADD, a, EPOLLIN), ELOOP);
        close(a), close(b);
    }
    CASE(epoll_depth_is_limited) {
        int e[7];
        for (int i = 0; i < 7; i++) e[i] = epoll_create1(0);
        int r = 0, i = 0;
        for (; i < 6 && r == 0; i++) r = set(e[i + 1], EPOLL_CTL_ADD, e[i], EPOLLIN);
        CHECK(r == -1 && (errno == EINVAL || errno == ELOOP));
        for (int k = 0; k < 7; k++) close(e[k]);
    }
    CASE(epoll_nested_is_ready) {
        int a = epoll_create1(0), b = epoll_create1(0), ev = eventfd(0, 0);
        set(b, EPOLL_CTL_ADD, ev, EPOLLIN);
        set(a, EPOLL_CTL_ADD, b, EPOLLIN);
        CHECK_EQ(ready(a), 0);
        eventfd_write(ev, 1);
        CHECK_EQ(ready(a), 1);
        CHECK_EQ(got[0].data.u64 & 0xffffffff, b);
        struct pollfd w = {a, POLLIN, 0};
        CHECK_EQ(poll(&w, 1, 0), 1);
        close(a), close(b), close(ev);
    }
    CASE(epoll_same_file_under_two_numbers) {
        int e = epoll_create1(0), ev = eventfd(1, 0), copy = dup(ev);
        CHECK_EQ(set(e, EPOLL_CTL_ADD, ev, EPOLLIN), 0);
        CHECK_EQ(set(e, EPOLL_CTL_ADD, copy, EPOLLIN), 0);
        CHECK_EQ(ready(e), 2);
        close(e), close(ev), close(copy);
    }
    CASE(epoll_forgets_with_last_descriptor) {
        int e = epoll_create1(0), ev = eventfd(1, 0), copy = dup(ev);
        set(e, EPOLL_CTL_ADD, ev, EPOLLIN);
        close(ev);
        CHECK_EQ(ready(e), 1);
        close(copy);
        CHECK_EQ(ready(e), 0);
        close(e);
    }
    CASE(epoll_exclusive_rules) {
        int e = epoll_create1(0), ev = eventfd(0, 0), inner = epoll_create1(0);
        CHECK_ERRNO(set(e, EPOLL_CTL_ADD, ev, EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT), EINVAL);
        CHECK_ERRNO(set(e, EPOLL_CTL_ADD, inner, EPOLLIN | EPOLLEXCLUSIVE), EINVAL);
        CHECK_EQ(set(e, EPOLL_CTL_ADD, ev, EPOLLIN | EPOLLEXCLUSIVE), 0);
        CHECK_ERRNO(set(e, EPOLL_CTL_MOD, ev, EPOLLIN), EINVAL);
        close(e), close(ev), close(inner);
    }
}

static void events(void) {
    COVERS(epoll_wait);
    CASE(epoll_level_triggered_repeats) {
        int e = epoll_create1(0), ev = eventfd(1, 0);
        set(e, EPOLL_CTL_ADD, ev, EPOLLIN);
        CHECK_EQ(ready(e), 1);
        CHECK_EQ(got[0].events, EPOLLIN);
        CHECK_EQ(got[0].data.u64, 0x1234567800000000ull | (unsigned)ev);
        CHECK_EQ(ready(e), 1);
        eventfd_t n;
        eventfd_read(ev, &n);
        CHECK_EQ(ready(e), 0);
        close(e), close(ev);
    }
    CASE(epoll_edge_triggered_reports_once) {
        int e = epoll_create1(0), p[2];
        pipe(p);
        set(e, EPOLL_CTL_ADD, p[0], EPOLLIN | EPOLLET);
        CHECK_EQ(ready(e), 0);
        write(p[1], "a", 1);
        CHECK_EQ(ready(e), 1);
        CHECK_EQ(ready(e), 0);
        write(p[1], "b", 1);
        CHECK_EQ(ready(e), 1);
        CHECK_EQ(ready(e), 0);
        close(e), close(p[0]), close(p[1]);
    }
    CASE(epoll_one_shot_disables) {
        int e = epoll_create1(0), ev = eventfd(1, 0);
        set(e, EPOLL_CTL_ADD, ev, EPOLLIN | EPOLLONESHOT);
        CHECK_EQ(ready(e), 1);
        CHECK_EQ(ready(e), 0);
        set(e, EPOLL_CTL_MOD, ev, EPOLLIN | EPOLLONESHOT);
        CHECK_EQ(ready(e), 1);
        close(e), close(ev);
    }
    CASE(epoll_modify_changes_interest) {
        int e = epoll_create1(0), ev = eventfd(1, 0);
        set(e, EPOLL_CTL_ADD, ev, EPOLLOUT);
        CHECK_EQ(ready(e), 1);
        CHECK_EQ(got[0].events, EPOLLOUT);
        set(e, EPOLL_CTL_MOD, ev, EPOLLIN | EPOLLOUT);
        CHECK_EQ(ready(e), 1);
        CHECK_EQ(got[0].events, EPOLLIN | EPOLLOUT);
        set(e, EPOLL_CTL_MOD, ev, 0);
        CHECK_EQ(ready(e), 0);
        close(e), close(ev);
    }
    CASE(epoll_hang_up_is_always_reported) {
        int e = epoll_create1(0), p[2], q[2];
        pipe(p), pipe(q);
        set(e, EPOLL_CTL_ADD, p[0], 0);
        set(e, EPOLL_CTL_ADD, q[1], 0);
        CHECK_EQ(ready(e), 0);
        close(p[1]);
        CHECK_EQ(ready(e), 1);
        CHECK_EQ(got[0].events, EPOLLHUP);
        close(q[0]);
        CHECK_EQ(ready(e), 2);
        close(e), close(p[0]), close(q[1]);
    }
    CASE(epoll_round_robin_with_few_slots) {
        int e = epoll_create1(0), a = eventfd(1, 0), b = eventfd(1, 0);
        set(e, EPOLL_CTL_ADD, a, EPOLLIN);
        set(e, EPOLL_CTL_ADD, b, EPOLLIN);
        CHECK_EQ(epoll_wait(e, got, 1, 0), 1);
        uint64_t first = got[0].data.u64;
        CHECK_EQ(epoll_wait(e, got, 1, 0), 1);
        CHECK(first != got[0].data.u64);
        close(e), close(a), close(b);
    }
    CASE(epoll_times_out) {
        int e = epoll_create1(0);
        long before = now_ms();
        CHECK_EQ(epoll_wait(e, got, 8, 40), 0);
        CHECK(now_ms() - before >= 39);
        close(e);
    }
    CASE(epoll_wakes) {
        int e = epoll_create1(0), ev = eventfd(0, 0);
        set(e, EPOLL_CTL_ADD, ev, EPOLLIN);
        pid_t child = fork();
        if (child == 0) {
            usleep(40000);
            eventfd_write(ev, 1);
            _exit(0);
        }
        CHECK_EQ(epoll_wait(e, got, 8, -1), 1);
        waitpid(child, NULL, 0);
        close(e), close(ev);
    }
    CASE(epoll_wait_is_never_restarted) {
        int e = epoll_create1(0);
        conformance_alarm(30, SA_RESTART);
        CHECK_ERRNO(epoll_wait(e, got, 8, -1), EINTR);
        close(e);
    }
    CASE(epoll_wait_errors) {
        int e = epoll_create1(0), ev = eventfd(1, 0);
        set(e, EPOLL_CTL_ADD, ev, EPOLLIN);
        CHECK_ERRNO(epoll_wait(e, got, 0, 0), EINVAL);
        CHECK_ERRNO(epoll_wait(e, got, -1, 0), EINVAL);
        CHECK_ERRNO(syscall(SYS_epoll_wait, e, got, 0x7fffffff, 0), EINVAL);
        CHECK_ERRNO(epoll_wait(1000, got, 8, 0), EBADF);
        CHECK_ERRNO(epoll_wait(ev, got, 8, 0), EINVAL);
        CHECK_ERRNO(syscall(SYS_epoll_wait, e, BAD_POINTER, 8, 0), EFAULT);
        CHECK_EQ(ready(e), 1);
        close(e), close(ev);
    }
    COVERS(epoll_pwait);
    CASE(epoll_pwait_swaps_the_mask) {
        int e = epoll_create1(0);
        sigset_t block, none;
        sigemptyset(&none);
        sigemptyset(&block);
        sigaddset(&block, SIGALRM);
        sigprocmask(SIG_BLOCK, &block, NULL);
        conformance_alarm(20, 0);
        usleep(40000);
        CHECK_EQ(conformance_alarms, 0);
        CHECK_ERRNO(epoll_pwait(e, got, 8, 1000, &none), EINTR);
        CHECK_EQ(conformance_alarms, 1);
        sigprocmask(SIG_UNBLOCK, &block, NULL);
        close(e);
    }
    CASE(epoll_pwait_errors) {
        int e = epoll_create1(0);
        uint64_t mask = 0;
        CHECK_ERRNO(syscall(SYS_epoll_pwait, e, got, 8, 0, &mask, 4), EINVAL);
        CHECK_ERRNO(syscall(SYS_epoll_pwait, e, got, 8, 0, BAD_POINTER, 8), EFAULT);
        CHECK_EQ(syscall(SYS_epoll_pwait, e, got, 8, 0, NULL, 0), 0);
        close(e);
    }
    COVERS(epoll_pwait2);
    CASE(epoll_pwait2_nanoseconds) {
        int e = epoll_create1(0);
        struct timespec t = {0, 20000000}, bad = {0, 1000000000};
        long before = now_ms();
        CHECK_EQ(syscall(SYS_epoll_pwait2, e, got, 8, &t, NULL, 0), 0);
        CHECK(now_ms() - before >= 19);
        CHECK_ERRNO(syscall(SYS_epoll_pwait2, e, got, 8, &bad, NULL, 0), EINVAL);
        CHECK_ERRNO(syscall(SYS_epoll_pwait2, e, got, 8, BAD_POINTER, NULL, 0), EFAULT);
        close(e);
    }
}

int main(void) {
    conformance_enter();
    control();
    events();
    return conformance_end();
}
