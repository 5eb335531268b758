// futex(2) itself: errors, bitsets, requeue, wake-op, priority inheritance, robust lists, futex_waitv.
#include "conformance.h"
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

static long futex(uint32_t *word, int op, uint32_t value, const void *timeout, uint32_t *word2, uint32_t value3) {
    return syscall(SYS_futex, word, op, value, timeout, word2, value3);
}
static struct timespec in_ms(int clock, long ms) {
    struct timespec t;
    clock_gettime(clock, &t);
    t.tv_nsec += ms * 1000000;
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}
static void nap(long ms) {
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    while (nanosleep(&t, &t)) {
    }
}

struct waiter {
    pthread_t thread;
    uint32_t *word;
    uint32_t value, bitset;
    long result;
    int error;
    volatile int started, done;
};
static void *wait_body(void *argument) {
    struct waiter *w = argument;
    w->started = 1;
    w->result = futex(w->word, FUTEX_WAIT_BITSET_PRIVATE, w->value, NULL, NULL, w->bitset);
    w->error = errno;
    w->done = 1;
    return NULL;
}
static void start(struct waiter *w, uint32_t *word, uint32_t bitset) {
    memset(w, 0, sizeof *w);
    w->word = word;
    w->value = *word;
    w->bitset = bitset;
    pthread_create(&w->thread, NULL, wait_body, w);
}
static int done_count(struct waiter *w, int n) {
    int count = 0;
    for (int i = 0; i < n; i++) count += w[i].done;
    return count;
}

static uint32_t pi_word;
static volatile int pi_stage;
static void *pi_body(void *argument) {
    (void)argument;
    pi_stage = 1;
    long r = futex(&pi_word, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0);
    if (r) return (void *)(long)errno;
    if ((pi_word & FUTEX_TID_MASK) != (uint32_t)syscall(SYS_gettid)) return (void *)-1L;
    pi_stage = 2;
    r = futex(&pi_word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0);
    return (void *)(long)(r ? errno : 0);
}
static void *pi_die(void *argument) {
    (void)argument;
    futex(&pi_word, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0);
    pi_stage = 1;
    nap(60);
    return NULL;
}

static uint32_t condition_word, mutex_word;
static void *requeue_pi_body(void *argument) {
    (void)argument;
    long r = futex(&condition_word, FUTEX_WAIT_REQUEUE_PI_PRIVATE, 0, NULL, &mutex_word, 0);
    if (r) return (void *)(long)errno;
    if ((mutex_word & FUTEX_TID_MASK) != (uint32_t)syscall(SYS_gettid)) return (void *)-1L;
    r = futex(&mutex_word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0);
    return (void *)(long)(r ? errno : 0);
}

static pthread_mutex_t robust;
static void *robust_body(void *argument) {
    (void)argument;
    pthread_mutex_lock(&robust);
    return NULL;
}

static void on_signal(int n) { (void)n; }

int main(void) {
    COVERS(futex);
    CASE(wait_errors) {
        uint32_t word = 1;
        struct timespec bad = {0, 1000000000}, negative = {-1, 0};
        CHECK_ERRNO(futex(&word, FUTEX_WAIT, 0, NULL, NULL, 0), EAGAIN);
        CHECK_ERRNO(futex((uint32_t *)((char *)&word + 1), FUTEX_WAIT, 1, NULL, NULL, 0), EINVAL);
        CHECK_ERRNO(futex(BAD_POINTER, FUTEX_WAIT, 1, NULL, NULL, 0), EFAULT);
        CHECK_ERRNO(futex(BAD_POINTER, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0), EFAULT);
        CHECK_ERRNO(futex(&word, FUTEX_WAIT, 1, &bad, NULL, 0), EINVAL);
        CHECK_ERRNO(futex(&word, FUTEX_WAIT, 0, &negative, NULL, 0), EINVAL);
        CHECK_ERRNO(futex(&word, FUTEX_WAIT, 1, BAD_POINTER, NULL, 0), EFAULT);
        CHECK_ERRNO(futex(&word, FUTEX_WAIT_BITSET, 1, NULL, NULL, 0), EINVAL);
        CHECK_ERRNO(futex(&word, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0), EINVAL);
        CHECK_ERRNO(futex(&word, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 1, NULL, NULL, 0), ENOSYS);
        CHECK_ERRNO(futex(&word, FUTEX_WAIT | FUTEX_CLOCK_REALTIME, 1, NULL, NULL, 0), ENOSYS);
        CHECK_ERRNO(futex(&word, 77, 1, NULL, NULL, 0), ENOSYS);
        CHECK_EQ(futex(&word, FUTEX_WAKE, 1, NULL, NULL, 0), 0);
    }
    CASE(wait_times_out) {
        uint32_t word = 1;
        struct timespec t = {0, 20000000}, a, b;
        clock_gettime(CLOCK_MONOTONIC, &a);
        CHECK_ERRNO(futex(&word, FUTEX_WAIT_PRIVATE, 1, &t, NULL, 0), ETIMEDOUT);
        clock_gettime(CLOCK_MONOTONIC, &b);
        CHECK((b.tv_sec - a.tv_sec) * 1000000000L + b.tv_nsec - a.tv_nsec >= 20000000);
        t = in_ms(CLOCK_REALTIME, 10);
        CHECK_ERRNO(futex(&word, FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME, 1, &t, NULL, ~0u), ETIMEDOUT);
        clock_gettime(CLOCK_MONOTONIC, &t);
        t.tv_sec--;
        CHECK_ERRNO(futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 1, &t, NULL, ~0u), ETIMEDOUT);
    }
    CASE(bitsets_select) {
        uint32_t word = 0;
        struct waiter w[3];
        for (int i = 0; i < 3; i++) start(&w[i], &word, 1u << i);
        nap(50);
        CHECK_EQ(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 10, NULL, NULL, 8), 0);
        CHECK_EQ(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 10, NULL, NULL, 2), 1);
        pthread_join(w[1].thread, NULL);
        CHECK_EQ(w[1].result, 0);
        // A count of zero still wakes one.
        CHECK_EQ(futex(&word, FUTEX_WAKE_PRIVATE, 0, NULL, NULL, 0), 1);
        CHECK_EQ(futex(&word, FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0), 1);
        pthread_join(w[0].thread, NULL);
        pthread_join(w[2].thread, NULL);
    }
    CASE(requeue_moves) {
        static uint32_t words[2];
        struct waiter w[4];
        for (int i = 0; i < 4; i++) start(&w[i], &words[0], ~0u);
        nap(50);
        CHECK_ERRNO(futex(&words[0], FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)2, &words[1], 99), EAGAIN);
        CHECK_ERRNO(futex(&words[0], FUTEX_REQUEUE_PRIVATE, -1, (void *)2, &words[1], 0), EINVAL);
        CHECK_EQ(futex(&words[0], FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)2, &words[1], 0), 3);
        nap(20);
        CHECK_EQ(done_count(w, 4), 1);
        CHECK_EQ(futex(&words[1], FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0), 2);
        CHECK_EQ(futex(&words[0], FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0), 1);
        for (int i = 0; i < 4; i++) pthread_join(w[i].thread, NULL);
    }
    CASE(wake_op) {
        static uint32_t words[2];
        words[1] = 5;
        struct waiter w[2];
        start(&w[0], &words[0], ~0u);
        start(&w[1], &words[1], ~0u);
        nap(50);
        CHECK_EQ(futex(&words[0], FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, &words[1], FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_GT, 4)), 2);
        CHECK_EQ(words[1], 8);
        for (int i = 0; i < 2; i++) pthread_join(w[i].thread, NULL);
        CHECK_EQ(futex(&words[0], FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, &words[1],
                       FUTEX_OP((FUTEX_OP_OR | FUTEX_OP_OPARG_SHIFT), 31, FUTEX_OP_CMP_EQ, 0)), 0);
        CHECK_EQ(words[1], 0x80000008u);
        CHECK_ERRNO(futex(&words[0], FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, &words[1], FUTEX_OP(7, 0, 0, 0)), ENOSYS);
    }
    CASE(shared_between_processes) {
        uint32_t *word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        pid_t child = fork();
        if (child == 0) _exit(futex(word, FUTEX_WAIT, 0, NULL, NULL, 0) == 0 && *word == 1 ? 0 : 1);
        nap(50);
        *word = 1;
        CHECK_EQ(futex(word, FUTEX_WAKE, 1, NULL, NULL, 0), 1);
        int status = -1;
        waitpid(child, &status, 0);
        CHECK_EQ(status, 0);
    }
    COVERS(futex);
    CASE(signals_interrupt) {
        uint32_t word = 0;
        struct sigaction action = {.sa_handler = on_signal};
        sigaction(SIGUSR1, &action, NULL);
        pid_t parent = getpid();
        pid_t child = fork();
        if (child == 0) {
            nap(30);
            kill(parent, SIGUSR1);
            _exit(0);
        }
        struct timespec t = {5, 0};
        CHECK_ERRNO(futex(&word, FUTEX_WAIT_PRIVATE, 0, &t, NULL, 0), EINTR);
        waitpid(child, NULL, 0);
    }
    CASE(priority_inheritance) {
        uint32_t me = (uint32_t)syscall(SYS_gettid);
        pi_word = 0;
        CHECK_EQ(futex(&pi_word, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0), 0);
        CHECK_EQ(pi_word, me);
        CHECK_ERRNO(futex(&pi_word, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0), EDEADLK);
        CHECK_ERRNO(futex(&pi_word, FUTEX_TRYLOCK_PI_PRIVATE, 0, NULL, NULL, 0), EDEADLK);
        pthread_t thread;
        void *result;
        pi_stage = 0;
        pthread_create(&thread, NULL, pi_body, NULL);
        nap(50);
        CHECK_EQ(pi_word, me | FUTEX_WAITERS);
        CHECK_EQ(futex(&pi_word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0), 0);
        pthread_join(thread, &result);
        CHECK_EQ((long)result, 0);
        CHECK_EQ(pi_word, 0);
        CHECK_ERRNO(futex(&pi_word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0), EPERM);
        pi_word = 0x3ffffff0;
        CHECK_ERRNO(futex(&pi_word, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0), ESRCH);
        pi_word = 1;
    }
    CASE(priority_inheritance_times_out) {
        pthread_t thread;
        pi_word = 0;
        pi_stage = 0;
        pthread_create(&thread, NULL, pi_die, NULL);
        while (!pi_stage) nap(1);
        struct timespec t = in_ms(CLOCK_REALTIME, 10);
        CHECK_ERRNO(futex(&pi_word, FUTEX_LOCK_PI_PRIVATE, 0, &t, NULL, 0), ETIMEDOUT);
        CHECK_ERRNO(futex(&pi_word, FUTEX_TRYLOCK_PI_PRIVATE, 0, NULL, NULL, 0), EAGAIN);
        // The owner dies with the lock: the waiter gets it with the mark.
        CHECK_EQ(futex(&pi_word, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0), 0);
        CHECK_EQ(pi_word & ~FUTEX_WAITERS, (uint32_t)syscall(SYS_gettid) | FUTEX_OWNER_DIED);
        CHECK_EQ(futex(&pi_word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0), 0);
        pthread_join(thread, NULL);
    }
    CASE(requeue_to_lock) {
        pthread_t threads[3];
        condition_word = 0;
        mutex_word = 0;
        CHECK_EQ(futex(&mutex_word, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0), 0);
        for (int i = 0; i < 3; i++) pthread_create(&threads[i], NULL, requeue_pi_body, NULL);
        nap(50);
        CHECK_ERRNO(futex(&condition_word, FUTEX_CMP_REQUEUE_PI_PRIVATE, 2, (void *)10, &mutex_word, 0), EINVAL);
        CHECK_ERRNO(futex(&condition_word, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, (void *)10, &mutex_word, 5), EAGAIN);
        CHECK_EQ(futex(&condition_word, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, (void *)10, &mutex_word, 0), 3);
        CHECK_EQ(futex(&mutex_word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0), 0);
        for (int i = 0; i < 3; i++) {
            void *result;
            pthread_join(threads[i], &result);
            CHECK_EQ((long)result, 0);
        }
        CHECK_EQ(mutex_word, 0);
    }
    CASE(robust_mutex_survives_its_owner) {
        pthread_mutexattr_t attributes;
        pthread_mutexattr_init(&attributes);
        pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
        pthread_mutex_init(&robust, &attributes);
        pthread_t thread;
        pthread_create(&thread, NULL, robust_body, NULL);
        pthread_join(thread, NULL);
        CHECK_EQ(pthread_mutex_lock(&robust), EOWNERDEAD);
        CHECK_EQ(pthread_mutex_consistent(&robust), 0);
        CHECK_EQ(pthread_mutex_unlock(&robust), 0);
    }
    COVERS(set_robust_list, get_robust_list);
    CASE(robust_lists) {
        struct robust_list_head *head = NULL;
        size_t length = 0;
        CHECK_ERRNO(syscall(SYS_set_robust_list, &head, 12), EINVAL);
        CHECK_EQ(syscall(SYS_get_robust_list, 0, &head, &length), 0);
        CHECK_EQ(length, sizeof *head);
        CHECK(head != NULL);
        CHECK_ERRNO(syscall(SYS_get_robust_list, 0x3ffffff0, &head, &length), ESRCH);
    }
    COVERS(futex_waitv);
    CASE(waitv) {
        static uint32_t words[2];
        struct futex_waitv v[2] = {{.val = 0, .uaddr = (uintptr_t)&words[0], .flags = FUTEX_32 | FUTEX_PRIVATE_FLAG},
                                   {.val = 0, .uaddr = (uintptr_t)&words[1], .flags = FUTEX_32 | FUTEX_PRIVATE_FLAG}};
        struct timespec t = in_ms(CLOCK_MONOTONIC, 10);
        CHECK_ERRNO(syscall(SYS_futex_waitv, v, 2, 0, &t, CLOCK_MONOTONIC), ETIMEDOUT);
        CHECK_ERRNO(syscall(SYS_futex_waitv, v, 0, 0, NULL, 0), EINVAL);
        CHECK_ERRNO(syscall(SYS_futex_waitv, v, 2, 1, NULL, 0), EINVAL);
        CHECK_ERRNO(syscall(SYS_futex_waitv, v, 129, 0, NULL, 0), EINVAL);
        CHECK_ERRNO(syscall(SYS_futex_waitv, v, 2, 0, &t, CLOCK_BOOTTIME), EINVAL);
        v[1].val = 1;
        CHECK_ERRNO(syscall(SYS_futex_waitv, v, 2, 0, NULL, 0), EAGAIN);
        v[1].flags = 0;
        CHECK_ERRNO(syscall(SYS_futex_waitv, v, 2, 0, NULL, 0), EINVAL);
    }
    return conformance_end();
}
