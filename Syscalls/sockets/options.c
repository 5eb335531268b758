// getsockopt(2), setsockopt(2) at SOL_SOCKET, and the errors all socket calls share.
#include "conformance.h"
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

static int get(int s, int name) {
    int value = -77;
    socklen_t length = sizeof value;
    return getsockopt(s, SOL_SOCKET, name, &value, &length) ? -1 : value;
}
static int set(int s, int name, int value) { return setsockopt(s, SOL_SOCKET, name, &value, sizeof value); }

int main(void) {
    int s = socket(AF_UNIX, SOCK_STREAM, 0);
    COVERS(getsockopt, setsockopt, bind, connect, listen, sendto);
    CASE(no_socket) {
        int value, fd = open("/dev/null", O_RDWR);
        socklen_t length = sizeof value;
        CHECK_ERRNO(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &length), ENOTSOCK);
        CHECK_ERRNO(setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &value, sizeof value), ENOTSOCK);
        CHECK_ERRNO(getsockopt(9999, SOL_SOCKET, SO_TYPE, &value, &length), EBADF);
        CHECK_ERRNO(bind(fd, NULL, 0), ENOTSOCK);
        CHECK_ERRNO(connect(fd, NULL, 0), ENOTSOCK);
        CHECK_ERRNO(listen(fd, 0), ENOTSOCK);
        CHECK_ERRNO(send(fd, "", 0, 0), ENOTSOCK);
        CHECK_ERRNO(recv(fd, &value, 1, 0), ENOTSOCK);
        CHECK_ERRNO(shutdown(fd, 0), ENOTSOCK);
        CHECK_ERRNO(getsockname(fd, NULL, &length), ENOTSOCK);
        CHECK_ERRNO(getpeername(9999, NULL, &length), EBADF);
        CHECK_ERRNO(listen(-1, 0), EBADF);
        close(fd);
    }
    COVERS(socket, getsockopt);
    CASE(fixed_properties) {
        CHECK_EQ(get(s, SO_TYPE), SOCK_STREAM);
        CHECK_EQ(get(s, SO_DOMAIN), AF_UNIX);
        CHECK_EQ(get(s, SO_PROTOCOL), 0);
        CHECK_EQ(get(s, SO_ERROR), 0);
        CHECK_EQ(get(s, SO_ACCEPTCONN), 0);
        CHECK_ERRNO(set(s, SO_TYPE, 1), ENOPROTOOPT);
        CHECK_ERRNO(set(s, SO_DOMAIN, 1), ENOPROTOOPT);
        CHECK_ERRNO(set(s, SO_ERROR, 1), ENOPROTOOPT);
        CHECK_ERRNO(set(s, SO_ACCEPTCONN, 1), ENOPROTOOPT);
        int t = socket(AF_INET, SOCK_DGRAM, 0);
        CHECK_EQ(get(t, SO_PROTOCOL), 17);
        CHECK_EQ(get(t, SO_DOMAIN), AF_INET);
        close(t);
    }
    COVERS(socket, bind, listen, getsockopt);
    CASE(listening_is_seen) {
        int l = socket(AF_UNIX, SOCK_STREAM, 0);
        struct sockaddr_un a = {.sun_family = AF_UNIX};
        bind(l, (void *)&a, sizeof(sa_family_t));
        listen(l, 1);
        CHECK_EQ(get(l, SO_ACCEPTCONN), 1);
        close(l);
    }
    COVERS(getsockopt, setsockopt);
    CASE(unknown_options_and_levels) {
        int value = 0;
        socklen_t length = sizeof value;
        CHECK_ERRNO(getsockopt(s, SOL_SOCKET, 9999, &value, &length), ENOPROTOOPT);
        CHECK_ERRNO(setsockopt(s, SOL_SOCKET, 9999, &value, sizeof value), ENOPROTOOPT);
        CHECK_ERRNO(getsockopt(s, 555, 1, &value, &length), EOPNOTSUPP);
        CHECK_ERRNO(setsockopt(s, 555, 1, &value, sizeof value), EOPNOTSUPP);
        CHECK_ERRNO(getsockopt(s, 6, 1, &value, &length), EOPNOTSUPP);
    }
    CASE(lengths) {
        int value = 1;
        socklen_t length = -1;
        CHECK_ERRNO(getsockopt(s, SOL_SOCKET, SO_TYPE, &value, &length), EINVAL);
        CHECK_ERRNO(setsockopt(s, SOL_SOCKET, SO_KEEPALIVE, &value, 3), EINVAL);
        CHECK_ERRNO(setsockopt(s, SOL_SOCKET, SO_KEEPALIVE, &value, -1), EINVAL);
        length = 2;
        value = -1;
        CHECK_EQ(getsockopt(s, SOL_SOCKET, SO_TYPE, &value, &length), 0);
        CHECK_EQ(length, 2);
        CHECK_EQ(value & 0xffff, 1);
        length = 100;
        CHECK_EQ(getsockopt(s, SOL_SOCKET, SO_TYPE, &value, &length), 0);
        CHECK_EQ(length, 4);
        length = 0;
        CHECK_EQ(getsockopt(s, SOL_SOCKET, SO_TYPE, &value, &length), 0);
    }
    CASE(addresses) {
        int value = 1;
        socklen_t length = sizeof value;
        CHECK_ERRNO(getsockopt(s, SOL_SOCKET, SO_TYPE, BAD_POINTER, &length), EFAULT);
        CHECK_ERRNO(getsockopt(s, SOL_SOCKET, SO_TYPE, &value, BAD_POINTER), EFAULT);
        CHECK_ERRNO(setsockopt(s, SOL_SOCKET, SO_KEEPALIVE, BAD_POINTER, sizeof value), EFAULT);
        CHECK_ERRNO(getsockopt(s, SOL_SOCKET, SO_TYPE, conformance_readable_page(), &length), EFAULT);
        CHECK_ERRNO(setsockopt(s, SOL_SOCKET, SO_KEEPALIVE, conformance_straddling(&value, 4), 4), EFAULT);
    }
    COVERS(getsockopt);
    CASE(truth_values) {
        static const int names[] = {SO_KEEPALIVE, SO_BROADCAST, SO_REUSEADDR, SO_OOBINLINE, SO_PASSCRED, SO_TIMESTAMP, SO_DONTROUTE};
        for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
            CHECK_EQ(set(s, names[i], 7), 0);
            CHECK_EQ(get(s, names[i]), 1);
            CHECK_EQ(set(s, names[i], 0), 0);
            CHECK_EQ(get(s, names[i]), 0);
        }
    }
    COVERS(socket);
    CASE(credentials_need_a_unix_socket) {
        int t = socket(AF_INET, SOCK_STREAM, 0);
        CHECK_ERRNO(set(t, SO_PASSCRED, 1), EOPNOTSUPP);
        close(t);
    }
    COVERS(socket, getsockopt);
    CASE(port_reuse) {
        int t = socket(AF_INET, SOCK_STREAM, 0);
        CHECK_EQ(set(t, SO_REUSEPORT, 1), 0);
        CHECK_EQ(get(t, SO_REUSEPORT), 1);
        close(t);
        CHECK_ERRNO2(set(s, SO_REUSEPORT, 1), EOPNOTSUPP, ENOPROTOOPT);
    }
    COVERS(getsockopt);
    CASE(buffer_sizes_double) {
        CHECK_EQ(set(s, SO_SNDBUF, 20000), 0);
        CHECK_EQ(get(s, SO_SNDBUF), 40000);
        CHECK_EQ(set(s, SO_RCVBUF, 30000), 0);
        CHECK_EQ(get(s, SO_RCVBUF), 60000);
        CHECK_EQ(set(s, SO_SNDBUF, 1), 0);
        CHECK_EQ(get(s, SO_SNDBUF), 4608);
        CHECK_EQ(set(s, SO_RCVBUF, 1), 0);
        CHECK_EQ(get(s, SO_RCVBUF), 2304);
        CHECK_EQ(set(s, SO_SNDBUF, 1 << 30), 0);
        CHECK(get(s, SO_SNDBUF) < 1 << 30);
    }
    CASE(forced_buffers_need_privilege) AS_USER({
        CHECK_ERRNO(set(s, SO_SNDBUFFORCE, 1 << 20), EPERM);
        CHECK_ERRNO(set(s, SO_RCVBUFFORCE, 1 << 20), EPERM);
    });
    COVERS(socket, getsockopt);
    CASE(low_water_marks) {
        CHECK_EQ(get(s, SO_RCVLOWAT), 1);
        CHECK_EQ(get(s, SO_SNDLOWAT), 1);
        CHECK_ERRNO(set(s, SO_SNDLOWAT, 3), ENOPROTOOPT);
        int t = socket(AF_INET, SOCK_STREAM, 0);
        CHECK_EQ(set(t, SO_RCVLOWAT, 9), 0);
        CHECK_EQ(get(t, SO_RCVLOWAT), 9);
        close(t);
    }
    COVERS(setsockopt, getsockopt);
    CASE(lingering) {
        struct linger l = {5, 30}, seen;
        socklen_t length = sizeof seen;
        CHECK_EQ(setsockopt(s, SOL_SOCKET, SO_LINGER, &l, sizeof l), 0);
        CHECK_EQ(getsockopt(s, SOL_SOCKET, SO_LINGER, &seen, &length), 0);
        CHECK(seen.l_onoff == 1 && seen.l_linger == 30);
        CHECK_ERRNO(setsockopt(s, SOL_SOCKET, SO_LINGER, &l, 4), EINVAL);
    }
    CASE(time_limits) {
        struct timeval t = {3, 500000}, seen;
        socklen_t length = sizeof seen;
        CHECK_EQ(setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t), 0);
        CHECK_EQ(getsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &seen, &length), 0);
        CHECK(seen.tv_sec == 3 && seen.tv_usec == 500000);
        t.tv_usec = 1000000;
        CHECK_ERRNO(setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t), EDOM);
        CHECK_ERRNO(setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &t, 4), EINVAL);
        t = (struct timeval){-1, 0};
        CHECK_EQ(setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t), 0);
    }
    COVERS(getsockopt);
    CASE(priority_and_mark) {
        CHECK_EQ(set(s, SO_PRIORITY, 6), 0);
        CHECK_EQ(get(s, SO_PRIORITY), 6);
        AS_USER({
            CHECK_ERRNO(set(s, SO_PRIORITY, 7), EPERM);
            CHECK_ERRNO(set(s, SO_MARK, 7), EPERM);
            CHECK_ERRNO(set(s, SO_DEBUG, 1), EACCES);
        });
    }
    COVERS(setsockopt);
    CASE(filters) {
        CHECK_ERRNO(setsockopt(s, SOL_SOCKET, SO_ATTACH_FILTER, "x", 1), EINVAL);
        CHECK_ERRNO(set(s, SO_DETACH_FILTER, 0), ENOENT);
    }
    return conformance_end();
}
