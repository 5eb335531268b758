// The calls on mounts by descriptor: open_tree, move_mount, fsopen, fsconfig, fsmount, fspick, mount_setattr, statmount, listmount.
#include "namespaces.h"
#include <linux/mount.h>
#include <sys/statvfs.h>

#ifndef SYS_open_tree_attr
#define SYS_open_tree_attr 467
#endif
#ifndef SYS_statmount
#define SYS_statmount 457
#define SYS_listmount 458
#endif

static int tree_of(int at, const char *path, unsigned flags) { return syscall(SYS_open_tree, at, path, flags); }
static int move(int from, const char *path, int to, const char *target, unsigned flags) {
    return syscall(SYS_move_mount, from, path, to, target, flags);
}
static int attach(int fd, const char *target) { return move(fd, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH); }
static int open_type(const char *type) { return syscall(SYS_fsopen, type, FSOPEN_CLOEXEC); }
static int configure(int fd, unsigned command, const char *key, const void *value, int extra) {
    return syscall(SYS_fsconfig, fd, command, key, value, extra);
}
static int mounted(int fd, unsigned attributes) { return syscall(SYS_fsmount, fd, FSMOUNT_CLOEXEC, attributes); }
static int set_attributes(int at, const char *path, unsigned flags, struct mount_attr *attributes) {
    return syscall(SYS_mount_setattr, at, path, flags, attributes, sizeof *attributes);
}
static int new_tmpfs(void) {
    int fd = open_type("tmpfs");
    CHECK(!configure(fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
    int mount = mounted(fd, 0);
    close(fd);
    return mount;
}
static uint64_t unique_id(const char *path) {
    struct statx status;
    return statx(AT_FDCWD, path, 0, 0x4000 /* STATX_MNT_ID_UNIQUE */, &status) ? 0 : status.stx_mnt_id;
}
struct request {
    uint32_t size, spare;
    uint64_t mount, parameter, namespace;
};
static int status_of(uint64_t id, uint64_t mask, void *buffer, size_t size) {
    struct request request = {sizeof request, 0, id, mask, 0};
    return syscall(SYS_statmount, &request, buffer, size, 0);
}

int main(void) {
    conformance_enter();

    COVERS(open_tree);
    CASE(open_tree_errors) IN_MOUNTS {
        CHECK_ERRNO(tree_of(AT_FDCWD, ".", 0x10), EINVAL);
        CHECK_ERRNO(tree_of(AT_FDCWD, ".", AT_RECURSIVE), EINVAL);
        CHECK_ERRNO(tree_of(AT_FDCWD, "absent", 0), ENOENT);
        CHECK_ERRNO(tree_of(AT_FDCWD, "", 0), ENOENT);
        CHECK_ERRNO(tree_of(-1, "x", 0), EBADF);
    }
    CASE(open_tree_without_privilege) CHILD {
        conformance_become_nobody();
        CHECK_ERRNO(tree_of(AT_FDCWD, "/", OPEN_TREE_CLONE), EPERM);
        int fd = tree_of(AT_FDCWD, "/", 0);
        CHECK(fd >= 0);
        char c;
        CHECK_ERRNO(read(fd, &c, 1), EBADF);
    }
    CASE(open_tree_is_a_path) IN_MOUNTS {
        int fd = tree_of(AT_FDCWD, ".", OPEN_TREE_CLOEXEC);
        CHECK(fd >= 0);
        CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
        CHECK_EQ(fcntl(fd, F_GETFL) & O_PATH, O_PATH);
    }
    CASE(clone_and_attach) IN_MOUNTS {
        mkdir("a", 0755);
        mkdir("b", 0755);
        touch("a/file");
        int fd = tree_of(AT_FDCWD, "a", OPEN_TREE_CLONE);
        CHECK(fd >= 0);
        CHECK(!faccessat(fd, "file", F_OK, 0));
        CHECK(!attach(fd, "b"));
        CHECK(exists("b/file"));
        // From then on it is a mount like any other.
        mkdir("c", 0755);
        CHECK(!attach(fd, "c"));
        CHECK(exists("c/file") && !exists("b/file"));
    }
    CASE(clone_recursive) IN_MOUNTS {
        mkdir("a", 0755);
        mkdir("b", 0755);
        CHECK(!mount("x", "a", "tmpfs", 0, NULL));
        mkdir("a/sub", 0755);
        CHECK(!mount("y", "a/sub", "tmpfs", 0, NULL));
        touch("a/sub/inner");
        int plain = tree_of(AT_FDCWD, "a", OPEN_TREE_CLONE), deep = tree_of(AT_FDCWD, "a", OPEN_TREE_CLONE | AT_RECURSIVE);
        CHECK(faccessat(plain, "sub/inner", F_OK, 0));
        CHECK(!faccessat(deep, "sub/inner", F_OK, 0));
        CHECK(!attach(deep, "b"));
        CHECK(exists("b/sub/inner"));
    }
    CASE(dropped_tree_is_unmounted) IN_MOUNTS {
        mkdir("a", 0755);
        CHECK(!mount("x", "a", "tmpfs", 0, NULL));
        int fd = tree_of(AT_FDCWD, "a", OPEN_TREE_CLONE);
        close(fd);
        CHECK(!umount("a"));
    }
    CASE(detached_tree_needs_no_place) IN_MOUNTS {
        int fd = new_tmpfs();
        CHECK(fd >= 0);
        int file = openat(fd, "file", O_CREAT | O_RDWR, 0600);
        CHECK(file >= 0);
        CHECK(!mkdirat(fd, "d", 0755));
        CHECK_EQ(write(file, "x", 1), 1);
    }
    CASE(root_of_a_process) IN_MOUNTS {
        int fd = new_tmpfs();
        CHECK(!fchdir(fd));
        char path[512];
        long length = syscall(SYS_getcwd, path, sizeof path);
        CHECK(length > 0 && !strncmp(path, "(unreachable)", 13));
    }

    COVERS(move_mount);
    CASE(move_mount_errors) IN_MOUNTS {
        mkdir("a", 0755);
        mkdir("b", 0755);
        touch("f");
        CHECK_ERRNO(move(AT_FDCWD, "a", AT_FDCWD, "b", 0x1000), EINVAL);
        CHECK_ERRNO(move(AT_FDCWD, "a", AT_FDCWD, "b", 0), EINVAL);
        CHECK_ERRNO(move(AT_FDCWD, "absent", AT_FDCWD, "b", 0), ENOENT);
        CHECK(!mount("x", "a", "tmpfs", 0, NULL));
        CHECK_ERRNO(move(AT_FDCWD, "a", AT_FDCWD, "absent", 0), ENOENT);
        CHECK_ERRNO(move(AT_FDCWD, "a", AT_FDCWD, "f", 0), EINVAL);
        mkdir("a/sub", 0755);
        CHECK_ERRNO(move(AT_FDCWD, "a", AT_FDCWD, "a/sub", 0), ELOOP);
    }
    CASE(move_attached) IN_MOUNTS {
        mkdir("a", 0755);
        mkdir("b", 0755);
        CHECK(!mount("x", "a", "tmpfs", 0, NULL));
        CHECK(!move(AT_FDCWD, "a", AT_FDCWD, "b", 0));
        CHECK(is_mounted("b") && !is_mounted("a"));
    }
    CASE(move_beneath) IN_MOUNTS {
        mkdir("a", 0755);
        CHECK(!mount("top", "a", "tmpfs", 0, NULL));
        touch("a/top");
        int fd = new_tmpfs();
        close(openat(fd, "under", O_CREAT | O_WRONLY, 0600));
        CHECK(!move(fd, "", AT_FDCWD, "a", MOVE_MOUNT_F_EMPTY_PATH | 0x200));
        CHECK(exists("a/top"));
        CHECK(!umount("a"));
        CHECK(exists("a/under") && !exists("a/top"));
    }
    CASE(set_group) IN_MOUNTS {
        mkdir("a", 0755);
        mkdir("b", 0755);
        CHECK(!mount("x", "a", "tmpfs", 0, NULL));
        mkdir("a/sub", 0755);
        CHECK(!mount("a", "b", NULL, MS_BIND, NULL));
        CHECK_ERRNO(move(AT_FDCWD, "a", AT_FDCWD, "b", 0x100), EINVAL);
        CHECK(!mount(NULL, "a", NULL, MS_SHARED, NULL));
        CHECK(!move(AT_FDCWD, "a", AT_FDCWD, "b", 0x100));
        CHECK(!mount("y", "a/sub", "tmpfs", 0, NULL));
        CHECK(is_mounted("b/sub"));
    }

    COVERS(fsopen, fsconfig, fsmount);
    CASE(fsopen_errors) IN_MOUNTS {
        CHECK_ERRNO(syscall(SYS_fsopen, "tmpfs", 2), EINVAL);
        CHECK_ERRNO(open_type("no-such-type"), ENODEV);
        CHECK_ERRNO(syscall(SYS_fsopen, BAD_POINTER, 0), EFAULT);
    }
    CASE(fsopen_without_privilege) CHILD {
        conformance_become_nobody();
        CHECK_ERRNO(open_type("tmpfs"), EPERM);
    }
    CASE(fsconfig_errors) IN_MOUNTS {
        int fd = open_type("tmpfs");
        CHECK(fd >= 0);
        CHECK_ERRNO(configure(fd, 99, NULL, NULL, 0), EOPNOTSUPP);
        CHECK_ERRNO(configure(-1, FSCONFIG_CMD_CREATE, NULL, NULL, 0), EINVAL);
        CHECK_ERRNO(configure(900, FSCONFIG_CMD_CREATE, NULL, NULL, 0), EBADF);
        CHECK_ERRNO(configure(fd, FSCONFIG_CMD_CREATE, "key", NULL, 0), EINVAL);
        CHECK_ERRNO(configure(fd, FSCONFIG_SET_STRING, "size", NULL, 0), EINVAL);
        CHECK_ERRNO(configure(fd, FSCONFIG_SET_STRING, NULL, "x", 0), EINVAL);
        CHECK_ERRNO(configure(fd, FSCONFIG_SET_FLAG, "ro", "x", 0), EINVAL);
        CHECK_ERRNO(configure(fd, FSCONFIG_SET_STRING, "no_such_option", "x", 0), EINVAL);
        CHECK_ERRNO(configure(fd, FSCONFIG_SET_STRING, "mode", "9", 0), EINVAL);
        CHECK_ERRNO(configure(open(".", O_RDONLY), FSCONFIG_CMD_CREATE, NULL, NULL, 0), EINVAL);
    }
    CASE(fsmount_phases) IN_MOUNTS {
        int fd = open_type("tmpfs");
        CHECK_ERRNO(mounted(fd, 0), EINVAL);
        CHECK(!configure(fd, FSCONFIG_SET_STRING, "size", "64k", 0));
        CHECK(!configure(fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
        CHECK_ERRNO(configure(fd, FSCONFIG_SET_STRING, "size", "64k", 0), EBUSY);
        CHECK_ERRNO(configure(fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0), EBUSY);
        CHECK_ERRNO(mounted(fd, 0x40000000), EINVAL);
        int mount = mounted(fd, 0);
        CHECK(mount >= 0);
        CHECK_ERRNO(mounted(fd, 0), EBUSY);
        struct statvfs space;
        CHECK(!fstatvfs(mount, &space));
        CHECK_EQ(space.f_blocks * space.f_frsize, 65536);
    }
    CASE(fsmount_attributes) IN_MOUNTS {
        mkdir("d", 0755);
        int fd = open_type("tmpfs");
        CHECK(!configure(fd, FSCONFIG_SET_STRING, "source", "name", 0));
        CHECK_ERRNO(configure(fd, FSCONFIG_SET_STRING, "source", "again", 0), EINVAL);
        CHECK(!configure(fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
        int mount = mounted(fd, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOATIME);
        CHECK(!attach(mount, "d"));
        CHECK(mount_has("d", "rw,nosuid,nodev,noatime"));
        CHECK(mount_has("d", "tmpfs name"));
    }
    CASE(fsmount_is_dropped) IN_MOUNTS {
        int fd = new_tmpfs();
        int file = openat(fd, "file", O_CREAT | O_RDWR, 0600);
        close(fd);
        // Files that are open go on.
        CHECK_EQ(write(file, "x", 1), 1);
    }
    COVERS(fspick);
    CASE(fspick_reconfigures) IN_MOUNTS {
        mkdir("d", 0755);
        CHECK_ERRNO(syscall(SYS_fspick, AT_FDCWD, "d", 0), EINVAL);
        CHECK(!mount("x", "d", "tmpfs", 0, NULL));
        CHECK_ERRNO(syscall(SYS_fspick, AT_FDCWD, "d", 0x100), EINVAL);
        int fd = syscall(SYS_fspick, AT_FDCWD, "d", FSPICK_CLOEXEC);
        CHECK(fd >= 0);
        CHECK(!configure(fd, FSCONFIG_SET_FLAG, "ro", NULL, 0));
        CHECK(!configure(fd, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0));
        CHECK_ERRNO(mkdir("d/new", 0755), EROFS);
        CHECK(mount_has("d", "rw,relatime"));
    }

    COVERS(mount_setattr);
    CASE(setattr_errors) IN_MOUNTS {
        struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};
        mkdir("d", 0755);
        CHECK_ERRNO(set_attributes(AT_FDCWD, "d", 0, &attributes), EINVAL);
        CHECK_ERRNO(set_attributes(AT_FDCWD, ".", 0x10, &attributes), EINVAL);
        CHECK_ERRNO(syscall(SYS_mount_setattr, AT_FDCWD, ".", 0, &attributes, 8), EINVAL);
        CHECK_ERRNO(syscall(SYS_mount_setattr, AT_FDCWD, ".", 0, &attributes, 8192), E2BIG);
        attributes.attr_set = 0x40000000;
        CHECK_ERRNO(set_attributes(AT_FDCWD, ".", 0, &attributes), EINVAL);
        attributes.attr_set = MOUNT_ATTR_NOATIME;
        CHECK_ERRNO(set_attributes(AT_FDCWD, ".", 0, &attributes), EINVAL);
        attributes = (struct mount_attr){.propagation = MS_SHARED | MS_PRIVATE};
        CHECK_ERRNO(set_attributes(AT_FDCWD, ".", 0, &attributes), EINVAL);
        attributes = (struct mount_attr){0};
        CHECK(!set_attributes(AT_FDCWD, "absent", 0, &attributes));
    }
    CASE(setattr_changes) IN_MOUNTS {
        mkdir("d", 0755);
        CHECK(!mount("x", "d", "tmpfs", 0, NULL));
        struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV};
        CHECK(!set_attributes(AT_FDCWD, "d", 0, &attributes));
        CHECK(mount_has("d", "ro,nodev,relatime"));
        CHECK_ERRNO(mkdir("d/new", 0755), EROFS);
        attributes = (struct mount_attr){.attr_clr = MOUNT_ATTR_RDONLY | MOUNT_ATTR__ATIME, .attr_set = MOUNT_ATTR_STRICTATIME};
        CHECK(!set_attributes(AT_FDCWD, "d", 0, &attributes));
        CHECK(mount_has("d", "rw,nodev -"));
        attributes = (struct mount_attr){.propagation = MS_SHARED};
        CHECK(!set_attributes(AT_FDCWD, "d", 0, &attributes));
        CHECK(mount_has("d", "shared:"));
    }
    CASE(setattr_recursive) IN_MOUNTS {
        mkdir("d", 0755);
        CHECK(!mount("x", "d", "tmpfs", 0, NULL));
        mkdir("d/sub", 0755);
        CHECK(!mount("y", "d/sub", "tmpfs", 0, NULL));
        struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};
        CHECK(!set_attributes(AT_FDCWD, "d", AT_RECURSIVE, &attributes));
        CHECK(mount_has("d", "ro,") && mount_has("d/sub", "ro,"));
    }
    CASE(setattr_of_a_detached_tree) IN_MOUNTS {
        int fd = new_tmpfs();
        struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};
        CHECK(!set_attributes(fd, "", AT_EMPTY_PATH, &attributes));
        CHECK_ERRNO(mkdirat(fd, "new", 0755), EROFS);
    }
    COVERS(open_tree_attr);
    CASE(tree_with_attributes) IN_MOUNTS {
        mkdir("a", 0755);
        struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};
        int fd = syscall(SYS_open_tree_attr, AT_FDCWD, "a", OPEN_TREE_CLONE, &attributes, sizeof attributes);
        CHECK(fd >= 0);
        CHECK_ERRNO(mkdirat(fd, "new", 0755), EROFS);
        CHECK(!mkdir("a/new", 0755));
        CHECK_ERRNO(syscall(SYS_open_tree_attr, AT_FDCWD, "a", OPEN_TREE_CLONE, NULL, sizeof attributes), EINVAL);
    }

    COVERS(statmount);
    CASE(statmount_errors) IN_MOUNTS {
        char buffer[4096];
        struct request request = {8, 0, unique_id("."), 1, 0};
        CHECK_ERRNO(syscall(SYS_statmount, &request, buffer, sizeof buffer, 0), EINVAL);
        request.size = sizeof request;
        CHECK_ERRNO(syscall(SYS_statmount, &request, buffer, sizeof buffer, 8), EINVAL);
        CHECK_ERRNO(status_of(5, 1, buffer, sizeof buffer), EINVAL);
        CHECK_ERRNO(status_of(~0ULL - 5, 1, buffer, sizeof buffer), ENOENT);
        CHECK_ERRNO(status_of(unique_id("."), 0x20, buffer, 512), EOVERFLOW);
        CHECK_ERRNO(syscall(SYS_statmount, BAD_POINTER, buffer, sizeof buffer, 0), EFAULT);
    }
    CASE(statmount_tells) IN_MOUNTS {
        union {
            uint32_t words[1024];
            uint64_t longs[512];
            char bytes[4096];
        } status;
        uint64_t id = unique_id(".");
        CHECK(id > 1U << 31);
        CHECK(!status_of(id, 0x3b, &status, sizeof status));
        CHECK_EQ(status.longs[1], 0x3b);
        struct stat file;
        stat(".", &file);
        CHECK_EQ(status.words[5], file.st_dev & 0xff);
        CHECK_EQ(status.longs[3], 0x01021994);
        CHECK_EQ(status.longs[5], id);
        CHECK_EQ(status.longs[6], unique_id(".."));
        CHECK(!strcmp(status.bytes + 512 + status.words[9], "tmpfs"));
        CHECK(!strcmp(status.bytes + 512 + status.words[26], "/"));
        char here[400];
        getcwd(here, sizeof here);
        CHECK(!strcmp(status.bytes + 512 + status.words[27], here));
        CHECK_EQ(status.longs[9], MS_PRIVATE);
        CHECK_EQ(status.words[0], 512 + 1 + strlen("tmpfs") + 1 + 2 + strlen(here) + 1);
        CHECK_EQ(status.words[9], 1);
    }
    COVERS(listmount);
    CASE(listmount_lists) IN_MOUNTS {
        uint64_t ids[512];
        mkdir("a", 0755);
        mkdir("b", 0755);
        CHECK(!mount("x", "a", "tmpfs", 0, NULL) && !mount("y", "b", "tmpfs", 0, NULL));
        struct request request = {sizeof request, 0, unique_id("."), 0, 0};
        CHECK_EQ(syscall(SYS_listmount, &request, ids, 512, 0), 2);
        CHECK_EQ(ids[0], unique_id("a"));
        CHECK_EQ(ids[1], unique_id("b"));
        CHECK_EQ(syscall(SYS_listmount, &request, ids, 512, 1), 2);
        CHECK_EQ(ids[0], unique_id("b"));
        CHECK_EQ(syscall(SYS_listmount, &request, ids, 1, 0), 1);
        request.parameter = unique_id("a");
        CHECK_EQ(syscall(SYS_listmount, &request, ids, 512, 0), 1);
        CHECK_EQ(ids[0], unique_id("b"));
        request.parameter = 0;
        request.mount = ~0ULL;
        CHECK(syscall(SYS_listmount, &request, ids, 512, 0) > 2);
        CHECK_ERRNO(syscall(SYS_listmount, &request, ids, 512, 2), EINVAL);
        CHECK_ERRNO(syscall(SYS_listmount, &request, ids, 2000000, 0), EOVERFLOW);
        request.mount = ~0ULL - 7;
        CHECK_ERRNO(syscall(SYS_listmount, &request, ids, 512, 0), ENOENT);
    }
    return conformance_end();
}
