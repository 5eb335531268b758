// The manager thread of a stub process and the entry of guest threads. It keeps nothing in memory that a guest thread could change:
// all state is in registers, orders come from pages that are read-only here, and every system call is made at one address, which the
// seccomp filter knows.
//
//   rbx  order pages        r12d operations left      r15  where to go after the system call
//   rbp  scratch page       r13  current operation      r14d tries left

#include "cstub_offsets.h"

#define CSTUB_BLOCK_SLOW 48

#define ORDER    0x7fff00020000
#define SCRATCH  0x7fff00030000
#define STACK    0x7fff00040000
#define STACK_SIZE 0x8000
#define GUEST_PROGRAM (0x7fff00010000 + CSTUB_GUEST_PROGRAM_OFFSET)
#define DOORBELL 0x5afe
#define AREA_MASK -0x4000
#define WAIT     0x5aff
// States of a call in an area.
#define POSTED   1
#define TAKEN    2
#define DONE     3
#define SLEEPING 4
// How often a guest thread looks for its result before it waits in the host: some 200 to 500 microseconds, longer than the Gofer takes
// for a directory. A call that waits for an event makes it stop at once.
#define SPINS    40000
// How often an operation is tried again.
#define PATIENCE 200000

    .section stub_text, "ax", @progbits
    .hidden cstub_manager
    .globl cstub_manager
    .type cstub_manager, @function
cstub_manager:
    movabs $ORDER, %rbx
    movabs $SCRATCH, %rbp
    // munmap(stack): nothing below needs one.
    mov $11, %eax
    movabs $STACK, %rdi
    mov $STACK_SIZE, %esi
    lea next_order(%rip), %r15
    jmp site

next_order:
    // read(orders, scratch, 1)
    xor %eax, %eax
    xor %edi, %edi
    mov %rbp, %rsi
    mov $1, %edx
    lea ordered(%rip), %r15
    jmp site
ordered:
    cmp $1, %rax
    jne leave
    mov (%rbx), %r12d
    lea 64(%rbx), %r13
    mov $PATIENCE, %r14d

next_operation:
    test %r12d, %r12d
    jz all_done
    mov (%r13), %rax
    mov 8(%r13), %rdi
    mov 16(%r13), %rsi
    mov 24(%r13), %rdx
    mov 32(%r13), %r10
    mov 40(%r13), %r8
    mov 48(%r13), %r9
    lea performed(%rip), %r15
    cmp $56, %eax
    jne site
    // clone(2) has five arguments: the sixth register tells the new thread its stack, for it may begin when the next order is already there.
    mov 56(%r13), %r9
    lea cloned(%rip), %r15
    jmp site
cloned:
    test %rax, %rax
    jz guest_thread
performed:
    cmp $-4096, %rax
    ja refused
    mov %rax, 8(%rbp)
    dec %r12d
    add $64, %r13
    jmp next_operation

refused:
    // A listener appears once the new thread has made it: EBADF until then, if the operation says so.
    cmp $-9, %rax
    jne failed
    cmpq $0, 56(%r13)
    je failed
    dec %r14d
    jz failed
    mov $24, %eax
    lea next_operation(%rip), %r15
    jmp site
failed:
    mov %rax, 8(%rbp)
    mov %r12, 16(%rbp)
    lea bad(%rip), %rsi
    jmp answer
all_done:
    lea good(%rip), %rsi
answer:
    // write(completion, one byte that no guest can change, 1)
    mov $1, %eax
    mov $1, %edi
    mov $1, %edx
    lea next_order(%rip), %r15
    jmp site

leave:
    mov $231, %eax
    xor %edi, %edi
    lea leave(%rip), %r15
    jmp site

guest_thread:
    // Nothing of the order or the scratch page is this thread's to read: both belong to the manager's next order.
    mov %r9, %rdi
    test %rdi, %rdi
    jnz notifying_thread
wait_for_tracer:
    // pause(2) until the task thread has taken this thread over.
    mov $34, %eax
    lea wait_for_tracer(%rip), %r15
    jmp site

notifying_thread:
    // sigaltstack(stack, NULL)
    mov $131, %eax
    xor %esi, %esi
    lea has_stack(%rip), %r15
    jmp site
has_stack:
    test %rax, %rax
    jnz give_up
    // seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, program): the listener is the lowest free descriptor.
    mov $317, %eax
    mov $1, %edi
    mov $8, %esi
    movabs $GUEST_PROGRAM, %rdx
    lea is_filtered(%rip), %r15
    jmp site
is_filtered:
    test %rax, %rax
    js give_up
    // A call that the new filter traps: the handler rings, and the Sentry has the thread.
    mov $231, %eax
    lea give_up(%rip), %r15
    jmp site
give_up:
    mov $60, %eax
    xor %edi, %edi
    lea give_up(%rip), %r15
    jmp site

    .hidden cstub_manager_site
    .globl cstub_manager_site
site:
    syscall
cstub_manager_site:
    jmp *%r15

// The handler of every signal that a guest thread can get: SIGSYS for trapped calls, faults, the kick. All signals are blocked in it.
// On entry: rdi = signal, rsp = rt_sigframe on the thread's own area.
    .hidden cstub_handler
    .globl cstub_handler
    .type cstub_handler, @function
cstub_handler:
    mov %rsp, %rbx
    and $AREA_MASK, %rbx
    movl $1, CSTUB_RINGING_OFFSET(%rbx)
    mov %rsp, %rsi
    rdfsbase %rdx
    rdgsbase %r10
    mov $DOORBELL, %eax
    syscall
    .hidden cstub_doorbell_site
    .globl cstub_doorbell_site
cstub_doorbell_site:
    test %rax, %rax
    jz back_to_guest
    mov (%rbx), %rax
    wrfsbase %rax
    mov 8(%rbx), %rax
    wrgsbase %rax
back_to_guest:
    add $8, %rsp
    mov $15, %eax
    syscall
    .hidden cstub_sigreturn_site
    .globl cstub_sigreturn_site
cstub_sigreturn_site:
    hlt

// A call at a patched site. GS base is the thread's area, unless the guest took GS for itself. No stack is used, for it may not be
// there and has a red zone; rcx and r11 are what a system call may change, and rax holds the number << 16.
//
//   r11  block of the site      eax  number << 16, and flags in ax
    .macro label name
    .hidden \name
    .globl \name
\name:
    .endm

label cstub_fast
    lahf
    seto %al
    rdgsbase %rcx
    shr $28, %rcx
label cstub_fast_saved
    // Areas lie in 512 MiB at 0x7fff10000000: a guest's own GS base leads nowhere near.
    sub $0x7fff1, %rcx
    cmp $1, %rcx
    ja cstub_fast_slow
    cmpl $0, %gs:CSTUB_SERVED_OFFSET
    je cstub_fast_slow
    mov %rdi, %gs:CSTUB_ARGUMENTS_OFFSET
    mov %rsi, %gs:CSTUB_ARGUMENTS_OFFSET+8
    mov %rdx, %gs:CSTUB_ARGUMENTS_OFFSET+16
    mov %r10, %gs:CSTUB_ARGUMENTS_OFFSET+24
    mov %r8, %gs:CSTUB_ARGUMENTS_OFFSET+32
    mov %r9, %gs:CSTUB_ARGUMENTS_OFFSET+40
    mov %eax, %gs:CSTUB_CALL_OFFSET
    mov %r11d, %gs:CSTUB_BLOCK_OFFSET
    mov $POSTED, %ecx
    xchg %ecx, %gs:CSTUB_STATE_OFFSET
label cstub_fast_posted
    // The task thread clears this word before it looks at the state a last time: one of both sees the other.
    cmpl $0, %gs:CSTUB_SERVED_OFFSET
    je withdraw
look:
    mov $SPINS, %ecx
spin:
    mov %gs:CSTUB_STATE_OFFSET, %eax
    cmp $DONE, %eax
    je cstub_fast_done
    cmpl $0, %gs:CSTUB_BLOCKING_OFFSET
    jne give_up_spinning
    pause
    dec %ecx
    jnz spin
give_up_spinning:
    mov $TAKEN, %eax
    mov $SLEEPING, %ecx
    lock cmpxchg %ecx, %gs:CSTUB_STATE_OFFSET
    je sleep
    cmp $DONE, %eax
    je cstub_fast_done
    cmp $SLEEPING, %eax
    je sleep
withdraw:
    mov $POSTED, %eax
    xor %ecx, %ecx
    lock cmpxchg %ecx, %gs:CSTUB_STATE_OFFSET
    jne look
    mov %gs:CSTUB_CALL_OFFSET, %eax
    mov %gs:CSTUB_BLOCK_OFFSET, %r11d
    jmp cstub_fast_slow
sleep:
    mov $WAIT, %eax
    syscall
label cstub_wait_site
    jmp look

label cstub_fast_done
    mov %gs:CSTUB_CALL_OFFSET, %eax
    mov %gs:CSTUB_BLOCK_OFFSET, %r11d
    add $0x7f, %al
    sahf
    mov %gs:CSTUB_RESULT_OFFSET, %rax
    mov 8(%r11), %rcx
    jmp *%rcx

label cstub_fast_slow
    add $0x7f, %al
label cstub_fast_overflow
    sahf
label cstub_fast_restored
    lea CSTUB_BLOCK_SLOW(%r11), %rcx
    jmp *%rcx
label cstub_fast_end

good:
    .byte 'K'
bad:
    .byte 'E'

    .section .note.GNU-stack, "", @progbits
