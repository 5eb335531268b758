// A busy neighbour: `spin CPU PARENT` uses a processor until it is killed or the process PARENT, which started it, ends.
// CPU is a number or `any`.
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: spin CPU PARENT\n");
        return 2;
    }
    if (strcmp(argv[1], "any") != 0) {
        cpu_set_t cpus;
        CPU_ZERO(&cpus);
        CPU_SET(atoi(argv[1]), &cpus);
        if (sched_setaffinity(0, sizeof cpus, &cpus) < 0) {
            perror("spin: sched_setaffinity");
            return 1;
        }
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != atoi(argv[2])) return 1;  // the parent ended before the line above
    for (volatile unsigned long turns = 0;; turns++) continue;
}
