// chmod(2), chown(2), utimensat(2) and their relatives.
#include "conformance.h"
#include <sys/vfs.h>
#include <time.h>
#include <sys/resource.h>
#include <utime.h>

static struct stat s;
static int mode_of(const char *path) { return stat(path, &s) ? -1 : (int)(s.st_mode & 07777); }

static void modes(void) {
    COVERS(chmod, fchmod, fchmodat, fchmodat2);
    CASE(chmod_all_bits) {
        conformance_make("c", "");
        CHECK_EQ(syscall(SYS_chmod, "c", 07777), 0);
        CHECK_EQ(mode_of("c"), 07777);
        CHECK_EQ(syscall(SYS_chmod, "c", 0), 0);
        CHECK_EQ(mode_of("c"), 0);
        CHECK_EQ(syscall(SYS_chmod, "c", 0170000 | 0644), 0);
        CHECK_EQ(mode_of("c"), 0644);
        CHECK(S_ISREG(s.st_mode));
    }
    CASE(chmod_follows) {
        conformance_make("t", "");
        symlink("t", "l");
        CHECK_EQ(syscall(SYS_chmod, "l", 0600), 0);
        CHECK_EQ(mode_of("t"), 0600);
    }
    CASE(chmod_errors) {
        CHECK_ERRNO(syscall(SYS_chmod, "absent", 0600), ENOENT);
        CHECK_ERRNO(syscall(SYS_chmod, "", 0600), ENOENT);
        CHECK_ERRNO(syscall(SYS_chmod, BAD_POINTER, 0600), EFAULT);
        CHECK_ERRNO(syscall(SYS_fchmod, -1, 0600), EBADF);
        CHECK_ERRNO(syscall(SYS_fchmodat, 1000, "x", 0600), EBADF);
        CHECK_ERRNO(syscall(SYS_fchmodat, AT_FDCWD, BAD_POINTER, 0600), EFAULT);
        CHECK_ERRNO(syscall(SYS_fchmodat2, AT_FDCWD, ".", 0700, 0x8000), EINVAL);
    }
    CASE(chmod_changes_ctime_only) {
        conformance_make("ct", "");
        struct timespec old[2] = {{1, 0}, {2, 0}};
        utimensat(AT_FDCWD, "ct", old, 0);
        chmod("ct", 0600);
        stat("ct", &s);
        CHECK_EQ(s.st_mtim.tv_sec, 2);
        CHECK(s.st_ctim.tv_sec > 2);
    }
    CASE(chmod_of_stranger) CHILD {
        conformance_make("stranger", "");
        if (conformance_is_root()) {
            conformance_become_nobody();
            CHECK_ERRNO(syscall(SYS_chmod, "stranger", 0777), EPERM);
        }
    }
    CASE(chmod_drops_set_group_id_of_foreign_group) CHILD {
        if (conformance_is_root()) {
            conformance_make("sgid", "");
            chown("sgid", 65534, 4242);
            conformance_become_nobody();
            CHECK_EQ(syscall(SYS_chmod, "sgid", 02755), 0);
            CHECK_EQ(mode_of("sgid"), 0755);
        }
    }
    CASE(fchmod_of_open_file) {
        int fd = conformance_file("fc", "");
        CHECK_EQ(fchmod(fd, 0750), 0);
        CHECK_EQ(mode_of("fc"), 0750);
        close(fd);
        fd = open("fc", O_RDONLY);
        CHECK_EQ(fchmod(fd, 0400), 0);
        close(fd);
    }
    CASE(fchmod_of_pipe) {
        int p[2];
        pipe(p);
        CHECK_EQ(fchmod(p[0], 0640), 0);
        fstat(p[0], &s);
        CHECK_EQ(s.st_mode & 0777, 0640);
        close(p[0]), close(p[1]);
    }
    CASE(fchmodat2_of_descriptor) {
        conformance_make("f2", "");
        int fd = open("f2", O_PATH);
        CHECK_EQ(syscall(SYS_fchmodat2, fd, "", 0611, AT_EMPTY_PATH), 0);
        CHECK_EQ(mode_of("f2"), 0611);
        CHECK_ERRNO(syscall(SYS_fchmodat2, fd, "", 0611, 0), ENOENT);
        close(fd);
    }
    CASE(fchmodat2_of_symlink) {
        symlink("absent", "f2l");
        CHECK_ERRNO(syscall(SYS_fchmodat2, AT_FDCWD, "f2l", 0600, AT_SYMLINK_NOFOLLOW), EOPNOTSUPP);
        CHECK_ERRNO(syscall(SYS_fchmodat2, AT_FDCWD, "f2l", 0600, 0), ENOENT);
    }
    CASE(chmod_in_process_directory) CHECK_ERRNO(syscall(SYS_chmod, "/proc/self/stat", 0777), EPERM);
}

static void owners(void) {
    COVERS(chown, fchown, lchown, fchownat);
    CASE(chown_to_self_and_unchanged) {
        conformance_make("o", "");
        CHECK_EQ(syscall(SYS_chown, "o", geteuid(), getegid()), 0);
        CHECK_EQ(syscall(SYS_chown, "o", -1, -1), 0);
        stat("o", &s);
        CHECK_EQ(s.st_uid, geteuid());
    }
    CASE(chown_by_root) CHILD {
        if (conformance_is_root()) {
            conformance_make("or", "");
            CHECK_EQ(syscall(SYS_chown, "or", 1234, 5678), 0);
            stat("or", &s);
            CHECK(s.st_uid == 1234 && s.st_gid == 5678);
            CHECK_EQ(syscall(SYS_chown, "or", -1, 99), 0);
            stat("or", &s);
            CHECK(s.st_uid == 1234 && s.st_gid == 99);
        }
    }
    CASE(chown_clears_set_ids) CHILD {
        conformance_make("osid", "");
        chmod("osid", 06755);
        CHECK_EQ(syscall(SYS_chown, "osid", -1, getegid()), 0);
        CHECK_EQ(mode_of("osid"), 0755);
        chmod("osid", 06745);
        syscall(SYS_chown, "osid", -1, getegid());
        CHECK_EQ(mode_of("osid"), 02745);
    }
    CASE(chown_of_stranger) CHILD {
        conformance_make("os", "");
        if (conformance_is_root()) {
            conformance_become_nobody();
            CHECK_ERRNO(syscall(SYS_chown, "os", 65534, -1), EPERM);
            CHECK_ERRNO(syscall(SYS_chown, "os", -1, 65534), EPERM);
        }
    }
    CASE(chown_of_own_file_to_own_groups_only) CHILD {
        if (conformance_is_root()) {
            conformance_make("og", "");
            chown("og", 65534, 65534);
            conformance_become_nobody();
            CHECK_EQ(syscall(SYS_chown, "og", -1, 65534), 0);
            CHECK_ERRNO(syscall(SYS_chown, "og", -1, 1), EPERM);
            CHECK_ERRNO(syscall(SYS_chown, "og", 1, -1), EPERM);
        }
    }
    CASE(lchown_changes_the_link) CHILD {
        conformance_make("lt", "");
        symlink("lt", "ll");
        CHECK_EQ(syscall(SYS_lchown, "ll", -1, -1), 0);
        if (conformance_is_root()) {
            CHECK_EQ(syscall(SYS_lchown, "ll", 77, 78), 0);
            lstat("ll", &s);
            CHECK(s.st_uid == 77 && s.st_gid == 78);
            stat("lt", &s);
            CHECK_EQ(s.st_uid, 0);
        }
    }
    CASE(fchownat_flags) CHILD {
        int fd = conformance_file("fa", "");
        symlink("absent", "fal");
        CHECK_EQ(syscall(SYS_fchownat, fd, "", -1, -1, AT_EMPTY_PATH), 0);
        CHECK_EQ(syscall(SYS_fchownat, AT_FDCWD, "fal", -1, -1, AT_SYMLINK_NOFOLLOW), 0);
        CHECK_ERRNO(syscall(SYS_fchownat, AT_FDCWD, "fal", -1, -1, 0), ENOENT);
        CHECK_ERRNO(syscall(SYS_fchownat, AT_FDCWD, "fa", -1, -1, 0x8000), EINVAL);
        CHECK_ERRNO(syscall(SYS_fchownat, fd, "", -1, -1, 0), ENOENT);
        CHECK_ERRNO(syscall(SYS_fchownat, 1000, "fa", -1, -1, 0), EBADF);
    }
    CASE(chown_errors) {
        CHECK_ERRNO(syscall(SYS_chown, "absent", -1, -1), ENOENT);
        CHECK_ERRNO(syscall(SYS_chown, BAD_POINTER, -1, -1), EFAULT);
        CHECK_ERRNO(syscall(SYS_lchown, BAD_POINTER, -1, -1), EFAULT);
        CHECK_ERRNO(syscall(SYS_fchown, 1000, -1, -1), EBADF);
    }
}

static int utimens(const char *path, long a, long an, long m, long mn, int flags) {
    struct timespec times[2] = {{a, an}, {m, mn}};
    return syscall(SYS_utimensat, AT_FDCWD, path, times, flags);
}

static void times(void) {
    COVERS(utimensat);
    CASE(utimensat_sets_nanoseconds) {
        conformance_make("u", "");
        CHECK_EQ(utimens("u", 1000, 123456789, 2000, 987654321, 0), 0);
        stat("u", &s);
        CHECK(s.st_atim.tv_sec == 1000 && s.st_atim.tv_nsec == 123456789);
        CHECK(s.st_mtim.tv_sec == 2000 && s.st_mtim.tv_nsec == 987654321);
    }
    CASE(utimensat_now_and_omit) {
        conformance_make("un", "");
        utimens("un", 1000, 0, 2000, 0, 0);
        CHECK_EQ(utimens("un", 5, UTIME_OMIT, 6, UTIME_NOW, 0), 0);
        stat("un", &s);
        CHECK_EQ(s.st_atim.tv_sec, 1000);
        CHECK(s.st_mtim.tv_sec > 1600000000);
        CHECK_EQ(utimens("un", 0, UTIME_NOW, 0, UTIME_OMIT, 0), 0);
        stat("un", &s);
        CHECK(s.st_atim.tv_sec > 1600000000);
    }
    CASE(utimensat_both_omitted_checks_nothing) CHECK_EQ(utimens("absent", 0, UTIME_OMIT, 0, UTIME_OMIT, 0), 0);
    CASE(utimensat_null_is_now) {
        conformance_make("uz", "");
        utimens("uz", 1, 0, 1, 0, 0);
        CHECK_EQ(syscall(SYS_utimensat, AT_FDCWD, "uz", NULL, 0), 0);
        stat("uz", &s);
        CHECK(s.st_atim.tv_sec > 1600000000 && s.st_mtim.tv_sec > 1600000000);
    }
    CASE(utimensat_of_descriptor) {
        int fd = conformance_file("ud", "");
        struct timespec t[2] = {{10, 0}, {20, 0}};
        CHECK_EQ(syscall(SYS_utimensat, fd, NULL, t, 0), 0);
        fstat(fd, &s);
        CHECK(s.st_atim.tv_sec == 10 && s.st_mtim.tv_sec == 20);
        CHECK_ERRNO(syscall(SYS_utimensat, fd, NULL, t, AT_SYMLINK_NOFOLLOW), EINVAL);
        CHECK_EQ(syscall(SYS_utimensat, fd, "", t, AT_EMPTY_PATH), 0);
        CHECK_ERRNO(syscall(SYS_utimensat, 1000, NULL, t, 0), EBADF);
        close(fd);
    }
    CASE(utimensat_of_symlink) {
        symlink("absent", "ul");
        CHECK_EQ(utimens("ul", 7, 0, 8, 0, AT_SYMLINK_NOFOLLOW), 0);
        lstat("ul", &s);
        CHECK_EQ(s.st_mtim.tv_sec, 8);
        CHECK_ERRNO(utimens("ul", 7, 0, 8, 0, 0), ENOENT);
    }
    CASE(utimensat_errors) {
        conformance_make("ue", "");
        CHECK_ERRNO(utimens("ue", 0, 1000000000, 0, 0, 0), EINVAL);
        CHECK_ERRNO(utimens("ue", 0, -1, 0, 0, 0), EINVAL);
        CHECK_ERRNO(utimens("ue", 0, 0, 0, 1000000000, 0), EINVAL);
        CHECK_ERRNO(utimens("ue", 0, 0, 0, 0, 0x8000), EINVAL);
        CHECK_ERRNO(syscall(SYS_utimensat, AT_FDCWD, "ue", BAD_POINTER, 0), EFAULT);
        CHECK_ERRNO(syscall(SYS_utimensat, AT_FDCWD, "ue", conformance_before_hole(16), 0), EFAULT);
        CHECK_ERRNO(syscall(SYS_utimensat, AT_FDCWD, BAD_POINTER, NULL, 0), EFAULT);
        CHECK_ERRNO(syscall(SYS_utimensat, AT_FDCWD, NULL, NULL, 0), EFAULT);
        CHECK_ERRNO(syscall(SYS_utimensat, 1000, "ue", NULL, 0), EBADF);
    }
    CASE(utimensat_of_stranger) CHILD {
        conformance_make("us", "");
        chmod("us", 0666);
        conformance_make("ur", "");
        if (conformance_is_root()) {
            conformance_become_nobody();
            CHECK_EQ(syscall(SYS_utimensat, AT_FDCWD, "us", NULL, 0), 0);
            CHECK_EQ(utimens("us", 0, UTIME_NOW, 0, UTIME_NOW, 0), 0);
            CHECK_ERRNO(utimens("us", 1, 0, 1, 0, 0), EPERM);
            CHECK_ERRNO(utimens("us", 0, UTIME_NOW, 0, UTIME_OMIT, 0), EPERM);
            CHECK_ERRNO(syscall(SYS_utimensat, AT_FDCWD, "ur", NULL, 0), EACCES);
        }
    }
    CASE(utimensat_before_the_epoch) {
        conformance_make("ub", "");
        CHECK_EQ(utimens("ub", -100, 5, -200, 6, 0), 0);
        stat("ub", &s);
        CHECK(s.st_atim.tv_sec == -100 && s.st_mtim.tv_sec == -200 && s.st_mtim.tv_nsec == 6);
    }
    COVERS(utime, utimes, futimesat);
    CASE(utime_seconds) {
        conformance_make("v", "");
        struct utimbuf u = {30, 40};
        CHECK_EQ(syscall(SYS_utime, "v", &u), 0);
        stat("v", &s);
        CHECK(s.st_atim.tv_sec == 30 && s.st_mtim.tv_sec == 40);
        CHECK_EQ(syscall(SYS_utime, "v", NULL), 0);
        CHECK_ERRNO(syscall(SYS_utime, "v", BAD_POINTER), EFAULT);
        CHECK_ERRNO(syscall(SYS_utime, "absent", NULL), ENOENT);
    }
    CASE(utimes_microseconds) {
        conformance_make("w", "");
        struct timeval t[2] = {{30, 5}, {40, 6}};
        CHECK_EQ(syscall(SYS_utimes, "w", t), 0);
        stat("w", &s);
        CHECK(s.st_atim.tv_nsec == 5000 && s.st_mtim.tv_nsec == 6000);
        t[0].tv_usec = 1000000;
        CHECK_ERRNO(syscall(SYS_utimes, "w", t), EINVAL);
        t[0].tv_usec = -1;
        CHECK_ERRNO(syscall(SYS_utimes, "w", t), EINVAL);
        CHECK_ERRNO(syscall(SYS_utimes, "w", BAD_POINTER), EFAULT);
    }
    CASE(futimesat_relative) {
        mkdir("fd", 0755);
        conformance_make("fd/x", "");
        int d = open("fd", O_RDONLY);
        struct timeval t[2] = {{50, 0}, {60, 0}};
        CHECK_EQ(syscall(SYS_futimesat, d, "x", t), 0);
        stat("fd/x", &s);
        CHECK_EQ(s.st_mtim.tv_sec, 60);
        CHECK_EQ(syscall(SYS_futimesat, d, NULL, t), 0);
        CHECK_ERRNO(syscall(SYS_futimesat, 1000, "x", t), EBADF);
        close(d);
    }
}

static void sizes(void) {
    COVERS(truncate, ftruncate);
    CASE(truncate_shrinks_and_grows) {
        conformance_make("tr", "0123456789");
        CHECK_EQ(syscall(SYS_truncate, "tr", 4), 0);
        stat("tr", &s);
        CHECK_EQ(s.st_size, 4);
        CHECK_EQ(syscall(SYS_truncate, "tr", 100), 0);
        int fd = open("tr", O_RDONLY);
        char b[100];
        CHECK_EQ(read(fd, b, 100), 100);
        CHECK(b[3] == '3' && b[4] == 0 && b[99] == 0);
        close(fd);
    }
    CASE(truncate_errors) {
        conformance_make("te", "");
        CHECK_ERRNO(syscall(SYS_truncate, "te", -1L), EINVAL);
        CHECK_ERRNO(syscall(SYS_truncate, ".", 0), EISDIR);
        CHECK_ERRNO(syscall(SYS_truncate, "absent", 0), ENOENT);
        CHECK_ERRNO(syscall(SYS_truncate, BAD_POINTER, 0), EFAULT);
        CHECK_ERRNO(syscall(SYS_truncate, "te/x", 0), ENOTDIR);
        CHECK_ERRNO(syscall(SYS_truncate, "/dev/null", 0), EINVAL);
        CHECK_ERRNO(syscall(SYS_truncate, "/proc/self/exe", 0), access("/proc/self/exe", W_OK) ? EACCES : ETXTBSY);
    }
    CASE(truncate_without_permission) CHILD {
        conformance_make("tp", "x");
        if (conformance_is_root()) {
            conformance_become_nobody();
            CHECK_ERRNO(syscall(SYS_truncate, "tp", 0), EACCES);
        }
    }
    CASE(ftruncate_errors) {
        int fd = conformance_file("ft", "abc"), r = open("ft", O_RDONLY), p[2];
        CHECK_ERRNO(ftruncate(fd, -1), EINVAL);
        CHECK_ERRNO(ftruncate(r, 0), EINVAL);
        CHECK_ERRNO(ftruncate(1000, 0), EBADF);
        pipe(p);
        CHECK_ERRNO(ftruncate(p[1], 0), EINVAL);
        close(fd), close(r), close(p[0]), close(p[1]);
    }
    CASE(ftruncate_keeps_position_and_discards_data) {
        int fd = conformance_file("fp", "0123456789");
        lseek(fd, 8, SEEK_SET);
        CHECK_EQ(ftruncate(fd, 2), 0);
        CHECK_EQ(lseek(fd, 0, SEEK_CUR), 8);
        char b[10];
        CHECK_EQ(read(fd, b, 10), 0);
        ftruncate(fd, 10);
        CHECK_EQ(pread(fd, b, 10, 0), 10);
        CHECK(b[1] == '1' && b[2] == 0 && b[9] == 0);
        close(fd);
    }
    CASE(ftruncate_terabyte) {
        int fd = conformance_file("tera", "");
        CHECK_EQ(ftruncate(fd, 1l << 40), 0);
        fstat(fd, &s);
        CHECK_EQ(s.st_size, 1l << 40);
        char b[2];
        CHECK_EQ(pread(fd, b, 2, (1l << 40) - 1), 1);
        close(fd);
    }
    CASE(truncate_changes_times) {
        int fd = conformance_file("tt", "abc");
        struct timespec old[2] = {{1, 0}, {1, 0}};
        futimens(fd, old);
        ftruncate(fd, 1);
        fstat(fd, &s);
        CHECK(s.st_mtim.tv_sec > 1);
        close(fd);
    }
    COVERS(fallocate);
    CASE(fallocate_extends) {
        int fd = conformance_file("fa1", "abc");
        CHECK_EQ(fallocate(fd, 0, 0, 10000), 0);
        fstat(fd, &s);
        CHECK_EQ(s.st_size, 10000);
        CHECK(s.st_blocks * 512 >= 10000);
        char b[4] = "";
        pread(fd, b, 3, 0);
        CHECK(!strcmp(b, "abc"));
        close(fd);
    }
    CASE(fallocate_of_more_than_there_is) {
        int fd = open("/dev/shm/stockade-fallocate", O_RDWR | O_CREAT, 0600);
        struct statfs system;
        CHECK_EQ(fstatfs(fd, &system), 0);
        if (system.f_type == 0x01021994) { // a disk would be filled first
            time_t start = time(NULL);
            CHECK_ERRNO(fallocate(fd, 0, 0, 1ll << 50), ENOSPC);
            CHECK_ERRNO(fallocate(fd, FALLOC_FL_KEEP_SIZE, 1ll << 40, 1ll << 50), ENOSPC);
            CHECK(time(NULL) - start < 3);
        }
        unlink("/dev/shm/stockade-fallocate");
        close(fd);
    }
    CASE(fallocate_keeps_size) {
        int fd = conformance_file("fa2", "abc");
        CHECK_EQ(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 100000), 0);
        fstat(fd, &s);
        CHECK_EQ(s.st_size, 3);
        close(fd);
    }
    CASE(fallocate_punches_holes) {
        int fd = conformance_file("fa3", "");
        char b[16384];
        memset(b, 'x', sizeof b);
        write(fd, b, sizeof b);
        CHECK_EQ(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4000, 8000), 0);
        pread(fd, b, sizeof b, 0);
        CHECK(b[3999] == 'x' && b[4000] == 0 && b[11999] == 0 && b[12000] == 'x');
        fstat(fd, &s);
        CHECK_EQ(s.st_size, 16384);
        CHECK_ERRNO(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 100), EOPNOTSUPP);
        close(fd);
    }
    CASE(fallocate_punches_through_appending_descriptor) {
        conformance_make("fa4", "0123456789");
        int fd = open("fa4", O_RDWR | O_APPEND);
        CHECK_EQ(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 2, 3), 0);
        char b[10];
        CHECK_EQ(pread(fd, b, 10, 0), 10);
        CHECK(b[1] == '1' && b[2] == 0 && b[5] == '5');
        close(fd);
    }
    CASE(fallocate_errors) {
        int fd = conformance_file("fa5", ""), r = open("fa5", O_RDONLY), p[2];
        CHECK_ERRNO(fallocate(fd, 0, -1, 10), EINVAL);
        CHECK_ERRNO(fallocate(fd, 0, 0, 0), EINVAL);
        CHECK_ERRNO(fallocate(fd, 0, 0, -1), EINVAL);
        CHECK_ERRNO(fallocate(fd, 0x1000, 0, 10), EOPNOTSUPP);
        CHECK_ERRNO(fallocate(r, 0, 0, 10), EBADF);
        CHECK_ERRNO(fallocate(1000, 0, 0, 10), EBADF);
        CHECK_ERRNO(fallocate(fd, 0, 0x7fffffffffffff00, 0x1000), EFBIG);
        pipe(p);
        CHECK_ERRNO(fallocate(p[1], 0, 0, 10), ESPIPE);
        int null = open("/dev/null", O_RDWR);
        CHECK_ERRNO(fallocate(null, 0, 0, 10), ENODEV);
        close(fd), close(r), close(p[0]), close(p[1]), close(null);
    }
    CASE(fallocate_over_file_size_limit) CHILD {
        signal(SIGXFSZ, SIG_IGN);
        struct rlimit limit = {1000, 1000};
        setrlimit(RLIMIT_FSIZE, &limit);
        int fd = conformance_file("fa6", "");
        CHECK_ERRNO(fallocate(fd, 0, 0, 1001), EFBIG);
        CHECK_EQ(fallocate(fd, 0, 0, 1000), 0);
    }
}

int main(void) {
    conformance_enter();
    modes();
    owners();
    times();
    sizes();
    return conformance_end();
}
