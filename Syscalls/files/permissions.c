// Who may do what: mode bits by class, supplementary groups, capabilities of path_resolution(7) and capabilities(7), O_PATH.
#include "conformance.h"
#include <dirent.h>
#include <linux/capability.h>
#include <sys/file.h>
#include <sys/fsuid.h>
#include <sys/xattr.h>

static struct stat s;
static int may(const char *path, int flags) {
    int fd = open(path, flags);
    if (fd < 0) return 0;
    close(fd);
    return 1;
}
static void keep_capabilities(uint64_t set) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{set, set, 0}, {set >> 32, set >> 32, 0}};
    if (syscall(SYS_capset, &header, data)) FAIL_("capset: errno %d", errno);
}
static void become(uid_t uid, gid_t gid, gid_t extra) {
    if (syscall(SYS_setgroups, extra != 0, &extra) || syscall(SYS_setresgid, gid, gid, gid) || syscall(SYS_setresuid, uid, uid, uid))
        FAIL_("cannot become %d: errno %d", uid, errno);
}
/// A file of this owner, group and mode.
static void make(const char *name, uid_t uid, gid_t gid, int mode) {
    conformance_make(name, "x");
    chown(name, uid, gid);
    chmod(name, mode);
}
/// As CASE in a child, but only with the means of root; without them there is nothing to see, on the host as inside.
#define AS_ROOT CHILD if (conformance_is_root())

int main(void) {
    conformance_enter();
    COVERS(open);
    CASE(class_owner_decides_for_owner) AS_ROOT {
        make("owner", 1000, 1000, 0077);
        become(1000, 1000, 0);
        CHECK(!may("owner", O_RDONLY) && !may("owner", O_WRONLY));
    }
    CASE(class_group_decides_for_group) AS_ROOT {
        make("group", 0, 2000, 0604);
        become(1000, 2000, 0);
        CHECK(!may("group", O_RDONLY));
    }
    CASE(class_supplementary_group_counts) AS_ROOT {
        make("extra", 0, 3000, 0660);
        become(1000, 1000, 3000);
        CHECK(may("extra", O_RDWR));
    }
    CASE(class_others) AS_ROOT {
        make("others", 0, 0, 0004);
        become(1000, 1000, 0);
        CHECK(may("others", O_RDONLY) && !may("others", O_WRONLY));
    }
    CASE(class_root_in_no_group_overrides) AS_ROOT {
        make("override", 1000, 1000, 0000);
        CHECK(may("override", O_RDWR));
    }
    CASE(capability_dac_override_alone) AS_ROOT {
        make("dac", 1, 1, 0000);
        keep_capabilities(1ull << CAP_DAC_OVERRIDE);
        CHECK(may("dac", O_RDWR));
    }
    CASE(capability_dac_read_search_alone) AS_ROOT {
        make("search", 1, 1, 0000);
        mkdir("searchdir", 0755);
        make("searchdir/f", 1, 1, 0000);
        chown("searchdir", 1, 1);
        chmod("searchdir", 0);
        keep_capabilities(1ull << CAP_DAC_READ_SEARCH);
        CHECK(may("search", O_RDONLY) && !may("search", O_WRONLY));
        CHECK(may("searchdir/f", O_RDONLY));
        CHECK(may("searchdir", O_RDONLY));
    }
    CASE(capability_none_makes_root_ordinary) AS_ROOT {
        make("plain", 1, 1, 0600);
        keep_capabilities(0);
        CHECK(!may("plain", O_RDONLY));
    }
    COVERS(setfsuid, setfsgid, open);
    CASE(file_system_ids_decide) AS_ROOT {
        make("fsuid", 1000, 1000, 0600);
        chmod(".", 0777);
        setfsgid(1000);
        setfsuid(1000);
        CHECK(may("fsuid", O_RDWR));
        int fd = open("fsuid_new", O_RDWR | O_CREAT, 0600);
        fstat(fd, &s);
        CHECK(s.st_uid == 1000 && s.st_gid == 1000);
        setfsuid(1001);
        CHECK(!may("fsuid", O_RDWR));
    }
    COVERS(chmod, chown, utimensat);
    CASE(capability_fowner) AS_ROOT {
        make("fowner", 1, 1, 0600);
        keep_capabilities(1ull << CAP_FOWNER);
        CHECK_EQ(chmod("fowner", 0644), 0);
        CHECK_ERRNO(chown("fowner", 0, -1), EPERM);
        struct timespec times[2] = {{1, 0}, {1, 0}};
        CHECK_EQ(utimensat(AT_FDCWD, "fowner", times, 0), 0);
    }
    CASE(capability_chown) AS_ROOT {
        make("chown", 1, 1, 0600);
        keep_capabilities(1ull << CAP_CHOWN);
        CHECK_EQ(chown("chown", 5, 6), 0);
        CHECK_ERRNO(chmod("chown", 0644), EPERM);
    }
    CASE(capability_fsetid_keeps_set_ids) AS_ROOT {
        make("fsetid", 0, 0, 06755);
        int fd = open("fsetid", O_WRONLY);
        write(fd, "y", 1);
        fstat(fd, &s);
        CHECK_EQ(s.st_mode & 07777, 06755);
        keep_capabilities(1ull << CAP_DAC_OVERRIDE);
        write(fd, "z", 1);
        fstat(fd, &s);
        CHECK_EQ(s.st_mode & 07777, 0755);
    }
    CASE(set_group_id_without_group_execution_stays) AS_ROOT {
        make("mandatory", 0, 0, 02745);
        chown("mandatory", 7, 7);
        stat("mandatory", &s);
        CHECK_EQ(s.st_mode & 07777, 02745);
    }
    COVERS(mknod, chroot);
    CASE(capability_mknod_and_chroot) AS_ROOT {
        keep_capabilities(0);
        CHECK_ERRNO(mknod("dev", S_IFCHR | 0600, 0x103), EPERM);
        CHECK_ERRNO(syscall(SYS_chroot, "."), EPERM);
        CHECK_EQ(mknod("fifo", S_IFIFO | 0600, 0), 0);
    }
    COVERS(unlink, rename, rmdir);
    CASE(directory_needs_write_and_search) AS_ROOT {
        mkdir("ws", 0755);
        make("ws/f", 1000, 1000, 0600);
        chown("ws", 1000, 1000);
        become(1000, 1000, 0);
        chmod("ws", 0200);
        CHECK_ERRNO(unlink("ws/f"), EACCES);
        chmod("ws", 0100);
        CHECK_ERRNO(unlink("ws/f"), EACCES);
        chmod("ws", 0300);
        CHECK_EQ(unlink("ws/f"), 0);
    }
    CASE(sticky_directory_spares_owners) AS_ROOT {
        mkdir("st", 0755);
        chmod("st", 01777);
        make("st/mine", 1000, 1000, 0600);
        make("st/other", 1001, 1001, 0600);
        become(1000, 1000, 0);
        CHECK_ERRNO(unlink("st/other"), EPERM);
        CHECK_ERRNO(rename("st/mine", "st/other"), EPERM);
        CHECK_EQ(rename("st/mine", "st/new"), 0);
        CHECK_EQ(unlink("st/new"), 0);
    }
    CASE(sticky_directory_owner_may_remove) AS_ROOT {
        mkdir("so", 0755);
        chown("so", 1000, 1000);
        chmod("so", 01777);
        make("so/other", 1001, 1001, 0600);
        become(1000, 1000, 0);
        CHECK_EQ(unlink("so/other"), 0);
    }
    CASE(moving_a_directory_needs_write_on_it) AS_ROOT {
        mkdir("md", 0777);
        chmod("md", 0777);
        mkdir("md/a", 0755);
        mkdir("md/b", 0777);
        chmod("md/b", 0777);
        become(1000, 1000, 0);
        CHECK_ERRNO(rename("md/a", "md/b/a"), EACCES);
        CHECK_EQ(rename("md/a", "md/c"), 0);
    }
    COVERS(execve, access);
    CASE(execution_needs_a_bit_even_for_root) CHILD {
        make("script", geteuid(), getegid(), 0644);
        CHECK_ERRNO(access("script", X_OK), EACCES);
        execl("script", "script", NULL);
        CHECK_EQ(errno, EACCES);
    }
    CASE(execution_of_directory) CHILD {
        mkdir("xd", 0755);
        execl("xd", "xd", NULL);
        CHECK_EQ(errno, EACCES);
    }
    COVERS(open, fchdir, fstat, readlinkat);
    CASE(path_descriptor_is_a_base_only) {
        mkdir("pd", 0755);
        conformance_make("pd/f", "");
        int d = open("pd", O_PATH), f = open("pd/f", O_PATH);
        CHECK_EQ(faccessat(d, "f", F_OK, 0), 0);
        char b[10];
        CHECK_ERRNO(getdents64(d, b, 10), EBADF);
        CHECK_ERRNO(fsync(d), EBADF);
        CHECK_ERRNO(flock(f, 1), EBADF);
        CHECK_ERRNO(lseek(f, 0, SEEK_SET), EBADF);
        CHECK_ERRNO(fgetxattr(f, "user.a", b, 1), EBADF);
        CHECK_EQ(fstat(f, &s), 0);
        int copy = dup(f);
        CHECK(copy >= 0);
        char path[40];
        snprintf(path, 40, "/proc/self/fd/%d", f);
        int real = open(path, O_RDWR);
        CHECK(real >= 0);
        close(d), close(f), close(copy), close(real);
    }
    return conformance_end();
}
