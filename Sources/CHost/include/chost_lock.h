// A lock word: 0 free, 1 taken, 2 taken and somebody may wait.
#ifndef CHOST_LOCK_H
#define CHOST_LOCK_H

#include <stdint.h>

/// Takes the lock. Threads that come at the right moment go ahead of those that wait: no thread is handed a lock while it does not run.
void chost_lock_take_slowly(uint32_t *word);
void chost_lock_wake(uint32_t *word);

static inline void chost_lock_take(uint32_t *word) {
    uint32_t free_word = 0;
    if (!__atomic_compare_exchange_n(word, &free_word, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) chost_lock_take_slowly(word);
}
static inline void chost_lock_give(uint32_t *word) {
    if (__atomic_exchange_n(word, 0, __ATOMIC_RELEASE) == 2) chost_lock_wake(word);
}

#endif
