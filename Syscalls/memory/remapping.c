// mremap(2), brk(2).
#include "conformance.h"
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/resource.h>

#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif
static long remap(void *old, size_t old_size, size_t new_size, int flags, void *at) {
    return syscall(SYS_mremap, old, old_size, new_size, flags, at);
}
static char *pages(int n) { return mmap(NULL, n * 4096L, PROT_READ | PROT_WRITE, ANON, -1, 0); }
static sigjmp_buf escape;
static void on_fault(int n) {
    (void)n;
    siglongjmp(escape, 1);
}
static int faults(volatile char *p) {
    if (sigsetjmp(escape, 1)) return 1;
    (void)*p;
    return 0;
}
static long raw_brk(long to) { return syscall(SYS_brk, to); }

int main(void) {
    signal(SIGSEGV, on_fault);
    COVERS(mremap);
    CASE(arguments) {
        char *p = pages(2);
        CHECK_ERRNO(remap(p + 1, 4096, 8192, 0, NULL), EINVAL);
        CHECK_ERRNO(remap(p, 4096, 0, 0, NULL), EINVAL);
        CHECK_ERRNO(remap(p, 4096, 8192, 8, NULL), EINVAL);
        CHECK_ERRNO(remap(p, 4096, 4096, MREMAP_FIXED, p + 8192), EINVAL);
        CHECK_ERRNO(remap(p, 4096, 4096, MREMAP_DONTUNMAP, NULL), EINVAL);
        CHECK_ERRNO(remap(p, 4096, 8192, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL), EINVAL);
        CHECK_ERRNO(remap(p, 8192, 8192, MREMAP_MAYMOVE | MREMAP_FIXED, p + 4096), EINVAL);
        CHECK_ERRNO(remap(p, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, p + 8193), EINVAL);
        CHECK_ERRNO(remap(p, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)0x7ffffffff000), EINVAL);
        munmap(p, 8192);
    }
    CASE(unmapped_source) {
        char *p = pages(2);
        munmap(p, 8192);
        CHECK_ERRNO(remap(p, 4096, 8192, MREMAP_MAYMOVE, NULL), EFAULT);
        CHECK_ERRNO(remap(p, 8192, 4096, 0, NULL), EFAULT);
    }
    COVERS(mprotect, mremap);
    CASE(growth_over_several_mappings) {
        char *p = pages(3);
        mprotect(p + 4096, 4096, PROT_READ);
        CHECK_ERRNO(remap(p, 8192, 4 * 4096, MREMAP_MAYMOVE, NULL), EFAULT);
        munmap(p, 3 * 4096);
    }
    COVERS(mremap);
    CASE(cannot_grow_in_place) {
        char *p = pages(2);
        CHECK_ERRNO(remap(p, 4096, 8192, 0, NULL), ENOMEM);
        munmap(p, 8192);
    }
    CASE(grows_in_place) {
        char *p = pages(3);
        p[0] = 'x';
        munmap(p + 4096, 8192);
        CHECK_EQ(remap(p, 4096, 3 * 4096, 0, NULL), (long)p);
        CHECK_EQ(p[0], 'x');
        CHECK_EQ(p[2 * 4096], 0);
        munmap(p, 3 * 4096);
    }
    CASE(shrinks) {
        char *p = pages(3);
        p[0] = 'x';
        CHECK_EQ(remap(p, 3 * 4096, 4096, 0, NULL), (long)p);
        CHECK(faults(p + 4096));
        CHECK_EQ(p[0], 'x');
        munmap(p, 4096);
    }
    CASE(same_size_does_nothing) {
        char *p = pages(1);
        CHECK_EQ(remap(p, 4096, 4096, 0, NULL), (long)p);
        CHECK_EQ(remap(p, 4096, 4000, MREMAP_MAYMOVE, NULL), (long)p);
        munmap(p, 4096);
    }
    CASE(moves_to_a_fixed_place) {
        char *p = pages(1), *q = pages(2);
        strcpy(p, "moved");
        strcpy(q, "replaced");
        CHECK_EQ(remap(p, 4096, 8192, MREMAP_MAYMOVE | MREMAP_FIXED, q), (long)q);
        CHECK(!strcmp(q, "moved"));
        CHECK_EQ(q[4096], 0);
        CHECK(faults(p));
        munmap(q, 8192);
    }
    CASE(moves_and_shrinks) {
        char *p = pages(3), *q = pages(1);
        strcpy(p, "first");
        CHECK_EQ(remap(p, 3 * 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, q), (long)q);
        CHECK(!strcmp(q, "first"));
        CHECK(faults(p));
        CHECK(faults(p + 8192));
        munmap(q, 4096);
    }
    CASE(dontunmap_leaves_an_empty_mapping) {
        char *p = pages(1);
        strcpy(p, "gone");
        char *q = (char *)remap(p, 4096, 4096, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
        CHECK(q != MAP_FAILED && q != p);
        CHECK(!strcmp(q, "gone"));
        CHECK_EQ(p[0], 0);
        munmap(p, 4096);
        munmap(q, 4096);
    }
    CASE(old_size_zero_duplicates_shared_memory) {
        char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        char *q = (char *)remap(p, 0, 4096, MREMAP_MAYMOVE, NULL);
        CHECK(q != MAP_FAILED && q != p);
        p[5] = 'y';
        CHECK_EQ(q[5], 'y');
        munmap(p, 4096);
        munmap(q, 4096);
        char *private = pages(1);
        CHECK_ERRNO(remap(private, 0, 4096, MREMAP_MAYMOVE, NULL), EINVAL);
        munmap(private, 4096);
    }
    COVERS(pwrite64, mremap);
    CASE(file_mapping_grows) {
        char path[128];
        snprintf(path, sizeof path, "%s/remap", conformance_directory());
        int fd = open(path, O_CREAT | O_RDWR, 0600);
        pwrite(fd, "A", 1, 0);
        pwrite(fd, "B", 1, 4096);
        char *p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
        p = (char *)remap(p, 4096, 8192, MREMAP_MAYMOVE, NULL);
        CHECK(p[0] == 'A' && p[4096] == 'B');
        munmap(p, 8192);
        close(fd);
    }
    COVERS(prlimit64, mremap);
    CASE(limit_of_address_space) IN_FORK({
        char *p = pages(1);
        struct rlimit limit = {64 << 20, 64 << 20};
        setrlimit(RLIMIT_AS, &limit);
        CHECK_ERRNO(remap(p, 4096, 1 << 30, MREMAP_MAYMOVE, NULL), ENOMEM);
    });
    CASE(break_is_reported_when_it_cannot_move) {
        long now = raw_brk(0);
        CHECK_EQ(raw_brk(1), now);
        CHECK_EQ(raw_brk(-1), now);
        CHECK_EQ(raw_brk(0x7ffffffff000), now);
    }
    CASE(break_memory_is_zero_again) {
        long now = raw_brk(0), page = (now + 4095) & ~4095L;
        CHECK_EQ(raw_brk(page + 8192), page + 8192);
        ((char *)page)[0] = 'x';
        CHECK_EQ(raw_brk(page), page);
        CHECK(faults((char *)page));
        CHECK_EQ(raw_brk(page + 4096), page + 4096);
        CHECK_EQ(((char *)page)[0], 0);
        CHECK_EQ(raw_brk(now), now);
    }
    COVERS(mmap, munmap);
    CASE(break_stops_at_a_mapping) {
        long now = raw_brk(0), page = (now + 4095) & ~4095L;
        char *wall = mmap((void *)(page + 16 * 4096), 4096, PROT_NONE, ANON | MAP_FIXED_NOREPLACE, -1, 0);
        CHECK(wall != MAP_FAILED);
        CHECK_EQ(raw_brk(page + 32 * 4096), now);
        munmap(wall, 4096);
    }
    COVERS(prlimit64);
    CASE(break_obeys_the_data_limit) IN_FORK({
        long now = raw_brk(0);
        struct rlimit limit = {1 << 20, 1 << 20};
        setrlimit(RLIMIT_DATA, &limit);
        CHECK_EQ(raw_brk(now + (16 << 20)), now);
    });
    return conformance_end();
}
