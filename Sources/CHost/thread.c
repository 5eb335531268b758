#define _GNU_SOURCE
#include "chost.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

struct start {
    void (*body)(void *);
    void *argument;
};

static void *enter(void *opaque) {
    struct start start = *(struct start *)opaque;
    free(opaque);
    start.body(start.argument);
    return NULL;
}

int chost_thread_start(void (*body)(void *), void *argument) {
    struct start *start = malloc(sizeof *start);
    if (!start) return ENOMEM;
    start->body = body;
    start->argument = argument;
    pthread_attr_t attributes;
    int status = pthread_attr_init(&attributes);
    if (status == 0) {
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        pthread_attr_setstacksize(&attributes, 512 * 1024);
        pthread_t thread;
        status = pthread_create(&thread, &attributes, enter, start);
        pthread_attr_destroy(&attributes);
    }
    if (status != 0) free(start);
    return status;
}

long chost_syscall6(long number, long a0, long a1, long a2, long a3, long a4, long a5) {
    return syscall(number, a0, a1, a2, a3, a4, a5);
}

int chost_gettid(void) { return (int)syscall(SYS_gettid); }
