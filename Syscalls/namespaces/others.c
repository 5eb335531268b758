// Namespaces of host names, System V IPC, networks and control groups; files of /proc/PID/ns, setns(2), ioctl_nsfs(2).
#include "namespaces.h"
#include <arpa/inet.h>
#include <linux/nsfs.h>
#include <mqueue.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/utsname.h>

static unsigned long number_of(const char *kind) {
    char path[64], text[64] = "";
    snprintf(path, sizeof path, "/proc/self/ns/%s", kind);
    readlink(path, text, sizeof text - 1);
    char *bracket = strchr(text, '[');
    return bracket ? strtoul(bracket + 1, NULL, 10) : 0;
}
static int namespace_of(const char *kind) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/ns/%s", kind);
    return open(path, O_RDONLY | O_CLOEXEC);
}
static int unix_socket(const char *name, int connects) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int length = strlen(name);
    memcpy(address.sun_path + 1, name, length);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    int size = offsetof(struct sockaddr_un, sun_path) + 1 + length;
    int failed = connects ? connect(fd, (void *)&address, size) : bind(fd, (void *)&address, size) || listen(fd, 1);
    return failed ? -1 : fd;
}
static int internet(int port, int connects) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int failed = connects ? connect(fd, (void *)&address, sizeof address) : bind(fd, (void *)&address, sizeof address) || listen(fd, 1);
    return failed ? -1 : fd;
}
static int set_up(int up) {
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = up ? IFF_UP : 0};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    return ioctl(fd, SIOCSIFFLAGS, &request);
}

int main(void) {
    conformance_enter();

    COVERS(unshare, sethostname, setdomainname, uname);
    CASE(uts_is_copied) IN_NAMESPACES(CLONE_NEWUTS) {
        struct utsname before, after;
        uname(&before);
        CHILD {
            CHECK(!unshare(CLONE_NEWUTS));
            CHECK(!sethostname("inner", 5));
            CHECK(!setdomainname("domain", 6));
            uname(&after);
            CHECK(!strcmp(after.nodename, "inner") && !strcmp(after.domainname, "domain"));
            CHECK(!strcmp(first_line("/proc/sys/kernel/hostname"), "inner"));
        }
        uname(&after);
        CHECK(!strcmp(after.nodename, before.nodename));
    }
    CASE(uts_of_the_parent) IN_NAMESPACES(0) { CHECK_ERRNO(sethostname("x", 1), EPERM); }

    COVERS(shmget, semget, msgget, mq_open);
    CASE(ipc_starts_empty) IN_NAMESPACES(CLONE_NEWIPC) {
        int shared = shmget(0x5151, 4096, IPC_CREAT | 0600);
        int semaphores = semget(0x5151, 1, IPC_CREAT | 0600);
        int queue = msgget(0x5151, IPC_CREAT | 0600);
        CHECK(shared >= 0 && semaphores >= 0 && queue >= 0);
        CHILD {
            CHECK(!unshare(CLONE_NEWIPC));
            CHECK_ERRNO(shmget(0x5151, 4096, 0), ENOENT);
            CHECK_ERRNO(semget(0x5151, 1, 0), ENOENT);
            CHECK_ERRNO(msgget(0x5151, 0), ENOENT);
            CHECK_ERRNO(shmctl(shared, IPC_RMID, NULL), EINVAL);
            CHECK_EQ(shmget(0x5151, 4096, IPC_CREAT | 0600), 0);
        }
        CHECK_EQ(shmget(0x5151, 4096, 0), shared);
    }
    CASE(ipc_mapping_stays) IN_NAMESPACES(CLONE_NEWIPC) {
        int shared = shmget(IPC_PRIVATE, 4096, 0600);
        char *page = shmat(shared, NULL, 0);
        *page = 'x';
        CHECK(!unshare(CLONE_NEWIPC));
        CHECK_EQ(*page, 'x');
        CHECK(!shmdt(page));
    }
    CASE(posix_queues) IN_NAMESPACES(CLONE_NEWIPC) {
        mqd_t queue = mq_open("/conformance-queue", O_CREAT | O_RDWR, 0600, NULL);
        CHECK(queue >= 0);
        CHECK(!unshare(CLONE_NEWIPC));
        CHECK_ERRNO(mq_open("/conformance-queue", O_RDWR), ENOENT);
        CHECK(!mq_send(queue, "x", 1, 0));
    }
    CASE(ipc_and_undo) { CHECK_ERRNO(syscall(SYS_clone, CLONE_NEWIPC | CLONE_SYSVSEM | CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0), EINVAL); }

    COVERS(socket, bind, connect, ioctl);
    CASE(loopback_is_down) IN_NAMESPACES(CLONE_NEWNET) {
        struct ifreq request = {.ifr_name = "lo"};
        int fd = socket(AF_INET, SOCK_DGRAM, 0);
        CHECK(!ioctl(fd, SIOCGIFFLAGS, &request));
        CHECK_EQ(request.ifr_flags & IFF_UP, 0);
        CHECK_ERRNO(internet(80, 1), ENETUNREACH);
        CHECK_ERRNO(ioctl(fd, SIOCGIFADDR, &request), EADDRNOTAVAIL);
    }
    CASE(loopback_up) IN_NAMESPACES(CLONE_NEWNET) {
        CHECK(!set_up(1));
        int listener = internet(80, 0);
        CHECK(listener >= 0);
        CHECK(internet(80, 1) >= 0);
        CHECK(!set_up(0));
        struct ifreq request = {.ifr_name = "lo"};
        CHECK(!ioctl(socket(AF_INET, SOCK_DGRAM, 0), SIOCGIFFLAGS, &request));
        CHECK_EQ(request.ifr_flags & IFF_UP, 0);
    }
    CASE(loopback_needs_privilege) CHILD {
        conformance_become_nobody();
        CHECK_ERRNO(set_up(1), EPERM);
    }
    CASE(ports_are_apart) IN_NAMESPACES(CLONE_NEWNET) {
        CHECK(!set_up(1));
        CHECK(internet(7777, 0) >= 0);
        CHILD {
            CHECK(!unshare(CLONE_NEWNET) && !set_up(1));
            CHECK_ERRNO(internet(7777, 1), ECONNREFUSED);
            CHECK(internet(7777, 0) >= 0);
        }
    }
    CASE(abstract_names_are_apart) IN_NAMESPACES(CLONE_NEWNET) {
        CHECK(unix_socket("conformance", 0) >= 0);
        CHECK(unix_socket("conformance", 1) >= 0);
        CHILD {
            CHECK(!unshare(CLONE_NEWNET));
            CHECK_ERRNO(unix_socket("conformance", 1), ECONNREFUSED);
            CHECK(unix_socket("conformance", 0) >= 0);
        }
    }
    CASE(socket_stays_in_its_namespace) IN_NAMESPACES(CLONE_NEWNET) {
        CHECK(!set_up(1));
        CHECK(internet(7778, 0) >= 0);
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(7778), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        CHECK(!unshare(CLONE_NEWNET));
        CHECK(!connect(fd, (void *)&address, sizeof address));
    }
    CASE(ping_group_range) IN_NAMESPACES(CLONE_NEWNET) {
        const char *file = "/proc/sys/net/ipv4/ping_group_range";
        // At first nobody may.
        CHECK_ERRNO(socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP), EACCES);
        CHECK_ERRNO(socket(AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6), EACCES);
        CHECK_ERRNO(socket(AF_INET6, SOCK_DGRAM, IPPROTO_ICMP), EPROTONOSUPPORT);
        CHECK_EQ(write_file(file, "0 0"), 0);
        CHECK(!strcmp(first_line(file), "0\t0"));
        CHECK_EQ(write_file(file, "0"), 0);
        CHECK(!strcmp(first_line(file), "0\t0"));
        // Groups that the user namespace has none for, and what is no number of a group.
        CHECK_EQ(write_file(file, "0 5"), EINVAL);
        CHECK_EQ(write_file(file, "-1 0"), EINVAL);
        CHECK_EQ(write_file(file, "0 4294967295"), EINVAL);
        CHECK_EQ(write_file(file, "nonsense"), EINVAL);
        CHECK(!strcmp(first_line(file), "0\t0"));
        if (!unshare(CLONE_NEWNET)) CHECK(strcmp(first_line(file), "0\t0"));
    }
    CASE(low_ports) IN_NAMESPACES(CLONE_NEWNET) {
        CHECK(!set_up(1));
        CHECK(internet(1, 0) >= 0);
    }

    COVERS(setns);
    CASE(setns_errors) {
        CHECK_ERRNO(setns(-1, 0), EBADF);
        int fd = open(".", O_RDONLY);
        CHECK_ERRNO(setns(fd, 0), EINVAL);
        close(fd);
        fd = namespace_of("uts");
        CHECK_ERRNO(setns(fd, CLONE_NEWNET), EINVAL);
        close(fd);
    }
    CASE(setns_without_privilege) CHILD {
        int fd = namespace_of("uts");
        conformance_become_nobody();
        CHECK_ERRNO(setns(fd, 0), EPERM);
    }
    CASE(setns_uts) IN_NAMESPACES(CLONE_NEWUTS) {
        int outer = namespace_of("uts");
        unsigned long number = number_of("uts");
        CHECK(!unshare(CLONE_NEWUTS));
        CHECK(number_of("uts") != number);
        CHECK(!sethostname("inner", 5));
        CHECK(!setns(outer, CLONE_NEWUTS));
        CHECK_EQ(number_of("uts"), number);
        struct utsname names;
        uname(&names);
        CHECK(strcmp(names.nodename, "inner"));
    }
    CASE(setns_own_user) CHILD {
        CHECK(!unshare(CLONE_NEWUSER));
        int fd = namespace_of("user");
        CHECK_ERRNO(setns(fd, CLONE_NEWUSER), EINVAL);
    }
    CASE(setns_parent_user) CHILD {
        int fd = namespace_of("user");
        CHECK(!unshare(CLONE_NEWUSER));
        CHECK_ERRNO(setns(fd, CLONE_NEWUSER), EPERM);
    }
    CASE(setns_mount) IN_MOUNTS {
        int outer = namespace_of("mnt");
        mkdir("d", 0755);
        CHECK(!unshare(CLONE_NEWNS));
        CHECK(!mount("x", "d", "tmpfs", 0, NULL));
        CHECK(!setns(outer, 0));
        char path[64];
        CHECK(getcwd(path, sizeof path) && !strcmp(path, "/"));
    }
    CASE(setns_pid) IN_NAMESPACES(0) {
        CHECK(!unshare(CLONE_NEWPID));
        pid_t first = fork();
        if (!first) {
            pause();
            _exit(0);
        }
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/ns/pid", first);
        int inner = open(path, O_RDONLY);
        CHECK(inner >= 0);
        CHECK(!setns(inner, CLONE_NEWPID));
        pid_t second = fork();
        if (!second) _exit(getpid() == 2 && getppid() == 0 ? 0 : 1);
        int status;
        CHECK_EQ(waitpid(second, &status, 0), second);
        CHECK_EQ(status, 0);
        kill(first, SIGKILL);
        waitpid(first, NULL, 0);
    }
    CASE(setns_outer_pid) IN_NAMESPACES(0) {
        int outer = namespace_of("pid");
        CHECK(!unshare(CLONE_NEWPID));
        CHILD { CHECK_ERRNO(setns(outer, CLONE_NEWPID), EPERM); }
    }
    CASE(setns_pidfd) IN_NAMESPACES(CLONE_NEWUTS) {
        int ready[2];
        CHECK(!pipe(ready));
        pid_t child = fork();
        if (!child) {
            unshare(CLONE_NEWUTS | CLONE_NEWNS);
            sethostname("target", 6);
            (void)!write(ready[1], "", 1);
            pause();
            _exit(0);
        }
        char c;
        CHECK_EQ(read(ready[0], &c, 1), 1);
        int fd = syscall(SYS_pidfd_open, child, 0);
        CHECK_ERRNO(setns(fd, 0), EINVAL);
        CHECK_ERRNO(setns(fd, 0x1), EINVAL);
        CHECK(!setns(fd, CLONE_NEWUTS));
        struct utsname names;
        uname(&names);
        CHECK(!strcmp(names.nodename, "target"));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    CASE(cgroup_namespace) IN_NAMESPACES(0) {
        unsigned long before = number_of("cgroup");
        CHECK(!unshare(CLONE_NEWCGROUP));
        CHECK(number_of("cgroup") != before);
    }

    COVERS(open, readlink, ioctl);
    CASE(files) {
        const char *kinds[] = {"cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "time", "user", "uts"};
        for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) CHECK(number_of(kinds[i]) > 4026531000UL);
        struct stat one, other;
        int fd = namespace_of("uts");
        CHECK(!fstat(fd, &one) && !stat("/proc/self/ns/uts", &other));
        CHECK(one.st_ino == other.st_ino && one.st_dev == other.st_dev);
        CHECK_EQ(one.st_ino, number_of("uts"));
        char c;
        CHECK_ERRNO(read(fd, &c, 1), EINVAL);
        close(fd);
    }
    CASE(ioctl_type) {
        const struct { const char *name; int type; } kinds[] = {
            {"cgroup", CLONE_NEWCGROUP}, {"ipc", CLONE_NEWIPC}, {"mnt", CLONE_NEWNS}, {"net", CLONE_NEWNET},
            {"pid", CLONE_NEWPID}, {"user", CLONE_NEWUSER}, {"uts", CLONE_NEWUTS}};
        for (int i = 0; i < 7; i++) {
            int fd = namespace_of(kinds[i].name);
            CHECK_EQ(ioctl(fd, NS_GET_NSTYPE), kinds[i].type);
            close(fd);
        }
        int fd = namespace_of("uts");
        CHECK_ERRNO(ioctl(fd, 0xb7ff), ENOTTY);
        close(fd);
    }
    CASE(ioctl_owner) IN_NAMESPACES(CLONE_NEWUTS) {
        int fd = namespace_of("uts"), owner = ioctl(fd, NS_GET_USERNS);
        CHECK(owner >= 0);
        struct stat status;
        fstat(owner, &status);
        CHECK_EQ(status.st_ino, number_of("user"));
        CHECK_EQ(fcntl(owner, F_GETFD), FD_CLOEXEC);
    }
    CASE(ioctl_parent) IN_NAMESPACES(0) {
        unsigned long outer = number_of("user");
        CHECK(!unshare(CLONE_NEWUSER));
        int fd = namespace_of("user");
        // The parent lies outside of what the caller may see.
        CHECK_ERRNO(ioctl(fd, NS_GET_PARENT), EPERM);
        CHECK_ERRNO(ioctl(fd, NS_GET_USERNS), EPERM);
        (void)outer;
        int uts = namespace_of("uts");
        CHECK_ERRNO(ioctl(uts, NS_GET_PARENT), EINVAL);
    }
    CASE(ioctl_parent_of_a_child) IN_NAMESPACES(0) {
        unsigned long own = number_of("user");
        int ready[2];
        CHECK(!pipe(ready));
        pid_t child = fork();
        if (!child) {
            unshare(CLONE_NEWUSER);
            (void)!write(ready[1], "", 1);
            pause();
            _exit(0);
        }
        char c, path[64];
        CHECK_EQ(read(ready[0], &c, 1), 1);
        snprintf(path, sizeof path, "/proc/%d/ns/user", child);
        int fd = open(path, O_RDONLY), parent = ioctl(fd, NS_GET_PARENT);
        CHECK(parent >= 0);
        struct stat status;
        fstat(parent, &status);
        CHECK_EQ(status.st_ino, own);
        uid_t owner = 99;
        CHECK(!ioctl(fd, NS_GET_OWNER_UID, &owner));
        CHECK_EQ(owner, 0);
        int uts = namespace_of("uts");
        CHECK_ERRNO(ioctl(uts, NS_GET_OWNER_UID, &owner), EINVAL);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    CASE(namespace_outlives_its_processes) IN_NAMESPACES(CLONE_NEWUTS) {
        int kept[2];
        CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, kept));
        char path[64];
        int go[2];
        CHECK(!pipe(go));
        pid_t child = fork();
        if (!child) {
            unshare(CLONE_NEWUTS);
            sethostname("kept", 4);
            (void)!write(kept[1], "", 1);
            char c;
            (void)!read(go[0], &c, 1);
            _exit(0);
        }
        char c;
        CHECK_EQ(read(kept[0], &c, 1), 1);
        snprintf(path, sizeof path, "/proc/%d/ns/uts", child);
        int fd = open(path, O_RDONLY);
        (void)!write(go[1], "", 1);
        waitpid(child, NULL, 0);
        CHECK(!setns(fd, 0));
        struct utsname names;
        uname(&names);
        CHECK(!strcmp(names.nodename, "kept"));
    }
    return conformance_end();
}
