// seccomp(2): modes, verification of programs, actions and their order, inheritance, threads.
#include "conformance.h"
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/ptrace.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/user.h>
#include <ucontext.h>

#define ADDRESS(p) ((unsigned long)(p))
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, value)
/// Returns `action` for the call `nr`.
#define ON(nr, action) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1), RETURN(action)
#define ALLOWING RETURN(SECCOMP_RET_ALLOW)

static long set_filter(unsigned flags, struct sock_filter *code, unsigned short count) {
    struct sock_fprog program = {count, code};
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}
#define INSTALL(flags, ...)                                                                                   \
    ({                                                                                                        \
        struct sock_filter code_[] = {__VA_ARGS__};                                                           \
        set_filter(flags, code_, sizeof code_ / sizeof *code_);                                               \
    })
/// In a child without new privileges, so that it holds for everybody.
#define FILTERED(...) IN_FORK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); __VA_ARGS__)

static int ending(void (*body)(void)) {
    pid_t child = conformance_fork();
    if (child == 0) {
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        body();
        _exit(0);
    }
    int status = -1;
    waitpid(child, &status, 0);
    return status & ~0x80;
}
static long status_field(const char *key) {
    char text[4096] = "";
    int fd = open("/proc/thread-self/status", O_RDONLY);
    read(fd, text, sizeof text - 1);
    close(fd);
    char *found = strstr(text, key);
    return found ? atol(found + strlen(key)) : -1;
}

static siginfo_t trapped;
static ucontext_t trapped_context;
static volatile int traps;
static void on_trap(int n, siginfo_t *info, void *context) {
    (void)n;
    trapped = *info;
    trapped_context = *(ucontext_t *)context;
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_RAX] = 4321;
    traps++;
}
static void catch_traps(void) {
    struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};
    sigaction(SIGSYS, &action, NULL);
}

static void strict(void) {
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
    write(-1, "", 0);
    syscall(SYS_exit, 5);
}
static void strict_and_more(void) {
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
    syscall(SYS_getpid);
    syscall(SYS_exit, 5);
}
static void kills_process(void) {
    INSTALL(0, LOAD(nr), ON(SYS_getppid, SECCOMP_RET_KILL_PROCESS), ALLOWING);
    syscall(SYS_getppid);
}
static void kills_thread(void) {
    INSTALL(0, LOAD(nr), ON(SYS_getppid, SECCOMP_RET_KILL_THREAD), ALLOWING);
    syscall(SYS_getppid);
}
static void *calls_getppid(void *argument) {
    syscall(SYS_getppid);
    return argument;
}
static void kills_one_thread(void) {
    INSTALL(0, LOAD(nr), ON(SYS_getppid, SECCOMP_RET_KILL_THREAD), ALLOWING);
    pthread_t thread;
    pthread_create(&thread, NULL, calls_getppid, NULL);
    conformance_nap(60);
    _exit(21);
}
static void kills_from_a_thread(void) {
    INSTALL(0, LOAD(nr), ON(SYS_getppid, SECCOMP_RET_KILL_PROCESS), ALLOWING);
    pthread_t thread;
    pthread_create(&thread, NULL, calls_getppid, NULL);
    conformance_nap(1000);
    _exit(21);
}
static void unknown_action(void) {
    INSTALL(0, LOAD(nr), ON(SYS_getppid, 0x12340000), ALLOWING);
    syscall(SYS_getppid);
}
static void untrapped(void) {
    INSTALL(0, LOAD(nr), ON(SYS_getppid, SECCOMP_RET_TRAP), ALLOWING);
    syscall(SYS_getppid);
}
static void ignored_trap(void) {
    signal(SIGSYS, SIG_IGN);
    untrapped();
}
static void foreign_call(void) {
    INSTALL(0, LOAD(arch), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0), RETURN(SECCOMP_RET_KILL_PROCESS), ALLOWING);
    __asm__ volatile("int $0x80" : : "a"(20));
}
static void divides_by_zero(void) {
    INSTALL(0, LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 1, 0), ALLOWING, BPF_STMT(BPF_LDX | BPF_IMM, 0),
            BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0), ALLOWING);
    syscall(SYS_getppid);
}

static volatile int waiting_value;
static void *waits_for_filter(void *argument) {
    while (!waiting_value) conformance_nap(2);
    errno = 0;
    long result = syscall(SYS_getppid);
    *(long *)argument = result < 0 ? -errno : result;
    return argument;
}
static void *has_own_filter(void *argument) {
    INSTALL(0, ALLOWING);
    *(volatile int *)argument = (int)syscall(SYS_gettid);
    while (!waiting_value) conformance_nap(2);
    return NULL;
}
/// A computation on A and X whose result is the errno of getppid.
static long computed(struct sock_filter *middle, int count) {
    struct sock_filter code[64] = {LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 1, 0), ALLOWING};
    memcpy(code + 3, middle, count * sizeof *middle);
    struct sock_filter end[] = {BPF_STMT(BPF_ALU | BPF_OR | BPF_K, SECCOMP_RET_ERRNO), BPF_STMT(BPF_RET | BPF_A, 0)};
    memcpy(code + 3 + count, end, sizeof end);
    if (set_filter(0, code, (unsigned short)(count + 5))) return -1;
    errno = 0;
    return syscall(SYS_getppid) == -1 ? errno : -2;
}
#define COMPUTED(...)                                                                                         \
    ({                                                                                                        \
        struct sock_filter middle_[] = {__VA_ARGS__};                                                         \
        computed(middle_, sizeof middle_ / sizeof *middle_);                                                  \
    })
#define STATEMENT(code, k) BPF_STMT(code, k)

static long trace(long request, pid_t pid, unsigned long address, unsigned long data) {
    return syscall(SYS_ptrace, request, (long)pid, address, data);
}
static int next(pid_t child) {
    int status = -1;
    waitpid(child, &status, __WALL);
    return status;
}
/// A traced child that filters getppid with RET_TRACE and the data 55, and exits with what the call gave (its low bits).
static pid_t traced_with_filter(void) {
    pid_t child = conformance_fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        INSTALL(SECCOMP_FILTER_FLAG_LOG, LOAD(nr), ON(SYS_getppid, SECCOMP_RET_TRACE | 55), ON(SYS_getsid, SECCOMP_RET_ERRNO | 7), ALLOWING);
        trace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
        long result = syscall(SYS_getppid, 1, 2, 3, 4, 5, 6);
        _exit(result == -1 ? errno : (int)(result & 0x7f) | 0x80);
    }
    if (next(child) != (SIGSTOP << 8 | 0x7f)) FAIL_("no first stop");
    return child;
}

int main(int count, char **arguments) {
    if (count > 1 && !strcmp(arguments[1], "child")) return syscall(SYS_getppid) == -1 && errno == 77 ? 9 : 8;
    conformance_enter();
    COVERS(seccomp, prctl);

    // MARK: arguments
    CASE(operations) {
        CHECK_ERRNO(syscall(SYS_seccomp, 9, 0, NULL), EINVAL);
        CHECK_ERRNO(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 1, NULL), EINVAL);
        CHECK_ERRNO(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, "x"), EINVAL);
        CHECK_ERRNO(prctl(PR_SET_SECCOMP, 3, 0), EINVAL);
        CHECK_EQ(prctl(PR_GET_SECCOMP), 0);
    }
    CASE(action_available) {
        unsigned actions[] = {SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD, SECCOMP_RET_TRAP, SECCOMP_RET_ERRNO, SECCOMP_RET_USER_NOTIF,
                              SECCOMP_RET_TRACE, SECCOMP_RET_LOG, SECCOMP_RET_ALLOW};
        for (unsigned i = 0; i < 8; i++) CHECK_EQ(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &actions[i]), 0);
        unsigned unknown = 0x10000;
        CHECK_ERRNO(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &unknown), EOPNOTSUPP);
        CHECK_ERRNO(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 1, &unknown), EINVAL);
        CHECK_ERRNO(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, BAD_POINTER), EFAULT);
    }
    CASE(notification_sizes) {
        struct seccomp_notif_sizes sizes;
        CHECK_EQ(syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes), 0);
        CHECK_EQ(sizes.seccomp_notif, 80);
        CHECK_EQ(sizes.seccomp_notif_resp, 24);
        CHECK_EQ(sizes.seccomp_data, 64);
        CHECK_ERRNO(syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 1, &sizes), EINVAL);
        CHECK_ERRNO(syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, BAD_POINTER), EFAULT);
    }
    CASE(flags) FILTERED({
        CHECK_ERRNO(INSTALL(64, ALLOWING), EINVAL);
        CHECK_ERRNO(INSTALL(SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_NEW_LISTENER, ALLOWING), EINVAL);
        CHECK_ERRNO(INSTALL(32, ALLOWING), EINVAL);
        CHECK_EQ(INSTALL(SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW, ALLOWING), 0);
    });
    CASE(no_new_privileges) AS_USER({
        CHECK_ERRNO(INSTALL(0, ALLOWING), EACCES);
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        CHECK_EQ(INSTALL(0, ALLOWING), 0);
    });
    CASE(bad_pointers) FILTERED({
        CHECK_ERRNO(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL), EFAULT);
        CHECK_ERRNO(set_filter(0, BAD_POINTER, 1), EFAULT);
        CHECK_ERRNO(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, BAD_POINTER), EFAULT);
    });

    // MARK: verification
    CASE(lengths) FILTERED({
        static struct sock_filter code[5000];
        for (int i = 0; i < 5000; i++) code[i] = (struct sock_filter)RETURN(SECCOMP_RET_ALLOW);
        CHECK_ERRNO(set_filter(0, code, 0), EINVAL);
        CHECK_ERRNO(set_filter(0, code, 4097), EINVAL);
        CHECK_EQ(set_filter(0, code, 4096), 0);
    });
    CASE(end_must_return) FILTERED({
        CHECK_ERRNO(INSTALL(0, LOAD(nr)), EINVAL);
        CHECK_ERRNO(INSTALL(0, ALLOWING, BPF_JUMP(BPF_JMP | BPF_JA, 0, 0, 0)), EINVAL);
    });
    CASE(jumps_stay_inside) FILTERED({
        CHECK_ERRNO(INSTALL(0, BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0), ALLOWING), EINVAL);
        CHECK_ERRNO(INSTALL(0, BPF_JUMP(BPF_JMP | BPF_JA, 0xffffffff, 0, 0), ALLOWING), EINVAL);
        CHECK_ERRNO(INSTALL(0, BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0), ALLOWING), EINVAL);
        CHECK_ERRNO(INSTALL(0, BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1), ALLOWING), EINVAL);
        CHECK_EQ(INSTALL(0, BPF_JUMP(BPF_JMP | BPF_JA, 0, 0, 0), ALLOWING), 0);
    });
    CASE(loads_are_aligned_words_inside) FILTERED({
        CHECK_ERRNO(INSTALL(0, BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64), ALLOWING), EINVAL);
        CHECK_ERRNO(INSTALL(0, BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2), ALLOWING), EINVAL);
        CHECK_ERRNO(INSTALL(0, BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 0), ALLOWING), EINVAL);
        CHECK_ERRNO(INSTALL(0, BPF_STMT(BPF_LD | BPF_W | BPF_IND, 0), ALLOWING), EINVAL);
        CHECK_ERRNO(INSTALL(0, BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0), ALLOWING), EINVAL);
        CHECK_EQ(INSTALL(0, BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 60), ALLOWING), 0);
    });
    CASE(unknown_instructions) FILTERED({
        CHECK_ERRNO(INSTALL(0, BPF_STMT(0xff, 0), ALLOWING), EINVAL);
        CHECK_ERRNO(INSTALL(0, BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, 3), ALLOWING), EINVAL);
        CHECK_ERRNO(INSTALL(0, BPF_STMT(BPF_RET | BPF_X, 0)), EINVAL);
        CHECK_ERRNO(INSTALL(0, BPF_STMT(0x100, 0), ALLOWING), EINVAL);
    });
    CASE(constants_of_arithmetic) FILTERED({
        CHECK_ERRNO(INSTALL(0, BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), ALLOWING), EINVAL);
        CHECK_ERRNO(INSTALL(0, BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 32), ALLOWING), EINVAL);
        CHECK_ERRNO(INSTALL(0, BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 33), ALLOWING), EINVAL);
        CHECK_EQ(INSTALL(0, BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 31), ALLOWING), 0);
    });
    CASE(scratch_is_written_first) FILTERED({
        CHECK_ERRNO(INSTALL(0, BPF_STMT(BPF_LD | BPF_MEM, 0), ALLOWING), EINVAL);
        CHECK_ERRNO(INSTALL(0, BPF_STMT(BPF_ST, 16), ALLOWING), EINVAL);
        CHECK_ERRNO(INSTALL(0, BPF_STMT(BPF_ST, 1), BPF_STMT(BPF_LD | BPF_MEM, 2), ALLOWING), EINVAL);
        // On one of two ways only.
        CHECK_ERRNO(INSTALL(0, BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1), BPF_STMT(BPF_ST, 3), BPF_STMT(BPF_LD | BPF_MEM, 3), ALLOWING),
                    EINVAL);
        CHECK_EQ(INSTALL(0, BPF_STMT(BPF_ST, 15), BPF_STMT(BPF_LDX | BPF_MEM, 15), ALLOWING), 0);
    });
    CASE(too_many_instructions) FILTERED({
        static struct sock_filter code[4096];
        for (int i = 0; i < 4096; i++) code[i] = (struct sock_filter)RETURN(SECCOMP_RET_ALLOW);
        int installed = 0;
        while (installed < 20 && set_filter(0, code, 4096) == 0) installed++;
        CHECK_EQ(errno, ENOMEM);
        // The limit of 32768 counts them as the kernel translates them: two for a return.
        CHECK_EQ(installed, 3);
    });

    // MARK: computation
    CASE(arithmetic) {
        FILTERED(CHECK_EQ(COMPUTED(STATEMENT(BPF_LD | BPF_IMM, 7), STATEMENT(BPF_ALU | BPF_ADD | BPF_K, 5)), 12));
        FILTERED(CHECK_EQ(COMPUTED(STATEMENT(BPF_LD | BPF_IMM, 7), STATEMENT(BPF_ALU | BPF_SUB | BPF_K, 5)), 2));
        FILTERED(CHECK_EQ(COMPUTED(STATEMENT(BPF_LD | BPF_IMM, 7), STATEMENT(BPF_ALU | BPF_MUL | BPF_K, 5)), 35));
        FILTERED(CHECK_EQ(COMPUTED(STATEMENT(BPF_LD | BPF_IMM, 37), STATEMENT(BPF_ALU | BPF_DIV | BPF_K, 5)), 7));
        FILTERED(CHECK_EQ(COMPUTED(STATEMENT(BPF_LD | BPF_IMM, 12), STATEMENT(BPF_ALU | BPF_AND | BPF_K, 10)), 8));
        FILTERED(CHECK_EQ(COMPUTED(STATEMENT(BPF_LD | BPF_IMM, 12), STATEMENT(BPF_ALU | BPF_XOR | BPF_K, 10)), 6));
        FILTERED(CHECK_EQ(COMPUTED(STATEMENT(BPF_LD | BPF_IMM, 3), STATEMENT(BPF_ALU | BPF_LSH | BPF_K, 4)), 48));
        FILTERED(CHECK_EQ(COMPUTED(STATEMENT(BPF_LD | BPF_IMM, 48), STATEMENT(BPF_ALU | BPF_RSH | BPF_K, 3)), 6));
        FILTERED(CHECK_EQ(COMPUTED(STATEMENT(BPF_LD | BPF_IMM, -9), STATEMENT(BPF_ALU | BPF_NEG, 0)), 9));
    }
    CASE(index_register_and_scratch) {
        FILTERED(CHECK_EQ(COMPUTED(STATEMENT(BPF_LD | BPF_IMM, 7), STATEMENT(BPF_LDX | BPF_IMM, 5), STATEMENT(BPF_ALU | BPF_ADD | BPF_X, 0)), 12));
        FILTERED(CHECK_EQ(COMPUTED(STATEMENT(BPF_LD | BPF_IMM, 1), STATEMENT(BPF_LDX | BPF_IMM, 35), STATEMENT(BPF_ALU | BPF_LSH | BPF_X, 0)), 8));
        FILTERED(CHECK_EQ(COMPUTED(STATEMENT(BPF_LD | BPF_IMM, 9), STATEMENT(BPF_MISC | BPF_TAX, 0), STATEMENT(BPF_LD | BPF_IMM, 1),
                                   STATEMENT(BPF_MISC | BPF_TXA, 0)), 9));
        FILTERED(CHECK_EQ(COMPUTED(STATEMENT(BPF_LD | BPF_IMM, 9), STATEMENT(BPF_ST, 4), STATEMENT(BPF_LD | BPF_IMM, 1),
                                   STATEMENT(BPF_LD | BPF_MEM, 4)), 9));
        FILTERED(CHECK_EQ(COMPUTED(STATEMENT(BPF_LDX | BPF_IMM, 11), STATEMENT(BPF_STX, 0), STATEMENT(BPF_LD | BPF_MEM, 0)), 11));
        FILTERED(CHECK_EQ(COMPUTED(STATEMENT(BPF_LD | BPF_W | BPF_LEN, 0)), 64));
        FILTERED(CHECK_EQ(COMPUTED(STATEMENT(BPF_LDX | BPF_W | BPF_LEN, 0), STATEMENT(BPF_MISC | BPF_TXA, 0)), 64));
    }
    CASE(comparisons) {
#define JUMPING(kind, a, k)                                                                                   \
    COMPUTED(STATEMENT(BPF_LD | BPF_IMM, a), BPF_JUMP(BPF_JMP | kind | BPF_K, k, 0, 2), STATEMENT(BPF_LD | BPF_IMM, 1), \
             BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0), STATEMENT(BPF_LD | BPF_IMM, 2))
        FILTERED(CHECK_EQ(JUMPING(BPF_JGT, 5, 5), 2));
        FILTERED(CHECK_EQ(JUMPING(BPF_JGE, 5, 5), 1));
        FILTERED(CHECK_EQ(JUMPING(BPF_JGT, 0xffffffff, 1), 1));
        FILTERED(CHECK_EQ(JUMPING(BPF_JSET, 6, 4), 1));
        FILTERED(CHECK_EQ(JUMPING(BPF_JSET, 6, 8), 2));
    }
    CASE(arguments_are_seen) FILTERED({
        struct sock_filter code[] = {LOAD(nr),
                                     BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 1, 0),
                                     ALLOWING,
                                     BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[5]) + 4),
                                     BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x11223344, 1, 0),
                                     RETURN(SECCOMP_RET_ERRNO | 1),
                                     BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[5])),
                                     BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x55667788, 0, 1),
                                     RETURN(SECCOMP_RET_ERRNO | 2),
                                     RETURN(SECCOMP_RET_ERRNO | 3)};
        set_filter(0, code, 10);
        CHECK_ERRNO(syscall(SYS_getppid, 0, 0, 0, 0, 0, 0x1122334455667788), 2);
        CHECK_ERRNO(syscall(SYS_getppid, 0, 0, 0, 0, 0, 0x1122334455667789), 3);
        CHECK_ERRNO(syscall(SYS_getppid, 0, 0, 0, 0, 0, 0x55667788), 1);
    });
    CASE(instruction_pointer_is_seen) FILTERED({
        // High half of an address of this program: 0 for a static binary, or of a position-independent one.
        unsigned high = (unsigned)(ADDRESS(&&here) >> 32);
    here:
        INSTALL(0, LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 1, 0), ALLOWING,
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, instruction_pointer) + 4),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, high, 0, 1), RETURN(SECCOMP_RET_ERRNO | 70), RETURN(SECCOMP_RET_ERRNO | 71));
        CHECK_ERRNO(syscall(SYS_getppid), 70);
    });

    // MARK: actions
    CASE(strict_mode) {
        CHECK_EQ(ending(strict), 5 << 8);
        CHECK_EQ(ending(strict_and_more), SIGKILL);
    }
    CASE(modes_do_not_mix) FILTERED({
        CHECK_EQ(INSTALL(0, ALLOWING), 0);
        CHECK_ERRNO(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT), EINVAL);
        CHECK_ERRNO(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, NULL), EINVAL);
        CHECK_EQ(prctl(PR_GET_SECCOMP), 2);
    });
    CASE(error_action) FILTERED({
        INSTALL(0, LOAD(nr), ON(SYS_getppid, SECCOMP_RET_ERRNO | 77), ON(SYS_getsid, SECCOMP_RET_ERRNO | 0xffff), ON(SYS_getpgid, SECCOMP_RET_ERRNO),
                ALLOWING);
        CHECK_ERRNO(syscall(SYS_getppid), 77);
        CHECK_ERRNO(syscall(SYS_getsid, 0), 4095);
        CHECK_EQ(syscall(SYS_getpgid, 0), 0);
        CHECK_EQ(syscall(SYS_getpid), getpid());
    });
    CASE(by_prctl) FILTERED({
        struct sock_filter code[] = {LOAD(nr), ON(SYS_getppid, SECCOMP_RET_ERRNO | 77), ALLOWING};
        struct sock_fprog program = {4, code};
        CHECK_EQ(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
        CHECK_ERRNO(syscall(SYS_getppid), 77);
    });
    CASE(kill_process) {
        CHECK_EQ(ending(kills_process), SIGSYS);
        CHECK_EQ(ending(kills_from_a_thread), SIGSYS);
    }
    CASE(kill_thread) {
        CHECK_EQ(ending(kills_thread), SIGSYS);
        CHECK_EQ(ending(kills_one_thread), 21 << 8);
    }
    CASE(unknown_action_kills) { CHECK_EQ(ending(unknown_action), SIGSYS); }
    CASE(division_by_zero_kills) { CHECK_EQ(ending(divides_by_zero), SIGSYS); }
    CASE(trap_without_handler) {
        CHECK_EQ(ending(untrapped), SIGSYS);
        CHECK_EQ(ending(ignored_trap), SIGSYS);
    }
    CASE(trap_action) FILTERED({
        catch_traps();
        INSTALL(0, LOAD(nr), ON(SYS_getppid, SECCOMP_RET_TRAP | 99), ALLOWING);
        CHECK_EQ(syscall(SYS_getppid, 11, 12), 4321);
        CHECK_EQ(traps, 1);
        CHECK_EQ(trapped.si_signo, SIGSYS);
        CHECK_EQ(trapped.si_code, 1);
        CHECK_EQ(trapped.si_errno, 99);
        CHECK_EQ(trapped.si_syscall, SYS_getppid);
        CHECK_EQ(trapped.si_arch, AUDIT_ARCH_X86_64);
        CHECK_EQ(ADDRESS(trapped.si_call_addr), trapped_context.uc_mcontext.gregs[REG_RIP]);
        CHECK_EQ(trapped_context.uc_mcontext.gregs[REG_RAX], SYS_getppid);
        CHECK_EQ(trapped_context.uc_mcontext.gregs[REG_RDI], 11);
        CHECK_EQ(trapped_context.uc_mcontext.gregs[REG_RSI], 12);
    });
    CASE(log_action_allows) FILTERED({
        INSTALL(0, LOAD(nr), ON(SYS_getppid, SECCOMP_RET_LOG), ALLOWING);
        CHECK(syscall(SYS_getppid) > 0);
    });
    CASE(trace_action_without_tracer) FILTERED({
        INSTALL(0, LOAD(nr), ON(SYS_getppid, SECCOMP_RET_TRACE), ALLOWING);
        CHECK_ERRNO(syscall(SYS_getppid), ENOSYS);
    });
    CASE(notification_without_listener) FILTERED({
        INSTALL(0, LOAD(nr), ON(SYS_getppid, SECCOMP_RET_USER_NOTIF), ALLOWING);
        CHECK_ERRNO(syscall(SYS_getppid), ENOSYS);
    });
    CASE(foreign_architecture) { CHECK_EQ(ending(foreign_call), SIGSYS); }
    CASE(unknown_calls_are_filtered) FILTERED({
        INSTALL(0, LOAD(nr), ON(9999, SECCOMP_RET_ERRNO | 66), ON(0xffffffff, SECCOMP_RET_ERRNO | 67), ALLOWING);
        CHECK_ERRNO(syscall(9999), 66);
        CHECK_ERRNO(syscall(9998), ENOSYS);
        CHECK_ERRNO(syscall(-1), 67);
    });
    CASE(precedence) FILTERED({
        catch_traps();
        INSTALL(0, LOAD(nr), ON(SYS_getppid, SECCOMP_RET_ERRNO | 1), ON(SYS_getsid, SECCOMP_RET_TRAP), ALLOWING);
        INSTALL(0, LOAD(nr), ON(SYS_getppid, SECCOMP_RET_ERRNO | 2), ON(SYS_getsid, SECCOMP_RET_ERRNO | 2), ON(SYS_getpgid, SECCOMP_RET_LOG), ALLOWING);
        INSTALL(0, LOAD(nr), ON(SYS_getppid, SECCOMP_RET_TRACE), ALLOWING);
        // The newest of equal actions, the strongest of different ones.
        CHECK_ERRNO(syscall(SYS_getppid), 2);
        CHECK_EQ(syscall(SYS_getsid, 0), 4321);
        CHECK_EQ(traps, 1);
        CHECK(syscall(SYS_getpgid, 0) > 0);
    });

    // MARK: inheritance
    CASE(proc_status) FILTERED({
        CHECK_EQ(status_field("Seccomp:\t"), 0);
        CHECK_EQ(status_field("Seccomp_filters:\t"), 0);
        INSTALL(0, ALLOWING);
        INSTALL(0, ALLOWING);
        CHECK_EQ(status_field("Seccomp:\t"), 2);
        CHECK_EQ(status_field("Seccomp_filters:\t"), 2);
        CHECK_EQ(status_field("NoNewPrivs:\t"), 1);
    });
    CASE(over_fork) FILTERED({
        INSTALL(0, LOAD(nr), ON(SYS_getppid, SECCOMP_RET_ERRNO | 77), ALLOWING);
        IN_FORK({
            CHECK_ERRNO(syscall(SYS_getppid), 77);
            INSTALL(0, LOAD(nr), ON(SYS_getsid, SECCOMP_RET_ERRNO | 78), ALLOWING);
            CHECK_ERRNO(syscall(SYS_getsid, 0), 78);
            CHECK_EQ(status_field("Seccomp_filters:\t"), 2);
        });
        CHECK(syscall(SYS_getsid, 0) >= 0);
        CHECK_EQ(status_field("Seccomp_filters:\t"), 1);
    });
    CASE(over_exec) {
        pid_t child = conformance_fork();
        if (child == 0) {
            prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
            INSTALL(0, LOAD(nr), ON(SYS_getppid, SECCOMP_RET_ERRNO | 77), ALLOWING);
            execl("/proc/self/exe", "self", "child", NULL);
        }
        CHECK_EQ(next(child), 9 << 8);
    }
    CASE(threads_are_apart) FILTERED({
        long result = 0;
        pthread_t thread;
        pthread_create(&thread, NULL, waits_for_filter, &result);
        conformance_nap(10);
        CHECK_EQ(INSTALL(0, LOAD(nr), ON(SYS_getppid, SECCOMP_RET_ERRNO | 77), ALLOWING), 0);
        waiting_value = 1;
        pthread_join(thread, NULL);
        CHECK(result > 0);
        CHECK_ERRNO(syscall(SYS_getppid), 77);
    });
    CASE(threads_are_synchronized) FILTERED({
        long result = 0;
        pthread_t thread;
        pthread_create(&thread, NULL, waits_for_filter, &result);
        conformance_nap(10);
        CHECK_EQ(INSTALL(SECCOMP_FILTER_FLAG_TSYNC, LOAD(nr), ON(SYS_getppid, SECCOMP_RET_ERRNO | 77), ALLOWING), 0);
        waiting_value = 1;
        pthread_join(thread, NULL);
        CHECK_EQ(result, -77);
    });
    CASE(threads_cannot_be_synchronized) FILTERED({
        volatile int other = 0;
        pthread_t thread;
        pthread_create(&thread, NULL, has_own_filter, (void *)&other);
        while (!other) conformance_nap(2);
        CHECK_EQ(INSTALL(SECCOMP_FILTER_FLAG_TSYNC, ALLOWING), other);
        CHECK_ERRNO(INSTALL(SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH, ALLOWING), ESRCH);
        CHECK_EQ(prctl(PR_GET_SECCOMP), 0);
        waiting_value = 1;
        pthread_join(thread, NULL);
    });

    // MARK: tracers
    COVERS(seccomp, ptrace);
    CASE(trace_action) {
        pid_t child = traced_with_filter();
        trace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESECCOMP);
        trace(PTRACE_CONT, child, 0, 0);
        CHECK_EQ(next(child), PTRACE_EVENT_SECCOMP << 16 | SIGTRAP << 8 | 0x7f);
        long message = 0;
        trace(PTRACE_GETEVENTMSG, child, 0, ADDRESS(&message));
        CHECK_EQ(message, 55);
        struct ptrace_syscall_info info;
        long size = trace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, ADDRESS(&info));
        OBSERVE("%ld bytes", size);
        CHECK_EQ(info.op, PTRACE_SYSCALL_INFO_SECCOMP);
        CHECK_EQ(info.seccomp.nr, SYS_getppid);
        CHECK_EQ(info.seccomp.args[5], 6);
        CHECK_EQ(info.seccomp.ret_data, 55);
        trace(PTRACE_CONT, child, 0, 0);
        CHECK_EQ(next(child), ((getpid() & 0x7f) | 0x80) << 8);
    }
    CASE(trace_action_without_option) {
        pid_t child = traced_with_filter();
        trace(PTRACE_CONT, child, 0, 0);
        CHECK_EQ(next(child), ENOSYS << 8);
    }
    CASE(tracer_skips_the_call) {
        pid_t child = traced_with_filter();
        trace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESECCOMP);
        trace(PTRACE_CONT, child, 0, 0);
        CHECK_EQ(next(child), PTRACE_EVENT_SECCOMP << 16 | SIGTRAP << 8 | 0x7f);
        trace(PTRACE_POKEUSR, child, offsetof(struct user, regs.orig_rax), -1);
        trace(PTRACE_POKEUSR, child, offsetof(struct user, regs.rax), -33);
        trace(PTRACE_CONT, child, 0, 0);
        CHECK_EQ(next(child), 33 << 8);
    }
    CASE(replaced_call_is_filtered_again) {
        pid_t child = traced_with_filter();
        trace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESECCOMP);
        trace(PTRACE_CONT, child, 0, 0);
        CHECK_EQ(next(child), PTRACE_EVENT_SECCOMP << 16 | SIGTRAP << 8 | 0x7f);
        trace(PTRACE_POKEUSR, child, offsetof(struct user, regs.orig_rax), SYS_getsid);
        trace(PTRACE_CONT, child, 0, 0);
        CHECK_EQ(next(child), 7 << 8);
    }
    CASE(entry_stop_comes_before_the_filter) {
        pid_t child = traced_with_filter();
        trace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESECCOMP | PTRACE_O_TRACESYSGOOD);
        trace(PTRACE_SYSCALL, child, 0, 0);
        CHECK_EQ(next(child), (SIGTRAP | 0x80) << 8 | 0x7f);
        trace(PTRACE_SYSCALL, child, 0, 0);
        CHECK_EQ(next(child), PTRACE_EVENT_SECCOMP << 16 | SIGTRAP << 8 | 0x7f);
        trace(PTRACE_SYSCALL, child, 0, 0);
        CHECK_EQ(next(child), (SIGTRAP | 0x80) << 8 | 0x7f);
        trace(PTRACE_CONT, child, 0, 0);
        CHECK_EQ(next(child), ((getpid() & 0x7f) | 0x80) << 8);
    }
    CASE(filter_is_read_back) {
        pid_t child = traced_with_filter();
        if (conformance_is_root()) {
            struct sock_filter code[16];
            CHECK_EQ(trace(PTRACE_SECCOMP_GET_FILTER, child, 0, 0), 6);
            CHECK_EQ(trace(PTRACE_SECCOMP_GET_FILTER, child, 0, ADDRESS(code)), 6);
            CHECK_EQ(code[5].k, SECCOMP_RET_ALLOW);
            CHECK_ERRNO(trace(PTRACE_SECCOMP_GET_FILTER, child, 1, 0), ENOENT);
            struct seccomp_metadata metadata = {0, 77};
            CHECK_EQ(trace(PTRACE_SECCOMP_GET_METADATA, child, sizeof metadata, ADDRESS(&metadata)), 16);
            CHECK_EQ(metadata.flags, SECCOMP_FILTER_FLAG_LOG);
            CHECK_ERRNO(trace(PTRACE_SECCOMP_GET_METADATA, child, 4, ADDRESS(&metadata)), EINVAL);
        }
        kill(child, SIGKILL);
        next(child);
    }
    CASE(filters_are_suspended) {
        if (conformance_is_root()) {
            pid_t child = traced_with_filter();
            CHECK_EQ(trace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_SUSPEND_SECCOMP), 0);
            trace(PTRACE_CONT, child, 0, 0);
            CHECK_EQ(next(child), ((getpid() & 0x7f) | 0x80) << 8);
        }
    }
    return conformance_end();
}
