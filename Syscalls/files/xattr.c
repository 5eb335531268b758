// xattr(7): setxattr(2), getxattr(2), listxattr(2), removexattr(2) and their forms for links, descriptors and directories.
#include "conformance.h"
#include <sys/xattr.h>

struct xattr_arguments {
    uint64_t value;
    uint32_t size, flags;
};
static long set(const char *path, const char *name, const void *value, size_t size, int flags) {
    return syscall(SYS_setxattr, path, name, value, size, flags);
}
static long get(const char *path, const char *name, void *value, size_t size) {
    return syscall(SYS_getxattr, path, name, value, size);
}
static int lists(const char *list, long length, const char *name) {
    for (long at = 0; at < length; at += strlen(list + at) + 1)
        if (!strcmp(list + at, name)) return 1;
    return 0;
}

static void values(void) {
    char b[100];
    COVERS(setxattr, getxattr);
    CASE(xattr_round_trip) {
        conformance_make("f", "");
        CHECK_EQ(set("f", "user.a", "value", 5, 0), 0);
        CHECK_EQ(get("f", "user.a", b, 100), 5);
        CHECK_EQ(memcmp(b, "value", 5), 0);
        CHECK_EQ(set("f", "user.a", "other!", 6, 0), 0);
        CHECK_EQ(get("f", "user.a", b, 100), 6);
    }
    CASE(xattr_size_is_asked_with_zero) {
        conformance_make("s", "");
        set("s", "user.a", "value", 5, 0);
        CHECK_EQ(get("s", "user.a", NULL, 0), 5);
        CHECK_EQ(get("s", "user.a", BAD_POINTER, 0), 5);
        CHECK_ERRNO(get("s", "user.a", b, 4), ERANGE);
        CHECK_EQ(get("s", "user.a", b, 5), 5);
    }
    CASE(xattr_empty_value) {
        conformance_make("e", "");
        CHECK_EQ(set("e", "user.empty", "", 0, 0), 0);
        CHECK_EQ(get("e", "user.empty", b, 100), 0);
        CHECK_EQ(set("e", "user.null", NULL, 0, 0), 0);
    }
    CASE(xattr_create_and_replace) {
        conformance_make("c", "");
        CHECK_ERRNO(set("c", "user.a", "x", 1, XATTR_REPLACE), ENODATA);
        CHECK_EQ(set("c", "user.a", "x", 1, XATTR_CREATE), 0);
        CHECK_ERRNO(set("c", "user.a", "x", 1, XATTR_CREATE), EEXIST);
        CHECK_EQ(set("c", "user.a", "y", 1, XATTR_REPLACE), 0);
        CHECK_ERRNO(set("c", "user.a", "y", 1, 4), EINVAL);
    }
    CASE(xattr_absent) {
        conformance_make("a", "");
        CHECK_ERRNO(get("a", "user.none", b, 100), ENODATA);
        CHECK_ERRNO(get("absent", "user.none", b, 100), ENOENT);
        CHECK_ERRNO(set("absent", "user.none", b, 1, 0), ENOENT);
    }
    CASE(xattr_names) {
        conformance_make("n", "");
        char name[300];
        memset(name, 'n', sizeof name);
        memcpy(name, "user.", 5);
        name[255] = 0;
        CHECK_EQ(set("n", name, "x", 1, 0), 0);
        name[255] = 'n';
        name[256] = 0;
        CHECK_ERRNO(set("n", name, "x", 1, 0), ERANGE);
        CHECK_ERRNO(set("n", "", "x", 1, 0), ERANGE);
        CHECK_ERRNO(get("n", "", b, 1), ERANGE);
        CHECK_ERRNO(set("n", "nospace", "x", 1, 0), EOPNOTSUPP);
        CHECK_ERRNO(get("n", "nospace", b, 1), EOPNOTSUPP);
        CHECK_ERRNO(set("n", "user.", "x", 1, 0), EINVAL);
    }
    CASE(xattr_too_large_value) {
        conformance_make("l", "");
        static char big[70000];
        CHECK_ERRNO(set("l", "user.big", big, 65537, 0), E2BIG);
    }
    CASE(xattr_bad_pointers) {
        conformance_make("b", "");
        set("b", "user.a", "value", 5, 0);
        CHECK_ERRNO(set(BAD_POINTER, "user.a", "x", 1, 0), EFAULT);
        CHECK_ERRNO(set("b", BAD_POINTER, "x", 1, 0), EFAULT);
        CHECK_ERRNO(set("b", "user.a", BAD_POINTER, 1, 0), EFAULT);
        CHECK_ERRNO(set("b", "user.a", conformance_before_hole(3), 5, 0), EFAULT);
        CHECK_ERRNO(get("b", BAD_POINTER, b, 1), EFAULT);
        CHECK_ERRNO(get("b", "user.a", BAD_POINTER, 100), EFAULT);
        CHECK_ERRNO(get("b", "user.a", conformance_before_hole(3), 100), EFAULT);
    }
    CASE(xattr_user_names_need_plain_files) {
        mkfifo("fifo", 0600);
        symlink("f", "link");
        CHECK_ERRNO(set("fifo", "user.a", "x", 1, 0), EPERM);
        CHECK_ERRNO(syscall(SYS_lsetxattr, "link", "user.a", "x", 1, 0), EPERM);
        CHECK_ERRNO(syscall(SYS_lgetxattr, "link", "user.a", b, 1), ENODATA);
        CHECK_EQ(set(".", "user.dir", "x", 1, 0), 0);
    }
    CASE(xattr_permissions) CHILD {
        conformance_make("p", "");
        set("p", "user.a", "v", 1, 0);
        chmod("p", 0604);
        if (conformance_is_root()) {
            conformance_become_nobody();
            CHECK_EQ(get("p", "user.a", b, 10), 1);
            CHECK_ERRNO(set("p", "user.a", "x", 1, 0), EACCES);
            CHECK_ERRNO(set("p", "trusted.a", "x", 1, 0), EPERM);
            CHECK_ERRNO(get("p", "trusted.a", b, 10), ENODATA);
        }
    }
    CASE(xattr_trusted_by_root) CHILD {
        conformance_make("tr", "");
        if (conformance_is_root()) {
            CHECK_EQ(set("tr", "trusted.a", "x", 1, 0), 0);
            CHECK_EQ(get("tr", "trusted.a", b, 10), 1);
            chmod("tr", 0777);
            conformance_become_nobody();
            CHECK_EQ(syscall(SYS_listxattr, "tr", b, 100), 0);
        }
    }
}

static void forms(void) {
    char b[1000];
    COVERS(lsetxattr, lgetxattr, fsetxattr, fgetxattr);
    CASE(xattr_of_descriptor) {
        int fd = conformance_file("fd", ""), path = open("fd", O_PATH);
        CHECK_EQ(fsetxattr(fd, "user.a", "abc", 3, 0), 0);
        CHECK_EQ(fgetxattr(fd, "user.a", b, 100), 3);
        CHECK_EQ(syscall(SYS_lgetxattr, "fd", "user.a", b, 100), 3);
        CHECK_ERRNO(fsetxattr(path, "user.a", "abc", 3, 0), EBADF);
        CHECK_ERRNO(fgetxattr(path, "user.a", b, 3), EBADF);
        CHECK_ERRNO(fgetxattr(1000, "user.a", b, 3), EBADF);
        CHECK_ERRNO(fsetxattr(1000, "user.a", b, 3, 0), EBADF);
        close(fd), close(path);
    }
    CASE(xattr_through_read_only_descriptor) {
        conformance_make("rofd", "");
        int fd = open("rofd", O_RDONLY);
        CHECK_EQ(fsetxattr(fd, "user.a", "abc", 3, 0), 0);
        close(fd);
    }
    COVERS(listxattr, llistxattr, flistxattr);
    CASE(xattr_list) {
        int fd = conformance_file("list", "");
        CHECK_EQ(syscall(SYS_listxattr, "list", b, 100), 0);
        set("list", "user.one", "1", 1, 0);
        set("list", "user.three", "3", 1, 0);
        long n = syscall(SYS_listxattr, "list", b, 100);
        CHECK_EQ(n, 9 + 11);
        CHECK(lists(b, n, "user.one") && lists(b, n, "user.three"));
        CHECK_EQ(syscall(SYS_listxattr, "list", NULL, 0), n);
        CHECK_ERRNO(syscall(SYS_listxattr, "list", b, n - 1), ERANGE);
        CHECK_EQ(syscall(SYS_llistxattr, "list", b, 100), n);
        CHECK_EQ(flistxattr(fd, b, 100), n);
        close(fd);
    }
    CASE(xattr_list_errors) {
        conformance_make("le", "");
        set("le", "user.a", "1", 1, 0);
        CHECK_ERRNO(syscall(SYS_listxattr, "absent", b, 100), ENOENT);
        CHECK_ERRNO(syscall(SYS_listxattr, BAD_POINTER, b, 100), EFAULT);
        CHECK_ERRNO(syscall(SYS_listxattr, "le", BAD_POINTER, 100), EFAULT);
        CHECK_ERRNO(flistxattr(1000, b, 100), EBADF);
    }
    COVERS(removexattr, lremovexattr, fremovexattr);
    CASE(xattr_remove) {
        int fd = conformance_file("rm", "");
        for (int i = 0; i < 3; i++) {
            char name[20];
            snprintf(name, 20, "user.%d", i);
            set("rm", name, "x", 1, 0);
        }
        CHECK_EQ(syscall(SYS_removexattr, "rm", "user.0"), 0);
        CHECK_EQ(syscall(SYS_lremovexattr, "rm", "user.1"), 0);
        CHECK_EQ(fremovexattr(fd, "user.2"), 0);
        CHECK_EQ(syscall(SYS_listxattr, "rm", b, 100), 0);
        CHECK_ERRNO(syscall(SYS_removexattr, "rm", "user.0"), ENODATA);
        close(fd);
    }
    CASE(xattr_remove_errors) {
        conformance_make("rme", "");
        CHECK_ERRNO(syscall(SYS_removexattr, "absent", "user.a"), ENOENT);
        CHECK_ERRNO(syscall(SYS_removexattr, "rme", ""), ERANGE);
        CHECK_ERRNO(syscall(SYS_removexattr, "rme", BAD_POINTER), EFAULT);
        CHECK_ERRNO(syscall(SYS_removexattr, BAD_POINTER, "user.a"), EFAULT);
        CHECK_ERRNO(fremovexattr(1000, "user.a"), EBADF);
    }
    CASE(xattr_survives_rename_and_link) {
        conformance_make("sr", "");
        set("sr", "user.keep", "k", 1, 0);
        rename("sr", "sr2");
        link("sr2", "sr3");
        CHECK_EQ(get("sr3", "user.keep", b, 10), 1);
    }
    CASE(xattr_changes_ctime) {
        conformance_make("ct", "");
        struct stat s, t;
        stat("ct", &s);
        usleep(20000);
        set("ct", "user.a", "k", 1, 0);
        stat("ct", &t);
        CHECK(t.st_ctim.tv_nsec != s.st_ctim.tv_nsec);
        CHECK_EQ(t.st_mtim.tv_nsec, s.st_mtim.tv_nsec);
    }
    COVERS(setxattrat, getxattrat, listxattrat, removexattrat);
    CASE(xattrat_round_trip) {
        int fd = conformance_file("at", ""), d = open(".", O_PATH);
        struct xattr_arguments a = {(uintptr_t) "abcd", 4, 0};
        CHECK_EQ(syscall(SYS_setxattrat, d, "at", 0, "user.a", &a, sizeof a), 0);
        a = (struct xattr_arguments){(uintptr_t)b, 100, 0};
        CHECK_EQ(syscall(SYS_getxattrat, d, "at", 0, "user.a", &a, sizeof a), 4);
        CHECK_EQ(syscall(SYS_getxattrat, fd, "", AT_EMPTY_PATH, "user.a", &a, sizeof a), 4);
        CHECK_EQ(syscall(SYS_listxattrat, d, "at", 0, b, 100), 7);
        CHECK_EQ(syscall(SYS_removexattrat, d, "at", 0, "user.a"), 0);
        CHECK_EQ(syscall(SYS_listxattrat, d, "at", 0, b, 100), 0);
        close(fd), close(d);
    }
    CASE(xattrat_errors) {
        conformance_make("ate", "");
        char big[32] = {0};
        struct xattr_arguments a = {(uintptr_t) "abcd", 4, 0};
        CHECK_ERRNO(syscall(SYS_setxattrat, AT_FDCWD, "ate", 0, "user.a", &a, 8), EINVAL);
        CHECK_ERRNO(syscall(SYS_setxattrat, AT_FDCWD, "ate", 0, "user.a", BAD_POINTER, 16), EFAULT);
        CHECK_ERRNO(syscall(SYS_setxattrat, AT_FDCWD, "ate", 0x8000, "user.a", &a, 16), EINVAL);
        CHECK_ERRNO(syscall(SYS_setxattrat, 1000, "ate", 0, "user.a", &a, 16), EBADF);
        big[31] = 1;
        CHECK_ERRNO(syscall(SYS_setxattrat, AT_FDCWD, "ate", 0, "user.a", big, 32), E2BIG);
        a.flags = 1;
        CHECK_ERRNO(syscall(SYS_getxattrat, AT_FDCWD, "ate", 0, "user.a", &a, 16), EINVAL);
    }
}

int main(void) {
    conformance_enter();
    values();
    forms();
    return conformance_end();
}
