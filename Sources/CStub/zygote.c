// The zygote: freestanding code in the stub region that forks stub processes on request. It must not touch anything outside the
// section `stub_text`: the rest of the program is unmapped when it runs.
#include "cstub.h"
#include "cstub_internal.h"

#include <linux/close_range.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <asm/unistd_64.h>

#define STUB __attribute__((section("stub_text"), noinline))
#define STUB_INLINE static inline __attribute__((always_inline))

STUB_INLINE long call6(long number, long a, long b, long c, long d, long e, long f) {
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}
STUB_INLINE long call3(long number, long a, long b, long c) { return call6(number, a, b, c, 0, 0, 0); }
STUB_INLINE long call2(long number, long a, long b) { return call6(number, a, b, 0, 0, 0, 0); }

struct vector {
    uint64_t base, length;
};
// struct msghdr and a cmsghdr with three descriptors, as the kernel lays them out.
struct message {
    uint64_t name;
    uint32_t name_length, pad;
    uint64_t vectors, vector_count, control, control_length;
    uint64_t flags;
};
struct control {
    uint64_t length;
    int32_t level, type;
    int32_t descriptors[4];
};

enum { SIGNAL_KILL = 9, SIGNAL_CHILD = 17, PROT_R = 1, PROT_RW = 3, SHARED_FIXED = 0x11 };

/// In the child: becomes the stub process of `slot`. Does not return.
STUB static void become_stub(const struct cstub_config *config, uint32_t slot, const int32_t *descriptors) {
    call2(__NR_prctl, PR_SET_PDEATHSIG, SIGNAL_KILL);
    if (call2(__NR_getppid, 0, 0) != config->sentry) goto fail;
    for (int i = 0; i < 3; i++)
        if (call3(__NR_dup3, descriptors[i], i, 0) < 0) goto fail;
    uint64_t offset = (uint64_t)slot * CSTUB_SLOT_SIZE;
    if (call6(__NR_mmap, CSTUB_ORDER, CSTUB_ORDER_SIZE, PROT_R, SHARED_FIXED, CSTUB_FD_SLOTS, (long)offset) < 0) goto fail;
    if (call6(__NR_mmap, CSTUB_SCRATCH, CSTUB_SCRATCH_SIZE, PROT_RW, SHARED_FIXED, CSTUB_FD_SLOTS, (long)(offset + CSTUB_ORDER_SIZE)) < 0)
        goto fail;
    if (call3(__NR_close_range, CSTUB_FD_RECEIVED, ~0u, 0) < 0) goto fail;
    if (call3(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, (long)&config->program) < 0) goto fail;
    __asm__ volatile("jmp cstub_manager");
fail:
    for (;;) call2(__NR_exit_group, 1, 0);
}

STUB void cstub_zygote_main(const struct cstub_config *config) {
    // Everything but the stub region and the vDSO goes.
    uint64_t cursor = 0x1000;
    for (uint32_t i = 0; i < config->kept_count; i++) {
        if (config->kept[i].start > cursor) call2(__NR_munmap, (long)cursor, (long)(config->kept[i].start - cursor));
        cursor = config->kept[i].start + config->kept[i].length;
    }
    call2(__NR_munmap, (long)cursor, (long)(CSTUB_BASE - cursor));
    call2(__NR_munmap, CSTUB_STACK + CSTUB_STACK_SIZE, (long)(CSTUB_TASK_SIZE - CSTUB_STACK - CSTUB_STACK_SIZE));
    for (;;) {
        uint32_t slot = 0;
        struct control control;
        struct vector vector = {(uint64_t)&slot, sizeof slot};
        struct message message;
        message.name = 0;
        message.name_length = message.pad = 0;
        message.vectors = (uint64_t)&vector;
        message.vector_count = 1;
        message.control = (uint64_t)&control;
        message.control_length = sizeof control;
        message.flags = 0;
        long received = call3(__NR_recvmsg, CSTUB_FD_CONTROL, (long)&message, 0);
        if (received == -4) continue;  // EINTR
        if (received <= 0) call2(__NR_exit_group, 0, 0);
        if (received != sizeof slot || message.control_length < 16 + 3 * 4) continue;
        long child = call6(__NR_clone, CLONE_PARENT | SIGNAL_CHILD, 0, 0, 0, 0, 0);
        if (child == 0) become_stub(config, slot, control.descriptors);
        for (int i = 0; i < 3; i++) call2(__NR_close, control.descriptors[i], 0);
        int32_t answer = (int32_t)child;
        call6(__NR_sendto, CSTUB_FD_CONTROL, (long)&answer, sizeof answer, 0x4000 /* MSG_NOSIGNAL */, 0, 0);
    }
}
