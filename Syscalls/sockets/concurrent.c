// Sockets used by several threads and processes at once: order, wholeness, closing under a waiter, descriptors in flight.
#include "conformance.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { ROUNDS = 200, THREADS = 4 };
static int pair_[2];
static atomic_int total;
static void *sends_packets(void *argument) {
    char text[32];
    for (int i = 0; i < ROUNDS; i++) {
        int n = snprintf(text, sizeof text, "%ld %d", (long)argument, i);
        if (send(pair_[0], text, n + 1, 0) != n + 1) return (void *)1;
    }
    return NULL;
}
static void *takes_packets(void *argument) {
    char text[32];
    long last[THREADS];
    memset(last, -1, sizeof last);
    for (;;) {
        ssize_t n = recv(pair_[1], text, sizeof text, 0);
        if (n <= 0) return argument;
        long who;
        int what;
        if (sscanf(text, "%ld %d", &who, &what) != 2 || what <= last[who]) return (void *)1;
        last[who] = what;
        total++;
    }
}
static void *blocked_receive(void *argument) {
    char c;
    long r = recv((int)(long)argument, &c, 1, 0);
    return (void *)(r < 0 ? -errno : r);
}
static void *blocked_accept(void *argument) {
    int fd = accept((int)(long)argument, NULL, NULL);
    if (fd >= 0) {
        total++;
        close(fd);
        return NULL;
    }
    return (void *)(long)-errno;
}
static void *passes_descriptors(void *argument) {
    int p[2];
    for (int i = 0; i < 50; i++) {
        if (pipe(p)) return (void *)1;
        union {
            char bytes[CMSG_SPACE(sizeof(int))];
            struct cmsghdr align;
        } c = {0};
        struct iovec v = {"x", 1};
        struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = c.bytes, .msg_controllen = sizeof c.bytes};
        c.align = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(&c.align), &p[1], sizeof(int));
        if (sendmsg(pair_[0], &m, 0) != 1) return (void *)2;
        close(p[1]);
        char byte;
        if (read(p[0], &byte, 1) != 1) return (void *)3;
        if (read(p[0], &byte, 1) != 0) return (void *)4;
        close(p[0]);
    }
    return argument;
}
static void *takes_descriptors(void *argument) {
    for (;;) {
        union {
            char bytes[CMSG_SPACE(sizeof(int))];
            struct cmsghdr align;
        } c;
        char byte;
        struct iovec v = {&byte, 1};
        struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = c.bytes, .msg_controllen = sizeof c.bytes};
        if (recvmsg(pair_[1], &m, 0) <= 0) return argument;
        int fd;
        memcpy(&fd, CMSG_DATA(&c.align), sizeof fd);
        write(fd, "y", 1);
        close(fd);
    }
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    pthread_t senders[THREADS], takers[THREADS];
    void *result;
    COVERS(socketpair);
    CASE(packets_stay_whole_and_in_order) {
        socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair_);
        total = 0;
        for (long i = 0; i < THREADS; i++) pthread_create(&senders[i], NULL, sends_packets, (void *)i);
        for (long i = 0; i < 2; i++) pthread_create(&takers[i], NULL, takes_packets, NULL);
        for (long i = 0; i < THREADS; i++) {
            pthread_join(senders[i], &result);
            CHECK(result == NULL);
        }
        close(pair_[0]);
        for (long i = 0; i < 2; i++) {
            pthread_join(takers[i], &result);
            CHECK(result == NULL);
        }
        CHECK_EQ(total, THREADS * ROUNDS);
        close(pair_[1]);
    }
    COVERS(socketpair, sendto, recvfrom);
    CASE(stream_bytes_are_neither_lost_nor_doubled) {
        socketpair(AF_UNIX, SOCK_STREAM, 0, pair_);
        pid_t child = fork();
        if (child == 0) {
            static unsigned char block[70000];
            close(pair_[1]);
            for (int i = 0; i < 30; i++) {
                memset(block, i, sizeof block);
                if (send(pair_[0], block, sizeof block, 0) != sizeof block) _exit(1);
            }
            _exit(0);
        }
        close(pair_[0]);
        static unsigned char in[9999];
        long sum = 0, count = 0;
        ssize_t n;
        while ((n = recv(pair_[1], in, sizeof in, 0)) > 0) {
            for (ssize_t i = 0; i < n; i++) sum += in[i];
            count += n;
        }
        CHECK_EQ(count, 30L * 70000);
        CHECK_EQ(sum, 29L * 30 / 2 * 70000);
        int status;
        waitpid(child, &status, 0);
        CHECK_EQ(status, 0);
        close(pair_[1]);
    }
    COVERS(socketpair, shutdown);
    CASE(shutdown_wakes_a_receiver) {
        socketpair(AF_UNIX, SOCK_STREAM, 0, pair_);
        pthread_t t;
        pthread_create(&t, NULL, blocked_receive, (void *)(long)pair_[0]);
        conformance_nap(30);
        shutdown(pair_[0], SHUT_RD);
        pthread_join(t, &result);
        CHECK_EQ((long)result, 0);
        close(pair_[0]);
        close(pair_[1]);
    }
    COVERS(socketpair);
    CASE(closing_the_peer_wakes_a_receiver) {
        socketpair(AF_UNIX, SOCK_STREAM, 0, pair_);
        pthread_t t;
        pthread_create(&t, NULL, blocked_receive, (void *)(long)pair_[0]);
        conformance_nap(30);
        close(pair_[1]);
        pthread_join(t, &result);
        CHECK_EQ((long)result, 0);
        close(pair_[0]);
    }
    COVERS(socketpair, sendto);
    CASE(closing_a_descriptor_leaves_its_user) {
        socketpair(AF_UNIX, SOCK_STREAM, 0, pair_);
        pthread_t t;
        pthread_create(&t, NULL, blocked_receive, (void *)(long)pair_[0]);
        conformance_nap(30);
        close(pair_[0]);
        CHECK_EQ(send(pair_[1], "z", 1, 0), 1);
        pthread_join(t, &result);
        CHECK_EQ((long)result, 1);
        CHECK_ERRNO(send(pair_[1], "z", 1, 0), EPIPE);
        close(pair_[1]);
    }
    COVERS(socket, bind, listen, getsockname, connect);
    CASE(each_connection_has_one_acceptor) {
        struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t length = sizeof a;
        int l = socket(AF_INET, SOCK_STREAM, 0);
        bind(l, (void *)&a, sizeof a);
        listen(l, 16);
        getsockname(l, (void *)&a, &length);
        total = 0;
        for (int i = 0; i < THREADS; i++) pthread_create(&takers[i], NULL, blocked_accept, (void *)(long)l);
        for (int i = 0; i < THREADS; i++) {
            int c = socket(AF_INET, SOCK_STREAM, 0);
            CHECK_EQ(connect(c, (void *)&a, sizeof a), 0);
            close(c);
        }
        for (int i = 0; i < THREADS; i++) pthread_join(takers[i], NULL);
        CHECK_EQ(total, THREADS);
        close(l);
    }
    COVERS(socketpair, shutdown);
    CASE(descriptors_pass_under_load) {
        socketpair(AF_UNIX, SOCK_DGRAM, 0, pair_);
        for (long i = 0; i < 3; i++) pthread_create(&senders[i], NULL, passes_descriptors, NULL);
        for (long i = 0; i < 2; i++) pthread_create(&takers[i], NULL, takes_descriptors, NULL);
        for (long i = 0; i < 3; i++) {
            pthread_join(senders[i], &result);
            CHECK_EQ((long)result, 0);
        }
        shutdown(pair_[1], SHUT_RD);
        for (long i = 0; i < 2; i++) pthread_join(takers[i], NULL);
        close(pair_[0]);
        close(pair_[1]);
    }
    COVERS(socketpair, sendto);
    CASE(poll_is_woken_by_another_thread) {
        socketpair(AF_UNIX, SOCK_STREAM, 0, pair_);
        pid_t child = fork();
        if (child == 0) {
            conformance_nap(40);
            send(pair_[1], "x", 1, 0);
            _exit(0);
        }
        struct pollfd p = {.fd = pair_[0], .events = POLLIN};
        CHECK_EQ(poll(&p, 1, 5000), 1);
        waitpid(child, NULL, 0);
        close(pair_[0]);
        close(pair_[1]);
    }
    return conformance_end();
}
