// ptrace(2) of guest threads and orders to stub managers.
#ifndef STOCKADE_CHOST_PTRACE_H
#define STOCKADE_CHOST_PTRACE_H

#include <stdint.h>

/// Seizes and stops the thread `tid`, which waits in the stub. Returns 0 or -1.
int chost_trace_start(int tid);

/// What chost_trace_run saw.
enum {
    CHOST_TRACE_SYSCALL = 1,
    CHOST_TRACE_SIGNAL = 2,
    CHOST_TRACE_STOP = 3,
    CHOST_TRACE_GONE = 4,
};
/// Sets all registers (27 words), or RAX alone from them, or none; runs the thread until its next stop without letting a system call through. At a
/// system call `*call` says which; at other stops the registers are read. Returns what happened; `*signal` is the signal of a signal stop. When the registers are refused, returns -1 and the
/// thread did not run.
enum { CHOST_SET_NONE = 0, CHOST_SET_RAX = 1, CHOST_SET_ALL = 2 };
struct chost_trace_call {
    uint64_t number;
    uint64_t arguments[6];
    /// Non-zero for a 32-bit entry.
    uint64_t is_foreign;
};
int chost_trace_run(int tid, int set, uint64_t *registers, int *signal, struct chost_trace_call *call);
int chost_trace_get_registers(int tid, uint64_t *registers);
/// siginfo of a signal stop, 128 bytes.
int chost_trace_signal_info(int tid, void *info);
/// XSAVE area. Returns its size or -1.
long chost_trace_get_xstate(int tid, void *area, unsigned long capacity);
int chost_trace_set_xstate(int tid, const void *area, unsigned long size);
/// Makes a stopped thread run exit(2) at the stub's system-call site, and reaps it.
void chost_trace_exit(int tid, uint64_t site);
/// Reaps a thread whose process was killed.
void chost_trace_reap(int tid);

/// The stub process as the Sentry orders it about.
struct chost_stub {
    int pid;
    int orders, completion, files;
    /// Window onto its slot: order pages, then the scratch page.
    void *slot;
    /// CPU the manager was last told to run on.
    int cpu;
};
struct cstub_operation;
/// Performs a batch. `passed` descriptors are sent ahead, one message each. Returns 0, 1 when an operation failed (`*result` is its
/// untrusted result), or -1 when the stub is gone.
int chost_stub_perform(struct chost_stub *stub, const struct cstub_operation *operations, unsigned count, const int *passed,
                       unsigned passed_count, int64_t *result);

int chost_stub_thread_is_alive(int pid, int tid);
int chost_stub_kick(int pid, int tid);
int chost_make_pipe(int *read_end, int *write_end);
int chost_stub_files_pair(int *a, int *b);
/// Allowed CPUs of this process, up to `capacity`. Returns how many.
int chost_allowed_cpus(int *cpus, int capacity);
/// waitpid without waiting: 1 when `pid` was reaped or is no child, 0 when it still runs.
int chost_stub_try_reap(int pid);
void *chost_map_slots(int fd, uint64_t length);

#endif
