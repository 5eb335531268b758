#define _GNU_SOURCE
#include "chost_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

int chost_memory_file(const char *name) {
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_EXEC);
    // Linux before 6.3 does not know MFD_EXEC and makes executable files anyway.
    if (fd == -1 && errno == EINVAL) fd = memfd_create(name, MFD_CLOEXEC);
    return fd;
}

int chost_memory_allocate(int fd, int mode, int64_t offset, int64_t length) { return fallocate(fd, mode, offset, length); }
int64_t chost_seek_data(int fd, int64_t offset) { return lseek(fd, offset, SEEK_DATA); }
int64_t chost_seek_hole(int fd, int64_t offset) { return lseek(fd, offset, SEEK_HOLE); }
int chost_membarrier(int command) { return (int)syscall(SYS_membarrier, command, 0, 0); }

long chost_preadv2(int fd, const struct iovec *vectors, int count, int64_t offset, int flags) {
    long n;
    do n = preadv2(fd, vectors, count, offset, flags);
    while (n == -1 && errno == EINTR);
    return n;
}

long chost_pwritev2(int fd, const struct iovec *vectors, int count, int64_t offset, int flags) {
    long n;
    do n = pwritev2(fd, vectors, count, offset, flags);
    while (n == -1 && errno == EINTR);
    return n;
}

#if defined(__x86_64__)

// The guarded routine is a leaf of a few instructions whose fault address range is known, so that the handler can tell its faults
// from all others and let it return -1.
__asm__(
    ".text\n"
    ".p2align 4\n"
    ".local chost_guarded_start\n"
    ".type chost_guarded_start, @function\n"
    "chost_guarded_start:\n"
    // rdi word, esi exchange, edx expected, ecx desired, r8 found
    "  testl %esi, %esi\n"
    "  jnz 1f\n"
    "  movl (%rdi), %eax\n"
    "  jmp 2f\n"
    "1: movl %edx, %eax\n"
    "  lock cmpxchgl %ecx, (%rdi)\n"
    "2: movl %eax, (%r8)\n"
    "  xorl %eax, %eax\n"
    "  ret\n"
    ".local chost_guarded_failed\n"
    "chost_guarded_failed:\n"
    "  movl $-1, %eax\n"
    "  ret\n"
    ".size chost_guarded_start, . - chost_guarded_start\n");
extern int chost_guarded_start(void *, int, uint32_t, uint32_t, uint32_t *);
extern char chost_guarded_failed[];

static struct sigaction previous;

static void on_bus(int number, siginfo_t *info, void *opaque) {
    ucontext_t *context = opaque;
    uintptr_t at = (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
    if (at >= (uintptr_t)chost_guarded_start && at < (uintptr_t)chost_guarded_failed) {
        context->uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)chost_guarded_failed;
        return;
    }
    if (previous.sa_flags & SA_SIGINFO) {
        previous.sa_sigaction(number, info, opaque);
    } else {
        // The default action: the instruction faults again and takes it.
        signal(SIGBUS, SIG_DFL);
    }
}

static void install(void) {
    struct sigaction action = {0};
    action.sa_sigaction = on_bus;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigaction(SIGBUS, &action, &previous);
}

int chost_guarded_atomic32(void *word, int exchange, uint32_t expected, uint32_t desired, uint32_t *found) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, install);
    return chost_guarded_start(word, exchange, expected, desired, found);
}

#endif

long chost_count_present(void *address, unsigned long pages) {
    unsigned char present[1024];
    long total = 0;
    for (unsigned long done = 0; done < pages; done += sizeof present) {
        unsigned long count = pages - done < sizeof present ? pages - done : sizeof present;
        if (mincore((char *)address + done * 4096, count * 4096, present) == -1) return -1;
        for (unsigned long i = 0; i < count; i++) total += present[i] & 1;
    }
    return total;
}
