// rename(2), renameat(2), renameat2(2): effects, flags, errors.
#include "conformance.h"

static int sys_rename(const char *from, const char *to) { return syscall(SYS_rename, from, to); }
static int rename2(const char *from, const char *to, unsigned flags) {
    return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}
static char first_byte(const char *path) {
    char c = 0;
    int fd = open(path, O_RDONLY);
    if (fd >= 0) read(fd, &c, 1), close(fd);
    return c;
}
static int is_directory(const char *path) {
    struct stat s;
    return !lstat(path, &s) && S_ISDIR(s.st_mode);
}

int main(void) {
    conformance_enter();
    COVERS(rename, renameat);
    CASE(rename_moves) {
        conformance_make("a", "A");
        CHECK_EQ(sys_rename("a", "b"), 0);
        CHECK_EQ(first_byte("b"), 'A');
        CHECK_ERRNO(access("a", F_OK), ENOENT);
    }
    CASE(rename_replaces_atomically) {
        conformance_make("c", "C");
        int open_old = conformance_file("d", "D");
        CHECK_EQ(sys_rename("c", "d"), 0);
        CHECK_EQ(first_byte("d"), 'C');
        struct stat s;
        fstat(open_old, &s);
        CHECK_EQ(s.st_nlink, 0);
        close(open_old);
    }
    CASE(rename_to_itself) {
        conformance_make("self", "S");
        CHECK_EQ(sys_rename("self", "self"), 0);
        CHECK_EQ(first_byte("self"), 'S');
    }
    CASE(rename_to_hard_link_of_same_file_does_nothing) {
        conformance_make("h1", "H");
        link("h1", "h2");
        CHECK_EQ(sys_rename("h1", "h2"), 0);
        CHECK_EQ(access("h1", F_OK), 0);
        CHECK_EQ(access("h2", F_OK), 0);
    }
    CASE(rename_directory_over_empty_directory) {
        mkdir("d1", 0755);
        conformance_make("d1/x", "");
        mkdir("d2", 0755);
        CHECK_EQ(sys_rename("d1", "d2"), 0);
        CHECK_EQ(access("d2/x", F_OK), 0);
        CHECK(!is_directory("d1"));
    }
    CASE(rename_directory_over_full_directory) {
        mkdir("e1", 0755);
        mkdir("e2", 0755);
        conformance_make("e2/x", "");
        CHECK_ERRNO(sys_rename("e1", "e2"), ENOTEMPTY);
    }
    CASE(rename_between_kinds) {
        mkdir("kd", 0755);
        conformance_make("kf", "");
        CHECK_ERRNO(sys_rename("kf", "kd"), EISDIR);
        CHECK_ERRNO(sys_rename("kd", "kf"), ENOTDIR);
    }
    CASE(rename_directory_into_itself) {
        mkdir("in", 0755);
        mkdir("in/sub", 0755);
        CHECK_ERRNO(sys_rename("in", "in/new"), EINVAL);
        CHECK_ERRNO(sys_rename("in", "in/sub/new"), EINVAL);
        CHECK_ERRNO(sys_rename("in/sub", "in"), ENOTEMPTY);
    }
    CASE(rename_dots) {
        mkdir("dots", 0755);
        CHECK_ERRNO(sys_rename("dots/.", "x"), EBUSY);
        CHECK_ERRNO(sys_rename("dots/..", "x"), EBUSY);
        CHECK_ERRNO(sys_rename("dots", "."), EBUSY);
        CHECK_ERRNO(sys_rename("/", "x"), EBUSY);
    }
    CASE(rename_absent) {
        conformance_make("present", "");
        CHECK_ERRNO(sys_rename("absent", "x"), ENOENT);
        CHECK_ERRNO(sys_rename("absent", "present"), ENOENT);
        CHECK_ERRNO(sys_rename("present", "absent/x"), ENOENT);
        CHECK_ERRNO(sys_rename("", "x"), ENOENT);
        CHECK_ERRNO(sys_rename("present", ""), ENOENT);
        CHECK_ERRNO(sys_rename("present/x", "y"), ENOTDIR);
        CHECK_ERRNO(sys_rename("present", "present/y"), ENOTDIR);
    }
    CASE(rename_bad_pointers) {
        conformance_make("bp", "");
        CHECK_ERRNO(sys_rename(BAD_POINTER, "x"), EFAULT);
        CHECK_ERRNO(sys_rename("bp", BAD_POINTER), EFAULT);
        CHECK_ERRNO(sys_rename(NULL, "x"), EFAULT);
    }
    CASE(rename_long_name) {
        conformance_make("ln", "");
        char name[257];
        memset(name, 'r', 256);
        name[256] = 0;
        CHECK_ERRNO(sys_rename("ln", name), ENAMETOOLONG);
        CHECK_ERRNO(sys_rename(name, "ln"), ENAMETOOLONG);
    }
    CASE(rename_trailing_slash) {
        conformance_make("ts", "");
        mkdir("tsd", 0755);
        CHECK_ERRNO(sys_rename("ts/", "x"), ENOTDIR);
        CHECK_ERRNO(sys_rename("ts", "x/"), ENOTDIR);
        CHECK_EQ(sys_rename("tsd/", "tse/"), 0);
        CHECK(is_directory("tse"));
    }
    CASE(rename_symlink_itself) {
        conformance_make("target", "T");
        symlink("target", "link");
        CHECK_EQ(sys_rename("link", "link2"), 0);
        char b[20];
        CHECK_EQ(readlink("link2", b, 20), 6);
        CHECK_EQ(sys_rename("target", "link2"), 0);
        CHECK_EQ(first_byte("link2"), 'T');
    }
    CASE(rename_across_mounts) {
        conformance_make("mount_file", "");
        CHECK_ERRNO(sys_rename("mount_file", "/proc/mount_file"), EXDEV);
        CHECK_ERRNO(sys_rename("mount_file", "/dev/shm/mount_file"), EXDEV);
    }
    CASE(rename_without_permission) CHILD {
        mkdir("locked", 0755);
        conformance_make("locked/f", "");
        if (conformance_is_root()) {
            conformance_become_nobody();
            CHECK_ERRNO(sys_rename("locked/f", "locked/g"), EACCES);
        }
    }
    CASE(rename_changes_ctime_and_parents) {
        mkdir("pt", 0755);
        conformance_make("pt/f", "");
        struct timespec old[2] = {{1, 0}, {1, 0}};
        utimensat(AT_FDCWD, "pt", old, 0);
        sys_rename("pt/f", "pt/g");
        struct stat s;
        stat("pt", &s);
        CHECK(s.st_mtim.tv_sec > 1);
    }
    CASE(rename_keeps_working_directory_and_parent) CHILD {
        mkdir("p1", 0755);
        mkdir("p2", 0755);
        mkdir("p1/c", 0755);
        chdir("p1/c");
        CHECK_EQ(rename("../../p1/c", "../../p2/c"), 0);
        char b[300];
        CHECK(getcwd(b, 300) && strlen(b) > 5 && !strcmp(b + strlen(b) - 5, "/p2/c"));
        CHECK_EQ(chdir(".."), 0);
        CHECK(getcwd(b, 300) && !strcmp(b + strlen(b) - 3, "/p2"));
    }
    CASE(renameat_descriptors) {
        mkdir("from", 0755);
        mkdir("to", 0755);
        conformance_make("from/f", "F");
        int f = open("from", O_PATH), t = open("to", O_RDONLY), plain = conformance_file("plain", "");
        CHECK_EQ(renameat(f, "f", t, "g"), 0);
        CHECK_EQ(first_byte("to/g"), 'F');
        CHECK_ERRNO(renameat(1000, "f", t, "g"), EBADF);
        CHECK_ERRNO(renameat(t, "g", 1000, "f"), EBADF);
        CHECK_ERRNO(renameat(plain, "g", t, "f"), ENOTDIR);
        close(f), close(t), close(plain);
    }
    COVERS(renameat2);
    CASE(rename_no_replace) {
        conformance_make("nr1", "1");
        conformance_make("nr2", "2");
        CHECK_ERRNO(rename2("nr1", "nr2", RENAME_NOREPLACE), EEXIST);
        CHECK_EQ(first_byte("nr2"), '2');
        CHECK_EQ(rename2("nr1", "nr3", RENAME_NOREPLACE), 0);
        CHECK_ERRNO(rename2("absent", "nr3", RENAME_NOREPLACE), ENOENT);
    }
    CASE(rename_exchange) {
        conformance_make("x1", "1");
        mkdir("x2", 0755);
        conformance_make("x2/in", "");
        CHECK_EQ(rename2("x1", "x2", RENAME_EXCHANGE), 0);
        CHECK(is_directory("x1"));
        CHECK_EQ(access("x1/in", F_OK), 0);
        CHECK_EQ(first_byte("x2"), '1');
        CHECK_ERRNO(rename2("x1", "absent", RENAME_EXCHANGE), ENOENT);
        CHECK_ERRNO(rename2("x1", "x1/in", RENAME_EXCHANGE), EINVAL);
        CHECK_ERRNO(rename2("x1/in", "x1", RENAME_EXCHANGE), EINVAL);
    }
    CASE(rename_flags_exclude_each_other) {
        conformance_make("fl", "");
        CHECK_ERRNO(rename2("fl", "fl2", RENAME_NOREPLACE | RENAME_EXCHANGE), EINVAL);
        CHECK_ERRNO(rename2("fl", "fl2", RENAME_WHITEOUT | RENAME_EXCHANGE), EINVAL);
        CHECK_ERRNO(rename2("fl", "fl2", 8), EINVAL);
    }
    CASE(rename_leaves_a_whiteout) {
        conformance_make("w1", "W");
        CHECK_EQ(rename2("w1", "w2", RENAME_WHITEOUT), 0);
        CHECK_EQ(first_byte("w2"), 'W');
        struct stat s;
        CHECK_EQ(lstat("w1", &s), 0);
        CHECK_EQ(s.st_mode, S_IFCHR);
        CHECK_EQ(s.st_rdev, 0);
        CHECK_EQ(unlink("w1"), 0);
        conformance_make("w3", "");
        CHECK_ERRNO(rename2("w3", "w2", RENAME_WHITEOUT | RENAME_NOREPLACE), EEXIST);
    }
    CASE(rename_exchange_same_file) {
        conformance_make("es", "");
        CHECK_EQ(rename2("es", "es", RENAME_EXCHANGE), 0);
    }
    CASE(rename_exchange_subdirectories_reparents) {
        mkdir("r1", 0755);
        mkdir("r2", 0755);
        mkdir("r1/a", 0755);
        mkdir("r2/b", 0755);
        CHECK_EQ(rename2("r1/a", "r2/b", RENAME_EXCHANGE), 0);
        struct stat one, two;
        stat("r1", &one);
        stat("r1/a/..", &two);
        CHECK_EQ(one.st_ino, two.st_ino);
        CHECK_EQ(one.st_nlink, 3);
    }
    return conformance_end();
}
