// What pointers point to: structures of the right shape with interesting contents.
#include "fuzzer.h"
#include <arpa/inet.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

void *words(size_t size) {
    char *bytes = place_for(size);
    bool wide = one_in(2);
    for (size_t at = 0; at + 8 <= size; at += wide ? 8 : 4) {
        uint64_t word = one_in(3) ? 0 : one_in(2) ? random_below(64) : one_in(4)
            ? (uint64_t)place_for(64) : interesting_integer();
        memcpy(bytes + at, &word, wide ? 8 : 4);
    }
    return bytes;
}

static struct timespec moment(void) {
    if (one_in(8)) return (struct timespec){(time_t)interesting_integer(), (long)interesting_integer()};
    return (struct timespec){one_in(6) ? (time_t)random_below(3) : 0, (long)random_below(20000000)};
}

/// Up to four times: enough for an itimerspec or the times of a file.
static void *times(void) {
    struct timespec *times = place_for(4 * sizeof *times);
    for (int index = 0; index < 4; index++) times[index] = moment();
    if (one_in(8)) times[random_below(2)].tv_nsec = one_in(2) ? 0x3fffffff : 0x3ffffffe; // UTIME_NOW, UTIME_OMIT
    return times;
}

static struct iovec *vector(unsigned count) {
    struct iovec *vector = place_for(count * sizeof *vector);
    for (unsigned index = 0; index < count; index++) {
        size_t length = one_in(12) ? interesting_integer() : random_below(one_in(4) ? 70000 : 512);
        vector[index] = (struct iovec){one_in(16) ? (void *)interesting_integer() : place_for(length), length};
    }
    return vector;
}

static void *address(void) {
    struct sockaddr_storage *address = place_for(sizeof *address);
    static const int families[] = {AF_UNIX, AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_UNSPEC};
    memset(address, 0, sizeof *address);
    address->ss_family = families[random_below(7)];
    if (address->ss_family == AF_UNIX) {
        struct sockaddr_un *local = (void *)address;
        strcpy(local->sun_path + one_in(2), one_in(2) ? "sock" : "other");
        if (one_in(16)) memset(local->sun_path, 's', sizeof local->sun_path);
    } else if (address->ss_family == AF_INET) {
        struct sockaddr_in *internet = (void *)address;
        internet->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        internet->sin_port = htons(one_in(4) ? 0 : 7000 + random_below(4));
    } else if (address->ss_family == AF_INET6) {
        struct sockaddr_in6 *internet = (void *)address;
        internet->sin6_addr = in6addr_loopback;
        internet->sin6_port = htons(one_in(4) ? 0 : 7000 + random_below(4));
    }
    if (one_in(32)) address->ss_family = (sa_family_t)interesting_integer();
    return address;
}

static size_t control(char *bytes) {
    struct cmsghdr *header = (void *)bytes;
    unsigned count = one_in(16) ? 254 : 1 + random_below(4);
    *header = (struct cmsghdr){CMSG_LEN(count * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
    for (unsigned index = 0; index < count; index++)
        ((int *)CMSG_DATA(header))[index] = one_in(16) ? random_descriptor() : 3 + (int)random_below(24);
    size_t length = CMSG_SPACE(count * sizeof(int));
    if (one_in(6)) {
        *header = (struct cmsghdr){CMSG_LEN(sizeof(struct ucred)), SOL_SOCKET, SCM_CREDENTIALS};
        *(struct ucred *)CMSG_DATA(header) = (struct ucred){getpid(), getuid(), one_in(4) ? 7 : getgid()};
        length = CMSG_SPACE(sizeof(struct ucred));
    }
    if (one_in(12)) header->cmsg_len = interesting_integer();
    if (one_in(12)) header->cmsg_type = (int)random_below(8);
    return length;
}

static void message(struct msghdr *message) {
    memset(message, 0, sizeof *message);
    message->msg_iovlen = random_below(4);
    message->msg_iov = vector((unsigned)message->msg_iovlen);
    if (one_in(3)) message->msg_name = address(), message->msg_namelen = one_in(4)
        ? random_below(200) : sizeof(struct sockaddr_un);
    if (one_in(2)) message->msg_control = place_for(2048), message->msg_controllen = control(message->msg_control);
    if (one_in(16)) message->msg_iovlen = interesting_integer();
    if (one_in(16)) message->msg_controllen = interesting_integer();
    if (one_in(16)) message->msg_namelen = (socklen_t)interesting_integer();
}

static void *messages(void) {
    struct mmsghdr *messages = place_for(8 * sizeof *messages);
    for (int index = 0; index < 8; index++) message(&messages[index].msg_hdr);
    return messages;
}

static void *polls(void) {
    struct pollfd *polls = place_for(64 * sizeof *polls);
    for (int index = 0; index < 64; index++) polls[index] = (struct pollfd){random_descriptor(), (short)random_next(), 0};
    return polls;
}

static void *strings(void) {
    char **strings = place_for(5 * sizeof *strings);
    strings[0] = strcpy(place_for(16), "child");
    for (int index = 1; index < 4; index++) strings[index] = one_in(3) ? NULL : (char *)random_path();
    strings[4] = NULL;
    return strings;
}

/// struct kernel_sigaction; a handler that is none only for signals that do not matter is up to the caller.
static void *action(void) {
    uint64_t *action = words(32);
    action[0] = random_below(2);
    return action;
}

/// struct clone_args that makes a child with memory of its own, whatever else.
static void *clone_arguments(void) {
    uint64_t *arguments = words(88);
    arguments[0] = random_next() & random_next() & ~(uint64_t)(CLONE_VM | CLONE_VFORK | CLONE_THREAD | CLONE_SETTLS);
    if (one_in(2)) arguments[0] &= ~0x7e020000ull; // no namespaces
    if (one_in(2)) arguments[0] &= 0x700000000 | CLONE_PIDFD | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
    arguments[1] = (uint64_t)place_for(4), arguments[2] = (uint64_t)place_for(4), arguments[3] = (uint64_t)place_for(4);
    arguments[4] = random_below(65);
    arguments[5] = arguments[6] = 0;
    if (!one_in(4)) arguments[8] = arguments[9] = 0;
    return arguments;
}

void *structure(enum type type) {
    switch (type) {
    case TIME: return times();
    case VECTOR: return vector(8);
    case MESSAGE: {
        struct msghdr *header = place_for(sizeof *header);
        message(header);
        return header;
    }
    case MESSAGES: return messages();
    case SOCKADDR: return address();
    case SOCKLEN: case INT_POINTER: {
        uint32_t *word = place_for(4);
        *word = one_in(4) ? interesting_integer() : random_below(160);
        return word;
    }
    case OFFSET_POINTER: {
        uint64_t *word = place_for(8);
        *word = one_in(4) ? interesting_integer() : random_below(65536);
        return word;
    }
    case SET: {
        uint64_t *set = place_for(128);
        *set = random_next() & random_next();
        return set;
    }
    case POLLS: return polls();
    case EVENT: {
        struct epoll_event *event = place_for(sizeof *event);
        *event = (struct epoll_event){(uint32_t)random_next(), {.u64 = random_next()}};
        if (!one_in(4)) event->events &= 0xe000001f;
        return event;
    }
    case WORD: { // few places, so that threads meet
        uint32_t *word = (uint32_t *)((uint64_t)place_for(8) & ~0xfffull) + random_below(4);
        if (one_in(2)) *word = one_in(3) ? interesting_integer() : (uint32_t)random_below(3);
        return word;
    }
    case STRINGS: return strings();
    case STRING: return (void *)random_path();
    case ACTION: return action();
    case CLONE: return clone_arguments();
    case IN: case OUT: return words(one_in(4) ? 1024 : 128);
    default: return kernel_structure(type);
    }
}
