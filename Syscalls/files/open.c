// open(2), openat(2), creat(2): flags, modes, errors.
#include "conformance.h"
#include <sys/ioctl.h>
#include <sys/resource.h>

static int sys_open(const char *path, int flags, int mode) { return syscall(SYS_open, path, flags, mode); }
static int sys_openat(int fd, const char *path, int flags, int mode) { return syscall(SYS_openat, fd, path, flags, mode); }
static int mode_of(const char *path) {
    struct stat s;
    return stat(path, &s) ? -1 : (int)(s.st_mode & 07777);
}
static long size_of(const char *path) {
    struct stat s;
    return stat(path, &s) ? -1 : s.st_size;
}

static void paths(void) {
    COVERS(open, openat);
    CASE(open_absent) CHECK_ERRNO(sys_open("absent", O_RDONLY, 0), ENOENT);
    CASE(open_empty_path) CHECK_ERRNO(sys_open("", O_RDONLY, 0), ENOENT);
    CASE(open_absent_directory) CHECK_ERRNO(sys_open("absent/file", O_RDWR | O_CREAT, 0600), ENOENT);
    CASE(open_through_file) {
        conformance_make("plain", "");
        CHECK_ERRNO(sys_open("plain/x", O_RDONLY, 0), ENOTDIR);
        CHECK_ERRNO(sys_open("plain/.", O_RDONLY, 0), ENOTDIR);
        CHECK_ERRNO(sys_open("plain/", O_RDONLY, 0), ENOTDIR);
    }
    CASE(open_null_path) CHECK_ERRNO(sys_open(NULL, O_RDONLY, 0), EFAULT);
    CASE(open_unmapped_path) CHECK_ERRNO(sys_open(BAD_POINTER, O_RDONLY, 0), EFAULT);
    CASE(open_kernel_address) CHECK_ERRNO(sys_open((char *)0xffff800000000000, O_RDONLY, 0), EFAULT);
    CASE(open_path_runs_into_hole) {
        char *p = conformance_before_hole(4);
        memcpy(p, "abcd", 4);
        CHECK_ERRNO(sys_open(p, O_RDONLY, 0), EFAULT);
    }
    CASE(open_path_ends_at_hole) {
        conformance_make("abc", "");
        char *p = conformance_before_hole(4);
        memcpy(p, "abc", 4);
        int fd = sys_open(p, O_RDONLY, 0);
        CHECK(fd >= 0);
        close(fd);
    }
    CASE(open_name_of_255_and_256_bytes) {
        char name[300];
        memset(name, 'n', sizeof name);
        name[255] = 0;
        int fd = sys_open(name, O_RDWR | O_CREAT, 0600);
        CHECK(fd >= 0);
        close(fd);
        unlink(name);
        name[255] = 'n';
        name[256] = 0;
        CHECK_ERRNO(sys_open(name, O_RDWR | O_CREAT, 0600), ENAMETOOLONG);
        CHECK_ERRNO(sys_open(name, O_RDONLY, 0), ENAMETOOLONG);
    }
    CASE(open_path_of_4095_and_4096_bytes) {
        char path[5000];
        for (int i = 0; i < 5000; i++) path[i] = i % 2 ? '/' : '.';
        path[4095] = 0;
        int fd = sys_open(path, O_RDONLY, 0);
        CHECK(fd >= 0);
        close(fd);
        path[4095] = '/';
        path[4096] = 0;
        CHECK_ERRNO(sys_open(path, O_RDONLY, 0), ENAMETOOLONG);
    }
    CASE(open_symlink_loop) {
        symlink("loop_b", "loop_a");
        symlink("loop_a", "loop_b");
        CHECK_ERRNO(sys_open("loop_a", O_RDONLY, 0), ELOOP);
        CHECK_ERRNO(sys_open("loop_a/x", O_RDONLY, 0), ELOOP);
    }
    CASE(open_forty_links_and_forty_one) {
        conformance_make("target", "");
        char name[20], to[20];
        for (int i = 0; i <= 41; i++) {
            snprintf(name, 20, "chain%d", i);
            snprintf(to, 20, "chain%d", i - 1);
            symlink(i ? to : "target", name);
        }
        int fd = sys_open("chain39", O_RDONLY, 0);
        CHECK(fd >= 0);
        close(fd);
        CHECK_ERRNO(sys_open("chain40", O_RDONLY, 0), ELOOP);
    }
    CASE(open_dangling_symlink_creates_target) {
        symlink("made_by_link", "dangling");
        CHECK_ERRNO(sys_open("dangling", O_RDONLY, 0), ENOENT);
        int fd = sys_open("dangling", O_RDWR | O_CREAT, 0600);
        CHECK(fd >= 0);
        close(fd);
        CHECK_EQ(access("made_by_link", F_OK), 0);
    }
    CASE(open_exclusive_does_not_follow) {
        symlink("nowhere", "dangling_exclusive");
        CHECK_ERRNO(sys_open("dangling_exclusive", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
    }
    CASE(open_no_follow) {
        conformance_make("nf_target", "");
        symlink("nf_target", "nf_link");
        CHECK_ERRNO(sys_open("nf_link", O_RDONLY | O_NOFOLLOW, 0), ELOOP);
        mkdir("nf_dir", 0755);
        conformance_make("nf_dir/f", "");
        symlink("nf_dir", "nf_dirlink");
        int fd = sys_open("nf_dirlink/f", O_RDONLY | O_NOFOLLOW, 0);
        CHECK(fd >= 0);
        close(fd);
    }
    CASE(openat_relative_to_directory) {
        mkdir("base", 0755);
        int d = open("base", O_RDONLY | O_DIRECTORY);
        int fd = sys_openat(d, "child", O_RDWR | O_CREAT, 0600);
        CHECK(fd >= 0);
        CHECK_EQ(access("base/child", F_OK), 0);
        close(fd);
        fd = sys_openat(d, "..", O_RDONLY, 0);
        CHECK(fd >= 0);
        close(fd);
        close(d);
    }
    CASE(openat_bad_descriptor) {
        CHECK_ERRNO(sys_openat(-1, "x", O_RDONLY, 0), EBADF);
        CHECK_ERRNO(sys_openat(1000, "x", O_RDONLY, 0), EBADF);
    }
    CASE(openat_descriptor_of_file) {
        int f = conformance_file("nodir", "");
        CHECK_ERRNO(sys_openat(f, "x", O_RDONLY, 0), ENOTDIR);
        close(f);
    }
    CASE(openat_absolute_path_ignores_descriptor) {
        int fd = sys_openat(-1, "/dev/null", O_RDONLY, 0);
        CHECK(fd >= 0);
        close(fd);
    }
    CASE(openat_empty_path_with_descriptor) {
        int d = open(".", O_RDONLY);
        CHECK_ERRNO(sys_openat(d, "", O_RDONLY, 0), ENOENT);
        close(d);
    }
    CASE(openat_removed_directory) {
        mkdir("going", 0755);
        int d = open("going", O_RDONLY);
        rmdir("going");
        CHECK_ERRNO(sys_openat(d, "x", O_RDWR | O_CREAT, 0600), ENOENT);
        CHECK_ERRNO(sys_openat(d, "x", O_RDONLY, 0), ENOENT);
        close(d);
    }
}

static void creation(void) {
    COVERS(open, openat);
    CASE(open_create_uses_umask) {
        umask(027);
        close(sys_open("masked", O_RDWR | O_CREAT, 0777));
        umask(022);
        CHECK_EQ(mode_of("masked"), 0750);
    }
    CASE(open_create_ignores_mode_of_existing) {
        close(sys_open("existing_mode", O_RDWR | O_CREAT, 0600));
        close(sys_open("existing_mode", O_RDWR | O_CREAT, 0777));
        CHECK_EQ(mode_of("existing_mode"), 0600);
    }
    CASE(open_create_masks_type_bits) {
        close(sys_open("typed", O_RDWR | O_CREAT, 0170644));
        struct stat s;
        CHECK_EQ(stat("typed", &s), 0);
        CHECK_EQ(s.st_mode, S_IFREG | 0644);
    }
    CASE(open_create_keeps_sticky_and_set_bits) {
        close(sys_open("sticky", O_RDWR | O_CREAT, 07755));
        CHECK_EQ(mode_of("sticky") & 01755, 01755);
    }
    CASE(open_exclusive_of_existing) {
        conformance_make("exists", "");
        CHECK_ERRNO(sys_open("exists", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
        mkdir("exists_dir", 0755);
        CHECK_ERRNO(sys_open("exists_dir", O_RDONLY | O_CREAT | O_EXCL, 0600), EEXIST);
    }
    CASE(open_create_write_access_to_read_only_new_file) {
        int fd = sys_open("read_only_new", O_RDWR | O_CREAT, 0400);
        CHECK(fd >= 0);
        CHECK_EQ(write(fd, "x", 1), 1);
        close(fd);
    }
    CASE(open_create_on_directory) {
        mkdir("create_dir", 0755);
        CHECK_ERRNO(sys_open("create_dir", O_RDONLY | O_CREAT, 0600), EISDIR);
        CHECK_ERRNO(sys_open("create_dir", O_RDWR, 0), EISDIR);
        CHECK_ERRNO(sys_open("create_dir", O_WRONLY, 0), EISDIR);
        CHECK_ERRNO(sys_open("create_dir", O_RDONLY | O_TRUNC, 0), EISDIR);
    }
    CASE(open_create_with_trailing_slash) CHECK_ERRNO(sys_open("no_such/", O_RDWR | O_CREAT, 0600), EISDIR);
    CASE(open_create_dot) {
        CHECK_ERRNO(sys_open(".", O_RDWR | O_CREAT, 0600), EISDIR);
        CHECK_ERRNO(sys_open("..", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
    }
    CASE(open_create_and_directory) CHECK_ERRNO(sys_open("cd", O_RDONLY | O_CREAT | O_DIRECTORY, 0600), EINVAL);
    CASE(open_truncates) {
        conformance_make("trunc", "hello");
        close(sys_open("trunc", O_WRONLY | O_TRUNC, 0));
        CHECK_EQ(size_of("trunc"), 0);
    }
    CASE(open_truncate_read_only_truncates) {
        conformance_make("trunc_ro", "hello");
        int fd = sys_open("trunc_ro", O_RDONLY | O_TRUNC, 0);
        CHECK(fd >= 0);
        close(fd);
        CHECK_EQ(size_of("trunc_ro"), 0);
    }
    CASE(open_new_file_belongs_to_caller) {
        close(sys_open("mine", O_RDWR | O_CREAT, 0600));
        struct stat s;
        stat("mine", &s);
        CHECK_EQ(s.st_uid, geteuid());
        CHECK_EQ(s.st_gid, getegid());
        CHECK_EQ(s.st_nlink, 1);
    }
    CASE(open_new_file_takes_group_of_set_group_directory) CHILD {
        mkdir("sgid_dir", 0777);
        if (conformance_is_root()) chown("sgid_dir", 0, 4242);
        chmod("sgid_dir", 02777);
        struct stat d, s;
        stat("sgid_dir", &d);
        close(sys_open("sgid_dir/f", O_RDWR | O_CREAT, 0600));
        stat("sgid_dir/f", &s);
        CHECK_EQ(s.st_gid, d.st_gid);
        mkdir("sgid_dir/d", 0755);
        stat("sgid_dir/d", &s);
        CHECK(s.st_mode & S_ISGID);
    }
    COVERS(creat);
    CASE(creat_truncates_and_opens_for_writing) {
        conformance_make("creat", "hello");
        int fd = syscall(SYS_creat, "creat", 0600);
        CHECK(fd >= 0);
        char c;
        CHECK_ERRNO(read(fd, &c, 1), EBADF);
        CHECK_EQ(write(fd, "x", 1), 1);
        close(fd);
        CHECK_EQ(size_of("creat"), 1);
    }
    CASE(creat_errors) {
        CHECK_ERRNO(syscall(SYS_creat, ".", 0600), EISDIR);
        CHECK_ERRNO(syscall(SYS_creat, BAD_POINTER, 0600), EFAULT);
        CHECK_ERRNO(syscall(SYS_creat, "absent/x", 0600), ENOENT);
    }
}

static void flags(void) {
    COVERS(open, fcntl);
    CASE(open_access_modes) {
        conformance_make("modes", "abc");
        char c;
        int r = sys_open("modes", O_RDONLY, 0), w = sys_open("modes", O_WRONLY, 0), b = sys_open("modes", O_RDWR, 0);
        CHECK_ERRNO(write(r, "x", 1), EBADF);
        CHECK_ERRNO(read(w, &c, 1), EBADF);
        CHECK_EQ(read(b, &c, 1), 1);
        CHECK_EQ(write(b, "x", 1), 1);
        close(r), close(w), close(b);
    }
    CASE(open_access_mode_three_allows_neither) {
        conformance_make("three", "abc");
        int fd = sys_open("three", 3, 0);
        CHECK(fd >= 0);
        char c;
        CHECK_ERRNO(read(fd, &c, 1), EBADF);
        CHECK_ERRNO(write(fd, "x", 1), EBADF);
        CHECK_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, 3);
        close(fd);
    }
    CASE(open_status_flags_are_reported) {
        int fd = sys_open("reported", O_RDWR | O_CREAT | O_APPEND | O_NONBLOCK | O_CLOEXEC, 0600);
        CHECK_EQ(fcntl(fd, F_GETFL), O_RDWR | O_APPEND | O_NONBLOCK | 0100000);
        CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
        close(fd);
    }
    CASE(open_sync_flags_are_reported) {
        int fd = sys_open("synced", O_RDWR | O_CREAT | O_SYNC, 0600);
        CHECK_EQ(fcntl(fd, F_GETFL) & O_SYNC, O_SYNC);
        CHECK_EQ(write(fd, "x", 1), 1);
        close(fd);
        fd = sys_open("synced", O_RDWR | O_DSYNC, 0600);
        CHECK_EQ(fcntl(fd, F_GETFL) & O_SYNC, O_DSYNC);
        close(fd);
    }
    CASE(open_unknown_flags_are_ignored) {
        conformance_make("unknown", "");
        int fd = sys_open("unknown", O_RDONLY | 0x40000000, 0);
        CHECK(fd >= 0);
        CHECK_EQ(fcntl(fd, F_GETFL) & 0x40000000, 0);
        close(fd);
    }
    CASE(open_directory_flag) {
        conformance_make("isfile", "");
        CHECK_ERRNO(sys_open("isfile", O_RDONLY | O_DIRECTORY, 0), ENOTDIR);
        int fd = sys_open(".", O_RDONLY | O_DIRECTORY, 0);
        CHECK(fd >= 0);
        close(fd);
    }
    CASE(open_append_writes_at_end) {
        conformance_make("app", "123");
        int a = sys_open("app", O_WRONLY | O_APPEND, 0), b = sys_open("app", O_WRONLY | O_APPEND, 0);
        CHECK_EQ(write(a, "4", 1), 1);
        CHECK_EQ(write(b, "5", 1), 1);
        CHECK_EQ(lseek(a, 0, SEEK_SET), 0);
        CHECK_EQ(write(a, "6", 1), 1);
        CHECK_EQ(lseek(a, 0, SEEK_CUR), 6);
        CHECK_EQ(size_of("app"), 6);
        close(a), close(b);
    }
    CASE(open_path_only_refuses_data) {
        conformance_make("pathonly", "abc");
        int fd = sys_open("pathonly", O_PATH | O_RDWR | O_TRUNC | O_CREAT, 0);
        char c;
        struct stat s;
        CHECK(fd >= 0);
        CHECK_EQ(size_of("pathonly"), 3);
        CHECK_ERRNO(read(fd, &c, 1), EBADF);
        CHECK_ERRNO(write(fd, &c, 1), EBADF);
        CHECK_ERRNO(fchmod(fd, 0600), EBADF);
        CHECK_ERRNO(fchown(fd, 0, 0), EBADF);
        CHECK_ERRNO(ftruncate(fd, 0), EBADF);
        CHECK_ERRNO(ioctl(fd, 0), EBADF);
        CHECK_ERRNO(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED ? -1 : 0, EBADF);
        CHECK_EQ(fstat(fd, &s), 0);
        CHECK_EQ(s.st_size, 3);
        CHECK_EQ(fcntl(fd, F_GETFL) & O_PATH, O_PATH);
        close(fd);
    }
    CASE(open_path_only_of_symlink) {
        symlink("anything", "pathlink");
        int fd = sys_open("pathlink", O_PATH | O_NOFOLLOW, 0);
        struct stat s;
        char target[20];
        CHECK_EQ(fstat(fd, &s), 0);
        CHECK(S_ISLNK(s.st_mode));
        CHECK_EQ(readlinkat(fd, "", target, 20), 8);
        close(fd);
    }
    CASE(open_path_only_needs_no_permission) CHILD {
        conformance_make("secret", "x");
        chmod("secret", 0);
        conformance_become_nobody();
        CHECK_ERRNO(sys_open("secret", O_RDONLY, 0), EACCES);
        int fd = sys_open("secret", O_PATH, 0);
        CHECK(fd >= 0);
    }
    CASE(open_temporary_file) {
        int fd = sys_open(".", O_TMPFILE | O_RDWR, 0600);
        CHECK(fd >= 0);
        struct stat s;
        fstat(fd, &s);
        CHECK_EQ(s.st_nlink, 0);
        CHECK_EQ(write(fd, "abc", 3), 3);
        char path[40];
        snprintf(path, 40, "/proc/self/fd/%d", fd);
        CHECK_EQ(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW), 0);
        CHECK_EQ(size_of("named"), 3);
        close(fd);
    }
    CASE(open_temporary_file_exclusive_cannot_be_linked) {
        int fd = sys_open(".", O_TMPFILE | O_RDWR | O_EXCL, 0600);
        char path[40];
        snprintf(path, 40, "/proc/self/fd/%d", fd);
        CHECK_ERRNO(linkat(AT_FDCWD, path, AT_FDCWD, "named_exclusive", AT_SYMLINK_FOLLOW), ENOENT);
        close(fd);
    }
    CASE(open_temporary_file_errors) {
        conformance_make("tmpbase", "");
        CHECK_ERRNO(sys_open("tmpbase", O_TMPFILE | O_RDWR, 0600), ENOTDIR);
        CHECK_ERRNO(sys_open(".", O_TMPFILE | O_RDONLY, 0600), EINVAL);
        CHECK_ERRNO(sys_open("absent", O_TMPFILE | O_RDWR, 0600), ENOENT);
    }
    CASE(open_tty_flag_is_harmless) {
        int fd = sys_open("/dev/null", O_RDWR | O_NOCTTY, 0);
        CHECK(fd >= 0);
        close(fd);
    }
    CASE(open_no_access_time_of_other_user) CHILD {
        conformance_make("noatime", "x");
        int fd = sys_open("noatime", O_RDONLY | O_NOATIME, 0);
        CHECK(fd >= 0);
        chmod("noatime", 0644);
        if (conformance_is_root()) {
            conformance_become_nobody();
            CHECK_ERRNO(sys_open("noatime", O_RDONLY | O_NOATIME, 0), EPERM);
        }
    }
}

static void permissions(void) {
    COVERS(open);
    CASE(open_without_permission) CHILD {
        conformance_make("none", "");
        chmod("none", 0);
        conformance_make("group_only", "");
        chmod("group_only", 0070);
        conformance_become_nobody();
        CHECK_ERRNO(sys_open("none", O_RDONLY, 0), EACCES);
        CHECK_ERRNO(sys_open("none", O_WRONLY, 0), EACCES);
        CHECK_ERRNO(sys_open("group_only", O_RDWR, 0), EACCES);
    }
    CASE(open_without_search_permission) CHILD {
        mkdir("locked", 0755);
        conformance_make("locked/f", "");
        chmod("locked", 0600);
        conformance_become_nobody();
        CHECK_ERRNO(sys_open("locked/f", O_RDONLY, 0), EACCES);
        CHECK_ERRNO(sys_open("locked/absent", O_RDONLY, 0), EACCES);
    }
    CASE(open_create_without_write_permission) CHILD {
        mkdir("unwritable", 0755);
        chmod("unwritable", 0555);
        conformance_become_nobody();
        CHECK_ERRNO(sys_open("unwritable/new", O_RDWR | O_CREAT, 0600), EACCES);
    }
    CASE(open_root_ignores_modes) CHILD {
        conformance_make("zero", "x");
        chmod("zero", 0);
        int fd = sys_open("zero", O_RDWR, 0);
        CHECK(conformance_is_root() ? fd >= 0 : fd < 0 && errno == EACCES);
    }
    CASE(open_running_program_for_writing) {
        CHECK_ERRNO(sys_open("/proc/self/exe", O_RDWR, 0), access("/proc/self/exe", W_OK) ? EACCES : ETXTBSY);
    }
    CASE(open_too_many_descriptors) CHILD {
        // Whoever started the program may have left more open.
        syscall(SYS_close_range, 3, ~0u, 0);
        struct rlimit limit = {20, 20};
        setrlimit(RLIMIT_NOFILE, &limit);
        int fd, last = -1;
        while ((fd = sys_open("/dev/null", O_RDONLY, 0)) >= 0) last = fd;
        CHECK_EQ(errno, EMFILE);
        CHECK_EQ(last, 19);
        CHECK_ERRNO(dup(0), EMFILE);
        int p[2];
        CHECK_ERRNO(pipe(p), EMFILE);
        close(7);
        CHECK_EQ(sys_open("/dev/null", O_RDONLY, 0), 7);
        close(7);
        CHECK_ERRNO(pipe(p), EMFILE);
        CHECK_EQ(sys_open("/dev/null", O_RDONLY, 0), 7);
    }
    CASE(open_gives_lowest_number) {
        int a = sys_open("/dev/null", O_RDONLY, 0), b = sys_open("/dev/null", O_RDONLY, 0);
        CHECK_EQ(b, a + 1);
        close(a);
        CHECK_EQ(sys_open("/dev/null", O_RDONLY, 0), a);
        close(a), close(b);
    }
}

static void special(void) {
    COVERS(open, mknod);
    CASE(open_fifo_for_writing_without_reader) {
        mkfifo("fifo", 0600);
        CHECK_ERRNO(sys_open("fifo", O_WRONLY | O_NONBLOCK, 0), ENXIO);
        int r = sys_open("fifo", O_RDONLY | O_NONBLOCK, 0);
        CHECK(r >= 0);
        int w = sys_open("fifo", O_WRONLY | O_NONBLOCK, 0);
        CHECK(w >= 0);
        CHECK_EQ(write(w, "x", 1), 1);
        char c;
        CHECK_EQ(read(r, &c, 1), 1);
        close(r), close(w);
    }
    CASE(open_fifo_waits_for_the_other_side) {
        mkfifo("fifo_wait", 0600);
        CHILD {
            if (fork() == 0) {
                int w = sys_open("fifo_wait", O_WRONLY, 0);
                write(w, "y", 1);
                _exit(0);
            }
            int r = sys_open("fifo_wait", O_RDONLY, 0);
            char c = 0;
            CHECK_EQ(read(r, &c, 1), 1);
            CHECK_EQ(c, 'y');
            wait(NULL);
        }
    }
    CASE(open_fifo_is_interrupted) {
        mkfifo("fifo_intr", 0600);
        conformance_alarm(30, 0);
        CHECK_ERRNO(sys_open("fifo_intr", O_RDONLY, 0), EINTR);
        CHECK_EQ(conformance_alarms, 1);
    }
    CASE(open_fifo_restarts) CHILD {
        mkfifo("fifo_restart", 0600);
        pid_t writer = fork();
        if (writer == 0) {
            usleep(120000);
            sys_open("fifo_restart", O_WRONLY, 0);
            _exit(0);
        }
        conformance_alarm(30, SA_RESTART);
        int fd = sys_open("fifo_restart", O_RDONLY, 0);
        CHECK(fd >= 0);
        CHECK_EQ(conformance_alarms, 1);
        wait(NULL);
    }
    CASE(open_fifo_for_both_does_not_wait) {
        mkfifo("fifo_both", 0600);
        int fd = sys_open("fifo_both", O_RDWR, 0);
        CHECK(fd >= 0);
        CHECK_EQ(write(fd, "z", 1), 1);
        close(fd);
    }
    CASE(open_socket_file) {
        CHECK_EQ(mknod("sock", S_IFSOCK | 0600, 0), 0);
        CHECK_ERRNO(sys_open("sock", O_RDWR, 0), ENXIO);
        int fd = sys_open("sock", O_PATH, 0);
        CHECK(fd >= 0);
        close(fd);
    }
    COVERS(open, execve, fcntl);
    CASE(open_close_on_exec_closes) CHILD {
        int kept = sys_open("/dev/null", O_RDONLY, 0), closed = sys_open("/dev/null", O_RDONLY | O_CLOEXEC, 0);
        char a[20], b[20];
        snprintf(a, 20, "%d", kept);
        snprintf(b, 20, "%d", closed);
        execl("/proc/self/exe", "self", a, b, NULL);
        FAIL_("exec: errno %d", errno);
    }
}

int main(int argc, char **argv) {
    if (argc == 3) return !(fcntl(atoi(argv[1]), F_GETFD) == 0 && fcntl(atoi(argv[2]), F_GETFD) == -1 && errno == EBADF);
    conformance_enter();
    paths();
    creation();
    flags();
    permissions();
    special();
    return conformance_end();
}
