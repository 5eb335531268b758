// set*uid, set*gid, setgroups, capset, setfsuid: as root with every privilege and as a user with none.
#include "conformance.h"
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>

static int raw(long n, long a, long b, long c) { return (int)syscall(n, a, b, c); }
static int are_users(uid_t r, uid_t e, uid_t s) {
    uid_t x, y, z;
    getresuid(&x, &y, &z);
    return x == r && y == e && z == s;
}
static int are_groups(gid_t r, gid_t e, gid_t s) {
    gid_t x, y, z;
    getresgid(&x, &y, &z);
    return x == r && y == e && z == s;
}
static long capget_(int version, int pid, struct __user_cap_data_struct *d) {
    struct __user_cap_header_struct h = {version, pid};
    return syscall(SYS_capget, &h, d);
}

int main(void) {
    int root = geteuid() == 0;
    COVERS(setuid, setgid, setreuid, setregid, setresuid, setresgid);
    CASE(minus_one) {
        CHECK_ERRNO(raw(SYS_setuid, -1, 0, 0), EINVAL);
        CHECK_ERRNO(raw(SYS_setgid, -1, 0, 0), EINVAL);
        CHECK_EQ(raw(SYS_setreuid, -1, -1, 0), 0);
        CHECK_EQ(raw(SYS_setregid, -1, -1, 0), 0);
        CHECK_EQ(raw(SYS_setresuid, -1, -1, -1), 0);
        CHECK_EQ(raw(SYS_setresgid, -1, -1, -1), 0);
    }
    COVERS(getresuid, getresgid);
    CASE(result_addresses) {
        uid_t a, b;
        CHECK_ERRNO(syscall(SYS_getresuid, BAD_POINTER, &a, &b), EFAULT);
        CHECK_ERRNO(syscall(SYS_getresuid, &a, BAD_POINTER, &b), EFAULT);
        CHECK_ERRNO(syscall(SYS_getresuid, &a, &b, BAD_POINTER), EFAULT);
        CHECK_ERRNO(syscall(SYS_getresgid, &a, &b, conformance_readable_page()), EFAULT);
    }
    COVERS(setuid, setreuid, setresuid, getresuid);
    CASE(users_without_privilege) AS_USER({
        uid_t me = getuid();
        CHECK_ERRNO(raw(SYS_setuid, 0, 0, 0), EPERM);
        CHECK_EQ(raw(SYS_setuid, me, 0, 0), 0);
        CHECK_ERRNO(raw(SYS_setreuid, 0, -1, 0), EPERM);
        CHECK_ERRNO(raw(SYS_setreuid, -1, 0, 0), EPERM);
        CHECK_ERRNO(raw(SYS_setresuid, -1, -1, 0), EPERM);
        CHECK_ERRNO(raw(SYS_setresuid, 0, me, me), EPERM);
        CHECK(are_users(me, me, me));
    });
    COVERS(getgid, setgid, setregid, setresgid, setgroups, getresgid);
    CASE(groups_without_privilege) AS_USER({
        gid_t me = getgid();
        CHECK_ERRNO(raw(SYS_setgid, 0, 0, 0), EPERM);
        CHECK_EQ(raw(SYS_setgid, me, 0, 0), 0);
        CHECK_ERRNO(raw(SYS_setregid, 0, -1, 0), EPERM);
        CHECK_ERRNO(raw(SYS_setresgid, -1, 0, -1), EPERM);
        CHECK_ERRNO(setgroups(0, NULL), EPERM);
        CHECK(are_groups(me, me, me));
    });
    COVERS(setfsuid, setfsgid, getegid);
    CASE(file_system_user_without_privilege) AS_USER({
        CHECK_EQ(setfsuid(0), (int)geteuid());
        CHECK_EQ(setfsuid(-1), (int)geteuid());
        CHECK_EQ(setfsgid(0), (int)getegid());
        CHECK_EQ(setfsgid(-1), (int)getegid());
    });
    COVERS(setuid, getresuid);
    CASE(setuid_of_root_is_final) {
        if (root) IN_FORK({
            CHECK_EQ(raw(SYS_setuid, 1000, 0, 0), 0);
            CHECK(are_users(1000, 1000, 1000));
            CHECK_ERRNO(raw(SYS_setuid, 0, 0, 0), EPERM);
        });
    }
    COVERS(setreuid, getresuid);
    CASE(setreuid_and_the_saved_user) {
        if (root) IN_FORK({
            CHECK_EQ(raw(SYS_setreuid, -1, 1000, 0), 0);
            CHECK(are_users(0, 1000, 1000));
            CHECK_EQ(raw(SYS_setreuid, -1, 0, 0), 0);
            CHECK_EQ(raw(SYS_setreuid, 1000, 1001, 0), 0);
            CHECK(are_users(1000, 1001, 1001));
        });
    }
    COVERS(setresuid, setreuid, getresuid);
    CASE(swapping_users) {
        if (root) IN_FORK({
            CHECK_EQ(raw(SYS_setresuid, 1000, 1001, 1001), 0);
            CHECK_EQ(raw(SYS_setreuid, 1001, 1000, 0), 0);
            CHECK(are_users(1001, 1000, 1000));
        });
    }
    COVERS(setresuid, capget);
    CASE(saved_user_brings_capabilities_back) {
        if (root) IN_FORK({
            struct __user_cap_data_struct d[2];
            CHECK_EQ(raw(SYS_setresuid, 1000, 1000, 0), 0);
            capget_(_LINUX_CAPABILITY_VERSION_3, 0, d);
            CHECK_EQ(d[0].effective, 0);
            CHECK(d[0].permitted != 0);
            CHECK_EQ(raw(SYS_setresuid, -1, 0, -1), 0);
            capget_(_LINUX_CAPABILITY_VERSION_3, 0, d);
            CHECK(d[0].effective != 0);
        });
    }
    COVERS(setgroups, getgroups);
    CASE(groups_are_set_and_sorted) {
        if (root) IN_FORK({
            gid_t set[3] = {30, 10, 20};
            gid_t now[8];
            CHECK_EQ(setgroups(3, set), 0);
            CHECK_EQ(getgroups(8, now), 3);
            CHECK(now[0] == 10 && now[1] == 20 && now[2] == 30);
            CHECK_EQ(getgroups(0, NULL), 3);
            CHECK_ERRNO(getgroups(2, now), EINVAL);
            CHECK_ERRNO(syscall(SYS_getgroups, 8, BAD_POINTER), EFAULT);
            CHECK_ERRNO(syscall(SYS_setgroups, 65537, set), EINVAL);
            CHECK_ERRNO(syscall(SYS_setgroups, 2, BAD_POINTER), EFAULT);
            set[1] = -1;
            CHECK_ERRNO(setgroups(3, set), EINVAL);
            CHECK_EQ(setgroups(0, NULL), 0);
            CHECK_EQ(getgroups(8, now), 0);
        });
    }
    COVERS(chmod, chown, setgroups, setresgid, setresuid);
    CASE(supplementary_groups_open_files) {
        if (root) IN_FORK({
            char path[128];
            snprintf(path, sizeof path, "%s/group", conformance_directory());
            chmod(conformance_directory(), 0755);
            close(open(path, O_CREAT | O_WRONLY, 0640));
            chown(path, 0, 4321);
            gid_t group = 4321;
            setgroups(1, &group);
            raw(SYS_setresgid, 1000, 1000, 1000);
            raw(SYS_setresuid, 1000, 1000, 1000);
            CHECK(open(path, O_RDONLY) >= 0);
            CHECK_ERRNO(open(path, O_WRONLY), EACCES);
        });
    }
    COVERS(setfsuid);
    CASE(file_system_user_decides_about_files) {
        if (root) IN_FORK({
            char path[128];
            snprintf(path, sizeof path, "%s/fsuid", conformance_directory());
            close(open(path, O_CREAT | O_WRONLY, 0600));
            CHECK_EQ(setfsuid(1000), 0);
            CHECK_EQ(setfsuid(-1), 1000);
            CHECK_ERRNO(open(path, O_RDONLY), EACCES);
            CHECK_EQ(geteuid(), 0);
            setfsuid(0);
            CHECK(open(path, O_RDONLY) >= 0);
        });
    }
    COVERS(capget);
    CASE(capability_versions) {
        struct __user_cap_data_struct d[2];
        struct __user_cap_header_struct h = {0x1111, 0};
        CHECK_ERRNO(syscall(SYS_capget, &h, d), EINVAL);
        CHECK_EQ(h.version, _LINUX_CAPABILITY_VERSION_3);
        h.version = 0;
        CHECK_EQ(syscall(SYS_capget, &h, NULL), 0);
        CHECK_EQ(capget_(_LINUX_CAPABILITY_VERSION_1, 0, d), 0);
        CHECK_EQ(capget_(_LINUX_CAPABILITY_VERSION_2, 0, d), 0);
    }
    COVERS(capget, capset);
    CASE(capability_arguments) {
        struct __user_cap_data_struct d[2];
        CHECK_ERRNO(syscall(SYS_capget, BAD_POINTER, d), EFAULT);
        CHECK_ERRNO(capget_(_LINUX_CAPABILITY_VERSION_3, 0, BAD_POINTER), EFAULT);
        CHECK_ERRNO(capget_(_LINUX_CAPABILITY_VERSION_3, -1, d), EINVAL);
        CHECK_ERRNO(capget_(_LINUX_CAPABILITY_VERSION_3, 1 << 22, d), ESRCH);
        struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
        CHECK_ERRNO(syscall(SYS_capset, &h, BAD_POINTER), EFAULT);
        h.pid = 1 << 22;
        CHECK_ERRNO(syscall(SYS_capset, &h, d), EPERM);
        h.version = 5;
        CHECK_ERRNO(syscall(SYS_capset, &h, d), EINVAL);
    }
    COVERS(capset);
    CASE(capabilities_cannot_be_gained) AS_USER({
        struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
        struct __user_cap_data_struct d[2] = {{1, 1, 0}, {0, 0, 0}};
        CHECK_ERRNO(syscall(SYS_capset, &h, d), EPERM);
        d[0] = (struct __user_cap_data_struct){0, 0, 1};
        CHECK_ERRNO(syscall(SYS_capset, &h, d), EPERM);
        d[0] = (struct __user_cap_data_struct){0, 0, 0};
        CHECK_EQ(syscall(SYS_capset, &h, d), 0);
    });
    CASE(effective_within_permitted) {
        if (root) IN_FORK({
            struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
            struct __user_cap_data_struct d[2] = {{3, 1, 0}, {0, 0, 0}};
            CHECK_ERRNO(syscall(SYS_capset, &h, d), EPERM);
            d[0].effective = 1;
            CHECK_EQ(syscall(SYS_capset, &h, d), 0);
            d[0] = (struct __user_cap_data_struct){2, 2, 0};
            CHECK_ERRNO(syscall(SYS_capset, &h, d), EPERM);
        });
    }
    COVERS(prctl);
    CASE(bounding_set_arguments) {
        CHECK_ERRNO(prctl(PR_CAPBSET_READ, 64), EINVAL);
        AS_USER(CHECK_ERRNO(prctl(PR_CAPBSET_DROP, 0), EPERM));
    }
    CASE(ambient_set) {
        CHECK_ERRNO(prctl(PR_CAP_AMBIENT, 9, 0, 0, 0), EINVAL);
        CHECK_ERRNO(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 64, 0, 0), EINVAL);
        CHECK_EQ(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 0, 0, 0), 0);
        CHECK_ERRNO(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 1, 0, 0), EINVAL);
        AS_USER(CHECK_ERRNO(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 0, 0, 0), EPERM));
    }
    CASE(secure_bits_need_privilege) AS_USER(CHECK_ERRNO(prctl(PR_SET_SECUREBITS, 1), EPERM));
    CASE(keep_capabilities_arguments) CHECK_ERRNO(prctl(PR_SET_KEEPCAPS, 2), EINVAL);
    COVERS(prctl, setresuid);
    CASE(death_signal_is_cleared_by_a_change_of_user) {
        if (root) IN_FORK({
            int s = -1;
            prctl(PR_SET_PDEATHSIG, SIGTERM);
            raw(SYS_setresuid, 1000, 1000, 1000);
            prctl(PR_GET_PDEATHSIG, &s);
            CHECK_EQ(s, 0);
        });
    }
    return conformance_end();
}
