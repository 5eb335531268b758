// umount2(2) and pivot_root(2), the lifetime of mounts.
#include "namespaces.h"

static int pivot_root(const char *new_root, const char *put_old) { return syscall(SYS_pivot_root, new_root, put_old); }

int main(void) {
    conformance_enter();

    COVERS(umount2);
    CASE(flags) IN_MOUNTS {
        mkdir("d", 0755);
        CHECK_ERRNO(umount2("d", 0x100), EINVAL);
        CHECK_ERRNO(umount2("d", 0), EINVAL);
        CHECK_ERRNO(umount2("absent", 0), ENOENT);
        CHECK_ERRNO(umount2(BAD_POINTER, 0), EFAULT);
    }
    CASE(busy_by_descriptor) IN_MOUNTS {
        mkdir("d", 0755);
        CHECK(!mount("x", "d", "tmpfs", 0, NULL));
        int fd = open("d/file", O_CREAT | O_RDWR, 0600);
        CHECK_ERRNO(umount2("d", 0), EBUSY);
        close(fd);
        CHECK(!umount2("d", 0));
    }
    CASE(busy_by_working_directory) IN_MOUNTS {
        mkdir("d", 0755);
        CHECK(!mount("x", "d", "tmpfs", 0, NULL));
        CHECK(!chdir("d"));
        CHECK_ERRNO(umount2("../d", 0), EBUSY);
        CHECK(!chdir(".."));
        CHECK(!umount2("d", 0));
    }
    CASE(busy_by_mount) IN_MOUNTS {
        mkdir("d", 0755);
        CHECK(!mount("x", "d", "tmpfs", 0, NULL));
        mkdir("d/sub", 0755);
        CHECK(!mount("y", "d/sub", "tmpfs", 0, NULL));
        CHECK_ERRNO(umount2("d", 0), EBUSY);
        CHECK(!umount2("d/sub", 0));
        CHECK(!umount2("d", 0));
    }
    CASE(busy_by_mapping) IN_MOUNTS {
        mkdir("d", 0755);
        CHECK(!mount("x", "d", "tmpfs", 0, NULL));
        int fd = open("d/file", O_CREAT | O_RDWR, 0600);
        ftruncate(fd, 4096);
        void *page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
        close(fd);
        CHECK_ERRNO(umount2("d", 0), EBUSY);
        munmap(page, 4096);
        CHECK(!umount2("d", 0));
    }
    CASE(busy_by_a_process_that_ended) IN_MOUNTS {
        mkdir("d", 0755);
        CHECK(!mount("x", "d", "tmpfs", 0, NULL));
        for (int i = 0; i < 5; i++) {
            pid_t child = fork();
            if (!child) _exit(chdir("d"));
            waitpid(child, NULL, 0);
        }
        CHECK(!umount2("d", 0));
    }
    CASE(detach) IN_MOUNTS {
        mkdir("d", 0755);
        CHECK(!mount("x", "d", "tmpfs", 0, NULL));
        mkdir("d/sub", 0755);
        CHECK(!mount("y", "d/sub", "tmpfs", 0, NULL));
        int directory = open("d", O_RDONLY | O_DIRECTORY);
        touch("d/file");
        CHECK(!umount2("d", MNT_DETACH));
        CHECK(!exists("d/file") && !is_mounted("d") && !is_mounted("d/sub"));
        // Who holds it goes on.
        CHECK(!faccessat(directory, "file", F_OK, 0));
        CHECK(!mkdirat(directory, "new", 0755));
    }
    CASE(detached_path) IN_MOUNTS {
        mkdir("d", 0755);
        CHECK(!mount("x", "d", "tmpfs", 0, NULL));
        CHECK(!mkdir("d/inner", 0755) && !chdir("d/inner"));
        char place[512];
        getcwd(place, sizeof place);
        *strrchr(place, '/') = 0;
        CHECK(!umount2(place, MNT_DETACH));
        char path[512];
        long length = syscall(SYS_getcwd, path, sizeof path);
        CHECK(length > 0);
        CHECK(!strcmp(path, "(unreachable)/inner"));
        CHECK(!chdir(".."));
        CHECK(exists("inner"));
        CHECK(!chdir(".."));
        CHECK(exists("inner"));
    }
    CASE(expire) IN_MOUNTS {
        mkdir("d", 0755);
        CHECK(!mount("x", "d", "tmpfs", 0, NULL));
        CHECK_ERRNO(umount2("d", MNT_EXPIRE | MNT_DETACH), EINVAL);
        CHECK_ERRNO(umount2("d", MNT_EXPIRE | MNT_FORCE), EINVAL);
        CHECK_ERRNO(umount2("d", MNT_EXPIRE), EAGAIN);
        CHECK(exists("d/."));
        CHECK_ERRNO(umount2("d", MNT_EXPIRE), EAGAIN);
        CHECK(!umount2("d", MNT_EXPIRE));
        CHECK(!is_mounted("d"));
    }
    CASE(expire_busy) IN_MOUNTS {
        mkdir("d", 0755);
        CHECK(!mount("x", "d", "tmpfs", 0, NULL));
        int fd = open("d", O_RDONLY);
        CHECK_ERRNO(umount2("d", MNT_EXPIRE), EBUSY);
        close(fd);
    }
    CASE(no_follow) IN_MOUNTS {
        mkdir("d", 0755);
        CHECK(!mount("x", "d", "tmpfs", 0, NULL));
        CHECK(!symlink("d", "link"));
        CHECK_ERRNO(umount2("link", UMOUNT_NOFOLLOW), EINVAL);
        CHECK(is_mounted("d"));
        CHECK(!umount2("link", 0));
        CHECK(!is_mounted("d"));
    }
    CASE(namespace_ends_with_its_last_process) IN_MOUNTS {
        mkdir("d", 0755);
        int ends[2];
        CHECK(!pipe(ends));
        pid_t child = fork();
        if (!child) {
            unshare(CLONE_NEWNS);
            mount("x", "d", "tmpfs", 0, NULL);
            touch("d/file");
            _exit(0);
        }
        waitpid(child, NULL, 0);
        CHECK(!is_mounted("d") && !exists("d/file"));
    }
    CASE(copies_are_apart) IN_MOUNTS {
        mkdir("d", 0755);
        CHILD {
            CHECK(!unshare(CLONE_NEWNS));
            CHECK(!mount("x", "d", "tmpfs", 0, NULL));
            CHECK(is_mounted("d"));
        }
        CHECK(!is_mounted("d"));
    }

    CASE(locked_mounts) IN_MOUNTS {
        // What a less privileged namespace got with its copy, it cannot take apart.
        mkdir("d", 0755);
        touch("d/hidden");
        CHECK(!mount("x", "d", "tmpfs", MS_RDONLY | MS_NOSUID, NULL));
        CHILD {
            CHECK(!unshare(CLONE_NEWUSER | CLONE_NEWNS));
            CHECK_ERRNO(umount2("d", 0), EINVAL);
            CHECK_ERRNO(umount2("d", MNT_DETACH), EINVAL);
            CHECK_ERRNO(mount(NULL, "d", NULL, MS_REMOUNT | MS_BIND, NULL), EPERM);
            CHECK_ERRNO(mount(NULL, "d", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), EPERM);
            CHECK_ERRNO(mount(NULL, "d", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NOATIME, NULL), EPERM);
            CHECK(!mount(NULL, "d", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NOEXEC, NULL));
            mkdir("other", 0755);
            CHECK_ERRNO(mount("d", "other", NULL, MS_MOVE, NULL), EINVAL);
            // Without the mounts below, a bind would uncover what they hide.
            CHECK_ERRNO(mount(".", "other", NULL, MS_BIND, NULL), EINVAL);
            CHECK(!mount(".", "other", NULL, MS_BIND | MS_REC, NULL));
        }
    }
    CASE(lazily_detached_mounts_stay_covered) IN_MOUNTS {
        mkdir("a", 0755);
        mkdir("a/sub", 0755);
        touch("a/sub/hidden");
        CHECK(!mount("a", "a", NULL, MS_BIND, NULL));
        CHECK(!mount("x", "a/sub", "tmpfs", 0, NULL));
        CHILD {
            CHECK(!unshare(CLONE_NEWUSER | CLONE_NEWNS));
            mkdir("b", 0755);
            CHECK(!mount("a", "b", NULL, MS_BIND | MS_REC, NULL));
            int fd = open("b", O_RDONLY);
            CHECK(!umount2("b", MNT_DETACH));
            CHECK_ERRNO(faccessat(fd, "sub/hidden", F_OK, 0), ENOENT);
        }
    }

    COVERS(pivot_root);
    CASE(pivot) IN_MOUNTS {
        mkdir("new", 0755);
        CHECK(!mount("x", "new", "tmpfs", 0, NULL));
        mkdir("new/old", 0755);
        touch("new/here");
        CHECK(!pivot_root("new", "new/old"));
        CHECK(!chdir("/"));
        CHECK(exists("/here") && exists("/old"));
        CHECK(exists("/old/proc/self/status"));
        CHECK(!umount2("/old", MNT_DETACH));
        CHECK(!exists("/old/proc"));
    }
    CASE(pivot_onto_itself) IN_MOUNTS {
        mkdir("new", 0755);
        CHECK(!mount("x", "new", "tmpfs", 0, NULL));
        touch("new/here");
        CHECK(!chdir("new"));
        CHECK(!pivot_root(".", "."));
        CHECK(!umount2(".", MNT_DETACH));
        CHECK(exists("/here") && !exists("/proc"));
    }
    CASE(pivot_errors) IN_MOUNTS {
        mkdir("new", 0755);
        mkdir("new/old", 0755);
        touch("f");
        CHECK_ERRNO(pivot_root("new", "new/old"), EINVAL);
        CHECK_ERRNO(pivot_root("f", "new"), ENOTDIR);
        CHECK_ERRNO(pivot_root("absent", "new"), ENOENT);
        CHECK(!mount("x", "new", "tmpfs", 0, NULL));
        mkdir("new/old", 0755);
        mkdir("elsewhere", 0755);
        CHECK_ERRNO(pivot_root("new", "elsewhere"), EINVAL);
        CHECK_ERRNO(pivot_root("/", "/proc"), EINVAL);
        CHECK(!mount(NULL, "new", NULL, MS_SHARED, NULL));
        CHECK_ERRNO(pivot_root("new", "new/old"), EINVAL);
    }
    CASE(pivot_moves_other_processes) IN_MOUNTS {
        mkdir("new", 0755);
        CHECK(!mount("x", "new", "tmpfs", 0, NULL));
        mkdir("new/old", 0755);
        touch("new/here");
        int go[2];
        CHECK(!pipe(go));
        pid_t child = fork();
        if (!child) {
            char c;
            (void)!read(go[0], &c, 1);
            _exit(exists("/here") ? 0 : 1);
        }
        CHECK(!pivot_root("new", "new/old"));
        (void)!write(go[1], "", 1);
        int status;
        waitpid(child, &status, 0);
        CHECK_EQ(status, 0);
    }
    return conformance_end();
}
