// Calls that guest threads hand over through their areas (CStub's cstub_fast). Guests write to areas at any time: every word is
// read once, and nothing read is trusted.
#ifndef STOCKADE_CHOST_FAST_H
#define STOCKADE_CHOST_FAST_H

#include <stdint.h>

/// A call as the guest thread posted it.
struct chost_fast_call {
    uint64_t number;
    uint64_t arguments[6];
    /// Address of the site's block, as the guest says.
    uint64_t block;
};

/// What chost_fast_wait saw.
enum { CHOST_FAST_TAKEN = 1, CHOST_FAST_QUIET = 2, CHOST_FAST_NOTIFIED = 3, CHOST_FAST_PREEMPTED = 4 };

/// Nothing posted, nobody watching.
void chost_fast_reset(void *area);
/// Tells the guest thread that its calls are watched for. Before the answer to its present one.
void chost_fast_serve(void *area);
/// Watches for a call, `cycles` of the time-stamp counter at most. TAKEN: `*call` is it. NOTIFIED: `listener` has
/// something, or a doorbell comes. PREEMPTED: the host ran something else here meanwhile. Calls go on being watched for in every case.
int chost_fast_wait(void *area, int listener, uint64_t cycles, struct chost_fast_call *call);
/// Ends watching. Returns non-zero when a call came in the last moment, which has been taken.
int chost_fast_stop(void *area, struct chost_fast_call *call);
/// Says that the result will take a while.
void chost_fast_block(void *area);
/// Hands the result over. Returns non-zero when the guest thread waits for it in the host.
int chost_fast_finish(void *area, uint64_t value);
/// Takes back a call that was posted and not taken. Non-zero on success.
int chost_fast_withdraw(void *area);
uint32_t chost_fast_state(const void *area);
void chost_fast_set_idle(void *area);
/// A doorbell has been received.
void chost_fast_rang(void *area);
/// The words `call` and `block` of cstub_fast.
uint32_t chost_fast_flags(const void *area);
uint32_t chost_fast_block_address(const void *area);

/// Writes the block at `block`, whose address in the stub is `address`, for a site that calls `number` and ends before
/// `return_address`.
void chost_fast_write_block(void *block, uint32_t address, uint32_t number, uint64_t return_address, uint64_t handler);

/// The time-stamp counter.
uint64_t chost_cycles(void);
/// Moves this thread to another CPU than `cpu`, which it may come back to. 0, or -1 when there is none.
int chost_leave_cpu(int cpu);

#endif
