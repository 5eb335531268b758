// A worker: threads that make calls, and one that ticks so that none waits for ever.
#include "fuzzer.h"
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CALLS = 1500, CHILD_CALLS = 30, TICK_NS = 10000000, TICKS = 150 };

struct start {
    unsigned place, thread;
    uint64_t seed;
};

/// A worker that mostly makes the same calls from the same places.
static bool hot;

static void step(void) {
    if (hot && one_in(12)) guarded(run_hot);
    else if (one_in(6)) random_object();
    else if (one_in(16)) random_sequence();
    else guarded(random_call);
}

static void *thread_main(void *argument) {
    struct start *start = argument;
    place = start->place;
    slot = &shared->slots[place * THREADS + start->thread];
    slot->pid = getpid(), slot->tid = gettid();
    random_seed(start->seed * 1000003 + start->thread);
    for (int count = 0; count < CALLS; count++) {
        if (count % 16 == 0) install_handlers();
        step();
    }
    return NULL;
}

static void become_child(void) {
    slot = &shared->slots[WORKERS * THREADS + random_below(SLOTS - WORKERS * THREADS)];
    slot->pid = getpid(), slot->tid = gettid();
    random_seed(random_next() ^ slot->pid);
    install_handlers();
}

void child_main(void) {
    become_child();
    struct itimerval soon = {{0, 20000}, {0, 20000}};
    if (!one_in(4)) signal(SIGALRM, SIG_IGN), setitimer(ITIMER_REAL, &soon, NULL);
    if (one_in(2)) signal(SIGALRM, SIG_DFL);
    finish_child(CHILD_CALLS);
}

void finish_child(unsigned calls) {
    for (uint64_t count = random_below(calls); count > 0; count--) step();
    count_call(SYS_exit_group);
    _exit(0);
}

bool fork_briefly(int *child) {
    *child = 0;
    if (!may_fork() || (*child = fork()) != 0) return false;
    become_child();
    struct itimerval soon = {{0, 0}, {0, 100000 + (long)random_below(200000)}};
    signal(SIGALRM, SIG_DFL), setitimer(ITIMER_REAL, &soon, NULL);
    return true;
}

void end_child(int child) {
    if (child <= 0) return;
    for (int count = 0; count < 20; count++) {
        if (waitpid(child, NULL, WNOHANG | __WALL) == child) return;
        usleep(1000);
    }
    kill(child, SIGKILL);
    if (one_in(2)) waitpid(child, NULL, __WALL);
}

static void bound(int resource, rlim_t limit) {
    struct rlimit limits = {limit, limit};
    setrlimit(resource, &limits);
}

/// One of four works on the host's files, where the driver has granted a directory.
static void enter_scratch(unsigned place) {
    const char *const folders[] = {"/granted", "/tmp/fuzz", ""};
    char name[64];
    mkdir("/tmp/fuzz", 0777);
    for (unsigned at = one_in(4) ? 0 : 1; at < 3; at++) { // the last where /tmp fell victim to a call
        snprintf(name, sizeof name, "%s/%u", folders[at], place);
        mkdir(name, 0777);
        chmod(name, 0777);
        if (chdir(name) == 0) return;
    }
    _exit(3);
}

void worker_main(unsigned number, uint64_t seed) {
    bound(RLIMIT_AS, 1ull << 30);
    bound(RLIMIT_NPROC, 128);
    bound(RLIMIT_FSIZE, 16 << 20);
    bound(RLIMIT_NOFILE, 256);
    bound(RLIMIT_CORE, 0);
    setpgid(0, 0);
    random_seed(seed);
    enter_scratch(number);
    for (int fd = 0; fd < 3; fd++) dup2(null_file, fd); // opened before anybody could remove it
    close(null_file);
    unshare(0x20000); // mounts of its own, which go with it
    arguments_prepare();
    hot = one_in(4);
    if (one_in(2)) setgid(65534), setuid(65534);
    static pthread_t threads[THREADS];
    static struct start starts[THREADS];
    for (unsigned thread = 0; thread < THREADS; thread++) {
        starts[thread] = (struct start){number, thread, seed};
        pthread_create(&threads[thread], NULL, thread_main, &starts[thread]);
    }
    uint64_t made[THREADS] = {0};
    for (int tick = 0; tick < TICKS; tick++) {
        struct timespec pause = {0, TICK_NS};
        nanosleep(&pause, NULL);
        for (unsigned thread = 0; thread < THREADS; thread++) {
            struct slot *slot = &shared->slots[number * THREADS + thread];
            if (slot->made == made[thread]) syscall(SYS_tgkill, getpid(), slot->tid, SIGUSR1);
            made[thread] = slot->made;
        }
    }
    _exit(0);
}
