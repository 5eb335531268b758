// pipe(2), pipe2(2): flags, limits, blocking, packets.
#include "conformance.h"
#include <limits.h>
#include <poll.h>

static int p[2];
static char b[70000];

int main(void) {
    conformance_enter();
    COVERS(pipe, pipe2);
    CASE(pipe_descriptors) {
        CHECK_EQ(syscall(SYS_pipe, p), 0);
        CHECK_EQ(fcntl(p[0], F_GETFL), O_RDONLY);
        CHECK_EQ(fcntl(p[1], F_GETFL), O_WRONLY);
        CHECK_EQ(fcntl(p[0], F_GETFD), 0);
        CHECK_ERRNO(write(p[0], "x", 1), EBADF);
        CHECK_ERRNO(read(p[1], b, 1), EBADF);
        close(p[0]), close(p[1]);
    }
    CASE(pipe_flags) {
        CHECK_EQ(pipe2(p, O_CLOEXEC | O_NONBLOCK), 0);
        CHECK_EQ(fcntl(p[0], F_GETFD), FD_CLOEXEC);
        CHECK_EQ(fcntl(p[1], F_GETFL), O_WRONLY | O_NONBLOCK);
        close(p[0]), close(p[1]);
        CHECK_ERRNO(pipe2(p, O_APPEND), EINVAL);
        CHECK_ERRNO(pipe2(p, 1), EINVAL);
    }
    CASE(pipe_bad_pointers) {
        int before = dup(0);
        close(before);
        CHECK_ERRNO(syscall(SYS_pipe, BAD_POINTER), EFAULT);
        CHECK_ERRNO(syscall(SYS_pipe, NULL), EFAULT);
        CHECK_ERRNO(syscall(SYS_pipe, conformance_before_hole(4)), EFAULT);
        CHECK_ERRNO(syscall(SYS_pipe, conformance_read_only("", 1)), EFAULT);
        int after = dup(0);
        CHECK_EQ(after, before);
        close(after);
    }
    COVERS(pipe, read, write);
    CASE(pipe_read_waits_for_some_not_all) {
        pipe(p);
        write(p[1], "abc", 3);
        CHECK_EQ(read(p[0], b, 100), 3);
        close(p[0]), close(p[1]);
    }
    CASE(pipe_keeps_no_boundaries) {
        pipe(p);
        write(p[1], "abc", 3);
        write(p[1], "def", 3);
        CHECK_EQ(read(p[0], b, 4), 4);
        CHECK_EQ(read(p[0], b, 100), 2);
        close(p[0]), close(p[1]);
    }
    CASE(pipe_packets_keep_boundaries) {
        pipe2(p, O_DIRECT);
        write(p[1], "abc", 3);
        write(p[1], "defgh", 5);
        CHECK_EQ(read(p[0], b, 100), 3);
        CHECK_EQ(read(p[0], b, 2), 2);
        write(p[1], "xy", 2);
        CHECK_EQ(read(p[0], b, 100), 2);
        CHECK_EQ(b[0], 'x');
        close(p[0]), close(p[1]);
    }
    CASE(pipe_zero_bytes) {
        pipe2(p, O_NONBLOCK);
        CHECK_EQ(read(p[0], b, 0), 0);
        CHECK_EQ(write(p[1], b, 0), 0);
        CHECK_ERRNO(read(p[0], b, 1), EAGAIN);
        close(p[0]), close(p[1]);
    }
    CASE(pipe_end_of_file) {
        pipe(p);
        write(p[1], "z", 1);
        close(p[1]);
        CHECK_EQ(read(p[0], b, 10), 1);
        CHECK_EQ(read(p[0], b, 10), 0);
        CHECK_EQ(read(p[0], b, 10), 0);
        close(p[0]);
    }
    CASE(pipe_without_reader_raises_signal) {
        pipe(p);
        close(p[0]);
        pid_t child = fork();
        if (child == 0) {
            signal(SIGPIPE, SIG_DFL);
            write(p[1], "x", 1);
            _exit(0);
        }
        int status;
        waitpid(child, &status, 0);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
        signal(SIGPIPE, SIG_IGN);
        CHECK_ERRNO(write(p[1], "x", 1), EPIPE);
        close(p[1]);
    }
    CASE(pipe_holds_64_kilobytes) {
        pipe2(p, O_NONBLOCK);
        CHECK_EQ(write(p[1], b, 65536), 65536);
        CHECK_ERRNO(write(p[1], b, 1), EAGAIN);
        CHECK_EQ(read(p[0], b, 4096), 4096);
        CHECK_EQ(write(p[1], b, 70000), 4096);
        close(p[0]), close(p[1]);
    }
    CASE(pipe_atomic_write_does_not_split) {
        pipe2(p, O_NONBLOCK);
        write(p[1], b, 65536);
        read(p[0], b, 4096);
        CHECK_EQ(write(p[1], b, 100), 100);
        CHECK_ERRNO(write(p[1], b, PIPE_BUF), EAGAIN);
        close(p[0]), close(p[1]);
    }
    CASE(pipe_blocked_write_goes_on) {
        pipe(p);
        write(p[1], b, 65536);
        pid_t child = fork();
        if (child == 0) {
            usleep(40000);
            static char drain[65536];
            read(p[0], drain, sizeof drain);
            _exit(0);
        }
        CHECK_EQ(write(p[1], b, 10), 10);
        waitpid(child, NULL, 0);
        close(p[0]), close(p[1]);
    }
    CASE(pipe_blocked_read_is_interrupted) {
        pipe(p);
        conformance_alarm(30, 0);
        CHECK_ERRNO(read(p[0], b, 1), EINTR);
        close(p[0]), close(p[1]);
    }
    CASE(pipe_blocked_write_is_interrupted) {
        pipe(p);
        write(p[1], b, 65536);
        conformance_alarm(30, 0);
        CHECK_ERRNO(write(p[1], b, 1), EINTR);
        close(p[0]), close(p[1]);
    }
    CASE(pipe_partly_blocked_write_reports_its_part) {
        pipe(p);
        write(p[1], b, 60000);
        conformance_alarm(50, 0);
        long n = write(p[1], b, 20000);
        CHECK(n > 0 && n < 20000);
        close(p[0]), close(p[1]);
    }
    CASE(pipe_bad_buffers) {
        pipe2(p, O_NONBLOCK);
        CHECK_ERRNO(write(p[1], BAD_POINTER, 10), EFAULT);
        CHECK_ERRNO(read(p[0], b, 1), EAGAIN);
        write(p[1], "abcdef", 6);
        CHECK_ERRNO(read(p[0], BAD_POINTER, 3), EFAULT);
        CHECK_ERRNO(read(p[0], conformance_read_only("", 1), 3), EFAULT);
        CHECK_EQ(read(p[0], b, 100), 6);
        close(p[0]), close(p[1]);
    }
    CASE(pipe_readiness) {
        pipe2(p, O_NONBLOCK);
        struct pollfd w[2] = {{p[0], POLLIN | POLLOUT, 0}, {p[1], POLLIN | POLLOUT, 0}};
        CHECK_EQ(poll(w, 2, 0), 1);
        CHECK(w[0].revents == 0 && w[1].revents == POLLOUT);
        write(p[1], b, 65536);
        CHECK_EQ(poll(w, 2, 0), 1);
        CHECK(w[0].revents == POLLIN && w[1].revents == 0);
        close(p[1]);
        w[1].fd = -1;
        CHECK_EQ(poll(w, 2, 0), 1);
        CHECK_EQ(w[0].revents, POLLIN | POLLHUP);
        close(p[0]);
        pipe(p);
        close(p[0]);
        w[0] = (struct pollfd){p[1], POLLOUT, 0};
        CHECK_EQ(poll(w, 1, 0), 1);
        CHECK_EQ(w[0].revents, POLLOUT | POLLERR);
        close(p[1]);
    }
    CASE(pipe_reopened_through_process_directory) {
        pipe(p);
        char path[40];
        snprintf(path, 40, "/proc/self/fd/%d", p[0]);
        int w = open(path, O_WRONLY);
        CHECK(w >= 0);
        CHECK_EQ(write(w, "q", 1), 1);
        CHECK_EQ(read(p[0], b, 10), 1);
        close(w), close(p[0]), close(p[1]);
    }
    return conformance_end();
}
