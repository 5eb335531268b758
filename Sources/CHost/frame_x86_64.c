// The signal frame that the kernel builds for a guest thread: struct rt_sigframe of arch/x86. Guest threads share the memory, so every
// word is read once, through a volatile pointer, and nothing read is trusted to be sane.
#include "chost_notify.h"
#include "cstub.h"

#include <stddef.h>
#include <string.h>

struct rt_sigframe {
    uint64_t return_address;
    struct {
        uint64_t flags, link;
        uint64_t stack_base, stack_flags, stack_size;
        uint64_t r8, r9, r10, r11, r12, r13, r14, r15, di, si, bp, bx, dx, ax, cx, sp, ip, flags_register;
        uint16_t cs, gs, fs, ss;
        uint64_t error, trap, old_mask, cr2, fpstate, reserved[8];
        uint64_t mask;
    } context;
    uint8_t info[128];
};
_Static_assert(sizeof(struct rt_sigframe) == CHOST_FRAME_SIZE, "as the kernel lays it out");

// Positions in user_regs_struct.
enum { R15, R14, R13, R12, RBP, RBX, R11, R10, R9, R8, RAX, RCX, RDX, RSI, RDI, ORIG_RAX, RIP, CS, FLAGS, RSP, SS, FS_BASE, GS_BASE };

void chost_frame_load(const void *frame, uint64_t r[27]) {
    const volatile struct rt_sigframe *f = frame;
    r[R15] = f->context.r15, r[R14] = f->context.r14, r[R13] = f->context.r13, r[R12] = f->context.r12;
    r[R11] = f->context.r11, r[R10] = f->context.r10, r[R9] = f->context.r9, r[R8] = f->context.r8;
    r[RBP] = f->context.bp, r[RBX] = f->context.bx, r[RAX] = f->context.ax, r[RCX] = f->context.cx;
    r[RDX] = f->context.dx, r[RSI] = f->context.si, r[RDI] = f->context.di;
    r[ORIG_RAX] = ~0ul;
    r[RIP] = f->context.ip, r[RSP] = f->context.sp, r[FLAGS] = f->context.flags_register;
    r[CS] = 0x33, r[SS] = 0x2b;
    for (int i = GS_BASE + 1; i < 27; i++) r[i] = 0;
}

void chost_frame_store(void *frame, const uint64_t r[27], uint64_t area) {
    volatile struct rt_sigframe *f = frame;
    f->context.r15 = r[R15], f->context.r14 = r[R14], f->context.r13 = r[R13], f->context.r12 = r[R12];
    f->context.r11 = r[R11], f->context.r10 = r[R10], f->context.r9 = r[R9], f->context.r8 = r[R8];
    f->context.bp = r[RBP], f->context.bx = r[RBX], f->context.ax = r[RAX], f->context.cx = r[RCX];
    f->context.dx = r[RDX], f->context.si = r[RSI], f->context.di = r[RDI];
    f->context.ip = r[RIP], f->context.sp = r[RSP], f->context.flags_register = r[FLAGS];
    f->context.cs = 0x33, f->context.gs = 0, f->context.fs = 0, f->context.ss = 0x2b;
    f->context.mask = 0;
    f->context.stack_base = area, f->context.stack_flags = 0, f->context.stack_size = CSTUB_AREA_SIZE;
}

void chost_frame_set_rax(void *frame, uint64_t value) { ((volatile struct rt_sigframe *)frame)->context.ax = value; }

void chost_frame_finish_call(void *frame, uint64_t length, uint64_t value) {
    volatile struct rt_sigframe *f = frame;
    f->context.ip += length;
    f->context.ax = value;
}

uint64_t chost_frame_instruction_pointer(const void *frame) { return ((const volatile struct rt_sigframe *)frame)->context.ip; }
uint64_t chost_frame_fpstate(const void *frame) { return ((const volatile struct rt_sigframe *)frame)->context.fpstate; }
uint64_t chost_frame_error(const void *frame) { return ((const volatile struct rt_sigframe *)frame)->context.error; }
uint64_t chost_frame_trap(const void *frame) { return ((const volatile struct rt_sigframe *)frame)->context.trap; }
void chost_frame_signal_info(const void *frame, void *info) { memcpy(info, (const char *)frame + offsetof(struct rt_sigframe, info), 128); }

uint32_t chost_fpstate_size(const void *image, uint64_t *features) {
    // struct _fpx_sw_bytes in the software-reserved bytes.
    const volatile uint32_t *words = (const volatile uint32_t *)((const char *)image + 464);
    if (words[0] != 0x46505853) return 0;
    *features = words[2] | (uint64_t)words[3] << 32;
    return words[4];
}

void chost_frame_repair(void *frame, void *image, uint64_t image_address, uint32_t image_size, uint64_t features) {
    volatile struct rt_sigframe *f = frame;
    f->context.flags = 7;  // UC_FP_XSTATE, UC_SIGCONTEXT_SS, UC_STRICT_RESTORE_SS
    f->context.link = 0;
    f->context.fpstate = image_address;
    volatile uint32_t *words = (volatile uint32_t *)((char *)image + 464);
    words[0] = 0x46505853;
    words[1] = image_size + 4;
    words[2] = (uint32_t)features, words[3] = (uint32_t)(features >> 32);
    words[4] = image_size;
    for (int i = 5; i < 12; i++) words[i] = 0;
    *(volatile uint32_t *)((char *)image + image_size) = 0x46505845;
}

void chost_fpstate_reset(void *image, uint32_t image_size) {
    char *bytes = image;
    uint32_t mask;
    memcpy(&mask, bytes + 28, 4);
    memset(bytes, 0, 464);
    memset(bytes + 512, 0, image_size - 512);
    *(uint16_t *)bytes = 0x37f;
    uint32_t control = 0x1f80;
    memcpy(bytes + 24, &control, 4);
    memcpy(bytes + 28, &mask, 4);
    bytes[512] = 3;
}
