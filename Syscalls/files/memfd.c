// memfd_create(2) and file seals.
#include "conformance.h"
#include <linux/memfd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u
#define MFD_EXEC 16u
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x20
#endif
static int create(const char *name, unsigned flags) { return syscall(SYS_memfd_create, name, flags); }

int main(void) {
    char b[100];
    struct stat s;
    conformance_enter();
    COVERS(memfd_create);
    CASE(memfd_is_a_file) {
        int fd = create("plain", 0);
        CHECK(fd >= 0);
        CHECK_EQ(write(fd, "hello", 5), 5);
        CHECK_EQ(pread(fd, b, 10, 0), 5);
        fstat(fd, &s);
        CHECK_EQ(s.st_mode, S_IFREG | 0777);
        CHECK_EQ(s.st_nlink, 0);
        CHECK_EQ(s.st_size, 5);
        CHECK_EQ(ftruncate(fd, 10000), 0);
        CHECK_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
        close(fd);
    }
    CASE(memfd_name_shows_in_process_directory) {
        int fd = create("my name", 0);
        char path[40];
        snprintf(path, 40, "/proc/self/fd/%d", fd);
        long n = readlink(path, b, 99);
        b[n > 0 ? n : 0] = 0;
        CHECK(!strcmp(b, "/memfd:my name (deleted)"));
        close(fd);
    }
    CASE(memfd_close_on_exec) {
        int fd = create("", MFD_CLOEXEC);
        CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
        close(fd);
    }
    CASE(memfd_errors) {
        CHECK_ERRNO(create("x", 0x8000), EINVAL);
        CHECK_ERRNO(create(NULL, 0), EFAULT);
        CHECK_ERRNO(create(BAD_POINTER, 0), EFAULT);
        CHECK_ERRNO(create("x", MFD_EXEC | MFD_NOEXEC_SEAL), EINVAL);
        char name[300];
        memset(name, 'n', sizeof name);
        name[249] = 0;
        int fd = create(name, 0);
        CHECK(fd >= 0);
        close(fd);
        name[249] = 'n';
        name[250] = 0;
        CHECK_ERRNO(create(name, 0), EINVAL);
    }
    CASE(memfd_reopens_through_process_directory) {
        int fd = create("reopen", 0);
        write(fd, "abc", 3);
        char path[40];
        snprintf(path, 40, "/proc/self/fd/%d", fd);
        int other = open(path, O_RDONLY);
        CHECK(other >= 0);
        CHECK_EQ(read(other, b, 10), 3);
        CHECK_ERRNO(write(other, "x", 1), EBADF);
        close(fd), close(other);
    }
    CASE(memfd_without_execution) {
        int fd = create("noexec", MFD_NOEXEC_SEAL);
        fstat(fd, &s);
        CHECK_EQ(s.st_mode & 0777, 0666);
        CHECK_EQ(fcntl(fd, F_GET_SEALS), F_SEAL_EXEC);
        CHECK_ERRNO(fchmod(fd, 0777), EPERM);
        CHECK_EQ(fchmod(fd, 0600), 0);
        close(fd);
    }
    CASE(memfd_is_shared_with_children) {
        int fd = create("shared", 0);
        ftruncate(fd, 4096);
        char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        CHILD p[7] = 'z';
        CHECK_EQ(p[7], 'z');
        CHECK_EQ(pread(fd, b, 1, 7), 1);
        CHECK_EQ(b[0], 'z');
        munmap(p, 4096), close(fd);
    }
    COVERS(memfd_create, fcntl);
    CASE(seals_need_permission_to_seal) {
        int fd = create("sealed", 0);
        CHECK_EQ(fcntl(fd, F_GET_SEALS), F_SEAL_SEAL);
        CHECK_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), EPERM);
        close(fd);
    }
    CASE(seal_write) {
        int fd = create("w", MFD_ALLOW_SEALING);
        write(fd, "hello", 5);
        CHECK_EQ(fcntl(fd, F_GET_SEALS), 0);
        CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
        CHECK_ERRNO(write(fd, "x", 1), EPERM);
        CHECK_ERRNO(pwrite(fd, "x", 1, 0), EPERM);
        CHECK_EQ(pread(fd, b, 10, 0), 5);
        CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EPERM);
        char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
        CHECK(p != MAP_FAILED);
        p[0] = 'j';
        CHECK_ERRNO(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 1), EPERM);
        munmap(p, 4096), close(fd);
    }
    CASE(seal_write_with_mapping) {
        int fd = create("busy", MFD_ALLOW_SEALING);
        ftruncate(fd, 4096);
        char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        CHECK_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
        munmap(p, 4096);
        CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
        close(fd);
    }
    CASE(seal_future_write) {
        int fd = create("future", MFD_ALLOW_SEALING);
        ftruncate(fd, 4096);
        char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), 0);
        p[0] = 'k';
        CHECK_ERRNO(write(fd, "x", 1), EPERM);
        CHECK(mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EPERM);
        pread(fd, b, 1, 0);
        CHECK_EQ(b[0], 'k');
        munmap(p, 4096), close(fd);
    }
    CASE(seal_grow_and_shrink) {
        int fd = create("size", MFD_ALLOW_SEALING);
        ftruncate(fd, 1000);
        CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), 0);
        CHECK_ERRNO(ftruncate(fd, 2000), EPERM);
        CHECK_ERRNO(pwrite(fd, "x", 1, 5000), EPERM);
        CHECK_ERRNO(fallocate(fd, 0, 0, 20000), EPERM);
        CHECK_EQ(ftruncate(fd, 500), 0);
        CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
        CHECK_ERRNO(ftruncate(fd, 100), EPERM);
        CHECK_EQ(ftruncate(fd, 500), 0);
        CHECK_EQ(fcntl(fd, F_GET_SEALS), F_SEAL_GROW | F_SEAL_SHRINK);
        close(fd);
    }
    CASE(seal_seal) {
        int fd = create("seal", MFD_ALLOW_SEALING);
        CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL), 0);
        CHECK_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), EPERM);
        close(fd);
    }
    CASE(seal_errors) {
        int fd = create("err", MFD_ALLOW_SEALING);
        CHECK_ERRNO(fcntl(fd, F_ADD_SEALS, 0x1000), EINVAL);
        char path[40];
        snprintf(path, 40, "/proc/self/fd/%d", fd);
        int r = open(path, O_RDONLY);
        CHECK_ERRNO(fcntl(r, F_ADD_SEALS, F_SEAL_GROW), EPERM);
        CHECK_ERRNO(fcntl(1000, F_ADD_SEALS, 0), EBADF);
        close(fd), close(r);
    }
    return conformance_end();
}
