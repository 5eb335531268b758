// Shared by the part of the zygote that runs in the Sentry's image and the part that runs in the stub region.
#ifndef STOCKADE_CSTUB_INTERNAL_H
#define STOCKADE_CSTUB_INTERNAL_H

#include "cstub.h"

struct cstub_instruction {
    uint16_t code;
    uint8_t jump_true, jump_false;
    uint32_t operand;
};

/// struct sock_fprog.
struct cstub_program {
    uint16_t length;
    uint16_t pad[3];
    uint64_t filter;
};

/// Written by the Sentry's child before it jumps into the stub region, read-only afterwards.
struct cstub_config {
    int32_t sentry;
    uint32_t kept_count;
    /// Ranges that stay mapped, in order of address: the vDSO and its data.
    struct cstub_vdso kept[CSTUB_MAXIMUM_VDSO];
    /// Filter of the manager and of threads that are being made.
    struct cstub_program program;
    struct cstub_instruction filter[64];
    /// Filter that a guest thread adds for itself on the seccomp platform.
    struct cstub_program guest_program;
    struct cstub_instruction guest_filter[64];
};

extern char __start_stub_text[] __attribute__((visibility("hidden")));
extern char __stop_stub_text[] __attribute__((visibility("hidden")));
extern char cstub_manager_site[] __attribute__((visibility("hidden")));
extern char cstub_doorbell_site[] __attribute__((visibility("hidden")));
extern char cstub_sigreturn_site[] __attribute__((visibility("hidden")));
extern char cstub_handler[] __attribute__((visibility("hidden")));
extern char cstub_fast[] __attribute__((visibility("hidden")));
extern char cstub_fast_saved[] __attribute__((visibility("hidden")));
extern char cstub_fast_posted[] __attribute__((visibility("hidden")));
extern char cstub_fast_done[] __attribute__((visibility("hidden")));
extern char cstub_fast_slow[] __attribute__((visibility("hidden")));
extern char cstub_fast_overflow[] __attribute__((visibility("hidden")));
extern char cstub_fast_restored[] __attribute__((visibility("hidden")));
extern char cstub_fast_end[] __attribute__((visibility("hidden")));
extern char cstub_wait_site[] __attribute__((visibility("hidden")));
void cstub_zygote_main(const struct cstub_config *config) __attribute__((visibility("hidden")));

#endif
