// eventfd(2), signalfd(2).
#include "conformance.h"
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

static int post(int fd, uint64_t n) { return write(fd, &n, 8); }

static void counters(void) {
    uint64_t n;
    COVERS(eventfd, eventfd2);
    CASE(eventfd_initial_value) {
        int fd = syscall(SYS_eventfd, 5);
        CHECK_EQ(read(fd, &n, 8), 8);
        CHECK_EQ(n, 5);
        close(fd);
        fd = syscall(SYS_eventfd2, 0xffffffffu, EFD_NONBLOCK);
        CHECK_EQ(read(fd, &n, 8), 8);
        CHECK_EQ(n, 0xffffffffu);
        close(fd);
    }
    CASE(eventfd_adds_and_resets) {
        int fd = eventfd(0, EFD_NONBLOCK);
        CHECK_ERRNO(read(fd, &n, 8), EAGAIN);
        CHECK_EQ(post(fd, 3), 8);
        CHECK_EQ(post(fd, 4), 8);
        CHECK_EQ(read(fd, &n, 8), 8);
        CHECK_EQ(n, 7);
        CHECK_ERRNO(read(fd, &n, 8), EAGAIN);
        close(fd);
    }
    CASE(eventfd_semaphore) {
        int fd = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
        CHECK_EQ(read(fd, &n, 8), 8);
        CHECK_EQ(n, 1);
        CHECK_EQ(read(fd, &n, 8), 8);
        CHECK_ERRNO(read(fd, &n, 8), EAGAIN);
        close(fd);
    }
    CASE(eventfd_sizes) {
        int fd = eventfd(1, EFD_NONBLOCK);
        char b[20];
        CHECK_ERRNO(read(fd, b, 7), EINVAL);
        CHECK_ERRNO(write(fd, b, 7), EINVAL);
        CHECK_EQ(read(fd, b, 20), 8);
        CHECK_EQ(post(fd, 0), 8);
        CHECK_ERRNO(read(fd, b, 8), EAGAIN);
        close(fd);
    }
    CASE(eventfd_maximum) {
        int fd = eventfd(0, EFD_NONBLOCK);
        CHECK_ERRNO(post(fd, UINT64_MAX), EINVAL);
        CHECK_EQ(post(fd, UINT64_MAX - 1), 8);
        CHECK_ERRNO(post(fd, 1), EAGAIN);
        struct pollfd w = {fd, POLLIN | POLLOUT, 0};
        CHECK_EQ(poll(&w, 1, 0), 1);
        CHECK_EQ(w.revents, POLLIN);
        read(fd, &n, 8);
        CHECK_EQ(n, UINT64_MAX - 1);
        poll(&w, 1, 0);
        CHECK_EQ(w.revents, POLLOUT);
        close(fd);
    }
    CASE(eventfd_flags) {
        int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
        CHECK_EQ(fcntl(fd, F_GETFL), O_RDWR | O_NONBLOCK);
        close(fd);
        CHECK_ERRNO(eventfd(0, 0x100), EINVAL);
    }
    CASE(eventfd_bad_buffer) {
        int fd = eventfd(1, EFD_NONBLOCK);
        CHECK_ERRNO(read(fd, BAD_POINTER, 8), EFAULT);
        CHECK_ERRNO(write(fd, BAD_POINTER, 8), EFAULT);
        close(fd);
    }
    CASE(eventfd_wakes_reader) {
        int fd = eventfd(0, 0);
        pid_t child = fork();
        if (child == 0) {
            usleep(40000);
            post(fd, 9);
            _exit(0);
        }
        CHECK_EQ(read(fd, &n, 8), 8);
        CHECK_EQ(n, 9);
        waitpid(child, NULL, 0);
        close(fd);
    }
    CASE(eventfd_wakes_writer) {
        int fd = eventfd(0, 0);
        post(fd, UINT64_MAX - 1);
        pid_t child = fork();
        if (child == 0) {
            usleep(40000);
            read(fd, &n, 8);
            _exit(0);
        }
        CHECK_EQ(post(fd, 2), 8);
        waitpid(child, NULL, 0);
        close(fd);
    }
    CASE(eventfd_read_is_interrupted) {
        int fd = eventfd(0, 0);
        conformance_alarm(30, 0);
        CHECK_ERRNO(read(fd, &n, 8), EINTR);
        close(fd);
    }
}

static int make(int fd, int signal_number, int flags) {
    uint64_t mask = signal_number ? 1ull << (signal_number - 1) : 0;
    return syscall(SYS_signalfd4, fd, &mask, 8, flags);
}

static void signals(void) {
    struct signalfd_siginfo info[3];
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    sigaddset(&set, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &set, NULL);
    COVERS(signalfd, signalfd4);
    CASE(signalfd_reads_signals) {
        int fd = make(-1, SIGUSR1, SFD_NONBLOCK);
        CHECK_ERRNO(read(fd, info, sizeof info), EAGAIN);
        kill(getpid(), SIGUSR1);
        CHECK_EQ(read(fd, info, sizeof info), 128);
        CHECK_EQ(info[0].ssi_signo, SIGUSR1);
        CHECK_EQ(info[0].ssi_pid, getpid());
        CHECK_EQ(info[0].ssi_uid, getuid());
        CHECK_ERRNO(read(fd, info, sizeof info), EAGAIN);
        close(fd);
    }
    CASE(signalfd_reads_several) {
        int fd = make(-1, SIGRTMIN, SFD_NONBLOCK);
        for (int i = 0; i < 3; i++) sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = i});
        CHECK_EQ(read(fd, info, 2 * 128 + 100), 256);
        CHECK(info[0].ssi_int == 0 && info[1].ssi_int == 1);
        CHECK_EQ(read(fd, info, sizeof info), 128);
        close(fd);
    }
    CASE(signalfd_changes_mask) {
        int fd = make(-1, SIGUSR1, SFD_NONBLOCK);
        CHECK_EQ(make(fd, SIGUSR2, 0), fd);
        kill(getpid(), SIGUSR2);
        CHECK_EQ(read(fd, info, sizeof info), 128);
        CHECK_EQ(info[0].ssi_signo, SIGUSR2);
        close(fd);
    }
    CASE(signalfd_errors) {
        uint64_t mask = 0;
        char b[128];
        int fd = make(-1, SIGUSR1, SFD_NONBLOCK);
        CHECK_ERRNO(syscall(SYS_signalfd4, -1, &mask, 4, 0), EINVAL);
        CHECK_ERRNO(syscall(SYS_signalfd4, -1, BAD_POINTER, 8, 0), EFAULT);
        CHECK_ERRNO(syscall(SYS_signalfd4, -1, &mask, 8, 0x100), EINVAL);
        CHECK_ERRNO(syscall(SYS_signalfd4, 1000, &mask, 8, 0), EBADF);
        CHECK_ERRNO(syscall(SYS_signalfd4, 0, &mask, 8, 0), EINVAL);
        CHECK_ERRNO(read(fd, b, 127), EINVAL);
        CHECK_ERRNO(write(fd, b, 128), EINVAL);
        close(fd);
    }
    CASE(signalfd_old_call) {
        uint64_t mask = 1ull << (SIGUSR1 - 1);
        int fd = syscall(SYS_signalfd, -1, &mask, 8);
        CHECK(fd >= 0);
        CHECK_EQ(fcntl(fd, F_GETFD), 0);
        close(fd);
        fd = make(-1, SIGUSR1, SFD_CLOEXEC | SFD_NONBLOCK);
        CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
        close(fd);
    }
    CASE(signalfd_is_pollable) {
        int fd = make(-1, SIGUSR1, 0);
        struct pollfd w = {fd, POLLIN, 0};
        CHECK_EQ(poll(&w, 1, 0), 0);
        kill(getpid(), SIGUSR1);
        CHECK_EQ(poll(&w, 1, 100), 1);
        CHECK_EQ(w.revents, POLLIN);
        read(fd, info, sizeof info);
        close(fd);
    }
    CASE(signalfd_waits) {
        int fd = make(-1, SIGUSR1, 0);
        pid_t parent = getpid(), child = fork();
        if (child == 0) {
            usleep(40000);
            kill(parent, SIGUSR1);
            _exit(0);
        }
        CHECK_EQ(read(fd, info, sizeof info), 128);
        CHECK_EQ(info[0].ssi_pid, child);
        waitpid(child, NULL, 0);
        close(fd);
    }
}

int main(void) {
    conformance_enter();
    counters();
    signals();
    return conformance_end();
}
