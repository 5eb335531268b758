// Thin C over host interfaces that Swift cannot call directly: variadic calls, macros, raw system calls.
#ifndef STOCKADE_CHOST_H
#define STOCKADE_CHOST_H

#include <stddef.h>
#include <stdint.h>

#include "chost_affinity.h"
#include "chost_lock.h"
#include "chost_processor.h"
#include <sys/types.h>

#include "chost_random.h"
#include "chost_system.h"

/// Starts a detached thread with a 512 KiB stack. Returns 0 or an errno.
/// `near`: it begins on the caller's processor, and may leave it from then on.
int chost_thread_start(void (*body)(void *), void *argument, int near);

/// syscall(2) for calls without a usable C wrapper; -1 and errno on failure.
long chost_syscall6(long number, long a0, long a1, long a2, long a3, long a4, long a5);

/// Parking word: 0 empty, 1 token, 2 parked. Wake leaves a token; park takes it, waiting until `deadline_ns` on CLOCK_MONOTONIC
/// (negative: for ever). Park returns 1 when it took a token, 0 at the deadline.
void chost_parker_wake(uint32_t *word);
int chost_parker_park(uint32_t *word, int64_t deadline_ns);

int chost_gettid(void);

/// write(2), or send(2) with MSG_NOSIGNAL on a socket.
ssize_t chost_write_nosignal(int fd, const void *bytes, size_t count);
/// A close-on-exec AF_UNIX stream socketpair. Returns 0 or -1.
int chost_socketpair(int *a, int *b);

/// What a child process starts with: see chost_spawn.
struct chost_spawn_request {
    const char *path;
    char *const *argv;
    char *const *envp;
    /// `fd_sources[i]` becomes descriptor `fd_targets[i]`; all other descriptors above 2 are closed on exec.
    const int *fd_sources;
    const int *fd_targets;
    int fd_count;
};
/// Starts a program with default signal dispositions and an empty signal mask. Returns its pid, or -1 and errno.
int chost_spawn(const struct chost_spawn_request *request);

/// Blocks the signals of `mask` (bit n-1 for signal n) and returns a non-blocking, close-on-exec signalfd for them, or -1.
int chost_signal_queue(uint64_t mask);
/// The next signal of the queue, 0 when none; `*from_kernel` tells whether the kernel sent it by itself.
int chost_signal_next(int fd, int *from_kernel);
void chost_block_all_signals(void);

char *const *chost_environment(void);
ssize_t chost_readlink(const char *path, void *bytes, size_t count);

/// Puts a placeholder (O_PATH, close-on-exec) on each closed descriptor among 0, 1 and 2, so that nothing else lands there. Returns a mask
/// of those that were open.
int chost_reserve_standard_descriptors(void);
/// Orphans of the caller's descendants become its children. Returns 0 or -1.
int chost_become_subreaper(void);
/// Waits until no child is left.
void chost_reap_all(void);

/// Lets the allocator make at most `count` arenas. Without it the C library counts processors by opening files, which the filter forbids.
void chost_limit_arenas(int count);
void chost_trim_heap(void);

/// Kills the caller when `parent` dies. Returns 0, or -1 when `parent` is no longer the parent.
int chost_die_with_parent(int parent);
/// Makes the descriptor table as large as it will ever need to be, while the process has one thread: growing it later costs an RCU
/// grace period. Also raises the soft limit of open files to the hard one (1,048,576 at most). Returns the limit.
long chost_grow_descriptor_table(long capacity);
long chost_descriptor_limit(void);

#endif
