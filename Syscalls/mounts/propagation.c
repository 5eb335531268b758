// Propagation between mounts: shared, private, slave, unbindable (mount_namespaces(7)).
#include "namespaces.h"
#include <poll.h>

static void directories(const char *first, ...) {
    __builtin_va_list rest;
    __builtin_va_start(rest, first);
    for (const char *name = first; name; name = __builtin_va_arg(rest, const char *)) mkdir(name, 0755);
    __builtin_va_end(rest);
}
/// `a`, a tmpfs with the directory `sub`, shared; `b` its peer.
static void make_peers(void) {
    directories("a", "b", NULL);
    CHECK(!mount("x", "a", "tmpfs", 0, NULL));
    mkdir("a/sub", 0755);
    CHECK(!mount(NULL, "a", NULL, MS_SHARED, NULL));
    CHECK(!mount("a", "b", NULL, MS_BIND, NULL));
}

int main(void) {
    conformance_enter();

    COVERS(mount, umount2);
    CASE(private_at_first) IN_MOUNTS {
        directories("a", NULL);
        CHECK(!mount("x", "a", "tmpfs", 0, NULL));
        CHECK(!mount_has("a", "shared:") && !mount_has("a", "master:"));
    }
    CASE(make_shared) IN_MOUNTS {
        make_peers();
        CHECK(mount_has("a", "shared:"));
        int one = -1, other = -2;
        sscanf(strstr(mount_line("a"), "shared:"), "shared:%d", &one);
        sscanf(strstr(mount_line("b"), "shared:"), "shared:%d", &other);
        CHECK_EQ(one, other);
    }
    CASE(type_errors) IN_MOUNTS {
        directories("a", NULL);
        CHECK_ERRNO(mount(NULL, "a", NULL, MS_SHARED, NULL), EINVAL);
        CHECK(!mount("x", "a", "tmpfs", 0, NULL));
        CHECK_ERRNO(mount(NULL, "a", NULL, MS_SHARED | MS_PRIVATE, NULL), EINVAL);
        CHECK_ERRNO(mount(NULL, "a", NULL, MS_SHARED | MS_RDONLY, NULL), EINVAL);
        CHECK(!mount(NULL, "a", NULL, MS_SHARED | MS_REC, NULL));
        CHECK(!mount(NULL, "a", NULL, MS_PRIVATE | MS_SILENT, NULL));
    }
    CASE(mount_reaches_peers) IN_MOUNTS {
        make_peers();
        CHECK(!mount("y", "a/sub", "tmpfs", 0, NULL));
        touch("a/sub/file");
        CHECK(exists("b/sub/file"));
        CHECK(is_mounted("b/sub"));
    }
    CASE(and_the_other_way) IN_MOUNTS {
        make_peers();
        CHECK(!mount("y", "b/sub", "tmpfs", 0, NULL));
        CHECK(is_mounted("a/sub"));
    }
    CASE(unmount_reaches_peers) IN_MOUNTS {
        make_peers();
        CHECK(!mount("y", "a/sub", "tmpfs", 0, NULL));
        CHECK(!umount("b/sub"));
        CHECK(!is_mounted("a/sub"));
    }
    CASE(peer_is_busy) IN_MOUNTS {
        make_peers();
        CHECK(!mount("y", "a/sub", "tmpfs", 0, NULL));
        int fd = open("b/sub", O_RDONLY);
        CHECK_ERRNO(umount("a/sub"), EBUSY);
        close(fd);
        CHECK(!umount("a/sub"));
        CHECK(!is_mounted("b/sub"));
    }
    CASE(new_mounts_of_a_shared_one_are_shared) IN_MOUNTS {
        make_peers();
        CHECK(!mount("y", "a/sub", "tmpfs", 0, NULL));
        CHECK(mount_has("a/sub", "shared:"));
        mkdir("a/sub/deep", 0755);
        CHECK(!mount("z", "b/sub/deep", "tmpfs", 0, NULL));
        CHECK(is_mounted("a/sub/deep"));
    }
    CASE(slave_listens) IN_MOUNTS {
        make_peers();
        CHECK(!mount(NULL, "b", NULL, MS_SLAVE, NULL));
        CHECK(mount_has("b", "master:") && !mount_has("b", "shared:"));
        CHECK(!mount("y", "a/sub", "tmpfs", 0, NULL));
        CHECK(is_mounted("b/sub"));
        CHECK(mount_has("b/sub", "master:"));
        CHECK(!umount("a/sub"));
        CHECK(!is_mounted("b/sub"));
    }
    CASE(slave_is_silent) IN_MOUNTS {
        make_peers();
        CHECK(!mount(NULL, "b", NULL, MS_SLAVE, NULL));
        CHECK(!mount("y", "b/sub", "tmpfs", 0, NULL));
        CHECK(!is_mounted("a/sub"));
    }
    CASE(shared_slave_passes_on) IN_MOUNTS {
        make_peers();
        directories("c", NULL);
        CHECK(!mount(NULL, "b", NULL, MS_SLAVE, NULL));
        CHECK(!mount(NULL, "b", NULL, MS_SHARED, NULL));
        CHECK(mount_has("b", "master:") && mount_has("b", "shared:"));
        CHECK(!mount("b", "c", NULL, MS_BIND, NULL));
        CHECK(!mount("y", "a/sub", "tmpfs", 0, NULL));
        CHECK(is_mounted("b/sub") && is_mounted("c/sub"));
        CHECK(!umount("a/sub"));
        CHECK(!is_mounted("b/sub") && !is_mounted("c/sub"));
        CHECK(!mount("y", "c/sub", "tmpfs", 0, NULL));
        CHECK(is_mounted("b/sub") && !is_mounted("a/sub"));
    }
    CASE(slave_of_nobody) IN_MOUNTS {
        // The only member of its group has no master to listen to.
        directories("a", NULL);
        CHECK(!mount("x", "a", "tmpfs", 0, NULL));
        CHECK(!mount(NULL, "a", NULL, MS_SHARED, NULL));
        CHECK(!mount(NULL, "a", NULL, MS_SLAVE, NULL));
        CHECK(!mount_has("a", "master:") && !mount_has("a", "shared:"));
    }
    CASE(slaves_get_the_next_master) IN_MOUNTS {
        make_peers();
        directories("c", NULL);
        CHECK(!mount("a", "c", NULL, MS_BIND, NULL));
        CHECK(!mount(NULL, "c", NULL, MS_SLAVE, NULL));
        CHECK(!umount("a"));
        CHECK(!mount("y", "b/sub", "tmpfs", 0, NULL));
        CHECK(is_mounted("c/sub"));
        CHECK(!umount("b/sub") && !umount("b"));
        CHECK(!mount_has("c", "master:"));
    }
    CASE(private_hears_nothing) IN_MOUNTS {
        make_peers();
        CHECK(!mount(NULL, "b", NULL, MS_PRIVATE, NULL));
        CHECK(!mount("y", "a/sub", "tmpfs", 0, NULL));
        CHECK(!is_mounted("b/sub"));
    }
    CASE(unbindable) IN_MOUNTS {
        directories("a", "b", "a2", NULL);
        CHECK(!mount("x", "a", "tmpfs", 0, NULL));
        CHECK(!mount(NULL, "a", NULL, MS_UNBINDABLE, NULL));
        CHECK(mount_has("a", "unbindable"));
        CHECK_ERRNO(mount("a", "b", NULL, MS_BIND, NULL), EINVAL);
        // A recursive bind leaves it out.
        CHECK(!mount(".", "b", NULL, MS_BIND | MS_REC, NULL));
        CHECK(exists("b/a") && !is_mounted("b/a"));
        CHECK(!mount(NULL, "a", NULL, MS_SHARED, NULL));
        CHECK(!mount_has("a", "unbindable"));
    }
    CASE(recursive_change) IN_MOUNTS {
        directories("a", NULL);
        CHECK(!mount("x", "a", "tmpfs", 0, NULL));
        mkdir("a/sub", 0755);
        CHECK(!mount("y", "a/sub", "tmpfs", 0, NULL));
        CHECK(!mount(NULL, "a", NULL, MS_SHARED | MS_REC, NULL));
        CHECK(mount_has("a/sub", "shared:"));
        CHECK(!mount(NULL, "a", NULL, MS_PRIVATE, NULL));
        CHECK(mount_has("a/sub", "shared:") && !mount_has("a", "shared:"));
    }
    CASE(bind_of_another_part) IN_MOUNTS {
        // A peer that does not show the mount point hears nothing.
        directories("a", "b", NULL);
        CHECK(!mount("x", "a", "tmpfs", 0, NULL));
        mkdir("a/one", 0755);
        mkdir("a/two", 0755);
        mkdir("a/two/sub", 0755);
        CHECK(!mount(NULL, "a", NULL, MS_SHARED, NULL));
        CHECK(!mount("a/two", "b", NULL, MS_BIND, NULL));
        CHECK(!mount("y", "a/one", "tmpfs", 0, NULL));
        CHECK(!mount("y", "a/two/sub", "tmpfs", 0, NULL));
        CHECK(is_mounted("b/sub"));
    }
    CASE(move_out_of_a_shared_mount) IN_MOUNTS {
        make_peers();
        directories("c", NULL);
        CHECK(!mount("y", "a/sub", "tmpfs", 0, NULL));
        CHECK_ERRNO(mount("a/sub", "c", NULL, MS_MOVE, NULL), EINVAL);
    }
    CASE(move_into_a_shared_mount) IN_MOUNTS {
        make_peers();
        directories("c", NULL);
        CHECK(!mount("y", "c", "tmpfs", 0, NULL));
        CHECK(!mount("c", "a/sub", NULL, MS_MOVE, NULL));
        CHECK(is_mounted("a/sub") && is_mounted("b/sub") && !is_mounted("c"));
    }
    CASE(unbindable_into_a_shared_mount) IN_MOUNTS {
        make_peers();
        directories("c", NULL);
        CHECK(!mount("y", "c", "tmpfs", 0, NULL));
        CHECK(!mount(NULL, "c", NULL, MS_UNBINDABLE, NULL));
        CHECK_ERRNO(mount("c", "a/sub", NULL, MS_MOVE, NULL), EINVAL);
    }
    CASE(across_namespaces) IN_MOUNTS {
        make_peers();
        int ready[2], go[2];
        CHECK(!pipe(ready) && !pipe(go));
        pid_t child = fork();
        if (!child) {
            char c;
            if (unshare(CLONE_NEWNS)) _exit(1);
            (void)!write(ready[1], "", 1);
            (void)!read(go[0], &c, 1);
            if (!is_mounted("a/sub")) _exit(2);
            if (mount("z", "b/sub", "tmpfs", 0, NULL)) _exit(3);
            _exit(0);
        }
        char c;
        CHECK_EQ(read(ready[0], &c, 1), 1);
        CHECK(!mount("y", "a/sub", "tmpfs", 0, NULL));
        (void)!write(go[1], "", 1);
        int status;
        waitpid(child, &status, 0);
        CHECK_EQ(status, 0);
        CHECK(mount_has("a/sub", "tmpfs z"));
    }
    CASE(less_privileged_namespace_is_a_slave) IN_MOUNTS {
        make_peers();
        int ready[2], go[2];
        CHECK(!pipe(ready) && !pipe(go));
        pid_t child = fork();
        if (!child) {
            char c;
            if (unshare(CLONE_NEWUSER | CLONE_NEWNS)) _exit(1);
            if (!mount_has("a", "master:") || mount_has("a", "shared:")) _exit(2);
            (void)!write(ready[1], "", 1);
            (void)!read(go[0], &c, 1);
            if (!is_mounted("a/sub")) _exit(3);
            if (umount("a/sub")) _exit(4);
            mount("z", "b/sub", "tmpfs", 0, NULL);
            _exit(0);
        }
        char c;
        CHECK_EQ(read(ready[0], &c, 1), 1);
        CHECK(!mount("y", "a/sub", "tmpfs", 0, NULL));
        (void)!write(go[1], "", 1);
        int status;
        waitpid(child, &status, 0);
        CHECK_EQ(status, 0);
        CHECK(is_mounted("a/sub") && mount_has("b/sub", "tmpfs y"));
    }
    CASE(propagated_mounts_slip_beneath) IN_MOUNTS {
        make_peers();
        CHECK(!mount(NULL, "b", NULL, MS_SLAVE, NULL));
        CHECK(!mount("own", "b/sub", "tmpfs", 0, NULL));
        touch("b/sub/own");
        CHECK(!mount("y", "a/sub", "tmpfs", 0, NULL));
        CHECK(exists("b/sub/own"));
        CHECK(!umount("b/sub"));
        CHECK(is_mounted("b/sub") && !exists("b/sub/own"));
    }

    COVERS(poll);
    CASE(poll_of_mounts) IN_MOUNTS {
        directories("a", NULL);
        int fd = open("/proc/self/mounts", O_RDONLY);
        struct pollfd wait_for = {.fd = fd, .events = POLLPRI};
        char text[65536];
        while (read(fd, text, sizeof text) > 0) {
        }
        CHECK_EQ(poll(&wait_for, 1, 0), 0);
        CHECK(!mount("x", "a", "tmpfs", 0, NULL));
        CHECK_EQ(poll(&wait_for, 1, 1000), 1);
        CHECK((wait_for.revents & (POLLERR | POLLPRI)) == (POLLERR | POLLPRI));
        CHECK_EQ(poll(&wait_for, 1, 0), 0);
    }
    return conformance_end();
}
