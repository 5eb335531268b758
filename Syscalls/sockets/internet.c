// Loopback TCP and UDP: addresses, errors, options, nonblocking connections, ends of connections.
#include "conformance.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static struct sockaddr_in loopback(int port) {
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}
static int listening(struct sockaddr_in *a, int backlog) {
    int s = socket(AF_INET, SOCK_STREAM, 0);
    socklen_t length = sizeof *a;
    *a = loopback(0);
    bind(s, (void *)a, sizeof *a);
    listen(s, backlog);
    getsockname(s, (void *)a, &length);
    return s;
}
static void connected(int s[2]) {
    struct sockaddr_in a;
    int l = listening(&a, 5);
    s[0] = socket(AF_INET, SOCK_STREAM, 0);
    connect(s[0], (void *)&a, sizeof a);
    s[1] = accept(l, NULL, NULL);
    close(l);
}
static int free_port(void) {
    struct sockaddr_in a;
    int s = listening(&a, 1);
    close(s);
    return ntohs(a.sin_port);
}
static int datagram(struct sockaddr_in *a) {
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    socklen_t length = sizeof *a;
    *a = loopback(0);
    bind(s, (void *)a, sizeof *a);
    getsockname(s, (void *)a, &length);
    return s;
}
static void end(int s[2]) {
    close(s[0]);
    close(s[1]);
}
static int readable(int fd, int ms) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, ms);
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    struct sockaddr_in a, b;
    socklen_t length;
    int s[2];
    COVERS(socket);
    CASE(families_types_protocols) {
        CHECK_ERRNO(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT);
        CHECK_ERRNO(socket(AF_INET, SOCK_DGRAM, IPPROTO_TCP), EPROTONOSUPPORT);
        CHECK_ERRNO(socket(AF_INET, SOCK_SEQPACKET, 0), ESOCKTNOSUPPORT);
        CHECK_ERRNO(socket(AF_INET, 77, 0), EINVAL);
        CHECK_ERRNO(socket(-1, SOCK_STREAM, 0), EAFNOSUPPORT);
        CHECK_ERRNO(socket(200, SOCK_STREAM, 0), EAFNOSUPPORT);
        CHECK_ERRNO(socket(AF_INET, SOCK_STREAM, -1), EINVAL);
        CHECK_ERRNO(socket(AF_INET, SOCK_STREAM, 9999), EINVAL);
    }
    CASE(raw_needs_privilege) AS_USER(CHECK_ERRNO(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), EPERM));
    COVERS(socket, bind);
    CASE(low_ports_need_privilege) {
        int limit = 1024;
        FILE *f = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "r");
        if (f) {
            fscanf(f, "%d", &limit);
            fclose(f);
        }
        if (limit > 80) AS_USER({
            a = loopback(80);
            int t = socket(AF_INET, SOCK_STREAM, 0);
            CHECK_ERRNO(bind(t, (void *)&a, sizeof a), EACCES);
        });
    }
    COVERS(socket, bind, getsockname);
    CASE(binding_errors) {
        int t = socket(AF_INET, SOCK_STREAM, 0), u = socket(AF_INET, SOCK_STREAM, 0);
        a = loopback(0);
        CHECK_ERRNO(bind(t, (void *)&a, 8), EINVAL);
        a.sin_family = AF_UNIX;
        CHECK_ERRNO(bind(t, (void *)&a, sizeof a), EAFNOSUPPORT);
        a = loopback(0);
        a.sin_addr.s_addr = inet_addr("192.0.2.77");
        CHECK_ERRNO(bind(t, (void *)&a, sizeof a), EADDRNOTAVAIL);
        a = loopback(0);
        CHECK_EQ(bind(t, (void *)&a, sizeof a), 0);
        length = sizeof a;
        getsockname(t, (void *)&a, &length);
        CHECK(a.sin_port != 0);
        CHECK_ERRNO(bind(t, (void *)&a, sizeof a), EINVAL);
        CHECK_ERRNO(bind(u, (void *)&a, sizeof a), EADDRINUSE);
        CHECK_ERRNO(bind(u, BAD_POINTER, sizeof a), EFAULT);
        close(t);
        close(u);
    }
    COVERS(socket, connect);
    CASE(connection_refused) {
        int t = socket(AF_INET, SOCK_STREAM, 0);
        a = loopback(free_port());
        CHECK_ERRNO(connect(t, (void *)&a, sizeof a), ECONNREFUSED);
        close(t);
    }
    COVERS(socket, connect, getsockopt);
    CASE(nonblocking_connection_refused) {
        int t = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        a = loopback(free_port());
        int r = connect(t, (void *)&a, sizeof a);
        if (r == -1 && errno == EINPROGRESS) {
            struct pollfd p = {.fd = t, .events = POLLOUT};
            CHECK_EQ(poll(&p, 1, 2000), 1);
            CHECK(p.revents & POLLERR);
            int error = 0;
            length = sizeof error;
            CHECK_EQ(getsockopt(t, SOL_SOCKET, SO_ERROR, &error, &length), 0);
            CHECK_EQ(error, ECONNREFUSED);
            getsockopt(t, SOL_SOCKET, SO_ERROR, &error, &length);
            CHECK_EQ(error, 0);
        } else {
            CHECK_EQ(errno, ECONNREFUSED);
        }
        close(t);
    }
    COVERS(socket, connect, bind, listen, getsockname);
    CASE(nonblocking_connection) {
        int l = listening(&a, 5), t = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        int r = connect(t, (void *)&a, sizeof a);
        CHECK(r == 0 || errno == EINPROGRESS);
        struct pollfd p = {.fd = t, .events = POLLOUT};
        CHECK_EQ(poll(&p, 1, 2000), 1);
        CHECK_EQ(p.revents, POLLOUT);
        r = connect(t, (void *)&a, sizeof a);
        CHECK(r == 0 || errno == EISCONN);
        CHECK_ERRNO(connect(t, (void *)&a, sizeof a), EISCONN);
        close(l);
        close(t);
    }
    COVERS(socket, connect);
    CASE(connecting_to_other_families) {
        int t = socket(AF_INET, SOCK_STREAM, 0);
        a = loopback(1);
        a.sin_family = AF_UNIX;
        CHECK_ERRNO(connect(t, (void *)&a, sizeof a), EAFNOSUPPORT);
        CHECK_ERRNO(connect(t, (void *)&a, 1), EINVAL);
        CHECK_ERRNO(connect(t, (void *)&a, 8), EINVAL);
        close(t);
    }
    COVERS(socket, sendto, recvfrom, getpeername, shutdown, accept);
    CASE(unconnected_stream) {
        int t = socket(AF_INET, SOCK_STREAM, 0);
        char c;
        CHECK_ERRNO(send(t, "x", 1, MSG_NOSIGNAL), EPIPE);
        CHECK_ERRNO(recv(t, &c, 1, 0), ENOTCONN);
        length = sizeof a;
        CHECK_ERRNO(getpeername(t, (void *)&a, &length), ENOTCONN);
        CHECK_ERRNO(shutdown(t, SHUT_RDWR), ENOTCONN);
        CHECK_ERRNO(accept(t, NULL, NULL), EINVAL);
        struct pollfd p = {.fd = t, .events = POLLIN | POLLOUT};
        poll(&p, 1, 0);
        CHECK_EQ(p.revents, POLLIN | POLLOUT | POLLHUP);
        close(t);
    }
    COVERS(socket, connect, accept, getsockname, getpeername, bind);
    CASE(names_of_both_ends) {
        int l = listening(&a, 5), t = socket(AF_INET, SOCK_STREAM, 0);
        connect(t, (void *)&a, sizeof a);
        length = sizeof b;
        int u = accept(l, (void *)&b, &length);
        CHECK_EQ(length, sizeof b);
        struct sockaddr_in own, peer;
        length = sizeof own;
        getsockname(t, (void *)&own, &length);
        CHECK(own.sin_port == b.sin_port && own.sin_addr.s_addr == b.sin_addr.s_addr);
        length = sizeof peer;
        CHECK_EQ(getpeername(t, (void *)&peer, &length), 0);
        CHECK_EQ(peer.sin_port, a.sin_port);
        length = 4;
        CHECK_EQ(getpeername(t, (void *)&peer, &length), 0);
        CHECK_EQ(length, sizeof peer);
        close(t);
        close(u);
        close(l);
    }
    COVERS(sendto, recvfrom, shutdown, socket, connect, accept);
    CASE(bytes_and_end) {
        connected(s);
        char text[16];
        CHECK_EQ(send(s[0], "hello", 5, 0), 5);
        CHECK_EQ(recv(s[1], text, 16, MSG_PEEK), 5);
        CHECK_EQ(recv(s[1], text, 3, 0), 3);
        CHECK_EQ(recv(s[1], text, 16, 0), 2);
        CHECK_ERRNO(recv(s[1], text, 16, MSG_DONTWAIT), EAGAIN);
        shutdown(s[0], SHUT_WR);
        CHECK_EQ(recv(s[1], text, 16, 0), 0);
        CHECK_EQ(send(s[1], "back", 4, 0), 4);
        CHECK_EQ(recv(s[0], text, 16, 0), 4);
        CHECK_ERRNO(send(s[0], "x", 1, MSG_NOSIGNAL), EPIPE);
        end(s);
    }
    COVERS(sendto, recvfrom, socket, connect, accept);
    CASE(truncating_receive_discards) {
        connected(s);
        send(s[0], "hello", 5, 0);
        readable(s[1], 1000);
        CHECK_EQ(recv(s[1], NULL, 3, MSG_TRUNC), 3);
        char text[8];
        CHECK_EQ(recv(s[1], text, 8, 0), 2);
        CHECK(!memcmp(text, "lo", 2));
        end(s);
    }
    CASE(all_or_the_end) {
        connected(s);
        pid_t child = fork();
        if (child == 0) {
            send(s[0], "abc", 3, 0);
            conformance_nap(40);
            send(s[0], "def", 3, 0);
            _exit(0);
        }
        char text[8];
        CHECK_EQ(recv(s[1], text, 6, MSG_WAITALL), 6);
        waitpid(child, NULL, 0);
        end(s);
    }
    CASE(unread_data_resets) {
        connected(s);
        send(s[0], "x", 1, 0);
        readable(s[1], 1000);
        close(s[1]);
        struct pollfd p = {.fd = s[0], .events = POLLIN};
        poll(&p, 1, 1000);
        char c;
        CHECK_ERRNO(recv(s[0], &c, 1, 0), ECONNRESET);
        CHECK_EQ(recv(s[0], &c, 1, 0), 0);
        close(s[0]);
    }
    COVERS(setsockopt, recvfrom, socket, connect, accept);
    CASE(linger_zero_resets) {
        connected(s);
        struct linger now = {1, 0};
        CHECK_EQ(setsockopt(s[1], SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
        close(s[1]);
        readable(s[0], 1000);
        char c;
        CHECK_ERRNO(recv(s[0], &c, 1, 0), ECONNRESET);
        close(s[0]);
    }
    COVERS(sendto, socket, connect, accept);
    CASE(writing_after_the_peer_closed) {
        connected(s);
        close(s[1]);
        readable(s[0], 1000);
        CHECK_EQ(send(s[0], "x", 1, MSG_NOSIGNAL), 1);
        conformance_nap(30);
        CHECK_ERRNO2(send(s[0], "x", 1, MSG_NOSIGNAL), EPIPE, ECONNRESET);
        close(s[0]);
    }
    COVERS(socket, connect, recvfrom, listen, bind, getsockname);
    CASE(listener_states) {
        int l = listening(&a, 1);
        struct pollfd p = {.fd = l, .events = POLLIN | POLLOUT};
        CHECK_EQ(poll(&p, 1, 0), 0);
        int t = socket(AF_INET, SOCK_STREAM, 0);
        connect(t, (void *)&a, sizeof a);
        CHECK_EQ(poll(&p, 1, 1000), 1);
        CHECK_EQ(p.revents, POLLIN);
        char c;
        CHECK_ERRNO(recv(l, &c, 1, MSG_DONTWAIT), ENOTCONN);
        CHECK_ERRNO(connect(l, (void *)&a, sizeof a), EISCONN);
        CHECK_EQ(listen(l, 10), 0);
        close(t);
        close(l);
    }
    COVERS(shutdown, accept, socket, bind, listen, getsockname);
    CASE(shutdown_wakes_a_listener) {
        int l = listening(&a, 1);
        pid_t child = fork();
        if (child == 0) {
            conformance_nap(40);
            shutdown(l, SHUT_RDWR);
            _exit(0);
        }
        CHECK_ERRNO(accept(l, NULL, NULL), EINVAL);
        waitpid(child, NULL, 0);
        close(l);
    }
    COVERS(socket, listen, getsockname, accept);
    CASE(listen_binds_by_itself) {
        int t = socket(AF_INET, SOCK_STREAM, 0);
        CHECK_EQ(listen(t, 1), 0);
        length = sizeof a;
        getsockname(t, (void *)&a, &length);
        CHECK(a.sin_port != 0);
        close(t);
        int d = socket(AF_INET, SOCK_DGRAM, 0);
        CHECK_ERRNO(listen(d, 1), EOPNOTSUPP);
        CHECK_ERRNO(accept(d, NULL, NULL), EOPNOTSUPP);
        close(d);
    }
    COVERS(socket, setsockopt, connect, accept, bind, listen);
    CASE(address_reuse) {
        int on = 1;
        int l = listening(&a, 1), t = socket(AF_INET, SOCK_STREAM, 0);
        setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        connect(t, (void *)&a, sizeof a);
        int u = accept(l, NULL, NULL);
        close(u);
        close(t);
        close(l);
        l = socket(AF_INET, SOCK_STREAM, 0);
        setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        CHECK_EQ(bind(l, (void *)&a, sizeof a), 0);
        CHECK_EQ(listen(l, 1), 0);
        close(l);
    }
    COVERS(getsockopt, setsockopt, socket, connect, accept);
    CASE(tcp_options) {
        connected(s);
        int value = 0;
        length = sizeof value;
        CHECK_EQ(getsockopt(s[0], IPPROTO_TCP, TCP_NODELAY, &value, &length), 0);
        CHECK_EQ(value, 0);
        value = 5;
        CHECK_EQ(setsockopt(s[0], IPPROTO_TCP, TCP_NODELAY, &value, sizeof value), 0);
        getsockopt(s[0], IPPROTO_TCP, TCP_NODELAY, &value, &length);
        CHECK_EQ(value, 1);
        CHECK_EQ(getsockopt(s[0], IPPROTO_TCP, TCP_MAXSEG, &value, &length), 0);
        CHECK(value > 0);
        CHECK_ERRNO(getsockopt(s[0], IPPROTO_TCP, 999, &value, &length), ENOPROTOOPT);
        CHECK_ERRNO(setsockopt(s[0], IPPROTO_TCP, 999, &value, sizeof value), ENOPROTOOPT);
        CHECK_ERRNO(setsockopt(s[0], IPPROTO_TCP, TCP_NODELAY, &value, 2), EINVAL);
        value = 40000;
        CHECK_ERRNO(setsockopt(s[0], IPPROTO_TCP, TCP_KEEPIDLE, &value, sizeof value), EINVAL);
        value = 60;
        CHECK_EQ(setsockopt(s[0], IPPROTO_TCP, TCP_KEEPIDLE, &value, sizeof value), 0);
        CHECK_EQ(setsockopt(s[0], IPPROTO_TCP, TCP_KEEPINTVL, &value, sizeof value), 0);
        value = 5;
        CHECK_EQ(setsockopt(s[0], IPPROTO_TCP, TCP_KEEPCNT, &value, sizeof value), 0);
        CHECK_EQ(setsockopt(s[0], IPPROTO_TCP, TCP_USER_TIMEOUT, &value, sizeof value), 0);
        CHECK_EQ(setsockopt(s[0], IPPROTO_TCP, TCP_QUICKACK, &value, sizeof value), 0);
        value = 1;
        CHECK_EQ(setsockopt(s[0], IPPROTO_TCP, TCP_CORK, &value, sizeof value), 0);
        struct tcp_info info;
        length = sizeof info;
        CHECK_EQ(getsockopt(s[0], IPPROTO_TCP, TCP_INFO, &info, &length), 0);
        CHECK_EQ(info.tcpi_state, TCP_ESTABLISHED);
        end(s);
    }
    CASE(ip_options) {
        connected(s);
        int value = 0;
        length = sizeof value;
        CHECK_EQ(getsockopt(s[0], IPPROTO_IP, IP_TTL, &value, &length), 0);
        CHECK_EQ(value, 64);
        value = 300;
        CHECK_ERRNO(setsockopt(s[0], IPPROTO_IP, IP_TTL, &value, sizeof value), EINVAL);
        value = 9;
        CHECK_EQ(setsockopt(s[0], IPPROTO_IP, IP_TTL, &value, sizeof value), 0);
        getsockopt(s[0], IPPROTO_IP, IP_TTL, &value, &length);
        CHECK_EQ(value, 9);
        value = 16;
        CHECK_EQ(setsockopt(s[0], IPPROTO_IP, IP_TOS, &value, sizeof value), 0);
        CHECK_ERRNO(setsockopt(s[0], IPPROTO_IP, 222, &value, sizeof value), ENOPROTOOPT);
        end(s);
    }
    COVERS(sendto, ioctl, socket, connect, accept);
    CASE(queue_sizes) {
        connected(s);
        send(s[0], "12345", 5, 0);
        readable(s[1], 1000);
        int n = 0;
        CHECK_EQ(ioctl(s[1], FIONREAD, &n), 0);
        CHECK_EQ(n, 5);
        end(s);
    }
    COVERS(sendto, recvfrom, ioctl, socket, bind, getsockname);
    CASE(datagrams) {
        int one = datagram(&a), two = datagram(&b);
        char text[16];
        struct sockaddr_in from;
        CHECK_EQ(sendto(one, "hello", 5, 0, (void *)&b, sizeof b), 5);
        length = sizeof from;
        CHECK_EQ(recvfrom(two, text, 16, 0, (void *)&from, &length), 5);
        CHECK(from.sin_port == a.sin_port && length == sizeof from);
        CHECK_EQ(sendto(one, "", 0, 0, (void *)&b, sizeof b), 0);
        CHECK_EQ(recv(two, text, 16, 0), 0);
        sendto(one, "hello", 5, 0, (void *)&b, sizeof b);
        CHECK_EQ(recv(two, text, 2, MSG_TRUNC | MSG_PEEK), 5);
        int n = 0;
        ioctl(two, FIONREAD, &n);
        CHECK_EQ(n, 5);
        CHECK_EQ(recv(two, text, 2, 0), 2);
        CHECK_ERRNO(recv(two, text, 2, MSG_DONTWAIT), EAGAIN);
        close(one);
        close(two);
    }
    COVERS(sendto, socket, bind, getsockname);
    CASE(datagram_errors) {
        int one = datagram(&a);
        static char big[70000];
        CHECK_ERRNO(send(one, "x", 1, 0), EDESTADDRREQ);
        CHECK_ERRNO(sendto(one, big, 65508, 0, (void *)&a, sizeof a), EMSGSIZE);
        CHECK_EQ(sendto(one, big, 65507, 0, (void *)&a, sizeof a), 65507);
        CHECK_ERRNO(sendto(one, "x", 1, 0, (void *)&a, 8), EINVAL);
        CHECK_ERRNO(sendto(one, "x", 1, MSG_OOB, (void *)&a, sizeof a), EOPNOTSUPP);
        b = loopback(0);
        CHECK_ERRNO(sendto(one, "x", 1, 0, (void *)&b, sizeof b), EINVAL);
        b = loopback(9);
        b.sin_family = AF_INET6;
        CHECK_ERRNO(sendto(one, "x", 1, 0, (void *)&b, sizeof b), EAFNOSUPPORT);
        CHECK_ERRNO(sendto(one, "x", 1, 0, BAD_POINTER, sizeof b), EFAULT);
        close(one);
    }
    COVERS(socket, connect, sendto, recvfrom, bind, getsockname);
    CASE(connected_datagrams_learn_of_refusal) {
        int one = socket(AF_INET, SOCK_DGRAM, 0);
        int closed = datagram(&a);
        close(closed);
        CHECK_EQ(connect(one, (void *)&a, sizeof a), 0);
        CHECK_EQ(send(one, "x", 1, 0), 1);
        char c;
        readable(one, 1000);
        CHECK_ERRNO(recv(one, &c, 1, MSG_DONTWAIT), ECONNREFUSED);
        CHECK_ERRNO(recv(one, &c, 1, MSG_DONTWAIT), EAGAIN);
        struct sockaddr none = {.sa_family = AF_UNSPEC};
        CHECK_EQ(connect(one, &none, sizeof none), 0);
        CHECK_ERRNO(send(one, "x", 1, 0), EDESTADDRREQ);
        close(one);
    }
    COVERS(connect, sendto, recvfrom, socket, bind, getsockname);
    CASE(connected_datagrams_filter) {
        int one = datagram(&a), two = datagram(&b), three = datagram(&(struct sockaddr_in){0});
        connect(one, (void *)&b, sizeof b);
        sendto(three, "no", 2, 0, (void *)&a, sizeof a);
        sendto(two, "yes", 3, 0, (void *)&a, sizeof a);
        char text[8];
        CHECK_EQ(recv(one, text, 8, 0), 3);
        CHECK_ERRNO(recv(one, text, 8, MSG_DONTWAIT), EAGAIN);
        close(one);
        close(two);
        close(three);
    }
    COVERS(socket, sendto);
    CASE(broadcast_needs_the_option) {
        int one = socket(AF_INET, SOCK_DGRAM, 0);
        b = loopback(4000);
        b.sin_addr.s_addr = htonl(INADDR_BROADCAST);
        CHECK_ERRNO2(sendto(one, "x", 1, 0, (void *)&b, sizeof b), EACCES, ENETUNREACH);
        close(one);
    }
    COVERS(shutdown, recvfrom, socket, bind, getsockname);
    CASE(shutdown_of_datagrams) {
        int one = datagram(&a);
        CHECK_ERRNO(shutdown(one, SHUT_RD), ENOTCONN);
        char c;
        CHECK_EQ(recv(one, &c, 1, 0), 0);
        close(one);
    }
    COVERS(socket, bind, listen, getsockname, connect, accept);
    CASE(dual_protocol_sockets) {
        int six = socket(AF_INET6, SOCK_STREAM, 0);
        CHECK(six >= 0);
        struct sockaddr_in6 any = {.sin6_family = AF_INET6};
        CHECK_EQ(bind(six, (void *)&any, sizeof any), 0);
        CHECK_ERRNO(bind(six, (void *)&any, 20), EINVAL);
        listen(six, 1);
        length = sizeof any;
        getsockname(six, (void *)&any, &length);
        int four = socket(AF_INET, SOCK_STREAM, 0);
        a = loopback(ntohs(any.sin6_port));
        CHECK_EQ(connect(four, (void *)&a, sizeof a), 0);
        length = sizeof any;
        int t = accept(six, (void *)&any, &length);
        CHECK(IN6_IS_ADDR_V4MAPPED(&any.sin6_addr));
        close(t);
        close(four);
        close(six);
    }
    return conformance_end();
}
