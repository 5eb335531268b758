#include "fuzzer.h"
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FORKS = 40 };

__thread struct slot *slot;
__thread unsigned place;
static __thread sigjmp_buf escape;
static __thread bool may_escape;

static void on_fault(int signal) {
    if (may_escape) siglongjmp(escape, signal);
    _exit(100 + signal);
}

static void on_tick(int signal) {
    (void)signal;
    count_call(SYS_rt_sigreturn);
}

/// Again and again, because calls change them.
void install_handlers(void) {
    static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS};
    struct sigaction action = {.sa_handler = on_fault, .sa_flags = SA_NODEFER};
    for (size_t index = 0; index < sizeof faults / sizeof *faults; index++) sigaction(faults[index], &action, NULL);
    action = (struct sigaction){.sa_handler = on_tick};
    sigaction(SIGUSR1, &action, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

void guarded(void (*body)(void)) {
    may_escape = true;
    if (sigsetjmp(escape, 0) == 0) body();
    may_escape = false;
}

bool may_fork(void) { return __atomic_fetch_add(&shared->forks[place], 1, __ATOMIC_RELAXED) < FORKS; }

static bool is_supervisor(uint64_t pid) {
    return (uint32_t)pid <= supervisor || (uint32_t)pid == -supervisor || (uint32_t)pid == UINT32_MAX;
}

/// Keeps the guest itself going: everything else is the sandbox's business.
static bool is_allowed(uint64_t number, uint64_t *arguments) {
    switch (number) {
    case SYS_exit: case SYS_exit_group: case SYS_rt_sigreturn: return false;
    case 335: case 336: return one_in(8); // uretprobe, uprobe: SIGILL
    case SYS_kill: case SYS_rt_sigqueueinfo: case SYS_tkill: case SYS_tgkill: case SYS_rt_tgsigqueueinfo:
        if ((uint32_t)arguments[0] != 0 && is_supervisor(arguments[0])) arguments[0] = getpid();
        return one_in(4) || (arguments[1] | arguments[2]) != SIGKILL;
    case SYS_ptrace: return !is_supervisor(arguments[1]);
    case SYS_setpgid: return (uint32_t)arguments[1] == 0 || !is_supervisor(arguments[1]); // a group is stopped as one
    case SYS_process_vm_writev: case 434: return !is_supervisor(arguments[0]); // 434: pidfd_open
    case SYS_reboot: return arguments[1] != 0x28121969 || (getpid() == 1 && supervisor != 1); // in a namespace of its own
    case SYS_setrlimit: return arguments[0] != RLIMIT_AS && arguments[0] != RLIMIT_FSIZE && arguments[0] != RLIMIT_NPROC;
    case SYS_prlimit64:
        return (uint32_t)arguments[1] != RLIMIT_AS && (uint32_t)arguments[1] != RLIMIT_FSIZE &&
            (uint32_t)arguments[1] != RLIMIT_NPROC &&
               ((uint32_t)arguments[0] == 0 || !is_supervisor(arguments[0]));
    case SYS_fork: case SYS_clone3: return may_fork();
    case SYS_vfork: return false; // a sequence makes those
    case SYS_clone:
        arguments[0] &= ~(0x100ull | 0x4000 | 0x10000 | 0x80000);
        arguments[1] = 0;
        return may_fork();
    case SYS_arch_prctl: return (uint32_t)arguments[0] != 0x1002; // the thread's own memory
    case SYS_mount: return !(arguments[3] & 0x1000) || one_in(8); // a bind mount of the root makes every walk endless
    case SYS_chroot: case SYS_seccomp: case 446: return one_in(8); // 446: landlock_restrict_self
    case SYS_prctl: return (uint32_t)arguments[0] != 22 || one_in(8); // PR_SET_SECCOMP
    default: return true;
    }
}

bool record_call(uint64_t number, uint64_t *arguments) {
    if (!is_allowed(number, arguments)) return false;
    struct record *record = &slot->history[slot->made % HISTORY];
    record->number = number;
    memcpy(record->arguments, arguments, sizeof record->arguments);
    __atomic_fetch_add(&slot->made, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&shared->calls[number < MAX_NUMBER ? number : MAX_NUMBER], 1, __ATOMIC_RELAXED);
    return true;
}

void count_success(uint64_t number) {
    __atomic_fetch_add(&shared->succeeded[number < MAX_NUMBER ? number : MAX_NUMBER], 1, __ATOMIC_RELAXED);
}

void count_call(uint64_t number) {
    __atomic_fetch_add(&shared->calls[number], 1, __ATOMIC_RELAXED);
    count_success(number);
}

static void keep_name(uint64_t number, const uint64_t *arguments, long result) {
    switch (number) {
    case SYS_shmget: case SYS_semget: case SYS_msgget: remember(IPC_POOL, (uint64_t)result); break;
    case SYS_add_key: case SYS_request_key: remember(KEY_POOL, (uint64_t)result); break;
    case SYS_io_setup: remember(AIO_POOL, *(uint64_t *)arguments[1]); break;
    case SYS_timer_create: remember(TIMER_POOL, *(uint32_t *)arguments[2]); break;
    default: break;
    }
}

long call(uint64_t number, ...) {
    uint64_t arguments[MAX_ARGUMENTS];
    va_list list;
    va_start(list, number);
    for (int index = 0; index < MAX_ARGUMENTS; index++) arguments[index] = va_arg(list, uint64_t);
    va_end(list);
    if (!record_call(number, arguments)) return -1;
    long result = syscall((long)number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
    bool forks = number == SYS_fork || number == SYS_clone || number == SYS_clone3;
    if (forks && result == 0) child_main();
    if (result != -1) count_success(number), keep_name(number, arguments, result);
    return result;
}

static const struct table *random_table(void) {
    static const struct table *const tables[] = {&file_calls,   &file_calls,  &memory_calls,   &process_calls, &event_calls,
                                                 &socket_calls, &mount_calls, &security_calls, &other_calls};
    return tables[random_below(sizeof tables / sizeof *tables)];
}

const struct call *random_entry(void) {
    const struct table *table = random_table();
    return &table->calls[random_below(table->count)];
}

void random_call(void) {
    uint64_t arguments[MAX_ARGUMENTS], number;
    const struct call *chosen = random_entry();
    number = chosen->number;
    for (int index = 0; index < MAX_ARGUMENTS; index++) arguments[index] = argument_value(&chosen->arguments[index]);
    if (one_in(24)) arguments[random_below(MAX_ARGUMENTS)] = interesting_integer();
    if (one_in(40)) {
        number = one_in(8) ? interesting_integer() : random_below(480);
        struct argument any = {ANY, 0, 0};
        for (int index = 0; index < MAX_ARGUMENTS; index++) arguments[index] = argument_value(&any);
        if (number == SYS_execve || number == SYS_vfork) return;
    }
    call(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
}
