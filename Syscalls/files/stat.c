// stat(2), lstat(2), fstat(2), newfstatat, statx(2), access(2), faccessat(2), faccessat2.
#include "conformance.h"
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>

static int sys_access(const char *path, int mode) { return syscall(SYS_access, path, mode); }
static int sys_faccessat2(int fd, const char *path, int mode, int flags) {
    return syscall(SYS_faccessat2, fd, path, mode, flags);
}

static void plain(void) {
    struct stat s, t;
    COVERS(stat, lstat, fstat);
    CASE(stat_of_file) {
        int fd = conformance_file("file", "hello");
        fchmod(fd, 0640);
        CHECK_EQ(syscall(SYS_stat, "file", &s), 0);
        CHECK_EQ(s.st_mode, S_IFREG | 0640);
        CHECK_EQ(s.st_size, 5);
        CHECK_EQ(s.st_nlink, 1);
        CHECK_EQ(s.st_uid, geteuid());
        CHECK(s.st_blksize > 0 && s.st_ino != 0);
        CHECK_EQ(syscall(SYS_fstat, fd, &t), 0);
        CHECK_EQ(s.st_ino, t.st_ino);
        CHECK_EQ(s.st_dev, t.st_dev);
        close(fd);
    }
    CASE(stat_of_directory) {
        mkdir("dir", 0750);
        CHECK_EQ(syscall(SYS_stat, "dir", &s), 0);
        CHECK_EQ(s.st_mode, S_IFDIR | 0750);
        CHECK_EQ(s.st_nlink, 2);
        mkdir("dir/sub", 0755);
        syscall(SYS_stat, "dir", &s);
        CHECK_EQ(s.st_nlink, 3);
        syscall(SYS_stat, "dir/sub/..", &t);
        CHECK_EQ(s.st_ino, t.st_ino);
    }
    CASE(stat_follows_and_lstat_does_not) {
        conformance_make("target", "abc");
        symlink("target", "link");
        CHECK_EQ(syscall(SYS_stat, "link", &s), 0);
        CHECK(S_ISREG(s.st_mode));
        CHECK_EQ(syscall(SYS_lstat, "link", &t), 0);
        CHECK_EQ(t.st_mode, S_IFLNK | 0777);
        CHECK_EQ(t.st_size, 6);
        CHECK(s.st_ino != t.st_ino);
    }
    CASE(lstat_with_trailing_slash_follows) {
        mkdir("slashdir", 0755);
        symlink("slashdir", "slashlink");
        CHECK_EQ(syscall(SYS_lstat, "slashlink/", &s), 0);
        CHECK(S_ISDIR(s.st_mode));
    }
    CASE(stat_errors) {
        CHECK_ERRNO(syscall(SYS_stat, "absent", &s), ENOENT);
        CHECK_ERRNO(syscall(SYS_stat, "", &s), ENOENT);
        CHECK_ERRNO(syscall(SYS_stat, NULL, &s), EFAULT);
        CHECK_ERRNO(syscall(SYS_stat, BAD_POINTER, &s), EFAULT);
        CHECK_ERRNO(syscall(SYS_stat, ".", BAD_POINTER), EFAULT);
        CHECK_ERRNO(syscall(SYS_stat, ".", NULL), EFAULT);
        CHECK_ERRNO(syscall(SYS_stat, ".", conformance_before_hole(100)), EFAULT);
        CHECK_ERRNO(syscall(SYS_stat, ".", conformance_read_only("", 1)), EFAULT);
        CHECK_ERRNO(syscall(SYS_lstat, ".", BAD_POINTER), EFAULT);
        CHECK_ERRNO(syscall(SYS_lstat, "absent", &s), ENOENT);
    }
    CASE(stat_structure_ends_at_hole) CHECK_EQ(syscall(SYS_stat, ".", conformance_before_hole(sizeof(struct stat))), 0);
    CASE(fstat_errors) {
        CHECK_ERRNO(syscall(SYS_fstat, -1, &s), EBADF);
        CHECK_ERRNO(syscall(SYS_fstat, 1000, &s), EBADF);
        CHECK_ERRNO(syscall(SYS_fstat, 0, BAD_POINTER), EFAULT);
    }
    CASE(stat_without_search_permission) CHILD {
        mkdir("hidden", 0755);
        conformance_make("hidden/f", "");
        chmod("hidden", 0);
        conformance_become_nobody();
        CHECK_ERRNO(syscall(SYS_stat, "hidden/f", &s), EACCES);
        CHECK_EQ(syscall(SYS_stat, "hidden", &s), 0);
    }
    CASE(fstat_of_pipe_and_socket) {
        int p[2], q[2];
        pipe(p);
        CHECK_EQ(fstat(p[0], &s), 0);
        CHECK_EQ(s.st_mode, S_IFIFO | 0600);
        socketpair(AF_UNIX, SOCK_STREAM, 0, q);
        CHECK_EQ(fstat(q[0], &s), 0);
        CHECK_EQ(s.st_mode, S_IFSOCK | 0777);
        close(p[0]), close(p[1]), close(q[0]), close(q[1]);
    }
    CASE(fstat_of_anonymous_file) {
        int fd = epoll_create1(0);
        CHECK_EQ(fstat(fd, &s), 0);
        CHECK_EQ(s.st_mode & 07777, 0600);
        close(fd);
    }
    CASE(stat_of_devices) {
        CHECK_EQ(stat("/dev/null", &s), 0);
        CHECK(S_ISCHR(s.st_mode));
        CHECK_EQ(s.st_rdev, makedev(1, 3));
        stat("/dev/zero", &s);
        CHECK_EQ(s.st_rdev, makedev(1, 5));
        stat("/dev/full", &s);
        CHECK_EQ(s.st_rdev, makedev(1, 7));
    }
    CASE(fstat_after_unlink) {
        int fd = conformance_file("gone", "abc");
        unlink("gone");
        CHECK_EQ(fstat(fd, &s), 0);
        CHECK_EQ(s.st_nlink, 0);
        CHECK_EQ(s.st_size, 3);
        close(fd);
    }
    CASE(stat_blocks_count_512_bytes) {
        int fd = conformance_file("blocks", "");
        char data[8192];
        memset(data, 1, sizeof data);
        write(fd, data, sizeof data);
        fsync(fd);
        fstat(fd, &s);
        CHECK_EQ(s.st_blocks, 16);
        close(fd);
    }
    COVERS(newfstatat);
    CASE(newfstatat_relative) {
        mkdir("rel", 0755);
        conformance_make("rel/f", "xy");
        int d = open("rel", O_PATH);
        CHECK_EQ(fstatat(d, "f", &s, 0), 0);
        CHECK_EQ(s.st_size, 2);
        CHECK_EQ(syscall(SYS_newfstatat, d, "", &s, AT_EMPTY_PATH), 0);
        CHECK(S_ISDIR(s.st_mode));
        CHECK_EQ(syscall(SYS_newfstatat, AT_FDCWD, "", &s, AT_EMPTY_PATH), 0);
        CHECK(S_ISDIR(s.st_mode));
        CHECK_ERRNO(syscall(SYS_newfstatat, d, "", &s, 0), ENOENT);
        close(d);
    }
    CASE(newfstatat_null_path_with_empty_path_flag) {
        int d = open(".", O_PATH);
        CHECK_EQ(syscall(SYS_newfstatat, d, NULL, &s, AT_EMPTY_PATH), 0);
        CHECK_ERRNO(syscall(SYS_newfstatat, d, NULL, &s, 0), EFAULT);
        close(d);
    }
    CASE(newfstatat_errors) {
        CHECK_ERRNO(syscall(SYS_newfstatat, 1000, "f", &s, 0), EBADF);
        CHECK_ERRNO(syscall(SYS_newfstatat, AT_FDCWD, ".", &s, 0x40000), EINVAL);
        CHECK_ERRNO(syscall(SYS_newfstatat, AT_FDCWD, ".", BAD_POINTER, 0), EFAULT);
        int f = conformance_file("notdir", "");
        CHECK_ERRNO(syscall(SYS_newfstatat, f, "x", &s, 0), ENOTDIR);
        CHECK_EQ(syscall(SYS_newfstatat, f, "/", &s, 0), 0);
        close(f);
    }
    CASE(newfstatat_no_follow) {
        symlink("absent", "nofollow");
        CHECK_ERRNO(fstatat(AT_FDCWD, "nofollow", &s, 0), ENOENT);
        CHECK_EQ(fstatat(AT_FDCWD, "nofollow", &s, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT), 0);
        CHECK(S_ISLNK(s.st_mode));
    }
}

static void extended(void) {
    struct statx x;
    struct stat s;
    COVERS(statx);
    CASE(statx_agrees_with_stat) {
        conformance_make("x", "hello");
        stat("x", &s);
        memset(&x, 0xff, sizeof x);
        CHECK_EQ(syscall(SYS_statx, AT_FDCWD, "x", 0, STATX_BASIC_STATS, &x), 0);
        CHECK_EQ(x.stx_mask & STATX_BASIC_STATS, STATX_BASIC_STATS);
        CHECK_EQ(x.stx_size, 5);
        CHECK_EQ(x.stx_mode, s.st_mode);
        CHECK_EQ(x.stx_ino, s.st_ino);
        CHECK_EQ(x.stx_nlink, 1);
        CHECK_EQ(x.stx_uid, s.st_uid);
        CHECK_EQ(makedev(x.stx_dev_major, x.stx_dev_minor), s.st_dev);
        CHECK_EQ(x.stx_mtime.tv_sec, s.st_mtim.tv_sec);
        CHECK_EQ(x.stx_mtime.tv_nsec, s.st_mtim.tv_nsec);
        CHECK_EQ(x.stx_blocks, s.st_blocks);
    }
    CASE(statx_birth_time) {
        conformance_make("born", "");
        CHECK_EQ(syscall(SYS_statx, AT_FDCWD, "born", 0, STATX_BTIME, &x), 0);
        CHECK(x.stx_mask & STATX_BTIME);
        CHECK(x.stx_btime.tv_sec > 1600000000);
    }
    CASE(statx_mount_id) {
        CHECK_EQ(syscall(SYS_statx, AT_FDCWD, "/proc", 0, STATX_MNT_ID, &x), 0);
        CHECK(x.stx_mask & STATX_MNT_ID);
        CHECK(x.stx_mnt_id != 0);
        CHECK(x.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT);
        CHECK(x.stx_attributes & STATX_ATTR_MOUNT_ROOT);
    }
    CASE(statx_of_descriptor) {
        int fd = conformance_file("xfd", "ab");
        CHECK_EQ(syscall(SYS_statx, fd, "", AT_EMPTY_PATH, STATX_SIZE, &x), 0);
        CHECK_EQ(x.stx_size, 2);
        CHECK_EQ(syscall(SYS_statx, fd, NULL, AT_EMPTY_PATH, STATX_SIZE, &x), 0);
        CHECK_ERRNO(syscall(SYS_statx, fd, "", 0, STATX_SIZE, &x), ENOENT);
        close(fd);
        int p[2];
        pipe(p);
        CHECK_EQ(syscall(SYS_statx, p[0], "", AT_EMPTY_PATH, STATX_TYPE, &x), 0);
        CHECK_EQ(x.stx_mode & S_IFMT, S_IFIFO);
        close(p[0]), close(p[1]);
    }
    CASE(statx_sync_flags) {
        CHECK_EQ(syscall(SYS_statx, AT_FDCWD, ".", AT_STATX_FORCE_SYNC, 0, &x), 0);
        CHECK_EQ(syscall(SYS_statx, AT_FDCWD, ".", AT_STATX_DONT_SYNC, 0, &x), 0);
        CHECK_ERRNO(syscall(SYS_statx, AT_FDCWD, ".", AT_STATX_SYNC_TYPE, 0, &x), EINVAL);
    }
    CASE(statx_errors) {
        CHECK_ERRNO(syscall(SYS_statx, AT_FDCWD, ".", 0x40000, 0, &x), EINVAL);
        CHECK_ERRNO(syscall(SYS_statx, AT_FDCWD, ".", 0, STATX__RESERVED, &x), EINVAL);
        CHECK_ERRNO(syscall(SYS_statx, AT_FDCWD, "absent", 0, 0, &x), ENOENT);
        CHECK_ERRNO(syscall(SYS_statx, AT_FDCWD, BAD_POINTER, 0, 0, &x), EFAULT);
        CHECK_ERRNO(syscall(SYS_statx, AT_FDCWD, ".", 0, 0, BAD_POINTER), EFAULT);
        CHECK_ERRNO(syscall(SYS_statx, AT_FDCWD, ".", 0, 0, conformance_before_hole(255)), EFAULT);
        CHECK_ERRNO(syscall(SYS_statx, 1000, "x", 0, 0, &x), EBADF);
    }
    CASE(statx_of_symlink) {
        symlink("target", "xlink");
        CHECK_EQ(syscall(SYS_statx, AT_FDCWD, "xlink", AT_SYMLINK_NOFOLLOW, STATX_TYPE, &x), 0);
        CHECK(S_ISLNK(x.stx_mode));
    }
}

static void accessing(void) {
    COVERS(access, faccessat);
    CASE(access_existence) {
        conformance_make("acc", "");
        CHECK_EQ(sys_access("acc", F_OK), 0);
        CHECK_ERRNO(sys_access("absent", F_OK), ENOENT);
        CHECK_ERRNO(sys_access("acc/x", F_OK), ENOTDIR);
        CHECK_ERRNO(sys_access("", F_OK), ENOENT);
    }
    CASE(access_bad_arguments) {
        CHECK_ERRNO(sys_access(".", 8), EINVAL);
        CHECK_ERRNO(sys_access(".", -1), EINVAL);
        CHECK_ERRNO(sys_access(BAD_POINTER, F_OK), EFAULT);
        CHECK_ERRNO(syscall(SYS_faccessat, 1000, "x", F_OK), EBADF);
        CHECK_ERRNO(syscall(SYS_faccessat, AT_FDCWD, ".", 8), EINVAL);
    }
    CASE(access_of_root_to_unexecutable) CHILD {
        conformance_make("noexec", "");
        chmod("noexec", 0600);
        CHECK_ERRNO(sys_access("noexec", X_OK), EACCES);
        CHECK_EQ(sys_access("noexec", R_OK | W_OK), 0);
        chmod("noexec", 0100);
        CHECK_EQ(sys_access("noexec", X_OK), 0);
    }
    CASE(access_of_nobody) CHILD {
        conformance_make("perm", "");
        chmod("perm", 0604);
        mkdir("permdir", 0755);
        if (conformance_is_root()) {
            conformance_become_nobody();
            CHECK_EQ(sys_access("perm", R_OK), 0);
            CHECK_ERRNO(sys_access("perm", W_OK), EACCES);
            CHECK_ERRNO(sys_access("perm", R_OK | W_OK), EACCES);
            CHECK_ERRNO(sys_access("permdir", W_OK), EACCES);
            CHECK_EQ(sys_access("permdir", X_OK), 0);
        }
    }
    CASE(access_uses_real_ids) CHILD {
        conformance_make("real", "");
        chmod("real", 0600);
        if (conformance_is_root()) {
            syscall(SYS_setresuid, 65534, 0, 0);
            CHECK_ERRNO(sys_access("real", R_OK), EACCES);
            CHECK_EQ(sys_faccessat2(AT_FDCWD, "real", R_OK, AT_EACCESS), 0);
        }
    }
    COVERS(faccessat2);
    CASE(faccessat2_flags) {
        symlink("absent", "acclink");
        CHECK_ERRNO(sys_faccessat2(AT_FDCWD, "acclink", F_OK, 0), ENOENT);
        CHECK_EQ(sys_faccessat2(AT_FDCWD, "acclink", F_OK, AT_SYMLINK_NOFOLLOW), 0);
        CHECK_EQ(sys_faccessat2(AT_FDCWD, "", F_OK, AT_EMPTY_PATH), 0);
        int d = open(".", O_PATH);
        CHECK_EQ(sys_faccessat2(d, "", R_OK, AT_EMPTY_PATH), 0);
        close(d);
    }
    CASE(faccessat2_errors) {
        CHECK_ERRNO(sys_faccessat2(AT_FDCWD, ".", F_OK, 0x8000), EINVAL);
        CHECK_ERRNO(sys_faccessat2(AT_FDCWD, ".", 16, 0), EINVAL);
        CHECK_ERRNO(sys_faccessat2(1000, "", F_OK, AT_EMPTY_PATH), EBADF);
        CHECK_ERRNO(sys_faccessat2(AT_FDCWD, BAD_POINTER, F_OK, 0), EFAULT);
    }
}

int main(void) {
    conformance_enter();
    plain();
    extended();
    accessing();
    return conformance_end();
}
