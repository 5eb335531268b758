// Memory access and vectored I/O that Swift cannot express: atomics on raw addresses, accesses that survive SIGBUS.
#ifndef STOCKADE_CHOST_MEMORY_H
#define STOCKADE_CHOST_MEMORY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

static inline uint32_t chost_atomic_load32(void *word) { return __atomic_load_n((uint32_t *)word, __ATOMIC_SEQ_CST); }

/// Returns the value found.
static inline uint32_t chost_atomic_exchange32_if(void *word, uint32_t expected, uint32_t desired) {
    __atomic_compare_exchange_n((uint32_t *)word, &expected, desired, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    return expected;
}

/// The same on memory of a host file that somebody may truncate: 0 when done, -1 when the page is not there. `found` gets the
/// value found. `exchange` 0 only loads. Installs a SIGBUS handler on first use; other SIGBUS keep their earlier disposition.
int chost_guarded_atomic32(void *word, int exchange, uint32_t expected, uint32_t desired, uint32_t *found);

/// preadv2(2) and pwritev2(2), repeated on EINTR. -1 and errno on failure.
long chost_preadv2(int fd, const struct iovec *vectors, int count, int64_t offset, int flags);
long chost_pwritev2(int fd, const struct iovec *vectors, int count, int64_t offset, int flags);

/// fallocate(2).
int chost_memory_allocate(int fd, int mode, int64_t offset, int64_t length);
/// lseek(2) with SEEK_DATA and SEEK_HOLE.
int64_t chost_seek_data(int fd, int64_t offset);
int64_t chost_seek_hole(int fd, int64_t offset);
/// membarrier(2).
int chost_membarrier(int command);

/// memfd_create(2), executable, close-on-exec.
int chost_memory_file(const char *name);

/// How many of `pages` pages from `address` on are present (mincore(2)); -1 on failure.
long chost_count_present(void *address, unsigned long pages);

#endif
