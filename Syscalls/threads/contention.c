// Many threads and processes at once on futexes, semaphores, message queues; barriers that one side leaves to membarrier(2).
#include "conformance.h"
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <mqueue.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>

enum { THREADS = 4, ROUNDS = 2000 };
static atomic_uint lock;
static long guarded;
static long futex(atomic_uint *word, int op, uint32_t value) { return syscall(SYS_futex, word, op, value, NULL, NULL, 0); }
static void acquire(void) {
    unsigned expected = 0;
    if (atomic_compare_exchange_strong(&lock, &expected, 1)) return;
    while (atomic_exchange(&lock, 2) != 0) futex(&lock, FUTEX_WAIT_PRIVATE, 2);
}
static void release(void) {
    if (atomic_exchange(&lock, 0) == 2) futex(&lock, FUTEX_WAKE_PRIVATE, 1);
}
static void *counts(void *argument) {
    for (int i = 0; i < ROUNDS; i++) {
        acquire();
        guarded++;
        release();
    }
    return argument;
}
static int set;
static int change(int by) {
    struct sembuf o = {0, by, 0};
    return semop(set, &o, 1);
}
static long *shared_count;
static void counts_under_semaphore(void) {
    for (int i = 0; i < 100; i++) {
        change(-1);
        ++*(volatile long *)shared_count;
        change(1);
    }
}
static int queue;
static void *sends_messages(void *argument) {
    struct {
        long type;
        int value;
    } m = {(long)argument + 1, 0};
    for (m.value = 1; m.value <= 100; m.value++)
        if (msgsnd(queue, &m, sizeof m.value, 0)) return (void *)1;
    return NULL;
}
static atomic_int sum;
static mqd_t posix;
static void *takes_posix(void *argument) {
    char text[16];
    for (;;) {
        ssize_t n = syscall(SYS_mq_timedreceive, posix, text, sizeof text, NULL, NULL);
        if (n != 4) return (void *)1;
        int value;
        memcpy(&value, text, 4);
        if (value == 0) return argument;
        sum += value;
    }
}
// The fast side only keeps the compiler from reordering; the slow side calls membarrier.
static volatile int x, y, seen_fast, seen_slow, turn_fast, turn_slow, failed_rounds;
static void *fast_side(void *argument) {
    for (int i = 1; i <= 500; i++) {
        while (turn_fast != i) {
        }
        x = 1;
        __asm__ volatile("" ::: "memory");
        seen_fast = y;
        turn_slow = i;
    }
    return argument;
}

static atomic_bool mapping_ends;
static void *maps_and_unmaps(void *argument) {
    while (!mapping_ends) {
        char *pages = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (pages == MAP_FAILED) return (void *)1;
        pages[0] = pages[40000] = 1;
        if (munmap(pages, 65536)) return (void *)1;
    }
    return argument;
}
static void *ends_at_once(void *argument) { return argument; }

int main(void) {
    pthread_t t[THREADS];
    COVERS(clone3);
    CASE(futex_mutex_excludes) {
        for (int i = 0; i < THREADS; i++) pthread_create(&t[i], NULL, counts, NULL);
        for (int i = 0; i < THREADS; i++) pthread_join(t[i], NULL);
        CHECK_EQ(guarded, THREADS * ROUNDS);
    }
    COVERS(clone3, mmap, munmap);
    CASE(threads_start_while_others_map) IN_FORK({
        pthread_t mapping[3], t;
        for (int i = 0; i < 3; i++) CHECK_EQ(pthread_create(&mapping[i], NULL, maps_and_unmaps, NULL), 0);
        for (int i = 0; i < 300; i++) {
            int error = pthread_create(&t, NULL, ends_at_once, NULL);
            CHECK_EQ(error, 0);
            if (error == 0) pthread_join(t, NULL);
        }
        mapping_ends = true;
        for (int i = 0; i < 3; i++) {
            void *failed;
            pthread_join(mapping[i], &failed);
            CHECK_EQ((long)failed, 0);
        }
    });
    COVERS(semget, semctl, semop);
    CASE(semaphore_excludes_processes) {
        shared_count = (long *)(void *)conformance_shared_page();
        set = semget(IPC_PRIVATE, 1, 0600);
        change(1);
        for (int i = 0; i < THREADS; i++)
            if (fork() == 0) {
                counts_under_semaphore();
                _exit(0);
            }
        while (wait(NULL) > 0) {
        }
        CHECK_EQ(*shared_count, THREADS * 100);
        semctl(set, 0, IPC_RMID);
    }
    COVERS(msgget, msgrcv, msgctl);
    CASE(messages_of_each_sender_keep_their_order) {
        queue = msgget(IPC_PRIVATE, 0600);
        for (long i = 0; i < THREADS; i++) pthread_create(&t[i], NULL, sends_messages, (void *)i);
        int last[THREADS + 1] = {0};
        for (int i = 0; i < THREADS * 100; i++) {
            struct {
                long type;
                int value;
            } m;
            CHECK_EQ(msgrcv(queue, &m, sizeof m.value, 0, 0), sizeof m.value);
            CHECK_EQ(m.value, last[m.type] + 1);
            last[m.type] = m.value;
        }
        for (int i = 0; i < THREADS; i++) pthread_join(t[i], NULL);
        msgctl(queue, IPC_RMID, NULL);
    }
    COVERS(mq_open, mq_unlink, mq_timedsend);
    CASE(posix_messages_arrive_once) {
        char name[32];
        snprintf(name, sizeof name, "contention-%d", getpid());
        struct mq_attr a = {.mq_maxmsg = 3, .mq_msgsize = 16};
        posix = syscall(SYS_mq_open, name, O_CREAT | O_RDWR, 0600, &a);
        syscall(SYS_mq_unlink, name);
        sum = 0;
        for (int i = 0; i < THREADS; i++) pthread_create(&t[i], NULL, takes_posix, NULL);
        for (int i = 1; i <= 300; i++) CHECK_EQ(syscall(SYS_mq_timedsend, posix, (char *)&i, 4, 1, NULL), 0);
        int end = 0;
        for (int i = 0; i < THREADS; i++) syscall(SYS_mq_timedsend, posix, (char *)&end, 4, 0, NULL);
        for (int i = 0; i < THREADS; i++) {
            void *result;
            pthread_join(t[i], &result);
            CHECK(result == NULL);
        }
        CHECK_EQ(sum, 300 * 301 / 2);
        close(posix);
    }
    COVERS(membarrier);
    CASE(one_sided_barrier) {
        CHECK_EQ(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0), 0);
        pthread_create(&t[0], NULL, fast_side, NULL);
        for (int i = 1; i <= 500; i++) {
            x = y = 0;
            __sync_synchronize();
            turn_fast = i;
            y = 1;
            CHECK_EQ(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0), 0);
            seen_slow = x;
            while (turn_slow != i) {
            }
            if (!seen_fast && !seen_slow) failed_rounds++;
        }
        pthread_join(t[0], NULL);
        CHECK_EQ(failed_rounds, 0);
    }
    return conformance_end();
}
