// futex(2), futex_waitv(2), futex_wake(2), futex_wait(2), futex_requeue(2), robust lists: arguments and errors of every operation.
#include "conformance.h"
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>

#ifndef FUTEX_LOCK_PI2
#define FUTEX_LOCK_PI2 13
#endif
#define SIZE_U32 2
#define PRIVATE 128
struct vector {
    uint64_t value, address;
    uint32_t flags, reserved;
};
static long futex(void *word, int op, uint32_t value, const void *timeout, void *word2, uint32_t value3) {
    return syscall(SYS_futex, word, op, value, timeout, word2, value3);
}
static long waitv(void *v, unsigned count, unsigned flags, const void *timeout, int clock) {
    return syscall(449, v, count, flags, timeout, clock);
}
static long wake2(void *word, unsigned long mask, int count, unsigned flags) { return syscall(454, word, mask, count, flags); }
static long wait2(void *word, unsigned long value, unsigned long mask, unsigned flags, const void *timeout, int clock) {
    return syscall(455, word, value, mask, flags, timeout, clock);
}
static long requeue2(struct vector *v, unsigned flags, int wakes, int moves) { return syscall(456, v, flags, wakes, moves); }
static struct timespec in_ms(int clock, long ms) {
    struct timespec t;
    clock_gettime(clock, &t);
    t.tv_nsec += ms * 1000000;
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}

static uint32_t words[4] __attribute__((aligned(64)));
static volatile int awake;
static void *waits_on_first(void *argument) {
    long r = futex(&words[0], FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, NULL, NULL, 0);
    __sync_fetch_and_add(&awake, 1);
    (void)argument;
    return (void *)r;
}
static void *waits_on_two(void *argument) {
    struct vector v[2] = {{0, (long)&words[1], SIZE_U32 | PRIVATE, 0}, {0, (long)&words[2], SIZE_U32 | PRIVATE, 0}};
    (void)argument;
    return (void *)waitv(v, 2, 0, NULL, 0);
}
static void *waits_new(void *argument) {
    return (void *)wait2(&words[0], 0, (unsigned long)argument, SIZE_U32 | PRIVATE, NULL, 0);
}
static void start(pthread_t *t, int n, void *(*body)(void *)) {
    for (int i = 0; i < n; i++) pthread_create(&t[i], NULL, body, NULL);
    conformance_nap(60);
}
static void note(int n) { (void)n; }

int main(void) {
    struct sigaction a = {.sa_handler = note};
    sigaction(SIGALRM, &a, NULL);
    char *odd = (char *)words + 1;
    COVERS(futex);
    CASE(alignment) {
        CHECK_ERRNO(futex(odd, FUTEX_WAKE, 1, NULL, NULL, 0), EINVAL);
        CHECK_ERRNO(futex(odd, FUTEX_WAIT, 0, NULL, NULL, 0), EINVAL);
        CHECK_ERRNO(futex(odd, FUTEX_LOCK_PI, 0, NULL, NULL, 0), EINVAL);
        CHECK_ERRNO(futex(words, FUTEX_REQUEUE, 1, (void *)1, odd, 0), EINVAL);
    }
    CASE(addresses) {
        CHECK_ERRNO(futex(BAD_POINTER, FUTEX_WAIT, 0, NULL, NULL, 0), EFAULT);
        CHECK_ERRNO(futex(BAD_POINTER, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0), EFAULT);
        CHECK_ERRNO(futex(BAD_POINTER, FUTEX_WAKE, 1, NULL, NULL, 0), EFAULT);
        CHECK_EQ(futex(BAD_POINTER, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 0);
        CHECK_ERRNO(futex((void *)-4096L, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), EFAULT);
        CHECK_ERRNO(futex(conformance_no_access(), FUTEX_WAIT, 0, NULL, NULL, 0), EFAULT);
        CHECK_ERRNO(futex(conformance_readable_page(), FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0), EAGAIN);
        CHECK_ERRNO(futex(conformance_readable_page(), FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0), EFAULT);
    }
    CASE(unknown_operations) {
        CHECK_ERRNO(futex(words, 14, 0, NULL, NULL, 0), ENOSYS);
        CHECK_ERRNO(futex(words, 127, 0, NULL, NULL, 0), ENOSYS);
        CHECK_ERRNO(futex(words, 2, 0, NULL, NULL, 0), ENOSYS);
    }
    CASE(realtime_flag) {
        CHECK_ERRNO(futex(words, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 1, NULL, NULL, 0), ENOSYS);
        CHECK_ERRNO(futex(words, FUTEX_REQUEUE | FUTEX_CLOCK_REALTIME, 1, NULL, words, 0), ENOSYS);
        CHECK_ERRNO(futex(words, FUTEX_WAIT | FUTEX_CLOCK_REALTIME, 1, NULL, NULL, 0), ENOSYS);
        CHECK_ERRNO(futex(words, FUTEX_LOCK_PI | FUTEX_CLOCK_REALTIME, 1, NULL, NULL, 0), ENOSYS);
    }
    CASE(different_value) {
        words[0] = 5;
        CHECK_ERRNO(futex(words, FUTEX_WAIT, 6, NULL, NULL, 0), EAGAIN);
        CHECK_ERRNO(futex(words, FUTEX_WAIT_BITSET, 6, NULL, NULL, 1), EAGAIN);
        words[0] = 0;
    }
    CASE(time_limits) {
        struct timespec bad = {0, 1000000000}, negative = {-1, 0}, zero = {0, 0}, past = {1, 0};
        CHECK_ERRNO(futex(words, FUTEX_WAIT, 0, &bad, NULL, 0), EINVAL);
        CHECK_ERRNO(futex(words, FUTEX_WAIT, 0, &negative, NULL, 0), EINVAL);
        CHECK_ERRNO(futex(words, FUTEX_WAIT, 0, BAD_POINTER, NULL, 0), EFAULT);
        CHECK_ERRNO(futex(words, FUTEX_WAIT, 0, &zero, NULL, 0), ETIMEDOUT);
        CHECK_ERRNO(futex(words, FUTEX_WAIT_BITSET, 0, &past, NULL, ~0u), ETIMEDOUT);
        CHECK_ERRNO(futex(words, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &past, NULL, ~0u), ETIMEDOUT);
    }
    CASE(bit_sets) {
        CHECK_ERRNO(futex(words, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0), EINVAL);
        CHECK_ERRNO(futex(words, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0), EINVAL);
    }
    CASE(requeue_counts) {
        CHECK_ERRNO(futex(words, FUTEX_REQUEUE, -1, (void *)1, &words[1], 0), EINVAL);
        CHECK_ERRNO(futex(words, FUTEX_REQUEUE, 1, (void *)-1L, &words[1], 0), EINVAL);
        CHECK_ERRNO(futex(words, FUTEX_CMP_REQUEUE, 1, (void *)1, &words[1], 77), EAGAIN);
        CHECK_EQ(futex(words, FUTEX_CMP_REQUEUE, 1, (void *)1, &words[1], 0), 0);
    }
    CASE(requeue_to_a_bad_address) CHECK_ERRNO(futex(words, FUTEX_CMP_REQUEUE, 1, (void *)1, BAD_POINTER, 0), EFAULT);
    CASE(wake_counts) {
        pthread_t t[3];
        awake = 0;
        start(t, 3, waits_on_first);
        CHECK_EQ(futex(words, FUTEX_WAKE_PRIVATE, 0, NULL, NULL, 0), 1);
        CHECK_EQ(futex(words, FUTEX_WAKE, 5, NULL, NULL, 0), 0);
        CHECK_EQ(futex(words, FUTEX_WAKE_PRIVATE, 5, NULL, NULL, 0), 2);
        for (int i = 0; i < 3; i++) pthread_join(t[i], NULL);
        CHECK_EQ(awake, 3);
    }
    CASE(requeued_waiters_wake_at_their_new_place) {
        pthread_t t[3];
        awake = 0;
        start(t, 3, waits_on_first);
        CHECK_EQ(futex(words, FUTEX_REQUEUE_PRIVATE, 1, (void *)10, &words[3], 0), 3);
        CHECK_EQ(futex(words, FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0), 0);
        CHECK_EQ(futex(&words[3], FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0), 2);
        for (int i = 0; i < 3; i++) pthread_join(t[i], NULL);
    }
    CASE(wake_operation) {
        words[3] = 5;
        CHECK_EQ(futex(words, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, &words[3], FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_EQ, 5)), 0);
        CHECK_EQ(words[3], 8);
        futex(words, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, &words[3], FUTEX_OP(FUTEX_OP_OR, 7, FUTEX_OP_CMP_EQ, 5));
        CHECK_EQ(words[3], 15);
        futex(words, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, &words[3], FUTEX_OP(FUTEX_OP_ANDN, 3, FUTEX_OP_CMP_EQ, 5));
        CHECK_EQ(words[3], 12);
        futex(words, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, &words[3], FUTEX_OP(FUTEX_OP_XOR, 5, FUTEX_OP_CMP_EQ, 5));
        CHECK_EQ(words[3], 9);
        futex(words, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, &words[3], FUTEX_OP((FUTEX_OP_SET | FUTEX_OP_OPARG_SHIFT), 4, FUTEX_OP_CMP_EQ, 5));
        CHECK_EQ(words[3], 16);
        CHECK_ERRNO(futex(words, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, &words[3], FUTEX_OP(5, 0, 0, 0)), ENOSYS);
        CHECK_ERRNO(futex(words, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, &words[3], FUTEX_OP(0, 0, 6, 0)), ENOSYS);
        CHECK_ERRNO(futex(words, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, BAD_POINTER, FUTEX_OP(0, 0, 0, 0)), EFAULT);
        words[3] = 0;
    }
    COVERS(gettid, futex);
    CASE(lock_errors) {
        words[0] = syscall(SYS_gettid);
        CHECK_ERRNO(futex(words, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0), EDEADLK);
        CHECK_ERRNO(futex(words, FUTEX_TRYLOCK_PI_PRIVATE, 0, NULL, NULL, 0), EDEADLK);
        CHECK_EQ(futex(words, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0), 0);
        CHECK_EQ(words[0], 0);
        CHECK_ERRNO(futex(words, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0), EPERM);
        words[0] = 1 << 22;
        CHECK_ERRNO(futex(words, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0), ESRCH);
        words[0] = 0;
        CHECK_EQ(futex(words, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0), 0);
        CHECK_EQ(words[0], syscall(SYS_gettid));
        CHECK_EQ(futex(words, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0), 0);
    }
    COVERS(futex);
    CASE(lock_two_uses_the_monotonic_clock) {
        struct timespec bad = {0, -1};
        words[0] = 0;
        CHECK_ERRNO(futex(words, FUTEX_LOCK_PI2 | PRIVATE, 0, &bad, NULL, 0), EINVAL);
        CHECK_EQ(futex(words, FUTEX_LOCK_PI2 | PRIVATE, 0, NULL, NULL, 0), 0);
        CHECK_EQ(futex(words, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0), 0);
    }
    CASE(requeue_to_lock_arguments) {
        CHECK_ERRNO(futex(words, FUTEX_CMP_REQUEUE_PI_PRIVATE, 2, (void *)1, &words[1], 0), EINVAL);
        CHECK_ERRNO(futex(words, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, (void *)1, words, 0), EINVAL);
        CHECK_ERRNO(futex(words, FUTEX_WAIT_REQUEUE_PI_PRIVATE, 0, NULL, words, 0), EINVAL);
        CHECK_ERRNO(futex(words, FUTEX_WAIT_REQUEUE_PI_PRIVATE, 9, NULL, &words[1], 0), EAGAIN);
    }
    COVERS(set_robust_list, get_robust_list);
    CASE(robust_list_arguments) {
        CHECK_ERRNO(syscall(SYS_set_robust_list, words, 23), EINVAL);
        CHECK_ERRNO(syscall(SYS_set_robust_list, words, 0), EINVAL);
        void *head;
        size_t size = 0;
        CHECK_EQ(syscall(SYS_get_robust_list, 0, &head, &size), 0);
        CHECK_EQ(size, 24);
        CHECK_ERRNO(syscall(SYS_get_robust_list, 1 << 22, &head, &size), ESRCH);
        CHECK_ERRNO(syscall(SYS_get_robust_list, 0, BAD_POINTER, &size), EFAULT);
        CHECK_ERRNO(syscall(SYS_get_robust_list, 0, &head, BAD_POINTER), EFAULT);
    }
    COVERS(clock_gettime);
    CASE(vector_arguments) {
        struct vector v[2] = {{0, (long)words, SIZE_U32 | PRIVATE, 0}, {0, (long)&words[1], SIZE_U32 | PRIVATE, 0}};
        struct timespec t = in_ms(CLOCK_MONOTONIC, 20);
        words[0] = words[1] = 0;
        CHECK_ERRNO(waitv(v, 0, 0, NULL, 0), EINVAL);
        CHECK_ERRNO(waitv(v, 129, 0, NULL, 0), EINVAL);
        CHECK_ERRNO(waitv(v, 2, 1, NULL, 0), EINVAL);
        CHECK_ERRNO(waitv(NULL, 2, 0, NULL, 0), EINVAL);
        CHECK_ERRNO(waitv(BAD_POINTER, 2, 0, NULL, 0), EFAULT);
        CHECK_ERRNO(waitv(v, 2, 0, &t, CLOCK_BOOTTIME), EINVAL);
        CHECK_ERRNO(waitv(v, 2, 0, BAD_POINTER, CLOCK_MONOTONIC), EFAULT);
        CHECK_ERRNO(waitv(v, 2, 0, &t, CLOCK_MONOTONIC), ETIMEDOUT);
        v[1].reserved = 1;
        CHECK_ERRNO(waitv(v, 2, 0, &t, CLOCK_MONOTONIC), EINVAL);
        v[1].reserved = 0;
        v[1].flags = PRIVATE | 3;
        CHECK_ERRNO(waitv(v, 2, 0, &t, CLOCK_MONOTONIC), EINVAL);
        v[1].flags = SIZE_U32 | PRIVATE | 64;
        CHECK_ERRNO(waitv(v, 2, 0, &t, CLOCK_MONOTONIC), EINVAL);
        v[1].flags = SIZE_U32 | PRIVATE;
        v[1].value = 1;
        CHECK_ERRNO(waitv(v, 2, 0, &t, CLOCK_MONOTONIC), EAGAIN);
        v[1].value = 1ULL << 32;
        CHECK_ERRNO(waitv(v, 2, 0, &t, CLOCK_MONOTONIC), EINVAL);
        v[1].value = 0;
        v[1].address = 0x10;
        CHECK_ERRNO(waitv(v, 2, 0, &t, CLOCK_MONOTONIC), EFAULT);
    }
    COVERS(futex);
    CASE(vector_tells_which_woke) {
        pthread_t t;
        words[1] = words[2] = 0;
        start(&t, 1, waits_on_two);
        CHECK_EQ(futex(&words[2], FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 1);
        void *result;
        pthread_join(t, &result);
        CHECK_EQ((long)result, 1);
    }
    COVERS(clock_gettime);
    CASE(vector_wait_is_interrupted) {
        struct vector v = {0, (long)words, SIZE_U32 | PRIVATE, 0};
        ualarm(30000, 0);
        CHECK_ERRNO(waitv(&v, 1, 0, NULL, 0), EINTR);
    }
    CASE(new_wake_arguments) {
        CHECK_ERRNO(wake2(words, 0, 1, SIZE_U32 | PRIVATE), EINVAL);
        CHECK_ERRNO(wake2(words, 1, 1, PRIVATE), EINVAL);
        CHECK_ERRNO(wake2(words, 1, 1, SIZE_U32 | 16), EINVAL);
        CHECK_ERRNO(wake2(words, 1UL << 32, 1, SIZE_U32 | PRIVATE), EINVAL);
        CHECK_ERRNO(wake2(odd, 1, 1, SIZE_U32 | PRIVATE), EINVAL);
        CHECK_EQ(wake2(words, 1, 0, SIZE_U32 | PRIVATE), 0);
        CHECK_EQ(wake2(words, 1, 1, SIZE_U32 | PRIVATE), 0);
    }
    CASE(new_wait_arguments) {
        struct timespec t = in_ms(CLOCK_MONOTONIC, 20);
        CHECK_ERRNO(wait2(words, 0, 0, SIZE_U32 | PRIVATE, NULL, 0), EINVAL);
        CHECK_ERRNO(wait2(words, 0, 1, PRIVATE, NULL, 0), EINVAL);
        CHECK_ERRNO(wait2(words, 1UL << 32, 1, SIZE_U32 | PRIVATE, NULL, 0), EINVAL);
        CHECK_ERRNO(wait2(words, 1, 1, SIZE_U32 | PRIVATE, NULL, 0), EAGAIN);
        CHECK_ERRNO(wait2(words, 0, 1, SIZE_U32 | PRIVATE, &t, CLOCK_BOOTTIME), EINVAL);
        CHECK_ERRNO(wait2(words, 0, 1, SIZE_U32 | PRIVATE, &t, CLOCK_MONOTONIC), ETIMEDOUT);
        CHECK_ERRNO(wait2(BAD_POINTER, 0, 1, SIZE_U32 | PRIVATE, &t, CLOCK_MONOTONIC), EFAULT);
    }
    COVERS(clone3);
    CASE(new_wait_and_wake) {
        pthread_t one, two;
        words[0] = 0;
        pthread_create(&one, NULL, waits_new, (void *)1L);
        pthread_create(&two, NULL, waits_new, (void *)2L);
        conformance_nap(60);
        CHECK_EQ(wake2(words, 4, 5, SIZE_U32 | PRIVATE), 0);
        CHECK_EQ(wake2(words, 2, 5, SIZE_U32 | PRIVATE), 1);
        CHECK_EQ(wake2(words, 1, 5, SIZE_U32 | PRIVATE), 1);
        pthread_join(one, NULL);
        pthread_join(two, NULL);
    }
    CASE(new_requeue) {
        struct vector v[2] = {{0, (long)words, SIZE_U32 | PRIVATE, 0}, {0, (long)&words[3], SIZE_U32 | PRIVATE, 0}};
        words[0] = 0;
        CHECK_ERRNO(requeue2(v, 1, 1, 1), EINVAL);
        CHECK_ERRNO(requeue2(NULL, 0, 1, 1), EINVAL);
        CHECK_ERRNO(requeue2(v, 0, -1, 1), EINVAL);
        v[0].value = 4;
        CHECK_ERRNO(requeue2(v, 0, 1, 1), EAGAIN);
        v[0].value = 0;
        pthread_t t[2];
        start(t, 2, waits_on_first);
        CHECK_EQ(requeue2(v, 0, 1, 1), 2);
        CHECK_EQ(wake2(&words[3], ~0u, 5, SIZE_U32 | PRIVATE), 1);
        pthread_join(t[0], NULL);
        pthread_join(t[1], NULL);
    }
    return conformance_end();
}
