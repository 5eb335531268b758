// Control messages about datagrams: SO_TIMESTAMP, SO_TIMESTAMPNS, IP_PKTINFO, IP_RECVTTL, IP_RECVTOS, their IPv6 kin; SO_PASSPIDFD.
#include "conformance.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

static union {
    char bytes[512];
    struct cmsghdr align;
} control;
static struct msghdr got;
static ssize_t receive(int s, size_t room) {
    static char text[64];
    static struct iovec v;
    v = (struct iovec){text, sizeof text};
    memset(&control, 0, sizeof control);
    got = (struct msghdr){.msg_iov = &v, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = room};
    return recvmsg(s, &got, 0);
}
static void *find(int level, int type, size_t length) {
    for (struct cmsghdr *h = CMSG_FIRSTHDR(&got); h; h = CMSG_NXTHDR(&got, h))
        if (h->cmsg_level == level && h->cmsg_type == type && h->cmsg_len == CMSG_LEN(length)) return CMSG_DATA(h);
    return NULL;
}
static int set(int s, int level, int name, int value) { return setsockopt(s, level, name, &value, sizeof value); }
static int get(int s, int level, int name) {
    int value = -7;
    socklen_t length = sizeof value;
    getsockopt(s, level, name, &value, &length);
    return value;
}
static int bound(int family, struct sockaddr_storage *a, socklen_t *length) {
    int s = socket(family, SOCK_DGRAM, 0);
    memset(a, 0, sizeof *a);
    if (family == AF_INET) {
        *(struct sockaddr_in *)a = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        *length = sizeof(struct sockaddr_in);
    } else {
        *(struct sockaddr_in6 *)a = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
        *length = sizeof(struct sockaddr_in6);
    }
    bind(s, (void *)a, *length);
    getsockname(s, (void *)a, length);
    return s;
}
static long long realtime_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

int main(void) {
    struct sockaddr_storage a;
    socklen_t length;
    int s = bound(AF_INET, &a, &length), sender = socket(AF_INET, SOCK_DGRAM, 0);
    COVERS(sendto, recvmsg);
    CASE(none_unless_asked) {
        sendto(sender, "x", 1, 0, (void *)&a, length);
        CHECK_EQ(receive(s, sizeof control), 1);
        CHECK_EQ(got.msg_controllen, 0);
    }
    COVERS(sendto, time, recvmsg, clock_gettime);
    CASE(time_of_arrival) {
        CHECK_EQ(set(s, SOL_SOCKET, SO_TIMESTAMP, 1), 0);
        long long before = realtime_us();
        sendto(sender, "x", 1, 0, (void *)&a, length);
        CHECK_EQ(receive(s, sizeof control), 1);
        // A message that came before the kernel had begun to stamp has the time of its receipt.
        long long after = realtime_us();
        struct timeval *t = find(SOL_SOCKET, SO_TIMESTAMP, sizeof *t);
        CHECK(t != NULL);
        if (t) {
            long long then = t->tv_sec * 1000000LL + t->tv_usec;
            CHECK(then >= before - 2000 && then <= after + 20000);
        }
    }
    COVERS(sendto, recvmsg, getsockopt, clock_gettime);
    CASE(time_in_nanoseconds_replaces_it) {
        CHECK_EQ(set(s, SOL_SOCKET, SO_TIMESTAMPNS, 1), 0);
        CHECK_EQ(get(s, SOL_SOCKET, SO_TIMESTAMP), 0);
        CHECK_EQ(get(s, SOL_SOCKET, SO_TIMESTAMPNS), 1);
        sendto(sender, "x", 1, 0, (void *)&a, length);
        CHECK_EQ(receive(s, sizeof control), 1);
        struct timespec *t = find(SOL_SOCKET, SO_TIMESTAMPNS, sizeof *t);
        CHECK(t && t->tv_nsec >= 0 && t->tv_nsec < 1000000000 && llabs(t->tv_sec - realtime_us() / 1000000) < 3);
        CHECK_EQ(set(s, SOL_SOCKET, SO_TIMESTAMPNS, 0), 0);
    }
    COVERS(sendto, recvmsg, getsockopt);
    CASE(destination) {
        CHECK_EQ(set(s, IPPROTO_IP, IP_PKTINFO, 1), 0);
        CHECK_EQ(get(s, IPPROTO_IP, IP_PKTINFO), 1);
        sendto(sender, "x", 1, 0, (void *)&a, length);
        CHECK_EQ(receive(s, sizeof control), 1);
        struct in_pktinfo *p = find(IPPROTO_IP, IP_PKTINFO, sizeof *p);
        CHECK(p && p->ipi_ifindex == 1 && p->ipi_addr.s_addr == htonl(INADDR_LOOPBACK) && p->ipi_spec_dst.s_addr == htonl(INADDR_LOOPBACK));
        set(s, IPPROTO_IP, IP_PKTINFO, 0);
    }
    COVERS(socket, bind, getsockname, sendto, recvmsg);
    CASE(destination_of_a_socket_on_any_address) {
        int any = socket(AF_INET, SOCK_DGRAM, 0);
        struct sockaddr_in here = {.sin_family = AF_INET};
        socklen_t n = sizeof here;
        bind(any, (void *)&here, sizeof here);
        getsockname(any, (void *)&here, &n);
        set(any, IPPROTO_IP, IP_PKTINFO, 1);
        here.sin_addr.s_addr = inet_addr("127.0.0.5");
        CHECK_EQ(sendto(sender, "x", 1, 0, (void *)&here, sizeof here), 1);
        CHECK_EQ(receive(any, sizeof control), 1);
        struct in_pktinfo *p = find(IPPROTO_IP, IP_PKTINFO, sizeof *p);
        CHECK(p && p->ipi_addr.s_addr == inet_addr("127.0.0.5"));
        close(any);
    }
    COVERS(sendto, recvmsg);
    CASE(time_to_live_and_type_of_service) {
        set(s, IPPROTO_IP, IP_RECVTTL, 1);
        set(s, IPPROTO_IP, IP_RECVTOS, 1);
        set(sender, IPPROTO_IP, IP_TTL, 17);
        set(sender, IPPROTO_IP, IP_TOS, 0x10);
        sendto(sender, "x", 1, 0, (void *)&a, length);
        CHECK_EQ(receive(s, sizeof control), 1);
        int *ttl = find(IPPROTO_IP, IP_TTL, sizeof *ttl);
        unsigned char *tos = find(IPPROTO_IP, IP_TOS, 1);
        CHECK(ttl && *ttl == 17);
        CHECK(tos && *tos == 0x10);
    }
    CASE(no_room_truncates) {
        sendto(sender, "x", 1, 0, (void *)&a, length);
        CHECK_EQ(receive(s, 8), 1);
        CHECK(got.msg_flags & MSG_CTRUNC);
        sendto(sender, "x", 1, 0, (void *)&a, length);
        CHECK_EQ(receive(s, CMSG_SPACE(sizeof(int))), 1);
        CHECK(find(IPPROTO_IP, IP_TTL, sizeof(int)) != NULL);
        CHECK(got.msg_flags & MSG_CTRUNC);
    }
    COVERS(socket, sendto, recvmsg, bind, getsockname);
    CASE(second_version) {
        int six = bound(AF_INET6, &a, &length), other = socket(AF_INET6, SOCK_DGRAM, 0);
        CHECK_EQ(set(six, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1), 0);
        CHECK_EQ(set(six, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1), 0);
        CHECK_EQ(set(other, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 9), 0);
        CHECK_EQ(sendto(other, "x", 1, 0, (void *)&a, length), 1);
        CHECK_EQ(receive(six, sizeof control), 1);
        struct in6_pktinfo *p = find(IPPROTO_IPV6, IPV6_PKTINFO, sizeof *p);
        int *hops = find(IPPROTO_IPV6, IPV6_HOPLIMIT, sizeof *hops);
        CHECK(p && p->ipi6_ifindex == 1 && IN6_IS_ADDR_LOOPBACK(&p->ipi6_addr));
        CHECK(hops && *hops == 9);
        close(six);
        close(other);
    }
    COVERS(socketpair, sendto, recvmsg, clock_gettime);
    CASE(time_on_unix_datagrams) {
        int u[2];
        socketpair(AF_UNIX, SOCK_DGRAM, 0, u);
        CHECK_EQ(set(u[1], SOL_SOCKET, SO_TIMESTAMP, 1), 0);
        send(u[0], "x", 1, 0);
        CHECK_EQ(receive(u[1], sizeof control), 1);
        struct timeval *t = find(SOL_SOCKET, SO_TIMESTAMP, sizeof *t);
        CHECK(t && llabs(t->tv_sec - realtime_us() / 1000000) < 3);
        close(u[0]);
        close(u[1]);
    }
    COVERS(socketpair, sendto, pidfd_send_signal, fcntl, recvmsg, getsockopt);
    CASE(pidfd_of_the_sender) {
        int u[2];
        socketpair(AF_UNIX, SOCK_STREAM, 0, u);
        CHECK_EQ(set(u[1], SOL_SOCKET, 76, 1), 0);
        CHECK_EQ(get(u[1], SOL_SOCKET, 76), 1);
        send(u[0], "x", 1, 0);
        CHECK_EQ(receive(u[1], sizeof control), 1);
        int *fd = find(SOL_SOCKET, 4, sizeof *fd);
        CHECK(fd && *fd >= 0);
        if (fd) {
            CHECK_EQ(syscall(SYS_pidfd_send_signal, *fd, 0, NULL, 0), 0);
            CHECK_EQ(fcntl(*fd, F_GETFD), FD_CLOEXEC);
            close(*fd);
        }
        CHECK(find(SOL_SOCKET, SCM_CREDENTIALS, sizeof(struct ucred)) == NULL);
        close(u[0]);
        close(u[1]);
    }
    return conformance_end();
}
