// Programs that attack the stub from inside a sandbox. Each attack runs in a child; the parent says what became of it and looks whether
// it was itself left alone.
#ifndef STOCKADE_HOSTILE_H
#define STOCKADE_HOSTILE_H

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/ucontext.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// The stub region (Sources/Platform/README.md).
#define STUB_CODE 0x7fff00000000ul
#define STUB_CODE_SIZE 0x10000ul
#define STUB_SCRATCH 0x7fff00030000ul
#define STUB_AREAS 0x7fff10000000ul
#define AREA_SIZE 0x4000ul

/// Runs code at `target` as `syscall` would be run there, with r15 leading back: returns RAX.
long call_at(uint64_t target, long number, long a, long b, long c, long d, long e, long f);
/// Addresses of the `syscall` instructions in the stub, up to `capacity`.
int syscall_sites(uint64_t *sites, int capacity);
/// Areas of the stub that this process can write, up to `capacity`.
int writable_areas(uint64_t *areas, int capacity);
/// Whether an address can be read, or written.
int probe(uint64_t address, int write);

struct attack {
    const char *name;
    /// Returns what it got as a line; may also die.
    void (*run)(void);
};
extern const struct attack jumps[], memories[], entries[], limits[], calls[];

#endif
