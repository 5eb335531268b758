#define _GNU_SOURCE
#include "chost_system.h"

#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <sys/utsname.h>

#include <sched.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <unistd.h>

long chost_affinity(void *mask, size_t size) { return syscall(SYS_sched_getaffinity, getpid(), size, mask); }

int chost_configured_processors(void) { return get_nprocs_conf(); }

void chost_getcpu(uint32_t *cpu, uint32_t *node) {
    *cpu = 0;
    *node = 0;
    unsigned c, n;
    if (getcpu(&c, &n) == 0) {
        *cpu = c;
        *node = n;
    }
}

int chost_clock_adjtime(int clock, void *timex) { return (int)syscall(SYS_clock_adjtime, clock, timex); }

int chost_sysinfo(void *info) {
    _Static_assert(sizeof(struct sysinfo) == 112, "struct sysinfo");
    return sysinfo(info);
}

int chost_kernel_version(void) {
    struct utsname names;
    int major, minor;
    if (uname(&names) == -1 || sscanf(names.release, "%d.%d", &major, &minor) != 2) return 0;
    return major << 16 | minor;
}

int chost_seccomp_knows(uint32_t answer) { return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &answer) == 0; }
uint32_t chost_seccomp_notify(void) { return SECCOMP_RET_USER_NOTIF; }
uint32_t chost_seccomp_trap(void) { return SECCOMP_RET_TRAP; }

int chost_landlock_version(void) {
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return version < 0 ? 0 : (int)version;
}
