// mount(2): new mounts, bind mounts, flags, remounts, moves.
#include "namespaces.h"
#include <mqueue.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

int main(void) {
    conformance_enter();

    COVERS(mount);
    CASE(mount_tmpfs) IN_MOUNTS {
        mkdir("d", 0755);
        touch("d/below");
        CHECK(!mount("source", "d", "tmpfs", 0, NULL));
        CHECK(!exists("d/below"));
        CHECK(mount_has("d", "- tmpfs source"));
        CHECK(mount_has("d", "rw,relatime"));
        CHECK(!umount("d"));
        CHECK(exists("d/below"));
    }
    CASE(mount_errors) IN_MOUNTS {
        mkdir("d", 0755);
        touch("f");
        CHECK_ERRNO(mount("x", "absent", "tmpfs", 0, NULL), ENOENT);
        CHECK_ERRNO(mount("x", "f", "tmpfs", 0, NULL), ENOTDIR);
        CHECK_ERRNO(mount("x", "d", "no-such-type", 0, NULL), ENODEV);
        CHECK_ERRNO(mount("x", "d", NULL, 0, NULL), EINVAL);
        CHECK_ERRNO(mount("x", BAD_POINTER, "tmpfs", 0, NULL), EFAULT);
        CHECK_ERRNO(mount("x", "d", BAD_POINTER, 0, NULL), EFAULT);
        CHECK_ERRNO(mount("x", "d", "tmpfs", 0, "no_such_option=1"), EINVAL);
        CHECK_ERRNO(mount("x", "d", "tmpfs", 0, "mode=9"), EINVAL);
    }
    CASE(mount_without_privilege) CHILD {
        conformance_become_nobody();
        CHECK_ERRNO(mount("x", "/tmp", "tmpfs", 0, NULL), EPERM);
        CHECK_ERRNO(mount("x", "/absent", "tmpfs", 0, NULL), ENOENT);
        CHECK_ERRNO(umount("/"), EPERM);
    }
    CASE(mounts_stack) IN_MOUNTS {
        mkdir("d", 0755);
        CHECK(!mount("one", "d", "tmpfs", 0, NULL));
        touch("d/one");
        CHECK(!mount("two", "d", "tmpfs", 0, NULL));
        touch("d/two");
        CHECK(!exists("d/one"));
        CHECK(!umount("d"));
        CHECK(exists("d/one") && !exists("d/two"));
    }
    CASE(tmpfs_options) IN_MOUNTS {
        mkdir("d", 0755);
        CHECK(!mount("x", "d", "tmpfs", 0, "mode=700,size=64k"));
        struct stat status;
        CHECK(!stat("d", &status));
        CHECK_EQ(status.st_mode & 07777, 0700);
        struct statvfs space;
        CHECK(!statvfs("d", &space));
        CHECK_EQ(space.f_blocks * space.f_frsize, 65536);
        CHECK(mount_has("d", "size=64k"));
        CHECK(mount_has("d", "mode=700"));
    }
    CASE(device_numbers_differ) IN_MOUNTS {
        mkdir("d", 0755);
        struct stat before, after;
        stat("d", &before);
        CHECK(!mount("x", "d", "tmpfs", 0, NULL));
        stat("d", &after);
        CHECK(before.st_dev != after.st_dev);
        stat("d/..", &after);
        CHECK_EQ(before.st_dev, after.st_dev);
    }
    CASE(mount_point_is_busy) IN_MOUNTS {
        mkdir("d", 0755);
        CHECK(!mount("x", "d", "tmpfs", 0, NULL));
        CHECK_ERRNO(rmdir("d"), EBUSY);
        CHECK_ERRNO(rename("d", "e"), EBUSY);
        touch("f");
        touch("g");
        CHECK(!mount("f", "g", NULL, MS_BIND, NULL));
        CHECK_ERRNO(unlink("g"), EBUSY);
        CHECK_ERRNO(rename("f", "g"), EBUSY);
    }
    CASE(removed_elsewhere) IN_MOUNTS {
        // A name that is a mount point in another namespace alone can be removed; the mount goes.
        mkdir("d", 0755);
        int go[2], ready[2];
        CHECK(!pipe(go) && !pipe(ready));
        pid_t child = fork();
        if (!child) {
            char c;
            if (unshare(CLONE_NEWNS) || mount("x", "d", "tmpfs", 0, NULL)) _exit(1);
            (void)!write(ready[1], "", 1);
            (void)!read(go[0], &c, 1);
            _exit(exists("d") ? 2 : 0);
        }
        char c;
        CHECK_EQ(read(ready[0], &c, 1), 1);
        CHECK(!rmdir("d"));
        (void)!write(go[1], "", 1);
        int status;
        waitpid(child, &status, 0);
        CHECK_EQ(status, 0);
    }

    CASE(bind_directory) IN_MOUNTS {
        mkdir("a", 0755);
        mkdir("b", 0755);
        touch("a/file");
        CHECK(!mount("a", "b", NULL, MS_BIND, NULL));
        CHECK(exists("b/file"));
        touch("b/other");
        CHECK(exists("a/other"));
        struct stat a, b;
        stat("a/file", &a);
        stat("b/file", &b);
        CHECK(a.st_dev == b.st_dev && a.st_ino == b.st_ino);
    }
    CASE(bind_file) IN_MOUNTS {
        conformance_make("a", "one");
        conformance_make("b", "two");
        CHECK(!mount("a", "b", NULL, MS_BIND, NULL));
        CHECK(!strcmp(first_line("b"), "one"));
        CHECK(!umount("b"));
        CHECK(!strcmp(first_line("b"), "two"));
    }
    CASE(bind_errors) IN_MOUNTS {
        mkdir("d", 0755);
        touch("f");
        CHECK_ERRNO(mount("d", "f", NULL, MS_BIND, NULL), ENOTDIR);
        CHECK_ERRNO(mount("f", "d", NULL, MS_BIND, NULL), ENOTDIR);
        CHECK_ERRNO(mount("absent", "d", NULL, MS_BIND, NULL), ENOENT);
        CHECK_ERRNO(mount("", "d", NULL, MS_BIND, NULL), EINVAL);
        CHECK_ERRNO(mount(NULL, "d", NULL, MS_BIND, NULL), EINVAL);
    }
    CASE(bind_leaves_mounts_below_out) IN_MOUNTS {
        mkdir("a", 0755);
        mkdir("a/sub", 0755);
        mkdir("b", 0755);
        CHECK(!mount("x", "a/sub", "tmpfs", 0, NULL));
        touch("a/sub/inner");
        CHECK(!mount("a", "b", NULL, MS_BIND, NULL));
        CHECK(exists("b/sub") && !exists("b/sub/inner"));
    }
    CASE(bind_recursive) IN_MOUNTS {
        mkdir("a", 0755);
        mkdir("a/sub", 0755);
        mkdir("b", 0755);
        CHECK(!mount("x", "a/sub", "tmpfs", 0, NULL));
        touch("a/sub/inner");
        CHECK(!mount("a", "b", NULL, MS_BIND | MS_REC, NULL));
        CHECK(exists("b/sub/inner"));
        CHECK(is_mounted("b/sub"));
    }
    CASE(bind_below_itself) IN_MOUNTS {
        mkdir("a", 0755);
        mkdir("a/sub", 0755);
        touch("a/file");
        CHECK(!mount("a", "a/sub", NULL, MS_BIND | MS_REC, NULL));
        CHECK(exists("a/sub/file") && exists("a/sub/sub") && !exists("a/sub/sub/file"));
    }
    CASE(bind_is_another_mount) IN_MOUNTS {
        mkdir("a", 0755);
        mkdir("b", 0755);
        conformance_make("a/file", "x");
        CHECK(!mount("a", "b", NULL, MS_BIND, NULL));
        CHECK_ERRNO(link("a/file", "b/link"), EXDEV);
        CHECK_ERRNO(rename("a/file", "b/moved"), EXDEV);
    }
    CASE(bind_root_shows) IN_MOUNTS {
        mkdir("a", 0755);
        mkdir("a/deep", 0755);
        mkdir("b", 0755);
        CHECK(!mount("a/deep", "b", NULL, MS_BIND, NULL));
        char here[400], line[2048];
        int found = 0;
        getcwd(here, sizeof here);
        strcat(here, "/b");
        FILE *file = fopen("/proc/self/mountinfo", "r");
        while (fgets(line, sizeof line, file)) {
            char root[256], place[512];
            if (sscanf(line, "%*d %*d %*s %255s %511s", root, place) == 2 && !strcmp(place, here)) found = !strcmp(root, "/a/deep");
        }
        CHECK(found);
    }
    CASE(namespace_file) IN_MOUNTS {
        touch("kept");
        CHECK(!mount("/proc/self/ns/uts", "kept", NULL, MS_BIND, NULL));
        struct stat one, other;
        CHECK(!stat("/proc/self/ns/uts", &one) && !stat("kept", &other));
        CHECK_EQ(one.st_ino, other.st_ino);
        int fd = open("kept", O_RDONLY);
        CHECK(fd >= 0);
        CHECK_ERRNO(setns(fd, CLONE_NEWIPC), EINVAL);
        // A mount namespace cannot hold itself.
        CHECK_ERRNO(mount("/proc/self/ns/mnt", "kept", NULL, MS_BIND, NULL), EINVAL);
    }

    CASE(flags_of_a_new_mount) IN_MOUNTS {
        mkdir("d", 0755);
        CHECK(!mount("x", "d", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
        CHECK(mount_has("d", "rw,nosuid,nodev,noexec,relatime"));
    }
    CASE(read_only) IN_MOUNTS {
        mkdir("a", 0755);
        mkdir("b", 0755);
        conformance_make("a/file", "x");
        CHECK(!mount("a", "b", NULL, MS_BIND, NULL));
        CHECK(!mount(NULL, "b", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL));
        CHECK_ERRNO(open("b/file", O_WRONLY), EROFS);
        CHECK_ERRNO(open("b/new", O_WRONLY | O_CREAT, 0600), EROFS);
        CHECK_ERRNO(mkdir("b/new", 0755), EROFS);
        CHECK_ERRNO(unlink("b/file"), EROFS);
        CHECK_ERRNO(chmod("b/file", 0600), EROFS);
        CHECK_ERRNO(rename("b/file", "b/g"), EROFS);
        CHECK_ERRNO(access("b", W_OK), EROFS);
        CHECK_ERRNO(truncate("b/file", 0), EROFS);
        CHECK_ERRNO(utimensat(AT_FDCWD, "b/file", NULL, 0), EROFS);
        int fd = open("a/file", O_WRONLY);
        CHECK(fd >= 0);
        struct statvfs status;
        CHECK(!statvfs("b", &status) && status.f_flag & ST_RDONLY);
        CHECK(mount_has("b", "ro,relatime"));
    }
    CASE(bind_flags_need_a_remount) IN_MOUNTS {
        mkdir("a", 0755);
        mkdir("b", 0755);
        CHECK(!mount("a", "b", NULL, MS_BIND | MS_RDONLY, NULL));
        CHECK(!mkdir("b/new", 0755));
    }
    CASE(superblock_read_only) IN_MOUNTS {
        mkdir("a", 0755);
        mkdir("b", 0755);
        CHECK(!mount("x", "a", "tmpfs", 0, NULL));
        CHECK(!mount("a", "b", NULL, MS_BIND, NULL));
        CHECK(!mount(NULL, "a", NULL, MS_REMOUNT | MS_RDONLY, NULL));
        CHECK_ERRNO(mkdir("a/new", 0755), EROFS);
        CHECK_ERRNO(mkdir("b/new", 0755), EROFS);
        CHECK(mount_has("b", "rw,relatime"));
        CHECK(!mount(NULL, "a", NULL, MS_REMOUNT, NULL));
        CHECK(!mkdir("b/new", 0755));
    }
    CASE(no_exec) IN_MOUNTS {
        mkdir("d", 0755);
        CHECK(!mount("x", "d", "tmpfs", MS_NOEXEC, NULL));
        conformance_make("d/run", "#!/bin/sh\nexit 0\n");
        chmod("d/run", 0755);
        CHECK_ERRNO(execl("d/run", "run", NULL), EACCES);
        CHECK_ERRNO(access("d/run", X_OK), EACCES);
        CHECK_ERRNO(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, open("d/run", O_RDONLY), 0) == MAP_FAILED ? -1 : 0, EPERM);
    }
    CASE(no_devices) IN_MOUNTS {
        touch("null");
        CHECK(!mount("/dev/null", "null", NULL, MS_BIND, NULL));
        int fd = open("null", O_RDWR);
        CHECK(fd >= 0);
        close(fd);
        mkdir("d", 0755);
        CHECK_ERRNO(mknod("d/null", S_IFCHR | 0666, makedev(1, 3)), EPERM);
    }
    CASE(no_symlinks) IN_MOUNTS {
        mkdir("d", 0755);
        CHECK(!mount("x", "d", "tmpfs", 256 /* MS_NOSYMFOLLOW */, NULL));
        CHECK(!symlink("target", "d/link"));
        touch("d/target");
        CHECK_ERRNO(open("d/link", O_RDONLY), ELOOP);
        char target[16];
        CHECK_EQ(readlink("d/link", target, 16), 6);
        CHECK(mount_has("d", "nosymfollow"));
    }
    CASE(access_time_flags) IN_MOUNTS {
        mkdir("d", 0755);
        CHECK(!mount("x", "d", "tmpfs", MS_NOATIME | MS_NODIRATIME, NULL));
        CHECK(mount_has("d", "noatime,nodiratime"));
        // A remount that names none keeps them.
        CHECK(!mount(NULL, "d", NULL, MS_REMOUNT | MS_BIND | MS_NOSUID, NULL));
        CHECK(mount_has("d", "nosuid,noatime,nodiratime"));
        CHECK(!mount(NULL, "d", NULL, MS_REMOUNT | MS_BIND | MS_STRICTATIME, NULL));
        CHECK(!mount_has("d", "atime"));
        CHECK(!mount(NULL, "d", NULL, MS_REMOUNT | MS_BIND | MS_RELATIME, NULL));
        CHECK(mount_has("d", "relatime"));
    }
    CASE(remount_errors) IN_MOUNTS {
        mkdir("d", 0755);
        CHECK_ERRNO(mount(NULL, "d", NULL, MS_REMOUNT, NULL), EINVAL);
        CHECK_ERRNO(mount(NULL, "d", NULL, MS_REMOUNT | MS_BIND, NULL), EINVAL);
        CHECK(!mount("x", "d", "tmpfs", 0, NULL));
        CHECK_ERRNO(mount(NULL, "d", NULL, MS_REMOUNT, "no_such_option"), EINVAL);
    }

    COVERS(mount);
    CASE(move) IN_MOUNTS {
        mkdir("a", 0755);
        mkdir("b", 0755);
        CHECK(!mount("x", "a", "tmpfs", 0, NULL));
        touch("a/file");
        CHECK(!mount("a", "b", NULL, MS_MOVE, NULL));
        CHECK(exists("b/file") && !exists("a/file"));
        CHECK(is_mounted("b") && !is_mounted("a"));
    }
    CASE(move_errors) IN_MOUNTS {
        mkdir("a", 0755);
        mkdir("b", 0755);
        touch("f");
        CHECK_ERRNO(mount("a", "b", NULL, MS_MOVE, NULL), EINVAL);
        CHECK(!mount("x", "a", "tmpfs", 0, NULL));
        mkdir("a/sub", 0755);
        CHECK_ERRNO(mount("a", "a/sub", NULL, MS_MOVE, NULL), ELOOP);
        CHECK_ERRNO(mount("a", "f", NULL, MS_MOVE, NULL), EINVAL);
        CHECK_ERRNO(mount("", "b", NULL, MS_MOVE, NULL), EINVAL);
    }
    CASE(move_keeps_what_is_below) IN_MOUNTS {
        mkdir("a", 0755);
        mkdir("b", 0755);
        CHECK(!mount("x", "a", "tmpfs", 0, NULL));
        mkdir("a/sub", 0755);
        CHECK(!mount("y", "a/sub", "tmpfs", 0, NULL));
        touch("a/sub/inner");
        CHECK(!mount("a", "b", NULL, MS_MOVE, NULL));
        CHECK(exists("b/sub/inner"));
    }
    CASE(proc_in_a_user_namespace) CHILD if (!enter_namespaces(CLONE_NEWNS | CLONE_NEWPID)) CHILD {
        mkdir("p", 0755);
        CHECK(!mount("p", "p", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
        CHECK(exists("p/self/status"));
        CHECK(exists("p/1"));
    }
    CASE(mqueue) CHILD if (!enter_namespaces(CLONE_NEWNS | CLONE_NEWIPC)) {
        mkdir("q", 0755);
        CHECK(!mount("q", "q", "mqueue", 0, NULL));
        mqd_t queue = mq_open("/in-the-directory", O_CREAT | O_RDWR, 0600, NULL);
        CHECK(queue >= 0);
        CHECK(exists("q/in-the-directory"));
        CHECK(!strncmp(first_line("q/in-the-directory"), "QSIZE:0 ", 8));
        CHECK(!unlink("q/in-the-directory"));
        CHECK_ERRNO(mq_open("/in-the-directory", O_RDWR), ENOENT);
        int fd = open("q/by-open", O_CREAT | O_RDWR, 0600);
        CHECK(fd >= 0);
        CHECK(!mq_send(fd, "x", 1, 0));
        CHECK(mq_open("/by-open", O_RDWR) >= 0);
    }
    CASE(tmpfs_remount_size) IN_MOUNTS {
        mkdir("d", 0755);
        CHECK(!mount("x", "d", "tmpfs", 0, "size=64k"));
        CHECK(!mount(NULL, "d", NULL, MS_REMOUNT, "size=128k"));
        struct statvfs space;
        CHECK(!statvfs("d", &space));
        CHECK_EQ(space.f_blocks * space.f_frsize, 131072);
        int fd = open("d/file", O_CREAT | O_WRONLY, 0600);
        char page[65536] = {1};
        CHECK_EQ(write(fd, page, sizeof page), sizeof page);
        CHECK_ERRNO(mount(NULL, "d", NULL, MS_REMOUNT, "size=4k"), EINVAL);
    }
    CASE(devpts) IN_MOUNTS {
        mkdir("d", 0755);
        CHECK(!mount("x", "d", "devpts", 0, "newinstance,ptmxmode=0666,mode=620"));
        int fd = open("d/ptmx", O_RDWR | O_NOCTTY);
        CHECK(fd >= 0);
        CHECK(exists("d/0"));
        close(fd);
        CHECK(!exists("d/0"));
    }
    return conformance_end();
}
