// memfd_secret(2).
#include "conformance.h"
#include <setjmp.h>
#include <sys/uio.h>

#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif

static sigjmp_buf back;
static void on_fault(int n) { siglongjmp(back, n); }

int main(void) {
    conformance_enter();
    COVERS(memfd_secret);
    CASE(secret_memory_is_mapped) {
        CHECK_ERRNO(syscall(SYS_memfd_secret, 2), EINVAL);
        CHECK_ERRNO(syscall(SYS_memfd_secret, O_NONBLOCK), EINVAL);
        int fd = syscall(SYS_memfd_secret, O_CLOEXEC);
        CHECK(fd >= 0);
        CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
        CHECK_EQ(ftruncate(fd, 8192), 0);
        CHECK_ERRNO(ftruncate(fd, 4096), EINVAL);
        struct stat status;
        CHECK_EQ(fstat(fd, &status), 0);
        CHECK_EQ(status.st_size, 8192);
        CHECK_EQ(status.st_mode & S_IFMT, S_IFREG);
        char byte;
        CHECK_ERRNO(read(fd, &byte, 1), EINVAL);
        CHECK_ERRNO(write(fd, &byte, 1), EINVAL);
        CHECK_ERRNO(lseek(fd, 0, SEEK_SET), ESPIPE);
        CHECK_ERRNO(fallocate(fd, 0, 0, 4096), EOPNOTSUPP);
        CHECK_ERRNO(fsync(fd), EINVAL);
        CHECK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED && errno == EINVAL);
        char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        CHECK(p != MAP_FAILED);
        strcpy(p, "secret");
        char *again = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
        CHECK(!strcmp(again, "secret"));
        // System calls of its own process use it as any memory.
        int ends[2];
        pipe(ends);
        CHECK_EQ(write(ends[1], p, 7), 7);
        CHECK_EQ(read(ends[0], p + 100, 7), 7);
        CHECK(!strcmp(p + 100, "secret"));
        munmap(p, 8192), munmap(again, 4096);
        close(fd), close(ends[0]), close(ends[1]);
    }
    CASE(secret_memory_ends_with_the_file) CHILD {
        int fd = syscall(SYS_memfd_secret, 0);
        CHECK_EQ(ftruncate(fd, 4096), 0);
        volatile char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        signal(SIGBUS, on_fault);
        static int caught;
        caught = sigsetjmp(back, 1);
        if (!caught) p[4096] = 1;
        CHECK_EQ(caught, SIGBUS);
        p[0] = 1;
    }
    COVERS(process_vm_readv);
    CASE(secret_memory_is_not_read_by_others) {
        int fd = syscall(SYS_memfd_secret, 0);
        CHECK_EQ(ftruncate(fd, 4096), 0);
        char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        strcpy(p, "secret");
        char text[8] = "";
        struct iovec here = {text, 7}, there = {p, 7};
        CHECK_ERRNO(process_vm_readv(getpid(), &here, 1, &there, 1, 0), EFAULT);
        CHECK_ERRNO(process_vm_writev(getpid(), &here, 1, &there, 1, 0), EFAULT);
        int memory = open("/proc/self/mem", O_RDWR);
        CHECK_ERRNO(pread(memory, text, 7, (uintptr_t)p), EIO);
        CHECK_ERRNO(pwrite(memory, "x", 1, (uintptr_t)p), EIO);
        CHECK(!strcmp(p, "secret"));
        CHILD CHECK(!strcmp(p, "secret"));
        close(fd), close(memory);
    }
    return conformance_end();
}
