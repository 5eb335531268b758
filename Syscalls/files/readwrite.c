// read(2), write(2), pread(2), pwrite(2), readv(2), writev(2) and their relatives on regular files and devices.
#include "conformance.h"
#include <limits.h>
#include <sys/resource.h>
#include <sys/uio.h>

static long p2read(int fd, const struct iovec *v, int n, long offset, int flags) {
    return syscall(SYS_preadv2, fd, v, n, offset, 0, flags);
}
static long p2write(int fd, const struct iovec *v, int n, long offset, int flags) {
    return syscall(SYS_pwritev2, fd, v, n, offset, 0, flags);
}
static long size_of(int fd) {
    struct stat s;
    fstat(fd, &s);
    return s.st_size;
}

static void plain(void) {
    char b[100];
    COVERS(read);
    CASE(read_advances) {
        int fd = conformance_file("advance", "0123456789");
        CHECK_EQ(read(fd, b, 4), 4);
        CHECK_EQ(read(fd, b, 100), 6);
        CHECK_EQ(b[0], '4');
        CHECK_EQ(read(fd, b, 100), 0);
        close(fd);
    }
    CASE(read_past_end) {
        int fd = conformance_file("past", "abc");
        lseek(fd, 100, SEEK_SET);
        CHECK_EQ(read(fd, b, 10), 0);
        CHECK_EQ(lseek(fd, 0, SEEK_CUR), 100);
        close(fd);
    }
    CASE(read_nothing) {
        int fd = conformance_file("nothing", "abc");
        CHECK_EQ(read(fd, b, 0), 0);
        CHECK_EQ(syscall(SYS_read, fd, NULL, 0), 0);
        CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
        close(fd);
    }
    CASE(read_bad_descriptor) {
        CHECK_ERRNO(read(-1, b, 1), EBADF);
        CHECK_ERRNO(read(1000, b, 1), EBADF);
        CHECK_ERRNO(read(1000, BAD_POINTER, 1), EBADF);
        CHECK_ERRNO(read(INT_MAX, b, 1), EBADF);
    }
    CASE(read_directory) {
        int fd = open(".", O_RDONLY);
        CHECK_ERRNO(read(fd, b, 1), EISDIR);
        CHECK_ERRNO(pread(fd, b, 1, 0), EISDIR);
        close(fd);
    }
    CASE(read_bad_buffer) {
        int fd = conformance_file("badbuf", "0123456789");
        CHECK_ERRNO(read(fd, BAD_POINTER, 5), EFAULT);
        CHECK_ERRNO(read(fd, (void *)0xffff800000000000, 5), EFAULT);
        CHECK_ERRNO(syscall(SYS_read, fd, NULL, 5), EFAULT);
        CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
        close(fd);
    }
    CASE(read_into_read_only_page) {
        int fd = conformance_file("robuf", "0123456789");
        CHECK_ERRNO(read(fd, conformance_read_only("x", 1), 5), EFAULT);
        close(fd);
    }
    CASE(read_into_straddling_buffer_is_partial) {
        int fd = conformance_file("straddle", "0123456789");
        char *p = conformance_before_hole(4);
        CHECK_EQ(read(fd, p, 10), 4);
        CHECK_EQ(memcmp(p, "0123", 4), 0);
        CHECK_EQ(lseek(fd, 0, SEEK_CUR), 4);
        close(fd);
    }
    CASE(read_count_over_signed_range) {
        int fd = conformance_file("counts", "abc");
        CHECK_ERRNO(syscall(SYS_read, fd, b, -1L), EFAULT);
        CHECK_ERRNO(syscall(SYS_read, fd, b, 1UL << 63), EFAULT);
        CHECK_ERRNO(syscall(SYS_read, fd, b, LONG_MAX), EFAULT);
        close(fd);
    }
    CASE(read_huge_count_of_short_file) {
        int fd = conformance_file("huge", "abc");
        // Not on the stack, above which so many addresses are not a program's.
        char *heap = malloc(100);
        CHECK_EQ(syscall(SYS_read, fd, heap, 0x7fffffffL), 3);
        free(heap), close(fd);
    }
    CASE(read_updates_access_only) {
        int fd = conformance_file("atime", "abc");
        struct timespec old[2] = {{1000, 0}, {2000, 0}};
        futimens(fd, old);
        CHECK_EQ(read(fd, b, 3), 3);
        struct stat s;
        fstat(fd, &s);
        CHECK_EQ(s.st_mtim.tv_sec, 2000);
        close(fd);
    }
    COVERS(write);
    CASE(write_extends) {
        int fd = conformance_file("extend", "");
        CHECK_EQ(write(fd, "abc", 3), 3);
        CHECK_EQ(size_of(fd), 3);
        lseek(fd, 10, SEEK_SET);
        CHECK_EQ(write(fd, "d", 1), 1);
        CHECK_EQ(size_of(fd), 11);
        memset(b, 7, 100);
        CHECK_EQ(pread(fd, b, 11, 0), 11);
        CHECK(b[3] == 0 && b[9] == 0 && b[10] == 'd');
        close(fd);
    }
    CASE(write_nothing) {
        int fd = conformance_file("write_nothing", "");
        CHECK_EQ(write(fd, b, 0), 0);
        CHECK_EQ(syscall(SYS_write, fd, NULL, 0), 0);
        lseek(fd, 50, SEEK_SET);
        CHECK_EQ(write(fd, b, 0), 0);
        CHECK_EQ(size_of(fd), 0);
        close(fd);
    }
    CASE(write_bad_descriptor) {
        CHECK_ERRNO(write(-1, b, 1), EBADF);
        CHECK_ERRNO(write(1000, BAD_POINTER, 1), EBADF);
        int fd = open(".", O_RDONLY);
        CHECK_ERRNO(write(fd, b, 1), EBADF);
        close(fd);
    }
    CASE(write_bad_buffer) {
        int fd = conformance_file("write_bad", "");
        CHECK_ERRNO(write(fd, BAD_POINTER, 5), EFAULT);
        CHECK_ERRNO(syscall(SYS_write, fd, NULL, 5), EFAULT);
        CHECK_EQ(size_of(fd), 0);
        CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
        close(fd);
    }
    CASE(write_from_read_only_page) {
        int fd = conformance_file("write_ro", "");
        CHECK_EQ(write(fd, conformance_read_only("xyz", 3), 3), 3);
        close(fd);
    }
    CASE(write_from_straddling_buffer_is_partial) {
        int fd = conformance_file("write_straddle", "");
        char *p = conformance_before_hole(4);
        memcpy(p, "abcd", 4);
        CHECK_EQ(write(fd, p, 10), 4);
        CHECK_EQ(size_of(fd), 4);
        close(fd);
    }
    CASE(write_count_over_signed_range) {
        int fd = conformance_file("write_counts", "");
        CHECK_ERRNO(syscall(SYS_write, fd, b, -1L), EFAULT);
        CHECK_ERRNO(syscall(SYS_write, fd, b, LONG_MAX), EFAULT);
        close(fd);
    }
    CASE(write_changes_times) {
        int fd = conformance_file("wtime", "abc");
        struct timespec old[2] = {{1000, 0}, {2000, 0}};
        futimens(fd, old);
        CHECK_EQ(write(fd, "x", 1), 1);
        struct stat s;
        fstat(fd, &s);
        CHECK(s.st_mtim.tv_sec > 2000);
        CHECK_EQ(s.st_atim.tv_sec, 1000);
        close(fd);
    }
    CASE(write_clears_set_user_id) CHILD {
        int fd = conformance_file("suid", "abc");
        fchmod(fd, 06777);
        conformance_become_nobody();
        int own = open("suid", O_WRONLY);
        CHECK_EQ(write(own, "x", 1), 1);
        struct stat s;
        fstat(own, &s);
        CHECK_EQ(s.st_mode & 07777, 0777);
        close(fd), close(own);
    }
    CASE(write_over_file_size_limit) CHILD {
        signal(SIGXFSZ, SIG_IGN);
        struct rlimit limit = {10, 10};
        setrlimit(RLIMIT_FSIZE, &limit);
        int fd = open("limited", O_RDWR | O_CREAT, 0600);
        CHECK_EQ(write(fd, "0123456789abc", 13), 10);
        CHECK_ERRNO(write(fd, "x", 1), EFBIG);
        CHECK_ERRNO(pwrite(fd, "x", 1, 20), EFBIG);
        CHECK_ERRNO(ftruncate(fd, 11), EFBIG);
        CHECK_EQ(pwrite(fd, "x", 1, 9), 1);
    }
    CASE(write_over_file_size_limit_raises_signal) {
        pid_t child = fork();
        if (child == 0) {
            struct rlimit limit = {2, 2}, core = {0, 0};
            setrlimit(RLIMIT_CORE, &core);
            setrlimit(RLIMIT_FSIZE, &limit);
            int fd = open("limited_signal", O_RDWR | O_CREAT, 0600);
            write(fd, "ab", 2);
            write(fd, "c", 1);
            _exit(0);
        }
        int status;
        waitpid(child, &status, 0);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ);
    }
    CASE(write_past_largest_offset) {
        int fd = conformance_file("largest", "");
        if (lseek(fd, LONG_MAX, SEEK_SET) == LONG_MAX) {
            CHECK_ERRNO(write(fd, "ab", 2), EINVAL);
        }
        CHECK_ERRNO(pwrite(fd, "ab", 2, LONG_MAX), EINVAL);
        close(fd);
    }
}

static void positioned(void) {
    char b[100];
    COVERS(pread64, pwrite64);
    CASE(pread_leaves_position) {
        int fd = conformance_file("pread", "0123456789");
        CHECK_EQ(pread(fd, b, 3, 5), 3);
        CHECK_EQ(b[0], '5');
        CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
        CHECK_EQ(pread(fd, b, 10, 8), 2);
        CHECK_EQ(pread(fd, b, 10, 10), 0);
        CHECK_EQ(pread(fd, b, 10, 1l << 40), 0);
        close(fd);
    }
    CASE(pwrite_leaves_position) {
        int fd = conformance_file("pwrite", "");
        CHECK_EQ(pwrite(fd, "abc", 3, 5), 3);
        CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
        CHECK_EQ(size_of(fd), 8);
        close(fd);
    }
    CASE(pwrite_with_append_writes_at_end) {
        conformance_make("pwapp", "0123");
        int fd = open("pwapp", O_RDWR | O_APPEND);
        CHECK_EQ(pwrite(fd, "x", 1, 0), 1);
        CHECK_EQ(size_of(fd), 5);
        CHECK_EQ(pread(fd, b, 5, 0), 5);
        CHECK_EQ(b[4], 'x');
        close(fd);
    }
    CASE(pread_negative_offset) {
        int fd = conformance_file("negative", "abc");
        CHECK_ERRNO(pread(fd, b, 1, -1), EINVAL);
        CHECK_ERRNO(pwrite(fd, b, 1, -1), EINVAL);
        CHECK_ERRNO(pread(fd, b, 1, LONG_MIN), EINVAL);
        close(fd);
    }
    CASE(pread_on_pipe) {
        int p[2];
        pipe(p);
        CHECK_ERRNO(pread(p[0], b, 1, 0), ESPIPE);
        CHECK_ERRNO(pwrite(p[1], b, 1, 0), ESPIPE);
        close(p[0]), close(p[1]);
    }
    CASE(pread_bad_arguments) {
        int fd = conformance_file("pbad", "abc");
        CHECK_ERRNO(pread(fd, BAD_POINTER, 1, 0), EFAULT);
        CHECK_ERRNO(pwrite(fd, BAD_POINTER, 1, 0), EFAULT);
        CHECK_ERRNO(pread(1000, b, 1, 0), EBADF);
        CHECK_ERRNO(pwrite(1000, b, 1, 0), EBADF);
        close(fd);
        fd = open("pbad", O_WRONLY);
        CHECK_ERRNO(pread(fd, b, 1, 0), EBADF);
        close(fd);
        fd = open("pbad", O_RDONLY);
        CHECK_ERRNO(pwrite(fd, b, 1, 0), EBADF);
        close(fd);
    }
    CASE(pwrite_sparse_blocks) {
        int fd = conformance_file("sparse", "");
        CHECK_EQ(pwrite(fd, "x", 1, 1 << 30), 1);
        struct stat s;
        fstat(fd, &s);
        CHECK_EQ(s.st_size, (1 << 30) + 1);
        CHECK(s.st_blocks * 512 < 1 << 20);
        close(fd);
    }
}

static void vectors(void) {
    char a[10], b[10], c[10];
    COVERS(readv, writev);
    CASE(vectors_scatter_and_gather) {
        int fd = conformance_file("vec", "");
        struct iovec w[3] = {{"ab", 2}, {"", 0}, {"cde", 3}};
        CHECK_EQ(writev(fd, w, 3), 5);
        lseek(fd, 0, SEEK_SET);
        struct iovec r[3] = {{a, 1}, {b, 3}, {c, 10}};
        CHECK_EQ(readv(fd, r, 3), 5);
        CHECK(a[0] == 'a' && !memcmp(b, "bcd", 3) && c[0] == 'e');
        CHECK_EQ(readv(fd, r, 3), 0);
        close(fd);
    }
    CASE(vectors_none) {
        int fd = conformance_file("vnone", "abc");
        CHECK_EQ(syscall(SYS_readv, fd, NULL, 0), 0);
        CHECK_EQ(syscall(SYS_writev, fd, NULL, 0), 0);
        struct iovec v = {NULL, 0};
        CHECK_EQ(readv(fd, &v, 1), 0);
        CHECK_EQ(writev(fd, &v, 1), 0);
        close(fd);
    }
    CASE(vectors_too_many) {
        int fd = conformance_file("vmany", "abc");
        static struct iovec v[1025];
        for (int i = 0; i < 1025; i++) v[i] = (struct iovec){a, 0};
        CHECK_EQ(syscall(SYS_readv, fd, v, 1024), 0);
        CHECK_ERRNO(syscall(SYS_readv, fd, v, 1025), EINVAL);
        CHECK_ERRNO(syscall(SYS_writev, fd, v, 1025), EINVAL);
        CHECK_ERRNO(syscall(SYS_readv, fd, v, -1), EINVAL);
        close(fd);
    }
    CASE(vectors_bad_array) {
        int fd = conformance_file("vbad", "abc");
        CHECK_ERRNO(readv(fd, BAD_POINTER, 1), EFAULT);
        CHECK_ERRNO(writev(fd, BAD_POINTER, 1), EFAULT);
        CHECK_ERRNO(readv(fd, conformance_before_hole(16), 2), EFAULT);
        close(fd);
    }
    CASE(vectors_negative_length) {
        int fd = conformance_file("vneg", "abc");
        struct iovec v[2] = {{a, 1}, {b, (size_t)-1}};
        CHECK_ERRNO(readv(fd, v, 2), EINVAL);
        CHECK_ERRNO(writev(fd, v, 2), EINVAL);
        close(fd);
    }
    CASE(vectors_with_bad_element) {
        int fd = conformance_file("velem", "abcdef");
        struct iovec v[2] = {{a, 2}, {BAD_POINTER, 2}};
        CHECK_EQ(readv(fd, v, 2), 2);
        v[0].iov_base = BAD_POINTER;
        CHECK_ERRNO(readv(fd, v, 2), EFAULT);
        v[0].iov_base = a;
        CHECK_EQ(writev(fd, v, 2), 2);
        close(fd);
    }
    CASE(vectors_bad_descriptor) {
        struct iovec v = {a, 1};
        CHECK_ERRNO(readv(1000, &v, 1), EBADF);
        CHECK_ERRNO(writev(1000, &v, 1), EBADF);
        CHECK_ERRNO(readv(1000, BAD_POINTER, 1), EBADF);
    }
    COVERS(preadv, pwritev);
    CASE(positioned_vectors) {
        int fd = conformance_file("pvec", "");
        struct iovec w[2] = {{"ab", 2}, {"cd", 2}}, r[2] = {{a, 1}, {b, 9}};
        CHECK_EQ(pwritev(fd, w, 2, 3), 4);
        CHECK_EQ(preadv(fd, r, 2, 4), 3);
        CHECK(a[0] == 'b' && b[0] == 'c');
        CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
        close(fd);
    }
    CASE(positioned_vectors_errors) {
        int fd = conformance_file("pverr", "abc"), p[2];
        struct iovec v = {a, 1};
        CHECK_ERRNO(preadv(fd, &v, 1, -1), EINVAL);
        CHECK_ERRNO(pwritev(fd, &v, 1, -1), EINVAL);
        CHECK_ERRNO(preadv(fd, BAD_POINTER, 1, 0), EFAULT);
        CHECK_ERRNO(preadv(1000, &v, 1, 0), EBADF);
        pipe(p);
        CHECK_ERRNO(preadv(p[0], &v, 1, 0), ESPIPE);
        CHECK_ERRNO(pwritev(p[1], &v, 1, 0), ESPIPE);
        close(p[0]), close(p[1]), close(fd);
    }
    COVERS(preadv2, pwritev2);
    CASE(preadv2_at_minus_one_uses_the_position) {
        int fd = conformance_file("p2", "0123456789");
        struct iovec v = {a, 3};
        CHECK_EQ(p2read(fd, &v, 1, -1, 0), 3);
        CHECK_EQ(lseek(fd, 0, SEEK_CUR), 3);
        CHECK_EQ(p2read(fd, &v, 1, 8, 0), 2);
        CHECK_EQ(lseek(fd, 0, SEEK_CUR), 3);
        v = (struct iovec){"xy", 2};
        CHECK_EQ(p2write(fd, &v, 1, -1, 0), 2);
        CHECK_EQ(lseek(fd, 0, SEEK_CUR), 5);
        close(fd);
    }
    CASE(preadv2_on_pipe_at_minus_one) {
        int p[2];
        pipe(p);
        struct iovec v = {"hi", 2}, r = {a, 10};
        CHECK_EQ(p2write(p[1], &v, 1, -1, 0), 2);
        CHECK_EQ(p2read(p[0], &r, 1, -1, 0), 2);
        CHECK_ERRNO(p2read(p[0], &r, 1, 0, 0), ESPIPE);
        close(p[0]), close(p[1]);
    }
    CASE(preadv2_unknown_flags) {
        int fd = conformance_file("p2flags", "abc");
        struct iovec v = {a, 1};
        CHECK_ERRNO(p2read(fd, &v, 1, 0, 0x10000), EOPNOTSUPP);
        CHECK_ERRNO(p2write(fd, &v, 1, 0, 0x10000), EOPNOTSUPP);
        CHECK_ERRNO(p2read(fd, &v, 1, -2, 0), EINVAL);
        close(fd);
    }
    CASE(preadv2_no_wait_on_pipe) {
        int p[2];
        pipe(p);
        struct iovec v = {a, 1};
        CHECK_ERRNO(p2read(p[0], &v, 1, -1, RWF_NOWAIT), EAGAIN);
        close(p[0]), close(p[1]);
    }
    CASE(preadv2_no_wait_on_file) {
        int fd = conformance_file("p2nowait", "abc");
        struct iovec v = {a, 3};
        CHECK_EQ(p2read(fd, &v, 1, 0, RWF_NOWAIT), 3);
        close(fd);
    }
    CASE(pwritev2_append) {
        int fd = conformance_file("p2app", "0123");
        struct iovec v = {"x", 1};
        CHECK_EQ(p2write(fd, &v, 1, 0, RWF_APPEND), 1);
        CHECK_EQ(size_of(fd), 5);
        CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
        close(fd);
    }
    CASE(pwritev2_no_append) {
        conformance_make("p2noapp", "0123");
        int fd = open("p2noapp", O_RDWR | O_APPEND);
        struct iovec v = {"x", 1};
        CHECK_EQ(p2write(fd, &v, 1, 1, 0x20), 1);
        CHECK_EQ(size_of(fd), 4);
        CHECK_ERRNO(p2write(fd, &v, 1, 1, 0x20 | RWF_APPEND), EINVAL);
        close(fd);
    }
    CASE(pwritev2_without_signal) CHILD {
        int p[2];
        pipe(p);
        close(p[0]);
        signal(SIGPIPE, SIG_DFL);
        struct iovec v = {"x", 1};
        CHECK_ERRNO(p2write(p[1], &v, 1, -1, 0x100), EPIPE);
    }
    CASE(pwritev2_synchronous) {
        int fd = conformance_file("p2sync", "");
        struct iovec v = {"x", 1};
        CHECK_EQ(p2write(fd, &v, 1, 0, RWF_DSYNC), 1);
        CHECK_EQ(p2write(fd, &v, 1, 0, RWF_SYNC | RWF_HIPRI), 1);
        close(fd);
    }
}

static void devices(void) {
    char b[64];
    COVERS(read, write);
    CASE(null_device) {
        int fd = open("/dev/null", O_RDWR);
        CHECK_EQ(read(fd, b, 64), 0);
        CHECK_EQ(write(fd, b, 64), 64);
        CHECK_EQ(write(fd, BAD_POINTER, 64), 64);
        CHECK_EQ(lseek(fd, 100, SEEK_SET), 0);
        close(fd);
    }
    CASE(zero_device) {
        int fd = open("/dev/zero", O_RDWR);
        memset(b, 1, 64);
        CHECK_EQ(read(fd, b, 64), 64);
        CHECK(b[0] == 0 && b[63] == 0);
        CHECK_ERRNO(read(fd, BAD_POINTER, 64), EFAULT);
        CHECK_EQ(read(fd, conformance_before_hole(5), 64), 5);
        CHECK_EQ(write(fd, b, 64), 64);
        close(fd);
    }
    CASE(full_device) {
        int fd = open("/dev/full", O_RDWR);
        CHECK_EQ(read(fd, b, 64), 64);
        CHECK_ERRNO(write(fd, b, 1), ENOSPC);
        close(fd);
    }
    CASE(random_devices) {
        int fd = open("/dev/urandom", O_RDWR);
        memset(b, 0, 64);
        CHECK_EQ(read(fd, b, 64), 64);
        int sum = 0;
        for (int i = 0; i < 64; i++) sum |= b[i];
        CHECK(sum);
        CHECK_ERRNO(read(fd, BAD_POINTER, 64), EFAULT);
        close(fd);
        fd = open("/dev/random", O_RDONLY);
        CHECK_EQ(read(fd, b, 64), 64);
        close(fd);
    }
    CASE(process_file_is_read_in_pieces) {
        int fd = open("/proc/self/status", O_RDONLY);
        char first[10], whole[10];
        CHECK_EQ(read(fd, first, 5), 5);
        CHECK_EQ(read(fd, first + 5, 5), 5);
        CHECK_EQ(pread(fd, whole, 10, 0), 10);
        CHECK_EQ(memcmp(first, whole, 10), 0);
        close(fd);
    }
}

static void sharing(void) {
    char b[10];
    COVERS(read, write, dup, fork);
    CASE(position_is_shared_by_duplicates) {
        int fd = conformance_file("shared", "0123456789"), other = dup(fd);
        CHECK_EQ(read(fd, b, 3), 3);
        CHECK_EQ(read(other, b, 1), 1);
        CHECK_EQ(b[0], '3');
        close(fd), close(other);
    }
    CASE(position_is_shared_across_fork) {
        int fd = conformance_file("forked", "0123456789");
        CHILD CHECK_EQ(read(fd, b, 3), 3);
        CHECK_EQ(lseek(fd, 0, SEEK_CUR), 3);
        close(fd);
    }
    CASE(appends_of_processes_do_not_mix) {
        conformance_make("mixed", "");
        for (int i = 0; i < 4; i++)
            if (fork() == 0) {
                int fd = open("mixed", O_WRONLY | O_APPEND);
                char line[16];
                memset(line, 'a' + i, 16);
                for (int k = 0; k < 50; k++) write(fd, line, 16);
                _exit(0);
            }
        while (wait(NULL) > 0) {
        }
        int fd = open("mixed", O_RDONLY), bad = 0;
        CHECK_EQ(size_of(fd), 4 * 50 * 16);
        char line[16];
        while (read(fd, line, 16) == 16)
            for (int i = 1; i < 16; i++) bad |= line[i] != line[0];
        CHECK(!bad);
        close(fd);
    }
    CASE(megabytes_survive) {
        int fd = conformance_file("megabytes", "");
        size_t length = 3 << 20;
        unsigned *data = malloc(length), *back = malloc(length);
        for (size_t i = 0; i < length / 4; i++) data[i] = i * 2654435761u;
        CHECK_EQ(write(fd, data, length), length);
        CHECK_EQ(pread(fd, back, length, 0), length);
        CHECK_EQ(memcmp(data, back, length), 0);
        free(data), free(back), close(fd);
    }
}

int main(void) {
    conformance_enter();
    plain();
    positioned();
    vectors();
    devices();
    sharing();
    return conformance_end();
}
