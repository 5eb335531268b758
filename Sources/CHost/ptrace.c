#define _GNU_SOURCE
#include "chost_affinity.h"
#include "chost_ptrace.h"
#include "cstub.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <sched.h>
#include <stddef.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

/// The signal that interrupts guest code. Any would do: guest threads block none, and signals stop at the tracer.
enum { KICK = 34 };

static int wait_for(int tid, int *status) {
    int result;
    do result = waitpid(tid, status, __WALL);
    while (result == -1 && errno == EINTR);
    return result;
}

int chost_trace_start(int tid) {
    if (ptrace(PTRACE_SEIZE, tid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) == -1) return -1;
    if (ptrace(PTRACE_INTERRUPT, tid, 0, 0) == -1) return -1;
    int status;
    if (wait_for(tid, &status) == -1 || !WIFSTOPPED(status)) return -1;
    return 0;
}

/// Reads the system call at which `tid` is stopped. False when it is not stopped at one.
static int read_call(int tid, struct chost_trace_call *call) {
    struct __ptrace_syscall_info info;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof info, &info) < 0 || info.op != PTRACE_SYSCALL_INFO_ENTRY) return 0;
    call->number = info.entry.nr;
    for (int i = 0; i < 6; i++) call->arguments[i] = info.entry.args[i];
    call->is_foreign = info.arch != AUDIT_ARCH_X86_64;
    return 1;
}

int chost_trace_run(int tid, int set, uint64_t *registers, int *signal, struct chost_trace_call *call) {
    struct user_regs_struct *r = (struct user_regs_struct *)registers;
    if (set == CHOST_SET_ALL && ptrace(PTRACE_SETREGS, tid, 0, r) == -1) return errno == ESRCH ? CHOST_TRACE_GONE : -1;
    if (set == CHOST_SET_RAX && ptrace(PTRACE_POKEUSER, tid, offsetof(struct user, regs.rax), r->rax) == -1) return CHOST_TRACE_GONE;
    if (ptrace(PTRACE_SYSEMU, tid, 0, 0) == -1) return CHOST_TRACE_GONE;
    // On one CPU the thread has often run and stopped again by now. Then its system call can be asked for without a wait: the status that
    // nobody collects is forgotten by the next PTRACE_SYSEMU. While it runs the question is ESRCH, and other stops are not told as a call.
    if (read_call(tid, call)) return CHOST_TRACE_SYSCALL;
    int status;
    if (wait_for(tid, &status) == -1 || !WIFSTOPPED(status)) return CHOST_TRACE_GONE;
    *signal = WSTOPSIG(status);
    if (*signal == (SIGTRAP | 0x80)) return read_call(tid, call) ? CHOST_TRACE_SYSCALL : CHOST_TRACE_GONE;
    if (ptrace(PTRACE_GETREGS, tid, 0, r) == -1) return CHOST_TRACE_GONE;
    if (status >> 16) return CHOST_TRACE_STOP;
    return CHOST_TRACE_SIGNAL;
}

int chost_trace_signal_info(int tid, void *info) { return (int)ptrace(PTRACE_GETSIGINFO, tid, 0, info); }

int chost_trace_get_registers(int tid, uint64_t *registers) { return (int)ptrace(PTRACE_GETREGS, tid, 0, registers); }

long chost_trace_get_xstate(int tid, void *area, unsigned long capacity) {
    struct iovec vector = {area, capacity};
    if (ptrace(PTRACE_GETREGSET, tid, NT_X86_XSTATE, &vector) == -1) return -1;
    return (long)vector.iov_len;
}

int chost_trace_set_xstate(int tid, const void *area, unsigned long size) {
    struct iovec vector = {(void *)area, size};
    return (int)ptrace(PTRACE_SETREGSET, tid, NT_X86_XSTATE, &vector);
}

void chost_trace_exit(int tid, uint64_t site) {
    struct user_regs_struct registers;
    int status;
    if (ptrace(PTRACE_GETREGS, tid, 0, &registers) == -1) return;
    registers.rip = site;
    registers.rax = SYS_exit;
    registers.orig_rax = (unsigned long long)-1;
    registers.rdi = 0;
    if (ptrace(PTRACE_SETREGS, tid, 0, &registers) == -1) return;
    // A kick that was under way shows up as one more stop.
    while (ptrace(PTRACE_CONT, tid, 0, 0) == 0)
        if (wait_for(tid, &status) == -1 || !WIFSTOPPED(status)) return;
}

void chost_trace_reap(int tid) {
    int status;
    while (wait_for(tid, &status) != -1 && WIFSTOPPED(status)) {
    }
}

static int send_descriptor(int socket, int descriptor) {
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    memset(&control, 0, sizeof control);
    char byte = 0;
    struct iovec vector = {&byte, 1};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
    ssize_t n;
    do n = sendmsg(socket, &message, MSG_NOSIGNAL);
    while (n == -1 && errno == EINTR);
    return n == -1 ? -1 : 0;
}

/// The header that recvmsg of the manager uses. It lies in the scratch page, where a guest may spoil it: then the receive fails or brings
/// no descriptor, and the mapping that follows fails with it.
static void prepare_message(char *scratch) {
    struct msghdr *message = (struct msghdr *)(scratch + CSTUB_SCRATCH_MESSAGE);
    struct iovec *vector = (struct iovec *)(scratch + CSTUB_SCRATCH_VECTOR);
    memset(message, 0, sizeof *message);
    vector->iov_base = (void *)(CSTUB_SCRATCH + CSTUB_SCRATCH_DATA);
    vector->iov_len = 1;
    message->msg_iov = (struct iovec *)(CSTUB_SCRATCH + CSTUB_SCRATCH_VECTOR);
    message->msg_iovlen = 1;
    message->msg_control = (void *)(CSTUB_SCRATCH + CSTUB_SCRATCH_CONTROL);
    message->msg_controllen = CMSG_SPACE(sizeof(int));
}

int chost_stub_perform(struct chost_stub *stub, const struct cstub_operation *operations, unsigned count, const int *passed,
                       unsigned passed_count, int64_t *result) {
    struct cstub_order *order = stub->slot;
    struct cstub_scratch *scratch = (struct cstub_scratch *)((char *)stub->slot + CSTUB_ORDER_SIZE);
    order->count = count;
    memcpy(order->operations, operations, count * sizeof *operations);
    if (passed_count) prepare_message((char *)scratch);
    for (unsigned i = 0; i < passed_count; i++)
        if (send_descriptor(stub->files, passed[i]) == -1) return -1;
    // Hand-off rule: the manager only runs while this thread waits, so it belongs on this thread's CPU.
    int cpu = sched_getcpu();
    if (cpu != stub->cpu && chost_bind_to_cpu(stub->pid, cpu) == 0) stub->cpu = cpu;
    char byte = 0;
    ssize_t n;
    do n = write(stub->orders, &byte, 1);
    while (n == -1 && errno == EINTR);
    if (n != 1) return -1;
    do n = read(stub->completion, &byte, 1);
    while (n == -1 && errno == EINTR);
    if (n != 1) return -1;
    *result = scratch->result;
    return byte == 'K' ? 0 : 1;
}

int chost_stub_thread_is_alive(int pid, int tid) { return syscall(SYS_tgkill, pid, tid, 0) == 0; }
int chost_stub_kick(int pid, int tid) { return (int)syscall(SYS_tgkill, pid, tid, KICK); }

int chost_make_pipe(int *read_end, int *write_end) {
    int pair[2];
    if (pipe2(pair, O_CLOEXEC) == -1) return -1;
    *read_end = pair[0];
    *write_end = pair[1];
    return 0;
}

int chost_stub_files_pair(int *a, int *b) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1) return -1;
    *a = pair[0];
    *b = pair[1];
    return 0;
}

int chost_allowed_cpus(int *cpus, int capacity) {
    unsigned long mask[16] = {0};
    if (syscall(SYS_sched_getaffinity, 0, sizeof mask, mask) == -1) return 0;
    int count = 0;
    for (int cpu = 0; cpu < 1024 && count < capacity; cpu++)
        if (mask[cpu / 64] >> (cpu % 64) & 1) cpus[count++] = cpu;
    return count;
}

int chost_stub_try_reap(int pid) {
    int status;
    int result = waitpid(pid, &status, WNOHANG | __WALL);
    return result != 0;
}

void *chost_map_slots(int fd, uint64_t length) {
    void *window = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
    return window == MAP_FAILED ? NULL : window;
}
