// link(2), linkat(2), symlink(2), readlink(2).
#include "conformance.h"

static struct stat s, t;

static void hard(void) {
    COVERS(link, linkat);
    CASE(link_counts) {
        conformance_make("one", "1");
        CHECK_EQ(syscall(SYS_link, "one", "two"), 0);
        stat("one", &s);
        stat("two", &t);
        CHECK_EQ(s.st_nlink, 2);
        CHECK_EQ(s.st_ino, t.st_ino);
    }
    CASE(link_errors) {
        conformance_make("f", "");
        mkdir("d", 0755);
        CHECK_ERRNO(syscall(SYS_link, "absent", "x"), ENOENT);
        CHECK_ERRNO(syscall(SYS_link, "f", "f"), EEXIST);
        CHECK_ERRNO(syscall(SYS_link, "f", "d"), EEXIST);
        CHECK_ERRNO(syscall(SYS_link, "f", "absent/x"), ENOENT);
        CHECK_ERRNO(syscall(SYS_link, "f", "f/x"), ENOTDIR);
        CHECK_ERRNO(syscall(SYS_link, "d", "x"), EPERM);
        CHECK_ERRNO(syscall(SYS_link, "", "x"), ENOENT);
        CHECK_ERRNO(syscall(SYS_link, "f", ""), ENOENT);
        CHECK_ERRNO(syscall(SYS_link, BAD_POINTER, "x"), EFAULT);
        CHECK_ERRNO(syscall(SYS_link, "f", BAD_POINTER), EFAULT);
        CHECK_ERRNO(syscall(SYS_link, "f", "x/"), ENOENT);
        CHECK_ERRNO(syscall(SYS_link, "f", "/dev/shm/x"), EXDEV);
    }
    CASE(link_of_symlink_links_the_symlink) {
        symlink("f", "sl");
        CHECK_EQ(syscall(SYS_link, "sl", "sl2"), 0);
        lstat("sl2", &s);
        CHECK(S_ISLNK(s.st_mode));
        CHECK_EQ(s.st_nlink, 2);
    }
    CASE(link_to_dangling_name) {
        conformance_make("g", "");
        symlink("nowhere", "dangling");
        CHECK_ERRNO(syscall(SYS_link, "g", "dangling"), EEXIST);
    }
    CASE(linkat_follow) {
        conformance_make("lt", "x");
        symlink("lt", "ll");
        CHECK_EQ(linkat(AT_FDCWD, "ll", AT_FDCWD, "followed", AT_SYMLINK_FOLLOW), 0);
        lstat("followed", &s);
        CHECK(S_ISREG(s.st_mode));
        CHECK_EQ(linkat(AT_FDCWD, "ll", AT_FDCWD, "kept", 0), 0);
        lstat("kept", &s);
        CHECK(S_ISLNK(s.st_mode));
    }
    CASE(linkat_errors) {
        conformance_make("le", "");
        CHECK_ERRNO(linkat(AT_FDCWD, "le", AT_FDCWD, "x", 0x100), EINVAL);
        CHECK_ERRNO(linkat(1000, "le", AT_FDCWD, "x", 0), EBADF);
        CHECK_ERRNO(linkat(AT_FDCWD, "le", 1000, "x", 0), EBADF);
        int f = conformance_file("lf", "");
        CHECK_ERRNO(linkat(f, "le", AT_FDCWD, "x", 0), ENOTDIR);
        CHECK_ERRNO(linkat(f, "", AT_FDCWD, "x", 0), ENOENT);
        close(f);
    }
    CASE(linkat_empty_path_of_root) CHILD {
        int fd = conformance_file("by_fd", "z");
        int r = linkat(fd, "", AT_FDCWD, "linked_fd", AT_EMPTY_PATH);
        CHECK(conformance_is_root() ? r == 0 : (r == 0 || errno == ENOENT));
    }
    CASE(link_of_deleted_file) {
        int fd = conformance_file("deleted", "");
        unlink("deleted");
        char path[40];
        snprintf(path, 40, "/proc/self/fd/%d", fd);
        CHECK_ERRNO(linkat(AT_FDCWD, path, AT_FDCWD, "revived", AT_SYMLINK_FOLLOW), ENOENT);
        close(fd);
    }
    CASE(link_without_permission) CHILD {
        conformance_make("lp", "");
        if (conformance_is_root()) chown("lp", 65534, 65534);
        mkdir("lpd", 0755);
        if (conformance_is_root()) {
            conformance_become_nobody();
            CHECK_ERRNO(syscall(SYS_link, "lp", "lpd/x"), EACCES);
        }
    }
    CASE(link_changes_ctime) {
        conformance_make("lc", "");
        stat("lc", &s);
        usleep(20000);
        link("lc", "lc2");
        stat("lc", &t);
        CHECK(t.st_ctim.tv_sec > s.st_ctim.tv_sec || t.st_ctim.tv_nsec > s.st_ctim.tv_nsec);
        CHECK_EQ(t.st_mtim.tv_nsec, s.st_mtim.tv_nsec);
    }
}

static void symbolic(void) {
    char b[100];
    COVERS(symlink, symlinkat);
    CASE(symlink_holds_any_text) {
        CHECK_EQ(syscall(SYS_symlink, "/a//b/../c", "text"), 0);
        CHECK_EQ(readlink("text", b, 100), 10);
        CHECK_EQ(memcmp(b, "/a//b/../c", 10), 0);
        lstat("text", &s);
        CHECK_EQ(s.st_size, 10);
        CHECK_EQ(s.st_mode, S_IFLNK | 0777);
    }
    CASE(symlink_errors) {
        conformance_make("there", "");
        CHECK_ERRNO(syscall(SYS_symlink, "x", "there"), EEXIST);
        CHECK_ERRNO(syscall(SYS_symlink, "", "empty"), ENOENT);
        CHECK_ERRNO(syscall(SYS_symlink, "x", ""), ENOENT);
        CHECK_ERRNO(syscall(SYS_symlink, "x", "absent/y"), ENOENT);
        CHECK_ERRNO(syscall(SYS_symlink, "x", "there/y"), ENOTDIR);
        CHECK_ERRNO(syscall(SYS_symlink, BAD_POINTER, "y"), EFAULT);
        CHECK_ERRNO(syscall(SYS_symlink, "x", BAD_POINTER), EFAULT);
        CHECK_ERRNO(syscall(SYS_symlink, "x", "y/"), ENOENT);
    }
    CASE(symlink_text_of_4095_and_4096_bytes) {
        char *text = malloc(5000);
        memset(text, 'q', 5000);
        text[4096] = 0;
        CHECK_ERRNO(syscall(SYS_symlink, text, "long"), ENAMETOOLONG);
        text[4000] = 0;
        CHECK_EQ(syscall(SYS_symlink, text, "long"), 0);
        char *back = malloc(5000);
        CHECK_EQ(readlink("long", back, 5000), 4000);
        CHECK_EQ(memcmp(text, back, 4000), 0);
        free(text), free(back);
    }
    CASE(symlinkat_descriptors) {
        mkdir("sd", 0755);
        int d = open("sd", O_PATH);
        CHECK_EQ(symlinkat("zzz", d, "l"), 0);
        CHECK_EQ(readlink("sd/l", b, 100), 3);
        CHECK_ERRNO(symlinkat("zzz", 1000, "l"), EBADF);
        close(d);
    }
    CASE(symlinks_in_the_middle) {
        mkdir("m", 0755);
        mkdir("m/n", 0755);
        conformance_make("m/n/f", "y");
        symlink("m/n", "mid");
        CHECK_EQ(access("mid/f", F_OK), 0);
        CHECK_EQ(access("mid/../n/f", F_OK), 0);
        symlink("../m/./n/f", "m/up");
        CHECK_EQ(access("m/up", R_OK), 0);
    }
    COVERS(readlink, readlinkat);
    CASE(readlink_truncates_without_nul) {
        symlink("abcdef", "six");
        memset(b, '#', 100);
        CHECK_EQ(syscall(SYS_readlink, "six", b, 3), 3);
        CHECK_EQ(memcmp(b, "abc#", 4), 0);
        CHECK_EQ(syscall(SYS_readlink, "six", b, 100), 6);
        CHECK_EQ(b[6], '#');
    }
    CASE(readlink_errors) {
        conformance_make("notlink", "");
        CHECK_ERRNO(syscall(SYS_readlink, "notlink", b, 10), EINVAL);
        CHECK_ERRNO(syscall(SYS_readlink, ".", b, 10), EINVAL);
        CHECK_ERRNO(syscall(SYS_readlink, "absent", b, 10), ENOENT);
        CHECK_ERRNO(syscall(SYS_readlink, "notlink/x", b, 10), ENOTDIR);
        CHECK_ERRNO(syscall(SYS_readlink, "six", b, 0), EINVAL);
        CHECK_ERRNO(syscall(SYS_readlink, "six", b, -1), EINVAL);
        CHECK_ERRNO(syscall(SYS_readlink, "", b, 10), ENOENT);
        CHECK_ERRNO(syscall(SYS_readlink, BAD_POINTER, b, 10), EFAULT);
    }
    CASE(readlink_bad_buffer) {
        symlink("abcdef", "badbuf");
        CHECK_ERRNO(syscall(SYS_readlink, "badbuf", BAD_POINTER, 10), EFAULT);
        CHECK_ERRNO(syscall(SYS_readlink, "badbuf", conformance_before_hole(3), 10), EFAULT);
        CHECK_EQ(syscall(SYS_readlink, "badbuf", conformance_before_hole(6), 100), 6);
    }
    CASE(readlinkat_of_descriptor) {
        symlink("abc", "rl");
        int fd = open("rl", O_PATH | O_NOFOLLOW), d = open(".", O_PATH), f = conformance_file("rf", "");
        CHECK_EQ(readlinkat(fd, "", b, 10), 3);
        CHECK_EQ(readlinkat(d, "rl", b, 10), 3);
        CHECK_ERRNO(readlinkat(f, "", b, 10), ENOENT);
        CHECK_ERRNO(readlinkat(1000, "rl", b, 10), EBADF);
        CHECK_ERRNO(readlinkat(f, "rl", b, 10), ENOTDIR);
        close(fd), close(d), close(f);
    }
    CASE(readlink_of_process_links) {
        CHECK(readlink("/proc/self/exe", b, 100) > 0);
        char cwd[300], link[300] = "";
        getcwd(cwd, 300);
        CHECK_EQ(readlink("/proc/self/cwd", link, 300), (long)strlen(cwd));
        CHECK(!strcmp(cwd, link));
    }
}

int main(void) {
    conformance_enter();
    hard();
    symbolic();
    return conformance_end();
}
