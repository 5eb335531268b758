#include "fuzzer.h"
#include <sys/mman.h>
#include <sys/syscall.h>

#define A {ADDRESS}
#define L {LENGTH}
#define PROT BITS(15 | PROT_GROWSDOWN | PROT_GROWSUP)

static const struct call calls[] = {
    CALL(mmap, A, L, PROT, ONE(0x21, 0x22, 0x32, 0x31, 0x4022, 0x8022, 0x100022, 0x122, 0x1022), {NONE}, {OFFSET}),
    CALL(mmap, A, L, BITS(7), ONE(1, 2, 3, 0x11, 0x12, 0x8001, 0x100001), {FD}, ONE(0, 0, 4096, 8192, 1 << 20,
                       0x7ffffffffffff000)),
    CALL(mprotect, A, L, PROT), CALL(munmap, A, L), CALL(brk, {ANY}), CALL(mremap, A, L, L, BITS(7), A),
    CALL(msync, A, L, BITS(7)),
    CALL(mincore, A, L, {OUT}),
    CALL(madvise, A, L, ONE(0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25)),
    CALL(mlock, A, L), CALL(munlock, A, L), CALL(mlockall, BITS(7)), CALL(munlockall), CALL(mlock2, A, L, BITS(1)),
    CALL(remap_file_pages, A, L, {NONE}, {INT}, {NONE}), CALL(mbind, A, L, {INT}, {IN}, {INT}, BITS(7)),
    CALL(set_mempolicy, {INT}, {IN}, {INT}),
    CALL(get_mempolicy, {OUT}, {OUT}, {INT}, A, BITS(7)), CALL(migrate_pages, {PID}, {INT}, {IN}, {IN}),
    CALL(move_pages, {PID}, {INT}, {IN}, {IN}, {OUT}, BITS(6)), CALL(pkey_mprotect, A, L, PROT, {INT}),
    CALL(pkey_alloc, {NONE}, {INT}),
    CALL(process_vm_readv, {PID}, {VECTOR}, {INT}, {VECTOR}, {INT}, {NONE}),
    CALL(process_vm_writev, {PID}, {VECTOR}, {INT}, {VECTOR}, {INT}, {NONE}),
    {440, "process_madvise", {{FD}, {VECTOR}, {INT}, ONE(4, 20, 21, 25), {NONE}}},
    {450, "set_mempolicy_home_node", {A, L, {INT}, {NONE}}},
    CALL(shmget, ONE(0, 1, 2, 3), L, ONE(0600, 01600, 03600)), CALL(shmat, {IPC_ID}, A, BITS(0170000)), CALL(shmdt, A),
    CALL(shmctl, {IPC_ID}, ONE(0, 1, 2, 3, 11, 12, 13, 14, 15), {IN}),
    CALL(semget, ONE(0, 1, 2, 3), {INT}, ONE(0600, 01600, 03600)), CALL(semop, {IPC_ID}, {OPERATIONS}, {INT}),
    CALL(semtimedop, {IPC_ID}, {OPERATIONS}, {INT}, {TIME}),
    CALL(semctl, {IPC_ID}, {INT}, ONE(0, 1, 2, 3, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20), {IN}),
    CALL(msgget, ONE(0, 1, 2, 3), ONE(0600, 01600, 03600)), CALL(msgsnd, {IPC_ID}, {TYPED}, {SIZE}, BITS(04000)),
    CALL(msgrcv, {IPC_ID}, {OUT}, {SIZE}, {INT}, BITS(074000)), CALL(msgctl, {IPC_ID}, ONE(0, 1, 2, 3, 11, 12, 13), {IN}),
    {447, "memfd_secret", {BITS(02000000)}}, {448, "process_mrelease", {{FD}, {NONE}}},
    {453, "map_shadow_stack", {A, L, {INT}}}, CALL(pkey_free, {INT}), CALL(userfaultfd, {INT}),
};
const struct table memory_calls = {calls, sizeof calls / sizeof *calls};
