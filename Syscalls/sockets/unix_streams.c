// AF_UNIX streams and sequenced packets: connections, shutdown, peeking, limits, ends, and every error on the way.
#include "conformance.h"
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

static struct sockaddr_un abstract(const char *name, socklen_t *length) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(a.sun_path + 1, sizeof a.sun_path - 1, "conformance-%s-%d", name, getpid());
    *length = offsetof(struct sockaddr_un, sun_path) + 1 + strlen(a.sun_path + 1);
    return a;
}
static struct sockaddr_un path_name(const char *name, socklen_t *length) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(a.sun_path, sizeof a.sun_path, "%s/%s", conformance_directory(), name);
    *length = sizeof a;
    return a;
}
static void both(int s[2], int type) { socketpair(AF_UNIX, type, 0, s); }
static void end(int s[2]) {
    close(s[0]);
    close(s[1]);
}
static volatile int broken;
static void note(int n) {
    (void)n;
    broken++;
}
static void *sends_later(void *argument) {
    int fd = (int)(long)argument;
    for (int i = 0; i < 4; i++) {
        conformance_nap(20);
        send(fd, "abcd", 4, 0);
    }
    return NULL;
}

int main(void) {
    signal(SIGPIPE, note);
    COVERS(socketpair);
    CASE(pair_errors) {
        int s[2];
        CHECK_ERRNO(socketpair(AF_INET, SOCK_STREAM, 0, s), EOPNOTSUPP);
        CHECK_ERRNO(socketpair(AF_UNIX, 99, 0, s), EINVAL);
        CHECK_ERRNO(socketpair(AF_UNIX, SOCK_RDM, 0, s), ESOCKTNOSUPPORT);
        CHECK_ERRNO(socketpair(AF_UNIX, SOCK_STREAM, 7, s), EPROTONOSUPPORT);
        CHECK_ERRNO(socketpair(AF_UNIX, SOCK_STREAM, 0, BAD_POINTER), EFAULT);
        CHECK_ERRNO(socketpair(999, SOCK_STREAM, 0, s), EAFNOSUPPORT);
        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, AF_UNIX, s), 0);
        end(s);
    }
    COVERS(socketpair, fcntl, socket);
    CASE(creation_flags) {
        int s[2];
        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, s), 0);
        CHECK_EQ(fcntl(s[0], F_GETFD), FD_CLOEXEC);
        CHECK(fcntl(s[1], F_GETFL) & O_NONBLOCK);
        end(s);
        CHECK_ERRNO(socket(AF_UNIX, SOCK_STREAM | 0x100, 0), EINVAL);
    }
    COVERS(sendto, recvfrom);
    CASE(bytes_have_no_boundaries) {
        int s[2];
        char text[32];
        both(s, SOCK_STREAM);
        send(s[0], "one", 3, 0);
        send(s[0], "two", 3, 0);
        CHECK_EQ(recv(s[1], text, 4, 0), 4);
        CHECK_EQ(recv(s[1], text, 32, 0), 2);
        end(s);
    }
    CASE(packets_have_boundaries) {
        int s[2];
        char text[32];
        both(s, SOCK_SEQPACKET);
        send(s[0], "one", 3, 0);
        send(s[0], "", 0, 0);
        send(s[0], "three", 5, 0);
        CHECK_EQ(recv(s[1], text, 32, 0), 3);
        CHECK_EQ(recv(s[1], text, 32, 0), 0);
        CHECK_EQ(recv(s[1], text, 2, MSG_TRUNC), 5);
        close(s[0]);
        CHECK_EQ(recv(s[1], text, 32, 0), 0);
        close(s[1]);
    }
    COVERS(sendto, recvmsg);
    CASE(truncation_is_flagged) {
        int s[2];
        char text[2];
        both(s, SOCK_SEQPACKET);
        send(s[0], "three", 5, 0);
        struct iovec v = {text, 2};
        struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
        CHECK_EQ(recvmsg(s[1], &m, 0), 2);
        CHECK_EQ(m.msg_flags, MSG_TRUNC);
        end(s);
    }
    CASE(record_end_is_flagged_on_streams_never) {
        int s[2];
        char text[8];
        both(s, SOCK_STREAM);
        send(s[0], "x", 1, 0);
        struct iovec v = {text, 8};
        struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_flags = -1};
        CHECK_EQ(recvmsg(s[1], &m, 0), 1);
        CHECK_EQ(m.msg_flags, 0);
        end(s);
    }
    COVERS(sendto, recvfrom);
    CASE(peeking) {
        int s[2];
        char text[16];
        both(s, SOCK_STREAM);
        send(s[0], "abcdef", 6, 0);
        CHECK_EQ(recv(s[1], text, 3, MSG_PEEK), 3);
        CHECK_EQ(recv(s[1], text, 16, MSG_PEEK), 6);
        CHECK_EQ(recv(s[1], text, 16, 0), 6);
        CHECK_ERRNO(recv(s[1], text, 16, MSG_PEEK | MSG_DONTWAIT), EAGAIN);
        end(s);
    }
    COVERS(sendto, setsockopt, recvfrom, getsockopt);
    CASE(peek_offset) {
        int s[2];
        int offset = 2;
        char text[16] = "";
        both(s, SOCK_STREAM);
        send(s[0], "abcdef", 6, 0);
        CHECK_EQ(setsockopt(s[1], SOL_SOCKET, SO_PEEK_OFF, &offset, sizeof offset), 0);
        CHECK_EQ(recv(s[1], text, 2, MSG_PEEK), 2);
        CHECK(!memcmp(text, "cd", 2));
        CHECK_EQ(recv(s[1], text, 2, MSG_PEEK), 2);
        CHECK(!memcmp(text, "ef", 2));
        CHECK_EQ(recv(s[1], text, 1, 0), 1);
        socklen_t length = sizeof offset;
        CHECK_EQ(getsockopt(s[1], SOL_SOCKET, SO_PEEK_OFF, &offset, &length), 0);
        CHECK_EQ(offset, 5);
        end(s);
    }
    COVERS(recvfrom, sendto);
    CASE(waiting_for_all) {
        int s[2];
        char text[16];
        pthread_t t;
        both(s, SOCK_STREAM);
        pthread_create(&t, NULL, sends_later, (void *)(long)s[0]);
        CHECK_EQ(recv(s[1], text, 12, MSG_WAITALL), 12);
        pthread_join(t, NULL);
        CHECK_EQ(recv(s[1], text, 16, 0), 4);
        send(s[0], "zz", 2, 0);
        close(s[0]);
        CHECK_EQ(recv(s[1], text, 12, MSG_WAITALL), 2);
        close(s[1]);
    }
    CASE(dontwait) {
        int s[2];
        char text[4096];
        both(s, SOCK_STREAM);
        CHECK_ERRNO(recv(s[0], text, 1, MSG_DONTWAIT), EAGAIN);
        memset(text, 0, sizeof text);
        while (send(s[0], text, sizeof text, MSG_DONTWAIT) > 0) {
        }
        CHECK_EQ(errno, EAGAIN);
        struct pollfd p = {.fd = s[0], .events = POLLOUT};
        CHECK_EQ(poll(&p, 1, 0), 0);
        end(s);
    }
    CASE(out_of_band_bytes) {
        int s[2];
        char c = 0;
        both(s, SOCK_STREAM);
        CHECK_ERRNO2(recv(s[1], &c, 1, MSG_OOB | MSG_DONTWAIT), EINVAL, EOPNOTSUPP);
        end(s);
        both(s, SOCK_DGRAM);
        CHECK_ERRNO(send(s[0], "x", 1, MSG_OOB), EOPNOTSUPP);
        CHECK_ERRNO(recv(s[0], &c, 1, MSG_OOB), EOPNOTSUPP);
        end(s);
    }
    COVERS(sendto);
    CASE(broken_pipe) {
        int s[2];
        both(s, SOCK_STREAM);
        close(s[1]);
        broken = 0;
        CHECK_ERRNO(send(s[0], "x", 1, 0), EPIPE);
        CHECK_EQ(broken, 1);
        CHECK_ERRNO(send(s[0], "x", 1, MSG_NOSIGNAL), EPIPE);
        CHECK_EQ(broken, 1);
        CHECK_ERRNO(write(s[0], "x", 1), EPIPE);
        CHECK_EQ(broken, 2);
        close(s[0]);
        both(s, SOCK_SEQPACKET);
        close(s[1]);
        CHECK_ERRNO(send(s[0], "x", 1, 0), EPIPE);
        CHECK_EQ(broken, 2);
        close(s[0]);
    }
    COVERS(sendto, recvfrom);
    CASE(unread_data_resets_the_other_end) {
        int s[2];
        char c;
        both(s, SOCK_STREAM);
        send(s[0], "x", 1, 0);
        close(s[1]);
        CHECK_ERRNO(recv(s[0], &c, 1, 0), ECONNRESET);
        CHECK_EQ(recv(s[0], &c, 1, 0), 0);
        close(s[0]);
    }
    CASE(data_before_the_end_is_read) {
        int s[2];
        char text[8];
        both(s, SOCK_STREAM);
        send(s[0], "last", 4, 0);
        close(s[0]);
        CHECK_EQ(recv(s[1], text, 8, 0), 4);
        CHECK_EQ(recv(s[1], text, 8, 0), 0);
        close(s[1]);
    }
    COVERS(shutdown, sendto, recvfrom);
    CASE(shutdown_directions) {
        int s[2];
        char c;
        both(s, SOCK_STREAM);
        CHECK_ERRNO(shutdown(s[0], 3), EINVAL);
        CHECK_ERRNO(shutdown(s[0], -1), EINVAL);
        CHECK_EQ(shutdown(s[0], SHUT_WR), 0);
        CHECK_ERRNO(send(s[0], "x", 1, MSG_NOSIGNAL), EPIPE);
        CHECK_EQ(recv(s[1], &c, 1, 0), 0);
        CHECK_EQ(send(s[1], "y", 1, 0), 1);
        CHECK_EQ(recv(s[0], &c, 1, 0), 1);
        CHECK_EQ(shutdown(s[0], SHUT_RD), 0);
        CHECK_ERRNO(send(s[1], "y", 1, MSG_NOSIGNAL), EPIPE);
        CHECK_EQ(recv(s[0], &c, 1, 0), 0);
        struct pollfd p = {.fd = s[0], .events = POLLIN | POLLRDHUP};
        CHECK_EQ(poll(&p, 1, 0), 1);
        CHECK_EQ(p.revents, POLLIN | POLLRDHUP | POLLHUP);
        end(s);
    }
    COVERS(socket, shutdown);
    CASE(shutdown_unconnected) {
        int s = socket(AF_UNIX, SOCK_STREAM, 0);
        CHECK_EQ(shutdown(s, SHUT_RDWR), 0);
        CHECK_ERRNO(shutdown(9999, SHUT_RDWR), EBADF);
        close(s);
    }
    COVERS(socket, sendto, recvfrom, getpeername, accept, listen);
    CASE(unconnected_sockets) {
        int s = socket(AF_UNIX, SOCK_STREAM, 0);
        char c;
        CHECK_ERRNO(send(s, "x", 1, MSG_NOSIGNAL), ENOTCONN);
        CHECK_ERRNO(recv(s, &c, 1, 0), EINVAL);
        struct sockaddr_un a;
        socklen_t length = sizeof a;
        CHECK_ERRNO(getpeername(s, (void *)&a, &length), ENOTCONN);
        CHECK_ERRNO(accept(s, NULL, NULL), EINVAL);
        CHECK_ERRNO(listen(s, 1), EINVAL);
        struct pollfd p = {.fd = s, .events = POLLIN | POLLOUT};
        poll(&p, 1, 0);
        CHECK_EQ(p.revents, POLLOUT | POLLHUP);
        close(s);
        s = socket(AF_UNIX, SOCK_SEQPACKET, 0);
        CHECK_ERRNO(recv(s, &c, 1, 0), ENOTCONN);
        close(s);
    }
    COVERS(connect, socket, bind, listen, accept, getpeername);
    CASE(connecting) {
        socklen_t length, peer_length;
        struct sockaddr_un a = abstract("connect", &length), peer;
        int l = socket(AF_UNIX, SOCK_STREAM, 0), c = socket(AF_UNIX, SOCK_STREAM, 0);
        CHECK_ERRNO(connect(c, (void *)&a, length), ECONNREFUSED);
        CHECK_EQ(bind(l, (void *)&a, length), 0);
        CHECK_ERRNO(connect(c, (void *)&a, length), ECONNREFUSED);
        CHECK_EQ(listen(l, 2), 0);
        CHECK_EQ(connect(c, (void *)&a, length), 0);
        CHECK_ERRNO(connect(c, (void *)&a, length), EISCONN);
        peer_length = sizeof peer;
        int server = accept(l, (void *)&peer, &peer_length);
        CHECK(server >= 0);
        CHECK_EQ(peer_length, sizeof(sa_family_t));
        peer_length = sizeof peer;
        CHECK_EQ(getpeername(c, (void *)&peer, &peer_length), 0);
        CHECK_EQ(peer_length, length);
        CHECK(!memcmp(&peer, &a, length));
        peer_length = sizeof peer;
        CHECK_EQ(getsockname(server, (void *)&peer, &peer_length), 0);
        CHECK_EQ(peer_length, length);
        CHECK_ERRNO(listen(c, 1), EINVAL);
        close(server);
        close(c);
        close(l);
    }
    COVERS(socket, bind, listen, connect, accept);
    CASE(type_must_match) {
        socklen_t length;
        struct sockaddr_un a = abstract("type", &length);
        int l = socket(AF_UNIX, SOCK_STREAM, 0), c = socket(AF_UNIX, SOCK_SEQPACKET, 0), d = socket(AF_UNIX, SOCK_DGRAM, 0);
        bind(l, (void *)&a, length);
        listen(l, 1);
        CHECK_ERRNO2(connect(c, (void *)&a, length), EPROTOTYPE, ECONNREFUSED);
        CHECK_ERRNO2(connect(d, (void *)&a, length), EPROTOTYPE, ECONNREFUSED);
        CHECK_ERRNO(listen(d, 1), EOPNOTSUPP);
        CHECK_ERRNO(accept(d, NULL, NULL), EOPNOTSUPP);
        close(l);
        close(c);
        close(d);
        a = path_name("type", &length);
        l = socket(AF_UNIX, SOCK_STREAM, 0);
        d = socket(AF_UNIX, SOCK_DGRAM, 0);
        bind(l, (void *)&a, length);
        CHECK_ERRNO(connect(d, (void *)&a, length), EPROTOTYPE);
        close(l);
        close(d);
    }
    COVERS(socket, bind, listen, connect, accept4, fcntl);
    CASE(backlog) {
        socklen_t length;
        struct sockaddr_un a = abstract("backlog", &length);
        int l = socket(AF_UNIX, SOCK_STREAM, 0), c[3];
        bind(l, (void *)&a, length);
        listen(l, 1);
        for (int i = 0; i < 3; i++) c[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        CHECK_EQ(connect(c[0], (void *)&a, length), 0);
        CHECK_EQ(connect(c[1], (void *)&a, length), 0);
        CHECK_ERRNO(connect(c[2], (void *)&a, length), EAGAIN);
        int server = accept4(l, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        CHECK_EQ(fcntl(server, F_GETFD), FD_CLOEXEC);
        CHECK(fcntl(server, F_GETFL) & O_NONBLOCK);
        CHECK_EQ(connect(c[2], (void *)&a, length), 0);
        close(server);
        close(l);
        char byte;
        CHECK_ERRNO(recv(c[2], &byte, 1, 0), ECONNRESET);
        for (int i = 0; i < 3; i++) close(c[i]);
    }
    COVERS(accept, socket, bind, listen, accept4, connect);
    CASE(accept_arguments) {
        socklen_t length;
        struct sockaddr_un a = abstract("accept", &length);
        int l = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        bind(l, (void *)&a, length);
        listen(l, 5);
        CHECK_ERRNO(accept(l, NULL, NULL), EAGAIN);
        CHECK_ERRNO(accept4(l, NULL, NULL, 1), EINVAL);
        CHECK_ERRNO(accept(9999, NULL, NULL), EBADF);
        CHECK_ERRNO(accept(0, NULL, NULL), ENOTSOCK);
        int c = socket(AF_UNIX, SOCK_STREAM, 0);
        connect(c, (void *)&a, length);
        struct sockaddr_un peer;
        CHECK_ERRNO(accept(l, (void *)&peer, BAD_POINTER), EFAULT);
        close(c);
        close(l);
    }
    COVERS(socket, bind, listen, connect, sendto, accept);
    CASE(server_may_send_before_accept) {
        socklen_t length;
        struct sockaddr_un a = abstract("early", &length);
        int l = socket(AF_UNIX, SOCK_STREAM, 0), c = socket(AF_UNIX, SOCK_STREAM, 0);
        bind(l, (void *)&a, length);
        listen(l, 5);
        connect(c, (void *)&a, length);
        CHECK_EQ(send(c, "early", 5, 0), 5);
        int server = accept(l, NULL, NULL);
        char text[8];
        CHECK_EQ(recv(server, text, 8, 0), 5);
        close(server);
        close(c);
        close(l);
    }
    COVERS(socket, bind, connect, access, newfstatat, listen);
    CASE(names_in_the_file_system) {
        socklen_t length;
        struct sockaddr_un a = path_name("sock", &length), b = path_name("none/sock", &length);
        int l = socket(AF_UNIX, SOCK_STREAM, 0), c = socket(AF_UNIX, SOCK_STREAM, 0);
        CHECK_ERRNO(bind(l, (void *)&b, length), ENOENT);
        CHECK_ERRNO(connect(c, (void *)&a, length), ENOENT);
        CHECK_EQ(bind(l, (void *)&a, length), 0);
        CHECK_ERRNO(bind(l, (void *)&b, length), ENOENT);
        b = path_name("second", &length);
        CHECK_ERRNO(bind(l, (void *)&b, length), EINVAL);
        CHECK_ERRNO(access(b.sun_path, F_OK), ENOENT);
        CHECK_ERRNO(bind(c, (void *)&a, length), EADDRINUSE);
        struct stat status;
        CHECK_EQ(stat(a.sun_path, &status), 0);
        CHECK(S_ISSOCK(status.st_mode));
        CHECK_ERRNO(open(a.sun_path, O_RDWR), ENXIO);
        CHECK_ERRNO(connect(c, (void *)&a, length), ECONNREFUSED);
        listen(l, 1);
        CHECK_EQ(connect(c, (void *)&a, length), 0);
        close(l);
        close(c);
        c = socket(AF_UNIX, SOCK_STREAM, 0);
        CHECK_ERRNO(connect(c, (void *)&a, length), ECONNREFUSED);
        struct sockaddr_un regular = path_name("regular", &length);
        close(open(regular.sun_path, O_CREAT | O_WRONLY, 0600));
        CHECK_ERRNO(connect(c, (void *)&regular, length), ECONNREFUSED);
        close(c);
    }
    COVERS(socket, bind, connect, getsockname);
    CASE(address_arguments) {
        struct sockaddr_un a = {.sun_family = AF_INET};
        int s = socket(AF_UNIX, SOCK_STREAM, 0);
        CHECK_ERRNO(bind(s, (void *)&a, sizeof a), EINVAL);
        CHECK_ERRNO(connect(s, (void *)&a, sizeof a), EINVAL);
        a.sun_family = AF_UNIX;
        CHECK_ERRNO(bind(s, (void *)&a, sizeof a + 1), EINVAL);
        CHECK_ERRNO(bind(s, (void *)&a, -1), EINVAL);
        CHECK_ERRNO(bind(s, (void *)&a, 1), EINVAL);
        CHECK_ERRNO(bind(s, BAD_POINTER, sizeof a), EFAULT);
        CHECK_ERRNO(connect(s, BAD_POINTER, sizeof a), EFAULT);
        CHECK_ERRNO(connect(s, (void *)&a, sizeof(sa_family_t)), EINVAL);
        socklen_t negative = -1;
        CHECK_ERRNO(getsockname(s, (void *)&a, &negative), EINVAL);
        CHECK_ERRNO(getsockname(s, (void *)&a, BAD_POINTER), EFAULT);
        socklen_t fine = sizeof a;
        CHECK_ERRNO(getsockname(s, BAD_POINTER, &fine), EFAULT);
        close(s);
    }
    COVERS(socket, bind, getsockname);
    CASE(autobind) {
        struct sockaddr_un a = {.sun_family = AF_UNIX};
        int s = socket(AF_UNIX, SOCK_STREAM, 0);
        CHECK_EQ(bind(s, (void *)&a, sizeof(sa_family_t)), 0);
        socklen_t length = sizeof a;
        memset(&a, 0xff, sizeof a);
        CHECK_EQ(getsockname(s, (void *)&a, &length), 0);
        CHECK_EQ(length, 8);
        CHECK_EQ(a.sun_path[0], 0);
        for (int i = 1; i < 6; i++) CHECK(strchr("0123456789abcdef", a.sun_path[i]));
        CHECK_EQ(bind(s, (void *)&a, sizeof(sa_family_t)), 0);
        close(s);
    }
    COVERS(socket, bind);
    CASE(abstract_names_are_exact) {
        socklen_t length;
        struct sockaddr_un a = abstract("exact", &length);
        int one = socket(AF_UNIX, SOCK_STREAM, 0), two = socket(AF_UNIX, SOCK_STREAM, 0);
        CHECK_EQ(bind(one, (void *)&a, length), 0);
        CHECK_ERRNO(bind(two, (void *)&a, length), EADDRINUSE);
        CHECK_EQ(bind(two, (void *)&a, length + 1), 0);
        close(one);
        close(two);
        one = socket(AF_UNIX, SOCK_STREAM, 0);
        CHECK_EQ(bind(one, (void *)&a, length), 0);
        close(one);
    }
    COVERS(sendto, ioctl);
    CASE(queue_sizes) {
        int s[2];
        int n = -1;
        both(s, SOCK_STREAM);
        send(s[0], "12345", 5, 0);
        CHECK_EQ(ioctl(s[1], FIONREAD, &n), 0);
        CHECK_EQ(n, 5);
        CHECK_EQ(ioctl(s[0], TIOCOUTQ, &n), 0);
        CHECK(n > 0);
        end(s);
        both(s, SOCK_SEQPACKET);
        send(s[0], "123", 3, 0);
        send(s[0], "45678", 5, 0);
        CHECK_EQ(ioctl(s[1], FIONREAD, &n), 0);
        CHECK_ONE_OF(n, 3, 8);
        end(s);
    }
    COVERS(setsockopt, sendto);
    CASE(packet_that_is_too_large) {
        int s[2];
        int size = 4096;
        static char big[1 << 20];
        both(s, SOCK_SEQPACKET);
        setsockopt(s[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
        CHECK_ERRNO(send(s[0], big, sizeof big, 0), EMSGSIZE);
        end(s);
    }
    COVERS(sendto, recvfrom, sendmsg, recvmsg);
    CASE(bad_buffers) {
        int s[2];
        both(s, SOCK_STREAM);
        CHECK_ERRNO(send(s[0], BAD_POINTER, 10, 0), EFAULT);
        send(s[0], "x", 1, 0);
        CHECK_ERRNO(recv(s[1], BAD_POINTER, 10, 0), EFAULT);
        char c;
        CHECK_EQ(recv(s[1], &c, 1, MSG_DONTWAIT), 1);
        CHECK_ERRNO(sendmsg(s[0], BAD_POINTER, 0), EFAULT);
        CHECK_ERRNO(recvmsg(s[0], BAD_POINTER, MSG_DONTWAIT), EFAULT);
        struct msghdr m = {.msg_iov = BAD_POINTER, .msg_iovlen = 1};
        CHECK_ERRNO(sendmsg(s[0], &m, 0), EFAULT);
        m.msg_iovlen = 1025;
        CHECK_ERRNO(sendmsg(s[0], &m, 0), EMSGSIZE);
        end(s);
    }
    COVERS(sendto, socket);
    CASE(stream_send_to_an_address) {
        int s[2];
        socklen_t length;
        struct sockaddr_un a = abstract("nobody", &length);
        both(s, SOCK_STREAM);
        CHECK_ERRNO(sendto(s[0], "x", 1, 0, (void *)&a, length), EISCONN);
        end(s);
        int alone = socket(AF_UNIX, SOCK_STREAM, 0);
        CHECK_ERRNO(sendto(alone, "x", 1, 0, (void *)&a, length), EOPNOTSUPP);
        close(alone);
    }
    COVERS(poll, close);
    CASE(poll_of_a_closed_peer) {
        int s[2];
        both(s, SOCK_STREAM);
        struct pollfd p = {.fd = s[0], .events = POLLIN | POLLOUT | POLLRDHUP};
        poll(&p, 1, 0);
        CHECK_EQ(p.revents, POLLOUT);
        close(s[1]);
        poll(&p, 1, 0);
        CHECK_EQ(p.revents, POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
        close(s[0]);
    }
    return conformance_end();
}
