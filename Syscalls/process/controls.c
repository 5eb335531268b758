// prctl(2), arch_prctl(2), personality(2).
#include "conformance.h"
#include <asm/prctl.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/personality.h>
#include <sys/prctl.h>

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_GET_MDWE 66
#endif
#ifndef PR_GET_AUXV
#define PR_GET_AUXV 0x41555856
#endif

static long control(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d) {
    return syscall(SYS_prctl, option, a, b, c, d);
}
static void *names_itself(void *argument) {
    control(PR_SET_NAME, (long)"thread", 0, 0, 0);
    return argument;
}

int main(void) {
    COVERS(prctl);
    CASE(unknown_option) {
        CHECK_ERRNO(control(0, 0, 0, 0, 0), EINVAL);
        CHECK_ERRNO(control(999, 0, 0, 0, 0), EINVAL);
        CHECK_ERRNO(control(-1, 0, 0, 0, 0), EINVAL);
    }
    CASE(name_is_cut_at_fifteen) IN_FORK({
        char name[32];
        CHECK_EQ(control(PR_SET_NAME, (long)"abcdefghijklmnopqrstuvwxyz", 0, 0, 0), 0);
        memset(name, 'z', sizeof name);
        CHECK_EQ(control(PR_GET_NAME, (long)name, 0, 0, 0), 0);
        CHECK(!strcmp(name, "abcdefghijklmno"));
        CHECK_EQ(name[16], 'z');
    });
    CASE(name_addresses) {
        CHECK_ERRNO(control(PR_SET_NAME, 0x10, 0, 0, 0), EFAULT);
        CHECK_ERRNO(control(PR_GET_NAME, 0x10, 0, 0, 0), EFAULT);
        CHECK_ERRNO(control(PR_GET_NAME, (long)conformance_readable_page(), 0, 0, 0), EFAULT);
        CHECK_ERRNO(control(PR_GET_NAME, (long)conformance_straddling(NULL, 16), 0, 0, 0), EFAULT);
        char *edge = conformance_before_hole(4);
        memcpy(edge, "abcd", 4);
        CHECK_ERRNO(control(PR_SET_NAME, (long)edge, 0, 0, 0), EFAULT);
        edge[3] = 0;
        IN_FORK(CHECK_EQ(control(PR_SET_NAME, (long)edge, 0, 0, 0), 0));
    }
    CASE(name_belongs_to_the_thread) IN_FORK({
        pthread_t t;
        char name[16];
        control(PR_SET_NAME, (long)"leader", 0, 0, 0);
        pthread_create(&t, NULL, names_itself, NULL);
        pthread_join(t, NULL);
        control(PR_GET_NAME, (long)name, 0, 0, 0);
        CHECK(!strcmp(name, "leader"));
    });
    CASE(death_signal) {
        int s = -1;
        CHECK_ERRNO(control(PR_SET_PDEATHSIG, 65, 0, 0, 0), EINVAL);
        CHECK_ERRNO(control(PR_SET_PDEATHSIG, -1, 0, 0, 0), EINVAL);
        CHECK_EQ(control(PR_SET_PDEATHSIG, SIGUSR1, 0, 0, 0), 0);
        CHECK_EQ(control(PR_GET_PDEATHSIG, (long)&s, 0, 0, 0), 0);
        CHECK_EQ(s, SIGUSR1);
        CHECK_ERRNO(control(PR_GET_PDEATHSIG, 0x10, 0, 0, 0), EFAULT);
        CHECK_EQ(control(PR_SET_PDEATHSIG, 0, 0, 0, 0), 0);
    }
    COVERS(prctl, pause);
    CASE(death_signal_arrives) {
        volatile int *word = (int *)conformance_shared_page();
        IN_FORK({
            syscall(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
            pid_t middle = fork();
            if (middle == 0) {
                pid_t last = fork();
                if (last == 0) {
                    control(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
                    *word = 1;
                    for (;;) pause();
                }
                while (!*word) usleep(1000);
                _exit(0);
            }
            waitpid(middle, NULL, 0);
            int status = 0;
            CHECK(wait(&status) > 0);
            CHECK_EQ(status, SIGKILL);
        });
    }
    COVERS(prctl);
    CASE(dumpable) IN_FORK({
        CHECK_EQ(control(PR_GET_DUMPABLE, 0, 0, 0, 0), 1);
        CHECK_EQ(control(PR_SET_DUMPABLE, 0, 0, 0, 0), 0);
        CHECK_EQ(control(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
        CHECK_ERRNO(control(PR_SET_DUMPABLE, 2, 0, 0, 0), EINVAL);
        CHECK_ERRNO(control(PR_SET_DUMPABLE, 3, 0, 0, 0), EINVAL);
    });
    CASE(dumpable_is_lost_with_the_user) {
        if (geteuid() == 0) AS_USER(CHECK(control(PR_GET_DUMPABLE, 0, 0, 0, 0) != 1));
    }
    CASE(subreaper) IN_FORK({
        int flag = -1;
        CHECK_EQ(control(PR_SET_CHILD_SUBREAPER, 7, 0, 0, 0), 0);
        CHECK_EQ(control(PR_GET_CHILD_SUBREAPER, (long)&flag, 0, 0, 0), 0);
        CHECK_EQ(flag, 1);
        CHECK_ERRNO(control(PR_GET_CHILD_SUBREAPER, 0x10, 0, 0, 0), EFAULT);
        IN_FORK({
            control(PR_GET_CHILD_SUBREAPER, (long)&flag, 0, 0, 0);
            CHECK_EQ(flag, 0);
        });
    });
    CASE(timer_slack) IN_FORK({
        CHECK_EQ(control(PR_SET_TIMERSLACK, 12345, 0, 0, 0), 0);
        CHECK_EQ(control(PR_GET_TIMERSLACK, 0, 0, 0, 0), 12345);
        IN_FORK({
            CHECK_EQ(control(PR_GET_TIMERSLACK, 0, 0, 0, 0), 12345);
            control(PR_SET_TIMERSLACK, 1, 0, 0, 0);
            CHECK_EQ(control(PR_SET_TIMERSLACK, 0, 0, 0, 0), 0);
            CHECK_EQ(control(PR_GET_TIMERSLACK, 0, 0, 0, 0), 12345);
        });
    });
    CASE(no_new_privileges) IN_FORK({
        CHECK_EQ(control(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
        CHECK_ERRNO(control(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL);
        CHECK_ERRNO(control(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0), EINVAL);
        CHECK_ERRNO(control(PR_GET_NO_NEW_PRIVS, 1, 0, 0, 0), EINVAL);
        CHECK_EQ(control(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        CHECK_EQ(control(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
        IN_FORK(CHECK_EQ(control(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1));
    });
    CASE(timing_and_counter) {
        CHECK_EQ(control(PR_GET_TIMING, 0, 0, 0, 0), PR_TIMING_STATISTICAL);
        CHECK_EQ(control(PR_SET_TIMING, PR_TIMING_STATISTICAL, 0, 0, 0), 0);
        CHECK_ERRNO(control(PR_SET_TIMING, PR_TIMING_TIMESTAMP, 0, 0, 0), EINVAL);
        int mode = -1;
        CHECK_EQ(control(PR_GET_TSC, (long)&mode, 0, 0, 0), 0);
        CHECK_EQ(mode, PR_TSC_ENABLE);
        CHECK_ERRNO(control(PR_GET_TSC, 0x10, 0, 0, 0), EFAULT);
        CHECK_ERRNO(control(PR_SET_TSC, 7, 0, 0, 0), EINVAL);
        CHECK_EQ(control(PR_SET_TSC, PR_TSC_ENABLE, 0, 0, 0), 0);
    }
    CASE(machine_check_policy) {
        CHECK_EQ(control(PR_MCE_KILL_GET, 0, 0, 0, 0), PR_MCE_KILL_DEFAULT);
        CHECK_ERRNO(control(PR_MCE_KILL_GET, 1, 0, 0, 0), EINVAL);
        CHECK_ERRNO(control(PR_MCE_KILL, 9, 0, 0, 0), EINVAL);
        IN_FORK({
            CHECK_EQ(control(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0), 0);
            CHECK_EQ(control(PR_MCE_KILL_GET, 0, 0, 0, 0), PR_MCE_KILL_EARLY);
            CHECK_EQ(control(PR_MCE_KILL, PR_MCE_KILL_CLEAR, 0, 0, 0), 0);
            CHECK_EQ(control(PR_MCE_KILL_GET, 0, 0, 0, 0), PR_MCE_KILL_DEFAULT);
        });
    }
    CASE(huge_pages_can_be_disabled) IN_FORK({
        CHECK_EQ(control(PR_GET_THP_DISABLE, 0, 0, 0, 0), 0);
        CHECK_ERRNO(control(PR_GET_THP_DISABLE, 1, 0, 0, 0), EINVAL);
        CHECK_EQ(control(PR_SET_THP_DISABLE, 1, 0, 0, 0), 0);
        CHECK_EQ(control(PR_GET_THP_DISABLE, 0, 0, 0, 0), 1);
        IN_FORK(CHECK_EQ(control(PR_GET_THP_DISABLE, 0, 0, 0, 0), 1));
        CHECK_EQ(control(PR_SET_THP_DISABLE, 0, 0, 0, 0), 0);
    });
    CASE(seccomp_mode) {
        CHECK_EQ(control(PR_GET_SECCOMP, 0, 0, 0, 0), 0);
        CHECK_ERRNO(control(PR_SET_SECCOMP, 99, 0, 0, 0), EINVAL);
    }
    CASE(io_flusher_needs_privilege) AS_USER({
        CHECK_ERRNO(control(PR_SET_IO_FLUSHER, 1, 0, 0, 0), EPERM);
        CHECK_ERRNO(control(PR_GET_IO_FLUSHER, 0, 0, 0, 0), EPERM);
    });
    CASE(other_architectures_options) {
        CHECK_ERRNO(control(PR_SET_UNALIGN, 1, 0, 0, 0), EINVAL);
        CHECK_ERRNO(control(PR_SET_FPEMU, 1, 0, 0, 0), EINVAL);
        CHECK_ERRNO(control(PR_SET_ENDIAN, 1, 0, 0, 0), EINVAL);
        CHECK_ERRNO(control(PR_SVE_GET_VL, 0, 0, 0, 0), EINVAL);
        CHECK_ERRNO(control(PR_GET_TAGGED_ADDR_CTRL, 0, 0, 0, 0), EINVAL);
    }
    CASE(set_mm_needs_privilege) AS_USER(CHECK_ERRNO(control(PR_SET_MM, PR_SET_MM_BRK, 0, 0, 0), EPERM));
    CASE(vma_names) {
        char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        CHECK_ERRNO(control(PR_SET_VMA, 9, (long)p, 4096, 0), EINVAL);
        munmap(p, 8192);
    }
    COVERS(mprotect, prctl);
    CASE(write_execute_gain) IN_FORK({
        CHECK_EQ(control(PR_GET_MDWE, 0, 0, 0, 0), 0);
        CHECK_ERRNO(control(PR_GET_MDWE, 1, 0, 0, 0), EINVAL);
        CHECK_ERRNO(control(PR_SET_MDWE, 8, 0, 0, 0), EINVAL);
        CHECK_ERRNO(control(PR_SET_MDWE, 2, 0, 0, 0), EINVAL);
        CHECK_EQ(control(PR_SET_MDWE, 1, 0, 0, 0), 0);
        CHECK_EQ(control(PR_GET_MDWE, 0, 0, 0, 0), 1);
        CHECK_ERRNO(mmap(NULL, 4096, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0, EACCES);
        char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        CHECK_ERRNO(mprotect(p, 4096, PROT_READ | PROT_EXEC), EACCES);
        CHECK_ERRNO(control(PR_SET_MDWE, 0, 0, 0, 0), EPERM);
    });
    COVERS(set_tid_address, prctl);
    CASE(tid_address) {
        static int word;
        int *seen = NULL;
        syscall(SYS_set_tid_address, &word);
        CHECK_EQ(control(PR_GET_TID_ADDRESS, (long)&seen, 0, 0, 0), 0);
        CHECK(seen == &word);
        CHECK_ERRNO(control(PR_GET_TID_ADDRESS, 0x10, 0, 0, 0), EFAULT);
    }
    COVERS(prctl);
    CASE(auxiliary_vector) {
        static char vector[1024];
        CHECK(control(PR_GET_AUXV, (long)vector, sizeof vector, 0, 0) > 0);
        CHECK_ERRNO(control(PR_GET_AUXV, (long)vector, sizeof vector, 1, 0), EINVAL);
    }
    CASE(speculation) {
        // A kernel that controls no speculation knows no option: EINVAL.
        CHECK_ERRNO2(control(PR_GET_SPECULATION_CTRL, 77, 0, 0, 0), ENODEV, EINVAL);
        CHECK_ERRNO(control(PR_GET_SPECULATION_CTRL, 0, 1, 0, 0), EINVAL);
    }
    CASE(core_scheduling_errors) CHECK_ERRNO2(control(PR_SCHED_CORE, 99, 0, 0, 0), EINVAL, ENODEV);
    COVERS(arch_prctl);
    CASE(segment_bases) {
        unsigned long base = 0, old_gs = 0;
        CHECK_EQ(syscall(SYS_arch_prctl, ARCH_GET_FS, &base), 0);
        CHECK(base != 0);
        CHECK_EQ(syscall(SYS_arch_prctl, ARCH_GET_GS, &old_gs), 0);
        CHECK_EQ(syscall(SYS_arch_prctl, ARCH_SET_GS, 0x123450), 0);
        CHECK_EQ(syscall(SYS_arch_prctl, ARCH_GET_GS, &base), 0);
        CHECK_EQ(base, 0x123450);
        CHECK_EQ(syscall(SYS_arch_prctl, ARCH_SET_GS, old_gs), 0);
        CHECK_ERRNO(syscall(SYS_arch_prctl, ARCH_SET_GS, 1UL << 63), EPERM);
        CHECK_ERRNO(syscall(SYS_arch_prctl, ARCH_SET_FS, 0x7ffffffff000), EPERM);
        CHECK_ERRNO(syscall(SYS_arch_prctl, ARCH_GET_FS, 0x10), EFAULT);
        CHECK_ERRNO(syscall(SYS_arch_prctl, 0x4242, 0), EINVAL);
    }
    CASE(cpuid_control) {
        CHECK_EQ(syscall(SYS_arch_prctl, ARCH_GET_CPUID, 0), 1);
        CHECK_ERRNO(syscall(SYS_arch_prctl, ARCH_SET_CPUID, 0), ENODEV);
    }
    COVERS(personality);
    CASE(personality_is_kept_and_inherited) IN_FORK({
        CHECK_EQ(personality(0xffffffff), 0);
        CHECK_EQ(personality(ADDR_NO_RANDOMIZE), 0);
        CHECK_EQ(personality(0xffffffff), ADDR_NO_RANDOMIZE);
        IN_FORK(CHECK_EQ(personality(0xffffffff), ADDR_NO_RANDOMIZE));
    });
    CASE(read_implies_exec) IN_FORK({
        personality(READ_IMPLIES_EXEC);
        unsigned char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        p[0] = 0xc3;
        ((void (*)(void))(void *)p)();
        CHECK(p != MAP_FAILED);
    });
    return conformance_end();
}
