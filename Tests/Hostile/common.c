#include "hostile.h"

long call_at(uint64_t target, long number, long a, long b, long c, long d, long e, long f) {
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("lea 1f(%%rip), %%r15\n\t"
                     "jmp *%[target]\n"
                     "1:"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9), [target] "b"(target)
                     : "rcx", "r11", "r15", "memory");
    return result;
}

int syscall_sites(uint64_t *sites, int capacity) {
    int count = 0;
    for (uint64_t at = STUB_CODE; at < STUB_CODE + STUB_CODE_SIZE - 1 && count < capacity; at++) {
        const volatile unsigned char *p = (const volatile unsigned char *)at;
        if (p[0] == 0x0f && p[1] == 0x05) sites[count++] = at;
    }
    return count;
}

static sigjmp_buf jump;
static void on_fault(int n) {
    (void)n;
    siglongjmp(jump, 1);
}
int probe(uint64_t address, int write) {
    struct sigaction old, action = {.sa_handler = on_fault};
    sigaction(SIGSEGV, &action, &old);
    int works = 0;
    if (!sigsetjmp(jump, 1)) {
        volatile char *p = (volatile char *)address;
        char byte = *p;
        if (write) *p = byte;
        works = 1;
    }
    sigaction(SIGSEGV, &old, NULL);
    return works;
}

int writable_areas(uint64_t *areas, int capacity) {
    int count = 0;
    for (uint64_t i = 0; i < 64 && count < capacity; i++)
        if (probe(STUB_AREAS + i * AREA_SIZE, 1)) areas[count++] = STUB_AREAS + i * AREA_SIZE;
    return count;
}
