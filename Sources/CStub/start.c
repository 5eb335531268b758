// Starts the zygote: the part that still runs in the Sentry's image, with its C library, in a process of one thread.
#define _GNU_SOURCE
#include "cstub.h"
#include "cstub_internal.h"

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

/// System calls of the manager, and pause and exit of guest threads, all at the manager's one site.
static const uint32_t allowed[] = {
    SYS_mmap, SYS_munmap, SYS_mprotect, SYS_madvise, SYS_read, SYS_write, SYS_recvmsg, SYS_close, SYS_clone, SYS_pause, SYS_exit,
    SYS_exit_group,
};

static void build_filter(struct cstub_config *config) {
    uint64_t site = CSTUB_CODE + (uint64_t)(cstub_manager_site - __start_stub_text);
    struct cstub_instruction *f = config->filter;
    const int count = (int)(sizeof allowed / sizeof *allowed), refuse = 7 + count, allow = refuse + 1;
    int n = 0;
    struct check {
        uint32_t offset, value;
    } checks[] = {
        {offsetof(struct seccomp_data, arch), AUDIT_ARCH_X86_64},
        {offsetof(struct seccomp_data, instruction_pointer) + 4, (uint32_t)(site >> 32)},
        {offsetof(struct seccomp_data, instruction_pointer), (uint32_t)site},
    };
    for (int i = 0; i < 3; i++) {
        f[n++] = (struct cstub_instruction){BPF_LD | BPF_W | BPF_ABS, 0, 0, checks[i].offset};
        f[n] = (struct cstub_instruction){BPF_JMP | BPF_JEQ | BPF_K, 0, (uint8_t)(refuse - n - 1), checks[i].value};
        n++;
    }
    f[n++] = (struct cstub_instruction){BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr)};
    for (int i = 0; i < count; i++, n++)
        f[n] = (struct cstub_instruction){BPF_JMP | BPF_JEQ | BPF_K, (uint8_t)(allow - n - 1), 0, allowed[i]};
    // Without a tracer that asked for it, TRACE is ENOSYS; it ranks below USER_NOTIF.
    f[n++] = (struct cstub_instruction){BPF_RET | BPF_K, 0, 0, SECCOMP_RET_TRACE};
    f[n++] = (struct cstub_instruction){BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW};
    config->program.length = (uint16_t)n;
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

static void enter_zygote(int memory_file, int slots, int control, int sentry, const struct cstub_vdso *vdso, int vdso_count, uint64_t delta) {
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

int cstub_region_is_free(void) {
    size_t length = CSTUB_STACK + CSTUB_STACK_SIZE - CSTUB_BASE;
    void *probe = mmap((void *)CSTUB_BASE, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (probe == MAP_FAILED) return 0;
    munmap(probe, length);
    return probe == (void *)CSTUB_BASE;
}

int cstub_zygote_start(int memory_file, uint64_t slot_count, struct cstub_zygote *zygote) {
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
    if (zygote->slots == -1 || ftruncate(zygote->slots, (off_t)(slot_count * CSTUB_SLOT_SIZE)) == -1) return -1;
    pid_t sentry = getpid();
    pid_t child = fork();
    if (child == -1) return -1;
    if (child == 0) enter_zygote(memory_file, zygote->slots, control[1], sentry, vdso, vdso_count, delta);
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

uint64_t cstub_manager_site_address(void) {
    // The filter sees the address behind the two bytes of the instruction.
    return CSTUB_CODE + (uint64_t)(cstub_manager_site - __start_stub_text) - 2;
}
