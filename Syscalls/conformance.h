// One line per case: `ok NAME` or `not ok NAME: what was seen`. The same binary runs on the host kernel and in the sandbox; a
// case that fails on the host is a faulty case. The exit status is 0 when every case held.
//
// COVERS says which calls the cases after it are about. CONFORMANCE_CASE=NAME in the environment runs one case.
#ifndef STOCKADE_CONFORMANCE_H
#define STOCKADE_CONFORMANCE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int conformance_failures;
/// The outcome of the present case, shared with the children it forks, so that checks work in them as well.
static struct conformance_outcome {
    int failed;
    char reason[256];
} * conformance_outcome;

__attribute__((constructor)) static void conformance_prepare(void) {
    conformance_outcome = mmap(NULL, sizeof *conformance_outcome, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

/// The calls that the cases from here on are about, up to the next COVERS: `COVERS(openat, close);`
#define COVERS(...) printf("# covers %s\n", #__VA_ARGS__)

/// Something seen in the present case that must be the same on the host and inside, whatever it is.
#define OBSERVE(...) (printf("= " __VA_ARGS__), printf("\n"), fflush(stdout))

/// Runs the block after it as the case `name`. Checks inside report at most one failure.
#define CASE(name) for (int once_ = conformance_begin(#name); once_; once_ = 0, conformance_report(#name))

static inline int conformance_begin(const char *name) {
    const char *only = getenv("CONFORMANCE_CASE");
    conformance_outcome->failed = 0;
    return !only || !strcmp(only, name);
}

static inline void conformance_report(const char *name) {
    if (conformance_outcome->failed) {
        conformance_failures++;
        printf("not ok %s: %s\n", name, conformance_outcome->reason);
    } else {
        printf("ok %s\n", name);
    }
    fflush(stdout);
}

#define FAIL_(...)                                                                                            \
    do {                                                                                                      \
        if (!conformance_outcome->failed) {                                                                   \
            conformance_outcome->failed = 1;                                                                  \
            snprintf(conformance_outcome->reason, sizeof conformance_outcome->reason, __VA_ARGS__);           \
        }                                                                                                     \
    } while (0)

/// The condition holds.
#define CHECK(condition)                                                                                      \
    do {                                                                                                      \
        if (!(condition)) FAIL_("line %d: %s (errno %d)", __LINE__, #condition, errno);                       \
    } while (0)

/// Two integers are equal.
#define CHECK_EQ(seen, wanted)                                                                                \
    do {                                                                                                      \
        long long seen_ = (long long)(seen), wanted_ = (long long)(wanted);                                   \
        if (seen_ != wanted_) FAIL_("line %d: %s is %lld, not %lld (errno %d)", __LINE__, #seen, seen_, wanted_, errno); \
    } while (0)

/// The call fails with -1 and this errno.
#define CHECK_ERRNO(call, wanted)                                                                             \
    do {                                                                                                      \
        errno = 0;                                                                                            \
        long long seen_ = (long long)(call);                                                                  \
        int errno_ = errno;                                                                                   \
        if (seen_ != -1 || errno_ != (wanted))                                                                \
            FAIL_("line %d: %s gives %lld, errno %d, not errno %d", __LINE__, #call, seen_, errno_, (wanted)); \
    } while (0)

/// A scratch directory of this run; conformance_end removes it.
static inline const char *conformance_directory(void) {
    static char path[64];
    if (!path[0]) {
        const char *base = getenv("CONFORMANCE_DIR");
        snprintf(path, sizeof path, "%s/c.XXXXXX", base ? base : "/tmp");
        if (!mkdtemp(path)) {
            perror("mkdtemp");
            exit(2);
        }
        chmod(path, 0755);
    }
    return path;
}

/// Makes the scratch directory the working directory: cases name their files without it.
static inline void conformance_enter(void) {
    if (chdir(conformance_directory())) exit(2);
}

/// A file with this content, opened for reading and writing at its start.
static inline int conformance_file(const char *name, const char *content) {
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);
    if (fd < 0 || pwrite(fd, content, strlen(content), 0) != (ssize_t)strlen(content)) FAIL_("cannot make %s: errno %d", name, errno);
    return fd;
}

/// The same, not left open.
static inline void conformance_make(const char *name, const char *content) { close(conformance_file(name, content)); }

/// Runs the block after it in a child, whose checks count for the case; the parent waits.
#define CHILD                                                                                                 \
    for (pid_t child_ = conformance_fork(); child_ >= 0; child_ = conformance_join(child_))                   \
        if (child_ == 0)

static inline pid_t conformance_fork(void) {
    fflush(stdout);
    pid_t child = fork();
    if (child < 0) FAIL_("fork: errno %d", errno);
    return child;
}

static inline pid_t conformance_join(pid_t child) {
    if (child == 0) _exit(0);
    int status = -1;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (status != 0) FAIL_("a child ended with status %#x", status);
    return -1;
}

/// A child that does nothing until it is killed.
static inline pid_t conformance_pausing_child(void) {
    pid_t child = fork();
    if (child == 0)
        for (;;) pause();
    return child;
}
/// Kills a child and waits for its end.
static inline void conformance_end_child(pid_t child) {
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

// Numbers that older headers lack.
#ifndef SYS_cachestat
#define SYS_cachestat 451
#endif
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif
#ifndef SYS_setxattrat
#define SYS_setxattrat 463
#define SYS_getxattrat 464
#define SYS_listxattrat 465
#define SYS_removexattrat 466
#endif
#ifndef SYS_file_getattr
#define SYS_file_getattr 468
#define SYS_file_setattr 469
#endif

static inline int conformance_is_root(void) { return geteuid() == 0; }

/// Gives up every privilege for the rest of the process; files of the scratch directory stay reachable by their modes.
static inline void conformance_become_nobody(void) {
    if (!conformance_is_root()) return;
    int nobody = 65534;
    if (syscall(SYS_setgroups, 0, NULL) || syscall(SYS_setresgid, nobody, nobody, nobody) ||
        syscall(SYS_setresuid, nobody, nobody, nobody))
        FAIL_("cannot become nobody: errno %d", errno);
}

static volatile int conformance_alarms;
static inline void conformance_on_alarm(int n) {
    (void)n;
    conformance_alarms++;
}
/// SIGALRM in `milliseconds`, with a handler that counts it; `flags` are those of sigaction(2), SA_RESTART or 0.
static inline void conformance_alarm(int milliseconds, int flags) {
    struct sigaction action = {.sa_handler = conformance_on_alarm, .sa_flags = flags};
    struct itimerval timer = {.it_value = {milliseconds / 1000, milliseconds % 1000 * 1000}};
    sigaction(SIGALRM, &action, NULL);
    conformance_alarms = 0;
    setitimer(ITIMER_REAL, &timer, NULL);
}

/// A page that may be read but not written, with `length` bytes of `data` at its start.
static inline void *conformance_read_only(const void *data, size_t length) {
    char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memcpy(p, data, length);
    mprotect(p, 4096, PROT_READ);
    return p;
}

/// Two pages, the second of which is unmapped: returns the address of the last `length` bytes before the hole.
static inline void *conformance_before_hole(size_t length) {
    char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(p + 4096, 4096);
    return p + 4096 - length;
}

#define BAD_POINTER ((void *)0x10)

static inline int conformance_remove(const char *path, const struct stat *status, int type, struct FTW *place) {
    (void)status, (void)type, (void)place;
    return remove(path), 0;
}

/// The program's last act: its exit status.
static inline int conformance_end(void) {
    chdir("/");
    nftw(conformance_directory(), conformance_remove, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
    return conformance_failures ? 1 : 0;
}

// MARK: children and time

static inline void conformance_nap(long milliseconds) {
    struct timespec left = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    while (nanosleep(&left, &left) && errno == EINTR) {
    }
}

static inline long long conformance_now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static inline char *conformance_shared_page(void) {
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

/// The body runs in a child of its own, whose checks count for the case.
#define IN_FORK(...)                                                                                          \
    do {                                                                                                      \
        pid_t child_ = conformance_fork();                                                                    \
        if (child_ == 0) {                                                                                    \
            __VA_ARGS__;                                                                                      \
            _exit(0);                                                                                         \
        }                                                                                                     \
        if (child_ > 0) conformance_join(child_);                                                             \
    } while (0)

/// As IN_FORK, but as user and group 1000 with no other groups and no capabilities. A caller without privilege stays who it is.
#define AS_USER(...) IN_FORK(conformance_drop(); __VA_ARGS__)

static inline void conformance_drop(void) {
    if (geteuid() != 0) return;
    if (syscall(SYS_setgroups, 0, NULL) || syscall(SYS_setresgid, 1000, 1000, 1000) || syscall(SYS_setresuid, 1000, 1000, 1000))
        FAIL_("cannot drop privileges (errno %d)", errno);
}

// MARK: bad addresses

/// A page that can be read only.
static inline void *conformance_readable_page(void) {
    static void *page;
    if (!page) page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page;
}

/// A page that nobody may touch.
static inline void *conformance_no_access(void) {
    static void *page;
    if (!page) page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page;
}

/// `length` bytes of which the last half lie behind the end of the accessible page, copied from `bytes` as far as they fit.
static inline void *conformance_straddling(const void *bytes, size_t length) {
    size_t fits = length / 2;
    char *start = conformance_before_hole(fits);
    if (bytes) memcpy(start, bytes, fits);
    return start;
}

/// The result is one of two.
#define CHECK_ONE_OF(seen, first, second)                                                                     \
    do {                                                                                                      \
        long long one_ = (long long)(seen);                                                                   \
        if (one_ != (long long)(first) && one_ != (long long)(second))                                        \
            FAIL_("line %d: %s is %lld, neither %s nor %s (errno %d)", __LINE__, #seen, one_, #first, #second, errno); \
    } while (0)

/// The call fails with one of two errors.
#define CHECK_ERRNO2(call, first, second)                                                                     \
    do {                                                                                                      \
        errno = 0;                                                                                            \
        long long seen_ = (long long)(call);                                                                  \
        int errno_ = errno;                                                                                   \
        if (seen_ != -1 || (errno_ != (first) && errno_ != (second)))                                         \
            FAIL_("line %d: %s gives %lld, errno %d, not errno %d or %d", __LINE__, #call, seen_, errno_, (first), (second)); \
    } while (0)

#endif
