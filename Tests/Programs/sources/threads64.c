// 64 threads on a mutex, a condition variable and a barrier.
#include <pthread.h>
#include <stdio.h>
enum { COUNT = 64, ROUNDS = 50 };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static int turn, sum;
static void *work(void *argument) {
    int number = (int)(long)argument;
    for (int round = 0; round < ROUNDS; round++) {
        pthread_mutex_lock(&lock);
        sum += number;
        pthread_mutex_unlock(&lock);
        pthread_barrier_wait(&barrier);
    }
    pthread_mutex_lock(&lock);
    while (turn != number) pthread_cond_wait(&changed, &lock);
    turn++;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    return NULL;
}
int main(void) {
    pthread_t threads[COUNT];
    pthread_barrier_init(&barrier, NULL, COUNT);
    for (long i = 0; i < COUNT; i++)
        if (pthread_create(&threads[i], NULL, work, (void *)i)) return 1;
    for (int i = 0; i < COUNT; i++) pthread_join(threads[i], NULL);
    printf("%d %d\n", sum, turn);
    return 0;
}
