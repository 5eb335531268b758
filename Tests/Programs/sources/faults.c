// Takes SIGSEGV on an alternate stack and goes on; keeps vector registers across signals and switches of context.
#define _GNU_SOURCE
#include <immintrin.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
static char *page;
static volatile int faults, alarms;
static void on_fault(int n, siginfo_t *info, void *context) {
    (void)n, (void)context;
    char here;
    if (labs(&here - (char *)sbrk(0)) < 0) abort();
    if (info->si_addr != page + 7) _exit(9);
    faults++;
    mprotect(page, 4096, PROT_READ | PROT_WRITE);
}
static sigjmp_buf back;
static void on_overflow(int n) { (void)n; siglongjmp(back, 1); }
static int recurse(int n) { volatile char waste[4096]; waste[0] = (char)n; return recurse(n + 1) + waste[0]; }
static void on_alarm(int n) {
    (void)n;
    alarms++;
    __asm__ volatile("vpcmpeqd %%ymm5, %%ymm5, %%ymm5" ::: "xmm5");
}
__attribute__((target("avx2"))) static void *spin(void *seed) {
    long bad = 0;
    for (int round = 0; round < 300; round++) {
        __m256i value = _mm256_set1_epi32((int)(long)seed + round), kept;
        __asm__ volatile("vmovdqa %1, %%ymm5\n\tmov $2000, %%ecx\n1: dec %%ecx\n\tjnz 1b\n\tmov $24, %%eax\n\tsyscall\n\tvmovdqa %%ymm5, %0"
                         : "=m"(kept) : "m"(value) : "rax", "rcx", "r11", "xmm5", "memory");
        if (memcmp(&kept, &value, 32)) bad++;
    }
    return (void *)bad;
}
int main(void) {
    page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    stack_t alternate = {.ss_sp = malloc(65536), .ss_size = 65536};
    sigaltstack(&alternate, NULL);
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigaction(SIGSEGV, &action, NULL);
    page[7] = 5;
    printf("%d %d\n", faults, page[7]);
    struct sigaction overflow = {.sa_handler = on_overflow, .sa_flags = SA_ONSTACK};
    sigaction(SIGSEGV, &overflow, NULL);
    if (!sigsetjmp(back, 1)) printf("%d\n", recurse(0));
    puts("back");
    signal(SIGALRM, on_alarm);
    if (__builtin_cpu_supports("avx2")) {
        ualarm(500, 500);
        pthread_t threads[4];
        long bad = 0;
        for (long i = 0; i < 4; i++) pthread_create(&threads[i], NULL, spin, (void *)(i * 1000));
        bad += (long)spin((void *)9000);
        for (int i = 0; i < 4; i++) {
            void *result;
            pthread_join(threads[i], &result);
            bad += (long)result;
        }
        ualarm(0, 0);
        printf("%ld\n", bad);
    }
    return 0;
}
