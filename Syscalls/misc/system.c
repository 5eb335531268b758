// uname(2), sethostname(2), setdomainname(2), sysinfo(2), syslog(2), getrandom(2), getcpu(2), getrusage(2), times(2).
#include "conformance.h"
#include <fcntl.h>
#include <sched.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/times.h>
#include <sys/utsname.h>

static long long microseconds(struct timeval t) { return t.tv_sec * 1000000LL + t.tv_usec; }
static void burn(long ms) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    long long until = t.tv_sec * 1000LL + t.tv_nsec / 1000000 + ms;
    do clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    while (t.tv_sec * 1000LL + t.tv_nsec / 1000000 < until);
}

int main(void) {
    COVERS(uname);
    CASE(names) {
        struct utsname u;
        CHECK_EQ(uname(&u), 0);
        CHECK(!strcmp(u.sysname, "Linux"));
        CHECK(!strcmp(u.machine, "x86_64"));
        CHECK(u.release[0] >= '4' && u.release[0] <= '9');
        CHECK_ERRNO(syscall(SYS_uname, BAD_POINTER), EFAULT);
        CHECK_ERRNO(syscall(SYS_uname, conformance_straddling(NULL, sizeof u)), EFAULT);
        CHECK_ERRNO(syscall(SYS_uname, conformance_readable_page()), EFAULT);
    }
    COVERS(sethostname, setdomainname);
    CASE(host_name_needs_privilege) AS_USER({
        CHECK_ERRNO(sethostname("x", 1), EPERM);
        CHECK_ERRNO(setdomainname("x", 1), EPERM);
    });
    COVERS(uname, sethostname, setdomainname);
    CASE(host_name_arguments) {
        if (geteuid() == 0) {
            char name[65] = "";
            gethostname(name, sizeof name);
            CHECK_ERRNO(sethostname(name, 65), EINVAL);
            CHECK_ERRNO(sethostname(name, -1), EINVAL);
            CHECK_ERRNO(syscall(SYS_sethostname, BAD_POINTER, 5), EFAULT);
            CHECK_EQ(sethostname(name, strlen(name)), 0);
            CHECK_ERRNO(setdomainname(name, 65), EINVAL);
        }
    }
    COVERS(sysinfo, clock_gettime);
    CASE(system_information) {
        struct sysinfo i;
        CHECK_EQ(sysinfo(&i), 0);
        CHECK(i.totalram > 0 && i.freeram <= i.totalram && i.mem_unit >= 1 && i.procs >= 1);
        struct timespec t;
        clock_gettime(CLOCK_BOOTTIME, &t);
        CHECK(labs(i.uptime - t.tv_sec) <= 1);
        CHECK_ERRNO(syscall(SYS_sysinfo, BAD_POINTER), EFAULT);
    }
    COVERS(syslog);
    CASE(kernel_log_needs_privilege) AS_USER({
        char text[16];
        CHECK_ERRNO(syscall(SYS_syslog, 2, text, 16), EPERM);
        CHECK_ERRNO(syscall(SYS_syslog, 5, NULL, 0), EPERM);
        CHECK_ERRNO(syscall(SYS_syslog, 6, NULL, 0), EPERM);
    });
    CASE(kernel_log_arguments) {
        if (geteuid() == 0) {
            CHECK_ERRNO(syscall(SYS_syslog, 3, NULL, 16), EINVAL);
            CHECK_ERRNO(syscall(SYS_syslog, 3, "", -1), EINVAL);
            CHECK_ERRNO(syscall(SYS_syslog, 99, NULL, 0), EINVAL);
            CHECK_ERRNO(syscall(SYS_syslog, 8, NULL, 9), EINVAL);
            CHECK(syscall(SYS_syslog, 10, NULL, 0) > 0);
            CHECK_EQ(syscall(SYS_syslog, 3, "", 0), 0);
        }
    }
    COVERS(getrandom);
    CASE(random_bytes) {
        unsigned char a[256] = {0}, b[256] = {0};
        CHECK_EQ(getrandom(a, 256, 0), 256);
        CHECK_EQ(getrandom(b, 256, GRND_NONBLOCK), 256);
        CHECK(memcmp(a, b, 256));
        CHECK_EQ(getrandom(a, 10, GRND_RANDOM), 10);
        CHECK_EQ(getrandom(a, 10, 4), 10);
        CHECK_ERRNO(getrandom(a, 10, 8), EINVAL);
        CHECK_ERRNO(getrandom(a, 10, GRND_RANDOM | 4), EINVAL);
        CHECK_EQ(getrandom(NULL, 0, 0), 0);
        CHECK_ERRNO(syscall(SYS_getrandom, BAD_POINTER, 8, 0), EFAULT);
    }
    CASE(random_bytes_up_to_a_hole) {
        char *edge = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        munmap(edge + 4096, 4096);
        long n = syscall(SYS_getrandom, edge + 4000, 200, 0);
        CHECK(n == 96 || (n == -1 && errno == EFAULT));
    }
    COVERS(getcpu);
    CASE(processor_number) {
        unsigned cpu = -1, node = -1;
        CHECK_EQ(syscall(SYS_getcpu, &cpu, &node, NULL), 0);
        CHECK(cpu < 4096 && node < 1024);
        CHECK_EQ(syscall(SYS_getcpu, NULL, NULL, NULL), 0);
        CHECK_ERRNO(syscall(SYS_getcpu, BAD_POINTER, NULL, NULL), EFAULT);
        CHECK_ERRNO(syscall(SYS_getcpu, NULL, BAD_POINTER, NULL), EFAULT);
    }
    COVERS(getrusage);
    CASE(usage_arguments) {
        struct rusage u;
        CHECK_ERRNO(syscall(SYS_getrusage, 2, &u), EINVAL);
        CHECK_ERRNO(syscall(SYS_getrusage, -3, &u), EINVAL);
        CHECK_ERRNO(syscall(SYS_getrusage, RUSAGE_SELF, BAD_POINTER), EFAULT);
        CHECK_EQ(getrusage(RUSAGE_THREAD, &u), 0);
        CHECK_EQ(getrusage(RUSAGE_CHILDREN, &u), 0);
    }
    COVERS(getrusage, clock_gettime);
    CASE(usage_grows_with_work) {
        struct rusage before, after;
        getrusage(RUSAGE_SELF, &before);
        burn(60);
        getrusage(RUSAGE_SELF, &after);
        long long used = microseconds(after.ru_utime) + microseconds(after.ru_stime) - microseconds(before.ru_utime) -
                         microseconds(before.ru_stime);
        CHECK(used >= 40000 && used < 2000000);
        CHECK(after.ru_maxrss > 0);
    }
    COVERS(getrusage);
    CASE(switches_are_counted) {
        struct rusage before, after;
        getrusage(RUSAGE_SELF, &before);
        for (int i = 0; i < 5; i++) conformance_nap(2);
        getrusage(RUSAGE_SELF, &after);
        CHECK(after.ru_nvcsw - before.ru_nvcsw >= 5);
    }
    COVERS(getrusage, waitid, clock_gettime);
    CASE(child_usage_counts_after_the_wait) {
        struct rusage before, during, after;
        getrusage(RUSAGE_CHILDREN, &before);
        pid_t child = fork();
        if (child == 0) {
            burn(60);
            _exit(0);
        }
        siginfo_t info;
        waitid(P_PID, child, &info, WEXITED | WNOWAIT);
        getrusage(RUSAGE_CHILDREN, &during);
        CHECK_EQ(microseconds(during.ru_utime), microseconds(before.ru_utime));
        waitpid(child, NULL, 0);
        getrusage(RUSAGE_CHILDREN, &after);
        CHECK(microseconds(after.ru_utime) + microseconds(after.ru_stime) - microseconds(before.ru_utime) >= 40000);
    }
    COVERS(times);
    CASE(process_times) {
        struct tms t;
        clock_t start = times(NULL);
        conformance_nap(50);
        CHECK(times(&t) - start >= 4);
        CHECK(t.tms_utime >= 0 && t.tms_cutime + t.tms_cstime >= 3);
    }
    COVERS(open, write);
    CASE(drop_caches_is_written_only) {
        // What the mode says counts for root too.
        CHECK_ERRNO(open("/proc/sys/vm/drop_caches", O_RDONLY), EACCES);
        int file = open("/proc/sys/vm/drop_caches", O_WRONLY);
        if (file != -1) {
            CHECK_ERRNO(write(file, "0\n", 2), EINVAL);
            CHECK_ERRNO(write(file, "-1\n", 3), EINVAL);
            close(file);
        }
    }
    return conformance_end();
}
