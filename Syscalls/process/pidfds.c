// pidfd_open(2), pidfd_send_signal(2), pidfd_getfd(2).
#include "conformance.h"
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>

static int pidfd_open(pid_t pid, unsigned flags) { return syscall(SYS_pidfd_open, pid, flags); }
static int pidfd_send(int fd, int signal, siginfo_t *info, unsigned flags) {
    return syscall(SYS_pidfd_send_signal, fd, signal, info, flags);
}
static int pidfd_getfd(int fd, int target, unsigned flags) { return syscall(SYS_pidfd_getfd, fd, target, flags); }
static volatile pid_t thread_number;
static void *note_thread(void *argument) {
    thread_number = syscall(SYS_gettid);
    usleep(300000);
    return argument;
}
static volatile int got, value;
static void note(int n, siginfo_t *info, void *context) {
    (void)context;
    got = n;
    value = info->si_value.sival_int;
}

int main(void) {
    COVERS(pidfd_open);
    CASE(open_errors) {
        CHECK_ERRNO(pidfd_open(0, 0), EINVAL);
        CHECK_ERRNO(pidfd_open(-1, 0), EINVAL);
        CHECK_ERRNO(pidfd_open(1 << 22, 0), ESRCH);
        CHECK_ERRNO(pidfd_open(getpid(), 1), EINVAL);
    }
    COVERS(pidfd_open, fcntl);
    CASE(open_flags) {
        int fd = pidfd_open(getpid(), 0);
        CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
        CHECK_EQ(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
        close(fd);
        fd = pidfd_open(getpid(), O_NONBLOCK);
        CHECK_EQ(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
        close(fd);
    }
    COVERS(pidfd_open);
    CASE(thread_numbers) {
        pthread_t t;
        pthread_create(&t, NULL, note_thread, NULL);
        while (!thread_number) usleep(1000);
        CHECK_ERRNO2(pidfd_open(thread_number, 0), EINVAL, ENOENT);
        int fd = pidfd_open(thread_number, O_EXCL);
        CHECK(fd >= 0);
        struct pollfd p = {.fd = fd, .events = POLLIN};
        CHECK_EQ(poll(&p, 1, 0), 0);
        pthread_join(t, NULL);
        CHECK_EQ(poll(&p, 1, 2000), 1);
        close(fd);
    }
    COVERS(pidfd_open, pause);
    CASE(readable_when_the_process_ends) {
        pid_t child = conformance_pausing_child();
        int fd = pidfd_open(child, 0);
        struct pollfd p = {.fd = fd, .events = POLLIN};
        CHECK_EQ(poll(&p, 1, 20), 0);
        kill(child, SIGKILL);
        CHECK_EQ(poll(&p, 1, 5000), 1);
        CHECK_EQ(p.revents, POLLIN);
        waitpid(child, NULL, 0);
        CHECK_EQ(poll(&p, 1, 0), 1);
        CHECK_EQ(p.revents, POLLIN | POLLHUP);
        close(fd);
    }
    COVERS(pidfd_open);
    CASE(file_operations_are_refused) {
        int fd = pidfd_open(getpid(), 0);
        char c;
        CHECK_ERRNO(read(fd, &c, 1), EINVAL);
        CHECK_ERRNO(write(fd, &c, 1), EINVAL);
        close(fd);
    }
    COVERS(pidfd_open, pidfd_send_signal);
    CASE(send_errors) {
        int fd = pidfd_open(getpid(), 0);
        CHECK_ERRNO(pidfd_send(9999, 0, NULL, 0), EBADF);
        CHECK_ERRNO(pidfd_send(fd, 65, NULL, 0), EINVAL);
        CHECK_ERRNO(pidfd_send(fd, -1, NULL, 0), EINVAL);
        CHECK_ERRNO(pidfd_send(fd, 0, NULL, 8), EINVAL);
        CHECK_ERRNO(pidfd_send(fd, 0, NULL, 3), EINVAL);
        CHECK_ERRNO(pidfd_send(fd, SIGUSR1, BAD_POINTER, 0), EFAULT);
        CHECK_EQ(pidfd_send(fd, 0, NULL, 0), 0);
        int null = open("/dev/null", O_RDONLY);
        CHECK_ERRNO(pidfd_send(null, 0, NULL, 0), EBADF);
        close(null);
        siginfo_t info = {.si_signo = SIGUSR2, .si_code = SI_QUEUE};
        CHECK_ERRNO(pidfd_send(fd, SIGUSR1, &info, 0), EINVAL);
        close(fd);
    }
    CASE(send_with_a_value) {
        struct sigaction a = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};
        sigaction(SIGUSR1, &a, NULL);
        int fd = pidfd_open(getpid(), 0);
        siginfo_t info = {.si_signo = SIGUSR1, .si_code = SI_QUEUE};
        info.si_value.sival_int = 4242;
        CHECK_EQ(pidfd_send(fd, SIGUSR1, &info, 0), 0);
        CHECK_EQ(got, SIGUSR1);
        CHECK_EQ(value, 4242);
        close(fd);
    }
    COVERS(pidfd_open, pidfd_send_signal, pause);
    CASE(kernel_codes_only_to_oneself) {
        pid_t child = conformance_pausing_child();
        int fd = pidfd_open(child, 0);
        siginfo_t info = {.si_signo = SIGUSR1, .si_code = SI_USER};
        CHECK_ERRNO(pidfd_send(fd, SIGUSR1, &info, 0), EPERM);
        conformance_end_child(child);
        CHECK_ERRNO(pidfd_send(fd, 0, NULL, 0), ESRCH);
        close(fd);
    }
    COVERS(pidfd_open, setpgid, pidfd_send_signal);
    CASE(send_to_thread_and_group) {
        int fd = pidfd_open(getpid(), 0);
        got = 0;
        CHECK_EQ(pidfd_send(fd, SIGUSR1, NULL, 1), 0);
        CHECK_EQ(got, SIGUSR1);
        got = 0;
        CHECK_EQ(pidfd_send(fd, SIGUSR1, NULL, 2), 0);
        CHECK_EQ(got, SIGUSR1);
        IN_FORK({
            setpgid(0, 0);
            int own = pidfd_open(getpid(), 0);
            got = 0;
            CHECK_EQ(pidfd_send(own, SIGUSR1, NULL, 4), 0);
            CHECK_EQ(got, SIGUSR1);
        });
        close(fd);
    }
    COVERS(pidfd_open, pidfd_getfd);
    CASE(getfd_errors) {
        int fd = pidfd_open(getpid(), 0);
        CHECK_ERRNO(pidfd_getfd(fd, 0, 1), EINVAL);
        CHECK_ERRNO(pidfd_getfd(9999, 0, 0), EBADF);
        CHECK_ERRNO(pidfd_getfd(fd, 9999, 0), EBADF);
        CHECK_ERRNO(pidfd_getfd(fd, -1, 0), EBADF);
        int null = open("/dev/null", O_RDONLY);
        CHECK_ERRNO(pidfd_getfd(null, 0, 0), EBADF);
        close(null);
        close(fd);
    }
    COVERS(pidfd_open, pidfd_getfd, fcntl, pause);
    CASE(getfd_duplicates) {
        int p[2];
        pipe(p);
        pid_t child = conformance_pausing_child();
        write(p[1], "hello", 5);
        close(p[0]);
        int fd = pidfd_open(child, 0);
        int copy = pidfd_getfd(fd, p[0], 0);
        CHECK(copy >= 0);
        CHECK_EQ(fcntl(copy, F_GETFD), FD_CLOEXEC);
        char text[8];
        CHECK_EQ(read(copy, text, 8), 5);
        conformance_end_child(child);
        CHECK_ERRNO(pidfd_getfd(fd, p[0], 0), ESRCH);
        close(copy);
        close(fd);
        close(p[1]);
    }
    COVERS(pidfd_open, pidfd_getfd, pidfd_send_signal, pause);
    CASE(other_users_processes) {
        pid_t child = conformance_pausing_child();
        if (geteuid() == 0) {
            AS_USER({
                int fd = pidfd_open(child, 0);
                CHECK(fd >= 0);
                CHECK_ERRNO(pidfd_getfd(fd, 0, 0), EPERM);
                CHECK_ERRNO(pidfd_send(fd, SIGUSR1, NULL, 0), EPERM);
                CHECK_ERRNO(pidfd_send(fd, 0, NULL, 0), EPERM);
            });
        } else {
            int fd = pidfd_open(1, 0);
            CHECK(fd >= 0);
        }
        conformance_end_child(child);
    }
    return conformance_end();
}
