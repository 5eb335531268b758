// inotify(7): inotify_init(2), inotify_add_watch(2), inotify_rm_watch(2), and the events of every operation.
#include "conformance.h"
#include <limits.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>

static int in;
static char log_[4096];

/// All events so far as text: `wd:MASK[:name]` each, wd as told by `expect`.
static const char *seen(void) {
    static char buffer[65536] __attribute__((aligned(8)));
    log_[0] = 0;
    long n;
    while ((n = read(in, buffer, sizeof buffer)) > 0)
        for (long at = 0; at < n;) {
            struct inotify_event *e = (struct inotify_event *)(buffer + at);
            char one[300];
            const char *name = e->len ? e->name : "";
            snprintf(one, sizeof one, "%s%d:%x%s%s", log_[0] ? " " : "", e->wd, e->mask, e->len ? ":" : "", name);
            if (strlen(log_) + strlen(one) < sizeof log_) strcat(log_, one);
            at += sizeof *e + e->len;
        }
    return log_;
}
/// What was seen since the last time is exactly this.
#define EXPECT(wanted)                                                                     \
    do {                                                                                   \
        const char *seen_ = seen();                                                        \
        if (strcmp(seen_, wanted)) FAIL_("line %d: events %s, not %s", __LINE__, seen_, wanted); \
    } while (0)
static void start(void) { in = inotify_init1(IN_NONBLOCK | IN_CLOEXEC); }
static int watch(const char *path, unsigned mask) { return inotify_add_watch(in, path, mask); }

static void calls(void) {
    COVERS(inotify_init, inotify_init1);
    CASE(inotify_init_flags) {
        int fd = syscall(SYS_inotify_init);
        CHECK(fd >= 0);
        CHECK_EQ(fcntl(fd, F_GETFD), 0);
        CHECK_EQ(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
        close(fd);
        fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
        CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
        close(fd);
        CHECK_ERRNO(inotify_init1(1), EINVAL);
    }
    COVERS(inotify_add_watch);
    CASE(inotify_descriptors_count_up) {
        start();
        mkdir("c1", 0755), mkdir("c2", 0755);
        CHECK_EQ(watch("c1", IN_ALL_EVENTS), 1);
        CHECK_EQ(watch("c2", IN_ALL_EVENTS), 2);
        CHECK_EQ(watch("c1", IN_CREATE), 1);
        CHECK_EQ(inotify_rm_watch(in, 1), 0);
        CHECK_EQ(watch("c1", IN_CREATE), 3);
        close(in);
    }
    CASE(inotify_add_errors) {
        start();
        conformance_make("f", "");
        int f = open("f", O_RDONLY);
        CHECK_ERRNO(watch("f", 0), EINVAL);
        CHECK_ERRNO(watch("f", 0x10000), EINVAL);
        CHECK_ERRNO(watch("absent", IN_OPEN), ENOENT);
        CHECK_ERRNO(watch("", IN_OPEN), ENOENT);
        CHECK_ERRNO(watch(BAD_POINTER, IN_OPEN), EFAULT);
        CHECK_ERRNO(watch("f", IN_OPEN | IN_ONLYDIR), ENOTDIR);
        CHECK_ERRNO(watch("f", IN_OPEN | IN_MASK_ADD | IN_MASK_CREATE), EINVAL);
        CHECK_ERRNO(inotify_add_watch(1000, "f", IN_OPEN), EBADF);
        CHECK_ERRNO(inotify_add_watch(f, "f", IN_OPEN), EINVAL);
        close(f), close(in);
    }
    CASE(inotify_needs_read_permission) CHILD {
        start();
        conformance_make("secret", "");
        chmod("secret", 0600);
        if (conformance_is_root()) {
            conformance_become_nobody();
            CHECK_ERRNO(watch("secret", IN_OPEN), EACCES);
        }
    }
    CASE(inotify_mask_add_and_create) {
        start();
        mkdir("ma", 0755);
        int wd = watch("ma", IN_CREATE);
        CHECK_EQ(watch("ma", IN_DELETE | IN_MASK_ADD), wd);
        CHECK_ERRNO(watch("ma", IN_DELETE | IN_MASK_CREATE), EEXIST);
        conformance_make("ma/x", "");
        unlink("ma/x");
        EXPECT("1:100:x 1:200:x");
        watch("ma", IN_DELETE);
        conformance_make("ma/x", "");
        unlink("ma/x");
        EXPECT("1:200:x");
        close(in);
    }
    CASE(inotify_follows_or_not) {
        start();
        conformance_make("target", "");
        symlink("target", "link");
        CHECK_EQ(watch("link", IN_OPEN), 1);
        CHECK_EQ(watch("target", IN_OPEN), 1);
        CHECK_EQ(watch("link", IN_OPEN | IN_DONT_FOLLOW), 2);
        close(in);
    }
    COVERS(inotify_rm_watch);
    CASE(inotify_remove) {
        start();
        conformance_make("r", "");
        int wd = watch("r", IN_OPEN), f = open("/dev/null", O_RDONLY);
        CHECK_ERRNO(inotify_rm_watch(in, 99), EINVAL);
        CHECK_ERRNO(inotify_rm_watch(1000, wd), EBADF);
        CHECK_ERRNO(inotify_rm_watch(f, wd), EINVAL);
        CHECK_EQ(inotify_rm_watch(in, wd), 0);
        EXPECT("1:8000");
        CHECK_ERRNO(inotify_rm_watch(in, wd), EINVAL);
        close(open("r", O_RDONLY));
        EXPECT("");
        close(f), close(in);
    }
    CASE(inotify_ignored_after_one_shot) {
        start();
        conformance_make("once", "");
        watch("once", IN_OPEN | IN_ONESHOT);
        close(open("once", O_RDONLY));
        close(open("once", O_RDONLY));
        EXPECT("1:20 1:8000");
        close(in);
    }
}

static void names(void) {
    COVERS(inotify_add_watch);
    CASE(inotify_creation_and_removal) {
        start();
        mkdir("n", 0755);
        watch("n", IN_CREATE | IN_DELETE);
        conformance_make("n/file", "");
        mkdir("n/dir", 0755);
        symlink("x", "n/link");
        mkfifo("n/fifo", 0600);
        link("n/file", "n/hard");
        EXPECT("1:100:file 1:40000100:dir 1:100:link 1:100:fifo 1:100:hard");
        unlink("n/file"), rmdir("n/dir"), unlink("n/link"), unlink("n/fifo"), unlink("n/hard");
        EXPECT("1:200:file 1:40000200:dir 1:200:link 1:200:fifo 1:200:hard");
        close(in);
    }
    CASE(inotify_moves) {
        start();
        mkdir("m1", 0755), mkdir("m2", 0755);
        conformance_make("m1/f", "");
        watch("m1", IN_MOVE);
        watch("m2", IN_MOVE);
        watch("m1/f", IN_MOVE_SELF);
        rename("m1/f", "m2/g");
        EXPECT("1:40:f 2:80:g 3:800");
        rename("m2/g", "m2/h");
        EXPECT("2:40:g 2:80:h 3:800");
        mkdir("m1/d", 0755);
        rename("m1/d", "m1/e");
        EXPECT("1:40000040:d 1:40000080:e");
        close(in);
    }
    CASE(inotify_cookies_join_moves) {
        start();
        mkdir("ck", 0755);
        watch("ck", IN_MOVE);
        conformance_make("ck/a", "");
        rename("ck/a", "ck/b");
        char b[1000] __attribute__((aligned(8)));
        long n = read(in, b, sizeof b);
        struct inotify_event *first = (void *)b, *second = (void *)(b + sizeof *first + first->len);
        CHECK_EQ(n, 2 * (sizeof *first + 16));
        CHECK(first->cookie != 0 && first->cookie == second->cookie);
        close(in);
    }
    CASE(inotify_move_over_existing) {
        start();
        mkdir("mo", 0755);
        conformance_make("mo/a", "");
        conformance_make("mo/b", "");
        watch("mo", IN_MOVE | IN_DELETE);
        watch("mo/b", IN_ATTRIB | IN_DELETE_SELF);
        rename("mo/a", "mo/b");
        EXPECT("1:40:a 1:80:b 2:4 2:400 2:8000");
        close(in);
    }
    CASE(inotify_exchange) {
        start();
        mkdir("mx", 0755);
        conformance_make("mx/a", "");
        conformance_make("mx/b", "");
        watch("mx", IN_MOVE);
        renameat2(AT_FDCWD, "mx/a", AT_FDCWD, "mx/b", RENAME_EXCHANGE);
        EXPECT("1:40:a 1:80:b 1:40:b 1:80:a");
        close(in);
    }
    CASE(inotify_file_is_deleted) {
        start();
        conformance_make("df", "");
        watch("df", IN_ATTRIB | IN_DELETE_SELF);
        unlink("df");
        EXPECT("1:4 1:400 1:8000");
        close(in);
    }
    CASE(inotify_open_file_is_deleted_at_close) {
        start();
        int fd = conformance_file("of", "");
        watch("of", IN_ATTRIB | IN_DELETE_SELF | IN_CLOSE);
        unlink("of");
        EXPECT("1:4");
        close(fd);
        EXPECT("1:8 1:400 1:8000");
        close(in);
    }
    CASE(inotify_hard_link_keeps_the_file) {
        start();
        conformance_make("h1", "");
        watch("h1", IN_ATTRIB | IN_DELETE_SELF);
        link("h1", "h2");
        unlink("h1");
        EXPECT("1:4");
        chmod("h2", 0600);
        EXPECT("1:4");
        unlink("h2");
        EXPECT("1:4 1:400 1:8000");
        close(in);
    }
    CASE(inotify_directory_is_deleted) {
        start();
        mkdir("dd", 0755);
        watch("dd", IN_ALL_EVENTS);
        rmdir("dd");
        EXPECT("1:400 1:8000");
        close(in);
    }
    CASE(inotify_directory_moves_itself) {
        start();
        mkdir("ds", 0755);
        watch("ds", IN_MOVE_SELF);
        rename("ds", "ds2");
        EXPECT("1:800");
        close(in);
    }
    CASE(inotify_parent_and_child_watches) {
        start();
        mkdir("pc", 0755);
        conformance_make("pc/f", "");
        watch("pc", IN_OPEN | IN_DELETE);
        watch("pc/f", IN_OPEN | IN_DELETE_SELF);
        close(open("pc/f", O_RDONLY));
        EXPECT("1:20:f 2:20");
        unlink("pc/f");
        EXPECT("2:400 2:8000 1:200:f");
        close(in);
    }
    CASE(inotify_not_below_subdirectories) {
        start();
        mkdir("top", 0755);
        mkdir("top/sub", 0755);
        watch("top", IN_CREATE | IN_MODIFY);
        conformance_make("top/sub/f", "x");
        EXPECT("");
        close(in);
    }
}

static void contents(void) {
    char b[100];
    COVERS(inotify_add_watch, read, write);
    CASE(inotify_open_read_write_close) {
        start();
        mkdir("o", 0755);
        conformance_make("o/f", "abc");
        watch("o", IN_ALL_EVENTS);
        int fd = open("o/f", O_RDWR);
        EXPECT("1:20:f");
        read(fd, b, 2);
        EXPECT("1:1:f");
        write(fd, "x", 1);
        EXPECT("1:2:f");
        close(fd);
        EXPECT("1:8:f");
        close(open("o/f", O_RDONLY));
        EXPECT("1:20:f 1:10:f");
        close(in);
    }
    CASE(inotify_nothing_read_nothing_told) {
        start();
        int fd = conformance_file("nr", "");
        watch("nr", IN_ACCESS | IN_MODIFY);
        CHECK_EQ(read(fd, b, 10), 0);
        CHECK_EQ(write(fd, b, 0), 0);
        EXPECT("");
        close(fd), close(in);
    }
    CASE(inotify_repeated_events_merge) {
        start();
        int fd = conformance_file("me", "abcdef");
        watch("me", IN_ACCESS | IN_MODIFY);
        for (int i = 0; i < 3; i++) read(fd, b, 1);
        EXPECT("1:1");
        read(fd, b, 1), write(fd, "x", 1), pread(fd, b, 1, 0);
        EXPECT("1:1 1:2 1:1");
        close(fd), close(in);
    }
    CASE(inotify_truncation) {
        start();
        int fd = conformance_file("tr", "abcdef");
        watch("tr", IN_ALL_EVENTS);
        ftruncate(fd, 3);
        EXPECT("1:2");
        truncate("tr", 1);
        EXPECT("1:2");
        close(open("tr", O_WRONLY | O_TRUNC));
        EXPECT("1:20 1:2 1:8");
        fallocate(fd, 0, 0, 100);
        EXPECT("1:2");
        close(fd), close(in);
    }
    CASE(inotify_attributes) {
        start();
        conformance_make("at", "");
        watch("at", IN_ALL_EVENTS);
        chmod("at", 0600);
        EXPECT("1:4");
        chown("at", geteuid(), getegid());
        EXPECT("1:4");
        struct timespec both[2] = {{1, 0}, {2, 0}}, access[2] = {{1, 0}, {0, UTIME_OMIT}}, modify[2] = {{0, UTIME_OMIT}, {2, 0}};
        utimensat(AT_FDCWD, "at", both, 0);
        EXPECT("1:4");
        utimensat(AT_FDCWD, "at", access, 0);
        EXPECT("1:1");
        utimensat(AT_FDCWD, "at", modify, 0);
        EXPECT("1:2");
        setxattr("at", "user.a", "x", 1, 0);
        EXPECT("1:4");
        removexattr("at", "user.a");
        EXPECT("1:4");
        close(in);
    }
    CASE(inotify_creation_opens_too) {
        start();
        mkdir("co", 0755);
        watch("co", IN_ALL_EVENTS);
        close(open("co/new", O_RDWR | O_CREAT, 0600));
        EXPECT("1:100:new 1:20:new 1:8:new");
        close(in);
    }
    CASE(inotify_directory_is_read) {
        start();
        mkdir("dr", 0755);
        watch("dr", IN_ALL_EVENTS);
        int fd = open("dr", O_RDONLY);
        EXPECT("1:40000020");
        static char entries[4096];
        syscall(SYS_getdents64, fd, entries, sizeof entries);
        EXPECT("1:40000001");
        close(fd);
        EXPECT("1:40000010");
        close(in);
    }
    CASE(inotify_path_descriptor_tells_nothing) {
        start();
        conformance_make("po", "");
        watch("po", IN_ALL_EVENTS);
        close(open("po", O_PATH));
        EXPECT("");
        close(in);
    }
    CASE(inotify_unlinked_children) {
        start();
        mkdir("uc", 0755);
        int fd = conformance_file("uc/f", "abc");
        watch("uc", IN_ACCESS | IN_EXCL_UNLINK);
        read(fd, b, 1);
        EXPECT("1:1:f");
        unlink("uc/f");
        read(fd, b, 1);
        EXPECT("");
        close(fd);
        fd = conformance_file("uc/g", "abc");
        watch("uc", IN_ACCESS);
        unlink("uc/g");
        read(fd, b, 1);
        EXPECT("1:1:g");
        close(fd), close(in);
    }
    CASE(inotify_duplicate_closes_once) {
        start();
        int fd = conformance_file("dc", ""), copy = dup(fd);
        watch("dc", IN_CLOSE);
        close(fd);
        EXPECT("");
        close(copy);
        EXPECT("1:8");
        close(in);
    }
    CASE(inotify_copying_calls) {
        start();
        int a = conformance_file("ca", "abcdef"), c = conformance_file("cb", "");
        watch("ca", IN_ACCESS);
        watch("cb", IN_MODIFY);
        copy_file_range(a, NULL, c, NULL, 6, 0);
        EXPECT("1:1 2:2");
        close(a), close(c), close(in);
    }
}

static void reading(void) {
    char b[300];
    COVERS(inotify_init1, read);
    CASE(inotify_read_errors) {
        start();
        CHECK_ERRNO(read(in, b, sizeof b), EAGAIN);
        CHECK_ERRNO(write(in, b, 1), EBADF);
        conformance_make("re", "");
        watch("re", IN_OPEN);
        close(open("re", O_RDONLY));
        CHECK_ERRNO(read(in, b, 15), EINVAL);
        CHECK_ERRNO(read(in, BAD_POINTER, 100), EFAULT);
        close(in);
    }
    CASE(inotify_name_field_is_padded) {
        start();
        mkdir("nf", 0755);
        watch("nf", IN_CREATE);
        conformance_make("nf/fifteen_letters", "");
        CHECK_EQ(read(in, b, sizeof b), 16 + 16);
        conformance_make("nf/sixteen_letters_", "");
        CHECK_EQ(read(in, b, sizeof b), 16 + 32);
        CHECK_EQ(((struct inotify_event *)b)->len, 32);
        close(in);
    }
    CASE(inotify_whole_events_only) {
        start();
        mkdir("we", 0755);
        watch("we", IN_CREATE);
        conformance_make("we/a", "");
        conformance_make("we/b", "");
        CHECK_EQ(read(in, b, 40), 32);
        CHECK_ERRNO(read(in, b, 20), EINVAL);
        CHECK_EQ(read(in, b, 32), 32);
        close(in);
    }
    CASE(inotify_bytes_to_read) {
        start();
        mkdir("br", 0755);
        watch("br", IN_CREATE);
        int n = -1;
        CHECK_EQ(ioctl(in, FIONREAD, &n), 0);
        CHECK_EQ(n, 0);
        conformance_make("br/a", "");
        conformance_make("br/b", "");
        ioctl(in, FIONREAD, &n);
        CHECK_EQ(n, 64);
        close(in);
    }
    CASE(inotify_is_pollable) {
        start();
        mkdir("pl", 0755);
        watch("pl", IN_CREATE);
        struct pollfd w = {in, POLLIN, 0};
        CHECK_EQ(poll(&w, 1, 0), 0);
        pid_t child = fork();
        if (child == 0) {
            usleep(30000);
            conformance_make("pl/x", "");
            _exit(0);
        }
        CHECK_EQ(poll(&w, 1, 2000), 1);
        waitpid(child, NULL, 0);
        close(in);
    }
    CASE(inotify_read_waits_and_is_interrupted) {
        int fd = inotify_init1(0);
        conformance_alarm(30, 0);
        CHECK_ERRNO(read(fd, b, sizeof b), EINTR);
        close(fd);
    }
    CASE(inotify_queue_overflows) {
        start();
        conformance_make("qo", "abc");
        watch("qo", IN_OPEN | IN_CLOSE);
        int limit = 16384;
        FILE *f = fopen("/proc/sys/fs/inotify/max_queued_events", "r");
        if (f) fscanf(f, "%d", &limit), fclose(f);
        for (int i = 0; i < limit / 2 + 10; i++) close(open("qo", O_RDONLY));
        static char all[1 << 20] __attribute__((aligned(8)));
        long n = read(in, all, sizeof all);
        struct inotify_event *last = (struct inotify_event *)(all + n) - 1;
        CHECK_EQ(n, (limit + 1) * 16l);
        CHECK(last->wd == -1 && last->mask == IN_Q_OVERFLOW);
        close(in);
    }
    CASE(inotify_two_instances) {
        conformance_make("ti", "");
        int first = inotify_init1(IN_NONBLOCK);
        start();
        inotify_add_watch(first, "ti", IN_OPEN);
        watch("ti", IN_OPEN);
        close(open("ti", O_RDONLY));
        EXPECT("1:20");
        CHECK_EQ(read(first, b, sizeof b), 16);
        close(first), close(in);
    }
    CASE(inotify_watched_name_comes_back) {
        start();
        conformance_make("back", "");
        watch("back", IN_OPEN);
        unlink("back");
        EXPECT("1:8000");
        conformance_make("back", "");
        EXPECT("");
        close(in);
    }
}

int main(void) {
    conformance_enter();
    calls();
    names();
    contents();
    reading();
    return conformance_end();
}
