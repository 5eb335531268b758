// rt_sigsuspend(2), rt_sigtimedwait(2), pause(2), alarm(2), signalfd4(2), and which calls start again after a handler.
#include "conformance.h"
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <linux/futex.h>

static volatile int count;
static void note(int n) {
    (void)n;
    count++;
}
static void install(int n, int flags) {
    struct sigaction a = {.sa_handler = note, .sa_flags = flags};
    sigaction(n, &a, NULL);
}
static unsigned long bit(int n) { return 1UL << (n - 1); }
static void block(unsigned long set) { syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 8); }
static void unblock(unsigned long set) { syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &set, NULL, 8); }
static long timed(unsigned long *set, siginfo_t *info, const struct timespec *limit) {
    return syscall(SYS_rt_sigtimedwait, set, info, limit, 8);
}
static void after_ms(long ms) {
    struct itimerval t = {.it_value = {ms / 1000, ms % 1000 * 1000}};
    setitimer(ITIMER_REAL, &t, NULL);
}
/// The call, interrupted after 30 ms by a handler with SA_RESTART, gives EINTR all the same.
#define NEVER_RESTARTS(call)                       \
    do {                                           \
        install(SIGALRM, SA_RESTART);              \
        after_ms(30);                              \
        CHECK_ERRNO(call, EINTR);                  \
    } while (0)
/// Interrupted after 30 ms by a handler without SA_RESTART: EINTR.
#define IS_INTERRUPTED(call)                       \
    do {                                           \
        install(SIGALRM, 0);                       \
        after_ms(30);                              \
        CHECK_ERRNO(call, EINTR);                  \
    } while (0)

int main(void) {
    COVERS(rt_sigsuspend);
    CASE(suspend_errors) {
        CHECK_ERRNO(syscall(SYS_rt_sigsuspend, BAD_POINTER, 8), EFAULT);
        CHECK_ERRNO(syscall(SYS_rt_sigsuspend, NULL, 8), EFAULT);
        CHECK_ERRNO(syscall(SYS_rt_sigsuspend, conformance_straddling(NULL, 8), 8), EFAULT);
    }
    COVERS(rt_sigtimedwait);
    CASE(timed_wait_errors) {
        unsigned long set = bit(SIGUSR1);
        struct timespec bad = {0, 1000000000}, negative = {-1, 0}, zero = {0, 0};
        CHECK_ERRNO(timed(&set, NULL, &bad), EINVAL);
        CHECK_ERRNO(timed(&set, NULL, &negative), EINVAL);
        CHECK_ERRNO(timed(&set, NULL, &zero), EAGAIN);
        CHECK_ERRNO(timed(BAD_POINTER, NULL, &zero), EFAULT);
        CHECK_ERRNO(timed(&set, NULL, BAD_POINTER), EFAULT);
    }
    CASE(timed_wait_ends) {
        unsigned long set = bit(SIGUSR1);
        struct timespec limit = {0, 30000000};
        long long before = conformance_now_ms();
        CHECK_ERRNO(timed(&set, NULL, &limit), EAGAIN);
        CHECK(conformance_now_ms() - before >= 29);
    }
    CASE(timed_wait_takes_with_information) {
        unsigned long set = bit(SIGUSR1);
        block(set);
        siginfo_t info;
        kill(getpid(), SIGUSR1);
        struct timespec zero = {0, 0};
        CHECK_EQ(timed(&set, &info, &zero), SIGUSR1);
        CHECK_EQ(info.si_code, SI_USER);
        CHECK_EQ(info.si_pid, getpid());
        CHECK_ERRNO(timed(&set, &info, &zero), EAGAIN);
        unblock(set);
    }
    COVERS(rt_sigpending, rt_sigtimedwait);
    CASE(information_to_a_bad_address_loses_the_signal) {
        unsigned long set = bit(SIGUSR1), pending;
        block(set);
        raise(SIGUSR1);
        CHECK_ERRNO(timed(&set, BAD_POINTER, NULL), EFAULT);
        syscall(SYS_rt_sigpending, &pending, 8);
        CHECK_EQ(pending, 0);
        unblock(set);
    }
    COVERS(rt_sigtimedwait);
    CASE(other_signals_interrupt_the_wait) {
        unsigned long set = bit(SIGUSR1);
        IS_INTERRUPTED(timed(&set, NULL, NULL));
        NEVER_RESTARTS(timed(&set, NULL, NULL));
    }
    COVERS(rt_sigtimedwait, setitimer);
    CASE(waits_for_a_signal_that_comes) {
        unsigned long set = bit(SIGALRM);
        block(set);
        after_ms(30);
        siginfo_t info;
        CHECK_EQ(timed(&set, &info, NULL), SIGALRM);
        CHECK_EQ(info.si_code, SI_KERNEL);
        unblock(set);
    }
    COVERS(pause, rt_sigsuspend);
    CASE(pause_and_suspend) {
        IS_INTERRUPTED(pause());
        NEVER_RESTARTS(pause());
        unsigned long none = 0;
        NEVER_RESTARTS(syscall(SYS_rt_sigsuspend, &none, 8));
    }
    COVERS(nanosleep, setitimer);
    CASE(ignored_signals_do_not_interrupt) {
        signal(SIGALRM, SIG_IGN);
        after_ms(20);
        struct timespec t = {0, 80000000};
        CHECK_EQ(nanosleep(&t, NULL), 0);
    }
    COVERS(nanosleep);
    CASE(stops_do_not_interrupt) {
        pid_t child = fork();
        if (child == 0) {
            struct timespec t = {0, 150000000};
            _exit(nanosleep(&t, NULL) ? 1 : 0);
        }
        conformance_nap(30);
        kill(child, SIGSTOP);
        int status;
        waitpid(child, &status, WUNTRACED);
        kill(child, SIGCONT);
        waitpid(child, &status, 0);
        CHECK_EQ(status, 0);
    }
    COVERS(alarm);
    CASE(alarm_returns_what_was_left) {
        signal(SIGALRM, SIG_IGN);
        CHECK_EQ(alarm(100), 0);
        CHECK_EQ(alarm(0), 100);
        CHECK_EQ(alarm(0), 0);
        alarm(5);
        IN_FORK(CHECK_EQ(alarm(0), 0));
        alarm(0);
    }
    COVERS(nanosleep, clock_gettime, setitimer);
    CASE(sleeps_never_restart) {
        struct timespec t = {5, 0};
        NEVER_RESTARTS(nanosleep(&t, NULL));
        install(SIGALRM, SA_RESTART);
        after_ms(30);
        CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL), EINTR);
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += 5;
        after_ms(30);
        CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL), EINTR);
    }
    COVERS(ppoll, select, epoll_create1, epoll_wait, epoll_pwait);
    CASE(polls_never_restart) {
        int p[2];
        pipe(p);
        struct pollfd f = {.fd = p[0], .events = POLLIN};
        NEVER_RESTARTS(poll(&f, 1, 5000));
        struct timespec t = {5, 0};
        NEVER_RESTARTS(ppoll(&f, 1, &t, NULL));
        fd_set set;
        FD_ZERO(&set);
        FD_SET(p[0], &set);
        struct timeval v = {5, 0};
        NEVER_RESTARTS(select(p[0] + 1, &set, NULL, NULL, &v));
        int e = epoll_create1(0);
        struct epoll_event event;
        NEVER_RESTARTS(epoll_wait(e, &event, 1, 5000));
        NEVER_RESTARTS(epoll_pwait(e, &event, 1, 5000, NULL));
        close(e);
        close(p[0]);
        close(p[1]);
    }
    COVERS(semget, semop, semtimedop, semctl, msgget, msgrcv);
    CASE(system_v_calls_never_restart) {
        int set = semget(IPC_PRIVATE, 1, 0600);
        struct sembuf down = {0, -1, 0};
        NEVER_RESTARTS(semop(set, &down, 1));
        struct timespec t = {5, 0};
        NEVER_RESTARTS(semtimedop(set, &down, 1, &t));
        semctl(set, 0, IPC_RMID);
        int queue = msgget(IPC_PRIVATE, 0600);
        struct {
            long type;
            char text[8];
        } m;
        NEVER_RESTARTS(msgrcv(queue, &m, 8, 0, 0));
        msgctl(queue, IPC_RMID, NULL);
    }
    COVERS(socketpair, setsockopt, recvfrom);
    CASE(receiving_with_a_time_limit_never_restarts) {
        int s[2];
        socketpair(AF_UNIX, SOCK_STREAM, 0, s);
        struct timeval v = {5, 0};
        setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &v, sizeof v);
        char c;
        NEVER_RESTARTS(recv(s[0], &c, 1, 0));
        close(s[0]);
        close(s[1]);
    }
    COVERS(fcntl);
    CASE(reads_and_writes_are_interrupted) {
        int p[2];
        pipe(p);
        char c;
        IS_INTERRUPTED(read(p[0], &c, 1));
        fcntl(p[1], F_SETFL, O_NONBLOCK);
        static char page[4096];
        while (write(p[1], page, sizeof page) > 0) {
        }
        fcntl(p[1], F_SETFL, 0);
        IS_INTERRUPTED(write(p[1], page, sizeof page));
        close(p[0]);
        close(p[1]);
    }
    COVERS(socketpair, recvfrom, recvmsg, socket, bind, listen);
    CASE(sockets_are_interrupted) {
        int s[2];
        socketpair(AF_UNIX, SOCK_DGRAM, 0, s);
        char c;
        IS_INTERRUPTED(recv(s[0], &c, 1, 0));
        struct msghdr m = {0};
        IS_INTERRUPTED(recvmsg(s[0], &m, 0));
        int l = socket(AF_UNIX, SOCK_STREAM, 0);
        struct sockaddr_un a = {.sun_family = AF_UNIX};
        bind(l, (void *)&a, sizeof(sa_family_t));
        listen(l, 1);
        IS_INTERRUPTED(accept(l, NULL, NULL));
        close(l);
        close(s[0]);
        close(s[1]);
    }
    COVERS(futex);
    CASE(futexes_are_interrupted) {
        uint32_t word = 0;
        IS_INTERRUPTED(syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0));
        struct timespec t = {5, 0};
        IS_INTERRUPTED(syscall(SYS_futex, &word, FUTEX_WAIT, 0, &t, NULL, 0));
    }
    CASE(timed_futex_wait_does_not_restart_after_a_handler) {
        uint32_t word = 0;
        struct timespec t = {5, 0};
        NEVER_RESTARTS(syscall(SYS_futex, &word, FUTEX_WAIT, 0, &t, NULL, 0));
    }
    COVERS(socketpair, recvfrom, setitimer);
    CASE(untimed_calls_restart) {
        install(SIGALRM, SA_RESTART);
        int p[2];
        int s[2];
        pipe(p);
        socketpair(AF_UNIX, SOCK_STREAM, 0, s);
        pid_t child = fork();
        if (child == 0) {
            conformance_nap(80);
            write(p[1], "x", 1);
            conformance_nap(80);
            write(s[1], "x", 1);
            _exit(0);
        }
        char c;
        after_ms(20);
        CHECK_EQ(read(p[0], &c, 1), 1);
        after_ms(20);
        CHECK_EQ(recv(s[0], &c, 1, 0), 1);
        waitpid(child, NULL, 0);
        close(p[0]);
        close(p[1]);
        close(s[0]);
        close(s[1]);
    }
    COVERS(signalfd4);
    CASE(signalfd_errors) {
        unsigned long set = bit(SIGUSR1);
        CHECK_ERRNO(syscall(SYS_signalfd4, -1, &set, 4, 0), EINVAL);
        CHECK_ERRNO(syscall(SYS_signalfd4, -1, &set, 8, 1), EINVAL);
        CHECK_ERRNO(syscall(SYS_signalfd4, -1, BAD_POINTER, 8, 0), EFAULT);
        CHECK_ERRNO(syscall(SYS_signalfd4, 9999, &set, 8, 0), EBADF);
        int fd = open("/dev/null", O_RDONLY);
        CHECK_ERRNO(syscall(SYS_signalfd4, fd, &set, 8, 0), EINVAL);
        close(fd);
    }
    COVERS(signalfd4, fcntl);
    CASE(signalfd_flags) {
        unsigned long set = bit(SIGUSR1);
        int fd = syscall(SYS_signalfd4, -1, &set, 8, SFD_CLOEXEC | SFD_NONBLOCK);
        CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
        CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
        struct signalfd_siginfo info;
        CHECK_ERRNO(read(fd, &info, sizeof info), EAGAIN);
        CHECK_ERRNO(read(fd, &info, sizeof info - 1), EINVAL);
        CHECK_ERRNO(write(fd, &info, sizeof info), EINVAL);
        close(fd);
        fd = syscall(SYS_signalfd, -1, &set, 8);
        CHECK(fd >= 0);
        CHECK_EQ(fcntl(fd, F_GETFD), 0);
        close(fd);
    }
    COVERS(signalfd4, rt_sigqueueinfo);
    CASE(signalfd_reads_several) {
        unsigned long set = bit(SIGUSR1) | bit(SIGUSR2) | bit(SIGRTMIN);
        block(set);
        int fd = syscall(SYS_signalfd4, -1, &set, 8, SFD_NONBLOCK);
        struct pollfd p = {.fd = fd, .events = POLLIN};
        CHECK_EQ(poll(&p, 1, 0), 0);
        sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 1});
        sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 2});
        kill(getpid(), SIGUSR2);
        CHECK_EQ(poll(&p, 1, 0), 1);
        struct signalfd_siginfo info[4];
        CHECK_EQ(read(fd, info, sizeof info), 3 * sizeof *info);
        CHECK_EQ(info[0].ssi_signo, SIGUSR2);
        CHECK_EQ(info[0].ssi_pid, getpid());
        CHECK_EQ(info[1].ssi_int, 1);
        CHECK_EQ(info[2].ssi_int, 2);
        CHECK_EQ(info[2].ssi_code, SI_QUEUE);
        close(fd);
        unblock(set);
    }
    COVERS(signalfd4);
    CASE(signalfd_mask_can_be_changed) {
        unsigned long set = bit(SIGUSR1), other = bit(SIGUSR2);
        block(set | other);
        int fd = syscall(SYS_signalfd4, -1, &set, 8, SFD_NONBLOCK);
        raise(SIGUSR2);
        struct signalfd_siginfo info;
        CHECK_ERRNO(read(fd, &info, sizeof info), EAGAIN);
        CHECK_EQ(syscall(SYS_signalfd4, fd, &other, 8, 0), fd);
        CHECK_EQ(read(fd, &info, sizeof info), sizeof info);
        CHECK_EQ(info.ssi_signo, SIGUSR2);
        close(fd);
        unblock(set | other);
    }
    COVERS(signalfd4, setitimer);
    CASE(signalfd_blocks_and_is_woken) {
        unsigned long set = bit(SIGALRM);
        block(set);
        int fd = syscall(SYS_signalfd4, -1, &set, 8, 0);
        after_ms(30);
        struct signalfd_siginfo info;
        CHECK_EQ(read(fd, &info, sizeof info), sizeof info);
        CHECK_EQ(info.ssi_signo, SIGALRM);
        close(fd);
        unblock(set);
    }
    COVERS(signalfd4);
    CASE(signalfd_reads_the_readers_signals) {
        unsigned long set = bit(SIGUSR1);
        block(set);
        int fd = syscall(SYS_signalfd4, -1, &set, 8, SFD_NONBLOCK);
        raise(SIGUSR1);
        struct signalfd_siginfo info;
        IN_FORK(CHECK_ERRNO(read(fd, &info, sizeof info), EAGAIN));
        CHECK_EQ(read(fd, &info, sizeof info), sizeof info);
        close(fd);
        unblock(set);
    }
    return conformance_end();
}
