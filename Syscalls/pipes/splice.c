// splice(2), tee(2), vmsplice(2).
#include "conformance.h"
#include <sys/socket.h>
#include <sys/uio.h>

static int p[2], q[2];
static char b[200];
static void open_pipes(int flags) {
    if (pipe2(p, flags) || pipe2(q, flags)) FAIL_("pipe2: errno %d", errno);
}
static void close_pipes(void) { close(p[0]), close(p[1]), close(q[0]), close(q[1]); }

static void splicing(void) {
    COVERS(splice);
    CASE(splice_pipe_to_pipe) {
        open_pipes(0);
        write(p[1], "0123456789", 10);
        CHECK_EQ(splice(p[0], NULL, q[1], NULL, 4, 0), 4);
        CHECK_EQ(read(q[0], b, 100), 4);
        CHECK_EQ(read(p[0], b, 100), 6);
        CHECK_EQ(b[0], '4');
        close_pipes();
    }
    CASE(splice_file_to_pipe) {
        open_pipes(0);
        int fd = conformance_file("f", "0123456789");
        CHECK_EQ(splice(fd, NULL, p[1], NULL, 4, 0), 4);
        CHECK_EQ(lseek(fd, 0, SEEK_CUR), 4);
        loff_t at = 6;
        CHECK_EQ(splice(fd, &at, p[1], NULL, 100, SPLICE_F_MOVE | SPLICE_F_MORE), 4);
        CHECK_EQ(at, 10);
        CHECK_EQ(lseek(fd, 0, SEEK_CUR), 4);
        CHECK_EQ(read(p[0], b, 100), 8);
        CHECK_EQ(memcmp(b, "01236789", 8), 0);
        CHECK_EQ(splice(fd, &at, p[1], NULL, 100, 0), 0);
        close(fd);
        close_pipes();
    }
    CASE(splice_pipe_to_file) {
        open_pipes(0);
        int fd = conformance_file("out", "abcdef");
        write(p[1], "0123456789", 10);
        loff_t at = 2;
        CHECK_EQ(splice(p[0], NULL, fd, &at, 3, 0), 3);
        CHECK_EQ(at, 5);
        CHECK_EQ(splice(p[0], NULL, fd, NULL, 1, 0), 1);
        CHECK_EQ(pread(fd, b, 10, 0), 6);
        CHECK_EQ(memcmp(b, "3b012f", 6), 0);
        close(fd);
        close_pipes();
    }
    CASE(splice_socket_and_pipe) {
        open_pipes(0);
        int s[2];
        socketpair(AF_UNIX, SOCK_STREAM, 0, s);
        write(s[0], "hello", 5);
        CHECK_EQ(splice(s[1], NULL, p[1], NULL, 100, 0), 5);
        CHECK_EQ(splice(p[0], NULL, s[1], NULL, 100, 0), 5);
        CHECK_EQ(read(s[0], b, 100), 5);
        close(s[0]), close(s[1]);
        close_pipes();
    }
    CASE(splice_end_of_pipe) {
        open_pipes(0);
        close(p[1]);
        CHECK_EQ(splice(p[0], NULL, q[1], NULL, 10, 0), 0);
        close(p[0]), close(q[0]), close(q[1]);
    }
    CASE(splice_does_not_wait) {
        open_pipes(0);
        CHECK_ERRNO(splice(p[0], NULL, q[1], NULL, 10, SPLICE_F_NONBLOCK), EAGAIN);
        close_pipes();
        open_pipes(O_NONBLOCK);
        CHECK_ERRNO(splice(p[0], NULL, q[1], NULL, 10, 0), EAGAIN);
        close_pipes();
    }
    CASE(splice_waits_for_data) {
        open_pipes(0);
        pid_t child = fork();
        if (child == 0) {
            usleep(50000);
            write(p[1], "x", 1);
            _exit(0);
        }
        CHECK_EQ(splice(p[0], NULL, q[1], NULL, 10, 0), 1);
        waitpid(child, NULL, 0);
        close_pipes();
    }
    CASE(splice_is_interrupted) {
        open_pipes(0);
        conformance_alarm(30, 0);
        CHECK_ERRNO(splice(p[0], NULL, q[1], NULL, 10, 0), EINTR);
        close_pipes();
    }
    CASE(splice_broken_pipe) {
        signal(SIGPIPE, SIG_IGN);
        open_pipes(0);
        write(p[1], "abc", 3);
        close(q[0]);
        CHECK_ERRNO(splice(p[0], NULL, q[1], NULL, 10, 0), EPIPE);
        close(p[0]), close(p[1]), close(q[1]);
    }
    CASE(splice_errors) {
        open_pipes(0);
        int fd = conformance_file("e", "abc"), app = open("e", O_RDWR | O_APPEND);
        loff_t at = 0, negative = -1;
        CHECK_ERRNO(splice(p[0], NULL, q[1], NULL, 10, 0x100), EINVAL);
        CHECK_ERRNO(splice(1000, NULL, q[1], NULL, 10, 0), EBADF);
        CHECK_ERRNO(splice(p[0], NULL, 1000, NULL, 10, 0), EBADF);
        CHECK_ERRNO(splice(p[1], NULL, q[1], NULL, 10, 0), EBADF);
        CHECK_ERRNO(splice(p[0], NULL, q[0], NULL, 10, 0), EBADF);
        CHECK_ERRNO(splice(p[0], &at, q[1], NULL, 10, 0), ESPIPE);
        CHECK_ERRNO(splice(p[0], NULL, q[1], &at, 10, 0), ESPIPE);
        CHECK_ERRNO(splice(p[0], NULL, p[1], NULL, 10, 0), EINVAL);
        CHECK_ERRNO(splice(fd, NULL, app, NULL, 10, 0), EINVAL);
        write(p[1], "abc", 3);
        CHECK_ERRNO(splice(p[0], NULL, app, NULL, 10, 0), EINVAL);
        CHECK_ERRNO(splice(fd, BAD_POINTER, q[1], NULL, 10, 0), EFAULT);
        CHECK_ERRNO(splice(fd, &negative, q[1], NULL, 10, 0), EINVAL);
        CHECK_EQ(splice(1000, NULL, 1000, NULL, 0, 0), 0);
        close(fd), close(app);
        close_pipes();
    }
    CASE(splice_from_zero_device) {
        open_pipes(0);
        int fd = open("/dev/zero", O_RDONLY);
        CHECK_EQ(splice(fd, NULL, p[1], NULL, 4096, 0), 4096);
        CHECK_EQ(read(p[0], b, 100), 100);
        CHECK_EQ(b[50], 0);
        close(fd);
        close_pipes();
    }
    CASE(splice_to_null_device) {
        open_pipes(0);
        int fd = open("/dev/null", O_WRONLY);
        write(p[1], "abc", 3);
        CHECK_EQ(splice(p[0], NULL, fd, NULL, 100, 0), 3);
        CHECK_EQ(splice(p[0], NULL, fd, NULL, 100, SPLICE_F_NONBLOCK), -1);
        close(fd);
        close_pipes();
    }
}

static void copying(void) {
    COVERS(tee);
    CASE(tee_keeps_the_source) {
        open_pipes(0);
        write(p[1], "0123456789", 10);
        CHECK_EQ(tee(p[0], q[1], 4, 0), 4);
        CHECK_EQ(read(q[0], b, 100), 4);
        CHECK_EQ(read(p[0], b, 100), 10);
        close_pipes();
    }
    CASE(tee_errors) {
        open_pipes(0);
        int fd = conformance_file("t", "abc");
        CHECK_ERRNO(tee(p[0], p[1], 10, 0), EINVAL);
        CHECK_ERRNO(tee(fd, q[1], 10, 0), EINVAL);
        CHECK_ERRNO(tee(p[0], fd, 10, 0), EINVAL);
        CHECK_ERRNO(tee(p[0], q[1], 10, 0x100), EINVAL);
        CHECK_ERRNO(tee(1000, q[1], 10, 0), EBADF);
        CHECK_ERRNO(tee(p[1], q[1], 10, 0), EBADF);
        CHECK_ERRNO(tee(p[0], q[0], 10, 0), EBADF);
        CHECK_EQ(tee(p[0], q[1], 0, 0), 0);
        CHECK_ERRNO(tee(p[0], q[1], 10, SPLICE_F_NONBLOCK), EAGAIN);
        close(fd);
        close_pipes();
    }
    CASE(tee_at_end) {
        open_pipes(0);
        close(p[1]);
        CHECK_EQ(tee(p[0], q[1], 10, 0), 0);
        close(p[0]), close(q[0]), close(q[1]);
    }
    CASE(tee_is_interrupted) {
        open_pipes(0);
        conformance_alarm(30, 0);
        CHECK_ERRNO(tee(p[0], q[1], 10, 0), EINTR);
        close_pipes();
    }
    COVERS(vmsplice);
    CASE(vmsplice_into_pipe) {
        open_pipes(0);
        struct iovec v[2] = {{"abc", 3}, {"de", 2}};
        CHECK_EQ(vmsplice(p[1], v, 2, 0), 5);
        CHECK_EQ(read(p[0], b, 100), 5);
        CHECK_EQ(memcmp(b, "abcde", 5), 0);
        close_pipes();
    }
    CASE(vmsplice_out_of_pipe) {
        open_pipes(0);
        write(p[1], "hello", 5);
        struct iovec v = {b, 100};
        CHECK_EQ(vmsplice(p[0], &v, 1, 0), 5);
        CHECK_EQ(memcmp(b, "hello", 5), 0);
        close_pipes();
    }
    CASE(vmsplice_errors) {
        open_pipes(0);
        int fd = conformance_file("v", "abc");
        struct iovec v = {b, 1}, bad = {BAD_POINTER, 1};
        CHECK_ERRNO(vmsplice(fd, &v, 1, 0), EBADF);
        CHECK_ERRNO(vmsplice(1000, &v, 1, 0), EBADF);
        CHECK_ERRNO(vmsplice(p[1], &v, 1, 0x100), EINVAL);
        CHECK_ERRNO(vmsplice(p[1], BAD_POINTER, 1, 0), EFAULT);
        CHECK_ERRNO(vmsplice(p[1], &bad, 1, 0), EFAULT);
        CHECK_ERRNO(vmsplice(p[1], &v, 1025, 0), EINVAL);
        CHECK_EQ(vmsplice(p[1], &v, 0, 0), 0);
        CHECK_ERRNO(vmsplice(p[0], &v, 1, SPLICE_F_NONBLOCK), EAGAIN);
        close(fd);
        close_pipes();
    }
}

int main(void) {
    conformance_enter();
    splicing();
    copying();
    return conformance_end();
}
