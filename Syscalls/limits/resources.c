// getrlimit(2), setrlimit(2), prlimit64(2): arguments, errors, and the limits that other calls obey.
#include "conformance.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

static volatile int signalled;
static void note(int n) { signalled = n; }

int main(void) {
    COVERS(prlimit64);
    CASE(unknown_resources) {
        struct rlimit l;
        CHECK_ERRNO(syscall(SYS_getrlimit, 16, &l), EINVAL);
        CHECK_ERRNO(syscall(SYS_getrlimit, -1, &l), EINVAL);
        CHECK_ERRNO(syscall(SYS_setrlimit, 16, &l), EINVAL);
        CHECK_ERRNO(syscall(SYS_prlimit64, 0, 16, NULL, &l), EINVAL);
        for (int i = 0; i < 16; i++) CHECK_EQ(syscall(SYS_getrlimit, i, &l), 0);
    }
    CASE(addresses) {
        CHECK_ERRNO(syscall(SYS_getrlimit, RLIMIT_NOFILE, BAD_POINTER), EFAULT);
        CHECK_ERRNO(syscall(SYS_setrlimit, RLIMIT_NOFILE, BAD_POINTER), EFAULT);
        CHECK_ERRNO(syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, BAD_POINTER, NULL), EFAULT);
        CHECK_ERRNO(syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, BAD_POINTER), EFAULT);
        CHECK_EQ(syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, NULL), 0);
    }
    CASE(soft_above_hard) {
        struct rlimit l = {100, 50};
        CHECK_ERRNO(setrlimit(RLIMIT_NOFILE, &l), EINVAL);
    }
    CASE(hard_limit_needs_privilege_to_rise) AS_USER({
        struct rlimit l = {50, 50};
        CHECK_EQ(setrlimit(RLIMIT_CORE, &l), 0 * 1);
        l.rlim_max = 51;
        CHECK_ERRNO(setrlimit(RLIMIT_CORE, &l), EPERM);
    });
    COVERS(pause);
    CASE(others_processes) {
        struct rlimit l;
        CHECK_ERRNO(prlimit(1 << 22, RLIMIT_NOFILE, NULL, &l), ESRCH);
        pid_t child = fork();
        if (child == 0)
            for (;;) pause();
        CHECK_EQ(prlimit(child, RLIMIT_CORE, NULL, &l), 0);
        if (geteuid() == 0) AS_USER(CHECK_ERRNO(prlimit(child, RLIMIT_CORE, NULL, &l), EPERM));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    COVERS(prlimit64);
    CASE(old_and_new_together) IN_FORK({
        struct rlimit l;
        struct rlimit old;
        getrlimit(RLIMIT_NOFILE, &l);
        struct rlimit lower = {64, l.rlim_max};
        CHECK_EQ(prlimit(0, RLIMIT_NOFILE, &lower, &old), 0);
        CHECK_EQ(old.rlim_cur, l.rlim_cur);
        getrlimit(RLIMIT_NOFILE, &l);
        CHECK_EQ(l.rlim_cur, 64);
        IN_FORK({
            getrlimit(RLIMIT_NOFILE, &l);
            CHECK_EQ(l.rlim_cur, 64);
        });
    });
    COVERS(prlimit64, dup, dup2, fcntl);
    CASE(open_files) IN_FORK({
        struct rlimit l = {10, 10};
        setrlimit(RLIMIT_NOFILE, &l);
        while (dup(0) >= 0) {
        }
        CHECK_EQ(errno, EMFILE);
        CHECK_ERRNO(open("/dev/null", O_RDONLY), EMFILE);
        CHECK_ERRNO(dup2(0, 10), EBADF);
        CHECK_ERRNO(fcntl(0, F_DUPFD, 10), EINVAL);
        int p[2];
        CHECK_ERRNO(pipe(p), EMFILE);
    });
    COVERS(prlimit64, ftruncate);
    CASE(file_size) IN_FORK({
        struct sigaction a = {.sa_handler = note};
        sigaction(SIGXFSZ, &a, NULL);
        struct rlimit l = {100, 100};
        setrlimit(RLIMIT_FSIZE, &l);
        char path[128];
        snprintf(path, sizeof path, "%s/size", conformance_directory());
        int fd = open(path, O_CREAT | O_RDWR, 0600);
        char bytes[200] = {0};
        CHECK_EQ(write(fd, bytes, 200), 100);
        CHECK_ERRNO(write(fd, bytes, 1), EFBIG);
        CHECK_EQ(signalled, SIGXFSZ);
        signalled = 0;
        CHECK_ERRNO(ftruncate(fd, 101), EFBIG);
        CHECK_EQ(signalled, SIGXFSZ);
    });
    COVERS(prlimit64);
    CASE(cpu_time) {
        pid_t child = fork();
        if (child == 0) {
            struct rlimit l = {1, 2};
            setrlimit(RLIMIT_CPU, &l);
            for (;;) {
            }
        }
        int status = 0;
        waitpid(child, &status, 0);
        CHECK_EQ(WTERMSIG(status), SIGXCPU);
    }
    CASE(processes) AS_USER({
        struct rlimit l = {1, 1};
        setrlimit(RLIMIT_NPROC, &l);
        pid_t child = fork();
        if (child == 0) _exit(0);
        CHECK_EQ(child, -1);
        CHECK_EQ(errno, EAGAIN);
    });
    CASE(no_limit_is_infinite) {
        struct rlimit l;
        getrlimit(RLIMIT_FSIZE, &l);
        CHECK(l.rlim_cur == RLIM_INFINITY || l.rlim_cur > 0);
    }
    return conformance_end();
}
