#define _GNU_SOURCE
#include "chost.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct start {
    void (*body)(void *);
    void *argument;
    /// Where the thread may run once it has begun; all zeroes for wherever it is allowed anyway.
    struct chost_affinity affinity;
};

static void *enter(void *opaque) {
    struct start start = *(struct start *)opaque;
    free(opaque);
    static const struct chost_affinity anywhere;
    if (memcmp(&start.affinity, &anywhere, sizeof anywhere)) chost_allow_processors(&start.affinity);
    start.body(start.argument);
    return NULL;
}

int chost_thread_start(void (*body)(void *), void *argument, int near) {
    struct start *start = malloc(sizeof *start);
    if (!start) return ENOMEM;
    start->body = body;
    start->argument = argument;
    memset(&start->affinity, 0, sizeof start->affinity);
    // A thread begins where its creator may run.
    struct chost_affinity before;
    int was_bound = near && chost_stay_here(&before);
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
    if (was_bound) chost_allow_processors(&before);
    if (status != 0) free(start);
    return status;
}

long chost_syscall6(long number, long a0, long a1, long a2, long a3, long a4, long a5) {
    return syscall(number, a0, a1, a2, a3, a4, a5);
}

int chost_gettid(void) { return (int)syscall(SYS_gettid); }
