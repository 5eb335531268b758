// clone(2) and clone3(2): which flags go together, what each one shares, where numbers are stored.
#include "conformance.h"
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <fcntl.h>
#include <poll.h>

static long clone3(struct clone_args *args, size_t size) { return syscall(SYS_clone3, args, size); }
static long raw_clone(unsigned long flags, void *stack, int *parent, int *child, unsigned long tls) {
    return syscall(SYS_clone, flags, stack, parent, child, tls);
}
static int reap(pid_t child) {
    int status = -1;
    if (waitpid(child, &status, __WALL) != child) return -1;
    return status;
}
#define CHILD_EXITS(call, code)                  \
    do {                                         \
        pid_t child__ = (call);                  \
        if (child__ == 0) _exit(code);           \
        CHECK(child__ > 0);                      \
        CHECK_EQ(reap(child__), (code) << 8);    \
    } while (0)

static char stacks[8][65536] __attribute__((aligned(16)));
static volatile int seen_by_child, wait_word;
static int set_seen(void *argument) {
    seen_by_child = (int)(long)argument;
    return 3;
}
static int change_directory(void *argument) { return chdir(argument) ? 1 : 0; }
static int open_descriptor(void *argument) {
    (void)argument;
    return open("/dev/null", O_RDONLY) < 0;
}
static int exits_quietly(void *argument) {
    (void)argument;
    syscall(SYS_exit, 0);
    return 0;
}
static int change_action(void *argument) {
    (void)argument;
    signal(SIGUSR2, SIG_IGN);
    return 0;
}

int main(void) {
    COVERS(clone);
    CASE(thread_needs_shared_handlers) CHECK_ERRNO(raw_clone(CLONE_THREAD, NULL, NULL, NULL, 0), EINVAL);
    CASE(shared_handlers_need_shared_memory) {
        CHECK_ERRNO(raw_clone(CLONE_SIGHAND, NULL, NULL, NULL, 0), EINVAL);
        CHECK_ERRNO(raw_clone(CLONE_SIGHAND | CLONE_THREAD, NULL, NULL, NULL, 0), EINVAL);
    }
    CASE(new_mount_namespace_excludes_shared_directory) {
        CHECK_ERRNO(raw_clone(CLONE_NEWNS | CLONE_FS, NULL, NULL, NULL, 0), EINVAL);
        CHECK_ERRNO(raw_clone(CLONE_NEWUSER | CLONE_FS, NULL, NULL, NULL, 0), EINVAL);
    }
    CASE(new_pid_namespace_excludes_threads) {
        CHECK_ERRNO(raw_clone(CLONE_NEWPID | CLONE_VM | CLONE_SIGHAND | CLONE_THREAD, stacks[0] + 65536, NULL, NULL, 0), EINVAL);
    }
    CASE(new_ipc_namespace_excludes_shared_undo) {
        CHECK_ERRNO2(raw_clone(CLONE_NEWIPC | CLONE_SYSVSEM, NULL, NULL, NULL, 0), EINVAL, EPERM);
    }
    COVERS(unshare);
    CASE(namespaces_need_privilege) AS_USER({
        CHECK_ERRNO(raw_clone(CLONE_NEWUTS | SIGCHLD, NULL, NULL, NULL, 0), EPERM);
        CHECK_ERRNO(raw_clone(CLONE_NEWNS | SIGCHLD, NULL, NULL, NULL, 0), EPERM);
        CHECK_ERRNO(raw_clone(CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, 0), EPERM);
        CHECK_ERRNO(unshare(CLONE_NEWIPC), EPERM);
        CHECK_ERRNO(unshare(CLONE_NEWNET), EPERM);
    });
    COVERS(clone);
    CASE(pidfd_and_parent_tid_share_a_place) {
        int fd;
        CHECK_ERRNO(raw_clone(CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD, NULL, &fd, NULL, 0), EINVAL);
        CHECK_ERRNO(raw_clone(CLONE_PIDFD | CLONE_DETACHED | SIGCHLD, NULL, &fd, NULL, 0), EINVAL);
    }
    COVERS(fcntl, waitid);
    CASE(pidfd_of_the_child) {
        int fd = -1;
        pid_t child = raw_clone(CLONE_PIDFD | SIGCHLD, NULL, &fd, NULL, 0);
        if (child == 0) _exit(7);
        CHECK(child > 0 && fd >= 0);
        CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
        siginfo_t info = {0};
        CHECK_EQ(waitid(P_PIDFD, fd, &info, WEXITED), 0);
        CHECK_EQ(info.si_status, 7);
        struct pollfd p = {.fd = fd, .events = POLLIN};
        CHECK_EQ(poll(&p, 1, 0), 1);
        close(fd);
    }
    COVERS(wait4, clone);
    CASE(pidfd_at_a_bad_address) {
        CHECK_ERRNO(raw_clone(CLONE_PIDFD | SIGCHLD, NULL, BAD_POINTER, NULL, 0), EFAULT);
        CHECK_ERRNO(waitpid(-1, NULL, WNOHANG), ECHILD);
    }
    COVERS(clone);
    CASE(bad_parent_tid_address_is_ignored) {
        CHILD_EXITS(raw_clone(CLONE_PARENT_SETTID | SIGCHLD, NULL, BAD_POINTER, NULL, 0), 4);
    }
    CASE(bad_child_tid_address_is_ignored) {
        CHILD_EXITS(raw_clone(CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD, NULL, NULL, BAD_POINTER, 0), 5);
    }
    COVERS(exit_group, clone, wait4);
    CASE(parent_tid_is_stored) {
        int tid = 0;
        pid_t child = raw_clone(CLONE_PARENT_SETTID | SIGCHLD, NULL, &tid, NULL, 0);
        if (child == 0) _exit(0);
        CHECK_EQ(tid, child);
        CHECK_EQ(reap(child), 0);
    }
    COVERS(gettid);
    CASE(child_tid_is_stored_in_the_child) {
        int tid = 0;
        pid_t child = raw_clone(CLONE_CHILD_SETTID | SIGCHLD, NULL, NULL, &tid, 0);
        if (child == 0) _exit(tid == syscall(SYS_gettid) ? 0 : 1);
        CHECK_EQ(tid, 0);
        CHECK_EQ(reap(child), 0);
    }
    COVERS(futex);
    CASE(child_tid_is_cleared_and_woken) {
        volatile int *word = (int *)conformance_shared_page();
        *word = 77;
        pid_t child = clone(exits_quietly, stacks[0] + 65536, CLONE_VM | CLONE_CHILD_CLEARTID | SIGCHLD, NULL, NULL, NULL, (int *)word);
        CHECK(child > 0);
        struct timespec limit = {5, 0};
        while (*word == 77 && syscall(SYS_futex, word, 0, 77, &limit, NULL, 0) == 0) {
        }
        CHECK_EQ(*word, 0);
        CHECK_EQ(reap(child), 0);
    }
    COVERS(clone, wait4);
    CASE(shared_memory) {
        seen_by_child = 0;
        pid_t child = clone(set_seen, stacks[1] + 65536, CLONE_VM | SIGCHLD, (void *)21L);
        CHECK_EQ(reap(child), 3 << 8);
        CHECK_EQ(seen_by_child, 21);
    }
    CASE(own_memory) {
        seen_by_child = 0;
        pid_t child = clone(set_seen, stacks[1] + 65536, SIGCHLD, (void *)21L);
        CHECK_EQ(reap(child), 3 << 8);
        CHECK_EQ(seen_by_child, 0);
    }
    COVERS(getcwd);
    CASE(shared_directory) IN_FORK({
        pid_t child = clone(change_directory, stacks[2] + 65536, CLONE_FS | SIGCHLD, "/proc");
        CHECK_EQ(reap(child), 0);
        char path[64];
        getcwd(path, sizeof path);
        CHECK(!strcmp(path, "/proc"));
        child = clone(change_directory, stacks[2] + 65536, SIGCHLD, "/dev");
        CHECK_EQ(reap(child), 0);
        getcwd(path, sizeof path);
        CHECK(!strcmp(path, "/proc"));
    });
    COVERS(dup, fcntl);
    CASE(shared_descriptors) {
        int next = dup(0);
        close(next);
        pid_t child = clone(open_descriptor, stacks[2] + 65536, CLONE_FILES | SIGCHLD, NULL);
        CHECK_EQ(reap(child), 0);
        CHECK(fcntl(next, F_GETFD) >= 0);
        close(next);
        child = clone(open_descriptor, stacks[2] + 65536, SIGCHLD, NULL);
        CHECK_EQ(reap(child), 0);
        CHECK_ERRNO(fcntl(next, F_GETFD), EBADF);
    }
    COVERS(rt_sigaction, clone, wait4);
    CASE(shared_actions) {
        signal(SIGUSR2, SIG_DFL);
        pid_t child = clone(change_action, stacks[3] + 65536, CLONE_VM | CLONE_SIGHAND | SIGCHLD, NULL);
        CHECK_EQ(reap(child), 0);
        struct sigaction now;
        sigaction(SIGUSR2, NULL, &now);
        CHECK(now.sa_handler == SIG_IGN);
        signal(SIGUSR2, SIG_DFL);
    }
    COVERS(rt_sigaction, clone3, exit_group, wait4);
    CASE(cleared_actions) {
        struct clone_args a = {.flags = CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD};
        signal(SIGUSR1, (void (*)(int))(void *)reap);
        signal(SIGUSR2, SIG_IGN);
        pid_t child = clone3(&a, sizeof a);
        if (child == 0) {
            struct sigaction one, two;
            sigaction(SIGUSR1, NULL, &one);
            sigaction(SIGUSR2, NULL, &two);
            _exit(one.sa_handler == SIG_DFL && two.sa_handler == SIG_IGN ? 0 : 1);
        }
        CHECK_EQ(reap(child), 0);
        signal(SIGUSR1, SIG_DFL);
        signal(SIGUSR2, SIG_DFL);
    }
    COVERS(clone3);
    CASE(cleared_actions_exclude_shared_ones) {
        struct clone_args a = {.flags = CLONE_CLEAR_SIGHAND | CLONE_SIGHAND | CLONE_VM, .stack = (long)stacks[0], .stack_size = 65536};
        CHECK_ERRNO(clone3(&a, sizeof a), EINVAL);
    }
    COVERS(clone, exit_group, wait4);
    CASE(clone_parent_makes_a_sibling) {
        pid_t middle = fork();
        if (middle == 0) {
            pid_t sibling = raw_clone(CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, 0);
            if (sibling == 0) _exit(9);
            _exit(waitpid(sibling, NULL, 0) == -1 && errno == ECHILD ? 0 : 1);
        }
        int total = 0, status;
        for (int i = 0; i < 2; i++) {
            CHECK(wait(&status) > 0);
            total += WEXITSTATUS(status);
        }
        CHECK_EQ(total, 9);
    }
    COVERS(exit_group, wait4, rt_sigaction, clone);
    CASE(exit_signal_may_be_none_or_any) {
        pid_t child = raw_clone(0, NULL, NULL, NULL, 0);
        if (child == 0) _exit(2);
        CHECK_ERRNO(waitpid(child, NULL, 0), ECHILD);
        CHECK_EQ(waitpid(child, NULL, __WCLONE), child);
        signal(SIGUSR1, SIG_IGN);
        child = raw_clone(SIGUSR1, NULL, NULL, NULL, 0);
        if (child == 0) _exit(2);
        CHECK_ERRNO(waitpid(child, NULL, 0), ECHILD);
        CHECK_EQ(waitpid(child, NULL, __WALL), child);
        signal(SIGUSR1, SIG_DFL);
    }
    COVERS(clone3);
    CASE(size_of_the_arguments) {
        struct clone_args a = {.exit_signal = SIGCHLD};
        CHECK_ERRNO(clone3(&a, 0), EINVAL);
        CHECK_ERRNO(clone3(&a, 63), EINVAL);
        CHECK_ERRNO(clone3(&a, 4097), E2BIG);
        CHILD_EXITS(clone3(&a, 64), 1);
        CHILD_EXITS(clone3(&a, 80), 1);
        CHILD_EXITS(clone3(&a, 88), 1);
    }
    CASE(unknown_tail_must_be_zero) {
        struct {
            struct clone_args a;
            uint64_t more[4];
        } big = {.a = {.exit_signal = SIGCHLD}};
        CHILD_EXITS(clone3(&big.a, sizeof big), 1);
        big.more[3] = 1;
        CHECK_ERRNO(clone3(&big.a, sizeof big), E2BIG);
    }
    CASE(argument_addresses) {
        struct clone_args a = {.exit_signal = SIGCHLD};
        CHECK_ERRNO(clone3(BAD_POINTER, sizeof a), EFAULT);
        CHECK_ERRNO(clone3(NULL, sizeof a), EFAULT);
        CHECK_ERRNO(clone3(conformance_straddling(&a, sizeof a), sizeof a), EFAULT);
        struct clone_args *edge = conformance_before_hole(64);
        memcpy(edge, &a, 64);
        CHILD_EXITS(clone3(edge, 64), 1);
    }
    CASE(unknown_and_legacy_flags) {
        struct clone_args a = {.flags = 1ULL << 40, .exit_signal = SIGCHLD};
        CHECK_ERRNO(clone3(&a, sizeof a), EINVAL);
        a.flags = CLONE_DETACHED;
        CHECK_ERRNO(clone3(&a, sizeof a), EINVAL);
        a.flags = SIGCHLD;
        CHECK_ERRNO(clone3(&a, sizeof a), EINVAL);
    }
    COVERS(clone3, rt_sigaction, exit_group, wait4);
    CASE(exit_signal_bounds) {
        struct clone_args a = {.exit_signal = 65};
        CHECK_ERRNO(clone3(&a, sizeof a), EINVAL);
        a.exit_signal = 0x100 | SIGCHLD;
        CHECK_ERRNO(clone3(&a, sizeof a), EINVAL);
        signal(64, SIG_IGN);
        a.exit_signal = 64;
        pid_t child = clone3(&a, sizeof a);
        if (child == 0) _exit(0);
        CHECK(child > 0);
        CHECK_EQ(reap(child), 0);
    }
    COVERS(clone3);
    CASE(threads_have_no_exit_signal) {
        struct clone_args a = {.flags = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD, .exit_signal = SIGCHLD, .stack = (long)stacks[0],
                               .stack_size = 65536};
        CHECK_ERRNO(clone3(&a, sizeof a), EINVAL);
        struct clone_args b = {.flags = CLONE_PARENT, .exit_signal = SIGCHLD};
        CHECK_ERRNO(clone3(&b, sizeof b), EINVAL);
    }
    CASE(stack_and_size_go_together) {
        struct clone_args a = {.exit_signal = SIGCHLD, .stack = (long)stacks[0]};
        CHECK_ERRNO(clone3(&a, sizeof a), EINVAL);
        struct clone_args b = {.exit_signal = SIGCHLD, .stack_size = 4096};
        CHECK_ERRNO(clone3(&b, sizeof b), EINVAL);
        struct clone_args c = {.exit_signal = SIGCHLD, .stack = ~4095ULL, .stack_size = 8192};
        CHECK_ERRNO(clone3(&c, sizeof c), EINVAL);
    }
    CASE(set_tid_rules) {
        pid_t ids[2] = {1, 1};
        struct clone_args a = {.exit_signal = SIGCHLD, .set_tid = (long)ids};
        CHECK_ERRNO(clone3(&a, sizeof a), EINVAL);
        struct clone_args b = {.exit_signal = SIGCHLD, .set_tid_size = 1};
        CHECK_ERRNO(clone3(&b, sizeof b), EINVAL);
        struct clone_args c = {.exit_signal = SIGCHLD, .set_tid = (long)ids, .set_tid_size = 33};
        CHECK_ERRNO(clone3(&c, sizeof c), EINVAL);
        AS_USER({
            ids[0] = 30000;
            struct clone_args d = {.exit_signal = SIGCHLD, .set_tid = (long)ids, .set_tid_size = 1};
            CHECK_ERRNO(clone3(&d, sizeof d), EPERM);
        });
    }
    COVERS(clone3, geteuid, getpid, clone, exit_group, wait4);
    CASE(chosen_numbers) {
        pid_t id = 0;
        struct clone_args a = {.exit_signal = SIGCHLD, .set_tid = (long)&id, .set_tid_size = 1};
        CHECK_ERRNO(clone3(&a, sizeof a), EINVAL);
        id = 1 << 22;
        CHECK_ERRNO(clone3(&a, sizeof a), EINVAL);
        a.set_tid = (long)BAD_POINTER;
        CHECK_ERRNO(clone3(&a, sizeof a), EFAULT);
        a.set_tid = (long)&id;
        if (geteuid() == 0) {
            id = getpid();
            CHECK_ERRNO(clone3(&a, sizeof a), EEXIST);
            // A number that was free a moment ago.
            id = fork();
            if (id == 0) _exit(0);
            reap(id);
            pid_t child = clone3(&a, sizeof a);
            if (child == 0) _exit(getpid() == id ? 0 : 1);
            CHECK_EQ(child, id);
            CHECK_EQ(reap(child), 0);
        }
    }
    COVERS(clone3);
    CASE(cgroup_descriptor) {
        struct clone_args a = {.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = 9999};
        CHECK_ERRNO(clone3(&a, sizeof a), EBADF);
        a.cgroup = 1ULL << 33;
        CHECK_ERRNO(clone3(&a, sizeof a), EINVAL);
        a.cgroup = 0;
        CHECK_ERRNO(clone3(&a, 80), EINVAL);
    }
    CASE(clone3_stack_is_its_lowest_address) {
        struct clone_args a = {.flags = CLONE_VFORK, .exit_signal = SIGCHLD};
        CHILD_EXITS(clone3(&a, sizeof a), 6);
    }
    COVERS(clone);
    CASE(untraced_and_io_flags_are_accepted) {
        CHILD_EXITS(raw_clone(CLONE_UNTRACED | CLONE_IO | CLONE_SYSVSEM | SIGCHLD, NULL, NULL, NULL, 0), 1);
        CHILD_EXITS(raw_clone(CLONE_DETACHED | SIGCHLD, NULL, NULL, NULL, 0), 1);
    }
    COVERS(unshare);
    CASE(init_has_no_siblings_and_unshare_flags) {
        CHECK_ERRNO(unshare(CLONE_PARENT), EINVAL);
        CHECK_ERRNO(unshare(CLONE_VFORK), EINVAL);
        CHECK_ERRNO(unshare(0x40), EINVAL);
        CHECK_EQ(unshare(0), 0);
        CHECK_EQ(unshare(CLONE_FS | CLONE_FILES), 0);
        CHECK_EQ(unshare(CLONE_SYSVSEM), 0);
        CHECK_EQ(unshare(CLONE_THREAD), 0);
        CHECK_EQ(unshare(CLONE_SIGHAND), 0);
        CHECK_EQ(unshare(CLONE_VM), 0);
    }
    COVERS(setns);
    CASE(setns_errors) {
        CHECK_ERRNO(setns(9999, 0), EBADF);
        int p[2];
        pipe(p);
        CHECK_ERRNO(setns(p[0], 0), EINVAL);
        CHECK_ERRNO(setns(p[0], CLONE_NEWUTS), EINVAL);
        close(p[0]);
        close(p[1]);
    }
    return conformance_end();
}
