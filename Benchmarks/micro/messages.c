// Round trips: one byte to a partner and back, over pipes, a socket pair and a futex.
#define _GNU_SOURCE
#include "benchmark.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int to_partner, from_partner;
static pid_t partner;

// Returns bytes until the other end is closed, so that the partner never outlives this program.
static noreturn void echo_bytes(int input, int output) {
    char byte;
    while (read(input, &byte, 1) == 1 && write(output, &byte, 1) == 1) continue;
    _exit(0);
}

static void start_pipes(void) {
    int request[2], answer[2];
    if (pipe(request) < 0 || pipe(answer) < 0) fail("pipe");
    partner = fork();
    if (partner < 0) fail("fork");
    if (partner == 0) {
        close(request[1]);
        close(answer[0]);
        echo_bytes(request[0], answer[1]);
    }
    close(request[0]);
    close(answer[1]);
    to_partner = request[1];
    from_partner = answer[0];
}

static void start_sockets(void) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0) fail("socketpair");
    partner = fork();
    if (partner < 0) fail("fork");
    if (partner == 0) {
        close(pair[0]);
        echo_bytes(pair[1], pair[1]);
    }
    close(pair[1]);
    to_partner = from_partner = pair[0];
}

static void exchange_byte(void) {
    char byte = 0;
    if (write(to_partner, &byte, 1) != 1) fail("write to the partner");
    if (read(from_partner, &byte, 1) != 1) fail("read from the partner");
}

static void stop_partner(void) {
    close(to_partner);
    if (from_partner != to_partner) close(from_partner);
    if (waitpid(partner, NULL, 0) != partner) fail("waitpid");
}

// Whose turn it is, in the futex word itself.
enum turn { MINE, THEIRS, OVER };

static _Atomic int turn;
static pthread_t partner_thread;

static void give_turn(enum turn next) {
    atomic_store(&turn, next);
    if (syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0) < 0) fail("futex wake");
}

static void wait_while(enum turn current) {
    while (atomic_load(&turn) == (int)current) {
        long result = syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, current, NULL, NULL, 0);
        if (result < 0 && errno != EAGAIN && errno != EINTR) fail("futex wait");
    }
}

static void *return_turns(void *unused) {
    for (;;) {
        wait_while(MINE);
        if (atomic_load(&turn) == OVER) return unused;
        give_turn(MINE);
    }
}

static void start_thread(void) {
    atomic_store(&turn, MINE);
    if (pthread_create(&partner_thread, NULL, return_turns, NULL) != 0) fail("pthread_create");
}

static void exchange_turn(void) {
    give_turn(THEIRS);
    wait_while(THEIRS);
}

static void stop_thread(void) {
    give_turn(OVER);
    pthread_join(partner_thread, NULL);
}

const struct benchmark message_benchmarks[] = {
    {"pipe_round_trip", start_pipes, exchange_byte, stop_partner, 0},
    {"socket_round_trip", start_sockets, exchange_byte, stop_partner, 0},
    {"futex_round_trip", start_thread, exchange_turn, stop_thread, 0},
    {0},
};
