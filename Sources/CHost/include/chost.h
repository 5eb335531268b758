// Thin C over host interfaces that Swift cannot call directly: variadic calls, macros, raw system calls.
#ifndef STOCKADE_CHOST_H
#define STOCKADE_CHOST_H

#include <stddef.h>
#include <stdint.h>

/// Starts a detached thread with a 512 KiB stack. Returns 0 or an errno.
int chost_thread_start(void (*body)(void *), void *argument);

/// syscall(2) for calls without a usable C wrapper; -1 and errno on failure.
long chost_syscall6(long number, long a0, long a1, long a2, long a3, long a4, long a5);

/// Parking word: 0 empty, 1 token, 2 parked. Wake leaves a token; park takes it, waiting until `deadline_ns` on CLOCK_MONOTONIC
/// (negative: for ever). Park returns 1 when it took a token, 0 at the deadline.
void chost_parker_wake(uint32_t *word);
int chost_parker_park(uint32_t *word, int64_t deadline_ns);

int chost_gettid(void);

#endif
