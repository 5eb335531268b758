// A system-call fuzzer: typed but hostile arguments, from several threads and processes. See README.md.
#ifndef STOCKADE_FUZZER_H
#define STOCKADE_FUZZER_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>

enum {
    MAX_NUMBER = 512,
    WORKERS = 4,
    THREADS = 3,
    SLOTS = WORKERS * THREADS + 16, // one per thread, and some that forked children share
    HISTORY = 8,
    MAX_ARGUMENTS = 6,
};

/// One call as it was made.
struct record {
    uint64_t number, arguments[MAX_ARGUMENTS];
};

/// What a thread did last; outlives the sandbox when the file behind it is the host's.
struct slot {
    uint32_t pid, tid;
    uint64_t made;
    struct record history[HISTORY];
};

/// State that the supervisor and all workers share.
struct shared {
    struct slot slots[SLOTS];
    char phase[48];                 // of the supervisor, for whoever finds it silent
    uint64_t step;                  // within it
    uint64_t calls[MAX_NUMBER + 1]; // the last counts numbers beyond
    uint64_t succeeded[MAX_NUMBER + 1];
    uint32_t forks[WORKERS];        // made by the present worker of each place
    uint64_t hot, patched;          // sites that were called often; those that were a jump then
};
extern struct shared *shared;
extern uint32_t supervisor;
extern int null_file; // of the supervisor's
extern __thread struct slot *slot;
extern __thread unsigned place;

// random.c
void random_seed(uint64_t seed);
uint64_t random_next(void);
/// A number below `bound`, which is not zero.
uint64_t random_below(uint64_t bound);
bool one_in(uint64_t count);

// arguments.c, structures.c
enum type {
    NONE, ANY, FD, DIRFD, PATH, STRING, IN, OUT, SIZE, OFFSET, INT, PID, UID, SIGNAL, MODE, ADDRESS, LENGTH, TIME, VECTOR,
    MESSAGE, MESSAGES, SOCKADDR, SOCKLEN, INT_POINTER, OFFSET_POINTER, SET, POLLS, EVENT, WORD, STRINGS, ACTION, CLONE,
    // structures_kernel.c: what a family of calls has of its own
    FILTER, BLOCKS, NETLINK, SIGNAL_EVENT, SIGNAL_INFO, QUEUE, OPERATIONS, TYPED, HOW, FUTEXES, HANDLE, MOUNT_REQUEST,
    MOUNT_ATTRIBUTES, RULESET, RULE, SCHEDULING, PROPERTIES, DESCRIPTION, PAYLOAD, ATTRIBUTE, VALUE,
    // what earlier calls gave
    AIO_ID, KEY_ID, IPC_ID, TIMER_ID,
    FLAGS, CHOICE,
};
struct argument {
    enum type type;
    uint64_t mask;         // FLAGS: the bits that mean something
    const uint64_t *words; // CHOICE: count and values
};
struct call {
    uint64_t number;
    const char *name;
    struct argument arguments[MAX_ARGUMENTS];
};
#define BITS(mask) {FLAGS, (uint64_t)(mask), 0}
#define ONE(...) \
    {CHOICE, sizeof((uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t), (const uint64_t[]){__VA_ARGS__}}
#define CALL(name, ...) {SYS_##name, #name, {__VA_ARGS__}}

/// Maps what arguments point to; once per worker.
void arguments_prepare(void);
uint64_t argument_value(const struct argument *argument);
uint64_t interesting_integer(void);
int random_descriptor(void);
const char *random_path(void);
/// Somewhere in memory that can be written, with at least `size` bytes.
void *place_for(size_t size);
void *structure(enum type type);
void *kernel_structure(enum type type);
/// `size` bytes of words that could be a size, a descriptor, a pointer.
void *words(size_t size);

/// Names that the kernel gave and that are no descriptors: of contexts, keys, queues and such, timers, mounts.
enum pool { AIO_POOL, KEY_POOL, IPC_POOL, TIMER_POOL, MOUNT_POOL, POOLS };
void remember(enum pool pool, uint64_t name);
/// One of those remembered, or a number that is none.
uint64_t recall(enum pool pool);

// calls_*.c
struct table {
    const struct call *calls;
    size_t count;
};
extern const struct table file_calls, memory_calls, process_calls, event_calls, socket_calls, mount_calls, security_calls,
    other_calls;

// calling.c
/// Records and makes a call. A child that it makes never returns from here.
long call(uint64_t number, ...);
/// Counts it and keeps it in the record, without making it. False for one that would end the fuzzer itself.
bool record_call(uint64_t number, uint64_t *arguments);
void count_success(uint64_t number);
/// For those that return elsewhere, or not at all.
void count_call(uint64_t number);
const struct call *random_entry(void);
/// A random call of the tables, or of no table at all.
void random_call(void);
/// Runs what may fault.
void guarded(void (*body)(void));
void install_handlers(void);
/// May this worker fork once more?
bool may_fork(void);
void child_main(void) __attribute__((noreturn));

// objects.c, sequences.c and the sequences of one kind each
void random_object(void);
void random_sequence(void);
void trace_child(void);
void filter_child(void);
void forge_frames(void);
void use_namespaces(void);
void use_mounts(void);
void use_contexts(void);
void use_keys(void);
void use_process_files(void);
void use_handles(void);
void use_queues(void);
void use_network(void);
void confine_child(void);
/// The same call again and again from one place in the text, which changes meanwhile.
void run_hot(void);
/// Forks; true in a child that an alarm ends. Not more often than `may_fork` has it.
bool fork_briefly(int *child);
/// Random calls, then the end.
void finish_child(unsigned calls) __attribute__((noreturn));
void end_child(int child);

// worker.c
void worker_main(unsigned place, uint64_t seed) __attribute__((noreturn));

#endif
