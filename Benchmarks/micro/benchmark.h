// What the families of benchmarks share with the loop that measures them.
#pragma once
#include <stdnoreturn.h>

// One operation to time. `prepare` and `finish` run once, around all batches, and may be NULL.
struct benchmark {
    const char *name;
    void (*prepare)(void);
    void (*operation)(void);
    void (*finish)(void);
    long units;  // how many operations one call counts for; 0 stands for 1
};

// Each table ends with an entry that has no name.
extern const struct benchmark file_benchmarks[], memory_benchmarks[], message_benchmarks[], process_benchmarks[],
    event_benchmarks[];

// Prints the benchmark's name and the median cost of one operation, in ns.
void measure(const struct benchmark *benchmark);

// Ends the program with `what` and the meaning of errno.
noreturn void fail(const char *what);

// Monotonic time, in ns.
double now(void);

// TMPDIR, or /tmp.
const char *temporary_directory(void);

// The argument that makes this program exit at once: what vfork_exec_wait executes.
#define EXIT_AT_ONCE "--exit"
