// What every program of the benchmarks needs: a way to give up, the clock, and a place for files.
#define _GNU_SOURCE
#include "benchmark.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

noreturn void fail(const char *what) {
    fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
    _Exit(1);
}

double now(void) {
    struct timespec time;
    if (clock_gettime(CLOCK_MONOTONIC, &time) < 0) fail("clock_gettime");
    return time.tv_sec * 1e9 + time.tv_nsec;
}

const char *temporary_directory(void) {
    const char *directory = getenv("TMPDIR");
    return directory && *directory ? directory : "/tmp";
}
