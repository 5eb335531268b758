// Creating processes and threads, and waiting for their end.
#define _GNU_SOURCE
#include "benchmark.h"

#include <limits.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

static void await(pid_t child) {
    int status;
    if (waitpid(child, &status, 0) != child) fail("waitpid");
    if (status != 0) fail("a child that should have exited with 0");
}

static void fork_and_wait(void) {
    pid_t child = fork();
    if (child < 0) fail("fork");
    if (child == 0) _exit(0);
    await(child);
}

static char own_path[PATH_MAX];

static void find_own_path(void) {
    ssize_t length = readlink("/proc/self/exe", own_path, sizeof own_path - 1);
    if (length < 0) fail("readlink /proc/self/exe");
    own_path[length] = 0;
}

static void execute_and_wait(void) {
    static char *const no_variables[] = {NULL};
    char *const arguments[] = {own_path, EXIT_AT_ONCE, NULL};
    pid_t child = vfork();
    if (child < 0) fail("vfork");
    if (child == 0) {
        execve(own_path, arguments, no_variables);
        _exit(127);
    }
    await(child);
}

static void *return_at_once(void *argument) { return argument; }

static void create_and_join(void) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, return_at_once, NULL) != 0) fail("pthread_create");
    pthread_join(thread, NULL);
}

const struct benchmark process_benchmarks[] = {
    {"fork_exit_wait", NULL, fork_and_wait, NULL, 0},
    {"vfork_exec_wait", find_own_path, execute_and_wait, NULL, 0},
    {"thread_create_join", NULL, create_and_join, NULL, 0},
    {0},
};
