// landlock_create_ruleset(2), landlock_add_rule(2), landlock_restrict_self(2), and what a domain forbids: landlock(7).
#include "conformance.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/un.h>

struct ruleset {
    uint64_t files, network, scope;
};
struct beneath {
    uint64_t access;
    int32_t fd;
} __attribute__((packed));
struct port {
    uint64_t access, port;
};
enum {
    EXECUTE = 1, WRITE = 2, READ = 4, LIST = 8, RMDIR = 16, UNLINK = 32, CHAR = 64, MKDIR = 128, REGULAR = 256, SOCKET = 512,
    FIFO = 1024, BLOCK = 2048, SYMLINK = 4096, REFER = 8192, TRUNCATE = 16384, IOCTL = 32768, EVERYTHING = 65535
};

static int create(uint64_t files, uint64_t network, uint64_t scope) {
    struct ruleset attributes = {files, network, scope};
    return syscall(444, &attributes, sizeof attributes, 0);
}
static int allow(int ruleset, const char *path, uint64_t access) {
    struct beneath rule = {access, open(path, O_PATH | O_CLOEXEC)};
    int result = syscall(445, ruleset, 1, &rule, 0), error = errno;
    close(rule.fd);
    errno = error;
    return result;
}
static int allow_port(int ruleset, int port, uint64_t access) {
    struct port rule = {access, port};
    return syscall(445, ruleset, 2, &rule, 0);
}
static int restrict_self(int ruleset, int flags) {
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return syscall(446, ruleset, flags);
}
/// Puts the rules in force for the rest of the process.
static void enforce(int ruleset) {
    CHECK_EQ(restrict_self(ruleset, 0), 0);
    close(ruleset);
}
static int try(const char *path, int flags) {
    int fd = open(path, flags, 0644);
    if (fd < 0) return -1;
    close(fd);
    return 0;
}

static void rules(void) {
    COVERS(landlock_create_ruleset);
    CASE(landlock_ruleset_arguments) {
        CHECK(syscall(444, NULL, 0, 1) >= 7);
        CHECK_ERRNO(syscall(444, NULL, 8, 1), EINVAL);
        CHECK_ERRNO(syscall(444, NULL, 0, 4), EINVAL);
        struct ruleset attributes = {0};
        CHECK_ERRNO(syscall(444, &attributes, sizeof attributes, 0), ENOMSG);
        CHECK_ERRNO(syscall(444, NULL, sizeof attributes, 0), EFAULT);
        CHECK_ERRNO(syscall(444, &attributes, 7, 0), EINVAL);
        CHECK_ERRNO(syscall(444, &attributes, 5000, 0), E2BIG);
        attributes.files = 1ull << 40;
        CHECK_ERRNO(syscall(444, &attributes, sizeof attributes, 0), EINVAL);
        attributes = (struct ruleset){0, 1ull << 40, 0};
        CHECK_ERRNO(syscall(444, &attributes, sizeof attributes, 0), EINVAL);
        attributes = (struct ruleset){READ, 0, 1ull << 40};
        CHECK_ERRNO(syscall(444, &attributes, sizeof attributes, 0), EINVAL);
        int ruleset = syscall(444, &attributes, 8, 0);
        CHECK(ruleset >= 0);
        CHECK_EQ(fcntl(ruleset, F_GETFD), FD_CLOEXEC);
        char byte;
        CHECK_ERRNO(read(ruleset, &byte, 1), EINVAL);
        CHECK_ERRNO(write(ruleset, "x", 1), EINVAL);
        close(ruleset);
    }
    COVERS(landlock_add_rule);
    CASE(landlock_rule_arguments) {
        int ruleset = create(READ | LIST, 1, 0);
        mkdir("rules", 0755);
        conformance_make("rules/file", "x");
        CHECK_EQ(allow(ruleset, "rules", READ | LIST), 0);
        CHECK_EQ(allow(ruleset, "rules", READ), 0);
        CHECK_EQ(allow(ruleset, "rules/file", READ), 0);
        CHECK_ERRNO(allow(ruleset, "rules/file", LIST), EINVAL);
        CHECK_ERRNO(allow(ruleset, "rules", 0), ENOMSG);
        CHECK_ERRNO(allow(ruleset, "rules", WRITE), EINVAL);
        CHECK_ERRNO(allow(ruleset, "rules/absent", READ), EBADF);
        CHECK_EQ(allow_port(ruleset, 80, 1), 0);
        CHECK_ERRNO(allow_port(ruleset, 80, 2), EINVAL);
        CHECK_ERRNO(allow_port(ruleset, 80, 0), ENOMSG);
        CHECK_ERRNO(allow_port(ruleset, 65536, 1), EINVAL);
        struct beneath rule = {READ, ruleset};
        CHECK_ERRNO(syscall(445, ruleset, 1, &rule, 0), EBADFD);
        CHECK_ERRNO(syscall(445, ruleset, 1, &rule, 1), EINVAL);
        CHECK_ERRNO(syscall(445, ruleset, 9, &rule, 0), EINVAL);
        CHECK_ERRNO(syscall(445, ruleset, 1, BAD_POINTER, 0), EFAULT);
        CHECK_ERRNO(syscall(445, 1000, 1, &rule, 0), EBADF);
        int ends[2];
        pipe(ends);
        CHECK_ERRNO(syscall(445, ends[0], 1, &rule, 0), EBADFD);
        rule.fd = ends[0];
        CHECK_ERRNO(syscall(445, ruleset, 1, &rule, 0), EBADFD);
        close(ends[0]), close(ends[1]), close(ruleset);
    }
    COVERS(landlock_restrict_self);
    CASE(landlock_restrict_arguments) CHILD {
        int ruleset = create(READ, 0, 0);
        CHECK_ERRNO(restrict_self(1000, 0), EBADF);
        int file = conformance_file("plain", "x");
        CHECK_ERRNO(restrict_self(file, 0), EBADFD);
        CHECK_ERRNO(restrict_self(ruleset, 1 << 20), EINVAL);
        for (int i = 0; i < 16; i++) CHECK_EQ(restrict_self(ruleset, 0), 0);
        CHECK_ERRNO(restrict_self(ruleset, 0), E2BIG);
    }
    CASE(landlock_needs_no_new_privileges) AS_USER({
        int ruleset = create(READ, 0, 0);
        CHECK_ERRNO(syscall(446, ruleset, 0), EPERM);
        CHECK_EQ(restrict_self(ruleset, 0), 0);
    });
}

static void prepare(void) {
    mkdir("t", 0755), mkdir("t/a", 0755), mkdir("t/b", 0755), mkdir("t/a/d", 0755);
    conformance_make("t/a/file", "text"), conformance_make("t/b/file", "text"), conformance_make("t/a/d/deep", "text");
}

static void files(void) {
    COVERS(landlock_restrict_self, openat);
    CASE(landlock_opening) CHILD {
        prepare();
        int before = open("t/b/file", O_RDWR);
        int ruleset = create(EXECUTE | WRITE | READ | LIST | TRUNCATE, 0, 0);
        allow(ruleset, "t/a", READ | LIST);
        enforce(ruleset);
        CHECK_EQ(try("t/a/file", O_RDONLY), 0);
        CHECK_EQ(try("t/a/d/deep", O_RDONLY), 0);
        CHECK_EQ(try("t/a/d/../file", O_RDONLY), 0);
        CHECK_EQ(try("t/a", O_RDONLY | O_DIRECTORY), 0);
        CHECK_ERRNO(try("t/b/file", O_RDONLY), EACCES);
        CHECK_ERRNO(try("t/a/../b/file", O_RDONLY), EACCES);
        CHECK_ERRNO(try("t/b", O_RDONLY), EACCES);
        CHECK_ERRNO(try("t/a/file", O_WRONLY), EACCES);
        CHECK_ERRNO(try("t/a/file", O_RDWR), EACCES);
        CHECK_ERRNO(try("t/a/file", O_RDONLY | O_TRUNC), EACCES);
        CHECK_EQ(try("t/b/file", O_PATH), 0);
        struct stat status;
        CHECK_EQ(stat("t/b/file", &status), 0);
        CHECK_EQ(access("t/b/file", R_OK), 0);
        CHECK_EQ(chmod("t/b/file", 0600), 0);
        CHECK_EQ(pwrite(before, "x", 1, 0), 1);
        CHECK_EQ(ftruncate(before, 1), 0);
        char name[32];
        snprintf(name, sizeof name, "/proc/self/fd/%d", before);
        CHECK_ERRNO(try(name, O_RDONLY), EACCES);
        CHECK_EQ(try("t/a/new", O_RDONLY | O_CREAT), 0);
        CHECK_ERRNO(try("t/a/newer", O_WRONLY | O_CREAT), EACCES);
        CHECK_EQ(try("t/a/newer", O_RDONLY), 0);
    }
    CASE(landlock_executing) CHILD {
        prepare();
        int ruleset = create(EXECUTE, 0, 0);
        enforce(ruleset);
        char *arguments[] = {"x", NULL};
        CHECK_ERRNO(execv("/proc/self/exe", arguments), EACCES);
    }
    CASE(landlock_truncating) CHILD {
        prepare();
        int open_before = open("t/b/file", O_RDWR);
        int ruleset = create(WRITE | TRUNCATE, 0, 0);
        allow(ruleset, "t/a", WRITE | TRUNCATE);
        allow(ruleset, "t/b", WRITE);
        enforce(ruleset);
        CHECK_EQ(truncate("t/a/file", 1), 0);
        CHECK_ERRNO(truncate("t/b/file", 1), EACCES);
        int fd = open("t/b/file", O_RDWR);
        CHECK(fd >= 0);
        CHECK_ERRNO(ftruncate(fd, 1), EACCES);
        CHECK_EQ(write(fd, "x", 1), 1);
        CHECK_EQ(ftruncate(open_before, 1), 0);
        CHECK_ERRNO(try("t/b/file", O_WRONLY | O_TRUNC), EACCES);
        CHECK_EQ(try("t/a/file", O_WRONLY | O_TRUNC), 0);
    }
    COVERS(landlock_restrict_self, mkdirat, mknodat, symlinkat, unlinkat);
    CASE(landlock_making_and_removing) CHILD {
        prepare();
        conformance_make("t/b/gone", "x");
        mkdir("t/b/empty", 0755);
        int ruleset = create(MKDIR | REGULAR | SYMLINK | FIFO | SOCKET | UNLINK | RMDIR, 0, 0);
        allow(ruleset, "t/a", MKDIR | REGULAR | SYMLINK | FIFO | UNLINK | RMDIR);
        enforce(ruleset);
        CHECK_EQ(mkdir("t/a/x", 0755), 0);
        CHECK_ERRNO(mkdir("t/b/x", 0755), EACCES);
        CHECK_EQ(rmdir("t/a/x"), 0);
        CHECK_ERRNO(rmdir("t/b/empty"), EACCES);
        CHECK_EQ(symlink("y", "t/a/l"), 0);
        CHECK_ERRNO(symlink("y", "t/b/l"), EACCES);
        CHECK_EQ(mkfifo("t/a/p", 0644), 0);
        CHECK_ERRNO(mkfifo("t/b/p", 0644), EACCES);
        CHECK_EQ(try("t/a/n", O_WRONLY | O_CREAT), 0);
        CHECK_ERRNO(try("t/b/n", O_WRONLY | O_CREAT), EACCES);
        CHECK_EQ(try("t/b/file", O_WRONLY | O_CREAT), 0);
        CHECK_EQ(mknod("t/a/m", S_IFREG | 0644, 0), 0);
        CHECK_ERRNO(mknod("t/b/m", S_IFREG | 0644, 0), EACCES);
        CHECK_ERRNO(mknod("t/a/file", S_IFREG | 0644, 0), EEXIST);
        CHECK_EQ(unlink("t/a/n"), 0);
        CHECK_ERRNO(unlink("t/b/gone"), EACCES);
        CHECK_ERRNO(unlink("t/b/absent"), ENOENT);
        struct sockaddr_un name = {AF_UNIX, "t/a/s"};
        int s = socket(AF_UNIX, SOCK_STREAM, 0);
        CHECK_ERRNO(bind(s, (struct sockaddr *)&name, sizeof name), EACCES);
    }
    COVERS(landlock_restrict_self, renameat2, linkat);
    CASE(landlock_moving) CHILD {
        prepare();
        conformance_make("t/a/one", "x"), conformance_make("t/a/two", "x");
        int ruleset = create(REGULAR | UNLINK | MKDIR | RMDIR, 0, 0);
        allow(ruleset, "t", REGULAR | UNLINK | MKDIR | RMDIR);
        enforce(ruleset);
        CHECK_EQ(rename("t/a/one", "t/a/three"), 0);
        CHECK_EQ(link("t/a/two", "t/a/four"), 0);
        // Another parent takes a right of its own, which no layer grants that does not know it.
        CHECK_ERRNO(rename("t/a/three", "t/b/three"), EXDEV);
        CHECK_ERRNO(link("t/a/two", "t/b/two"), EXDEV);
        CHECK_ERRNO(rename("t/a/absent", "t/b/x"), ENOENT);
    }
    CASE(landlock_moving_with_the_right) CHILD {
        prepare();
        conformance_make("t/a/one", "x"), conformance_make("t/b/two", "x");
        int ruleset = create(REGULAR | UNLINK | READ | REFER, 0, 0);
        allow(ruleset, "t", REGULAR | UNLINK | REFER);
        allow(ruleset, "t/a", READ);
        enforce(ruleset);
        CHECK_EQ(rename("t/a/one", "t/b/one"), 0);
        // Coming where it could be read would give a right.
        CHECK_ERRNO(rename("t/b/two", "t/a/fresh"), EXDEV);
        CHECK_ERRNO(link("t/b/two", "t/a/fresh"), EXDEV);
        CHECK_ERRNO(syscall(SYS_renameat2, AT_FDCWD, "t/a/file", AT_FDCWD, "t/b/two", 2), EXDEV);
        CHECK_EQ(link("t/a/file", "t/b/linked"), 0);
        CHECK_EQ(rename("t/a/d", "t/b/d"), 0);
    }
    CASE(landlock_moving_without_the_other_rights) CHILD {
        prepare();
        int ruleset = create(REGULAR | UNLINK | REFER, 0, 0);
        allow(ruleset, "t/a", REFER);
        allow(ruleset, "t/b", REFER | REGULAR);
        enforce(ruleset);
        CHECK_ERRNO(rename("t/a/file", "t/b/other"), EACCES);
        CHECK_ERRNO(link("t/b/file", "t/a/other"), EACCES);
        CHECK_EQ(link("t/b/file", "t/b/other"), 0);
        CHECK_ERRNO(rename("t/b/file", "t/b/third"), EACCES);
    }
    COVERS(landlock_restrict_self);
    CASE(landlock_layers) CHILD {
        prepare();
        int outer = create(READ | LIST, 0, 0), inner = create(READ, 0, 0);
        allow(outer, "t", READ | LIST);
        allow(inner, "t/a/d", READ);
        allow(inner, "t/a/file", READ);
        enforce(outer);
        CHECK_EQ(try("t/b/file", O_RDONLY), 0);
        CHILD {
            enforce(inner);
            CHECK_ERRNO(try("t/b/file", O_RDONLY), EACCES);
            CHECK_EQ(try("t/a/file", O_RDONLY), 0);
            CHECK_EQ(try("t/a/d/deep", O_RDONLY), 0);
            CHECK_EQ(try("t/b", O_RDONLY), 0);
            CHECK_ERRNO(try("/", O_RDONLY), EACCES);
        }
        CHECK_EQ(try("t/b/file", O_RDONLY), 0);
    }
    CASE(landlock_is_inherited) CHILD {
        prepare();
        int ruleset = create(WRITE, 0, 0);
        enforce(ruleset);
        pid_t child = fork();
        if (child == 0) {
            int fd = open("t/a/file", O_WRONLY);
            _exit(fd < 0 && errno == EACCES ? 0 : 1);
        }
        int status = -1;
        waitpid(child, &status, 0);
        CHECK_EQ(status, 0);
    }
    COVERS(mount, umount2);
    CASE(landlock_keeps_mounts) CHILD {
        if (geteuid() == 0) {
            int ruleset = create(READ, 0, 0);
            mkdir("point", 0755);
            enforce(ruleset);
            CHECK_ERRNO(mount("none", "point", "tmpfs", 0, NULL), EPERM);
            CHECK_ERRNO(umount2("/", MNT_DETACH), EPERM);
        }
    }
    COVERS(ioctl);
    CASE(landlock_devices) CHILD {
        int before = open("/dev/null", O_RDWR);
        int ruleset = create(IOCTL, 0, 0);
        enforce(ruleset);
        int fd = open("/dev/null", O_RDWR), n = 0;
        CHECK_ERRNO(ioctl(fd, TIOCGWINSZ, &n), EACCES);
        CHECK_ERRNO(ioctl(before, TIOCGWINSZ, &n), ENOTTY);
        CHECK_EQ(ioctl(fd, FIONBIO, &n), 0);
        CHECK_EQ(ioctl(fd, FIOCLEX), 0);
    }
}

static int listening(int port) {
    int s = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in name = {AF_INET, htons(port), {htonl(INADDR_LOOPBACK)}, {0}};
    if (bind(s, (struct sockaddr *)&name, sizeof name) || listen(s, 1)) {
        int error = errno;
        close(s);
        errno = error;
        return -1;
    }
    return s;
}
static int connecting(int port) {
    int s = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in name = {AF_INET, htons(port), {htonl(INADDR_LOOPBACK)}, {0}};
    int result = connect(s, (struct sockaddr *)&name, sizeof name), error = errno;
    close(s);
    errno = error;
    return result;
}

static void others(void) {
    COVERS(landlock_restrict_self, bind, connect);
    CASE(landlock_ports) CHILD {
        int ruleset = create(0, 3, 0);
        allow_port(ruleset, 21871, 3);
        allow_port(ruleset, 21872, 2);
        enforce(ruleset);
        int s = listening(21871);
        CHECK(s >= 0);
        CHECK_EQ(connecting(21871), 0);
        CHECK_ERRNO(listening(21872), EACCES);
        CHECK_ERRNO(connecting(21872), ECONNREFUSED);
        CHECK_ERRNO(connecting(21873), EACCES);
        CHECK_ERRNO(listening(0), EACCES);
        int datagrams = socket(AF_INET, SOCK_DGRAM, 0);
        struct sockaddr_in name = {AF_INET, htons(21873), {htonl(INADDR_LOOPBACK)}, {0}};
        CHECK_EQ(bind(datagrams, (struct sockaddr *)&name, sizeof name), 0);
        int stream = socket(AF_INET, SOCK_STREAM, 0);
        struct sockaddr none = {AF_UNSPEC, ""};
        CHECK_EQ(connect(stream, &none, sizeof none), 0);
    }
    COVERS(kill);
    CASE(landlock_signals_stay_inside) CHILD {
        pid_t outside = getppid();
        int ruleset = create(0, 0, 2);
        enforce(ruleset);
        CHECK_ERRNO(kill(outside, 0), EPERM);
        CHECK_EQ(kill(getpid(), 0), 0);
        pid_t child = fork();
        if (child == 0) {
            CHECK_EQ(kill(getppid(), 0), 0);
            CHECK_ERRNO(kill(outside, 0), EPERM);
            _exit(0);
        }
        CHECK_EQ(kill(child, 0), 0);
        waitpid(child, NULL, 0);
    }
    COVERS(connect);
    CASE(landlock_abstract_names_stay_inside) {
        struct sockaddr_un name = {AF_UNIX, "\0landlock-conformance"};
        socklen_t length = offsetof(struct sockaddr_un, sun_path) + 21;
        int outside = socket(AF_UNIX, SOCK_STREAM, 0);
        CHECK_EQ(bind(outside, (struct sockaddr *)&name, length), 0);
        listen(outside, 4);
        CHILD {
            int ruleset = create(0, 0, 1);
            enforce(ruleset);
            int s = socket(AF_UNIX, SOCK_STREAM, 0);
            CHECK_ERRNO(connect(s, (struct sockaddr *)&name, length), EPERM);
            name.sun_path[1] = 'L';
            int inside = socket(AF_UNIX, SOCK_STREAM, 0);
            CHECK_EQ(bind(inside, (struct sockaddr *)&name, length), 0);
            listen(inside, 4);
            CHECK_EQ(connect(s, (struct sockaddr *)&name, length), 0);
        }
        close(outside);
    }
    COVERS(process_vm_readv);
    CASE(landlock_domains_do_not_look_out) CHILD {
        char *shared = conformance_shared_page();
        pid_t outside = fork();
        if (outside == 0) {
            while (!shared[0]) conformance_nap(5);
            _exit(0);
        }
        CHILD {
            int ruleset = create(READ, 0, 0);
            enforce(ruleset);
            char byte;
            struct iovec { void *base; size_t size; } here = {&byte, 1}, there = {shared, 1};
            CHECK_ERRNO(syscall(SYS_process_vm_readv, outside, &here, 1, &there, 1, 0), EPERM);
            CHECK_EQ(syscall(SYS_process_vm_readv, getpid(), &here, 1, &there, 1, 0), 1);
        }
        shared[0] = 1;
        waitpid(outside, NULL, 0);
    }
}

int main(void) {
    conformance_enter();
    rules();
    files();
    others();
    return conformance_end();
}
