// Resource limits, usage, scheduling parameters, names of the system, random numbers.
#include "conformance.h"
#include <sched.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

int main(void) {
    COVERS(getrlimit, setrlimit, prlimit64);
    CASE(limits) {
        struct rlimit old, limit;
        CHECK_EQ(getrlimit(RLIMIT_NOFILE, &old), 0);
        CHECK(old.rlim_cur > 0 && old.rlim_cur <= old.rlim_max);
        CHECK_ERRNO(syscall(SYS_getrlimit, 16, &limit), EINVAL);
        CHECK_ERRNO(syscall(SYS_prlimit64, 0, 16, NULL, NULL), EINVAL);
        CHECK_ERRNO(syscall(SYS_prlimit64, 0x3ffff0, 0, NULL, &limit), ESRCH);
        limit = (struct rlimit){10, 5};
        CHECK_ERRNO(setrlimit(RLIMIT_CORE, &limit), EINVAL);
        CHECK_ERRNO(syscall(SYS_setrlimit, RLIMIT_CORE, BAD_POINTER), EFAULT);
        limit = (struct rlimit){1, 2};
        CHECK_EQ(syscall(SYS_prlimit64, 0, RLIMIT_CORE, &limit, &old), 0);
        CHECK_EQ(getrlimit(RLIMIT_CORE, &limit), 0);
        CHECK(limit.rlim_cur == 1 && limit.rlim_max == 2);
        pid_t child = fork();
        if (child == 0) {
            getrlimit(RLIMIT_CORE, &limit);
            _exit(limit.rlim_cur == 1 ? 0 : 1);
        }
        int status = -1;
        waitpid(child, &status, 0);
        CHECK_EQ(status, 0);
    }
    COVERS(getrusage);
    CASE(usage) {
        struct rusage usage;
        CHECK_EQ(getrusage(RUSAGE_SELF, &usage), 0);
        CHECK(usage.ru_maxrss > 0);
        CHECK_EQ(getrusage(RUSAGE_CHILDREN, &usage), 0);
        CHECK_EQ(getrusage(RUSAGE_THREAD, &usage), 0);
        CHECK_ERRNO(getrusage(7, &usage), EINVAL);
        CHECK_ERRNO(syscall(SYS_getrusage, 0, BAD_POINTER), EFAULT);
    }
    COVERS(sysinfo, uname);
    CASE(system_information) {
        struct sysinfo info;
        CHECK_EQ(sysinfo(&info), 0);
        CHECK(info.totalram * info.mem_unit > 1 << 20);
        CHECK(info.procs >= 1);
        CHECK(info.uptime > 0);
        struct utsname name;
        CHECK_EQ(uname(&name), 0);
        CHECK(!strcmp(name.sysname, "Linux"));
        int major = 0, minor = 0;
        CHECK_EQ(sscanf(name.release, "%d.%d", &major, &minor), 2);
        CHECK(major >= 6);
        CHECK(!strcmp(name.machine, "x86_64"));
        CHECK_ERRNO(syscall(SYS_uname, BAD_POINTER), EFAULT);
    }
    COVERS(sched_getscheduler, sched_setscheduler, sched_getparam, sched_get_priority_max, sched_get_priority_min, sched_yield,
           sched_getattr, sched_setattr);
    CASE(policies) {
        struct sched_param parameter = {0};
        CHECK_EQ(sched_getscheduler(0), SCHED_OTHER);
        CHECK_EQ(sched_getparam(0, &parameter), 0);
        CHECK_EQ(parameter.sched_priority, 0);
        CHECK_EQ(sched_get_priority_max(SCHED_FIFO), 99);
        CHECK_EQ(sched_get_priority_min(SCHED_RR), 1);
        CHECK_EQ(sched_get_priority_max(SCHED_OTHER), 0);
        CHECK_ERRNO(sched_get_priority_max(42), EINVAL);
        parameter.sched_priority = 1;
        CHECK_ERRNO(sched_setscheduler(0, SCHED_OTHER, &parameter), EINVAL);
        parameter.sched_priority = 0;
        CHECK_ERRNO(sched_setscheduler(0, SCHED_FIFO, &parameter), EINVAL);
        CHECK_ERRNO(sched_setscheduler(0, 42, &parameter), EINVAL);
        CHECK_ERRNO(sched_setscheduler(-1, SCHED_OTHER, &parameter), EINVAL);
        CHECK_ERRNO(sched_setscheduler(0x3ffff0, SCHED_OTHER, &parameter), ESRCH);
        CHECK_EQ(sched_setscheduler(0, SCHED_BATCH, &parameter), 0);
        CHECK_EQ(sched_getscheduler(0), SCHED_BATCH);
        CHECK_EQ(sched_setscheduler(0, SCHED_OTHER, &parameter), 0);
        CHECK_EQ(sched_yield(), 0);
        char attributes[56] = {0};
        CHECK_EQ(syscall(SYS_sched_getattr, 0, attributes, 56, 0), 0);
        CHECK_EQ(*(uint32_t *)attributes, 56);
        CHECK_ERRNO(syscall(SYS_sched_getattr, 0, attributes, 40, 0), EINVAL);
        *(uint32_t *)attributes = 8;
        CHECK_ERRNO(syscall(SYS_sched_setattr, 0, attributes, 0), E2BIG);
    }
    COVERS(sched_getaffinity, sched_setaffinity, getcpu);
    CASE(affinity) {
        cpu_set_t set, one;
        CHECK_EQ(sched_getaffinity(0, sizeof set, &set), 0);
        int count = CPU_COUNT(&set);
        CHECK(count >= 1);
        CHECK_ERRNO(syscall(SYS_sched_getaffinity, 0, 3, &set), EINVAL);
        CPU_ZERO(&one);
        CHECK_ERRNO(sched_setaffinity(0, sizeof one, &one), EINVAL);
        for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; cpu++)
            if (CPU_ISSET(cpu, &set)) CPU_SET(cpu, &one);
        CHECK_EQ(sched_setaffinity(0, sizeof one, &one), 0);
        cpu_set_t seen;
        CHECK_EQ(sched_getaffinity(0, sizeof seen, &seen), 0);
        CHECK(CPU_EQUAL(&seen, &one));
        CHECK_EQ(sched_setaffinity(0, sizeof set, &set), 0);
        unsigned cpu = 9999;
        CHECK_EQ(syscall(SYS_getcpu, &cpu, NULL, NULL), 0);
        CHECK(cpu < 4096);
    }
    COVERS(getpriority, setpriority, ioprio_get, ioprio_set);
    CASE(nice_values) {
        pid_t child = fork();
        if (child == 0) {
            errno = 0;
            int before = getpriority(PRIO_PROCESS, 0);
            int bad = setpriority(PRIO_PROCESS, 0, before + 3) || getpriority(PRIO_PROCESS, 0) != before + 3;
            bad |= setpriority(PRIO_PROCESS, 0, 100) || getpriority(PRIO_PROCESS, 0) != 19;
            _exit(bad);
        }
        int status = -1;
        waitpid(child, &status, 0);
        CHECK_EQ(status, 0);
        CHECK_ERRNO(syscall(SYS_getpriority, 7, 0), EINVAL);
        CHECK_ERRNO(syscall(SYS_getpriority, PRIO_PROCESS, 0x3ffff0), ESRCH);
        CHECK_ERRNO(syscall(SYS_setpriority, PRIO_PROCESS, 0x3ffff0, 0), ESRCH);
        CHECK(syscall(SYS_ioprio_get, 1, 0) >= 0);
        CHECK_EQ(syscall(SYS_ioprio_set, 1, 0, 2 << 13 | 4), 0);
        CHECK_EQ(syscall(SYS_ioprio_get, 1, 0), 2 << 13 | 4);
        CHECK_ERRNO(syscall(SYS_ioprio_get, 9, 0), EINVAL);
        CHECK_ERRNO(syscall(SYS_ioprio_set, 1, 0, 5 << 13), EINVAL);
    }
    COVERS(getrandom);
    CASE(random_numbers) {
        unsigned char a[64] = {0}, b[64] = {0};
        CHECK_EQ(getrandom(a, sizeof a, 0), 64);
        CHECK_EQ(getrandom(b, sizeof b, GRND_NONBLOCK), 64);
        CHECK(memcmp(a, b, sizeof a) != 0);
        CHECK_ERRNO(getrandom(a, 1, 8), EINVAL);
        CHECK_ERRNO(getrandom(a, 1, 2 | 4), EINVAL);
        CHECK_ERRNO(syscall(SYS_getrandom, BAD_POINTER, 8, 0), EFAULT);
    }
    return conformance_end();
}
