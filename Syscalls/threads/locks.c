// 64 threads on mutexes, condition variables and barriers: futex(2) under contention, clone(2), thread exit.
#include "conformance.h"
#include <pthread.h>
#include <semaphore.h>
#include <time.h>

enum { THREADS = 64, ROUNDS = 200 };
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static long counter;
static int turn;

static void *count(void *argument) {
    (void)argument;
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&mutex);
        counter++;
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

static void *take_turns(void *argument) {
    int me = (int)(long)argument;
    for (int i = 0; i < 5; i++) {
        pthread_mutex_lock(&mutex);
        while (turn % THREADS != me) pthread_cond_wait(&changed, &mutex);
        turn++;
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

static void *meet(void *argument) {
    long *sum = argument;
    for (int i = 0; i < 10; i++) {
        __atomic_add_fetch(sum, 1, __ATOMIC_SEQ_CST);
        pthread_barrier_wait(&barrier);
        if (__atomic_load_n(sum, __ATOMIC_SEQ_CST) < (long)THREADS * (i + 1)) return (void *)1;
        pthread_barrier_wait(&barrier);
    }
    return NULL;
}

static void run(void *(*body)(void *), void *(*argument)(int)) {
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, body, argument(i))) FAIL_("pthread_create");
    for (int i = 0; i < THREADS; i++) {
        void *result;
        pthread_join(threads[i], &result);
        if (result) FAIL_("thread %d failed", i);
    }
}

static long sum;
static void *none(int i) { return (void)i, NULL; }
static void *index_of(int i) { return (void *)(long)i; }
static void *address_of_sum(int i) { return (void)i, &sum; }

int main(void) {
    COVERS(clone, clone3, futex);
    CASE(mutex_excludes) {
        run(count, none);
        CHECK_EQ(counter, THREADS * ROUNDS);
    }
    CASE(condition_variable_hands_over) {
        run(take_turns, index_of);
        CHECK_EQ(turn, THREADS * 5);
    }
    CASE(barrier_meets) {
        pthread_barrier_init(&barrier, NULL, THREADS);
        run(meet, address_of_sum);
        CHECK_EQ(sum, THREADS * 10);
    }
    CASE(timed_lock_times_out) {
        pthread_mutex_lock(&mutex);
        struct timespec t;
        clock_gettime(CLOCK_REALTIME, &t);
        t.tv_nsec += 20000000;
        if (t.tv_nsec >= 1000000000) t.tv_sec++, t.tv_nsec -= 1000000000;
        CHECK_EQ(pthread_mutex_timedlock(&mutex, &t), ETIMEDOUT);
        pthread_mutex_unlock(&mutex);
    }
    CASE(priority_inheritance_mutex) {
        pthread_mutexattr_t attributes;
        pthread_mutexattr_init(&attributes);
        pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
        pthread_mutex_init(&mutex, &attributes);
        counter = 0;
        run(count, none);
        CHECK_EQ(counter, THREADS * ROUNDS);
    }
    COVERS(set_robust_list, futex);
    CASE(robust_mutex_reports_dead_owner) {
        pthread_mutex_t *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        pthread_mutexattr_t attributes;
        pthread_mutexattr_init(&attributes);
        pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
        pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
        pthread_mutex_init(shared, &attributes);
        pid_t child = fork();
        if (child == 0) {
            pthread_mutex_lock(shared);
            _exit(0);
        }
        waitpid(child, NULL, 0);
        CHECK_EQ(pthread_mutex_lock(shared), EOWNERDEAD);
        CHECK_EQ(pthread_mutex_consistent(shared), 0);
        CHECK_EQ(pthread_mutex_unlock(shared), 0);
    }
    COVERS(futex);
    CASE(shared_semaphore_between_processes) {
        sem_t *semaphore = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        sem_init(semaphore, 1, 0);
        pid_t child = fork();
        if (child == 0) {
            for (int i = 0; i < 100; i++) sem_post(semaphore);
            _exit(0);
        }
        for (int i = 0; i < 100; i++) CHECK_EQ(sem_wait(semaphore), 0);
        waitpid(child, NULL, 0);
    }
    return conformance_end();
}
