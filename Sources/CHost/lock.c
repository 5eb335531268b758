#define _GNU_SOURCE
#include "chost_lock.h"

#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <x86intrin.h>

/// Some microseconds: what is done with such a lock held takes less, unless its holder does not run.
enum { LOOKS = 60 };

void chost_lock_take_slowly(uint32_t *word) {
    for (int i = 0; i < LOOKS; i++) {
        uint32_t free_word = 0;
        if (__atomic_load_n(word, __ATOMIC_RELAXED) == 0 &&
            __atomic_compare_exchange_n(word, &free_word, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            return;
        _mm_pause();
    }
    while (__atomic_exchange_n(word, 2, __ATOMIC_ACQUIRE) != 0) syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, 2, NULL, NULL, 0);
}

void chost_lock_wake(uint32_t *word) { syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0); }
