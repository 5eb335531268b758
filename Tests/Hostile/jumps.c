// Jumping into the stub's code with registers of one's own.
#include "hostile.h"

static uint64_t sites[16];
static int site_count;

/// Code behind a site that is not the manager's may well loop: it is the guest's own time.
static void limit_time(void) {
    struct itimerval limit = {.it_value = {.tv_usec = 100000}};
    setitimer(ITIMER_REAL, &limit, NULL);
}

/// A harmless call at each site: the answer is the sandbox's, never the host's.
static void getpid_at_each_site(void) {
    site_count = syscall_sites(sites, 16);
    printf("%d sites:", site_count);
    for (int i = 0; i < site_count; i++) {
        fflush(stdout);
        pid_t child = fork();
        if (!child) {
            limit_time();
            // Only the manager's site leads back through r15; the others run on in the stub.
            long seen = call_at(sites[i], SYS_getpid, 0, 0, 0, 0, 0, 0);
            _exit(seen == getpid() ? 1 : seen == -ENOSYS ? 2 : 3);
        }
        int status;
        waitpid(child, &status, 0);
        if (WIFSIGNALED(status)) printf(" signal %d", WTERMSIG(status));
        else printf(" %s", WEXITSTATUS(status) == 1 ? "own pid" : WEXITSTATUS(status) == 2 ? "ENOSYS" : "WRONG");
    }
    puts("");
}

/// Calls that the manager may make at its site: they must not reach the host for a guest.
static void manager_calls_at_each_site(void) {
    static const struct {
        long number, a, b, c, d, e, f;
        const char *name;
    } calls[] = {
        {SYS_mmap, 0x10000000, 4096, 7, 0x32, -1, 0, "mmap"},
        {SYS_mmap, 0x10000000, 1 << 20, 3, 1, 3, 0, "mmap of the memory file"},
        {SYS_mmap, 0x10000000, 1 << 20, 3, 1, 4, 0, "mmap of the slots file"},
        {SYS_munmap, 0x7fff00000000, 0x10000, 0, 0, 0, 0, "munmap of the stub"},
        {SYS_mprotect, 0x7fff00000000, 0x10000, 7, 0, 0, 0, "mprotect of the stub"},
        {SYS_read, 0, 0x7fff00030000, 1, 0, 0, 0, "read of the order pipe"},
        {SYS_write, 1, (long)"K", 1, 0, 0, 0, "write to the completion pipe"},
        {SYS_close, 3, 0, 0, 0, 0, 0, "close of the memory file"},
        {SYS_sched_yield, 0, 0, 0, 0, 0, 0, "yield"},
        {SYS_seccomp, 1, 0, 0, 0, 0, 0, "seccomp"},
        {SYS_exit, 5, 0, 0, 0, 0, 0, "exit"},
        {SYS_exit_group, 6, 0, 0, 0, 0, 0, "exit_group"},
    };
    site_count = syscall_sites(sites, 16);
    for (unsigned c = 0; c < sizeof calls / sizeof *calls; c++) {
        printf("%s:", calls[c].name);
        for (int i = 0; i < site_count; i++) {
            fflush(stdout);
            pid_t child = fork();
            if (!child) {
                int null = open("/dev/null", O_RDWR);
                for (int n = 0; n < 3; n++) dup2(null, n);
                limit_time();
                long seen = call_at(sites[i], calls[c].number, calls[c].a, calls[c].b, calls[c].c, calls[c].d, calls[c].e, calls[c].f);
                _exit(seen >= 0 ? 100 : (int)-seen);
            }
            int status;
            waitpid(child, &status, 0);
            if (WIFSIGNALED(status)) printf(" signal %d", WTERMSIG(status));
            else printf(" %d", WEXITSTATUS(status));
        }
        puts("");
    }
}

/// The handler, entered as if a signal had come: every signal, a frame of one's own.
static void forged_doorbells(void) {
    site_count = syscall_sites(sites, 16);
    static char frame[65536] __attribute__((aligned(64)));
    for (int site = 0; site < site_count; site++) {
        int killed = 0, survived = 0;
        for (int n = 0; n <= 64; n++) {
            fflush(stdout);
            pid_t child = fork();
            if (!child) {
                limit_time();
                long seen = call_at(sites[site], 0x5afe, n, (long)(frame + 4096), -1, -1, -1, -1);
                _exit(seen == -ENOSYS ? 0 : 1);
            }
            int status;
            waitpid(child, &status, 0);
            WIFSIGNALED(status) ? killed++ : survived++;
        }
        printf("site %d: %d killed, %d went on\n", site, killed, survived);
    }
}

/// Signal return at a site with a forged frame: signal mask and signal stack of one's own, then `then`. At all sites but the stub's own for
/// signal return this is an ordinary rt_sigreturn(2).
static void forged_return(uint64_t site, uint64_t mask, uint64_t stack, void (*then)(void)) {
    static struct {
        uint64_t flags, link, stack_base, stack_flags, stack_size, r[23 + 9], mask;
    } frame;
    static char own_stack[65536] __attribute__((aligned(16)));
    memset(&frame, 0, sizeof frame);
    frame.stack_base = stack;
    frame.stack_flags = stack ? 0 : 2;
    frame.stack_size = stack ? 65536 : 0;
    frame.r[15] = (uint64_t)(own_stack + sizeof own_stack - 8);
    frame.r[16] = (uint64_t)then;
    frame.r[17] = 0x202;
    frame.r[18] = 0x33 | (0x2bul << 48);
    frame.mask = mask;
    __asm__ volatile("mov %0, %%rsp\n\tmov $15, %%eax\n\tlea 1f(%%rip), %%r15\n\tjmp *%1\n1: hlt" ::"r"(&frame), "b"(site) : "memory");
    __builtin_unreachable();
}

static void at_each_site(uint64_t mask, uint64_t stack, void (*then)(void), int patience_ms) {
    site_count = syscall_sites(sites, 16);
    int ended[65] = {0};
    pid_t children[16];
    for (int i = 0; i < site_count; i++) {
        fflush(stdout);
        children[i] = fork();
        if (!children[i]) forged_return(sites[i], mask, stack, then);
    }
    usleep((unsigned)patience_ms * 1000);
    for (int i = 0; i < site_count; i++) {
        kill(children[i], SIGKILL);
        int status;
        waitpid(children[i], &status, 0);
        ended[WIFSIGNALED(status) ? WTERMSIG(status) : 0]++;
    }
    printf("%d exited, %d SIGSEGV, %d SIGKILL\n", ended[0], ended[SIGSEGV], ended[SIGKILL]);
}

static void spin(void) {
    for (;;) {
    }
}
/// Blocks the kick and computes for ever: SIGKILL must still end it.
static void blocked_kick(void) { at_each_site(~0ul, 0, spin, 200); }

static char elsewhere[65536];
static void call_after(void) {
    syscall(SYS_getpid);
    // A trapped call: its frame goes to the forged stack.
    syscall(SYS_sigaltstack, NULL, NULL);
    syscall(SYS_exit_group, 0);
}
/// The next trapped call's frame lies in memory of the attacker's choosing.
static void moved_signal_stack(void) { at_each_site(0, (uint64_t)elsewhere, call_after, 1000); }

const struct attack jumps[] = {
    {"getpid at each site", getpid_at_each_site},
    {"manager calls at each site", manager_calls_at_each_site},
    {"forged doorbells", forged_doorbells},
    {"blocked kick", blocked_kick},
    {"moved signal stack", moved_signal_stack},
    {NULL, NULL},
};
