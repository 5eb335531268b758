// mkdir(2), rmdir(2), unlink(2), mknod(2) and their *at forms.
#include "conformance.h"
#include <dirent.h>
#include <sys/sysmacros.h>

static struct stat s;
static int mode_of(const char *path) { return lstat(path, &s) ? -1 : (int)s.st_mode; }

static void making(void) {
    COVERS(mkdir, mkdirat);
    CASE(mkdir_mode_and_umask) {
        umask(027);
        CHECK_EQ(syscall(SYS_mkdir, "masked", 0777), 0);
        umask(022);
        CHECK_EQ(mode_of("masked"), S_IFDIR | 0750);
    }
    CASE(mkdir_keeps_only_sticky_bit) {
        CHECK_EQ(syscall(SYS_mkdir, "bits", 07777), 0);
        CHECK_EQ(mode_of("bits") & 07777, 01755);
    }
    CASE(mkdir_existing) {
        mkdir("twice", 0755);
        CHECK_ERRNO(syscall(SYS_mkdir, "twice", 0755), EEXIST);
        conformance_make("file", "");
        CHECK_ERRNO(syscall(SYS_mkdir, "file", 0755), EEXIST);
        symlink("nowhere", "dangling");
        CHECK_ERRNO(syscall(SYS_mkdir, "dangling", 0755), EEXIST);
        CHECK_ERRNO(syscall(SYS_mkdir, "/", 0755), EEXIST);
        CHECK_ERRNO(syscall(SYS_mkdir, ".", 0755), EEXIST);
    }
    CASE(mkdir_trailing_slashes) {
        CHECK_EQ(syscall(SYS_mkdir, "slashes///", 0755), 0);
        CHECK_EQ(mode_of("slashes"), S_IFDIR | 0755);
    }
    CASE(mkdir_errors) {
        CHECK_ERRNO(syscall(SYS_mkdir, "absent/x", 0755), ENOENT);
        conformance_make("plain", "");
        CHECK_ERRNO(syscall(SYS_mkdir, "plain/x", 0755), ENOTDIR);
        CHECK_ERRNO(syscall(SYS_mkdir, "", 0755), ENOENT);
        CHECK_ERRNO(syscall(SYS_mkdir, NULL, 0755), EFAULT);
        CHECK_ERRNO(syscall(SYS_mkdir, BAD_POINTER, 0755), EFAULT);
        char name[257];
        memset(name, 'm', 256);
        name[256] = 0;
        CHECK_ERRNO(syscall(SYS_mkdir, name, 0755), ENAMETOOLONG);
    }
    CASE(mkdir_in_removed_directory) CHILD {
        mkdir("removed", 0755);
        chdir("removed");
        rmdir("../removed");
        CHECK_ERRNO(syscall(SYS_mkdir, "x", 0755), ENOENT);
    }
    CASE(mkdir_without_permission) CHILD {
        mkdir("nowrite", 0755);
        if (conformance_is_root()) {
            conformance_become_nobody();
            CHECK_ERRNO(syscall(SYS_mkdir, "nowrite/x", 0755), EACCES);
        }
    }
    CASE(mkdirat_descriptors) {
        mkdir("at", 0755);
        int d = open("at", O_PATH);
        CHECK_EQ(mkdirat(d, "in", 0755), 0);
        CHECK_EQ(mode_of("at/in"), S_IFDIR | 0755);
        CHECK_ERRNO(mkdirat(1000, "x", 0755), EBADF);
        int f = conformance_file("atfile", "");
        CHECK_ERRNO(mkdirat(f, "x", 0755), ENOTDIR);
        close(d), close(f);
    }
    CASE(mkdir_deep_tree) {
        char path[1200] = "deep";
        for (int i = 0; i < 100; i++) {
            if (mkdir(path, 0755)) FAIL_("mkdir at depth %d: errno %d", i, errno);
            strcat(path, "/d");
        }
        CHECK_EQ(access(path, F_OK), -1);
        path[strlen(path) - 2] = 0;
        CHECK_EQ(access(path, F_OK), 0);
    }
}

static void removing(void) {
    COVERS(rmdir);
    CASE(rmdir_empty) {
        mkdir("empty", 0755);
        CHECK_EQ(syscall(SYS_rmdir, "empty"), 0);
        CHECK_EQ(mode_of("empty"), -1);
    }
    CASE(rmdir_errors) {
        mkdir("full", 0755);
        conformance_make("full/x", "");
        CHECK_ERRNO(syscall(SYS_rmdir, "full"), ENOTEMPTY);
        CHECK_ERRNO(syscall(SYS_rmdir, "absent"), ENOENT);
        CHECK_ERRNO(syscall(SYS_rmdir, "full/x"), ENOTDIR);
        CHECK_ERRNO(syscall(SYS_rmdir, "full/."), EINVAL);
        CHECK_ERRNO(syscall(SYS_rmdir, "full/.."), ENOTEMPTY);
        CHECK_ERRNO(syscall(SYS_rmdir, ""), ENOENT);
        CHECK_ERRNO(syscall(SYS_rmdir, BAD_POINTER), EFAULT);
        CHECK_ERRNO(syscall(SYS_rmdir, "/"), EBUSY);
        CHECK_ERRNO(syscall(SYS_rmdir, "/proc"), conformance_is_root() ? EBUSY : EACCES);
    }
    CASE(rmdir_of_symlink) {
        mkdir("rmtarget", 0755);
        symlink("rmtarget", "rmlink");
        CHECK_ERRNO(syscall(SYS_rmdir, "rmlink"), ENOTDIR);
        CHECK_ERRNO(syscall(SYS_rmdir, "rmlink/"), ENOTDIR);
    }
    CASE(rmdir_of_working_directory) CHILD {
        mkdir("cwd", 0755);
        chdir("cwd");
        CHECK_EQ(syscall(SYS_rmdir, "../cwd"), 0);
        char b[100];
        CHECK_ERRNO(syscall(SYS_getcwd, b, 100), ENOENT);
        CHECK_ERRNO(open("x", O_CREAT | O_RDWR, 0600), ENOENT);
        CHECK_EQ(chdir(".."), 0);
    }
    CASE(rmdir_reduces_link_count) {
        mkdir("parent", 0755);
        mkdir("parent/child", 0755);
        mode_of("parent");
        CHECK_EQ(s.st_nlink, 3);
        rmdir("parent/child");
        mode_of("parent");
        CHECK_EQ(s.st_nlink, 2);
    }
    CASE(rmdir_sticky_directory) CHILD {
        if (conformance_is_root()) {
            mkdir("sticky", 0755);
            chmod("sticky", 01777);
            mkdir("sticky/root", 0755);
            conformance_make("sticky/rootfile", "");
            conformance_become_nobody();
            CHECK_ERRNO(syscall(SYS_rmdir, "sticky/root"), EPERM);
            CHECK_ERRNO(unlink("sticky/rootfile"), EPERM);
            CHECK_ERRNO(rename("sticky/rootfile", "sticky/other"), EPERM);
            CHECK_EQ(mkdir("sticky/mine", 0755), 0);
            CHECK_EQ(syscall(SYS_rmdir, "sticky/mine"), 0);
        }
    }
    COVERS(unlink, unlinkat);
    CASE(unlink_file) {
        conformance_make("bye", "");
        CHECK_EQ(syscall(SYS_unlink, "bye"), 0);
        CHECK_ERRNO(syscall(SYS_unlink, "bye"), ENOENT);
    }
    CASE(unlink_errors) {
        mkdir("udir", 0755);
        conformance_make("ufile", "");
        CHECK_ERRNO(syscall(SYS_unlink, "udir"), EISDIR);
        CHECK_ERRNO(syscall(SYS_unlink, "ufile/"), ENOTDIR);
        CHECK_ERRNO(syscall(SYS_unlink, "ufile/x"), ENOTDIR);
        CHECK_ERRNO(syscall(SYS_unlink, "udir/absent"), ENOENT);
        CHECK_ERRNO(syscall(SYS_unlink, ""), ENOENT);
        CHECK_ERRNO(syscall(SYS_unlink, BAD_POINTER), EFAULT);
        CHECK_ERRNO(syscall(SYS_unlink, "."), EISDIR);
        CHECK_ERRNO(syscall(SYS_unlink, "/"), EISDIR);
    }
    CASE(unlink_symlink_keeps_target) {
        conformance_make("ut", "");
        symlink("ut", "ul");
        CHECK_EQ(syscall(SYS_unlink, "ul"), 0);
        CHECK(mode_of("ut") > 0);
    }
    CASE(unlink_without_permission) CHILD {
        mkdir("uprot", 0755);
        conformance_make("uprot/f", "");
        if (conformance_is_root()) {
            conformance_become_nobody();
            CHECK_ERRNO(syscall(SYS_unlink, "uprot/f"), EACCES);
        }
    }
    CASE(unlink_changes_ctime_of_other_name) {
        conformance_make("first", "");
        link("first", "second");
        struct timespec old[2] = {{1, 0}, {1, 0}};
        utimensat(AT_FDCWD, "first", old, 0);
        unlink("second");
        mode_of("first");
        CHECK_EQ(s.st_nlink, 1);
        CHECK(s.st_ctim.tv_sec > 1000000000);
    }
    CASE(unlinkat_flags) {
        mkdir("ua", 0755);
        conformance_make("ua/f", "");
        mkdir("ua/d", 0755);
        int d = open("ua", O_RDONLY);
        CHECK_ERRNO(unlinkat(d, "d", 0), EISDIR);
        CHECK_ERRNO(unlinkat(d, "f", AT_REMOVEDIR), ENOTDIR);
        CHECK_ERRNO(unlinkat(d, "f", 0x1000), EINVAL);
        CHECK_EQ(unlinkat(d, "d", AT_REMOVEDIR), 0);
        CHECK_EQ(unlinkat(d, "f", 0), 0);
        CHECK_ERRNO(unlinkat(1000, "f", 0), EBADF);
        CHECK_ERRNO(unlinkat(d, BAD_POINTER, 0), EFAULT);
        close(d);
    }
}

static void nodes(void) {
    COVERS(mknod, mknodat);
    CASE(mknod_types) {
        CHECK_EQ(syscall(SYS_mknod, "n_file", 0640, 0), 0);
        CHECK_EQ(mode_of("n_file"), S_IFREG | 0640);
        CHECK_EQ(syscall(SYS_mknod, "n_reg", S_IFREG | 0600, 0), 0);
        CHECK_EQ(mode_of("n_reg"), S_IFREG | 0600);
        CHECK_EQ(syscall(SYS_mknod, "n_fifo", S_IFIFO | 0600, 0), 0);
        CHECK_EQ(mode_of("n_fifo"), S_IFIFO | 0600);
        CHECK_EQ(syscall(SYS_mknod, "n_sock", S_IFSOCK | 0600, 0), 0);
        CHECK_EQ(mode_of("n_sock"), S_IFSOCK | 0600);
    }
    CASE(mknod_directory_and_link_types) {
        CHECK_ERRNO(syscall(SYS_mknod, "n_dir", S_IFDIR | 0755, 0), EPERM);
        CHECK_ERRNO(syscall(SYS_mknod, "n_lnk", S_IFLNK | 0777, 0), EINVAL);
        CHECK_ERRNO(syscall(SYS_mknod, "n_odd", 0150000 | 0777, 0), EINVAL);
    }
    CASE(mknod_device_needs_privilege) CHILD {
        conformance_become_nobody();
        chdir("/tmp");
        CHECK_ERRNO(syscall(SYS_mknod, "conformance_device", S_IFCHR | 0600, makedev(1, 3)), EPERM);
    }
    CASE(mknod_whiteout_needs_no_privilege) CHILD {
        chmod(".", 0777);
        conformance_become_nobody();
        CHECK_EQ(syscall(SYS_mknod, "n_white", S_IFCHR | 0600, 0), 0);
        CHECK_ERRNO(open("n_white", O_RDONLY), ENXIO);
    }
    CASE(mknod_device_of_root) CHILD {
        if (conformance_is_root()) {
            CHECK_EQ(syscall(SYS_mknod, "n_chr", S_IFCHR | 0600, makedev(1, 3)), 0);
            CHECK_EQ(mode_of("n_chr"), S_IFCHR | 0600);
            CHECK_EQ(s.st_rdev, makedev(1, 3));
        }
    }
    CASE(mknod_errors) {
        conformance_make("n_there", "");
        CHECK_ERRNO(syscall(SYS_mknod, "n_there", S_IFREG | 0600, 0), EEXIST);
        CHECK_ERRNO(syscall(SYS_mknod, "absent/x", S_IFREG | 0600, 0), ENOENT);
        CHECK_ERRNO(syscall(SYS_mknod, "n_there/x", S_IFREG | 0600, 0), ENOTDIR);
        CHECK_ERRNO(syscall(SYS_mknod, BAD_POINTER, S_IFREG | 0600, 0), EFAULT);
        CHECK_ERRNO(syscall(SYS_mknod, "", S_IFREG | 0600, 0), ENOENT);
        CHECK_ERRNO(syscall(SYS_mknod, "n_slash/", S_IFREG | 0600, 0), ENOENT);
        CHECK_ERRNO(syscall(SYS_mknodat, 1000, "x", S_IFREG | 0600, 0), EBADF);
    }
    CASE(mknodat_relative) {
        mkdir("nat", 0755);
        int d = open("nat", O_RDONLY);
        CHECK_EQ(syscall(SYS_mknodat, d, "f", S_IFIFO | 0600, 0), 0);
        CHECK_EQ(mode_of("nat/f"), S_IFIFO | 0600);
        close(d);
    }
    CASE(mknod_uses_umask) {
        umask(077);
        syscall(SYS_mknod, "n_masked", S_IFREG | 0666, 0);
        umask(022);
        CHECK_EQ(mode_of("n_masked") & 0777, 0600);
    }
    COVERS(umask);
    CASE(umask_returns_old_and_masks) {
        mode_t old = umask(0123);
        CHECK_EQ(umask(07777), 0123);
        CHECK_EQ(umask(old), 0777);
    }
    CASE(umask_is_inherited) {
        umask(031);
        CHILD CHECK_EQ(umask(0), 031);
        CHECK_EQ(umask(022), 031);
    }
}

int main(void) {
    conformance_enter();
    making();
    removing();
    nodes();
    return conformance_end();
}
