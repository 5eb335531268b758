// One line per case: `ok NAME` or `not ok NAME: what was seen`. The same binary runs on the host kernel and in the sandbox; a case that
// fails on the host is a faulty case. The exit status is 0 when every case held.
#ifndef STOCKADE_CONFORMANCE_H
#define STOCKADE_CONFORMANCE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int conformance_failures;
static int conformance_failed;
static char conformance_reason[256];

/// Runs `body` as the case `name`. Checks inside report at most one failure.
#define CASE(name)                                                                                            \
    for (int once_ = (conformance_failed = 0, 1); once_; once_ = 0, conformance_report(#name))

static inline void conformance_report(const char *name) {
    if (conformance_failed) {
        conformance_failures++;
        printf("not ok %s: %s\n", name, conformance_reason);
    } else {
        printf("ok %s\n", name);
    }
    fflush(stdout);
}

#define FAIL_(...)                                                                                            \
    do {                                                                                                      \
        if (!conformance_failed) {                                                                            \
            conformance_failed = 1;                                                                           \
            snprintf(conformance_reason, sizeof conformance_reason, __VA_ARGS__);                             \
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

/// A scratch directory of this run, removed by nobody: sandboxes forget it, the harness removes it on the host.
static inline const char *conformance_directory(void) {
    static char path[64];
    if (!path[0]) {
        const char *base = getenv("CONFORMANCE_DIR");
        snprintf(path, sizeof path, "%s/c.XXXXXX", base ? base : "/tmp");
        if (!mkdtemp(path)) {
            perror("mkdtemp");
            exit(2);
        }
    }
    return path;
}

/// Two pages, the second of which is unmapped: returns the address of the last `length` bytes before the hole.
static inline void *conformance_before_hole(size_t length) {
    char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(p + 4096, 4096);
    return p + 4096 - length;
}

#define BAD_POINTER ((void *)0x10)

static inline int conformance_end(void) { return conformance_failures ? 1 : 0; }

#endif
