#define _GNU_SOURCE
#include "chost.h"

#include <limits.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

int chost_signal_queue(uint64_t mask) {
    sigset_t set;
    sigemptyset(&set);
    for (int n = 1; n <= 64; n++)
        if (mask >> (n - 1) & 1) sigaddset(&set, n);
    if (sigprocmask(SIG_BLOCK, &set, NULL) == -1) return -1;
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int chost_signal_next(int fd, int *from_kernel) {
    struct signalfd_siginfo info;
    if (read(fd, &info, sizeof info) != (ssize_t)sizeof info) return 0;
    *from_kernel = info.ssi_code > 0;
    return (int)info.ssi_signo;
}

void chost_block_all_signals(void) {
    sigset_t all;
    sigfillset(&all);
    // A fault in our own code must still end the process.
    sigdelset(&all, SIGSEGV);
    sigdelset(&all, SIGBUS);
    sigdelset(&all, SIGILL);
    sigdelset(&all, SIGFPE);
    sigdelset(&all, SIGTRAP);
    sigdelset(&all, SIGABRT);
    sigdelset(&all, SIGSYS);
    sigprocmask(SIG_SETMASK, &all, NULL);
}

int chost_reserve_standard_descriptors(void) {
    int open_mask = 0;
    for (int n = 0; n < 3; n++) {
        if (fcntl(n, F_GETFD) != -1) {
            open_mask |= 1 << n;
            continue;
        }
        // The lowest free number is `n` itself.
        if (open("/", O_PATH | O_CLOEXEC) == -1) break;
    }
    return open_mask;
}

int chost_become_subreaper(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }

void chost_reap_all(void) {
    while (waitpid(-1, NULL, __WALL) != -1 || errno == EINTR) {
    }
}

char *const *chost_environment(void) { return environ; }

ssize_t chost_readlink(const char *path, void *bytes, size_t count) { return readlink(path, bytes, count); }

int chost_die_with_parent(int parent) {
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1) return -1;
    return getppid() == parent ? 0 : -1;
}

void chost_limit_arenas(int count) { mallopt(M_ARENA_MAX, count); }

void chost_trim_heap(void) { malloc_trim(0); }

long chost_descriptor_limit(void) {
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) == -1 || limit.rlim_cur > INT_MAX ? INT_MAX : (long)limit.rlim_cur;
}

long chost_grow_descriptor_table(long capacity) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == -1) return -1;
    rlim_t wanted = limit.rlim_max < 1048576 ? limit.rlim_max : 1048576;
    if (limit.rlim_cur < wanted) {
        limit.rlim_cur = wanted;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    if ((rlim_t)capacity > limit.rlim_cur) capacity = (long)limit.rlim_cur;
    int any = open("/dev/null", O_PATH | O_CLOEXEC);
    if (any == -1) return (long)limit.rlim_cur;
    int high = fcntl(any, F_DUPFD_CLOEXEC, (int)capacity - 1);
    if (high != -1) close(high);
    close(any);
    return (long)limit.rlim_cur;
}
