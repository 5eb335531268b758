// The bare system call, the clock, signals and epoll.
#define _GNU_SOURCE
#include "benchmark.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void call_nothing(void) { getppid(); }
/// By way of syscall(2), whose instruction serves every number.
static void call_indirectly(void) { syscall(SYS_getppid); }

// Through the vDSO, without a system call where the sandbox leaves that page alone.
static void read_clock(void) {
    struct timespec time;
    if (clock_gettime(CLOCK_MONOTONIC, &time) < 0) fail("clock_gettime");
}

static volatile sig_atomic_t handled;
static pid_t own_pid;

static void handle_signal(int signal) {
    (void)signal;
    handled = 1;
}

static void install_handler(void) {
    struct sigaction action = {.sa_handler = handle_signal};
    if (sigaction(SIGUSR1, &action, NULL) < 0) fail("sigaction");
    own_pid = getpid();
}

// A signal that a process sends to itself is handled before kill(2) returns, when it has one thread.
static void signal_self(void) {
    handled = 0;
    if (kill(own_pid, SIGUSR1) < 0) fail("kill");
    if (!handled) fail("the handler of a signal to itself");
}

static int poller, ready;

static void open_poller(void) {
    poller = epoll_create1(EPOLL_CLOEXEC);
    ready = eventfd(1, EFD_CLOEXEC);
    if (poller < 0 || ready < 0) fail("epoll_create1, eventfd");
    struct epoll_event interest = {.events = EPOLLIN};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, ready, &interest) < 0) fail("epoll_ctl");
}

static void poll_ready(void) {
    struct epoll_event event;
    if (epoll_wait(poller, &event, 1, -1) != 1) fail("epoll_wait");
}

static void close_poller(void) {
    close(poller);
    close(ready);
}

const struct benchmark event_benchmarks[] = {
    {"null_call", NULL, call_nothing, NULL, 0},
    {"indirect_call", NULL, call_indirectly, NULL, 0},
    {"clock_gettime", NULL, read_clock, NULL, 0},
    {"signal_round_trip", install_handler, signal_self, NULL, 0},
    {"epoll_wait_ready", open_poller, poll_ready, close_poller, 0},
    {0},
};
