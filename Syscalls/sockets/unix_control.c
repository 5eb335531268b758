// Control messages: SCM_RIGHTS, SCM_CREDENTIALS, SO_PASSCRED, SO_PEERCRED (unix(7), cmsg(3)).
#include "conformance.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

union control {
    char bytes[2048];
    struct cmsghdr align;
};
static ssize_t send_control(int fd, int type, const void *data, size_t length, const char *text, size_t count) {
    static union control c;
    struct iovec v = {(void *)text, count};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = c.bytes, .msg_controllen = CMSG_SPACE(length)};
    struct cmsghdr *h = CMSG_FIRSTHDR(&m);
    *h = (struct cmsghdr){.cmsg_len = CMSG_LEN(length), .cmsg_level = SOL_SOCKET, .cmsg_type = type};
    memcpy(CMSG_DATA(h), data, length);
    return sendmsg(fd, &m, 0);
}
static ssize_t send_fds(int fd, const int *fds, int n) { return send_control(fd, SCM_RIGHTS, fds, n * sizeof(int), "f", 1); }
static struct msghdr got;
static union control received;
static char text[64];
static ssize_t receive(int fd, size_t room, int flags) {
    static struct iovec v;
    v = (struct iovec){text, sizeof text};
    memset(&received, 0, sizeof received);
    got = (struct msghdr){.msg_iov = &v, .msg_iovlen = 1, .msg_control = room ? received.bytes : NULL, .msg_controllen = room};
    return recvmsg(fd, &got, flags);
}
static int fd_count(void) {
    struct cmsghdr *h = CMSG_FIRSTHDR(&got);
    return h && h->cmsg_type == SCM_RIGHTS ? (int)((h->cmsg_len - CMSG_LEN(0)) / sizeof(int)) : 0;
}
static int fd_at(int i) {
    int fd;
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&got)) + i * sizeof fd, sizeof fd);
    return fd;
}
static void close_received(void) {
    for (int i = 0; i < fd_count(); i++) close(fd_at(i));
}
static void pair(int s[2], int type) { socketpair(AF_UNIX, type, 0, s); }
/// Whether the other end of the pipe goes, while Unix sockets close now and then: that is when Linux looks for garbage.
static int hangs_up(int reader) {
    for (int i = 0; i < 300; i++) {
        int s[2];
        pair(s, SOCK_STREAM);
        close(s[0]);
        close(s[1]);
        struct pollfd entry = {.fd = reader, .events = POLLIN};
        if (poll(&entry, 1, 10) == 1) return (entry.revents & POLLHUP) != 0;
    }
    return 0;
}
static void end(int s[2]) {
    close(s[0]);
    close(s[1]);
}

int main(void) {
    int s[2], p[2];
    pipe(p);
    COVERS(fcntl, recvmsg);
    CASE(descriptor_travels) {
        pair(s, SOCK_STREAM);
        CHECK_EQ(send_fds(s[0], &p[1], 1), 1);
        CHECK_EQ(receive(s[1], sizeof received, 0), 1);
        CHECK_EQ(fd_count(), 1);
        CHECK(fd_at(0) != p[1]);
        CHECK_EQ(fcntl(fd_at(0), F_GETFD), 0);
        write(fd_at(0), "through", 7);
        char in[8];
        CHECK_EQ(read(p[0], in, 8), 7);
        close_received();
        end(s);
    }
    CASE(close_on_exec_when_asked) {
        pair(s, SOCK_DGRAM);
        send_fds(s[0], &p[1], 1);
        CHECK_EQ(receive(s[1], sizeof received, MSG_CMSG_CLOEXEC), 1);
        CHECK_EQ(fcntl(fd_at(0), F_GETFD), FD_CLOEXEC);
        CHECK_EQ(got.msg_flags & MSG_CMSG_CLOEXEC, MSG_CMSG_CLOEXEC);
        close_received();
        end(s);
    }
    COVERS(recvmsg);
    CASE(most_descriptors) {
        int many[254];
        for (int i = 0; i < 254; i++) many[i] = p[0];
        pair(s, SOCK_STREAM);
        CHECK_EQ(send_fds(s[0], many, 253), 1);
        CHECK_ERRNO(send_fds(s[0], many, 254), EINVAL);
        CHECK_EQ(receive(s[1], sizeof received, 0), 1);
        CHECK_EQ(fd_count(), 253);
        close_received();
        end(s);
    }
    CASE(bad_descriptor_sends_nothing) {
        int two[2] = {p[0], 9999};
        pair(s, SOCK_STREAM);
        CHECK_ERRNO(send_fds(s[0], two, 2), EBADF);
        CHECK_ERRNO(receive(s[1], sizeof received, MSG_DONTWAIT), EAGAIN);
        end(s);
    }
    CASE(no_room_closes_the_rest) {
        int three[3] = {p[0], p[0], p[0]};
        pair(s, SOCK_STREAM);
        send_fds(s[0], three, 3);
        CHECK_EQ(receive(s[1], CMSG_LEN(2 * sizeof(int)), 0), 1);
        CHECK_EQ(fd_count(), 2);
        CHECK_EQ(got.msg_flags, MSG_CTRUNC);
        close_received();
        send_fds(s[0], three, 3);
        CHECK_EQ(receive(s[1], 0, 0), 1);
        CHECK_EQ(got.msg_flags, MSG_CTRUNC);
        CHECK_EQ(got.msg_controllen, 0);
        end(s);
    }
    COVERS(pipe, close, read);
    CASE(plain_read_drops_descriptors) {
        int pp[2];
        pipe(pp);
        pair(s, SOCK_STREAM);
        send_fds(s[0], &pp[1], 1);
        close(pp[1]);
        char c;
        CHECK_EQ(read(s[1], &c, 1), 1);
        CHECK_EQ(read(pp[0], &c, 1), 0);
        close(pp[0]);
        end(s);
    }
    CASE(descriptors_in_flight_die_with_the_queue) {
        int pp[2];
        pipe(pp);
        pair(s, SOCK_STREAM);
        send_fds(s[0], &pp[1], 1);
        close(pp[1]);
        end(s);
        char c;
        CHECK_EQ(read(pp[0], &c, 1), 0);
        close(pp[0]);
    }
    COVERS(recvmsg);
    CASE(peeked_descriptors_are_duplicates) {
        pair(s, SOCK_STREAM);
        send_fds(s[0], &p[1], 1);
        CHECK_EQ(receive(s[1], sizeof received, MSG_PEEK), 1);
        CHECK_EQ(fd_count(), 1);
        close_received();
        CHECK_EQ(receive(s[1], sizeof received, 0), 1);
        CHECK_EQ(fd_count(), 1);
        close_received();
        end(s);
    }
    COVERS(sendto, recvmsg);
    CASE(stream_reads_stop_at_descriptors) {
        pair(s, SOCK_STREAM);
        send(s[0], "ab", 2, 0);
        send_fds(s[0], &p[1], 1);
        send(s[0], "cd", 2, 0);
        ssize_t first = receive(s[1], sizeof received, 0);
        CHECK_ONE_OF(first, 2, 3);
        if (first == 3) close_received();
        CHECK(receive(s[1], sizeof received, 0) >= 1);
        close_received();
        end(s);
    }
    COVERS(sendto, recvfrom, recvmsg);
    CASE(a_socket_can_carry_itself) {
        pair(s, SOCK_STREAM);
        CHECK_EQ(send_fds(s[0], s, 2), 1);
        end(s);
        pair(s, SOCK_STREAM);
        CHECK_EQ(send_fds(s[0], &s[1], 1), 1);
        CHECK_EQ(receive(s[1], sizeof received, 0), 1);
        CHECK_EQ(send(s[0], "via", 3, 0), 3);
        CHECK_EQ(recv(fd_at(0), text, sizeof text, 0), 3);
        close_received();
        end(s);
    }
    COVERS(dup, prlimit64, recvmsg);
    CASE(descriptor_limit_while_receiving) IN_FORK({
        pair(s, SOCK_STREAM);
        int three[3] = {p[0], p[0], p[0]};
        send_fds(s[0], three, 3);
        int next = dup(0);
        close(next);
        struct rlimit limit = {next + 1, next + 1};
        setrlimit(RLIMIT_NOFILE, &limit);
        CHECK_EQ(receive(s[1], sizeof received, 0), 1);
        CHECK_EQ(fd_count(), 1);
        CHECK_EQ(got.msg_flags, MSG_CTRUNC);
    });
    COVERS(sendmsg);
    CASE(malformed_control) {
        pair(s, SOCK_STREAM);
        union control c = {0};
        struct iovec v = {"x", 1};
        struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = c.bytes, .msg_controllen = 24};
        c.align = (struct cmsghdr){.cmsg_len = 4, .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        CHECK_ERRNO(sendmsg(s[0], &m, 0), EINVAL);
        c.align.cmsg_len = 1000;
        CHECK_ERRNO(sendmsg(s[0], &m, 0), EINVAL);
        c.align = (struct cmsghdr){.cmsg_len = 20, .cmsg_level = SOL_SOCKET, .cmsg_type = 99};
        CHECK_ERRNO(sendmsg(s[0], &m, 0), EINVAL);
        m.msg_control = BAD_POINTER;
        CHECK_ERRNO(sendmsg(s[0], &m, 0), EFAULT);
        m.msg_control = c.bytes;
        m.msg_controllen = 8;
        CHECK_EQ(sendmsg(s[0], &m, 0), 1);
        m.msg_controllen = (size_t)1 << 40;
        CHECK_ERRNO(sendmsg(s[0], &m, 0), ENOBUFS);
        end(s);
    }
    COVERS(setsockopt, sendto, getgid, recvmsg);
    CASE(credentials_of_the_sender) {
        int on = 1;
        pair(s, SOCK_DGRAM);
        setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
        send(s[0], "x", 1, 0);
        CHECK_EQ(receive(s[1], sizeof received, 0), 1);
        struct cmsghdr *h = CMSG_FIRSTHDR(&got);
        CHECK(h && h->cmsg_type == SCM_CREDENTIALS && h->cmsg_len == CMSG_LEN(sizeof(struct ucred)));
        struct ucred u;
        memcpy(&u, CMSG_DATA(h), sizeof u);
        CHECK(u.pid == getpid() && u.uid == getuid() && u.gid == getgid());
        end(s);
    }
    COVERS(setsockopt, sendto, recvmsg);
    CASE(credentials_of_a_child) {
        int on = 1;
        pair(s, SOCK_STREAM);
        setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
        pid_t child = fork();
        if (child == 0) {
            send(s[0], "x", 1, 0);
            _exit(0);
        }
        CHECK_EQ(receive(s[1], sizeof received, 0), 1);
        struct ucred u;
        memcpy(&u, CMSG_DATA(CMSG_FIRSTHDR(&got)), sizeof u);
        CHECK_EQ(u.pid, child);
        waitpid(child, NULL, 0);
        end(s);
    }
    COVERS(getgid, setsockopt, sendmsg, recvmsg);
    CASE(claimed_credentials) {
        int on = 1;
        struct ucred mine = {getpid(), getuid(), getgid()};
        pair(s, SOCK_DGRAM);
        setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
        CHECK_EQ(send_control(s[0], SCM_CREDENTIALS, &mine, sizeof mine, "x", 1), 1);
        CHECK_EQ(receive(s[1], sizeof received, 0), 1);
        CHECK_ERRNO(send_control(s[0], SCM_CREDENTIALS, &mine, 8, "x", 1), EINVAL);
        AS_USER({
            struct ucred false_user = {getpid(), 0, getgid()};
            struct ucred false_pid = {1 << 22, getuid(), getgid()};
            CHECK_ERRNO(send_control(s[0], SCM_CREDENTIALS, &false_user, sizeof false_user, "x", 1), EPERM);
            CHECK_ERRNO(send_control(s[0], SCM_CREDENTIALS, &false_pid, sizeof false_pid, "x", 1), EPERM);
        });
        if (geteuid() == 0) {
            struct ucred absent = {1 << 22, 0, 0};
            CHECK_ERRNO(send_control(s[0], SCM_CREDENTIALS, &absent, sizeof absent, "x", 1), ESRCH);
            struct ucred other = {getpid(), 12, 34};
            CHECK_EQ(send_control(s[0], SCM_CREDENTIALS, &other, sizeof other, "x", 1), 1);
            receive(s[1], sizeof received, 0);
            struct ucred u;
            memcpy(&u, CMSG_DATA(CMSG_FIRSTHDR(&got)), sizeof u);
            CHECK(u.uid == 12 && u.gid == 34);
        }
        end(s);
    }
    COVERS(getgid, sendmsg, recvmsg);
    CASE(unasked_credentials_do_not_arrive) {
        struct ucred mine = {getpid(), getuid(), getgid()};
        pair(s, SOCK_DGRAM);
        send_control(s[0], SCM_CREDENTIALS, &mine, sizeof mine, "x", 1);
        CHECK_EQ(receive(s[1], sizeof received, 0), 1);
        CHECK(CMSG_FIRSTHDR(&got) == NULL);
        end(s);
    }
    COVERS(getsockopt, getegid, setsockopt, socket);
    CASE(peer_credentials) {
        pair(s, SOCK_STREAM);
        struct ucred u = {0};
        socklen_t length = sizeof u;
        CHECK_EQ(getsockopt(s[0], SOL_SOCKET, SO_PEERCRED, &u, &length), 0);
        CHECK(length == sizeof u && u.pid == getpid() && u.uid == geteuid() && u.gid == getegid());
        CHECK_ERRNO(setsockopt(s[0], SOL_SOCKET, SO_PEERCRED, &u, sizeof u), ENOPROTOOPT);
        end(s);
        int alone = socket(AF_UNIX, SOCK_STREAM, 0);
        length = sizeof u;
        CHECK_EQ(getsockopt(alone, SOL_SOCKET, SO_PEERCRED, &u, &length), 0);
        CHECK(u.pid == 0 && u.uid == (uid_t)-1 && u.gid == (gid_t)-1);
        close(alone);
    }
    COVERS(socket, bind, getsockname, listen, connect, getsockopt);
    CASE(peer_credentials_are_of_the_listener) {
        struct sockaddr_un a = {.sun_family = AF_UNIX};
        int l = socket(AF_UNIX, SOCK_STREAM, 0), c = socket(AF_UNIX, SOCK_STREAM, 0);
        bind(l, (void *)&a, sizeof(sa_family_t));
        socklen_t la = sizeof a;
        getsockname(l, (void *)&a, &la);
        listen(l, 1);
        IN_FORK({
            CHECK_EQ(connect(c, (void *)&a, la), 0);
            struct ucred u;
            socklen_t length = sizeof u;
            getsockopt(c, SOL_SOCKET, SO_PEERCRED, &u, &length);
            CHECK_EQ(u.pid, getppid());
        });
        close(l);
        close(c);
    }
    COVERS(getsockopt, pidfd_send_signal);
    CASE(peer_pidfd) {
        pair(s, SOCK_STREAM);
        int fd = -1;
        socklen_t length = sizeof fd;
        CHECK_EQ(getsockopt(s[0], SOL_SOCKET, 77, &fd, &length), 0);
        CHECK(fd >= 0);
        CHECK_EQ(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0), 0);
        close(fd);
        end(s);
    }
    COVERS(sendmsg, close, poll);
    CASE(a_socket_in_its_own_queue_is_collected) {
        int q[2];
        pipe(q);
        pair(s, SOCK_STREAM);
        CHECK_EQ(send_fds(s[0], (int[]){s[1], q[1]}, 2), 1);
        end(s);
        close(q[1]);
        CHECK(hangs_up(q[0]));
        close(q[0]);
    }
    CASE(sockets_in_each_others_queues_are_collected) {
        int q[2], t[2];
        pipe(q);
        pair(s, SOCK_DGRAM);
        pair(t, SOCK_SEQPACKET);
        CHECK_EQ(send_fds(s[0], &t[1], 1), 1);
        CHECK_EQ(send_fds(t[0], (int[]){s[1], q[1]}, 2), 1);
        end(s);
        end(t);
        close(q[1]);
        CHECK(hangs_up(q[0]));
        close(q[0]);
    }
    COVERS(bind, listen, connect, sendmsg, close);
    CASE(a_listener_in_a_connection_that_waits_for_it_is_collected) {
        int q[2];
        pipe(q);
        struct sockaddr_un a = {.sun_family = AF_UNIX};
        int l = socket(AF_UNIX, SOCK_STREAM, 0), c = socket(AF_UNIX, SOCK_STREAM, 0);
        bind(l, (void *)&a, sizeof(sa_family_t));
        socklen_t la = sizeof a;
        getsockname(l, (void *)&a, &la);
        listen(l, 1);
        CHECK_EQ(connect(c, (void *)&a, la), 0);
        CHECK_EQ(send_fds(c, (int[]){l, q[1]}, 2), 1);
        close(c);
        close(l);
        close(q[1]);
        CHECK(hangs_up(q[0]));
        close(q[0]);
    }
    COVERS(sendmsg, recvmsg, close);
    CASE(a_cycle_that_can_be_received_stays) {
        int q[2], t[2];
        pipe(q);
        pair(s, SOCK_STREAM);
        pair(t, SOCK_STREAM);
        CHECK_EQ(send_fds(s[0], (int[]){s[1], q[1]}, 2), 1);
        CHECK_EQ(send_fds(t[0], &s[1], 1), 1);
        end(s);
        close(q[1]);
        for (int i = 0; i < 20; i++) {
            pair(s, SOCK_STREAM);
            end(s);
        }
        CHECK_EQ(receive(t[1], sizeof received, 0), 1);
        CHECK_EQ(fd_count(), 1);
        int again = fd_at(0);
        CHECK_EQ(receive(again, sizeof received, 0), 1);
        CHECK_EQ(fd_count(), 2);
        CHECK_EQ(write(fd_at(1), "x", 1), 1);
        CHECK_EQ(read(q[0], text, 1), 1);
        close_received();
        close(again);
        end(t);
        CHECK(hangs_up(q[0]));
        close(q[0]);
    }
    COVERS(sendmsg, recvmsg, setrlimit);
    CASE(descriptors_in_flight_are_limited) {
        AS_USER({
            pair(s, SOCK_DGRAM);
            int sent = 0;
            int null = open("/dev/null", O_RDONLY);
            struct rlimit few = {20, 20};
            setrlimit(RLIMIT_NOFILE, &few);
            int fds[3] = {null, null, null};
            while (sent < 60 && send_fds(s[0], fds, 3) == 1) sent += 3;
            CHECK_EQ(errno, ETOOMANYREFS);
            CHECK_EQ(sent, 21);
            CHECK_EQ(receive(s[1], 0, 0), 1);
            CHECK_EQ(send_fds(s[0], fds, 3), 1);
            end(s);
        });
    }
    return conformance_end();
}
