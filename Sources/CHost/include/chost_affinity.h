#ifndef CHOST_AFFINITY_H
#define CHOST_AFFINITY_H

/// Where a thread may run: a bit for each processor.
enum { CHOST_PROCESSORS = 1024 };
struct chost_affinity {
    unsigned long words[CHOST_PROCESSORS / 64];
};

/// The caller's CPU.
int chost_current_cpu(void);
/// Binds a thread, 0 for the caller, to one CPU. Returns 0 or -1.
int chost_bind_to_cpu(int thread, int cpu);
/// Binds the calling thread to the CPU that it runs on, and says where it was allowed before. Returns 0 when nothing was changed: it was bound
/// already, or the host refused.
int chost_stay_here(struct chost_affinity *before);
/// Lets the calling thread run on these CPUs.
void chost_allow_processors(const struct chost_affinity *processors);

#endif
