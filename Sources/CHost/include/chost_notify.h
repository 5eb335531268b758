// Seccomp notifications of guest threads, their registers in the signal frame, and the birth of such threads.
#ifndef STOCKADE_CHOST_NOTIFY_H
#define STOCKADE_CHOST_NOTIFY_H

#include <stdint.h>

/// A notification: what a guest thread waits with.
struct chost_notification {
    uint64_t id;
    /// Thread that raised it, as the kernel says.
    int32_t thread;
    /// AUDIT_ARCH_*: a 32-bit entry differs.
    uint32_t architecture;
    /// The low 32 bits of RAX, sign-extended.
    int64_t number;
    uint64_t instruction_pointer;
    uint64_t arguments[6];
};

enum { CHOST_NOTIFY_OK = 0, CHOST_NOTIFY_GONE = 1, CHOST_NOTIFY_MISSED = 2, CHOST_NOTIFY_TIMEOUT = 3 };

/// Answers a notification with `value` as RAX. OK, MISSED when the thread does not wait any more (a signal took it out), GONE.
int chost_notify_answer(int listener, uint64_t id, int64_t value);
/// Waits for the next notification. OK or GONE. `polls`: the host's kernel does not wake this wait when the thread dies (before 6.11).
int chost_notify_receive(int listener, int polls, struct chost_notification *notification);
/// As chost_notify_receive, at most so many milliseconds: TIMEOUT.
int chost_notify_receive_within(int listener, int milliseconds, struct chost_notification *notification);
/// Wakes the other side on the waker's CPU (Linux 6.6). Returns 0 or -1.
int chost_notify_wake_on_this_cpu(int listener);
/// Non-zero when `architecture` is x86-64.
int chost_notify_is_native(uint32_t architecture);

/// Prepares the order pages of `slot` for a new thread whose signal stack is the area at `area`.
void chost_stub_prepare_birth(void *slot, uint64_t area);
/// Addresses in the stub of what chost_stub_prepare_birth wrote: the stack_t and the message.
uint64_t chost_stub_birth_stack(void);
uint64_t chost_stub_birth_message(void);
/// The listener that a manager sent: a descriptor, or -1.
int chost_stub_receive_listener(int socket);
/// Lets a thread run on every CPU that this process may use.
void chost_unbind(int thread);
int chost_stub_kick_notifying(int pid, int tid);
/// Whether user code may write FS and GS base (Linux 5.9 on a processor with FSGSBASE).
int chost_has_fsgsbase(void);

/// The rt_sigframe of x86-64 (arch/x86/include/asm/sigframe.h) at `frame`, which guests can write: each word is read once.
enum { CHOST_FRAME_SIZE = 440 };
void chost_frame_load(const void *frame, uint64_t registers[27]);
/// Stores general registers, an empty signal mask and the stack at `area`, as after a clean entry.
void chost_frame_store(void *frame, const uint64_t registers[27], uint64_t area);
/// Writes anew what the kernel wrote around the registers, for a frame that a former guest may have spoilt.
void chost_frame_repair(void *frame, void *image, uint64_t image_address, uint32_t image_size, uint64_t features);
/// The vector state after execve(2): x87 and SSE control words as they start, everything else initial.
void chost_fpstate_reset(void *image, uint32_t image_size);
void chost_frame_set_rax(void *frame, uint64_t value);
/// A call that was interrupted before its answer starts again on return: makes it a finished one instead. `length`: of its instruction.
void chost_frame_finish_call(void *frame, uint64_t length, uint64_t value);
uint64_t chost_frame_instruction_pointer(const void *frame);
/// Address of the XSAVE image that goes with the frame.
uint64_t chost_frame_fpstate(const void *frame);
void chost_frame_signal_info(const void *frame, void *info);
/// Error code and trap number of the processor.
uint64_t chost_frame_error(const void *frame);
uint64_t chost_frame_trap(const void *frame);
/// What the kernel says of an XSAVE image that it stored: its size, and the features in it. Returns 0 when it says nothing.
uint32_t chost_fpstate_size(const void *image, uint64_t *features);

#endif
