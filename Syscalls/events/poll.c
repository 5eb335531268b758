// poll(2), ppoll(2), select(2), pselect6(2).
#include "conformance.h"
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <time.h>

static int sys_poll(struct pollfd *w, unsigned n, int timeout) { return syscall(SYS_poll, w, n, timeout); }
static int sys_select(int n, fd_set *r, fd_set *w, fd_set *x, struct timeval *t) { return syscall(SYS_select, n, r, w, x, t); }
static long now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void polling(void) {
    COVERS(poll);
    CASE(poll_counts_ready_entries) {
        int a = eventfd(1, 0), b = eventfd(0, 0);
        struct pollfd w[3] = {{a, POLLIN, 0}, {b, POLLIN, 0}, {b, POLLOUT, 0}};
        CHECK_EQ(sys_poll(w, 3, 0), 2);
        CHECK(w[0].revents == POLLIN && w[1].revents == 0 && w[2].revents == POLLOUT);
        close(a), close(b);
    }
    CASE(poll_closed_descriptor_is_invalid) {
        struct pollfd w = {1000, POLLIN, 0};
        CHECK_EQ(sys_poll(&w, 1, 0), 1);
        CHECK_EQ(w.revents, POLLNVAL);
    }
    CASE(poll_path_descriptor_is_invalid) {
        struct pollfd w = {open(".", O_PATH), POLLIN, 0};
        CHECK_EQ(sys_poll(&w, 1, 0), 1);
        CHECK_EQ(w.revents, POLLNVAL);
        close(w.fd);
    }
    CASE(poll_negative_descriptor_is_ignored) {
        struct pollfd w = {-5, POLLIN, 0x77};
        CHECK_EQ(sys_poll(&w, 1, 0), 0);
        CHECK_EQ(w.revents, 0);
    }
    CASE(poll_regular_file_is_always_ready) {
        struct pollfd w = {conformance_file("f", ""), POLLIN | POLLOUT, 0};
        CHECK_EQ(sys_poll(&w, 1, 0), 1);
        CHECK_EQ(w.revents, POLLIN | POLLOUT);
        close(w.fd);
    }
    CASE(poll_normal_bands) {
        int fd = eventfd(1, 0);
        struct pollfd w = {fd, POLLRDNORM | POLLWRNORM, 0};
        CHECK_EQ(sys_poll(&w, 1, 0), 0);
        close(fd);
        int p[2];
        pipe(p);
        write(p[1], "x", 1);
        w = (struct pollfd){p[0], POLLRDNORM, 0};
        CHECK_EQ(sys_poll(&w, 1, 0), 1);
        CHECK_EQ(w.revents, POLLRDNORM);
        close(p[0]), close(p[1]);
    }
    CASE(poll_nothing_times_out) {
        long before = now_ms();
        CHECK_EQ(sys_poll(NULL, 0, 40), 0);
        CHECK(now_ms() - before >= 39);
    }
    CASE(poll_errors) {
        struct rlimit limit;
        getrlimit(RLIMIT_NOFILE, &limit);
        CHECK_ERRNO(sys_poll(BAD_POINTER, 1, 0), EFAULT);
        CHECK_ERRNO(sys_poll(NULL, 1, 0), EFAULT);
        CHECK_ERRNO(sys_poll(conformance_before_hole(8), 2, 0), EFAULT);
        CHECK_ERRNO(sys_poll(NULL, limit.rlim_cur + 1, 0), EINVAL);
        struct pollfd w = {0, POLLIN, 0};
        CHECK_ERRNO(sys_poll(conformance_read_only(&w, sizeof w), 1, 0), EFAULT);
    }
    CASE(poll_wakes) {
        int p[2];
        pipe(p);
        pid_t child = fork();
        if (child == 0) {
            usleep(40000);
            write(p[1], "x", 1);
            _exit(0);
        }
        struct pollfd w = {p[0], POLLIN, 0};
        CHECK_EQ(sys_poll(&w, 1, -1), 1);
        waitpid(child, NULL, 0);
        close(p[0]), close(p[1]);
    }
    CASE(poll_is_interrupted_whatever_the_flags) {
        conformance_alarm(30, SA_RESTART);
        CHECK_ERRNO(sys_poll(NULL, 0, 1000), EINTR);
        conformance_alarm(30, 0);
        CHECK_ERRNO(sys_poll(NULL, 0, -1), EINTR);
    }
    CASE(poll_goes_on_after_stop) {
        pid_t child = fork();
        if (child == 0) {
            long before = now_ms();
            int r = sys_poll(NULL, 0, 200);
            long passed = now_ms() - before;
            _exit(r == 0 && passed >= 195 && passed < 2000 ? 0 : 1);
        }
        usleep(50000);
        kill(child, SIGSTOP);
        usleep(50000);
        kill(child, SIGCONT);
        int status;
        waitpid(child, &status, 0);
        CHECK_EQ(status, 0);
    }
    CASE(poll_socket_half_close) {
        int s[2];
        socketpair(AF_UNIX, SOCK_STREAM, 0, s);
        shutdown(s[0], SHUT_WR);
        struct pollfd w = {s[1], POLLIN | POLLRDHUP, 0};
        CHECK_EQ(sys_poll(&w, 1, 0), 1);
        CHECK_EQ(w.revents, POLLIN | POLLRDHUP);
        close(s[0]);
        sys_poll(&w, 1, 0);
        CHECK_EQ(w.revents, POLLIN | POLLRDHUP | POLLHUP);
        close(s[1]);
    }
    COVERS(ppoll);
    CASE(ppoll_reports_time_left) {
        int fd = eventfd(1, 0);
        struct pollfd w = {fd, POLLIN, 0};
        struct timespec t = {5, 0};
        CHECK_EQ(syscall(SYS_ppoll, &w, 1, &t, NULL, 8), 1);
        CHECK(t.tv_sec == 4 || (t.tv_sec == 5 && t.tv_nsec == 0));
        t = (struct timespec){0, 20000000};
        w.events = 0;
        CHECK_EQ(syscall(SYS_ppoll, &w, 1, &t, NULL, 8), 0);
        CHECK(t.tv_sec == 0 && t.tv_nsec == 0);
        close(fd);
    }
    CASE(ppoll_swaps_the_mask) {
        sigset_t block, none;
        sigemptyset(&none);
        sigemptyset(&block);
        sigaddset(&block, SIGALRM);
        sigprocmask(SIG_BLOCK, &block, NULL);
        conformance_alarm(20, 0);
        usleep(40000);
        struct timespec t = {2, 0};
        CHECK_ERRNO(syscall(SYS_ppoll, NULL, 0, &t, &none, 8), EINTR);
        CHECK_EQ(conformance_alarms, 1);
        sigset_t now;
        sigprocmask(SIG_BLOCK, NULL, &now);
        CHECK(sigismember(&now, SIGALRM));
        sigprocmask(SIG_UNBLOCK, &block, NULL);
    }
    CASE(ppoll_errors) {
        struct timespec bad = {0, 1000000000}, negative = {-1, 0};
        uint64_t mask = 0;
        CHECK_ERRNO(syscall(SYS_ppoll, NULL, 0, &bad, NULL, 8), EINVAL);
        CHECK_ERRNO(syscall(SYS_ppoll, NULL, 0, &negative, NULL, 8), EINVAL);
        CHECK_ERRNO(syscall(SYS_ppoll, NULL, 0, BAD_POINTER, NULL, 8), EFAULT);
        CHECK_ERRNO(syscall(SYS_ppoll, NULL, 0, NULL, &mask, 4), EINVAL);
        CHECK_ERRNO(syscall(SYS_ppoll, NULL, 0, NULL, BAD_POINTER, 8), EFAULT);
    }
}

static void selecting(void) {
    COVERS(select);
    CASE(select_sets_and_counts) {
        int p[2];
        pipe(p);
        write(p[1], "x", 1);
        fd_set r, w, x;
        FD_ZERO(&r);
        FD_ZERO(&w);
        FD_ZERO(&x);
        FD_SET(p[0], &r);
        FD_SET(p[1], &r);
        FD_SET(p[1], &w);
        FD_SET(p[0], &x);
        CHECK_EQ(sys_select(p[1] + 1, &r, &w, &x, NULL), 2);
        CHECK(FD_ISSET(p[0], &r) && !FD_ISSET(p[1], &r) && FD_ISSET(p[1], &w) && !FD_ISSET(p[0], &x));
        close(p[0]), close(p[1]);
    }
    CASE(select_time_out_clears_sets_and_rest) {
        int p[2];
        pipe(p);
        fd_set r;
        FD_ZERO(&r);
        FD_SET(p[0], &r);
        struct timeval t = {0, 20000};
        CHECK_EQ(sys_select(p[0] + 1, &r, NULL, NULL, &t), 0);
        CHECK(!FD_ISSET(p[0], &r));
        CHECK(t.tv_sec == 0 && t.tv_usec == 0);
        close(p[0]), close(p[1]);
    }
    CASE(select_reports_time_left) {
        int fd = eventfd(1, 0);
        fd_set r;
        FD_ZERO(&r);
        FD_SET(fd, &r);
        struct timeval t = {5, 0};
        CHECK_EQ(sys_select(fd + 1, &r, NULL, NULL, &t), 1);
        CHECK((t.tv_sec == 4 && t.tv_usec > 0) || t.tv_sec == 5);
        close(fd);
    }
    CASE(select_errors) {
        fd_set r;
        FD_ZERO(&r);
        FD_SET(50, &r);
        struct timeval t = {0, 0}, negative = {-1, 0};
        CHECK_ERRNO(sys_select(51, &r, NULL, NULL, &t), EBADF);
        CHECK_ERRNO(sys_select(-1, NULL, NULL, NULL, &t), EINVAL);
        CHECK_ERRNO(sys_select(0, NULL, NULL, NULL, &negative), EINVAL);
        CHECK_ERRNO(sys_select(5, BAD_POINTER, NULL, NULL, &t), EFAULT);
        CHECK_ERRNO(sys_select(5, NULL, BAD_POINTER, NULL, &t), EFAULT);
        CHECK_ERRNO(sys_select(5, NULL, NULL, BAD_POINTER, &t), EFAULT);
        CHECK_ERRNO(sys_select(0, NULL, NULL, NULL, BAD_POINTER), EFAULT);
    }
    CASE(select_only_reads_what_it_needs) {
        struct timeval t = {0, 0};
        fd_set *r = conformance_before_hole(8);
        memset(r, 0, 8);
        CHECK_EQ(sys_select(64, r, NULL, NULL, &t), 0);
        CHECK_EQ(sys_select(1, r, NULL, NULL, &t), 0);
    }
    CASE(select_large_count_is_cut) {
        struct timeval t = {0, 0};
        static char sets[1 << 16];
        CHECK_EQ(sys_select(1 << 18, (fd_set *)sets, NULL, NULL, &t), 0);
    }
    CASE(select_is_interrupted) {
        conformance_alarm(30, SA_RESTART);
        struct timeval t = {2, 0};
        CHECK_ERRNO(sys_select(0, NULL, NULL, NULL, &t), EINTR);
        CHECK(t.tv_sec == 1);
    }
    CASE(select_hang_up_is_readable) {
        int p[2];
        pipe(p);
        close(p[1]);
        fd_set r;
        FD_ZERO(&r);
        FD_SET(p[0], &r);
        CHECK_EQ(sys_select(p[0] + 1, &r, NULL, NULL, NULL), 1);
        close(p[0]);
    }
    COVERS(pselect6);
    CASE(pselect_swaps_the_mask) {
        uint64_t none = 0;
        struct {
            void *mask;
            size_t size;
        } argument = {&none, 8};
        sigset_t block;
        sigemptyset(&block);
        sigaddset(&block, SIGALRM);
        sigprocmask(SIG_BLOCK, &block, NULL);
        conformance_alarm(20, 0);
        usleep(40000);
        struct timespec t = {2, 0};
        CHECK_ERRNO(syscall(SYS_pselect6, 0, NULL, NULL, NULL, &t, &argument), EINTR);
        CHECK_EQ(conformance_alarms, 1);
        sigprocmask(SIG_UNBLOCK, &block, NULL);
    }
    CASE(pselect_errors) {
        uint64_t none = 0;
        struct {
            void *mask;
            size_t size;
        } wrong_size = {&none, 4}, bad = {BAD_POINTER, 8}, null = {NULL, 0};
        struct timespec t = {0, 0}, invalid = {0, -1};
        CHECK_ERRNO(syscall(SYS_pselect6, 0, NULL, NULL, NULL, &t, &wrong_size), EINVAL);
        CHECK_ERRNO(syscall(SYS_pselect6, 0, NULL, NULL, NULL, &t, &bad), EFAULT);
        CHECK_ERRNO(syscall(SYS_pselect6, 0, NULL, NULL, NULL, &t, BAD_POINTER), EFAULT);
        CHECK_EQ(syscall(SYS_pselect6, 0, NULL, NULL, NULL, &t, &null), 0);
        CHECK_ERRNO(syscall(SYS_pselect6, 0, NULL, NULL, NULL, &invalid, NULL), EINVAL);
    }
}

int main(void) {
    conformance_enter();
    polling();
    selecting();
    return conformance_end();
}
