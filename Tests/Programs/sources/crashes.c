#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static int depth;
static void inner(int *p) {
    depth++;
    *p = 42;
}
static void outer(int *p) { inner(p); }
static int add(int a, int b) {
    int c = a + b;
    return c;
}
static void *waits(void *argument) {
    sleep(60);
    return argument;
}

/// Adds, and crashes; with an argument it waits in three more threads first.
int main(int count, char **arguments) {
    (void)arguments;
    int sum = 0;
    for (int i = 0; i < 3; i++) sum = add(sum, i);
    printf("sum %d\n", sum);
    fflush(stdout);
    if (count > 1) {
        pthread_t thread;
        for (int i = 0; i < 3; i++) pthread_create(&thread, NULL, waits, NULL);
        puts("waiting");
        fflush(stdout);
        sleep(60);
    }
    outer(NULL);
    return 0;
}
