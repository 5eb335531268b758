// Facts about the host machine and its clocks.
#ifndef STOCKADE_CHOST_SYSTEM_H
#define STOCKADE_CHOST_SYSTEM_H

#include <stddef.h>
#include <stdint.h>

/// sched_getaffinity(2) of the main thread, which is never bound to a CPU of its own: bytes written, -1 and errno on failure.
long chost_affinity(void *mask, size_t size);

/// Number of configured processors, as nr_cpu_ids of the host where it can be told.
int chost_configured_processors(void);

/// The CPU and NUMA node on which the calling thread runs.
void chost_getcpu(uint32_t *cpu, uint32_t *node);

/// clock_adjtime(2) with a `struct timex` of 208 bytes. The caller passes read-only modes alone. -1 and errno on failure.
int chost_clock_adjtime(int clock, void *timex);

/// sysinfo(2) into 112 bytes; -1 and errno on failure.
int chost_sysinfo(void *info);

/// The host kernel's version as major << 16 | minor; 0 when it cannot be read.
int chost_kernel_version(void);

/// Whether the host's kernel knows a seccomp answer (SECCOMP_RET_*): 1 or 0.
int chost_seccomp_knows(uint32_t answer);
/// SECCOMP_RET_USER_NOTIF and SECCOMP_RET_TRAP.
uint32_t chost_seccomp_notify(void);
uint32_t chost_seccomp_trap(void);
/// The version of Landlock, 0 for none.
int chost_landlock_version(void);

#endif
