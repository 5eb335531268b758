#include "fuzzer.h"
#include <sched.h>
#include <sys/syscall.h>

#define S {SIGNAL}
#define T {PID}
#define I {INT}
#define U {UID}
#define O {OUT}
#define B {IN}
#define EIGHT ONE(8, 8, 8, 8, 8, 0, 16)

static const struct call calls[] = {
    CALL(rt_sigaction, S, {ACTION}, O, EIGHT), CALL(rt_sigprocmask, ONE(0, 1, 2), {SET}, O, EIGHT),
    CALL(rt_sigpending, O, EIGHT),
    CALL(rt_sigtimedwait, {SET}, O, {TIME}, EIGHT), CALL(rt_sigqueueinfo, T, S, {SIGNAL_INFO}), CALL(rt_tgsigqueueinfo, T, T, S,
        {SIGNAL_INFO}),
    CALL(rt_sigsuspend, {SET}, EIGHT), CALL(sigaltstack, B, O), CALL(kill, T, S), CALL(tkill, T, S), CALL(tgkill, T, T, S),
    CALL(pause),
    CALL(nanosleep, {TIME}, O), CALL(getitimer, I, O), CALL(setitimer, I, {TIME}, O), CALL(alarm, I), CALL(getpid),
    CALL(wait4, T, O, BITS(0xe000000f), O), CALL(waitid, ONE(0, 1, 2, 3), T, O, BITS(0x0100000f), O), CALL(uname, O),
    CALL(gettimeofday, O, O),
    CALL(getrlimit, I, O), CALL(setrlimit, I, B), CALL(prlimit64, T, I, B, O), CALL(getrusage, ONE(0, 1, -1), O),
    CALL(sysinfo, O), CALL(times, O),
    CALL(syslog, I, O, {SIZE}), CALL(getuid), CALL(setuid, U), CALL(setgid, U), CALL(setpgid, T, T), CALL(getppid),
    CALL(getpgrp), CALL(setsid),
    CALL(setreuid, U, U), CALL(setregid, U, U), CALL(getgroups, I, O), CALL(setgroups, I, B), CALL(setresuid, U, U, U),
    CALL(getresuid, O, O, O),
    CALL(setresgid, U, U, U), CALL(getresgid, O, O, O), CALL(getpgid, T), CALL(setfsuid, U), CALL(setfsgid, U),
    CALL(getsid, T), CALL(capget, B, O),
    CALL(capset, B, B), CALL(personality, I), CALL(getpriority, ONE(0, 1, 2), T), CALL(setpriority, ONE(0, 1, 2), T, I),
    CALL(sched_setparam, T, B), CALL(sched_getparam, T, O), CALL(sched_setscheduler, T, I, B), CALL(sched_getscheduler, T),
    CALL(sched_get_priority_max, I), CALL(sched_get_priority_min, I), CALL(sched_rr_get_interval, T, O),
    CALL(sched_setaffinity, T, {SIZE}, B),
    CALL(sched_getaffinity, T, {SIZE}, O), CALL(sched_yield), CALL(sched_setattr, T, {SCHEDULING}, {NONE}),
    CALL(sched_getattr, T, O, {SIZE}, {NONE}),
    CALL(prctl, ONE(1, 2, 3, 4, 7, 8, 15, 16, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 33, 34, 35, 36, 37, 38, 39, 40, 41,
                       42, 47, 53, 62,
                    0x53564d41, 0x59616d61), {ANY}, {ANY}, {ANY}, {ANY}),
    CALL(arch_prctl, I, O), CALL(adjtimex, B), CALL(clock_adjtime, I, B), CALL(sethostname, B, {SIZE}),
    CALL(setdomainname, B, {SIZE}), CALL(gettid),
    CALL(time, O),
    CALL(futex, {WORD}, ONE(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 128, 129, 0x189, 0x109), I, {TIME}, {WORD}, I),
    CALL(futex, {WORD}, ONE(1, 3, 4, 5, 129, 131, 132, 133), I, I, {WORD}, I), {449, "futex_waitv", {{FUTEXES}, I, {NONE}, {TIME},
                       ONE(0, 1)}},
    {454, "futex_wake", {{WORD}, {ANY}, I, BITS(0x83)}}, {455, "futex_wait", {{WORD}, I, {ANY}, BITS(0x83), {TIME}, ONE(0, 1)}},
    {456, "futex_requeue", {{FUTEXES}, {NONE}, I, I}}, CALL(set_robust_list, B, ONE(24)), CALL(get_robust_list, T, O, O),
    CALL(set_tid_address, O),
    CALL(timer_create, I, {SIGNAL_EVENT}, O), CALL(timer_settime, {TIMER_ID}, I, {TIME}, O), CALL(timer_gettime, {TIMER_ID}, O),
    CALL(timer_getoverrun, {TIMER_ID}),
    CALL(timer_delete, {TIMER_ID}), CALL(clock_gettime, I, O), CALL(clock_getres, I, O),
    CALL(clock_nanosleep, I, ONE(0, 1), {TIME}, O),
    CALL(clock_settime, I, {TIME}), CALL(ioprio_set, I, T, I), CALL(ioprio_get, I, T), CALL(unshare, BITS(0x7e020f80)),
    CALL(setns, {FD}, BITS(0x7e020000)),
    CALL(getcpu, O, O), CALL(kcmp, T, T, I, {FD}, {FD}), CALL(getrandom, O, {SIZE}, BITS(7)),
    CALL(membarrier, BITS(0x3ff), I, I),
    {424, "pidfd_send_signal", {{FD}, S, {SIGNAL_INFO}, BITS(7)}}, {434, "pidfd_open", {T, BITS(04200)}},
    {438, "pidfd_getfd", {{FD}, {FD}, {NONE}}},
    CALL(execve, {PATH}, {STRINGS}, {STRINGS}), CALL(execveat, {DIRFD}, {PATH}, {STRINGS}, {STRINGS}, BITS(0x1100)),
    CALL(fork), CALL(clone, BITS(0x0eee0000 | 0x7f), {NONE}, O, O, {NONE}), {435, "clone3", {{CLONE}, ONE(88, 64, 80)}},
    CALL(restart_syscall), CALL(rseq, B, ONE(32), I, I),
    {462, "mseal", {{ADDRESS}, {LENGTH}, {NONE}}},
    CALL(modify_ldt, ONE(0, 1, 2, 0x11), B, {SIZE}), CALL(getgid), CALL(geteuid), CALL(getegid), CALL(settimeofday, {TIME}, B),
    CALL(waitid, ONE(3), {FD}, O, BITS(0x0100000f), O),
};
const struct table process_calls = {calls, sizeof calls / sizeof *calls};
