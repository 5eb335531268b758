#define _GNU_SOURCE
#include "chost.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { EMPTY = 0, TOKEN = 1, PARKED = 2 };

void chost_parker_wake(uint32_t *word) {
    if (__atomic_exchange_n(word, TOKEN, __ATOMIC_SEQ_CST) == PARKED)
        syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0);
}

int chost_parker_park(uint32_t *word, int64_t deadline_ns) {
    struct timespec deadline = {deadline_ns / 1000000000, deadline_ns % 1000000000};
    for (;;) {
        uint32_t found = TOKEN;
        if (__atomic_compare_exchange_n(word, &found, EMPTY, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) return 1;
        found = EMPTY;
        if (!__atomic_compare_exchange_n(word, &found, PARKED, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) && found != PARKED) continue;
        long r = syscall(SYS_futex, word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, PARKED, deadline_ns < 0 ? NULL : &deadline, NULL,
                         FUTEX_BITSET_MATCH_ANY);
        if (r == -1 && errno == ETIMEDOUT) return __atomic_exchange_n(word, EMPTY, __ATOMIC_SEQ_CST) == TOKEN;
    }
}
