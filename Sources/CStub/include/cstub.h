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

/// One slot of the slots file per stub process: order pages, the scratch page, then the blocks of its sites.
#define CSTUB_SLOT_SITES (CSTUB_ORDER_SIZE + CSTUB_SCRATCH_SIZE)
#define CSTUB_SLOT_SIZE (CSTUB_SLOT_SITES + CSTUB_SITES_SIZE)

/// Signal stacks of guest threads on the seccomp platform, one area each, shared with the Sentry and writable by the guest. Area N lies at
/// CSTUB_AREAS + N * CSTUB_AREA_SIZE in the one process that uses it, and behind all slots in the slots file.
#define CSTUB_AREAS (CSTUB_BASE + 0x10000000ul)
#define CSTUB_AREA_SIZE 0x4000ul
/// Start of an area, below the stack: what the handler loads when the doorbell's answer is not 0.
struct cstub_area {
    uint64_t fs_base, gs_base;
};

/// In an area: a call on its way from guest thread to task thread and back, without the host (README, "The fast path").
struct cstub_fast {
    /// CSTUB_FAST_*.
    uint32_t state;
    /// Non-zero while the task thread watches `state`. Only it writes here.
    uint32_t is_served;
    /// Non-zero once the signal handler has begun: a doorbell comes, and no call.
    uint32_t is_ringing;
    /// Non-zero when the result will take a while: do not spin for it.
    uint32_t is_blocking;
    uint64_t result;
    uint64_t unused[5];
    // A cache line of its own.
    uint64_t arguments[6];
    /// The number << 16, and the guest's flags as LAHF and SETO leave them in AX.
    uint32_t call;
    /// Address of the site's block.
    uint32_t block;
};
#define CSTUB_FAST_OFFSET 64
#define CSTUB_FAST_IDLE 0
/// The call is complete and nobody has taken it: both sides may take it back.
#define CSTUB_FAST_POSTED 1
#define CSTUB_FAST_TAKEN 2
/// `result` is there.
#define CSTUB_FAST_DONE 3
/// Taken, and the guest thread waits (or is about to) in a notification with number CSTUB_WAIT.
#define CSTUB_FAST_SLEEPING 4

/// Blocks of patched system-call sites: one for each, in memory that only the Sentry writes. A jump at a site reads the pointer at the
/// block's start, whose address ends in the bytes 1f 00: whoever comes to the place of the old `syscall` instruction meets an invalid one.
#define CSTUB_SITES 0x1f0000ul
#define CSTUB_SITES_SIZE 0x10000ul
#define CSTUB_BLOCK_SIZE 64
struct cstub_block {
    /// Address of `entry`.
    uint64_t entry_address;
    /// Behind the site's `syscall` instruction.
    uint64_t return_address;
    /// Address of cstub_fast.
    uint64_t handler_address;
    /// mov $block, %r11d; mov $number << 16, %eax; jmp *handler_address
    uint8_t entry[24];
    /// mov $number, %eax; syscall; jmp *return_address
    uint8_t slow[16];
};
#define CSTUB_BLOCK_ENTRY 24
#define CSTUB_BLOCK_SLOW 48
/// What the block's `syscall` instruction looks like to a notification: the address behind it.
#define CSTUB_BLOCK_SLOW_SITE 55

/// The number of the doorbell: a notification that a thread is in its signal handler, with the registers in the frame. Arguments:
/// signal, address of the frame, FS base, GS base. Raised at cstub_doorbell_address().
#define CSTUB_DOORBELL 0x5afe
/// The number with which a guest thread waits for the result of a call that the task thread has taken, at cstub_labels.wait_site.
#define CSTUB_WAIT 0x5aff
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

/// Whether something of this process lies in the stub region: the zygote is a copy of it and puts the stub there. 1 if so, 0 if not, -1 when the host
/// lets nobody map memory there, as in a sandbox of the same kind.
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

/// Places in the code that hands calls over through an area (manager.S): what of a call is done, and where the guest's registers
/// are, follows from the instruction pointer.
struct cstub_labels {
    uint64_t entry;
    /// From here on the guest's flags are in AX.
    uint64_t saved;
    /// From here on the call is posted.
    uint64_t posted;
    /// From here on it is answered.
    uint64_t done;
    /// The way out to the plain call: OF is restored from `overflow` on, all flags from `restored` on.
    uint64_t slow, overflow, restored;
    uint64_t end;
    /// Behind the `syscall` instruction with CSTUB_WAIT.
    uint64_t wait_site;
};
struct cstub_labels cstub_fast_labels(void);

#endif
