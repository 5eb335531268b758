// seccomp_unotify(2): a supervisor answers the system calls of a filtered child.
#include "conformance.h"
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV 32
#endif
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS _IOW('!', 4, uint64_t)
#endif

static int install(unsigned flags) {
    struct sock_filter code[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                                 BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
                                 BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
                                 BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    struct sock_fprog program = {4, code};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER | flags, &program);
}
static void send_descriptor(int socket, int fd) {
    char room[CMSG_SPACE(sizeof fd)] = {0}, byte = 'x';
    struct iovec vector = {&byte, 1};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
    sendmsg(socket, &message, 0);
}
static int receive_descriptor(int socket) {
    char room[CMSG_SPACE(sizeof(int))], byte;
    struct iovec vector = {&byte, 1};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    int fd = -1;
    if (recvmsg(socket, &message, 0) == 1 && CMSG_FIRSTHDR(&message)) memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
    return fd;
}

static int listener;
/// A child whose getppid asks us; `listener` is ours. It exits with the low bits of what `body` returns.
static pid_t supervised(unsigned flags, long (*body)(void)) {
    int pair[2];
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    pid_t child = conformance_fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        int fd = install(flags);
        send_descriptor(pair[1], fd);
        close(fd);
        close(pair[0]);
        close(pair[1]);
        _exit((int)body());
    }
    close(pair[1]);
    listener = receive_descriptor(pair[0]);
    close(pair[0]);
    return child;
}
static struct seccomp_notif request;
static int receive(void) {
    memset(&request, 0, sizeof request);
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request);
}
static int answer(long long value, int error, unsigned flags) {
    struct seccomp_notif_resp response = {request.id, value, error, flags};
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
}
static int end_of(pid_t child) {
    int status = -1;
    waitpid(child, &status, 0);
    close(listener);
    return status;
}
static short events_of(int timeout) {
    struct pollfd p = {listener, POLLIN | POLLOUT, 0};
    poll(&p, 1, timeout);
    return p.revents;
}

static long asks(void) {
    errno = 0;
    long result = syscall(SYS_getppid, 1, 2, 3, 4, 5, 6);
    return result < 0 ? errno : result & 0xff;
}
static volatile int interruptions;
static void interrupt(int n) {
    (void)n;
    interruptions++;
}
static long asks_with_handler(void) {
    struct sigaction action = {.sa_handler = interrupt};
    sigaction(SIGUSR1, &action, NULL);
    long result = asks();
    return interruptions * 100 + result;
}
static long asks_and_restarts(void) {
    struct sigaction action = {.sa_handler = interrupt, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
    return asks() + interruptions;
}
static long writes_to_answer(void) {
    int fd = (int)asks();
    return write(fd, "hello", 5) == 5 ? fd : 200;
}
static long writes_to_twenty(void) {
    long result = asks();
    return write(20, "hello", 5) == 5 && fcntl(20, F_GETFD) == FD_CLOEXEC ? result : 200;
}
static long forks_and_asks(void) {
    pid_t child = fork();
    if (child == 0) _exit((int)asks());
    int status;
    waitpid(child, &status, 0);
    return WEXITSTATUS(status) + 1;
}

int main(void) {
    conformance_enter();
    COVERS(seccomp, ioctl);
    CASE(request_and_value) {
        pid_t child = supervised(0, asks);
        CHECK_EQ(receive(), 0);
        CHECK_EQ(request.pid, child);
        CHECK_EQ(request.flags, 0);
        CHECK_EQ(request.data.nr, SYS_getppid);
        CHECK_EQ(request.data.arch, AUDIT_ARCH_X86_64);
        for (int i = 0; i < 6; i++) CHECK_EQ(request.data.args[i], i + 1);
        CHECK(request.data.instruction_pointer != 0);
        CHECK(request.id != 0);
        CHECK_EQ(answer(42, 0, 0), 0);
        CHECK_EQ(end_of(child), 42 << 8);
    }
    CASE(error_answer) {
        pid_t child = supervised(0, asks);
        receive();
        CHECK_EQ(answer(0, -77, 0), 0);
        CHECK_EQ(end_of(child), 77 << 8);
    }
    CASE(continue_answer) {
        pid_t child = supervised(0, asks);
        receive();
        CHECK_EQ(answer(0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE), 0);
        CHECK_EQ(end_of(child), (getpid() & 0xff) << 8);
    }
    CASE(bad_answers) {
        pid_t child = supervised(0, asks);
        receive();
        CHECK_ERRNO(answer(1, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE), EINVAL);
        CHECK_ERRNO(answer(0, -1, SECCOMP_USER_NOTIF_FLAG_CONTINUE), EINVAL);
        CHECK_ERRNO(answer(0, 0, 2), EINVAL);
        CHECK_ERRNO(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, BAD_POINTER), EFAULT);
        unsigned long long id = request.id;
        request.id += 1000;
        CHECK_ERRNO(answer(0, 0, 0), ENOENT);
        request.id = id;
        CHECK_EQ(answer(3, 0, 0), 0);
        CHECK_EQ(end_of(child), 3 << 8);
    }
    CASE(answer_once) {
        pid_t child = supervised(0, asks);
        receive();
        CHECK_EQ(answer(3, 0, 0), 0);
        CHECK_ERRNO2(answer(4, 0, 0), ENOENT, EINPROGRESS);
        CHECK_EQ(end_of(child), 3 << 8);
    }
    CASE(receive_wants_zeroes) {
        pid_t child = supervised(0, asks);
        struct seccomp_notif dirty = {.flags = 1};
        CHECK_ERRNO(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &dirty), EINVAL);
        CHECK_ERRNO(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, BAD_POINTER), EFAULT);
        CHECK_EQ(receive(), 0);
        CHECK_EQ(answer(1, 0, 0), 0);
        CHECK_EQ(end_of(child), 1 << 8);
    }
    CASE(request_to_read_only_memory_stays) {
        pid_t child = supervised(0, asks);
        conformance_nap(30);
        CHECK_ERRNO(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, conformance_readable_page()), EFAULT);
        CHECK_EQ(receive(), 0);
        CHECK_EQ(answer(1, 0, 0), 0);
        CHECK_EQ(end_of(child), 1 << 8);
    }
    CASE(unknown_ioctl) {
        pid_t child = supervised(0, asks);
        CHECK_ERRNO(ioctl(listener, _IO('!', 77), 0), EINVAL);
        CHECK_ERRNO(ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, 2), EINVAL);
        CHECK_EQ(ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, 1), 0);
        receive();
        answer(1, 0, 0);
        end_of(child);
    }
    CASE(identifier_is_valid) {
        pid_t child = supervised(0, asks);
        receive();
        CHECK_EQ(ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &request.id), 0);
        unsigned long long other = request.id + 1;
        CHECK_ERRNO(ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &other), ENOENT);
        kill(child, SIGKILL);
        conformance_nap(50);
        CHECK_ERRNO(ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &request.id), ENOENT);
        CHECK_ERRNO(answer(1, 0, 0), ENOENT);
        CHECK_EQ(end_of(child), SIGKILL);
    }
    CASE(readiness) {
        pid_t child = supervised(0, asks);
        CHECK_EQ(events_of(2000), POLLIN);
        receive();
        CHECK_EQ(events_of(2000), POLLOUT);
        answer(1, 0, 0);
        waitpid(child, NULL, 0);
        CHECK_EQ(events_of(2000), POLLHUP);
        close(listener);
    }
    CASE(receive_after_the_end) {
        pid_t child = supervised(0, asks);
        receive();
        answer(1, 0, 0);
        waitpid(child, NULL, 0);
        CHECK_ERRNO(receive(), ENOENT);
        close(listener);
    }
    CASE(closed_listener) {
        pid_t child = supervised(0, asks);
        close(listener);
        int status = -1;
        waitpid(child, &status, 0);
        CHECK_EQ(status, ENOSYS << 8);
    }
    CASE(listener_closed_while_asked) {
        pid_t child = supervised(0, asks);
        receive();
        close(listener);
        int status = -1;
        waitpid(child, &status, 0);
        CHECK_EQ(status, ENOSYS << 8);
    }
    CASE(signal_interrupts) {
        pid_t child = supervised(0, asks_with_handler);
        receive();
        kill(child, SIGUSR1);
        conformance_nap(50);
        CHECK_ERRNO(answer(7, 0, 0), ENOENT);
        CHECK_EQ(end_of(child), (100 + EINTR) << 8);
    }
    CASE(signal_restarts) {
        pid_t child = supervised(0, asks_and_restarts);
        receive();
        unsigned long long first = request.id;
        kill(child, SIGUSR1);
        conformance_nap(50);
        CHECK_EQ(receive(), 0);
        CHECK(request.id != first);
        CHECK_EQ(answer(7, 0, 0), 0);
        CHECK_EQ(end_of(child), 8 << 8);
    }
    CASE(wait_killable) {
        pid_t child = supervised(SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, asks_with_handler);
        receive();
        kill(child, SIGUSR1);
        conformance_nap(50);
        CHECK_EQ(answer(7, 0, 0), 0);
        CHECK_EQ(end_of(child), 107 << 8);
    }
    CASE(wait_killable_is_killed) {
        pid_t child = supervised(SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, asks);
        receive();
        kill(child, SIGKILL);
        CHECK_EQ(end_of(child), SIGKILL);
    }
    CASE(receive_is_interrupted) {
        int fd = -1;
        pid_t child = supervised(0, asks);
        receive();
        fd = listener;
        conformance_alarm(30, 0);
        CHECK_ERRNO(receive(), EINTR);
        listener = fd;
        kill(child, SIGKILL);
        end_of(child);
    }
    CASE(descriptor_is_added) {
        int fd = conformance_file("added", "");
        pid_t child = supervised(0, writes_to_answer);
        receive();
        struct seccomp_notif_addfd add = {.id = request.id, .srcfd = (unsigned)fd};
        int number = ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
        CHECK(number >= 3);
        CHECK_EQ(answer(number, 0, 0), 0);
        CHECK_EQ(end_of(child), number << 8);
        char text[6] = "";
        pread(fd, text, 5, 0);
        CHECK(!strcmp(text, "hello"));
        close(fd);
    }
    CASE(descriptor_is_the_answer) {
        int fd = conformance_file("answered", "");
        pid_t child = supervised(0, writes_to_answer);
        receive();
        struct seccomp_notif_addfd add = {.id = request.id, .srcfd = (unsigned)fd, .flags = SECCOMP_ADDFD_FLAG_SEND};
        int number = ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
        CHECK(number >= 3);
        CHECK_EQ(end_of(child), number << 8);
        close(fd);
    }
    CASE(descriptor_with_a_number) {
        int fd = conformance_file("numbered", "");
        pid_t child = supervised(0, writes_to_twenty);
        receive();
        struct seccomp_notif_addfd add = {.id = request.id, .srcfd = (unsigned)fd, .flags = SECCOMP_ADDFD_FLAG_SETFD, .newfd = 20, .newfd_flags = O_CLOEXEC};
        CHECK_EQ(ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add), 20);
        CHECK_EQ(answer(5, 0, 0), 0);
        CHECK_EQ(end_of(child), 5 << 8);
        close(fd);
    }
    CASE(bad_descriptors) {
        pid_t child = supervised(0, asks);
        conformance_nap(30);
        struct seccomp_notif_addfd add = {.id = 1, .srcfd = 0};
        CHECK_ERRNO(ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add), ENOENT);
        receive();
        add.id = request.id;
        add.srcfd = 999;
        CHECK_ERRNO(ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add), EBADF);
        add.srcfd = 0;
        add.newfd = 5;
        CHECK_ERRNO(ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add), EINVAL);
        add.newfd = 0;
        add.flags = 4;
        CHECK_ERRNO(ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add), EINVAL);
        add.flags = 0;
        add.newfd_flags = O_APPEND;
        CHECK_ERRNO(ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add), EINVAL);
        CHECK_ERRNO(ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, BAD_POINTER), EFAULT);
        answer(1, 0, 0);
        end_of(child);
    }
    CASE(children_ask_too) {
        pid_t child = supervised(0, forks_and_asks);
        CHECK_EQ(receive(), 0);
        CHECK(request.pid != (unsigned)child);
        CHECK_EQ(answer(9, 0, 0), 0);
        CHECK_EQ(end_of(child), 10 << 8);
    }
    CASE(one_listener) IN_FORK({
        int fd = install(0);
        CHECK(fd >= 0);
        CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
        CHECK_ERRNO(install(0), EBUSY);
        close(fd);
        CHECK(install(0) >= 0);
    });
    CASE(name_of_the_descriptor) IN_FORK({
        int fd = install(0);
        char path[64], name[64] = "";
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        readlink(path, name, sizeof name - 1);
        CHECK(!strcmp(name, "anon_inode:seccomp notify"));
        CHECK_ERRNO(read(fd, name, 8), EINVAL);
    });
    return conformance_end();
}
