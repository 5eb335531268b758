// AF_UNIX datagrams: addressing, queues, default peers, and every error on the way.
#include "conformance.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

static struct sockaddr_un abstract(const char *name, socklen_t *length) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(a.sun_path + 1, sizeof a.sun_path - 1, "conformance-%s-%d", name, getpid());
    *length = offsetof(struct sockaddr_un, sun_path) + 1 + strlen(a.sun_path + 1);
    return a;
}
static int bound(const char *name, struct sockaddr_un *a, socklen_t *length) {
    int s = socket(AF_UNIX, SOCK_DGRAM, 0);
    *a = abstract(name, length);
    bind(s, (void *)a, *length);
    return s;
}
static volatile int broken;
static void note(int n) {
    (void)n;
    broken++;
}

int main(void) {
    signal(SIGPIPE, note);
    struct sockaddr_un a, b, from;
    socklen_t la, lb, lf;
    COVERS(sendto, recvfrom, socket, bind);
    CASE(sender_is_told) {
        int one = bound("one", &a, &la), two = bound("two", &b, &lb);
        char text[16];
        CHECK_EQ(sendto(one, "hi", 2, 0, (void *)&b, lb), 2);
        lf = sizeof from;
        CHECK_EQ(recvfrom(two, text, 16, 0, (void *)&from, &lf), 2);
        CHECK_EQ(lf, la);
        CHECK(!memcmp(&from, &a, la));
        close(one);
        close(two);
    }
    COVERS(socket, sendto, recvfrom, bind);
    CASE(unnamed_sender) {
        int one = socket(AF_UNIX, SOCK_DGRAM, 0), two = bound("two", &b, &lb);
        char text[16];
        CHECK_EQ(sendto(one, "hi", 2, 0, (void *)&b, lb), 2);
        lf = sizeof from;
        CHECK_EQ(recvfrom(two, text, 16, 0, (void *)&from, &lf), 2);
        CHECK_EQ(lf, 0);
        close(one);
        close(two);
    }
    COVERS(sendto, recvfrom, socket, bind);
    CASE(short_address_buffer) {
        int one = bound("one", &a, &la), two = bound("two", &b, &lb);
        char text[16];
        sendto(one, "hi", 2, 0, (void *)&b, lb);
        memset(&from, 0x55, sizeof from);
        lf = 3;
        CHECK_EQ(recvfrom(two, text, 16, 0, (void *)&from, &lf), 2);
        CHECK_EQ(lf, la);
        CHECK_EQ(((unsigned char *)&from)[3], 0x55);
        close(one);
        close(two);
    }
    COVERS(socket, sendto, connect);
    CASE(no_destination) {
        int one = socket(AF_UNIX, SOCK_DGRAM, 0);
        CHECK_ERRNO(send(one, "x", 1, 0), ENOTCONN);
        a = abstract("absent", &la);
        CHECK_ERRNO(sendto(one, "x", 1, 0, (void *)&a, la), ECONNREFUSED);
        CHECK_ERRNO(connect(one, (void *)&a, la), ECONNREFUSED);
        close(one);
    }
    COVERS(socket, connect, sendto, recvfrom, bind);
    CASE(default_destination) {
        int one = socket(AF_UNIX, SOCK_DGRAM, 0), two = bound("two", &b, &lb), three = bound("three", &a, &la);
        char text[8];
        CHECK_EQ(connect(one, (void *)&b, lb), 0);
        CHECK_EQ(send(one, "x", 1, 0), 1);
        CHECK_EQ(recv(two, text, 8, 0), 1);
        CHECK_EQ(sendto(one, "yy", 2, 0, (void *)&a, la), 2);
        CHECK_EQ(recv(three, text, 8, 0), 2);
        struct sockaddr none = {.sa_family = AF_UNSPEC};
        CHECK_EQ(connect(one, &none, sizeof none), 0);
        CHECK_ERRNO(send(one, "x", 1, 0), ENOTCONN);
        close(one);
        close(two);
        close(three);
    }
    COVERS(socket, connect, sendto, bind);
    CASE(connected_receiver_hears_only_its_peer) {
        int one = bound("one", &a, &la), two = bound("two", &b, &lb), three = socket(AF_UNIX, SOCK_DGRAM, 0);
        CHECK_EQ(connect(two, (void *)&a, la), 0);
        CHECK_ERRNO(sendto(three, "x", 1, 0, (void *)&b, lb), EPERM);
        CHECK_ERRNO(connect(three, (void *)&b, lb), EPERM);
        CHECK_EQ(sendto(one, "x", 1, 0, (void *)&b, lb), 1);
        close(one);
        close(two);
        close(three);
    }
    COVERS(socketpair, sendto, recvfrom);
    CASE(boundaries_and_empty_messages) {
        int s[2];
        socketpair(AF_UNIX, SOCK_DGRAM, 0, s);
        char text[8];
        send(s[0], "abc", 3, 0);
        send(s[0], "", 0, 0);
        send(s[0], "de", 2, 0);
        CHECK_EQ(recv(s[1], text, 2, 0), 2);
        CHECK_EQ(recv(s[1], text, 8, 0), 0);
        CHECK_EQ(recv(s[1], text, 8, MSG_PEEK), 2);
        CHECK_EQ(recv(s[1], text, 1, MSG_TRUNC), 2);
        close(s[0]);
        close(s[1]);
    }
    COVERS(socket, connect, sendto, recvfrom, bind);
    CASE(queue_is_bounded) {
        int one = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0), two = bound("two", &b, &lb);
        connect(one, (void *)&b, lb);
        int sent = 0;
        while (sent < 5000 && send(one, "x", 1, 0) == 1) sent++;
        CHECK_EQ(errno, EAGAIN);
        CHECK(sent > 1 && sent < 5000);
        struct pollfd p = {.fd = one, .events = POLLOUT};
        CHECK_EQ(poll(&p, 1, 0), 0);
        char c;
        for (int i = 0; i < sent; i++) recv(two, &c, 1, MSG_DONTWAIT);
        CHECK_EQ(poll(&p, 1, 1000), 1);
        CHECK_EQ(send(one, "x", 1, 0), 1);
        close(one);
        close(two);
    }
    COVERS(socket, connect, sendto, bind);
    CASE(receiver_goes_away) {
        int one = socket(AF_UNIX, SOCK_DGRAM, 0), two = bound("two", &b, &lb);
        connect(one, (void *)&b, lb);
        close(two);
        broken = 0;
        CHECK_ERRNO(send(one, "x", 1, 0), ECONNREFUSED);
        CHECK_ERRNO(send(one, "x", 1, 0), ENOTCONN);
        CHECK_EQ(broken, 0);
        close(one);
    }
    COVERS(socketpair, sendto, recvfrom);
    CASE(pair_partner_goes_away) {
        int s[2];
        socketpair(AF_UNIX, SOCK_DGRAM, 0, s);
        close(s[1]);
        CHECK_ERRNO(send(s[0], "x", 1, 0), ECONNREFUSED);
        char c;
        CHECK_ERRNO(recv(s[0], &c, 1, MSG_DONTWAIT), EAGAIN);
        close(s[0]);
    }
    COVERS(socketpair, shutdown, sendto, recvfrom);
    CASE(shutdown_of_datagrams) {
        int s[2];
        socketpair(AF_UNIX, SOCK_DGRAM, 0, s);
        CHECK_EQ(shutdown(s[0], SHUT_WR), 0);
        broken = 0;
        CHECK_ERRNO(send(s[0], "x", 1, 0), EPIPE);
        CHECK_EQ(shutdown(s[1], SHUT_RD), 0);
        char c;
        CHECK_EQ(recv(s[1], &c, 1, 0), 0);
        close(s[0]);
        close(s[1]);
    }
    COVERS(socketpair, setsockopt, sendto);
    CASE(too_large) {
        int s[2];
        int size = 4096;
        static char big[1 << 20];
        socketpair(AF_UNIX, SOCK_DGRAM, 0, s);
        setsockopt(s[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
        CHECK_ERRNO(send(s[0], big, sizeof big, 0), EMSGSIZE);
        close(s[0]);
        close(s[1]);
    }
    COVERS(socketpair, setsockopt, recvfrom);
    CASE(receive_time_limit) {
        int s[2];
        char c;
        struct timeval limit = {0, 40000};
        socketpair(AF_UNIX, SOCK_DGRAM, 0, s);
        CHECK_EQ(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
        long long before = conformance_now_ms();
        CHECK_ERRNO(recv(s[0], &c, 1, 0), EAGAIN);
        CHECK(conformance_now_ms() - before >= 35);
        close(s[0]);
        close(s[1]);
    }
    COVERS(socketpair, sendmmsg, recvmmsg, sendto);
    CASE(several_at_once) {
        int s[2];
        char in[4][8];
        socketpair(AF_UNIX, SOCK_DGRAM, 0, s);
        struct iovec v[4];
        struct mmsghdr m[4];
        memset(m, 0, sizeof m);
        for (int i = 0; i < 4; i++) {
            v[i] = (struct iovec){"abcd", i + 1};
            m[i].msg_hdr.msg_iov = &v[i];
            m[i].msg_hdr.msg_iovlen = 1;
        }
        CHECK_EQ(sendmmsg(s[0], m, 3, 0), 3);
        CHECK_EQ(m[2].msg_len, 3);
        for (int i = 0; i < 4; i++) v[i] = (struct iovec){in[i], 8};
        CHECK_EQ(recvmmsg(s[1], m, 4, MSG_DONTWAIT, NULL), 3);
        CHECK_EQ(m[1].msg_len, 2);
        send(s[0], "z", 1, 0);
        CHECK_EQ(recvmmsg(s[1], m, 4, MSG_WAITFORONE, NULL), 1);
        CHECK_ERRNO(recvmmsg(s[1], m, 4, MSG_DONTWAIT, NULL), EAGAIN);
        struct timespec bad = {0, 1000000000};
        CHECK_ERRNO(recvmmsg(s[1], m, 4, MSG_DONTWAIT, &bad), EINVAL);
        CHECK_ERRNO(syscall(SYS_sendmmsg, s[0], BAD_POINTER, 2, 0), EFAULT);
        CHECK_ERRNO(syscall(SYS_recvmmsg, s[1], m, 1, MSG_DONTWAIT, BAD_POINTER), EFAULT);
        CHECK_EQ(sendmmsg(s[0], m, 0, 0), 0);
        v[0] = (struct iovec){"ok", 2};
        v[1] = (struct iovec){BAD_POINTER, 2};
        CHECK_EQ(sendmmsg(s[0], m, 2, 0), 1);
        close(s[0]);
        close(s[1]);
    }
    return conformance_end();
}
