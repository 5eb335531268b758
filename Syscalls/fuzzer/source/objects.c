// Makes one more of the many things that a descriptor can stand for.
#include "fuzzer.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

static void make_file(void) {
    int fd = openat(AT_FDCWD, one_in(2) ? "a" : "b", O_RDWR | O_CREAT | (one_in(4) ? O_APPEND : 0), 0666);
    if (fd >= 0 && one_in(2)) call(SYS_write, fd, place_for(4096), random_below(20000), 0, 0, 0);
}

static void make_tree(void) {
    mkdir("d", 0777);
    symlink("d", "l");
    symlink("loop", "loop");
    mkfifo("fifo", 0666);
    close(open("d/a", O_CREAT | O_RDWR, 0666));
    open(one_in(2) ? "d" : "/", O_RDONLY | O_DIRECTORY);
    open("fifo", O_RDWR | O_NONBLOCK);
}

static void make_memory_file(void) {
    int fd = memfd_create("memory", one_in(2) ? MFD_ALLOW_SEALING : 0);
    ftruncate(fd, random_below(20) * 4096);
    if (one_in(4)) fcntl(fd, F_ADD_SEALS, (int)random_below(32));
}

static void make_terminal(void) {
    int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | (one_in(2) ? O_NONBLOCK : 0));
    if (master < 0) return;
    unlockpt(master);
    char *name = ptsname(master);
    if (name) open(name, O_RDWR | O_NOCTTY);
}

static void make_listener(void) {
    int listener = socket(AF_UNIX, one_in(2) ? SOCK_STREAM : SOCK_SEQPACKET, 0);
    struct sockaddr_un address = {AF_UNIX, "sock"};
    if (one_in(2)) unlink("sock");
    bind(listener, (void *)&address, sizeof address);
    listen(listener, 2);
    int client = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    connect(client, (void *)&address, sizeof address);
}

static void make_sets(void) {
    int inner = epoll_create1(0), outer = epoll_create1(0);
    struct epoll_event event = {EPOLLIN | EPOLLET, {0}};
    epoll_ctl(outer, EPOLL_CTL_ADD, inner, &event);
    for (int count = 0; count < 4; count++) epoll_ctl(inner, EPOLL_CTL_ADD, random_descriptor(), &event);
    if (one_in(4)) epoll_ctl(inner, EPOLL_CTL_ADD, outer, &event); // a loop
}

/// Over the loopback device: not all of these get as far as a connection.
static void make_connection(void) {
    struct sockaddr_in address = {AF_INET, htons((uint16_t)(7000 + random_below(4))), {htonl(INADDR_LOOPBACK)}, {0}};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0),
        yes = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    bind(listener, (void *)&address, sizeof address);
    listen(listener, 2);
    connect(client, (void *)&address, sizeof address);
    accept(listener, NULL, NULL);
    if (one_in(2)) close(listener);
}

void random_object(void) {
    static const char *const namespaces[] = {"/proc/self/ns/mnt", "/proc/self/ns/user", "/proc/self/ns/pid",
        "/proc/self/ns/pid_for_children",
                                             "/proc/self/ns/uts", "/proc/self/ns/ipc", "/proc/self/ns/net",
                                                 "/proc/self/ns/cgroup"};
    static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM | SOCK_NONBLOCK};
    int pair[2];
    sigset_t set;
    switch (random_below(26)) {
    case 0: case 1: make_file(); break;
    case 2: make_tree(); break;
    case 3: make_memory_file(); break;
    case 4: make_terminal(); break;
    case 5: make_listener(); break;
    case 6: make_sets(); break;
    case 7: pipe2(pair, one_in(2) ? O_NONBLOCK : 0); break;
    case 8: case 9: socketpair(AF_UNIX, types[random_below(4)], 0, pair); break;
    case 10: eventfd((unsigned)random_below(4), (int)random_below(2) * EFD_NONBLOCK | (int)random_below(2)); break;
    case 11: {
        int timer = timerfd_create(one_in(2) ? CLOCK_REALTIME : CLOCK_MONOTONIC, one_in(2) ? TFD_NONBLOCK : 0);
        timerfd_settime(timer, 0, structure(TIME), NULL);
        break;
    }
    case 12: sigemptyset(&set), sigaddset(&set, SIGUSR2), signalfd(-1, &set, SFD_NONBLOCK); break;
    case 13: {
        int watch = inotify_init1(IN_NONBLOCK);
        inotify_add_watch(watch, ".", IN_ALL_EVENTS), inotify_add_watch(watch, "a", IN_ALL_EVENTS);
        break;
    }
    case 14: socket(one_in(2) ? AF_INET : AF_INET6, one_in(2) ? SOCK_STREAM : SOCK_DGRAM, 0); break;
    case 15: syscall(SYS_pidfd_open, getpid(), 0); break;
    case 16: open(one_in(2) ? "/dev/zero" : "/dev/null", O_RDWR); break;
    case 17: syscall(447, 0); break; // memfd_secret
    case 18: syscall(SYS_landlock_create_ruleset, structure(RULESET), 24, 0); break;
    case 19: syscall(SYS_fsopen, structure(DESCRIPTION), 0); break;
    case 20: syscall(SYS_open_tree, AT_FDCWD, one_in(2) ? "d" : ".", one_in(2)); break;
    case 21: socket(AF_NETLINK, one_in(2) ? SOCK_RAW : SOCK_DGRAM | SOCK_NONBLOCK, one_in(2) ? 0 : 4); break;
    case 22: syscall(SYS_mq_open, one_in(2) ? "a" : "b", O_RDWR | O_CREAT | (one_in(2) ? O_NONBLOCK : 0), 0600,
        structure(QUEUE)); break;
    case 23: open(namespaces[random_below(8)], O_RDONLY); break;
    case 24: make_connection(); break;
    default: open(random_path(), one_in(4) ? O_PATH : O_RDONLY | O_NONBLOCK); break;
    }
}
