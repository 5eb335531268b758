// Pid namespaces: numbers, init, what happens when it ends (pid_namespaces(7)).
#include "namespaces.h"
#include <linux/sched.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>

static long clone3(struct clone_args *args) { return syscall(SYS_clone3, args, sizeof *args); }
/// Runs the block as init of a new pid namespace.
#define AS_INIT                                                                      \
    IN_NAMESPACES(CLONE_NEWPID | CLONE_NEWNS)                                        \
    CHILD

static volatile int handled;
static siginfo_t seen;
static void on_signal(int n, siginfo_t *info, void *context) {
    (void)n, (void)context;
    seen = *info;
    handled++;
}

int main(void) {
    conformance_enter();

    COVERS(unshare, clone, getpid, getppid);
    CASE(first_child_is_init) AS_INIT {
        CHECK_EQ(getpid(), 1);
        CHECK_EQ(syscall(SYS_gettid), 1);
        CHECK_EQ(getppid(), 0);
    }
    CASE(caller_keeps_its_number) IN_NAMESPACES(0) {
        pid_t before = getpid();
        CHECK(!unshare(CLONE_NEWPID));
        CHECK_EQ(getpid(), before);
        CHECK_EQ(syscall(SYS_gettid), before);
    }
    CASE(group_and_session_from_outside) AS_INIT {
        CHECK_EQ(getpgid(0), 0);
        CHECK_EQ(getsid(0), 0);
        CHECK_EQ(setsid(), 1);
        CHECK_EQ(getsid(0), 1);
        CHECK_EQ(getpgrp(), 1);
    }
    CASE(children_count_up) AS_INIT {
        pid_t first = fork();
        if (!first) _exit(0);
        CHECK_EQ(first, 2);
        CHECK_EQ(waitpid(first, NULL, 0), 2);
        pid_t second = fork();
        if (!second) _exit(getppid() == 1 && getpid() == 3 ? 0 : 1);
        int status;
        CHECK_EQ(wait(&status), second);
        CHECK_EQ(status, 0);
    }
    CASE(unshare_twice) IN_NAMESPACES(0) {
        CHECK(!unshare(CLONE_NEWPID));
        CHECK_ERRNO(unshare(CLONE_NEWPID), EINVAL);
    }
    CASE(thread_after_unshare) IN_NAMESPACES(0) {
        CHECK(!unshare(CLONE_NEWPID));
        CHECK_ERRNO(syscall(SYS_clone, CLONE_VM | CLONE_SIGHAND | CLONE_THREAD, 0, 0, 0, 0), EINVAL);
    }
    CASE(clone_thread_new_pid) {
        CHECK_ERRNO(syscall(SYS_clone, CLONE_VM | CLONE_SIGHAND | CLONE_THREAD | CLONE_NEWPID, 0, 0, 0, 0), EINVAL);
    }
    CASE(clone_returns_outer_number) IN_NAMESPACES(0) {
        pid_t child = syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
        if (!child) _exit(getpid());
        CHECK(child > 1);
        int status;
        CHECK_EQ(waitpid(child, &status, 0), child);
        CHECK_EQ(WEXITSTATUS(status), 1);
    }
    CASE(fork_after_init_ended) IN_NAMESPACES(0) {
        CHECK(!unshare(CLONE_NEWPID));
        pid_t child = fork();
        if (!child) _exit(0);
        waitpid(child, NULL, 0);
        CHECK_ERRNO(fork(), ENOMEM);
    }
    CASE(end_of_init_kills_all) IN_NAMESPACES(0) {
        int alive[2];
        CHECK(!pipe(alive));
        CHECK(!unshare(CLONE_NEWPID));
        pid_t child = fork();
        if (!child) {
            for (int i = 0; i < 3; i++)
                if (!fork()) {
                    if (i == 1) setsid();
                    for (;;) pause();
                }
            _exit(4);
        }
        close(alive[1]);
        int status;
        CHECK_EQ(waitpid(child, &status, 0), child);
        CHECK_EQ(status, 4 << 8);
        // All that held the other end have gone.
        char c;
        CHECK_EQ(read(alive[0], &c, 1), 0);
    }
    CASE(init_adopts) AS_INIT {
        int report[2];
        CHECK(!pipe(report));
        pid_t child = fork();
        if (!child) {
            if (!fork()) {
                while (getppid() != 1) usleep(1000);
                int parent = getppid();
                (void)!write(report[1], &parent, sizeof parent);
                _exit(7);
            }
            _exit(0);
        }
        int parent = -1, status;
        CHECK_EQ(read(report[0], &parent, sizeof parent), sizeof parent);
        CHECK_EQ(parent, 1);
        CHECK_EQ(waitpid(child, &status, 0), child);
        CHECK(wait(&status) > 0);
        CHECK_EQ(WEXITSTATUS(status), 7);
    }
    CASE(subreaper_outside_adopts_nothing) CHILD {
        CHECK(!prctl(PR_SET_CHILD_SUBREAPER, 1));
        CHECK(!enter_namespaces(CLONE_NEWPID));
        pid_t child = fork();
        if (!child) {
            if (!fork()) {
                if (!fork()) {
                    while (getppid() != 1) usleep(1000);
                    _exit(0);
                }
                _exit(0);
            }
            wait(NULL);
            int status = 1;
            wait(&status);
            _exit(status);
        }
        int status;
        waitpid(child, &status, 0);
        CHECK_EQ(status, 0);
    }

    COVERS(kill);
    CASE(init_is_spared) AS_INIT {
        pid_t child = fork();
        if (!child) {
            CHECK(!kill(1, SIGKILL));
            CHECK(!kill(1, SIGTERM));
            CHECK(!kill(1, SIGSTOP));
            _exit(0);
        }
        int status;
        CHECK_EQ(waitpid(child, &status, 0), child);
        CHECK_EQ(status, 0);
    }
    CASE(init_spares_itself) AS_INIT {
        CHECK(!kill(getpid(), SIGTERM));
        CHECK(!raise(SIGKILL));
        CHECK(!raise(SIGPIPE));
    }
    CASE(init_takes_what_it_handles) AS_INIT {
        struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
        sigaction(SIGUSR1, &action, NULL);
        pid_t child = fork();
        if (!child) _exit(kill(1, SIGUSR1));
        waitpid(child, NULL, 0);
        CHECK_EQ(handled, 1);
        CHECK_EQ(seen.si_pid, child);
    }
    CASE(signals_from_outside) IN_NAMESPACES(0) {
        int ready[2];
        CHECK(!pipe(ready));
        CHECK(!unshare(CLONE_NEWPID));
        pid_t child = fork();
        if (!child) {
            struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
            sigaction(SIGUSR1, &action, NULL);
            (void)!write(ready[1], "", 1);
            while (!handled) usleep(1000);
            _exit(seen.si_pid);
        }
        char c;
        CHECK_EQ(read(ready[0], &c, 1), 1);
        CHECK(!kill(child, SIGTERM));
        CHECK(!kill(child, SIGUSR1));
        int status;
        CHECK_EQ(waitpid(child, &status, 0), child);
        CHECK_EQ(status, 0);
    }
    CASE(killed_from_outside) IN_NAMESPACES(0) {
        CHECK(!unshare(CLONE_NEWPID));
        pid_t child = fork();
        if (!child)
            for (;;) pause();
        CHECK(!kill(child, SIGKILL));
        int status;
        CHECK_EQ(waitpid(child, &status, 0), child);
        CHECK_EQ(status, SIGKILL);
    }
    CASE(abort_of_init) AS_INIT {
        // A fault ends even init.
        pid_t child = syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
        if (!child) {
            *(volatile int *)8 = 1;
            _exit(0);
        }
        int status;
        CHECK_EQ(waitpid(child, &status, 0), child);
        CHECK_EQ(status & 0x7f, SIGSEGV);
    }
    CASE(all_means_the_namespace) AS_INIT {
        pid_t children[3];
        for (int i = 0; i < 3; i++) {
            children[i] = fork();
            if (!children[i])
                for (;;) pause();
        }
        CHECK(!kill(-1, SIGTERM));
        for (int i = 0; i < 3; i++) {
            int status = 0;
            CHECK_EQ(waitpid(children[i], &status, 0), children[i]);
            CHECK_EQ(status, SIGTERM);
        }
        CHECK_ERRNO(kill(-1, SIGTERM), ESRCH);
    }
    CASE(nobody_outside_is_seen) AS_INIT {
        CHECK_ERRNO(kill(30000, 0), ESRCH);
        CHECK_ERRNO(getpgid(30000), ESRCH);
        CHECK_ERRNO(getsid(2), ESRCH);
        CHECK_ERRNO(kill(0, 0) == 0 ? (errno = ESRCH, -1) : -1, ESRCH);
    }

    COVERS(clone3, pidfd_open, getsockopt);
    CASE(chosen_numbers) IN_NAMESPACES(0) {
        CHECK(!unshare(CLONE_NEWPID));
        CHILD {
            pid_t wanted[1] = {123};
            struct clone_args args = {.exit_signal = SIGCHLD, .set_tid = (uintptr_t)wanted, .set_tid_size = 1};
            pid_t child = clone3(&args);
            if (!child) _exit(getpid() == 123 ? 0 : 1);
            CHECK_EQ(child, 123);
            int status;
            CHECK_EQ(waitpid(child, &status, 0), child);
            CHECK_EQ(status, 0);
            wanted[0] = 1;
            CHECK_ERRNO(clone3(&args), EEXIST);
            pid_t two[3] = {5, 6, 7};
            args.set_tid = (uintptr_t)two;
            args.set_tid_size = 33;
            CHECK_ERRNO(clone3(&args), EINVAL);
        }
    }
    CASE(chosen_number_of_a_new_init) IN_NAMESPACES(CLONE_NEWPID) {
        CHILD {
            pid_t wanted[2] = {1, 77};
            struct clone_args args = {
                .flags = CLONE_NEWPID, .exit_signal = SIGCHLD, .set_tid = (uintptr_t)wanted, .set_tid_size = 2};
            pid_t child = clone3(&args);
            if (!child) _exit(getpid());
            CHECK_EQ(child, 77);
            int status;
            CHECK_EQ(waitpid(77, &status, 0), 77);
            CHECK_EQ(status, 1 << 8);
            wanted[0] = 2;
            CHECK_ERRNO(clone3(&args), EINVAL);
        }
    }
    CASE(pidfd_of_an_inner_process) IN_NAMESPACES(0) {
        CHECK(!unshare(CLONE_NEWPID));
        pid_t child = fork();
        if (!child) {
            pause();
            _exit(0);
        }
        int fd = syscall(SYS_pidfd_open, child, 0);
        CHECK(fd >= 0);
        CHECK(!syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0));
        struct pollfd wait_for = {.fd = fd, .events = POLLIN};
        CHECK_EQ(poll(&wait_for, 1, 10000), 1);
        waitpid(child, NULL, 0);
    }
    CASE(peer_credentials_translate) IN_NAMESPACES(0) {
        int pair[2];
        CHECK(!socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
        int on = 1;
        CHECK(!setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on));
        CHECK(!unshare(CLONE_NEWPID));
        pid_t child = fork();
        if (!child) _exit(write(pair[1], "x", 1) != 1);
        char data, control[128];
        struct iovec vector = {&data, 1};
        struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
        CHECK_EQ(recvmsg(pair[0], &message, 0), 1);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        CHECK(header && header->cmsg_type == SCM_CREDENTIALS);
        if (header) {
            struct ucred *from = (struct ucred *)CMSG_DATA(header);
            CHECK_EQ(from->pid, child);
            CHECK_EQ(from->uid, 0);
        }
        waitpid(child, NULL, 0);
    }

    COVERS(mount, open);
    CASE(proc_of_the_namespace) AS_INIT {
        CHECK(!mount("proc", "/proc", "proc", 0, NULL));
        char target[16] = "";
        CHECK(readlink("/proc/self", target, sizeof target - 1) > 0);
        CHECK(!strcmp(target, "1"));
        CHECK(!strcmp(line_of("/proc/self/status", "Pid:"), "\t1"));
        CHECK(!strcmp(line_of("/proc/self/status", "PPid:"), "\t0"));
        CHECK(!strcmp(line_of("/proc/self/status", "NSpid:"), "\t1"));
        CHECK(!exists("/proc/2"));
    }
    CASE(outer_proc_shows_both_numbers) IN_NAMESPACES(0) {
        CHECK(!unshare(CLONE_NEWPID));
        pid_t child = fork();
        if (!child) {
            pause();
            _exit(0);
        }
        char path[64], wanted[64];
        snprintf(path, sizeof path, "/proc/%d/status", child);
        snprintf(wanted, sizeof wanted, "\t%d\t1", child);
        const char *numbers = line_of(path, "NSpid:");
        CHECK(strlen(numbers) >= strlen(wanted) && !strcmp(numbers + strlen(numbers) - strlen(wanted), wanted));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    CASE(outer_proc_has_no_self_inside) AS_INIT {
        char target[16];
        // The process is not seen there under its own number, but under the outer one.
        CHECK(readlink("/proc/self", target, sizeof target) > 0);
        CHECK(strtol(target, NULL, 10) != 1);
    }
    CASE(pid_for_children) IN_NAMESPACES(0) {
        char before[64] = "", after[64] = "", own[64] = "";
        CHECK(readlink("/proc/self/ns/pid", before, 63) > 0);
        CHECK(!unshare(CLONE_NEWPID));
        // There is nothing to show before the first child.
        CHECK_ERRNO(readlink("/proc/self/ns/pid_for_children", after, 63), ENOENT);
        pid_t child = fork();
        if (!child) {
            pause();
            _exit(0);
        }
        CHECK(readlink("/proc/self/ns/pid_for_children", after, 63) > 0);
        CHECK(readlink("/proc/self/ns/pid", own, 63) > 0);
        CHECK(!strcmp(before, own));
        CHECK(strcmp(before, after));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    return conformance_end();
}
