// epoll, poll, eventfd, signalfd and inotify used by several threads and processes at once.
#include "conformance.h"
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>

static int set_;
static volatile int woken, stop;
static int add(int epoll, int fd, uint32_t events) {
    struct epoll_event e = {events, {.fd = fd}};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e);
}
static void *wait_once(void *argument) {
    struct epoll_event e;
    if (epoll_wait(set_, &e, 1, (int)(long)argument) == 1) __sync_fetch_and_add(&woken, 1);
    return NULL;
}
static void run(pthread_t *threads, int count, void *(*body)(void *), void *argument) {
    for (int i = 0; i < count; i++) pthread_create(&threads[i], NULL, body, argument);
}
static void join(pthread_t *threads, int count) {
    for (int i = 0; i < count; i++) pthread_join(threads[i], NULL);
}

static int source[2];
static long taken;
/// Takes bytes as an event loop does: edge-triggered, until EAGAIN.
static void *drain(void *argument) {
    (void)argument;
    while (!stop) {
        struct epoll_event e;
        if (epoll_wait(set_, &e, 1, 100) != 1) continue;
        char c[64];
        long n;
        while ((n = read(e.data.fd, c, sizeof c)) > 0) __sync_fetch_and_add(&taken, n);
    }
    return NULL;
}
static void *take_one_shot(void *argument) {
    static volatile int busy;
    (void)argument;
    while (!stop) {
        struct epoll_event e;
        if (epoll_wait(set_, &e, 1, 50) != 1) continue;
        // With EPOLLONESHOT nobody else may be given the file until it is armed again.
        if (__sync_fetch_and_add(&busy, 1)) woken = 1;
        char c[16];
        long n;
        while ((n = read(e.data.fd, c, sizeof c)) > 0) __sync_fetch_and_add(&taken, n);
        __sync_fetch_and_sub(&busy, 1);
        struct epoll_event again = {EPOLLIN | EPOLLONESHOT, {.fd = e.data.fd}};
        epoll_ctl(set_, EPOLL_CTL_MOD, e.data.fd, &again);
    }
    return NULL;
}

static void epolls(void) {
    pthread_t threads[4];
    COVERS(epoll_wait, epoll_ctl);
    CASE(concurrent_level_triggered_wakes_all) {
        set_ = epoll_create1(0), woken = 0;
        int fd = eventfd(0, 0);
        add(set_, fd, EPOLLIN);
        run(threads, 3, wait_once, (void *)3000);
        usleep(50000);
        eventfd_write(fd, 1);
        join(threads, 3);
        CHECK_EQ(woken, 3);
        close(fd), close(set_);
    }
    CASE(concurrent_edge_triggered_wakes_one) {
        set_ = epoll_create1(0), woken = 0;
        int fd = eventfd(0, 0);
        add(set_, fd, EPOLLIN | EPOLLET);
        run(threads, 3, wait_once, (void *)400);
        usleep(50000);
        eventfd_write(fd, 1);
        join(threads, 3);
        CHECK_EQ(woken, 1);
        close(fd), close(set_);
    }
    CASE(concurrent_one_shot_is_given_to_one_at_a_time) {
        set_ = epoll_create1(0), woken = 0, taken = 0, stop = 0;
        pipe2(source, O_NONBLOCK);
        add(set_, source[0], EPOLLIN | EPOLLONESHOT);
        run(threads, 3, take_one_shot, NULL);
        for (int i = 0; i < 500; i++) write(source[1], "0123456789", 10);
        for (int i = 0; i < 200 && taken < 5000; i++) usleep(5000);
        stop = 1;
        join(threads, 3);
        CHECK_EQ(taken, 5000);
        CHECK_EQ(woken, 0);
        close(source[0]), close(source[1]), close(set_);
    }
    CASE(concurrent_edge_triggered_loop_loses_nothing) {
        set_ = epoll_create1(0), taken = 0, stop = 0;
        pipe2(source, O_NONBLOCK);
        add(set_, source[0], EPOLLIN | EPOLLET);
        run(threads, 1, drain, NULL);
        for (int i = 0; i < 3000; i++)
            while (write(source[1], "x", 1) != 1) usleep(100);
        for (int i = 0; i < 400 && taken < 3000; i++) usleep(5000);
        stop = 1;
        join(threads, 1);
        CHECK_EQ(taken, 3000);
        close(source[0]), close(source[1]), close(set_);
    }
    CASE(concurrent_addition_wakes_a_waiter) {
        set_ = epoll_create1(0), woken = 0;
        int fd = eventfd(1, 0);
        run(threads, 1, wait_once, (void *)3000);
        usleep(50000);
        add(set_, fd, EPOLLIN);
        join(threads, 1);
        CHECK_EQ(woken, 1);
        close(fd), close(set_);
    }
    CASE(concurrent_modification_wakes_a_waiter) {
        set_ = epoll_create1(0), woken = 0;
        int fd = eventfd(1, 0);
        add(set_, fd, 0);
        run(threads, 1, wait_once, (void *)3000);
        usleep(50000);
        struct epoll_event e = {EPOLLIN, {.fd = fd}};
        epoll_ctl(set_, EPOLL_CTL_MOD, fd, &e);
        join(threads, 1);
        CHECK_EQ(woken, 1);
        close(fd), close(set_);
    }
    CASE(concurrent_set_is_shared_across_fork) {
        set_ = epoll_create1(0);
        int fd = eventfd(0, 0);
        add(set_, fd, EPOLLIN);
        pid_t child = fork();
        if (child == 0) {
            struct epoll_event e;
            _exit(epoll_wait(set_, &e, 1, 3000) == 1 && e.data.fd == fd ? 0 : 1);
        }
        usleep(30000);
        eventfd_write(fd, 1);
        int status;
        waitpid(child, &status, 0);
        CHECK_EQ(status, 0);
        close(fd), close(set_);
    }
    CASE(concurrent_ping_pong_over_sockets) {
        int s[2];
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s);
        pid_t child = fork();
        if (child == 0) {
            int e = epoll_create1(0), rounds = 0;
            add(e, s[1], EPOLLIN);
            struct epoll_event got;
            char c;
            while (rounds < 500 && epoll_wait(e, &got, 1, 3000) == 1)
                if (read(s[1], &c, 1) == 1) rounds += write(s[1], &c, 1);
            _exit(rounds == 500 ? 0 : 1);
        }
        int e = epoll_create1(0), rounds = 0;
        add(e, s[0], EPOLLIN | EPOLLET);
        struct epoll_event got;
        char c = 'p';
        write(s[0], &c, 1);
        while (rounds < 500 && epoll_wait(e, &got, 1, 3000) == 1)
            while (read(s[0], &c, 1) == 1)
                if (++rounds < 500) write(s[0], &c, 1);
        int status;
        waitpid(child, &status, 0);
        CHECK_EQ(status, 0);
        CHECK_EQ(rounds, 500);
        close(e), close(s[0]), close(s[1]);
    }
    COVERS(close, epoll_wait);
    CASE(concurrent_close_of_a_watched_file) {
        set_ = epoll_create1(0), woken = 0;
        int fd = eventfd(0, 0);
        add(set_, fd, EPOLLIN);
        run(threads, 1, wait_once, (void *)150);
        usleep(30000);
        close(fd);
        join(threads, 1);
        CHECK_EQ(woken, 0);
        close(set_);
    }
}

static void *poll_many(void *argument) {
    struct pollfd w[64];
    int *fds = argument;
    for (int i = 0; i < 64; i++) w[i] = (struct pollfd){fds[i], POLLIN, 0};
    if (poll(w, 64, 3000) == 1 && w[63].revents == POLLIN) __sync_fetch_and_add(&woken, 1);
    return NULL;
}

static void others(void) {
    pthread_t threads[4];
    COVERS(poll);
    CASE(concurrent_polls_of_many_files) {
        int fds[64];
        woken = 0;
        for (int i = 0; i < 64; i++) fds[i] = eventfd(0, 0);
        run(threads, 3, poll_many, fds);
        usleep(50000);
        eventfd_write(fds[63], 1);
        join(threads, 3);
        CHECK_EQ(woken, 3);
        for (int i = 0; i < 64; i++) close(fds[i]);
    }
    COVERS(signalfd4, read);
    CASE(concurrent_signalfd_of_a_child_reads_its_own) {
        sigset_t mask;
        sigemptyset(&mask);
        sigaddset(&mask, SIGUSR1);
        sigprocmask(SIG_BLOCK, &mask, NULL);
        int fd = signalfd(-1, &mask, SFD_NONBLOCK);
        kill(getpid(), SIGUSR1);
        CHILD {
            struct signalfd_siginfo info;
            CHECK_ERRNO(read(fd, &info, sizeof info), EAGAIN);
            kill(getpid(), SIGUSR1);
            CHECK_EQ(read(fd, &info, sizeof info), sizeof info);
            CHECK_EQ(info.ssi_pid, getpid());
        }
        struct signalfd_siginfo info;
        CHECK_EQ(read(fd, &info, sizeof info), sizeof info);
        close(fd);
        sigprocmask(SIG_UNBLOCK, &mask, NULL);
    }
    COVERS(inotify_add_watch, read);
    CASE(concurrent_inotify_counts_every_creation) {
        int in = inotify_init1(IN_NONBLOCK);
        mkdir("busy", 0755);
        inotify_add_watch(in, "busy", IN_CREATE | IN_DELETE);
        for (int worker = 0; worker < 3; worker++)
            if (fork() == 0) {
                for (int i = 0; i < 100; i++) {
                    char name[40];
                    snprintf(name, 40, "busy/%d.%d", worker, i);
                    close(open(name, O_CREAT | O_RDWR, 0600));
                    unlink(name);
                }
                _exit(0);
            }
        while (wait(NULL) > 0) {
        }
        static char b[65536] __attribute__((aligned(8)));
        int created = 0, deleted = 0;
        long n;
        while ((n = read(in, b, sizeof b)) > 0)
            for (long at = 0; at < n;) {
                struct inotify_event *e = (struct inotify_event *)(b + at);
                created += e->mask == IN_CREATE;
                deleted += e->mask == IN_DELETE;
                at += sizeof *e + e->len;
            }
        CHECK_EQ(created, 300);
        CHECK_EQ(deleted, 300);
        close(in);
    }
    CASE(concurrent_inotify_watches_come_and_go) {
        int in = inotify_init1(IN_NONBLOCK);
        mkdir("coming", 0755);
        pid_t child = fork();
        if (child == 0) {
            for (int i = 0; i < 300; i++) {
                close(open("coming/x", O_CREAT | O_RDWR, 0600));
                unlink("coming/x");
            }
            _exit(0);
        }
        for (int i = 0; i < 300; i++) {
            int wd = inotify_add_watch(in, "coming", IN_ALL_EVENTS);
            if (wd < 0 || inotify_rm_watch(in, wd)) FAIL_("round %d: wd %d, errno %d", i, wd, errno);
        }
        waitpid(child, NULL, 0);
        close(in);
    }
}

int main(void) {
    conformance_enter();
    epolls();
    others();
    return conformance_end();
}
