// sched_*(2), getpriority(2), setpriority(2), nice values, affinity, ioprio_set(2): arguments, errors, inheritance.
#include "conformance.h"
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>

struct attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
    uint32_t least, most;
};
static long getattr(pid_t pid, void *a, unsigned size, unsigned flags) { return syscall(SYS_sched_getattr, pid, a, size, flags); }
static long setattr(pid_t pid, void *a, unsigned flags) { return syscall(SYS_sched_setattr, pid, a, flags); }

int main(void) {
    COVERS(sched_get_priority_min, sched_get_priority_max);
    CASE(policy_bounds) {
        CHECK_EQ(sched_get_priority_min(SCHED_OTHER), 0);
        CHECK_EQ(sched_get_priority_max(SCHED_OTHER), 0);
        CHECK_EQ(sched_get_priority_min(SCHED_FIFO), 1);
        CHECK_EQ(sched_get_priority_max(SCHED_RR), 99);
        CHECK_EQ(sched_get_priority_max(SCHED_BATCH), 0);
        CHECK_EQ(sched_get_priority_max(6), 0);
        CHECK_ERRNO(sched_get_priority_min(4), EINVAL);
        CHECK_ERRNO(sched_get_priority_max(99), EINVAL);
    }
    COVERS(sched_getscheduler, sched_getparam, sched_setscheduler, sched_setparam);
    CASE(scheduler_arguments) {
        struct sched_param p = {0};
        CHECK_ERRNO(sched_getscheduler(-1), EINVAL);
        CHECK_ERRNO(sched_getscheduler(1 << 22), ESRCH);
        CHECK_ERRNO(sched_getparam(-1, &p), EINVAL);
        CHECK_ERRNO(sched_getparam(0, NULL), EINVAL);
        CHECK_ERRNO(sched_getparam(1 << 22, &p), ESRCH);
        CHECK_ERRNO(sched_getparam(0, BAD_POINTER), EFAULT);
        CHECK_ERRNO(sched_setscheduler(0, -1, &p), EINVAL);
        CHECK_ERRNO(sched_setscheduler(0, 99, &p), EINVAL);
        CHECK_ERRNO(sched_setscheduler(0, SCHED_OTHER, NULL), EINVAL);
        CHECK_ERRNO(sched_setscheduler(0, SCHED_OTHER, BAD_POINTER), EFAULT);
        CHECK_ERRNO(sched_setscheduler(-1, SCHED_OTHER, &p), EINVAL);
        CHECK_ERRNO(sched_setscheduler(1 << 22, SCHED_OTHER, &p), ESRCH);
        p.sched_priority = 1;
        CHECK_ERRNO(sched_setscheduler(0, SCHED_OTHER, &p), EINVAL);
        CHECK_ERRNO(sched_setparam(0, &p), EINVAL);
        p.sched_priority = 0;
        CHECK_ERRNO(sched_setscheduler(0, SCHED_FIFO, &p), EINVAL);
        p.sched_priority = 100;
        CHECK_ERRNO(sched_setscheduler(0, SCHED_RR, &p), EINVAL);
    }
    COVERS(sched_setscheduler, sched_getscheduler);
    CASE(ordinary_policies) IN_FORK({
        struct sched_param p = {0};
        CHECK_EQ(sched_setscheduler(0, SCHED_BATCH, &p), 0);
        CHECK_EQ(sched_getscheduler(0), SCHED_BATCH);
        IN_FORK(CHECK_EQ(sched_getscheduler(0), SCHED_BATCH));
        CHECK_EQ(sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &p), 0);
        CHECK_EQ(sched_getscheduler(0), SCHED_OTHER | SCHED_RESET_ON_FORK);
        IN_FORK(CHECK_EQ(sched_getscheduler(0), SCHED_OTHER));
    });
    COVERS(prlimit64, sched_setscheduler);
    CASE(real_time_needs_privilege) AS_USER({
        struct sched_param p = {.sched_priority = 1};
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_RTPRIO, &none);
        CHECK_ERRNO(sched_setscheduler(0, SCHED_FIFO, &p), EPERM);
        CHECK_ERRNO(sched_setscheduler(0, SCHED_RR, &p), EPERM);
    });
    COVERS(sched_setscheduler);
    CASE(leaving_reset_on_fork_needs_privilege) AS_USER({
        struct sched_param p = {0};
        CHECK_EQ(sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &p), 0);
        CHECK_ERRNO(sched_setscheduler(0, SCHED_OTHER, &p), EPERM);
    });
    COVERS(sched_getscheduler, sched_setscheduler, sched_getaffinity, sched_setaffinity, setpriority, ioprio_set);
    CASE(others_processes) {
        pid_t child = conformance_pausing_child();
        if (geteuid() == 0) AS_USER({
            struct sched_param p = {0};
            CHECK_EQ(sched_getscheduler(child), SCHED_OTHER);
            CHECK_ERRNO(sched_setscheduler(child, SCHED_BATCH, &p), EPERM);
            cpu_set_t all;
            sched_getaffinity(0, sizeof all, &all);
            CHECK_ERRNO(sched_setaffinity(child, sizeof all, &all), EPERM);
            CHECK_ERRNO(setpriority(PRIO_PROCESS, child, 5), EPERM);
            CHECK_ERRNO(syscall(SYS_ioprio_set, 1, child, 2 << 13 | 4), EPERM);
        });
        conformance_end_child(child);
    }
    COVERS(sched_rr_get_interval);
    CASE(round_robin_interval) {
        struct timespec t;
        CHECK_EQ(sched_rr_get_interval(0, &t), 0);
        CHECK_ERRNO(sched_rr_get_interval(-1, &t), EINVAL);
        CHECK_ERRNO(sched_rr_get_interval(1 << 22, &t), ESRCH);
        CHECK_ERRNO(sched_rr_get_interval(0, BAD_POINTER), EFAULT);
    }
    CASE(attribute_sizes) {
        struct attributes a = {0};
        CHECK_ERRNO(getattr(0, &a, 47, 0), EINVAL);
        CHECK_ERRNO(getattr(0, &a, 5000, 0), EINVAL);
        CHECK_ERRNO(getattr(0, &a, sizeof a, 1), EINVAL);
        CHECK_ERRNO(getattr(-1, &a, sizeof a, 0), EINVAL);
        CHECK_ERRNO(getattr(1 << 22, &a, sizeof a, 0), ESRCH);
        CHECK_ERRNO(getattr(0, NULL, sizeof a, 0), EINVAL);
        CHECK_ERRNO(getattr(0, BAD_POINTER, sizeof a, 0), EFAULT);
        CHECK_EQ(getattr(0, &a, 48, 0), 0);
        CHECK_EQ(a.size, 48);
        CHECK_EQ(getattr(0, &a, 56, 0), 0);
        CHECK_EQ(a.size, 56);
    }
    COVERS(setpriority, getpriority, sched_getscheduler);
    CASE(attribute_setting) IN_FORK({
        struct attributes a = {.size = 48, .policy = SCHED_BATCH, .nice = 3};
        CHECK_EQ(setattr(0, &a, 0), 0);
        CHECK_EQ(getpriority(PRIO_PROCESS, 0), 3);
        CHECK_EQ(sched_getscheduler(0), SCHED_BATCH);
        CHECK_ERRNO(setattr(0, &a, 1), EINVAL);
        CHECK_ERRNO(setattr(0, NULL, 0), EINVAL);
        CHECK_ERRNO(setattr(0, BAD_POINTER, 0), EFAULT);
        CHECK_ERRNO(setattr(-1, &a, 0), EINVAL);
        a.size = 20;
        CHECK_ERRNO(setattr(0, &a, 0), E2BIG);
        CHECK_EQ(a.size, 56);
        a = (struct attributes){.size = 48, .policy = 44};
        CHECK_ERRNO(setattr(0, &a, 0), EINVAL);
        a = (struct attributes){.size = 48, .policy = 0, .flags = 1 << 20};
        CHECK_ERRNO(setattr(0, &a, 0), EINVAL);
        a = (struct attributes){.size = 48, .policy = 6, .runtime = 10, .deadline = 5, .period = 20};
        CHECK_ERRNO(setattr(0, &a, 0), EINVAL);
    });
    COVERS(sched_getaffinity, sched_setaffinity);
    CASE(affinity_arguments) {
        unsigned long mask[32] = {0};
        CHECK_ERRNO(syscall(SYS_sched_getaffinity, 0, 4, mask), EINVAL);
        CHECK_ERRNO(syscall(SYS_sched_getaffinity, 0, 12, mask), EINVAL);
        CHECK_ERRNO(syscall(SYS_sched_getaffinity, 1 << 22, sizeof mask, mask), ESRCH);
        CHECK_ERRNO(syscall(SYS_sched_getaffinity, 0, sizeof mask, BAD_POINTER), EFAULT);
        long n = syscall(SYS_sched_getaffinity, 0, sizeof mask, mask);
        CHECK(n >= 8 && n % 8 == 0 && mask[0] != 0);
        unsigned long none[32] = {0};
        CHECK_ERRNO(syscall(SYS_sched_setaffinity, 0, sizeof none, none), EINVAL);
        CHECK_ERRNO(syscall(SYS_sched_setaffinity, 0, sizeof none, BAD_POINTER), EFAULT);
        CHECK_ERRNO(syscall(SYS_sched_setaffinity, 1 << 22, sizeof mask, mask), ESRCH);
        CHECK_ERRNO(syscall(SYS_sched_setaffinity, 0, 0, mask), EINVAL);
    }
    CASE(affinity_is_kept_and_inherited) IN_FORK({
        cpu_set_t all;
        cpu_set_t one;
        sched_getaffinity(0, sizeof all, &all);
        CPU_ZERO(&one);
        for (int i = 0; i < CPU_SETSIZE; i++)
            if (CPU_ISSET(i, &all)) {
                CPU_SET(i, &one);
                break;
            }
        CHECK_EQ(sched_setaffinity(0, sizeof one, &one), 0);
        cpu_set_t now;
        sched_getaffinity(0, sizeof now, &now);
        CHECK(CPU_EQUAL(&now, &one));
        IN_FORK({
            sched_getaffinity(0, sizeof now, &now);
            CHECK(CPU_EQUAL(&now, &one));
        });
        CHECK_EQ(sched_setaffinity(0, sizeof all, &all), 0);
    });
    COVERS(sched_yield);
    CASE(yielding) CHECK_EQ(sched_yield(), 0);
    COVERS(getpriority, setpriority);
    CASE(nice_arguments) {
        CHECK_ERRNO(getpriority(9, 0), EINVAL);
        CHECK_ERRNO(getpriority(-1, 0), EINVAL);
        CHECK_ERRNO(getpriority(PRIO_PROCESS, 1 << 22), ESRCH);
        CHECK_ERRNO(getpriority(PRIO_PGRP, 1 << 22), ESRCH);
        CHECK_ERRNO(getpriority(PRIO_USER, 54321), ESRCH);
        CHECK_ERRNO(setpriority(9, 0, 0), EINVAL);
        CHECK_ERRNO(setpriority(PRIO_PROCESS, 1 << 22, 0), ESRCH);
        CHECK_EQ(syscall(SYS_getpriority, PRIO_PROCESS, 0), 20);
    }
    COVERS(setpriority, getpriority);
    CASE(nice_is_clamped_and_inherited) IN_FORK({
        CHECK_EQ(setpriority(PRIO_PROCESS, 0, 100), 0);
        CHECK_EQ(getpriority(PRIO_PROCESS, 0), 19);
        IN_FORK(CHECK_EQ(getpriority(PRIO_PROCESS, 0), 19));
    });
    COVERS(prlimit64, setpriority);
    CASE(raising_needs_privilege) AS_USER({
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_NICE, &none);
        CHECK_EQ(setpriority(PRIO_PROCESS, 0, 5), 0);
        CHECK_ERRNO(setpriority(PRIO_PROCESS, 0, 4), EACCES);
        CHECK_EQ(setpriority(PRIO_PROCESS, 0, 5), 0);
        CHECK_ERRNO(nice(-3), EPERM);
    });
    COVERS(setpgid, setpriority, getpriority, pause);
    CASE(nice_of_a_group) IN_FORK({
        setpgid(0, 0);
        pid_t child = conformance_pausing_child();
        CHECK_EQ(setpriority(PRIO_PGRP, 0, 7), 0);
        CHECK_EQ(getpriority(PRIO_PROCESS, child), 7);
        CHECK_EQ(setpriority(PRIO_PROCESS, child, 9), 0);
        CHECK_EQ(getpriority(PRIO_PGRP, 0), 7);
        conformance_end_child(child);
    });
    COVERS(ioprio_get, ioprio_set);
    CASE(io_priority_arguments) {
        CHECK_ERRNO(syscall(SYS_ioprio_get, 9, 0), EINVAL);
        CHECK_ERRNO(syscall(SYS_ioprio_get, 1, 1 << 22), ESRCH);
        CHECK_ERRNO(syscall(SYS_ioprio_set, 9, 0, 2 << 13), EINVAL);
        CHECK_ERRNO(syscall(SYS_ioprio_set, 1, 0, 5 << 13), EINVAL);
        CHECK_ERRNO(syscall(SYS_ioprio_set, 1, 0, 4), EINVAL);
        CHECK_ERRNO(syscall(SYS_ioprio_set, 1, 1 << 22, 2 << 13), ESRCH);
    }
    COVERS(ioprio_set, ioprio_get);
    CASE(io_priority_is_kept) IN_FORK({
        CHECK_EQ(syscall(SYS_ioprio_set, 1, 0, 2 << 13 | 6), 0);
        CHECK_EQ(syscall(SYS_ioprio_get, 1, 0), 2 << 13 | 6);
        IN_FORK(CHECK_EQ(syscall(SYS_ioprio_get, 1, 0), 2 << 13 | 6));
    });
    COVERS(ioprio_set);
    CASE(real_time_io_needs_privilege) AS_USER(CHECK_ERRNO(syscall(SYS_ioprio_set, 1, 0, 1 << 13 | 4), EPERM));
    return conformance_end();
}
