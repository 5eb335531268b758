// mmap(2), munmap(2), mprotect(2): flags, errors, boundaries.
#include "conformance.h"
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
static long map(void *at, size_t length, int protection, int flags, int fd, off_t offset) {
    return syscall(SYS_mmap, at, length, protection, flags, fd, offset);
}
static sigjmp_buf escape;
static volatile int fault_code;
static void on_fault(int n, siginfo_t *info, void *context) {
    (void)n;
    (void)context;
    fault_code = info->si_code;
    siglongjmp(escape, 1);
}
static int faults(volatile char *p, int writing) {
    fault_code = 0;
    if (sigsetjmp(escape, 1)) return 1;
    if (writing)
        *p = 1;
    else
        (void)*p;
    return 0;
}
static int file_of(size_t size, int flags) {
    char path[128];
    snprintf(path, sizeof path, "%s/f%d", conformance_directory(), (int)size);
    int fd = open(path, O_CREAT | O_RDWR, 0600);
    ftruncate(fd, size);
    close(fd);
    return open(path, flags);
}

int main(void) {
    struct sigaction a = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &a, NULL);
    sigaction(SIGBUS, &a, NULL);
    COVERS(munmap, mmap);
    CASE(length_zero) {
        CHECK_ERRNO(map(NULL, 0, PROT_READ, ANON, -1, 0), EINVAL);
        CHECK_ERRNO(munmap((void *)0x10000, 0), EINVAL);
    }
    COVERS(mmap);
    CASE(length_too_large) {
        CHECK_ERRNO(map(NULL, 1UL << 47, PROT_READ, ANON, -1, 0), ENOMEM);
        CHECK_ERRNO(map(NULL, ~0UL, PROT_READ, ANON, -1, 0), ENOMEM);
        CHECK_ERRNO(map(NULL, ~4095UL, PROT_READ, ANON, -1, 0), ENOMEM);
    }
    CASE(type_is_needed) {
        CHECK_ERRNO(map(NULL, 4096, PROT_READ, MAP_ANONYMOUS, -1, 0), EINVAL);
        CHECK_ERRNO(map(NULL, 4096, PROT_READ, MAP_ANONYMOUS | 0x4, -1, 0), EINVAL);
    }
    CASE(offset_alignment) {
        CHECK_ERRNO(map(NULL, 4096, PROT_READ, ANON, -1, 1), EINVAL);
        CHECK_ERRNO(map(NULL, 4096, PROT_READ, ANON, -1, 4095), EINVAL);
    }
    COVERS(ftruncate);
    CASE(offset_overflow) {
        int fd = file_of(4096, O_RDWR);
        CHECK_ERRNO(map(NULL, 8192, PROT_READ, MAP_SHARED, fd, (off_t)0x7ffffffffffff000), EOVERFLOW);
        CHECK_ERRNO(map(NULL, 8192, PROT_READ, MAP_SHARED, fd, (off_t)0xfffffffffffff000), EOVERFLOW);
        close(fd);
    }
    COVERS(pipe, close, openat, mmap);
    CASE(descriptors) {
        CHECK_ERRNO(map(NULL, 4096, PROT_READ, MAP_PRIVATE, -1, 0), EBADF);
        CHECK_ERRNO(map(NULL, 4096, PROT_READ, MAP_SHARED, 9999, 0), EBADF);
        int p[2];
        pipe(p);
        CHECK_ERRNO(map(NULL, 4096, PROT_READ, MAP_PRIVATE, p[0], 0), ENODEV);
        close(p[0]);
        close(p[1]);
        int d = open("/", O_RDONLY | O_DIRECTORY);
        CHECK_ERRNO(map(NULL, 4096, PROT_READ, MAP_PRIVATE, d, 0), ENODEV);
        close(d);
        int path = open("/proc/self/exe", O_PATH);
        CHECK_ERRNO(map(NULL, 4096, PROT_READ, MAP_PRIVATE, path, 0), EBADF);
        close(path);
    }
    COVERS(mprotect, ftruncate);
    CASE(file_modes) {
        int r = file_of(4096, O_RDONLY), w = file_of(4096, O_WRONLY);
        CHECK_ERRNO(map(NULL, 4096, PROT_WRITE, MAP_SHARED, r, 0), EACCES);
        CHECK_ERRNO(map(NULL, 4096, PROT_READ, MAP_SHARED, w, 0), EACCES);
        CHECK_ERRNO(map(NULL, 4096, PROT_WRITE, MAP_SHARED, w, 0), EACCES);
        CHECK_ERRNO(map(NULL, 4096, PROT_READ, MAP_PRIVATE, w, 0), EACCES);
        void *p = (void *)map(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, r, 0);
        CHECK(p != MAP_FAILED);
        munmap(p, 4096);
        p = (void *)map(NULL, 4096, PROT_READ, MAP_SHARED, r, 0);
        CHECK_ERRNO(mprotect(p, 4096, PROT_READ | PROT_WRITE), EACCES);
        munmap(p, 4096);
        close(r);
        close(w);
    }
    COVERS(ftruncate);
    CASE(unknown_flags) {
        int fd = file_of(4096, O_RDWR);
        void *p = (void *)map(NULL, 4096, PROT_READ, MAP_PRIVATE | 0x200000, fd, 0);
        CHECK(p != MAP_FAILED);
        munmap(p, 4096);
        CHECK_ERRNO(map(NULL, 4096, PROT_READ, MAP_SHARED_VALIDATE | 0x200000, fd, 0), EOPNOTSUPP);
        CHECK_ERRNO(map(NULL, 4096, PROT_READ, MAP_SHARED_VALIDATE | MAP_SYNC, fd, 0), EOPNOTSUPP);
        p = (void *)map(NULL, 4096, PROT_READ, MAP_SHARED_VALIDATE, fd, 0);
        CHECK(p != MAP_FAILED);
        munmap(p, 4096);
        close(fd);
    }
    COVERS(mmap);
    CASE(shared_validate_needs_a_file) {
        CHECK_ERRNO(map(NULL, 4096, PROT_READ, MAP_SHARED_VALIDATE | MAP_ANONYMOUS, -1, 0), EINVAL);
    }
    CASE(fixed_alignment_and_bounds) {
        CHECK_ERRNO(map((void *)0x10001, 4096, PROT_READ, ANON | MAP_FIXED, -1, 0), EINVAL);
        CHECK_ERRNO(map((void *)0x10001, 4096, PROT_READ, ANON | MAP_FIXED_NOREPLACE, -1, 0), EINVAL);
        CHECK_ERRNO(map((void *)0x7ffffffff000, 4096, PROT_READ, ANON | MAP_FIXED, -1, 0), ENOMEM);
        CHECK_ERRNO(map((void *)-4096L, 4096, PROT_READ, ANON | MAP_FIXED, -1, 0), ENOMEM);
    }
    CASE(low_addresses_need_privilege) AS_USER({
        CHECK_ERRNO(map(NULL, 4096, PROT_READ, ANON | MAP_FIXED, -1, 0), EPERM);
    });
    COVERS(munmap, mmap);
    CASE(low_hint_is_raised) {
        long p = map((void *)0x1000, 4096, PROT_READ, ANON, -1, 0);
        CHECK(p >= 4096);
        munmap((void *)p, 4096);
    }
    COVERS(mmap, munmap);
    CASE(hint_is_taken_when_free) {
        char *p = mmap(NULL, 3 * 4096, PROT_READ, ANON, -1, 0);
        munmap(p + 4096, 4096);
        CHECK_EQ(map(p + 4096, 4096, PROT_READ, ANON, -1, 0), (long)p + 4096);
        CHECK(map(p + 4096, 4096, PROT_READ, ANON, -1, 0) != (long)p + 4096);
        munmap(p, 3 * 4096);
    }
    CASE(noreplace) {
        char *p = mmap(NULL, 8192, PROT_READ, ANON, -1, 0);
        CHECK_ERRNO(map(p, 4096, PROT_READ, ANON | MAP_FIXED_NOREPLACE, -1, 0), EEXIST);
        CHECK_ERRNO(map(p - 4096, 8192, PROT_READ, ANON | MAP_FIXED_NOREPLACE, -1, 0), EEXIST);
        munmap(p + 4096, 4096);
        CHECK_EQ(map(p + 4096, 4096, PROT_READ, ANON | MAP_FIXED_NOREPLACE, -1, 0), (long)p + 4096);
        munmap(p, 8192);
    }
    COVERS(munmap, mmap);
    CASE(low_32_bits) {
        long p = map(NULL, 4096, PROT_READ, ANON | MAP_32BIT, -1, 0);
        CHECK(p > 0 && p < 1L << 31);
        munmap((void *)p, 4096);
    }
    COVERS(mincore);
    CASE(populate_and_noreserve) {
        char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, ANON | MAP_POPULATE | MAP_NORESERVE, -1, 0);
        unsigned char present[256];
        CHECK_EQ(mincore(p, 1 << 20, present), 0);
        for (int i = 0; i < 256; i++) CHECK_EQ(present[i] & 1, 1);
        munmap(p, 1 << 20);
    }
    COVERS(mmap);
    CASE(huge_pages_without_a_pool) {
        CHECK_ERRNO(map(NULL, 2 << 20, PROT_READ, ANON | MAP_HUGETLB, -1, 0), ENOMEM);
    }
    COVERS(prlimit64);
    CASE(locked_beyond_the_limit) AS_USER({
        struct rlimit limit = {8192, 8192};
        setrlimit(RLIMIT_MEMLOCK, &limit);
        CHECK_ERRNO(map(NULL, 1 << 20, PROT_READ, ANON | MAP_LOCKED, -1, 0), EAGAIN);
        limit.rlim_cur = limit.rlim_max = 0;
        setrlimit(RLIMIT_MEMLOCK, &limit);
        CHECK_ERRNO(map(NULL, 4096, PROT_READ, ANON | MAP_LOCKED, -1, 0), EPERM);
    });
    CASE(address_space_limit) IN_FORK({
        struct rlimit limit = {256 << 20, 256 << 20};
        setrlimit(RLIMIT_AS, &limit);
        CHECK_ERRNO(map(NULL, 512 << 20, PROT_READ, ANON, -1, 0), ENOMEM);
        CHECK_ERRNO(map(NULL, 512 << 20, PROT_NONE, ANON, -1, 0), ENOMEM);
        CHECK(map(NULL, 1 << 20, PROT_READ, ANON, -1, 0) != -1);
    });
    CASE(data_limit) IN_FORK({
        struct rlimit limit = {16 << 20, 16 << 20};
        setrlimit(RLIMIT_DATA, &limit);
        CHECK_ERRNO(map(NULL, 64 << 20, PROT_READ | PROT_WRITE, ANON, -1, 0), ENOMEM);
        CHECK(map(NULL, 64 << 20, PROT_READ, ANON, -1, 0) != -1);
        CHECK(map(NULL, 64 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0) != -1);
    });
    COVERS(mprotect);
    CASE(protections) {
        char *p = mmap(NULL, 4096, PROT_NONE, ANON, -1, 0);
        CHECK(faults(p, 0));
        CHECK_EQ(fault_code, SEGV_ACCERR);
        mprotect(p, 4096, PROT_READ);
        CHECK(!faults(p, 0));
        CHECK(faults(p, 1));
        CHECK_EQ(fault_code, SEGV_ACCERR);
        mprotect(p, 4096, PROT_WRITE);
        CHECK(!faults(p, 1));
        CHECK(!faults(p, 0));
        munmap(p, 4096);
        CHECK(faults(p, 0));
        CHECK_EQ(fault_code, SEGV_MAPERR);
    }
    COVERS(ftruncate);
    CASE(file_end_within_a_page) {
        int fd = file_of(100, O_RDWR);
        char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        CHECK_EQ(p[100], 0);
        CHECK_EQ(p[4095], 0);
        CHECK(faults(p + 4096, 0));
        CHECK_EQ(fault_code, BUS_ADRERR);
        p[200] = 7;
        ftruncate(fd, 8192);
        CHECK(!faults(p + 4096, 0));
        munmap(p, 8192);
        close(fd);
    }
    CASE(system_calls_past_the_file_end_fault) {
        int fd = file_of(100, O_RDWR);
        char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        int s[2];
        pipe(s);
        CHECK_ERRNO(write(s[1], p + 4096, 1), EFAULT);
        write(s[1], "x", 1);
        CHECK_ERRNO(read(s[0], p + 4096, 1), EFAULT);
        munmap(p, 8192);
        close(fd);
        close(s[0]);
        close(s[1]);
    }
    COVERS(munmap);
    CASE(unmap_errors) {
        CHECK_ERRNO(munmap((void *)1, 4096), EINVAL);
        CHECK_ERRNO(munmap((void *)0x7ffffffff000, 8192), EINVAL);
        CHECK_ERRNO(munmap((void *)0x10000, ~0UL), EINVAL);
        CHECK_EQ(munmap((void *)0x10000, 4096), 0);
    }
    COVERS(mmap, munmap);
    CASE(unmap_rounds_up) {
        char *p = mmap(NULL, 8192, PROT_READ, ANON, -1, 0);
        CHECK_EQ(munmap(p, 1), 0);
        CHECK(faults(p, 0));
        CHECK(!faults(p + 4096, 0));
        CHECK_EQ(munmap(p, 8192), 0);
    }
    COVERS(mprotect);
    CASE(protect_errors) {
        char *p = mmap(NULL, 3 * 4096, PROT_READ, ANON, -1, 0);
        CHECK_ERRNO(mprotect(p + 1, 4096, PROT_READ), EINVAL);
        CHECK_ERRNO(mprotect(p, 4096, 0x80), EINVAL);
        CHECK_ERRNO(mprotect(p, 4096, PROT_GROWSUP), EINVAL);
        CHECK_ERRNO(mprotect(p, 4096, PROT_GROWSUP | PROT_GROWSDOWN), EINVAL);
        CHECK_ERRNO(mprotect(p, 4096, PROT_GROWSDOWN), EINVAL);
        CHECK_EQ(mprotect(p, 0, PROT_NONE), 0);
        CHECK_ERRNO(mprotect(p, ~4095UL, PROT_READ), ENOMEM);
        munmap(p + 4096, 4096);
        CHECK_ERRNO(mprotect(p, 3 * 4096, PROT_READ | PROT_WRITE), ENOMEM);
        CHECK(!faults(p, 1));
        CHECK(faults(p + 8192, 1));
        CHECK_ERRNO(mprotect(p + 4096, 4096, PROT_READ), ENOMEM);
        munmap(p, 3 * 4096);
    }
    CASE(grows_down) {
        char *p = mmap(NULL, 1 << 20, PROT_NONE, ANON, -1, 0);
        munmap(p, 1 << 20);
        char *stack = mmap(p + (1 << 20) - 8192, 8192, PROT_READ | PROT_WRITE, ANON | MAP_GROWSDOWN | MAP_FIXED, -1, 0);
        CHECK(stack != MAP_FAILED);
        CHECK(!faults(stack - 8, 1));
        CHECK(!faults(stack - 8192, 1));
        CHECK_EQ(mprotect(stack, 8192, PROT_READ | PROT_GROWSDOWN), 0);
        CHECK(faults(stack - 8192, 1));
        munmap(p, 1 << 20);
        CHECK_ERRNO(map(NULL, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS | MAP_GROWSDOWN, -1, 0), EINVAL);
    }
    COVERS(remap_file_pages);
    CASE(remap_file_pages_errors) {
        char *p = mmap(NULL, 8192, PROT_READ, ANON, -1, 0);
        CHECK_ERRNO(syscall(SYS_remap_file_pages, p, 4096, PROT_READ, 0, 0), EINVAL);
        CHECK_ERRNO(syscall(SYS_remap_file_pages, p, 4096, 0, 0, 0), EINVAL);
        munmap(p, 8192);
    }
    COVERS(remap_file_pages, ftruncate);
    CASE(remap_file_pages_moves_a_window) {
        int fd = file_of(8192, O_RDWR);
        char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        p[0] = 'a';
        p[4096] = 'b';
        CHECK_EQ(syscall(SYS_remap_file_pages, p, 4096, 0, 1, 0), 0);
        CHECK_EQ(p[0], 'b');
        p[0] = 'c';
        CHECK_EQ(p[4096], 'c');
        munmap(p, 8192);
        close(fd);
    }
    COVERS(pkey_alloc, pkey_free, pkey_mprotect);
    CASE(protection_keys) {
        long key = syscall(SYS_pkey_alloc, 0, 0);
        if (key >= 0) {
            CHECK_EQ(syscall(SYS_pkey_free, key), 0);
        } else {
            CHECK_ONE_OF(errno, ENOSPC, EINVAL);
        }
        CHECK_ERRNO(syscall(SYS_pkey_alloc, 1, 0), EINVAL);
        CHECK_ERRNO(syscall(SYS_pkey_alloc, 0, 8), EINVAL);
        CHECK_ERRNO(syscall(SYS_pkey_free, 99), EINVAL);
        char *p = mmap(NULL, 4096, PROT_READ, ANON, -1, 0);
        CHECK_ERRNO(syscall(SYS_pkey_mprotect, p, 4096, PROT_READ, 99), EINVAL);
        CHECK_EQ(syscall(SYS_pkey_mprotect, p, 4096, PROT_READ | PROT_WRITE, -1), 0);
        CHECK(!faults(p, 1));
        munmap(p, 4096);
    }
    COVERS(openat, mmap, munmap, close);
    CASE(zero_device) {
        int fd = open("/dev/zero", O_RDWR);
        char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
        CHECK_EQ(p[17], 0);
        p[17] = 1;
        char *q = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        CHECK_EQ(q[17], 0);
        q[17] = 2;
        IN_FORK({
            q[17] = 3;
            p[17] = 4;
        });
        CHECK_EQ(q[17], 3);
        CHECK_EQ(p[17], 1);
        munmap(p, 4096);
        munmap(q, 4096);
        close(fd);
    }
    return conformance_end();
}
