#define _GNU_SOURCE
#include "chost_files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static inline long result(long value) { return value == -1 ? -errno : value; }

long chost_kill_and_reap(int pid) {
    if (pid <= 1) return -ESRCH;
    kill(pid, SIGKILL);
    long r;
    do r = waitpid(pid, NULL, 0);
    while (r == -1 && errno == EINTR);
    return result(r);
}

long chost_try_reap(int pid) {
    int status = 0;
    pid_t r = waitpid(pid, &status, WNOHANG);
    if (r == -1) return -errno;
    return r == 0 ? 0 : (long)status + 1;
}

long chost_confine_child(int parent, int keep) {
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1) return -errno;
    // The parent may have died before the call above took effect.
    if (parent > 0 && getppid() != parent) return -ESRCH;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1) return -errno;
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    // A session of its own: no signal of the terminal comes here.
    setsid();
    signal(SIGPIPE, SIG_IGN);
    umask(0);
    // Standard input and output belong to the guest: holding them open would hide an end of file from whoever reads them.
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null == -1) return -errno;
    for (int i = 0; i < 3; i++)
        if (dup2(null, i) == -1) return -errno;
    if (syscall(SYS_close_range, (unsigned)keep + 1, ~0u, 0) == -1) return -errno;
    if (keep > 3) syscall(SYS_close_range, 3, (unsigned)keep - 1, 0);
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == -1) return -errno;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) == -1 && getrlimit(RLIMIT_NOFILE, &limit) == -1) return -errno;
    return limit.rlim_cur > 1 << 20 ? 1 << 20 : (long)limit.rlim_cur;
}

#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15)
#endif

long chost_landlock(const int *fds, const uint8_t *writable, size_t count) {
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 1) return 0;
    // landlock(7): bits 0 to 12 with version 1, REFER with 2, TRUNCATE with 3, IOCTL_DEV with 5.
    uint64_t handled = (1ULL << 13) - 1;
    if (version >= 2) handled |= LANDLOCK_ACCESS_FS_REFER;
    if (version >= 3) handled |= LANDLOCK_ACCESS_FS_TRUNCATE;
    if (version >= 5) handled |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
    struct landlock_ruleset_attr attributes = {.handled_access_fs = handled};
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);
    if (ruleset == -1) return -errno;
    const uint64_t reading = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
    const uint64_t ofFiles = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE;
    const uint64_t never = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
                           LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_IOCTL_DEV;
    long failure = 0;
    for (size_t i = 0; i < count && !failure; i++) {
        if (fds[i] < 0) continue;
        struct stat s;
        if (fstat(fds[i], &s) == -1) {
            failure = -errno;
            break;
        }
        uint64_t allowed = (writable[i] ? handled & ~never : reading) & handled;
        if (!S_ISDIR(s.st_mode)) allowed &= ofFiles;
        struct landlock_path_beneath_attr beneath = {.allowed_access = allowed, .parent_fd = fds[i]};
        if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) == -1) failure = -errno;
    }
    if (!failure && syscall(SYS_landlock_restrict_self, ruleset, 0) == -1) failure = -errno;
    close(ruleset);
    return failure ? failure : version;
}

void chost_ignore_sigpipe(void) {
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
}
