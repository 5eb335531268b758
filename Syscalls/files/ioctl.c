// ioctl(2) requests that hold for any file, and those of files and pipes.
#include "conformance.h"
#include <linux/fs.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>

int main(void) {
    conformance_enter();
    int n;
    COVERS(ioctl);
    CASE(ioctl_errors) {
        int fd = conformance_file("f", "abc");
        CHECK_ERRNO(ioctl(1000, FIONREAD, &n), EBADF);
        CHECK_ERRNO(ioctl(fd, 0xdeadbeef, &n), ENOTTY);
        CHECK_ERRNO(ioctl(fd, TCGETS, &n), ENOTTY);
        CHECK_ERRNO(ioctl(fd, FIONREAD, BAD_POINTER), EFAULT);
        CHECK_ERRNO(ioctl(fd, FIONBIO, BAD_POINTER), EFAULT);
        close(fd);
    }
    CASE(ioctl_bytes_to_read_of_file) {
        int fd = conformance_file("r", "0123456789");
        CHECK_EQ(ioctl(fd, FIONREAD, &n), 0);
        CHECK_EQ(n, 10);
        lseek(fd, 4, SEEK_SET);
        ioctl(fd, FIONREAD, &n);
        CHECK_EQ(n, 6);
        lseek(fd, 14, SEEK_SET);
        ioctl(fd, FIONREAD, &n);
        CHECK_EQ(n, -4);
        close(fd);
    }
    CASE(ioctl_bytes_to_read_of_pipe) {
        int p[2];
        pipe(p);
        CHECK_EQ(ioctl(p[0], FIONREAD, &n), 0);
        CHECK_EQ(n, 0);
        write(p[1], "abc", 3);
        write(p[1], "de", 2);
        CHECK_EQ(ioctl(p[0], FIONREAD, &n), 0);
        CHECK_EQ(n, 5);
        CHECK_EQ(ioctl(p[1], FIONREAD, &n), 0);
        CHECK_EQ(n, 5);
        close(p[0]), close(p[1]);
    }
    CASE(ioctl_bytes_of_sockets) {
        int s[2];
        socketpair(AF_UNIX, SOCK_STREAM, 0, s);
        write(s[0], "hello", 5);
        CHECK_EQ(ioctl(s[1], FIONREAD, &n), 0);
        CHECK_EQ(n, 5);
        close(s[0]), close(s[1]);
        socketpair(AF_UNIX, SOCK_DGRAM, 0, s);
        write(s[0], "hello", 5);
        write(s[0], "xy", 2);
        CHECK_EQ(ioctl(s[1], FIONREAD, &n), 0);
        CHECK_EQ(n, 5);
        close(s[0]), close(s[1]);
    }
    CASE(ioctl_non_blocking) {
        int p[2];
        char c;
        pipe(p);
        n = 1;
        CHECK_EQ(ioctl(p[0], FIONBIO, &n), 0);
        CHECK(fcntl(p[0], F_GETFL) & O_NONBLOCK);
        CHECK_ERRNO(read(p[0], &c, 1), EAGAIN);
        n = 0;
        CHECK_EQ(ioctl(p[0], FIONBIO, &n), 0);
        CHECK(!(fcntl(p[0], F_GETFL) & O_NONBLOCK));
        close(p[0]), close(p[1]);
    }
    CASE(ioctl_close_on_exec) {
        int fd = conformance_file("c", "");
        CHECK_EQ(ioctl(fd, FIOCLEX), 0);
        CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
        CHECK_EQ(ioctl(fd, FIONCLEX), 0);
        CHECK_EQ(fcntl(fd, F_GETFD), 0);
        close(fd);
    }
    CASE(ioctl_asynchronous) {
        int p[2], fd = conformance_file("as", "");
        pipe(p);
        n = 1;
        CHECK_EQ(ioctl(p[0], FIOASYNC, &n), 0);
        CHECK(fcntl(p[0], F_GETFL) & O_ASYNC);
        n = 0;
        CHECK_EQ(ioctl(p[0], FIOASYNC, &n), 0);
        CHECK(!(fcntl(p[0], F_GETFL) & O_ASYNC));
        n = 1;
        CHECK_ERRNO(ioctl(fd, FIOASYNC, &n), ENOTTY);
        close(p[0]), close(p[1]), close(fd);
    }
    CASE(ioctl_size_and_block_size) {
        int fd = conformance_file("q", "abcde"), p[2];
        loff_t size = 7;
        fsync(fd);
        CHECK_EQ(ioctl(fd, FIOQSIZE, &size), 0);
        CHECK_EQ(size % 512, 0);
        n = 0;
        CHECK_EQ(ioctl(fd, FIGETBSZ, &n), 0);
        CHECK(n > 0);
        pipe(p);
        CHECK_ERRNO(ioctl(p[0], FIOQSIZE, &size), ENOTTY);
        close(fd), close(p[0]), close(p[1]);
    }
    CASE(ioctl_on_directory) {
        int d = open(".", O_RDONLY);
        CHECK_ERRNO(ioctl(d, FIONREAD, &n), ENOTTY);
        close(d);
    }
    CASE(ioctl_on_devices) {
        int fd = open("/dev/null", O_RDWR);
        CHECK_ERRNO(ioctl(fd, TCGETS, &n), ENOTTY);
        CHECK_ERRNO(ioctl(fd, FIONREAD, &n), ENOTTY);
        close(fd);
        fd = open("/dev/urandom", O_RDONLY);
        CHECK_EQ(ioctl(fd, 0x80045200, &n), 0);
        CHECK(n > 0);
        close(fd);
    }
    CASE(ioctl_on_eventfd) {
        int fd = eventfd(1, 0);
        CHECK_ERRNO(ioctl(fd, FIONREAD, &n), ENOTTY);
        close(fd);
    }
    CASE(ioctl_freeze_needs_privilege) CHILD {
        int d = open(".", O_RDONLY);
        conformance_become_nobody();
        CHECK_ERRNO(ioctl(d, FIFREEZE, 0), EPERM);
    }
    CASE(ioctl_clone_errors) {
        int a = conformance_file("cl1", "x"), r = open("cl1", O_RDONLY), d = open(".", O_RDONLY);
        CHECK_ERRNO(ioctl(a, FICLONE, 1000), EBADF);
        CHECK_ERRNO(ioctl(a, FICLONE, d), EISDIR);
        CHECK_ERRNO(ioctl(r, FICLONE, a), EBADF);
        close(a), close(r), close(d);
    }
    return conformance_end();
}
