#define _GNU_SOURCE
#include "chost_files.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAXIMUM_DESCRIPTORS = 32 };

static inline long result(long value) { return value == -1 ? -errno : value; }

long chost_seqpacket_pair(int out[2]) {
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, out) == -1) return -errno;
    // Room for the largest message and its bookkeeping; the host may bound it.
    int size = 512 * 1024;
    for (int i = 0; i < 2; i++) setsockopt(out[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    return 0;
}

long chost_send(int fd, const void *header, size_t header_size, const void *body, size_t body_size, const int *fds, size_t fd_count) {
    struct iovec parts[2] = {{(void *)header, header_size}, {(void *)body, body_size}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = body_size ? 2 : 1};
    union {
        char bytes[CMSG_SPACE(sizeof(int) * MAXIMUM_DESCRIPTORS)];
        struct cmsghdr align;
    } control;
    if (fd_count > MAXIMUM_DESCRIPTORS) return -EINVAL;
    if (fd_count) {
        memset(&control, 0, sizeof control);
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
        memcpy(CMSG_DATA(c), fds, sizeof(int) * fd_count);
    }
    long n;
    do n = sendmsg(fd, &message, MSG_NOSIGNAL);
    while (n == -1 && errno == EINTR);
    return result(n);
}

long chost_receive(int fd, void *buffer, size_t size, int *fds, size_t *fd_count) {
    struct iovec part = {buffer, size};
    union {
        char bytes[CMSG_SPACE(sizeof(int) * MAXIMUM_DESCRIPTORS)];
        struct cmsghdr align;
    } control;
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    long n;
    do n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    while (n == -1 && errno == EINTR);
    if (n == -1) {
        *fd_count = 0;
        return -errno;
    }
    size_t capacity = *fd_count, count = 0;
    int cut = (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
        size_t here = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < here; i++) {
            int received;
            memcpy(&received, CMSG_DATA(c) + i * sizeof(int), sizeof received);
            if (count < capacity) {
                fds[count++] = received;
            } else {
                close(received);
                cut = 1;
            }
        }
    }
    if (cut) {
        // Room was left for more, but not in the descriptor table.
        int full = !(message.msg_flags & MSG_TRUNC) && count < capacity && capacity == MAXIMUM_DESCRIPTORS;
        for (size_t i = 0; i < count; i++) close(fds[i]);
        *fd_count = 0;
        return full ? -EMFILE : -EMSGSIZE;
    }
    *fd_count = count;
    return n;
}

long chost_poll(int fd, int events, int timeout_milliseconds) {
    struct pollfd p = {.fd = fd, .events = (short)events};
    long n;
    do n = poll(&p, 1, timeout_milliseconds);
    while (n == -1 && errno == EINTR);
    return n == -1 ? -errno : n == 0 ? 0 : (unsigned short)p.revents;
}

long chost_epoll_create(void) { return result(epoll_create1(EPOLL_CLOEXEC)); }

long chost_epoll_ctl(int epoll, int operation, int fd, uint32_t events, uint64_t data) {
    struct epoll_event e = {.events = events, .data.u64 = data};
    return result(epoll_ctl(epoll, operation, fd, &e));
}

long chost_epoll_wait(int epoll, uint32_t *events, uint64_t *data, int capacity, int timeout_milliseconds) {
    enum { BATCH = 32 };
    struct epoll_event found[BATCH];
    int n;
    do n = epoll_wait(epoll, found, capacity < BATCH ? capacity : BATCH, timeout_milliseconds);
    while (n == -1 && errno == EINTR);
    if (n == -1) return -errno;
    for (int i = 0; i < n; i++) {
        events[i] = found[i].events;
        data[i] = found[i].data.u64;
    }
    return n;
}
