// mmap(2), mprotect(2), mremap(2), munmap(2), madvise(2), brk(2), mincore(2), msync(2): effects and errors.
#include "conformance.h"
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>

static sigjmp_buf escape;
static void on_fault(int signal) { siglongjmp(escape, signal); }
static int faults(volatile char *p, int write) {
    int signal = sigsetjmp(escape, 1);
    if (signal) return signal;
    if (write) *p = 1;
    else (void)*p;
    return 0;
}
static char *anonymous(size_t length) { return mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); }

int main(void) {
    signal(SIGSEGV, on_fault);
    signal(SIGBUS, on_fault);
    char path[128];
    snprintf(path, sizeof path, "%s/file", conformance_directory());
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    char page[8192];
    memset(page, 'f', sizeof page);
    write(fd, page, 6000);

    COVERS(mmap);
    CASE(anonymous_memory_is_zero) {
        char *p = anonymous(1 << 20);
        long sum = 0;
        for (int i = 0; i < 1 << 20; i += 512) sum += p[i];
        CHECK_EQ(sum, 0);
        munmap(p, 1 << 20);
    }
    CASE(reused_memory_is_zero) {
        for (int round = 0; round < 20; round++) {
            char *p = anonymous(65536);
            for (int i = 0; i < 65536; i++)
                if (p[i]) FAIL_("dirty byte at %d in round %d", i, round);
            memset(p, 0xaa, 65536);
            munmap(p, 65536);
        }
    }
    COVERS(munmap);
    CASE(unmap_in_the_middle) {
        char *p = anonymous(5 * 4096);
        memset(p, 1, 5 * 4096);
        CHECK_EQ(munmap(p + 2 * 4096, 4096), 0);
        CHECK_EQ(faults(p + 2 * 4096, 0), SIGSEGV);
        CHECK_EQ(p[4096], 1);
        CHECK_EQ(p[3 * 4096], 1);
        munmap(p, 5 * 4096);
    }
    COVERS(mprotect);
    CASE(protection_changes) {
        char *p = anonymous(3 * 4096);
        p[4096] = 9;
        CHECK_EQ(mprotect(p + 4096, 4096, PROT_READ), 0);
        CHECK_EQ(faults(p + 4096, 1), SIGSEGV);
        CHECK_EQ(p[4096], 9);
        CHECK_EQ(mprotect(p + 4096, 4096, PROT_NONE), 0);
        CHECK_EQ(faults(p + 4096, 0), SIGSEGV);
        CHECK_EQ(mprotect(p + 4096, 4096, PROT_READ | PROT_WRITE), 0);
        CHECK_EQ(p[4096], 9);
        munmap(p, 3 * 4096);
        CHECK_ERRNO(mprotect(p, 4096, PROT_READ), ENOMEM);
        CHECK_ERRNO(mprotect(p + 1, 4096, PROT_READ), EINVAL);
    }
    COVERS(mmap);
    CASE(private_file_mapping_copies) {
        char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
        CHECK_EQ(p[0], 'f');
        CHECK_EQ(p[5999], 'f');
        CHECK_EQ(p[6000], 0);
        p[0] = 'x';
        char c;
        pread(fd, &c, 1, 0);
        CHECK_EQ(c, 'f');
        munmap(p, 8192);
    }
    CASE(shared_file_mapping_is_coherent) {
        char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        p[10] = 'm';
        char c;
        pread(fd, &c, 1, 10);
        CHECK_EQ(c, 'm');
        pwrite(fd, "w", 1, 11);
        CHECK_EQ(p[11], 'w');
        CHECK_EQ(msync(p, 8192, MS_SYNC), 0);
        munmap(p, 8192);
    }
    COVERS(mmap, ftruncate);
    CASE(truncate_takes_pages_away) {
        char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        CHECK_EQ(p[5000], 'f');
        ftruncate(fd, 4096);
        CHECK_EQ(faults(p + 5000, 0), SIGBUS);
        CHECK_EQ(p[100], 'f');
        ftruncate(fd, 8192);
        CHECK_EQ(p[5000], 0);
        munmap(p, 8192);
    }
    COVERS(mmap);
    CASE(fixed_replaces_and_noreplace_does_not) {
        char *p = anonymous(3 * 4096);
        p[4096] = 1;
        CHECK(mmap(p + 4096, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == p + 4096);
        CHECK_EQ(p[4096], 0);
        CHECK_ERRNO((long)mmap(p, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0), EEXIST);
        munmap(p, 3 * 4096);
    }
    CASE(map_errors) {
        CHECK_ERRNO((long)mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), EINVAL);
        CHECK_ERRNO((long)mmap(NULL, 4096, PROT_READ, MAP_ANONYMOUS, -1, 0), EINVAL);
        CHECK_ERRNO((long)mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, -1, 0), EBADF);
        CHECK_ERRNO((long)mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 1), EINVAL);
        CHECK_ERRNO((long)mmap(NULL, 1ul << 50, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0), ENOMEM);
        int read_only = open(path, O_RDONLY);
        CHECK_ERRNO((long)mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, read_only, 0), EACCES);
        close(read_only);
        int directory = open("/", O_RDONLY);
        CHECK_ERRNO((long)mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, directory, 0), ENODEV);
        close(directory);
    }
    COVERS(mremap);
    CASE(mremap_grows_moves_and_shrinks) {
        char *p = anonymous(2 * 4096);
        p[0] = 1, p[8191] = 2;
        char *q = mremap(p, 2 * 4096, 300 * 4096, MREMAP_MAYMOVE);
        CHECK(q != MAP_FAILED);
        CHECK_EQ(q[0], 1);
        CHECK_EQ(q[8191], 2);
        CHECK_EQ(q[299 * 4096], 0);
        CHECK(mremap(q, 300 * 4096, 4096, 0) == q);
        CHECK_EQ(faults(q + 4096, 0), SIGSEGV);
        char *target = anonymous(4096);
        CHECK(mremap(q, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, target) == target);
        CHECK_EQ(target[0], 1);
        CHECK_ERRNO((long)mremap(q, 4096, 8192, MREMAP_MAYMOVE), EFAULT);
        munmap(target, 4096);
    }
    COVERS(madvise);
    CASE(madvise_dontneed_zeroes) {
        char *p = anonymous(8192);
        p[0] = p[4096] = 1;
        CHECK_EQ(madvise(p, 4096, MADV_DONTNEED), 0);
        CHECK_EQ(p[0], 0);
        CHECK_EQ(p[4096], 1);
        munmap(p, 8192);
        CHECK_ERRNO(madvise(p, 4096, MADV_DONTNEED), ENOMEM);
    }
    COVERS(brk);
    CASE(break_grows_and_shrinks) {
        char *start = sbrk(0);
        CHECK(sbrk(100000) == start);
        start[99999] = 1;
        CHECK_EQ(start[50000], 0);
        CHECK(brk(start) == 0);
    }
    COVERS(mmap, fork);
    CASE(copy_on_write_both_ways) {
        char *p = anonymous(1 << 20);
        memset(p, 1, 1 << 20);
        pid_t child = fork();
        if (child == 0) {
            for (int i = 0; i < 1 << 20; i += 4096)
                if (p[i] != 1) _exit(1);
            memset(p, 2, 1 << 20);
            _exit(p[12345] == 2 ? 0 : 2);
        }
        memset(p, 3, 1 << 19);
        int status;
        waitpid(child, &status, 0);
        CHECK_EQ(status, 0);
        CHECK_EQ(p[0], 3);
        CHECK_EQ(p[(1 << 20) - 1], 1);
        munmap(p, 1 << 20);
    }
    COVERS(read, fork);
    CASE(system_call_writes_into_copy_on_write_page) {
        char *p = anonymous(4096);
        strcpy(p, "old");
        pid_t child = fork();
        if (child == 0) {
            pread(fd, p, 3, 0);
            _exit(memcmp(p, "fff", 3) ? 1 : 0);
        }
        int status;
        waitpid(child, &status, 0);
        CHECK_EQ(status, 0);
        CHECK_EQ(strcmp(p, "old"), 0);
        munmap(p, 4096);
    }
    COVERS(mprotect);
    CASE(executable_memory) {
        unsigned char code[] = {0xb8, 42, 0, 0, 0, 0xc3};
        void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        memcpy(p, code, sizeof code);
        CHECK_EQ(((int (*)(void))p)(), 42);
        CHECK_EQ(mprotect(p, 4096, PROT_READ | PROT_WRITE), 0);
        munmap(p, 4096);
    }
    COVERS(mmap);
    CASE(huge_reservation) {
        char *p = mmap(NULL, 1ul << 36, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        CHECK(p != MAP_FAILED);
        CHECK_EQ(mprotect(p + (1ul << 35), 1 << 20, PROT_READ | PROT_WRITE), 0);
        p[1ul << 35] = 1;
        CHECK_EQ(munmap(p, 1ul << 36), 0);
    }
    CASE(stack_grows) {
        volatile char *p = __builtin_alloca(2 << 20);
        p[0] = 1;
        CHECK_EQ(p[0], 1);
    }
    COVERS(mincore);
    CASE(mincore_reports) {
        char *p = anonymous(8192);
        p[0] = 1;
        unsigned char resident[2] = {9, 9};
        CHECK_EQ(mincore(p, 8192, resident), 0);
        CHECK_EQ(resident[0] & 1, 1);
        munmap(p, 8192);
        CHECK_ERRNO(mincore(p, 8192, resident), ENOMEM);
    }
    COVERS(read, write);
    CASE(bad_pointers) {
        CHECK_ERRNO(read(fd, BAD_POINTER, 1), EFAULT);
        CHECK_ERRNO(write(fd, BAD_POINTER, 1), EFAULT);
        char *edge = conformance_before_hole(2);
        lseek(fd, 0, SEEK_SET);
        CHECK_EQ(read(fd, edge, 100), 2);
        CHECK_ERRNO(open(conformance_before_hole(0), O_RDONLY), EFAULT);
    }
    unlink(path);
    return conformance_end();
}
