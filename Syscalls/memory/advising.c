// madvise(2), process_madvise(2), mincore(2), msync(2), the mlock(2) family, mseal(2).
#include "conformance.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/uio.h>

#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#ifndef MADV_COLD
#define MADV_COLD 20
#define MADV_PAGEOUT 21
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif
#define SYS_mseal_ 462
static char *pages(int n) { return mmap(NULL, n * 4096L, PROT_READ | PROT_WRITE, ANON, -1, 0); }
static long process_advise(int fd, const struct iovec *v, size_t count, int advice, unsigned flags) {
    return syscall(SYS_process_madvise, fd, v, count, advice, flags);
}
static long seal(void *p, size_t length, unsigned long flags) { return syscall(SYS_mseal_, p, length, flags); }
static int file_of(const char *name, size_t size) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", conformance_directory(), name);
    int fd = open(path, O_CREAT | O_RDWR | O_TRUNC, 0600);
    ftruncate(fd, size);
    return fd;
}

int main(void) {
    COVERS(madvise);
    CASE(advice_arguments) {
        char *p = pages(2);
        CHECK_ERRNO(madvise(p + 1, 4096, MADV_NORMAL), EINVAL);
        CHECK_ERRNO(madvise(p, 4096, 999), EINVAL);
        CHECK_ERRNO(madvise(p, -1, MADV_NORMAL), EINVAL);
        CHECK_ERRNO(madvise(p, ~0UL - 8191, MADV_NORMAL), EINVAL);
        CHECK_EQ(madvise(p, 0, MADV_NORMAL), 0);
        CHECK_ERRNO(madvise(p, 0, 999), EINVAL);
        munmap(p, 8192);
        CHECK_ERRNO(madvise(p, 8192, MADV_NORMAL), ENOMEM);
        CHECK_ERRNO(madvise(p, 8192, MADV_DONTNEED), ENOMEM);
    }
    CASE(hole_is_reported_after_the_work) {
        char *p = pages(3);
        p[0] = p[8192] = 'x';
        munmap(p + 4096, 4096);
        CHECK_ERRNO(madvise(p, 3 * 4096, MADV_DONTNEED), ENOMEM);
        CHECK(p[0] == 0 && p[8192] == 0);
        munmap(p, 3 * 4096);
    }
    CASE(harmless_advice) {
        char *p = pages(4);
        static const int advice[] = {MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_COLD, MADV_PAGEOUT, MADV_DONTDUMP, MADV_DODUMP,
                                     MADV_DOFORK, MADV_HUGEPAGE, MADV_NOHUGEPAGE};
        p[5] = 'x';
        for (unsigned i = 0; i < sizeof advice / sizeof *advice; i++) {
            if (madvise(p, 4 * 4096, advice[i])) CHECK_EQ(errno, EINVAL);
            CHECK_EQ(p[5], 'x');
        }
        CHECK_EQ(madvise(p, 4 * 4096, MADV_COLD), 0);
        CHECK_EQ(madvise(p, 4 * 4096, MADV_RANDOM), 0);
        munmap(p, 4 * 4096);
    }
    COVERS(madvise, ftruncate);
    CASE(willneed) {
        int fd = file_of("need", 8192);
        char *p = mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0);
        CHECK_EQ(madvise(p, 8192, MADV_WILLNEED), 0);
        munmap(p, 8192);
        close(fd);
        p = pages(1);
        CHECK_EQ(madvise(p, 4096, MADV_WILLNEED), 0);
        munmap(p, 4096);
    }
    COVERS(pwrite64, madvise, ftruncate);
    CASE(dontneed_of_a_private_file_mapping_shows_the_file) {
        int fd = file_of("private", 4096);
        pwrite(fd, "file", 4, 0);
        char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
        p[0] = 'X';
        CHECK_EQ(madvise(p, 4096, MADV_DONTNEED), 0);
        CHECK_EQ(p[0], 'f');
        munmap(p, 4096);
        close(fd);
    }
    COVERS(madvise);
    CASE(dontneed_keeps_shared_memory) {
        char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        p[0] = 'x';
        CHECK_EQ(madvise(p, 4096, MADV_DONTNEED), 0);
        CHECK_EQ(p[0], 'x');
        CHECK_ERRNO(madvise(p, 4096, MADV_FREE), EINVAL);
        munmap(p, 4096);
    }
    CASE(remove_punches_shared_memory) {
        char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        p[0] = p[4096] = 'x';
        CHECK_EQ(madvise(p, 4096, MADV_REMOVE), 0);
        CHECK(p[0] == 0 && p[4096] == 'x');
        munmap(p, 8192);
        p = pages(1);
        CHECK_ERRNO(madvise(p, 4096, MADV_REMOVE), EINVAL);
        munmap(p, 4096);
    }
    CASE(free_of_private_memory) {
        char *p = pages(1);
        p[0] = 'x';
        CHECK_EQ(madvise(p, 4096, MADV_FREE), 0);
        CHECK(p[0] == 'x' || p[0] == 0);
        munmap(p, 4096);
    }
    COVERS(madvise, mincore);
    CASE(dontfork_and_wipeonfork) {
        char *p = pages(2);
        p[0] = p[4096] = 'x';
        CHECK_EQ(madvise(p, 4096, MADV_DONTFORK), 0);
        CHECK_EQ(madvise(p + 4096, 4096, MADV_WIPEONFORK), 0);
        IN_FORK({
            unsigned char state;
            CHECK_ERRNO(mincore(p, 4096, &state), ENOMEM);
            CHECK_EQ(p[4096], 0);
        });
        CHECK_EQ(p[4096], 'x');
        CHECK_EQ(madvise(p, 4096, MADV_DOFORK), 0);
        CHECK_EQ(madvise(p + 4096, 4096, MADV_KEEPONFORK), 0);
        IN_FORK(CHECK(p[0] == 'x' && p[4096] == 'x'));
        munmap(p, 8192);
        char *s = mmap(NULL, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        CHECK_ERRNO(madvise(s, 4096, MADV_WIPEONFORK), EINVAL);
        munmap(s, 4096);
    }
    COVERS(madvise, mincore, mprotect);
    CASE(populate) {
        char *p = pages(4);
        unsigned char state[4];
        CHECK_EQ(madvise(p, 4 * 4096, MADV_POPULATE_WRITE), 0);
        mincore(p, 4 * 4096, state);
        for (int i = 0; i < 4; i++) CHECK_EQ(state[i] & 1, 1);
        mprotect(p, 4096, PROT_READ);
        CHECK_EQ(madvise(p, 4096, MADV_POPULATE_READ), 0);
        CHECK_ERRNO2(madvise(p, 4096, MADV_POPULATE_WRITE), EFAULT, EINVAL);
        mprotect(p, 4096, PROT_NONE);
        CHECK_ERRNO2(madvise(p, 4096, MADV_POPULATE_READ), EFAULT, EINVAL);
        munmap(p, 4 * 4096);
        CHECK_ERRNO(madvise(p, 4 * 4096, MADV_POPULATE_READ), ENOMEM);
    }
    COVERS(mlock, madvise);
    CASE(locked_memory_and_dontneed) {
        char *p = pages(1);
        p[0] = 'x';
        CHECK_EQ(mlock(p, 4096), 0);
        CHECK_ERRNO(madvise(p, 4096, MADV_DONTNEED), EINVAL);
        CHECK_EQ(p[0], 'x');
        CHECK_EQ(madvise(p, 4096, MADV_DONTNEED_LOCKED), 0);
        CHECK_EQ(p[0], 0);
        munmap(p, 4096);
    }
    COVERS(madvise);
    CASE(poisoning_needs_privilege) AS_USER({
        char *p = pages(1);
        CHECK_ERRNO2(madvise(p, 4096, MADV_HWPOISON), EPERM, EINVAL);
    });
    COVERS(pidfd_open, process_madvise);
    CASE(process_advice_arguments) {
        char *p = pages(2);
        struct iovec v = {p, 8192};
        int me = syscall(SYS_pidfd_open, getpid(), 0);
        CHECK_ERRNO(process_advise(me, &v, 1, MADV_COLD, 1), EINVAL);
        CHECK_ERRNO(process_advise(9999, &v, 1, MADV_COLD, 0), EBADF);
        CHECK_ERRNO(process_advise(me, BAD_POINTER, 1, MADV_COLD, 0), EFAULT);
        CHECK_ERRNO(process_advise(me, &v, 1025, MADV_COLD, 0), EINVAL);
        CHECK_EQ(process_advise(me, &v, 0, MADV_COLD, 0), 0);
        CHECK_EQ(process_advise(me, &v, 1, MADV_COLD, 0), 8192);
        v.iov_base = p + 1;
        CHECK_ERRNO(process_advise(me, &v, 1, MADV_COLD, 0), EINVAL);
        munmap(p, 8192);
        v.iov_base = p;
        CHECK_ERRNO(process_advise(me, &v, 1, MADV_COLD, 0), ENOMEM);
        close(me);
    }
    COVERS(pause, pidfd_open, process_madvise);
    CASE(process_advice_to_others) {
        char *p = pages(1);
        pid_t child = fork();
        if (child == 0)
            for (;;) pause();
        struct iovec v = {p, 4096};
        int fd = syscall(SYS_pidfd_open, child, 0);
        CHECK_ERRNO(process_advise(fd, &v, 1, MADV_DONTNEED, 0), EINVAL);
        CHECK_ERRNO(process_advise(fd, &v, 1, 12345, 0), EINVAL);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        CHECK_ERRNO(process_advise(fd, &v, 1, MADV_COLD, 0), ESRCH);
        close(fd);
        munmap(p, 4096);
    }
    COVERS(mincore);
    CASE(residence) {
        char *p = pages(4);
        unsigned char state[4];
        p[4096] = 1;
        CHECK_EQ(mincore(p, 4 * 4096, state), 0);
        CHECK_EQ(state[1] & 1, 1);
        CHECK_ERRNO(mincore(p + 1, 4096, state), EINVAL);
        CHECK_ERRNO(mincore(p, 4096, BAD_POINTER), EFAULT);
        CHECK_ERRNO(mincore(p, 4096, conformance_readable_page()), EFAULT);
        CHECK_ERRNO(mincore((void *)0x7ffffffff000, 4096, state), ENOMEM);
        munmap(p + 4096, 4096);
        CHECK_ERRNO(mincore(p, 4 * 4096, state), ENOMEM);
        munmap(p, 4 * 4096);
    }
    COVERS(sync, msync, pread64, mlock, ftruncate);
    CASE(synchronizing) {
        int fd = file_of("sync", 8192);
        char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        p[0] = 'z';
        CHECK_EQ(msync(p, 8192, MS_SYNC), 0);
        CHECK_EQ(msync(p, 8192, MS_ASYNC), 0);
        CHECK_EQ(msync(p, 8192, MS_INVALIDATE), 0);
        CHECK_EQ(msync(p, 8192, 0), 0);
        CHECK_EQ(msync(p, 0, MS_SYNC), 0);
        CHECK_ERRNO(msync(p, 8192, MS_SYNC | MS_ASYNC), EINVAL);
        CHECK_ERRNO(msync(p, 8192, 8), EINVAL);
        CHECK_ERRNO(msync(p + 1, 4096, MS_SYNC), EINVAL);
        char c;
        CHECK_EQ(pread(fd, &c, 1, 0), 1);
        CHECK_EQ(c, 'z');
        munmap(p + 4096, 4096);
        CHECK_ERRNO(msync(p, 8192, MS_SYNC), ENOMEM);
        CHECK_EQ(mlock(p, 4096), 0);
        CHECK_ERRNO(msync(p, 4096, MS_INVALIDATE), EBUSY);
        munmap(p, 4096);
        close(fd);
    }
    COVERS(mlock, munlock, mlock2);
    CASE(locking) {
        char *p = pages(3);
        CHECK_EQ(mlock(p, 4096), 0);
        CHECK_EQ(mlock(p + 100, 4096), 0);
        CHECK_EQ(munlock(p, 8192), 0);
        CHECK_EQ(syscall(SYS_mlock2, p, 4096, 1), 0);
        CHECK_ERRNO(syscall(SYS_mlock2, p, 4096, 2), EINVAL);
        munmap(p + 4096, 4096);
        CHECK_ERRNO(mlock(p, 3 * 4096), ENOMEM);
        CHECK_ERRNO(munlock(p, 3 * 4096), ENOMEM);
        CHECK_ERRNO2(mlock(p, ~4095UL), EINVAL, ENOMEM);
        CHECK_ERRNO(munlock(p, ~4095UL), EINVAL);
        CHECK_EQ(mlock(p, 0), 0);
        munmap(p, 3 * 4096);
    }
    COVERS(mlockall, munlockall);
    CASE(locking_all) IN_FORK({
        CHECK_ERRNO(mlockall(0), EINVAL);
        CHECK_ERRNO(mlockall(8), EINVAL);
        CHECK_ERRNO(mlockall(MCL_ONFAULT), EINVAL);
        CHECK_EQ(mlockall(MCL_FUTURE | MCL_ONFAULT), 0);
        CHECK_EQ(munlockall(), 0);
    });
    COVERS(prlimit64, mlock, mlockall);
    CASE(locking_is_limited) AS_USER({
        char *p = pages(4);
        struct rlimit limit = {8192, 8192};
        setrlimit(RLIMIT_MEMLOCK, &limit);
        CHECK_EQ(mlock(p, 8192), 0);
        CHECK_ERRNO(mlock(p, 4 * 4096), ENOMEM);
        CHECK_EQ(mlock(p, 8192), 0);
        CHECK_ERRNO(mlockall(MCL_CURRENT), ENOMEM);
        limit.rlim_cur = limit.rlim_max = 0;
        setrlimit(RLIMIT_MEMLOCK, &limit);
        CHECK_ERRNO(mlock(p, 4096), EPERM);
        CHECK_ERRNO(mlockall(MCL_CURRENT), EPERM);
    });
    COVERS(munmap);
    CASE(sealing_arguments) {
        char *p = pages(3);
        CHECK_ERRNO(seal(p + 1, 4096, 0), EINVAL);
        CHECK_ERRNO(seal(p, 4096, 1), EINVAL);
        CHECK_ERRNO(seal(p, -1, 0), EINVAL);
        CHECK_EQ(seal(p, 0, 0), 0);
        munmap(p + 4096, 4096);
        CHECK_ERRNO(seal(p, 3 * 4096, 0), ENOMEM);
        munmap(p, 3 * 4096);
    }
    COVERS(mprotect, mremap, madvise);
    CASE(sealed_memory_stays) {
        char *p = pages(2);
        p[0] = 'x';
        CHECK_EQ(seal(p, 4096, 0), 0);
        CHECK_EQ(seal(p, 4096, 0), 0);
        CHECK_ERRNO(munmap(p, 4096), EPERM);
        CHECK_ERRNO(munmap(p, 8192), EPERM);
        CHECK_ERRNO(mprotect(p, 4096, PROT_READ), EPERM);
        CHECK_ERRNO(mprotect(p, 8192, PROT_READ), EPERM);
        CHECK_ERRNO(syscall(SYS_mremap, p, 4096, 8192, MREMAP_MAYMOVE), EPERM);
        CHECK_ERRNO(syscall(SYS_mremap, p, 8192, 4096, 0), EPERM);
        CHECK(mmap(p, 4096, PROT_READ, ANON | MAP_FIXED, -1, 0) == MAP_FAILED && errno == EPERM);
        CHECK_EQ(p[0], 'x');
        p[0] = 'y';
        CHECK_EQ(madvise(p, 4096, MADV_NORMAL), 0);
        CHECK_EQ(madvise(p, 4096, MADV_DONTNEED), 0);
        munmap(p + 4096, 4096);
    }
    COVERS(mprotect, madvise);
    CASE(sealed_read_only_memory_is_not_discarded) {
        char *p = pages(1);
        p[0] = 'x';
        mprotect(p, 4096, PROT_READ);
        CHECK_EQ(seal(p, 4096, 0), 0);
        CHECK_ERRNO(madvise(p, 4096, MADV_DONTNEED), EPERM);
        CHECK_EQ(p[0], 'x');
        IN_FORK(CHECK_ERRNO(munmap(p, 4096), EPERM));
    }
    return conformance_end();
}
