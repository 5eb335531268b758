// Starts the zygote: the part that still runs in the Sentry's image, with its C library, in a process of one thread.
#define _GNU_SOURCE
#include "cstub.h"
#include "cstub_internal.h"
#include "cstub_offsets.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/rseq.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

_Static_assert(offsetof(struct cstub_config, guest_program) == CSTUB_GUEST_PROGRAM_OFFSET, "manager.S uses this offset");
_Static_assert(sizeof(struct cstub_config) <= CSTUB_CONFIG_SIZE, "one page");
#define AT(field) (CSTUB_FAST_OFFSET + offsetof(struct cstub_fast, field))
_Static_assert(AT(state) == CSTUB_STATE_OFFSET && AT(is_served) == CSTUB_SERVED_OFFSET && AT(is_ringing) == CSTUB_RINGING_OFFSET &&
                   AT(is_blocking) == CSTUB_BLOCKING_OFFSET && AT(result) == CSTUB_RESULT_OFFSET &&
                   AT(arguments) == CSTUB_ARGUMENTS_OFFSET && AT(call) == CSTUB_CALL_OFFSET && AT(block) == CSTUB_BLOCK_OFFSET,
               "manager.S uses these offsets");
_Static_assert(sizeof(struct cstub_block) == CSTUB_BLOCK_SIZE && offsetof(struct cstub_block, entry) == CSTUB_BLOCK_ENTRY &&
                   offsetof(struct cstub_block, slow) == CSTUB_BLOCK_SLOW,
               "manager.S uses these offsets");

/// System calls of the manager, and of guest threads before they are guests', all at the manager's one site.
static const uint32_t allowed[] = {
    SYS_mmap, SYS_munmap, SYS_mprotect, SYS_madvise, SYS_read, SYS_write, SYS_recvmsg, SYS_sendmsg, SYS_close, SYS_clone, SYS_sched_yield,
    SYS_pause, SYS_exit, SYS_exit_group, SYS_sigaltstack, SYS_seccomp,
};

/// System calls that need or change the register file: the guest thread's handler runs for them, so the registers are in its frame.
static const uint32_t trapped[] = {
    SYS_rt_sigreturn, SYS_exit, SYS_clone, SYS_fork, SYS_vfork, SYS_execve, SYS_exit_group, SYS_arch_prctl, SYS_sigaltstack, SYS_rt_sigsuspend,
    SYS_pause, SYS_execveat, 435 /* clone3 */,
};

/// Appends instructions to a filter.
struct builder {
    struct cstub_instruction *filter;
    int count;
};
static void load(struct builder *b, uint32_t offset) {
    b->filter[b->count++] = (struct cstub_instruction){BPF_LD | BPF_W | BPF_ABS, 0, 0, offset};
}
/// Jumps are counted from the next instruction.
static void jump_equal(struct builder *b, uint32_t value, int if_true, int if_false) {
    b->filter[b->count++] = (struct cstub_instruction){BPF_JMP | BPF_JEQ | BPF_K, (uint8_t)if_true, (uint8_t)if_false, value};
}
static void answer(struct builder *b, uint32_t action) { b->filter[b->count++] = (struct cstub_instruction){BPF_RET | BPF_K, 0, 0, action}; }
/// Five instructions: allows the call if it is made at the site that ends at `address`, else answers `otherwise`.
static void allow_at(struct builder *b, const char *label, uint32_t otherwise) {
    uint64_t address = CSTUB_CODE + (uint64_t)(label - __start_stub_text);
    load(b, offsetof(struct seccomp_data, instruction_pointer) + 4);
    jump_equal(b, (uint32_t)(address >> 32), 0, 3);
    load(b, offsetof(struct seccomp_data, instruction_pointer));
    jump_equal(b, (uint32_t)address, 0, 1);
    answer(b, SECCOMP_RET_ALLOW);
    answer(b, otherwise);
}

/// Everything raises a notification, but for calls that need the registers, and signal return and thread exit of the stub itself.
static void build_guest_filter(struct cstub_config *config) {
    struct builder b = {config->guest_filter, 0};
    const int count = (int)(sizeof trapped / sizeof *trapped);
    load(&b, offsetof(struct seccomp_data, arch));
    jump_equal(&b, AUDIT_ARCH_X86_64, 1, 0);
    answer(&b, SECCOMP_RET_USER_NOTIF);
    load(&b, offsetof(struct seccomp_data, nr));
    jump_equal(&b, SYS_rt_sigreturn, 0, 6);
    allow_at(&b, cstub_sigreturn_site, SECCOMP_RET_TRAP);
    jump_equal(&b, SYS_exit, 0, 6);
    allow_at(&b, cstub_manager_site, SECCOMP_RET_TRAP);
    for (int i = 2; i < count; i++) jump_equal(&b, trapped[i], count - i, 0);
    answer(&b, SECCOMP_RET_USER_NOTIF);
    answer(&b, SECCOMP_RET_TRAP);
    config->guest_program.length = (uint16_t)b.count;
    config->guest_program.filter = CSTUB_CONFIG + offsetof(struct cstub_config, guest_filter);
}

/// The listed calls at the manager's site and signal return at its own; everything else is refused. Without a tracer that asked for it,
/// TRACE is ENOSYS; it ranks below USER_NOTIF, so a guest thread's own filter wins.
static void build_filter(struct cstub_config *config) {
    struct builder b = {config->filter, 0};
    const int count = (int)(sizeof allowed / sizeof *allowed);
    load(&b, offsetof(struct seccomp_data, arch));
    jump_equal(&b, AUDIT_ARCH_X86_64, 1, 0);
    answer(&b, SECCOMP_RET_TRACE);
    load(&b, offsetof(struct seccomp_data, nr));
    jump_equal(&b, SYS_rt_sigreturn, 0, 6);
    allow_at(&b, cstub_sigreturn_site, SECCOMP_RET_TRACE);
    for (int i = 0; i < count; i++) jump_equal(&b, allowed[i], count - i, 0);
    answer(&b, SECCOMP_RET_TRACE);
    allow_at(&b, cstub_manager_site, SECCOMP_RET_TRACE);
    config->program.length = (uint16_t)b.count;
    config->program.filter = CSTUB_CONFIG + offsetof(struct cstub_config, filter);
}

/// The vDSO and its data of this process, in order of address.
static int find_vdso(struct cstub_vdso *found) {
    FILE *maps = fopen("/proc/self/maps", "re");
    if (!maps) return -1;
    char line[512];
    int count = 0;
    while (fgets(line, sizeof line, maps)) {
        unsigned long start, end;
        if (!strstr(line, "[vvar") && !strstr(line, "[vdso]")) continue;
        if (sscanf(line, "%lx-%lx", &start, &end) != 2 || count == CSTUB_MAXIMUM_VDSO) continue;
        found[count++] = (struct cstub_vdso){start, end - start, strstr(line, "[vdso]") != NULL};
    }
    fclose(maps);
    return count;
}

/// Where the vDSO goes in guest address spaces: a random place under the stub region, above where guests map by themselves.
static uint64_t vdso_target(uint64_t length) {
    uint32_t random = 0;
    if (getrandom(&random, sizeof random, 0) != sizeof random) random = 0x5a5a5;
    return 0x7ffe80000000ul + ((uint64_t)(random % 0x40000) << 12) - ((length + 4095) & ~4095ul);
}

static void reset_signals(void) {
    struct sigaction standard = {.sa_handler = SIG_DFL};
    for (int n = 1; n <= 64; n++) sigaction(n, &standard, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/// The stub's handler for what guest threads can raise. It runs on their own signal stacks with every signal blocked; a notification that the
/// Sentry has not seen when the kick arrives starts again.
static int install_handler(void) {
    struct {
        uint64_t handler, flags, restorer, mask;
    } action = {
        .handler = CSTUB_CODE + (uint64_t)(cstub_handler - __start_stub_text),
        .flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART | 0x04000000 /* SA_RESTORER */,
        .restorer = CSTUB_CODE + (uint64_t)(cstub_sigreturn_site - __start_stub_text),
        .mask = ~0ul,
    };
    static const int signals[] = {SIGSYS, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, CSTUB_KICK};
    for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++)
        if (syscall(SYS_rt_sigaction, signals[i], &action, NULL, 8) == -1) return -1;
    return 0;
}

/// The C library's restartable-sequences area is about to be unmapped: the host must not write to it any more.
static void leave_restartable_sequences(void) {
    if (__rseq_size == 0) return;
    char *area = (char *)__builtin_thread_pointer() + __rseq_offset;
    // The registered length was at least the original 32 bytes; the C library rounds its size up from there.
    unsigned size = __rseq_size < 32 ? 32 : __rseq_size;
    syscall(SYS_rseq, area, size, RSEQ_FLAG_UNREGISTER, RSEQ_SIG);
}

/// Moves `source` to exactly `target`, over whatever else is there.
static int place(int source, int target) {
    if (source == target) return fcntl(source, F_SETFD, 0);
    return dup2(source, target);
}

static void enter_zygote(int memory_file, int slots, int control, int sentry, int notifies, const struct cstub_vdso *vdso, int vdso_count,
                         uint64_t delta) {
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || getppid() != sentry) _exit(1);
    setsid();
    reset_signals();
    struct rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1) _exit(1);
    // Out of the way of the low numbers first.
    int high_memory = fcntl(memory_file, F_DUPFD, 100), high_slots = fcntl(slots, F_DUPFD, 100), high_control = fcntl(control, F_DUPFD, 100);
    if (high_memory < 0 || high_slots < 0 || high_control < 0) _exit(1);
    int null = open("/dev/null", O_RDWR);
    if (null == -1) _exit(1);
    for (int n = 0; n < 3; n++)
        if (place(null, n) == -1) _exit(1);
    if (place(high_memory, CSTUB_FD_MEMORY) == -1 || place(high_slots, CSTUB_FD_SLOTS) == -1 || place(high_control, CSTUB_FD_CONTROL) == -1)
        _exit(1);
    if (syscall(SYS_close_range, CSTUB_FD_CONTROL + 1, ~0u, 0) == -1) _exit(1);

    leave_restartable_sequences();
    // The stub region may hold this process's stack or vDSO; the vDSO moves first, and the stack stays where it is unless it overlaps.
    for (int i = 0; i < vdso_count; i++) {
        if (mremap((void *)vdso[i].start, vdso[i].length, vdso[i].length, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)(vdso[i].start + delta)) ==
            MAP_FAILED)
            _exit(1);
    }
    struct region {
        uint64_t start, size;
    } regions[] = {{CSTUB_CODE, CSTUB_CODE_SIZE}, {CSTUB_CONFIG, CSTUB_CONFIG_SIZE}, {CSTUB_STACK, CSTUB_STACK_SIZE}};
    for (int i = 0; i < 3; i++) {
        if (mmap((void *)regions[i].start, regions[i].size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) !=
            (void *)regions[i].start)
            _exit(1);
    }
    memcpy((void *)CSTUB_CODE, __start_stub_text, (size_t)(__stop_stub_text - __start_stub_text));
    struct cstub_config *config = (struct cstub_config *)CSTUB_CONFIG;
    config->sentry = sentry;
    config->kept_count = (uint32_t)vdso_count;
    for (int i = 0; i < vdso_count; i++) {
        config->kept[i] = vdso[i];
        config->kept[i].start += delta;
    }
    build_filter(config);
    build_guest_filter(config);
    if (notifies && install_handler() == -1) _exit(1);
    mprotect((void *)CSTUB_CODE, CSTUB_CODE_SIZE, PROT_READ | PROT_EXEC);
    mprotect((void *)CSTUB_CONFIG, CSTUB_CONFIG_SIZE, PROT_READ);
    uint64_t entry = CSTUB_CODE + ((uint64_t)cstub_zygote_main - (uint64_t)__start_stub_text);
    __asm__ volatile("mov %0, %%rsp\n\t"
                     "xor %%ebp, %%ebp\n\t"
                     "push $0\n\t"
                     "jmp *%1" ::"r"(CSTUB_STACK + CSTUB_STACK_SIZE),
                     "r"(entry), "D"(config)
                     : "memory");
    __builtin_unreachable();
}

int cstub_region_is_occupied(void) {
    size_t length = CSTUB_STACK + CSTUB_STACK_SIZE - CSTUB_BASE;
    void *probe = mmap((void *)CSTUB_BASE, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (probe == MAP_FAILED) return errno == EEXIST ? 1 : -1;
    munmap(probe, length);
    return 0;
}

int cstub_zygote_start(int memory_file, uint64_t slot_count, uint64_t area_count, int notifies, struct cstub_zygote *zygote) {
    struct cstub_vdso vdso[CSTUB_MAXIMUM_VDSO];
    int vdso_count = find_vdso(vdso);
    if (vdso_count < 0) return -1;
    uint64_t delta = 0;
    memset(zygote, 0, sizeof *zygote);
    if (vdso_count > 0) {
        uint64_t first = vdso[0].start, last = vdso[vdso_count - 1].start + vdso[vdso_count - 1].length;
        delta = vdso_target(last - first) - first;
        for (int i = 0; i < vdso_count; i++) {
            uint64_t start = vdso[i].start + delta, end = start + vdso[i].length;
            if (vdso[i].is_code) {
                zygote->vdso_code_start = start;
                zygote->vdso_code_end = end;
            } else {
                if (!zygote->vdso_data_start) zygote->vdso_data_start = start;
                zygote->vdso_data_end = end;
            }
        }
    }
    int control[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) == -1) return -1;
    zygote->slots = memfd_create("stockade-stubs", MFD_CLOEXEC);
    if (zygote->slots == -1 || ftruncate(zygote->slots, (off_t)(slot_count * CSTUB_SLOT_SIZE + area_count * CSTUB_AREA_SIZE)) == -1) return -1;
    pid_t sentry = getpid();
    pid_t child = fork();
    if (child == -1) return -1;
    if (child == 0) enter_zygote(memory_file, zygote->slots, control[1], sentry, notifies, vdso, vdso_count, delta);
    close(control[1]);
    zygote->control = control[0];
    zygote->pid = child;
    return 0;
}

int cstub_zygote_fork(const struct cstub_zygote *zygote, uint32_t slot, int orders, int completion, int files) {
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(3 * sizeof(int))];
    } control;
    memset(&control, 0, sizeof control);
    struct iovec vector = {&slot, sizeof slot};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(3 * sizeof(int));
    int descriptors[3] = {orders, completion, files};
    memcpy(CMSG_DATA(header), descriptors, sizeof descriptors);
    ssize_t n;
    do n = sendmsg(zygote->control, &message, MSG_NOSIGNAL);
    while (n == -1 && errno == EINTR);
    if (n == -1) return -1;
    int32_t answer;
    do n = recv(zygote->control, &answer, sizeof answer, 0);
    while (n == -1 && errno == EINTR);
    if (n != (ssize_t)sizeof answer) {
        if (n >= 0) errno = ESRCH;
        return -1;
    }
    if (answer <= 0) {
        errno = answer < 0 ? -answer : ESRCH;
        return -1;
    }
    return answer;
}

uint64_t cstub_doorbell_address(void) { return CSTUB_CODE + (uint64_t)(cstub_doorbell_site - __start_stub_text); }

static uint64_t address_of(const char *label) { return CSTUB_CODE + (uint64_t)(label - __start_stub_text); }

struct cstub_labels cstub_fast_labels(void) {
    return (struct cstub_labels){
        .entry = address_of(cstub_fast),
        .saved = address_of(cstub_fast_saved),
        .posted = address_of(cstub_fast_posted),
        .done = address_of(cstub_fast_done),
        .slow = address_of(cstub_fast_slow),
        .overflow = address_of(cstub_fast_overflow),
        .restored = address_of(cstub_fast_restored),
        .end = address_of(cstub_fast_end),
        .wait_site = address_of(cstub_wait_site),
    };
}

uint64_t cstub_manager_site_address(void) {
    // The filter sees the address behind the two bytes of the instruction.
    return CSTUB_CODE + (uint64_t)(cstub_manager_site - __start_stub_text) - 2;
}
