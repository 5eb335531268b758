// openat2(2): the extensible structure, strict flags, and resolution limits.
#include "conformance.h"
#include <linux/openat2.h>

static int sys_openat2(int fd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
    struct open_how how = {flags, mode, resolve};
    return syscall(SYS_openat2, fd, path, &how, sizeof how);
}

int main(void) {
    conformance_enter();
    mkdir("tree", 0755);
    mkdir("tree/sub", 0755);
    conformance_make("tree/file", "x");
    conformance_make("outside", "y");
    symlink("file", "tree/inner");
    symlink("../outside", "tree/escape");
    symlink("/dev/null", "tree/absolute");
    symlink("/file", "tree/rooted");
    int d = open("tree", O_RDONLY | O_DIRECTORY);

    COVERS(openat2);
    CASE(openat2_opens) {
        int fd = sys_openat2(d, "file", O_RDONLY, 0, 0);
        CHECK(fd >= 0);
        CHECK_EQ(fcntl(fd, F_GETFL), 0100000);
        close(fd);
    }
    CASE(openat2_creates) {
        int fd = sys_openat2(d, "made", O_RDWR | O_CREAT | O_EXCL, 0640, 0);
        CHECK(fd >= 0);
        struct stat s;
        fstat(fd, &s);
        CHECK_EQ(s.st_mode & 07777, 0640);
        close(fd);
    }
    CASE(openat2_unknown_flags) {
        CHECK_ERRNO(sys_openat2(d, "file", 0x40000000, 0, 0), EINVAL);
        CHECK_ERRNO(sys_openat2(d, "file", 1ull << 40, 0, 0), EINVAL);
    }
    CASE(openat2_mode_without_create) CHECK_ERRNO(sys_openat2(d, "file", O_RDONLY, 0600, 0), EINVAL);
    CASE(openat2_unknown_mode_bits) CHECK_ERRNO(sys_openat2(d, "n", O_RDWR | O_CREAT, 0100644, 0), EINVAL);
    CASE(openat2_unknown_resolve) CHECK_ERRNO(sys_openat2(d, "file", O_RDONLY, 0, 0x100), EINVAL);
    CASE(openat2_beneath_with_in_root) {
        CHECK_ERRNO(sys_openat2(d, "file", O_RDONLY, 0, RESOLVE_BENEATH | RESOLVE_IN_ROOT), EINVAL);
    }
    CASE(openat2_path_with_other_flags) CHECK_ERRNO(sys_openat2(d, "file", O_PATH | O_RDWR, 0, 0), EINVAL);
    CASE(openat2_small_structure) {
        struct open_how how = {O_RDONLY, 0, 0};
        CHECK_ERRNO(syscall(SYS_openat2, d, "file", &how, 0), EINVAL);
        CHECK_ERRNO(syscall(SYS_openat2, d, "file", &how, 23), EINVAL);
    }
    CASE(openat2_larger_structure) {
        char big[64] = {0};
        int fd = syscall(SYS_openat2, d, "file", big, sizeof big);
        CHECK(fd >= 0);
        close(fd);
        big[63] = 1;
        CHECK_ERRNO(syscall(SYS_openat2, d, "file", big, sizeof big), E2BIG);
        CHECK_ERRNO(syscall(SYS_openat2, d, "file", big, 4097), E2BIG);
    }
    CASE(openat2_bad_structure) {
        CHECK_ERRNO(syscall(SYS_openat2, d, "file", NULL, 24), EFAULT);
        CHECK_ERRNO(syscall(SYS_openat2, d, "file", BAD_POINTER, 24), EFAULT);
        CHECK_ERRNO(syscall(SYS_openat2, d, "file", conformance_before_hole(16), 24), EFAULT);
        CHECK_ERRNO(syscall(SYS_openat2, d, "file", conformance_before_hole(24), 32), EFAULT);
    }
    CASE(openat2_bad_path) {
        CHECK_ERRNO(sys_openat2(d, BAD_POINTER, O_RDONLY, 0, 0), EFAULT);
        CHECK_ERRNO(sys_openat2(d, "", O_RDONLY, 0, 0), ENOENT);
        CHECK_ERRNO(sys_openat2(1000, "file", O_RDONLY, 0, 0), EBADF);
        CHECK_ERRNO(sys_openat2(d, "file/x", O_RDONLY, 0, 0), ENOTDIR);
    }
    CASE(openat2_beneath_stays_inside) {
        int fd = sys_openat2(d, "inner", O_RDONLY, 0, RESOLVE_BENEATH);
        CHECK(fd >= 0);
        close(fd);
        fd = sys_openat2(d, "sub/../file", O_RDONLY, 0, RESOLVE_BENEATH);
        CHECK(fd >= 0);
        close(fd);
        CHECK_ERRNO(sys_openat2(d, "..", O_RDONLY, 0, RESOLVE_BENEATH), EXDEV);
        CHECK_ERRNO(sys_openat2(d, "sub/../../outside", O_RDONLY, 0, RESOLVE_BENEATH), EXDEV);
        CHECK_ERRNO(sys_openat2(d, "escape", O_RDONLY, 0, RESOLVE_BENEATH), EXDEV);
        CHECK_ERRNO(sys_openat2(d, "absolute", O_RDONLY, 0, RESOLVE_BENEATH), EXDEV);
        CHECK_ERRNO(sys_openat2(d, "/dev/null", O_RDONLY, 0, RESOLVE_BENEATH), EXDEV);
    }
    CASE(openat2_in_root_is_a_root) {
        int fd = sys_openat2(d, "/file", O_RDONLY, 0, RESOLVE_IN_ROOT);
        CHECK(fd >= 0);
        close(fd);
        fd = sys_openat2(d, "../../file", O_RDONLY, 0, RESOLVE_IN_ROOT);
        CHECK(fd >= 0);
        close(fd);
        fd = sys_openat2(d, "rooted", O_RDONLY, 0, RESOLVE_IN_ROOT);
        CHECK(fd >= 0);
        close(fd);
        CHECK_ERRNO(sys_openat2(d, "escape", O_RDONLY, 0, RESOLVE_IN_ROOT), ENOENT);
        CHECK_ERRNO(sys_openat2(d, "absolute", O_RDONLY, 0, RESOLVE_IN_ROOT), ENOENT);
    }
    CASE(openat2_no_symlinks) {
        CHECK_ERRNO(sys_openat2(d, "inner", O_RDONLY, 0, RESOLVE_NO_SYMLINKS), ELOOP);
        int fd = sys_openat2(d, "inner", O_PATH | O_NOFOLLOW, 0, RESOLVE_NO_SYMLINKS);
        CHECK(fd >= 0);
        close(fd);
        fd = sys_openat2(d, "file", O_RDONLY, 0, RESOLVE_NO_SYMLINKS);
        CHECK(fd >= 0);
        close(fd);
    }
    CASE(openat2_no_magic_links) {
        char path[40];
        snprintf(path, 40, "/proc/self/fd/%d", d);
        CHECK_ERRNO(sys_openat2(AT_FDCWD, path, O_RDONLY, 0, RESOLVE_NO_MAGICLINKS), ELOOP);
        int fd = sys_openat2(d, "inner", O_RDONLY, 0, RESOLVE_NO_MAGICLINKS);
        CHECK(fd >= 0);
        close(fd);
    }
    CASE(openat2_no_crossing_of_mounts) {
        CHECK_ERRNO(sys_openat2(AT_FDCWD, "/proc/version", O_RDONLY, 0, RESOLVE_NO_XDEV), EXDEV);
        int fd = sys_openat2(d, "file", O_RDONLY, 0, RESOLVE_NO_XDEV);
        CHECK(fd >= 0);
        close(fd);
    }
    CASE(openat2_cached_never_creates) CHECK_ERRNO(sys_openat2(d, "cached", O_RDWR | O_CREAT, 0600, RESOLVE_CACHED), EAGAIN);
    CASE(openat2_close_on_exec) {
        int fd = sys_openat2(d, "file", O_RDONLY | O_CLOEXEC, 0, 0);
        CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
        close(fd);
    }
    CASE(openat2_temporary_file) {
        int fd = sys_openat2(d, ".", O_TMPFILE | O_RDWR, 0600, 0);
        CHECK(fd >= 0);
        close(fd);
        CHECK_ERRNO(sys_openat2(d, ".", O_TMPFILE | O_RDWR | O_CREAT, 0600, 0), EINVAL);
    }
    return conformance_end();
}
