#include "fuzzer.h"
#include <fcntl.h>
#include <sys/syscall.h>

#define F {FD}
#define A {SOCKADDR}
#define L ONE(110, 16, 28, 2, 3, 12)
#define FAMILY ONE(1, 1, 1, 2, 10, 16, 17, 0)
#define TYPE ONE(1, 2, 5, 3, 1 | O_NONBLOCK, 2 | O_NONBLOCK, 5 | O_NONBLOCK | O_CLOEXEC)
#define HOW BITS(0x4020d173 | 0x40)

static const struct call calls[] = {
    CALL(socket, FAMILY, TYPE, ONE(0, 0, 0, 6, 17, 1, 15)), CALL(socketpair, FAMILY, TYPE, ONE(0, 0, 1), {OUT}),
    CALL(connect, F, A, L),
    CALL(bind, F, A, L), CALL(listen, F, {INT}), CALL(accept, F, {OUT}, {SOCKLEN}),
    CALL(accept4, F, {OUT}, {SOCKLEN}, BITS(O_NONBLOCK | O_CLOEXEC)),
    CALL(sendto, F, {IN}, {SIZE}, HOW, A, L), CALL(recvfrom, F, {OUT}, {SIZE}, HOW, {OUT}, {SOCKLEN}),
    CALL(sendmsg, F, {MESSAGE}, HOW),
    CALL(sendmsg, F, {MESSAGE}, HOW), CALL(recvmsg, F, {MESSAGE}, HOW), CALL(recvmsg, F, {MESSAGE}, HOW),
    CALL(shutdown, F, ONE(0, 1, 2)),
    CALL(getsockname, F, {OUT}, {SOCKLEN}), CALL(getpeername, F, {OUT}, {SOCKLEN}),
    CALL(setsockopt, F, ONE(1, 1, 0, 6, 17, 41), {SIZE}, {IN}, ONE(4, 8, 16, 0, 1)),
    CALL(getsockopt, F, ONE(1, 1, 0, 6, 17, 41), {SIZE}, {OUT}, {SOCKLEN}), CALL(sendmmsg, F, {MESSAGES}, {INT}, HOW),
    CALL(sendto, F, {NETLINK}, ONE(16, 20, 32, 64, 128), HOW, {NONE}, {NONE}), CALL(write, F, {NETLINK}, ONE(16, 20, 32, 64,
        128)),
    CALL(setsockopt, F, ONE(1, 270, 0, 6, 41), ONE(1, 2, 6, 7, 8, 9, 10, 13, 15, 16, 20, 21, 25, 26, 29, 33, 35, 37, 46, 49, 60,
        62), {IN},
         ONE(4, 8, 16)),
    CALL(recvmmsg, F, {MESSAGES}, {INT}, HOW, {TIME}),
};
const struct table socket_calls = {calls, sizeof calls / sizeof *calls};
