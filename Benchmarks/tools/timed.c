// Runs one command and records what it took: `timed RESULT CPU COMMAND...`, where CPU is a number or `any`.
//
// RESULT becomes one line: wall time, user time and system time in ns, and the wait status. The times come from here
// because a command of one millisecond would drown in the start of an interpreter. Orphans of the command become
// children of this process, so that its tree can be walked for as long as the command runs.
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static void fail(const char *what, int error) {
    fprintf(stderr, "timed: %s: %s\n", what, strerror(error));
    exit(125);
}

static void stay_on(int cpu) {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(cpu, &cpus);
    if (sched_setaffinity(0, sizeof cpus, &cpus) < 0) fail("sched_setaffinity", errno);
}

static long long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static long long nanoseconds(struct timeval time) { return time.tv_sec * 1000000000LL + time.tv_usec * 1000LL; }

int main(int argc, char **argv) {
    if (argc < 4) {
        fprintf(stderr, "usage: timed RESULT CPU COMMAND...\n");
        return 125;
    }
    if (strcmp(argv[2], "any") != 0) stay_on(atoi(argv[2]));
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0) fail("prctl", errno);

    long long begin = now();
    pid_t child;
    int error = posix_spawnp(&child, argv[3], NULL, NULL, argv + 3, environ);
    if (error != 0) fail(argv[3], error);
    int status;
    struct rusage usage;
    if (wait4(child, &status, 0, &usage) != child) fail("wait4", errno);
    long long wall = now() - begin;

    FILE *result = fopen(argv[1], "w");
    if (!result) fail(argv[1], errno);
    fprintf(result, "%lld %lld %lld %d\n", wall, nanoseconds(usage.ru_utime), nanoseconds(usage.ru_stime), status);
    if (fclose(result) != 0) fail(argv[1], errno);
    return 0;
}
