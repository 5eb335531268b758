// Vector registers survive handlers, preemption and system calls: AVX state in the signal frame and across context switches.
#include "conformance.h"
#include <immintrin.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/time.h>

static volatile sig_atomic_t ticks;

__attribute__((target("avx"))) static void clobber(int signal) {
    (void)signal;
    ticks++;
    __m256d garbage = _mm256_set1_pd(-1.0);
    __asm__ volatile("vmovapd %0, %%ymm0\n vmovapd %0, %%ymm5\n vmovapd %0, %%ymm15" ::"x"(garbage) : "xmm0", "xmm5", "xmm15");
}

__attribute__((target("avx"))) static int keeps(double seed, int rounds, int yield) {
    double in[4] = {seed, seed + 1, seed + 2, seed + 3}, out[4];
    for (int i = 0; i < rounds; i++) {
        long result;
        __asm__ volatile("vmovupd %1, %%ymm5\n"
                         "vmovupd %1, %%ymm15\n"
                         "mov $2000, %%r12\n"
                         "1: dec %%r12\n"
                         "jnz 1b\n"
                         "mov %3, %%eax\n"
                         "syscall\n"
                         "vaddpd %%ymm5, %%ymm15, %%ymm5\n"
                         "vmovupd %%ymm5, %0\n"
                         : "=m"(out), "=m"(in), "=&a"(result)
                         : "i"(SYS_sched_yield)
                         : "rcx", "r11", "r12", "xmm5", "xmm15", "memory");
        (void)yield;
        for (int k = 0; k < 4; k++)
            if (out[k] != 2 * in[k]) return 0;
    }
    return 1;
}

static void *worker(void *argument) { return (void *)(long)keeps((double)(long)argument, 300, 1); }

int main(void) {
    if (!__builtin_cpu_supports("avx")) return 0;
    COVERS(rt_sigreturn);
    CASE(across_signal_handlers) {
        signal(SIGALRM, clobber);
        struct itimerval often = {{0, 1000}, {0, 1000}}, off = {{0, 0}, {0, 0}};
        setitimer(ITIMER_REAL, &often, NULL);
        int rounds = 0;
        while (ticks < 20 && rounds < 100000) {
            if (!keeps(rounds++, 1, 0)) break;
        }
        setitimer(ITIMER_REAL, &off, NULL);
        CHECK(ticks >= 20);
    }
    COVERS(sched_yield);
    CASE(across_context_switches) {
        pthread_t threads[8];
        for (long i = 0; i < 8; i++) pthread_create(&threads[i], NULL, worker, (void *)(i * 10 + 1));
        for (int i = 0; i < 8; i++) {
            void *kept;
            pthread_join(threads[i], &kept);
            CHECK(kept);
        }
    }
    return conformance_end();
}
