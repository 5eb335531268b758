// lseek(2) on files, holes, directories, devices and pipes.
#include "conformance.h"
#include <limits.h>
#include <sys/eventfd.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>

int main(void) {
    conformance_enter();
    COVERS(lseek);
    CASE(seek_origins) {
        int fd = conformance_file("origins", "0123456789");
        CHECK_EQ(lseek(fd, 4, SEEK_SET), 4);
        CHECK_EQ(lseek(fd, 2, SEEK_CUR), 6);
        CHECK_EQ(lseek(fd, -1, SEEK_CUR), 5);
        CHECK_EQ(lseek(fd, -3, SEEK_END), 7);
        CHECK_EQ(lseek(fd, 100, SEEK_END), 110);
        close(fd);
    }
    CASE(seek_before_start) {
        int fd = conformance_file("before", "abc");
        CHECK_EQ(lseek(fd, 1, SEEK_SET), 1);
        CHECK_ERRNO(lseek(fd, -1, SEEK_SET), EINVAL);
        CHECK_ERRNO(lseek(fd, -2, SEEK_CUR), EINVAL);
        CHECK_ERRNO(lseek(fd, -4, SEEK_END), EINVAL);
        CHECK_EQ(lseek(fd, 0, SEEK_CUR), 1);
        close(fd);
    }
    CASE(seek_overflow) {
        int fd = conformance_file("overflow", "abc");
        lseek(fd, 3, SEEK_SET);
        CHECK(lseek(fd, LONG_MAX, SEEK_CUR) == -1 && (errno == EOVERFLOW || errno == EINVAL));
        CHECK(lseek(fd, LONG_MAX, SEEK_END) == -1 && (errno == EOVERFLOW || errno == EINVAL));
        CHECK_ERRNO(lseek(fd, LONG_MIN, SEEK_SET), EINVAL);
        close(fd);
    }
    CASE(seek_unknown_origin) {
        int fd = conformance_file("origin5", "abc");
        CHECK_ERRNO(lseek(fd, 0, 5), EINVAL);
        CHECK_ERRNO(lseek(fd, 0, -1), EINVAL);
        close(fd);
    }
    CASE(seek_bad_descriptor) {
        CHECK_ERRNO(lseek(-1, 0, SEEK_SET), EBADF);
        CHECK_ERRNO(lseek(1000, 0, 99), EBADF);
        int fd = open(".", O_PATH);
        CHECK_ERRNO(lseek(fd, 0, SEEK_SET), EBADF);
        close(fd);
    }
    CASE(seek_on_streams) {
        int p[2], s[2];
        pipe(p);
        CHECK_ERRNO(lseek(p[0], 0, SEEK_SET), ESPIPE);
        CHECK_ERRNO(lseek(p[1], 0, SEEK_CUR), ESPIPE);
        socketpair(AF_UNIX, SOCK_STREAM, 0, s);
        CHECK_ERRNO(lseek(s[0], 0, SEEK_SET), ESPIPE);
        close(p[0]), close(p[1]), close(s[0]), close(s[1]);
    }
    CASE(seek_on_eventfd_does_nothing) {
        int fd = eventfd(0, 0);
        CHECK_EQ(lseek(fd, 5, SEEK_SET), 0);
        CHECK_EQ(lseek(fd, 5, SEEK_END), 0);
        char b[8];
        CHECK_ERRNO(pread(fd, b, 8, 0), ESPIPE);
        close(fd);
        fd = epoll_create1(0);
        CHECK_EQ(lseek(fd, 5, SEEK_SET), 0);
        close(fd);
        fd = timerfd_create(CLOCK_MONOTONIC, 0);
        CHECK_EQ(lseek(fd, 5, SEEK_SET), 0);
        close(fd);
    }
    CASE(seek_data_and_hole) {
        int fd = conformance_file("holes", "");
        ftruncate(fd, 3 << 20);
        pwrite(fd, "x", 1, 1 << 20);
        CHECK_EQ(lseek(fd, 0, SEEK_HOLE), 0);
        off_t data = lseek(fd, 0, SEEK_DATA);
        CHECK(data > 0 && data <= 1 << 20);
        off_t hole = lseek(fd, 1 << 20, SEEK_HOLE);
        CHECK(hole > 1 << 20 && hole <= 3 << 20);
        CHECK_ERRNO(lseek(fd, hole, SEEK_DATA), ENXIO);
        CHECK_EQ(lseek(fd, (1 << 20) + 0, SEEK_DATA), 1 << 20);
        close(fd);
    }
    CASE(seek_hole_of_full_file_is_its_end) {
        int fd = conformance_file("full", "0123456789");
        CHECK_EQ(lseek(fd, 0, SEEK_HOLE), 10);
        CHECK_EQ(lseek(fd, 3, SEEK_DATA), 3);
        close(fd);
    }
    CASE(seek_data_at_and_past_end) {
        int fd = conformance_file("end", "0123456789");
        CHECK_ERRNO(lseek(fd, 10, SEEK_DATA), ENXIO);
        CHECK_ERRNO(lseek(fd, 10, SEEK_HOLE), ENXIO);
        CHECK_ERRNO(lseek(fd, 11, SEEK_HOLE), ENXIO);
        CHECK_ERRNO(lseek(fd, -1, SEEK_DATA), ENXIO);
        CHECK_ERRNO(lseek(fd, -1, SEEK_HOLE), ENXIO);
        close(fd);
    }
    CASE(seek_data_of_empty_file) {
        int fd = conformance_file("empty", "");
        CHECK_ERRNO(lseek(fd, 0, SEEK_DATA), ENXIO);
        CHECK_ERRNO(lseek(fd, 0, SEEK_HOLE), ENXIO);
        close(fd);
    }
    CASE(seek_does_not_extend) {
        int fd = conformance_file("noextend", "abc");
        lseek(fd, 1000, SEEK_SET);
        struct stat s;
        fstat(fd, &s);
        CHECK_EQ(s.st_size, 3);
        close(fd);
    }
    CASE(seek_in_directory_rewinds) {
        mkdir("dir", 0755);
        conformance_make("dir/a", "");
        int fd = open("dir", O_RDONLY);
        char b[1000];
        long n = syscall(SYS_getdents64, fd, b, sizeof b);
        CHECK(n > 0);
        CHECK_EQ(syscall(SYS_getdents64, fd, b, sizeof b), 0);
        CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
        CHECK_EQ(syscall(SYS_getdents64, fd, b, sizeof b), n);
        close(fd);
    }
    CASE(seek_on_null_and_zero) {
        int fd = open("/dev/null", O_RDWR);
        CHECK_EQ(lseek(fd, 5, SEEK_SET), 0);
        close(fd);
        fd = open("/dev/zero", O_RDWR);
        CHECK_EQ(lseek(fd, 5, SEEK_SET), 0);
        CHECK_EQ(lseek(fd, 5, SEEK_END), 0);
        close(fd);
    }
    CASE(seek_in_process_file) {
        int fd = open("/proc/self/stat", O_RDONLY);
        CHECK_EQ(lseek(fd, 3, SEEK_SET), 3);
        CHECK_EQ(lseek(fd, 1, SEEK_CUR), 4);
        close(fd);
    }
    return conformance_end();
}
