#define _GNU_SOURCE
#include "chost_fast.h"
#include "cstub.h"

#include <poll.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <x86intrin.h>

static volatile struct cstub_fast *fast(const void *area) {
    return (volatile struct cstub_fast *)((uintptr_t)area + CSTUB_FAST_OFFSET);
}

static uint32_t state(const void *area) { return __atomic_load_n(&fast(area)->state, __ATOMIC_ACQUIRE); }
static int exchange_if(void *area, uint32_t expected, uint32_t desired) {
    return __atomic_compare_exchange_n(&fast(area)->state, &expected, desired, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

void chost_fast_reset(void *area) { memset((void *)((uintptr_t)area + CSTUB_FAST_OFFSET), 0, sizeof(struct cstub_fast)); }
void chost_fast_serve(void *area) { fast(area)->is_served = 1; }

static int take(void *area, struct chost_fast_call *call) {
    if (!exchange_if(area, CSTUB_FAST_POSTED, CSTUB_FAST_TAKEN)) return 0;
    volatile struct cstub_fast *f = fast(area);
    for (int i = 0; i < 6; i++) call->arguments[i] = f->arguments[i];
    call->number = f->call >> 16;
    call->block = f->block;
    return 1;
}

/// A look takes some tens of cycles: this long between two means that the host ran something else. A guest thread that has not called for some
/// microseconds may have called from a place that is not patched.
enum { LOOKS = 32, PREEMPTION = 200000, UNUSUAL = 8000 };

static int is_notified(int listener) {
    struct pollfd one = {.fd = listener, .events = POLLIN};
    return poll(&one, 1, 0) > 0;
}

int chost_fast_wait(void *area, int listener, uint64_t cycles, struct chost_fast_call *call) {
    volatile struct cstub_fast *f = fast(area);
    const uint64_t start = __rdtsc();
    uint64_t last = start, asked = start;
    for (;;) {
        for (int i = 0; i < LOOKS; i++) {
            if (state(area) == CSTUB_FAST_POSTED && take(area, call)) return CHOST_FAST_TAKEN;
            if (f->is_ringing) return CHOST_FAST_NOTIFIED;
            _mm_pause();
        }
        uint64_t now = __rdtsc();
        if (now - last > PREEMPTION) return CHOST_FAST_PREEMPTED;
        if (now - start > cycles) return CHOST_FAST_QUIET;
        if (now - asked > UNUSUAL) {
            if (is_notified(listener)) return CHOST_FAST_NOTIFIED;
            now = asked = __rdtsc();
        }
        last = now;
    }
}

int chost_fast_stop(void *area, struct chost_fast_call *call) {
    __atomic_store_n(&fast(area)->is_served, 0, __ATOMIC_SEQ_CST);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return state(area) == CSTUB_FAST_POSTED && take(area, call);
}

void chost_fast_block(void *area) { fast(area)->is_blocking = 1; }

int chost_fast_finish(void *area, uint64_t value) {
    volatile struct cstub_fast *f = fast(area);
    f->is_blocking = 0;
    f->result = value;
    return __atomic_exchange_n(&f->state, CSTUB_FAST_DONE, __ATOMIC_SEQ_CST) == CSTUB_FAST_SLEEPING;
}

int chost_fast_withdraw(void *area) { return exchange_if(area, CSTUB_FAST_POSTED, CSTUB_FAST_IDLE); }
uint32_t chost_fast_state(const void *area) { return state(area); }
void chost_fast_set_idle(void *area) {
    fast(area)->is_blocking = 0;
    __atomic_store_n(&fast(area)->state, CSTUB_FAST_IDLE, __ATOMIC_SEQ_CST);
}
void chost_fast_rang(void *area) { fast(area)->is_ringing = 0; }
uint32_t chost_fast_flags(const void *area) { return fast(area)->call; }
uint32_t chost_fast_block_address(const void *area) { return fast(area)->block; }

void chost_fast_write_block(void *block, uint32_t address, uint32_t number, uint64_t return_address, uint64_t handler) {
    struct cstub_block b;
    memset(&b, 0xcc, sizeof b);
    b.entry_address = address + CSTUB_BLOCK_ENTRY;
    b.return_address = return_address;
    b.handler_address = handler;
    uint8_t *p = b.entry;
    const uint32_t shifted = number << 16, handler_at = address + (uint32_t)offsetof(struct cstub_block, handler_address);
    *p++ = 0x41, *p++ = 0xbb, memcpy(p, &address, 4), p += 4;            // mov $block, %r11d
    *p++ = 0xb8, memcpy(p, &shifted, 4), p += 4;                         // mov $number << 16, %eax
    *p++ = 0xff, *p++ = 0x24, *p++ = 0x25, memcpy(p, &handler_at, 4);    // jmp *handler_address
    p = b.slow;
    const uint32_t back = (uint32_t)(address + offsetof(struct cstub_block, return_address));
    *p++ = 0xb8, memcpy(p, &number, 4), p += 4;                          // mov $number, %eax
    *p++ = 0x0f, *p++ = 0x05;                                            // syscall
    *p++ = 0xff, *p++ = 0x24, *p++ = 0x25, memcpy(p, &back, 4);          // jmp *return_address
    memcpy(block, &b, sizeof b);
}

uint64_t chost_cycles(void) { return __rdtsc(); }

int chost_leave_cpu(int cpu) {
    unsigned long all[16] = {0}, mask[16];
    if (cpu < 0 || cpu >= 1024 || syscall(SYS_sched_getaffinity, 0, sizeof all, all) <= 0) return -1;
    memcpy(mask, all, sizeof mask);
    mask[cpu / 64] &= ~(1ul << (cpu % 64));
    unsigned long any = 0;
    for (int i = 0; i < 16; i++) any |= mask[i];
    if (!any || syscall(SYS_sched_setaffinity, 0, sizeof mask, mask) == -1) return -1;
    return syscall(SYS_sched_setaffinity, 0, sizeof all, all) == -1 ? -1 : 0;
}
