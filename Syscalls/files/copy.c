// sendfile(2), copy_file_range(2).
#include "conformance.h"
#include <sys/sendfile.h>
#include <sys/socket.h>

static long copy(int in, loff_t *from, int out, loff_t *to, size_t n, unsigned flags) {
    return syscall(SYS_copy_file_range, in, from, out, to, n, flags);
}
static int holds(int fd, const char *text) {
    char b[100] = "";
    return pread(fd, b, 99, 0) == (long)strlen(text) && !strcmp(b, text);
}

static void sending(void) {
    char b[100];
    COVERS(sendfile);
    CASE(sendfile_to_file_and_pipe) {
        int in = conformance_file("in", "0123456789"), out = conformance_file("out", ""), p[2];
        CHECK_EQ(sendfile(out, in, NULL, 4), 4);
        CHECK_EQ(lseek(in, 0, SEEK_CUR), 4);
        CHECK_EQ(lseek(out, 0, SEEK_CUR), 4);
        CHECK(holds(out, "0123"));
        pipe(p);
        CHECK_EQ(sendfile(p[1], in, NULL, 100), 6);
        CHECK_EQ(read(p[0], b, 100), 6);
        CHECK_EQ(b[0], '4');
        CHECK_EQ(sendfile(p[1], in, NULL, 100), 0);
        close(in), close(out), close(p[0]), close(p[1]);
    }
    CASE(sendfile_offset_leaves_position) {
        int in = conformance_file("off", "0123456789"), out = conformance_file("off_out", "");
        off_t offset = 3;
        CHECK_EQ(sendfile(out, in, &offset, 4), 4);
        CHECK_EQ(offset, 7);
        CHECK_EQ(lseek(in, 0, SEEK_CUR), 0);
        CHECK(holds(out, "3456"));
        offset = 100;
        CHECK_EQ(sendfile(out, in, &offset, 4), 0);
        CHECK_EQ(offset, 100);
        close(in), close(out);
    }
    CASE(sendfile_to_socket) {
        int in = conformance_file("sock", "0123456789"), s[2];
        socketpair(AF_UNIX, SOCK_STREAM, 0, s);
        CHECK_EQ(sendfile(s[0], in, NULL, 10), 10);
        CHECK_EQ(read(s[1], b, 100), 10);
        close(in), close(s[0]), close(s[1]);
    }
    CASE(sendfile_errors) {
        int in = conformance_file("err", "0123456789"), out = conformance_file("err_out", "");
        int w = open("err", O_WRONLY), r = open("err_out", O_RDONLY), a = open("err_out", O_RDWR | O_APPEND), p[2];
        off_t offset = -1;
        CHECK_ERRNO(sendfile(1000, in, NULL, 1), EBADF);
        CHECK_ERRNO(sendfile(out, 1000, NULL, 1), EBADF);
        CHECK_ERRNO(sendfile(out, w, NULL, 1), EBADF);
        CHECK_ERRNO(sendfile(r, in, NULL, 1), EBADF);
        CHECK_ERRNO(sendfile(a, in, NULL, 1), EINVAL);
        CHECK_ERRNO(sendfile(out, in, &offset, 1), EINVAL);
        CHECK_ERRNO(sendfile(out, in, BAD_POINTER, 1), EFAULT);
        pipe(p);
        offset = 0;
        CHECK_ERRNO(sendfile(out, p[0], &offset, 1), ESPIPE);
        close(in), close(out), close(w), close(r), close(a), close(p[0]), close(p[1]);
    }
    CASE(sendfile_nothing) {
        int in = conformance_file("no", "abc"), out = conformance_file("no_out", "");
        CHECK_EQ(sendfile(out, in, NULL, 0), 0);
        CHECK_EQ(lseek(in, 0, SEEK_CUR), 0);
        close(in), close(out);
    }
    CASE(sendfile_a_megabyte) {
        int in = conformance_file("mb", ""), out = conformance_file("mb_out", "");
        static char data[1 << 20], back[1 << 20];
        for (int i = 0; i < 1 << 20; i++) data[i] = (char)(i * 31);
        pwrite(in, data, sizeof data, 0);
        long total = 0, n;
        while ((n = sendfile(out, in, NULL, 1 << 20)) > 0) total += n;
        CHECK_EQ(total, 1 << 20);
        pread(out, back, sizeof back, 0);
        CHECK_EQ(memcmp(data, back, sizeof data), 0);
        close(in), close(out);
    }
    CASE(sendfile_to_full_nonblocking_pipe) {
        int in = conformance_file("nb", "0123456789"), p[2];
        pipe2(p, O_NONBLOCK);
        static char fill[65536];
        write(p[1], fill, sizeof fill);
        CHECK_ERRNO(sendfile(p[1], in, NULL, 10), EAGAIN);
        CHECK_EQ(lseek(in, 0, SEEK_CUR), 0);
        close(in), close(p[0]), close(p[1]);
    }
}

static void copying(void) {
    COVERS(copy_file_range);
    CASE(copy_moves_positions) {
        int in = conformance_file("ci", "0123456789"), out = conformance_file("co", "");
        CHECK_EQ(copy(in, NULL, out, NULL, 4, 0), 4);
        CHECK_EQ(copy(in, NULL, out, NULL, 100, 0), 6);
        CHECK_EQ(copy(in, NULL, out, NULL, 100, 0), 0);
        CHECK(holds(out, "0123456789"));
        CHECK_EQ(lseek(out, 0, SEEK_CUR), 10);
        close(in), close(out);
    }
    CASE(copy_at_offsets) {
        int in = conformance_file("oi", "0123456789"), out = conformance_file("oo", "abcdef");
        loff_t from = 5, to = 2;
        CHECK_EQ(copy(in, &from, out, &to, 3, 0), 3);
        CHECK(from == 8 && to == 5);
        CHECK(holds(out, "ab567f"));
        CHECK_EQ(lseek(in, 0, SEEK_CUR), 0);
        close(in), close(out);
    }
    CASE(copy_within_a_file) {
        int fd = conformance_file("same", "0123456789");
        loff_t from = 0, to = 5;
        CHECK_EQ(copy(fd, &from, fd, &to, 5, 0), 5);
        CHECK(holds(fd, "0123401234"));
        from = 0, to = 2;
        CHECK_ERRNO(copy(fd, &from, fd, &to, 5, 0), EINVAL);
        close(fd);
    }
    CASE(copy_past_end_of_source) {
        int in = conformance_file("pe", "abc"), out = conformance_file("pe_out", "");
        loff_t from = 10, to = 0;
        CHECK_EQ(copy(in, &from, out, &to, 5, 0), 0);
        CHECK_EQ(from, 10);
        close(in), close(out);
    }
    CASE(copy_errors) {
        int in = conformance_file("ei", "0123456789"), out = conformance_file("eo", ""), d = open(".", O_RDONLY);
        int w = open("ei", O_WRONLY), r = open("eo", O_RDONLY), a = open("eo", O_RDWR | O_APPEND), p[2];
        loff_t negative = -1, zero = 0, last = 0x7fffffffffffffff;
        CHECK_ERRNO(copy(in, NULL, out, NULL, 1, 1), EINVAL);
        CHECK_ERRNO(copy(1000, NULL, out, NULL, 1, 0), EBADF);
        CHECK_ERRNO(copy(in, NULL, 1000, NULL, 1, 0), EBADF);
        CHECK_ERRNO(copy(w, NULL, out, NULL, 1, 0), EBADF);
        CHECK_ERRNO(copy(in, NULL, r, NULL, 1, 0), EBADF);
        CHECK_ERRNO(copy(in, NULL, a, NULL, 1, 0), EBADF);
        CHECK_ERRNO(copy(d, NULL, out, NULL, 1, 0), EISDIR);
        CHECK_ERRNO(copy(in, &negative, out, NULL, 1, 0), EOVERFLOW);
        negative = -10;
        CHECK_ERRNO(copy(in, &negative, out, NULL, 1, 0), EINVAL);
        CHECK_ERRNO(copy(in, BAD_POINTER, out, NULL, 1, 0), EFAULT);
        CHECK_ERRNO(copy(in, &zero, out, BAD_POINTER, 1, 0), EFAULT);
        CHECK_ERRNO(copy(in, &zero, out, &last, 100, 0), EFBIG);
        pipe(p);
        CHECK_ERRNO(copy(in, NULL, p[1], NULL, 1, 0), EINVAL);
        CHECK_ERRNO(copy(p[0], NULL, out, NULL, 1, 0), EINVAL);
        close(in), close(out), close(d), close(w), close(r), close(a), close(p[0]), close(p[1]);
    }
    CASE(copy_extends_sparse_target) {
        int in = conformance_file("si", "xyz"), out = conformance_file("so", "");
        loff_t from = 0, to = 100;
        CHECK_EQ(copy(in, &from, out, &to, 3, 0), 3);
        struct stat s;
        fstat(out, &s);
        CHECK_EQ(s.st_size, 103);
        close(in), close(out);
    }
    CASE(copy_with_unbounded_length) {
        int in = conformance_file("ui", "0123456789"), out = conformance_file("uo", "");
        loff_t from = 0, to = 0;
        CHECK_EQ(copy(in, &from, out, &to, SIZE_MAX, 0), 10);
        from = 5;
        CHECK_ERRNO(copy(in, &from, out, NULL, SIZE_MAX, 0), EOVERFLOW);
        close(in), close(out);
    }
    CASE(copy_nothing) {
        int in = conformance_file("ni", "xyz"), out = conformance_file("no2", "");
        CHECK_EQ(copy(in, NULL, out, NULL, 0, 0), 0);
        close(in), close(out);
    }
}

int main(void) {
    conformance_enter();
    sending();
    copying();
    return conformance_end();
}
