// Other ways into the kernel: 32-bit entries, x32 numbers, vsyscalls, strange registers.
#include "hostile.h"

static void int80(void) {
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(20) : "memory", "r8", "r9", "r10", "r11");  // getpid of i386
    printf("getpid %ld\n", result);
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(1), "b"(3) : "memory", "r8", "r9", "r10", "r11");  // exit of i386
    printf("exit %ld\n", result);
}

static void x32(void) {
    for (long number = 0x40000000; number < 0x40000000 + 600; number++) {
        if (syscall(number, -1, -1, -1, -1, -1, -1) != -1 || errno != ENOSYS) printf("%lx gives %d\n", number, errno);
    }
    puts("ENOSYS for all");
}

static void numbers(void) {
    static const long strange[] = {-1, -2, 0x7fffffff, 0x80000000, 0xffffffff, 0x5afe, 1000, 0x100000027};
    for (unsigned i = 0; i < sizeof strange / sizeof *strange; i++) {
        long result = syscall(strange[i], 0, 0, 0, 0, 0, 0);
        printf(" %s", result == -1 && errno == ENOSYS ? "ENOSYS" : result == getpid() ? "getpid" : "other");
    }
    puts("");
}

static void sysenter(void) {
    __asm__ volatile("sysenter" ::"a"(20) : "memory", "rcx", "rdx", "r8", "r9", "r10", "r11");
    puts("came back");
}

static void vsyscall(void) {
    long (*vtime)(long *) = (long (*)(long *))0xffffffffff600400;
    long seen = vtime(NULL);
    printf("time differs by %s\n", labs(seen - (long)time(NULL)) < 3 ? "little" : "much");
}

static void bases(void) {
    // Whatever the guest puts into its segment bases stays its own affair.
    unsigned long old;
    __asm__ volatile("rdfsbase %0" : "=r"(old));
    __asm__ volatile("wrgsbase %0" ::"r"(0x123456789000ul));
    syscall(SYS_sigaltstack, NULL, NULL);
    unsigned long gs;
    __asm__ volatile("rdgsbase %0" : "=r"(gs));
    long result;
    __asm__ volatile("wrfsbase %2\n\tmov $39, %%eax\n\tsyscall\n\tmov $131, %%eax\n\txor %%edi, %%edi\n\txor %%esi, %%esi\n\tsyscall\n\twrfsbase %1"
                     : "=&a"(result) : "r"(old), "r"(0x7fffffffe000ul) : "rcx", "r11", "rdi", "rsi", "memory");
    printf("gs %lx, result %ld\n", gs, result);
}

static void flags(void) {
    long result;
    __asm__ volatile("pushfq\n\torl $0x40400, (%%rsp)\n\tpopfq\n\tmov $39, %%eax\n\tsyscall\n\tmov $131, %%eax\n\txor %%edi, %%edi\n\txor %%esi, %%esi\n\t"
                     "syscall\n\tcld\n\tpushfq\n\tandl $~0x40000, (%%rsp)\n\tpopfq"
                     : "=a"(result)::"rcx", "r11", "rdi", "rsi", "memory", "cc");
    printf("result %ld\n", result);
}

static void wild_stack_pointer(void) {
    // Calls, trapped and plain, with no stack at all.
    long result;
    __asm__ volatile("mov %%rsp, %%rbx\n\tmov $0x10, %%rsp\n\tmov $39, %%eax\n\tsyscall\n\tmov $131, %%eax\n\txor %%edi, %%edi\n\txor %%esi, %%esi\n\t"
                     "syscall\n\tmov %%rbx, %%rsp"
                     : "=a"(result)::"rbx", "rcx", "r11", "rdi", "rsi", "memory");
    printf("result %ld\n", result);
    // A signal with no stack kills.
    fflush(stdout);
    if (fork() == 0) {
        signal(SIGSEGV, SIG_DFL);
        signal(SIGUSR1, SIG_IGN);
        __asm__ volatile("mov $0x10, %%rsp\n\tpush %%rax" ::: "memory");
    }
    int status;
    wait(&status);
    printf("signal %d\n", WTERMSIG(status));
}

const struct attack entries[] = {
    {"int 0x80", int80}, {"x32 numbers", x32}, {"strange numbers", numbers}, {"sysenter", sysenter}, {"vsyscall", vsyscall},
    {"segment bases", bases}, {"direction and alignment flags", flags}, {"no stack", wild_stack_pointer}, {NULL, NULL},
};
