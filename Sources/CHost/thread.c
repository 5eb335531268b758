#define _GNU_SOURCE
#include "chost.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/// Room for 1,024 processors.
struct affinity {
    unsigned long words[16];
};

struct start {
    void (*body)(void *);
    void *argument;
    /// Where the thread may run once it has begun; all zeroes for wherever it is allowed anyway.
    struct affinity affinity;
};

static void *enter(void *opaque) {
    struct start start = *(struct start *)opaque;
    free(opaque);
    static const struct affinity anywhere;
    if (memcmp(&start.affinity, &anywhere, sizeof anywhere)) syscall(SYS_sched_setaffinity, 0, sizeof start.affinity, &start.affinity);
    start.body(start.argument);
    return NULL;
}

/// Binds the calling thread to the processor it runs on, and says what it was allowed before. Returns 0 when it was bound already.
static int stay_here(struct affinity *before) {
    struct affinity here = {{0}};
    memset(before, 0, sizeof *before);
    int cpu = sched_getcpu();
    if (cpu < 0 || cpu >= 1024 || syscall(SYS_sched_getaffinity, 0, sizeof *before, before) == -1) return 0;
    here.words[cpu / 64] = 1ul << (cpu % 64);
    if (!memcmp(&here, before, sizeof here)) {
        memset(before, 0, sizeof *before);
        return 0;
    }
    return syscall(SYS_sched_setaffinity, 0, sizeof here, &here) == 0;
}

int chost_thread_start(void (*body)(void *), void *argument, int near) {
    struct start *start = malloc(sizeof *start);
    if (!start) return ENOMEM;
    start->body = body;
    start->argument = argument;
    memset(&start->affinity, 0, sizeof start->affinity);
    // A thread begins where its creator may run.
    struct affinity before;
    int was_bound = near && stay_here(&before);
    if (was_bound) start->affinity = before;
    pthread_attr_t attributes;
    int status = pthread_attr_init(&attributes);
    if (status == 0) {
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        pthread_attr_setstacksize(&attributes, 512 * 1024);
        pthread_t thread;
        status = pthread_create(&thread, &attributes, enter, start);
        pthread_attr_destroy(&attributes);
    }
    if (was_bound) syscall(SYS_sched_setaffinity, 0, sizeof before, &before);
    if (status != 0) free(start);
    return status;
}

long chost_syscall6(long number, long a0, long a1, long a2, long a3, long a4, long a5) {
    return syscall(number, a0, a1, a2, a3, a4, a5);
}

int chost_gettid(void) { return (int)syscall(SYS_gettid); }
