// sock_diag(7): what ss(8) asks.
#include "conformance.h"
#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

static char reply[65536];

/// Asks for a dump and calls `see` for each row; the number of rows, or a negative error.
static int dump(const void *body, size_t size, void (*see)(const struct nlmsghdr *)) {
    int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
    if (fd < 0) return -errno;
    struct {
        struct nlmsghdr head;
        char body[128];
    } message = {.head = {sizeof message.head + size, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, 77, 0}};
    memcpy(message.body, body, size);
    send(fd, &message, message.head.nlmsg_len, 0);
    int rows = 0;
    for (;;) {
        ssize_t n = recv(fd, reply, sizeof reply, 0);
        if (n <= 0) break;
        for (struct nlmsghdr *head = (struct nlmsghdr *)reply; NLMSG_OK(head, n); head = NLMSG_NEXT(head, n)) {
            CHECK_EQ(head->nlmsg_seq, 77);
            if (head->nlmsg_type == NLMSG_ERROR) rows = ((struct nlmsgerr *)NLMSG_DATA(head))->error;
            if (head->nlmsg_type == NLMSG_ERROR || head->nlmsg_type == NLMSG_DONE) {
                close(fd);
                return rows;
            }
            CHECK_EQ(head->nlmsg_type, SOCK_DIAG_BY_FAMILY);
            CHECK(head->nlmsg_flags & NLM_F_MULTI);
            rows++;
            see(head);
        }
    }
    close(fd);
    return rows;
}

static ino_t inode_of(int fd) {
    struct stat status;
    fstat(fd, &status);
    return status.st_ino;
}

static ino_t wanted, peer;
static int found;
static struct inet_diag_msg internet;
static void see_internet(const struct nlmsghdr *head) {
    const struct inet_diag_msg *row = NLMSG_DATA(head);
    if (row->idiag_inode != wanted) return;
    internet = *row;
    found++;
}
static char name[128];
static int name_length, peer_found, type, state;
static void see_unix(const struct nlmsghdr *head) {
    const struct unix_diag_msg *row = NLMSG_DATA(head);
    if (row->udiag_ino != wanted) return;
    found++;
    type = row->udiag_type;
    state = row->udiag_state;
    int left = head->nlmsg_len - NLMSG_LENGTH(sizeof *row);
    for (struct nlattr *a = (struct nlattr *)(row + 1); left >= (int)sizeof *a;) {
        if (a->nla_type == UNIX_DIAG_NAME) {
            name_length = a->nla_len - sizeof *a;
            memcpy(name, a + 1, name_length);
        }
        if (a->nla_type == UNIX_DIAG_PEER) peer_found = *(uint32_t *)(a + 1) == peer;
        int step = NLA_ALIGN(a->nla_len);
        left -= step;
        a = (struct nlattr *)((char *)a + step);
    }
}

int main(void) {
    conformance_enter();
    COVERS(socket, sendto, recvfrom);
    CASE(diagnosis_of_tcp) {
        int s = socket(AF_INET, SOCK_STREAM, 0);
        struct sockaddr_in address = {AF_INET, 0, {htonl(INADDR_LOOPBACK)}, {0}};
        socklen_t length = sizeof address;
        bind(s, (struct sockaddr *)&address, sizeof address);
        listen(s, 7);
        getsockname(s, (struct sockaddr *)&address, &length);
        struct inet_diag_req_v2 request = {.sdiag_family = AF_INET, .sdiag_protocol = IPPROTO_TCP, .idiag_states = 1 << 10};
        wanted = inode_of(s), found = 0;
        CHECK(dump(&request, sizeof request, see_internet) >= 1);
        CHECK_EQ(found, 1);
        CHECK_EQ(internet.idiag_family, AF_INET);
        CHECK_EQ(internet.idiag_state, 10);
        CHECK_EQ(internet.id.idiag_sport, address.sin_port);
        CHECK_EQ(internet.id.idiag_src[0], htonl(INADDR_LOOPBACK));
        CHECK_EQ(internet.id.idiag_dport, 0);
        CHECK_EQ(internet.idiag_wqueue, 7);
        CHECK_EQ(internet.idiag_uid, geteuid());
        request.idiag_states = 1 << 1;
        found = 0;
        CHECK(dump(&request, sizeof request, see_internet) >= 0);
        CHECK_EQ(found, 0);
        int c = socket(AF_INET, SOCK_STREAM, 0);
        CHECK_EQ(connect(c, (struct sockaddr *)&address, sizeof address), 0);
        wanted = inode_of(c);
        dump(&request, sizeof request, see_internet);
        CHECK_EQ(found, 1);
        CHECK_EQ(internet.id.idiag_dport, address.sin_port);
        close(c), close(s);
    }
    CASE(diagnosis_of_udp) {
        int s = socket(AF_INET6, SOCK_DGRAM, 0);
        struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
        CHECK_EQ(bind(s, (struct sockaddr *)&address, sizeof address), 0);
        struct inet_diag_req_v2 request = {.sdiag_family = AF_INET6, .sdiag_protocol = IPPROTO_UDP, .idiag_states = -1};
        wanted = inode_of(s), found = 0;
        dump(&request, sizeof request, see_internet);
        CHECK_EQ(found, 1);
        CHECK_EQ(internet.idiag_state, 7);
        CHECK(!memcmp(internet.id.idiag_src, &address.sin6_addr, 16));
        close(s);
    }
    CASE(diagnosis_of_unix_sockets) {
        int pair[2], s = socket(AF_UNIX, SOCK_STREAM, 0);
        socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair);
        struct sockaddr_un address = {AF_UNIX, "bound"};
        bind(s, (struct sockaddr *)&address, offsetof(struct sockaddr_un, sun_path) + 6);
        listen(s, 3);
        struct unix_diag_req request = {.sdiag_family = AF_UNIX, .udiag_states = -1, .udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER};
        wanted = inode_of(s), found = 0;
        dump(&request, sizeof request, see_unix);
        CHECK_EQ(found, 1);
        CHECK_EQ(type, SOCK_STREAM);
        CHECK_EQ(state, 10);
        CHECK(!strncmp(name, "bound", 5));
        wanted = inode_of(pair[0]), peer = inode_of(pair[1]), found = peer_found = 0;
        dump(&request, sizeof request, see_unix);
        CHECK_EQ(found, 1);
        CHECK_EQ(type, SOCK_SEQPACKET);
        CHECK_EQ(state, 1);
        CHECK(peer_found);
        close(s), close(pair[0]), close(pair[1]);
    }
    CASE(diagnosis_of_no_family) {
        struct inet_diag_req_v2 request = {.sdiag_family = 200, .idiag_states = -1};
        CHECK(dump(&request, sizeof request, see_internet) < 0);
        request.sdiag_family = 1;
        CHECK(dump(&request, 4, see_unix) < 0);
    }
    return conformance_end();
}
