// What threads and clone(2) flags share: descriptors, working directory, umask; descriptors across fork(2) and execve(2).
#include "conformance.h"
#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

static char stack[65536] __attribute__((aligned(16)));
static int number;
static char here[300];

static int close_number(void *argument) {
    (void)argument;
    return close(number) ? 1 : 0;
}
static int change_place(void *argument) {
    (void)argument;
    umask(011);
    return chdir("/") ? 1 : 0;
}
/// Runs `body` in a clone with these flags and waits. Its status.
static int in_clone(int (*body)(void *), int flags) {
    int status = -1;
    pid_t child = clone(body, stack + sizeof stack, flags | SIGCHLD, NULL);
    if (child < 0 || waitpid(child, &status, 0) != child) FAIL_("clone: errno %d", errno);
    return status;
}
static void *thread_changes_place(void *argument) {
    chdir("/");
    return argument;
}
static void *thread_unshares(void *argument) {
    if (unshare(CLONE_FS | CLONE_FILES)) return (void *)1;
    chdir("/");
    close(number);
    return argument;
}
static int exec_checks(int argc, char **argv) {
    // Even arguments must be open, odd ones closed.
    for (int i = 1; i < argc; i++)
        if ((fcntl(atoi(argv[i]), F_GETFD) != -1) != (i % 2 == 1)) return i;
    return 0;
}

int main(int argc, char **argv) {
    if (argc > 1) return exec_checks(argc, argv);
    conformance_enter();
    getcwd(here, sizeof here);
    char b[300];
    COVERS(clone, close);
    CASE(shared_descriptors_close_for_both) {
        number = open("/dev/null", O_RDONLY);
        CHECK_EQ(in_clone(close_number, CLONE_FILES), 0);
        CHECK_ERRNO(close(number), EBADF);
    }
    CASE(copied_descriptors_close_for_one) {
        number = open("/dev/null", O_RDONLY);
        CHECK_EQ(in_clone(close_number, 0), 0);
        CHECK_EQ(close(number), 0);
    }
    COVERS(clone, chdir, umask);
    CASE(shared_place_changes_for_both) {
        umask(022);
        CHECK_EQ(in_clone(change_place, CLONE_FS), 0);
        CHECK(getcwd(b, sizeof b) && !strcmp(b, "/"));
        CHECK_EQ(umask(022), 011);
        CHECK_EQ(chdir(here), 0);
    }
    CASE(copied_place_changes_for_one) {
        CHECK_EQ(in_clone(change_place, 0), 0);
        CHECK(getcwd(b, sizeof b) && !strcmp(b, here));
        CHECK_EQ(umask(022), 022);
    }
    CASE(threads_share_place) {
        pthread_t t;
        pthread_create(&t, NULL, thread_changes_place, NULL);
        pthread_join(t, NULL);
        CHECK(getcwd(b, sizeof b) && !strcmp(b, "/"));
        chdir(here);
    }
    COVERS(unshare, chdir, close);
    CASE(unshared_thread_goes_its_own_way) {
        number = open("/dev/null", O_RDONLY);
        pthread_t t;
        void *result;
        pthread_create(&t, NULL, thread_unshares, NULL);
        pthread_join(t, &result);
        CHECK(result == NULL);
        CHECK(getcwd(b, sizeof b) && !strcmp(b, here));
        CHECK_EQ(close(number), 0);
    }
    COVERS(close_range, clone);
    CASE(close_range_unshares_first) CHILD {
        number = open("/dev/null", O_RDONLY);
        pid_t child = fork();
        if (child == 0) _exit(syscall(SYS_close_range, 3, ~0u, 2) == 0 && fcntl(number, F_GETFD) == -1 ? 0 : 1);
        int status;
        waitpid(child, &status, 0);
        CHECK_EQ(status, 0);
        CHECK_EQ(fcntl(number, F_GETFD), 0);
    }
    COVERS(execve, fcntl, dup3, pipe2, socketpair, eventfd2, open);
    CASE(execution_keeps_and_closes) CHILD {
        char text[8][12];
        int fds[8];
        fds[0] = open("/dev/null", O_RDONLY);
        fds[1] = open("/dev/null", O_RDONLY | O_CLOEXEC);
        fds[2] = dup(fds[1]);
        fds[3] = fcntl(fds[0], F_DUPFD_CLOEXEC, 0);
        fds[4] = eventfd(0, 0);
        fds[5] = eventfd(0, EFD_CLOEXEC);
        int p[2];
        pipe2(p, O_CLOEXEC);
        fcntl(p[0], F_SETFD, 0);
        fds[6] = p[0], fds[7] = p[1];
        for (int i = 0; i < 8; i++) snprintf(text[i], 12, "%d", fds[i]);
        execl("/proc/self/exe", "self", text[0], text[1], text[2], text[3], text[4], text[5], text[6], text[7], NULL);
        FAIL_("exec: errno %d", errno);
    }
    COVERS(execve, fork);
    CASE(execution_unshares_descriptors) {
        // A clone that shares descriptors and executes must not close the other's.
        number = open("/dev/null", O_RDONLY | O_CLOEXEC);
        pid_t child = vfork();
        if (child == 0) {
            execl("/bin/true", "true", NULL);
            _exit(99);
        }
        int status;
        waitpid(child, &status, 0);
        CHECK_EQ(status, 0);
        CHECK_EQ(fcntl(number, F_GETFD), FD_CLOEXEC);
        close(number);
    }
    COVERS(fork, dup2);
    CASE(thousand_descriptors_survive_a_fork) CHILD {
        for (int i = 3; i < 900; i++)
            if (dup2(0, i) != i) FAIL_("dup2 to %d: errno %d", i, errno);
        CHILD {
            int open_ones = 0;
            for (int i = 3; i < 900; i++) open_ones += fcntl(i, F_GETFD) == 0;
            CHECK_EQ(open_ones, 897);
        }
    }
    COVERS(sendmsg, recvmsg, lseek);
    CASE(passed_descriptor_shares_its_position) {
        int s[2], fd = conformance_file("passed", "0123456789");
        socketpair(AF_UNIX, SOCK_STREAM, 0, s);
        struct {
            struct cmsghdr head;
            int fd;
        } control = {{CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}, fd};
        struct iovec v = {"x", 1};
        struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = CMSG_SPACE(sizeof(int))};
        CHECK_EQ(sendmsg(s[0], &m, 0), 1);
        char c, space[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8)));
        v = (struct iovec){&c, 1};
        m.msg_control = space, m.msg_controllen = sizeof space;
        CHECK_EQ(recvmsg(s[1], &m, MSG_CMSG_CLOEXEC), 1);
        int got = *(int *)CMSG_DATA(CMSG_FIRSTHDR(&m));
        CHECK(got != fd);
        CHECK_EQ(fcntl(got, F_GETFD), FD_CLOEXEC);
        lseek(fd, 4, SEEK_SET);
        CHECK_EQ(lseek(got, 0, SEEK_CUR), 4);
        close(fd), close(got), close(s[0]), close(s[1]);
    }
    return conformance_end();
}
