#define _GNU_SOURCE
#include "chost.h"

#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int chost_current_cpu(void) { return sched_getcpu(); }

int chost_bind_to_cpu(int thread, int cpu) {
    struct chost_affinity there = {{0}};
    if (cpu < 0 || cpu >= CHOST_PROCESSORS) return -1;
    there.words[cpu / 64] = 1ul << (cpu % 64);
    return syscall(SYS_sched_setaffinity, thread, sizeof there, &there) == -1 ? -1 : 0;
}

int chost_stay_here(struct chost_affinity *before) {
    struct chost_affinity here = {{0}};
    memset(before, 0, sizeof *before);
    int cpu = sched_getcpu();
    if (cpu < 0 || cpu >= CHOST_PROCESSORS || syscall(SYS_sched_getaffinity, 0, sizeof *before, before) == -1) return 0;
    int allowed = 0;
    for (int i = 0; i < CHOST_PROCESSORS / 64; i++) allowed += __builtin_popcountl(before->words[i]);
    // Where it is bound, it was bound on purpose.
    if (allowed == 1) {
        memset(before, 0, sizeof *before);
        return 0;
    }
    here.words[cpu / 64] = 1ul << (cpu % 64);
    return syscall(SYS_sched_setaffinity, 0, sizeof here, &here) == 0;
}

void chost_allow_processors(const struct chost_affinity *processors) {
    syscall(SYS_sched_setaffinity, 0, sizeof *processors, processors);
}
