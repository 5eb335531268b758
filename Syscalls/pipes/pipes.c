// pipe(2), poll(2), epoll(7), eventfd(2), socketpair(2), unix(7).
#include "conformance.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    char b[100];
    COVERS(pipe, pipe2, read, write);
    CASE(pipe_end_of_file_and_broken_pipe) {
        int p[2];
        CHECK_EQ(pipe2(p, O_CLOEXEC), 0);
        CHECK_EQ(write(p[1], "abc", 3), 3);
        close(p[1]);
        CHECK_EQ(read(p[0], b, 100), 3);
        CHECK_EQ(read(p[0], b, 100), 0);
        close(p[0]);
        pipe(p);
        close(p[0]);
        CHECK_ERRNO(write(p[1], "x", 1), EPIPE);
        close(p[1]);
    }
    CASE(nonblocking_pipe) {
        int p[2];
        pipe2(p, O_NONBLOCK);
        CHECK_ERRNO(read(p[0], b, 1), EAGAIN);
        long total = 0;
        static char chunk[4096];
        while (write(p[1], chunk, 4096) > 0) total += 4096;
        CHECK_EQ(total, 65536);
        CHECK_EQ(errno, EAGAIN);
        struct pollfd poll_set[2] = {{p[0], POLLIN, 0}, {p[1], POLLOUT, 0}};
        CHECK_EQ(poll(poll_set, 2, 0), 1);
        CHECK_EQ(poll_set[0].revents, POLLIN);
        close(p[0]);
        close(p[1]);
    }
    CASE(megabyte_through_a_pipe) {
        int p[2];
        pipe(p);
        pid_t child = fork();
        if (child == 0) {
            close(p[0]);
            char *data = malloc(1 << 20);
            for (int i = 0; i < 1 << 20; i++) data[i] = (char)(i * 7);
            _exit(write(p[1], data, 1 << 20) == 1 << 20 ? 0 : 1);
        }
        close(p[1]);
        static char data[5000];
        long total = 0, n;
        int bad = 0;
        while ((n = read(p[0], data, sizeof data)) > 0) {
            for (long i = 0; i < n; i++) bad |= data[i] != (char)((total + i) * 7);
            total += n;
        }
        int status;
        waitpid(child, &status, 0);
        CHECK_EQ(status, 0);
        CHECK_EQ(total, 1 << 20);
        CHECK_EQ(bad, 0);
        close(p[0]);
    }
    COVERS(poll);
    CASE(poll_times_out) {
        CHECK_EQ(poll(NULL, 0, 10), 0);
        struct pollfd bad = {0x7fffffff, POLLIN, 0};
        CHECK_EQ(poll(&bad, 1, 0), 1);
        CHECK_EQ(bad.revents, POLLNVAL);
    }
    COVERS(eventfd2);
    CASE(eventfd_counts) {
        int e = eventfd(3, EFD_NONBLOCK);
        uint64_t v = 4;
        CHECK_EQ(write(e, &v, 8), 8);
        CHECK_EQ(read(e, &v, 8), 8);
        CHECK_EQ(v, 7);
        CHECK_ERRNO(read(e, &v, 8), EAGAIN);
        CHECK_ERRNO(read(e, &v, 4), EINVAL);
        close(e);
    }
    COVERS(epoll_create1, epoll_ctl, epoll_wait);
    CASE(epoll_level_and_edge) {
        int p[2], e = epoll_create1(0);
        pipe(p);
        struct epoll_event event = {EPOLLIN, {.u64 = 42}}, seen[4];
        CHECK_EQ(epoll_ctl(e, EPOLL_CTL_ADD, p[0], &event), 0);
        CHECK_ERRNO(epoll_ctl(e, EPOLL_CTL_ADD, p[0], &event), EEXIST);
        CHECK_EQ(epoll_wait(e, seen, 4, 0), 0);
        write(p[1], "x", 1);
        CHECK_EQ(epoll_wait(e, seen, 4, -1), 1);
        CHECK_EQ(seen[0].data.u64, 42);
        CHECK_EQ(epoll_wait(e, seen, 4, 0), 1);
        event.events = EPOLLIN | EPOLLET;
        CHECK_EQ(epoll_ctl(e, EPOLL_CTL_MOD, p[0], &event), 0);
        CHECK_EQ(epoll_wait(e, seen, 4, 0), 1);
        CHECK_EQ(epoll_wait(e, seen, 4, 0), 0);
        write(p[1], "y", 1);
        CHECK_EQ(epoll_wait(e, seen, 4, 0), 1);
        CHECK_ERRNO(epoll_ctl(e, EPOLL_CTL_ADD, e, &event), EINVAL);
        int file = open("/etc/passwd", O_RDONLY);
        CHECK_ERRNO(epoll_ctl(e, EPOLL_CTL_ADD, file, &event), EPERM);
        close(file);
        close(p[0]);
        close(p[1]);
        CHECK_EQ(epoll_wait(e, seen, 4, 0), 0);
        close(e);
    }
    COVERS(timerfd_create, timerfd_settime);
    CASE(timerfd_fires) {
        int t = timerfd_create(CLOCK_MONOTONIC, 0);
        struct itimerspec in = {{0, 0}, {0, 5000000}};
        CHECK_EQ(timerfd_settime(t, 0, &in, NULL), 0);
        uint64_t expirations = 0;
        CHECK_EQ(read(t, &expirations, 8), 8);
        CHECK_EQ(expirations, 1);
        close(t);
    }
    COVERS(socketpair, sendmsg, recvmsg);
    CASE(socket_pair_passes_descriptors) {
        int s[2], p[2];
        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
        pipe(p);
        char control[CMSG_SPACE(sizeof(int))];
        struct iovec data = {"z", 1};
        struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);
        c->cmsg_level = SOL_SOCKET, c->cmsg_type = SCM_RIGHTS, c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &p[1], sizeof(int));
        CHECK_EQ(sendmsg(s[0], &message, 0), 1);
        close(p[1]);
        data.iov_base = b;
        message.msg_controllen = sizeof control;
        CHECK_EQ(recvmsg(s[1], &message, 0), 1);
        int received = -1;
        c = CMSG_FIRSTHDR(&message);
        if (c) memcpy(&received, CMSG_DATA(c), sizeof(int));
        CHECK_EQ(write(received, "q", 1), 1);
        CHECK_EQ(read(p[0], b, 1), 1);
        close(received);
        CHECK_EQ(read(p[0], b, 1), 0);
        close(s[0]);
        CHECK_EQ(read(s[1], b, 1), 0);
        close(s[1]);
        close(p[0]);
    }
    COVERS(socket, bind, listen, connect, accept);
    CASE(stream_socket_by_path) {
        struct sockaddr_un name = {.sun_family = AF_UNIX};
        snprintf(name.sun_path, sizeof name.sun_path, "%s/socket", conformance_directory());
        int server = socket(AF_UNIX, SOCK_STREAM, 0);
        CHECK_EQ(bind(server, (void *)&name, sizeof name), 0);
        CHECK_EQ(listen(server, 5), 0);
        pid_t child = fork();
        if (child == 0) {
            int client = socket(AF_UNIX, SOCK_STREAM, 0);
            if (connect(client, (void *)&name, sizeof name)) _exit(1);
            write(client, "hello", 5);
            _exit(read(client, b, 100) == 2 ? 0 : 2);
        }
        int connection = accept(server, NULL, NULL);
        CHECK_EQ(read(connection, b, 100), 5);
        struct ucred peer;
        socklen_t length = sizeof peer;
        CHECK_EQ(getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &length), 0);
        CHECK_EQ(peer.pid, child);
        write(connection, "ok", 2);
        int status;
        waitpid(child, &status, 0);
        CHECK_EQ(status, 0);
        close(connection);
        close(server);
        int client = socket(AF_UNIX, SOCK_STREAM, 0);
        CHECK_ERRNO(connect(client, (void *)&name, sizeof name), ECONNREFUSED);
        unlink(name.sun_path);
        CHECK_ERRNO(connect(client, (void *)&name, sizeof name), ENOENT);
        close(client);
    }
    COVERS(socketpair);
    CASE(sequenced_packets_keep_boundaries) {
        int s[2];
        socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s);
        send(s[0], "one", 3, 0);
        send(s[0], "three", 5, 0);
        CHECK_EQ(recv(s[1], b, 100, 0), 3);
        CHECK_EQ(recv(s[1], b, 2, MSG_TRUNC), 5);
        close(s[0]);
        close(s[1]);
    }
    COVERS(mknod, open);
    CASE(fifo_connects) {
        char path[128];
        snprintf(path, sizeof path, "%s/fifo", conformance_directory());
        CHECK_EQ(mkfifo(path, 0600), 0);
        CHECK_ERRNO(open(path, O_WRONLY | O_NONBLOCK), ENXIO);
        pid_t child = fork();
        if (child == 0) {
            int w = open(path, O_WRONLY);
            _exit(write(w, "f", 1) == 1 ? 0 : 1);
        }
        int r = open(path, O_RDONLY);
        CHECK_EQ(read(r, b, 10), 1);
        CHECK_EQ(read(r, b, 10), 0);
        waitpid(child, NULL, 0);
        close(r);
        unlink(path);
    }
    rmdir(conformance_directory());
    return conformance_end();
}
