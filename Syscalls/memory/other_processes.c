// process_vm_readv(2), process_vm_writev(2), membarrier(2), kcmp(2), process_mrelease(2).
#include "conformance.h"
#include <fcntl.h>
#include <linux/kcmp.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/uio.h>

static long barrier(int command, unsigned flags, int cpu) { return syscall(SYS_membarrier, command, flags, cpu); }
static long compare(pid_t one, pid_t two, int type, unsigned long a, unsigned long b) {
    return syscall(SYS_kcmp, one, two, type, a, b);
}
static char *target;
static volatile int stop;
static volatile long rounds;
static void *spins(void *argument) {
    while (!stop) rounds++;
    return argument;
}

int main(void) {
    target = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(target, 'p', 4 * 4096);
    char here[8192];
    COVERS(process_vm_readv, pause);
    CASE(reads_a_childs_memory) {
        target[0] = 'c';
        pid_t child = conformance_pausing_child();
        target[0] = 'p';
        struct iovec local = {here, 10}, remote = {target, 10};
        CHECK_EQ(process_vm_readv(child, &local, 1, &remote, 1, 0), 10);
        CHECK_EQ(here[0], 'c');
        conformance_end_child(child);
    }
    COVERS(process_vm_writev);
    CASE(writes_a_childs_memory) {
        char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        pid_t child = fork();
        if (child == 0) {
            while (!*(volatile char *)page) usleep(1000);
            _exit(*page);
        }
        char value = 42;
        struct iovec local = {&value, 1}, remote = {page, 1};
        CHECK_EQ(process_vm_writev(child, &local, 1, &remote, 1, 0), 1);
        int status;
        waitpid(child, &status, 0);
        CHECK_EQ(status, 42 << 8);
        CHECK_EQ(*page, 0);
    }
    COVERS(process_vm_readv);
    CASE(transfer_arguments) {
        struct iovec local = {here, 10}, remote = {target, 10};
        pid_t me = getpid();
        CHECK_ERRNO(process_vm_readv(me, &local, 1, &remote, 1, 1), EINVAL);
        CHECK_ERRNO(process_vm_readv(me, &local, 1025, &remote, 1, 0), EINVAL);
        CHECK_ERRNO(process_vm_readv(me, &local, 1, &remote, 1025, 0), EINVAL);
        CHECK_ERRNO(process_vm_readv(1 << 22, &local, 1, &remote, 1, 0), ESRCH);
        CHECK_ERRNO(process_vm_readv(me, BAD_POINTER, 1, &remote, 1, 0), EFAULT);
        CHECK_ERRNO(process_vm_readv(me, &local, 1, BAD_POINTER, 1, 0), EFAULT);
        local.iov_len = -1;
        CHECK_ERRNO(process_vm_readv(me, &local, 1, &remote, 1, 0), EINVAL);
        local.iov_len = 10;
        CHECK_EQ(process_vm_readv(me, &local, 0, &remote, 1, 0), 0);
        CHECK_EQ(process_vm_readv(me, &local, 1, &remote, 0, 0), 0);
    }
    COVERS(process_vm_readv, process_vm_writev);
    CASE(bad_ranges) {
        struct iovec local = {here, 10}, remote = {target, 10}, bad = {BAD_POINTER, 10};
        CHECK_ERRNO(process_vm_readv(getpid(), &bad, 1, &remote, 1, 0), EFAULT);
        CHECK_ERRNO(process_vm_readv(getpid(), &local, 1, &bad, 1, 0), EFAULT);
        CHECK_ERRNO(process_vm_writev(getpid(), &local, 1, &bad, 1, 0), EFAULT);
        bad.iov_base = conformance_readable_page();
        CHECK_ERRNO(process_vm_writev(getpid(), &local, 1, &bad, 1, 0), EFAULT);
    }
    COVERS(process_vm_readv);
    CASE(partial_transfer) {
        char *edge = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        munmap(edge + 4096, 4096);
        struct iovec local = {here, 8192}, remote = {edge, 8192};
        CHECK_EQ(process_vm_readv(getpid(), &local, 1, &remote, 1, 0), 4096);
        struct iovec two[2] = {{edge, 100}, {BAD_POINTER, 100}};
        CHECK_EQ(process_vm_readv(getpid(), &local, 1, two, 2, 0), 100);
    }
    CASE(vectors_of_different_shape) {
        struct iovec local[3] = {{here, 1}, {here + 1, 5}, {here + 6, 2}}, remote[2] = {{target, 6}, {target + 100, 6}};
        memset(target, 'a', 6);
        memset(target + 100, 'b', 6);
        CHECK_EQ(process_vm_readv(getpid(), local, 3, remote, 2, 0), 8);
        CHECK(!memcmp(here, "aaaaaabb", 8));
    }
    COVERS(process_vm_readv, pause);
    CASE(transfer_needs_the_same_user) {
        pid_t child = conformance_pausing_child();
        struct iovec local = {here, 10}, remote = {target, 10};
        if (geteuid() == 0) AS_USER(CHECK_ERRNO(process_vm_readv(child, &local, 1, &remote, 1, 0), EPERM));
        conformance_end_child(child);
    }
    COVERS(prctl, pause, process_vm_readv);
    CASE(undumpable_processes_are_closed) AS_USER({
        volatile int *word = (int *)conformance_shared_page();
        prctl(PR_SET_DUMPABLE, 1);
        pid_t child = fork();
        if (child == 0) {
            prctl(PR_SET_DUMPABLE, 0);
            *word = 1;
            for (;;) pause();
        }
        while (!*word) usleep(1000);
        struct iovec local = {here, 10};
        struct iovec remote = {target, 10};
        CHECK_ERRNO(process_vm_readv(child, &local, 1, &remote, 1, 0), EPERM);
        conformance_end_child(child);
    });
    CASE(barrier_query) {
        long known = barrier(MEMBARRIER_CMD_QUERY, 0, 0);
        CHECK(known > 0);
        CHECK(known & MEMBARRIER_CMD_GLOBAL);
        CHECK(known & MEMBARRIER_CMD_PRIVATE_EXPEDITED);
        CHECK_ERRNO(barrier(MEMBARRIER_CMD_QUERY, 1, 0), EINVAL);
        CHECK_ERRNO(barrier(1 << 20, 0, 0), EINVAL);
        CHECK_ERRNO(barrier(-1, 0, 0), EINVAL);
        CHECK_ERRNO(barrier(3, 0, 0), EINVAL);
    }
    CASE(barrier_needs_registration) IN_FORK({
        CHECK_ERRNO(barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0), EPERM);
        CHECK_EQ(barrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0), 0);
        CHECK_EQ(barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0), 0);
        CHECK_ERRNO(barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 1, 0), EINVAL);
        IN_FORK(CHECK_EQ(barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0), 0));
    });
    CASE(global_barriers) IN_FORK({
        CHECK_EQ(barrier(MEMBARRIER_CMD_GLOBAL, 0, 0), 0);
        CHECK_EQ(barrier(MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0), 0);
        CHECK_EQ(barrier(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0), 0);
        CHECK_EQ(barrier(MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0), 0);
        CHECK_ERRNO(barrier(MEMBARRIER_CMD_GLOBAL, 1, 0), EINVAL);
    });
    COVERS(clone3, clock_nanosleep);
    CASE(barrier_on_running_threads) IN_FORK({
        CHECK_EQ(barrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0), 0);
        pthread_t t;
        stop = 0;
        rounds = 0;
        pthread_create(&t, NULL, spins, NULL);
        while (!rounds) usleep(100);
        for (int i = 0; i < 20; i++) CHECK_EQ(barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0), 0);
        stop = 1;
        pthread_join(t, NULL);
    });
    CASE(core_and_sequence_barriers) IN_FORK({
        long known = barrier(MEMBARRIER_CMD_QUERY, 0, 0);
        if (known & MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE) {
            CHECK_ERRNO(barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0), EPERM);
            CHECK_EQ(barrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0), 0);
            CHECK_EQ(barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0), 0);
        } else {
            CHECK_ERRNO(barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0), EINVAL);
        }
    });
    CASE(barrier_registrations) IN_FORK({
        if (barrier(MEMBARRIER_CMD_QUERY, 0, 0) & 512) {
            CHECK_EQ(barrier(512, 0, 0), 0);
            barrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
            CHECK_EQ(barrier(512, 0, 0), MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
        }
    });
    COVERS(dup, kcmp);
    CASE(comparing_files) {
        int p[2];
        pipe(p);
        int copy = dup(p[0]);
        CHECK_EQ(compare(getpid(), getpid(), KCMP_FILE, p[0], copy), 0);
        long order = compare(getpid(), getpid(), KCMP_FILE, p[0], p[1]);
        CHECK(order == 1 || order == 2);
        CHECK_EQ(compare(getpid(), getpid(), KCMP_FILE, p[1], p[0]), 3 - order);
        CHECK_ERRNO(compare(getpid(), getpid(), KCMP_FILE, p[0], 9999), EBADF);
        close(copy);
        close(p[0]);
        close(p[1]);
    }
    COVERS(pause, kcmp);
    CASE(comparing_processes) {
        pid_t child = conformance_pausing_child();
        CHECK_EQ(compare(getpid(), child, KCMP_FILE, 0, 0), 0);
        CHECK(compare(getpid(), child, KCMP_VM, 0, 0) > 0);
        CHECK(compare(getpid(), child, KCMP_FILES, 0, 0) > 0);
        CHECK(compare(getpid(), child, KCMP_FS, 0, 0) > 0);
        CHECK(compare(getpid(), child, KCMP_SIGHAND, 0, 0) > 0);
        CHECK_EQ(compare(getpid(), child, KCMP_IO, 0, 0), 0);
        CHECK_EQ(compare(getpid(), getpid(), KCMP_VM, 0, 0), 0);
        conformance_end_child(child);
    }
    CASE(comparing_errors) {
        CHECK_ERRNO(compare(getpid(), getpid(), 99, 0, 0), EINVAL);
        CHECK_ERRNO(compare(getpid(), 1 << 22, KCMP_VM, 0, 0), ESRCH);
        pid_t child = conformance_pausing_child();
        if (geteuid() == 0) AS_USER(CHECK_ERRNO(compare(getpid(), child, KCMP_VM, 0, 0), EPERM));
        conformance_end_child(child);
    }
    COVERS(kcmp);
    CASE(comparing_epoll_targets) {
        CHECK_ERRNO(compare(getpid(), getpid(), KCMP_EPOLL_TFD, 0, 0x10), EFAULT);
        struct kcmp_epoll_slot slot = {9999, 0, 0};
        CHECK_ERRNO(compare(getpid(), getpid(), KCMP_EPOLL_TFD, 0, (long)&slot), EBADF);
    }
    COVERS(pidfd_open, process_mrelease, pause);
    CASE(releasing_memory_of_the_dying) {
        pid_t child = conformance_pausing_child();
        int fd = syscall(SYS_pidfd_open, child, 0);
        CHECK_ERRNO(syscall(SYS_process_mrelease, fd, 1), EINVAL);
        CHECK_ERRNO(syscall(SYS_process_mrelease, 9999, 0), EBADF);
        CHECK_ERRNO(syscall(SYS_process_mrelease, fd, 0), EINVAL);
        conformance_end_child(child);
        CHECK_ERRNO(syscall(SYS_process_mrelease, fd, 0), ESRCH);
        close(fd);
    }
    CASE(releasing_memory_of_the_killed) {
        for (int round = 0; round < 20; round++) {
            pid_t child = conformance_fork();
            if (child == 0) {
                size_t size = 16 << 20;
                char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                memset(memory, 1, size);
                while (1) pause();
            }
            int fd = syscall(SYS_pidfd_open, child, 0);
            conformance_nap(5);
            kill(child, SIGKILL);
            // Gone already, at times.
            if (syscall(SYS_process_mrelease, fd, 0)) CHECK_EQ(errno, ESRCH);
            int status = 0;
            CHECK_EQ(waitpid(child, &status, 0), child);
            CHECK_EQ(status, SIGKILL);
            CHECK_ERRNO(syscall(SYS_process_mrelease, fd, 0), ESRCH);
            close(fd);
        }
    }
    return conformance_end();
}
