// getdents64(2), getcwd(2), chdir(2), fchdir(2), chroot(2).
#include "conformance.h"
#include <dirent.h>

struct entry {
    uint64_t ino;
    int64_t off;
    uint16_t length;
    uint8_t type;
    char name[];
};
static long read_entries(int fd, void *buffer, unsigned size) { return syscall(SYS_getdents64, fd, buffer, size); }
/// The type of `name` in a filled buffer; -1 when it is not there.
static int type_in(char *buffer, long filled, const char *name) {
    for (long at = 0; at < filled;) {
        struct entry *e = (struct entry *)(buffer + at);
        if (!strcmp(e->name, name)) return e->type;
        at += e->length;
    }
    return -1;
}

static void reading(void) {
    static char b[65536];
    COVERS(getdents64);
    CASE(getdents_types) {
        mkdir("types", 0755);
        conformance_make("types/file", "");
        mkdir("types/dir", 0755);
        symlink("x", "types/link");
        mkfifo("types/fifo", 0600);
        mknod("types/sock", S_IFSOCK | 0600, 0);
        int fd = open("types", O_RDONLY);
        long n = read_entries(fd, b, sizeof b);
        CHECK(n > 0);
        CHECK_EQ(type_in(b, n, "."), DT_DIR);
        CHECK_EQ(type_in(b, n, ".."), DT_DIR);
        CHECK_EQ(type_in(b, n, "file"), DT_REG);
        CHECK_EQ(type_in(b, n, "dir"), DT_DIR);
        CHECK_EQ(type_in(b, n, "link"), DT_LNK);
        CHECK_EQ(type_in(b, n, "fifo"), DT_FIFO);
        CHECK_EQ(type_in(b, n, "sock"), DT_SOCK);
        CHECK_EQ(read_entries(fd, b, sizeof b), 0);
        close(fd);
    }
    CASE(getdents_inode_numbers_agree_with_stat) {
        mkdir("inodes", 0755);
        conformance_make("inodes/f", "");
        struct stat s;
        stat("inodes/f", &s);
        int fd = open("inodes", O_RDONLY);
        long n = read_entries(fd, b, sizeof b);
        for (long at = 0; at < n;) {
            struct entry *e = (struct entry *)(b + at);
            if (!strcmp(e->name, "f")) CHECK_EQ(e->ino, s.st_ino);
            CHECK_EQ(e->length % 8, 0);
            at += e->length;
        }
        close(fd);
    }
    CASE(getdents_in_small_pieces) {
        mkdir("pieces", 0755);
        for (int i = 0; i < 100; i++) {
            char name[40];
            snprintf(name, 40, "pieces/entry%d", i);
            conformance_make(name, "");
        }
        int fd = open("pieces", O_RDONLY), seen = 0;
        long n;
        while ((n = read_entries(fd, b, 64)) > 0)
            for (long at = 0; at < n; seen++) at += ((struct entry *)(b + at))->length;
        CHECK_EQ(n, 0);
        CHECK_EQ(seen, 102);
        close(fd);
    }
    CASE(getdents_too_small_buffer) {
        mkdir("small", 0755);
        int fd = open("small", O_RDONLY);
        CHECK_ERRNO(read_entries(fd, b, 0), EINVAL);
        CHECK_ERRNO(read_entries(fd, b, 10), EINVAL);
        CHECK_EQ(read_entries(fd, b, 24), 24);
        close(fd);
    }
    CASE(getdents_errors) {
        int f = conformance_file("plain", ""), d = open(".", O_RDONLY), p = open(".", O_PATH);
        CHECK_ERRNO(read_entries(f, b, 100), ENOTDIR);
        CHECK_ERRNO(read_entries(1000, b, 100), EBADF);
        CHECK_ERRNO(read_entries(p, b, 100), EBADF);
        CHECK_ERRNO(read_entries(d, BAD_POINTER, 100), EFAULT);
        close(f), close(d), close(p);
    }
    CASE(getdents_of_removed_directory) {
        mkdir("removed", 0755);
        int fd = open("removed", O_RDONLY);
        rmdir("removed");
        CHECK_ERRNO(read_entries(fd, b, sizeof b), ENOENT);
        close(fd);
    }
    CASE(getdents_continues_at_offset) {
        mkdir("offsets", 0755);
        for (int i = 0; i < 20; i++) {
            char name[40];
            snprintf(name, 40, "offsets/%d", i);
            conformance_make(name, "");
        }
        int fd = open("offsets", O_RDONLY);
        long n = read_entries(fd, b, sizeof b);
        struct entry *first = (struct entry *)b, *second = (struct entry *)(b + first->length);
        char name[100];
        strcpy(name, second->name);
        CHECK(n > 0);
        CHECK_EQ(lseek(fd, first->off, SEEK_SET), first->off);
        CHECK(read_entries(fd, b, sizeof b) > 0);
        CHECK(!strcmp(((struct entry *)b)->name, name));
        close(fd);
    }
    CASE(getdents_while_removing) {
        mkdir("shrinking", 0755);
        for (int i = 0; i < 200; i++) {
            char name[40];
            snprintf(name, 40, "shrinking/%d", i);
            conformance_make(name, "");
        }
        int fd = open("shrinking", O_RDONLY), removed = 0;
        long n;
        while ((n = read_entries(fd, b, 512)) > 0)
            for (long at = 0; at < n;) {
                struct entry *e = (struct entry *)(b + at);
                if (e->name[0] != '.') removed += !unlinkat(fd, e->name, 0);
                at += e->length;
            }
        CHECK_EQ(removed, 200);
        CHECK_EQ(rmdir("shrinking"), 0);
        close(fd);
    }
    CASE(getdents_of_process_directory) {
        int fd = open("/proc/self", O_RDONLY);
        long n = read_entries(fd, b, sizeof b);
        CHECK_EQ(type_in(b, n, "status"), DT_REG);
        CHECK_EQ(type_in(b, n, "exe"), DT_LNK);
        CHECK_EQ(type_in(b, n, "fd"), DT_DIR);
        close(fd);
    }
    COVERS(getdents);
    CASE(getdents_of_old_kind) {
        mkdir("old", 0755);
        conformance_make("old/one", "");
        int fd = open("old", O_RDONLY), found = 0;
        long n = syscall(SYS_getdents, fd, b, sizeof b);
        CHECK(n > 0);
        for (long at = 0; at < n;) {
            uint16_t length = *(uint16_t *)(b + at + 16);
            if (!strcmp(b + at + 18, "one")) found = b[at + length - 1] == DT_REG;
            at += length;
        }
        CHECK(found);
        lseek(fd, 0, SEEK_SET);
        CHECK_ERRNO(syscall(SYS_getdents, fd, BAD_POINTER, 100), EFAULT);
        close(fd);
    }
}

static void working(void) {
    char b[4096], before[4096];
    getcwd(before, sizeof before);
    COVERS(getcwd);
    CASE(getcwd_length_counts_the_nul) {
        long n = syscall(SYS_getcwd, b, sizeof b);
        CHECK_EQ(n, strlen(b) + 1);
        CHECK_EQ(syscall(SYS_getcwd, b, n), n);
        CHECK_ERRNO(syscall(SYS_getcwd, b, n - 1), ERANGE);
        CHECK_ERRNO(syscall(SYS_getcwd, b, 0), ERANGE);
        CHECK_ERRNO(syscall(SYS_getcwd, BAD_POINTER, sizeof b), EFAULT);
    }
    CASE(getcwd_of_removed_directory) CHILD {
        mkdir("wd", 0755);
        chdir("wd");
        rmdir("../wd");
        CHECK_ERRNO(syscall(SYS_getcwd, b, sizeof b), ENOENT);
        CHECK_ERRNO(open(".", O_RDONLY | O_CREAT | O_EXCL, 0600), EEXIST);
        int fd = open(".", O_RDONLY);
        CHECK(fd >= 0);
    }
    CASE(getcwd_of_renamed_directory) CHILD {
        mkdir("ren1", 0755);
        chdir("ren1");
        rename("../ren1", "../ren2");
        CHECK(getcwd(b, sizeof b) && strstr(b, "/ren2"));
    }
    COVERS(chdir, fchdir);
    CASE(chdir_errors) {
        conformance_make("cf", "");
        CHECK_ERRNO(syscall(SYS_chdir, "cf"), ENOTDIR);
        CHECK_ERRNO(syscall(SYS_chdir, "absent"), ENOENT);
        CHECK_ERRNO(syscall(SYS_chdir, ""), ENOENT);
        CHECK_ERRNO(syscall(SYS_chdir, BAD_POINTER), EFAULT);
        CHECK(getcwd(b, sizeof b) && !strcmp(b, before));
    }
    CASE(chdir_without_search_permission) CHILD {
        mkdir("cl", 0755);
        chmod("cl", 0600);
        conformance_become_nobody();
        CHECK_ERRNO(syscall(SYS_chdir, "cl"), EACCES);
        int d = open("cl", O_PATH);
        CHECK_ERRNO(fchdir(d), EACCES);
    }
    CASE(chdir_through_symlink) CHILD {
        mkdir("ct", 0755);
        symlink("ct", "cs");
        CHECK_EQ(chdir("cs"), 0);
        CHECK(getcwd(b, sizeof b) && strstr(b, "/ct"));
    }
    CASE(chdir_is_per_process) {
        mkdir("pp", 0755);
        CHILD chdir("pp");
        CHECK(getcwd(b, sizeof b) && !strcmp(b, before));
    }
    CASE(fchdir_errors) {
        int f = conformance_file("ff", "");
        CHECK_ERRNO(fchdir(f), ENOTDIR);
        CHECK_ERRNO(fchdir(1000), EBADF);
        close(f);
    }
    CASE(fchdir_moves) CHILD {
        mkdir("fd", 0755);
        int d = open("fd", O_RDONLY), p = open("fd", O_PATH), here = open(".", O_RDONLY);
        CHECK_EQ(fchdir(d), 0);
        CHECK(getcwd(b, sizeof b) && strstr(b, "/fd"));
        fchdir(here);
        CHECK_EQ(fchdir(p), 0);
    }
    COVERS(chroot);
    CASE(chroot_confines) CHILD {
        mkdir("jail", 0755);
        conformance_make("jail/inside", "i");
        if (conformance_is_root()) {
            CHECK_EQ(syscall(SYS_chroot, "jail"), 0);
            CHECK_EQ(chdir("/"), 0);
            CHECK_EQ(access("/inside", F_OK), 0);
            CHECK_EQ(access("/../../inside", F_OK), 0);
            CHECK_ERRNO(access("/etc", F_OK), ENOENT);
            CHECK(getcwd(b, sizeof b) && !strcmp(b, "/"));
        }
    }
    CASE(chroot_leaves_working_directory_outside) CHILD {
        mkdir("jail2", 0755);
        if (conformance_is_root()) {
            CHECK_EQ(syscall(SYS_chroot, "jail2"), 0);
            CHECK(syscall(SYS_getcwd, b, sizeof b) > 0);
            CHECK(!strncmp(b, "(unreachable)", 13));
        }
    }
    CASE(chroot_errors) CHILD {
        conformance_make("cj", "");
        CHECK_ERRNO(syscall(SYS_chroot, "cj"), ENOTDIR);
        CHECK_ERRNO(syscall(SYS_chroot, "absent"), ENOENT);
        CHECK_ERRNO(syscall(SYS_chroot, BAD_POINTER), EFAULT);
        conformance_become_nobody();
        CHECK_ERRNO(syscall(SYS_chroot, "."), EPERM);
    }
}

int main(void) {
    conformance_enter();
    reading();
    working();
    return conformance_end();
}
