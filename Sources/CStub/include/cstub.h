// Freestanding code that runs in guest address spaces, and the zygote that forks stub processes.
// Layout and protocol: Sources/Platform/README.md.
#ifndef STOCKADE_CSTUB_H
#define STOCKADE_CSTUB_H

#include <stdint.h>

/// The stub region of every guest address space. LinuxABI's AddressLimits.stubBase is the same number.
#define CSTUB_BASE 0x7fff00000000ul
#define CSTUB_CODE (CSTUB_BASE)
#define CSTUB_CODE_SIZE 0x10000ul
#define CSTUB_CONFIG (CSTUB_BASE + 0x10000ul)
#define CSTUB_CONFIG_SIZE 0x1000ul
/// Orders of the Sentry: read-only here.
#define CSTUB_ORDER (CSTUB_BASE + 0x20000ul)
#define CSTUB_ORDER_SIZE 0x4000ul
/// What the manager writes and what the kernel writes for it: guest threads can write it too, so nothing here is trusted.
#define CSTUB_SCRATCH (CSTUB_BASE + 0x30000ul)
#define CSTUB_SCRATCH_SIZE 0x1000ul
/// Stack of the zygote; a stub process drops it.
#define CSTUB_STACK (CSTUB_BASE + 0x40000ul)
#define CSTUB_STACK_SIZE 0x8000ul
#define CSTUB_TASK_SIZE 0x7ffffffff000ul

/// One slot of the slots file per stub process: order pages, then the scratch page.
#define CSTUB_SLOT_SIZE (CSTUB_ORDER_SIZE + CSTUB_SCRATCH_SIZE)

/// Signal stacks of guest threads on the seccomp platform, one area each, shared with the Sentry and writable by the guest. Area N lies at
/// CSTUB_AREAS + N * CSTUB_AREA_SIZE in the one process that uses it, and behind all slots in the slots file.
#define CSTUB_AREAS (CSTUB_BASE + 0x10000000ul)
#define CSTUB_AREA_SIZE 0x4000ul
/// Start of an area, below the stack: what the handler loads when the doorbell's answer is not 0.
struct cstub_area {
    uint64_t fs_base, gs_base;
};

/// The number of the doorbell: a notification that a thread is in its signal handler, with the registers in the frame. Arguments:
/// signal, address of the frame, FS base, GS base. Raised at cstub_doorbell_address().
#define CSTUB_DOORBELL 0x5afe
/// The signal that makes a thread ring. It is no real-time signal: several before the thread gets to run are one.
#define CSTUB_KICK 16

// Descriptors of a stub process.
#define CSTUB_FD_ORDERS 0       // pipe: one byte per batch
#define CSTUB_FD_COMPLETION 1   // pipe: one byte per batch, 'K' or 'E'
#define CSTUB_FD_FILES 2        // socket: host files to map
#define CSTUB_FD_MEMORY 3       // the memory file
#define CSTUB_FD_SLOTS 4        // the slots file, for areas
#define CSTUB_FD_RECEIVED 5     // where a host file or a new listener lands: the lowest free number
// Further descriptor of the zygote.
#define CSTUB_FD_CONTROL 5

/// One system call for the manager.
struct cstub_operation {
    uint64_t number;
    uint64_t arguments[6];
    /// For clone: address of the new thread's stack_t, or 0 for a thread that waits for its tracer. For other calls: non-zero to try
    /// again, yielding in between, while the descriptor does not exist.
    uint64_t extra;
};

struct cstub_order {
    uint32_t count;
    uint32_t unused[15];
    struct cstub_operation operations[];
};
/// The last bytes of the order pages: what a new thread on the seccomp platform and the message with its listener need.
#define CSTUB_BIRTH_SIZE 256ul
#define CSTUB_BIRTH (CSTUB_ORDER + CSTUB_ORDER_SIZE - CSTUB_BIRTH_SIZE)
#define CSTUB_MAXIMUM_OPERATIONS ((CSTUB_ORDER_SIZE - 64 - CSTUB_BIRTH_SIZE) / 64)

/// Start of the scratch page.
struct cstub_scratch {
    uint8_t byte;
    uint8_t unused[7];
    /// Result of the last operation performed.
    int64_t result;
    /// Operations left, the failed one included, when a batch failed.
    uint64_t remaining;
};
/// Where in the scratch page the message header for receiving a host file lies, and what it points to.
#define CSTUB_SCRATCH_MESSAGE 256
#define CSTUB_SCRATCH_VECTOR 320
#define CSTUB_SCRATCH_DATA 344
#define CSTUB_SCRATCH_CONTROL 352

/// A mapping of the vDSO or its data as the Sentry has it.
struct cstub_vdso {
    uint64_t start;
    uint64_t length;
    /// Non-zero for the code.
    uint64_t is_code;
};
#define CSTUB_MAXIMUM_VDSO 8

/// What the Sentry knows of its zygote.
struct cstub_zygote {
    int pid;
    /// Requests go here, answers come back: see cstub_zygote_fork.
    int control;
    /// Shared memory of all stub processes, CSTUB_SLOT_SIZE each.
    int slots;
    uint64_t vdso_data_start, vdso_data_end, vdso_code_start, vdso_code_end;
};

/// Whether something of this process lies in the stub region: the zygote is a copy of it and puts the stub there.
int cstub_region_is_occupied(void);

/// Forks the zygote. The caller must have one thread. `notifies`: guest threads raise seccomp notifications, faults and trapped calls
/// run the stub's handler. Returns 0, or -1 and errno.
int cstub_zygote_start(int memory_file, uint64_t slot_count, uint64_t area_count, int notifies, struct cstub_zygote *zygote);

/// Asks for a stub process on `slot` with its three descriptors. Returns its pid (a child of the caller's process), or -1 and errno.
int cstub_zygote_fork(const struct cstub_zygote *zygote, uint32_t slot, int orders, int completion, int files);

/// Address of the manager's `syscall` instruction in every stub process.
uint64_t cstub_manager_site_address(void);
/// Address behind the `syscall` instruction that rings the doorbell, as notifications report it.
uint64_t cstub_doorbell_address(void);

#endif
