// One system-call instruction that runs very often: what a call leaves alone, and what interrupts it, however the call gets to the kernel.
#include "conformance.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <ucontext.h>

enum { OFTEN = 3000 };

/// getppid(2) at a place of its own, with everything around it under control. `site_*` name its instructions.
__asm__(".text\n"
        ".globl site_start, site_call, site_end\n"
        "site_start: mov $110, %eax\n"
        "site_call:  syscall\n"
        "site_end:   ret\n");
extern char site_start[], site_call[], site_end[];

struct registers {
    uint64_t bx, bp, di, si, dx, r8, r9, r10, r12, r13, r14, r15, flags;
};

/// Calls the site with these registers and flags; stores what it finds after it, and what lies in the red zone.
static long call_with(const struct registers *in, struct registers *out, uint64_t *red_zone) {
    long result;
    static __thread uint64_t saved[2];
    uint64_t *keep = saved;
    __asm__ volatile("push %%rbx\n\tpush %%rbp\n\tpush %%r12\n\tpush %%r13\n\tpush %%r14\n\tpush %%r15\n\t"
                     "push %[out]\n\tpush %[red]\n\t"
                     "mov %[in], %%rax\n\t"
                     "pushq 96(%%rax)\n\t"
                     "mov (%%rax), %%rbx\n\tmov 8(%%rax), %%rbp\n\tmov 16(%%rax), %%rdi\n\tmov 24(%%rax), %%rsi\n\tmov 32(%%rax), %%rdx\n\t"
                     "mov 40(%%rax), %%r8\n\tmov 48(%%rax), %%r9\n\tmov 56(%%rax), %%r10\n\tmov 64(%%rax), %%r12\n\tmov 72(%%rax), %%r13\n\t"
                     "mov 80(%%rax), %%r14\n\tmov 88(%%rax), %%r15\n\t"
                     // The red zone of the site: its return address, and words below.
                     "movq $0x1111, -24(%%rsp)\n\tmovq $0x2222, -64(%%rsp)\n\tmovq $0x3333, -128(%%rsp)\n\t"
                     "popfq\n\t"
                     "call site_start\n\t"
                     "pushfq\n\t"
                     "push %%rax\n\t"
                     "mov 24(%%rsp), %%rax\n\t"
                     "mov %%rbx, (%%rax)\n\tmov %%rbp, 8(%%rax)\n\tmov %%rdi, 16(%%rax)\n\tmov %%rsi, 24(%%rax)\n\tmov %%rdx, 32(%%rax)\n\t"
                     "mov %%r8, 40(%%rax)\n\tmov %%r9, 48(%%rax)\n\tmov %%r10, 56(%%rax)\n\tmov %%r12, 64(%%rax)\n\tmov %%r13, 72(%%rax)\n\t"
                     "mov %%r14, 80(%%rax)\n\tmov %%r15, 88(%%rax)\n\t"
                     "mov 8(%%rsp), %%rcx\n\tmov %%rcx, 96(%%rax)\n\t"
                     "mov 16(%%rsp), %%rcx\n\t"
                     "mov -16(%%rsp), %%rdx\n\tmov %%rdx, (%%rcx)\n\t"
                     "pop %%rax\n\tadd $8, %%rsp\n\t"
                     "add $16, %%rsp\n\t"
                     "cld\n\t"
                     "pop %%r15\n\tpop %%r14\n\tpop %%r13\n\tpop %%r12\n\tpop %%rbp\n\tpop %%rbx"
                     : "=a"(result)
                     : [in] "r"(in), [out] "r"(out), [red] "r"(red_zone), "m"(*keep)
                     : "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "cc");
    return result;
}

static void check_registers(uint64_t flags, long wanted) {
    struct registers in = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, flags | 0x202}, out;
    uint64_t red;
    memset(&out, 0, sizeof out);
    CHECK_EQ(call_with(&in, &out, &red), wanted);
    if (memcmp(&in, &out, sizeof in - 8)) FAIL_("a register has changed (flags %lx)", (unsigned long)flags);
    CHECK_EQ(out.flags & 0xcd5, flags & 0xcd5);
}

/// In the red zone of a leaf function, which a call must not touch.
static int red_zone_holds(void) {
    int holds;
    __asm__ volatile("movq $0x5a5a, -8(%%rsp)\n\tmovq $0x6b6b, -64(%%rsp)\n\tmovq $0x7c7c, -128(%%rsp)\n\t"
                     "mov $110, %%eax\n\tsyscall\n\t"
                     "xor %%eax, %%eax\n\t"
                     "cmpq $0x5a5a, -8(%%rsp)\n\tjne 1f\n\tcmpq $0x6b6b, -64(%%rsp)\n\tjne 1f\n\tcmpq $0x7c7c, -128(%%rsp)\n\tjne 1f\n\t"
                     "mov $1, %%eax\n1:"
                     : "=a"(holds)::"rcx", "r11", "memory", "cc");
    return holds;
}

__attribute__((noinline)) static long site(void) {
    long result;
    __asm__ volatile("call site_start" : "=a"(result)::"rcx", "r11", "memory", "cc");
    return result;
}
static long site_after_move(long number) {
    long result;
    __asm__ volatile("call site_call" : "=a"(result) : "a"(number) : "rcx", "r11", "memory", "cc");
    return result;
}

static atomic_long signals, strange;
static void note(int n, siginfo_t *info, void *context) {
    (void)n, (void)info;
    const greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
    signals++;
    // A handler finds the program's own code, never somebody else's.
    if ((unsigned long)r[REG_RIP] >= 0x7fff00000000 || (unsigned long)r[REG_RIP] < 0x200000) strange++;
    if ((char *)r[REG_RIP] == site_call && r[REG_RAX] != 110) strange++;
    if ((char *)r[REG_RIP] > site_start && (char *)r[REG_RIP] < site_end && (char *)r[REG_RIP] != site_call) strange++;
}

static void every(long microseconds) {
    struct itimerval timer = {{0, microseconds}, {0, microseconds}};
    setitimer(ITIMER_REAL, &timer, NULL);
}

static sigjmp_buf jump;
static void leave(int n) {
    (void)n;
    siglongjmp(jump, 1);
}

static atomic_int stop;
static void *call_until_stopped(void *argument) {
    long wanted = (long)argument, count = 0;
    do {
        if (site() != wanted) return (void *)-1;
        count++;
    } while (!stop);
    return (void *)count;
}
static void *call_for_ever(void *argument) {
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
    for (;;) site();
    return argument;
}

static void stepped(int n, siginfo_t *info, void *context) {
    (void)n, (void)info;
    const greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
    char *at = (char *)r[REG_RIP];
    signals++;
    if ((unsigned long)at >= 0x7fff00000000 || (unsigned long)at < 0x200000 || (char *)info->si_addr != at) strange++;
    // Until the flag is off again, or something is very wrong.
    if (signals > 100) ((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL] &= ~0x100;
}

int main(void) {
    long parent = getppid();
    struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO | SA_RESTART};
    COVERS(getppid);
    CASE(registers_and_flags_are_preserved) {
        static const uint64_t flags[] = {0, 1, 4, 0x10, 0x40, 0x80, 0x400, 0x800, 0xcd5, 0x8d5, 0x811};
        for (int i = 0; i < OFTEN; i++) check_registers(flags[i % 11], parent);
    }
    CASE(the_red_zone_is_preserved) {
        for (int i = 0; i < OFTEN; i++) CHECK(red_zone_holds());
    }
    CASE(the_call_instruction_can_be_jumped_to) {
        for (int i = 0; i < 100; i++) site();
        for (int i = 0; i < 20; i++) {
            CHECK_EQ(site_after_move(110), parent);
            CHECK_EQ(site_after_move(39), getpid());
            CHECK_EQ(site_after_move(1000), -ENOSYS);
            CHECK_EQ(site(), parent);
        }
        // Calls that need the registers, too.
        long child = site_after_move(SYS_fork);
        if (child == 0) _exit(site() == getppid() ? 7 : 8);
        int status = 0;
        CHECK_EQ(waitpid((pid_t)child, &status, 0), child);
        CHECK_EQ(WEXITSTATUS(status), 7);
    }
    COVERS(rt_sigaction, setitimer);
    CASE(signals_arrive_in_the_middle_of_calls) {
        signals = strange = 0;
        sigaction(SIGALRM, &action, NULL);
        every(200);
        for (int i = 0; signals < 200 && i < 20000000; i++) {
            CHECK_EQ(site(), parent);
            if (i % 16 == 0) check_registers(0x8d5, parent);
        }
        every(0);
        CHECK(signals >= 200);
        CHECK_EQ(strange, 0);
    }
    COVERS(read, rt_sigaction);
    CASE(interrupted_reads_fail_or_start_again) {
        int ends[2];
        CHECK_EQ(pipe(ends), 0);
        char byte;
        for (int i = 0; i < 200; i++) {
            CHECK_EQ(write(ends[1], "x", 1), 1);
            long n;
            __asm__ volatile("mov $0, %%eax\n\tsyscall" : "=a"(n) : "D"(ends[0]), "S"(&byte), "d"(1) : "rcx", "r11", "memory");
            CHECK_EQ(n, 1);
        }
        for (int restarts = 0; restarts < 2; restarts++) {
            pid_t child = fork();
            if (!child) {
                for (int i = 0; i < 20; i++) usleep(3000), kill(getppid(), SIGUSR1);
                usleep(20000);
                CHECK_EQ(write(ends[1], "y", 1), 1);
                _exit(0);
            }
            signals = strange = 0;
            struct sigaction a = action;
            a.sa_flags = SA_SIGINFO | (restarts ? SA_RESTART : 0);
            sigaction(SIGUSR1, &a, NULL);
            int failures = 0;
            long n;
            for (;;) {
                __asm__ volatile("mov $0, %%eax\n\tsyscall" : "=a"(n) : "D"(ends[0]), "S"(&byte), "d"(1) : "rcx", "r11", "memory");
                if (n == 1) break;
                CHECK_EQ(n, -EINTR);
                failures++;
            }
            CHECK_EQ(byte, 'y');
            CHECK(signals > 0);
            CHECK(restarts ? failures == 0 : failures > 0);
            CHECK_EQ(strange, 0);
            waitpid(child, NULL, 0);
        }
        close(ends[0]), close(ends[1]);
    }
    CASE(a_handler_jumps_out_of_a_call) {
        signal(SIGALRM, leave);
        volatile int jumps = 0;
        sigsetjmp(jump, 1);
        if (jumps++ == 0) every(300);
        if (jumps < 200)
            for (;;)
                if (site() != parent) {
                    FAIL_("another result");
                    break;
                }
        every(0);
        CHECK_EQ(site(), parent);
    }
    CASE(a_program_that_steps_through_its_calls) {
        struct sigaction a = {.sa_sigaction = stepped, .sa_flags = SA_SIGINFO};
        sigaction(SIGTRAP, &a, NULL);
        for (int i = 0; i < 100; i++) site();
        signals = strange = 0;
        long result = -1;
        for (int i = 0; i < 5; i++) {
            __asm__ volatile("pushfq\n\torl $0x100, (%%rsp)\n\tpopfq\n\tcall site_start\n\tpushfq\n\tandl $~0x100, (%%rsp)\n\tpopfq"
                             : "=a"(result)::"rcx", "r11", "memory", "cc");
            CHECK_EQ(result, parent);
        }
        CHECK(signals >= 20 && signals <= 100);
        CHECK_EQ(strange, 0);
        signal(SIGTRAP, SIG_DFL);
    }
    COVERS(clone, futex);
    CASE(many_threads_at_one_site) {
        pthread_t threads[64];
        stop = 0;
        for (int i = 0; i < 64; i++) CHECK_EQ(pthread_create(&threads[i], NULL, call_until_stopped, (void *)parent), 0);
        usleep(300000);
        stop = 1;
        for (int i = 0; i < 64; i++) {
            void *count = NULL;
            pthread_join(threads[i], &count);
            CHECK((long)count > 0);
        }
    }
    CASE(threads_are_cancelled_in_their_calls) {
        for (int i = 0; i < 20; i++) {
            pthread_t thread;
            void *result = NULL;
            CHECK_EQ(pthread_create(&thread, NULL, call_for_ever, NULL), 0);
            usleep(2000);
            CHECK_EQ(pthread_cancel(thread), 0);
            CHECK_EQ(pthread_join(thread, &result), 0);
            CHECK(result == PTHREAD_CANCELED);
        }
    }
    COVERS(fork, wait4);
    CASE(forks_while_other_threads_call) {
        pthread_t threads[4];
        stop = 0;
        for (int i = 0; i < 4; i++) CHECK_EQ(pthread_create(&threads[i], NULL, call_until_stopped, (void *)parent), 0);
        for (int i = 0; i < 30; i++) {
            pid_t child = fork();
            if (!child) {
                for (int k = 0; k < 200; k++)
                    if (site() != getppid()) _exit(1);
                _exit(site_after_move(39) == getpid() ? 3 : 4);
            }
            int status = 0;
            CHECK_EQ(waitpid(child, &status, 0), child);
            CHECK_EQ(WEXITSTATUS(status), 3);
        }
        stop = 1;
        for (int i = 0; i < 4; i++) {
            void *count = NULL;
            pthread_join(threads[i], &count);
            CHECK((long)count > 0);
        }
    }
    CASE(a_process_ends_while_its_threads_call) {
        for (int i = 0; i < 10; i++) {
            pid_t child = fork();
            if (!child) {
                pthread_t thread;
                stop = 0;
                for (int k = 0; k < 4; k++) pthread_create(&thread, NULL, call_for_ever, NULL);
                usleep(3000);
                if (i % 2) _exit(5);
                for (;;) site();
            }
            usleep(5000);
            if (i % 2 == 0) kill(child, SIGKILL);
            int status = 0;
            CHECK_EQ(waitpid(child, &status, 0), child);
            CHECK(i % 2 ? WIFEXITED(status) && WEXITSTATUS(status) == 5 : WIFSIGNALED(status));
        }
    }
    COVERS(mremap, munmap, mprotect);
    CASE(code_that_is_moved_still_calls) {
        // A private file mapping with one call in it.
        unsigned char code[8] = {0xb8, 110, 0, 0, 0, 0x0f, 0x05, 0xc3};
        conformance_enter();
        int fd = open("code", O_RDWR | O_CREAT | O_TRUNC, 0755);
        CHECK_EQ(write(fd, code, 8), 8);
        CHECK_EQ(ftruncate(fd, 8192), 0);
        char *text = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
        CHECK(text != MAP_FAILED);
        for (int i = 0; i < 100; i++) CHECK_EQ(((long (*)(void))text)(), parent);
        char *other = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        char *moved = mremap(text, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, other);
        CHECK(moved == other);
        for (int i = 0; i < 100; i++) CHECK_EQ(((long (*)(void))moved)(), parent);
        // Mapped again where it was: as new.
        text = mmap(text, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, fd, 0);
        CHECK_EQ(memcmp(text, code, 8), 0);
        for (int i = 0; i < 100; i++) CHECK_EQ(((long (*)(void))text)(), parent);
        CHECK_EQ(mprotect(text, 4096, PROT_READ | PROT_WRITE | PROT_EXEC), 0);
        for (int i = 0; i < 100; i++) CHECK_EQ(((long (*)(void))text)(), parent);
        // Other code in its place.
        memcpy(text, "\xb8\x27\x00\x00\x00\x0f\x05\xc3", 8);
        CHECK_EQ(((long (*)(void))text)(), getpid());
        CHECK_EQ(munmap(text, 4096), 0);
        text = mmap(text, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, fd, 0);
        for (int i = 0; i < 100; i++) CHECK_EQ(((long (*)(void))text)(), parent);
    }
    return conformance_end();
}
