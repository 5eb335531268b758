// Against the fast path: the words in which calls are handed over, GS base, the code and the blocks that lead there.
#include "hostile.h"

// Offsets in an area, and the blocks of patched sites (Sources/CStub/include/cstub.h).
enum { STATE = 64, SERVED = 68, RINGING = 72, BLOCKING = 76, RESULT = 80, ARGUMENTS = 128, CALL = 176, BLOCK = 180 };
#define SITES 0x1f0000ul

/// getppid at a place that is called so often that it is patched.
__attribute__((noinline)) static long hot(void) {
    long result;
    __asm__ volatile("mov $110, %%eax\n\tsyscall" : "=a"(result)::"rcx", "r11", "memory", "cc");
    return result;
}
static void warm(int calls) {
    for (int i = 0; i < calls; i++) hot();
}
static void limit_time(long microseconds) {
    struct itimerval limit = {.it_value = {.tv_sec = microseconds / 1000000, .tv_usec = microseconds % 1000000}};
    setitimer(ITIMER_REAL, &limit, NULL);
}
static uint64_t gs_base(void) {
    uint64_t base;
    __asm__ volatile("rdgsbase %0" : "=r"(base));
    return base;
}
static void set_gs(uint64_t base) { __asm__ volatile("wrgsbase %0" ::"r"(base)); }

/// Runs `body` in children; says how many ended how.
static void in_children(int count, long patience, void (*body)(int)) {
    int exited = 0, failed = 0, signalled[65] = {0};
    for (int i = 0; i < count; i++) {
        fflush(stdout);
        pid_t child = fork();
        if (!child) {
            limit_time(patience);
            body(i);
            _exit(0);
        }
        int status;
        waitpid(child, &status, 0);
        WIFSIGNALED(status) ? signalled[WTERMSIG(status)]++ : WEXITSTATUS(status) ? failed++ : exited++;
    }
    printf("%d exited, %d with a status", exited, failed);
    for (int i = 1; i < 65; i++)
        if (signalled[i]) printf(", %d signal %d", signalled[i], i);
    puts("");
}

static uint64_t areas[64];
static int area_count;
static volatile int go_on = 1;

/// The areas of this process: GS base leads to that of this thread, and those of others are not far.
static void find_areas(void) {
    uint64_t own = gs_base();
    area_count = 0;
    for (uint64_t at = own - 16 * AREA_SIZE; own && at < own + 16 * AREA_SIZE && area_count < 64; at += AREA_SIZE)
        if (at >= STUB_AREAS && probe(at, 1)) areas[area_count++] = at;
    if (!area_count) area_count = writable_areas(areas, 64);
    if (!area_count) _exit(77);
}

static void *call_and_call(void *argument) {
    while (go_on) hot();
    return argument;
}
/// Writes nonsense, or likely values, into the words of every area.
static void *scribble(void *argument) {
    unsigned seed = (unsigned)(long)argument;
    while (go_on) {
        volatile uint32_t *area = (volatile uint32_t *)areas[rand_r(&seed) % (unsigned)area_count];
        static const int words[] = {STATE, SERVED, RINGING, BLOCKING, RESULT, ARGUMENTS, ARGUMENTS + 8, ARGUMENTS + 16, CALL, CALL + 2, BLOCK};
        uint32_t value = rand_r(&seed) % 2 ? rand_r(&seed) % 6 : rand_r(&seed);
        if (rand_r(&seed) % 4 == 0) value = (uint32_t)SITES + rand_r(&seed) % 256 * 64;
        if (rand_r(&seed) % 4 == 0) value = rand_r(&seed) % 500 << 16;
        area[words[rand_r(&seed) % 11] / 4] = value;
    }
    return argument;
}
static void forge(int i) {
    pthread_t thread;
    warm(2000);
    for (int k = 0; k < 3; k++) pthread_create(&thread, NULL, call_and_call, NULL);
    warm(200);
    find_areas();
    for (int k = 0; k < 2; k++) pthread_create(&thread, NULL, scribble, (void *)(long)(i * 2 + k + 1));
    for (int k = 0; k < 200000; k++) hot();
}
static void forged_calls(void) { in_children(20, 300000, forge); }

/// One thread posts calls of every number in the area of another that computes.
static void *compute(void *argument) {
    for (volatile uint64_t i = 0; go_on; i++) {
        if (i % 1000000 == 0) warm(200);
    }
    return argument;
}
static void post(int i) {
    pthread_t thread;
    warm(2000);
    pthread_create(&thread, NULL, compute, NULL);
    usleep(1000);
    find_areas();
    for (uint32_t number = 0; number < 500; number++)
        for (int a = 0; a < area_count; a++) {
            volatile uint32_t *area = (volatile uint32_t *)areas[a];
            if (areas[a] == gs_base() && area_count > 1) continue;
            for (int k = 0; k < 12; k++) area[ARGUMENTS / 4 + k] = 0;
            area[CALL / 4] = (number * 7 + (uint32_t)i) % 500 << 16;
            area[BLOCK / 4] = i % 2 ? (uint32_t)SITES : 0x7fffffff;
            area[STATE / 4] = 1;
            for (volatile int k = 0; k < 20000; k++) {
            }
        }
}
static void posted_for_another(void) { in_children(10, 300000, post); }

/// GS base of one's own: memory of the program, another thread's area, an area that is not mapped, nowhere.
static uint64_t own_memory[4096];
static void elsewhere_gs(int i) {
    pthread_t thread;
    pthread_create(&thread, NULL, call_and_call, NULL);
    warm(3000);
    find_areas();
    uint64_t other = areas[0] == gs_base() ? areas[1 % area_count] : areas[0];
    const uint64_t bases[] = {(uint64_t)own_memory, other, STUB_AREAS + 63 * AREA_SIZE, STUB_AREAS + 0x1ffffff0, 0, 0x10, 0x7fff00000000, other + 8};
    set_gs(bases[i % 8]);
    long wanted = getppid();
    for (int k = 0; k < 3000; k++)
        if (hot() != wanted) _exit(1);
    set_gs(0);
    warm(100);
}
static void changed_gs(void) {
    in_children(16, 500000, elsewhere_gs);
    int touched = 0;
    for (int i = 0; i < 4096; i++) touched |= own_memory[i] != 0;
    if (touched) puts("WRONG: the program's memory was written to");
}

/// Two threads with one area: results get mixed up, and nothing else.
static void *call_with_gs(void *base) {
    set_gs((uint64_t)base);
    while (go_on) hot();
    return base;
}
static void share_area(int i) {
    pthread_t threads[3];
    warm(3000);
    for (int k = 0; k <= i % 3; k++) pthread_create(&threads[k], NULL, call_with_gs, (void *)gs_base());
    for (int k = 0; k < 100000; k++) hot();
}
static void shared_area(void) { in_children(12, 200000, share_area); }

/// Into the code and the blocks at every byte, with registers of one's own.
static uint64_t jump_target;
static void jump_once(uint64_t r11, uint64_t rax) {
    __asm__ volatile("mov %[a], %%rax\n\tmov %[b], %%r11\n\tlea 1f(%%rip), %%rcx\n\tjmp *%[target]\n1:" ::[a] "D"(rax), [b] "S"(r11),
                     [target] "b"(jump_target)
                     : "rax", "rcx", "r11", "r15", "memory", "cc");
}
static uint64_t jump_base;
static void jump_to(int i) {
    warm(200);
    jump_target = jump_base + (uint64_t)i;
    static const uint64_t r11[] = {SITES, 0, 0xdeadbeef};
    jump_once(r11[i % 3], i % 2 ? 110 << 16 : 0x123456789);
}
static void into_the_code(void) {
    jump_base = STUB_CODE;
    // The code ends with zeroes.
    int length = 0;
    for (int i = 0; i < 0x4000; i++)
        if (*(volatile char *)(STUB_CODE + (uint64_t)i)) length = i + 1;
    in_children(length, 10000, jump_to);
}
static void into_blocks(void) {
    warm(500);
    if (!probe(SITES, 0)) {
        puts("there are none");
        return;
    }
    jump_base = SITES;
    in_children(64 * 2, 10000, jump_to);
}
static void write_to_blocks(void) {
    warm(500);
    printf("writable: %d", probe(SITES, 1));
    long result = (long)mmap((void *)SITES, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    printf(", mapped over: %s", result == -1 ? strerror(errno) : "YES");
    result = munmap((void *)SITES, 4096);
    warm(500);
    printf(", unmapped: %ld, protected: %d\n", result, mprotect((void *)SITES, 4096, PROT_READ | PROT_WRITE));
}

/// The text goes away under threads that run in it.
typedef long (*function)(void);
static volatile function mapped;
static void *run_mapped(void *argument) {
    while (go_on) mapped();
    return argument;
}
static void unmap(int i) {
    unsigned char code[8] = {0xb8, 110, 0, 0, 0, 0x0f, 0x05, 0xc3};
    int fd = memfd_create("code", 0);
    if (write(fd, code, 8) != 8 || ftruncate(fd, 4096)) _exit(9);
    char *text = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
    mapped = (function)text;
    for (int k = 0; k < 300; k++) mapped();
    pthread_t thread;
    for (int k = 0; k < 3; k++) pthread_create(&thread, NULL, run_mapped, NULL);
    for (int k = 0; k < 200; k++) {
        mapped();
        if (i % 4 == 0) mmap(text, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, fd, 0);
        if (i % 4 == 1) mprotect(text, 4096, PROT_READ | PROT_WRITE | PROT_EXEC), memcpy(text, code, 8), mprotect(text, 4096, PROT_READ | PROT_EXEC);
        if (i % 4 == 2) madvise(text, 4096, MADV_DONTNEED);
        if (i % 4 == 3 && k == 100) munmap(text, 4096);
    }
}
static void text_that_changes(void) { in_children(12, 2000000, unmap); }

const struct attack calls[] = {
    {"forged calls", forged_calls},
    {"calls posted for another thread", posted_for_another},
    {"GS base of one's own", changed_gs},
    {"two threads with one area", shared_area},
    {"jumps into the stub's code at every byte", into_the_code},
    {"jumps into blocks at every byte", into_blocks},
    {"changing blocks", write_to_blocks},
    {"text that changes while it runs", text_that_changes},
    {NULL, NULL},
};
