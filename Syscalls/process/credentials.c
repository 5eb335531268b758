// User and group IDs, capabilities, the credential options of prctl(2). As root; an ordinary user runs the cases that need none.
#include "conformance.h"
#include <grp.h>
#include <linux/capability.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>

struct sets {
    uint64_t effective, permitted, inheritable;
};
static long get(struct sets *s) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    long r = syscall(SYS_capget, &header, data);
    s->effective = data[0].effective | (uint64_t)data[1].effective << 32;
    s->permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
    s->inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
    return r;
}
static long set(struct sets s) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{s.effective, s.permitted, s.inheritable},
                                             {s.effective >> 32, s.permitted >> 32, s.inheritable >> 32}};
    return syscall(SYS_capset, &header, data);
}

/// Runs the body in a child, so that each case starts with the same identity. 0 when every condition held, else its line.
#define IN_CHILD(...)                            \
    do {                                         \
        pid_t child_ = fork();                   \
        if (child_ == 0) {                       \
            __VA_ARGS__;                         \
            _exit(0);                            \
        }                                        \
        int status_ = -1;                        \
        waitpid(child_, &status_, 0);            \
        CHECK_EQ(WEXITSTATUS(status_), 0);       \
    } while (0)
static int step;
#define MUST(condition)                    \
    do {                                   \
        step++;                            \
        if (!(condition)) _exit(step);     \
    } while (0)

int main(void) {
    int root = geteuid() == 0;
    COVERS(getresuid, getgroups, setuid, setfsuid);
    CASE(plain_queries) {
        uid_t r, e, s;
        CHECK_EQ(getresuid(&r, &e, &s), 0);
        CHECK(r == getuid() && e == geteuid());
        CHECK_ERRNO(syscall(SYS_getresuid, BAD_POINTER, &e, &s), EFAULT);
        CHECK(getgroups(0, NULL) >= 0);
        CHECK_ERRNO(getgroups(-1, NULL), EINVAL);
        CHECK_ERRNO(syscall(SYS_setuid, -1), EINVAL);
        CHECK_EQ(setfsuid(-1), (int)geteuid());
    }
    COVERS(capget);
    CASE(capability_headers) {
        struct __user_cap_header_struct header = {0x1234, 0};
        struct __user_cap_data_struct data[2];
        CHECK_ERRNO(syscall(SYS_capget, &header, data), EINVAL);
        CHECK_EQ(header.version, _LINUX_CAPABILITY_VERSION_3);
        header.version = 0;
        CHECK_EQ(syscall(SYS_capget, &header, NULL), 0);
        header.pid = -1;
        CHECK_ERRNO(syscall(SYS_capget, &header, data), EINVAL);
        header.pid = 0x3ffff0;
        CHECK_ERRNO(syscall(SYS_capget, &header, data), ESRCH);
        CHECK_ERRNO(syscall(SYS_capset, &header, data), EPERM);
        CHECK_ERRNO(syscall(SYS_capget, BAD_POINTER, data), EFAULT);
    }
    COVERS(prctl);
    CASE(no_new_privileges) {
        CHECK_ERRNO(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL);
        CHECK_ERRNO(prctl(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0), EINVAL);
        IN_CHILD({
            MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
            MUST(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
        });
    }
    CASE(bounding_set) {
        CHECK(prctl(PR_CAPBSET_READ, 0) >= 0);
        CHECK_ERRNO(prctl(PR_CAPBSET_READ, 64), EINVAL);
        CHECK_ERRNO(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 99, 0, 0), EINVAL);
        CHECK_ERRNO(prctl(PR_CAP_AMBIENT, 9, 0, 0, 0), EINVAL);
        CHECK_ERRNO(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 1, 0, 0), EINVAL);
    }
    if (root) {
        COVERS(setresuid);
        CASE(root_leaves_for_good) IN_CHILD({
            struct sets s;
            MUST(setuid(1000) == 0);
            MUST(getuid() == 1000 && geteuid() == 1000);
            MUST(get(&s) == 0 && s.effective == 0 && s.permitted == 0);
            MUST(setuid(0) == -1 && errno == EPERM);
            MUST(setgroups(0, NULL) == -1 && errno == EPERM);
            MUST(prctl(PR_CAPBSET_DROP, 1) == -1 && errno == EPERM);
        });
        COVERS(setresuid);
        CASE(root_leaves_and_comes_back) IN_CHILD({
            struct sets before;
            struct sets s;
            get(&before);
            MUST(setresuid(1000, 1000, 0) == 0);
            MUST(get(&s) == 0 && s.effective == 0 && s.permitted == before.permitted);
            MUST(seteuid(0) == 0);
            MUST(get(&s) == 0 && s.effective == before.permitted);
        });
        COVERS(prctl, setresuid);
        CASE(keep_capabilities) IN_CHILD({
            struct sets s;
            MUST(prctl(PR_SET_KEEPCAPS, 1) == 0 && prctl(PR_GET_KEEPCAPS) == 1);
            MUST(prctl(PR_SET_KEEPCAPS, 2) == -1 && errno == EINVAL);
            MUST(setuid(1000) == 0);
            MUST(get(&s) == 0 && s.effective == 0 && s.permitted != 0);
            s.effective = s.permitted & 1;
            MUST(set(s) == 0);
            MUST(get(&s) == 0 && s.effective == (s.permitted & 1));
        });
        COVERS(setfsuid);
        CASE(file_system_user) IN_CHILD({
            struct sets s;
            MUST(setfsuid(1000) == 0);
            MUST(get(&s) == 0 && !(s.effective & (1 << CAP_DAC_OVERRIDE)));
            MUST(setfsuid(0) == 1000);
            MUST(get(&s) == 0 && (s.effective & (1 << CAP_DAC_OVERRIDE)));
        });
        COVERS(capget, capset);
        CASE(capability_sets) IN_CHILD({
            struct sets s;
            struct sets more;
            get(&s);
            s.permitted = s.effective = s.permitted & ((1 << CAP_CHOWN) | (1 << CAP_SETPCAP));
            s.inheritable = 1 << CAP_CHOWN;
            MUST(set(s) == 0);
            more = s;
            more.permitted |= 1 << CAP_KILL;
            MUST(set(more) == -1 && errno == EPERM);
            MUST(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0) == 0);
            MUST(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_CHOWN, 0, 0) == 1);
            MUST(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0) == -1 && errno == EPERM);
            s.inheritable = 0;
            MUST(set(s) == 0);
            MUST(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_CHOWN, 0, 0) == 0);
            MUST(prctl(PR_CAPBSET_DROP, CAP_KILL) == 0);
            MUST(prctl(PR_CAPBSET_READ, CAP_KILL) == 0);
        });
        COVERS(setgroups, getgroups, setresgid);
        CASE(group_changes) IN_CHILD({
            gid_t list[3] = {30, 10, 20};
            gid_t seen[3];
            MUST(setgroups(3, list) == 0);
            MUST(getgroups(2, seen) == -1 && errno == EINVAL);
            MUST(getgroups(3, seen) == 3 && seen[0] == 10 && seen[1] == 20 && seen[2] == 30);
            MUST(setresgid(1, 2, 3) == 0);
            gid_t r;
            gid_t e;
            gid_t s;
            MUST(getresgid(&r, &e, &s) == 0 && r == 1 && e == 2 && s == 3);
            MUST(setuid(1000) == 0);
            MUST(setregid(2, 1) == 0);
            MUST(setgid(9) == -1 && errno == EPERM);
        });
        COVERS(prctl);
        CASE(secure_bits) IN_CHILD({
            MUST(prctl(PR_GET_SECUREBITS) == 0);
            MUST(prctl(PR_SET_SECUREBITS, 1 << 30) == -1 && errno == EPERM);
            MUST(prctl(PR_SET_SECUREBITS, 3) == 0);
            MUST(prctl(PR_SET_SECUREBITS, 2) == -1 && errno == EPERM);
            MUST(prctl(PR_GET_SECUREBITS) == 3);
        });
    }
    return conformance_end();
}
