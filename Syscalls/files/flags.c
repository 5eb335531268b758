// file_getattr(2), file_setattr(2), FS_IOC_GETFLAGS and FS_IOC_SETFLAGS: ioctl_iflags(2).
#include "conformance.h"
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>

struct attributes {
    uint64_t flags;
    uint32_t extent, extents, project, copied;
};
static int get(const char *path, struct attributes *a, size_t size, int at) {
    return syscall(SYS_file_getattr, AT_FDCWD, path, a, size, at);
}
static int set(const char *path, const struct attributes *a, size_t size, int at) {
    return syscall(SYS_file_setattr, AT_FDCWD, path, a, size, at);
}
/// Sets and clears FS_*_FL of an open file.
static int change(int fd, int on, int off) {
    int flags;
    if (ioctl(fd, FS_IOC_GETFLAGS, &flags)) return -1;
    flags = (flags | on) & ~off;
    return ioctl(fd, FS_IOC_SETFLAGS, &flags);
}
static int flags_of(int fd) {
    int flags = 0;
    CHECK_EQ(ioctl(fd, FS_IOC_GETFLAGS, &flags), 0);
    return flags;
}

static void reading(void) {
    struct attributes a[2] = {0};
    COVERS(file_getattr);
    CASE(file_flags_read) {
        conformance_make("plain", "x");
        mkdir("directory", 0755);
        symlink("plain", "link");
        a[0].flags = -1;
        CHECK_EQ(get("plain", a, sizeof *a, 0), 0);
        CHECK_EQ(a[0].flags & (FS_XFLAG_IMMUTABLE | FS_XFLAG_APPEND | FS_XFLAG_NODUMP), 0);
        CHECK_EQ(a[0].project, 0);
        CHECK_EQ(get("directory", a, sizeof *a, 0), 0);
        CHECK_EQ(get("link", a, sizeof *a, 0), 0);
        int fd = open("plain", O_RDONLY);
        CHECK_EQ(syscall(SYS_file_getattr, fd, "", a, sizeof *a, AT_EMPTY_PATH), 0);
        CHECK_ERRNO(syscall(SYS_file_getattr, fd, "", a, sizeof *a, 0), ENOENT);
        close(fd);
        memset(a, 0xff, sizeof a);
        CHECK_EQ(get("plain", a, sizeof a, 0), 0);
        CHECK_EQ(a[1].flags, 0);
        CHECK_ERRNO(get("plain", a, 23, 0), EINVAL);
        CHECK_ERRNO(get("plain", a, 5000, 0), E2BIG);
        CHECK_ERRNO(get("plain", a, sizeof *a, 1), EINVAL);
        CHECK_ERRNO(get("plain", BAD_POINTER, sizeof *a, 0), EFAULT);
        CHECK_ERRNO(get("absent", a, sizeof *a, 0), ENOENT);
        CHECK_ERRNO(get("/proc/self/stat", a, sizeof *a, 0), EOPNOTSUPP);
        CHECK_ERRNO(get("/dev/null", a, sizeof *a, 0), EOPNOTSUPP);
    }
    COVERS(file_setattr);
    CASE(file_flags_written) {
        conformance_make("dump", "x");
        CHECK_EQ(get("dump", a, sizeof *a, 0), 0);
        a[0].flags |= FS_XFLAG_NODUMP;
        CHECK_EQ(set("dump", a, sizeof *a, 0), 0);
        CHECK_EQ(get("dump", a, sizeof *a, 0), 0);
        CHECK(a[0].flags & FS_XFLAG_NODUMP);
        int fd = open("dump", O_RDONLY);
        CHECK(flags_of(fd) & FS_NODUMP_FL);
        CHECK_EQ(change(fd, FS_NOATIME_FL, FS_NODUMP_FL), 0);
        CHECK_EQ(get("dump", a, sizeof *a, 0), 0);
        CHECK(!(a[0].flags & FS_XFLAG_NODUMP) && a[0].flags & FS_XFLAG_NOATIME);
        struct fsxattr x = {0};
        CHECK_EQ(ioctl(fd, FS_IOC_FSGETXATTR, &x), 0);
        CHECK(x.fsx_xflags & FS_XFLAG_NOATIME);
        x.fsx_xflags &= ~FS_XFLAG_NOATIME;
        CHECK_EQ(ioctl(fd, FS_IOC_FSSETXATTR, &x), 0);
        CHECK(!(flags_of(fd) & FS_NOATIME_FL));
        close(fd);
        struct attributes big[2] = {a[0], {0}};
        big[0].flags = 0;
        CHECK_EQ(set("dump", big, sizeof big, 0), 0);
        big[1].flags = 1;
        CHECK_ERRNO(set("dump", big, sizeof big, 0), E2BIG);
        CHECK_ERRNO(set("dump", a, 20, 0), EINVAL);
        CHECK_ERRNO(set("dump", a, sizeof *a, 1), EINVAL);
        CHECK_ERRNO(set("dump", BAD_POINTER, sizeof *a, 0), EFAULT);
        a[0].flags = 1ull << 50;
        CHECK_ERRNO(set("dump", a, sizeof *a, 0), EINVAL);
        if (geteuid() == 0) {
            a[0].flags = 0;
            AS_USER(CHECK_ERRNO(set("dump", a, sizeof *a, 0), EPERM));
        }
    }
    COVERS(ioctl);
    CASE(file_flags_of_what_has_none) {
        int ends[2], flags = 0;
        pipe(ends);
        CHECK_ERRNO(ioctl(ends[0], FS_IOC_GETFLAGS, &flags), ENOTTY);
        int null = open("/dev/null", O_RDONLY);
        CHECK_ERRNO(ioctl(null, FS_IOC_GETFLAGS, &flags), ENOTTY);
        close(null), close(ends[0]), close(ends[1]);
    }
    CASE(file_flags_need_privilege) AS_USER({
        char name[64];
        snprintf(name, sizeof name, "/tmp/flags.%d", getpid());
        int fd = open(name, O_RDWR | O_CREAT, 0644);
        unlink(name);
        CHECK_ERRNO(change(fd, FS_APPEND_FL, 0), EPERM);
        CHECK_ERRNO(change(fd, FS_IMMUTABLE_FL, 0), EPERM);
        CHECK_EQ(change(fd, FS_NODUMP_FL, 0), 0);
    });
}

static void append_only(void) {
    COVERS(openat, ftruncate, unlinkat);
    CASE(file_append_only) if (geteuid() == 0) {
        int fd = conformance_file("log", "one");
        int both = open("log", O_RDWR | O_APPEND);
        CHECK_EQ(change(fd, FS_APPEND_FL, 0), 0);
        CHECK(flags_of(fd) & FS_APPEND_FL);
        CHECK_ERRNO(open("log", O_WRONLY), EPERM);
        CHECK_ERRNO(open("log", O_RDWR), EPERM);
        CHECK_ERRNO(open("log", O_WRONLY | O_APPEND | O_TRUNC), EPERM);
        CHECK_ERRNO(open("log", O_RDONLY | O_TRUNC), EPERM);
        int more = open("log", O_WRONLY | O_APPEND);
        CHECK(more >= 0);
        CHECK_EQ(write(more, "two", 3), 3);
        CHECK_ERRNO(fcntl(more, F_SETFL, 0), EPERM);
        CHECK_ERRNO(ftruncate(both, 0), EPERM);
        CHECK_ERRNO(truncate("log", 0), EPERM);
        CHECK_ERRNO(unlink("log"), EPERM);
        CHECK_ERRNO(rename("log", "log2"), EPERM);
        CHECK_ERRNO(link("log", "log2"), EPERM);
        CHECK_ERRNO(chmod("log", 0600), EPERM);
        CHECK_ERRNO(chown("log", 1, 1), EPERM);
        struct timespec times[2] = {{1, 1}, {1, 1}};
        CHECK_ERRNO(utimensat(AT_FDCWD, "log", times, 0), EPERM);
        CHECK_EQ(utimensat(AT_FDCWD, "log", NULL, 0), 0);
        CHECK_ERRNO(setxattr("log", "user.x", "1", 1, 0), EPERM);
        CHECK_ERRNO(fallocate(both, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, 0, 1), EPERM);
        CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, both, 0) == MAP_FAILED && errno == EACCES);
        CHECK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, both, 0) != MAP_FAILED);
        conformance_make("other", "x");
        CHECK_ERRNO(rename("other", "log"), EPERM);
        CHECK_EQ(change(fd, 0, FS_APPEND_FL), 0);
        CHECK_EQ(unlink("log"), 0);
        close(fd), close(both), close(more);
    }
    CASE(directory_append_only) if (geteuid() == 0) {
        mkdir("journal", 0755);
        conformance_make("journal/old", "x");
        int fd = open("journal", O_RDONLY);
        CHECK_EQ(change(fd, FS_APPEND_FL, 0), 0);
        conformance_make("journal/new", "x");
        CHECK_ERRNO(unlink("journal/old"), EPERM);
        CHECK_ERRNO(rename("journal/old", "journal/older"), EPERM);
        CHECK_ERRNO(rmdir("journal"), EPERM);
        CHECK_EQ(change(fd, 0, FS_APPEND_FL), 0);
        CHECK_EQ(unlink("journal/old"), 0);
        close(fd);
    }
}

static void immutable(void) {
    COVERS(openat, unlinkat, linkat);
    CASE(file_immutable) if (geteuid() == 0) {
        int fd = conformance_file("fixed", "one");
        CHECK_EQ(change(fd, FS_IMMUTABLE_FL, 0), 0);
        CHECK_ERRNO(open("fixed", O_WRONLY), EPERM);
        CHECK_ERRNO(open("fixed", O_WRONLY | O_APPEND), EPERM);
        CHECK_ERRNO(open("fixed", O_RDONLY | O_TRUNC), EPERM);
        CHECK_ERRNO(access("fixed", W_OK), EPERM);
        int again = open("fixed", O_RDONLY);
        CHECK(again >= 0);
        CHECK_ERRNO(truncate("fixed", 0), EPERM);
        CHECK_ERRNO(unlink("fixed"), EPERM);
        CHECK_ERRNO(rename("fixed", "moved"), EPERM);
        CHECK_ERRNO(link("fixed", "linked"), EPERM);
        CHECK_ERRNO(chmod("fixed", 0600), EPERM);
        CHECK_ERRNO(utimensat(AT_FDCWD, "fixed", NULL, 0), EPERM);
        CHECK_ERRNO(setxattr("fixed", "user.x", "1", 1, 0), EPERM);
        CHECK_ERRNO(fallocate(fd, 0, 0, 10), EPERM);
        AS_USER(CHECK_ERRNO(change(again, 0, FS_IMMUTABLE_FL), EPERM));
        CHECK_EQ(change(again, 0, FS_IMMUTABLE_FL), 0);
        CHECK_EQ(unlink("fixed"), 0);
        close(fd), close(again);
    }
    CASE(directory_immutable) if (geteuid() == 0) {
        mkdir("frozen", 0755);
        conformance_make("frozen/inside", "x");
        int fd = open("frozen", O_RDONLY);
        CHECK_EQ(change(fd, FS_IMMUTABLE_FL, 0), 0);
        CHECK_ERRNO(open("frozen/new", O_WRONLY | O_CREAT, 0644), EPERM);
        CHECK_ERRNO(mkdir("frozen/new", 0755), EPERM);
        CHECK_ERRNO(unlink("frozen/inside"), EPERM);
        CHECK_ERRNO(rename("frozen/inside", "outside"), EPERM);
        int inside = open("frozen/inside", O_WRONLY);
        CHECK(inside >= 0);
        CHECK_EQ(write(inside, "y", 1), 1);
        CHECK_EQ(change(fd, 0, FS_IMMUTABLE_FL), 0);
        close(fd), close(inside);
    }
}

int main(void) {
    conformance_enter();
    reading();
    append_only();
    immutable();
    return conformance_end();
}
