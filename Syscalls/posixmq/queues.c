// POSIX message queues: mq_open(2), mq_timedsend(2), mq_timedreceive(2), mq_notify(2), mq_getsetattr(2), mq_unlink(2).
#include "conformance.h"
#include <sys/socket.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>

static long q_open(const char *name, int flags, unsigned mode, struct mq_attr *a) { return syscall(SYS_mq_open, name, flags, mode, a); }
static long q_unlink(const char *name) { return syscall(SYS_mq_unlink, name); }
static long q_send(long q, const char *text, size_t n, unsigned priority, const struct timespec *t) {
    return syscall(SYS_mq_timedsend, q, text, n, priority, t);
}
static long q_receive(long q, char *text, size_t n, unsigned *priority, const struct timespec *t) {
    return syscall(SYS_mq_timedreceive, q, text, n, priority, t);
}
static long q_attributes(long q, const struct mq_attr *new, struct mq_attr *old) { return syscall(SYS_mq_getsetattr, q, new, old); }
static char name[32];
static long make(long most, long size, int flags) {
    struct mq_attr a = {.mq_maxmsg = most, .mq_msgsize = size};
    q_unlink(name);
    return q_open(name, O_CREAT | O_RDWR | flags, 0600, &a);
}
static struct timespec in_ms(long ms) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_nsec += ms * 1000000;
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}
static volatile int noted, note_code, note_value, note_pid;
static void note(int n, siginfo_t *info, void *context) {
    (void)n;
    (void)context;
    noted++;
    note_code = info->si_code;
    note_value = info->si_value.sival_int;
    note_pid = info->si_pid;
}
static void interrupted(int n) { (void)n; }

int main(void) {
    snprintf(name, sizeof name, "conformance-%d", getpid());
    char text[64];
    COVERS(mq_open, mq_unlink);
    CASE(names) {
        CHECK_ERRNO(q_open(name, O_RDWR, 0, NULL), ENOENT);
        CHECK_ERRNO(q_open("", O_RDWR, 0, NULL), ENOENT);
        CHECK_ERRNO(q_open("a/b", O_RDWR | O_CREAT, 0600, NULL), EACCES);
        CHECK_ERRNO(q_open("..", O_RDWR | O_CREAT, 0600, NULL), EACCES);
        char longer[300];
        memset(longer, 'x', 299);
        longer[299] = 0;
        CHECK_ERRNO(q_open(longer, O_RDWR | O_CREAT, 0600, NULL), ENAMETOOLONG);
        CHECK_ERRNO(q_open(BAD_POINTER, O_RDWR, 0, NULL), EFAULT);
        CHECK_ERRNO(q_unlink(name), ENOENT);
        CHECK_ERRNO(q_unlink(BAD_POINTER), EFAULT);
    }
    COVERS(fcntl);
    CASE(creation) {
        long q = q_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, NULL);
        CHECK(q >= 0);
        CHECK_EQ(fcntl(q, F_GETFD), FD_CLOEXEC);
        CHECK_ERRNO(q_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, NULL), EEXIST);
        struct mq_attr a;
        CHECK_EQ(q_attributes(q, NULL, &a), 0);
        CHECK(a.mq_maxmsg == 10 && a.mq_msgsize == 8192 && a.mq_curmsgs == 0 && a.mq_flags == 0);
        close(q);
        CHECK_EQ(q_unlink(name), 0);
    }
    CASE(creation_attributes) {
        struct mq_attr a = {.mq_maxmsg = 0, .mq_msgsize = 10};
        CHECK_ERRNO(q_open(name, O_CREAT | O_RDWR, 0600, &a), EINVAL);
        a = (struct mq_attr){.mq_maxmsg = 5, .mq_msgsize = 0};
        CHECK_ERRNO(q_open(name, O_CREAT | O_RDWR, 0600, &a), EINVAL);
        a = (struct mq_attr){.mq_maxmsg = -1, .mq_msgsize = 10};
        CHECK_ERRNO(q_open(name, O_CREAT | O_RDWR, 0600, &a), EINVAL);
        a = (struct mq_attr){.mq_maxmsg = 100000000, .mq_msgsize = 10};
        CHECK_ERRNO(q_open(name, O_CREAT | O_RDWR, 0600, &a), EINVAL);
        CHECK_ERRNO(q_open(name, O_CREAT | O_RDWR, 0600, BAD_POINTER), EFAULT);
    }
    COVERS(prlimit64);
    CASE(limits_for_ordinary_users) AS_USER({
        struct mq_attr a = {.mq_maxmsg = 11, .mq_msgsize = 10};
        CHECK_ERRNO(q_open(name, O_CREAT | O_RDWR, 0600, &a), EINVAL);
        a = (struct mq_attr){.mq_maxmsg = 5, .mq_msgsize = 8193};
        CHECK_ERRNO(q_open(name, O_CREAT | O_RDWR, 0600, &a), EINVAL);
        struct rlimit little = {1000, 1000};
        setrlimit(RLIMIT_MSGQUEUE, &little);
        a = (struct mq_attr){.mq_maxmsg = 10, .mq_msgsize = 8192};
        CHECK_ERRNO(q_open(name, O_CREAT | O_RDWR, 0600, &a), EMFILE);
    });
    COVERS(getpid);
    CASE(permissions) AS_USER({
        snprintf(name, sizeof name, "conformance-u%d", getpid());
        long q = q_open(name, O_CREAT | O_RDWR, 0200, NULL);
        CHECK(q >= 0);
        CHECK_ERRNO(q_open(name, O_RDONLY, 0, NULL), EACCES);
        CHECK(q_open(name, O_WRONLY, 0, NULL) >= 0);
        CHECK_ERRNO(q_open(name, O_RDWR, 0, NULL), EACCES);
        CHECK_EQ(q_unlink(name), 0);
    });
    COVERS(mq_timedsend, mq_timedreceive);
    CASE(order_of_priority_then_age) {
        long q = make(5, 16, 0);
        q_send(q, "low", 3, 1, NULL);
        q_send(q, "high", 4, 9, NULL);
        q_send(q, "high2", 5, 9, NULL);
        q_send(q, "zero", 4, 0, NULL);
        unsigned priority = 0;
        CHECK_EQ(q_receive(q, text, 16, &priority, NULL), 4);
        CHECK(priority == 9 && !memcmp(text, "high", 4));
        CHECK_EQ(q_receive(q, text, 16, &priority, NULL), 5);
        CHECK_EQ(q_receive(q, text, 16, &priority, NULL), 3);
        CHECK_EQ(priority, 1);
        CHECK_EQ(q_receive(q, text, 16, NULL, NULL), 4);
        close(q);
    }
    CASE(transfer_errors) {
        long q = make(2, 16, O_NONBLOCK);
        CHECK_ERRNO(q_send(q, text, 17, 0, NULL), EMSGSIZE);
        CHECK_ERRNO(q_send(q, text, 1, 32768, NULL), EINVAL);
        CHECK_EQ(q_send(q, text, 0, 32767, NULL), 0);
        CHECK_ERRNO(q_receive(q, text, 15, NULL, NULL), EMSGSIZE);
        CHECK_EQ(q_receive(q, text, 16, NULL, NULL), 0);
        CHECK_ERRNO(q_receive(q, text, 16, NULL, NULL), EAGAIN);
        CHECK_ERRNO(q_send(q, BAD_POINTER, 5, 0, NULL), EFAULT);
        q_send(q, "a", 1, 0, NULL);
        q_send(q, "b", 1, 0, NULL);
        CHECK_ERRNO(q_send(q, "c", 1, 0, NULL), EAGAIN);
        CHECK_ERRNO(q_send(9999, "c", 1, 0, NULL), EBADF);
        CHECK_ERRNO(q_receive(9999, text, 16, NULL, NULL), EBADF);
        int fd = open("/dev/null", O_RDWR);
        CHECK_ERRNO(q_send(fd, "c", 1, 0, NULL), EBADF);
        CHECK_ERRNO(q_receive(fd, text, 16, NULL, NULL), EBADF);
        close(fd);
        close(q);
    }
    CASE(directions) {
        long q = make(2, 16, 0), r = q_open(name, O_RDONLY, 0, NULL), w = q_open(name, O_WRONLY, 0, NULL);
        CHECK_ERRNO(q_send(r, "x", 1, 0, NULL), EBADF);
        CHECK_ERRNO(q_receive(w, text, 16, NULL, NULL), EBADF);
        CHECK_EQ(q_send(w, "x", 1, 0, NULL), 0);
        CHECK_EQ(q_receive(r, text, 16, NULL, NULL), 1);
        close(q);
        close(r);
        close(w);
    }
    COVERS(mq_timedsend, mq_timedreceive, clock_gettime);
    CASE(time_limits) {
        long q = make(1, 16, 0);
        struct timespec bad = {0, 1000000000}, past = {1, 0}, soon = in_ms(40);
        CHECK_ERRNO(q_receive(q, text, 16, NULL, &bad), EINVAL);
        CHECK_ERRNO(q_receive(q, text, 16, NULL, &past), ETIMEDOUT);
        CHECK_ERRNO(q_receive(q, text, 16, NULL, BAD_POINTER), EFAULT);
        long long before = conformance_now_ms();
        CHECK_ERRNO(q_receive(q, text, 16, NULL, &soon), ETIMEDOUT);
        CHECK(conformance_now_ms() - before >= 35);
        q_send(q, "x", 1, 0, NULL);
        soon = in_ms(30);
        CHECK_ERRNO(q_send(q, "y", 1, 0, &soon), ETIMEDOUT);
        close(q);
    }
    COVERS(mq_timedsend, mq_timedreceive);
    CASE(waiting_receiver_and_sender) {
        long q = make(1, 16, 0);
        pid_t child = fork();
        if (child == 0) {
            conformance_nap(30);
            q_send(q, "one", 3, 2, NULL);
            q_send(q, "two", 3, 1, NULL);
            q_send(q, "three", 5, 0, NULL);
            _exit(0);
        }
        CHECK_EQ(q_receive(q, text, 16, NULL, NULL), 3);
        conformance_nap(30);
        CHECK_EQ(q_receive(q, text, 16, NULL, NULL), 3);
        CHECK_EQ(q_receive(q, text, 16, NULL, NULL), 5);
        waitpid(child, NULL, 0);
        close(q);
    }
    COVERS(mq_timedreceive);
    CASE(signals_interrupt) {
        long q = make(1, 16, 0);
        struct sigaction a = {.sa_handler = interrupted};
        sigaction(SIGALRM, &a, NULL);
        ualarm(20000, 0);
        CHECK_ERRNO(q_receive(q, text, 16, NULL, NULL), EINTR);
        close(q);
    }
    COVERS(fcntl, mq_timedsend);
    CASE(attributes_change_only_the_flag) {
        long q = make(3, 16, 0);
        struct mq_attr a = {.mq_flags = O_NONBLOCK, .mq_maxmsg = 99}, old;
        CHECK_EQ(q_attributes(q, &a, &old), 0);
        CHECK_EQ(old.mq_flags, 0);
        CHECK_EQ(q_attributes(q, NULL, &old), 0);
        CHECK(old.mq_flags == O_NONBLOCK && old.mq_maxmsg == 3);
        CHECK(fcntl(q, F_GETFL) & O_NONBLOCK);
        a.mq_flags = 1;
        CHECK_ERRNO(q_attributes(q, &a, NULL), EINVAL);
        CHECK_ERRNO(q_attributes(q, BAD_POINTER, NULL), EFAULT);
        CHECK_ERRNO(q_attributes(q, NULL, BAD_POINTER), EFAULT);
        CHECK_ERRNO(q_attributes(9999, NULL, NULL), EBADF);
        q_send(q, "x", 1, 0, NULL);
        q_attributes(q, NULL, &old);
        CHECK_EQ(old.mq_curmsgs, 1);
        close(q);
    }
    COVERS(mq_timedsend);
    CASE(readiness) {
        long q = make(1, 16, 0);
        struct pollfd p = {.fd = q, .events = POLLIN | POLLOUT};
        poll(&p, 1, 0);
        CHECK_EQ(p.revents, POLLOUT);
        q_send(q, "x", 1, 0, NULL);
        poll(&p, 1, 0);
        CHECK_EQ(p.revents, POLLIN);
        close(q);
    }
    COVERS(newfstatat, mq_timedsend);
    CASE(state_can_be_read) {
        long q = make(4, 16, 0);
        q_send(q, "abc", 3, 0, NULL);
        char state[128] = "";
        CHECK(read(q, state, sizeof state) > 0);
        CHECK(!strncmp(state, "QSIZE:3 ", 8));
        CHECK_ERRNO(write(q, "x", 1), EINVAL);
        struct stat status;
        CHECK_EQ(fstat(q, &status), 0);
        CHECK(S_ISREG(status.st_mode) && (status.st_mode & 0777) == 0600 && status.st_size == 80);
        close(q);
    }
    COVERS(mq_timedsend, mq_timedreceive);
    CASE(removed_queues_live_while_open) {
        long q = make(2, 16, 0);
        CHECK_EQ(q_unlink(name), 0);
        CHECK_EQ(q_send(q, "x", 1, 0, NULL), 0);
        CHECK_EQ(q_receive(q, text, 16, NULL, NULL), 1);
        CHECK_ERRNO(q_open(name, O_RDWR, 0, NULL), ENOENT);
        close(q);
    }
    COVERS(mq_notify, mq_timedsend, mq_timedreceive);
    CASE(notification) {
        long q = make(2, 16, 0);
        struct sigaction a = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};
        sigaction(SIGUSR1, &a, NULL);
        struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 31};
        CHECK_EQ(syscall(SYS_mq_notify, q, &e), 0);
        CHECK_ERRNO(syscall(SYS_mq_notify, q, &e), EBUSY);
        q_send(q, "x", 1, 0, NULL);
        CHECK_EQ(noted, 1);
        CHECK_EQ(note_code, SI_MESGQ);
        CHECK_EQ(note_value, 31);
        CHECK_EQ(note_pid, getpid());
        q_receive(q, text, 16, NULL, NULL);
        q_send(q, "x", 1, 0, NULL);
        CHECK_EQ(noted, 1);
        CHECK_EQ(syscall(SYS_mq_notify, q, &e), 0);
        CHECK_EQ(syscall(SYS_mq_notify, q, NULL), 0);
        CHECK_EQ(syscall(SYS_mq_notify, q, NULL), 0);
        q_send(q, "y", 1, 0, NULL);
        CHECK_EQ(noted, 1);
        close(q);
    }
    COVERS(mq_notify);
    CASE(notification_arguments) {
        long q = make(2, 16, 0);
        struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = 65};
        CHECK_ERRNO(syscall(SYS_mq_notify, q, &e), EINVAL);
        e.sigev_notify = 77;
        CHECK_ERRNO(syscall(SYS_mq_notify, q, &e), EINVAL);
        CHECK_ERRNO(syscall(SYS_mq_notify, q, BAD_POINTER), EFAULT);
        CHECK_ERRNO(syscall(SYS_mq_notify, 9999, NULL), EBADF);
        e = (struct sigevent){.sigev_notify = SIGEV_NONE};
        CHECK_EQ(syscall(SYS_mq_notify, q, &e), 0);
        CHECK_EQ(syscall(SYS_mq_notify, q, NULL), 0);
        close(q);
    }
    CASE(notification_through_a_socket) {
        // What the C library does for SIGEV_THREAD: 32 bytes of its own, with the state in the last.
        long q = make(2, 16, 0);
        char cookie[32] = "thirty-two bytes that come back", got[64];
        int told = socket(AF_NETLINK, SOCK_RAW, 0), ends[2];
        pipe(ends);
        struct sigevent e = {.sigev_notify = SIGEV_THREAD, .sigev_signo = told, .sigev_value.sival_ptr = cookie};
        CHECK_EQ(syscall(SYS_mq_notify, q, &e), 0);
        CHECK_ERRNO(syscall(SYS_mq_notify, q, &e), EBUSY);
        CHECK_ERRNO(recv(told, got, sizeof got, MSG_DONTWAIT), EAGAIN);
        q_send(q, "x", 1, 0, NULL);
        CHECK_EQ(recv(told, got, sizeof got, MSG_DONTWAIT), 32);
        CHECK(!memcmp(got, cookie, 31));
        CHECK_EQ(got[31], 1);
        q_receive(q, got, 16, NULL, NULL);
        CHECK_EQ(syscall(SYS_mq_notify, q, &e), 0);
        CHECK_EQ(syscall(SYS_mq_notify, q, NULL), 0);
        CHECK_EQ(recv(told, got, sizeof got, MSG_DONTWAIT), 32);
        CHECK_EQ(got[31], 2);
        e.sigev_signo = ends[0];
        CHECK_ERRNO(syscall(SYS_mq_notify, q, &e), ENOTSOCK);
        e.sigev_signo = 9999;
        CHECK_ERRNO(syscall(SYS_mq_notify, q, &e), EBADF);
        e.sigev_value.sival_ptr = BAD_POINTER;
        CHECK_ERRNO(syscall(SYS_mq_notify, q, &e), EFAULT);
        close(q), close(told), close(ends[0]), close(ends[1]);
        q_unlink(name);
    }
    return conformance_end();
}
