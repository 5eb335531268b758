// User namespaces: maps and who may write them, overflow IDs, capabilities and what they count over (user_namespaces(7)).
#include "namespaces.h"
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>

static unsigned long long capabilities(const char *which) { return strtoull(line_of("/proc/self/status", which), NULL, 16); }

/// Ordinary users' files in /proc belong to them unless a change of users made the process undumpable.
static void become_visible_nobody(void) {
    conformance_become_nobody();
    prctl(PR_SET_DUMPABLE, 1);
}

int main(void) {
    conformance_enter();
    uid_t uid = geteuid();

    COVERS(unshare);
    CASE(unshare_user) CHILD { CHECK(!unshare(CLONE_NEWUSER)); }
    CASE(unmapped_ids_overflow) CHILD {
        CHECK(!unshare(CLONE_NEWUSER));
        CHECK_EQ(getuid(), 65534);
        CHECK_EQ(geteuid(), 65534);
        CHECK_EQ(getgid(), 65534);
        struct stat status;
        CHECK(!stat(".", &status));
        CHECK_EQ(status.st_uid, 65534);
    }
    CASE(maker_has_all_capabilities) CHILD {
        CHECK(!unshare(CLONE_NEWUSER));
        CHECK_EQ(capabilities("CapEff:"), 0x1ffffffffffULL);
        CHECK_EQ(capabilities("CapPrm:"), 0x1ffffffffffULL);
        CHECK_EQ(capabilities("CapBnd:"), 0x1ffffffffffULL);
        CHECK_EQ(capabilities("CapInh:"), 0);
    }
    CASE(exec_without_map_loses_capabilities) CHILD {
        CHECK(!unshare(CLONE_NEWUSER));
        pid_t child = fork();
        if (!child) {
            execl("/bin/sh", "sh", "-c", "grep -q 'CapEff:.0000000000000000' /proc/self/status", NULL);
            _exit(99);
        }
        int status;
        waitpid(child, &status, 0);
        CHECK_EQ(status, 0);
    }
    CASE(securebits_reset) CHILD {
        CHECK(!unshare(CLONE_NEWUSER));
        CHECK_EQ(prctl(PR_GET_SECUREBITS), 0);
    }
    CASE(unshare_user_with_threads_flag) CHILD { CHECK(!unshare(CLONE_NEWUSER | CLONE_THREAD)); }
    CASE(unknown_flag) CHECK_ERRNO(unshare(0x1), EINVAL);
    CASE(clone_user_and_fs) CHECK_ERRNO(syscall(SYS_clone, CLONE_NEWUSER | CLONE_FS | SIGCHLD, 0, 0, 0, 0), EINVAL);
    CASE(clone_user_and_thread) {
        CHECK_ERRNO(syscall(SYS_clone, CLONE_NEWUSER | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM, 0, 0, 0, 0), EINVAL);
    }
    CASE(other_namespaces_need_privilege) CHILD {
        conformance_become_nobody();
        CHECK_ERRNO(unshare(CLONE_NEWNS), EPERM);
        CHECK_ERRNO(unshare(CLONE_NEWUTS), EPERM);
        CHECK_ERRNO(unshare(CLONE_NEWPID), EPERM);
        CHECK_ERRNO(unshare(CLONE_NEWNET), EPERM);
        CHECK_ERRNO(unshare(CLONE_NEWIPC), EPERM);
        CHECK_ERRNO(unshare(CLONE_NEWCGROUP), EPERM);
        CHECK(!unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWUTS));
    }
    CASE(changed_root) IN_NAMESPACES(0) {
        CHECK(!chroot("."));
        CHECK_ERRNO(unshare(CLONE_NEWUSER), EPERM);
    }
    CASE(unmapped_maker) CHILD {
        CHECK(!unshare(CLONE_NEWUSER));
        CHECK_ERRNO(unshare(CLONE_NEWUSER), EPERM);
    }
    CASE(nesting_limit) CHILD {
        int depth = 0;
        while (depth < 40 && !enter_namespaces(0)) depth++;
        conformance_outcome->failed = 0;
        CHECK_EQ(errno, ENOSPC);
        OBSERVE("%d", depth);
    }

    COVERS(write);
    CASE(map_shows) IN_NAMESPACES(0) {
        unsigned inside, outside, count;
        CHECK_EQ(sscanf(first_line("/proc/self/uid_map"), "%u %u %u", &inside, &outside, &count), 3);
        CHECK_EQ(inside, 0);
        CHECK_EQ(outside, uid);
        CHECK_EQ(count, 1);
        CHECK_EQ(strlen(first_line("/proc/self/uid_map")), 32);
    }
    CASE(mapped_root) IN_NAMESPACES(0) {
        CHECK_EQ(getuid(), 0);
        CHECK_EQ(getgid(), 0);
        struct stat status;
        touch("mapped");
        CHECK(!stat("mapped", &status));
        CHECK_EQ(status.st_uid, 0);
    }
    CASE(map_once) IN_NAMESPACES(0) {
        CHECK_EQ(write_file("/proc/self/uid_map", "0 0 1"), EPERM);
        CHECK_EQ(write_file("/proc/self/gid_map", "0 0 1"), EPERM);
    }
    CASE(map_empty_before) CHILD {
        CHECK(!unshare(CLONE_NEWUSER));
        CHECK(!strcmp(first_line("/proc/self/uid_map"), ""));
        CHECK(!strcmp(first_line("/proc/self/gid_map"), ""));
    }
    CASE(map_of_another_user) CHILD {
        become_visible_nobody();
        CHECK(!unshare(CLONE_NEWUSER));
        CHECK_EQ(write_file("/proc/self/uid_map", "0 12345 1"), EPERM);
    }
    CASE(map_of_several) CHILD {
        become_visible_nobody();
        CHECK(!unshare(CLONE_NEWUSER));
        CHECK_EQ(write_file("/proc/self/uid_map", "0 65534 2"), EPERM);
        CHECK_EQ(write_file("/proc/self/uid_map", "0 65534 1\n1 1 1"), EPERM);
    }
    CASE(map_malformed) CHILD {
        CHECK(!unshare(CLONE_NEWUSER));
        CHECK_EQ(write_file("/proc/self/uid_map", "0 0"), EINVAL);
        CHECK_EQ(write_file("/proc/self/uid_map", "a 0 1"), EINVAL);
        CHECK_EQ(write_file("/proc/self/uid_map", "0 0 0"), EINVAL);
        CHECK_EQ(write_file("/proc/self/uid_map", "0 0 1 1"), EINVAL);
        CHECK_EQ(write_file("/proc/self/uid_map", "\n"), EINVAL);
        CHECK_EQ(write_file("/proc/self/uid_map", "4294967295 0 1"), EINVAL);
        CHECK_EQ(write_file("/proc/self/uid_map", "0 0 1\n0 5 1"), EINVAL);
        CHECK_EQ(write_file("/proc/self/uid_map", "1 0 1\n5 0 1"), EINVAL);
    }
    CASE(map_at_an_offset) CHILD {
        CHECK(!unshare(CLONE_NEWUSER));
        int fd = open("/proc/self/uid_map", O_WRONLY);
        CHECK_EQ(lseek(fd, 1, SEEK_SET), 1);
        CHECK_ERRNO(write(fd, "0 0 1", 5), EINVAL);
    }
    CASE(group_map_needs_setgroups_denied) CHILD {
        become_visible_nobody();
        CHECK(!unshare(CLONE_NEWUSER));
        CHECK_EQ(write_file("/proc/self/gid_map", "0 65534 1"), EPERM);
        CHECK_EQ(write_file("/proc/self/setgroups", "deny"), 0);
        CHECK_EQ(write_file("/proc/self/gid_map", "0 65534 1"), 0);
    }
    CASE(setgroups_file) CHILD {
        CHECK(!unshare(CLONE_NEWUSER));
        CHECK(!strcmp(first_line("/proc/self/setgroups"), "allow"));
        CHECK_EQ(write_file("/proc/self/setgroups", "perhaps"), EINVAL);
        CHECK_EQ(write_file("/proc/self/setgroups", "deny"), 0);
        CHECK(!strcmp(first_line("/proc/self/setgroups"), "deny"));
        CHECK_EQ(write_file("/proc/self/setgroups", "allow"), EPERM);
        CHECK_EQ(write_file("/proc/self/setgroups", "deny"), 0);
    }
    CASE(setgroups_denied) IN_NAMESPACES(0) {
        gid_t group = 0;
        CHECK_ERRNO(setgroups(1, &group), EPERM);
        CHECK_ERRNO(setgroups(0, NULL), EPERM);
    }
    CASE(setgroups_is_inherited) IN_NAMESPACES(0) {
        CHECK(!unshare(CLONE_NEWUSER));
        CHECK(!strcmp(first_line("/proc/self/setgroups"), "deny"));
    }
    CASE(parent_writes_the_map) {
        int ready[2], go[2];
        CHECK(!pipe(ready) && !pipe(go));
        pid_t child = conformance_fork();
        if (!child) {
            char c;
            if (unshare(CLONE_NEWUSER)) _exit(1);
            (void)!write(ready[1], "", 1);
            (void)!read(go[0], &c, 1);
            _exit(getuid() == 7 ? 0 : 2);
        }
        char c, path[64], map[64];
        CHECK_EQ(read(ready[0], &c, 1), 1);
        snprintf(path, sizeof path, "/proc/%d/uid_map", child);
        snprintf(map, sizeof map, "7 %d 1", uid);
        CHECK_EQ(write_file(path, map), 0);
        (void)!write(go[1], "", 1);
        conformance_join(child);
    }

    COVERS(setuid, chown);
    CASE(set_to_unmapped_user) IN_NAMESPACES(0) {
        CHECK_ERRNO(setuid(5), EINVAL);
        CHECK_ERRNO(setresuid(-1, 5, -1), EINVAL);
        CHECK_ERRNO(setgid(5), EINVAL);
        CHECK(!setresuid(0, 0, 0));
    }
    CASE(chown_to_unmapped_user) IN_NAMESPACES(0) {
        touch("owned");
        CHECK_ERRNO(chown("owned", 5, -1), EINVAL);
        CHECK_ERRNO(chown("owned", -1, 5), EINVAL);
        CHECK(!chown("owned", 0, 0));
    }
    CASE(no_power_over_unmapped_files) if (conformance_is_root()) {
        conformance_make("foreign", "x");
        CHECK(!chown("foreign", 12345, 12345));
        CHECK(!chmod("foreign", 0600));
        IN_NAMESPACES(0) {
            CHECK_ERRNO(open("foreign", O_RDONLY), EACCES);
            CHECK_ERRNO(chmod("foreign", 0666), EPERM);
            CHECK_ERRNO(chown("foreign", 0, 0), EPERM);
        }
    }
    CASE(no_global_privilege) IN_NAMESPACES(0) {
        CHECK_ERRNO(sethostname("x", 1), EPERM);
        CHECK_ERRNO(mknod("device", S_IFCHR | 0600, 0x103), EPERM);
        CHECK_ERRNO(mount("none", ".", "tmpfs", 0, NULL), EPERM);
        struct timespec now = {1000, 0};
        CHECK_ERRNO(clock_settime(CLOCK_REALTIME, &now), EPERM);
    }
    CASE(status_shows_the_readers_view) IN_NAMESPACES(0) {
        int real = -1;
        CHECK_EQ(sscanf(line_of("/proc/self/status", "Uid:"), "%d", &real), 1);
        CHECK_EQ(real, 0);
    }
    CASE(kill_across) {
        // The maker has power over what runs in its namespace, not the other way round.
        pid_t target = conformance_fork();
        if (!target) {
            if (conformance_is_root()) {
                setresgid(12345, 12345, 12345);
                setresuid(12345, 12345, 12345);
            }
            pause();
            _exit(0);
        }
        usleep(50000);
        if (conformance_is_root()) IN_NAMESPACES(0) { CHECK_ERRNO(kill(target, 0), EPERM); }
        CHECK(!kill(target, SIGKILL));
        waitpid(target, NULL, 0);
    }
    CASE(limits_are_per_namespace) IN_NAMESPACES(0) {
        CHECK_EQ(write_file("/proc/sys/user/max_uts_namespaces", "1"), 0);
        CHECK(!strcmp(first_line("/proc/sys/user/max_uts_namespaces"), "1"));
        CHECK(!unshare(CLONE_NEWUTS));
        CHECK_ERRNO(unshare(CLONE_NEWUTS), ENOSPC);
    }
    CASE(limit_of_user_namespaces) IN_NAMESPACES(0) {
        CHECK_EQ(write_file("/proc/sys/user/max_user_namespaces", "0"), 0);
        CHECK_ERRNO(unshare(CLONE_NEWUSER), ENOSPC);
    }
    CASE(dumpable_stays) CHILD {
        CHECK(!unshare(CLONE_NEWUSER));
        CHECK_EQ(prctl(PR_GET_DUMPABLE), 1);
    }
    return conformance_end();
}
