// The manager thread of a stub process and the entry of guest threads. It keeps nothing in memory that a guest thread could change:
// all state is in registers, orders come from pages that are read-only here, and every system call is made at one address, which the
// seccomp filter knows.
//
//   rbx  order pages        r12d operations left      r15  where to go after the system call
//   rbp  scratch page       r13  current operation

#define ORDER    0x7fff00020000
#define SCRATCH  0x7fff00030000
#define STACK    0x7fff00040000
#define STACK_SIZE 0x8000

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
    jmp site
performed:
    cmp $-4096, %rax
    ja failed
    test %rax, %rax
    jnz in_manager
    // clone(2) returns 0 in the new thread.
    cmpq $56, (%r13)
    je guest_thread
in_manager:
    mov %rax, 8(%rbp)
    dec %r12d
    add $64, %r13
    jmp next_operation

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
    // pause(2) until the task thread has taken this thread over.
    mov $34, %eax
    lea guest_thread(%rip), %r15
    jmp site

    .hidden cstub_manager_site
    .globl cstub_manager_site
site:
    syscall
cstub_manager_site:
    jmp *%r15

good:
    .byte 'K'
bad:
    .byte 'E'

    .section .note.GNU-stack, "", @progbits
